/* "event": what happens while it runs. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/read.h"

static const char *const event_words[] = {
#define X(id, word) word,
    WZP_LAB_EVENT_MAP(X)
#undef X
        NULL};

const char *wzp_lab_event_word(wzp_lab_event_kind kind) {
    return event_words[kind];
}

/* --- targets --------------------------------------------------------------------------------- */

/* "nat" is the outermost box, "nat1" the innermost. */
static bool pick_box(const wzp_lab_way *way, const char *part, wzp_lab_target *out) {
    if (strncmp(part, "nat", 3) != 0 || strlen(part) > 4) {
        return false;
    }
    const size_t n = part[3] == '\0' ? way->box_count : (size_t)(part[3] - '0');
    out->kind = WZP_LAB_TARGET_BOX;
    out->box = (uint32_t)(n - 1);
    return n >= 1 && n <= way->box_count;
}

static bool pick_direction(const char *part, const char *const names[2], wzp_lab_target *out) {
    out->directions = *part == '\0' ? 3 : 0;
    for (unsigned i = 0; i < 2; i++) {
        out->directions |= strcmp(part, names[i]) == 0 ? 1U << i : 0;
    }
    return out->directions != 0;
}

/* What follows the name of a way: "nat", "nat2", "access", "access.up". */
static bool pick_part(const wzp_lab_way *way, const char *part, wzp_lab_target *out) {
    static const char *const names[2] = {"up", "down"};
    if (strncmp(part, "access", 6) == 0 && (part[6] == '\0' || part[6] == '.')) {
        out->kind = WZP_LAB_TARGET_ACCESS;
        return pick_direction(part[6] == '.' ? part + 7 : "", names, out);
    }
    return pick_box(way, part, out);
}

/* The part of `name` after `prefix` and a dot; NULL: it does not begin so. */
static const char *after(const char *name, const char *prefix) {
    const size_t len = strlen(prefix);
    return strncmp(name, prefix, len) == 0 && name[len] == '.' ? name + len + 1 : NULL;
}

static bool pick_host(const wzp_lab_scenario *s, const char *name, wzp_lab_target *out) {
    for (size_t i = 0; i < s->host_count; i++) {
        const wzp_lab_host *host = &s->hosts[i];
        for (size_t w = host->way_count; w-- > 0;) { /* "x.lte" before "x" */
            const char *part = after(name, host->ways[w].name);
            *out = (wzp_lab_target){.index = (uint32_t)i, .way = (uint32_t)w};
            if (strcmp(name, host->ways[w].name) == 0) {
                out->kind = WZP_LAB_TARGET_HOST;
                return true;
            }
            if (part != NULL && pick_part(&host->ways[w], part, out)) {
                return true;
            }
        }
    }
    return false;
}

static bool pick_lan(const wzp_lab_scenario *s, const char *name, wzp_lab_target *out) {
    for (size_t i = 0; i < s->lan_count; i++) {
        const char *part = after(name, s->lans[i].name);
        *out = (wzp_lab_target){.index = (uint32_t)i, .of_lan = true};
        if (part != NULL && pick_part(&s->lans[i].way, part, out)) {
            return true;
        }
    }
    return false;
}

static bool pick_core(const wzp_lab_scenario *s, const char *name, wzp_lab_target *out) {
    static const char *const names[2] = {"forth", "back"};
    const char *pair = after(name, "core");
    for (size_t i = 0; pair != NULL && i < s->pair_count; i++) {
        const char *part = strcmp(pair, s->pairs[i].name) == 0 ? "" : after(pair, s->pairs[i].name);
        *out = (wzp_lab_target){.kind = WZP_LAB_TARGET_CORE, .index = (uint32_t)i};
        if (part != NULL && pick_direction(part, names, out)) {
            return true;
        }
    }
    return false;
}

static bool pick_relay(const wzp_lab_scenario *s, const char *name, wzp_lab_target *out) {
    const uint32_t relay = wzp_lab_find_relay(s, name);
    *out = (wzp_lab_target){.kind = WZP_LAB_TARGET_RELAY, .index = relay};
    return relay != WZP_LAB_NONE;
}

