/* The NAT against its slow twin: random packets and events through NATs of random make. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "sim/engine/chance.h"
#include "sim/nat/testing/twin.h"

enum { NATS = 2400, STEPS = 500, BATCHES = 5, HOSTS = 4, UDP = 17, TCP = 6 };

typedef struct run {
    wzp_prng prng;
    wzp_sim_nat_cfg cfg;
    wzp_sim_nat *nat;
    wzp_sim_nat_twin *twin;
    wzp_addr pool[3];
    size_t pool_count;
    wzp_time now;
    bool moving;      /* events are part of a rebind */
    bool has_created; /* ... else of a packet */
    wzp_addr created;
    wzp_time last_event;
    const char *wrong;
    const char *what; /* the last step, of ... */
    wzp_addr a, b;
} run;

static uint64_t pick(run *r, uint64_t low, uint64_t high) {
    return wzp_chance_between(&r->prng, low, high);
}

static bool maybe(run *r, unsigned percent) {
    return pick(r, 1, 100) <= percent;
}

/* --- a NAT of random make --------------------------------------------------------------------- */

static void random_timers(run *r) {
    static const uint64_t times[] = {0, 1 * WZP_S, 3 * WZP_S, 10 * WZP_S};
    r->cfg.t_unreplied = times[pick(r, 1, 3)];
    r->cfg.t_replied = times[pick(r, 0, 3)];
    r->cfg.t_well_known = maybe(r, 20) ? times[pick(r, 0, 2)] : 0;
    r->cfg.t_filter = maybe(r, 30) ? times[pick(r, 0, 3)] : 0;
    r->cfg.no_refresh_in = maybe(r, 30);
    r->cfg.no_refresh_out = maybe(r, 15);
}

static void random_ports(run *r) {
    r->cfg.ports = (wzp_sim_nat_ports)pick(r, 0, 4);
    r->cfg.fallback = (wzp_sim_nat_ports)pick(r, 0, 4);
    r->cfg.delta = (uint32_t)pick(r, 0, 3);
    r->cfg.skip_ppm = maybe(r, 20) ? 300000 : 0;
    r->cfg.per_host_counter = maybe(r, 30);
    r->cfg.parity = maybe(r, 20);
    r->cfg.keep_well_known = maybe(r, 20);
    r->cfg.first_port = (uint16_t)pick(r, 1995, 2003);
    r->cfg.last_port = (uint16_t)(r->cfg.first_port + pick(r, 0, 20));
    r->cfg.degrade_on_collision = maybe(r, 20);
    r->cfg.t_hold = maybe(r, 30) ? pick(r, 1, 8) * WZP_S : 0;
    if (!r->cfg.overload && !r->cfg.identity && maybe(r, 25)) {
        r->cfg.block_size = (uint16_t)pick(r, 2, 4);
        r->cfg.blocks_max = (uint16_t)pick(r, 0, 3);
        r->cfg.last_port = (uint16_t)(r->cfg.first_port + pick(r, 3, 20));
        r->cfg.keep_well_known = false;
    } else {
        r->cfg.arbitrary_pooling = maybe(r, 20);
    }
}

static void random_limits(run *r) {
    static const uint32_t rates[] = {1, 2, 5, 10};
    r->cfg.quota = maybe(r, 30) ? (uint32_t)pick(r, 1, 8) : 0;
    r->cfg.quota_total = (uint32_t)pick(r, 8, 40);
    r->cfg.new_per_s = maybe(r, 20) ? rates[pick(r, 0, 3)] : 0;
    r->cfg.new_burst = (uint32_t)pick(r, 0, 5);
}

static void make(run *r, uint64_t seed) {
    wzp_prng_init(&r->prng, seed, "twin");
    r->cfg.identity = maybe(r, 10);
    r->cfg.overload = maybe(r, 30);
    r->cfg.mapping = (wzp_sim_nat_scope)pick(r, 0, 2);
    r->cfg.filtering = r->cfg.overload ? WZP_SIM_NAT_ADDR_PORT : (wzp_sim_nat_scope)pick(r, 0, 2);
    r->cfg.hairpin = (wzp_sim_nat_hairpin)pick(r, 0, 2);
    r->cfg.inbound_creates_state = r->cfg.overload && !r->cfg.identity && maybe(r, 40);
    r->cfg.icmp_kills_mapping = maybe(r, 30);
    r->cfg.port_map_reply_only = maybe(r, 30);
    random_timers(r);
    random_ports(r);
    random_limits(r);
    r->pool_count = maybe(r, 60) ? 1 : pick(r, 2, 3);
    for (size_t i = 0; i < r->pool_count; i++) {
        r->pool[i] = wzp_addr_v4(203, 0, 113, (uint8_t)(1 + i), 0);
    }
}

