/* Virtual time: one heap of things to come, packets and wake-ups, in order of time and then of
 * their making. */
#include <assert.h>
#include <stdlib.h>

#include "conformance/engine/world.h"

enum { FIRST_PORT = 40000 };

typedef struct host {
    wzp_core core;
    wzp_addr addr;
    wzp_time wake; /* the earliest wake-up that is in the heap */
    void (*after)(void *ctx, wzp_time now);
    void *ctx;
} host;

typedef struct thing {
    wzp_time at;
    uint64_t order;
    host *wake;         /* a wake-up of this host, or */
    wzp_quic_path path; /* a packet, as its receiver sees it */
    uint8_t ecn;
    uint16_t len;
    uint8_t *data;
} thing;

typedef struct virtual_world {
    wzp_ct_world world;
    wzp_time now;
    uint64_t delay, order;
    host **hosts; /* the index is in the address */
    size_t count, cap;
    thing *heap;
    size_t len, heap_cap;
    uint8_t buf[WZP_QUIC_PACKET_MAX];
} virtual_world;

static bool before(const thing *a, const thing *b) {
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(virtual_world *w, thing t) {
    if (w->len == w->heap_cap) {
        const size_t cap = w->heap_cap == 0 ? 1024 : 2 * w->heap_cap;
        thing *heap = realloc(w->heap, cap * sizeof *heap);
        if (heap == NULL) {
            free(t.data); /* lost like any packet */
            return;
        }
        w->heap = heap;
        w->heap_cap = cap;
    }
    t.order = w->order++;
    size_t i = w->len++;
    for (; i > 0 && before(&t, &w->heap[(i - 1) / 4]); i = (i - 1) / 4) {
        w->heap[i] = w->heap[(i - 1) / 4];
    }
    w->heap[i] = t;
}

static void pop(virtual_world *w, thing *first) {
    *first = w->heap[0];
    const thing last = w->heap[--w->len];
    size_t i = 0;
    for (;;) {
        size_t best = 4 * i + 1;
        if (best >= w->len) {
            break;
        }
        for (size_t c = best + 1; c < 4 * i + 5 && c < w->len; c++) {
            best = before(&w->heap[c], &w->heap[best]) ? c : best;
        }
        if (!before(&w->heap[best], &last)) {
            break;
        }
        w->heap[i] = w->heap[best];
        i = best;
    }
    if (w->len > 0) {
        w->heap[i] = last;
    }
}

static void send_run(virtual_world *w, const host *from, const wzp_quic_meta *meta, size_t len) {
    const bool known = meta->path.local.family != WZP_ADDR_NONE;
    const wzp_addr source = known ? meta->path.local : from->addr;
    for (size_t at = 0; at < len; at += meta->segment) {
        const size_t n = len - at < meta->segment ? len - at : meta->segment;
        uint8_t *copy = malloc(n);
        if (copy != NULL) {
            memcpy(copy, w->buf + at, n);
            push(w, (thing){.at = w->now + w->delay,
                            .path = {meta->path.remote, source},
                            .ecn = meta->ecn,
                            .len = (uint16_t)n,
                            .data = copy});
        }
    }
}

/* Sends what a host has to say and sees to it that it wakes in time. */
static void pump(virtual_world *w, host *h) {
    const wzp_core_ops *ops = h->core.ops;
    wzp_quic_meta meta;
    for (size_t n;
         (n = ops->next_packet(h->core.self, w->now, w->buf, sizeof w->buf, &meta)) > 0;) {
        send_run(w, h, &meta, n);
    }
    const wzp_time deadline = ops->deadline(h->core.self);
    const wzp_time wake = deadline > w->now ? deadline : w->now + WZP_US;
    if (deadline != WZP_TIME_NEVER && wake < h->wake) {
        h->wake = wake;
        push(w, (thing){.at = wake, .wake = h});
    }
}

static host *find(const virtual_world *w, const wzp_addr *addr) {
    const size_t index = (size_t)addr->ip[1] << 16 | (size_t)addr->ip[2] << 8 | addr->ip[3];
    return addr->ip[0] == 10 && index < w->count ? w->hosts[index] : NULL;
}

static void happen(virtual_world *w, thing *t) {
    host *h = t->wake;
    if (h != NULL) {
        if (h->core.self == NULL) {
            return; /* removed */
        }
        h->wake = h->wake == t->at ? WZP_TIME_NEVER : h->wake;
        if (h->core.ops->deadline(h->core.self) > w->now) {
            pump(w, h); /* it changed its mind */
            return;
        }
    } else {
        h = find(w, &t->path.local);
        if (h == NULL || h->core.self == NULL) {
            /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): each entry leaves the heap once */
            free(t->data);
            return;
        }
        h->core.ops->recv(h->core.self, &t->path, t->ecn, wzp_bytes_of(t->data, t->len), w->now);
        free(t->data);
    }
    h->core.ops->tick(h->core.self, w->now);
    if (h->after != NULL) {
        h->after(h->ctx, w->now);
    }
    if (h->core.self != NULL) {
        pump(w, h);
    }
}

