#include "sim/gateway/lease.h"

#include <stdio.h>

#include "sim/gateway/testing/gateway.h"

static wzp_sim_lease_ask ask_for(const char *internal, uint16_t external) {
    return (wzp_sim_lease_ask){.by = WZP_SIM_LEASE_PMP,
                               .proto = 17,
                               .internal = addr_of(internal),
                               .external = external,
                               .lifetime_s = 3600};
}

/* The port that is granted; 0 and a result otherwise. */
static uint16_t grant(bench *b, const wzp_sim_lease_ask *ask, wzp_sim_lease_result want) {
    const wzp_sim_lease *lease = NULL;
    const wzp_sim_lease_result result = wzp_sim_leases_grant(b->leases, ask, b->now, &lease);
    ck_assert_uint_eq(result, want);
    return result == WZP_SIM_LEASE_GRANTED ? lease->external.port : 0;
}

static uint16_t granted(bench *b, const char *internal, uint16_t external) {
    const wzp_sim_lease_ask ask = ask_for(internal, external);
    return grant(b, &ask, WZP_SIM_LEASE_GRANTED);
}

START_TEST(forwards_until_it_ends) {
    bench b = bench_new("symrand", NULL);
    ck_assert_uint_eq(granted(&b, "192.168.1.10:40000", 50000), 50000);
    BENCH_ASSERT_REACH(&b, 50000, "192.168.1.10:40000");
    b.now += 3600 * WZP_S - 1;
    wzp_sim_leases_tick(b.leases, b.now);
    BENCH_ASSERT_REACH(&b, 50000, "192.168.1.10:40000");
    ck_assert_uint_eq(wzp_sim_leases_deadline(b.leases), b.now + 1);
    b.now += 1;
    wzp_sim_leases_tick(b.leases, b.now);
    BENCH_ASSERT_REACH(&b, 50000, "-");
    ck_assert_uint_eq(wzp_sim_leases_count(b.leases), 0);
    ck_assert(wzp_sim_leases_deadline(b.leases) == WZP_TIME_NEVER);
    bench_free(&b);
}
END_TEST

START_TEST(renewal_keeps_the_port) {
    bench b = bench_new("symrand", NULL);
    ck_assert_uint_eq(granted(&b, "192.168.1.10:40000", 50000), 50000);
    b.now += 1800 * WZP_S;
    ck_assert_uint_eq(granted(&b, "192.168.1.10:40000", 0), 50000);
    ck_assert_uint_eq(wzp_sim_leases_count(b.leases), 1);
    b.now += 3599 * WZP_S;
    BENCH_ASSERT_REACH(&b, 50000, "192.168.1.10:40000");
    bench_free(&b);
}
END_TEST

/* The socket that asks has often sent already, from this very port. */
START_TEST(own_dynamic_mapping_is_no_obstacle) {
    bench b = bench_new("linux-masq", NULL);
    wzp_addr src = addr_of("192.168.1.10:40000");
    wzp_addr dst = addr_of("198.51.100.1:4433");
    ck_assert(wzp_sim_nat_out(b.nat, 17, &src, &dst, b.now) == WZP_SIM_NAT_FORWARD);
    ck_assert_uint_eq(src.port, 40000);
    ck_assert_uint_eq(granted(&b, "192.168.1.10:40000", 40000), 40000);
    ck_assert_uint_ne(granted(&b, "192.168.1.11:40000", 40000), 40000);
    bench_free(&b);
}
END_TEST

static const struct ports_case {
    const char *name;
    wzp_sim_lease_ports ports;
    bool exact;
    wzp_sim_lease_result want;
    uint16_t low, high; /* the port, if granted */
} ports_cases[] = {
    {"next", WZP_SIM_LEASE_NEXT, false, WZP_SIM_LEASE_GRANTED, 50001, 50001},
    {"random", WZP_SIM_LEASE_RANDOM, false, WZP_SIM_LEASE_GRANTED, 32768, 65535},
    {"refuse", WZP_SIM_LEASE_REFUSE, false, WZP_SIM_LEASE_TAKEN, 0, 0},
    {"exact", WZP_SIM_LEASE_NEXT, true, WZP_SIM_LEASE_TAKEN, 0, 0},
};

