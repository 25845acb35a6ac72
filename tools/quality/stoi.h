/* How much of speech can be understood: STOI (Taal, Hendriks, Heusdens and Jensen 2011) and its
 * extended form ESTOI (Jensen and Taal 2016).
 *
 * At 10 kHz, frames of 25.6 ms without those of silence, in fifteen bands of a third of an octave
 * from 150 Hz on: how the levels of 384 ms of the degraded sound go with those of the reference,
 * as a correlation.  1 is perfect; about 0, nothing is left. */
#ifndef WZP_TOOLS_STOI_H
#define WZP_TOOLS_STOI_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct wzp_stoi {
    double stoi, estoi;
} wzp_stoi;

/* Of two sounds at 48 kHz that are aligned.
 * WZP_ERR_INVALID_ARGUMENT  less than 384 ms of speech; WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_stoi_measure(wzp_stoi *out, const int16_t *reference,
                                      const int16_t *degraded, size_t len);

#endif
