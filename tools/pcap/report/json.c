/* Everything as one JSON object; docs/schema/pcap-stat.schema.json describes it. */
#include <stdio.h>

#include "tools/pcap/report/put.h"
#include "tools/pcap/report/words.h"

static void put_addr(wzp_pcap_json *j, const char *key, const wzp_addr *addr) {
    char text[WZP_ADDR_TEXT_MAX];
    if (addr->family == WZP_ADDR_NONE) {
        wzp_pcap_json_null(j, key);
    } else {
        wzp_pcap_json_str(j, key, wzp_addr_text(addr, text));
    }
}

static void put_spread(wzp_pcap_json *j, const char *key, const wzp_pcap_spread *s) {
    if (s->count == 0) {
        wzp_pcap_json_null(j, key);
        return;
    }
    wzp_pcap_json_open(j, key, '{');
    wzp_pcap_json_uint(j, "count", s->count);
    wzp_pcap_json_real(j, "min", s->min);
    wzp_pcap_json_real(j, "mean", s->mean);
    wzp_pcap_json_real(j, "max", s->max);
    wzp_pcap_json_close(j, '}');
}

static void put_histogram(wzp_pcap_json *j, const char *key, const uint32_t *bounds,
                          const uint64_t *counts, size_t n) {
    wzp_pcap_json_open(j, key, '[');
    for (size_t i = 0; i <= n; i++) {
        wzp_pcap_json_open(j, NULL, '{');
        if (i < n) {
            wzp_pcap_json_uint(j, "up_to", bounds[i]);
        } else {
            wzp_pcap_json_null(j, "up_to");
        }
        wzp_pcap_json_uint(j, "count", counts[i]);
        wzp_pcap_json_close(j, '}');
    }
    wzp_pcap_json_close(j, ']');
}

/* --- streams ---------------------------------------------------------------------------------- */

static void put_loss(wzp_pcap_json *j, const wzp_pcap_loss *l) {
    wzp_pcap_loss_figures f;
    wzp_pcap_loss_sum(l, &f);
    wzp_pcap_json_open(j, "loss", '{');
    wzp_pcap_json_uint(j, "expected", f.expected);
    wzp_pcap_json_uint(j, "unique", l->unique);
    wzp_pcap_json_uint(j, "lost", f.lost);
    wzp_pcap_json_real(j, "lost_percent", f.lost_percent);
    wzp_pcap_json_uint(j, "too_late", l->too_late);
    wzp_pcap_json_uint(j, "duplicates", l->duplicates);
    wzp_pcap_json_uint(j, "same_number_other_bytes", l->others);
    wzp_pcap_json_uint(j, "reordered", l->reordered);
    wzp_pcap_json_uint(j, "reordered_by_most", l->reorder_max);
    wzp_pcap_json_real(j, "latest_ms", (double)l->late_max_ns / 1e6);
    wzp_pcap_json_uint(j, "strays", l->strays);
    wzp_pcap_json_uint(j, "resets", l->resets);
    wzp_pcap_json_uint(j, "bursts", f.bursts);
    wzp_pcap_json_real(j, "burst_packets", f.burst_packets);
    wzp_pcap_json_real(j, "burst_density", f.burst_density);
    wzp_pcap_json_real(j, "gap_packets", f.gap_packets);
    wzp_pcap_json_real(j, "gap_density", f.gap_density);
    wzp_pcap_json_uint(j, "longest_run", f.longest_run);
    wzp_pcap_json_real(j, "gilbert_p", f.gilbert_p);
    wzp_pcap_json_real(j, "gilbert_r", f.gilbert_r);
    wzp_pcap_json_close(j, '}');
}

