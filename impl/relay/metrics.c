/* Prometheus text exposition (relay sheet 11.1): the deployed names, and ours. */
#include <stdio.h>

#include "relay/expose.h"

/* --- observations ----------------------------------------------------------------------------- */

static const double bytes_bounds[] = {16,   32,   64,   128,   256,   512,  1024,
                                      2048, 4096, 8192, 16384, 32768, 65536};
static const double gap_bounds[] = {1, 5, 10, 20, 30, 40, 60, 80, 100, 150, 200, 300, 500};
static const double handshake_bounds[] = {.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5};

static const double score_bounds[] = {.1, .2, .3, .4, .5, .6, .7, .8, .9};

static void count_into(histogram *h, const double *bounds, size_t count, double value) {
    size_t i = 0;
    while (i < count && value > bounds[i]) {
        i++;
    }
    h->buckets[i]++;
    h->count++;
    h->sum += value;
}

void wzp_relay_observe_bytes(wzp_relay *r, uint8_t media_type, size_t wire_len) {
    count_into(&r->metrics.bytes[media_type], bytes_bounds, WZP_COUNT_OF(bytes_bounds),
               (double)wire_len);
}

/* In whole milliseconds, as deployed. */
void wzp_relay_observe_gap(wzp_relay *r, uint8_t media_type, uint64_t gap) {
    const uint64_t gap_ms = gap / WZP_MS;
    count_into(&r->metrics.iat[media_type], gap_bounds, WZP_COUNT_OF(gap_bounds), (double)gap_ms);
}

void wzp_relay_observe_score(wzp_relay *r, uint8_t media_type, double score) {
    count_into(&r->metrics.scores[media_type], score_bounds, WZP_COUNT_OF(score_bounds), score);
}

void wzp_relay_observe_handshake(wzp_relay *r, uint64_t duration) {
    count_into(&r->metrics.handshake, handshake_bounds, WZP_COUNT_OF(handshake_bounds),
               (double)duration / (double)WZP_S);
}

/* --- text ------------------------------------------------------------------------------------- */

static void write_histogram(wzp_wr *wr, const char *name, const char *label, const histogram *h,
                            const double *bounds, size_t count) {
    uint64_t sum = 0;
    const char *comma = *label != '\0' ? "," : "";
    for (size_t i = 0; i < count; i++) {
        sum += h->buckets[i];
        wzp_expose_line(wr, "%s_bucket{%s%sle=\"%g\"} %llu", name, label, comma, bounds[i],
                        (unsigned long long)sum);
    }
    wzp_expose_line(wr, "%s_bucket{%s%sle=\"+Inf\"} %llu", name, label, comma,
                    (unsigned long long)h->count);
    if (*label != '\0') {
        wzp_expose_line(wr, "%s_sum{%s} %.17g", name, label, h->sum);
        wzp_expose_line(wr, "%s_count{%s} %llu", name, label, (unsigned long long)h->count);
    } else {
        wzp_expose_line(wr, "%s_sum %.17g", name, h->sum);
        wzp_expose_line(wr, "%s_count %llu", name, (unsigned long long)h->count);
    }
}

