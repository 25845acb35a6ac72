/* Packets and their pool: who owns what, what is counted, when an ICMP error is due. */
#include "sim/net/packet.h"

#include <check.h>
#include <signal.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "sim/net/node.h"

static wzp_addr address(const char *text) {
    wzp_addr addr;
    ck_assert_msg(wzp_addr_parse(&addr, text) == WZP_OK, "%s", text);
    return addr;
}

static wzp_sim_packet *packet_of(wzp_sim_pool *pool, const char *src, const char *dst, size_t len) {
    const wzp_addr from = address(src);
    const wzp_addr to = address(dst);
    return wzp_sim_packet_new(pool, &from, &to, wzp_bytes_of(NULL, len), 5);
}

START_TEST(a_new_packet_has_what_it_was_given) {
    wzp_sim_pool *pool = wzp_sim_pool_new();
    const wzp_addr src = address("10.0.0.2:4000");
    const wzp_addr dst = address("203.0.113.5:4433");
    wzp_sim_packet *packet = wzp_sim_packet_new(pool, &src, &dst, wzp_bytes_str("hello"), 17);
    ck_assert(wzp_addr_equal(&packet->src, &src) && wzp_addr_equal(&packet->dst, &dst));
    ck_assert_int_eq(packet->proto, WZP_SIM_UDP);
    ck_assert_uint_eq(packet->ttl, 64);
    ck_assert(packet->dont_fragment && !packet->corrupted);
    ck_assert_uint_eq(packet->len, 5);
    ck_assert_mem_eq(packet->payload, "hello", 5);
    ck_assert_uint_eq(packet->created, 17);
    ck_assert_uint_eq(packet->id, 1);
    wzp_sim_packet_free(packet);
    wzp_sim_pool_free(&pool);
    ck_assert_ptr_null(pool);
    wzp_sim_pool_free(&pool);
    wzp_sim_packet_free(NULL);
}
END_TEST

START_TEST(a_copy_is_another_packet) {
    wzp_sim_pool *pool = wzp_sim_pool_new();
    wzp_sim_packet *packet = packet_of(pool, "[fe80::1]:1", "[fe80::2]:2", 700);
    packet->tos = 3;
    packet->payload[699] = 0xaa;
    packet->next = packet;
    wzp_sim_packet *copy = wzp_sim_packet_copy(packet);
    ck_assert_uint_eq(copy->id, 2);
    ck_assert_ptr_null(copy->next);
    ck_assert_uint_eq(copy->tos, 3);
    ck_assert(wzp_addr_equal(&copy->src, &packet->src));
    ck_assert_uint_ge(copy->cap, 700);
    packet->payload[699] = 0;
    ck_assert_uint_eq(copy->payload[699], 0xaa);
    ck_assert_uint_eq(wzp_sim_pool_live(pool), 2);
    wzp_sim_packet_free(packet);
    wzp_sim_packet_free(copy);
    wzp_sim_pool_free(&pool);
}
END_TEST

START_TEST(sizes_up_to_the_largest) {
    static const size_t sizes[] = {0, 1, 255, 256, 257, 1536, 1537, 9216, 9217, 65507};
    wzp_sim_pool *pool = wzp_sim_pool_new();
    for (size_t i = 0; i < WZP_COUNT_OF(sizes); i++) {
        wzp_sim_packet *packet = packet_of(pool, "10.0.0.1:1", "10.0.0.2:2", sizes[i]);
        ck_assert_ptr_nonnull(packet);
        ck_assert_uint_eq(packet->len, sizes[i]);
        ck_assert_uint_ge(packet->cap, packet->len);
        memset(packet->payload, 0xff, packet->cap); /* sanitizers would see it */
        wzp_sim_packet_free(packet);
    }
    ck_assert_uint_eq(wzp_sim_pool_failed(pool), 0);
    ck_assert_ptr_null(packet_of(pool, "10.0.0.1:1", "10.0.0.2:2", 65508));
    ck_assert_uint_eq(wzp_sim_pool_failed(pool), 1);
    ck_assert_uint_eq(wzp_sim_pool_live(pool), 0);
    wzp_sim_pool_free(&pool);
}
END_TEST

