/* For a pull request or a wiki: what is wrong first, everything else folded away. */
#include "conformance/report/out.h"
#include "conformance/report/report.h"
#include "conformance/report/summary.h"
#include "conformance/report/text.h"

static void put_result(FILE *out, const wzp_ct_case_result *c) {
    char reason[96];
    const wzp_ct_look look = wzp_ct_look_of(c);
    const char *strong = look == WZP_CT_LOOK_FAIL ? "**" : "";
    put_format(out, "%s%s%s", strong, wzp_ct_look_name(look), strong);
    if (*wzp_ct_full_reason(c->reason, wzp_ct_deciding(c), reason) != '\0') {
        put_char(out, ' ');
        wzp_ct_put_markdown(out, reason);
    }
    put_text(out, c->flaky ? ", flaky" : "");
}

static void put_case(FILE *out, const wzp_ct_case_result *c) {
    put_text(out, "| ");
    wzp_ct_put_markdown(out, c->info->id);
    put_text(out, " | ");
    put_result(out, c);
    put_text(out, " | ");
    wzp_ct_put_markdown(out, c->info->title);
    put_text(out, " |\n");
}

static void put_problem(FILE *out, const wzp_ct_case_result *c) {
    const wzp_ct_run *run = wzp_ct_deciding(c);
    put_text(out, "| ");
    wzp_ct_put_markdown(out, c->info->id);
    put_text(out, " | ");
    put_result(out, c);
    put_text(out, " | ");
    wzp_ct_put_markdown(out, c->info->title);
    put_text(out, " | ");
    wzp_ct_put_markdown(out, run->expected);
    put_text(out, " | ");
    wzp_ct_put_markdown(out, run->actual);
    put_text(out, " |\n");
}

static void put_problems(FILE *out, const wzp_ct_report *r, const char *title, wzp_ct_worry worry) {
    unsigned count = 0;
    for (size_t i = 0; i < r->case_count; i++) {
        if (wzp_ct_worry_of(&r->cases[i]) != worry) {
            continue;
        }
        if (count++ == 0) {
            put_format(out,
                       "\n## %s\n\n| case | result | what | expected | actual |\n"
                       "|---|---|---|---|---|\n",
                       title);
        }
        put_problem(out, &r->cases[i]);
    }
}

static void put_share(FILE *out, unsigned part, unsigned whole) {
    put_format(out, whole != 0 ? "%u of %u | " : "– | ", part, whole);
}

static void put_chapters(FILE *out, const wzp_ct_report *r) {
    put_text(out, "\n| chapter | cases | passed | failed | inconclusive | skipped | abuse caught | "
                  "legitimate hurt | median to hangup | p95 |\n"
                  "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    for (size_t i = 0; i < r->case_count;) {
        const size_t end = wzp_ct_chapter_end(r, i);
        wzp_ct_rates n;
        wzp_ct_rates_of(&n, r->cases + i, end - i);
        put_text(out, "| ");
        wzp_ct_put_markdown(out, wzp_ct_chapter_title(r->cases[i].info->chapter));
        put_format(out, " | %u | %u | %u | %u | %u | ", n.cases,
                   n.looks[WZP_CT_LOOK_PASS] + n.looks[WZP_CT_LOOK_WARNING],
                   n.looks[WZP_CT_LOOK_FAIL], n.looks[WZP_CT_LOOK_INCONCLUSIVE],
                   n.looks[WZP_CT_LOOK_SKIP]);
        put_share(out, n.caught, n.abuse);
        put_share(out, n.hurt, n.legit);
        put_format(out, n.hangups != 0 ? "%.2f s | %.2f s |\n" : "– | – |\n", n.median_s, n.p95_s);
        i = end;
    }
}

static void put_head(FILE *out, const wzp_ct_report *r) {
    char verdict[160];
    put_text(out, "# WZP conformance: ");
    wzp_ct_put_markdown(out, r->target);
    put_format(out, "\n\n**%s.** ", wzp_ct_verdict(r, verdict));
    wzp_ct_put_markdown(out, r->fatal);
    put_format(out,
               "\n\n%u PASS, %u FAIL, %u INCONCLUSIVE, %u SKIP, %u warnings, %u flaky; mode %s; ",
               r->totals.by_grade[WZP_CT_PASS], r->totals.by_grade[WZP_CT_FAIL],
               r->totals.by_grade[WZP_CT_INCONCLUSIVE], r->totals.by_grade[WZP_CT_SKIP],
               r->totals.warnings, r->totals.flaky, wzp_ct_mode_name(r->detected_mode));
    wzp_ct_put_markdown(out, r->started);
    put_format(out, "; %.0f s%s\n", r->duration_s, r->interrupted ? "; interrupted" : "");
}

bool wzp_ct_report_markdown(FILE *out, const wzp_ct_report *r) {
    put_head(out, r);
    put_chapters(out, r);
    put_problems(out, r, "Missed abuse", WZP_CT_WORRY_MISSED);
    put_problems(out, r, "Legitimate traffic that suffered", WZP_CT_WORRY_FALSE_POSITIVE);
    put_problems(out, r, "Other failures", WZP_CT_WORRY_OTHER);
    put_text(
        out,
        "\n<details><summary>All cases</summary>\n\n| case | result | what |\n|---|---|---|\n");
    for (size_t i = 0; i < r->case_count; i++) {
        put_case(out, &r->cases[i]);
    }
    put_text(out, "\n</details>\n\nRepeat with ");
    wzp_ct_put_markdown(out, r->replay);
    put_char(out, '\n');
    return ferror(out) == 0;
}
