#include "nat/port_alloc.h"

#include <stdio.h>
#include <stdlib.h>

/* --- classification --------------------------------------------------------------------------- */

/* Ports are a circle: the shorter way round, as 16 bits hold it. */
static int step(uint16_t from, uint16_t to) {
    int delta = to - from;
    if (delta > 32768) {
        delta -= 65536;
    } else if (delta < -32768) {
        delta += 65536;
    }
    return delta == 32768 ? -32768 : delta;
}

static bool all_equal(const uint16_t *ports, size_t count) {
    for (size_t i = 1; i < count; i++) {
        if (ports[i] != ports[0]) {
            return false;
        }
    }
    return true;
}

static bool all_near_the_first(const int *deltas, size_t count) {
    for (size_t i = 1; i < count; i++) {
        if (abs(deltas[i] - deltas[0]) > 1) {
            return false;
        }
    }
    return true;
}

/* The first of those that are the most frequent. */
static int most_frequent(const int *deltas, size_t count, size_t *times) {
    int best = 0;
    *times = 0;
    for (size_t i = 0; i < count; i++) {
        size_t same = 0;
        for (size_t k = 0; k < count; k++) {
            same += deltas[k] == deltas[i] ? 1 : 0;
        }
        if (same > *times) {
            *times = same;
            best = deltas[i];
        }
    }
    return best;
}

static wzp_port_alloc of_deltas(const int *deltas, size_t count) {
    size_t times = 0;
    const int usual = most_frequent(deltas, count, &times);
    if (deltas[0] == 0) {
        return (wzp_port_alloc){WZP_PORT_ALLOC_RANDOM, 0};
    }
    if (all_near_the_first(deltas, count)) {
        return (wzp_port_alloc){WZP_PORT_ALLOC_SEQUENTIAL, (int16_t)deltas[0]};
    }
    if (5 * times >= 3 * count && usual != 0) { /* 60 % */
        return (wzp_port_alloc){WZP_PORT_ALLOC_SEQUENTIAL, (int16_t)usual};
    }
    return (wzp_port_alloc){WZP_PORT_ALLOC_RANDOM, 0};
}

wzp_port_alloc wzp_port_alloc_classify(const uint16_t *ports, size_t count) {
    int deltas[WZP_PORT_ALLOC_PROBES_MAX - 1];
    count = count < WZP_PORT_ALLOC_PROBES_MAX ? count : WZP_PORT_ALLOC_PROBES_MAX;
    if (count >= 2 && all_equal(ports, count)) {
        return (wzp_port_alloc){WZP_PORT_ALLOC_PRESERVING, 0};
    }
    if (count < 3) {
        return (wzp_port_alloc){WZP_PORT_ALLOC_UNKNOWN, 0};
    }
    for (size_t i = 0; i + 1 < count; i++) {
        deltas[i] = step(ports[i], ports[i + 1]);
    }
    return of_deltas(deltas, count - 1);
}

static int common_divisor(int a, int b) {
    while (b != 0) {
        const int rest = a % b;
        a = b;
        b = rest;
    }
    return abs(a);
}

/* 0: these do not count. */
static int common_step(const uint16_t *ports, size_t count) {
    int divisor = 0;
    int way = 0;
    const int first = step(ports[0], ports[1]);
    for (size_t i = 0; i + 1 < count; i++) {
        const int delta = step(ports[i], ports[i + 1]);
        if (delta == 0 || (delta > 0) != (first > 0) || abs(delta) > WZP_PORT_ALLOC_WAY_MAX - way) {
            return 0;
        }
        way += abs(delta);
        divisor = common_divisor(delta, divisor);
    }
    return first > 0 ? divisor : -divisor;
}

wzp_port_alloc wzp_port_alloc_classify_shared(const uint16_t *ports, size_t count) {
    count = count < WZP_PORT_ALLOC_PROBES_MAX ? count : WZP_PORT_ALLOC_PROBES_MAX;
    for (size_t part = count; part >= 3; part--) {
        for (size_t skip = 0; skip + part <= count; skip++) {
            const int delta = common_step(ports + skip, part);
            if (delta != 0) {
                return (wzp_port_alloc){WZP_PORT_ALLOC_SEQUENTIAL, (int16_t)delta};
            }
        }
    }
    return wzp_port_alloc_classify(ports, count);
}

/* --- text ------------------------------------------------------------------------------------- */

