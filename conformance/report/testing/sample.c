#include "conformance/report/testing/sample.h"

#include <stdio.h>
#include <string.h>

/* NOLINTNEXTLINE(misc-misleading-bidirectional): it is meant to mislead */
const char wzp_ct_hostile[] = "\xff\xc3(<b a='\"&\033[31m\r\nnot ok 99 </script> ]]> \xe2\x80\xae"
                              "txt.exe \xed\xa0\x80 # | `*_ \\ %s \007 \xf0\x9f\x98\x80 \xc3\xa9";

enum { CASES_MAX = 48, RUNS = 3 };

static wzp_ct_info infos[CASES_MAX];
static wzp_ct_run runs[CASES_MAX][RUNS];
static wzp_ct_case_result cases[CASES_MAX];
static size_t case_count;

static void mark(wzp_ct_run *r, wzp_ct_lane lane, double from, double until, const char *label) {
    wzp_ct_mark *m = &r->marks[r->mark_count++];
    m->lane = lane;
    m->t_s = from;
    m->until_s = until;
    (void)snprintf(m->label, sizeof m->label, "%s", label);
}

/* Traffic of 900 packets in 10 s; hangup_s < 0: the relay did not react. */
static void fill_run(wzp_ct_run *r, double hangup_s) {
    *r = (wzp_ct_run){.hangup_s = hangup_s,
                      .close_s = hangup_s < 0 ? -1 : hangup_s + 0.02,
                      .offered = 900,
                      .delivered = hangup_s < 0 ? 900 : 88,
                      .control_offered = 731,
                      .control_delivered = 731,
                      .scheduled = 900,
                      .sent = hangup_s < 0 ? 900 : 93,
                      .max_bytes_1s = 15925,
                      .max_packets_1s = 91,
                      .min_aligned_bytes_1s = 15575,
                      .min_aligned_packets_1s = 89,
                      .schedule_error_p99_ms = 0.25,
                      .started_s = 1.5,
                      .duration_s = 14.8};
    (void)snprintf(r->expected, sizeof r->expected,
                   "Hangup PolicyViolation Bitrate within 3.0 s, then a close within 2 s");
    mark(r, WZP_CT_LANE_SUBJECT, -2.2, -1.2, "echo");
    mark(r, WZP_CT_LANE_EXPECTED, 0, 3, "hangup due");
    mark(r, WZP_CT_LANE_SUBJECT, 0, hangup_s < 0 ? 10 : hangup_s + 0.02, "packets");
    mark(r, WZP_CT_LANE_LISTENER, 0, hangup_s < 0 ? 10.4 : hangup_s + 0.4, "received");
    mark(r, WZP_CT_LANE_CONTROL, 0, hangup_s < 0 ? 10.4 : hangup_s + 0.4, "731 of 731 received");
    if (hangup_s >= 0) {
        (void)snprintf(r->hangup_code, sizeof r->hangup_code, "Bitrate");
        (void)snprintf(r->close_reason, sizeof r->close_reason, "policy violation");
        (void)snprintf(r->actual, sizeof r->actual, "hangup Bitrate at %.2f s", hangup_s);
        mark(r, WZP_CT_LANE_SUBJECT, hangup_s, hangup_s, "hangup");
        mark(r, WZP_CT_LANE_SUBJECT, hangup_s + 0.02, hangup_s + 0.02, "close");
    } else {
        (void)snprintf(r->actual, sizeof r->actual,
                       "no hangup, connection open; 900 of 900 delivered");
    }
}

static wzp_ct_case_result *add_case(const wzp_ct_info *info, wzp_ct_grade grade,
                                    wzp_ct_reason reason, double hangup_s) {
    wzp_ct_case_result *c = &cases[case_count];
    for (size_t i = 0; i < RUNS; i++) {
        wzp_ct_run *r = &runs[case_count][i];
        fill_run(r, hangup_s < 0 ? -1 : hangup_s + 0.25 * (double)i);
        r->grade = grade;
        r->reason = reason;
    }
    infos[case_count] = *info;
    c->info = &infos[case_count];
    c->runs = runs[case_count++];
    c->run_count = RUNS;
    wzp_ct_fold(c);
    return c;
}

static const wzp_ct_info plain = {.id = "A-02",
                                  .chapter = "A",
                                  .title = "Opus24k just under the ceiling",
                                  .requirement = "CONF-A-1",
                                  .must = "forward every packet untouched",
                                  .traffic = "Opus24k, 90 pkt/s x payload 97, 10 s",
                                  .source = "conformance 24.3",
                                  .must_forward = true};

static void add_tier_a(void) {
    wzp_ct_info abuse = plain;
    abuse.id = "A-03";
    abuse.title = "Opus24k just over the guard ceiling";
    abuse.requirement = "CONF-A-2";
    abuse.must = "send Hangup PolicyViolation and close";
    abuse.must_forward = false;
    abuse.abuse = true;
    (void)add_case(&plain, WZP_CT_PASS, WZP_CT_REASON_NONE, -1);
    (void)add_case(&abuse, WZP_CT_PASS, WZP_CT_REASON_NONE, 0.98);
    abuse.id = "A-23";
    abuse.level = WZP_CT_SHOULD;
    wzp_ct_case_result *warned = add_case(&abuse, WZP_CT_PASS, WZP_CT_REASON_NOT_CLOSED, -1);
    for (size_t i = 0; i < RUNS; i++) {
        runs[case_count - 1][i].lenient = true;
    }
    wzp_ct_fold(warned);
    abuse.id = "A-05";
    wzp_ct_case_result *flaky = add_case(&abuse, WZP_CT_FAIL, WZP_CT_REASON_LATE, 3.5);
    runs[case_count - 1][0].grade = WZP_CT_PASS;
    runs[case_count - 1][0].reason = WZP_CT_REASON_NONE;
    wzp_ct_fold(flaky);
}