/* Every name that can be a target, without the directions. */
typedef struct targets {
    char names[512][2 * WZP_LAB_NAME_MAX + 16];
    size_t count;
} targets;

__attribute__((format(printf, 2, 3))) static void add_target(targets *t, const char *format, ...) {
    va_list args;
    if (t->count < WZP_COUNT_OF(t->names)) {
        va_start(args, format);
        (void)vsnprintf(t->names[t->count++], sizeof t->names[0], format, args);
        va_end(args);
    }
}

static void add_way(targets *t, const wzp_lab_way *way) {
    add_target(t, "%s.access", way->name);
    if (way->box_count > 0) {
        add_target(t, "%s.nat", way->name);
    }
    for (size_t b = 0; way->box_count > 1 && b < way->box_count; b++) {
        add_target(t, "%s.nat%zu", way->name, b + 1);
    }
}

static const char *target_at(const void *list, size_t index) {
    const targets *t = list;
    return index < t->count ? t->names[index] : NULL;
}

static void complain_target(wzp_lab_reader *r, const char *path, const char *name,
                            const wzp_lab_scenario *s) {
    targets *t = calloc(1, sizeof *t);
    if (t == NULL) {
        wzp_lab_complain(r, path, "there is no target '%s'", name);
        return;
    }
    for (size_t i = 0; i < s->host_count; i++) {
        add_target(t, "%s", s->hosts[i].name);
        for (size_t w = 0; w < s->hosts[i].way_count; w++) {
            add_way(t, &s->hosts[i].ways[w]);
        }
    }
    for (size_t i = 0; i < s->lan_count; i++) {
        add_way(t, &s->lans[i].way);
    }
    for (size_t i = 0; i < s->relay_count; i++) {
        add_target(t, "%s", s->relays[i].name);
    }
    for (size_t i = 0; i < s->pair_count; i++) {
        add_target(t, "core.%s", s->pairs[i].name);
    }
    wzp_lab_complain_name(r, path, "target", name, target_at, t);
    free(t);
}

bool wzp_lab_read_target(wzp_lab_reader *r, const char *path, const char *name,
                         const wzp_lab_scenario *s, wzp_lab_target *out) {
    if (pick_core(s, name, out) || pick_relay(s, name, out) || pick_lan(s, name, out) ||
        pick_host(s, name, out)) {
        return true;
    }
    *out = (wzp_lab_target){0};
    complain_target(r, path, name, s);
    return false;
}

/* --- what fits together ---------------------------------------------------------------------- */

typedef struct rule {
    const char *like;
    unsigned targets; /* bits of wzp_lab_target_kind */
    bool needs_for, needs_to;
} rule;

#define ON(kind) (1U << WZP_LAB_TARGET_##kind)

