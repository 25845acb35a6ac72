/* MediaHeader v2 and MediaPacket: what a media datagram carries (wire sheet 5.2-5.4).
 *
 *   MediaHeader (16) || payload (n >= 0) || [QualityReport (4) if the Q flag is set]
 *
 * Parsing and writing are lossless: what parses is written back byte for byte, reserved flag bits
 * included.  No allocation; views point into the input. */
#ifndef WZP_WIRE_MEDIA_H
#define WZP_WIRE_MEDIA_H

#include "base/rd.h"
#include "base/wr.h"
#include "wire/registry.h"

#define WZP_MEDIA_HDR_LEN 16
#define WZP_QUALITY_REPORT_LEN 4

#define WZP_MEDIA_REPAIR 0x80    /* T: the payload is an FEC repair symbol */
#define WZP_MEDIA_QUALITY 0x40   /* Q: a quality report ends the datagram */
#define WZP_MEDIA_KEYFRAME 0x20  /* K: on every fragment of a video key frame */
#define WZP_MEDIA_FRAME_END 0x10 /* E: last fragment of a video frame */
#define WZP_MEDIA_RESERVED 0x0f  /* send 0, ignore, keep when forwarding */

typedef struct wzp_media_hdr {
    uint8_t version;    /* always 2 after a successful parse */
    uint8_t flags;      /* WZP_MEDIA_*, reserved bits as received */
    uint8_t media_type; /* wzp_media_type */
    uint8_t codec_id;   /* wzp_codec */
    uint8_t stream_id;
    uint8_t fec_ratio; /* ratio * 100; 0..200 documented, any value accepted */
    uint32_t seq;
    uint32_t timestamp_ms;
    uint16_t fec_block;
} wzp_media_hdr;

typedef struct wzp_quality_report {
    uint8_t loss_pct;  /* 0..255 stands for 0..100 % */
    uint8_t rtt_4ms;   /* units of 4 ms */
    uint8_t jitter_ms; /* clamped */
    uint8_t bitrate_cap_kbps;
} wzp_quality_report;

typedef struct wzp_media_packet {
    wzp_media_hdr hdr;
    wzp_bytes payload;         /* borrowed from the input, without the report */
    wzp_quality_report report; /* zero unless the Q flag is set */
} wzp_media_packet;

/* Checks in this order, the first failure decides: TRUNCATED, VERSION, MEDIA_TYPE, CODEC.
 * `out` is written only on success. */
WZP_MUST_USE wzp_err wzp_media_hdr_parse(wzp_media_hdr *out, wzp_rd *rd);
void wzp_media_hdr_write(wzp_wr *wr, const wzp_media_hdr *hdr);

/* The whole datagram; adds QUALITY_TRUNCATED to the errors above.  On failure *fail (may be NULL)
 * says field and offset. */
WZP_MUST_USE wzp_err wzp_media_packet_parse(wzp_media_packet *out, wzp_bytes datagram,
                                            wzp_fail *fail);

/* The report is written exactly if the Q flag is set. */
void wzp_media_packet_write(wzp_wr *wr, const wzp_media_packet *packet);

WZP_MUST_USE wzp_err wzp_quality_report_parse(wzp_quality_report *out, wzp_rd *rd);
void wzp_quality_report_write(wzp_wr *wr, const wzp_quality_report *report);

/* From path statistics: loss in percent (0..100), times in milliseconds; everything clamps and
 * the cap is always 200, as deployed (wire sheet 4.5). */
wzp_quality_report wzp_quality_report_from_path(double loss_percent, uint32_t rtt_ms,
                                                uint32_t jitter_ms);

/* round(ratio * 100), saturating at 0 and 255; NaN gives 0. */
uint8_t wzp_fec_ratio_encode(double ratio);

/* True if `a` is newer than `b` in the wrapping order of sequence numbers (wire sheet 5.6). */
static inline bool wzp_seq_newer(uint32_t a, uint32_t b) {
    return a != b && (uint32_t)(a - b) < UINT32_C(0x80000000);
}

#endif
