#include "call/race.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

static const char no_transport[] = "both paths failed: no media transport available";
static const char not_direct[] = "direct only: no direct path came up";
static const char direct_lost[] = "the direct connection is gone";
static const char relay_lost[] = "the relay's connection is gone";

static bool is_reference(const wzp_race *r) {
    return r->cfg.policy == WZP_RACE_REFERENCE;
}

static bool is_direct_possible(const wzp_race *r) {
    return r->cfg.role != WZP_RACE_NO_ROLE && (r->cfg.count > 0 || r->cfg.window != 0);
}

static wzp_time window_end(const wzp_race *r) {
    return wzp_time_after(r->began, r->cfg.window != 0 ? r->cfg.window : WZP_RACE_WINDOW);
}

static bool dials(const wzp_race *r) {
    return r->cfg.role == WZP_RACE_DIALER || (is_reference(r) && r->cfg.both_dial);
}

static bool tickles(const wzp_race *r) {
    return is_reference(r) ? r->cfg.role == WZP_RACE_ACCEPTOR || r->cfg.both_dial
                           : r->cfg.role == WZP_RACE_ACCEPTOR && !r->cfg.tickle_fails;
}

wzp_race_role wzp_race_role_of(const char *own, const char *peer) {
    if (own == NULL || peer == NULL || *own == '\0' || *peer == '\0') {
        return WZP_RACE_NO_ROLE;
    }
    const int order = strcmp(own, peer);
    return order < 0 ? WZP_RACE_ACCEPTOR : order > 0 ? WZP_RACE_DIALER : WZP_RACE_NO_ROLE;
}

/* --- the direct connections ------------------------------------------------------------------- */

/* The one that media take: the dialler's before the acceptor's, the first before the others, so
 * that both sides come to the same one. */
static const wzp_race_link *best_link(const wzp_race *r) {
    const bool want_ours = r->cfg.role == WZP_RACE_DIALER;
    const wzp_race_link *best = NULL;
    for (size_t i = 0; i < r->link_count; i++) {
        const wzp_race_link *link = &r->links[i];
        if (!link->is_over &&
            (best == NULL || (best->is_ours != want_ours && link->is_ours == want_ours))) {
            best = link;
        }
    }
    return best;
}

/* The dialler alone chooses: the acceptor may not yet have seen what the dialler has. */
static void close_surplus(wzp_race *r) {
    const wzp_race_link *best = best_link(r);
    for (size_t i = 0; i < r->link_count && r->cfg.role == WZP_RACE_DIALER; i++) {
        r->links[i].is_over = r->links[i].is_over || &r->links[i] != best;
    }
}

static void close_links(wzp_race *r) {
    for (size_t i = 0; i < r->link_count; i++) {
        r->links[i].is_over = true;
    }
}

static void remove_link(wzp_race *r, size_t index) {
    r->link_count--;
    memmove(r->links + index, r->links + index + 1, (r->link_count - index) * sizeof r->links[0]);
}

static bool is_direct_up(const wzp_race *r) {
    return best_link(r) != NULL;
}

/* --- deciding --------------------------------------------------------------------------------- */

static void fail(wzp_race *r, const char *why) {
    r->why = why;
    close_links(r);
    r->close_relay = r->relay_dialled;
}

static void leave_relay(wzp_race *r) {
    const bool is_there = r->relay_is_up || r->relay_ended_at == WZP_TIME_NEVER;
    r->close_relay = r->close_relay || (r->relay_dialled && is_there);
    r->relay_dialled = r->relay_is_up = false;
    r->relay_ended_at = WZP_TIME_NEVER;
}

/* Long after the race began the relay is dialled for another reason than that. */
static wzp_time relay_limit(const wzp_race *r, wzp_time now) {
    const wzp_time set_up = wzp_time_after(r->began, WZP_RACE_SETUP_LIMIT);
    const bool is_first = now < wzp_time_after(r->began, WZP_RACE_SETUP_LIMIT * 2 / 3);
    return is_reference(r) && is_first ? set_up : wzp_time_after(now, WZP_RACE_RELAY_LIMIT);
}

