#include "tools/quality/loss.h"

#include <stdlib.h>
#include <string.h>

#include "adapt/dred_tuner.h"
#include "base/rng.h"
#include "fec/receiver.h"
#include "fec/sender.h"
#include "media/audio.h"
#include "media/jbuf.h"

enum { MILLION = 1000000, DELAY_MAX_MS = 500, TAIL_MS = 2000 };

#define NETWORK_DELAY (50 * WZP_MS)

typedef struct path {
    const wzp_loss_cfg *cfg;
    wzp_audio_enc *enc;
    wzp_audio_dec *dec;
    wzp_jbuf *jbuf;
    wzp_fec_sender *fec_out; /* NULL: none, as the other */
    wzp_fec_receiver *fec_in;
    uint32_t seq;
    wzp_prng prng;
    bool is_bad; /* the channel's state */
    int16_t *heard;
    size_t heard_len;
    wzp_time began;   /* playout; WZP_TIME_NEVER before */
    uint32_t last_ms; /* of what was said */
    uint64_t whole;   /* frames that arrived or were rebuilt */
    wzp_time whole_until;
    wzp_loss_result *out;
} path;

/* --- the network ------------------------------------------------------------------------------ */

static bool chance(path *p, uint64_t ppm) {
    return wzp_rng_below(wzp_prng_rng(&p->prng), MILLION) < ppm;
}

/* From bad to good with 1 in `mean_burst`; from good to bad so that the share of bad is `loss`. */
static bool loses(path *p) {
    const uint64_t loss = p->cfg->loss_ppm < MILLION ? p->cfg->loss_ppm : MILLION - 1;
    const uint64_t burst = p->cfg->mean_burst > 0 ? p->cfg->mean_burst : 1;
    const uint64_t leaves = MILLION / burst;
    const uint64_t enters = leaves * loss / (MILLION - loss);
    p->is_bad = p->is_bad ? !chance(p, leaves) : chance(p, enters);
    return p->is_bad;
}

/* --- the listener ----------------------------------------------------------------------------- */

static void place(path *p, wzp_time at, const int16_t *pcm, size_t samples) {
    p->began = p->began == WZP_TIME_NEVER ? at : p->began;
    const size_t from = (size_t)((at - p->began) * 48 / WZP_MS);
    if (from + samples <= p->heard_len) {
        memcpy(p->heard + from, pcm, samples * sizeof *pcm);
    }
}

static uint64_t rebuilt(const path *p) {
    wzp_audio_counters c;
    wzp_audio_dec_count(p->dec, &c);
    return c.opus.dred_reconstructions;
}

/* A frame that arrived or was rebuilt.  What lies between two of them is a gap, also when the
 * jitter buffer has given up meanwhile. */
static void note_whole(path *p, wzp_time at, uint32_t ms) {
    const uint32_t gap_ms =
        p->whole > 0 && at > p->whole_until ? (uint32_t)((at - p->whole_until) / WZP_MS) : 0;
    p->out->longest_ms = gap_ms > p->out->longest_ms ? gap_ms : p->out->longest_ms;
    p->whole_until = at + ms * WZP_MS;
    p->whole++;
}

static void hear(path *p, const wzp_jbuf_out *frame, wzp_time at) {
    static int16_t pcm[WZP_AUDIO_FRAME_MAX];
    size_t samples = (size_t)frame->duration_ms * 48;
    const uint64_t before = rebuilt(p);
    const bool is_there = frame->kind == WZP_JBUF_FRAME &&
                          wzp_audio_dec_play(p->dec, frame->codec_id, frame->payload, pcm,
                                             WZP_AUDIO_FRAME_MAX, &samples) == WZP_OK;
    if (!is_there) {
        samples = samples < WZP_AUDIO_FRAME_MAX ? samples : WZP_AUDIO_FRAME_MAX;
        wzp_audio_dec_fill(p->dec, frame->is_added ? WZP_AUDIO_ADDED : WZP_AUDIO_LOST,
                           frame->timestamp_ms, pcm, samples);
    }
    if (frame->timestamp_ms <= p->last_ms) { /* nothing is missing after the end */
        place(p, at, pcm, samples);
        if (is_there || rebuilt(p) > before) {
            note_whole(p, at, frame->duration_ms);
        }
    }
}

