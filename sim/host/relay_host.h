/* A relay on a simulated host, which may be killed and started again. */
#ifndef WZP_SIM_HOST_RELAY_HOST_H
#define WZP_SIM_HOST_RELAY_HOST_H

#include "relay/relay.h"
#include "sim/host/host.h"

typedef struct wzp_sim_relay_host wzp_sim_relay_host;

typedef struct wzp_sim_relay_host_cfg {
    const char *name; /* borrowed for its life; names its random stream */
    uint16_t port;    /* 0: 4433 */
    /* `rng` and `deterministic` are set here; a seed of zeros is made from the simulation's seed
     * and the name.  What it borrows must outlive the relay. */
    wzp_relay_cfg relay;
    /* Each entry of the relay's event log; `event->at` is on the host's clock, `now` on the
     * network's.  May be NULL. */
    void (*event)(void *ctx, const wzp_relay_event *event, wzp_time now);
    void *ctx;
} wzp_sim_relay_host_cfg;

/* Starts it at once.  `host` is borrowed for its life; `cfg` is copied.  LIMIT: the port is taken;
 * what wzp_relay_new says. */
WZP_MUST_USE wzp_err wzp_sim_relay_host_new(wzp_sim_relay_host **out, wzp_sim_host *host,
                                            const wzp_sim_relay_host_cfg *cfg);

/* Not while the simulation runs. */
void wzp_sim_relay_host_free(wzp_sim_relay_host **relay);

/* Gone without a word, as in a crash: its port is closed and answers with ICMP. */
void wzp_sim_relay_host_kill(wzp_sim_relay_host *relay);

/* The same identity, and no memory of what was.  Nothing happens if it runs. */
WZP_MUST_USE wzp_err wzp_sim_relay_host_start(wzp_sim_relay_host *relay);

/* kill at `at`, start `down` ns later; network time.  A start that fails is reported as an event
 * "start_failed". */
void wzp_sim_relay_host_restart(wzp_sim_relay_host *relay, wzp_time at, uint64_t down);

/* Polite: closes every connection and goes on running. */
void wzp_sim_relay_host_shutdown(wzp_sim_relay_host *relay);

/* NULL while it is down.  For metrics and totals of the present life. */
const wzp_relay *wzp_sim_relay_host_relay(const wzp_sim_relay_host *relay);

/* Lives so far, the present one included. */
unsigned wzp_sim_relay_host_lives(const wzp_sim_relay_host *relay);

#endif