static void write_violations(wzp_wr *wr, const relay_metrics *m) {
    wzp_expose_family(wr, "wzp_relay_conformance_violations_total", "counter",
                      "packets flagged by the deployed meters");
    for (unsigned v = 1; v < WZP_VIOLATION_COUNT; v++) {
        const wzp_violation_info *info = wzp_violation_find((wzp_violation)v);
        for (unsigned codec = 0; codec < WZP_CODEC_COUNT; codec++) {
            for (unsigned type = 0; type < WZP_MEDIA_TYPE_COUNT; type++) {
                if (m->violations[v][codec][type] != 0) {
                    wzp_expose_line(
                        wr,
                        "wzp_relay_conformance_violations_total{codec_id=\"%s\",media_type="
                        "\"%s\",tier=\"%c\",verdict=\"%s\"} %llu",
                        wzp_codec_find((uint8_t)codec)->name, wzp_media_type_name((uint8_t)type),
                        info->tier, info->verdict,
                        (unsigned long long)m->violations[v][codec][type]);
                }
            }
        }
    }
    wzp_expose_family(wr, "wzp_relay_policy_hangups_total", "counter",
                      "typed hangups sent by ENF-1");
    for (unsigned v = 1; v < WZP_VIOLATION_COUNT; v++) {
        if (m->policy_hangups[v] != 0) {
            wzp_expose_line(wr, "wzp_relay_policy_hangups_total{code=\"%s\"} %llu",
                            wzp_violation_find((wzp_violation)v)->code,
                            (unsigned long long)m->policy_hangups[v]);
        }
    }
    wzp_expose_single(wr, "wzp_relay_video_dropped_total", "counter",
                      "video packets that --enforce observe drops by their score, as deployed",
                      m->video_dropped);
    wzp_expose_family(wr, "wzp_relay_packets_malformed_total", "counter",
                      "datagrams that are no v2 packet");
    for (unsigned e = 1; e < WZP_ERR_COUNT; e++) {
        if (m->malformed[e] != 0) {
            wzp_expose_line(wr, "wzp_relay_packets_malformed_total{error=\"%s\"} %llu",
                            wzp_err_name((wzp_err)e), (unsigned long long)m->malformed[e]);
        }
    }
}

static void write_by_type(wzp_wr *wr, const char *name, const char *help, const histogram *all,
                          const double *bounds, size_t count) {
    wzp_expose_family(wr, name, "histogram", help);
    for (unsigned type = 0; type < WZP_MEDIA_TYPE_COUNT; type++) {
        char label[48];
        (void)snprintf(label, sizeof label, "media_type=\"%s\"",
                       wzp_media_type_name((uint8_t)type));
        if (all[type].count != 0) {
            write_histogram(wr, name, label, &all[type], bounds, count);
        }
    }
}

static void write_histograms(wzp_wr *wr, const relay_metrics *m) {
    wzp_expose_family(wr, "wzp_relay_handshake_duration_seconds", "histogram",
                      "from waiting for a CallOffer to its answer");
    write_histogram(wr, "wzp_relay_handshake_duration_seconds", "", &m->handshake, handshake_bounds,
                    WZP_COUNT_OF(handshake_bounds));
    write_by_type(wr, "wzp_relay_conformance_bytes_per_session",
                  "header and payload bytes of each packet", m->bytes, bytes_bounds,
                  WZP_COUNT_OF(bytes_bounds));
    write_by_type(wr, "wzp_relay_conformance_iat_ms",
                  "whole milliseconds since the sender's previous packet", m->iat, gap_bounds,
                  WZP_COUNT_OF(gap_bounds));
    write_by_type(wr, "wzp_relay_conformance_legitimacy",
                  "scores of tier F as ENF-1 takes them, once a second and sender", m->scores,
                  score_bounds, WZP_COUNT_OF(score_bounds));
}

/* 16 bytes as the deployed relay makes them: the session's number, little-endian, then zeros. */
static void session_label(char out[33], uint64_t number) {
    for (size_t i = 0; i < 8; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", (unsigned)(number >> (8 * i) & 0xff));
    }
    (void)snprintf(out + 16, 17, "%016d", 0);
}

static void write_sessions(wzp_wr *wr, const wzp_relay *r) {
    static const struct {
        const char *name, *type, *help;
        bool is_recovery;
    } families[] = {
        {"loss_pct", "gauge", "from the session's last quality report", false},
        {"rtt_ms", "gauge", "from the session's last quality report", false},
        {"dred_reconstructions_total", "counter", "told by the session's receiver", true},
        {"classical_plc_total", "counter", "told by the session's receiver", true},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(families); i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "wzp_relay_session_%s", families[i].name);
        wzp_expose_family(wr, name, families[i].type, families[i].help);
        for (const session *s = r->sessions; s != NULL; s = s->next) {
            const double values[] = {(double)((float)s->last_report.loss_pct / 255.0F * 100.0F),
                                     s->last_report.rtt_4ms * 4.0, (double)s->dred, (double)s->plc};
            char label[33];
            if (s->room != NULL && (families[i].is_recovery ? s->has_recovery : s->has_report)) {
                session_label(label, s->number);
                wzp_expose_line(wr, "%s{session_id=\"%s\"} %.17g", name, label, values[i]);
            }
        }
    }
}

