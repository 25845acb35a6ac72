#include "client/listener.h"

#include "media/stretch.h"

void wzp_listener_clear(wzp_listener *l) {
    wzp_jbuf_free(&l->jbuf);
    wzp_audio_dec_free(&l->dec);
    wzp_repair_in_free(&l->repair);
    *l = (wzp_listener){0};
}

/* Only the decoder knows how far back a packet's DRED reaches. */
static uint32_t reach(void *ctx, uint8_t codec, wzp_bytes payload) {
    return wzp_audio_dec_reach_ms(ctx, codec, payload);
}

bool wzp_listener_start(wzp_listener *l, bool coded, uint64_t noise_seed) {
    const wzp_audio_dec_cfg sound = {.noise_seed = noise_seed};
    wzp_listener_clear(l);
    const bool has_sound = coded || wzp_audio_dec_new(&l->dec, &sound) == WZP_OK;
    const wzp_jbuf_cfg jbuf = {
        .stretches = !coded, .reach = coded ? NULL : reach, .reach_ctx = l->dec};
    l->jbuf = has_sound ? wzp_jbuf_new(&jbuf) : NULL;
    if (l->jbuf == NULL) {
        wzp_listener_clear(l);
    }
    return l->jbuf != NULL;
}

/* --- what arrives ----------------------------------------------------------------------------- */

/* The decoder looks ahead: what is lost may be in a packet that waits for its turn. */
static void keep(wzp_listener *l, const wzp_media_packet *packet, wzp_time now) {
    const wzp_media_hdr *hdr = &packet->hdr;
    if (l->dec != NULL) {
        wzp_audio_dec_arrive(l->dec, hdr->codec_id, hdr->timestamp_ms, packet->payload);
    }
    wzp_jbuf_push(l->jbuf, hdr, packet->payload, now);
}

/* Without memory there is no repair, and Codec2 is heard as it comes. */
static bool is_repairable(wzp_listener *l, const wzp_media_packet *packet) {
    if (!wzp_codec_find(packet->hdr.codec_id)->is_codec2) {
        return false;
    }
    return l->repair != NULL || wzp_repair_in_new(&l->repair) == WZP_OK;
}

void wzp_listener_take(wzp_listener *l, const wzp_media_packet *packet, wzp_time now,
                       wzp_listener_counts *counts) {
    wzp_media_packet back;
    const bool is_repair = (packet->hdr.flags & WZP_MEDIA_REPAIR) != 0;
    if (wzp_codec_find(packet->hdr.codec_id)->is_video) {
        l->not_sound++;
        return;
    }
    if (l->jbuf == NULL) {
        return;
    }
    if (!is_repair) {
        keep(l, packet, now);
    }
    if (!is_repairable(l, packet)) {
        l->surplus += is_repair ? 1 : 0;
        return;
    }
    wzp_repair_in_packet(l->repair, packet, now);
    while (wzp_repair_in_next(l->repair, &back)) {
        keep(l, &back, now);
        counts->recovered++;
    }
}

/* --- what is due ------------------------------------------------------------------------------ */

static uint64_t recovered_by(const wzp_audio_dec *dec) {
    wzp_audio_counters counters;
    wzp_audio_dec_count(dec, &counters);
    return counters.opus.dred_reconstructions + counters.opus.inband_fec;
}

/* The sender's clock and the network's jitter are followed by whole periods of the voice. */
static void stretch(wzp_listener *l, const wzp_jbuf_out *frame, wzp_listener_out *out,
                    int16_t *pcm) {
    const wzp_stretch_need need = frame->is_urgent ? WZP_STRETCH_ANYHOW : WZP_STRETCH_UNHEARD;
    int64_t by = 0;
    if (frame->lean == WZP_JBUF_SHORTER) {
        by = -(int64_t)wzp_stretch_shorten(pcm, out->samples, need);
    } else if (frame->lean == WZP_JBUF_LONGER &&
               out->samples + WZP_STRETCH_MOST <= WZP_AUDIO_FRAME_MAX) {
        by = (int64_t)wzp_stretch_lengthen(pcm, out->samples, need);
    }
    if (by != 0) {
        out->samples = (size_t)((int64_t)out->samples + by);
        wzp_jbuf_stretched(l->jbuf, by * (int64_t)WZP_S / WZP_AUDIO_RATE_HZ);
    }
}

