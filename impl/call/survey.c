#include "call/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nat/demux.h"
#include "nat/ip_kind.h"

#define HAIRPIN_LIMIT (1 * WZP_S)
#define HAIRPIN_GAP (250 * WZP_MS)
#define STUN_TIMEOUT (3 * WZP_S)

enum { ERROR_TEXT = 48 };

typedef enum hairpin_state {
    HAIRPIN_WAITS,
    HAIRPIN_ASKED,
    HAIRPIN_WORKS,
    HAIRPIN_FAILS
} hairpin_state;

/* STUN over one family. */
typedef struct family {
    wzp_stun_client client;
    bool is_running;
    size_t target[WZP_SURVEY_STUN_MAX]; /* of the client's servers */
    size_t count;
} family;

struct wzp_survey {
    wzp_endpoint *endpoint;
    wzp_core inner; /* the endpoint's */
    wzp_survey_target stun[WZP_SURVEY_STUN_MAX], relays[WZP_SURVEY_RELAYS_MAX];
    size_t stun_count, relay_count;
    family v4, v6;
    wzp_relay_probe probes[WZP_SURVEY_RELAYS_MAX];

    hairpin_state hairpin;
    wzp_addr hairpin_to;
    uint8_t hairpin_txid[WZP_STUN_TXID_LEN];
    wzp_time hairpin_again, hairpin_end;

    char errors[WZP_SURVEY_STUN_MAX][ERROR_TEXT]; /* of STUN, for the report */
};

/* --- hairpin ---------------------------------------------------------------------------------- */

/* Our own request, back from the NAT. */
static bool is_ours(const wzp_survey *s, wzp_bytes payload) {
    wzp_stun_message message;
    return s->hairpin == HAIRPIN_ASKED && wzp_stun_parse(&message, payload, NULL) == WZP_OK &&
           message.type == WZP_STUN_REQUEST &&
           memcmp(message.txid, s->hairpin_txid, sizeof message.txid) == 0;
}

static void ask_hairpin(wzp_survey *s, wzp_time now) {
    wzp_stun_message request = {.type = WZP_STUN_REQUEST, .has_fingerprint = true};
    uint8_t buf[WZP_STUN_REQUEST_MAX];
    wzp_wr wr;
    memcpy(request.txid, s->hairpin_txid, sizeof request.txid);
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_stun_write(&wr, &request);
    (void)wzp_endpoint_send(s->endpoint, &s->hairpin_to, wzp_bytes_of(buf, wzp_wr_len(&wr)));
    s->hairpin_again = wzp_time_after(now, HAIRPIN_GAP);
}

/* Whoever answers says where the questions go: not at our own host, nor at its neighbours, unless
 * the server is such a neighbour itself, as in a lab. */
static bool may_be_ours(const wzp_stun_result *seen) {
    const wzp_ip_kind kind = wzp_ip_kind_of(&seen->mapped);
    return kind == WZP_IP_GLOBAL || kind == wzp_ip_kind_of(&seen->server);
}

/* Begins with the first address that anybody saw. */
static void tick_hairpin(wzp_survey *s, wzp_time now) {
    if (s->hairpin == HAIRPIN_WAITS) {
        const wzp_stun_result *first =
            s->v4.is_running ? wzp_stun_client_first(&s->v4.client) : NULL;
        if (first == NULL || !may_be_ours(first)) {
            return;
        }
        s->hairpin = HAIRPIN_ASKED;
        s->hairpin_to = first->mapped;
        s->hairpin_end = wzp_time_after(now, HAIRPIN_LIMIT);
        ask_hairpin(s, now);
    } else if (s->hairpin == HAIRPIN_ASKED && s->hairpin_end <= now) {
        s->hairpin = HAIRPIN_FAILS;
    } else if (s->hairpin == HAIRPIN_ASKED && s->hairpin_again <= now) {
        ask_hairpin(s, now);
    }
}

static wzp_time hairpin_deadline(const wzp_survey *s) {
    return s->hairpin == HAIRPIN_ASKED ? wzp_time_min(s->hairpin_again, s->hairpin_end)
                                       : WZP_TIME_NEVER;
}

/* --- as a core -------------------------------------------------------------------------------- */

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    wzp_survey *s = self;
    if (wzp_demux_of(payload) == WZP_DEMUX_STUN) {
        if (is_ours(s, payload)) {
            s->hairpin = HAIRPIN_WORKS;
            return;
        }
        if (path->remote.family == WZP_ADDR_V6 && s->v6.is_running) {
            (void)wzp_stun_client_recv(&s->v6.client, &path->remote, payload, now);
            return;
        }
    }
    s->inner.ops->recv(s->inner.self, path, ecn, payload, now);
}