/* A relay that has not answered yet is given its full time; one that failed is dialled again. */
static void take_relay(wzp_race *r, wzp_time now) {
    const bool is_in_flight = r->relay_dialled && r->relay_ended_at == WZP_TIME_NEVER;
    if (r->cfg.direct_only) {
        fail(r, not_direct);
        return;
    }
    if (r->path != WZP_RACE_DIRECT) {
        close_links(r);
    }
    r->path = WZP_RACE_RELAY;
    r->decided_at = now;
    r->relay_limit_at = relay_limit(r, now);
    if (!r->relay_is_up && (!is_in_flight || !is_reference(r))) {
        leave_relay(r);
    }
}

static void take_direct(wzp_race *r, wzp_time now) {
    r->path = WZP_RACE_DIRECT;
    r->decided_at = now;
    leave_relay(r);
    close_surplus(r);
}

static bool is_peer_late(const wzp_race *r, wzp_time now) {
    return r->reports > 0 && now >= wzp_time_after(r->reported_at, WZP_RACE_PEER_LIMIT);
}

/* --- time, as deployed ------------------------------------------------------------------------ */

static wzp_time relay_after(const wzp_race *r) {
    return is_reference(r) ? WZP_RACE_RELAY_AFTER : WZP_RACE_DEPLOYED_RELAY_AFTER;
}

/* The race is over when both have ended, or one did and the other's grace is over. */
static wzp_time deployed_end(const wzp_race *r) {
    const wzp_time first = wzp_time_min(r->direct_ended_at, r->relay_ended_at);
    const wzp_time grace = wzp_time_after(first, WZP_RACE_DEPLOYED_GRACE);
    const bool have_both =
        r->direct_ended_at != WZP_TIME_NEVER && r->relay_ended_at != WZP_TIME_NEVER;
    return have_both ? first : grace;
}

static void settle_deployed(wzp_race *r, wzp_time now) {
    const wzp_time direct_until = wzp_time_after(r->began, WZP_RACE_DEPLOYED_DIRECT_UNTIL);
    const wzp_time relay_until = wzp_time_after(r->began, WZP_RACE_DEPLOYED_RELAY_UNTIL);
    if (r->direct_ended_at == WZP_TIME_NEVER && now >= direct_until) {
        r->direct_ended_at = direct_until;
    }
    if (r->relay_ended_at == WZP_TIME_NEVER && now >= relay_until) {
        r->relay_ended_at = relay_until;
    }
    if (r->reports > 0 || r->report_due || now < deployed_end(r)) {
        return;
    }
    if (!is_direct_up(r) && !r->relay_is_up) {
        take_relay(r, now); /* and no word to the peer, who waits for it */
        return;
    }
    r->reported_ok = is_direct_up(r);
    r->report_due = true;
}

/* Both have reported, or theirs is not worth waiting for any more. */
static void decide_deployed(wzp_race *r, wzp_time now) {
    if (r->reports == 0 || !(r->has_peer || is_peer_late(r, now))) {
        return;
    }
    if (r->reported_ok && r->has_peer && r->peer_ok && is_direct_up(r)) {
        take_direct(r, now);
    } else {
        take_relay(r, now);
    }
}

/* --- time, reference -------------------------------------------------------------------------- */

static void say(wzp_race *r, bool direct_ok) {
    r->report_due = r->report_due || r->reports == 0 || r->reported_ok != direct_ok;
    r->reported_ok = direct_ok;
}

/* One word is enough for the relay, two are needed for the direct path.  Who waited in vain takes
 * its own back: they may have heard it. */
