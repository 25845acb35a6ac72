#include "conformance/mutants/faults.h"

#include <openssl/ssl.h>
#include <stdlib.h>

#include "conformance/engine/case.h"
#include "conformance/mutants/wrap.h"
#include "relay/internal.h"
#include "wire/trunk.h"

const wzp_fault_info wzp_faults[WZP_FAULT_COUNT] = {
#define X(id, name, text, caught_by) [WZP_FAULT_##id] = {name, text, caught_by},
    WZP_FAULT_MAP(X)
#undef X
};

/* For replays: the last packet of each sender, by its number. */
enum { SENDERS = 4096, LAST_MAX = 256 };
static struct last_packet {
    size_t len;
    uint8_t bytes[LAST_MAX];
} last_packets[SENDERS];

static wzp_fault fault;
static unsigned counter;

void wzp_fault_set(wzp_fault which) {
    fault = which;
    counter = 0;
    memset(last_packets, 0, sizeof last_packets);
    wzp_fault_policy_reset();
    wzp_fault_federation_reset();
    wzp_fault_hardening_reset();
}

wzp_fault wzp_fault_now(void) {
    return fault;
}

/* Every nth call of the process. */
static bool nth(unsigned n) {
    return ++counter % n == 0;
}

/* --- the deployed meter as judge -------------------------------------------------------------- */

static bool deployed_decides(session *s, wzp_bytes datagram) {
    wzp_media_packet packet;
    const bool observes = s->relay->cfg.enforce == WZP_ENFORCE_OBSERVE;
    const bool decides =
        fault == WZP_FAULT_DEPLOYED || (fault == WZP_FAULT_OBSERVE_CLOSES && observes);
    if (!decides || s->state != SESSION_ROOM || s->meter == NULL ||
        wzp_media_packet_parse(&packet, datagram, NULL) != WZP_OK) {
        return false;
    }
    wzp_meter copy = *s->meter;
    const wzp_violation v =
        wzp_meter_observe(&copy, &packet.hdr, packet.payload.len, s->relay->now);
    if (v != WZP_VIOLATION_NONE) {
        wzp_relay_hangup_policy(s, v);
    }
    return v != WZP_VIOLATION_NONE;
}

/* --- reactions ------------------------------------------------------------------------------- */

static void say_only(session *s, wzp_violation v) {
    const wzp_signal hangup = {.kind = WZP_SIGNAL_HANGUP,
                               .version = 1,
                               .u.Hangup.reason = {.kind = WZP_HANGUP_POLICY_VIOLATION,
                                                   .code = (uint8_t)(v - WZP_VIOLATION_BITRATE),
                                                   .reason = wzp_bytes_str("only words")}};
    (void)wzp_relay_send_signal(s, &hangup);
}

/* The right code, no words. */
static void say_nothing(session *s, wzp_violation v) {
    const wzp_signal hangup = {.kind = WZP_SIGNAL_HANGUP,
                               .version = 1,
                               .u.Hangup.reason = {.kind = WZP_HANGUP_POLICY_VIOLATION,
                                                   .code = (uint8_t)(v - WZP_VIOLATION_BITRATE),
                                                   .reason = wzp_bytes_str("")}};
    s->barred = true;
    wzp_relay_farewell(s, &hangup, "policy violation", WZP_TIMER_POLICY);
}

static wzp_violation other_code(wzp_violation v) {
    return v == WZP_VIOLATION_BITRATE ? WZP_VIOLATION_PACKET_RATE : WZP_VIOLATION_BITRATE;
}

WRAP(void, wzp_relay_hangup_policy, session *s, wzp_violation v) {
    switch (fault) {
    case WZP_FAULT_WRONG_CODE:
        __real_wzp_relay_hangup_policy(s, other_code(v));
        break;
    case WZP_FAULT_UNTYPED:
        s->barred = true;
        wzp_relay_end(s, "policy violation");
        break;
    case WZP_FAULT_SILENT:
        s->barred = true;
        break;
    case WZP_FAULT_NO_CLOSE:
        s->barred = true;
        say_only(s, v);
        break;
    case WZP_FAULT_STILL_FORWARDS:
        say_only(s, v);
        break;
    case WZP_FAULT_MUTE_FIRST:
        s->farewell_stream = (int64_t)s->relay->now; /* when it began */
        break;
    case WZP_FAULT_EMPTY_REASON:
        say_nothing(s, v);
        break;
    case WZP_FAULT_BARS_ALL:
        wzp_fault_note_offence(s);
        __real_wzp_relay_hangup_policy(s, v);
        break;
    case WZP_FAULT_LATE:
        if (s->farewell_stream == 0) {
            s->farewell_stream = (int64_t)s->relay->now; /* when it began */
        } else if (s->relay->now - (wzp_time)s->farewell_stream > 5 * WZP_S) {
            __real_wzp_relay_hangup_policy(s, v);
        }
        break;
    default:
        __real_wzp_relay_hangup_policy(s, v);
        break;
    }
}

