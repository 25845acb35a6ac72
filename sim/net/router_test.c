/* Routers and switches: tables against a slow twin, TTL, ICMP errors, isolation. */
#include "sim/net/router.h"

#include <check.h>
#include <stdlib.h>

#include "base/rng.h"
#include "base/testing/suite.h"

static wzp_addr address(const char *text) {
    wzp_addr addr;
    ck_assert_msg(wzp_addr_parse(&addr, text) == WZP_OK, "%s", text);
    return addr;
}

/* --- pipes that remember the last packet ------------------------------------------------------ */

enum { PORTS = 4 };

typedef struct end {
    wzp_sim_pipe pipe;
    wzp_sim_packet *got; /* owned */
    unsigned count;
} end;

static void keep(wzp_sim_pipe *pipe, wzp_sim_packet *packet, wzp_time now) {
    end *e = (end *)pipe;
    (void)now;
    wzp_sim_packet_free(e->got);
    e->got = packet;
    e->count++;
}

typedef struct net {
    wzp_sim_pool *pool;
    wzp_sim_router *router;
    end ends[PORTS];
} net;

static void set_up(net *n, const wzp_sim_router_cfg *cfg) {
    *n = (net){.pool = wzp_sim_pool_new()};
    ck_assert_int_eq(wzp_sim_router_new(&n->router, cfg), WZP_OK);
    for (unsigned i = PORTS; i-- > 0;) { /* in any order */
        n->ends[i].pipe = (wzp_sim_pipe){.carry = keep, .name = "end"};
        ck_assert_int_eq(wzp_sim_router_attach(n->router, i, &n->ends[i].pipe), WZP_OK);
    }
}

static void tear_down(net *n) {
    for (size_t i = 0; i < PORTS; i++) {
        wzp_sim_packet_free(n->ends[i].got);
    }
    wzp_sim_router_free(&n->router);
    wzp_sim_router_free(&n->router);
    wzp_sim_pool_free(&n->pool);
}

static void route(net *n, const char *network, unsigned prefix, unsigned port) {
    const wzp_addr addr = address(network);
    ck_assert_int_eq(wzp_sim_router_route(n->router, &addr, prefix, port), WZP_OK);
}

static void send(net *n, unsigned port, const char *src, const char *dst, uint8_t ttl) {
    const wzp_addr from = address(src);
    const wzp_addr to = address(dst);
    wzp_sim_packet *packet =
        wzp_sim_packet_new(n->pool, &from, &to, wzp_bytes_str("sixteen bytes..."), 0);
    packet->ttl = ttl;
    for (size_t i = 0; i < PORTS; i++) {
        wzp_sim_packet_free(n->ends[i].got);
        n->ends[i].got = NULL;
    }
    wzp_sim_node_deliver(wzp_sim_router_node(n->router), port, packet, 5);
}

/* Which port it left by; -1: none. */
static int where(const net *n) {
    int port = -1;
    for (int i = 0; i < PORTS; i++) {
        if (n->ends[i].got != NULL) {
            ck_assert_int_eq(port, -1);
            port = i;
        }
    }
    return port;
}

static uint64_t dropped(const net *n, wzp_sim_drop why) {
    wzp_sim_counts counts;
    wzp_sim_router_count(n->router, &counts);
    return counts.dropped[why];
}

/* --- table ------------------------------------------------------------------------------------ */

static const struct table_case {
    const char *name, *dst;
    int port;
} table_cases[] = {
    {"default", "8.8.8.8:53", 0},
    {"network", "10.1.2.3:1", 1},
    {"longer prefix", "10.1.3.3:1", 2},
    {"its last address", "10.1.3.255:1", 2},
    {"the next one", "10.1.4.0:1", 1},
    {"odd length, inside", "172.16.0.127:1", 3},
    {"odd length, outside", "172.16.0.128:1", 0},
    {"host", "10.1.3.7:1", 3},
    {"IPv6 network", "[2001:db8:1::5]:1", 1},
    {"IPv6 longer prefix", "[2001:db8:1:8000::5]:1", 2},
    {"IPv6 host", "[2001:db8:1:8000::7]:1", 3},
    {"IPv6 without a default", "[2001:db9::1]:1", -1},
    {"the first replaced by a second", "192.0.2.200:1", 2},
    {"removed again", "198.51.100.1:1", 0},
    {"to a port without a pipe", "203.0.113.1:1", -1},
};

