#include "sim/gateway/gateway.h"

#include <stdlib.h>

#include "nat/natpmp.h"
#include "nat/pcp.h"
#include "sim/gateway/http.h"
#include "sim/gateway/serve.h"

#define ANSWER_DELAY (5 * WZP_MS)
#define DAY_S 86400
#define WAITING_MAX 64
#define ANNOUNCEMENTS 10            /* RFC 6886 3.2.1 */
#define ANNOUNCE_GAP (250 * WZP_MS) /* and doubling */

typedef struct waiting {
    wzp_time at;
    uint64_t order; /* of those at the same time */
    wzp_sim_gateway_datagram datagram;
} waiting;

struct wzp_sim_gateway {
    wzp_sim_gateway_cfg cfg;
    wzp_sim_leases *leases;
    wzp_addr inside, inside_v6; /* family NONE: it has none */
    wzp_prng prng;
    wzp_time epoch_at; /* its epoch was epoch_s then */
    uint32_t epoch_s;
    wzp_time announce_at;
    uint64_t announce_gap;
    unsigned announce_left;
    uint64_t order;
    wzp_sim_gateway_counts counts;
    size_t count;
    waiting queue[WAITING_MAX];
};

wzp_err wzp_sim_gateway_new(wzp_sim_gateway **out, const wzp_sim_gateway_cfg *cfg, wzp_sim_nat *nat,
                            const wzp_addr *inside, uint64_t seed, const char *name, wzp_time now) {
    wzp_sim_gateway *gateway = calloc(1, sizeof *gateway);
    if (gateway == NULL ||
        wzp_sim_leases_new(&gateway->leases, &cfg->leases, nat, seed, name) != WZP_OK) {
        free(gateway);
        return WZP_ERR_NOMEM;
    }
    gateway->cfg = *cfg;
    gateway->cfg.answer_delay = cfg->answer_delay != 0 ? cfg->answer_delay : ANSWER_DELAY;
    gateway->cfg.http_port = cfg->http_port != 0 ? cfg->http_port : 5000;
    gateway->cfg.tv.port = cfg->tv.port != 0 ? cfg->tv.port : 8080;
    gateway->inside = *inside;
    gateway->epoch_at = now;
    gateway->epoch_s = cfg->uptime_s != 0 ? cfg->uptime_s : DAY_S;
    gateway->announce_at = WZP_TIME_NEVER;
    wzp_prng_init(&gateway->prng, seed ^ UINT64_C(0x55504e50), name);
    *out = gateway;
    return WZP_OK;
}

void wzp_sim_gateway_set_v6(wzp_sim_gateway *gateway, wzp_sim_nat *nat, const wzp_addr *inside) {
    wzp_sim_leases_set_v6(gateway->leases, nat);
    gateway->inside_v6 = *inside;
}

void wzp_sim_gateway_free(wzp_sim_gateway **gateway) {
    if (*gateway != NULL) {
        wzp_sim_leases_free(&(*gateway)->leases);
        free(*gateway);
        *gateway = NULL;
    }
}

const wzp_sim_leases *wzp_sim_gateway_leases(const wzp_sim_gateway *gateway) {
    return gateway->leases;
}

uint32_t wzp_sim_gateway_epoch_s(const wzp_sim_gateway *gateway, wzp_time now) {
    return gateway->epoch_s + (uint32_t)(wzp_time_since(now, gateway->epoch_at) / WZP_S);
}

uint64_t wzp_sim_gateway_delay(const wzp_sim_gateway *gateway) {
    return gateway->cfg.answer_delay;
}

void wzp_sim_gateway_count(const wzp_sim_gateway *gateway, wzp_sim_gateway_counts *out) {
    *out = gateway->counts;
}

static wzp_addr at_port(const wzp_sim_gateway *gateway, uint16_t port) {
    wzp_addr addr = gateway->inside;
    addr.port = port;
    return addr;
}

wzp_addr wzp_sim_gateway_http_addr(const wzp_sim_gateway *gateway) {
    return at_port(gateway, gateway->cfg.http_port);
}

static bool has_tv(const wzp_sim_gateway *gateway) {
    return gateway->cfg.tv.family != WZP_ADDR_NONE;
}

