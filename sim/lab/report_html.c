/* One page per run: verdict, calls, checks, what happened when, and curves of delay, loss and
 * waiting. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/html.h"
#include "sim/lab/report.h"

enum { FEW = 20, CHARTS_MAX = 24, ENTRIES_SHOWN = 300 };

static double ms(uint64_t ns) {
    return (double)ns / 1e6;
}

static void put(FILE *out, const char *text) {
    (void)fputs(text, out);
}

static void put_head(FILE *out, const wzp_lab_result *r) {
    const wzp_lab_scenario *s = r->scenario;
    const wzp_lab_outcome outcome = wzp_lab_result_outcome(r);
    const char *word = wzp_lab_outcome_word(outcome);
    put(out, "<h1>");
    wzp_lab_html_text(out, s->name);
    put(out, "</h1>\n<p class=\"lead\">");
    wzp_lab_html_text(out, s->about);
    (void)fprintf(out,
                  "</p>\n<p class=\"verdict %s\">%s</p>\n<p class=\"soft\">seed %" PRIu64
                  ", engine %s, %g s, trace %016" PRIx64 "</p>\n",
                  word, word, s->seed, r->engine, (double)s->duration / 1e9, r->trace_hash);
    if (r->pcap_file != NULL) { /* it lies beside the page */
        const char *slash = strrchr(r->pcap_file, '/');
        put(out, "<p><a href=\"");
        wzp_lab_html_text(out, slash != NULL ? slash + 1 : r->pcap_file);
        put(out, "\">capture of what hosts and relays saw</a></p>\n");
    }
    if (r->lacks != NULL) {
        put(out, "<p class=\"notice inconclusive\">This build lacks what the scenario needs: ");
        wzp_lab_html_text(out, r->lacks);
        put(out, "</p>\n");
    }
}

static void put_checks(FILE *out, const wzp_lab_result *r) {
    put(out, "<h2>Checks</h2>\n<div class=\"wide\"><table><tr><th>result</th><th>check</th>"
             "<th>where</th><th>expected</th><th>got</th></tr>\n");
    for (int pass = 0; pass < 2; pass++) { /* what failed comes first */
        for (size_t i = 0; i < r->check_count; i++) {
            const wzp_lab_check *c = &r->checks[i];
            if (c->good != (pass == 1)) {
                continue;
            }
            (void)fprintf(out,
                          "<tr class=\"%s\"><td><span class=\"sign\">%s</span></td><td>%s</td><td>",
                          c->good ? "passed" : "failed", c->good ? "good" : "failed",
                          wzp_lab_check_word(c->kind));
            wzp_lab_html_text(out, c->where);
            put(out, "</td><td>");
            wzp_lab_html_text(out, c->expected);
            put(out, "</td><td>");
            wzp_lab_html_text(out, c->got);
            put(out, "</td></tr>\n");
        }
    }
    put(out, "</table></div>\n");
}

/* --- calls ------------------------------------------------------------------------------------ */

static const char *speaker_of(const wzp_lab_result *r, const wzp_lab_call_result *call,
                              uint32_t id) {
    for (size_t m = 0; m < call->call->member_count; m++) {
        if (call->members[m].report.id == id) {
            return r->scenario->hosts[call->members[m].host].name;
        }
    }
    return "?";
}

static void put_heard(FILE *out, const wzp_lab_result *r, const wzp_lab_call_result *call,
                      const wzp_lab_member *member, const wzp_sim_heard *h) {
    static const char *const paths[] = {"any", "relay", "direct", "none", "best"};
    put(out, "<tr><td>");
    wzp_lab_html_text(out, r->scenario->hosts[member->host].name);
    put(out, " hears ");
    wzp_lab_html_text(out, speaker_of(r, call, h->sender));
    (void)fprintf(out,
                  "</td><td>%s</td><td class=\"n\">%.0f ms</td><td>%s</td><td class=\"n\">%.2f %%"
                  "</td><td class=\"n\">%u ms</td><td class=\"n\">%.0f / %.0f / %.0f ms</td>"
                  "<td class=\"n\">%.1f ms</td><td class=\"n\">%" PRIu64 " of %" PRIu64
                  "</td></tr>\n",
                  paths[member->path], ms(member->setup), wzp_sim_class_name(h->verdict.which),
                  (double)h->verdict.conc_ppm / 10000, h->verdict.gap_ms, ms(h->delay_p50),
                  ms(h->delay_p95), ms(h->delay_max), ms(h->jitter), h->lost, h->lost + h->arrived);
}

static void put_calls(FILE *out, const wzp_lab_result *r) {
    put(out, "<h2>Calls</h2>\n<div class=\"wide\"><table><tr><th>who</th><th>path</th>"
             "<th class=\"n\">setup</th><th>class</th><th class=\"n\">concealed</th>"
             "<th class=\"n\">longest gap</th><th class=\"n\">delay 50 / 95 / 100 %</th>"
             "<th class=\"n\">jitter</th><th class=\"n\">lost</th></tr>\n");
    for (size_t c = 0; c < r->scenario->call_count; c++) {
        const wzp_lab_call_result *call = &r->calls[c];
        for (size_t m = 0; m < call->call->member_count; m++) {
            const wzp_lab_member *member = &call->members[m];
            for (size_t i = 0; i < member->report.senders; i++) {
                put_heard(out, r, call, member, &member->report.heard[i]);
            }
            if (member->report.senders == 0) {
                put(out, "<tr><td>");
                wzp_lab_html_text(out, r->scenario->hosts[member->host].name);
                put(out, "</td><td colspan=\"8\">heard nothing</td></tr>\n");
            }
        }
    }
    put(out, "</table></div>\n");
}

