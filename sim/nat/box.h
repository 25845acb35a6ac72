/* A NAT or firewall as a node of a network: port 0 is inside, port 1 outside.
 *
 *     inside --0-- policy -- NAT -- 1-- outside
 *
 * It answers for itself (ICMP, gateway services on its inside address), takes TTL, and drops with
 * a reason.  nat sheet 2.3, 2.6. */
#ifndef WZP_SIM_NAT_BOX_H
#define WZP_SIM_NAT_BOX_H

#include "sim/nat/nat.h"
#include "sim/nat/policy.h"
#include "sim/net/node.h"

typedef struct wzp_sim_box wzp_sim_box;

typedef struct wzp_sim_box_cfg {
    const char *name; /* borrowed for its life; names its random streams */
    wzp_sim_nat_cfg nat;
    wzp_sim_policy_cfg policy;
    wzp_addr inside; /* its address there: gateway services, source of ICMP errors */
    wzp_addr externals[WZP_SIM_NAT_POOL_MAX];
    size_t external_count;
} wzp_sim_box_cfg;

WZP_MUST_USE wzp_err wzp_sim_box_new(wzp_sim_box **out, const wzp_sim_box_cfg *cfg,
                                     wzp_sim_clock clock, wzp_sim_pool *pool, wzp_fail *fail);
void wzp_sim_box_free(wzp_sim_box **box);
wzp_sim_node *wzp_sim_box_node(wzp_sim_box *box);
void wzp_sim_box_attach(wzp_sim_box *box, unsigned port, wzp_sim_pipe *pipe); /* 0 or 1 */
wzp_sim_nat *wzp_sim_box_nat(wzp_sim_box *box);

/* Whatever inside hosts send to the box's own address at this UDP port (5351, 1900, 5000) goes to
 * `serve`; it answers with wzp_sim_box_answer.  Multicast to 239.255.255.250 counts as 1900. */
typedef void wzp_sim_box_serve(void *ctx, const wzp_addr *from, const wzp_addr *to,
                               wzp_bytes payload, wzp_time now);
void wzp_sim_box_listen(wzp_sim_box *box, uint8_t proto, uint16_t port, wzp_sim_box_serve *serve,
                        void *ctx);
void wzp_sim_box_answer(wzp_sim_box *box, const wzp_addr *from, const wzp_addr *to,
                        wzp_bytes payload, wzp_time now);

/* Nothing passes while it is down. */
void wzp_sim_box_power(wzp_sim_box *box, bool on);
void wzp_sim_box_reboot(wzp_sim_box *box, uint64_t duration, wzp_time now);

void wzp_sim_box_count(const wzp_sim_box *box, wzp_sim_counts *out);

#endif