static void fill_table(net *n) {
    route(n, "10.1.0.9:0", 16, 1); /* bits beyond the prefix do not count */
    route(n, "0.0.0.0:0", 0, 0);
    route(n, "10.1.3.7:0", 32, 3);
    route(n, "10.1.3.0:77", 24, 2);
    route(n, "172.16.0.0:0", 25, 3);
    route(n, "[2001:db8:1::]:0", 48, 1);
    route(n, "[2001:db8:1:8000::7]:0", 128, 3);
    route(n, "[2001:db8:1:8000::]:0", 49, 2);
    route(n, "192.0.2.0:0", 24, 1);
    route(n, "192.0.2.1:0", 24, 2);
    route(n, "198.51.100.0:0", 24, 3);
    route(n, "203.0.113.0:0", 24, PORTS + 5);
    const wzp_addr gone = address("198.51.100.99:0");
    wzp_sim_router_unroute(n->router, &gone, 23); /* there is no such route */
    wzp_sim_router_unroute(n->router, &gone, 24);
    wzp_sim_router_unroute(n->router, &gone, 24);
}

START_TEST(longest_prefix) {
    const struct table_case *c = &table_cases[_i];
    const bool v6 = c->dst[0] == '[';
    net n;
    set_up(&n, &(wzp_sim_router_cfg){.name = "core"});
    fill_table(&n);
    send(&n, 0, v6 ? "[2001:db8::9]:1" : "9.9.9.9:9", c->dst, 64);
    ck_assert_msg(where(&n) == c->port, "%s: port %d", c->name, where(&n));
    if (c->port >= 0) {
        ck_assert_uint_eq(n.ends[c->port].got->ttl, 63);
    }
    ck_assert_uint_eq(dropped(&n, WZP_SIM_DROP_NO_ROUTE), c->port < 0);
    tear_down(&n);
}
END_TEST

/* --- against the twin ------------------------------------------------------------------------- */

enum { ROUTES = 200 };

typedef struct slow_route {
    wzp_addr network;
    unsigned prefix, port;
    bool there;
} slow_route;

/* Few different bits, so that prefixes overlap. */
static wzp_addr random_addr(wzp_prng *prng) {
    const uint64_t bits = wzp_prng_u64(prng);
    wzp_addr addr = {.family = (bits & 1) != 0 ? WZP_ADDR_V4 : WZP_ADDR_V6};
    const size_t len = addr.family == WZP_ADDR_V4 ? 4 : 16;
    for (size_t i = 0; i < len; i++) {
        addr.ip[i] = (uint8_t)((bits >> (8 + 3 * i)) & 0x81);
    }
    return addr;
}

static bool matches(const slow_route *r, const wzp_addr *addr) {
    bool same = r->there && r->network.family == addr->family;
    for (unsigned bit = 0; same && bit < r->prefix; bit++) {
        same = ((r->network.ip[bit / 8] ^ addr->ip[bit / 8]) & (0x80 >> bit % 8)) == 0;
    }
    return same;
}

static int slow_look_up(const slow_route *routes, size_t count, const wzp_addr *addr) {
    const slow_route *best = NULL;
    for (size_t i = 0; i < count; i++) {
        if (matches(&routes[i], addr) && (best == NULL || routes[i].prefix >= best->prefix)) {
            best = &routes[i];
        }
    }
    return best == NULL ? -1 : (int)best->port;
}

static void change_table(net *n, slow_route *routes, size_t at, wzp_prng *prng) {
    slow_route *r = &routes[at];
    const size_t older = wzp_prng_u64(prng) % (at + 1);
    r->network = random_addr(prng);
    r->prefix = (unsigned)(wzp_prng_u64(prng) % (r->network.family == WZP_ADDR_V4 ? 33 : 129));
    r->port = (unsigned)(wzp_prng_u64(prng) % PORTS);
    r->there = true;
    for (size_t i = 0; i < at; i++) { /* replaced */
        if (routes[i].prefix == r->prefix && matches(&routes[i], &r->network)) {
            routes[i].there = false;
        }
    }
    ck_assert_int_eq(wzp_sim_router_route(n->router, &r->network, r->prefix, r->port), WZP_OK);
    if (wzp_prng_u64(prng) % 3 == 0 && routes[older].there) {
        wzp_sim_router_unroute(n->router, &routes[older].network, routes[older].prefix);
        routes[older].there = false;
    }
}

START_TEST(routes_as_the_slow_twin) {
    slow_route routes[ROUTES] = {0};
    wzp_prng prng;
    net n;
    set_up(&n, &(wzp_sim_router_cfg){.name = "core"});
    wzp_prng_init(&prng, (uint64_t)_i, "routes");
    for (size_t i = 0; i < ROUTES; i++) {
        change_table(&n, routes, i, &prng);
        for (int k = 0; k < 20; k++) {
            const wzp_addr to = random_addr(&prng);
            char text[WZP_ADDR_TEXT_MAX];
            send(&n, 0, to.family == WZP_ADDR_V4 ? "9.9.9.9:9" : "[fe80::1]:9",
                 wzp_addr_text(&to, text), 64);
            ck_assert_msg(where(&n) == slow_look_up(routes, i + 1, &to), "%s", text);
        }
    }
    tear_down(&n);
}
END_TEST