START_TEST(port_policy) {
    const struct ports_case *c = &ports_cases[_i];
    const wzp_sim_leases_cfg cfg = {.ports = c->ports};
    bench b = bench_new("symrand", &cfg);
    wzp_sim_lease_ask ask = ask_for("192.168.1.11:1", 50000);
    ask.exact = c->exact;
    ck_assert_uint_eq(granted(&b, "192.168.1.10:40000", 50000), 50000);
    const uint16_t port = grant(&b, &ask, c->want);
    ck_assert_msg(port >= c->low && port <= c->high, "%s: %u", c->name, port);
    bench_free(&b);
}
END_TEST

START_TEST(next_port_wraps) {
    bench b = bench_new("symrand", NULL);
    ck_assert_uint_eq(granted(&b, "192.168.1.10:1", 65535), 65535);
    ck_assert_uint_eq(granted(&b, "192.168.1.11:1", 65535), 1024);
    bench_free(&b);
}
END_TEST

/* A number belongs to one host in UDP and TCP. */
START_TEST(companion_port_is_reserved) {
    bench b = bench_new("symrand", NULL);
    wzp_sim_lease_ask tcp = ask_for("192.168.1.11:40000", 50000);
    ck_assert_uint_eq(granted(&b, "192.168.1.10:40000", 50000), 50000);
    tcp.proto = 6;
    ck_assert_uint_eq(grant(&b, &tcp, WZP_SIM_LEASE_GRANTED), 50001);
    tcp.internal = addr_of("192.168.1.10:40000");
    ck_assert_uint_eq(grant(&b, &tcp, WZP_SIM_LEASE_GRANTED), 50000);
    bench_free(&b);
}
END_TEST

START_TEST(quota_and_capacity) {
    const wzp_sim_leases_cfg cfg = {.quota = 2, .capacity = 3};
    bench b = bench_new("symrand", &cfg);
    wzp_sim_lease_ask ask = ask_for("192.168.1.10:3", 0);
    granted(&b, "192.168.1.10:1", 0);
    granted(&b, "192.168.1.10:2", 0);
    grant(&b, &ask, WZP_SIM_LEASE_QUOTA);
    granted(&b, "192.168.1.10:2", 0); /* a renewal */
    granted(&b, "192.168.1.11:1", 0);
    ask = ask_for("192.168.1.12:1", 0);
    grant(&b, &ask, WZP_SIM_LEASE_EXHAUSTED);
    wzp_sim_leases_drop(b.leases, 0);
    granted(&b, "192.168.1.12:1", 0);
    bench_free(&b);
}
END_TEST

START_TEST(quota_that_nobody_said) {
    const wzp_sim_leases_cfg cfg = {.quota = 0};
    bench b = bench_new("symrand", &cfg);
    wzp_sim_lease_ask ask = ask_for("192.168.1.10:99", 0);
    for (unsigned port = 1; port <= 64; port++) {
        char internal[32];
        (void)snprintf(internal, sizeof internal, "192.168.1.10:%u", port);
        granted(&b, internal, 0);
    }
    grant(&b, &ask, WZP_SIM_LEASE_QUOTA);
    bench_free(&b);
}
END_TEST

static const struct lifetime_case {
    uint32_t min_s, max_s, asked, want;
} lifetime_cases[] = {
    {0, 0, 1, 120}, {0, 0, 3600, 3600}, {0, 0, UINT32_MAX, 86400}, {2, 10, 1, 2}, {2, 10, 11, 10},
};

START_TEST(lifetimes) {
    const struct lifetime_case *c = &lifetime_cases[_i];
    const wzp_sim_leases_cfg cfg = {.min_s = c->min_s, .max_s = c->max_s};
    bench b = bench_new("symrand", &cfg);
    wzp_sim_lease_ask ask = ask_for("192.168.1.10:1", 0);
    ask.lifetime_s = c->asked;
    grant(&b, &ask, WZP_SIM_LEASE_GRANTED);
    const wzp_sim_lease *lease = wzp_sim_leases_at(b.leases, 0);
    ck_assert_uint_eq(wzp_sim_lease_left_s(lease, b.now), c->want);
    ck_assert_uint_eq(wzp_sim_lease_left_s(lease, b.now + 1), c->want); /* rounded up */
    ck_assert_uint_eq(wzp_sim_lease_left_s(lease, b.now + WZP_S), c->want - 1);
    bench_free(&b);
}
END_TEST

