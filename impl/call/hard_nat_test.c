#include "call/hard_nat.h"

#include <stdio.h>

#include "base/testing/suite.h"

enum { PORTS = 20 };

/* "" in `want`: it is refused, and `refused` is why. */
static const struct read_case {
    const char *name, *allocation, *ip;
    uint16_t ports[PORTS];
    size_t count;
    const char *want; /* kind, delta, external address, ports */
    wzp_call_refused refused;
} read_cases[] = {
    {"as deployed, the oldest first",
     "sequential(delta=1)",
     "203.0.113.5",
     {40001, 40002, 40003},
     3,
     "2 1 203.0.113.5:40003 40003 40002 40001",
     {0}},
    {"as specified, the latest first",
     "sequential:1",
     "203.0.113.5",
     {40003, 40002, 40001},
     3,
     "2 1 203.0.113.5:40003 40003 40002 40001",
     {0}},
    {"a NAT that counts down",
     "sequential(delta=-2)",
     "203.0.113.5",
     {40001, 39999, 39997},
     3,
     "2 -2 203.0.113.5:39997 39997 39999 40001",
     {0}},
    {"over the end",
     "sequential(delta=3)",
     "203.0.113.5",
     {65535, 2, 5},
     3,
     "2 3 203.0.113.5:5 5 2 65535",
     {0}},
    {"half way round",
     "sequential(delta=-2)",
     "203.0.113.5",
     {50001, 17233},
     2,
     "2 -2 203.0.113.5:50001 50001 17233",
     {0}},
    {"one port",
     "sequential(delta=1)",
     "203.0.113.5",
     {40001},
     1,
     "2 1 203.0.113.5:40001 40001",
     {0}},
    {"one that keeps it",
     "port-preserving",
     "203.0.113.5",
     {4433, 4433, 4433},
     3,
     "1 0 203.0.113.5:4433 4433 4433 4433",
     {0}},
    {"as in documents", "preserving", "203.0.113.5", {4433}, 1, "1 0 203.0.113.5:4433 4433", {0}},
    {"random", "random", "203.0.113.5", {7, 40000, 9}, 3, "3 0 203.0.113.5:7 7 40000 9", {0}},
    {"nothing found", "unknown", "", {0}, 0, "0 0 -", {0}},
    {"nothing but the IP", "unknown", "203.0.113.5", {0}, 0, "0 0 203.0.113.5:0", {0}},
    {"IPv6", "unknown", "2001:db8::1", {9}, 1, "0 0 [2001:db8::1]:9 9", {0}},
    {"IPv4 in IPv6's clothes", "unknown", "::ffff:203.0.113.5", {9}, 1, "0 0 203.0.113.5:9 9", {0}},
    {"no word that we know", "linear", "203.0.113.5", {1}, 1, "", {.unreadable = 1}},
    {"no word at all", "", "203.0.113.5", {1}, 1, "", {.unreadable = 1}},
    {"a long word",
     "sequential(delta=0000000000001)",
     "203.0.113.5",
     {1},
     1,
     "",
     {.unreadable = 1}},
    {"a step beyond 16 bits",
     "sequential(delta=40000)",
     "203.0.113.5",
     {1},
     1,
     "",
     {.unreadable = 1}},
    {"an address with its port", "random", "203.0.113.5:4", {1}, 1, "", {.unreadable = 1}},
    {"a name", "random", "nat.example", {1}, 1, "", {.unreadable = 1}},
    {"brackets", "random", "[2001:db8::1]", {1}, 1, "", {.unreadable = 1}},
    {"a long address",
     "random",
     "00000000000000000000000000000000000000000000000000000000000000000000203.0.113.5",
     {1},
     1,
     "",
     {.unreadable = 1}},
    {"port 0", "sequential(delta=1)", "203.0.113.5", {40001, 0, 40003}, 3, "", {.unusable = 1}},
    {"too many ports",
     "random",
     "203.0.113.5",
     {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17},
     17,
     "",
     {.surplus = 1}},
    {"as many as there may be",
     "random",
     "203.0.113.5",
     {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
     16,
     "3 0 203.0.113.5:1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
     {0}},
    {"a step of nothing", "sequential(delta=0)", "203.0.113.5", {1}, 1, "", {.unusable = 1}},
    {"steps from nowhere", "sequential(delta=1)", "203.0.113.5", {0}, 0, "", {.unusable = 1}},
};

static wzp_signal_HardNatProbe signal_of(const char *allocation, const char *ip,
                                         const uint16_t *ports, size_t count) {
    return (wzp_signal_HardNatProbe){.call_id = wzp_bytes_str("c1"),
                                     .port_sequence = {ports, count},
                                     .allocation = wzp_bytes_str(allocation),
                                     .probe_time_ms = 1779700000000,
                                     .external_ip = wzp_bytes_str(ip)};
}

static void describe(char *out, size_t cap, const wzp_call_probe *probe) {
    char addr[WZP_ADDR_TEXT_MAX];
    int len = snprintf(out, cap, "%d %d %s", (int)probe->alloc.kind, probe->alloc.delta,
                       wzp_addr_text(&probe->external, addr));
    for (size_t i = 0; i < probe->port_count; i++) {
        len += snprintf(out + len, cap - (size_t)len, " %u", probe->ports[i]);
    }
}

START_TEST(reads) {
    const struct read_case *c = &read_cases[_i];
    const wzp_signal_HardNatProbe in = signal_of(c->allocation, c->ip, c->ports, c->count);
    wzp_call_probe got = {.time_ms = 7};
    wzp_call_refused refused = {0};
    char text[256] = "";
    if (wzp_call_probe_read(&got, &in, &refused)) {
        describe(text, sizeof text, &got);
        ck_assert_uint_eq(got.time_ms, 1779700000000);
    } else {
        ck_assert_uint_eq(got.time_ms, 7);
    }
    ck_assert_msg(strcmp(text, c->want) == 0, "%s: %s", c->name, text);
    ck_assert_msg(memcmp(&refused, &c->refused, sizeof refused) == 0, "%s: %llu %llu %llu", c->name,
                  (unsigned long long)refused.unreadable, (unsigned long long)refused.surplus,
                  (unsigned long long)refused.unusable);
}
END_TEST

/* A text with an end in its middle is no allocation, whatever stands before it. */
START_TEST(hidden_end) {
    static const uint16_t port = 1;
    wzp_call_probe got;
    wzp_call_refused refused = {0};
    wzp_signal_HardNatProbe in = signal_of("random", "203.0.113.5", &port, 1);
    in.allocation = wzp_bytes_of((const uint8_t *)"random\0x", 8);
    ck_assert(!wzp_call_probe_read(&got, &in, &refused));
    in = signal_of("random", "", &port, 1);
    in.external_ip = wzp_bytes_of((const uint8_t *)"203.0.113.5\0x", 13);
    ck_assert(!wzp_call_probe_read(&got, &in, &refused));
    ck_assert_uint_eq(refused.unreadable, 2);
}
END_TEST

/* What the nat sheet's frame F8 says, but for its order, which is the one that was specified. */
START_TEST(says_what_deployed_clients_read) {
    const wzp_gather_ports found = {.alloc = {WZP_PORT_ALLOC_SEQUENTIAL, 1},
                                    .latest = wzp_addr_v4(203, 0, 113, 5, 40003),
                                    .ports = {40001, 40002, 40003},
                                    .count = 3};
    wzp_call_probe probe;
    wzp_call_probe again;
    wzp_call_probe_text text;
    wzp_call_refused refused = {0};
    wzp_signal_HardNatProbe out = {.call_id = wzp_bytes_str("c1")};
    wzp_call_probe_of(&probe, &found, 1779700000000);
    wzp_call_probe_write(&out, &probe, &text);
    ck_assert(wzp_bytes_equal(out.allocation, wzp_bytes_str("sequential(delta=1)")));
    ck_assert(wzp_bytes_equal(out.external_ip, wzp_bytes_str("203.0.113.5")));
    ck_assert(out.port_sequence.count == 3 && out.port_sequence.items[0] == 40003 &&
              out.port_sequence.items[2] == 40001);
    ck_assert_uint_eq(out.probe_time_ms, 1779700000000);
    ck_assert(wzp_call_probe_read(&again, &out, &refused));
    char first[256];
    char second[256];
    describe(first, sizeof first, &probe);
    describe(second, sizeof second, &again);
    ck_assert_str_eq(first, second);
}
END_TEST

START_TEST(says_that_it_found_nothing) {
    const wzp_gather_ports found = {.count = 0};
    wzp_call_probe probe;
    wzp_call_probe_text text;
    wzp_signal_HardNatProbe out = {.call_id = wzp_bytes_str("c1")};
    wzp_call_probe_of(&probe, &found, 0);
    wzp_call_probe_write(&out, &probe, &text);
    ck_assert(wzp_bytes_equal(out.allocation, wzp_bytes_str("unknown")));
    ck_assert(out.external_ip.len == 0 && out.port_sequence.count == 0);
    probe.external = (wzp_addr){WZP_ADDR_V6, 9, {0x20, 1, 0xd, 0xb8, [15] = 1}};
    wzp_call_probe_write(&out, &probe, &text);
    ck_assert(wzp_bytes_equal(out.external_ip, wzp_bytes_str("2001:db8::1")));
}
END_TEST

/* --- birthday --------------------------------------------------------------------------------- */

static const struct birthday_case {
    const char *name, *ip;
    size_t count;
    wzp_call_refused refused;
    uint16_t ports[PORTS], opened;
    bool want;
} birthday_cases[] = {
    {"as the reference says it", "203.0.113.5", 0, {0}, {0}, 256, true},
    {"frame F9 of the sheet", "203.0.113.5", 3, {0}, {51000, 51877, 62001}, 3, true},
    {"no socket", "203.0.113.5", 1, {.unusable = 1}, {51000}, 0, false},
    {"port 0", "203.0.113.5", 2, {.unusable = 1}, {51000, 0}, 2, false},
    {"no IP, as of deployed ones that know none", "", 0, {.unusable = 1}, {0}, 2, false},
    {"an IP with a port", "203.0.113.5:1", 0, {.unreadable = 1}, {0}, 2, false},
    {"a name", "example.net", 0, {.unreadable = 1}, {0}, 2, false},
};

START_TEST(birthdays) {
    const struct birthday_case *c = &birthday_cases[_i];
    const wzp_signal_HardNatBirthdayStart in = {.acceptor_port_count = c->opened,
                                                .acceptor_ports = {c->ports, c->count},
                                                .external_ip = wzp_bytes_str(c->ip)};
    wzp_call_birthday got = {.opened = 7};
    wzp_call_birthday again = {0};
    wzp_call_refused refused = {0};
    wzp_call_probe_text text;
    wzp_signal_HardNatBirthdayStart out = {.call_id = wzp_bytes_str("c1")};
    ck_assert_msg(wzp_call_birthday_read(&got, &in, &refused) == c->want, "%s", c->name);
    ck_assert_uint_eq(got.opened, c->want ? c->opened : 7);
    ck_assert_msg(memcmp(&refused, &c->refused, sizeof refused) == 0, "%s", c->name);
    if (c->want) {
        wzp_call_birthday_write(&out, &got, &text);
        ck_assert(wzp_bytes_equal(out.external_ip, wzp_bytes_str(c->ip)));
        ck_assert(wzp_call_birthday_read(&again, &out, &refused));
        ck_assert_uint_eq(again.port_count, c->count);
        ck_assert_mem_eq(&again, &got, sizeof got);
    }
}
END_TEST

START_TEST(too_many_known_ports) {
    static uint16_t ports[WZP_BIRTHDAY_KNOWN_MAX + 1];
    for (size_t i = 0; i < WZP_COUNT_OF(ports); i++) {
        ports[i] = (uint16_t)(5000 + i);
    }
    wzp_signal_HardNatBirthdayStart in = {.acceptor_port_count = 1,
                                          .acceptor_ports = {ports, WZP_COUNT_OF(ports)},
                                          .external_ip = wzp_bytes_str("203.0.113.5")};
    wzp_call_birthday got;
    wzp_call_refused refused = {0};
    ck_assert(!wzp_call_birthday_read(&got, &in, &refused));
    ck_assert_uint_eq(refused.surplus, 1);
    in.acceptor_ports.count = WZP_BIRTHDAY_KNOWN_MAX;
    ck_assert(wzp_call_birthday_read(&got, &in, &refused));
    ck_assert_uint_eq(got.port_count, WZP_BIRTHDAY_KNOWN_MAX);
}
END_TEST

static const struct ahead_case {
    const char *name;
    wzp_port_alloc alloc;
    uint16_t last;
    const char *first, *then;
} ahead_cases[] = {
    {"it counts",
     {WZP_PORT_ALLOC_SEQUENTIAL, 1},
     40003,
     "40004 40005 40006 40007 40008 40009 40010",
     "40011 40012 40013 40014 40015"},
    {"by two, over the end",
     {WZP_PORT_ALLOC_SEQUENTIAL, 2},
     65532,
     "65534 2 4 6 8 10",
     "12 14 16 18 20"},
    {"over the end late",
     {WZP_PORT_ALLOC_SEQUENTIAL, 1},
     65526,
     "65527 65528 65529 65530 65531 65532 65533",
     "65534 65535 1 2"},
    {"downwards", {WZP_PORT_ALLOC_SEQUENTIAL, -1}, 100, "99 98 97 96 95 94 93", "92 91 90 89 88"},
    {"it keeps", {WZP_PORT_ALLOC_PRESERVING, 0}, 4433, "", ""},
    {"it does not count", {WZP_PORT_ALLOC_RANDOM, 0}, 4433, "", ""},
};

static void ports_ahead(const char *name, const wzp_call_probe *probe, size_t skip, size_t count,
                        const char *want) {
    wzp_addr got[WZP_CALL_AHEAD];
    char text[128] = "";
    size_t len = 0;
    const size_t n = wzp_call_probe_ahead(got, probe, skip, count);
    for (size_t i = 0; i < n; i++) {
        ck_assert(wzp_addr_same_ip(&got[i], &probe->external));
        len +=
            (size_t)snprintf(text + len, sizeof text - len, "%s%u", i > 0 ? " " : "", got[i].port);
    }
    ck_assert_msg(strcmp(text, want) == 0, "%s: %s", name, text);
}

START_TEST(ahead) {
    const struct ahead_case *c = &ahead_cases[_i];
    const wzp_call_probe probe = {.alloc = c->alloc,
                                  .external = wzp_addr_v4(203, 0, 113, 5, c->last)};
    const wzp_call_probe nowhere = {.alloc = c->alloc};
    ck_assert(wzp_call_probe_counts(&probe) == (c->alloc.kind == WZP_PORT_ALLOC_SEQUENTIAL));
    ck_assert(!wzp_call_probe_counts(&nowhere));
    ports_ahead(c->name, &probe, 0, WZP_CALL_AHEAD_FIRST, c->first);
    ports_ahead(c->name, &probe, WZP_CALL_AHEAD_FIRST, WZP_CALL_AHEAD - WZP_CALL_AHEAD_FIRST,
                c->then);
    ports_ahead(c->name, &nowhere, 0, WZP_CALL_AHEAD, "");
}
END_TEST

START_TEST(no_more_than_there_is_room_for) {
    wzp_addr got[WZP_CALL_AHEAD];
    const wzp_call_probe probe = {.alloc = {WZP_PORT_ALLOC_SEQUENTIAL, 1},
                                  .external = wzp_addr_v4(203, 0, 113, 5, 40000)};
    ck_assert_uint_eq(wzp_call_probe_ahead(got, &probe, 0, SIZE_MAX), WZP_CALL_AHEAD);
    ck_assert_uint_eq(got[WZP_CALL_AHEAD - 1].port, 40000 + WZP_CALL_AHEAD);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("hard_nat");
    tcase_add_loop_test(tc, reads, 0, (int)WZP_COUNT_OF(read_cases));
    tcase_add_test(tc, hidden_end);
    tcase_add_test(tc, says_what_deployed_clients_read);
    tcase_add_test(tc, says_that_it_found_nothing);
    tcase_add_loop_test(tc, birthdays, 0, (int)WZP_COUNT_OF(birthday_cases));
    tcase_add_test(tc, too_many_known_ports);
    tcase_add_loop_test(tc, ahead, 0, (int)WZP_COUNT_OF(ahead_cases));
    tcase_add_test(tc, no_more_than_there_is_room_for);
    return wzp_run_suite("call.hard_nat", tc);
}
