/* Mappings that gateways were asked for (nat sheet 2.3, step 3 and inbound step 1). */
#include "sim/nat/state.h"

typedef struct record {
    wzp_sim_nat_explicit mapping;
    wzp_sim_nat_list users; /* who has come in through it */
    uint8_t ext;
} record;

static record *record_at(const wzp_sim_nat *nat, uint32_t e) {
    return wzp_sim_nat_table_at(&nat->explicits, e);
}

void wzp_sim_nat_explicits_init(wzp_sim_nat *nat) {
    wzp_sim_nat_table_init(&nat->explicits, sizeof(record), nat->cfg.quota_total, 2, 1);
}

wzp_sim_nat_list *wzp_sim_nat_perms_of(wzp_sim_nat *nat, uint32_t of) {
    return (of & WZP_SIM_NAT_OF_EXPLICIT) != 0
               ? &record_at(nat, of & ~WZP_SIM_NAT_OF_EXPLICIT)->users
               : &wzp_sim_nat_mapping_at(nat, of)->perms;
}

const wzp_sim_nat_explicit *wzp_sim_nat_explicit_get(const wzp_sim_nat *nat, uint32_t e) {
    return &record_at(nat, e)->mapping;
}

static uint32_t hash_endpoint(uint8_t proto, const wzp_addr *addr) {
    return wzp_sim_nat_fold(wzp_sim_nat_mix_addr(proto, addr));
}

/* Of those that live at `now`. */
static uint32_t lookup(const wzp_sim_nat *nat, unsigned index, uint8_t proto, const wzp_addr *addr,
                       wzp_time now) {
    if (nat->explicits.live == 0) {
        return 0;
    }
    uint32_t e = wzp_sim_nat_index_first(&nat->explicits, index, hash_endpoint(proto, addr));
    for (; e != 0; e = wzp_sim_nat_index_next(&nat->explicits, index, e)) {
        const wzp_sim_nat_explicit *found = &record_at(nat, e)->mapping;
        const wzp_addr *own = index == BY_EXTERNAL ? &found->external : &found->internal;
        if (found->proto == proto && found->expires > now && wzp_addr_equal(own, addr)) {
            return e;
        }
    }
    return 0;
}

uint32_t wzp_sim_nat_explicit_lookup(const wzp_sim_nat *nat, uint8_t proto,
                                     const wzp_addr *external) {
    return lookup(nat, BY_EXTERNAL, proto, external, nat->now);
}

/* --- packets ---------------------------------------------------------------------------------- */

static bool is_for(const wzp_sim_nat_explicit *mapping, const wzp_addr *remote) {
    return mapping->remote.family == WZP_ADDR_NONE ||
           (wzp_addr_same_ip(&mapping->remote, remote) &&
            (mapping->remote.port == 0 || mapping->remote.port == remote->port));
}

uint32_t wzp_sim_nat_explicit_out(const wzp_sim_nat *nat, uint8_t proto, const wzp_addr *internal,
                                  const wzp_addr *remote) {
    const uint32_t e = lookup(nat, BY_INTERNAL, proto, internal, nat->now);
    if (e == 0 || !is_for(&record_at(nat, e)->mapping, remote)) {
        return 0;
    }
    const bool may = !nat->cfg.port_map_reply_only ||
                     wzp_sim_nat_perm_find(nat, e | WZP_SIM_NAT_OF_EXPLICIT, remote) != 0;
    return may ? e : 0;
}

uint32_t wzp_sim_nat_explicit_in(wzp_sim_nat *nat, uint8_t proto, const wzp_addr *external,
                                 const wzp_addr *remote, bool *taken) {
    const uint32_t e = wzp_sim_nat_explicit_lookup(nat, proto, external);
    *taken = e != 0;
    if (e == 0 || !is_for(&record_at(nat, e)->mapping, remote)) {
        return 0;
    }
    if (nat->cfg.port_map_reply_only) {
        /* One more that cannot be noted is served all the same, but not answered through it. */
        (void)wzp_sim_nat_perm_add(nat, e | WZP_SIM_NAT_OF_EXPLICIT, &record_at(nat, e)->users,
                                   remote);
    }
    return e;
}

/* --- coming and going ------------------------------------------------------------------------- */

