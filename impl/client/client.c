#include "client/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/listener.h"
#include "client/pace.h"
#include "crypto/handshake.h"

/* In a quiet call too something must come within WZP_CLIENT_PATIENCE. */
#define KEEP_ALIVE (2 * WZP_S)

/* A relay that has hung up closes the connection as well, once it knows that its words arrived. */
#define LAST_WORDS (500 * WZP_MS)

/* A frame that could not leave for so long would not be played any more. */
#define LIFETIME (200 * WZP_MS)

typedef enum client_state {
    CLIENT_CONNECTING,
    CLIENT_OFFERED,
    CLIENT_ANSWERED, /* the answer verified, the room not yet seen */
    CLIENT_ACTIVE,
    CLIENT_HUNG_UP, /* by the relay: nothing is sent any more */
    CLIENT_CLOSED
} client_state;

/* What every packet needs comes first. */
struct wzp_client {
    client_state state;
    bool tell_joined, tell_room, tell_hangup, tell_closed; /* what was not told yet */
    bool tell_lost, tell_back, lost;
    bool capture_asked;
    uint8_t codec; /* of the frame that is asked for, or was last */
    uint16_t frame_ms;
    uint32_t seq, ts, members;
    uint64_t sent, late, codec_changes;
    wzp_listener_counts heard;
    wzp_time capture_at, received_at;
    wzp_time leave_at; /* after a hangup, if the relay does not close; else WZP_TIME_NEVER */
    uint64_t packets_received;
    wzp_quic *quic;
    wzp_quic_conn conn;
    wzp_audio_enc *enc;
    wzp_repair_out *repair;
    wzp_client_cfg cfg;
    wzp_cipher cipher;
    wzp_pace pace;
    wzp_listener listeners[WZP_TRACKS_MAX]; /* of the tracks with the same index */
    wzp_tracks tracks;

    wzp_identity identity;
    wzp_ephemeral ephemeral;
    char room[WZP_QUIC_SNI_MAX + 1], alias[128], hangup[192], closed[192];
    int16_t pcm[WZP_AUDIO_FRAME_MAX];
};

/* --- handshake ------------------------------------------------------------------------------- */

static bool may_pass(const wzp_client *c, bool out, wzp_bytes json, wzp_time now) {
    return c->cfg.signal == NULL || c->cfg.signal(c->cfg.signal_ctx, out, json, now);
}

static void send_json(wzp_client *c, wzp_bytes json) {
    char name[48];
    if (wzp_quic_send_signal(c->quic, c->conn, json, NULL) != WZP_OK) {
        wzp_logf(&c->cfg.log, WZP_LOG_WARN, "a %s could not be sent",
                 wzp_signal_peek_name(json, name, sizeof name));
    }
}

static void send_signal(wzp_client *c, const wzp_signal *signal, wzp_time now) {
    uint8_t buf[8192];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_signal_write(&wr, signal);
    const wzp_bytes json = wzp_bytes_of(buf, wzp_wr_len(&wr));
    if (wzp_wr_end(&wr) == WZP_OK && may_pass(c, true, json, now)) {
        send_json(c, json);
    }
}

static void send_offer(wzp_client *c, wzp_time now) {
    static const uint8_t versions[] = {WZP_PROTOCOL_VERSION};
    const wzp_quality_profile profiles[] = {wzp_profile_studio_64k, wzp_profile_studio_48k,
                                            wzp_profile_studio_32k, wzp_profile_good,
                                            wzp_profile_degraded,   wzp_profile_catastrophic};
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_handshake_sign(signature, &c->identity, WZP_ROLE_OFFER, c->ephemeral.pub);
    wzp_signal offer = {.kind = WZP_SIGNAL_CALL_OFFER,
                        .version = 1,
                        .u.CallOffer = {.signature = {signature, sizeof signature},
                                        .supported_profiles = {profiles, WZP_COUNT_OF(profiles)},
                                        .alias = {c->alias[0] != '\0', wzp_bytes_str(c->alias)},
                                        .protocol_version = WZP_PROTOCOL_VERSION,
                                        .supported_versions = {versions, 1}}};
    memcpy(offer.u.CallOffer.identity_pub.bytes, c->identity.ed25519_pub, WZP_KEY_LEN);
    memcpy(offer.u.CallOffer.ephemeral_pub.bytes, c->ephemeral.pub, WZP_KEY_LEN);
    send_signal(c, &offer, now);
    c->state = CLIENT_OFFERED;
}

