/* Lines for programs that read wzp-client's standard output, and a line for people who watch it.
 *
 * A call must not stand still because a reader does: a line for which there is no room is dropped
 * and counted. */
#ifndef WZP_BIN_CLIENT_CLIENT_OUTPUT_H
#define WZP_BIN_CLIENT_CLIENT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest line that never waits: what a pipe takes whole or not at all. */
#define WZP_CLIENT_LINE_MAX 4096

/* Writes text[len], a whole line, within `patience_ms`.  False: it was dropped, nothing was
 * written. */
bool wzp_client_write_line(int fd, const char *text, size_t len, int patience_ms);

/* A line on standard error, which takes the place of the progress line. */
void wzp_client_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The line that changes; only where standard error is a terminal.  NULL: it is over. */
void wzp_client_progress(const char *text);
bool wzp_client_has_progress(void);

#endif
