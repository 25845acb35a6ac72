/* Tables for a terminal, and CSV. */
#include <inttypes.h>

#include "tools/pcap/report/put.h"
#include "tools/pcap/report/words.h"

/* --- streams ---------------------------------------------------------------------------------- */

static void put_end_of(wzp_pcap_text *out, const wzp_addr *addr) {
    char text[WZP_ADDR_TEXT_MAX];
    wzp_pcap_putf(out, " %21s", wzp_addr_text(addr, text));
}

static void put_stream(wzp_pcap_text *out, const wzp_pcap_report *r, const wzp_pcap_stream *s) {
    const wzp_pcap_spread *delta = &s->timing.delta_ms;
    const wzp_pcap_spread *jitter = wzp_pcap_stream_jitter(r, s);
    char codecs[WZP_PCAP_WORD_MAX];
    wzp_pcap_loss_figures f;
    wzp_pcap_loss_sum(&s->loss, &f);
    wzp_pcap_putf(out, "%11.6f %11.6f", wzp_pcap_since(r, s->first_ns),
                  wzp_pcap_since(r, s->last_ns));
    put_end_of(out, &s->src);
    put_end_of(out, &s->dst);
    wzp_pcap_putf(out,
                  " %6" PRIu32 " %4" PRIu32 " %6s %2u %-14.14s %7" PRIu64 " %6" PRIu64
                  " (%4.1f%%) %8.3f %8.3f %9.3f %8.3f %8.3f %8.3f %4u%% %s\n",
                  s->number, s->key.conn, wzp_pcap_word_media(s->key.media_type), s->key.stream_id,
                  wzp_pcap_word_codecs(s, codecs), s->packets, f.lost, f.lost_percent, delta->min,
                  delta->mean, delta->max, jitter->min, jitter->mean, jitter->max,
                  wzp_pcap_stream_confidence(s), wzp_pcap_has_problem(r, s->number) ? "X" : "");
}

void wzp_pcap_report_streams(wzp_pcap_text *out, const wzp_pcap_report *r) {
    wzp_pcap_putf(out,
                  "%11s %11s %21s %21s %6s %4s %6s %2s %-14s %7s %14s %8s %8s %9s %8s %8s %8s "
                  "%5s %s\n",
                  "Start time", "End time", "Source", "Destination", "Stream", "Conn", "Media",
                  "Id", "Payload", "Pkts", "Lost", "Min d", "Mean d", "Max d", "Min j", "Mean j",
                  "Max j", "Sure", "Problems?");
    for (size_t i = 0; i < wzp_pcap_flow_streams(r->flow); i++) {
        put_stream(out, r, wzp_pcap_flow_stream(r->flow, i));
    }
}

static void csv_line(wzp_pcap_text *out, const wzp_pcap_report *r, const wzp_pcap_stream *s) {
    const wzp_pcap_spread *delta = &s->timing.delta_ms;
    const wzp_pcap_spread *jitter = wzp_pcap_stream_jitter(r, s);
    char src[WZP_ADDR_TEXT_MAX];
    char dst[WZP_ADDR_TEXT_MAX];
    char codecs[WZP_PCAP_WORD_MAX];
    wzp_pcap_loss_figures f;
    wzp_pcap_mos mos = {0};
    wzp_pcap_loss_sum(&s->loss, &f);
    wzp_pcap_putf(out, "%" PRIu32 ",%" PRIu32 ",%d,%s,%s,%s,%u,", s->number, s->key.conn,
                  s->key.to_server ? 1 : 0, wzp_addr_text(&s->src, src),
                  wzp_addr_text(&s->dst, dst), wzp_pcap_word_media(s->key.media_type),
                  s->key.stream_id);
    wzp_pcap_text_csv(out, wzp_bytes_str(wzp_pcap_word_codecs(s, codecs)));
    wzp_pcap_putf(out, ",%.6f,%.6f,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.3f",
                  wzp_pcap_since(r, s->first_ns), wzp_pcap_since(r, s->last_ns), s->packets,
                  s->bytes, f.expected, f.lost, f.lost_percent);
    wzp_pcap_putf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, s->loss.too_late,
                  s->loss.duplicates, s->loss.reordered, s->loss.resets);
    wzp_pcap_putf(out, ",%.3f,%.3f,%.3f,%.3f,%.3f,%.3f,%.1f,", delta->min, delta->mean, delta->max,
                  jitter->min, jitter->mean, jitter->max, wzp_pcap_stream_kbps(s));
    if (wzp_pcap_stream_mos(s, &mos)) {
        wzp_pcap_putf(out, "%.2f", mos.mos);
    }
    wzp_pcap_putf(out, ",%s,%u\r\n", wzp_pcap_word_basis(s->basis), wzp_pcap_stream_confidence(s));
}

