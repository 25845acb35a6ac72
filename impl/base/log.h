/* Logging hook: a core says what happened, the driver decides where it goes.  Never on a hot
 * path, never with a format string or payload bytes from the wire. */
#ifndef WZP_BASE_LOG_H
#define WZP_BASE_LOG_H

typedef enum wzp_log_level {
    WZP_LOG_ERROR,
    WZP_LOG_WARN,
    WZP_LOG_INFO,
    WZP_LOG_DEBUG,
    WZP_LOG_LEVEL_COUNT
} wzp_log_level;

typedef struct wzp_log {
    /* `text` is one line without a line end, borrowed for the call.  NULL: nothing is logged. */
    void (*line)(void *ctx, wzp_log_level level, const char *text);
    void *ctx;
    wzp_log_level max; /* lines above this level are not formatted at all */
} wzp_log;

void wzp_logf(const wzp_log *log, wzp_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "error", "warn", "info", "debug"; static text. */
const char *wzp_log_level_name(wzp_log_level level);

/* Copies text from a peer for a log line: control bytes, quotes, and all that is not ASCII become
 * '?'; cut at cap - 1.  Returns `out`. */
const char *wzp_log_clean(char *out, unsigned long cap, const char *text, unsigned long len);

#endif
