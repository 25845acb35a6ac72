/* What a known target is expected to do, case by case: a text file, and the comparison with a run.
 *
 *     # comment
 *     A-27  FAIL  false-positive    # the deployed video scorer
 *     S-07  WARN
 *     W-01                          the same as FAIL */
#ifndef WZP_CONFORMANCE_REPORT_EXPECT_H
#define WZP_CONFORMANCE_REPORT_EXPECT_H

#include <stdio.h>

#include "conformance/engine/result.h"

typedef enum wzp_ct_expected {
    WZP_CT_EXPECT_PASS,
    WZP_CT_EXPECT_FAIL, /* or a warning */
    WZP_CT_EXPECT_WARN, /* a SHOULD that fails */
    WZP_CT_EXPECT_SKIP,
    WZP_CT_EXPECT_ANY,
    WZP_CT_EXPECT_COUNT
} wzp_ct_expected;

enum { WZP_CT_ID_MAX = 15, WZP_CT_EXPECT_WHY = 160 };

typedef struct wzp_ct_expectation {
    char id[WZP_CT_ID_MAX + 1];
    wzp_ct_expected what;
    wzp_ct_reason reason; /* NONE: any */
    unsigned line;
} wzp_ct_expectation;

typedef struct wzp_ct_expectations {
    wzp_ct_expectation *items; /* in the order of the file; each id once */
    size_t count;
} wzp_ct_expectations;

/* False: *why says what is wrong, *line where; *out is empty then. */
bool wzp_ct_expect_read(wzp_ct_expectations *out, FILE *in, char why[WZP_CT_EXPECT_WHY],
                        unsigned *line);
void wzp_ct_expect_clear(wzp_ct_expectations *expectations);

/* NULL: nothing is said about this case. */
const wzp_ct_expectation *wzp_ct_expect_find(const wzp_ct_expectations *expectations,
                                             const char *id);

/* "FAIL"; static text. */
const char *wzp_ct_expected_name(wzp_ct_expected what);

/* How the verdict of case `c` compares with what is expected, `e` (NULL: a pass). */
wzp_ct_deviation wzp_ct_expect_compare(const wzp_ct_case_result *c, const wzp_ct_expectation *e);

#endif
