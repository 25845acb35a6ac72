/* Direct calls between relays, and what a relay tells those that only measure it (relay sheet 9.8,
 * 10.1, 16). */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/federation/fed.h"

#define R1 WZP_CT_R1
#define R2 WZP_CT_R2
#define FAR WZP_CT_R1 /* the client behind it has its identity */

static const wzp_ct_fed_plan one_link = {.room = "wzp-ct-1", .links = 1, .peer = 0, .quiet = true};
static const wzp_ct_fed_plan two_links = {.room = "wzp-ct-1", .links = 2, .peer = 2, .quiet = true};

/* --- a call that leaves ----------------------------------------------------------------------- */

bool wzp_ct_fed_came(wzp_ct_exec *e, wzp_ct_who peer, const wzp_signal *want) {
    wzp_signal *came = wzp_ct_fed_inner(e, peer, want->kind);
    const bool same = came != NULL && wzp_ct_same_signal(want, came);
    wzp_signal_free(&came);
    return same;
}

/* Some operators use fewer of them. */
bool wzp_ct_fed_is_target(wzp_ct_exec *e, const char *fingerprint) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    size_t n = 0;
    for (const char *ch = fingerprint; *ch != '\0'; ch++) {
        if (*ch != ':') {
            const uint8_t byte = x->cert[n / 2 % sizeof x->cert];
            const char digit = "0123456789abcdef"[n % 2 == 0 ? byte >> 4 : byte & 15];
            if (*ch != digit && *ch != (digit >= 'a' ? digit - 'a' + 'A' : digit)) {
                return false;
            }
            n++;
        }
    }
    return n >= 16 && n <= 2 * sizeof x->cert;
}

wzp_ct_so_far wzp_ct_fed_left(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_call *call = wzp_ct_play_arg(e);
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    const wzp_signal *ringing = wzp_ct_play_party(e, WZP_CT_X)->last[WZP_SIGNAL_CALL_RINGING];
    wzp_ct_call_parts parts;
    const wzp_signal offer = wzp_ct_call_offer(e, call, &parts);
    const wzp_bytes id = offer.u.DirectCallOffer.call_id;
    bool everywhere = true;
    (void)now;
    if (wzp_ct_has_hangup(e, WZP_CT_X, id) || wzp_ct_is_gone(e, WZP_CT_X) ||
        wzp_ct_is_gone(e, R1)) {
        return WZP_CT_NEVER;
    }
    for (unsigned i = 0; i < st->plan->links; i++) {
        everywhere = everywhere && wzp_ct_fed_came(e, (wzp_ct_who)(R1 + i), &offer);
    }
    if (!everywhere || ringing == NULL || !wzp_bytes_equal(ringing->u.CallRinging.call_id, id)) {
        return WZP_CT_NOT_YET;
    }
    if (!wzp_ct_fed_is_target(e, st->origin[0])) {
        wzp_ct_play_say(e, "origin_relay_fp is \"%.100s\"", st->origin[0]);
        return WZP_CT_NEVER;
    }
    return WZP_CT_HAPPENED;
}

#define OFFER_LEAVES WZP_CT_FED_OFFER_LEAVES

bool wzp_ct_fed_answer(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_call_parts parts;
    const wzp_signal answer = wzp_ct_call_answer(e, wzp_ct_play_arg(e), &parts);
    (void)now;
    return wzp_ct_fed_forward(e, R1, &answer, wzp_ct_fed_fingerprint(e, R1));
}

/* NULL: as it must be. */
static const char *fault_of_call(wzp_ct_exec *e, wzp_bytes id, const wzp_signal *peer) {
    return wzp_ct_fault_of_setup(wzp_ct_play_party(e, WZP_CT_X), id, peer);
}

