#include "sim/gateway/lease.h"

#include <stdlib.h>

#define FIRST_PORT 1024
#define FIRST_RANDOM 32768
#define RANDOM_TRIES 64
#define PEER_TOUCH (5 * WZP_S) /* less than any NAT's timer */

struct wzp_sim_leases {
    wzp_sim_leases_cfg cfg;
    wzp_sim_nat *nat, *nat_v6;
    wzp_prng prng;
    wzp_time touch_at; /* PEER mappings, next time */
    size_t count;
    wzp_sim_lease leases[];
};

static uint32_t or_else(uint32_t value, uint32_t otherwise) {
    return value != 0 ? value : otherwise;
}

wzp_err wzp_sim_leases_new(wzp_sim_leases **out, const wzp_sim_leases_cfg *cfg, wzp_sim_nat *nat,
                           uint64_t seed, const char *name) {
    const uint32_t capacity = or_else(cfg->capacity, 1024);
    wzp_sim_leases *leases = calloc(1, sizeof *leases + capacity * sizeof leases->leases[0]);
    if (leases == NULL) {
        return WZP_ERR_NOMEM;
    }
    leases->cfg = *cfg;
    leases->cfg.min_s = or_else(cfg->min_s, 120);
    leases->cfg.max_s = or_else(cfg->max_s, 86400);
    leases->cfg.quota = or_else(cfg->quota, 64);
    leases->cfg.capacity = capacity;
    leases->nat = nat;
    leases->touch_at = WZP_TIME_NEVER;
    wzp_prng_init(&leases->prng, seed, name);
    *out = leases;
    return WZP_OK;
}

void wzp_sim_leases_set_v6(wzp_sim_leases *leases, wzp_sim_nat *nat) {
    leases->nat_v6 = nat;
}

void wzp_sim_leases_free(wzp_sim_leases **leases) {
    free(*leases);
    *leases = NULL;
}

/* Who translates for this inside host. */
static wzp_sim_nat *nat_of(const wzp_sim_leases *leases, const wzp_addr *internal) {
    return internal->family == WZP_ADDR_V6 && leases->nat_v6 != NULL ? leases->nat_v6 : leases->nat;
}

/* --- questions -------------------------------------------------------------------------------- */

size_t wzp_sim_leases_count(const wzp_sim_leases *leases) {
    return leases->count;
}

const wzp_sim_lease *wzp_sim_leases_at(const wzp_sim_leases *leases, size_t index) {
    return &leases->leases[index];
}

size_t wzp_sim_leases_by_internal(const wzp_sim_leases *leases, uint8_t proto,
                                  const wzp_addr *internal) {
    for (size_t i = 0; i < leases->count; i++) {
        const wzp_sim_lease *lease = &leases->leases[i];
        if (lease->by <= WZP_SIM_LEASE_PCP && lease->proto == proto &&
            wzp_addr_equal(&lease->internal, internal)) {
            return i;
        }
    }
    return leases->count;
}

size_t wzp_sim_leases_by_external(const wzp_sim_leases *leases, uint8_t proto, uint16_t port) {
    for (size_t i = 0; i < leases->count; i++) {
        const wzp_sim_lease *lease = &leases->leases[i];
        if (lease->by != WZP_SIM_LEASE_PEER && lease->proto == proto &&
            lease->external.port == port) {
            return i;
        }
    }
    return leases->count;
}

/* Not to be reached from outside: RFC 1918, 6598, loopback, link-local, "this network". */
static bool is_private(const wzp_addr *addr) {
    const uint8_t *ip = addr->ip;
    return addr->family == WZP_ADDR_V4 &&
           (ip[0] == 0 || ip[0] == 10 || ip[0] == 127 || (ip[0] == 100 && (ip[1] & 0xc0) == 64) ||
            (ip[0] == 169 && ip[1] == 254) || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
            (ip[0] == 192 && ip[1] == 168));
}

