/* Clients that have a port mapped at their gateway: what they ask it, and what they make of its
 * answers (nat sheet 1.8, part 3).  UPnP is not seen from here: it searches by multicast and goes
 * on by TCP. */
#include <string.h>

#include "conformance/cases/calls/gateway.h"
#include "conformance/cases/macros.h"

/* Others see the client at 203.0.113.1, and so does a gateway that tells the truth. */
#define TRUE_IP                                                                                    \
    { 203, 0, 113, 1 }
#define ANNOUNCE_EVERY (400 * WZP_MS)
enum { PORT = 51413, LIFETIME_S = 7200, SHORT_S = 20 };

#define GATEWAY(natpmp, pcp)                                                                       \
    {                                                                                              \
        .how = {WZP_CT_MAPS##natpmp, WZP_CT_MAPS##pcp}, .ip = TRUE_IP, .port = PORT,               \
        .lifetime_s = LIFETIME_S                                                                   \
    }
static const wzp_ct_gateway silent = GATEWAY(_SILENTLY, _SILENTLY);
static const wzp_ct_gateway natpmp_alone = GATEWAY(, _SILENTLY);
static const wzp_ct_gateway pcp_alone = GATEWAY(_SILENTLY, );
static const wzp_ct_gateway natpmp_refused = GATEWAY(_REFUSES, );
static const wzp_ct_gateway natpmp_only = GATEWAY(, _OLD);
static const wzp_ct_gateway natpmp_lies = GATEWAY(_LIES, _SILENTLY);
static const wzp_ct_gateway pcp_lies = GATEWAY(_SILENTLY, _LIES);

static const wzp_ct_gateway is_brief = {
    .how = {WZP_CT_MAPS, WZP_CT_MAPS_SILENTLY}, .ip = TRUE_IP, .port = PORT, .lifetime_s = SHORT_S};
#define OUTSIDE(...)                                                                               \
    {                                                                                              \
        .how = {WZP_CT_MAPS, WZP_CT_MAPS}, .ip = {__VA_ARGS__}, .port = PORT,                      \
        .lifetime_s = LIFETIME_S                                                                   \
    }
static const wzp_ct_gateway carrier = OUTSIDE(100, 64, 1, 2);
static const wzp_ct_gateway indoors = OUTSIDE(192, 168, 5, 6);
static const wzp_ct_gateway loopback = OUTSIDE(127, 0, 0, 1);
static const wzp_ct_gateway nowhere = OUTSIDE(0, 0, 0, 0);

static const wzp_ct_setting no_peer = {.is_nowhere = true};

#define OPENS(gateway)                                                                             \
    {                                                                                              \
        .required = "the client registers", .within_s = 10, .begin = wzp_ct_gateway_opens,         \
        .go = wzp_ct_call_is_registered, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (gateway)       \
    }
#define ASKS(what)                                                                                 \
    {                                                                                              \
        .required = "it asks the gateway for a port", .within_s = 8, .go = (what),                 \
        .late = WZP_CT_REASON_NO_RESPONSE                                                          \
    }

/* --- what it asks ----------------------------------------------------------------------------- */

static bool has_asked(wzp_ct_exec *e, size_t protocol) {
    const wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    return st->asked[protocol].requests > 0;
}

static wzp_ct_so_far asks_any(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_gateway_awaits(e, has_asked(e, WZP_CT_NATPMP) || has_asked(e, WZP_CT_PCP),
                                 "port mapping", now);
}

static wzp_ct_so_far asks_natpmp(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    return wzp_ct_gateway_awaits(e, st->asked[WZP_CT_NATPMP].maps > 0, "NAT-PMP", now);
}

static wzp_ct_so_far asks_pcp(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_gateway_awaits(e, has_asked(e, WZP_CT_PCP), "PCP", now);
}

static void put_port(uint8_t *at, uint16_t port) {
    at[0] = (uint8_t)(port >> 8);
    at[1] = (uint8_t)port;
}

/* The first byte that differs, or `len`. */
static size_t differs_at(const uint8_t *a, const uint8_t *b, size_t len) {
    size_t i = 0;
    while (i < len && a[i] == b[i]) {
        i++;
    }
    return i;
}

static wzp_ct_so_far is_as(wzp_ct_exec *e, const wzp_ct_asked *asked, const uint8_t *want,
                           size_t len) {
    const size_t at = differs_at(asked->last, want, len);
    if (at == len && asked->last_len == len) {
        return WZP_CT_HAPPENED;
    }
    if (at == len) {
        wzp_ct_play_say(e, "the request has more than %zu bytes", len);
    } else {
        wzp_ct_play_say(e, "byte %zu of the request is %02x instead of %02x", at, asked->last[at],
                        want[at]);
    }
    return WZP_CT_NEVER;
}

/* Vector P2, with the client's port. */
static wzp_ct_so_far go_natpmp_bytes(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    const uint16_t port = wzp_ct_play_caller(e)->client.port;
    uint8_t want[WZP_CT_NATPMP_LEN] = {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x1c, 0x20};
    (void)now;
    put_port(want + 4, port);
    put_port(want + 6, port);
    return is_as(e, &st->asked[WZP_CT_NATPMP], want, sizeof want);
}

/* Vector P5, with the client's address, port and nonce. */
static wzp_ct_so_far go_pcp_bytes(wzp_ct_exec *e, wzp_time now) {
    static const uint8_t zeros[12];
    const wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    const wzp_ct_asked *asked = &st->asked[WZP_CT_PCP];
    const uint16_t port = wzp_ct_play_caller(e)->client.port;
    uint8_t want[WZP_CT_PCP_LEN] = {2, 1, 0, 0, 0, 0, 0x1c, 0x20};
    (void)now;
    want[18] = want[19] = 0xff;
    memcpy(want + 20, asked->from.ip, 4);
    memcpy(want + 24, asked->last + 24, 12);
    want[36] = 17;
    put_port(want + 40, port);
    put_port(want + 42, port);
    if (memcmp(want + 24, zeros, sizeof zeros) == 0) {
        wzp_ct_play_say(e, "its nonce is zero");
        return WZP_CT_NEVER;
    }
    return is_as(e, asked, want, sizeof want);
}

#define IN_BYTES(text, what)                                                                       \
    { .required = (text), .within_s = 1, .go = (what), .late = WZP_CT_REASON_NO_RESPONSE }

static const wzp_ct_act nat040[] = {
    OPENS(&natpmp_alone), WZP_CT_CALL_ANSWERED, ASKS(asks_natpmp),
    IN_BYTES("by NAT-PMP, in the bytes of vector P2", go_natpmp_bytes)};
static const wzp_ct_act nat040b[] = {
    OPENS(&pcp_alone), WZP_CT_CALL_ANSWERED, ASKS(asks_pcp),
    IN_BYTES("by PCP, in the bytes of vector P5, with a nonce", go_pcp_bytes)};

/* --- what it makes of answers ----------------------------------------------------------------- */

/* What the client should have been put off by may never have come: good behaviour means nothing
 * then. */
static wzp_ct_so_far unless_lost(wzp_ct_exec *e) {
    const wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    bool was_tried = false;
    for (size_t i = 0; i < WZP_CT_MAP_PROTOCOLS; i++) {
        const wzp_ct_maps how = st->gateway->how[i];
        was_tried = was_tried || (how != WZP_CT_MAPS && how != WZP_CT_MAPS_SILENTLY);
    }
    return was_tried && wzp_ct_caller_path_is_bad(wzp_ct_play_caller(e)) ? WZP_CT_UNSURE
                                                                         : WZP_CT_HAPPENED;
}

static wzp_ct_so_far go_tells_granted(wzp_ct_exec *e, wzp_time now) {
    const wzp_opt_str *mapped = wzp_ct_gateway_told(wzp_ct_play_caller(e));
    if (mapped != NULL && wzp_bytes_equal(mapped->value, wzp_bytes_str("203.0.113.1:51413"))) {
        return unless_lost(e);
    }
    if (mapped != NULL) {
        wzp_ct_play_say(e, "it tells %.*s", (int)mapped->value.len,
                        (const char *)mapped->value.data);
        return WZP_CT_NEVER;
    }
    const wzp_ct_so_far asked = asks_any(e, now);
    return asked == WZP_CT_HAPPENED ? WZP_CT_NOT_YET : asked;
}

static wzp_ct_so_far go_tells_none(wzp_ct_exec *e, wzp_time now) {
    const wzp_opt_str *mapped = wzp_ct_gateway_told(wzp_ct_play_caller(e));
    if (mapped != NULL) {
        wzp_ct_play_say(e, "it tells %.*s", (int)mapped->value.len,
                        (const char *)mapped->value.data);
        return WZP_CT_NEVER;
    }
    return !wzp_ct_call_is_up(e)                     ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) < 3 * WZP_S ? WZP_CT_NOT_YET
                                                     : unless_lost(e);
}

