/* One case of the page: a line to scan, and behind it everything that is known. */
#include <string.h>

#include "conformance/report/html.h"
#include "conformance/report/out.h"
#include "conformance/report/text.h"

const char *wzp_ct_html_class(wzp_ct_look look) {
    static const char *const classes[] = {"pass", "fail", "warn", "unclear", "skip"};
    return classes[look];
}

/* Signs differ in shape, so that colour is not needed. */
void wzp_ct_html_sign(FILE *out, wzp_ct_look look, const char *word) {
    static const char *const shapes[] = {
        "M2 8.5l4 4L14 4",                /* a tick */
        "M3 3l10 10M13 3L3 13",           /* a cross */
        "M8 2L15 14H1zM8 6.5v3M8 12v0",   /* a triangle */
        "M5 6a3 3 0 1 1 3 3.4V11M8 14v0", /* a question mark */
        "M3 8h10",                        /* a dash */
    };
    put_format(out,
               "<span class=\"sign %s\"><svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path "
               "d=\"%s\"/></svg>",
               wzp_ct_html_class(look), shapes[look]);
    wzp_ct_put_xml(out, word);
    put_text(out, "</span>");
}

/* --- rows of facts ---------------------------------------------------------------------------- */

static void open_fact(FILE *out, const char *name) {
    put_format(out, "<dt>%s</dt><dd>", name);
}

static void put_fact(FILE *out, const char *name, const char *value) {
    if (*value != '\0') {
        open_fact(out, name);
        wzp_ct_put_xml(out, value);
        put_text(out, "</dd>");
    }
}

static void put_delivery(FILE *out, const wzp_ct_run *r) {
    open_fact(out, "Delivered");
    put_format(out, "%llu of %llu", (unsigned long long)r->delivered,
               (unsigned long long)r->offered);
    put_format(out, ", %llu altered, %llu twice", (unsigned long long)r->altered,
               (unsigned long long)r->duplicated);
    put_format(out, ", %llu after the close</dd>", (unsigned long long)r->after_close);
    open_fact(out, "Control pair");
    put_format(out, "%llu of %llu%s</dd>", (unsigned long long)r->control_delivered,
               (unsigned long long)r->control_offered, r->control_hangup ? ", hung up on" : "");
}

static void put_sender(FILE *out, const wzp_ct_run *r) {
    open_fact(out, "Sent");
    put_format(out, "%llu of %llu packets; at most %llu B and %llu packets in any second",
               (unsigned long long)r->sent, (unsigned long long)r->scheduled,
               (unsigned long long)r->max_bytes_1s, (unsigned long long)r->max_packets_1s);
    if (r->min_aligned_packets_1s != 0) {
        put_format(out, ", at least %llu B and %llu packets in each second",
                   (unsigned long long)r->min_aligned_bytes_1s,
                   (unsigned long long)r->min_aligned_packets_1s);
    }
    put_format(out, "; p99 of the schedule error %.2f ms</dd>", r->schedule_error_p99_ms);
}

static void put_close(FILE *out, const wzp_ct_run *r) {
    if (r->close_s >= 0) {
        open_fact(out, "Close");
        put_format(out, "code %llu", (unsigned long long)r->close_code);
        if (r->close_reason[0] != '\0') {
            put_text(out, ", reason <code>");
            wzp_ct_put_xml(out, r->close_reason);
            put_text(out, "</code>");
        }
        put_format(out, ", at %.2f s</dd>", r->close_s);
    }
}

static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static void put_evidence(FILE *out, const wzp_ct_run *r) {
    if (r->evidence[0][0] == '\0') {
        return;
    }
    open_fact(out, "Evidence");
    put_text(out, "<ul>");
    for (size_t i = 0; i < sizeof r->evidence / sizeof *r->evidence; i++) {
        if (r->evidence[i][0] != '\0') {
            put_text(out, "<li><a href=\"");
            wzp_ct_put_path(out, r->evidence[i]);
            put_text(out, "\">");
            wzp_ct_put_xml(out, file_name(r->evidence[i]));
            put_text(out, "</a></li>");
        }
    }
    put_text(out, "</ul></dd>");
}

static void put_facts(FILE *out, const wzp_ct_case_result *c, const wzp_ct_run *r) {
    put_text(out, "<dl class=\"details\">");
    put_fact(out, "Traffic", c->info->traffic);
    put_close(out, r);
    if (r->offered != 0) {
        put_delivery(out, r);
    }
    if (r->scheduled != 0) {
        put_sender(out, r);
    }
    put_evidence(out, r);
    open_fact(out, "Requirement");
    wzp_ct_put_xml(out, c->info->requirement);
    put_format(out, ", %s; ", wzp_ct_level_name(c->info->level));
    wzp_ct_put_xml(out, c->info->source);
    put_text(out, "</dd></dl>\n");
}