static void give_up(wzp_client *c, const char *why, wzp_time now) {
    (void)snprintf(c->hangup, sizeof c->hangup, "%s", why);
    c->tell_hangup = true;
    wzp_quic_close(c->quic, c->conn, 0, "hangup", now);
}

/* Needs both the answer and the room's list.  Where a packet was lost, the list may come first:
 * each signal has a stream of its own. */
static void enter_room(wzp_client *c, wzp_time now) {
    if (c->state < CLIENT_ANSWERED || c->members == 0) {
        return;
    }
    c->tell_room = true;
    if (c->state == CLIENT_ANSWERED) {
        c->state = CLIENT_ACTIVE;
        c->capture_at = now;
    }
}

static void on_answer(wzp_client *c, const wzp_signal_CallAnswer *a, wzp_time now) {
    wzp_session_keys keys;
    const wzp_bytes signature = wzp_bytes_of(a->signature.items, a->signature.count);
    if (c->state != CLIENT_OFFERED) {
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
    c->state = CLIENT_ANSWERED;
    c->tell_joined = true;
    enter_room(c, now);
}

static void send_rekey(wzp_client *c, wzp_time now) {
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_signal rekey;
    wzp_cipher_rekey_begin(&c->cipher, &c->identity, c->cfg.rng, signature, &rekey);
    send_signal(c, &rekey, now);
}

/* Both ends tell a fresh key, whoever begins, and both mix in what they are told. */
static void on_rekey(wzp_client *c, const wzp_signal_Rekey *rekey, wzp_time now) {
    wzp_err err = wzp_cipher_rekey_verify(&c->cipher, rekey);
    if (err == WZP_OK) {
        if (!c->cipher.pending) {
            send_rekey(c, now);
        }
        err = wzp_cipher_rekey_complete(&c->cipher, rekey, now);
    }
    if (err != WZP_OK) {
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
    c->tell_hangup = true;
    if (c->state != CLIENT_CLOSED && c->state != CLIENT_HUNG_UP) {
        c->state = CLIENT_HUNG_UP;
        c->leave_at = wzp_time_after(now, LAST_WORDS);
    }
}

static void on_pace_signal(wzp_client *c, const wzp_signal *signal, wzp_time now) {
    wzp_signal answer;
    wzp_pace_signal(&c->pace, signal, now);
    while (c->state == CLIENT_ACTIVE && wzp_pace_next_signal(&c->pace, &answer)) {
        send_signal(c, &answer, now);
    }
}

static void on_signal(wzp_client *c, wzp_bytes json, wzp_time now) {
    wzp_signal *signal = NULL;
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK) {
        char name[48];
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
        c->members = signal->u.RoomUpdate.count;
        enter_room(c, now);
    } else {
        on_pace_signal(c, signal, now);
    }
    wzp_signal_free(&signal);
}

/* --- receiving media ------------------------------------------------------------------------- */

static void rekey_if_due(wzp_client *c, wzp_time now) {
    if (wzp_cipher_rekey_due(&c->cipher)) {
        send_rekey(c, now);
    }
}

static void on_media(wzp_client *c, wzp_bytes datagram, wzp_time now) {
    wzp_media_packet packet;
    bool is_new = false;
    if (wzp_media_packet_parse(&packet, datagram, NULL) != WZP_OK ||
        !wzp_cipher_read(&c->cipher, &packet, datagram, now)) {
        return;
    }
    rekey_if_due(c, now);
    if (packet.hdr.media_type != WZP_MEDIA_AUDIO) {
        return;
    }
    if (c->cfg.arrival != NULL) {
        c->cfg.arrival(c->cfg.arrival_ctx, &packet, now);
    }
    if ((packet.hdr.flags & WZP_MEDIA_QUALITY) != 0) {
        wzp_pace_report(&c->pace, &packet.report, now);
    }
    const int index = wzp_tracks_place(&c->tracks, &packet.hdr, now, &is_new);
    if (index < 0) {
        return;
    }
    wzp_listener *l = &c->listeners[index];
    if (is_new) {
        (void)wzp_listener_start(l, c->cfg.coded, c->tracks.tracks[index].id);
    }
    wzp_listener_take(l, &packet, now, &c->heard);
}

/* --- packet core ----------------------------------------------------------------------------- */

static void drain(wzp_client *c, wzp_time now) {
    wzp_quic_event ev;
    while (wzp_quic_next_event(c->quic, &ev)) {
        switch (ev.kind) {
        case WZP_QUIC_CONNECTED:
            send_offer(c, now);
            break;
        case WZP_QUIC_SIGNAL:
            if (may_pass(c, false, ev.body, now)) {
                on_signal(c, ev.body, now);
            }
            break;
        case WZP_QUIC_DATAGRAM:
            on_media(c, ev.body, now);
            break;
        case WZP_QUIC_CLOSED:
            c->state = CLIENT_CLOSED;
            c->tell_closed = true;
            (void)snprintf(c->closed, sizeof c->closed, "%s (code 0x%llx)",
                           wzp_quic_close_text(&ev.close), (unsigned long long)ev.close.code);
            break;
        case WZP_QUIC_SIGNAL_BAD:
        case WZP_QUIC_SIGNAL_ACKED:
        case WZP_QUIC_UNI:
        case WZP_QUIC_PATH:
            break;
        }
    }
}

/* --- is the relay still there? --------------------------------------------------------------- */

static bool in_call(const wzp_client *c) {
    return c->state == CLIENT_ANSWERED || c->state == CLIENT_ACTIVE;
}

static wzp_time loss_at(const wzp_client *c) {
    return in_call(c) && !c->lost ? wzp_time_after(c->received_at, WZP_CLIENT_PATIENCE)
                                  : WZP_TIME_NEVER;
}

/* What anybody may forge does not count: only packets that QUIC took. */
static void watch_relay(wzp_client *c, wzp_time now) {
    wzp_quic_stats stats;
    if (!wzp_quic_conn_stats(c->quic, c->conn, &stats) ||
        stats.packets_received == c->packets_received) {
        return;
    }
    c->packets_received = stats.packets_received;
    c->received_at = now;
    if (c->lost) {
        c->lost = false;
        c->tell_back = true;
    }
}

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    wzp_client *c = self;
    wzp_quic_recv(c->quic, path, ecn, payload, now);
    watch_relay(c, now);
    drain(c, now);
}

