#include "sim/box/box.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/box/alg.h"
#include "sim/box/nat64.h"

enum { INSIDE, OUTSIDE, LISTENERS = 8, SSDP_PORT = 1900 };

typedef struct listener {
    uint8_t proto;
    uint16_t port;
    wzp_sim_box_serve *serve;
    void *ctx;
} listener;

/* Packets that the box has judged and is about to send: all wait equally long. */
typedef struct exit_queue {
    wzp_sim_pipe *pipe;
    wzp_sim_packet *head, *tail;
} exit_queue;

struct wzp_sim_box {
    wzp_sim_node node; /* first */
    wzp_sim_box_cfg cfg;
    wzp_sim_clock clock;
    wzp_sim_pool *pool;
    wzp_sim_nat *nat, *nat_v6;
    wzp_sim_policy *policy;
    exit_queue exits[2];
    listener listeners[LISTENERS];
    bool down;
    uint64_t reboots; /* so that only the last one ends it */
    wzp_time wake;    /* when the NATs are to be told the time; NEVER: no task waits */
    void (*boot)(void *ctx, wzp_time now);
    void *boot_ctx;
    wzp_sim_counts counts;
};

static void drop(wzp_sim_box *box, wzp_sim_packet *packet, wzp_sim_drop why) {
    box->counts.dropped[why]++;
    wzp_sim_packet_free(packet);
}

/* --- leaving ---------------------------------------------------------------------------------- */

static void leave(void *self, void *arg, wzp_time now) {
    wzp_sim_box *box = self;
    exit_queue *queue = arg;
    wzp_sim_packet *packet = queue->head;
    queue->head = packet->next;
    packet->next = NULL;
    if (box->down) {
        drop(box, packet, WZP_SIM_DROP_NODE_DOWN);
        return;
    }
    box->counts.out++;
    box->counts.bytes_out += wzp_sim_packet_wire_len(packet);
    wzp_sim_pipe_carry(queue->pipe, packet, now);
}

static void send(wzp_sim_box *box, unsigned side, wzp_sim_packet *packet, wzp_time now) {
    exit_queue *queue = &box->exits[side];
    if (queue->pipe == NULL) {
        drop(box, packet, WZP_SIM_DROP_NO_ROUTE);
        return;
    }
    packet->next = NULL;
    if (queue->head == NULL) {
        queue->head = packet;
    } else {
        queue->tail->next = packet;
    }
    queue->tail = packet;
    wzp_sim_at(box->clock, wzp_time_after(now, box->cfg.nat.proc_delay), leave, box, queue);
}

/* --- ICMP of the box itself ------------------------------------------------------------------- */

static const wzp_addr *own_address(const wzp_sim_box *box, unsigned side, uint8_t family) {
    const wzp_addr *inside = family == WZP_ADDR_V6 ? &box->cfg.inside_v6 : &box->cfg.inside;
    const bool has_external = box->cfg.external_count > 0 && box->cfg.externals[0].family == family;
    return side == OUTSIDE && has_external ? &box->cfg.externals[0] : inside;
}

/* Back to where `about` came from. */
static void complain(wzp_sim_box *box, unsigned side, const wzp_sim_packet *about,
                     wzp_sim_icmp what, const wzp_addr *from, wzp_time now) {
    wzp_addr source = from != NULL ? *from : *own_address(box, side, about->src.family);
    source.port = 0;
    wzp_sim_packet *icmp =
        source.family != WZP_ADDR_NONE ? wzp_sim_packet_icmp(about, &source, what, 0, now) : NULL;
    if (icmp != NULL) {
        send(box, side, icmp, now);
    }
}

/* --- for the box itself ----------------------------------------------------------------------- */

static bool is_multicast(const wzp_addr *addr) {
    return (addr->family == WZP_ADDR_V4 && addr->ip[0] >= 224) ||
           (addr->family == WZP_ADDR_V6 && addr->ip[0] == 0xff);
}

