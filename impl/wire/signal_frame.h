/* Framing of signals on streams (wire sheet 3): u32 length || JSON, then FIN. */
#ifndef WZP_WIRE_SIGNAL_FRAME_H
#define WZP_WIRE_SIGNAL_FRAME_H

#include "base/rd.h"
#include "base/wr.h"

#define WZP_SIGNAL_MAX_LEN 1048576
#define WZP_SIGNAL_PREFIX_LEN 4

/* A complete stream.  *json is borrowed; bytes after the message are ignored.
 * SIGNAL_TRUNCATED: fewer than 4 + length bytes; SIGNAL_TOO_LARGE: decided on the prefix alone. */
WZP_MUST_USE wzp_err wzp_signal_frame_parse(wzp_bytes *json, wzp_bytes stream, wzp_fail *fail);

void wzp_signal_frame_write(wzp_wr *wr, wzp_bytes json);

/* Collects the one message of a stream from pieces that end anywhere.  Memory grows with what has
 * come, never with what the prefix claims. */
typedef struct wzp_signal_stream {
    uint8_t *buf; /* the message, without the prefix */
    size_t len, cap, max_len;
    uint8_t prefix[WZP_SIGNAL_PREFIX_LEN];
    size_t prefix_len;
} wzp_signal_stream;

/* `max_len`: a lower limit than WZP_SIGNAL_MAX_LEN, or 0. */
void wzp_signal_stream_init(wzp_signal_stream *stream, size_t max_len);
void wzp_signal_stream_clear(wzp_signal_stream *stream);

/* Takes the next bytes; what follows the message is ignored.  SIGNAL_TOO_LARGE as soon as the
 * prefix is there, NOMEM; the stream is of no further use then. */
WZP_MUST_USE wzp_err wzp_signal_stream_push(wzp_signal_stream *stream, wzp_bytes piece,
                                            wzp_fail *fail);

/* True once the message is complete; *json is borrowed until the stream is cleared. */
bool wzp_signal_stream_message(const wzp_signal_stream *stream, wzp_bytes *json);

/* What the end of the stream means now: WZP_OK if the message is complete, SIGNAL_TRUNCATED. */
WZP_MUST_USE wzp_err wzp_signal_stream_end(const wzp_signal_stream *stream, wzp_fail *fail);

#endif
