/* NAT-133 */
#include "nat/relay_map.h"

#include "base/testing/suite.h"

static wzp_relay_map map;
static const wzp_bytes nothing;

static wzp_addr relay(uint8_t i) {
    return wzp_addr_v4(192, 0, 2, i, 4433);
}

static void add(uint8_t i, const char *name) {
    const wzp_addr addr = relay(i);
    ck_assert(wzp_relay_map_upsert(&map, wzp_bytes_str(name), &addr, nothing) == WZP_OK);
}

static void answered(uint8_t i, uint32_t rtt_ms, wzp_time now) {
    const wzp_addr addr = relay(i);
    wzp_relay_map_answered(&map, &addr, rtt_ms, now);
}

static const char *order(void) {
    static char names[WZP_RELAY_MAP_MAX + 1];
    for (size_t i = 0; i < map.count; i++) {
        names[i] = map.entries[i].name[0];
    }
    names[map.count] = '\0';
    return names;
}

static void begin(void) {
    map = (wzp_relay_map){0};
    add(1, "a");
    add(2, "b");
    add(3, "c");
    add(4, "d");
}

START_TEST(nearest_first) {
    const wzp_addr unknown = relay(9);
    const wzp_addr b = relay(2);
    begin();
    ck_assert_ptr_null(wzp_relay_map_preferred(&map));
    answered(3, 20, 0);
    ck_assert_str_eq(order(), "cabd");
    answered(2, 10, 0);
    answered(4, 20, 0);
    ck_assert_str_eq(order(), "bcda"); /* equal ones as they came */
    ck_assert_str_eq(wzp_relay_map_preferred(&map)->name, "b");
    wzp_relay_map_unreachable(&map, &b);
    ck_assert_str_eq(order(), "cdba");
    ck_assert(map.entries[2].has_rtt && map.entries[2].rtt_ms == 10); /* that is kept */
    answered(2, 30, 0);
    ck_assert_str_eq(order(), "cdba");
    wzp_relay_map_answered(&map, &unknown, 1, 0);
    wzp_relay_map_unreachable(&map, &unknown);
    ck_assert_str_eq(order(), "cdba");
}
END_TEST

START_TEST(names_and_regions) {
    char longest[200];
    const wzp_addr addr = relay(1);
    begin();
    ck_assert(wzp_relay_map_upsert(&map, wzp_bytes_str("A"), &addr, wzp_bytes_str("eu")) == WZP_OK);
    add(1, "e");
    ck_assert_uint_eq(map.count, 4);
    ck_assert_str_eq(map.entries[0].name, "e");
    ck_assert_str_eq(map.entries[0].region, "eu"); /* none given: it stays */
    memset(longest, 'x', sizeof longest);
    ck_assert(wzp_relay_map_upsert(&map, wzp_bytes_of(longest, sizeof longest), &addr,
                                   wzp_bytes_of(longest, sizeof longest)) == WZP_OK);
    ck_assert_uint_eq(strlen(map.entries[0].name), WZP_RELAY_NAME_MAX - 1);
    ck_assert_uint_eq(strlen(map.entries[0].region), WZP_RELAY_NAME_MAX - 1);
}
END_TEST

START_TEST(no_more_than_there_is_room_for) {
    const wzp_addr one_more = wzp_addr_v4(198, 51, 100, 1, 1);
    const wzp_addr no_port = wzp_addr_v4(198, 51, 100, 1, 0);
    const wzp_addr none = {0};
    map = (wzp_relay_map){0};
    for (uint8_t i = 0; i < WZP_RELAY_MAP_MAX; i++) {
        add(i, "n");
    }
    ck_assert(wzp_relay_map_upsert(&map, nothing, &one_more, nothing) == WZP_ERR_LIMIT);
    ck_assert(wzp_relay_map_upsert(&map, nothing, &no_port, nothing) == WZP_ERR_INVALID_ARGUMENT);
    ck_assert(wzp_relay_map_upsert(&map, nothing, &none, nothing) == WZP_ERR_INVALID_ARGUMENT);
    ck_assert(map.surplus == 1 && map.unreadable == 2);
    add(5, "known ones can still be renamed");
}
END_TEST

START_TEST(probes) {
    const wzp_time age = 300 * WZP_S;
    map = (wzp_relay_map){0};
    ck_assert(!wzp_relay_map_needs_probe(&map, age, WZP_S));
    add(1, "a");
    ck_assert(wzp_relay_map_needs_probe(&map, age, WZP_S));
    answered(1, 10, WZP_S);
    ck_assert(!wzp_relay_map_needs_probe(&map, age, WZP_S + age));
    ck_assert(wzp_relay_map_needs_probe(&map, age, WZP_S + age + 1));
    add(2, "b");
    ck_assert(wzp_relay_map_needs_probe(&map, age, WZP_S));
}
END_TEST

/* `a` is in use and has this distance; `b` has the other: which one is it to be? */
static const struct choose_case {
    uint32_t a_ms, b_ms;
    char want;
} choose_cases[] = {
    {100, 100, 'a'}, {100, 68, 'a'}, {100, 67, 'a'},
    {100, 66, 'b'},  {20, 9, 'b'},   {20, 10, 'a'}, /* not by more than 10 ms */
    {11, 0, 'b'},    {10, 0, 'a'},   {50, 90, 'a'},
};

