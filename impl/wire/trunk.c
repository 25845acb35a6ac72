#include "wire/trunk.h"

#include <assert.h>

enum { COUNT_LEN = 2, ENTRY_HDR_LEN = 4 };

void wzp_trunk_next(wzp_rd *rd, wzp_trunk_entry *out) {
    const wzp_bytes id = wzp_rd_bytes(rd, 2, "session_id");
    const uint16_t len = wzp_rd_u16(rd, "len");
    const wzp_bytes payload = wzp_rd_bytes(rd, len, "payload");
    if (rd->fail.code == WZP_OK) {
        memcpy(out->session_id, id.data, 2);
        out->payload = payload;
    }
}

wzp_err wzp_trunk_parse(wzp_rd *rd, wzp_bytes frame, uint16_t *count) {
    wzp_rd_init(rd, frame);
    const uint16_t n = wzp_rd_u16(rd, "count");
    const wzp_rd first = *rd;
    for (unsigned i = 0; i < n && rd->fail.code == WZP_OK; i++) {
        wzp_trunk_entry entry;
        wzp_trunk_next(rd, &entry);
    }
    if (rd->fail.code == WZP_OK) {
        *count = n;
        *rd = first;
    }
    return rd->fail.code;
}

static void write_entry(wzp_wr *wr, const uint8_t session_id[2], wzp_bytes payload) {
    assert(payload.len <= UINT16_MAX);
    wzp_wr_bytes(wr, wzp_bytes_of(session_id, 2));
    wzp_wr_u16(wr, (uint16_t)payload.len);
    wzp_wr_bytes(wr, payload);
}

void wzp_trunk_write(wzp_wr *wr, const wzp_trunk_entry *entries, uint16_t count) {
    wzp_wr_u16(wr, count);
    for (size_t i = 0; i < count; i++) {
        write_entry(wr, entries[i].session_id, entries[i].payload);
    }
}

void wzp_trunk_batch_init(wzp_trunk_batch *batch, const uint8_t session_id[2]) {
    memcpy(batch->session_id, session_id, 2);
    batch->count = 0;
    batch->len = COUNT_LEN;
    batch->flush_at = WZP_TIME_NEVER;
}

static void emit_frame(wzp_trunk_batch *batch, wzp_trunk_emit *emit, void *ctx) {
    batch->frame[0] = (uint8_t)(batch->count >> 8);
    batch->frame[1] = (uint8_t)batch->count;
    emit(ctx, wzp_bytes_of(batch->frame, batch->len));
    wzp_trunk_batch_init(batch, (const uint8_t[2]){batch->session_id[0], batch->session_id[1]});
}

static void append(wzp_trunk_batch *batch, wzp_bytes packet, wzp_time now) {
    wzp_wr wr;
    wzp_wr_init(&wr, batch->frame + batch->len, sizeof batch->frame - batch->len);
    write_entry(&wr, batch->session_id, packet);
    if (batch->count == 0) {
        batch->flush_at = wzp_time_after(now, WZP_TRUNK_FLUSH);
    }
    batch->count++;
    batch->len += wzp_wr_len(&wr);
}

wzp_err wzp_trunk_batch_push(wzp_trunk_batch *batch, wzp_bytes packet, size_t max_bytes,
                             wzp_time now, wzp_trunk_emit *emit, void *ctx) {
    const size_t limit = max_bytes == 0 ? WZP_TRUNK_DEFAULT_BYTES : max_bytes;
    const size_t entry = ENTRY_HDR_LEN + packet.len;
    if (packet.len > WZP_TRUNK_BUFFER - COUNT_LEN - ENTRY_HDR_LEN) {
        return WZP_ERR_TOO_LARGE;
    }
    const bool full = batch->count + 1 > WZP_TRUNK_MAX_ENTRIES || batch->len + entry > limit ||
                      batch->len + entry > sizeof batch->frame;
    if (full && batch->count > 0) {
        emit_frame(batch, emit, ctx);
        append(batch, packet, now); /* not tested against the limits again until the next push */
        return WZP_OK;
    }
    append(batch, packet, now);
    if (batch->count >= WZP_TRUNK_MAX_ENTRIES || batch->len >= limit) {
        emit_frame(batch, emit, ctx);
    }
    return WZP_OK;
}

void wzp_trunk_batch_flush(wzp_trunk_batch *batch, wzp_time now, bool force, wzp_trunk_emit *emit,
                           void *ctx) {
    if (batch->count > 0 && (force || now >= batch->flush_at)) {
        emit_frame(batch, emit, ctx);
    }
}
