/* Cases that send a pattern: X sends, L listens, a control pair in a room of its own says whether
 * the network or the relay is to blame (conformance sheet 24.1). */
#include <stdio.h>
#include <stdlib.h>

#include "conformance/engine/exec.h"

#define SETUP_LIMIT (10 * WZP_S)
#define GAP (1200 * WZP_MS)
#define CLOSE_LIMIT (2 * WZP_S)
#define AFTER_LIMIT (5 * WZP_S)

void wzp_ct_traffic_begin(wzp_ct_exec *e, wzp_time now) {
    char room[40];
    char control[40];
    wzp_ct_exec_room(e, room);
    wzp_ct_exec_room(e, control);
    wzp_ct_exec_enter(e, WZP_CT_PHASE_SETUP, now);
    wzp_ct_exec_reset_pulse(e);
    const bool late = e->cfg.which->late_listener;
    if (!wzp_ct_exec_dial(e, WZP_CT_X, room, now) ||
        (!late && !wzp_ct_exec_dial(e, WZP_CT_L, room, now)) ||
        !wzp_ct_exec_dial(e, WZP_CT_KX, control, now) ||
        !wzp_ct_exec_dial(e, WZP_CT_KL, control, now)) {
        wzp_ct_exec_decide(e, WZP_CT_INCONCLUSIVE, WZP_CT_REASON_SENDER_RATE,
                           "no connection could be made here", now);
    }
    e->parties[WZP_CT_X].hold_first = e->cfg.which->early_media;
}

static void send_early(wzp_ct_exec *e) {
    uint8_t buf[WZP_CT_SPEECH_BYTES];
    wzp_ct_speech s = {.seq = 900000, .ts = 5, .count = 50};
    for (; s.index < s.count; s.index++) {
        const wzp_bytes bytes = wzp_ct_speech_bytes(&s, e->cfg.seed, buf);
        if (wzp_ct_exec_send(e, WZP_CT_X, bytes)) {
            wzp_ledger_sent(&e->forbidden, bytes, e->phase_at);
        }
    }
}

static bool early_arrived(const wzp_ct_exec *e, wzp_time now) {
    wzp_quic_stats stats;
    return now >= e->early_at + WZP_CT_DRAIN &&
           wzp_quic_conn_stats(e->quic, e->parties[WZP_CT_X].conn, &stats) &&
           stats.datagrams_sent >= e->forbidden.offered && stats.bytes_in_flight == 0;
}

/* Media first, and the offer only when all of it was acknowledged. */
static void step_early(wzp_ct_exec *e, wzp_time now) {
    if (e->early_at == 0) {
        send_early(e);
        e->early_at = now;
    } else if (early_arrived(e, now)) {
        e->parties[WZP_CT_X].hold_first = false;
        wzp_party_offer(&e->parties[WZP_CT_X], NULL);
    }
}

static void build_pattern(wzp_ct_exec *e) {
    const wzp_ct_case *c = e->cfg.which;
    const uint32_t n = c->no_echo ? 0 : (c->echo_ms != 0 ? c->echo_ms : 1000) / 20;
    e->echo = (wzp_ct_speech){.count = n};
    if (c->has_start) {
        e->echo.seq = c->start_seq - n;
        e->echo.ts = c->start_ts - 20 * n;
    }
    wzp_ct_pattern_init(&e->pattern, e->cfg.seed, e->echo.seq + n, e->echo.ts + 20 * n);
    if (c->build != NULL) {
        c->build(&e->pattern, c);
    } else {
        e->pattern.end = wzp_ct_stream_add(&e->pattern, &c->stream, 0);
    }
    if (c->trailing_speech) {
        e->pattern.end = wzp_ct_talk(&e->pattern, e->pattern.end + 500 * WZP_MS, 5000);
    }
    wzp_ct_pattern_sort(&e->pattern);
    e->sent = calloc(e->pattern.count + 1, sizeof *e->sent);
}

