#include "conformance/engine/play.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "conformance/engine/exec.h"

wzp_ct_party *wzp_ct_play_party(wzp_ct_exec *e, wzp_ct_who who) {
    return &e->parties[who];
}

const void *wzp_ct_play_arg(const wzp_ct_exec *e) {
    return e->cfg.which->acts[e->act].arg;
}

const char *wzp_ct_play_room(const wzp_ct_exec *e) {
    return e->offer;
}

void wzp_ct_play_vanish(wzp_ct_exec *e, wzp_ct_who who) {
    wzp_quic_abandon(e->quic, e->parties[who].conn);
}

void wzp_ct_play_leave(wzp_ct_exec *e, wzp_ct_who who, wzp_time now) {
    wzp_quic_close(e->quic, e->parties[who].conn, 0, "normal close", now);
}

bool wzp_ct_play_dial(wzp_ct_exec *e, wzp_ct_who who, wzp_party_dial dial, wzp_time now) {
    dial.room = dial.room != NULL ? dial.room : e->offer;
    return wzp_ct_exec_connect(e, who, &dial, now);
}

bool wzp_ct_play_join(wzp_ct_exec *e, wzp_ct_who who, const char *room, wzp_ct_who as,
                      wzp_time now) {
    const wzp_identity identity = e->parties[as].identity;
    return wzp_ct_play_dial(
        e, who, (wzp_party_dial){.room = room, .identity = as != who ? &identity : NULL}, now);
}

bool wzp_ct_play_join_with(wzp_ct_exec *e, wzp_ct_who who, const char *token, wzp_time now) {
    return wzp_ct_play_dial(e, who, (wzp_party_dial){.token = token}, now);
}

bool wzp_ct_play_register(wzp_ct_exec *e, wzp_ct_who who, wzp_time now) {
    return wzp_ct_play_dial(e, who, (wzp_party_dial){.room = "_signal", .role = WZP_PARTY_HUB},
                            now);
}

bool wzp_ct_play_link(wzp_ct_exec *e, wzp_ct_who who, const char *fingerprint, wzp_time now) {
    return wzp_ct_play_dial(
        e, who,
        (wzp_party_dial){.room = "_federation", .role = WZP_PARTY_PEER, .hello = fingerprint}, now);
}

bool wzp_ct_play_crowd(wzp_ct_exec *e, size_t count) {
    e->crowd = calloc(count, sizeof *e->crowd);
    e->crowd_conns = calloc(count, sizeof *e->crowd_conns);
    if (e->crowd == NULL || e->crowd_conns == NULL) {
        return false;
    }
    e->crowd_count = count;
    for (size_t i = 0; i < count; i++) {
        wzp_party_init(&e->crowd[i]);
    }
    return true;
}

wzp_ct_party *wzp_ct_play_extra(wzp_ct_exec *e, size_t i) {
    return &e->crowd[i];
}

bool wzp_ct_play_dial_extra(wzp_ct_exec *e, size_t i, wzp_party_dial dial, wzp_time now) {
    wzp_ct_party *p = &e->crowd[i];
    dial.room = dial.room != NULL ? dial.room : e->offer;
    dial.name = "crowd";
    dial.local = &e->locals[WZP_CT_P8];
    dial.target = &e->cfg.target;
    if (!wzp_party_connect(p, e->quic, &dial, e->cfg.rng, now)) {
        return false;
    }
    e->crowd_conns[i] = p->conn;
    return true;
}

bool wzp_ct_play_send(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes datagram) {
    return wzp_ct_exec_send(e, who, datagram);
}

void *wzp_ct_play_state(wzp_ct_exec *e) {
    return e->play_state;
}

void wzp_ct_play_make_traffic(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_case *c = e->cfg.which;
    wzp_ct_pattern_free(&e->pattern);
    wzp_ct_pattern_init(&e->pattern, e->cfg.seed, 0, 0);
    if (c->build != NULL) {
        c->build(&e->pattern, c);
    } else {
        e->pattern.end = wzp_ct_stream_add(&e->pattern, &c->stream, 0);
    }
    wzp_ct_pattern_sort(&e->pattern);
    e->next = 0;
    e->onset = now;
}

