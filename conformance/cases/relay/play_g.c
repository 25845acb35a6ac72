/* What follows from abuse: words, closes, cool-downs, and what others notice of it (conformance
 * sheet 24.10; E-05, FV-14). */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/relay/plays.h"
#include "conformance/cases/relay/steps.h"
#include "conformance/engine/speech.h"

enum { LANES = 4, RETURNS = 20, SPEECH_PACKETS = 50, DRIFT_PACKETS = 150 };

typedef struct state {
    wzp_time last_at; /* a datagram came to L */
    uint32_t arrived; /* of these, in the present act */
    uint64_t index;   /* of packets that the act itself sends */
    uint8_t returns[LANES];
    bool second[LANES]; /* the second party of the pair is the present one */
} state;

_Static_assert(sizeof(state) <= WZP_CT_G_STATE, "state fits");

void wzp_ct_g_datagram(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes bytes, wzp_time now) {
    state *s = wzp_ct_play_state(e);
    (void)bytes;
    if (who == WZP_CT_L) {
        s->arrived++;
        s->last_at = now;
    }
}

/* Whom an act is about, and whose identity that one has. */
typedef struct actor {
    wzp_ct_who who, as;
} actor;

static const actor x = {WZP_CT_X, WZP_CT_X};
static const actor kx_as_x = {WZP_CT_KX, WZP_CT_X};
static const actor ax_as_x = {WZP_CT_AX, WZP_CT_X};
static const actor al_as_x = {WZP_CT_AL, WZP_CT_X};
static const actor kx = {WZP_CT_KX, WZP_CT_KX};
static const actor p6 = {WZP_CT_P6, WZP_CT_P6};
static const actor forger = {WZP_CT_P6, WZP_CT_X};

static wzp_ct_party *party_of(wzp_ct_exec *e) {
    const actor *a = wzp_ct_play_arg(e);
    return wzp_ct_play_party(e, a->who);
}

/* --- abuse, and the answer -------------------------------------------------------------------- */

static bool begin_offence(wzp_ct_exec *e, wzp_time now) {
    ((state *)wzp_ct_play_state(e))->arrived = 0;
    wzp_ct_play_make_traffic(e, now);
    return true;
}

static wzp_ct_so_far go_offence(wzp_ct_exec *e, wzp_time now) {
    const actor *a = wzp_ct_play_arg(e);
    const wzp_ct_party *p = party_of(e);
    (void)wzp_ct_play_send_traffic(e, a->who, now);
    return p->hangup_bit != 0 ? WZP_CT_HAPPENED : wzp_party_gone(p) ? WZP_CT_NEVER : WZP_CT_NOT_YET;
}

static wzp_ct_so_far go_closed(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_party_gone(party_of(e)) ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

#define OFFENCE(actor_)                                                                            \
    {                                                                                              \
        .required = "the offender is told Hangup PolicyViolation", .within_s = 5,                  \
        .begin = begin_offence, .go = go_offence, .late = WZP_CT_REASON_NOT_CLOSED,                \
        .never = WZP_CT_REASON_UNTYPED_CLOSE, .arg = (actor_)                                      \
    }
#define CLOSED(actor_)                                                                             \
    {                                                                                              \
        .required = "... and closed", .within_s = 2, .go = go_closed,                              \
        .late = WZP_CT_REASON_NOT_CLOSED, .arg = (actor_)                                          \
    }
#define WAIT(seconds)                                                                              \
    { .required = "time passes", .within_s = (seconds), .late = WZP_CT_REASON_NONE }

/* --- joins ------------------------------------------------------------------------------------ */

static bool begin_join(wzp_ct_exec *e, wzp_time now) {
    const actor *a = wzp_ct_play_arg(e);
    return wzp_ct_play_join(e, a->who, NULL, a->as, now);
}

static wzp_ct_so_far go_admitted(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *p = party_of(e);
    (void)now;
    return p->answered && p->room_count > 0 ? WZP_CT_HAPPENED
           : wzp_party_gone(p)              ? WZP_CT_NEVER
                                            : WZP_CT_NOT_YET;
}

static wzp_ct_so_far go_refused(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *p = party_of(e);
    (void)now;
    if (p->room_count > 0) {
        wzp_ct_play_say(e, "it was let in");
        return WZP_CT_NEVER;
    }
    return !wzp_party_gone(p)   ? WZP_CT_NOT_YET
           : p->hangup_bit != 0 ? WZP_CT_HAPPENED
                                : WZP_CT_NEVER;
}

static wzp_ct_so_far go_described(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *p = party_of(e);
    (void)now;
    if (p->room_count == 0 && !wzp_party_gone(p)) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, p->room_count > 0 ? "let in after offences of two kinds: each is a first one"
                                         : "barred after offences of two kinds");
    return WZP_CT_HAPPENED;
}

