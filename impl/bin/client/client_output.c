#include "bin/client/client_output.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A pipe that can be written to has room for a line of this length.  The descriptor stays as it
 * is: what we would set on it, others who share it would get as well. */
static bool has_room(int fd, int patience_ms) {
    struct pollfd out = {.fd = fd, .events = POLLOUT};
    int rv = 0;
    do {
        rv = poll(&out, 1, patience_ms);
    } while (rv < 0 && errno == EINTR);
    return rv > 0;
}

bool wzp_client_write_line(int fd, const char *text, size_t len, int patience_ms) {
    ssize_t n = 0;
    if (len > WZP_CLIENT_LINE_MAX || !has_room(fd, patience_ms)) {
        return false;
    }
    do {
        n = write(fd, text, len);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)len;
}

/* --- a person who watches --------------------------------------------------------------------- */

static size_t shown; /* characters of the progress line on the screen */

bool wzp_client_has_progress(void) {
    return isatty(STDERR_FILENO) != 0;
}

static void wipe(void) {
    if (shown > 0) {
        (void)fprintf(stderr, "\r%*s\r", (int)shown, "");
        shown = 0;
    }
}

void wzp_client_say(const char *format, ...) {
    va_list args;
    wipe();
    va_start(args, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it was, two lines above */
    (void)vfprintf(stderr, format, args);
    va_end(args);
}

void wzp_client_progress(const char *text) {
    if (!wzp_client_has_progress()) {
        return;
    }
    wipe();
    if (text != NULL) {
        (void)fputs(text, stderr);
        shown = strlen(text);
    }
    (void)fflush(stderr);
}