wzp_ct_so_far wzp_ct_fed_answered(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_call *call = wzp_ct_play_arg(e);
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    wzp_ct_call_parts parts;
    const wzp_signal answer = wzp_ct_call_answer(e, call, &parts);
    const wzp_bytes id = answer.u.DirectCallAnswer.call_id;
    const wzp_signal *came = x->last[WZP_SIGNAL_DIRECT_CALL_ANSWER];
    (void)now;
    if (wzp_party_gone(x) || wzp_ct_has_hangup(e, WZP_CT_X, id)) {
        return WZP_CT_NEVER;
    }
    if (!wzp_ct_has_setup(x, id) || came == NULL ||
        !wzp_bytes_equal(came->u.DirectCallAnswer.call_id, id)) {
        return WZP_CT_NOT_YET;
    }
    const char *fault = wzp_ct_same_signal(&answer, came)
                            ? fault_of_call(e, id, &answer)
                            : "the answer came with other fields than were sent";
    if (fault != NULL) {
        wzp_ct_play_say(e, "%s", fault);
    }
    return fault == NULL ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

#define ANSWER_COMES WZP_CT_FED_ANSWER_COMES

/* --- a call that comes ------------------------------------------------------------------------ */

static bool begin_come(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_call_parts parts;
    const wzp_signal offer = wzp_ct_call_offer(e, wzp_ct_play_arg(e), &parts);
    (void)now;
    return wzp_ct_fed_forward(e, R1, &offer, wzp_ct_fed_fingerprint(e, R1));
}

static wzp_ct_so_far go_come(wzp_ct_exec *e, wzp_time now) {
    const wzp_signal *came = wzp_ct_play_party(e, WZP_CT_X)->last[WZP_SIGNAL_DIRECT_CALL_OFFER];
    wzp_ct_call_parts parts;
    const wzp_signal offer = wzp_ct_call_offer(e, wzp_ct_play_arg(e), &parts);
    (void)now;
    if (wzp_ct_is_gone(e, WZP_CT_X) || wzp_ct_is_gone(e, R1)) {
        return WZP_CT_NEVER;
    }
    if (came == NULL ||
        !wzp_bytes_equal(came->u.DirectCallOffer.call_id, offer.u.DirectCallOffer.call_id)) {
        return WZP_CT_NOT_YET;
    }
    return wzp_ct_same_signal(&offer, came) ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

#define OFFER_COMES(call)                                                                          \
    {                                                                                              \
        .required = "the local client gets the forwarded offer unchanged", .within_s = 3,          \
        .begin = begin_come, .go = go_come, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (call)       \
    }

/* Half a second longer, for the other peer. */
static wzp_ct_so_far go_replied(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_call *call = wzp_ct_play_arg(e);
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    wzp_ct_call_parts parts[2];
    const wzp_signal offer = wzp_ct_call_offer(e, call, &parts[0]);
    const wzp_signal answer = wzp_ct_call_answer(e, call, &parts[1]);
    const wzp_bytes id = offer.u.DirectCallOffer.call_id;
    wzp_ct_play_wake(e, now + 50 * WZP_MS);
    if (st->inner[1][WZP_SIGNAL_DIRECT_CALL_ANSWER] > 0) {
        wzp_ct_play_say(e, "another peer got the answer too");
        return WZP_CT_NEVER;
    }
    if (wzp_ct_is_gone(e, WZP_CT_X) || wzp_ct_is_gone(e, R1)) {
        return WZP_CT_NEVER;
    }
    if (!wzp_ct_fed_came(e, R1, &answer) || !wzp_ct_has_setup(wzp_ct_play_party(e, WZP_CT_X), id) ||
        wzp_ct_play_elapsed(e, now) < 500 * WZP_MS) {
        return WZP_CT_NOT_YET;
    }
    const char *fault = fault_of_call(e, id, &offer);
    if (fault != NULL) {
        wzp_ct_play_say(e, "CallSetup of the callee: %s", fault);
    }
    return fault == NULL ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

static const wzp_ct_call comes = {
    WZP_CT_R1, WZP_CT_X, 'c', WZP_ACCEPT_TRUSTED, &wzp_ct_caller_place, &wzp_ct_callee_place};

const wzp_ct_act wzp_ct_acts_f09[4] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    WZP_CT_FED_LINKED(&two_links),
    OFFER_COMES(&comes),
    {.required = "the answer goes to that peer alone, and the callee gets CallSetup",
     .within_s = 4,
     .begin = wzp_ct_step_answer,
     .go = go_replied,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &comes},
};

/* --- F-08: our own envelope ------------------------------------------------------------------- */

static const wzp_ct_call asks = {WZP_CT_X, WZP_CT_R1, 'a', WZP_ACCEPT_TRUSTED, NULL, NULL};
static const wzp_ct_call own = {WZP_CT_R1, WZP_CT_X, 'o', WZP_ACCEPT_TRUSTED, &wzp_ct_caller_place,
                                NULL};

static wzp_ct_so_far go_learnt(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_fed_state(e)->origin[0][0] != '\0' ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

/* As the relay calls itself; if it has said nothing, by its certificate. */
static bool begin_own(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    char *origin = wzp_ct_fed_state(e)->origin[0];
    wzp_ct_call_parts parts;
    const wzp_signal offer = wzp_ct_call_offer(e, wzp_ct_play_arg(e), &parts);
    (void)now;
    for (size_t i = 0; origin[0] == '\0' || (i > 0 && i < sizeof x->cert); i++) {
        (void)snprintf(origin + 3 * i, 4, "%02x%s", x->cert[i], i + 1 < sizeof x->cert ? ":" : "");
    }
    return wzp_ct_fed_forward(e, R1, &offer, origin);
}

static wzp_ct_so_far go_own(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_wake(e, now + 100 * WZP_MS);
    return wzp_ct_play_party(e, WZP_CT_X)->heard[WZP_SIGNAL_DIRECT_CALL_OFFER] > 0 ||
                   wzp_ct_is_gone(e, R1)
               ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) >= 1500 * WZP_MS ? WZP_CT_HAPPENED
                                                          : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_f08[5] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    WZP_CT_FED_LINKED(&one_link),
    {.required = "it says who it is",
     .within_s = 2,
     .begin = wzp_ct_step_offer,
     .go = go_learnt,
     .arg = &asks},
    {.required = "the local client gets nothing of an envelope with this relay's own name",
     .within_s = 3,
     .begin = begin_own,
     .go = go_own,
     .late = WZP_CT_REASON_WRONG_RESPONSE,
     .arg = &own},
    OFFER_COMES(&comes),
};

/* --- RLY-090, RLY-092 ------------------------------------------------------------------------- */

static const wzp_ct_call leaves = {
    WZP_CT_X, WZP_CT_R1, 'l', WZP_ACCEPT_TRUSTED, &wzp_ct_caller_place, &wzp_ct_callee_place};

const wzp_ct_act wzp_ct_acts_rly090[3] = {WZP_CT_REGISTERED(wzp_ct_only_x),
                                          WZP_CT_FED_LINKED(&two_links), OFFER_LEAVES(&leaves)};
const wzp_ct_act wzp_ct_acts_rly092[4] = {WZP_CT_REGISTERED(wzp_ct_only_x),
                                          WZP_CT_FED_LINKED(&one_link), OFFER_LEAVES(&leaves),
                                          ANSWER_COMES(&leaves)};

/* --- RLY-094: what crosses -------------------------------------------------------------------- */

/* The first `count` of the messages of a call, from `first` on, both ways. */
static bool tell_both_ways(wzp_ct_exec *e, size_t first, size_t end) {
    const wzp_ct_call *call = wzp_ct_play_arg(e);
    wzp_signal messages[WZP_CT_CALL_MESSAGES];
    char id[WZP_CT_CALL_ID];
    bool told = true;
    wzp_ct_call_messages(messages, wzp_ct_call_id(e, call, id));
    for (size_t i = first; i < end; i++) {
        told = told && wzp_party_tell(wzp_ct_play_party(e, WZP_CT_X), &messages[i]) &&
               wzp_ct_fed_forward(e, R1, &messages[i], wzp_ct_fed_fingerprint(e, R1));
    }
    return told;
}

static wzp_ct_so_far went_both_ways(wzp_ct_exec *e, size_t first, size_t end, wzp_time now) {
    const wzp_ct_call *call = wzp_ct_play_arg(e);
    const bool is_late = wzp_ct_play_elapsed(e, now) >= 3500 * WZP_MS;
    wzp_signal messages[WZP_CT_CALL_MESSAGES];
    char id[WZP_CT_CALL_ID];
    bool all = true;
    wzp_ct_play_wake(e, now + 100 * WZP_MS);
    wzp_ct_call_messages(messages, wzp_ct_call_id(e, call, id));
    for (size_t i = first; i < end; i++) {
        const wzp_signal *came = wzp_ct_play_party(e, WZP_CT_X)->last[messages[i].kind];
        const bool out = wzp_ct_fed_came(e, R1, &messages[i]);
        const bool in = came != NULL && wzp_ct_same_signal(&messages[i], came);
        all = all && out && in;
        if (is_late && (!out || !in)) {
            wzp_ct_play_say(e, "%s did not cross %s", wzp_signal_name(messages[i].kind),
                            out  ? "from the peer"
                            : in ? "to the peer"
                                 : "at all");
        }
    }
    return all ? WZP_CT_HAPPENED : is_late ? WZP_CT_NEVER : WZP_CT_NOT_YET;
}

static bool begin_reports(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return tell_both_ways(e, 0, 1);
}

static wzp_ct_so_far go_reports(wzp_ct_exec *e, wzp_time now) {
    return went_both_ways(e, 0, 1, now);
}

static bool begin_messages(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return tell_both_ways(e, 1, WZP_CT_CALL_MESSAGES);
}

static wzp_ct_so_far go_messages(wzp_ct_exec *e, wzp_time now) {
    return went_both_ways(e, 1, WZP_CT_CALL_MESSAGES, now);
}

const wzp_ct_act wzp_ct_acts_rly094[5] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    WZP_CT_FED_LINKED(&one_link),
    OFFER_LEAVES(&leaves),
    ANSWER_COMES(&leaves),
    {.required = "MediaPathReport crosses in both directions",
     .within_s = 4,
     .begin = begin_reports,
     .go = go_reports,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .never = WZP_CT_REASON_NO_RESPONSE,
     .arg = &leaves},
};

static bool begin_end_here(wzp_ct_exec *e, wzp_time now) {
    char id[WZP_CT_CALL_ID];
    (void)now;
    return wzp_ct_hang_up(e, WZP_CT_X, wzp_ct_call_id(e, wzp_ct_play_arg(e), id));
}

/* A Hangup of this call, in an envelope. */
static bool was_hung_up_on(wzp_ct_exec *e, wzp_bytes id) {
    wzp_signal *hangup = wzp_ct_fed_inner(e, R1, WZP_SIGNAL_HANGUP);
    const bool is_it = hangup != NULL && hangup->u.Hangup.call_id.present &&
                       wzp_bytes_equal(hangup->u.Hangup.call_id.value, id);
    wzp_signal_free(&hangup);
    return is_it;
}

static wzp_ct_so_far go_end_here(wzp_ct_exec *e, wzp_time now) {
    char id[WZP_CT_CALL_ID];
    (void)now;
    return was_hung_up_on(e, wzp_ct_call_id(e, wzp_ct_play_arg(e), id)) ? WZP_CT_HAPPENED
           : wzp_ct_is_gone(e, R1)                                      ? WZP_CT_NEVER
                                                                        : WZP_CT_NOT_YET;
}

static bool begin_end_there(wzp_ct_exec *e, wzp_time now) {
    char buf[WZP_CT_CALL_ID];
    const wzp_bytes id = wzp_ct_call_id(e, wzp_ct_play_arg(e), buf);
    (void)now;
    return wzp_ct_fed_forward(
        e, R1,
        &(wzp_signal){.kind = WZP_SIGNAL_HANGUP,
                      .version = 1,
                      .u.Hangup = {.reason.kind = WZP_HANGUP_NORMAL, .call_id = {true, id}}},
        wzp_ct_fed_fingerprint(e, R1));
}

/* As deployed, perhaps without the id. */
static wzp_ct_so_far go_end_there(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_play_party(e, WZP_CT_X)->heard[WZP_SIGNAL_HANGUP] > 0 ? WZP_CT_HAPPENED
           : wzp_ct_is_gone(e, WZP_CT_X)                                ? WZP_CT_NEVER
                                                                        : WZP_CT_NOT_YET;
}

static const wzp_ct_call second = {
    WZP_CT_X, WZP_CT_R1, 's', WZP_ACCEPT_TRUSTED, &wzp_ct_caller_place, &wzp_ct_callee_place};

const wzp_ct_act wzp_ct_acts_rly094b[9] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    WZP_CT_FED_LINKED(&one_link),
    OFFER_LEAVES(&leaves),
    ANSWER_COMES(&leaves),
    {.required = "the other seven signals of a call cross in both directions",
     .within_s = 4,
     .begin = begin_messages,
     .go = go_messages,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .never = WZP_CT_REASON_NO_RESPONSE,
     .arg = &leaves},
    {.required = "the peer gets the Hangup of the local party",
     .within_s = 3,
     .begin = begin_end_here,
     .go = go_end_here,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &leaves},
    OFFER_LEAVES(&second),
    ANSWER_COMES(&second),
    {.required = "the local party gets the Hangup of the other one",
     .within_s = 3,
     .begin = begin_end_there,
     .go = go_end_there,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &second},
};

