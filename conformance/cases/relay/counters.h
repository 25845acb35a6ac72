/* Acts about the metrics page: how much counters have grown.  The case's state is a
 * wzp_ct_counted, `arg` a list of counters. */
#ifndef WZP_CONFORMANCE_CASES_RELAY_COUNTERS_H
#define WZP_CONFORMANCE_CASES_RELAY_COUNTERS_H

#include "conformance/engine/play.h"

enum { WZP_CT_COUNTERS = 3 };

/* By how much the sum of a series must grow. */
typedef struct wzp_ct_counter {
    const char *series; /* NULL ends the list */
    double least, most;
    double most_observed; /* while nothing is enforced; 0: as `most` */
} wzp_ct_counter;

typedef struct wzp_ct_counted {
    double before[WZP_CT_COUNTERS];
} wzp_ct_counted;

wzp_ct_so_far wzp_ct_step_count_before(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_step_count_after(wzp_ct_exec *exec, wzp_time now);

#endif
