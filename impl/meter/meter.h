/* The per-participant meters: tiers A-E exactly as deployed (conformance sheet 2-7), used for
 * observe mode and its metrics.  Decisions of --enforce on come from enf.h instead. */
#ifndef WZP_METER_METER_H
#define WZP_METER_METER_H

#include "base/time.h"
#include "wire/media.h"

/* Order as in ViolationCode (wire sheet 7.2). */
typedef enum wzp_violation {
    WZP_VIOLATION_NONE,
    WZP_VIOLATION_BITRATE,         /* tier A */
    WZP_VIOLATION_PACKET_RATE,     /* B */
    WZP_VIOLATION_TIMESTAMP_DRIFT, /* C */
    WZP_VIOLATION_PAYLOAD_SIZE,    /* D */
    WZP_VIOLATION_RATE_CAP,        /* E */
    WZP_VIOLATION_ENTROPY,         /* F */
    WZP_VIOLATION_COUNT
} wzp_violation;

typedef struct wzp_violation_info {
    const char *code;    /* "Bitrate" ... in Hangup{PolicyViolation} */
    const char *verdict; /* "BitrateExceeded" ... in metrics */
    char tier;           /* 'A' ... 'F' */
} wzp_violation_info;

const wzp_violation_info *wzp_violation_find(wzp_violation violation);

/* Bytes per tumbling second that a codec may use (tier A), packets (tier B), the payload bound of
 * tier D, the ENF-1 guard ceiling: columns of conformance sheet 1.  NULL for unassigned ids. */
typedef struct wzp_meter_limits {
    uint32_t budget_bytes, threshold_packets, payload_bound, guard_bytes;
} wzp_meter_limits;
const wzp_meter_limits *wzp_meter_limits_of(uint8_t codec_id);

#define WZP_METER_RING 200

typedef struct wzp_meter {
    wzp_time window_start;
    uint64_t bytes, packets;
    uint32_t ring_seq[WZP_METER_RING], ring_ts[WZP_METER_RING];
    uint16_t ring_first, ring_len;
    double ewma;
    double tokens;
    wzp_time refilled_at;
} wzp_meter;

/* `now` is the join time: it anchors the first window. */
void wzp_meter_init(wzp_meter *meter, wzp_time now);

/* payload_len: bytes after the header, AEAD tag included, quality report excluded.  The first tier
 * that is violated returns, later ones are not updated for this packet. */
wzp_violation wzp_meter_observe(wzp_meter *meter, const wzp_media_hdr *hdr, size_t payload_len,
                                wzp_time now);

#endif
