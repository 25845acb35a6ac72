#include "conformance/cases/calls/gateway.h"

#include <string.h>

#include "base/wr.h"
#include "io/sockaddr.h"

enum { ANSWER = 0x80, NATPMP_ADDRESS_LEN = 2, FAILURE = 2, NO_RESOURCES = 8, ANNOUNCE_PORT = 5350 };
/* Ports that lies give out: which one is told says what was believed. */
enum { LIE_NONCE = 661, LIE_REQUEST, LIE_SHORT, LIE_FAILURE };

#define REPEATS (WZP_S) /* what comes so soon after an answer was sent before it came */

void wzp_ct_gateway_is(wzp_ct_exec *e, const wzp_ct_gateway *gateway, wzp_time now) {
    wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    st->gateway = gateway;
    st->began = now;
    for (size_t i = 0; i < WZP_CT_MAP_PROTOCOLS; i++) {
        st->asked[i].granted_at = st->asked[i].renewed_at = WZP_TIME_NEVER;
    }
}

bool wzp_ct_gateway_opens(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_gateway_is(e, wzp_ct_play_arg(e), now);
    wzp_ct_play_caller(e)->observes = WZP_CT_OBSERVES_LARGER;
    return true;
}

static uint32_t epoch_s(const wzp_ct_gateway_state *st, wzp_time now) {
    return (st->has_restarted ? 0 : 86400) + (uint32_t)((now - st->began) / WZP_S);
}

static uint32_t number(const uint8_t *at, size_t len) {
    uint32_t n = 0;
    for (size_t i = 0; i < len; i++) {
        n = n << 8 | at[i];
    }
    return n;
}

static void throw_to(wzp_ct_exec *e, const wzp_addr *to, const wzp_wr *wr) {
    (void)wzp_ct_caller_throw(wzp_ct_play_caller(e), WZP_CT_AT_GATEWAY, to,
                              wzp_bytes_of(wr->base, wzp_wr_len(wr)));
}

/* --- NAT-PMP ---------------------------------------------------------------------------------- */

static void natpmp_head(wzp_wr *wr, uint8_t op, uint16_t result, uint32_t epoch) {
    wzp_wr_u8(wr, 0);
    wzp_wr_u8(wr, op);
    wzp_wr_u16(wr, result);
    wzp_wr_u32(wr, epoch);
}

static void natpmp_says_address(wzp_ct_exec *e, const wzp_addr *to, uint16_t result, wzp_time now) {
    const wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    static const uint8_t nowhere[4];
    uint8_t buf[16];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    natpmp_head(&wr, ANSWER, result, epoch_s(st, now));
    wzp_wr_bytes(&wr, wzp_bytes_of(result == 0 ? st->gateway->ip : nowhere, 4));
    throw_to(e, to, &wr);
}

/* A mapping for whoever asked last. */
typedef struct natpmp_map {
    uint8_t op;
    uint16_t result, port;
    uint32_t lifetime_s;
    size_t len; /* cut */
} natpmp_map;

static void natpmp_says_map(wzp_ct_exec *e, const natpmp_map *map, wzp_time now) {
    const wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    const wzp_ct_asked *asked = &st->asked[WZP_CT_NATPMP];
    uint8_t buf[16];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    natpmp_head(&wr, map->op, map->result, epoch_s(st, now));
    wzp_wr_bytes(&wr, wzp_bytes_of(asked->last + 4, 2));
    wzp_wr_u16(&wr, map->port);
    wzp_wr_u32(&wr, map->lifetime_s);
    wr.pos = wr.base + map->len;
    throw_to(e, &asked->from, &wr);
}

static void natpmp_lies(wzp_ct_exec *e, wzp_time now) {
    static const natpmp_map lies[] = {{ANSWER + 1, 0, LIE_SHORT, 7200, 12},
                                      {1, 0, LIE_REQUEST, 7200, 16},
                                      {ANSWER + 1, FAILURE, LIE_FAILURE, 7200, 16}};
    for (size_t i = 0; i < WZP_COUNT_OF(lies); i++) {
        natpmp_says_map(e, &lies[i], now);
    }
}

static void natpmp_maps(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    wzp_ct_asked *asked = &st->asked[WZP_CT_NATPMP];
    const bool releases = number(asked->last + 8, 4) == 0;
    const natpmp_map map = {ANSWER + 1, 0, releases ? 0 : st->gateway->port,
                            releases ? 0 : st->gateway->lifetime_s, 16};
    asked->granted_at = asked->granted_at == WZP_TIME_NEVER && !releases ? now : asked->granted_at;
    natpmp_says_map(e, &map, now);
}

