/* One self-contained page: no script is needed, nothing is fetched, it reads on a phone. */
#include <stdlib.h>
#include <string.h>

#include "conformance/report/report.h"

enum { WIDTH = 640, LEFT = 84, ROW = 22, TOP = 8 };

static void text(FILE *out, const char *s) {
    for (; *s != '\0'; s++) {
        switch (*s) {
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
            fputc((unsigned char)*s < 0x20 ? ' ' : *s, out);
            break;
        }
    }
}

static const char *grade_class(const wzp_ct_case_result *c) {
    static const char *const classes[] = {"pass", "fail", "unclear", "skip"};
    return c->grade == WZP_CT_PASS && c->lenient ? "warn" : classes[c->grade];
}

static const char *grade_word(const wzp_ct_case_result *c) {
    return c->grade == WZP_CT_PASS && c->lenient ? "WARNING" : wzp_ct_grade_name(c->grade);
}

static void head(FILE *out, const wzp_ct_report *r) {
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
          "<title>WZP conformance: ",
          out);
    text(out, r->target);
    fputs(
        "</title>\n<style>\n"
        ":root{--bg:#fbfbfa;--fg:#1d2126;--dim:#5d6670;--line:#dcdfe3;--card:#fff;--pass:#1a7f4b;"
        "--fail:#c0262d;--warn:#9a6700;--unclear:#6f42c1;--skip:#6b747d;--band:#e9edf2}\n"
        "@media(prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e6e9ec;--dim:#9aa4ae;"
        "--line:#2c3238;--card:#1b1f24;--pass:#4cc38a;--fail:#ff7b72;--warn:#e3b341;"
        "--unclear:#c297ff;--skip:#8b949e;--band:#252b32}}\n"
        "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);"
        "font:16px/1.5 system-ui,sans-serif}main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem "
        "4rem}h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}"
        "p{margin:.3rem 0}.dim{color:var(--dim)}code{font:.88em ui-monospace,monospace;"
        "overflow-wrap:anywhere}\n"
        ".totals{display:grid;grid-template-columns:repeat(auto-fit,minmax(7.5rem,1fr));gap:.6rem;"
        "margin:1.2rem 0}.totals div{background:var(--card);border:1px solid var(--line);"
        "border-radius:.5rem;padding:.6rem .8rem}.totals b{display:block;font-size:1.6rem;"
        "line-height:1.2}\n"
        ".pass{color:var(--pass)}.fail{color:var(--fail)}.warn{color:var(--warn)}"
        ".unclear{color:var(--unclear)}.skip{color:var(--skip)}\n"
        "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem "
        ".35rem 0;border-bottom:1px solid var(--line)}td.n,th.n{text-align:right}"
        ".scroll{overflow-x:auto}\n"
        "details{background:var(--card);border:1px solid var(--line);border-radius:.5rem;"
        "margin:.35rem 0}summary{cursor:pointer;padding:.5rem .8rem;display:grid;"
        "grid-template-columns:4.2rem 7.4rem 1fr;gap:.5rem;align-items:baseline;list-style:none}"
        "summary::-webkit-details-marker{display:none}summary b{font-variant-numeric:tabular-nums}"
        ".body{padding:0 .8rem .8rem}dl{display:grid;grid-template-columns:6rem 1fr;gap:.2rem "
        ".8rem;margin:.4rem 0}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}"
        "svg{width:100%;height:auto;margin-top:.4rem}svg text{font:11px system-ui,sans-serif;"
        "fill:var(--fg)}svg .dim{fill:var(--dim)}\n"
        "@media(max-width:34rem){summary{grid-template-columns:3.6rem 1fr}summary "
        "span:last-child{grid-column:1/-1}dl{grid-template-columns:1fr}dt{margin-top:.3rem}}\n"
        "</style></head><body><main>\n",
        out);
}

static void tile(FILE *out, const char *class_name, unsigned count, const char *word) {
    fprintf(out, "<div><b class=\"%s\">%u</b>%s</div>\n", class_name, count, word);
}

static void overview(FILE *out, const wzp_ct_report *r) {
    fputs("<h1>WZP v2 relay conformance</h1>\n<p>", out);
    text(out, r->target);
    fputs(" <span class=\"dim\">build ", out);
    text(out, r->target_build[0] != '\0' ? r->target_build : "unknown");
    fprintf(out, ", mode %s</span></p>\n<p class=\"dim\">", wzp_ct_mode_name(r->detected_mode));
    text(out, r->started);
    fprintf(out, " &middot; %.1f s%s &middot; %u run%s per case &middot; suite %s (%s)</p>\n",
            r->duration_s, r->virtual_time ? " for simulated time" : "", r->repeat,
            r->repeat == 1 ? "" : "s", r->suite_version, r->build_hash);
    if (r->fatal[0] != '\0') {
        fputs("<p class=\"fail\"><b>This run proves nothing:</b> ", out);
        text(out, r->fatal);
        fputs("</p>\n", out);
    }
    fputs("<div class=\"totals\">\n", out);
    tile(out, "pass", r->totals.by_grade[WZP_CT_PASS] - r->totals.warnings, "passed");
    tile(out, "fail", r->totals.by_grade[WZP_CT_FAIL], "failed");
    tile(out, "warn", r->totals.warnings, "warnings");
    tile(out, "unclear", r->totals.by_grade[WZP_CT_INCONCLUSIVE], "inconclusive");
    tile(out, "skip", r->totals.by_grade[WZP_CT_SKIP], "skipped");
    fputs("</div>\n", out);
}

