/* What traversal asks of a relay: Reflect and registration here, the rest in play_nat.c and
 * play_rebind.c (NAT sheet, part 3). */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/federation/fed.h"
#include "conformance/cases/macros.h"
#include "conformance/cases/nat/nat.h"
#include "conformance/cases/relay/steps.h"

enum { FLOOD = 300 };

typedef struct counted {
    unsigned sent;
} counted;

/* --- Reflect ---------------------------------------------------------------------------------- */

static bool begin_reflect(wzp_ct_exec *e, wzp_time now) {
    bool said = true;
    (void)now;
    for (const wzp_ct_who *who = wzp_ct_play_arg(e); *who != WZP_CT_PARTIES; who++) {
        said = said && wzp_ct_say(e, *who, "\"Reflect\"");
    }
    return said;
}

static wzp_ct_so_far go_reflect(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_so_far all = WZP_CT_HAPPENED;
    (void)now;
    for (const wzp_ct_who *who = wzp_ct_play_arg(e); *who != WZP_CT_PARTIES; who++) {
        const wzp_ct_so_far one = wzp_ct_go_reflected(e, *who);
        all = one == WZP_CT_NEVER || all == WZP_CT_NEVER ? WZP_CT_NEVER
              : one == WZP_CT_NOT_YET                    ? WZP_CT_NOT_YET
                                                         : all;
    }
    return all;
}

/* A second one would have come by now. */
static wzp_ct_so_far go_once(wzp_ct_exec *e, wzp_time now) {
    const uint32_t heard = wzp_ct_play_party(e, WZP_CT_X)->heard[WZP_SIGNAL_REFLECT_RESPONSE];
    return heard > 1                                    ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) > 500 * WZP_MS ? WZP_CT_HAPPENED
                                                        : WZP_CT_NOT_YET;
}

#define REFLECTED(whos)                                                                            \
    {                                                                                              \
        .required = "each gets ReflectResponse with its own address", .within_s = 1,               \
        .begin = begin_reflect, .go = go_reflect, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (whos) \
    }

static const wzp_ct_act nat001[] = {WZP_CT_REGISTERED(wzp_ct_only_x),
                                    REFLECTED(wzp_ct_only_x),
                                    {.required = "and no other one",
                                     .within_s = 2,
                                     .go = go_once,
                                     .late = WZP_CT_REASON_NO_RESPONSE}};
static const wzp_ct_act nat002[] = {WZP_CT_REGISTERED(wzp_ct_x_and_l), REFLECTED(wzp_ct_x_and_l)};

/* --- NAT-003: in which form ------------------------------------------------------------------- */

/* Also where this machine does not know which address it has. */
static wzp_ct_so_far go_dotted(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    const wzp_signal *response = x->last[WZP_SIGNAL_REFLECT_RESPONSE];
    char text[WZP_ADDR_TEXT_MAX];
    char plain[WZP_ADDR_TEXT_MAX];
    wzp_addr addr;
    (void)now;
    if (wzp_ct_play_local(e, WZP_CT_X).family != WZP_ADDR_V4) {
        return wzp_ct_play_lacks(e, "IPv4");
    }
    if (response == NULL) {
        return wzp_party_gone(x) ? WZP_CT_NEVER : WZP_CT_NOT_YET;
    }
    const wzp_bytes said = response->u.ReflectResponse.observed_addr;
    (void)snprintf(text, sizeof text, "%.*s", (int)said.len, (const char *)said.data);
    wzp_ct_play_say(e, "the relay says %s", text);
    return wzp_addr_parse(&addr, text) == WZP_OK && addr.family == WZP_ADDR_V4 &&
                   strcmp(text, wzp_addr_text(&addr, plain)) == 0
               ? WZP_CT_HAPPENED
               : WZP_CT_NEVER;
}

static const wzp_ct_act nat003[] = {WZP_CT_REGISTERED(wzp_ct_only_x),
                                    {.required = "ReflectResponse with a.b.c.d:port",
                                     .within_s = 1,
                                     .begin = begin_reflect,
                                     .go = go_dotted,
                                     .late = WZP_CT_REASON_NO_RESPONSE,
                                     .arg = &wzp_ct_only_x}};

/* --- NAT-004: after a move -------------------------------------------------------------------- */

static bool begin_move(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_play_rebind(e, WZP_CT_X, WZP_CT_P8) && wzp_ct_ping(e, WZP_CT_X, 4);
}

/* What came to the new address, and a while for the relay to have it validated. */
static wzp_ct_so_far go_moved(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_is_gone(e, WZP_CT_X) ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) > WZP_S && wzp_ct_has_pong(e, WZP_CT_X, 4)
               ? WZP_CT_HAPPENED
               : WZP_CT_NOT_YET;
}

