#include "io/workers.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io/sys.h"
#include "io/thread.h"

enum { QUEUE_SLOTS = 512, DATAGRAM_MAX = 2048 };

#define SLACK WZP_MS /* held acknowledgements end it, pacing: nothing that one could hear */

typedef struct handed {
    wzp_quic_path path;
    uint8_t ecn;
    uint16_t len;
    uint8_t data[DATAGRAM_MAX];
} handed;

/* What other workers got for this one. */
typedef struct queue {
    uv_mutex_t lock; /* guards what follows, but for `waiting`, which is written under it */
    bool open;       /* its worker can be woken */
    handed *slots;
    size_t first;
    atomic_size_t waiting;
} queue;

/* A worker's core as its drive sees it: what comes in goes through here. */
typedef struct door {
    wzp_workers *all;
    unsigned number;
    wzp_core core;
    wzp_udp *udp;
    wzp_steer *steer;
    queue in;
    handed taken;          /* the one that is being read */
    wzp_io_thread *thread; /* NULL: worker 0 */
    bool has_queue;

    /* Written by its own thread. */
    atomic_uint_least64_t handed_over, dropped, peeked, held, steer_dropped;
    atomic_uint_least64_t receive_dropped, send_dropped;
} door;

struct wzp_workers {
    wzp_workers_cfg cfg;
    door *doors;
    bool by_kernel, running;
    wzp_drive drive;
    uv_async_t wake;
};

/* --- queues ----------------------------------------------------------------------------------- */

static void wake(door *to) {
    if (to->thread != NULL) {
        wzp_io_thread_wake(to->thread);
    } else {
        uv_async_send(&to->all->wake);
    }
}

/* False: it is lost. */
static bool push(door *to, const wzp_steer_datagram *dg) {
    queue *q = &to->in;
    bool took = false;
    uv_mutex_lock(&q->lock);
    const size_t waiting = atomic_load_explicit(&q->waiting, memory_order_relaxed);
    if (q->open && waiting < QUEUE_SLOTS && dg->payload.len <= DATAGRAM_MAX) {
        handed *h = &q->slots[(q->first + waiting) % QUEUE_SLOTS];
        h->path = dg->path;
        h->ecn = dg->ecn;
        h->len = (uint16_t)dg->payload.len;
        memcpy(h->data, dg->payload.data, dg->payload.len);
        atomic_store_explicit(&q->waiting, waiting + 1, memory_order_release);
        wake(to);
        took = true;
    }
    uv_mutex_unlock(&q->lock);
    return took;
}

static bool pop(queue *q, handed *out) {
    if (atomic_load_explicit(&q->waiting, memory_order_acquire) == 0) {
        return false;
    }
    uv_mutex_lock(&q->lock);
    const handed *h = &q->slots[q->first];
    out->path = h->path;
    out->ecn = h->ecn;
    out->len = h->len;
    memcpy(out->data, h->data, h->len);
    q->first = (q->first + 1) % QUEUE_SLOTS;
    atomic_fetch_sub_explicit(&q->waiting, 1, memory_order_release);
    uv_mutex_unlock(&q->lock);
    return true;
}

static void set_open(queue *q, bool open) {
    uv_mutex_lock(&q->lock);
    q->open = open;
    uv_mutex_unlock(&q->lock);
}

/* --- the door --------------------------------------------------------------------------------- */

static void add(atomic_uint_least64_t *counter, uint64_t n) {
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void publish(door *d) {
    wzp_steer_counters c;
    wzp_steer_count(d->steer, &c);
    atomic_store_explicit(&d->peeked, c.peeked, memory_order_relaxed);
    atomic_store_explicit(&d->held, c.held, memory_order_relaxed);
    atomic_store_explicit(&d->steer_dropped, c.dropped, memory_order_relaxed);
}

static void door_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    door *d = self;
    const wzp_steer_datagram in = {*path, ecn, payload};
    wzp_steer_datagram out[WZP_STEER_FLOW_PACKETS];
    unsigned worker = 0;
    const size_t n = wzp_steer_take(d->steer, &in, now, &worker, out);
    for (size_t i = 0; i < n; i++) {
        if (worker == d->number) {
            d->core.ops->recv(d->core.self, &out[i].path, out[i].ecn, out[i].payload, now);
        } else {
            add(&d->handed_over, 1);
            add(&d->dropped, push(&d->all->doors[worker], &out[i]) ? 0 : 1);
        }
    }
}

