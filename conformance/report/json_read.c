/* Reads a saved report back.  The file may be anything: every field is checked, and the first that
 * does not fit is named. */
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/report/report.h"
#include "conformance/report/text.h"

struct wzp_ct_saved_report {
    wzp_ct_report report;
    json_t *document; /* owns the texts that the infos point to */
    wzp_ct_case_result *cases;
    wzp_ct_info *infos;
    wzp_ct_run *runs;
};

/* Where we are and what is wrong there; the first failure stays. */
typedef struct reading {
    bool failed;
    char where[96];
    char *why;
} reading;

static void fail(reading *rd, const char *key, const char *wanted) {
    if (!rd->failed) {
        rd->failed = true;
        (void)snprintf(rd->why, 256, "%s%s%s: %s", rd->where, rd->where[0] != '\0' ? "." : "", key,
                       wanted);
    }
}

static void enter(reading *rd, const char *format, ...) {
    if (!rd->failed) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(rd->where, sizeof rd->where, format, args);
        va_end(args);
    }
}

/* --- fields ----------------------------------------------------------------------------------- */

static const char *get_text(reading *rd, const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value)) {
        fail(rd, key, "expected a string");
        return "";
    }
    return json_string_value(value);
}

static const char *get_maybe(reading *rd, const json_t *object, const char *key) {
    return json_is_null(json_object_get(object, key)) ? "" : get_text(rd, object, key);
}

static void copy_text(char *out, size_t cap, const char *text) {
    wzp_ct_text_clean(out, cap, text); /* cut, if at all, between characters */
}

static uint64_t get_count(reading *rd, const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        fail(rd, key, "expected a whole number from 0");
        return 0;
    }
    return (uint64_t)json_integer_value(value);
}

static uint32_t get_small_count(reading *rd, const json_t *object, const char *key) {
    const uint64_t value = get_count(rd, object, key);
    if (value > UINT32_MAX) {
        fail(rd, key, "expected a number of at most 32 bits");
        return 0;
    }
    return (uint32_t)value;
}

static double get_number(reading *rd, const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value)) {
        fail(rd, key, "expected a number");
    }
    return json_number_value(value);
}

static bool get_bool(reading *rd, const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value)) {
        fail(rd, key, "expected true or false");
    }
    return json_is_true(value);
}

static const json_t *get_object(reading *rd, const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_object(value)) {
        fail(rd, key, "expected an object");
    }
    return value; /* jansson's getters take NULL and other types */
}

static const json_t *get_array(reading *rd, const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_array(value)) {
        fail(rd, key, "expected an array");
    }
    return value;
}

/* The index of the text among `count` names. */
static unsigned get_name(reading *rd, const json_t *object, const char *key, unsigned count,
                         const char *(*name)(unsigned)) {
    const char *text = get_text(rd, object, key);
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(text, name(i)) == 0) {
            return i;
        }
    }
    fail(rd, key, "not one of the known names");
    return 0;
}

static const char *grade_name(unsigned i) {
    return wzp_ct_grade_name((wzp_ct_grade)i);
}

static const char *deviation_name(unsigned i) {
    return wzp_ct_deviation_name((wzp_ct_deviation)i);
}

static const char *level_name(unsigned i) {
    return wzp_ct_level_name((wzp_ct_level)i);
}

static const char *mode_name(unsigned i) {
    return wzp_ct_mode_name((wzp_ct_mode)i);
}

static const char *lane_name(unsigned i) {
    static const char *const lanes[] = {"expected", "subject", "listener", "control"};
    return lanes[i];
}

