/* The parser of signals, part one: values of every kind that the tables name. */
#include <assert.h>
#include <math.h>

#include "wire/signal_parser.h"

typedef wzp_signal_parser parser;

static bool failed(const parser *p) {
    return wzp_signal_parser_failed(p);
}

static void *take(parser *p, size_t size, const char *field) {
    void *at = failed(p) ? NULL : wzp_signal_arena_take(p->arena, size);
    if (at == NULL) {
        (void)wzp_rd_reject(&p->json.rd, WZP_ERR_NOMEM, field, 0, size);
    }
    return at;
}

/* Where the next value begins. */
static size_t value_offset(parser *p) {
    (void)wzp_json_peek(&p->json);
    return wzp_rd_offset(&p->json.rd);
}

static wzp_bytes parse_string(parser *p, const char *field) {
    const wzp_bytes raw = wzp_json_raw_string(&p->json, field);
    uint8_t *text = take(p, raw.len + 1, field);
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

/* "Name" or {"Name":null}: both spell a value without fields. */
static wzp_bytes parse_name(parser *p, uint8_t buf[WZP_JSON_NAME_MAX], const char *field) {
    if (wzp_json_peek(&p->json) != WZP_JSON_OBJECT) {
        return wzp_json_name(&p->json, buf, field);
    }
    bool first = true;
    wzp_bytes name = {NULL, 0};
    wzp_json_begin(&p->json, '{', field);
    if (wzp_json_next(&p->json, '}', &first, field)) {
        name = wzp_json_key(&p->json, buf, field);
        wzp_json_null(&p->json, field);
    }
    if (name.len == 0 || wzp_json_next(&p->json, '}', &first, field)) {
        (void)wzp_json_reject(&p->json, field, 0);
    }
    return name;
}

static uint8_t parse_enum(parser *p, const char *const *names, size_t count, const char *field) {
    uint8_t buf[WZP_JSON_NAME_MAX];
    const size_t offset = value_offset(p);
    const wzp_bytes name = parse_name(p, buf, field);
    for (size_t i = 0; i < count && !failed(p); i++) {
        if (wzp_bytes_equal(name, wzp_bytes_str(names[i]))) {
            return (uint8_t)i;
        }
    }
    p->unknown_name |= !failed(p);
    (void)wzp_json_reject_at(&p->json, offset, field, 0);
    return 0;
}

static uint8_t parse_codec(parser *p, const char *field) {
    uint8_t buf[WZP_JSON_NAME_MAX];
    const size_t offset = value_offset(p);
    const wzp_bytes name = parse_name(p, buf, field);
    const int codec = failed(p) ? -1 : wzp_codec_by_name(name);
    if (codec < 0) {
        p->unknown_name |= !failed(p);
        (void)wzp_json_reject_at(&p->json, offset, field, 0);
        return 0;
    }
    return (uint8_t)codec;
}

/* Exactly `count` integers, e.g. the bytes of a key. */
static void parse_array(parser *p, uint16_t *out, size_t count, uint16_t max, const char *field) {
    size_t used = 0;
    bool first = true;
    const size_t offset = value_offset(p);
    wzp_json_begin(&p->json, '[', field);
    while (wzp_json_next(&p->json, ']', &first, field)) {
        if (used == count) {
            (void)wzp_json_reject(&p->json, field, count + 1);
            return;
        }
        out[used++] = (uint16_t)wzp_json_uint(&p->json, max, field);
    }
    if (used != count) {
        (void)wzp_json_reject_at(&p->json, offset, field, used);
    }
}

static void parse_key(parser *p, uint8_t out[32], const char *field) {
    uint16_t bytes[32] = {0};
    parse_array(p, bytes, WZP_COUNT_OF(bytes), UINT8_MAX, field);
    for (size_t i = 0; i < WZP_COUNT_OF(bytes); i++) {
        out[i] = (uint8_t)bytes[i];
    }
}

static void parse_resolution(parser *p, wzp_opt_resolution *out, const char *field) {
    uint16_t sides[2] = {0};
    parse_array(p, sides, WZP_COUNT_OF(sides), UINT16_MAX, field);
    *out = (wzp_opt_resolution){true, sides[0], sides[1]};
}

/* What f32 cannot hold becomes infinite in the deployed reader and would leave as null, which
 * nobody reads; only a strict reader takes it. */
static float parse_f32(parser *p, const char *field) {
    const size_t offset = value_offset(p);
    const float value = (float)wzp_json_number(&p->json, field);
    if (isinf(value) && !p->strict) {
        (void)wzp_json_reject_at(&p->json, offset, field, 0);
    }
    return value;
}

/* NOLINTBEGIN(misc-no-recursion): bounded by WZP_JSON_MAX_DEPTH. */

/* One element of a list, into *at. */
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
        wzp_signal_parse_object(p, &wzp_fields_profile, at, NULL);
        break;
    case WZP_FIELD_LIST_PARTICIPANT:
        wzp_signal_parse_object(p, &wzp_fields_participant, at, NULL);
        break;
    default:
        assert(kind == WZP_FIELD_LIST_USER);
        wzp_signal_parse_object(p, &wzp_fields_user, at, NULL);
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

/* Grows by doubling into fresh space; what is left behind stays below the final size. */
typedef struct list {
    void *items;
    size_t count, cap, size;
} list;

static void *list_add(parser *p, list *l, const char *field) {
    if (l->count == l->cap) {
        const size_t cap = l->cap == 0 ? 8 : 2 * l->cap;
        void *items = take(p, cap * l->size, field);
        if (items == NULL) {
            return NULL;
        }
        if (l->count != 0) {
            memcpy(items, l->items, l->count * l->size);
        }
        l->items = items;
        l->cap = cap;
    }
    return memset((uint8_t *)l->items + l->size * l->count++, 0, l->size);
}

static void store_list(wzp_field_kind kind, void *at, const list *l) {
    switch (kind) {
    case WZP_FIELD_LIST_U16:
        *(wzp_list_u16 *)at = (wzp_list_u16){l->items, l->count};
        break;
    case WZP_FIELD_LIST_U32:
        *(wzp_list_u32 *)at = (wzp_list_u32){l->items, l->count};
        break;
    case WZP_FIELD_LIST_STR:
        *(wzp_list_str *)at = (wzp_list_str){l->items, l->count};
        break;
    case WZP_FIELD_LIST_PROFILE:
        *(wzp_list_profile *)at = (wzp_list_profile){l->items, l->count};
        break;
    case WZP_FIELD_LIST_PARTICIPANT:
        *(wzp_list_participant *)at = (wzp_list_participant){l->items, l->count};
        break;
    case WZP_FIELD_LIST_USER:
        *(wzp_list_user *)at = (wzp_list_user){l->items, l->count};
        break;
    default:
        *(wzp_list_u8 *)at = (wzp_list_u8){l->items, l->count};
        break;
    }
}

/* A codec or mode that we do not know must not cost a newer peer its call (crypto sheet 4.2). */
static bool skip_unknown_element(parser *p, const wzp_json *before, const char *field) {
    if (p->strict || !p->unknown_name) {
        return false;
    }
    p->json = *before;
    p->unknown_name = false;
    wzp_json_skip(&p->json, field);
    return !failed(p);
}

static void parse_list(parser *p, wzp_field_kind kind, void *at, const char *field) {
    list l = {.size = element_size(kind)};
    bool first = true;
    wzp_json_begin(&p->json, '[', field);
    while (wzp_json_next(&p->json, ']', &first, field)) {
        const wzp_json before = p->json;
        void *element = list_add(p, &l, field);
        if (element == NULL) {
            return;
        }
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

static const wzp_fields *reason_fields(wzp_hangup_kind kind) {
    return kind == WZP_HANGUP_VERSION_MISMATCH   ? &wzp_fields_mismatch
           : kind == WZP_HANGUP_POLICY_VIOLATION ? &wzp_fields_policy
                                                 : NULL;
}

static void find_reason(parser *p, wzp_hangup_reason *out, wzp_bytes name) {
    const char *known;
    for (unsigned kind = 0; (known = wzp_hangup_name((wzp_hangup_kind)kind)) != NULL; kind++) {
        if (wzp_bytes_equal(name, wzp_bytes_str(known))) {
            out->kind = (uint8_t)kind;
            return;
        }
    }
    (void)wzp_json_reject(&p->json, "reason", 0);
}

/* "Name", {"Name":null} or {"Name":{...}}. */
static void parse_known_reason(parser *p, wzp_hangup_reason *out) {
    uint8_t buf[WZP_JSON_NAME_MAX];
    bool first = true;
    if (wzp_json_peek(&p->json) == WZP_JSON_STRING) {
        find_reason(p, out, wzp_json_name(&p->json, buf, "reason"));
        if (reason_fields((wzp_hangup_kind)out->kind) != NULL) {
            (void)wzp_json_reject(&p->json, "reason", 0);
        }
        return;
    }
    wzp_json_begin(&p->json, '{', "reason");
    if (!wzp_json_next(&p->json, '}', &first, "reason")) {
        (void)wzp_json_reject(&p->json, "reason", 0);
        return;
    }
    find_reason(p, out, wzp_json_key(&p->json, buf, "reason"));
    const wzp_fields *fields = reason_fields((wzp_hangup_kind)out->kind);
    if (fields != NULL) {
        wzp_signal_parse_object(p, fields, out, NULL);
    } else {
        wzp_json_null(&p->json, "reason");
    }
    if (wzp_json_next(&p->json, '}', &first, "reason")) {
        (void)wzp_json_reject(&p->json, "reason", 2);
    }
}

/* A hangup for a reason that we do not know is still a hangup (wire sheet 9). */
static void parse_reason(parser *p, wzp_hangup_reason *out) {
    const wzp_json_type type = wzp_json_peek(&p->json);
    const wzp_json before = p->json;
    parse_known_reason(p, out);
    const bool names_something = type == WZP_JSON_STRING || type == WZP_JSON_OBJECT;
    if (p->json.rd.fail.code == WZP_ERR_SIGNAL_JSON && names_something && !p->strict) {
        p->json = before;
        p->unknown_name = false;
        *out = (wzp_hangup_reason){.kind = WZP_HANGUP_ERROR};
        wzp_json_skip(&p->json, "reason");
    }
}

static void parse_inner(parser *p, wzp_inner_signal *out, const char *field) {
    wzp_signal *inner = take(p, sizeof *inner, field);
    if (inner != NULL) {
        memset(inner, 0, sizeof *inner);
        wzp_signal_parse_message(p, inner);
        out->signal = inner;
    }
}

static void parse_present(parser *p, const wzp_field *f, void *at) {
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
        *(wzp_opt_f32 *)at = (wzp_opt_f32){true, parse_f32(p, f->name)};
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
        wzp_signal_parse_object(p, &wzp_fields_profile, &((wzp_opt_profile *)at)->value, NULL);
        ((wzp_opt_profile *)at)->present = true;
        break;
    }
}

static void parse_required(parser *p, const wzp_field *f, void *at) {
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
        *(float *)at = parse_f32(p, f->name);
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
        *(uint8_t *)at = parse_enum(p, wzp_priority_names, 4, f->name);
        break;
    case WZP_FIELD_ACCEPT:
        *(uint8_t *)at = parse_enum(p, wzp_accept_names, 3, f->name);
        break;
    case WZP_FIELD_CODE:
        *(uint8_t *)at = parse_enum(p, wzp_code_names, WZP_CODE_COUNT, f->name);
        break;
    case WZP_FIELD_PROFILE:
        wzp_signal_parse_object(p, &wzp_fields_profile, at, NULL);
        break;
    case WZP_FIELD_REPORT:
        wzp_signal_parse_object(p, &wzp_fields_report, at, NULL);
        break;
    case WZP_FIELD_REASON:
        parse_reason(p, at);
        break;
    case WZP_FIELD_SIGNAL:
        parse_inner(p, at, f->name);
        break;
    default:
        parse_list(p, f->kind, at, f->name);
        break;
    }
}

void wzp_signal_parse_value(wzp_signal_parser *p, const wzp_field *f, void *at) {
    if (f->missing != WZP_MISSING_NONE) {
        parse_required(p, f, at);
    } else if (wzp_json_peek(&p->json) == WZP_JSON_NULL) {
        wzp_json_null(&p->json, f->name); /* none, as the place says already */
    } else {
        parse_present(p, f, at);
    }
}
/* NOLINTEND(misc-no-recursion) */
