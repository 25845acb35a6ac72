#include "sim/lab/run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/sys.h"
#include "sim/lab/engine.h"
#include "sim/lab/world.h"

/* --- what happened ---------------------------------------------------------------------------- */

static wzp_lab_entry *new_entry(struct wzp_lab_world *w) {
    wzp_lab_result *r = &w->result;
    if (r->entry_count == WZP_LAB_ENTRIES_MAX) {
        r->entries_lost++;
        return NULL;
    }
    if (r->entry_count == w->entry_cap) {
        const size_t cap = w->entry_cap == 0 ? 256 : 2 * w->entry_cap;
        wzp_lab_entry *entries = realloc(r->entries, cap * sizeof *entries);
        if (entries == NULL) {
            r->entries_lost++;
            return NULL;
        }
        r->entries = entries;
        w->entry_cap = cap;
    }
    return &r->entries[r->entry_count++];
}

void wzp_lab_note(struct wzp_lab_world *world, wzp_time at, bool event, const char *who,
                  const char *what, const char *format, ...) {
    wzp_lab_entry *entry = new_entry(world);
    va_list args;
    if (entry == NULL) {
        return;
    }
    *entry = (wzp_lab_entry){.at = wzp_time_since(at, world->result.start), .event = event};
    (void)snprintf(entry->who, sizeof entry->who, "%s", who);
    (void)snprintf(entry->what, sizeof entry->what, "%s", what);
    va_start(args, format);
    (void)vsnprintf(entry->detail, sizeof entry->detail, format, args);
    va_end(args);
}

static void on_packet(void *ctx, const char *interface, wzp_sim_way way,
                      const wzp_sim_packet *packet, wzp_time now) {
    struct wzp_lab_world *w = ctx;
    wzp_lab_trace_packet(&w->trace, interface, way, packet, now);
    wzp_lab_measure_packet(w->result.measure, interface, way, packet, now);
    if (w->captures != NULL) {
        wzp_lab_captures_packet(w->captures, interface, way, packet, now);
    }
}

/* The scenario's name for a link's way, from the fabric's "NAME a->b". */
static const char *way_name(const struct wzp_lab_world *w, const char *link, char buf[96]) {
    const char *arrow = strstr(link, "->");
    const size_t len = strcspn(link, " ");
    (void)snprintf(buf, 96, "%.*s", (int)(len < 90 ? len : 90), link);
    for (size_t i = 0; arrow != NULL && i < wzp_lab_topology_count(w->result.topology); i++) {
        const wzp_lab_element *e = wzp_lab_topology_element(w->result.topology, i);
        const size_t node = e->to != NULL ? strcspn(e->to, ":") : 0;
        if (e->to != NULL && strncmp(e->name, link, len) == 0 && e->name[len] == '.' &&
            strncmp(arrow + 2, e->to, node) == 0 && arrow[2 + node] == '\0') {
            return e->name;
        }
    }
    return buf;
}

static void on_drop(void *ctx, const char *link, const wzp_sim_packet *packet, wzp_sim_drop why,
                    wzp_time now) {
    char name[96];
    struct wzp_lab_world *w = ctx;
    if (wzp_lab_measure_knows(w->result.measure, packet)) {
        wzp_lab_trace_drop(&w->trace, way_name(w, link, name), packet, why, now);
    }
}

static void for_each_seat_of(const struct wzp_lab_world *w, uint32_t host,
                             void (*act)(const wzp_lab_member *member)) {
    for (size_t c = 0; c < w->s->call_count; c++) {
        for (size_t m = 0; m < w->s->calls[c].member_count; m++) {
            if (w->s->calls[c].members[m] == host) {
                act(&w->result.calls[c].members[m]);
            }
        }
    }
}

static void leave(const wzp_lab_member *member) {
    if (member->phone != NULL) {
        wzp_sim_phone_host_hangup(member->phone);
    }
    wzp_sim_call_host_hangup(member->call);
}

static void lose(const wzp_lab_member *member) {
    if (member->phone != NULL) {
        wzp_sim_phone_host_lose(member->phone);
    }
}

static void abuse(const wzp_lab_member *member) {
    wzp_sim_call_host_abuse(member->call);
}

