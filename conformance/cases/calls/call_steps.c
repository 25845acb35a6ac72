#include "conformance/cases/calls/call_steps.h"

#include <string.h>

const bool wzp_ct_call_yes = true;
const bool wzp_ct_call_no = false;
const wzp_ct_setting wzp_ct_call_plain = {.is_dead = false};

#define SPEAK_EVERY (100 * WZP_MS)
#define DIAL_AFTER (100 * WZP_MS) /* its tickle is out by then */
enum { SOME = 3 };                /* packets of a client that leaves out silence */

bool wzp_ct_call_is_up(const wzp_ct_exec *e) {
    return wzp_ct_play_caller(e)->signal != 0 && wzp_ct_play_fate(e) == WZP_CT_RUNS;
}

wzp_ct_call_state *wzp_ct_call_begin(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_call_state *st = wzp_ct_play_state(e);
    st->began = now;
    st->done = 0;
    st->media = wzp_ct_play_server(e)->media.packets;
    st->reports = wzp_ct_play_caller(e)->heard[WZP_SIGNAL_MEDIA_PATH_REPORT];
    return st;
}

/* --- the call --------------------------------------------------------------------------------- */

bool wzp_ct_call_observes(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_observes *how = wzp_ct_play_arg(e);
    (void)now;
    wzp_ct_play_caller(e)->observes = *how;
    return true;
}

wzp_ct_so_far wzp_ct_call_is_registered(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_ct_fate fate = wzp_ct_play_fate(e);
    (void)now;
    if (c->is_registered && c->signal != 0) {
        return WZP_CT_HAPPENED;
    }
    return fate == WZP_CT_RUNS                        ? WZP_CT_NOT_YET
           : fate == WZP_CT_EXITED && c->signals == 0 ? WZP_CT_UNSURE /* its command is wrong */
                                                      : WZP_CT_NEVER;
}

bool wzp_ct_call_ring(wzp_ct_exec *e, wzp_time now) {
    (void)wzp_ct_call_begin(e, now);
    return wzp_ct_caller_ring(wzp_ct_play_caller(e));
}

wzp_ct_so_far wzp_ct_call_answers(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_signal *answer = c->last[WZP_SIGNAL_DIRECT_CALL_ANSWER];
    (void)now;
    if (answer == NULL) {
        return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
    }
    if (!wzp_bytes_equal(answer->u.DirectCallAnswer.call_id, wzp_bytes_str(c->call_id)) ||
        answer->u.DirectCallAnswer.accept_mode == WZP_ACCEPT_REJECT) {
        wzp_ct_play_say(e, "it answers: %.100s", c->last_json[WZP_SIGNAL_DIRECT_CALL_ANSWER]);
        return WZP_CT_NEVER;
    }
    return WZP_CT_HAPPENED;
}

wzp_ct_so_far wzp_ct_call_offers(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_signal *offer = c->last[WZP_SIGNAL_DIRECT_CALL_OFFER];
    (void)now;
    if (offer == NULL) {
        return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
    }
    const wzp_signal_DirectCallOffer *o = &offer->u.DirectCallOffer;
    if (wzp_bytes_equal(o->target_fingerprint, wzp_bytes_str(c->identity.fingerprint)) &&
        wzp_bytes_equal(o->caller_fingerprint, wzp_bytes_str(c->fingerprint)) &&
        wzp_bytes_equal(o->call_id, wzp_bytes_str(c->call_id))) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e, "it offers: %.200s", c->last_json[WZP_SIGNAL_DIRECT_CALL_OFFER]);
    return WZP_CT_NEVER;
}

wzp_ct_so_far wzp_ct_call_told_us(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_opt_str *own = wzp_ct_caller_reflexive(c);
    (void)now;
    return own != NULL && wzp_bytes_equal(own->value, wzp_bytes_str(c->observed))
               ? WZP_CT_HAPPENED
               : wzp_ct_play_lacks(e, "direct paths");
}

