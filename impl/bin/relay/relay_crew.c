#include "bin/relay/relay_crew.h"

#include <stdio.h>
#include <stdlib.h>

#include "bin/relay/metrics_sum.h"
#include "federation/names.h"
#include "io/sys.h"

enum { PAGE_CAP = 256 * 1024 };

typedef struct member {
    wzp_relay *relay;
    atomic_bool is_drained; /* written by its own thread */
} member;

struct wzp_relay_crew {
    unsigned count;
    member members[WZP_STEER_WORKERS_MAX];
    wzp_relay_shared shared;
    wzp_fed_names *bridged; /* NULL: nothing is */
    wzp_workers *workers;
    uv_mutex_t events; /* held while on_event is called */
    void (*on_event)(void *ctx, const wzp_relay_event *event);
    void (*after)(void *ctx, unsigned worker, wzp_time now);
    void *ctx;
};

/* --- turns ------------------------------------------------------------------------------------ */

/* The lock is taken only when something has happened. */
static void take_events(wzp_relay_crew *c, member *m) {
    wzp_relay_event event;
    while (wzp_relay_next_event(m->relay, &event)) {
        uv_mutex_lock(&c->events);
        if (c->on_event != NULL) {
            c->on_event(c->ctx, &event);
        }
        uv_mutex_unlock(&c->events);
    }
}

static void on_turn(void *ctx, unsigned worker, wzp_time now) {
    wzp_relay_crew *c = ctx;
    member *m = &c->members[worker];
    take_events(c, m);
    atomic_store_explicit(&m->is_drained, wzp_relay_is_drained(m->relay), memory_order_relaxed);
    if (c->after != NULL) {
        c->after(c->ctx, worker, now);
    }
}

/* What is bridged is with the links, which worker 0 has: a packet from a peer then passes between
 * no threads, and no room is known at two of them. */
static unsigned worker_of(void *ctx, const char *sni, unsigned workers) {
    const wzp_relay_crew *c = ctx;
    return wzp_fed_names_has(c->bridged, sni) ? 0 : wzp_relay_worker_of(sni, workers);
}

/* --- life ------------------------------------------------------------------------------------- */

wzp_err wzp_relay_crew_new(wzp_relay_crew **out, const wzp_relay_cfg *cfg, unsigned count,
                           void (*on_event)(void *ctx, const wzp_relay_event *event),
                           void (*after)(void *ctx, unsigned worker, wzp_time now), void *ctx,
                           void *const *traces) {
    wzp_relay_crew *c = calloc(1, sizeof *c);
    if (c == NULL || uv_mutex_init(&c->events) != 0) {
        free(c);
        return WZP_ERR_NOMEM;
    }
    c->on_event = on_event;
    c->after = after;
    c->ctx = ctx;
    const wzp_federation_cfg *fed = cfg->federation;
    wzp_err err =
        fed != NULL ? wzp_fed_names_new(&c->bridged, fed->rooms, fed->room_count) : WZP_OK;
    for (unsigned i = 0; i < count && err == WZP_OK; i++) {
        wzp_relay_cfg own = *cfg;
        own.workers = count;
        own.worker = i;
        own.shared = &c->shared;
        own.federation = i == 0 ? fed : NULL;
        own.probe_count = i == 0 ? cfg->probe_count : 0;
        if (traces != NULL) {
            own.keylog_ctx = own.qlog_ctx = traces[i];
        }
        err = wzp_relay_new(&c->members[i].relay, &own, wzp_io_now());
        c->count += err == WZP_OK ? 1 : 0;
    }
    if (err != WZP_OK) {
        wzp_relay_crew_free(&c);
        return err;
    }
    *out = c;
    return WZP_OK;
}

void wzp_relay_crew_free(wzp_relay_crew **crew) {
    wzp_relay_crew *c = *crew;
    if (c == NULL) {
        return;
    }
    for (unsigned i = 0; i < c->count; i++) {
        wzp_relay_free(&c->members[i].relay);
    }
    wzp_workers_free(&c->workers);
    wzp_fed_names_free(&c->bridged);
    uv_mutex_destroy(&c->events);
    free(c);
    *crew = NULL;
}