static const wzp_ct_call refused = {
    WZP_CT_R1, WZP_CT_X, 'r', WZP_ACCEPT_REJECT, &wzp_ct_caller_place, NULL};
static const wzp_ct_call rejected = {
    WZP_CT_X, WZP_CT_R1, 'j', WZP_ACCEPT_REJECT, &wzp_ct_caller_place, NULL};

/* In either form. */
static wzp_ct_so_far go_refused(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_call_parts parts;
    const wzp_signal answer = wzp_ct_call_answer(e, wzp_ct_play_arg(e), &parts);
    (void)now;
    return was_hung_up_on(e, answer.u.DirectCallAnswer.call_id) || wzp_ct_fed_came(e, R1, &answer)
               ? WZP_CT_HAPPENED
           : wzp_ct_is_gone(e, R1) ? WZP_CT_NEVER
                                   : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_rly094c[6] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    WZP_CT_FED_LINKED(&one_link),
    OFFER_COMES(&refused),
    {.required = "the peer is told that the local client rejects",
     .within_s = 3,
     .begin = wzp_ct_step_answer,
     .go = go_refused,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &refused},
    OFFER_LEAVES(&rejected),
    {.required = "the local client gets Hangup when the other one rejects",
     .within_s = 3,
     .begin = wzp_ct_fed_answer,
     .go = go_end_there,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &rejected},
};

