/* How far sound that has been through a call is from what was said: an intrusive measure, without
 * judgement of taste.
 *
 * The two are aligned first, by their envelopes and then to the sample, and again where the delay
 * changes on the way (track.h).  Then come, over frames of 20 ms in which somebody speaks,
 *
 *     segmental SNR   of the waveforms, mean of -10..35 dB a frame.  Falls with anything that
 *                     changes the waveform, also with what nobody hears.
 *     LSD             distance of the logarithmic spectra in critical bands to 7.7 kHz, dB: what a
 *                     vocoder leaves alone and a gap does not.  0 is perfect.
 *     longest gap     while somebody speaks and nothing is heard, ms
 *
 * and over the whole
 *
 *     STOI, ESTOI     how much can be understood (stoi.h), 1 is all
 *     SI-SDR          of the waveforms, whatever the level; at most 100 dB
 *     glitches        cut in, repeated, clipped (glitch.h)
 *     THD+N           where the reference is a tone (tone.h)
 *
 * One thread, allocates and frees while it works. */
#ifndef WZP_TOOLS_QUALITY_H
#define WZP_TOOLS_QUALITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tools/quality/glitch.h"
#include "tools/quality/tone.h"
#include "tools/quality/track.h"

#define WZP_QUALITY_RATE_HZ 48000
#define WZP_QUALITY_DELAY_MAX_MS 2000

typedef struct wzp_quality {
    double snr_seg_db;
    double lsd_db;
    double lsd_worst_db; /* mean of the worst tenth of the frames */
    double level_db;     /* the degraded sound against the reference, where somebody speaks */
    uint32_t longest_gap_ms;
    uint32_t gap_permille; /* of the frames with speech in which nothing is heard */
    int32_t delay_samples; /* of most of it; negative: it is early */
    size_t delay_changes;  /* on the way; a pair's track says when */
    double stoi, estoi;    /* 0 also where too little is said */
    double si_sdr_db;
    wzp_glitches glitches;
    wzp_tone tone;
    size_t frames; /* with speech, that were compared */
} wzp_quality;

/* The two at one time, and of one length. */
typedef struct wzp_pair {
    const int16_t *reference; /* borrowed */
    int16_t *degraded;        /* of the pair */
    size_t len;
    size_t skipped; /* samples of the reference before the first: the degraded sound begins later */
    wzp_track track;
} wzp_pair;

/* Errors as of wzp_quality_measure; `out` is to be cleared in any case. */
WZP_MUST_USE wzp_err wzp_pair_open(wzp_pair *out, const int16_t *reference, size_t reference_len,
                                   const int16_t *degraded, size_t degraded_len,
                                   uint32_t delay_max_ms);
void wzp_pair_clear(wzp_pair *pair);

WZP_MUST_USE wzp_err wzp_quality_of(wzp_quality *out, const wzp_pair *pair);

/* Both at once.  Compares at 48 kHz, looking for a delay of at most `delay_max_ms` either way (at
 * most WZP_QUALITY_DELAY_MAX_MS). WZP_ERR_INVALID_ARGUMENT  nobody speaks in the reference, or less
 * than 200 ms overlap WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_quality_measure(wzp_quality *out, const int16_t *reference,
                                         size_t reference_len, const int16_t *degraded,
                                         size_t degraded_len, uint32_t delay_max_ms);

#endif