static void on_natpmp(wzp_ct_exec *e, const wzp_addr *from, wzp_bytes bytes, wzp_time now) {
    const wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    const wzp_ct_maps how = st->gateway->how[WZP_CT_NATPMP];
    const bool is_map = bytes.len >= WZP_CT_NATPMP_LEN && bytes.data[1] == 1;
    if (how == WZP_CT_MAPS_SILENTLY) {
        return;
    }
    if (how == WZP_CT_MAPS_REFUSES || !is_map) {
        natpmp_says_address(e, from, how == WZP_CT_MAPS_REFUSES ? FAILURE : 0, now);
    } else if (how == WZP_CT_MAPS_LIES) {
        natpmp_lies(e, now);
    } else {
        natpmp_maps(e, now);
    }
}

/* --- PCP -------------------------------------------------------------------------------------- */

typedef struct pcp_map {
    uint8_t op, result, nonce_change;
    uint16_t port;
    uint32_t lifetime_s;
    size_t len; /* cut */
} pcp_map;

static void pcp_says(wzp_ct_exec *e, const pcp_map *map, wzp_time now) {
    static const uint8_t zeros[12];
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    const wzp_ct_asked *asked = &st->asked[WZP_CT_PCP];
    uint8_t buf[WZP_CT_PCP_LEN];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_wr_u8(&wr, 2);
    wzp_wr_u8(&wr, map->op);
    wzp_wr_u8(&wr, 0);
    wzp_wr_u8(&wr, map->result);
    wzp_wr_u32(&wr, map->lifetime_s);
    wzp_wr_u32(&wr, epoch_s(st, now));
    wzp_wr_bytes(&wr, wzp_bytes_of(zeros, sizeof zeros));
    wzp_wr_bytes(&wr, wzp_bytes_of(asked->last + 24, 18)); /* nonce, protocol, internal port */
    wzp_wr_u16(&wr, map->port);
    wzp_wr_bytes(&wr, wzp_bytes_of(mapped, sizeof mapped));
    wzp_wr_bytes(&wr, wzp_bytes_of(st->gateway->ip, 4));
    buf[24] ^= map->nonce_change;
    wr.pos = wr.base + map->len;
    throw_to(e, &asked->from, &wr);
}

static void pcp_lies(wzp_ct_exec *e, wzp_time now) {
    static const pcp_map lies[] = {{ANSWER + 1, 0, 1, LIE_NONCE, 7200, 60},
                                   {1, 0, 0, LIE_REQUEST, 7200, 60},
                                   {ANSWER + 1, 0, 0, LIE_SHORT, 7200, 59},
                                   {ANSWER + 1, NO_RESOURCES, 0, LIE_FAILURE, 30, 60}};
    for (size_t i = 0; i < WZP_COUNT_OF(lies); i++) {
        pcp_says(e, &lies[i], now);
    }
}

static void pcp_maps(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    wzp_ct_asked *asked = &st->asked[WZP_CT_PCP];
    const bool releases = number(asked->last + 4, 4) == 0;
    asked->granted_at = asked->granted_at == WZP_TIME_NEVER && !releases ? now : asked->granted_at;
    pcp_says(
        e,
        &(pcp_map){ANSWER + 1, 0, 0, st->gateway->port, releases ? 0 : st->gateway->lifetime_s, 60},
        now);
}

static void on_pcp(wzp_ct_exec *e, const wzp_addr *from, wzp_time now) {
    const wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    uint8_t old[8];
    wzp_wr wr;
    switch (st->gateway->how[WZP_CT_PCP]) {
    case WZP_CT_MAPS_SILENTLY:
        break;
    case WZP_CT_MAPS:
        pcp_maps(e, now);
        break;
    case WZP_CT_MAPS_REFUSES:
        pcp_says(e, &(pcp_map){ANSWER + 1, FAILURE, 0, 0, 30, 60}, now);
        break;
    case WZP_CT_MAPS_OLD:
        wzp_wr_init(&wr, old, sizeof old);
        natpmp_head(&wr, ANSWER, 1, epoch_s(st, now));
        throw_to(e, from, &wr);
        break;
    case WZP_CT_MAPS_LIES:
        pcp_lies(e, now);
        break;
    }
}

/* --- a restart -------------------------------------------------------------------------------- */

void wzp_ct_gateway_restart(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    st->began = now;
    st->has_restarted = true;
    st->maps_before = st->asked[WZP_CT_PCP].maps;
    wzp_ct_gateway_announce(e, now);
}