static void door_tick(void *self, wzp_time now) {
    door *d = self;
    for (int i = 0; i < QUEUE_SLOTS && pop(&d->in, &d->taken); i++) {
        d->core.ops->recv(d->core.self, &d->taken.path, d->taken.ecn,
                          wzp_bytes_of(d->taken.data, d->taken.len), now);
    }
    publish(d);
    d->core.ops->tick(d->core.self, now);
}

static wzp_time door_deadline(const void *self) {
    const door *d = self;
    return d->core.ops->deadline(d->core.self);
}

static size_t door_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    door *d = self;
    return d->core.ops->next_packet(d->core.self, now, buf, cap, meta);
}

static void publish_udp(door *d) {
    wzp_udp_counters c;
    wzp_udp_count(d->udp, &c);
    atomic_store_explicit(&d->receive_dropped, c.dropped_kernel + c.dropped_truncated,
                          memory_order_relaxed);
    atomic_store_explicit(&d->send_dropped,
                          c.dropped_unreachable + c.dropped_denied + c.dropped_other,
                          memory_order_relaxed);
}

static void door_after(void *ctx, wzp_time now) {
    door *d = ctx;
    publish_udp(d);
    if (d->all->cfg.after != NULL) {
        d->all->cfg.after(d->all->cfg.ctx, d->number, now);
    }
}

static wzp_core door_core(door *d) {
    static const wzp_core_ops ops = {door_recv, door_tick, door_deadline, door_next_packet};
    return (wzp_core){d, &ops};
}

/* --- sockets ---------------------------------------------------------------------------------- */

/* The socket with the number that steer.c would say: the first byte of the connection id modulo the
 * number of workers.  It follows the flags of a short header, and flags, version and its own length
 * in a long one.  What is shorter goes to worker 0. */
static bool steer_in_kernel(const wzp_udp *udp, unsigned workers) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x80, 0, 2),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6), BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 1), BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    const struct sock_fprog program = {sizeof code / sizeof code[0], code};
    return setsockopt(wzp_udp_fd(udp), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
                      sizeof program) == 0;
}

/* Sockets of another process that shares its address would take half of our packets. */
static wzp_err find_address(wzp_addr *local) {
    wzp_udp *alone = NULL;
    const wzp_err err = wzp_udp_open(&alone, local, true);
    if (err == WZP_OK) {
        *local = wzp_udp_local(alone);
        wzp_udp_close(&alone);
    }
    return err;
}

static wzp_err open_door(wzp_workers *w, unsigned number, const wzp_addr *local) {
    door *d = &w->doors[number];
    const wzp_steer_cfg steer = {w->cfg.count, number, w->cfg.worker_of, w->cfg.ctx};
    const wzp_udp_cfg udp = {.local = *local, .plain = w->cfg.plain, .shared = w->cfg.count > 1};
    d->all = w;
    d->number = number;
    d->in.slots = calloc(QUEUE_SLOTS, sizeof *d->in.slots);
    if (d->in.slots == NULL || uv_mutex_init(&d->in.lock) != 0) {
        return WZP_ERR_NOMEM;
    }
    d->has_queue = true;
    const wzp_err err = wzp_steer_new(&d->steer, &steer);
    return err != WZP_OK ? err : wzp_udp_new(&d->udp, &udp);
}

wzp_err wzp_workers_new(wzp_workers **out, const wzp_workers_cfg *cfg) {
    wzp_addr local = cfg->local;
    if (cfg->count == 0 || cfg->count > WZP_STEER_WORKERS_MAX) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_workers *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return WZP_ERR_NOMEM;
    }
    w->cfg = *cfg;
    w->doors = calloc(cfg->count, sizeof *w->doors);
    wzp_err err = w->doors == NULL ? WZP_ERR_NOMEM : cfg->count > 1 ? find_address(&local) : WZP_OK;
    for (unsigned i = 0; i < cfg->count && err == WZP_OK; i++) {
        err = open_door(w, i, &local);
    }
    if (err != WZP_OK) {
        const int why = errno;
        wzp_workers_free(&w);
        errno = why;
        return err;
    }
    w->by_kernel =
        cfg->count > 1 && !cfg->no_kernel && steer_in_kernel(w->doors[0].udp, cfg->count);
    *out = w;
    return WZP_OK;
}

void wzp_workers_set_tap(wzp_workers *w, unsigned worker, wzp_udp_tap *tap, void *ctx) {
    wzp_udp_set_tap(w->doors[worker].udp, tap, ctx);
}

/* --- threads ---------------------------------------------------------------------------------- */

static void on_wake(uv_async_t *handle) {
    wzp_workers *w = handle->data;
    wzp_drive_kick(&w->drive);
}

