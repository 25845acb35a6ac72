#include "sim/lab/shrink.h"

#include <stdlib.h>
#include <string.h>

#include "sim/lab/near.h"

enum { TRIES_MAX = 1000, PATHS_MAX = 4096 };

typedef struct shrinking {
    wzp_lab_doc *doc;
    const wzp_lab_shrink_cfg *cfg;
    wzp_lab_shrink_stats *stats;
    bool no_memory, changed;
} shrinking;

/* --- one try ---------------------------------------------------------------------------------- */

static bool over(const shrinking *s) {
    const unsigned most = s->cfg->tries_max != 0 ? s->cfg->tries_max : TRIES_MAX;
    return s->no_memory || s->stats->tries >= most;
}

static bool copy(shrinking *s, wzp_lab_doc *out) {
    s->no_memory = s->no_memory || wzp_lab_doc_copy(out, s->doc) != WZP_OK;
    return !s->no_memory;
}

/* `candidate` is taken: it becomes the document, or goes. */
static bool attempt(shrinking *s, wzp_lab_doc *candidate) {
    if (over(s) || json_equal(candidate->tree, s->doc->tree)) {
        wzp_lab_doc_clear(candidate);
        return false;
    }
    s->stats->tries++;
    if (!s->cfg->fails(s->cfg->ctx, candidate)) {
        wzp_lab_doc_clear(candidate);
        return false;
    }
    wzp_lab_doc_clear(s->doc);
    *s->doc = *candidate;
    s->stats->kept++;
    s->changed = true;
    return true;
}

static bool without(shrinking *s, const char *path) {
    wzp_lab_doc candidate = {0};
    if (over(s) || !copy(s, &candidate)) {
        return false;
    }
    if (!wzp_lab_doc_remove(&candidate, path)) {
        wzp_lab_doc_clear(&candidate);
        return false;
    }
    return attempt(s, &candidate);
}

/* --- paths ------------------------------------------------------------------------------------ */

typedef struct paths {
    char list[PATHS_MAX][WZP_LAB_PATH_MAX];
    size_t count;
} paths;

static void add(paths *p, const char *path) {
    if (p->count < PATHS_MAX) {
        (void)snprintf(p->list[p->count++], WZP_LAB_PATH_MAX, "%s", path);
    }
}

/* Every value, outer ones first.  Keys that a path cannot name are left alone.
 * NOLINTNEXTLINE(misc-no-recursion): the parser refused deep nesting before */
static void walk(paths *p, const char *base, json_t *value) {
    char below[WZP_LAB_PATH_MAX];
    const char *key = NULL;
    json_t *item = NULL;
    json_object_foreach(value, key, item) {
        if (key[strcspn(key, ".[=")] == '\0' && *key != '\0') {
            add(p, wzp_lab_below(below, base, key));
            walk(p, below, item);
        }
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        add(p, wzp_lab_below_at(below, base, i));
        walk(p, below, json_array_get(value, i));
    }
}

static paths *all_paths(shrinking *s) {
    paths *p = calloc(1, sizeof *p);
    if (p == NULL) {
        s->no_memory = true;
        return NULL;
    }
    walk(p, "", s->doc->tree);
    return p;
}

static const char *last_key(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot != NULL ? dot + 1 : path;
}

/* --- faults ----------------------------------------------------------------------------------- */

/* Events: large pieces first. */
static void drop_events(shrinking *s) {
    size_t piece = json_array_size(json_object_get(s->doc->tree, "event"));
    while (piece > 0 && !over(s)) {
        const size_t n = json_array_size(json_object_get(s->doc->tree, "event"));
        bool any = false;
        for (size_t from = 0; from < n && !any && !over(s); from += piece) {
            wzp_lab_doc candidate = {0};
            if (!copy(s, &candidate)) {
                return;
            }
            json_t *events = json_object_get(candidate.tree, "event");
            for (size_t i = 0; i < piece && from < json_array_size(events); i++) {
                json_array_remove(events, from);
            }
            if (json_array_size(events) == 0) {
                json_object_del(candidate.tree, "event");
            }
            any = attempt(s, &candidate);
        }
        piece = any ? piece : piece / 2;
    }
}

