/* Attacks by many connections and by signalling: half-open handshakes, crowds, names and rooms of
 * others, tunnels (conformance sheet 15, 24.16). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/cases/relay/hard.h"
#include "conformance/cases/relay/plays.h"
#include "conformance/engine/exposition.h"

_Static_assert(sizeof(wzp_ct_hard) <= WZP_CT_HARD_STATE, "state fits");

/* --- a large room, with coming and going ------------------------------------------------ */

enum {
    STABLE = 76,
    CHURN = 20,
    SPEAKERS = 4, /* 100 members with these */
    ROUNDS = 250, /* a leave and a join each */
    PACKETS = 2500,
};

static const wzp_ct_who speakers[SPEAKERS] = {WZP_CT_X, WZP_CT_L, WZP_CT_KX, WZP_CT_KL};

static bool begin_members(wzp_ct_exec *e, wzp_time now) {
    bool all = wzp_ct_play_crowd(e, STABLE + CHURN);
    for (size_t i = 0; all && i < SPEAKERS; i++) {
        all = wzp_ct_play_join(e, speakers[i], NULL, speakers[i], now);
    }
    return all;
}

/* Some at a time: 96 handshakes at once are another case. */
static wzp_ct_so_far go_members(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    size_t in = 0;
    for (size_t i = 0; i < h->next; i++) {
        const wzp_ct_party *p = wzp_ct_play_extra(e, i);
        if (wzp_party_gone(p)) {
            return WZP_CT_LACKS;
        }
        in += p->state == WZP_PARTY_JOINED ? 1 : 0;
    }
    for (size_t i = 0; i < SPEAKERS; i++) {
        if (wzp_ct_is_gone(e, speakers[i])) {
            return WZP_CT_LACKS;
        }
        in += wzp_ct_is_in(e, speakers[i]) ? 1 : 0;
    }
    for (; h->next < STABLE + CHURN && h->next < in + 8; h->next++) {
        if (!wzp_ct_play_dial_extra(e, h->next, (wzp_party_dial){0}, now)) {
            return WZP_CT_UNSURE;
        }
    }
    return in == SPEAKERS + STABLE + CHURN ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

static bool begin_bustle(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    (void)now;
    h->next = h->sent = 0;
    for (size_t i = 0; i < STABLE; i++) {
        wzp_ct_play_extra(e, i)->datagrams = 0;
    }
    return true;
}

/* The fewest packets that one of those who stayed has got. */
static uint32_t fewest(wzp_ct_exec *e) {
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < STABLE; i++) {
        const uint32_t got = wzp_ct_play_extra(e, i)->datagrams;
        least = got < least ? got : least;
    }
    return least;
}

static wzp_ct_so_far weigh_bustle(wzp_ct_exec *e) {
    const wzp_ct_hard *h = wzp_ct_play_state(e);
    const uint32_t least = fewest(e);
    wzp_ct_play_say(e, "who stayed got at least %u of %u packets", least, h->sent * SPEAKERS);
    for (size_t i = 0; i < STABLE; i++) {
        if (wzp_party_gone(wzp_ct_play_extra(e, i))) {
            return WZP_CT_NEVER;
        }
    }
    return least * UINT64_C(100) >= UINT64_C(99) * h->sent * SPEAKERS           ? WZP_CT_HAPPENED
           : wzp_ct_play_path_loses(e) || wzp_ct_play_lateness(e) > 20 * WZP_MS ? WZP_CT_UNSURE
                                                                                : WZP_CT_NEVER;
}

