/* Silence suppression and comfort noise, both sides (media sheet 2.5).  No allocation. */
#ifndef WZP_MEDIA_SILENCE_H
#define WZP_MEDIA_SILENCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

#define WZP_SILENCE_RMS 100    /* a frame below it is silent */
#define WZP_SILENCE_HANGOVER 5 /* silent frames that are still sent */
#define WZP_SILENCE_NOISE_EVERY 10
#define WZP_NOISE_LEVEL 50 /* what deployed senders say, and deployed receivers play anyway */
#define WZP_NOISE_LEVEL_MAX 127

typedef enum wzp_silence_act {
    WZP_SILENCE_SEND, /* encode and send this frame */
    WZP_SILENCE_HUSH, /* send nothing; the media clock runs on */
    WZP_SILENCE_NOISE /* advance the media clock by this frame, then send a comfort-noise packet
                         with that time: one byte, the level */
} wzp_silence_act;

/* All zeros at the start of a stream. */
typedef struct wzp_silence {
    uint32_t silent;     /* frames in a row, this one included; saturates */
    uint32_t suppressed; /* of them, modulo WZP_SILENCE_NOISE_EVERY */
} wzp_silence;

/* What to do with one frame of PCM, of any length. */
wzp_silence_act wzp_silence_step(wzp_silence *s, const int16_t *pcm, size_t samples);

/* The level in a comfort-noise packet's payload, clamped to 0..127; WZP_NOISE_LEVEL if it is empty.
 */
uint8_t wzp_noise_level(const uint8_t *payload, size_t len);

/* Fills pcm[samples] with uniform noise in -level..level. */
void wzp_noise_fill(wzp_prng *prng, uint8_t level, int16_t *pcm, size_t samples);

#endif