void wzp_ct_gateway_announce(wzp_ct_exec *e, wzp_time now) {
    static const uint8_t zeros[12];
    const wzp_addr all = wzp_addr_v4(224, 0, 0, 1, ANNOUNCE_PORT);
    const wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    uint8_t buf[24];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_wr_u8(&wr, 2);
    wzp_wr_u8(&wr, ANSWER);
    wzp_wr_u16(&wr, 0);
    wzp_wr_u32(&wr, 0);
    wzp_wr_u32(&wr, epoch_s(st, now));
    wzp_wr_bytes(&wr, wzp_bytes_of(zeros, sizeof zeros));
    throw_to(e, &st->asked[WZP_CT_PCP].from, &wr);
    if (wzp_addr_is_loopback(&wzp_ct_play_caller(e)->places[WZP_CT_AT_GATEWAY])) {
        throw_to(e, &all, &wr); /* from such an address it goes nowhere but to loopback */
    }
}

/* --- what is asked ---------------------------------------------------------------------------- */

static void note(wzp_ct_asked *asked, const wzp_addr *from, wzp_bytes bytes, bool is_map,
                 uint32_t lifetime_s, wzp_time now) {
    asked->requests++;
    asked->from = *from;
    if (asked->granted_at != WZP_TIME_NEVER && asked->renewed_at == WZP_TIME_NEVER &&
        now > asked->granted_at + REPEATS && (!is_map || lifetime_s > 0)) {
        asked->renewed_at = now;
    }
    if (is_map) {
        asked->maps += lifetime_s > 0 ? 1 : 0;
        asked->releases += lifetime_s == 0 ? 1 : 0;
        asked->last_len = bytes.len < sizeof asked->last ? bytes.len : sizeof asked->last;
        memcpy(asked->last, bytes.data, asked->last_len);
    }
}

void wzp_ct_gateway_on_loose(wzp_ct_exec *e, const wzp_quic_path *path, wzp_bytes bytes,
                             wzp_time now) {
    wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    if (!wzp_addr_equal(&path->local, &c->places[WZP_CT_AT_GATEWAY]) || st->gateway == NULL ||
        bytes.len < NATPMP_ADDRESS_LEN) {
        return;
    }
    const bool is_pcp = bytes.data[0] == 2 && bytes.data[1] == 1 && bytes.len >= WZP_CT_PCP_LEN;
    const bool is_map = bytes.data[1] == 1 && bytes.len >= WZP_CT_NATPMP_LEN;
    if (is_pcp) {
        note(&st->asked[WZP_CT_PCP], &path->remote, bytes, true, number(bytes.data + 4, 4), now);
        on_pcp(e, &path->remote, now);
    } else if (bytes.data[0] == 0) {
        note(&st->asked[WZP_CT_NATPMP], &path->remote, bytes, is_map,
             is_map ? number(bytes.data + 8, 4) : 0, now);
        on_natpmp(e, &path->remote, bytes, now);
    }
}

/* --- what cases ask ----------------------------------------------------------------------------
 */

wzp_ct_so_far wzp_ct_gateway_awaits(wzp_ct_exec *e, bool is_there, const char *feature,
                                    wzp_time now) {
    return is_there                                  ? WZP_CT_HAPPENED
           : wzp_ct_play_elapsed(e, now) > 7 * WZP_S ? wzp_ct_play_lacks(e, feature)
           : wzp_ct_call_is_up(e)                    ? WZP_CT_NOT_YET
                                                     : WZP_CT_NEVER;
}

const wzp_opt_str *wzp_ct_gateway_told(const wzp_ct_caller *c) {
    const wzp_signal *answer = c->last[WZP_SIGNAL_DIRECT_CALL_ANSWER];
    const wzp_signal *update = c->last[WZP_SIGNAL_CANDIDATE_UPDATE];
    const wzp_opt_str *mapped = update != NULL   ? &update->u.CandidateUpdate.mapped_addr
                                : answer != NULL ? &answer->u.DirectCallAnswer.callee_mapped_addr
                                                 : NULL;
    return mapped != NULL && mapped->present ? mapped : NULL;
}

bool wzp_ct_gateway_hang_up(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    (void)wzp_ct_call_begin(e, now);
    return wzp_ct_caller_tell(
        c, &(wzp_signal){.kind = WZP_SIGNAL_HANGUP,
                         .version = 1,
                         .u.Hangup = {.reason.kind = WZP_HANGUP_NORMAL,
                                      .call_id = {true, wzp_bytes_str(c->call_id)}}});
}