static void setup_failed(wzp_ct_exec *e, wzp_time now) {
    char text[160];
    const wzp_ct_party *x = &e->parties[WZP_CT_X];
    (void)snprintf(text, sizeof text, "no room within 10 s: X is %s, L is %s, control %s and %s",
                   wzp_party_state_name(x), wzp_party_state_name(&e->parties[WZP_CT_L]),
                   wzp_party_state_name(&e->parties[WZP_CT_KX]),
                   wzp_party_state_name(&e->parties[WZP_CT_KL]));
    const bool anyone = wzp_party_open(x) || wzp_party_open(&e->parties[WZP_CT_KX]);
    const bool late = wzp_ct_exec_was_late(e, (double)SETUP_LIMIT / 1e9);
    wzp_ct_exec_decide(e, late ? WZP_CT_INCONCLUSIVE : WZP_CT_FAIL,
                       late     ? WZP_CT_REASON_SENDER_RATE
                       : anyone ? WZP_CT_REASON_NO_RESPONSE
                                : WZP_CT_REASON_CRASH,
                       text, now);
}

static void step_setup(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *p = e->parties;
    wzp_ct_exec_pulse(e, now); /* served late: nothing can be said about the relay */
    if (e->cfg.which->early_media && p[WZP_CT_X].state == WZP_PARTY_CONNECTED) {
        step_early(e, now);
    }
    const uint32_t want = e->cfg.which->late_listener ? 1 : 2;
    const bool both = p[WZP_CT_X].room_count >= want &&
                      (e->cfg.which->late_listener || p[WZP_CT_L].room_count >= want) &&
                      p[WZP_CT_KX].room_count >= 2 && p[WZP_CT_KL].room_count >= 2;
    if (both) {
        build_pattern(e);
        e->echo.from = now;
        e->control = (wzp_ct_speech){.count = UINT64_MAX, .from = now};
        wzp_ct_exec_enter(e, WZP_CT_PHASE_ECHO, now);
    } else if (now >= e->phase_at + SETUP_LIMIT || wzp_party_gone(&p[WZP_CT_X]) ||
               wzp_party_gone(&p[WZP_CT_KX])) {
        setup_failed(e, now);
    }
    e->wake = wzp_time_min(e->wake, e->phase_at + SETUP_LIMIT);
    if (e->early_at != 0 && e->parties[WZP_CT_X].hold_first) {
        const wzp_time drained = e->early_at + WZP_CT_DRAIN;
        e->wake = wzp_time_min(e->wake, drained > now ? drained : now + 20 * WZP_MS);
    }
}

static void step_echo(wzp_ct_exec *e, wzp_time now) {
    const wzp_time next = wzp_ct_exec_speak(e, &e->echo, WZP_CT_X, &e->main, now);
    const wzp_time over = e->echo.from + e->echo.count * WZP_CT_SPEECH_STEP;
    e->wake = wzp_time_min(e->wake, next != WZP_TIME_NEVER ? next : over);
    if (next == WZP_TIME_NEVER && now >= over) {
        wzp_ct_exec_enter(e, WZP_CT_PHASE_GAP, now);
        if (e->cfg.which->late_listener) {
            (void)wzp_ct_exec_dial(e, WZP_CT_L, e->parties[WZP_CT_X].room, now);
        }
    }
}

static void step_gap(wzp_ct_exec *e, wzp_time now) {
    const uint64_t pause = e->echo.count == 0 ? 0 : GAP;
    e->wake = wzp_time_min(e->wake, e->phase_at + pause);
    if (now < e->phase_at + pause) {
        return;
    }
    if (e->cfg.which->late_listener && e->main.delivered > 0) {
        wzp_ct_exec_decide(e, WZP_CT_FAIL, WZP_CT_REASON_ALTERED,
                           "the newcomer was given packets from before its join", now);
        return;
    }
    /* Most of the echo was delivered, or the room does not work at all.  Single losses are for the
     * pattern and its control to weigh. */
    if (!e->cfg.which->late_listener && e->main.delivered * 2 < e->main.offered) {
        e->result.offered = e->main.offered;
        e->result.delivered = e->main.delivered;
        /* A network loses some; only a relay loses everything and keeps its connections. */
        const bool any = e->main.delivered + e->side.delivered > 0;
        const bool control_too = any && e->side.delivered * 100 < e->side.offered * 95;
        wzp_ct_exec_decide(e, control_too ? WZP_CT_INCONCLUSIVE : WZP_CT_FAIL,
                           control_too ? WZP_CT_REASON_CONTROL_LOSS : WZP_CT_REASON_NOT_FORWARDED,
                           "the legitimate speech before the pattern was not delivered", now);
        return;
    }
    wzp_ledger_reset(&e->main);
    e->onset = now;
    wzp_ct_exec_enter(e, WZP_CT_PHASE_PATTERN, now);
    wzp_ct_exec_mark(e, WZP_CT_LANE_SUBJECT,
                     -(double)(e->echo.count * WZP_CT_SPEECH_STEP + GAP) / 1e9, -1.2, "echo");
}

