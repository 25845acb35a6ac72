/* The handshake with the relay, and the other signals of a call. */
#include <stdio.h>

#include "client/internal.h"

/* --- handshake ------------------------------------------------------------------------------- */

bool wzp_client_may_pass(const wzp_client *c, bool out, wzp_bytes json, wzp_time now) {
    return c->cfg.signal == NULL || c->cfg.signal(c->cfg.signal_ctx, out, json, now);
}

void wzp_client_send_json(wzp_client *c, wzp_bytes json) {
    char name[48];
    if (wzp_quic_send_signal(c->quic, c->relay, json, NULL) != WZP_OK) {
        wzp_logf(&c->cfg.log, WZP_LOG_WARN, "a %s could not be sent",
                 wzp_signal_peek_name(json, name, sizeof name));
    }
}

void wzp_client_send_signal(wzp_client *c, const wzp_signal *signal, wzp_time now) {
    uint8_t buf[8192];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_signal_write(&wr, signal);
    const wzp_bytes json = wzp_bytes_of(buf, wzp_wr_len(&wr));
    if (wzp_wr_end(&wr) == WZP_OK && wzp_client_may_pass(c, true, json, now)) {
        wzp_client_send_json(c, json);
    }
}

/* In coded mode whoever makes the frames can. */
static bool lacks_codec2(const wzp_client *c) {
    return !c->cfg.coded && !wzp_audio_is_codec(WZP_CODEC_CODEC2_1200);
}

static void send_offer(wzp_client *c, wzp_time now) {
    static const uint8_t versions[] = {WZP_PROTOCOL_VERSION};
    const wzp_quality_profile profiles[] = {wzp_profile_studio_64k, wzp_profile_studio_48k,
                                            wzp_profile_studio_32k, wzp_profile_good,
                                            wzp_profile_degraded,   wzp_profile_catastrophic};
    const size_t count = WZP_COUNT_OF(profiles) - (lacks_codec2(c) ? 1 : 0);
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_handshake_sign(signature, &c->identity, WZP_ROLE_OFFER, c->ephemeral.pub);
    wzp_signal offer = {.kind = WZP_SIGNAL_CALL_OFFER,
                        .version = 1,
                        .u.CallOffer = {.signature = {signature, sizeof signature},
                                        .supported_profiles = {profiles, count},
                                        .alias = {c->alias[0] != '\0', wzp_bytes_str(c->alias)},
                                        .protocol_version = WZP_PROTOCOL_VERSION,
                                        .supported_versions = {versions, 1}}};
    memcpy(offer.u.CallOffer.identity_pub.bytes, c->identity.ed25519_pub, WZP_KEY_LEN);
    memcpy(offer.u.CallOffer.ephemeral_pub.bytes, c->ephemeral.pub, WZP_KEY_LEN);
    wzp_client_send_signal(c, &offer, now);
    c->relay_is = CLIENT_RELAY_OFFERED;
}

static void give_up(wzp_client *c, const char *why, wzp_time now) {
    (void)snprintf(c->hangup, sizeof c->hangup, "%s", why);
    c->was_hung_up = c->tell_hangup = true;
    wzp_quic_close(c->quic, c->relay, 0, "hangup", now);
}

void wzp_client_admit(wzp_client *c, const wzp_quic_event *ev, wzp_time now) {
    const char *why = "";
    const wzp_admission_step step = wzp_admission_take(&c->admission, c->quic, ev, &why);
    if (step == WZP_ADMISSION_GO) {
        send_offer(c, now);
    } else if (step == WZP_ADMISSION_REFUSE) {
        give_up(c, why, now);
    }
}

/* Needs both the answer and the room's list.  Where a packet was lost, the list may come first:
 * each signal has a stream of its own. */
static void enter_room(wzp_client *c, wzp_time now) {
    if (c->relay_is < CLIENT_RELAY_ANSWERED || c->members == 0) {
        return;
    }
    c->tell_room = true;
    if (c->relay_is == CLIENT_RELAY_ANSWERED) {
        wzp_client_joined(c, now);
    }
}

/* Only keys that seal something: others would make readers try to open what is in clear. */
static void tell_key(const wzp_client *c) {
    if (c->cfg.media_key != NULL && c->cipher.session != NULL) {
        c->cfg.media_key(c->cfg.media_key_ctx, c->relay, c->cipher.epoch,
                         wzp_session_keys_of(c->cipher.session)->key);
    }
}