static void decide_reference(wzp_race *r, wzp_time now) {
    const bool is_over = r->direct_ended_at != WZP_TIME_NEVER || now >= window_end(r);
    const bool is_lost = is_over && !is_direct_up(r);
    if (is_lost || (r->has_peer && !r->peer_ok) || is_peer_late(r, now)) {
        say(r, false);
        take_relay(r, now);
    } else if (is_direct_up(r)) {
        say(r, true);
        if (r->has_peer) {
            take_direct(r, now);
        }
    }
}

/* Signals get lost where relays do not forward them, or come before anybody listens. */
static void repeat_report(wzp_race *r, wzp_time now) {
    if (r->reports == 0 || r->has_peer) {
        return;
    }
    if (is_peer_late(r, now)) {
        r->reports = r->reports < WZP_RACE_REPORTS_MAX ? WZP_RACE_REPORTS_MAX : r->reports;
    } else if (now >= wzp_time_after(r->said_at, WZP_RACE_REPORT_EVERY)) {
        r->report_due = r->report_due || r->reports < WZP_RACE_REPORTS_MAX;
    }
}

/* A path that both took, and that one of them has left. */
static void keep_together(wzp_race *r, wzp_time now) {
    if (r->path == WZP_RACE_DIRECT && (!is_direct_up(r) || !r->peer_ok || r->is_left)) {
        take_relay(r, now);
        say(r, false);
    }
    const bool is_left = r->path == WZP_RACE_RELAY && r->link_count > 0;
    if (is_left && now >= wzp_time_after(r->decided_at, WZP_RACE_LINGER)) {
        close_links(r);
    }
}

static void settle(wzp_race *r, wzp_time now) {
    if (r->why == NULL && r->path == WZP_RACE_UNDECIDED) {
        if (!is_direct_possible(r)) {
            take_relay(r, now);
        } else if (is_reference(r)) {
            decide_reference(r, now);
        } else {
            settle_deployed(r, now);
            decide_deployed(r, now);
        }
    }
    if (r->why == NULL && is_reference(r)) {
        keep_together(r, now);
        repeat_report(r, now);
    }
    if (r->why == NULL && r->path == WZP_RACE_RELAY && !r->relay_is_up &&
        now >= r->relay_limit_at) {
        fail(r, no_transport);
    }
}

/* --- what to do ------------------------------------------------------------------------------- */

static bool is_racing(const wzp_race *r) {
    return r->path == WZP_RACE_UNDECIDED && r->why == NULL && is_direct_possible(r) &&
           r->direct_ended_at == WZP_TIME_NEVER;
}

static size_t near_count(const wzp_race *r) {
    size_t n = 0;
    while (n < r->cfg.count && r->candidates[n].is_near) {
        n++;
    }
    return n;
}

static wzp_time next_tickle_at(const wzp_race *r) {
    if (!is_racing(r) || !tickles(r) || r->cfg.count == 0) {
        return WZP_TIME_NEVER;
    }
    return near_count(r) > 0 || r->tickle_at > r->far_at ? r->tickle_at : r->far_at;
}

/* Far ones that wait have a round as soon as they do not. */
static wzp_time next_round_at(const wzp_race *r, wzp_time now) {
    if (!is_reference(r)) {
        return WZP_TIME_NEVER; /* once, at the start */
    }
    const wzp_time usual = wzp_time_after(now, WZP_RACE_TICKLE_EVERY);
    return now < r->far_at ? wzp_time_min(usual, r->far_at) : usual;
}

static wzp_race_act touch(wzp_race *r, wzp_race_act_kind kind, size_t index) {
    r->touched = r->touched > index ? r->touched : index + 1;
    return (wzp_race_act){.kind = kind, .index = index, .addr = r->candidates[index].addr};
}

static bool next_tickle(wzp_race *r, wzp_time now, wzp_race_act *out) {
    if (now < next_tickle_at(r)) {
        return false;
    }
    *out = touch(r, WZP_RACE_TICKLE, r->tickled);
    r->tickled++;
    if (r->tickled == (now < r->far_at ? near_count(r) : r->cfg.count)) {
        r->tickled = 0;
        r->tickle_at = next_round_at(r, now);
    }
    return true;
}

