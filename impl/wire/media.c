#include "wire/media.h"

#include <math.h>

/* Bit i is set when codec id i is assigned: 0..9, 11, 12. */
#define ASSIGNED_CODECS 0x1bffu

static uint32_t load_u32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Offsets of the fields that are checked (wire sheet 5.2). */
enum { AT_VERSION = 0, AT_MEDIA_TYPE = 2, AT_CODEC = 3 };

/* The first check that fails decides. */
static wzp_err check_hdr(const uint8_t *p) {
    if (p[AT_VERSION] != WZP_PROTOCOL_VERSION) {
        return WZP_ERR_VERSION;
    }
    if (p[AT_MEDIA_TYPE] >= WZP_MEDIA_TYPE_COUNT) {
        return WZP_ERR_MEDIA_TYPE;
    }
    if (p[AT_CODEC] >= WZP_CODEC_COUNT || ((ASSIGNED_CODECS >> p[AT_CODEC]) & 1) == 0) {
        return WZP_ERR_CODEC;
    }
    return WZP_OK;
}

/* What check_hdr did not like. */
static wzp_fail explain(wzp_err err, const uint8_t *p) {
    const size_t at = err == WZP_ERR_VERSION      ? AT_VERSION
                      : err == WZP_ERR_MEDIA_TYPE ? AT_MEDIA_TYPE
                                                  : AT_CODEC;
    static const char *const names[] = {
        [AT_VERSION] = "version", [AT_MEDIA_TYPE] = "media_type", [AT_CODEC] = "codec_id"};
    return (wzp_fail){err, names[at], at, p[at]};
}

static void load_hdr(wzp_media_hdr *out, const uint8_t *p) {
    out->version = p[0];
    out->flags = p[1];
    out->media_type = p[2];
    out->codec_id = p[3];
    out->stream_id = p[4];
    out->fec_ratio = p[5];
    out->seq = load_u32(p + 6);
    out->timestamp_ms = load_u32(p + 10);
    out->fec_block = (uint16_t)(p[14] << 8 | p[15]);
}

/* Hot path, as is wzp_media_packet_parse: one bounds check, then plain loads. */
wzp_err wzp_media_hdr_parse(wzp_media_hdr *out, wzp_rd *rd) {
    const wzp_bytes raw = wzp_rd_bytes(rd, WZP_MEDIA_HDR_LEN, "MediaHeader");
    if (raw.len != WZP_MEDIA_HDR_LEN) {
        return rd->fail.code;
    }
    const wzp_err err = check_hdr(raw.data);
    if (err != WZP_OK) {
        const wzp_fail why = explain(err, raw.data);
        return wzp_rd_reject(rd, err, why.field, WZP_MEDIA_HDR_LEN - why.offset, why.got);
    }
    load_hdr(out, raw.data);
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

static wzp_quality_report load_report(const uint8_t *p) {
    return (wzp_quality_report){p[0], p[1], p[2], p[3]};
}

wzp_err wzp_quality_report_parse(wzp_quality_report *out, wzp_rd *rd) {
    const wzp_bytes raw = wzp_rd_bytes(rd, WZP_QUALITY_REPORT_LEN, "QualityReport");
    if (raw.len == WZP_QUALITY_REPORT_LEN) {
        *out = load_report(raw.data);
    }
    return rd->fail.code;
}

void wzp_quality_report_write(wzp_wr *wr, const wzp_quality_report *report) {
    wzp_wr_u8(wr, report->loss_pct);
    wzp_wr_u8(wr, report->rtt_4ms);
    wzp_wr_u8(wr, report->jitter_ms);
    wzp_wr_u8(wr, report->bitrate_cap_kbps);
}

static wzp_err refuse(wzp_fail *fail, wzp_fail why) {
    if (fail != NULL) {
        *fail = why;
    }
    return why.code;
}

wzp_err wzp_media_packet_parse(wzp_media_packet *out, wzp_bytes datagram, wzp_fail *fail) {
    const uint8_t *p = datagram.data;
    if (datagram.len < WZP_MEDIA_HDR_LEN) {
        return refuse(fail, (wzp_fail){WZP_ERR_TRUNCATED, "MediaHeader", 0, datagram.len});
    }
    const wzp_err err = check_hdr(p);
    if (err != WZP_OK) {
        return refuse(fail, explain(err, p));
    }
    const bool has_report = (p[1] & WZP_MEDIA_QUALITY) != 0;
    const size_t trailer = has_report ? WZP_QUALITY_REPORT_LEN : 0;
    const size_t left = datagram.len - WZP_MEDIA_HDR_LEN;
    if (left < trailer) {
        return refuse(
            fail, (wzp_fail){WZP_ERR_QUALITY_TRUNCATED, "QualityReport", WZP_MEDIA_HDR_LEN, left});
    }
    load_hdr(&out->hdr, p);
    out->payload = wzp_bytes_of(p + WZP_MEDIA_HDR_LEN, left - trailer);
    out->report = has_report ? load_report(p + datagram.len - trailer) : (wzp_quality_report){0};
    return WZP_OK;
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
