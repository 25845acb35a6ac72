#include "tools/pcap/flow/stream.h"

#include "tools/pcap/flow/watch.h"

void wzp_pcap_stream_init(wzp_pcap_stream *s, const wzp_pcap_key *key, uint64_t interval_ns) {
    *s = (wzp_pcap_stream){.key = *key, .report_stride = 1};
    s->blocks.codec = WZP_CODEC_COMFORT_NOISE; /* any that is not protected */
    wzp_pcap_rows_init(&s->rows, interval_ns);
}

void wzp_pcap_stream_clear(wzp_pcap_stream *s) {
    wzp_pcap_rows_clear(&s->rows);
    wzp_pcap_blocks_clear(&s->blocks);
}

/* --- what a packet is ------------------------------------------------------------------------- */

static bool is_repair(const wzp_media_hdr *hdr) {
    return (hdr->flags & WZP_MEDIA_REPAIR) != 0;
}

static uint16_t frame_ms_of(uint8_t codec) {
    const wzp_codec_info *info = wzp_codec_find(codec);
    return info != NULL ? info->frame_ms : 20;
}

static void note_seal(wzp_pcap_stream *s, const wzp_pcap_media *media) {
    s->seals.nonces_again += media->nonce_again ? 1 : 0;
    s->seals.reports_inside += media->report_inside ? 1 : 0;
    switch (media->seal) {
    case WZP_PCAP_SEAL_NO_KEY:
        s->seals.no_key++;
        break;
    case WZP_PCAP_SEAL_OPENED:
        s->seals.opened++;
        break;
    case WZP_PCAP_SEAL_FAILED:
        s->seals.failed++;
        break;
    case WZP_PCAP_SEAL_NONE:
        s->seals.none++;
        break;
    }
}

static void note_codec(wzp_pcap_stream *s, const wzp_pcap_message *m, wzp_pcap_row *row) {
    const uint8_t codec = m->media->packet.hdr.codec_id;
    s->codecs |= (uint16_t)(1U << codec);
    if (codec == WZP_CODEC_COMFORT_NOISE) {
        s->noise++;
        return;
    }
    if (s->has_codec && codec != s->codec) {
        if (s->switches < WZP_PCAP_SWITCHES_MAX) {
            s->switch_list[s->switches] =
                (wzp_pcap_switch){m->packet_number, m->time_ns, s->codec, codec};
        }
        s->switches++;
    }
    s->has_codec = true;
    s->codec = codec;
    if (row != NULL) {
        row->has_codec = true;
        row->codec = codec;
    }
}

/* Discontinuous transmission: Opus says that nothing is to be heard in one or two bytes. */
static void note_size(wzp_pcap_stream *s, const wzp_pcap_media *media) {
    enum { DTX_MAX = 2, TAG = 16 };
    const wzp_media_hdr *hdr = &media->packet.hdr;
    const wzp_codec_info *codec = wzp_codec_find(hdr->codec_id);
    const size_t payload = media->packet.payload.len;
    const double wire = (double)(WZP_MEDIA_HDR_LEN + payload);
    const size_t voice = media->seal == WZP_PCAP_SEAL_OPENED || media->seal == WZP_PCAP_SEAL_NONE
                             ? media->plain.len
                         : payload > TAG ? payload - TAG
                                         : payload;
    s->sizes[wzp_pcap_bound(wzp_pcap_size_bounds, WZP_PCAP_SIZE_BOUNDS, wire)]++;
    wzp_pcap_spread_add(&s->size, wire);
    s->repairs += is_repair(hdr) ? 1 : 0;
    s->dtx += codec != NULL && codec->is_opus && voice <= DTX_MAX ? 1 : 0;
}

/* --- when it came ----------------------------------------------------------------------------- */

/* What the sender did not send because it was silent: time that went by between neighbours. */
static void note_silence(wzp_pcap_stream *s, const wzp_media_hdr *hdr,
                         const wzp_pcap_place *place) {
    const int32_t step = (int32_t)(hdr->timestamp_ms - s->newest_ts);
    const uint16_t frame = frame_ms_of(s->has_codec ? s->codec : hdr->codec_id);
    const bool follows = place->kind == WZP_PCAP_ARRIVAL_NEXT && place->missing == 0;
    if (s->key.media_type == WZP_MEDIA_AUDIO && s->loss.unique > 1 && follows && step > frame &&
        step <= 1000) {
        s->silence_ms += (uint64_t)(step - frame);
    }
    s->sample_steps += follows && frame > 0 && step == frame * 48 ? 1 : 0;
}