/* Deployed relays register these, and dashboards name them; here nothing is behind them: this relay
 * has no jitter buffer. */
static void write_unserved(wzp_wr *wr) {
    static const struct {
        const char *name, *type;
        bool has_labels; /* a family with labels and without children has no samples */
    } families[] = {
        {"wzp_relay_session_jitter_buffer_depth", "gauge", true},
        {"wzp_relay_session_underruns_total", "counter", true},
        {"wzp_relay_session_overruns_total", "counter", true},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(families); i++) {
        wzp_expose_family(wr, families[i].name, families[i].type, "not served by this relay");
        if (!families[i].has_labels) {
            wzp_expose_line(wr, "%s 0", families[i].name);
        }
    }
}

static void write_trunks(wzp_wr *wr, const relay_metrics *m) {
    static const char *const causes[TRUNK_CAUSE_COUNT] = {"full", "timer", "end"};
    wzp_expose_family(wr, "wzp_relay_trunk_frames_total", "counter",
                      "trunk frames by what made them leave");
    for (unsigned i = 0; i < TRUNK_CAUSE_COUNT; i++) {
        if (m->trunk_frames[i] != 0) {
            wzp_expose_line(wr, "wzp_relay_trunk_frames_total{cause=\"%s\"} %llu", causes[i],
                            (unsigned long long)m->trunk_frames[i]);
        }
    }
    wzp_expose_single(wr, "wzp_relay_trunk_packets_total", "counter", "packets in trunk frames",
                      m->trunk_packets);
}

static void write_bridge(wzp_wr *wr, const wzp_relay *r) {
    static const char *const drops[BRIDGE_DROP_COUNT] = {"queue", "rate", "size", "datagram"};
    const relay_metrics *m = &r->metrics;
    wzp_expose_single(wr, "wzp_relay_ws_connections", "gauge", "WebSockets", r->bridge_count);
    wzp_expose_single(wr, "wzp_relay_ws_frames_in_total", "counter", "frames that WebSockets sent",
                      m->bridge_frames_in);
    wzp_expose_single(wr, "wzp_relay_ws_frames_out_total", "counter", "frames that WebSockets took",
                      m->bridge_frames_out);
    wzp_expose_single(wr, "wzp_relay_ws_hangups_total", "counter",
                      "WebSockets that were told a Hangup and closed", m->bridge_rejected);
    wzp_expose_family(wr, "wzp_relay_ws_frames_dropped_total", "counter",
                      "frames of WebSockets, or for them, that went nowhere");
    for (unsigned i = 0; i < BRIDGE_DROP_COUNT; i++) {
        wzp_expose_line(wr, "wzp_relay_ws_frames_dropped_total{why=\"%s\"} %llu", drops[i],
                        (unsigned long long)m->bridge_drops[i]);
    }
}

static void write_auth(wzp_wr *wr, const wzp_relay *r) {
    const relay_metrics *m = &r->metrics;
    wzp_expose_family(wr, "wzp_relay_auth_attempts_total", "counter",
                      "tokens of media connections");
    wzp_expose_line(wr, "wzp_relay_auth_attempts_total{result=\"ok\"} %llu",
                    (unsigned long long)m->auth_ok);
    wzp_expose_line(wr, "wzp_relay_auth_attempts_total{result=\"fail\"} %llu",
                    (unsigned long long)m->auth_fail);
    if (!r->cfg.auth) {
        return;
    }
    wzp_expose_family(wr, "wzp_relay_auth_results_total", "counter", "tokens of all connections");
    for (unsigned v = 0; v < WZP_AUTH_VERDICT_COUNT; v++) {
        wzp_expose_line(wr, "wzp_relay_auth_results_total{verdict=\"%s\"} %llu",
                        wzp_auth_verdict_name((wzp_auth_verdict)v),
                        (unsigned long long)m->auth_verdicts[v]);
    }
    wzp_expose_single(wr, "wzp_relay_auth_over_limit_total", "counter",
                      "tokens that were too long or came while too many were open",
                      m->auth_over_limit);
    wzp_expose_single(wr, "wzp_relay_auth_pending", "gauge",
                      "tokens that the service is asked about", r->auth_count);
}

