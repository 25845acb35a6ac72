#include "conformance/engine/run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "conformance/engine/accounting.h"
#include "conformance/engine/ledger.h"
#include "conformance/engine/party.h"

/* The phases of a traffic case (conformance sheet 24.1). */
typedef enum phase {
    PHASE_SETUP, /* X, L and the control pair join */
    PHASE_ECHO,  /* legitimate speech from X, delivered or nothing can be said */
    PHASE_GAP,   /* so that a window anchored in the echo is over */
    PHASE_PATTERN,
    PHASE_SETTLE, /* what is on its way arrives; late reactions are still seen */
    PHASE_AFTER,  /* a fresh identity joins and is served */
    PHASE_EXCHANGE,
    PHASE_DONE
} phase;

enum { X, L, KX, KL, AX, AL, PARTIES };

static const char *const names[PARTIES] = {"X", "L", "KX", "KL", "AX", "AL"};

#define SETUP_LIMIT (10 * WZP_S)
#define GAP (1200 * WZP_MS)
#define DRAIN (400 * WZP_MS)
#define CLOSE_LIMIT (2 * WZP_S)
#define AFTER_LIMIT (5 * WZP_S)
#define SPEECH_STEP (20 * WZP_MS)

/* 20 ms packets in a flow of their own: echo, control, after. */
typedef struct speech {
    uint64_t index, count; /* next, and how many in all */
    wzp_time from;
    uint32_t seq, ts;
} speech;

struct wzp_ct_exec {
    wzp_ct_exec_cfg cfg;
    wzp_quic *quic;
    wzp_addr local;
    wzp_prng prng;
    wzp_ct_party parties[PARTIES];
    phase phase;
    wzp_time phase_at, started, onset, wake;
    speech echo, control, after;
    wzp_ct_pattern pattern;
    size_t next;
    wzp_ct_sent *sent;
    wzp_ledger main, side;  /* X to L, and the control's */
    wzp_ledger forbidden;   /* what must not arrive */
    uint64_t errors_us[32]; /* schedule errors: power-of-two buckets of microseconds */
    wzp_time early_at;      /* 0: not yet */
    char offer[8192];       /* exchange */
    unsigned tries;
    wzp_ct_mode mode;
    wzp_ct_run result;
};

/* --- small things -------------------------------------------------------------------------------
 */

static double since_onset(const wzp_ct_exec *e, wzp_time at) {
    return ((double)at - (double)e->onset) / 1e9;
}

static void mark(wzp_ct_exec *e, wzp_ct_lane lane, double from, double until, const char *label) {
    if (e->result.mark_count < WZP_CT_MARKS_MAX) {
        wzp_ct_mark *m = &e->result.marks[e->result.mark_count++];
        *m = (wzp_ct_mark){.lane = lane, .t_s = from, .until_s = until};
        (void)snprintf(m->label, sizeof m->label, "%s", label);
    }
}

static void enter(wzp_ct_exec *e, phase next, wzp_time now) {
    static const char *const phases[] = {"setup",  "echo",  "gap",      "pattern",
                                         "settle", "after", "exchange", "done"};
    e->phase = next;
    e->phase_at = now;
    wzp_evidence_event(e->cfg.evidence, now, "case", "phase", phases[next]);
}

static void finish(wzp_ct_exec *e, wzp_time now) {
    e->result.duration_s = ((double)now - (double)e->started) / 1e9;
    wzp_quic_close_all(e->quic, 0, "done", now); /* leave the relay as it was found */
    enter(e, PHASE_DONE, now);
}

static void decide(wzp_ct_exec *e, wzp_ct_grade grade, wzp_ct_reason reason, const char *actual,
                   wzp_time now) {
    e->result.grade = grade;
    e->result.reason = reason;
    (void)snprintf(e->result.actual, sizeof e->result.actual, "%s", actual);
    finish(e, now);
}

