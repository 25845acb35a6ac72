/* Federation in the configuration file: [[peers]], [[trusted]], [[global_rooms]] (relay sheet 1.2).
 */
#include <stdio.h>

#include "bin/relay/relay_options.h"

/* One table of one list. */
typedef struct entry {
    wzp_relay_options *options;
    const char *list;
    size_t index;
    const json_t *table;
} entry;

static int complain(const entry *e, const char *key, const char *what) {
    char path[64];
    (void)snprintf(path, sizeof path, "%s[%zu].%s", e->list, e->index, key);
    unsigned line = wzp_toml_line(&e->options->toml, path);
    if (line == 0) { /* it is missing: the table's own line */
        (void)snprintf(path, sizeof path, "%s[%zu]", e->list, e->index);
        line = wzp_toml_line(&e->options->toml, path);
        (void)snprintf(path, sizeof path, "%s[%zu].%s", e->list, e->index, key);
    }
    return wzp_relay_complain(WZP_EXIT_UNREADABLE, "%s:%u: %s: %s", e->options->config, line, path,
                              what);
}

/* NULL: not there, or no text. */
static const char *text_of(const entry *e, const char *key) {
    return json_string_value(json_object_get(e->table, key));
}

static size_t count_digits(const char *fingerprint) {
    size_t digits = 0;
    for (const char *ch = fingerprint; *ch != '\0'; ch++) {
        if (strchr("0123456789abcdefABCDEF", *ch) != NULL) {
            digits++;
        } else if (*ch != ':') {
            return 0;
        }
    }
    return digits;
}

static int take_fingerprint(const entry *e, wzp_fed_peer_cfg *peer) {
    peer->fingerprint = text_of(e, "fingerprint");
    if (peer->fingerprint == NULL || count_digits(peer->fingerprint) != 64) {
        return complain(e, "fingerprint",
                        "expected the TLS fingerprint that the peer logs at its start, 64 "
                        "hexadecimal digits with or without colons");
    }
    return 0;
}

static bool same_digits(const char *a, const char *b) {
    for (;; a++, b++) {
        a += *a == ':' ? 1 : 0;
        b += *b == ':' ? 1 : 0;
        const char x = (char)(*a >= 'A' && *a <= 'F' ? *a - 'A' + 'a' : *a);
        const char y = (char)(*b >= 'A' && *b <= 'F' ? *b - 'A' + 'a' : *b);
        if (x != y || x == '\0') {
            return x == y;
        }
    }
}

static int take_peer(entry *e) {
    wzp_relay_options *o = e->options;
    const bool is_dialled = strcmp(e->list, "peers") == 0;
    const char *url = text_of(e, "url");
    wzp_fed_peer_cfg peer = {.label = text_of(e, "label")};
    if (is_dialled && (url == NULL || wzp_addr_parse(&peer.addr, url) != WZP_OK)) {
        return complain(e, "url", "expected \"IP:PORT\" or \"[IPV6]:PORT\" in numbers");
    }
    if (json_object_get(e->table, "label") != NULL && peer.label == NULL) {
        return complain(e, "label", "expected a string");
    }
    const int code = take_fingerprint(e, &peer);
    if (code != 0) {
        return code;
    }
    for (size_t i = 0; i < o->peer_count; i++) {
        if (same_digits(o->peers[i].fingerprint, peer.fingerprint)) {
            return complain(e, "fingerprint", "another peer has it already; name each relay once");
        }
    }
    if (o->peer_count == WZP_FED_PEERS) {
        return complain(e, "fingerprint", "there are 64 peers already, and no more are possible");
    }
    o->peers[o->peer_count++] = peer;
    return 0;
}

/* Names come in lower case from clients, and peers know a room by the hash of its name. */
static int take_room(entry *e) {
    const char *name = text_of(e, "name");
    if (name == NULL || *name == '\0' || strlen(name) > WZP_FED_NAME_MAX) {
        return complain(e, "name", "expected the room's name, 1 to 253 characters");
    }
    return wzp_relay_options_global_room(e->options, name) ? 0
                                                           : complain(e, "name", "too many rooms");
}

bool wzp_relay_options_global_room(wzp_relay_options *o, const char *name) {
    if (o->global_room_count == WZP_GLOBAL_ROOMS) {
        return false;
    }
    o->global_rooms[o->global_room_count++] = name;
    return true;
}

static int load_probes(wzp_relay_options *o) {
    size_t index;
    const json_t *target;
    json_array_foreach(o->probe_list, index, target) {
        if (!wzp_relay_options_probe(o, json_string_value(target))) {
            return wzp_relay_complain(WZP_EXIT_UNREADABLE,
                                      "%s:%u: probe_targets[%zu]: expected \"IP:PORT\" or "
                                      "\"[IPV6]:PORT\" in numbers, at most 64",
                                      o->config, wzp_toml_line(&o->toml, "probe_targets"), index);
        }
    }
    return 0;
}

int wzp_relay_peers_load(wzp_relay_options *o) {
    static const char *const lists[] = {"peers", "trusted", "global_rooms"};
    for (size_t i = 0; i < WZP_COUNT_OF(lists); i++) {
        const json_t *list = json_object_get(o->toml.tree, lists[i]);
        size_t index;
        const json_t *table;
        json_array_foreach(list, index, table) {
            entry e = {o, lists[i], index, table};
            const int code = i == 2 ? take_room(&e) : take_peer(&e);
            if (code != 0) {
                return code;
            }
        }
    }
    return load_probes(o);
}

/* --- what the relay is made with -------------------------------------------------------------- */

/* As deployed, without any of the three there is no federation. */
const wzp_federation_cfg *wzp_relay_options_federation(const wzp_relay_options *o,
                                                       wzp_federation_cfg *out) {
    *out = (wzp_federation_cfg){.peers = o->peers,
                                .peer_count = o->peer_count,
                                .rooms = o->global_rooms,
                                .room_count = o->global_room_count,
                                .pin_required = o->pin_required,
                                .room_pps = o->federation_room_pps,
                                .peer_pps = o->federation_peer_pps,
                                .peer_bytes = o->federation_peer_bytes};
    return o->peer_count != 0 || o->global_room_count != 0 ? out : NULL;
}

/* As deployed, clients learn of the relays that we dial: "label|IP:PORT". */
size_t wzp_relay_options_peer_relays(const wzp_relay_options *o, size_t count,
                                     const char *relays[WZP_LIMIT_RELAYS],
                                     wzp_relay_texts *memory) {
    for (size_t i = 0; i < o->peer_count && count < WZP_LIMIT_RELAYS; i++) {
        char addr[WZP_ADDR_TEXT_MAX];
        const wzp_fed_peer_cfg *p = &o->peers[i];
        if (p->addr.family != WZP_ADDR_NONE) {
            (void)snprintf(memory->texts[i], sizeof memory->texts[i], "%.96s|%s",
                           p->label != NULL ? p->label : "peer", wzp_addr_text(&p->addr, addr));
            relays[count++] = memory->texts[i];
        }
    }
    return count;
}
