/* Which external address and port a new mapping gets (nat sheet 2.3, "Port allocator"). */
#include <assert.h>
#include <stdlib.h>

#include "sim/engine/chance.h"
#include "sim/nat/state.h"

enum { PORTS = 65536, PAGE = 256, TRIES = 64 };

/* --- inside hosts ----------------------------------------------------------------------------- */

static uint32_t hash_ip(const wzp_addr *ip) {
    wzp_addr key = *ip;
    key.port = 0;
    return wzp_sim_nat_fold(wzp_sim_nat_mix_addr(0, &key));
}

uint32_t wzp_sim_nat_host_find(const wzp_sim_nat *nat, const wzp_addr *ip) {
    uint32_t h = wzp_sim_nat_index_first(&nat->hosts, 0, hash_ip(ip));
    while (h != 0 && !wzp_addr_same_ip(&wzp_sim_nat_host_at(nat, h)->ip, ip)) {
        h = wzp_sim_nat_index_next(&nat->hosts, 0, h);
    }
    return h;
}

/* Byte by byte, so that it is the same on every machine. */
uint8_t wzp_sim_nat_pooled(const wzp_sim_nat *nat, const wzp_addr *ip) {
    uint64_t hash = nat->salt;
    for (size_t i = 0; i < sizeof ip->ip; i++) {
        hash = (hash ^ ip->ip[i]) * UINT64_C(0x100000001b3);
    }
    return nat->external_count > 1 ? (uint8_t)((hash >> 32) % nat->external_count) : 0;
}

static wzp_sim_nat_block *block_at(const wzp_sim_nat *nat, uint8_t ext, uint16_t number) {
    return &nat->blocks[ext][number - 1];
}

static void give_blocks_back(wzp_sim_nat *nat, wzp_sim_nat_host *host) {
    while (host->block != 0) {
        wzp_sim_nat_block *block = block_at(nat, host->ext, host->block);
        host->block = block->next;
        *block = (wzp_sim_nat_block){0};
    }
    host->block_count = 0;
}

static void forget_an_idle_host(wzp_sim_nat *nat) {
    const uint32_t h = nat->idle.head;
    if (h != 0) {
        give_blocks_back(nat, wzp_sim_nat_host_at(nat, h));
        wzp_sim_nat_list_cut(&nat->hosts, 0, &nat->idle, h);
        wzp_sim_nat_index_cut(&nat->hosts, 0, h);
        wzp_sim_nat_table_give(&nat->hosts, h);
    }
}

uint32_t wzp_sim_nat_host_get(wzp_sim_nat *nat, const wzp_addr *ip) {
    uint32_t h = wzp_sim_nat_host_find(nat, ip);
    if (h != 0) {
        return h;
    }
    if (nat->hosts.live == nat->hosts.limit) {
        forget_an_idle_host(nat);
    }
    h = wzp_sim_nat_table_take(&nat->hosts);
    if (h != 0) {
        wzp_sim_nat_host *host = wzp_sim_nat_host_at(nat, h);
        host->ip = *ip;
        host->ip.port = 0;
        host->ext = wzp_sim_nat_pooled(nat, ip);
        wzp_sim_nat_index_put(&nat->hosts, 0, h, hash_ip(ip));
        wzp_sim_nat_list_append(&nat->hosts, 0, &nat->idle, h);
    }
    return h;
}

void wzp_sim_nat_hosts_forget(wzp_sim_nat *nat) {
    while (nat->idle.head != 0) {
        forget_an_idle_host(nat);
    }
}

void wzp_sim_nat_hosts_reassign(wzp_sim_nat *nat) {
    wzp_sim_nat_hosts_forget(nat);
    for (uint32_t h = 1; h < nat->hosts.fresh; h++) {
        wzp_sim_nat_host *host = wzp_sim_nat_host_at(nat, h);
        host->ext = wzp_sim_nat_pooled(nat, &host->ip);
        host->block = 0;
        host->block_count = 0;
    }
}

void wzp_sim_nat_host_used(wzp_sim_nat *nat, uint32_t h) {
    if (wzp_sim_nat_host_at(nat, h)->mappings++ == 0) {
        wzp_sim_nat_list_cut(&nat->hosts, 0, &nat->idle, h);
    }
}

void wzp_sim_nat_host_released(wzp_sim_nat *nat, uint32_t h) {
    wzp_sim_nat_host *host = wzp_sim_nat_host_at(nat, h);
    assert(host->mappings > 0);
    if (--host->mappings == 0) {
        give_blocks_back(nat, host);
        host->degraded = false;
        wzp_sim_nat_list_append(&nat->hosts, 0, &nat->idle, h);
    }
}

