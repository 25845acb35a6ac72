#include "bin/relay/metrics_sum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line "name{labels} value", or a comment before samples of a name. */
typedef struct line {
    wzp_bytes key;    /* all before the value; of a comment the whole line */
    wzp_bytes family; /* the name that the last comment gave */
    bool is_comment, is_whole;
    uint64_t whole;
    double value;
    struct line *next;   /* in the chain of its bucket */
    size_t order, place; /* of its family, and within it */
} line;

typedef struct sum {
    line *lines;
    size_t count, buckets;
    line **table;
    size_t families;
} sum;

static size_t hash(wzp_bytes text) {
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < text.len; i++) {
        h = (h ^ text.data[i]) * UINT64_C(0x100000001b3);
    }
    return (size_t)(h ^ h >> 32);
}

static bool same(wzp_bytes a, wzp_bytes b) {
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static bool ends_with(wzp_bytes text, const char *end) {
    const size_t len = strlen(end);
    return text.len >= len && memcmp(text.data + text.len - len, end, len) == 0;
}

static line *find(const sum *s, wzp_bytes key) {
    line *l = s->table[hash(key) & (s->buckets - 1)];
    while (l != NULL && !same(l->key, key)) {
        l = l->next;
    }
    return l;
}

/* "# HELP name ..." gives "name". */
static wzp_bytes named(wzp_bytes comment) {
    size_t from = 7;
    size_t to = from;
    while (to < comment.len && comment.data[to] != ' ') {
        to++;
    }
    return comment.len > from ? wzp_bytes_of(comment.data + from, to - from) : comment;
}

static bool parse(line *l, wzp_bytes text, wzp_bytes family) {
    char value[64];
    char *end = NULL;
    size_t at = text.len;
    *l = (line){.is_comment = text.len > 0 && text.data[0] == '#'};
    if (l->is_comment) {
        l->key = text;
        l->family = named(text);
        return true;
    }
    while (at > 0 && text.data[at - 1] != ' ') {
        at--;
    }
    const size_t len = text.len - at;
    if (at < 2 || len == 0 || len >= sizeof value) {
        return false;
    }
    memcpy(value, text.data + at, len);
    value[len] = '\0';
    l->key = wzp_bytes_of(text.data, at - 1);
    l->family = family;
    l->is_whole = strspn(value, "0123456789") == len;
    l->whole = l->is_whole ? strtoull(value, &end, 10) : 0;
    l->value = strtod(value, &end);
    return *end == '\0';
}

static void add(sum *s, const line *l) {
    line *known = find(s, l->key);
    if (known == NULL) {
        line *fresh = &s->lines[s->count];
        line **bucket = &s->table[hash(l->key) & (s->buckets - 1)];
        *fresh = *l;
        fresh->place = s->count++;
        fresh->next = *bucket;
        *bucket = fresh;
        /* A family's place is that of its first line. */
        fresh->order = fresh->place;
        for (size_t i = fresh->place; i-- > 0;) {
            if (same(s->lines[i].family, fresh->family)) {
                fresh->order = s->lines[i].order;
                break;
            }
        }
    } else if (!l->is_comment &&
               (ends_with(l->family, "_info") || ends_with(l->family, "_draining"))) {
        known->whole = l->whole > known->whole ? l->whole : known->whole;
        known->value = l->value > known->value ? l->value : known->value;
    } else if (!l->is_comment) {
        known->is_whole = known->is_whole && l->is_whole;
        known->whole += l->whole;
        known->value += l->value;
    }
}

static wzp_err read_page(sum *s, wzp_bytes page) {
    wzp_bytes family = {0};
    for (size_t at = 0; at < page.len;) {
        const uint8_t *end = memchr(page.data + at, '\n', page.len - at);
        const size_t len = end != NULL ? (size_t)(end - page.data) - at : page.len - at;
        line l;
        if (len > 0 && !parse(&l, wzp_bytes_of(page.data + at, len), family)) {
            return WZP_ERR_PARSE;
        }
        if (len > 0) {
            family = l.family;
            add(s, &l);
        }
        at += len + 1;
    }
    return WZP_OK;
}

static int by_family(const void *a, const void *b) {
    const line *x = a;
    const line *y = b;
    if (x->order != y->order) {
        return x->order < y->order ? -1 : 1;
    }
    return x->place < y->place ? -1 : x->place > y->place;
}

static void write(const line *l, wzp_wr *out) {
    char value[64] = "";
    if (!l->is_comment && l->is_whole) {
        (void)snprintf(value, sizeof value, " %llu", (unsigned long long)l->whole);
    } else if (!l->is_comment) {
        (void)snprintf(value, sizeof value, " %.9g", l->value);
    }
    wzp_wr_bytes(out, l->key);
    wzp_wr_str(out, value);
    wzp_wr_str(out, "\n");
}

static size_t lines_of(const wzp_bytes *pages, size_t count) {
    size_t lines = count;
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 0; at < pages[i].len; at++) {
            lines += pages[i].data[at] == '\n';
        }
    }
    return lines;
}

wzp_err wzp_metrics_sum(const wzp_bytes *pages, size_t count, wzp_wr *out) {
    const size_t lines = lines_of(pages, count);
    sum s = {.buckets = 64};
    while (s.buckets < lines) {
        s.buckets *= 2;
    }
    s.lines = calloc(lines + 1, sizeof *s.lines);
    s.table = calloc(s.buckets, sizeof(line *));
    wzp_err err = s.lines != NULL && s.table != NULL ? WZP_OK : WZP_ERR_NOMEM;
    for (size_t i = 0; i < count && err == WZP_OK; i++) {
        err = read_page(&s, pages[i]);
    }
    if (err == WZP_OK) {
        qsort(s.lines, s.count, sizeof *s.lines, by_family);
        for (size_t i = 0; i < s.count; i++) {
            write(&s.lines[i], out);
        }
        err = wzp_wr_end(out);
    }
    free(s.lines);
    free(s.table);
    return err;
}
