/* A bad network for virtual time, from a scenario file of the simulator: every tester gets the
 * access of its host "tester". */
#ifndef WZP_CONFORMANCE_EMBEDDED_NET_H
#define WZP_CONFORMANCE_EMBEDDED_NET_H

#include "conformance/engine/world.h"
#include "sim/lab/scenario.h"

/* False: what is wrong was said on stderr, with file and line.  *out borrows from *scenario, which
 * the caller frees in any case (wzp_lab_scenario_free). */
bool wzp_ct_net_load(wzp_ct_net *out, wzp_lab_scenario **scenario, const char *path);

#endif