/* --- RLY-095: the room of a call -------------------------------------------------------------- */

static const wzp_ct_fed_plan with_control = {
    .room = "wzp-ct-1", .links = 1, .peer = 0, .control = true, .quiet = true};

static bool begin_call_room(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    char buf[WZP_CT_CALL_ID];
    const wzp_bytes id = wzp_ct_call_id(e, wzp_ct_play_arg(e), buf);
    const wzp_room_participant there = {
        .fingerprint = wzp_bytes_str(wzp_ct_play_party(e, FAR)->identity.fingerprint)};
    (void)snprintf(st->room, sizeof st->room, "call-%.*s", (int)id.len, (const char *)id.data);
    st->actives[R1] = 0;
    return wzp_ct_play_join(e, WZP_CT_P6, st->room, WZP_CT_X, now) &&
           wzp_ct_fed_announce(e, R1, &there, 1);
}

static wzp_ct_so_far go_call_room(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_is_gone(e, WZP_CT_P6) || wzp_ct_is_gone(e, R1)            ? WZP_CT_NEVER
           : wzp_ct_is_in(e, WZP_CT_P6) && wzp_ct_fed_state(e)->lists_x[R1] ? WZP_CT_HAPPENED
                                                                            : WZP_CT_NOT_YET;
}

static wzp_ct_so_far check_call(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_fed_both(wzp_ct_fed_all(e, R1, 0), wzp_ct_fed_all(e, WZP_CT_P6, 1));
}

