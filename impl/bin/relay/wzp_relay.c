/* wzp-relay: wires the relay core to a socket, files, signals and the metrics page. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "bin/relay/event_log.h"
#include "bin/relay/relay_admin.h"
#include "bin/relay/relay_auth.h"
#include "bin/relay/relay_ban_list.h"
#include "bin/relay/relay_crew.h"
#include "bin/relay/relay_options.h"
#include "bin/relay/relay_quotas.h"
#include "bin/relay/relay_reload.h"
#include "bin/relay/relay_ws.h"
#include "crypto/crypto.h"
#include "io/drive.h"
#include "io/files.h"
#include "io/http.h"
#include "io/identity_file.h"
#include "io/log_sink.h"
#include "io/sockaddr.h"
#include "io/sys.h"
#include "io/traces.h"
#include "relay/limits.h"
#include "wzp_version.h"

enum { FLUSH_MS = 1000, LINGER_MS = 150, DRAIN_CHECK_MS = 100, PATH_CAP = 4096 };

typedef struct program {
    wzp_relay_options options;
    wzp_log log;
    wzp_relay_crew *crew;
    wzp_relay *relay; /* worker 0's, of this thread */
    wzp_drive *drive; /* the same */
    wzp_traces *traces[WZP_STEER_WORKERS_MAX];
    wzp_capture *capture; /* NULL: none */
    wzp_event_log *event_log;
    bool event_log_fails; /* and that was said */
    wzp_ban_list *bans;
    wzp_relay_quotas *quotas;
    wzp_http *http;
    wzp_relay_ws *ws;
    wzp_relay_service *services[WZP_STEER_WORKERS_MAX]; /* each its worker's, until that ends */
    bool asks[WZP_STEER_WORKERS_MAX];                   /* the same */
    int argc;
    char **argv; /* read anew by a reload */
    enum { RUNNING, DRAINING, ENDING } phase;
    bool works; /* the workers run */

    uv_loop_t loop;
    uv_signal_t signals[3];
    uv_timer_t flush, linger, drain, check;
} program;

/* --- identity --------------------------------------------------------------------------------- */

static int load_identity(program *p, uint8_t seed[32]) {
    char path[PATH_CAP];
    char why[WZP_IDENTITY_WHY_MAX];
    wzp_identity_origin origin;
    const wzp_relay_options *o = &p->options;
    if (o->has_seed) {
        memcpy(seed, o->seed, sizeof o->seed);
        return 0;
    }
    if (o->identity != NULL) {
        (void)snprintf(path, sizeof path, "%s", o->identity);
    } else if (wzp_io_home_path(path, sizeof path, "relay-identity") != WZP_OK) {
        return wzp_relay_complain(WZP_EXIT_UNREADABLE, "the path of the home folder is too long");
    }
    const wzp_identity_policy policy = o->regenerate_identity    ? WZP_IDENTITY_REPLACE
                                       : o->replace_bad_identity ? WZP_IDENTITY_REPLACE_BAD
                                                                 : WZP_IDENTITY_KEEP;
    if (wzp_identity_file_load(seed, path, policy, wzp_io_rng(), &origin, why) != WZP_OK) {
        return wzp_relay_complain(WZP_EXIT_UNREADABLE, "%s", why);
    }
    if (origin == WZP_IDENTITY_MADE) {
        wzp_logf(&p->log, WZP_LOG_INFO, "new identity in %s", path);
    } else if (origin == WZP_IDENTITY_RENEWED) {
        wzp_logf(&p->log, WZP_LOG_WARN, "%s; it is %s.bad now, and this relay is another one", why,
                 path);
    } else if (origin == WZP_IDENTITY_EXPOSED) {
        wzp_logf(&p->log, WZP_LOG_WARN, "%s can be read by others than its owner (chmod 600)",
                 path);
    }
    return 0;
}

/* --- the relay and what belongs to it --------------------------------------------------------- */

