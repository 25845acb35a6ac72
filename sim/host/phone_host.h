/* The handset of somebody in a call: registers with a relay, rings another one or is rung, and
 * finds a path for the sound of the call host beside it, directly or in the room on the relay
 * (relay sheet 8, 9.8; nat sheet 1.16 to 1.19).  One socket for all of it. */
#ifndef WZP_SIM_HOST_PHONE_HOST_H
#define WZP_SIM_HOST_PHONE_HOST_H

#include "phone/handset.h"
#include "sim/gateway/gateway_seat.h"
#include "sim/host/call_host.h"

typedef struct wzp_sim_phone_host wzp_sim_phone_host;

typedef struct wzp_sim_phone_cfg {
    const char *name; /* borrowed for its life; names its random stream, is its alias */
    wzp_addr relay;
    /* Its sound and its identity; borrowed for its life.  Its dial_at is WZP_TIME_NEVER. */
    wzp_sim_call_host *call;
    uint16_t port; /* local; 0: any */
    wzp_race_policy policy;
    bool no_prediction; /* as in phone/handset.h; so are these */
    wzp_handset_birthday birthday;
    bool claims;
    wzp_port_alloc claimed;
    wzp_addr gateway;                   /* for NAT-PMP, PCP and UPnP; NONE: there is none */
    wzp_sim_gateway_seat *gateway_seat; /* carries its HTTP; borrowed; NULL: no UPnP */
    const wzp_addr *stun;               /* copied */
    size_t stun_count;
    const wzp_sim_signal_fault *faults; /* at most WZP_SIM_SIGNAL_FAULTS_MAX; borrowed */
    size_t fault_count;
    wzp_accept_mode accept; /* when it is rung */
    bool lets_ring;         /* does not answer at all */
    wzp_time register_at;   /* network time */
    wzp_time hangup_at;     /* WZP_TIME_NEVER: the other side does, or nobody */
    /* "registered", "ringing", ...; "signal": a fault hit one, `text` is "CallSetup dropped";
     * "upnp": what came of asking for a mapping. */
    void (*event)(void *ctx, const char *what, const char *text, wzp_time now);
    void *ctx;
    /* As in phone/handset.h; may be NULL. */
    void (*keylog)(void *ctx, wzp_quic_conn conn, const char *line);
    void *keylog_ctx;
} wzp_sim_phone_cfg;

/* `host` is borrowed for its life; `cfg` is copied.  NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_phone_host_new(wzp_sim_phone_host **out, wzp_sim_host *host,
                                            const wzp_sim_phone_cfg *cfg);

/* Not while the simulation runs, and before the call host. */
void wzp_sim_phone_host_free(wzp_sim_phone_host **phone);

/* Rings `fingerprint` (copied) at `at`. */
void wzp_sim_phone_host_ring(wzp_sim_phone_host *phone, const char *fingerprint, wzp_time at);

/* Now, from outside. */
void wzp_sim_phone_host_hangup(wzp_sim_phone_host *phone);

/* Now, from outside: its connection to the relay is gone without a word. */
void wzp_sim_phone_host_lose(wzp_sim_phone_host *phone);

/* Now, from outside: the host's addresses, or its gateway (as in its cfg), are others. */
void wzp_sim_phone_host_network(wzp_sim_phone_host *phone, const wzp_addr *gateway,
                                wzp_sim_gateway_seat *gateway_seat);

/* Times are the network's; WZP_TIME_NEVER: it has not happened. */
typedef struct wzp_sim_phone_report {
    wzp_time registered_at;
    wzp_time back_at; /* registered again, after the connection was lost; the last time */
    wzp_time wished_at, offered_at; /* somebody wants to call; the relay is asked */
    wzp_time rang_at;               /* the caller was told that it rings, or the callee was rung */
    wzp_time set_up_at;             /* both agreed */
    uint64_t set_up_held;           /* so long a fault kept the relay's word of that back */
    wzp_time ended_at;
    uint32_t signals_hit;            /* by faults */
    uint32_t said[WZP_SIGNAL_COUNT]; /* signals that left, by wzp_signal_kind */
    wzp_time direct_at;              /* media took a direct path first */
    bool direct;                     /* the path that media took last */
    wzp_handset_counters counters;
    char ended[96]; /* why; "": it has not */
} wzp_sim_phone_report;

void wzp_sim_phone_host_report(const wzp_sim_phone_host *phone, wzp_sim_phone_report *out);

/* What a seed's phone is called by others. */
void wzp_sim_phone_fingerprint(char out[WZP_FINGERPRINT_TEXT + 1], const uint8_t seed[32]);

#endif
