#include "sim/gateway/gateway.h"

#include "sim/gateway/testing/gateway.h"

#define SEARCH(mx, st)                                                                             \
    "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: " mx       \
    "\r\nST: " st "\r\n\r\n"
#define SERVES WZP_SIM_GATEWAY_SERVES
#define SILENT WZP_SIM_GATEWAY_SILENT
#define OFF WZP_SIM_GATEWAY_OFF

static const wzp_sim_gateway_cfg all = {.pmp = SERVES, .pcp = SERVES, .upnp = SERVES};

/* A gateway over the NAT of a bench (whose own leases stay empty). */
typedef struct scene {
    bench bench;
    wzp_sim_gateway *gateway;
    wzp_sim_gateway_datagram got;
} scene;

static scene scene_new(const wzp_sim_gateway_cfg *cfg) {
    const wzp_addr inside = wzp_addr_v4(192, 168, 1, 1, 0);
    scene s = {.bench = bench_new("symrand", NULL)};
    ck_assert(wzp_sim_gateway_new(&s.gateway, cfg, s.bench.nat, &inside, 1, "gateway",
                                  s.bench.now) == WZP_OK);
    return s;
}

static void scene_free(scene *s) {
    wzp_sim_gateway_free(&s->gateway);
    bench_free(&s->bench);
}

static void send_to(scene *s, const char *to, wzp_bytes payload) {
    const wzp_addr from = addr_of("192.168.1.10:5000");
    const wzp_addr at = addr_of(to);
    wzp_sim_gateway_recv(s->gateway, &from, &at, payload, s->bench.now);
}

static void send_hex(scene *s, const char *hex) {
    uint8_t buf[128];
    send_to(s, "192.168.1.1:5351", unhex(buf, sizeof buf, hex));
}

/* Lets time pass until something is sent, or the deadlines end; false: nothing by `until`. */
static bool wait_for(scene *s, wzp_time until) {
    while (wzp_sim_gateway_deadline(s->gateway) <= until) {
        const wzp_time due = wzp_sim_gateway_deadline(s->gateway);
        s->bench.now = due > s->bench.now ? due : s->bench.now;
        wzp_sim_gateway_tick(s->gateway, s->bench.now);
        if (wzp_sim_gateway_next(s->gateway, s->bench.now, &s->got)) {
            return true;
        }
    }
    s->bench.now = until;
    return false;
}

static void assert_got(const scene *s, const char *from, const char *to, const char *hex) {
    uint8_t want[128];
    char text[WZP_ADDR_TEXT_MAX];
    CK_ASSERT_BYTES(wzp_bytes_of(s->got.data, s->got.len), unhex(want, sizeof want, hex));
    ck_assert_str_eq(wzp_addr_text(&s->got.from, text), from);
    ck_assert_str_eq(wzp_addr_text(&s->got.to, text), to);
}

/* --- one port, two protocols ------------------------------------------------------------------ */

static const struct mode_case {
    const char *name;
    wzp_sim_gateway_mode pmp, pcp;
    bool listens;
    const char *to_pmp, *to_pcp; /* first four bytes of the answers; "": none */
} mode_cases[] = {
    {"both", SERVES, SERVES, true, "00800000", "02800000"},
    {"NAT-PMP alone", SERVES, OFF, true, "00800000", "00800001"},
    {"PCP alone", OFF, SERVES, true, "02800001", "02800000"},
    {"NAT-PMP silent", SILENT, SERVES, true, "", "02800000"},
    {"PCP silent", SERVES, SILENT, true, "00800000", ""},
    {"both silent", SILENT, SILENT, true, "", ""},
    {"silent and off", SILENT, OFF, true, "", ""},
    {"off", OFF, OFF, false, "", ""},
};

static void assert_answer(scene *s, const char *request, const char *want) {
    uint8_t buf[8];
    send_hex(s, request);
    ck_assert(wait_for(s, s->bench.now + WZP_S) == (want[0] != '\0'));
    if (want[0] != '\0') {
        ck_assert_uint_ge(s->got.len, 4);
        CK_ASSERT_BYTES(wzp_bytes_of(s->got.data, 4), unhex(buf, sizeof buf, want));
    }
}

