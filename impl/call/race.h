/* Which path a direct call takes: a direct connection races the relay, and both sides agree on the
 * winner by MediaPathReports (nat sheet 1.16 to 1.19).
 *
 *     tickles, dials --+--> direct up? --> our report  --+--> both true: direct
 *     the relay's dial-+                  their report --+--> else:      relay
 *
 * A state machine and nothing else: it is told what happened and says what to do next.  Plain
 * struct, no memory; time is an argument; connections are the caller's handles.
 *
 *     wzp_race_init(&race, &cfg, now);
 *     at each event:      wzp_race_direct_up(), _relay_down(), _peer_report() ...
 *     then:               while (wzp_race_next(&race, now, &act)) do it
 *     sleep until         wzp_race_deadline(&race)
 *
 * With the reference policy it goes on after the decision: a direct path that breaks, or a peer
 * that leaves it, leads to the relay, so that no side stays on a path that the other has left. */
#ifndef WZP_CALL_RACE_H
#define WZP_CALL_RACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/time.h"

#define WZP_RACE_CANDIDATES_MAX 32 /* dialled at once; what is more is not */
#define WZP_RACE_LINKS_MAX 8       /* direct connections that are up at once */

typedef enum wzp_race_role {
    WZP_RACE_NO_ROLE, /* nothing is tried directly */
    WZP_RACE_ACCEPTOR,
    WZP_RACE_DIALER
} wzp_race_role;

/* From the texts of both reflexive addresses as they were advertised: the smaller one accepts.
 * NO_ROLE if they are equal, or one is NULL or empty. */
wzp_race_role wzp_race_role_of(const char *own, const char *peer);

typedef enum wzp_race_policy { WZP_RACE_REFERENCE, WZP_RACE_DEPLOYED } wzp_race_policy;

typedef struct wzp_race_candidate {
    wzp_addr addr;
    bool is_near; /* in the same network: dialled a moment before the others */
} wzp_race_candidate;

typedef struct wzp_race_cfg {
    wzp_race_policy policy;
    wzp_race_role role;
    uint32_t number;   /* of the race in its call, both sides': 0, then more and more */
    bool both_dial;    /* reference, and the peer is one as well: each dials and each accepts */
    bool direct_only;  /* the call fails where it would take the relay */
    bool tickle_fails; /* deployed, on Linux: the acceptor's tickles never leave (nat sheet U3) */
    bool
        awaits_probe; /* reference: far candidates wait for wzp_race_candidates, but not for long */
    /* reference, again: a direct connection is awaited for so long that somebody else looks for,
     * and there may be no candidates; 0: WZP_RACE_WINDOW */
    uint64_t window;
    const wzp_race_candidate *candidates; /* in the order of dialling; copied */
    size_t count;
} wzp_race_cfg;

typedef enum wzp_race_path { WZP_RACE_UNDECIDED, WZP_RACE_DIRECT, WZP_RACE_RELAY } wzp_race_path;

typedef enum wzp_race_act_kind {
    WZP_RACE_TICKLE,      /* one octet, 0x00, to .addr from the media socket */
    WZP_RACE_DIAL,        /* a connection to candidate .index at .addr */
    WZP_RACE_DIAL_RELAY,  /* at once, if there is none */
    WZP_RACE_REPORT,      /* a MediaPathReport with .number, .direct_ok and .direct_won */
    WZP_RACE_CLOSE,       /* direct connection .conn, with code 0 and "not-selected" */
    WZP_RACE_CLOSE_RELAY, /* the relay's, or its dial, likewise */
    WZP_RACE_TAKE,        /* from now on media go over .path: direct by .conn, or the relay's */
    WZP_RACE_FAIL         /* no path: .text says why.  Nothing follows */
} wzp_race_act_kind;

typedef struct wzp_race_act {
    wzp_race_act_kind kind;
    size_t index;
    wzp_addr addr;
    uint32_t number;
    bool direct_ok, direct_won;
    uint64_t conn;
    wzp_race_path path;
    const char *text; /* static */
} wzp_race_act;

/* A direct connection that is up. */
typedef struct wzp_race_link {
    uint64_t conn;
    bool is_ours; /* that we dialled, not accepted */
    bool is_over; /* to be closed, and not told yet */
} wzp_race_link;

typedef struct wzp_race {
    wzp_race_cfg cfg;
    wzp_race_candidate candidates[WZP_RACE_CANDIDATES_MAX];
    wzp_time began;

    size_t dialled, failed; /* the first so many candidates were told; so many failed */
    size_t touched;         /* the first so many were dialled or tickled */
    wzp_time far_at;        /* then those that are not near may be touched */
    size_t tickled;         /* of the present round */
    wzp_time tickle_at;
    wzp_race_link links[WZP_RACE_LINKS_MAX];
    size_t link_count;
    wzp_time direct_ended_at; /* the first came up, or all was in vain; NEVER: neither yet */

    bool relay_dialled, relay_is_up;
    unsigned relay_dials;
    bool close_relay;        /* to be told */
    wzp_time relay_ended_at; /* up, or in vain; NEVER: neither yet */
    wzp_time relay_limit_at; /* once the relay is what is decided */

    unsigned reports;              /* that we said */
    bool reported_ok, report_due;  /* the last one's word, or the next one's if that is due */
    wzp_time reported_at, said_at; /* the first one, the last one */
    bool has_peer, peer_ok;
    unsigned answers;      /* to reports that came again */
    uint32_t early_number; /* of a race that the other side has begun, and we not; 0: none */
    bool early_ok;         /* all that it said in that */
    uint64_t stale;        /* reports of races that are over */

    wzp_race_path path;
    bool is_left;  /* the direct path, by us */
    bool is_again; /* not the first race of the call */
    wzp_time decided_at;
    wzp_race_path told; /* by TAKE */
    uint64_t told_conn;
    const char *why; /* it failed; NULL: not */
    bool told_why;
} wzp_race;