#define ADMITTED(required_, actor_)                                                                \
    {                                                                                              \
        .required = (required_), .within_s = 3, .begin = begin_join, .go = go_admitted,            \
        .late = WZP_CT_REASON_NO_RESPONSE, .arg = (actor_)                                         \
    }
#define REFUSED(required_, actor_)                                                                 \
    {                                                                                              \
        .required = (required_), .within_s = 3, .begin = begin_join, .go = go_refused,             \
        .late = WZP_CT_REASON_NO_RESPONSE, .arg = (actor_)                                         \
    }

/* --- speech to L ------------------------------------------------------------------------------ */

static bool begin_speech(wzp_ct_exec *e, wzp_time now) {
    state *s = wzp_ct_play_state(e);
    (void)now;
    s->index = s->arrived = 0;
    return true;
}

static wzp_ct_so_far go_speech(wzp_ct_exec *e, wzp_time now) {
    state *s = wzp_ct_play_state(e);
    const actor *a = wzp_ct_play_arg(e);
    uint8_t buf[WZP_CT_SPEECH_BYTES];
    const wzp_time from = now - wzp_ct_play_elapsed(e, now);
    while (s->index < SPEECH_PACKETS && from + s->index * WZP_CT_SPEECH_STEP <= now) {
        const wzp_ct_speech at = {.index = s->index++};
        (void)wzp_ct_play_send(e, a->who, wzp_ct_speech_bytes(&at, 1, buf));
    }
    wzp_ct_play_wake(e, from + s->index * WZP_CT_SPEECH_STEP);
    if (s->arrived >= SPEECH_PACKETS) {
        return WZP_CT_HAPPENED;
    }
    return wzp_ct_is_gone(e, a->who) ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) > 2500 * WZP_MS && s->arrived * 2 >= SPEECH_PACKETS
               ? WZP_CT_UNSURE /* some of it was lost on the way */
               : WZP_CT_NOT_YET;
}

#define SPEECH(actor_)                                                                             \
    {                                                                                              \
        .required = "all of a second of speech arrives", .within_s = 3, .begin = begin_speech,     \
        .go = go_speech, .late = WZP_CT_REASON_NOT_FORWARDED, .arg = (actor_)                      \
    }

/* --- G-01 to G-04: how it is said ------------------------------------------------------------- */

/* One key, a known code, a reason in words; everything on its stream was readable. */
static wzp_ct_so_far go_schema(wzp_ct_exec *e, wzp_time now) {
    static const char head[] = "{\"Hangup\":{";
    const wzp_ct_party *p = party_of(e);
    const wzp_signal *said = p->last[WZP_SIGNAL_HANGUP];
    const char *json = p->last_json[WZP_SIGNAL_HANGUP];
    (void)now;
    const bool good = said != NULL && json != NULL && strncmp(json, head, sizeof head - 1) == 0 &&
                      said->u.Hangup.reason.kind == WZP_HANGUP_POLICY_VIOLATION &&
                      said->u.Hangup.reason.reason.len > 0 && p->unreadable == 0;
    if (!good) {
        wzp_ct_play_say(e, "it said %.150s", json != NULL ? json : "nothing");
    }
    return good ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

static wzp_ct_so_far go_not_silent(wzp_ct_exec *e, wzp_time now) {
    const state *s = wzp_ct_play_state(e);
    const wzp_time said = party_of(e)->hangup_at;
    const uint64_t silent = wzp_time_since(said, s->last_at);
    (void)now;
    if (silent > 500 * WZP_MS) {
        wzp_ct_play_say(e, "nothing was forwarded for %.2f s before it was said",
                        (double)silent / 1e9);
        return wzp_ct_play_lateness(e) > 250 * WZP_MS ? WZP_CT_UNSURE : WZP_CT_NEVER;
    }
    return WZP_CT_HAPPENED;
}

static wzp_ct_so_far go_in_order(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *p = party_of(e);
    (void)now;
    return p->hangup_at <= p->closed_at ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

static wzp_ct_so_far go_two_left(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_play_party(e, WZP_CT_L)->room_count == 2 &&
                   wzp_ct_play_party(e, WZP_CT_KX)->room_count == 2
               ? WZP_CT_HAPPENED
               : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_g01[WZP_CT_G01_ACTS] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    OFFENCE(&x),
    {.required = "one key Hangup, a code of the six, a reason in words",
     .within_s = 1,
     .go = go_schema,
     .never = WZP_CT_REASON_WRONG_RESPONSE,
     .arg = &x},
    CLOSED(&x),
};

const wzp_ct_act wzp_ct_acts_g02[WZP_CT_G02_ACTS] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    OFFENCE(&x),
    {.required = "it is said within 0.5 s of the last packet that was forwarded",
     .within_s = 1,
     .go = go_not_silent,
     .never = WZP_CT_REASON_SILENT_DROP,
     .arg = &x},
    CLOSED(&x),
};

const wzp_ct_act wzp_ct_acts_g03[WZP_CT_G03_ACTS] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    OFFENCE(&x),
    CLOSED(&x),
    {.required = "the Hangup came before the close",
     .within_s = 1,
     .go = go_in_order,
     .never = WZP_CT_REASON_UNTYPED_CLOSE,
     .arg = &x},
};

