/* Direct calls: the hub's side of the registry in calls.h.  That says what to do, here it is sent
 * (relay sheet 8.5-8.9, NAT sheet 1.10, 1.11). */
#include <stdio.h>

#include "relay/internal.h"

static bool is_here(const wzp_call *call, wzp_call_role role) {
    return call->sides[role].peer == WZP_CALL_HERE;
}

/* NULL: it is with a peer, or gone. */
static session *client_of(const wzp_relay *r, const wzp_call *call, wzp_call_role role) {
    return is_here(call, role) ? wzp_relay_find_client(r, wzp_bytes_str(call->sides[role].name))
                               : NULL;
}

/* What this client is in the call; one that registered here although the call has it elsewhere is
 * nothing. */
static wzp_call_role role_of(const wzp_call *call, const session *s) {
    const wzp_call_role role = wzp_call_role_of(call, s->fingerprint);
    return role != WZP_CALL_STRANGER && is_here(call, role) ? role : WZP_CALL_STRANGER;
}

static wzp_call_role other(wzp_call_role role) {
    return role == WZP_CALL_CALLER ? WZP_CALL_CALLEE : WZP_CALL_CALLER;
}

static void drop(wzp_relay *r, call_drop why) {
    r->metrics.call_drops[why]++;
}

/* As long as nobody has answered, only the end of the call is for all (relay sheet 9.9). */
static void tell_abroad(wzp_relay *r, uint32_t peer, const wzp_signal *signal) {
    const bool is_known = peer != WZP_CALL_ANYWHERE;
    if (r->federation == NULL || (!is_known && signal->kind != WZP_SIGNAL_HANGUP) ||
        wzp_federation_forward(r->federation, is_known ? peer - 1 : WZP_FED_NO_PEER, signal) == 0) {
        drop(r, CALL_DROP_UNREACHED);
    }
}

/* A party may have gone while its call lives on: then there is nobody to tell. */
static void tell(wzp_relay *r, const wzp_call *call, wzp_call_role role, const wzp_signal *signal) {
    if (!is_here(call, role)) {
        tell_abroad(r, call->sides[role].peer, signal);
        return;
    }
    session *to = client_of(r, call, role);
    if (to != NULL) {
        (void)wzp_relay_send_signal(to, signal);
    }
}

static wzp_signal hangup_of(wzp_hangup_kind kind, const char *call_id) {
    const wzp_opt_str id = {call_id != NULL, wzp_bytes_str(call_id != NULL ? call_id : "")};
    return (wzp_signal){.kind = WZP_SIGNAL_HANGUP,
                        .version = 1,
                        .u.Hangup = {.reason.kind = (uint8_t)kind, .call_id = id}};
}

static void end(wzp_relay *r, const session *s, wzp_call *call, call_end why) {
    static const char *const names[CALL_END_COUNT] = {"reject", "hangup", "gone", "timeout"};
    r->metrics.calls_ended[why]++;
    wzp_relay_event_push(r, s, "call_end", names[why]);
    wzp_calls_remove(r->calls, &call);
}

/* --- offer ------------------------------------------------------------------------------------ */

static wzp_list_str first_candidates(wzp_relay *r, wzp_list_str list) {
    if (list.count > WZP_CALL_CANDIDATES) {
        r->metrics.candidates_cut += list.count - WZP_CALL_CANDIDATES;
        list.count = WZP_CALL_CANDIDATES;
    }
    return list;
}

static void refuse(session *s, const wzp_signal_DirectCallOffer *offer, wzp_hangup_kind kind,
                   const char *why) {
    char id[WZP_CALL_ID_MAX + 1];
    const bool has_id = offer->call_id.len > 0 && offer->call_id.len < sizeof id;
    (void)snprintf(id, sizeof id, "%.*s", has_id ? (int)offer->call_id.len : 0,
                   (const char *)offer->call_id.data);
    const wzp_signal hangup = hangup_of(kind, has_id ? id : NULL);
    wzp_relay_event_push(s->relay, s, "call_refused", why);
    (void)wzp_relay_send_signal(s, &hangup);
}

/* As deployed, without call_id: old clients know it so. */
static void refuse_offline(session *s) {
    const wzp_signal hangup = hangup_of(WZP_HANGUP_NORMAL, NULL);
    s->relay->metrics.calls_offline++;
    wzp_relay_event_push(s->relay, s, "call_refused", "nobody has this name");
    (void)wzp_relay_send_signal(s, &hangup);
}

