/* The parser of signals: walks the same tables as the writer (wire sheet 6). */
#include <assert.h>
#include <stdlib.h>

#include "wire/json.h"
#include "wire/signal_fields.h"
#include "wire/signal_frame.h"

/* Everything that a parsed signal owns, in a chain of blocks freed at once. */
typedef struct block {
    struct block *next;
    size_t used, cap;
    _Alignas(16) uint8_t data[];
} block;

typedef struct owned {
    wzp_signal signal; /* first: the public pointer */
    block *blocks;
} owned;

typedef struct parser {
    wzp_json json;
    block **blocks;
    bool strict, out_of_memory;
    bool unknown_codec; /* the last failure was a name that a newer peer may use */
} parser;

static bool failed(const parser *p) {
    return p->json.rd.fail.code != WZP_OK || p->out_of_memory;
}

static void *reserve(parser *p, size_t size) {
    const size_t need = (size + 15) & ~(size_t)15;
    block *b = *p->blocks;
    if (b == NULL || b->cap - b->used < need) {
        const size_t cap = need > 1024 ? need : 1024;
        b = malloc(sizeof *b + cap);
        if (b == NULL) {
            p->out_of_memory = true;
            return NULL;
        }
        *b = (block){.next = *p->blocks, .cap = cap};
        *p->blocks = b;
    }
    void *at = b->data + b->used;
    b->used += need;
    return at;
}

/* Grows by doubling into fresh space; what is left behind stays below the final size. */
typedef struct list {
    uint8_t *items;
    size_t count, cap, size;
} list;

static void *list_add(parser *p, list *l) {
    if (l->count == l->cap) {
        const size_t cap = l->cap == 0 ? 8 : 2 * l->cap;
        uint8_t *items = reserve(p, cap * l->size);
        if (items == NULL) {
            return NULL;
        }
        if (l->count != 0) {
            memcpy(items, l->items, l->count * l->size);
        }
        l->items = items;
        l->cap = cap;
    }
    return l->items + l->size * l->count++;
}

static void parse_object(parser *p, const wzp_fields *object, void *base, uint8_t *version);
static void parse_signal(parser *p, wzp_signal *out);

static wzp_bytes parse_string(parser *p, const char *field) {
    const wzp_bytes raw = wzp_json_raw_string(&p->json, field);
    uint8_t *text = failed(p) ? NULL : reserve(p, raw.len + 1);
    if (text == NULL) {
        return wzp_bytes_of(NULL, 0);
    }
    const size_t len = wzp_json_unescape(text, raw);
    if (len == SIZE_MAX) {
        (void)wzp_rd_reject(&p->json.rd, WZP_ERR_SIGNAL_JSON, field, raw.len + 1, 0);
        return wzp_bytes_of(NULL, 0);
    }
    text[len] = '\0';
    return wzp_bytes_of(text, len);
}

static uint8_t parse_name(parser *p, const char *const *names, size_t count, const char *field) {
    const wzp_bytes name = wzp_json_raw_string(&p->json, field);
    for (size_t i = 0; i < count && !failed(p); i++) {
        if (wzp_bytes_equal(name, wzp_bytes_str(names[i]))) {
            return (uint8_t)i;
        }
    }
    (void)wzp_rd_reject(&p->json.rd, WZP_ERR_SIGNAL_JSON, field, 0, 0);
    return 0;
}

static uint8_t parse_codec(parser *p, const char *field) {
    const wzp_bytes name = wzp_json_raw_string(&p->json, field);
    const int codec = failed(p) ? 0 : wzp_codec_by_name(name);
    if (codec < 0) {
        p->unknown_codec = true;
        (void)wzp_json_reject(&p->json, field, 0);
        return 0;
    }
    return (uint8_t)codec;
}

static void parse_key(parser *p, uint8_t out[32], const char *field) {
    size_t count = 0;
    bool first = true;
    wzp_json_begin(&p->json, '[', field);
    while (wzp_json_next(&p->json, ']', &first, field)) {
        const uint8_t byte = (uint8_t)wzp_json_uint(&p->json, UINT8_MAX, field);
        if (count == 32) {
            (void)wzp_json_reject(&p->json, field, 33);
            return;
        }
        out[count++] = byte;
    }
    if (!failed(p) && count != 32) {
        (void)wzp_json_reject(&p->json, field, count);
    }
}

