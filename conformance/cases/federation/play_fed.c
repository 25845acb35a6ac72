/* Links to other relays, and media over them (conformance sheet 24.15, relay sheet 9). */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/federation/fed.h"
#include "conformance/engine/peers.h"
#include "crypto/identity.h"

#define R1 WZP_CT_R1
#define R2 WZP_CT_R2
#define R3 WZP_CT_R3

/* --- links ------------------------------------------------------------------------------------ */

static const wzp_ct_fed_plan silent = {
    .room = "wzp-ct-1", .local = 1, .links = 1, .peer = 0, .quiet = true};

static bool begin_mute(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_dial(e, R1,
                            (wzp_party_dial){.room = "_federation",
                                             .role = WZP_PARTY_PEER,
                                             .hold_first = true,
                                             .hello = wzp_ct_fed_fingerprint(e, R1)},
                            now);
}

/* A relay may give it up without a word: then a late hello leads to nothing. */
static wzp_ct_so_far go_mute(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    wzp_ct_party *r1 = wzp_ct_play_party(e, R1);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    wzp_ct_play_wake(e, now + 50 * WZP_MS);
    if (st->actives[R1] > 0) {
        wzp_ct_play_say(e, "it was told of a room %s",
                        st->mark ? "after a hello that was too late" : "without a hello");
        return WZP_CT_NEVER;
    }
    if (wzp_party_gone(r1)) {
        return WZP_CT_HAPPENED;
    }
    if (st->mark == 0 && elapsed >= 6500 * WZP_MS && wzp_party_open(r1)) {
        st->mark = 1;
        wzp_party_greet(r1);
    }
    return st->mark != 0 && elapsed >= 9 * WZP_S ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_f01[2] = {
    WZP_CT_FED_JOINED(&silent),
    {.required = "a close by then, or nothing for a hello that comes later",
     .within_s = 12,
     .begin = begin_mute,
     .go = go_mute,
     .late = WZP_CT_REASON_NOT_CLOSED,
     .never = WZP_CT_REASON_NOT_CLOSED},
};

static const wzp_ct_fed_plan stranger = {
    .room = "wzp-ct-2", .local = 2, .links = 1, .control = true, .quiet = true};

/* Nobody's: its seed is not published. */
static bool begin_stranger(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_link(e, R1,
                            "5a:a5:5a:a5:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:"
                            "33:44:55:66:77:88:99:aa:bb",
                            now);
}

static wzp_ct_so_far go_stranger(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_wake(e, now + 100 * WZP_MS);
    return wzp_ct_play_elapsed(e, now) >= WZP_S || wzp_ct_is_gone(e, R1) ? WZP_CT_HAPPENED
                                                                         : WZP_CT_NOT_YET;
}

static wzp_ct_so_far check_unused(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    const uint32_t out = wzp_ct_fed_arrived(e, R1, 0);
    const uint32_t in = wzp_ct_fed_arrived(e, WZP_CT_X, 1) + wzp_ct_fed_arrived(e, WZP_CT_L, 1);
    (void)now;
    wzp_ct_play_say(e, "it was told of the room %u times, got %u packets of it, and brought in %u",
                    st->actives[R1], out, in);
    return st->actives[R1] + out + in > 0 ? WZP_CT_NEVER : WZP_CT_HAPPENED;
}

static const wzp_ct_fed_traffic unused = {.flows = {{.from = WZP_CT_X, .count = 50, .rate = 50},
                                                    {.from = WZP_CT_R1, .count = 50, .rate = 50}},
                                          .pause_ms = 500,
                                          .check = check_unused};

#define TRAFFIC(required_, seconds, traffic) WHY(NOT_FORWARDED, required_, seconds, traffic)
#define WHY(reason, required_, seconds, traffic)                                                   \
    {                                                                                              \
        .required = (required_), .within_s = (seconds), .begin = wzp_ct_fed_send,                  \
        .go = wzp_ct_fed_sent, .late = WZP_CT_REASON_##reason, .never = WZP_CT_REASON_##reason,    \
        .arg = (traffic)                                                                           \
    }

const wzp_ct_act wzp_ct_acts_f02[3] = {
    WZP_CT_FED_JOINED(&stranger),
    {.required = "it says hello", .within_s = 3, .begin = begin_stranger, .go = go_stranger},
    WHY(WRONG_RESPONSE, "neither lists nor packets in either direction", 6, &unused),
};

static const wzp_ct_fed_plan general = {
    .room = "general", .local = 1, .links = 1, .peer = 2, .quiet = true};

static wzp_ct_so_far go_listed(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_fed_state(e)->lists_x[R1] ? WZP_CT_HAPPENED
           : wzp_ct_is_gone(e, R1)          ? WZP_CT_NEVER
                                            : WZP_CT_NOT_YET;
}

/* Some relays announce only every five seconds. */
const wzp_ct_act wzp_ct_acts_f03[3] = {
    WZP_CT_FED_JOINED(&general),
    WZP_CT_FED_LINKED(&general),
    {.required = "GlobalRoomActive with the local member",
     .within_s = 6,
     .go = go_listed,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- RLY-081: how fingerprints are spelt ------------------------------------------------------ */

static const wzp_ct_fed_plan spelt = {
    .room = "wzp-ct-3", .local = 1, .links = 3, .peer = 0, .quiet = true};

enum { UPPER = 1, BARE = 2 };

static const char *spell(wzp_ct_exec *e, unsigned i, unsigned how, char out[100]) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    size_t n = 0;
    for (const char *ch = wzp_ct_peers[st->plan->peer + i].fingerprint; *ch != '\0'; ch++) {
        if (*ch != ':' || (how & BARE) == 0) {
            const bool is_small = *ch >= 'a' && *ch <= 'f';
            out[n++] = (char)(is_small && (how & UPPER) != 0 ? *ch - 'a' + 'A' : *ch);
        }
    }
    out[n] = '\0';
    return out;
}

/* The texts must live until they are said. */
static bool begin_spelt(wzp_ct_exec *e, wzp_time now) {
    static const unsigned spellings[] = {UPPER, BARE, UPPER | BARE};
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    bool all = true;
    for (unsigned i = 0; i < WZP_COUNT_OF(spellings); i++) {
        const char *text = spell(e, i, spellings[i], st->spelt[i]);
        all = all && wzp_ct_play_link(e, (wzp_ct_who)(R1 + i), text, now);
    }
    return all;
}

static wzp_ct_so_far go_spelt(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    wzp_ct_so_far all = WZP_CT_HAPPENED;
    (void)now;
    for (unsigned i = 0; i < 3; i++) {
        const wzp_ct_who who = (wzp_ct_who)(R1 + i);
        if (wzp_ct_is_gone(e, who)) {
            static const char *const names[] = {"capitals", "no colons", "capitals, no colons"};
            wzp_ct_play_say(e, "the fingerprint in %s was refused", names[i]);
            return WZP_CT_NEVER;
        }
        all = st->actives[who] == 0 ? WZP_CT_NOT_YET : all;
    }
    return all;
}

const wzp_ct_act wzp_ct_acts_rly081[2] = {
    WZP_CT_FED_JOINED(&spelt),
    {.required = "all three peers are told of the room",
     .within_s = 7,
     .begin = begin_spelt,
     .go = go_spelt,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- what peers send -------------------------------------------------------------------------- */

static const wzp_ct_fed_plan pair = {
    .room = "wzp-ct-4", .local = 2, .links = 1, .peer = 4, .control = true};

static wzp_ct_so_far check_delivered(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_fed_both(wzp_ct_fed_all(e, WZP_CT_X, 0), wzp_ct_fed_all(e, WZP_CT_L, 0));
}

static const wzp_ct_fed_traffic speech = {.flows = {{.from = WZP_CT_R1, .count = 100, .rate = 50}},
                                          .pause_ms = 500,
                                          .check = check_delivered};

const wzp_ct_act wzp_ct_acts_f04[3] = {
    WZP_CT_FED_JOINED(&pair), WZP_CT_FED_LINKED(&pair),
    TRAFFIC("all packets reach both members, unchanged and without the hash", 6, &speech)};

static wzp_ct_so_far check_once(wzp_ct_exec *e, wzp_time now) {
    const uint32_t repeated = wzp_ct_fed_repeated(e, WZP_CT_X, 0);
    (void)now;
    if (repeated > 0) {
        wzp_ct_play_say(e, "%u of 20 came more than once", repeated);
        return WZP_CT_NEVER;
    }
    return wzp_ct_fed_all(e, WZP_CT_X, 0);
}

static const wzp_ct_fed_traffic copies = {
    .flows = {{.from = WZP_CT_R1, .count = 20, .rate = 50, .copies = 3}},
    .pause_ms = 600,
    .check = check_once};

/* 3.2 s after the last copy, which may be what a relay counts from. */
static wzp_ct_so_far go_again(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    wzp_ct_play_wake(e, now + 20 * WZP_MS);
    if (st->mark == 0 && elapsed >= 3200 * WZP_MS) {
        uint8_t buf[WZP_CT_FED_PACKET];
        st->mark = 1;
        for (uint32_t i = 0; i < st->flows[0].sent; i++) {
            const size_t len = wzp_ct_fed_packet(e, 0, i, true, buf);
            (void)wzp_ct_play_send(e, R1, wzp_bytes_of(buf, len));
        }
    }
    const uint32_t again = wzp_ct_fed_repeated(e, WZP_CT_X, 0);
    if (again == st->flows[0].sent || elapsed < 4 * WZP_S) {
        return again == st->flows[0].sent ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "%u of %u came again", again, st->flows[0].sent);
    return again > 0 && wzp_ct_fed_is_lossy(e) ? WZP_CT_UNSURE : WZP_CT_NEVER;
}

const wzp_ct_act wzp_ct_acts_f05[4] = {
    WZP_CT_FED_JOINED(&pair),
    WZP_CT_FED_LINKED(&pair),
    {.required = "each packet is delivered once, though it comes four times within half a second",
     .within_s = 6,
     .begin = wzp_ct_fed_send,
     .go = wzp_ct_fed_sent,
     .late = WZP_CT_REASON_NOT_FORWARDED,
     .arg = &copies},
    {.required = "each is delivered again after three seconds",
     .within_s = 6,
     .go = go_again,
     .late = WZP_CT_REASON_NOT_FORWARDED,
     .never = WZP_CT_REASON_NOT_FORWARDED},
};

/* --- F-06: how much of it --------------------------------------------------------------------- */

#define OTHER_ROOM "wzp-ct-6"

static const wzp_ct_fed_plan crowd = {
    .room = "wzp-ct-5", .local = 1, .links = 1, .peer = 0, .control = true};

static bool begin_other_room(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_join(e, WZP_CT_P6, OTHER_ROOM, WZP_CT_P6, now);
}

static wzp_ct_so_far go_other_room(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_is_in(e, WZP_CT_P6)     ? WZP_CT_HAPPENED
           : wzp_ct_is_gone(e, WZP_CT_P6) ? WZP_CT_NEVER
                                          : WZP_CT_NOT_YET;
}

static wzp_ct_so_far check_rate(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_fed_both(wzp_ct_fed_all(e, WZP_CT_X, 0), wzp_ct_fed_all(e, WZP_CT_P6, 1));
}

/* Five windows of 500 and one at their edges; a relay that counts otherwise, a bucket say, has as
 * much.  Less than 300 a second would be another limit. */
static wzp_ct_so_far check_limit(wzp_ct_exec *e, wzp_time now) {
    const uint32_t came = wzp_ct_fed_arrived(e, WZP_CT_X, 0);
    (void)now;
    wzp_ct_play_say(e, "%u of 4500 packets came in 5 s", came);
    const wzp_ct_so_far other = wzp_ct_fed_all(e, WZP_CT_P6, 1);
    return came > 3050              ? WZP_CT_NEVER
           : came >= 1500           ? other
           : wzp_ct_fed_is_lossy(e) ? WZP_CT_UNSURE
                                    : WZP_CT_NEVER;
}

static const wzp_ct_fed_traffic under = {
    .flows = {{.from = WZP_CT_R1, .count = 2000, .rate = 400, .voices = 8},
              {.from = WZP_CT_R1, .count = 250, .rate = 50, .room = OTHER_ROOM}},
    .pause_ms = 500,
    .check = check_rate};
static const wzp_ct_fed_traffic over = {
    .flows = {{.from = WZP_CT_R1, .count = 4500, .rate = 900, .voices = 18},
              {.from = WZP_CT_R1, .count = 250, .rate = 50, .room = OTHER_ROOM}},
    .pause_ms = 500,
    .check = check_limit};

const wzp_ct_act wzp_ct_acts_f06[5] = {
    WZP_CT_FED_JOINED(&crowd),
    {.required = "another one is in another shared room",
     .within_s = 5,
     .begin = begin_other_room,
     .go = go_other_room,
     .late = WZP_CT_REASON_NO_RESPONSE},
    WZP_CT_FED_LINKED(&crowd),
    TRAFFIC("400 packets a second are delivered, and those of the other room", 9, &under),
    WHY(WRONG_RESPONSE, "of 900 a second about 500 are delivered, and all of the other room", 9,
        &over)};

/* --- F-07: what is no packet ------------------------------------------------------------------ */

static bool send_bytes(wzp_ct_exec *e, const char *room, const uint8_t *bytes, size_t len) {
    uint8_t buf[64];
    wzp_room_hash(buf, wzp_bytes_str(room));
    memcpy(buf + WZP_ROOM_HASH_LEN, bytes, len);
    return wzp_ct_play_send(e, R1, wzp_bytes_of(buf, WZP_ROOM_HASH_LEN + len));
}

static bool begin_junk(wzp_ct_exec *e, wzp_time now) {
    static const uint8_t good[24] = {2, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 140};
    static const uint8_t old[24] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 160};
    static const uint8_t odd[24] = {2, 0, 9, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 180};
    const char *room = wzp_ct_fed_state(e)->plan->room;
    bool sent = true;
    (void)now;
    for (int i = 0; i < 3; i++) {
        sent = sent && send_bytes(e, room, good, 3) &&                /* 11 bytes in all */
               send_bytes(e, room, good, 10) &&                       /* half a header */
               send_bytes(e, room, old, sizeof old) &&                /* version 1 */
               send_bytes(e, room, odd, sizeof odd) &&                /* media type 9 */
               send_bytes(e, wzp_ct_play_room(e), good, sizeof good); /* nobody shares this room */
    }
    return sent;
}

static wzp_ct_so_far go_junk(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    wzp_ct_play_wake(e, now + 100 * WZP_MS);
    if (wzp_ct_is_gone(e, R1) || st->foreign[WZP_CT_X] + st->foreign[WZP_CT_L] > 0) {
        wzp_ct_play_say(e, "%u of these datagrams were delivered",
                        st->foreign[WZP_CT_X] + st->foreign[WZP_CT_L]);
        return WZP_CT_NEVER;
    }
    return wzp_ct_play_elapsed(e, now) >= 2 * WZP_S ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_f07[4] = {
    WZP_CT_FED_JOINED(&pair),
    WZP_CT_FED_LINKED(&pair),
    {.required = "what is no packet, or of no room, is ignored",
     .within_s = 4,
     .begin = begin_junk,
     .go = go_junk,
     .late = WZP_CT_REASON_WRONG_RESPONSE},
    TRAFFIC("speech that follows reaches both members", 6, &speech)};

/* --- F-10, F-11, F-12 ------------------------------------------------------------------------- */

static wzp_ct_so_far check_flood(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    const wzp_ct_party *r1 = wzp_ct_play_party(e, R1);
    const uint32_t came = wzp_ct_fed_arrived(e, WZP_CT_X, 0);
    (void)now;
    wzp_ct_play_say(e, "%u of %u packets were delivered, and the link %s%s", came,
                    st->flows[0].sent, wzp_party_gone(r1) ? "was closed: " : "stays",
                    wzp_party_gone(r1) ? wzp_quic_close_text(&r1->close) : "");
    return WZP_CT_HAPPENED;
}

static const wzp_ct_fed_plan flooded = {
    .room = "android", .local = 1, .links = 1, .peer = 2, .control = true};
static const wzp_ct_fed_traffic flood = {
    .flows = {{.from = WZP_CT_R1, .count = 6000, .rate = 2000, .payload = 300}},
    .pause_ms = 2500,
    .check = check_flood};

const wzp_ct_act wzp_ct_acts_f10[3] = {WZP_CT_FED_JOINED(&flooded), WZP_CT_FED_LINKED(&flooded),
                                       TRAFFIC("it is told what becomes of it", 10, &flood)};

static wzp_ct_so_far check_both_heard(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_fed_both(wzp_ct_fed_all(e, WZP_CT_X, 0), wzp_ct_fed_all(e, WZP_CT_X, 1));
}

static const wzp_ct_fed_plan twins = {
    .room = "wzp-ct-1", .local = 1, .links = 1, .peer = 4, .control = true};
static const wzp_ct_fed_traffic alike = {
    .flows = {{.from = WZP_CT_R1, .count = 50, .rate = 50},
              {.from = WZP_CT_R1, .count = 50, .rate = 50, .same_headers = true}},
    .pause_ms = 500,
    .check = check_both_heard};

const wzp_ct_act wzp_ct_acts_f11[3] = {WZP_CT_FED_JOINED(&twins), WZP_CT_FED_LINKED(&twins),
                                       TRAFFIC("the packets of both are delivered", 5, &alike)};

static wzp_ct_so_far tell_egress(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    wzp_ct_play_say(e, "%u of %u packets reached the peer, %u with another room's hash",
                    wzp_ct_fed_arrived(e, R1, 0), wzp_ct_fed_state(e)->flows[0].sent,
                    wzp_ct_fed_state(e)->astray[R1]);
    return WZP_CT_HAPPENED;
}

static const wzp_ct_fed_plan trunked = {
    .room = "wzp-ct-2", .local = 2, .links = 1, .peer = 0, .control = true};
static const wzp_ct_fed_traffic from_trunks = {
    .flows = {{.from = WZP_CT_X, .count = 100, .rate = 50}}, .pause_ms = 500, .check = tell_egress};

const wzp_ct_act wzp_ct_acts_f12[3] = {
    WZP_CT_FED_JOINED(&trunked), WZP_CT_FED_LINKED(&trunked),
    TRAFFIC("it is told what reaches the peer", 6, &from_trunks)};

/* --- what leaves ------------------------------------------------------------------------------ */

static wzp_ct_so_far check_left(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_fed_all(e, R1, 0);
}

static const wzp_ct_fed_plan raw_name = {
    .room = "general", .local = 2, .links = 1, .peer = 2, .control = true};
static const wzp_ct_fed_plan hashed_name = {.room = "android",
                                            .sni = "3f8466a8c694c38ccbe4ff7479015ae0",
                                            .local = 2,
                                            .links = 1,
                                            .peer = 4,
                                            .control = true};
static const wzp_ct_fed_traffic leaving = {
    .flows = {{.from = WZP_CT_X, .count = 100, .rate = 50}}, .pause_ms = 500, .check = check_left};

const wzp_ct_act wzp_ct_acts_rly084[3] = {
    WZP_CT_FED_JOINED(&raw_name), WZP_CT_FED_LINKED(&raw_name),
    TRAFFIC("all packets reach the peer: hash of the room, then the client's bytes", 6, &leaving)};
const wzp_ct_act wzp_ct_acts_rly084b[3] = {
    WZP_CT_FED_JOINED(&hashed_name), WZP_CT_FED_LINKED(&hashed_name),
    TRAFFIC("all packets reach the peer with the hash of the name, not of the hash", 6, &leaving)};

/* --- RLY-086: from one peer to another -------------------------------------------------------- */

static wzp_ct_so_far check_passed_on(wzp_ct_exec *e, wzp_time now) {
    const uint32_t back = wzp_ct_fed_arrived(e, R1, 0);
    (void)now;
    if (back > 0) {
        wzp_ct_play_say(e, "%u of 100 packets came back to the peer that sent them", back);
        return WZP_CT_NEVER;
    }
    return wzp_ct_fed_both(wzp_ct_fed_all(e, R2, 0), wzp_ct_fed_all(e, WZP_CT_X, 0));
}

static const wzp_ct_fed_plan between = {
    .room = "wzp-ct-3", .local = 1, .links = 2, .peer = 0, .control = true};
static const wzp_ct_fed_traffic passing = {.flows = {{.from = WZP_CT_R1, .count = 100, .rate = 50}},
                                           .pause_ms = 500,
                                           .check = check_passed_on};

const wzp_ct_act wzp_ct_acts_rly086[3] = {
    WZP_CT_FED_JOINED(&between), WZP_CT_FED_LINKED(&between),
    WHY(WRONG_RESPONSE, "all packets reach the other peer and the member, none the sender", 6,
        &passing)};
