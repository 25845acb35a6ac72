#include "conformance/engine/exposition.h"

#include <stdlib.h>
#include <string.h>

/* A piece of text that somebody else owns. */
typedef struct piece {
    const char *at;
    size_t len;
} piece;

static bool same(piece a, piece b) {
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

static bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':';
}

static piece take_name(const char **at, const char *end) {
    piece name = {*at, 0};
    while (*at < end && is_name_char(**at)) {
        (*at)++;
        name.len++;
    }
    return name;
}

static bool take_char(const char **at, const char *end, char c) {
    if (*at == end || **at != c) {
        return false;
    }
    (*at)++;
    return true;
}

/* The text between quotes, escapes as they stand. */
static bool take_quoted(const char **at, const char *end, piece *value) {
    if (!take_char(at, end, '"')) {
        return false;
    }
    *value = (piece){*at, 0};
    while (*at < end && **at != '"') {
        *at += **at == '\\' && *at + 1 < end ? 2 : 1;
    }
    value->len = (size_t)(*at - value->at);
    return take_char(at, end, '"');
}

/* name="value", the comma behind it too; false at the end of the labels. */
static bool take_label(const char **at, const char *end, piece *name, piece *value) {
    *name = take_name(at, end);
    if (name->len == 0 || !take_char(at, end, '=') || !take_quoted(at, end, value)) {
        return false;
    }
    (void)take_char(at, end, ',');
    return true;
}

static bool has_label(piece labels, piece name, piece value) {
    const char *at = labels.at;
    const char *end = labels.at + labels.len;
    piece n;
    piece v;
    while (take_label(&at, end, &n, &v)) {
        if (same(n, name) && same(v, value)) {
            return true;
        }
    }
    return false;
}

static bool has_all(piece labels, piece wanted) {
    const char *at = wanted.at;
    const char *end = wanted.at + wanted.len;
    piece name;
    piece value;
    while (take_label(&at, end, &name, &value)) {
        if (!has_label(labels, name, value)) {
            return false;
        }
    }
    return true;
}

/* name{labels}; a series without labels has none. */
static bool split(const char **at, const char *end, piece *name, piece *labels) {
    *name = take_name(at, end);
    *labels = (piece){*at, 0};
    if (name->len == 0) {
        return false;
    }
    if (!take_char(at, end, '{')) {
        return true;
    }
    labels->at = *at;
    piece n;
    piece v;
    while (take_label(at, end, &n, &v)) {
    }
    labels->len = (size_t)(*at - labels->at);
    return take_char(at, end, '}');
}

/* A number and nothing else but a timestamp up to the end of the line. */
static bool take_value(const char *at, const char *end, double *value) {
    char text[64];
    char *rest = NULL;
    while (at < end && *at == ' ') {
        at++;
    }
    const size_t len = (size_t)(end - at) < sizeof text ? (size_t)(end - at) : sizeof text - 1;
    memcpy(text, at, len);
    text[len] = '\0';
    *value = strtod(text, &rest);
    return rest != text && (*rest == '\0' || *rest == ' ' || *rest == '\r');
}

bool wzp_exposition_is_valid(const char *page, unsigned *samples) {
    *samples = 0;
    for (const char *line = page; *line != '\0';) {
        const char *end = strchr(line, '\n');
        piece name;
        piece labels;
        double value = 0;
        if (end == NULL) {
            return false;
        }
        const char *at = line;
        if (*line != '#' && line != end) {
            if (!split(&at, end, &name, &labels) || !take_char(&at, end, ' ') ||
                !take_value(at, end, &value)) {
                return false;
            }
            (*samples)++;
        }
        line = end + 1;
    }
    return *samples > 0;
}

unsigned wzp_exposition_sum(const char *page, const char *series, double *sum) {
    const char *at = series;
    piece wanted_name;
    piece wanted;
    unsigned found = 0;
    *sum = 0;
    if (!split(&at, series + strlen(series), &wanted_name, &wanted)) {
        return 0;
    }
    for (const char *line = page; *line != '\0';) {
        const char *newline = strchr(line, '\n');
        const char *end = newline != NULL ? newline : line + strlen(line);
        piece name;
        piece labels;
        double value = 0;
        at = line;
        if (split(&at, end, &name, &labels) && same(name, wanted_name) && has_all(labels, wanted) &&
            take_value(at, end, &value)) {
            *sum += value;
            found++;
        }
        line = newline != NULL ? newline + 1 : end;
    }
    return found;
}
