#include "base/addr.h"

#include <check.h>

#include "base/rng.h"
#include "base/testing/suite.h"

static const struct parse_case {
    const char *name, *text;
    const char *want; /* NULL: refused */
} parse_cases[] = {
    {"IPv4", "127.0.0.1:4433", "127.0.0.1:4433"},
    {"zeros", "0.0.0.0:0", "0.0.0.0:0"},
    {"last port", "255.255.255.255:65535", "255.255.255.255:65535"},
    {"port with leading zeros", "192.0.2.1:0080", "192.0.2.1:80"},
    {"IPv6", "[::1]:80", "[::1]:80"},
    {"IPv6 in full", "[2001:db8:0:0:0:0:0:10]:443", "[2001:db8::10]:443"},
    {"v4-mapped is written as IPv4", "[::ffff:192.0.2.1]:5", "192.0.2.1:5"},
    {"no port", "127.0.0.1", NULL},
    {"empty port", "127.0.0.1:", NULL},
    {"port too large", "127.0.0.1:65536", NULL},
    {"port of 30 digits", "127.0.0.1:000000000000000000000000065536", NULL},
    {"port with a sign", "127.0.0.1:+1", NULL},
    {"port with a letter", "127.0.0.1:12x", NULL},
    {"blank before the port", "127.0.0.1: 1", NULL},
    {"no host", ":4433", NULL},
    {"IPv6 without brackets", "::1:80", NULL},
    {"bracket not closed", "[::1:80", NULL},
    {"bracket not opened", "::1]:80", NULL},
    {"nothing in brackets", "[]:80", NULL},
    {"IPv4 in brackets", "[127.0.0.1]:80", NULL},
    {"zone", "[fe80::1%eth0]:80", NULL},
    {"name", "localhost:80", NULL},
    {"three numbers", "1.2.3:80", NULL},
    {"number too large", "1.2.3.256:80", NULL},
    {"empty", "", NULL},
    {"only a colon", ":", NULL},
    {"longer than any address",
     "[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]:1", NULL},
};

START_TEST(parse) {
    const struct parse_case *c = &parse_cases[_i];
    wzp_addr addr = {.port = 7};
    char buf[WZP_ADDR_TEXT_MAX];
    const wzp_err err = wzp_addr_parse(&addr, c->text);
    ck_assert_msg(err == (c->want != NULL ? WZP_OK : WZP_ERR_PARSE), "%s: %s", c->name,
                  wzp_err_name(err));
    if (c->want != NULL) {
        ck_assert_str_eq(wzp_addr_text(&addr, buf), c->want);
    } else {
        ck_assert_uint_eq(addr.port, 7); /* left as it was */
    }
}
END_TEST

START_TEST(text_round_trips) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "addr_test");
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (int i = 0; i < 2000; i++) {
        char buf[WZP_ADDR_TEXT_MAX];
        wzp_addr addr = {.family = i % 2 == 0 ? WZP_ADDR_V4 : WZP_ADDR_V6,
                         .port = (uint16_t)wzp_rng_u64(rng)};
        wzp_addr back;
        for (size_t n = 0; n < (i % 2 == 0 ? 4U : 16U); n++) {
            addr.ip[n] = wzp_rng_below(rng, 3) == 0 ? (uint8_t)wzp_rng_u64(rng) : 0;
        }
        addr.ip[0] |= 1; /* not v4-mapped, which is written as IPv4 */
        ck_assert(wzp_addr_parse(&back, wzp_addr_text(&addr, buf)) == WZP_OK);
        ck_assert_msg(wzp_addr_equal(&addr, &back), "%s", buf);
    }
}
END_TEST

START_TEST(longest_text_fits) {
    wzp_addr addr = {.family = WZP_ADDR_V6, .port = 65535};
    char buf[WZP_ADDR_TEXT_MAX];
    memset(addr.ip, 0xff, sizeof addr.ip);
    ck_assert_str_eq(wzp_addr_text(&addr, buf), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
    ck_assert_str_eq(wzp_addr_text(&(wzp_addr){0}, buf), "-");
}
END_TEST

START_TEST(comparison) {
    const wzp_addr a = wzp_addr_v4(192, 0, 2, 1, 5);
    const wzp_addr other_port = wzp_addr_v4(192, 0, 2, 1, 6);
    const wzp_addr other_ip = wzp_addr_v4(192, 0, 2, 2, 5);
    wzp_addr v6 = a;
    v6.family = WZP_ADDR_V6;
    ck_assert(wzp_addr_equal(&a, &a));
    ck_assert(!wzp_addr_equal(&a, &other_port));
    ck_assert(wzp_addr_same_ip(&a, &other_port));
    ck_assert(!wzp_addr_same_ip(&a, &other_ip));
    ck_assert(!wzp_addr_same_ip(&a, &v6));
    ck_assert(wzp_addr_equal(&(wzp_addr){0}, &(wzp_addr){0}));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("addr");
    tcase_add_loop_test(tc, parse, 0, WZP_COUNT_OF(parse_cases));
    tcase_add_test(tc, text_round_trips);
    tcase_add_test(tc, longest_text_fits);
    tcase_add_test(tc, comparison);
    return wzp_run_suite("addr", tc);
}
