/* A case that is told as a list of acts: do this, then that must happen within so many seconds.
 * Which act failed, and what its parties had seen by then, is the verdict's text. */
#ifndef WZP_CONFORMANCE_ENGINE_PLAY_H
#define WZP_CONFORMANCE_ENGINE_PLAY_H

#include "conformance/engine/case.h"
#include "conformance/engine/party.h"

typedef enum wzp_ct_so_far {
    WZP_CT_NEVER = -1, /* it cannot happen any more */
    WZP_CT_NOT_YET,
    WZP_CT_HAPPENED,
    WZP_CT_UNSURE /* this machine is in the way of saying: INCONCLUSIVE */
} wzp_ct_so_far;

struct wzp_ct_act {
    const char *required; /* "both see a RoomUpdate of two" */
    double within_s;
    /* NULL: nothing is to be done.  False: this machine could not. */
    bool (*begin)(wzp_ct_exec *exec, wzp_time now);
    /* Called whenever something happened or the time it asked for came; may send.  NULL: the act
     * is over when its time is. */
    wzp_ct_so_far (*go)(wzp_ct_exec *exec, wzp_time now);
    /* When time is over: FAIL with this reason; NONE: that is as it should be. */
    wzp_ct_reason late;
    wzp_ct_reason never; /* for WZP_CT_NEVER; NONE: wrong-response */
};

/* --- what acts are made of -------------------------------------------------------------------- */

wzp_ct_party *wzp_ct_play_party(wzp_ct_exec *exec, wzp_ct_who who);

/* Into `room` (NULL: the play's own room) as a new identity, or with that of `as` if it is not
 * `who` itself. */
bool wzp_ct_play_join(wzp_ct_exec *exec, wzp_ct_who who, const char *room, wzp_ct_who as,
                      wzp_time now);
bool wzp_ct_play_register(wzp_ct_exec *exec, wzp_ct_who who, wzp_time now);
bool wzp_ct_play_join_with(wzp_ct_exec *exec, wzp_ct_who who, const char *token, wzp_time now);

/* A datagram of this party, and what the case keeps in `state_size` bytes (zeroed at first). */
bool wzp_ct_play_send(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes datagram);
void *wzp_ct_play_state(wzp_ct_exec *exec);

/* Since the present act began, ns.  `go` is called again at that time at the latest. */
uint64_t wzp_ct_play_elapsed(const wzp_ct_exec *exec, wzp_time now);
void wzp_ct_play_wake(wzp_ct_exec *exec, wzp_time at);

/* Appended to the verdict's "actual". */
void wzp_ct_play_say(wzp_ct_exec *exec, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