/* Also for a call that has no role or no candidates: it takes the relay and reports nothing, as
 * deployed, or fails if it must be direct. */
void wzp_race_init(wzp_race *race, const wzp_race_cfg *cfg, wzp_time now);

/* Reference, mid-call, once the relay was decided, or while an earlier such race goes on: looks for
 * a direct path anew, with a cfg as it is now.  Media and the relay's connection stay where they
 * are meanwhile. */
bool wzp_race_may_again(const wzp_race *race);
void wzp_race_again(wzp_race *race, const wzp_race_cfg *cfg, wzp_time now);

/* Reference: a connection counts once both ends have completed the handshake; a dialler knows by
 * HANDSHAKE_DONE.  False: close it, it is one too many (code 0, "stale"). */
bool wzp_race_direct_up(wzp_race *race, uint64_t conn, bool is_ours, wzp_time now);
void wzp_race_direct_down(wzp_race *race, uint64_t conn, wzp_time now);
/* Reference: now it is known whom to try, in this order, which is kept on the wire: behind a NAT
 * that counts, each new destination takes a port (nat sheet 1.18).  Those that were tried already
 * stay, in front and at their index; the others are replaced, unless `count` is 0.  Ends the wait
 * for a probe. */
void wzp_race_candidates(wzp_race *race, const wzp_race_candidate *candidates, size_t count,
                         wzp_time now);
/* Reference: it is there, but nothing comes by it any more.  The relay it is; until that is up
 * media still leave by the direct path, which may work the other way. */
void wzp_race_leave_direct(wzp_race *race);
/* Reference: nobody looks for a direct path any more.  Nothing if there is one. */
void wzp_race_give_up(wzp_race *race, wzp_time now);
/* A dial came to nothing. */
void wzp_race_dial_failed(wzp_race *race, wzp_time now);

void wzp_race_relay_up(wzp_race *race, wzp_time now);
/* Reference: we are elsewhere.  No handshake survives that: a dial that is under way begins anew.
 */
void wzp_race_moved(wzp_race *race);
void wzp_race_relay_down(wzp_race *race, wzp_time now);

/* Of the other side's race `number`.  Signals overtake each other, and races follow each other
 * quickly: what belongs to one that is over is counted and no more; who has begun another one has
 * left the path of this one, and its word is kept for then. */
void wzp_race_peer_report(wzp_race *race, uint32_t number, bool direct_ok, wzp_time now);

/* The signals of late may have been lost, the connection under them with them. */
void wzp_race_say_again(wzp_race *race);

/* What to do; false: nothing until an event or the deadline. */
bool wzp_race_next(wzp_race *race, wzp_time now, wzp_race_act *out);
wzp_time wzp_race_deadline(const wzp_race *race);

/* Whether a connection that comes in may be the call's. */
bool wzp_race_accepts(const wzp_race *race, wzp_time now);

/* Times of the reference policy, from CallSetup (nat sheet 1.18). */
#define WZP_RACE_FAR_AFTER (50 * WZP_MS) /* candidates that are not near */
#define WZP_RACE_PROBE_LIMIT                                                                       \
    (350 * WZP_MS)                          /* and that wait for the peer's probe: N59 has 0.6 s   \
                                             */
#define WZP_RACE_RELAY_AFTER (500 * WZP_MS) /* the relay's dial */
#define WZP_RACE_WINDOW (2 * WZP_S)         /* then the direct path has failed */
#define WZP_RACE_TICKLE_EVERY (100 * WZP_MS)
#define WZP_RACE_REPORT_EVERY (500 * WZP_MS) /* until theirs has come */
#define WZP_RACE_ANSWER_AFTER (400 * WZP_MS) /* theirs again: so do we, unless we just did */
#define WZP_RACE_REPORTS_MAX 16              /* then ours are not repeated any more */
#define WZP_RACE_ANSWERS_MAX 6               /* nor are theirs answered */
#define WZP_RACE_LINGER (2 * WZP_S)          /* a direct path that was left is still listened to */

/* Of both. */
#define WZP_RACE_PEER_LIMIT (3 * WZP_S)   /* from our report to theirs */
#define WZP_RACE_RELAY_LIMIT (10 * WZP_S) /* of the relay's last dial */

/* Reference: a call that finds no path at all ends so long after its set-up (nat sheet, NAT-083).
 */
#define WZP_RACE_SETUP_LIMIT (9 * WZP_S)

/* As deployed (nat sheet 1.16). */
#define WZP_RACE_DEPLOYED_RELAY_AFTER (1 * WZP_S)
#define WZP_RACE_DEPLOYED_RELAY_UNTIL (5500 * WZP_MS)
#define WZP_RACE_DEPLOYED_DIRECT_UNTIL (4 * WZP_S)
#define WZP_RACE_DEPLOYED_GRACE (1 * WZP_S)

#endif
