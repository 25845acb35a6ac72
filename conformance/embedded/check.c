#include "conformance/embedded/check.h"

#include <stdlib.h>

#include "call/survey.h"

enum { TEXT_MAX = 8192, STUN_MAX = 2 };

struct wzp_ct_check {
    wzp_rng rng;
    wzp_endpoint *endpoint;
    wzp_survey *survey;
    wzp_survey_target stun[STUN_MAX], relay;
    char names[STUN_MAX][WZP_ADDR_TEXT_MAX];
    wzp_time began;
    bool as_json, is_over;
    uint8_t text[TEXT_MAX]; /* with a terminator */
};

static void write_report(wzp_ct_check *c, wzp_time now) {
    wzp_netcheck report = {.gateway = {.family = WZP_ADDR_NONE}};
    wzp_wr wr;
    wzp_survey_report(c->survey, &report);
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
    if (!c->is_over && wzp_survey_is_done(c->survey)) {
        write_report(c, now);
    }
}

/* --- core ------------------------------------------------------------------------------------- */

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    const wzp_core core = wzp_survey_core(((wzp_ct_check *)self)->survey);
    core.ops->recv(core.self, path, ecn, payload, now);
    turn(self, now);
}

static void core_tick(void *self, wzp_time now) {
    const wzp_core core = wzp_survey_core(((wzp_ct_check *)self)->survey);
    core.ops->tick(core.self, now);
    turn(self, now);
}

static wzp_time core_deadline(const void *self) {
    const wzp_core core = wzp_survey_core(((const wzp_ct_check *)self)->survey);
    return core.ops->deadline(core.self);
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    const wzp_core core = wzp_survey_core(((wzp_ct_check *)self)->survey);
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

wzp_ct_check *wzp_ct_check_new(const wzp_ct_invitation *to, wzp_rng rng, bool deterministic,
                               wzp_time now) {
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
