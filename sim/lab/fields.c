#include "sim/lab/fields.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

/* --- messages -------------------------------------------------------------------------------- */

void wzp_lab_complain(const wzp_lab_reader *r, const char *path, const char *format, ...) {
    char where[300];
    unsigned line = 0;
    wzp_lab_errors *errors = r->errors;
    if (errors->count++ >= WZP_LAB_ERRORS_MAX) {
        return;
    }
    wzp_lab_error *e = &errors->list[errors->count - 1];
    wzp_lab_doc_where(r->doc, path, where, sizeof where, &line);
    e->line = line;
    const int used =
        snprintf(e->text, sizeof e->text, "%s: %s%s", where, path, *path != '\0' ? ": " : "");
    if (used > 0 && (size_t)used < sizeof e->text) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(e->text + used, sizeof e->text - (size_t)used, format, args);
        va_end(args);
    }
}

static int by_line(const void *a, const void *b) {
    const wzp_lab_error *const *x = a;
    const wzp_lab_error *const *y = b;
    if ((*x)->line != (*y)->line) {
        return (*x)->line < (*y)->line ? -1 : 1;
    }
    return *x < *y ? -1 : 1; /* the order in which they were found */
}

void wzp_lab_errors_write(const wzp_lab_errors *errors, FILE *out) {
    const wzp_lab_error *order[WZP_LAB_ERRORS_MAX];
    const size_t n = errors->count < WZP_LAB_ERRORS_MAX ? errors->count : WZP_LAB_ERRORS_MAX;
    for (size_t i = 0; i < n; i++) {
        order[i] = &errors->list[i];
    }
    qsort(order, n, sizeof(const wzp_lab_error *), by_line);
    for (size_t i = 0; i < n; i++) {
        (void)fprintf(out, "%s\n", order[i]->text);
    }
    if (errors->count > n) {
        (void)fprintf(out, "... and %zu more\n", errors->count - n);
    }
}

void wzp_lab_complain_name(const wzp_lab_reader *r, const char *path, const char *what,
                           const char *name, wzp_lab_name_at *at, const void *list) {
    char near[WZP_LAB_NEAR_MAX];
    char all[300];
    if (at(list, 0) == NULL) {
        wzp_lab_complain(r, path, "there is no %s '%.40s', nor any other", what, name);
        return;
    }
    wzp_lab_complain(r, path, "there is no %s '%.40s'%s; there are: %s", what, name,
                     wzp_lab_near(name, at, list, near), wzp_lab_names(at, list, all, sizeof all));
}

void wzp_lab_complain_type(const wzp_lab_reader *r, const char *path, const char *expected,
                           const json_t *value) {
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (json_is_object(value) || json_is_array(value)) {
        wzp_lab_complain(r, path, "expected %s, not a %s", expected,
                         json_is_object(value) ? "table" : "list");
    } else {
        wzp_lab_complain(r, path, "expected %s, not %.60s", expected, text != NULL ? text : "this");
    }
    free(text);
}

const char *wzp_lab_below(char buf[WZP_LAB_PATH_MAX], const char *base, const char *key) {
    (void)snprintf(buf, WZP_LAB_PATH_MAX, "%s%s%.60s", base, *base != '\0' ? "." : "", key);
    return buf;
}

const char *wzp_lab_below_at(char buf[WZP_LAB_PATH_MAX], const char *base, size_t index) {
    (void)snprintf(buf, WZP_LAB_PATH_MAX, "%s[%zu]", base, index);
    return buf;
}

/* --- draws ----------------------------------------------------------------------------------- */

static uint64_t draw_below(const wzp_lab_reader *r, const char *path, uint64_t bound) {
    char name[WZP_LAB_PATH_MAX + 16];
    wzp_prng prng;
    (void)snprintf(name, sizeof name, "scenario:%s", path);
    wzp_prng_init(&prng, r->seed, name);
    return wzp_rng_below(wzp_prng_rng(&prng), bound);
}

