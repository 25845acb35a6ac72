/* Which part of a link's description runs where.  What ns-3 has an implementation of its own for
 * runs there, because only that makes a comparison of the two engines worth something; what it has
 * no model of runs in the code of the native link, ahead of ns-3 or behind it, on ns-3's clock;
 * what neither can do is refused by its name.
 *
 *     carry -> before -> loss of ns-3 -> mangle -> queue, rate, delay of ns-3 -> after -> node
 *
 * README.md has the table. */
#ifndef WZP_SIM_NS3_PLAN_H
#define WZP_SIM_NS3_PLAN_H

#include "sim/net/link.h"

/* Each part is a description that the others complete. */
typedef struct wzp_ns3_plan {
    wzp_sim_link_cfg before, mangle, ns3, after;
    bool has_before, has_mangle, has_after;
} wzp_ns3_plan;

/* WZP_ERR_INVALID_ARGUMENT: `fail` names the field.  `cfg` has passed wzp_sim_link_check; what it
 * borrows is borrowed by the plan. */
WZP_MUST_USE wzp_err wzp_ns3_plan_make(wzp_ns3_plan *out, const wzp_sim_link_cfg *cfg,
                                       wzp_fail *fail);

#endif