bool wzp_ct_play_send_traffic(wzp_ct_exec *e, wzp_ct_who who, wzp_time now) {
    uint8_t buf[1500];
    while (e->next < e->pattern.count && wzp_party_open(&e->parties[who]) &&
           e->onset + e->pattern.packets[e->next].due <= now) {
        const size_t len = wzp_ct_pattern_bytes(&e->pattern, e->next, e->cfg.seed, buf);
        e->result.sent += wzp_ct_exec_send(e, who, wzp_bytes_of(buf, len)) ? 1 : 0;
        e->result.scheduled++;
        e->next++;
    }
    if (e->next == e->pattern.count || !wzp_party_open(&e->parties[who])) {
        return true;
    }
    wzp_ct_play_wake(e, e->onset + e->pattern.packets[e->next].due);
    return false;
}

uint64_t wzp_ct_play_sent(const wzp_ct_exec *e) {
    return e->result.sent;
}

bool wzp_ct_play_restart(wzp_ct_exec *e, wzp_ct_identity_file file) {
    return e->cfg.relay->restart(e->cfg.relay_ctx, file);
}

bool wzp_ct_play_is_restarted(const wzp_ct_exec *e) {
    return e->cfg.relay->is_restarted(e->cfg.relay_ctx);
}

bool wzp_ct_play_be_dialled(wzp_ct_exec *e, wzp_ct_who who) {
    return e->cfg.relay->dial(e->cfg.relay_ctx, &e->locals[who]);
}

bool wzp_ct_play_is_dialling(const wzp_ct_exec *e) {
    return e->cfg.relay->is_dialling(e->cfg.relay_ctx);
}

void wzp_ct_play_narrow(wzp_ct_exec *e, wzp_ct_who who, size_t bytes) {
    e->narrow[who] = bytes;
}

char *wzp_ct_play_scrape(wzp_ct_exec *e) {
    char *page = malloc(WZP_CT_PAGE_MAX);
    if (page != NULL &&
        !e->cfg.relay->metrics(e->cfg.relay_ctx, e->cfg.which->config, page, WZP_CT_PAGE_MAX)) {
        free(page);
        page = NULL;
    }
    return page;
}

wzp_ct_mode wzp_ct_play_mode(const wzp_ct_exec *e) {
    return e->cfg.mode;
}

uint64_t wzp_ct_play_elapsed(const wzp_ct_exec *e, wzp_time now) {
    return wzp_time_since(now, e->phase_at);
}

uint64_t wzp_ct_play_lateness(const wzp_ct_exec *e) {
    return e->late_worst;
}

bool wzp_ct_play_path_loses(const wzp_ct_exec *e) {
    uint64_t sent = 0;
    uint64_t lost = 0;
    for (int i = 0; i < WZP_CT_PARTIES; i++) {
        wzp_quic_stats stats;
        if (wzp_quic_conn_stats(e->quic, e->parties[i].conn, &stats)) {
            sent += stats.packets_sent;
            lost += stats.packets_lost;
        }
    }
    return lost * 200 > sent;
}

void wzp_ct_play_wake(wzp_ct_exec *e, wzp_time at) {
    e->wake = wzp_time_min(e->wake, at);
}

wzp_ct_server *wzp_ct_play_server(const wzp_ct_exec *e) {
    return e->server;
}

wzp_ct_caller *wzp_ct_play_caller(const wzp_ct_exec *e) {
    return e->caller;
}

wzp_ct_sayings wzp_ct_play_listen(const wzp_ct_exec *e) {
    wzp_ct_sayings sayings = {0};
    if (e->subject != NULL) {
        e->cfg.clients->listen(e->cfg.clients_ctx, e->subject, &sayings);
    }
    return sayings;
}

wzp_ct_fate wzp_ct_play_fate(const wzp_ct_exec *e) {
    return e->subject != NULL ? e->cfg.clients->fate(e->cfg.clients_ctx, e->subject) : WZP_CT_RUNS;
}

wzp_ct_words wzp_ct_play_words(const wzp_ct_exec *e) {
    wzp_ct_words words = {.text = ""};
    if (e->subject != NULL) {
        e->cfg.clients->words(e->cfg.clients_ctx, e->subject, &words);
    }
    return words;
}

wzp_ct_moving wzp_ct_play_move(wzp_ct_exec *e) {
    return e->subject != NULL ? e->cfg.clients->move(e->cfg.clients_ctx, e->subject)
                              : WZP_CT_CANNOT_MOVE;
}

bool wzp_ct_play_obeys(const wzp_ct_exec *e) {
    return e->cfg.client_obeys;
}

bool wzp_ct_play_tunes(const wzp_ct_exec *e) {
    return e->cfg.client_tunes;
}

