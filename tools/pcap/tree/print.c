#include "tools/pcap/tree/print.h"

/* A value as it stands in CSV and trees. */
static void value(wzp_pcap_text *out, const wzp_pcap_field *field) {
    switch (wzp_pcap_field_info_of(field->id)->type) {
    case WZP_PCAP_TYPE_HEAD:
        return;
    case WZP_PCAP_TYPE_UINT:
    case WZP_PCAP_TYPE_BOOL:
        wzp_pcap_text_uint(out, field->u.number);
        return;
    case WZP_PCAP_TYPE_TIME:
        wzp_pcap_text_seconds(out, field->u.number, 9);
        return;
    case WZP_PCAP_TYPE_BYTES:
        wzp_pcap_text_hex(out, field->u.bytes);
        return;
    case WZP_PCAP_TYPE_TEXT:
        wzp_pcap_text_bytes(out, field->u.bytes);
        return;
    case WZP_PCAP_TYPE_IP:
        wzp_pcap_text_ip(out, field->u.addr);
        return;
    }
}

/* --- tree ------------------------------------------------------------------------------------- */

static void tree_value(wzp_pcap_text *out, const wzp_pcap_field *field) {
    const char *name;
    switch (wzp_pcap_field_info_of(field->id)->type) {
    case WZP_PCAP_TYPE_BOOL:
        wzp_pcap_text_str(out, field->u.number != 0 ? "yes" : "no");
        return;
    case WZP_PCAP_TYPE_TEXT:
        wzp_pcap_text_clean(out, field->u.bytes);
        return;
    case WZP_PCAP_TYPE_UINT:
        value(out, field);
        name = wzp_pcap_field_value_name(field->id, field->u.number);
        if (name != NULL) {
            wzp_pcap_text_str(out, " (");
            wzp_pcap_text_str(out, name);
            wzp_pcap_text_char(out, ')');
        }
        return;
    case WZP_PCAP_TYPE_HEAD:
    case WZP_PCAP_TYPE_TIME:
    case WZP_PCAP_TYPE_BYTES:
    case WZP_PCAP_TYPE_IP:
        value(out, field);
        return;
    }
}

static void place(wzp_pcap_text *out, const wzp_pcap_field *field) {
    if (field->offset == WZP_PCAP_NO_OFFSET) {
        return;
    }
    wzp_pcap_text_str(out, "  [");
    wzp_pcap_text_uint(out, field->offset);
    if (field->len > 1) {
        wzp_pcap_text_char(out, '-');
        wzp_pcap_text_uint(out, (uint64_t)field->offset + field->len - 1);
    }
    wzp_pcap_text_char(out, ']');
}

