/* Clients that look at their network and report: the text and the JSON that others read, and what
 * they make of a relay and of STUN servers, which the suite is (nat sheet 1.12, part 3). */
#include <jansson.h>
#include <regex.h>
#include <string.h>

#include "conformance/cases/calls/gateway.h"
#include "conformance/cases/calls/stun.h"
#include "conformance/cases/macros.h"

/* Who answers, and what the STUN servers see. */
typedef struct setting {
    bool is_dead; /* nobody answers anything */
    uint16_t ports[2];
    const wzp_ct_gateway *gateway; /* NULL: there is none */
} setting;

#define GATEWAY(natpmp, pcp)                                                                       \
    &(const wzp_ct_gateway) {                                                                      \
        .how = {WZP_CT_MAPS##natpmp, WZP_CT_MAPS##pcp}, .ip = {203, 0, 113, 7}, .port = 51413,     \
        .lifetime_s = 7200                                                                         \
    }
#define MAPS(natpmp, pcp)                                                                          \
    { .ports = {40000, 40000}, .gateway = GATEWAY(natpmp, pcp) }
static const setting pcp_only = MAPS(_SILENTLY, );
static const setting natpmp_only = MAPS(, _OLD);
static const setting both_mapped = MAPS(, );
static const setting neither = MAPS(_SILENTLY, _SILENTLY);

static const setting one_port = {.ports = {40000, 40000}};
static const setting two_ports = {.ports = {40000, 41234}};
static const setting dead = {.is_dead = true};

typedef struct check_state {
    wzp_ct_gateway_state gateway; /* first: acts share it */
    const setting *setting;
} check_state;

/* --- STUN ------------------------------------------------------------------------------------- */

static void on_loose(wzp_ct_exec *e, const wzp_quic_path *path, wzp_bytes bytes, wzp_time now) {
    static const wzp_ct_place places[2] = {WZP_CT_AT_STUN, WZP_CT_AT_STRANGER};
    const check_state *st = wzp_ct_play_state(e);
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    uint8_t out[WZP_CT_STUN_ANSWER];
    for (size_t i = 0; i < WZP_COUNT_OF(places); i++) {
        if (!st->setting->is_dead && wzp_ct_stun_is_request(bytes) &&
            wzp_addr_equal(&path->local, &c->places[places[i]])) {
            const wzp_addr seen = wzp_addr_v4(203, 0, 113, 7, st->setting->ports[i]);
            (void)wzp_ct_caller_throw(c, places[i], &path->remote,
                                      wzp_ct_stun_success(out, bytes, &seen, 0));
        }
    }
    wzp_ct_gateway_on_loose(e, path, bytes, now);
}

/* --- its end ---------------------------------------------------------------------------------- */

static bool begin(wzp_ct_exec *e, wzp_time now) {
    check_state *st = wzp_ct_play_state(e);
    wzp_ct_caller *c = wzp_ct_play_caller(e);
    st->setting = wzp_ct_play_arg(e);
    wzp_ct_gateway_is(e, st->setting->gateway, now);
    c->observes = WZP_CT_OBSERVES_LARGER;
    c->is_deaf[WZP_CT_AT_RELAY] = st->setting->is_dead;
    return true;
}

static wzp_ct_so_far go_ends(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_words words = wzp_ct_play_words(e);
    (void)now;
    if (!words.has_ended) {
        return WZP_CT_NOT_YET;
    }
    if (words.status != 0) {
        wzp_ct_play_say(e, "its exit status is %d", words.status);
        return WZP_CT_NEVER;
    }
    return WZP_CT_HAPPENED;
}

/* --- its text --------------------------------------------------------------------------------- */

#define YES_NO "(yes|no)"
#define ARROW "\xe2\x86\x92"
#define PLACE "[][0-9a-fA-F:.]+:[0-9]+"

/* In this order; each at least and at most so often. */
static const struct row {
    const char *pattern;
    unsigned least, most;
} rows[] = {
    {"^=== WarzonePhone Netcheck ===$", 1, 1},
    {"^$", 1, 1},
    {"^NAT Type:       [A-Za-z]+$", 1, 1},
    {"^Reflexive Addr: (\\(unknown\\)|" PLACE ")$", 1, 1},
    {"^IPv4:           " YES_NO "$", 1, 1},
    {"^IPv6:           " YES_NO "$", 1, 1},
    {"^Gateway:        (\\(unknown\\)|[0-9a-fA-F:.]+)$", 1, 1},
    {"^Port Alloc:     (port-preserving|random|unknown|sequential\\(delta=-?[0-9]+\\))$", 0, 1},
    {"^$", 1, 1},
    {"^--- Port Mapping ---$", 1, 1},
    {"^NAT-PMP: " YES_NO "  PCP: " YES_NO "  UPnP: " YES_NO "$", 1, 1},
    {"^Active mapping: (NatPmp|Pcp|UPnP)$", 0, 1},
    {"^$", 1, 1},
    {"^--- STUN Probes ---$", 1, 1},
    {"^  stun:[^ ]+ " ARROW " (" PLACE " \\([0-9]+ms\\)|failed \\(-ms\\) \\[.+\\])$", 1, 8},
    {"^$", 1, 1},
    {"^--- Relay Latencies ---$", 1, 1},
    {"^  [^ ]+ \\(" PLACE "\\) " ARROW " ([0-9]+ms|-ms \\[.+\\])$", 1, 8},
    {"^  Preferred: .+$", 0, 1},
    {"^$", 1, 1},
    {"^Completed in [0-9]+ms$", 1, 1},
};

static bool matches(const char *pattern, const char *line) {
    regex_t regex;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
        return false;
    }
    const bool is_so = regexec(&regex, line, 0, NULL, 0) == 0;
    regfree(&regex);
    return is_so;
}

