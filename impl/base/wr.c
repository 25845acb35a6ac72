#include "base/wr.h"

void wzp_wr_init(wzp_wr *wr, uint8_t *buf, size_t cap) {
    wr->base = buf;
    wr->pos = buf;
    wr->end = buf + cap;
    wr->overflow = false;
}

void wzp_wr_bytes(wzp_wr *wr, wzp_bytes bytes) {
    if (wr->overflow || bytes.len > wzp_wr_room(wr)) {
        wr->overflow = true;
        return;
    }
    if (bytes.len != 0) {
        memcpy(wr->pos, bytes.data, bytes.len);
        wr->pos += bytes.len;
    }
}

static void big_endian(wzp_wr *wr, uint64_t value, size_t len) {
    uint8_t buf[8];
    for (size_t i = 0; i < len; i++) {
        buf[i] = (uint8_t)(value >> (8 * (len - 1 - i)));
    }
    wzp_wr_bytes(wr, wzp_bytes_of(buf, len));
}

void wzp_wr_u8(wzp_wr *wr, uint8_t value) {
    big_endian(wr, value, 1);
}

void wzp_wr_u16(wzp_wr *wr, uint16_t value) {
    big_endian(wr, value, 2);
}

void wzp_wr_u32(wzp_wr *wr, uint32_t value) {
    big_endian(wr, value, 4);
}

void wzp_wr_u64(wzp_wr *wr, uint64_t value) {
    big_endian(wr, value, 8);
}

void wzp_wr_str(wzp_wr *wr, const char *text) {
    wzp_wr_bytes(wr, wzp_bytes_str(text));
}

wzp_err wzp_wr_end(const wzp_wr *wr) {
    return wr->overflow ? WZP_ERR_OVERFLOW : WZP_OK;
}
