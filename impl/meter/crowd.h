/* What several senders together may send, where nobody tells whose a packet is: over a federation
 * link.  The ceilings of E-A and E-B of ENF-1 for so many of them.  Windows of senders begin at
 * other times than this one: a set of which each keeps its own to the last byte may need twice as
 * many, so callers leave room.  Timestamps and sizes say nothing of a set (tiers C and D).
 *
 * As in enf.h what a second does not use, the next one may, for links that stall.  Integers only,
 * plain objects, no allocation. */
#ifndef WZP_METER_CROWD_H
#define WZP_METER_CROWD_H

#include "meter/meter.h"

/* Parts of what one sender may send in a second, in 2^-32. */
typedef struct wzp_crowd_lane {
    wzp_time window_start;
    uint64_t bytes, packets;             /* used in this second */
    uint64_t spare_bytes, spare_packets; /* of the one before, up to what it had */
} wzp_crowd_lane;

typedef struct wzp_crowd {
    wzp_crowd_lane lanes[WZP_MEDIA_TYPE_COUNT];
} wzp_crowd;

#define WZP_CROWD_MAX 100000 /* senders; more are as many */

void wzp_crowd_init(wzp_crowd *crowd, wzp_time now);

/* BITRATE or PACKET_RATE: no `senders` of them could send this too, and it is not counted; so
 * what is taken never exceeds what they may.  payload_len as for the meter. */
wzp_violation wzp_crowd_take(wzp_crowd *crowd, uint32_t senders, const wzp_media_hdr *hdr,
                             size_t payload_len, wzp_time now);

#endif
