/* Time is an argument: nanoseconds from an arbitrary start, never wall clock.  No core reads a
 * clock; drivers and simulators hand `now` in. */
#ifndef WZP_BASE_TIME_H
#define WZP_BASE_TIME_H

#include <stdint.h>

typedef uint64_t wzp_time;

#define WZP_TIME_NEVER UINT64_MAX

#define WZP_NS UINT64_C(1)
#define WZP_US UINT64_C(1000)
#define WZP_MS UINT64_C(1000000)
#define WZP_S UINT64_C(1000000000)

/* base + delay, saturating at WZP_TIME_NEVER. */
static inline wzp_time wzp_time_after(wzp_time base, uint64_t delay) {
    return base > WZP_TIME_NEVER - delay ? WZP_TIME_NEVER : base + delay;
}

/* now - then, 0 if `then` lies in the future. */
static inline uint64_t wzp_time_since(wzp_time now, wzp_time then) {
    return now > then ? now - then : 0;
}

static inline wzp_time wzp_time_min(wzp_time a, wzp_time b) {
    return a < b ? a : b;
}

#endif
