#include "call/addresses.h"

#include <stdio.h>

#include "base/testing/suite.h"
#include "call/hard_nat.h"

#define COUNTS(ip4, port, step)                                                                    \
    .probe = &(const wzp_call_probe) {                                                             \
        .alloc = {WZP_PORT_ALLOC_SEQUENTIAL, step}, .external = {                                  \
            WZP_ADDR_V4,                                                                           \
            port,                                                                                  \
            {198, 51, 100, ip4}                                                                    \
        }                                                                                          \
    }

/* "r=" the reflexive one, "m=" the mapped one, "l=" a local one; with a space between them. */
static wzp_call_addresses read(const char *said, wzp_call_refused *refused) {
    wzp_call_addresses a;
    wzp_bytes items[20];
    wzp_list_str local = {items, 0};
    wzp_opt_str reflexive = {.present = false};
    wzp_opt_str mapped = {.present = false};
    for (const char *p = said; *p != '\0';) {
        const size_t len = strcspn(p, " ");
        const wzp_bytes text = {(const uint8_t *)p + 2, len - 2};
        if (*p == 'l') {
            ck_assert_uint_lt(local.count, WZP_COUNT_OF(items));
            items[local.count++] = text;
        } else {
            *(*p == 'r' ? &reflexive : &mapped) = (wzp_opt_str){true, text};
        }
        p += len + (p[len] == ' ' ? 1 : 0);
    }
    wzp_call_addresses_read(&a, &reflexive, &local, &mapped, refused);
    return a;
}

