#include "nat/nat_type.h"

#include <stdio.h>

#include "base/testing/suite.h"

/* NAT-020, and NAT-029: servers at one IP are one.  Server and what it saw; the second and third
 * begin the list's end. */
static const struct type_case {
    const char *name;
    const char *probes[4][2];
    const char *reference, *deployed; /* type and consensus */
} type_cases[] = {
    {"nothing", {{0}}, "Unknown -", "Unknown -"},
    {"all failed", {{"192.0.2.10:1", "-"}, {"192.0.2.11:1", "-"}}, "Unknown -", "Unknown -"},
    {"two see the same, one failed",
     {{"192.0.2.10:1", "192.0.2.1:4433"},
      {"192.0.2.11:1", "192.0.2.1:4433"},
      {"192.0.2.12:1", "-"}},
     "Cone 192.0.2.1:4433",
     "Cone 192.0.2.1:4433"},
    {"two ports",
     {{"192.0.2.10:1", "192.0.2.1:4433"}, {"192.0.2.11:1", "192.0.2.1:51234"}},
     "SymmetricPort -",
     "SymmetricPort -"},
    {"two IPs",
     {{"192.0.2.10:1", "192.0.2.1:4433"}, {"192.0.2.11:1", "198.51.100.9:4433"}},
     "Multiple -",
     "Multiple -"},
    {"two IPs after two ports",
     {{"192.0.2.10:1", "192.0.2.1:4433"},
      {"192.0.2.11:1", "192.0.2.1:4434"},
      {"192.0.2.12:1", "198.51.100.9:4433"}},
     "Multiple -",
     "Multiple -"},
    {"two ports after two IPs",
     {{"192.0.2.10:1", "192.0.2.1:4433"},
      {"192.0.2.11:1", "198.51.100.9:4433"},
      {"192.0.2.12:1", "192.0.2.1:4434"}},
     "Multiple -",
     "Multiple -"},
    {"one is private",
     {{"192.0.2.10:1", "192.168.1.100:4433"}, {"192.0.2.11:1", "203.0.113.5:4433"}},
     "Unknown -",
     "Unknown -"},
    {"one is shared",
     {{"192.0.2.10:1", "100.64.0.42:4433"},
      {"192.0.2.11:1", "203.0.113.5:4433"},
      {"192.0.2.12:1", "203.0.113.5:12345"}},
     "SymmetricPort -",
     "SymmetricPort -"},
    {"one is loopback",
     {{"192.0.2.10:1", "127.0.0.1:4433"},
      {"192.0.2.11:1", "203.0.113.5:4433"},
      {"192.0.2.12:1", "203.0.113.5:4433"}},
     "Cone 203.0.113.5:4433",
     "Cone 203.0.113.5:4433"},
    {"two relays on loopback",
     {{"127.0.0.1:1", "127.0.0.1:4433"}, {"127.0.0.1:2", "127.0.0.1:4433"}},
     "Unknown -",
     "Unknown -"},
    {"link-local and ::1",
     {{"192.0.2.10:1", "169.254.1.1:1"},
      {"192.0.2.11:1", "[fe80::1]:1"},
      {"192.0.2.12:1", "[::1]:1"}},
     "Unknown -",
     "Unknown -"},
    {"two servers at one IP",
     {{"192.0.2.10:1", "203.0.113.5:4433"}, {"192.0.2.10:2", "203.0.113.5:4433"}},
     "Unknown -",
     "Cone 203.0.113.5:4433"},
    {"two at one IP and another one",
     {{"192.0.2.10:1", "203.0.113.5:4433"},
      {"192.0.2.10:2", "203.0.113.5:4433"},
      {"192.0.2.11:1", "203.0.113.5:4434"}},
     "SymmetricPort -",
     "SymmetricPort -"},
    {"the first of two at one IP failed",
     {{"192.0.2.10:1", "-"},
      {"192.0.2.10:2", "203.0.113.5:4433"},
      {"192.0.2.11:1", "203.0.113.5:4433"}},
     "Cone 203.0.113.5:4433",
     "Cone 203.0.113.5:4433"},
    {"unique local",
     {{"192.0.2.10:1", "[fd00::1]:1"}, {"192.0.2.11:1", "[fd00::1]:1"}},
     "Unknown -",
     "Cone [fd00::1]:1"},
    {"unspecified, as deployed",
     {{"192.0.2.10:1", "0.0.0.0:1"}, {"192.0.2.11:1", "0.0.0.0:1"}},
     "Unknown -",
     "Cone 0.0.0.0:1"},
    {"unspecified IPv6",
     {{"192.0.2.10:1", "[::]:1"}, {"192.0.2.11:1", "[::]:1"}},
     "Unknown -",
     "Unknown -"},
    {"port 0",
     {{"192.0.2.10:1", "203.0.113.5:0"}, {"192.0.2.11:1", "203.0.113.5:0"}},
     "Unknown -",
     "Cone 203.0.113.5:0"},
    {"IPv6",
     {{"[2001:db8::10]:1", "[2001:db8::1]:4433"}, {"[2001:db8::11]:1", "[2001:db8::1]:4433"}},
     "Cone [2001:db8::1]:4433",
     "Cone [2001:db8::1]:4433"},
};

static void assert_type(const struct type_case *c, wzp_nat_type_rules rules, const char *want) {
    wzp_nat_probe probes[4] = {0};
    char addr[WZP_ADDR_TEXT_MAX];
    char got[96];
    size_t count = 0;
    for (; count < 4 && c->probes[count][0] != NULL; count++) {
        ck_assert(wzp_addr_parse(&probes[count].server, c->probes[count][0]) == WZP_OK);
        if (strcmp(c->probes[count][1], "-") != 0) {
            ck_assert(wzp_addr_parse(&probes[count].observed, c->probes[count][1]) == WZP_OK);
        }
    }
    const wzp_nat_verdict verdict = wzp_nat_type_classify(probes, count, rules);
    (void)snprintf(got, sizeof got, "%s %s", wzp_nat_type_text(verdict.type),
                   wzp_addr_text(&verdict.consensus, addr));
    ck_assert_msg(strcmp(got, want) == 0, "%s: got %s", c->name, got);
}

START_TEST(types) {
    const struct type_case *c = &type_cases[_i];
    assert_type(c, WZP_NAT_TYPE_REFERENCE, c->reference);
    assert_type(c, WZP_NAT_TYPE_DEPLOYED, c->deployed);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("nat_type");
    tcase_add_loop_test(tc, types, 0, WZP_COUNT_OF(type_cases));
    return wzp_run_suite("nat_type", tc);
}