/* Round numbers: a thousandth of the range, down to a power of ten. */
static int64_t step_of(int64_t span) {
    int64_t step = 1;
    while (step <= span / 10000) {
        step *= 10;
    }
    return step;
}

static int64_t draw_between(const wzp_lab_reader *r, const char *path, int64_t low, int64_t high) {
    const int64_t step = step_of(high - low);
    const uint64_t steps = (uint64_t)((high - low) / step) + 1;
    return low + step * (int64_t)draw_below(r, path, steps);
}

json_t *wzp_lab_value(wzp_lab_reader *r, const char *path, json_t *table, const char *key) {
    json_t *value = json_object_get(table, key);
    json_t *choices = json_object_get(value, "any_of");
    if (choices == NULL || json_object_size(value) != 1 || json_array_size(choices) == 0) {
        return value;
    }
    json_t *chosen = json_array_get(choices, draw_below(r, path, json_array_size(choices)));
    json_object_set(table, key, chosen);
    return json_object_get(table, key);
}

/* --- kinds ----------------------------------------------------------------------------------- */

static void store(void *out, const wzp_lab_field *f, int64_t value) {
    uint8_t *place = (uint8_t *)out + f->offset;
    switch (f->size) {
    case 1:
        *place = (uint8_t)value;
        break;
    case 2:
        memcpy(place, &(uint16_t){(uint16_t)value}, 2);
        break;
    case 4:
        memcpy(place, &(uint32_t){(uint32_t)value}, 4);
        break;
    default:
        memcpy(place, &value, 8);
        break;
    }
}

static int64_t highest(const wzp_lab_field *f) {
    if (f->high != 0 || f->low < 0) {
        return f->high;
    }
    return f->size >= 8 ? INT64_MAX : (INT64_C(1) << (8 * f->size)) - 1;
}

static bool in_bounds(const wzp_lab_reader *r, const char *path, const wzp_lab_field *f,
                      int64_t value) {
    char low[WZP_LAB_UNITS_TEXT_MAX];
    char high[WZP_LAB_UNITS_TEXT_MAX];
    char got[WZP_LAB_UNITS_TEXT_MAX];
    const int64_t max = f->unit == WZP_LAB_SHARE && f->high == 0 ? 1000000 : highest(f);
    if (value >= f->low && value <= max) {
        return true;
    }
    wzp_lab_units_text(f->unit, f->low, low);
    wzp_lab_units_text(f->unit, max, high);
    wzp_lab_units_text(f->unit, value, got);
    if (max == INT64_MAX) {
        wzp_lab_complain(r, path, "expected at least %s, not %s", low, got);
    } else {
        wzp_lab_complain(r, path, "expected %s to %s, not %s", low, high, got);
    }
    return false;
}

static void complain_quantity(const wzp_lab_reader *r, const char *path, const wzp_lab_field *f,
                              const char *text, wzp_lab_units_err err) {
    const char *what = wzp_lab_unit_what(f->unit);
    const char *like = wzp_lab_unit_like(f->unit);
    const char *list = wzp_lab_unit_list(f->unit);
    if (err == WZP_LAB_UNITS_NO_UNIT || err == WZP_LAB_UNITS_UNKNOWN) {
        wzp_lab_complain(r, path, "expected %s with one of the units %s, as \"%s\", not \"%.40s\"",
                         what, list, like, text);
    } else if (err == WZP_LAB_UNITS_ORDER) {
        wzp_lab_complain(r, path, "the range \"%.40s\" ends below its start", text);
    } else if (err == WZP_LAB_UNITS_FINE) {
        wzp_lab_complain(r, path, "\"%.40s\" has more decimals than are kept", text);
    } else if (err == WZP_LAB_UNITS_BIG) {
        wzp_lab_complain(r, path, "\"%.40s\" is too big", text);
    } else {
        wzp_lab_complain(r, path, "expected %s, as \"%s\", not \"%.40s\"", what, like, text);
    }
}

