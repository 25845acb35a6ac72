/* Clients of one endpoint that enter their rooms, some dozens at once. */
#ifndef WZP_TOOLS_BENCH_RELAY_JOIN_H
#define WZP_TOOLS_BENCH_RELAY_JOIN_H

#include "quic/core.h"
#include "relay_load.h"

typedef struct joining {
    const load *l;
    wzp_quic *quic;
    wzp_addr relay;
    uint16_t port; /* of the clients */
    bool offers;   /* without, who is connected has joined */
    wzp_quic_conn conns[LOAD_MEMBERS_MAX];
    unsigned dialled, answered, listed, lost; /* listed: have the list of a whole room */
    wzp_time signal_at;
} joining;

void joining_init(joining *j, const load *l, wzp_quic *quic, wzp_addr relay, uint16_t port,
                  bool offers);
void joining_dial(joining *j, wzp_time now);
void joining_event(joining *j, const wzp_quic_event *ev, wzp_time now);

/* All were answered and know all others of their room: the relay has no more to say. */
bool joining_done(const joining *j, wzp_time now);

#endif