static int open_capture(program *p) {
    const wzp_relay_options *o = &p->options;
    const wzp_capture_cfg cfg = {.path = o->capture,
                                 .program = "wzp-relay " WZP_VERSION " (" WZP_BUILD_HASH ")",
                                 .lanes = o->threads};
    if (o->capture == NULL) {
        return 0;
    }
    if (wzp_capture_open(&p->capture, &cfg) != WZP_OK) {
        return wzp_relay_complain(WZP_EXIT_UNREADABLE, "%s: cannot be written: %s", o->capture,
                                  wzp_io_reason(errno));
    }
    for (unsigned i = 0; i < o->threads; i++) {
        wzp_traces_capture(p->traces[i], wzp_capture_lane_of(p->capture, i));
    }
    wzp_logf(&p->log, WZP_LOG_WARN, "%s: all traffic is captured, and the secrets to read it",
             o->capture);
    return 0;
}

/* All is in the file that ever will be. */
static void close_capture(program *p) {
    wzp_capture_counters n;
    if (p->capture == NULL) {
        return;
    }
    wzp_capture_finish(p->capture);
    wzp_capture_count(p->capture, &n);
    wzp_logf(&p->log, n.error != 0 ? WZP_LOG_ERROR : WZP_LOG_INFO,
             "%s: %llu packets, %llu dropped, %llu secrets lost%s%s", p->options.capture,
             (unsigned long long)n.packets, (unsigned long long)n.dropped,
             (unsigned long long)n.secrets_lost, n.error != 0 ? "; ended by: " : "",
             n.error != 0 ? wzp_io_reason(n.error) : "");
    wzp_capture_close(&p->capture);
}

static int open_files(program *p) {
    const wzp_relay_options *o = &p->options;
    const char *bad = "";
    const wzp_traces_cfg traces = {.name = "relay", .keylog = o->keylog, .qlog_dir = o->qlog_dir};
    if (wzp_traces_open(&p->traces[0], &traces, &bad) != WZP_OK) {
        return wzp_relay_complain(WZP_EXIT_UNREADABLE, "%s: cannot be written: %s", bad,
                                  wzp_io_reason(errno));
    }
    if (o->keylog != NULL) {
        wzp_logf(&p->log, WZP_LOG_WARN, "%s: TLS secrets are written: who has them reads along",
                 o->keylog);
    }
    for (unsigned i = 1; i < o->threads; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "relay%u", i);
        if (wzp_traces_share(&p->traces[i], p->traces[0], name) != WZP_OK) {
            return wzp_relay_complain(WZP_EXIT_FAILED, "worker %u has no traces: %s", i,
                                      wzp_io_reason(errno));
        }
    }
    const int code = open_capture(p);
    if (code != 0) {
        return code;
    }
    if (o->event_log != NULL && wzp_event_log_open(&p->event_log, o->event_log) != WZP_OK) {
        return wzp_relay_complain(WZP_EXIT_UNREADABLE, "%s: cannot be written: %s", o->event_log,
                                  wzp_io_reason(errno));
    }
    return 0;
}

/* On the thread of a worker, one at a time. */
static void on_event(void *ctx, const wzp_relay_event *event) {
    const program *p = ctx;
    if (p->event_log != NULL) {
        wzp_event_log_write(p->event_log, event);
    }
}

static void on_turn(void *ctx, unsigned worker, wzp_time now);

