/* Test helper: a relay, or some, and guests with real QUIC on the in-memory network of
 * quic/testing/pair.h. Guests keep what they hear; tests say what they do. */
#ifndef WZP_RELAY_TESTING_STAGE_H
#define WZP_RELAY_TESTING_STAGE_H

#include "crypto/handshake.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"
#include "wire/signal.h"

typedef struct heard {
    struct heard *next;
    wzp_time at;
    size_t len;
    char text[]; /* with a terminator that len does not count */
} heard;

typedef struct guest {
    struct stage *stage;
    wzp_quic *quic;
    wzp_quic_conn conn;
    wzp_prng prng;
    wzp_identity identity;
    wzp_addr addr;
    bool connected, closed;
    size_t close_count; /* of all connections of its endpoint */
    wzp_quic_close_info close;
    heard *signals, **signals_tail; /* in the order in which they came */
    heard *datagrams, **datagrams_tail;
    size_t signal_count, datagram_count;
} guest;

#define STAGE_GUESTS 32
#define STAGE_RELAYS 4

typedef struct stage {
    pair_net net;
    wzp_relay *relay; /* that guests come to and whose metrics are read */
    wzp_addr relay_addr;
    wzp_relay *relays[STAGE_RELAYS];
    size_t hosts[STAGE_RELAYS]; /* in the network */
    wzp_prng prngs[STAGE_RELAYS];
    size_t relay_count;
    guest guests[STAGE_GUESTS];
    size_t guest_count;
} stage;

/* `cfg` NULL: defaults.  Its rng is the stage's own. */
stage *stage_new(const wzp_relay_cfg *cfg);
void stage_free(stage **st);

/* One more relay; the first is 0. */
void stage_relay(stage *st, const wzp_relay_cfg *cfg);
wzp_addr stage_relay_addr(size_t i);
/* From now on guests come to this one. */
void stage_at(stage *st, size_t i);
void stage_run(stage *st, uint64_t ms);

/* Dials; the connection is up on return.  The identity follows from the number of the guest. */
guest *stage_guest(stage *st, const char *sni);

/* One more connection of the same identity. */
guest *stage_guest_again(stage *st, const guest *who, const char *sni);

/* A guest who sent its CallOffer, or its RegisterPresence, and was answered. */
guest *stage_member(stage *st, const char *room);
guest *stage_registered(stage *st, const char *alias);

void guest_say(guest *g, const char *json);
void guest_tell(guest *g, const wzp_signal *signal);
void guest_offer(guest *g, const char *alias); /* NULL: without one */
void guest_register(guest *g, const char *alias);
void guest_send(guest *g, wzp_bytes datagram);
void guest_leave(guest *g);

/* The nth signal of this variant, from 0, or NULL. */
const heard *guest_heard(const guest *g, const char *variant, size_t nth);
size_t guest_count(const guest *g, const char *variant);
void guest_forget(guest *g);

/* The whole page; valid until the next call. */
const char *stage_metrics(const stage *st);

/* A counter or gauge of the metrics page by its full name, labels included; -1: not there. */
long long stage_metric(const stage *st, const char *name);

#endif
