/* Direct calls between registered clients (relay sheet 8.4-8.10): who calls whom, and what each
 * message means in each state.  A pure state machine: it knows fingerprints, not connections, and
 * says what to send instead of sending it.
 *
 *            offer        told the caller       answer
 *   (none) ---------> PENDING ---------> RINGING ---------> TRUSTED, GENERIC
 *                        |                  |                      |
 *                        +------------------+----------------------+---> ENDED
 *                           reject, hangup, disconnect, ring time over
 *
 * TRUSTED and GENERIC are the deployed Active under the callee's two ways to accept: GENERIC keeps
 * everything that tells where the callee is from the caller. */
#ifndef WZP_RELAY_CALLS_H
#define WZP_RELAY_CALLS_H

#include "base/rng.h"
#include "base/time.h"
#include "relay/table.h"
#include "wire/signal.h"

#define WZP_CALL_ID_MAX 58 /* "call-" and an id make one DNS label */
#define WZP_CALL_NAME_MAX 96
#define WZP_CALL_CANDIDATES 32    /* local addresses of one party */
#define WZP_CALL_CANDIDATE_MAX 64 /* characters of one address */

typedef enum wzp_call_state {
    WZP_CALL_PENDING,
    WZP_CALL_RINGING,
    WZP_CALL_TRUSTED,
    WZP_CALL_GENERIC,
    WZP_CALL_ENDED,
    WZP_CALL_STATE_COUNT
} wzp_call_state;

typedef enum wzp_call_role {
    WZP_CALL_CALLER,
    WZP_CALL_CALLEE,
    WZP_CALL_RELAY, /* timers and what the relay itself did */
    WZP_CALL_ROLE_COUNT,
    WZP_CALL_STRANGER
} wzp_call_role;

typedef enum wzp_call_input {
    WZP_CALL_IN_RUNG, /* the offer is with the callee */
    WZP_CALL_IN_ACCEPT_TRUSTED,
    WZP_CALL_IN_ACCEPT_GENERIC,
    WZP_CALL_IN_REJECT,
    WZP_CALL_IN_HANGUP,
    WZP_CALL_IN_GONE,    /* the party's signal connection ended */
    WZP_CALL_IN_TIMEOUT, /* ring time */
    WZP_CALL_IN_MESSAGE, /* for the other party, and tells no address of the sender */
    WZP_CALL_IN_ADDRESS, /* for the other party, and tells where the sender is */
    WZP_CALL_INPUT_COUNT
} wzp_call_input;

/* What to do about an input. */
typedef enum wzp_call_act {
    WZP_CALL_ACT_IGNORE,   /* nothing, and nothing has changed */
    WZP_CALL_ACT_WITHHOLD, /* nothing: it would tell the caller where the callee is */
    WZP_CALL_ACT_NOTE,     /* nothing more */
    WZP_CALL_ACT_SET_UP,   /* answer to the caller, CallSetup to both */
    WZP_CALL_ACT_PASS,     /* the message as it is to the other party */
    WZP_CALL_ACT_END_PEER, /* Hangup Normal to the other party */
    WZP_CALL_ACT_END_BOTH  /* Hangup Timeout to both */
} wzp_call_act;

/* Where a party says that it is.  Opaque texts, not checked. */
typedef struct wzp_call_place {
    wzp_opt_str reflexive, mapped;
    wzp_list_str local;
} wzp_call_place;

/* Where a party is registered: here, with the peer of this number less one, or with a peer that
 * will be known when it answers. */
#define WZP_CALL_HERE 0
#define WZP_CALL_ANYWHERE UINT32_MAX

typedef struct wzp_call_side {
    char name[WZP_CALL_NAME_MAX + 1]; /* fingerprint, exactly as registered */
    uint32_t peer;                    /* the caller of wzp_calls_offer sets it */
    wzp_call_place place;             /* owned by the call */
    void *memory;
} wzp_call_side;