static wzp_err start_thread(door *d) {
    const wzp_io_thread_cfg cfg = {
        .core = door_core(d), .udp = d->udp, .after = door_after, .ctx = d, .slack = SLACK};
    wzp_io_thread *thread = NULL;
    const wzp_err err = wzp_io_thread_start(&thread, &cfg);
    if (err == WZP_OK) {
        d->thread = thread; /* nobody looks before its queue is open */
        set_open(&d->in, true);
    }
    return err;
}

wzp_err wzp_workers_start(wzp_workers *w, uv_loop_t *loop, const wzp_core *cores) {
    for (unsigned i = 0; i < w->cfg.count; i++) {
        w->doors[i].core = cores[i];
    }
    if (uv_async_init(loop, &w->wake, on_wake) != 0) {
        return WZP_ERR_IO;
    }
    w->wake.data = w;
    w->running = true;
    w->drive = (wzp_drive){.core = w->cfg.count > 1 ? door_core(&w->doors[0]) : cores[0],
                           .udp = w->doors[0].udp,
                           .after = door_after,
                           .ctx = &w->doors[0],
                           .slack = SLACK};
    set_open(&w->doors[0].in, true);
    wzp_err err = WZP_OK;
    for (unsigned i = 1; i < w->cfg.count && err == WZP_OK; i++) {
        err = start_thread(&w->doors[i]);
    }
    err = err == WZP_OK ? wzp_drive_start(&w->drive, loop) : err;
    if (err != WZP_OK) {
        wzp_workers_stop(w);
    }
    return err;
}

void wzp_workers_call(wzp_workers *w, unsigned worker, void (*call)(void *ctx, wzp_time now),
                      void *ctx) {
    if (worker == 0) {
        call(ctx, wzp_io_now());
        wzp_drive_kick(&w->drive);
    } else {
        wzp_io_thread_call(w->doors[worker].thread, call, ctx);
    }
}

/* First nobody hands over any more, then the threads end. */
void wzp_workers_stop(wzp_workers *w) {
    if (!w->running) {
        return;
    }
    w->running = false;
    for (unsigned i = 0; i < w->cfg.count; i++) {
        set_open(&w->doors[i].in, false);
    }
    for (unsigned i = 1; i < w->cfg.count; i++) {
        wzp_io_thread_stop(&w->doors[i].thread);
    }
    wzp_drive_stop(&w->drive);
    uv_close((uv_handle_t *)&w->wake, NULL);
}

void wzp_workers_free(wzp_workers **workers) {
    wzp_workers *w = *workers;
    if (w == NULL) {
        return;
    }
    for (unsigned i = 0; i < w->cfg.count && w->doors != NULL; i++) {
        door *d = &w->doors[i];
        wzp_udp_close(&d->udp);
        wzp_steer_free(&d->steer);
        if (d->has_queue) {
            uv_mutex_destroy(&d->in.lock);
        }
        free(d->in.slots);
    }
    free(w->doors);
    free(w);
    *workers = NULL;
}

/* --- what is known ---------------------------------------------------------------------------- */

wzp_drive *wzp_workers_drive(wzp_workers *w, unsigned worker) {
    return worker == 0 ? &w->drive : wzp_io_thread_drive(w->doors[worker].thread);
}

uv_loop_t *wzp_workers_loop(wzp_workers *w, unsigned worker) {
    return worker == 0 ? w->wake.loop : wzp_io_thread_loop(w->doors[worker].thread);
}

wzp_addr wzp_workers_local(const wzp_workers *w) {
    return wzp_udp_local(w->doors[0].udp);
}

wzp_udp_features wzp_workers_describe(const wzp_workers *w) {
    return wzp_udp_describe(w->doors[0].udp);
}

bool wzp_workers_by_kernel(const wzp_workers *w) {
    return w->by_kernel;
}

void wzp_workers_count(const wzp_workers *w, wzp_workers_counters *out) {
    *out = (wzp_workers_counters){0};
    for (unsigned i = 0; i < w->cfg.count; i++) {
        const door *d = &w->doors[i];
        out->receive_dropped += atomic_load_explicit(&d->receive_dropped, memory_order_relaxed);
        out->send_dropped += atomic_load_explicit(&d->send_dropped, memory_order_relaxed);
        out->handed_over += atomic_load_explicit(&d->handed_over, memory_order_relaxed);
        out->dropped += atomic_load_explicit(&d->dropped, memory_order_relaxed);
        out->steer.peeked += atomic_load_explicit(&d->peeked, memory_order_relaxed);
        out->steer.held += atomic_load_explicit(&d->held, memory_order_relaxed);
        out->steer.dropped += atomic_load_explicit(&d->steer_dropped, memory_order_relaxed);
    }
}