/* One element of a list of numbers, names or objects, into *at. */
static void parse_element(parser *p, wzp_field_kind kind, void *at, const char *field) {
    switch (kind) {
    case WZP_FIELD_BYTES:
        *(uint8_t *)at = (uint8_t)wzp_json_uint(&p->json, UINT8_MAX, field);
        break;
    case WZP_FIELD_LIST_CODEC:
        *(uint8_t *)at = parse_codec(p, field);
        break;
    case WZP_FIELD_LIST_U16:
        *(uint16_t *)at = (uint16_t)wzp_json_uint(&p->json, UINT16_MAX, field);
        break;
    case WZP_FIELD_LIST_U32:
        *(uint32_t *)at = (uint32_t)wzp_json_uint(&p->json, UINT32_MAX, field);
        break;
    case WZP_FIELD_LIST_STR:
        *(wzp_bytes *)at = parse_string(p, field);
        break;
    case WZP_FIELD_LIST_PROFILE:
        parse_object(p, &wzp_fields_profile, at, NULL);
        break;
    case WZP_FIELD_LIST_PARTICIPANT:
        parse_object(p, &wzp_fields_participant, at, NULL);
        break;
    default:
        parse_object(p, &wzp_fields_user, at, NULL);
        break;
    }
}

static size_t element_size(wzp_field_kind kind) {
    switch (kind) {
    case WZP_FIELD_LIST_U16:
        return sizeof(uint16_t);
    case WZP_FIELD_LIST_U32:
        return sizeof(uint32_t);
    case WZP_FIELD_LIST_STR:
        return sizeof(wzp_bytes);
    case WZP_FIELD_LIST_PROFILE:
        return sizeof(wzp_quality_profile);
    case WZP_FIELD_LIST_PARTICIPANT:
        return sizeof(wzp_room_participant);
    case WZP_FIELD_LIST_USER:
        return sizeof(wzp_presence_user);
    default:
        return 1;
    }
}

/* All list structs are {const T *items; size_t count}. */
static void store_list(wzp_field_kind kind, void *at, const list *l) {
    switch (kind) {
    case WZP_FIELD_LIST_U16:
        *(wzp_list_u16 *)at = (wzp_list_u16){(const uint16_t *)(const void *)l->items, l->count};
        break;
    case WZP_FIELD_LIST_U32:
        *(wzp_list_u32 *)at = (wzp_list_u32){(const uint32_t *)(const void *)l->items, l->count};
        break;
    case WZP_FIELD_LIST_STR:
        *(wzp_list_str *)at = (wzp_list_str){(const wzp_bytes *)(const void *)l->items, l->count};
        break;
    case WZP_FIELD_LIST_PROFILE:
        *(wzp_list_profile *)at =
            (wzp_list_profile){(const wzp_quality_profile *)(const void *)l->items, l->count};
        break;
    case WZP_FIELD_LIST_PARTICIPANT:
        *(wzp_list_participant *)at =
            (wzp_list_participant){(const wzp_room_participant *)(const void *)l->items, l->count};
        break;
    case WZP_FIELD_LIST_USER:
        *(wzp_list_user *)at =
            (wzp_list_user){(const wzp_presence_user *)(const void *)l->items, l->count};
        break;
    default:
        *(wzp_list_u8 *)at = (wzp_list_u8){l->items, l->count};
        break;
    }
}

/* A codec that we do not know must not cost a newer peer its call: skip the element. */
static bool skip_unknown_element(parser *p, const wzp_json *before, const char *field) {
    if (p->strict || !p->unknown_codec || p->out_of_memory) {
        return false;
    }
    p->json = *before;
    p->unknown_codec = false;
    wzp_json_skip(&p->json, field);
    return !failed(p);
}

static void parse_list(parser *p, wzp_field_kind kind, void *at, const char *field) {
    list l = {.size = element_size(kind)};
    bool first = true;
    wzp_json_begin(&p->json, '[', field);
    while (wzp_json_next(&p->json, ']', &first, field)) {
        const wzp_json before = p->json;
        void *element = list_add(p, &l);
        if (element == NULL) {
            return;
        }
        memset(element, 0, l.size);
        parse_element(p, kind, element, field);
        if (failed(p)) {
            l.count--;
            if (!skip_unknown_element(p, &before, field)) {
                return;
            }
        }
    }
    store_list(kind, at, &l);
}

static void parse_resolution(parser *p, wzp_opt_resolution *out, const char *field) {
    uint64_t side[2] = {0, 0};
    size_t count = 0;
    bool first = true;
    wzp_json_begin(&p->json, '[', field);
    while (wzp_json_next(&p->json, ']', &first, field)) {
        if (count == 2) {
            (void)wzp_json_reject(&p->json, field, 3);
            return;
        }
        side[count++] = wzp_json_uint(&p->json, UINT16_MAX, field);
    }
    if (!failed(p) && count != 2) {
        (void)wzp_json_reject(&p->json, field, count);
    }
    *out = (wzp_opt_resolution){true, (uint16_t)side[0], (uint16_t)side[1]};
}