/* What nobody can dial, before what can be. */
static void add_rubbish(wzp_ct_told *told) {
    static const char *const rubbish[] = {"", "example.org:4433", "10.0.0.1", "[::1:9",
                                          "300.1.1.1:9"};
    for (size_t i = 0; i < WZP_COUNT_OF(rubbish); i++) {
        told->local[told->local_count++] = rubbish[i];
    }
}

bool wzp_ct_call_set_up(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_setting *s = wzp_ct_play_arg(e);
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    char peer[WZP_ADDR_TEXT_MAX];
    char lan[WZP_ADDR_TEXT_MAX];
    char mapped[WZP_ADDR_TEXT_MAX];
    wzp_ct_told told = {.local_count = 0};
    (void)wzp_ct_call_begin(e, now);
    if (!s->is_nowhere) {
        told.reflexive =
            wzp_ct_caller_text(c, s->is_dead ? WZP_CT_AT_NOBODY : WZP_CT_AT_PEER, peer);
    }
    told.reflexive = s->reflexive != NULL ? s->reflexive
                     : s->is_like_its_own ? c->observed
                                          : told.reflexive;
    if (s->has_rubbish) {
        add_rubbish(&told);
    }
    if (s->has_lan) {
        told.local[told.local_count++] = wzp_ct_caller_text(c, WZP_CT_AT_LAN, lan);
    }
    told.mapped = s->has_mapped ? wzp_ct_caller_text(c, WZP_CT_AT_MAPPED, mapped) : NULL;
    if (c->last[WZP_SIGNAL_DIRECT_CALL_OFFER] != NULL && !wzp_ct_caller_take(c)) {
        return false;
    }
    return wzp_ct_caller_set_up(c, &told, s->relay_is_dead ? WZP_CT_AT_NOBODY : WZP_CT_AT_RELAY,
                                now);
}

wzp_ct_so_far wzp_ct_call_in_room(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_server *s = wzp_ct_play_server(e);
    (void)now;
    return wzp_ct_server_has_client(s)          ? WZP_CT_HAPPENED
           : s->state == WZP_CT_SERVER_REFUSED  ? WZP_CT_NEVER
           : s->elsewhere > 0                   ? WZP_CT_NEVER
           : wzp_ct_play_fate(e) == WZP_CT_RUNS ? WZP_CT_NOT_YET
                                                : WZP_CT_NEVER;
}

wzp_ct_so_far wzp_ct_call_stays(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_call_speak(e, now);
    return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
}

/* --- direct connections ----------------------------------------------------------------------- */

void wzp_ct_call_speak(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_call_state *st = wzp_ct_play_state(e);
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    for (size_t i = 0; i < c->direct_count && now >= st->spoke_at + SPEAK_EVERY; i++) {
        const wzp_ct_direct *d = &c->directs[i];
        if (d->is_up && d->closed_at == WZP_TIME_NEVER && d->place != WZP_CT_AT_STRANGER) {
            (void)wzp_ct_caller_speak(c, d, 1000 + st->spoken);
        }
    }
    if (now >= st->spoke_at + SPEAK_EVERY) {
        st->spoken++;
        st->spoke_at = now;
    }
    wzp_ct_play_wake(e, st->spoke_at + SPEAK_EVERY);
}

/* Nothing of it is seen, although it has said where it is. */
static bool is_inert(const wzp_ct_exec *e) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    return c->visits[WZP_CT_AT_PEER].datagrams == 0 && c->visits[WZP_CT_AT_NOBODY].datagrams == 0 &&
           c->heard[WZP_SIGNAL_MEDIA_PATH_REPORT] == 0;
}

static wzp_ct_so_far is_connected(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_call_state *st = wzp_ct_play_state(e);
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    st->direct = wzp_ct_caller_direct(c, WZP_CT_AT_PEER);
    if (st->direct != NULL) {
        return WZP_CT_HAPPENED;
    }
    if (!wzp_ct_call_is_up(e)) {
        return WZP_CT_NEVER;
    }
    const bool is_over = wzp_ct_play_elapsed(e, now) > 3500 * WZP_MS;
    return is_over && is_inert(e) ? wzp_ct_play_lacks(e, "direct paths") : WZP_CT_NOT_YET;
}

