#include "conformance/engine/party.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "wire/signal.h"

void wzp_party_init(wzp_ct_party *p) {
    *p = (wzp_ct_party){
        .hangup_at = WZP_TIME_NEVER, .closed_at = WZP_TIME_NEVER, .watched_at = WZP_TIME_NEVER};
}

const char *wzp_party_state_name(const wzp_ct_party *p) {
    static const char *const names[] = {"idle",    "connecting", "connected",
                                        "offered", "joined",     "gone"};
    return names[p->state];
}

void wzp_party_clear(wzp_ct_party *p) {
    for (size_t i = 0; i < WZP_SIGNAL_COUNT; i++) {
        wzp_signal_free(&p->last[i]);
        free(p->last_json[i]);
        p->last_json[i] = NULL;
    }
    wzp_crypto_wipe(&p->identity, sizeof p->identity);
    wzp_crypto_wipe(&p->ephemeral, sizeof p->ephemeral);
}

bool wzp_party_connect(wzp_ct_party *p, wzp_quic *quic, const wzp_party_dial *dial, wzp_rng rng,
                       wzp_time now) {
    uint8_t seed[WZP_KEY_LEN];
    wzp_party_clear(p);
    wzp_party_init(p);
    p->quic = quic;
    p->name = dial->name;
    p->role = dial->role;
    p->video = dial->video;
    p->token = dial->token;
    p->hello = dial->hello;
    p->hold_first = dial->hold_first;
    (void)snprintf(p->room, sizeof p->room, "%s", dial->room);
    wzp_rng_fill(rng, seed, sizeof seed);
    wzp_identity_from_seed(&p->identity, seed);
    if (dial->identity != NULL) {
        p->identity = *dial->identity;
    }
    wzp_ephemeral_new(&p->ephemeral, rng);
    const wzp_quic_dial to = {
        .path = {*dial->local, *dial->target}, .sni = p->room, .alpn = dial->alpn};
    if (wzp_quic_connect(quic, &to, now, &p->conn) != WZP_OK) {
        return false;
    }
    p->state = WZP_PARTY_CONNECTING;
    return true;
}

void wzp_party_accept(wzp_ct_party *p, wzp_quic *quic, const wzp_quic_event *connected,
                      const char *name) {
    wzp_party_clear(p);
    wzp_party_init(p);
    p->quic = quic;
    p->conn = connected->conn;
    p->name = name;
    p->role = WZP_PARTY_PEER;
    p->hold_first = true;
    (void)snprintf(p->room, sizeof p->room, "%s", connected->sni);
}

bool wzp_party_tell(wzp_ct_party *p, const wzp_signal *signal) {
    size_t len = 0;
    char *json = NULL;
    if (wzp_signal_to_json(&json, &len, signal) != WZP_OK) {
        return false;
    }
    const bool sent = wzp_party_say(p, wzp_bytes_of(json, len));
    free(json);
    return sent;
}

bool wzp_party_say(const wzp_ct_party *p, wzp_bytes json) {
    return wzp_quic_send_signal(p->quic, p->conn, json, NULL) == WZP_OK;
}

static void send_token(wzp_ct_party *p) {
    if (p->token != NULL) {
        (void)wzp_party_tell(p, &(wzp_signal){.kind = WZP_SIGNAL_AUTH_TOKEN,
                                              .version = 1,
                                              .u.AuthToken.token = wzp_bytes_str(p->token)});
    }
}

static void register_presence(wzp_ct_party *p) {
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_presence_sign(signature, &p->identity);
    wzp_signal reg = {.kind = WZP_SIGNAL_REGISTER_PRESENCE,
                      .version = 1,
                      .u.RegisterPresence = {.signature = {signature, sizeof signature},
                                             .alias = {true, wzp_bytes_str(p->name)}}};
    memcpy(reg.u.RegisterPresence.identity_pub.bytes, p->identity.ed25519_pub, WZP_KEY_LEN);
    if (wzp_party_tell(p, &reg)) {
        p->state = WZP_PARTY_OFFERED;
    }
}