static void hear_until(path *p, wzp_time until) {
    wzp_jbuf_out frame;
    for (wzp_time due = wzp_jbuf_deadline(p->jbuf); due <= until;
         due = wzp_jbuf_deadline(p->jbuf)) {
        if (!wzp_jbuf_pop(p->jbuf, due, &frame)) {
            return;
        }
        hear(p, &frame, due);
    }
}

/* --- the call --------------------------------------------------------------------------------- */

/* What a packet tells of frames that are missing goes into the jitter buffer as if it had arrived
 * with it. */
static void recover(path *p, const wzp_media_hdr *hdr, wzp_bytes payload, wzp_time now) {
    const wzp_fec_packet packet = {.is_repair = (hdr->flags & WZP_MEDIA_REPAIR) != 0,
                                   .fec_block = hdr->fec_block,
                                   .seq = hdr->seq,
                                   .timestamp_ms = hdr->timestamp_ms,
                                   .payload = payload};
    wzp_fec_frame frame;
    /* Refused are repair packets of blocks that are complete. */
    const wzp_err err = wzp_fec_receiver_add(p->fec_in, &packet, now);
    while (err == WZP_OK && wzp_fec_receiver_next_frame(p->fec_in, &frame)) {
        const wzp_media_hdr found = {.version = WZP_PROTOCOL_VERSION,
                                     .codec_id = hdr->codec_id,
                                     .seq = frame.seq,
                                     .timestamp_ms = frame.timestamp_ms};
        wzp_jbuf_push(p->jbuf, &found, frame.payload, now);
        p->out->rebuilt++;
    }
}

static void arrive(path *p, const wzp_media_hdr *hdr, wzp_bytes payload, wzp_time now) {
    if ((hdr->flags & WZP_MEDIA_REPAIR) == 0) {
        wzp_jbuf_push(p->jbuf, hdr, payload, now);
    }
    if (p->cfg->dred) {
        wzp_audio_dec_arrive(p->dec, hdr->codec_id, hdr->timestamp_ms, payload);
    }
    if (p->fec_in != NULL) {
        recover(p, hdr, payload, now);
    }
}

/* Repair packets leave with the last frame of their block. */
static void send_repairs(path *p, wzp_media_hdr hdr, wzp_time now) {
    wzp_bytes payload;
    hdr.flags = WZP_MEDIA_REPAIR;
    while (wzp_fec_sender_next_repair(p->fec_out, &hdr.fec_block, &payload)) {
        hdr.seq = p->seq++;
        if (!loses(p)) {
            arrive(p, &hdr, payload, now);
        }
    }
}

static wzp_err send_frame(path *p, wzp_bytes frame) {
    const wzp_time now = p->last_ms * WZP_MS + NETWORK_DELAY;
    wzp_media_hdr hdr = {.version = WZP_PROTOCOL_VERSION,
                         .codec_id = p->cfg->codec,
                         .seq = p->seq++,
                         .timestamp_ms = p->last_ms};
    wzp_err err = WZP_OK;
    if (p->fec_out != NULL) {
        err = wzp_fec_sender_push(p->fec_out, frame, false, &hdr.fec_block);
    }
    hear_until(p, now - 1);
    const bool is_lost = p->out->frames++ > 0 && loses(p); /* the first begins the timeline */
    p->out->lost += is_lost ? 1 : 0;
    if (!is_lost) {
        arrive(p, &hdr, frame, now);
    }
    if (p->fec_out != NULL) {
        send_repairs(p, hdr, now);
    }
    return err;
}

