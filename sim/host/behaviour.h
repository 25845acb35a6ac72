/* Finds out how the NATs in front of a host behave (RFC 5780 4), with a server as in stun.h:
 *
 *     mapping I, II, III   one socket to IP1:P1, IP2:P1, IP2:P2: does it look the same?
 *     filtering II, III    another socket: may IP2:P2, may IP1:P2 answer what IP1:P1 was asked?
 *     hairpin              a third socket sends to the first one's outer address
 *     lifetime             a binding is left alone for some time; then a fifth socket has the
 *                          server answer to the port of the fourth.  Binary search.
 *
 * The core is sans-IO and has no memory of its own; behaviour_host.h runs it on a simulated host.
 * nat sheet 2.8. */
#ifndef WZP_SIM_HOST_BEHAVIOUR_H
#define WZP_SIM_HOST_BEHAVIOUR_H

#include "base/rng.h"
#include "base/time.h"
#include "nat/stun.h"

/* Who is who among the sockets. */
typedef enum wzp_sim_behaviour_socket {
    WZP_SIM_BEHAVIOUR_MAPPING,
    WZP_SIM_BEHAVIOUR_FILTERING,
    WZP_SIM_BEHAVIOUR_HAIRPIN,
    WZP_SIM_BEHAVIOUR_BINDING,
    WZP_SIM_BEHAVIOUR_PROBE,
    WZP_SIM_BEHAVIOUR_SOCKETS
} wzp_sim_behaviour_socket;

/* How much of the remote endpoint counts. */
typedef enum wzp_sim_behaviour_scope {
    WZP_SIM_BEHAVIOUR_UNKNOWN, /* the server could not help, or did not answer */
    WZP_SIM_BEHAVIOUR_ANY,
    WZP_SIM_BEHAVIOUR_ADDR,
    WZP_SIM_BEHAVIOUR_ADDR_PORT
} wzp_sim_behaviour_scope;

typedef enum wzp_sim_behaviour_turn {
    WZP_SIM_BEHAVIOUR_NO_TURN, /* or not tested, or nothing is translated */
    WZP_SIM_BEHAVIOUR_TURN_EXTERNAL,
    WZP_SIM_BEHAVIOUR_TURN_INTERNAL
} wzp_sim_behaviour_turn;

typedef struct wzp_sim_behaviour_result {
    bool answered;   /* the server did, at all */
    bool translated; /* what it saw is not the host's own address and port */
    bool many;       /* it saw several IPs */
    wzp_sim_behaviour_scope mapping, filtering;
    wzp_sim_behaviour_turn hairpin;
    wzp_addr seen[3]; /* of the mapping tests */
    /* Seconds: still there after `alive_s`, gone after `gone_s` (0: never seen gone).  Both 0: not
     * tested, or the NAT has several IPs and the probe got another one. */
    uint32_t alive_s, gone_s;
} wzp_sim_behaviour_result;

typedef struct wzp_sim_behaviour_cfg {
    wzp_addr server; /* IP1:P1; it tells the others */
    bool hairpin, lifetime;
    uint32_t lifetime_max_s; /* 0: 600 */
    uint64_t rto;            /* first retransmission, and doubling; 0: 500 ms */
    uint64_t timeout;        /* of one test; 0: 3 s */
} wzp_sim_behaviour_cfg;

typedef struct wzp_sim_behaviour_datagram {
    wzp_sim_behaviour_socket socket;
    wzp_addr to;
    uint8_t data[64];
    size_t len;
} wzp_sim_behaviour_datagram;

/* Private, but the caller's storage. */
typedef struct wzp_sim_behaviour {
    wzp_sim_behaviour_cfg cfg;
    wzp_rng rng;
    wzp_addr local[WZP_SIM_BEHAVIOUR_SOCKETS];
    int step;
    wzp_sim_behaviour_datagram request; /* of this test, to be sent again */
    uint8_t txid[WZP_STUN_TXID_LEN];
    wzp_sim_behaviour_socket listens; /* where its answer must arrive */
    uint16_t wants;                   /* type of that message */
    wzp_time again_at, ends_at;
    uint64_t gap;
    wzp_sim_behaviour_datagram out[2];
    size_t out_count;
    wzp_addr other;         /* IP2:P2 */
    wzp_addr outer[2];      /* hairpin: of the first and the third socket */
    uint16_t response_port; /* lifetime */
    uint32_t wait_s;
    wzp_sim_behaviour_result result;
} wzp_sim_behaviour;

/* Each socket's own address must be known: `local`, WZP_SIM_BEHAVIOUR_SOCKETS of them, copied.
 * Draws transaction ids from `rng`, which must outlive it. */
void wzp_sim_behaviour_start(wzp_sim_behaviour *b, const wzp_sim_behaviour_cfg *cfg,
                             const wzp_addr *local, wzp_rng rng, wzp_time now);

void wzp_sim_behaviour_recv(wzp_sim_behaviour *b, wzp_sim_behaviour_socket socket,
                            const wzp_addr *from, wzp_bytes payload, wzp_time now);
void wzp_sim_behaviour_tick(wzp_sim_behaviour *b, wzp_time now);
wzp_time wzp_sim_behaviour_deadline(const wzp_sim_behaviour *b); /* NEVER when it is done */
bool wzp_sim_behaviour_next(wzp_sim_behaviour *b, wzp_sim_behaviour_datagram *out);

/* NULL while it runs. */
const wzp_sim_behaviour_result *wzp_sim_behaviour_done(const wzp_sim_behaviour *b);

/* "endpoint-independent" and so on; static text. */
const char *wzp_sim_behaviour_scope_text(wzp_sim_behaviour_scope scope);

#endif