const char *wzp_port_alloc_text(wzp_port_alloc alloc, char buf[WZP_PORT_ALLOC_TEXT_MAX]) {
    switch (alloc.kind) {
    case WZP_PORT_ALLOC_PRESERVING:
        return "port-preserving";
    case WZP_PORT_ALLOC_RANDOM:
        return "random";
    case WZP_PORT_ALLOC_SEQUENTIAL:
        (void)snprintf(buf, WZP_PORT_ALLOC_TEXT_MAX, "sequential(delta=%d)", alloc.delta);
        return buf;
    case WZP_PORT_ALLOC_UNKNOWN:
        break;
    }
    return "unknown";
}

/* A decimal of 16 bits with its sign, followed by `end` and nothing else. */
static bool read_delta(int16_t *out, const char *text, const char *end) {
    int value = 0;
    const bool minus = *text == '-';
    text += minus || *text == '+' ? 1 : 0;
    if (*text < '0' || *text > '9') {
        return false;
    }
    for (; *text >= '0' && *text <= '9' && value <= 32768; text++) {
        value = 10 * value + (*text - '0');
    }
    value = minus ? -value : value;
    if (strcmp(text, end) != 0 || value < INT16_MIN || value > INT16_MAX) {
        return false;
    }
    *out = (int16_t)value;
    return true;
}

wzp_err wzp_port_alloc_parse(wzp_port_alloc *out, const char *text) {
    static const struct word {
        const char *text;
        wzp_port_alloc_kind kind;
    } words[] = {{"port-preserving", WZP_PORT_ALLOC_PRESERVING},
                 {"preserving", WZP_PORT_ALLOC_PRESERVING},
                 {"random", WZP_PORT_ALLOC_RANDOM},
                 {"unknown", WZP_PORT_ALLOC_UNKNOWN}};
    static const char *const forms[][2] = {{"sequential(delta=", ")"}, {"sequential:", ""}};
    for (size_t i = 0; i < WZP_COUNT_OF(words); i++) {
        if (strcmp(text, words[i].text) == 0) {
            *out = (wzp_port_alloc){words[i].kind, 0};
            return WZP_OK;
        }
    }
    for (size_t i = 0; i < WZP_COUNT_OF(forms); i++) {
        const size_t len = strlen(forms[i][0]);
        int16_t delta = 0;
        if (strncmp(text, forms[i][0], len) == 0 && read_delta(&delta, text + len, forms[i][1])) {
            *out = (wzp_port_alloc){WZP_PORT_ALLOC_SEQUENTIAL, delta};
            return WZP_OK;
        }
    }
    return WZP_ERR_PARSE;
}

/* --- prediction ------------------------------------------------------------------------------- */

uint16_t wzp_port_alloc_last(const uint16_t *ports, size_t count, int16_t delta) {
    const int way = step(ports[0], ports[count - 1]);
    return (way > 0) == (delta > 0) ? ports[count - 1] : ports[0];
}

/* Keeps `out[count]` sorted and without repetitions; returns the new count. */
static size_t insert(uint16_t *out, size_t count, uint16_t port) {
    size_t at = count;
    while (at > 0 && out[at - 1] > port) {
        at--;
    }
    if (at > 0 && out[at - 1] == port) {
        return count;
    }
    memmove(out + at + 1, out + at, (count - at) * sizeof *out);
    out[at] = port;
    return count + 1;
}

size_t wzp_port_alloc_predict(uint16_t *out, uint16_t last, int16_t delta, unsigned offset,
                              unsigned spread) {
    size_t count = 0;
    spread = spread < WZP_PORT_ALLOC_SPREAD_MAX ? spread : WZP_PORT_ALLOC_SPREAD_MAX;
    const unsigned stride = (uint16_t)delta; /* modulo 65536 all this is unsigned */
    unsigned port = last + stride * (offset + 1 - spread);
    for (unsigned i = 0; i < 2 * spread + 1; i++, port += stride) {
        if ((uint16_t)port != 0) {
            count = insert(out, count, (uint16_t)port);
        }
    }
    return count;
}

size_t wzp_port_alloc_follow(uint16_t *out, size_t count, uint16_t last, int16_t delta) {
    size_t written = 0;
    for (size_t k = 1; k <= count; k++) {
        const uint16_t port = (uint16_t)(last + k * (uint16_t)delta);
        if (port != 0) {
            out[written++] = port;
        }
    }
    return written;
}