static int make_relay(program *p) {
    void *traces[WZP_STEER_WORKERS_MAX];
    const wzp_relay_options *o = &p->options;
    const char *relays[WZP_LIMIT_RELAYS];
    wzp_relay_texts texts;
    wzp_federation_cfg federation;
    wzp_relay_cfg cfg = {.rng = wzp_io_rng(),
                         .log = p->log,
                         .enforce = o->enforce,
                         .policy = wzp_relay_options_policy(o),
                         .build = WZP_BUILD_HASH,
                         .region = o->region,
                         .available_relays = relays,
                         .available_count = wzp_relay_options_relays(o, relays, &texts),
                         .max_sessions = o->max_sessions,
                         .exact_limits = o->exact_limits,
                         .ring_timeout = wzp_relay_options_ring(o),
                         .advertised = o->advertised,
                         .auth = o->auth_url != NULL,
                         .strict_identity = o->strict_identity,
                         .pli_broadcast = o->pli_broadcast,
                         .layers_by_report = o->layers_by_report,
                         .trunking = o->trunking,
                         .debug_tap = o->debug_tap,
                         .federation = wzp_relay_options_federation(o, &federation),
                         .packet_events = o->event_log != NULL,
                         .probe_targets = o->probe_targets,
                         .probe_count = o->probe_count,
                         .max_conns = o->max_connections,
                         .max_conns_per_ip = o->max_connections_per_ip,
                         .keylog =
                             o->keylog != NULL || o->capture != NULL ? wzp_traces_on_keylog : NULL,
                         .qlog = o->qlog_dir != NULL ? wzp_traces_on_qlog : NULL};
    const int code = load_identity(p, cfg.seed);
    if (code != 0) {
        return code;
    }
    for (unsigned i = 0; i < o->threads; i++) {
        traces[i] = p->traces[i];
    }
    const wzp_err err =
        wzp_relay_crew_new(&p->crew, &cfg, o->threads, on_event, on_turn, p, traces);
    wzp_crypto_wipe(cfg.seed, sizeof cfg.seed);
    if (err != WZP_OK) {
        return wzp_relay_complain(WZP_EXIT_FAILED, "the relay cannot be made: %s",
                                  wzp_err_text(err));
    }
    if (o->debug_tap != NULL && p->log.max < WZP_LOG_INFO) {
        wzp_logf(&p->log, WZP_LOG_WARN, "--debug-tap: nothing is shown below --log-level info");
    }
    p->relay = wzp_relay_crew_relay(p->crew, 0);
    if (o->config_missing) {
        wzp_relay_config_write_example(o, wzp_relay_tls_fingerprint(p->relay));
    }
    return 0;
}

static int open_socket(program *p) {
    char addr[WZP_ADDR_TEXT_MAX];
    if (wzp_relay_crew_listen(p->crew, &p->options.listen) != WZP_OK) {
        return wzp_relay_complain(WZP_EXIT_FAILED, "cannot listen on %s: %s",
                                  wzp_addr_text(&p->options.listen, addr), wzp_io_reason(errno));
    }
    if (p->capture != NULL) {
        wzp_relay_crew_capture(p->crew, p->capture);
    }
    wzp_workers *workers = wzp_relay_crew_workers(p->crew);
    p->drive = wzp_workers_drive(workers, 0);
    const wzp_udp_features f = wzp_workers_describe(workers);
    wzp_logf(&p->log, WZP_LOG_DEBUG, "UDP: GRO %s, segmentation %s", f.gro ? "on" : "off",
             f.segment ? "on" : "off");
    if (p->options.threads > 1 && !wzp_workers_by_kernel(workers)) {
        wzp_logf(&p->log, WZP_LOG_WARN, "the kernel does not choose among sockets: %s",
                 "workers hand packets over to each other, which costs more");
    }
    if (f.receive_clamped) {
        wzp_logf(&p->log, WZP_LOG_INFO,
                 "receive buffer of %u bytes only; raise net.core.rmem_max for busy relays",
                 f.receive_buffer);
    }
    return 0;
}

/* --- pages ------------------------------------------------------------------------------------ */

static wzp_http_status status_of(wzp_err err) {
    return err == WZP_OK ? WZP_HTTP_OK : WZP_HTTP_BROKEN;
}