/* --- users of ports and hold-down ------------------------------------------------------------- */

static uint32_t *users_of(const wzp_sim_nat *nat, uint8_t proto, uint8_t ext, uint16_t port) {
    uint32_t **pages = nat->users[wzp_sim_nat_proto_index(proto)][ext];
    uint32_t *page = pages != NULL ? pages[port / PAGE] : NULL;
    return page != NULL ? &page[port % PAGE] : NULL;
}

uint32_t wzp_sim_nat_port_users(const wzp_sim_nat *nat, uint8_t proto, uint8_t ext, uint16_t port) {
    const uint32_t *users = users_of(nat, proto, ext, port);
    return users != NULL ? *users & ~WZP_SIM_NAT_HELD : 0;
}

static bool is_held(const wzp_sim_nat *nat, uint8_t proto, uint8_t ext, uint16_t port) {
    const uint32_t *users = users_of(nat, proto, ext, port);
    return users != NULL && (*users & WZP_SIM_NAT_HELD) != 0;
}

bool wzp_sim_nat_port_idle(const wzp_sim_nat *nat, uint8_t proto, uint8_t ext, uint16_t port) {
    const uint32_t *users = users_of(nat, proto, ext, port);
    return users == NULL || *users == 0;
}

bool wzp_sim_nat_port_room(wzp_sim_nat *nat, uint8_t proto, uint8_t ext, uint16_t port) {
    uint32_t ***pages = &nat->users[wzp_sim_nat_proto_index(proto)][ext];
    if (*pages == NULL) {
        *pages = calloc(PORTS / PAGE, sizeof **pages);
        if (*pages == NULL) {
            return false;
        }
    }
    uint32_t **page = &(*pages)[port / PAGE];
    if (*page == NULL) {
        *page = calloc(PAGE, sizeof **page);
        nat->user_pages += *page != NULL;
    }
    return *page != NULL;
}

void wzp_sim_nat_port_used(wzp_sim_nat *nat, uint8_t proto, uint8_t ext, uint16_t port) {
    if (!nat->cfg.identity) {
        ++*users_of(nat, proto, ext, port);
    }
}

static bool grow_held(wzp_sim_nat *nat) {
    const size_t cap = nat->held_cap == 0 ? 64 : nat->held_cap * 2;
    wzp_sim_nat_held *held = calloc(cap, sizeof *held);
    if (held == NULL) {
        return false;
    }
    for (size_t i = 0; i < nat->held_count; i++) {
        held[i] = nat->held[(nat->held_head + i) & (nat->held_cap - 1)];
    }
    free(nat->held);
    nat->held = held;
    nat->held_cap = cap;
    nat->held_head = 0;
    return true;
}

static void hold(wzp_sim_nat *nat, uint8_t proto, uint8_t ext, uint16_t port) {
    if (nat->held_count == nat->held_cap && !grow_held(nat)) {
        return;
    }
    const wzp_time until = wzp_time_after(nat->now, nat->cfg.t_hold > 0 ? nat->cfg.t_hold : 1);
    nat->held[(nat->held_head + nat->held_count) & (nat->held_cap - 1)] =
        (wzp_sim_nat_held){.until = until, .port = port, .ext = ext, .proto = proto};
    nat->held_count++;
    *users_of(nat, proto, ext, port) |= WZP_SIM_NAT_HELD;
    wzp_sim_nat_due_at(nat, until);
}

void wzp_sim_nat_port_released(wzp_sim_nat *nat, uint8_t proto, uint8_t ext, uint16_t port) {
    if (nat->cfg.identity) {
        return;
    }
    uint32_t *users = users_of(nat, proto, ext, port);
    assert((*users & ~WZP_SIM_NAT_HELD) > 0);
    --*users;
    if (*users == 0 && (nat->cfg.t_hold > 0 || nat->moving)) {
        hold(nat, proto, ext, port);
    }
}

static void unhold_first(wzp_sim_nat *nat) {
    const wzp_sim_nat_held *held = &nat->held[nat->held_head];
    *users_of(nat, held->proto, held->ext, held->port) &= ~WZP_SIM_NAT_HELD;
    nat->held_head = (nat->held_head + 1) & (nat->held_cap - 1);
    nat->held_count--;
}

void wzp_sim_nat_unhold(wzp_sim_nat *nat) {
    while (nat->held_count > 0 && nat->held[nat->held_head].until <= nat->now) {
        unhold_first(nat);
    }
    if (nat->held_count > 0) {
        wzp_sim_nat_due_at(nat, nat->held[nat->held_head].until);
    }
}

