/* Reports of a run, from the structs of conformance/engine/result.h. */
#ifndef WZP_CONFORMANCE_REPORT_REPORT_H
#define WZP_CONFORMANCE_REPORT_REPORT_H

#include <stdio.h>

#include "conformance/engine/result.h"

typedef struct wzp_ct_report_opts {
    bool colour;
    bool quiet; /* console: only what is not a plain PASS, and the totals */
} wzp_ct_report_opts;

/* False: the stream reported an error. */
bool wzp_ct_report_console(FILE *out, const wzp_ct_report *report, const wzp_ct_report_opts *opts);
bool wzp_ct_report_json(FILE *out, const wzp_ct_report *report);
bool wzp_ct_report_junit(FILE *out, const wzp_ct_report *report);
bool wzp_ct_report_tap(FILE *out, const wzp_ct_report *report);
bool wzp_ct_report_markdown(FILE *out, const wzp_ct_report *report);
bool wzp_ct_report_html(FILE *out, const wzp_ct_report *report);

/* The reason with its feature: "unsupported:trunking"; "" for none. */
const char *wzp_ct_full_reason(const wzp_ct_case_result *c, char buf[96]);
/* The run that stands for the case. */
const wzp_ct_run *wzp_ct_deciding(const wzp_ct_case_result *c);

#endif