static void room_name(wzp_ct_exec *e, char out[40]) {
    (void)snprintf(out, 40, "ct-%016llx", (unsigned long long)wzp_rng_u64(wzp_prng_rng(&e->prng)));
}

static bool dial(wzp_ct_exec *e, int who, const char *room, wzp_time now) {
    return wzp_party_dial(&e->parties[who], e->quic, names[who], room, NULL, &e->local,
                          &e->cfg.target, e->cfg.which->video, e->cfg.rng, now);
}

/* --- speech --------------------------------------------------------------------------------------
 */

static size_t speech_bytes(const speech *s, uint64_t seed, uint8_t out[256]) {
    static const uint8_t report[] = {0, 5, 0, 200};
    const bool q = s->index % 50 == 49;
    const wzp_media_hdr hdr = {.version = 2,
                               .flags = q ? WZP_MEDIA_QUALITY : 0,
                               .codec_id = WZP_CODEC_OPUS_24K,
                               .seq = s->seq + (uint32_t)s->index,
                               .timestamp_ms = s->ts + 20 * (uint32_t)s->index};
    wzp_prng prng;
    wzp_wr wr;
    wzp_wr_init(&wr, out, 256);
    wzp_media_hdr_write(&wr, &hdr);
    wzp_prng_init(&prng, seed + hdr.seq, "speech");
    wzp_rng_fill(wzp_prng_rng(&prng), out + 16, 76);
    if (q) {
        memcpy(out + 92, report, sizeof report);
    }
    return q ? 96 : 92;
}

static bool send_to(wzp_ct_exec *e, int who, wzp_bytes bytes) {
    return wzp_party_open(&e->parties[who]) &&
           wzp_quic_send_datagram(e->quic, e->parties[who].conn, bytes) == WZP_OK;
}

/* Sends what is due; returns when the next one is. */
static wzp_time speak(wzp_ct_exec *e, speech *s, int who, wzp_ledger *ledger, wzp_time now) {
    uint8_t buf[256];
    while (s->index < s->count && s->from + s->index * SPEECH_STEP <= now) {
        const wzp_bytes bytes =
            wzp_bytes_of(buf, speech_bytes(s, e->cfg.seed + (uint64_t)who, buf));
        if (send_to(e, who, bytes)) {
            wzp_ledger_sent(ledger, bytes);
        }
        s->index++;
    }
    return s->index < s->count ? s->from + s->index * SPEECH_STEP : WZP_TIME_NEVER;
}

/* --- setup ---------------------------------------------------------------------------------------
 */

static void begin_traffic(wzp_ct_exec *e, wzp_time now) {
    char room[40];
    char control[40];
    room_name(e, room);
    room_name(e, control);
    enter(e, PHASE_SETUP, now);
    const bool late = e->cfg.which->late_listener;
    if (!dial(e, X, room, now) || (!late && !dial(e, L, room, now)) || !dial(e, KX, control, now) ||
        !dial(e, KL, control, now)) {
        decide(e, WZP_CT_INCONCLUSIVE, WZP_CT_REASON_SENDER_RATE,
               "no connection could be made here", now);
    }
    e->parties[X].hold_offer = e->cfg.which->early_media;
}

static void send_early(wzp_ct_exec *e) {
    uint8_t buf[256];
    speech s = {.seq = 900000, .ts = 5, .count = 50};
    for (; s.index < s.count; s.index++) {
        const wzp_bytes bytes = wzp_bytes_of(buf, speech_bytes(&s, e->cfg.seed, buf));
        if (send_to(e, X, bytes)) {
            wzp_ledger_sent(&e->forbidden, bytes);
        }
    }
}

/* Media first, and the offer only when all of it must have arrived. */
static void step_early(wzp_ct_exec *e, wzp_time now) {
    if (e->early_at == 0) {
        send_early(e);
        e->early_at = now;
    } else if (now >= e->early_at + DRAIN) {
        e->parties[X].hold_offer = false;
        wzp_party_offer(&e->parties[X], NULL);
    }
}