/* Packets that live at once never share memory, and ids count up whatever is reused. */
START_TEST(pool_under_random_use) {
    enum { SLOTS = 64 };
    wzp_sim_packet *packets[SLOTS] = {0};
    wzp_sim_pool *pool = wzp_sim_pool_new();
    wzp_prng prng;
    uint64_t live = 0;
    uint64_t last_id = 0;
    wzp_prng_init(&prng, 3, "pool");
    for (int i = 0; i < 20000; i++) {
        const size_t at = wzp_prng_u64(&prng) % SLOTS;
        wzp_sim_packet *packet = packets[at];
        if (packet != NULL) {
            for (size_t k = 0; k < packet->len; k++) {
                if (packet->payload[k] != (uint8_t)at) {
                    ck_abort_msg("packet %zu was written to", at);
                }
            }
            wzp_sim_packet_free(packet);
            packets[at] = NULL;
            live--;
            continue;
        }
        packet = packet_of(pool, "10.0.0.1:1", "10.0.0.2:2", wzp_prng_u64(&prng) % 2000);
        memset(packet->payload, (int)at, packet->cap);
        ck_assert_uint_eq(packet->id, ++last_id);
        packets[at] = packet;
        live++;
        ck_assert_uint_eq(wzp_sim_pool_live(pool), live);
    }
    for (size_t i = 0; i < SLOTS; i++) {
        wzp_sim_packet_free(packets[i]);
    }
    wzp_sim_pool_free(&pool);
}
END_TEST

START_TEST(a_packet_that_lives_is_noticed) {
    wzp_sim_pool *pool = wzp_sim_pool_new();
    (void)packet_of(pool, "10.0.0.1:1", "10.0.0.2:2", 1);
    wzp_sim_pool_free(&pool);
}
END_TEST

START_TEST(a_packet_that_is_freed_twice_is_noticed) {
    wzp_sim_pool *pool = wzp_sim_pool_new();
    wzp_sim_packet *packet = packet_of(pool, "10.0.0.1:1", "10.0.0.2:2", 1);
    (void)packet_of(pool, "10.0.0.1:1", "10.0.0.2:2", 1); /* else counting alone would tell */
    wzp_sim_packet_free(packet);
    wzp_sim_packet_free(packet);
}
END_TEST

/* --- ICMP ------------------------------------------------------------------------------------- */

static const struct icmp_case {
    const char *name, *src, *dst, *from;
    bool due;
} icmp_cases[] = {
    {"IPv4", "10.0.0.2:4000", "203.0.113.5:4433", "10.0.0.1:0", true},
    {"IPv6", "[2001:db8::2]:4000", "[2001:db8:1::5]:4433", "[2001:db8::1]:0", true},
    {"from a box of the other family", "10.0.0.2:4000", "203.0.113.5:4433", "[2001:db8::1]:0",
     false},
    {"to a group", "10.0.0.2:4000", "239.255.255.250:1900", "10.0.0.1:0", false},
    {"to all", "10.0.0.2:4000", "255.255.255.255:1900", "10.0.0.1:0", false},
    {"from nobody", "0.0.0.0:68", "10.0.0.1:67", "10.0.0.1:0", false},
    {"to a group of IPv6", "[fe80::1]:1", "[ff02::c]:1900", "[fe80::2]:0", false},
    {"from nobody of IPv6", "[::]:1", "[fe80::1]:1900", "[fe80::2]:0", false},
};

