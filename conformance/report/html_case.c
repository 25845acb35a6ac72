/* One case of the page: a line to scan, and behind it everything that is known. */
#include <string.h>

#include "conformance/report/html.h"
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
    fprintf(out,
            "<span class=\"sign %s\"><svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path "
            "d=\"%s\"/></svg>",
            wzp_ct_html_class(look), shapes[look]);
    wzp_ct_put_xml(out, word);
    fputs("</span>", out);
}

/* --- rows of facts -----------------------------------------------------------------------------
 */

static void open_fact(FILE *out, const char *name) {
    fprintf(out, "<dt>%s</dt><dd>", name);
}

static void put_fact(FILE *out, const char *name, const char *value) {
    if (*value != '\0') {
        open_fact(out, name);
        wzp_ct_put_xml(out, value);
        fputs("</dd>", out);
    }
}

static void put_delivery(FILE *out, const wzp_ct_run *r) {
    open_fact(out, "Delivered");
    fprintf(out, "%llu of %llu", (unsigned long long)r->delivered, (unsigned long long)r->offered);
    fprintf(out, ", %llu altered, %llu twice", (unsigned long long)r->altered,
            (unsigned long long)r->duplicated);
    fprintf(out, ", %llu after the close</dd>", (unsigned long long)r->after_close);
    open_fact(out, "Control pair");
    fprintf(out, "%llu of %llu%s</dd>", (unsigned long long)r->control_delivered,
            (unsigned long long)r->control_offered, r->control_hangup ? ", hung up on" : "");
}

static void put_sender(FILE *out, const wzp_ct_run *r) {
    open_fact(out, "Sent");
    fprintf(out, "%llu of %llu packets; at most %llu B and %llu packets in any second",
            (unsigned long long)r->sent, (unsigned long long)r->scheduled,
            (unsigned long long)r->max_bytes_1s, (unsigned long long)r->max_packets_1s);
    if (r->min_aligned_packets_1s != 0) {
        fprintf(out, ", at least %llu B and %llu packets in each second",
                (unsigned long long)r->min_aligned_bytes_1s,
                (unsigned long long)r->min_aligned_packets_1s);
    }
    fprintf(out, "; p99 of the schedule error %.2f ms</dd>", r->schedule_error_p99_ms);
}

