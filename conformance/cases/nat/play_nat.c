/* What parties of a call tell each other of their addresses, and who gets it (NAT sheet 1.2, 1.10,
 * 1.11 and part 3). */
#include "conformance/cases/nat/nat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/cases/federation/fed.h"
#include "conformance/cases/relay/steps.h"

#define TEXT(text)                                                                                 \
    { (const uint8_t *)(text), sizeof(text) - 1 }
#define TOLD(text)                                                                                 \
    { true, TEXT(text) }
#define LIST(items)                                                                                \
    { items, WZP_COUNT_OF(items) }

/* --- NAT-007: other versions, other fields ---------------------------------------------------- */

static const wzp_ct_call odd = {.caller = WZP_CT_X,
                                .callee = WZP_CT_L,
                                .tag = 'o',
                                .mode = WZP_ACCEPT_TRUSTED,
                                .from = &wzp_ct_caller_place,
                                .to = &wzp_ct_callee_place};

/* With fields that nobody knows, and `version` as it is to be written, "" for none. */
static bool say_oddly(wzp_ct_exec *e, wzp_ct_who who, const wzp_signal *signal,
                      const char *version) {
    static const char mark[] = "\"version\":1,";
    static const char unknown[] = "\"x_later\":{\"list\":[1,null,\"z\"]},\"x_flag\":true,";
    char *json = NULL;
    size_t len = 0;
    if (wzp_signal_to_json(&json, &len, signal) != WZP_OK) {
        return false;
    }
    const size_t cap = len + sizeof unknown + 32;
    char *changed = malloc(cap);
    const char *at = memmem(json, len, mark, sizeof mark - 1);
    bool said = changed != NULL && at != NULL;
    if (said) {
        const size_t head = (size_t)(at - json);
        const int n = snprintf(changed, cap, "%.*s%s%s%.*s", (int)head, json, version, unknown,
                               (int)(len - head - (sizeof mark - 1)), at + sizeof mark - 1);
        said = wzp_party_say(wzp_ct_play_party(e, who), wzp_bytes_of(changed, (size_t)n));
    }
    free(changed);
    free(json);
    return said;
}

static const char *const no_version = "";
static const char *const version_2 = "\"version\":2,";

static bool begin_dial(wzp_ct_exec *e, wzp_time now) {
    const wzp_party_dial dial = {.room = "_signal", .role = WZP_PARTY_HUB, .hold_first = true};
    return wzp_ct_play_dial(e, WZP_CT_X, dial, now) && wzp_ct_play_dial(e, WZP_CT_L, dial, now);
}

static void register_oddly(wzp_ct_exec *e, wzp_ct_who who, const char *version) {
    wzp_ct_party *p = wzp_ct_play_party(e, who);
    uint8_t signature[WZP_SIGNATURE_LEN];
    if (p->state != WZP_PARTY_CONNECTED || !p->hold_first) {
        return;
    }
    wzp_presence_sign(signature, &p->identity);
    wzp_signal reg = {.kind = WZP_SIGNAL_REGISTER_PRESENCE,
                      .version = 1,
                      .u.RegisterPresence = {.signature = {signature, sizeof signature}}};
    memcpy(reg.u.RegisterPresence.identity_pub.bytes, p->identity.ed25519_pub, WZP_KEY_LEN);
    p->hold_first = !say_oddly(e, who, &reg, version);
}

static wzp_ct_so_far go_registered(wzp_ct_exec *e, wzp_time now) {
    register_oddly(e, WZP_CT_X, no_version);
    register_oddly(e, WZP_CT_L, version_2);
    return wzp_ct_step_registered(e, now);
}

static bool begin_offer(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_call_parts parts;
    const wzp_signal offer = wzp_ct_call_offer(e, &odd, &parts);
    (void)now;
    return say_oddly(e, WZP_CT_X, &offer, no_version);
}

static bool begin_answer(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_call_parts parts;
    const wzp_signal answer = wzp_ct_call_answer(e, &odd, &parts);
    (void)now;
    return say_oddly(e, WZP_CT_L, &answer, version_2);
}