static void put_timing(wzp_pcap_json *j, const wzp_pcap_stream *s) {
    const wzp_pcap_timing *t = &s->timing;
    double ppm = 0;
    wzp_pcap_json_open(j, "timing", '{');
    put_spread(j, "delta_ms", &t->delta_ms);
    wzp_pcap_json_real(j, "delta_variation", wzp_pcap_spread_cov(&t->delta_ms));
    put_spread(j, "jitter_ms", &t->jitter_ms);
    put_spread(j, "jitter_upstream_ms", &t->upstream_ms);
    if (wzp_pcap_drift_ppm(&t->drift, &ppm)) {
        wzp_pcap_json_real(j, "drift_ppm", ppm);
    } else {
        wzp_pcap_json_null(j, "drift_ppm");
    }
    wzp_pcap_json_uint(j, "pauses", s->pauses);
    wzp_pcap_json_real(j, "longest_pause_ms", (double)s->pause_max_ns / 1e6);
    put_histogram(j, "delta_histogram_ms", wzp_pcap_gap_bounds_ms, t->gaps, WZP_PCAP_GAP_BOUNDS);
    wzp_pcap_json_close(j, '}');
}

static void put_codecs(wzp_pcap_json *j, const wzp_pcap_stream *s) {
    const uint64_t kept = s->switches < WZP_PCAP_SWITCHES_MAX ? s->switches : WZP_PCAP_SWITCHES_MAX;
    wzp_pcap_json_open(j, "codecs", '[');
    for (unsigned codec = 0; codec < WZP_CODEC_COUNT; codec++) {
        if ((s->codecs >> codec & 1) != 0) {
            wzp_pcap_json_str(j, NULL, wzp_pcap_word_codec((uint8_t)codec));
        }
    }
    wzp_pcap_json_close(j, ']');
    wzp_pcap_json_uint(j, "codec_switches", s->switches);
    wzp_pcap_json_open(j, "codec_switch_list", '[');
    for (uint64_t i = 0; i < kept; i++) {
        const wzp_pcap_switch *sw = &s->switch_list[i];
        wzp_pcap_json_open(j, NULL, '{');
        wzp_pcap_json_uint(j, "packet", sw->packet);
        wzp_pcap_json_str(j, "from", wzp_pcap_word_codec(sw->from));
        wzp_pcap_json_str(j, "to", wzp_pcap_word_codec(sw->to));
        wzp_pcap_json_close(j, '}');
    }
    wzp_pcap_json_close(j, ']');
}

static void put_fec(wzp_pcap_json *j, const wzp_pcap_blocks *b) {
    wzp_pcap_json_open(j, "fec", '{');
    wzp_pcap_json_uint(j, "complete", b->complete);
    wzp_pcap_json_uint(j, "recovered", b->recovered);
    wzp_pcap_json_uint(j, "lost", b->lost);
    wzp_pcap_json_uint(j, "not_judged", b->cut);
    wzp_pcap_json_uint(j, "frames", b->frames);
    wzp_pcap_json_uint(j, "frames_lost_before", b->frames_lost_before);
    wzp_pcap_json_uint(j, "frames_lost_after", b->frames_lost_after);
    wzp_pcap_json_close(j, '}');
}

static void put_video(wzp_pcap_json *j, const wzp_pcap_stream *s) {
    const wzp_pcap_frames *v = &s->frames;
    wzp_pcap_json_open(j, "video", '{');
    wzp_pcap_json_uint(j, "frames_complete", v->complete);
    wzp_pcap_json_uint(j, "frames_incomplete", v->incomplete);
    wzp_pcap_json_uint(j, "fragments_missing", v->fragments_missing);
    wzp_pcap_json_uint(j, "fragments_bad", v->fragments_bad);
    wzp_pcap_json_uint(j, "keyframes", v->keyframes);
    put_spread(j, "keyframe_interval_ms", &v->key_gap_ms);
    put_spread(j, "keyframe_bytes", &v->key_bytes);
    put_spread(j, "delta_frame_bytes", &v->delta_bytes);
    if (v->keyframes > 0) {
        wzp_pcap_json_real(j, "first_keyframe_after_ms",
                           (double)wzp_time_since(v->first_key_ns, v->first_ns) / 1e6);
    } else {
        wzp_pcap_json_null(j, "first_keyframe_after_ms");
    }
    wzp_pcap_json_uint(j, "freezes", v->freezes);
    wzp_pcap_json_real(j, "longest_freeze_ms", (double)v->freeze_max_ns / 1e6);
    wzp_pcap_json_uint(j, "plis", s->asks.plis);
    wzp_pcap_json_uint(j, "plis_answered", s->asks.plis_answered);
    put_spread(j, "pli_answer_ms", &s->asks.pli_ms);
    wzp_pcap_json_uint(j, "nacked", s->asks.nacked);
    wzp_pcap_json_uint(j, "nacks_answered", s->asks.nacks_answered);
    put_spread(j, "nack_answer_ms", &s->asks.nack_ms);
    wzp_pcap_json_close(j, '}');
}

