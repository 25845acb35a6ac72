/* Can two hosts behind these boxes reach each other directly?  A model without time and without a
 * protocol: it has only who sends to whom, and NATs that let packets through or do not.  What real
 * clients achieve in simulated calls is judged against it (nat sheet 2.12, SIM-012).
 *
 *     acceptor -- boxes --+-- the network --+-- boxes -- dialer
 *                         +--- servers -----+
 *
 * Both learn from servers what their addresses look like, and are told each other's.  Then they
 * send, one flight after the other, the dialer's first; nothing is lost but what boxes drop.  A
 * connection is an initial packet, an answer to wherever that came from, which counts only if it
 * comes from the address that was dialed, and a third packet that arrives. */
#ifndef WZP_SIM_NAT_PUNCH_H
#define WZP_SIM_NAT_PUNCH_H

#include "sim/nat/nat.h"

typedef enum wzp_sim_punch_strategy {
    WZP_SIM_PUNCH_DEPLOYED,  /* the dialer dials; the acceptor waits: M0 */
    WZP_SIM_PUNCH_SPECIFIED, /* and sends one packet to open its boxes: M1 */
    WZP_SIM_PUNCH_BOTH_DIAL, /* M2 */
    WZP_SIM_PUNCH_PREDICTED  /* and they dial the next ports of a sequential peer first: M3 */
} wzp_sim_punch_strategy;

#define WZP_SIM_PUNCH_BOXES 2

typedef struct wzp_sim_punch_side {
    wzp_sim_nat_cfg boxes[WZP_SIM_PUNCH_BOXES]; /* inner first */
    size_t box_count;
    bool mapped; /* the inner box grants an explicit mapping: M5 */
} wzp_sim_punch_side;

typedef struct wzp_sim_punch_cfg {
    wzp_sim_punch_side acceptor, dialer;
    wzp_sim_punch_strategy strategy;
    uint32_t foreign_milli; /* mean x 1000, at most 30, of the flows of others through each
                               sequential NAT between learning and sending */
    uint64_t seed;
} wzp_sim_punch_cfg;

/* *direct: a connection came about.  NOMEM, or INVALID_ARGUMENT for boxes that cannot be. */
WZP_MUST_USE wzp_err wzp_sim_punch(const wzp_sim_punch_cfg *cfg, bool *direct);

/* The rows and columns of the matrices: "PUB" is preset "pub" ... "CGH" is "double-hard".  NULL
 * past the last. */
typedef struct wzp_sim_punch_type {
    const char *name, *preset;
} wzp_sim_punch_type;
const wzp_sim_punch_type *wzp_sim_punch_type_at(size_t index);

/* The boxes of a preset; false: there is none by that name. */
bool wzp_sim_punch_side_of(const char *preset, wzp_sim_punch_side *out);

/* --- birthday --------------------------------------------------------------------------------- */

/* N sockets behind a NAT that gives each a port of its own send to one address; from there M
 * different ports of the NAT are probed, in first_port..last_port. */
typedef struct wzp_sim_birthday_cfg {
    wzp_sim_nat_cfg nat;
    uint32_t sockets, probes;
    uint16_t first_port, last_port;
    bool in_block; /* where a block of the NAT's is in use, probe only that */
    uint64_t seed;
} wzp_sim_birthday_cfg;

/* *hit: a probe got through.  INVALID_ARGUMENT: more probes than ports, or the NAT; NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_birthday(const wzp_sim_birthday_cfg *cfg, bool *hit);

#endif