static void parse_reason_object(parser *p, wzp_hangup_reason *out) {
    bool first = true;
    wzp_json_begin(&p->json, '{', "reason");
    if (!wzp_json_next(&p->json, '}', &first, "reason")) {
        (void)wzp_json_reject(&p->json, "reason", 0);
        return;
    }
    const wzp_bytes key = wzp_json_key(&p->json, "reason");
    if (wzp_bytes_equal(key, wzp_bytes_str("ProtocolVersionMismatch"))) {
        out->kind = WZP_HANGUP_VERSION_MISMATCH;
        parse_object(p, &wzp_fields_mismatch, out, NULL);
    } else if (wzp_bytes_equal(key, wzp_bytes_str("PolicyViolation"))) {
        out->kind = WZP_HANGUP_POLICY_VIOLATION;
        parse_object(p, &wzp_fields_policy, out, NULL);
    } else {
        (void)wzp_json_reject(&p->json, "reason", 0);
    }
    if (wzp_json_next(&p->json, '}', &first, "reason")) {
        (void)wzp_json_reject(&p->json, "reason", 2);
    }
}

static void parse_reason(parser *p, wzp_hangup_reason *out) {
    static const char *const names[] = {"Normal", "Busy", "Declined", "Timeout", "Error"};
    const wzp_json before = p->json;
    if (wzp_json_peek(&p->json) == WZP_JSON_STRING) {
        out->kind = parse_name(p, names, WZP_COUNT_OF(names), "reason");
    } else {
        parse_reason_object(p, out);
    }
    if (failed(p) && !p->strict && !p->out_of_memory) {
        /* A hangup for a reason that we do not know is still a hangup (wire sheet 9). */
        p->json = before;
        *out = (wzp_hangup_reason){.kind = WZP_HANGUP_ERROR};
        wzp_json_skip(&p->json, "reason");
    }
}

static void parse_inner(parser *p, wzp_inner_signal *out) {
    wzp_signal *inner = reserve(p, sizeof *inner);
    if (inner != NULL) {
        memset(inner, 0, sizeof *inner);
        parse_signal(p, inner);
        out->signal = inner;
    }
}

/* Optionals: null is "none". */
static bool parse_optional(parser *p, const wzp_field *f, void *at) {
    if (f->missing != WZP_MISSING_NONE) {
        return false;
    }
    if (wzp_json_peek(&p->json) == WZP_JSON_NULL) {
        wzp_json_null(&p->json, f->name);
        return true; /* the struct is zero already */
    }
    switch (f->kind) {
    case WZP_FIELD_OPT_STR:
        *(wzp_opt_str *)at = (wzp_opt_str){true, parse_string(p, f->name)};
        break;
    case WZP_FIELD_OPT_U8:
        *(wzp_opt_u8 *)at =
            (wzp_opt_u8){true, (uint8_t)wzp_json_uint(&p->json, UINT8_MAX, f->name)};
        break;
    case WZP_FIELD_OPT_CODEC:
        *(wzp_opt_u8 *)at = (wzp_opt_u8){true, parse_codec(p, f->name)};
        break;
    case WZP_FIELD_OPT_U32:
        *(wzp_opt_u32 *)at =
            (wzp_opt_u32){true, (uint32_t)wzp_json_uint(&p->json, UINT32_MAX, f->name)};
        break;
    case WZP_FIELD_OPT_F32:
        *(wzp_opt_f32 *)at = (wzp_opt_f32){true, (float)wzp_json_number(&p->json, f->name)};
        break;
    case WZP_FIELD_OPT_KEY:
        parse_key(p, ((wzp_opt_key *)at)->value, f->name);
        ((wzp_opt_key *)at)->present = true;
        break;
    case WZP_FIELD_OPT_BYTES:
        parse_list(p, WZP_FIELD_BYTES, &((wzp_opt_bytes *)at)->value, f->name);
        ((wzp_opt_bytes *)at)->present = true;
        break;
    case WZP_FIELD_OPT_RESOLUTION:
        parse_resolution(p, at, f->name);
        break;
    default:
        assert(f->kind == WZP_FIELD_OPT_PROFILE);
        parse_object(p, &wzp_fields_profile, &((wzp_opt_profile *)at)->value, NULL);
        ((wzp_opt_profile *)at)->present = true;
        break;
    }
    return true;
}

