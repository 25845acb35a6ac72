#include "sim/host/host.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/host/internal.h"

enum { FIRST_FREE_PORT = 40000, SKEW_MAX = 1000 };

/* --- life ------------------------------------------------------------------------------------- */

static void deliver(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now);

wzp_err wzp_sim_host_new(wzp_sim_host **out, const wzp_sim_host_cfg *cfg, wzp_sim_clock clock,
                         wzp_sim_pool *pool) {
    if (cfg->skew_ppm > SKEW_MAX || cfg->skew_ppm < -SKEW_MAX) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_sim_host *host = calloc(1, sizeof *host);
    if (host == NULL) {
        return WZP_ERR_NOMEM;
    }
    host->node = (wzp_sim_node){deliver, cfg->name};
    host->cfg = *cfg;
    host->clock = clock;
    host->pool = pool;
    host->next_port = FIRST_FREE_PORT;
    host->waiting_tail = &host->waiting;
    *out = host;
    return WZP_OK;
}

void wzp_sim_host_free(wzp_sim_host **host) {
    wzp_sim_host *h = *host;
    if (h == NULL) {
        return;
    }
    wzp_sim_seats_free(h);
    for (size_t i = 0; i < SOCKET_BUCKETS; i++) {
        while (h->sockets[i] != NULL) {
            wzp_sim_socket *s = h->sockets[i];
            h->sockets[i] = s->next;
            free(s);
        }
    }
    while (h->waiting != NULL) {
        wzp_sim_packet *packet = h->waiting;
        h->waiting = packet->next;
        wzp_sim_packet_free(packet);
    }
    free(h->interfaces);
    free(h);
    *host = NULL;
}

wzp_sim_node *wzp_sim_host_node(wzp_sim_host *host) {
    return &host->node;
}

const char *wzp_sim_host_name(const wzp_sim_host *host) {
    return host->cfg.name;
}

wzp_sim_clock wzp_sim_host_clock(const wzp_sim_host *host) {
    return host->clock;
}

void wzp_sim_host_count(const wzp_sim_host *host, wzp_sim_counts *out) {
    *out = host->counts;
}

/* --- the host's own clock: local = offset + time (1 + skew), in whole nanoseconds ------------- */

#define MILLION UINT64_C(1000000)

wzp_time wzp_sim_host_local_time(const wzp_sim_host *host, wzp_time now) {
    const uint64_t speed = (uint64_t)((int64_t)MILLION + host->cfg.skew_ppm);
    if (now == WZP_TIME_NEVER) {
        return WZP_TIME_NEVER;
    }
    const uint64_t local = now / MILLION * speed + now % MILLION * speed / MILLION;
    return wzp_time_after(local, host->cfg.offset);
}

wzp_time wzp_sim_host_network_time(const wzp_sim_host *host, wzp_time local) {
    const uint64_t speed = (uint64_t)((int64_t)MILLION + host->cfg.skew_ppm);
    if (local == WZP_TIME_NEVER) {
        return WZP_TIME_NEVER;
    }
    const uint64_t run = wzp_time_since(local, host->cfg.offset);
    const uint64_t whole = run / speed;
    if (whole >= WZP_TIME_NEVER / MILLION) {
        return WZP_TIME_NEVER; /* slower than real: it may lie beyond the end of time */
    }
    return whole * MILLION + (run % speed * MILLION + speed - 1) / speed;
}

/* --- interfaces ------------------------------------------------------------------------------- */

static wzp_err need_interface(wzp_sim_host *host, unsigned port) {
    if (port < host->interface_count) {
        return WZP_OK;
    }
    const size_t count = (size_t)port + 1;
    interface *grown = realloc(host->interfaces, count * sizeof *grown);
    if (grown == NULL) {
        return WZP_ERR_NOMEM;
    }
    memset(grown + host->interface_count, 0, (count - host->interface_count) * sizeof *grown);
    host->interfaces = grown;
    host->interface_count = count;
    return WZP_OK;
}

