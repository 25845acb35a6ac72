/* Compact framing, FULL and MINI (wire sheet 5.9).  A library feature: no deployed program sends
 * it, so keep it off towards upstream peers.
 *
 *   FULL: 00 || MediaPacket            MINI: 01 || seq_delta || ts_delta || payload_len || payload
 *
 * Deltas are relative to the previous frame.  One context per direction. */
#ifndef WZP_WIRE_COMPACT_H
#define WZP_WIRE_COMPACT_H

#include "wire/media.h"

#define WZP_COMPACT_FULL 0x00
#define WZP_COMPACT_MINI 0x01
#define WZP_MINI_HDR_LEN 5 /* without the tag */
#define WZP_COMPACT_FULL_EVERY 50

typedef struct wzp_mini_hdr {
    uint8_t seq_delta;
    uint16_t timestamp_delta_ms;
    uint16_t payload_len;
} wzp_mini_hdr;

typedef struct wzp_compact {
    bool has_baseline;
    wzp_media_hdr last;  /* header of the previous frame */
    unsigned since_full; /* encoder only: frames since the last FULL, that one included */
} wzp_compact;

WZP_MUST_USE wzp_err wzp_mini_hdr_parse(wzp_mini_hdr *out, wzp_rd *rd);
void wzp_mini_hdr_write(wzp_wr *wr, const wzp_mini_hdr *mini);

static inline void wzp_compact_init(wzp_compact *context) {
    *context = (wzp_compact){0};
}

/* Expands one frame.  The payload is borrowed from `frame`; a MINI never carries a report, yet
 * inherits the Q flag of its baseline, as deployed.  Bytes after payload_len are ignored.
 * Besides the errors of wzp_media_packet_parse: FRAME_TYPE, MINI_LENGTH, NO_BASELINE.  The context
 * changes only on success. */
WZP_MUST_USE wzp_err wzp_compact_decode(wzp_compact *context, wzp_bytes frame,
                                        wzp_media_packet *out, wzp_fail *fail);

/* Writes MINI where the receiver would expand it to exactly this header, else FULL; FULL at least
 * every WZP_COMPACT_FULL_EVERY frames.  The context changes only if the frame fits `wr`. */
void wzp_compact_encode(wzp_compact *context, const wzp_media_packet *packet, wzp_wr *wr);

#endif
