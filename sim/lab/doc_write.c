/* The tree as TOML.  "[host.x]" and "[[event]]" become sections; what is deeper becomes inline
 * tables, so that a small scenario stays small. */
#include <string.h>

#include "sim/lab/doc.h"

static void put(FILE *out, const char *text) {
    (void)fputs(text, out);
}

static void put_string(FILE *out, const char *text) {
    (void)fputc('"', out);
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            (void)fprintf(out, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f) {
            (void)fprintf(out, "\\u%04x", c);
        } else {
            (void)fputc(c, out);
        }
    }
    (void)fputc('"', out);
}

static void put_key(FILE *out, const char *key) {
    const bool bare =
        *key != '\0' && key[strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                        "0123456789_-")] == '\0';
    if (bare) {
        put(out, key);
    } else {
        put_string(out, key);
    }
}

static void put_scalar(FILE *out, const json_t *value) {
    if (json_is_string(value)) {
        put_string(out, json_string_value(value));
    } else {
        (void)json_dumpf(value, out, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    }
}

/* NOLINTBEGIN(misc-no-recursion): the parser refused deep nesting before */
static void put_value(FILE *out, const json_t *value) {
    const char *key = NULL;
    const json_t *item = NULL;
    const char *separator = "";
    if (json_is_object(value)) {
        put(out, "{");
        json_object_foreach(wzp_drop_const(value), key, item) {
            put(out, separator);
            put_key(out, key);
            put(out, " = ");
            put_value(out, item);
            separator = ", ";
        }
        put(out, "}");
    } else if (json_is_array(value)) {
        put(out, "[");
        for (size_t i = 0; i < json_array_size(value); i++) {
            put(out, i > 0 ? ", " : "");
            put_value(out, json_array_get(value, i));
        }
        put(out, "]");
    } else {
        put_scalar(out, value);
    }
}
/* NOLINTEND(misc-no-recursion) */

static bool all_tables(const json_t *value) {
    const char *key = NULL;
    const json_t *item = NULL;
    bool all = json_object_size(value) > 0;
    json_object_foreach(wzp_drop_const(value), key, item) {
        all = all && json_is_object(item);
    }
    return all;
}

static bool list_of_tables(const json_t *value) {
    bool all = json_array_size(value) > 0;
    for (size_t i = 0; i < json_array_size(value); i++) {
        all = all && json_is_object(json_array_get(value, i));
    }
    return all;
}

static bool is_section(const json_t *value) {
    return json_is_object(value) || list_of_tables(value);
}

static void put_keys(FILE *out, const json_t *table) {
    const char *key = NULL;
    const json_t *item = NULL;
    json_object_foreach(wzp_drop_const(table), key, item) {
        put_key(out, key);
        put(out, " = ");
        put_value(out, item);
        put(out, "\n");
    }
}

static void put_section(FILE *out, const char *key, const json_t *value) {
    const char *name = NULL;
    const json_t *item = NULL;
    if (all_tables(value)) {
        json_object_foreach(wzp_drop_const(value), name, item) {
            put(out, "\n[");
            put_key(out, key);
            put(out, ".");
            put_key(out, name);
            put(out, "]\n");
            put_keys(out, item);
        }
        return;
    }
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++) {
        put(out, "\n[[");
        put_key(out, key);
        put(out, "]]\n");
        put_keys(out, json_array_get(value, i));
    }
    if (json_is_object(value)) {
        put(out, "\n[");
        put_key(out, key);
        put(out, "]\n");
        put_keys(out, value);
    }
}

bool wzp_lab_doc_write(const wzp_lab_doc *doc, FILE *out) {
    const char *key = NULL;
    const json_t *item = NULL;
    json_object_foreach(doc->tree, key, item) {
        if (!is_section(item)) {
            put_key(out, key);
            put(out, " = ");
            put_value(out, item);
            put(out, "\n");
        }
    }
    json_object_foreach(doc->tree, key, item) {
        if (is_section(item)) {
            put_section(out, key, item);
        }
    }
    return ferror(out) == 0;
}