static wzp_call_refusal register_call(wzp_relay *r, const wzp_signal_DirectCallOffer *offer,
                                      const char *caller, const char *callee, wzp_call **call) {
    const wzp_call_offer wanted = {.id = offer->call_id,
                                   .caller = caller,
                                   .callee = callee,
                                   .place = {.reflexive = offer->caller_reflexive_addr,
                                             .mapped = offer->caller_mapped_addr,
                                             .local = offer->caller_local_addrs}};
    const wzp_call_refusal refusal = wzp_calls_offer(r->calls, &wanted, r->now, call);
    r->metrics.calls_refused[refusal] += refusal != WZP_CALL_FINE ? 1 : 0;
    return refusal;
}

static wzp_hangup_kind kind_of(wzp_call_refusal refusal) {
    return refusal == WZP_CALL_CALLEE_BUSY ? WZP_HANGUP_BUSY : WZP_HANGUP_ERROR;
}

/* As deployed, the relay itself says that it rings. */
static void ring(session *s, wzp_call *call) {
    wzp_relay *r = s->relay;
    const wzp_signal ringing = {.kind = WZP_SIGNAL_CALL_RINGING,
                                .version = 1,
                                .u.CallRinging.call_id = wzp_bytes_str(call->id)};
    tell(r, call, WZP_CALL_CALLER, &ringing);
    (void)wzp_calls_step(r->calls, call, WZP_CALL_RELAY, WZP_CALL_IN_RUNG, r->now);
}

/* `callee` NULL: perhaps a peer knows the name.  All are asked; who answers first has it. */
static void place_call(session *s, const session *callee, const char *name,
                       const wzp_signal *signal) {
    wzp_relay *r = s->relay;
    wzp_signal copy = *signal;
    wzp_signal_DirectCallOffer *offer = &copy.u.DirectCallOffer;
    wzp_call *call = NULL;
    offer->caller_local_addrs = first_candidates(r, offer->caller_local_addrs);
    const wzp_call_refusal refusal = register_call(r, offer, s->fingerprint, name, &call);
    if (refusal != WZP_CALL_FINE) {
        refuse(s, offer, kind_of(refusal), wzp_call_refusal_name(refusal));
        return;
    }
    if (callee != NULL) {
        tell(r, call, WZP_CALL_CALLEE, &copy);
    } else {
        call->sides[WZP_CALL_CALLEE].peer = WZP_CALL_ANYWHERE;
        if (wzp_federation_forward(r->federation, WZP_FED_NO_PEER, &copy) == 0) {
            wzp_calls_remove(r->calls, &call);
            refuse_offline(s);
            return;
        }
        r->metrics.calls_abroad++;
    }
    r->metrics.calls_offered++;
    wzp_relay_event_push(r, s, "call_offer", callee != NULL ? "" : "to peers");
    ring(s, call);
}

/* A name as text; false: nobody can have it. */
static bool copy_name(char out[WZP_CALL_NAME_MAX + 1], wzp_bytes name) {
    if (name.len == 0 || name.len > WZP_CALL_NAME_MAX ||
        memchr(name.data, '\0', name.len) != NULL) {
        return false;
    }
    memcpy(out, name.data, name.len);
    out[name.len] = '\0';
    return true;
}

/* The name that the callee will see is what the caller claims; only strict relays compare it. */
static void on_offer(session *s, const wzp_signal *signal) {
    wzp_relay *r = s->relay;
    const wzp_signal_DirectCallOffer *offer = &signal->u.DirectCallOffer;
    const session *callee = wzp_relay_find_client(r, offer->target_fingerprint);
    char name[WZP_CALL_NAME_MAX + 1];
    const bool may_be_abroad = r->federation != NULL && copy_name(name, offer->target_fingerprint);
    if (r->cfg.strict_identity &&
        !wzp_bytes_equal(offer->caller_fingerprint, wzp_bytes_str(s->fingerprint))) {
        r->metrics.calls_misnamed++;
        refuse(s, offer, WZP_HANGUP_ERROR, "the caller has another name");
    } else if (r->draining || (callee == NULL && !may_be_abroad)) {
        refuse_offline(s);
    } else {
        place_call(s, callee, callee != NULL ? callee->fingerprint : name, signal);
    }
}

/* --- answer ----------------------------------------------------------------------------------- */