void wzp_sim_nat_unhold_all(wzp_sim_nat *nat) {
    while (nat->held_count > 0) {
        unhold_first(nat);
    }
}

static void free_pages(uint32_t **pages) {
    for (size_t i = 0; pages != NULL && i < PORTS / PAGE; i++) {
        free(pages[i]);
    }
    free(pages);
}

void wzp_sim_nat_ports_clear(wzp_sim_nat *nat) {
    for (size_t ext = 0; ext < WZP_SIM_NAT_POOL_MAX; ext++) {
        for (size_t proto = 0; proto < WZP_SIM_NAT_PROTOS; proto++) {
            free_pages(nat->users[proto][ext]);
            nat->users[proto][ext] = NULL;
        }
        free(nat->blocks[ext]);
        nat->blocks[ext] = NULL;
    }
    nat->user_pages = 0;
    free(nat->held);
    nat->held = NULL;
    nat->held_cap = nat->held_head = nat->held_count = 0;
}

static size_t block_count(const wzp_sim_nat *nat) {
    return PORTS / nat->cfg.block_size;
}

size_t wzp_sim_nat_ports_bytes(const wzp_sim_nat *nat) {
    size_t bytes = nat->held_cap * sizeof *nat->held + nat->user_pages * PAGE * sizeof(uint32_t);
    for (size_t ext = 0; ext < WZP_SIM_NAT_POOL_MAX; ext++) {
        for (size_t proto = 0; proto < WZP_SIM_NAT_PROTOS; proto++) {
            bytes += nat->users[proto][ext] != NULL ? PORTS / PAGE * sizeof(uint32_t *) : 0;
        }
        bytes += nat->blocks[ext] != NULL ? block_count(nat) * sizeof(wzp_sim_nat_block) : 0;
    }
    return bytes;
}

/* --- which ports may be had ------------------------------------------------------------------- */

/* A search for a port on one address between two limits. */
typedef struct search {
    wzp_sim_nat *nat;
    const wzp_sim_nat_want *want;
    uint8_t ext;
    uint16_t low, high;
} search;

static uint32_t span(const search *s) {
    return (uint32_t)s->high - s->low + 1;
}

/* Another endpoint's explicit mapping catches whatever arrives there. */
static bool is_foreign_explicit(const search *s, const wzp_addr *external) {
    const uint32_t e = wzp_sim_nat_explicit_lookup(s->nat, s->want->proto, external);
    return e != 0 &&
           !wzp_addr_equal(&wzp_sim_nat_explicit_get(s->nat, e)->internal, &s->want->internal);
}

static bool is_free(const search *s, uint16_t port) {
    const wzp_sim_nat *nat = s->nat;
    if (nat->cfg.parity && ((port ^ s->want->internal.port) & 1) != 0) {
        return false;
    }
    if (!nat->cfg.overload) {
        return wzp_sim_nat_port_idle(nat, s->want->proto, s->ext, port);
    }
    wzp_addr external = nat->externals[s->ext];
    external.port = port;
    return !is_held(nat, s->want->proto, s->ext, port) && !is_foreign_explicit(s, &external) &&
           wzp_sim_nat_lookup_in(nat, s->want->proto, &external, &s->want->remote) == 0;
}

/* `step` ports at a time from `first` on, round the range; 0: none is free. */
static uint16_t scan(const search *s, uint32_t first, uint32_t step) {
    uint32_t offset = (first - s->low) % span(s);
    for (uint32_t n = 0; n < span(s); n++) {
        const uint16_t port = (uint16_t)(s->low + offset);
        if (is_free(s, port)) {
            return port;
        }
        offset = (offset + step) % span(s);
    }
    return 0;
}

/* The port after `last`, or the first of the range. */
static uint32_t after(const search *s, uint16_t last, uint32_t step) {
    if (last < s->low || last > s->high) {
        return s->low;
    }
    return s->low + (last - s->low + step) % span(s);
}

static bool is_idle(const search *s, uint16_t port) {
    return wzp_sim_nat_port_idle(s->nat, s->want->proto, s->ext, port);
}