static bool among(const char *key, const char *const *keys) {
    for (size_t i = 0; keys[i] != NULL; i++) {
        if (strcmp(keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

/* What can be removed by itself, by the last key of its path; longer paths do not come up again
 * when something around them went. */
static void drop_keys(shrinking *s, const char *const *keys) {
    paths *p = all_paths(s);
    for (size_t i = 0; p != NULL && i < p->count && !over(s); i++) {
        if (among(last_key(p->list[i]), keys)) {
            (void)without(s, p->list[i]);
        }
    }
    free(p);
}

static void drop_faults(shrinking *s) {
    static const char *const faults[] = {"cross",     "outage",  "slots",         "corrupt",
                                         "duplicate", "loss",    "jitter",        "queue",
                                         "firewall",  "mtu",     "opportunities", "burst",
                                         "skew",      "stagger", "processing",    NULL};
    drop_events(s);
    drop_keys(s, faults);
}

/* --- time ------------------------------------------------------------------------------------- */

static bool time_at(const json_t *table, const char *key, int64_t *out) {
    int64_t high = 0;
    const char *text = json_string_value(json_object_get(table, key));
    return text != NULL && wzp_lab_units_parse(WZP_LAB_TIME, text, out, &high) == WZP_LAB_UNITS_OK;
}

static void set_time(json_t *table, const char *key, int64_t ns) {
    char text[WZP_LAB_UNITS_TEXT_MAX];
    json_object_set_new(table, key, json_string(wzp_lab_units_text(WZP_LAB_TIME, ns, text)));
}

static int64_t duration_of(const shrinking *s) {
    int64_t ns = 0;
    return time_at(s->doc->tree, "duration", &ns) ? ns : 60 * (int64_t)WZP_S;
}

/* What would lie after the end goes, too. */
static bool with_duration(shrinking *s, int64_t ns) {
    wzp_lab_doc candidate = {0};
    if (over(s) || !copy(s, &candidate)) {
        return false;
    }
    json_t *events = json_object_get(candidate.tree, "event");
    set_time(candidate.tree, "duration", ns);
    for (size_t i = json_array_size(events); i-- > 0;) {
        int64_t at = 0;
        int64_t lasts = 0;
        (void)time_at(json_array_get(events, i), "for", &lasts);
        if (time_at(json_array_get(events, i), "at", &at) && at + lasts > ns) {
            json_array_remove(events, i);
        }
    }
    if (json_is_array(events) && json_array_size(events) == 0) {
        json_object_del(candidate.tree, "event");
    }
    return attempt(s, &candidate);
}

static void shorten(shrinking *s) {
    int64_t good = duration_of(s); /* it fails with this one */
    int64_t bad = (int64_t)WZP_S;
    while (good - bad > (int64_t)WZP_S && !over(s)) {
        const int64_t middle = (good + bad) / 2 / (int64_t)WZP_S * (int64_t)WZP_S;
        if (middle <= bad || middle >= good) {
            break;
        }
        if (with_duration(s, middle)) {
            good = middle;
        } else {
            bad = middle;
        }
    }
}

/* All events earlier by the same time, and the end with them. */
static bool earlier_by(shrinking *s, int64_t ns) {
    wzp_lab_doc candidate = {0};
    if (over(s) || !copy(s, &candidate)) {
        return false;
    }
    json_t *events = json_object_get(candidate.tree, "event");
    for (size_t i = 0; i < json_array_size(events); i++) {
        int64_t at = 0;
        if (time_at(json_array_get(events, i), "at", &at)) {
            set_time(json_array_get(events, i), "at", at - ns);
        }
    }
    set_time(candidate.tree, "duration", duration_of(s) - ns);
    return attempt(s, &candidate);
}

static void hurry(shrinking *s) {
    const json_t *events = json_object_get(s->doc->tree, "event");
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < json_array_size(events); i++) {
        int64_t at = 0;
        if (time_at(json_array_get(events, i), "at", &at) && at < first) {
            first = at;
        }
    }
    const int64_t spare = 2 * (int64_t)WZP_S; /* for the call to begin */
    int64_t seconds = first != INT64_MAX ? (first - spare) / (int64_t)WZP_S : 0;
    while (seconds > 0 && !earlier_by(s, seconds * (int64_t)WZP_S)) {
        seconds /= 2;
    }
}

/* --- network ---------------------------------------------------------------------------------- */

static void forget_name(json_t *list_or_text, json_t *table, const char *key, const char *name) {
    for (size_t i = json_array_size(list_or_text); i-- > 0;) {
        const char *text = json_string_value(json_array_get(list_or_text, i));
        if (text != NULL && strcmp(text, name) == 0) {
            json_array_remove(list_or_text, i);
        }
    }
    const char *text = json_string_value(list_or_text);
    if ((text != NULL && strcmp(text, name) == 0) ||
        (json_is_array(list_or_text) && json_array_size(list_or_text) == 0)) {
        json_object_del(table, key);
    }
}

static void forget_in_calls(json_t *calls, const char *name) {
    for (size_t i = 0; i < json_array_size(calls); i++) {
        json_t *call = json_array_get(calls, i);
        forget_name(json_object_get(call, "to"), call, "to", name);
        json_object_del(json_object_get(call, "relay"), name);
    }
    forget_name(json_object_get(calls, "to"), calls, "to", name);
    json_object_del(json_object_get(calls, "relay"), name);
}

static bool names(const char *target, const char *name) {
    const size_t len = strlen(name);
    return strncmp(target, name, len) == 0 && (target[len] == '\0' || target[len] == '.');
}

static void forget_in_events(json_t *tree, const char *name) {
    json_t *events = json_object_get(tree, "event");
    for (size_t i = json_array_size(events); i-- > 0;) {
        const char *target =
            json_string_value(json_object_get(json_array_get(events, i), "target"));
        if (target != NULL && names(target, name)) {
            json_array_remove(events, i);
        }
    }
    if (json_is_array(events) && json_array_size(events) == 0) {
        json_object_del(tree, "event");
    }
}

/* A host, and everything that speaks of it. */
static void drop_host(shrinking *s, const char *name) {
    wzp_lab_doc candidate = {0};
    if (over(s) || !copy(s, &candidate)) {
        return;
    }
    json_object_del(json_object_get(candidate.tree, "host"), name);
    json_object_del(json_object_get(json_object_get(candidate.tree, "expect"), "host"), name);
    forget_in_calls(json_object_get(candidate.tree, "call"), name);
    forget_in_events(candidate.tree, name);
    (void)attempt(s, &candidate);
}

static void drop_hosts(shrinking *s) {
    char(*list)[WZP_LAB_NAME_MAX] = calloc(WZP_LAB_HOSTS_MAX, WZP_LAB_NAME_MAX);
    size_t n = 0;
    const char *key = NULL;
    json_t *item = NULL;
    if (list == NULL) {
        s->no_memory = true;
        return;
    }
    json_object_foreach(json_object_get(s->doc->tree, "host"), key, item) {
        if (n < WZP_LAB_HOSTS_MAX) {
            (void)snprintf(list[n++], WZP_LAB_NAME_MAX, "%s", key);
        }
    }
    while (n-- > 0) {
        drop_host(s, list[n]);
    }
    free(list);
}

static void drop_calls(shrinking *s) {
    char path[WZP_LAB_PATH_MAX];
    for (size_t i = json_array_size(json_object_get(s->doc->tree, "call")); i-- > 0 && !over(s);) {
        (void)without(s, wzp_lab_below_at(path, "call", i));
    }
}

static void simplify_network(shrinking *s) {
    static const char *const parts[] = {"lan",   "core", "relay",   "way",   "nat", "access",
                                        "count", "pool", "address", "local", NULL};
    drop_calls(s);
    drop_hosts(s);
    drop_keys(s, parts);
}

/* --- what is left ----------------------------------------------------------------------------- */

/* `figures` significant ones. */
static int64_t rounded(int64_t value, unsigned figures) {
    int64_t unit = 1;
    int64_t bound = 1;
    for (unsigned i = 0; i < figures; i++) {
        bound *= 10;
    }
    while (value / unit >= bound) {
        unit *= 10;
    }
    return (value + unit / 2) / unit * unit;
}

static void round_value(shrinking *s, const char *path) {
    for (unsigned figures = 1; figures <= 2; figures++) {
        for (unsigned kind = 0; kind < WZP_LAB_PLAIN; kind++) {
            int64_t low = 0;
            int64_t high = 0;
            char text[WZP_LAB_UNITS_TEXT_MAX];
            const char *was = json_string_value(wzp_lab_doc_get(s->doc, path));
            if (was == NULL ||
                wzp_lab_units_parse((wzp_lab_unit)kind, was, &low, &high) != WZP_LAB_UNITS_OK ||
                low != high || low <= 0) {
                continue;
            }
            wzp_lab_units_text((wzp_lab_unit)kind, rounded(low, figures), text);
            wzp_lab_doc candidate = {0};
            if (rounded(low, figures) == low || over(s) || !copy(s, &candidate)) {
                return;
            }
            json_string_set(wzp_lab_doc_get(&candidate, path), text);
            if (attempt(s, &candidate)) {
                return;
            }
        }
    }
}

static void simplify_values(shrinking *s) {
    static const char *const needed[] = {"name", "seed", "duration", NULL};
    paths *p = all_paths(s);
    for (size_t i = 0; p != NULL && i < p->count && !over(s); i++) {
        if (!among(p->list[i], needed)) {
            (void)without(s, p->list[i]);
        }
    }
    free(p);
    p = all_paths(s);
    for (size_t i = 0; p != NULL && i < p->count && !over(s); i++) {
        round_value(s, p->list[i]);
    }
    free(p);
}

wzp_err wzp_lab_shrink(wzp_lab_doc *doc, const wzp_lab_shrink_cfg *cfg,
                       wzp_lab_shrink_stats *stats) {
    shrinking s = {.doc = doc, .cfg = cfg, .stats = stats};
    *stats = (wzp_lab_shrink_stats){0};
    do {
        s.changed = false;
        drop_faults(&s);
        shorten(&s);
        hurry(&s);
        simplify_network(&s);
        simplify_values(&s);
    } while (s.changed && !over(&s));
    stats->complete = !s.changed;
    return s.no_memory ? WZP_ERR_NOMEM : WZP_OK;
}