static void build_pattern(wzp_ct_exec *e) {
    const wzp_ct_case *c = e->cfg.which;
    const uint32_t n = c->no_echo ? 0 : (c->echo_ms != 0 ? c->echo_ms : 1000) / 20;
    e->echo = (speech){.count = n};
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
    const wzp_ct_party *x = &e->parties[X];
    (void)snprintf(text, sizeof text, "no room within 10 s: X is %s, L is %s, control %s and %s",
                   wzp_party_state_name(x), wzp_party_state_name(&e->parties[L]),
                   wzp_party_state_name(&e->parties[KX]), wzp_party_state_name(&e->parties[KL]));
    const bool anyone = wzp_party_open(x) || wzp_party_open(&e->parties[KX]);
    decide(e, WZP_CT_FAIL, anyone ? WZP_CT_REASON_NO_RESPONSE : WZP_CT_REASON_CRASH, text, now);
}

static void step_setup(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *p = e->parties;
    if (e->cfg.which->early_media && p[X].state == WZP_PARTY_CONNECTED) {
        step_early(e, now);
    }
    const uint32_t want = e->cfg.which->late_listener ? 1 : 2;
    const bool both = p[X].room_count >= want &&
                      (e->cfg.which->late_listener || p[L].room_count >= want) &&
                      p[KX].room_count >= 2 && p[KL].room_count >= 2;
    if (both) {
        build_pattern(e);
        e->echo.from = now;
        e->control = (speech){.count = UINT64_MAX, .from = now};
        enter(e, PHASE_ECHO, now);
    } else if (now >= e->phase_at + SETUP_LIMIT || wzp_party_gone(&p[X]) ||
               wzp_party_gone(&p[KX])) {
        setup_failed(e, now);
    }
    e->wake = e->phase_at + SETUP_LIMIT;
    if (e->early_at != 0 && e->parties[X].hold_offer) {
        e->wake = e->early_at + DRAIN;
    }
}

/* --- echo, gap, pattern --------------------------------------------------------------------------
 */

