/* Slow, obvious twins of both meters: they keep every packet and work each answer out from the
 * whole history, as conformance sheet 2 and 13 are written.  For random tests only. */
#ifndef WZP_METER_TESTING_TWIN_H
#define WZP_METER_TESTING_TWIN_H

#include "meter/meter.h"

#define WZP_TWIN_MAX 1024 /* packets */

typedef struct wzp_twin_packet {
    wzp_media_hdr hdr;
    size_t payload;
    wzp_time at;
    wzp_violation deployed, enf; /* what the twins said */
} wzp_twin_packet;

typedef struct wzp_twin {
    wzp_time joined;
    size_t count;
    wzp_twin_packet packets[WZP_TWIN_MAX];
} wzp_twin;

/* Room for one more packet is the caller's to check; times never fall. */
const wzp_twin_packet *wzp_twin_observe(wzp_twin *twin, const wzp_media_hdr *hdr, size_t payload,
                                        wzp_time at);

#endif
