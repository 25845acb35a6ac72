#include "tools/pcap/convert/rtpdump.h"

enum { RTP_HEADER = 12, FIRST_DYNAMIC_TYPE = 96 };

void wzp_pcap_rtpdump_head(wzp_wr *wr, uint64_t start_ns) {
    wzp_wr_str(wr, "#!rtpplay1.0 0.0.0.0/0\n");
    wzp_wr_u32(wr, (uint32_t)(start_ns / 1000000000));
    wzp_wr_u32(wr, (uint32_t)(start_ns / 1000 % 1000000));
    wzp_wr_u32(wr, 0); /* source address, port, padding */
    wzp_wr_u32(wr, 0);
}

static uint32_t clock_khz(uint8_t codec_id) {
    const wzp_codec_info *codec = wzp_codec_find(codec_id);
    if (codec != NULL && codec->is_video) {
        return 90;
    }
    return codec != NULL && codec->is_opus ? 48 : 8;
}

void wzp_pcap_rtpdump_record(wzp_wr *wr, const wzp_media_hdr *hdr, uint32_t ssrc, uint32_t at_ms,
                             wzp_bytes payload) {
    const bool marker = (hdr->flags & WZP_MEDIA_FRAME_END) != 0;
    const size_t rtp_len = RTP_HEADER + payload.len;
    wzp_wr_u16(wr, (uint16_t)(8 + rtp_len));
    wzp_wr_u16(wr, (uint16_t)rtp_len);
    wzp_wr_u32(wr, at_ms);
    wzp_wr_u8(wr, 0x80); /* version 2 */
    wzp_wr_u8(wr, (uint8_t)((marker ? 0x80 : 0) | (FIRST_DYNAMIC_TYPE + (hdr->codec_id & 15))));
    wzp_wr_u16(wr, (uint16_t)hdr->seq);
    wzp_wr_u32(wr, hdr->timestamp_ms * clock_khz(hdr->codec_id));
    wzp_wr_u32(wr, ssrc);
    wzp_wr_bytes(wr, payload);
}
