#include "bin/relay/relay_admin.h"

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
    json_object_set_new(seen, fingerprint, json_string("Local"));
    return true;
}

static json_t *remote(const wzp_addr *relay) {
    char addr[WZP_ADDR_TEXT_MAX];
    return json_pack("{ss}", "Remote", wzp_addr_text(relay, addr));
}

/* Whoever is here as well is here. */
static bool note_remote(void *ctx, const wzp_addr *relay, const char *fingerprint) {
    json_t *seen = ctx;
    if (fingerprint != NULL && json_object_get(seen, fingerprint) == NULL) {
        json_object_set_new(seen, fingerprint, remote(relay));
    }
    return json_object_size(seen) < WZP_ADMIN_PRESENCE_MAX;
}

typedef struct search {
    const char *fingerprint;
    wzp_addr relay;
} search;

static bool match(void *ctx, const wzp_addr *relay, const char *fingerprint) {
    search *s = ctx;
    if (fingerprint != NULL && strcmp(fingerprint, s->fingerprint) == 0) {
        s->relay = *relay;
        return false;
    }
    return true;
}

/* Family NONE: nobody tells of it. */
static wzp_addr find_remote(const wzp_admin_source *from, const char *fingerprint) {
    search s = {.fingerprint = fingerprint};
    if (from->gossip != NULL) {
        from->gossip(from->ctx, match, &s);
    }
    return s.relay;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Takes `location`; NULL: nowhere. */
static json_t *entry(const char *fingerprint, json_t *location) {
    return json_pack("{ss,so}", "fingerprint", fingerprint, "location",
                     location != NULL ? location : json_null());
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
            json_array_append_new(list,
                                  entry(names[i], json_incref(json_object_get(seen, names[i]))));
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
    if (from->gossip != NULL) {
        from->gossip(from->ctx, note_remote, seen);
    }
    json_t *list = list_sorted(seen);
    json_decref(seen);
    return write_tree(out, list, JSON_INDENT(2));
}

wzp_err wzp_admin_presence_of(const wzp_admin_source *from, const char *fingerprint, wzp_wr *out) {
    const bool here = from->has(from->ctx, fingerprint);
    const wzp_addr there = here ? (wzp_addr){0} : find_remote(from, fingerprint);
    json_t *location = here                            ? json_string("Local")
                       : there.family != WZP_ADDR_NONE ? remote(&there)
                                                       : NULL;
    return write_tree(out, entry(fingerprint, location),
                      location != NULL ? JSON_INDENT(2) : JSON_COMPACT);
}

/* --- where it is ------------------------------------------------------------------------------ */

wzp_err wzp_admin_route(const wzp_admin_source *from, const char *fingerprint,
                        const wzp_addr *listen, wzp_wr *out) {
    char addr[WZP_ADDR_TEXT_MAX];
    const bool here = from->has(from->ctx, fingerprint);
    const wzp_addr there = here ? (wzp_addr){0} : find_remote(from, fingerprint);
    const bool is_remote = there.family != WZP_ADDR_NONE;
    json_t *chain = json_array();
    if (here || is_remote) {
        json_array_append_new(chain, json_string(wzp_addr_text(listen, addr)));
    }
    if (is_remote) {
        json_array_append_new(chain, json_string(wzp_addr_text(&there, addr)));
    }
    return write_tree(out,
                      json_pack("{ss,so,ss}", "fingerprint", fingerprint, "relay_chain", chain,
                                "route",
                                here        ? "local"
                                : is_remote ? "direct_peer"
                                            : "not_found"),
                      JSON_INDENT(2));
}

/* --- relays that tell ------------------------------------------------------------------------- */

/* Relay by relay, each before its clients. */
static bool note_relay(void *ctx, const wzp_addr *relay, const char *fingerprint) {
    json_t *list = ctx;
    char addr[WZP_ADDR_TEXT_MAX];
    if (fingerprint == NULL) {
        json_array_append_new(list, json_pack("{ss,s[],sn}", "addr", wzp_addr_text(relay, addr),
                                              "fingerprints", "rtt_ms"));
    } else {
        json_t *last = json_array_get(list, json_array_size(list) - 1);
        json_array_append_new(json_object_get(last, "fingerprints"), json_string(fingerprint));
    }
    return true;
}

wzp_err wzp_admin_peers(const wzp_admin_source *from, wzp_wr *out) {
    json_t *list = json_array();
    if (list != NULL && from->gossip != NULL) {
        from->gossip(from->ctx, note_relay, list);
    }
    return write_tree(out, list, JSON_INDENT(2));
}