static void note_pause(wzp_pcap_stream *s, const wzp_pcap_tick *tick, uint16_t frame_ms) {
    const double pause = 3.0 * frame_ms;
    if (tick->delta_ms < pause || (tick->step_ms > 0 && (double)tick->step_ms >= pause &&
                                   tick->delta_ms < (double)tick->step_ms + pause)) {
        return; /* the sender made none meanwhile */
    }
    const uint64_t ns = (uint64_t)(tick->delta_ms * 1e6);
    s->pauses++;
    s->pause_max_ns = ns > s->pause_max_ns ? ns : s->pause_max_ns;
}

static bool is_timed(const wzp_pcap_stream *s, const wzp_media_hdr *hdr, uint64_t ns) {
    const bool same_frame = s->timing.clocked && hdr->timestamp_ms == s->timing.raw_ts;
    return ns != 0 && !is_repair(hdr) && !(hdr->media_type == WZP_MEDIA_VIDEO && same_frame);
}

static void note_time(wzp_pcap_stream *s, const wzp_pcap_message *m, const wzp_pcap_place *place,
                      wzp_pcap_row *row, wzp_pcap_findings *findings) {
    const wzp_media_hdr *hdr = &m->media->packet.hdr;
    const uint16_t frame_ms = frame_ms_of(hdr->codec_id);
    if (place->kind == WZP_PCAP_ARRIVAL_RESET) {
        wzp_pcap_timing_break(&s->timing);
    }
    const wzp_pcap_tick tick = wzp_pcap_timing_take(&s->timing, m->time_ns, hdr->timestamp_ms,
                                                    frame_ms, is_timed(s, hdr, m->time_ns));
    note_silence(s, hdr, place);
    note_pause(s, &tick, frame_ms);
    wzp_pcap_watch_delay(s, m, place, &tick, findings);
    if (row == NULL) {
        return;
    }
    row->delta_max_ms =
        (float)tick.delta_ms > row->delta_max_ms ? (float)tick.delta_ms : row->delta_max_ms;
    if (tick.clocked) {
        const float jitter = (float)s->timing.jitter_now_ms;
        row->clocked++;
        row->jitter_sum_ms += s->timing.jitter_now_ms;
        row->jitter_max_ms = jitter > row->jitter_max_ms ? jitter : row->jitter_max_ms;
    }
}

/* --- what was lost ---------------------------------------------------------------------------- */

static void forgive_row(wzp_pcap_stream *s, uint64_t skipped_ns) {
    wzp_pcap_row *row = wzp_pcap_rows_at(&s->rows, skipped_ns);
    if (row != NULL && row->lost > 0) {
        row->lost--;
    }
}

static void note_place(wzp_pcap_stream *s, const wzp_pcap_message *m, const wzp_pcap_place *place) {
    const wzp_media_hdr *hdr = &m->media->packet.hdr;
    if (place->kind == WZP_PCAP_ARRIVAL_REORDERED) {
        forgive_row(s, place->skipped_ns);
    }
    wzp_pcap_row *row = wzp_pcap_rows_at(&s->rows, m->time_ns);
    if (row != NULL) {
        row->packets++;
        row->bytes += m->media->bytes.len;
        row->lost += place->kind == WZP_PCAP_ARRIVAL_NEXT ? place->missing : 0;
        row->reordered += place->kind == WZP_PCAP_ARRIVAL_REORDERED ? 1 : 0;
        row->duplicates +=
            place->kind == WZP_PCAP_ARRIVAL_DUPLICATE || place->kind == WZP_PCAP_ARRIVAL_OTHER ? 1
                                                                                               : 0;
        row->keyframes +=
            (hdr->flags & WZP_MEDIA_KEYFRAME) != 0 && (hdr->flags & WZP_MEDIA_FRAME_END) != 0 ? 1
                                                                                              : 0;
    }
}

/* --- requests --------------------------------------------------------------------------------- */

void wzp_pcap_stream_pli(wzp_pcap_stream *s, uint64_t packet, uint64_t ns) {
    s->asks.plis++;
    if (s->asks.pli_ns == 0) {
        s->asks.pli_ns = ns;
        s->asks.pli_packet = packet;
        s->asks.pli_told = false;
    }
}

void wzp_pcap_stream_nack(wzp_pcap_stream *s, uint32_t seq, uint64_t ns) {
    wzp_pcap_nack *place = &s->asks.waiting[0];
    for (size_t i = 0; i < WZP_PCAP_NACKS; i++) {
        wzp_pcap_nack *n = &s->asks.waiting[i];
        if (n->used && n->seq == seq) {
            return; /* asked again: the first time counts */
        }
        place = !n->used || (place->used && n->ns < place->ns) ? n : place;
    }
    s->asks.nacked++;
    s->asks.nacks_forgotten += place->used ? 1 : 0;
    *place = (wzp_pcap_nack){.ns = ns, .seq = seq, .used = true};
}

