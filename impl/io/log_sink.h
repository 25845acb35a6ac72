/* Where log lines go: standard error, one line each, with a timestamp. */
#ifndef WZP_IO_LOG_SINK_H
#define WZP_IO_LOG_SINK_H

#include <stdbool.h>

#include "base/log.h"

/* "2026-05-25T12:00:00.123456Z warn  text".  Levels are coloured on a terminal, unless the
 * environment says NO_COLOR. */
wzp_log wzp_log_stderr(wzp_log_level max);

/* "error", "warn", "info", "debug" or upstream's "trace", which is debug here. */
bool wzp_log_level_parse(const char *text, wzp_log_level *out);

#endif
