#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/text.h"
#include "phone/phone_internal.h"

enum { CALL_ID_BYTES = 16 };

static const char unsaid[] = "the relay could not be told";

/* --- text from the peer ----------------------------------------------------------------------- */

/* As many whole characters as fit, without what a terminal might obey or a reader be misled by. */
static void keep(char *out, size_t cap, wzp_bytes text) {
    size_t len = 0;
    while (text.len > 0) {
        char utf8[4];
        const uint32_t c = wzp_text_next(&text);
        const size_t n = wzp_text_encode(utf8, wzp_text_is_control(c) ? '?' : c);
        if (len + n >= cap) {
            break;
        }
        memcpy(out + len, utf8, n);
        len += n;
    }
    out[len] = '\0';
}

/* --- sending ---------------------------------------------------------------------------------- */

static void show(const wzp_phone *p, bool out, wzp_bytes json) {
    if (p->signal != NULL) {
        p->signal(p->signal_ctx, out, json);
    }
}

static bool passes(const wzp_phone *p, bool out, wzp_bytes json) {
    return p->filter == NULL || p->filter(p->filter_ctx, out, json);
}

static bool send_json(wzp_phone *p, wzp_bytes json) {
    if (wzp_quic_send_signal(p->quic, p->conn, json, NULL) != WZP_OK) {
        p->counters.unsent++;
        wzp_logf(&p->log, WZP_LOG_WARN, "a signal could not be sent");
        return false;
    }
    show(p, true, json);
    return true;
}

/* Before it is registered, and while the line is lost, nobody hears it: that is no failure. */
bool wzp_phone_send(wzp_phone *p, const wzp_signal *signal) {
    uint8_t buf[4096];
    if (p->line != LINE_UP && signal->kind != WZP_SIGNAL_REGISTER_PRESENCE) {
        return true;
    }
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_signal_write(&wr, signal);
    const wzp_bytes json = wzp_bytes_of(buf, wzp_wr_len(&wr));
    if (wzp_wr_end(&wr) != WZP_OK) {
        p->counters.unsent++;
        wzp_logf(&p->log, WZP_LOG_WARN, "a signal is too long");
        return false;
    }
    return !passes(p, true, json) || send_json(p, json);
}

static bool send_register(wzp_phone *p) {
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_presence_sign(signature, &p->identity);
    wzp_signal reg = {
        .kind = WZP_SIGNAL_REGISTER_PRESENCE,
        .version = 1,
        .u.RegisterPresence = {.signature = {signature, sizeof signature},
                               .alias = {p->alias[0] != '\0', wzp_bytes_str(p->alias)}}};
    memcpy(reg.u.RegisterPresence.identity_pub.bytes, p->identity.ed25519_pub, WZP_KEY_LEN);
    p->line = LINE_REGISTERS;
    return wzp_phone_send(p, &reg);
}

static void send_hangup(wzp_phone *p, wzp_hangup_kind reason, wzp_bytes call_id) {
    (void)wzp_phone_send(
        p, &(wzp_signal){.kind = WZP_SIGNAL_HANGUP,
                         .version = 1,
                         .u.Hangup = {.reason.kind = (uint8_t)reason, .call_id = {true, call_id}}});
}

/* --- the call --------------------------------------------------------------------------------- */

bool wzp_phone_is_about(const wzp_phone *p, wzp_bytes call_id) {
    return p->state > PHONE_IDLE && wzp_bytes_equal(call_id, wzp_bytes_str(p->call_id));
}

static void end_call(wzp_phone *p, const char *why) {
    wzp_crypto_wipe(&p->ephemeral, sizeof p->ephemeral);
    (void)snprintf(p->ended, sizeof p->ended, "%s", why);
    p->tell_incoming = p->tell_ringing = p->tell_set_up = false;
    wzp_phone_forget_paths(p);
    p->tell_ended = true;
    p->state = PHONE_IDLE;
    p->rang = false;
}

/* Signed with the key of the fingerprint that it names. */
static bool is_proven(const wzp_signal_DirectCallOffer *offer) {
    char text[WZP_FINGERPRINT_TEXT + 1];
    wzp_fingerprint_text(text, offer->identity_pub.bytes);
    return wzp_bytes_equal(offer->caller_fingerprint, wzp_bytes_str(text)) &&
           wzp_handshake_verify(wzp_bytes_of(offer->signature.items, offer->signature.count),
                                offer->identity_pub.bytes, WZP_ROLE_OFFER,
                                offer->ephemeral_pub.bytes) == WZP_OK;
}