static wzp_ct_so_far go_bustle(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    for (; h->sent < PACKETS && h->sent * (20 * WZP_MS) <= elapsed; h->sent++) {
        for (size_t i = 0; i < SPEAKERS; i++) {
            (void)wzp_ct_hard_speak(e, speakers[i], h->sent);
        }
    }
    for (; h->next < ROUNDS && h->next * (200 * WZP_MS) <= elapsed; h->next++) {
        const size_t who = STABLE + h->next % CHURN;
        const wzp_ct_party *p = wzp_ct_play_extra(e, who);
        wzp_quic_close(p->quic, p->conn, 0, "normal close", now);
        (void)wzp_ct_play_dial_extra(e, who, (wzp_party_dial){0}, now);
    }
    wzp_ct_play_wake(e, now + 20 * WZP_MS);
    return elapsed >= PACKETS * (20 * WZP_MS) + WZP_S ? weigh_bustle(e) : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_x10[WZP_CT_X10_ACTS] = {
    {.required = "100 members are in one room",
     .within_s = 30,
     .begin = begin_members,
     .go = go_members,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "10 000 packets in 50 s reach all that stay while 500 times one leaves or joins",
     .within_s = 60,
     .begin = begin_bustle,
     .go = go_bustle,
     .late = WZP_CT_REASON_NOT_FORWARDED,
     .never = WZP_CT_REASON_NOT_FORWARDED},
};

/* --- signals without end ---------------------------------------------------------------- */

enum { HALVES = 200, HALF_S = 60 };

static const wzp_ct_whos both_hubs = {WZP_CT_X, WZP_CT_P6, WZP_CT_PARTIES};

/* Four bytes that promise a thousand, and ten of these. */
static bool begin_half(const wzp_ct_party *p) {
    static const uint8_t half[14] = {0, 0, 3, 0xe8, '{', '"', 'P', 'i', 'n', 'g', '"', ':', '{'};
    int64_t stream = 0;
    return wzp_party_open(p) &&
           wzp_quic_stream_open(p->quic, p->conn, WZP_QUIC_BIDI, &stream) == WZP_OK &&
           wzp_quic_stream_write(p->quic, p->conn, stream, wzp_bytes_of(half, sizeof half),
                                 false) == WZP_OK;
}

/* As many as the relay lets them have open; it may end them, and then they begin more. */
static wzp_ct_so_far go_halves(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    for (size_t i = 0; both_hubs[i] != WZP_CT_PARTIES; i++) {
        const wzp_ct_party *p = wzp_ct_play_party(e, both_hubs[i]);
        while (h->next < HALVES && begin_half(p)) {
            h->next++;
        }
    }
    wzp_ct_hard_talk(e, now);
    if (wzp_ct_play_elapsed(e, now) < HALF_S * WZP_S) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "%zu streams were begun", h->next);
    return wzp_ct_hard_weigh(e);
}

const wzp_ct_act wzp_ct_acts_x12[WZP_CT_X12_ACTS] = {
    WZP_CT_REGISTERED(both_hubs),
    WZP_CT_CONTROL_JOINED,
    {.required = "200 signals are begun and none is ended; for 60 s the control hears all",
     .within_s = HALF_S + 5,
     .go = go_halves,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .never = WZP_CT_REASON_NOT_FORWARDED},
};

/* --- signals as a tunnel ---------------------------------------------------------------- */

enum { LOADS = 100, LOAD = 60000 };

static const wzp_ct_call tunnel = {WZP_CT_X, WZP_CT_L, 't', WZP_ACCEPT_TRUSTED, NULL, NULL};

static bool begin_tunnel(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    (void)now;
    h->before = wzp_ct_play_party(e, WZP_CT_L)->signal_bytes;
    return true;
}

static bool send_load(wzp_ct_exec *e) {
    wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    char buf[WZP_CT_CALL_ID];
    char *load = malloc(LOAD);
    char *json = NULL;
    size_t len = 0;
    if (load == NULL) {
        return false;
    }
    memset(load, 'a', LOAD);
    const wzp_signal signal = {
        .kind = WZP_SIGNAL_CANDIDATE_UPDATE,
        .version = 1,
        .u.CandidateUpdate = {.call_id = wzp_ct_call_id(e, &tunnel, buf),
                              .reflexive_addr = {true, wzp_bytes_of(load, LOAD)},
                              .generation = 1}};
    const bool sent =
        wzp_signal_to_json(&json, &len, &signal) == WZP_OK &&
        wzp_quic_send_signal(x->quic, x->conn, wzp_bytes_of(json, len), &x->watched) == WZP_OK;
    x->watched_at = sent ? WZP_TIME_NEVER : x->watched_at;
    free(json);
    free(load);
    return sent;
}

