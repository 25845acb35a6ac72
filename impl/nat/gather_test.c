#include "nat/gather.h"

#include "base/testing/suite.h"

static const wzp_addr server = {WZP_ADDR_V4, 3478, {198, 51, 100, 1}};
static const wzp_addr gateway = {WZP_ADDR_V4, 5351, {192, 168, 1, 1}};
static const wzp_addr outer = {WZP_ADDR_V4, 51413, {203, 0, 113, 9}};
static wzp_gather g;
static wzp_prng prng;

/* What answers in this test, and where it says that we are.  A mapping of PCP is its owner's by the
 * nonce, whatever a stranger at the same port asks for (RFC 6887 11.3). */
static struct {
    bool stun, natpmp, pcp;
    wzp_addr reflexive, external;
    bool has_owner;
    uint8_t owner[WZP_PCP_NONCE_LEN];
    uint16_t suggested;
} world;

static void begin(bool has_gateway, wzp_time now) {
    const wzp_interface_addr interfaces[] = {{.addr = wzp_addr_v4(192, 168, 1, 10, 0)},
                                             {.addr = wzp_addr_v4(127, 0, 0, 1, 0)}};
    const wzp_gather_cfg cfg = {.servers = {server},
                                .server_count = 1,
                                .gateway = has_gateway ? gateway : (wzp_addr){0},
                                .own = wzp_addr_v4(192, 168, 1, 10, 40000),
                                .interfaces = interfaces,
                                .interface_count = 2,
                                .v4_port = 40000};
    wzp_gather_begin(&g, &cfg, wzp_prng_rng(&prng), now);
}

static void answer_stun(const wzp_gather_datagram *asked, wzp_wr *wr) {
    wzp_stun_message message;
    ck_assert(wzp_stun_parse(&message, wzp_bytes_of(asked->data, asked->len), NULL) == WZP_OK);
    message.type = WZP_STUN_SUCCESS;
    message.xor_mapped = world.reflexive;
    wzp_stun_write(wr, &message);
}

static void answer_natpmp(const wzp_gather_datagram *asked, wzp_wr *wr) {
    wzp_natpmp_request request;
    ck_assert(wzp_natpmp_parse(&request, wzp_bytes_of(asked->data, asked->len), NULL) == WZP_OK);
    if (request.op == WZP_NATPMP_ADDRESS) {
        wzp_natpmp_write_address(wr, WZP_NATPMP_SUCCESS, 1000, &world.external);
    } else {
        wzp_natpmp_write_map(wr, &request, WZP_NATPMP_SUCCESS, 1000, world.external.port,
                             request.lifetime_s);
    }
}

static void answer_pcp(const wzp_gather_datagram *asked, wzp_wr *wr) {
    wzp_pcp_request request;
    wzp_pcp_result result;
    ck_assert(wzp_pcp_parse(&request, &result, wzp_bytes_of(asked->data, asked->len), NULL) ==
              WZP_OK);
    if (world.has_owner && memcmp(world.owner, request.nonce, sizeof world.owner) != 0) {
        wzp_pcp_write_error(wr, wzp_bytes_of(asked->data, asked->len), WZP_PCP_NOT_AUTHORIZED, 1000,
                            7200);
        return;
    }
    world.has_owner = true;
    world.suggested = request.external.port;
    memcpy(world.owner, request.nonce, sizeof world.owner);
    wzp_pcp_write_granted(wr, &request, 1000, &world.external, request.lifetime_s);
}

/* All that is asked for is answered, by who answers. */
static void serve(wzp_time now) {
    wzp_gather_datagram asked;
    while (wzp_gather_next(&g, &asked)) {
        uint8_t buf[128];
        wzp_wr wr;
        wzp_wr_init(&wr, buf, sizeof buf);
        if (asked.socket == WZP_GATHER_STUN && world.stun) {
            answer_stun(&asked, &wr);
        } else if (asked.socket == WZP_GATHER_NATPMP && world.natpmp) {
            answer_natpmp(&asked, &wr);
        } else if (asked.socket == WZP_GATHER_PCP && world.pcp) {
            answer_pcp(&asked, &wr);
        }
        ck_assert(wzp_wr_end(&wr) == WZP_OK);
        if (wzp_wr_len(&wr) != 0) {
            wzp_gather_recv(&g, asked.socket, &asked.to, wzp_bytes_of(buf, wzp_wr_len(&wr)), now);
        }
    }
}