/* One that we could not say again names no call: nobody could end it. */
bool wzp_phone_is_call_id(wzp_bytes id) {
    return id.len > 0 && id.len <= CALL_ID_MAX && memchr(id.data, '\0', id.len) == NULL;
}

/* The offer of the call that we are in, again, is no other one that could be refused: that would
 * end this one. */
static void on_offer(wzp_phone *p, const wzp_signal_DirectCallOffer *offer) {
    if (wzp_phone_is_about(p, offer->call_id)) {
        p->counters.ignored++;
        return;
    }
    if (p->line != LINE_UP || p->state != PHONE_IDLE || !wzp_phone_is_call_id(offer->call_id)) {
        p->counters.refused_calls++;
        send_hangup(p, WZP_HANGUP_BUSY, offer->call_id);
        return;
    }
    memcpy(p->call_id, offer->call_id.data, offer->call_id.len);
    p->call_id[offer->call_id.len] = '\0';
    keep(p->peer, sizeof p->peer, offer->caller_fingerprint);
    keep(p->peer_alias, sizeof p->peer_alias,
         offer->caller_alias.present ? offer->caller_alias.value : wzp_bytes_str(""));
    p->proven = is_proven(offer);
    wzp_phone_read_marks(p, &offer->caller_build_version);
    wzp_phone_adopt_early_probe(p);
    p->tell_incoming = true;
    p->state = PHONE_RUNG;
}

static void on_setup(wzp_phone *p, const wzp_signal_CallSetup *setup) {
    char text[WZP_ADDR_TEXT_MAX];
    const bool is_due = p->state == PHONE_CALLING || p->state == PHONE_ANSWERED;
    if (!is_due || !wzp_phone_is_about(p, setup->call_id)) {
        p->counters.ignored++;
        return;
    }
    if (setup->room.len == 0 || setup->room.len > WZP_QUIC_SNI_MAX) {
        send_hangup(p, WZP_HANGUP_ERROR, setup->call_id);
        end_call(p, "the relay named no room");
        return;
    }
    keep(p->room, sizeof p->room, setup->room);
    keep(text, sizeof text, setup->relay_addr);
    if (wzp_addr_parse(&p->relay, text) != WZP_OK || !wzp_phone_can_be_sent_to(p, &p->relay)) {
        p->relay = (wzp_addr){.family = WZP_ADDR_NONE};
    }
    wzp_phone_set_up_paths(p, setup);
    p->tell_set_up = true;
    p->state = PHONE_TALKING;
    wzp_phone_say_probe(p);
}

/* Without call_id it is about all calls: old clients, and a relay that does not know the callee. */
static void on_hangup(wzp_phone *p, const wzp_signal_Hangup *hangup) {
    const char *name = wzp_hangup_name((wzp_hangup_kind)hangup->reason.kind);
    if (p->state == PHONE_IDLE ||
        (hangup->call_id.present && !wzp_phone_is_about(p, hangup->call_id.value))) {
        p->counters.ignored++;
        return;
    }
    const bool is_unknown = p->state == PHONE_CALLING && !p->rang && !hangup->call_id.present;
    end_call(p, is_unknown     ? "nobody with this fingerprint is registered here"
                : name != NULL ? name
                               : "unknown reason");
}

/* Takes the signal if the phone is registered by it. */
static void on_ack(wzp_phone *p, wzp_signal **signal, wzp_time now) {
    const wzp_signal_RegisterPresenceAck *ack = &(*signal)->u.RegisterPresenceAck;
    if (p->line != LINE_REGISTERS) {
        p->counters.ignored++;
        return;
    }
    if (!ack->success) {
        wzp_quic_close(p->quic, p->conn, 0, "refused", now);
        return;
    }
    keep(p->build, sizeof p->build,
         ack->relay_build.present ? ack->relay_build.value : wzp_bytes_str(""));
    p->line = LINE_UP;
    p->up_since = now;
    p->was_registered = p->tell_registered = true;
    wzp_signal_free(&p->ack);
    p->ack = *signal;
    *signal = NULL;
}

static void on_ringing(wzp_phone *p, const wzp_signal_CallRinging *ringing) {
    if (p->state != PHONE_CALLING || !wzp_phone_is_about(p, ringing->call_id)) {
        p->counters.ignored++;
        return;
    }
    p->rang = p->tell_ringing = true;
    wzp_phone_say_probe(p);
}

