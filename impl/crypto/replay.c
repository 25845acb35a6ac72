#include "crypto/replay.h"

#include <assert.h>

#include "wire/registry.h"

uint16_t wzp_replay_size_of(uint8_t media_type) {
    static const uint16_t sizes[WZP_MEDIA_TYPE_COUNT] = {64, 1024, 256, 32};
    return media_type < WZP_MEDIA_TYPE_COUNT ? sizes[media_type] : WZP_REPLAY_MAX;
}

void wzp_replay_init(wzp_replay *window, uint16_t size) {
    assert(size >= 32 && size <= WZP_REPLAY_MAX && (size & (size - 1)) == 0);
    *window = (wzp_replay){.size = size};
}

static void set(wzp_replay *window, uint32_t seq, bool value) {
    const uint32_t bit = seq & (window->size - 1U);
    const uint64_t mask = UINT64_C(1) << (bit % 64);
    if (value) {
        window->seen[bit / 64] |= mask;
    } else {
        window->seen[bit / 64] &= ~mask;
    }
}

static bool get(const wzp_replay *window, uint32_t seq) {
    const uint32_t bit = seq & (window->size - 1U);
    return (window->seen[bit / 64] >> (bit % 64) & 1) != 0;
}

bool wzp_replay_accept(wzp_replay *window, uint32_t seq) {
    const uint32_t ahead = seq - window->highest;
    const uint32_t behind = window->highest - seq;
    if (!window->started) {
        window->started = true;
        window->highest = seq;
    } else if (ahead != 0 && ahead < UINT32_C(0x80000000)) {
        /* The slots between the old and the new highest leave the window. */
        const uint32_t cleared = ahead < window->size ? ahead : window->size;
        for (uint32_t i = 0; i < cleared; i++) {
            set(window, seq - i, false);
        }
        window->highest = seq;
    } else if (behind >= window->size || get(window, seq)) {
        return false;
    }
    set(window, seq, true);
    return true;
}