/* Uniform over those that `may` says: drawing until one fits, and counting when few are left. */
static uint16_t draw(const search *s, bool (*may)(const search *s, uint16_t port)) {
    wzp_prng *prng = &s->nat->prng;
    for (unsigned n = 0; n < TRIES; n++) {
        const uint16_t port = (uint16_t)wzp_chance_between(prng, s->low, s->high);
        if (may(s, port)) {
            return port;
        }
    }
    uint32_t left = 0;
    for (uint32_t port = s->low; port <= s->high; port++) {
        left += may(s, (uint16_t)port);
    }
    uint32_t skip = left > 0 ? (uint32_t)wzp_chance_between(prng, 0, left - 1) : 0;
    for (uint32_t port = s->low; left > 0; port++) {
        if (may(s, (uint16_t)port) && skip-- == 0) {
            return (uint16_t)port;
        }
    }
    return 0;
}

/* --- modes ------------------------------------------------------------------------------------ */

/* Counters of a block or host are the host's own; else one serves all. */
static uint16_t sequential(const search *s) {
    wzp_sim_nat *nat = s->nat;
    const bool own = nat->cfg.per_host_counter || nat->cfg.block_size > 0;
    uint16_t *last = own ? &wzp_sim_nat_host_at(nat, s->want->host)->last_step : &nat->last_step;
    uint32_t first = after(s, *last, nat->cfg.delta);
    if (wzp_chance(&nat->prng, nat->cfg.skip_ppm)) {
        first = after(s, (uint16_t)first, nat->cfg.delta);
    }
    uint16_t port = scan(s, first, nat->cfg.delta);
    if (port == 0) {
        port = scan(s, first, 1); /* steps that share a factor with the range miss some */
    }
    *last = port != 0 ? port : *last;
    return port;
}

static uint16_t contiguous(const search *s) {
    const uint16_t last = wzp_sim_nat_host_at(s->nat, s->want->host)->last_port;
    if (last < s->low || last > s->high) {
        return draw(s, is_free);
    }
    return scan(s, after(s, last, 1), 1);
}

static uint16_t pick(const search *s, wzp_sim_nat_ports mode) {
    switch (mode) {
    case WZP_SIM_NAT_PRESERVE:
    case WZP_SIM_NAT_RANDOM:
        return draw(s, is_free);
    case WZP_SIM_NAT_SEQUENTIAL:
        return sequential(s);
    case WZP_SIM_NAT_CONTIGUOUS:
        return contiguous(s);
    case WZP_SIM_NAT_NEXT_HIGHER:
        return scan(s, after(s, s->want->internal.port, 1), 1);
    }
    return 0;
}

/* An inside port that is out of reach is no collision; one that is taken is. */
static uint16_t preserve(const search *s) {
    const uint16_t port = s->want->internal.port;
    if (port >= s->low && port <= s->high) {
        if (is_free(s, port)) {
            return port;
        }
        if (s->nat->cfg.degrade_on_collision) {
            wzp_sim_nat_host_at(s->nat, s->want->host)->degraded = true;
        }
    }
    return pick(s, s->nat->cfg.fallback);
}

static uint16_t search_port(const search *s) {
    return s->nat->cfg.ports == WZP_SIM_NAT_PRESERVE ? preserve(s) : pick(s, s->nat->cfg.ports);
}

/* --- ranges and blocks ------------------------------------------------------------------------ */

static search usual_range(wzp_sim_nat *nat, const wzp_sim_nat_want *want, uint8_t ext) {
    search s = {nat, want, ext, nat->cfg.first_port, nat->cfg.last_port};
    if (nat->cfg.keep_well_known && want->internal.port < 1024) {
        s.low = 1;
        s.high = 1023;
    }
    return s;
}

static search in_block(const search *all, uint16_t number) {
    search s = *all;
    s.low = (uint16_t)((number - 1) * s.nat->cfg.block_size);
    s.high = (uint16_t)(s.low + s.nat->cfg.block_size - 1);
    return s;
}

/* What is looked for: any port that `may` says, by `look`. */
typedef struct search_kind {
    uint16_t (*look)(const search *s);
    bool (*may)(const search *s, uint16_t port);
} search_kind;

static bool is_of_use(const search *all, uint16_t number, const search_kind *kind) {
    const search s = in_block(all, number);
    bool any = all->nat->blocks[all->ext][number - 1].host == 0;
    for (uint32_t port = s.low; any && port <= s.high; port++) {
        if (kind->may(&s, (uint16_t)port)) {
            return true;
        }
    }
    return false;
}