/* The way in use is the first that is up, as the host routes. */
static void on_moved(void *ctx, uint32_t host) {
    const struct wzp_lab_world *w = ctx;
    const wzp_lab_host *h = &w->s->hosts[host];
    wzp_addr gateway = {.family = WZP_ADDR_NONE};
    wzp_sim_gateway_seat *seat = NULL;
    for (size_t i = h->way_count; i-- > 0;) {
        if (wzp_sim_host_is_up(wzp_lab_topology_host(w->result.topology, host), (unsigned)i)) {
            gateway = wzp_lab_gateway_of(&h->ways[i]);
            seat = wzp_lab_topology_gateway(w->result.topology, host, i);
        }
    }
    for (size_t c = 0; c < w->s->call_count; c++) {
        for (size_t m = 0; m < w->s->calls[c].member_count; m++) {
            wzp_sim_phone_host *phone = w->result.calls[c].members[m].phone;
            if (w->s->calls[c].members[m] == host && phone != NULL) {
                wzp_sim_phone_host_network(phone, &gateway, seat);
            }
        }
    }
}

static void on_leave(void *ctx, uint32_t host) {
    for_each_seat_of(ctx, host, leave);
}

static void on_lose(void *ctx, uint32_t host) {
    for_each_seat_of(ctx, host, lose);
}

static void on_abuse(void *ctx, uint32_t host) {
    for_each_seat_of(ctx, host, abuse);
}

static void on_event(void *ctx, const wzp_lab_event *event, const char *what, wzp_time now) {
    wzp_lab_note(ctx, now, true, event->target_name, what, "%s", event->to_name);
}

/* --- building --------------------------------------------------------------------------------- */

static wzp_err open_files(struct wzp_lab_world *w) {
    char comment[WZP_LAB_TEXT_MAX + 64];
    const char *bad = NULL;
    (void)snprintf(comment, sizeof comment, "%s, seed %llu", w->s->name,
                   (unsigned long long)w->s->seed);
    wzp_err err = WZP_OK;
    if (w->cfg.pcap_dir != NULL) {
        err = wzp_lab_captures_new(&w->captures, w->cfg.pcap_dir, comment, w->why);
    } else if (w->cfg.pcap_file != NULL) {
        err = wzp_lab_captures_one(&w->captures, w->cfg.pcap_file, comment, w->why);
    }
    for (size_t i = 0; err == WZP_OK && w->cfg.qlog_dir != NULL && i < w->s->relay_count; i++) {
        const wzp_traces_cfg traces = {.name = w->s->relays[i].name, .qlog_dir = w->cfg.qlog_dir};
        err = wzp_traces_open(&w->qlog[i], &traces, &bad);
        if (err != WZP_OK) {
            (void)snprintf(w->why, 256, "%.200s: %s", bad, wzp_io_reason(errno));
        }
    }
    return err;
}

static wzp_err build(struct wzp_lab_world *w) {
    const wzp_sim_engine_cfg engine = {.seed = w->s->seed, .max_events = w->cfg.max_events};
    wzp_err err = wzp_lab_engine_open(&w->fabric, w->result.engine, &engine, w->why);
    if (err != WZP_OK) {
        return err;
    }
    w->result.start = wzp_sim_now(w->fabric->ops->clock(w->fabric));
    err = wzp_lab_topology_new(&w->result.topology, w->s, w->fabric, w->why);
    err = err == WZP_OK ? wzp_lab_seat_programs(w) : err;
    if (err != WZP_OK) {
        return err;
    }
    const wzp_lab_timeline_cfg timeline = {.scenario = w->s,
                                           .fabric = w->fabric,
                                           .topology = w->result.topology,
                                           .relays = w->relays,
                                           .start = w->result.start,
                                           .leave = on_leave,
                                           .lose = on_lose,
                                           .abuse = on_abuse,
                                           .moved = on_moved,
                                           .told = on_event,
                                           .ctx = w};
    w->result.measure = wzp_lab_measure_new(w->s, w->result.topology, w->result.start);
    w->timeline = wzp_lab_timeline_new(&timeline);
    if (w->result.measure == NULL || w->timeline == NULL) {
        return WZP_ERR_NOMEM;
    }
    wzp_lab_trace_init(&w->trace, w->cfg.trace);
    w->fabric->ops->tap(w->fabric, on_packet, w);
    if (w->fabric->ops->watch != NULL && w->cfg.trace != NULL) {
        w->fabric->ops->watch(w->fabric, on_drop, w);
    }
    return WZP_OK;
}

