/* Test Anything Protocol, version 13.  A warning is ok and says so in its diagnostic. */
#include "conformance/report/out.h"
#include "conformance/report/report.h"
#include "conformance/report/summary.h"
#include "conformance/report/text.h"

/* '#' would begin a directive, '\\' an escape in later versions. */
static void put_description(FILE *out, const char *text) {
    char clean[256];
    wzp_ct_text_clean(clean, sizeof clean, text);
    for (char *p = clean; *p != '\0'; p++) {
        if (*p == '#' || *p == '\\') {
            *p = ' ';
        }
    }
    wzp_ct_put_plain(out, clean);
}

static void put_diagnostic(FILE *out, const char *name, const char *text) {
    if (*text != '\0') {
        put_format(out, "  %s: \"", name);
        wzp_ct_put_yaml(out, text);
        put_text(out, "\"\n");
    }
}

static void put_diagnostics(FILE *out, const wzp_ct_case_result *c, const char *reason) {
    const wzp_ct_run *run = wzp_ct_deciding(c);
    put_text(out, "  ---\n");
    put_diagnostic(out, "result", wzp_ct_look_name(wzp_ct_look_of(c)));
    put_diagnostic(out, "reason", reason);
    put_diagnostic(out, "requirement", c->info->requirement);
    put_diagnostic(out, "expected", run->expected);
    put_diagnostic(out, "actual", run->actual);
    put_diagnostic(out, "evidence", run->evidence[0]);
    put_text(out, "  ...\n");
}

static void put_case(FILE *out, const wzp_ct_case_result *c, size_t number) {
    char reason[96];
    const wzp_ct_look look = wzp_ct_look_of(c);
    const bool ok = c->grade == WZP_CT_PASS || c->grade == WZP_CT_SKIP;
    wzp_ct_full_reason(c->reason, wzp_ct_deciding(c), reason);
    put_format(out, "%s %zu - ", ok ? "ok" : "not ok", number);
    put_description(out, c->info->id);
    put_char(out, ' ');
    put_description(out, c->info->title);
    if (look == WZP_CT_LOOK_SKIP) {
        put_text(out, " # SKIP ");
        put_description(out, reason);
    }
    put_char(out, '\n');
    if (look != WZP_CT_LOOK_PASS && look != WZP_CT_LOOK_SKIP) {
        put_diagnostics(out, c, reason);
    }
}

bool wzp_ct_report_tap(FILE *out, const wzp_ct_report *r) {
    put_format(out, "TAP version 13\n1..%zu\n", r->case_count);
    for (size_t i = 0; i < r->case_count; i++) {
        put_case(out, &r->cases[i], i + 1);
    }
    if (r->fatal[0] != '\0') {
        put_text(out, "Bail out! ");
        put_description(out, r->fatal);
        put_char(out, '\n');
    }
    return ferror(out) == 0;
}
