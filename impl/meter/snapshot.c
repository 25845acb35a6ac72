#include "meter/snapshot.h"

enum { MAGIC = 7, SUM_AT = MAGIC + 1, LEN_AT = SUM_AT + 4, COUNT_AT = LEN_AT + 4 };

uint32_t wzp_snapshot_crc32(wzp_bytes bytes) {
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= bytes.data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? UINT32_C(0xedb88320) : 0);
        }
    }
    return ~crc;
}

static uint32_t sum_of(wzp_bytes snapshot) {
    return wzp_snapshot_crc32(wzp_bytes_of(snapshot.data + LEN_AT, snapshot.len - LEN_AT));
}

static void write_u32_at(uint8_t *at, uint32_t value) {
    wzp_wr wr;
    wzp_wr_init(&wr, at, 4);
    wzp_wr_u32(&wr, value);
}

uint8_t *wzp_snapshot_begin(wzp_wr *out, const char *magic, uint8_t version) {
    uint8_t *begin = out->pos;
    wzp_wr_bytes(out, wzp_bytes_str(magic));
    wzp_wr_u8(out, version);
    for (int i = 0; i < 3; i++) {
        wzp_wr_u32(out, 0); /* checksum, length and count are known at the end */
    }
    return begin;
}

wzp_err wzp_snapshot_end(wzp_wr *out, uint8_t *begin, uint32_t count) {
    if (wzp_wr_end(out) != WZP_OK) {
        return WZP_ERR_OVERFLOW;
    }
    const size_t len = (size_t)(out->pos - begin);
    write_u32_at(begin + LEN_AT, (uint32_t)len);
    write_u32_at(begin + COUNT_AT, count);
    write_u32_at(begin + SUM_AT, sum_of(wzp_bytes_of(begin, len)));
    return WZP_OK;
}

wzp_snapshot_head wzp_snapshot_read(wzp_rd *rd, wzp_bytes snapshot, const char *magic,
                                    uint8_t version) {
    wzp_snapshot_head head;
    const wzp_bytes name = wzp_rd_bytes(rd, MAGIC, "magic");
    if (rd->fail.code == WZP_OK && !wzp_bytes_equal(name, wzp_bytes_str(magic))) {
        (void)wzp_rd_reject(rd, WZP_ERR_PARSE, "magic", name.len, 0);
    }
    const uint8_t is = wzp_rd_u8(rd, "version");
    if (rd->fail.code == WZP_OK && is != version) {
        (void)wzp_rd_reject(rd, WZP_ERR_VERSION, "version", 1, is);
    }
    head.sum = wzp_rd_u32(rd, "checksum");
    const uint32_t len = wzp_rd_u32(rd, "length");
    if (rd->fail.code == WZP_OK && len > snapshot.len) {
        (void)wzp_rd_reject(rd, WZP_ERR_TRUNCATED, "length", 4, len);
    }
    head.count = wzp_rd_u32(rd, "count");
    return head;
}

void wzp_snapshot_verify(wzp_rd *rd, wzp_bytes snapshot, uint32_t sum) {
    if (rd->fail.code == WZP_OK && sum_of(snapshot) != sum) {
        const size_t read = snapshot.len - wzp_rd_left(rd);
        (void)wzp_rd_reject(rd, WZP_ERR_PARSE, "checksum", read - SUM_AT, sum);
    }
}