wzp_addr wzp_sim_leases_address(const wzp_sim_leases *leases, const wzp_addr *client) {
    wzp_addr addr = wzp_sim_nat_external(nat_of(leases, client), client);
    if (addr.family != client->family) {
        return (wzp_addr){0};
    }
    if (leases->cfg.reports.family == client->family) {
        addr = leases->cfg.reports;
    }
    addr.port = 0;
    return leases->cfg.strict && is_private(&addr) ? (wzp_addr){0} : addr;
}

uint32_t wzp_sim_leases_lifetime(const wzp_sim_leases *leases, uint32_t lifetime_s) {
    const uint32_t most = lifetime_s < leases->cfg.max_s ? lifetime_s : leases->cfg.max_s;
    return most > leases->cfg.min_s ? most : leases->cfg.min_s;
}

uint32_t wzp_sim_lease_left_s(const wzp_sim_lease *lease, wzp_time now) {
    return lease->expires == WZP_TIME_NEVER
               ? 0
               : (uint32_t)((wzp_time_since(lease->expires, now) + WZP_S - 1) / WZP_S);
}

static uint32_t held_by(const wzp_sim_leases *leases, const wzp_addr *client) {
    uint32_t held = 0;
    for (size_t i = 0; i < leases->count; i++) {
        held += wzp_addr_same_ip(&leases->leases[i].internal, client);
    }
    return held;
}

/* Whether the external endpoint is promised already.  A port number belongs to one host for both
 * protocols (RFC 6886 3.3): it may want the other one too.  UPnP has no such rule, but names its
 * entries by the port alone. */
static bool is_anothers(const wzp_sim_leases *leases, const wzp_sim_lease_ask *ask,
                        const wzp_addr *external) {
    for (size_t i = 0; i < leases->count; i++) {
        const wzp_sim_lease *lease = &leases->leases[i];
        const bool upnp = ask->by == WZP_SIM_LEASE_UPNP || lease->by == WZP_SIM_LEASE_UPNP;
        const bool same = lease->by != WZP_SIM_LEASE_PEER &&
                          lease->external.port == external->port &&
                          (upnp || wzp_addr_same_ip(&lease->external, external));
        const bool companion =
            ask->by != WZP_SIM_LEASE_UPNP && !wzp_addr_same_ip(&lease->internal, &ask->internal);
        if (same && (lease->proto == ask->proto || companion)) {
            return true;
        }
    }
    return false;
}

/* --- forwarding ------------------------------------------------------------------------------- */

static bool forwards(const wzp_sim_leases *leases, const wzp_sim_lease *lease) {
    return !leases->cfg.does_not_forward && !lease->disabled;
}

/* Tells the NAT.  LIMIT: the port is in use. */
static wzp_err install(wzp_sim_leases *leases, const wzp_sim_lease *lease, wzp_time now) {
    wzp_sim_nat_explicit mapping = {.proto = lease->proto,
                                    .internal = lease->internal,
                                    .external = lease->external,
                                    .remote = lease->remote,
                                    .expires = lease->ends};
    mapping.internal.port = (uint16_t)(mapping.internal.port + leases->cfg.wrong_port);
    if (mapping.internal.port == 0) {
        mapping.internal.port = 1;
    }
    const wzp_err err = wzp_sim_nat_map(nat_of(leases, &lease->internal), &mapping, now);
    if (err == WZP_OK && !forwards(leases, lease)) {
        /* It was mapped for an instant, to learn whether it could be. */
        (void)wzp_sim_nat_unmap(nat_of(leases, &lease->internal), lease->proto, &lease->external);
    }
    return err;
}

static wzp_err install_again(wzp_sim_leases *leases, const wzp_sim_lease *before,
                             const wzp_sim_lease *lease, wzp_time now) {
    const bool moved = !wzp_addr_equal(&before->internal, &lease->internal);
    if (forwards(leases, before) && (moved || !forwards(leases, lease))) {
        (void)wzp_sim_nat_unmap(nat_of(leases, &lease->internal), lease->proto, &lease->external);
    }
    return forwards(leases, lease) ? install(leases, lease, now) : WZP_OK;
}

