#include "call/addresses.h"

#include "call/hard_nat.h"
#include "nat/ip_kind.h"

/* --- text ------------------------------------------------------------------------------------- */

static bool read_one(wzp_addr *out, wzp_bytes text, wzp_call_refused *refused) {
    char buf[WZP_ADDR_TEXT_MAX];
    wzp_addr addr;
    if (text.len == 0 || text.len >= sizeof buf) {
        refused->unreadable++;
        return false;
    }
    memcpy(buf, text.data, text.len);
    buf[text.len] = '\0';
    if (strlen(buf) != text.len || wzp_addr_parse(&addr, buf) != WZP_OK) {
        refused->unreadable++;
        return false;
    }
    *out = wzp_ip_unmap(&addr);
    return true;
}

void wzp_call_addresses_read(wzp_call_addresses *out, const wzp_opt_str *reflexive,
                             const wzp_list_str *local, const wzp_opt_str *mapped,
                             wzp_call_refused *refused) {
    *out = (wzp_call_addresses){.local_count = 0};
    if (reflexive->present) {
        (void)read_one(&out->reflexive, reflexive->value, refused);
    }
    if (mapped->present) {
        (void)read_one(&out->mapped, mapped->value, refused);
    }
    for (size_t i = 0; i < local->count; i++) {
        if (out->local_count == WZP_CALL_LOCALS_MAX) {
            refused->surplus += local->count - i;
            break;
        }
        if (read_one(&out->local[out->local_count], local->items[i], refused)) {
            out->local_count++;
        }
    }
}

static wzp_bytes write_one(char text[WZP_ADDR_TEXT_MAX], const wzp_addr *addr) {
    return wzp_bytes_str(wzp_addr_text(addr, text));
}

void wzp_call_addresses_write(wzp_call_address_fields *out, const wzp_call_addresses *a) {
    out->reflexive = (wzp_opt_str){a->reflexive.family != WZP_ADDR_NONE,
                                   write_one(out->text[WZP_CALL_LOCALS_MAX], &a->reflexive)};
    out->mapped = (wzp_opt_str){a->mapped.family != WZP_ADDR_NONE,
                                write_one(out->text[WZP_CALL_LOCALS_MAX + 1], &a->mapped)};
    for (size_t i = 0; i < a->local_count; i++) {
        out->locals[i] = write_one(out->text[i], &a->local[i]);
    }
    out->local = (wzp_list_str){out->locals, a->local_count};
}

/* --- order ------------------------------------------------------------------------------------ */

typedef struct list {
    wzp_race_candidate *items;
    size_t count;
    const wzp_call_addresses *own;
    const wzp_call_dial_cfg *cfg;
    wzp_call_refused *refused;
} list;

static bool is_there(const list *l, const wzp_addr *addr) {
    for (size_t i = 0; i < l->count; i++) {
        if (wzp_addr_equal(&l->items[i].addr, addr)) {
            return true;
        }
    }
    return false;
}

static bool is_our_own(const wzp_call_addresses *own, const wzp_addr *addr) {
    for (size_t i = 0; i < own->local_count; i++) {
        if (wzp_addr_equal(&own->local[i], addr)) {
            return true;
        }
    }
    return wzp_addr_equal(&own->reflexive, addr) || wzp_addr_equal(&own->mapped, addr);
}

static bool same_network(const wzp_call_addresses *own, const wzp_call_addresses *peer) {
    return own->reflexive.family != WZP_ADDR_NONE &&
           wzp_addr_same_ip(&own->reflexive, &peer->reflexive);
}

static void add(list *l, const wzp_addr *addr, bool is_near) {
    if (l->count == WZP_RACE_CANDIDATES_MAX) {
        l->refused->surplus++;
        return;
    }
    l->items[l->count++] = (wzp_race_candidate){*addr, is_near};
}

/* --- as deployed ------------------------------------------------------------------------------ */

static void add_deployed(list *l, const wzp_addr *addr) {
    if (addr->family == WZP_ADDR_V4) {
        add(l, addr, false);
    }
}