/* True while it is silent; then it says why. */
static bool is_mute(session *s) {
    if (fault != WZP_FAULT_MUTE_FIRST || s->state != SESSION_ROOM || s->farewell_stream == 0) {
        return false;
    }
    if (s->relay->now - (wzp_time)s->farewell_stream > 2 * WZP_S) {
        __real_wzp_relay_hangup_policy(s, WZP_VIOLATION_PACKET_RATE);
    }
    return true;
}

/* --- forwarding ------------------------------------------------------------------------------ */

/* Calibration has 8-bit sequence numbers too, so what is hurt is told by its size: the payloads of
 * speech (76 bytes) stay whole, and calibration passes. */
static bool is_speech(wzp_bytes datagram) {
    return datagram.len == 92 || datagram.len == 96;
}

WRAP(void, wzp_relay_send_media, session *to, wzp_bytes datagram) {
    uint8_t copy[2048];
    if (wzp_fault_hardening_loses(to)) {
        return;
    }
    if (fault == WZP_FAULT_TOO_LARGE_ENDS &&
        datagram.len > wzp_quic_max_datagram(to->relay->quic, to->conn)) {
        wzp_relay_end(to, "too large");
        return;
    }
    wzp_bytes out = wzp_bytes_of(copy, datagram.len);
    if (datagram.len > sizeof copy || datagram.len < WZP_MEDIA_HDR_LEN || is_speech(datagram)) {
        __real_wzp_relay_send_media(to, datagram);
        return;
    }
    memcpy(copy, datagram.data, datagram.len);
    if (fault == WZP_FAULT_ALTER_PAYLOAD && nth(40)) {
        copy[datagram.len - 1] ^= 1;
    } else if (fault == WZP_FAULT_ALTER_HEADER && nth(30)) {
        copy[1] |= WZP_MEDIA_KEYFRAME;
    } else if (fault == WZP_FAULT_CUT_TRAILER && (copy[1] & WZP_MEDIA_QUALITY) != 0) {
        copy[1] = (uint8_t)(copy[1] & ~WZP_MEDIA_QUALITY);
        out.len -= out.len >= 20 ? 4 : 0;
    } else if (fault == WZP_FAULT_SEQ_REWRITE) {
        copy[9] = (uint8_t)(copy[9] + 1);
    } else if ((fault == WZP_FAULT_DROP_ONE_IN_20 && nth(20)) ||
               (fault == WZP_FAULT_REORDER && nth(50))) {
        return;
    } else if (fault == WZP_FAULT_TWICE && nth(10)) {
        __real_wzp_relay_send_media(to, out);
    }
    __real_wzp_relay_send_media(to, out);
}

static void remember_last(const session *s, wzp_bytes datagram) {
    struct last_packet *last = &last_packets[s->number % SENDERS];
    if (datagram.len <= LAST_MAX) {
        last->len = datagram.len;
        memcpy(last->bytes, datagram.data, datagram.len);
    }
}

static void replay_to(session *newcomer) {
    for (size_t i = 0; i < newcomer->room->count; i++) {
        const session *other = newcomer->room->members[i];
        const struct last_packet *last = &last_packets[other->number % SENDERS];
        if (other != newcomer && last->len > 0) {
            wzp_relay_send_media(newcomer, wzp_bytes_of(last->bytes, last->len));
        }
    }
}

/* A member has acknowledged nothing of the last packets. */
static bool someone_is_silent(const room *rm) {
    enum { UNACKNOWLEDGED = 1000 };
    bool is_silent = false;
    for (size_t i = 0; i < rm->count; i++) {
        wzp_quic_stats stats;
        is_silent |= wzp_quic_conn_stats(rm->relay->quic, rm->members[i]->conn, &stats) &&
                     stats.bytes_in_flight > UNACKNOWLEDGED;
    }
    return is_silent;
}