static bool begin_signals(wzp_ct_exec *e, wzp_time now) {
    wzp_signal messages[WZP_CT_CALL_MESSAGES];
    char id[WZP_CT_CALL_ID];
    bool said = wzp_ct_say(e, WZP_CT_X, "\"NoSuchWord\"");
    (void)now;
    wzp_ct_call_messages(messages, wzp_ct_call_id(e, &odd, id));
    for (size_t i = 0; i < WZP_CT_PATH_SIGNALS; i++) {
        said = said && say_oddly(e, WZP_CT_X, &messages[i], i % 2 == 0 ? no_version : version_2) &&
               wzp_ct_say(e, WZP_CT_X, "{\"NoSuchVariant\":{\"version\":1,\"call_id\":\"c\"}}");
    }
    return said;
}

static wzp_ct_so_far go_signals(wzp_ct_exec *e, wzp_time now) {
    wzp_signal messages[WZP_CT_CALL_MESSAGES];
    char id[WZP_CT_CALL_ID];
    bool all = true;
    (void)now;
    wzp_ct_call_messages(messages, wzp_ct_call_id(e, &odd, id));
    for (size_t i = 0; i < WZP_CT_PATH_SIGNALS; i++) {
        const wzp_signal *came = wzp_ct_play_party(e, WZP_CT_L)->last[messages[i].kind];
        if (came != NULL && !wzp_ct_same_signal(&messages[i], came)) {
            wzp_ct_play_say(e, "%s came with other fields than were sent",
                            wzp_signal_name(messages[i].kind));
            return WZP_CT_NEVER;
        }
        all = all && came != NULL;
    }
    return wzp_ct_is_gone(e, WZP_CT_X) ? WZP_CT_NEVER : all ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

static const wzp_ct_ask still = {WZP_CT_X, {"{\"Ping\":{\"timestamp_ms\":7,\"x_flag\":1}}"}, 7};

const wzp_ct_act wzp_ct_acts_nat007[5] = {
    {.required = "registrations of no version and of version 2 are acknowledged",
     .within_s = 3,
     .begin = begin_dial,
     .go = go_registered,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &wzp_ct_x_and_l},
    {.required = "the callee gets an offer of no version, the caller CallRinging",
     .within_s = 3,
     .begin = begin_offer,
     .go = wzp_ct_step_offered,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &odd},
    {.required = "an answer of version 2 sets the call up",
     .within_s = 3,
     .begin = begin_answer,
     .go = wzp_ct_step_set_up,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &odd},
    {.required = "the callee gets all four path signals, whatever came between them",
     .within_s = 3,
     .begin = begin_signals,
     .go = go_signals,
     .late = WZP_CT_REASON_NO_RESPONSE},
    WZP_CT_ASK("Pong to a Ping of no version", 3, &still),
};

/* --- NAT-060: two calls of one caller --------------------------------------------------------- */

static const wzp_bytes local_1[] = {TEXT("192.168.1.5:40001"),    TEXT("10.20.30.40:40001"),
                                    TEXT("172.16.5.4:40001"),     TEXT("100.64.7.8:40001"),
                                    TEXT("[fd00:1234::5]:40001"), TEXT("[2001:db8:1::5]:40001")};
static const wzp_bytes local_2[] = {TEXT("[2001:db8:2::5]:40002"), TEXT("192.168.2.5:40002")};
static const wzp_bytes local_3[] = {TEXT("10.3.3.3:40003"), TEXT("10.3.3.4:40003")};
static const wzp_bytes local_4[] = {TEXT("192.168.4.4:40004")};
static const wzp_ct_whereabouts place_1 = {TOLD("[2001:db8:1::1]:40001"),
                                           TOLD("203.0.113.11:51413"), LIST(local_1)};
static const wzp_ct_whereabouts place_2 = {TOLD("198.51.100.2:40002"), TOLD("198.51.100.2:51002"),
                                           LIST(local_2)};
static const wzp_ct_whereabouts place_3 = {TOLD("203.0.113.33:40003"), TOLD("203.0.113.33:51003"),
                                           LIST(local_3)};
static const wzp_ct_whereabouts place_4 = {TOLD("198.51.100.44:40004"), TOLD("203.0.113.44:51004"),
                                           LIST(local_4)};

static const wzp_ct_call first = {WZP_CT_X, WZP_CT_L, '1', WZP_ACCEPT_TRUSTED, &place_1, &place_2};
static const wzp_ct_call second = {WZP_CT_X,           WZP_CT_KX, '2',
                                   WZP_ACCEPT_TRUSTED, &place_3,  &place_4};

/* The call that was offered last is answered first. */
const wzp_ct_act wzp_ct_acts_nat060[5] = {WZP_CT_REGISTERED(wzp_ct_three), WZP_CT_OFFERED(&first),
                                          WZP_CT_OFFERED(&second), WZP_CT_SET_UP(&second),
                                          WZP_CT_SET_UP(&first)};

/* --- NAT-061: what is not told ---------------------------------------------------------------- */

static const wzp_ct_whos six = {WZP_CT_X,  WZP_CT_L,  WZP_CT_KX,     WZP_CT_KL,
                                WZP_CT_AX, WZP_CT_AL, WZP_CT_PARTIES};
static const wzp_ct_whereabouts only_local = {.local = LIST(local_3)};
static const wzp_ct_whereabouts only_mapped = {.mapped = TOLD("203.0.113.33:51003")};
static const wzp_ct_whereabouts only_reflexive = {.reflexive = TOLD("198.51.100.2:40002")};

static const wzp_ct_call generic = {.caller = WZP_CT_X,
                                    .callee = WZP_CT_L,
                                    .tag = 'g',
                                    .mode = WZP_ACCEPT_GENERIC,
                                    .from = &wzp_ct_caller_place};
static const wzp_ct_call little = {WZP_CT_KX,          WZP_CT_KL,   'l',
                                   WZP_ACCEPT_TRUSTED, &only_local, &only_mapped};
static const wzp_ct_call other = {WZP_CT_AX,          WZP_CT_AL,       'r',
                                  WZP_ACCEPT_TRUSTED, &only_reflexive, &only_local};

const wzp_ct_act wzp_ct_acts_nat061[7] = {WZP_CT_REGISTERED(six),  WZP_CT_OFFERED(&generic),
                                          WZP_CT_SET_UP(&generic), WZP_CT_OFFERED(&little),
                                          WZP_CT_SET_UP(&little),  WZP_CT_OFFERED(&other),
                                          WZP_CT_SET_UP(&other)};

/* --- NAT-062: to whom they go ----------------------------------------------------------------- */

static const wzp_ct_whos four = {WZP_CT_X, WZP_CT_L, WZP_CT_KX, WZP_CT_KL, WZP_CT_PARTIES};

/* The signals of `call`, all of them or the one at `only`, and who gets them. */
typedef struct told {
    const wzp_ct_call *call; /* NULL: one that nobody knows, and all of the four tell it */
    wzp_ct_who from, to;
    size_t begin, end;
} told;

static wzp_bytes id_of(wzp_ct_exec *e, const wzp_ct_call *call, char buf[WZP_CT_CALL_ID]) {
    return call != NULL ? wzp_ct_call_id(e, call, buf) : wzp_bytes_str("no-such-call");
}

static void note_heard(wzp_ct_exec *e) {
    wzp_ct_nat *st = wzp_ct_play_state(e);
    wzp_signal messages[WZP_CT_CALL_MESSAGES];
    wzp_ct_call_messages(messages, wzp_bytes_str(""));
    for (int who = 0; who < WZP_CT_PARTIES; who++) {
        for (size_t i = 0; i < WZP_CT_PATH_SIGNALS; i++) {
            st->heard[who][i] = wzp_ct_play_party(e, (wzp_ct_who)who)->heard[messages[i].kind];
        }
    }
}

static bool begin_told(wzp_ct_exec *e, wzp_time now) {
    const told *t = wzp_ct_play_arg(e);
    wzp_signal messages[WZP_CT_CALL_MESSAGES];
    char buf[WZP_CT_CALL_ID];
    bool said = true;
    (void)now;
    note_heard(e);
    wzp_ct_call_messages(messages, id_of(e, t->call, buf));
    for (const wzp_ct_who *who = four; *who != WZP_CT_PARTIES; who++) {
        for (size_t i = t->begin; i < t->end && (t->call == NULL || *who == t->from); i++) {
            said = said && wzp_party_tell(wzp_ct_play_party(e, *who), &messages[i]);
        }
    }
    return said;
}

/* NEVER: it came to somebody who is not `to`, twice, or with other fields. */
static wzp_ct_so_far weigh_party(wzp_ct_exec *e, const told *t, wzp_ct_who who) {
    const wzp_ct_nat *st = wzp_ct_play_state(e);
    const wzp_ct_party *p = wzp_ct_play_party(e, who);
    wzp_signal messages[WZP_CT_CALL_MESSAGES];
    char buf[WZP_CT_CALL_ID];
    bool all = true;
    wzp_ct_call_messages(messages, id_of(e, t->call, buf));
    for (size_t i = 0; i < WZP_CT_PATH_SIGNALS; i++) {
        const uint32_t came = p->heard[messages[i].kind] - st->heard[who][i];
        const uint32_t due = who == t->to && i >= t->begin && i < t->end ? 1 : 0;
        if (came > due) {
            wzp_ct_play_say(e, "%s reached %s%s", wzp_signal_name(messages[i].kind), p->name,
                            due > 0 ? " twice" : "");
            return WZP_CT_NEVER;
        }
        if (came > 0 && !wzp_ct_same_signal(&messages[i], p->last[messages[i].kind])) {
            wzp_ct_play_say(e, "%s came with other fields than were sent",
                            wzp_signal_name(messages[i].kind));
            return WZP_CT_NEVER;
        }
        all = all && came == due;
    }
    return wzp_party_gone(p) ? WZP_CT_NEVER : all ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

/* What nobody shall get would have come within a second. */
static wzp_ct_so_far go_told(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_so_far all = wzp_ct_play_elapsed(e, now) > WZP_S ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
    for (const wzp_ct_who *who = four; *who != WZP_CT_PARTIES; who++) {
        all = wzp_ct_fed_both(all, weigh_party(e, wzp_ct_play_arg(e), *who));
    }
    return all;
}

#define GO_TO(required_, told_)                                                                    \
    {                                                                                              \
        .required = (required_), .within_s = 3, .begin = begin_told, .go = go_told,                \
        .late = WZP_CT_REASON_NO_RESPONSE, .arg = (told_)                                          \
    }

static const told early = {&first, WZP_CT_X, WZP_CT_L, 2, 3};
static const told to_callee = {&first, WZP_CT_X, WZP_CT_L, 0, WZP_CT_PATH_SIGNALS};
static const told to_caller = {&first, WZP_CT_L, WZP_CT_X, 0, WZP_CT_PATH_SIGNALS};
static const told to_nobody = {NULL, WZP_CT_X, WZP_CT_PARTIES, 0, WZP_CT_PATH_SIGNALS};

/* Deployed callers send HardNatProbe while it rings. */
const wzp_ct_act wzp_ct_acts_nat062[9] = {
    WZP_CT_REGISTERED(four),
    WZP_CT_OFFERED(&first),
    GO_TO("the caller's HardNatProbe reaches the callee while it rings, nobody else", &early),
    WZP_CT_SET_UP(&first),
    WZP_CT_OFFERED(&second),
    WZP_CT_SET_UP(&second),
    GO_TO("what the caller tells of its path reaches the callee once, nobody else", &to_callee),
    GO_TO("what the callee tells of its path reaches the caller once, nobody else", &to_caller),
    GO_TO("what is said of a call that nobody knows reaches nobody", &to_nobody),
};

/* --- NAT-063: the same between relays --------------------------------------------------------- */

#define R1 WZP_CT_R1
#define R2 WZP_CT_R2

static const wzp_ct_fed_plan two_links = {.room = "wzp-ct-1", .links = 2, .peer = 2, .quiet = true};
static const wzp_ct_call abroad = {WZP_CT_X, R1, 'f', WZP_ACCEPT_TRUSTED, &place_1, &place_2};

static bool tell_across(wzp_ct_exec *e, wzp_bytes id) {
    wzp_signal messages[WZP_CT_CALL_MESSAGES];
    bool said = true;
    wzp_ct_call_messages(messages, id);
    for (size_t i = 0; i < WZP_CT_PATH_SIGNALS; i++) {
        said = said && wzp_party_tell(wzp_ct_play_party(e, WZP_CT_X), &messages[i]) &&
               wzp_ct_fed_forward(e, R1, &messages[i], wzp_ct_fed_fingerprint(e, R1));
    }
    return said;
}

static bool begin_across(wzp_ct_exec *e, wzp_time now) {
    char id[WZP_CT_CALL_ID];
    (void)now;
    return tell_across(e, wzp_ct_call_id(e, &abroad, id));
}

/* Each has come to those of the call at most once, and to nobody else. */
static bool strayed(wzp_ct_exec *e, wzp_signal_kind kind) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    const char *who = wzp_ct_play_party(e, WZP_CT_L)->heard[kind] > 0   ? "another client"
                      : st->inner[1][kind] > 0                          ? "another peer"
                      : st->inner[0][kind] > 1                          ? "the peer twice"
                      : wzp_ct_play_party(e, WZP_CT_X)->heard[kind] > 1 ? "the caller twice"
                                                                        : NULL;
    if (who != NULL) {
        wzp_ct_play_say(e, "%s reached %s", wzp_signal_name(kind), who);
    }
    return who != NULL;
}

static wzp_ct_so_far go_across(wzp_ct_exec *e, wzp_time now) {
    const bool is_late = wzp_ct_play_elapsed(e, now) >= 3500 * WZP_MS;
    wzp_signal messages[WZP_CT_CALL_MESSAGES];
    char id[WZP_CT_CALL_ID];
    bool all = wzp_ct_play_elapsed(e, now) > WZP_S;
    wzp_ct_play_wake(e, now + 100 * WZP_MS);
    wzp_ct_call_messages(messages, wzp_ct_call_id(e, &abroad, id));
    for (size_t i = 0; i < WZP_CT_PATH_SIGNALS; i++) {
        const wzp_signal *came = wzp_ct_play_party(e, WZP_CT_X)->last[messages[i].kind];
        const bool out = wzp_ct_fed_came(e, R1, &messages[i]);
        const bool in = came != NULL && wzp_ct_same_signal(&messages[i], came);
        if (strayed(e, messages[i].kind)) {
            return WZP_CT_NEVER;
        }
        if (is_late && (!out || !in)) {
            wzp_ct_play_say(e, "%s did not cross %s", wzp_signal_name(messages[i].kind),
                            out  ? "from the peer"
                            : in ? "to the peer"
                                 : "at all");
        }
        all = all && out && in;
    }
    return wzp_ct_is_gone(e, WZP_CT_X) || wzp_ct_is_gone(e, R1) ? WZP_CT_NEVER
           : all                                                ? WZP_CT_HAPPENED
                                                                : WZP_CT_NOT_YET;
}

static bool begin_unknown(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return tell_across(e, wzp_bytes_str("no-such-call"));
}

static wzp_ct_so_far go_unknown(wzp_ct_exec *e, wzp_time now) {
    wzp_signal messages[WZP_CT_CALL_MESSAGES];
    wzp_ct_call_messages(messages, wzp_bytes_str(""));
    for (size_t i = 0; i < WZP_CT_PATH_SIGNALS; i++) {
        if (strayed(e, messages[i].kind)) {
            return WZP_CT_NEVER;
        }
    }
    return wzp_ct_is_gone(e, WZP_CT_X) || wzp_ct_is_gone(e, R1) ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) > WZP_S                ? WZP_CT_HAPPENED
                                                                : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_nat063[6] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l),
    WZP_CT_FED_LINKED(&two_links),
    WZP_CT_FED_OFFER_LEAVES(&abroad),
    WZP_CT_FED_ANSWER_COMES(&abroad),
    {.required = "the four cross once in both directions, and reach no other peer or client",
     .within_s = 4,
     .begin = begin_across,
     .go = go_across,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "what is said of a call that nobody knows reaches nobody, and the link stays",
     .within_s = 3,
     .begin = begin_unknown,
     .go = go_unknown,
     .late = WZP_CT_REASON_NO_RESPONSE},
};