/* Runs from deadline to deadline until there is news, or `until`. */
static const wzp_gathered *run(wzp_time now, wzp_time until, wzp_time *at) {
    const wzp_gathered *news = NULL;
    for (;; now = wzp_gather_deadline(&g)) {
        if (now > until) {
            return NULL;
        }
        wzp_gather_tick(&g, now);
        serve(now);
        news = wzp_gather_news(&g, now);
        if (news != NULL) {
            *at = now;
            return news;
        }
    }
}

static const struct gather_case {
    const char *name;
    bool has_gateway, stun, natpmp, pcp;
    unsigned want_ms; /* when it is told */
    bool reflexive, mapped;
} gather_cases[] = {
    {"all there", true, true, true, true, 0, true, true},
    {"PCP only", true, true, false, true, 0, true, true},
    {"NAT-PMP only", true, true, true, false, 0, true, true},
    {"a silent gateway", true, true, false, false, 1000, true, false},
    {"no gateway", false, true, false, false, 0, true, false},
    {"STUN is silent", true, false, true, true, 3000, false, true},
    {"nothing at all", false, false, false, false, 3000, false, false},
};

START_TEST(gathers) {
    const struct gather_case *c = &gather_cases[_i];
    wzp_time at = 0;
    g = (wzp_gather){0};
    world.has_owner = false;
    world.stun = c->stun;
    world.natpmp = c->natpmp;
    world.pcp = c->pcp;
    world.reflexive = wzp_addr_v4(203, 0, 113, 9, 40000);
    world.external = outer;
    begin(c->has_gateway, 0);
    const wzp_gathered *got = run(0, 10 * WZP_S, &at);
    ck_assert_msg(got != NULL && at == c->want_ms * WZP_MS, "%s: at %lu ms", c->name,
                  (unsigned long)(at / WZP_MS));
    ck_assert_uint_eq(got->generation, 1);
    ck_assert_msg((got->reflexive.port == 40000) == c->reflexive, "%s", c->name);
    ck_assert_msg((got->mapped.port == 51413) == c->mapped, "%s", c->name);
    ck_assert(got->local_count == 1 && got->local[0].port == 40000);
}
END_TEST

static wzp_time all_there(void) {
    wzp_time at = 0;
    g = (wzp_gather){0};
    world.has_owner = false;
    world.stun = true;
    world.natpmp = true;
    world.pcp = true;
    world.reflexive = wzp_addr_v4(203, 0, 113, 9, 40000);
    world.external = outer;
    begin(true, 0);
    ck_assert_ptr_nonnull(run(0, WZP_S, &at));
    return at;
}

START_TEST(again_after_a_change_of_the_network) {
    wzp_time at = all_there();
    ck_assert_ptr_null(wzp_gather_news(&g, at));
    world.reflexive = wzp_addr_v4(203, 0, 113, 77, 4000);
    begin(false, WZP_S);
    const wzp_gathered *got = run(WZP_S, 10 * WZP_S, &at);
    ck_assert(got != NULL && got->generation == 2);
    ck_assert(wzp_addr_equal(&got->reflexive, &world.reflexive));
    ck_assert(got->mapped.family == WZP_ADDR_NONE);
}
END_TEST

/* As when the line to the relay was lost and is found again: the gateway still has our mapping. */
START_TEST(a_mapping_stays_ours) {
    wzp_time at = all_there();
    world.natpmp = false;
    begin(true, WZP_S);
    const wzp_gathered *got = run(WZP_S, 10 * WZP_S, &at);
    ck_assert(got != NULL && got->generation == 2);
    ck_assert(wzp_addr_equal(&got->mapped, &outer));
    ck_assert_uint_eq(world.suggested, outer.port);
}
END_TEST