static void write_conduct(wzp_wr *wr, const relay_metrics *m) {
    static const char *const names[WZP_SCORE_VERDICT_COUNT] = {"open", "legitimate", "suspect",
                                                               "abusive"};
    wzp_expose_family(wr, "wzp_relay_conformance_suspect_total", "counter",
                      "senders that began to look suspect or worse");
    for (unsigned type = 0; type <= WZP_MEDIA_VIDEO; type++) {
        wzp_expose_line(wr, "wzp_relay_conformance_suspect_total{media_type=\"%s\"} %llu",
                        wzp_media_type_name((uint8_t)type), (unsigned long long)m->suspects[type]);
    }
    wzp_expose_family(wr, "wzp_relay_conformance_verdicts_total", "counter",
                      "changes of a sender's verdict by tier F, to this one");
    for (unsigned type = 0; type <= WZP_MEDIA_VIDEO; type++) {
        for (unsigned v = WZP_SCORE_LEGITIMATE; v < WZP_SCORE_VERDICT_COUNT; v++) {
            wzp_expose_line(
                wr, "wzp_relay_conformance_verdicts_total{media_type=\"%s\",verdict=\"%s\"} %llu",
                wzp_media_type_name((uint8_t)type), names[v],
                (unsigned long long)m->verdicts[type][v]);
        }
    }
    wzp_expose_single(wr, "wzp_relay_conformance_abuse_seconds_total", "counter",
                      "seconds of senders that were abusive by tier F for a minute without a break",
                      m->abuse_seconds);
}

static void write_quotas(wzp_wr *wr, const wzp_relay *r) {
    static const char *const kinds[ACCOUNT_COUNT] = {"fingerprint", "address"};
    static const char *const limits[WZP_QUOTA_VERDICT_COUNT] = {"", "rate", "month"};
    wzp_quota_totals totals[ACCOUNT_COUNT] = {{0}};
    wzp_expose_family(wr, "wzp_relay_quota_exceeded_total", "counter",
                      "packets over an account of tier E");
    for (unsigned kind = 0; kind < ACCOUNT_COUNT; kind++) {
        totals[kind] = r->quotas[kind] != NULL ? wzp_quota_count(r->quotas[kind]) : totals[kind];
        for (unsigned v = WZP_QUOTA_RATE; v < WZP_QUOTA_VERDICT_COUNT; v++) {
            wzp_expose_line(wr, "wzp_relay_quota_exceeded_total{account=\"%s\",limit=\"%s\"} %llu",
                            kinds[kind], limits[v],
                            (unsigned long long)r->metrics.quota_exceeded[kind][v]);
        }
    }
    wzp_expose_family(wr, "wzp_relay_quota_accounts", "gauge", "accounts that are kept");
    for (unsigned kind = 0; kind < ACCOUNT_COUNT; kind++) {
        wzp_expose_line(wr, "wzp_relay_quota_accounts{account=\"%s\"} %zu", kinds[kind],
                        totals[kind].accounts);
    }
    wzp_expose_family(wr, "wzp_relay_quota_forgotten_total", "counter",
                      "accounts that had to make room for others");
    for (unsigned kind = 0; kind < ACCOUNT_COUNT; kind++) {
        wzp_expose_line(wr, "wzp_relay_quota_forgotten_total{account=\"%s\"} %llu", kinds[kind],
                        (unsigned long long)totals[kind].forgotten);
    }
    wzp_expose_family(wr, "wzp_relay_quota_refused_total", "counter",
                      "senders without an account, as all places belong to others who are here");
    for (unsigned kind = 0; kind < ACCOUNT_COUNT; kind++) {
        wzp_expose_line(wr, "wzp_relay_quota_refused_total{account=\"%s\"} %llu", kinds[kind],
                        (unsigned long long)totals[kind].refused);
    }
}

