/* The configuration file (relay sheet 1.2, 1.3): the deployed relay's keys, and a few of ours. */
#include <errno.h>
#include <stdio.h>

#include "bin/relay/relay_options.h"
#include "io/files.h"
#include "io/log_sink.h"
#include "io/sys.h"

typedef enum key_kind {
    ADDR,
    TEXT,
    NUMBER,
    PORT,
    FLAG,
    LEVEL,
    ENFORCE,
    ENTROPY,
    PIN,
    TEXTS,
    LIST
} key_kind;

typedef enum key_use {
    USED,
    UNUSED, /* accepted: it has no effect in the deployed relay either */
    LATER   /* a feature that this build does not have: refused when it is asked for */
} key_use;

#define INTO(field) offsetof(wzp_relay_options, field)

static const struct key {
    const char *name;
    key_kind kind;
    key_use use;
    size_t into;
} keys[] = {
    {"listen_addr", ADDR, USED, INTO(listen)},
    {"max_sessions", NUMBER, USED, INTO(max_sessions)},
    {"log_level", LEVEL, USED, INTO(log_level)},
    {"metrics_port", PORT, USED, INTO(metrics_port)},
    {"ws_port", PORT, USED, INTO(ws_port)},
    {"region", TEXT, USED, INTO(region)},
    {"enforce", ENFORCE, USED, INTO(enforce)},
    {"entropy", ENTROPY, USED, INTO(entropy_closes)},
    {"cooldown", NUMBER, USED, INTO(cooldown_s)},
    {"block", NUMBER, USED, INTO(block_s)},
    {"ban_list", TEXT, USED, INTO(ban_list)},
    {"quota_anonymous", NUMBER, USED, INTO(quota_anonymous_mb)},
    {"quota_authenticated", NUMBER, USED, INTO(quota_authenticated_mb)},
    {"senders_per_ip", NUMBER, USED, INTO(senders_per_ip)},
    {"exact_limits", FLAG, USED, INTO(exact_limits)},
    {"strict_identity", FLAG, USED, INTO(strict_identity)},
    {"trunking_enabled", FLAG, USED, INTO(trunking)},
    {"ring_timeout", NUMBER, USED, INTO(ring_timeout_s)},
    {"drain_timeout", NUMBER, USED, INTO(drain_timeout_s)},
    {"advertised_addr", ADDR, USED, INTO(advertised)},
    {"auth_url", TEXT, USED, INTO(auth_url)},
    {"auth_ca", TEXT, USED, INTO(auth_ca)},
    {"available_relays", TEXTS, USED, INTO(available_relays)},
    {"debug_tap", TEXT, USED, INTO(debug_tap)},
    {"max_connections", NUMBER, USED, INTO(max_connections)},
    {"max_connections_per_ip", NUMBER, USED, INTO(max_connections_per_ip)},
    {"jitter_target_depth", NUMBER, UNUSED, 0},
    {"jitter_max_depth", NUMBER, UNUSED, 0},
    {"probe_mesh", FLAG, UNUSED, 0},
    {"remote_relay", ADDR, LATER, 0},
    {"probe_targets", TEXTS, USED, INTO(probe_list)},
    {"static_dir", TEXT, LATER, 0},
    {"peers", LIST, USED, 0},
    {"trusted", LIST, USED, 0},
    {"global_rooms", LIST, USED, 0},
    {"federation_pin", PIN, USED, INTO(pin_required)},
    {"federation_room_pps", NUMBER, USED, INTO(federation_room_pps)},
    {"federation_peer_pps", NUMBER, USED, INTO(federation_peer_pps)},
    {"federation_peer_bytes", NUMBER, USED, INTO(federation_peer_bytes)},
};

static const char *expected(key_kind kind) {
    switch (kind) {
    case ADDR:
        return "\"IP:PORT\" or \"[IPV6]:PORT\" in numbers";
    case TEXT:
        return "a string";
    case NUMBER:
        return "a whole number from 0 to 4294967295";
    case PORT:
        return "a port from 0 to 65535";
    case FLAG:
        return "true or false";
    case LEVEL:
        return "\"error\", \"warn\", \"info\" or \"debug\"";
    case ENFORCE:
        return "\"off\", \"count\", \"observe\" or \"on\"";
    case ENTROPY:
        return "\"count\" or \"close\"";
    case PIN:
        return "\"warn\" or \"require\"";
    case TEXTS:
        return "a list of strings";
    case LIST:
        return "a list";
    }
    return "";
}

/* Stores nothing when `into` is 0, the place of the path itself. */
static void store(wzp_relay_options *o, size_t into, const void *value, size_t len) {
    if (into != 0) {
        memcpy((char *)o + into, value, len);
    }
}

static bool take_number(wzp_relay_options *o, const struct key *key, const json_t *value) {
    const json_int_t number = json_integer_value(value);
    const json_int_t max = key->kind == PORT ? 65535 : UINT32_MAX;
    if (!json_is_integer(value) || number < 0 || number > max) {
        return false;
    }
    const uint16_t port = (uint16_t)number;
    const uint32_t wide = (uint32_t)number;
    if (key->kind == PORT) {
        store(o, key->into, &port, sizeof port);
    } else {
        store(o, key->into, &wide, sizeof wide);
    }
    o->has_metrics = o->has_metrics || key->into == INTO(metrics_port);
    o->has_ws = o->has_ws || key->into == INTO(ws_port);
    return true;
}