static void put_reports(wzp_pcap_json *j, const wzp_pcap_report *r, const wzp_pcap_stream *s) {
    wzp_pcap_json_open(j, "quality_reports", '{');
    wzp_pcap_json_uint(j, "count", s->reports);
    put_spread(j, "loss_percent", &s->report_loss);
    put_spread(j, "rtt_ms", &s->report_rtt_ms);
    put_spread(j, "jitter_ms", &s->report_jitter_ms);
    wzp_pcap_json_open(j, "list", '[');
    for (size_t i = 0; i < s->report_count; i++) {
        const wzp_pcap_report_seen *q = &s->report_list[i];
        wzp_pcap_json_open(j, NULL, '{');
        wzp_pcap_json_uint(j, "packet", q->packet);
        wzp_pcap_json_real(j, "s", wzp_pcap_since(r, q->ns));
        wzp_pcap_json_real(j, "loss_percent", q->report.loss_pct / 2.55);
        wzp_pcap_json_uint(j, "rtt_ms", (uint64_t)q->report.rtt_4ms * 4);
        wzp_pcap_json_uint(j, "jitter_ms", q->report.jitter_ms);
        wzp_pcap_json_uint(j, "cap_kbps", q->report.bitrate_cap_kbps);
        wzp_pcap_json_close(j, '}');
    }
    wzp_pcap_json_close(j, ']');
    wzp_pcap_json_close(j, '}');
}

static void put_mos(wzp_pcap_json *j, const wzp_pcap_stream *s) {
    wzp_pcap_mos mos;
    if (!wzp_pcap_stream_mos(s, &mos)) {
        wzp_pcap_json_null(j, "mos_estimate");
        return;
    }
    wzp_pcap_json_open(j, "mos_estimate", '{');
    wzp_pcap_json_real(j, "mos", mos.mos);
    wzp_pcap_json_real(j, "r", mos.rating);
    wzp_pcap_json_real(j, "delay_ms", mos.delay_ms);
    wzp_pcap_json_real(j, "loss_percent", mos.loss_percent);
    wzp_pcap_json_real(j, "burst_ratio", mos.burst_ratio);
    wzp_pcap_json_close(j, '}');
}

static void put_rows(wzp_pcap_json *j, const wzp_pcap_report *r, const wzp_pcap_stream *s) {
    const double seconds = (double)s->rows.interval_ns / 1e9;
    wzp_pcap_json_real(j, "interval_s", seconds);
    wzp_pcap_json_open(j, "intervals", '[');
    for (size_t i = 0; r->intervals && i < s->rows.count; i++) {
        const wzp_pcap_row *row = &s->rows.rows[i];
        const double mos = wzp_pcap_row_mos(s, row);
        wzp_pcap_json_open(j, NULL, '{');
        wzp_pcap_json_real(j, "s", wzp_pcap_since(r, s->rows.from_ns) + (double)i * seconds);
        wzp_pcap_json_uint(j, "packets", row->packets);
        wzp_pcap_json_uint(j, "bytes", row->bytes);
        wzp_pcap_json_uint(j, "lost", row->lost);
        wzp_pcap_json_uint(j, "recovered", row->recovered);
        wzp_pcap_json_uint(j, "duplicates", row->duplicates);
        wzp_pcap_json_uint(j, "reordered", row->reordered);
        wzp_pcap_json_real(j, "jitter_mean_ms",
                           row->clocked > 0 ? row->jitter_sum_ms / row->clocked : 0);
        wzp_pcap_json_real(j, "jitter_max_ms", (double)row->jitter_max_ms);
        wzp_pcap_json_real(j, "delta_max_ms", (double)row->delta_max_ms);
        wzp_pcap_json_uint(j, "frames", row->frames);
        if (mos >= 0) {
            wzp_pcap_json_real(j, "mos_estimate", mos);
        } else {
            wzp_pcap_json_null(j, "mos_estimate");
        }
        wzp_pcap_json_close(j, '}');
    }
    wzp_pcap_json_close(j, ']');
}