/* A random one of those that lie in the range, have no host and have a port to give; 0: none. */
static uint16_t unowned_block(const search *all, const search_kind *kind) {
    const uint32_t size = all->nat->cfg.block_size;
    const uint32_t first = (all->nat->cfg.first_port + size - 1) / size;
    const uint32_t end = (all->nat->cfg.last_port + UINT32_C(1)) / size;
    uint32_t left = 0;
    for (uint32_t b = first; b < end; b++) {
        left += is_of_use(all, (uint16_t)(b + 1), kind);
    }
    uint32_t skip = left > 0 ? (uint32_t)wzp_chance_between(&all->nat->prng, 0, left - 1) : 0;
    for (uint32_t b = first; left > 0; b++) {
        if (is_of_use(all, (uint16_t)(b + 1), kind) && skip-- == 0) {
            return (uint16_t)(b + 1);
        }
    }
    return 0;
}

static bool take_block(const search *all, const search_kind *kind) {
    wzp_sim_nat *nat = all->nat;
    wzp_sim_nat_host *host = wzp_sim_nat_host_at(nat, all->want->host);
    if (host->block_count == nat->cfg.blocks_max) {
        return false;
    }
    if (nat->blocks[all->ext] == NULL) {
        nat->blocks[all->ext] = calloc(block_count(nat), sizeof(wzp_sim_nat_block));
    }
    const uint16_t number = nat->blocks[all->ext] != NULL ? unowned_block(all, kind) : 0;
    if (number == 0) {
        return false;
    }
    *block_at(nat, all->ext, number) =
        (wzp_sim_nat_block){.host = all->want->host, .next = host->block};
    host->block = number;
    host->block_count++;
    return true;
}

/* In the blocks of the host, newest first; in a new one when they are full. */
static uint16_t port_in_blocks(const search *all, const search_kind *kind) {
    const wzp_sim_nat_host *host = wzp_sim_nat_host_at(all->nat, all->want->host);
    uint16_t port = 0;
    for (uint16_t b = host->block; b != 0 && port == 0; b = block_at(all->nat, all->ext, b)->next) {
        const search s = in_block(all, b);
        port = kind->look(&s);
    }
    if (port == 0 && take_block(all, kind)) {
        const search s = in_block(all, host->block);
        port = kind->look(&s);
    }
    return port;
}

static uint16_t look_for_port(const search *all, const search_kind *kind) {
    const uint16_t port =
        all->nat->cfg.block_size > 0 ? port_in_blocks(all, kind) : kind->look(all);
    const bool room =
        port != 0 && wzp_sim_nat_port_room(all->nat, all->want->proto, all->ext, port);
    return room ? port : 0;
}

static uint16_t draw_idle(const search *s) {
    return draw(s, is_idle);
}

uint16_t wzp_sim_nat_random_port(wzp_sim_nat *nat, const wzp_sim_nat_want *want, uint8_t ext) {
    const search all = usual_range(nat, want, ext);
    return look_for_port(&all, &(search_kind){draw_idle, is_idle});
}

/* --- flows that share an endpoint ------------------------------------------------------------- */

/* Linux gives a new flow the external endpoint that the newest flow of the same inside endpoint
 * has, unless that makes two flows alike. */
static bool take_over(wzp_sim_nat *nat, const wzp_sim_nat_want *want, uint8_t *ext,
                      uint16_t *port) {
    const wzp_addr key = wzp_sim_nat_masked(&want->remote, nat->cfg.mapping);
    uint32_t m = nat->cfg.mapping == WZP_SIM_NAT_ADDR_PORT
                     ? 0
                     : wzp_sim_nat_newest(nat, want->proto, &want->internal);
    for (; m != 0; m = wzp_sim_nat_older(nat, m)) {
        const wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
        const wzp_addr other = wzp_sim_nat_masked(&mapping->remote, nat->cfg.mapping);
        if (wzp_addr_equal(&key, &other)) {
            const search s = {nat, want, mapping->ext, 0, 65535};
            *ext = mapping->ext;
            *port = mapping->port;
            return is_free(&s, mapping->port);
        }
    }
    return false;
}

bool wzp_sim_nat_allocate(wzp_sim_nat *nat, const wzp_sim_nat_want *want, uint8_t *ext,
                          uint16_t *port) {
    if (nat->cfg.identity) {
        *ext = 0;
        *port = want->internal.port;
        return true;
    }
    if (nat->cfg.overload && take_over(nat, want, ext, port)) {
        return true;
    }
    wzp_sim_nat_host *host = wzp_sim_nat_host_at(nat, want->host);
    *ext = nat->cfg.arbitrary_pooling ? (uint8_t)(nat->round++ % nat->external_count) : host->ext;
    const search all = usual_range(nat, want, *ext);
    *port = look_for_port(&all, &(search_kind){search_port, is_free});
    host->last_port = *port != 0 ? *port : host->last_port;
    return *port != 0;
}
