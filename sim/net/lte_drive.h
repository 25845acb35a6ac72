/* The rate of an LTE phone in a moving car: a minute in steps of 250 ms. */
#ifndef WZP_SIM_NET_LTE_DRIVE_H
#define WZP_SIM_NET_LTE_DRIVE_H

#include "sim/net/link.h"

#define WZP_SIM_LTE_DRIVE_STEP (250 * WZP_MS)
#define WZP_SIM_LTE_DRIVE_COUNT 241

extern const wzp_sim_rate_step wzp_sim_lte_drive_up[WZP_SIM_LTE_DRIVE_COUNT];
extern const wzp_sim_rate_step wzp_sim_lte_drive_down[WZP_SIM_LTE_DRIVE_COUNT];

#endif