/* --- granting --------------------------------------------------------------------------------- */

static wzp_time ends_at(const wzp_sim_leases *leases, const wzp_sim_lease *lease, wzp_time now) {
    const wzp_time promised = leases->cfg.lease_ignored ? WZP_TIME_NEVER : lease->expires;
    const uint64_t after = leases->cfg.forgets_after;
    return after != 0 ? wzp_time_min(promised, wzp_time_after(now, after)) : promised;
}

static void fill(const wzp_sim_leases *leases, wzp_sim_lease *lease, const wzp_sim_lease_ask *ask,
                 wzp_time now) {
    const size_t text_len =
        ask->text.len < WZP_SIM_LEASE_TEXT_MAX ? ask->text.len : WZP_SIM_LEASE_TEXT_MAX - 1;
    /* UPnP has no way to tell that another lifetime was granted. */
    const uint32_t lifetime_s = ask->by == WZP_SIM_LEASE_UPNP
                                    ? ask->lifetime_s
                                    : wzp_sim_leases_lifetime(leases, ask->lifetime_s);
    lease->by = ask->by;
    lease->proto = ask->proto;
    lease->disabled = ask->disabled;
    lease->internal = ask->internal;
    lease->remote = ask->remote;
    lease->expires = ask->permanent ? WZP_TIME_NEVER : wzp_time_after(now, lifetime_s * WZP_S);
    lease->ends = ends_at(leases, lease, now);
    memset(lease->text, 0, sizeof lease->text);
    if (text_len != 0) {
        memcpy(lease->text, ask->text.data, text_len);
    }
    if (ask->nonce != NULL) {
        memcpy(lease->nonce, ask->nonce, sizeof lease->nonce);
    }
}

static wzp_err try_port(wzp_sim_leases *leases, wzp_sim_lease *lease, const wzp_sim_lease_ask *ask,
                        uint16_t port, wzp_time now) {
    lease->external.port = port;
    return is_anothers(leases, ask, &lease->external) ? WZP_ERR_LIMIT : install(leases, lease, now);
}

static wzp_err try_above(wzp_sim_leases *leases, wzp_sim_lease *lease, const wzp_sim_lease_ask *ask,
                         uint16_t port, wzp_time now) {
    wzp_err err = WZP_ERR_LIMIT;
    for (unsigned i = 0; i <= UINT16_MAX - FIRST_PORT && err == WZP_ERR_LIMIT; i++) {
        port = port < FIRST_PORT || port == UINT16_MAX ? FIRST_PORT : (uint16_t)(port + 1);
        err = try_port(leases, lease, ask, port, now);
    }
    return err;
}

static wzp_err try_random(wzp_sim_leases *leases, wzp_sim_lease *lease,
                          const wzp_sim_lease_ask *ask, wzp_time now) {
    const wzp_rng rng = wzp_prng_rng(&leases->prng);
    wzp_err err = WZP_ERR_LIMIT;
    for (unsigned i = 0; i < RANDOM_TRIES && err == WZP_ERR_LIMIT; i++) {
        const uint64_t offset = wzp_rng_below(rng, UINT16_MAX + 1 - FIRST_RANDOM);
        err = try_port(leases, lease, ask, (uint16_t)(FIRST_RANDOM + offset), now);
    }
    return err == WZP_ERR_LIMIT ? try_above(leases, lease, ask, FIRST_RANDOM - 1, now) : err;
}

static wzp_err find_port(wzp_sim_leases *leases, wzp_sim_lease *lease, const wzp_sim_lease_ask *ask,
                         wzp_time now) {
    uint16_t wanted = ask->external != 0 ? ask->external : ask->internal.port;
    if (wzp_addr_same_ip(&lease->external, &ask->internal)) {
        wanted = ask->internal.port; /* a firewall opens itself, it cannot translate */
    }
    const wzp_err err = try_port(leases, lease, ask, wanted, now);
    if (err != WZP_ERR_LIMIT || ask->exact || leases->cfg.ports == WZP_SIM_LEASE_REFUSE) {
        return err;
    }
    return leases->cfg.ports == WZP_SIM_LEASE_NEXT ? try_above(leases, lease, ask, wanted, now)
                                                   : try_random(leases, lease, ask, now);
}

