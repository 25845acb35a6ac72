#include "fec/policy.h"

static const wzp_fec_policy policies[] = {
    {.codec_id = 3, .ratio_percent = 50, .source_count = 5, .frame_len = 8, .frame_ms = 20},
    {.codec_id = 4, .ratio_percent = 100, .source_count = 8, .frame_len = 6, .frame_ms = 40},
};

const wzp_fec_policy *wzp_fec_policy_of(uint8_t codec_id) {
    for (size_t i = 0; i < WZP_COUNT_OF(policies); i++) {
        if (policies[i].codec_id == codec_id) {
            return &policies[i];
        }
    }
    return NULL;
}

size_t wzp_fec_repair_count(size_t source_count, unsigned ratio_percent) {
    return (source_count * ratio_percent + 99) / 100;
}

unsigned wzp_fec_ratio_with_keyframe(unsigned ratio_percent, unsigned keyframe_percent,
                                     bool has_keyframe) {
    return has_keyframe && keyframe_percent > 0 ? keyframe_percent : ratio_percent;
}

size_t wzp_fec_symbol_write(uint8_t out[WZP_FEC_SYMBOL_LEN], wzp_bytes frame) {
    const size_t len = frame.len < WZP_FEC_FRAME_MAX ? frame.len : WZP_FEC_FRAME_MAX;
    memset(out, 0, WZP_FEC_SYMBOL_LEN);
    out[0] = (uint8_t)len; /* little-endian, unlike the header */
    out[1] = (uint8_t)(len >> 8);
    if (len > 0) {
        memcpy(out + WZP_FEC_PREFIX_LEN, frame.data, len);
    }
    return WZP_FEC_PREFIX_LEN + len;
}

wzp_err wzp_fec_symbol_parse(wzp_bytes *frame, wzp_bytes symbol) {
    if (symbol.len < WZP_FEC_PREFIX_LEN) {
        return WZP_ERR_TRUNCATED;
    }
    const size_t room = symbol.len - WZP_FEC_PREFIX_LEN;
    const size_t len = symbol.data[0] | (size_t)symbol.data[1] << 8;
    *frame = wzp_bytes_of(symbol.data + WZP_FEC_PREFIX_LEN, len < room ? len : room);
    return WZP_OK;
}

bool wzp_fec_is_expired(uint8_t id, uint8_t before) {
    const uint8_t age = (uint8_t)(before - id);
    return age >= 1 && age <= 128;
}

size_t wzp_fec_interleave(const size_t *counts, size_t blocks, wzp_fec_turn *out, size_t cap) {
    size_t n = 0;
    bool is_left = blocks > 0;
    for (size_t symbol = 0; is_left; symbol++) {
        is_left = false;
        for (size_t block = 0; block < blocks; block++) {
            if (symbol < counts[block]) {
                if (n < cap) {
                    out[n] = (wzp_fec_turn){block, symbol};
                }
                n++;
                is_left = true;
            }
        }
    }
    return n;
}