static wzp_time next_dial_at(const wzp_race *r) {
    if (!is_racing(r) || !dials(r) || r->dialled == r->cfg.count) {
        return WZP_TIME_NEVER;
    }
    if (!is_reference(r) || r->candidates[r->dialled].is_near) {
        return r->began;
    }
    const wzp_time usual = wzp_time_after(r->began, WZP_RACE_FAR_AFTER);
    return r->far_at > usual ? r->far_at : usual;
}

static bool next_dial(wzp_race *r, wzp_time now, wzp_race_act *out) {
    if (now < next_dial_at(r)) {
        return false;
    }
    *out = touch(r, WZP_RACE_DIAL, r->dialled);
    r->dialled++;
    return true;
}

static wzp_time relay_dial_at(const wzp_race *r) {
    const bool is_hopeless =
        is_reference(r) && r->direct_ended_at != WZP_TIME_NEVER && !is_direct_up(r);
    if (r->why != NULL || r->relay_dialled || r->cfg.direct_only || r->path == WZP_RACE_DIRECT) {
        return WZP_TIME_NEVER;
    }
    if (r->path == WZP_RACE_UNDECIDED && r->relay_ended_at != WZP_TIME_NEVER) {
        return WZP_TIME_NEVER; /* it failed, and is dialled again if the relay is what is decided */
    }
    return r->path == WZP_RACE_RELAY || is_hopeless || r->is_again
               ? r->began
               : wzp_time_after(r->began, relay_after(r));
}

static bool next_relay_dial(wzp_race *r, wzp_time now, wzp_race_act *out) {
    if (now < relay_dial_at(r)) {
        return false;
    }
    r->relay_dialled = true;
    r->relay_dials++;
    *out = (wzp_race_act){.kind = WZP_RACE_DIAL_RELAY};
    return true;
}

static bool next_report(wzp_race *r, wzp_time now, wzp_race_act *out) {
    if (!r->report_due) {
        return false;
    }
    r->report_due = false;
    r->reports++;
    r->reported_at = r->reports == 1 ? now : r->reported_at;
    r->said_at = now;
    *out = (wzp_race_act){.kind = WZP_RACE_REPORT,
                          .number = r->cfg.number,
                          .direct_ok = r->reported_ok,
                          .direct_won = r->reported_ok && r->direct_ended_at <= r->relay_ended_at};
    return true;
}

static bool next_close(wzp_race *r, wzp_race_act *out) {
    for (size_t i = 0; i < r->link_count; i++) {
        if (r->links[i].is_over) {
            *out = (wzp_race_act){.kind = WZP_RACE_CLOSE, .conn = r->links[i].conn};
            remove_link(r, i);
            return true;
        }
    }
    if (r->close_relay) {
        r->close_relay = false;
        *out = (wzp_race_act){.kind = WZP_RACE_CLOSE_RELAY};
        return true;
    }
    return false;
}

/* While a direct path is looked for anew, the relay it is. */
static bool next_take(wzp_race *r, wzp_race_act *out) {
    const bool is_meanwhile = r->path == WZP_RACE_UNDECIDED && r->is_again;
    const wzp_race_path path = is_meanwhile ? WZP_RACE_RELAY : r->path;
    const wzp_race_link *link = path == WZP_RACE_DIRECT ? best_link(r) : NULL;
    const uint64_t conn = link != NULL ? link->conn : 0;
    const bool is_there = path == WZP_RACE_DIRECT  ? link != NULL
                          : path == WZP_RACE_RELAY ? r->relay_is_up
                                                   : false;
    if (!is_there || r->why != NULL || (r->told == path && r->told_conn == conn)) {
        return false;
    }
    r->told = path;
    r->told_conn = conn;
    *out = (wzp_race_act){.kind = WZP_RACE_TAKE, .path = path, .conn = conn};
    return true;
}

