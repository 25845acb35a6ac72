#include "wire/media.h"

#include <math.h>

/* Bit i is set when codec id i is assigned: 0..9, 11, 12. */
#define ASSIGNED_CODECS 0x1bffu

static uint32_t load_u32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Hot path: one bounds check, then plain loads. */
wzp_err wzp_media_hdr_parse(wzp_media_hdr *out, wzp_rd *rd) {
    const wzp_bytes raw = wzp_rd_bytes(rd, WZP_MEDIA_HDR_LEN, "MediaHeader");
    if (raw.len != WZP_MEDIA_HDR_LEN) {
        return rd->fail.code;
    }
    const uint8_t *p = raw.data;
    if (p[0] != WZP_PROTOCOL_VERSION) {
        return wzp_rd_reject(rd, WZP_ERR_VERSION, "version", WZP_MEDIA_HDR_LEN, p[0]);
    }
    if (p[2] >= WZP_MEDIA_TYPE_COUNT) {
        return wzp_rd_reject(rd, WZP_ERR_MEDIA_TYPE, "media_type", WZP_MEDIA_HDR_LEN - 2, p[2]);
    }
    if (p[3] >= WZP_CODEC_COUNT || ((ASSIGNED_CODECS >> p[3]) & 1) == 0) {
        return wzp_rd_reject(rd, WZP_ERR_CODEC, "codec_id", WZP_MEDIA_HDR_LEN - 3, p[3]);
    }
    out->version = p[0];
    out->flags = p[1];
    out->media_type = p[2];
    out->codec_id = p[3];
    out->stream_id = p[4];
    out->fec_ratio = p[5];
    out->seq = load_u32(p + 6);
    out->timestamp_ms = load_u32(p + 10);
    out->fec_block = (uint16_t)(p[14] << 8 | p[15]);
    return WZP_OK;
}

void wzp_media_hdr_write(wzp_wr *wr, const wzp_media_hdr *hdr) {
    wzp_wr_u8(wr, hdr->version);
    wzp_wr_u8(wr, hdr->flags);
    wzp_wr_u8(wr, hdr->media_type);
    wzp_wr_u8(wr, hdr->codec_id);
    wzp_wr_u8(wr, hdr->stream_id);
    wzp_wr_u8(wr, hdr->fec_ratio);
    wzp_wr_u32(wr, hdr->seq);
    wzp_wr_u32(wr, hdr->timestamp_ms);
    wzp_wr_u16(wr, hdr->fec_block);
}

wzp_err wzp_quality_report_parse(wzp_quality_report *out, wzp_rd *rd) {
    const wzp_bytes raw = wzp_rd_bytes(rd, WZP_QUALITY_REPORT_LEN, "QualityReport");
    if (raw.len == WZP_QUALITY_REPORT_LEN) {
        *out = (wzp_quality_report){raw.data[0], raw.data[1], raw.data[2], raw.data[3]};
    }
    return rd->fail.code;
}

void wzp_quality_report_write(wzp_wr *wr, const wzp_quality_report *report) {
    wzp_wr_u8(wr, report->loss_pct);
    wzp_wr_u8(wr, report->rtt_4ms);
    wzp_wr_u8(wr, report->jitter_ms);
    wzp_wr_u8(wr, report->bitrate_cap_kbps);
}

wzp_err wzp_media_packet_parse(wzp_media_packet *out, wzp_bytes datagram, wzp_fail *fail) {
    wzp_rd rd;
    wzp_rd_init(&rd, datagram);
    wzp_media_packet packet = {0};
    if (wzp_media_hdr_parse(&packet.hdr, &rd) == WZP_OK) {
        const bool has_report = (packet.hdr.flags & WZP_MEDIA_QUALITY) != 0;
        const size_t trailer = has_report ? WZP_QUALITY_REPORT_LEN : 0;
        if (wzp_rd_left(&rd) < trailer) {
            (void)wzp_rd_reject(&rd, WZP_ERR_QUALITY_TRUNCATED, "QualityReport", 0,
                                wzp_rd_left(&rd));
        } else {
            packet.payload = wzp_rd_bytes(&rd, wzp_rd_left(&rd) - trailer, "payload");
        }
        if (has_report && wzp_quality_report_parse(&packet.report, &rd) != WZP_OK) {
            packet.payload = wzp_bytes_of(NULL, 0);
        }
    }
    if (rd.fail.code == WZP_OK) {
        *out = packet;
    } else if (fail != NULL) {
        *fail = rd.fail;
    }
    return rd.fail.code;
}

void wzp_media_packet_write(wzp_wr *wr, const wzp_media_packet *packet) {
    wzp_media_hdr_write(wr, &packet->hdr);
    wzp_wr_bytes(wr, packet->payload);
    if ((packet->hdr.flags & WZP_MEDIA_QUALITY) != 0) {
        wzp_quality_report_write(wr, &packet->report);
    }
}

static uint8_t clamp_u8(uint32_t value) {
    return value > 255 ? 255 : (uint8_t)value;
}

wzp_quality_report wzp_quality_report_from_path(double loss_percent, uint32_t rtt_ms,
                                                uint32_t jitter_ms) {
    const float raw = (float)loss_percent / 100.0F * 255.0F; /* f32, as deployed */
    const float clamped = raw > 0.0F ? (raw < 255.0F ? raw : 255.0F) : 0.0F;
    return (wzp_quality_report){(uint8_t)clamped, clamp_u8(rtt_ms / 4), clamp_u8(jitter_ms), 200};
}

uint8_t wzp_fec_ratio_encode(double ratio) {
    if (!(ratio > 0)) { /* NaN too */
        return 0;
    }
    const double scaled = round(ratio * 100.0);
    return scaled < 255.0 ? (uint8_t)scaled : 255;
}
