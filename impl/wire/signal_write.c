/* The canonical writer: fields in table order, no white space (wire sheet 6). */
#include <assert.h>
#include <stdlib.h>

#include "wire/json.h"
#include "wire/signal_fields.h"

/* NOLINTBEGIN(misc-no-recursion): as deep as the message, which the parser bounds. */
static void write_object(wzp_wr *wr, const wzp_fields *object, const void *base);

static void write_name(wzp_wr *wr, const char *name) {
    wzp_json_write_string(wr, wzp_bytes_str(name));
}

static void write_codec(wzp_wr *wr, uint8_t codec) {
    const wzp_codec_info *info = wzp_codec_find(codec);
    write_name(wr, info != NULL ? info->name : "");
}

/* Writes "{Name:{body}}" for the two reasons that carry data. */
static void write_reason(wzp_wr *wr, const wzp_hangup_reason *reason) {
    const char *name = wzp_hangup_name((wzp_hangup_kind)reason->kind);
    const bool mismatch = reason->kind == WZP_HANGUP_VERSION_MISMATCH;
    if (!mismatch && reason->kind != WZP_HANGUP_POLICY_VIOLATION) {
        write_name(wr, name != NULL ? name : "Error");
        return;
    }
    wzp_wr_u8(wr, '{');
    write_name(wr, name);
    wzp_wr_u8(wr, ':');
    write_object(wr, mismatch ? &wzp_fields_mismatch : &wzp_fields_policy, reason);
    wzp_wr_u8(wr, '}');
}

typedef struct any_list {
    const void *items;
    size_t count;
} any_list;

static any_list view_list(wzp_field_kind kind, const void *at) {
    const wzp_list_u8 *u8 = at;
    const wzp_list_u16 *u16 = at;
    const wzp_list_u32 *u32 = at;
    const wzp_list_str *str = at;
    const wzp_list_profile *profiles = at;
    const wzp_list_participant *participants = at;
    const wzp_list_user *users = at;
    switch (kind) {
    case WZP_FIELD_LIST_U16:
        return (any_list){u16->items, u16->count};
    case WZP_FIELD_LIST_U32:
        return (any_list){u32->items, u32->count};
    case WZP_FIELD_LIST_STR:
        return (any_list){str->items, str->count};
    case WZP_FIELD_LIST_PROFILE:
        return (any_list){profiles->items, profiles->count};
    case WZP_FIELD_LIST_PARTICIPANT:
        return (any_list){participants->items, participants->count};
    case WZP_FIELD_LIST_USER:
        return (any_list){users->items, users->count};
    default:
        return (any_list){u8->items, u8->count};
    }
}

static void write_element(wzp_wr *wr, wzp_field_kind kind, const void *items, size_t i) {
    switch (kind) {
    case WZP_FIELD_BYTES:
        wzp_json_write_uint(wr, ((const uint8_t *)items)[i]);
        break;
    case WZP_FIELD_LIST_CODEC:
        write_codec(wr, ((const uint8_t *)items)[i]);
        break;
    case WZP_FIELD_LIST_U16:
        wzp_json_write_uint(wr, ((const uint16_t *)items)[i]);
        break;
    case WZP_FIELD_LIST_U32:
        wzp_json_write_uint(wr, ((const uint32_t *)items)[i]);
        break;
    case WZP_FIELD_LIST_STR:
        wzp_json_write_string(wr, ((const wzp_bytes *)items)[i]);
        break;
    case WZP_FIELD_LIST_PROFILE:
        write_object(wr, &wzp_fields_profile, (const wzp_quality_profile *)items + i);
        break;
    case WZP_FIELD_LIST_PARTICIPANT:
        write_object(wr, &wzp_fields_participant, (const wzp_room_participant *)items + i);
        break;
    default:
        assert(kind == WZP_FIELD_LIST_USER);
        write_object(wr, &wzp_fields_user, (const wzp_presence_user *)items + i);
        break;
    }
}

static void write_items(wzp_wr *wr, wzp_field_kind kind, const void *items, size_t count) {
    wzp_wr_u8(wr, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            wzp_wr_u8(wr, ',');
        }
        write_element(wr, kind, items, i);
    }
    wzp_wr_u8(wr, ']');
}

