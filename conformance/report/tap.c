/* Test Anything Protocol, version 13.  A warning is ok and says so in its diagnostic. */
#include "conformance/report/report.h"
#include "conformance/report/summary.h"
#include "conformance/report/text.h"

/* '#' would begin a directive, '\\' an escape in later versions. */
static void put_description(FILE *out, const char *text) {
    char clean[256];
    wzp_ct_text_clean(clean, sizeof clean, text);
    for (char *p = clean; *p != '\0'; p++) {
        *p = *p == '#' || *p == '\\' ? ' ' : *p;
    }
    wzp_ct_put_plain(out, clean);
}

static void put_diagnostic(FILE *out, const char *name, const char *text) {
    if (*text != '\0') {
        fprintf(out, "  %s: \"", name);
        wzp_ct_put_yaml(out, text);
        fputs("\"\n", out);
    }
}

static void put_diagnostics(FILE *out, const wzp_ct_case_result *c, const char *reason) {
    const wzp_ct_run *run = wzp_ct_deciding(c);
    fputs("  ---\n", out);
    put_diagnostic(out, "result", wzp_ct_look_name(wzp_ct_look_of(c)));
    put_diagnostic(out, "reason", reason);
    put_diagnostic(out, "requirement", c->info->requirement);
    put_diagnostic(out, "expected", run->expected);
    put_diagnostic(out, "actual", run->actual);
    put_diagnostic(out, "evidence", run->evidence[0]);
    fputs("  ...\n", out);
}

static void put_case(FILE *out, const wzp_ct_case_result *c, size_t number) {
    char reason[96];
    const wzp_ct_look look = wzp_ct_look_of(c);
    const bool ok = c->grade == WZP_CT_PASS || c->grade == WZP_CT_SKIP;
    wzp_ct_full_reason(c->reason, wzp_ct_deciding(c), reason);
    fprintf(out, "%s %zu - ", ok ? "ok" : "not ok", number);
    put_description(out, c->info->id);
    fputc(' ', out);
    put_description(out, c->info->title);
    if (look == WZP_CT_LOOK_SKIP) {
        fputs(" # SKIP ", out);
        put_description(out, reason);
    }
    fputc('\n', out);
    if (look != WZP_CT_LOOK_PASS && look != WZP_CT_LOOK_SKIP) {
        put_diagnostics(out, c, reason);
    }
}

bool wzp_ct_report_tap(FILE *out, const wzp_ct_report *r) {
    fprintf(out, "TAP version 13\n1..%zu\n", r->case_count);
    for (size_t i = 0; i < r->case_count; i++) {
        put_case(out, &r->cases[i], i + 1);
    }
    if (r->fatal[0] != '\0') {
        fputs("Bail out! ", out);
        put_description(out, r->fatal);
        fputc('\n', out);
    }
    return ferror(out) == 0;
}