void wzp_pcap_report_streams_csv(wzp_pcap_text *out, const wzp_pcap_report *r) {
    wzp_pcap_text_str(out, "stream,connection,to_server,source,destination,media,stream_id,codecs,"
                           "start_s,end_s,packets,bytes,expected,lost,lost_percent,too_late,"
                           "duplicates,reordered,resets,delta_min_ms,delta_mean_ms,delta_max_ms,"
                           "jitter_min_ms,jitter_mean_ms,jitter_max_ms,kbit_per_s,mos_estimate,"
                           "told_by,confidence_percent\r\n");
    for (size_t i = 0; i < wzp_pcap_flow_streams(r->flow); i++) {
        csv_line(out, r, wzp_pcap_flow_stream(r->flow, i));
    }
}

static void csv_rows(wzp_pcap_text *out, const wzp_pcap_report *r, const wzp_pcap_stream *s) {
    for (size_t i = 0; i < s->rows.count; i++) {
        const wzp_pcap_row *row = &s->rows.rows[i];
        const double seconds = (double)s->rows.interval_ns / 1e9;
        const double mos = wzp_pcap_row_mos(s, row);
        wzp_pcap_putf(out,
                      "%" PRIu32 ",%.3f,%.3f,%" PRIu32 ",%" PRIu64 ",%.1f,%" PRIu32 ",%" PRIu32
                      ",%" PRIu32 ",%" PRIu32,
                      s->number, wzp_pcap_since(r, s->rows.from_ns) + (double)i * seconds, seconds,
                      row->packets, row->bytes, (double)row->bytes * 8 / seconds / 1000, row->lost,
                      row->recovered, row->duplicates, row->reordered);
        wzp_pcap_putf(out, ",%.3f,%.3f,%.3f,%s,%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%.1f,%u,%u,",
                      row->clocked > 0 ? row->jitter_sum_ms / row->clocked : 0,
                      (double)row->jitter_max_ms, (double)row->delta_max_ms,
                      row->has_codec ? wzp_pcap_word_codec(row->codec) : "", row->frames,
                      row->keyframes, row->reports, row->report_loss / 2.55, row->report_rtt_ms,
                      row->report_jitter_ms);
        if (mos >= 0) {
            wzp_pcap_putf(out, "%.2f", mos);
        }
        wzp_pcap_text_str(out, "\r\n");
    }
}

void wzp_pcap_report_intervals_csv(wzp_pcap_text *out, const wzp_pcap_report *r) {
    wzp_pcap_text_str(out, "stream,start_s,interval_s,packets,bytes,kbit_per_s,lost,recovered,"
                           "duplicates,reordered,jitter_mean_ms,jitter_max_ms,delta_max_ms,codec,"
                           "frames,keyframes,reports,reported_loss_percent,reported_rtt_ms,"
                           "reported_jitter_ms,mos_estimate\r\n");
    for (size_t i = 0; i < wzp_pcap_flow_streams(r->flow); i++) {
        csv_rows(out, r, wzp_pcap_flow_stream(r->flow, i));
    }
}