enum { LINE_MAX_LEN = 256 };

/* Moves *text behind its next line, which ends with a line feed.  False: there is none. */
static bool next_line(const char **text, char line[LINE_MAX_LEN]) {
    const char *end = strchr(*text, '\n');
    const size_t len = end != NULL ? (size_t)(end - *text) : 0;
    if (end == NULL || len >= LINE_MAX_LEN) {
        return false;
    }
    memcpy(line, *text, len);
    line[len] = '\0';
    *text = end + 1;
    return true;
}

static wzp_ct_so_far blame(wzp_ct_exec *e, const char *line, const struct row *row) {
    wzp_ct_play_say(e, "\"%.80s\" instead of %.100s", line, row->pattern);
    return WZP_CT_NEVER;
}

static wzp_ct_so_far go_text(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_words words = wzp_ct_play_words(e);
    const char *text = words.text;
    char line[LINE_MAX_LEN] = "";
    bool has_line = next_line(&text, line);
    (void)now;
    for (size_t i = 0; i < WZP_COUNT_OF(rows); i++) {
        unsigned count = 0;
        while (has_line && count < rows[i].most && matches(rows[i].pattern, line)) {
            count++;
            has_line = next_line(&text, line);
        }
        if (count < rows[i].least) {
            return blame(e, has_line ? line : "the end", &rows[i]);
        }
    }
    if (has_line || *text != '\0') {
        wzp_ct_play_say(e, "it goes on: \"%.80s\"", has_line ? line : text);
        return WZP_CT_NEVER;
    }
    return WZP_CT_HAPPENED;
}

static bool says(const char *text, const char *pattern) {
    char line[LINE_MAX_LEN];
    while (next_line(&text, line)) {
        if (matches(pattern, line)) {
            return true;
        }
    }
    return false;
}

static wzp_ct_so_far go_says(wzp_ct_exec *e, wzp_time now) {
    const char *const *patterns = wzp_ct_play_arg(e);
    const wzp_ct_words words = wzp_ct_play_words(e);
    (void)now;
    for (size_t i = 0; patterns[i] != NULL; i++) {
        if (!says(words.text, patterns[i])) {
            wzp_ct_play_say(e, "no line is like \"%s\"", patterns[i]);
            return WZP_CT_NEVER;
        }
    }
    return WZP_CT_HAPPENED;
}

