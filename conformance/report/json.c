/* The report as one JSON document; docs/schema/conformance-report.schema.json describes it, and
 * json_read.c reads it back. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/report/report.h"
#include "conformance/report/summary.h"
#include "conformance/report/text.h"

/* Setters that cannot fail half-way: a value that cannot be made becomes null, and jansson is out
 * of memory then, which the dump reports. */

static json_t *text(const char *s) {
    const size_t cap = 3 * strlen(s) + 1; /* each byte may become U+FFFD */
    char *clean = malloc(cap);
    if (clean == NULL) {
        return json_null();
    }
    wzp_ct_text_clean(clean, cap, s);
    json_t *value = json_string(clean);
    free(clean);
    return value != NULL ? value : json_null();
}

static void set(json_t *object, const char *key, json_t *value) {
    json_object_set_new(object, key, value != NULL ? value : json_null());
}

static void set_text(json_t *object, const char *key, const char *value) {
    set(object, key, text(value));
}

/* null stands for the empty text. */
static void set_maybe(json_t *object, const char *key, const char *value) {
    set(object, key, *value != '\0' ? text(value) : json_null());
}

static void set_count(json_t *object, const char *key, uint64_t value) {
    set(object, key, json_integer((json_int_t)(value < INT64_MAX ? value : INT64_MAX)));
}

static void set_number(json_t *object, const char *key, double value) {
    set(object, key, json_real(isfinite(value) ? value : 0));
}

static void set_bool(json_t *object, const char *key, bool value) {
    set(object, key, json_boolean(value));
}

/* --- runs ------------------------------------------------------------------------------------- */

static json_t *marks_json(const wzp_ct_run *r) {
    static const char *const lanes[] = {"expected", "subject", "listener", "control"};
    json_t *list = json_array();
    for (size_t i = 0; i < r->mark_count; i++) {
        json_t *mark = json_object();
        set_text(mark, "lane", lanes[r->marks[i].lane]);
        set_number(mark, "from_s", r->marks[i].t_s);
        set_number(mark, "until_s", r->marks[i].until_s);
        set_text(mark, "label", r->marks[i].label);
        json_array_append_new(list, mark);
    }
    return list;
}

static json_t *evidence_json(const wzp_ct_run *r) {
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof r->evidence / sizeof *r->evidence; i++) {
        if (r->evidence[i][0] != '\0') {
            json_array_append_new(list, text(r->evidence[i]));
        }
    }
    return list;
}

static json_t *hangup_json(const wzp_ct_run *r) {
    if (!(r->hangup_s >= 0)) {
        return json_null();
    }
    json_t *hangup = json_object();
    set_text(hangup, "code", r->hangup_code);
    set_number(hangup, "t_s", r->hangup_s);
    return hangup;
}

static json_t *close_json(const wzp_ct_run *r) {
    if (!(r->close_s >= 0)) {
        return json_null();
    }
    json_t *close = json_object();
    set_number(close, "t_s", r->close_s);
    set_count(close, "code", r->close_code);
    set_text(close, "reason", r->close_reason);
    return close;
}

static json_t *delivery_json(const wzp_ct_run *r) {
    json_t *delivery = json_object();
    set_count(delivery, "offered", r->offered);
    set_count(delivery, "delivered", r->delivered);
    set_count(delivery, "altered", r->altered);
    set_count(delivery, "twice", r->duplicated);
    set_count(delivery, "after_close", r->after_close);
    return delivery;
}

static json_t *control_json(const wzp_ct_run *r) {
    json_t *control = json_object();
    set_count(control, "offered", r->control_offered);
    set_count(control, "delivered", r->control_delivered);
    set_bool(control, "hangup", r->control_hangup);
    return control;
}

static json_t *sender_json(const wzp_ct_run *r) {
    json_t *sender = json_object();
    set_count(sender, "scheduled", r->scheduled);
    set_count(sender, "sent", r->sent);
    set_count(sender, "max_bytes_1s", r->max_bytes_1s);
    set_count(sender, "max_packets_1s", r->max_packets_1s);
    set_count(sender, "min_aligned_bytes_1s", r->min_aligned_bytes_1s);
    set_count(sender, "min_aligned_packets_1s", r->min_aligned_packets_1s);
    set_number(sender, "schedule_error_p99_ms", r->schedule_error_p99_ms);
    return sender;
}

static json_t *run_json(const wzp_ct_run *r) {
    char reason[96];
    json_t *run = json_object();
    set_text(run, "result", wzp_ct_grade_name(r->grade));
    set_bool(run, "strict", !r->lenient);
    set_maybe(run, "reason", wzp_ct_full_reason(r->reason, r, reason));
    set_text(run, "expected", r->expected);
    set_text(run, "actual", r->actual);
    set(run, "hangup", hangup_json(r));
    set(run, "close", close_json(r));
    set(run, "delivery", delivery_json(r));
    set(run, "control", control_json(r));
    set(run, "sender", sender_json(r));
    set(run, "timeline", marks_json(r));
    set(run, "evidence", evidence_json(r));
    set_number(run, "started_s", r->started_s);
    set_number(run, "duration_s", r->duration_s);
    return run;
}