static bool take_text(wzp_relay_options *o, const struct key *key, const char *text) {
    wzp_addr addr;
    wzp_enforce enforce;
    wzp_log_level level;
    bool closes;
    bool required;
    switch (key->kind) {
    case ADDR:
        if (wzp_addr_parse(&addr, text) != WZP_OK) {
            return false;
        }
        store(o, key->into, &addr, sizeof addr);
        return true;
    case LEVEL:
        if (!wzp_log_level_parse(text, &level)) {
            return false;
        }
        store(o, key->into, &level, sizeof level);
        return true;
    case ENFORCE:
        if (!wzp_enforce_parse(text, &enforce)) {
            return false;
        }
        store(o, key->into, &enforce, sizeof enforce);
        return true;
    case ENTROPY:
        if (!wzp_entropy_parse(text, &closes)) {
            return false;
        }
        store(o, key->into, &closes, sizeof closes);
        return true;
    case PIN:
        if (!wzp_pin_parse(text, &required)) {
            return false;
        }
        store(o, key->into, &required, sizeof required);
        return true;
    default:
        store(o, key->into, &text, sizeof text);
        return true;
    }
}

static bool take_texts(wzp_relay_options *o, const struct key *key, const json_t *list) {
    size_t i;
    const json_t *text;
    json_array_foreach(list, i, text) {
        if (!json_is_string(text)) {
            return false;
        }
    }
    store(o, key->into, &list, sizeof(json_t *));
    return json_is_array(list);
}

static bool take(wzp_relay_options *o, const struct key *key, const json_t *value) {
    switch (key->kind) {
    case NUMBER:
    case PORT:
        return take_number(o, key, value);
    case FLAG: {
        const bool on = json_is_true(value);
        store(o, key->into, &on, sizeof on);
        return json_is_boolean(value);
    }
    case TEXTS:
        return take_texts(o, key, value);
    case LIST:
        return json_is_array(value);
    case ADDR:
    case TEXT:
    case LEVEL:
    case ENFORCE:
    case ENTROPY:
    case PIN:
        return json_is_string(value) && take_text(o, key, json_string_value(value));
    }
    return false;
}

/* "Off" is what this build does anyway. */
static bool asks_for_something(const json_t *value) {
    return !json_is_false(value) && !(json_is_array(value) && json_array_size(value) == 0);
}

static int take_key(wzp_relay_options *o, const char *name, const json_t *value) {
    const unsigned line = wzp_toml_line(&o->toml, name);
    for (size_t i = 0; i < WZP_COUNT_OF(keys); i++) {
        const struct key *key = &keys[i];
        if (strcmp(key->name, name) != 0) {
            continue;
        }
        if (!take(o, key, value)) {
            return wzp_relay_complain(WZP_EXIT_UNREADABLE, "%s:%u: %s: expected %s", o->config,
                                      line, name, expected(key->kind));
        }
        if (key->use == LATER && asks_for_something(value)) {
            return wzp_relay_complain(WZP_EXIT_USAGE, "%s:%u: %s: not in this build yet", o->config,
                                      line, name);
        }
        return 0;
    }
    (void)wzp_relay_complain(0, "%s:%u: %s: unknown key, ignored", o->config, line, name);
    return 0;
}

int wzp_relay_config_load(wzp_relay_options *o) {
    char why[WZP_TOML_WHY_MAX];
    const wzp_err err = wzp_toml_load(&o->toml, o->config, why);
    if (err == WZP_ERR_IO && errno == ENOENT) {
        o->config_missing = true;
        return 0;
    }
    if (err != WZP_OK) {
        return wzp_relay_complain(WZP_EXIT_UNREADABLE, "%s", why);
    }
    const char *name;
    json_t *value;
    int code = 0;
    json_object_foreach(o->toml.tree, name, value) {
        code = code == 0 ? take_key(o, name, value) : code;
    }
    return code == 0 ? wzp_relay_peers_load(o) : code;
}

/* --- the example ------------------------------------------------------------------------------ */

void wzp_relay_config_write_example(const wzp_relay_options *o, const char *tls_fingerprint) {
    char listen[WZP_ADDR_TEXT_MAX];
    char text[2048];
    const int n =
        snprintf(text, sizeof text,
                 "# wzp-relay: every key is optional; the command line overrides this file.\n"
                 "listen_addr = \"%s\"\n"
                 "# max_sessions = 100\n"
                 "# enforce = \"count\"         # off, count, observe, on\n"
                 "# metrics_port = 9090        # on 127.0.0.1\n"
                 "# region = \"eu-west\"\n"
                 "# log_level = \"info\"\n"
                 "# debug_tap = \"*\"           # or a room: its traffic is logged\n"
                 "\n"
                 "# This relay, as another one would name it:\n"
                 "# [[peers]]\n"
                 "# url = \"%s\"\n"
                 "# fingerprint = \"%s\"\n"
                 "# label = \"this relay\"\n"
                 "\n"
                 "# Relays that may link to this one, and rooms that are shared with all:\n"
                 "# [[trusted]]\n"
                 "# fingerprint = \"...\"\n"
                 "# [[global_rooms]]\n"
                 "# name = \"general\"\n",
                 wzp_addr_text(&o->listen, listen), listen, tls_fingerprint);
    wzp_err err = wzp_io_make_parents(o->config);
    if (err == WZP_OK && n > 0 && (size_t)n < sizeof text) {
        err = wzp_io_write_atomic(o->config, wzp_bytes_of(text, (size_t)n), 0644);
    }
    if (err == WZP_OK) {
        (void)wzp_relay_complain(0, "%s: was missing; an example is there now, defaults are used",
                                 o->config);
    } else {
        (void)wzp_relay_complain(0, "%s: is missing, and an example cannot be written: %s",
                                 o->config, wzp_io_reason(errno));
    }
}
