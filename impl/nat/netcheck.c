#include "nat/netcheck.h"

#include <stdio.h>
#include <string.h>

#include "wire/json.h"

static const char *const mapping_names[] = {
    [WZP_NETCHECK_NATPMP] = "NatPmp", [WZP_NETCHECK_PCP] = "Pcp", [WZP_NETCHECK_UPNP] = "UPnP"};

/* --- judging ---------------------------------------------------------------------------------- */

static bool is_nearer(const wzp_netcheck_probe *a, const wzp_netcheck_probe *b) {
    return a->has_time && (!b->has_time || a->time_ms < b->time_ms);
}

void wzp_netcheck_sort(wzp_netcheck *r) {
    for (size_t i = 1; i < r->relay_count; i++) {
        const wzp_netcheck_probe probe = r->relays[i];
        size_t at = i;
        for (; at > 0 && is_nearer(&probe, &r->relays[at - 1]); at--) {
            r->relays[at] = r->relays[at - 1];
        }
        r->relays[at] = probe;
    }
}

const wzp_netcheck_probe *wzp_netcheck_preferred(const wzp_netcheck *r) {
    const wzp_netcheck_probe *best = NULL;
    for (size_t i = 0; i < r->relay_count; i++) {
        const wzp_netcheck_probe *probe = &r->relays[i];
        best = probe->has_time && (best == NULL || is_nearer(probe, best)) ? probe : best;
    }
    return best;
}

static const wzp_netcheck_probe *fastest_stun(const wzp_netcheck *r) {
    const wzp_netcheck_probe *best = NULL;
    for (size_t i = 0; i < r->stun_count; i++) {
        const wzp_netcheck_probe *probe = &r->stun[i];
        best = probe->has_time && (best == NULL || is_nearer(probe, best)) ? probe : best;
    }
    return best;
}

/* An address without its port. */
static const char *host_text(const wzp_addr *addr, char buf[WZP_ADDR_TEXT_MAX]) {
    (void)wzp_addr_text(addr, buf);
    char *end = strrchr(buf, ':');
    if (addr->family == WZP_ADDR_NONE || end == NULL) {
        return buf;
    }
    *end = '\0';
    if (buf[0] != '[') {
        return buf;
    }
    end[-1] = '\0';
    return buf + 1;
}

/* --- text ------------------------------------------------------------------------------------- */

static void line(wzp_wr *wr, const char *label, const char *value) {
    char text[160];
    (void)snprintf(text, sizeof text, "%-16s%s\n", label, value);
    wzp_wr_str(wr, text);
}

static const char *yes(bool is_so) {
    return is_so ? "yes" : "no";
}

static void write_facts(wzp_wr *wr, const wzp_netcheck *r) {
    char buf[WZP_ADDR_TEXT_MAX];
    char alloc[WZP_PORT_ALLOC_TEXT_MAX];
    const bool has_addr = r->nat.consensus.family != WZP_ADDR_NONE;
    const bool has_gateway = r->gateway.family != WZP_ADDR_NONE;
    line(wr, "NAT Type:", wzp_nat_type_text(r->nat.type));
    line(wr, "Reflexive Addr:", has_addr ? wzp_addr_text(&r->nat.consensus, buf) : "(unknown)");
    line(wr, "IPv4:", yes(r->ipv4));
    line(wr, "IPv6:", yes(r->ipv6));
    line(wr, "Gateway:", has_gateway ? host_text(&r->gateway, buf) : "(unknown)");
    if (r->has_alloc) {
        line(wr, "Port Alloc:", wzp_port_alloc_text(r->alloc, alloc));
    }
}

static void write_mapping(wzp_wr *wr, const wzp_netcheck *r) {
    char text[96];
    (void)snprintf(text, sizeof text, "NAT-PMP: %s  PCP: %s  UPnP: %s\n", yes(r->natpmp),
                   yes(r->pcp), yes(r->upnp));
    wzp_wr_str(wr, "\n--- Port Mapping ---\n");
    wzp_wr_str(wr, text);
    if (r->mapping != WZP_NETCHECK_NO_MAPPING) {
        wzp_wr_str(wr, "Active mapping: ");
        wzp_wr_str(wr, mapping_names[r->mapping]);
        wzp_wr_str(wr, "\n");
    }
}

