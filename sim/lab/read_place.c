/* "host", "lan", "relay" and "core": who is where. */
#include <assert.h>
#include <string.h>

#include "relay/relay.h"
#include "sim/lab/read.h"

static_assert(offsetof(wzp_lab_host, ways) == 0 && offsetof(wzp_lab_lan, way) == 0,
              "keys of a way are read into whatever begins with one");

/* --- names ----------------------------------------------------------------------------------- */

static bool good_name(wzp_lab_reader *r, const char *path, const char *name) {
    const size_t len = strlen(name);
    if (len < WZP_LAB_NAME_MAX && len > 0 && name[0] >= 'a' && name[0] <= 'z' &&
        name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0' &&
        strcmp(name, "core") != 0) {
        return true;
    }
    wzp_lab_complain(r, path,
                     "a name is 1 to %d of a-z, 0-9 and _, begins with a letter, and is "
                     "not \"core\"",
                     WZP_LAB_NAME_MAX - 1);
    return false;
}

uint32_t wzp_lab_find_host(const wzp_lab_scenario *s, const char *name) {
    for (size_t i = 0; i < s->host_count; i++) {
        if (strcmp(s->hosts[i].name, name) == 0) {
            return (uint32_t)i;
        }
    }
    return WZP_LAB_NONE;
}

uint32_t wzp_lab_find_relay(const wzp_lab_scenario *s, const char *name) {
    for (size_t i = 0; i < s->relay_count; i++) {
        if (strcmp(s->relays[i].name, name) == 0) {
            return (uint32_t)i;
        }
    }
    return WZP_LAB_NONE;
}

static uint32_t find_lan(const wzp_lab_scenario *s, const char *name) {
    for (size_t i = 0; i < s->lan_count; i++) {
        if (strcmp(s->lans[i].name, name) == 0) {
            return (uint32_t)i;
        }
    }
    return WZP_LAB_NONE;
}

const char *wzp_lab_host_at(const void *scenario, size_t index) {
    const wzp_lab_scenario *s = scenario;
    return index < s->host_count ? s->hosts[index].name : NULL;
}

const char *wzp_lab_relay_at(const void *scenario, size_t index) {
    const wzp_lab_scenario *s = scenario;
    return index < s->relay_count ? s->relays[index].name : NULL;
}

static const char *lan_at(const void *scenario, size_t index) {
    const wzp_lab_scenario *s = scenario;
    return index < s->lan_count ? s->lans[index].name : NULL;
}

/* --- ways ------------------------------------------------------------------------------------ */

static void take_access(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    static const char *const names[2] = {"up", "down"};
    wzp_lab_read_links(r, path, value, names, ((wzp_lab_way *)out)->links);
}

static void take_nat(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_lab_read_boxes(r, path, value, out);
}

static void take_firewall(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_lab_read_firewall(r, path, value, out);
}

static void take_gateway(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_lab_read_gateway(r, path, value, out);
}

static void take_lan(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    const char *name = json_string_value(value);
    if (name == NULL) {
        wzp_lab_complain_type(r, path, "the name of a LAN", value);
        return;
    }
    wzp_lab_way *way = out;
    way->lan = find_lan(r->owner, name);
    wzp_lab_link_lan(way->links);
    if (way->lan == WZP_LAB_NONE) {
        wzp_lab_complain_name(r, path, "LAN", name, lan_at, r->owner);
    }
}

static const char *const filters6[] = {"APDF", "ADF", "EIF", NULL}; /* wzp_lab_filter6 */