const char *wzp_ct_play_quality(const wzp_ct_exec *e) {
    return e->cfg.which->quality;
}

uint64_t wzp_ct_play_seed(const wzp_ct_exec *e) {
    return e->cfg.seed;
}

wzp_ct_so_far wzp_ct_play_lacks(wzp_ct_exec *e, const char *feature) {
    (void)snprintf(e->result.feature, sizeof e->result.feature, "%s", feature);
    return WZP_CT_LACKS;
}

void wzp_ct_play_say(wzp_ct_exec *e, const char *format, ...) {
    char *actual = e->result.actual;
    const size_t len = strlen(actual);
    const size_t room = sizeof e->result.actual - len;
    va_list args;
    va_start(args, format);
    const int n = snprintf(actual + len, room, "%s", len > 0 ? "; " : "");
    if (n >= 0 && (size_t)n < room) {
        (void)vsnprintf(actual + len + n, room - (size_t)n, format, args);
    }
    va_end(args);
}

/* --- the run of a play ------------------------------------------------------------------------ */

static const wzp_ct_act *act_of(const wzp_ct_exec *e) {
    return &e->cfg.which->acts[e->act];
}

static void begin_act(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_act *act = act_of(e);
    wzp_ct_exec_enter(e, WZP_CT_PHASE_PLAY, now);
    wzp_ct_exec_reset_pulse(e);
    wzp_evidence_event(e->cfg.evidence, now, "case", "act", act->required);
    if (act->begin != NULL && !act->begin(e, now)) {
        wzp_ct_exec_decide(e, WZP_CT_INCONCLUSIVE, WZP_CT_REASON_SENDER_RATE,
                           "no connection could be made here", now);
    }
}

static void say_client(wzp_ct_exec *e) {
    static const char *const fates[] = {"runs", "has ended", "has crashed"};
    static const char *const states[] = {"did not come", "sent no offer", "was refused",
                                         "is in the room", "has gone"};
    const wzp_ct_sayings said = wzp_ct_play_listen(e);
    wzp_ct_play_say(e, "the client %s (its program %s)", states[e->server->state],
                    fates[wzp_ct_play_fate(e)]);
    if (e->server->wrong[0] != '\0') {
        wzp_ct_play_say(e, "%s", e->server->wrong);
    }
    if (said.speaks) {
        wzp_ct_play_say(e, "it says opened %llu, forged %llu, replayed %llu, undecryptable %llu",
                        (unsigned long long)said.opened, (unsigned long long)said.forged,
                        (unsigned long long)said.replayed, (unsigned long long)said.undecryptable);
    }
}

static void say_call(wzp_ct_exec *e) {
    const wzp_ct_caller *c = e->caller;
    size_t up = 0;
    for (size_t i = 0; i < c->direct_count; i++) {
        up += c->directs[i].is_up ? 1 : 0;
    }
    wzp_ct_play_say(
        e, "%s, %u signals of it, %zu direct connections",
        c->signal != 0   ? "its signal connection stands"
        : c->signals > 0 ? "its signal connection is gone"
                         : "it did not register",
        c->heard[WZP_SIGNAL_DIRECT_CALL_ANSWER] + c->heard[WZP_SIGNAL_MEDIA_PATH_REPORT], up);
}

static void say_parties(wzp_ct_exec *e) {
    if (e->caller != NULL) {
        say_call(e);
    }
    if (e->server != NULL) {
        say_client(e);
    }
    for (int i = 0; i < WZP_CT_PARTIES; i++) {
        const wzp_ct_party *p = &e->parties[i];
        if (p->state == WZP_PARTY_GONE) {
            wzp_ct_play_say(e, "%s was closed: \"%s\"", p->name, p->close.reason);
        } else if (p->state != WZP_PARTY_IDLE) {
            wzp_ct_play_say(e, "%s is %s", p->name, wzp_party_state_name(p));
        }
    }
}

/* A failed SHOULD is a warning, and an INFO has none. */
static void grade(wzp_ct_exec *e, wzp_ct_reason reason) {
    wzp_ct_run *r = &e->result;
    const wzp_ct_level level = e->cfg.which->info.level;
    const bool told = level == WZP_CT_INFO && reason != WZP_CT_REASON_SENDER_RATE;
    r->grade = reason == WZP_CT_REASON_NONE          ? WZP_CT_PASS
               : reason == WZP_CT_REASON_SENDER_RATE ? WZP_CT_INCONCLUSIVE
               : level == WZP_CT_MUST                ? WZP_CT_FAIL
                                                     : WZP_CT_PASS;
    r->lenient = reason != WZP_CT_REASON_NONE && r->grade == WZP_CT_PASS && !told;
    r->reason = told ? WZP_CT_REASON_NONE : reason;
}