wzp_err wzp_sim_host_attach(wzp_sim_host *host, unsigned port, wzp_sim_pipe *pipe) {
    const wzp_err err = need_interface(host, port);
    if (err == WZP_OK) {
        host->interfaces[port].pipe = pipe;
    }
    return err;
}

static size_t address_index(const interface *i, const wzp_addr *ip) {
    size_t at = 0;
    while (at < i->address_count && !wzp_addr_same_ip(&i->addresses[at], ip)) {
        at++;
    }
    return at;
}

wzp_err wzp_sim_host_address(wzp_sim_host *host, unsigned port, const wzp_addr *ip) {
    if (ip->family == WZP_ADDR_NONE) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    const wzp_err err = need_interface(host, port);
    if (err != WZP_OK) {
        return err;
    }
    interface *i = &host->interfaces[port];
    if (address_index(i, ip) < i->address_count) {
        return WZP_OK; /* it has it already */
    }
    if (i->address_count == ADDRESSES_MAX) {
        return WZP_ERR_LIMIT;
    }
    i->addresses[i->address_count] = *ip;
    i->addresses[i->address_count++].port = 0;
    return WZP_OK;
}

void wzp_sim_host_unaddress(wzp_sim_host *host, unsigned port, const wzp_addr *ip) {
    if (port >= host->interface_count) {
        return;
    }
    interface *i = &host->interfaces[port];
    const size_t at = address_index(i, ip);
    if (at < i->address_count) {
        i->address_count--;
        memmove(i->addresses + at, i->addresses + at + 1,
                (i->address_count - at) * sizeof *i->addresses);
    }
}

void wzp_sim_host_up(wzp_sim_host *host, unsigned port, bool up) {
    if (port < host->interface_count) {
        host->interfaces[port].down = !up;
    }
}

bool wzp_sim_host_is_up(const wzp_sim_host *host, unsigned port) {
    return port < host->interface_count && !host->interfaces[port].down;
}

/* --- routing ---------------------------------------------------------------------------------- */

static bool is_own(const wzp_sim_host *host, const wzp_addr *ip) {
    for (size_t i = 0; i < host->interface_count; i++) {
        const interface *at = &host->interfaces[i];
        if (address_index(at, ip) < at->address_count) {
            return true;
        }
    }
    return false;
}

static const wzp_addr *of_family(const interface *i, uint8_t family) {
    for (size_t at = 0; at < i->address_count; at++) {
        if (i->addresses[at].family == family) {
            return &i->addresses[at];
        }
    }
    return NULL;
}

/* The interface for packets to `remote`, from `local` if that is given; *source is the address
 * they leave from, its port untouched. */
static const interface *route(const wzp_sim_host *host, const wzp_addr *local,
                              const wzp_addr *remote, wzp_addr *source) {
    const bool bound = local != NULL && local->family != WZP_ADDR_NONE;
    if (bound && local->family != remote->family) {
        return NULL;
    }
    for (size_t i = 0; i < host->interface_count; i++) {
        const interface *out = &host->interfaces[i];
        if (out->down || out->pipe == NULL) {
            continue;
        }
        const size_t at = bound ? address_index(out, local) : out->address_count;
        const wzp_addr *own = bound ? (at < out->address_count ? &out->addresses[at] : NULL)
                                    : of_family(out, remote->family);
        if (own != NULL) {
            source->family = own->family;
            memcpy(source->ip, own->ip, sizeof source->ip);
            return out;
        }
    }
    return NULL;
}

wzp_addr wzp_sim_host_source(const wzp_sim_host *host, const wzp_addr *remote) {
    wzp_addr source = {.family = WZP_ADDR_NONE};
    (void)route(host, NULL, remote, &source);
    return source;
}

