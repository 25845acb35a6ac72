/* The inside of one execution, shared by the files that play it: run.c (life and events), traffic.c
 * (cases that send a pattern), exchange.c (cases about the first message), play.c (scripted ones).
 */
#ifndef WZP_CONFORMANCE_ENGINE_EXEC_H
#define WZP_CONFORMANCE_ENGINE_EXEC_H

#include "conformance/engine/accounting.h"
#include "conformance/engine/caller.h"
#include "conformance/engine/ledger.h"
#include "conformance/engine/party.h"
#include "conformance/engine/play.h"
#include "conformance/engine/run.h"
#include "conformance/engine/server.h"
#include "conformance/engine/speech.h"

/* The phases of a traffic case (conformance sheet 24.1); exchanges and plays have one of their own.
 */
typedef enum wzp_ct_phase {
    WZP_CT_PHASE_SETUP, /* X, L and the control pair join */
    WZP_CT_PHASE_ECHO,  /* legitimate speech from X, delivered or nothing can be said */
    WZP_CT_PHASE_GAP,   /* so that a window anchored in the echo is over */
    WZP_CT_PHASE_PATTERN,
    WZP_CT_PHASE_SETTLE, /* what is on its way arrives; late reactions are still seen */
    WZP_CT_PHASE_AFTER,  /* a fresh identity joins and is served */
    WZP_CT_PHASE_EXCHANGE,
    WZP_CT_PHASE_PLAY,
    WZP_CT_PHASE_DONE
} wzp_ct_phase;

#define WZP_CT_DRAIN (400 * WZP_MS) /* what is on its way has arrived by then */

struct wzp_ct_exec {
    wzp_ct_exec_cfg cfg;
    wzp_quic *quic;
    wzp_addr locals[WZP_CT_PARTIES]; /* each party has an address of its own */
    size_t narrow[WZP_CT_PARTIES];   /* 0: any datagram reaches it */
    wzp_ct_wire wires[WZP_CT_PARTIES];
    wzp_prng prng;
    wzp_ct_party parties[WZP_CT_PARTIES];
    wzp_ct_server *server;           /* owned; NULL: the case is about a relay */
    wzp_ct_caller *caller;           /* owned; NULL: the case is not about a call */
    wzp_addr web[WZP_CT_WEB_PLACES]; /* where its places are */
    wzp_ct_subject *subject;         /* the client under test, once it was started */
    wzp_ct_party *crowd;             /* of a play, at the address of its last party */
    wzp_quic_conn *crowd_conns;
    size_t crowd_count;
    wzp_ct_phase phase;
    wzp_time phase_at, started, onset, wake;
    wzp_ct_run result;

    /* traffic */
    wzp_ct_speech echo, control, after;
    wzp_ct_pattern pattern;
    size_t next;
    wzp_ct_sent *sent;
    wzp_ledger main, side;  /* X to L, and the control's */
    wzp_ledger forbidden;   /* what must not arrive */
    uint64_t errors_us[32]; /* schedule errors: power-of-two buckets of microseconds */
    wzp_time early_at;      /* 0: not yet */
    wzp_ct_mode mode;

    /* How late this machine served the execution, in the present act or exchange: when it wanted to
     * be served next, at worst, and in all. */
    wzp_time pulse_due;
    uint64_t late_worst, late_total;

    /* exchange */
    char offer[8192];
    unsigned tries;

    /* play */
    size_t act;
    void *play_state;
};

double wzp_ct_exec_since_onset(const wzp_ct_exec *e, wzp_time at);
void wzp_ct_exec_mark(wzp_ct_exec *e, wzp_ct_lane lane, double from, double until,
                      const char *label);
void wzp_ct_exec_enter(wzp_ct_exec *e, wzp_ct_phase next, wzp_time now);
void wzp_ct_exec_finish(wzp_ct_exec *e, wzp_time now);
void wzp_ct_exec_decide(wzp_ct_exec *e, wzp_ct_grade grade, wzp_ct_reason reason,
                        const char *actual, wzp_time now);

/* Notes how late this call is and asks for another one soon: a machine that serves us late serves
 * the relay beside us late as well.  For exchanges, plays and the setup of traffic. */
void wzp_ct_exec_pulse(wzp_ct_exec *e, wzp_time now);
void wzp_ct_exec_reset_pulse(wzp_ct_exec *e);
/* So late that what went wrong within `within_s` is not the relay's fault. */
bool wzp_ct_exec_was_late(const wzp_ct_exec *e, double within_s);

/* A fresh room name. */
void wzp_ct_exec_room(wzp_ct_exec *e, char out[40]);

/* Fills in name, address, randomness, target and video of the dial.  False: nothing was sent. */
bool wzp_ct_exec_connect(wzp_ct_exec *e, wzp_ct_who who, wzp_party_dial *dial, wzp_time now);
/* As an ordinary member of `room`. */
bool wzp_ct_exec_dial(wzp_ct_exec *e, wzp_ct_who who, const char *room, wzp_time now);

bool wzp_ct_exec_send(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes datagram);

/* Sends what is due of a speech; returns when the next packet is. */
wzp_time wzp_ct_exec_speak(wzp_ct_exec *e, wzp_ct_speech *speech, wzp_ct_who who,
                           wzp_ledger *ledger, wzp_time now);

/* What a datagram goes through before our QUIC sees it, and after.  False: it is lost. */
bool wzp_ct_wire_in(wzp_ct_exec *e, wzp_quic_path *path, size_t len, wzp_time now);
void wzp_ct_wire_out(wzp_ct_exec *e, wzp_quic_path *path, size_t len, wzp_time now);
/* Counts path challenges. */
void wzp_ct_wire_qlog(void *ctx, wzp_quic_conn conn, wzp_bytes data, bool fin);

/* Each kind of case: begin, one step, one datagram that came. */
void wzp_ct_traffic_begin(wzp_ct_exec *e, wzp_time now);
void wzp_ct_traffic_step(wzp_ct_exec *e, wzp_time now);
void wzp_ct_traffic_datagram(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes bytes, wzp_time now);
void wzp_ct_exchange_begin(wzp_ct_exec *e, wzp_time now);
void wzp_ct_exchange_step(wzp_ct_exec *e, wzp_time now);
void wzp_ct_play_begin(wzp_ct_exec *e, wzp_time now);
void wzp_ct_play_step(wzp_ct_exec *e, wzp_time now);

#endif