static void step_echo(wzp_ct_exec *e, wzp_time now) {
    const wzp_time next = speak(e, &e->echo, X, &e->main, now);
    const wzp_time over = e->echo.from + e->echo.count * SPEECH_STEP;
    e->wake = wzp_time_min(e->wake, next != WZP_TIME_NEVER ? next : over);
    if (next == WZP_TIME_NEVER && now >= over) {
        enter(e, PHASE_GAP, now);
        if (e->cfg.which->late_listener) {
            (void)dial(e, L, e->parties[X].room, now);
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
        decide(e, WZP_CT_FAIL, WZP_CT_REASON_ALTERED,
               "the newcomer was given packets from before its join", now);
        return;
    }
    /* The echo was delivered, or the room does not work at all. */
    if (!e->cfg.which->late_listener && e->main.delivered * 100 < e->main.offered * 99) {
        e->result.offered = e->main.offered;
        e->result.delivered = e->main.delivered;
        /* A network loses some; only a relay loses everything and keeps its connections. */
        const bool any = e->main.delivered + e->side.delivered > 0;
        const bool control_too = any && e->side.delivered * 100 < e->side.offered * 95;
        decide(e, control_too ? WZP_CT_INCONCLUSIVE : WZP_CT_FAIL,
               control_too ? WZP_CT_REASON_CONTROL_LOSS : WZP_CT_REASON_NOT_FORWARDED,
               "the legitimate speech before the pattern was not delivered", now);
        return;
    }
    wzp_ledger_reset(&e->main);
    e->onset = now;
    enter(e, PHASE_PATTERN, now);
    mark(e, WZP_CT_LANE_SUBJECT, -(double)(e->echo.count * SPEECH_STEP + GAP) / 1e9, -1.2, "echo");
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
    if (!send_to(e, X, bytes)) {
        return;
    }
    wzp_ledger_sent(packet->must_not_arrive ? &e->forbidden : &e->main, bytes);
    for (uint8_t copy = 0; copy < packet->copies; copy++) {
        (void)send_to(e, X, bytes); /* a relay may drop it: it is not counted as offered */
    }
    const bool report = (packet->hdr.flags & WZP_MEDIA_QUALITY) != 0 && !packet->no_report;
    e->sent[e->result.sent++] = (wzp_ct_sent){now, (uint32_t)(len - (report && len >= 20 ? 4 : 0))};
}

static bool subject_ended(const wzp_ct_exec *e) {
    return !wzp_party_open(&e->parties[X]);
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
    mark(e, WZP_CT_LANE_SUBJECT, 0, since_onset(e, now), label);
    enter(e, PHASE_SETTLE, now);
}

/* --- settle, after -------------------------------------------------------------------------------
 */

/* Until when a reaction may still come. */
static wzp_time settle_until(const wzp_ct_exec *e) {
    const wzp_ct_party *x = &e->parties[X];
    const wzp_ct_criteria *c = &e->cfg.which->criteria;
    const bool abuse = c->rule == WZP_CT_RULE_ENF || c->rule == WZP_CT_RULE_LENIENT;
    if (x->hangup_at != WZP_TIME_NEVER && wzp_party_open(x)) {
        return wzp_time_after(x->hangup_at, CLOSE_LIMIT + DRAIN);
    }
    if (abuse && wzp_party_open(x)) {
        const wzp_time deadline = e->onset + (wzp_time)(c->deadline_s * 1e9);
        return (deadline > e->phase_at ? deadline : e->phase_at) + DRAIN;
    }
    return wzp_time_after(x->closed_at != WZP_TIME_NEVER ? x->closed_at : e->phase_at, DRAIN);
}

static void begin_after(wzp_ct_exec *e, wzp_time now) {
    char room[40];
    room_name(e, room);
    e->control.count = e->control.index; /* the control's part is over */
    enter(e, PHASE_AFTER, now);
    (void)(dial(e, AX, room, now) && dial(e, AL, room, now));
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
    const wzp_ct_party *x = &e->parties[X];
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
    r->control_hangup = wzp_party_gone(&e->parties[KX]) || wzp_party_gone(&e->parties[KL]) ||
                        e->parties[KX].hangup_at != WZP_TIME_NEVER;
    if (wzp_quic_conn_stats(e->quic, x->conn, &stats)) {
        r->sent -=
            stats.datagrams_dropped_queue < r->sent ? stats.datagrams_dropped_queue : r->sent;
    }
    if (x->hangup_at != WZP_TIME_NEVER) {
        r->hangup_s = since_onset(e, x->hangup_at);
        (void)snprintf(r->hangup_code, sizeof r->hangup_code, "%s", x->hangup_code);
        mark(e, WZP_CT_LANE_SUBJECT, r->hangup_s, r->hangup_s, "hangup");
    }
    if (x->closed_at != WZP_TIME_NEVER) {
        r->close_s = since_onset(e, x->closed_at);
        r->close_code = x->close.code;
        (void)snprintf(r->close_reason, sizeof r->close_reason, "%.60s", x->close.reason);
        mark(e, WZP_CT_LANE_SUBJECT, r->close_s, r->close_s, "close");
    }
    r->after_close = e->main.late;
    char label[64];
    (void)snprintf(label, sizeof label, "%llu of %llu received", (unsigned long long)r->delivered,
                   (unsigned long long)r->offered);
    mark(e, WZP_CT_LANE_LISTENER, 0, since_onset(e, e->phase_at), label);
    (void)snprintf(label, sizeof label, "%llu of %llu received",
                   (unsigned long long)r->control_delivered,
                   (unsigned long long)r->control_offered);
    mark(e, WZP_CT_LANE_CONTROL, 0, since_onset(e, e->phase_at), label);
    if (e->cfg.which->criteria.deadline_s > 0) {
        mark(e, WZP_CT_LANE_EXPECTED, 0, e->cfg.which->criteria.deadline_s, "hangup due");
    }
}

/* The relay's mode, as A-01's traffic shows it. */
static void learn_mode(wzp_ct_exec *e) {
    const wzp_ct_run *r = &e->result;
    e->mode = r->hangup_s >= 0                        ? WZP_CT_MODE_ENFORCE
              : r->delivered * 100 >= r->offered * 99 ? WZP_CT_MODE_OBSERVE
                                                      : WZP_CT_MODE_DROP;
    char text[96];
    (void)snprintf(text, sizeof text, "mode: %s; ", wzp_ct_mode_name(e->mode));
    char rest[400];
    (void)snprintf(rest, sizeof rest, "%.390s", r->actual);
    (void)snprintf(e->result.actual, sizeof e->result.actual, "%s%s", text, rest);
}

static void conclude(wzp_ct_exec *e, bool served_after, wzp_time now) {
    const wzp_ct_party *x = &e->parties[X];
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
        const bool gone = wzp_party_gone(&e->parties[KX]);
        e->result.grade = gone ? WZP_CT_FAIL : WZP_CT_INCONCLUSIVE;
        e->result.reason = gone ? WZP_CT_REASON_CRASH : WZP_CT_REASON_IP_BLOCK;
    }
    finish(e, now);
}

