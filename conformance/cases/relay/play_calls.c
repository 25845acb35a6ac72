/* Registration and direct calls beyond chapter S (relay sheet 16, 8). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/cases/relay/plays.h"
#include "conformance/cases/relay/steps.h"

/* --- registration ----------------------------------------------------------------------------- */

static bool begin_silent(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_dial(e, WZP_CT_X, (wzp_party_dial){.room = "_signal", .hold_first = true},
                            now);
}

static wzp_ct_so_far go_silent(wzp_ct_exec *e, wzp_time now) {
    return !wzp_ct_is_gone(e, WZP_CT_X)                   ? WZP_CT_NOT_YET
           : wzp_ct_play_elapsed(e, now) >= 9500 * WZP_MS ? WZP_CT_HAPPENED
                                                          : WZP_CT_NEVER;
}

const wzp_ct_act wzp_ct_acts_rly061[WZP_CT_RLY061_ACTS] = {
    {.required = "a close after 10 s and not before",
     .within_s = 12.5,
     .begin = begin_silent,
     .go = go_silent,
     .late = WZP_CT_REASON_NOT_CLOSED},
};

/* Spaces are no signal, and no error of the framing either. */
static bool begin_full(wzp_ct_exec *e, wzp_time now) {
    char *spaces = malloc(WZP_QUIC_SIGNAL_MAX);
    (void)now;
    if (spaces == NULL) {
        return false;
    }
    memset(spaces, ' ', WZP_QUIC_SIGNAL_MAX);
    wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    x->watched_at = WZP_TIME_NEVER;
    const bool said =
        wzp_quic_send_signal(x->quic, x->conn, wzp_bytes_of(spaces, WZP_QUIC_SIGNAL_MAX),
                             &x->watched) == WZP_OK;
    free(spaces);
    return said;
}

static wzp_ct_so_far go_full(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    wzp_ct_play_wake(e, now + 100 * WZP_MS);
    return wzp_party_gone(x)                                           ? WZP_CT_NEVER
           : elapsed > 500 * WZP_MS && x->watched_at != WZP_TIME_NEVER ? WZP_CT_HAPPENED
           : elapsed > 4500 * WZP_MS && wzp_ct_play_path_loses(e)      ? WZP_CT_UNSURE
                                                                       : WZP_CT_NOT_YET;
}

static const wzp_ct_ask still = {WZP_CT_X, {"{\"Ping\":{\"version\":1,\"timestamp_ms\":64}}"}, 64};

const wzp_ct_act wzp_ct_acts_rly064[WZP_CT_RLY064_ACTS] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    {.required = "no close while it takes the text",
     .within_s = 5,
     .begin = begin_full,
     .go = go_full,
     .late = WZP_CT_REASON_NO_RESPONSE},
    WZP_CT_ASK("Pong to the Ping that follows", 3, &still)};

/* --- calls that hide something ---------------------------------------------------------------- */

static const wzp_ct_call generic = {
    WZP_CT_X, WZP_CT_L, 'g', WZP_ACCEPT_GENERIC, &wzp_ct_caller_place, NULL};
static const wzp_ct_call bare = {WZP_CT_X, WZP_CT_L, 'b', WZP_ACCEPT_TRUSTED, NULL, NULL};
static const wzp_ct_call rejected = {
    WZP_CT_X, WZP_CT_L, 'r', WZP_ACCEPT_REJECT, &wzp_ct_caller_place, NULL};
static const wzp_ct_call plain = {
    WZP_CT_X, WZP_CT_L, 'p', WZP_ACCEPT_TRUSTED, &wzp_ct_caller_place, &wzp_ct_callee_place};

const wzp_ct_act wzp_ct_acts_rly067[WZP_CT_RLY067_ACTS] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l), WZP_CT_OFFERED(&generic), WZP_CT_SET_UP(&generic)};
const wzp_ct_act wzp_ct_acts_rly068[WZP_CT_RLY068_ACTS] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l), WZP_CT_OFFERED(&bare), WZP_CT_SET_UP(&bare)};

static bool begin_rejected_room(wzp_ct_exec *e, wzp_time now) {
    char id[WZP_CT_CALL_ID];
    char room[WZP_CT_CALL_ID + 8];
    const wzp_bytes call_id = wzp_ct_call_id(e, &rejected, id);
    (void)snprintf(room, sizeof room, "call-%.*s", (int)call_id.len, (const char *)call_id.data);
    return wzp_ct_play_join(e, WZP_CT_KX, room, WZP_CT_X, now);
}

