/* By how much one sound is later than another that is much like it. */
#ifndef WZP_SOUND_ALIGN_H
#define WZP_SOUND_ALIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct wzp_align_sound {
    const int16_t *pcm; /* 48 kHz */
    size_t len;
} wzp_align_sound;

/* *delay: samples by which `b` is later than `a`, at most `most_ms` either way.  By the envelopes
 * of their first minute, and where the waveforms agree, to the sample.
 * WZP_ERR_INVALID_ARGUMENT: one of them is shorter than 200 ms; WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_align(int32_t *delay, const wzp_align_sound *a, const wzp_align_sound *b,
                               uint32_t most_ms);

#endif