static void write_list(wzp_wr *wr, wzp_field_kind kind, const void *at) {
    const any_list list = view_list(kind, at);
    write_items(wr, kind, list.items, list.count);
}

static void write_key(wzp_wr *wr, const uint8_t key[32]) {
    write_items(wr, WZP_FIELD_BYTES, key, 32);
}

/* Absent optionals and empty lists. */
static bool is_empty(wzp_field_kind kind, const void *at) {
    switch (kind) {
    case WZP_FIELD_OPT_STR:
        return !((const wzp_opt_str *)at)->present;
    case WZP_FIELD_OPT_U8:
    case WZP_FIELD_OPT_CODEC:
        return !((const wzp_opt_u8 *)at)->present;
    case WZP_FIELD_OPT_U32:
        return !((const wzp_opt_u32 *)at)->present;
    case WZP_FIELD_OPT_F32:
        return !((const wzp_opt_f32 *)at)->present;
    case WZP_FIELD_OPT_KEY:
        return !((const wzp_opt_key *)at)->present;
    case WZP_FIELD_OPT_BYTES:
        return !((const wzp_opt_bytes *)at)->present;
    case WZP_FIELD_OPT_RESOLUTION:
        return !((const wzp_opt_resolution *)at)->present;
    case WZP_FIELD_OPT_PROFILE:
        return !((const wzp_opt_profile *)at)->present;
    case WZP_FIELD_LIST_CODEC:
        return ((const wzp_list_u8 *)at)->count == 0;
    case WZP_FIELD_LIST_STR:
        return ((const wzp_list_str *)at)->count == 0;
    default:
        return false;
    }
}

static void write_resolution(wzp_wr *wr, const wzp_opt_resolution *resolution) {
    wzp_wr_u8(wr, '[');
    wzp_json_write_uint(wr, resolution->width);
    wzp_wr_u8(wr, ',');
    wzp_json_write_uint(wr, resolution->height);
    wzp_wr_u8(wr, ']');
}

static void write_present_optional(wzp_wr *wr, wzp_field_kind kind, const void *at) {
    switch (kind) {
    case WZP_FIELD_OPT_STR:
        wzp_json_write_string(wr, ((const wzp_opt_str *)at)->value);
        break;
    case WZP_FIELD_OPT_U8:
        wzp_json_write_uint(wr, ((const wzp_opt_u8 *)at)->value);
        break;
    case WZP_FIELD_OPT_CODEC:
        write_codec(wr, ((const wzp_opt_u8 *)at)->value);
        break;
    case WZP_FIELD_OPT_U32:
        wzp_json_write_uint(wr, ((const wzp_opt_u32 *)at)->value);
        break;
    case WZP_FIELD_OPT_F32:
        wzp_json_write_f32(wr, ((const wzp_opt_f32 *)at)->value);
        break;
    case WZP_FIELD_OPT_KEY:
        write_key(wr, ((const wzp_opt_key *)at)->value);
        break;
    case WZP_FIELD_OPT_BYTES:
        write_list(wr, WZP_FIELD_BYTES, &((const wzp_opt_bytes *)at)->value);
        break;
    case WZP_FIELD_OPT_RESOLUTION:
        write_resolution(wr, at);
        break;
    default:
        write_object(wr, &wzp_fields_profile, &((const wzp_opt_profile *)at)->value);
        break;
    }
}

static void write_enum(wzp_wr *wr, const char *const *names, size_t count, uint8_t value) {
    write_name(wr, value < count ? names[value] : "");
}