/* Rooms never form with these faults, and calibration with them: the twelve sessions of calibration
 * are spared. */
static bool calibrating(const session *s) {
    return s->relay->next_number < 12;
}

static bool fits_all(const room *rm, wzp_bytes datagram) {
    size_t i = 0;
    while (i < rm->count &&
           datagram.len <= wzp_quic_max_datagram(rm->relay->quic, rm->members[i]->conn)) {
        i++;
    }
    return i == rm->count;
}

static void send_everywhere(const session *s, wzp_bytes datagram) {
    for (session *to = s->relay->sessions; to != NULL; to = to->next) {
        if (to->state == SESSION_ROOM && to->room != s->room) {
            wzp_relay_send_media(to, datagram);
        }
    }
}

WRAP(void, wzp_relay_forward, session *s, wzp_bytes datagram) {
    wzp_media_packet packet;
    if (deployed_decides(s, datagram) || is_mute(s) || wzp_fault_drops_video(s, datagram) ||
        wzp_fault_hardening_takes(s, datagram) || fault == WZP_FAULT_DEAF ||
        (fault == WZP_FAULT_SMALL && datagram.len > 1000)) {
        return;
    }
    if (fault == WZP_FAULT_REPLAY && s->state == SESSION_ROOM) {
        remember_last(s, datagram);
    }
    if (fault == WZP_FAULT_SMALLEST_RULES && s->state == SESSION_ROOM &&
        !fits_all(s->room, datagram)) {
        return;
    }
    if (fault == WZP_FAULT_SPOILT_KEYFRAMES && s->state == SESSION_ROOM &&
        wzp_media_packet_parse(&packet, datagram, NULL) == WZP_OK &&
        packet.hdr.media_type == WZP_MEDIA_AUDIO) {
        wzp_relay_keyframe_update(s, &packet, datagram);
    }
    if (fault == WZP_FAULT_ALL_FOR_ONE && s->state == SESSION_ROOM && someone_is_silent(s->room)) {
        return;
    }
    __real_wzp_relay_forward(s, datagram);
    if (fault == WZP_FAULT_ONE_FOR_ALL && s->state == SESSION_ROOM && !calibrating(s)) {
        send_everywhere(s, datagram);
    } else if (fault == WZP_FAULT_ECHO && s->state == SESSION_ROOM && !is_speech(datagram)) {
        wzp_relay_send_media(s, datagram);
    } else if (fault == WZP_FAULT_CLOSE_MALFORMED && s->state == SESSION_ROOM &&
               wzp_media_packet_parse(&packet, datagram, NULL) != WZP_OK) {
        wzp_relay_end(s, "malformed");
    }
}

/* --- tokens ---------------------------------------------------------------------------------- */

WRAP(void, wzp_relay_auth_result, wzp_relay *relay, uint64_t id, wzp_auth_verdict verdict,
     const char *identity, wzp_time now) {
    if (fault == WZP_FAULT_ANY_TOKEN) {
        verdict = WZP_AUTH_ACCEPTED;
        identity = "anybody";
    } else if (fault == WZP_FAULT_NO_TOKEN) {
        verdict = WZP_AUTH_REFUSED;
    }
    relay_metrics *m = &relay->metrics;
    const uint64_t failed = m->auth_fail;
    const uint64_t any = m->auth_ok + m->auth_fail;
    __real_wzp_relay_auth_result(relay, id, verdict, identity, now);
    if (fault == WZP_FAULT_TOKENS_UNCOUNTED) {
        m->auth_fail = failed;
    } else if (fault == WZP_FAULT_COUNTS_HUB_TOKENS && m->auth_ok + m->auth_fail == any) {
        m->auth_ok += verdict == WZP_AUTH_ACCEPTED ? 1 : 0;
        m->auth_fail += verdict == WZP_AUTH_ACCEPTED ? 0 : 1;
    }
}

/* --- trunks ---------------------------------------------------------------------------------- */

void __real_wzp_relay_send_trunk(session *to, wzp_bytes frame);