static void write_time(wzp_wr *wr, const wzp_netcheck_probe *probe) {
    char text[16];
    (void)snprintf(text, sizeof text, "%u", probe->time_ms);
    wzp_wr_str(wr, probe->has_time ? text : "-");
    wzp_wr_str(wr, "ms");
}

static void write_error(wzp_wr *wr, const wzp_netcheck_probe *probe) {
    if (probe->error != NULL) {
        wzp_wr_str(wr, " [");
        wzp_wr_str(wr, probe->error);
        wzp_wr_str(wr, "]");
    }
    wzp_wr_str(wr, "\n");
}

#define ARROW " \xe2\x86\x92 "

static void write_stun(wzp_wr *wr, const wzp_netcheck_probe *probe) {
    char buf[WZP_ADDR_TEXT_MAX];
    const bool has_addr = probe->observed.family != WZP_ADDR_NONE;
    wzp_wr_str(wr, "  stun:");
    wzp_wr_str(wr, probe->name);
    wzp_wr_str(wr, ARROW);
    wzp_wr_str(wr, has_addr ? wzp_addr_text(&probe->observed, buf) : "failed");
    wzp_wr_str(wr, " (");
    write_time(wr, probe);
    wzp_wr_str(wr, ")");
    write_error(wr, probe);
}

static void write_relay(wzp_wr *wr, const wzp_netcheck_probe *probe) {
    char buf[WZP_ADDR_TEXT_MAX];
    wzp_wr_str(wr, "  ");
    wzp_wr_str(wr, probe->name);
    wzp_wr_str(wr, " (");
    wzp_wr_str(wr, wzp_addr_text(&probe->addr, buf));
    wzp_wr_str(wr, ")" ARROW);
    write_time(wr, probe);
    write_error(wr, probe);
}