/* "unsupported:trunking" has a feature behind the colon; `feature` may be NULL. */
static wzp_ct_reason get_reason(reading *rd, const json_t *object, const char *key, char *feature,
                                size_t cap) {
    const char *text = get_maybe(rd, object, key);
    const size_t len = strcspn(text, ":");
    for (unsigned i = 0; i < WZP_CT_REASON_COUNT; i++) {
        const char *name = wzp_ct_reason_name((wzp_ct_reason)i);
        if (strlen(name) == len && memcmp(name, text, len) == 0) {
            if (feature != NULL && text[len] == ':') {
                copy_text(feature, cap, text + len + 1);
            }
            return (wzp_ct_reason)i;
        }
    }
    fail(rd, key, "not one of the known reasons");
    return WZP_CT_REASON_NONE;
}

/* --- runs ------------------------------------------------------------------------------------- */

static void read_hangup(reading *rd, wzp_ct_run *r, const json_t *run) {
    r->hangup_s = -1;
    if (!json_is_null(json_object_get(run, "hangup"))) {
        const json_t *hangup = get_object(rd, run, "hangup");
        copy_text(r->hangup_code, sizeof r->hangup_code, get_text(rd, hangup, "code"));
        r->hangup_s = get_number(rd, hangup, "t_s");
    }
}

static void read_close(reading *rd, wzp_ct_run *r, const json_t *run) {
    r->close_s = -1;
    if (!json_is_null(json_object_get(run, "close"))) {
        const json_t *close = get_object(rd, run, "close");
        r->close_s = get_number(rd, close, "t_s");
        r->close_code = get_count(rd, close, "code");
        copy_text(r->close_reason, sizeof r->close_reason, get_text(rd, close, "reason"));
    }
}

static void read_counts(reading *rd, wzp_ct_run *r, const json_t *run) {
    const json_t *delivery = get_object(rd, run, "delivery");
    r->offered = get_count(rd, delivery, "offered");
    r->delivered = get_count(rd, delivery, "delivered");
    r->altered = get_count(rd, delivery, "altered");
    r->duplicated = get_count(rd, delivery, "twice");
    r->after_close = get_count(rd, delivery, "after_close");
    const json_t *control = get_object(rd, run, "control");
    r->control_offered = get_count(rd, control, "offered");
    r->control_delivered = get_count(rd, control, "delivered");
    r->control_hangup = get_bool(rd, control, "hangup");
    const json_t *sender = get_object(rd, run, "sender");
    r->scheduled = get_count(rd, sender, "scheduled");
    r->sent = get_count(rd, sender, "sent");
    r->max_bytes_1s = get_count(rd, sender, "max_bytes_1s");
    r->max_packets_1s = get_count(rd, sender, "max_packets_1s");
    r->min_aligned_bytes_1s = get_count(rd, sender, "min_aligned_bytes_1s");
    r->min_aligned_packets_1s = get_count(rd, sender, "min_aligned_packets_1s");
    r->schedule_error_p99_ms = get_number(rd, sender, "schedule_error_p99_ms");
}

static void read_marks(reading *rd, wzp_ct_run *r, const json_t *run) {
    const json_t *list = get_array(rd, run, "timeline");
    if (json_array_size(list) > WZP_CT_MARKS_MAX) {
        fail(rd, "timeline", "too many marks");
        return;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *mark = json_array_get(list, i);
        wzp_ct_mark *m = &r->marks[r->mark_count++];
        m->lane = (wzp_ct_lane)get_name(rd, mark, "lane", WZP_CT_LANE_COUNT, lane_name);
        m->t_s = get_number(rd, mark, "from_s");
        m->until_s = get_number(rd, mark, "until_s");
        copy_text(m->label, sizeof m->label, get_text(rd, mark, "label"));
    }
}

static void read_evidence(reading *rd, wzp_ct_run *r, const json_t *run) {
    const json_t *list = get_array(rd, run, "evidence");
    const size_t room = sizeof r->evidence / sizeof *r->evidence;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *path = json_array_get(list, i);
        if (i >= room || !json_is_string(path)) {
            fail(rd, "evidence", "expected at most three strings");
            return;
        }
        copy_text(r->evidence[i], sizeof r->evidence[i], json_string_value(path));
    }
}