/* The old answer must not count for the new address. */
static wzp_ct_so_far go_reflect_new(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    (void)now;
    return x->heard[WZP_SIGNAL_REFLECT_RESPONSE] < 2 && !wzp_party_gone(x)
               ? WZP_CT_NOT_YET
               : wzp_ct_go_reflected(e, WZP_CT_X);
}

static const wzp_ct_act nat004[] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    REFLECTED(wzp_ct_only_x),
    {.required = "the connection lives on at another address",
     .within_s = 5,
     .begin = begin_move,
     .go = go_moved,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "ReflectResponse names the new address",
     .within_s = 3,
     .begin = begin_reflect,
     .go = go_reflect_new,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &wzp_ct_only_x},
};

/* --- NAT-010: too many of them ---------------------------------------------------------------- */

static wzp_ct_so_far go_flood(wzp_ct_exec *e, wzp_time now) {
    counted *c = wzp_ct_play_state(e);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    for (; c->sent < FLOOD && c->sent * WZP_MS <= elapsed && !wzp_ct_is_gone(e, WZP_CT_X);
         c->sent++) {
        (void)wzp_ct_say(e, WZP_CT_X, "\"Reflect\"");
    }
    wzp_ct_play_wake(e, now + 2 * WZP_MS);
    if (elapsed < 2 * WZP_S) {
        return wzp_ct_is_gone(e, WZP_CT_X) ? WZP_CT_NEVER : WZP_CT_NOT_YET;
    }
    const uint32_t came = wzp_ct_play_party(e, WZP_CT_X)->heard[WZP_SIGNAL_REFLECT_RESPONSE];
    wzp_ct_play_say(e, "%u of %d were answered", came, FLOOD);
    return came * 2 < FLOOD ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

static const wzp_ct_ask after_flood = {
    WZP_CT_X, {"{\"Ping\":{\"version\":1,\"timestamp_ms\":10}}"}, 10};

static const wzp_ct_act nat010[] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    {.required = "most of 300 in 0.3 s stay unanswered, without a close",
     .within_s = 5,
     .go = go_flood,
     .late = WZP_CT_REASON_NO_RESPONSE},
    WZP_CT_ASK("Pong to a Ping afterwards", 3, &after_flood),
};

/* --- NAT-008: nobody in particular ------------------------------------------------------------ */

static const wzp_ct_whos nobodies = {WZP_CT_KX, WZP_CT_AX, WZP_CT_AL, WZP_CT_PARTIES};

static bool begin_nobodies(wzp_ct_exec *e, wzp_time now) {
    bool all = true;
    for (const wzp_ct_who *who = nobodies; *who != WZP_CT_PARTIES; who++) {
        all = all && wzp_ct_play_dial(e, *who,
                                      (wzp_party_dial){.room = "_signal", .hold_first = true}, now);
    }
    return all;
}

/* As deployed probes do: a key of zeros and no signature. */
static void introduce(wzp_ct_exec *e, wzp_ct_who who) {
    wzp_ct_party *p = wzp_ct_play_party(e, who);
    if (p->state == WZP_PARTY_CONNECTED && p->hold_first) {
        p->hold_first = false;
        (void)wzp_ct_say(e, who,
                         "{\"RegisterPresence\":{\"version\":1,\"identity_pub\":[0,0,0,0,0,0,0,0,0,"
                         "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],\"signature\":[],"
                         "\"alias\":null}}");
    }
}

static wzp_ct_so_far go_nobodies(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_so_far all = WZP_CT_HAPPENED;
    (void)now;
    for (const wzp_ct_who *who = nobodies; *who != WZP_CT_PARTIES; who++) {
        const wzp_signal *ack = wzp_ct_play_party(e, *who)->last[WZP_SIGNAL_REGISTER_PRESENCE_ACK];
        introduce(e, *who);
        if (ack != NULL && !ack->u.RegisterPresenceAck.success) {
            return WZP_CT_LACKS; /* it wants proof of identity, and says so */
        }
        if (ack == NULL && wzp_ct_is_gone(e, *who)) {
            return WZP_CT_NEVER;
        }
        all = ack == NULL ? WZP_CT_NOT_YET : all;
    }
    return all;
}

#define NOBODIES                                                                                   \
    {                                                                                              \
        .required = "three at once with a key of zeros get an Ack with success", .within_s = 3,    \
        .begin = begin_nobodies, .go = go_nobodies, .late = WZP_CT_REASON_NO_RESPONSE              \
    }