const wzp_ct_act wzp_ct_acts_g04[WZP_CT_G04_ACTS] = {
    WZP_CT_JOINED(wzp_ct_three),
    OFFENCE(&x),
    CLOSED(&x),
    {.required = "the others are told that there are two",
     .within_s = 3,
     .go = go_two_left,
     .late = WZP_CT_REASON_NO_RESPONSE},
    SPEECH(&kx),
};

/* --- G-05 to G-09, G-12: who may come again --------------------------------------------------- */

const wzp_ct_act wzp_ct_acts_g05[WZP_CT_G05_ACTS] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    OFFENCE(&x),
    CLOSED(&x),
    WAIT(5),
    REFUSED("the same identity is refused with a Hangup PolicyViolation, before any RoomUpdate",
            &ax_as_x),
    ADMITTED("another identity joins", &p6),
};

const wzp_ct_act wzp_ct_acts_g06[WZP_CT_G06_ACTS] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    OFFENCE(&x),
    CLOSED(&x),
    ADMITTED("another identity from the same address joins", &p6),
    SPEECH(&p6),
};

const wzp_ct_act wzp_ct_acts_g07[WZP_CT_G07_ACTS] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    OFFENCE(&x),
    CLOSED(&x),
    WAIT(6),
    ADMITTED("after the cool-down it joins again", &kx_as_x),
    OFFENCE(&kx_as_x),
    WAIT(10),
    REFUSED("10 s after its second offence it is refused", &ax_as_x),
    WAIT(30),
    ADMITTED("40 s after its second offence it joins again", &al_as_x),
};

static bool begin_forgery(wzp_ct_exec *e, wzp_time now) {
    const wzp_identity identity = wzp_ct_play_party(e, WZP_CT_X)->identity;
    return wzp_ct_play_dial(e, WZP_CT_P6,
                            (wzp_party_dial){.identity = &identity, .hold_first = true}, now);
}

static wzp_ct_so_far go_forgery(wzp_ct_exec *e, wzp_time now) {
    char json[8192];
    wzp_ct_party *p = party_of(e);
    (void)now;
    if (p->hold_first && p->state == WZP_PARTY_CONNECTED) {
        p->hold_first = false;
        wzp_party_offer_json(p, json, sizeof json, true);
        wzp_party_offer(p, json);
    }
    return p->room_count > 0 || wzp_party_gone(p) ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

/* Only a relay that let the forger in gets to see any. */
static wzp_ct_so_far go_offence_of_forger(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_so_far so_far = go_offence(e, now);
    return so_far == WZP_CT_NEVER ? WZP_CT_HAPPENED : so_far;
}

const wzp_ct_act wzp_ct_acts_g08[WZP_CT_G08_ACTS] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    {.required = "an offer in the victim's name with a bad signature is answered somehow",
     .within_s = 5,
     .begin = begin_forgery,
     .go = go_forgery,
     .late = WZP_CT_REASON_NONE,
     .arg = &forger},
    {.required = "abuse, if that was let in",
     .within_s = 5,
     .begin = begin_offence,
     .go = go_offence_of_forger,
     .late = WZP_CT_REASON_NONE,
     .arg = &forger},
    ADMITTED("the victim joins again", &ax_as_x),
    SPEECH(&ax_as_x),
};

/* A pair of parties takes turns in being one identity. */
static const wzp_ct_who lanes[LANES][2] = {
    {WZP_CT_X, WZP_CT_L}, {WZP_CT_KX, WZP_CT_KL}, {WZP_CT_AX, WZP_CT_AL}, {WZP_CT_P6, WZP_CT_P7}};

