/* Failures that are known: read before a run, compared after it. */
#include <errno.h>
#include <string.h>

#include "conformance/bin/options_parts.h"
#include "io/sys.h"

static bool is_case(const char *id) {
    for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
        for (size_t i = 0; i < wzp_ct_chapters[c]->count; i++) {
            if (strcmp(wzp_ct_chapters[c]->cases[i].info.id, id) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* False: it cannot be read, or names what does not exist (said). */
static bool read_expectations(wzp_ct_expectations *out, const char *file) {
    char why[WZP_CT_EXPECT_WHY];
    unsigned line = 0;
    FILE *in = fopen(file, "r");
    if (in == NULL) {
        (void)fprintf(stderr, "wzp-conformance: %s: %s\n", file, wzp_io_reason(errno));
        return false;
    }
    const bool good = wzp_ct_expect_read(out, in, why, &line);
    (void)fclose(in);
    if (!good) {
        (void)fprintf(stderr, "wzp-conformance: %s:%u: %s\n", file, line, why);
        return false;
    }
    for (size_t i = 0; i < out->count; i++) {
        if (!is_case(out->items[i].id)) {
            (void)fprintf(stderr, "wzp-conformance: %s:%u: no case is called '%s'; nearest:", file,
                          out->items[i].line, out->items[i].id);
            wzp_ct_options_suggest(out->items[i].id);
            wzp_ct_expect_clear(out);
            return false;
        }
    }
    return true;
}

static void say_deviation(const wzp_ct_case_result *c, const wzp_ct_expectation *e,
                          const char *file) {
    if (c->deviation == WZP_CT_DEVIATION_GONE) {
        (void)fprintf(stderr, "wzp-conformance: %s:%u: %s was expected to fail and passed\n", file,
                      e->line, c->info->id);
    } else if (c->deviation == WZP_CT_DEVIATION_NEW) {
        (void)fprintf(stderr, "wzp-conformance: %s: %s was expected to %s%s%s, and %s (%s)\n", file,
                      c->info->id, e != NULL ? wzp_ct_expected_name(e->what) : "PASS",
                      e != NULL && e->reason != WZP_CT_REASON_NONE ? " as " : "",
                      e != NULL ? wzp_ct_reason_name(e->reason) : "",
                      c->grade == WZP_CT_FAIL ? "failed" : "warns", wzp_ct_reason_name(c->reason));
    }
}

/* What is known no longer fails the run; it stays a warning, with its reason. */
static void compare(wzp_ct_report *report, const wzp_ct_expectations *expectations,
                    const char *file) {
    unsigned counts[WZP_CT_DEVIATION_COUNT] = {0};
    for (size_t i = 0; i < report->case_count; i++) {
        wzp_ct_case_result *c = wzp_drop_const(&report->cases[i]);
        const wzp_ct_expectation *e = wzp_ct_expect_find(expectations, c->info->id);
        c->deviation = wzp_ct_expect_compare(c, e);
        counts[c->deviation]++;
        say_deviation(c, e, file);
        if (c->deviation == WZP_CT_DEVIATION_KNOWN && c->grade == WZP_CT_FAIL) {
            c->grade = WZP_CT_PASS;
            c->lenient = true;
        }
    }
    (void)fprintf(stderr, "wzp-conformance: %s: deviations: %u known, %u new, %u gone\n", file,
                  counts[WZP_CT_DEVIATION_KNOWN], counts[WZP_CT_DEVIATION_NEW],
                  counts[WZP_CT_DEVIATION_GONE]);
}

bool wzp_ct_options_read_expectations(wzp_ct_options *o) {
    return o->expect == NULL || read_expectations(&o->expectations, o->expect);
}

void wzp_ct_options_expect(const wzp_ct_options *o, wzp_ct_report *report) {
    for (size_t i = 0; o->strict && i < report->case_count; i++) {
        wzp_ct_case_result *c = wzp_drop_const(&report->cases[i]);
        if (c->grade == WZP_CT_PASS && c->lenient && c->reason != WZP_CT_REASON_NONE) {
            c->grade = WZP_CT_FAIL;
        }
    }
    if (o->expect != NULL) {
        compare(report, &o->expectations, o->expect);
    }
    wzp_ct_sum(&report->totals, report->cases, report->case_count);
}
