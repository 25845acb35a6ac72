/* A gateway on a box: what inside hosts send to its ports reaches it, it answers in time, and it
 * forgets with the box.
 *
 * HTTP is not carried by packets, since the simulator has no TCP.  wzp_sim_gateway_fetch is the
 * connection: request text in, response text out, each after the time that TCP would have taken,
 * and never lost.  Whoever drives a client connects its "HTTP request to ip:port" to it. */
#ifndef WZP_SIM_GATEWAY_GATEWAY_SEAT_H
#define WZP_SIM_GATEWAY_GATEWAY_SEAT_H

#include "sim/box/box.h"
#include "sim/gateway/gateway.h"

typedef struct wzp_sim_gateway_seat wzp_sim_gateway_seat;

/* `box` and `name` are borrowed for its life, `cfg` is copied.  It serves at the box's inside
 * addresses and takes its wzp_sim_box_on_boot.  NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_gateway_seat_new(wzp_sim_gateway_seat **out,
                                              const wzp_sim_gateway_cfg *cfg, wzp_sim_box *box,
                                              wzp_sim_clock clock, const char *name);
/* Not while the simulation runs; before the box. */
void wzp_sim_gateway_seat_free(wzp_sim_gateway_seat **seat);

wzp_sim_gateway *wzp_sim_gateway_seat_gateway(wzp_sim_gateway_seat *seat);

/* After a command to the gateway from outside (an announcement): serve it now. */
void wzp_sim_gateway_seat_wake(wzp_sim_gateway_seat *seat, wzp_time now);

/* `response` is borrowed for the call; empty unless it was ANSWERED. */
typedef void wzp_sim_gateway_response(void *ctx, wzp_sim_gateway_reach reach, wzp_bytes response,
                                      wzp_time now);

/* Connects from `from` to `to`, sends one whole request (copied) and calls `response` when the last
 * byte of the response is there: 4 ways and the gateway's delay later.  REFUSED comes 2 ways later.
 * A silent gateway, or a box that is down when the request comes, never calls: clients have
 * timeouts.  NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_gateway_fetch(wzp_sim_gateway_seat *seat, const wzp_addr *from,
                                           const wzp_addr *to, wzp_bytes request, uint64_t one_way,
                                           wzp_sim_gateway_response *response, void *ctx,
                                           wzp_time now);

#endif
