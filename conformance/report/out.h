/* Writing without looking: a stream remembers that something failed, and each report asks ferror()
 * once, at its end. */
#ifndef WZP_CONFORMANCE_REPORT_OUT_H
#define WZP_CONFORMANCE_REPORT_OUT_H

#include <stdarg.h>
#include <stdio.h>

static inline void put_text(FILE *out, const char *text) {
    (void)fputs(text, out);
}

static inline void put_char(FILE *out, char c) {
    (void)fputc(c, out);
}

__attribute__((format(printf, 2, 3))) static inline void put_format(FILE *out, const char *format,
                                                                    ...) {
    va_list args;
    va_start(args, format);
    (void)vfprintf(out, format, args);
    va_end(args);
}

#endif
