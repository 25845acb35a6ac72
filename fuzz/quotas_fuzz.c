/* Files of quotas: what loads is saved and loads again as the same; what does not changes nothing.
 * The checksum is put right first, or nothing would ever come behind it. */
#include <stdlib.h>

#include "meter/quota.h"
#include "meter/snapshot.h"

enum { HEAD = 12, CAP = 65536, ACCOUNTS = 1024, TABLES = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good) {
    if (!good) {
        abort();
    }
}

static size_t accounts_of(wzp_quota *const q[TABLES]) {
    return wzp_quota_count(q[0]).accounts + wzp_quota_count(q[1]).accounts;
}

static void make(wzp_quota *q[TABLES]) {
    for (int i = 0; i < TABLES; i++) {
        require(wzp_quota_new(&q[i], ACCOUNTS) == WZP_OK);
    }
}

/* Accounts that have sent nothing are not kept, so a second life may have fewer. */
static void save_and_load(wzp_quota *const q[TABLES], wzp_time now, uint64_t unix_s) {
    static uint8_t saved[CAP];
    wzp_quota *again[TABLES];
    const wzp_quota *const tables[TABLES] = {q[0], q[1]};
    wzp_wr wr;
    wzp_wr_init(&wr, saved, sizeof saved);
    require(wzp_quota_save(tables, TABLES, 7, now, unix_s, &wr) == WZP_OK);
    make(again);
    require(wzp_quota_load(again, TABLES, 7, wzp_bytes_of(saved, wzp_wr_len(&wr)), now, unix_s,
                           NULL) == WZP_OK);
    require(accounts_of(again) <= accounts_of(q));
    for (int i = 0; i < TABLES; i++) {
        wzp_quota_free(&again[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t fixed[CAP / 2];
    const wzp_time now = 500000 * WZP_S;
    const uint64_t unix_s = 1700000000;
    wzp_quota *q[TABLES];
    if (size > sizeof fixed) {
        return 0;
    }
    memcpy(fixed, data, size);
    if (size > HEAD) {
        const uint32_t sum = wzp_snapshot_crc32(wzp_bytes_of(fixed + HEAD, size - HEAD));
        for (size_t i = 0; i < 4; i++) {
            fixed[HEAD - 4 + i] = (uint8_t)(sum >> (24 - 8 * i));
        }
    }
    make(q);
    const wzp_err err = wzp_quota_load(q, TABLES, 7, wzp_bytes_of(fixed, size), now, unix_s, NULL);
    require(err == WZP_OK || accounts_of(q) == 0);
    save_and_load(q, now, unix_s);
    for (int i = 0; i < TABLES; i++) {
        wzp_quota_free(&q[i]);
    }
    return 0;
}