void wzp_party_greet(wzp_ct_party *p) {
    const wzp_signal hello = {.kind = WZP_SIGNAL_FEDERATION_HELLO,
                              .version = 1,
                              .u.FederationHello.tls_fingerprint = wzp_bytes_str(p->hello)};
    if (wzp_party_tell(p, &hello)) {
        p->state = WZP_PARTY_OFFERED;
    }
}

void wzp_party_offer_json(const wzp_ct_party *p, char *json, size_t cap, bool bad_signature) {
    static const uint8_t versions[] = {2};
    static const uint8_t codecs[] = {WZP_CODEC_H264_BASELINE};
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_handshake_sign(signature, &p->identity, WZP_ROLE_OFFER, p->ephemeral.pub);
    signature[0] ^= bad_signature ? 1 : 0;
    wzp_signal offer = {.kind = WZP_SIGNAL_CALL_OFFER,
                        .version = 1,
                        .u.CallOffer = {.signature = {signature, sizeof signature},
                                        .supported_profiles = {&wzp_profile_good, 1},
                                        .protocol_version = 2,
                                        .supported_versions = {versions, 1},
                                        .video_codecs = {codecs, p->video ? 1 : 0}}};
    memcpy(offer.u.CallOffer.identity_pub.bytes, p->identity.ed25519_pub, WZP_KEY_LEN);
    memcpy(offer.u.CallOffer.ephemeral_pub.bytes, p->ephemeral.pub, WZP_KEY_LEN);
    wzp_wr wr;
    wzp_wr_init(&wr, (uint8_t *)json, cap - 1);
    wzp_signal_write(&wr, &offer);
    json[wzp_wr_len(&wr)] = '\0';
}

void wzp_party_offer(wzp_ct_party *p, const char *json) {
    char own[8192];
    if (json == NULL) {
        wzp_party_offer_json(p, own, sizeof own, false);
        json = own;
    }
    if (wzp_quic_send_signal(p->quic, p->conn, wzp_bytes_str(json), NULL) == WZP_OK) {
        p->state = WZP_PARTY_OFFERED;
    }
}

static void on_answer(wzp_ct_party *p, const wzp_signal_CallAnswer *a) {
    wzp_session_keys keys;
    p->answered = true;
    p->answer_valid =
        wzp_handshake_verify(wzp_bytes_of(a->signature.items, a->signature.count),
                             a->identity_pub.bytes, WZP_ROLE_ANSWER,
                             a->ephemeral_pub.bytes) == WZP_OK &&
        wzp_handshake_derive(&keys, &p->ephemeral, a->ephemeral_pub.bytes) == WZP_OK &&
        a->chosen_profile.codec == WZP_CODEC_OPUS_24K;
    wzp_crypto_wipe(&keys, sizeof keys);
}

static void on_hangup(wzp_ct_party *p, const wzp_hangup_reason *reason, wzp_time now) {
    p->hangup_at = p->hangup_at == WZP_TIME_NEVER ? now : p->hangup_at;
    const char *name = wzp_hangup_name((wzp_hangup_kind)reason->kind);
    if (reason->kind == WZP_HANGUP_POLICY_VIOLATION) {
        p->hangup_bit = 1U << reason->code;
        name = wzp_violation_code_name((wzp_violation_code)reason->code);
    }
    for (size_t i = 0; i < reason->server_supported.count; i++) {
        p->mismatch = p->mismatch || (reason->kind == WZP_HANGUP_VERSION_MISMATCH &&
                                      reason->server_supported.items[i] == 2);
    }
    (void)snprintf(p->hangup_code, sizeof p->hangup_code, "%s", name != NULL ? name : "?");
}

static void remember(wzp_ct_party *p, wzp_signal *signal, wzp_bytes json, wzp_time now) {
    p->heard[signal->kind]++;
    wzp_signal_free(&p->last[signal->kind]);
    p->last[signal->kind] = signal;
    p->last_at[signal->kind] = now;
    free(p->last_json[signal->kind]);
    p->last_json[signal->kind] = strndup((const char *)json.data, json.len);
}

