/* QUIC clients: one endpoint with a connection for each of them. */
#ifndef WZP_TOOLS_BENCH_RELAY_QUIC_H
#define WZP_TOOLS_BENCH_RELAY_QUIC_H

#include "relay_load.h"

/* `offers`: each one enters a room by CallOffer; without, it has joined when it is connected. NULL:
 * no endpoint, as standard error says. */
contender *quic_clients_new(const load *l, bool offers);
uint16_t quic_clients_port(const contender *c);

/* Takes `c`.  NULL, and standard error says how far they came: not all of them have joined. */
contender *quic_clients_join(contender *c, const wzp_addr *server);

#endif
