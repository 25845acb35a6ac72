#include "phone/handset.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/identity.h"
#include "phone/handset_internal.h"

static const char taken[] = "another call came first";
static const char away[] = "the relay is gone";

/* --- calling ---------------------------------------------------------------------------------- */

static void tell_phone(wzp_handset *h) {
    const wzp_call_addresses nothing = {.local_count = 0};
    h->told = h->cfg.relay_only ? nothing : h->own;
    h->told_since = true;
    wzp_phone_set_addresses(h->phone, &h->told);
}

static void speak_if_found(wzp_handset *h, wzp_time now) {
    if (h->waits == WAIT_NOTHING || !wzp_handset_is_found(h, now)) {
        return;
    }
    const handset_wait what = h->waits;
    h->waits = WAIT_NOTHING;
    tell_phone(h);
    const wzp_err err = what == WAIT_TO_CALL ? wzp_phone_call(h->phone, h->callee)
                                             : wzp_phone_answer(h->phone, h->mode);
    h->tell_failed = h->tell_failed || (err != WZP_OK && what == WAIT_TO_CALL);
}

static void wait_for(wzp_handset *h, handset_wait what, wzp_time now) {
    h->waits = what;
    h->asked_at = now;
    wzp_handset_ports_refresh(h, now);
    if (h->own.reflexive.family == WZP_ADDR_NONE && !h->asks_relay) {
        wzp_handset_ask_relay(h, now);
    }
}

/* Not before: a mapping may change our port, which no handshake survives, and no call. */
static void on_registered(wzp_handset *h, wzp_time now) {
    h->finds_after = h->races;
    if (h->races) {
        wzp_race_say_again(&h->race);
        if (wzp_handset_is_reference(h)) {
            wzp_phone_update_again(h->phone);
        }
    } else {
        wzp_handset_find(h, WZP_HANDSET_GATHER, now);
        wzp_handset_ask_relay(h, now);
    }
}

/* Only who prefers our own behaviour looks for a nearer relay, and only where others are listed
 * (nat sheet 1.13). */
static void look_around(wzp_handset *h, const wzp_signal_RegisterPresenceAck *ack, wzp_time now) {
    if (wzp_handset_is_reference(h) && ack->available_relays.count > 0) {
        const wzp_bytes region =
            ack->relay_region.present ? ack->relay_region.value : wzp_bytes_str("");
        wzp_nearest_registered(&h->nearest, wzp_bytes_str("this one"), &h->cfg.path.remote, region,
                               &ack->available_relays, now);
    }
}

/* Between an end and the word of it nothing is done for a call: one datagram may end one and offer
 * another, which nobody has agreed to answer, and which the race of the first must not hang up. */
static void step(wzp_handset *h, wzp_time now) {
    if (h->finds_after && wzp_phone_state_of(h->phone) == WZP_PHONE_STATE_IDLE) {
        on_registered(h, now);
    }
    if (wzp_handset_find_step(h, now) && !wzp_handset_is_told(h)) {
        wzp_handset_moved(h);
    }
    if (!wzp_phone_has_ended(h->phone)) {
        speak_if_found(h, now);
        wzp_handset_call_step(h, now);
    }
}

wzp_err wzp_handset_call(wzp_handset *h, const char *fingerprint, wzp_time now) {
    uint8_t target[WZP_FINGERPRINT_LEN];
    if (wzp_phone_state_of(h->phone) != WZP_PHONE_STATE_IDLE || h->waits != WAIT_NOTHING ||
        wzp_fingerprint_parse(target, wzp_bytes_str(fingerprint)) != WZP_OK) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_fingerprint_write(h->callee, target);
    wait_for(h, WAIT_TO_CALL, now);
    step(h, now);
    return WZP_OK;
}

/* Who does not tell where it is has nothing to wait for. */
wzp_err wzp_handset_answer(wzp_handset *h, wzp_accept_mode mode, wzp_time now) {
    if (mode != WZP_ACCEPT_TRUSTED || h->cfg.relay_only) {
        tell_phone(h);
        return wzp_phone_answer(h->phone, mode);
    }
    if (wzp_phone_state_of(h->phone) != WZP_PHONE_STATE_BUSY || h->waits != WAIT_NOTHING) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    h->mode = mode;
    wait_for(h, WAIT_TO_ANSWER, now);
    step(h, now);
    return WZP_OK;
}

