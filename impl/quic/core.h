/* What every packet core (relay, client, tester) looks like to whoever drives it.
 *
 * A driver owns time and the network: libuv and real sockets in impl/io, an event heap in the
 * simulator, a virtual network in the conformance suite.  The core is the same object in all of
 * them. */
#ifndef WZP_QUIC_CORE_H
#define WZP_QUIC_CORE_H

#include "quic/quic.h"

typedef struct wzp_core_ops {
    /* One UDP payload, borrowed for the call. */
    void (*recv)(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                 wzp_time now);
    /* Serves timers that are due and reacts to what came in.  Called after every batch of recv
     * and whenever deadline() has passed. */
    void (*tick)(void *self, wzp_time now);
    /* WZP_TIME_NEVER when idle; 0 while output is waiting. */
    wzp_time (*deadline)(const void *self);
    /* As wzp_quic_next_packet. */
    size_t (*next_packet)(void *self, wzp_time now, uint8_t *buf, size_t cap, wzp_quic_meta *meta);
} wzp_core_ops;

typedef struct wzp_core {
    void *self;
    const wzp_core_ops *ops;
} wzp_core;

/* An endpoint alone as a core: who drives it takes its events. */
wzp_core wzp_quic_core(wzp_quic *quic);

#endif
