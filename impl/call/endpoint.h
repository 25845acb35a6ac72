/* One UDP socket for all that a client does: its signal connection, media over relays, direct calls
 * both ways, STUN and tickles (nat sheet 1.3).  A NAT that keeps one port for a socket then shows
 * one address, and what STUN learns is the address that peers can dial.
 *
 * Who has a connection is attached to it and gets its events; connections that come in go to the
 * acceptor.  A packet core like any other, not thread-safe. */
#ifndef WZP_CALL_ENDPOINT_H
#define WZP_CALL_ENDPOINT_H

#include "nat/stun_client.h"
#include "quic/core.h"

#define WZP_ENDPOINT_QUEUE 128   /* datagrams beside QUIC that wait to leave */
#define WZP_ENDPOINT_RAW_MAX 160 /* octets of such a one */

typedef struct wzp_endpoint wzp_endpoint;

/* `event` may send, close and dial.  Both are borrowed until the connection's CLOSED event, or
 * until they are detached. */
typedef struct wzp_endpoint_user {
    void *self;
    void (*event)(void *self, const wzp_quic_event *ev, wzp_time now);
} wzp_endpoint_user;

/* Errors of wzp_quic_new.  `quic.identity` lets it accept connections; its `mutual` should be set.
 */
WZP_MUST_USE wzp_err wzp_endpoint_new(wzp_endpoint **out, const wzp_quic_cfg *quic, wzp_time now);
/* Sends nothing; nobody gets an event.  Accepts NULL, leaves NULL. */
void wzp_endpoint_free(wzp_endpoint **endpoint);

wzp_core wzp_endpoint_core(wzp_endpoint *endpoint);
wzp_quic *wzp_endpoint_quic(wzp_endpoint *endpoint);

/* Dials, and attaches `user` before anything can happen.  Errors of wzp_quic_connect. */
WZP_MUST_USE wzp_err wzp_endpoint_dial(wzp_endpoint *endpoint, const wzp_quic_dial *dial,
                                       const wzp_endpoint_user *user, wzp_time now,
                                       wzp_quic_conn *out);
/* From now on `user` gets the events of the connection; NULL: nobody does. */
void wzp_endpoint_attach(wzp_endpoint *endpoint, wzp_quic_conn conn, const wzp_endpoint_user *user);
/* Gets the events of connections that come in, until somebody is attached to them.  NULL, as at
 * first: they are closed with code 0 and "stale". */
void wzp_endpoint_on_incoming(wzp_endpoint *endpoint, const wzp_endpoint_user *user);

/* Gets what is neither QUIC nor asked for by a STUN client that runs; true: it was expected.  NULL,
 * as at first: all of it is counted and dropped.  Borrowed. */
typedef struct wzp_endpoint_tap {
    void *self;
    bool (*datagram)(void *self, const wzp_quic_path *path, wzp_bytes payload, wzp_time now);
} wzp_endpoint_tap;
void wzp_endpoint_on_other(wzp_endpoint *endpoint, const wzp_endpoint_tap *tap);

/* One datagram that is not QUIC's.  False: too long, or too many wait already; counted. */
bool wzp_endpoint_send(wzp_endpoint *endpoint, const wzp_addr *to, wzp_bytes payload);
/* The same by another socket, whose port the driver finds in the local address of the packet's
 * path, as it does with connections that were dialled from there. */
bool wzp_endpoint_send_from(wzp_endpoint *endpoint, const wzp_addr *local, const wzp_addr *to,
                            wzp_bytes payload);
/* An address that names nothing but the socket with this port; 0: the usual one. */
wzp_addr wzp_endpoint_local(uint16_t port);

/* Runs a started client on this socket; NULL: none.  Borrowed. */
void wzp_endpoint_run_stun(wzp_endpoint *endpoint, wzp_stun_client *stun);

typedef struct wzp_endpoint_counters {
    uint64_t other;        /* datagrams that are nothing we know, tickles among them */
    uint64_t stun_unasked; /* STUN while no client runs */
    uint64_t stale;        /* connections that nobody wanted */
    uint64_t not_queued;
} wzp_endpoint_counters;

void wzp_endpoint_count(const wzp_endpoint *endpoint, wzp_endpoint_counters *out);

#endif
