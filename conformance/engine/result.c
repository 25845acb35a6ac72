#include "conformance/engine/result.h"

static const struct reason_entry {
    const char *name, *text;
} reasons[WZP_CT_REASON_COUNT] = {
#define X(id, n, t) [WZP_CT_REASON_##id] = {n, t},
    WZP_CT_REASON_MAP(X)
#undef X
};

const char *wzp_ct_reason_name(wzp_ct_reason reason) {
    return reasons[reason].name;
}

const char *wzp_ct_reason_text(wzp_ct_reason reason) {
    return reasons[reason].text;
}

const char *wzp_ct_grade_name(wzp_ct_grade grade) {
    static const char *const names[] = {"PASS", "FAIL", "INCONCLUSIVE", "SKIP"};
    return names[grade];
}

const char *wzp_ct_level_name(wzp_ct_level level) {
    static const char *const names[] = {"MUST", "SHOULD", "INFO"};
    return names[level];
}

const char *wzp_ct_mode_name(wzp_ct_mode mode) {
    static const char *const names[] = {"unknown", "observe", "enforce", "drop"};
    return names[mode];
}

const char *wzp_ct_deviation_name(wzp_ct_deviation deviation) {
    static const char *const names[] = {"", "known", "new", "gone"};
    return names[deviation];
}

void wzp_ct_fold(wzp_ct_case_result *result) {
    size_t votes[WZP_CT_GRADE_COUNT] = {0};
    for (size_t i = 0; i < result->run_count; i++) {
        votes[result->runs[i].grade]++;
    }
    /* A majority decides; without one nothing is proven. */
    wzp_ct_grade grade = WZP_CT_INCONCLUSIVE;
    result->flaky = false;
    for (int g = 0; g < WZP_CT_GRADE_COUNT; g++) {
        if (2 * votes[g] > result->run_count) {
            grade = (wzp_ct_grade)g;
        }
        result->flaky = result->flaky || (votes[g] != 0 && votes[g] != result->run_count);
    }
    result->grade = grade;
    result->deciding_run = 0;
    for (size_t i = 0; i < result->run_count; i++) {
        if (result->runs[i].grade == grade) {
            result->deciding_run = i;
            break;
        }
    }
    if (result->run_count > 0) {
        const wzp_ct_run *run = &result->runs[result->deciding_run];
        result->reason = run->reason;
        result->lenient = run->lenient;
    }
}

void wzp_ct_sum(wzp_ct_totals *out, const wzp_ct_case_result *cases, size_t count) {
    *out = (wzp_ct_totals){0};
    for (size_t i = 0; i < count; i++) {
        out->by_grade[cases[i].grade]++;
        out->warnings += cases[i].grade == WZP_CT_PASS && cases[i].lenient ? 1 : 0;
        out->flaky += cases[i].flaky ? 1 : 0;
    }
}

int wzp_ct_exit_code(const wzp_ct_report *report) {
    if (report->totals.by_grade[WZP_CT_FAIL] > 0) {
        return 1;
    }
    return report->totals.by_grade[WZP_CT_INCONCLUSIVE] > 0 ? 5 : 0;
}
