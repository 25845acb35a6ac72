/* Signalling (conformance sheet 24.14): the hub's cases; those of rooms are in play_room.c. */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/macros.h"
#include "conformance/cases/relay/plays.h"
#include "conformance/cases/relay/steps.h"

#define PING(version, timestamp)                                                                   \
    ("{\"Ping\":{\"version\":" #version ",\"timestamp_ms\":" #timestamp "}}")

static const wzp_ct_ask ping = {WZP_CT_X, {PING(1, 42)}, 42};
static const wzp_ct_ask no_version = {WZP_CT_X, {"{\"Ping\":{\"timestamp_ms\":43}}"}, 43};
static const wzp_ct_ask version_255 = {WZP_CT_X, {PING(255, 44)}, 44};
static const wzp_ct_ask unknown = {WZP_CT_X, {"{\"NoSuchVariant\":{\"a\":1}}", PING(1, 45)}, 45};
static const wzp_ct_ask no_json = {WZP_CT_X, {"not a signal", PING(1, 46)}, 46};

static const wzp_ct_act s01[] = {WZP_CT_REGISTERED(wzp_ct_only_x),
                                 WZP_CT_ASK("Pong with timestamp_ms 42", 2, &ping)};
static const wzp_ct_act s02[] = {WZP_CT_REGISTERED(wzp_ct_only_x),
                                 WZP_CT_ASK("Pong to a Ping without version", 2, &no_version),
                                 WZP_CT_ASK("Pong to a Ping of version 255", 2, &version_255)};
static const wzp_ct_act s03[] = {WZP_CT_REGISTERED(wzp_ct_only_x),
                                 WZP_CT_ASK("Pong to the Ping that follows", 3, &unknown)};
static const wzp_ct_act s04[] = {WZP_CT_REGISTERED(wzp_ct_only_x),
                                 WZP_CT_ASK("Pong to the Ping that follows", 3, &no_json)};

/* --- S-05, S-06: the largest signal ----------------------------------------------------------- */

enum {
    FULL = 1048576,
    SERVED_FOR_MS = 2500,
    MEANWHILE_MS = 4000,   /* another client has its answer by then */
    ANSWERED_IN_MS = 1500, /* after the relay has all of it */
    SLOW_MS = 8000,        /* relays give up streams that take 10 s */
    PATIENCE_MS = 20000
};

/* A Ping and spaces up to `len` bytes. */
static bool send_padded(wzp_ct_exec *e, wzp_ct_who who, uint64_t timestamp, size_t len) {
    static const char spaces[4096] = {[0 ... 4095] = ' '};
    wzp_ct_party *p = wzp_ct_play_party(e, who);
    char json[64];
    const size_t head = (size_t)snprintf(json, sizeof json, "{\"Ping\":{\"timestamp_ms\":%llu}}",
                                         (unsigned long long)timestamp);
    const uint8_t prefix[] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                              (uint8_t)len};
    int64_t stream = 0;
    bool sent =
        wzp_quic_stream_open(p->quic, p->conn, WZP_QUIC_BIDI, &stream) == WZP_OK &&
        wzp_quic_stream_write(p->quic, p->conn, stream, wzp_bytes_of(prefix, 4), false) == WZP_OK &&
        wzp_quic_stream_write(p->quic, p->conn, stream, wzp_bytes_of(json, head), false) == WZP_OK;
    for (size_t at = head; sent && at < len;) {
        const size_t n = len - at < sizeof spaces ? len - at : sizeof spaces;
        at += n;
        sent = wzp_quic_stream_write(p->quic, p->conn, stream, wzp_bytes_of(spaces, n),
                                     at == len) == WZP_OK;
    }
    p->watched = stream;
    p->watched_at = WZP_TIME_NEVER;
    return sent;
}

static bool begin_oversize(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return send_padded(e, WZP_CT_X, 50, FULL + 1) && wzp_ct_ping(e, WZP_CT_L, 51);
}

/* The relay wants no more of the stream, or has all of it and had time to answer. */
static bool is_settled(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    return wzp_party_gone(x) || (x->watched_at != WZP_TIME_NEVER &&
                                 wzp_time_since(now, x->watched_at) >= ANSWERED_IN_MS * WZP_MS);
}