/* In its answer, or in an update of the call. */
#define TELLS                                                                                      \
    {                                                                                              \
        .required = "it tells the peer the address that it was granted", .within_s = 9,            \
        .begin = wzp_ct_call_set_up, .go = go_tells_granted, .late = WZP_CT_REASON_NO_RESPONSE,    \
        .arg = &no_peer                                                                            \
    }
#define TELLS_NONE                                                                                 \
    {                                                                                              \
        .required = "it tells the peer no mapped address", .within_s = 4,                          \
        .begin = wzp_ct_call_set_up, .go = go_tells_none, .never = WZP_CT_REASON_WRONG_RESPONSE,   \
        .arg = &no_peer                                                                            \
    }

static const wzp_ct_act nat041[] = {OPENS(&natpmp_refused), WZP_CT_CALL_ANSWERED, TELLS};
static const wzp_ct_act nat041b[] = {OPENS(&natpmp_only), WZP_CT_CALL_ANSWERED, TELLS};
static const wzp_ct_act nat043[] = {OPENS(&natpmp_alone), WZP_CT_CALL_ANSWERED, TELLS};
static const wzp_ct_act nat043b[] = {OPENS(&pcp_alone), WZP_CT_CALL_ANSWERED, TELLS};

#define USELESS(gateway)                                                                           \
    { OPENS(gateway), WZP_CT_CALL_ANSWERED, ASKS(asks_any), TELLS_NONE }
