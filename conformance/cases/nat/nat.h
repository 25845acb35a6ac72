/* What cases about traversal keep, and their scripts: path signals are in play_nat.c, clients whose
 * address changes or who say nothing for long in play_rebind.c. */
#ifndef WZP_CONFORMANCE_CASES_NAT_NAT_H
#define WZP_CONFORMANCE_CASES_NAT_NAT_H

#include "conformance/engine/play.h"

/* MediaPathReport, CandidateUpdate, HardNatProbe, HardNatBirthdayStart: the first of
 * wzp_ct_call_messages. */
enum { WZP_CT_PATH_SIGNALS = 4, WZP_CT_WAYS = 4 };

/* Speech from one party to another, numbered. */
typedef struct wzp_ct_way {
    wzp_ct_who from, to;
    uint32_t sent, mark, steady; /* packets: so far, when the act began, when all must flow again */
    uint32_t got;                /* of those since `steady` */
    wzp_time resumed_at;         /* the first since `mark` came; WZP_TIME_NEVER: none did */
} wzp_ct_way;

typedef struct wzp_ct_nat {
    uint32_t heard[WZP_CT_PARTIES][WZP_CT_PATH_SIGNALS]; /* when the act began */

    uint32_t key; /* of this run, in all of its packets */
    wzp_ct_way ways[WZP_CT_WAYS];
    uint64_t rtt; /* of the one who moves, before it does */
} wzp_ct_nat;

void wzp_ct_way_datagram(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes bytes, wzp_time now);

#define WZP_CT_NAT_PLAYS(X)                                                                        \
    X(nat007, 5)                                                                                   \
    X(nat060, 5) X(nat061, 7) X(nat062, 9) X(nat063, 6) X(nat110, 4) X(nat110b, 3) X(nat111, 2)
#define X(name, count) extern const wzp_ct_act wzp_ct_acts_##name[count];
WZP_CT_NAT_PLAYS(X)
#undef X

#endif