static void write_value(wzp_wr *wr, wzp_field_kind kind, const void *at) {
    switch (kind) {
    case WZP_FIELD_U8:
        wzp_json_write_uint(wr, *(const uint8_t *)at);
        break;
    case WZP_FIELD_U16:
        wzp_json_write_uint(wr, *(const uint16_t *)at);
        break;
    case WZP_FIELD_U32:
        wzp_json_write_uint(wr, *(const uint32_t *)at);
        break;
    case WZP_FIELD_U64:
        wzp_json_write_uint(wr, *(const uint64_t *)at);
        break;
    case WZP_FIELD_F32:
        wzp_json_write_f32(wr, *(const float *)at);
        break;
    case WZP_FIELD_BOOL:
        wzp_wr_str(wr, *(const bool *)at ? "true" : "false");
        break;
    case WZP_FIELD_STR:
        wzp_json_write_string(wr, *(const wzp_bytes *)at);
        break;
    case WZP_FIELD_KEY:
        write_key(wr, ((const wzp_key *)at)->bytes);
        break;
    case WZP_FIELD_CODEC:
        write_codec(wr, *(const uint8_t *)at);
        break;
    case WZP_FIELD_PRIORITY:
        write_enum(wr, wzp_priority_names, 4, *(const uint8_t *)at);
        break;
    case WZP_FIELD_ACCEPT:
        write_enum(wr, wzp_accept_names, 3, *(const uint8_t *)at);
        break;
    case WZP_FIELD_CODE:
        write_enum(wr, wzp_code_names, WZP_CODE_COUNT, *(const uint8_t *)at);
        break;
    case WZP_FIELD_PROFILE:
        write_object(wr, &wzp_fields_profile, at);
        break;
    case WZP_FIELD_REPORT:
        write_object(wr, &wzp_fields_report, at);
        break;
    case WZP_FIELD_REASON:
        write_reason(wr, at);
        break;
    case WZP_FIELD_SIGNAL:
        wzp_signal_write(wr, ((const wzp_inner_signal *)at)->signal);
        break;
    default:
        write_list(wr, kind, at);
        break;
    }
}

static void write_fields(wzp_wr *wr, const wzp_fields *object, const void *base, bool first) {
    for (size_t i = 0; i < object->count; i++) {
        const wzp_field *field = &object->fields[i];
        const void *at = (const uint8_t *)base + field->offset;
        const bool empty = is_empty(field->kind, at);
        if (empty && field->write == WZP_WRITE_OMIT) {
            continue;
        }
        if (!first) {
            wzp_wr_u8(wr, ',');
        }
        first = false;
        write_name(wr, field->name);
        wzp_wr_u8(wr, ':');
        if (field->missing != WZP_MISSING_NONE) {
            write_value(wr, field->kind, at);
        } else if (empty) {
            wzp_wr_str(wr, "null");
        } else {
            write_present_optional(wr, field->kind, at);
        }
    }
}

static void write_object(wzp_wr *wr, const wzp_fields *object, const void *base) {
    wzp_wr_u8(wr, '{');
    write_fields(wr, object, base, true);
    wzp_wr_u8(wr, '}');
}

void wzp_signal_write(wzp_wr *wr, const wzp_signal *signal) {
    const wzp_fields *variant = &wzp_signal_fields[signal->kind];
    if (signal->kind == WZP_SIGNAL_REFLECT) {
        write_name(wr, variant->name); /* the one unit variant */
        return;
    }
    wzp_wr_u8(wr, '{');
    write_name(wr, variant->name);
    wzp_wr_str(wr, ":{\"version\":");
    wzp_json_write_uint(wr, signal->version);
    write_fields(wr, variant, &signal->u, false);
    wzp_wr_str(wr, "}}");
}
/* NOLINTEND(misc-no-recursion) */

wzp_err wzp_signal_to_json(char **json, size_t *len, const wzp_signal *signal) {
    char *text = NULL;
    wzp_wr wr = {.overflow = true};
    for (size_t cap = 1024; wr.overflow; cap *= 2) {
        char *more = realloc(text, cap);
        if (more == NULL) {
            free(text);
            return WZP_ERR_NOMEM;
        }
        text = more;
        wzp_wr_init(&wr, (uint8_t *)text, cap - 1);
        wzp_signal_write(&wr, signal);
    }
    text[wzp_wr_len(&wr)] = '\0';
    *json = text;
    *len = wzp_wr_len(&wr);
    return WZP_OK;
}

void wzp_quality_profile_write(wzp_wr *wr, const wzp_quality_profile *profile) {
    write_object(wr, &wzp_fields_profile, profile);
}
