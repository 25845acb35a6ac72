/* The canonical writer: fields in table order, no white space (wire sheet 6). */
#include <stdlib.h>

#include "wire/json.h"
#include "wire/signal_fields.h"

static void write_object(wzp_wr *wr, const wzp_fields *object, const void *base, bool with_version,
                         uint8_t version);

static void write_u8_list(wzp_wr *wr, const uint8_t *items, size_t count) {
    wzp_wr_u8(wr, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            wzp_wr_u8(wr, ',');
        }
        wzp_json_write_uint(wr, items[i]);
    }
    wzp_wr_u8(wr, ']');
}

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
    write_object(wr, mismatch ? &wzp_fields_mismatch : &wzp_fields_policy, reason, false, 0);
    wzp_wr_u8(wr, '}');
}

#define WRITE_LIST(list, i, statement)                                                             \
    do {                                                                                           \
        wzp_wr_u8(wr, '[');                                                                        \
        for (size_t i = 0; i < (list)->count; i++) {                                               \
            if (i > 0) {                                                                           \
                wzp_wr_u8(wr, ',');                                                                \
            }                                                                                      \
            statement;                                                                             \
        }                                                                                          \
        wzp_wr_u8(wr, ']');                                                                        \
    } while (0)

static void write_lists(wzp_wr *wr, wzp_field_kind kind, const void *at) {
    const wzp_list_u8 *u8 = at;
    const wzp_list_u16 *u16 = at;
    const wzp_list_u32 *u32 = at;
    const wzp_list_str *str = at;
    const wzp_list_profile *profiles = at;
    const wzp_list_participant *participants = at;
    const wzp_list_user *users = at;
    if (kind == WZP_FIELD_BYTES) {
        write_u8_list(wr, u8->items, u8->count);
    } else if (kind == WZP_FIELD_LIST_CODEC) {
        WRITE_LIST(u8, i, write_codec(wr, u8->items[i]));
    } else if (kind == WZP_FIELD_LIST_U16) {
        WRITE_LIST(u16, i, wzp_json_write_uint(wr, u16->items[i]));
    } else if (kind == WZP_FIELD_LIST_U32) {
        WRITE_LIST(u32, i, wzp_json_write_uint(wr, u32->items[i]));
    } else if (kind == WZP_FIELD_LIST_STR) {
        WRITE_LIST(str, i, wzp_json_write_string(wr, str->items[i]));
    } else if (kind == WZP_FIELD_LIST_PROFILE) {
        WRITE_LIST(profiles, i,
                   write_object(wr, &wzp_fields_profile, &profiles->items[i], false, 0));
    } else if (kind == WZP_FIELD_LIST_PARTICIPANT) {
        WRITE_LIST(participants, i,
                   write_object(wr, &wzp_fields_participant, &participants->items[i], false, 0));
    } else {
        WRITE_LIST(users, i, write_object(wr, &wzp_fields_user, &users->items[i], false, 0));
    }
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

static bool is_optional(wzp_field_kind kind) {
    return kind == WZP_FIELD_OPT_STR || kind == WZP_FIELD_OPT_U8 || kind == WZP_FIELD_OPT_U32 ||
           kind == WZP_FIELD_OPT_F32 || kind == WZP_FIELD_OPT_KEY || kind == WZP_FIELD_OPT_BYTES ||
           kind == WZP_FIELD_OPT_RESOLUTION || kind == WZP_FIELD_OPT_CODEC ||
           kind == WZP_FIELD_OPT_PROFILE;
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
        write_u8_list(wr, ((const wzp_opt_key *)at)->value, 32);
        break;
    case WZP_FIELD_OPT_BYTES:
        write_lists(wr, WZP_FIELD_BYTES, &((const wzp_opt_bytes *)at)->value);
        break;
    case WZP_FIELD_OPT_RESOLUTION:
        write_resolution(wr, at);
        break;
    default:
        write_object(wr, &wzp_fields_profile, &((const wzp_opt_profile *)at)->value, false, 0);
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
        write_u8_list(wr, ((const wzp_key *)at)->bytes, 32);
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
        write_object(wr, &wzp_fields_profile, at, false, 0);
        break;
    case WZP_FIELD_REPORT:
        write_object(wr, &wzp_fields_report, at, false, 0);
        break;
    case WZP_FIELD_REASON:
        write_reason(wr, at);
        break;
    case WZP_FIELD_SIGNAL:
        wzp_signal_write(wr, ((const wzp_inner_signal *)at)->signal);
        break;
    default:
        write_lists(wr, kind, at);
        break;
    }
}

static void write_object(wzp_wr *wr, const wzp_fields *object, const void *base, bool with_version,
                         uint8_t version) {
    bool first = !with_version;
    wzp_wr_u8(wr, '{');
    if (with_version) {
        wzp_wr_str(wr, "\"version\":");
        wzp_json_write_uint(wr, version);
    }
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
        if (!is_optional(field->kind)) {
            write_value(wr, field->kind, at);
        } else if (empty) {
            wzp_wr_str(wr, "null");
        } else {
            write_present_optional(wr, field->kind, at);
        }
    }
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
    wzp_wr_u8(wr, ':');
    write_object(wr, variant, &signal->u, true, signal->version);
    wzp_wr_u8(wr, '}');
}

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
    write_object(wr, &wzp_fields_profile, profile, false, 0);
}