/* What is promised, and what a packet from outside finds: at once, after 61 s, after the lease. */
static const struct lie_case {
    const char *name;
    wzp_sim_leases_cfg cfg;
    const char *at_once, *later, *after;
} lie_cases[] = {
    {"honest", {0}, "192.168.1.10:40000", "192.168.1.10:40000", "-"},
    {"does not forward", {.does_not_forward = true}, "-", "-", "-"},
    {"wrong port", {.wrong_port = true}, "192.168.1.10:40001", "192.168.1.10:40001", "-"},
    {"lease ignored",
     {.lease_ignored = true},
     "192.168.1.10:40000",
     "192.168.1.10:40000",
     "192.168.1.10:40000"},
    {"forgets after a minute", {.forgets_after = 60 * WZP_S}, "192.168.1.10:40000", "-", "-"},
};

START_TEST(lies) {
    const struct lie_case *c = &lie_cases[_i];
    bench b = bench_new("symrand", &c->cfg);
    ck_assert_uint_eq(granted(&b, "192.168.1.10:40000", 50000), 50000);
    ck_assert_uint_eq(wzp_sim_lease_left_s(wzp_sim_leases_at(b.leases, 0), b.now), 3600);
    BENCH_ASSERT_REACH(&b, 50000, c->at_once);
    ck_assert_uint_eq(granted(&b, "192.168.1.10:40000", 50000), 50000); /* renewing tells nothing */
    b.now += 61 * WZP_S;
    wzp_sim_leases_tick(b.leases, b.now);
    BENCH_ASSERT_REACH(&b, 50000, c->later);
    b.now += 3600 * WZP_S;
    wzp_sim_leases_tick(b.leases, b.now);
    BENCH_ASSERT_REACH(&b, 50000, c->after);
    bench_free(&b);
}
END_TEST

static const struct address_case {
    const char *name, *reports; /* NULL: the NAT's own */
    bool strict;
    const char *want;
} address_cases[] = {
    {"own", NULL, false, "203.0.113.9:0"},
    {"own, strict", NULL, true, "203.0.113.9:0"},
    {"private", "192.168.100.2:0", false, "192.168.100.2:0"},
    {"private, strict", "192.168.100.2:0", true, "-"},
    {"10/8, strict", "10.1.2.3:0", true, "-"},
    {"172.16/12, strict", "172.31.0.1:0", true, "-"},
    {"not 172.16/12", "172.32.0.1:0", true, "172.32.0.1:0"},
    {"100.64/10, strict", "100.127.0.1:0", true, "-"},
    {"not 100.64/10", "100.128.0.1:0", true, "100.128.0.1:0"},
    {"nothing, strict", "0.0.0.0:0", true, "-"},
    {"link-local, strict", "169.254.1.1:0", true, "-"},
    {"loopback, strict", "127.0.0.1:0", true, "-"},
};

START_TEST(reported_address) {
    const struct address_case *c = &address_cases[_i];
    const wzp_sim_leases_cfg cfg = {
        .strict = c->strict, .reports = c->reports != NULL ? addr_of(c->reports) : (wzp_addr){0}};
    bench b = bench_new("symrand", &cfg);
    const wzp_sim_lease_ask ask = ask_for("192.168.1.10:1", 0);
    char text[WZP_ADDR_TEXT_MAX];
    const wzp_addr got = wzp_sim_leases_address(b.leases, &ask.internal);
    ck_assert_msg(strcmp(wzp_addr_text(&got, text), c->want) == 0, "%s: %s", c->name, text);
    grant(&b, &ask, got.family == WZP_ADDR_NONE ? WZP_SIM_LEASE_NO_ADDRESS : WZP_SIM_LEASE_GRANTED);
    bench_free(&b);
}
END_TEST

START_TEST(remote_filter) {
    bench b = bench_new("symrand", NULL);
    wzp_sim_lease_ask ask = ask_for("192.168.1.10:1", 50000);
    ask.remote = addr_of("198.51.100.78:0");
    grant(&b, &ask, WZP_SIM_LEASE_GRANTED);
    BENCH_ASSERT_REACH(&b, 50000, "-"); /* from .77 */
    ask.remote = addr_of("198.51.100.77:0");
    grant(&b, &ask, WZP_SIM_LEASE_GRANTED);
    BENCH_ASSERT_REACH(&b, 50000, "192.168.1.10:1");
    bench_free(&b);
}
END_TEST

/* A firewall translates nothing: the external endpoint is the inside one. */
START_TEST(firewall) {
    bench b = bench_new("fw", NULL);
    const wzp_addr stranger = addr_of("198.51.100.77:7777");
    wzp_addr dst = addr_of("192.0.2.10:40000");
    ck_assert_uint_eq(granted(&b, "192.0.2.10:40000", 50000), 40000);
    ck_assert(wzp_sim_nat_in(b.nat, 17, &stranger, &dst, b.now) == WZP_SIM_NAT_FORWARD);
    bench_free(&b);
}
END_TEST

