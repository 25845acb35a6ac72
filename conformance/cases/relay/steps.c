#include "conformance/cases/relay/steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const wzp_ct_whos wzp_ct_only_x = {WZP_CT_X, WZP_CT_PARTIES};
const wzp_ct_whos wzp_ct_x_and_l = {WZP_CT_X, WZP_CT_L, WZP_CT_PARTIES};
const wzp_ct_whos wzp_ct_three = {WZP_CT_X, WZP_CT_L, WZP_CT_KX, WZP_CT_PARTIES};

/* --- who is there ----------------------------------------------------------------------------- */

bool wzp_ct_is_in(wzp_ct_exec *e, wzp_ct_who who) {
    return wzp_ct_play_party(e, who)->state == WZP_PARTY_JOINED;
}

bool wzp_ct_is_gone(wzp_ct_exec *e, wzp_ct_who who) {
    return wzp_party_gone(wzp_ct_play_party(e, who));
}

bool wzp_ct_step_register(wzp_ct_exec *e, wzp_time now) {
    bool all = true;
    for (const wzp_ct_who *who = wzp_ct_play_arg(e); *who != WZP_CT_PARTIES; who++) {
        all = all && wzp_ct_play_register(e, *who, now);
    }
    return all;
}

bool wzp_ct_step_join(wzp_ct_exec *e, wzp_time now) {
    bool all = true;
    for (const wzp_ct_who *who = wzp_ct_play_arg(e); *who != WZP_CT_PARTIES; who++) {
        all = all && wzp_ct_play_join(e, *who, NULL, *who, now);
    }
    return all;
}

wzp_ct_so_far wzp_ct_step_registered(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_so_far all = WZP_CT_HAPPENED;
    (void)now;
    for (const wzp_ct_who *who = wzp_ct_play_arg(e); *who != WZP_CT_PARTIES; who++) {
        const wzp_signal *ack = wzp_ct_play_party(e, *who)->last[WZP_SIGNAL_REGISTER_PRESENCE_ACK];
        if (wzp_ct_is_gone(e, *who) || (ack != NULL && !ack->u.RegisterPresenceAck.success)) {
            return WZP_CT_NEVER;
        }
        all = ack == NULL ? WZP_CT_NOT_YET : all;
    }
    return all;
}

wzp_ct_so_far wzp_ct_step_joined(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_who *whos = wzp_ct_play_arg(e);
    uint32_t count = 0;
    wzp_ct_so_far all = WZP_CT_HAPPENED;
    (void)now;
    while (whos[count] != WZP_CT_PARTIES) {
        count++;
    }
    for (uint32_t i = 0; i < count; i++) {
        const wzp_ct_party *p = wzp_ct_play_party(e, whos[i]);
        if (wzp_party_gone(p)) {
            return WZP_CT_NEVER;
        }
        all = p->answered && p->room_count == count ? all : WZP_CT_NOT_YET;
    }
    return all;
}

static const char *fault_of_list(wzp_ct_exec *e, const wzp_signal_RoomUpdate *u,
                                 const wzp_ct_who *whos, size_t count) {
    if (u->count != u->participants.count) {
        return "count is not the length of the list";
    }
    for (size_t i = 0; i < count; i++) {
        const wzp_room_participant *p = &u->participants.items[i];
        const char *name = wzp_ct_play_party(e, whos[i])->identity.fingerprint;
        if (!wzp_bytes_equal(p->fingerprint, wzp_bytes_str(name))) {
            return "fingerprints are not in the order of joining";
        }
        if (p->relay_label.present) {
            return "a local member has a relay_label";
        }
    }
    return NULL;
}

wzp_ct_so_far wzp_ct_step_listed(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_who *whos = wzp_ct_play_arg(e);
    size_t count = 0;
    (void)now;
    while (whos[count] != WZP_CT_PARTIES) {
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        const wzp_signal *update = wzp_ct_play_party(e, whos[i])->last[WZP_SIGNAL_ROOM_UPDATE];
        if (wzp_ct_is_gone(e, whos[i])) {
            return WZP_CT_NEVER;
        }
        if (update == NULL || update->u.RoomUpdate.count != count) {
            return WZP_CT_NOT_YET;
        }
        const char *fault = fault_of_list(e, &update->u.RoomUpdate, whos, count);
        if (fault != NULL) {
            wzp_ct_play_say(e, "%s", fault);
            return WZP_CT_NEVER;
        }
    }
    return WZP_CT_HAPPENED;
}

