/* A case that is told as a list of acts: do this, then that must happen within so many seconds.
 * Which act failed, and what its parties had seen by then, is the verdict's text. */
#ifndef WZP_CONFORMANCE_ENGINE_PLAY_H
#define WZP_CONFORMANCE_ENGINE_PLAY_H

#include "conformance/engine/caller.h"
#include "conformance/engine/case.h"
#include "conformance/engine/party.h"
#include "conformance/engine/server.h"
#include "conformance/engine/subject.h"

typedef enum wzp_ct_so_far {
    WZP_CT_NEVER = -1, /* it cannot happen any more */
    WZP_CT_NOT_YET,
    WZP_CT_HAPPENED,
    WZP_CT_UNSURE, /* this machine is in the way of saying: INCONCLUSIVE */
    WZP_CT_LACKS   /* the relay is not configured for it: SKIP with the case's feature */
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
    const void *arg;     /* what one function serves several acts with */
};

/* The level of a case decides what a failed act means: SHOULD warns, INFO only tells.  An act that
 * ran out of time while this machine was late itself is INCONCLUSIVE, never FAIL. */

/* --- what acts are made of -------------------------------------------------------------------- */

wzp_ct_party *wzp_ct_play_party(wzp_ct_exec *exec, wzp_ct_who who);
const void *wzp_ct_play_arg(const wzp_ct_exec *exec);
/* Where this party is seen to send from, as far as this machine knows. */
wzp_addr wzp_ct_play_local(const wzp_ct_exec *exec, wzp_ct_who who);
/* The name of the play's own room. */
const char *wzp_ct_play_room(const wzp_ct_exec *exec);
/* Says nothing any more, not even that it leaves. */
void wzp_ct_play_vanish(wzp_ct_exec *exec, wzp_ct_who who);
/* Leaves politely. */
void wzp_ct_play_leave(wzp_ct_exec *exec, wzp_ct_who who, wzp_time now);

/* Into `room` (NULL: the play's own room) as a new identity, or with that of `as` if it is not
 * `who` itself. */
bool wzp_ct_play_join(wzp_ct_exec *exec, wzp_ct_who who, const char *room, wzp_ct_who as,
                      wzp_time now);
bool wzp_ct_play_register(wzp_ct_exec *exec, wzp_ct_who who, wzp_time now);
/* As the relay of this fingerprint. */
bool wzp_ct_play_link(wzp_ct_exec *exec, wzp_ct_who who, const char *fingerprint, wzp_time now);
/* Any other first words: `dial` says which; the play's own room if it names none. */
bool wzp_ct_play_dial(wzp_ct_exec *exec, wzp_ct_who who, wzp_party_dial dial, wzp_time now);
bool wzp_ct_play_join_with(wzp_ct_exec *exec, wzp_ct_who who, const char *token, wzp_time now);

/* As many more parties as a play needs, numbered from 0, all at the address of P8.  They count the
 * datagrams that come to them, and nothing else sees these.  False: no memory; once per play. */
bool wzp_ct_play_crowd(wzp_ct_exec *exec, size_t count);
wzp_ct_party *wzp_ct_play_extra(wzp_ct_exec *exec, size_t i);
bool wzp_ct_play_dial_extra(wzp_ct_exec *exec, size_t i, wzp_party_dial dial, wzp_time now);

/* A datagram of this party, and what the case keeps in `state_size` bytes (zeroed at first). */
bool wzp_ct_play_send(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes datagram);
void *wzp_ct_play_state(wzp_ct_exec *exec);

/* The case's own traffic, its `build` or `stream`: makes it, then sends what is due, starting when
 * it was made.  True when all has been sent, or `who` is gone. */
void wzp_ct_play_make_traffic(wzp_ct_exec *exec, wzp_time now);
bool wzp_ct_play_send_traffic(wzp_ct_exec *exec, wzp_ct_who who, wzp_time now);
/* Packets of it that left. */
uint64_t wzp_ct_play_sent(const wzp_ct_exec *exec);

/* Ends the relay for WZP_CT_CONFIG_IDENTITY, prepares its file and starts it again, soon.  False:
 * this machine could not.  Nobody may dial before it is done. */
bool wzp_ct_play_restart(wzp_ct_exec *exec, wzp_ct_identity_file file);
bool wzp_ct_play_is_restarted(const wzp_ct_exec *exec);

