#include "call/hard_nat.h"

#include <stdio.h>

#include "nat/ip_kind.h"

/* --- telling ---------------------------------------------------------------------------------- */

void wzp_call_probe_of(wzp_call_probe *out, const wzp_gather_ports *ports, uint64_t time_ms) {
    *out = (wzp_call_probe){.alloc = ports->alloc, .external = ports->latest, .time_ms = time_ms};
    for (size_t i = ports->count; i > 0 && out->port_count < WZP_CALL_PROBE_PORTS_MAX; i--) {
        out->ports[out->port_count++] = ports->ports[i - 1];
    }
}

/* Without port and brackets; "" for NONE, as deployed. */
static const char *ip_text(const wzp_addr *addr, char buf[WZP_ADDR_TEXT_MAX]) {
    (void)wzp_addr_text(addr, buf);
    char *colon = strrchr(buf, ':');
    if (colon == NULL) {
        return "";
    }
    *colon = '\0';
    if (buf[0] != '[') {
        return buf;
    }
    colon[-1] = '\0';
    return buf + 1;
}

void wzp_call_probe_write(wzp_signal_HardNatProbe *out, const wzp_call_probe *probe,
                          wzp_call_probe_text *text) {
    out->port_sequence = (wzp_list_u16){probe->ports, probe->port_count};
    out->allocation = wzp_bytes_str(wzp_port_alloc_text(probe->alloc, text->allocation));
    out->probe_time_ms = probe->time_ms;
    out->external_ip = wzp_bytes_str(ip_text(&probe->external, text->ip));
}

/* --- hearing ---------------------------------------------------------------------------------- */

static bool copy_text(char *out, size_t cap, wzp_bytes text) {
    if (text.len >= cap) {
        return false;
    }
    if (text.len > 0) {
        memcpy(out, text.data, text.len);
    }
    out[text.len] = '\0';
    return strlen(out) == text.len;
}

/* Deployed clients that know nothing say so by an empty text. */
static bool read_ip(wzp_addr *out, wzp_bytes text) {
    char ip[WZP_ADDR_TEXT_MAX - 8];
    char with_port[WZP_ADDR_TEXT_MAX];
    wzp_addr addr;
    *out = (wzp_addr){.family = WZP_ADDR_NONE};
    if (text.len == 0) {
        return true;
    }
    if (!copy_text(ip, sizeof ip, text)) {
        return false;
    }
    (void)snprintf(with_port, sizeof with_port, strchr(ip, ':') != NULL ? "[%s]:0" : "%s:0", ip);
    if (wzp_addr_parse(&addr, with_port) != WZP_OK) {
        return false;
    }
    *out = wzp_ip_unmap(&addr);
    return true;
}

static bool read_alloc(wzp_port_alloc *out, wzp_bytes text) {
    char buf[WZP_PORT_ALLOC_TEXT_MAX];
    return copy_text(buf, sizeof buf, text) && wzp_port_alloc_parse(out, buf) == WZP_OK;
}

static bool has_zero(const wzp_list_u16 *ports) {
    for (size_t i = 0; i < ports->count; i++) {
        if (ports->items[i] == 0) {
            return true;
        }
    }
    return false;
}

/* NULL: the ports are believed. */
static uint64_t *objection(const wzp_list_u16 *ports, wzp_port_alloc alloc,
                           wzp_call_refused *refused) {
    if (ports->count > WZP_CALL_PROBE_PORTS_MAX) {
        return &refused->surplus;
    }
    if (has_zero(ports)) {
        return &refused->unusable;
    }
    const bool counts = alloc.kind == WZP_PORT_ALLOC_SEQUENTIAL;
    return counts && (alloc.delta == 0 || ports->count == 0) ? &refused->unusable : NULL;
}