static void step_after(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *p = e->parties;
    const bool joined = p[AX].room_count >= 2 && p[AL].room_count >= 2;
    if (joined && e->after.count == 0) {
        e->after = (speech){.count = 100, .from = now};
    }
    const wzp_time next = speak(e, &e->after, AX, &e->side, now);
    const wzp_time over = e->after.from + 100 * SPEECH_STEP + DRAIN / 2;
    if (e->after.count > 0 && now >= over) {
        conclude(e, e->side.delivered * 100 >= e->side.offered * 95, now);
    } else if (e->after.count == 0 && now >= e->phase_at + AFTER_LIMIT) {
        conclude(e, false, now);
    }
    e->wake = wzp_time_min(e->wake, e->after.count == 0 ? e->phase_at + AFTER_LIMIT
                                                        : (next != WZP_TIME_NEVER ? next : over));
}

/* --- exchanges
 * ------------------------------------------------------------------------------------ */

static void begin_exchange(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_exchange *ex = &e->cfg.which->exchange;
    char room[40];
    room_name(e, room);
    if (e->tries == 0) {
        e->onset = now;
    }
    enter(e, PHASE_EXCHANGE, now);
    wzp_ct_party *x = &e->parties[e->tries == 0 ? X : L];
    x->hold_offer = true;
    if (!wzp_party_dial(x, e->quic, names[e->tries == 0 ? X : L], ex->sni != NULL ? ex->sni : room,
                        ex->alpn, &e->local, &e->cfg.target, false, e->cfg.rng, now)) {
        decide(e, WZP_CT_INCONCLUSIVE, WZP_CT_REASON_SENDER_RATE,
               "no connection could be made here", now);
    }
}

static void send_exchange(wzp_ct_exec *e, wzp_ct_party *x) {
    const wzp_ct_exchange *ex = &e->cfg.which->exchange;
    x->hold_offer = false;
    if (e->tries == 0) {
        wzp_party_offer_json(x, e->offer, sizeof e->offer, ex->bad_signature);
        if (ex->edit != NULL) {
            ex->edit(e->offer);
        }
    }
    wzp_party_offer(x, e->offer);
}