/* Hosts that keep their own addresses do not take ports from each other. */
START_TEST(hosts_behind_a_firewall) {
    bench b = bench_new("fw", NULL);
    ck_assert_uint_eq(granted(&b, "192.0.2.10:40000", 0), 40000);
    ck_assert_uint_eq(granted(&b, "192.0.2.11:40000", 0), 40000);
    ck_assert_uint_eq(wzp_sim_leases_count(b.leases), 2);
    bench_free(&b);
}
END_TEST

/* --- UPnP: an external port is the name of an entry ------------------------------------------- */

START_TEST(upnp_entries) {
    bench b = bench_new("symrand", NULL);
    wzp_sim_lease_ask ask = ask_for("192.168.1.10:40000", 50000);
    ask.by = WZP_SIM_LEASE_UPNP;
    ask.exact = true;
    ask.permanent = true;
    grant(&b, &ask, WZP_SIM_LEASE_GRANTED);
    ask.external = 50001; /* a second one for the same inside port */
    grant(&b, &ask, WZP_SIM_LEASE_GRANTED);
    ck_assert_uint_eq(wzp_sim_leases_count(b.leases), 2);
    ask.internal.port = 40002; /* the same host may change its own */
    grant(&b, &ask, WZP_SIM_LEASE_GRANTED);
    BENCH_ASSERT_REACH(&b, 50001, "192.168.1.10:40002");
    ask.disabled = true;
    grant(&b, &ask, WZP_SIM_LEASE_GRANTED);
    BENCH_ASSERT_REACH(&b, 50001, "-");
    ask.disabled = false;
    grant(&b, &ask, WZP_SIM_LEASE_GRANTED);
    BENCH_ASSERT_REACH(&b, 50001, "192.168.1.10:40002");
    ask.internal = addr_of("192.168.1.11:40002");
    grant(&b, &ask, WZP_SIM_LEASE_TAKEN);
    granted(&b, "192.168.1.12:5", 60000);
    ask.external = 60000; /* of NAT-PMP */
    ask.internal = addr_of("192.168.1.12:5");
    grant(&b, &ask, WZP_SIM_LEASE_TAKEN);
    b.now += 1000000 * WZP_S;
    wzp_sim_leases_tick(b.leases, b.now);
    ck_assert_uint_eq(wzp_sim_leases_count(b.leases), 2); /* the permanent ones */
    bench_free(&b);
}
END_TEST

/* --- PEER ------------------------------------------------------------------------------------- */

static wzp_sim_lease_ask peer_ask(void) {
    wzp_sim_lease_ask ask = ask_for("192.168.1.10:40000", 0);
    ask.by = WZP_SIM_LEASE_PEER;
    ask.exact = true;
    ask.remote = addr_of("198.51.100.77:7777");
    return ask;
}

START_TEST(peer_keeps_a_mapping_alive) {
    bench b = bench_new("symrand", NULL);
    wzp_sim_lease_ask ask = peer_ask();
    const uint16_t port = grant(&b, &ask, WZP_SIM_LEASE_GRANTED);
    wzp_addr src = ask.internal;
    wzp_addr dst = ask.remote;
    ck_assert(wzp_sim_nat_out(b.nat, 17, &src, &dst, b.now) == WZP_SIM_NAT_FORWARD);
    ck_assert_uint_eq(src.port, port); /* the host's own packets use it */
    const wzp_time end = b.now + 3600 * WZP_S;
    while (b.now < end - 30 * WZP_S) {
        b.now = wzp_sim_leases_deadline(b.leases);
        wzp_sim_leases_tick(b.leases, b.now);
    }
    BENCH_ASSERT_REACH(&b, port, "192.168.1.10:40000");
    b.now = end;
    wzp_sim_leases_tick(b.leases, b.now);
    ck_assert_uint_eq(wzp_sim_leases_count(b.leases), 0);
    b.now += 200 * WZP_S; /* and then it dies as every mapping does */
    BENCH_ASSERT_REACH(&b, port, "-");
    bench_free(&b);
}
END_TEST

