#include "conformance/embedded/check.h"

#include <stdlib.h>

#include "call/survey.h"
#include "nat/portmap.h"

enum { TEXT_MAX = 8192, STUN_MAX = 2, MAPS = 2 };

struct wzp_ct_check {
    wzp_rng rng;
    wzp_endpoint *endpoint;
    wzp_survey *survey;
    wzp_survey_target stun[STUN_MAX], relay;
    char names[STUN_MAX][WZP_ADDR_TEXT_MAX];
    wzp_portmap maps[MAPS]; /* NAT-PMP, PCP; by the socket of the survey */
    wzp_addr gateway;       /* NONE: there is none */
    wzp_time began;
    bool as_json, is_over;
    uint8_t text[TEXT_MAX]; /* with a terminator */
};

/* --- the gateway ------------------------------------------------------------------------------ */

static void ask_gateway(wzp_ct_check *c, const wzp_ct_invitation *to, const wzp_addr *local,
                        wzp_time now) {
    static const wzp_portmap_protocol protocols[MAPS] = {WZP_PORTMAP_NATPMP, WZP_PORTMAP_PCP};
    c->gateway = to->gateway;
    for (size_t i = 0; i < MAPS && c->gateway.family != WZP_ADDR_NONE; i++) {
        const wzp_portmap_cfg cfg = {.protocol = protocols[i],
                                     .gateway = to->gateway,
                                     .local = *local,
                                     .accepts_local = true};
        if (wzp_portmap_start(&c->maps[i], &cfg, c->rng, now) != WZP_OK) {
            c->maps[i] = (wzp_portmap){.state = WZP_PORTMAP_OFF};
        }
    }
}

static bool is_asking(const wzp_ct_check *c) {
    return wzp_portmap_state_of(&c->maps[0]) == WZP_PORTMAP_ASKING ||
           wzp_portmap_state_of(&c->maps[1]) == WZP_PORTMAP_ASKING;
}

/* One socket for both: they are told apart by their version, or by NAT-PMP's refusal of PCP. */
static void hear_gateway(wzp_ct_check *c, const wzp_addr *from, wzp_bytes payload, wzp_time now) {
    const bool is_pcp = payload.len > 0 && payload.data[0] >= 2;
    const bool is_refusal = payload.len > 3 && payload.data[0] == 0 && payload.data[3] == 1;
    (void)wzp_portmap_recv(&c->maps[is_pcp || is_refusal ? 1 : 0], from, payload, now);
}

static void report_gateway(const wzp_ct_check *c, wzp_netcheck *report) {
    report->gateway = c->gateway;
    report->natpmp = wzp_portmap_is_spoken(&c->maps[0]);
    report->pcp = wzp_portmap_is_spoken(&c->maps[1]);
    report->mapping = wzp_portmap_external(&c->maps[0]) != NULL   ? WZP_NETCHECK_NATPMP
                      : wzp_portmap_external(&c->maps[1]) != NULL ? WZP_NETCHECK_PCP
                                                                  : report->mapping;
}

/* --- the report ------------------------------------------------------------------------------- */

static void write_report(wzp_ct_check *c, wzp_time now) {
    wzp_netcheck report = {.gateway = {.family = WZP_ADDR_NONE}};
    wzp_wr wr;
    wzp_survey_report(c->survey, &report);
    report_gateway(c, &report);
    report.duration_ms = (uint32_t)(wzp_time_since(now, c->began) / WZP_MS);
    wzp_netcheck_sort(&report);
    wzp_wr_init(&wr, c->text, TEXT_MAX - 1);
    if (c->as_json) {
        wzp_netcheck_json(&wr, &report);
    } else {
        wzp_netcheck_text(&wr, &report);
    }
    c->is_over = true;
}

static void turn(wzp_ct_check *c, wzp_time now) {
    if (!c->is_over && wzp_survey_is_done(c->survey) && !is_asking(c)) {
        write_report(c, now);
    }
}

