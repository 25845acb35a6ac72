#include "nat/gather.h"

#include "nat/ip_kind.h"

#define DEFAULT_BUDGET (3 * WZP_S)

static bool is_listed(const wzp_addr *list, size_t count, const wzp_addr *addr) {
    for (size_t i = 0; i < count; i++) {
        if (wzp_addr_same_ip(&list[i], addr)) {
            return true;
        }
    }
    return false;
}

static void keep_servers(wzp_gather *g, const wzp_gather_cfg *cfg) {
    g->server_count = 0;
    for (size_t i = 0; i < cfg->server_count && g->server_count < WZP_STUN_SERVERS_MAX; i++) {
        if (!is_listed(g->servers, g->server_count, &cfg->servers[i])) {
            g->servers[g->server_count++] = cfg->servers[i];
        }
    }
}

/* --- what is refused -------------------------------------------------------------------------- */

static void add_stun(wzp_stun_refusals *sum, const wzp_stun_refusals *more) {
    sum->not_answer += more->not_answer;
    sum->wrong_txid += more->wrong_txid;
    sum->wrong_source += more->wrong_source;
    sum->late += more->late;
    sum->cut += more->cut;
    sum->fingerprint += more->fingerprint;
    sum->no_address += more->no_address;
    sum->port_zero += more->port_zero;
    sum->not_unicast += more->not_unicast;
    sum->local += more->local;
}

static void add_maps(wzp_portmap_refusals *sum, const wzp_portmap_refusals *more) {
    sum->wrong_source += more->wrong_source;
    sum->cut += more->cut;
    sum->malformed += more->malformed;
    sum->unasked += more->unasked;
    sum->wrong_nonce += more->wrong_nonce;
    sum->wrong_port += more->wrong_port;
}

void wzp_gather_count(const wzp_gather *g, wzp_gather_refusals *out) {
    *out = (wzp_gather_refusals){.stun = g->stun_refusals, .upnp = g->upnp_refusals};
    add_stun(&out->stun, &g->stun.refusals);
    for (size_t i = 0; i < WZP_GATHER_MAPS; i++) {
        add_maps(&out->maps, &g->maps[i].refusals);
    }
}

/* Whatever starts anew counts from 0: what was counted so far is kept. */
static wzp_err start_stun(wzp_gather *g, const wzp_stun_client_cfg *cfg, size_t count, wzp_rng rng,
                          wzp_time now) {
    const wzp_stun_refusals last = g->stun.refusals;
    const wzp_err err = wzp_stun_client_start(&g->stun, cfg, g->servers, count, rng, now);
    if (err == WZP_OK) {
        add_stun(&g->stun_refusals, &last);
    }
    return err;
}

/* --- asking ----------------------------------------------------------------------------------- */

static void begin_stun(wzp_gather *g, const wzp_gather_cfg *cfg, wzp_rng rng, wzp_time now) {
    wzp_stun_client_cfg stun = cfg->stun;
    stun.order = WZP_STUN_ALL;
    keep_servers(g, cfg);
    g->asked_count = g->server_count < WZP_GATHER_SERVERS ? g->server_count : WZP_GATHER_SERVERS;
    g->has_stun = start_stun(g, &stun, g->asked_count, rng, now) == WZP_OK;
}

static void begin_maps(wzp_gather *g, const wzp_gather_cfg *cfg, wzp_rng rng, wzp_time now) {
    g->has_maps = cfg->gateway.family != WZP_ADDR_NONE;
    for (size_t i = 0; i < WZP_GATHER_MAPS; i++) {
        const wzp_portmap_cfg map = {.protocol = i == 0 ? WZP_PORTMAP_NATPMP : WZP_PORTMAP_PCP,
                                     .gateway = cfg->gateway,
                                     .local = cfg->own,
                                     .timeout = wzp_time_since(g->ends_at, now),
                                     .accepts_local = cfg->accepts_local};
        const wzp_portmap last = g->maps[i];
        g->maps[i] = (wzp_portmap){.refusals = last.refusals}; /* OFF, where it makes no sense */
        if (g->has_maps && wzp_portmap_start(&g->maps[i], &map, rng, now) == WZP_OK) {
            wzp_portmap_resume(&g->maps[i], &last);
        }
    }
}