static void parse_value(parser *p, const wzp_field *f, void *at) {
    if (parse_optional(p, f, at)) {
        return;
    }
    switch (f->kind) {
    case WZP_FIELD_U8:
        *(uint8_t *)at = (uint8_t)wzp_json_uint(&p->json, UINT8_MAX, f->name);
        break;
    case WZP_FIELD_U16:
        *(uint16_t *)at = (uint16_t)wzp_json_uint(&p->json, UINT16_MAX, f->name);
        break;
    case WZP_FIELD_U32:
        *(uint32_t *)at = (uint32_t)wzp_json_uint(&p->json, UINT32_MAX, f->name);
        break;
    case WZP_FIELD_U64:
        *(uint64_t *)at = wzp_json_uint(&p->json, UINT64_MAX, f->name);
        break;
    case WZP_FIELD_F32:
        *(float *)at = (float)wzp_json_number(&p->json, f->name);
        break;
    case WZP_FIELD_BOOL:
        *(bool *)at = wzp_json_bool(&p->json, f->name);
        break;
    case WZP_FIELD_STR:
        *(wzp_bytes *)at = parse_string(p, f->name);
        break;
    case WZP_FIELD_KEY:
        parse_key(p, ((wzp_key *)at)->bytes, f->name);
        break;
    case WZP_FIELD_CODEC:
        *(uint8_t *)at = parse_codec(p, f->name);
        break;
    case WZP_FIELD_PRIORITY:
        *(uint8_t *)at = parse_name(p, wzp_priority_names, 4, f->name);
        break;
    case WZP_FIELD_ACCEPT:
        *(uint8_t *)at = parse_name(p, wzp_accept_names, 3, f->name);
        break;
    case WZP_FIELD_CODE:
        *(uint8_t *)at = parse_name(p, wzp_code_names, WZP_CODE_COUNT, f->name);
        break;
    case WZP_FIELD_PROFILE:
        parse_object(p, &wzp_fields_profile, at, NULL);
        break;
    case WZP_FIELD_REPORT:
        parse_object(p, &wzp_fields_report, at, NULL);
        break;
    case WZP_FIELD_REASON:
        parse_reason(p, at);
        break;
    case WZP_FIELD_SIGNAL:
        parse_inner(p, at);
        break;
    default:
        parse_list(p, f->kind, at, f->name);
        break;
    }
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

/* {"field":value,...} in any order. */
static uint32_t parse_map(parser *p, const wzp_fields *object, uint8_t *base, uint8_t *version) {
    uint32_t seen = 0;
    bool version_seen = false;
    bool first = true;
    wzp_json_begin(&p->json, '{', object->name);
    while (wzp_json_next(&p->json, '}', &first, object->name)) {
        const wzp_bytes key = wzp_json_key(&p->json, object->name);
        size_t i = 0;
        while (i < object->count && !wzp_bytes_equal(key, wzp_bytes_str(object->fields[i].name))) {
            i++;
        }
        const bool is_version = version != NULL && wzp_bytes_equal(key, wzp_bytes_str("version"));
        if (failed(p)) {
            break;
        }
        if ((is_version && version_seen) || (i < object->count && (seen >> i & 1) != 0)) {
            (void)wzp_json_reject(&p->json, is_version ? "version" : object->fields[i].name, 2);
        } else if (is_version) {
            version_seen = true;
            *version = (uint8_t)wzp_json_uint(&p->json, UINT8_MAX, "version");
        } else if (i < object->count) {
            seen |= UINT32_C(1) << i;
            parse_value(p, &object->fields[i], base + object->fields[i].offset);
        } else {
            wzp_json_skip(&p->json, object->name);
        }
    }
    return seen;
}

/* [value,...] in table order; trailing fields may be left out if they have a default. */
static uint32_t parse_sequence(parser *p, const wzp_fields *object, uint8_t *base,
                               uint8_t *version) {
    uint32_t seen = 0;
    size_t i = 0;
    bool first = true;
    bool want_version = version != NULL;
    wzp_json_begin(&p->json, '[', object->name);
    while (wzp_json_next(&p->json, ']', &first, object->name)) {
        if (want_version) {
            *version = (uint8_t)wzp_json_uint(&p->json, UINT8_MAX, "version");
            want_version = false;
        } else if (i < object->count) {
            seen |= UINT32_C(1) << i;
            parse_value(p, &object->fields[i], base + object->fields[i].offset);
            i++;
        } else {
            (void)wzp_json_reject(&p->json, object->name, i + 1);
        }
    }
    return seen;
}

static void parse_object(parser *p, const wzp_fields *object, void *base, uint8_t *version) {
    if (version != NULL) {
        *version = 1;
    }
    const uint32_t seen = wzp_json_peek(&p->json) == WZP_JSON_ARRAY
                              ? parse_sequence(p, object, base, version)
                              : parse_map(p, object, base, version);
    complete(p, object, base, seen);
}

static bool find_kind(wzp_bytes name, wzp_signal_kind *kind) {
    for (unsigned i = 0; i < WZP_SIGNAL_COUNT; i++) {
        if (wzp_bytes_equal(name, wzp_bytes_str(wzp_signal_fields[i].name))) {
            *kind = (wzp_signal_kind)i;
            return true;
        }
    }
    return false;
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
        parse_object(p, &wzp_signal_fields[out->kind], &out->u, &out->version);
    }
}