static bool next_fail(wzp_race *r, wzp_race_act *out) {
    if (r->why == NULL || r->told_why) {
        return false;
    }
    r->told_why = true;
    *out = (wzp_race_act){.kind = WZP_RACE_FAIL, .text = r->why};
    return true;
}

bool wzp_race_next(wzp_race *r, wzp_time now, wzp_race_act *out) {
    settle(r, now);
    return next_report(r, now, out) || next_take(r, out) || next_close(r, out) ||
           next_tickle(r, now, out) || next_dial(r, now, out) || next_relay_dial(r, now, out) ||
           next_fail(r, out);
}

/* --- when ------------------------------------------------------------------------------------- */

static wzp_time deployed_deadline(const wzp_race *r) {
    if (r->path != WZP_RACE_UNDECIDED || !is_direct_possible(r)) {
        return WZP_TIME_NEVER;
    }
    if (r->reports > 0) {
        return wzp_time_after(r->reported_at, WZP_RACE_PEER_LIMIT);
    }
    wzp_time first = deployed_end(r);
    if (r->direct_ended_at == WZP_TIME_NEVER) {
        first = wzp_time_min(first, wzp_time_after(r->began, WZP_RACE_DEPLOYED_DIRECT_UNTIL));
    }
    if (r->relay_ended_at == WZP_TIME_NEVER) {
        first = wzp_time_min(first, wzp_time_after(r->began, WZP_RACE_DEPLOYED_RELAY_UNTIL));
    }
    return first;
}

static wzp_time reference_deadline(const wzp_race *r) {
    wzp_time first = WZP_TIME_NEVER;
    if (is_racing(r)) {
        first = window_end(r);
    }
    if (r->reports > 0 && !r->has_peer && r->reports < WZP_RACE_REPORTS_MAX) {
        const wzp_time again = wzp_time_after(r->said_at, WZP_RACE_REPORT_EVERY);
        const wzp_time limit = wzp_time_after(r->reported_at, WZP_RACE_PEER_LIMIT);
        first = again < limit ? wzp_time_min(first, again) : first;
    }
    if (r->reports > 0 && r->path == WZP_RACE_UNDECIDED) {
        first = wzp_time_min(first, wzp_time_after(r->reported_at, WZP_RACE_PEER_LIMIT));
    }
    if (r->path == WZP_RACE_RELAY && r->link_count > 0) {
        first = wzp_time_min(first, wzp_time_after(r->decided_at, WZP_RACE_LINGER));
    }
    return first;
}

wzp_time wzp_race_deadline(const wzp_race *r) {
    if (r->why != NULL) {
        return r->told_why ? WZP_TIME_NEVER : 0;
    }
    wzp_time first = is_reference(r) ? reference_deadline(r) : deployed_deadline(r);
    if (r->path == WZP_RACE_RELAY && !r->relay_is_up) {
        first = wzp_time_min(first, r->relay_limit_at);
    }
    const wzp_time direct = wzp_time_min(next_tickle_at(r), next_dial_at(r));
    return wzp_time_min(first, wzp_time_min(direct, relay_dial_at(r)));
}

/* --- what happened ---------------------------------------------------------------------------- */

void wzp_race_init(wzp_race *r, const wzp_race_cfg *cfg, wzp_time now) {
    *r = (wzp_race){.cfg = *cfg,
                    .began = now,
                    .far_at = now,
                    .tickle_at = now,
                    .direct_ended_at = WZP_TIME_NEVER,
                    .relay_ended_at = WZP_TIME_NEVER,
                    .relay_limit_at = WZP_TIME_NEVER};
    if (r->cfg.count > WZP_RACE_CANDIDATES_MAX) {
        r->cfg.count = WZP_RACE_CANDIDATES_MAX;
    }
    if (r->cfg.count > 0) {
        memcpy(r->candidates, cfg->candidates, r->cfg.count * sizeof r->candidates[0]);
    }
    r->cfg.candidates = NULL;
    if (is_reference(r) && r->cfg.awaits_probe) {
        r->far_at = wzp_time_after(now, WZP_RACE_PROBE_LIMIT);
    }
}