static void put_external(wzp_sim_nat *nat, uint32_t e) {
    const wzp_sim_nat_explicit *mapping = &record_at(nat, e)->mapping;
    wzp_sim_nat_index_put(&nat->explicits, BY_EXTERNAL, e,
                          hash_endpoint(mapping->proto, &mapping->external));
    wzp_sim_nat_port_used(nat, mapping->proto, record_at(nat, e)->ext, mapping->external.port);
}

/* It has no external endpoint any more. */
static void forget(wzp_sim_nat *nat, uint32_t e) {
    wzp_sim_nat_perms_drop(nat, &record_at(nat, e)->users);
    wzp_sim_nat_index_cut(&nat->explicits, BY_INTERNAL, e);
    wzp_sim_nat_list_cut(&nat->explicits, 0, &nat->explicit_list, e);
    wzp_sim_nat_table_give(&nat->explicits, e);
}

static void drop(wzp_sim_nat *nat, uint32_t e) {
    const record *gone = record_at(nat, e);
    wzp_sim_nat_index_cut(&nat->explicits, BY_EXTERNAL, e);
    wzp_sim_nat_port_released(nat, gone->mapping.proto, gone->ext, gone->mapping.external.port);
    forget(nat, e);
}

/* Leases have times of their own, and there are few of them: all are looked at. */
void wzp_sim_nat_explicits_sweep(wzp_sim_nat *nat) {
    uint32_t next = 0;
    for (uint32_t e = nat->explicit_list.head; e != 0; e = next) {
        next = nat->explicits.link[0][e - 1].next;
        const wzp_time expires = record_at(nat, e)->mapping.expires;
        if (expires <= nat->now) {
            drop(nat, e);
        } else {
            wzp_sim_nat_due_at(nat, expires);
        }
    }
}

void wzp_sim_nat_explicits_drop(wzp_sim_nat *nat) {
    while (nat->explicit_list.head != 0) {
        drop(nat, nat->explicit_list.head);
    }
}

static void renumber(wzp_sim_nat *nat, uint32_t e) {
    record *moved = record_at(nat, e);
    const uint16_t port = moved->mapping.external.port;
    moved->ext = (uint8_t)(moved->ext % nat->external_count);
    moved->mapping.external = nat->externals[moved->ext];
    moved->mapping.external.port = port;
    if (wzp_sim_nat_explicit_lookup(nat, moved->mapping.proto, &moved->mapping.external) == 0 &&
        wzp_sim_nat_port_room(nat, moved->mapping.proto, moved->ext, port)) {
        put_external(nat, e);
    } else {
        forget(nat, e);
    }
}

/* A router's rules name its outer interface and not the address: they outlive it.  All ports are
 * free at this moment; of two that a smaller pool brings together the older stays. */
void wzp_sim_nat_explicits_renumber(wzp_sim_nat *nat) {
    const wzp_sim_nat_link *links = nat->explicits.link[0];
    for (uint32_t e = nat->explicit_list.head; e != 0; e = links[e - 1].next) {
        wzp_sim_nat_index_cut(&nat->explicits, BY_EXTERNAL, e);
    }
    uint32_t next = 0;
    for (uint32_t e = nat->explicit_list.head; e != 0; e = next) {
        next = links[e - 1].next;
        renumber(nat, e);
    }
}

/* Dynamic mappings of the same inside endpoint are no obstacle. */
static bool is_available(const wzp_sim_nat *nat, const wzp_sim_nat_explicit *mapping, uint8_t ext) {
    if (nat->cfg.identity) {
        return true;
    }
    uint32_t users = wzp_sim_nat_port_users(nat, mapping->proto, ext, mapping->external.port);
    uint32_t m = users > 0 ? wzp_sim_nat_newest(nat, mapping->proto, &mapping->internal) : 0;
    for (; m != 0; m = wzp_sim_nat_older(nat, m)) {
        const wzp_sim_nat_mapping *own = wzp_sim_nat_mapping_at(nat, m);
        users -= own->ext == ext && own->port == mapping->external.port;
    }
    return users == 0 &&
           (wzp_sim_nat_port_users(nat, mapping->proto, ext, mapping->external.port) > 0 ||
            wzp_sim_nat_port_idle(nat, mapping->proto, ext, mapping->external.port));
}

