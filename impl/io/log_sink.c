#include "io/log_sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/sys.h"

static const char *const colours[WZP_LOG_LEVEL_COUNT] = {"\x1b[31m", "\x1b[33m", "\x1b[32m",
                                                         "\x1b[2m"};

static bool wants_colour(void) {
    const char *no = wzp_io_env("NO_COLOR");
    return (no == NULL || *no == '\0') && isatty(STDERR_FILENO) == 1;
}

/* One call of stdio per line: lines of several threads do not mix. */
static void plain_line(void *ctx, wzp_log_level level, const char *text) {
    char now[40];
    (void)ctx;
    wzp_io_rfc3339(now);
    (void)fprintf(stderr, "%s %-5s %s\n", now, wzp_log_level_name(level), text);
}

static void coloured_line(void *ctx, wzp_log_level level, const char *text) {
    char now[40];
    (void)ctx;
    wzp_io_rfc3339(now);
    (void)fprintf(stderr, "\x1b[2m%s\x1b[0m %s%-5s\x1b[0m %s\n", now, colours[level],
                  wzp_log_level_name(level), text);
}

wzp_log wzp_log_stderr(wzp_log_level max) {
    return (wzp_log){wants_colour() ? coloured_line : plain_line, NULL, max};
}

bool wzp_log_level_parse(const char *text, wzp_log_level *out) {
    for (wzp_log_level level = WZP_LOG_ERROR; level < WZP_LOG_LEVEL_COUNT; level++) {
        if (strcmp(text, wzp_log_level_name(level)) == 0) {
            *out = level;
            return true;
        }
    }
    if (strcmp(text, "trace") == 0) {
        *out = WZP_LOG_DEBUG;
        return true;
    }
    return false;
}