/* It may have been given up because it took so long, whatever its length. */
static bool is_slow(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    const wzp_time over = wzp_time_min(x->watched_at, x->closed_at);
    return over == WZP_TIME_NEVER || over - (now - wzp_ct_play_elapsed(e, now)) > SLOW_MS * WZP_MS;
}

/* What became of the stream cannot be seen from here unless it is taken for a signal.  On a path
 * that loses packets a mebibyte takes long: while it is on its way nothing can be said. */
static wzp_ct_so_far go_oversize(wzp_ct_exec *e, wzp_time now) {
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    if (wzp_ct_has_pong(e, WZP_CT_X, 50)) {
        wzp_ct_play_say(e, "the signal of 1 048 577 bytes was answered");
        return WZP_CT_NEVER;
    }
    if (elapsed < SERVED_FOR_MS * WZP_MS ||
        (!is_settled(e, now) && wzp_ct_play_path_loses(e) && elapsed < PATIENCE_MS * WZP_MS)) {
        wzp_ct_play_wake(e, now + 100 * WZP_MS);
        return WZP_CT_NOT_YET;
    }
    if (wzp_ct_play_path_loses(e) && is_slow(e, now)) {
        wzp_ct_play_say(e, "it was on its way for more than %d ms", SLOW_MS);
        return WZP_CT_UNSURE;
    }
    if (wzp_ct_has_pong(e, WZP_CT_L, 51)) {
        return WZP_CT_HAPPENED;
    }
    if (wzp_ct_is_gone(e, WZP_CT_L) || elapsed > MEANWHILE_MS * WZP_MS) {
        wzp_ct_play_say(e, "the other client was not answered");
        return WZP_CT_NEVER;
    }
    return WZP_CT_NOT_YET;
}

static bool begin_sequel(wzp_ct_exec *e, wzp_time now) {
    return (wzp_ct_is_gone(e, WZP_CT_X) || wzp_ct_ping(e, WZP_CT_X, 52)) &&
           wzp_ct_play_register(e, WZP_CT_KX, now);
}

/* X was closed or is served on, and a newcomer is served. */
static wzp_ct_so_far go_sequel(wzp_ct_exec *e, wzp_time now) {
    const bool closed = wzp_ct_is_gone(e, WZP_CT_X);
    (void)now;
    if (wzp_ct_is_gone(e, WZP_CT_KX)) {
        return WZP_CT_NEVER;
    }
    if (!wzp_ct_is_in(e, WZP_CT_KX) || !(closed || wzp_ct_has_pong(e, WZP_CT_X, 52))) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, closed ? "the connection was refused" : "the stream was refused");
    return WZP_CT_HAPPENED;
}

static const wzp_ct_act s05[] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l),
    {.required = "no answer to it; another client is answered meanwhile",
     .within_s = 24,
     .begin = begin_oversize,
     .go = go_oversize,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "the sender is closed or answered again, and a newcomer is registered",
     .within_s = 3,
     .begin = begin_sequel,
     .go = go_sequel,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

static bool begin_full(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return send_padded(e, WZP_CT_X, 60, FULL);
}

static wzp_ct_so_far go_full(wzp_ct_exec *e, wzp_time now) {
    const bool ponged = wzp_ct_has_pong(e, WZP_CT_X, 60);
    if (!ponged && !wzp_ct_is_gone(e, WZP_CT_X) &&
        wzp_ct_play_elapsed(e, now) < SERVED_FOR_MS * WZP_MS) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, ponged                        ? "accepted"
                       : wzp_ct_is_gone(e, WZP_CT_X) ? "the connection was closed"
                                                     : "not answered");
    return WZP_CT_HAPPENED;
}

static bool begin_newcomer(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_register(e, WZP_CT_L, now);
}

static wzp_ct_so_far go_newcomer(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_is_in(e, WZP_CT_L)     ? WZP_CT_HAPPENED
           : wzp_ct_is_gone(e, WZP_CT_L) ? WZP_CT_NEVER
                                         : WZP_CT_NOT_YET;
}