/* --- events ----------------------------------------------------------------------------------- */

static void hear(void *ctx, const wzp_sim_nat_event *event) {
    run *r = ctx;
    if (event->at < r->last_event || event->at > r->now) {
        r->wrong = "events are out of order";
    }
    r->last_event = event->at;
    if (event->kind == WZP_SIM_NAT_CREATED) {
        r->has_created = true;
        r->created = event->external;
    }
    const bool lost = event->kind == WZP_SIM_NAT_EXPIRED && strcmp(event->reason, "no port") == 0;
    if (r->moving && r->wrong == NULL && (event->kind == WZP_SIM_NAT_REBOUND || lost)) {
        r->wrong = wzp_sim_nat_twin_moved(r->twin, event);
    }
}

/* --- steps ------------------------------------------------------------------------------------ */

static wzp_addr inside(run *r) {
    static const uint16_t ports[] = {500, 1999, 2000, 2001, 2002, 2005};
    return wzp_addr_v4(10, 0, 0, (uint8_t)pick(r, 1, HOSTS), ports[pick(r, 0, 5)]);
}

static wzp_addr remote(run *r) {
    static const uint16_t ports[] = {80, 4433, 5000};
    return wzp_addr_v4(192, 0, 2, (uint8_t)pick(r, 1, 3), ports[pick(r, 0, 2)]);
}

static wzp_addr outside(run *r) {
    if (r->cfg.identity) {
        return inside(r);
    }
    wzp_addr external = r->pool[pick(r, 0, r->pool_count - 1)];
    external.port = maybe(r, 90) ? (uint16_t)pick(r, r->cfg.first_port, r->cfg.last_port)
                                 : (uint16_t)pick(r, 490, 510);
    if (maybe(r, 3)) {
        external.ip[3] = 99; /* nobody's */
    }
    return external;
}

static uint8_t proto(run *r) {
    return maybe(r, 85) ? UDP : TCP;
}

/* Remembered; put into words when something is wrong. */
static void say(run *r, const char *what, const wzp_addr *a, const wzp_addr *b) {
    r->what = what;
    r->a = *a;
    r->b = *b;
}

static void fail_with(run *r, const char *wrong) {
    r->wrong = r->wrong != NULL ? r->wrong : wrong;
}

static void out(run *r) {
    const wzp_addr src = inside(r);
    const wzp_addr dst = maybe(r, 15) && !r->cfg.identity ? outside(r) : remote(r);
    const uint8_t p = proto(r);
    wzp_addr src_after = src;
    wzp_addr dst_after = dst;
    say(r, p == UDP ? "out" : "out tcp", &src, &dst);
    r->has_created = false;
    const wzp_sim_nat_verdict verdict = wzp_sim_nat_out(r->nat, p, &src_after, &dst_after, r->now);
    fail_with(r, wzp_sim_nat_twin_out(r->twin, p, src, dst, r->has_created ? &r->created : NULL,
                                      verdict, src_after, dst_after, r->now));
}

static void in(run *r) {
    const wzp_addr src = remote(r);
    const wzp_addr dst = outside(r);
    const uint8_t p = proto(r);
    wzp_addr dst_after = dst;
    say(r, p == UDP ? "in" : "in tcp", &src, &dst);
    const wzp_sim_nat_verdict verdict = wzp_sim_nat_in(r->nat, p, &src, &dst_after, r->now);
    fail_with(r, wzp_sim_nat_twin_in(r->twin, p, src, dst, verdict, dst_after, r->now));
}