/* PEER: as if the host had sent to the remote peer; what the NAT makes of it is the mapping. */
static wzp_err touch(wzp_sim_leases *leases, wzp_sim_lease *lease, wzp_time now) {
    wzp_addr src = lease->internal;
    wzp_addr dst = lease->remote;
    const wzp_sim_nat_verdict verdict =
        wzp_sim_nat_out(nat_of(leases, &src), lease->proto, &src, &dst, now);
    if (verdict != WZP_SIM_NAT_FORWARD) {
        return WZP_ERR_LIMIT;
    }
    lease->external = src;
    return WZP_OK;
}

static wzp_sim_lease_result grant_peer(wzp_sim_leases *leases, wzp_sim_lease *lease,
                                       const wzp_sim_lease_ask *ask, wzp_time now) {
    if (touch(leases, lease, now) != WZP_OK) {
        return WZP_SIM_LEASE_EXHAUSTED;
    }
    if (ask->external != 0 && lease->external.port != ask->external) {
        return WZP_SIM_LEASE_TAKEN;
    }
    leases->touch_at = wzp_time_min(leases->touch_at, wzp_time_after(now, PEER_TOUCH));
    return WZP_SIM_LEASE_GRANTED;
}

static size_t find_peer(const wzp_sim_leases *leases, const wzp_sim_lease_ask *ask) {
    for (size_t i = 0; i < leases->count; i++) {
        const wzp_sim_lease *lease = &leases->leases[i];
        if (lease->by == WZP_SIM_LEASE_PEER && lease->proto == ask->proto &&
            wzp_addr_equal(&lease->internal, &ask->internal) &&
            wzp_addr_equal(&lease->remote, &ask->remote)) {
            return i;
        }
    }
    return leases->count;
}

/* The lease that this asks to renew. */
static size_t find_same(const wzp_sim_leases *leases, const wzp_sim_lease_ask *ask) {
    if (ask->by == WZP_SIM_LEASE_PEER) {
        return find_peer(leases, ask);
    }
    if (ask->by != WZP_SIM_LEASE_UPNP) {
        return wzp_sim_leases_by_internal(leases, ask->proto, &ask->internal);
    }
    const size_t i = wzp_sim_leases_by_external(leases, ask->proto, ask->external);
    const wzp_sim_lease *lease = &leases->leases[i];
    return i < leases->count && lease->by == WZP_SIM_LEASE_UPNP &&
                   wzp_addr_same_ip(&lease->internal, &ask->internal)
               ? i
               : leases->count;
}

static wzp_sim_lease_result result_of(wzp_err err, const wzp_sim_leases *leases,
                                      const wzp_sim_lease_ask *ask) {
    if (err == WZP_OK) {
        return WZP_SIM_LEASE_GRANTED;
    }
    const bool one = ask->exact || leases->cfg.ports == WZP_SIM_LEASE_REFUSE;
    return err == WZP_ERR_LIMIT && one ? WZP_SIM_LEASE_TAKEN : WZP_SIM_LEASE_EXHAUSTED;
}

static wzp_sim_lease_result grant_new(wzp_sim_leases *leases, const wzp_sim_lease_ask *ask,
                                      wzp_time now) {
    wzp_sim_lease lease = {
        .external = wzp_sim_nat_external(nat_of(leases, &ask->internal), &ask->internal)};
    if (held_by(leases, &ask->internal) >= leases->cfg.quota) {
        return WZP_SIM_LEASE_QUOTA;
    }
    if (leases->count == leases->cfg.capacity) {
        return WZP_SIM_LEASE_EXHAUSTED;
    }
    fill(leases, &lease, ask, now);
    const wzp_sim_lease_result result =
        ask->by == WZP_SIM_LEASE_PEER ? grant_peer(leases, &lease, ask, now)
                                      : result_of(find_port(leases, &lease, ask, now), leases, ask);
    if (result == WZP_SIM_LEASE_GRANTED) {
        leases->leases[leases->count++] = lease;
    }
    return result;
}

