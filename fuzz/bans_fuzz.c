/* Snapshots of the block list: what loads is saved and loads again as the same; what does not
 * changes nothing.  The checksum is put right first, or nothing would ever come behind it. */
#include <stdlib.h>

#include "meter/bans.h"

enum { HEAD = 12, CAP = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good) {
    if (!good) {
        abort();
    }
}

static uint32_t crc32_of(const uint8_t *data, size_t len) {
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? UINT32_C(0xedb88320) : 0);
        }
    }
    return ~crc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t fixed[CAP];
    static uint8_t saved[CAP];
    const wzp_bans_cfg cfg = {3600 * WZP_S, 86400 * WZP_S};
    const wzp_time now = 500000 * WZP_S;
    const uint64_t unix_s = 1700000000;
    wzp_bans *bans = NULL;
    if (size > sizeof fixed / 2 || wzp_bans_new(&bans, &cfg) != WZP_OK) {
        return 0;
    }
    memcpy(fixed, data, size);
    if (size > HEAD) {
        const uint32_t sum = crc32_of(fixed + HEAD, size - HEAD);
        for (size_t i = 0; i < 4; i++) {
            fixed[HEAD - 4 + i] = (uint8_t)(sum >> (24 - 8 * i));
        }
    }
    const wzp_err err = wzp_bans_load(bans, wzp_bytes_of(fixed, size), now, unix_s, NULL);
    const wzp_bans_totals totals = wzp_bans_count(bans, now);
    require(err == WZP_OK || totals.entries == 0);
    wzp_wr wr;
    wzp_wr_init(&wr, saved, sizeof saved);
    require(wzp_bans_save(bans, now, unix_s, &wr) == WZP_OK);
    wzp_bans *again = NULL;
    if (wzp_bans_new(&again, &cfg) == WZP_OK) {
        require(wzp_bans_load(again, wzp_bytes_of(saved, wzp_wr_len(&wr)), now, unix_s, NULL) ==
                WZP_OK);
        require(wzp_bans_count(again, now).entries == totals.entries);
        require(wzp_bans_count(again, now).blocks == totals.blocks);
    }
    wzp_bans_free(&again);
    wzp_bans_free(&bans);
    return 0;
}
