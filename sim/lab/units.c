#include "sim/lab/units.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct unit {
    const char *name;
    int64_t scale; /* of one, in the unit of storage */
} unit;

typedef struct measure {
    const char *what, *list, *like;
    unit units[6]; /* ascending */
} measure;

static const measure kinds[WZP_LAB_UNIT_COUNT] = {
    [WZP_LAB_TIME] = {"a time",
                      "ns us ms s min h",
                      "20 ms",
                      {{"ns", 1},
                       {"us", 1000},
                       {"ms", 1000000},
                       {"s", 1000000000},
                       {"min", INT64_C(60000000000)},
                       {"h", INT64_C(3600000000000)}}},
    [WZP_LAB_RATE] =
        {"a rate",
         "bit/s kbit/s Mbit/s Gbit/s",
         "10 Mbit/s",
         {{"bit/s", 1}, {"kbit/s", 1000}, {"Mbit/s", 1000000}, {"Gbit/s", 1000000000}}},
    [WZP_LAB_SIZE] = {"a size",
                      "B kB MB KiB MiB",
                      "1500 B",
                      {{"B", 1}, {"kB", 1000}, {"KiB", 1024}, {"MB", 1000000}, {"MiB", 1048576}}},
    [WZP_LAB_SHARE] = {"a share", "% ppm", "1.5 %", {{"ppm", 1}, {"%", 10000}}},
    [WZP_LAB_SKEW] = {"a deviation", "ppm", "-50 ppm", {{"ppm", 1}}},
    [WZP_LAB_PER_S] = {"a frequency", "/s", "4 /s", {{"/s", 1000}}},
    [WZP_LAB_PLAIN] = {"a whole number", "", "8", {{"", 1}}},
};

const char *wzp_lab_unit_what(wzp_lab_unit kind) {
    return kinds[kind].what;
}

const char *wzp_lab_unit_list(wzp_lab_unit kind) {
    return kinds[kind].list;
}

const char *wzp_lab_unit_like(wzp_lab_unit kind) {
    return kinds[kind].like;
}

/* --- reading --------------------------------------------------------------------------------- */

typedef struct number {
    int64_t mantissa;
    unsigned decimals;
    const char *unit; /* what follows, without blanks around it */
    size_t unit_len;
} number;

static const char *skip_blanks(const char *text, const char *end) {
    while (text < end && *text == ' ') {
        text++;
    }
    return text;
}

static wzp_lab_units_err take_digits(const char **text, const char *end, number *out) {
    bool point = false;
    const char *const first = *text;
    for (; *text < end && (isdigit((unsigned char)**text) || (**text == '.' && !point));
         (*text)++) {
        if (**text == '.') {
            point = true;
            continue;
        }
        if (out->mantissa > (INT64_MAX - 9) / 10) {
            return WZP_LAB_UNITS_BIG;
        }
        out->mantissa = 10 * out->mantissa + (**text - '0');
        out->decimals += point ? 1 : 0;
    }
    const bool digits = *text > first && isdigit((unsigned char)*first) && (*text)[-1] != '.';
    return digits ? WZP_LAB_UNITS_OK : WZP_LAB_UNITS_NO_NUMBER;
}

static wzp_lab_units_err take_number(const char *text, const char *end, number *out) {
    *out = (number){0};
    text = skip_blanks(text, end);
    const bool negative = text < end && *text == '-';
    text += negative ? 1 : 0;
    const wzp_lab_units_err err = take_digits(&text, end, out);
    if (err != WZP_LAB_UNITS_OK) {
        return err;
    }
    out->mantissa = negative ? -out->mantissa : out->mantissa;
    out->unit = skip_blanks(text, end);
    while (end > out->unit && end[-1] == ' ') {
        end--;
    }
    out->unit_len = (size_t)(end - out->unit);
    return WZP_LAB_UNITS_OK;
}

static const unit *find_unit(wzp_lab_unit kind, const char *name, size_t len) {
    for (size_t i = 0; i < 6 && kinds[kind].units[i].name != NULL; i++) {
        const unit *u = &kinds[kind].units[i];
        if (strlen(u->name) == len && memcmp(u->name, name, len) == 0) {
            return u;
        }
    }
    return NULL;
}

static wzp_lab_units_err scaled(const number *n, const unit *u, int64_t *out) {
    int64_t scale = u->scale;
    int64_t mantissa = n->mantissa;
    for (unsigned i = 0; i < n->decimals; i++) {
        if (mantissa % 10 == 0) {
            mantissa /= 10;
        } else if (scale % 10 == 0) {
            scale /= 10;
        } else {
            return WZP_LAB_UNITS_FINE;
        }
    }
    return __builtin_mul_overflow(mantissa, scale, out) ? WZP_LAB_UNITS_BIG : WZP_LAB_UNITS_OK;
}

static wzp_lab_units_err finish(wzp_lab_unit kind, const number *n, int64_t *out) {
    const unit *u = find_unit(kind, n->unit, n->unit_len);
    if (u == NULL) {
        return n->unit_len == 0 ? WZP_LAB_UNITS_NO_UNIT : WZP_LAB_UNITS_UNKNOWN;
    }
    return scaled(n, u, out);
}

wzp_lab_units_err wzp_lab_units_parse(wzp_lab_unit kind, const char *text, int64_t *low,
                                      int64_t *high) {
    const char *const end = text + strlen(text);
    const char *const dots = strstr(text, "..");
    number first;
    number last;
    int64_t from = 0;
    int64_t to = 0;
    wzp_lab_units_err err = take_number(text, dots != NULL ? dots : end, &first);
    if (err == WZP_LAB_UNITS_OK && dots != NULL) {
        err = take_number(dots + 2, end, &last);
        if (err == WZP_LAB_UNITS_OK && first.unit_len == 0) {
            first.unit = last.unit;
            first.unit_len = last.unit_len;
        }
    }
    err = err == WZP_LAB_UNITS_OK ? finish(kind, &first, &from) : err;
    to = from;
    err = err == WZP_LAB_UNITS_OK && dots != NULL ? finish(kind, &last, &to) : err;
    if (err == WZP_LAB_UNITS_OK && to < from) {
        err = WZP_LAB_UNITS_ORDER;
    }
    if (err == WZP_LAB_UNITS_OK) {
        *low = from;
        *high = to;
    }
    return err;
}

/* --- writing --------------------------------------------------------------------------------- */

const char *wzp_lab_units_text(wzp_lab_unit kind, int64_t value, char buf[WZP_LAB_UNITS_TEXT_MAX]) {
    const unit *best = &kinds[kind].units[0];
    for (size_t i = 0; i < 6 && kinds[kind].units[i].name != NULL; i++) {
        const unit *u = &kinds[kind].units[i];
        best = value != 0 && value % u->scale == 0 ? u : best;
    }
    const int64_t rest = value % best->scale; /* only frequencies have one */
    if (rest != 0) {
        (void)snprintf(buf, WZP_LAB_UNITS_TEXT_MAX, "%" PRId64 ".%03" PRId64 " %s",
                       value / best->scale, rest < 0 ? -rest : rest, best->name);
        return buf;
    }
    (void)snprintf(buf, WZP_LAB_UNITS_TEXT_MAX, "%" PRId64 "%s%s", value / best->scale,
                   kind != WZP_LAB_PLAIN ? " " : "", best->name);
    return buf;
}
