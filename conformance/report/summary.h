/* What the reports count: chapters, rates, times to the hangup. */
#ifndef WZP_CONFORMANCE_REPORT_SUMMARY_H
#define WZP_CONFORMANCE_REPORT_SUMMARY_H

#include "conformance/engine/result.h"

/* How a case is shown: the grades, with lenient passes apart. */
typedef enum wzp_ct_look {
    WZP_CT_LOOK_PASS,
    WZP_CT_LOOK_FAIL,
    WZP_CT_LOOK_WARNING,
    WZP_CT_LOOK_INCONCLUSIVE,
    WZP_CT_LOOK_SKIP,
    WZP_CT_LOOK_COUNT
} wzp_ct_look;

wzp_ct_look wzp_ct_look_of(const wzp_ct_case_result *c);
const char *wzp_ct_look_name(wzp_ct_look look); /* "PASS", ..., "WARNING" */

/* Rates over some cases.  Only what was graded counts: PASS and FAIL. */
typedef struct wzp_ct_rates {
    unsigned cases, looks[WZP_CT_LOOK_COUNT];
    unsigned abuse, caught; /* cases with abuse, and those that were answered */
    unsigned legit, hurt;   /* cases that must be forwarded, and those that were not */
    size_t hangups;         /* runs of abuse cases that ended in a hangup */
    double median_s, p95_s; /* of their times from the onset; nearest rank */
    double duration_s;      /* all runs together */
} wzp_ct_rates;

/* Times are left out (hangups 0) when out of memory. */
void wzp_ct_rates_of(wzp_ct_rates *out, const wzp_ct_case_result *cases, size_t count);

/* Where the chapter that begins at `from` ends.  Cases of a chapter are neighbours. */
size_t wzp_ct_chapter_end(const wzp_ct_report *report, size_t from);
const char *wzp_ct_chapter_title(const char *id); /* the id itself if there is no such chapter */

/* The run that stands for the case; an empty one if it never ran. */
const wzp_ct_run *wzp_ct_deciding(const wzp_ct_case_result *c);

/* The reason with its feature: "unsupported:trunking"; "" for none. */
const char *wzp_ct_full_reason(wzp_ct_reason reason, const wzp_ct_run *run, char buf[96]);

/* Abuse that got no answer, legitimate traffic that suffered, and anything else that failed: they
 * are different worries.  Warnings count. */
typedef enum wzp_ct_worry {
    WZP_CT_WORRY_NONE,
    WZP_CT_WORRY_MISSED,
    WZP_CT_WORRY_FALSE_POSITIVE,
    WZP_CT_WORRY_OTHER
} wzp_ct_worry;

wzp_ct_worry wzp_ct_worry_of(const wzp_ct_case_result *c);

/* One sentence on the whole run; returns buf. */
const char *wzp_ct_verdict(const wzp_ct_report *report, char buf[160]);

#endif
