/* Instructions, counted by valgrind where it is installed: the same on every machine, however busy
 * it is. */
#ifndef WZP_TOOLS_BENCH_COUNT_H
#define WZP_TOOLS_BENCH_COUNT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs `own` once more under callgrind and counts what the functions do whose names fit
 * `functions`, a pattern.  A line of its output that begins with `prefix` gives *done.  0: no
 * valgrind. */
static inline double bench_count(const char *own, const char *arguments, const char *functions,
                                 const char *prefix, double *done) {
    char command[512];
    char text[256];
    double counted = 0;
    (void)snprintf(command, sizeof command,
                   "valgrind --tool=callgrind --callgrind-out-file=/dev/null "
                   "--toggle-collect='%s' '%s' %s 2>&1",
                   functions, own, arguments);
    FILE *out = popen(command, "r");
    while (out != NULL && fgets(text, sizeof text, out) != NULL) {
        const char *collected = strstr(text, "Collected : ");
        if (collected != NULL) {
            counted = strtod(collected + 12, NULL);
        } else if (strncmp(text, prefix, strlen(prefix)) == 0) {
            *done = strtod(text + strlen(prefix), NULL);
        }
    }
    if (out != NULL) {
        (void)pclose(out);
    }
    return counted;
}

#endif
