/* All that peers may be told of where we are, gathered at once and again when the network changes
 * (nat sheet 1.9): the reflexive address by STUN, a mapping by NAT-PMP and PCP beside each other,
 * the interfaces' own addresses, and how our NAT gives out ports (1.14).
 *
 * Nothing fails: what does not come in time is missing, and may still come.  Each difference that
 * peers should hear of has a generation of its own, from 1 on, since deployed receivers refuse 0
 * (U8).
 *
 * Sans-IO, the caller's storage, nothing allocates. */
#ifndef WZP_NAT_GATHER_H
#define WZP_NAT_GATHER_H

#include "nat/local.h"
#include "nat/port_alloc.h"
#include "nat/portmap.h"
#include "nat/stun_client.h"

#define WZP_GATHER_LOCALS_MAX 16

typedef struct wzp_gather_cfg {
    wzp_stun_client_cfg stun;               /* its order is ALL, whatever this says */
    wzp_addr servers[WZP_STUN_SERVERS_MAX]; /* in this order, and none at an IP that was asked:
                                             * some NATs count those as one */
    size_t server_count;
    wzp_addr gateway;                     /* NONE: no mapping is asked for */
    wzp_addr own;                         /* our address towards it, with the port of the socket */
    const wzp_interface_addr *interfaces; /* borrowed during begin */
    size_t interface_count;
    uint16_t v4_port, v6_port; /* of the sockets; 0: there is none */
    uint64_t budget;           /* ns until it is done, whatever is missing; 0: 3 s */
    bool accepts_local;        /* mapped addresses need not be global: for labs */
} wzp_gather_cfg;

typedef struct wzp_gathered {
    uint32_t generation;
    wzp_addr reflexive, mapped; /* NONE: not known */
    wzp_addr local[WZP_GATHER_LOCALS_MAX];
    size_t local_count;
} wzp_gathered;

#define WZP_GATHER_SERVERS 3 /* that are asked; the others are for wzp_gather_look_again */

/* What servers saw of our one socket, in the order in which it sent to them. */
#define WZP_GATHER_VIEWS_MAX (WZP_STUN_SERVERS_MAX + 1)

typedef struct wzp_gather_ports {
    wzp_port_alloc alloc; /* UNKNOWN too if they disagree about our IP */
    wzp_addr latest;      /* of the last one; NONE: nobody has answered */
    uint16_t ports[WZP_GATHER_VIEWS_MAX];
    size_t count;
} wzp_gather_ports;

/* Which socket a datagram belongs to. */
typedef enum wzp_gather_socket {
    WZP_GATHER_STUN, /* that of QUIC */
    WZP_GATHER_NATPMP,
    WZP_GATHER_PCP
} wzp_gather_socket;

#define WZP_GATHER_MAPS 2

/* Private, but the caller's storage.  All zeros before the first begin. */
typedef struct wzp_gather {
    wzp_stun_client stun;
    wzp_portmap maps[WZP_GATHER_MAPS]; /* NAT-PMP, PCP */
    wzp_addr servers[WZP_STUN_SERVERS_MAX];
    size_t server_count, asked_count; /* the first so many were asked */
    bool has_stun, has_maps, accepts_local;
    wzp_time began, ends_at;
    wzp_addr upnp; /* NONE: none */
    wzp_gathered result;
    wzp_addr relay, relay_view; /* NONE: it has not said how it sees us */
    wzp_time relay_since;
    wzp_time settles_at;  /* then the ports are told, whoever has not answered */
    wzp_time looks_until; /* or nobody has */
    wzp_gather_ports ports;
    bool is_settled, ports_told;
    bool maps_are_late;              /* nobody waits for them any more */
    bool is_told;                    /* of this network: once, and then of what differs */
    bool is_over;                    /* released: nothing is news */
    wzp_stun_refusals stun_refusals; /* of clients that are done with */
    uint64_t upnp_refusals;
} wzp_gather;

typedef struct wzp_gather_datagram {
    wzp_gather_socket socket;
    wzp_addr to;
    uint8_t data[WZP_STUN_REQUEST_MAX];
    size_t len;
} wzp_gather_datagram;

/* What was refused since the first begin: asking anew forgets nothing of it. */
typedef struct wzp_gather_refusals {
    wzp_stun_refusals stun;
    wzp_portmap_refusals maps;
    uint64_t upnp; /* mappings by UPnP at an address that nobody can reach */
} wzp_gather_refusals;
void wzp_gather_count(const wzp_gather *g, wzp_gather_refusals *out);

/* Begins, and begins again after a change of the network: what was known is forgotten, but not the
 * generation. */
void wzp_gather_begin(wzp_gather *g, const wzp_gather_cfg *cfg, wzp_rng rng, wzp_time now);

void wzp_gather_recv(wzp_gather *g, wzp_gather_socket socket, const wzp_addr *from,
                     wzp_bytes datagram, wzp_time now);
void wzp_gather_tick(wzp_gather *g, wzp_time now);
wzp_time wzp_gather_deadline(const wzp_gather *g);
bool wzp_gather_next(wzp_gather *g, wzp_gather_datagram *out);

/* A mapping by UPnP, which speaks HTTP and is asked for elsewhere; NONE: there is none (any more).
 * Forgotten when it begins again. */
void wzp_gather_upnp(wzp_gather *g, const wzp_addr *external);

/* A relay that this socket has sent to since `since` sees us at `view`. */
void wzp_gather_reflected(wzp_gather *g, const wzp_addr *relay, const wzp_addr *view,
                          wzp_time since);

/* Something is to be told: the first time when all is known or the budget is used up, later
 * whenever it differs (a mapping came late, moved, or is lost).  Valid until the next call.  A
 * router is waited for only so long, although it is asked as long as the budget lasts. */
#define WZP_GATHER_MAPS_PATIENCE (1 * WZP_S)
const wzp_gathered *wzp_gather_news(wzp_gather *g, wzp_time now);

/* The same for what our NAT does with ports: the first time when all servers have answered, or the
 * others had WZP_GATHER_SETTLE after the first one. */
#define WZP_GATHER_SETTLE (300 * WZP_MS)
const wzp_gather_ports *wzp_gather_port_news(wzp_gather *g, wzp_time now);

/* Asks all servers, for what the NAT does now; port news follows.  What else is known stays.  A
 * server whose mapping lives still shows its old port: the news is in those that were not asked so
 * far, which come last.  Nothing where no server was asked. */
void wzp_gather_look_again(wzp_gather *g, wzp_rng rng, wzp_time now);
/* There are servers that were not asked so far. */
bool wzp_gather_has_reserve(const wzp_gather *g);

/* Gives the mappings back, as well as that works: until deadline is NEVER.  There is no more news.
 */
void wzp_gather_release(wzp_gather *g, wzp_time now);

#endif
