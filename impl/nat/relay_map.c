#include "nat/relay_map.h"

#include "nat/ip_kind.h"

static wzp_relay_entry *find(wzp_relay_map *map, const wzp_addr *addr) {
    for (size_t i = 0; i < map->count; i++) {
        if (wzp_addr_equal(&map->entries[i].addr, addr)) {
            return &map->entries[i];
        }
    }
    return NULL;
}

static uint32_t distance(const wzp_relay_entry *entry) {
    return entry->is_reachable && entry->has_rtt ? entry->rtt_ms : UINT32_MAX;
}

/* Insertion: short, and stable. */
static void sort(wzp_relay_map *map) {
    for (size_t i = 1; i < map->count; i++) {
        const wzp_relay_entry entry = map->entries[i];
        size_t at = i;
        for (; at > 0 && distance(&map->entries[at - 1]) > distance(&entry); at--) {
            map->entries[at] = map->entries[at - 1];
        }
        map->entries[at] = entry;
    }
}

/* For people: what is not printable ASCII comes from a stranger, and becomes '?'. */
static void copy(char out[WZP_RELAY_NAME_MAX], wzp_bytes text) {
    const size_t len = text.len < WZP_RELAY_NAME_MAX - 1 ? text.len : WZP_RELAY_NAME_MAX - 1;
    for (size_t i = 0; i < len; i++) {
        const uint8_t c = text.data[i];
        out[i] = '?';
        if (c >= 0x20 && c < 0x7f) {
            out[i] = (char)c;
        }
    }
    out[len] = '\0';
}

wzp_err wzp_relay_map_upsert(wzp_relay_map *map, wzp_bytes name, const wzp_addr *addr,
                             wzp_bytes region) {
    wzp_relay_entry *entry = find(map, addr);
    if (addr->family == WZP_ADDR_NONE || addr->port == 0) {
        map->unreadable++;
        return WZP_ERR_INVALID_ARGUMENT;
    }
    if (entry == NULL && map->count == WZP_RELAY_MAP_MAX) {
        map->surplus++;
        return WZP_ERR_LIMIT;
    }
    if (entry == NULL) {
        entry = &map->entries[map->count++];
        *entry = (wzp_relay_entry){.addr = *addr};
    }
    copy(entry->name, name);
    if (region.len != 0) {
        copy(entry->region, region);
    }
    return WZP_OK;
}

void wzp_relay_map_answered(wzp_relay_map *map, const wzp_addr *addr, uint32_t rtt_ms,
                            wzp_time now) {
    wzp_relay_entry *entry = find(map, addr);
    if (entry != NULL) {
        entry->rtt_ms = rtt_ms;
        entry->has_rtt = true;
        entry->is_reachable = true;
        entry->was_probed = true;
        entry->probed_at = now;
        sort(map);
    }
}

void wzp_relay_map_unreachable(wzp_relay_map *map, const wzp_addr *addr) {
    wzp_relay_entry *entry = find(map, addr);
    if (entry != NULL) {
        entry->is_reachable = false;
        sort(map);
    }
}

const wzp_relay_entry *wzp_relay_map_preferred(const wzp_relay_map *map) {
    const wzp_relay_entry *first = &map->entries[0];
    return map->count > 0 && first->is_reachable && first->has_rtt ? first : NULL;
}

const wzp_relay_entry *wzp_relay_map_choose(const wzp_relay_map *map, const wzp_addr *current) {
    const wzp_relay_entry *nearest = wzp_relay_map_preferred(map);
    for (size_t i = 0; nearest != NULL && i < map->count; i++) {
        const wzp_relay_entry *now = &map->entries[i];
        if (!wzp_addr_equal(&now->addr, current) || !now->is_reachable || !now->has_rtt) {
            continue;
        }
        const uint64_t gain = now->rtt_ms - nearest->rtt_ms; /* the nearest is first */
        return gain > 10 && 100 * gain > UINT64_C(33) * now->rtt_ms ? nearest : now;
    }
    return nearest;
}

bool wzp_relay_map_needs_probe(const wzp_relay_map *map, uint64_t age, wzp_time now) {
    for (size_t i = 0; i < map->count; i++) {
        const wzp_relay_entry *entry = &map->entries[i];
        if (!entry->was_probed || wzp_time_since(now, entry->probed_at) > age) {
            return true;
        }
    }
    return false;
}

/* A stranger's list must not make us knock at loopback, at the neighbours', or at everybody. */
static bool is_usable(const wzp_addr *addr, const wzp_addr *teller) {
    const wzp_ip_kind kind = wzp_ip_kind_of(addr);
    const bool is_unicast = kind != WZP_IP_NONE && kind != WZP_IP_UNSPECIFIED &&
                            kind != WZP_IP_MULTICAST && kind != WZP_IP_RESERVED;
    return is_unicast &&
           (kind == WZP_IP_GLOBAL || teller == NULL || kind == wzp_ip_kind_of(teller));
}

bool wzp_relay_map_add_listed(wzp_relay_map *map, wzp_bytes text, const wzp_addr *teller) {
    char literal[WZP_ADDR_TEXT_MAX];
    wzp_addr addr;
    const uint8_t *bar = text.len != 0 ? memchr(text.data, '|', text.len) : NULL;
    const size_t name_len = bar != NULL ? (size_t)(bar - text.data) : text.len;
    const size_t len = bar != NULL ? text.len - name_len - 1 : 0;
    if (len == 0 || len >= sizeof literal || memchr(bar + 1, '\0', len) != NULL) {
        map->unreadable++;
        return false;
    }
    memcpy(literal, bar + 1, len);
    literal[len] = '\0';
    if (wzp_addr_parse(&addr, literal) != WZP_OK) {
        map->unreadable++;
        return false;
    }
    if (!is_usable(&addr, teller)) {
        map->unusable++;
        return false;
    }
    return wzp_relay_map_upsert(map, wzp_bytes_of(text.data, name_len), &addr, (wzp_bytes){0}) ==
           WZP_OK;
}