START_TEST(choose) {
    const struct choose_case *c = &choose_cases[_i];
    const wzp_addr a = relay(1);
    begin();
    answered(1, c->a_ms, 0);
    answered(2, c->b_ms, 0);
    ck_assert_msg(wzp_relay_map_choose(&map, &a)->name[0] == c->want, "%u, %u", c->a_ms, c->b_ms);
}
END_TEST

START_TEST(choose_without_the_current_one) {
    const wzp_addr a = relay(1);
    const wzp_addr unknown = relay(9);
    begin();
    ck_assert_ptr_null(wzp_relay_map_choose(&map, &a));
    answered(2, 100, 0);
    ck_assert_str_eq(wzp_relay_map_choose(&map, &a)->name, "b");
    ck_assert_str_eq(wzp_relay_map_choose(&map, &unknown)->name, "b");
    answered(1, 90, 0);
    wzp_relay_map_unreachable(&map, &a);
    ck_assert_str_eq(wzp_relay_map_choose(&map, &a)->name, "b");
}
END_TEST

static const struct listed_case {
    const char *text;
    const char *name; /* NULL: it cannot be read */
    const char *addr;
} listed_cases[] = {
    {"us-east|203.0.113.50:4433", "us-east", "203.0.113.50:4433"}, /* F11 */
    {"v6|[2001:db8::1]:4433", "v6", "[2001:db8::1]:4433"},
    {"|203.0.113.50:4433", "", "203.0.113.50:4433"},
    {"two bars|x|203.0.113.50:4433", NULL, NULL}, /* the first one divides */
    {"no bar", NULL, NULL},
    {"host|relay.example:4433", NULL, NULL},
    {"no port|203.0.113.50", NULL, NULL},
    {"port 0|203.0.113.50:0", NULL, NULL},
    {"nothing|", NULL, NULL},
    {"", NULL, NULL},
    {"long|203.0.113.50:4433                                                    ", NULL, NULL},
};

START_TEST(listed) {
    const struct listed_case *c = &listed_cases[_i];
    char text[WZP_ADDR_TEXT_MAX];
    map = (wzp_relay_map){0};
    ck_assert_msg(wzp_relay_map_add_listed(&map, wzp_bytes_str(c->text), NULL) == (c->name != NULL),
                  "%s", c->text);
    ck_assert_uint_eq(map.count, c->name != NULL ? 1 : 0);
    ck_assert_uint_eq(map.unreadable, c->name != NULL ? 0 : 1);
    if (c->name != NULL) {
        ck_assert_str_eq(map.entries[0].name, c->name);
        ck_assert_str_eq(wzp_addr_text(&map.entries[0].addr, text), c->addr);
    }
}
END_TEST

START_TEST(a_terminator_inside) {
    static const char text[] = "a|203.0.113.50:4433\0x";
    map = (wzp_relay_map){0};
    ck_assert(!wzp_relay_map_add_listed(&map, wzp_bytes_of(text, sizeof text - 1), NULL));
}
END_TEST

static const struct sent_case {
    const char *name, *text, *teller;
    bool is_taken;
} sent_cases[] = {
    {"global, by a global one", "a|203.0.113.50:4433", "198.51.100.1:4433", true},
    {"global, by a private one", "a|203.0.113.50:4433", "10.0.0.1:4433", true},
    {"private, by a global one", "a|192.168.1.1:80", "198.51.100.1:4433", false},
    {"private, by a private one", "a|192.168.1.1:4433", "10.0.0.1:4433", true},
    {"loopback, by a global one", "a|127.0.0.1:80", "198.51.100.1:4433", false},
    {"loopback, by a private one", "a|127.0.0.1:80", "10.0.0.1:4433", false},
    {"loopback, by loopback", "a|127.0.0.1:4433", "127.0.0.1:4434", true},
    {"multicast, whoever lists it", "a|224.0.0.1:4433", NULL, false},
    {"broadcast", "a|255.255.255.255:4433", NULL, false},
    {"nowhere", "a|0.0.0.0:4433", NULL, false},
    {"IPv6 multicast", "a|[ff02::1]:4433", NULL, false},
};

START_TEST(nobody_is_sent_anywhere) {
    const struct sent_case *c = &sent_cases[_i];
    wzp_addr teller;
    map = (wzp_relay_map){0};
    ck_assert(c->teller == NULL || wzp_addr_parse(&teller, c->teller) == WZP_OK);
    const bool is_taken =
        wzp_relay_map_add_listed(&map, wzp_bytes_str(c->text), c->teller != NULL ? &teller : NULL);
    ck_assert_msg(is_taken == c->is_taken, "%s", c->name);
    ck_assert_uint_eq(map.unusable, c->is_taken ? 0 : 1);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("relay_map");
    tcase_add_test(tc, nearest_first);
    tcase_add_test(tc, names_and_regions);
    tcase_add_test(tc, no_more_than_there_is_room_for);
    tcase_add_test(tc, probes);
    tcase_add_loop_test(tc, choose, 0, WZP_COUNT_OF(choose_cases));
    tcase_add_test(tc, choose_without_the_current_one);
    tcase_add_loop_test(tc, nobody_is_sent_anywhere, 0, WZP_COUNT_OF(sent_cases));
    tcase_add_loop_test(tc, listed, 0, WZP_COUNT_OF(listed_cases));
    tcase_add_test(tc, a_terminator_inside);
    return wzp_run_suite("relay_map", tc);
}
