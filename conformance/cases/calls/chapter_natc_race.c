/* Clients in a direct call: roles, race, agreement, and what happens to a path (nat sheet, part 3:
 * race and negotiation, mid-call). */
#include <string.h>

#include "conformance/cases/calls/call_steps.h"
#include "conformance/cases/macros.h"

static const wzp_ct_observes smaller = WZP_CT_OBSERVES_SMALLER; /* it accepts */
static const wzp_ct_observes larger = WZP_CT_OBSERVES_LARGER;   /* it dials */
static const wzp_ct_observes same = WZP_CT_OBSERVES_SAME_IP;    /* it dials, in one network */

static const wzp_ct_setting nowhere = {.is_nowhere = true};
static const wzp_ct_setting dead = {.is_dead = true};
static const wzp_ct_setting equal = {.is_like_its_own = true, .has_lan = true};
static const wzp_ct_setting with_lan = {.has_lan = true, .has_mapped = true};
static const wzp_ct_setting with_rubbish = {.has_lan = true, .has_rubbish = true};
static const wzp_ct_setting all_dead = {.is_dead = true, .relay_is_dead = true};
static const wzp_ct_setting no_route = {.reflexive = "255.255.255.255:9"};

#define IN_ROOM(seconds, setting)                                                                  \
    {                                                                                              \
        .required = "its sound goes over the relay", .within_s = (seconds),                        \
        .begin = wzp_ct_call_set_up, .go = wzp_ct_call_in_room, .late = WZP_CT_REASON_LATE,        \
        .arg = (setting)                                                                           \
    }
#define WE_REPORT(what, text, go_, seconds)                                                        \
    {                                                                                              \
        .required = (text), .within_s = (seconds), .begin = wzp_ct_call_report, .go = (go_),       \
        .late = WZP_CT_REASON_LATE, .never = WZP_CT_REASON_WRONG_RESPONSE,                         \
        .arg = &wzp_ct_call_##what                                                                 \
    }
#define DIRECT                                                                                     \
    WE_REPORT(yes, "both agree: its sound goes over the direct path alone",                        \
              wzp_ct_call_goes_direct, 8)
#define PLAIN &wzp_ct_call_plain

/* --- roles ------------------------------------------------------------------------------------ */

static const wzp_ct_act nat080[] = {WZP_CT_CALL_OPEN(&larger), WZP_CT_CALL_DIALS(PLAIN)};
/* Port 9 is the smaller number, but its text comes later. */
static const wzp_ct_act nat080b[] = {WZP_CT_CALL_OPEN(&same), WZP_CT_CALL_DIALS(PLAIN)};

/* It may tickle, but not dial: a deployed dialler would keep the connection for its next call. */
static wzp_ct_so_far go_waits(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_visits *v = &wzp_ct_play_caller(e)->visits[WZP_CT_AT_PEER];
    (void)now;
    if (v->initials > 0) {
        wzp_ct_play_say(e, "it dials us, although its address comes first");
        return WZP_CT_NEVER;
    }
    return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
}

static const wzp_ct_act nat080c[] = {
    WZP_CT_CALL_OPEN(&smaller),
    {"it does not dial us", 1, wzp_ct_call_set_up, go_waits, WZP_CT_REASON_NONE,
     WZP_CT_REASON_WRONG_RESPONSE, PLAIN},
    {"it takes our direct connection", 3, NULL, wzp_ct_call_we_dial, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_NONE, NULL},
};

/* Who calls has nothing to do with it. */
static const wzp_ct_act nat080f[] = {WZP_CT_CALL_PLACED(&larger), WZP_CT_CALL_DIALS(PLAIN)};
static const wzp_ct_act nat080g[] = {
    WZP_CT_CALL_PLACED(&smaller),
    {"it does not dial us", 1, wzp_ct_call_set_up, go_waits, WZP_CT_REASON_NONE,
     WZP_CT_REASON_WRONG_RESPONSE, PLAIN},
    {"it takes our direct connection", 3, NULL, wzp_ct_call_we_dial, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_NONE, NULL},
};