static void end(wzp_ct_exec *e, wzp_ct_reason reason, wzp_time now) {
    const wzp_ct_run *r = &e->result;
    grade(e, reason);
    (void)snprintf(e->result.expected, sizeof e->result.expected, "%s within %g s",
                   act_of(e)->required, act_of(e)->within_s);
    if (r->reason != WZP_CT_REASON_NONE) {
        wzp_ct_play_say(e, "this did not happen");
        say_parties(e);
    } else if (r->actual[0] == '\0') {
        wzp_ct_play_say(e, "all %zu acts went as required", e->cfg.which->act_count);
    }
    wzp_ct_exec_finish(e, now);
}

/* Of a call: a wrong word stays wrong, but what did not come in time may be the path's doing. */
static bool is_excused(const wzp_ct_exec *e, wzp_ct_reason reason) {
    const bool is_missing = reason == WZP_CT_REASON_LATE || reason == WZP_CT_REASON_NO_RESPONSE;
    return e->caller != NULL && is_missing && wzp_ct_caller_path_is_bad(e->caller);
}

static void end_badly(wzp_ct_exec *e, wzp_ct_reason reason, wzp_time now) {
    const bool excused = wzp_ct_exec_was_late(e, act_of(e)->within_s) || is_excused(e, reason);
    end(e, excused ? WZP_CT_REASON_SENDER_RATE : reason, now);
}

void wzp_ct_play_begin(wzp_ct_exec *e, wzp_time now) {
    char room[40];
    wzp_ct_exec_room(e, room);
    (void)snprintf(e->offer, sizeof e->offer, "%s", /* plays keep their room there */
                   e->caller != NULL ? e->caller->room : room);
    e->onset = now;
    e->play_state = calloc(1, e->cfg.which->state_size + 1);
    if (e->play_state == NULL) {
        wzp_ct_exec_decide(e, WZP_CT_INCONCLUSIVE, WZP_CT_REASON_SENDER_RATE, "out of memory", now);
        return;
    }
    begin_act(e, now);
}

static void next_act(wzp_ct_exec *e, wzp_time now) {
    char label[64];
    (void)snprintf(label, sizeof label, "%.60s", act_of(e)->required);
    wzp_ct_exec_mark(e, WZP_CT_LANE_EXPECTED, wzp_ct_exec_since_onset(e, e->phase_at),
                     wzp_ct_exec_since_onset(e, now), label);
    if (e->act + 1 == e->cfg.which->act_count) {
        end(e, WZP_CT_REASON_NONE, now);
        return;
    }
    e->act++;
    begin_act(e, now);
    e->wake = now; /* it may be over at once */
}

void wzp_ct_play_step(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_act *act = act_of(e);
    wzp_ct_exec_pulse(e, now);
    (void)wzp_ct_play_listen(e); /* or what a client says piles up, until it cannot say any more */
    const wzp_time deadline = e->phase_at + (wzp_time)(act->within_s * 1e9);
    const wzp_ct_so_far so_far = act->go != NULL ? act->go(e, now) : WZP_CT_NOT_YET;
    if (so_far == WZP_CT_NEVER) {
        end_badly(e, act->never != WZP_CT_REASON_NONE ? act->never : WZP_CT_REASON_WRONG_RESPONSE,
                  now);
    } else if (so_far == WZP_CT_UNSURE) {
        end(e, WZP_CT_REASON_SENDER_RATE, now);
    } else if (so_far == WZP_CT_LACKS) {
        if (e->result.feature[0] == '\0') {
            (void)wzp_ct_play_lacks(e, e->cfg.which->feature);
        }
        wzp_ct_exec_decide(e, WZP_CT_SKIP, WZP_CT_REASON_UNSUPPORTED,
                           wzp_ct_reason_text(WZP_CT_REASON_UNSUPPORTED), now);
    } else if (so_far == WZP_CT_HAPPENED || (now >= deadline && act->late == WZP_CT_REASON_NONE)) {
        next_act(e, now);
    } else if (now >= deadline) {
        end_badly(e, act->late, now);
    } else {
        e->wake = wzp_time_min(e->wake, deadline);
    }
}
