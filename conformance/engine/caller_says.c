/* What the relay and the other side say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/engine/caller.h"
#include "wire/media.h"

bool wzp_ct_caller_say(wzp_ct_caller *c, const char *json) {
    c->watched_came = false;
    return wzp_quic_send_signal(c->quic, c->signal, wzp_bytes_str(json), &c->watched) == WZP_OK;
}

bool wzp_ct_caller_tell(wzp_ct_caller *c, const wzp_signal *signal) {
    static const char version[] = "\"version\":1,";
    static const char *const words[] = {version, "", "\"version\":2,\"later\":{\"x\":[1,null]},"};
    char text[4096];
    size_t len = 0;
    char *json = NULL;
    if (wzp_signal_to_json(&json, &len, signal) != WZP_OK) {
        return false;
    }
    const char *at = memmem(json, len, version, sizeof version - 1);
    const size_t before = at != NULL ? (size_t)(at - json) : len;
    const size_t rest = at != NULL ? before + sizeof version - 1 : len;
    const int n = snprintf(text, sizeof text, "%.*s%s%.*s", (int)before, json,
                           at != NULL ? words[c->wording] : "", (int)(len - rest), json + rest);
    free(json);
    return n > 0 && (size_t)n < sizeof text && wzp_ct_caller_say(c, text);
}

const char *wzp_ct_caller_text(const wzp_ct_caller *c, wzp_ct_place place,
                               char buf[WZP_ADDR_TEXT_MAX]) {
    return wzp_addr_text(&c->places[place], buf);
}

bool wzp_ct_caller_ring(wzp_ct_caller *c) {
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_handshake_sign(signature, &c->identity, WZP_ROLE_OFFER, c->ephemeral.pub);
    wzp_signal offer = {
        .kind = WZP_SIGNAL_DIRECT_CALL_OFFER,
        .version = 1,
        .u.DirectCallOffer = {.caller_fingerprint = wzp_bytes_str(c->identity.fingerprint),
                              .target_fingerprint = wzp_bytes_str(c->fingerprint),
                              .call_id = wzp_bytes_str(c->call_id),
                              .signature = {signature, sizeof signature},
                              .supported_profiles = {&wzp_profile_good, 1}}};
    memcpy(offer.u.DirectCallOffer.identity_pub.bytes, c->identity.ed25519_pub, WZP_KEY_LEN);
    memcpy(offer.u.DirectCallOffer.ephemeral_pub.bytes, c->ephemeral.pub, WZP_KEY_LEN);
    return wzp_ct_caller_tell(c, &offer);
}

bool wzp_ct_caller_take(wzp_ct_caller *c) {
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_handshake_sign(signature, &c->identity, WZP_ROLE_ANSWER, c->ephemeral.pub);
    wzp_signal answer = {.kind = WZP_SIGNAL_DIRECT_CALL_ANSWER,
                         .version = 1,
                         .u.DirectCallAnswer = {.call_id = wzp_bytes_str(c->call_id),
                                                .accept_mode = WZP_ACCEPT_TRUSTED,
                                                .identity_pub.present = true,
                                                .ephemeral_pub.present = true,
                                                .signature = {true, {signature, sizeof signature}},
                                                .chosen_profile = {true, wzp_profile_good}}};
    memcpy(answer.u.DirectCallAnswer.identity_pub.value, c->identity.ed25519_pub, WZP_KEY_LEN);
    memcpy(answer.u.DirectCallAnswer.ephemeral_pub.value, c->ephemeral.pub, WZP_KEY_LEN);
    return wzp_ct_caller_tell(c,
                              &(wzp_signal){.kind = WZP_SIGNAL_CALL_RINGING,
                                            .version = 1,
                                            .u.CallRinging.call_id = wzp_bytes_str(c->call_id)}) &&
           wzp_ct_caller_tell(c, &answer);
}

static wzp_opt_str text_of(const char *text) {
    return text != NULL ? (wzp_opt_str){true, wzp_bytes_str(text)} : (wzp_opt_str){false};
}

bool wzp_ct_caller_set_up(wzp_ct_caller *c, const wzp_ct_told *told, wzp_ct_place relay,
                          wzp_time now) {
    char at[WZP_ADDR_TEXT_MAX];
    wzp_bytes locals[WZP_COUNT_OF(told->local)];
    for (size_t i = 0; i < told->local_count; i++) {
        locals[i] = wzp_bytes_str(told->local[i]);
    }
    c->set_up_at = now;
    return wzp_ct_caller_tell(
        c,
        &(wzp_signal){.kind = WZP_SIGNAL_CALL_SETUP,
                      .version = 1,
                      .u.CallSetup = {.call_id = wzp_bytes_str(c->call_id),
                                      .room = wzp_bytes_str(c->room),
                                      .relay_addr = wzp_bytes_str(wzp_ct_caller_text(c, relay, at)),
                                      .peer_direct_addr = text_of(told->reflexive),
                                      .peer_local_addrs = {locals, told->local_count},
                                      .peer_mapped_addr = text_of(told->mapped)}});
}

bool wzp_ct_caller_report(wzp_ct_caller *c, bool direct_ok) {
    return wzp_ct_caller_tell(
        c, &(wzp_signal){.kind = WZP_SIGNAL_MEDIA_PATH_REPORT,
                         .version = 1,
                         .u.MediaPathReport = {.call_id = wzp_bytes_str(c->call_id),
                                               .direct_ok = direct_ok,
                                               .race_winner =
                                                   wzp_bytes_str(direct_ok ? "Direct" : "Relay")}});
}

const wzp_opt_str *wzp_ct_caller_reflexive(const wzp_ct_caller *c) {
    const wzp_signal *answer = c->last[WZP_SIGNAL_DIRECT_CALL_ANSWER];
    const wzp_signal *offer = c->last[WZP_SIGNAL_DIRECT_CALL_OFFER];
    if (offer != NULL) {
        return offer->u.DirectCallOffer.caller_reflexive_addr.present
                   ? &offer->u.DirectCallOffer.caller_reflexive_addr
                   : NULL;
    }
    return answer != NULL && answer->u.DirectCallAnswer.callee_reflexive_addr.present
               ? &answer->u.DirectCallAnswer.callee_reflexive_addr
               : NULL;
}

/* Silence of Opus, in clear: nothing but QUIC protects a direct path (nat sheet 1.17). */
bool wzp_ct_caller_speak(wzp_ct_caller *c, const wzp_ct_direct *d, uint32_t number) {
    static const uint8_t silence[] = {0xf8, 0xff, 0xfe};
    uint8_t datagram[WZP_MEDIA_HDR_LEN + sizeof silence];
    const wzp_media_hdr hdr = {.version = 2,
                               .media_type = WZP_MEDIA_AUDIO,
                               .codec_id = WZP_CODEC_OPUS_24K,
                               .seq = number,
                               .timestamp_ms = 20 * number};
    wzp_wr wr;
    wzp_wr_init(&wr, datagram, sizeof datagram);
    wzp_media_hdr_write(&wr, &hdr);
    wzp_wr_bytes(&wr, wzp_bytes_of(silence, sizeof silence));
    return wzp_quic_send_datagram(c->quic, d->conn, wzp_bytes_of(datagram, wzp_wr_len(&wr))) ==
           WZP_OK;
}