/* What the client can reach; drivers that do not know local addresses advertise one. */
const char *wzp_relay_address(const session *to, char buf[WZP_ADDR_TEXT_MAX]) {
    const wzp_addr *advertised = &to->relay->cfg.advertised;
    const wzp_addr fallback = wzp_addr_v4(127, 0, 0, 1, 4433);
    return wzp_addr_text(advertised->family != WZP_ADDR_NONE      ? advertised
                         : to->path.local.family != WZP_ADDR_NONE ? &to->path.local
                                                                  : &fallback,
                         buf);
}

/* Each party is told where the other one is. */
static void set_up(const wzp_relay *r, const wzp_call *call, wzp_call_role role) {
    char name[WZP_CALL_ID_MAX + 8];
    char addr[WZP_ADDR_TEXT_MAX];
    const wzp_call_place *peer = &call->sides[other(role)].place;
    session *to = client_of(r, call, role);
    if (to == NULL) {
        return;
    }
    (void)snprintf(name, sizeof name, "call-%s", call->id);
    const wzp_signal setup = {
        .kind = WZP_SIGNAL_CALL_SETUP,
        .version = 1,
        .u.CallSetup = {.call_id = wzp_bytes_str(call->id),
                        .room = wzp_bytes_str(name),
                        .relay_addr = wzp_bytes_str(wzp_relay_address(to, addr)),
                        .peer_direct_addr = peer->reflexive,
                        .peer_local_addrs = peer->local,
                        .peer_mapped_addr = peer->mapped}};
    (void)wzp_relay_send_signal(to, &setup);
}

/* Who accepts by relay only shows no address, whatever its client wrote into the answer. */
static void accept(wzp_relay *r, const session *s, wzp_call *call, const wzp_signal *signal) {
    wzp_signal copy = *signal;
    wzp_signal_DirectCallAnswer *answer = &copy.u.DirectCallAnswer;
    if (call->state == WZP_CALL_GENERIC) {
        answer->callee_reflexive_addr = answer->callee_mapped_addr = (wzp_opt_str){0};
        answer->callee_local_addrs = (wzp_list_str){0};
        r->metrics.calls_generic++;
    } else {
        r->metrics.calls_trusted++;
    }
    answer->callee_local_addrs = first_candidates(r, answer->callee_local_addrs);
    const wzp_call_place place = {.reflexive = answer->callee_reflexive_addr,
                                  .mapped = answer->callee_mapped_addr,
                                  .local = answer->callee_local_addrs};
    r->metrics.candidates_cut += wzp_call_set_place(call, WZP_CALL_CALLEE, &place);
    wzp_relay_event_push(r, s, "call_answer", "");
    tell(r, call, WZP_CALL_CALLER, &copy);
    set_up(r, call, WZP_CALL_CALLER);
    set_up(r, call, WZP_CALL_CALLEE);
}

static wzp_call_input input_of(uint8_t accept_mode) {
    return accept_mode == WZP_ACCEPT_TRUSTED   ? WZP_CALL_IN_ACCEPT_TRUSTED
           : accept_mode == WZP_ACCEPT_GENERIC ? WZP_CALL_IN_ACCEPT_GENERIC
                                               : WZP_CALL_IN_REJECT;
}

static void on_answer(wzp_relay *r, const session *s, wzp_call *call, wzp_call_role role,
                      const wzp_signal *signal) {
    const wzp_signal hangup = hangup_of(WZP_HANGUP_NORMAL, call->id);
    switch (wzp_calls_step(r->calls, call, role, input_of(signal->u.DirectCallAnswer.accept_mode),
                           r->now)) {
    case WZP_CALL_ACT_SET_UP:
        accept(r, s, call, signal);
        break;
    case WZP_CALL_ACT_END_PEER:
        tell(r, call, other(role), &hangup);
        end(r, s, call, CALL_END_REJECT);
        break;
    default:
        drop(r, CALL_DROP_STATE);
        break;
    }
}

/* --- the rest --------------------------------------------------------------------------------- */

static void on_hangup(wzp_relay *r, const session *s, wzp_call *call, wzp_call_role role,
                      const wzp_signal *signal) {
    if (wzp_calls_step(r->calls, call, role, WZP_CALL_IN_HANGUP, r->now) == WZP_CALL_ACT_PASS) {
        r->metrics.call_signals++;
        tell(r, call, other(role), signal);
        end(r, s, call, CALL_END_HANGUP);
    } else {
        drop(r, CALL_DROP_STATE);
    }
}