size_t wzp_sim_host_addresses(const wzp_sim_host *host, wzp_addr *out, size_t cap) {
    size_t n = 0;
    for (size_t i = 0; i < host->interface_count; i++) {
        const interface *at = &host->interfaces[i];
        for (size_t a = 0; a < at->address_count && !at->down; a++, n++) {
            if (n < cap) {
                out[n] = at->addresses[a];
            }
        }
    }
    return n;
}

/* --- sockets ---------------------------------------------------------------------------------- */

static wzp_sim_socket *find(const wzp_sim_host *host, uint16_t port) {
    wzp_sim_socket *s = host->sockets[port % SOCKET_BUCKETS];
    while (s != NULL && s->port != port) {
        s = s->next;
    }
    return s;
}

/* 0: all of them are taken. */
static uint16_t free_port(wzp_sim_host *host) {
    for (unsigned tries = 0; tries <= UINT16_MAX - FIRST_FREE_PORT; tries++) {
        const uint16_t port = host->next_port;
        host->next_port = port == UINT16_MAX ? FIRST_FREE_PORT : (uint16_t)(port + 1);
        if (find(host, port) == NULL) {
            return port;
        }
    }
    return 0;
}

wzp_sim_socket *wzp_sim_host_bind(wzp_sim_host *host, uint16_t port, wzp_sim_receive *receive,
                                  void *ctx) {
    if (port != 0 && find(host, port) != NULL) {
        return NULL;
    }
    port = port != 0 ? port : free_port(host);
    wzp_sim_socket *s = port != 0 ? calloc(1, sizeof *s) : NULL;
    if (s != NULL) {
        wzp_sim_socket **bucket = &host->sockets[port % SOCKET_BUCKETS];
        *s = (wzp_sim_socket){
            .host = host, .next = *bucket, .port = port, .receive = receive, .ctx = ctx};
        *bucket = s;
    }
    return s;
}

void wzp_sim_socket_close(wzp_sim_socket **socket) {
    wzp_sim_socket *s = *socket;
    if (s == NULL) {
        return;
    }
    wzp_sim_socket **at = &s->host->sockets[s->port % SOCKET_BUCKETS];
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    free(s);
    *socket = NULL;
}

uint16_t wzp_sim_socket_port(const wzp_sim_socket *socket) {
    return socket->port;
}

void wzp_sim_socket_on_error(wzp_sim_socket *socket,
                             void (*error)(void *ctx, wzp_sim_icmp what, uint16_t mtu,
                                           const wzp_addr *remote, wzp_time now),
                             void *ctx) {
    socket->error = error;
    socket->error_ctx = ctx;
}

/* --- packets ---------------------------------------------------------------------------------- */

static void drop(wzp_sim_host *host, wzp_sim_packet *packet, wzp_sim_drop why) {
    host->counts.dropped[why]++;
    wzp_sim_packet_free(packet);
}

static void hold(wzp_sim_host *host, wzp_sim_packet *packet, wzp_time now);

static void transmit(wzp_sim_host *host, const interface *out, wzp_sim_packet *packet,
                     wzp_time now) {
    if (is_own(host, &packet->dst)) {
        hold(host, packet, now);
        return;
    }
    host->counts.out++;
    host->counts.bytes_out += wzp_sim_packet_wire_len(packet);
    wzp_sim_pipe_carry(out->pipe, packet, now);
}

bool wzp_sim_socket_send(wzp_sim_socket *socket, const wzp_addr *local, const wzp_addr *remote,
                         uint8_t ecn, wzp_bytes payload, wzp_time now) {
    wzp_sim_host *host = socket->host;
    wzp_addr source = {.port = socket->port};
    const interface *out = route(host, local, remote, &source);
    if (out == NULL) {
        host->counts.dropped[WZP_SIM_DROP_NO_ROUTE]++;
        return false;
    }
    wzp_sim_packet *packet = wzp_sim_packet_new(host->pool, &source, remote, payload, now);
    if (packet == NULL) {
        host->counts.dropped[WZP_SIM_DROP_NOMEM]++;
        return true; /* as lost as any other packet, and counted */
    }
    packet->tos = ecn & 3;
    transmit(host, out, packet, now);
    return true;
}

