/* Acts that cases about a client in a direct call are made of: it registers, takes our call, races
 * its paths.  Particulars come from the act's `arg`. */
#ifndef WZP_CONFORMANCE_CASES_CALLS_CALL_STEPS_H
#define WZP_CONFORMANCE_CASES_CALLS_CALL_STEPS_H

#include "conformance/engine/play.h"

typedef struct wzp_ct_call_state {
    wzp_time began;    /* the act */
    wzp_time spoke_at; /* we, on the direct connection */
    uint32_t spoken;   /* packets */
    uint64_t media;    /* that had come over the relay when the act began */
    uint32_t reports;  /* of the client, likewise */
    unsigned done;     /* steps of an act that has several */
    bool has_dialled;
    wzp_ct_direct *direct; /* the connection that the act is about */
} wzp_ct_call_state;

/* Where the peer is, as CallSetup tells. */
typedef struct wzp_ct_setting {
    bool is_nowhere;      /* no addresses at all */
    bool is_dead;         /* nobody is where they lead */
    bool is_like_its_own; /* the client's own reflexive address is the peer's as well */
    bool has_lan, has_mapped, has_rubbish;
    const char *reflexive; /* this text instead */
    bool relay_is_dead;
} wzp_ct_setting;

/* Begins with how Reflect will be answered: `arg` is a wzp_ct_observes. */
bool wzp_ct_call_observes(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_call_is_registered(wzp_ct_exec *exec, wzp_time now);
bool wzp_ct_call_ring(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_call_answers(wzp_ct_exec *exec, wzp_time now);
/* Of a client that calls: it rings us. */
wzp_ct_so_far wzp_ct_call_offers(wzp_ct_exec *exec, wzp_time now);
/* It answered with the address that it was told: direct paths are what it can. */
wzp_ct_so_far wzp_ct_call_told_us(wzp_ct_exec *exec, wzp_time now);
bool wzp_ct_call_set_up(wzp_ct_exec *exec, wzp_time now);
/* Sound goes over the relay. */
wzp_ct_so_far wzp_ct_call_in_room(wzp_ct_exec *exec, wzp_time now);
/* It does nothing wrong, and has not gone; for acts that last as long as they may. */
wzp_ct_so_far wzp_ct_call_stays(wzp_ct_exec *exec, wzp_time now);

/* A direct connection stands: the client dials us, or takes our dial. */
wzp_ct_so_far wzp_ct_call_it_dials(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_call_we_dial(wzp_ct_exec *exec, wzp_time now);
/* A MediaPathReport of this call that says so: `arg` of the case's act is a bool. */
wzp_ct_so_far wzp_ct_call_reports(wzp_ct_exec *exec, wzp_time now);
/* Ours, true or false by `arg`. */
bool wzp_ct_call_report(wzp_ct_exec *exec, wzp_time now);
/* Sound goes over this path alone, for two seconds. */
wzp_ct_so_far wzp_ct_call_goes_direct(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_call_goes_by_relay(wzp_ct_exec *exec, wzp_time now);

/* The client's program and its signal connection are there. */
bool wzp_ct_call_is_up(const wzp_ct_exec *exec);
/* Keeps the direct connection busy, so that it counts as alive. */
void wzp_ct_call_speak(wzp_ct_exec *exec, wzp_time now);
/* Notes what an act that begins compares with. */
wzp_ct_call_state *wzp_ct_call_begin(wzp_ct_exec *exec, wzp_time now);

#define WZP_CT_CALL_REGISTERED(how)                                                                \
    {                                                                                              \
        .required = "the client registers", .within_s = 10, .begin = wzp_ct_call_observes,         \
        .go = wzp_ct_call_is_registered, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (how)           \
    }
#define WZP_CT_CALL_ANSWERED                                                                       \
    {                                                                                              \
        .required = "it takes a call", .within_s = 13, .begin = wzp_ct_call_ring,                  \
        .go = wzp_ct_call_answers, .late = WZP_CT_REASON_NO_RESPONSE                               \
    }
#define WZP_CT_CALL_TOLD_US                                                                        \
    {                                                                                              \
        .required = "it tells where it can be reached", .within_s = 1, .go = wzp_ct_call_told_us,  \
        .late = WZP_CT_REASON_NO_RESPONSE                                                          \
    }
#define WZP_CT_CALL_PLACED(how)                                                                    \
    WZP_CT_CALL_REGISTERED(how),                                                                   \
        {.required = "it calls us",                                                                \
         .within_s = 5,                                                                            \
         .go = wzp_ct_call_offers,                                                                 \
         .late = WZP_CT_REASON_NO_RESPONSE},                                                       \
        WZP_CT_CALL_TOLD_US
#define WZP_CT_CALL_OPEN(how) WZP_CT_CALL_REGISTERED(how), WZP_CT_CALL_ANSWERED, WZP_CT_CALL_TOLD_US
#define WZP_CT_CALL_DIALS(setting)                                                                 \
    {                                                                                              \
        .required = "it dials us", .within_s = 4, .begin = wzp_ct_call_set_up,                     \
        .go = wzp_ct_call_it_dials, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (setting)            \
    }
#define WZP_CT_CALL_ACCEPTS(setting)                                                               \
    {                                                                                              \
        .required = "it takes our direct connection", .within_s = 4, .begin = wzp_ct_call_set_up,  \
        .go = wzp_ct_call_we_dial, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (setting)             \
    }
#define WZP_CT_CALL_REPORTS_IT                                                                     \
    {                                                                                              \
        .required = "it reports that the direct path works", .within_s = 5,                        \
        .go = wzp_ct_call_reports, .late = WZP_CT_REASON_NO_RESPONSE, .arg = &wzp_ct_call_yes      \
    }

extern const bool wzp_ct_call_yes, wzp_ct_call_no;
extern const wzp_ct_setting wzp_ct_call_plain; /* the peer is where it says */

#endif