/* All workers have the same list, and the page is a sum: the first one tells. */
static void write_bans(wzp_wr *wr, const wzp_relay *r) {
    wzp_bans_totals totals = {0};
    if (r->bans != NULL) {
        totals = wzp_bans_count(r->bans, r->now);
    }
    const bool tells = r->cfg.worker == 0;
    wzp_expose_family(wr, "wzp_relay_bans", "gauge", "fingerprints that may not join");
    wzp_expose_line(wr, "wzp_relay_bans{kind=\"cool-down\"} %zu", tells ? totals.cooldowns : 0);
    wzp_expose_line(wr, "wzp_relay_bans{kind=\"block\"} %zu", tells ? totals.blocks : 0);
    wzp_expose_family(wr, "wzp_relay_bans_refused_total", "counter",
                      "joins of fingerprints that may not");
    wzp_expose_line(wr, "wzp_relay_bans_refused_total{kind=\"cool-down\"} %llu",
                    (unsigned long long)r->metrics.turned_away[0]);
    wzp_expose_line(wr, "wzp_relay_bans_refused_total{kind=\"block\"} %llu",
                    (unsigned long long)r->metrics.turned_away[1]);
    wzp_expose_single(wr, "wzp_relay_bans_pushed_out_total", "counter",
                      "entries that made room for others", totals.pushed_out);
    wzp_expose_single(wr, "wzp_relay_bans_not_stored_total", "counter",
                      "offences that a list full of blocks had no room for", totals.not_stored);
}

static void write_calls(wzp_wr *wr, const wzp_relay *r) {
    static const char *const ends[CALL_END_COUNT] = {"reject", "hangup", "gone", "timeout"};
    static const char *const drops[CALL_DROP_COUNT] = {"no call",   "stranger",  "state",
                                                       "withheld",  "rate",      "size",
                                                       "ambiguous", "unreached", "peer"};
    const relay_metrics *m = &r->metrics;
    wzp_expose_single(wr, "wzp_relay_calls", "gauge", "direct calls", wzp_calls_count(r->calls));
    wzp_expose_single(wr, "wzp_relay_calls_offered_total", "counter",
                      "offers handed to their callee", m->calls_offered);
    wzp_expose_family(wr, "wzp_relay_calls_answered_total", "counter", "answers that accept");
    wzp_expose_line(wr, "wzp_relay_calls_answered_total{mode=\"trusted\"} %llu",
                    (unsigned long long)m->calls_trusted);
    wzp_expose_line(wr, "wzp_relay_calls_answered_total{mode=\"generic\"} %llu",
                    (unsigned long long)m->calls_generic);
    wzp_expose_family(wr, "wzp_relay_calls_ended_total", "counter", "calls by what ended them");
    for (unsigned i = 0; i < CALL_END_COUNT; i++) {
        wzp_expose_line(wr, "wzp_relay_calls_ended_total{cause=\"%s\"} %llu", ends[i],
                        (unsigned long long)m->calls_ended[i]);
    }
    wzp_expose_family(wr, "wzp_relay_calls_refused_total", "counter",
                      "offers that came to nothing");
    wzp_expose_line(wr, "wzp_relay_calls_refused_total{why=\"offline\"} %llu",
                    (unsigned long long)m->calls_offline);
    wzp_expose_line(wr, "wzp_relay_calls_refused_total{why=\"misnamed\"} %llu",
                    (unsigned long long)m->calls_misnamed);
    for (unsigned i = WZP_CALL_FINE + 1; i < WZP_CALL_REFUSAL_COUNT; i++) {
        wzp_expose_line(wr, "wzp_relay_calls_refused_total{why=\"%s\"} %llu",
                        wzp_call_refusal_name((wzp_call_refusal)i),
                        (unsigned long long)m->calls_refused[i]);
    }
    wzp_expose_single(wr, "wzp_relay_call_signals_total", "counter",
                      "signals passed on between parties", m->call_signals);
    wzp_expose_family(wr, "wzp_relay_call_signals_dropped_total", "counter",
                      "signals not passed on");
    for (unsigned i = 0; i < CALL_DROP_COUNT; i++) {
        wzp_expose_line(wr, "wzp_relay_call_signals_dropped_total{why=\"%s\"} %llu", drops[i],
                        (unsigned long long)m->call_drops[i]);
    }
    wzp_expose_single(wr, "wzp_relay_candidates_cut_total", "counter",
                      "addresses over 32 of one party or over 64 characters", m->candidates_cut);
    wzp_expose_single(wr, "wzp_relay_reflects_dropped_total", "counter",
                      "Reflect over 10 per second", m->reflects_dropped);
}

