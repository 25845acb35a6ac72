/* Faults of the metrics page and of what feeds it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/mutants/faults.h"
#include "conformance/mutants/wrap.h"
#include "relay/internal.h"

/* Tiers that a meter forgets to count. */
static bool forgets(wzp_violation v) {
    const wzp_fault fault = wzp_fault_now();
    return (fault == WZP_FAULT_COUNTS_NO_A && v == WZP_VIOLATION_BITRATE) ||
           (fault == WZP_FAULT_COUNTS_NO_B && v == WZP_VIOLATION_PACKET_RATE) ||
           (fault == WZP_FAULT_COUNTS_NO_C && v == WZP_VIOLATION_TIMESTAMP_DRIFT) ||
           (fault == WZP_FAULT_COUNTS_NO_D && v == WZP_VIOLATION_PAYLOAD_SIZE);
}

WRAP(wzp_violation, wzp_meter_observe, wzp_meter *meter, const wzp_media_hdr *hdr, size_t len,
     wzp_time now) {
    const wzp_violation v = __real_wzp_meter_observe(meter, hdr, len, now);
    return forgets(v) ? WZP_VIOLATION_NONE : v;
}

WRAP(void, wzp_relay_observe_bytes, wzp_relay *r, uint8_t media_type, size_t wire_len) {
    const bool bare = wzp_fault_now() == WZP_FAULT_COUNTS_PAYLOAD;
    __real_wzp_relay_observe_bytes(r, media_type, bare ? wire_len - WZP_MEDIA_HDR_LEN : wire_len);
}

/* A line with the name of every room. */
WRAP(wzp_err, wzp_relay_metrics, const wzp_relay *r, wzp_wr *out) {
    const wzp_err err = __real_wzp_relay_metrics(r, out);
    char line[WZP_QUIC_SNI_MAX + 64];
    wzp_fault_write_rooms(out);
    for (const session *s = r->sessions;
         s != NULL && err == WZP_OK && wzp_fault_now() == WZP_FAULT_NAMES_ROOMS; s = s->next) {
        const int n = snprintf(line, sizeof line, "wzp_room_members{room=\"%s\"} 1\n", s->sni);
        wzp_wr_bytes(out, wzp_bytes_of(line, (size_t)n));
    }
    return err == WZP_OK ? wzp_wr_end(out) : err;
}