/* Starts the relay for WZP_CT_CONFIG_DIALLING afresh, soon, with the address of `who` as that of
 * wzp_ct_peers[0], and of a relay to measure.  Its links come to R1, or R2 while that one stands
 * (KX and KL), its probes to L.  False: this machine could not. */
bool wzp_ct_play_be_dialled(wzp_ct_exec *exec, wzp_ct_who who);
bool wzp_ct_play_is_dialling(const wzp_ct_exec *exec);

/* From now on datagrams of more bytes do not reach this party, as where a path is narrow. */
void wzp_ct_play_narrow(wzp_ct_exec *exec, wzp_ct_who who, size_t bytes);

/* As where a translator forgets a mapping: from now on this party is seen at the address of
 * `other`, who takes no part.  Its QUIC does not know; what comes to the old address is lost.
 * False: this machine does not know its addresses, and QUIC does not say which socket it means. */
bool wzp_ct_play_rebind(wzp_ct_exec *exec, wzp_ct_who who, wzp_ct_who other);
/* What comes to a party that is shut is counted, but does not reach it. */
void wzp_ct_play_shut(wzp_ct_exec *exec, wzp_ct_who who, bool is_shut);

/* What went over a party's socket since it was rebound, or ever: UDP payloads. */
typedef struct wzp_ct_wire {
    wzp_addr outside;
    bool is_moved, is_shut;
    uint64_t in_bytes, out_bytes;
    wzp_time in_at, out_at; /* of the last ones; 0: none yet */
    wzp_time reply_at;      /* of the first that came after the last that left, if any did */
    uint64_t worst_gap;     /* between two that came, ns */
    uint32_t challenges;    /* PATH_CHALLENGEs that came, where the case has sees_paths */
} wzp_ct_wire;
const wzp_ct_wire *wzp_ct_play_wire(const wzp_ct_exec *exec, wzp_ct_who who);

/* The relay's metrics page; free() it.  NULL: it cannot be read. */
char *wzp_ct_play_scrape(wzp_ct_exec *exec);
wzp_ct_mode wzp_ct_play_mode(const wzp_ct_exec *exec);

/* Since the present act began, ns.  `go` is called again at that time at the latest. */
uint64_t wzp_ct_play_elapsed(const wzp_ct_exec *exec, wzp_time now);
/* How late this machine served the play at worst since the present act began, ns. */
uint64_t wzp_ct_play_lateness(const wzp_ct_exec *exec);
/* The testers' own loss recovery gave something up: what is missing may have been lost. */
bool wzp_ct_play_path_loses(const wzp_ct_exec *exec);
void wzp_ct_play_wake(wzp_ct_exec *exec, wzp_time at);

/* --- cases about a client --------------------------------------------------------------------- */

/* The relay that the testers are; NULL in cases about a relay. */
wzp_ct_server *wzp_ct_play_server(const wzp_ct_exec *exec);
/* The rest of a call; NULL in cases that are not about one. */
wzp_ct_caller *wzp_ct_play_caller(const wzp_ct_exec *exec);
/* Where the places of the case's web are. */
const wzp_addr *wzp_ct_play_web(const wzp_ct_exec *exec);
/* What the client under test says of itself, and how it is. */
wzp_ct_sayings wzp_ct_play_listen(const wzp_ct_exec *exec);
wzp_ct_fate wzp_ct_play_fate(const wzp_ct_exec *exec);
/* Of a client that looks at its network. */
wzp_ct_words wzp_ct_play_words(const wzp_ct_exec *exec);
/* Its network becomes another one; called again until that is done. */
wzp_ct_moving wzp_ct_play_move(wzp_ct_exec *exec);
/* It was told whether to seal. */
bool wzp_ct_play_obeys(const wzp_ct_exec *exec);
/* It was told how good its sound shall be, see wzp_ct_case.quality. */
bool wzp_ct_play_tunes(const wzp_ct_exec *exec);
const char *wzp_ct_play_quality(const wzp_ct_exec *exec);
/* A number that is this run's own. */
uint64_t wzp_ct_play_seed(const wzp_ct_exec *exec);

/* What the target cannot do: SKIP with this feature instead of the case's own. */
wzp_ct_so_far wzp_ct_play_lacks(wzp_ct_exec *exec, const char *feature);

/* Appended to the verdict's "actual". */
void wzp_ct_play_say(wzp_ct_exec *exec, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