void wzp_gather_begin(wzp_gather *g, const wzp_gather_cfg *cfg, wzp_rng rng, wzp_time now) {
    const uint32_t generation = g->result.generation;
    g->result = (wzp_gathered){.generation = generation};
    g->upnp = (wzp_addr){0};
    g->is_told = false;
    g->is_over = false;
    g->accepts_local = cfg->accepts_local;
    g->relay_view = (wzp_addr){0};
    g->ports = (wzp_gather_ports){.count = 0};
    g->is_settled = g->ports_told = g->maps_are_late = false;
    g->began = now;
    g->settles_at = WZP_TIME_NEVER;
    g->ends_at = wzp_time_after(now, cfg->budget != 0 ? cfg->budget : DEFAULT_BUDGET);
    g->looks_until = g->ends_at;
    g->result.local_count = wzp_local_candidates(
        g->result.local, WZP_GATHER_LOCALS_MAX, cfg->interfaces, cfg->interface_count, cfg->v4_port,
        cfg->v6_port, WZP_LOCAL_REFERENCE, NULL);
    begin_stun(g, cfg, rng, now);
    begin_maps(g, cfg, rng, now);
}

/* What STUN saw tells the mappings which of them are of use. */
void wzp_gather_recv(wzp_gather *g, wzp_gather_socket socket, const wzp_addr *from,
                     wzp_bytes datagram, wzp_time now) {
    if (socket != WZP_GATHER_STUN) {
        if (g->has_maps) {
            (void)wzp_portmap_recv(&g->maps[socket == WZP_GATHER_NATPMP ? 0 : 1], from, datagram,
                                   now);
        }
        return;
    }
    if (!g->has_stun || !wzp_stun_client_recv(&g->stun, from, datagram, now)) {
        return;
    }
    const wzp_stun_result *first = wzp_stun_client_first(&g->stun);
    if (first != NULL && g->settles_at == WZP_TIME_NEVER) {
        g->settles_at = wzp_time_after(now, WZP_GATHER_SETTLE);
    }
    for (size_t i = 0; first != NULL && g->has_maps && i < WZP_GATHER_MAPS; i++) {
        wzp_portmap_reflexive(&g->maps[i], &first->mapped, now);
    }
}

void wzp_gather_tick(wzp_gather *g, wzp_time now) {
    if (g->has_stun) {
        wzp_stun_client_tick(&g->stun, now);
    }
    g->maps_are_late =
        g->maps_are_late || now >= wzp_time_after(g->began, WZP_GATHER_MAPS_PATIENCE);
    g->is_settled = g->is_settled || now >= wzp_time_min(g->settles_at, g->looks_until);
    for (size_t i = 0; g->has_maps && i < WZP_GATHER_MAPS; i++) {
        wzp_portmap_tick(&g->maps[i], now);
    }
}

static wzp_time parts_deadline(const wzp_gather *g) {
    wzp_time deadline = g->has_stun ? wzp_stun_client_deadline(&g->stun) : WZP_TIME_NEVER;
    for (size_t i = 0; g->has_maps && i < WZP_GATHER_MAPS; i++) {
        deadline = wzp_time_min(deadline, wzp_portmap_deadline(&g->maps[i]));
    }
    return deadline;
}

wzp_time wzp_gather_deadline(const wzp_gather *g) {
    wzp_time deadline = parts_deadline(g);
    if (!g->is_settled) {
        deadline = wzp_time_min(deadline, wzp_time_min(g->settles_at, g->looks_until));
    }
    if (g->has_maps && !g->is_told && !g->maps_are_late) {
        deadline = wzp_time_min(deadline, wzp_time_after(g->began, WZP_GATHER_MAPS_PATIENCE));
    }
    return g->is_told ? deadline : wzp_time_min(deadline, g->ends_at);
}