/* --- runs ------------------------------------------------------------------------------------- */

static void put_time(FILE *out, const char *name, double t) {
    put_format(out,
               t >= 0 ? "<td class=\"n\" data-name=\"%s\">%.2f s</td>"
                      : "<td class=\"n none-of\" data-name=\"%s\">–</td>",
               name, t);
}

static void put_run(FILE *out, const wzp_ct_run *r, size_t number, bool deciding) {
    char reason[96];
    put_format(out, "<tr><th scope=\"row\">%zu%s</th><td data-name=\"Result\">%s ", number,
               deciding ? ", shown above" : "", wzp_ct_grade_name(r->grade));
    wzp_ct_put_xml(out, wzp_ct_full_reason(r->reason, r, reason));
    put_text(out, "</td>");
    put_time(out, "Hangup", r->hangup_s);
    put_time(out, "Close", r->close_s);
    put_format(out,
               "<td class=\"n\" data-name=\"Delivered\">%llu of %llu</td>"
               "<td class=\"n\" data-name=\"Control\">%llu of %llu</td></tr>\n",
               (unsigned long long)r->delivered, (unsigned long long)r->offered,
               (unsigned long long)r->control_delivered, (unsigned long long)r->control_offered);
}

static void put_runs(FILE *out, const wzp_ct_case_result *c) {
    if (c->run_count < 2) {
        return;
    }
    put_text(out,
             "<table class=\"runs cards\"><thead><tr><th scope=\"col\">Run</th>"
             "<th scope=\"col\">Result</th><th scope=\"col\" class=\"n\">Hangup</th>"
             "<th scope=\"col\" class=\"n\">Close</th><th scope=\"col\" class=\"n\">Delivered</th>"
             "<th scope=\"col\" class=\"n\">Control</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < c->run_count; i++) {
        put_run(out, &c->runs[i], i + 1, i == c->deciding_run);
    }
    put_text(out, "</tbody></table>\n");
}

/* --- the case --------------------------------------------------------------------------------- */

static void put_summary(FILE *out, const wzp_ct_case_result *c, const wzp_ct_run *run) {
    char reason[96];
    const wzp_ct_look look = wzp_ct_look_of(c);
    put_text(out, "<summary><span class=\"id\">");
    wzp_ct_put_xml(out, c->info->id);
    put_text(out, "</span>");
    wzp_ct_html_sign(out, look, wzp_ct_look_name(look));
    put_text(out, "<span class=\"title\">");
    wzp_ct_put_xml(out, c->info->title);
    if (*wzp_ct_full_reason(c->reason, run, reason) != '\0') {
        put_text(out, " <span class=\"why\">");
        wzp_ct_put_xml(out, reason);
        put_text(out, "</span>");
    }
    put_text(out, c->flaky ? " <span class=\"flaky\">flaky</span>" : "");
    put_text(out, "</span><span class=\"when\">");
    if (run->hangup_s >= 0) {
        put_format(out, "hangup %.2f s", run->hangup_s);
    } else if (run->close_s >= 0) {
        put_format(out, "close %.2f s", run->close_s);
    }
    put_text(out, "</span></summary>\n");
}

static void put_pair(FILE *out, const wzp_ct_run *run) {
    put_text(out, "<div class=\"pair\"><div><h4>Expected</h4><p>");
    wzp_ct_put_xml(out, run->expected);
    put_text(out, "</p></div><div class=\"actual\"><h4>Actual</h4><p>");
    wzp_ct_put_xml(out, run->actual);
    put_text(out, "</p></div></div>\n");
}

void wzp_ct_html_case(FILE *out, const wzp_ct_case_result *c, bool open) {
    const wzp_ct_run *run = wzp_ct_deciding(c);
    put_format(out, "<details class=\"case %s\" id=\"", wzp_ct_html_class(wzp_ct_look_of(c)));
    wzp_ct_put_path(out, c->info->id);
    put_text(out, open ? "\" open>" : "\">");
    put_summary(out, c, run);
    put_text(out, "<div class=\"body\"><p class=\"must\">The relay must ");
    wzp_ct_put_xml(out, c->info->must);
    put_text(out, ".");
    if (*wzp_ct_reason_text(c->reason) != '\0') {
        put_text(out, " <span class=\"soft\">Here ");
        wzp_ct_put_xml(out, wzp_ct_reason_text(c->reason));
        put_text(out, ".</span>");
    }
    put_text(out, "</p>\n");
    if (run->expected[0] != '\0' || run->actual[0] != '\0') {
        put_pair(out, run);
    }
    wzp_ct_html_timeline(out, run, c->info->id);
    put_facts(out, c, run);
    put_runs(out, c);
    put_text(out, "</div></details>\n");
}