static wzp_time virtual_now(const wzp_ct_world *world) {
    return ((const virtual_world *)(const void *)world)->now;
}

static host *new_host(virtual_world *w, wzp_core core) {
    if (w->count == w->cap) {
        const size_t cap = w->cap == 0 ? 64 : 2 * w->cap;
        host **hosts = realloc(w->hosts, cap * sizeof(host *));
        if (hosts == NULL) {
            return NULL;
        }
        w->hosts = hosts;
        w->cap = cap;
    }
    host *h = calloc(1, sizeof *h);
    if (h != NULL) {
        h->core = core;
        h->wake = WZP_TIME_NEVER;
        w->hosts[w->count++] = h;
    }
    return h;
}

static host *add(virtual_world *w, wzp_core core) {
    const size_t index = w->count;
    host *h = new_host(w, core);
    if (h != NULL) {
        h->addr = wzp_addr_v4(10, (uint8_t)(index >> 16), (uint8_t)(index >> 8), (uint8_t)index,
                              FIRST_PORT);
        h->wake = w->now;
        push(w, (thing){.at = w->now, .wake = h});
    }
    return h;
}

static bool virtual_add(wzp_ct_world *world, wzp_core core, const wzp_addr *target,
                        wzp_addr *locals, size_t count) {
    virtual_world *w = (virtual_world *)(void *)world;
    (void)target;
    const host *h = add(w, core);
    for (size_t i = 0; h != NULL && i < count; i++) {
        locals[i] = h->addr;
        locals[i].port = (uint16_t)(FIRST_PORT + i);
    }
    return h != NULL;
}

bool wzp_ct_world_serve(wzp_ct_world *world, wzp_core core, void (*after)(void *ctx, wzp_time now),
                        void *ctx, wzp_addr *addr) {
    host *h = add((virtual_world *)(void *)world, core);
    if (h == NULL) {
        return false;
    }
    h->after = after;
    h->ctx = ctx;
    *addr = h->addr;
    return true;
}

/* The host stays as an empty shell: packets and wake-ups may still be on their way to it. */
static void virtual_remove(wzp_ct_world *world, void *core_self) {
    virtual_world *w = (virtual_world *)(void *)world;
    for (size_t i = 0; i < w->count; i++) {
        if (w->hosts[i]->core.self == core_self) {
            w->hosts[i]->core.self = NULL;
        }
    }
}

static void virtual_step(wzp_ct_world *world, wzp_time until) {
    virtual_world *w = (virtual_world *)(void *)world;
    for (int i = 0; i < 256; i++) {
        if (w->len == 0 || w->heap[0].at > until) {
            w->now = until > w->now ? until : w->now;
            return;
        }
        thing t;
        pop(w, &t);
        w->now = t.at > w->now ? t.at : w->now;
        happen(w, &t);
    }
}

static void virtual_free(wzp_ct_world *world) {
    virtual_world *w = (virtual_world *)(void *)world;
    for (size_t i = 0; i < w->len; i++) {
        free(w->heap[i].data);
    }
    for (size_t i = 0; i < w->count; i++) {
        free(w->hosts[i]);
    }
    free(w->heap);
    free(w->hosts);
    free(w);
}

wzp_ct_world *wzp_ct_world_virtual(uint64_t delay) {
    static const wzp_ct_world_ops ops = {virtual_now, virtual_add, virtual_remove, virtual_step,
                                         virtual_free};
    virtual_world *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    w->world.ops = &ops;
    w->now = WZP_S;
    w->delay = delay;
    return &w->world;
}