static const rule rules[WZP_LAB_EVENT_COUNT] = {
    [WZP_LAB_EVENT_FLUSH] = {"a box, as \"x.nat\"", ON(BOX), false, false},
    [WZP_LAB_EVENT_REBOOT] = {"a box, as \"x.nat\"", ON(BOX), true, false},
    [WZP_LAB_EVENT_REBIND_PORT] = {"a box, as \"x.nat\"", ON(BOX), false, false},
    [WZP_LAB_EVENT_REBIND_ADDR] = {"a box, as \"x.nat\"", ON(BOX), false, true},
    [WZP_LAB_EVENT_EXPIRE] = {"a box, as \"x.nat\"", ON(BOX), false, false},
    [WZP_LAB_EVENT_CUT] = {"a link, as \"x.access.up\" or \"core.x-y\"", ON(ACCESS) | ON(CORE),
                           false, false},
    [WZP_LAB_EVENT_RESTORE] = {"a link, as \"x.access.up\" or \"core.x-y\"", ON(ACCESS) | ON(CORE),
                               false, false},
    [WZP_LAB_EVENT_SET] = {"a link, as \"x.access.up\" or \"core.x-y\"", ON(ACCESS) | ON(CORE),
                           false, false},
    [WZP_LAB_EVENT_IF_SWITCH] = {"a host, as \"x\"", ON(HOST), false, true},
    [WZP_LAB_EVENT_IF_DOWN] = {"a host or one of its ways, as \"x\" or \"x.lte\"", ON(HOST), false,
                               false},
    [WZP_LAB_EVENT_IF_UP] = {"a host or one of its ways, as \"x\" or \"x.lte\"", ON(HOST), false,
                             false},
    [WZP_LAB_EVENT_KILL_RELAY] = {"a relay, as \"relay\"", ON(RELAY), false, false},
    [WZP_LAB_EVENT_RESTART_RELAY] = {"a relay, as \"relay\"", ON(RELAY), true, false},
    [WZP_LAB_EVENT_LOSE_SIGNALS] = {"a host, as \"x\"", ON(HOST), false, false},
    [WZP_LAB_EVENT_RENUMBER] = {"a host or one of its ways, as \"x\" or \"x.lte\"", ON(HOST), false,
                                true},
    [WZP_LAB_EVENT_MARK] = {"anything", ON(HOST) | ON(BOX) | ON(ACCESS) | ON(CORE) | ON(RELAY),
                            false, false},
    [WZP_LAB_EVENT_LEAVE] = {"a host, as \"x\"", ON(HOST), false, false},
    [WZP_LAB_EVENT_ABUSE] = {"a host, as \"x\"", ON(HOST), false, false},
};

static bool parse_to(wzp_lab_reader *r, const char *path, wzp_lab_event *event) {
    char text[80];
    (void)snprintf(text, sizeof text, strchr(event->to_name, ':') != NULL ? "[%s]:1" : "%s:1",
                   event->to_name);
    if (wzp_addr_parse(&event->to, text) != WZP_OK) {
        wzp_lab_complain(r, path, "`to` is the new address, as \"203.0.113.99\"");
        return false;
    }
    event->to.port = 0;
    return true;
}

/* What lies around a host must go on to work: its boxes do not care for its IPv4 address, and its
 * own IPv6 address is a matter between it and the core. */
static void check_renumber(wzp_lab_reader *r, const char *path, const wzp_lab_scenario *s,
                           wzp_lab_event *event) {
    const wzp_lab_way *way = &s->hosts[event->target.index].ways[event->target.way];
    const bool v6 = event->to.family == WZP_ADDR_V6;
    if (v6 && (way->address6.family == WZP_ADDR_NONE || way->lan != WZP_LAB_NONE)) {
        wzp_lab_complain(r, path, "`to` is IPv6: %s needs an address6, and no LAN", way->name);
    } else if (!v6 &&
               (way->local.family == WZP_ADDR_NONE || way->clat ||
                (way->lan == WZP_LAB_NONE && wzp_addr_same_ip(&way->local, &way->address)))) {
        wzp_lab_complain(r, path, "`to` is IPv4: %s needs a nat that hides it", way->name);
    }
}

/* A word, or a way's name. */
static void resolve_to(wzp_lab_reader *r, const char *path, const wzp_lab_scenario *s,
                       wzp_lab_event *event) {
    char text[80];
    if (event->kind == WZP_LAB_EVENT_REBIND_ADDR) {
        (void)parse_to(r, path, event);
        return;
    }
    if (event->kind == WZP_LAB_EVENT_RENUMBER) {
        if (parse_to(r, path, event)) {
            check_renumber(r, path, s, event);
        }
        return;
    }
    const wzp_lab_host *host = &s->hosts[event->target.index];
    (void)snprintf(text, sizeof text, "%s.%s", host->name, event->to_name);
    for (size_t w = 0; w < host->way_count; w++) {
        const char *name = host->ways[w].name;
        if (strcmp(name, text) == 0 || strcmp(name, event->to_name) == 0) {
            event->to_way = (uint32_t)w;
            return;
        }
    }
    wzp_lab_complain(r, path, "`to` is no way out of %s", host->name);
}

