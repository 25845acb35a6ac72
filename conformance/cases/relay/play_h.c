/* Handshake cases that need several connections: who is let in beside whom (conformance sheet
 * 24.13, relay sheet 5, 8.4). */
#include <stdio.h>

#include "conformance/cases/relay/counters.h"
#include "conformance/cases/relay/plays.h"
#include "conformance/cases/relay/steps.h"
#include "conformance/engine/speech.h"
#include "wire/signal.h"

#define SPEECH_SEED 7
#define SPEECH_PACKETS 50

/* One second of speech from one party to another. */
typedef struct pair {
    wzp_ct_speech speech;
    wzp_ct_who from, to;
    uint32_t arrived;
    char call_room[260];
} pair;

_Static_assert(sizeof(pair) <= WZP_CT_PAIR_STATE, "state fits");

/* Let in: answered and told who is there. */
static wzp_ct_so_far must_be_in(wzp_ct_exec *e, wzp_ct_who who) {
    const wzp_ct_party *p = wzp_ct_play_party(e, who);
    return p->answered && p->room_count > 0 ? WZP_CT_HAPPENED
           : wzp_party_gone(p)              ? WZP_CT_NEVER
                                            : WZP_CT_NOT_YET;
}

static wzp_ct_so_far must_be_refused(wzp_ct_exec *e, wzp_ct_who who) {
    const wzp_ct_party *p = wzp_ct_play_party(e, who);
    return p->room_count > 0 ? WZP_CT_NEVER : wzp_party_gone(p) ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

/* Without the right token not even the offer is answered. */
static wzp_ct_so_far must_be_unanswered(wzp_ct_exec *e, wzp_ct_who who) {
    return wzp_ct_play_party(e, who)->answered ? WZP_CT_NEVER : must_be_refused(e, who);
}

/* --- speech ----------------------------------------------------------------------------------- */

static void speak(wzp_ct_exec *e, wzp_ct_who from, wzp_ct_who to, wzp_time now) {
    pair *s = wzp_ct_play_state(e);
    s->from = from;
    s->to = to;
    s->arrived = 0;
    s->speech = (wzp_ct_speech){.count = SPEECH_PACKETS, .from = now};
}

void wzp_ct_pair_datagram(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes bytes, wzp_time now) {
    pair *s = wzp_ct_play_state(e);
    uint8_t want[WZP_CT_SPEECH_BYTES];
    (void)now;
    for (uint64_t i = 0; who == s->to && i < s->speech.index; i++) {
        const wzp_ct_speech at = {.index = i};
        s->arrived += wzp_bytes_equal(bytes, wzp_ct_speech_bytes(&at, SPEECH_SEED, want)) ? 1 : 0;
    }
}

static wzp_ct_so_far go_speech(wzp_ct_exec *e, wzp_time now) {
    pair *s = wzp_ct_play_state(e);
    uint8_t buf[WZP_CT_SPEECH_BYTES];
    while (s->speech.index < s->speech.count &&
           s->speech.from + s->speech.index * WZP_CT_SPEECH_STEP <= now) {
        (void)wzp_ct_play_send(e, s->from, wzp_ct_speech_bytes(&s->speech, SPEECH_SEED, buf));
        s->speech.index++;
    }
    wzp_ct_play_wake(e, s->speech.from + s->speech.index * WZP_CT_SPEECH_STEP);
    if (s->arrived < s->speech.count && (uint64_t)s->arrived * 2 >= s->speech.count &&
        wzp_ct_play_elapsed(e, now) > 2500 * WZP_MS) {
        return WZP_CT_UNSURE; /* some of it was lost on the way */
    }
    return s->arrived >= s->speech.count                            ? WZP_CT_HAPPENED
           : wzp_ct_is_gone(e, s->from) || wzp_ct_is_gone(e, s->to) ? WZP_CT_NEVER
                                                                    : WZP_CT_NOT_YET;
}

/* --- H-11 ------------------------------------------------------------------------------------- */

static const wzp_ct_call direct = {
    WZP_CT_X, WZP_CT_L, '0', WZP_ACCEPT_TRUSTED, &wzp_ct_caller_place, &wzp_ct_callee_place};

/* The room that CallSetup named. */
static const char *call_room(wzp_ct_exec *e) {
    pair *s = wzp_ct_play_state(e);
    const wzp_signal *setup = wzp_ct_play_party(e, WZP_CT_X)->last[WZP_SIGNAL_CALL_SETUP];
    const wzp_bytes room = setup->u.CallSetup.room;
    (void)snprintf(s->call_room, sizeof s->call_room, "%.*s", (int)room.len,
                   (const char *)room.data);
    return s->call_room;
}

static bool begin_pair(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_join(e, WZP_CT_KX, call_room(e), WZP_CT_X, now) &&
           wzp_ct_play_join(e, WZP_CT_KL, call_room(e), WZP_CT_L, now);
}

static wzp_ct_so_far go_pair(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_play_party(e, WZP_CT_KX)->room_count == 2 &&
                   wzp_ct_play_party(e, WZP_CT_KL)->room_count == 2
               ? WZP_CT_HAPPENED
           : wzp_ct_is_gone(e, WZP_CT_KX) || wzp_ct_is_gone(e, WZP_CT_KL) ? WZP_CT_NEVER
                                                                          : WZP_CT_NOT_YET;
}

static bool begin_third(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_join(e, WZP_CT_AX, call_room(e), WZP_CT_X, now);
}

static wzp_ct_so_far go_third(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return must_be_refused(e, WZP_CT_AX);
}

static bool begin_stranger(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_join(e, WZP_CT_AL, call_room(e), WZP_CT_AL, now);
}

static wzp_ct_so_far go_stranger(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return must_be_refused(e, WZP_CT_AL);
}

static bool begin_pair_speech(wzp_ct_exec *e, wzp_time now) {
    speak(e, WZP_CT_KX, WZP_CT_KL, now);
    return true;
}

const wzp_ct_act wzp_ct_acts_h11[WZP_CT_H11_ACTS] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l),
    WZP_CT_OFFERED(&direct),
    WZP_CT_SET_UP(&direct),
    {"a stranger is refused", 3, begin_stranger, go_stranger, WZP_CT_REASON_NO_RESPONSE, 0, NULL},
    {"both are let into the call room", 3, begin_pair, go_pair, WZP_CT_REASON_NO_RESPONSE, 0, NULL},
    {"a third connection of the pair is refused", 3, begin_third, go_third,
     WZP_CT_REASON_NO_RESPONSE, 0, NULL},
    {"the pair is served as before", 3, begin_pair_speech, go_speech, WZP_CT_REASON_NOT_FORWARDED,
     WZP_CT_REASON_FALSE_POSITIVE, NULL},
};

