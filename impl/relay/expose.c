#include "relay/expose.h"

#include <stdarg.h>
#include <stdio.h>

void wzp_expose_line(wzp_wr *wr, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    wzp_wr_str(wr, text);
    wzp_wr_u8(wr, '\n');
}

void wzp_expose_family(wzp_wr *wr, const char *name, const char *type, const char *help) {
    wzp_expose_line(wr, "# HELP %s %s", name, help);
    wzp_expose_line(wr, "# TYPE %s %s", name, type);
}

void wzp_expose_single(wzp_wr *wr, const char *name, const char *type, const char *help,
                       uint64_t value) {
    wzp_expose_family(wr, name, type, help);
    wzp_expose_line(wr, "%s %llu", name, (unsigned long long)value);
}
