/* For LD_PRELOAD: a wall clock that jumps by years, back and forth, at every look.  Calls must not
 * notice. */
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static _Atomic unsigned looks;

static time_t wild(time_t seconds) {
    static const time_t years[] = {0, 100, -40, 7, -1};
    return seconds + years[looks++ % (sizeof years / sizeof years[0])] * 31557600;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the system's are reserved */

int clock_gettime(clockid_t clock, struct timespec *out) {
    const long rv = syscall(SYS_clock_gettime, clock, out);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
        out->tv_sec = wild(out->tv_sec);
    }
    return (int)rv;
}

int gettimeofday(struct timeval *out, void *zone) {
    struct timespec ts;
    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    out->tv_sec = ts.tv_sec;
    out->tv_usec = ts.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec ts;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    if (out != NULL) {
        *out = ts.tv_sec;
    }
    return ts.tv_sec;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
