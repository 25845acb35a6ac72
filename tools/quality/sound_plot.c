/* The level of a sound file over time as inline SVG, for pages; and a made-up voice as a file.
 *
 *     sound_plot FILE.wav [S]       a bar for each 20 ms, 60 dB high; room for S seconds
 *     sound_plot --speak S F.wav    the voice of media/testing/voice.h, S seconds
 *
 * Same file, same picture. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/wav.h"
#include "media/testing/voice.h"

enum { FRAME = WZP_WAV_RATE_HZ / 50, BAR = 2, HIGH = 60, SECONDS_MAX = 600 };

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
    const unsigned long wide = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (argc < 2 || argc > 3 || wide > SECONDS_MAX) {
        return complain("expected FILE.wav [SECONDS], or --speak SECONDS FILE.wav");
    }
    if (wzp_wav_read(&pcm, &len, argv[1], why) != WZP_OK) {
        return complain(why);
    }
    plot(pcm, len, wide);
    free(pcm);
    return 0;
}
