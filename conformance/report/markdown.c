/* A table for a pull request or a wiki. */
#include "conformance/report/report.h"

static void put_cell(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '|' || *text == '\\' || *text == '<' || *text == '`') {
            fputc('\\', out);
        }
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

bool wzp_ct_report_markdown(FILE *out, const wzp_ct_report *r) {
    fputs("# WZP conformance: ", out);
    put_cell(out, r->target);
    fprintf(out,
            "\n\n%u PASS, %u FAIL, %u INCONCLUSIVE, %u SKIP, %u warnings; mode %s; %s; %.0f s\n\n"
            "| case | result | what | actual |\n|---|---|---|---|\n",
            r->totals.by_grade[WZP_CT_PASS], r->totals.by_grade[WZP_CT_FAIL],
            r->totals.by_grade[WZP_CT_INCONCLUSIVE], r->totals.by_grade[WZP_CT_SKIP],
            r->totals.warnings, wzp_ct_mode_name(r->detected_mode), r->started, r->duration_s);
    for (size_t i = 0; i < r->case_count; i++) {
        const wzp_ct_case_result *c = &r->cases[i];
        char reason[96];
        fprintf(out, "| %s | %s%s%s%s | ", c->info->id, c->grade == WZP_CT_FAIL ? "**" : "",
                wzp_ct_grade_name(c->grade), c->grade == WZP_CT_FAIL ? "** " : " ",
                wzp_ct_full_reason(c, reason));
        put_cell(out, c->info->title);
        fputs(" | ", out);
        put_cell(out, wzp_ct_deciding(c)->actual);
        fputs(" |\n", out);
    }
    fputs("\nRepeat with `", out);
    put_cell(out, r->replay);
    fputs("`\n", out);
    return ferror(out) == 0;
}