static const wzp_ct_act nat044[] = USELESS(&carrier);
static const wzp_ct_act nat044b[] = USELESS(&indoors);
static const wzp_ct_act nat044c[] = USELESS(&loopback);
static const wzp_ct_act nat044d[] = USELESS(&nowhere);
static const wzp_ct_act nat047[] = {OPENS(&pcp_lies), WZP_CT_CALL_ANSWERED, ASKS(asks_pcp),
                                    TELLS_NONE};
static const wzp_ct_act nat047b[] = {OPENS(&natpmp_lies), WZP_CT_CALL_ANSWERED, ASKS(asks_natpmp),
                                     TELLS_NONE};

/* 0.3 s, and as much again for the way of both signals. */
static const wzp_ct_act nat045[] = {OPENS(&silent),
                                    {"it answers 0.3 s after the offer", 0.6, wzp_ct_call_ring,
                                     wzp_ct_call_answers, WZP_CT_REASON_LATE, WZP_CT_REASON_NONE,
                                     NULL},
                                    ASKS(asks_any)};

/* --- as long as it lasts ---------------------------------------------------------------------- */

/* At half of the life, or up to 5/8 of it (RFC 6887 11.2.1), and what a machine adds. */
static wzp_ct_so_far go_renews(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    const wzp_ct_asked *asked = &st->asked[WZP_CT_NATPMP];
    (void)now;
    if (asked->renewed_at == WZP_TIME_NEVER) {
        return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
    }
    const double after_s = (double)(asked->renewed_at - asked->granted_at) / 1e9;
    if (after_s >= 0.4 * SHORT_S && after_s <= 0.7 * SHORT_S) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e, "it asks again after %.1f of %d s", after_s, SHORT_S);
    return WZP_CT_NEVER;
}

static const wzp_ct_act nat046[] = {OPENS(&is_brief),
                                    WZP_CT_CALL_ANSWERED,
                                    ASKS(asks_natpmp),
                                    {"it asks again at half of its life", 0.8 * SHORT_S, NULL,
                                     go_renews, WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_LATE,
                                     NULL}};

/* An announcement may be lost: it comes three times. */
static bool restart(wzp_ct_exec *e, wzp_time now) {
    (void)wzp_ct_call_begin(e, now);
    wzp_ct_gateway_restart(e, now);
    return true;
}

static wzp_ct_so_far go_maps_again(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    const uint64_t due = (st->call.done + 1) * ANNOUNCE_EVERY;
    if (st->asked[WZP_CT_PCP].maps > st->maps_before) {
        return WZP_CT_HAPPENED;
    }
    if (st->call.done < 2 && wzp_ct_play_elapsed(e, now) >= due) {
        st->call.done++;
        wzp_ct_gateway_announce(e, now);
    }
    wzp_ct_play_wake(e, now + ANNOUNCE_EVERY / 2);
    return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
}

