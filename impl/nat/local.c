#include "nat/local.h"

#include "nat/ip_kind.h"

#define CAP_REFERENCE 16

enum { RANK_V4, RANK_TEMPORARY, RANK_V6, RANKS };

static unsigned rank_of(const wzp_interface_addr *entry) {
    if (entry->addr.family == WZP_ADDR_V4) {
        return RANK_V4;
    }
    return entry->is_temporary ? RANK_TEMPORARY : RANK_V6;
}

static bool is_told(const wzp_interface_addr *entry, uint16_t v6_port) {
    const wzp_ip_kind kind = wzp_ip_kind_of(&entry->addr);
    if (entry->is_loopback) {
        return false;
    }
    if (entry->addr.family == WZP_ADDR_V4) {
        return kind == WZP_IP_PRIVATE || kind == WZP_IP_SHARED;
    }
    /* A v4-mapped one is judged as IPv4, and none of its kinds is one of these but the global. */
    const wzp_addr plain = wzp_ip_unmap(&entry->addr);
    return v6_port != 0 && plain.family == WZP_ADDR_V6 &&
           (kind == WZP_IP_GLOBAL || kind == WZP_IP_UNIQUE_LOCAL);
}

static bool is_there(const wzp_addr *list, size_t count, const wzp_addr *addr) {
    for (size_t i = 0; i < count; i++) {
        if (wzp_addr_equal(&list[i], addr)) {
            return true;
        }
    }
    return false;
}

typedef struct telling {
    wzp_addr *out;
    size_t cap, count, surplus;
    uint16_t v4_port, v6_port;
    wzp_local_rules rules;
} telling;

static void tell(telling *t, const wzp_interface_addr *entry) {
    const bool is_reference = t->rules == WZP_LOCAL_REFERENCE;
    wzp_addr addr = entry->addr;
    addr.port = addr.family == WZP_ADDR_V4 ? t->v4_port : t->v6_port;
    if (!is_told(entry, t->v6_port) ||
        (is_reference && (entry->is_down || addr.port == 0 || is_there(t->out, t->count, &addr)))) {
        return;
    }
    if (t->count < t->cap) {
        t->out[t->count++] = addr;
    } else {
        t->surplus++;
    }
}

size_t wzp_local_candidates(wzp_addr *out, size_t cap, const wzp_interface_addr *table,
                            size_t count, uint16_t v4_port, uint16_t v6_port, wzp_local_rules rules,
                            size_t *surplus) {
    telling t = {.out = out, .cap = cap, .v4_port = v4_port, .v6_port = v6_port, .rules = rules};
    if (rules == WZP_LOCAL_REFERENCE && t.cap > CAP_REFERENCE) {
        t.cap = CAP_REFERENCE;
    }
    for (unsigned rank = 0; rank < (rules == WZP_LOCAL_REFERENCE ? RANKS : 1U); rank++) {
        for (size_t i = 0; i < count; i++) {
            if (rules == WZP_LOCAL_DEPLOYED || rank_of(&table[i]) == rank) {
                tell(&t, &table[i]);
            }
        }
    }
    if (surplus != NULL) {
        *surplus = t.surplus;
    }
    return t.count;
}