static const struct order_case {
    const char *name, *own, *peer;
    wzp_call_dial_cfg cfg;
    const char *want; /* + before a near one; what was left out in brackets */
} orders[] = {
#define UP .policy = WZP_RACE_DEPLOYED
    {"deployed: other networks, no local ones",
     "r=185.115.4.212:4000",
     "r=150.228.49.65:4433 m=198.51.100.42:12345 l=172.16.81.126:4433",
     {UP},
     "198.51.100.42:12345 150.228.49.65:4433"},
    {"deployed: the same network",
     "r=150.228.49.65:4000",
     "r=150.228.49.65:4433 m=198.51.100.42:12345 l=172.16.81.126:4433",
     {UP},
     "172.16.81.126:4433 198.51.100.42:12345 150.228.49.65:4433"},
    {"deployed: who does not know itself leaves them out",
     "",
     "r=150.228.49.65:4433 l=172.16.81.126:4433",
     {UP},
     "150.228.49.65:4433"},
    {"deployed: no IPv6, mapped and reflexive once",
     "r=150.228.49.65:4000",
     "r=150.228.49.65:4433 m=150.228.49.65:4433 l=[2001:db8::1]:4433 l=10.0.0.7:4433",
     {UP},
     "10.0.0.7:4433 150.228.49.65:4433"},
    {"deployed: takes what it is told",
     "r=150.228.49.65:4000",
     "r=127.0.0.1:22 m=224.0.0.1:1",
     {UP},
     "224.0.0.1:1 127.0.0.1:22"},
    {"other networks",
     "r=203.0.113.5:4000 l=192.168.1.2:4000",
     "r=198.51.100.9:5000 m=198.51.100.9:51413 l=192.168.1.11:5000",
     {0},
     "198.51.100.9:51413 198.51.100.9:5000"},
    {"the same network",
     "r=203.0.113.5:4000 l=192.168.1.2:4000",
     "r=203.0.113.5:5000 l=192.168.1.11:5000",
     {0},
     "+192.168.1.11:5000 203.0.113.5:5000"},
    {"both have IPv6",
     "r=203.0.113.5:4000 l=[2001:db8::1]:4000",
     "r=198.51.100.9:5000 l=[2001:db8::2]:5000 l=[fd00::2]:5000 l=10.0.0.2:5000",
     {0},
     "[2001:db8::2]:5000 198.51.100.9:5000"},
    {"one has not",
     "r=203.0.113.5:4000",
     "r=198.51.100.9:5000 l=[2001:db8::2]:5000",
     {0},
     "198.51.100.9:5000"},
    {"nothing twice, and nothing of ours",
     "r=203.0.113.5:4000 l=192.168.1.2:4000",
     "r=203.0.113.5:5000 m=203.0.113.5:5000 l=192.168.1.2:4000 l=10.0.0.2:1 "
     "l=10.0.0.2:1",
     {0},
     "+10.0.0.2:1 203.0.113.5:5000 (our own 1)"},
    {"an attack on others and on ourselves",
     "r=203.0.113.5:4000",
     "r=127.0.0.1:22 m=192.168.1.1:80 l=224.0.0.1:5353 l=255.255.255.255:9 "
     "l=0.0.0.0:1",
     {0},
     "(unusable 2)"},
    {"and from the same network",
     "r=203.0.113.5:4000",
     "r=203.0.113.5:5000 m=239.1.2.3:5 l=224.0.0.1:5353 l=127.0.0.1:22 "
     "l=192.168.1.1:0",
     {0},
     "203.0.113.5:5000 (unusable 4)"},
    {"in a lab",
     "r=127.0.0.1:4000",
     "r=127.0.0.1:5000 m=10.0.0.2:5 l=10.0.0.2:1",
     {.accepts_any = true},
     "+10.0.0.2:1 10.0.0.2:5 127.0.0.1:5000"},
    {"in a lab, where networks differ as well",
     "r=127.0.0.1:4000",
     "r=127.0.0.2:5000 m=10.0.0.2:5 l=10.0.0.3:1",
     {.accepts_any = true},
     "10.0.0.2:5 127.0.0.2:5000"},
    {"what cannot be read",
     "r=203.0.113.5:4000",
     "r=198.51.100.9:5000 m=relay.example:1 l=10.0.0.1 l=x l= l=10.0.0.1:99999",
     {0},
     "198.51.100.9:5000 (unreadable 5)"},
    {"IPv4 in IPv6's clothes",
     "r=203.0.113.5:4000",
     "r=[::ffff:198.51.100.9]:5000",
     {0},
     "198.51.100.9:5000"},
    {"ports that count: seven before all that is new, and five after it",
     "r=203.0.113.5:4000",
     "r=198.51.100.9:50001 m=198.51.100.9:51413 l=192.168.1.11:5000",
     {COUNTS(9, 50003, 1)},
     "198.51.100.9:50004 198.51.100.9:50005 198.51.100.9:50006 198.51.100.9:50007 "
     "198.51.100.9:50008 198.51.100.9:50009 198.51.100.9:50010 198.51.100.9:51413 "
     "198.51.100.9:50001 198.51.100.9:50011 198.51.100.9:50012 198.51.100.9:50013 "
     "198.51.100.9:50014 198.51.100.9:50015"},
    {"a port that counts and is mapped is dialled where it counts",
     "r=203.0.113.5:4000",
     "r=198.51.100.9:50012 m=198.51.100.9:50005",
     {COUNTS(9, 50003, 1)},
     "198.51.100.9:50004 198.51.100.9:50005 198.51.100.9:50006 198.51.100.9:50007 "
     "198.51.100.9:50008 198.51.100.9:50009 198.51.100.9:50010 198.51.100.9:50012 "
     "198.51.100.9:50011 198.51.100.9:50013 198.51.100.9:50014 198.51.100.9:50015"},
    {"the next port would be none: the others are there",
     "r=203.0.113.5:4000",
     "r=198.51.100.9:65535",
     {COUNTS(9, 65535, 1)},
     "198.51.100.9:1 198.51.100.9:2 198.51.100.9:3 198.51.100.9:4 198.51.100.9:5 "
     "198.51.100.9:6 198.51.100.9:65535 198.51.100.9:7 198.51.100.9:8 198.51.100.9:9 "
     "198.51.100.9:10 198.51.100.9:11"},
    {"IPv6 takes no ports of such a NAT",
     "r=203.0.113.5:4000 l=[2001:db8::1]:4000",
     "r=198.51.100.9:50001 l=[2001:db8::2]:5000",
     {COUNTS(9, 50003, -8)},
     "[2001:db8::2]:5000 198.51.100.9:49995 198.51.100.9:49987 198.51.100.9:49979 "
     "198.51.100.9:49971 198.51.100.9:49963 198.51.100.9:49955 198.51.100.9:49947 "
     "198.51.100.9:50001 198.51.100.9:49939 198.51.100.9:49931 198.51.100.9:49923 "
     "198.51.100.9:49915 198.51.100.9:49907"},
    {"ports of the same NAT are of no use",
     "r=198.51.100.9:4000",
     "r=198.51.100.9:50001 l=192.168.1.11:5000",
     {COUNTS(9, 50003, 1)},
     "+192.168.1.11:5000 198.51.100.9:50001"},
    {"ports of somebody else",
     "r=203.0.113.5:4000",
     "r=198.51.100.9:50001",
     {COUNTS(10, 50003, 1)},
     "198.51.100.9:50001 (unusable 1)"},
    {"deployed: knows no ports",
     "r=203.0.113.5:4000",
     "r=198.51.100.9:50001",
     {UP, COUNTS(9, 50003, 1)},
     "198.51.100.9:50001"},
    {"too many",
     "r=203.0.113.5:4000",
     "r=203.0.113.5:5000 l=10.0.0.1:1 l=10.0.0.2:1 l=10.0.0.3:1 l=10.0.0.4:1 "
     "l=10.0.0.5:1 l=10.0.0.6:1 l=10.0.0.7:1 l=10.0.0.8:1 l=10.0.0.9:1 "
     "l=10.0.0.10:1 l=10.0.0.11:1 l=10.0.0.12:1 l=10.0.0.13:1 l=10.0.0.14:1 "
     "l=10.0.0.15:1 l=10.0.0.16:1 l=10.0.0.17:1 l=10.0.0.18:1",
     {0},
     "+10.0.0.1:1 +10.0.0.2:1 +10.0.0.3:1 +10.0.0.4:1 +10.0.0.5:1 +10.0.0.6:1 "
     "+10.0.0.7:1 +10.0.0.8:1 +10.0.0.9:1 +10.0.0.10:1 +10.0.0.11:1 +10.0.0.12:1 "
     "+10.0.0.13:1 +10.0.0.14:1 +10.0.0.15:1 +10.0.0.16:1 203.0.113.5:5000 "
     "(surplus 2)"},
};

