#include "bin/relay_admin.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* Takes `tree`. */
static wzp_err write_tree(wzp_wr *out, json_t *tree, size_t flags) {
    char *text = tree != NULL ? json_dumps(tree, flags) : NULL;
    json_decref(tree);
    if (text == NULL) {
        return WZP_ERR_NOMEM;
    }
    wzp_wr_str(out, text);
    wzp_wr_u8(out, '\n');
    free(text);
    return wzp_wr_end(out);
}

/* --- who is here ------------------------------------------------------------------------------ */

/* One client may be in a room and registered: a set of names. */
static bool note(void *ctx, const char *fingerprint) {
    json_t *seen = ctx;
    if (json_object_size(seen) == WZP_ADMIN_PRESENCE_MAX) {
        return false;
    }
    json_object_set_new(seen, fingerprint, json_true());
    return true;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *entry(const char *fingerprint, const char *location) {
    return json_pack("{ss,ss?}", "fingerprint", fingerprint, "location", location);
}

static json_t *list_sorted(json_t *seen) {
    const size_t count = json_object_size(seen);
    const char **names = calloc(count + 1, sizeof *names);
    json_t *list = names != NULL ? json_array() : NULL;
    const char *name;
    json_t *value;
    size_t n = 0;
    if (list != NULL) {
        json_object_foreach(seen, name, value) {
            names[n++] = name;
        }
        qsort(names, n, sizeof *names, by_name);
        for (size_t i = 0; i < n; i++) {
            json_array_append_new(list, entry(names[i], "Local"));
        }
    }
    free(names);
    return list;
}

wzp_err wzp_admin_presence(const wzp_admin_source *from, wzp_wr *out) {
    json_t *seen = json_object();
    if (seen == NULL) {
        return WZP_ERR_NOMEM;
    }
    from->visit(from->ctx, note, seen);
    json_t *list = list_sorted(seen);
    json_decref(seen);
    return write_tree(out, list, JSON_INDENT(2));
}

wzp_err wzp_admin_presence_of(const wzp_admin_source *from, const char *fingerprint, wzp_wr *out) {
    const bool here = from->has(from->ctx, fingerprint);
    return write_tree(out, entry(fingerprint, here ? "Local" : NULL),
                      here ? JSON_INDENT(2) : JSON_COMPACT);
}

/* --- where it is ------------------------------------------------------------------------------ */

wzp_err wzp_admin_route(const wzp_admin_source *from, const char *fingerprint,
                        const wzp_addr *listen, wzp_wr *out) {
    char addr[WZP_ADDR_TEXT_MAX];
    const bool here = from->has(from->ctx, fingerprint);
    json_t *chain = json_array();
    if (here) {
        json_array_append_new(chain, json_string(wzp_addr_text(listen, addr)));
    }
    return write_tree(out,
                      json_pack("{ss,so,ss}", "fingerprint", fingerprint, "relay_chain", chain,
                                "route", here ? "local" : "not_found"),
                      JSON_INDENT(2));
}

wzp_err wzp_admin_peers(wzp_wr *out) {
    return write_tree(out, json_array(), JSON_INDENT(2));
}

wzp_err wzp_admin_mesh(wzp_wr *out) {
    enum { RULE = 41 };
    char head[80];
    (void)snprintf(head, sizeof head, "%-20s %6s %6s %7s  %s\n", "Target", "RTT", "Loss", "Jitter",
                   "Status");
    wzp_wr_str(out, "Relay Mesh Health\n");
    for (int i = 0; i < RULE; i++) {
        wzp_wr_str(out, "\xe2\x94\x80");
    }
    wzp_wr_u8(out, '\n');
    wzp_wr_str(out, head);
    wzp_wr_str(out, "  (no probe targets configured)\n");
    return wzp_wr_end(out);
}
