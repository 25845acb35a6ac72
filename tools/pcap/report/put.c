#include "tools/pcap/report/put.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

void wzp_pcap_putf(wzp_pcap_text *out, const char *format, ...) {
    char buf[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(buf, sizeof buf, format, args);
    va_end(args);
    wzp_pcap_text_str(out, buf);
}

static void put(wzp_pcap_text *out, uint32_t c) {
    char bytes[4];
    const size_t len = wzp_text_encode(bytes, c);
    wzp_pcap_text_bytes(out, wzp_bytes_of(bytes, len));
}

/* The next character, fit to be shown; line ends become blanks. */
static uint32_t next_shown(wzp_bytes *rest) {
    const uint32_t c = wzp_text_next(rest);
    return c == '\n' || c == '\t' ? ' ' : wzp_text_is_control(c) ? WZP_TEXT_REPLACEMENT : c;
}

void wzp_pcap_put_html_cut(wzp_pcap_text *out, const char *text, size_t most) {
    wzp_bytes rest = wzp_bytes_str(text);
    for (size_t i = 0; rest.len > 0 && i < most; i++) {
        const uint32_t c = next_shown(&rest);
        const char *entity = wzp_text_entity(c);
        if (entity != NULL) {
            wzp_pcap_text_str(out, entity);
        } else {
            put(out, c);
        }
    }
    if (rest.len > 0) {
        wzp_pcap_text_str(out, "\xe2\x80\xa6");
    }
}

void wzp_pcap_put_html(wzp_pcap_text *out, const char *text) {
    wzp_pcap_put_html_cut(out, text, SIZE_MAX);
}

void wzp_pcap_put_heads(wzp_pcap_text *out, const char *names) {
    wzp_pcap_text_str(out, "<tr>");
    for (const char *name = names; *name != '\0';) {
        const size_t len = strcspn(name, "|");
        const size_t skip = *name == '>' ? 1 : 0;
        wzp_pcap_text_str(out, skip ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
        wzp_pcap_text_bytes(out, wzp_bytes_of(name + skip, len - skip));
        wzp_pcap_text_str(out, "</th>");
        name += len + (name[len] == '|' ? 1 : 0);
    }
    wzp_pcap_text_str(out, "</tr>\n");
}

void wzp_pcap_put_markdown(wzp_pcap_text *out, const char *text) {
    wzp_bytes rest = wzp_bytes_str(text);
    while (rest.len > 0) {
        const uint32_t c = next_shown(&rest);
        if (c == '@') {
            wzp_pcap_text_str(out, "&#64;"); /* nobody is to be notified */
            continue;
        }
        if (c < 0x80 && strchr("\\`*_{}[]<>|~#!&$", (int)c) != NULL) {
            wzp_pcap_text_char(out, '\\');
        }
        put(out, c);
    }
}

void wzp_pcap_put_plain(wzp_pcap_text *out, const char *text) {
    wzp_bytes rest = wzp_bytes_str(text);
    while (rest.len > 0) {
        const uint32_t c = next_shown(&rest);
        put(out, c == WZP_TEXT_REPLACEMENT ? '?' : c);
    }
}

/* Days since 1970 to year, month and day: the year begins in March, so that leap days come last. */
void wzp_pcap_put_utc(wzp_pcap_text *out, uint64_t ns) {
    const uint64_t ms = ns / 1000000;
    const uint64_t second = ms / 1000 % 86400;
    const uint64_t days = ms / 86400000 + 719468;
    const uint64_t era = days / 146097;
    const uint64_t of_era = days % 146097;
    const uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    const uint64_t march = (5 * of_year + 2) / 153;
    const uint64_t month = march < 10 ? march + 3 : march - 9;
    wzp_pcap_putf(out,
                  "%04" PRIu64 "-%02" PRIu64 "-%02" PRIu64 " %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64
                  ".%03" PRIu64 " UTC",
                  year + era * 400 + (month <= 2 ? 1 : 0), month,
                  of_year - (153 * march + 2) / 5 + 1, second / 3600, second / 60 % 60, second % 60,
                  ms % 1000);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void begin(wzp_pcap_json *j, const char *key) {
    if (j->comma) {
        wzp_pcap_text_char(j->out, ',');
    }
    if (key != NULL) {
        wzp_pcap_text_json(j->out, wzp_bytes_str(key));
        wzp_pcap_text_char(j->out, ':');
    }
    j->comma = true;
}

void wzp_pcap_json_open(wzp_pcap_json *json, const char *key, char bracket) {
    begin(json, key);
    wzp_pcap_text_char(json->out, bracket);
    json->comma = false;
}

void wzp_pcap_json_close(wzp_pcap_json *json, char bracket) {
    wzp_pcap_text_char(json->out, bracket);
    json->comma = true;
}

void wzp_pcap_json_uint(wzp_pcap_json *json, const char *key, uint64_t value) {
    begin(json, key);
    wzp_pcap_text_uint(json->out, value);
}

void wzp_pcap_json_real(wzp_pcap_json *json, const char *key, double value) {
    if (!isfinite(value)) {
        wzp_pcap_json_null(json, key);
        return;
    }
    begin(json, key);
    wzp_pcap_putf(json->out, "%.3f", value);
}

void wzp_pcap_json_bool(wzp_pcap_json *json, const char *key, bool value) {
    begin(json, key);
    wzp_pcap_text_str(json->out, value ? "true" : "false");
}

void wzp_pcap_json_null(wzp_pcap_json *json, const char *key) {
    begin(json, key);
    wzp_pcap_text_str(json->out, "null");
}

void wzp_pcap_json_str(wzp_pcap_json *json, const char *key, const char *value) {
    begin(json, key);
    wzp_pcap_text_json(json->out, wzp_bytes_str(value));
}
