/* JUnit XML: one suite per chapter (conformance sheet 25). */
#include "conformance/report/out.h"
#include "conformance/report/report.h"
#include "conformance/report/summary.h"
#include "conformance/report/text.h"

static void put_attribute(FILE *out, const char *name, const char *value) {
    put_format(out, " %s=\"", name);
    wzp_ct_put_xml(out, value);
    put_char(out, '"');
}

static void put_property(FILE *out, const char *indent, const char *name, const char *value) {
    put_format(out, "%s<property", indent);
    put_attribute(out, "name", name);
    put_attribute(out, "value", value);
    put_text(out, "/>\n");
}

static void put_problem(FILE *out, const char *tag, const wzp_ct_case_result *c) {
    char reason[96];
    const wzp_ct_run *run = wzp_ct_deciding(c);
    put_format(out, "      <%s", tag);
    put_attribute(out, "type", wzp_ct_full_reason(c->reason, run, reason));
    put_text(out, " message=\"expected ");
    wzp_ct_put_xml(out, run->expected);
    put_text(out, "; actual ");
    wzp_ct_put_xml(out, run->actual);
    put_text(out, "\">relay must ");
    wzp_ct_put_xml(out, c->info->must);
    put_text(out, "\ntraffic ");
    wzp_ct_put_xml(out, c->info->traffic);
    put_text(out, "\nexpected ");
    wzp_ct_put_xml(out, run->expected);
    put_text(out, "\nactual ");
    wzp_ct_put_xml(out, run->actual);
    put_format(out, "</%s>\n", tag);
}

static void put_warning(FILE *out, const wzp_ct_case_result *c) {
    char reason[96];
    const wzp_ct_run *run = wzp_ct_deciding(c);
    put_text(out, "      <system-out>warning: ");
    wzp_ct_put_xml(out, wzp_ct_full_reason(c->reason, run, reason));
    put_text(out, "; expected ");
    wzp_ct_put_xml(out, run->expected);
    put_text(out, "; actual ");
    wzp_ct_put_xml(out, run->actual);
    put_text(out, "</system-out>\n");
}

static void put_case_properties(FILE *out, const wzp_ct_case_result *c) {
    static const char indent[] = "        ";
    const wzp_ct_run *run = wzp_ct_deciding(c);
    put_text(out, "      <properties>\n");
    put_property(out, indent, "requirement", c->info->requirement);
    put_property(out, indent, "level", wzp_ct_level_name(c->info->level));
    if (wzp_ct_look_of(c) == WZP_CT_LOOK_WARNING) {
        put_property(out, indent, "strict", "false");
    }
    if (c->flaky) {
        put_property(out, indent, "flaky", "true");
    }
    for (size_t i = 0; i < sizeof run->evidence / sizeof *run->evidence; i++) {
        if (run->evidence[i][0] != '\0') {
            put_property(out, indent, "evidence", run->evidence[i]);
        }
    }
    put_text(out, "      </properties>\n");
}

static double time_of(const wzp_ct_case_result *c) {
    double sum = 0;
    for (size_t i = 0; i < c->run_count; i++) {
        sum += c->runs[i].duration_s;
    }
    return sum;
}

static void put_case(FILE *out, const wzp_ct_case_result *c) {
    char reason[96];
    put_text(out, "    <testcase classname=\"wzp.");
    wzp_ct_put_xml(out, c->info->chapter);
    put_text(out, "\" name=\"");
    wzp_ct_put_xml(out, c->info->id);
    put_char(out, ' ');
    wzp_ct_put_xml(out, c->info->title);
    put_format(out, "\" time=\"%.3f\">\n", time_of(c));
    put_case_properties(out, c);
    switch (wzp_ct_look_of(c)) {
    case WZP_CT_LOOK_FAIL:
        put_problem(out, "failure", c);
        break;
    case WZP_CT_LOOK_INCONCLUSIVE:
        put_problem(out, "error", c);
        break;
    case WZP_CT_LOOK_SKIP:
        put_text(out, "      <skipped");
        put_attribute(out, "message", wzp_ct_full_reason(c->reason, wzp_ct_deciding(c), reason));
        put_text(out, "/>\n");
        break;
    case WZP_CT_LOOK_WARNING:
        put_warning(out, c);
        break;
    case WZP_CT_LOOK_PASS:
    case WZP_CT_LOOK_COUNT:
        break;
    }
    put_text(out, "    </testcase>\n");
}

static void put_counts(FILE *out, const wzp_ct_rates *rates) {
    put_format(out, " tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" time=\"%.3f\"",
               rates->cases, rates->looks[WZP_CT_LOOK_FAIL], rates->looks[WZP_CT_LOOK_INCONCLUSIVE],
               rates->looks[WZP_CT_LOOK_SKIP], rates->duration_s);
}

/* Facts about the target, on every suite: viewers show suites alone. */
static void put_suite(FILE *out, const wzp_ct_report *r, size_t from, size_t end) {
    static const char indent[] = "      ";
    const char *chapter = r->cases[from].info->chapter;
    wzp_ct_rates rates;
    wzp_ct_rates_of(&rates, r->cases + from, end - from);
    put_text(out, "  <testsuite");
    put_attribute(out, "name", chapter);
    put_counts(out, &rates);
    if (r->started[0] != '\0') {
        put_attribute(out, "timestamp", r->started);
    }
    put_text(out, ">\n    <properties>\n");
    put_property(out, indent, "title", wzp_ct_chapter_title(chapter));
    put_property(out, indent, "target", r->target);
    put_property(out, indent, "build", r->target_build);
    put_property(out, indent, "declared_mode", wzp_ct_mode_name(r->declared_mode));
    put_property(out, indent, "detected_mode", wzp_ct_mode_name(r->detected_mode));
    put_property(out, indent, "replay", r->replay);
    put_text(out, "    </properties>\n");
    for (size_t i = from; i < end; i++) {
        put_case(out, &r->cases[i]);
    }
    put_text(out, "  </testsuite>\n");
}

bool wzp_ct_report_junit(FILE *out, const wzp_ct_report *r) {
    wzp_ct_rates all;
    wzp_ct_rates_of(&all, r->cases, r->case_count);
    put_text(out,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"wzp-conformance\"");
    put_counts(out, &all);
    put_text(out, ">\n");
    for (size_t i = 0; i < r->case_count;) {
        const size_t end = wzp_ct_chapter_end(r, i);
        put_suite(out, r, i, end);
        i = end;
    }
    put_text(out, "</testsuites>\n");
    return ferror(out) == 0;
}
