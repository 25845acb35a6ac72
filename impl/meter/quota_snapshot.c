/* The months of accounts as bytes: a snapshot's head (snapshot.h), the key's id, entries of a
 * table's number, an id, the month's age in seconds, its bytes, and at the end the wall clock when
 * that was so. */
#include <stdlib.h>

#include "meter/quota_table.h"
#include "meter/snapshot.h"

enum { VERSION = 1, ENTRY = 25 };

static const char magic[] = "WZPQUOT";

static void write_entry(wzp_wr *wr, uint8_t table, const wzp_quota_account *a, wzp_time now) {
    wzp_wr_u8(wr, table);
    wzp_wr_u64(wr, a->id);
    wzp_wr_u64(wr, wzp_quota_month_age(a, now) / WZP_S);
    wzp_wr_u64(wr, a->month_bytes);
}

static uint32_t write_table(wzp_wr *wr, uint8_t table, const wzp_quota *q, wzp_time now) {
    uint32_t count = 0;
    for (size_t i = 0; q != NULL && i < q->sets * WZP_QUOTA_WAYS; i++) {
        const wzp_quota_account *a = &q->accounts[i];
        if (a->used && a->month_bytes > 0 && wzp_quota_month_age(a, now) < WZP_QUOTA_MONTH) {
            write_entry(wr, table, a, now);
            count++;
        }
    }
    return count;
}

wzp_err wzp_quota_save(const wzp_quota *const *quotas, size_t tables, uint64_t key_id, wzp_time now,
                       uint64_t unix_s, wzp_wr *out) {
    uint8_t *begin = wzp_snapshot_begin(out, magic, VERSION);
    uint32_t count = 0;
    wzp_wr_u64(out, key_id);
    for (size_t i = 0; i < tables; i++) {
        count += write_table(out, (uint8_t)i, quotas[i], now);
    }
    wzp_wr_u64(out, unix_s);
    return wzp_snapshot_end(out, begin, count);
}

/* The count of entries; 0 after a failure. */
static uint32_t read_head(wzp_rd *rd, wzp_bytes snapshot, uint64_t key_id) {
    const wzp_snapshot_head head = wzp_snapshot_read(rd, snapshot, magic, VERSION);
    const uint64_t key = wzp_rd_u64(rd, "key");
    if (rd->fail.code == WZP_OK && wzp_rd_left(rd) != (size_t)head.count * ENTRY + 8) {
        (void)wzp_rd_reject(rd, WZP_ERR_PARSE, "count", 4, head.count);
    }
    wzp_snapshot_verify(rd, snapshot, head.sum);
    if (rd->fail.code == WZP_OK && key != key_id) {
        (void)wzp_rd_reject(rd, WZP_ERR_PEER_STATE, "key", 8, key);
    }
    return rd->fail.code == WZP_OK ? head.count : 0;
}

static uint64_t seconds_since_saved(wzp_bytes snapshot, uint64_t unix_s) {
    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(snapshot.data + snapshot.len - 8, 8));
    const uint64_t saved = wzp_rd_u64(&rd, "wall clock");
    return unix_s > saved ? unix_s - saved : 0;
}

/* Two tables may have counted the same month: what is there stays if it is more. */
static void put(wzp_quota *q, uint64_t id, uint64_t age_s, uint64_t bytes, wzp_time now) {
    wzp_quota_account *a =
        age_s < WZP_QUOTA_MONTH / WZP_S ? wzp_quota_find_or_make(q, id, now) : NULL;
    if (a != NULL && a->month_bytes < bytes) {
        a->month_from = now;
        a->month_before = age_s * WZP_S;
        a->month_bytes = bytes;
    }
}

wzp_err wzp_quota_load(wzp_quota *const *quotas, size_t tables, uint64_t key_id, wzp_bytes snapshot,
                       wzp_time now, uint64_t unix_s, wzp_fail *fail) {
    wzp_rd rd;
    wzp_rd_init(&rd, snapshot);
    const uint32_t count = read_head(&rd, snapshot, key_id);
    const uint64_t since = count > 0 ? seconds_since_saved(snapshot, unix_s) : 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t table = wzp_rd_u8(&rd, "table");
        const uint64_t id = wzp_rd_u64(&rd, "id");
        const uint64_t age_s = wzp_rd_u64(&rd, "age");
        const uint64_t bytes = wzp_rd_u64(&rd, "bytes");
        if (table < tables && age_s < WZP_QUOTA_MONTH / WZP_S) {
            put(quotas[table], id, age_s + since, bytes, now);
        }
    }
    if (fail != NULL) {
        *fail = rd.fail;
    }
    return rd.fail.code;
}
