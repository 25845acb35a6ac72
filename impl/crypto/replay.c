#include "crypto/replay.h"

#include <assert.h>
#include <string.h>

#include "wire/media.h"

uint16_t wzp_replay_size_of(uint8_t media_type) {
    static const uint16_t sizes[WZP_MEDIA_TYPE_COUNT] = {64, 1024, 256, 32};
    return media_type < WZP_MEDIA_TYPE_COUNT ? sizes[media_type] : WZP_REPLAY_MAX;
}

bool wzp_replay_size_ok(uint64_t size) {
    return size >= 32 && size <= WZP_REPLAY_MAX && (size & (size - 1)) == 0;
}

void wzp_replay_init(wzp_replay *window, uint16_t size) {
    assert(wzp_replay_size_ok(size));
    *window = (wzp_replay){.size = size};
}

static uint32_t slot_of(const wzp_replay *window, uint32_t seq) {
    return seq & (window->size - 1U);
}

static bool was_seen(const wzp_replay *window, uint32_t seq) {
    const uint32_t slot = slot_of(window, seq);
    return (window->seen[slot / 64] >> (slot % 64) & 1) != 0;
}

static void mark(wzp_replay *window, uint32_t seq) {
    const uint32_t slot = slot_of(window, seq);
    window->seen[slot / 64] |= UINT64_C(1) << (slot % 64);
}

/* `seq` becomes the highest.  The slots from the old highest to it hold numbers that now leave. */
static void advance(wzp_replay *window, uint32_t seq) {
    const uint32_t ahead = seq - window->highest;
    if (ahead >= window->size) {
        memset(window->seen, 0, sizeof window->seen);
    } else {
        for (uint32_t i = 0; i < ahead; i++) {
            const uint32_t slot = slot_of(window, seq - i);
            window->seen[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
        }
    }
    window->highest = seq;
}

bool wzp_replay_accept(wzp_replay *window, uint32_t seq) {
    const uint32_t behind = window->highest - seq; /* modulo 2^32, like all of this */
    if (!window->started) {
        window->started = true;
        window->highest = seq;
    } else if (wzp_seq_newer(seq, window->highest)) {
        advance(window, seq);
    } else if (behind >= window->size || was_seen(window, seq)) {
        return false;
    }
    mark(window, seq);
    return true;
}