static bool next_of_map(wzp_gather *g, size_t i, wzp_gather_datagram *out) {
    wzp_portmap_datagram datagram;
    if (!g->has_maps || !wzp_portmap_next(&g->maps[i], &datagram)) {
        return false;
    }
    out->socket = i == 0 ? WZP_GATHER_NATPMP : WZP_GATHER_PCP;
    out->to = datagram.to;
    out->len = datagram.len;
    memcpy(out->data, datagram.data, datagram.len);
    return true;
}

bool wzp_gather_next(wzp_gather *g, wzp_gather_datagram *out) {
    wzp_stun_datagram datagram;
    if (g->has_stun && wzp_stun_client_next(&g->stun, &datagram)) {
        out->socket = WZP_GATHER_STUN;
        out->to = datagram.to;
        out->len = datagram.len;
        memcpy(out->data, datagram.data, datagram.len);
        return true;
    }
    return next_of_map(g, 0, out) || next_of_map(g, 1, out);
}

/* --- what is known ---------------------------------------------------------------------------- */

static bool is_complete(const wzp_gather *g) {
    const bool is_asking = g->has_stun && wzp_stun_client_first(&g->stun) == NULL &&
                           !wzp_stun_client_is_done(&g->stun);
    bool is_mapped = false;
    bool may_map = false;
    for (size_t i = 0; g->has_maps && i < WZP_GATHER_MAPS; i++) {
        is_mapped |= wzp_portmap_external(&g->maps[i]) != NULL;
        may_map |= wzp_portmap_state_of(&g->maps[i]) == WZP_PORTMAP_ASKING;
    }
    return !is_asking && (is_mapped || !may_map || g->maps_are_late);
}

static wzp_addr mapped_now(const wzp_gather *g) {
    for (size_t i = 0; g->has_maps && i < WZP_GATHER_MAPS; i++) {
        const wzp_addr *external = wzp_portmap_external(&g->maps[i]);
        if (external != NULL) {
            return *external;
        }
    }
    return g->upnp;
}

/* As with the other protocols: an address that nobody can reach is behind one more NAT (U13). */
void wzp_gather_upnp(wzp_gather *g, const wzp_addr *external) {
    const bool is_good =
        external->port != 0 && (g->accepts_local || wzp_ip_kind_of(external) == WZP_IP_GLOBAL);
    g->upnp_refusals += is_good || external->family == WZP_ADDR_NONE ? 0 : 1;
    g->upnp = is_good ? *external : (wzp_addr){0};
}

/* Who is asked once more may take its time. */
static wzp_addr reflexive_now(const wzp_gather *g) {
    const wzp_stun_result *first = g->has_stun ? wzp_stun_client_first(&g->stun) : NULL;
    return first != NULL ? first->mapped : g->result.reflexive;
}

const wzp_gathered *wzp_gather_news(wzp_gather *g, wzp_time now) {
    const wzp_addr reflexive = reflexive_now(g);
    const wzp_addr mapped = mapped_now(g);
    const bool differs = !wzp_addr_equal(&reflexive, &g->result.reflexive) ||
                         !wzp_addr_equal(&mapped, &g->result.mapped);
    if (g->is_over || (g->is_told ? !differs : !is_complete(g) && now < g->ends_at)) {
        return NULL;
    }
    g->is_told = true;
    g->result.generation++;
    g->result.reflexive = reflexive;
    g->result.mapped = mapped;
    return &g->result;
}

/* --- ports ------------------------------------------------------------------------------------ */

void wzp_gather_reflected(wzp_gather *g, const wzp_addr *relay, const wzp_addr *view,
                          wzp_time since) {
    g->relay = *relay;
    g->relay_view = *view;
    g->relay_since = since;
}