static const wzp_ct_fed_traffic talk = {.flows = {{.from = WZP_CT_P6, .count = 100, .rate = 50},
                                                  {.from = WZP_CT_R1, .count = 100, .rate = 50}},
                                        .pause_ms = 500,
                                        .check = check_call};

const wzp_ct_act wzp_ct_acts_rly095[7] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    WZP_CT_FED_JOINED(&with_control),
    WZP_CT_FED_LINKED(&with_control),
    OFFER_LEAVES(&leaves),
    ANSWER_COMES(&leaves),
    {.required = "the caller is let into the call's room, and the peer is told of it",
     .within_s = 6,
     .begin = begin_call_room,
     .go = go_call_room,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &leaves},
    {.required = "speech crosses in both directions",
     .within_s = 6,
     .begin = wzp_ct_fed_send,
     .go = wzp_ct_fed_sent,
     .late = WZP_CT_REASON_NOT_FORWARDED,
     .never = WZP_CT_REASON_NOT_FORWARDED,
     .arg = &talk},
};

/* --- relays that only measure ----------------------------------------------------------------- */

#define PROBE WZP_CT_L

static bool begin_probe(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_dial(e, PROBE, (wzp_party_dial){.room = "_probe", .hold_first = true}, now);
}

static wzp_ct_so_far go_probe(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_is_gone(e, PROBE)                      ? WZP_CT_NEVER
           : wzp_party_open(wzp_ct_play_party(e, PROBE)) ? WZP_CT_HAPPENED
                                                         : WZP_CT_NOT_YET;
}