/* Fills `out` with the sound of a frame, or of its concealment. */
static void decode(wzp_listener *l, const wzp_jbuf_out *frame, int16_t *pcm, wzp_listener_out *out,
                   wzp_listener_counts *counts) {
    out->pcm = pcm;
    if (frame->kind == WZP_JBUF_PAUSE) {
        wzp_audio_dec_fill(l->dec, WZP_AUDIO_PAUSE, frame->timestamp_ms, pcm, out->samples);
        return;
    }
    if (frame->kind == WZP_JBUF_FRAME &&
        wzp_audio_dec_play(l->dec, frame->codec_id, frame->payload, pcm, WZP_AUDIO_FRAME_MAX,
                           &out->samples) == WZP_OK) {
        counts->played++;
        stretch(l, frame, out, pcm);
        return;
    }
    const uint64_t before = recovered_by(l->dec);
    wzp_audio_dec_fill(l->dec, frame->is_added ? WZP_AUDIO_ADDED : WZP_AUDIO_LOST,
                       frame->timestamp_ms, pcm, out->samples);
    out->kind = WZP_JBUF_CONCEAL;
    if (recovered_by(l->dec) > before) {
        counts->recovered++;
    } else {
        counts->concealed++;
    }
}

/* After comfort noise nothing is missing where nothing comes: more noise belongs there. */
static void classify(wzp_listener *l, wzp_jbuf_out *frame) {
    if (frame->kind == WZP_JBUF_FRAME) {
        l->in_noise = frame->codec_id == WZP_CODEC_COMFORT_NOISE;
    } else if (frame->kind == WZP_JBUF_CONCEAL && l->in_noise) {
        frame->kind = WZP_JBUF_PAUSE;
    }
}

/* A pause that has a sound, and is short enough for the buffer; longer ones are quiet. */
static bool goes_on(const wzp_listener *l, const wzp_listener_out *out) {
    return l->in_noise && out->samples <= WZP_AUDIO_FRAME_MAX;
}

bool wzp_listener_next(wzp_listener *l, wzp_time now, int16_t pcm[WZP_AUDIO_FRAME_MAX],
                       wzp_listener_out *out, wzp_listener_counts *counts) {
    wzp_jbuf_out frame;
    while (l->jbuf != NULL && wzp_jbuf_pop(l->jbuf, now, &frame)) {
        classify(l, &frame);
        *out =
            (wzp_listener_out){.kind = frame.kind,
                               .at_sample = l->played,
                               .samples = (size_t)frame.duration_ms * (WZP_AUDIO_RATE_HZ / 1000)};
        if (l->dec == NULL) {
            l->played += out->samples;
            out->payload = frame.payload;
            counts->played += frame.kind == WZP_JBUF_FRAME ? 1 : 0;
            counts->concealed += frame.kind == WZP_JBUF_CONCEAL ? 1 : 0;
            return true;
        }
        if (frame.kind != WZP_JBUF_PAUSE || goes_on(l, out)) {
            decode(l, &frame, pcm, out, counts);
            l->played += out->samples;
            return true;
        }
        l->played += out->samples;
    }
    return false;
}

void wzp_listener_add_refused(const wzp_listener *l, wzp_listener_refused *sum) {
    sum->not_sound += l->not_sound;
    sum->surplus += l->surplus;
    if (l->jbuf != NULL) {
        wzp_jbuf_stats jbuf;
        wzp_jbuf_count(l->jbuf, &jbuf);
        sum->too_long += jbuf.too_long;
        sum->duplicate += jbuf.duplicate;
        sum->late += jbuf.late;
        sum->overrun += jbuf.overrun;
    }
    if (l->repair != NULL) {
        wzp_fec_receiver_stats repair;
        wzp_repair_in_count(l->repair, &repair);
        sum->repair += repair.refused + repair.invalid;
    }
    if (l->dec != NULL) {
        wzp_audio_counters sound;
        wzp_audio_dec_count(l->dec, &sound);
        sum->undecodable += sound.refused;
    }
}

wzp_time wzp_listener_deadline(const wzp_listener *l) {
    return l->jbuf != NULL ? wzp_jbuf_deadline(l->jbuf) : WZP_TIME_NEVER;
}