static void icmp(run *r) {
    const bool inbound = maybe(r, 50);
    const wzp_addr src = inbound ? outside(r) : remote(r);
    const wzp_addr dst = inbound ? remote(r) : inside(r);
    wzp_addr src_after = src;
    wzp_addr dst_after = dst;
    wzp_addr outer = inbound ? src : dst;
    say(r, inbound ? "icmp-in" : "icmp-out", &src, &dst);
    if (inbound) {
        const bool ok = wzp_sim_nat_icmp_in(r->nat, UDP, &outer, &src_after, &dst_after, r->now);
        fail_with(r, wzp_sim_nat_twin_icmp_in(r->twin, UDP, src, dst, ok, src_after, r->now));
    } else {
        const bool ok = wzp_sim_nat_icmp_out(r->nat, UDP, &outer, &src_after, &dst_after, r->now);
        fail_with(r, wzp_sim_nat_twin_icmp_out(r->twin, UDP, src, dst, ok, dst_after, r->now));
    }
}

static void map(run *r) {
    wzp_sim_nat_explicit mapping = {.proto = proto(r),
                                    .internal = inside(r),
                                    .external = outside(r),
                                    .expires = maybe(r, 50) ? r->now + pick(r, 1, 5) * WZP_S
                                                            : WZP_TIME_NEVER};
    if (r->cfg.identity) {
        mapping.external = mapping.internal;
    }
    if (maybe(r, 30)) {
        mapping.remote = remote(r);
        mapping.remote.port = maybe(r, 50) ? 0 : mapping.remote.port;
    }
    say(r, "map", &mapping.internal, &mapping.external);
    if (mapping.external.ip[3] == 99) {
        return;
    }
    const wzp_err err = wzp_sim_nat_map(r->nat, &mapping, r->now);
    fail_with(r, wzp_sim_nat_twin_map(r->twin, &mapping, err, r->now));
}

static void unmap(run *r) {
    const wzp_addr external = outside(r);
    say(r, "unmap", &external, &external);
    fail_with(r, wzp_sim_nat_twin_unmap(r->twin, UDP, external,
                                        wzp_sim_nat_unmap(r->nat, UDP, &external)));
}

static void ask(run *r) {
    const wzp_addr external = outside(r);
    say(r, "port free", &external, &external);
    const bool is_free = wzp_sim_nat_port_free(r->nat, UDP, &external, r->now);
    fail_with(r, r->cfg.identity
                     ? NULL
                     : wzp_sim_nat_twin_port_free(r->twin, UDP, external, is_free, r->now));
}

static void rebind(run *r, bool renumber) {
    if (renumber) {
        r->pool_count = pick(r, 1, 3);
        for (size_t i = 0; i < r->pool_count; i++) {
            r->pool[i].family = WZP_ADDR_V4;
            memcpy(r->pool[i].ip, (uint8_t[]){203, 0, 113, (uint8_t)(10 * pick(r, 1, 5) + i)}, 4);
        }
    }
    say(r, renumber ? "renumber" : "rebind", &r->pool[0], &r->pool[0]);
    wzp_sim_nat_tick(r->nat, r->now);
    wzp_sim_nat_twin_rebind(r->twin, renumber ? r->pool : NULL, r->pool_count, r->now);
    r->moving = true;
    if (renumber) {
        wzp_sim_nat_renumber(r->nat, r->pool, r->pool_count, r->now);
    } else {
        wzp_sim_nat_rebind(r->nat, r->now);
    }
    r->moving = false;
    fail_with(r, wzp_sim_nat_twin_rebound(r->twin));
}

static void happen(run *r) {
    const wzp_addr none = {0};
    const uint64_t which = pick(r, 0, 4);
    say(r, which == 0 ? "flush" : which == 1 ? "reboot" : "expire", &none, &none);
    if (which == 0) {
        wzp_sim_nat_flush(r->nat, r->now);
        wzp_sim_nat_twin_flush(r->twin, r->now);
    } else if (which == 1) {
        wzp_sim_nat_reboot(r->nat, r->now);
        wzp_sim_nat_twin_reboot(r->twin, r->now);
    } else if (which == 2) {
        wzp_sim_nat_expire(r->nat, r->now);
        wzp_sim_nat_twin_expire(r->twin, r->now);
    } else {
        rebind(r, which == 4 && r->cfg.block_size == 0 && !r->cfg.identity);
    }
}

