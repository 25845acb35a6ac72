#include "sim/lab/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static wzp_err keep(wzp_lab_doc *out, wzp_toml *toml, const char *name, wzp_err err) {
    if (err == WZP_OK) {
        *out = (wzp_lab_doc){.tree = toml->tree, .lines = toml->lines};
        (void)snprintf(out->file, sizeof out->file, "%s", name);
    }
    return err;
}

wzp_err wzp_lab_doc_load(wzp_lab_doc *out, const char *path, char why[WZP_TOML_WHY_MAX]) {
    wzp_toml toml = {0};
    const wzp_err err = wzp_toml_load(&toml, path, why);
    return keep(out, &toml, path, err);
}

wzp_err wzp_lab_doc_parse(wzp_lab_doc *out, wzp_bytes text, const char *name,
                          char why[WZP_TOML_WHY_MAX]) {
    wzp_toml toml = {0};
    const wzp_err err = wzp_toml_parse(&toml, (const char *)text.data, text.len, name, why);
    return keep(out, &toml, name, err);
}

wzp_err wzp_lab_doc_copy(wzp_lab_doc *out, const wzp_lab_doc *doc) {
    wzp_lab_doc copy = {.tree = json_deep_copy(doc->tree), .lines = json_copy(doc->lines)};
    memcpy(copy.file, doc->file, sizeof copy.file);
    if (copy.tree == NULL || copy.lines == NULL) {
        wzp_lab_doc_clear(&copy);
        return WZP_ERR_NOMEM;
    }
    *out = copy;
    return WZP_OK;
}

void wzp_lab_doc_clear(wzp_lab_doc *doc) {
    json_decref(doc->tree);
    json_decref(doc->lines);
    doc->tree = NULL;
    doc->lines = NULL;
}

/* --- paths ----------------------------------------------------------------------------------- */

/* One step of "host.x", "call[0]": a key, then perhaps an index. */
typedef struct step {
    char key[WZP_LAB_PATH_MAX];
    long index; /* -1: none */
} step;

/* Returns what follows the step; NULL: not a path. */
static const char *take_step(const char *path, step *out) {
    const size_t len = strcspn(path, ".[");
    if (len == 0 || len >= sizeof out->key) {
        return NULL;
    }
    memcpy(out->key, path, len);
    out->key[len] = '\0';
    out->index = -1;
    path += len;
    if (*path == '[') {
        char *end = NULL;
        out->index = strtol(path + 1, &end, 10);
        if (end == path + 1 || *end != ']' || out->index < 0) {
            return NULL;
        }
        path = end + 1;
    }
    if (*path == '.') {
        return path + 1;
    }
    return *path == '\0' ? path : NULL;
}

static json_t *enter(json_t *table, const step *s) {
    json_t *value = json_object_get(table, s->key);
    return s->index < 0 ? value : json_array_get(value, (size_t)s->index);
}

json_t *wzp_lab_doc_get(const wzp_lab_doc *doc, const char *path) {
    json_t *at = doc->tree;
    step s;
    while (at != NULL && *path != '\0') {
        path = take_step(path, &s);
        at = path != NULL ? enter(at, &s) : NULL;
        path = path != NULL ? path : "";
    }
    return at;
}

/* The table that holds the last step; makes tables on the way with `make`. */
static json_t *parent_of(json_t *tree, const char *path, bool make, step *last) {
    json_t *at = tree;
    path = take_step(path, last);
    while (path != NULL && *path != '\0') {
        json_t *next = enter(at, last);
        if (next == NULL && make && last->index < 0) {
            next = json_object();
            json_object_set_new(at, last->key, next);
        }
        if (!json_is_object(next)) {
            return NULL;
        }
        at = next;
        path = take_step(path, last);
    }
    return path != NULL ? at : NULL;
}

bool wzp_lab_doc_remove(wzp_lab_doc *doc, const char *path) {
    step last;
    json_t *table = parent_of(doc->tree, path, false, &last);
    if (table == NULL || enter(table, &last) == NULL) {
        return false;
    }
    return last.index < 0
               ? json_object_del(table, last.key) == 0
               : json_array_remove(json_object_get(table, last.key), (size_t)last.index) == 0;
}

/* --- changes from outside -------------------------------------------------------------------- */

static json_t *value_of(const char *text) {
    char why[WZP_TOML_WHY_MAX];
    char line[1024];
    wzp_toml toml = {0};
    json_t *value = NULL;
    const int len = snprintf(line, sizeof line, "v = %s\n", text);
    if (len > 0 && (size_t)len < sizeof line && strpbrk(text, "\n\r") == NULL &&
        wzp_toml_parse(&toml, line, (size_t)len, "", why) == WZP_OK &&
        json_object_size(toml.tree) == 1) {
        value = json_incref(json_object_get(toml.tree, "v"));
    }
    wzp_toml_clear(&toml);
    return value != NULL ? value : json_string(text);
}

/* What lay below the path before is gone, and so are its lines. */
static void mark_as_set(json_t *lines, const char *path) {
    const char *key = NULL;
    json_t *line = NULL;
    void *next = NULL;
    const size_t len = strlen(path);
    json_object_foreach_safe(lines, next, key, line) {
        if (strncmp(key, path, len) == 0 && (key[len] == '.' || key[len] == '[')) {
            json_object_del(lines, key);
        }
    }
    json_object_set_new(lines, path, json_integer(0));
}

bool wzp_lab_doc_set(wzp_lab_doc *doc, const char *assignment, char why[WZP_TOML_WHY_MAX]) {
    char path[WZP_LAB_PATH_MAX];
    step last;
    const size_t len = strcspn(assignment, "=");
    if (assignment[len] != '=' || len == 0 || len >= sizeof path) {
        (void)snprintf(why, WZP_TOML_WHY_MAX, "'%s' is not of the form key=value", assignment);
        return false;
    }
    memcpy(path, assignment, len);
    path[len] = '\0';
    json_t *table = parent_of(doc->tree, path, true, &last);
    json_t *value = value_of(assignment + len + 1);
    if (table == NULL || value == NULL ||
        (last.index < 0
             ? json_object_set(table, last.key, value)
             : json_array_set(json_object_get(table, last.key), (size_t)last.index, value)) != 0) {
        (void)snprintf(why, WZP_TOML_WHY_MAX, "%s has no place for '%s'", doc->file, path);
        json_decref(value);
        return false;
    }
    json_decref(value);
    mark_as_set(doc->lines, path);
    return true;
}

/* --- where a value came from ----------------------------------------------------------------- */

static bool cut_last_step(char *path) {
    char *dot = strrchr(path, '.');
    char *bracket = strrchr(path, '[');
    char *cut = dot > bracket ? dot : bracket;
    if (cut == NULL) {
        return false;
    }
    *cut = '\0';
    return true;
}

const char *wzp_lab_doc_where(const wzp_lab_doc *doc, const char *path, char *buf, size_t cap,
                              unsigned *line) {
    char at[WZP_LAB_PATH_MAX];
    json_int_t found = -1;
    (void)snprintf(at, sizeof at, "%s", path);
    do {
        const json_t *value = json_object_get(doc->lines, at);
        found = value != NULL ? json_integer_value(value) : -1;
    } while (found < 0 && cut_last_step(at));
    if (line != NULL) {
        *line = found > 0 ? (unsigned)found : 0;
    }
    if (found > 0) {
        (void)snprintf(buf, cap, "%s:%u", doc->file, (unsigned)found);
    } else {
        (void)snprintf(buf, cap, "%s", found == 0 ? "--set" : doc->file);
    }
    return buf;
}
