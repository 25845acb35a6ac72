/* One self-contained page: nothing is fetched, no script runs, and a policy in its head forbids
 * both. */
#include <inttypes.h>

#include "tools/pcap/report/page.h"
#include "tools/pcap/report/put.h"
#include "tools/pcap/report/words.h"

enum { ROWS_SHOWN = 600, STREAMS_SHOWN = 64 };

static void put(wzp_pcap_text *out, const char *text) {
    wzp_pcap_text_str(out, text);
}

/* --- head ------------------------------------------------------------------------------------- */

static void put_verdict(wzp_pcap_text *out, const wzp_pcap_report *r) {
    const size_t bad = wzp_pcap_report_count(r, WZP_PCAP_LEVEL_BAD);
    const size_t warnings = wzp_pcap_report_count(r, WZP_PCAP_LEVEL_WARNING);
    const size_t notes = wzp_pcap_report_count(r, WZP_PCAP_LEVEL_NOTE);
    if (bad + warnings + notes == 0) {
        put(out, "<p class=\"verdict good\">Nothing to report</p>\n");
        return;
    }
    wzp_pcap_putf(out, "<p class=\"verdict %s\">%zu bad, %zu warnings, %zu notes</p>\n",
                  bad > 0        ? "bad"
                  : warnings > 0 ? "warning"
                                 : "note",
                  bad, warnings, notes);
}