static void core_tick(void *self, wzp_time now) {
    wzp_client *c = self;
    wzp_quic_tick(c->quic, now);
    drain(c, now);
    if (loss_at(c) <= now) {
        c->lost = c->tell_lost = true;
    }
    if (c->state == CLIENT_HUNG_UP && c->leave_at <= now) {
        c->leave_at = WZP_TIME_NEVER;
        wzp_quic_close(c->quic, c->conn, 0, "hangup", now);
    }
}

static wzp_time core_deadline(const void *self) {
    const wzp_client *c = self;
    wzp_time first = wzp_time_min(wzp_quic_deadline(c->quic), loss_at(c));
    if (c->state == CLIENT_HUNG_UP) {
        first = wzp_time_min(first, c->leave_at);
    }
    if (c->state == CLIENT_ACTIVE && !c->cfg.listen_only && !c->capture_asked) {
        first = wzp_time_min(first, c->capture_at);
    }
    for (size_t i = 0; i < c->tracks.opened; i++) {
        first = wzp_time_min(first, wzp_listener_deadline(&c->listeners[i]));
    }
    return first;
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    return wzp_quic_next_packet(((wzp_client *)self)->quic, now, buf, cap, meta);
}

wzp_core wzp_client_core(wzp_client *client) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next_packet};
    return (wzp_core){client, &ops};
}

/* --- events ---------------------------------------------------------------------------------- */