void wzp_pcap_print_tree(wzp_pcap_text *out, const wzp_pcap_tree *tree) {
    for (size_t i = 0; i < tree->count; i++) {
        const wzp_pcap_field *field = &tree->list[i];
        const wzp_pcap_field_info *info = wzp_pcap_field_info_of(field->id);
        for (unsigned d = 0; d < field->depth; d++) {
            wzp_pcap_text_str(out, "    ");
        }
        wzp_pcap_text_str(out, info->what);
        if (info->type != WZP_PCAP_TYPE_HEAD) {
            wzp_pcap_text_str(out, ": ");
            tree_value(out, field);
            place(out, field);
        }
        wzp_pcap_text_char(out, '\n');
    }
    wzp_pcap_text_char(out, '\n');
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void json_value(wzp_pcap_text *out, const wzp_pcap_field *field) {
    switch (wzp_pcap_field_info_of(field->id)->type) {
    case WZP_PCAP_TYPE_BOOL:
        wzp_pcap_text_str(out, field->u.number != 0 ? "true" : "false");
        return;
    case WZP_PCAP_TYPE_TEXT:
        wzp_pcap_text_json(out, field->u.bytes);
        return;
    case WZP_PCAP_TYPE_BYTES:
    case WZP_PCAP_TYPE_IP:
        wzp_pcap_text_char(out, '"');
        value(out, field);
        wzp_pcap_text_char(out, '"');
        return;
    case WZP_PCAP_TYPE_HEAD:
    case WZP_PCAP_TYPE_UINT:
    case WZP_PCAP_TYPE_TIME:
        value(out, field);
        return;
    }
}

/* Fields that occur more than once. */
static void count_fields(const wzp_pcap_tree *tree, uint8_t seen[WZP_PCAP_FIELD_COUNT]) {
    memset(seen, 0, WZP_PCAP_FIELD_COUNT);
    for (size_t i = 0; i < tree->count; i++) {
        const uint16_t id = tree->list[i].id;
        seen[id] = (uint8_t)(seen[id] + (seen[id] < 2));
    }
}

static void json_list(wzp_pcap_text *out, const wzp_pcap_tree *tree, size_t first) {
    wzp_pcap_text_char(out, '[');
    for (size_t i = first; i < tree->count; i++) {
        if (tree->list[i].id == tree->list[first].id) {
            if (i != first) {
                wzp_pcap_text_char(out, ',');
            }
            json_value(out, &tree->list[i]);
        }
    }
    wzp_pcap_text_char(out, ']');
}

void wzp_pcap_print_json(wzp_pcap_text *out, const wzp_pcap_tree *tree) {
    uint8_t seen[WZP_PCAP_FIELD_COUNT];
    char before = '{';
    count_fields(tree, seen);
    for (size_t i = 0; i < tree->count; i++) {
        const wzp_pcap_field *field = &tree->list[i];
        const wzp_pcap_field_info *info = wzp_pcap_field_info_of(field->id);
        if (info->type == WZP_PCAP_TYPE_HEAD || seen[field->id] == 0) {
            continue;
        }
        wzp_pcap_text_char(out, before);
        wzp_pcap_text_char(out, '"');
        wzp_pcap_text_str(out, info->name);
        wzp_pcap_text_str(out, "\":");
        if (seen[field->id] > 1) {
            json_list(out, tree, i);
            seen[field->id] = 0; /* said */
        } else {
            json_value(out, field);
        }
        before = ',';
    }
    wzp_pcap_text_str(out, before == '{' ? "{}\n" : "}\n");
}

/* --- CSV -------------------------------------------------------------------------------------- */

void wzp_pcap_print_csv_head(wzp_pcap_text *out, const unsigned *columns, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            wzp_pcap_text_char(out, ',');
        }
        wzp_pcap_text_str(out, wzp_pcap_field_info_of(columns[i])->name);
    }
    wzp_pcap_text_char(out, '\n');
}

/* One of several in a quoted cell. */
static void several_of(wzp_pcap_text *out, const wzp_pcap_field *field, bool is_first) {
    if (!is_first) {
        wzp_pcap_text_char(out, ',');
    }
    if (wzp_pcap_field_info_of(field->id)->type == WZP_PCAP_TYPE_TEXT) {
        wzp_pcap_text_csv_part(out, field->u.bytes, is_first);
    } else {
        value(out, field);
    }
}

static void csv_cell(wzp_pcap_text *out, const wzp_pcap_tree *tree, unsigned id) {
    const wzp_pcap_field *first = NULL;
    bool several = false;
    for (size_t i = 0; i < tree->count; i++) {
        const wzp_pcap_field *field = &tree->list[i];
        if (field->id != id) {
            continue;
        }
        several = several || first != NULL;
        first = first != NULL ? first : field;
    }
    if (first == NULL) {
        return;
    }
    if (!several) {
        if (wzp_pcap_field_info_of(id)->type == WZP_PCAP_TYPE_TEXT) {
            wzp_pcap_text_csv(out, first->u.bytes);
        } else {
            value(out, first);
        }
        return;
    }
    wzp_pcap_text_char(out, '"');
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->list[i].id == id) {
            several_of(out, &tree->list[i], &tree->list[i] == first);
        }
    }
    wzp_pcap_text_char(out, '"');
}

void wzp_pcap_print_csv(wzp_pcap_text *out, const wzp_pcap_tree *tree, const unsigned *columns,
                        size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            wzp_pcap_text_char(out, ',');
        }
        csv_cell(out, tree, columns[i]);
    }
    wzp_pcap_text_char(out, '\n');
}