static bool is_known(const wzp_race *r, const wzp_addr *addr) {
    for (size_t i = 0; i < r->cfg.count; i++) {
        if (wzp_addr_equal(&r->candidates[i].addr, addr)) {
            return true;
        }
    }
    return false;
}

void wzp_race_candidates(wzp_race *r, const wzp_race_candidate *candidates, size_t count,
                         wzp_time now) {
    if (!is_reference(r) || !is_racing(r)) {
        return;
    }
    r->cfg.count = count > 0 ? r->touched : r->cfg.count;
    for (size_t i = 0; i < count && r->cfg.count < WZP_RACE_CANDIDATES_MAX; i++) {
        if (!is_known(r, &candidates[i].addr)) {
            r->candidates[r->cfg.count++] = candidates[i];
        }
    }
    r->far_at = wzp_time_min(r->far_at, now);
    r->tickle_at = now;
    r->tickled = 0;
}

bool wzp_race_may_again(const wzp_race *r) {
    const bool is_relayed =
        r->path == WZP_RACE_RELAY || (r->path == WZP_RACE_UNDECIDED && r->is_again);
    return is_reference(r) && is_relayed && r->why == NULL;
}

static void take_early_report(wzp_race *r, const wzp_race *last) {
    r->early_number = last->early_number;
    r->early_ok = last->early_ok;
    r->has_peer = r->early_number >= r->cfg.number;
    r->peer_ok = r->early_number == r->cfg.number && r->early_ok;
}

/* What was left of the last one is closed. */
void wzp_race_again(wzp_race *r, const wzp_race_cfg *cfg, wzp_time now) {
    const wzp_race last = *r;
    if (!wzp_race_may_again(r)) {
        return;
    }
    wzp_race_init(r, cfg, now);
    memcpy(r->links, last.links, sizeof r->links);
    r->link_count = last.link_count;
    close_links(r);
    r->is_again = true;
    r->relay_dialled = last.relay_dialled;
    r->relay_is_up = last.relay_is_up;
    r->relay_dials = last.relay_dials;
    r->relay_ended_at = last.relay_ended_at;
    r->close_relay = last.close_relay;
    r->told = last.told;
    r->told_conn = last.told_conn;
    r->stale = last.stale;
    take_early_report(r, &last);
}

bool wzp_race_accepts(const wzp_race *r, wzp_time now) {
    const bool accepts = r->cfg.role == WZP_RACE_ACCEPTOR || (is_reference(r) && r->cfg.both_dial);
    if (!accepts || r->why != NULL || !is_direct_possible(r)) {
        return false;
    }
    if (!is_reference(r)) {
        return is_racing(r);
    }
    return r->path == WZP_RACE_DIRECT || (r->path == WZP_RACE_UNDECIDED && now < window_end(r));
}

bool wzp_race_direct_up(wzp_race *r, uint64_t conn, bool is_ours, wzp_time now) {
    const bool is_wanted = is_ours ? dials(r) : wzp_race_accepts(r, now);
    const bool is_late = is_reference(r) ? r->path == WZP_RACE_RELAY
                                         : !is_racing(r) || r->reports > 0 || r->report_due;
    if (!is_wanted || is_late || r->why != NULL || r->link_count == WZP_RACE_LINKS_MAX) {
        return false;
    }
    r->links[r->link_count++] = (wzp_race_link){.conn = conn, .is_ours = is_ours};
    r->direct_ended_at = wzp_time_min(r->direct_ended_at, now);
    close_surplus(r);
    return true;
}

void wzp_race_direct_down(wzp_race *r, uint64_t conn, wzp_time now) {
    (void)now;
    for (size_t i = 0; i < r->link_count; i++) {
        if (r->links[i].conn == conn) {
            remove_link(r, i);
            break;
        }
    }
    if (!is_reference(r) && r->path == WZP_RACE_DIRECT && !is_direct_up(r) && r->why == NULL) {
        fail(r, direct_lost);
    }
}