/* --- rates per chapter -------------------------------------------------------------------------
 */

typedef struct rates {
    unsigned cases, abuse, caught, legit, hurt;
    double times[256]; /* to the hangup */
    size_t time_count;
} rates;

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void add_rates(rates *sum, const wzp_ct_case_result *c) {
    const bool graded = c->grade == WZP_CT_PASS || c->grade == WZP_CT_FAIL;
    sum->cases++;
    sum->abuse += graded && c->info->abuse ? 1 : 0;
    sum->caught += c->info->abuse && c->grade == WZP_CT_PASS && !c->lenient ? 1 : 0;
    sum->legit += graded && c->info->must_forward ? 1 : 0;
    sum->hurt += c->info->must_forward && c->grade == WZP_CT_FAIL ? 1 : 0;
    for (size_t i = 0; i < c->run_count && c->info->abuse; i++) {
        if (c->runs[i].hangup_s >= 0 && sum->time_count < 256) {
            sum->times[sum->time_count++] = c->runs[i].hangup_s;
        }
    }
}

static void rate_row(FILE *out, const char *name, rates *sum) {
    qsort(sum->times, sum->time_count, sizeof *sum->times, by_value);
    fprintf(out, "<tr><td>%s</td><td class=\"n\">%u</td><td class=\"n\">", name, sum->cases);
    fprintf(out, sum->abuse != 0 ? "%u of %u" : "&ndash;", sum->caught, sum->abuse);
    fputs("</td><td class=\"n\">", out);
    fprintf(out, sum->legit != 0 ? "%u of %u" : "&ndash;", sum->hurt, sum->legit);
    if (sum->time_count != 0) {
        fprintf(out, "</td><td class=\"n\">%.2f s</td><td class=\"n\">%.2f s</td></tr>\n",
                sum->times[sum->time_count / 2], sum->times[sum->time_count * 95 / 100]);
    } else {
        fputs("</td><td class=\"n\">&ndash;</td><td class=\"n\">&ndash;</td></tr>\n", out);
    }
}

static void rate_table(FILE *out, const wzp_ct_report *r) {
    fputs("<h2>By chapter</h2>\n<div class=\"scroll\"><table><thead><tr><th>chapter</th>"
          "<th class=\"n\">cases</th><th class=\"n\">abuse caught</th>"
          "<th class=\"n\">legitimate hurt</th><th class=\"n\">median to hangup</th>"
          "<th class=\"n\">p95</th></tr></thead><tbody>\n",
          out);
    for (size_t i = 0; i < r->case_count;) {
        static rates sum;
        const char *chapter = r->cases[i].info->chapter;
        sum = (rates){0};
        for (; i < r->case_count && strcmp(r->cases[i].info->chapter, chapter) == 0; i++) {
            add_rates(&sum, &r->cases[i]);
        }
        rate_row(out, chapter, &sum);
    }
    fputs("</tbody></table></div>\n", out);
}

/* --- timeline ----------------------------------------------------------------------------------
 */

static double scale(double t, double from, double until) {
    return LEFT + (t - from) / (until - from) * (WIDTH - LEFT - 10);
}

static void draw_mark(FILE *out, const wzp_ct_mark *m, double from, double until) {
    static const char *const colours[] = {"--band", "--fg", "--pass", "--skip"};
    const double x = scale(m->t_s, from, until);
    const double y = TOP + (double)m->lane * ROW;
    if (m->until_s > m->t_s) {
        const double w = scale(m->until_s, from, until) - x;
        fprintf(out,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"12\" rx=\"2\" "
                "style=\"fill:var(%s)\" opacity=\"%s\"><title>",
                x, y, w > 1 ? w : 1, colours[m->lane],
                m->lane == WZP_CT_LANE_EXPECTED ? "1" : ".45");
    } else {
        fprintf(out,
                "<path d=\"M%.1f %.1fv14\" style=\"stroke:var(--fail)\" stroke-width=\"2\"><title>",
                x, y - 1);
    }
    text(out, m->label);
    fputs(m->until_s > m->t_s ? "</title></rect>" : "</title></path>", out);
    if (m->until_s <= m->t_s) {
        const bool left = x > WIDTH - 120;
        fprintf(out, "<text x=\"%.1f\" y=\"%.1f\"%s>", left ? x - 4 : x + 4, y + 10,
                left ? " text-anchor=\"end\"" : "");
        text(out, m->label);
        fputs("</text>", out);
    }
}

