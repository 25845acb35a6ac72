/* JUnit XML: one suite per chapter (conformance sheet 25). */
#include <string.h>

#include "conformance/report/report.h"

static void put_xml(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
            break;
        }
    }
}

static void put_attribute(FILE *out, const char *name, const char *value) {
    fprintf(out, " %s=\"", name);
    put_xml(out, value);
    fputc('"', out);
}

static void put_problem(FILE *out, const char *tag, const wzp_ct_case_result *c) {
    char reason[96];
    const wzp_ct_run *run = wzp_ct_deciding(c);
    fprintf(out, "      <%s", tag);
    put_attribute(out, "type", wzp_ct_full_reason(c, reason));
    put_attribute(out, "message", run->actual);
    fputs(">expected ", out);
    put_xml(out, run->expected);
    fputs("\nactual ", out);
    put_xml(out, run->actual);
    fprintf(out, "</%s>\n", tag);
}

static void put_case(FILE *out, const wzp_ct_case_result *c) {
    char reason[96];
    char name[160];
    char class_name[32];
    snprintf(name, sizeof name, "%s %s", c->info->id, c->info->title);
    snprintf(class_name, sizeof class_name, "wzp.%s", c->info->chapter);
    fputs("    <testcase", out);
    put_attribute(out, "classname", class_name);
    put_attribute(out, "name", name);
    fprintf(out, " time=\"%.3f\">\n", wzp_ct_deciding(c)->duration_s);
    if (c->grade == WZP_CT_FAIL) {
        put_problem(out, "failure", c);
    } else if (c->grade == WZP_CT_INCONCLUSIVE) {
        put_problem(out, "error", c);
    } else if (c->grade == WZP_CT_SKIP) {
        fputs("      <skipped", out);
        put_attribute(out, "message", wzp_ct_full_reason(c, reason));
        fputs("/>\n", out);
    } else if (c->lenient) {
        fputs("      <system-out>warning: ", out);
        put_xml(out, wzp_ct_full_reason(c, reason));
        fputs("; ", out);
        put_xml(out, wzp_ct_deciding(c)->actual);
        fputs("</system-out>\n", out);
    }
    fputs("    </testcase>\n", out);
}

/* The end of the chapter that begins at `from`, and its counts. */
static size_t count_chapter(const wzp_ct_report *r, size_t from,
                            unsigned counts[WZP_CT_GRADE_COUNT]) {
    size_t i = from;
    memset(counts, 0, WZP_CT_GRADE_COUNT * sizeof *counts);
    while (i < r->case_count &&
           strcmp(r->cases[i].info->chapter, r->cases[from].info->chapter) == 0) {
        counts[r->cases[i++].grade]++;
    }
    return i;
}

bool wzp_ct_report_junit(FILE *out, const wzp_ct_report *r) {
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out);
    put_attribute(out, "name", "wzp-conformance");
    fputs(">\n", out);
    for (size_t i = 0; i < r->case_count;) {
        unsigned counts[WZP_CT_GRADE_COUNT];
        const size_t end = count_chapter(r, i, counts);
        fputs("  <testsuite", out);
        put_attribute(out, "name", r->cases[i].info->chapter);
        fprintf(out, " tests=\"%zu\" failures=\"%u\" errors=\"%u\" skipped=\"%u\">\n", end - i,
                counts[WZP_CT_FAIL], counts[WZP_CT_INCONCLUSIVE], counts[WZP_CT_SKIP]);
        fputs("    <properties>\n      <property name=\"target\"", out);
        put_attribute(out, "value", r->target);
        fputs("/>\n      <property name=\"mode\"", out);
        put_attribute(out, "value", wzp_ct_mode_name(r->detected_mode));
        fputs("/>\n    </properties>\n", out);
        for (; i < end; i++) {
            put_case(out, &r->cases[i]);
        }
        fputs("  </testsuite>\n", out);
    }
    fputs("</testsuites>\n", out);
    return ferror(out) == 0;
}