void wzp_handset_use(wzp_handset *h, wzp_client *client, wzp_time now) {
    h->client = client;
    if (h->is_set_up && !h->races) {
        wzp_handset_begin(h, now);
        wzp_handset_call_step(h, now);
    }
}

void wzp_handset_hangup(wzp_handset *h, wzp_time now) {
    h->waits = WAIT_NOTHING;
    wzp_phone_hangup(h->phone);
    wzp_handset_end(h, now);
}

void wzp_handset_close(wzp_handset *h, wzp_time now) {
    h->waits = WAIT_NOTHING;
    wzp_handset_end(h, now);
    wzp_gather_release(&h->gather, now);
    wzp_nearest_stop(&h->nearest, now);
    wzp_phone_close(h->phone, now);
    step(h, now);
}

void wzp_handset_lose(wzp_handset *h, wzp_time now) {
    wzp_phone_lose(h->phone, now);
    step(h, now);
}

/* --- the network ------------------------------------------------------------------------------ */

void wzp_handset_network(wzp_handset *h, const wzp_handset_net *net, wzp_time now) {
    h->cfg.net = *net;
    h->reflected = (wzp_addr){0};
    wzp_handset_ports_moved(h);
    wzp_handset_stop_birthday(h, now);
    if (h->races) {
        wzp_race_leave_direct(&h->race);
        wzp_race_moved(&h->race);
        wzp_handset_find_later(h);
    } else {
        wzp_handset_find(h, WZP_HANDSET_GATHER, now);
    }
    step(h, now);
}

void wzp_handset_upnp(wzp_handset *h, wzp_addr external, wzp_time now) {
    wzp_gather_upnp(&h->gather, &external);
    step(h, now);
}

void wzp_handset_signal(wzp_handset *h, bool out, wzp_bytes json, wzp_time now) {
    wzp_phone_signal(h->phone, out, json, now);
    step(h, now);
}

/* --- as a core -------------------------------------------------------------------------------- */

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    wzp_handset *h = self;
    const wzp_core end = wzp_endpoint_core(h->endpoint);
    end.ops->recv(end.self, path, ecn, payload, now);
}

static void core_tick(void *self, wzp_time now) {
    wzp_handset *h = self;
    const wzp_core end = wzp_endpoint_core(h->endpoint);
    const wzp_core phone = wzp_phone_core(h->phone);
    end.ops->tick(end.self, now);
    phone.ops->tick(phone.self, now);
    if (h->client != NULL) {
        const wzp_core client = wzp_client_core(h->client);
        client.ops->tick(client.self, now);
    }
    wzp_nearest_tick(&h->nearest, now);
    step(h, now);
}

static wzp_time core_deadline(const void *self) {
    wzp_handset *h = wzp_drop_const(self);
    const wzp_core end = wzp_endpoint_core(h->endpoint);
    const wzp_core phone = wzp_phone_core(h->phone);
    wzp_time first = wzp_time_min(end.ops->deadline(end.self), phone.ops->deadline(phone.self));
    if (h->client != NULL) {
        const wzp_core client = wzp_client_core(h->client);
        first = wzp_time_min(first, client.ops->deadline(client.self));
    }
    first = wzp_time_min(first, wzp_nearest_deadline(&h->nearest));
    return wzp_time_min(first,
                        wzp_time_min(wzp_handset_find_deadline(h), wzp_handset_call_deadline(h)));
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    const wzp_core end = wzp_endpoint_core(((wzp_handset *)self)->endpoint);
    return end.ops->next_packet(end.self, now, buf, cap, meta);
}

wzp_core wzp_handset_core(wzp_handset *handset) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next_packet};
    return (wzp_core){handset, &ops};
}

wzp_endpoint *wzp_handset_endpoint(wzp_handset *handset) {
    return handset->endpoint;
}