static void timeline(FILE *out, const wzp_ct_run *run) {
    static const char *const lanes[] = {"expected", "sender", "listener", "control"};
    double from = 0;
    double until = 0.1;
    for (size_t i = 0; i < run->mark_count; i++) {
        const wzp_ct_mark *m = &run->marks[i];
        from = m->t_s < from ? m->t_s : from;
        until = m->until_s > until ? m->until_s : m->t_s > until ? m->t_s : until;
    }
    if (run->mark_count == 0) {
        return;
    }
    const int height = TOP + 4 * ROW + 16;
    fprintf(out,
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"timeline from %.1f to %.1f "
            "seconds: ",
            WIDTH, height, from, until);
    text(out, run->actual);
    fputs("\">", out);
    for (int i = 0; i < 4; i++) {
        fprintf(out, "<text class=\"dim\" x=\"0\" y=\"%d\">%s</text>", TOP + i * ROW + 10,
                lanes[i]);
    }
    for (size_t i = 0; i < run->mark_count; i++) {
        draw_mark(out, &run->marks[i], from, until);
    }
    fprintf(out,
            "<path d=\"M%d %dH%d\" style=\"stroke:var(--line)\"/><text class=\"dim\" x=\"%d\" "
            "y=\"%d\">%.1f s</text><text class=\"dim\" x=\"%d\" y=\"%d\" "
            "text-anchor=\"end\">%.1f s</text></svg>\n",
            LEFT, height - 18, WIDTH - 10, LEFT, height - 4, from, WIDTH - 10, height - 4, until);
}

/* --- cases -------------------------------------------------------------------------------------
 */

static void row(FILE *out, const char *name, const char *value) {
    if (*value != '\0') {
        fprintf(out, "<dt>%s</dt><dd>", name);
        text(out, value);
        fputs("</dd>", out);
    }
}

static void evidence(FILE *out, const wzp_ct_run *run) {
    if (run->evidence[0][0] == '\0') {
        return;
    }
    fputs("<dt>evidence</dt><dd>", out);
    for (size_t i = 0; i < 3; i++) {
        fputs("<a href=\"", out);
        text(out, run->evidence[i]);
        fputs("\">", out);
        text(out, strrchr(run->evidence[i], '/') != NULL ? strrchr(run->evidence[i], '/') + 1
                                                         : run->evidence[i]);
        fputs("</a> ", out);
    }
    fputs("</dd>", out);
}

static void one_case(FILE *out, const wzp_ct_case_result *c, bool anchor) {
    char reason[96];
    const wzp_ct_run *run = wzp_ct_deciding(c);
    fputs("<details", out);
    if (anchor) {
        fprintf(out, " id=\"%s\"", c->info->id);
    }
    fprintf(out, "><summary><b>%s</b><span class=\"%s\">%s</span><span>", c->info->id,
            grade_class(c), grade_word(c));
    text(out, c->info->title);
    wzp_ct_full_reason(c, reason);
    if (*reason != '\0') {
        fputs(" <span class=\"dim\">(", out);
        text(out, reason);
        fputs(")</span>", out);
    }
    fputs(c->flaky ? " <span class=\"warn\">flaky</span>" : "", out);
    fputs("</span></summary><div class=\"body\"><dl>", out);
    row(out, "relay must", c->info->must);
    row(out, "traffic", c->info->traffic);
    row(out, "expected", run->expected);
    row(out, "actual", run->actual);
    row(out, "requirement", c->info->requirement);
    row(out, "source", c->info->source);
    evidence(out, run);
    fputs("</dl>", out);
    timeline(out, run);
    fputs("</div></details>\n", out);
}

/* Missed abuse and false positives are different worries: two panels. */
static void panel(FILE *out, const wzp_ct_report *r, bool abuse, const char *title,
                  const char *none) {
    unsigned count = 0;
    fprintf(out, "<h2>%s</h2>\n", title);
    for (size_t i = 0; i < r->case_count; i++) {
        const wzp_ct_case_result *c = &r->cases[i];
        if (c->grade == WZP_CT_FAIL && c->info->abuse == abuse) {
            one_case(out, c, false);
            count++;
        }
    }
    if (count == 0) {
        fprintf(out, "<p class=\"dim\">%s</p>\n", none);
    }
}

static void all_cases(FILE *out, const wzp_ct_report *r) {
    const char *chapter = "";
    fputs("<h2>All cases</h2>\n", out);
    for (size_t i = 0; i < r->case_count; i++) {
        if (strcmp(chapter, r->cases[i].info->chapter) != 0) {
            chapter = r->cases[i].info->chapter;
            fprintf(out, "<h2 id=\"chapter-%s\">%s</h2>\n", chapter, chapter);
        }
        one_case(out, &r->cases[i], true);
    }
}

bool wzp_ct_report_html(FILE *out, const wzp_ct_report *r) {
    head(out, r);
    overview(out, r);
    rate_table(out, r);
    panel(out, r, true, "Missed abuse",
          "None: all abuse that was tried was answered as it must be.");
    panel(out, r, false, "False positives and other failures",
          "None: legitimate traffic and exchanges were served.");
    all_cases(out, r);
    fputs("<h2>Repeat this run</h2>\n<p><code>", out);
    text(out, r->replay);
    fputs("</code></p>\n</main></body></html>\n", out);
    return ferror(out) == 0;
}
