#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

wzp_time wzp_io_now(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (wzp_time)ts.tv_sec * WZP_S + (wzp_time)ts.tv_nsec;
}

static void fill(void *ctx, uint8_t *out, size_t len) {
    (void)ctx;
    while (len > 0) {
        const ssize_t n = getrandom(out, len, 0);
        if (n < 0 && errno != EINTR) {
            abort(); /* keys without randomness are worse than no program */
        }
        if (n > 0) {
            out += n;
            len -= (size_t)n;
        }
    }
}

wzp_rng wzp_io_rng(void) {
    return (wzp_rng){fill, NULL};
}

void wzp_io_rfc3339(char out[40]) {
    struct timespec ts;
    struct tm utc;
    char seconds[24];
    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &utc);
    strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out, 40, "%s.%06uZ", seconds, (unsigned)(ts.tv_nsec / 1000) % 1000000U);
}

bool wzp_io_read_file(const char *path, char *out, size_t cap, size_t *len) {
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return false;
    }
    *len = fread(out, 1, cap, f);
    const bool failed = ferror(f) != 0;
    fclose(f);
    if (!failed && *len == cap) {
        errno = EFBIG;
        return false;
    }
    out[failed ? 0 : *len] = '\0';
    return !failed;
}

bool wzp_io_write_secret(const char *path, const char *text) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const size_t len = strlen(text);
    if (fd < 0) {
        return false;
    }
    const bool written = write(fd, text, len) == (ssize_t)len;
    return close(fd) == 0 && written;
}
