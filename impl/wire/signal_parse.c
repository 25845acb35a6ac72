/* The parser of signals, part two: objects, variants, whole messages.  It walks the same tables as
 * the writer (wire sheet 6). */
#include <assert.h>
#include <stdlib.h>

#include "wire/signal_frame.h"
#include "wire/signal_parser.h"

typedef wzp_signal_parser parser;

typedef struct owned {
    wzp_signal signal; /* first: the public pointer */
    wzp_signal_arena arena;
} owned;

static bool failed(const parser *p) {
    return wzp_signal_parser_failed(p);
}

static void assume(const wzp_field *f, void *at) {
    static const uint8_t versions[] = {WZP_PROTOCOL_VERSION};
    if (f->missing == WZP_MISSING_VERSION_2) {
        *(uint8_t *)at = WZP_PROTOCOL_VERSION;
    } else if (f->missing == WZP_MISSING_VERSIONS_2) {
        *(wzp_list_u8 *)at = (wzp_list_u8){versions, 1};
    }
}

/* Gives every field that did not come its default, or fails. */
static void complete(parser *p, const wzp_fields *object, uint8_t *base, uint32_t seen) {
    for (size_t i = 0; i < object->count && !failed(p); i++) {
        const wzp_field *f = &object->fields[i];
        if ((seen >> i & 1) == 0) {
            if (f->missing == WZP_MISSING_REQUIRED) {
                (void)wzp_json_reject(&p->json, f->name, 0);
            }
            assume(f, base + f->offset);
        }
    }
}

/* NOLINTBEGIN(misc-no-recursion): bounded by WZP_JSON_MAX_DEPTH. */

static void parse_field(parser *p, const wzp_fields *object, size_t i, uint8_t *base) {
    const wzp_field *f = &object->fields[i];
    wzp_signal_parse_value(p, f, base + f->offset);
}

static void parse_version(parser *p, uint8_t *version) {
    *version = (uint8_t)wzp_json_uint(&p->json, UINT8_MAX, "version");
}

/* Index of the field `key`, or the count of fields. */
static size_t find_field(const wzp_fields *object, wzp_bytes key) {
    size_t i = 0;
    while (i < object->count && !wzp_bytes_equal(key, wzp_bytes_str(object->fields[i].name))) {
        i++;
    }
    return i;
}

/* The bit of `seen` that stands for "version". */
enum { VERSION_BIT = 31 };

static void parse_member(parser *p, const wzp_fields *object, uint8_t *base, uint8_t *version,
                         uint32_t *seen) {
    uint8_t buf[WZP_JSON_NAME_MAX];
    const wzp_bytes key = wzp_json_key(&p->json, buf, object->name);
    const bool is_version = version != NULL && wzp_bytes_equal(key, wzp_bytes_str("version"));
    const size_t i = is_version ? VERSION_BIT : find_field(object, key);
    if (!is_version && i == object->count) {
        wzp_json_skip(&p->json, object->name);
        return;
    }
    if ((*seen >> i & 1) != 0) {
        (void)wzp_json_reject(&p->json, is_version ? "version" : object->fields[i].name, 2);
    }
    *seen |= UINT32_C(1) << i;
    if (is_version) {
        parse_version(p, version);
    } else {
        parse_field(p, object, i, base);
    }
}

/* {"field":value,...} in any order; bit i of the result: field i was there. */
static uint32_t parse_map(parser *p, const wzp_fields *object, uint8_t *base, uint8_t *version) {
    uint32_t seen = 0;
    bool first = true;
    assert(object->count < VERSION_BIT);
    wzp_json_begin(&p->json, '{', object->name);
    while (wzp_json_next(&p->json, '}', &first, object->name)) {
        parse_member(p, object, base, version, &seen);
    }
    return seen;
}

/* [value,...] in table order; trailing fields may be left out if they have a default. */
static uint32_t parse_sequence(parser *p, const wzp_fields *object, uint8_t *base,
                               uint8_t *version) {
    uint32_t seen = 0;
    size_t i = 0;
    bool first = true;
    wzp_json_begin(&p->json, '[', object->name);
    if (version != NULL && wzp_json_next(&p->json, ']', &first, object->name)) {
        parse_version(p, version);
    } else if (version != NULL) {
        return seen;
    }
    while (wzp_json_next(&p->json, ']', &first, object->name)) {
        if (i == object->count) {
            (void)wzp_json_reject(&p->json, object->name, i + 1);
            break;
        }
        seen |= UINT32_C(1) << i;
        parse_field(p, object, i++, base);
    }
    return seen;
}

void wzp_signal_parse_object(wzp_signal_parser *p, const wzp_fields *object, void *base,
                             uint8_t *version) {
    const uint32_t seen = wzp_json_peek(&p->json) == WZP_JSON_ARRAY
                              ? parse_sequence(p, object, base, version)
                              : parse_map(p, object, base, version);
    complete(p, object, base, seen);
}