static bool is_own(const wzp_sim_box *box, const wzp_addr *addr) {
    return wzp_addr_same_ip(addr, &box->cfg.inside) || wzp_addr_same_ip(addr, &box->cfg.inside_v6);
}

static listener *find_listener(wzp_sim_box *box, uint8_t proto, uint16_t port) {
    for (size_t i = 0; i < LISTENERS; i++) {
        listener *l = &box->listeners[i];
        if (l->serve != NULL && l->proto == proto && l->port == port) {
            return l;
        }
    }
    return NULL;
}

static bool is_ssdp(const wzp_addr *addr) {
    const wzp_addr group = wzp_addr_v4(239, 255, 255, 250, SSDP_PORT);
    return wzp_addr_equal(addr, &group);
}

static void serve_own(wzp_sim_box *box, wzp_sim_packet *packet, wzp_time now) {
    const bool own = is_own(box, &packet->dst);
    const listener *l =
        own || is_ssdp(&packet->dst) ? find_listener(box, packet->proto, packet->dst.port) : NULL;
    if (l == NULL) {
        if (own) {
            complain(box, INSIDE, packet, WZP_SIM_ICMP_PORT_UNREACHABLE, &packet->dst, now);
        }
        drop(box, packet, own ? WZP_SIM_DROP_NO_SOCKET : WZP_SIM_DROP_NO_ROUTE);
        return;
    }
    l->serve(l->ctx, &packet->src, &packet->dst, wzp_bytes_of(packet->payload, packet->len), now);
    wzp_sim_packet_free(packet);
}

/* --- through the box -------------------------------------------------------------------------- */

/* Whoever watches a NAT hears of what expires when it does. */
static void wake(void *self, void *arg, wzp_time now);

static void sleep_until_due(wzp_sim_box *box) {
    wzp_time due = wzp_sim_nat_deadline(box->nat);
    if (box->nat_v6 != NULL) {
        due = wzp_time_min(due, wzp_sim_nat_deadline(box->nat_v6));
    }
    if (due < box->wake) {
        box->wake = due;
        wzp_sim_at(box->clock, due, wake, box, NULL);
    }
}

static void wake(void *self, void *arg, wzp_time now) {
    wzp_sim_box *box = self;
    (void)arg;
    if (now < box->wake) {
        return; /* of an earlier mind */
    }
    box->wake = WZP_TIME_NEVER;
    wzp_sim_nat_tick(box->nat, now);
    if (box->nat_v6 != NULL) {
        wzp_sim_nat_tick(box->nat_v6, now);
    }
    sleep_until_due(box);
}

/* The NAT that has packets of this family; NULL: none. */
static wzp_sim_nat *nat_for(const wzp_sim_box *box, const wzp_addr *addr) {
    if (addr->family == WZP_ADDR_V6 && box->nat_v6 != NULL) {
        return box->nat_v6;
    }
    const bool fits = box->cfg.nat.identity || box->cfg.externals[0].family == addr->family;
    return fits ? box->nat : NULL;
}

static wzp_sim_drop reason_of(wzp_sim_nat_verdict verdict) {
    static const wzp_sim_drop reasons[] = {[WZP_SIM_NAT_DROP_NO_MAPPING] = WZP_SIM_DROP_NO_MAPPING,
                                           [WZP_SIM_NAT_DROP_FILTER] = WZP_SIM_DROP_FILTER,
                                           [WZP_SIM_NAT_DROP_QUOTA] = WZP_SIM_DROP_QUOTA,
                                           [WZP_SIM_NAT_DROP_HAIRPIN] = WZP_SIM_DROP_HAIRPIN};
    return reasons[verdict];
}

static void send_inside(wzp_sim_box *box, wzp_sim_packet *packet, wzp_time now) {
    if (packet->dst.family == WZP_ADDR_V6 && packet->src.family == WZP_ADDR_V4) {
        wzp_sim_nat64_to_v6(packet);
    }
    send(box, INSIDE, packet, now);
}