static void note_error(wzp_ct_exec *e, uint64_t late_ns) {
    uint64_t us = late_ns / 1000;
    unsigned bucket = 0;
    while (us > 0 && bucket < 31) {
        us >>= 1;
        bucket++;
    }
    e->errors_us[bucket]++;
}

static void send_pattern_packet(wzp_ct_exec *e, size_t i, wzp_time now) {
    uint8_t buf[1500];
    const wzp_ct_packet *packet = &e->pattern.packets[i];
    const size_t len = wzp_ct_pattern_bytes(&e->pattern, i, e->cfg.seed, buf);
    const wzp_bytes bytes = wzp_bytes_of(buf, len);
    if (!wzp_ct_exec_send(e, WZP_CT_X, bytes)) {
        return;
    }
    wzp_ledger_sent(packet->must_not_arrive ? &e->forbidden : &e->main, bytes, now);
    for (uint8_t copy = 0; copy < packet->copies; copy++) {
        (void)wzp_ct_exec_send(e, WZP_CT_X,
                               bytes); /* a relay may drop it: it is not counted as offered */
    }
    const bool report = (packet->hdr.flags & WZP_MEDIA_QUALITY) != 0 && !packet->no_report;
    e->sent[e->result.sent++] = (wzp_ct_sent){now, (uint32_t)(len - (report && len >= 20 ? 4 : 0))};
}

static bool subject_ended(const wzp_ct_exec *e) {
    return !wzp_party_open(&e->parties[WZP_CT_X]);
}

static void step_pattern(wzp_ct_exec *e, wzp_time now) {
    while (e->next < e->pattern.count && !subject_ended(e) &&
           e->onset + e->pattern.packets[e->next].due <= now) {
        note_error(e, now - (e->onset + e->pattern.packets[e->next].due));
        e->result.scheduled++;
        send_pattern_packet(e, e->next++, now);
    }
    if (e->next < e->pattern.count && !subject_ended(e)) {
        e->wake = wzp_time_min(e->wake, e->onset + e->pattern.packets[e->next].due);
        return;
    }
    if (!subject_ended(e) && now < e->onset + e->pattern.end) {
        e->wake = wzp_time_min(e->wake, e->onset + e->pattern.end);
        return;
    }
    char label[64];
    (void)snprintf(label, sizeof label, "%llu packets", (unsigned long long)e->result.sent);
    wzp_ct_exec_mark(e, WZP_CT_LANE_SUBJECT, 0, wzp_ct_exec_since_onset(e, now), label);
    wzp_ct_exec_enter(e, WZP_CT_PHASE_SETTLE, now);
}

/* Until when a reaction may still come. */
static wzp_time settle_until(const wzp_ct_exec *e) {
    const wzp_ct_party *x = &e->parties[WZP_CT_X];
    const wzp_ct_criteria *c = &e->cfg.which->criteria;
    const bool abuse = c->rule == WZP_CT_RULE_ENF || c->rule == WZP_CT_RULE_LENIENT;
    if (x->hangup_at != WZP_TIME_NEVER && wzp_party_open(x)) {
        return wzp_time_after(x->hangup_at, CLOSE_LIMIT + WZP_CT_DRAIN);
    }
    if (abuse && wzp_party_open(x)) {
        const wzp_time deadline = e->onset + (wzp_time)(c->deadline_s * 1e9);
        return (deadline > e->phase_at ? deadline : e->phase_at) + WZP_CT_DRAIN;
    }
    return wzp_time_after(x->closed_at != WZP_TIME_NEVER ? x->closed_at : e->phase_at,
                          WZP_CT_DRAIN);
}

static void begin_after(wzp_ct_exec *e, wzp_time now) {
    char room[40];
    wzp_ct_exec_room(e, room);
    e->control.count = e->control.index; /* the control's part is over */
    wzp_ct_exec_enter(e, WZP_CT_PHASE_AFTER, now);
    (void)(wzp_ct_exec_dial(e, WZP_CT_AX, room, now) && wzp_ct_exec_dial(e, WZP_CT_AL, room, now));
}

static void step_settle(wzp_ct_exec *e, wzp_time now) {
    const wzp_time until = settle_until(e);
    if (now >= until) {
        begin_after(e, now);
    } else {
        e->wake = wzp_time_min(e->wake, until);
    }
}