static void read_json(wzp_phone *p, wzp_bytes json, wzp_time now) {
    wzp_signal *signal = NULL;
    show(p, false, json);
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK) {
        char name[48];
        p->counters.unreadable++;
        wzp_logf(&p->log, WZP_LOG_WARN, "unreadable signal %s",
                 wzp_signal_peek_name(json, name, sizeof name));
        return;
    }
    switch (signal->kind) {
    case WZP_SIGNAL_REGISTER_PRESENCE_ACK:
        on_ack(p, &signal, now);
        break;
    case WZP_SIGNAL_PRESENCE_LIST:
        p->present = (uint32_t)signal->u.PresenceList.users.count;
        p->tell_presence = true;
        break;
    case WZP_SIGNAL_DIRECT_CALL_OFFER:
        on_offer(p, &signal->u.DirectCallOffer);
        break;
    case WZP_SIGNAL_CALL_RINGING:
        on_ringing(p, &signal->u.CallRinging);
        break;
    case WZP_SIGNAL_CALL_SETUP:
        on_setup(p, &signal->u.CallSetup);
        break;
    case WZP_SIGNAL_HANGUP:
        on_hangup(p, &signal->u.Hangup);
        break;
    default:
        wzp_phone_on_path_signal(p, signal);
        break;
    }
    wzp_signal_free(&signal);
}

static void on_signal(wzp_phone *p, wzp_bytes json, wzp_time now) {
    if (passes(p, false, json)) {
        read_json(p, json, now);
    }
}

void wzp_phone_signal(wzp_phone *p, bool out, wzp_bytes json, wzp_time now) {
    if (p->line == LINE_ENDED) {
        return;
    }
    if (out) {
        (void)send_json(p, json);
    } else {
        read_json(p, json, now);
    }
}

static void end_line(wzp_phone *p) {
    p->line = LINE_ENDED;
    p->dial_at = WZP_TIME_NEVER;
    p->tell_closed = true;
}

/* --- what the user does ----------------------------------------------------------------------- */

wzp_err wzp_phone_call(wzp_phone *p, const char *fingerprint) {
    uint8_t target[WZP_FINGERPRINT_LEN];
    uint8_t id[CALL_ID_BYTES];
    uint8_t signature[WZP_SIGNATURE_LEN];
    if (p->line == LINE_ENDED) {
        return WZP_ERR_CLOSED;
    }
    if (p->line != LINE_UP || p->state != PHONE_IDLE ||
        wzp_fingerprint_parse(target, wzp_bytes_str(fingerprint)) != WZP_OK) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_rng_fill(p->rng, id, sizeof id);
    (void)wzp_hex_write(p->call_id, wzp_bytes_of(id, sizeof id));
    wzp_fingerprint_write(p->peer, target);
    wzp_ephemeral_new(&p->ephemeral, p->rng);
    wzp_handshake_sign(signature, &p->identity, WZP_ROLE_OFFER, p->ephemeral.pub);
    p->is_caller = p->is_open = true;
    wzp_signal offer = {
        .kind = WZP_SIGNAL_DIRECT_CALL_OFFER,
        .version = 1,
        .u.DirectCallOffer = {.caller_fingerprint = wzp_bytes_str(p->identity.fingerprint),
                              .caller_alias = {p->alias[0] != '\0', wzp_bytes_str(p->alias)},
                              .target_fingerprint = wzp_bytes_str(p->peer),
                              .call_id = wzp_bytes_str(p->call_id),
                              .signature = {signature, sizeof signature},
                              .supported_profiles = {&wzp_profile_good, 1}}};
    memcpy(offer.u.DirectCallOffer.identity_pub.bytes, p->identity.ed25519_pub, WZP_KEY_LEN);
    memcpy(offer.u.DirectCallOffer.ephemeral_pub.bytes, p->ephemeral.pub, WZP_KEY_LEN);
    wzp_phone_offer_paths(p, &offer.u.DirectCallOffer);
    p->state = PHONE_CALLING;
    if (!wzp_phone_send(p, &offer)) {
        end_call(p, unsaid); /* nobody would ever answer it */
    }
    return WZP_OK;
}

