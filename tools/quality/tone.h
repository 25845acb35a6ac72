/* How pure a tone is that was sent through a call: THD+N, all that is not the tone against it. */
#ifndef WZP_TOOLS_TONE_H
#define WZP_TOOLS_TONE_H

#include <stddef.h>
#include <stdint.h>

typedef struct wzp_tone {
    double hz;           /* of the reference; 0: it is no tone, and nothing else is said */
    double reference_db; /* THD+N of the reference itself, dB against the tone */
    double thdn_db;      /* and of the degraded sound: -60 dB is 0.1 % */
    double thdn_permille;
} wzp_tone;

/* Of two sounds at 48 kHz that are aligned.  The reference is a tone if all that is not the tone
 * is 40 dB weaker.  Windows of 200 ms have a phase and a level of their own. */
void wzp_tone_measure(wzp_tone *out, const int16_t *reference, const int16_t *degraded, size_t len);

#endif
