/* K-STD: plain Opus24k speech, 50 packets a second of 76 bytes, a quality report on each 50th
 * (conformance sheet 24.1).  Echo, control and the check afterwards are made of it. */
#ifndef WZP_CONFORMANCE_ENGINE_SPEECH_H
#define WZP_CONFORMANCE_ENGINE_SPEECH_H

#include "base/bytes.h"
#include "base/time.h"

#define WZP_CT_SPEECH_STEP (20 * WZP_MS)
#define WZP_CT_SPEECH_BYTES 96

typedef struct wzp_ct_speech {
    uint64_t index, count; /* next, and how many in all */
    wzp_time from;
    uint32_t seq, ts;
} wzp_ct_speech;

/* The datagram of packet `index`: payload bytes from `seed` and its sequence number. */
wzp_bytes wzp_ct_speech_bytes(const wzp_ct_speech *speech, uint64_t seed,
                              uint8_t out[WZP_CT_SPEECH_BYTES]);

#endif
