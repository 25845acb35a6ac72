/* The engines that a scenario can run on. */
#ifndef WZP_SIM_LAB_ENGINE_H
#define WZP_SIM_LAB_ENGINE_H

#include "sim/net/fabric.h"

/* "native" or "ns3".  On failure `why` is one line.
 * WZP_ERR_IO: there is no such engine here; NOMEM */
WZP_MUST_USE wzp_err wzp_lab_engine_open(wzp_sim_fabric **out, const char *name,
                                         const wzp_sim_engine_cfg *cfg, char why[256]);

#endif