/* File and sockets are not the relay's. */
static void write_own_metrics(const program *p, wzp_wr *out) {
    wzp_workers_counters n;
    wzp_capture_counters captured = {0};
    uint64_t traces_lost = 0;
    if (p->capture != NULL) {
        wzp_capture_count(p->capture, &captured);
    }
    wzp_workers_count(wzp_relay_crew_workers(p->crew), &n);
    for (unsigned i = 0; i < p->options.threads; i++) {
        traces_lost += wzp_traces_lost(p->traces[i]);
    }
    const struct {
        const char *name, *help;
        uint64_t value;
    } counters[] = {
        {"wzp_relay_event_log_lost_total", "events that found no room on the disk",
         p->event_log != NULL ? wzp_event_log_lost(p->event_log) : 0},
        {"wzp_relay_traces_lost_total", "connections whose qlog is missing or not whole",
         traces_lost},
        {"wzp_relay_capture_packets_total", "datagrams that were captured", captured.packets},
        {"wzp_relay_capture_dropped_total", "datagrams that are missing in the capture",
         captured.dropped},
        {"wzp_relay_capture_secrets_lost_total", "lines of secrets that are missing there",
         captured.secrets_lost},
        {"wzp_udp_receive_dropped_total", "datagrams that found the receive buffer full",
         n.receive_dropped},
        {"wzp_relay_ban_list_failures_total", "attempts to write the list of bans that failed",
         wzp_ban_list_failures(p->bans)},
        {"wzp_relay_quota_file_failures_total", "attempts to write the file of quotas that failed",
         wzp_relay_quotas_failures(p->quotas)},
        {"wzp_udp_send_dropped_total", "datagrams that the system did not send", n.send_dropped}};
    for (size_t i = 0; i < WZP_COUNT_OF(counters); i++) {
        char text[256];
        const char *name = counters[i].name;
        (void)snprintf(text, sizeof text, "# HELP %s %s\n# TYPE %s counter\n%s %llu\n", name,
                       counters[i].help, name, name, (unsigned long long)counters[i].value);
        wzp_wr_str(out, text);
    }
}

static wzp_http_status write_metrics(void *ctx, const char *name, wzp_wr *out) {
    const program *p = ctx;
    (void)name;
    const wzp_err err = wzp_relay_crew_metrics(p->crew, out);
    write_own_metrics(p, out);
    return status_of(err);
}

static void visit_all(void *ctx, bool (*seen)(void *seen_ctx, const char *fp), void *seen_ctx) {
    wzp_relay_crew_visit_clients(ctx, seen, seen_ctx);
}

static bool any_has(void *ctx, const char *fingerprint) {
    return wzp_relay_crew_has_client(ctx, fingerprint);
}

typedef struct gossip_errand {
    const wzp_relay *relay;
    bool (*seen)(void *seen_ctx, const wzp_addr *relay, const char *fp);
    void *ctx;
} gossip_errand;

static void run_gossip(void *ctx, wzp_time now) {
    const gossip_errand *e = ctx;
    (void)now;
    wzp_relay_visit_gossip(e->relay, e->seen, e->ctx);
}

/* Probes are with the first worker. */
static void visit_gossip(void *ctx,
                         bool (*seen)(void *seen_ctx, const wzp_addr *relay, const char *fp),
                         void *seen_ctx) {
    gossip_errand e = {wzp_relay_crew_relay(ctx, 0), seen, seen_ctx};
    wzp_relay_crew_call(ctx, 0, run_gossip, &e);
}

static wzp_http_status write_presence(void *ctx, const char *name, wzp_wr *out) {
    const program *p = ctx;
    const wzp_admin_source all = {p->crew, visit_all, any_has, visit_gossip};
    return status_of(*name != '\0' ? wzp_admin_presence_of(&all, name, out)
                                   : wzp_admin_presence(&all, out));
}

static wzp_http_status write_route(void *ctx, const char *name, wzp_wr *out) {
    const program *p = ctx;
    const wzp_admin_source all = {p->crew, visit_all, any_has, visit_gossip};
    const wzp_addr listen = wzp_workers_local(wzp_relay_crew_workers(p->crew));
    return status_of(wzp_admin_route(&all, name, &listen, out));
}