START_TEST(peer_cannot_be_shortened) {
    bench b = bench_new("symrand", NULL);
    wzp_sim_lease_ask ask = peer_ask();
    const uint16_t port = grant(&b, &ask, WZP_SIM_LEASE_GRANTED);
    ask.lifetime_s = 0;
    ask.external = port;
    ck_assert_uint_eq(grant(&b, &ask, WZP_SIM_LEASE_GRANTED), port);
    ck_assert_uint_eq(wzp_sim_lease_left_s(wzp_sim_leases_at(b.leases, 0), b.now), 3600);
    ask.external = port == 1024 ? 1025 : 1024;
    grant(&b, &ask, WZP_SIM_LEASE_TAKEN);
    bench_free(&b);
}
END_TEST

/* --- random operations ------------------------------------------------------------------------ */

/* No two leases may share an external port, and the NAT must forward exactly what is promised. */
static void check_all(bench *b) {
    wzp_sim_nat_counts counts;
    for (size_t i = 0; i < wzp_sim_leases_count(b->leases); i++) {
        const wzp_sim_lease *lease = wzp_sim_leases_at(b->leases, i);
        const wzp_sim_nat_explicit *mapping =
            wzp_sim_nat_find_external(b->nat, lease->proto, &lease->external, b->now);
        ck_assert_ptr_nonnull(mapping);
        ck_assert(wzp_addr_equal(&mapping->internal, &lease->internal));
        ck_assert(mapping->expires == lease->ends && lease->ends > b->now);
        ck_assert_uint_eq(wzp_sim_leases_by_external(b->leases, lease->proto, lease->external.port),
                          i);
    }
    wzp_sim_nat_tick(b->nat, b->now);
    wzp_sim_nat_count(b->nat, &counts);
    ck_assert_uint_eq(counts.explicits, wzp_sim_leases_count(b->leases));
}

START_TEST(random_operations) {
    static const wzp_sim_lease_ports policies[] = {WZP_SIM_LEASE_NEXT, WZP_SIM_LEASE_RANDOM,
                                                   WZP_SIM_LEASE_REFUSE};
    const wzp_sim_leases_cfg cfg = {.ports = policies[_i], .quota = 8, .capacity = 40};
    bench b = bench_new("symrand", &cfg);
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "lease_test");
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (int step = 0; step < 3000; step++) {
        const wzp_sim_lease *lease;
        wzp_sim_lease_ask ask = {
            .by = wzp_rng_below(rng, 2) == 0 ? WZP_SIM_LEASE_PMP : WZP_SIM_LEASE_UPNP,
            .proto = wzp_rng_below(rng, 2) == 0 ? 17 : 6,
            .exact = wzp_rng_below(rng, 2) == 0,
            .internal = wzp_addr_v4(192, 168, 1, (uint8_t)wzp_rng_below(rng, 8),
                                    (uint16_t)(1 + wzp_rng_below(rng, 10))),
            .external = (uint16_t)(5000 + wzp_rng_below(rng, 20)),
            .lifetime_s = 200};
        b.now += wzp_rng_below(rng, 5 * WZP_S);
        (void)wzp_sim_leases_grant(b.leases, &ask, b.now, &lease);
        if (wzp_rng_below(rng, 3) == 0 && wzp_sim_leases_count(b.leases) > 0) {
            wzp_sim_leases_drop(b.leases, wzp_rng_below(rng, wzp_sim_leases_count(b.leases)));
        }
        check_all(&b);
    }
    bench_free(&b);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("lease");
    tcase_add_test(tc, forwards_until_it_ends);
    tcase_add_test(tc, renewal_keeps_the_port);
    tcase_add_test(tc, own_dynamic_mapping_is_no_obstacle);
    tcase_add_loop_test(tc, port_policy, 0, WZP_COUNT_OF(ports_cases));
    tcase_add_test(tc, next_port_wraps);
    tcase_add_test(tc, companion_port_is_reserved);
    tcase_add_test(tc, quota_and_capacity);
    tcase_add_test(tc, quota_that_nobody_said);
    tcase_add_loop_test(tc, lifetimes, 0, WZP_COUNT_OF(lifetime_cases));
    tcase_add_loop_test(tc, lies, 0, WZP_COUNT_OF(lie_cases));
    tcase_add_loop_test(tc, reported_address, 0, WZP_COUNT_OF(address_cases));
    tcase_add_test(tc, remote_filter);
    tcase_add_test(tc, firewall);
    tcase_add_test(tc, hosts_behind_a_firewall);
    tcase_add_test(tc, upnp_entries);
    tcase_add_test(tc, peer_keeps_a_mapping_alive);
    tcase_add_test(tc, peer_cannot_be_shortened);
    tcase_add_loop_test(tc, random_operations, 0, 3);
    return wzp_run_suite("lease", tc);
}