static const wzp_ct_call real = {.caller = WZP_CT_X,
                                 .callee = WZP_CT_L,
                                 .tag = 'n',
                                 .mode = WZP_ACCEPT_TRUSTED,
                                 .from = &wzp_ct_caller_place,
                                 .to = &wzp_ct_callee_place};
static const wzp_ct_act nat008[] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l),
    NOBODIES,
    REFLECTED(nobodies),
    WZP_CT_OFFERED(&real),
    WZP_CT_SET_UP(&real),
};

/* The first 16 bytes of SHA-256 of a key of zeros. */
static const char zero_name[] = "6668:7aad:f862:bd77:6c8f:c18b:8e9f:8e20";

static bool lists_nobody(const wzp_ct_party *p) {
    const char *json = p->last_json[WZP_SIGNAL_PRESENCE_LIST];
    return json != NULL && strstr(json, zero_name) != NULL;
}

static wzp_ct_so_far go_unlisted(wzp_ct_exec *e, wzp_time now) {
    if (lists_nobody(wzp_ct_play_party(e, WZP_CT_X)) ||
        lists_nobody(wzp_ct_play_party(e, WZP_CT_L))) {
        wzp_ct_play_say(e, "PresenceList has %s", zero_name);
        return WZP_CT_NEVER;
    }
    return wzp_ct_play_elapsed(e, now) > 1500 * WZP_MS ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

static const wzp_ct_act nat008b[] = {WZP_CT_REGISTERED(wzp_ct_x_and_l),
                                     NOBODIES,
                                     {.required = "the lists that others get do not name them",
                                      .within_s = 4,
                                      .go = go_unlisted,
                                      .late = WZP_CT_REASON_SENDER_RATE}};

/* --- NAT-011: the list of relays -------------------------------------------------------------- */

static bool is_entry(wzp_bytes entry) {
    const uint8_t *bar = memchr(entry.data, '|', entry.len);
    char text[WZP_ADDR_TEXT_MAX];
    wzp_addr addr;
    if (bar == NULL || bar == entry.data) {
        return false;
    }
    (void)snprintf(text, sizeof text, "%.*s", (int)(entry.data + entry.len - bar - 1),
                   (const char *)bar + 1);
    return wzp_addr_parse(&addr, text) == WZP_OK;
}

static wzp_ct_so_far go_relays(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    const wzp_list_str *relays =
        &x->last[WZP_SIGNAL_REGISTER_PRESENCE_ACK]->u.RegisterPresenceAck.available_relays;
    (void)now;
    for (size_t i = 0; i < relays->count; i++) {
        if (!is_entry(relays->items[i])) {
            wzp_ct_play_say(e, "\"%.*s\" is no entry", (int)relays->items[i].len,
                            (const char *)relays->items[i].data);
            return WZP_CT_NEVER;
        }
    }
    const char *json = x->last_json[WZP_SIGNAL_REGISTER_PRESENCE_ACK];
    const wzp_opt_str *region =
        &x->last[WZP_SIGNAL_REGISTER_PRESENCE_ACK]->u.RegisterPresenceAck.relay_region;
    const bool shown = strstr(json, "\"available_relays\"") != NULL;
    const bool placed = strstr(json, "\"relay_region\"") != NULL;
    wzp_ct_play_say(e, "%zu relays, %s", relays->count, placed ? "a region" : "no region");
    return shown == (relays->count > 0) && placed == (region->present && region->value.len > 0)
               ? WZP_CT_HAPPENED
               : WZP_CT_NEVER;
}

static const wzp_ct_act nat011[] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    {.required = "each entry is name|ip:port, and no key stands for an empty list or no region",
     .within_s = 1,
     .go = go_relays,
     .late = WZP_CT_REASON_NO_RESPONSE}};

/* --- the table -------------------------------------------------------------------------------- */

#define NAT(id, level_, title, must, what, script, ...)                                            \
    {                                                                                              \
        .kind = WZP_CT_PLAY,                                                                       \
        .info = {INFO(id, "NAT", title, id, must, what, __VA_ARGS__), .level = (level_)},          \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = sizeof(counted),                          \
        .feature = "unproven identities"                                                           \
    }

