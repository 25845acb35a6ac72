/* The report as one JSON document; docs/schema/conformance-report.schema.json describes it. */
#include <jansson.h>
#include <string.h>

#include "conformance/report/report.h"

static json_t *maybe_text(const char *text) {
    return *text != '\0' ? json_string(text) : json_null();
}

static json_t *marks_json(const wzp_ct_run *run) {
    static const char *const lanes[] = {"expected", "subject", "listener", "control"};
    json_t *list = json_array();
    for (size_t i = 0; i < run->mark_count; i++) {
        const wzp_ct_mark *m = &run->marks[i];
        json_array_append_new(list, json_pack("{ss sf sf ss}", "lane", lanes[m->lane], "from_s",
                                              m->t_s, "until_s", m->until_s, "label", m->label));
    }
    return list;
}

static json_t *evidence_json(const wzp_ct_run *run) {
    json_t *list = json_array();
    for (size_t i = 0; i < 3; i++) {
        if (run->evidence[i][0] != '\0') {
            json_array_append_new(list, json_string(run->evidence[i]));
        }
    }
    return list;
}

static json_t *run_json(const wzp_ct_run *r) {
    json_t *hangup = r->hangup_s >= 0
                         ? json_pack("{ss sf}", "code", r->hangup_code, "t_s", r->hangup_s)
                         : json_null();
    json_t *close = r->close_s >= 0
                        ? json_pack("{sf sI ss}", "t_s", r->close_s, "code",
                                    (json_int_t)r->close_code, "reason", r->close_reason)
                        : json_null();
    return json_pack(
        "{ss so ss ss so so s{sI sI sI sI sI} s{sI sI sb} s{sI sI sI sI sI sI sf} so so sf}",
        "result", wzp_ct_grade_name(r->grade), "reason", maybe_text(wzp_ct_reason_name(r->reason)),
        "expected", r->expected, "actual", r->actual, "hangup", hangup, "close", close, "delivery",
        "offered", (json_int_t)r->offered, "delivered", (json_int_t)r->delivered, "altered",
        (json_int_t)r->altered, "twice", (json_int_t)r->duplicated, "after_close",
        (json_int_t)r->after_close, "control", "offered", (json_int_t)r->control_offered,
        "delivered", (json_int_t)r->control_delivered, "hangup", r->control_hangup, "sender",
        "scheduled", (json_int_t)r->scheduled, "sent", (json_int_t)r->sent, "max_bytes_1s",
        (json_int_t)r->max_bytes_1s, "max_packets_1s", (json_int_t)r->max_packets_1s,
        "min_aligned_bytes_1s", (json_int_t)r->min_aligned_bytes_1s, "min_aligned_packets_1s",
        (json_int_t)r->min_aligned_packets_1s, "schedule_error_p99_ms", r->schedule_error_p99_ms,
        "timeline", marks_json(r), "evidence", evidence_json(r), "duration_s", r->duration_s);
}

static json_t *case_json(const wzp_ct_case_result *c) {
    char reason[96];
    json_t *runs = json_array();
    for (size_t i = 0; i < c->run_count; i++) {
        json_array_append_new(runs, run_json(&c->runs[i]));
    }
    return json_pack("{ss ss ss ss s[s] ss ss ss ss sb sb so so}", "id", c->info->id, "chapter",
                     c->info->chapter, "title", c->info->title, "level",
                     wzp_ct_level_name(c->info->level), "requirements", c->info->requirement,
                     "must", c->info->must, "traffic", c->info->traffic, "source", c->info->source,
                     "result", wzp_ct_grade_name(c->grade), "strict", !c->lenient, "flaky",
                     c->flaky, "reason", maybe_text(wzp_ct_full_reason(c, reason)), "runs", runs);
}

bool wzp_ct_report_json(FILE *out, const wzp_ct_report *r) {
    json_t *cases = json_array();
    for (size_t i = 0; i < r->case_count; i++) {
        json_array_append_new(cases, case_json(&r->cases[i]));
    }
    json_t *document = json_pack(
        "{ss si ss ss ss sf s{ss ss ss ss} s{sb si si sb sI} s{si si si si si si} so ss sb so}",
        "suite", "wzp-conformance", "schema", 1, "version", r->suite_version, "build",
        r->build_hash, "started", r->started, "duration_s", r->duration_s, "target", "addr",
        r->target, "build", r->target_build, "declared_mode", wzp_ct_mode_name(r->declared_mode),
        "detected_mode", wzp_ct_mode_name(r->detected_mode), "profile", "strict_limits",
        r->strict_limits, "runs", (int)r->repeat, "jobs", (int)r->jobs, "virtual", r->virtual_time,
        "seed", (json_int_t)r->seed, "totals", "pass", (int)r->totals.by_grade[WZP_CT_PASS], "fail",
        (int)r->totals.by_grade[WZP_CT_FAIL], "inconclusive",
        (int)r->totals.by_grade[WZP_CT_INCONCLUSIVE], "skip", (int)r->totals.by_grade[WZP_CT_SKIP],
        "warnings", (int)r->totals.warnings, "flaky", (int)r->totals.flaky, "fatal",
        maybe_text(r->fatal), "replay", r->replay, "interrupted", r->interrupted, "cases", cases);
    const bool ok = document != NULL && json_dumpf(document, out, JSON_INDENT(1)) == 0 &&
                    fputc('\n', out) != EOF;
    json_decref(document);
    return ok;
}