static wzp_err add(wzp_sim_nat *nat, const wzp_sim_nat_explicit *mapping, uint8_t ext) {
    if (!wzp_sim_nat_port_room(nat, mapping->proto, ext, mapping->external.port)) {
        return WZP_ERR_NOMEM;
    }
    if (!is_available(nat, mapping, ext)) {
        return WZP_ERR_LIMIT;
    }
    const uint32_t e = wzp_sim_nat_table_take(&nat->explicits);
    if (e == 0) {
        return WZP_ERR_LIMIT;
    }
    *record_at(nat, e) = (record){.mapping = *mapping, .ext = ext};
    put_external(nat, e);
    wzp_sim_nat_index_put(&nat->explicits, BY_INTERNAL, e,
                          hash_endpoint(mapping->proto, &mapping->internal));
    wzp_sim_nat_list_append(&nat->explicits, 0, &nat->explicit_list, e);
    return WZP_OK;
}

static int external_number(const wzp_sim_nat *nat, const wzp_sim_nat_explicit *mapping) {
    if (nat->cfg.identity) {
        return wzp_addr_equal(&mapping->internal, &mapping->external) ? 0 : -1;
    }
    return wzp_sim_nat_external_index(nat, &mapping->external);
}

wzp_err wzp_sim_nat_map(wzp_sim_nat *nat, const wzp_sim_nat_explicit *mapping, wzp_time now) {
    wzp_sim_nat_advance(nat, now);
    const int ext = external_number(nat, mapping);
    if (ext < 0 || mapping->external.port == 0 || mapping->internal.port == 0 ||
        (mapping->proto != 17 && mapping->proto != 6)) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    const uint32_t e = wzp_sim_nat_explicit_lookup(nat, mapping->proto, &mapping->external);
    if (e == 0) {
        const wzp_err err = add(nat, mapping, (uint8_t)ext);
        if (err != WZP_OK) {
            return err;
        }
    } else if (!wzp_addr_equal(&record_at(nat, e)->mapping.internal, &mapping->internal)) {
        return WZP_ERR_LIMIT;
    } else {
        record_at(nat, e)->mapping = *mapping;
    }
    if (mapping->expires != WZP_TIME_NEVER) {
        wzp_sim_nat_due_at(nat, mapping->expires);
    }
    return WZP_OK;
}

bool wzp_sim_nat_unmap(wzp_sim_nat *nat, uint8_t proto, const wzp_addr *external) {
    const uint32_t e = wzp_sim_nat_explicit_lookup(nat, proto, external);
    if (e != 0) {
        drop(nat, e);
    }
    return e != 0;
}

/* --- questions -------------------------------------------------------------------------------- */

static const wzp_sim_nat_explicit *get(const wzp_sim_nat *nat, uint32_t e) {
    return e != 0 ? &record_at(nat, e)->mapping : NULL;
}

const wzp_sim_nat_explicit *wzp_sim_nat_find_internal(const wzp_sim_nat *nat, uint8_t proto,
                                                      const wzp_addr *internal, wzp_time now) {
    return get(nat, lookup(nat, BY_INTERNAL, proto, internal, now));
}

const wzp_sim_nat_explicit *wzp_sim_nat_find_external(const wzp_sim_nat *nat, uint8_t proto,
                                                      const wzp_addr *external, wzp_time now) {
    return get(nat, lookup(nat, BY_EXTERNAL, proto, external, now));
}

bool wzp_sim_nat_port_free(wzp_sim_nat *nat, uint8_t proto, const wzp_addr *external,
                           wzp_time now) {
    wzp_sim_nat_advance(nat, now);
    const int ext = wzp_sim_nat_external_index(nat, external);
    return ext >= 0 && wzp_sim_nat_port_idle(nat, proto, (uint8_t)ext, external->port);
}

wzp_addr wzp_sim_nat_external(const wzp_sim_nat *nat, const wzp_addr *internal) {
    wzp_addr external = *internal;
    if (!nat->cfg.identity) {
        const uint32_t h = wzp_sim_nat_host_find(nat, internal);
        external = nat->externals[h != 0 ? wzp_sim_nat_host_at(nat, h)->ext
                                         : wzp_sim_nat_pooled(nat, internal)];
    }
    external.port = 0;
    return external;
}