static void on_answer(wzp_client *c, const wzp_signal_CallAnswer *a, wzp_time now) {
    wzp_session_keys keys;
    const wzp_bytes signature = wzp_bytes_of(a->signature.items, a->signature.count);
    if (c->relay_is != CLIENT_RELAY_OFFERED) {
        return;
    }
    if (wzp_handshake_verify(signature, a->identity_pub.bytes, WZP_ROLE_ANSWER,
                             a->ephemeral_pub.bytes) != WZP_OK ||
        wzp_handshake_derive(&keys, &c->ephemeral, a->ephemeral_pub.bytes) != WZP_OK) {
        give_up(c, "the relay's answer is not genuine", now);
        return;
    }
    const wzp_err err = wzp_cipher_start(&c->cipher, &keys, a->identity_pub.bytes);
    wzp_crypto_wipe(&keys, sizeof keys);
    wzp_crypto_wipe(&c->ephemeral, sizeof c->ephemeral);
    if (err != WZP_OK) {
        give_up(c, wzp_err_text(err), now);
        return;
    }
    tell_key(c);
    c->relay_is = CLIENT_RELAY_ANSWERED;
    c->tell_joined = true;
    enter_room(c, now);
}

void wzp_client_send_rekey(wzp_client *c, wzp_time now) {
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_signal rekey;
    wzp_cipher_rekey_begin(&c->cipher, &c->identity, c->cfg.rng, signature, &rekey);
    wzp_client_send_signal(c, &rekey, now);
}

/* Both ends tell a fresh key, whoever begins, and both mix in what they are told. */
static void on_rekey(wzp_client *c, const wzp_signal_Rekey *rekey, wzp_time now) {
    wzp_err err = wzp_cipher_rekey_verify(&c->cipher, rekey);
    if (err == WZP_OK) {
        if (!c->cipher.pending) {
            wzp_client_send_rekey(c, now);
        }
        err = wzp_cipher_rekey_complete(&c->cipher, rekey, now);
    }
    if (err == WZP_OK) {
        tell_key(c);
    } else {
        wzp_logf(&c->cfg.log, WZP_LOG_WARN, "a Rekey was refused: %s", wzp_err_text(err));
    }
}

static void on_hangup(wzp_client *c, const wzp_hangup_reason *reason, wzp_time now) {
    const char *name = wzp_hangup_name((wzp_hangup_kind)reason->kind);
    const char *code = reason->kind == WZP_HANGUP_POLICY_VIOLATION
                           ? wzp_violation_code_name((wzp_violation_code)reason->code)
                           : "";
    (void)snprintf(c->hangup, sizeof c->hangup, "%s%s%s", name != NULL ? name : "unknown reason",
                   *code != '\0' ? " " : "", code);
    wzp_client_hung_up(c, now);
}

static void on_room(wzp_client *c, uint32_t members, wzp_time now) {
    if (members < c->members) {
        wzp_reception_left(&c->reception);
    }
    c->members = members;
    enter_room(c, now);
}

static void on_pace_signal(wzp_client *c, const wzp_signal *signal, wzp_time now) {
    wzp_signal answer;
    if (c->path == CLIENT_DIRECT) {
        return; /* about media that do not pass the relay */
    }
    wzp_pace_signal(&c->pace, signal, now);
    while (wzp_client_uses_relay(c) && wzp_pace_next_signal(&c->pace, &answer)) {
        wzp_client_send_signal(c, &answer, now);
    }
}

void wzp_client_on_signal(wzp_client *c, wzp_bytes json, wzp_time now) {
    wzp_signal *signal = NULL;
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK) {
        char name[48];
        c->unreadable++;
        wzp_logf(&c->cfg.log, WZP_LOG_WARN, "unreadable signal %s",
                 wzp_signal_peek_name(json, name, sizeof name));
        return;
    }
    if (signal->kind == WZP_SIGNAL_CALL_ANSWER) {
        on_answer(c, &signal->u.CallAnswer, now);
    } else if (signal->kind == WZP_SIGNAL_HANGUP) {
        on_hangup(c, &signal->u.Hangup.reason, now);
    } else if (signal->kind == WZP_SIGNAL_REKEY) {
        on_rekey(c, &signal->u.Rekey, now);
    } else if (signal->kind == WZP_SIGNAL_ROOM_UPDATE) {
        on_room(c, signal->u.RoomUpdate.count, now);
    } else {
        on_pace_signal(c, signal, now);
    }
    wzp_signal_free(&signal);
}
