/* ENF-1, the enforcement profile of conformance sheet 13: what --enforce on decides with.  State
 * per participant and media type; no allocation after creation. */
#ifndef WZP_RELAY_ENF_H
#define WZP_RELAY_ENF_H

#include "relay/meter.h"

typedef struct wzp_enf wzp_enf;

/* NULL when out of memory. */
wzp_enf *wzp_enf_new(wzp_time now);
void wzp_enf_free(wzp_enf **enf);

/* The first packet that breaks a rule gets its code; the caller then stops forwarding, sends the
 * typed Hangup and closes.  Calling again afterwards is allowed. */
wzp_violation wzp_enf_observe(wzp_enf *enf, const wzp_media_hdr *hdr, size_t payload_len,
                              wzp_time now);

#endif