static void read_run(reading *rd, wzp_ct_run *r, const json_t *run) {
    r->grade = (wzp_ct_grade)get_name(rd, run, "result", WZP_CT_GRADE_COUNT, grade_name);
    r->lenient = !get_bool(rd, run, "strict");
    r->reason = get_reason(rd, run, "reason", r->feature, sizeof r->feature);
    copy_text(r->expected, sizeof r->expected, get_text(rd, run, "expected"));
    copy_text(r->actual, sizeof r->actual, get_text(rd, run, "actual"));
    read_hangup(rd, r, run);
    read_close(rd, r, run);
    read_counts(rd, r, run);
    read_marks(rd, r, run);
    read_evidence(rd, r, run);
    r->started_s = get_number(rd, run, "started_s");
    r->duration_s = get_number(rd, run, "duration_s");
}

/* --- cases ------------------------------------------------------------------------------------ */

static void read_info(reading *rd, wzp_ct_info *info, const json_t *object) {
    const json_t *requirements = get_array(rd, object, "requirements");
    const json_t *first = json_array_get(requirements, 0);
    info->id = get_text(rd, object, "id");
    info->chapter = get_text(rd, object, "chapter");
    info->title = get_text(rd, object, "title");
    info->requirement = json_is_string(first) ? json_string_value(first) : "";
    info->must = get_text(rd, object, "must");
    info->traffic = get_text(rd, object, "traffic");
    info->source = get_text(rd, object, "source");
    info->level = (wzp_ct_level)get_name(rd, object, "level", WZP_CT_INFO + 1, level_name);
    info->must_forward = get_bool(rd, object, "must_forward");
    info->abuse = get_bool(rd, object, "abuse");
}

static void read_case(reading *rd, wzp_ct_case_result *c, const json_t *object) {
    c->grade = (wzp_ct_grade)get_name(rd, object, "result", WZP_CT_GRADE_COUNT, grade_name);
    c->reason = get_reason(rd, object, "reason", NULL, 0);
    c->lenient = !get_bool(rd, object, "strict");
    c->flaky = get_bool(rd, object, "flaky");
    if (json_object_get(object, "deviation") != NULL) {
        c->deviation = (wzp_ct_deviation)get_name(rd, object, "deviation", WZP_CT_DEVIATION_COUNT,
                                                  deviation_name);
    }
    c->deciding_run = get_count(rd, object, "deciding_run");
    if (c->deciding_run >= c->run_count && c->run_count != 0) {
        fail(rd, "deciding_run", "there are fewer runs");
    }
}

static size_t count_runs(const json_t *cases) {
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(cases); i++) {
        count += json_array_size(json_object_get(json_array_get(cases, i), "runs"));
    }
    return count;
}

static void read_cases(reading *rd, wzp_ct_saved_report *s, const json_t *cases) {
    wzp_ct_run *next = s->runs;
    for (size_t i = 0; i < s->report.case_count && !rd->failed; i++) {
        const json_t *object = json_array_get(cases, i);
        wzp_ct_case_result *c = &s->cases[i];
        enter(rd, "cases[%zu]", i);
        const json_t *runs = get_array(rd, object, "runs");
        c->info = &s->infos[i];
        c->runs = next;
        c->run_count = json_array_size(runs);
        read_info(rd, &s->infos[i], object);
        read_case(rd, c, object);
        for (size_t n = 0; n < c->run_count; n++) {
            enter(rd, "cases[%zu].runs[%zu]", i, n);
            read_run(rd, next++, json_array_get(runs, n));
        }
    }
}

/* --- the document ----------------------------------------------------------------------------- */

static void read_target(reading *rd, wzp_ct_report *r, const json_t *target) {
    enter(rd, "target");
    copy_text(r->target, sizeof r->target, get_text(rd, target, "addr"));
    copy_text(r->target_build, sizeof r->target_build, get_text(rd, target, "build"));
    r->declared_mode =
        (wzp_ct_mode)get_name(rd, target, "declared_mode", WZP_CT_MODE_DROP + 1, mode_name);
    r->detected_mode =
        (wzp_ct_mode)get_name(rd, target, "detected_mode", WZP_CT_MODE_DROP + 1, mode_name);
}