/* --- everything ------------------------------------------------------------------------------- */

static void put_timing(wzp_pcap_text *out, const wzp_pcap_stream *s) {
    const wzp_pcap_timing *t = &s->timing;
    double ppm = 0;
    wzp_pcap_putf(out,
                  "  delta ms    %.3f min, %.3f mean, %.3f max, variation %.2f; pauses %" PRIu64
                  ", longest %.3f s\n",
                  t->delta_ms.min, t->delta_ms.mean, t->delta_ms.max,
                  wzp_pcap_spread_cov(&t->delta_ms), s->pauses, (double)s->pause_max_ns / 1e9);
    wzp_pcap_putf(out,
                  "  jitter ms   %.3f min, %.3f mean, %.3f max (RFC 3550); %.3f mean, %.3f max "
                  "(upstream)\n",
                  t->jitter_ms.min, t->jitter_ms.mean, t->jitter_ms.max, t->upstream_ms.mean,
                  t->upstream_ms.max);
    if (wzp_pcap_drift_ppm(&t->drift, &ppm)) {
        wzp_pcap_putf(out, "  drift       %+.0f ppm against the capture's clock\n", ppm);
    }
}

static void put_loss(wzp_pcap_text *out, const wzp_pcap_stream *s) {
    wzp_pcap_loss_figures f;
    wzp_pcap_loss_sum(&s->loss, &f);
    wzp_pcap_putf(out,
                  "  loss        %" PRIu64 " of %" PRIu64 " (%.2f %%), too late %" PRIu64
                  ", duplicates %" PRIu64 ", reordered %" PRIu64 " (by up to %" PRIu64
                  "), strays %" PRIu64 ", resets %" PRIu64 "\n",
                  f.lost, f.expected, f.lost_percent, s->loss.too_late, s->loss.duplicates,
                  s->loss.reordered, s->loss.reorder_max, s->loss.strays, s->loss.resets);
    if (f.lost > 0) {
        wzp_pcap_putf(out,
                      "  bursts      %" PRIu64 " of %.1f packets, density %.2f; gaps of %.0f, "
                      "density %.4f; longest run %" PRIu64 "; Gilbert p %.4f r %.3f\n",
                      f.bursts, f.burst_packets, f.burst_density, f.gap_packets, f.gap_density,
                      f.longest_run, f.gilbert_p, f.gilbert_r);
    }
}

static void put_media(wzp_pcap_text *out, const wzp_pcap_stream *s) {
    const wzp_pcap_blocks *b = &s->blocks;
    const wzp_pcap_frames *v = &s->frames;
    wzp_pcap_mos mos;
    if (b->complete + b->recovered + b->lost > 0) {
        wzp_pcap_putf(out,
                      "  FEC blocks  %" PRIu64 " complete, %" PRIu64 " recovered, %" PRIu64
                      " lost; frames lost %" PRIu64 " before, %" PRIu64 " after, of %" PRIu64 "\n",
                      b->complete, b->recovered, b->lost, b->frames_lost_before,
                      b->frames_lost_after, b->frames);
    }
    if (v->complete + v->incomplete > 0) {
        wzp_pcap_putf(out,
                      "  frames      %" PRIu64 " complete, %" PRIu64 " incomplete, %" PRIu64
                      " key frames each %.1f s, key to delta size %.1f, freezes %" PRIu64
                      " (longest %.2f s)\n",
                      v->complete, v->incomplete, v->keyframes, v->key_gap_ms.mean / 1000,
                      v->delta_bytes.mean > 0 ? v->key_bytes.mean / v->delta_bytes.mean : 0,
                      v->freezes, (double)v->freeze_max_ns / 1e9);
    }
    if (s->asks.plis + s->asks.nacked > 0) {
        wzp_pcap_putf(out,
                      "  requests    %" PRIu64 " PLI, %" PRIu64 " answered after %.0f ms; %" PRIu64
                      " packets asked for again, %" PRIu64 " came after %.0f ms\n",
                      s->asks.plis, s->asks.plis_answered, s->asks.pli_ms.mean, s->asks.nacked,
                      s->asks.nacks_answered, s->asks.nack_ms.mean);
    }
    if (s->noise + s->dtx + s->silence_ms > 0) {
        wzp_pcap_putf(out,
                      "  silence     %.1f s, comfort noise %" PRIu64 ", DTX frames %" PRIu64 "\n",
                      (double)s->silence_ms / 1000, s->noise, s->dtx);
    }
    if (s->reports > 0) {
        wzp_pcap_putf(out,
                      "  reports     %" PRIu64
                      ": loss %.1f %% (up to %.1f), round trip %.0f ms (up "
                      "to %.0f), jitter %.0f ms\n",
                      s->reports, s->report_loss.mean, s->report_loss.max, s->report_rtt_ms.mean,
                      s->report_rtt_ms.max, s->report_jitter_ms.mean);
    }
    if (wzp_pcap_stream_mos(s, &mos)) {
        wzp_pcap_putf(out, "  MOS         %.2f, an estimate (R %.0f, %.1f %% loss, %.0f ms)\n",
                      mos.mos, mos.rating, mos.loss_percent, mos.delay_ms);
    }
}