static wzp_http_status write_peers(void *ctx, const char *name, wzp_wr *out) {
    const program *p = ctx;
    const wzp_admin_source all = {p->crew, visit_all, any_has, visit_gossip};
    (void)name;
    return status_of(wzp_admin_peers(&all, out));
}

typedef struct mesh_errand {
    const wzp_relay *relay;
    wzp_wr *out;
    wzp_err err;
} mesh_errand;

static void run_mesh(void *ctx, wzp_time now) {
    mesh_errand *e = ctx;
    (void)now;
    e->err = wzp_relay_mesh(e->relay, e->out);
}

static wzp_http_status write_mesh(void *ctx, const char *name, wzp_wr *out) {
    const program *p = ctx;
    mesh_errand e = {p->relay, out, WZP_OK};
    (void)name;
    wzp_relay_crew_call(p->crew, 0, run_mesh, &e);
    return status_of(e.err);
}

static wzp_http_status write_bans(void *ctx, const char *name, wzp_wr *out) {
    const program *p = ctx;
    return wzp_ban_list_show(p->bans, name, out);
}

static wzp_http_status remove_ban(void *ctx, const char *name, wzp_wr *out) {
    const program *p = ctx;
    return wzp_ban_list_pardon(p->bans, name, out);
}

/* For load balancers: whoever drains wants nobody new. */
static wzp_http_status write_health(void *ctx, const char *name, wzp_wr *out) {
    const program *p = ctx;
    const bool ending = wzp_relay_is_ending(p->relay);
    (void)name;
    wzp_wr_str(out, ending ? "draining\n" : "ok\n");
    return ending ? WZP_HTTP_UNAVAILABLE : WZP_HTTP_OK;
}

static int open_metrics(program *p) {
    /* Whoever reaches another address than this machine's may only read. */
    static wzp_http_page pages[] = {
        {"/bans/", write_bans, NULL},        {"/bans", write_bans, NULL},
        {"/metrics", write_metrics, NULL},   {"/healthz", write_health, NULL},
        {"/presence", write_presence, NULL}, {"/presence/", write_presence, NULL},
        {"/route/", write_route, NULL},      {"/peers", write_peers, NULL},
        {"/mesh", write_mesh, NULL}};
    pages[0].remove = wzp_addr_is_loopback(&p->options.metrics_addr) ? remove_ban : NULL;
    char addr[WZP_ADDR_TEXT_MAX];
    wzp_http_cfg cfg = {.listen = p->options.metrics_addr,
                        .pages = pages,
                        .page_count = WZP_COUNT_OF(pages),
                        .ctx = p,
                        .log = p->log};
    cfg.listen.port = p->options.metrics_port;
    if (!p->options.has_metrics) {
        return 0;
    }
    if (wzp_http_start(&p->http, &p->loop, &cfg) == WZP_OK) {
        return 0;
    }
    const char *why =
        errno == ENOSYS ? "libwebsockets or its libuv plugin is missing" : wzp_io_reason(errno);
    return wzp_relay_complain(WZP_EXIT_FAILED, "cannot serve metrics on %s: %s",
                              wzp_addr_text(&cfg.listen, addr), why);
}

static int open_ws(program *p) {
    char addr[WZP_ADDR_TEXT_MAX];
    wzp_relay_ws_cfg cfg = {
        .listen = p->options.ws_addr, .relay = p->relay, .drive = p->drive, .log = p->log};
    cfg.listen.port = p->options.ws_port;
    if (!p->options.has_ws || wzp_relay_ws_start(&p->ws, &p->loop, &cfg) == WZP_OK) {
        return 0;
    }
    return wzp_relay_complain(
        WZP_EXIT_FAILED, "cannot serve WebSockets on %s: %s", wzp_addr_text(&cfg.listen, addr),
        errno == ENOSYS ? "libwebsockets or its libuv plugin is missing" : wzp_io_reason(errno));
}

/* For a worker's thread. */
typedef struct service_errand {
    program *p;
    unsigned worker;
    int error; /* errno's */
} service_errand;