static bool query(wzp_ct_exec *e, const char *fingerprint) {
    return wzp_party_tell(
        wzp_ct_play_party(e, PROBE),
        &(wzp_signal){.kind = WZP_SIGNAL_ROUTE_QUERY,
                      .version = 1,
                      .u.RouteQuery = {.fingerprint = wzp_bytes_str(fingerprint), .ttl = 3}});
}

static bool begin_ask(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_ping(e, PROBE, 102) &&
           wzp_ct_say(e, PROBE,
                      "{\"PresenceUpdate\":{\"version\":1,\"fingerprints\":[],"
                      "\"relay_addr\":\"192.0.2.77:4433\"}}") &&
           query(e, wzp_ct_play_party(e, WZP_CT_X)->identity.fingerprint);
}

static bool is_told_of_x(wzp_ct_exec *e) {
    const wzp_signal *update = wzp_ct_play_party(e, PROBE)->last[WZP_SIGNAL_PRESENCE_UPDATE];
    const wzp_bytes x = wzp_bytes_str(wzp_ct_play_party(e, WZP_CT_X)->identity.fingerprint);
    for (size_t i = 0; update != NULL && i < update->u.PresenceUpdate.fingerprints.count; i++) {
        if (wzp_bytes_equal(update->u.PresenceUpdate.fingerprints.items[i], x)) {
            return true;
        }
    }
    return false;
}