static double p99_ms(const wzp_ct_exec *e) {
    uint64_t total = 0;
    for (size_t i = 0; i < 32; i++) {
        total += e->errors_us[i];
    }
    uint64_t seen = 0;
    for (unsigned i = 0; i < 32; i++) {
        seen += e->errors_us[i];
        if (seen * 100 >= total * 99) {
            return i == 0 ? 0 : (double)(UINT64_C(1) << i) / 1000.0;
        }
    }
    return 0;
}

static void collect(wzp_ct_exec *e) {
    wzp_ct_run *r = &e->result;
    const wzp_ct_party *x = &e->parties[WZP_CT_X];
    wzp_ct_accounts accounts;
    wzp_quic_stats stats;
    wzp_ct_account(&accounts, e->sent, (size_t)r->sent);
    r->max_bytes_1s = accounts.max_bytes;
    r->max_packets_1s = accounts.max_packets;
    r->min_aligned_bytes_1s = accounts.min_bytes;
    r->min_aligned_packets_1s = accounts.min_packets;
    r->schedule_error_p99_ms = p99_ms(e);
    r->offered = e->main.offered;
    r->delivered = e->main.delivered;
    r->altered = e->main.unknown + e->forbidden.delivered;
    r->duplicated = e->main.twice;
    r->control_offered = e->side.offered;
    r->control_delivered = e->side.delivered;
    r->control_spread_ms = (double)(e->side.slowest - e->side.fastest) / 1e6;
    r->control_hangup = wzp_party_gone(&e->parties[WZP_CT_KX]) ||
                        wzp_party_gone(&e->parties[WZP_CT_KL]) ||
                        e->parties[WZP_CT_KX].hangup_at != WZP_TIME_NEVER;
    if (wzp_quic_conn_stats(e->quic, x->conn, &stats)) {
        r->sent -=
            stats.datagrams_dropped_queue < r->sent ? stats.datagrams_dropped_queue : r->sent;
    }
    if (x->hangup_at != WZP_TIME_NEVER) {
        r->hangup_s = wzp_ct_exec_since_onset(e, x->hangup_at);
        (void)snprintf(r->hangup_code, sizeof r->hangup_code, "%s", x->hangup_code);
        wzp_ct_exec_mark(e, WZP_CT_LANE_SUBJECT, r->hangup_s, r->hangup_s, "hangup");
    }
    if (x->closed_at != WZP_TIME_NEVER) {
        r->close_s = wzp_ct_exec_since_onset(e, x->closed_at);
        r->close_code = x->close.code;
        (void)snprintf(r->close_reason, sizeof r->close_reason, "%.60s", x->close.reason);
        wzp_ct_exec_mark(e, WZP_CT_LANE_SUBJECT, r->close_s, r->close_s, "close");
    }
    r->after_close = e->main.late;
    char label[64];
    (void)snprintf(label, sizeof label, "%llu of %llu received", (unsigned long long)r->delivered,
                   (unsigned long long)r->offered);
    wzp_ct_exec_mark(e, WZP_CT_LANE_LISTENER, 0, wzp_ct_exec_since_onset(e, e->phase_at), label);
    (void)snprintf(label, sizeof label, "%llu of %llu received",
                   (unsigned long long)r->control_delivered,
                   (unsigned long long)r->control_offered);
    wzp_ct_exec_mark(e, WZP_CT_LANE_CONTROL, 0, wzp_ct_exec_since_onset(e, e->phase_at), label);
    if (e->cfg.which->criteria.deadline_s > 0) {
        wzp_ct_exec_mark(e, WZP_CT_LANE_EXPECTED, 0, e->cfg.which->criteria.deadline_s,
                         "hangup due");
    }
}

/* The relay's mode, as A-01's traffic shows it; unknown when the path may have done it. */
static void learn_mode(wzp_ct_exec *e) {
    const wzp_ct_run *r = &e->result;
    e->mode = r->hangup_s >= 0                        ? WZP_CT_MODE_ENFORCE
              : r->delivered * 100 >= r->offered * 80 ? WZP_CT_MODE_OBSERVE
              : wzp_ct_path_was_bad(r)                ? WZP_CT_MODE_UNKNOWN
                                                      : WZP_CT_MODE_DROP;
    char text[96];
    (void)snprintf(text, sizeof text, "mode: %s; ", wzp_ct_mode_name(e->mode));
    char rest[400];
    (void)snprintf(rest, sizeof rest, "%.390s", r->actual);
    (void)snprintf(e->result.actual, sizeof e->result.actual, "%s%s", text, rest);
}