static void icmp_out(wzp_sim_box *box, wzp_sim_nat *nat, wzp_sim_packet *packet, wzp_time now) {
    if (wzp_sim_nat_icmp_out(nat, packet->inner_proto, &packet->src, &packet->inner_src,
                             &packet->inner_dst, now)) {
        send(box, OUTSIDE, packet, now);
    } else {
        drop(box, packet, WZP_SIM_DROP_NO_MAPPING);
    }
}

static void translate_payload(const wzp_sim_box *box, wzp_sim_packet *packet, const wzp_addr *was,
                              const wzp_addr *is) {
    if (box->cfg.nat.alg_stun && packet->proto == WZP_SIM_UDP) {
        (void)wzp_sim_alg_stun(packet->payload, packet->len, was, is);
    }
}

static void pass_out(wzp_sim_box *box, wzp_sim_packet *packet, wzp_time now) {
    if (box->cfg.nat64) {
        (void)wzp_sim_nat64_to_v4(packet);
    }
    wzp_sim_nat *nat = nat_for(box, &packet->dst);
    if (nat == NULL) {
        drop(box, packet, WZP_SIM_DROP_NO_ROUTE);
        return;
    }
    if (packet->proto == WZP_SIM_ICMP) {
        icmp_out(box, nat, packet, now);
        return;
    }
    const wzp_addr was = packet->src;
    const wzp_sim_nat_verdict verdict =
        wzp_sim_nat_out(nat, packet->proto, &packet->src, &packet->dst, now);
    translate_payload(box, packet, &was, &packet->src);
    if (verdict == WZP_SIM_NAT_FORWARD) {
        send(box, OUTSIDE, packet, now);
    } else if (verdict == WZP_SIM_NAT_TURN) {
        send_inside(box, packet, now);
    } else {
        drop(box, packet, reason_of(verdict));
    }
}

static void icmp_in(wzp_sim_box *box, wzp_sim_nat *nat, wzp_sim_packet *packet, wzp_time now) {
    if (wzp_sim_nat_icmp_in(nat, packet->inner_proto, &packet->dst, &packet->inner_src,
                            &packet->inner_dst, now)) {
        send_inside(box, packet, now);
    } else {
        drop(box, packet, WZP_SIM_DROP_NO_MAPPING);
    }
}

static void pass_in(wzp_sim_box *box, wzp_sim_packet *packet, wzp_time now) {
    wzp_sim_nat *nat = nat_for(box, &packet->dst);
    if (nat == NULL) {
        drop(box, packet, WZP_SIM_DROP_NO_ROUTE);
        return;
    }
    if (packet->proto == WZP_SIM_ICMP) {
        icmp_in(box, nat, packet, now);
        return;
    }
    const wzp_addr was = packet->dst;
    const wzp_sim_nat_verdict verdict =
        wzp_sim_nat_in(nat, packet->proto, &packet->src, &packet->dst, now);
    if (verdict == WZP_SIM_NAT_FORWARD) {
        translate_payload(box, packet, &was, &packet->dst);
        send_inside(box, packet, now);
        return;
    }
    if (verdict == WZP_SIM_NAT_DROP_NO_MAPPING && box->cfg.nat.icmp_on_miss) {
        complain(box, OUTSIDE, packet, WZP_SIM_ICMP_PORT_UNREACHABLE, &packet->dst, now);
    }
    drop(box, packet, reason_of(verdict));
}