/* The order counts: a line into a LAN is of another kind, and a firewall belongs to a box. */
#define WAY_FIELDS                                                                                 \
    WZP_LAB_ADDRESS(wzp_lab_way, address, "address", "outside of the last box, or its own"),       \
        WZP_LAB_ADDRESS(wzp_lab_way, address6, "address6", "IPv6, its own"),                       \
        WZP_LAB_WORD(wzp_lab_way, filtering6, "filtering6", filters6,                              \
                     "who may answer through its boxes' firewall for IPv6; APDF without"),         \
        WZP_LAB_CUSTOM("lan", take_lan, WZP_LAB_STRING, "the LAN it is in, instead of the core"),  \
        WZP_LAB_CUSTOM("access", take_access, WZP_LAB_REF("line"),                                 \
                       "preset or table of a line's parameters"),                                  \
        WZP_LAB_CUSTOM("nat", take_nat, WZP_LAB_REF("nats"),                                       \
                       "preset, table with overrides, or list from the inside out"),               \
        WZP_LAB_CUSTOM("firewall", take_firewall, WZP_LAB_REF("firewall"),                         \
                       "what the outermost box lets through"),                                     \
        WZP_LAB_CUSTOM("gateway", take_gateway, WZP_LAB_REF("gateway"),                            \
                       "port mapping services of the innermost box"),                              \
        WZP_LAB_QUANTITY(wzp_lab_way, pool, "pool", WZP_LAB_PLAIN, 1, WZP_SIM_NAT_POOL_MAX,        \
                         "external addresses of the outermost box, from `address` on")

static const wzp_lab_field way_fields[] = {
    WAY_FIELDS,
    WZP_LAB_ADDRESS(wzp_lab_way, local, "local", "the host's address behind its boxes"),
    WZP_LAB_FLAG(wzp_lab_way, clat, "clat",
                 "behind a nat64: the host has IPv4 all the same (464XLAT)"),
    WZP_LAB_FLAG(wzp_lab_way, down, "down", "not in use at the start"),
};
const wzp_lab_table wzp_lab_way_table = {"a way out", way_fields, WZP_COUNT_OF(way_fields)};

/* Two hosts of a LAN would answer each other within one and the same moment. */
static void check_line(wzp_lab_reader *r, const char *path, const wzp_lab_way *way) {
    const bool instant = way->links[0].delay.base == 0 || way->links[1].delay.base == 0;
    if (way->lan != WZP_LAB_NONE && instant) {
        wzp_lab_complain(r, path, "a line into a LAN needs a delay above 0");
    }
}

static size_t nat64_count(const wzp_lab_way *way) {
    size_t n = 0;
    for (size_t i = 0; i < way->box_count; i++) {
        n += way->boxes[i].nat64 ? 1 : 0;
    }
    return n;
}

/* Behind a NAT64 there is no IPv4 that another box could translate. */
static void check_nat64(wzp_lab_reader *r, const char *path, const wzp_lab_way *way) {
    if (nat64_count(way) > 0 && way->box_count > 1) {
        wzp_lab_complain(r, path, "a nat64 is the only box of its way");
    } else if (way->clat && nat64_count(way) == 0) {
        wzp_lab_complain(r, path, "clat needs nat = \"nat64\"");
    } else if (nat64_count(way) > 0 && way->local.family != WZP_ADDR_NONE) {
        wzp_lab_complain(r, path, "there is no local IPv4 address behind a nat64");
    }
}

static void init_way(const wzp_lab_scenario *s, wzp_lab_way *way, const char *name) {
    *way = (wzp_lab_way){.lan = WZP_LAB_NONE};
    memcpy(way->links, s->access, sizeof way->links);
    (void)snprintf(way->name, sizeof way->name, "%s", name);
}

/* --- hosts ----------------------------------------------------------------------------------- */

static void take_ways(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_lab_host *host = out;
    char below[WZP_LAB_PATH_MAX];
    char name[2 * WZP_LAB_NAME_MAX];
    const char *key = NULL;
    json_t *item = NULL;
    if (!json_is_object(value)) {
        wzp_lab_complain_type(r, path, "tables of more ways out, as [host.x.way.lte]", value);
        return;
    }
    json_object_foreach(value, key, item) {
        if (!good_name(r, wzp_lab_below(below, path, key), key)) {
            continue;
        }
        if (host->way_count == WZP_LAB_WAYS_MAX) {
            wzp_lab_complain(r, path, "expected at most %d more ways out", WZP_LAB_WAYS_MAX - 1);
            return;
        }
        wzp_lab_way *way = &host->ways[host->way_count++];
        (void)snprintf(name, sizeof name, "%s.%s", host->name, key);
        init_way(r->owner, way, name);
        way->down = true;
        (void)wzp_lab_read(r, below, item, &wzp_lab_way_table, way);
        check_line(r, below, way);
        check_nat64(r, below, way);
    }
}

