/* One question to one relay: are you there, how far away, and how do you see me (nat sheet 1.5)?
 * A connection that registers the all-zero key, asks Reflect and goes; or, as a plain ping, one
 * that goes as soon as it is there (1.13).
 *
 *     CONNECTING --> REGISTERING --> REFLECTING --> ANSWERED
 *          |              |               |
 *          +--------------+---------------+------> FAILED, with a text
 *
 * Other signals that come between, as the presence list of current relays, are skipped and counted
 * (U1).  Several probes share an endpoint, so that all relays see one socket.
 *
 * Sans-IO, the caller's storage, nothing allocates but the parser of signals. */
#ifndef WZP_CALL_RELAY_PROBE_H
#define WZP_CALL_RELAY_PROBE_H

#include "call/endpoint.h"

#define WZP_RELAY_PROBE_TEXT_MAX 160

typedef enum wzp_relay_probe_kind {
    WZP_RELAY_PROBE_REFLECT, /* SNI "_signal" */
    WZP_RELAY_PROBE_PING     /* SNI "ping": the handshake alone */
} wzp_relay_probe_kind;

typedef enum wzp_relay_probe_state {
    WZP_RELAY_PROBE_IDLE,
    WZP_RELAY_PROBE_CONNECTING,
    WZP_RELAY_PROBE_REGISTERING,
    WZP_RELAY_PROBE_REFLECTING,
    WZP_RELAY_PROBE_ANSWERED,
    WZP_RELAY_PROBE_FAILED
} wzp_relay_probe_state;

/* The caller's storage, which must not move until the probe is ANSWERED, FAILED or stopped.  Zeros
 * are IDLE; state and what follows it are to be read, the rest is private. */
typedef struct wzp_relay_probe {
    wzp_endpoint *endpoint; /* borrowed until it is over */
    wzp_endpoint_user user;
    wzp_quic_conn conn;
    wzp_relay_probe_kind kind;
    wzp_time began_at, ends_at;
    uint64_t timeout;

    wzp_relay_probe_state state;
    wzp_addr relay;
    wzp_addr observed;                    /* ANSWERED by REFLECT */
    uint64_t rtt;                         /* ANSWERED: smoothed round trip of the connection, ns */
    uint64_t took;                        /* ANSWERED: from start to answer, ns */
    uint32_t skipped;                     /* signals that were not asked for */
    uint32_t unreadable;                  /* signals that could not be read */
    char error[WZP_RELAY_PROBE_TEXT_MAX]; /* FAILED: printable; else "" */
} wzp_relay_probe;

/* Begins.  `timeout` in ns, 0: 5 s.  What fails at once is FAILED with a text as well. */
void wzp_relay_probe_start(wzp_relay_probe *probe, wzp_endpoint *endpoint, const wzp_addr *relay,
                           wzp_relay_probe_kind kind, uint64_t timeout, wzp_time now);

/* The endpoint is driven by its owner. */
void wzp_relay_probe_tick(wzp_relay_probe *probe, wzp_time now);
wzp_time wzp_relay_probe_deadline(const wzp_relay_probe *probe); /* NEVER when it is over */
bool wzp_relay_probe_is_over(const wzp_relay_probe *probe);      /* or has not begun */

/* Ends it early; it is IDLE then.  Harmless when it is over. */
void wzp_relay_probe_stop(wzp_relay_probe *probe, wzp_time now);

#endif
