#include "base/rd.h"

#include <assert.h>

void wzp_rd_init(wzp_rd *rd, wzp_bytes input) {
    /* Arithmetic on NULL is undefined, so an empty view gets a real address. */
    static const uint8_t nothing[1];
    rd->base = input.data != NULL ? input.data : nothing;
    rd->pos = rd->base;
    rd->end = rd->base + input.len;
    rd->fail = (wzp_fail){WZP_OK, NULL, 0, 0};
}

wzp_err wzp_rd_reject(wzp_rd *rd, wzp_err code, const char *field, size_t back, uint64_t got) {
    assert(back <= wzp_rd_offset(rd));
    if (rd->fail.code == WZP_OK) {
        rd->fail = (wzp_fail){code, field, wzp_rd_offset(rd) - back, got};
    }
    return rd->fail.code;
}

wzp_bytes wzp_rd_bytes(wzp_rd *rd, size_t len, const char *field) {
    if (rd->fail.code != WZP_OK) {
        return wzp_bytes_of(rd->pos, 0);
    }
    if (len > wzp_rd_left(rd)) {
        /* The offset is that of the field which does not fit. */
        (void)wzp_rd_reject(rd, WZP_ERR_TRUNCATED, field, 0, wzp_rd_left(rd));
        return wzp_bytes_of(rd->pos, 0);
    }
    const wzp_bytes view = {rd->pos, len};
    rd->pos += len;
    return view;
}

wzp_bytes wzp_rd_rest(wzp_rd *rd) {
    return wzp_rd_bytes(rd, rd->fail.code == WZP_OK ? wzp_rd_left(rd) : 0, "rest");
}

static uint64_t big_endian(wzp_rd *rd, size_t len, const char *field) {
    const wzp_bytes view = wzp_rd_bytes(rd, len, field);
    uint64_t value = 0;
    for (size_t i = 0; i < view.len; i++) {
        value = (value << 8) | view.data[i];
    }
    return value;
}

uint8_t wzp_rd_u8(wzp_rd *rd, const char *field) {
    return (uint8_t)big_endian(rd, 1, field);
}

uint16_t wzp_rd_u16(wzp_rd *rd, const char *field) {
    return (uint16_t)big_endian(rd, 2, field);
}

uint32_t wzp_rd_u32(wzp_rd *rd, const char *field) {
    return (uint32_t)big_endian(rd, 4, field);
}

uint64_t wzp_rd_u64(wzp_rd *rd, const char *field) {
    return big_endian(rd, 8, field);
}