static bool play_one(wzp_client *c, size_t index, wzp_time now, wzp_client_event *out) {
    wzp_listener_out heard;
    if (!wzp_listener_next(&c->listeners[index], now, c->pcm, &heard, &c->heard)) {
        return false;
    }
    *out = (wzp_client_event){.kind = WZP_CLIENT_PLAY,
                              .track = c->tracks.tracks[index].id,
                              .samples = heard.samples,
                              .at_ms = heard.at_ms,
                              .slot = heard.kind,
                              .pcm = heard.pcm,
                              .payload = heard.payload};
    return true;
}

static size_t samples_of(uint8_t codec) {
    return (size_t)wzp_codec_find(codec)->frame_ms * (WZP_AUDIO_RATE_HZ / 1000);
}

/* Another codec begins with a frame: never between asking for one and taking it. */
static void keep_pace(wzp_client *c, wzp_time now) {
    const uint8_t codec = wzp_pace_codec(&c->pace, now);
    if (codec == c->codec || (c->enc != NULL && wzp_audio_enc_set_codec(c->enc, codec) != WZP_OK)) {
        return;
    }
    wzp_logf(&c->cfg.log, WZP_LOG_INFO, "%s after %s", wzp_codec_find(codec)->name,
             wzp_codec_find(c->codec)->name);
    c->codec = codec;
    c->codec_changes++;
    c->frame_ms = wzp_codec_find(codec)->frame_ms;
    wzp_pace_switched(&c->pace, codec);
}

static bool take_flag(bool *flag) {
    const bool was = *flag;
    *flag = false;
    return was;
}

bool wzp_client_next_event(wzp_client *c, wzp_time now, wzp_client_event *out) {
    if (take_flag(&c->tell_joined)) {
        *out = (wzp_client_event){.kind = WZP_CLIENT_JOINED};
        return true;
    }
    if (take_flag(&c->tell_room)) {
        *out = (wzp_client_event){.kind = WZP_CLIENT_ROOM, .count = c->members};
        return true;
    }
    for (size_t i = 0; i < c->tracks.opened; i++) {
        if (play_one(c, i, now, out)) {
            return true;
        }
    }
    if (take_flag(&c->tell_lost)) {
        *out = (wzp_client_event){.kind = WZP_CLIENT_LOST};
        return true;
    }
    if (take_flag(&c->tell_back)) {
        *out = (wzp_client_event){.kind = WZP_CLIENT_BACK};
        return true;
    }
    if (take_flag(&c->tell_hangup)) {
        *out = (wzp_client_event){.kind = WZP_CLIENT_HANGUP, .text = c->hangup};
        return true;
    }
    if (take_flag(&c->tell_closed)) {
        *out = (wzp_client_event){.kind = WZP_CLIENT_CLOSED, .text = c->closed};
        return true;
    }
    if (c->state == CLIENT_ACTIVE && !c->cfg.listen_only && !c->capture_asked &&
        now >= c->capture_at) {
        c->capture_asked = true;
        keep_pace(c, now);
        *out = (wzp_client_event){
            .kind = WZP_CLIENT_CAPTURE, .codec = c->codec, .samples = samples_of(c->codec)};
        return true;
    }
    return false;
}

/* --- sending media --------------------------------------------------------------------------- */

/* The time of one frame has passed. */
static void advance(wzp_client *c, wzp_time now) {
    wzp_quic_stats stats = {0};
    (void)wzp_quic_conn_stats(c->quic, c->conn, &stats);
    wzp_pace_frame(&c->pace, &stats, now);
    c->ts += c->frame_ms;
    c->capture_asked = false;
    c->capture_at += c->frame_ms * WZP_MS;
    if (c->capture_at + WZP_S < now) {
        c->capture_at = now; /* the caller slept: do not send a second's backlog */
    }
}

static wzp_err send_packet(wzp_client *c, const wzp_media_packet *packet, wzp_time now) {
    uint8_t
        datagram[WZP_MEDIA_HDR_LEN + WZP_AUDIO_PACKET_MAX + WZP_TAG_LEN + WZP_QUALITY_REPORT_LEN];
    wzp_wr wr;
    wzp_wr_init(&wr, datagram, sizeof datagram);
    wzp_err err = wzp_cipher_write(&c->cipher, &wr, packet);
    if (err == WZP_OK) {
        err = wzp_quic_send_datagram(c->quic, c->conn, wzp_bytes_of(datagram, wzp_wr_len(&wr)));
        rekey_if_due(c, now);
    }
    c->sent += err == WZP_OK ? 1 : 0;
    return err;
}

