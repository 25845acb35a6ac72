/* The phone of somebody in a call: registers with a relay, rings another one or is rung, and sends
 * the call host beside it into the room of a call that both agree to (relay sheet 8, 9.8). */
#ifndef WZP_SIM_HOST_PHONE_HOST_H
#define WZP_SIM_HOST_PHONE_HOST_H

#include "client/phone.h"
#include "sim/host/call_host.h"

typedef struct wzp_sim_phone_host wzp_sim_phone_host;

typedef struct wzp_sim_phone_cfg {
    const char *name; /* borrowed for its life; names its random stream, is its alias */
    wzp_addr relay;
    /* Its sound and its identity; borrowed for its life.  Its dial_at is WZP_TIME_NEVER. */
    wzp_sim_call_host *call;
    wzp_accept_mode accept; /* when it is rung */
    bool lets_ring;         /* does not answer at all */
    wzp_time register_at;   /* network time */
    wzp_time hangup_at;     /* WZP_TIME_NEVER: the other side does, or nobody */
    void (*event)(void *ctx, wzp_phone_event_kind kind, const char *text, wzp_time now);
    void *ctx;
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

/* "registered", "ringing", ...; static text. */
const char *wzp_sim_phone_event_name(wzp_phone_event_kind kind);

/* Times are the network's; WZP_TIME_NEVER: it has not happened. */
typedef struct wzp_sim_phone_report {
    wzp_time registered_at;
    wzp_time wished_at, offered_at; /* somebody wants to call; the relay is asked */
    wzp_time rang_at;               /* the caller was told that it rings, or the callee was rung */
    wzp_time set_up_at;             /* both agreed */
    wzp_time ended_at;
    char ended[96]; /* why; "": it has not */
} wzp_sim_phone_report;

void wzp_sim_phone_host_report(const wzp_sim_phone_host *phone, wzp_sim_phone_report *out);

/* What a seed's phone is called by others. */
void wzp_sim_phone_fingerprint(char out[WZP_FINGERPRINT_TEXT + 1], const uint8_t seed[32]);

#endif