/* Old clients name no call: all of theirs end. */
static void on_hangup_of_all(session *s, const wzp_signal *signal) {
    const wzp_calls *calls = s->relay->calls;
    wzp_call *next = NULL;
    for (wzp_call *call = wzp_calls_of(calls, s->fingerprint, NULL); call != NULL; call = next) {
        next = wzp_calls_of(calls, s->fingerprint, call);
        const wzp_call_role role = role_of(call, s);
        if (role != WZP_CALL_STRANGER) {
            wzp_signal named = *signal; /* a peer has other calls than this client's */
            const bool is_abroad = !is_here(call, other(role));
            named.u.Hangup.call_id = (wzp_opt_str){true, wzp_bytes_str(call->id)};
            on_hangup(s->relay, s, call, role, is_abroad ? &named : signal);
        }
    }
}

static void on_message(wzp_relay *r, wzp_call *call, wzp_call_role role, const wzp_signal *signal) {
    wzp_signal copy = *signal;
    const bool tells_address = signal->kind == WZP_SIGNAL_CANDIDATE_UPDATE ||
                               signal->kind == WZP_SIGNAL_HARD_NAT_PROBE ||
                               signal->kind == WZP_SIGNAL_HARD_NAT_BIRTHDAY_START;
    if (signal->kind == WZP_SIGNAL_CANDIDATE_UPDATE) {
        copy.u.CandidateUpdate.local_addrs =
            first_candidates(r, copy.u.CandidateUpdate.local_addrs);
    }
    switch (wzp_calls_step(r->calls, call, role,
                           tells_address ? WZP_CALL_IN_ADDRESS : WZP_CALL_IN_MESSAGE, r->now)) {
    case WZP_CALL_ACT_PASS:
        r->metrics.call_signals++;
        tell(r, call, other(role), &copy);
        break;
    case WZP_CALL_ACT_WITHHOLD:
        drop(r, CALL_DROP_WITHHELD);
        break;
    default:
        drop(r, CALL_DROP_STATE);
        break;
    }
}

/* Hold, Mute, Transfer and their like name no call; deployed relays drop them.  They go to the
 * peer if it is clear who that is (an extension). */
static void on_control(session *s, const wzp_signal *signal) {
    wzp_relay *r = s->relay;
    wzp_call *active = NULL;
    unsigned count = 0;
    for (wzp_call *call = wzp_calls_of(r->calls, s->fingerprint, NULL); call != NULL;
         call = wzp_calls_of(r->calls, s->fingerprint, call)) {
        const bool is_between_clients =
            is_here(call, WZP_CALL_CALLER) && is_here(call, WZP_CALL_CALLEE);
        if (is_between_clients &&
            (call->state == WZP_CALL_TRUSTED || call->state == WZP_CALL_GENERIC)) {
            active = call;
            count++;
        }
    }
    if (count == 1) {
        on_message(r, active, role_of(active, s), signal);
    } else {
        drop(r, CALL_DROP_AMBIGUOUS);
    }
}

/* The id in those signals that must name a call; NULL: this kind names none. */
static const wzp_bytes *call_id_of(const wzp_signal *signal) {
    switch (signal->kind) {
#define NAMES_CALL(kind, variant)                                                                  \
    case WZP_SIGNAL_##kind:                                                                        \
        return &signal->u.variant.call_id
        NAMES_CALL(DIRECT_CALL_ANSWER, DirectCallAnswer);
        NAMES_CALL(MEDIA_PATH_REPORT, MediaPathReport);
        NAMES_CALL(CANDIDATE_UPDATE, CandidateUpdate);
        NAMES_CALL(HARD_NAT_PROBE, HardNatProbe);
        NAMES_CALL(HARD_NAT_BIRTHDAY_START, HardNatBirthdayStart);
        NAMES_CALL(UPGRADE_PROPOSAL, UpgradeProposal);
        NAMES_CALL(UPGRADE_RESPONSE, UpgradeResponse);
        NAMES_CALL(UPGRADE_CONFIRM, UpgradeConfirm);
        NAMES_CALL(QUALITY_CAPABILITY, QualityCapability);
#undef NAMES_CALL
    case WZP_SIGNAL_HANGUP:
        return signal->u.Hangup.call_id.present ? &signal->u.Hangup.call_id.value : NULL;
    default:
        return NULL;
    }
}

