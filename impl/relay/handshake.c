/* The media handshake, the relay's side (relay sheet 5, crypto sheet 4). */
#include "relay/internal.h"

static void refuse(session *s, const char *why) {
    s->relay->metrics.handshake_refusals++;
    wzp_relay_event_push(s->relay, s, "handshake_refused", why);
    wzp_relay_end(s, "normal close");
}

static void refuse_version(session *s) {
    static const uint8_t supported[] = {WZP_PROTOCOL_VERSION};
    const wzp_signal hangup = {.kind = WZP_SIGNAL_HANGUP,
                               .version = 1,
                               .u.Hangup.reason = {.kind = WZP_HANGUP_VERSION_MISMATCH,
                                                   .server_supported = {supported, 1}}};
    s->relay->metrics.handshake_refusals++;
    wzp_relay_event_push(s->relay, s, "handshake_refused", "protocol version");
    wzp_relay_farewell(s, &hangup, "normal close", WZP_TIMER_MISMATCH);
}

/* The longest prefix of whole characters that fits; what is cut is counted. */
static void copy_alias(session *s, const wzp_opt_str *alias) {
    size_t len = alias->present ? alias->value.len : 0;
    if (len > WZP_LIMIT_ALIAS) {
        s->relay->metrics.aliases_cut++;
        len = WZP_LIMIT_ALIAS;
        while (len > 0 && (alias->value.data[len] & 0xc0) == 0x80) {
            len--;
        }
    }
    if (len > 0) {
        memcpy(s->alias, alias->value.data, len);
    }
    s->alias[len] = '\0';
}

static void answer(session *s, const wzp_signal_CallOffer *offer) {
    wzp_relay *r = s->relay;
    wzp_ephemeral own;
    wzp_session_keys keys;
    uint8_t signature[WZP_SIGNATURE_LEN];
    if (!wzp_relay_auth_name(s, offer->identity_pub.bytes)) {
        refuse(s, "token of another key");
        return;
    }
    if (wzp_relay_turn_away(s)) {
        return;
    }
    wzp_ephemeral_new(&own, r->cfg.rng);
    /* The keys are derived to refuse a bad peer key; the relay never opens media. */
    if (wzp_handshake_derive(&keys, &own, offer->ephemeral_pub.bytes) != WZP_OK) {
        refuse(s, "bad ephemeral key");
        return;
    }
    wzp_crypto_wipe(&keys, sizeof keys);
    wzp_handshake_sign(signature, &r->identity, WZP_ROLE_ANSWER, own.pub);
    wzp_signal reply = {.kind = WZP_SIGNAL_CALL_ANSWER,
                        .version = 1,
                        .u.CallAnswer = {.signature = {signature, sizeof signature},
                                         .chosen_profile = wzp_profile_good}};
    memcpy(reply.u.CallAnswer.identity_pub.bytes, r->identity.ed25519_pub, WZP_KEY_LEN);
    memcpy(reply.u.CallAnswer.ephemeral_pub.bytes, own.pub, WZP_KEY_LEN);
    if (offer->video_codecs.count > 0) {
        reply.u.CallAnswer.video_codec = (wzp_opt_u8){true, offer->video_codecs.items[0]};
    }
    wzp_crypto_wipe(&own, sizeof own);
    (void)wzp_relay_send_signal(s, &reply);
    wzp_relay_observe_handshake(r, wzp_time_since(r->now, s->offer_due_at));
    copy_alias(s, &offer->alias);
    wzp_relay_set_deadline(s, WZP_TIME_NEVER);
    if (!wzp_relay_join(s)) {
        wzp_relay_end(s, "normal close");
    }
}

void wzp_relay_on_offer(session *s, wzp_bytes json) {
    wzp_signal *signal = NULL;
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK ||
        signal->kind != WZP_SIGNAL_CALL_OFFER) {
        refuse(s, "first signal is not a CallOffer");
        wzp_signal_free(&signal);
        return;
    }
    const wzp_signal_CallOffer *offer = &signal->u.CallOffer;
    const wzp_bytes signature = wzp_bytes_of(offer->signature.items, offer->signature.count);
    if (offer->protocol_version != WZP_PROTOCOL_VERSION) {
        refuse_version(s); /* before the signature (crypto sheet 4.6) */
    } else if (wzp_handshake_verify(signature, offer->identity_pub.bytes, WZP_ROLE_OFFER,
                                    offer->ephemeral_pub.bytes) != WZP_OK) {
        refuse(s, "bad signature");
    } else {
        answer(s, offer);
    }
    wzp_signal_free(&signal);
}
