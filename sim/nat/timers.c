#include "sim/nat/timers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BRANCHES = 4 };

void wzp_sim_nat_timers_clear(wzp_sim_nat_timers *timers) {
    free(timers->heap);
    free(timers->place);
    *timers = (wzp_sim_nat_timers){0};
}

size_t wzp_sim_nat_timers_bytes(const wzp_sim_nat_timers *timers) {
    return timers->cap * (sizeof *timers->heap + sizeof *timers->place);
}

bool wzp_sim_nat_timers_reserve(wzp_sim_nat_timers *timers, uint32_t cap) {
    if (cap <= timers->cap) {
        return true;
    }
    wzp_sim_nat_timer *heap = realloc(timers->heap, cap * sizeof *heap);
    if (heap == NULL) {
        return false;
    }
    timers->heap = heap;
    uint32_t *place = realloc(timers->place, cap * sizeof *place);
    if (place == NULL) {
        return false;
    }
    memset(place + timers->cap, 0, (cap - timers->cap) * sizeof *place);
    timers->place = place;
    timers->cap = cap;
    return true;
}

static bool is_before(const wzp_sim_nat_timer *a, const wzp_sim_nat_timer *b) {
    return a->at != b->at ? a->at < b->at : a->of < b->of;
}

static void put(wzp_sim_nat_timers *timers, uint32_t i, wzp_sim_nat_timer timer) {
    timers->heap[i] = timer;
    timers->place[timer.of - 1] = i + 1;
}

/* Moves holes up and down until `timer` fits. */
static void settle(wzp_sim_nat_timers *timers, uint32_t i, wzp_sim_nat_timer timer) {
    while (i > 0 && is_before(&timer, &timers->heap[(i - 1) / BRANCHES])) {
        put(timers, i, timers->heap[(i - 1) / BRANCHES]);
        i = (i - 1) / BRANCHES;
    }
    for (;;) {
        uint32_t least = i;
        const uint32_t first = i * BRANCHES + 1;
        for (uint32_t k = first; k < first + BRANCHES && k < timers->count; k++) {
            const wzp_sim_nat_timer *so_far = least == i ? &timer : &timers->heap[least];
            least = is_before(&timers->heap[k], so_far) ? k : least;
        }
        if (least == i) {
            break;
        }
        put(timers, i, timers->heap[least]);
        i = least;
    }
    put(timers, i, timer);
}

void wzp_sim_nat_timers_set(wzp_sim_nat_timers *timers, uint32_t of, wzp_time at) {
    assert(of > 0 && of <= timers->cap);
    uint32_t place = timers->place[of - 1];
    if (place == 0) {
        place = ++timers->count;
    }
    settle(timers, place - 1, (wzp_sim_nat_timer){at, of});
}

void wzp_sim_nat_timers_cut(wzp_sim_nat_timers *timers, uint32_t of) {
    const uint32_t place = timers->place[of - 1];
    assert(place > 0);
    timers->place[of - 1] = 0;
    const wzp_sim_nat_timer last = timers->heap[--timers->count];
    if (last.of != of) {
        settle(timers, place - 1, last);
    }
}
