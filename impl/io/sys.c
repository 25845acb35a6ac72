#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Where a sanitizer has its own malloc, only that one knows. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED_HEAP
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED_HEAP
#endif
#ifdef SANITIZED_HEAP
/* As in sanitizer/allocator_interface.h, which GCC does not always come with. */
size_t __sanitizer_get_current_allocated_bytes(void); /* NOLINT(bugprone-reserved-identifier) */
#endif

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

uint64_t wzp_io_unix_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * WZP_S + (uint64_t)ts.tv_nsec;
}

static void write_rfc3339(char out[40], uint64_t ns) {
    const time_t seconds = (time_t)(ns / WZP_S);
    struct tm utc;
    char text[24];
    gmtime_r(&seconds, &utc);
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(out, 40, "%s.%06uZ", text, (unsigned)(ns % WZP_S / WZP_US));
}

void wzp_io_rfc3339(char out[40]) {
    write_rfc3339(out, wzp_io_unix_ns());
}

void wzp_io_rfc3339_at(char out[40], wzp_time at) {
    const wzp_time now = wzp_io_now();
    write_rfc3339(out, wzp_io_unix_ns() - wzp_time_since(now, at) + wzp_time_since(at, now));
}

uint64_t wzp_io_unix_s(void) {
    return wzp_io_unix_ns() / WZP_S;
}

bool wzp_io_read_file(const char *path, char *out, size_t cap, size_t *len) {
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return false;
    }
    *len = fread(out, 1, cap, f);
    const bool failed = ferror(f) != 0;
    (void)fclose(f);
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

const char *wzp_io_reason(int error) {
    const char *text = strerrordesc_np(error);
    return text != NULL ? text : "unknown error";
}

uint64_t wzp_io_heap_bytes(void) {
#if defined(SANITIZED_HEAP)
    return __sanitizer_get_current_allocated_bytes();
#elif defined(__GLIBC__)
    const struct mallinfo2 all = mallinfo2();
    return (uint64_t)all.uordblks + all.hblkhd;
#else
    return 0;
#endif
}

const char *wzp_io_env(const char *name) {
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): no thread changes the environment */
}
