/* How late frames come: the fastest ones of the last ten seconds, and how much later than these all
 * but the slowest of each 200 are.  For jbuf.c.
 *
 * Lateness is the arrival by the listener's clock less the timestamp by the sender's, from an
 * arbitrary zero: only differences mean something.  Integers only; plain data, nothing to free. */
#ifndef WZP_MEDIA_JBUF_LATENESS_H
#define WZP_MEDIA_JBUF_LATENESS_H

#include <stdbool.h>
#include <stdint.h>

#define WZP_JBUF_LATENESS_FRAMES 512 /* remembered: 10 s of 20 ms frames */
#define WZP_JBUF_LATENESS_EVERY 25   /* frames between two looks at all of them */
#define WZP_JBUF_LATENESS_FIRST 50   /* frames before the first look */

typedef struct wzp_jbuf_lateness {
    uint16_t count, next, fresh;
    bool known;            /* `floor` and `spread` are */
    int64_t floor, spread; /* ns; spread >= 0 */
    int32_t us[WZP_JBUF_LATENESS_FRAMES];
} wzp_jbuf_lateness;

void wzp_jbuf_lateness_clear(wzp_jbuf_lateness *l);

/* `ns` within WZP_JBUF_LATENESS_MAX of zero. */
void wzp_jbuf_lateness_add(wzp_jbuf_lateness *l, int64_t ns);

#define WZP_JBUF_LATENESS_MAX (INT64_C(2000) * 1000 * 1000 * 1000)

/* Of the last frame; 0: there was none. */
int64_t wzp_jbuf_lateness_last(const wzp_jbuf_lateness *l);

#endif