/* Only who trusts the caller tells where it is (nat sheet 1.11). */
static bool send_answer(wzp_phone *p, wzp_accept_mode mode) {
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_signal answer = {
        .kind = WZP_SIGNAL_DIRECT_CALL_ANSWER,
        .version = 1,
        .u.DirectCallAnswer = {.call_id = wzp_bytes_str(p->call_id), .accept_mode = (uint8_t)mode}};
    wzp_signal_DirectCallAnswer *a = &answer.u.DirectCallAnswer;
    if (mode != WZP_ACCEPT_REJECT) {
        wzp_ephemeral_new(&p->ephemeral, p->rng);
        wzp_handshake_sign(signature, &p->identity, WZP_ROLE_ANSWER, p->ephemeral.pub);
        a->signature = (wzp_opt_bytes){true, {signature, sizeof signature}};
        a->identity_pub.present = a->ephemeral_pub.present = true;
        memcpy(a->identity_pub.value, p->identity.ed25519_pub, WZP_KEY_LEN);
        memcpy(a->ephemeral_pub.value, p->ephemeral.pub, WZP_KEY_LEN);
        a->chosen_profile = (wzp_opt_profile){true, wzp_profile_good};
    }
    p->is_open = mode == WZP_ACCEPT_TRUSTED;
    if (p->is_open) {
        wzp_phone_answer_paths(p, a);
    }
    return wzp_phone_send(p, &answer);
}

wzp_err wzp_phone_answer(wzp_phone *p, wzp_accept_mode mode) {
    if (p->state != PHONE_RUNG) {
        return p->line == LINE_ENDED ? WZP_ERR_CLOSED : WZP_ERR_INVALID_ARGUMENT;
    }
    const bool is_said = send_answer(p, mode);
    if (mode == WZP_ACCEPT_REJECT) {
        end_call(p, "rejected");
    } else if (!is_said) {
        end_call(p, unsaid);
    } else {
        p->state = PHONE_ANSWERED;
        wzp_phone_say_probe(p);
    }
    return WZP_OK;
}

void wzp_phone_hangup(wzp_phone *p) {
    if (p->state > PHONE_IDLE) {
        send_hangup(p, WZP_HANGUP_NORMAL, wzp_bytes_str(p->call_id));
        end_call(p, "hung up here");
    }
}

void wzp_phone_close(wzp_phone *p, wzp_time now) {
    wzp_phone_hangup(p);
    p->is_leaving = true;
    if (p->line == LINE_WAITS) {
        (void)snprintf(p->closed, sizeof p->closed, "hangup");
        end_line(p);
    } else {
        wzp_quic_close(p->quic, p->conn, 0, "hangup", now);
    }
}

/* --- the line --------------------------------------------------------------------------------- */

static wzp_err dial(wzp_phone *p, wzp_time now) {
    const wzp_quic_dial dial = {.path = p->path, .sni = "_signal"};
    p->admission = p->entry;
    p->line = LINE_DIALS;
    p->dial_at = WZP_TIME_NEVER;
    return wzp_endpoint_dial(p->endpoint, &dial, &p->user, now, &p->conn);
}

static void lose_line(wzp_phone *p, wzp_time now) {
    static const uint8_t delays_s[] = {0, 1, 2, 4, 8, 15, 30};
    const size_t last = sizeof delays_s - 1;
    /* A relay that takes us and drops us at once would have us, and all that we ask where we are,
     * as often as the network is quick. */
    if (p->line == LINE_UP && wzp_time_since(now, p->up_since) >= WZP_PHONE_STEADY) {
        p->losses = 0;
    }
    p->dial_at = wzp_time_after(now, delays_s[p->losses < last ? p->losses : last] * WZP_S);
    p->tell_away = p->tell_away || p->line == LINE_UP;
    p->losses++;
    p->up_since = WZP_TIME_NEVER;
    p->line = LINE_WAITS;
}

/* A call that is set up needs its media only. */
static void on_closed(wzp_phone *p, const wzp_quic_close_info *close, wzp_time now) {
    const bool is_looked_for =
        p->reconnects && p->was_registered && !p->is_leaving && p->refused == NULL;
    if (p->state > PHONE_IDLE && (p->state != PHONE_TALKING || !is_looked_for)) {
        end_call(p, "the relay is gone");
    }
    if (p->refused != NULL) {
        (void)snprintf(p->closed, sizeof p->closed, "%s", p->refused);
    } else {
        (void)snprintf(p->closed, sizeof p->closed, "%s (code 0x%llx)", wzp_quic_close_text(close),
                       (unsigned long long)close->code);
    }
    if (is_looked_for) {
        lose_line(p, now);
    } else {
        end_line(p);
    }
}