/* WZP_SIGNAL_COUNT if no variant has that name. */
static wzp_signal_kind find_kind(wzp_bytes name) {
    unsigned i = 0;
    while (i < WZP_SIGNAL_COUNT &&
           !wzp_bytes_equal(name, wzp_bytes_str(wzp_signal_fields[i].name))) {
        i++;
    }
    return (wzp_signal_kind)i;
}

/* "Name" or "Name":null stand for variants without fields: the deployed reader takes Reflect only,
 * a lenient one all of them. */
static bool unit_allowed(const parser *p, wzp_signal_kind kind) {
    return kind == WZP_SIGNAL_REFLECT || (!p->strict && wzp_signal_has_no_fields(kind));
}

static void parse_body(parser *p, wzp_signal *out) {
    if (wzp_json_peek(&p->json) == WZP_JSON_NULL && unit_allowed(p, out->kind)) {
        wzp_json_null(&p->json, wzp_signal_name(out->kind));
    } else if (out->kind == WZP_SIGNAL_REFLECT && p->strict) {
        (void)wzp_json_reject(&p->json, "Reflect", 0);
    } else {
        wzp_signal_parse_object(p, &wzp_signal_fields[out->kind], &out->u, &out->version);
    }
}

/* The name of the variant; *body says whether ':' and a body follow. */
static wzp_signal_kind parse_variant(parser *p, bool *first, bool *body) {
    uint8_t buf[WZP_JSON_NAME_MAX];
    wzp_bytes name = {NULL, 0};
    *body = wzp_json_peek(&p->json) != WZP_JSON_STRING;
    size_t offset = wzp_rd_offset(&p->json.rd);
    if (!*body) {
        name = wzp_json_name(&p->json, buf, "variant");
    } else {
        wzp_json_begin(&p->json, '{', "variant");
        if (wzp_json_next(&p->json, '}', first, "variant")) {
            offset = wzp_rd_offset(&p->json.rd);
            name = wzp_json_key(&p->json, buf, "variant");
        }
    }
    const wzp_signal_kind kind = failed(p) ? WZP_SIGNAL_COUNT : find_kind(name);
    if (kind == WZP_SIGNAL_COUNT || (!*body && !unit_allowed(p, kind))) {
        (void)wzp_json_reject_at(&p->json, offset, "variant", 0);
    }
    return kind;
}

void wzp_signal_parse_message(wzp_signal_parser *p, wzp_signal *out) {
    bool first = true;
    bool body = false;
    out->version = 1;
    out->kind = parse_variant(p, &first, &body);
    if (!body || failed(p)) {
        return;
    }
    parse_body(p, out);
    if (wzp_json_next(&p->json, '}', &first, "variant")) {
        (void)wzp_json_reject(&p->json, "variant", 2);
    }
}

/* NOLINTEND(misc-no-recursion) */

static wzp_err refuse(wzp_fail *fail, wzp_fail why) {
    if (fail != NULL) {
        *fail = why;
    }
    return why.code;
}

wzp_err wzp_signal_parse(wzp_signal **out, wzp_bytes json, const wzp_signal_opts *opts,
                         wzp_fail *fail) {
    if (json.len > WZP_SIGNAL_MAX_LEN) {
        return refuse(fail, (wzp_fail){WZP_ERR_SIGNAL_TOO_LARGE, "length", 0, json.len});
    }
    owned *o = calloc(1, sizeof *o);
    if (o == NULL) {
        return refuse(fail, (wzp_fail){WZP_ERR_NOMEM, "SignalMessage", 0, sizeof *o});
    }
    parser p = {.arena = &o->arena, .strict = opts != NULL && opts->strict};
    wzp_json_init(&p.json, json);
    wzp_signal_parse_message(&p, &o->signal);
    wzp_json_end(&p.json);
    wzp_signal *signal = &o->signal;
    if (failed(&p)) {
        wzp_signal_free(&signal);
        return refuse(fail, p.json.rd.fail);
    }
    *out = signal;
    return WZP_OK;
}

void wzp_signal_free(wzp_signal **signal) {
    if (*signal == NULL) {
        return;
    }
    owned *o = (owned *)(void *)*signal;
    wzp_signal_arena_clear(&o->arena);
    free(o);
    *signal = NULL;
}

const char *wzp_signal_peek_name(wzp_bytes json, char *buf, size_t cap) {
    wzp_json reader;
    uint8_t text[WZP_JSON_NAME_MAX];
    bool first = true;
    wzp_bytes name = {NULL, 0};
    assert(cap > 0);
    wzp_json_init(&reader, json);
    if (wzp_json_peek(&reader) == WZP_JSON_STRING) {
        name = wzp_json_name(&reader, text, "variant");
    } else {
        wzp_json_begin(&reader, '{', "variant");
        if (wzp_json_next(&reader, '}', &first, "variant")) {
            name = wzp_json_key(&reader, text, "variant");
        }
    }
    size_t used = 0;
    for (size_t i = 0; reader.rd.fail.code == WZP_OK && i < name.len && used + 1 < cap; i++) {
        const uint8_t c = name.data[i];
        buf[used++] = (char)(c > 0x20 && c < 0x7f ? c : '?');
    }
    buf[used] = '\0';
    return buf;
}