START_TEST(modes) {
    const struct mode_case *c = &mode_cases[_i];
    const wzp_sim_gateway_cfg cfg = {.pmp = c->pmp, .pcp = c->pcp};
    scene s = scene_new(&cfg);
    ck_assert_msg(wzp_sim_gateway_listens(s.gateway, 5351) == c->listens, "%s", c->name);
    assert_answer(&s, "0000", c->to_pmp);
    assert_answer(&s, "02000000 00000000 00000000000000000000ffffc0a8010a", c->to_pcp);
    ck_assert(!wzp_sim_gateway_listens(s.gateway, 5350));
    scene_free(&s);
}
END_TEST

START_TEST(answers_take_their_time) {
    const wzp_sim_gateway_cfg slow = {.pmp = SERVES, .answer_delay = 700 * WZP_MS};
    scene s = scene_new(&all);
    send_hex(&s, "0000");
    ck_assert(!wzp_sim_gateway_next(s.gateway, s.bench.now + 5 * WZP_MS - 1, &s.got));
    ck_assert(wzp_sim_gateway_next(s.gateway, s.bench.now + 5 * WZP_MS, &s.got));
    assert_got(&s, "192.168.1.1:5351", "192.168.1.10:5000", "0080000000015180cb007109");
    scene_free(&s);
    s = scene_new(&slow);
    send_hex(&s, "0000");
    ck_assert_uint_eq(wzp_sim_gateway_deadline(s.gateway), s.bench.now + 700 * WZP_MS);
    scene_free(&s);
}
END_TEST

START_TEST(refusals) {
    const wzp_sim_gateway_cfg cfg = {
        .pmp = SERVES, .pcp = SERVES, .pmp_refuse = 2, .pcp_refuse = 2, .uptime_s = 1};
    scene s = scene_new(&cfg);
    assert_answer(&s, "0001 0000 0001 0000 00000e10", "00810002");
    assert_answer(&s,
                  "02010000 00001c20 00000000000000000000ffffc0a8010a 00112233445566778899aabb "
                  "11000000 9c409c40 00000000000000000000000000000000",
                  "02810002");
    scene_free(&s);
}
END_TEST

/* --- searches --------------------------------------------------------------------------------- */

START_TEST(search_answers_are_spread) {
    scene s = scene_new(&all);
    const wzp_time start = s.bench.now;
    wzp_time first = WZP_TIME_NEVER;
    wzp_time last = 0;
    unsigned count = 0;
    for (int i = 0; i < 30; i++) {
        s.bench.now = start;
        send_to(&s, "239.255.255.250:1900", wzp_bytes_str(SEARCH("2", "upnp:rootdevice")));
    }
    while (wait_for(&s, start + 100 * WZP_S)) {
        first = wzp_time_min(first, s.bench.now);
        last = s.bench.now;
        count++;
    }
    ck_assert_uint_eq(count, 30);
    ck_assert(first >= start + 5 * WZP_MS && first < start + 500 * WZP_MS);
    ck_assert(last > start + 1500 * WZP_MS && last <= start + 2005 * WZP_MS);
    s.bench.now = start + 100 * WZP_S;
    send_to(&s, "192.168.1.1:1900", wzp_bytes_str(SEARCH("2", "upnp:rootdevice")));
    ck_assert_uint_eq(wzp_sim_gateway_deadline(s.gateway), s.bench.now + 5 * WZP_MS);
    scene_free(&s);
}
END_TEST

START_TEST(television_answers_first) {
    wzp_sim_gateway_cfg cfg = all;
    char text[WZP_ADDR_TEXT_MAX];
    cfg.tv = addr_of("192.168.1.50:0");
    scene s = scene_new(&cfg);
    for (int i = 0; i < 20; i++) {
        send_to(&s, "239.255.255.250:1900",
                wzp_bytes_str(SEARCH("0", "urn:schemas-upnp-org:device:InternetGatewayDevice:1")));
        ck_assert(wait_for(&s, s.bench.now + 10 * WZP_S));
        ck_assert_str_eq(wzp_addr_text(&s.got.from, text), "192.168.1.50:1900");
        ck_assert(wait_for(&s, s.bench.now + 10 * WZP_S));
        ck_assert_str_eq(wzp_addr_text(&s.got.from, text), "192.168.1.1:1900");
        ck_assert(!wait_for(&s, s.bench.now + 10 * WZP_S));
    }
    scene_free(&s);
    cfg.upnp = OFF; /* it stands there all the same */
    s = scene_new(&cfg);
    ck_assert(wzp_sim_gateway_listens(s.gateway, 1900));
    send_to(&s, "239.255.255.250:1900", wzp_bytes_str(SEARCH("0", "ssdp:all")));
    ck_assert(wait_for(&s, s.bench.now + WZP_S));
    ck_assert(!wait_for(&s, s.bench.now + WZP_S));
    scene_free(&s);
}
END_TEST

