/* The gateway of a box: NAT-PMP, PCP and UPnP over one table of leases, with its epoch, its
 * reboots, and the ways in which real ones misbehave (nat sheet 2.5).
 *
 *     host -- UDP 5351, 1900 --> recv ... next -- UDP --> host, 224.0.0.1:5350
 *     host -- request text   --> http         -- response text --> host
 *
 * The core here is sans-IO and knows no box: the simulator seats it on one (gateway_seat.h), a
 * driver with real sockets serves real clients with it.  One thread; memory is reserved when it is
 * made. */
#ifndef WZP_SIM_GATEWAY_GATEWAY_H
#define WZP_SIM_GATEWAY_GATEWAY_H

#include "sim/gateway/upnp.h"

#define WZP_SIM_GATEWAY_DATAGRAM_MAX 1100

typedef enum wzp_sim_gateway_mode {
    WZP_SIM_GATEWAY_OFF,    /* nobody listens: port unreachable, connection refused */
    WZP_SIM_GATEWAY_SERVES, /* to refuse is to serve too, with a code */
    WZP_SIM_GATEWAY_SILENT
} wzp_sim_gateway_mode;

typedef struct wzp_sim_gateway_cfg {
    wzp_sim_gateway_mode pmp, pcp, upnp;
    uint16_t pmp_refuse, pcp_refuse; /* result codes for whatever is asked; 0: none */
    bool pcp_third_party;            /* hosts may map ports of others */
    wzp_sim_upnp_cfg igd;
    wzp_sim_leases_cfg leases;
    uint64_t answer_delay; /* ns; 0: 5 ms */
    uint32_t uptime_s;     /* when it is made: where its epoch stands; 0: a day */
    uint16_t http_port;    /* 0: 5000 */
    wzp_addr tv;           /* a television in the same network, which answers searches first; family
                              NONE: none.  Port of its HTTP server; 0: 8080 */
} wzp_sim_gateway_cfg;

typedef struct wzp_sim_gateway wzp_sim_gateway;

/* `nat` is borrowed for its life, `cfg` copied.  `inside` is its address there.  NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_gateway_new(wzp_sim_gateway **out, const wzp_sim_gateway_cfg *cfg,
                                         wzp_sim_nat *nat, const wzp_addr *inside, uint64_t seed,
                                         const char *name, wzp_time now);
/* PCP for IPv6 hosts, as wzp_sim_leases_set_v6.  `inside` is its address there: it announces itself
 * to ff02::1 too. */
void wzp_sim_gateway_set_v6(wzp_sim_gateway *gateway, wzp_sim_nat *nat, const wzp_addr *inside);
void wzp_sim_gateway_free(wzp_sim_gateway **gateway);

/* --- datagrams -------------------------------------------------------------------------------- */

typedef struct wzp_sim_gateway_datagram {
    wzp_addr from, to;
    size_t len;
    uint8_t data[WZP_SIM_GATEWAY_DATAGRAM_MAX];
} wzp_sim_gateway_datagram;

/* Whether anybody is at this UDP port, if only to be silent. */
bool wzp_sim_gateway_listens(const wzp_sim_gateway *gateway, uint16_t port);

/* `to`: its own address or a multicast one, port 5351 or 1900.  Answers come out of next() when
 * their time has come; when too many wait the newest is lost. */
void wzp_sim_gateway_recv(wzp_sim_gateway *gateway, const wzp_addr *from, const wzp_addr *to,
                          wzp_bytes payload, wzp_time now);
bool wzp_sim_gateway_next(wzp_sim_gateway *gateway, wzp_time now, wzp_sim_gateway_datagram *out);

/* Leases that end, announcements, answers that wait. */
void wzp_sim_gateway_tick(wzp_sim_gateway *gateway, wzp_time now);
wzp_time wzp_sim_gateway_deadline(const wzp_sim_gateway *gateway);

/* --- HTTP ------------------------------------------------------------------------------------- */

typedef enum wzp_sim_gateway_reach {
    WZP_SIM_GATEWAY_ANSWERED,
    WZP_SIM_GATEWAY_REFUSED, /* nobody listens there: the connection is reset */
    WZP_SIM_GATEWAY_NOTHING  /* no answer ever */
} wzp_sim_gateway_reach;

/* What comes of a connection to `to`. */
wzp_sim_gateway_reach wzp_sim_gateway_connect(const wzp_sim_gateway *gateway, const wzp_addr *to);

/* One request, whole, to `to`, and its response: room for WZP_SIM_UPNP_HTTP_MAX.  It takes effect
 * at `now`; the response is on its way `wzp_sim_gateway_delay` later. */
wzp_sim_gateway_reach wzp_sim_gateway_http(wzp_sim_gateway *gateway, const wzp_addr *from,
                                           const wzp_addr *to, wzp_bytes request, wzp_time now,
                                           wzp_wr *out);
uint64_t wzp_sim_gateway_delay(const wzp_sim_gateway *gateway);
wzp_addr wzp_sim_gateway_http_addr(const wzp_sim_gateway *gateway);

/* --- what happens to it ----------------------------------------------------------------------- */

/* It is back after a reboot: no leases, epoch 0, and NAT-PMP and PCP clients hear of it ten times
 * within 128 s at port 5350 of 224.0.0.1 and ff02::1.  The NAT's own reboot is its owner's. */
void wzp_sim_gateway_reboot(wzp_sim_gateway *gateway, wzp_time now);

/* The same announcements without a reset: the external address is a new one. */
void wzp_sim_gateway_announce(wzp_sim_gateway *gateway, wzp_time now);

const wzp_sim_leases *wzp_sim_gateway_leases(const wzp_sim_gateway *gateway);
uint32_t wzp_sim_gateway_epoch_s(const wzp_sim_gateway *gateway, wzp_time now);

typedef struct wzp_sim_gateway_counts {
    uint64_t heard, answered, http;
    uint64_t lost; /* answers that there was no room for */
} wzp_sim_gateway_counts;
void wzp_sim_gateway_count(const wzp_sim_gateway *gateway, wzp_sim_gateway_counts *out);

#endif
