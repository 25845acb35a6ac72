#include "relay/timers.h"

#include <assert.h>
#include <stdlib.h>

enum { CAP_MIN = 64 };

wzp_err wzp_timers_reserve(wzp_timers *timers, size_t count) {
    size_t cap = timers->cap != 0 ? timers->cap : CAP_MIN;
    while (cap < count) {
        cap *= 2;
    }
    if (cap == timers->cap) {
        return WZP_OK;
    }
    wzp_timer **heap = realloc(timers->heap, cap * sizeof(wzp_timer *));
    if (heap == NULL) {
        return WZP_ERR_NOMEM;
    }
    timers->heap = heap;
    timers->cap = cap;
    return WZP_OK;
}

void wzp_timers_clear(wzp_timers *timers) {
    free(timers->heap);
    *timers = (wzp_timers){0};
}

static bool before(const wzp_timer *a, const wzp_timer *b) {
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void place(wzp_timers *timers, size_t at, wzp_timer *timer) {
    timers->heap[at] = timer;
    timer->place = at;
}

static void sift_up(wzp_timers *timers, size_t at, wzp_timer *timer) {
    while (at > 0 && before(timer, timers->heap[(at - 1) / 2])) {
        place(timers, at, timers->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(timers, at, timer);
}

static void sift_down(wzp_timers *timers, size_t at, wzp_timer *timer) {
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < timers->len && before(timers->heap[child + 1], timers->heap[child])) {
            child++;
        }
        if (child >= timers->len || before(timer, timers->heap[child])) {
            break;
        }
        place(timers, at, timers->heap[child]);
        at = child;
    }
    place(timers, at, timer);
}

/* `timer` goes to the hole at `at`, or from there to where it belongs. */
static void settle(wzp_timers *timers, size_t at, wzp_timer *timer) {
    if (at > 0 && before(timer, timers->heap[(at - 1) / 2])) {
        sift_up(timers, at, timer);
    } else {
        sift_down(timers, at, timer);
    }
}

static void remove_timer(wzp_timers *timers, const wzp_timer *timer) {
    const size_t hole = timer->place;
    wzp_timer *last = timers->heap[--timers->len];
    if (last != timer) {
        settle(timers, hole, last);
    }
}

void wzp_timers_set(wzp_timers *timers, wzp_timer *timer, wzp_time at) {
    const bool was_set = timer->at != WZP_TIME_NEVER;
    if (at == WZP_TIME_NEVER) {
        if (was_set) {
            remove_timer(timers, timer);
        }
        timer->at = at;
        return;
    }
    timer->at = at;
    timer->order = timers->next_order++;
    if (was_set) {
        settle(timers, timer->place, timer);
    } else {
        assert(timers->len < timers->cap);
        sift_up(timers, timers->len++, timer);
    }
}

wzp_timer *wzp_timers_first(const wzp_timers *timers) {
    return timers->len > 0 ? timers->heap[0] : NULL;
}