/* --- its JSON --------------------------------------------------------------------------------- */

enum { STRING = 1, INTEGER = 2, BOOLEAN = 4, NOTHING = 8, LIST = 16, OBJECT = 32 };

typedef struct member {
    const char *key;
    unsigned types;
} member;

static const member members[] = {{"nat_type", STRING},
                                 {"reflexive_addr", STRING | NOTHING},
                                 {"ipv4_reachable", BOOLEAN},
                                 {"ipv6_reachable", BOOLEAN},
                                 {"hairpin_works", BOOLEAN | NOTHING},
                                 {"port_mapping", STRING | NOTHING},
                                 {"relay_latencies", LIST},
                                 {"preferred_relay", STRING | NOTHING},
                                 {"stun_latency_ms", INTEGER | NOTHING},
                                 {"upnp_available", BOOLEAN},
                                 {"pcp_available", BOOLEAN},
                                 {"nat_pmp_available", BOOLEAN},
                                 {"gateway", STRING | NOTHING},
                                 {"duration_ms", INTEGER},
                                 {"stun_probes", LIST},
                                 {"port_allocation", STRING | OBJECT | NOTHING}};
static const member latency[] = {
    {"name", STRING}, {"addr", STRING}, {"rtt_ms", INTEGER | NOTHING}, {"error", STRING | NOTHING}};

static unsigned type_of(const json_t *value) {
    return json_is_string(value)    ? STRING
           : json_is_integer(value) ? INTEGER
           : json_is_boolean(value) ? BOOLEAN
           : json_is_null(value)    ? NOTHING
           : json_is_array(value)   ? LIST
           : json_is_object(value)  ? OBJECT
                                    : 0;
}

static bool has_all(wzp_ct_exec *e, const json_t *object, const member *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(object, list[i].key);
        if (value == NULL || (type_of(value) & list[i].types) == 0) {
            wzp_ct_play_say(e, "\"%s\" is %s", list[i].key,
                            value == NULL ? "missing" : "of another type");
            return false;
        }
    }
    return true;
}

static bool has_latencies(wzp_ct_exec *e, const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!has_all(e, json_array_get(list, i), latency, WZP_COUNT_OF(latency))) {
            return false;
        }
    }
    return json_array_size(list) > 0 && json_array_size(list) < 9;
}

