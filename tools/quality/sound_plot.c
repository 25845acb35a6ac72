/* A sound file as inline SVG, for pages: its level or its spectrum over time; and a made-up voice
 * as a file.
 *
 *     sound_plot FILE.wav [S]             a bar for each 20 ms, 60 dB high; room for S seconds
 *     sound_plot --spectrum FILE.wav [S]  a column for each 20 ms, 0 to 8 kHz, darker is louder
 *     sound_plot --speak S F.wav          the voice of media/testing/voice.h, S seconds
 *
 * Same file, same picture. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/wav.h"
#include "media/testing/voice.h"
#include "tools/quality/spectrum.h"

enum {
    FRAME = WZP_WAV_RATE_HZ / 50,
    BAR = 2,
    HIGH = 60,
    SECONDS_MAX = 600,
    SHADES = 8,
    DARKEST_DB = -24,
    SHADE_DB = 7
};

static int complain(const char *what) {
    (void)fprintf(stderr, "sound_plot: %s\n", what);
    return 1;
}

static int speak(size_t seconds, const char *path) {
    char why[WZP_WAV_WHY_MAX];
    wzp_wav_out *wav = NULL;
    const size_t len = seconds * WZP_WAV_RATE_HZ;
    int16_t *pcm = malloc(len * sizeof *pcm);
    if (pcm == NULL) {
        return complain("out of memory");
    }
    wzp_voice_speak(pcm, len);
    const char *wrong = wzp_wav_create(&wav, path, why) == WZP_OK ? NULL : why;
    if (wrong == NULL && wzp_wav_write_at(wav, 0, pcm, len) != WZP_OK) {
        wrong = "not everything could be written";
    }
    if (wzp_wav_finish(&wav) != WZP_OK && wrong == NULL) {
        wrong = "not everything could be written";
    }
    free(pcm);
    return wrong != NULL ? complain(wrong) : 0;
}

/* Height of a bar: decibels above 60 below full scale, in whole ones so that every machine draws
 * the same. */
static long height(const int16_t *pcm) {
    double sum = 0;
    for (size_t i = 0; i < FRAME; i++) {
        sum += (double)pcm[i] * pcm[i];
    }
    const double db = 10 * log10(sum / FRAME / (32768.0 * 32768.0) + 1e-12);
    return lrint(fmax(0, HIGH + db));
}

static void plot(const int16_t *pcm, size_t len, size_t seconds) {
    const size_t bars = len / FRAME;
    const size_t wide = seconds * WZP_WAV_RATE_HZ / FRAME;
    printf("<svg class=\"sound\" viewBox=\"0 0 %zu %d\" preserveAspectRatio=\"none\" role=\"img\" "
           "aria-label=\"level over time\"><path d=\"",
           (bars > wide ? bars : wide) * BAR, HIGH);
    for (size_t i = 0; i < bars; i++) {
        const long high = height(pcm + i * FRAME);
        if (high > 0) {
            printf("M%zu %dv-%ldh%dv%ldz", i * BAR, HIGH, high, BAR, high);
        }
    }
    printf("\"/></svg>\n");
}

/* --- spectrum --------------------------------------------------------------------------------- */

/* 0: below what is drawn.  Whole shades, so that every machine draws the same. */
static uint8_t shade(double power) {
    const double db = 10 * log10(power / (32768.0 * 32768.0) + 1e-12);
    const double is = floor((db - DARKEST_DB) / SHADE_DB) + SHADES;
    return (uint8_t)fmax(0, fmin(SHADES, is));
}

/* shades[columns][WZP_SPECTRUM_ROWS]; a run of one shade in a row is one stroke. */
static void draw_shade(const uint8_t *shades, size_t columns, uint8_t which) {
    printf("<path stroke-opacity=\"%d%%\" d=\"", 100 * which / SHADES);
    for (size_t row = 0; row < WZP_SPECTRUM_ROWS; row++) {
        size_t run = 0;
        for (size_t i = 0; i <= columns; i++) {
            if (i < columns && shades[i * WZP_SPECTRUM_ROWS + row] == which) {
                run++;
                continue;
            }
            if (run > 0) {
                printf("M%zu %zuh%zu", i - run, WZP_SPECTRUM_ROWS - 1 - row, run);
            }
            run = 0;
        }
    }
    printf("\"/>");
}

static int plot_spectrum(const int16_t *pcm, size_t len, size_t seconds) {
    const size_t columns = len / FRAME;
    const size_t wide = seconds * WZP_WAV_RATE_HZ / FRAME;
    uint8_t *shades = malloc(columns * WZP_SPECTRUM_ROWS + 1);
    if (shades == NULL) {
        return complain("out of memory");
    }
    for (size_t i = 0; i < columns; i++) {
        double rows[WZP_SPECTRUM_ROWS];
        wzp_spectrum_rows(pcm + i * FRAME, rows);
        for (size_t row = 0; row < WZP_SPECTRUM_ROWS; row++) {
            shades[i * WZP_SPECTRUM_ROWS + row] = shade(rows[row]);
        }
    }
    printf("<svg class=\"spectrum\" viewBox=\"0 -.5 %zu %d\" preserveAspectRatio=\"none\" "
           "role=\"img\" "
           "aria-label=\"spectrum over time, 0 to 8 kHz\">",
           columns > wide ? columns : wide, WZP_SPECTRUM_ROWS);
    for (int i = 1; i <= SHADES; i++) {
        draw_shade(shades, columns, (uint8_t)i);
    }
    printf("</svg>\n");
    free(shades);
    return 0;
}

int main(int argc, char **argv) {
    char why[WZP_WAV_WHY_MAX];
    int16_t *pcm = NULL;
    size_t len = 0;
    if (argc == 4 && strcmp(argv[1], "--speak") == 0) {
        const unsigned long seconds = strtoul(argv[2], NULL, 10);
        if (seconds == 0 || seconds > SECONDS_MAX) {
            return complain("--speak: expected 1 to 600 seconds");
        }
        return speak(seconds, argv[3]);
    }
    const bool is_spectrum = argc > 1 && strcmp(argv[1], "--spectrum") == 0;
    const int first = is_spectrum ? 2 : 1;
    const unsigned long wide = argc == first + 2 ? strtoul(argv[first + 1], NULL, 10) : 0;
    if (argc <= first || argc > first + 2 || wide > SECONDS_MAX) {
        return complain("expected [--spectrum] FILE.wav [SECONDS], or --speak SECONDS FILE.wav");
    }
    if (wzp_wav_read(&pcm, &len, argv[first], why) != WZP_OK) {
        return complain(why);
    }
    int status = 0;
    if (is_spectrum) {
        status = plot_spectrum(pcm, len, wide);
    } else {
        plot(pcm, len, wide);
    }
    free(pcm);
    return status;
}
