#include "media_parts.h"

#include <stdlib.h>

#include "bench.h"
#include "client/cipher.h"
#include "client/listener.h"
#include "client/pace.h"
#include "media/tracks.h"

enum { SAMPLES = 960, FRAME_MS = 20, REMB_BPS = 44000, WARM_FRAMES = 5 };

typedef struct end {
    wzp_pace pace;
    wzp_audio_enc *enc;
    wzp_cipher out, in;
    wzp_tracks tracks;
    wzp_listener listener;
    wzp_listener_counts counts;
    wzp_quic_stats stats;
    uint32_t seq, frames;
    int16_t pcm[WZP_AUDIO_FRAME_MAX];
} end;

struct media_parts {
    wzp_time now;
    size_t count;
    end *ends;
};

static bool open_end(media_parts *p, size_t i) {
    const wzp_session_keys out = {.key = {(uint8_t)i, 1}, .session_id = {(uint8_t)i}};
    const wzp_session_keys in = {.key = {(uint8_t)(i ^ 1), 1}, .session_id = {(uint8_t)(i ^ 1)}};
    const uint8_t nobody[WZP_KEY_LEN] = {0};
    const wzp_pace_cfg pace = {.codec = WZP_CODEC_OPUS_24K, .smallest = WZP_CODEC_OPUS_6K};
    const wzp_audio_enc_cfg enc = {.codec = WZP_CODEC_OPUS_24K};
    end *e = &p->ends[i];
    e->out.mode = e->in.mode = WZP_MEDIA_CRYPTO_RELAY_AEAD;
    e->stats = (wzp_quic_stats){.smoothed_rtt = 20 * WZP_MS, .cwnd = 20000};
    wzp_tracks_init(&e->tracks);
    const bool done = wzp_pace_init(&e->pace, &pace) == WZP_OK &&
                      wzp_audio_enc_new(&e->enc, &enc) == WZP_OK &&
                      wzp_cipher_start(&e->out, &out, nobody) == WZP_OK &&
                      wzp_cipher_start(&e->in, &in, nobody) == WZP_OK;
    wzp_bwe_remb(&e->pace.bwe, REMB_BPS, p->now);
    return done;
}

media_parts *media_parts_new(size_t ends) {
    media_parts *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return NULL;
    }
    *p = (media_parts){.now = WZP_S, .ends = calloc(ends, sizeof *p->ends)};
    bool done = p->ends != NULL;
    for (; done && p->count < ends; p->count++) {
        done = open_end(p, p->count);
    }
    if (!done) {
        media_parts_free(&p);
    }
    return p;
}

void media_parts_free(media_parts **parts) {
    media_parts *p = *parts;
    if (p == NULL) {
        return;
    }
    for (size_t i = 0; i < p->count; i++) {
        end *e = &p->ends[i];
        wzp_audio_enc_free(&e->enc);
        wzp_listener_clear(&e->listener);
        wzp_cipher_clear(&e->out);
        wzp_cipher_clear(&e->in);
    }
    free(p->ends);
    free(p);
    *parts = NULL;
}

/* --- a frame ---------------------------------------------------------------------------------- */

static bool speak(media_parts *p, end *e, const int16_t *pcm, wzp_wr *wr) {
    uint8_t coded[WZP_AUDIO_PACKET_MAX];
    size_t len = 0;
    wzp_dred_setting dred;
    wzp_media_packet packet = {.hdr = {.version = WZP_PROTOCOL_VERSION,
                                       .codec_id = wzp_pace_codec(&e->pace),
                                       .seq = e->seq,
                                       .timestamp_ms = e->seq * FRAME_MS}};
    if (wzp_pace_take_setting(&e->pace, &dred)) {
        wzp_audio_enc_tune(e->enc, dred.frames, dred.expected_loss_pct);
    }
    if (wzp_audio_enc_frame(e->enc, pcm, SAMPLES, coded, &len) != WZP_OK) {
        return false;
    }
    e->seq++;
    e->stats.packets_sent++;
    e->stats.latest_rtt = (20 + e->seq % 2) * WZP_MS;
    wzp_pace_frame(&e->pace, &e->stats, p->now);
    packet.payload = wzp_bytes_of(coded, len);
    if (wzp_pace_take_report(&e->pace, &packet.report)) {
        packet.hdr.flags = WZP_MEDIA_QUALITY;
    }
    return packet.hdr.codec_id == WZP_CODEC_OPUS_24K &&
           wzp_cipher_write(&e->out, wr, &packet) == WZP_OK;
}

static bool hear(media_parts *p, end *e, wzp_bytes datagram) {
    wzp_media_packet packet;
    bool is_new = false;
    if (wzp_media_packet_parse(&packet, datagram, NULL) != WZP_OK ||
        !wzp_cipher_read(&e->in, &packet, datagram, p->now)) {
        return false;
    }
    if ((packet.hdr.flags & WZP_MEDIA_QUALITY) != 0) {
        wzp_pace_report(&e->pace, &packet.report, p->now);
    }
    const int index = wzp_tracks_place(&e->tracks, &packet.hdr, p->now, &is_new);
    if (index != 0 || (is_new && !wzp_listener_start(&e->listener, false, 1))) {
        return false;
    }
    wzp_listener_take(&e->listener, &packet, p->now, &e->counts);
    return true;
}

static bool play(media_parts *p, end *e) {
    wzp_listener_out out;
    bool is_heard = e->frames++ < WARM_FRAMES;
    while (wzp_listener_next(&e->listener, p->now, e->pcm, &out, &e->counts)) {
        bench_keep(e->pcm);
        is_heard = true;
    }
    return is_heard && e->counts.concealed + e->counts.recovered == 0;
}

bool media_parts_frame(media_parts *p, size_t i, const int16_t *pcm) {
    uint8_t datagram[1500];
    end *e = &p->ends[i];
    wzp_wr wr;
    wzp_wr_init(&wr, datagram, sizeof datagram);
    return speak(p, e, pcm, &wr) &&
           hear(p, &p->ends[i ^ 1], wzp_bytes_of(datagram, wzp_wr_len(&wr))) && play(p, e);
}

void media_parts_pass(media_parts *p) {
    p->now += FRAME_MS * WZP_MS;
}