/* Nothing but the relay. */
static wzp_ct_so_far go_no_race(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_signal *report = c->last[WZP_SIGNAL_MEDIA_PATH_REPORT];
    (void)now;
    if (c->visits[WZP_CT_AT_LAN].datagrams + c->visits[WZP_CT_AT_PEER].datagrams > 0 ||
        (report != NULL && report->u.MediaPathReport.direct_ok)) {
        wzp_ct_play_say(e, "it looks for a direct path");
        return WZP_CT_NEVER;
    }
    return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
}

#define NO_RACE(setting)                                                                           \
    IN_ROOM(8, setting), {                                                                         \
        .required = "it looks for no direct path", .within_s = 2, .go = go_no_race,                \
        .never = WZP_CT_REASON_WRONG_RESPONSE                                                      \
    }
static const wzp_ct_act nat080d[] = {WZP_CT_CALL_OPEN(&same), NO_RACE(&equal)};
static const wzp_ct_act nat080e[] = {WZP_CT_CALL_OPEN(&same), NO_RACE(&nowhere)};

/* --- whom it dials, and how ------------------------------------------------------------------- */

static wzp_ct_so_far go_name(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_ct_call_state *st = wzp_ct_play_state(e);
    (void)now;
    if (strncmp(st->direct->sni, "call-", 5) == 0 && strcmp(st->direct->sni + 5, c->room) == 0) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e, "it asks us for \"%s\", and the room is %s", st->direct->sni, c->room);
    return WZP_CT_NEVER;
}

static const wzp_ct_act nat081[] = {
    WZP_CT_CALL_OPEN(&larger),
    WZP_CT_CALL_DIALS(PLAIN),
    {"it names the call: call-ROOM", 1, NULL, go_name, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_WRONG_RESPONSE, NULL},
    WE_REPORT(no, "over the relay it asks for the room", wzp_ct_call_in_room, 6),
};

/* One that stood there would make the others needless. */
static bool set_up_deaf(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_caller(e)->is_deaf[WZP_CT_AT_LAN] = true;
    return wzp_ct_call_set_up(e, now);
}

static wzp_ct_so_far go_spares_lan(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    (void)now;
    if (c->visits[WZP_CT_AT_LAN].datagrams > 0) {
        wzp_ct_play_say(e, "%llu datagrams came to the address in our own network",
                        (unsigned long long)c->visits[WZP_CT_AT_LAN].datagrams);
        return WZP_CT_NEVER;
    }
    return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
}

