#include "tools/pcap/file/when.h"

#include <stdio.h>

#define S_NS UINT64_C(1000000000)
enum { DAY_S = 86400, YEAR_MIN = 1970, YEAR_MAX = 2261 };

static bool is_leap(unsigned year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_of(unsigned year, unsigned month) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

/* `count` digits from the front of the text. */
static bool number(wzp_bytes *text, unsigned count, unsigned *out) {
    unsigned value = 0;
    for (unsigned i = 0; i < count; i++) {
        const unsigned digit = i < text->len ? text->data[i] - (unsigned)'0' : 10;
        if (digit > 9) {
            return false;
        }
        value = value * 10 + digit;
    }
    *text = wzp_bytes_of(text->data + count, text->len - count);
    *out = value;
    return true;
}

static bool one_of(wzp_bytes *text, const char *wanted) {
    if (text->len == 0 || text->data[0] == '\0' || strchr(wanted, text->data[0]) == NULL) {
        return false;
    }
    *text = wzp_bytes_of(text->data + 1, text->len - 1);
    return true;
}

static bool date(wzp_bytes *text, uint64_t *days) {
    unsigned year = 0;
    unsigned month = 0;
    unsigned day = 0;
    if (!number(text, 4, &year) || !one_of(text, "-") || !number(text, 2, &month) ||
        !one_of(text, "-") || !number(text, 2, &day) || year < YEAR_MIN || year > YEAR_MAX ||
        month < 1 || month > 12 || day < 1 || day > days_of(year, month)) {
        return false;
    }
    *days = day - 1;
    for (unsigned y = YEAR_MIN; y < year; y++) {
        *days += is_leap(y) ? 366 : 365;
    }
    for (unsigned m = 1; m < month; m++) {
        *days += days_of(year, m);
    }
    return true;
}

/* A leap second counts as the next one. */
static bool time_of_day(wzp_bytes *text, uint64_t *seconds) {
    unsigned hour = 0;
    unsigned minute = 0;
    unsigned second = 0;
    if (!number(text, 2, &hour) || !one_of(text, ":") || !number(text, 2, &minute) ||
        !one_of(text, ":") || !number(text, 2, &second) || hour > 23 || minute > 59 ||
        second > 60) {
        return false;
    }
    *seconds = hour * 3600u + minute * 60u + second;
    return true;
}

static bool fraction(wzp_bytes *text, uint64_t *ns) {
    *ns = 0;
    if (!one_of(text, ".")) {
        return true;
    }
    unsigned digit = 0;
    if (!number(text, 1, &digit)) {
        return false;
    }
    uint64_t unit = S_NS / 10;
    do {
        *ns += digit * unit;
        unit /= 10;
    } while (number(text, 1, &digit));
    return true;
}

/* Seconds that local time is ahead of UTC. */
static bool zone(wzp_bytes *text, int64_t *ahead) {
    *ahead = 0;
    if (one_of(text, "zZ")) {
        return true;
    }
    const bool behind = text->len > 0 && text->data[0] == '-';
    unsigned hours = 0;
    unsigned minutes = 0;
    if (!one_of(text, "+-") || !number(text, 2, &hours) || !one_of(text, ":") ||
        !number(text, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *ahead = (int64_t)(hours * 3600u + minutes * 60u) * (behind ? -1 : 1);
    return true;
}

wzp_err wzp_pcap_when_parse(uint64_t *out, wzp_bytes text) {
    uint64_t days = 0;
    uint64_t seconds = 0;
    uint64_t ns = 0;
    int64_t ahead = 0;
    if (!date(&text, &days) || !one_of(&text, "tT ") || !time_of_day(&text, &seconds) ||
        !fraction(&text, &ns) || !zone(&text, &ahead) || text.len != 0) {
        return WZP_ERR_PARSE;
    }
    const int64_t total = (int64_t)(days * DAY_S + seconds) - ahead;
    if (total < 0) {
        return WZP_ERR_PARSE;
    }
    *out = (uint64_t)total * S_NS + ns;
    return WZP_OK;
}

void wzp_pcap_when_write(char out[WZP_PCAP_WHEN_MAX], uint64_t ns) {
    const uint64_t seconds = ns / S_NS;
    const unsigned of_day = (unsigned)(seconds % DAY_S);
    uint64_t days = seconds / DAY_S;
    unsigned year = YEAR_MIN;
    unsigned month = 1;
    while (days >= (is_leap(year) ? 366u : 365u)) {
        days -= is_leap(year) ? 366 : 365;
        year++;
    }
    while (days >= days_of(year, month)) {
        days -= days_of(year, month);
        month++;
    }
    (void)snprintf(out, WZP_PCAP_WHEN_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%09u+00:00", year, month,
                   (unsigned)days + 1, of_day / 3600, of_day / 60 % 60, of_day % 60,
                   (unsigned)(ns % S_NS));
}