static void put_stat(wzp_pcap_text *out, const wzp_pcap_report *r, const wzp_pcap_stream *s) {
    char way[WZP_PCAP_WORD_MAX];
    char codecs[WZP_PCAP_WORD_MAX];
    wzp_pcap_putf(out, "stream %" PRIu32 ": %s %u, %s, %s; told by %s, %u %% sure\n", s->number,
                  wzp_pcap_word_media(s->key.media_type), s->key.stream_id,
                  wzp_pcap_word_codecs(s, codecs),
                  wzp_pcap_word_way(s->key.conn, s->key.to_server, way),
                  wzp_pcap_word_basis(s->basis), wzp_pcap_stream_confidence(s));
    wzp_pcap_putf(
        out,
        "  packets     %" PRIu64 " (%" PRIu64 " to %" PRIu64 "), %" PRIu64
        " bytes, %.3f s to %.3f s, %.1f kbit/s; repair %" PRIu64 ", codec changes %" PRIu64 "\n",
        s->packets, s->first_packet, s->last_packet, s->bytes, wzp_pcap_since(r, s->first_ns),
        wzp_pcap_since(r, s->last_ns), wzp_pcap_stream_kbps(s), s->repairs, s->switches);
    put_loss(out, s);
    put_timing(out, s);
    put_media(out, s);
    if (s->seals.opened + s->seals.failed + s->seals.nonces_again > 0) {
        wzp_pcap_putf(out,
                      "  encryption  %" PRIu64 " opened, %" PRIu64
                      " not, nonces used twice %" PRIu64 "\n",
                      s->seals.opened, s->seals.failed, s->seals.nonces_again);
    }
}

static void put_unmetered(wzp_pcap_text *out, const wzp_pcap_report *r) {
    size_t count = 0;
    for (size_t i = 0; i < wzp_pcap_flow_streams(r->flow); i++) {
        count += wzp_pcap_flow_stream(r->flow, i)->sender == 0 ? 1 : 0;
    }
    if (count > 0) {
        wzp_pcap_putf(out,
                      "%zu streams have no meters: the file has no times, or more senders than "
                      "are judged\n",
                      count);
    }
    for (size_t i = 0; i < wzp_pcap_flow_sessions(r->flow); i++) {
        const wzp_pcap_session *c = wzp_pcap_flow_session(r->flow, i);
        const char *why = wzp_pcap_unmetered(c);
        if (why != NULL && c->conn.number != 0) {
            wzp_pcap_putf(out, "connection %" PRIu32 " (%s, \"", c->conn.number,
                          wzp_pcap_word_role(c->conn.role));
            wzp_pcap_put_plain(out, c->conn.sni);
            wzp_pcap_putf(out, "\") has no meters: %s\n", why);
        }
    }
}

