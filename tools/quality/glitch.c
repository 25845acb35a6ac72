#include "tools/quality/glitch.h"

#include <stdbool.h>

#include "base/bytes.h"

enum { MS = 48, LEAST = 5 * MS, CLIP_RUN = 3, AUDIBLE = 30 };

/* Somebody can be heard in at least some of it. */
static bool sounds(const int16_t *pcm, size_t len) {
    uint64_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum += (uint64_t)((int64_t)pcm[i] * pcm[i]);
    }
    return sum > (uint64_t)AUDIBLE * AUDIBLE * len;
}

static void add_run(uint32_t *count, uint64_t *samples, size_t run) {
    (*count)++;
    *samples += run;
}

static uint32_t to_ms(uint64_t samples) {
    return (uint32_t)((samples + MS / 2) / MS);
}

static void count_dropouts(wzp_glitches *out, const int16_t *a, const int16_t *b, size_t len) {
    uint64_t samples = 0;
    size_t run = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && b[i] == 0) {
            run++;
            continue;
        }
        if (run >= LEAST && sounds(a + i - run, run)) {
            add_run(&out->dropouts, &samples, run);
        }
        run = 0;
    }
    out->dropout_ms = to_ms(samples);
}

/* A run of samples that are those of `back` before, as the reference's there are not all. */
typedef struct echo {
    size_t back, run, own; /* own: samples of it in which the reference repeats itself as well */
} echo;

static bool is_repeat(const echo *e, const int16_t *b, size_t end) {
    return e->run >= LEAST && e->own < e->run && sounds(b + end - e->run, e->run);
}

static void count_repeats(wzp_glitches *out, const int16_t *a, const int16_t *b, size_t len) {
    /* 10, 20, 40 and 60 ms */
    echo echoes[] = {{.back = 480}, {.back = 960}, {.back = 1920}, {.back = 2880}};
    uint64_t samples = 0;
    size_t counted = 0; /* the end of the last: one repeat may be one by several distances */
    for (size_t i = 0; i <= len; i++) {
        for (size_t k = 0; k < WZP_COUNT_OF(echoes); k++) {
            echo *e = &echoes[k];
            if (i < len && i >= e->back && b[i] == b[i - e->back]) {
                e->run++;
                e->own += a[i] == a[i - e->back] ? 1 : 0;
                continue;
            }
            if (is_repeat(e, b, i) && i - e->run >= counted) {
                add_run(&out->repeats, &samples, e->run);
                counted = i;
            }
            e->run = e->own = 0;
        }
    }
    out->repeat_ms = to_ms(samples);
}

static bool is_full(int16_t sample) {
    return sample >= INT16_MAX || sample <= INT16_MIN + 1;
}

static uint32_t clipped_in(const int16_t *pcm, size_t len) {
    uint32_t sum = 0;
    uint32_t run = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && is_full(pcm[i]) && (run == 0 || (pcm[i] > 0) == (pcm[i - 1] > 0))) {
            run++;
            continue;
        }
        sum += run >= CLIP_RUN ? run : 0;
        run = i < len && is_full(pcm[i]) ? 1 : 0;
    }
    return sum;
}

void wzp_glitch_count(wzp_glitches *out, const int16_t *reference, const int16_t *degraded,
                      size_t len) {
    const uint32_t own = clipped_in(reference, len);
    const uint32_t all = clipped_in(degraded, len);
    *out = (wzp_glitches){.clipped = all > own ? all - own : 0};
    count_dropouts(out, reference, degraded, len);
    count_repeats(out, reference, degraded, len);
}