static void step(run *r) {
    const uint64_t which = pick(r, 0, 199);
    if (maybe(r, 30)) { /* often such that something is over at this very time */
        r->now += maybe(r, 50) ? pick(r, 1, 4) * (WZP_S / 4) : pick(r, 1, 500) * WZP_MS;
        r->now += maybe(r, 5) ? pick(r, 1, 5) * WZP_S : maybe(r, 5);
    }
    if (which < 95) {
        out(r);
    } else if (which < 170) {
        in(r);
    } else if (which < 180) {
        icmp(r);
    } else if (which < 188) {
        map(r);
    } else if (which < 193) {
        unmap(r);
    } else if (which < 197) {
        ask(r);
    } else {
        happen(r);
    }
    wzp_sim_nat_counts counts;
    wzp_sim_nat_tick(r->nat, r->now);
    wzp_sim_nat_count(r->nat, &counts);
    fail_with(r, wzp_sim_nat_twin_check(r->twin, &counts, r->now));
}

static void give_up(const run *r, uint64_t seed, unsigned step) {
    const wzp_sim_nat_cfg *cfg = &r->cfg;
    char a[WZP_ADDR_TEXT_MAX];
    char b[WZP_ADDR_TEXT_MAX];
    ck_abort_msg("WZP_TWIN_SEED=%llu, step %u at %llu: %s %s > %s: %s (mapping %d filtering %d "
                 "identity %d overload %d ports %d fallback %d delta %u range %u-%u blocks %u x %u "
                 "parity %d well-known %d degrade %d hold %llu filter %llu pool %d quota %u of %u "
                 "rate %u)",
                 (unsigned long long)seed, step, (unsigned long long)r->now, r->what,
                 wzp_addr_text(&r->a, a), wzp_addr_text(&r->b, b), r->wrong, cfg->mapping,
                 cfg->filtering, cfg->identity, cfg->overload, cfg->ports, cfg->fallback,
                 cfg->delta, cfg->first_port, cfg->last_port, cfg->blocks_max, cfg->block_size,
                 cfg->parity, cfg->keep_well_known, cfg->degrade_on_collision,
                 (unsigned long long)(cfg->t_hold / WZP_S),
                 (unsigned long long)(cfg->t_filter / WZP_S), cfg->arbitrary_pooling, cfg->quota,
                 cfg->quota_total, cfg->new_per_s);
}

/* False: there is no such NAT. */
static bool compare(uint64_t seed) {
    run r = {.now = WZP_S};
    wzp_fail fail = {.field = "-"};
    make(&r, seed);
    const wzp_err err =
        wzp_sim_nat_new(&r.nat, &r.cfg, r.pool, r.pool_count, seed, "nat", r.now, &fail);
    if (err != WZP_OK) { /* blocks that do not fit, ... */
        ck_assert_int_eq(err, WZP_ERR_INVALID_ARGUMENT);
        return false;
    }
    wzp_sim_nat_watch(r.nat, hear, &r);
    r.twin = wzp_sim_nat_twin_new(&r.cfg, r.pool, r.pool_count, r.now);
    for (unsigned i = 0; i < STEPS; i++) {
        step(&r);
        if (r.wrong != NULL) { /* each ck_assert() writes to a file */
            give_up(&r, seed, i);
        }
    }
    wzp_sim_nat_twin_free(r.twin);
    wzp_sim_nat_free(&r.nat);
    return true;
}

static uint64_t number(const char *variable, uint64_t standard) {
    const char *text = getenv(variable); /* NOLINT(concurrency-mt-unsafe): one thread */
    return text != NULL ? strtoull(text, NULL, 10) : standard;
}

/* WZP_TWIN_SEED=N replays one, with WZP_TWIN_COUNT so many from there on. */
START_TEST(agree) {
    const uint64_t each = NATS / BATCHES;
    const uint64_t first = number("WZP_TWIN_SEED", (uint64_t)_i * each);
    const uint64_t some = first == (uint64_t)_i * each ? each : 1;
    const uint64_t count = number("WZP_TWIN_COUNT", some);
    uint64_t compared = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        compared += compare(seed);
    }
    ck_assert_uint_ge(compared, count * 9 / 10);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("twin");
    tcase_add_loop_test(tc, agree, 0, BATCHES);
    return wzp_run_suite("twin", tc);
}