/* What does not depend on the NAT; false: the packet is gone. */
static bool may_pass(wzp_sim_box *box, unsigned side, wzp_sim_packet *packet, wzp_time now) {
    if (packet->ttl <= 1) {
        complain(box, side, packet, WZP_SIM_ICMP_TTL_EXCEEDED, NULL, now);
        drop(box, packet, WZP_SIM_DROP_TTL);
        return false;
    }
    packet->ttl--;
    const wzp_sim_policy_verdict verdict =
        wzp_sim_policy_judge(box->policy, packet, side == INSIDE, now);
    if (verdict == WZP_SIM_POLICY_REJECT) {
        complain(box, side, packet, WZP_SIM_ICMP_ADMIN_PROHIBITED, NULL, now);
    }
    if (verdict != WZP_SIM_POLICY_PASS) {
        drop(box, packet, WZP_SIM_DROP_POLICY);
        return false;
    }
    return true;
}

static void deliver(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    wzp_sim_box *box = (wzp_sim_box *)node;
    assert(port <= OUTSIDE);
    box->counts.in++;
    box->counts.bytes_in += wzp_sim_packet_wire_len(packet);
    if (box->down) {
        drop(box, packet, WZP_SIM_DROP_NODE_DOWN);
    } else if (port == INSIDE && (is_own(box, &packet->dst) || is_multicast(&packet->dst))) {
        serve_own(box, packet, now);
    } else if (may_pass(box, port, packet, now)) {
        (port == INSIDE ? pass_out : pass_in)(box, packet, now);
    }
    sleep_until_due(box);
}

/* --- life ------------------------------------------------------------------------------------- */

static wzp_err fill(wzp_sim_box *box, wzp_fail *fail) {
    const wzp_sim_box_cfg *cfg = &box->cfg;
    const wzp_time now = wzp_sim_now(box->clock);
    if (cfg->has_v6 && !cfg->v6.identity) {
        *fail = (wzp_fail){.code = WZP_ERR_INVALID_ARGUMENT, .field = "v6"};
        return fail->code;
    }
    wzp_err err = wzp_sim_policy_new(&box->policy, &cfg->policy, box->clock.seed, cfg->name, now);
    if (err != WZP_OK) {
        *fail = (wzp_fail){.code = err, .field = "policy"};
        return err;
    }
    err = wzp_sim_nat_new(&box->nat, &cfg->nat, cfg->externals, cfg->external_count,
                          box->clock.seed, cfg->name, now, fail);
    if (err == WZP_OK && cfg->has_v6) {
        err =
            wzp_sim_nat_new(&box->nat_v6, &cfg->v6, NULL, 0, box->clock.seed, cfg->name, now, fail);
    }
    return err;
}

wzp_err wzp_sim_box_new(wzp_sim_box **out, const wzp_sim_box_cfg *cfg, wzp_sim_clock clock,
                        wzp_sim_pool *pool, wzp_fail *fail) {
    wzp_sim_box *box = calloc(1, sizeof *box);
    if (box == NULL) {
        *fail = (wzp_fail){.code = WZP_ERR_NOMEM, .field = "box"};
        return fail->code;
    }
    box->node = (wzp_sim_node){.deliver = deliver, .name = cfg->name};
    box->cfg = *cfg;
    box->cfg.nat.proc_delay = cfg->nat.proc_delay > 0 ? cfg->nat.proc_delay : 100 * WZP_US;
    box->clock = clock;
    box->pool = pool;
    box->wake = WZP_TIME_NEVER;
    const wzp_err err = fill(box, fail);
    if (err != WZP_OK) {
        wzp_sim_box_free(&box);
        return err;
    }
    *out = box;
    return WZP_OK;
}

void wzp_sim_box_free(wzp_sim_box **box) {
    if (*box == NULL) {
        return;
    }
    for (size_t side = 0; side < 2; side++) {
        wzp_sim_packet *next = NULL;
        for (wzp_sim_packet *p = (*box)->exits[side].head; p != NULL; p = next) {
            next = p->next;
            wzp_sim_packet_free(p);
        }
    }
    wzp_sim_nat_free(&(*box)->nat);
    wzp_sim_nat_free(&(*box)->nat_v6);
    wzp_sim_policy_free(&(*box)->policy);
    free(*box);
    *box = NULL;
}