/* --- TTL and errors --------------------------------------------------------------------------- */

static const wzp_sim_router_cfg core_cfg = {
    .name = "core",
    .address = {.family = WZP_ADDR_V4, .ip = {192, 0, 2, 1}},
    .address6 = {.family = WZP_ADDR_V6, .ip = {0x20, 1, 0xd, 0xb8, [15] = 1}},
};

static const struct error_case {
    const char *name, *src, *dst;
    uint8_t ttl;
    wzp_sim_icmp want;
    int port; /* where the packet or the error goes */
    wzp_sim_drop drop;
} error_cases[] = {
    {"passes with TTL 2", "10.0.0.1:1", "10.1.0.1:1", 2, WZP_SIM_ICMP_NONE, 1, WZP_SIM_DROP_TTL},
    {"TTL 1", "10.0.0.1:1", "10.1.0.1:1", 1, WZP_SIM_ICMP_TTL_EXCEEDED, 2, WZP_SIM_DROP_TTL},
    {"TTL 0", "10.0.0.1:1", "10.1.0.1:1", 0, WZP_SIM_ICMP_TTL_EXCEEDED, 2, WZP_SIM_DROP_TTL},
    {"TTL 1, IPv6", "[fd00::1]:1", "[fd01::1]:1", 1, WZP_SIM_ICMP_TTL_EXCEEDED, 2,
     WZP_SIM_DROP_TTL},
    {"no route", "10.0.0.1:1", "10.9.0.1:1", 64, WZP_SIM_ICMP_HOST_UNREACHABLE, 2,
     WZP_SIM_DROP_NO_ROUTE},
    {"no route, IPv6", "[fd00::1]:1", "[fd09::1]:1", 64, WZP_SIM_ICMP_HOST_UNREACHABLE, 2,
     WZP_SIM_DROP_NO_ROUTE},
    {"no route either way: back where it came from", "10.7.0.1:1", "10.9.0.1:1", 64,
     WZP_SIM_ICMP_HOST_UNREACHABLE, 3, WZP_SIM_DROP_NO_ROUTE},
};

START_TEST(errors_reach_the_sender) {
    const struct error_case *c = &error_cases[_i];
    net n;
    set_up(&n, &core_cfg);
    route(&n, "10.0.0.0:0", 16, 2);
    route(&n, "10.1.0.0:0", 16, 1);
    route(&n, "[fd00::]:0", 16, 2);
    route(&n, "[fd01::]:0", 16, 1);
    send(&n, 3, c->src, c->dst, c->ttl);
    ck_assert_msg(where(&n) == c->port, "%s: port %d", c->name, where(&n));
    const wzp_sim_packet *got = n.ends[c->port].got;
    ck_assert_msg(got->icmp == c->want, "%s: ICMP %d", c->name, got->icmp);
    ck_assert_uint_eq(dropped(&n, c->drop), c->want != WZP_SIM_ICMP_NONE);
    if (c->want != WZP_SIM_ICMP_NONE) {
        const wzp_addr src = address(c->src);
        const bool v4 = src.family == WZP_ADDR_V4;
        ck_assert(wzp_addr_equal(&got->src, v4 ? &core_cfg.address : &core_cfg.address6));
        ck_assert(wzp_addr_equal(&got->inner_src, &src));
        ck_assert_uint_eq(got->inner_ttl, c->ttl);
    }
    tear_down(&n);
}
END_TEST

START_TEST(a_router_without_an_address_is_silent) {
    net n;
    set_up(&n, &(wzp_sim_router_cfg){.name = "core"});
    send(&n, 3, "10.0.0.1:1", "10.1.0.1:1", 64);
    ck_assert_int_eq(where(&n), -1);
    send(&n, 3, "[fd00::1]:1", "[fd01::1]:1", 64);
    ck_assert_int_eq(where(&n), -1);
    ck_assert_uint_eq(dropped(&n, WZP_SIM_DROP_NO_ROUTE), 2);
    tear_down(&n);
}
END_TEST

/* Two routers that point at each other end by TTL; a switch must not even begin. */
START_TEST(a_switch_keeps_ttl_and_never_sends_back) {
    net n;
    set_up(&n, &(wzp_sim_router_cfg){.name = "lan", .keep_ttl = true});
    route(&n, "0.0.0.0:0", 0, 0);
    route(&n, "10.0.0.7:0", 32, 1);
    send(&n, 0, "9.9.9.9:9", "10.0.0.7:1", 1);
    ck_assert_int_eq(where(&n), 1);
    ck_assert_uint_eq(n.ends[1].got->ttl, 1);
    send(&n, 0, "9.9.9.9:9", "10.0.0.8:1", 64);
    ck_assert_int_eq(where(&n), -1);
    ck_assert_uint_eq(dropped(&n, WZP_SIM_DROP_NO_ROUTE), 1);
    tear_down(&n);
}
END_TEST

