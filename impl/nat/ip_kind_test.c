#include "nat/ip_kind.h"

#include "base/testing/suite.h"

/* The first and the last address of each range, and their neighbours. */
static const struct kind_case {
    const char *text, *kind;
} kind_cases[] = {
    {"0.0.0.0:1", "unspecified"},     {"0.255.255.255:1", "unspecified"},
    {"1.0.0.0:1", "global"},          {"9.255.255.255:1", "global"},
    {"10.0.0.0:1", "private"},        {"10.255.255.255:1", "private"},
    {"11.0.0.0:1", "global"},         {"100.63.255.255:1", "global"},
    {"100.64.0.0:1", "shared"},       {"100.127.255.255:1", "shared"},
    {"100.128.0.0:1", "global"},      {"126.255.255.255:1", "global"},
    {"127.0.0.0:1", "loopback"},      {"127.255.255.255:1", "loopback"},
    {"128.0.0.0:1", "global"},        {"169.253.255.255:1", "global"},
    {"169.254.0.0:1", "link-local"},  {"169.254.255.255:1", "link-local"},
    {"169.255.0.0:1", "global"},      {"172.15.255.255:1", "global"},
    {"172.16.0.0:1", "private"},      {"172.31.255.255:1", "private"},
    {"172.32.0.0:1", "global"},       {"192.0.0.4:1", "special"},
    {"192.0.1.0:1", "global"},        {"192.0.2.1:1", "global"},
    {"192.167.255.255:1", "global"},  {"192.168.0.0:1", "private"},
    {"192.168.255.255:1", "private"}, {"192.169.0.0:1", "global"},
    {"203.0.113.5:1", "global"},      {"223.255.255.255:1", "global"},
    {"224.0.0.1:1", "multicast"},     {"239.255.255.255:1", "multicast"},
    {"240.0.0.0:1", "reserved"},      {"255.255.255.255:1", "reserved"},
    {"[::]:1", "unspecified"},        {"[::1]:1", "loopback"},
    {"[::2]:1", "special"},           {"[64:ff9b::c000:201]:1", "special"},
    {"[1fff::]:1", "special"},        {"[2000::]:1", "global"},
    {"[2001:db8::1]:1", "global"},    {"[3fff:ffff::]:1", "global"},
    {"[4000::]:1", "special"},        {"[fbff::]:1", "special"},
    {"[fc00::]:1", "unique-local"},   {"[fdff::]:1", "unique-local"},
    {"[fe00::]:1", "special"},        {"[fe7f::]:1", "special"},
    {"[fe80::1]:1", "link-local"},    {"[febf::]:1", "link-local"},
    {"[fec0::]:1", "special"},        {"[ff02::1]:1", "multicast"},
};

START_TEST(kinds) {
    const struct kind_case *c = &kind_cases[_i];
    wzp_addr addr;
    ck_assert(wzp_addr_parse(&addr, c->text) == WZP_OK);
    const char *got = wzp_ip_kind_name(wzp_ip_kind_of(&addr));
    ck_assert_msg(strcmp(got, c->kind) == 0, "%s: got %s", c->text, got);
}
END_TEST

START_TEST(mapped_ones_are_judged_by_what_is_in_them) {
    wzp_addr addr = {WZP_ADDR_V6, 9, {[10] = 0xff, [11] = 0xff, 192, 168, 1, 2}};
    const wzp_addr want = wzp_addr_v4(192, 168, 1, 2, 9);
    const wzp_addr got = wzp_ip_unmap(&addr);
    ck_assert(wzp_ip_kind_of(&addr) == WZP_IP_PRIVATE);
    ck_assert(wzp_addr_equal(&got, &want));
    addr.ip[10] = 0xfe;
    const wzp_addr same = wzp_ip_unmap(&addr);
    ck_assert(wzp_addr_equal(&same, &addr) && wzp_ip_kind_of(&addr) == WZP_IP_SPECIAL);
}
END_TEST

START_TEST(no_address) {
    const wzp_addr none = {0};
    ck_assert(wzp_ip_kind_of(&none) == WZP_IP_NONE);
    ck_assert_str_eq(wzp_ip_kind_name(WZP_IP_KIND_COUNT), "unknown");
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("ip_kind");
    tcase_add_loop_test(tc, kinds, 0, WZP_COUNT_OF(kind_cases));
    tcase_add_test(tc, mapped_ones_are_judged_by_what_is_in_them);
    tcase_add_test(tc, no_address);
    return wzp_run_suite("ip_kind", tc);
}