static void send_entries(session *to, wzp_bytes frame) {
    wzp_rd rd;
    uint16_t count = 0;
    if (wzp_trunk_parse(&rd, frame, &count) == WZP_OK) {
        for (uint16_t i = 0; i < count; i++) {
            wzp_trunk_entry entry;
            wzp_trunk_next(&rd, &entry);
            __real_wzp_relay_send_trunk(to, entry.payload);
        }
    }
}

/* Each frame leaves when so many others have come: some 30 ms later while eight members send 400
 * packets a second.  Whom it was for must be remembered as well. */
static void send_later(session *to, wzp_bytes frame) {
    enum { LATER = 96 };
    static struct {
        session *to;
        size_t len;
        uint8_t frame[WZP_TRUNK_BUFFER];
    } kept[LATER];
    static unsigned next;
    const unsigned i = next++ % LATER;
    if (kept[i].to == to) { /* a member who has left is forgotten */
        __real_wzp_relay_send_trunk(to, wzp_bytes_of(kept[i].frame, kept[i].len));
    }
    kept[i].to = to;
    kept[i].len = frame.len;
    memcpy(kept[i].frame, frame.data, frame.len);
}

WRAP(void, wzp_relay_send_trunk, session *to, wzp_bytes frame) {
    static unsigned frames;
    uint8_t changed[WZP_TRUNK_BUFFER];
    frames++;
    switch (fault) {
    case WZP_FAULT_UNTRUNKED:
        send_entries(to, frame);
        break;
    case WZP_FAULT_CROWDED:
        memcpy(changed, frame.data, frame.len);
        changed[1]++;
        __real_wzp_relay_send_trunk(to, wzp_bytes_of(changed, frame.len));
        break;
    case WZP_FAULT_LATE_TRUNKS:
        send_later(to, frame);
        break;
    case WZP_FAULT_LOSSY_TRUNKS:
        if (frames % 11 == 0) {
            break;
        }
        /* fall through */
    default:
        __real_wzp_relay_send_trunk(to, frame);
        break;
    }
}

/* --- parsing --------------------------------------------------------------------------------- */

static bool forgives(wzp_err err) {
    return (fault == WZP_FAULT_ACCEPT_ANY_VERSION && err == WZP_ERR_VERSION) ||
           (fault == WZP_FAULT_ACCEPT_TYPES && err == WZP_ERR_MEDIA_TYPE) ||
           (fault == WZP_FAULT_ACCEPT_CODECS && err == WZP_ERR_CODEC) ||
           (fault == WZP_FAULT_ACCEPT_SHORT && err == WZP_ERR_TRUNCATED) ||
           (fault == WZP_FAULT_ACCEPT_CUT && err == WZP_ERR_QUALITY_TRUNCATED);
}

WRAP(wzp_err, wzp_media_packet_parse, wzp_media_packet *out, wzp_bytes datagram, wzp_fail *fail) {
    const wzp_err err = __real_wzp_media_packet_parse(out, datagram, fail);
    if (forgives(err)) {
        *out = (wzp_media_packet){.hdr = {.version = 2, .media_type = WZP_MEDIA_DATA}};
        return WZP_OK;
    }
    if (err == WZP_OK && fault == WZP_FAULT_MEDIA_ONLY && out->hdr.media_type > WZP_MEDIA_VIDEO) {
        return WZP_ERR_MEDIA_TYPE;
    }
    if (err == WZP_OK && fault == WZP_FAULT_ALL_LAYERS) {
        out->hdr.stream_id = 0;
    } else if (err == WZP_OK && fault == WZP_FAULT_LAYERED_AUDIO && out->hdr.stream_id != 0) {
        out->hdr.media_type = WZP_MEDIA_VIDEO;
    }
    if (err == WZP_OK && fault == WZP_FAULT_REFUSE_EMPTY && out->payload.len == 0) {
        return WZP_ERR_TRUNCATED;
    }
    if (err == WZP_OK && fault == WZP_FAULT_REFUSE_CODEC2 &&
        out->hdr.codec_id == WZP_CODEC_CODEC2_1200) {
        return WZP_ERR_CODEC;
    }
    if (err == WZP_OK && fault == WZP_FAULT_REFUSE_AV1 && out->hdr.codec_id == WZP_CODEC_AV1_MAIN) {
        return WZP_ERR_CODEC;
    }
    return err;
}