/* `s` is the party, or the link that its peer spoke over. */
static void on_named(wzp_relay *r, const session *s, wzp_call *call, wzp_call_role role,
                     const wzp_signal *signal) {
    if (signal->kind == WZP_SIGNAL_DIRECT_CALL_ANSWER) {
        on_answer(r, s, call, role, signal);
    } else if (signal->kind == WZP_SIGNAL_HANGUP) {
        on_hangup(r, s, call, role, signal);
    } else {
        on_message(r, call, role, signal);
    }
}

void wzp_relay_on_call_signal(session *s, const wzp_signal *signal) {
    const wzp_bytes *call_id = call_id_of(signal);
    wzp_call *call = call_id != NULL ? wzp_calls_find(s->relay->calls, *call_id) : NULL;
    const wzp_call_role role = call != NULL ? role_of(call, s) : WZP_CALL_STRANGER;
    if (role != WZP_CALL_STRANGER) {
        on_named(s->relay, s, call, role, signal);
    } else if (call_id != NULL) {
        drop(s->relay, call == NULL ? CALL_DROP_NO_CALL : CALL_DROP_STRANGER);
    } else if (signal->kind == WZP_SIGNAL_DIRECT_CALL_OFFER) {
        on_offer(s, signal);
    } else if (signal->kind == WZP_SIGNAL_HANGUP) {
        on_hangup_of_all(s, signal);
    } else {
        on_control(s, signal);
    }
}

/* --- parties that are with peers (relay sheet 9.8, 9.9) ----------------------------------------
 */

/* The caller is with the peer, and so is whom it may name: not our own clients, and not those of
 * another peer's call. */
static bool is_spoofed(const wzp_relay *r, const wzp_signal_DirectCallOffer *offer, uint32_t peer) {
    const wzp_call *older = wzp_calls_find(r->calls, offer->call_id);
    return wzp_relay_find_client(r, offer->caller_fingerprint) != NULL ||
           (older != NULL && older->sides[WZP_CALL_CALLER].peer != peer);
}

static void refuse_peer(wzp_relay *r, uint32_t peer, wzp_bytes call_id, wzp_call_refusal refusal) {
    wzp_signal hangup = hangup_of(kind_of(refusal), NULL);
    hangup.u.Hangup.call_id = (wzp_opt_str){true, call_id};
    if (call_id.len <= WZP_CALL_ID_MAX) {
        tell_abroad(r, peer, &hangup);
    }
}

/* Without a second hop: whom we do not know, another peer may. */
static void on_peer_offer(session *link, uint32_t peer, const wzp_signal *signal) {
    wzp_relay *r = link->relay;
    wzp_signal copy = *signal;
    wzp_signal_DirectCallOffer *offer = &copy.u.DirectCallOffer;
    char caller[WZP_CALL_NAME_MAX + 1];
    wzp_call *call = NULL;
    const session *callee = wzp_relay_find_client(r, offer->target_fingerprint);
    if (callee == NULL || r->draining) {
        r->metrics.offers_not_here++;
        return;
    }
    if (!copy_name(caller, offer->caller_fingerprint) || is_spoofed(r, offer, peer)) {
        r->metrics.offers_spoofed++;
        wzp_relay_event_push(r, link, "call_refused", "the peer has no such caller");
        return;
    }
    offer->caller_local_addrs = first_candidates(r, offer->caller_local_addrs);
    const wzp_call_refusal refusal = register_call(r, offer, caller, callee->fingerprint, &call);
    if (refusal != WZP_CALL_FINE) {
        refuse_peer(r, peer, offer->call_id, refusal);
        return;
    }
    call->sides[WZP_CALL_CALLER].peer = peer;
    r->metrics.calls_from_abroad++;
    wzp_relay_event_push(r, link, "call_offer", "from a peer");
    tell(r, call, WZP_CALL_CALLEE, &copy);
    (void)wzp_calls_step(r->calls, call, WZP_CALL_RELAY, WZP_CALL_IN_RUNG, r->now);
}

/* Which of the parties this peer may speak for. */
static wzp_call_role role_of_peer(const wzp_call *call, uint32_t peer) {
    const uint32_t callee = call->sides[WZP_CALL_CALLEE].peer;
    return callee == peer || callee == WZP_CALL_ANYWHERE ? WZP_CALL_CALLEE
           : call->sides[WZP_CALL_CALLER].peer == peer   ? WZP_CALL_CALLER
                                                         : WZP_CALL_STRANGER;
}