/* --- a question and its answer ---------------------------------------------------------------- */

bool wzp_ct_say(wzp_ct_exec *e, wzp_ct_who who, const char *json) {
    return wzp_party_say(wzp_ct_play_party(e, who), wzp_bytes_str(json));
}

bool wzp_ct_ping(wzp_ct_exec *e, wzp_ct_who who, uint64_t timestamp) {
    return wzp_party_tell(
        wzp_ct_play_party(e, who),
        &(wzp_signal){.kind = WZP_SIGNAL_PING, .version = 1, .u.Ping.timestamp_ms = timestamp});
}

bool wzp_ct_has_pong(wzp_ct_exec *e, wzp_ct_who who, uint64_t timestamp) {
    const wzp_signal *pong = wzp_ct_play_party(e, who)->last[WZP_SIGNAL_PONG];
    return pong != NULL && pong->u.Pong.timestamp_ms == timestamp;
}

bool wzp_ct_step_ask(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_ask *ask = wzp_ct_play_arg(e);
    bool said = true;
    (void)now;
    for (size_t i = 0; i < WZP_COUNT_OF(ask->texts) && ask->texts[i] != NULL; i++) {
        said = said && wzp_ct_say(e, ask->who, ask->texts[i]);
    }
    return said;
}

wzp_ct_so_far wzp_ct_step_answered(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_ask *ask = wzp_ct_play_arg(e);
    (void)now;
    return wzp_ct_has_pong(e, ask->who, ask->pong) ? WZP_CT_HAPPENED
           : wzp_ct_is_gone(e, ask->who)           ? WZP_CT_NEVER
                                                   : WZP_CT_NOT_YET;
}

