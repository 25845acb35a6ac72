#include "io/riff.h"

#include <stdarg.h>
#include <stdio.h>

enum { RIFF_HEAD = 12, CHUNK_HEAD = 8, FORMAT_MIN = 16, NAME = 4 };

typedef struct walk {
    wzp_bytes head;
    uint64_t file_size, at;
    char name[NAME + 1]; /* of the chunk at `at`, printable */
    uint32_t size;       /* of its content */
    bool has_format, has_data;
    char *why;
} walk;

static uint32_t number(const walk *w, uint64_t at, unsigned bytes) {
    uint32_t value = 0;
    for (unsigned i = bytes; i > 0; i--) {
        value = value << 8 | w->head.data[at + i - 1];
    }
    return value;
}

static void name_at(const walk *w, uint64_t at, char out[NAME + 1]) {
    for (size_t i = 0; i < NAME; i++) {
        const uint8_t c = w->head.data[at + i];
        out[i] = (char)(c >= 0x20 && c < 0x7f ? c : '?');
    }
    out[NAME] = '\0';
}

__attribute__((format(printf, 2, 3))) static bool fault(walk *w, const char *format, ...) {
    va_list args;
    const int n = snprintf(w->why, WZP_RIFF_WHY_MAX, "chunk \"%s\" at byte %llu: ", w->name,
                           (unsigned long long)w->at);
    va_start(args, format);
    (void)vsnprintf(w->why + n, WZP_RIFF_WHY_MAX - (size_t)n, format, args);
    va_end(args);
    return true;
}

static bool head_is_wrong(walk *w) {
    char found[NAME + 1];
    (void)snprintf(w->name, sizeof w->name, "RIFF");
    if (w->head.len < RIFF_HEAD) {
        return fault(w, "the file ends after %zu bytes, expected 12 or more", w->head.len);
    }
    name_at(w, 0, found);
    if (strcmp(found, "RIFF") != 0) {
        return fault(w, "expected \"RIFF\", found \"%s\"", found);
    }
    name_at(w, 8, found);
    return strcmp(found, "WAVE") != 0 &&
           fault(w, "expected the form \"WAVE\", found \"%s\"", found);
}

static bool format_is_wrong(walk *w) {
    const uint64_t at = w->at + CHUNK_HEAD;
    if (w->size < FORMAT_MIN) {
        return fault(w, "expected 16 bytes or more, found %u", w->size);
    }
    if (at + FORMAT_MIN > w->head.len) {
        return fault(w, "the file ends within it");
    }
    const uint32_t channels = number(w, at + 2, 2);
    const uint32_t rate = number(w, at + 4, 4);
    if (channels == 0 || rate == 0) {
        return fault(w, "%u channels at %u Hz", channels, rate);
    }
    w->has_format = true;
    return false;
}

static bool chunk_is_wrong(walk *w) {
    if (strcmp(w->name, "fmt ") == 0) {
        return format_is_wrong(w);
    }
    if (strcmp(w->name, "data") == 0 && !w->has_format) {
        return fault(w, "expected a chunk \"fmt \" before it");
    }
    w->has_data = w->has_data || strcmp(w->name, "data") == 0;
    const uint64_t there = w->file_size - w->at - CHUNK_HEAD;
    return w->size > there &&
           fault(w, "announces %u bytes, the file has %llu", w->size, (unsigned long long)there);
}

static bool end_is_wrong(walk *w) {
    (void)snprintf(w->name, sizeof w->name, "%s", w->has_format ? "data" : "fmt ");
    return !w->has_data && fault(w, "it is missing, the file ends here");
}

bool wzp_riff_fault(wzp_bytes head, uint64_t file_size, char why[WZP_RIFF_WHY_MAX]) {
    walk w = {.head = head, .file_size = file_size, .why = why};
    why[0] = '\0';
    if (head_is_wrong(&w)) {
        return true;
    }
    w.at = RIFF_HEAD;
    while (w.at + CHUNK_HEAD <= head.len) {
        name_at(&w, w.at, w.name);
        w.size = number(&w, w.at + NAME, 4);
        if (chunk_is_wrong(&w)) {
            return true;
        }
        w.at += CHUNK_HEAD + (uint64_t)w.size + (w.size & 1); /* padded to even lengths */
    }
    if (w.at < file_size && w.at + CHUNK_HEAD > file_size) {
        (void)snprintf(w.name, sizeof w.name, "????");
        return !w.has_data && fault(&w, "the file ends within its head");
    }
    return w.at >= file_size && end_is_wrong(&w);
}
