/* TrunkFrame: several media packets of one sender in one datagram (wire sheet 5.10).
 *
 *   count u16 || count * (session_id (2) || len u16 || payload (len))
 *
 * The parser walks the input and allocates nothing, whatever count claims. */
#ifndef WZP_WIRE_TRUNK_H
#define WZP_WIRE_TRUNK_H

#include "base/rd.h"
#include "base/time.h"
#include "base/wr.h"

#define WZP_TRUNK_MAX_ENTRIES 10
#define WZP_TRUNK_DEFAULT_BYTES 1200
#define WZP_TRUNK_FLUSH (5 * WZP_MS)
#define WZP_TRUNK_BUFFER 1500 /* no datagram that we send is longer */

typedef struct wzp_trunk_entry {
    uint8_t session_id[2];
    wzp_bytes payload; /* a complete MediaPacket, borrowed from the frame */
} wzp_trunk_entry;

/* Checks the whole frame first, so that a frame is taken or refused as one: WZP_ERR_TRUNCATED.
 * On success *rd stands before the first entry and *count entries follow. */
WZP_MUST_USE wzp_err wzp_trunk_parse(wzp_rd *rd, wzp_bytes frame, uint16_t *count);

/* The next entry; call it `count` times after a successful wzp_trunk_parse. */
void wzp_trunk_next(wzp_rd *rd, wzp_trunk_entry *out);

/* Each payload is at most 65 535 bytes long. */
void wzp_trunk_write(wzp_wr *wr, const wzp_trunk_entry *entries, uint16_t count);

/* Collects packets of one sender for one receiver.  Sans-IO. */
typedef struct wzp_trunk_batch {
    uint8_t session_id[2];
    uint16_t count;
    size_t len; /* bytes of `frame` in use, the count field included */
    wzp_time flush_at;
    uint8_t frame[WZP_TRUNK_BUFFER];
} wzp_trunk_batch;

void wzp_trunk_batch_init(wzp_trunk_batch *batch, const uint8_t session_id[2]);

/* Takes a finished frame, borrowed for the call. */
typedef void wzp_trunk_emit(void *ctx, wzp_bytes frame);

/* Adds one packet of at most WZP_TRUNK_BUFFER - 6 bytes (longer ones are refused: TOO_LARGE).
 * Emits what is pending when the packet does not fit beside it, and at once when ten entries or
 * max_bytes are reached.  `max_bytes`: what the receiver's path takes now, 0 if unknown. */
WZP_MUST_USE wzp_err wzp_trunk_batch_push(wzp_trunk_batch *batch, wzp_bytes packet,
                                          size_t max_bytes, wzp_time now, wzp_trunk_emit *emit,
                                          void *ctx);

/* Emits what is pending if its time has come, or always with `force`. */
void wzp_trunk_batch_flush(wzp_trunk_batch *batch, wzp_time now, bool force, wzp_trunk_emit *emit,
                           void *ctx);

/* WZP_TIME_NEVER when empty. */
static inline wzp_time wzp_trunk_batch_deadline(const wzp_trunk_batch *batch) {
    return batch->count == 0 ? WZP_TIME_NEVER : batch->flush_at;
}

#endif
