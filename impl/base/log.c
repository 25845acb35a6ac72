#include "base/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

enum { LINE_MAX_BYTES = 512 };

static const char *const names[WZP_LOG_LEVEL_COUNT] = {"error", "warn", "info", "debug"};

const char *wzp_log_level_name(wzp_log_level level) {
    return (unsigned)level < WZP_LOG_LEVEL_COUNT ? names[level] : "?";
}

/* Texts of strangers may be among the arguments: nobody writes lines of his own, or to a terminal.
 */
static void keep_to_one_line(char *text) {
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f) {
            *text = '?';
        }
    }
}

void wzp_logf(const wzp_log *log, wzp_log_level level, const char *format, ...) {
    if (log == NULL || log->line == NULL || level > log->max) {
        return;
    }
    char text[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    keep_to_one_line(text);
    log->line(log->ctx, level, text);
}

const char *wzp_log_clean(char *out, unsigned long cap, const char *text, unsigned long len) {
    assert(cap > 0);
    size_t used = 0;
    for (size_t i = 0; i < len && used + 1 < cap; i++) {
        const char c = text[i];
        const int harmless = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
        out[used++] = (char)(harmless ? c : '?');
    }
    out[used] = '\0';
    return out;
}
