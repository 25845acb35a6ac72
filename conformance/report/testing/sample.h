/* A made-up report with one case of each grade and reason, and with texts that no format likes. */
#ifndef WZP_CONFORMANCE_REPORT_TESTING_SAMPLE_H
#define WZP_CONFORMANCE_REPORT_TESTING_SAMPLE_H

#include "conformance/engine/result.h"

/* Static storage, filled on the first call. */
const wzp_ct_report *wzp_ct_sample_report(void);

/* Markup, terminal codes, broken UTF-8, marks that turn the direction of writing. */
extern const char wzp_ct_hostile[];

#endif