/* --- H-12 ------------------------------------------------------------------------------------- */

static bool begin_three(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_join(e, WZP_CT_X, NULL, WZP_CT_X, now) &&
           wzp_ct_play_join(e, WZP_CT_L, NULL, WZP_CT_L, now) &&
           wzp_ct_play_join(e, WZP_CT_KX, NULL, WZP_CT_KX, now);
}

static wzp_ct_so_far go_three(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    const bool any_gone =
        wzp_ct_is_gone(e, WZP_CT_X) || wzp_ct_is_gone(e, WZP_CT_L) || wzp_ct_is_gone(e, WZP_CT_KX);
    const bool all = wzp_ct_play_party(e, WZP_CT_X)->room_count == WZP_CT_MAX_SESSIONS &&
                     wzp_ct_play_party(e, WZP_CT_L)->room_count == WZP_CT_MAX_SESSIONS &&
                     wzp_ct_play_party(e, WZP_CT_KX)->room_count == WZP_CT_MAX_SESSIONS;
    return all ? WZP_CT_HAPPENED : any_gone ? WZP_CT_NEVER : WZP_CT_NOT_YET;
}

static bool begin_fourth(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_join(e, WZP_CT_KL, NULL, WZP_CT_KL, now);
}

static wzp_ct_so_far go_fourth(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return must_be_refused(e, WZP_CT_KL);
}

static bool begin_three_speech(wzp_ct_exec *e, wzp_time now) {
    speak(e, WZP_CT_X, WZP_CT_L, now);
    return true;
}

static bool begin_successor(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_party *leaver = wzp_ct_play_party(e, WZP_CT_KX);
    wzp_quic_close(leaver->quic, leaver->conn, 0, "normal close", now);
    return true;
}