/* --- core ------------------------------------------------------------------------------------- */

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    wzp_ct_check *c = self;
    const wzp_core core = wzp_survey_core(c->survey);
    if (c->gateway.family != WZP_ADDR_NONE && wzp_addr_same_ip(&path->remote, &c->gateway)) {
        hear_gateway(c, &path->remote, payload, now);
    } else {
        core.ops->recv(core.self, path, ecn, payload, now);
    }
    turn(c, now);
}

static void core_tick(void *self, wzp_time now) {
    wzp_ct_check *c = self;
    const wzp_core core = wzp_survey_core(c->survey);
    core.ops->tick(core.self, now);
    for (size_t i = 0; i < MAPS; i++) {
        wzp_portmap_tick(&c->maps[i], now);
    }
    turn(c, now);
}

static wzp_time core_deadline(const void *self) {
    const wzp_ct_check *c = self;
    const wzp_core core = wzp_survey_core(c->survey);
    wzp_time first = core.ops->deadline(core.self);
    for (size_t i = 0; i < MAPS && !c->is_over; i++) { /* what it was granted ends by itself */
        first = wzp_time_min(first, wzp_portmap_deadline(&c->maps[i]));
    }
    return first;
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    wzp_ct_check *c = self;
    const wzp_core core = wzp_survey_core(c->survey);
    wzp_portmap_datagram question;
    for (size_t i = 0; i < MAPS; i++) {
        if (wzp_portmap_next(&c->maps[i], &question)) {
            memcpy(buf, question.data, question.len);
            *meta = (wzp_quic_meta){.path = {.local = c->maps[i].cfg.local, .remote = question.to},
                                    .segment = (uint16_t)question.len};
            return question.len;
        }
    }
    return core.ops->next_packet(core.self, now, buf, cap, meta);
}

wzp_core wzp_ct_check_core(wzp_ct_check *check) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next_packet};
    return (wzp_core){check, &ops};
}

void wzp_ct_check_words(const wzp_ct_check *check, wzp_ct_words *out) {
    *out = (wzp_ct_words){.text = (const char *)check->text, .has_ended = check->is_over};
}

/* --- life ------------------------------------------------------------------------------------- */

static size_t name_servers(wzp_ct_check *c, const wzp_ct_invitation *to) {
    const wzp_addr *const addrs[STUN_MAX] = {&to->stun, &to->stun2};
    size_t count = 0;
    for (size_t i = 0; i < STUN_MAX; i++) {
        if (addrs[i]->family != WZP_ADDR_NONE) {
            c->stun[count] = (wzp_survey_target){.name = wzp_addr_text(addrs[i], c->names[count]),
                                                 .v4 = *addrs[i]};
            count++;
        }
    }
    return count;
}

wzp_ct_check *wzp_ct_check_new(const wzp_ct_invitation *to, const wzp_addr *local, wzp_rng rng,
                               bool deterministic, wzp_time now) {
    const wzp_quic_cfg quic = {.rng = rng, .deterministic = deterministic};
    wzp_ct_check *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    c->rng = rng;
    c->began = now;
    c->as_json = to->as_json;
    c->relay = (wzp_survey_target){.name = "relay", .v4 = to->addr};
    const size_t servers = name_servers(c, to);
    if (wzp_endpoint_new(&c->endpoint, &quic, now) == WZP_OK) {
        const wzp_survey_cfg cfg = {.endpoint = c->endpoint,
                                    .stun = c->stun,
                                    .stun_count = servers,
                                    .relays = &c->relay,
                                    .relay_count = 1,
                                    .no_v6 = true,
                                    .rng = c->rng};
        if (wzp_survey_new(&c->survey, &cfg, now) == WZP_OK) {
            ask_gateway(c, to, local, now);
            return c;
        }
    }
    wzp_ct_check_free(&c, now);
    return NULL;
}

void wzp_ct_check_free(wzp_ct_check **check, wzp_time now) {
    if (*check != NULL) {
        wzp_survey_free(&(*check)->survey, now);
        wzp_endpoint_free(&(*check)->endpoint);
        free(*check);
        *check = NULL;
    }
}