static void put_identity(wzp_pcap_json *j, const wzp_pcap_report *r, const wzp_pcap_stream *s) {
    char id[8];
    wzp_pcap_json_uint(j, "stream", s->number);
    wzp_pcap_json_uint(j, "connection", s->key.conn);
    wzp_pcap_json_bool(j, "to_server", s->key.to_server);
    wzp_pcap_json_str(j, "media", wzp_pcap_word_media(s->key.media_type));
    wzp_pcap_json_uint(j, "stream_id", s->key.stream_id);
    if (s->key.has_session) {
        (void)snprintf(id, sizeof id, "%02x%02x", s->key.session_id[0], s->key.session_id[1]);
        wzp_pcap_json_str(j, "session_id", id);
    } else {
        wzp_pcap_json_null(j, "session_id");
    }
    put_addr(j, "source", &s->src);
    put_addr(j, "destination", &s->dst);
    wzp_pcap_json_str(j, "told_by", wzp_pcap_word_basis(s->basis));
    wzp_pcap_json_uint(j, "confidence_percent", wzp_pcap_stream_confidence(s));
    wzp_pcap_json_uint(j, "sender", s->sender);
    wzp_pcap_json_uint(j, "first_packet", s->first_packet);
    wzp_pcap_json_uint(j, "last_packet", s->last_packet);
    wzp_pcap_json_real(j, "start_s", wzp_pcap_since(r, s->first_ns));
    wzp_pcap_json_real(j, "end_s", wzp_pcap_since(r, s->last_ns));
    wzp_pcap_json_bool(j, "problem", wzp_pcap_has_problem(r, s->number));
}

static void put_stream(wzp_pcap_json *j, const wzp_pcap_report *r, const wzp_pcap_stream *s) {
    wzp_pcap_json_open(j, NULL, '{');
    put_identity(j, r, s);
    wzp_pcap_json_uint(j, "packets", s->packets);
    wzp_pcap_json_uint(j, "bytes", s->bytes);
    wzp_pcap_json_real(j, "kbit_per_s", wzp_pcap_stream_kbps(s));
    wzp_pcap_json_uint(j, "repair_packets", s->repairs);
    wzp_pcap_json_uint(j, "comfort_noise", s->noise);
    wzp_pcap_json_uint(j, "dtx_frames", s->dtx);
    wzp_pcap_json_real(j, "silence_s", (double)s->silence_ms / 1000);
    wzp_pcap_json_uint(j, "nonces_used_twice", s->seals.nonces_again);
    put_spread(j, "packet_bytes", &s->size);
    put_histogram(j, "size_histogram", wzp_pcap_size_bounds, s->sizes, WZP_PCAP_SIZE_BOUNDS);
    put_loss(j, &s->loss);
    put_timing(j, s);
    put_codecs(j, s);
    put_fec(j, &s->blocks);
    put_video(j, s);
    put_reports(j, r, s);
    put_mos(j, s);
    put_rows(j, r, s);
    wzp_pcap_json_close(j, '}');
}

/* --- the others ------------------------------------------------------------------------------- */

static void put_score(wzp_pcap_json *j, const char *key, float score) {
    if (score < 0) {
        wzp_pcap_json_null(j, key);
    } else {
        wzp_pcap_json_real(j, key, (double)score);
    }
}

