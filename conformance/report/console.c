#include <string.h>

#include "conformance/report/report.h"

const wzp_ct_run *wzp_ct_deciding(const wzp_ct_case_result *c) {
    return &c->runs[c->deciding_run];
}

const char *wzp_ct_full_reason(const wzp_ct_case_result *c, char buf[96]) {
    const char *feature = c->run_count > 0 ? wzp_ct_deciding(c)->feature : "";
    snprintf(buf, 96, "%s%s%s", wzp_ct_reason_name(c->reason),
             c->reason == WZP_CT_REASON_UNSUPPORTED && *feature != '\0' ? ":" : "",
             c->reason == WZP_CT_REASON_UNSUPPORTED ? feature : "");
    return buf;
}

static const char *colour_of(const wzp_ct_case_result *c, const wzp_ct_report_opts *opts) {
    static const char *const colours[] = {"\033[32m", "\033[31m", "\033[33m", "\033[2m"};
    if (!opts->colour) {
        return "";
    }
    return c->grade == WZP_CT_PASS && c->lenient ? "\033[33m" : colours[c->grade];
}

static void print_case(FILE *out, const wzp_ct_case_result *c, const wzp_ct_report_opts *opts) {
    char reason[96];
    const char *plain = opts->colour ? "\033[0m" : "";
    const bool warning = c->grade == WZP_CT_PASS && c->lenient;
    wzp_ct_full_reason(c, reason);
    fprintf(out, "  %s%-12s%s %-6s %s", colour_of(c, opts),
            warning ? "warning" : wzp_ct_grade_name(c->grade), plain, c->info->id, c->info->title);
    fprintf(out, *reason != '\0' ? "  (%s)" : "%s", reason);
    fprintf(out, c->flaky ? "  [flaky]\n" : "\n");
    if (c->grade == WZP_CT_FAIL || c->grade == WZP_CT_INCONCLUSIVE || warning) {
        const wzp_ct_run *run = wzp_ct_deciding(c);
        fprintf(out, "      must      %s\n      traffic   %s\n", c->info->must, c->info->traffic);
        fprintf(out, "      expected  %s\n      actual    %s\n", run->expected, run->actual);
        if (run->evidence[0][0] != '\0') {
            fprintf(out, "      evidence  %s\n", run->evidence[0]);
        }
    }
}

bool wzp_ct_report_console(FILE *out, const wzp_ct_report *r, const wzp_ct_report_opts *opts) {
    const char *chapter = "";
    fprintf(out, "target    %s%s%s\n", r->target, r->target_build[0] != '\0' ? ", build " : "",
            r->target_build);
    fprintf(out, "mode      %s%s\n", wzp_ct_mode_name(r->detected_mode),
            r->virtual_time ? ", virtual time" : "");
    for (size_t i = 0; i < r->case_count; i++) {
        const wzp_ct_case_result *c = &r->cases[i];
        if (opts->quiet && c->grade == WZP_CT_PASS && !c->lenient) {
            continue;
        }
        if (strcmp(chapter, c->info->chapter) != 0) {
            chapter = c->info->chapter;
            fprintf(out, "%s\n", chapter);
        }
        print_case(out, c, opts);
    }
    if (r->fatal[0] != '\0') {
        fprintf(out, "The run proves nothing: %s\n", r->fatal);
    }
    fprintf(out, "%u PASS, %u FAIL, %u INCONCLUSIVE, %u SKIP (%u warnings, %u flaky) in %.1f s\n",
            r->totals.by_grade[WZP_CT_PASS], r->totals.by_grade[WZP_CT_FAIL],
            r->totals.by_grade[WZP_CT_INCONCLUSIVE], r->totals.by_grade[WZP_CT_SKIP],
            r->totals.warnings, r->totals.flaky, r->duration_s);
    fprintf(out, "repeat this run with: %s\n", r->replay);
    return ferror(out) == 0;
}