/* Replaces the range in the document by what was drawn. */
static void keep_draw(json_t *value, wzp_lab_unit unit, int64_t drawn) {
    char buf[WZP_LAB_UNITS_TEXT_MAX];
    json_string_set(value, wzp_lab_units_text(unit, drawn, buf));
}

static bool read_quantity(wzp_lab_reader *r, const char *path, json_t *value,
                          const wzp_lab_field *f, void *out) {
    char expected[160];
    int64_t low = 0;
    int64_t high = 0;
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        const wzp_lab_units_err err = wzp_lab_units_parse(f->unit, text, &low, &high);
        if (err != WZP_LAB_UNITS_OK) {
            complain_quantity(r, path, f, text, err);
            return false;
        }
    } else if (json_is_integer(value) && f->unit == WZP_LAB_PLAIN) {
        low = high = json_integer_value(value);
    } else {
        const char *list = wzp_lab_unit_list(f->unit);
        (void)snprintf(expected, sizeof expected, "%s%s%s%s", wzp_lab_unit_what(f->unit),
                       *list != '\0' ? " with its unit, as \"" : "",
                       *list != '\0' ? wzp_lab_unit_like(f->unit) : "", *list != '\0' ? "\"" : "");
        wzp_lab_complain_type(r, path, expected, value);
        return false;
    }
    if (!in_bounds(r, path, f, low) || (high != low && !in_bounds(r, path, f, high))) {
        return false;
    }
    if (high != low) {
        low = draw_between(r, path, low, high);
        keep_draw(value, f->unit, low);
    }
    store(out, f, low);
    return true;
}

static bool read_word(wzp_lab_reader *r, const char *path, const json_t *value,
                      const wzp_lab_field *f, void *out) {
    char all[300];
    if (!json_is_string(value)) {
        (void)wzp_lab_names(wzp_lab_word_at, f->words, all, sizeof all);
        char expected[360];
        (void)snprintf(expected, sizeof expected, "one of \"%s\"", all);
        wzp_lab_complain_type(r, path, expected, value);
        return false;
    }
    for (size_t i = 0; f->words[i] != NULL; i++) {
        if (strcmp(f->words[i], json_string_value(value)) == 0) {
            store(out, f, (int64_t)i);
            return true;
        }
    }
    wzp_lab_complain_name(r, path, "value", json_string_value(value), wzp_lab_word_at, f->words);
    return false;
}

static bool read_text(wzp_lab_reader *r, const char *path, const json_t *value,
                      const wzp_lab_field *f, void *out) {
    if (!json_is_string(value)) {
        wzp_lab_complain_type(r, path, "text in quotes", value);
        return false;
    }
    const char *text = json_string_value(value);
    if (strlen(text) >= f->size) {
        wzp_lab_complain(r, path, "expected at most %zu bytes of text, not %zu", f->size - 1,
                         strlen(text));
        return false;
    }
    memcpy((char *)out + f->offset, text, strlen(text) + 1);
    return true;
}

static bool read_address(wzp_lab_reader *r, const char *path, const json_t *value,
                         const wzp_lab_field *f, void *out) {
    char text[80];
    wzp_addr addr;
    const char *ip = json_string_value(value);
    if (ip == NULL) {
        wzp_lab_complain_type(r, path, "an address, as \"203.0.113.5\"", value);
        return false;
    }
    (void)snprintf(text, sizeof text, strchr(ip, ':') != NULL ? "[%s]:1" : "%s:1", ip);
    if (strlen(ip) > 60 || wzp_addr_parse(&addr, text) != WZP_OK) {
        wzp_lab_complain(r, path, "\"%.60s\" is no IPv4 or IPv6 address, as \"203.0.113.5\"", ip);
        return false;
    }
    addr.port = 0;
    memcpy((char *)out + f->offset, &addr, sizeof addr);
    return true;
}

