/* What an operator does to a relay that runs: look who is there, change what can be changed, drain
 * it. */
#include <stdio.h>

#include "relay/internal.h"

/* Sessions that have sent media keep the limits that they began with. */
void wzp_relay_change(wzp_relay *r, const wzp_relay_live *live) {
    r->cfg.log.max = live->log_max;
    r->cfg.enforce = live->enforce;
    wzp_relay_peers_enforce(r);
    r->cfg.exact_limits = live->exact_limits;
    wzp_relay_policy_change(r, &live->policy);
    r->cfg.strict_identity = live->strict_identity;
    r->cfg.pli_broadcast = live->pli_broadcast;
    r->cfg.layers_by_report = live->layers_by_report;
    r->cfg.max_sessions = live->max_sessions != 0 ? live->max_sessions : WZP_LIMIT_SESSIONS;
    r->cfg.advertised = live->advertised;
    r->cfg.trunking = live->trunking; /* what waits in frames still leaves at its time */
    wzp_calls_set_ring_timeout(r->calls,
                               live->ring_timeout != 0 ? live->ring_timeout : WZP_TIMER_RING);
    wzp_relay_tap_set(r, live->debug_tap);
    if (wzp_relay_set_relays(r, live->available_relays, live->available_count) != WZP_OK) {
        wzp_logf(&r->cfg.log, WZP_LOG_ERROR, "no memory: available_relays stay as they were");
    }
    (void)snprintf(r->region, sizeof r->region, "%s", live->region != NULL ? live->region : "");
}

/* --- who is there ----------------------------------------------------------------------------- */

static bool is_present(const session *s) {
    return (s->is_registered || s->room != NULL) && s->fingerprint[0] != '\0';
}

void wzp_relay_visit_clients(const wzp_relay *r, bool (*visit)(void *ctx, const char *fp),
                             void *ctx) {
    const session *s = r->sessions;
    while (s != NULL && (!is_present(s) || visit(ctx, s->fingerprint))) {
        s = s->next;
    }
}

bool wzp_relay_has_client(const wzp_relay *r, const char *fingerprint) {
    const session *s = wzp_relay_find_client(r, wzp_bytes_str(fingerprint));
    for (s = s != NULL ? s : r->sessions; s != NULL; s = s->next) {
        if (is_present(s) && strcmp(s->fingerprint, fingerprint) == 0) {
            return true;
        }
    }
    return false;
}

/* --- end -------------------------------------------------------------------------------------- */

bool wzp_relay_is_ending(const wzp_relay *r) {
    return r->draining || r->shutting_down;
}

/* Neither in a room nor party of a call. */
static bool is_idle(const session *s) {
    if (s->link != NULL) {
        return s->relay->media_sessions == 0 && s->state != SESSION_FAREWELL;
    }
    return s->room == NULL && s->state != SESSION_FAREWELL &&
           (!s->is_registered || wzp_calls_of(s->relay->calls, s->fingerprint, NULL) == NULL);
}

/* A party of a call may still need its media room. */
bool wzp_relay_admits_connection(const wzp_relay *r, const char *sni) {
    return !r->shutting_down && (!r->draining || wzp_call_is_room(sni));
}

bool wzp_relay_admits_session(const session *s) {
    return !s->relay->draining || wzp_call_is_room(s->sni);
}

/* Not at once: a close would overtake the Hangup of a call that has just ended. */
static void let_go(session *s) {
    wzp_relay_auth_drop(s); /* or the service's answer would let it in */
    s->state = SESSION_FAREWELL;
    s->farewell_stream = 0;
    s->farewell_reason = "the relay drains";
    wzp_relay_set_deadline(s, wzp_time_after(s->relay->now, WZP_TIMER_MISMATCH));
}

/* Whoever only waits can wait elsewhere: now, and those who talk when they have finished. */
void wzp_relay_drain_tick(wzp_relay *r) {
    for (session *s = r->draining ? r->sessions : NULL; s != NULL; s = s->next) {
        if (is_idle(s) && !wzp_call_is_room(s->sni)) {
            let_go(s);
        }
    }
}

void wzp_relay_drain(wzp_relay *r, wzp_time now) {
    r->now = now;
    r->draining = true;
    wzp_relay_event_push(r, NULL, "drain", "");
    wzp_relay_drain_tick(r);
}

bool wzp_relay_is_drained(const wzp_relay *r) {
    return r->draining && r->session_count == 0;
}