/* --- cases ------------------------------------------------------------------------------------ */

static json_t *requirements_json(const wzp_ct_info *info) {
    json_t *list = json_array();
    json_array_append_new(list, text(info->requirement));
    return list;
}

static json_t *case_json(const wzp_ct_case_result *c) {
    char reason[96];
    json_t *runs = json_array();
    for (size_t i = 0; i < c->run_count; i++) {
        json_array_append_new(runs, run_json(&c->runs[i]));
    }
    json_t *object = json_object();
    set_text(object, "id", c->info->id);
    set_text(object, "chapter", c->info->chapter);
    set_text(object, "title", c->info->title);
    set_text(object, "level", wzp_ct_level_name(c->info->level));
    set(object, "requirements", requirements_json(c->info));
    set_text(object, "must", c->info->must);
    set_text(object, "traffic", c->info->traffic);
    set_text(object, "source", c->info->source);
    set_bool(object, "abuse", c->info->abuse);
    set_bool(object, "must_forward", c->info->must_forward);
    set_text(object, "result", wzp_ct_grade_name(c->grade));
    set_bool(object, "strict", !c->lenient);
    set_bool(object, "flaky", c->flaky);
    if (c->deviation != WZP_CT_DEVIATION_NONE) {
        set_text(object, "deviation", wzp_ct_deviation_name(c->deviation));
    }
    set_maybe(object, "reason", wzp_ct_full_reason(c->reason, wzp_ct_deciding(c), reason));
    set_count(object, "deciding_run", c->deciding_run);
    set(object, "runs", runs);
    return object;
}

/* --- the document ----------------------------------------------------------------------------- */

static json_t *target_json(const wzp_ct_report *r) {
    json_t *target = json_object();
    set_text(target, "addr", r->target);
    set_text(target, "build", r->target_build);
    set_text(target, "declared_mode", wzp_ct_mode_name(r->declared_mode));
    set_text(target, "detected_mode", wzp_ct_mode_name(r->detected_mode));
    return target;
}

static json_t *profile_json(const wzp_ct_report *r) {
    json_t *profile = json_object();
    set_bool(profile, "strict_limits", r->strict_limits);
    set_count(profile, "runs", r->repeat);
    set_count(profile, "jobs", r->jobs);
    set_bool(profile, "virtual", r->virtual_time);
    char seed[24]; /* as text: 64 bits are more than a JSON number keeps everywhere */
    (void)snprintf(seed, sizeof seed, "%llu", (unsigned long long)r->seed);
    set_text(profile, "seed", seed);
    return profile;
}

static json_t *totals_json(const wzp_ct_totals *t) {
    json_t *totals = json_object();
    set_count(totals, "pass", t->by_grade[WZP_CT_PASS]);
    set_count(totals, "fail", t->by_grade[WZP_CT_FAIL]);
    set_count(totals, "inconclusive", t->by_grade[WZP_CT_INCONCLUSIVE]);
    set_count(totals, "skip", t->by_grade[WZP_CT_SKIP]);
    set_count(totals, "warnings", t->warnings);
    set_count(totals, "flaky", t->flaky);
    return totals;
}

static json_t *cases_json(const wzp_ct_report *r) {
    json_t *cases = json_array();
    for (size_t i = 0; i < r->case_count; i++) {
        json_array_append_new(cases, case_json(&r->cases[i]));
    }
    return cases;
}

bool wzp_ct_report_json(FILE *out, const wzp_ct_report *r) {
    json_t *document = json_object();
    set_text(document, "suite", "wzp-conformance");
    set_count(document, "schema", 1);
    set_text(document, "version", r->suite_version);
    set_text(document, "build", r->build_hash);
    set_text(document, "started", r->started);
    set_number(document, "duration_s", r->duration_s);
    set(document, "target", target_json(r));
    set(document, "profile", profile_json(r));
    set(document, "totals", totals_json(&r->totals));
    set_maybe(document, "fatal", r->fatal);
    set_text(document, "replay", r->replay);
    set_bool(document, "interrupted", r->interrupted);
    set(document, "cases", cases_json(r));
    const size_t flags = JSON_INDENT(1) | JSON_REAL_PRECISION(12);
    const bool ok = json_dumpf(document, out, flags) == 0 && fputc('\n', out) != EOF;
    json_decref(document);
    return ok && ferror(out) == 0;
}