/* --- handshake ------------------------------------------------------------------------------- */

/* Signs the offer anew with a key of its own: whoever asks gets in. */
static wzp_bytes resigned(const session *s, wzp_bytes json, char *text, size_t cap) {
    wzp_signal *signal = NULL;
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_wr wr;
    wzp_wr_init(&wr, (uint8_t *)text, cap);
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK ||
        signal->kind != WZP_SIGNAL_CALL_OFFER) {
        wzp_signal_free(&signal);
        return json;
    }
    wzp_signal_CallOffer *offer = &signal->u.CallOffer;
    const wzp_bytes told = wzp_bytes_of(offer->signature.items, offer->signature.count);
    if (wzp_handshake_verify(told, offer->identity_pub.bytes, WZP_ROLE_OFFER,
                             offer->ephemeral_pub.bytes) == WZP_OK) {
        wzp_signal_free(&signal);
        return json;
    }
    memcpy(offer->identity_pub.bytes, s->relay->identity.ed25519_pub, WZP_KEY_LEN);
    wzp_handshake_sign(signature, &s->relay->identity, WZP_ROLE_OFFER, offer->ephemeral_pub.bytes);
    offer->signature = (wzp_list_u8){signature, sizeof signature};
    wzp_signal_write(&wr, signal);
    wzp_signal_free(&signal);
    return wzp_bytes_of(text, wzp_wr_len(&wr));
}

/* What is no CallOffer becomes a good one. */
static wzp_bytes any_offer(const session *s, wzp_bytes json, char *text, size_t cap) {
    wzp_signal *signal = NULL;
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_wr wr;
    const bool good = wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK &&
                      signal->kind == WZP_SIGNAL_CALL_OFFER;
    wzp_signal_free(&signal);
    if (good) {
        return json;
    }
    wzp_signal made = {.kind = WZP_SIGNAL_CALL_OFFER, .version = 1};
    wzp_signal_CallOffer *offer = &made.u.CallOffer;
    memcpy(offer->identity_pub.bytes, s->relay->identity.ed25519_pub, WZP_KEY_LEN);
    memcpy(offer->ephemeral_pub.bytes, s->relay->identity.x25519_pub, WZP_KEY_LEN);
    wzp_handshake_sign(signature, &s->relay->identity, WZP_ROLE_OFFER, offer->ephemeral_pub.bytes);
    offer->signature = (wzp_list_u8){signature, sizeof signature};
    offer->protocol_version = WZP_PROTOCOL_VERSION;
    wzp_wr_init(&wr, (uint8_t *)text, cap);
    wzp_signal_write(&wr, &made);
    return wzp_bytes_of(text, wzp_wr_len(&wr));
}

/* Since longer than clients take for their offers. */
static bool another_is_silent(const session *s) {
    const session *other = s->relay->sessions;
    while (other != NULL && (other == s || other->state != SESSION_OFFER ||
                             wzp_time_since(s->relay->now, other->connected_at) < 200 * WZP_MS)) {
        other = other->next;
    }
    return other != NULL;
}

WRAP(void, wzp_relay_on_offer, session *s, wzp_bytes json) {
    char text[8192];
    if (fault == WZP_FAULT_ONE_BY_ONE && another_is_silent(s)) {
        return;
    }
    if (fault == WZP_FAULT_ANY_PROTOCOL && json.len < sizeof text) {
        memcpy(text, json.data, json.len);
        text[json.len] = '\0';
        char *at = strstr(text, "\"protocol_version\":");
        if (at != NULL) {
            at[19] = '2';
        }
        json = wzp_bytes_of(text, json.len);
    } else if (fault == WZP_FAULT_ANY_SIGNATURE) {
        json = resigned(s, json, text, sizeof text);
    }
    wzp_fault_blame_offer(s, json);
    __real_wzp_relay_on_offer(
        s, fault == WZP_FAULT_ANY_OFFER ? any_offer(s, json, text, sizeof text) : json);
}