static wzp_sim_lease_result renew(wzp_sim_leases *leases, size_t index,
                                  const wzp_sim_lease_ask *ask, wzp_time now) {
    wzp_sim_lease *lease = &leases->leases[index];
    const wzp_sim_lease before = *lease;
    if (ask->exact && ask->external != 0 && ask->external != lease->external.port) {
        return WZP_SIM_LEASE_TAKEN;
    }
    fill(leases, lease, ask, now);
    if (ask->by == WZP_SIM_LEASE_PEER) { /* may make it longer only */
        lease->expires = lease->expires > before.expires ? lease->expires : before.expires;
        lease->ends = ends_at(leases, lease, now);
        return grant_peer(leases, lease, ask, now);
    }
    const wzp_sim_lease_result result =
        result_of(install_again(leases, &before, lease, now), leases, ask);
    if (result != WZP_SIM_LEASE_GRANTED) {
        wzp_sim_leases_drop(leases, index); /* the NAT has it no more */
    }
    return result;
}

wzp_sim_lease_result wzp_sim_leases_grant(wzp_sim_leases *leases, const wzp_sim_lease_ask *ask,
                                          wzp_time now, const wzp_sim_lease **out) {
    wzp_sim_leases_tick(leases, now);
    if (wzp_sim_leases_address(leases, &ask->internal).family == WZP_ADDR_NONE) {
        return WZP_SIM_LEASE_NO_ADDRESS;
    }
    const size_t i = find_same(leases, ask);
    const wzp_sim_lease_result result =
        i < leases->count ? renew(leases, i, ask, now) : grant_new(leases, ask, now);
    if (result == WZP_SIM_LEASE_GRANTED) {
        *out = &leases->leases[i];
    }
    return result;
}

/* --- the end ---------------------------------------------------------------------------------- */

void wzp_sim_leases_drop(wzp_sim_leases *leases, size_t index) {
    const wzp_sim_lease *lease = &leases->leases[index];
    if (lease->by != WZP_SIM_LEASE_PEER) {
        (void)wzp_sim_nat_unmap(nat_of(leases, &lease->internal), lease->proto, &lease->external);
    }
    leases->count--;
    memmove(&leases->leases[index], &leases->leases[index + 1],
            (leases->count - index) * sizeof leases->leases[0]);
}

void wzp_sim_leases_clear(wzp_sim_leases *leases) {
    leases->count = 0;
    leases->touch_at = WZP_TIME_NEVER;
}

static void touch_peers(wzp_sim_leases *leases, wzp_time now) {
    leases->touch_at = WZP_TIME_NEVER;
    for (size_t i = 0; i < leases->count; i++) {
        if (leases->leases[i].by == WZP_SIM_LEASE_PEER) {
            (void)touch(leases, &leases->leases[i], now);
            leases->touch_at = wzp_time_after(now, PEER_TOUCH);
        }
    }
}

void wzp_sim_leases_tick(wzp_sim_leases *leases, wzp_time now) {
    for (size_t i = leases->count; i-- > 0;) {
        if (leases->leases[i].ends <= now) {
            wzp_sim_leases_drop(leases, i);
        }
    }
    if (leases->touch_at <= now) {
        touch_peers(leases, now);
    }
}

wzp_time wzp_sim_leases_deadline(const wzp_sim_leases *leases) {
    wzp_time deadline = leases->touch_at;
    for (size_t i = 0; i < leases->count; i++) {
        deadline = wzp_time_min(deadline, leases->leases[i].ends);
    }
    return deadline;
}
