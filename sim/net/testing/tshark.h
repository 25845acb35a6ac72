/* A capture as tshark reads it, for tests that write one. */
#ifndef WZP_SIM_NET_TESTING_TSHARK_H
#define WZP_SIM_NET_TESTING_TSHARK_H

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* main() asks first; it then ends with 77. */
static inline bool tshark_is_missing(void) {
    if (system("tshark --version >/dev/null 2>&1") == 0) { /* NOLINT(concurrency-mt-unsafe) */
        return false;
    }
    (void)fprintf(stderr, "skipped: no tshark\n");
    return true;
}

/* `path` ends in XXXXXX; there is an empty file then. */
static inline void tshark_file(char *path) {
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    (void)close(fd);
}

/* `compare` reads a line for each packet; the file is removed. */
static inline void tshark_reads(const char *path, const char *options, const char *fields,
                                void (*compare)(FILE *in)) {
    char command[2048];
    (void)snprintf(command, sizeof command, "tshark -n -r %s %s %s 2>/dev/null", path, options,
                   fields);
    FILE *in = popen(command, "r"); /* NOLINT(cert-env33-c) */
    ck_assert_ptr_nonnull(in);
    compare(in);
    ck_assert_int_eq(pclose(in), 0);
    (void)unlink(path);
}

#endif