static bool begin_returns(wzp_ct_exec *e, wzp_time now) {
    bool good = true;
    for (size_t i = 0; i < LANES; i++) {
        good = wzp_ct_play_join(e, lanes[i][0], NULL, lanes[i][0], now) && good;
    }
    return good;
}

/* False: it was refused. */
static bool go_lane(wzp_ct_exec *e, size_t i, wzp_time now) {
    state *s = wzp_ct_play_state(e);
    const wzp_ct_who present = lanes[i][s->second[i] ? 1 : 0];
    const wzp_ct_who next = lanes[i][s->second[i] ? 0 : 1];
    const wzp_ct_party *p = wzp_ct_play_party(e, present);
    if (s->returns[i] == RETURNS) {
        return true;
    }
    if (p->room_count == 0) {
        return !wzp_party_gone(p);
    }
    wzp_ct_play_leave(e, present, now);
    s->second[i] = !s->second[i];
    return ++s->returns[i] == RETURNS || wzp_ct_play_join(e, next, NULL, present, now);
}

static wzp_ct_so_far go_returns(wzp_ct_exec *e, wzp_time now) {
    const state *s = wzp_ct_play_state(e);
    unsigned done = 0;
    for (size_t i = 0; i < LANES; i++) {
        if (!go_lane(e, i, now)) {
            wzp_ct_play_say(e, "identity %zu was refused at its join number %u", i + 1,
                            s->returns[i] + 1U);
            return WZP_CT_NEVER;
        }
        done += s->returns[i] == RETURNS ? 1 : 0;
    }
    return done == LANES ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_g09[WZP_CT_G09_ACTS] = {
    {.required = "each of four identities joins and leaves twenty times",
     .within_s = 60,
     .begin = begin_returns,
     .go = go_returns,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* Timestamps that creep: tier C. */
static wzp_ct_so_far go_drift(wzp_ct_exec *e, wzp_time now) {
    state *s = wzp_ct_play_state(e);
    const wzp_ct_party *p = party_of(e);
    const actor *a = wzp_ct_play_arg(e);
    const wzp_time from = now - wzp_ct_play_elapsed(e, now);
    while (s->index < DRIFT_PACKETS && from + s->index * 20 * WZP_MS <= now) {
        uint8_t packet[WZP_MEDIA_HDR_LEN + 60] = {0};
        wzp_wr wr;
        const wzp_media_hdr hdr = {.version = WZP_PROTOCOL_VERSION,
                                   .seq = (uint32_t)s->index,
                                   .timestamp_ms = (uint32_t)s->index * 9};
        wzp_wr_init(&wr, packet, sizeof packet);
        wzp_media_hdr_write(&wr, &hdr);
        (void)wzp_ct_play_send(e, a->who, wzp_bytes_of(packet, sizeof packet));
        s->index++;
    }
    wzp_ct_play_wake(e, from + s->index * 20 * WZP_MS);
    return p->hangup_bit != 0 ? WZP_CT_HAPPENED : wzp_party_gone(p) ? WZP_CT_NEVER : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_g12[WZP_CT_G12_ACTS] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    {.required = "creeping timestamps end in a Hangup",
     .within_s = 8,
     .begin = begin_speech,
     .go = go_drift,
     .arg = &x},
    CLOSED(&x),
    WAIT(6),
    ADMITTED("after the cool-down it joins again", &kx_as_x),
    OFFENCE(&kx_as_x),
    WAIT(6),
    {.required = "it is let in again, or not",
     .within_s = 3,
     .begin = begin_join,
     .go = go_described,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &ax_as_x},
};

/* --- what must arrive ------------------------------------------------------------------------- */

static wzp_ct_so_far go_all_sent(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_send_traffic(e, WZP_CT_X, now) ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

/* Without a word against it.  Buffers between here and there may lose one in fifty of a flood. */
static wzp_ct_so_far go_all_there(wzp_ct_exec *e, wzp_time now) {
    const state *s = wzp_ct_play_state(e);
    const wzp_ct_party *p = wzp_ct_play_party(e, WZP_CT_X);
    const bool over = wzp_ct_play_elapsed(e, now) >= WZP_S;
    if (p->hangup_at != WZP_TIME_NEVER || wzp_party_gone(p)) {
        wzp_ct_play_say(e, "the sender was hung up on");
        return WZP_CT_NEVER;
    }
    wzp_ct_play_wake(e, now - wzp_ct_play_elapsed(e, now) + WZP_S);
    if (!over) {
        return WZP_CT_NOT_YET;
    }
    const uint64_t sent = wzp_ct_play_sent(e);
    wzp_ct_play_say(e, "%u of %llu arrived", s->arrived, (unsigned long long)sent);
    return s->arrived * UINT64_C(100) >= sent * 98 ? WZP_CT_HAPPENED
           : wzp_ct_play_path_loses(e)             ? WZP_CT_UNSURE
                                                   : WZP_CT_NEVER;
}

const wzp_ct_act wzp_ct_acts_g10[WZP_CT_G10_ACTS] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    {.required = "all is sent", .within_s = 10, .begin = begin_offence, .go = go_all_sent},
    {.required = "all of it arrives, and nobody is hung up on",
     .within_s = 3,
     .go = go_all_there,
     .late = WZP_CT_REASON_NOT_FORWARDED,
     .never = WZP_CT_REASON_FALSE_POSITIVE},
};

/* Both as the token's owner, in case the relay compares. */
static bool begin_with_tokens(wzp_ct_exec *e, wzp_time now) {
    wzp_identity owner;
    wzp_identity_from_seed(&owner, (const uint8_t *)WZP_CT_TOKEN_OWNER);
    const wzp_party_dial dial = {.identity = &owner, .token = WZP_CT_GOOD_TOKEN};
    return wzp_ct_play_dial(e, WZP_CT_X, dial, now) && wzp_ct_play_dial(e, WZP_CT_L, dial, now);
}

static wzp_ct_so_far go_with_tokens(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_is_gone(e, WZP_CT_X) || wzp_ct_is_gone(e, WZP_CT_L) ? WZP_CT_NEVER
           : wzp_ct_play_party(e, WZP_CT_X)->room_count == 2 &&
                   wzp_ct_play_party(e, WZP_CT_L)->room_count == 2
               ? WZP_CT_HAPPENED
               : WZP_CT_NOT_YET;
}

/* Judged at its end: what was said against it, and what arrived. */
static wzp_ct_so_far go_to_the_end(wzp_ct_exec *e, wzp_time now) {
    const state *s = wzp_ct_play_state(e);
    const wzp_ct_party *p = wzp_ct_play_party(e, WZP_CT_X);
    if (p->hangup_at != WZP_TIME_NEVER || wzp_party_gone(p)) {
        wzp_ct_play_say(e, "the sender was hung up on");
        return WZP_CT_NEVER;
    }
    if (!wzp_ct_play_send_traffic(e, WZP_CT_X, now)) {
        return WZP_CT_NOT_YET;
    }
    return s->arrived * UINT64_C(100) >= wzp_ct_play_sent(e) * 98 ? WZP_CT_HAPPENED
           : wzp_ct_play_path_loses(e)                            ? WZP_CT_UNSURE
                                                                  : WZP_CT_NEVER;
}

const wzp_ct_act wzp_ct_acts_e05[WZP_CT_E05_ACTS] = {
    {.required = "both join with tokens",
     .within_s = 5,
     .begin = begin_with_tokens,
     .go = go_with_tokens,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "6 MB arrive, and nobody is hung up on",
     .within_s = 640,
     .begin = begin_offence,
     .go = go_to_the_end,
     .late = WZP_CT_REASON_NOT_FORWARDED,
     .never = WZP_CT_REASON_FALSE_POSITIVE},
};

static bool begin_newcomer(wzp_ct_exec *e, wzp_time now) {
    ((state *)wzp_ct_play_state(e))->arrived = 0;
    return wzp_ct_play_join(e, WZP_CT_L, NULL, WZP_CT_L, now);
}

static wzp_ct_so_far go_nothing_heard(wzp_ct_exec *e, wzp_time now) {
    const state *s = wzp_ct_play_state(e);
    (void)now;
    if (s->arrived > 0) {
        wzp_ct_play_say(e, "%u packets of the sender in doubt were replayed", s->arrived);
        return WZP_CT_NEVER;
    }
    return WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_fv14[WZP_CT_FV14_ACTS] = {
    WZP_CT_JOINED(wzp_ct_only_x),
    {.required = "all is sent", .within_s = 6, .begin = begin_offence, .go = go_all_sent},
    {.required = "a newcomer hears none of it",
     .within_s = 2,
     .begin = begin_newcomer,
     .go = go_nothing_heard,
     .late = WZP_CT_REASON_NONE,
     .never = WZP_CT_REASON_ALTERED},
};