static void conclude(wzp_ct_exec *e, bool served_after, wzp_time now) {
    const wzp_ct_party *x = &e->parties[WZP_CT_X];
    const bool closed =
        x->closed_at != WZP_TIME_NEVER && (x->close.kind == WZP_QUIC_CLOSE_PEER_APP ||
                                           x->close.kind == WZP_QUIC_CLOSE_PEER_TRANSPORT);
    const bool lost = x->closed_at != WZP_TIME_NEVER && !closed;
    collect(e);
    wzp_ct_judge(&e->result, &e->cfg.which->criteria, closed, x->hangup_bit, lost);
    if (e->cfg.which->sets_mode) {
        learn_mode(e);
    }
    if (!served_after) {
        const bool gone = wzp_party_gone(&e->parties[WZP_CT_KX]);
        e->result.grade = gone ? WZP_CT_FAIL : WZP_CT_INCONCLUSIVE;
        e->result.reason = gone ? WZP_CT_REASON_CRASH : WZP_CT_REASON_IP_BLOCK;
    }
    wzp_ct_exec_finish(e, now);
}

static void step_after(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *p = e->parties;
    const bool joined = p[WZP_CT_AX].room_count >= 2 && p[WZP_CT_AL].room_count >= 2;
    if (joined && e->after.count == 0) {
        e->after = (wzp_ct_speech){.count = 100, .from = now};
    }
    const wzp_time next = wzp_ct_exec_speak(e, &e->after, WZP_CT_AX, &e->side, now);
    const wzp_time over = e->after.from + 100 * WZP_CT_SPEECH_STEP + WZP_CT_DRAIN / 2;
    if (e->after.count > 0 && now >= over) {
        conclude(e, e->side.delivered * 100 >= e->side.offered * 80, now);
    } else if (e->after.count == 0 && now >= e->phase_at + AFTER_LIMIT) {
        conclude(e, false, now);
    }
    e->wake = wzp_time_min(e->wake, e->after.count == 0 ? e->phase_at + AFTER_LIMIT
                                                        : (next != WZP_TIME_NEVER ? next : over));
}

/* --- events ----------------------------------------------------------------------------------- */

void wzp_ct_traffic_datagram(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes bytes, wzp_time now) {
    if (who == WZP_CT_KL || who == WZP_CT_AL) {
        wzp_ledger_got(&e->side, bytes, false, now);
    } else if (who == WZP_CT_L && e->phase >= WZP_CT_PHASE_ECHO) {
        if (wzp_ledger_knows(&e->forbidden, bytes)) {
            wzp_ledger_got(&e->forbidden, bytes, false, now);
            return;
        }
        /* Packets that were on their way when X was cut off are no fault: allow them 200 ms. */
        const wzp_ct_party *x = &e->parties[WZP_CT_X];
        const bool late = x->closed_at != WZP_TIME_NEVER && now > x->closed_at + 200 * WZP_MS;
        wzp_ledger_got(&e->main, bytes, late, now);
    } else if (who == WZP_CT_X) {
        e->main.unknown++; /* nobody else sends in this room: an echo, or somebody else's */
    }
}

void wzp_ct_traffic_step(wzp_ct_exec *e, wzp_time now) {
    if (e->phase >= WZP_CT_PHASE_ECHO && e->phase <= WZP_CT_PHASE_SETTLE) {
        e->wake = wzp_ct_exec_speak(e, &e->control, WZP_CT_KX, &e->side, now);
    }
    switch (e->phase) {
    case WZP_CT_PHASE_SETUP:
        step_setup(e, now);
        break;
    case WZP_CT_PHASE_ECHO:
        step_echo(e, now);
        break;
    case WZP_CT_PHASE_GAP:
        step_gap(e, now);
        break;
    case WZP_CT_PHASE_PATTERN:
        step_pattern(e, now);
        break;
    case WZP_CT_PHASE_SETTLE:
        step_settle(e, now);
        break;
    case WZP_CT_PHASE_AFTER:
        step_after(e, now);
        break;
    case WZP_CT_PHASE_EXCHANGE:
    case WZP_CT_PHASE_PLAY:
    case WZP_CT_PHASE_DONE:
        break;
    }
}
