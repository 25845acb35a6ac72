#include "video/slices.h"

#define AROUND (WZP_MEDIA_HDR_LEN + 16 + 8) /* header, tag, room hash */

size_t wzp_video_slice_len(size_t datagram_max) {
    const size_t left = datagram_max > AROUND ? datagram_max - AROUND : 0;
    return left < WZP_VIDEO_SLICE_MAX ? left : WZP_VIDEO_SLICE_MAX;
}

static void write_prefix(wzp_video_slices *slices) {
    const wzp_video_frame_cfg *cfg = &slices->cfg;
    if (!cfg->has_prefix || cfg->frame.len == 0) {
        return;
    }
    wzp_wr wr;
    wzp_wr_init(&wr, slices->prefix, sizeof slices->prefix);
    wzp_wr_str(&wr, "WZV1");
    wzp_wr_u16(&wr, cfg->width);
    wzp_wr_u16(&wr, cfg->height);
    slices->prefix_len = wzp_wr_len(&wr);
}

wzp_err wzp_video_slices_init(wzp_video_slices *slices, const wzp_video_frame_cfg *cfg) {
    const wzp_codec_info *info = wzp_codec_find(cfg->codec);
    if (info == NULL || !info->is_video) {
        return WZP_ERR_CODEC;
    }
    *slices = (wzp_video_slices){.cfg = *cfg};
    if (cfg->slice_len == 0) {
        slices->cfg.slice_len = WZP_VIDEO_SLICE_MAX;
    }
    write_prefix(slices);
    const size_t slice_len = slices->cfg.slice_len;
    if (slice_len > WZP_VIDEO_SLICE_MAX || slice_len <= slices->prefix_len) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    const size_t whole = slices->prefix_len + cfg->frame.len;
    if (whole > slice_len * WZP_VIDEO_SLICES_MAX) {
        return WZP_ERR_TOO_LARGE;
    }
    slices->count = (uint8_t)((whole + slice_len - 1) / slice_len);
    return WZP_OK;
}

/* The first slice begins with the prefix and is copied together; all others lie in the frame. */
static wzp_bytes payload_of(wzp_video_slices *slices, size_t len) {
    const wzp_bytes frame = slices->cfg.frame;
    if (slices->at >= slices->prefix_len) {
        return wzp_bytes_of(frame.data + slices->at - slices->prefix_len, len);
    }
    memcpy(slices->first, slices->prefix, slices->prefix_len);
    memcpy(slices->first + slices->prefix_len, frame.data, len - slices->prefix_len);
    return wzp_bytes_of(slices->first, len);
}

bool wzp_video_slices_next(wzp_video_slices *slices, uint32_t *next_seq, wzp_media_packet *out) {
    if (slices->index == slices->count) {
        return false;
    }
    const wzp_video_frame_cfg *cfg = &slices->cfg;
    const size_t left = slices->prefix_len + cfg->frame.len - slices->at;
    const size_t len = left < cfg->slice_len ? left : cfg->slice_len;
    const bool is_last = slices->index + 1 == slices->count;
    *out = (wzp_media_packet){
        .hdr =
            {
                .version = WZP_PROTOCOL_VERSION,
                .flags = (uint8_t)((cfg->is_key ? WZP_MEDIA_KEYFRAME : 0) |
                                   (is_last ? WZP_MEDIA_FRAME_END : 0)),
                .media_type = WZP_MEDIA_VIDEO,
                .codec_id = cfg->codec,
                .stream_id = cfg->stream_id,
                .seq = (*next_seq)++,
                .timestamp_ms = cfg->timestamp_ms,
                .fec_block = (uint16_t)(slices->index << 8 | slices->count),
            },
        .payload = payload_of(slices, len),
    };
    slices->index++;
    slices->at += len;
    return true;
}