static wzp_ct_so_far weigh_tunnel(wzp_ct_exec *e) {
    const wzp_ct_hard *h = wzp_ct_play_state(e);
    const uint64_t came = wzp_ct_play_party(e, WZP_CT_L)->signal_bytes - h->before;
    const uint64_t sent = h->sent * (uint64_t)LOAD;
    wzp_ct_play_say(e, "%llu of %llu bytes arrived", (unsigned long long)came,
                    (unsigned long long)sent);
    return came * 10 > sent ? WZP_CT_NEVER : WZP_CT_HAPPENED;
}

/* 9.6 Mbit/s; one that is hung up on has been stopped as well. */
static wzp_ct_so_far go_tunnel(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    for (; h->next < LOADS && h->next * (50 * WZP_MS) <= wzp_ct_play_elapsed(e, now); h->next++) {
        h->sent += send_load(e) ? 1 : 0;
    }
    wzp_ct_play_wake(e, now + 50 * WZP_MS);
    const bool settled = h->next == LOADS && x->watched_at != WZP_TIME_NEVER &&
                         wzp_time_since(now, x->watched_at) >= WZP_S;
    return wzp_party_gone(x) || settled               ? weigh_tunnel(e)
           : wzp_ct_play_elapsed(e, now) < 14 * WZP_S ? WZP_CT_NOT_YET
                                                      : WZP_CT_UNSURE;
}

const wzp_ct_act wzp_ct_acts_x23[WZP_CT_X23_ACTS] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l),
    WZP_CT_OFFERED(&tunnel),
    WZP_CT_SET_UP(&tunnel),
    {.required = "of 6 MB in signals about a call less than a tenth is passed on",
     .within_s = 15,
     .begin = begin_tunnel,
     .go = go_tunnel,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- a name that somebody else takes ---------------------------------------------------- */

static bool begin_imitation(wzp_ct_exec *e, wzp_time now) {
    const wzp_identity victim = wzp_ct_play_party(e, WZP_CT_X)->identity;
    return wzp_ct_play_dial(
        e, WZP_CT_P6,
        (wzp_party_dial){
            .room = "_signal", .role = WZP_PARTY_HUB, .identity = &victim, .hold_first = true},
        now);
}

static void imitate(wzp_ct_party *p) {
    static const uint8_t forged[WZP_SIGNATURE_LEN] = {1};
    wzp_signal reg = {.kind = WZP_SIGNAL_REGISTER_PRESENCE,
                      .version = 1,
                      .u.RegisterPresence.signature = {forged, sizeof forged}};
    memcpy(reg.u.RegisterPresence.identity_pub.bytes, p->identity.ed25519_pub, WZP_KEY_LEN);
    (void)wzp_party_tell(p, &reg);
}

/* Whatever it is told. */
static wzp_ct_so_far go_imitation(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_party *p = wzp_ct_play_party(e, WZP_CT_P6);
    const wzp_signal *ack = p->last[WZP_SIGNAL_REGISTER_PRESENCE_ACK];
    (void)now;
    if (p->hold_first && p->state == WZP_PARTY_CONNECTED) {
        p->hold_first = false;
        imitate(p);
    }
    if (ack == NULL && !wzp_party_gone(p)) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "the forged registration was %s",
                    ack != NULL && ack->u.RegisterPresenceAck.success ? "acknowledged" : "refused");
    return WZP_CT_HAPPENED;
}

static const wzp_ct_call to_victim = {WZP_CT_L, WZP_CT_X, 'v', WZP_ACCEPT_TRUSTED, NULL, NULL};

const wzp_ct_act wzp_ct_acts_x26[WZP_CT_X26_ACTS] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l),
    {.required = "somebody registers the key of one that is registered, with a forged signature",
     .within_s = 3,
     .begin = begin_imitation,
     .go = go_imitation,
     .late = WZP_CT_REASON_NONE},
    WZP_CT_OFFERED(&to_victim),
};

