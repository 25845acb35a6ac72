#include "conformance/report/testing/markup.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "conformance/report/text.h"

/* --- XML and HTML ----------------------------------------------------------------------------- */

enum { DEPTH = 64, NAME = 32 };

typedef struct walk {
    const char *at;
    bool html;
    char open[DEPTH][NAME];
    size_t depth;
    char *why;
} walk;

static bool wrong(walk *w, const char *what) {
    (void)snprintf(w->why, 160, "%s before '%.60s'", what, w->at);
    return false;
}

static bool is_void(const char *name) {
    static const char *const names[] = {"meta", "input", "br", "!doctype"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void take_name(walk *w, char name[NAME]) {
    const size_t len = strcspn(w->at, " \n/>=?");
    (void)snprintf(name, NAME, "%.*s", (int)(len < NAME ? len : NAME - 1), w->at);
    w->at += len;
}

static bool take_attributes(walk *w) {
    for (;;) {
        char name[NAME];
        w->at += strspn(w->at, " \n");
        if (*w->at == '>' || *w->at == '/' || *w->at == '?') {
            return true;
        }
        take_name(w, name);
        if (name[0] == '\0') {
            return wrong(w, "no attribute name");
        }
        if (*w->at != '=') {
            if (!w->html) {
                return wrong(w, "attribute without value");
            }
            continue;
        }
        if (w->at[1] != '"') {
            return wrong(w, "unquoted attribute");
        }
        w->at += 2 + strcspn(w->at + 2, "\"<");
        if (*w->at != '"') {
            return wrong(w, "attribute does not end");
        }
        w->at++;
    }
}

static bool close_tag(walk *w) {
    char name[NAME];
    w->at += 2;
    take_name(w, name);
    if (w->depth == 0 || strcmp(w->open[w->depth - 1], name) != 0 || *w->at != '>') {
        return wrong(w, "wrong end tag");
    }
    w->depth--;
    w->at++;
    return true;
}

static bool skip_raw(walk *w, const char *end) {
    const char *found = strstr(w->at, end);
    w->at = found != NULL ? found : w->at;
    return found != NULL || wrong(w, "raw text does not end");
}

static bool open_tag(walk *w) {
    char name[NAME];
    w->at++;
    const bool declaration = *w->at == '?';
    w->at += declaration ? 1 : 0;
    take_name(w, name);
    if (name[0] == '\0' || !take_attributes(w)) {
        return name[0] != '\0' ? false : wrong(w, "bare '<'");
    }
    const bool empty = *w->at == '/' || declaration;
    w->at += empty ? 1 : 0;
    if (*w->at++ != '>') {
        return wrong(w, "tag does not end");
    }
    if (empty || (w->html && is_void(name))) {
        return true;
    }
    if (w->depth == DEPTH) {
        return wrong(w, "too deep");
    }
    memcpy(w->open[w->depth++], name, NAME);
    return !w->html || (strcmp(name, "style") != 0 && strcmp(name, "script") != 0) ||
           skip_raw(w, name[1] == 't' ? "</style>" : "</script>");
}

static bool take_reference(walk *w) {
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strncmp(w->at, known[i], strlen(known[i])) == 0) {
            w->at += strlen(known[i]);
            return true;
        }
    }
    return wrong(w, "bare '&'");
}