static void add_view(wzp_gather_ports *out, const wzp_addr *view, bool *differs) {
    if (view->family != WZP_ADDR_V4) { /* nobody counts ports of IPv6 */
        return;
    }
    *differs = *differs || (out->count > 0 && !wzp_addr_same_ip(view, &out->latest));
    out->latest = *view;
    out->ports[out->count++] = view->port;
}

/* A relay at the IP of a server has no view of its own. */
static bool has_relay_view(const wzp_gather *g) {
    for (size_t i = 0; g->has_stun && i < g->stun.count; i++) {
        const wzp_stun_result *result = wzp_stun_client_result(&g->stun, i);
        if (result->state == WZP_STUN_ANSWERED && wzp_addr_same_ip(&result->server, &g->relay)) {
            return false;
        }
    }
    return g->relay_view.family != WZP_ADDR_NONE;
}

/* All servers were asked at once: their order is that of sending. */
static void look(const wzp_gather *g, wzp_gather_ports *out) {
    const bool has_relay = has_relay_view(g);
    bool differs = false;
    *out = (wzp_gather_ports){.count = 0};
    if (has_relay && g->relay_since < g->began) {
        add_view(out, &g->relay_view, &differs);
    }
    for (size_t i = 0; g->has_stun && i < g->stun.count; i++) {
        const wzp_stun_result *result = wzp_stun_client_result(&g->stun, i);
        if (result->state == WZP_STUN_ANSWERED) {
            add_view(out, &result->mapped, &differs);
        }
    }
    if (has_relay && g->relay_since >= g->began) {
        add_view(out, &g->relay_view, &differs);
    }
    out->alloc = differs ? (wzp_port_alloc){WZP_PORT_ALLOC_UNKNOWN, 0}
                         : wzp_port_alloc_classify_shared(out->ports, out->count);
}

static bool same_ports(const wzp_gather_ports *a, const wzp_gather_ports *b) {
    return a->alloc.kind == b->alloc.kind && a->alloc.delta == b->alloc.delta &&
           wzp_addr_equal(&a->latest, &b->latest) && a->count == b->count &&
           memcmp(a->ports, b->ports, a->count * sizeof a->ports[0]) == 0;
}

const wzp_gather_ports *wzp_gather_port_news(wzp_gather *g, wzp_time now) {
    const bool has_begun = g->looks_until != 0;
    const bool is_over = now >= wzp_time_min(g->settles_at, g->looks_until);
    const bool may_come = g->has_stun && !wzp_stun_client_is_done(&g->stun) && !is_over;
    wzp_gather_ports ports;
    look(g, &ports);
    if (!has_begun || g->is_over || (g->ports_told ? same_ports(&ports, &g->ports) : may_come)) {
        return NULL;
    }
    g->ports_told = true;
    g->ports = ports;
    return &g->ports;
}

bool wzp_gather_has_reserve(const wzp_gather *g) {
    return g->has_stun && g->asked_count < g->server_count;
}

void wzp_gather_look_again(wzp_gather *g, wzp_rng rng, wzp_time now) {
    const wzp_stun_client_cfg cfg = g->stun.cfg;
    if (!g->has_stun || start_stun(g, &cfg, g->server_count, rng, now) != WZP_OK) {
        return;
    }
    g->asked_count = g->server_count;
    g->began = now;
    g->settles_at = WZP_TIME_NEVER;
    g->looks_until = wzp_time_after(now, cfg.timeout);
    g->is_settled = g->ports_told = false;
}

void wzp_gather_release(wzp_gather *g, wzp_time now) {
    g->has_stun = false;
    g->is_told = g->is_settled = true;
    g->is_over = true;
    for (size_t i = 0; g->has_maps && i < WZP_GATHER_MAPS; i++) {
        wzp_portmap_release(&g->maps[i], now);
    }
}
