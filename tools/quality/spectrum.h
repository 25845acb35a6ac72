/* Power in critical bands of a frame of 20 ms at 48 kHz, by a small FFT. */
#ifndef WZP_TOOLS_SPECTRUM_H
#define WZP_TOOLS_SPECTRUM_H

#include <stdint.h>

#define WZP_SPECTRUM_FRAME 960
#define WZP_SPECTRUM_BANDS 21 /* 0 to 7.7 kHz, of one Bark each (Zwicker) */

/* pcm[WZP_SPECTRUM_FRAME], under a Hann window.  The sum of all bands is about the mean square. */
void wzp_spectrum_bands(const int16_t *pcm, double bands[WZP_SPECTRUM_BANDS]);

#define WZP_SPECTRUM_ROWS 43 /* 0 to 8.1 kHz, of 187.5 Hz each */

/* The same frame for pictures, in rows of one width. */
void wzp_spectrum_rows(const int16_t *pcm, double rows[WZP_SPECTRUM_ROWS]);

#endif