wzp_err wzp_relay_crew_listen(wzp_relay_crew *c, const wzp_addr *local) {
    const wzp_workers_cfg cfg = {
        .local = *local, .count = c->count, .worker_of = worker_of, .after = on_turn, .ctx = c};
    return wzp_workers_new(&c->workers, &cfg);
}

void wzp_relay_crew_capture(wzp_relay_crew *c, wzp_capture *capture) {
    for (unsigned i = 0; i < c->count; i++) {
        wzp_workers_set_tap(c->workers, i, wzp_capture_datagram, wzp_capture_lane_of(capture, i));
    }
}

wzp_err wzp_relay_crew_start(wzp_relay_crew *c, uv_loop_t *loop) {
    wzp_core cores[WZP_STEER_WORKERS_MAX];
    for (unsigned i = 0; i < c->count; i++) {
        cores[i] = wzp_relay_core(c->members[i].relay);
    }
    return wzp_workers_start(c->workers, loop, cores);
}

void wzp_relay_crew_stop(wzp_relay_crew *c) {
    if (c->workers != NULL) {
        wzp_workers_stop(c->workers);
    }
}

void wzp_relay_crew_drain_events(wzp_relay_crew *c) {
    for (unsigned i = 0; i < c->count; i++) {
        take_events(c, &c->members[i]);
    }
}

wzp_relay *wzp_relay_crew_relay(wzp_relay_crew *c, unsigned worker) {
    return c->members[worker].relay;
}

wzp_workers *wzp_relay_crew_workers(const wzp_relay_crew *c) {
    return c->workers;
}

/* --- one for all ------------------------------------------------------------------------------ */

/* What a worker is asked to do. */
typedef struct errand {
    wzp_relay *relay;
    const wzp_relay_live *live;
    const char *fingerprint;
    bool here;
    bool (*visit)(void *ctx, const char *fp);
    void *visit_ctx;
    wzp_relay_totals totals;
    wzp_wr *page;
    wzp_err err;
} errand;

static void each(wzp_relay_crew *c, void (*run)(void *ctx, wzp_time now), errand *e) {
    for (unsigned i = 0; i < c->count; i++) {
        e->relay = c->members[i].relay;
        wzp_workers_call(c->workers, i, run, e);
    }
}

static void run_change(void *ctx, wzp_time now) {
    const errand *e = ctx;
    (void)now;
    wzp_relay_change(e->relay, e->live);
}

static void run_visit(void *ctx, wzp_time now) {
    const errand *e = ctx;
    (void)now;
    wzp_relay_visit_clients(e->relay, e->visit, e->visit_ctx);
}

static void run_has(void *ctx, wzp_time now) {
    errand *e = ctx;
    (void)now;
    e->here = e->here || wzp_relay_has_client(e->relay, e->fingerprint);
}

static void run_drain(void *ctx, wzp_time now) {
    const errand *e = ctx;
    wzp_relay_drain(e->relay, now);
}

static void run_shutdown(void *ctx, wzp_time now) {
    const errand *e = ctx;
    wzp_relay_shutdown(e->relay, now);
}

static void run_count(void *ctx, wzp_time now) {
    errand *e = ctx;
    wzp_relay_totals one;
    (void)now;
    wzp_relay_count(e->relay, &one);
    e->totals.sessions += one.sessions;
    e->totals.rooms += one.rooms;
    e->totals.packets_in += one.packets_in;
    e->totals.packets_forwarded += one.packets_forwarded;
    e->totals.bytes_forwarded += one.bytes_forwarded;
    e->totals.packets_malformed += one.packets_malformed;
    e->totals.violations += one.violations;
    e->totals.policy_hangups += one.policy_hangups;
    e->totals.events_dropped += one.events_dropped;
}

static void run_metrics(void *ctx, wzp_time now) {
    errand *e = ctx;
    (void)now;
    e->err = wzp_relay_metrics(e->relay, e->page);
}

void wzp_relay_crew_call(wzp_relay_crew *c, unsigned worker, void (*call)(void *ctx, wzp_time now),
                         void *ctx) {
    wzp_workers_call(c->workers, worker, call, ctx);
}

void wzp_relay_crew_visit_clients(wzp_relay_crew *c, bool (*visit)(void *ctx, const char *fp),
                                  void *ctx) {
    errand e = {.visit = visit, .visit_ctx = ctx};
    each(c, run_visit, &e);
}

