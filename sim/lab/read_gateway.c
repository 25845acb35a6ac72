/* "gateway": what the inner box answers to NAT-PMP, PCP and UPnP, and how it misbehaves. */
#include "sim/lab/read.h"

#define WORD(name, list, member, text) WZP_LAB_WORD(wzp_sim_gateway_cfg, member, name, list, text)
#define FLAG(name, member, text) WZP_LAB_FLAG(wzp_sim_gateway_cfg, member, name, text)
#define QUANTITY(name, of, member, text)                                                           \
    WZP_LAB_QUANTITY(wzp_sim_gateway_cfg, member, name, WZP_LAB_##of, 0, 0, text)

static const char *const modes[] = {"off", "serves", "silent", NULL};
static const char *const policies[] = {"next", "random", "refuse", NULL};

#define LEASE_TIME "{\"type\":\"string\"}"

/* Leases count whole seconds. */
static void take_seconds(wzp_lab_reader *r, const char *path, json_t *value, uint32_t *out) {
    static const wzp_lab_field field =
        WZP_LAB_QUANTITY(wzp_sim_point, at, "", WZP_LAB_TIME, 0, 0, "");
    wzp_sim_point time = {0};
    if (!wzp_lab_read_field(r, path, value, &field, &time)) {
        return;
    }
    if (time.at == 0 || time.at % WZP_S != 0 || time.at / WZP_S > UINT32_MAX) {
        wzp_lab_complain(r, path, "expected whole seconds, and at least one");
        return;
    }
    *out = (uint32_t)(time.at / WZP_S);
}

static void take_least(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    take_seconds(r, path, value, &((wzp_sim_gateway_cfg *)out)->leases.min_s);
}

static void take_most(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    take_seconds(r, path, value, &((wzp_sim_gateway_cfg *)out)->leases.max_s);
}

static const wzp_lab_field gateway_fields[] = {
    WORD("pmp", modes, pmp, "NAT-PMP"),
    WORD("pcp", modes, pcp, "PCP"),
    WORD("upnp", modes, upnp, "UPnP"),
    QUANTITY("pmp_refuse", PLAIN, pmp_refuse, "a result code for whatever is asked"),
    QUANTITY("pcp_refuse", PLAIN, pcp_refuse, "a result code for whatever is asked"),
    QUANTITY("upnp_refuse", PLAIN, igd.refuse, "a fault code for whatever is asked"),
    FLAG("third_party", pcp_third_party, "PCP: hosts may map ports of others"),
    WZP_LAB_QUANTITY(wzp_sim_gateway_cfg, igd.version, "igd_version", WZP_LAB_PLAIN, 1, 2,
                     "of UPnP IGD: 1 without, or 2"),
    FLAG("permanent_only", igd.permanent_only, "UPnP fault 725 for a lease"),
    FLAG("same_port_only", igd.same_port_only, "UPnP fault 724 where the ports differ"),
    FLAG("https_only", igd.https_only, "UPnP orders go to an https address where nobody is"),
    FLAG("chunked", igd.chunked, "UPnP responses come in chunks"),
    FLAG("relative_url", igd.relative_url, "UPnP control addresses lack their first slash"),
    WORD("ports", policies, leases.ports, "which port is given when the wanted one is taken"),
    QUANTITY("quota", PLAIN, leases.quota, "leases of one host"),
    WZP_LAB_CUSTOM("least_lease", take_least, LEASE_TIME, "shortest lease; 2 min without"),
    WZP_LAB_CUSTOM("most_lease", take_most, LEASE_TIME, "longest lease; 24 h without"),
    WZP_LAB_ADDRESS(wzp_sim_gateway_cfg, leases.reports, "reports",
                    "the address that clients are told, instead of the right one"),
    FLAG("strict", leases.strict, "promises nothing while its address is a private one"),
    FLAG("does_not_forward", leases.does_not_forward, "promises and does nothing"),
    FLAG("wrong_port", leases.wrong_port, "forwards to the port above"),
    FLAG("lease_ignored", leases.lease_ignored, "leases never end"),
    QUANTITY("forgets_after", TIME, leases.forgets_after, "leases are gone so long after"),
    QUANTITY("answer_delay", TIME, answer_delay, "5 ms without"),
    WZP_LAB_ADDRESS(wzp_sim_gateway_cfg, tv, "tv", "a television that answers searches first"),
};
const wzp_lab_table wzp_lab_gateway_table = {"a gateway", gateway_fields,
                                             WZP_COUNT_OF(gateway_fields)};

void wzp_lab_read_gateway(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_way *way) {
    if (way->box_count == 0 || way->boxes[0].nat.identity || wzp_lab_is_nat64(way)) {
        wzp_lab_complain(r, path, "a gateway needs a nat between IPv4 and IPv4");
        return;
    }
    way->has_gateway = wzp_lab_read(r, path, value, &wzp_lab_gateway_table, &way->gateway);
}
