/* Test Anything Protocol, version 13. */
#include "conformance/report/report.h"

/* '#' begins a directive in TAP. */
static void put_text(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        fputc(*text == '#' || *text == '\n' ? ' ' : *text, out);
    }
}

static void put_diagnostic(FILE *out, const char *name, const char *text) {
    fprintf(out, "  %s: \"", name);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            fputc('\\', out);
        }
        fputc(*text == '\n' ? ' ' : *text, out);
    }
    fputs("\"\n", out);
}

bool wzp_ct_report_tap(FILE *out, const wzp_ct_report *r) {
    fprintf(out, "TAP version 13\n1..%zu\n", r->case_count);
    for (size_t i = 0; i < r->case_count; i++) {
        const wzp_ct_case_result *c = &r->cases[i];
        char reason[96];
        const bool ok = c->grade == WZP_CT_PASS || c->grade == WZP_CT_SKIP;
        fprintf(out, "%s %zu - %s ", ok ? "ok" : "not ok", i + 1, c->info->id);
        put_text(out, c->info->title);
        if (c->grade == WZP_CT_SKIP) {
            fprintf(out, " # SKIP %s", wzp_ct_full_reason(c, reason));
        }
        fputc('\n', out);
        if (!ok) {
            const wzp_ct_run *run = wzp_ct_deciding(c);
            fputs("  ---\n", out);
            put_diagnostic(out, "result", wzp_ct_grade_name(c->grade));
            put_diagnostic(out, "reason", wzp_ct_full_reason(c, reason));
            put_diagnostic(out, "expected", run->expected);
            put_diagnostic(out, "actual", run->actual);
            fputs("  ...\n", out);
        }
    }
    return ferror(out) == 0;
}
