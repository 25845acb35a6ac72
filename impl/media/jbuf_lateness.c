#include "media/jbuf_lateness.h"

#include <assert.h>

#include "base/bytes.h"

enum { IGNORED = 200, IGNORED_MAX = WZP_JBUF_LATENESS_FRAMES / IGNORED }; /* one in so many */

void wzp_jbuf_lateness_clear(wzp_jbuf_lateness *l) {
    l->count = l->next = l->fresh = 0;
    l->known = false;
}

/* Keeps top[0..n), the greatest, in falling order. */
static void keep_greatest(int32_t *top, int n, int32_t value) {
    int i = n - 1;
    if (value <= top[i]) {
        return;
    }
    for (; i > 0 && top[i - 1] < value; i--) {
        top[i] = top[i - 1];
    }
    top[i] = value;
}

static void look(wzp_jbuf_lateness *l) {
    int32_t top[IGNORED_MAX + 1];
    int32_t least = INT32_MAX;
    const int n = l->count / IGNORED + 1;
    assert(n <= IGNORED_MAX + 1);
    for (size_t i = 0; i < WZP_COUNT_OF(top); i++) {
        top[i] = INT32_MIN;
    }
    for (int i = 0; i < l->count; i++) {
        least = l->us[i] < least ? l->us[i] : least;
        keep_greatest(top, n, l->us[i]);
    }
    l->floor = INT64_C(1000) * least;
    l->spread = INT64_C(1000) * top[n - 1] - l->floor;
    l->known = true;
    l->fresh = 0;
}

void wzp_jbuf_lateness_add(wzp_jbuf_lateness *l, int64_t ns) {
    assert(ns <= WZP_JBUF_LATENESS_MAX && ns >= -WZP_JBUF_LATENESS_MAX);
    l->us[l->next] = (int32_t)(ns / 1000);
    l->next = (uint16_t)((l->next + 1) % WZP_JBUF_LATENESS_FRAMES);
    if (l->count < WZP_JBUF_LATENESS_FRAMES) {
        l->count++;
    }
    l->fresh++;
    if (l->fresh >= WZP_JBUF_LATENESS_EVERY && l->count >= WZP_JBUF_LATENESS_FIRST) {
        look(l);
    }
}

int64_t wzp_jbuf_lateness_last(const wzp_jbuf_lateness *l) {
    const unsigned last = l->next + WZP_JBUF_LATENESS_FRAMES - 1U;
    return l->count > 0 ? INT64_C(1000) * l->us[last % WZP_JBUF_LATENESS_FRAMES] : 0;
}