static void read_profile(reading *rd, wzp_ct_report *r, const json_t *profile) {
    enter(rd, "profile");
    r->strict_limits = get_bool(rd, profile, "strict_limits");
    r->repeat = get_small_count(rd, profile, "runs");
    r->jobs = get_small_count(rd, profile, "jobs");
    r->virtual_time = get_bool(rd, profile, "virtual");
    r->seed = strtoull(get_text(rd, profile, "seed"), NULL, 10);
}

static void read_head(reading *rd, wzp_ct_report *r, const json_t *document) {
    if (strcmp(get_text(rd, document, "suite"), "wzp-conformance") != 0) {
        fail(rd, "suite", "expected \"wzp-conformance\"");
    }
    if (get_count(rd, document, "schema") != 1) {
        fail(rd, "schema", "only version 1 is known");
    }
    r->suite_version = get_text(rd, document, "version");
    r->build_hash = get_text(rd, document, "build");
    copy_text(r->started, sizeof r->started, get_text(rd, document, "started"));
    r->duration_s = get_number(rd, document, "duration_s");
    copy_text(r->fatal, sizeof r->fatal, get_maybe(rd, document, "fatal"));
    copy_text(r->replay, sizeof r->replay, get_text(rd, document, "replay"));
    r->interrupted = get_bool(rd, document, "interrupted");
    read_target(rd, r, get_object(rd, document, "target"));
    enter(rd, "%s", "");
    read_profile(rd, r, get_object(rd, document, "profile"));
    enter(rd, "%s", "");
}

static bool allocate(wzp_ct_saved_report *s, const json_t *cases) {
    const size_t runs = count_runs(cases);
    s->report.case_count = json_array_size(cases);
    s->cases = calloc(s->report.case_count + 1, sizeof *s->cases);
    s->infos = calloc(s->report.case_count + 1, sizeof *s->infos);
    s->runs = calloc(runs + 1, sizeof *s->runs);
    s->report.cases = s->cases;
    return s->cases != NULL && s->infos != NULL && s->runs != NULL;
}

static void read_document(reading *rd, wzp_ct_saved_report *s) {
    read_head(rd, &s->report, s->document);
    const json_t *cases = get_array(rd, s->document, "cases");
    if (rd->failed) {
        return;
    }
    if (!allocate(s, cases)) {
        fail(rd, "cases", "out of memory");
        return;
    }
    read_cases(rd, s, cases);
    wzp_ct_sum(&s->report.totals, s->cases, s->report.case_count);
}

bool wzp_ct_report_read(wzp_ct_saved_report **out, FILE *in, char why[256]) {
    json_error_t error;
    wzp_ct_saved_report *s = calloc(1, sizeof *s);
    if (s == NULL) {
        (void)snprintf(why, 256, "out of memory");
        return false;
    }
    s->document = json_loadf(in, JSON_REJECT_DUPLICATES, &error);
    if (s->document == NULL) {
        (void)snprintf(why, 256, "line %d, column %d: %.200s", error.line, error.column,
                       error.text);
        wzp_ct_saved_report_free(&s);
        return false;
    }
    reading rd = {.why = why};
    read_document(&rd, s);
    if (rd.failed) {
        wzp_ct_saved_report_free(&s);
        return false;
    }
    *out = s;
    return true;
}

const wzp_ct_report *wzp_ct_saved_report_get(const wzp_ct_saved_report *s) {
    return &s->report;
}

void wzp_ct_saved_report_free(wzp_ct_saved_report **saved) {
    wzp_ct_saved_report *s = *saved;
    if (s != NULL) {
        json_decref(s->document);
        free(s->cases);
        free(s->infos);
        free(s->runs);
        free(s);
        *saved = NULL;
    }
}
