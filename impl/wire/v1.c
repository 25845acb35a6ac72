#include "wire/v1.h"

/* byte 0: V T codec(4) Q fec bit 6;  byte 1: fec bits 5..0, two unused bits */
wzp_err wzp_v1_hdr_parse(wzp_v1_hdr *out, wzp_rd *rd) {
    const uint8_t b0 = wzp_rd_u8(rd, "flags");
    const uint8_t b1 = wzp_rd_u8(rd, "fec_ratio");
    wzp_v1_hdr hdr = {0};
    hdr.version = b0 >> 7;
    hdr.repair = (b0 & 0x40) != 0;
    hdr.codec_id = (b0 >> 2) & 0x0f;
    hdr.quality = (b0 & 0x02) != 0;
    hdr.fec_ratio_raw = (uint8_t)((b0 & 1) << 6 | b1 >> 2);
    hdr.seq = wzp_rd_u16(rd, "seq");
    hdr.timestamp_ms = wzp_rd_u32(rd, "timestamp");
    hdr.fec_block = wzp_rd_u8(rd, "fec_block");
    hdr.fec_symbol = wzp_rd_u8(rd, "fec_symbol");
    hdr.reserved = wzp_rd_u8(rd, "reserved");
    hdr.csrc_count = wzp_rd_u8(rd, "csrc_count");
    if (rd->fail.code == WZP_OK) {
        *out = hdr;
    }
    return rd->fail.code;
}

void wzp_v1_hdr_write(wzp_wr *wr, const wzp_v1_hdr *hdr) {
    wzp_wr_u8(wr, (uint8_t)((hdr->version & 1) << 7 | (hdr->repair ? 0x40 : 0) |
                            (hdr->codec_id & 0x0f) << 2 | (hdr->quality ? 0x02 : 0) |
                            (hdr->fec_ratio_raw >> 6 & 1)));
    wzp_wr_u8(wr, (uint8_t)(hdr->fec_ratio_raw << 2));
    wzp_wr_u16(wr, hdr->seq);
    wzp_wr_u32(wr, hdr->timestamp_ms);
    wzp_wr_u8(wr, hdr->fec_block);
    wzp_wr_u8(wr, hdr->fec_symbol);
    wzp_wr_u8(wr, hdr->reserved);
    wzp_wr_u8(wr, hdr->csrc_count);
}