const char *wzp_handset_fingerprint(const wzp_handset *handset) {
    return wzp_phone_fingerprint(handset->phone);
}

/* --- events ----------------------------------------------------------------------------------- */

static void on_set_up(wzp_handset *h, const wzp_phone_event *ev) {
    h->is_set_up = true;
    h->is_open = ev->may_be_direct;
    h->peer_is_able = ev->peer_is_able && wzp_handset_is_reference(h);
    h->peer_probes = ev->peer_probes;
    h->birthday.peer_does = ev->peer_celebrates && ev->proven;
    h->peer = *ev->peer;
    /* One of another family may be out of reach: behind a NAT64 our own relay is not. */
    h->relay = ev->relay.family == h->cfg.path.remote.family ? ev->relay : h->cfg.path.remote;
    h->why = NULL;
    (void)snprintf(h->room, sizeof h->room, "%s", ev->room);
    (void)snprintf(h->peer_fingerprint, sizeof h->peer_fingerprint, "%s", ev->fingerprint);
}

static void on_update(wzp_handset *h, const wzp_phone_event *ev, wzp_time now) {
    h->peer = *ev->peer;
    wzp_handset_told(h, now);
}

/* Who repeats himself, or is in an earlier race than we are, may have missed what we said of late.
 */
static void on_report(wzp_handset *h, const wzp_phone_event *ev, wzp_time now) {
    if (!h->races) {
        return;
    }
    const bool is_repeated = h->race.has_peer && ev->number == h->race.cfg.number;
    const bool is_behind = ev->number < h->race.cfg.number;
    if ((is_repeated || is_behind) && h->peer_is_able && !wzp_phone_owes_update(h->phone)) {
        wzp_phone_update_again(h->phone);
    }
    wzp_race_peer_report(&h->race, ev->number, ev->direct_ok, now);
}

/* Of what the phone says: true if others hear of it as well. */
static bool on_phone(wzp_handset *h, wzp_phone_event *ev, wzp_time now) {
    switch (ev->kind) {
    case WZP_PHONE_REGISTERED:
        on_registered(h, now);
        look_around(h, ev->ack, now);
        return true;
    case WZP_PHONE_AWAY:
        h->tell_failed = h->tell_failed || h->waits == WAIT_TO_CALL;
        h->waits = WAIT_NOTHING;
        return true;
    case WZP_PHONE_SET_UP:
        on_set_up(h, ev);
        return true;
    case WZP_PHONE_REFLEXIVE:
        if (wzp_handset_reflected(h, &ev->observed) && !wzp_handset_is_told(h)) {
            wzp_handset_moved(h);
        }
        return false;
    case WZP_PHONE_PATH:
        on_report(h, ev, now);
        return false;
    case WZP_PHONE_UPDATE:
        on_update(h, ev, now);
        return false;
    case WZP_PHONE_PROBE:
        wzp_handset_on_ports(h, ev->probe, now);
        return false;
    case WZP_PHONE_BIRTHDAY:
        wzp_handset_on_birthday(h, ev->birthday, now);
        return false;
    case WZP_PHONE_ENDED:
        ev->text = h->why != NULL ? h->why : ev->text;
        h->why = NULL;
        wzp_handset_end(h, now);
        return true;
    case WZP_PHONE_CLOSED:
        h->waits = WAIT_NOTHING;
        wzp_handset_end(h, now);
        return true;
    default:
        return true;
    }
}

static bool next_of_phone(wzp_handset *h, wzp_time now) {
    while (wzp_phone_next_event(h->phone, &h->phone_event)) {
        if (on_phone(h, &h->phone_event, now)) {
            return true;
        }
    }
    return false;
}

static wzp_addr far_end(wzp_handset *h) {
    wzp_quic_stats stats = {0};
    if (h->path == WZP_RACE_RELAY) {
        return h->relay;
    }
    (void)wzp_quic_conn_stats(h->quic, h->direct, &stats);
    return stats.path.remote;
}

