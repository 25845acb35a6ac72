/* "nat" and "firewall": the boxes on a way out. */
#include <string.h>

#include "sim/box/nat64.h"
#include "sim/lab/read.h"

#define NAT64 "nat64"

#define QUANTITY(name, of, member, text)                                                           \
    WZP_LAB_QUANTITY(wzp_sim_nat_cfg, member, name, WZP_LAB_##of, 0, 0, text)
#define FLAG(name, member, text) WZP_LAB_FLAG(wzp_sim_nat_cfg, member, name, text)
#define WORD(name, list, member, text) WZP_LAB_WORD(wzp_sim_nat_cfg, member, name, list, text)

/* --- NAT ------------------------------------------------------------------------------------- */

static const char *const mappings[] = {"EIM", "ADM", "APDM", NULL};
static const char *const filters[] = {"EIF", "ADF", "APDF", NULL};
static const char *const allocators[] = {"preserve",   "sequential",  "random",
                                         "contiguous", "next-higher", NULL};
static const char *const hairpins[] = {"off", "external", "internal", NULL};

static const wzp_lab_field nat_fields[] = {
    WZP_LAB_CUSTOM("preset", wzp_lab_elsewhere, WZP_LAB_STRING, "to begin with"),
    FLAG("identity", identity, "no translation: a stateful firewall"),
    WORD("mapping", mappings, mapping, "what a mapping depends on (RFC 4787)"),
    WORD("filtering", filters, filtering, "who may answer (RFC 4787)"),
    WORD("ports", allocators, ports, "which external port"),
    WORD("fallback", allocators, fallback, "preserve: when the port is taken"),
    QUANTITY("delta", PLAIN, delta, "sequential: step"),
    QUANTITY("skip", SHARE, skip_ppm, "sequential: another flow took one"),
    FLAG("per_host_counter", per_host_counter, "sequential: a counter for each inside host"),
    FLAG("parity", parity, "even ports stay even"),
    FLAG("keep_well_known", keep_well_known, "inside ports below 1024 stay below"),
    FLAG("overload", overload, "flows to different remotes may share a port"),
    QUANTITY("first_port", PLAIN, first_port, "of the range"),
    QUANTITY("last_port", PLAIN, last_port, "of the range"),
    QUANTITY("block_size", PLAIN, block_size, "ports in blocks per inside host"),
    QUANTITY("blocks_max", PLAIN, blocks_max, "per inside host"),
    WORD("hairpin", hairpins, hairpin, "from inside to its own external address"),
    FLAG("arbitrary_pooling", arbitrary_pooling, "an external address for each mapping"),
    QUANTITY("unreplied", TIME, t_unreplied, "life of a mapping without an answer"),
    QUANTITY("replied", TIME, t_replied, "life of a mapping after an answer"),
    QUANTITY("well_known", TIME, t_well_known, "life towards remote ports below 1024"),
    QUANTITY("permission", TIME, t_filter, "age of a permission; as the mapping without"),
    QUANTITY("hold_down", TIME, t_hold, "a freed port is not used again for so long"),
    FLAG("no_refresh_out", no_refresh_out, "outbound packets do not refresh"),
    FLAG("no_refresh_in", no_refresh_in, "inbound packets do not refresh"),
    QUANTITY("quota", PLAIN, quota, "mappings of one inside host"),
    QUANTITY("quota_total", PLAIN, quota_total, "mappings of all"),
    QUANTITY("new_per_s", PLAIN, new_per_s, "mappings that may be made in a second"),
    QUANTITY("new_burst", PLAIN, new_burst, "... and at once"),
    FLAG("alg_stun", alg_stun, "translates addresses in STUN messages, against RFC 4787, REQ-10"),
    FLAG("icmp_on_miss", icmp_on_miss, "port unreachable for what has no mapping"),
    FLAG("icmp_kills_mapping", icmp_kills_mapping, "against RFC 4787, REQ-12"),
    FLAG("inbound_creates_state", inbound_creates_state, "the early inbound packet of Linux boxes"),
    FLAG("degrade_on_collision", degrade_on_collision, "against RFC 4787, REQ-11"),
    FLAG("port_map_reply_only", port_map_reply_only, "explicit mappings serve replies only"),
    QUANTITY("foreign", PER_S, foreign_per_s_milli, "flows of others that take ports"),
    QUANTITY("processing", TIME, proc_delay, "added by the box"),
};
const wzp_lab_table wzp_lab_nat_table = {"a NAT", nat_fields, WZP_COUNT_OF(nat_fields)};

/* A NAT64 is none of the NAT's presets: its hosts speak another protocol. */
static const char *preset_at(const void *list, size_t index) {
    (void)list;
    if (index == 0) {
        return NAT64;
    }
    return wzp_sim_nat_preset_name(index - 1);
}

/* False: there is no such one. */
static bool preset_box(const char *name, wzp_lab_box *box) {
    *box = (wzp_lab_box){.nat64 = strcmp(name, NAT64) == 0};
    if (box->nat64) {
        box->nat = wzp_sim_nat64_cfg();
        return true;
    }
    return wzp_sim_nat_preset(name, &box->nat);
}

bool wzp_lab_is_nat64(const wzp_lab_way *way) {
    return way->box_count > 0 && way->boxes[0].nat64;
}

static wzp_lab_box *new_box(wzp_lab_reader *r, const char *path, wzp_lab_way *way) {
    if (way->box_count == WZP_LAB_BOXES_MAX) {
        wzp_lab_complain(r, path, "expected at most %d boxes in a row", WZP_LAB_BOXES_MAX);
        return NULL;
    }
    wzp_lab_box *box = &way->boxes[way->box_count++];
    *box = (wzp_lab_box){0};
    return box;
}

/* A chain's name stands for its boxes, inner first; "pub" for none. */
static void add_named(wzp_lab_reader *r, const char *path, const char *name, wzp_lab_way *way) {
    wzp_sim_nat_cfg chain[2];
    wzp_lab_box single;
    wzp_lab_box *added = NULL;
    if (strcmp(name, NAT64) == 0 && preset_box(name, &single)) {
        if ((added = new_box(r, path, way)) != NULL) {
            *added = single;
        }
        return;
    }
    const int n = wzp_sim_nat_chain(name, chain);
    if (n < 0) {
        wzp_lab_complain_name(r, path, "NAT", name, preset_at, NULL);
    }
    for (int i = 0; i < n; i++) {
        wzp_lab_box *box = new_box(r, path, way);
        if (box == NULL) {
            return;
        }
        box->nat = chain[i];
    }
}

static void add_table(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_way *way) {
    char below[WZP_LAB_PATH_MAX];
    const json_t *preset = wzp_lab_value(r, wzp_lab_below(below, path, "preset"), value, "preset");
    wzp_lab_box *box = NULL;
    if (!json_is_string(preset)) {
        wzp_lab_complain(r, path, "a NAT needs a preset to begin with, as preset = \"linux-masq\"");
        return;
    }
    wzp_lab_box described;
    if (!preset_box(json_string_value(preset), &described)) {
        wzp_lab_complain_name(r, below, "NAT of one box", json_string_value(preset), preset_at,
                              NULL);
        return;
    }
    if ((box = new_box(r, path, way)) != NULL) {
        *box = described;
        (void)wzp_lab_read(r, path, value, &wzp_lab_nat_table, &box->nat);
    }
}

static void add_one(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_way *way) {
    if (json_is_string(value)) {
        add_named(r, path, json_string_value(value), way);
    } else if (json_is_object(value)) {
        add_table(r, path, value, way);
    } else {
        wzp_lab_complain_type(r, path, "a NAT's name, a table, or a list of them", value);
    }
}

void wzp_lab_read_boxes(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_way *way) {
    char below[WZP_LAB_PATH_MAX];
    if (!json_is_array(value)) {
        add_one(r, path, value, way);
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        add_one(r, wzp_lab_below_at(below, path, i), json_array_get(value, i), way);
    }
}

/* --- firewall -------------------------------------------------------------------------------- */

#define POLICY(name, of, member, text)                                                             \
    WZP_LAB_QUANTITY(wzp_sim_policy_cfg, member, name, WZP_LAB_##of, 0, 0, text)
#define POLICY_FLAG(name, member, text) WZP_LAB_FLAG(wzp_sim_policy_cfg, member, name, text)

static void take_ports(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_sim_policy_cfg *policy = out;
    const size_t n = json_array_size(value);
    bool good = n > 0 && n <= WZP_SIM_POLICY_PORTS_MAX;
    for (size_t i = 0; good && i < n; i++) {
        const json_int_t port = json_integer_value(json_array_get(value, i));
        good = port > 0 && port < 65536;
        policy->allow_ports[i] = good ? (uint16_t)port : 0;
    }
    if (!good) {
        wzp_lab_complain_type(r, path, "a list of 1 to 16 UDP ports, as [443, 4433]", value);
        return;
    }
    policy->allow_port_count = n;
}

static const wzp_lab_field policy_fields[] = {
    POLICY_FLAG("ipv6_only", only_v6, "IPv4 is not looked at"),
    POLICY_FLAG("block_udp", block_udp, "no UDP at all"),
    POLICY_FLAG("icmp_prohibited", icmp_prohibited, "what is blocked is answered with ICMP"),
    WZP_LAB_CUSTOM("allow_ports", take_ports,
                   "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"maxItems\":16}",
                   "remote UDP ports that pass; all without"),
    POLICY("block_after", TIME, block_after, "UDP dies after so long"),
    POLICY("block_after_bytes", SIZE, block_after_bytes, "UDP dies after so much"),
    POLICY_FLAG("block_quic", block_quic, "drops QUIC long headers"),
    POLICY("initial_drop", SHARE, initial_drop_ppm, "drops so many QUIC Initial packets"),
    POLICY("packets_per_s", PLAIN, pps, "policer, each way by itself"),
    POLICY("packets_burst", PLAIN, pps_burst, "of that policer"),
    POLICY("rate", RATE, bits_per_s, "policer, each way by itself"),
    POLICY("rate_burst", SIZE, bits_burst, "of that policer"),
    POLICY("max_size", SIZE, max_size, "largest IP packet that passes"),
    POLICY_FLAG("drop_fragments", drop_fragments, "fragments do not pass"),
    POLICY_FLAG("suppress_frag_needed", suppress_frag_needed, "ICMP about size does not come back"),
    POLICY("scan_ports", PLAIN, scan_ports, "port-scan guard: so many ports of one remote ..."),
    POLICY("scan_window", TIME, scan_window, "... within this time ..."),
    POLICY("scan_block", TIME, scan_block, "... block it for so long"),
};
const wzp_lab_table wzp_lab_firewall_table = {"a firewall", policy_fields,
                                              WZP_COUNT_OF(policy_fields)};

/* Translates nothing and filters nobody: what leaves, leaves as it is, and anybody may come in to a
 * port that has once sent.  nat = "fw" filters. */
static const wzp_sim_nat_cfg open_box = {
    .name = "open", .identity = true, .mapping = WZP_SIM_NAT_ANY, .filtering = WZP_SIM_NAT_ANY};

void wzp_lab_read_firewall(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_way *way) {
    if (way->box_count == 0) {
        way->boxes[0] = (wzp_lab_box){.nat = open_box};
        way->box_count = 1;
    }
    (void)wzp_lab_read(r, path, value, &wzp_lab_firewall_table,
                       &way->boxes[way->box_count - 1].policy);
}