static wzp_ct_so_far go_rejected_room(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_play_party(e, WZP_CT_KX)->room_count > 0 ? WZP_CT_NEVER
           : wzp_ct_is_gone(e, WZP_CT_KX)                  ? WZP_CT_HAPPENED
                                                           : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_rly069[WZP_CT_RLY069_ACTS] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l),
    WZP_CT_OFFERED(&rejected),
    {.required = "the caller gets a Hangup with the call_id, nobody a CallSetup",
     .within_s = 3,
     .begin = wzp_ct_step_answer,
     .go = wzp_ct_step_set_up,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &rejected},
    {.required = "the caller is not let into the call's room",
     .within_s = 3,
     .begin = begin_rejected_room,
     .go = go_rejected_room,
     .late = WZP_CT_REASON_NOT_CLOSED},
};

/* --- signals within a call -------------------------------------------------------------------- */

enum { MESSAGES = WZP_CT_CALL_MESSAGES };

void wzp_ct_call_messages(wzp_signal out[MESSAGES], wzp_bytes id) {
    static const uint16_t ports[] = {40001, 40002, 40003};
    static const wzp_bytes local[] = {{(const uint8_t *)"10.0.0.5:40000", 14}};
    const wzp_bytes proposal = wzp_bytes_str("p1");
    const wzp_bytes ip = wzp_bytes_str("203.0.113.5");
    const wzp_signal messages[MESSAGES] = {
        {.kind = WZP_SIGNAL_MEDIA_PATH_REPORT,
         .u.MediaPathReport = {.call_id = id,
                               .direct_ok = true,
                               .race_winner = wzp_bytes_str("Direct")}},
        {.kind = WZP_SIGNAL_CANDIDATE_UPDATE,
         .u.CandidateUpdate = {.call_id = id,
                               .reflexive_addr = {true, wzp_bytes_str("198.51.100.9:5555")},
                               .local_addrs = {local, 1},
                               .generation = 1}},
        {.kind = WZP_SIGNAL_HARD_NAT_PROBE,
         .u.HardNatProbe = {.call_id = id,
                            .port_sequence = {ports, WZP_COUNT_OF(ports)},
                            .allocation = wzp_bytes_str("sequential(delta=1)"),
                            .probe_time_ms = 1779700000000,
                            .external_ip = ip}},
        {.kind = WZP_SIGNAL_HARD_NAT_BIRTHDAY_START,
         .u.HardNatBirthdayStart = {.call_id = id,
                                    .acceptor_port_count = 3,
                                    .acceptor_ports = {ports, WZP_COUNT_OF(ports)},
                                    .external_ip = ip}},
        {.kind = WZP_SIGNAL_UPGRADE_PROPOSAL,
         .u.UpgradeProposal = {.call_id = id,
                               .proposal_id = proposal,
                               .proposed_profile = wzp_profile_studio_32k,
                               .local_rtt_ms = {true, 40}}},
        {.kind = WZP_SIGNAL_UPGRADE_RESPONSE,
         .u.UpgradeResponse = {.call_id = id, .proposal_id = proposal, .accepted = true}},
        {.kind = WZP_SIGNAL_UPGRADE_CONFIRM,
         .u.UpgradeConfirm = {.call_id = id,
                              .proposal_id = proposal,
                              .confirmed_profile = wzp_profile_studio_32k}},
        {.kind = WZP_SIGNAL_QUALITY_CAPABILITY,
         .u.QualityCapability = {.call_id = id, .max_profile = wzp_profile_studio_64k}}};
    for (size_t i = 0; i < MESSAGES; i++) {
        out[i] = messages[i];
        out[i].version = 1;
    }
}

/* First the same for a call that nobody knows. */
static bool begin_messages(wzp_ct_exec *e, wzp_time now) {
    wzp_signal messages[MESSAGES];
    char id[WZP_CT_CALL_ID];
    wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    bool told = wzp_ct_report_path(e, WZP_CT_X, wzp_bytes_str("no-such-call")) &&
                wzp_ct_hang_up(e, WZP_CT_X, wzp_bytes_str("no-such-call"));
    (void)now;
    wzp_ct_call_messages(messages, wzp_ct_call_id(e, &plain, id));
    for (size_t i = 0; i < MESSAGES; i++) {
        told = told && wzp_party_tell(x, &messages[i]);
    }
    return told;
}