static wzp_ct_so_far go_json(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_words words = wzp_ct_play_words(e);
    json_t *report = json_loads(words.text, 0, NULL);
    (void)now;
    if (!json_is_object(report)) {
        wzp_ct_play_say(e, "it is no object: %.80s", words.text);
    }
    const bool is_good = json_is_object(report) &&
                         has_all(e, report, members, WZP_COUNT_OF(members)) &&
                         has_latencies(e, json_object_get(report, "relay_latencies"));
    json_decref(report);
    return is_good ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

/* --- its gateway ------------------------------------------------------------------------------ */

/* Who is asked nothing says "no" rightly, and shows nothing. */
static wzp_ct_so_far go_was_asked(wzp_ct_exec *e, wzp_time now) {
    const check_state *st = wzp_ct_play_state(e);
    (void)now;
    for (size_t i = 0; i < WZP_CT_MAP_PROTOCOLS; i++) {
        if (st->gateway.asked[i].requests > 0) {
            return WZP_CT_HAPPENED;
        }
    }
    return wzp_ct_play_lacks(e, "port mapping");
}

static bool has_flag(wzp_ct_exec *e, const json_t *report, const char *key, wzp_ct_maps how) {
    const bool is_spoken = how == WZP_CT_MAPS;
    const json_t *value = json_object_get(report, key);
    if (json_is_boolean(value) && json_is_true(value) == is_spoken) {
        return true;
    }
    wzp_ct_play_say(e, "\"%s\" is not %s", key, is_spoken ? "true" : "false");
    return false;
}

/* UPnP is not asked at this address, but of all that are near. */
static wzp_ct_so_far go_flags(wzp_ct_exec *e, wzp_time now) {
    const check_state *st = wzp_ct_play_state(e);
    const wzp_ct_maps *how = st->setting->gateway->how;
    const wzp_ct_words words = wzp_ct_play_words(e);
    json_t *report = json_loads(words.text, 0, NULL);
    (void)now;
    const bool is_good = has_flag(e, report, "nat_pmp_available", how[WZP_CT_NATPMP]) &&
                         has_flag(e, report, "pcp_available", how[WZP_CT_PCP]);
    json_decref(report);
    return is_good ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

/* --- the table -------------------------------------------------------------------------------- */

#define RUNS(setting)                                                                              \
    {                                                                                              \
        .required = "it runs to its end, and exits with 0", .within_s = 12, .begin = begin,        \
        .go = go_ends, .late = WZP_CT_REASON_LATE, .arg = (setting)                                \
    }
#define REPORT(text, what)                                                                         \
    { .required = (text), .within_s = 1, .go = (what), .late = WZP_CT_REASON_NO_RESPONSE }
#define SAYS(text, what)                                                                           \
    {                                                                                              \
        .required = (text), .within_s = 1, .go = go_says, .late = WZP_CT_REASON_NO_RESPONSE,       \
        .arg = (what)                                                                              \
    }

static const char *const relay_answered[] = {"^  [^ ]+ \\(" PLACE "\\) " ARROW " [0-9]+ms$", NULL};
static const char *const is_cone[] = {"^NAT Type:       Cone$",
                                      "^Reflexive Addr: 203\\.0\\.113\\.7:40000$", NULL};
static const char *const is_symmetric[] = {"^NAT Type:       SymmetricPort$",
                                           "^Reflexive Addr: \\(unknown\\)$", NULL};
static const char *const no_v6[] = {"^IPv6:           no$", NULL};

static const wzp_ct_act nat009[] = {
    RUNS(&one_port), SAYS("the relay's answer is found behind its PresenceList", relay_answered)};
static const wzp_ct_act nat130[] = {RUNS(&one_port),
                                    REPORT("its text is as others read it, line by line", go_text)};
static const wzp_ct_act nat130b[] = {
    RUNS(&dead), REPORT("its text is as others read it, line by line", go_text)};
static const wzp_ct_act nat131[] = {RUNS(&one_port),
                                    REPORT("its JSON has every key, of the right type", go_json)};
static const wzp_ct_act nat131b[] = {
    RUNS(&dead), REPORT("its JSON has every key, of the right type, nulls too", go_json)};
static const wzp_ct_act nat132[] = {RUNS(&one_port),
                                    SAYS("two servers see one address: a cone", is_cone)};
static const wzp_ct_act nat132b[] = {RUNS(&two_ports),
                                     SAYS("two servers see two ports: none", is_symmetric)};
#define FLAGS(natpmp, pcp) "^NAT-PMP: " natpmp "  PCP: " pcp "  UPnP: " YES_NO "$"
static const char *const says_pcp[] = {FLAGS("no", "yes"), NULL};
static const char *const says_natpmp[] = {FLAGS("yes", "no"), NULL};
static const char *const says_both[] = {FLAGS("yes", "yes"), NULL};
static const char *const says_neither[] = {FLAGS("no", "no"), NULL};
#define ASKED                                                                                      \
    { .required = "it asks the gateway", .within_s = 1, .go = go_was_asked }
static const wzp_ct_act nat132d[] = {RUNS(&pcp_only),
                                     SAYS("PCP is there, and NAT-PMP is not", says_pcp)};
static const wzp_ct_act nat132e[] = {RUNS(&natpmp_only),
                                     SAYS("NAT-PMP is there, and PCP is not", says_natpmp)};
static const wzp_ct_act nat132f[] = {RUNS(&both_mapped),
                                     SAYS("NAT-PMP and PCP are there", says_both)};
static const wzp_ct_act nat132g[] = {RUNS(&neither), ASKED, SAYS("neither is there", says_neither)};
static const wzp_ct_act nat132h[] = {
    RUNS(&pcp_only), REPORT("its flags say that PCP is there, and NAT-PMP not", go_flags)};
static const wzp_ct_act nat132i[] = {
    RUNS(&natpmp_only), REPORT("its flags say that NAT-PMP is there, and PCP not", go_flags)};
static const wzp_ct_act nat132c[] = {RUNS(&dead), SAYS("who has no answer by IPv6 says so", no_v6)};

#define CHECK(id, level_, title, must, what, script, ...)                                          \
    {                                                                                              \
        .kind = WZP_CT_PLAY, .client = WZP_CT_CLIENT_CLEAR, .mode = WZP_CT_CHECKS,                 \
        .info = {INFO(id, "CHECK", title, id, must, what, "nat 1.12, part 3"), .level = (level_)}, \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = sizeof(check_state),                      \
        .on_loose = on_loose, __VA_ARGS__                                                          \
    }

static const wzp_ct_case cases[] = {
    CHECK("NAT-009", WZP_CT_MUST, "a relay that says more than it is asked",
          "skip PresenceList between Ack and ReflectResponse", "a relay with a PresenceList",
          nat009, ),
    CHECK("NAT-130", WZP_CT_MUST, "the text of a report", "be as deployed clients write it",
          "a relay and a STUN server that answer", nat130, ),
    CHECK("NAT-130b", WZP_CT_MUST, "nobody answers", "be done within 12 s, with the same text",
          "silence", nat130b, ),
    CHECK("NAT-131", WZP_CT_MUST, "the JSON of a report", "have every key, whatever its order",
          "a relay and a STUN server that answer", nat131, .as_json = true),
    CHECK("NAT-131b", WZP_CT_MUST, "JSON when nobody answers", "have nulls, not omit keys",
          "silence", nat131b, .as_json = true),
    CHECK("NAT-132", WZP_CT_SHOULD, "two servers that see the same", "call its NAT Cone",
          "one port at two servers", nat132, .needs_stun = true, .needs_stun2 = true),
    CHECK("NAT-132b", WZP_CT_SHOULD, "two servers that see two ports",
          "call its NAT SymmetricPort, and no address its own", "two ports at two servers", nat132b,
          .needs_stun = true, .needs_stun2 = true),
    CHECK("NAT-132c", WZP_CT_SHOULD, "no answer by IPv6", "not call IPv6 reachable", "silence",
          nat132c, ),
    CHECK("NAT-132d", WZP_CT_SHOULD, "a gateway that speaks PCP only",
          "say so of each protocol by itself", "PCP is answered, NAT-PMP not", nat132d,
          .needs_gateway = true),
    CHECK("NAT-132e", WZP_CT_SHOULD, "a gateway that speaks NAT-PMP only",
          "say so of each protocol by itself", "PCP is refused in the words of NAT-PMP", nat132e,
          .needs_gateway = true),
    CHECK("NAT-132f", WZP_CT_SHOULD, "a gateway that speaks both", "say so of both",
          "both are answered", nat132f, .needs_gateway = true),
    CHECK("NAT-132g", WZP_CT_SHOULD, "a gateway that speaks neither", "say so of both", "silence",
          nat132g, .needs_gateway = true),
    CHECK("NAT-132h", WZP_CT_SHOULD, "PCP only, in JSON", "have a flag for each protocol",
          "PCP is answered, NAT-PMP not", nat132h, .needs_gateway = true, .as_json = true),
    CHECK("NAT-132i", WZP_CT_SHOULD, "NAT-PMP only, in JSON", "have a flag for each protocol",
          "PCP is refused in the words of NAT-PMP", nat132i, .needs_gateway = true,
          .as_json = true),
};

const wzp_ct_chapter wzp_ct_chapter_check = {"CHECK", "Clients: netcheck", cases,
                                             WZP_COUNT_OF(cases)};