wzp_ct_so_far wzp_ct_go_reflected(wzp_ct_exec *e, wzp_ct_who who) {
    const wzp_ct_party *p = wzp_ct_play_party(e, who);
    const wzp_signal *response = p->last[WZP_SIGNAL_REFLECT_RESPONSE];
    const wzp_addr own = wzp_ct_play_local(e, who);
    static const uint8_t unknown[16] = {0};
    char text[WZP_ADDR_TEXT_MAX];
    char want[WZP_ADDR_TEXT_MAX];
    wzp_addr seen;
    if (response == NULL) {
        return wzp_party_gone(p) ? WZP_CT_NEVER : WZP_CT_NOT_YET;
    }
    const wzp_bytes addr = response->u.ReflectResponse.observed_addr;
    (void)snprintf(text, sizeof text, "%.*s", (int)addr.len, (const char *)addr.data);
    const bool is_known = memcmp(own.ip, unknown, sizeof unknown) != 0;
    const bool right = is_known ? strcmp(text, wzp_addr_text(&own, want)) == 0
                                : wzp_addr_parse(&seen, text) == WZP_OK;
    if (!right) {
        wzp_ct_play_say(e, "the relay says %s", text);
    }
    return right ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

/* --- direct calls ----------------------------------------------------------------------------- */

#define TEXT(text)                                                                                 \
    { (const uint8_t *)(text), sizeof(text) - 1 }
static const wzp_bytes caller_local[] = {TEXT("192.168.1.5:4433"), TEXT("10.1.2.3:4433")};
static const wzp_bytes callee_local[] = {TEXT("192.168.88.22:4433")};
const wzp_ct_whereabouts wzp_ct_caller_place = {{true, TEXT("192.0.2.1:4433")},
                                                {true, TEXT("203.0.113.5:12345")},
                                                {caller_local, WZP_COUNT_OF(caller_local)}};
const wzp_ct_whereabouts wzp_ct_callee_place = {{true, TEXT("198.51.100.9:4433")},
                                                {true, TEXT("198.51.100.9:54321")},
                                                {callee_local, WZP_COUNT_OF(callee_local)}};
#undef TEXT

/* Unique to the caller, and within the alphabet of host names. */
wzp_bytes wzp_ct_call_id(wzp_ct_exec *e, const wzp_ct_call *call, char buf[WZP_CT_CALL_ID]) {
    size_t n = 0;
    for (const char *c = wzp_ct_play_party(e, call->caller)->identity.fingerprint; *c != '\0';
         c++) {
        if (*c != ':') {
            buf[n++] = *c;
        }
    }
    buf[n++] = call->tag;
    return wzp_bytes_of(buf, n);
}

wzp_signal wzp_ct_call_offer(wzp_ct_exec *e, const wzp_ct_call *call, wzp_ct_call_parts *parts) {
    const wzp_ct_party *from = wzp_ct_play_party(e, call->caller);
    const wzp_ct_party *to = wzp_ct_play_party(e, call->callee);
    wzp_handshake_sign(parts->signature, &from->identity, WZP_ROLE_OFFER, from->ephemeral.pub);
    wzp_signal signal = {
        .kind = WZP_SIGNAL_DIRECT_CALL_OFFER,
        .version = 1,
        .u.DirectCallOffer = {.caller_fingerprint = wzp_bytes_str(from->identity.fingerprint),
                              .caller_alias = {true, wzp_bytes_str("tester")},
                              .target_fingerprint = wzp_bytes_str(to->identity.fingerprint),
                              .call_id = wzp_ct_call_id(e, call, parts->id),
                              .signature = {parts->signature, sizeof parts->signature},
                              .supported_profiles = {&wzp_profile_good, 1},
                              .caller_build_version = {true, wzp_bytes_str("conformance")}}};
    wzp_signal_DirectCallOffer *offer = &signal.u.DirectCallOffer;
    memcpy(offer->identity_pub.bytes, from->identity.ed25519_pub, WZP_KEY_LEN);
    memcpy(offer->ephemeral_pub.bytes, from->ephemeral.pub, WZP_KEY_LEN);
    if (call->from != NULL) {
        offer->caller_reflexive_addr = call->from->reflexive;
        offer->caller_mapped_addr = call->from->mapped;
        offer->caller_local_addrs = call->from->local;
    }
    return signal;
}

wzp_signal wzp_ct_call_answer(wzp_ct_exec *e, const wzp_ct_call *call, wzp_ct_call_parts *parts) {
    const wzp_ct_party *from = wzp_ct_play_party(e, call->callee);
    wzp_signal signal = {.kind = WZP_SIGNAL_DIRECT_CALL_ANSWER,
                         .version = 1,
                         .u.DirectCallAnswer = {.call_id = wzp_ct_call_id(e, call, parts->id),
                                                .accept_mode = (uint8_t)call->mode}};
    wzp_signal_DirectCallAnswer *answer = &signal.u.DirectCallAnswer;
    if (call->mode != WZP_ACCEPT_REJECT) {
        wzp_handshake_sign(parts->signature, &from->identity, WZP_ROLE_ANSWER, from->ephemeral.pub);
        answer->signature = (wzp_opt_bytes){true, {parts->signature, sizeof parts->signature}};
        answer->identity_pub.present = answer->ephemeral_pub.present = true;
        memcpy(answer->identity_pub.value, from->identity.ed25519_pub, WZP_KEY_LEN);
        memcpy(answer->ephemeral_pub.value, from->ephemeral.pub, WZP_KEY_LEN);
        answer->chosen_profile = (wzp_opt_profile){true, wzp_profile_good};
    }
    if (call->to != NULL) {
        answer->callee_reflexive_addr = call->to->reflexive;
        answer->callee_mapped_addr = call->to->mapped;
        answer->callee_local_addrs = call->to->local;
    }
    return signal;
}

bool wzp_ct_same_signal(const wzp_signal *a, const wzp_signal *b) {
    wzp_signal copies[2] = {*a, *b};
    char *texts[2] = {NULL, NULL};
    size_t lens[2] = {0, 0};
    bool same = true;
    copies[1].version = copies[0].version;
    for (size_t i = 0; i < 2; i++) {
        same = same && wzp_signal_to_json(&texts[i], &lens[i], &copies[i]) == WZP_OK;
    }
    same =
        same && wzp_bytes_equal(wzp_bytes_of(texts[0], lens[0]), wzp_bytes_of(texts[1], lens[1]));
    free(texts[0]);
    free(texts[1]);
    return same;
}

bool wzp_ct_step_offer(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_call *call = wzp_ct_play_arg(e);
    wzp_ct_call_parts parts;
    const wzp_signal offer = wzp_ct_call_offer(e, call, &parts);
    (void)now;
    return wzp_party_tell(wzp_ct_play_party(e, call->caller), &offer);
}

static bool names(const wzp_bytes *id, wzp_bytes call_id) {
    return wzp_bytes_equal(*id, call_id);
}

wzp_ct_so_far wzp_ct_step_offered(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_call *call = wzp_ct_play_arg(e);
    const wzp_ct_party *from = wzp_ct_play_party(e, call->caller);
    const wzp_signal *came = wzp_ct_play_party(e, call->callee)->last[WZP_SIGNAL_DIRECT_CALL_OFFER];
    const wzp_signal *ringing = from->last[WZP_SIGNAL_CALL_RINGING];
    wzp_ct_call_parts parts;
    const wzp_signal offer = wzp_ct_call_offer(e, call, &parts);
    const wzp_bytes id = offer.u.DirectCallOffer.call_id;
    (void)now;
    if (wzp_ct_has_hangup(e, call->caller, id) || wzp_ct_is_gone(e, call->caller) ||
        wzp_ct_is_gone(e, call->callee)) {
        return WZP_CT_NEVER;
    }
    if (came == NULL || !names(&came->u.DirectCallOffer.call_id, id)) {
        return WZP_CT_NOT_YET;
    }
    if (!wzp_ct_same_signal(&offer, came)) {
        wzp_ct_play_say(e, "the offer came with other fields than were sent");
        return WZP_CT_NEVER;
    }
    return ringing != NULL && names(&ringing->u.CallRinging.call_id, id) ? WZP_CT_HAPPENED
                                                                         : WZP_CT_NOT_YET;
}

bool wzp_ct_step_answer(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_call *call = wzp_ct_play_arg(e);
    wzp_ct_call_parts parts;
    const wzp_signal answer = wzp_ct_call_answer(e, call, &parts);
    (void)now;
    return wzp_party_tell(wzp_ct_play_party(e, call->callee), &answer);
}

static bool same_text(const wzp_opt_str *a, const wzp_opt_str *b) {
    return a->present == b->present && (!a->present || wzp_bytes_equal(a->value, b->value));
}

static bool same_list(wzp_list_str a, wzp_list_str b) {
    bool same = a.count == b.count;
    for (size_t i = 0; same && i < a.count; i++) {
        same = wzp_bytes_equal(a.items[i], b.items[i]);
    }
    return same;
}

/* A key of this name, with null for its value: spaces between them mean nothing. */
static bool is_null(const char *json, const char *key) {
    const char *at = strstr(json, key);
    at = at != NULL ? at + strlen(key) : "";
    at += strspn(at, " \t\r\n");
    at += *at == ':' ? 1 : 0;
    at += strspn(at, " \t\r\n");
    return strncmp(at, "null", 4) == 0;
}

/* Null is no way to leave something out here. */
static bool shows_null(const char *json) {
    return is_null(json, "\"peer_direct_addr\"") || is_null(json, "\"peer_local_addrs\"") ||
           is_null(json, "\"peer_mapped_addr\"");
}

const char *wzp_ct_fault_of_setup(const wzp_ct_party *p, wzp_bytes id, const wzp_signal *peer) {
    const wzp_signal_CallSetup *setup = &p->last[WZP_SIGNAL_CALL_SETUP]->u.CallSetup;
    const bool is_offer = peer->kind == WZP_SIGNAL_DIRECT_CALL_OFFER;
    const wzp_signal_DirectCallOffer *offer = &peer->u.DirectCallOffer;
    const wzp_signal_DirectCallAnswer *answer = &peer->u.DirectCallAnswer;
    char text[WZP_ADDR_TEXT_MAX];
    char room[WZP_CT_CALL_ID + 8];
    wzp_addr addr;
    (void)snprintf(room, sizeof room, "call-%.*s", (int)id.len, (const char *)id.data);
    (void)snprintf(text, sizeof text, "%.*s", (int)setup->relay_addr.len,
                   (const char *)setup->relay_addr.data);
    const bool cross_wired =
        same_text(&setup->peer_direct_addr,
                  is_offer ? &offer->caller_reflexive_addr : &answer->callee_reflexive_addr) &&
        same_text(&setup->peer_mapped_addr,
                  is_offer ? &offer->caller_mapped_addr : &answer->callee_mapped_addr) &&
        same_list(setup->peer_local_addrs,
                  is_offer ? offer->caller_local_addrs : answer->callee_local_addrs);
    return !wzp_bytes_equal(setup->room, wzp_bytes_str(room)) ? "the room is not call-ID"
           : wzp_addr_parse(&addr, text) != WZP_OK            ? "relay_addr is no address"
           : !cross_wired ? "the peer's addresses are not those that the peer told"
           : shows_null(p->last_json[WZP_SIGNAL_CALL_SETUP]) ? "an absent address is null"
                                                             : NULL;
}

bool wzp_ct_has_setup(const wzp_ct_party *p, wzp_bytes id) {
    const wzp_signal *setup = p->last[WZP_SIGNAL_CALL_SETUP];
    return setup != NULL && wzp_bytes_equal(setup->u.CallSetup.call_id, id);
}

static wzp_ct_so_far weigh_setups(wzp_ct_exec *e, const wzp_ct_call *call) {
    wzp_ct_call_parts parts[2];
    const wzp_signal offer = wzp_ct_call_offer(e, call, &parts[0]);
    const wzp_signal answer = wzp_ct_call_answer(e, call, &parts[1]);
    const wzp_ct_party *from = wzp_ct_play_party(e, call->caller);
    const wzp_ct_party *to = wzp_ct_play_party(e, call->callee);
    const wzp_bytes id = offer.u.DirectCallOffer.call_id;
    if (!wzp_ct_has_setup(from, id) || !wzp_ct_has_setup(to, id) ||
        from->last[WZP_SIGNAL_DIRECT_CALL_ANSWER] == NULL) {
        return WZP_CT_NOT_YET;
    }
    const char *fault = wzp_ct_fault_of_setup(from, id, &answer);
    const char *other = wzp_ct_fault_of_setup(to, id, &offer);
    const bool same = wzp_ct_same_signal(&answer, from->last[WZP_SIGNAL_DIRECT_CALL_ANSWER]);
    if (fault == NULL && other == NULL && same) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e, "%s: %s",
                    fault != NULL   ? "CallSetup of the caller"
                    : other != NULL ? "CallSetup of the callee"
                                    : "the answer",
                    fault != NULL   ? fault
                    : other != NULL ? other
                                    : "came with other fields than were sent");
    return WZP_CT_NEVER;
}

