#include "nat/local.h"

#include "base/testing/suite.h"

enum { LOOPBACK = 1, DOWN = 2, TEMPORARY = 4 };

/* Which addresses are kept, alone in the table: with IPv6 (port 5000) and IPv4 (4000). */
static const struct keep_case {
    const char *text; /* its port is 1 in the table */
    unsigned flags;
    bool reference, deployed;
} keep_cases[] = {
    {"10.0.0.5:1", 0, true, true},
    {"172.16.0.5:1", 0, true, true},
    {"172.31.255.5:1", 0, true, true},
    {"192.168.1.5:1", 0, true, true},
    {"100.64.0.5:1", 0, true, true},
    {"100.127.0.5:1", 0, true, true},
    {"127.0.0.1:1", LOOPBACK, false, false},
    {"10.0.0.5:1", LOOPBACK, false, false},
    {"10.0.0.5:1", DOWN, false, true},
    {"169.254.3.4:1", 0, false, false},
    {"203.0.113.5:1", 0, false, false},
    {"172.32.0.5:1", 0, false, false},
    {"100.128.0.5:1", 0, false, false},
    {"192.0.0.4:1", 0, false, false},
    {"224.0.0.5:1", 0, false, false},
    {"[2001:db8::5]:1", 0, true, true},
    {"[3fff::5]:1", 0, true, true},
    {"[fc00::5]:1", 0, true, true},
    {"[fd00::5]:1", TEMPORARY, true, true},
    {"[fd00::5]:1", DOWN, false, true},
    {"[::1]:1", 0, false, false},
    {"[fe80::5]:1", 0, false, false},
    {"[64:ff9b::5]:1", 0, false, false},
    {"[ff02::5]:1", 0, false, false},
};

static wzp_interface_addr entry(const char *text, unsigned flags) {
    wzp_interface_addr made = {.is_loopback = (flags & LOOPBACK) != 0,
                               .is_down = (flags & DOWN) != 0,
                               .is_temporary = (flags & TEMPORARY) != 0};
    ck_assert(wzp_addr_parse(&made.addr, text) == WZP_OK);
    return made;
}

START_TEST(kept) {
    const struct keep_case *c = &keep_cases[_i];
    const wzp_interface_addr table = entry(c->text, c->flags);
    wzp_addr out;
    for (int rules = WZP_LOCAL_REFERENCE; rules <= WZP_LOCAL_DEPLOYED; rules++) {
        const bool want = rules == WZP_LOCAL_REFERENCE ? c->reference : c->deployed;
        const size_t count =
            wzp_local_candidates(&out, 1, &table, 1, 4000, 5000, (wzp_local_rules)rules, NULL);
        ck_assert_msg(count == (want ? 1 : 0), "%s, rules %d", c->text, rules);
        if (want) {
            ck_assert(wzp_addr_same_ip(&out, &table.addr));
            ck_assert_uint_eq(out.port, out.family == WZP_ADDR_V4 ? 4000 : 5000);
        }
    }
}
END_TEST

static const char *listed(const wzp_interface_addr *table, size_t count, uint16_t v4_port,
                          uint16_t v6_port, wzp_local_rules rules) {
    static char list[512];
    wzp_addr out[8];
    char text[WZP_ADDR_TEXT_MAX];
    const size_t n = wzp_local_candidates(out, 8, table, count, v4_port, v6_port, rules, NULL);
    list[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        strncat(list, wzp_addr_text(&out[i], text), sizeof list - strlen(list) - 1);
        strncat(list, " ", sizeof list - strlen(list) - 1);
    }
    return list;
}

START_TEST(order_and_repetitions) {
    const wzp_interface_addr table[] = {
        entry("[2001:db8::5]:1", 0), entry("192.168.1.5:1", 0), entry("[2001:db8::6]:1", TEMPORARY),
        entry("10.0.0.5:1", 0),      entry("192.168.1.5:1", 0),
    };
    ck_assert_str_eq(listed(table, 5, 4000, 5000, WZP_LOCAL_REFERENCE),
                     "192.168.1.5:4000 10.0.0.5:4000 [2001:db8::6]:5000 [2001:db8::5]:5000 ");
    ck_assert_str_eq(listed(table, 5, 4000, 5000, WZP_LOCAL_DEPLOYED),
                     "[2001:db8::5]:5000 192.168.1.5:4000 [2001:db8::6]:5000 10.0.0.5:4000 "
                     "192.168.1.5:4000 ");
    ck_assert_str_eq(listed(table, 5, 4000, 0, WZP_LOCAL_REFERENCE),
                     "192.168.1.5:4000 10.0.0.5:4000 ");
    ck_assert_str_eq(listed(table, 5, 0, 5000, WZP_LOCAL_REFERENCE),
                     "[2001:db8::6]:5000 [2001:db8::5]:5000 ");
    ck_assert_str_eq(listed(table, 2, 0, 0, WZP_LOCAL_DEPLOYED), "192.168.1.5:0 ");
    ck_assert_str_eq(listed(table, 0, 4000, 5000, WZP_LOCAL_REFERENCE), "");
}
END_TEST

START_TEST(v4_mapped_ones_are_of_no_interface) {
    const wzp_interface_addr table = {
        .addr = {WZP_ADDR_V6, 1, {[10] = 0xff, [11] = 0xff, 203, 0, 113, 5}}};
    ck_assert_str_eq(listed(&table, 1, 4000, 5000, WZP_LOCAL_REFERENCE), "");
    ck_assert_str_eq(listed(&table, 1, 4000, 5000, WZP_LOCAL_DEPLOYED), "");
}
END_TEST

START_TEST(more_than_may_be_told) {
    wzp_interface_addr table[40];
    wzp_addr out[40];
    size_t surplus = 0;
    for (uint8_t i = 0; i < 40; i++) {
        table[i] = (wzp_interface_addr){.addr = wzp_addr_v4(10, 0, 0, i, 1)};
    }
    ck_assert_uint_eq(
        wzp_local_candidates(out, 40, table, 40, 4000, 0, WZP_LOCAL_REFERENCE, &surplus), 16);
    ck_assert_uint_eq(surplus, 24);
    ck_assert_uint_eq(
        wzp_local_candidates(out, 40, table, 40, 4000, 0, WZP_LOCAL_DEPLOYED, &surplus), 40);
    ck_assert_uint_eq(surplus, 0);
    ck_assert_uint_eq(
        wzp_local_candidates(out, 3, table, 40, 4000, 0, WZP_LOCAL_DEPLOYED, &surplus), 3);
    ck_assert_uint_eq(surplus, 37);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("local");
    tcase_add_loop_test(tc, kept, 0, WZP_COUNT_OF(keep_cases));
    tcase_add_test(tc, order_and_repetitions);
    tcase_add_test(tc, v4_mapped_ones_are_of_no_interface);
    tcase_add_test(tc, more_than_may_be_told);
    return wzp_run_suite("local", tc);
}