static void core_tick(void *self, wzp_time now) {
    wzp_survey *s = self;
    s->inner.ops->tick(s->inner.self, now);
    if (s->v6.is_running) {
        wzp_stun_client_tick(&s->v6.client, now);
    }
    for (size_t i = 0; i < s->relay_count; i++) {
        wzp_relay_probe_tick(&s->probes[i], now);
    }
    tick_hairpin(s, now);
}

static wzp_time core_deadline(const void *self) {
    const wzp_survey *s = self;
    wzp_time first = wzp_time_min(s->inner.ops->deadline(s->inner.self), hairpin_deadline(s));
    if (s->v6.is_running) {
        first = wzp_time_min(first, wzp_stun_client_deadline(&s->v6.client));
    }
    for (size_t i = 0; i < s->relay_count; i++) {
        first = wzp_time_min(first, wzp_relay_probe_deadline(&s->probes[i]));
    }
    return first;
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    wzp_survey *s = self;
    wzp_stun_datagram request;
    if (s->v6.is_running && wzp_stun_client_next(&s->v6.client, &request)) {
        memcpy(buf, request.data, request.len);
        *meta = (wzp_quic_meta){.path = {.remote = request.to}, .segment = (uint16_t)request.len};
        return request.len;
    }
    return s->inner.ops->next_packet(s->inner.self, now, buf, cap, meta);
}

wzp_core wzp_survey_core(wzp_survey *survey) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next_packet};
    return (wzp_core){survey, &ops};
}

/* --- the end ---------------------------------------------------------------------------------- */

static bool is_heard_out(const family *f) {
    return !f->is_running || wzp_stun_client_is_done(&f->client);
}

bool wzp_survey_is_done(const wzp_survey *s) {
    if (!is_heard_out(&s->v4) || !is_heard_out(&s->v6) || s->hairpin == HAIRPIN_ASKED) {
        return false;
    }
    for (size_t i = 0; i < s->relay_count; i++) {
        if (!wzp_relay_probe_is_over(&s->probes[i])) {
            return false;
        }
    }
    return true;
}

/* --- the report ------------------------------------------------------------------------------- */

static const char *stun_error(const wzp_stun_result *result, char text[ERROR_TEXT]) {
    if (result->state == WZP_STUN_ANSWERED) {
        return NULL;
    }
    if (result->state == WZP_STUN_DENIED) {
        (void)snprintf(text, ERROR_TEXT, "STUN error response: %u", result->error);
        return text;
    }
    return result->state == WZP_STUN_UNUSABLE ? "STUN I/O: no address to send to" : "STUN timeout";
}

/* What one family has heard, of servers that have nothing better to show. */
static void report_family(wzp_survey *s, const family *f, wzp_netcheck *report) {
    for (size_t i = 0; f->is_running && i < f->count; i++) {
        const wzp_stun_result *result = wzp_stun_client_result(&f->client, i);
        wzp_netcheck_probe *probe = &report->stun[f->target[i]];
        if (probe->addr.family != WZP_ADDR_NONE) {
            continue;
        }
        probe->addr = result->server;
        probe->observed = result->mapped;
        probe->has_time = result->state == WZP_STUN_ANSWERED;
        probe->time_ms = (uint32_t)(result->rtt / WZP_MS);
        probe->error = stun_error(result, s->errors[f->target[i]]);
    }
}

static bool has_answer(const family *f) {
    return f->is_running && wzp_stun_client_first(&f->client) != NULL;
}

/* One family at a time: addresses of two are no two addresses of one NAT. */
static void judge(const family *f, wzp_netcheck *report) {
    wzp_nat_probe probes[WZP_SURVEY_STUN_MAX];
    uint16_t ports[WZP_SURVEY_STUN_MAX];
    size_t answers = 0;
    for (size_t i = 0; i < f->count; i++) {
        const wzp_stun_result *result = wzp_stun_client_result(&f->client, i);
        probes[i] = (wzp_nat_probe){result->server, result->mapped};
        if (result->state == WZP_STUN_ANSWERED) {
            ports[answers++] = result->mapped.port;
        }
    }
    report->nat = wzp_nat_type_classify(probes, f->count, WZP_NAT_TYPE_REFERENCE);
    report->has_alloc = answers > 0;
    report->alloc = wzp_port_alloc_classify(ports, answers);
}

static void report_relays(const wzp_survey *s, wzp_netcheck *report) {
    report->relay_count = s->relay_count;
    for (size_t i = 0; i < s->relay_count; i++) {
        const wzp_relay_probe *p = &s->probes[i];
        const bool has_answered = p->state == WZP_RELAY_PROBE_ANSWERED;
        report->relays[i] =
            (wzp_netcheck_probe){.name = s->relays[i].name,
                                 .addr = p->relay,
                                 .observed = p->observed,
                                 .has_time = has_answered,
                                 .time_ms = (uint32_t)((p->rtt + WZP_MS / 2) / WZP_MS),
                                 .error = has_answered          ? NULL
                                          : p->error[0] != '\0' ? p->error
                                                                : s->relays[i].error};
    }
}