/* NULL: it cannot be read. */
static const wzp_signal *on_signal(wzp_ct_party *p, wzp_bytes json, wzp_time now,
                                   wzp_evidence *evidence) {
    char text[224];
    wzp_signal *signal = NULL;
    wzp_fail fail = {0};
    (void)snprintf(text, sizeof text, "%.*s", (int)(json.len < 200 ? json.len : 200),
                   (const char *)json.data);
    wzp_evidence_event(evidence, now, p->name, "signal", text);
    p->signal_bytes += json.len;
    if (wzp_signal_parse(&signal, json, NULL, &fail) != WZP_OK) {
        wzp_evidence_event(evidence, now, p->name, "signal_unreadable",
                           fail.field != NULL ? fail.field : "");
        p->unreadable++;
        return NULL;
    }
    switch (signal->kind) {
    case WZP_SIGNAL_CALL_ANSWER:
        on_answer(p, &signal->u.CallAnswer);
        break;
    case WZP_SIGNAL_ROOM_UPDATE:
        p->room_count = signal->u.RoomUpdate.count;
        p->state = WZP_PARTY_JOINED;
        break;
    case WZP_SIGNAL_HANGUP:
        on_hangup(p, &signal->u.Hangup.reason, now);
        break;
    case WZP_SIGNAL_REGISTER_PRESENCE_ACK:
        p->state = WZP_PARTY_JOINED;
        break;
    default:
        break;
    }
    remember(p, signal, json, now);
    return signal;
}

static void take_uni(wzp_ct_party *p, const wzp_quic_event *ev) {
    const size_t room = sizeof p->uni - 1 - p->uni_len;
    const size_t n = ev->body.len < room ? ev->body.len : room;
    if (n > 0) {
        memcpy(p->uni + p->uni_len, ev->body.data, n);
        p->uni_len += n;
    }
    p->uni_ends += ev->fin ? 1 : 0;
}

static void note_certificate(wzp_ct_party *p, wzp_time now, wzp_evidence *evidence) {
    char text[2 * sizeof p->cert + 1];
    p->has_cert = wzp_quic_peer_cert_sha256(p->quic, p->conn, p->cert);
    if (p->has_cert) {
        wzp_hex_write(text, wzp_bytes_of(p->cert, sizeof p->cert));
        wzp_evidence_event(evidence, now, p->name, "certificate", text);
    }
}

static void say_first(wzp_ct_party *p) {
    send_token(p);
    if (p->role == WZP_PARTY_HUB) {
        register_presence(p);
    } else if (p->role == WZP_PARTY_PEER) {
        wzp_party_greet(p);
    } else {
        wzp_party_offer(p, NULL);
    }
}

const wzp_signal *wzp_party_event(wzp_ct_party *p, const wzp_quic_event *ev, wzp_time now,
                                  wzp_evidence *evidence) {
    const wzp_signal *signal = NULL;
    switch (ev->kind) {
    case WZP_QUIC_CONNECTED:
        p->state = WZP_PARTY_CONNECTED;
        wzp_evidence_event(evidence, now, p->name, "connected", p->room);
        note_certificate(p, now, evidence);
        if (!p->hold_first) {
            say_first(p);
        }
        break;
    case WZP_QUIC_SIGNAL:
        signal = on_signal(p, ev->body, now, evidence);
        break;
    case WZP_QUIC_CLOSED:
        p->state = WZP_PARTY_GONE;
        p->closed_at = now;
        p->close = ev->close;
        wzp_evidence_event(evidence, now, p->name, "closed", ev->close.reason);
        break;
    case WZP_QUIC_SIGNAL_BAD:
        p->unreadable++;
        wzp_evidence_event(evidence, now, p->name, "signal_bad", wzp_err_name(ev->err));
        break;
    case WZP_QUIC_UNI:
        take_uni(p, ev);
        break;
    case WZP_QUIC_SIGNAL_ACKED:
        if (ev->stream == p->watched) {
            p->watched_at = now;
            wzp_evidence_event(evidence, now, p->name, "stream_over", "");
        }
        break;
    case WZP_QUIC_DATAGRAM:
        p->datagrams++;
        break;
    case WZP_QUIC_PATH:
        break;
    }
    return signal;
}