static void order_deployed(list *l, const wzp_call_addresses *peer) {
    for (size_t i = 0; i < peer->local_count && same_network(l->own, peer); i++) {
        add_deployed(l, &peer->local[i]);
    }
    add_deployed(l, &peer->mapped);
    if (!wzp_addr_equal(&peer->mapped, &peer->reflexive)) {
        add_deployed(l, &peer->reflexive);
    }
}

/* --- reference -------------------------------------------------------------------------------- */

/* What a peer may be sent packets to: not to many, not to ourselves, and not into our own network
 * when it claims to be outside of it. */
static bool is_usable(const list *l, const wzp_addr *addr, bool is_near) {
    switch (wzp_ip_kind_of(addr)) {
    case WZP_IP_GLOBAL:
        return addr->port != 0;
    case WZP_IP_PRIVATE:
    case WZP_IP_SHARED:
    case WZP_IP_UNIQUE_LOCAL:
        return addr->port != 0 && (is_near || l->cfg->accepts_any);
    case WZP_IP_LOOPBACK:
        return addr->port != 0 && l->cfg->accepts_any;
    default:
        return false;
    }
}

static void add_reference(list *l, const wzp_addr *addr, bool is_near) {
    if (addr->family == WZP_ADDR_NONE || is_there(l, addr)) {
        return;
    }
    if (is_our_own(l->own, addr)) {
        l->refused->our_own++;
    } else if (!is_usable(l, addr, is_near)) {
        l->refused->unusable++;
    } else {
        add(l, addr, is_near);
    }
}

static bool is_global_v6(const wzp_addr *addr) {
    return addr->family == WZP_ADDR_V6 && wzp_ip_kind_of(addr) == WZP_IP_GLOBAL;
}

static bool have_global_v6(const wzp_call_addresses *a) {
    for (size_t i = 0; i < a->local_count; i++) {
        if (is_global_v6(&a->local[i])) {
            return true;
        }
    }
    return is_global_v6(&a->reflexive);
}

/* Within one network both would take ports of the same NAT. */
static bool may_predict(list *l, const wzp_call_addresses *peer) {
    if (l->cfg->probe == NULL || !wzp_call_probe_counts(l->cfg->probe) ||
        same_network(l->own, peer)) {
        return false;
    }
    if (!wzp_addr_same_ip(&l->cfg->probe->external, &peer->reflexive)) {
        l->refused->unusable++;
        return false;
    }
    return true;
}

static void add_predicted(list *l, size_t skip, size_t count) {
    wzp_addr ahead[WZP_CALL_AHEAD];
    const size_t n = wzp_call_probe_ahead(ahead, l->cfg->probe, skip, count);
    for (size_t i = 0; i < n; i++) {
        add_reference(l, &ahead[i], false);
    }
}

/* Some of the next ports of a peer whose NAT counts come before any other new destination, so that
 * packet k of one side meets mapping k of the other.  Further ones only matter to a side that does
 * not count itself, and take no place from those that were always tried. */
static void order_reference(list *l, const wzp_call_addresses *peer) {
    const bool predicts = may_predict(l, peer);
    const bool is_near = same_network(l->own, peer);
    const bool has_v6 = have_global_v6(l->own);
    for (size_t i = 0; i < peer->local_count; i++) {
        if (is_near || (has_v6 && is_global_v6(&peer->local[i]))) {
            add_reference(l, &peer->local[i], is_near);
        }
    }
    if (predicts) {
        add_predicted(l, 0, WZP_CALL_AHEAD_FIRST);
    }
    add_reference(l, &peer->mapped, false);
    add_reference(l, &peer->reflexive, false);
    if (predicts) {
        add_predicted(l, WZP_CALL_AHEAD_FIRST, WZP_CALL_AHEAD - WZP_CALL_AHEAD_FIRST);
    }
}

size_t wzp_call_dial_order(wzp_race_candidate out[WZP_RACE_CANDIDATES_MAX],
                           const wzp_call_addresses *own, const wzp_call_addresses *peer,
                           const wzp_call_dial_cfg *cfg, wzp_call_refused *refused) {
    list l = {.items = out, .own = own, .cfg = cfg, .refused = refused};
    if (cfg->policy == WZP_RACE_REFERENCE) {
        order_reference(&l, peer);
    } else {
        order_deployed(&l, peer);
    }
    return l.count;
}
