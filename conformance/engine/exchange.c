/* Cases about the first message: one connection, one message, a required reaction. */
#include <stdio.h>

#include "conformance/engine/exec.h"

void wzp_ct_exchange_begin(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_exchange *ex = &e->cfg.which->exchange;
    char room[40];
    wzp_ct_exec_room(e, room);
    if (e->tries == 0) {
        e->onset = now;
    }
    wzp_ct_exec_enter(e, WZP_CT_PHASE_EXCHANGE, now);
    wzp_ct_exec_reset_pulse(e);
    wzp_party_dial dial = {
        .room = ex->sni != NULL ? ex->sni : room, .alpn = ex->alpn, .hold_first = true};
    if (!wzp_ct_exec_connect(e, e->tries == 0 ? WZP_CT_X : WZP_CT_L, &dial, now)) {
        wzp_ct_exec_decide(e, WZP_CT_INCONCLUSIVE, WZP_CT_REASON_SENDER_RATE,
                           "no connection could be made here", now);
    }
}

static void send_exchange(wzp_ct_exec *e, wzp_ct_party *x) {
    const wzp_ct_exchange *ex = &e->cfg.which->exchange;
    x->hold_first = false;
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
                       wzp_ct_exec_since_onset(e, x->closed_at),
                       x->close.kind == WZP_QUIC_CLOSE_PEER_TRANSPORT ? "transport" : "application",
                       (unsigned long long)x->close.code, x->close.reason);
        wzp_ct_exec_mark(e, WZP_CT_LANE_SUBJECT, wzp_ct_exec_since_onset(e, x->closed_at),
                         wzp_ct_exec_since_onset(e, x->closed_at), "close");
        e->result.close_s = wzp_ct_exec_since_onset(e, x->closed_at);
    }
    (void)snprintf(e->result.actual, sizeof e->result.actual, "%s%s%s%s, %s",
                   x->answered ? (x->answer_valid ? "valid CallAnswer" : "INVALID CallAnswer")
                               : "no CallAnswer",
                   x->room_count > 0 ? ", RoomUpdate" : "",
                   x->mismatch ? ", ProtocolVersionMismatch" : "",
                   x->hangup_at != WZP_TIME_NEVER && !x->mismatch ? ", Hangup" : "", closed);
    wzp_ct_exec_mark(e, WZP_CT_LANE_EXPECTED, 0, e->cfg.which->exchange.deadline_s, "reaction due");
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

void wzp_ct_exchange_step(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_exchange *ex = &e->cfg.which->exchange;
    wzp_ct_party *x = &e->parties[e->tries == 0 ? WZP_CT_X : WZP_CT_L];
    const wzp_time deadline = e->phase_at + (wzp_time)(ex->deadline_s * 1e9);
    wzp_ct_exec_pulse(e, now);
    if (x->hold_first && x->state == WZP_PARTY_CONNECTED) {
        send_exchange(e, x);
    }
    const int so_far = response_so_far(e, x);
    if (so_far > 0 && ex->twice && e->tries == 0) {
        e->tries++;
        wzp_ct_exchange_begin(e, now);
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
        if (!pass && wzp_ct_exec_was_late(e, ex->deadline_s)) {
            e->result.grade = WZP_CT_INCONCLUSIVE;
            e->result.reason = WZP_CT_REASON_SENDER_RATE;
        }
        wzp_ct_exec_finish(e, now);
    }
    e->wake = wzp_time_min(e->wake, deadline);
}