bool wzp_sim_gateway_listens(const wzp_sim_gateway *gateway, uint16_t port) {
    switch (port) {
    case WZP_NATPMP_PORT:
        return gateway->cfg.pmp != WZP_SIM_GATEWAY_OFF || gateway->cfg.pcp != WZP_SIM_GATEWAY_OFF;
    case WZP_SIM_SSDP_PORT:
        return gateway->cfg.upnp != WZP_SIM_GATEWAY_OFF || has_tv(gateway);
    default:
        return false;
    }
}

/* --- what waits to be sent -------------------------------------------------------------------- */

/* The datagram to be filled, or NULL: no room. */
static waiting *push(wzp_sim_gateway *gateway, const wzp_addr *from, const wzp_addr *to,
                     wzp_time at) {
    if (gateway->count == WAITING_MAX) {
        gateway->counts.lost++;
        return NULL;
    }
    waiting *slot = &gateway->queue[gateway->count++];
    slot->at = at;
    slot->order = gateway->order++;
    slot->datagram.from = *from;
    slot->datagram.to = *to;
    slot->datagram.len = 0;
    return slot;
}

static bool is_before(const waiting *a, const waiting *b) {
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static size_t first_waiting(const wzp_sim_gateway *gateway) {
    size_t first = 0;
    for (size_t i = 1; i < gateway->count; i++) {
        first = is_before(&gateway->queue[i], &gateway->queue[first]) ? i : first;
    }
    return first;
}

bool wzp_sim_gateway_next(wzp_sim_gateway *gateway, wzp_time now, wzp_sim_gateway_datagram *out) {
    const size_t first = first_waiting(gateway);
    if (gateway->count == 0 || gateway->queue[first].at > now) {
        return false;
    }
    *out = gateway->queue[first].datagram;
    gateway->queue[first] = gateway->queue[--gateway->count];
    gateway->counts.answered++;
    return true;
}

/* --- NAT-PMP and PCP on one port -------------------------------------------------------------- */

typedef void serve(const wzp_sim_service *service, const wzp_addr *from, wzp_bytes request,
                   wzp_time now, wzp_wr *out);

/* Who answers: a version that is off is answered by the other protocol, which says so. */
static serve *server_of(const wzp_sim_gateway *gateway, bool is_pmp) {
    const wzp_sim_gateway_mode own = is_pmp ? gateway->cfg.pmp : gateway->cfg.pcp;
    const wzp_sim_gateway_mode other = is_pmp ? gateway->cfg.pcp : gateway->cfg.pmp;
    const bool use_other = own == WZP_SIM_GATEWAY_OFF;
    if ((use_other ? other : own) != WZP_SIM_GATEWAY_SERVES) {
        return NULL;
    }
    return is_pmp != use_other ? wzp_sim_serve_pmp : wzp_sim_serve_pcp;
}

static void recv_mapping(wzp_sim_gateway *gateway, const wzp_addr *from, const wzp_addr *to,
                         wzp_bytes payload, wzp_time now) {
    serve *run = payload.len > 0 ? server_of(gateway, payload.data[0] == 0) : NULL;
    if (run == wzp_sim_serve_pmp && from->family != WZP_ADDR_V4) {
        run = NULL; /* it has no words for them */
    }
    const wzp_sim_service service = {.leases = gateway->leases,
                                     .epoch_s = wzp_sim_gateway_epoch_s(gateway, now),
                                     .refuse = run == wzp_sim_serve_pmp ? gateway->cfg.pmp_refuse
                                                                        : gateway->cfg.pcp_refuse,
                                     .third_party = gateway->cfg.pcp_third_party};
    wzp_wr wr;
    waiting *slot = run != NULL
                        ? push(gateway, to, from, wzp_time_after(now, gateway->cfg.answer_delay))
                        : NULL;
    if (slot != NULL) {
        wzp_wr_init(&wr, slot->datagram.data, sizeof slot->datagram.data);
        run(&service, from, payload, now, &wr);
        slot->datagram.len = wzp_wr_len(&wr);
        gateway->count -= slot->datagram.len == 0; /* it was the last one: nothing to say */
    }
}

/* --- UPnP ------------------------------------------------------------------------------------- */

static wzp_sim_upnp upnp_of(const wzp_sim_gateway *gateway, wzp_time now) {
    return (wzp_sim_upnp){.cfg = &gateway->cfg.igd,
                          .leases = gateway->leases,
                          .http = wzp_sim_gateway_http_addr(gateway),
                          .uptime_s = wzp_sim_gateway_epoch_s(gateway, now)};
}

static void answer_tv(wzp_sim_gateway *gateway, const wzp_addr *from,
                      const wzp_sim_ssdp_search *search, wzp_time now) {
    wzp_addr self = gateway->cfg.tv;
    wzp_wr wr;
    self.port = WZP_SIM_SSDP_PORT;
    waiting *slot = push(gateway, &self, from, wzp_time_after(now, gateway->cfg.answer_delay / 2));
    if (slot != NULL) {
        wzp_wr_init(&wr, slot->datagram.data, sizeof slot->datagram.data);
        wzp_sim_tv_answer(&gateway->cfg.tv, search, &wr);
        slot->datagram.len = wzp_wr_len(&wr);
    }
}

/* Each answer at a moment of its own within what the search allows. */
static void answer_search(wzp_sim_gateway *gateway, const wzp_addr *from,
                          const wzp_sim_ssdp_search *search, wzp_time now) {
    const wzp_sim_upnp upnp = upnp_of(gateway, now);
    const wzp_addr self = at_port(gateway, WZP_SIM_SSDP_PORT);
    const wzp_rng rng = wzp_prng_rng(&gateway->prng);
    uint8_t text[WZP_SIM_SSDP_ANSWER_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, text, sizeof text);
    for (size_t i = 0; wzp_sim_ssdp_answer(&upnp, search, i, &wr); i++) {
        const uint64_t spread = wzp_rng_below(rng, search->mx_s * WZP_S + 1);
        waiting *slot =
            push(gateway, &self, from, wzp_time_after(now, gateway->cfg.answer_delay + spread));
        if (slot != NULL) {
            slot->datagram.len = wzp_wr_len(&wr);
            memcpy(slot->datagram.data, text, slot->datagram.len);
        }
        wzp_wr_init(&wr, text, sizeof text);
    }
}

static void recv_search(wzp_sim_gateway *gateway, const wzp_addr *from, const wzp_addr *to,
                        wzp_bytes payload, wzp_time now) {
    wzp_sim_ssdp_search search;
    if (wzp_sim_ssdp_parse(&search, payload, NULL) != WZP_OK) {
        return;
    }
    const bool is_own = wzp_addr_same_ip(to, &gateway->inside);
    if (has_tv(gateway) && !is_own) {
        answer_tv(gateway, from, &search, now);
    }
    if (gateway->cfg.upnp == WZP_SIM_GATEWAY_SERVES) {
        search.mx_s = is_own ? 0 : search.mx_s; /* asked alone it need not wait */
        answer_search(gateway, from, &search, now);
    }
}

void wzp_sim_gateway_recv(wzp_sim_gateway *gateway, const wzp_addr *from, const wzp_addr *to,
                          wzp_bytes payload, wzp_time now) {
    gateway->counts.heard++;
    wzp_sim_leases_tick(gateway->leases, now);
    if (to->port == WZP_NATPMP_PORT) {
        recv_mapping(gateway, from, to, payload, now);
    } else if (to->port == WZP_SIM_SSDP_PORT) {
        recv_search(gateway, from, to, payload, now);
    }
}

static wzp_sim_gateway_reach reach_of(wzp_sim_gateway_mode mode) {
    switch (mode) {
    case WZP_SIM_GATEWAY_SERVES:
        return WZP_SIM_GATEWAY_ANSWERED;
    case WZP_SIM_GATEWAY_SILENT:
        return WZP_SIM_GATEWAY_NOTHING;
    case WZP_SIM_GATEWAY_OFF:
        break;
    }
    return WZP_SIM_GATEWAY_REFUSED;
}

static bool is_tv(const wzp_sim_gateway *gateway, const wzp_addr *to) {
    return has_tv(gateway) && wzp_addr_equal(to, &gateway->cfg.tv);
}

wzp_sim_gateway_reach wzp_sim_gateway_connect(const wzp_sim_gateway *gateway, const wzp_addr *to) {
    const wzp_addr self = wzp_sim_gateway_http_addr(gateway);
    if (is_tv(gateway, to)) {
        return WZP_SIM_GATEWAY_ANSWERED;
    }
    return wzp_addr_equal(to, &self) ? reach_of(gateway->cfg.upnp) : WZP_SIM_GATEWAY_REFUSED;
}

wzp_sim_gateway_reach wzp_sim_gateway_http(wzp_sim_gateway *gateway, const wzp_addr *from,
                                           const wzp_addr *to, wzp_bytes request, wzp_time now,
                                           wzp_wr *out) {
    const wzp_sim_gateway_reach reach = wzp_sim_gateway_connect(gateway, to);
    if (is_tv(gateway, to)) {
        wzp_sim_tv_http(request, out);
    } else if (reach == WZP_SIM_GATEWAY_ANSWERED) {
        const wzp_sim_upnp upnp = upnp_of(gateway, now);
        gateway->counts.http++;
        wzp_sim_leases_tick(gateway->leases, now);
        wzp_sim_upnp_http(&upnp, from, request, now, out);
    }
    return reach;
}

/* --- announcements and time ------------------------------------------------------------------- */

void wzp_sim_gateway_announce(wzp_sim_gateway *gateway, wzp_time now) {
    gateway->announce_at = now;
    gateway->announce_gap = ANNOUNCE_GAP;
    gateway->announce_left = ANNOUNCEMENTS;
}

void wzp_sim_gateway_reboot(wzp_sim_gateway *gateway, wzp_time now) {
    wzp_sim_leases_clear(gateway->leases);
    gateway->epoch_at = now;
    gateway->epoch_s = 0;
    gateway->count = 0;
    wzp_sim_gateway_announce(gateway, now);
}

static void announce_pmp(wzp_sim_gateway *gateway, wzp_time now) {
    const wzp_addr self = at_port(gateway, WZP_NATPMP_PORT);
    const wzp_addr all = wzp_addr_v4(224, 0, 0, 1, WZP_NATPMP_ANNOUNCE_PORT);
    const wzp_addr external = wzp_sim_leases_address(gateway->leases, &gateway->inside);
    waiting *slot = push(gateway, &self, &all, now);
    wzp_wr wr;
    if (slot != NULL) {
        wzp_wr_init(&wr, slot->datagram.data, sizeof slot->datagram.data);
        wzp_natpmp_write_address(
            &wr, external.family == WZP_ADDR_V4 ? WZP_NATPMP_SUCCESS : WZP_NATPMP_NETWORK_FAILURE,
            wzp_sim_gateway_epoch_s(gateway, now), &external);
        slot->datagram.len = wzp_wr_len(&wr);
    }
}

static void announce_pcp(wzp_sim_gateway *gateway, const wzp_addr *inside, const wzp_addr *all,
                         wzp_time now) {
    wzp_addr self = *inside;
    wzp_wr wr;
    self.port = WZP_NATPMP_PORT;
    waiting *slot = self.family != WZP_ADDR_NONE ? push(gateway, &self, all, now) : NULL;
    if (slot != NULL) {
        wzp_wr_init(&wr, slot->datagram.data, sizeof slot->datagram.data);
        wzp_pcp_write_announce(&wr, wzp_sim_gateway_epoch_s(gateway, now));
        slot->datagram.len = wzp_wr_len(&wr);
    }
}

static void announce_due(wzp_sim_gateway *gateway, wzp_time now) {
    const wzp_addr all = wzp_addr_v4(224, 0, 0, 1, WZP_NATPMP_ANNOUNCE_PORT);
    const wzp_addr all_v6 = {
        WZP_ADDR_V6, WZP_NATPMP_ANNOUNCE_PORT, {0xff, 0x02, [15] = 1}}; /* ff02::1 */
    if (gateway->cfg.pmp == WZP_SIM_GATEWAY_SERVES) {
        announce_pmp(gateway, now);
    }
    if (gateway->cfg.pcp == WZP_SIM_GATEWAY_SERVES) {
        announce_pcp(gateway, &gateway->inside, &all, now);
        announce_pcp(gateway, &gateway->inside_v6, &all_v6, now);
    }
    gateway->announce_left--;
    gateway->announce_at = gateway->announce_left > 0
                               ? wzp_time_after(gateway->announce_at, gateway->announce_gap)
                               : WZP_TIME_NEVER;
    gateway->announce_gap *= 2;
}

void wzp_sim_gateway_tick(wzp_sim_gateway *gateway, wzp_time now) {
    wzp_sim_leases_tick(gateway->leases, now);
    if (gateway->announce_at <= now) {
        announce_due(gateway, now);
    }
}

wzp_time wzp_sim_gateway_deadline(const wzp_sim_gateway *gateway) {
    const wzp_time first =
        gateway->count > 0 ? gateway->queue[first_waiting(gateway)].at : WZP_TIME_NEVER;
    return wzp_time_min(
        first, wzp_time_min(gateway->announce_at, wzp_sim_leases_deadline(gateway->leases)));
}