static void start_service(void *ctx, wzp_time now) {
    service_errand *e = ctx;
    program *p = e->p;
    wzp_workers *workers = wzp_relay_crew_workers(p->crew);
    const wzp_relay_service_cfg cfg = {.url = p->options.auth_url,
                                       .ca_file = p->options.auth_ca,
                                       .relay = wzp_relay_crew_relay(p->crew, e->worker),
                                       .drive = wzp_workers_drive(workers, e->worker),
                                       .log = p->log};
    (void)now;
    if (wzp_relay_service_start(&p->services[e->worker], wzp_workers_loop(workers, e->worker),
                                &cfg) == WZP_OK) {
        p->asks[e->worker] = true;
    } else {
        e->error = errno;
    }
}

static void stop_service(void *ctx, wzp_time now) {
    const service_errand *e = ctx;
    (void)now;
    if (e->p->asks[e->worker]) {
        e->p->asks[e->worker] = false;
        wzp_relay_service_stop(e->p->services[e->worker]);
    }
}

/* Each worker asks for itself, on its own thread. */
static int open_services(program *p) {
    const char *url = p->options.auth_url;
    for (unsigned i = 0; url != NULL && i < p->options.threads; i++) {
        service_errand e = {.p = p, .worker = i};
        wzp_relay_crew_call(p->crew, i, start_service, &e);
        if (e.error != 0) {
            return wzp_relay_complain(WZP_EXIT_FAILED, "cannot ask %s about tokens: %s", url,
                                      e.error == ENOSYS
                                          ? "libwebsockets or its libuv plugin is missing"
                                          : wzp_io_reason(e.error));
        }
    }
    return 0;
}

static void close_services(program *p) {
    for (unsigned i = 0; p->works && p->options.auth_url != NULL && i < p->options.threads; i++) {
        service_errand e = {.p = p, .worker = i};
        wzp_relay_crew_call(p->crew, i, stop_service, &e);
    }
}

/* --- while it runs ---------------------------------------------------------------------------- */

static void end(program *p);

/* On the thread of the worker. */
static void on_turn(void *ctx, unsigned worker, wzp_time now) {
    program *p = ctx;
    if (p->asks[worker]) {
        wzp_relay_service_ask(p->services[worker], now);
    }
    if (worker > 0) {
        return;
    }
    if (p->phase == DRAINING && wzp_relay_crew_is_drained(p->crew)) {
        end(p);
    }
    if (p->ws != NULL) {
        wzp_relay_ws_wake(p->ws);
    }
}

/* The last session may have been another worker's, and this one asleep. */
static void on_drain_check(uv_timer_t *timer) {
    program *p = timer->data;
    if (p->phase == DRAINING) {
        wzp_drive_kick(p->drive);
    } else {
        uv_timer_stop(timer);
    }
}

/* Said when it begins and when it is over, not every second. */
static void flush_events(program *p) {
    if (p->event_log == NULL) {
        return;
    }
    const bool fails = !wzp_event_log_flush(p->event_log);
    const char *why = wzp_io_reason(errno);
    if (fails && !p->event_log_fails) {
        wzp_logf(&p->log, WZP_LOG_ERROR, "%s: events cannot be written: %s", p->options.event_log,
                 why);
    } else if (!fails && p->event_log_fails) {
        wzp_logf(&p->log, WZP_LOG_WARN, "%s: events are written again, %llu were lost",
                 p->options.event_log, (unsigned long long)wzp_event_log_lost(p->event_log));
    }
    p->event_log_fails = fails;
}

static void on_flush(uv_timer_t *timer) {
    const program *p = timer->data;
    flush_events(timer->data);
    wzp_ban_list_tick(p->bans);
    wzp_relay_quotas_tick(p->quotas);
}