/* --- running ---------------------------------------------------------------------------------- */

/* In steps of a second, so that somebody can watch. */
static void run(struct wzp_lab_world *w) {
    const wzp_time end = w->result.start + w->s->duration;
    wzp_time until = w->result.start;
    do {
        until = wzp_time_min(wzp_time_after(until, WZP_S), end);
        w->result.stop = w->fabric->ops->run(w->fabric, until);
        if (w->cfg.progress != NULL) {
            w->cfg.progress(w->cfg.ctx, until - w->result.start, w->s->duration);
        }
    } while (until < end &&
             (w->result.stop == WZP_SIM_STOP_TIME || w->result.stop == WZP_SIM_STOP_IDLE));
    w->result.events = w->fabric->ops->events(w->fabric);
    w->result.packets = w->trace.packets;
    w->result.trace_hash = w->trace.hash;
}

static void close_qlogs(struct wzp_lab_world *w) {
    for (size_t i = 0; i < WZP_LAB_RELAYS_MAX; i++) {
        wzp_traces_close(&w->qlog[i]);
    }
}

static wzp_err close_files(struct wzp_lab_world *w) {
    if (w->captures != NULL && !wzp_lab_captures_close(w->captures)) {
        const char *path = w->cfg.pcap_dir != NULL ? w->cfg.pcap_dir : w->cfg.pcap_file;
        (void)snprintf(w->why, 256, "%.200s: %s", path, wzp_io_reason(errno));
        return WZP_ERR_IO;
    }
    w->result.pcap_hash = w->captures != NULL ? wzp_lab_captures_hash(w->captures) : 0;
    return WZP_OK;
}

wzp_err wzp_lab_run(wzp_lab_result **out, const wzp_lab_scenario *scenario,
                    const wzp_lab_run_cfg *cfg, char why[256]) {
    struct wzp_lab_world *w = calloc(1, sizeof *w);
    (void)snprintf(why, 256, "out of memory");
    if (w == NULL) {
        return WZP_ERR_NOMEM;
    }
    w->s = scenario;
    w->cfg = *cfg;
    w->why = why;
    w->result = (wzp_lab_result){.scenario = scenario,
                                 .engine = cfg->engine != NULL ? cfg->engine : "native",
                                 .pcap_file = cfg->pcap_file,
                                 .lacks = wzp_lab_scenario_lacks(scenario),
                                 .world = w};
    wzp_err err = open_files(w);
    err = err == WZP_OK ? build(w) : err;
    if (err == WZP_OK) {
        run(w);
        err = close_files(w);
    }
    err = err == WZP_OK ? wzp_lab_judge(w) : err;
    wzp_lab_result *result = &w->result;
    if (err != WZP_OK) {
        wzp_lab_result_free(&result);
        return err;
    }
    why[0] = '\0';
    *out = result;
    return WZP_OK;
}

void wzp_lab_result_free(wzp_lab_result **result) {
    if (*result == NULL) {
        return;
    }
    struct wzp_lab_world *w = (*result)->world;
    wzp_lab_free_programs(w);
    wzp_lab_timeline_free(&w->timeline);
    wzp_lab_measure_free(&w->result.measure);
    wzp_lab_topology_free(&w->result.topology);
    if (w->fabric != NULL) {
        w->fabric->ops->free(w->fabric);
    }
    wzp_lab_captures_free(&w->captures);
    close_qlogs(w);
    free(w->result.entries);
    free(w->result.checks);
    free(w);
    *result = NULL;
}

/* --- outcome ---------------------------------------------------------------------------------- */

const wzp_lab_check *wzp_lab_result_failure(const wzp_lab_result *result) {
    for (size_t i = 0; i < result->check_count; i++) {
        if (!result->checks[i].good) {
            return &result->checks[i];
        }
    }
    return NULL;
}

wzp_lab_outcome wzp_lab_result_outcome(const wzp_lab_result *result) {
    if (wzp_lab_result_failure(result) == NULL) {
        return WZP_LAB_PASSED;
    }
    return result->lacks != NULL ? WZP_LAB_INCONCLUSIVE : WZP_LAB_FAILED;
}

const char *wzp_lab_outcome_word(wzp_lab_outcome outcome) {
    static const char *const words[] = {"passed", "failed", "inconclusive"};
    return words[outcome];
}
