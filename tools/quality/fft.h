/* The small Fourier transform that the measures share. */
#ifndef WZP_TOOLS_FFT_H
#define WZP_TOOLS_FFT_H

typedef struct wzp_fft_number {
    double re, im;
} wzp_fft_number;

/* In place, x[1 << bits]; forward, not scaled. */
void wzp_fft(wzp_fft_number *x, unsigned bits);

#endif