static void check_event(wzp_lab_reader *r, const char *path, const wzp_lab_scenario *s,
                        wzp_lab_event *e) {
    const rule *fits = &rules[e->kind];
    if ((fits->targets & 1U << e->target.kind) == 0) {
        wzp_lab_complain(r, path, "%s needs for its target %s, not \"%s\"", event_words[e->kind],
                         fits->like, e->target_name);
        return;
    }
    if (fits->needs_for && e->lasts == 0) {
        wzp_lab_complain(r, path, "%s needs `for`, how long it lasts", event_words[e->kind]);
    }
    if (fits->needs_to && e->to_name[0] == '\0') {
        wzp_lab_complain(r, path, "%s needs `to`", event_words[e->kind]);
    } else if (fits->needs_to) {
        resolve_to(r, path, s, e);
    }
    if (e->at + e->lasts > s->duration) {
        wzp_lab_complain(r, path, "it begins or ends after the end of the scenario");
    }
}

/* --- reading --------------------------------------------------------------------------------- */

static void take_target(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_lab_event *event = out;
    const char *name = json_string_value(value);
    if (name == NULL || strlen(name) >= sizeof event->target_name) {
        wzp_lab_complain_type(r, path, "what it happens to, as \"x.nat\"", value);
        return;
    }
    (void)snprintf(event->target_name, sizeof event->target_name, "%s", name);
    (void)wzp_lab_read_target(r, path, name, r->owner, &event->target);
}

#define EVENT(name, least, member, text)                                                           \
    WZP_LAB_QUANTITY(wzp_lab_event, member, name, WZP_LAB_TIME, least, INT64_MAX, text)

static const wzp_lab_field event_fields[] = {
    EVENT("at", 0, at, "from the start of the run"),
    WZP_LAB_WORD(wzp_lab_event, kind, "do", event_words, "what happens"),
    WZP_LAB_CUSTOM("target", take_target, WZP_LAB_STRING,
                   "what it happens to: x, x.nat, x.access.up, core.x-y, relay"),
    EVENT("every", 1, every, "again and again"),
    EVENT("until", 1, until, "of `every`; to the end without"),
    EVENT("for", 1, lasts, "how long it lasts"),
    EVENT("gap", 0, gap, "if-switch: time without any way"),
    WZP_LAB_FLAG(wzp_lab_event, hold, "hold", "cut: packets wait; else they are lost"),
    WZP_LAB_TEXT(wzp_lab_event, to_name, "to",
                 "rebind-addr, renumber: the new address; if-switch: the way out"),
    WZP_LAB_CUSTOM("link", wzp_lab_elsewhere, WZP_LAB_REF("link"), "set: parameters that change"),
};
const wzp_lab_table wzp_lab_event_table = {"an event", event_fields, WZP_COUNT_OF(event_fields)};

static bool has_all(wzp_lab_reader *r, const char *path, json_t *value) {
    static const char *const needed[] = {"at", "do", "target"};
    bool all = true;
    for (size_t i = 0; i < WZP_COUNT_OF(needed); i++) {
        if (json_object_get(value, needed[i]) == NULL) {
            wzp_lab_complain(r, path, "an event needs `%s`", needed[i]);
            all = false;
        }
    }
    return all;
}

static const wzp_sim_link_cfg *links_of(const wzp_lab_scenario *s, const wzp_lab_target *t) {
    if (t->kind == WZP_LAB_TARGET_CORE) {
        return s->pairs[t->index].links;
    }
    return t->of_lan ? s->lans[t->index].way.links : s->hosts[t->index].ways[t->way].links;
}

static bool same_link(const wzp_lab_target *a, const wzp_lab_target *b) {
    return a->kind == b->kind && a->of_lan == b->of_lan && a->index == b->index && a->way == b->way;
}

