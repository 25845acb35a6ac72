/* What traversal asks of a relay: Reflect and registration (NAT sheet, part 3). */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/macros.h"
#include "conformance/cases/steps.h"

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

/* The old answer must not count for the new address. */
static bool begin_move(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_move(e, WZP_CT_X, WZP_CT_P8, now) && wzp_ct_ping(e, WZP_CT_X, 4);
}

static wzp_ct_so_far go_moved(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    const wzp_addr own = wzp_ct_play_local(e, WZP_CT_X);
    wzp_quic_stats stats;
    return wzp_party_gone(x) ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) > WZP_S && wzp_ct_has_pong(e, WZP_CT_X, 4) &&
                   wzp_quic_conn_stats(x->quic, x->conn, &stats) &&
                   wzp_addr_equal(&stats.path.local, &own)
               ? WZP_CT_HAPPENED
               : WZP_CT_NOT_YET;
}

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
    {.required = "the connection moves to another address",
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

static const wzp_ct_call real = {WZP_CT_X, WZP_CT_L, 'n', WZP_ACCEPT_TRUSTED, true, true};
static const wzp_ct_act nat008[] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l),
    {.required = "three at once with a key of zeros get an Ack with success",
     .within_s = 3,
     .begin = begin_nobodies,
     .go = go_nobodies,
     .late = WZP_CT_REASON_NO_RESPONSE},
    WZP_CT_OFFERED(&real),
    WZP_CT_SET_UP(&real),
};

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

static const wzp_ct_case cases[] = {
    NAT("NAT-001", WZP_CT_MUST, "one answer to Reflect",
        "answer the unit form once, within a second, with the address as it is seen", "\"Reflect\"",
        nat001, "nat part 3, NAT-003, RLY-063"),
    NAT("NAT-002", WZP_CT_MUST, "Reflect of two clients", "tell each its own address",
        "\"Reflect\" from two ports", nat002, "nat part 3, RLY-063"),
    NAT("NAT-004", WZP_CT_SHOULD, "Reflect after a move", "tell the new address",
        "\"Reflect\" before and after the connection moves to another port", nat004, "nat part 3"),
    NAT("NAT-008", WZP_CT_MUST, "registration without a key",
        "acknowledge it, several at once, and serve others meanwhile",
        "three with a key of zeros, then a direct call of two others", nat008, "nat part 3"),
    NAT("NAT-010", WZP_CT_SHOULD, "flood of Reflect", "limit it and keep the connection",
        "300 in 0.3 s", nat010, "nat part 3"),
    NAT("NAT-011", WZP_CT_MUST, "other relays", "list them as name|ip:port or not at all",
        "RegisterPresence", nat011, "nat part 3, RLY-062"),
};

const wzp_ct_chapter wzp_ct_chapter_nat = {"NAT", "Traversal", cases, WZP_COUNT_OF(cases)};