static void describe(wzp_ct_exec *e, const wzp_ct_party *x, wzp_time now) {
    char closed[200] = "connection open";
    if (x->closed_at != WZP_TIME_NEVER) {
        (void)snprintf(closed, sizeof closed, "closed after %.2f s (%s, code 0x%llx, \"%s\")",
                       since_onset(e, x->closed_at),
                       x->close.kind == WZP_QUIC_CLOSE_PEER_TRANSPORT ? "transport" : "application",
                       (unsigned long long)x->close.code, x->close.reason);
        mark(e, WZP_CT_LANE_SUBJECT, since_onset(e, x->closed_at), since_onset(e, x->closed_at),
             "close");
        e->result.close_s = since_onset(e, x->closed_at);
    }
    (void)snprintf(e->result.actual, sizeof e->result.actual, "%s%s%s%s, %s",
                   x->answered ? (x->answer_valid ? "valid CallAnswer" : "INVALID CallAnswer")
                               : "no CallAnswer",
                   x->room_count > 0 ? ", RoomUpdate" : "",
                   x->mismatch ? ", ProtocolVersionMismatch" : "",
                   x->hangup_at != WZP_TIME_NEVER && !x->mismatch ? ", Hangup" : "", closed);
    mark(e, WZP_CT_LANE_EXPECTED, 0, e->cfg.which->exchange.deadline_s, "reaction due");
    (void)now;
}

/* 1 as required, 0 not yet, -1 never any more. */
static int response_so_far(const wzp_ct_exec *e, const wzp_ct_party *x) {
    const bool gone = x->closed_at != WZP_TIME_NEVER;
    switch (e->cfg.which->exchange.response) {
    case WZP_CT_ANSWER:
        return x->answered && x->answer_valid && x->room_count > 0 ? 1 : gone ? -1 : 0;
    case WZP_CT_MISMATCH:
        return x->answered ? -1 : gone ? (x->mismatch ? 1 : -1) : 0;
    case WZP_CT_REFUSAL:
        return x->answered || x->room_count > 0 ? -1 : gone ? 1 : 0;
    case WZP_CT_NO_ROOM:
        return x->room_count > 0 ? -1 : gone ? 1 : 0;
    case WZP_CT_ALPN_ALERT:
        return gone
                   ? (x->close.kind == WZP_QUIC_CLOSE_PEER_TRANSPORT && x->close.code == 0x178 ? 1
                                                                                               : -1)
               : x->state != WZP_PARTY_CONNECTING ? -1
                                                  : 0;
    case WZP_CT_DESCRIBE:
        return gone || x->room_count > 0 ? 1 : 0;
    }
    return -1;
}

static const char *required(wzp_ct_response response) {
    switch (response) {
    case WZP_CT_ANSWER:
        return "a CallAnswer whose signature verifies, and a RoomUpdate";
    case WZP_CT_MISMATCH:
        return "Hangup ProtocolVersionMismatch that names version 2, then a close";
    case WZP_CT_REFUSAL:
        return "a close without CallAnswer and without RoomUpdate";
    case WZP_CT_NO_ROOM:
        return "a close before any RoomUpdate";
    case WZP_CT_ALPN_ALERT:
        return "TLS alert no_application_protocol (0x178)";
    case WZP_CT_DESCRIBE:
        return "any behaviour; it is only described";
    }
    return "";
}

static void step_exchange(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_exchange *ex = &e->cfg.which->exchange;
    wzp_ct_party *x = &e->parties[e->tries == 0 ? X : L];
    const wzp_time deadline = e->phase_at + (wzp_time)(ex->deadline_s * 1e9);
    if (x->hold_offer && x->state == WZP_PARTY_CONNECTED) {
        send_exchange(e, x);
    }
    const int so_far = response_so_far(e, x);
    if (so_far > 0 && ex->twice && e->tries == 0) {
        e->tries++;
        begin_exchange(e, now);
        return;
    }
    if (so_far != 0 || now >= deadline) {
        (void)snprintf(e->result.expected, sizeof e->result.expected, "%s within %.0f s",
                       required(ex->response), ex->deadline_s);
        describe(e, x, now);
        const bool pass = so_far > 0 || ex->response == WZP_CT_DESCRIBE;
        e->result.grade = pass ? WZP_CT_PASS : WZP_CT_FAIL;
        e->result.reason = pass         ? WZP_CT_REASON_NONE
                           : so_far < 0 ? WZP_CT_REASON_WRONG_RESPONSE
                                        : WZP_CT_REASON_NO_RESPONSE;
        if (!pass && x->close.kind == WZP_QUIC_CLOSE_HANDSHAKE_TIMEOUT) {
            e->result.reason = WZP_CT_REASON_CRASH;
        }
        finish(e, now);
    }
    e->wake = wzp_time_min(e->wake, deadline);
}