START_TEST(not_a_search) {
    scene s = scene_new(&all);
    send_to(&s, "239.255.255.250:1900", wzp_bytes_str("NOTIFY * HTTP/1.1\r\n\r\n"));
    send_to(&s, "192.168.1.1:1900", wzp_bytes_str(""));
    send_to(&s, "192.168.1.1:9", wzp_bytes_str("x"));
    ck_assert(!wait_for(&s, s.bench.now + 10 * WZP_S));
    scene_free(&s);
}
END_TEST

/* --- HTTP ------------------------------------------------------------------------------------- */

static const struct reach_case {
    const char *name;
    wzp_sim_gateway_mode upnp;
    wzp_sim_gateway_reach want;
    const char *to, *request, *status;
} reach_cases[] = {
    {"gateway", SERVES, WZP_SIM_GATEWAY_ANSWERED, "192.168.1.1:5000",
     "GET /rootDesc.xml HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK"},
    {"another port", SERVES, WZP_SIM_GATEWAY_REFUSED, "192.168.1.1:80",
     "GET /rootDesc.xml HTTP/1.1\r\n\r\n", ""},
    {"silent", SILENT, WZP_SIM_GATEWAY_NOTHING, "192.168.1.1:5000",
     "GET /rootDesc.xml HTTP/1.1\r\n\r\n", ""},
    {"off", OFF, WZP_SIM_GATEWAY_REFUSED, "192.168.1.1:5000", "GET /rootDesc.xml HTTP/1.1\r\n\r\n",
     ""},
    {"television", OFF, WZP_SIM_GATEWAY_ANSWERED, "192.168.1.50:8080",
     "GET /dmr.xml HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK"},
    {"orders to the television", SERVES, WZP_SIM_GATEWAY_ANSWERED, "192.168.1.50:8080",
     "POST /ctl/IPConn HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found"},
};

START_TEST(http) {
    const struct reach_case *c = &reach_cases[_i];
    const wzp_sim_gateway_cfg cfg = {.upnp = c->upnp, .tv = addr_of("192.168.1.50:0")};
    const wzp_addr from = addr_of("192.168.1.10:5000");
    const wzp_addr to = addr_of(c->to);
    char buf[WZP_SIM_UPNP_HTTP_MAX + 1];
    scene s = scene_new(&cfg);
    wzp_wr wr;
    wzp_wr_init(&wr, (uint8_t *)buf, sizeof buf - 1);
    ck_assert_msg(wzp_sim_gateway_http(s.gateway, &from, &to, wzp_bytes_str(c->request),
                                       s.bench.now, &wr) == c->want,
                  "%s", c->name);
    buf[wzp_wr_len(&wr)] = '\0';
    ck_assert_msg(strncmp(buf, c->status, strlen(c->status)) == 0, "%s: %s", c->name, buf);
    scene_free(&s);
}
END_TEST

/* --- epoch and reboot ------------------------------------------------------------------------- */

START_TEST(epoch) {
    const wzp_sim_gateway_cfg cfg = {.pmp = SERVES, .uptime_s = 10};
    scene s = scene_new(&cfg);
    s.bench.now += 1999 * WZP_MS;
    ck_assert_uint_eq(wzp_sim_gateway_epoch_s(s.gateway, s.bench.now), 11);
    wzp_sim_gateway_reboot(s.gateway, s.bench.now);
    ck_assert_uint_eq(wzp_sim_gateway_epoch_s(s.gateway, s.bench.now), 0);
    ck_assert_uint_eq(wzp_sim_gateway_epoch_s(s.gateway, s.bench.now + 5 * WZP_S), 5);
    scene_free(&s);
}
END_TEST