static bool is_proven(const wzp_handset *h) {
    for (size_t i = 0; i < HANDSET_LINKS; i++) {
        if (h->links[i].state == LINK_COUNTS && h->links[i].conn == h->direct) {
            return h->links[i].proven;
        }
    }
    return false;
}

/* Where both dial, two connections may come up between the same two sockets, and media go on by the
 * one that both prefer: no other path for anybody who asks. */
static bool is_told(const wzp_handset *h, const wzp_handset_event *ev) {
    return ev->path == h->told_path && ev->proven == h->told_proven &&
           wzp_addr_equal(&ev->addr, &h->told_end);
}

static bool path_event(wzp_handset *h, wzp_handset_event *out) {
    const wzp_handset_event ev = {.kind = WZP_HANDSET_PATH,
                                  .path = h->path,
                                  .addr = far_end(h),
                                  .proven = h->path == WZP_RACE_DIRECT && is_proven(h),
                                  .text = h->taken_text};
    if (is_told(h, &ev)) {
        return false;
    }
    h->told_path = ev.path;
    h->told_proven = ev.proven;
    h->told_end = ev.addr;
    *out = ev;
    return true;
}

static bool take(bool *flag) {
    const bool was = *flag;
    *flag = false;
    return was;
}

bool wzp_handset_next_event(wzp_handset *h, wzp_time now, wzp_handset_event *out) {
    *out = (wzp_handset_event){.text = ""};
    if (next_of_phone(h, now)) {
        out->kind = WZP_HANDSET_PHONE;
        out->phone = &h->phone_event;
        return true;
    }
    step(h, now);
    if (take(&h->tell_failed)) {
        h->phone_event = (wzp_phone_event){
            .kind = WZP_PHONE_ENDED,
            .fingerprint = h->callee,
            .room = "",
            .text = wzp_phone_state_of(h->phone) == WZP_PHONE_STATE_OFF ? away : taken};
        out->kind = WZP_HANDSET_PHONE;
        out->phone = &h->phone_event;
        return true;
    }
    if (take(&h->tell_seen)) {
        out->kind = WZP_HANDSET_SEEN;
        out->addr = h->own.reflexive;
        return true;
    }
    if (h->path != WZP_RACE_UNDECIDED && take(&h->tell_path) && path_event(h, out)) {
        return true;
    }
    if (take(&h->birthday.tell_open)) {
        out->kind = WZP_HANDSET_OPEN;
        out->sockets = h->birthday.wanted;
        return true;
    }
    out->nearest = wzp_nearest_news(&h->nearest);
    if (out->nearest != NULL) {
        out->kind = WZP_HANDSET_NEAREST;
        return true;
    }
    if (take(&h->birthday.tell_shut)) {
        out->kind = WZP_HANDSET_SHUT;
        return true;
    }
    return false;
}

void wzp_handset_count(const wzp_handset *h, wzp_handset_counters *out) {
    const wzp_call_refused *told = wzp_phone_refused_addresses(h->phone);
    wzp_phone_counters phone;
    wzp_phone_count(h->phone, &phone);
    *out = h->counters;
    out->updates = phone.updates;
    out->stale_updates = phone.stale_updates;
    out->update_number = phone.update_number;
    out->refused_calls = phone.refused_calls;
    out->unreadable = phone.unreadable;
    out->ignored = phone.ignored;
    out->unsent = phone.unsent;
    out->probes_elsewhere = phone.probes_elsewhere;
    out->birthdays_ignored = phone.birthdays_ignored;
    wzp_gather_count(&h->gather, &out->answers);
    wzp_endpoint_count(h->endpoint, &out->socket);
    out->told.unreadable += told->unreadable;
    out->told.surplus += told->surplus;
    out->told.unusable += told->unusable;
    out->told.our_own += told->our_own;
}

/* --- life ------------------------------------------------------------------------------------- */