wzp_ct_so_far wzp_ct_step_set_up(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_call *call = wzp_ct_play_arg(e);
    char buf[WZP_CT_CALL_ID];
    const wzp_bytes id = wzp_ct_call_id(e, call, buf);
    (void)now;
    if (wzp_ct_is_gone(e, call->caller) || wzp_ct_is_gone(e, call->callee)) {
        return WZP_CT_NEVER;
    }
    const bool ended = wzp_ct_has_hangup(e, call->caller, id);
    const bool set_up = wzp_ct_has_setup(wzp_ct_play_party(e, call->caller), id) ||
                        wzp_ct_has_setup(wzp_ct_play_party(e, call->callee), id);
    if (call->mode == WZP_ACCEPT_REJECT) {
        return set_up ? WZP_CT_NEVER : ended ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
    }
    return ended ? WZP_CT_NEVER : weigh_setups(e, call);
}

/* --- what parties say about calls ------------------------------------------------------------- */

bool wzp_ct_has_hangup(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes call_id) {
    const wzp_signal *hangup = wzp_ct_play_party(e, who)->last[WZP_SIGNAL_HANGUP];
    return hangup != NULL && hangup->u.Hangup.call_id.present &&
           wzp_bytes_equal(hangup->u.Hangup.call_id.value, call_id);
}

bool wzp_ct_hang_up(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes call_id) {
    return wzp_party_tell(
        wzp_ct_play_party(e, who),
        &(wzp_signal){.kind = WZP_SIGNAL_HANGUP,
                      .version = 1,
                      .u.Hangup = {.reason.kind = WZP_HANGUP_NORMAL, .call_id = {true, call_id}}});
}

bool wzp_ct_report_path(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes call_id) {
    return wzp_party_tell(
        wzp_ct_play_party(e, who),
        &(wzp_signal){.kind = WZP_SIGNAL_MEDIA_PATH_REPORT,
                      .version = 1,
                      .u.MediaPathReport = {.call_id = call_id,
                                            .direct_ok = true,
                                            .race_winner = wzp_bytes_str("Direct")}});
}

bool wzp_ct_has_report(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes call_id) {
    const wzp_signal *report = wzp_ct_play_party(e, who)->last[WZP_SIGNAL_MEDIA_PATH_REPORT];
    return report != NULL && wzp_bytes_equal(report->u.MediaPathReport.call_id, call_id);
}
