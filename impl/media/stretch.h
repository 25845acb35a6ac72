/* Sound that plays a little faster or slower at the same pitch: whole periods of the voice are cut
 * out of a frame, or repeated, and fade into what follows (media sheet 6, REF: no pitch artefacts).
 *
 * Pure functions on 48 kHz mono; no memory, no floating point. */
#ifndef WZP_MEDIA_STRETCH_H
#define WZP_MEDIA_STRETCH_H

#include <stddef.h>
#include <stdint.h>

#define WZP_STRETCH_LEAST 120   /* samples, 2.5 ms: the period of 400 Hz */
#define WZP_STRETCH_MOST 720    /* 15 ms: the period of 67 Hz */
#define WZP_STRETCH_OVERLAP 240 /* that fade into each other */

/* What is shorter stays as it is. */
#define WZP_STRETCH_FRAME (WZP_STRETCH_MOST + WZP_STRETCH_OVERLAP)

typedef enum wzp_stretch_need {
    WZP_STRETCH_UNHEARD, /* only silence, and where the sound repeats itself */
    WZP_STRETCH_ANYHOW   /* in any sound, where it repeats itself best */
} wzp_stretch_need;

/* Cuts pcm[samples] down in place.  Returns how many samples went, LEAST to MOST; 0: none. */
size_t wzp_stretch_shorten(int16_t *pcm, size_t samples, wzp_stretch_need need);

/* Lets pcm[samples] grow in place; it has room for WZP_STRETCH_MOST more.  Returns how many samples
 * came, LEAST to MOST; 0: none. */
size_t wzp_stretch_lengthen(int16_t *pcm, size_t samples, wzp_stretch_need need);

#endif