static void tick_line(wzp_phone *p, wzp_time now) {
    if (p->dial_at <= now && dial(p, now) != WZP_OK) {
        lose_line(p, now);
    }
}

void wzp_phone_lose(wzp_phone *p, wzp_time now) {
    static const wzp_quic_close_info gone = {.kind = WZP_QUIC_CLOSE_IDLE};
    if (p->line != LINE_ENDED && p->line != LINE_WAITS) {
        wzp_quic_abandon(p->quic, p->conn);
        wzp_endpoint_attach(p->endpoint, p->conn, NULL);
        on_closed(p, &gone, now);
    }
}

/* --- packet core ------------------------------------------------------------------------------ */

static void on_event(void *self, const wzp_quic_event *ev, wzp_time now) {
    wzp_phone *p = self;
    const char *why = "";
    const wzp_admission_step step = wzp_admission_take(&p->admission, p->quic, ev, &why);
    if (step == WZP_ADMISSION_GO) {
        if (!send_register(p)) {
            wzp_quic_close(p->quic, p->conn, 0, "hangup", now);
        }
    } else if (step == WZP_ADMISSION_REFUSE) {
        p->refused = why;
        wzp_quic_close(p->quic, p->conn, 0, "hangup", now);
    } else if (ev->kind == WZP_QUIC_SIGNAL) {
        on_signal(p, ev->body, now);
    } else if (ev->kind == WZP_QUIC_SIGNAL_BAD) {
        p->counters.unreadable++;
    } else if (ev->kind == WZP_QUIC_CLOSED) {
        on_closed(p, &ev->close, now);
    }
}

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    const wzp_core end = wzp_endpoint_core(((wzp_phone *)self)->endpoint);
    end.ops->recv(end.self, path, ecn, payload, now);
}

static void core_tick(void *self, wzp_time now) {
    wzp_phone *p = self;
    if (p->is_owner) {
        const wzp_core end = wzp_endpoint_core(p->endpoint);
        end.ops->tick(end.self, now);
    }
    tick_line(p, now);
    if (p->reflect_until <= now) {
        wzp_phone_reflected(p, (wzp_addr){.family = WZP_ADDR_NONE});
    }
}

static wzp_time core_deadline(const void *self) {
    const wzp_phone *p = self;
    const wzp_core end = wzp_endpoint_core(p->endpoint);
    const wzp_time first = p->is_owner ? end.ops->deadline(end.self) : WZP_TIME_NEVER;
    return wzp_time_min(first, wzp_time_min(p->reflect_until, p->dial_at));
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    const wzp_phone *p = self;
    const wzp_core end = wzp_endpoint_core(p->endpoint);
    return p->is_owner ? end.ops->next_packet(end.self, now, buf, cap, meta) : 0;
}

wzp_core wzp_phone_core(wzp_phone *phone) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next_packet};
    return (wzp_core){phone, &ops};
}

/* --- events ----------------------------------------------------------------------------------- */

static bool take(bool *flag) {
    const bool was = *flag;
    *flag = false;
    return was;
}

bool wzp_phone_next_event(wzp_phone *p, wzp_phone_event *out) {
    *out = (wzp_phone_event){.fingerprint = p->peer, .room = "", .text = ""};
    if (take(&p->tell_registered)) {
        out->kind = WZP_PHONE_REGISTERED;
        out->ack = &p->ack->u.RegisterPresenceAck;
        out->text = p->build;
    } else if (take(&p->tell_presence)) {
        out->kind = WZP_PHONE_PRESENCE;
        out->count = p->present;
    } else if (take(&p->tell_ended)) {
        out->kind = WZP_PHONE_ENDED;
        out->text = p->ended;
    } else if (take(&p->tell_incoming)) {
        out->kind = WZP_PHONE_INCOMING;
        out->text = p->peer_alias;
        out->proven = p->proven;
    } else if (take(&p->tell_ringing)) {
        out->kind = WZP_PHONE_RINGING;
    } else if (take(&p->tell_set_up)) {
        out->kind = WZP_PHONE_SET_UP;
        out->room = p->room;
        out->relay = p->relay;
        out->peer = &p->peer_addresses;
        out->may_be_direct = p->is_open;
        out->peer_is_able = p->peer_is_able;
        out->peer_probes = p->peer_probes;
        out->peer_celebrates = p->peer_celebrates;
        out->proven = p->proven;
    } else if (take(&p->tell_reflexive)) {
        out->kind = WZP_PHONE_REFLEXIVE;
        out->observed = p->observed;
    } else if (take(&p->tell_update)) {
        out->kind = WZP_PHONE_UPDATE;
        out->peer = &p->peer_addresses;
    } else if (p->state == PHONE_TALKING && p->is_open && take(&p->tell_probe)) {
        out->kind = WZP_PHONE_PROBE;
        out->probe = &p->peer_probe;
    } else if (p->state == PHONE_TALKING && p->is_open && take(&p->tell_birthday)) {
        out->kind = WZP_PHONE_BIRTHDAY;
        out->birthday = &p->peer_birthday;
    } else if (p->state == PHONE_TALKING && take(&p->tell_path)) { /* not before SET_UP */
        out->kind = WZP_PHONE_PATH;
        out->direct_ok = p->peer_direct_ok;
        out->number = p->peer_race;
    } else if (take(&p->tell_away)) {
        out->kind = WZP_PHONE_AWAY;
        out->text = p->closed;
    } else if (take(&p->tell_closed)) {
        out->kind = WZP_PHONE_CLOSED;
        out->text = p->closed;
    } else {
        return false;
    }
    return true;
}