/* The relay needs a moment to notice that a place is free: one try after the RoomUpdate. */
static wzp_ct_so_far go_successor(wzp_ct_exec *e, wzp_time now) {
    const bool left = wzp_ct_play_party(e, WZP_CT_X)->room_count == WZP_CT_MAX_SESSIONS - 1;
    if (wzp_ct_play_party(e, WZP_CT_AX)->state != WZP_PARTY_IDLE) {
        return must_be_in(e, WZP_CT_AX);
    }
    return left && !wzp_ct_play_join(e, WZP_CT_AX, NULL, WZP_CT_AX, now) ? WZP_CT_NEVER
                                                                         : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_h12[WZP_CT_H12_ACTS] = {
    {"the places of an earlier run are free again", 5, NULL, NULL, WZP_CT_REASON_NONE, 0, NULL},
    {"three join", 5, begin_three, go_three, WZP_CT_REASON_NO_RESPONSE, 0, NULL},
    {"the fourth is refused", 3, begin_fourth, go_fourth, WZP_CT_REASON_NO_RESPONSE, 0, NULL},
    {"the three are served as before", 3, begin_three_speech, go_speech,
     WZP_CT_REASON_NOT_FORWARDED, WZP_CT_REASON_FALSE_POSITIVE, NULL},
    {"one leaves and another gets its place", 5, begin_successor, go_successor,
     WZP_CT_REASON_NO_RESPONSE, 0, NULL},
};

/* --- H-13 ------------------------------------------------------------------------------------- */

static bool begin_no_token(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_join_with(e, WZP_CT_X, NULL, now);
}

static wzp_ct_so_far go_no_token(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return must_be_unanswered(e, WZP_CT_X);
}

static bool begin_wrong_token(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_join_with(e, WZP_CT_L, "wzp-conformance-wrong-token", now);
}

static wzp_ct_so_far go_wrong_token(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return must_be_unanswered(e, WZP_CT_L);
}

static bool begin_good_token(wzp_ct_exec *e, wzp_time now) {
    wzp_identity owner;
    wzp_identity_from_seed(&owner, (const uint8_t *)WZP_CT_TOKEN_OWNER);
    return wzp_ct_play_dial(e, WZP_CT_KX,
                            (wzp_party_dial){.token = WZP_CT_GOOD_TOKEN, .identity = &owner}, now);
}

static wzp_ct_so_far go_good_token(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return must_be_in(e, WZP_CT_KX);
}

/* A relay may take its time to ask the service: it has 5 s (relay sheet 3). */
const wzp_ct_act wzp_ct_acts_h13[WZP_CT_H13_ACTS] = {
    {"an offer without token is refused", 12, begin_no_token, go_no_token,
     WZP_CT_REASON_NO_RESPONSE, 0, NULL},
    {"a wrong token is refused", 7, begin_wrong_token, go_wrong_token, WZP_CT_REASON_NO_RESPONSE, 0,
     NULL},
    {"a valid token is let in", 7, begin_good_token, go_good_token, WZP_CT_REASON_NO_RESPONSE, 0,
     NULL},
};

/* --- RLY-015: what is counted of tokens ------------------------------------------------------- */

static const wzp_ct_counter attempts[WZP_CT_COUNTERS + 1] = {
    {"wzp_relay_auth_attempts_total{result=\"ok\"}", 1, 1, 0},
    {"wzp_relay_auth_attempts_total{result=\"fail\"}", 1, 1, 0}};

static bool begin_hub_tokens(wzp_ct_exec *e, wzp_time now) {
    wzp_identity owner;
    wzp_identity_from_seed(&owner, (const uint8_t *)WZP_CT_TOKEN_OWNER);
    wzp_party_dial good = {
        .room = "_signal", .role = WZP_PARTY_HUB, .token = WZP_CT_GOOD_TOKEN, .identity = &owner};
    wzp_party_dial wrong = {
        .room = "_signal", .role = WZP_PARTY_HUB, .token = "wzp-conformance-wrong-token"};
    return wzp_ct_play_dial(e, WZP_CT_AX, good, now) && wzp_ct_play_dial(e, WZP_CT_AL, wrong, now);
}

static wzp_ct_so_far go_hub_tokens(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    if (wzp_ct_is_gone(e, WZP_CT_AX) || wzp_ct_is_in(e, WZP_CT_AL)) {
        return WZP_CT_NEVER;
    }
    return wzp_ct_is_in(e, WZP_CT_AX) && wzp_ct_is_gone(e, WZP_CT_AL) ? WZP_CT_HAPPENED
                                                                      : WZP_CT_NOT_YET;
}

/* Neither a connection without a token nor those to _signal are counted (relay sheet 4). */
const wzp_ct_act wzp_ct_acts_rly015[WZP_CT_RLY015_ACTS] = {
    {"the page is read before", 5, NULL, wzp_ct_step_count_before, WZP_CT_REASON_SENDER_RATE, 0,
     attempts},
    {"a valid token is let in", 7, begin_good_token, go_good_token, WZP_CT_REASON_NO_RESPONSE, 0,
     NULL},
    {"a wrong token is refused", 7, begin_wrong_token, go_wrong_token, WZP_CT_REASON_NO_RESPONSE, 0,
     NULL},
    {"an offer without token is refused", 12, begin_no_token, go_no_token,
     WZP_CT_REASON_NO_RESPONSE, 0, NULL},
    {"_signal takes the valid token and refuses the wrong one", 7, begin_hub_tokens, go_hub_tokens,
     WZP_CT_REASON_NO_RESPONSE, 0, NULL},
    {"auth_attempts has grown by one ok and one fail", 4, NULL, wzp_ct_step_count_after,
     WZP_CT_REASON_NO_RESPONSE, 0, attempts},
};