/* --- curves ----------------------------------------------------------------------------------- */

static void put_curves(FILE *out, const wzp_lab_result *r) {
    size_t shown = 0;
    put(out, "<h2>Delay and loss</h2>\n<p class=\"key\"><span><b style=\"background:var(--delay)\">"
             "</b>mean delay</span><span><b style=\"background:var(--most)\"></b>longest delay"
             "</span><span><b style=\"background:var(--fail)\"></b>share of packets lost, full "
             "height is all</span></p>\n");
    for (size_t i = 0; i < wzp_lab_measure_flows(r->measure); i++) {
        const wzp_lab_flow *flow = wzp_lab_measure_flow(r->measure, i);
        if (flow->sent > FEW && shown++ < CHARTS_MAX) {
            wzp_lab_html_flow(out, r, flow);
        }
    }
    put(out, "<h2>Waiting on access lines</h2>\n<p class=\"lead\">The longest time that a packet "
             "spent on the line beyond the least: queue, jitter and outages.</p>\n");
    shown = 0;
    for (size_t i = 0; i < wzp_lab_measure_lines(r->measure); i++) {
        const wzp_lab_line *line = wzp_lab_measure_line(r->measure, i);
        if (line->least > 0 && shown++ < CHARTS_MAX) {
            wzp_lab_html_line(out, r, line);
        }
    }
}

/* --- what happened ---------------------------------------------------------------------------- */

static void put_entries(FILE *out, const wzp_lab_result *r) {
    put(out, "<h2>What happened</h2>\n");
    wzp_lab_html_timeline(out, r);
    put(out, "<details><summary>as a list</summary>\n<div class=\"wide\"><table><tr>"
             "<th class=\"n\">s</th><th>who</th><th>what</th><th>detail</th></tr>\n");
    for (size_t i = 0; i < r->entry_count && i < ENTRIES_SHOWN; i++) {
        const wzp_lab_entry *e = &r->entries[i];
        (void)fprintf(out, "<tr><td class=\"n\">%.3f</td><td>", (double)e->at / 1e9);
        wzp_lab_html_text(out, e->who);
        put(out, "</td><td>");
        wzp_lab_html_text(out, e->what);
        put(out, "</td><td><code>");
        wzp_lab_html_text(out, e->detail);
        put(out, "</code></td></tr>\n");
    }
    put(out, "</table></div></details>\n");
}

static void put_drops(FILE *out, const wzp_sim_counts *counts) {
    const char *separator = "";
    for (unsigned d = 0; d < WZP_SIM_DROP_COUNT; d++) {
        if (counts->dropped[d] > 0) {
            (void)fprintf(out, "%s%" PRIu64 " %s", separator, counts->dropped[d],
                          wzp_sim_drop_name((wzp_sim_drop)d));
            separator = ", ";
        }
    }
}

static void put_elements(FILE *out, const wzp_lab_result *r) {
    put(out, "<h2>Elements</h2>\n<div class=\"wide\"><table><tr><th>element</th>"
             "<th class=\"n\">packets in</th><th class=\"n\">out</th><th class=\"n\">bytes in</th>"
             "<th>dropped</th></tr>\n");
    for (size_t i = 0; i < wzp_lab_topology_count(r->topology); i++) {
        const wzp_lab_element *e = wzp_lab_topology_element(r->topology, i);
        wzp_sim_counts counts = {0};
        wzp_lab_element_count(r->topology, e, &counts);
        if (counts.in == 0 && counts.out == 0) {
            continue;
        }
        put(out, "<tr><td>");
        wzp_lab_html_text(out, e->name);
        (void)fprintf(out,
                      "</td><td class=\"n\">%" PRIu64 "</td><td class=\"n\">%" PRIu64
                      "</td><td class=\"n\">%" PRIu64 "</td><td>",
                      counts.in, counts.out, counts.bytes_in);
        put_drops(out, &counts);
        put(out, "</td></tr>\n");
    }
    put(out, "</table></div>\n");
}

static void put_scenario(FILE *out, const wzp_lab_result *r) {
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    if (memory == NULL) {
        return;
    }
    (void)wzp_lab_doc_write(&r->scenario->doc, memory);
    (void)fclose(memory);
    put(out, "<details><summary>the scenario, with this seed's draws</summary>\n<pre><code>");
    wzp_lab_html_text(out, text);
    put(out, "</code></pre></details>\n");
    free(text);
}

bool wzp_lab_report_html(FILE *out, const wzp_lab_result *result) {
    wzp_lab_html_begin(out, result->scenario->name);
    put_head(out, result);
    put_calls(out, result);
    put_checks(out, result);
    put_entries(out, result);
    put_curves(out, result);
    put_elements(out, result);
    put_scenario(out, result);
    wzp_lab_html_end(out);
    return ferror(out) == 0;
}
