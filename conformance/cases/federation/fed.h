/* What cases about federation share: local members, a control pair, linked peers, and packets that
 * are known wherever they arrive.
 *
 *     X, L -- relay under test -- R1, R2 (the suite)          P7 - P8: control, in a room of its
 * own
 *                                                                                                 */
#ifndef WZP_CONFORMANCE_CASES_FEDERATION_FED_H
#define WZP_CONFORMANCE_CASES_FEDERATION_FED_H

#include "conformance/cases/relay/steps.h"
#include "wire/federation.h"

#define WZP_CT_R1 WZP_CT_KX
#define WZP_CT_R2 WZP_CT_KL
#define WZP_CT_R3 WZP_CT_AX

enum {
    WZP_CT_FLOWS = 4,
    WZP_CT_CONTROL = WZP_CT_FLOWS - 1,
    WZP_CT_FED_PACKETS = 6000, /* of one flow */
    WZP_CT_FED_PACKET = 512,   /* bytes */
    WZP_CT_FED_JSON = 2048
};

/* The first `local` of X and L are in `room`; the first `links` of R1 and R2 are linked as
 * wzp_ct_peers from `peer` on. */
typedef struct wzp_ct_fed_plan {
    const char *room;
    const char *sni; /* the name that clients use; NULL: `room` */
    unsigned local, links, peer;
    bool control; /* so that lost packets can be told from a bad path */
    bool quiet;   /* peers announce nobody */
} wzp_ct_fed_plan;

/* Packets of one sender: speech, of several voices if it is a peer's. */
typedef struct wzp_ct_flow {
    wzp_ct_who from;
    uint8_t hash[WZP_ROOM_HASH_LEN]; /* of the room, as peers write and read it */
    uint32_t seq, ts, voices, sent;
    size_t payload;
} wzp_ct_flow;

typedef struct wzp_ct_fed {
    const wzp_ct_fed_plan *plan;
    char room[80]; /* the plan's, or what a case puts there */
    uint32_t key;  /* of this run, in all of its packets */
    wzp_ct_flow flows[WZP_CT_FLOWS];
    uint8_t got[WZP_CT_PARTIES][WZP_CT_FLOWS][WZP_CT_FED_PACKETS];
    uint32_t altered[WZP_CT_PARTIES], foreign[WZP_CT_PARTIES], astray[WZP_CT_PARTIES];

    /* Of this room. */
    uint32_t actives[WZP_CT_PARTIES], inactives[WZP_CT_PARTIES];
    bool lists_x[WZP_CT_PARTIES];    /* some Active had X among its participants */
    uint32_t others[WZP_CT_PARTIES]; /* Actives of a room that is not shared */
    void (*on_active)(wzp_ct_exec *exec, wzp_ct_who who, const wzp_signal *signal, wzp_time now);

    /* Of a relay that dials us. */
    bool other_first[WZP_CT_PARTIES]; /* something came before its hello */
    uint32_t pings, updates;
    wzp_time first_ping, last_ping;

    /* What came in envelopes: the last of each kind. */
    uint32_t inner[2][WZP_SIGNAL_COUNT];
    char inner_json[2][WZP_SIGNAL_COUNT][WZP_CT_FED_JSON];
    char origin[2][160];
    char spelt[3][100];
    uint32_t step;
    uint32_t mark;
} wzp_ct_fed;

wzp_ct_fed *wzp_ct_fed_state(wzp_ct_exec *exec);
const char *wzp_ct_fed_fingerprint(wzp_ct_exec *exec, wzp_ct_who peer);

void wzp_ct_fed_datagram(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes bytes, wzp_time now);
/* The same, for peers that are linked with each other as well. */
void wzp_ct_fed_mesh_datagram(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes bytes, wzp_time now);
void wzp_ct_fed_signal(wzp_ct_exec *exec, wzp_ct_who who, const wzp_signal *signal, wzp_time now);
/* Digits of the certificate that X saw, some of them at least. */
bool wzp_ct_fed_is_target(wzp_ct_exec *exec, const char *fingerprint);
/* Signals of a relay that dials us, or measures us. */
void wzp_ct_fed_dialled_signal(wzp_ct_exec *exec, wzp_ct_who who, const wzp_signal *signal,
                               wzp_time now);

/* The packet that these bytes are, unchanged or not; false: none of ours. */
bool wzp_ct_fed_which(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes bytes, unsigned *flow,
                      uint32_t *index);

/* --- acts ------------------------------------------------------------------------------------- */