START_TEST(order) {
    const struct order_case *c = &orders[_i];
    wzp_race_candidate got[WZP_RACE_CANDIDATES_MAX];
    wzp_call_refused refused = {0};
    const wzp_call_addresses own = read(c->own, &refused);
    const wzp_call_addresses peer = read(c->peer, &refused);
    const size_t n = wzp_call_dial_order(got, &own, &peer, &c->cfg, &refused);
    char text[1024] = "";
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        char addr[WZP_ADDR_TEXT_MAX];
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s%s", i > 0 ? " " : "",
                                got[i].is_near ? "+" : "", wzp_addr_text(&got[i].addr, addr));
    }
    const struct {
        const char *name;
        uint64_t count;
    } reasons[] = {{"unreadable", refused.unreadable},
                   {"surplus", refused.surplus},
                   {"unusable", refused.unusable},
                   {"our own", refused.our_own}};
    for (size_t i = 0; i < WZP_COUNT_OF(reasons); i++) {
        if (reasons[i].count > 0) {
            len +=
                (size_t)snprintf(text + len, sizeof text - len, "%s(%s %llu)", len > 0 ? " " : "",
                                 reasons[i].name, (unsigned long long)reasons[i].count);
        }
    }
    ck_assert_msg(strcmp(text, c->want) == 0, "%s: %s", c->name, text);
}
END_TEST

START_TEST(round_trip) {
    const char *said = _i == 0 ? "r=203.0.113.5:4000 l=192.168.1.2:4000 l=[2001:db8::1]:4000"
                               : "r=203.0.113.5:4000 m=[2001:db8::9]:7 l=192.168.1.2:4000 "
                                 "l=[2001:db8::1]:4000";
    wzp_call_refused refused = {0};
    wzp_call_address_fields fields;
    wzp_call_addresses again;
    const wzp_call_addresses first = read(said, &refused);
    wzp_call_addresses_write(&fields, &first);
    ck_assert(fields.mapped.present == (_i == 1));
    ck_assert_uint_eq(fields.local.count, 2);
    ck_assert(wzp_bytes_equal(fields.local.items[1], wzp_bytes_str("[2001:db8::1]:4000")));
    wzp_call_addresses_read(&again, &fields.reflexive, &fields.local, &fields.mapped, &refused);
    ck_assert(wzp_addr_equal(&again.reflexive, &first.reflexive));
    ck_assert(wzp_addr_equal(&again.mapped, &first.mapped));
    ck_assert_uint_eq(again.local_count, 2);
    ck_assert_uint_eq(refused.unreadable, 0);
}
END_TEST

/* A text with an end in its middle is no address, whatever stands before it. */
START_TEST(hidden_end) {
    wzp_call_addresses a;
    wzp_call_refused refused = {0};
    const wzp_opt_str sly = {true, {(const uint8_t *)"10.0.0.1:1\0abc", 14}};
    wzp_call_addresses_read(&a, &sly, &(wzp_list_str){NULL, 0}, &(wzp_opt_str){.present = false},
                            &refused);
    ck_assert_uint_eq(a.reflexive.family, WZP_ADDR_NONE);
    ck_assert_uint_eq(refused.unreadable, 1);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("addresses");
    tcase_add_loop_test(tc, order, 0, (int)WZP_COUNT_OF(orders));
    tcase_add_loop_test(tc, round_trip, 0, 2);
    tcase_add_test(tc, hidden_end);
    return wzp_run_suite("call.addresses", tc);
}
