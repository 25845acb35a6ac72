/* A STUN server: Binding (RFC 8489) and the discovery of NAT behaviour (RFC 5780).
 *
 *     IP1:P1  IP1:P2     a request comes to one of the four; CHANGE-REQUEST asks that the answer
 *     IP2:P1  IP2:P2     leaves from the other IP, port, or both
 *
 * The core: a request in, one answer out, nothing kept.  stun_host.h puts it on simulated hosts. */
#ifndef WZP_SIM_HOST_STUN_H
#define WZP_SIM_HOST_STUN_H

#include "nat/stun.h"

#define WZP_SIM_STUN_PORT 3478
#define WZP_SIM_STUN_ANSWER_MAX 1700 /* with padding of 1500 */

typedef struct wzp_sim_stun_cfg {
    wzp_addr primary;   /* IP1:P1 */
    wzp_addr alternate; /* IP2:P2; family NONE: Binding only, and CHANGE-REQUEST is unknown */
} wzp_sim_stun_cfg;

typedef struct wzp_sim_stun_answer {
    wzp_addr from, to;
    size_t len;
    uint8_t data[WZP_SIM_STUN_ANSWER_MAX];
} wzp_sim_stun_answer;

/* `local` is where the request arrived, one of the four.  False: nothing is to be answered (not a
 * Binding request, or not STUN at all). */
bool wzp_sim_stun_serve(const wzp_sim_stun_cfg *cfg, const wzp_addr *local, const wzp_addr *remote,
                        wzp_bytes request, wzp_sim_stun_answer *out);

#endif
