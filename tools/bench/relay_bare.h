/* The least server on ngtcp2 and OpenSSL for the load of bench_relay: a connection for each client,
 * and each datagram that comes is written once for every other client of that room.  No signals, no
 * rooms, no tables, no queues: who a client is follows from its address.  Whoever forwards with
 * these libraries pays at least that. */
#ifndef WZP_TOOLS_BENCH_RELAY_BARE_H
#define WZP_TOOLS_BENCH_RELAY_BARE_H

#include "io/sockaddr.h"
#include "relay_load.h"

typedef struct bare bare;

/* Where its packets go: `room` lends BARE_PACKET bytes, `commit` sends what was written there. */
typedef struct bare_sink {
    uint8_t *(*room)(void *ctx);
    void (*commit)(void *ctx, unsigned client, size_t len);
    void *ctx;
} bare_sink;

enum { BARE_PACKET = 1500 };

/* `local` is the server's address, `port` the clients'.  NULL: out of memory. */
bare *bare_new(const load *l, const wzp_addr *local, uint16_t port, bare_sink sink);
void bare_recv(bare *b, unsigned client, const uint8_t *data, size_t len, wzp_time now);
void bare_tick(bare *b, wzp_time now);
void bare_free(bare **b);

/* The address of a client, as the kernel wants it. */
const wzp_sockaddr *bare_addr(const bare *b, unsigned client);

#endif