typedef struct wzp_call {
    char id[WZP_CALL_ID_MAX + 1];
    wzp_call_state state;
    wzp_call_side sides[2]; /* by role */
    wzp_time created_at, answered_at;

    /* The registry's. */
    wzp_table_link by_id;
    wzp_time ring_until; /* WZP_TIME_NEVER: it does not ring, or for ever */
    struct wzp_call *next_ringing, *prev_ringing;
    struct wzp_call *next_of[2], *prev_of[2]; /* of the caller, of the callee */
} wzp_call;

typedef struct wzp_calls wzp_calls;

typedef struct wzp_calls_cfg {
    wzp_rng rng;
    size_t max_calls, max_per_client;
    uint64_t ring_timeout; /* WZP_TIME_NEVER: none, as deployed */
} wzp_calls_cfg;

WZP_MUST_USE wzp_err wzp_calls_new(wzp_calls **out, const wzp_calls_cfg *cfg);
/* Accepts NULL, leaves NULL. */
void wzp_calls_free(wzp_calls **calls);

/* For calls that begin to ring from now on; WZP_TIME_NEVER as above. */
void wzp_calls_set_ring_timeout(wzp_calls *calls, uint64_t timeout);

typedef struct wzp_call_offer {
    wzp_bytes id;
    const char *caller, *callee; /* names of clients, at most WZP_CALL_NAME_MAX characters */
    wzp_call_place place;        /* the caller's; copied */
} wzp_call_offer;

typedef enum wzp_call_refusal {
    WZP_CALL_FINE,
    WZP_CALL_BAD_ID, /* empty or longer than WZP_CALL_ID_MAX */
    WZP_CALL_SELF,
    WZP_CALL_TAKEN, /* somebody else's call has this id, or the caller's own with another callee */
    WZP_CALL_CALLER_BUSY,
    WZP_CALL_CALLEE_BUSY, /* max_per_client calls */
    WZP_CALL_TOO_MANY,    /* max_calls, or no memory */
    WZP_CALL_REFUSAL_COUNT
} wzp_call_refusal;

/* A fresh call in state PENDING.  An offer that repeats a call of the same two parties replaces it,
 * as deployed, even an active one. */
wzp_call_refusal wzp_calls_offer(wzp_calls *calls, const wzp_call_offer *offer, wzp_time now,
                                 wzp_call **out);

/* NULL: there is none.  Ids are compared exactly. */
wzp_call *wzp_calls_find(const wzp_calls *calls, wzp_bytes id);

/* A client's calls, in no useful order; start with `after` NULL. */
wzp_call *wzp_calls_of(const wzp_calls *calls, const char *name, const wzp_call *after);

wzp_call_role wzp_call_role_of(const wzp_call *call, const char *name);

/* One input.  When the call is ENDED afterwards, the caller does what the act says and then gives
 * the call to wzp_calls_remove. */
wzp_call_act wzp_calls_step(wzp_calls *calls, wzp_call *call, wzp_call_role role,
                            wzp_call_input input, wzp_time now);

/* Frees the call, in any state; leaves NULL. */
void wzp_calls_remove(wzp_calls *calls, wzp_call **call);

/* Replaces what is known of a party; copied.  Returns the number of addresses left out because of
 * the limits above. */
size_t wzp_call_set_place(wzp_call *call, wzp_call_role role, const wzp_call_place *place);

/* A ringing call whose time is over, or NULL. */
wzp_call *wzp_calls_due(const wzp_calls *calls, wzp_time now);
wzp_time wzp_calls_deadline(const wzp_calls *calls);

/* Rooms of calls are named so; nobody else may make one. */
bool wzp_call_is_room(const char *room);

/* True: `name` is a party of the call whose media room this is.  Room names come in lower case. */
bool wzp_calls_admit(const wzp_calls *calls, const char *room, const char *name);

size_t wzp_calls_count(const wzp_calls *calls);

const char *wzp_call_refusal_name(wzp_call_refusal refusal);

#endif
