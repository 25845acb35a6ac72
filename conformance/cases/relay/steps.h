/* Acts that many scripted cases are made of: who is there, a question and its answer, a direct
 * call.  Each takes its particulars from the act's `arg`. */
#ifndef WZP_CONFORMANCE_CASES_RELAY_STEPS_H
#define WZP_CONFORMANCE_CASES_RELAY_STEPS_H

#include "conformance/engine/play.h"

/* --- who is there ----------------------------------------------------------------------------- */

/* Ends with WZP_CT_PARTIES. */
typedef wzp_ct_who wzp_ct_whos[WZP_CT_PARTIES + 1];
extern const wzp_ct_whos wzp_ct_only_x, wzp_ct_x_and_l, wzp_ct_three;

bool wzp_ct_is_in(wzp_ct_exec *exec, wzp_ct_who who);
bool wzp_ct_is_gone(wzp_ct_exec *exec, wzp_ct_who who);

bool wzp_ct_step_register(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_step_registered(wzp_ct_exec *exec, wzp_time now);
bool wzp_ct_step_join(wzp_ct_exec *exec, wzp_time now);
/* Each is answered and sees as many members as `arg` names. */
wzp_ct_so_far wzp_ct_step_joined(wzp_ct_exec *exec, wzp_time now);

#define WZP_CT_REGISTERED(whos)                                                                    \
    {                                                                                              \
        .required = "they are registered", .within_s = 3, .begin = wzp_ct_step_register,           \
        .go = wzp_ct_step_registered, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (whos)             \
    }
/* The last RoomUpdate of each names exactly these, in this order. */
wzp_ct_so_far wzp_ct_step_listed(wzp_ct_exec *exec, wzp_time now);

#define WZP_CT_JOINED(whos)                                                                        \
    {                                                                                              \
        .required = "they are in one room and see each other", .within_s = 5,                      \
        .begin = wzp_ct_step_join, .go = wzp_ct_step_joined, .late = WZP_CT_REASON_NO_RESPONSE,    \
        .arg = (whos)                                                                              \
    }

/* --- a question and its answer ---------------------------------------------------------------- */

/* Says each text on a stream of its own; the Pong with this timestamp must come. */
typedef struct wzp_ct_ask {
    wzp_ct_who who;
    const char *texts[8]; /* up to the first NULL */
    uint64_t pong;        /* a text of the last is made of it when it is not 0: Ping */
} wzp_ct_ask;

bool wzp_ct_step_ask(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_step_answered(wzp_ct_exec *exec, wzp_time now);

bool wzp_ct_say(wzp_ct_exec *exec, wzp_ct_who who, const char *json);
bool wzp_ct_ping(wzp_ct_exec *exec, wzp_ct_who who, uint64_t timestamp);
bool wzp_ct_has_pong(wzp_ct_exec *exec, wzp_ct_who who, uint64_t timestamp);

/* The ReflectResponse names this party's own address.  Behind an address translator, or where this
 * machine does not know its address, any address will do. */
wzp_ct_so_far wzp_ct_go_reflected(wzp_ct_exec *exec, wzp_ct_who who);

#define WZP_CT_ASK(required_, seconds, ask)                                                        \
    {                                                                                              \
        .required = (required_), .within_s = (seconds), .begin = wzp_ct_step_ask,                  \
        .go = wzp_ct_step_answered, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (ask)                \
    }

/* --- direct calls ----------------------------------------------------------------------------- */

/* Where a party says that it is. */
typedef struct wzp_ct_whereabouts {
    wzp_opt_str reflexive, mapped;
    wzp_list_str local;
} wzp_ct_whereabouts;

/* Usual ones. */
extern const wzp_ct_whereabouts wzp_ct_caller_place, wzp_ct_callee_place;

typedef struct wzp_ct_call {
    wzp_ct_who caller, callee;
    char tag; /* tells the calls of one caller apart */
    wzp_accept_mode mode;
    const wzp_ct_whereabouts *from, *to; /* what the two say of where they are; NULL: nothing */
} wzp_ct_call;

enum { WZP_CT_CALL_ID = 48 };
wzp_bytes wzp_ct_call_id(wzp_ct_exec *exec, const wzp_ct_call *call, char buf[WZP_CT_CALL_ID]);

/* The callee gets the offer with all its fields, the caller CallRinging. */
bool wzp_ct_step_offer(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_step_offered(wzp_ct_exec *exec, wzp_time now);
/* The caller gets the answer, both get CallSetup with what the other one told, or for a refusal
 * the caller a Hangup. */
bool wzp_ct_step_answer(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_step_set_up(wzp_ct_exec *exec, wzp_time now);

#define WZP_CT_OFFERED(call)                                                                       \
    {                                                                                              \
        .required = "the callee gets the offer unchanged, the caller CallRinging", .within_s = 3,  \
        .begin = wzp_ct_step_offer, .go = wzp_ct_step_offered, .late = WZP_CT_REASON_NO_RESPONSE,  \
        .arg = (call)                                                                              \
    }
#define WZP_CT_SET_UP(call)                                                                        \
    {                                                                                              \
        .required = "the caller gets the answer, both get CallSetup with the other's addresses",   \
        .within_s = 3, .begin = wzp_ct_step_answer, .go = wzp_ct_step_set_up,                      \
        .late = WZP_CT_REASON_NO_RESPONSE, .arg = (call)                                           \
    }

/* The offer and the answer of a call, for parties that say them in their own way: a peer in an
 * envelope.  They borrow from `parts`. */
typedef struct wzp_ct_call_parts {
    char id[WZP_CT_CALL_ID];
    uint8_t signature[WZP_SIGNATURE_LEN];
} wzp_ct_call_parts;
wzp_signal wzp_ct_call_offer(wzp_ct_exec *exec, const wzp_ct_call *call, wzp_ct_call_parts *parts);
wzp_signal wzp_ct_call_answer(wzp_ct_exec *exec, const wzp_ct_call *call, wzp_ct_call_parts *parts);
bool wzp_ct_has_setup(const wzp_ct_party *party, wzp_bytes call_id);
/* What is wrong with a party's CallSetup, `peer` being what the other one offered or answered;
 * NULL: nothing. */
const char *wzp_ct_fault_of_setup(const wzp_ct_party *party, wzp_bytes call_id,
                                  const wzp_signal *peer);

/* Eight signals that name a call, MediaPathReport first. */
enum { WZP_CT_CALL_MESSAGES = 8 };
void wzp_ct_call_messages(wzp_signal out[WZP_CT_CALL_MESSAGES], wzp_bytes call_id);

/* A Hangup for this call came, with this reason. */
bool wzp_ct_has_hangup(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes call_id);
bool wzp_ct_hang_up(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes call_id);
/* Tells MediaPathReport; a party has one for this call. */
bool wzp_ct_report_path(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes call_id);
bool wzp_ct_has_report(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes call_id);

/* Equal in every field that the protocol knows but the version. */
bool wzp_ct_same_signal(const wzp_signal *a, const wzp_signal *b);

#endif