bool wzp_relay_crew_has_client(wzp_relay_crew *c, const char *fingerprint) {
    errand e = {.fingerprint = fingerprint};
    each(c, run_has, &e);
    return e.here;
}

uint32_t wzp_relay_crew_offences(const wzp_relay_crew *c) {
    return atomic_load(&c->shared.offences);
}

void wzp_relay_crew_change(wzp_relay_crew *c, const wzp_relay_live *live) {
    errand e = {.live = live};
    each(c, run_change, &e);
}

void wzp_relay_crew_drain(wzp_relay_crew *c) {
    errand e = {0};
    each(c, run_drain, &e);
}

void wzp_relay_crew_shutdown(wzp_relay_crew *c) {
    errand e = {0};
    each(c, run_shutdown, &e);
}

void wzp_relay_crew_count(wzp_relay_crew *c, wzp_relay_totals *out) {
    errand e = {0};
    each(c, run_count, &e);
    *out = e.totals;
}

bool wzp_relay_crew_is_drained(const wzp_relay_crew *c) {
    for (unsigned i = 0; i < c->count; i++) {
        if (!atomic_load_explicit(&c->members[i].is_drained, memory_order_relaxed)) {
            return false;
        }
    }
    return true;
}

/* The steering is not a relay's to count. */
static void write_workers(const wzp_relay_crew *c, wzp_wr *out) {
    wzp_workers_counters n;
    char text[1024];
    wzp_workers_count(c->workers, &n);
    (void)snprintf(text, sizeof text,
                   "# HELP wzp_relay_workers threads that forward\n"
                   "# TYPE wzp_relay_workers gauge\n"
                   "wzp_relay_workers %u\n"
                   "# HELP wzp_relay_handed_over_total datagrams that came to another worker\n"
                   "# TYPE wzp_relay_handed_over_total counter\n"
                   "wzp_relay_handed_over_total %llu\n"
                   "# HELP wzp_relay_handed_over_dropped_total of these, dropped: queue full\n"
                   "# TYPE wzp_relay_handed_over_dropped_total counter\n"
                   "wzp_relay_handed_over_dropped_total %llu\n"
                   "# HELP wzp_relay_hellos_dropped_total parts of hellos that stayed incomplete\n"
                   "# TYPE wzp_relay_hellos_dropped_total counter\n"
                   "wzp_relay_hellos_dropped_total %llu\n",
                   c->count, (unsigned long long)n.handed_over, (unsigned long long)n.dropped,
                   (unsigned long long)n.steer.dropped);
    wzp_wr_str(out, text);
}

/* Nor is the memory: the library's is one heap for all. */
static void write_heap(wzp_wr *out) {
    char text[160];
    (void)snprintf(text, sizeof text,
                   "# HELP wzp_relay_heap_bytes memory in use by all of the process\n"
                   "# TYPE wzp_relay_heap_bytes gauge\n"
                   "wzp_relay_heap_bytes %llu\n",
                   (unsigned long long)wzp_io_heap_bytes());
    wzp_wr_str(out, text);
}

static wzp_err sum_pages(wzp_relay_crew *c, wzp_wr *out) {
    wzp_bytes pages[WZP_STEER_WORKERS_MAX];
    uint8_t *text = malloc((size_t)c->count * PAGE_CAP);
    wzp_err err = text != NULL ? WZP_OK : WZP_ERR_NOMEM;
    for (unsigned i = 0; i < c->count && err == WZP_OK; i++) {
        wzp_wr page;
        wzp_wr_init(&page, text + (size_t)i * PAGE_CAP, PAGE_CAP);
        errand e = {.relay = c->members[i].relay, .page = &page};
        wzp_workers_call(c->workers, i, run_metrics, &e);
        pages[i] = wzp_bytes_of(text + (size_t)i * PAGE_CAP, wzp_wr_len(&page));
        err = e.err;
    }
    if (err == WZP_OK) {
        err = wzp_metrics_sum(pages, c->count, out);
        write_workers(c, out);
    }
    free(text);
    return err;
}

wzp_err wzp_relay_crew_metrics(wzp_relay_crew *c, wzp_wr *out) {
    const wzp_err err =
        c->count > 1 ? sum_pages(c, out) : wzp_relay_metrics(c->members[0].relay, out);
    write_heap(out);
    return err == WZP_OK ? wzp_wr_end(out) : err;
}