static void write_quic(wzp_wr *wr, const wzp_relay *r) {
    wzp_quic_counters q;
    wzp_quic_count(r->quic, &q);
    wzp_expose_single(wr, "wzp_quic_connections", "gauge", "connections now", q.conns);
    wzp_expose_single(wr, "wzp_quic_accepted_total", "counter", "connections begun", q.accepted);
    wzp_expose_single(wr, "wzp_quic_handshakes_failed_total", "counter", "handshakes that failed",
                      q.handshakes_failed);
    wzp_expose_single(wr, "wzp_quic_retries_sent_total", "counter", "Retry packets",
                      q.retries_sent);
    wzp_expose_single(wr, "wzp_quic_refused_total", "counter", "connections over a limit",
                      q.refused_limit);
    wzp_expose_single(wr, "wzp_quic_handshakes_deferred_total", "counter",
                      "first packets while too many handshakes were in flight", q.deferred);
    wzp_expose_single(wr, "wzp_quic_packets_ignored_total", "counter", "packets for no connection",
                      q.packets_ignored);
    wzp_expose_single(wr, "wzp_quic_events_dropped_total", "counter",
                      "received datagrams without room", q.events_dropped);
    wzp_expose_single(wr, "wzp_quic_datagrams_expired_total", "counter",
                      "media that a receiver's connection did not take in time",
                      q.datagrams_expired);
    wzp_expose_single(wr, "wzp_quic_datagrams_dropped_total", "counter",
                      "media that a receiver's queue or path had no room for", q.datagrams_dropped);
}

static void write_ours(wzp_wr *wr, const wzp_relay *r) {
    static const char *const modes[] = {"off", "count", "observe", "on"};
    const relay_metrics *m = &r->metrics;
    wzp_expose_family(wr, "wzp_relay_enforce_info", "gauge", "the mode of --enforce");
    wzp_expose_line(wr, "wzp_relay_enforce_info{mode=\"%s\"} 1", modes[r->cfg.enforce]);
    wzp_expose_single(wr, "wzp_relay_draining", "gauge", "1: only waits for rooms and calls to end",
                      r->draining ? 1 : 0);
    wzp_expose_single(wr, "wzp_relay_packets_in_total", "counter", "datagrams from room members",
                      m->packets_in);
    wzp_expose_single(wr, "wzp_relay_layer_skipped_total", "counter",
                      "video packets that a receiver's layer left out", m->packets_skipped);
    write_trunks(wr, m);
    write_bridge(wr, r);
    wzp_expose_single(wr, "wzp_relay_send_failures_total", "counter",
                      "sends that a connection refused", m->send_failures);
    wzp_expose_single(wr, "wzp_relay_sessions_refused_total", "counter",
                      "joins over a limit or without a call", m->refused_sessions);
    wzp_expose_single(wr, "wzp_relay_handshakes_refused_total", "counter",
                      "offers and registrations refused", m->handshake_refusals);
    wzp_expose_single(wr, "wzp_relay_signals_unreadable_total", "counter",
                      "signals that did not parse", m->signals_unknown);
    wzp_expose_single(wr, "wzp_relay_packets_ignored_total", "counter",
                      "media before the join, or after a violation", m->packets_ignored);
    wzp_expose_single(wr, "wzp_relay_signals_ignored_total", "counter",
                      "signals without meaning here", m->signals_ignored);
    wzp_expose_single(wr, "wzp_relay_pli_forwarded_total", "counter", "PLI passed on",
                      m->pli_forwarded);
    wzp_expose_single(wr, "wzp_relay_pli_suppressed_total", "counter",
                      "PLI inside the 200 ms window", m->pli_suppressed);
    wzp_expose_single(wr, "wzp_relay_keyframes_dropped_total", "counter",
                      "keyframes too large to cache", m->keyframes_dropped);
    wzp_expose_single(wr, "wzp_relay_registered_without_key_total", "counter",
                      "registrations with a key of zeros", m->nobodies);
    wzp_expose_single(wr, "wzp_relay_aliases_cut_total", "counter", "aliases over 64 bytes",
                      m->aliases_cut);
    wzp_expose_single(wr, "wzp_relay_events_dropped_total", "counter",
                      "events the log did not take in time", m->events_dropped);
    wzp_expose_single(wr, "wzp_relay_tap_lines_total", "counter", "lines of the debug tap",
                      r->tap.lines);
    wzp_expose_single(wr, "wzp_relay_tap_suppressed_total", "counter",
                      "lines over its limit per second", r->tap.suppressed);
    wzp_expose_single(wr, "wzp_relay_signal_clients", "gauge", "registered on _signal",
                      r->signal_clients);
    wzp_expose_single(wr, "wzp_relay_presence_listed", "gauge",
                      "clients that the latest PresenceList names", r->presence_listed);
    wzp_expose_single(wr, "wzp_relay_presence_lists_total", "counter", "PresenceLists made",
                      m->presence_lists);
    wzp_expose_single(wr, "wzp_relay_presence_sent_total", "counter", "PresenceLists sent",
                      m->presence_sent);
    wzp_expose_single(wr, "wzp_relay_room_updates_deferred_total", "counter",
                      "changes of a room that its members learn of later, as it is large",
                      m->updates_deferred);
    wzp_expose_single(wr, "wzp_relay_directives_deferred_total", "counter",
                      "QualityDirectives over 10 per second in a room, told with a later report",
                      m->directives_deferred);
    wzp_expose_single(wr, "wzp_relay_presence_deferred_total", "counter",
                      "lists that a client's previous one delayed", m->presence_deferred);
    write_calls(wr, r);
    write_quic(wr, r);
    wzp_expose_single(wr, "wzp_relay_woken_late_total", "counter",
                      "times that the relay ran a second late or more", m->woken_late);
    wzp_expose_single(wr, "wzp_relay_receivers_stalled_total", "counter",
                      "connections closed, as their signals piled up", m->receivers_stalled);
}

