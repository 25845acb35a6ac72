/* How many frames went missing in a row: the longest run of the last 25 to 30 seconds.  For jbuf.c.
 *
 * Plain data, nothing to free; time never goes back. */
#ifndef WZP_MEDIA_JBUF_BURSTS_H
#define WZP_MEDIA_JBUF_BURSTS_H

#include "base/time.h"

#define WZP_JBUF_BURSTS_SPANS 6
#define WZP_JBUF_BURSTS_SPAN (5 * WZP_S)

/* Zeroed: none was seen. */
typedef struct wzp_jbuf_bursts {
    struct {
        uint64_t number; /* of the span, from the clock's zero */
        uint32_t ms;     /* the longest in it */
    } spans[WZP_JBUF_BURSTS_SPANS];
} wzp_jbuf_bursts;

void wzp_jbuf_bursts_add(wzp_jbuf_bursts *bursts, uint32_t ms, wzp_time now);

/* 0: there was none in this span and the five before it. */
uint32_t wzp_jbuf_bursts_longest(const wzp_jbuf_bursts *bursts, wzp_time now);

#endif
