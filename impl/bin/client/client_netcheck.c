/* wzp-client netcheck: what is between us and others, as a report (nat sheet 1.12).
 *
 *     names --> survey over one socket ---+
 *     NAT-PMP, PCP, UPnP -----------------+--> report --> what was mapped is given back
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bin/client/client_mappings.h"
#include "bin/client/client_modes.h"
#include "bin/client/client_traces.h"
#include "call/survey.h"
#include "io/drive.h"
#include "io/lookup.h"
#include "io/sockaddr.h"
#include "io/sys.h"

enum {
    NAMES_MS = 2000, /* for all names together */
    STUN_MS = 3000,  /* at most */
    MAPPINGS_MS = 5000,
    REPORT_MAX = 32768
};

enum { TARGETS_MAX = WZP_SURVEY_STUN_MAX + WZP_SURVEY_RELAYS_MAX };

struct netcheck;

typedef struct lookup {
    uv_getaddrinfo_t request;
    struct netcheck *n;
    wzp_survey_target *target;
    const char *prefix; /* of its error */
    char error[128];
    bool is_pending;
} lookup;

typedef struct netcheck {
    const wzp_client_options *opts;
    uv_loop_t loop;
    wzp_time began_at;
    wzp_netif_table table;
    wzp_udp_pair pair;
    wzp_endpoint *endpoint;
    wzp_survey *survey;
    wzp_drive drive;
    wzp_mappings mappings;

    wzp_survey_target stun[WZP_SURVEY_STUN_MAX], relays[WZP_SURVEY_RELAYS_MAX];
    size_t stun_count, relay_count;
    char names[WZP_SURVEY_RELAYS_MAX][128];
    lookup lookups[TARGETS_MAX];
    size_t lookup_count, pending;
    uv_timer_t names_timer, mappings_timer;
    bool is_reported, mappings_are_late;
    int code; /* the program's */
} netcheck;

/* --- the report ------------------------------------------------------------------------------- */

static void print(netcheck *n) {
    static uint8_t text[REPORT_MAX];
    wzp_netcheck report = {.gateway = n->table.gateway};
    wzp_wr wr;
    wzp_survey_report(n->survey, &report);
    wzp_mappings_report(&n->mappings, &report);
    report.duration_ms = (uint32_t)(wzp_time_since(wzp_io_now(), n->began_at) / WZP_MS);
    wzp_netcheck_sort(&report);
    wzp_wr_init(&wr, text, sizeof text);
    if (n->opts->json) {
        wzp_netcheck_json(&wr, &report);
        wzp_wr_str(&wr, "\n");
    } else {
        wzp_netcheck_text(&wr, &report);
    }
    (void)fwrite(text, 1, wzp_wr_len(&wr), stdout);
    (void)fflush(stdout);
}

/* Everything but what is to be given back. */
static void close_all(netcheck *n) {
    /* Relays are told that we go. */
    (void)wzp_udp_pair_transmit(n->pair.v4, n->pair.v6, NULL, n->drive.core, wzp_io_now());
    wzp_drive_stop(&n->drive);
    uv_close((uv_handle_t *)&n->names_timer, NULL);
    uv_close((uv_handle_t *)&n->mappings_timer, NULL);
    wzp_mappings_release(&n->mappings);
}

static void check(netcheck *n) {
    if (n->is_reported || n->survey == NULL || !wzp_survey_is_done(n->survey) ||
        (!n->mappings_are_late && !wzp_mappings_are_through(&n->mappings))) {
        return; /* a release ends the loop by itself */
    }
    n->is_reported = true;
    print(n);
    close_all(n);
}

static void on_mappings(void *ctx) {
    check(ctx);
}

static void on_mappings_late(uv_timer_t *timer) {
    netcheck *n = timer->data;
    n->mappings_are_late = true;
    check(n);
}

/* --- the survey ------------------------------------------------------------------------------- */

static void after_turn(void *ctx, wzp_time now) {
    (void)now;
    check(ctx);
}

static uint64_t limited(uint32_t ms, uint32_t most) {
    return (ms < most ? ms : most) * WZP_MS;
}

/* What is still in the loop ends with the process. */
static void give_up(netcheck *n, const char *why) {
    n->code = wzp_client_complain(WZP_CLIENT_UNREADABLE, "netcheck", why);
    n->is_reported = true;
}