/* Deployed relays say of themselves that it rings; ours has done so already. */
static bool is_told_already(const wzp_signal *signal) {
    return signal->kind == WZP_SIGNAL_CALL_RINGING;
}

/* It is this peer that has the callee: where else it rings, it need not any more. */
static void settle_on(wzp_relay *r, wzp_call *call, uint32_t peer) {
    const wzp_signal hangup = hangup_of(WZP_HANGUP_NORMAL, call->id);
    size_t count = 0;
    const wzp_fed_target *targets = wzp_federation_targets(r->federation, &count);
    call->sides[WZP_CALL_CALLEE].peer = peer;
    for (size_t i = 0; i < count; i++) {
        if (targets[i].peer != peer - 1) {
            (void)wzp_federation_forward(r->federation, targets[i].peer, &hangup);
        }
    }
}

static bool is_last_word(const wzp_signal *signal) {
    return signal->kind == WZP_SIGNAL_DIRECT_CALL_ANSWER || signal->kind == WZP_SIGNAL_HANGUP;
}

/* What came in an envelope of a peer.  A callee that may be anywhere is where the first answer
 * comes from, be it yes or no. */
void wzp_relay_on_peer_call(session *link, const wzp_signal *signal) {
    wzp_relay *r = link->relay;
    const uint32_t peer = wzp_fed_link_peer(link->link) + 1;
    const wzp_bytes *call_id = call_id_of(signal);
    wzp_call *call = call_id != NULL ? wzp_calls_find(r->calls, *call_id) : NULL;
    const wzp_call_role role = call != NULL ? role_of_peer(call, peer) : WZP_CALL_STRANGER;
    if (signal->kind == WZP_SIGNAL_DIRECT_CALL_OFFER) {
        on_peer_offer(link, peer, signal);
    } else if (is_told_already(signal)) {
        r->metrics.call_signals++;
    } else if (role == WZP_CALL_STRANGER) {
        drop(r, call_id == NULL || call != NULL ? CALL_DROP_PEER : CALL_DROP_NO_CALL);
    } else {
        if (call->sides[role].peer == WZP_CALL_ANYWHERE && is_last_word(signal)) {
            settle_on(r, call, peer);
        }
        on_named(r, link, call, role, signal);
    }
}

/* --- ends without a signal -------------------------------------------------------------------- */

/* The signal connection that the name led to is gone. */
void wzp_relay_calls_leave(session *s) {
    wzp_relay *r = s->relay;
    wzp_call *next = NULL;
    for (wzp_call *call = wzp_calls_of(r->calls, s->fingerprint, NULL); call != NULL; call = next) {
        next = wzp_calls_of(r->calls, s->fingerprint, call);
        const wzp_call_role role = role_of(call, s);
        if (role == WZP_CALL_STRANGER) {
            continue;
        }
        const wzp_signal hangup = hangup_of(WZP_HANGUP_NORMAL, call->id);
        (void)wzp_calls_step(r->calls, call, role, WZP_CALL_IN_GONE, r->now);
        tell(r, call, other(role), &hangup);
        end(r, s, call, CALL_END_GONE);
    }
}

void wzp_relay_calls_tick(wzp_relay *r) {
    for (wzp_call *call; (call = wzp_calls_due(r->calls, r->now)) != NULL;) {
        const wzp_signal hangup = hangup_of(WZP_HANGUP_TIMEOUT, call->id);
        (void)wzp_calls_step(r->calls, call, WZP_CALL_RELAY, WZP_CALL_IN_TIMEOUT, r->now);
        tell(r, call, WZP_CALL_CALLER, &hangup);
        tell(r, call, WZP_CALL_CALLEE, &hangup);
        end(r, client_of(r, call, WZP_CALL_CALLER), call, CALL_END_TIMEOUT);
    }
}

/* --- media rooms of calls --------------------------------------------------------------------- */

/* True for every other room; a call- room belongs to the two parties of a registered call. */
bool wzp_relay_call_admit(const session *s) {
    const room *rm = wzp_relay_find_room(s->relay, s->sni);
    return !wzp_call_is_room(s->sni) || (wzp_calls_admit(s->relay->calls, s->sni, s->fingerprint) &&
                                         (rm == NULL || rm->count < WZP_LIMIT_CALL_ROOM));
}