static void answer(wzp_pcap_stream *s, const wzp_media_hdr *hdr, uint64_t ns) {
    if (s->asks.pli_ns != 0 && (hdr->flags & WZP_MEDIA_KEYFRAME) != 0) {
        s->asks.plis_answered++;
        wzp_pcap_spread_add(&s->asks.pli_ms, (double)wzp_time_since(ns, s->asks.pli_ns) / 1e6);
        s->asks.pli_ns = 0;
    }
    for (size_t i = 0; s->asks.nacked > s->asks.nacks_answered && i < WZP_PCAP_NACKS; i++) {
        wzp_pcap_nack *n = &s->asks.waiting[i];
        if (n->used && n->seq == hdr->seq) {
            s->asks.nacks_answered++;
            wzp_pcap_spread_add(&s->asks.nack_ms, (double)wzp_time_since(ns, n->ns) / 1e6);
            n->used = false;
        }
    }
}

/* --- a packet --------------------------------------------------------------------------------- */

static void note_edges(wzp_pcap_stream *s, const wzp_pcap_message *m) {
    if (s->packets++ == 0) {
        s->first_packet = m->packet_number;
        s->first_ns = m->time_ns;
    }
    s->last_packet = m->packet_number;
    s->last_ns = m->time_ns > s->last_ns ? m->time_ns : s->last_ns;
    s->bytes += m->media->bytes.len;
    s->src = m->src != NULL ? *m->src : (wzp_addr){0};
    s->dst = m->dst != NULL ? *m->dst : (wzp_addr){0};
}

static void note_video(wzp_pcap_stream *s, const wzp_pcap_message *m, wzp_pcap_row *row,
                       wzp_pcap_findings *findings) {
    const wzp_media_packet *p = &m->media->packet;
    const wzp_pcap_frame_news news =
        wzp_pcap_frames_take(&s->frames, &p->hdr, p->payload.len, m->time_ns);
    if (row != NULL && news.complete) {
        row->frames++;
    }
    wzp_pcap_watch_freeze(s, m, &news, findings);
}

static void note_repair(wzp_pcap_stream *s, const wzp_pcap_message *m, wzp_pcap_row *row) {
    const wzp_media_hdr *hdr = &m->media->packet.hdr;
    const bool clear =
        m->media->seal == WZP_PCAP_SEAL_OPENED || m->media->seal == WZP_PCAP_SEAL_NONE;
    const wzp_bytes plain = clear ? m->media->plain : (wzp_bytes){NULL, 0};
    const unsigned frames = wzp_pcap_blocks_take(&s->blocks, hdr, plain, m->time_ns);
    if (row != NULL) {
        row->recovered += frames;
    }
}

static void note_content(wzp_pcap_stream *s, const wzp_pcap_message *m, const wzp_pcap_place *place,
                         wzp_pcap_row *row, wzp_pcap_findings *findings) {
    const wzp_media_hdr *hdr = &m->media->packet.hdr;
    note_size(s, m->media);
    answer(s, hdr, m->time_ns);
    note_time(s, m, place, row, findings);
    if (hdr->media_type == WZP_MEDIA_VIDEO) {
        note_video(s, m, row, findings);
    } else if (hdr->media_type == WZP_MEDIA_AUDIO) {
        note_repair(s, m, row);
    }
    if ((hdr->flags & WZP_MEDIA_QUALITY) != 0) {
        wzp_pcap_watch_report(s, m, row, findings);
    }
    if (place->kind == WZP_PCAP_ARRIVAL_NEXT || place->kind == WZP_PCAP_ARRIVAL_RESET) {
        s->newest_ns = m->time_ns;
        s->newest_ts = hdr->timestamp_ms;
        s->newest_seq = hdr->seq;
    }
}

void wzp_pcap_stream_take(wzp_pcap_stream *s, const wzp_pcap_message *m, uint32_t digest,
                          wzp_pcap_findings *findings) {
    const wzp_media_hdr *hdr = &m->media->packet.hdr;
    note_edges(s, m);
    note_seal(s, m->media);
    const wzp_pcap_place place = wzp_pcap_loss_take(&s->loss, hdr->seq, digest, m->time_ns);
    note_place(s, m, &place);
    wzp_pcap_row *row = wzp_pcap_rows_at(&s->rows, m->time_ns);
    note_codec(s, m, row);
    wzp_pcap_watch_place(s, m, &place, findings);
    if (place.kind != WZP_PCAP_ARRIVAL_DUPLICATE && place.kind != WZP_PCAP_ARRIVAL_OTHER &&
        place.kind != WZP_PCAP_ARRIVAL_STRAY) {
        note_content(s, m, &place, row, findings);
    }
}

void wzp_pcap_stream_end(wzp_pcap_stream *s, wzp_pcap_findings *findings) {
    wzp_pcap_blocks_end(&s->blocks);
    wzp_pcap_frames_end(&s->frames);
    wzp_pcap_watch_end(s, findings);
}
