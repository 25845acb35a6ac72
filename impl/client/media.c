/* Packets of sound: what comes in goes to a listener, what goes out is a frame and its repair
 * packets. */
#include "client/internal.h"

/* --- receiving media ------------------------------------------------------------------------- */

static void rekey_if_due(wzp_client *c, wzp_time now) {
    if (wzp_cipher_rekey_due(&c->cipher)) {
        wzp_client_send_rekey(c, now);
    }
}

/* --- feedback --------------------------------------------------------------------------------- */

#define FEEDBACK_ALONE (2 * WZP_S) /* so long nobody else was heard */

static void note_feedback(wzp_client *c, uint32_t track, uint32_t seq, wzp_time now) {
    if (!c->cfg.feedback || c->cfg.policy != WZP_ADAPT_REFERENCE) {
        return;
    }
    if (track != c->feedback_track) {
        if (c->feedback_track != 0 && wzp_time_since(now, c->feedback_at) < FEEDBACK_ALONE) {
            c->others_at = now;
            return;
        }
        wzp_feedback_init(&c->feedback, 0);
        c->feedback_track = track;
    }
    c->feedback_at = now;
    wzp_feedback_packet(&c->feedback, seq,
                        c->cfg.wall_us + wzp_time_since(now, c->began_at) / WZP_US, now);
}

wzp_time wzp_client_feedback_deadline(const wzp_client *c) {
    return wzp_client_uses_relay(c) ? wzp_feedback_deadline(&c->feedback) : WZP_TIME_NEVER;
}

void wzp_client_tell_feedback(wzp_client *c, wzp_time now) {
    wzp_signal signal;
    const bool is_alone = c->others_at == 0 || wzp_time_since(now, c->others_at) > FEEDBACK_ALONE;
    if (wzp_client_uses_relay(c) && wzp_feedback_next(&c->feedback, c->remb.bps, now, &signal) &&
        is_alone) {
        wzp_client_send_signal(c, &signal, now);
    }
}

void wzp_client_on_media(wzp_client *c, wzp_bytes datagram, wzp_cipher *cipher, wzp_time now) {
    wzp_media_packet packet;
    bool is_new = false;
    if (wzp_media_packet_parse(&packet, datagram, NULL) != WZP_OK) {
        c->malformed++;
        return;
    }
    if (cipher != NULL) {
        if (!wzp_cipher_read(cipher, &packet, datagram, now)) {
            return;
        }
        rekey_if_due(c, now);
    }
    if (packet.hdr.media_type != WZP_MEDIA_AUDIO) {
        c->refused.not_sound++;
        return;
    }
    if (c->cfg.arrival != NULL) {
        c->cfg.arrival(c->cfg.arrival_ctx, &packet, now);
    }
    if (wzp_repeats_seen(&c->repeats, datagram)) {
        c->refused.duplicate++;
        return;
    }
    if ((packet.hdr.flags & WZP_MEDIA_QUALITY) != 0) {
        wzp_pace_report(&c->pace, &packet.report, now);
    }
    const int index = wzp_tracks_place(&c->tracks, &packet.hdr, now, &is_new);
    if (index < 0) {
        return;
    }
    wzp_listener *l = &c->listeners[index];
    c->media_bytes += datagram.len;
    note_feedback(c, c->tracks.tracks[index].id, packet.hdr.seq, now);
    wzp_reception_packet(&c->reception, index, &c->tracks.tracks[index], &packet.hdr, now);
    if (is_new) {
        wzp_listener_add_refused(l, &c->refused); /* of the sender that had its place */
        (void)wzp_listener_start(l, c->cfg.coded, c->tracks.tracks[index].id);
    }
    wzp_listener_take(l, &packet, now, &c->heard);
}

void wzp_client_direct_media(wzp_client *c, wzp_bytes datagram, wzp_time now) {
    wzp_client_on_media(c, datagram, NULL, now);
}

/* --- sending media --------------------------------------------------------------------------- */

/* How the path is, once for each frame. */
static void measure(wzp_client *c, const wzp_quic_stats *stats, wzp_time now) {
    if (wzp_pace_wants_reception(&c->pace)) {
        const uint32_t lost = wzp_reception_measure(&c->reception, &c->tracks, now);
        const bool is_alone = c->path == CLIENT_BY_RELAY && c->members < 2;
        wzp_remb_window(&c->remb, c->media_bytes, wzp_time_since(now, c->remb_at), lost);
        c->media_bytes = 0;
        c->remb_at = now;
        wzp_pace_reception(&c->pace, is_alone ? 0 : lost);
    }
    wzp_pace_frame(&c->pace, stats, now);
}

