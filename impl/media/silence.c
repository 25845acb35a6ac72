#include "media/silence.h"

/* The mean square against the square of the threshold, in integers: the same verdict as that of
 * the root in doubles, since the two squares differ by at least one in `samples`. */
static int is_silent(const int16_t *pcm, size_t samples) {
    uint64_t sum = 0;
    for (size_t i = 0; i < samples; i++) {
        sum += (uint64_t)((int64_t)pcm[i] * pcm[i]);
    }
    return sum < (uint64_t)WZP_SILENCE_RMS * WZP_SILENCE_RMS * samples;
}

wzp_silence_act wzp_silence_step(wzp_silence *s, const int16_t *pcm, size_t samples) {
    if (!is_silent(pcm, samples)) {
        *s = (wzp_silence){0, 0};
        return WZP_SILENCE_SEND;
    }
    s->silent += s->silent < UINT32_MAX ? 1 : 0;
    if (s->silent <= WZP_SILENCE_HANGOVER) {
        return WZP_SILENCE_SEND;
    }
    s->suppressed = (s->suppressed + 1) % WZP_SILENCE_NOISE_EVERY;
    return s->suppressed == 0 ? WZP_SILENCE_NOISE : WZP_SILENCE_HUSH;
}

uint8_t wzp_noise_level(const uint8_t *payload, size_t len) {
    if (len == 0) {
        return WZP_NOISE_LEVEL;
    }
    return payload[0] < WZP_NOISE_LEVEL_MAX ? payload[0] : WZP_NOISE_LEVEL_MAX;
}

void wzp_noise_fill(wzp_prng *prng, uint8_t level, int16_t *pcm, size_t samples) {
    const wzp_rng rng = wzp_prng_rng(prng);
    for (size_t i = 0; i < samples; i++) {
        pcm[i] = (int16_t)((int)wzp_rng_below(rng, 2 * (uint64_t)level + 1) - level);
    }
}