/* --- events
 * --------------------------------------------------------------------------------------- */

static int who_is(const wzp_ct_exec *e, wzp_quic_conn conn) {
    for (int i = 0; i < PARTIES; i++) {
        if (e->parties[i].conn == conn && conn != 0) {
            return i;
        }
    }
    return -1;
}

static void on_datagram(wzp_ct_exec *e, int who, wzp_bytes bytes, wzp_time now) {
    if (who == KL || who == AL) {
        wzp_ledger_got(&e->side, bytes, false);
    } else if (who == L && e->phase >= PHASE_ECHO) {
        if (wzp_ledger_knows(&e->forbidden, bytes)) {
            wzp_ledger_got(&e->forbidden, bytes, false);
            return;
        }
        /* Packets that were on their way when X was cut off are no fault: allow them 200 ms. */
        const wzp_ct_party *x = &e->parties[X];
        const bool late = x->closed_at != WZP_TIME_NEVER && now > x->closed_at + 200 * WZP_MS;
        wzp_ledger_got(&e->main, bytes, late);
    } else if (who == X) {
        e->main.unknown++; /* nobody else sends in this room: an echo, or somebody else's */
    }
}

static void drain(wzp_ct_exec *e, wzp_time now) {
    wzp_quic_event ev;
    while (wzp_quic_next_event(e->quic, &ev)) {
        const int who = who_is(e, ev.conn);
        if (who < 0) {
            continue;
        }
        if (ev.kind == WZP_QUIC_DATAGRAM) {
            on_datagram(e, who, ev.body, now);
        } else {
            wzp_party_event(&e->parties[who], &ev, now, e->cfg.evidence);
        }
    }
}

static void step(wzp_ct_exec *e, wzp_time now) {
    e->wake = WZP_TIME_NEVER;
    if (e->phase >= PHASE_ECHO && e->phase <= PHASE_SETTLE) {
        e->wake = speak(e, &e->control, KX, &e->side, now);
    }
    switch (e->phase) {
    case PHASE_SETUP:
        step_setup(e, now);
        break;
    case PHASE_ECHO:
        step_echo(e, now);
        break;
    case PHASE_GAP:
        step_gap(e, now);
        break;
    case PHASE_PATTERN:
        step_pattern(e, now);
        break;
    case PHASE_SETTLE:
        step_settle(e, now);
        break;
    case PHASE_AFTER:
        step_after(e, now);
        break;
    case PHASE_EXCHANGE:
        step_exchange(e, now);
        break;
    case PHASE_DONE:
        break;
    }
}

/* --- packet core
 * ----------------------------------------------------------------------------------- */

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    wzp_ct_exec *e = self;
    wzp_evidence_packet(e->cfg.evidence, &path->remote, &path->local, payload, now);
    wzp_quic_recv(e->quic, path, ecn, payload, now);
    drain(e, now);
}

static void core_tick(void *self, wzp_time now) {
    wzp_ct_exec *e = self;
    wzp_quic_tick(e->quic, now);
    drain(e, now);
    phase before;
    do { /* a phase that ends may let the next one begin at once */
        before = e->phase;
        step(e, now);
    } while (e->phase != before && e->phase != PHASE_DONE);
}