static const wzp_ct_act s06[] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    {.required = "it is accepted or refused", .within_s = 4, .begin = begin_full, .go = go_full},
    {.required = "a newcomer is registered",
     .within_s = 3,
     .begin = begin_newcomer,
     .go = go_newcomer,
     .late = WZP_CT_REASON_CRASH,
     .never = WZP_CT_REASON_CRASH},
};

/* --- S-07: a stream that never ends ----------------------------------------------------------- */

static bool begin_stall(wzp_ct_exec *e, wzp_time now) {
    static const uint8_t two[2] = {0};
    const wzp_ct_party *p = wzp_ct_play_party(e, WZP_CT_X);
    int64_t stream = 0;
    (void)now;
    return wzp_quic_stream_open(p->quic, p->conn, WZP_QUIC_BIDI, &stream) == WZP_OK &&
           wzp_quic_stream_write(p->quic, p->conn, stream, wzp_bytes_of(two, 2), false) == WZP_OK &&
           wzp_ct_ping(e, WZP_CT_X, 71);
}

static wzp_ct_so_far go_pong(wzp_ct_exec *e, uint64_t timestamp) {
    return wzp_ct_has_pong(e, WZP_CT_X, timestamp) ? WZP_CT_HAPPENED
           : wzp_ct_is_gone(e, WZP_CT_X)           ? WZP_CT_NEVER
                                                   : WZP_CT_NOT_YET;
}

static wzp_ct_so_far go_stall(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return go_pong(e, 71);
}

static bool begin_after_stall(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_is_gone(e, WZP_CT_X) || wzp_ct_ping(e, WZP_CT_X, 72);
}

static wzp_ct_so_far go_after_stall(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return go_pong(e, 72);
}

