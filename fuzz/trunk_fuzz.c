/* Trunk frames, and the batcher fed with their payloads.  The first byte says how the batcher is
 * driven, the rest is the frame. */
#include "require.h"
#include "wire/trunk.h"

/* The payloads that the batcher was given and has not emitted yet, in order. */
typedef struct pending {
    wzp_trunk_entry entries[WZP_TRUNK_MAX_ENTRIES + 1];
    size_t count;
} pending;

static void take(void *ctx, wzp_bytes frame) {
    pending *p = ctx;
    wzp_rd rd;
    uint16_t count;
    require(wzp_trunk_parse(&rd, frame, &count) == WZP_OK);
    require(count > 0 && count <= WZP_TRUNK_MAX_ENTRIES && count <= p->count);
    for (size_t i = 0; i < count; i++) {
        wzp_trunk_entry entry;
        wzp_trunk_next(&rd, &entry);
        require(wzp_bytes_equal(entry.payload, p->entries[i].payload));
    }
    require(wzp_rd_left(&rd) == 0);
    p->count -= count;
    memmove(p->entries, p->entries + count, p->count * sizeof p->entries[0]);
}

static void batch_all(wzp_rd rd, uint16_t count, uint8_t drive) {
    wzp_trunk_batch batch;
    pending p = {.count = 0};
    wzp_time now = 0;
    wzp_trunk_batch_init(&batch, (const uint8_t[2]){1, 2});
    for (unsigned i = 0; i < count; i++) {
        wzp_trunk_entry entry;
        wzp_trunk_next(&rd, &entry);
        p.entries[p.count++] = entry;
        const size_t limit = (size_t)(drive & 0x0f) * 100;
        if (wzp_trunk_batch_push(&batch, entry.payload, limit, now, take, &p) != WZP_OK) {
            require(entry.payload.len > WZP_TRUNK_BUFFER - 6);
            p.count--;
        }
        require(batch.count == p.count && batch.count < WZP_TRUNK_MAX_ENTRIES);
        now += (wzp_time)(drive >> 4) * WZP_MS;
        wzp_trunk_batch_flush(&batch, now, false, take, &p);
        require(wzp_trunk_batch_deadline(&batch) > now);
    }
    wzp_trunk_batch_flush(&batch, now, true, take, &p);
    require(p.count == 0);
}

static void write_again(wzp_rd rd, uint16_t count, wzp_bytes frame) {
    wzp_trunk_entry *entries = calloc((size_t)count + 1, sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        wzp_trunk_next(&rd, &entries[i]);
    }
    require(rd.fail.code == WZP_OK);
    const size_t len = frame.len - wzp_rd_left(&rd); /* without trailing bytes */
    uint8_t *out = malloc(len);
    wzp_wr wr;
    wzp_wr_init(&wr, out, len);
    wzp_trunk_write(&wr, entries, count);
    require(wzp_wr_end(&wr) == WZP_OK && memcmp(out, frame.data, len) == 0);
    free(out);
    free(entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const wzp_bytes frame = {data + 1, size - 1};
    wzp_rd rd;
    uint16_t count;
    if (wzp_trunk_parse(&rd, frame, &count) == WZP_OK) {
        write_again(rd, count, frame);
        batch_all(rd, count, data[0]);
    } else {
        require(rd.fail.field != NULL && rd.fail.offset <= frame.len);
    }
    return 0;
}