static const wzp_ct_act nat082[] = {
    WZP_CT_CALL_OPEN(&larger),
    {"it dials us", 4, set_up_deaf, wzp_ct_call_it_dials, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_NONE, &with_lan},
    {"it sends nothing to the address in our network", 2, NULL, go_spares_lan, WZP_CT_REASON_NONE,
     WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

static wzp_ct_so_far go_dials_both(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    (void)now;
    return c->visits[WZP_CT_AT_LAN].initials > 0 && c->visits[WZP_CT_AT_PEER].initials > 0
               ? WZP_CT_HAPPENED
           : wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET
                                  : WZP_CT_NEVER;
}

#define BOTH(setting)                                                                              \
    {                                                                                              \
        .required = "it dials the address in our network and the reflexive one", .within_s = 3,    \
        .begin = set_up_deaf, .go = go_dials_both, .late = WZP_CT_REASON_NO_RESPONSE,              \
        .arg = (setting)                                                                           \
    }

static const wzp_ct_act nat082b[] = {WZP_CT_CALL_OPEN(&same), BOTH(&with_lan)};
static const wzp_ct_act nat068[] = {WZP_CT_CALL_OPEN(&same), BOTH(&with_rubbish)};

/* --- the race --------------------------------------------------------------------------------- */

static const wzp_ct_act nat083[] = {WZP_CT_CALL_OPEN(&larger), IN_ROOM(3.7, &dead)};

static const wzp_ct_act nat083c[] = {WZP_CT_CALL_PLACED(&larger), IN_ROOM(3.7, &dead)};

/* It hangs up, or its program ends. */
static wzp_ct_so_far go_gives_up(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_ct_fate fate = wzp_ct_play_fate(e);
    (void)now;
    if (fate == WZP_CT_CRASHED || wzp_ct_play_server(e)->media.packets > 0) {
        return WZP_CT_NEVER;
    }
    return c->heard[WZP_SIGNAL_HANGUP] > 0 || fate == WZP_CT_EXITED || c->signal == 0
               ? WZP_CT_HAPPENED
               : WZP_CT_NOT_YET;
}

#define GIVES_UP(seconds, setting)                                                                 \
    {                                                                                              \
        .required = "it ends the call, which has no path", .within_s = (seconds),                  \
        .begin = wzp_ct_call_set_up, .go = go_gives_up, .late = WZP_CT_REASON_LATE,                \
        .arg = (setting)                                                                           \
    }

static const wzp_ct_act nat083b[] = {WZP_CT_CALL_OPEN(&larger), GIVES_UP(10.3, &all_dead)};

static wzp_ct_so_far go_reports_no(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_signal *report = c->last[WZP_SIGNAL_MEDIA_PATH_REPORT];
    (void)now;
    if (report == NULL) {
        return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
    }
    if (!report->u.MediaPathReport.direct_ok &&
        wzp_bytes_equal(report->u.MediaPathReport.call_id, wzp_bytes_str(c->call_id))) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e, "it reports: %.160s", c->last_json[WZP_SIGNAL_MEDIA_PATH_REPORT]);
    return WZP_CT_NEVER;
}

static const wzp_ct_act nat084[] = {
    WZP_CT_CALL_OPEN(&larger),
    {"it reports that the direct path does not work", 7, wzp_ct_call_set_up, go_reports_no,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_WRONG_RESPONSE, &dead},
};
static const wzp_ct_act nat084b[] = {WZP_CT_CALL_OPEN(&smaller), WZP_CT_CALL_ACCEPTS(PLAIN),
                                     WZP_CT_CALL_REPORTS_IT};

/* --- agreement -------------------------------------------------------------------------------- */

static const wzp_ct_act nat085[] = {WZP_CT_CALL_OPEN(&smaller), WZP_CT_CALL_ACCEPTS(PLAIN),
                                    WZP_CT_CALL_REPORTS_IT, DIRECT};
static const wzp_ct_act nat085b[] = {WZP_CT_CALL_OPEN(&larger), WZP_CT_CALL_DIALS(PLAIN),
                                     WZP_CT_CALL_REPORTS_IT, DIRECT};
static const wzp_ct_act nat085f[] = {WZP_CT_CALL_PLACED(&larger), WZP_CT_CALL_DIALS(PLAIN),
                                     WZP_CT_CALL_REPORTS_IT, DIRECT};
static const wzp_ct_act nat085c[] = {
    WZP_CT_CALL_OPEN(&larger), WZP_CT_CALL_DIALS(PLAIN), WZP_CT_CALL_REPORTS_IT,
    WE_REPORT(no, "we do not: its sound goes over the relay alone", wzp_ct_call_goes_by_relay, 8)};
static const wzp_ct_act nat085d[] = {
    WZP_CT_CALL_OPEN(&larger),
    {"it reports that the direct path does not work", 7, wzp_ct_call_set_up, go_reports_no,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_WRONG_RESPONSE, &dead},
    WE_REPORT(yes, "we say that it does: its sound goes over the relay alone",
              wzp_ct_call_goes_by_relay, 8)};

static bool begin_silence(wzp_ct_exec *e, wzp_time now) {
    (void)wzp_ct_call_begin(e, now);
    return true;
}

static const wzp_ct_act nat085e[] = {
    WZP_CT_CALL_OPEN(&larger),
    WZP_CT_CALL_DIALS(PLAIN),
    WZP_CT_CALL_REPORTS_IT,
    {"nobody reports to it: within 5 s its sound goes over the relay", 6, begin_silence,
     wzp_ct_call_in_room, WZP_CT_REASON_LATE, WZP_CT_REASON_NONE, NULL},
    {"and over the relay alone", 6, begin_silence, wzp_ct_call_goes_by_relay, WZP_CT_REASON_LATE,
     WZP_CT_REASON_WRONG_RESPONSE, NULL}};

static bool is_closed_well(wzp_ct_exec *e, const wzp_quic_close_info *close) {
    if (close->kind == WZP_QUIC_CLOSE_PEER_APP && close->code == 0) {
        return true;
    }
    wzp_ct_play_say(e, "it ended with \"%s\", code %llu", wzp_quic_close_text(close),
                    (unsigned long long)close->code);
    return false;
}

static wzp_ct_so_far go_leaves_direct(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_call_state *st = wzp_ct_play_state(e);
    wzp_ct_call_speak(e, now);
    return st->direct->closed_at == WZP_TIME_NEVER ? WZP_CT_NOT_YET
           : is_closed_well(e, &st->direct->close) ? WZP_CT_HAPPENED
                                                   : WZP_CT_NEVER;
}

static const wzp_ct_act nat086[] = {
    WZP_CT_CALL_OPEN(&larger), WZP_CT_CALL_DIALS(PLAIN), WZP_CT_CALL_REPORTS_IT,
    WE_REPORT(no, "it closes the direct connection with code 0", go_leaves_direct, 3)};

/* If it had one at all. */
static wzp_ct_so_far go_leaves_relay(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_server *s = wzp_ct_play_server(e);
    wzp_ct_call_speak(e, now);
    return s->state == WZP_CT_SERVER_GONE
               ? (is_closed_well(e, &s->close) ? WZP_CT_HAPPENED : WZP_CT_NEVER)
           : s->state == WZP_CT_SERVER_WAITS && wzp_ct_play_elapsed(e, now) > 2500 * WZP_MS
               ? WZP_CT_HAPPENED
               : WZP_CT_NOT_YET;
}

static wzp_ct_so_far go_room_or_not(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_call_speak(e, now);
    return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
}

static const wzp_ct_act nat086b[] = {
    WZP_CT_CALL_OPEN(&larger),
    WZP_CT_CALL_DIALS(PLAIN),
    WZP_CT_CALL_REPORTS_IT,
    {"it has time to reach the relay as well", 1, NULL, go_room_or_not, WZP_CT_REASON_NONE,
     WZP_CT_REASON_NONE, NULL},
    WE_REPORT(yes, "it closes the relay's connection with code 0", go_leaves_relay, 3)};

/* Before it knows of the call's room: signals overtake each other. */
static bool report_early(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_caller_report(wzp_ct_play_caller(e), true) && wzp_ct_call_set_up(e, now);
}

static const wzp_ct_act nat087[] = {
    WZP_CT_CALL_OPEN(&smaller),
    {"it takes our direct connection", 4, report_early, wzp_ct_call_we_dial,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE, PLAIN},
    WZP_CT_CALL_REPORTS_IT,
    {"our report came early: its sound goes over the direct path alone", 8, begin_silence,
     wzp_ct_call_goes_direct, WZP_CT_REASON_LATE, WZP_CT_REASON_WRONG_RESPONSE, NULL}};

static bool report_thrice(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    return wzp_ct_call_report(e, now) && wzp_ct_caller_report(c, true) &&
           wzp_ct_caller_report(c, true);
}

static const wzp_ct_act nat087b[] = {
    WZP_CT_CALL_OPEN(&smaller),
    WZP_CT_CALL_ACCEPTS(PLAIN),
    WZP_CT_CALL_REPORTS_IT,
    {"it hears the same three times: its sound goes over the direct path alone", 8, report_thrice,
     wzp_ct_call_goes_direct, WZP_CT_REASON_LATE, WZP_CT_REASON_WRONG_RESPONSE, &wzp_ct_call_yes}};

static wzp_ct_so_far go_reports_again(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_call_state *st = wzp_ct_play_state(e);
    wzp_ct_call_speak(e, now);
    return wzp_ct_play_caller(e)->heard[WZP_SIGNAL_MEDIA_PATH_REPORT] > st->reports
               ? WZP_CT_HAPPENED
           : wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET
                                  : WZP_CT_NEVER;
}

static const wzp_ct_act nat087c[] = {
    WZP_CT_CALL_OPEN(&smaller),
    WZP_CT_CALL_ACCEPTS(PLAIN),
    WZP_CT_CALL_REPORTS_IT,
    {"its report was lost, and so nobody answers: it says it again", 2.5, begin_silence,
     go_reports_again, WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE, NULL},
    DIRECT};

/* --- strangers -------------------------------------------------------------------------------- */

static bool set_up_and_intrude(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    return wzp_ct_call_set_up(e, now) &&
           wzp_ct_caller_dial(c, WZP_CT_AT_STRANGER, NULL, now) != NULL &&
           wzp_ct_caller_dial(c, WZP_CT_AT_STRANGER, "call-call-another", now) != NULL &&
           wzp_ct_caller_dial(c, WZP_CT_AT_LAN, "call-call-another", now) != NULL;
}

/* No connection but the peer's is worth a report. */
static wzp_ct_so_far go_not_taken(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_signal *report = c->last[WZP_SIGNAL_MEDIA_PATH_REPORT];
    (void)now;
    if (report != NULL && report->u.MediaPathReport.direct_ok) {
        wzp_ct_play_say(e, "it takes a stranger's connection for ours");
        return WZP_CT_NEVER;
    }
    return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
}

static wzp_ct_so_far go_only_to_us(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    for (size_t i = 0; i < c->direct_count; i++) {
        if (c->directs[i].place != WZP_CT_AT_PEER && c->directs[i].datagrams > 0) {
            wzp_ct_play_say(e, "a stranger gets its sound");
            return WZP_CT_NEVER;
        }
    }
    return wzp_ct_call_goes_direct(e, now);
}

static const wzp_ct_act nat088[] = {
    WZP_CT_CALL_OPEN(&smaller),
    {"strangers' connections count for nothing", 0.8, set_up_and_intrude, go_not_taken,
     WZP_CT_REASON_NONE, WZP_CT_REASON_WRONG_RESPONSE, PLAIN},
    {"it takes our direct connection", 3, NULL, wzp_ct_call_we_dial, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_NONE, NULL},
    WZP_CT_CALL_REPORTS_IT,
    WE_REPORT(yes, "its sound goes over our connection alone", go_only_to_us, 8)};

enum { TICKLE_MAX = 64 };

static wzp_ct_so_far go_tickles(wzp_ct_exec *e, wzp_time now) {
    static const wzp_ct_place wanted[] = {WZP_CT_AT_PEER, WZP_CT_AT_MAPPED};
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    (void)now;
    for (size_t i = 0; i < WZP_COUNT_OF(wanted); i++) {
        const wzp_ct_visits *v = &c->visits[wanted[i]];
        if (v->loose == 0) {
            return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
        }
        if (v->longest_loose > TICKLE_MAX || !wzp_addr_equal(&v->loose_from, &c->client)) {
            wzp_ct_play_say(e, "a tickle has %zu bytes, and comes from port %u instead of %u",
                            v->longest_loose, v->loose_from.port, c->client.port);
            return WZP_CT_NEVER;
        }
    }
    return WZP_CT_HAPPENED;
}

/* 100 ms, and as much again for the way of CallSetup. */
static const wzp_ct_act nat089[] = {
    WZP_CT_CALL_OPEN(&smaller),
    {"a short datagram comes to each of our addresses from the port of QUIC", 0.25,
     wzp_ct_call_set_up, go_tickles, WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_WRONG_RESPONSE,
     &with_lan},
};

enum { JUNK = 300, AT_ONCE = 20 };

/* One byte, STUN that nobody asked for, noise, and what looks like a first packet of QUIC. */
static wzp_bytes junk(uint8_t out[WZP_CT_THROWN_MAX], unsigned n) {
    static const size_t sizes[] = {1, 20, 97, 1200};
    static const uint8_t stun[] = {1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    static const uint8_t initial[] = {0xc3, 0, 0, 0, 1, 8};
    wzp_prng prng;
    const size_t len = sizes[n % WZP_COUNT_OF(sizes)];
    wzp_prng_init(&prng, n, "junk");
    wzp_rng_fill(wzp_prng_rng(&prng), out, len);
    if (n % 4 == 0) {
        out[0] = 0;
    } else if (n % 4 == 1) {
        memcpy(out, stun, sizeof stun);
    } else if (n % 4 == 3) {
        memcpy(out, initial, sizeof initial);
    }
    return wzp_bytes_of(out, len);
}

static wzp_ct_so_far go_junk(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_call_state *st = wzp_ct_play_state(e);
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    uint8_t bytes[WZP_CT_THROWN_MAX];
    for (unsigned i = 0; i < AT_ONCE && st->done < JUNK; i++) {
        const wzp_ct_place from = st->done % 2 == 0 ? WZP_CT_AT_STRANGER : WZP_CT_AT_PEER;
        if (!wzp_ct_caller_throw(c, from, &c->client, junk(bytes, st->done))) {
            break;
        }
        st->done++;
    }
    wzp_ct_play_wake(e, now + 2 * WZP_MS);
    return !wzp_ct_call_is_up(e) ? WZP_CT_NEVER
           : st->done == JUNK    ? WZP_CT_HAPPENED
                                 : WZP_CT_NOT_YET;
}

static const wzp_ct_act nat090[] = {WZP_CT_CALL_OPEN(&smaller),
                                    {"300 datagrams of rubbish leave here", 1, wzp_ct_call_set_up,
                                     go_junk, WZP_CT_REASON_SENDER_RATE, WZP_CT_REASON_CRASH,
                                     PLAIN},
                                    {"it takes our direct connection", 3, NULL, wzp_ct_call_we_dial,
                                     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE, NULL},
                                    WZP_CT_CALL_REPORTS_IT,
                                    DIRECT};

/* --- sockets ---------------------------------------------------------------------------------- */

static wzp_ct_so_far go_one_port(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_ct_call_state *st = wzp_ct_play_state(e);
    wzp_quic_stats stats = {0};
    (void)now;
    if (!wzp_quic_conn_stats(c->quic, wzp_ct_play_server(e)->conn, &stats)) {
        return WZP_CT_UNSURE;
    }
    if (st->direct->client.port == c->client.port && stats.path.remote.port == c->client.port) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e, "it signals from port %u, dials us from %u and its room from %u",
                    c->client.port, st->direct->client.port, stats.path.remote.port);
    return WZP_CT_NEVER;
}

static const wzp_ct_act nat091[] = {
    WZP_CT_CALL_OPEN(&larger),
    WZP_CT_CALL_DIALS(PLAIN),
    WE_REPORT(no, "its sound goes over the relay", wzp_ct_call_in_room, 6),
    {"all of that comes from one port", 1, NULL, go_one_port, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

static const wzp_ct_act nat092[] = {WZP_CT_CALL_OPEN(&larger), GIVES_UP(10.3, &dead)};
static const wzp_ct_act nat092b[] = {WZP_CT_CALL_OPEN(&larger), GIVES_UP(10.3, &nowhere)};
static const wzp_ct_act nat093[] = {WZP_CT_CALL_OPEN(&larger), IN_ROOM(3.2, &no_route)};

/* --- in the call ------------------------------------------------------------------------------ */

/* Both ways: what is repeated because nobody acknowledges it would be a sign of life. */
static bool cut_direct(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_ct_call_state *st = wzp_ct_call_begin(e, now);
    c->is_deaf[WZP_CT_AT_PEER] = true;
    wzp_quic_abandon(c->quic, st->direct->conn);
    return true;
}

static wzp_ct_so_far go_relay_sound(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_call_state *st = wzp_ct_play_state(e);
    (void)now;
    return wzp_ct_play_server(e)->media.packets > st->media ? WZP_CT_HAPPENED
           : wzp_ct_call_is_up(e)                           ? WZP_CT_NOT_YET
                                                            : WZP_CT_NEVER;
}

static const wzp_ct_act nat112[] = {
    WZP_CT_CALL_OPEN(&larger),
    WZP_CT_CALL_DIALS(PLAIN),
    WZP_CT_CALL_REPORTS_IT,
    DIRECT,
    {"the direct path is cut: 2.5 s later its sound goes over the relay", 2.8, cut_direct,
     go_relay_sound, WZP_CT_REASON_LATE, WZP_CT_REASON_NONE, NULL}};

static bool say_flapping(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    const char *places[2];
    char text[2][WZP_ADDR_TEXT_MAX];
    bool ok = true;
    (void)wzp_ct_call_begin(e, now);
    places[0] = wzp_ct_caller_text(c, WZP_CT_AT_STRANGER, text[0]);
    places[1] = wzp_ct_caller_text(c, WZP_CT_AT_PEER, text[1]);
    for (uint32_t i = 1; i <= 20; i++) {
        const wzp_opt_str reflexive = {true, wzp_bytes_str(places[i % 2])};
        ok = ok && wzp_ct_caller_tell(
                       c, &(wzp_signal){.kind = WZP_SIGNAL_CANDIDATE_UPDATE,
                                        .version = 1,
                                        .u.CandidateUpdate = {.call_id = wzp_bytes_str(c->call_id),
                                                              .reflexive_addr = reflexive,
                                                              .generation = i % 5 == 4 ? 1 : i}});
    }
    return ok;
}

static const wzp_ct_act nat115[] = {
    WZP_CT_CALL_OPEN(&smaller),
    WZP_CT_CALL_ACCEPTS(PLAIN),
    WZP_CT_CALL_REPORTS_IT,
    DIRECT,
    {"twenty updates, some of them stale: its sound stays on the direct path", 8, say_flapping,
     wzp_ct_call_goes_direct, WZP_CT_REASON_LATE, WZP_CT_REASON_WRONG_RESPONSE, NULL}};

/* --- the table -------------------------------------------------------------------------------- */

#define IN_MODE(mode_, id, level_, title, must, what, script, ...)                                 \
    {                                                                                              \
        .kind = WZP_CT_PLAY, .client = WZP_CT_CLIENT_CLEAR, .mode = (mode_),                       \
        .info = {INFO(id, "RACE", title, id, must, what, "nat part 3"), .level = (level_)},        \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = sizeof(wzp_ct_call_state), __VA_ARGS__    \
    }

#define RACE(...) IN_MODE(WZP_CT_LISTENS, __VA_ARGS__)
#define PLACES(...) IN_MODE(WZP_CT_CALLS, __VA_ARGS__)

static const wzp_ct_case cases[] = {
    RACE("NAT-068", WZP_CT_MUST, "candidates that cannot be read", "skip them and use the rest",
         "local addresses of which one is good", nat068, ),
    RACE("NAT-080", WZP_CT_MUST, "role of the larger address", "dial",
         "a peer whose address comes before its own", nat080, ),
    RACE("NAT-080b", WZP_CT_MUST, "addresses are compared as text", "dial",
         "its own port is 9, and the peer's is larger", nat080b, ),
    RACE("NAT-080c", WZP_CT_MUST, "role of the smaller address",
         "accept, and dial nobody who may not expect it",
         "a peer whose address comes after its own", nat080c, ),
    RACE("NAT-080d", WZP_CT_MUST, "no role: equal addresses", "take the relay without a race",
         "a peer with the same reflexive address", nat080d, ),
    RACE("NAT-080e", WZP_CT_MUST, "no role: no address", "take the relay without a race",
         "a peer that tells nothing", nat080e, ),
    PLACES("NAT-080f", WZP_CT_MUST, "role of a caller with the larger address", "dial",
           "a callee whose address comes before its own", nat080f, ),
    PLACES("NAT-080g", WZP_CT_MUST, "role of a caller with the smaller address",
           "accept, and dial nobody who may not expect it",
           "a callee whose address comes after its own", nat080g, ),
    RACE("NAT-081", WZP_CT_MUST, "names of connections",
         "ask the peer for call-ROOM and the relay for ROOM", "a direct call", nat081, ),
    RACE("NAT-082", WZP_CT_MUST, "addresses in another network", "not dial them",
         "a peer with another reflexive IP", nat082, ),
    RACE("NAT-082b", WZP_CT_MUST, "addresses in the same network", "dial them",
         "a peer with the same reflexive IP", nat082b, ),
    RACE("NAT-083", WZP_CT_MUST, "no direct path", "be on the relay within 3.5 s",
         "a peer whom no packet reaches", nat083, ),
    PLACES("NAT-083c", WZP_CT_MUST, "no direct path to a callee", "be on the relay within 3.5 s",
           "a callee whom no packet reaches", nat083c, ),
    RACE("NAT-083b", WZP_CT_MUST, "no path at all", "end the call within 10 s",
         "neither peer nor relay answer", nat083b, ),
    RACE("NAT-084", WZP_CT_MUST, "report of a failed race", "say direct_ok: false",
         "a peer whom no packet reaches", nat084, ),
    RACE("NAT-084b", WZP_CT_MUST, "report of a race that is won",
         "say direct_ok: true, with the call's id", "a peer that dials", nat084b, ),
    RACE("NAT-085", WZP_CT_MUST, "both report a direct path, and it accepts",
         "send on the direct connection alone", "direct_ok: true", nat085, ),
    RACE("NAT-085b", WZP_CT_MUST, "both report a direct path, and it dials",
         "send on the direct connection alone", "direct_ok: true", nat085b, ),
    RACE("NAT-085c", WZP_CT_MUST, "the peer has no direct path", "send on the relay alone",
         "direct_ok: false", nat085c, ),
    RACE("NAT-085d", WZP_CT_MUST, "only the peer has a direct path", "send on the relay alone",
         "direct_ok: true, although nothing reached us", nat085d, ),
    RACE("NAT-085e", WZP_CT_MUST, "the peer does not report", "be on the relay within 5 s",
         "silence", nat085e, ),
    PLACES("NAT-085f", WZP_CT_MUST, "both report a direct path, and it has called",
           "send on the direct connection alone", "direct_ok: true", nat085f, ),
    RACE("NAT-086", WZP_CT_MUST, "a direct connection that lost", "close it with code 0",
         "direct_ok: false", nat086, ),
    RACE("NAT-086b", WZP_CT_MUST, "a relay that lost", "close its connection with code 0",
         "direct_ok: true", nat086b, ),
    RACE("NAT-087", WZP_CT_SHOULD, "a report before the set-up", "keep it",
         "direct_ok: true, then CallSetup", nat087, ),
    RACE("NAT-087b", WZP_CT_SHOULD, "a report three times", "do the same as for one",
         "direct_ok: true, three times", nat087b, ),
    RACE("NAT-087c", WZP_CT_SHOULD, "a report that is lost", "repeat it until the peer's comes",
         "silence, then direct_ok: true", nat087c, ),
    RACE("NAT-088", WZP_CT_SHOULD, "a stranger's connection", "not take it for the peer's",
         "three of other addresses or names before the peer's", nat088, ),
    RACE("NAT-089", WZP_CT_SHOULD, "tickles",
         "send a short datagram to each usable address within 100 ms, from the port of QUIC",
         "a peer with a reflexive and a mapped address", nat089, ),
    RACE("NAT-090", WZP_CT_MUST, "rubbish on the socket", "take the call all the same",
         "300 datagrams that belong to nothing", nat090, ),
    RACE("NAT-091", WZP_CT_MUST, "one socket", "signal, dial and talk from one port",
         "a direct call that ends on the relay", nat091, ),
    RACE("NAT-092", WZP_CT_MUST, "direct or not at all", "end the call, and send no sound",
         "a peer whom no packet reaches", nat092, .paths = WZP_CT_DIRECT_ONLY),
    RACE("NAT-092b", WZP_CT_MUST, "direct or not at all, without a race",
         "end the call, and send no sound", "a peer that tells nothing", nat092b,
         .paths = WZP_CT_DIRECT_ONLY),
    RACE("NAT-093", WZP_CT_SHOULD, "candidates that fail at once",
         "be on the relay within 3 s all the same", "an address that nobody can send to", nat093, ),
    RACE("NAT-112", WZP_CT_SHOULD, "a direct path that breaks", "be on the relay within 2.5 s",
         "nothing passes any more", nat112, ),
    RACE("NAT-115", WZP_CT_MUST, "updates that flap", "stay where it is",
         "twenty CandidateUpdates in a call", nat115, ),
};

const wzp_ct_chapter wzp_ct_chapter_race = {"RACE", "Clients: paths of direct calls", cases,
                                            WZP_COUNT_OF(cases)};
