/* What people type as HOST:PORT. */
#include "io/lookup.h"

#include <string.h>
#include <sys/socket.h>

#include "base/testing/suite.h"

static const struct lookup_case {
    const char *name, *text;
    wzp_lookup_result want;
    const char *want_text;
} lookup_cases[] = {
    {"a literal address", "127.0.0.1:4433", WZP_LOOKUP_FOUND, "127.0.0.1:4433"},
    {"IPv6 in brackets", "[::1]:4433", WZP_LOOKUP_FOUND, "[::1]:4433"},
    {"a name", "localhost:65535", WZP_LOOKUP_FOUND, "127.0.0.1:65535"},
    {"no port", "localhost", WZP_LOOKUP_MALFORMED, NULL},
    {"an empty port", "localhost:", WZP_LOOKUP_MALFORMED, NULL},
    {"port 0", "localhost:0", WZP_LOOKUP_MALFORMED, NULL},
    {"a port above all", "127.0.0.1:65536", WZP_LOOKUP_MALFORMED, NULL},
    {"a port that would wrap", "localhost:18446744073709556049", WZP_LOOKUP_MALFORMED, NULL},
    {"a service's name", "localhost:https", WZP_LOOKUP_MALFORMED, NULL},
    {"a sign", "localhost:+1", WZP_LOOKUP_MALFORMED, NULL},
    {"no host", ":4433", WZP_LOOKUP_MALFORMED, NULL},
    {"nothing", "", WZP_LOOKUP_MALFORMED, NULL},
    {"a name that nobody has", "no-such-host.invalid:4433", WZP_LOOKUP_UNKNOWN, NULL},
};

START_TEST(names_and_addresses) {
    const struct lookup_case *c = &lookup_cases[_i];
    char text[WZP_ADDR_TEXT_MAX];
    const char *why = NULL;
    wzp_addr addr = {.family = WZP_ADDR_NONE};
    const wzp_lookup_result got = wzp_lookup(c->text, AF_INET, &addr, &why);
    ck_assert_msg(got == c->want, "%s: got %d", c->name, (int)got);
    if (c->want == WZP_LOOKUP_FOUND) {
        ck_assert_str_eq(wzp_addr_text(&addr, text), c->want_text);
    } else {
        ck_assert_msg(why != NULL && addr.family == WZP_ADDR_NONE, "%s", c->name);
    }
}
END_TEST

START_TEST(a_host_that_is_too_long) {
    char text[WZP_LOOKUP_HOST_MAX + 8];
    char host[WZP_LOOKUP_HOST_MAX];
    const char *port = NULL;
    memset(text, 'a', sizeof text);
    memcpy(text + WZP_LOOKUP_HOST_MAX, ":1", 3);
    ck_assert(!wzp_lookup_split(text, host, &port));
    ck_assert(wzp_lookup_split(text + 1, host, &port));
    ck_assert_uint_eq(strlen(host), WZP_LOOKUP_HOST_MAX - 1);
    ck_assert_str_eq(port, "1");
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("lookup");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, names_and_addresses, 0, WZP_COUNT_OF(lookup_cases));
    tcase_add_test(tc, a_host_that_is_too_long);
    return wzp_run_suite("io.lookup", tc);
}