/* The answer to the query for this one. */
static const wzp_signal_RouteResponse *route_to(wzp_ct_exec *e, const char *fingerprint) {
    const wzp_signal *response = wzp_ct_play_party(e, PROBE)->last[WZP_SIGNAL_ROUTE_RESPONSE];
    return response != NULL && wzp_bytes_equal(response->u.RouteResponse.fingerprint,
                                               wzp_bytes_str(fingerprint))
               ? &response->u.RouteResponse
               : NULL;
}

static wzp_ct_so_far go_ask(wzp_ct_exec *e, wzp_time now) {
    const wzp_signal_RouteResponse *route =
        route_to(e, wzp_ct_play_party(e, WZP_CT_X)->identity.fingerprint);
    (void)now;
    if (wzp_ct_is_gone(e, PROBE)) {
        return WZP_CT_NEVER;
    }
    if (route != NULL && (!route->found || route->relay_chain.count == 0)) {
        wzp_ct_play_say(e, "RouteResponse does not know a client that is here");
        return WZP_CT_NEVER;
    }
    return route != NULL && wzp_ct_has_pong(e, PROBE, 102) && is_told_of_x(e) ? WZP_CT_HAPPENED
                                                                              : WZP_CT_NOT_YET;
}

static const char nobody[] = "dead:dead:dead:dead:dead:dead:dead:dead";

static bool begin_nobody(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return query(e, nobody);
}

static wzp_ct_so_far go_nobody(wzp_ct_exec *e, wzp_time now) {
    const wzp_signal_RouteResponse *route = route_to(e, nobody);
    (void)now;
    return route != NULL
               ? !route->found && route->relay_chain.count == 0 ? WZP_CT_HAPPENED : WZP_CT_NEVER
           : wzp_ct_is_gone(e, PROBE) ? WZP_CT_NEVER
                                      : WZP_CT_NOT_YET;
}

#define PROBED                                                                                     \
    {                                                                                              \
        .required = "the handshake on _probe", .within_s = 3, .begin = begin_probe,                \
        .go = go_probe, .late = WZP_CT_REASON_NO_RESPONSE                                          \
    }

const wzp_ct_act wzp_ct_acts_rly102[4] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    PROBED,
    {.required = "Pong, PresenceUpdate with the client, and RouteResponse that it is here",
     .within_s = 3,
     .begin = begin_ask,
     .go = go_ask,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "RouteResponse that somebody else is not",
     .within_s = 3,
     .begin = begin_nobody,
     .go = go_nobody,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

static bool begin_update(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_say(e, PROBE,
                      "{\"PresenceUpdate\":{\"version\":1,\"fingerprints\":[],"
                      "\"relay_addr\":\"192.0.2.77:4433\"}}");
}

static wzp_ct_so_far go_update(wzp_ct_exec *e, wzp_time now) {
    const wzp_signal *update = wzp_ct_play_party(e, PROBE)->last[WZP_SIGNAL_PRESENCE_UPDATE];
    const wzp_addr ours = wzp_ct_play_local(e, PROBE);
    char text[WZP_ADDR_TEXT_MAX];
    (void)now;
    if (update == NULL) {
        return wzp_ct_is_gone(e, PROBE) ? WZP_CT_NEVER : WZP_CT_NOT_YET;
    }
    const wzp_bytes addr = update->u.PresenceUpdate.relay_addr;
    wzp_ct_play_say(e, "relay_addr is %.*s", (int)addr.len, (const char *)addr.data);
    return wzp_bytes_equal(addr, wzp_bytes_str(wzp_addr_text(&ours, text))) ? WZP_CT_NEVER
                                                                            : WZP_CT_HAPPENED;
}

const wzp_ct_act wzp_ct_acts_rly104[2] = {
    PROBED,
    {.required = "PresenceUpdate whose relay_addr is not the asker's own",
     .within_s = 3,
     .begin = begin_update,
     .go = go_update,
     .late = WZP_CT_REASON_NO_RESPONSE},
};