void wzp_race_leave_direct(wzp_race *r) {
    r->is_left = r->path == WZP_RACE_DIRECT && is_reference(r);
}

void wzp_race_give_up(wzp_race *r, wzp_time now) {
    if (is_reference(r) && !is_direct_up(r)) {
        r->direct_ended_at = wzp_time_min(r->direct_ended_at, now);
    }
}

/* An acceptor may still be found by the other side. */
void wzp_race_dial_failed(wzp_race *r, wzp_time now) {
    r->failed++;
    const bool may_come = is_reference(r) && r->cfg.both_dial;
    if (r->failed == r->cfg.count && !may_come && r->direct_ended_at == WZP_TIME_NEVER) {
        r->direct_ended_at = now;
    }
}

void wzp_race_relay_up(wzp_race *r, wzp_time now) {
    r->relay_is_up = r->relay_dialled;
    r->relay_ended_at = wzp_time_min(r->relay_ended_at, now);
}

void wzp_race_relay_down(wzp_race *r, wzp_time now) {
    const bool was_up = r->relay_is_up;
    r->relay_is_up = false;
    r->relay_ended_at = wzp_time_min(r->relay_ended_at, now);
    if (r->why == NULL && r->path == WZP_RACE_UNDECIDED && r->is_again && was_up) {
        r->relay_dialled = false; /* media need it meanwhile */
        r->relay_ended_at = WZP_TIME_NEVER;
    }
    if (r->why != NULL || r->path != WZP_RACE_RELAY) {
        return;
    }
    if (was_up || r->relay_dials > 1) {
        r->relay_dialled = false;
        fail(r, was_up ? relay_lost : no_transport);
        return;
    }
    r->relay_dialled = false; /* once more */
    r->relay_ended_at = WZP_TIME_NEVER;
}

static void keep_early_report(wzp_race *r, uint32_t number, bool direct_ok) {
    if (number == r->early_number) {
        r->early_ok = r->early_ok && direct_ok;
    } else if (number > r->early_number) {
        r->early_number = number;
        r->early_ok = direct_ok;
    }
}

/* A reference client keeps what comes too early, and repeats itself only if it lacks our word;
 * a deployed one speaks once, and may have lost what came before. */
static void answer_report(wzp_race *r, bool is_repeated, wzp_time now) {
    const bool is_wanted = (is_repeated || !r->cfg.both_dial) && r->reports > 0;
    const bool is_enough = r->reports >= WZP_RACE_REPORTS_MAX || r->answers == WZP_RACE_ANSWERS_MAX;
    if (is_wanted && !is_enough && now >= wzp_time_after(r->said_at, WZP_RACE_ANSWER_AFTER)) {
        r->report_due = true;
        r->answers++;
    }
}

/* Who has left the direct path does not come back to it in this race. */
void wzp_race_peer_report(wzp_race *r, uint32_t number, bool direct_ok, wzp_time now) {
    const bool is_later = is_reference(r) && number > r->cfg.number;
    if (is_reference(r) && number < r->cfg.number) {
        r->stale++;
        return;
    }
    if (is_later) {
        keep_early_report(r, number, direct_ok);
    }
    const bool is_repeated = r->has_peer && direct_ok == r->peer_ok;
    r->peer_ok = direct_ok && !is_later && (r->peer_ok || !r->has_peer);
    r->has_peer = true;
    if (is_reference(r) && !is_later && r->why == NULL) {
        answer_report(r, is_repeated, now);
    }
}

void wzp_race_say_again(wzp_race *r) {
    r->report_due = r->report_due || (is_reference(r) && r->reports > 0 && r->why == NULL);
}

void wzp_race_moved(wzp_race *r) {
    const bool is_in_flight = r->relay_dialled && !r->relay_is_up;
    if (is_reference(r) && is_in_flight && r->relay_ended_at == WZP_TIME_NEVER) {
        leave_relay(r);
    }
}
