#include "wire/compact.h"

wzp_err wzp_mini_hdr_parse(wzp_mini_hdr *out, wzp_rd *rd) {
    wzp_mini_hdr mini = {0};
    mini.seq_delta = wzp_rd_u8(rd, "seq_delta");
    mini.timestamp_delta_ms = wzp_rd_u16(rd, "timestamp_delta_ms");
    mini.payload_len = wzp_rd_u16(rd, "payload_len");
    if (rd->fail.code == WZP_OK) {
        *out = mini;
    }
    return rd->fail.code;
}

void wzp_mini_hdr_write(wzp_wr *wr, const wzp_mini_hdr *mini) {
    wzp_wr_u8(wr, mini->seq_delta);
    wzp_wr_u16(wr, mini->timestamp_delta_ms);
    wzp_wr_u16(wr, mini->payload_len);
}

static void decode_mini(const wzp_compact *context, wzp_rd *rd, wzp_media_packet *out) {
    wzp_mini_hdr mini;
    if (wzp_mini_hdr_parse(&mini, rd) != WZP_OK) {
        return;
    }
    if (mini.payload_len > wzp_rd_left(rd)) {
        (void)wzp_rd_reject(rd, WZP_ERR_MINI_LENGTH, "payload_len", 2, mini.payload_len);
        return;
    }
    if (!context->has_baseline) {
        (void)wzp_rd_reject(rd, WZP_ERR_NO_BASELINE, "frame type", wzp_rd_offset(rd),
                            WZP_COMPACT_MINI);
        return;
    }
    out->hdr = context->last;
    out->hdr.seq += mini.seq_delta;
    out->hdr.timestamp_ms += mini.timestamp_delta_ms;
    out->payload = wzp_rd_bytes(rd, mini.payload_len, "payload");
}

wzp_err wzp_compact_decode(wzp_compact *context, wzp_bytes frame, wzp_media_packet *out,
                           wzp_fail *fail) {
    wzp_rd rd;
    wzp_rd_init(&rd, frame);
    wzp_media_packet packet = {0};
    const uint8_t tag = wzp_rd_u8(&rd, "frame type");
    if (rd.fail.code == WZP_OK && tag == WZP_COMPACT_FULL) {
        wzp_fail inner = {0};
        const wzp_err err = wzp_media_packet_parse(&packet, wzp_rd_rest(&rd), &inner);
        if (err != WZP_OK) {
            rd.fail = inner;
            rd.fail.offset += 1; /* the tag stands before the packet */
        }
    } else if (rd.fail.code == WZP_OK && tag == WZP_COMPACT_MINI) {
        decode_mini(context, &rd, &packet);
    } else if (rd.fail.code == WZP_OK) {
        (void)wzp_rd_reject(&rd, WZP_ERR_FRAME_TYPE, "frame type", 1, tag);
    }
    if (rd.fail.code != WZP_OK) {
        if (fail != NULL) {
            *fail = rd.fail;
        }
        return rd.fail.code;
    }
    context->has_baseline = true;
    context->last = packet.hdr;
    *out = packet;
    return WZP_OK;
}

/* True if a MINI after `last` expands to exactly `hdr`. */
static bool fits_mini(const wzp_compact *context, const wzp_media_packet *packet) {
    const wzp_media_hdr *last = &context->last;
    const wzp_media_hdr *hdr = &packet->hdr;
    const uint8_t never = WZP_MEDIA_QUALITY | WZP_MEDIA_REPAIR;
    return context->has_baseline && context->since_full < WZP_COMPACT_FULL_EVERY &&
           hdr->media_type == WZP_MEDIA_AUDIO && (hdr->flags & never) == 0 &&
           hdr->version == last->version && hdr->flags == last->flags &&
           hdr->media_type == last->media_type && hdr->codec_id == last->codec_id &&
           hdr->stream_id == last->stream_id && hdr->fec_ratio == last->fec_ratio &&
           hdr->fec_block == last->fec_block && hdr->seq - last->seq <= UINT8_MAX &&
           hdr->timestamp_ms - last->timestamp_ms <= UINT16_MAX &&
           packet->payload.len <= UINT16_MAX;
}

void wzp_compact_encode(wzp_compact *context, const wzp_media_packet *packet, wzp_wr *wr) {
    const bool mini_fits = fits_mini(context, packet);
    if (mini_fits) {
        const wzp_mini_hdr mini = {
            (uint8_t)(packet->hdr.seq - context->last.seq),
            (uint16_t)(packet->hdr.timestamp_ms - context->last.timestamp_ms),
            (uint16_t)packet->payload.len};
        wzp_wr_u8(wr, WZP_COMPACT_MINI);
        wzp_mini_hdr_write(wr, &mini);
        wzp_wr_bytes(wr, packet->payload);
    } else {
        wzp_wr_u8(wr, WZP_COMPACT_FULL);
        wzp_media_packet_write(wr, packet);
    }
    if (!wr->overflow) { /* a frame that cannot be sent is no baseline */
        context->since_full = mini_fits ? context->since_full + 1 : 1;
        context->has_baseline = true;
        context->last = packet->hdr;
    }
}