/* Repair packets follow the frame that fills their block. */
static wzp_err send_frame(wzp_client *c, wzp_bytes coded, wzp_time now) {
    wzp_media_packet packet = {.hdr = {.version = WZP_PROTOCOL_VERSION,
                                       .codec_id = c->codec,
                                       .seq = c->seq++,
                                       .timestamp_ms = c->ts},
                               .payload = coded};
    wzp_repair_out_source(c->repair, &packet.hdr, coded);
    advance(c, now);
    if (wzp_pace_take_report(&c->pace, &packet.report)) {
        packet.hdr.flags = WZP_MEDIA_QUALITY;
    }
    const wzp_err err = send_packet(c, &packet, now);
    while (wzp_repair_out_next(c->repair, &c->seq, &packet)) {
        (void)send_packet(c, &packet, now);
    }
    return err;
}

wzp_err wzp_client_push(wzp_client *c, const int16_t *pcm, size_t samples, wzp_time now) {
    uint8_t coded[WZP_AUDIO_PACKET_MAX];
    size_t len = 0;
    wzp_dred_setting dred;
    if (c->state != CLIENT_ACTIVE) {
        return WZP_ERR_CLOSED;
    }
    if (c->cfg.coded) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    if (wzp_pace_take_setting(&c->pace, &dred)) {
        wzp_audio_enc_tune(c->enc, dred.frames, dred.expected_loss_pct);
    }
    const wzp_err err = wzp_audio_enc_frame(c->enc, pcm, samples, coded, &len);
    return err == WZP_OK ? send_frame(c, wzp_bytes_of(coded, len), now) : err;
}

wzp_err wzp_client_push_coded(wzp_client *c, wzp_bytes frame, wzp_time now) {
    if (c->state != CLIENT_ACTIVE) {
        return WZP_ERR_CLOSED;
    }
    if (!c->cfg.coded || frame.len > WZP_AUDIO_PACKET_MAX) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    if (frame.len == 0) {
        advance(c, now);
        return WZP_OK;
    }
    return send_frame(c, frame, now);
}

/* --- life ------------------------------------------------------------------------------------ */

static wzp_err dial(wzp_client *c, wzp_time now) {
    const wzp_quic_cfg quic = {.rng = c->cfg.rng,
                               .log = c->cfg.log,
                               .keep_alive = KEEP_ALIVE,
                               .datagram_lifetime = LIFETIME,
                               .deterministic = c->cfg.deterministic,
                               .keylog = c->cfg.keylog,
                               .keylog_ctx = c->cfg.keylog_ctx};
    const wzp_err err = wzp_quic_new(&c->quic, &quic, now);
    if (err != WZP_OK) {
        return err;
    }
    const wzp_quic_dial d = {.path = c->cfg.path, .sni = c->room};
    return wzp_quic_connect(c->quic, &d, now, &c->conn);
}

/* Codec2 is for those who have it; in coded mode that is who chose it. */
static uint8_t smallest(const wzp_client_cfg *cfg) {
    if (!cfg->adapts && wzp_codec_find(cfg->codec)->is_codec2) {
        return cfg->codec;
    }
    return !cfg->coded && wzp_audio_is_codec(WZP_CODEC_CODEC2_1200) ? WZP_CODEC_CODEC2_1200
                                                                    : WZP_CODEC_OPUS_6K;
}