wzp_ct_so_far wzp_ct_call_it_dials(wzp_ct_exec *e, wzp_time now) {
    return is_connected(e, now);
}

wzp_ct_so_far wzp_ct_call_we_dial(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_call_state *st = wzp_ct_play_state(e);
    if (!st->has_dialled && wzp_ct_play_elapsed(e, now) >= DIAL_AFTER) {
        st->has_dialled = true;
        if (wzp_ct_caller_dial(wzp_ct_play_caller(e), WZP_CT_AT_PEER, NULL, now) == NULL) {
            return WZP_CT_UNSURE;
        }
    }
    wzp_ct_play_wake(e, now + DIAL_AFTER);
    return is_connected(e, now);
}

wzp_ct_so_far wzp_ct_call_reports(wzp_ct_exec *e, wzp_time now) {
    const bool *want = wzp_ct_play_arg(e);
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    const wzp_signal *report = c->last[WZP_SIGNAL_MEDIA_PATH_REPORT];
    wzp_ct_call_speak(e, now);
    if (report == NULL) {
        return wzp_ct_call_is_up(e) ? WZP_CT_NOT_YET : WZP_CT_NEVER;
    }
    if (report->u.MediaPathReport.direct_ok != *want ||
        !wzp_bytes_equal(report->u.MediaPathReport.call_id, wzp_bytes_str(c->call_id))) {
        wzp_ct_play_say(e, "it reports: %.160s", c->last_json[WZP_SIGNAL_MEDIA_PATH_REPORT]);
        return WZP_CT_NEVER;
    }
    return WZP_CT_HAPPENED;
}

bool wzp_ct_call_report(wzp_ct_exec *e, wzp_time now) {
    const bool *what = wzp_ct_play_arg(e);
    (void)wzp_ct_call_begin(e, now);
    return wzp_ct_caller_report(wzp_ct_play_caller(e), *what);
}

/* --- where the sound goes ----------------------------------------------------------------------
 */

#define SETTLES (1500 * WZP_MS)
#define WATCHES (2 * WZP_S)

static uint64_t direct_media(const wzp_ct_exec *e) {
    const wzp_ct_caller *c = wzp_ct_play_caller(e);
    uint64_t sum = 0;
    for (size_t i = 0; i < c->direct_count; i++) {
        sum += c->directs[i].datagrams;
    }
    return sum;
}

/* After the first while nothing may come by the other path, and some by this one. */
static wzp_ct_so_far goes(wzp_ct_exec *e, bool direct, wzp_time now) {
    wzp_ct_call_state *st = wzp_ct_play_state(e);
    const uint64_t relay = wzp_ct_play_server(e)->media.packets;
    const uint64_t by_direct = direct_media(e);
    const uint64_t since = wzp_ct_play_elapsed(e, now);
    static const char *const names[] = {"the relay", "the direct path"};
    wzp_ct_call_speak(e, now);
    if (!wzp_ct_call_is_up(e)) {
        return WZP_CT_NEVER;
    }
    if (st->done == 0 && since >= SETTLES) {
        st->done = 1;
        st->media = direct ? relay : by_direct;
        st->spoken = 0;
    }
    const uint64_t wrong = (direct ? relay : by_direct) - st->media;
    if (st->done == 1 && wrong > 0) {
        wzp_ct_play_say(e, "%llu packets came over %s", (unsigned long long)wrong, names[!direct]);
        return WZP_CT_NEVER;
    }
    const uint64_t right = direct ? by_direct : relay;
    return st->done == 1 && since >= SETTLES + WATCHES && right >= SOME ? WZP_CT_HAPPENED
                                                                        : WZP_CT_NOT_YET;
}

wzp_ct_so_far wzp_ct_call_goes_direct(wzp_ct_exec *e, wzp_time now) {
    return goes(e, true, now);
}

wzp_ct_so_far wzp_ct_call_goes_by_relay(wzp_ct_exec *e, wzp_time now) {
    return goes(e, false, now);
}