static const wzp_ct_act s07[] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    {.required = "Pong to a Ping on another stream",
     .within_s = 3,
     .begin = begin_stall,
     .go = go_stall,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "15 s go by", .within_s = 15},
    {.required = "Pong to another Ping",
     .within_s = 3,
     .begin = begin_after_stall,
     .go = go_after_stall,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- S-08: Reflect ---------------------------------------------------------------------------- */

static bool begin_reflect(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_say(e, WZP_CT_X, "\"Reflect\"");
}

static bool begin_reflect_struct(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_is_gone(e, WZP_CT_X) || wzp_ct_say(e, WZP_CT_X, "{\"Reflect\":{\"version\":1}}");
}

/* The first form may go unanswered; then the other one must not. */
static wzp_ct_so_far go_either(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_go_reflected(e, WZP_CT_X);
}

static const wzp_ct_act s08[] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    {.required = "ReflectResponse to the unit form, if to any",
     .within_s = 1.5,
     .begin = begin_reflect,
     .go = go_either},
    {.required = "ReflectResponse with the client's own address",
     .within_s = 2,
     .begin = begin_reflect_struct,
     .go = go_either,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- S-09 to S-11: direct calls --------------------------------------------------------------- */

static const wzp_ct_call call_1 = {
    WZP_CT_X, WZP_CT_L, '1', WZP_ACCEPT_TRUSTED, &wzp_ct_caller_place, &wzp_ct_callee_place};
static const wzp_ct_call call_2 = {
    WZP_CT_X, WZP_CT_KX, '2', WZP_ACCEPT_TRUSTED, &wzp_ct_caller_place, &wzp_ct_callee_place};
/* The callee never came. */
static const wzp_ct_call call_nobody = {
    WZP_CT_X, WZP_CT_P8, '3', WZP_ACCEPT_TRUSTED, &wzp_ct_caller_place, &wzp_ct_callee_place};

static const wzp_ct_act s09[] = {WZP_CT_REGISTERED(wzp_ct_x_and_l), WZP_CT_OFFERED(&call_1),
                                 WZP_CT_SET_UP(&call_1)};

/* A fingerprint of nobody: that of a key which this run made and does not use. */
static bool begin_offer_to_nobody(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_party *nobody = wzp_ct_play_party(e, WZP_CT_P8);
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    uint8_t seed[WZP_KEY_LEN];
    memcpy(seed, x->identity.ed25519_pub, sizeof seed);
    wzp_identity_from_seed(&nobody->identity, seed);
    return wzp_ct_step_offer(e, now);
}

static wzp_ct_so_far go_offer_to_nobody(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    const wzp_signal *hangup = x->last[WZP_SIGNAL_HANGUP];
    (void)now;
    if (x->heard[WZP_SIGNAL_CALL_RINGING] > 0) {
        wzp_ct_play_say(e, "CallRinging came: somebody else's relay may have been asked");
        return WZP_CT_NEVER;
    }
    return hangup == NULL ? (wzp_party_gone(x) ? WZP_CT_NEVER : WZP_CT_NOT_YET)
           : hangup->u.Hangup.reason.kind == WZP_HANGUP_NORMAL ? WZP_CT_HAPPENED
                                                               : WZP_CT_NEVER;
}

static const wzp_ct_act s10[] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    {.required = "Hangup with reason Normal, and no CallRinging",
     .within_s = 3,
     .begin = begin_offer_to_nobody,
     .go = go_offer_to_nobody,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &call_nobody},
};

static bool begin_end_of_1(wzp_ct_exec *e, wzp_time now) {
    char id[WZP_CT_CALL_ID];
    (void)now;
    return wzp_ct_hang_up(e, WZP_CT_X, wzp_ct_call_id(e, &call_1, id));
}

static wzp_ct_so_far go_end_of_1(wzp_ct_exec *e, wzp_time now) {
    char id[WZP_CT_CALL_ID];
    (void)now;
    return wzp_ct_has_hangup(e, WZP_CT_L, wzp_ct_call_id(e, &call_1, id)) ? WZP_CT_HAPPENED
           : wzp_ct_is_gone(e, WZP_CT_L)                                  ? WZP_CT_NEVER
                                                                          : WZP_CT_NOT_YET;
}

static bool begin_on_2(wzp_ct_exec *e, wzp_time now) {
    char id[WZP_CT_CALL_ID];
    (void)now;
    return wzp_ct_report_path(e, WZP_CT_X, wzp_ct_call_id(e, &call_1, id)) &&
           wzp_ct_report_path(e, WZP_CT_X, wzp_ct_call_id(e, &call_2, id));
}

/* A second is enough for a hangup that should not come. */
static wzp_ct_so_far go_on_2(wzp_ct_exec *e, wzp_time now) {
    char id[WZP_CT_CALL_ID];
    if (wzp_ct_play_party(e, WZP_CT_KX)->heard[WZP_SIGNAL_HANGUP] > 0 ||
        wzp_ct_play_party(e, WZP_CT_L)->heard[WZP_SIGNAL_MEDIA_PATH_REPORT] > 0) {
        wzp_ct_play_say(e, wzp_ct_play_party(e, WZP_CT_KX)->heard[WZP_SIGNAL_HANGUP] > 0
                               ? "the peer of call 2 got a Hangup"
                               : "the ended call still passes signals on");
        return WZP_CT_NEVER;
    }
    return wzp_ct_play_elapsed(e, now) > WZP_S &&
                   wzp_ct_has_report(e, WZP_CT_KX, wzp_ct_call_id(e, &call_2, id))
               ? WZP_CT_HAPPENED
               : WZP_CT_NOT_YET;
}

static const wzp_ct_act s11[] = {
    WZP_CT_REGISTERED(wzp_ct_three),
    WZP_CT_OFFERED(&call_1),
    WZP_CT_SET_UP(&call_1),
    WZP_CT_OFFERED(&call_2),
    WZP_CT_SET_UP(&call_2),
    {.required = "the peer of call 1 gets the Hangup with its call_id",
     .within_s = 3,
     .begin = begin_end_of_1,
     .go = go_end_of_1,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "call 2 goes on: its peer gets signals and no Hangup",
     .within_s = 4,
     .begin = begin_on_2,
     .go = go_on_2,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- S-17: large signals to another client ---------------------------------------------------- */

enum { FLOOD = 200, ALIAS = 65536 };

typedef struct flood {
    unsigned sent;
    char json[ALIAS + 4096];
} flood;

static void send_large(wzp_ct_exec *e, flood *f) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    const wzp_ct_party *l = wzp_ct_play_party(e, WZP_CT_L);
    static const char key[] = "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,"
                              "26,27,28,29,30,31,32]";
    const int head = snprintf(
        f->json, sizeof f->json,
        "{\"DirectCallOffer\":{\"version\":1,\"caller_fingerprint\":\"%s\","
        "\"target_fingerprint\":\"%s\",\"call_id\":\"flood%.16s%u\",\"identity_pub\":%s,"
        "\"ephemeral_pub\":%s,\"signature\":[],\"supported_profiles\":[],\"caller_alias\":\"",
        x->identity.fingerprint, l->identity.fingerprint, x->identity.fingerprint, f->sent, key,
        key);
    memset(f->json + head, 'a', ALIAS);
    memcpy(f->json + head + ALIAS, "\"}}", sizeof "\"}}");
    (void)wzp_ct_say(e, WZP_CT_X, f->json);
    f->sent++;
}

static wzp_ct_so_far go_flood(wzp_ct_exec *e, wzp_time now) {
    flood *f = wzp_ct_play_state(e);
    const wzp_ct_party *l = wzp_ct_play_party(e, WZP_CT_L);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    while (f->sent < FLOOD && f->sent * (WZP_S / FLOOD) <= elapsed &&
           !wzp_ct_is_gone(e, WZP_CT_X)) {
        send_large(e, f);
    }
    wzp_ct_play_wake(e, now + WZP_S / FLOOD);
    if (elapsed < 3 * WZP_S) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "%u of %u offers reached the callee, %llu KiB in all; the sender is %s",
                    l->heard[WZP_SIGNAL_DIRECT_CALL_OFFER], f->sent,
                    (unsigned long long)l->signal_bytes / 1024,
                    wzp_party_state_name(wzp_ct_play_party(e, WZP_CT_X)));
    return WZP_CT_HAPPENED;
}

static const wzp_ct_act s17[] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l),
    {.required = "what arrives is told", .within_s = 6, .go = go_flood},
};

