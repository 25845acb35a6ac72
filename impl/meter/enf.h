/* ENF-1, the enforcement profile of conformance sheet 13: what --enforce on decides with.  State
 * per participant and media type; no allocation after creation.
 *
 * One thing is added to the sheet's rules: what a window of E-A and E-B does not use, the next one
 * may, for networks that stall.  A sender that breaks a rule for longer is noticed a window later
 * at most. */
#ifndef WZP_METER_ENF_H
#define WZP_METER_ENF_H

#include "meter/meter.h"

typedef struct wzp_enf wzp_enf;

typedef enum wzp_enf_limits {
    WZP_ENF_GUARDED, /* tier A leaves a guard band for what the table does not count */
    WZP_ENF_EXACT    /* none for Opus: the ceilings of the specification, to the byte, and each
                        window for itself */
} wzp_enf_limits;

/* What a codec may send in a second: bytes (E-A) and packets (E-B).  One that contradicts its media
 * type has the ceiling of comfort noise. */
uint32_t wzp_enf_ceiling(uint8_t media_type, uint8_t codec, wzp_enf_limits limits);
uint32_t wzp_enf_threshold(uint8_t codec);

/* NULL when out of memory. */
wzp_enf *wzp_enf_new(wzp_enf_limits limits, wzp_time now);
void wzp_enf_free(wzp_enf **enf);

/* The first packet that breaks a rule gets its code; the caller then stops forwarding, sends the
 * typed Hangup and closes.  Calling again afterwards is allowed. */
wzp_violation wzp_enf_observe(wzp_enf *enf, const wzp_media_hdr *hdr, size_t payload_len,
                              wzp_time now);

#endif
