/* MediaHeader v1 (12 bytes, wire sheet 5.12): for recognising and refusing old senders only. */
#ifndef WZP_WIRE_V1_H
#define WZP_WIRE_V1_H

#include "base/rd.h"
#include "base/wr.h"

#define WZP_V1_HDR_LEN 12

typedef struct wzp_v1_hdr {
    uint8_t version; /* one bit, 0 in all v1 traffic */
    bool repair, quality;
    uint8_t codec_id;      /* 4 bits */
    uint8_t fec_ratio_raw; /* 7 bits, ratio * 63.5 */
    uint16_t seq;
    uint32_t timestamp_ms;
    uint8_t fec_block, fec_symbol, reserved, csrc_count;
} wzp_v1_hdr;

/* Only WZP_ERR_TRUNCATED: almost anything parses, which is why a v2 receiver never guesses. */
WZP_MUST_USE wzp_err wzp_v1_hdr_parse(wzp_v1_hdr *out, wzp_rd *rd);
void wzp_v1_hdr_write(wzp_wr *wr, const wzp_v1_hdr *hdr);

#endif