static void close_handle(uv_handle_t *handle) {
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

static void stop_http(program *p) {
    if (p->http != NULL) {
        wzp_http_stop(p->http);
    }
    if (p->ws != NULL) {
        wzp_relay_ws_stop(p->ws);
    }
}

/* Without handles the loop ends. */
static void let_go(program *p) {
    close_services(p);
    wzp_relay_crew_stop(p->crew);
    stop_http(p);
    for (size_t i = 0; i < WZP_COUNT_OF(p->signals); i++) {
        close_handle((uv_handle_t *)&p->signals[i]);
    }
    close_handle((uv_handle_t *)&p->flush);
    close_handle((uv_handle_t *)&p->linger);
    close_handle((uv_handle_t *)&p->drain);
    close_handle((uv_handle_t *)&p->check);
}

static void on_linger(uv_timer_t *timer) {
    let_go(timer->data);
}

/* Everybody is told; the closes are repeated to whoever still sends for a moment.  The drive's turn
 * that comes of it must not lead here again. */
static void end(program *p) {
    wzp_relay_totals totals;
    p->phase = ENDING;
    wzp_relay_crew_count(p->crew, &totals);
    wzp_logf(&p->log, WZP_LOG_INFO, "closing %llu sessions", (unsigned long long)totals.sessions);
    wzp_relay_crew_shutdown(p->crew);
    uv_timer_start(&p->linger, on_linger, totals.sessions > 0 ? LINGER_MS : 0, 0);
}

static void on_drain_timeout(uv_timer_t *timer) {
    program *p = timer->data;
    if (p->phase == DRAINING) {
        end(p);
        wzp_drive_kick(p->drive);
    }
}

static void begin_drain(program *p) {
    wzp_relay_totals totals;
    p->phase = DRAINING;
    wzp_relay_crew_count(p->crew, &totals);
    wzp_logf(&p->log, WZP_LOG_INFO, "draining %llu sessions, %u s at most",
             (unsigned long long)totals.sessions, p->options.drain_timeout_s);
    wzp_relay_crew_drain(p->crew);
    uv_timer_start(&p->check, on_drain_check, DRAIN_CHECK_MS, DRAIN_CHECK_MS);
    uv_timer_start(&p->drain, on_drain_timeout, (uint64_t)p->options.drain_timeout_s * 1000, 0);
}

/* The first one drains, or ends when that takes no time; one more ends at once. */
static void on_signal(uv_signal_t *handle, int number) {
    program *p = handle->data;
    wzp_logf(&p->log, WZP_LOG_INFO, "%s", sigdescr_np(number));
    if (p->phase == ENDING) {
        let_go(p);
        return;
    }
    if (p->phase == RUNNING && p->options.drain_timeout_s > 0) {
        begin_drain(p);
    } else {
        end(p);
    }
    wzp_drive_kick(p->drive);
}

static void on_reload(uv_signal_t *handle, int number) {
    program *p = handle->data;
    (void)number;
    wzp_relay_reload(&p->options, p->argc, p->argv, p->crew, &p->log);
}

/* --- start and end ---------------------------------------------------------------------------- */

static void print_start(const program *p) {
    char addr[WZP_ADDR_TEXT_MAX];
    wzp_addr local = wzp_workers_local(wzp_relay_crew_workers(p->crew));
    if (p->options.quiet) {
        return;
    }
    printf("listening on %s\nidentity %s\ntls %s\n", wzp_addr_text(&local, addr),
           wzp_relay_fingerprint(p->relay), wzp_relay_tls_fingerprint(p->relay));
    if (p->http != NULL) {
        local = wzp_http_local(p->http);
        printf("metrics http://%s/metrics\n", wzp_addr_text(&local, addr));
    }
    if (p->ws != NULL) {
        local = wzp_relay_ws_local(p->ws);
        printf("websockets ws://%s/ws/ROOM\n", wzp_addr_text(&local, addr));
    }
    (void)fflush(stdout);
}

static void watch_signals(program *p) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < WZP_COUNT_OF(numbers); i++) {
        uv_signal_init(&p->loop, &p->signals[i]);
        p->signals[i].data = p;
        uv_signal_start(&p->signals[i], numbers[i] == SIGHUP ? on_reload : on_signal, numbers[i]);
    }
}