wzp_err wzp_relay_metrics(const wzp_relay *r, wzp_wr *wr) {
    const relay_metrics *m = &r->metrics;
    wzp_expose_single(wr, "wzp_relay_active_sessions", "gauge", "media sessions",
                      r->media_sessions);
    wzp_expose_single(wr, "wzp_relay_active_rooms", "gauge", "rooms with members", r->room_count);
    wzp_expose_single(wr, "wzp_relay_packets_forwarded_total", "counter", "packets times receivers",
                      m->packets_forwarded);
    wzp_expose_single(wr, "wzp_relay_bytes_forwarded_total", "counter",
                      "payload bytes times receivers", m->bytes_forwarded);
    write_auth(wr, r);
    write_sessions(wr, r);
    write_violations(wr, m);
    write_histograms(wr, m);
    write_conduct(wr, m);
    write_quotas(wr, r);
    write_bans(wr, r);
    write_unserved(wr);
    wzp_relay_expose_federation(wr, r);
    wzp_relay_expose_probes(wr, r);
    write_ours(wr, r);
    return wzp_wr_end(wr);
}

void wzp_relay_count(const wzp_relay *r, wzp_relay_totals *out) {
    const relay_metrics *m = &r->metrics;
    *out = (wzp_relay_totals){.sessions = r->media_sessions,
                              .rooms = r->room_count,
                              .packets_in = m->packets_in,
                              .packets_forwarded = m->packets_forwarded,
                              .bytes_forwarded = m->bytes_forwarded,
                              .events_dropped = m->events_dropped};
    for (unsigned e = 0; e < WZP_ERR_COUNT; e++) {
        out->packets_malformed += m->malformed[e];
    }
    for (unsigned v = 0; v < WZP_VIOLATION_COUNT; v++) {
        out->policy_hangups += m->policy_hangups[v];
        for (unsigned c = 0; c < WZP_CODEC_COUNT; c++) {
            for (unsigned t = 0; t < WZP_MEDIA_TYPE_COUNT; t++) {
                out->violations += m->violations[v][c][t];
            }
        }
    }
}