wzp_sim_node *wzp_sim_box_node(wzp_sim_box *box) {
    return &box->node;
}

void wzp_sim_box_attach(wzp_sim_box *box, unsigned port, wzp_sim_pipe *pipe) {
    assert(port <= OUTSIDE);
    box->exits[port].pipe = pipe;
}

wzp_sim_nat *wzp_sim_box_nat(wzp_sim_box *box) {
    return box->nat;
}

wzp_sim_nat *wzp_sim_box_nat_v6(wzp_sim_box *box) {
    return box->nat_v6;
}

wzp_addr wzp_sim_box_inside(const wzp_sim_box *box, wzp_addr_family family) {
    if (box->cfg.inside.family == family) {
        return box->cfg.inside;
    }
    return box->cfg.inside_v6.family == family ? box->cfg.inside_v6 : (wzp_addr){0};
}

void wzp_sim_box_listen(wzp_sim_box *box, uint8_t proto, uint16_t port, wzp_sim_box_serve *serve,
                        void *ctx) {
    listener *l = find_listener(box, proto, port);
    for (size_t i = 0; i < LISTENERS && l == NULL; i++) {
        l = box->listeners[i].serve == NULL ? &box->listeners[i] : NULL;
    }
    assert(l != NULL);
    *l = (listener){proto, port, serve, ctx};
}

void wzp_sim_box_answer(wzp_sim_box *box, const wzp_addr *from, const wzp_addr *to,
                        wzp_bytes payload, wzp_time now) {
    wzp_sim_packet *packet = wzp_sim_packet_new(box->pool, from, to, payload, now);
    if (packet == NULL) {
        box->counts.dropped[WZP_SIM_DROP_NOMEM]++;
    } else if (box->down) {
        drop(box, packet, WZP_SIM_DROP_NODE_DOWN);
    } else {
        send(box, INSIDE, packet, now);
    }
}

/* --- power ------------------------------------------------------------------------------------ */

void wzp_sim_box_power(wzp_sim_box *box, bool on) {
    box->down = !on;
}

bool wzp_sim_box_is_up(const wzp_sim_box *box) {
    return !box->down;
}

/* `arg` carries the number of the reboot: pointers are the only luggage that tasks have. */
static void boot(void *self, void *arg, wzp_time now) {
    wzp_sim_box *box = self;
    if ((uintptr_t)arg != (uintptr_t)box->reboots) {
        return;
    }
    wzp_sim_nat_reboot(box->nat, now);
    if (box->nat_v6 != NULL) {
        wzp_sim_nat_reboot(box->nat_v6, now);
    }
    box->down = false;
    if (box->boot != NULL) {
        box->boot(box->boot_ctx, now);
    }
}

void wzp_sim_box_reboot(wzp_sim_box *box, uint64_t duration, wzp_time now) {
    box->down = true;
    box->reboots++;
    wzp_sim_at(box->clock, wzp_time_after(now, duration), boot, box,
               (void *)(uintptr_t)box->reboots); /* NOLINT(performance-no-int-to-ptr) */
}

void wzp_sim_box_on_boot(wzp_sim_box *box, void (*on_boot)(void *ctx, wzp_time now), void *ctx) {
    box->boot = on_boot;
    box->boot_ctx = ctx;
}

void wzp_sim_box_watch(wzp_sim_box *box, void (*event)(void *ctx, const wzp_sim_nat_event *event),
                       void *ctx) {
    wzp_sim_nat_watch(box->nat, event, ctx);
    if (box->nat_v6 != NULL) {
        wzp_sim_nat_watch(box->nat_v6, event, ctx);
    }
    sleep_until_due(box);
}

void wzp_sim_box_count(const wzp_sim_box *box, wzp_sim_counts *out) {
    *out = box->counts;
}