static int64_t send_with_wrong_prefix(session *to, const wzp_signal *signal) {
    uint8_t buf[8192] = {0};
    int64_t stream = 0;
    wzp_wr wr;
    wzp_wr_init(&wr, buf + 4, sizeof buf - 4);
    wzp_signal_write(&wr, signal);
    const size_t len = wzp_wr_len(&wr);
    buf[2] = (uint8_t)((len + 4) >> 8);
    buf[3] = (uint8_t)(len + 4);
    const bool sent =
        wzp_quic_stream_open(to->relay->quic, to->conn, WZP_QUIC_BIDI, &stream) == WZP_OK &&
        wzp_quic_stream_write(to->relay->quic, to->conn, stream, wzp_bytes_of(buf, len + 4),
                              true) == WZP_OK;
    return sent ? stream : 0;
}

WRAP(int64_t, wzp_relay_send_signal, session *to, const wzp_signal *signal) {
    static const uint8_t one[] = {1};
    wzp_signal changed = *signal;
    uint8_t signature[WZP_SIGNATURE_LEN];
    if (fault == WZP_FAULT_WRONG_PREFIX && !calibrating(to)) {
        return send_with_wrong_prefix(to, signal);
    }
    if (fault == WZP_FAULT_BAD_ANSWER && signal->kind == WZP_SIGNAL_CALL_ANSWER) {
        memcpy(signature, signal->u.CallAnswer.signature.items, sizeof signature);
        signature[5] ^= 4;
        changed.u.CallAnswer.signature = (wzp_list_u8){signature, sizeof signature};
    } else if (fault == WZP_FAULT_WRONG_SUPPORTED && signal->kind == WZP_SIGNAL_HANGUP) {
        changed.u.Hangup.reason.server_supported = (wzp_list_u8){one, 1};
    }
    return wzp_fault_signal(to, &changed) ? __real_wzp_relay_send_signal(to, &changed) : 0;
}

static bool is_full_call(const session *s) {
    const room *rm = wzp_relay_find_room(s->relay, s->sni);
    return rm != NULL && rm->count >= 2;
}

WRAP(bool, wzp_relay_call_admit, const session *s) {
    const bool is_call = strncmp(s->sni, "call-", 5) == 0;
    const bool admitted = __real_wzp_relay_call_admit(s);
    return fault == WZP_FAULT_OPEN_CALL_ROOMS ? admitted || (is_call && !is_full_call(s))
           : fault == WZP_FAULT_THIRD_IN_CALL ? admitted || (is_call && is_full_call(s))
           : fault == WZP_FAULT_NO_CALLS      ? admitted && !is_call
                                              : admitted;
}

WRAP(bool, wzp_relay_join, session *s) {
    /* What the relay believes while it decides, and the truth. */
    const bool limited = s->relay->cfg.max_sessions == WZP_CT_MAX_SESSIONS;
    atomic_uint_least32_t *taken = &s->relay->cfg.shared->media_sessions;
    const uint_least32_t sessions = *taken;
    *taken = fault == WZP_FAULT_NO_LIMIT                 ? 0
             : fault == WZP_FAULT_TIGHT_LIMIT && limited ? sessions + 1
                                                         : sessions;
    const bool joined = __real_wzp_relay_join(s);
    *taken = sessions + (joined ? 1 : 0);
    if (joined) {
        wzp_fault_joined(s);
    }
    if (joined && fault == WZP_FAULT_REPLAY) {
        replay_to(s);
    }
    return joined;
}

/* --- TLS ------------------------------------------------------------------------------------- */

/* Whatever comes first in the client's list. */
static int take_first(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                      const unsigned char *in, unsigned int in_len, void *arg) {
    (void)ssl, (void)arg;
    if (in_len < 2 || in[0] >= in_len) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = in + 1;
    *out_len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

WRAP(void, SSL_CTX_set_alpn_select_cb, SSL_CTX *tls, SSL_CTX_alpn_select_cb_func select,
     void *arg) {
    __real_SSL_CTX_set_alpn_select_cb(tls, fault == WZP_FAULT_ANY_ALPN ? take_first : select, arg);
}

WRAP(void, SSL_CTX_set_client_hello_cb, SSL_CTX *tls, SSL_client_hello_cb_fn look, void *arg) {
    if (fault == WZP_FAULT_NEW_CERTIFICATES) {
        __real_SSL_CTX_set_client_hello_cb(tls, wzp_fault_new_certificate, arg);
    } else if (fault != WZP_FAULT_ANY_ALPN) {
        __real_SSL_CTX_set_client_hello_cb(tls, look, arg);
    }
}