/* Whichever end they began with; half way round either could be, and the first is what we send. */
static bool is_oldest_first(const wzp_list_u16 *ports, wzp_port_alloc alloc) {
    const size_t n = ports->count;
    if (n == 0 || alloc.kind != WZP_PORT_ALLOC_SEQUENTIAL ||
        (uint16_t)(ports->items[n - 1] - ports->items[0]) == 0x8000) {
        return false;
    }
    return wzp_port_alloc_last(ports->items, n, alloc.delta) != ports->items[0];
}

static void take_ports(wzp_call_probe *out, const wzp_list_u16 *ports) {
    const bool is_reversed = is_oldest_first(ports, out->alloc);
    for (size_t i = 0; i < ports->count; i++) {
        out->ports[i] = ports->items[is_reversed ? ports->count - 1 - i : i];
    }
    out->port_count = ports->count;
}

bool wzp_call_probe_read(wzp_call_probe *out, const wzp_signal_HardNatProbe *in,
                         wzp_call_refused *refused) {
    wzp_call_probe probe = {.time_ms = in->probe_time_ms};
    if (!read_alloc(&probe.alloc, in->allocation) || !read_ip(&probe.external, in->external_ip)) {
        refused->unreadable++;
        return false;
    }
    uint64_t *wrong = objection(&in->port_sequence, probe.alloc, refused);
    if (wrong != NULL) {
        ++*wrong;
        return false;
    }
    take_ports(&probe, &in->port_sequence);
    if (probe.external.family != WZP_ADDR_NONE) {
        probe.external.port = probe.port_count > 0 ? probe.ports[0] : 0;
    }
    *out = probe;
    return true;
}

bool wzp_call_probe_counts(const wzp_call_probe *probe) {
    return probe->alloc.kind == WZP_PORT_ALLOC_SEQUENTIAL &&
           probe->external.family != WZP_ADDR_NONE;
}

size_t wzp_call_probe_ahead(wzp_addr out[WZP_CALL_AHEAD], const wzp_call_probe *probe, size_t skip,
                            size_t count) {
    uint16_t ports[WZP_CALL_AHEAD];
    if (!wzp_call_probe_counts(probe)) {
        return 0;
    }
    const uint16_t last = (uint16_t)(probe->external.port + skip * (uint16_t)probe->alloc.delta);
    const size_t n = wzp_port_alloc_follow(ports, count < WZP_CALL_AHEAD ? count : WZP_CALL_AHEAD,
                                           last, probe->alloc.delta);
    for (size_t i = 0; i < n; i++) {
        out[i] = probe->external;
        out[i].port = ports[i];
    }
    return n;
}

/* --- birthday --------------------------------------------------------------------------------- */

bool wzp_call_is_hard(wzp_port_alloc alloc) {
    return alloc.kind == WZP_PORT_ALLOC_SEQUENTIAL || alloc.kind == WZP_PORT_ALLOC_RANDOM;
}

void wzp_call_birthday_write(wzp_signal_HardNatBirthdayStart *out,
                             const wzp_call_birthday *birthday, wzp_call_probe_text *text) {
    out->acceptor_port_count = birthday->opened;
    out->acceptor_ports = (wzp_list_u16){birthday->ports, birthday->port_count};
    out->external_ip = wzp_bytes_str(ip_text(&birthday->external, text->ip));
}

bool wzp_call_birthday_read(wzp_call_birthday *out, const wzp_signal_HardNatBirthdayStart *in,
                            wzp_call_refused *refused) {
    const wzp_list_u16 *ports = &in->acceptor_ports;
    wzp_call_birthday birthday = {.opened = in->acceptor_port_count};
    if (!read_ip(&birthday.external, in->external_ip)) {
        refused->unreadable++;
        return false;
    }
    if (ports->count > WZP_BIRTHDAY_KNOWN_MAX) {
        refused->surplus++;
        return false;
    }
    if (birthday.opened == 0 || birthday.external.family == WZP_ADDR_NONE || has_zero(ports)) {
        refused->unusable++;
        return false;
    }
    for (size_t i = 0; i < ports->count; i++) {
        birthday.ports[birthday.port_count++] = ports->items[i];
    }
    *out = birthday;
    return true;
}
