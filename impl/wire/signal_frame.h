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

#endif
