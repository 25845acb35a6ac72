/* Results for people and for programs.  Writers return false if the stream reported an error. */
#ifndef WZP_SIM_LAB_REPORT_H
#define WZP_SIM_LAB_REPORT_H

#include <stdio.h>

#include "sim/lab/run.h"

typedef struct wzp_lab_text_opts {
    bool colour;
    bool quiet; /* only what failed, and the last line */
} wzp_lab_text_opts;

/* A block for each call, failed checks with what was expected, and one last line. */
bool wzp_lab_report_text(FILE *out, const wzp_lab_result *result, const wzp_lab_text_opts *opts);

/* docs/schema/sim-run.schema.json describes it.  The same run gives the same bytes. */
json_t *wzp_lab_report_json(const wzp_lab_result *result); /* returned; NULL: out of memory */

/* What the elements of a network carried, and dropped by reason; who had nothing to do is left out.
 * Returned; NULL: out of memory. */
json_t *wzp_lab_elements_json(const wzp_lab_topology *topology);
json_t *wzp_lab_drops_json(const wzp_sim_counts *counts); /* {"loss": 3} */

/* One page that needs no other file and no network. */
bool wzp_lab_report_html(FILE *out, const wzp_lab_result *result);

#endif
