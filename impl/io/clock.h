/* The real clocks. */
#ifndef WZP_IO_CLOCK_H
#define WZP_IO_CLOCK_H

#include "base/time.h"

/* CLOCK_MONOTONIC: what every core's `now` is outside of simulators. */
wzp_time wzp_clock_now(void);

/* "2026-05-25T12:00:00.123456Z" and its terminator. */
#define WZP_CLOCK_TEXT_MAX 28

/* Wall clock of the instant `at` of wzp_clock_now's time, in UTC.  Returns `out`. */
const char *wzp_clock_text(char out[WZP_CLOCK_TEXT_MAX], wzp_time at);

/* Wall clock of `at` in nanoseconds since 1970. */
uint64_t wzp_clock_unix_ns(wzp_time at);

#endif