/* The same, of acts in other files. */
#define PLAY(id, level_, title, must, what, source, name, ...)                                     \
    {                                                                                              \
        .kind = WZP_CT_PLAY,                                                                       \
        .info = {INFO(id, "NAT", title, id, must, what, source), .level = (level_)},               \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = wzp_ct_acts_##name,                        \
        .act_count = WZP_COUNT_OF(wzp_ct_acts_##name), __VA_ARGS__                                 \
    }

static const wzp_ct_case cases[] = {
    NAT("NAT-001", WZP_CT_MUST, "one answer to Reflect",
        "answer the unit form once, within a second, with the address as it is seen", "\"Reflect\"",
        nat001, "nat part 3, RLY-063"),
    NAT("NAT-002", WZP_CT_MUST, "Reflect of two clients", "tell each its own address",
        "\"Reflect\" from two ports", nat002, "nat part 3, RLY-063"),
    NAT("NAT-003", WZP_CT_MUST, "Reflect of an IPv4 client",
        "write its address as a.b.c.d:port, on a socket for both families too",
        "\"Reflect\" over IPv4", nat003, "nat part 3, relay 8.2"),
    NAT("NAT-004", WZP_CT_SHOULD, "Reflect after a move", "tell the new address",
        "\"Reflect\" before and after a translator gives the client another address", nat004,
        "nat part 3"),
    PLAY("NAT-007", WZP_CT_MUST, "other versions, unknown fields",
         "take signals of version 2 and of none, ignore what it does not know",
         "a call and four path signals with unknown fields, between unknown variants",
         "nat part 3, S-02, S-03", nat007, .state_size = sizeof(wzp_ct_nat)),
    NAT("NAT-008", WZP_CT_MUST, "registration without a key",
        "acknowledge it, several at once, and serve all meanwhile",
        "three with a key of zeros, their \"Reflect\", then a direct call of two others", nat008,
        "nat part 3"),
    NAT("NAT-008b", WZP_CT_SHOULD, "who registered without a key", "leave it out of PresenceList",
        "three with a key of zeros, and two others", nat008b, "nat 1.5"),
    NAT("NAT-010", WZP_CT_SHOULD, "flood of Reflect", "limit it and keep the connection",
        "300 in 0.3 s", nat010, "nat part 3"),
    NAT("NAT-011", WZP_CT_MUST, "other relays", "list them as name|ip:port or not at all",
        "RegisterPresence", nat011, "nat part 3, RLY-062"),
    PLAY("NAT-060", WZP_CT_MUST, "addresses of two calls of one caller",
         "tell each party those of the other one of its call",
         "two offers with different addresses, also IPv6; the last is answered first",
         "nat part 3, S-09", nat060, .state_size = sizeof(wzp_ct_nat)),
    PLAY("NAT-061", WZP_CT_MUST, "addresses that are not told", "leave out those and no others",
         "AcceptGeneric, and calls in which each party tells a part of its addresses",
         "nat part 3, RLY-067, RLY-068", nat061, .state_size = sizeof(wzp_ct_nat)),
    PLAY("NAT-062", WZP_CT_MUST, "path signals of a call",
         "pass them on to the other party and to nobody else",
         "MediaPathReport, CandidateUpdate, HardNatProbe and HardNatBirthdayStart both ways, one "
         "while it rings, then of an unknown call_id; two calls and a bystander",
         "nat part 3, RLY-073", nat062, .state_size = sizeof(wzp_ct_nat)),
    PLAY("NAT-063", WZP_CT_SHOULD, "path signals of a call between relays",
         "pass them on to that peer or party and to nobody else",
         "the four both ways, then of an unknown call_id; two peers and a bystander",
         "nat part 3, RLY-094", nat063, .state_size = sizeof(wzp_ct_fed),
         .config = WZP_CT_CONFIG_FEDERATION, .skip = WZP_CT_REASON_NO_TEST_CONFIG, .alone = true,
         .on_signal = wzp_ct_fed_signal, .on_datagram = wzp_ct_fed_datagram),
    PLAY("NAT-110", WZP_CT_MUST, "a member's address changes",
         "validate the new one, and deliver from and to it within 300 ms + 2 RTT",
         "speech both ways; twice a translator gives the member another address", "nat part 3",
         nat110, .state_size = sizeof(wzp_ct_nat), .on_datagram = wzp_ct_way_datagram,
         .sees_paths = true),
    PLAY("NAT-110b", WZP_CT_MUST, "a new address that does not answer",
         "send it at most three times as much as came from there",
         "three speak to a member whose new address nothing reaches", "nat part 3, RFC 9000 9.3.1",
         nat110b, .state_size = sizeof(wzp_ct_nat), .on_datagram = wzp_ct_way_datagram),
    PLAY("NAT-111", WZP_CT_MUST, "silence",
         "send something every 5 s, and tell the loss of a member after 30 s",
         "two members that only acknowledge, and one that vanishes", "nat part 3", nat111,
         .state_size = sizeof(wzp_ct_nat), .silent = true, .is_long = true),
};

const wzp_ct_chapter wzp_ct_chapter_nat = {"NAT", "Traversal", cases, WZP_COUNT_OF(cases)};
