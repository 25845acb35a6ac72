#include "tools/quality/loss.h"

#include <stdlib.h>
#include <string.h>

#include "adapt/dred_tuner.h"
#include "base/rng.h"
#include "media/audio.h"
#include "media/jbuf.h"
#include "tools/quality/loss_fec.h"

enum { MILLION = 1000000, DELAY_MAX_MS = 500, TAIL_MS = 2000 };

#define NETWORK_DELAY (50 * WZP_MS)

typedef struct path {
    const wzp_loss_cfg *cfg;
    wzp_audio_enc *enc;
    wzp_audio_dec *dec;
    wzp_jbuf *jbuf;
    wzp_loss_fec *fec; /* NULL: none */
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

/* Repair packets leave with the last frame of their block; what they give back goes into the jitter
 * buffer as if it had arrived with them. */
static wzp_err protect(path *p, const wzp_media_hdr *hdr, wzp_bytes frame, bool arrives,
                       wzp_time now) {
    wzp_media_hdr found;
    wzp_bytes payload;
    wzp_err err = wzp_loss_fec_frame(p->fec, hdr, frame, arrives);
    for (size_t i = 0; err == WZP_OK && i < wzp_loss_fec_repairs(p->fec); i++) {
        err = loses(p) ? WZP_OK : wzp_loss_fec_repair(p->fec, i);
    }
    while (err == WZP_OK && wzp_loss_fec_next(p->fec, &found, &payload)) {
        wzp_jbuf_push(p->jbuf, &found, payload, now);
        p->out->rebuilt++;
    }
    return err;
}

static void arrive(path *p, const wzp_media_hdr *hdr, wzp_bytes packet, wzp_time now) {
    wzp_jbuf_push(p->jbuf, hdr, packet, now);
    if (p->cfg->dred) {
        wzp_audio_dec_arrive(p->dec, hdr->codec_id, hdr->timestamp_ms, packet);
    }
}

static wzp_err send_packet(path *p, const wzp_media_hdr *hdr, wzp_bytes packet) {
    const wzp_time now = hdr->timestamp_ms * WZP_MS + NETWORK_DELAY;
    hear_until(p, now - 1);
    const bool is_lost = p->out->frames++ > 0 && loses(p); /* the first begins the timeline */
    p->out->lost += is_lost ? 1 : 0;
    if (!is_lost) {
        arrive(p, hdr, packet, now);
    }
    return p->fec != NULL ? protect(p, hdr, packet, !is_lost, now) : WZP_OK;
}

static wzp_err say(path *p, const int16_t *pcm, size_t len) {
    uint8_t packet[WZP_AUDIO_PACKET_MAX];
    size_t bytes = 0;
    const size_t step = wzp_audio_enc_samples(p->enc);
    wzp_media_hdr hdr = {.version = WZP_PROTOCOL_VERSION, .codec_id = p->cfg->codec};
    for (size_t at = 0; at + step <= len; at += step, hdr.seq++) {
        hdr.timestamp_ms = p->last_ms = (uint32_t)(at / 48);
        wzp_err err = wzp_audio_enc_frame(p->enc, pcm + at, step, packet, &bytes);
        err = err == WZP_OK ? send_packet(p, &hdr, wzp_bytes_of(packet, bytes)) : err;
        if (err != WZP_OK) {
            return err;
        }
    }
    hear_until(p, hdr.timestamp_ms * WZP_MS + NETWORK_DELAY + TAIL_MS * WZP_MS);
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

static wzp_err open_path(path *p, size_t len) {
    const wzp_audio_enc_cfg enc = {.codec = p->cfg->codec};
    const wzp_audio_dec_cfg dec = {.noise_seed = p->cfg->seed};
    const wzp_jbuf_cfg jbuf = {.delay = p->cfg->playout_ms * WZP_MS};
    p->heard_len = len;
    p->heard = calloc(len, sizeof *p->heard);
    p->jbuf = wzp_jbuf_new(&jbuf);
    if (p->heard == NULL || p->jbuf == NULL) {
        return WZP_ERR_NOMEM;
    }
    wzp_err err = wzp_audio_enc_new(&p->enc, &enc);
    err = err == WZP_OK ? wzp_audio_dec_new(&p->dec, &dec) : err;
    err = err == WZP_OK && p->cfg->fec ? wzp_loss_fec_new(&p->fec, p->cfg->codec) : err;
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
    wzp_loss_fec_free(&p.fec);
    free(p.heard);
    return err;
}