/* --- waiting in front of a call's room -------------------------------------------------- */

static const wzp_ct_call awaited = {WZP_CT_X, WZP_CT_L, 'w', WZP_ACCEPT_TRUSTED, NULL, NULL};

static const char *awaited_room(wzp_ct_exec *e) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    char buf[WZP_CT_CALL_ID];
    const wzp_bytes id = wzp_ct_call_id(e, &awaited, buf);
    (void)snprintf(h->other_room, sizeof h->other_room, "call-%.*s", (int)id.len,
                   (const char *)id.data);
    return h->other_room;
}

static bool begin_squat(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_dial(e, WZP_CT_P6,
                            (wzp_party_dial){.room = awaited_room(e), .hold_first = true}, now);
}

static wzp_ct_so_far go_squat(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *p = wzp_ct_play_party(e, WZP_CT_P6);
    (void)now;
    return p->state == WZP_PARTY_CONNECTED || wzp_party_gone(p) ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

static wzp_ct_so_far go_entry(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_party *p = wzp_ct_play_party(e, WZP_CT_P6);
    (void)now;
    if (p->hold_first && p->state == WZP_PARTY_CONNECTED) {
        p->hold_first = false;
        wzp_party_offer(p, NULL);
    }
    return p->room_count > 0 ? WZP_CT_NEVER : wzp_party_gone(p) ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

static bool begin_parties(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_join(e, WZP_CT_KX, awaited_room(e), WZP_CT_X, now) &&
           wzp_ct_play_join(e, WZP_CT_KL, awaited_room(e), WZP_CT_L, now);
}

const wzp_ct_act wzp_ct_acts_x27[WZP_CT_X27_ACTS] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l),
    {.required = "a stranger connects to the room of a call that is not yet offered",
     .within_s = 3,
     .begin = begin_squat,
     .go = go_squat,
     .late = WZP_CT_REASON_NO_RESPONSE},
    WZP_CT_OFFERED(&awaited),
    WZP_CT_SET_UP(&awaited),
    {.required = "the stranger is not let in",
     .within_s = 4,
     .go = go_entry,
     .late = WZP_CT_REASON_NOT_CLOSED},
    {.required = "the parties of the call are",
     .within_s = 4,
     .begin = begin_parties,
     .go = wzp_ct_step_joined,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &wzp_ct_hard_control},
};

/* --- names on the metrics page ---------------------------------------------------------- */

enum { VISITORS = 80, SERIES_MORE = 16 };

/* Samples of the page; 0: it cannot be read. */
static unsigned count_series(wzp_ct_exec *e) {
    unsigned samples = 0;
    char *page = wzp_ct_play_scrape(e);
    if (page != NULL) {
        (void)wzp_exposition_is_valid(page, &samples);
    }
    free(page);
    return samples;
}

static wzp_ct_so_far go_first_count(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    (void)now;
    h->before = count_series(e);
    return h->before > 0 ? WZP_CT_HAPPENED : WZP_CT_UNSURE;
}

static bool begin_visits(wzp_ct_exec *e, wzp_time now) {
    char room[96];
    bool all = wzp_ct_play_crowd(e, VISITORS);
    for (size_t i = 0; all && i < VISITORS; i++) {
        const bool is_hub = i % 2 == 1;
        (void)snprintf(room, sizeof room, "%s-%zu", wzp_ct_play_room(e), i);
        all = wzp_ct_play_dial_extra(
            e, i,
            (wzp_party_dial){.room = is_hub ? "_signal" : room,
                             .role = is_hub ? WZP_PARTY_HUB : WZP_PARTY_MEDIA},
            now);
    }
    return all;
}

static wzp_ct_so_far go_visits(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    for (size_t i = 0; i < VISITORS; i++) {
        const wzp_ct_party *p = wzp_ct_play_extra(e, i);
        if (p->state != WZP_PARTY_JOINED && !wzp_party_gone(p)) {
            return WZP_CT_NOT_YET;
        }
    }
    return WZP_CT_HAPPENED;
}