static void begin_survey(netcheck *n) {
    const wzp_survey_cfg cfg = {.endpoint = n->endpoint,
                                .stun = n->stun,
                                .stun_count = n->stun_count,
                                .relays = n->relays,
                                .relay_count = n->relay_count,
                                .stun_timeout = limited(n->opts->netcheck.timeout_ms, STUN_MS),
                                .relay_timeout = n->opts->netcheck.timeout_ms * WZP_MS,
                                .no_v6 = n->pair.v6 == NULL,
                                .rng = wzp_io_rng()};
    if (n->survey != NULL) {
        return;
    }
    if (wzp_survey_new(&n->survey, &cfg, wzp_io_now()) != WZP_OK) {
        give_up(n, "out of memory");
        return;
    }
    n->drive = (wzp_drive){.core = wzp_survey_core(n->survey),
                           .udp = n->pair.v4,
                           .udp6 = n->pair.v6,
                           .after = after_turn,
                           .ctx = n};
    if (wzp_drive_start(&n->drive, &n->loop) != WZP_OK) {
        give_up(n, "no timer");
    }
}

/* --- names ------------------------------------------------------------------------------------ */

static void keep(wzp_survey_target *target, const struct addrinfo *found) {
    for (const struct addrinfo *a = found; a != NULL; a = a->ai_next) {
        wzp_sockaddr addr;
        if (a->ai_addrlen > sizeof addr) {
            continue;
        }
        memcpy(&addr, a->ai_addr, a->ai_addrlen);
        const wzp_addr value = wzp_sockaddr_read(&addr);
        wzp_addr *place = value.family == WZP_ADDR_V4 ? &target->v4 : &target->v6;
        if (place->family == WZP_ADDR_NONE) {
            *place = value;
        }
    }
}

static void explain(lookup *l, const char *why) {
    (void)snprintf(l->error, sizeof l->error, "%s: %s", l->prefix, why);
    l->target->error = l->error;
}

static void on_names_late(uv_timer_t *timer) {
    netcheck *n = timer->data;
    for (size_t i = 0; i < n->lookup_count; i++) {
        if (n->lookups[i].is_pending) {
            explain(&n->lookups[i], "no answer in time");
        }
    }
    begin_survey(n);
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
    lookup *l = request->data;
    netcheck *n = l->n;
    l->is_pending = false;
    n->pending--;
    if (n->survey == NULL) { /* else it is too late */
        if (status == 0) {
            keep(l->target, found);
        } else {
            explain(l, uv_strerror(status));
        }
        if (n->pending == 0) {
            begin_survey(n);
        }
    }
    uv_freeaddrinfo(found);
}

/* HOST:PORT; what is no address is looked up. */
static bool look_up(netcheck *n, wzp_survey_target *target, const char *text, const char *prefix) {
    char host[WZP_LOOKUP_HOST_MAX];
    wzp_addr addr;
    const char *port = NULL;
    if (wzp_addr_parse(&addr, text) == WZP_OK) {
        *(addr.family == WZP_ADDR_V4 ? &target->v4 : &target->v6) = addr;
        return true;
    }
    if (!wzp_lookup_split(text, host, &port)) {
        return false;
    }
    lookup *l = &n->lookups[n->lookup_count++];
    *l = (lookup){.n = n, .target = target, .prefix = prefix, .is_pending = true};
    l->request.data = l;
    const struct addrinfo hints = {.ai_family = n->pair.v6 == NULL ? AF_INET : AF_UNSPEC,
                                   .ai_socktype = SOCK_DGRAM};
    const int rv = uv_getaddrinfo(&n->loop, &l->request, on_found, host, port, &hints);
    if (rv != 0) {
        l->is_pending = false;
        explain(l, uv_strerror(rv));
        return true;
    }
    n->pending++;
    return true;
}

/* NAME=HOST:PORT, or an address alone, which is its own name. */
static bool add_relay(netcheck *n, const char *text, const char *name) {
    const char *equals = strchr(text, '=');
    wzp_survey_target *target = &n->relays[n->relay_count];
    char *kept = n->names[n->relay_count];
    if (n->relay_count == WZP_SURVEY_RELAYS_MAX) {
        return false;
    }
    (void)snprintf(kept, sizeof n->names[0], "%.*s",
                   equals != NULL ? (int)(equals - text) : (int)strlen(name),
                   equals != NULL ? text : name);
    target->name = kept;
    n->relay_count++;
    return look_up(n, target, equals != NULL ? equals + 1 : text, "relay DNS");
}

static int add_targets(netcheck *n) {
    static const char *const deployed[] = {"stun.l.google.com:19302", "stun1.l.google.com:19302",
                                           "stun.cloudflare.com:3478"};
    const wzp_client_netcheck_options *o = &n->opts->netcheck;
    const bool is_told = n->opts->stun_count > 0 || n->opts->no_stun;
    const char *const *servers = is_told ? n->opts->stun : deployed;
    const size_t count = is_told ? n->opts->stun_count : WZP_COUNT_OF(deployed);
    for (size_t i = 0; i < count; i++) {
        n->stun[i].name = servers[i];
        n->stun_count++;
        if (!look_up(n, &n->stun[i], servers[i], "STUN DNS")) {
            return wzp_client_complain(WZP_CLIENT_USAGE, servers[i], "expected HOST:PORT");
        }
    }
    if (n->opts->relay != NULL && !add_relay(n, n->opts->relay, "relay")) {
        return wzp_client_complain(WZP_CLIENT_USAGE, n->opts->relay, "expected HOST:PORT");
    }
    for (size_t i = 0; i < o->relay_count; i++) {
        if (!add_relay(n, o->relays[i], o->relays[i])) {
            return wzp_client_complain(WZP_CLIENT_USAGE, o->relays[i],
                                       "expected HOST:PORT or NAME=HOST:PORT, at most 16 of them");
        }
    }
    return 0;
}