void wzp_netcheck_text(wzp_wr *wr, const wzp_netcheck *r) {
    const wzp_netcheck_probe *preferred = wzp_netcheck_preferred(r);
    char done[48];
    wzp_wr_str(wr, "=== WarzonePhone Netcheck ===\n\n");
    write_facts(wr, r);
    write_mapping(wr, r);
    if (r->stun_count > 0) {
        wzp_wr_str(wr, "\n--- STUN Probes ---\n");
    }
    for (size_t i = 0; i < r->stun_count; i++) {
        write_stun(wr, &r->stun[i]);
    }
    if (r->relay_count > 0) {
        wzp_wr_str(wr, "\n--- Relay Latencies ---\n");
    }
    for (size_t i = 0; i < r->relay_count; i++) {
        write_relay(wr, &r->relays[i]);
    }
    if (preferred != NULL) {
        wzp_wr_str(wr, "  Preferred: ");
        wzp_wr_str(wr, preferred->name);
        wzp_wr_str(wr, "\n");
    }
    (void)snprintf(done, sizeof done, "\nCompleted in %ums\n", r->duration_ms);
    wzp_wr_str(wr, done);
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* Keys come one after another; the first one has no comma before it. */
static void key(wzp_wr *wr, const char *name) {
    const bool is_first = wzp_wr_len(wr) > 0 && wr->pos[-1] == '{';
    wzp_wr_str(wr, is_first ? "\"" : ",\"");
    wzp_wr_str(wr, name);
    wzp_wr_str(wr, "\":");
}

static void string_or_null(wzp_wr *wr, const char *name, const char *value) {
    key(wr, name);
    if (value == NULL) {
        wzp_wr_str(wr, "null");
    } else {
        wzp_json_write_string(wr, wzp_bytes_str(value));
    }
}

static void boolean(wzp_wr *wr, const char *name, bool value) {
    key(wr, name);
    wzp_wr_str(wr, value ? "true" : "false");
}

static void time_or_null(wzp_wr *wr, const char *name, const wzp_netcheck_probe *probe) {
    key(wr, name);
    if (probe != NULL && probe->has_time) {
        wzp_json_write_uint(wr, probe->time_ms);
    } else {
        wzp_wr_str(wr, "null");
    }
}

static const char *addr_or_null(const wzp_addr *addr, char buf[WZP_ADDR_TEXT_MAX]) {
    return addr->family != WZP_ADDR_NONE ? wzp_addr_text(addr, buf) : NULL;
}

static void json_relays(wzp_wr *wr, const wzp_netcheck *r) {
    char buf[WZP_ADDR_TEXT_MAX];
    key(wr, "relay_latencies");
    wzp_wr_str(wr, "[");
    for (size_t i = 0; i < r->relay_count; i++) {
        const wzp_netcheck_probe *probe = &r->relays[i];
        wzp_wr_str(wr, i > 0 ? ",{" : "{");
        string_or_null(wr, "name", probe->name);
        string_or_null(wr, "addr", wzp_addr_text(&probe->addr, buf));
        time_or_null(wr, "rtt_ms", probe);
        string_or_null(wr, "error", probe->error);
        wzp_wr_str(wr, "}");
    }
    wzp_wr_str(wr, "]");
}

static void json_stun(wzp_wr *wr, const wzp_netcheck *r) {
    char buf[WZP_ADDR_TEXT_MAX];
    key(wr, "stun_probes");
    wzp_wr_str(wr, "[");
    for (size_t i = 0; i < r->stun_count; i++) {
        const wzp_netcheck_probe *probe = &r->stun[i];
        char name[320];
        const char *addr = addr_or_null(&probe->addr, buf);
        (void)snprintf(name, sizeof name, "stun:%s", probe->name);
        wzp_wr_str(wr, i > 0 ? ",{" : "{");
        string_or_null(wr, "relay_name", name);
        string_or_null(wr, "relay_addr", addr != NULL ? addr : probe->name);
        string_or_null(wr, "observed_addr", addr_or_null(&probe->observed, buf));
        time_or_null(wr, "latency_ms", probe);
        string_or_null(wr, "error", probe->error);
        wzp_wr_str(wr, "}");
    }
    wzp_wr_str(wr, "]");
}

static void json_alloc(wzp_wr *wr, const wzp_netcheck *r) {
    char text[64];
    key(wr, "port_allocation");
    if (!r->has_alloc) {
        wzp_wr_str(wr, "null");
        return;
    }
    switch (r->alloc.kind) {
    case WZP_PORT_ALLOC_PRESERVING:
        wzp_wr_str(wr, "\"PortPreserving\"");
        break;
    case WZP_PORT_ALLOC_SEQUENTIAL:
        (void)snprintf(text, sizeof text, "{\"Sequential\":{\"delta\":%d}}", r->alloc.delta);
        wzp_wr_str(wr, text);
        break;
    case WZP_PORT_ALLOC_RANDOM:
        wzp_wr_str(wr, "\"Random\"");
        break;
    case WZP_PORT_ALLOC_UNKNOWN:
        wzp_wr_str(wr, "\"Unknown\"");
        break;
    }
}

void wzp_netcheck_json(wzp_wr *wr, const wzp_netcheck *r) {
    char buf[WZP_ADDR_TEXT_MAX];
    const wzp_netcheck_probe *preferred = wzp_netcheck_preferred(r);
    const bool has_gateway = r->gateway.family != WZP_ADDR_NONE;
    wzp_wr_str(wr, "{");
    string_or_null(wr, "nat_type", wzp_nat_type_text(r->nat.type));
    string_or_null(wr, "reflexive_addr", addr_or_null(&r->nat.consensus, buf));
    boolean(wr, "ipv4_reachable", r->ipv4);
    boolean(wr, "ipv6_reachable", r->ipv6);
    key(wr, "hairpin_works");
    wzp_wr_str(wr, r->hairpin == WZP_NETCHECK_UNTRIED ? "null"
                   : r->hairpin == WZP_NETCHECK_YES   ? "true"
                                                      : "false");
    string_or_null(wr, "port_mapping",
                   r->mapping != WZP_NETCHECK_NO_MAPPING ? mapping_names[r->mapping] : NULL);
    json_relays(wr, r);
    string_or_null(wr, "preferred_relay", preferred != NULL ? preferred->name : NULL);
    time_or_null(wr, "stun_latency_ms", fastest_stun(r));
    boolean(wr, "upnp_available", r->upnp);
    boolean(wr, "pcp_available", r->pcp);
    boolean(wr, "nat_pmp_available", r->natpmp);
    string_or_null(wr, "gateway", has_gateway ? host_text(&r->gateway, buf) : NULL);
    key(wr, "duration_ms");
    wzp_json_write_uint(wr, r->duration_ms);
    json_stun(wr, r);
    json_alloc(wr, r);
    wzp_wr_str(wr, "}");
}
