/* Reports of a run, from the structs of conformance/engine/result.h (conformance sheet 25).  Every
 * writer takes any bytes in names, reasons and paths and still gives a well-formed document.  They
 * return false if the stream reported an error. */
#ifndef WZP_CONFORMANCE_REPORT_REPORT_H
#define WZP_CONFORMANCE_REPORT_REPORT_H

#include <stdio.h>

#include "conformance/engine/result.h"

typedef struct wzp_ct_report_opts {
    bool colour;
    bool quiet;     /* only what is not a plain PASS, and the totals */
    unsigned width; /* columns to wrap at, 0: not at all */
} wzp_ct_report_opts;

/* A tree by chapter for people; its last line is plain text with the totals. */
bool wzp_ct_report_console(FILE *out, const wzp_ct_report *report, const wzp_ct_report_opts *opts);

/* docs/schema/conformance-report.schema.json describes it. */
bool wzp_ct_report_json(FILE *out, const wzp_ct_report *report);

bool wzp_ct_report_junit(FILE *out, const wzp_ct_report *report);
bool wzp_ct_report_tap(FILE *out, const wzp_ct_report *report);
bool wzp_ct_report_markdown(FILE *out, const wzp_ct_report *report);

/* One page that needs no other file and no network. */
bool wzp_ct_report_html(FILE *out, const wzp_ct_report *report);

/* A report read back from its JSON, with all it points to. */
typedef struct wzp_ct_saved_report wzp_ct_saved_report;

/* False: not a report of ours; `why` says at which line or field and what was expected there. */
bool wzp_ct_report_read(wzp_ct_saved_report **out, FILE *in, char why[256]);
const wzp_ct_report *wzp_ct_saved_report_get(const wzp_ct_saved_report *saved); /* borrowed */
void wzp_ct_saved_report_free(wzp_ct_saved_report **saved);

#endif