static wzp_ct_grade grade_of(wzp_ct_reason reason) {
    switch (reason) {
    case WZP_CT_REASON_OBSERVE_ONLY:
    case WZP_CT_REASON_UNSUPPORTED:
    case WZP_CT_REASON_NO_METRICS:
    case WZP_CT_REASON_NO_AUTH:
    case WZP_CT_REASON_NO_TEST_CONFIG:
    case WZP_CT_REASON_LONG:
    case WZP_CT_REASON_PROFILE:
        return WZP_CT_SKIP;
    case WZP_CT_REASON_SENDER_RATE:
    case WZP_CT_REASON_CONTROL_LOSS:
    case WZP_CT_REASON_IP_BLOCK:
        return WZP_CT_INCONCLUSIVE;
    default:
        return WZP_CT_FAIL;
    }
}

static void add_each_reason(void) {
    static char ids[WZP_CT_REASON_COUNT][8];
    wzp_ct_info info = plain;
    info.chapter = "B";
    for (int reason = 1; reason < WZP_CT_REASON_COUNT; reason++) {
        (void)snprintf(ids[reason], sizeof ids[reason], "B-%02d", reason);
        info.id = ids[reason];
        info.title = wzp_ct_reason_text((wzp_ct_reason)reason);
        info.abuse = reason % 3 == 0;
        info.must_forward = reason % 3 == 1;
        const wzp_ct_grade grade = grade_of((wzp_ct_reason)reason);
        wzp_ct_case_result *c = add_case(&info, grade, (wzp_ct_reason)reason, -1);
        (void)snprintf(runs[case_count - 1][0].feature, sizeof runs[0][0].feature, "trunking");
        c->run_count = grade == WZP_CT_SKIP ? 1 : RUNS;
    }
}

/* A chapter of its own: everything that a relay or a file can put in. */
static void add_hostile(void) {
    const wzp_ct_info info = {.id = "X<'\">&",
                              .chapter = "Z \"<i>\"",
                              .title = wzp_ct_hostile,
                              .requirement = "CONF-<X>",
                              .must = wzp_ct_hostile,
                              .traffic = wzp_ct_hostile,
                              .source = wzp_ct_hostile};
    (void)add_case(&info, WZP_CT_FAIL, WZP_CT_REASON_WRONG_RESPONSE, 0.5);
    wzp_ct_run *r = &runs[case_count - 1][0];
    (void)snprintf(r->hangup_code, sizeof r->hangup_code, "%.20s", wzp_ct_hostile);
    (void)snprintf(r->close_reason, sizeof r->close_reason, "%.45s", wzp_ct_hostile);
    (void)snprintf(r->actual, sizeof r->actual, "%s", wzp_ct_hostile);
    (void)snprintf(r->evidence[0], sizeof r->evidence[0], "javascript:alert('%%')");
    (void)snprintf(r->evidence[1], sizeof r->evidence[1], "//example/x\"y.keys");
    (void)snprintf(r->evidence[2], sizeof r->evidence[2], "evidence/A-03.1.jsonl");
    r->close_code = UINT64_MAX >> 2;
    mark(r, WZP_CT_LANE_SUBJECT, 2, 2, "<b>&");
    /* Never ran: no run at all. */
    infos[case_count] = plain;
    infos[case_count].id = "X-02";
    infos[case_count].chapter = info.chapter;
    cases[case_count] = (wzp_ct_case_result){
        .info = &infos[case_count], .grade = WZP_CT_INCONCLUSIVE, .reason = WZP_CT_REASON_CRASH};
    case_count++;
}

const wzp_ct_report *wzp_ct_sample_report(void) {
    static wzp_ct_report report;
    if (case_count == 0) {
        add_tier_a();
        add_each_reason();
        add_hostile();
        report = (wzp_ct_report){.suite_version = "1.2.3",
                                 .build_hash = "abc1234",
                                 .duration_s = 61.25,
                                 .declared_mode = WZP_CT_MODE_ENFORCE,
                                 .detected_mode = WZP_CT_MODE_OBSERVE,
                                 .strict_limits = true,
                                 .interrupted = true,
                                 .repeat = RUNS,
                                 .jobs = 48,
                                 .seed = UINT64_MAX,
                                 .cases = cases,
                                 .case_count = case_count};
        (void)snprintf(report.started, sizeof report.started, "2026-06-01T10:00:00Z");
        (void)snprintf(report.target, sizeof report.target, "exec: %.90s", wzp_ct_hostile);
        (void)snprintf(report.target_build, sizeof report.target_build, "%.40s", wzp_ct_hostile);
        (void)snprintf(report.fatal, sizeof report.fatal, "CAL-01 failed: %.100s", wzp_ct_hostile);
        (void)snprintf(report.replay, sizeof report.replay,
                       "wzp-conformance run --exec '%.100s' --seed 1", wzp_ct_hostile);
        wzp_ct_sum(&report.totals, cases, case_count);
    }
    return &report;
}
