#include "media/emodel.h"

#include "tools/pcap/flow/stream.h"

enum { BUFFER_MS = 60 };

static double delay_of(const wzp_pcap_stream *s, double jitter_ms) {
    const wzp_codec_info *codec = wzp_codec_find(s->codec);
    const double frame_ms = codec != NULL ? codec->frame_ms : 20;
    return s->report_rtt_ms.mean / 2 + frame_ms + BUFFER_MS + 2 * jitter_ms;
}

/* What of the losses is left after forward error correction; parts of one. */
static double unrecovered(const wzp_pcap_stream *s) {
    const wzp_pcap_blocks *b = &s->blocks;
    return b->frames_lost_before > 0 ? (double)b->frames_lost_after / (double)b->frames_lost_before
                                     : 1;
}

bool wzp_pcap_stream_mos(const wzp_pcap_stream *s, wzp_pcap_mos *out) {
    wzp_pcap_loss_figures f;
    if (s->key.media_type != WZP_MEDIA_AUDIO || !s->has_codec || s->loss.unique == 0) {
        return false;
    }
    wzp_pcap_loss_sum(&s->loss, &f);
    const double late = (double)s->loss.too_late * 100 / (double)f.expected;
    *out = (wzp_pcap_mos){.delay_ms = delay_of(s, s->timing.jitter_ms.mean),
                          .burst_ratio = f.burst_ratio};
    /* Codec2's frames are what its blocks say, for repair packets are lost as well. */
    out->loss_percent = s->blocks.frames > 0
                            ? (double)s->blocks.frames_lost_after * 100 / (double)s->blocks.frames
                            : f.lost_percent + late;
    const wzp_emodel_path path = {out->delay_ms, out->loss_percent, out->burst_ratio};
    out->rating = wzp_emodel_rating(wzp_emodel_codec_of(s->codec), &path);
    out->mos = wzp_emodel_mos(out->rating);
    return true;
}

double wzp_pcap_row_mos(const wzp_pcap_stream *s, const wzp_pcap_row *row) {
    const double all = (double)row->packets + row->lost;
    if (s->key.media_type != WZP_MEDIA_AUDIO || !s->has_codec || all <= 0) {
        return -1;
    }
    const double jitter = row->clocked > 0 ? row->jitter_sum_ms / row->clocked : 0;
    const wzp_emodel_path path = {delay_of(s, jitter),
                                  (double)row->lost * 100 / all * unrecovered(s), 1};
    const uint8_t codec = row->has_codec ? row->codec : s->codec;
    return wzp_emodel_mos(wzp_emodel_rating(wzp_emodel_codec_of(codec), &path));
}