bool wzp_ct_fed_join(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_fed_joined(wzp_ct_exec *exec, wzp_time now);
bool wzp_ct_fed_link(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_fed_linked(wzp_ct_exec *exec, wzp_time now);

#define WZP_CT_FED_JOINED(plan)                                                                    \
    {                                                                                              \
        .required = "the local members are in their room", .within_s = 5,                          \
        .begin = wzp_ct_fed_join, .go = wzp_ct_fed_joined, .late = WZP_CT_REASON_NO_RESPONSE,      \
        .arg = (plan)                                                                              \
    }
/* Nothing acknowledges a hello: it is over when a list came, or after a while. */
#define WZP_CT_FED_LINKED(plan)                                                                    \
    {                                                                                              \
        .required = "the peer relays are linked", .within_s = 5, .begin = wzp_ct_fed_link,         \
        .go = wzp_ct_fed_linked, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (plan)                  \
    }

typedef struct wzp_ct_flow_plan {
    wzp_ct_who from;
    uint32_t count, rate, voices; /* count 0: none; voices 0: one */
    size_t payload;               /* 0: that of speech */
    const char *room;             /* of a peer's packets; NULL: the plan's */
    bool same_headers;            /* as the flow before */
    uint8_t copies;               /* sent so many times more, each 100 ms later */
} wzp_ct_flow_plan;

/* Some packets of some flows, then a pause, then `check`. */
typedef struct wzp_ct_fed_traffic {
    wzp_ct_flow_plan flows[WZP_CT_CONTROL];
    uint32_t pause_ms;
    wzp_ct_so_far (*check)(wzp_ct_exec *exec, wzp_time now);
} wzp_ct_fed_traffic;

bool wzp_ct_fed_send(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_fed_sent(wzp_ct_exec *exec, wzp_time now);

/* --- what came of it -------------------------------------------------------------------------- */

/* Of a flow: how many did not arrive at all, how many came more than once, how many came. */
uint32_t wzp_ct_fed_missing(wzp_ct_exec *exec, wzp_ct_who who, unsigned flow);
uint32_t wzp_ct_fed_repeated(wzp_ct_exec *exec, wzp_ct_who who, unsigned flow);
uint32_t wzp_ct_fed_arrived(wzp_ct_exec *exec, wzp_ct_who who, unsigned flow);

/* All but one in a hundred arrived unchanged; says how many if not.  UNSURE if the control's did
 * not either. */
wzp_ct_so_far wzp_ct_fed_all(wzp_ct_exec *exec, wzp_ct_who who, unsigned flow);
wzp_ct_so_far wzp_ct_fed_both(wzp_ct_so_far a, wzp_ct_so_far b);
/* The path, not the relay, may have lost something. */
bool wzp_ct_fed_is_lossy(wzp_ct_exec *exec);

/* A packet of a flow, with the room's hash before it if `tagged`; returns its length. */
size_t wzp_ct_fed_packet(wzp_ct_exec *exec, unsigned flow, uint32_t index, bool tagged,
                         uint8_t out[WZP_CT_FED_PACKET]);

/* --- what peers say --------------------------------------------------------------------------- */

bool wzp_ct_fed_announce(wzp_ct_exec *exec, wzp_ct_who peer, const wzp_room_participant *items,
                         size_t count);
bool wzp_ct_fed_announce_none(wzp_ct_exec *exec, wzp_ct_who peer);
bool wzp_ct_fed_forward(wzp_ct_exec *exec, wzp_ct_who peer, const wzp_signal *inner,
                        const char *origin);
/* The last signal of this kind that came in an envelope; the caller frees it.  NULL: none. */
wzp_signal *wzp_ct_fed_inner(wzp_ct_exec *exec, wzp_ct_who peer, wzp_signal_kind kind);
/* The last of this kind was just so.  False: another one, or none. */
bool wzp_ct_fed_came(wzp_ct_exec *exec, wzp_ct_who peer, const wzp_signal *want);

/* --- a call to somebody who is with R1 -------------------------------------------------------- */

wzp_ct_so_far wzp_ct_fed_left(wzp_ct_exec *exec, wzp_time now);
bool wzp_ct_fed_answer(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_fed_answered(wzp_ct_exec *exec, wzp_time now);

#define WZP_CT_FED_OFFER_LEAVES(call)                                                              \
    {                                                                                              \
        .required = "every peer gets the offer, from this relay, and the caller CallRinging",      \
        .within_s = 4, .begin = wzp_ct_step_offer, .go = wzp_ct_fed_left,                          \
        .late = WZP_CT_REASON_NO_RESPONSE, .arg = (call)                                           \
    }
#define WZP_CT_FED_ANSWER_COMES(call)                                                              \
    {                                                                                              \
        .required = "the caller gets the answer, and CallSetup with this relay's address",         \
        .within_s = 4, .begin = wzp_ct_fed_answer, .go = wzp_ct_fed_answered,                      \
        .late = WZP_CT_REASON_NO_RESPONSE, .arg = (call)                                           \
    }

/* --- the scripts ------------------------------------------------------------------------------ */

/* clang-format off */
#define WZP_CT_FED_PLAYS(X)                                                                        \
    X(f01, 2) X(f02, 3) X(f03, 3) X(f04, 3) X(f05, 4) X(f06, 5) X(f07, 4) X(f10, 3)                \
    X(f11, 3) X(f12, 3) X(rly081, 2) X(rly084, 3) X(rly084b, 3) X(rly086, 3) X(f08, 5)             \
    X(f09, 4) X(rly082, 3) X(rly088, 4) X(rly088b, 4) X(rly090, 3) X(rly092, 4)                    \
    X(rly094, 5) X(rly094b, 9) X(rly094c, 6) X(rly095, 7) X(rly096, 3) X(rly097, 4)                \
    X(rly098, 3) X(rly102, 4) X(rly104, 2) X(rly080, 4) X(rly103, 4)
/* clang-format on */
#define X(name, count) extern const wzp_ct_act wzp_ct_acts_##name[count];
WZP_CT_FED_PLAYS(X)
#undef X

#endif
