/* A NAT or firewall as a node of a network: port 0 is inside, port 1 outside.
 *
 *     inside --0-- policy -- NAT -- 1-- outside
 *
 * It answers for itself (ICMP, gateway services on its inside address), takes TTL, and drops with
 * a reason.  A second NAT, usually a firewall, may have the IPv6 packets; or the first has them too
 * and is a NAT64 (nat64.h).  nat sheet 2.3, 2.6, 2.9. */
#ifndef WZP_SIM_BOX_BOX_H
#define WZP_SIM_BOX_BOX_H

#include "sim/box/policy.h"
#include "sim/nat/nat.h"
#include "sim/net/node.h"

typedef struct wzp_sim_box wzp_sim_box;

typedef struct wzp_sim_box_cfg {
    const char *name; /* borrowed for its life; names its random streams */
    wzp_sim_nat_cfg nat;
    wzp_sim_policy_cfg policy;
    wzp_addr inside; /* its address there: gateway services, source of ICMP errors */
    wzp_addr externals[WZP_SIM_NAT_POOL_MAX];
    size_t external_count; /* may be 0 when `nat` is an identity */

    bool has_v6; /* IPv6 packets go through `v6`, an identity; else through `nat` if that is one */
    wzp_sim_nat_cfg v6;
    wzp_addr inside_v6; /* as `inside`; family NONE: it has none */
    bool nat64;         /* IPv6 to 64:ff9b::/96 leaves as IPv4 through `nat` */
} wzp_sim_box_cfg;

/* INVALID_ARGUMENT with the field in `fail`; NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_box_new(wzp_sim_box **out, const wzp_sim_box_cfg *cfg,
                                     wzp_sim_clock clock, wzp_sim_pool *pool, wzp_fail *fail);
/* Frees the packets that are in it.  Its engine must not run any more. */
void wzp_sim_box_free(wzp_sim_box **box);
wzp_sim_node *wzp_sim_box_node(wzp_sim_box *box);
void wzp_sim_box_attach(wzp_sim_box *box, unsigned port, wzp_sim_pipe *pipe); /* 0 or 1 */
wzp_sim_nat *wzp_sim_box_nat(wzp_sim_box *box);
wzp_sim_nat *wzp_sim_box_nat_v6(wzp_sim_box *box); /* NULL without `has_v6` */
/* Its address inside of this family; family NONE: it has none. */
wzp_addr wzp_sim_box_inside(const wzp_sim_box *box, wzp_addr_family family);

/* Whatever inside hosts send to the box's own address at this port (5351, 1900, 5000) goes to
 * `serve`; it answers with wzp_sim_box_answer.  Multicast to 239.255.255.250 counts as 1900.  At
 * most 8 ports; `serve` NULL ends it. */
typedef void wzp_sim_box_serve(void *ctx, const wzp_addr *from, const wzp_addr *to,
                               wzp_bytes payload, wzp_time now);
void wzp_sim_box_listen(wzp_sim_box *box, uint8_t proto, uint16_t port, wzp_sim_box_serve *serve,
                        void *ctx);
/* A UDP packet inside, also to multicast groups; `from` is the box's own address and port. */
void wzp_sim_box_answer(wzp_sim_box *box, const wzp_addr *from, const wzp_addr *to,
                        wzp_bytes payload, wzp_time now);

/* Nothing passes while it is down; what is in it is lost. */
void wzp_sim_box_power(wzp_sim_box *box, bool on);
bool wzp_sim_box_is_up(const wzp_sim_box *box);
/* Down for so long, and then without any state.  Another one meanwhile starts over. */
void wzp_sim_box_reboot(wzp_sim_box *box, uint64_t duration, wzp_time now);
/* Called when the box is up again after a reboot: its services have forgotten everything too. */
void wzp_sim_box_on_boot(wzp_sim_box *box, void (*boot)(void *ctx, wzp_time now), void *ctx);

/* wzp_sim_nat_watch for all NATs in the box, which then hear of what expires in time. */
void wzp_sim_box_watch(wzp_sim_box *box, void (*event)(void *ctx, const wzp_sim_nat_event *event),
                       void *ctx);

void wzp_sim_box_count(const wzp_sim_box *box, wzp_sim_counts *out);

#endif