wzp_err wzp_client_new(wzp_client **out, const wzp_client_cfg *cfg, wzp_time now) {
    const char *room = cfg->room != NULL && *cfg->room != '\0' ? cfg->room : "default";
    if (!wzp_audio_is_codec(cfg->codec) || strlen(room) > WZP_QUIC_SNI_MAX) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_client *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return WZP_ERR_NOMEM;
    }
    c->cfg = *cfg;
    c->cipher.mode = cfg->media_crypto;
    c->leave_at = WZP_TIME_NEVER;
    c->codec = cfg->codec;
    c->frame_ms = wzp_codec_find(cfg->codec)->frame_ms;
    (void)snprintf(c->room, sizeof c->room, "%s", room);
    (void)snprintf(c->alias, sizeof c->alias, "%s", cfg->alias != NULL ? cfg->alias : "");
    wzp_identity_from_seed(&c->identity, cfg->seed);
    wzp_crypto_wipe(c->cfg.seed, sizeof c->cfg.seed);
    wzp_ephemeral_new(&c->ephemeral, cfg->rng);
    wzp_tracks_init(&c->tracks);
    /* Random starts are legal and keep two senders' numbers apart for those who listen. */
    c->seq = (uint32_t)wzp_rng_u64(cfg->rng);
    c->ts = (uint32_t)wzp_rng_below(cfg->rng, 1U << 30);
    const wzp_pace_cfg pace = {.policy = cfg->policy,
                               .is_fixed = !cfg->adapts,
                               .codec = cfg->codec,
                               .smallest = smallest(cfg)};
    wzp_err err = wzp_pace_init(&c->pace, &pace);
    err = err == WZP_OK ? wzp_repair_out_new(&c->repair, cfg->policy == WZP_ADAPT_DEPLOYED) : err;
    if (err == WZP_OK && !cfg->coded) {
        err = wzp_audio_enc_new(&c->enc, &(wzp_audio_enc_cfg){.codec = cfg->codec});
    }
    err = err == WZP_OK ? dial(c, now) : err;
    if (err != WZP_OK) {
        wzp_client_free(&c);
        return err;
    }
    *out = c;
    return WZP_OK;
}

void wzp_client_free(wzp_client **client) {
    wzp_client *c = *client;
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < c->tracks.opened; i++) {
        wzp_listener_clear(&c->listeners[i]);
    }
    wzp_cipher_clear(&c->cipher);
    wzp_audio_enc_free(&c->enc);
    wzp_repair_out_free(&c->repair);
    wzp_quic_free(&c->quic);
    wzp_crypto_wipe(c, sizeof *c);
    free(c);
    *client = NULL;
}

void wzp_client_signal(wzp_client *c, bool out, wzp_bytes json, wzp_time now) {
    if (c->state == CLIENT_CLOSED) {
        return;
    }
    if (out) {
        send_json(c, json);
    } else {
        on_signal(c, json, now);
    }
}

void wzp_client_hangup(wzp_client *c, wzp_time now) {
    const wzp_signal hangup = {
        .kind = WZP_SIGNAL_HANGUP, .version = 1, .u.Hangup.reason.kind = WZP_HANGUP_NORMAL};
    send_signal(c, &hangup, now);
    wzp_quic_close(c->quic, c->conn, 0, "hangup", now);
}

void wzp_client_count(const wzp_client *c, wzp_client_stats *out) {
    wzp_quic_stats stats = {0};
    *out = (wzp_client_stats){.sent = c->sent,
                              .concealed = c->heard.concealed,
                              .recovered = c->heard.recovered,
                              .late = c->late,
                              .codec = c->codec,
                              .codec_changes = c->codec_changes,
                              .cipher = c->cipher.stats};
    for (size_t i = 0; i < c->tracks.opened; i++) {
        const wzp_track *t = &c->tracks.tracks[i];
        const double jitter = (double)wzp_track_jitter(t) / 1e6;
        if (t->used) {
            out->tracks++;
            out->received += t->received;
            out->lost += wzp_track_lost(t);
            out->jitter_ms = jitter > out->jitter_ms ? jitter : out->jitter_ms;
        }
        if (c->listeners[i].jbuf != NULL) {
            wzp_jbuf_stats j;
            wzp_jbuf_count(c->listeners[i].jbuf, &j);
            out->late += j.late;
        }
    }
    if (wzp_quic_conn_stats(c->quic, c->conn, &stats)) {
        out->rtt_ms = (double)stats.smoothed_rtt / 1e6;
        out->rtt = stats.smoothed_rtt;
        out->packets_lost = stats.packets_lost;
        out->expired = stats.datagrams_expired;
    }
}