static void put_close(FILE *out, const wzp_ct_run *r) {
    if (r->close_s >= 0) {
        open_fact(out, "Close");
        fprintf(out, "code %llu", (unsigned long long)r->close_code);
        if (r->close_reason[0] != '\0') {
            fputs(", reason <code>", out);
            wzp_ct_put_xml(out, r->close_reason);
            fputs("</code>", out);
        }
        fprintf(out, ", at %.2f s</dd>", r->close_s);
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
    fputs("<ul>", out);
    for (size_t i = 0; i < sizeof r->evidence / sizeof *r->evidence; i++) {
        if (r->evidence[i][0] != '\0') {
            fputs("<li><a href=\"", out);
            wzp_ct_put_path(out, r->evidence[i]);
            fputs("\">", out);
            wzp_ct_put_xml(out, file_name(r->evidence[i]));
            fputs("</a></li>", out);
        }
    }
    fputs("</ul></dd>", out);
}

static void put_facts(FILE *out, const wzp_ct_case_result *c, const wzp_ct_run *r) {
    fputs("<dl class=\"details\">", out);
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
    fprintf(out, ", %s; ", wzp_ct_level_name(c->info->level));
    wzp_ct_put_xml(out, c->info->source);
    fputs("</dd></dl>\n", out);
}

/* --- runs --------------------------------------------------------------------------------------
 */

static void put_time(FILE *out, const char *name, double t) {
    fprintf(out,
            t >= 0 ? "<td class=\"n\" data-name=\"%s\">%.2f s</td>"
                   : "<td class=\"n none-of\" data-name=\"%s\">–</td>",
            name, t);
}

static void put_run(FILE *out, const wzp_ct_run *r, size_t number, bool deciding) {
    char reason[96];
    fprintf(out, "<tr><th scope=\"row\">%zu%s</th><td data-name=\"Result\">%s ", number,
            deciding ? ", shown above" : "", wzp_ct_grade_name(r->grade));
    wzp_ct_put_xml(out, wzp_ct_full_reason(r->reason, r, reason));
    fputs("</td>", out);
    put_time(out, "Hangup", r->hangup_s);
    put_time(out, "Close", r->close_s);
    fprintf(out,
            "<td class=\"n\" data-name=\"Delivered\">%llu of %llu</td>"
            "<td class=\"n\" data-name=\"Control\">%llu of %llu</td></tr>\n",
            (unsigned long long)r->delivered, (unsigned long long)r->offered,
            (unsigned long long)r->control_delivered, (unsigned long long)r->control_offered);
}

static void put_runs(FILE *out, const wzp_ct_case_result *c) {
    if (c->run_count < 2) {
        return;
    }
    fputs("<table class=\"runs cards\"><thead><tr><th scope=\"col\">Run</th>"
          "<th scope=\"col\">Result</th><th scope=\"col\" class=\"n\">Hangup</th>"
          "<th scope=\"col\" class=\"n\">Close</th><th scope=\"col\" class=\"n\">Delivered</th>"
          "<th scope=\"col\" class=\"n\">Control</th></tr></thead><tbody>\n",
          out);
    for (size_t i = 0; i < c->run_count; i++) {
        put_run(out, &c->runs[i], i + 1, i == c->deciding_run);
    }
    fputs("</tbody></table>\n", out);
}

/* --- the case ----------------------------------------------------------------------------------
 */

static void put_summary(FILE *out, const wzp_ct_case_result *c, const wzp_ct_run *run) {
    char reason[96];
    const wzp_ct_look look = wzp_ct_look_of(c);
    fputs("<summary><span class=\"id\">", out);
    wzp_ct_put_xml(out, c->info->id);
    fputs("</span>", out);
    wzp_ct_html_sign(out, look, wzp_ct_look_name(look));
    fputs("<span class=\"title\">", out);
    wzp_ct_put_xml(out, c->info->title);
    if (*wzp_ct_full_reason(c->reason, run, reason) != '\0') {
        fputs(" <span class=\"why\">", out);
        wzp_ct_put_xml(out, reason);
        fputs("</span>", out);
    }
    fputs(c->flaky ? " <span class=\"flaky\">flaky</span>" : "", out);
    fputs("</span><span class=\"when\">", out);
    if (run->hangup_s >= 0) {
        fprintf(out, "hangup %.2f s", run->hangup_s);
    } else if (run->close_s >= 0) {
        fprintf(out, "close %.2f s", run->close_s);
    }
    fputs("</span></summary>\n", out);
}

static void put_pair(FILE *out, const wzp_ct_run *run) {
    fputs("<div class=\"pair\"><div><h4>Expected</h4><p>", out);
    wzp_ct_put_xml(out, run->expected);
    fputs("</p></div><div class=\"actual\"><h4>Actual</h4><p>", out);
    wzp_ct_put_xml(out, run->actual);
    fputs("</p></div></div>\n", out);
}

void wzp_ct_html_case(FILE *out, const wzp_ct_case_result *c, bool open) {
    const wzp_ct_run *run = wzp_ct_deciding(c);
    fprintf(out, "<details class=\"case %s\" id=\"", wzp_ct_html_class(wzp_ct_look_of(c)));
    wzp_ct_put_path(out, c->info->id);
    fputs(open ? "\" open>" : "\">", out);
    put_summary(out, c, run);
    fputs("<div class=\"body\"><p class=\"must\">The relay must ", out);
    wzp_ct_put_xml(out, c->info->must);
    fputs(".", out);
    if (*wzp_ct_reason_text(c->reason) != '\0') {
        fputs(" <span class=\"soft\">Here ", out);
        wzp_ct_put_xml(out, wzp_ct_reason_text(c->reason));
        fputs(".</span>", out);
    }
    fputs("</p>\n", out);
    if (run->expected[0] != '\0' || run->actual[0] != '\0') {
        put_pair(out, run);
    }
    wzp_ct_html_timeline(out, run, c->info->id);
    put_facts(out, c, run);
    put_runs(out, c);
    fputs("</div></details>\n", out);
}