/* --- life ------------------------------------------------------------------------------------- */

/* One that is named is asked, wherever routes lead. */
static void read_network(netcheck *n) {
    const wzp_addr *named = &n->opts->gateway;
    if (wzp_netif_read(&n->table) != WZP_OK) {
        n->table = (wzp_netif_table){.count = 0}; /* then nothing is known of a gateway */
    }
    if (named->family != WZP_ADDR_NONE) {
        n->table.gateway = *named;
    }
    if (wzp_addr_is_loopback(named)) {
        n->table.own = wzp_addr_v4(127, 0, 0, 1, 0);
    }
}

static int open_all(netcheck *n) {
    const wzp_udp_pair_cfg sockets = {.no_v6 = n->opts->netcheck.no_ipv6};
    const wzp_quic_cfg quic = {.rng = wzp_io_rng(),
                               .keylog = wzp_traces_on_keylog,
                               .keylog_ctx = n->opts->traces,
                               .qlog = n->opts->qlog_dir != NULL ? wzp_traces_on_qlog : NULL,
                               .qlog_ctx = n->opts->traces};
    read_network(n);
    if (wzp_udp_pair_open(&n->pair, &sockets) != WZP_OK) {
        return wzp_client_complain(WZP_CLIENT_UNREADABLE, "netcheck", "no UDP socket");
    }
    if (n->opts->lane != NULL) {
        wzp_udp_pair_set_tap(&n->pair, wzp_capture_datagram, n->opts->lane);
    }
    if (n->pair.v6_error != 0 && n->opts->log_level >= WZP_LOG_INFO) {
        (void)wzp_client_complain(0, "IPv6", wzp_io_reason(n->pair.v6_error));
    }
    if (wzp_endpoint_new(&n->endpoint, &quic, n->began_at) != WZP_OK) {
        return wzp_client_complain(WZP_CLIENT_UNREADABLE, "netcheck", "no QUIC endpoint");
    }
    return 0;
}

static void start_timer(netcheck *n, uv_timer_t *timer, uv_timer_cb ring, uint64_t ms) {
    uv_timer_init(&n->loop, timer);
    timer->data = n;
    uv_timer_start(timer, ring, ms, 0);
}

static void clear(netcheck *n) {
    wzp_survey_free(&n->survey, wzp_io_now());
    wzp_endpoint_free(&n->endpoint);
    wzp_udp_pair_close(&n->pair);
}

static void run_all(netcheck *n) {
    start_timer(n, &n->names_timer, on_names_late, NAMES_MS);
    start_timer(n, &n->mappings_timer, on_mappings_late, MAPPINGS_MS);
    n->mappings.changed = on_mappings;
    n->mappings.ctx = n;
    n->mappings.upnp_is_through = n->opts->no_portmap;
    if (!n->opts->no_portmap) {
        wzp_mappings_start(&n->mappings, &n->table, &n->loop);
    }
    if (n->pending == 0) {
        begin_survey(n);
    }
    while (!n->is_reported || (n->code == 0 && !wzp_mappings_are_released(&n->mappings))) {
        uv_run(&n->loop, UV_RUN_ONCE);
    }
    for (int i = 0; i < 4; i++) {
        uv_run(&n->loop, UV_RUN_NOWAIT); /* what is closed says so */
    }
}

int wzp_client_netcheck(const wzp_client_options *opts) {
    static netcheck n;
    n = (netcheck){.opts = opts, .began_at = wzp_io_now()};
    uv_loop_init(&n.loop);
    n.code = open_all(&n);
    n.code = n.code == 0 ? add_targets(&n) : n.code;
    if (n.code == 0) {
        if (!opts->quiet && isatty(STDERR_FILENO)) {
            (void)fprintf(stderr, "asking %zu servers, up to %u s\n", n.stun_count + n.relay_count,
                          (NAMES_MS + opts->netcheck.timeout_ms + 999) / 1000);
        }
        run_all(&n);
    }
    clear(&n);
    /* A name, or a gateway, that never answers holds a thread, which is not waited for. */
    if (uv_loop_close(&n.loop) != 0) {
        wzp_client_traces_close(opts); /* what it holds back would be lost */
        _exit(n.code);
    }
    return n.code;
}