static bool read_flag(wzp_lab_reader *r, const char *path, const json_t *value,
                      const wzp_lab_field *f, void *out) {
    if (!json_is_boolean(value)) {
        wzp_lab_complain_type(r, path, "true or false", value);
        return false;
    }
    *(bool *)((char *)out + f->offset) = json_is_true(value);
    return true;
}

bool wzp_lab_read_field(wzp_lab_reader *r, const char *path, json_t *value, const wzp_lab_field *f,
                        void *out) {
    const size_t before = r->errors->count;
    switch (f->kind) {
    case WZP_LAB_KIND_FLAG:
        return read_flag(r, path, value, f, out);
    case WZP_LAB_KIND_QUANTITY:
        return read_quantity(r, path, value, f, out);
    case WZP_LAB_KIND_WORD:
        return read_word(r, path, value, f, out);
    case WZP_LAB_KIND_TEXT:
        return read_text(r, path, value, f, out);
    case WZP_LAB_KIND_ADDRESS:
        return read_address(r, path, value, f, out);
    case WZP_LAB_KIND_CUSTOM:
        f->take(r, path, value, out);
        return r->errors->count == before;
    }
    return false;
}

void wzp_lab_elsewhere(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    (void)r;
    (void)path;
    (void)value;
    (void)out;
}

static const char *field_at(const void *list, size_t index) {
    const wzp_lab_table *table = list;
    return index < table->count ? table->fields[index].key : NULL;
}

static bool known(const wzp_lab_table *table, const char *key) {
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->fields[i].key, key) == 0) {
            return true;
        }
    }
    return false;
}

static void refuse_unknown(const wzp_lab_reader *r, const char *path, json_t *value,
                           const wzp_lab_table *table) {
    char below[WZP_LAB_PATH_MAX];
    char near[WZP_LAB_NEAR_MAX];
    char all[300];
    const char *key = NULL;
    json_t *item = NULL;
    json_object_foreach(value, key, item) {
        if (!known(table, key)) {
            wzp_lab_complain(r, wzp_lab_below(below, path, key), "%s has no such key%s; it has: %s",
                             table->what, wzp_lab_near(key, field_at, table, near),
                             wzp_lab_names(field_at, table, all, sizeof all));
        }
    }
}

bool wzp_lab_read(wzp_lab_reader *r, const char *path, json_t *value, const wzp_lab_table *table,
                  void *out) {
    char below[WZP_LAB_PATH_MAX];
    const size_t before = r->errors->count;
    if (!json_is_object(value)) {
        char expected[80];
        (void)snprintf(expected, sizeof expected, "a table for %s", table->what);
        wzp_lab_complain_type(r, path, expected, value);
        return false;
    }
    refuse_unknown(r, path, value, table);
    for (size_t i = 0; i < table->count; i++) {
        const wzp_lab_field *f = &table->fields[i];
        json_t *item = wzp_lab_value(r, wzp_lab_below(below, path, f->key), value, f->key);
        if (item != NULL) {
            (void)wzp_lab_read_field(r, below, item, f, out);
        }
    }
    return r->errors->count == before;
}

size_t wzp_lab_strings(const wzp_lab_reader *r, const char *path, const json_t *value,
                       const char **out, size_t cap) {
    char at[WZP_LAB_PATH_MAX];
    const bool list = json_is_array(value);
    const size_t n = list ? json_array_size(value) : 1;
    if (n > cap) {
        wzp_lab_complain(r, path, "expected at most %zu, not %zu", cap, n);
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *item = list ? json_array_get(value, i) : value;
        if (!json_is_string(item)) {
            wzp_lab_complain_type(r, list ? wzp_lab_below_at(at, path, i) : path, "text in quotes",
                                  item);
            return 0;
        }
        out[i] = json_string_value(item);
    }
    return n;
}