static void parse_signal(parser *p, wzp_signal *out) {
    bool first = true;
    out->version = 1;
    if (wzp_json_peek(&p->json) == WZP_JSON_STRING) {
        const wzp_bytes name = wzp_json_raw_string(&p->json, "variant");
        if (!failed(p) && (!find_kind(name, &out->kind) || !unit_allowed(p, out->kind))) {
            (void)wzp_json_reject(&p->json, "variant", 0);
        }
        return;
    }
    wzp_json_begin(&p->json, '{', "variant");
    if (!wzp_json_next(&p->json, '}', &first, "variant")) {
        (void)wzp_json_reject(&p->json, "variant", 0);
        return;
    }
    const wzp_bytes name = wzp_json_key(&p->json, "variant");
    if (failed(p) || !find_kind(name, &out->kind)) {
        (void)wzp_json_reject(&p->json, "variant", 0);
        return;
    }
    parse_body(p, out);
    if (wzp_json_next(&p->json, '}', &first, "variant")) {
        (void)wzp_json_reject(&p->json, "variant", 2);
    }
}

wzp_err wzp_signal_parse(wzp_signal **out, wzp_bytes json, const wzp_signal_opts *opts,
                         wzp_fail *fail) {
    if (json.len > WZP_SIGNAL_MAX_LEN) {
        if (fail != NULL) {
            *fail = (wzp_fail){WZP_ERR_SIGNAL_TOO_LARGE, "length", 0, json.len};
        }
        return WZP_ERR_SIGNAL_TOO_LARGE;
    }
    owned *o = calloc(1, sizeof *o);
    if (o == NULL) {
        return WZP_ERR_NOMEM;
    }
    parser p = {.blocks = &o->blocks, .strict = opts != NULL && opts->strict};
    wzp_json_init(&p.json, json);
    parse_signal(&p, &o->signal);
    wzp_json_end(&p.json);
    const wzp_err err = p.out_of_memory ? WZP_ERR_NOMEM : p.json.rd.fail.code;
    wzp_signal *signal = &o->signal;
    if (err == WZP_OK) {
        *out = signal;
        return WZP_OK;
    }
    if (fail != NULL) {
        *fail = p.json.rd.fail;
        fail->code = err;
    }
    wzp_signal_free(&signal);
    return err;
}

void wzp_signal_free(wzp_signal **signal) {
    if (*signal == NULL) {
        return;
    }
    owned *o = (owned *)(void *)*signal;
    for (block *b = o->blocks; b != NULL;) {
        block *next = b->next;
        free(b);
        b = next;
    }
    free(o);
    *signal = NULL;
}

const char *wzp_signal_name(wzp_signal_kind kind) {
    return (unsigned)kind < WZP_SIGNAL_COUNT ? wzp_signal_fields[kind].name : "?";
}

const char *wzp_signal_peek_name(wzp_bytes json, char *buf, size_t cap) {
    wzp_json reader;
    bool first = true;
    wzp_bytes name;
    assert(cap > 0);
    wzp_json_init(&reader, json);
    if (wzp_json_peek(&reader) == WZP_JSON_STRING) {
        name = wzp_json_raw_string(&reader, "variant");
    } else {
        wzp_json_begin(&reader, '{', "variant");
        name = wzp_json_next(&reader, '}', &first, "variant") ? wzp_json_key(&reader, "variant")
                                                             : wzp_bytes_of(NULL, 0);
    }
    size_t used = 0;
    for (size_t i = 0; reader.rd.fail.code == WZP_OK && i < name.len && used + 1 < cap; i++) {
        const uint8_t c = name.data[i];
        buf[used++] = c > 0x20 && c < 0x7f ? (char)c : '?';
    }
    buf[used] = '\0';
    return buf;
}