static void put_sender(wzp_pcap_json *j, const wzp_pcap_report *r, const wzp_pcap_sender *s) {
    const wzp_pcap_gauge *g = &s->gauge;
    wzp_pcap_json_open(j, NULL, '{');
    wzp_pcap_json_uint(j, "sender", s->number);
    wzp_pcap_json_uint(j, "connection", s->conn);
    wzp_pcap_json_bool(j, "to_server", s->to_server);
    wzp_pcap_json_uint(j, "stream", s->stream);
    wzp_pcap_json_uint(j, "packets", g->packets);
    if (g->hangup.count > 0) {
        const wzp_violation_info *info = wzp_violation_find(g->why);
        const char tier[] = {info->tier, '\0'};
        wzp_pcap_json_open(j, "hangup", '{');
        wzp_pcap_json_str(j, "code", info->code);
        wzp_pcap_json_str(j, "tier", tier);
        wzp_pcap_json_uint(j, "packet", g->hangup.packet);
        wzp_pcap_json_real(j, "s", wzp_pcap_since(r, g->hangup.ns));
        wzp_pcap_json_close(j, '}');
    } else {
        wzp_pcap_json_null(j, "hangup");
    }
    wzp_pcap_json_open(j, "deployed_counts", '[');
    for (int v = WZP_VIOLATION_NONE + 1; v < WZP_VIOLATION_COUNT; v++) {
        const wzp_pcap_breach *b = &g->breaches[v];
        if (b->count > 0) {
            wzp_pcap_json_open(j, NULL, '{');
            wzp_pcap_json_str(j, "verdict", wzp_violation_find((wzp_violation)v)->verdict);
            wzp_pcap_json_uint(j, "count", b->count);
            wzp_pcap_json_uint(j, "packet", b->packet);
            wzp_pcap_json_real(j, "s", wzp_pcap_since(r, b->ns));
            wzp_pcap_json_close(j, '}');
        }
    }
    wzp_pcap_json_close(j, ']');
    put_score(j, "least_audio_score", g->audio_score);
    put_score(j, "least_video_score", g->video_score);
    wzp_pcap_json_close(j, '}');
}

static void put_session(wzp_pcap_json *j, const wzp_pcap_report *r, const wzp_pcap_session *c) {
    const char *why = wzp_pcap_unmetered(c);
    wzp_pcap_json_open(j, NULL, '{');
    wzp_pcap_json_uint(j, "connection", c->conn.number);
    wzp_pcap_json_str(j, "role", wzp_pcap_word_role(c->conn.role));
    put_addr(j, "client", &c->conn.client);
    put_addr(j, "server", &c->conn.server);
    wzp_pcap_json_str(j, "sni", c->conn.sni);
    wzp_pcap_json_str(j, "alpn", c->conn.alpn);
    wzp_pcap_json_bool(j, "readable", c->conn.readable);
    wzp_pcap_json_uint(j, "opened_packet", c->conn.opened_packet);
    wzp_pcap_json_real(j, "opened_s", wzp_pcap_since(r, c->conn.opened_ns));
    wzp_pcap_json_real(j, "last_s", wzp_pcap_since(r, c->conn.last_ns));
    wzp_pcap_json_uint(j, "media_to_server", c->media[1]);
    wzp_pcap_json_uint(j, "media_to_client", c->media[0]);
    wzp_pcap_json_uint(j, "signals_to_server", c->signals[1]);
    wzp_pcap_json_uint(j, "signals_to_client", c->signals[0]);
    wzp_pcap_json_uint(j, "path_changes", c->path_changes);
    put_spread(j, "ping_ms", &c->ping_ms);
    if (c->close_packet != 0) {
        wzp_pcap_json_open(j, "close", '{');
        wzp_pcap_json_uint(j, "packet", c->close_packet);
        wzp_pcap_json_uint(j, "code", c->close_code);
        wzp_pcap_json_bool(j, "application", c->close_application);
        wzp_pcap_json_bool(j, "stateless_reset", c->close_reset);
        wzp_pcap_json_str(j, "reason", c->close_reason);
        wzp_pcap_json_close(j, '}');
    } else {
        wzp_pcap_json_null(j, "close");
    }
    if (why != NULL) {
        wzp_pcap_json_str(j, "not_metered", why);
    } else {
        wzp_pcap_json_null(j, "not_metered");
    }
    wzp_pcap_json_close(j, '}');
}