static const struct group_case {
    const char *name, *dst;
    bool isolate;
    unsigned in;
    bool want[PORTS]; /* where copies leave */
} group_cases[] = {
    {"search of a host", "239.255.255.250:1900", false, 1, {true, false, true, true}},
    {"announcement of the gateway", "224.0.0.1:5350", false, 0, {false, true, true, true}},
    {"IPv6", "[ff02::1]:5350", false, 3, {true, true, true, false}},
    {"isolated host", "239.255.255.250:1900", true, 1, {true, false, false, false}},
    {"to isolated hosts", "224.0.0.1:5350", true, 0, {false, true, true, true}},
};

START_TEST(a_switch_floods_groups) {
    const struct group_case *c = &group_cases[_i];
    net n;
    set_up(&n, &(wzp_sim_router_cfg){.name = "lan", .keep_ttl = true, .isolate = c->isolate});
    route(&n, "0.0.0.0:0", 0, 0);
    send(&n, c->in, c->dst[0] == '[' ? "[fd00::1]:9" : "10.0.0.7:9", c->dst, 1);
    for (size_t i = 0; i < PORTS; i++) {
        ck_assert_msg((n.ends[i].got != NULL) == c->want[i], "%s: port %zu", c->name, i);
    }
    tear_down(&n);
}
END_TEST

START_TEST(a_router_does_not) {
    net n;
    set_up(&n, &(wzp_sim_router_cfg){.name = "router"});
    route(&n, "0.0.0.0:0", 0, 0);
    send(&n, 1, "10.0.0.7:9", "239.255.255.250:1900", 64);
    ck_assert_int_eq(where(&n), 0);
    tear_down(&n);
}
END_TEST

static const struct isolate_case {
    const char *name, *dst;
    unsigned in;
    int port;
} isolate_cases[] = {
    {"host to the network", "8.8.8.8:53", 1, 0},
    {"network to a host", "10.0.0.2:1", 0, 2},
    {"host to host", "10.0.0.2:1", 1, -1},
    {"host to itself", "10.0.0.1:1", 1, -1},
};

START_TEST(isolated_clients) {
    const struct isolate_case *c = &isolate_cases[_i];
    net n;
    set_up(&n, &(wzp_sim_router_cfg){.name = "wifi", .isolate = true});
    route(&n, "0.0.0.0:0", 0, 0);
    route(&n, "10.0.0.1:0", 32, 1);
    route(&n, "10.0.0.2:0", 32, 2);
    send(&n, c->in, "10.0.0.1:9", c->dst, 64);
    ck_assert_msg(where(&n) == c->port, "%s: port %d", c->name, where(&n));
    ck_assert_uint_eq(dropped(&n, WZP_SIM_DROP_POLICY), c->port < 0);
    tear_down(&n);
}
END_TEST

START_TEST(what_passes_is_counted) {
    net n;
    wzp_sim_counts counts;
    set_up(&n, &core_cfg);
    route(&n, "10.1.0.0:0", 16, 1);
    send(&n, 0, "10.0.0.1:1", "10.1.0.1:1", 64);
    send(&n, 0, "10.0.0.1:1", "10.1.0.1:1", 1);
    wzp_sim_router_count(n.router, &counts);
    ck_assert_uint_eq(counts.in, 2);
    ck_assert_uint_eq(counts.bytes_in, 2 * UINT64_C(44));
    ck_assert_uint_eq(counts.out, 2); /* the packet and an error */
    ck_assert_uint_eq(counts.bytes_out, 44 + 28 + 44);
    ck_assert_uint_eq(counts.dropped[WZP_SIM_DROP_TTL], 1);
    ck_assert_str_eq(wzp_sim_router_node(n.router)->name, "core");
    tear_down(&n);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("router");
    tcase_add_loop_test(tc, longest_prefix, 0, WZP_COUNT_OF(table_cases));
    tcase_add_loop_test(tc, routes_as_the_slow_twin, 0, 5);
    tcase_add_loop_test(tc, errors_reach_the_sender, 0, WZP_COUNT_OF(error_cases));
    tcase_add_test(tc, a_router_without_an_address_is_silent);
    tcase_add_test(tc, a_switch_keeps_ttl_and_never_sends_back);
    tcase_add_loop_test(tc, a_switch_floods_groups, 0, WZP_COUNT_OF(group_cases));
    tcase_add_test(tc, a_router_does_not);
    tcase_add_loop_test(tc, isolated_clients, 0, WZP_COUNT_OF(isolate_cases));
    tcase_add_test(tc, what_passes_is_counted);
    return wzp_run_suite("router", tc);
}
