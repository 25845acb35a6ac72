/* Packets on their way between a relay and its clients in memory: a millisecond on a link, which
 * loses nothing. */
#ifndef WZP_BENCH_RELAY_LINK_H
#define WZP_BENCH_RELAY_LINK_H

#include "quic/quic.h"

enum { PACKET_MAX = 1500 };

typedef struct packet {
    struct packet *next; /* on its link, or among the free ones */
    wzp_time at;
    wzp_quic_path path;
    size_t len;
    uint8_t data[PACKET_MAX];
} packet;

typedef struct link {
    packet *first, **tail;
} link;

typedef struct packet_pool {
    packet *all, *free; /* the last one that was freed is the next one used: it is in a cache */
} packet_pool;

/* False: out of memory. */
bool pool_open(packet_pool *pool, size_t count);
void pool_close(packet_pool *pool);

void link_open(link *l);
/* Segments of `data`, each a packet that comes over `path`.  The pool must have enough of them. */
void link_put(packet_pool *pool, link *to, wzp_bytes data, size_t segment,
              const wzp_quic_path *path, wzp_time now);
/* NULL: none has arrived.  What is taken may be read until the next link_put. */
packet *link_take(packet_pool *pool, link *from, wzp_time now);

#endif
