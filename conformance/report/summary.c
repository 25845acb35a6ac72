#include "conformance/report/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/engine/case.h"

wzp_ct_look wzp_ct_look_of(const wzp_ct_case_result *c) {
    static const wzp_ct_look looks[WZP_CT_GRADE_COUNT] = {[WZP_CT_PASS] = WZP_CT_LOOK_PASS,
                                                          [WZP_CT_FAIL] = WZP_CT_LOOK_FAIL,
                                                          [WZP_CT_INCONCLUSIVE] =
                                                              WZP_CT_LOOK_INCONCLUSIVE,
                                                          [WZP_CT_SKIP] = WZP_CT_LOOK_SKIP};
    return c->grade == WZP_CT_PASS && c->lenient ? WZP_CT_LOOK_WARNING : looks[c->grade];
}

const char *wzp_ct_look_name(wzp_ct_look look) {
    static const char *const names[] = {"PASS", "FAIL", "WARNING", "INCONCLUSIVE", "SKIP"};
    return names[look];
}

const wzp_ct_run *wzp_ct_deciding(const wzp_ct_case_result *c) {
    static const wzp_ct_run never = {.hangup_s = -1, .close_s = -1};
    return c->deciding_run < c->run_count ? &c->runs[c->deciding_run] : &never;
}

const char *wzp_ct_full_reason(wzp_ct_reason reason, const wzp_ct_run *run, char buf[96]) {
    const bool feature = reason == WZP_CT_REASON_UNSUPPORTED && run->feature[0] != '\0';
    (void)snprintf(buf, 96, "%s%s%s", wzp_ct_reason_name(reason), feature ? ":" : "",
                   feature ? run->feature : "");
    return buf;
}

/* --- chapters --------------------------------------------------------------------------------- */

size_t wzp_ct_chapter_end(const wzp_ct_report *r, size_t from) {
    size_t i = from;
    while (i < r->case_count &&
           strcmp(r->cases[i].info->chapter, r->cases[from].info->chapter) == 0) {
        i++;
    }
    return i;
}

const char *wzp_ct_chapter_title(const char *id) {
    for (size_t i = 0; i < wzp_ct_chapter_count; i++) {
        if (strcmp(wzp_ct_chapters[i]->id, id) == 0) {
            return wzp_ct_chapters[i]->title;
        }
    }
    return id;
}

/* --- rates ------------------------------------------------------------------------------------ */

/* A lenient pass without a reason was throttled, which is an answer; with one it is a failure that
 * only SHOULD not be. */
static bool was_caught(const wzp_ct_case_result *c) {
    return c->grade == WZP_CT_PASS && (!c->lenient || c->reason == WZP_CT_REASON_NONE);
}

static void add_case(wzp_ct_rates *sum, const wzp_ct_case_result *c, double *times) {
    const bool graded = c->grade == WZP_CT_PASS || c->grade == WZP_CT_FAIL;
    sum->cases++;
    sum->looks[wzp_ct_look_of(c)]++;
    sum->abuse += graded && c->info->abuse ? 1 : 0;
    sum->caught += c->info->abuse && was_caught(c) ? 1 : 0;
    sum->legit += graded && c->info->must_forward ? 1 : 0;
    sum->hurt += c->info->must_forward && graded && !was_caught(c) ? 1 : 0;
    for (size_t i = 0; i < c->run_count; i++) {
        sum->duration_s += c->runs[i].duration_s;
        if (times != NULL && c->info->abuse && c->runs[i].hangup_s >= 0) {
            times[sum->hangups++] = c->runs[i].hangup_s;
        }
    }
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The smallest time that at least `percent` of them do not exceed. */
static double nearest_rank(const double *sorted, size_t count, size_t percent) {
    return sorted != NULL && count != 0 ? sorted[(count * percent + 99) / 100 - 1] : 0;
}

void wzp_ct_rates_of(wzp_ct_rates *out, const wzp_ct_case_result *cases, size_t count) {
    size_t runs = 0;
    for (size_t i = 0; i < count; i++) {
        runs += cases[i].run_count;
    }
    double *times = runs != 0 ? malloc(runs * sizeof *times) : NULL;
    *out = (wzp_ct_rates){0};
    for (size_t i = 0; i < count; i++) {
        add_case(out, &cases[i], times);
    }
    if (times != NULL) {
        qsort(times, out->hangups, sizeof *times, by_value);
    }
    out->median_s = nearest_rank(times, out->hangups, 50);
    out->p95_s = nearest_rank(times, out->hangups, 95);
    free(times);
}

/* --- worries and verdict ---------------------------------------------------------------------- */

wzp_ct_worry wzp_ct_worry_of(const wzp_ct_case_result *c) {
    if (c->grade != WZP_CT_FAIL && (c->grade != WZP_CT_PASS || was_caught(c))) {
        return WZP_CT_WORRY_NONE;
    }
    return c->info->abuse          ? WZP_CT_WORRY_MISSED
           : c->info->must_forward ? WZP_CT_WORRY_FALSE_POSITIVE
                                   : WZP_CT_WORRY_OTHER;
}

const char *wzp_ct_verdict(const wzp_ct_report *r, char buf[160]) {
    const uint32_t *n = r->totals.by_grade;
    const unsigned graded = n[WZP_CT_PASS] + n[WZP_CT_FAIL];
    if (r->fatal[0] != '\0') {
        (void)snprintf(buf, 160, "This run proves nothing");
    } else if (n[WZP_CT_FAIL] != 0) {
        (void)snprintf(buf, 160, "%u of %u graded cases failed", n[WZP_CT_FAIL], graded);
    } else if (graded == 0) {
        (void)snprintf(buf, 160, "Nothing was graded");
    } else if (n[WZP_CT_INCONCLUSIVE] != 0) {
        (void)snprintf(buf, 160, "Nothing failed, but %u of %u cases stayed inconclusive",
                       n[WZP_CT_INCONCLUSIVE], graded + n[WZP_CT_INCONCLUSIVE]);
    } else {
        const int n_len = snprintf(buf, 160, "All %u graded cases passed", graded);
        if (n_len > 0 && r->totals.warnings != 0) {
            (void)snprintf(buf + n_len, 160 - (size_t)n_len, ", %u with a warning",
                           r->totals.warnings);
        }
    }
    return buf;
}