START_TEST(icmp_is_sent_when_due) {
    const struct icmp_case *c = &icmp_cases[_i];
    wzp_sim_pool *pool = wzp_sim_pool_new();
    wzp_sim_packet *packet = packet_of(pool, c->src, c->dst, 1200);
    const wzp_addr from = address(c->from);
    packet->ttl = 9;
    packet->payload[0] = 0x12;
    packet->payload[1199] = 0x34;
    wzp_sim_packet *icmp =
        wzp_sim_packet_icmp(packet, &from, WZP_SIM_ICMP_TOO_BIG, 1280, 17 * WZP_MS);
    ck_assert_msg((icmp != NULL) == c->due, "%s", c->name);
    if (icmp != NULL) {
        ck_assert_int_eq(icmp->proto, WZP_SIM_ICMP);
        ck_assert_int_eq(icmp->icmp, WZP_SIM_ICMP_TOO_BIG);
        ck_assert_uint_eq(icmp->mtu, 1280);
        ck_assert_uint_eq(icmp->ttl, 64);
        ck_assert(wzp_addr_equal(&icmp->src, &from));
        ck_assert(wzp_addr_same_ip(&icmp->dst, &packet->src) && icmp->dst.port == 0);
        ck_assert(wzp_addr_equal(&icmp->inner_src, &packet->src));
        ck_assert(wzp_addr_equal(&icmp->inner_dst, &packet->dst));
        ck_assert_uint_eq(icmp->inner_len, 1200);
        ck_assert_uint_eq(icmp->inner_ttl, 9);
        ck_assert_uint_eq(icmp->inner_sum, 0x1234);
        ck_assert_uint_eq(icmp->created, 17 * WZP_MS);
        ck_assert_mem_eq(icmp->payload, packet->payload, icmp->len);
        ck_assert_uint_eq(wzp_sim_packet_wire_len(icmp), from.family == WZP_ADDR_V4 ? 576 : 1280);
    }
    wzp_sim_packet_free(icmp);
    wzp_sim_packet_free(packet);
    wzp_sim_pool_free(&pool);
}
END_TEST

START_TEST(icmp_about_icmp_is_not_sent) {
    static const wzp_sim_icmp all[] = {
        WZP_SIM_ICMP_PORT_UNREACHABLE, WZP_SIM_ICMP_HOST_UNREACHABLE, WZP_SIM_ICMP_ADMIN_PROHIBITED,
        WZP_SIM_ICMP_TOO_BIG,          WZP_SIM_ICMP_TTL_EXCEEDED,
    };
    wzp_sim_pool *pool = wzp_sim_pool_new();
    wzp_sim_packet *packet = packet_of(pool, "10.0.0.2:4000", "203.0.113.5:4433", 20);
    const wzp_addr from = address("10.0.0.1:0");
    for (size_t i = 0; i < WZP_COUNT_OF(all); i++) {
        wzp_sim_packet *icmp = wzp_sim_packet_icmp(packet, &from, all[i], 1280, 0);
        ck_assert_int_eq(icmp->icmp, (int)all[i]);
        ck_assert_uint_eq(icmp->mtu, all[i] == WZP_SIM_ICMP_TOO_BIG ? 1280 : 0);
        ck_assert_ptr_null(wzp_sim_packet_icmp(icmp, &from, all[i], 0, 0));
        wzp_sim_packet_free(icmp);
    }
    ck_assert_uint_eq(wzp_sim_pool_failed(pool), 0);
    wzp_sim_packet_free(packet);
    wzp_sim_pool_free(&pool);
}
END_TEST

START_TEST(drops_have_names) {
    ck_assert_str_eq(wzp_sim_drop_name(WZP_SIM_DROP_LOSS), "loss");
    ck_assert_str_eq(wzp_sim_drop_name(WZP_SIM_DROP_NO_MAPPING), "no-mapping");
    ck_assert_str_eq(wzp_sim_drop_name(WZP_SIM_DROP_NOMEM), "no-memory");
    for (int i = 0; i < WZP_SIM_DROP_COUNT; i++) {
        for (int k = 0; k < i; k++) {
            ck_assert_str_ne(wzp_sim_drop_name((wzp_sim_drop)i),
                             wzp_sim_drop_name((wzp_sim_drop)k));
        }
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("packet");
    tcase_add_test(tc, a_new_packet_has_what_it_was_given);
    tcase_add_test(tc, a_copy_is_another_packet);
    tcase_add_test(tc, sizes_up_to_the_largest);
    tcase_add_test(tc, pool_under_random_use);
    tcase_add_test_raise_signal(tc, a_packet_that_lives_is_noticed, SIGABRT);
    tcase_add_test_raise_signal(tc, a_packet_that_is_freed_twice_is_noticed, SIGABRT);
    tcase_add_loop_test(tc, icmp_is_sent_when_due, 0, WZP_COUNT_OF(icmp_cases));
    tcase_add_test(tc, icmp_about_icmp_is_not_sent);
    tcase_add_test(tc, drops_have_names);
    return wzp_run_suite_forked("packet", tc);
}