static wzp_err open_socket(wzp_handset *h, const wzp_handset_cfg *cfg, wzp_time now) {
    const bool shows_identity = cfg->policy == WZP_RACE_REFERENCE;
    uint8_t any[WZP_KEY_LEN];
    wzp_identity who;
    wzp_tls_identity tls;
    wzp_identity_from_seed(&who, cfg->seed);
    if (shows_identity) {
        wzp_tls_identity_of(&tls, &who);
    } else {
        wzp_rng_fill(cfg->rng, any, sizeof any);
        wzp_tls_identity_from_seed(&tls, any);
    }
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, sizeof tls.ed25519_seed)};
    const wzp_quic_cfg quic = {.identity = &identity,
                               .rng = cfg->rng,
                               .log = cfg->log,
                               .datagram_lifetime = WZP_CLIENT_LIFETIME,
                               .mutual = shows_identity,
                               .deterministic = cfg->deterministic,
                               .keylog = cfg->keylog,
                               .keylog_ctx = cfg->keylog_ctx,
                               .qlog = cfg->qlog,
                               .qlog_ctx = cfg->qlog_ctx};
    const wzp_err err = wzp_endpoint_new(&h->endpoint, &quic, now);
    wzp_tls_identity_clear(&tls);
    wzp_identity_clear(&who);
    return err;
}

static wzp_err open_phone(wzp_handset *h, const wzp_handset_cfg *cfg, wzp_time now) {
    wzp_phone_cfg phone = {.rng = cfg->rng,
                           .log = cfg->log,
                           .alias = cfg->alias,
                           .token = cfg->token,
                           .pin = cfg->pin,
                           .path = cfg->path,
                           .endpoint = h->endpoint,
                           .is_plain = cfg->policy == WZP_RACE_DEPLOYED,
                           .probes = wzp_handset_tells_ports(cfg),
                           .celebrates = wzp_handset_celebrates(cfg),
                           .reconnects = cfg->reconnects,
                           .deterministic = cfg->deterministic,
                           .signal = cfg->signal,
                           .signal_ctx = cfg->signal_ctx,
                           .filter = cfg->filter,
                           .filter_ctx = cfg->filter_ctx};
    memcpy(phone.seed, cfg->seed, sizeof phone.seed);
    const wzp_err err = wzp_phone_new(&h->phone, &phone, now);
    wzp_crypto_wipe(phone.seed, sizeof phone.seed);
    return err;
}

wzp_err wzp_handset_new(wzp_handset **out, const wzp_handset_cfg *cfg, wzp_time now) {
    wzp_handset *h = calloc(1, sizeof *h);
    if (h == NULL) {
        return WZP_ERR_NOMEM;
    }
    h->cfg = *cfg;
    h->created = now;
    wzp_crypto_wipe(h->cfg.seed, sizeof h->cfg.seed);
    h->cfg.stun_count =
        cfg->stun_count < WZP_STUN_SERVERS_MAX ? cfg->stun_count : WZP_STUN_SERVERS_MAX;
    if (h->cfg.stun_count > 0) {
        memcpy(h->stun, cfg->stun, h->cfg.stun_count * sizeof h->stun[0]);
    }
    h->cfg.stun = NULL;
    h->due_at = h->retry_at = WZP_TIME_NEVER;
    h->user = (wzp_endpoint_user){h, wzp_handset_on_direct};
    h->tap = (wzp_endpoint_tap){h, wzp_handset_on_datagram};
    wzp_err err = open_socket(h, cfg, now);
    err = err == WZP_OK ? open_phone(h, cfg, now) : err;
    if (err != WZP_OK) {
        wzp_handset_free(&h);
        return err;
    }
    h->quic = wzp_endpoint_quic(h->endpoint);
    wzp_nearest_init(&h->nearest, h->endpoint, 0, 0);
    wzp_endpoint_on_incoming(h->endpoint, &h->user);
    wzp_endpoint_on_other(h->endpoint, &h->tap);
    *out = h;
    return WZP_OK;
}

void wzp_handset_free(wzp_handset **handset) {
    wzp_handset *h = *handset;
    if (h != NULL) {
        wzp_phone_free(&h->phone);
        wzp_endpoint_free(&h->endpoint);
        wzp_crypto_wipe(h, sizeof *h);
        free(h);
        *handset = NULL;
    }
}