/* The time of one frame has passed. */
static void advance(wzp_client *c, wzp_time now) {
    wzp_quic_stats stats;
    if (wzp_quic_conn_stats(c->quic, c->sends, &stats)) {
        c->way = stats.smoothed_rtt != 0 ? stats : c->way;
        measure(c, &stats, now);
    }
    c->ts += c->frame_ms;
    c->capture_asked = false;
    c->capture_at += c->frame_ms * WZP_MS;
    if (c->capture_at + WZP_S < now) {
        c->capture_at = now; /* the caller slept: do not send a second's backlog */
    }
}

/* Only what goes to the relay is sealed (nat sheet 1.17). */
static wzp_err write_packet(wzp_client *c, wzp_wr *wr, const wzp_media_packet *packet) {
    if (wzp_client_uses_relay(c)) {
        return wzp_cipher_write(&c->cipher, wr, packet);
    }
    wzp_media_packet_write(wr, packet);
    return wzp_wr_end(wr);
}

/* In a call that waits for a path what cannot be sent is as lost as if it were under way. */
static wzp_err send_packet(wzp_client *c, const wzp_media_packet *packet, wzp_time now) {
    uint8_t
        datagram[WZP_MEDIA_HDR_LEN + WZP_AUDIO_PACKET_MAX + WZP_TAG_LEN + WZP_QUALITY_REPORT_LEN];
    wzp_wr wr;
    wzp_wr_init(&wr, datagram, sizeof datagram);
    wzp_err err = write_packet(c, &wr, packet);
    if (err == WZP_OK) {
        err = wzp_client_send_media(c, wzp_bytes_of(datagram, wzp_wr_len(&wr)));
        rekey_if_due(c, now);
    }
    c->sent += err == WZP_OK ? 1 : 0;
    c->unsent += err == WZP_ERR_CLOSED ? 1 : 0;
    return err == WZP_ERR_CLOSED && c->cfg.waits ? WZP_OK : err;
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

/* For the frames that were suppressed; a report waits for a frame of sound. */
static wzp_err send_noise(wzp_client *c, wzp_time now) {
    static const uint8_t level = WZP_NOISE_LEVEL;
    wzp_media_packet packet = {.hdr = {.version = WZP_PROTOCOL_VERSION,
                                       .codec_id = WZP_CODEC_COMFORT_NOISE,
                                       .seq = c->seq++,
                                       .timestamp_ms = c->ts},
                               .payload = {&level, 1}};
    wzp_repair_out_source(c->repair, &packet.hdr, packet.payload);
    return send_packet(c, &packet, now);
}

/* True if the frame is silent for long enough: its time passes and it is not sent. */
static bool suppress(wzp_client *c, const int16_t *pcm, size_t samples, wzp_time now,
                     wzp_err *err) {
    const wzp_silence_act act =
        c->cfg.suppress_silence ? wzp_silence_step(&c->silence, pcm, samples) : WZP_SILENCE_SEND;
    if (act == WZP_SILENCE_SEND) {
        return false;
    }
    advance(c, now);
    *err = act == WZP_SILENCE_NOISE ? send_noise(c, now) : WZP_OK;
    return true;
}

wzp_err wzp_client_push(wzp_client *c, const int16_t *pcm, size_t samples, wzp_time now) {
    uint8_t coded[WZP_AUDIO_PACKET_MAX];
    size_t len = 0;
    wzp_err err = WZP_OK;
    wzp_dred_setting dred;
    if (c->state != CLIENT_ACTIVE) {
        return WZP_ERR_CLOSED;
    }
    if (c->cfg.coded) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    if (samples == wzp_audio_enc_samples(c->enc) && suppress(c, pcm, samples, now, &err)) {
        return err;
    }
    if (wzp_pace_take_setting(&c->pace, &dred)) {
        wzp_audio_enc_tune(c->enc, dred.frames, dred.expected_loss_pct);
    }
    err = wzp_audio_enc_frame(c->enc, pcm, samples, coded, &len);
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