static void put_head(wzp_pcap_text *out, const wzp_pcap_report *r) {
    const wzp_pcap_totals *t = wzp_pcap_flow_count(r->flow);
    put(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
             "style-src 'unsafe-inline'\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    wzp_pcap_put_html(out, r->file);
    put(out, "</title>\n<style>\n");
    put(out, wzp_pcap_page_css);
    put(out, "</style>\n</head>\n<body>\n<main class=\"sheet\">\n<h1>");
    wzp_pcap_put_html(out, r->file);
    put(out, "</h1>\n");
    put_verdict(out, r);
    put(out, "<p class=\"soft\">");
    if (t->first_ns > WZP_S * 86400) {
        put(out, "from ");
        wzp_pcap_put_utc(out, t->first_ns);
        put(out, ", ");
    }
    wzp_pcap_putf(out,
                  "%.3f s; %zu connections, %zu streams, %" PRIu64 " media packets, %" PRIu64
                  " signals</p>\n",
                  wzp_pcap_since(r, t->last_ns), wzp_pcap_flow_sessions(r->flow),
                  wzp_pcap_flow_streams(r->flow), t->media, t->signals);
}

/* --- findings --------------------------------------------------------------------------------- */

static void put_subject(wzp_pcap_text *out, const wzp_pcap_finding *f) {
    if (f->stream != 0) {
        wzp_pcap_putf(out, "<a href=\"#stream-%" PRIu32 "\">stream %" PRIu32 "</a>", f->stream,
                      f->stream);
    } else if (f->conn != 0) {
        wzp_pcap_putf(out, "connection %" PRIu32, f->conn);
    }
}

static void put_finding(wzp_pcap_text *out, const wzp_pcap_report *r, const wzp_pcap_finding *f) {
    const char *level = wzp_pcap_level_name(f->level);
    wzp_pcap_putf(out, "<tr class=\"%s\"><td><span class=\"tag\">%s</span></td>", level, level);
    if (f->packet != 0) {
        wzp_pcap_putf(out, "<td class=\"n\">%" PRIu64 "</td><td class=\"n\">%.3f</td><td>",
                      f->packet, wzp_pcap_since(r, f->ns));
    } else {
        put(out, "<td></td><td></td><td>");
    }
    put_subject(out, f);
    put(out, "</td><td>");
    wzp_pcap_put_html(out, f->text);
    if (f->more > 0) {
        wzp_pcap_putf(out, " <span class=\"soft\">(and %" PRIu64 " more)</span>", f->more);
    }
    put(out, "</td></tr>\n");
}

static void put_findings(wzp_pcap_text *out, const wzp_pcap_report *r) {
    const wzp_pcap_findings *all = wzp_pcap_flow_findings(r->flow);
    if (all->count == 0) {
        return;
    }
    put(out, "<h2 id=\"findings\">Findings</h2>\n<div class=\"wide\"><table>");
    wzp_pcap_put_heads(out, "level|>packet|>s|of|what");
    for (int level = WZP_PCAP_LEVEL_BAD; level >= WZP_PCAP_LEVEL_NOTE; level--) {
        for (size_t i = 0; i < all->count; i++) {
            if ((int)all->list[i].level == level) {
                put_finding(out, r, &all->list[i]);
            }
        }
    }
    put(out, "</table></div>\n");
    if (all->dropped > 0) {
        wzp_pcap_putf(out, "<p class=\"soft\">%" PRIu64 " more are not shown.</p>\n", all->dropped);
    }
}

/* --- connections and senders ------------------------------------------------------------------ */

static void put_connection(wzp_pcap_text *out, const wzp_pcap_report *r,
                           const wzp_pcap_session *c) {
    char text[WZP_ADDR_TEXT_MAX];
    const char *why = wzp_pcap_unmetered(c);
    wzp_pcap_putf(out, "<tr><td class=\"n\">%" PRIu32 "</td><td>%s</td><td>", c->conn.number,
                  wzp_pcap_word_role(c->conn.role));
    wzp_pcap_put_html(out, c->conn.sni);
    wzp_pcap_putf(out, "</td><td>%s</td>", wzp_addr_text(&c->conn.client, text));
    wzp_pcap_putf(out, "<td>%s</td>", wzp_addr_text(&c->conn.server, text));
    wzp_pcap_putf(out,
                  "<td class=\"n\">%.3f</td><td class=\"n\">%.3f</td><td class=\"n\">%" PRIu64
                  "</td><td class=\"n\">%" PRIu64 "</td><td class=\"n\">",
                  wzp_pcap_since(r, c->conn.opened_ns), wzp_pcap_since(r, c->conn.last_ns),
                  c->media[1], c->media[0]);
    if (c->ping_ms.count > 0) {
        wzp_pcap_putf(out, "%.1f", c->ping_ms.mean);
    }
    put(out, "</td><td>");
    if (why != NULL) {
        put(out, why);
    }
    if (c->close_packet != 0) {
        wzp_pcap_putf(out, "%sclosed in packet %" PRIu64 ", code %" PRIu64 " ",
                      why != NULL ? "; " : "", c->close_packet, c->close_code);
        wzp_pcap_put_html(out, c->close_reason);
    }
    put(out, "</td></tr>\n");
}

static void put_connections(wzp_pcap_text *out, const wzp_pcap_report *r) {
    put(out, "<h2 id=\"connections\">Connections</h2>\n<div class=\"wide\"><table>");
    wzp_pcap_put_heads(
        out, ">#|role|SNI|client|server|>from s|>to s|>media up|>media down|>ping ms|remark");
    for (size_t i = 0; i < wzp_pcap_flow_sessions(r->flow); i++) {
        put_connection(out, r, wzp_pcap_flow_session(r->flow, i));
    }
    put(out, "</table></div>\n");
}

static void put_breaches(wzp_pcap_text *out, const wzp_pcap_gauge *g) {
    const char *separator = "";
    for (int v = WZP_VIOLATION_NONE + 1; v < WZP_VIOLATION_COUNT; v++) {
        const wzp_violation_info *info = wzp_violation_find((wzp_violation)v);
        if (g->breaches[v].count > 0) {
            wzp_pcap_putf(out, "%s%s (tier %c) %" PRIu64 ", first in packet %" PRIu64, separator,
                          info->verdict, info->tier, g->breaches[v].count, g->breaches[v].packet);
            separator = "; ";
        }
    }
}

static void put_senders(wzp_pcap_text *out, const wzp_pcap_report *r) {
    if (wzp_pcap_flow_senders(r->flow) == 0) {
        return;
    }
    put(out, "<h2 id=\"senders\">Would they be hung up on?</h2>\n<div class=\"wide\"><table>");
    wzp_pcap_put_heads(
        out, "sender|>packets|by a relay that enforces (ENF-1)|what deployed relays count");
    for (size_t i = 0; i < wzp_pcap_flow_senders(r->flow); i++) {
        const wzp_pcap_sender *s = wzp_pcap_flow_sender(r->flow, i);
        char buf[WZP_PCAP_WORD_MAX];
        wzp_pcap_putf(out, "<tr class=\"%s\"><td>%s", s->gauge.hangup.count > 0 ? "bad" : "note",
                      wzp_pcap_word_way(s->conn, s->to_server, buf));
        if (s->stream != 0) {
            wzp_pcap_putf(out, ", <a href=\"#stream-%" PRIu32 "\">stream %" PRIu32 "</a>",
                          s->stream, s->stream);
        }
        wzp_pcap_putf(out, "</td><td class=\"n\">%" PRIu64 "</td><td>%s</td><td>", s->gauge.packets,
                      wzp_pcap_word_hangup(&s->gauge, buf));
        put_breaches(out, &s->gauge);
        put(out, "</td></tr>\n");
    }
    put(out, "</table></div>\n");
}

/* --- streams ---------------------------------------------------------------------------------- */

static void put_stream_line(wzp_pcap_text *out, const wzp_pcap_report *r,
                            const wzp_pcap_stream *s) {
    const wzp_pcap_spread *j = wzp_pcap_stream_jitter(r, s);
    char buf[WZP_PCAP_WORD_MAX];
    wzp_pcap_loss_figures f;
    wzp_pcap_mos mos;
    wzp_pcap_loss_sum(&s->loss, &f);
    wzp_pcap_putf(out,
                  "<tr><td class=\"n\"><a href=\"#stream-%" PRIu32 "\">%" PRIu32
                  "</a></td><td>%s %u</td><td>%s</td>",
                  s->number, s->number, wzp_pcap_word_media(s->key.media_type), s->key.stream_id,
                  wzp_pcap_word_way(s->key.conn, s->key.to_server, buf));
    wzp_pcap_putf(out,
                  "<td>%s</td><td class=\"n\">%.3f</td><td class=\"n\">%.3f</td><td class=\"n\">"
                  "%" PRIu64 "</td><td class=\"n\">%" PRIu64 " (%.2f %%)</td>",
                  wzp_pcap_word_codecs(s, buf), wzp_pcap_since(r, s->first_ns),
                  wzp_pcap_since(r, s->last_ns), s->packets, f.lost, f.lost_percent);
    wzp_pcap_putf(out,
                  "<td class=\"n\">%.1f</td><td class=\"n\">%.2f / %.2f</td><td class=\"n\">%.1f"
                  "</td><td class=\"n\">",
                  s->timing.delta_ms.max, j->mean, j->max, wzp_pcap_stream_kbps(s));
    if (wzp_pcap_stream_mos(s, &mos)) {
        wzp_pcap_putf(out, "%.2f", mos.mos);
    }
    wzp_pcap_putf(out, "</td><td class=\"n\">%u %%</td><td>%s</td></tr>\n",
                  wzp_pcap_stream_confidence(s), wzp_pcap_has_problem(r, s->number) ? "X" : "");
}

static void put_streams(wzp_pcap_text *out, const wzp_pcap_report *r) {
    put(out, "<h2 id=\"streams\">Streams</h2>\n<div class=\"wide\"><table>");
    wzp_pcap_put_heads(out, ">#|media|of|codec|>from s|>to s|>packets|>lost|>max delta ms|>jitter "
                            "ms mean / max|>kbit/s|>MOS est.|>sure|problem");
    for (size_t i = 0; i < wzp_pcap_flow_streams(r->flow); i++) {
        put_stream_line(out, r, wzp_pcap_flow_stream(r->flow, i));
    }
    put(out, "</table></div>\n");
}

static void put_facts(wzp_pcap_text *out, const wzp_pcap_stream *s) {
    const wzp_pcap_blocks *b = &s->blocks;
    const wzp_pcap_frames *v = &s->frames;
    wzp_pcap_loss_figures f;
    double ppm = 0;
    wzp_pcap_loss_sum(&s->loss, &f);
    wzp_pcap_putf(out,
                  "<dl class=\"facts\"><dt>told apart by</dt><dd>%s, %u %% sure</dd><dt>loss</dt>"
                  "<dd>%" PRIu64 " of %" PRIu64 "; too late %" PRIu64 ", duplicates %" PRIu64
                  ", reordered %" PRIu64 ", resets %" PRIu64 "</dd>",
                  wzp_pcap_word_basis(s->basis), wzp_pcap_stream_confidence(s), f.lost, f.expected,
                  s->loss.too_late, s->loss.duplicates, s->loss.reordered, s->loss.resets);
    if (f.lost > 0) {
        wzp_pcap_putf(out,
                      "<dt>bursts</dt><dd>%" PRIu64 " of %.1f packets on average, longest run "
                      "%" PRIu64 "; Gilbert p %.4f, r %.3f</dd>",
                      f.bursts, f.burst_packets, f.longest_run, f.gilbert_p, f.gilbert_r);
    }
    if (wzp_pcap_drift_ppm(&s->timing.drift, &ppm)) {
        wzp_pcap_putf(out, "<dt>clock</dt><dd>%+.0f ppm against the capture's</dd>", ppm);
    }
    if (b->complete + b->recovered + b->lost > 0) {
        wzp_pcap_putf(out,
                      "<dt>FEC blocks</dt><dd>%" PRIu64 " complete, %" PRIu64 " recovered, %" PRIu64
                      " lost; frames lost %" PRIu64 " before and %" PRIu64 " after</dd>",
                      b->complete, b->recovered, b->lost, b->frames_lost_before,
                      b->frames_lost_after);
    }
    if (v->complete + v->incomplete > 0) {
        wzp_pcap_putf(out,
                      "<dt>frames</dt><dd>%" PRIu64 " complete, %" PRIu64 " incomplete, %" PRIu64
                      " key frames, %" PRIu64 " freezes</dd>",
                      v->complete, v->incomplete, v->keyframes, v->freezes);
    }
    if (s->asks.plis + s->asks.nacked > 0) {
        wzp_pcap_putf(out,
                      "<dt>requests</dt><dd>%" PRIu64 " PLI, %" PRIu64
                      " answered after %.0f ms; %" PRIu64 " packets again, %" PRIu64
                      " came after %.0f ms</dd>",
                      s->asks.plis, s->asks.plis_answered, s->asks.pli_ms.mean, s->asks.nacked,
                      s->asks.nacks_answered, s->asks.nack_ms.mean);
    }
    if (s->noise + s->silence_ms > 0) {
        wzp_pcap_putf(out, "<dt>silence</dt><dd>%.1f s, %" PRIu64 " of comfort noise</dd>",
                      (double)s->silence_ms / 1000, s->noise);
    }
    put(out, "</dl>\n");
}

static void put_reports(wzp_pcap_text *out, const wzp_pcap_report *r, const wzp_pcap_stream *s) {
    if (s->report_count == 0) {
        return;
    }
    wzp_pcap_putf(out,
                  "<details><summary>%" PRIu64
                  " quality reports: loss %.1f %% on average, round trip %.0f ms</summary>\n<div "
                  "class=\"wide\"><table>",
                  s->reports, s->report_loss.mean, s->report_rtt_ms.mean);
    wzp_pcap_put_heads(out, ">packet|>s|>loss %|>round trip ms|>jitter ms|>cap kbit/s");
    for (size_t i = 0; i < s->report_count; i++) {
        const wzp_pcap_report_seen *q = &s->report_list[i];
        wzp_pcap_putf(out,
                      "<tr><td class=\"n\">%" PRIu64
                      "</td><td class=\"n\">%.3f</td><td class=\"n\">"
                      "%.1f</td><td class=\"n\">%u</td><td class=\"n\">%u</td><td class=\"n\">%u"
                      "</td></tr>\n",
                      q->packet, wzp_pcap_since(r, q->ns), q->report.loss_pct / 2.55,
                      q->report.rtt_4ms * 4U, q->report.jitter_ms, q->report.bitrate_cap_kbps);
    }
    put(out, "</table></div></details>\n");
}

static void put_intervals(wzp_pcap_text *out, const wzp_pcap_report *r, const wzp_pcap_stream *s) {
    const double seconds = (double)s->rows.interval_ns / 1e9;
    wzp_pcap_putf(out, "<details><summary>intervals of %g s</summary>\n<div class=\"wide\"><table>",
                  seconds);
    wzp_pcap_put_heads(
        out,
        ">s|>packets|>kbit/s|>lost|>recovered|>reordered|>jitter ms|>max delta ms|codec|>MOS est.");
    for (size_t i = 0; i < s->rows.count && i < ROWS_SHOWN; i++) {
        const wzp_pcap_row *row = &s->rows.rows[i];
        const double mos = wzp_pcap_row_mos(s, row);
        wzp_pcap_putf(out,
                      "<tr><td class=\"n\">%.1f</td><td class=\"n\">%" PRIu32
                      "</td><td class=\"n\">%.1f</td><td class=\"n\">%" PRIu32
                      "</td><td class=\"n\">%" PRIu32 "</td><td class=\"n\">%" PRIu32
                      "</td><td class=\"n\">%.2f</td><td class=\"n\">%.1f</td><td>%s</td>"
                      "<td class=\"n\">",
                      wzp_pcap_since(r, s->rows.from_ns) + (double)i * seconds, row->packets,
                      (double)row->bytes * 8 / seconds / 1000, row->lost, row->recovered,
                      row->reordered, row->clocked > 0 ? row->jitter_sum_ms / row->clocked : 0,
                      (double)row->delta_max_ms,
                      row->has_codec ? wzp_pcap_word_codec(row->codec) : "");
        if (mos >= 0) {
            wzp_pcap_putf(out, "%.2f", mos);
        }
        put(out, "</td></tr>\n");
    }
    put(out, "</table></div></details>\n");
}

static void put_stream(wzp_pcap_text *out, const wzp_pcap_report *r, const wzp_pcap_stream *s) {
    char buf[WZP_PCAP_WORD_MAX];
    wzp_pcap_putf(out, "<h3 id=\"stream-%" PRIu32 "\">Stream %" PRIu32 " <span>%s %u, %s",
                  s->number, s->number, wzp_pcap_word_media(s->key.media_type), s->key.stream_id,
                  wzp_pcap_word_way(s->key.conn, s->key.to_server, buf));
    wzp_pcap_putf(out, ", %s</span></h3>\n", wzp_pcap_word_codecs(s, buf));
    put_facts(out, s);
    wzp_pcap_page_charts(out, r, s);
    put_reports(out, r, s);
    put_intervals(out, r, s);
}

void wzp_pcap_report_html(wzp_pcap_text *out, const wzp_pcap_report *r) {
    const size_t streams = wzp_pcap_flow_streams(r->flow);
    put_head(out, r);
    put_findings(out, r);
    put_connections(out, r);
    put_senders(out, r);
    if (streams > 0) {
        put_streams(out, r);
    }
    wzp_pcap_page_ladder(out, r);
    if (streams > 0) {
        put(out, "<h2 id=\"each\">Each stream</h2>\n");
    }
    for (size_t i = 0; i < streams && i < STREAMS_SHOWN; i++) {
        put_stream(out, r, wzp_pcap_flow_stream(r->flow, i));
    }
    if (streams > STREAMS_SHOWN) {
        wzp_pcap_putf(out, "<p class=\"soft\">The other %zu are in the table only.</p>\n",
                      streams - STREAMS_SHOWN);
    }
    put(out, "</main>\n</body>\n</html>\n");
}