/* --- S-18: presence --------------------------------------------------------------------------- */

static bool lists(wzp_ct_exec *e, wzp_ct_who who, wzp_ct_who whom) {
    const wzp_signal *list = wzp_ct_play_party(e, who)->last[WZP_SIGNAL_PRESENCE_LIST];
    const wzp_bytes name = wzp_bytes_str(wzp_ct_play_party(e, whom)->identity.fingerprint);
    for (size_t i = 0; list != NULL && i < list->u.PresenceList.users.count; i++) {
        if (wzp_bytes_equal(list->u.PresenceList.users.items[i].fingerprint, name)) {
            return true;
        }
    }
    return false;
}

static bool begin_third(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_register(e, WZP_CT_KX, now);
}

static wzp_ct_so_far go_third(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_is_gone(e, WZP_CT_KX) ? WZP_CT_NEVER
           : lists(e, WZP_CT_X, WZP_CT_KX) && lists(e, WZP_CT_L, WZP_CT_KX) &&
                   lists(e, WZP_CT_KX, WZP_CT_KX)
               ? WZP_CT_HAPPENED
               : WZP_CT_NOT_YET;
}

static bool begin_third_leaves(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_leave(e, WZP_CT_KX, now);
    return true;
}

static wzp_ct_so_far go_third_left(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return !lists(e, WZP_CT_X, WZP_CT_KX) && !lists(e, WZP_CT_L, WZP_CT_KX) ? WZP_CT_HAPPENED
                                                                            : WZP_CT_NOT_YET;
}