static void put_senders(wzp_pcap_text *out, const wzp_pcap_report *r) {
    char way[WZP_PCAP_WORD_MAX];
    char hangup[WZP_PCAP_WORD_MAX];
    for (size_t i = 0; i < wzp_pcap_flow_senders(r->flow); i++) {
        const wzp_pcap_sender *s = wzp_pcap_flow_sender(r->flow, i);
        wzp_pcap_putf(out, "sender %" PRIu32 ": %s", s->number,
                      wzp_pcap_word_way(s->conn, s->to_server, way));
        if (s->stream != 0) {
            wzp_pcap_putf(out, ", stream %" PRIu32, s->stream);
        }
        wzp_pcap_putf(out, "\n  would be hung up on (ENF-1): %s\n",
                      wzp_pcap_word_hangup(&s->gauge, hangup));
        for (int v = WZP_VIOLATION_NONE + 1; v < WZP_VIOLATION_COUNT; v++) {
            const wzp_pcap_breach *b = &s->gauge.breaches[v];
            const wzp_violation_info *info = wzp_violation_find((wzp_violation)v);
            if (b->count > 0) {
                wzp_pcap_putf(out,
                              "  deployed relays count %s (tier %c): %" PRIu64
                              ", first at packet %" PRIu64 ", %.3f s\n",
                              info->verdict, info->tier, b->count, b->packet,
                              wzp_pcap_since(r, b->ns));
            }
        }
    }
    put_unmetered(out, r);
}

static void put_findings(wzp_pcap_text *out, const wzp_pcap_report *r) {
    const wzp_pcap_findings *all = wzp_pcap_flow_findings(r->flow);
    wzp_pcap_putf(out, "%zu findings%s\n", all->count, all->count > 0 ? ":" : "");
    for (size_t i = 0; i < all->count; i++) {
        const wzp_pcap_finding *f = &all->list[i];
        wzp_pcap_putf(out, "  %-7s ", wzp_pcap_level_name(f->level));
        if (f->packet != 0) {
            wzp_pcap_putf(out, "packet %" PRIu64 ", %.3f s, ", f->packet, wzp_pcap_since(r, f->ns));
        }
        if (f->stream + f->conn != 0) {
            wzp_pcap_putf(out, "%s %" PRIu32 ": ", f->stream != 0 ? "stream" : "connection",
                          f->stream != 0 ? f->stream : f->conn);
        }
        wzp_pcap_put_plain(out, f->text);
        if (f->more > 0) {
            wzp_pcap_putf(out, " (and %" PRIu64 " more)", f->more);
        }
        wzp_pcap_text_char(out, '\n');
    }
}

void wzp_pcap_report_stat(wzp_pcap_text *out, const wzp_pcap_report *r) {
    const wzp_pcap_totals *t = wzp_pcap_flow_count(r->flow);
    wzp_pcap_put_plain(out, r->file);
    wzp_pcap_putf(out, ": %.3f s", wzp_pcap_since(r, t->last_ns));
    if (t->first_ns > WZP_S * 86400) {
        wzp_pcap_text_str(out, " from ");
        wzp_pcap_put_utc(out, t->first_ns);
    }
    wzp_pcap_putf(
        out, "; %zu connections, %zu streams, %" PRIu64 " media packets, %" PRIu64 " signals\n\n",
        wzp_pcap_flow_sessions(r->flow), wzp_pcap_flow_streams(r->flow), t->media, t->signals);
    for (size_t i = 0; i < wzp_pcap_flow_streams(r->flow); i++) {
        put_stat(out, r, wzp_pcap_flow_stream(r->flow, i));
        wzp_pcap_text_char(out, '\n');
    }
    put_senders(out, r);
    wzp_pcap_text_char(out, '\n');
    put_findings(out, r);
}