static wzp_err say(path *p, const int16_t *pcm, size_t len) {
    uint8_t frame[WZP_AUDIO_PACKET_MAX];
    size_t bytes = 0;
    const size_t step = wzp_audio_enc_samples(p->enc);
    for (size_t at = 0; at + step <= len; at += step) {
        p->last_ms = (uint32_t)(at / 48);
        wzp_err err = wzp_audio_enc_frame(p->enc, pcm + at, step, frame, &bytes);
        err = err == WZP_OK ? send_frame(p, wzp_bytes_of(frame, bytes)) : err;
        if (err != WZP_OK) {
            return err;
        }
    }
    hear_until(p, p->last_ms * WZP_MS + NETWORK_DELAY + TAIL_MS * WZP_MS);
    return WZP_OK;
}

/* What the tuner settles on where loss is all that is wrong. */
static void tune(const path *p) {
    wzp_dred_tuner tuner;
    wzp_dred_setting setting;
    wzp_dred_tuner_init(&tuner, WZP_ADAPT_REFERENCE, p->cfg->codec);
    if (p->cfg->tuned && wzp_dred_tuner_update(&tuner, (float)p->cfg->loss_ppm / 10000,
                                               2 * NETWORK_DELAY / WZP_MS, 0, &setting)) {
        wzp_audio_enc_tune(p->enc, setting.frames, setting.expected_loss_pct);
    }
}

static wzp_err open_fec(path *p) {
    const wzp_fec_policy *policy = wzp_fec_policy_of(p->cfg->codec);
    if (policy == NULL) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    const wzp_fec_sender_cfg out = {.source_count = policy->source_count,
                                    .ratio_percent = policy->ratio_percent};
    const wzp_fec_receiver_cfg in = {.policy = *policy};
    const wzp_err err = wzp_fec_sender_new(&p->fec_out, &out);
    return err == WZP_OK ? wzp_fec_receiver_new(&p->fec_in, &in) : err;
}

/* Without DRED the decoder is not told of packets, and there is nothing to wait for. */
static uint32_t reach(void *ctx, uint8_t codec, wzp_bytes payload) {
    const path *p = ctx;
    return p->cfg->dred ? wzp_audio_dec_reach_ms(p->dec, codec, payload) : 0;
}

static wzp_err open_path(path *p, size_t len) {
    const wzp_audio_enc_cfg enc = {.codec = p->cfg->codec};
    const wzp_audio_dec_cfg dec = {.noise_seed = p->cfg->seed};
    const wzp_jbuf_cfg jbuf = {
        .delay = p->cfg->playout_ms * WZP_MS, .reach = reach, .reach_ctx = p};
    p->heard_len = len;
    p->heard = calloc(len, sizeof *p->heard);
    p->jbuf = wzp_jbuf_new(&jbuf);
    if (p->heard == NULL || p->jbuf == NULL) {
        return WZP_ERR_NOMEM;
    }
    wzp_err err = wzp_audio_enc_new(&p->enc, &enc);
    err = err == WZP_OK ? wzp_audio_dec_new(&p->dec, &dec) : err;
    err = err == WZP_OK && p->cfg->fec ? open_fec(p) : err;
    if (err == WZP_OK) {
        tune(p);
    }
    return err;
}

wzp_err wzp_loss_run(wzp_loss_result *out, const wzp_loss_cfg *cfg, const int16_t *pcm,
                     size_t len) {
    path p = {.cfg = cfg, .began = WZP_TIME_NEVER, .out = out};
    *out = (wzp_loss_result){0};
    wzp_prng_init(&p.prng, cfg->seed, "loss");
    wzp_err err = len > 0 ? open_path(&p, len) : WZP_ERR_INVALID_ARGUMENT;
    err = err == WZP_OK ? say(&p, pcm, len) : err;
    if (err == WZP_OK) {
        out->rebuilt += rebuilt(&p);
        out->concealed = out->frames - p.whole;
        err = wzp_quality_measure(&out->quality, pcm, len, p.heard, len, DELAY_MAX_MS);
    }
    wzp_audio_enc_free(&p.enc);
    wzp_audio_dec_free(&p.dec);
    wzp_jbuf_free(&p.jbuf);
    wzp_fec_sender_free(&p.fec_out);
    wzp_fec_receiver_free(&p.fec_in);
    free(p.heard);
    return err;
}
