/* Opus packets as text, one a line in hexadecimal, as simulated callers say them
 * (sim/host/payloads.h): of a sound file, or of a voice that is made up here.
 *
 *     payloads CODEC FILE [SOUND]      payloads Opus24k opus24k.txt speech.wav
 *
 * The made-up voice is a buzz through three resonances that move from vowel to vowel, with hisses
 * between syllables: not beautiful, but the codec spends its bits as it does on speech.  Frames for
 * which the codec has nothing to send are left out. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "io/wav.h"
#include "media/opus.h"

enum { SECONDS = 20, SYLLABLE = WZP_OPUS_RATE_HZ / 5, FORMANTS = 3, NOTHING_TO_SEND = 2 };

static const double turn = 6.283185307179586;

/* --- a voice ---------------------------------------------------------------------------------- */

typedef struct resonance {
    double y1, y2;
} resonance;

/* Two poles at `hz`, a bandwidth of 90 Hz. */
static double resonate(resonance *r, double in, double hz) {
    const double radius = 1 - turn / 2 * 90 / WZP_OPUS_RATE_HZ;
    const double y = in * (1 - radius) + 2 * radius * cos(turn * hz / WZP_OPUS_RATE_HZ) * r->y1 -
                     radius * radius * r->y2;
    r->y2 = r->y1;
    r->y1 = y;
    return y;
}

static double noise(uint32_t *state) {
    *state = *state * UINT32_C(1664525) + UINT32_C(1013904223);
    return (double)(*state >> 8) / (1 << 23) - 1;
}

/* a, e, i, o, u; where their resonances are. */
static const double vowels[][FORMANTS] = {
    {730, 1090, 2440}, {530, 1840, 2480}, {270, 2290, 3010}, {570, 840, 2410}, {300, 870, 2240}};

static void speak(int16_t *pcm, size_t samples) {
    resonance mouth[FORMANTS] = {{0, 0}};
    uint32_t state = 1;
    double phase = 0;
    for (size_t i = 0; i < samples; i++) {
        const size_t syllable = i / SYLLABLE;
        const double at = (double)(i % SYLLABLE) / SYLLABLE;
        const double *from = vowels[syllable * 7 / 3 % WZP_COUNT_OF(vowels)];
        const double *to = vowels[(syllable + 1) * 7 / 3 % WZP_COUNT_OF(vowels)];
        const double pitch = 120 + 25 * sin(turn * (double)i / (1.7 * WZP_OPUS_RATE_HZ));
        const bool voiced = at < 0.8;
        phase += pitch / WZP_OPUS_RATE_HZ;
        const bool pulse = phase >= 1;
        phase -= pulse ? 1 : 0;
        const double source =
            voiced ? (pulse ? 60 : 0) + 0.02 * noise(&state) : 0.3 * noise(&state);
        double out = voiced ? 0 : source * 0.2;
        for (size_t f = 0; f < FORMANTS; f++) {
            out += resonate(&mouth[f], source, from[f] + (to[f] - from[f]) * at) / (double)(f + 1);
        }
        const double level = 9000 * (0.15 + sin(turn / 2 * at));
        const double value = fmax(-30000, fmin(30000, out * level));
        pcm[i] = (int16_t)lrint(value);
    }
}

/* --- main ------------------------------------------------------------------------------------- */

static void give_up(const char *what, const char *why) {
    (void)fprintf(stderr, "payloads: %s: %s\n", what, why);
    _Exit(1);
}

static int16_t *made_up(size_t *count) {
    *count = (size_t)SECONDS * WZP_OPUS_RATE_HZ;
    int16_t *pcm = malloc(*count * sizeof *pcm);
    if (pcm != NULL) {
        speak(pcm, *count);
    }
    return pcm;
}

static int16_t *of_file(const char *path, size_t *count) {
    char why[WZP_WAV_WHY_MAX];
    int16_t *pcm = NULL;
    if (wzp_wav_read(&pcm, count, path, why) != WZP_OK) {
        give_up(path, why);
    }
    return pcm;
}

static void write_packets(FILE *out, uint8_t codec, const int16_t *pcm, size_t count) {
    uint8_t packet[WZP_OPUS_PACKET_MAX];
    char hex[2 * sizeof packet + 1];
    const size_t frame = wzp_opus_frame_samples(codec);
    wzp_opus_enc *enc = NULL;
    if (wzp_opus_enc_new(&enc, codec) != WZP_OK) {
        give_up("Opus", "out of memory");
    }
    for (size_t at = 0; at + frame <= count; at += frame) {
        size_t len = 0;
        if (wzp_opus_enc_frame(enc, pcm + at, frame, packet, &len) == WZP_OK &&
            len > NOTHING_TO_SEND) {
            (void)fprintf(out, "%s\n", wzp_hex_write(hex, wzp_bytes_of(packet, len)));
        }
    }
    wzp_opus_enc_free(&enc);
}

int main(int argc, char **argv) {
    size_t count = 0;
    if (argc < 3 || argc > 4) {
        (void)fprintf(stderr, "usage: payloads CODEC FILE [SOUND]\n");
        return 2;
    }
    const int codec = wzp_codec_by_name(wzp_bytes_str(argv[1]));
    if (codec < 0 || wzp_opus_frame_samples((uint8_t)codec) == 0) {
        give_up(argv[1], "not an Opus codec, as Opus24k");
    }
    int16_t *pcm = argc > 3 ? of_file(argv[3], &count) : made_up(&count);
    FILE *out = fopen(argv[2], "w");
    if (pcm == NULL || out == NULL) {
        give_up(argv[2], "cannot be written");
    }
    (void)fprintf(out, "# %s of %s\n", argv[1], argc > 3 ? argv[3] : "a made-up voice");
    write_packets(out, (uint8_t)codec, pcm, count);
    free(pcm);
    if (fclose(out) != 0) {
        give_up(argv[2], "cannot be written");
    }
    return 0;
}