static bool begin_farewell(wzp_ct_exec *e, wzp_time now) {
    for (size_t i = 0; i < VISITORS; i++) {
        const wzp_ct_party *p = wzp_ct_play_extra(e, i);
        wzp_quic_close(p->quic, p->conn, 0, "normal close", now);
    }
    return true;
}

/* A relay may count of kinds what it has not met before. */
static wzp_ct_so_far go_last_count(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard *h = wzp_ct_play_state(e);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    if (h->next_at > now) {
        wzp_ct_play_wake(e, h->next_at);
        return WZP_CT_NOT_YET;
    }
    const unsigned series = count_series(e);
    const bool few = series <= h->before + SERIES_MORE;
    h->next_at = now + 500 * WZP_MS;
    wzp_ct_play_wake(e, h->next_at);
    if (series == 0) {
        return WZP_CT_UNSURE;
    }
    if (!few && elapsed < 5 * WZP_S) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "%llu series before, %u after", (unsigned long long)h->before, series);
    return few ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

const wzp_ct_act wzp_ct_acts_x28[WZP_CT_X28_ACTS] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    {.required = "the page is read", .within_s = 3, .go = go_first_count},
    {.required = "40 join rooms of their own, 40 register",
     .within_s = 15,
     .begin = begin_visits,
     .go = go_visits,
     .late = WZP_CT_REASON_SENDER_RATE},
    {.required = "when they have left the page has no more series than before, but for 16",
     .within_s = 8,
     .begin = begin_farewell,
     .go = go_last_count,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- handshakes without end ------------------------------------------------------------- */

enum { SILENT = 64, SILENT_S = 20 };

static bool begin_silent(wzp_ct_exec *e, wzp_time now) {
    bool all = wzp_ct_play_crowd(e, SILENT);
    for (size_t i = 0; all && i < SILENT; i++) {
        all = wzp_ct_play_dial_extra(
            e, i, (wzp_party_dial){.room = i % 2 == 0 ? NULL : "_signal", .hold_first = true}, now);
    }
    return all;
}

static size_t count_silent(wzp_ct_exec *e, wzp_party_state state) {
    size_t n = 0;
    for (size_t i = 0; i < SILENT; i++) {
        n += wzp_ct_play_extra(e, i)->state == state ? 1 : 0;
    }
    return n;
}

static wzp_ct_so_far go_silent(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard_talk(e, now);
    return count_silent(e, WZP_PARTY_CONNECTING) == 0 ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

static wzp_ct_so_far go_entering(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard_talk(e, now);
    return wzp_ct_step_joined(e, now);
}

static wzp_ct_so_far go_silence(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hard_talk(e, now);
    const size_t open = count_silent(e, WZP_PARTY_CONNECTED);
    if (open > 0 && wzp_ct_play_elapsed(e, now) < SILENT_S * WZP_S) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "%zu of %d are open", open, SILENT);
    const wzp_ct_so_far control = wzp_ct_hard_weigh(e);
    return open > 0 ? WZP_CT_NEVER : control;
}

const wzp_ct_act wzp_ct_acts_x29[WZP_CT_X29_ACTS] = {
    WZP_CT_CONTROL_JOINED,
    {.required = "64 are connected, half of them to _signal, and say nothing",
     .within_s = 8,
     .begin = begin_silent,
     .go = go_silent,
     .late = WZP_CT_REASON_NONE},
    {.required = "two more are in a room and see each other",
     .within_s = 3,
     .begin = wzp_ct_step_join,
     .go = go_entering,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &wzp_ct_x_and_l},
    {.required = "within 20 s the silent ones are closed; the control hears all meanwhile",
     .within_s = SILENT_S + 2,
     .go = go_silence,
     .late = WZP_CT_REASON_NOT_CLOSED,
     .never = WZP_CT_REASON_NOT_CLOSED},
};