static void take_client(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_lab_read_client(r, path, value, out);
}

static void take_signals(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_lab_read_signals(r, path, value, out);
}

#define HOST(name, of, member, least, most, text)                                                  \
    WZP_LAB_QUANTITY(wzp_lab_host, member, name, WZP_LAB_##of, least, most, text)

static const wzp_lab_field host_fields[] = {
    WAY_FIELDS,
    WZP_LAB_ADDRESS(wzp_lab_way, local, "local", "its address behind its boxes"),
    WZP_LAB_FLAG(wzp_lab_way, clat, "clat",
                 "behind a nat64: the host has IPv4 all the same (464XLAT)"),
    WZP_LAB_CUSTOM("way", take_ways, WZP_LAB_REFS("way"), "more ways out, by name"),
    HOST("port", PLAIN, port, 1, 65535, "UDP port of its client"),
    HOST("skew", SKEW, skew_ppm, -1000, 1000, "its clock runs fast or slow"),
    HOST("ahead", TIME, ahead, 0, 0, "its clock is ahead"),
    HOST("processing", TIME, processing, 0, 0, "from arrival to the program"),
    WZP_LAB_CUSTOM("client", take_client, WZP_LAB_REF("client"), "what its client does"),
    WZP_LAB_CUSTOM("signals", take_signals, WZP_LAB_REF("signals"),
                   "single signals that are lost, late or doubled between it and its relay"),
    WZP_LAB_CUSTOM("count", wzp_lab_elsewhere, WZP_LAB_REF("count"),
                   "so many of them, called x1, x2, ..., with addresses in a row"),
};
const wzp_lab_table wzp_lab_host_table = {"a host", host_fields, WZP_COUNT_OF(host_fields)};

static size_t copies_of(wzp_lab_reader *r, const char *path, json_t *value) {
    char below[WZP_LAB_PATH_MAX];
    typedef struct copies {
        uint32_t count;
    } copies;
    static const wzp_lab_field field =
        WZP_LAB_QUANTITY(copies, count, "count", WZP_LAB_PLAIN, 1, WZP_LAB_HOSTS_MAX, "");
    copies read = {0};
    json_t *item = wzp_lab_value(r, wzp_lab_below(below, path, "count"), value, "count");
    return item != NULL && wzp_lab_read_field(r, below, item, &field, &read) ? read.count : 0;
}

static void add_to(wzp_addr *a, uint32_t n) {
    const size_t at = a->family == WZP_ADDR_V6 ? 14 : 2;
    const uint32_t last = ((uint32_t)a->ip[at] << 8 | a->ip[at + 1]) + n;
    if (a->family != WZP_ADDR_NONE) {
        a->ip[at] = (uint8_t)(last >> 8);
        a->ip[at + 1] = (uint8_t)last;
    }
}

static void read_host(wzp_lab_reader *r, const char *path, const char *name, json_t *value,
                      wzp_lab_host *host) {
    const wzp_lab_scenario *s = r->owner;
    *host = (wzp_lab_host){.way_count = 1, .client.policy = s->policy};
    (void)snprintf(host->name, sizeof host->name, "%.31s", name); /* its length was checked */
    init_way(r->owner, &host->ways[0], name);
    (void)wzp_lab_read(r, path, value, &wzp_lab_host_table, host);
    check_line(r, path, &host->ways[0]);
    check_nat64(r, path, &host->ways[0]);
}

static void read_copies(wzp_lab_reader *r, const char *path, const char *key, json_t *value,
                        size_t count) {
    wzp_lab_scenario *s = r->owner;
    char name[2 * WZP_LAB_NAME_MAX];
    const size_t before = r->errors->count;
    for (size_t i = 0; i < count && r->errors->count == before; i++) {
        if (s->host_count == WZP_LAB_HOSTS_MAX) {
            wzp_lab_complain(r, path, "expected at most %d hosts in all", WZP_LAB_HOSTS_MAX);
            return;
        }
        (void)snprintf(name, sizeof name, "%.31s%u", key, (unsigned)i + 1);
        if (!good_name(r, path, name)) {
            return;
        }
        wzp_lab_host *host = &s->hosts[s->host_count++];
        read_host(r, path, name, value, host);
        add_to(&host->ways[0].address, (uint32_t)i);
        add_to(&host->ways[0].address6, (uint32_t)i);
    }
}

static void read_hosts(wzp_lab_reader *r, json_t *hosts, wzp_lab_scenario *s) {
    char path[WZP_LAB_PATH_MAX];
    const char *key = NULL;
    json_t *item = NULL;
    json_object_foreach(hosts, key, item) {
        if (!good_name(r, wzp_lab_below(path, "host", key), key)) {
            continue;
        }
        const size_t count = copies_of(r, path, item);
        if (count > 0) {
            read_copies(r, path, key, item, count);
        } else if (s->host_count == WZP_LAB_HOSTS_MAX) {
            wzp_lab_complain(r, path, "expected at most %d hosts in all", WZP_LAB_HOSTS_MAX);
            return;
        } else {
            read_host(r, path, key, item, &s->hosts[s->host_count++]);
        }
    }
}

/* --- LANs ------------------------------------------------------------------------------------ */

static const wzp_lab_field lan_fields[] = {
    WAY_FIELDS,
    WZP_LAB_ADDRESS(wzp_lab_way, local, "network", "inside, a /24, as 192.168.1.0"),
    WZP_LAB_FLAG(wzp_lab_lan, isolate, "isolate", "its hosts do not reach each other directly"),
};
const wzp_lab_table wzp_lab_lan_table = {"a LAN", lan_fields, WZP_COUNT_OF(lan_fields)};

static bool in_circle(const wzp_lab_scenario *s, size_t from) {
    uint32_t at = s->lans[from].way.lan;
    for (size_t i = 0; i < s->lan_count && at != WZP_LAB_NONE; i++) {
        if (at == from) {
            return true;
        }
        at = s->lans[at].way.lan;
    }
    return false;
}

static void read_lans(wzp_lab_reader *r, json_t *lans, wzp_lab_scenario *s) {
    char path[WZP_LAB_PATH_MAX];
    const char *key = NULL;
    json_t *item = NULL;
    json_object_foreach(lans, key, item) { /* names first: a LAN may lie in a later one */
        if (good_name(r, wzp_lab_below(path, "lan", key), key)) {
            wzp_lab_lan *lan = &s->lans[s->lan_count++];
            (void)snprintf(lan->name, sizeof lan->name, "%s", key);
            init_way(s, &lan->way, key);
        }
    }
    for (size_t i = 0; i < s->lan_count; i++) {
        wzp_lab_lan *lan = &s->lans[i];
        const size_t before = r->errors->count;
        wzp_lab_below(path, "lan", lan->name);
        (void)wzp_lab_read(r, path, json_object_get(lans, lan->name), &wzp_lab_lan_table, lan);
        check_line(r, path, &lan->way);
        if (r->errors->count == before && lan->way.box_count == 0) {
            wzp_lab_complain(r, path, "a LAN needs a nat or a firewall between it and the rest");
        } else if (nat64_count(&lan->way) > 0) {
            wzp_lab_complain(r, path, "a nat64 belongs to one host, as host.x.nat");
        }
    }
    for (size_t i = 0; i < s->lan_count; i++) {
        if (in_circle(s, i)) {
            wzp_lab_complain(r, wzp_lab_below(path, "lan", s->lans[i].name), "lies within itself");
        }
    }
}

/* --- relays ---------------------------------------------------------------------------------- */

static const char *const enforce_words[] = {"off", "count", "observe", "on", NULL};
static_assert(WZP_ENFORCE_OFF == 0 && WZP_ENFORCE_COUNT == 1 && WZP_ENFORCE_OBSERVE == 2 &&
                  WZP_ENFORCE_ON == 3,
              "words are in the order of the enum");

#define RELAY(name, of, member, least, most, text)                                                 \
    WZP_LAB_QUANTITY(wzp_lab_relay, member, name, WZP_LAB_##of, least, most, text)

static const wzp_lab_field relay_fields[] = {
    WZP_LAB_ADDRESS(wzp_lab_relay, address, "address", "its address"),
    RELAY("port", PLAIN, port, 1, 65535, "UDP port"),
    RELAY("delay", TIME, delay, 1, 60 * (int64_t)WZP_S, "one way, from every access"),
    RELAY("processing", TIME, processing, 0, 0, "from arrival to the program"),
    WZP_LAB_WORD(wzp_lab_relay, enforce, "enforce", enforce_words, "what it does about abuse"),
    WZP_LAB_CUSTOM("federate", wzp_lab_elsewhere, WZP_LAB_STRINGS,
                   "the relays that it links to; without any such key all are linked"),
    WZP_LAB_CUSTOM("twin", wzp_lab_elsewhere, WZP_LAB_STRING,
                   "a fault: it has the identity of this relay before it"),
};
const wzp_lab_table wzp_lab_relay_table = {"a relay", relay_fields, WZP_COUNT_OF(relay_fields)};

static void read_relay(wzp_lab_reader *r, const char *path, const char *name, json_t *value) {
    wzp_lab_scenario *s = r->owner;
    wzp_lab_relay *relay = &s->relays[s->relay_count++];
    *relay = (wzp_lab_relay){.address = wzp_addr_v4(192, 0, 2, (uint8_t)s->relay_count, 0),
                             .port = 4433,
                             .delay = 5 * WZP_MS,
                             .enforce = WZP_ENFORCE_COUNT,
                             .identity = (uint32_t)s->relay_count - 1};
    (void)snprintf(relay->name, sizeof relay->name, "%s", name);
    if (value != NULL) {
        (void)wzp_lab_read(r, path, value, &wzp_lab_relay_table, relay);
    }
}

static bool are_named(const json_t *relays) {
    const char *key = NULL;
    const json_t *item = NULL;
    bool tables = json_object_size(relays) > 0;
    json_object_foreach(wzp_drop_const(relays), key, item) {
        tables = tables && json_is_object(item);
    }
    return tables;
}

static void read_relays(wzp_lab_reader *r, json_t *relays, wzp_lab_scenario *s) {
    char path[WZP_LAB_PATH_MAX];
    const char *key = NULL;
    json_t *item = NULL;
    if (!are_named(relays)) {
        read_relay(r, "relay", "relay", relays);
        return;
    }
    json_object_foreach(relays, key, item) {
        if (s->relay_count == WZP_LAB_RELAYS_MAX) {
            wzp_lab_complain(r, "relay", "expected at most %d relays", WZP_LAB_RELAYS_MAX);
            return;
        }
        if (good_name(r, wzp_lab_below(path, "relay", key), key)) {
            read_relay(r, path, key, item);
        }
    }
}

/* --- STUN servers ----------------------------------------------------------------------------- */

static const wzp_lab_field stun_fields[] = {
    WZP_LAB_QUANTITY(wzp_lab_stun, servers, "servers", WZP_LAB_PLAIN, 0, WZP_LAB_STUNS_MAX,
                     "so many, called stun1, stun2, ..."),
    WZP_LAB_QUANTITY(wzp_lab_stun, delay, "delay", WZP_LAB_TIME, 1, 60 * (int64_t)WZP_S,
                     "one way, from every access"),
    WZP_LAB_FLAG(wzp_lab_stun, down, "down", "nobody answers"),
    WZP_LAB_FLAG(wzp_lab_stun, spoof, "spoof", "wrong answers come before the right one"),
};
const wzp_lab_table wzp_lab_stun_table = {"the STUN servers", stun_fields,
                                          WZP_COUNT_OF(stun_fields)};

static void read_stun(wzp_lab_reader *r, json_t *stun, wzp_lab_scenario *s) {
    s->stun.delay = 5 * WZP_MS;
    if (stun != NULL) {
        s->stun.servers = 2;
        (void)wzp_lab_read(r, "stun", stun, &wzp_lab_stun_table, &s->stun);
    }
}

/* --- core ------------------------------------------------------------------------------------ */

typedef struct place {
    bool found, server;
    uint64_t delay; /* of a server */
} place;

/* Names of what hangs on the core, one after the other. */
static const char *place_at(const void *scenario, size_t index) {
    static const char *const stuns[WZP_LAB_STUNS_MAX] = {"stun1", "stun2", "stun3", "stun4"};
    const wzp_lab_scenario *s = scenario;
    for (size_t i = 0; i < s->host_count; i++) {
        for (size_t w = 0; w < s->hosts[i].way_count; w++) {
            const wzp_lab_way *way = &s->hosts[i].ways[w];
            if (way->lan == WZP_LAB_NONE && index-- == 0) {
                return way->name;
            }
        }
    }
    for (size_t i = 0; i < s->lan_count; i++) {
        if (s->lans[i].way.lan == WZP_LAB_NONE && index-- == 0) {
            return s->lans[i].name;
        }
    }
    if (index < s->relay_count) {
        return s->relays[index].name;
    }
    index -= s->relay_count;
    return index < s->stun.servers ? stuns[index] : NULL;
}

static place find_place(const wzp_lab_scenario *s, const char *name) {
    const char *candidate = NULL;
    place found = {0};
    for (size_t i = 0; (candidate = place_at(s, i)) != NULL; i++) {
        found.found = found.found || strcmp(candidate, name) == 0;
    }
    const uint32_t relay = wzp_lab_find_relay(s, name);
    const bool stun = relay == WZP_LAB_NONE && strncmp(name, "stun", 4) == 0;
    found.server = relay != WZP_LAB_NONE || stun;
    found.delay = relay != WZP_LAB_NONE ? s->relays[relay].delay : stun ? s->stun.delay : 0;
    return found;
}

static uint64_t default_delay(const wzp_lab_scenario *s, place a, place b) {
    if (a.server || b.server) {
        return a.delay > b.delay ? a.delay : b.delay;
    }
    return s->core_delay;
}

/* "x-y" */
static bool split(wzp_lab_reader *r, const char *path, const char *key, wzp_lab_pair *pair,
                  place at[2]) {
    const char *dash = strchr(key, '-');
    const size_t len = dash != NULL ? (size_t)(dash - key) : 0;
    if (dash == NULL || len >= sizeof pair->ends[0] || strlen(dash + 1) >= sizeof pair->ends[1]) {
        wzp_lab_complain(r, path, "the core has delay, and paths by their two ends, as core.x-y");
        return false;
    }
    (void)snprintf(pair->name, sizeof pair->name, "%s", key);
    (void)snprintf(pair->ends[0], sizeof pair->ends[0], "%.*s", (int)len, key);
    (void)snprintf(pair->ends[1], sizeof pair->ends[1], "%s", dash + 1);
    for (size_t i = 0; i < 2; i++) {
        at[i] = find_place(r->owner, pair->ends[i]);
        if (!at[i].found) {
            wzp_lab_complain_name(r, path, "place at the core", pair->ends[i], place_at, r->owner);
            return false;
        }
    }
    if (strcmp(pair->ends[0], pair->ends[1]) == 0) {
        wzp_lab_complain(r, path, "a path has two different ends");
        return false;
    }
    return true;
}

static void read_pair(wzp_lab_reader *r, const char *path, const char *key, json_t *value) {
    static const char *const names[2] = {"forth", "back"};
    wzp_lab_scenario *s = r->owner;
    wzp_lab_pair pair = {0};
    place at[2];
    if (s->pair_count == WZP_LAB_PAIRS_MAX) {
        wzp_lab_complain(r, path, "expected at most %d core paths", WZP_LAB_PAIRS_MAX);
    } else if (split(r, path, key, &pair, at)) {
        const uint64_t delay = default_delay(s, at[0], at[1]);
        pair.links[0].delay.base = delay;
        pair.links[1].delay.base = delay;
        wzp_lab_read_links(r, path, value, names, pair.links);
        if (pair.links[0].delay.base == 0 || pair.links[1].delay.base == 0) {
            wzp_lab_complain(r, path, "a core path needs a delay above 0");
        }
        s->pairs[s->pair_count++] = pair;
    }
}

static void read_core(wzp_lab_reader *r, json_t *core, wzp_lab_scenario *s) {
    static const wzp_lab_field delay = WZP_LAB_QUANTITY(wzp_lab_scenario, core_delay, "delay",
                                                        WZP_LAB_TIME, 1, 60 * (int64_t)WZP_S, "");
    char path[WZP_LAB_PATH_MAX];
    const char *key = NULL;
    json_t *item = wzp_lab_value(r, "core.delay", core, "delay");
    s->core_delay = 10 * WZP_MS;
    if (core != NULL && !json_is_object(core)) {
        wzp_lab_complain_type(r, "core", "a table", core);
        return;
    }
    if (item != NULL) {
        (void)wzp_lab_read_field(r, "core.delay", item, &delay, s);
    }
    json_object_foreach(core, key, item) {
        if (strcmp(key, "delay") != 0) {
            read_pair(r, wzp_lab_below(path, "core", key), key, item);
        }
    }
}

/* --- all ------------------------------------------------------------------------------------- */

static void refuse_twins(wzp_lab_reader *r, const wzp_lab_scenario *s) {
    char path[WZP_LAB_PATH_MAX];
    for (size_t i = 0; i < s->lan_count; i++) {
        if (wzp_lab_find_host(s, s->lans[i].name) != WZP_LAB_NONE) {
            wzp_lab_complain(r, wzp_lab_below(path, "lan", s->lans[i].name),
                             "a host has this name already");
        }
    }
    for (size_t i = 0; i < s->relay_count; i++) {
        const char *name = s->relays[i].name;
        if (wzp_lab_find_host(s, name) != WZP_LAB_NONE || find_lan(s, name) != WZP_LAB_NONE) {
            wzp_lab_complain(r, wzp_lab_below(path, "relay", name),
                             "a host or LAN has this name already");
        }
    }
}

static bool is_table(wzp_lab_reader *r, const char *path, const json_t *value) {
    if (value != NULL && !json_is_object(value)) {
        wzp_lab_complain_type(r, path, "tables by name, as [host.x]", value);
        return false;
    }
    return value != NULL;
}

void wzp_lab_read_places(wzp_lab_reader *r, json_t *root, wzp_lab_scenario *s) {
    static const char *const names[2] = {"up", "down"};
    json_t *hosts = json_object_get(root, "host");
    json_t *lans = json_object_get(root, "lan");
    json_t *access = wzp_lab_value(r, "access", root, "access");
    wzp_lab_link_baseline(s->access);
    if (access != NULL) {
        wzp_lab_read_links(r, "access", access, names, s->access);
    }
    if (json_object_size(lans) > WZP_LAB_LANS_MAX) {
        wzp_lab_complain(r, "lan", "expected at most %d LANs", WZP_LAB_LANS_MAX);
        return;
    }
    s->hosts = wzp_lab_keep(r, WZP_LAB_HOSTS_MAX, sizeof *s->hosts);
    s->lans = wzp_lab_keep(r, json_object_size(lans) + 1, sizeof *s->lans);
    s->relays = wzp_lab_keep(r, WZP_LAB_RELAYS_MAX, sizeof *s->relays);
    s->pairs = wzp_lab_keep(r, WZP_LAB_PAIRS_MAX, sizeof *s->pairs);
    if (s->hosts == NULL || s->lans == NULL || s->relays == NULL || s->pairs == NULL) {
        return;
    }
    if (is_table(r, "lan", lans)) {
        read_lans(r, lans, s);
    }
    if (is_table(r, "host", hosts)) {
        read_hosts(r, hosts, s);
    }
    read_relays(r, json_object_get(root, "relay"), s);
    wzp_lab_read_mesh(r, json_object_get(root, "relay"));
    refuse_twins(r, s);
    read_stun(r, json_object_get(root, "stun"), s);
    read_core(r, json_object_get(root, "core"), s);
    if (s->host_count == 0 && hosts == NULL) {
        wzp_lab_complain(r, "", "there is no host, as [host.x]");
    }
}