static void put_finding(wzp_pcap_json *j, const wzp_pcap_report *r, const wzp_pcap_finding *f) {
    wzp_pcap_json_open(j, NULL, '{');
    wzp_pcap_json_str(j, "kind", wzp_pcap_finding_name(f->kind));
    wzp_pcap_json_str(j, "level", wzp_pcap_level_name(f->level));
    wzp_pcap_json_uint(j, "packet", f->packet);
    if (f->packet != 0) {
        wzp_pcap_json_real(j, "s", wzp_pcap_since(r, f->ns));
    } else {
        wzp_pcap_json_null(j, "s");
    }
    wzp_pcap_json_uint(j, "connection", f->conn);
    wzp_pcap_json_uint(j, "stream", f->stream);
    wzp_pcap_json_str(j, "text", f->text);
    wzp_pcap_json_uint(j, "more", f->more);
    wzp_pcap_json_close(j, '}');
}

void wzp_pcap_report_json(wzp_pcap_text *out, const wzp_pcap_report *r) {
    const wzp_pcap_totals *t = wzp_pcap_flow_count(r->flow);
    const wzp_pcap_findings *all = wzp_pcap_flow_findings(r->flow);
    wzp_pcap_json j = {.out = out};
    wzp_pcap_json_open(&j, NULL, '{');
    wzp_pcap_json_str(&j, "schema", "wzp-pcap-stat-1");
    wzp_pcap_json_str(&j, "file", r->file);
    wzp_pcap_json_uint(&j, "packets", r->packets);
    wzp_pcap_json_uint(&j, "start_unix_ns", t->first_ns);
    wzp_pcap_json_real(&j, "duration_s", wzp_pcap_since(r, t->last_ns));
    wzp_pcap_json_uint(&j, "media_packets", t->media);
    wzp_pcap_json_uint(&j, "media_bytes", t->media_bytes);
    wzp_pcap_json_uint(&j, "signals", t->signals);
    wzp_pcap_json_uint(&j, "bad_signals", t->bad_signals);
    wzp_pcap_json_uint(&j, "bad_datagrams", t->bad_datagrams);
    wzp_pcap_json_uint(&j, "problems", t->problems);
    wzp_pcap_json_open(&j, "connections", '[');
    for (size_t i = 0; i < wzp_pcap_flow_sessions(r->flow); i++) {
        put_session(&j, r, wzp_pcap_flow_session(r->flow, i));
    }
    wzp_pcap_json_close(&j, ']');
    wzp_pcap_json_open(&j, "streams", '[');
    for (size_t i = 0; i < wzp_pcap_flow_streams(r->flow); i++) {
        put_stream(&j, r, wzp_pcap_flow_stream(r->flow, i));
    }
    wzp_pcap_json_close(&j, ']');
    wzp_pcap_json_open(&j, "senders", '[');
    for (size_t i = 0; i < wzp_pcap_flow_senders(r->flow); i++) {
        put_sender(&j, r, wzp_pcap_flow_sender(r->flow, i));
    }
    wzp_pcap_json_close(&j, ']');
    wzp_pcap_json_open(&j, "findings", '[');
    for (size_t i = 0; i < all->count; i++) {
        put_finding(&j, r, &all->list[i]);
    }
    wzp_pcap_json_close(&j, ']');
    wzp_pcap_json_uint(&j, "findings_dropped", all->dropped);
    wzp_pcap_json_close(&j, '}');
    wzp_pcap_text_char(out, '\n');
}