void wzp_survey_report(wzp_survey *s, wzp_netcheck *report) {
    report->stun_count = s->stun_count;
    for (size_t i = 0; i < s->stun_count; i++) {
        report->stun[i] = (wzp_netcheck_probe){.name = s->stun[i].name, .error = s->stun[i].error};
    }
    report_family(s, &s->v4, report);
    report_family(s, &s->v6, report);
    report->ipv4 = has_answer(&s->v4);
    report->ipv6 = has_answer(&s->v6);
    report->nat = (wzp_nat_verdict){.type = WZP_NAT_TYPE_UNKNOWN};
    report->has_alloc = false;
    if (report->ipv4 || report->ipv6) {
        judge(report->ipv4 ? &s->v4 : &s->v6, report);
    }
    report->hairpin = s->hairpin == HAIRPIN_WORKS   ? WZP_NETCHECK_YES
                      : s->hairpin == HAIRPIN_FAILS ? WZP_NETCHECK_NO
                                                    : WZP_NETCHECK_UNTRIED;
    report_relays(s, report);
}

/* --- life ------------------------------------------------------------------------------------- */

static void start_family(wzp_survey *s, family *f, const wzp_survey_cfg *cfg, bool is_v6,
                         wzp_time now) {
    const wzp_stun_client_cfg stun = {
        .order = WZP_STUN_ALL,
        .timeout = cfg->stun_timeout != 0 ? cfg->stun_timeout : STUN_TIMEOUT,
        .accepts_local = true, /* it is reported as it is, and the judges know better */
        .has_fingerprint = true};
    wzp_addr servers[WZP_SURVEY_STUN_MAX];
    for (size_t i = 0; i < s->stun_count; i++) {
        const wzp_addr *addr = is_v6 ? &s->stun[i].v6 : &s->stun[i].v4;
        if (addr->family != WZP_ADDR_NONE) {
            servers[f->count] = *addr;
            f->target[f->count++] = i;
        }
    }
    f->is_running = f->count > 0 && wzp_stun_client_start(&f->client, &stun, servers, f->count,
                                                          cfg->rng, now) == WZP_OK;
}

static void start_relays(wzp_survey *s, const wzp_survey_cfg *cfg, wzp_time now) {
    for (size_t i = 0; i < s->relay_count; i++) {
        const wzp_survey_target *relay = &s->relays[i];
        const wzp_addr *addr =
            relay->v4.family != WZP_ADDR_NONE || cfg->no_v6 ? &relay->v4 : &relay->v6;
        if (addr->family != WZP_ADDR_NONE) {
            wzp_relay_probe_start(&s->probes[i], s->endpoint, addr, WZP_RELAY_PROBE_REFLECT,
                                  cfg->relay_timeout, now);
        }
    }
}

wzp_err wzp_survey_new(wzp_survey **out, const wzp_survey_cfg *cfg, wzp_time now) {
    wzp_survey *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return WZP_ERR_NOMEM;
    }
    s->endpoint = cfg->endpoint;
    s->inner = wzp_endpoint_core(cfg->endpoint);
    for (; s->stun_count < cfg->stun_count && s->stun_count < WZP_SURVEY_STUN_MAX;
         s->stun_count++) {
        s->stun[s->stun_count] = cfg->stun[s->stun_count];
    }
    for (; s->relay_count < cfg->relay_count && s->relay_count < WZP_SURVEY_RELAYS_MAX;
         s->relay_count++) {
        s->relays[s->relay_count] = cfg->relays[s->relay_count];
    }
    wzp_rng_fill(cfg->rng, s->hairpin_txid, sizeof s->hairpin_txid);
    start_family(s, &s->v4, cfg, false, now);
    if (!cfg->no_v6) {
        start_family(s, &s->v6, cfg, true, now);
    }
    if (s->v4.is_running) {
        wzp_endpoint_run_stun(s->endpoint, &s->v4.client);
    }
    start_relays(s, cfg, now);
    *out = s;
    return WZP_OK;
}

void wzp_survey_free(wzp_survey **survey, wzp_time now) {
    wzp_survey *s = *survey;
    if (s == NULL) {
        return;
    }
    wzp_endpoint_run_stun(s->endpoint, NULL);
    for (size_t i = 0; i < s->relay_count; i++) {
        wzp_relay_probe_stop(&s->probes[i], now);
    }
    free(s);
    *survey = NULL;
}