static wzp_ct_so_far go_messages(wzp_ct_exec *e, wzp_time now) {
    wzp_signal messages[MESSAGES];
    char id[WZP_CT_CALL_ID];
    const wzp_ct_party *l = wzp_ct_play_party(e, WZP_CT_L);
    const wzp_ct_party *third = wzp_ct_play_party(e, WZP_CT_KX);
    bool all = wzp_ct_play_elapsed(e, now) > WZP_S;
    wzp_ct_call_messages(messages, wzp_ct_call_id(e, &plain, id));
    if (wzp_ct_is_gone(e, WZP_CT_X) || l->heard[WZP_SIGNAL_HANGUP] > 0) {
        return WZP_CT_NEVER;
    }
    for (size_t i = 0; i < MESSAGES; i++) {
        const wzp_signal *came = l->last[messages[i].kind];
        const char *name = wzp_signal_name(messages[i].kind);
        if (third->heard[messages[i].kind] > 0 || l->heard[messages[i].kind] > 1) {
            wzp_ct_play_say(e, "%s reached %s", name,
                            third->heard[messages[i].kind] > 0 ? "a third client"
                                                               : "its peer twice");
            return WZP_CT_NEVER;
        }
        if (came != NULL && !wzp_ct_same_signal(&messages[i], came)) {
            wzp_ct_play_say(e, "%s came with other fields than were sent", name);
            return WZP_CT_NEVER;
        }
        all = all && came != NULL;
    }
    return all ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_rly073[WZP_CT_RLY073_ACTS] = {
    WZP_CT_REGISTERED(wzp_ct_three),
    WZP_CT_OFFERED(&plain),
    WZP_CT_SET_UP(&plain),
    {.required = "the peer gets each of the eight once and unchanged, nobody else any",
     .within_s = 4,
     .begin = begin_messages,
     .go = go_messages,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- how calls end ---------------------------------------------------------------------------- */

static bool begin_gone(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_leave(e, WZP_CT_X, now);
    return true;
}

static wzp_ct_so_far go_gone(wzp_ct_exec *e, wzp_time now) {
    char id[WZP_CT_CALL_ID];
    (void)now;
    return wzp_ct_has_hangup(e, WZP_CT_L, wzp_ct_call_id(e, &plain, id)) ? WZP_CT_HAPPENED
           : wzp_ct_is_gone(e, WZP_CT_L)                                 ? WZP_CT_NEVER
                                                                         : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_rly074[WZP_CT_RLY074_ACTS] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l),
    WZP_CT_OFFERED(&plain),
    WZP_CT_SET_UP(&plain),
    {.required = "the other party gets a Hangup with the call_id",
     .within_s = 3,
     .begin = begin_gone,
     .go = go_gone,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

static bool begin_stranger(wzp_ct_exec *e, wzp_time now) {
    char id[WZP_CT_CALL_ID];
    (void)now;
    return wzp_ct_hang_up(e, WZP_CT_KX, wzp_ct_call_id(e, &plain, id));
}

static bool begin_report(wzp_ct_exec *e, wzp_time now) {
    char id[WZP_CT_CALL_ID];
    (void)now;
    return wzp_ct_report_path(e, WZP_CT_X, wzp_ct_call_id(e, &plain, id));
}

static bool anyone_hung_up(wzp_ct_exec *e) {
    return wzp_ct_play_party(e, WZP_CT_X)->heard[WZP_SIGNAL_HANGUP] > 0 ||
           wzp_ct_play_party(e, WZP_CT_L)->heard[WZP_SIGNAL_HANGUP] > 0;
}

static wzp_ct_so_far go_stranger(wzp_ct_exec *e, wzp_time now) {
    return anyone_hung_up(e)                     ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) > WZP_S ? WZP_CT_HAPPENED
                                                 : WZP_CT_NOT_YET;
}

static wzp_ct_so_far go_report(wzp_ct_exec *e, wzp_time now) {
    char id[WZP_CT_CALL_ID];
    (void)now;
    return anyone_hung_up(e)                                               ? WZP_CT_NEVER
           : wzp_ct_has_report(e, WZP_CT_L, wzp_ct_call_id(e, &plain, id)) ? WZP_CT_HAPPENED
                                                                           : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_rly075[WZP_CT_RLY075_ACTS] = {
    WZP_CT_REGISTERED(wzp_ct_three),
    WZP_CT_OFFERED(&plain),
    WZP_CT_SET_UP(&plain),
    {.required = "neither party gets the Hangup",
     .within_s = 3,
     .begin = begin_stranger,
     .go = go_stranger,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "the call goes on",
     .within_s = 3,
     .begin = begin_report,
     .go = go_report,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* The caller's network failed, and it registered again before the relay knew. */
static bool begin_again(wzp_ct_exec *e, wzp_time now) {
    const wzp_identity identity = wzp_ct_play_party(e, WZP_CT_X)->identity;
    return wzp_ct_play_dial(
        e, WZP_CT_KX,
        (wzp_party_dial){.room = "_signal", .role = WZP_PARTY_HUB, .identity = &identity}, now);
}

static const wzp_ct_whos only_kx = {WZP_CT_KX, WZP_CT_PARTIES};

static wzp_ct_so_far go_still(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_party(e, WZP_CT_L)->heard[WZP_SIGNAL_HANGUP] > 0 ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) > WZP_S                        ? WZP_CT_HAPPENED
                                                                        : WZP_CT_NOT_YET;
}

static bool begin_report_again(wzp_ct_exec *e, wzp_time now) {
    char id[WZP_CT_CALL_ID];
    (void)now;
    return wzp_ct_report_path(e, WZP_CT_KX, wzp_ct_call_id(e, &plain, id));
}

static bool begin_report_back(wzp_ct_exec *e, wzp_time now) {
    char id[WZP_CT_CALL_ID];
    (void)now;
    return wzp_ct_report_path(e, WZP_CT_L, wzp_ct_call_id(e, &plain, id));
}

static wzp_ct_so_far go_report_back(wzp_ct_exec *e, wzp_time now) {
    char id[WZP_CT_CALL_ID];
    (void)now;
    return wzp_ct_has_report(e, WZP_CT_KX, wzp_ct_call_id(e, &plain, id)) ? WZP_CT_HAPPENED
                                                                          : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_rly075b[WZP_CT_RLY075B_ACTS] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l),
    WZP_CT_OFFERED(&plain),
    WZP_CT_SET_UP(&plain),
    {.required = "the caller is registered once more, on another connection",
     .within_s = 3,
     .begin = begin_again,
     .go = wzp_ct_step_registered,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = only_kx},
    {.required = "the end of the older connection ends no call",
     .within_s = 3,
     .begin = begin_gone,
     .go = go_still,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "the callee hears the caller on the newer one",
     .within_s = 3,
     .begin = begin_report_again,
     .go = go_report,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "and the caller hears the callee there",
     .within_s = 3,
     .begin = begin_report_back,
     .go = go_report_back,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- a client that plays relay ---------------------------------------------------------------- */

static bool begin_forward(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    const wzp_ct_party *l = wzp_ct_play_party(e, WZP_CT_L);
    const wzp_signal inner = {
        .kind = WZP_SIGNAL_DIRECT_CALL_OFFER,
        .version = 1,
        .u.DirectCallOffer = {.caller_fingerprint = wzp_bytes_str(x->identity.fingerprint),
                              .target_fingerprint = wzp_bytes_str(l->identity.fingerprint),
                              .call_id = wzp_bytes_str("injected"),
                              .supported_profiles = {&wzp_profile_good, 1}}};
    (void)now;
    return wzp_party_tell(
        wzp_ct_play_party(e, WZP_CT_X),
        &(wzp_signal){.kind = WZP_SIGNAL_FEDERATED_SIGNAL_FORWARD,
                      .version = 1,
                      .u.FederatedSignalForward = {
                          .inner = {&inner}, .origin_relay_fp = wzp_bytes_str("00:11:22:33")}});
}

static wzp_ct_so_far go_forward(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *l = wzp_ct_play_party(e, WZP_CT_L);
    return l->heard[WZP_SIGNAL_DIRECT_CALL_OFFER] + l->heard[WZP_SIGNAL_FEDERATED_SIGNAL_FORWARD] >
                       0 ||
                   wzp_ct_is_gone(e, WZP_CT_X)
               ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) > WZP_S ? WZP_CT_HAPPENED
                                                 : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_rly077[WZP_CT_RLY077_ACTS] = {
    WZP_CT_REGISTERED(wzp_ct_x_and_l),
    {.required = "the other client gets nothing of it",
     .within_s = 3,
     .begin = begin_forward,
     .go = go_forward,
     .late = WZP_CT_REASON_NO_RESPONSE},
    WZP_CT_ASK("Pong to the Ping that follows", 3, &still),
};
