#include "sim/engine/engine.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

/* What the heap moves about is small: when, and in which order it was left.  What is to be done
 * lies still in a slot.  Order and slot share a word: no two orders are the same, so that comparing
 * the word compares the order.  It does not overflow, for there are never more orders than
 * WZP_SIM_EVENTS_MAX + WZP_SIM_QUEUE_MAX == 2^(64 - SLOT_BITS). */
#define SLOT_BITS 24
#define SLOT_MASK (WZP_SIM_QUEUE_MAX - 1)

#define ARITY 4
#define NO_SLOT UINT32_MAX

typedef struct entry {
    wzp_time at;
    uint64_t order_slot;
} entry;

typedef struct slot {
    wzp_sim_task *task;
    void *self;
    union {
        void *arg;
        uint32_t next_free; /* while the slot is on the free list */
    };
} slot;

/* count <= cap <= max_queue.  Slots below `slots_used` are in the heap or on the free list. */
struct wzp_sim_engine {
    wzp_time now;
    entry *heap;
    slot *slots;
    size_t count, cap, max_queue;
    uint32_t free_slot, slots_used;
    uint64_t order, events, max_events;
    uint64_t seed;
    bool asked, lost;
};

static bool before(const entry *a, const entry *b) {
    return a->at < b->at || (a->at == b->at && a->order_slot < b->order_slot);
}

/* --- heap ------------------------------------------------------------------------------------- */

static void sift_up(entry *heap, size_t at, entry moving) {
    while (at > 0) {
        const size_t parent = (at - 1) / ARITY;
        if (!before(&moving, &heap[parent])) {
            break;
        }
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = moving;
}

static size_t first_child(const entry *heap, size_t count, size_t parent) {
    const size_t begin = parent * ARITY + 1;
    const size_t end = begin + ARITY < count ? begin + ARITY : count;
    size_t first = begin;
    for (size_t i = begin + 1; i < end; i++) {
        first = before(&heap[i], &heap[first]) ? i : first;
    }
    return first;
}

static void sift_down(entry *heap, size_t count, entry moving) {
    size_t at = 0;
    while (at * ARITY + 1 < count) {
        const size_t child = first_child(heap, count, at);
        if (!before(&heap[child], &moving)) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moving;
}

/* --- slots ------------------------------------------------------------------------------------ */

static bool grow(wzp_sim_engine *engine) {
    const size_t doubled = engine->cap == 0 ? 256 : engine->cap * 2;
    const size_t cap = doubled < engine->max_queue ? doubled : engine->max_queue;
    if (cap == engine->cap) {
        return false;
    }
    entry *heap = realloc(engine->heap, cap * sizeof *heap);
    if (heap == NULL) {
        return false;
    }
    engine->heap = heap;
    slot *slots = realloc(engine->slots, cap * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    engine->slots = slots;
    engine->cap = cap;
    return true;
}

static uint32_t take_slot(wzp_sim_engine *engine) {
    if (engine->free_slot != NO_SLOT) {
        const uint32_t index = engine->free_slot;
        engine->free_slot = engine->slots[index].next_free;
        return index;
    }
    return engine->slots_used++;
}

static void give_slot(wzp_sim_engine *engine, uint32_t index) {
    engine->slots[index].next_free = engine->free_slot;
    engine->free_slot = index;
}

/* --- clock ------------------------------------------------------------------------------------ */

static wzp_time now(const void *self) {
    const wzp_sim_engine *engine = self;
    return engine->now;
}

static void leave(void *self, wzp_time at, wzp_sim_task *task, void *task_self, void *task_arg) {
    wzp_sim_engine *engine = self;
    assert(task != NULL);
    if (at == WZP_TIME_NEVER) {
        return;
    }
    if (engine->count == engine->cap && !grow(engine)) {
        engine->lost = true;
        return;
    }
    const uint32_t index = take_slot(engine);
    engine->slots[index] = (slot){.task = task, .self = task_self, .arg = task_arg};
    const entry moving = {
        .at = at > engine->now ? at : engine->now,
        .order_slot = engine->order++ << SLOT_BITS | index,
    };
    sift_up(engine->heap, engine->count++, moving);
}

static const wzp_sim_clock_ops clock_ops = {.now = now, .at = leave};

wzp_sim_clock wzp_sim_engine_clock(wzp_sim_engine *engine) {
    return (wzp_sim_clock){.ops = &clock_ops, .self = engine, .seed = engine->seed};
}

/* --- engine ----------------------------------------------------------------------------------- */

static uint64_t limit(uint64_t asked, uint64_t most) {
    return asked == 0 || asked > most ? most : asked;
}

wzp_err wzp_sim_engine_new(wzp_sim_engine **out, const wzp_sim_engine_cfg *cfg) {
    wzp_sim_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) {
        return WZP_ERR_NOMEM;
    }
    engine->seed = cfg->seed;
    engine->now = cfg->start == 0 ? WZP_S : cfg->start;
    engine->max_events = limit(cfg->max_events, WZP_SIM_EVENTS_MAX);
    engine->max_queue = (size_t)limit(cfg->max_queue, WZP_SIM_QUEUE_MAX);
    engine->free_slot = NO_SLOT;
    *out = engine;
    return WZP_OK;
}

void wzp_sim_engine_free(wzp_sim_engine **engine) {
    if (*engine != NULL) {
        free((*engine)->heap);
        free((*engine)->slots);
        free(*engine);
        *engine = NULL;
    }
}

static void run_first(wzp_sim_engine *engine) {
    const entry first = engine->heap[0];
    engine->count--;
    if (engine->count > 0) {
        sift_down(engine->heap, engine->count, engine->heap[engine->count]);
    }
    const uint32_t index = (uint32_t)(first.order_slot & SLOT_MASK);
    const slot what = engine->slots[index];
    give_slot(engine, index);
    engine->now = first.at;
    engine->events++;
    what.task(what.self, what.arg, first.at);
}

wzp_sim_stop wzp_sim_engine_run(wzp_sim_engine *engine, wzp_time until) {
    while (!engine->asked) {
        if (engine->lost) {
            return WZP_SIM_STOP_QUEUE;
        }
        if (engine->count == 0) {
            return WZP_SIM_STOP_IDLE;
        }
        if (engine->heap[0].at > until) {
            engine->now = until > engine->now ? until : engine->now;
            return WZP_SIM_STOP_TIME;
        }
        if (engine->events == engine->max_events) {
            return WZP_SIM_STOP_EVENTS;
        }
        run_first(engine);
    }
    engine->asked = false;
    return WZP_SIM_STOP_ASKED;
}

void wzp_sim_engine_stop(wzp_sim_engine *engine) {
    engine->asked = true;
}

uint64_t wzp_sim_engine_events(const wzp_sim_engine *engine) {
    return engine->events;
}

wzp_time wzp_sim_engine_deadline(const wzp_sim_engine *engine) {
    return engine->count == 0 ? WZP_TIME_NEVER : engine->heap[0].at;
}