/* Nobody listens there: the sender is told. */
static void refuse(wzp_sim_host *host, wzp_sim_packet *packet, wzp_time now) {
    wzp_addr source = {0};
    const interface *out = route(host, &packet->dst, &packet->src, &source);
    wzp_sim_packet *icmp =
        out != NULL ? wzp_sim_packet_icmp(packet, &source, WZP_SIM_ICMP_PORT_UNREACHABLE, 0, now)
                    : NULL;
    drop(host, packet, WZP_SIM_DROP_NO_SOCKET);
    if (icmp != NULL) {
        transmit(host, out, icmp, now);
    }
}

static void tell_error(wzp_sim_host *host, wzp_sim_packet *packet, wzp_time now) {
    const wzp_sim_socket *s = find(host, packet->inner_src.port);
    if (s == NULL || s->error == NULL) {
        drop(host, packet, WZP_SIM_DROP_NO_SOCKET);
        return;
    }
    s->error(s->error_ctx, (wzp_sim_icmp)packet->icmp, packet->mtu, &packet->inner_dst, now);
    wzp_sim_packet_free(packet);
}

/* To its program; sockets may go during the call. */
static void hand_up(wzp_sim_host *host, wzp_sim_packet *packet, wzp_time now) {
    host->inside++;
    const wzp_sim_socket *s = packet->proto == WZP_SIM_UDP ? find(host, packet->dst.port) : NULL;
    if (packet->proto == WZP_SIM_ICMP) {
        tell_error(host, packet, now);
    } else if (s != NULL) {
        s->receive(s->ctx, &packet->dst, &packet->src, packet->tos & 3,
                   wzp_bytes_of(packet->payload, packet->len), now);
        wzp_sim_packet_free(packet);
    } else if (packet->proto == WZP_SIM_UDP) {
        refuse(host, packet, now);
    } else {
        drop(host, packet, WZP_SIM_DROP_NO_SOCKET);
    }
    host->inside--;
}

static void held(void *self, void *arg, wzp_time now) {
    wzp_sim_host *host = self;
    (void)arg;
    assert(host->inside == 0);
    wzp_sim_packet *packet = host->waiting;
    host->waiting = packet->next;
    if (host->waiting == NULL) {
        host->waiting_tail = &host->waiting;
    }
    packet->next = NULL;
    hand_up(host, packet, now);
}

/* All wait equally long, so first in is first out. */
static void hold(wzp_sim_host *host, wzp_sim_packet *packet, wzp_time now) {
    packet->next = NULL;
    *host->waiting_tail = packet;
    host->waiting_tail = &packet->next;
    wzp_sim_at(host->clock, wzp_time_after(now, host->cfg.processing), held, host, NULL);
}

/* Every host is in every group: gateways announce themselves to 224.0.0.1 (nat sheet 2.5). */
static bool is_multicast(const wzp_addr *addr) {
    return addr->family == WZP_ADDR_V4 ? (addr->ip[0] & 0xf0) == 0xe0 : addr->ip[0] == 0xff;
}

static void deliver(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    wzp_sim_host *host = (wzp_sim_host *)(void *)node;
    host->counts.in++;
    host->counts.bytes_in += wzp_sim_packet_wire_len(packet);
    if (port >= host->interface_count || host->interfaces[port].down) {
        drop(host, packet, WZP_SIM_DROP_NODE_DOWN);
    } else if (!is_own(host, &packet->dst) && !is_multicast(&packet->dst)) {
        drop(host, packet, WZP_SIM_DROP_NO_ROUTE);
    } else if (packet->corrupted) {
        drop(host, packet, WZP_SIM_DROP_CHECKSUM);
    } else if (host->cfg.processing > 0 || host->inside > 0) {
        /* A program that is running is never entered again, not even on links without delay. */
        hold(host, packet, now);
    } else {
        hand_up(host, packet, now);
    }
}