/* --- life ------------------------------------------------------------------------------------- */

const char *wzp_phone_fingerprint(const wzp_phone *phone) {
    return phone->identity.fingerprint;
}

wzp_phone_state wzp_phone_state_of(const wzp_phone *phone) {
    return phone->state > PHONE_IDLE ? WZP_PHONE_STATE_BUSY
           : phone->line == LINE_UP  ? WZP_PHONE_STATE_IDLE
                                     : WZP_PHONE_STATE_OFF;
}

bool wzp_phone_has_ended(const wzp_phone *phone) {
    return phone->tell_ended;
}

const wzp_call_refused *wzp_phone_refused_addresses(const wzp_phone *phone) {
    return &phone->refused_addresses;
}

static wzp_err open_line(wzp_phone *p, const wzp_phone_cfg *cfg, wzp_time now) {
    const wzp_quic_cfg quic = {.rng = cfg->rng,
                               .log = cfg->log,
                               .deterministic = cfg->deterministic,
                               .keylog = cfg->keylog,
                               .keylog_ctx = cfg->keylog_ctx,
                               .qlog = cfg->qlog,
                               .qlog_ctx = cfg->qlog_ctx};
    p->endpoint = cfg->endpoint;
    p->is_owner = cfg->endpoint == NULL;
    const wzp_err err = p->is_owner ? wzp_endpoint_new(&p->endpoint, &quic, now) : WZP_OK;
    if (err != WZP_OK) {
        return err;
    }
    p->quic = wzp_endpoint_quic(p->endpoint);
    p->user = (wzp_endpoint_user){p, on_event};
    return dial(p, now);
}

wzp_err wzp_phone_new(wzp_phone **out, const wzp_phone_cfg *cfg, wzp_time now) {
    wzp_phone *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return WZP_ERR_NOMEM;
    }
    p->reflect_until = p->dial_at = p->up_since = WZP_TIME_NEVER;
    p->path = cfg->path;
    p->reconnects = cfg->reconnects;
    p->log = cfg->log;
    p->rng = cfg->rng;
    p->is_plain = cfg->is_plain;
    p->probes = cfg->probes;
    p->celebrates = cfg->celebrates;
    wzp_phone_name_build(p);
    p->signal = cfg->signal;
    p->signal_ctx = cfg->signal_ctx;
    p->filter = cfg->filter;
    p->filter_ctx = cfg->filter_ctx;
    (void)snprintf(p->alias, sizeof p->alias, "%s", cfg->alias != NULL ? cfg->alias : "");
    wzp_identity_from_seed(&p->identity, cfg->seed);
    wzp_err err = wzp_admission_init(&p->entry, cfg->token, cfg->pin);
    err = err == WZP_OK ? open_line(p, cfg, now) : err;
    if (err != WZP_OK) {
        wzp_phone_free(&p);
        return err;
    }
    *out = p;
    return WZP_OK;
}

void wzp_phone_free(wzp_phone **phone) {
    wzp_phone *p = *phone;
    if (p == NULL) {
        return;
    }
    wzp_signal_free(&p->ack);
    if (p->is_owner) {
        wzp_endpoint_free(&p->endpoint);
    } else if (p->endpoint != NULL) {
        wzp_endpoint_attach(p->endpoint, p->conn, NULL);
    }
    wzp_crypto_wipe(p, sizeof *p);
    free(p);
    *phone = NULL;
}