/* Requests that are only repeated are over by then. */
static const wzp_ct_act nat046c[] = {
    OPENS(&pcp_alone),
    WZP_CT_CALL_ANSWERED,
    ASKS(asks_pcp),
    TELLS,
    {"the mapping stands", 1.5, NULL, NULL, WZP_CT_REASON_NONE, WZP_CT_REASON_NONE, NULL},
    {"the gateway has restarted: it asks again within 2 s", 2.5, restart, go_maps_again,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE, NULL}};

static wzp_ct_so_far go_releases(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_gateway_state *st = wzp_ct_play_state(e);
    if (st->asked[WZP_CT_NATPMP].releases > 0) {
        return WZP_CT_HAPPENED;
    }
    const bool waits_on = wzp_ct_play_elapsed(e, now) > 4 * WZP_S && wzp_ct_call_is_up(e);
    return waits_on ? wzp_ct_play_lacks(e, "an end after a call") : WZP_CT_NOT_YET;
}

static const wzp_ct_act nat046b[] = {
    OPENS(&natpmp_alone),
    WZP_CT_CALL_ANSWERED,
    TELLS,
    {"the call ends, and with it the client: it gives the port back", 5, wzp_ct_gateway_hang_up,
     go_releases, WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE, NULL}};

/* --- the table -------------------------------------------------------------------------------- */

#define MAP(id, level_, title, must, what, script)                                                 \
    {                                                                                              \
        .kind = WZP_CT_PLAY, .client = WZP_CT_CLIENT_CLEAR, .mode = WZP_CT_LISTENS,                \
        .needs_gateway = true,                                                                     \
        .info = {INFO(id, "MAP", title, id, must, what, "nat 1.8, part 3"), .level = (level_)},    \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = sizeof(wzp_ct_gateway_state),             \
        .on_loose = wzp_ct_gateway_on_loose                                                        \
    }

static const wzp_ct_case cases[] = {
    MAP("NAT-040", WZP_CT_MUST, "the request of NAT-PMP",
        "ask for the port of its socket, for two hours", "a gateway that speaks NAT-PMP", nat040),
    MAP("NAT-040b", WZP_CT_MUST, "the request of PCP",
        "ask for the port of its socket, for two hours, with a nonce", "a gateway that speaks PCP",
        nat040b),
    MAP("NAT-041", WZP_CT_MUST, "NAT-PMP is refused", "use PCP all the same",
        "a gateway that refuses NAT-PMP", nat041),
    MAP("NAT-041b", WZP_CT_MUST, "PCP is refused in the words of NAT-PMP",
        "use NAT-PMP all the same", "a gateway that speaks NAT-PMP only", nat041b),
    MAP("NAT-043", WZP_CT_MUST, "another port by NAT-PMP", "tell the port that was granted",
        "51413, whatever was asked for", nat043),
    MAP("NAT-043b", WZP_CT_MUST, "another port by PCP", "tell the port that was granted",
        "51413, whatever was asked for", nat043b),
    MAP("NAT-044", WZP_CT_SHOULD, "a carrier's NAT behind the gateway", "not tell its address",
        "100.64.1.2 as the outer address", nat044),
    MAP("NAT-044b", WZP_CT_SHOULD, "another router behind the gateway", "not tell its address",
        "192.168.5.6 as the outer address", nat044b),
    MAP("NAT-044c", WZP_CT_SHOULD, "a loopback address outside", "not tell it",
        "127.0.0.1 as the outer address", nat044c),
    MAP("NAT-044d", WZP_CT_SHOULD, "no address outside", "not tell it",
        "0.0.0.0 as the outer address", nat044d),
    MAP("NAT-045", WZP_CT_SHOULD, "a gateway that says nothing",
        "delay its answer by 0.3 s at most", "silence", nat045),
    MAP("NAT-046", WZP_CT_SHOULD, "a mapping that ends", "ask again at half of its life",
        "20 s are granted", nat046),
    MAP("NAT-046b", WZP_CT_SHOULD, "a mapping that is not needed any more", "give it back",
        "the call ends", nat046b),
    MAP("NAT-046c", WZP_CT_SHOULD, "a gateway that restarts", "ask again",
        "PCP's announcement of a new epoch", nat046c),
    MAP("NAT-047", WZP_CT_MUST, "answers that are none, by PCP", "not use them",
        "another nonce, a request, a cut answer, a failure", nat047),
    MAP("NAT-047b", WZP_CT_MUST, "answers that are none, by NAT-PMP", "not use them",
        "a cut answer, a request, a failure", nat047b),
};

const wzp_ct_chapter wzp_ct_chapter_map = {"MAP", "Clients: ports at the gateway", cases,
                                           WZP_COUNT_OF(cases)};