START_TEST(reboot_is_announced) {
    static const uint64_t at_ms[] = {0, 250, 750, 1750, 3750, 7750, 15750, 31750, 63750, 127750};
    scene s = scene_new(&all);
    send_hex(&s, "0001 0000 9c40 c350 00000e10");
    ck_assert(wait_for(&s, s.bench.now + WZP_S));
    ck_assert_uint_eq(wzp_sim_leases_count(wzp_sim_gateway_leases(s.gateway)), 1);
    const wzp_time start = s.bench.now;
    wzp_sim_nat_reboot(s.bench.nat, start);
    wzp_sim_gateway_reboot(s.gateway, start);
    ck_assert_uint_eq(wzp_sim_leases_count(wzp_sim_gateway_leases(s.gateway)), 0);
    BENCH_ASSERT_REACH(&s.bench, 50000, "-");
    for (size_t i = 0; i < WZP_COUNT_OF(at_ms); i++) {
        ck_assert(wait_for(&s, WZP_TIME_NEVER - 1));
        ck_assert_uint_eq(s.bench.now, start + at_ms[i] * WZP_MS);
        if (i == 0) {
            assert_got(&s, "192.168.1.1:5351", "224.0.0.1:5350", "0080000000000000cb007109");
        }
        ck_assert(wait_for(&s, s.bench.now));
        if (i == 3) {
            assert_got(&s, "192.168.1.1:5351", "224.0.0.1:5350",
                       "02800000 00000000 00000001 000000000000000000000000");
        }
    }
    ck_assert(!wait_for(&s, WZP_TIME_NEVER - 1));
    scene_free(&s);
}
END_TEST

START_TEST(new_address_is_announced) {
    const wzp_sim_gateway_cfg cfg = {.pmp = SERVES};
    const wzp_addr other = wzp_addr_v4(203, 0, 113, 10, 0);
    scene s = scene_new(&cfg);
    wzp_sim_nat_renumber(s.bench.nat, &other, 1, s.bench.now);
    wzp_sim_gateway_announce(s.gateway, s.bench.now);
    ck_assert(wait_for(&s, s.bench.now));
    assert_got(&s, "192.168.1.1:5351", "224.0.0.1:5350", "0080000000015180cb00710a");
    scene_free(&s);
}
END_TEST

START_TEST(silent_gateways_announce_nothing) {
    const wzp_sim_gateway_cfg cfg = {.pmp = SILENT, .upnp = SERVES};
    scene s = scene_new(&cfg);
    wzp_sim_gateway_reboot(s.gateway, s.bench.now);
    ck_assert(!wait_for(&s, s.bench.now + 1000 * WZP_S));
    scene_free(&s);
}
END_TEST

/* Answers to a flood do not pile up, and those that wait come in order. */
START_TEST(flood) {
    wzp_sim_gateway_counts counts;
    scene s = scene_new(&all);
    for (unsigned i = 0; i < 100; i++) {
        uint8_t request[5] = {0, 9, 0, 0, (uint8_t)i};
        send_to(&s, "192.168.1.1:5351", wzp_bytes_of(request, sizeof request));
    }
    wzp_sim_gateway_count(s.gateway, &counts);
    ck_assert_uint_eq(counts.heard, 100);
    ck_assert_uint_eq(counts.lost, 36);
    for (unsigned i = 0; i < 64; i++) {
        ck_assert(wait_for(&s, s.bench.now + WZP_S));
        ck_assert_uint_eq(s.got.data[4], i);
    }
    ck_assert(!wait_for(&s, s.bench.now + WZP_S));
    scene_free(&s);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("gateway");
    tcase_add_loop_test(tc, modes, 0, WZP_COUNT_OF(mode_cases));
    tcase_add_test(tc, answers_take_their_time);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, search_answers_are_spread);
    tcase_add_test(tc, television_answers_first);
    tcase_add_test(tc, not_a_search);
    tcase_add_loop_test(tc, http, 0, WZP_COUNT_OF(reach_cases));
    tcase_add_test(tc, epoch);
    tcase_add_test(tc, reboot_is_announced);
    tcase_add_test(tc, new_address_is_announced);
    tcase_add_test(tc, silent_gateways_announce_nothing);
    tcase_add_test(tc, flood);
    return wzp_run_suite("gateway", tc);
}