static bool take_character(walk *w) {
    const char *before = w->at;
    const uint32_t c = wzp_ct_text_next(&w->at);
    const bool broken = c == 0xfffd && w->at - before != 3;
    const bool control = (c < 0x20 && c != '\n') || (c >= 0x7f && c < 0xa0);
    return (!broken && !control) || wrong(w, "illegal character");
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the walk writes there */
bool wzp_ct_markup_ok(const char *text, bool html, char why[160]) {
    walk w = {.at = text, .html = html, .why = why};
    while (*w.at != '\0') {
        const bool ok = *w.at == '<'   ? (w.at[1] == '/' ? close_tag(&w) : open_tag(&w))
                        : *w.at == '&' ? take_reference(&w)
                                       : take_character(&w);
        if (!ok) {
            return false;
        }
    }
    return w.depth == 0 || wrong(&w, "elements stay open");
}

/* --- JSON Schema ------------------------------------------------------------------------------ */

typedef struct checking {
    const json_t *root;
    char *why;
} checking;

static bool unfit(const checking *c, const char *where, const char *what) {
    (void)snprintf(c->why, 160, "%.100s: %s", where, what);
    return false;
}

static bool is_of_type(const json_t *value, const char *type) {
    return (strcmp(type, "object") == 0 && json_is_object(value)) ||
           (strcmp(type, "array") == 0 && json_is_array(value)) ||
           (strcmp(type, "string") == 0 && json_is_string(value)) ||
           (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
           (strcmp(type, "number") == 0 && json_is_number(value)) ||
           (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
           (strcmp(type, "null") == 0 && json_is_null(value));
}

static bool type_fits(const json_t *type, const json_t *value) {
    if (json_is_string(type)) {
        return is_of_type(value, json_string_value(type));
    }
    bool fits = type == NULL;
    for (size_t i = 0; i < json_array_size(type); i++) {
        fits = fits || is_of_type(value, json_string_value(json_array_get(type, i)));
    }
    return fits;
}

static bool is_listed(const json_t *list, const json_t *value) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (json_equal(json_array_get(list, i), value)) {
            return true;
        }
    }
    return list == NULL;
}

static bool fits(const checking *c, const json_t *schema, const json_t *value, const char *where);

static const json_t *resolve(const checking *c, const char *reference) {
    static const char prefix[] = "#/$defs/";
    const json_t *defs = json_object_get(c->root, "$defs");
    return strncmp(reference, prefix, sizeof prefix - 1) == 0
               ? json_object_get(defs, reference + sizeof prefix - 1)
               : NULL;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the value, which is one of our reports */
static bool object_fits(const checking *c, const json_t *schema, const json_t *value) {
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *required = json_object_get(schema, "required");
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *name = json_string_value(json_array_get(required, i));
        if (json_object_get(value, name) == NULL) {
            return unfit(c, name, "missing");
        }
    }
    for (void *i = json_object_iter(wzp_drop_const(value)); i != NULL;
         i = json_object_iter_next(wzp_drop_const(value), i)) {
        const json_t *property = json_object_get(properties, json_object_iter_key(i));
        if (property == NULL) {
            return unfit(c, json_object_iter_key(i), "not in the schema");
        }
        if (!fits(c, property, json_object_iter_value(i), json_object_iter_key(i))) {
            return false;
        }
    }
    return true;
}

static bool any_fits(const checking *c, const json_t *list, const json_t *value,
                     const char *where) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (fits(c, json_array_get(list, i), value, where)) {
            return true;
        }
    }
    return list == NULL;
}

static bool fits(const checking *c, const json_t *schema, const json_t *value, const char *where) {
    const json_t *reference = json_object_get(schema, "$ref");
    const json_t *minimum = json_object_get(schema, "minimum");
    const json_t *constant = json_object_get(schema, "const");
    const json_t *items = json_object_get(schema, "items");
    if (reference != NULL) {
        const json_t *target = resolve(c, json_string_value(reference));
        return target != NULL ? fits(c, target, value, where) : unfit(c, where, "lost $ref");
    }
    if (!type_fits(json_object_get(schema, "type"), value)) {
        return unfit(c, where, "wrong type");
    }
    if (!is_listed(json_object_get(schema, "enum"), value) ||
        (constant != NULL && !json_equal(constant, value))) {
        return unfit(c, where, "not an allowed value");
    }
    if (minimum != NULL && json_number_value(value) < json_number_value(minimum)) {
        return unfit(c, where, "too small");
    }
    if (!any_fits(c, json_object_get(schema, "anyOf"), value, where)) {
        return false;
    }
    for (size_t i = 0; items != NULL && i < json_array_size(value); i++) {
        if (!fits(c, items, json_array_get(value, i), where)) {
            return false;
        }
    }
    const bool described = json_object_get(schema, "properties") != NULL;
    return !described || object_fits(c, schema, value);
}
/* NOLINTEND(misc-no-recursion) */

/* NOLINTNEXTLINE(readability-non-const-parameter): the checking writes there */
bool wzp_ct_schema_ok(const json_t *schema, const json_t *value, char why[160]) {
    const checking c = {schema, why};
    return fits(&c, schema, value, "document");
}