/* The link as it is before event `n`: as described, and changed by what was set since. */
static void link_before(const wzp_lab_scenario *s, size_t n, wzp_sim_link_cfg links[2]) {
    const wzp_lab_target *target = &s->events[n].target;
    memcpy(links, links_of(s, target), 2 * sizeof *links);
    for (size_t i = 0; i < n; i++) {
        const wzp_lab_event *e = &s->events[i];
        if (!same_link(&e->target, target)) {
            continue;
        }
        const wzp_sim_link_cfg *now = e->kind == WZP_LAB_EVENT_SET       ? e->links
                                      : e->kind == WZP_LAB_EVENT_RESTORE ? links_of(s, target)
                                                                         : NULL;
        for (unsigned d = 0; now != NULL && d < 2; d++) {
            links[d] = (e->target.directions & 1U << d) != 0 ? now[d] : links[d];
        }
    }
}

static void read_set(wzp_lab_reader *r, json_t *value, wzp_lab_scenario *s, size_t n,
                     const char *path) {
    char below[WZP_LAB_PATH_MAX];
    wzp_fail fail = {0};
    wzp_lab_event *e = &s->events[n];
    json_t *link = json_object_get(value, "link");
    if (link == NULL) {
        wzp_lab_complain(r, path, "set needs `link`, as link = {rate = \"48 kbit/s\"}");
        return;
    }
    link_before(s, n, e->links);
    wzp_lab_below(below, path, "link");
    for (unsigned d = 0; d < 2; d++) {
        if ((e->target.directions & 1U << d) == 0) {
            continue;
        }
        if (!wzp_lab_read(r, below, link, &wzp_lab_link_table, &e->links[d])) {
            return;
        }
        if (wzp_sim_link_check(&e->links[d], &fail) != WZP_OK) {
            wzp_lab_complain(r, below, "%s cannot be %llu", fail.field,
                             (unsigned long long)fail.got);
            return;
        }
    }
}

static bool read_event(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_scenario *s,
                       wzp_lab_event *e) {
    const size_t before = r->errors->count;
    *e = (wzp_lab_event){.until = s->duration};
    if (!wzp_lab_read(r, path, value, &wzp_lab_event_table, e) || !has_all(r, path, value)) {
        return false;
    }
    check_event(r, path, s, e);
    return r->errors->count == before;
}

/* Where each came from in the file, to read its link once all are in the order of time. */
typedef struct origin {
    wzp_lab_event event;
    json_t *value;
    size_t index;
} origin;

static int by_time(const void *a, const void *b) {
    const origin *x = a;
    const origin *y = b;
    if (x->event.at != y->event.at) {
        return x->event.at < y->event.at ? -1 : 1;
    }
    return x->index < y->index ? -1 : 1;
}

static void read_all(wzp_lab_reader *r, json_t *events, wzp_lab_scenario *s, origin *origins) {
    char path[WZP_LAB_PATH_MAX];
    const size_t n = json_array_size(events);
    const size_t before = r->errors->count;
    for (size_t i = 0; i < n; i++) {
        origins[i].value = json_array_get(events, i);
        origins[i].index = i;
        (void)read_event(r, wzp_lab_below_at(path, "event", i), origins[i].value, s,
                         &origins[i].event);
    }
    if (r->errors->count != before) {
        return;
    }
    qsort(origins, n, sizeof *origins, by_time);
    for (size_t i = 0; i < n; i++) {
        s->events[s->event_count++] = origins[i].event;
        if (origins[i].event.kind == WZP_LAB_EVENT_SET) {
            read_set(r, origins[i].value, s, i, wzp_lab_below_at(path, "event", origins[i].index));
        }
    }
}

void wzp_lab_read_events(wzp_lab_reader *r, json_t *root, wzp_lab_scenario *s) {
    json_t *events = json_object_get(root, "event");
    const size_t n = json_array_size(events);
    if (events == NULL) {
        return;
    }
    if (!json_is_array(events)) {
        wzp_lab_complain_type(r, "event", "a list of tables, as [[event]]", events);
        return;
    }
    if (n > WZP_LAB_EVENTS_MAX) {
        wzp_lab_complain(r, "event", "expected at most %d events", WZP_LAB_EVENTS_MAX);
        return;
    }
    origin *origins = calloc(n + 1, sizeof *origins);
    s->events = wzp_lab_keep(r, n + 1, sizeof *s->events);
    if (origins != NULL && s->events != NULL) {
        read_all(r, events, s, origins);
    }
    free(origins);
}