static int run(program *p) {
    uv_timer_init(&p->loop, &p->flush);
    uv_timer_init(&p->loop, &p->linger);
    uv_timer_init(&p->loop, &p->drain);
    uv_timer_init(&p->loop, &p->check);
    p->flush.data = p->linger.data = p->drain.data = p->check.data = p;
    uv_timer_start(&p->flush, on_flush, FLUSH_MS, FLUSH_MS);
    watch_signals(p);
    int code = 0;
    if (wzp_relay_crew_start(p->crew, &p->loop) != WZP_OK) {
        code = wzp_relay_complain(WZP_EXIT_FAILED, "no timer: %s", wzp_io_reason(errno));
    } else {
        p->works = true;
        code = open_services(p);
    }
    if (code == 0) {
        print_start(p);
    } else {
        let_go(p);
    }
    uv_run(&p->loop, UV_RUN_DEFAULT);
    wzp_relay_crew_drain_events(p->crew);
    flush_events(p);
    wzp_ban_list_finish(p->bans);
    wzp_relay_quotas_finish(p->quotas);
    return code;
}

static int start_and_run(program *p) {
    int code = open_files(p);
    code = code != 0 ? code : make_relay(p);
    code = code != 0 ? code : open_socket(p);
    if (code != 0) {
        return code;
    }
    if (uv_loop_init(&p->loop) != 0) {
        return wzp_relay_complain(WZP_EXIT_FAILED, "no event loop: %s", wzp_io_reason(errno));
    }
    if (wzp_ban_list_new(&p->bans, p->crew, &p->loop, p->options.threads, p->options.ban_list,
                         p->log) != WZP_OK ||
        wzp_relay_quotas_new(&p->quotas, p->crew, &p->loop, p->options.threads, p->options.ban_list,
                             p->log) != WZP_OK) {
        return wzp_relay_complain(WZP_EXIT_FAILED, "no memory");
    }
    code = open_metrics(p);
    code = code != 0 ? code : open_ws(p);
    if (code == 0) {
        code = run(p);
    } else {
        stop_http(p);
        uv_run(&p->loop, UV_RUN_DEFAULT);
    }
    wzp_http_free(&p->http);
    wzp_relay_ws_free(&p->ws);
    for (size_t i = 0; i < WZP_COUNT_OF(p->services); i++) {
        wzp_relay_service_free(&p->services[i]);
    }
    uv_loop_close(&p->loop);
    wzp_ban_list_free(&p->bans);
    wzp_relay_quotas_free(&p->quotas);
    return code;
}

/* As deployed: nothing has been measured yet. */
static int print_mesh(void) {
    uint8_t text[512];
    wzp_wr wr;
    wzp_wr_init(&wr, text, sizeof text);
    wzp_mesh_head(&wr);
    wzp_mesh_nobody(&wr);
    (void)fwrite(text, 1, wzp_wr_len(&wr), stdout);
    return 0;
}

int main(int argc, char **argv) {
    static program p;
    p.argc = argc;
    p.argv = argv;
    int code = wzp_relay_options_parse(&p.options, argc, argv);
    if (code == -1 && p.options.mesh_status) {
        code = print_mesh();
    }
    if (code == -1) {
        (void)signal(SIGPIPE, SIG_IGN); /* a reader of our output may go away */
        (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is as a full disk */
        p.log = wzp_log_stderr(p.options.log_level);
        code = start_and_run(&p);
    }
    wzp_relay_crew_free(&p.crew);
    wzp_event_log_close(&p.event_log);
    close_capture(&p);
    for (size_t i = 0; i < WZP_COUNT_OF(p.traces); i++) {
        wzp_traces_close(&p.traces[i]);
    }
    wzp_relay_options_clear(&p.options);
    return code;
}