static const wzp_ct_act s18[] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l),
    {.required = "all three get a PresenceList with the newcomer",
     .within_s = 5,
     .begin = begin_third,
     .go = go_third,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "the others get a PresenceList without it when it leaves",
     .within_s = 5,
     .begin = begin_third_leaves,
     .go = go_third_left,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- the table -------------------------------------------------------------------------------- */

#define S(id, requirement, title, must, what, source, script, ...)                                 \
    {                                                                                              \
        .kind = WZP_CT_PLAY,                                                                       \
        .info = {INFO(id, "S", title, requirement, must, what, "conformance 24.14" source),        \
                 __VA_ARGS__},                                                                     \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = sizeof(flood)                             \
    }
#define ROOM(id, requirement, title, must, what, source, script, ...)                              \
    {                                                                                              \
        .kind = WZP_CT_PLAY,                                                                       \
        .info = {INFO(id, "S", title, requirement, must, what, "conformance 24.14" source),        \
                 __VA_ARGS__},                                                                     \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = WZP_CT_ROOM_STATE,                        \
        .on_datagram = wzp_ct_room_datagram, .video = true                                         \
    }

static const wzp_ct_case cases[] = {
    S("S-01", "CONF-S-1", "Ping", "answer with Pong and the same timestamp",
      "Ping with version 1 and timestamp_ms 42", ", RLY-063, RLY-008", s01),
    S("S-02", "CONF-S-1", "Ping of other versions", "answer with Pong",
      "Ping without version, Ping with version 255", ", NAT-007", s02),
    S("S-03", "CONF-S-1", "unknown variant on _signal", "ignore it and keep the connection",
      "NoSuchVariant, then Ping", ", RLY-064, NAT-007", s03),
    S("S-04", "CONF-S-1", "no JSON on _signal", "ignore it and keep the connection",
      "12 bytes that are no JSON, then Ping", ", RLY-064", s04),
    S("S-05", "CONF-S-1", "signal over 1 MiB",
      "refuse stream or connection, and serve others meanwhile",
      "a signal of 1 048 577 bytes, all of them sent", ", RLY-064", s05),
    S("S-06", "CONF-S-1", "signal of 1 MiB", "live on, whether it takes the signal or not",
      "a Ping padded to 1 048 576 bytes", "", s06, .level = WZP_CT_INFO),
    S("S-07", "CONF-S-1", "a stalled stream", "go on reading other streams",
      "two of four length bytes, Ping on another stream, another one 15 s later", "", s07,
      .level = WZP_CT_SHOULD),
    S("S-08", "CONF-S-1", "Reflect", "answer with the client's own address, in at least one form",
      "\"Reflect\" and Reflect as an object", ", RLY-063, NAT-003", s08),
    S("S-09", "CONF-S-1", "a direct call is set up",
      "hand over offer and answer unchanged, ring, and tell each party the other's addresses",
      "DirectCallOffer and AcceptTrusted, both with addresses", ", RLY-065, RLY-066, NAT-060", s09),
    S("S-10", "CONF-S-1", "nobody has this fingerprint", "answer with Hangup Normal",
      "DirectCallOffer to an unknown fingerprint; the relay is not federated", ", RLY-070", s10),
    S("S-11", "CONF-S-1", "Hangup of one of two calls", "end only the call that is named",
      "two calls of X; Hangup with the call_id of the first", ", RLY-071", s11),
    ROOM("S-12", "CONF-S-2", "two PLIs within 200 ms", "forward exactly one to the sender",
         "three members, one sends video; PLI twice, 100 ms apart", ", RLY-045", wzp_ct_acts_s12),
    ROOM("S-13", "CONF-S-2", "two PLIs 300 ms apart", "forward both to the sender",
         "three members, one sends video; PLI twice, 300 ms apart", ", RLY-045", wzp_ct_acts_s13),
    ROOM("S-14", "CONF-S-2", "PLI for a stream that nobody sends", "forward none",
         "PLI for stream 7, then for stream 0", ", RLY-045", wzp_ct_acts_s14),
    ROOM("S-15", "CONF-S-1", "unknown variant in a room",
         "keep the connection, forward media and PLI as before",
         "NoSuchVariant from a member that watches", ", RLY-025", wzp_ct_acts_s15,
         .level = WZP_CT_SHOULD),
    ROOM("S-16", "CONF-S-1", "signals without meaning in a room",
         "ignore them and keep the connection",
         "Nack, TransportFeedback, Hold and Mute, then speech 5 s later", ", RLY-048",
         wzp_ct_acts_s16),
    S("S-17", "CONF-S-1", "flood of large offers", "limit what reaches the callee",
      "200 offers in 1 s, each with an alias of 64 KiB", "", s17, .level = WZP_CT_INFO),
    S("S-18", "CONF-S-1", "who is registered", "tell all clients who comes and who goes",
      "a third client registers and leaves", ", RLY-060", s18),
};

const wzp_ct_chapter wzp_ct_chapter_s = {"S", "Signalling", cases, WZP_COUNT_OF(cases)};
