#include "media/testing/voice.h"

#include <math.h>
#include <stdbool.h>

#include "base/bytes.h"

enum { RATE = 48000, SYLLABLE = RATE / 5, FORMANTS = 3 };

static const double turn = 6.283185307179586;

typedef struct resonance {
    double y1, y2;
} resonance;

/* Two poles at `hz`, a bandwidth of 90 Hz. */
static double resonate(resonance *r, double in, double hz) {
    const double radius = 1 - turn / 2 * 90 / RATE;
    const double y =
        in * (1 - radius) + 2 * radius * cos(turn * hz / RATE) * r->y1 - radius * radius * r->y2;
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

void wzp_voice_speak(int16_t *pcm, size_t samples) {
    resonance mouth[FORMANTS] = {{0, 0}};
    uint32_t state = 1;
    double phase = 0;
    for (size_t i = 0; i < samples; i++) {
        const size_t syllable = i / SYLLABLE;
        const double at = (double)(i % SYLLABLE) / SYLLABLE;
        const double *from = vowels[syllable * 7 / 3 % WZP_COUNT_OF(vowels)];
        const double *to = vowels[(syllable + 1) * 7 / 3 % WZP_COUNT_OF(vowels)];
        const double pitch = 120 + 25 * sin(turn * (double)i / (1.7 * RATE));
        const bool voiced = at < 0.8;
        phase += pitch / RATE;
        const bool pulse = phase >= 1;
        phase -= pulse ? 1 : 0;
        const double source =
            voiced ? (pulse ? 60 : 0) + 0.02 * noise(&state) : 0.3 * noise(&state);
        double out = voiced ? 0 : source * 0.2;
        for (size_t f = 0; f < FORMANTS; f++) {
            out += resonate(&mouth[f], source, from[f] + (to[f] - from[f]) * at) / (double)(f + 1);
        }
        const double level = 9000 * (0.15 + sin(turn / 2 * at));
        pcm[i] = (int16_t)lrint(fmax(-30000, fmin(30000, out * level)));
    }
}