static wzp_time core_deadline(const void *self) {
    const wzp_ct_exec *e = self;
    return wzp_time_min(wzp_quic_deadline(e->quic), e->wake);
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    wzp_ct_exec *e = self;
    const size_t n = wzp_quic_next_packet(e->quic, now, buf, cap, meta);
    for (size_t at = 0; e->cfg.evidence != NULL && at < n; at += meta->segment) {
        const size_t len = n - at < meta->segment ? n - at : meta->segment;
        wzp_evidence_packet(e->cfg.evidence, &e->local, &meta->path.remote,
                            wzp_bytes_of(buf + at, len), now);
    }
    return n;
}

wzp_core wzp_ct_exec_core(wzp_ct_exec *e) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next_packet};
    return (wzp_core){e, &ops};
}

/* --- life
 * ------------------------------------------------------------------------------------------ */

static void on_keylog(void *ctx, wzp_quic_conn conn, const char *line) {
    wzp_ct_exec *e = ctx;
    (void)conn;
    wzp_evidence_secret(e->cfg.evidence, line);
}

wzp_ct_exec *wzp_ct_exec_new(const wzp_ct_exec_cfg *cfg, wzp_time now) {
    wzp_ct_exec *e = calloc(1, sizeof *e);
    if (e == NULL) {
        return NULL;
    }
    e->cfg = *cfg;
    e->started = now;
    e->result.hangup_s = e->result.close_s = -1;
    wzp_prng_init(&e->prng, cfg->seed, "run");
    if (cfg->deterministic) {
        e->cfg.rng = wzp_prng_rng(&e->prng);
    }
    for (int i = 0; i < PARTIES; i++) {
        wzp_party_init(&e->parties[i]);
    }
    const wzp_quic_cfg quic = {.rng = e->cfg.rng,
                               .loopback_mtu = false,
                               .datagram_queue_bytes = 262144,
                               .deterministic = cfg->deterministic,
                               .keylog = cfg->evidence != NULL ? on_keylog : NULL,
                               .keylog_ctx = e};
    if (wzp_quic_new(&e->quic, &quic, now) != WZP_OK) {
        wzp_ct_exec_free(&e);
    }
    return e;
}

void wzp_ct_exec_start(wzp_ct_exec *e, const wzp_addr *local, wzp_time now) {
    e->local = *local;
    e->started = now;
    e->wake = now;
    if (e->cfg.which->kind == WZP_CT_EXCHANGE) {
        begin_exchange(e, now);
    } else {
        begin_traffic(e, now);
    }
}

bool wzp_ct_exec_done(const wzp_ct_exec *e) {
    return e->phase == PHASE_DONE;
}

const wzp_ct_run *wzp_ct_exec_result(const wzp_ct_exec *e) {
    return &e->result;
}

wzp_evidence *wzp_ct_exec_evidence(wzp_ct_exec *e) {
    return e->cfg.evidence;
}

wzp_ct_mode wzp_ct_exec_mode(const wzp_ct_exec *e) {
    return e->mode;
}

void wzp_ct_exec_abort(wzp_ct_exec *e, wzp_ct_grade grade, wzp_ct_reason reason, wzp_time now) {
    if (e->phase != PHASE_DONE) {
        decide(e, grade, reason, wzp_ct_reason_text(reason), now);
    }
}

void wzp_ct_exec_free(wzp_ct_exec **exec) {
    wzp_ct_exec *e = *exec;
    if (e == NULL) {
        return;
    }
    wzp_quic_free(&e->quic);
    wzp_ct_pattern_free(&e->pattern);
    wzp_ledger_clear(&e->main);
    wzp_ledger_clear(&e->side);
    wzp_ledger_clear(&e->forbidden);
    wzp_evidence_free(&e->cfg.evidence);
    free(e->sent);
    free(e);
    *exec = NULL;
}
