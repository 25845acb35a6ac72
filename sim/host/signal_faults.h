/* What goes wrong with single signals between a client and its relay: lost, late, or twice.
 *
 * The connection under them is whole, so that exactly one message is hit and not whatever shared a
 * packet with it.  Each rule counts the signals that its name and direction mean; the first rule
 * whose turn it is decides.  nat sheet 2.14, N05, N51 to N54 and M12. */
#ifndef WZP_SIM_HOST_SIGNAL_FAULTS_H
#define WZP_SIM_HOST_SIGNAL_FAULTS_H

#include "base/bytes.h"
#include "base/time.h"

#define WZP_SIM_SIGNAL_FAULTS_MAX 16

typedef enum wzp_sim_signal_act {
    WZP_SIM_SIGNAL_PASS,
    WZP_SIM_SIGNAL_DROP,
    WZP_SIM_SIGNAL_DELAY,    /* comes `by` later */
    WZP_SIM_SIGNAL_DUPLICATE /* comes, and again `by` later */
} wzp_sim_signal_act;

typedef struct wzp_sim_signal_fault {
    char name[48]; /* as in the JSON, "CallAnswer"; "any": all */
    bool out;      /* from the client to the relay; else to the client */
    wzp_sim_signal_act act;
    uint64_t by;
    uint32_t first, count; /* from the `first` one on (0), so many; count 0: all that follow */
    wzp_time from, until;  /* network time; until 0: for ever */
} wzp_sim_signal_fault;

typedef struct wzp_sim_signal_judge {
    const wzp_sim_signal_fault *faults; /* borrowed */
    size_t count;
    uint32_t seen[WZP_SIM_SIGNAL_FAULTS_MAX]; /* by each rule, of its time */
} wzp_sim_signal_judge;

/* The rule that hits this signal; NULL: it passes. */
const wzp_sim_signal_fault *wzp_sim_signal_judge_next(wzp_sim_signal_judge *judge, bool out,
                                                      const char *name, wzp_time now);

#endif