/* Hostile answers before and after it began anew: all are counted, whoever asks when. */
START_TEST(what_is_refused_stays_counted) {
    static const uint8_t junk[4] = {2, 0x81, 0, 0};
    const wzp_addr elsewhere = wzp_addr_v4(192, 168, 1, 2, 5351);
    uint8_t foreign[WZP_STUN_HEADER_LEN] = {1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    wzp_gather_refusals refused;
    (void)all_there();
    for (int i = 0; i < 2; i++) {
        wzp_gather_recv(&g, WZP_GATHER_STUN, &server, wzp_bytes_of(foreign, sizeof foreign), 0);
        wzp_gather_recv(&g, WZP_GATHER_STUN, &server, wzp_bytes_of(junk, sizeof junk), 0);
        wzp_gather_recv(&g, WZP_GATHER_PCP, &gateway, wzp_bytes_of(junk, sizeof junk), 0);
        wzp_gather_recv(&g, WZP_GATHER_NATPMP, &elsewhere, wzp_bytes_of(junk, sizeof junk), 0);
        wzp_gather_upnp(&g, &(wzp_addr){WZP_ADDR_V4, 4000, {10, 0, 0, 1}});
        begin(i == 0, WZP_S);
    }
    wzp_gather_look_again(&g, wzp_prng_rng(&prng), WZP_S);
    wzp_gather_count(&g, &refused);
    ck_assert_uint_eq(refused.stun.wrong_txid, 2);
    ck_assert_uint_eq(refused.stun.not_answer, 2);
    ck_assert_uint_eq(refused.maps.cut, 2);
    ck_assert_uint_eq(refused.maps.wrong_source, 2);
    ck_assert_uint_eq(refused.upnp, 2);
}
END_TEST

START_TEST(a_mapping_elsewhere_is_not_told) {
    wzp_time at = 0;
    g = (wzp_gather){0};
    world.has_owner = false;
    world.stun = true;
    world.natpmp = true;
    world.pcp = true;
    world.reflexive = wzp_addr_v4(203, 0, 113, 8, 40000); /* a second NAT is between */
    world.external = outer;
    begin(true, 0);
    const wzp_gathered *got = run(0, 10 * WZP_S, &at);
    ck_assert(got != NULL && got->mapped.family == WZP_ADDR_NONE);
    ck_assert(got->reflexive.port == 40000);
}
END_TEST

START_TEST(what_is_lost_is_told) {
    wzp_time at = all_there();
    world.natpmp = false;
    world.pcp = false;
    const wzp_gathered *got = run(at, 8000 * WZP_S, &at);
    ck_assert(got != NULL && got->generation == 2 && at == 7200 * WZP_S);
    ck_assert(got->mapped.family == WZP_ADDR_NONE && got->reflexive.port == 40000);
}
END_TEST

START_TEST(released) {
    const wzp_time at = all_there();
    wzp_gather_release(&g, at);
    serve(at);
    ck_assert(wzp_gather_deadline(&g) == WZP_TIME_NEVER);
    ck_assert_ptr_null(wzp_gather_news(&g, at));
    ck_assert_ptr_null(wzp_gather_port_news(&g, at));
}
END_TEST

/* --- ports ------------------------------------------------------------------------------------ */

/* Servers are 198.51.100.1 and on, `views` what they see, 0: nothing; answers come in the order of
 * `answers`, one each 10 ms.  The relay's view is that of the NAT at -1 s, or at 1 s. */
static const struct ports_case {
    const char *name;
    uint16_t views[4];
    uint8_t answers[4]; /* from 1 on */
    uint16_t relay_before, relay_after;
    uint8_t relay_is; /* at the IP of this server, from 1 on */
    wzp_port_alloc want;
    uint16_t latest;
    unsigned count, want_ms;
} ports_cases[] = {
    {"a NAT that keeps the port",
     {40000, 40000, 40000},
     {1, 2, 3},
     .want = {WZP_PORT_ALLOC_PRESERVING, 0},
     .latest = 40000,
     .count = 3,
     .want_ms = 30},
    {"one that counts",
     {50001, 50002, 50003},
     {1, 2, 3},
     .want = {WZP_PORT_ALLOC_SEQUENTIAL, 1},
     .latest = 50003,
     .count = 3,
     .want_ms = 30},
    {"answers overtake each other",
     {50001, 50003, 50005},
     {3, 1, 2},
     .want = {WZP_PORT_ALLOC_SEQUENTIAL, 2},
     .latest = 50005,
     .count = 3,
     .want_ms = 30},
    {"one that does not",
     {50001, 3, 61200},
     {1, 2, 3},
     .want = {WZP_PORT_ALLOC_RANDOM, 0},
     .latest = 61200,
     .count = 3,
     .want_ms = 30},
    {"two servers are too few",
     {50001, 50002},
     {1, 2},
     .want = {WZP_PORT_ALLOC_UNKNOWN, 0},
     .latest = 50002,
     .count = 2,
     .want_ms = 20},
    {"the relay is the third, and was first",
     {50001, 50002},
     {1, 2},
     .relay_before = 50000,
     .want = {WZP_PORT_ALLOC_SEQUENTIAL, 1},
     .latest = 50002,
     .count = 3,
     .want_ms = 20},
    {"or last",
     {50001, 50002},
     {1, 2},
     .relay_after = 50003,
     .want = {WZP_PORT_ALLOC_SEQUENTIAL, 1},
     .latest = 50003,
     .count = 3,
     .want_ms = 20},
    {"others were between",
     {50001, 50002, 50003},
     {1, 2, 3},
     .relay_before = 49000,
     .want = {WZP_PORT_ALLOC_SEQUENTIAL, 1},
     .latest = 50003,
     .count = 4,
     .want_ms = 30},
    {"a relay beside a server is no third",
     {50001, 50002},
     {1, 2},
     .relay_before = 50000,
     .relay_is = 2,
     .want = {WZP_PORT_ALLOC_UNKNOWN, 0},
     .latest = 50002,
     .count = 2,
     .want_ms = 20},
    {"one server is silent",
     {50001, 0, 50003},
     {1, 3},
     .relay_before = 50000,
     .want = {WZP_PORT_ALLOC_SEQUENTIAL, 1},
     .latest = 50003,
     .count = 3,
     .want_ms = 310},
    {"all are", {0}, {0}, .want = {WZP_PORT_ALLOC_UNKNOWN, 0}, .count = 0, .want_ms = 3000},
};

static void answer(const wzp_gather_datagram *asked, uint16_t port, wzp_time now) {
    uint8_t buf[128];
    wzp_wr wr;
    world.reflexive = wzp_addr_v4(203, 0, 113, 9, port);
    wzp_wr_init(&wr, buf, sizeof buf);
    answer_stun(asked, &wr);
    wzp_gather_recv(&g, WZP_GATHER_STUN, &asked->to, wzp_bytes_of(buf, wzp_wr_len(&wr)), now);
}

/* As many servers as there are views, and the last one once more under another port. */
static size_t ask(const struct ports_case *c, wzp_gather_datagram *asked) {
    wzp_gather_cfg cfg = {.v4_port = 40000};
    size_t n = 0;
    for (uint8_t i = 0; i < 4 && (i == 0 || c->views[i] != 0 || (i < 3 && c->views[i + 1] != 0));
         i++) {
        cfg.servers[cfg.server_count++] = wzp_addr_v4(198, 51, 100, (uint8_t)(1 + i), 3478);
    }
    const size_t count = cfg.server_count++;
    cfg.servers[count] = cfg.servers[count - 1];
    cfg.servers[count].port++;
    g = (wzp_gather){0};
    wzp_gather_begin(&g, &cfg, wzp_prng_rng(&prng), WZP_S);
    while (wzp_gather_next(&g, &asked[n])) {
        ck_assert_uint_eq(asked[n].to.ip[3], 1 + n);
        n++;
    }
    ck_assert_uint_eq(n, count);
    return n;
}

static const wzp_gather_ports *sleep_for_ports(wzp_time *now, wzp_time until) {
    const wzp_gather_ports *news = wzp_gather_port_news(&g, *now);
    while (news == NULL && wzp_gather_deadline(&g) <= until) {
        *now = wzp_gather_deadline(&g);
        wzp_gather_tick(&g, *now);
        news = wzp_gather_port_news(&g, *now);
    }
    return news;
}

START_TEST(ports) {
    const struct ports_case *c = &ports_cases[_i];
    wzp_gather_datagram asked[4];
    const wzp_gather_ports *got = NULL;
    wzp_time now = WZP_S;
    (void)ask(c, asked);
    const uint16_t seen = c->relay_before != 0 ? c->relay_before : c->relay_after;
    const wzp_addr view = wzp_addr_v4(203, 0, 113, 9, seen);
    const wzp_addr relay = wzp_addr_v4(198, 51, 100, c->relay_is != 0 ? c->relay_is : 99, 4433);
    if (seen != 0) {
        wzp_gather_reflected(&g, &relay, &view, c->relay_before != 0 ? 0 : 2 * WZP_S);
    }
    for (size_t i = 0; i < 4 && c->answers[i] != 0; i++) {
        ck_assert_ptr_null(sleep_for_ports(&now, now));
        now += 10 * WZP_MS;
        answer(&asked[c->answers[i] - 1], c->views[c->answers[i] - 1], now);
    }
    got = sleep_for_ports(&now, WZP_TIME_NEVER - 1);
    ck_assert_msg(got != NULL && now == WZP_S + c->want_ms * WZP_MS, "%s: at %llu ms", c->name,
                  (unsigned long long)(now / WZP_MS));
    ck_assert_msg(got->alloc.kind == c->want.kind && got->alloc.delta == c->want.delta, "%s: %d %d",
                  c->name, got->alloc.kind, got->alloc.delta);
    ck_assert_msg(got->count == c->count && got->latest.port == c->latest, "%s: %zu, %u", c->name,
                  got->count, got->latest.port);
    ck_assert_ptr_null(wzp_gather_port_news(&g, now));
}
END_TEST

/* Two paths outwards: which port a third one would have, nobody can say. */
START_TEST(two_external_addresses) {
    wzp_gather_datagram asked[4];
    const wzp_addr view = wzp_addr_v4(203, 0, 113, 10, 50000);
    const wzp_addr relay = wzp_addr_v4(198, 51, 100, 99, 4433);
    g = (wzp_gather){0};
    ck_assert_ptr_null(wzp_gather_port_news(&g, WZP_S)); /* nobody has asked */
    (void)ask(&ports_cases[1], asked);
    for (size_t i = 0; i < 3; i++) {
        answer(&asked[i], (uint16_t)(50001 + i), WZP_S);
    }
    const wzp_gather_ports *got = wzp_gather_port_news(&g, WZP_S);
    ck_assert(got != NULL && got->alloc.kind == WZP_PORT_ALLOC_SEQUENTIAL);
    wzp_gather_reflected(&g, &relay, &view, 0);
    got = wzp_gather_port_news(&g, WZP_S);
    ck_assert(got != NULL && got->alloc.kind == WZP_PORT_ALLOC_UNKNOWN && got->count == 4);
}
END_TEST

/* The mappings to the servers are gone meanwhile, and others took ports. */
START_TEST(looks_again) {
    wzp_gather_datagram asked[4];
    wzp_time now = WZP_S;
    const wzp_gather_ports *got = NULL;
    (void)ask(&ports_cases[1], asked);
    for (size_t i = 0; i < 3; i++) {
        answer(&asked[i], (uint16_t)(50001 + i), now);
    }
    ck_assert_ptr_nonnull(wzp_gather_news(&g, now));
    ck_assert_ptr_nonnull(wzp_gather_port_news(&g, now));
    now = 900 * WZP_S;
    wzp_gather_tick(&g, now);
    wzp_gather_look_again(&g, wzp_prng_rng(&prng), now);
    ck_assert_ptr_null(wzp_gather_news(&g, now));
    ck_assert_ptr_null(wzp_gather_port_news(&g, now));
    for (size_t i = 0; i < 3; i++) {
        ck_assert(wzp_gather_next(&g, &asked[i]));
        ck_assert_uint_eq(asked[i].to.ip[3], 1 + i);
        answer(&asked[i], (uint16_t)(50071 + i), now);
    }
    got = wzp_gather_port_news(&g, now);
    ck_assert(got != NULL && got->latest.port == 50073);
    ck_assert_ptr_nonnull(wzp_gather_news(&g, now)); /* the reflexive address is another one */

    wzp_gather_look_again(&g, wzp_prng_rng(&prng), now); /* and now nobody answers */
    got = sleep_for_ports(&now, WZP_TIME_NEVER - 1);
    ck_assert(got != NULL && got->count == 0 && now == 903 * WZP_S);
    ck_assert_ptr_null(wzp_gather_news(&g, now));
    ck_assert(wzp_gather_deadline(&g) == WZP_TIME_NEVER);
}
END_TEST

/* The first three still have their mappings; the fourth one, which was not asked so far, shows what
 * others took meanwhile. */
START_TEST(a_server_in_reserve) {
    static const uint16_t later[] = {50001, 50002, 50003, 50031};
    wzp_gather_datagram asked[4];
    wzp_gather_datagram more;
    wzp_gather_cfg cfg = {.v4_port = 40000, .server_count = 4};
    for (uint8_t i = 0; i < 4; i++) {
        cfg.servers[i] = wzp_addr_v4(198, 51, 100, (uint8_t)(1 + i), 3478);
    }
    g = (wzp_gather){0};
    wzp_gather_begin(&g, &cfg, wzp_prng_rng(&prng), WZP_S);
    for (size_t i = 0; i < 3; i++) {
        ck_assert(wzp_gather_next(&g, &asked[i]));
        answer(&asked[i], later[i], WZP_S);
    }
    ck_assert(!wzp_gather_next(&g, &more));
    ck_assert_ptr_nonnull(wzp_gather_news(&g, WZP_S));
    ck_assert_ptr_nonnull(wzp_gather_port_news(&g, WZP_S));
    ck_assert(wzp_gather_has_reserve(&g));
    wzp_gather_look_again(&g, wzp_prng_rng(&prng), 2 * WZP_S);
    ck_assert(!wzp_gather_has_reserve(&g));
    for (size_t i = 0; i < 4; i++) {
        ck_assert(wzp_gather_next(&g, &asked[i]));
        answer(&asked[i], later[i], 2 * WZP_S);
    }
    const wzp_gather_ports *got = wzp_gather_port_news(&g, 2 * WZP_S);
    ck_assert(got != NULL && got->alloc.kind == WZP_PORT_ALLOC_SEQUENTIAL);
    ck_assert(got->alloc.delta == 1 && got->latest.port == 50031);
    ck_assert_ptr_null(wzp_gather_news(&g, 2 * WZP_S));
}
END_TEST

/* The first answer is told at once, whatever the others do, and only once. */
START_TEST(the_first_answer_is_told_at_once) {
    wzp_gather_datagram asked[4];
    (void)ask(&ports_cases[1], asked);
    answer(&asked[1], 50002, WZP_S);
    const wzp_gathered *got = wzp_gather_news(&g, WZP_S);
    ck_assert(got != NULL && got->reflexive.port == 50002);
    answer(&asked[0], 50001, WZP_S);
    answer(&asked[2], 50003, WZP_S);
    ck_assert_ptr_null(wzp_gather_news(&g, WZP_S));
    ck_assert_ptr_nonnull(wzp_gather_port_news(&g, WZP_S));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("gather");
    wzp_prng_init(&prng, 1, "gather");
    tcase_add_loop_test(tc, gathers, 0, WZP_COUNT_OF(gather_cases));
    tcase_add_test(tc, again_after_a_change_of_the_network);
    tcase_add_test(tc, a_mapping_stays_ours);
    tcase_add_test(tc, what_is_refused_stays_counted);
    tcase_add_test(tc, a_mapping_elsewhere_is_not_told);
    tcase_add_test(tc, what_is_lost_is_told);
    tcase_add_test(tc, released);
    tcase_add_loop_test(tc, ports, 0, WZP_COUNT_OF(ports_cases));
    tcase_add_test(tc, two_external_addresses);
    tcase_add_test(tc, looks_again);
    tcase_add_test(tc, a_server_in_reserve);
    tcase_add_test(tc, the_first_answer_is_told_at_once);
    return wzp_run_suite("gather", tc);
}
