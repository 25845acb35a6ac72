/* What a player does to sound and a network cannot: silence cut into it, the same samples again,
 * peaks cut off. */
#ifndef WZP_TOOLS_GLITCH_H
#define WZP_TOOLS_GLITCH_H

#include <stddef.h>
#include <stdint.h>

typedef struct wzp_glitches {
    uint32_t dropouts, dropout_ms; /* 5 ms and more of zeros while the reference has sound */
    uint32_t repeats, repeat_ms;   /* 5 ms and more that are those of 10, 20, 40 or 60 ms before */
    uint32_t clipped;              /* samples at full scale, three and more in a row */
} wzp_glitches;

/* Of two sounds at 48 kHz that are aligned; what the reference has itself does not count. */
void wzp_glitch_count(wzp_glitches *out, const int16_t *reference, const int16_t *degraded,
                      size_t len);

#endif
