/* SIM-006 for NAT-PMP and PCP: bytes in, bytes out, and what the NAT then forwards. */
#include "sim/gateway/serve.h"

#include <stdio.h>

#include "nat/natpmp.h"
#include "nat/pcp.h"
#include "sim/gateway/testing/gateway.h"

#define HOST "192.168.1.10:5000" /* the port that a client asks from does not matter */
#define OTHER "192.168.1.11:5000"

typedef void serve(const wzp_sim_service *service, const wzp_addr *from, wzp_bytes request,
                   wzp_time now, wzp_wr *out);

/* One request and its answer in hexadecimal; "" for none. */
static void exchange(bench *b, const wzp_sim_service *base, serve *protocol, const char *from,
                     const char *request, const char *want) {
    uint8_t in[512];
    uint8_t out[WZP_PCP_MAX];
    char got[2 * sizeof out + 1];
    char plain[2 * sizeof out + 1];
    size_t len = 0;
    wzp_wr wr;
    wzp_sim_service service = *base;
    const wzp_addr client = addr_of(from);
    service.leases = b->leases;
    service.epoch_s = (uint32_t)((b->now - BENCH_START) / WZP_S);
    wzp_wr_init(&wr, out, sizeof out);
    protocol(&service, &client, unhex(in, sizeof in, request), b->now, &wr);
    wzp_hex_write(got, wzp_bytes_of(out, wzp_wr_len(&wr)));
    for (const char *c = want; *c != '\0'; c++) {
        if (*c != ' ') {
            plain[len++] = *c;
        }
    }
    plain[len] = '\0';
    ck_assert_msg(strcmp(got, plain) == 0, "%s\n got %s\nwant %s", request, got, plain);
}

static const wzp_sim_service plain_service;

static void pmp(bench *b, const char *from, const char *request, const char *want) {
    exchange(b, &plain_service, wzp_sim_serve_pmp, from, request, want);
}

/* --- NAT-PMP ---------------------------------------------------------------------------------- */

START_TEST(pmp_life_of_a_mapping) {
    bench b = bench_new("symrand", NULL);
    pmp(&b, HOST, "0000", "0080 0000 00000000 cb007109");
    pmp(&b, HOST, "0001 0000 9c40 c8d5 00000e10", "0081 0000 00000000 9c40 c8d5 00000e10");
    BENCH_ASSERT_REACH(&b, 51413, "192.168.1.10:40000");
    b.now += 1800 * WZP_S; /* renewed at half life, as the port itself suggests */
    pmp(&b, HOST, "0001 0000 9c40 9c40 00000e10", "0081 0000 00000708 9c40 c8d5 00000e10");
    b.now += 3599 * WZP_S;
    BENCH_ASSERT_REACH(&b, 51413, "192.168.1.10:40000");
    b.now += WZP_S;
    BENCH_ASSERT_REACH(&b, 51413, "-");
    pmp(&b, HOST, "0001 0000 9c40 c8d5 00000e10", "0081 0000 00001518 9c40 c8d5 00000e10");
    pmp(&b, HOST, "0001 0000 9c40 0000 00000000", "0081 0000 00001518 9c40 0000 00000000");
    BENCH_ASSERT_REACH(&b, 51413, "-");
    pmp(&b, HOST, "0001 0000 9c40 0000 00000000", "0081 0000 00001518 9c40 0000 00000000");
    bench_free(&b);
}
END_TEST

START_TEST(pmp_lifetime_is_moved_into_range) {
    bench b = bench_new("symrand", NULL);
    pmp(&b, HOST, "0001 0000 0001 0000 00000001", "0081 0000 00000000 0001 0001 00000078");
    pmp(&b, HOST, "0001 0000 0002 0000 ffffffff", "0081 0000 00000000 0002 0002 00015180");
    bench_free(&b);
}
END_TEST

START_TEST(pmp_end_of_all) {
    bench b = bench_new("symrand", NULL);
    pmp(&b, HOST, "0001 0000 0001 2711 00000e10", "0081 0000 00000000 0001 2711 00000e10");
    pmp(&b, HOST, "0001 0000 0002 2712 00000e10", "0081 0000 00000000 0002 2712 00000e10");
    pmp(&b, HOST, "0002 0000 0001 2711 00000e10", "0082 0000 00000000 0001 2711 00000e10");
    pmp(&b, OTHER, "0001 0000 0001 2713 00000e10", "0081 0000 00000000 0001 2713 00000e10");
    pmp(&b, HOST, "0001 0000 0000 0000 00000000", "0081 0000 00000000 0000 0000 00000000");
    ck_assert_uint_eq(wzp_sim_leases_count(b.leases), 2); /* TCP, and the other host's */
    bench_free(&b);
}
END_TEST

START_TEST(pmp_conflict_gives_another_port) {
    bench b = bench_new("symrand", NULL);
    pmp(&b, HOST, "0001 0000 9c40 9c40 00000e10", "0081 0000 00000000 9c40 9c40 00000e10");
    pmp(&b, OTHER, "0001 0000 9c40 9c40 00000e10", "0081 0000 00000000 9c40 9c41 00000e10");
    BENCH_ASSERT_REACH(&b, 40001, "192.168.1.11:40000");
    pmp(&b, OTHER, "0001 0000 9c40 0000 00000000", "0081 0000 00000000 9c40 0000 00000000");
    BENCH_ASSERT_REACH(&b, 40000, "192.168.1.10:40000"); /* only one's own can be ended */
    bench_free(&b);
}
END_TEST

START_TEST(pmp_errors) {
    const wzp_sim_leases_cfg strict = {.strict = true, .reports = addr_of("100.64.0.9:0")};
    const wzp_sim_leases_cfg naive = {.reports = addr_of("100.64.0.9:0")};
    const wzp_sim_leases_cfg one = {.quota = 1};
    bench b = bench_new("symrand", &one);
    pmp(&b, HOST, "", "");
    pmp(&b, HOST, "00", "");
    pmp(&b, HOST, "0080 0000 00000000 cb007109", "");
    pmp(&b, HOST, "0001 0000 9c40 9c40 00000e", "");
    pmp(&b, HOST, "0101", "0080 0001 00000000");
    pmp(&b, HOST, "0003 0000 1234", "0083 0005 1234");
    pmp(&b, HOST, "0001 0000 0000 9c40 00000e10", "0081 0002 00000000 0000 0000 00000000");
    pmp(&b, HOST, "0001 0000 0001 2711 00000e10", "0081 0000 00000000 0001 2711 00000e10");
    pmp(&b, HOST, "0001 0000 0002 2711 00000e10", "0081 0004 00000000 0002 0000 00000000");
    exchange(&b, &(wzp_sim_service){.refuse = WZP_NATPMP_REFUSED}, wzp_sim_serve_pmp, HOST, "0000",
             "0080 0002 00000000 00000000");
    exchange(&b, &(wzp_sim_service){.refuse = WZP_NATPMP_REFUSED}, wzp_sim_serve_pmp, HOST,
             "0001 0000 0002 2711 00000e10", "0081 0002 00000000 0002 0000 00000000");
    bench_free(&b);
    b = bench_new("symrand", &strict);
    pmp(&b, HOST, "0000", "0080 0003 00000000 00000000");
    pmp(&b, HOST, "0001 0000 0002 2711 00000e10", "0081 0003 00000000 0002 0000 00000000");
    bench_free(&b);
    b = bench_new("symrand", &naive);
    pmp(&b, HOST, "0000", "0080 0000 00000000 64400009");
    pmp(&b, HOST, "0001 0000 0002 2711 00000e10", "0081 0000 00000000 0002 2711 00000e10");
    bench_free(&b);
}
END_TEST

/* --- PCP -------------------------------------------------------------------------------------- */

#define A "00000000000000000000ffffc0a8010a "
#define B "00000000000000000000ffffc0a8010b "
#define EXT "00000000000000000000ffffcb007109 "
#define ANY "00000000000000000000000000000000 "
#define N1 "00112233445566778899aabb "
#define N2 "ff112233445566778899aabb "
#define Z12 "000000000000000000000000 "
#define UDP "11000000 "
#define PREFER "02000000"
#define THIRD "01000010 " B
#define PEER "01bb0000 00000000000000000000ffffc633644d "

/* map(lifetime, client, nonce, ports and suggested address), and the answers to it. */
#define MAP(lifetime, client, nonce, rest) "02010000" lifetime client nonce UDP rest
#define GRANTED(lifetime, epoch, nonce, rest) "02810000" lifetime epoch Z12 nonce UDP rest
#define REFUSED(code, lifetime, epoch, nonce, rest) "028100" code lifetime epoch Z12 nonce UDP rest
#define HOUR "00000e10 "
#define HALF "00000708 "
#define ZERO "00000000 "
#define SHORT "0000001e "

static void pcp(bench *b, const char *from, const char *request, const char *want) {
    exchange(b, &plain_service, wzp_sim_serve_pcp, from, request, want);
}

START_TEST(pcp_life_of_a_mapping) {
    bench b = bench_new("symrand", NULL);
    pcp(&b, HOST, MAP(HOUR, A, N1, "9c40 c8d5" ANY), GRANTED(HOUR, ZERO, N1, "9c40 c8d5" EXT));
    BENCH_ASSERT_REACH(&b, 51413, "192.168.1.10:40000");
    b.now += 1800 * WZP_S;
    pcp(&b, HOST, MAP(HOUR, A, N1, "9c40 9c40" ANY), GRANTED(HOUR, HALF, N1, "9c40 c8d5" EXT));
    b.now += 1800 * WZP_S;
    /* Not even its own host may touch it without the nonce; it hears how long that lasts. */
    pcp(&b, HOST, MAP(HOUR, A, N2, "9c40 9c40" ANY),
        REFUSED("02", HALF, HOUR, N2, "9c40 9c40" ANY));
    pcp(&b, HOST, MAP(ZERO, A, N2, "9c40 0000" ANY),
        REFUSED("02", HALF, HOUR, N2, "9c40 0000" ANY));
    pcp(&b, HOST, MAP(ZERO, A, N1, "9c40 0000" ANY), GRANTED(ZERO, HOUR, N1, "9c40 0000" ANY));
    BENCH_ASSERT_REACH(&b, 51413, "-");
    pcp(&b, HOST, MAP(ZERO, A, N1, "9c40 0000" ANY), GRANTED(ZERO, HOUR, N1, "9c40 0000" ANY));
    bench_free(&b);
}
END_TEST

START_TEST(pcp_end_of_many) {
    bench b = bench_new("symrand", NULL);
    pcp(&b, HOST, MAP(HOUR, A, N1, "0001 2711" ANY), GRANTED(HOUR, ZERO, N1, "0001 2711" EXT));
    pcp(&b, HOST, MAP(HOUR, A, N1, "0002 2712" ANY), GRANTED(HOUR, ZERO, N1, "0002 2712" EXT));
    pcp(&b, HOST, MAP(HOUR, A, N2, "0003 2713" ANY), GRANTED(HOUR, ZERO, N2, "0003 2713" EXT));
    pcp(&b, HOST, MAP(ZERO, A, N1, "0000 0000" ANY),
        REFUSED("02", HOUR, ZERO, N1, "0000 0000" ANY)); /* one of them was not its own */
    ck_assert_uint_eq(wzp_sim_leases_count(b.leases), 1);
    pcp(&b, HOST, "02010000" ZERO A N2 "00000000 0000 0000" ANY,
        "02810000" ZERO ZERO Z12 N2 "00000000 0000 0000" ANY); /* all protocols */
    ck_assert_uint_eq(wzp_sim_leases_count(b.leases), 0);
    bench_free(&b);
}
END_TEST

static const struct pcp_case {
    const char *name, *from, *request, *answer;
} pcp_cases[] = {
    {"announce", HOST, "02000000" ZERO A, "02800000" ZERO ZERO Z12},
    {"lifetime too short", HOST, MAP("00000001", A, N1, "0001 2711" ANY),
     GRANTED("00000078", ZERO, N1, "0001 2711" EXT)},
    {"lifetime too long", HOST, MAP("ffffffff", A, N1, "0001 2711" ANY),
     GRANTED("00015180", ZERO, N1, "0001 2711" EXT)},
    {"client address is not the source", OTHER, MAP(HOUR, A, N1, "0001 2711" ANY),
     REFUSED("0c", HALF, ZERO, N1, "0001 2711" ANY)},
    {"taken port: another", HOST, MAP(HOUR, A, N1, "0001 c350" ANY),
     GRANTED(HOUR, ZERO, N1, "0001 c351" EXT)},
    {"taken port, PREFER_FAILURE", HOST, MAP(HOUR, A, N1, "0001 c350" ANY) PREFER,
     REFUSED("0b", SHORT, ZERO, N1, "0001 c350" ANY) PREFER},
    {"free port, PREFER_FAILURE", HOST, MAP(HOUR, A, N1, "0001 2711" EXT) PREFER,
     GRANTED(HOUR, ZERO, N1, "0001 2711" EXT) PREFER},
    {"another address, PREFER_FAILURE", HOST, MAP(HOUR, A, N1, "0001 2711" A) PREFER,
     REFUSED("0b", SHORT, ZERO, N1, "0001 2711" A) PREFER},
    {"another address, only suggested", HOST, MAP(HOUR, A, N1, "0001 2711" A),
     GRANTED(HOUR, ZERO, N1, "0001 2711" EXT)},
    {"all ports", HOST, MAP(HOUR, A, N1, "0000 0000" ANY),
     REFUSED("09", HALF, ZERO, N1, "0000 0000" ANY)},
    {"SCTP", HOST, "02010000" HOUR A N1 "84000000 0001 2711" ANY,
     "02810009" HALF ZERO Z12 N1 "84000000 0001 2711" ANY},
    {"third party is not allowed", HOST, MAP(HOUR, A, N1, "0001 2711" ANY) THIRD,
     REFUSED("05", HALF, ZERO, N1, "0001 2711" ANY) THIRD},
    {"filter for one host", HOST,
     MAP(HOUR, A, N1, "0001 2711" ANY) "03000014 00800000 00000000000000000000ffffc633644d",
     GRANTED(HOUR, ZERO, N1, "0001 2711" EXT) "03000014 00800000 00000000000000000000ffffc633644d"},
    {"filters that are forgotten again", HOST,
     MAP(HOUR, A, N1, "0001 2711" ANY) "03000014 00600000" ANY "03000014 00000000" ANY,
     GRANTED(HOUR, ZERO, N1, "0001 2711" EXT) "03000014 00600000" ANY "03000014 00000000" ANY},
    {"two filters", HOST,
     MAP(HOUR, A, N1, "0001 2711" ANY) "03000014 00800000" EXT "03000014 00800000" A,
     REFUSED("0d", HALF, ZERO, N1, "0001 2711" ANY) "03000014 00800000" EXT "03000014 00800000" A},
    {"filter for a network", HOST, MAP(HOUR, A, N1, "0001 2711" ANY) "03000014 00780000" EXT,
     REFUSED("0d", HALF, ZERO, N1, "0001 2711" ANY) "03000014 00780000" EXT},
    {"version 1", HOST, "0101", "02810001" HALF ZERO Z12},
    {"version 0", HOST, "0000", "02800001" HALF ZERO Z12},
    {"nothing", HOST, "", ""},
    {"a response", HOST, "0281", ""},
    {"not whole", HOST, "02010000", "02810003" HALF ZERO Z12},
    {"SCTP to a peer", HOST, "02020000" HOUR A N1 "84000000 0001 0000" ANY PEER,
     "02820009" HALF ZERO Z12 N1 "84000000 0001 0000" ANY PEER},
    {"peer with another address", HOST, "02020000" HOUR A N1 UDP "0001 0000" A PEER,
     "0282000b" SHORT ZERO Z12 N1 UDP "0001 0000" A PEER},
};

/* Port 50000 belongs to somebody else. */
START_TEST(pcp_answers) {
    const struct pcp_case *c = &pcp_cases[_i];
    bench b = bench_new("symrand", NULL);
    pcp(&b, "192.168.1.20:5", MAP(HOUR, "00000000000000000000ffffc0a80114", N2, "0001 c350" ANY),
        GRANTED(HOUR, ZERO, N2, "0001 c350" EXT));
    pcp(&b, c->from, c->request, c->answer);
    bench_free(&b);
}
END_TEST

START_TEST(pcp_peer) {
    bench b = bench_new("linux-masq", NULL);
    pcp(&b, HOST, "02020000" HOUR A N1 UDP "9c40 0000" ANY PEER,
        "02820000" HOUR ZERO Z12 N1 UDP "9c40 9c40" EXT PEER); /* the NAT preserves ports */
    pcp(&b, HOST, "02020000" ZERO A N1 UDP "9c40 9c40" EXT PEER,
        "02820000" HOUR ZERO Z12 N1 UDP "9c40 9c40" EXT PEER); /* cannot be ended */
    pcp(&b, HOST, "02020000" HOUR A N1 UDP "9c40 9c41" EXT PEER,
        "0282000b" SHORT ZERO Z12 N1 UDP "9c40 9c41" EXT PEER);
    bench_free(&b);
}
END_TEST

START_TEST(pcp_third_party) {
    const wzp_sim_service service = {.third_party = true};
    bench b = bench_new("symrand", NULL);
    exchange(&b, &service, wzp_sim_serve_pcp, HOST, MAP(HOUR, A, N1, "0001 2711" ANY) THIRD,
             GRANTED(HOUR, ZERO, N1, "0001 2711" EXT) THIRD);
    BENCH_ASSERT_REACH(&b, 10001, "192.168.1.11:1");
    exchange(&b, &service, wzp_sim_serve_pcp, OTHER, MAP(HOUR, B, N1, "0001 2711" ANY) THIRD,
             REFUSED("03", HALF, ZERO, N1, "0001 2711" ANY) THIRD); /* that is itself */
    bench_free(&b);
}
END_TEST

START_TEST(pcp_limits) {
    const wzp_sim_leases_cfg one = {.quota = 1};
    const wzp_sim_leases_cfg refusing = {.ports = WZP_SIM_LEASE_REFUSE};
    const wzp_sim_leases_cfg strict = {.strict = true, .reports = addr_of("10.0.0.1:0")};
    const wzp_sim_service denied = {.refuse = WZP_PCP_NOT_AUTHORIZED};
    bench b = bench_new("symrand", &one);
    pcp(&b, HOST, MAP(HOUR, A, N1, "0001 2711" ANY), GRANTED(HOUR, ZERO, N1, "0001 2711" EXT));
    pcp(&b, HOST, MAP(HOUR, A, N1, "0002 2712" ANY),
        REFUSED("0a", SHORT, ZERO, N1, "0002 2712" ANY));
    exchange(&b, &denied, wzp_sim_serve_pcp, OTHER, MAP(HOUR, B, N1, "0001 2711" ANY),
             REFUSED("02", HALF, ZERO, N1, "0001 2711" ANY));
    bench_free(&b);
    b = bench_new("symrand", &refusing);
    pcp(&b, HOST, MAP(HOUR, A, N1, "0001 2711" ANY), GRANTED(HOUR, ZERO, N1, "0001 2711" EXT));
    pcp(&b, OTHER, MAP(HOUR, B, N1, "0001 2711" ANY),
        REFUSED("08", SHORT, ZERO, N1, "0001 2711" ANY));
    bench_free(&b);
    b = bench_new("symrand", &strict);
    pcp(&b, HOST, MAP(HOUR, A, N1, "0001 2711" ANY),
        REFUSED("07", SHORT, ZERO, N1, "0001 2711" ANY));
    bench_free(&b);
}
END_TEST

/* One table, two protocols: NAT-PMP has no nonce and must not touch what has one. */
START_TEST(pmp_and_pcp_share_ports) {
    bench b = bench_new("symrand", NULL);
    pmp(&b, HOST, "0001 0000 0001 2711 00000e10", "0081 0000 00000000 0001 2711 00000e10");
    pcp(&b, HOST, MAP(HOUR, A, N1, "0001 0000" ANY), GRANTED(HOUR, ZERO, N1, "0001 2711" EXT));
    ck_assert_uint_eq(wzp_sim_leases_count(b.leases), 1);
    pmp(&b, HOST, "0001 0000 0001 0000 00000000", "0081 0002 00000000 0001 0000 00000000");
    pmp(&b, HOST, "0001 0000 0001 2711 00000e10", "0081 0002 00000000 0001 0000 00000000");
    pcp(&b, OTHER, MAP(HOUR, B, N1, "0001 2711" ANY), GRANTED(HOUR, ZERO, N1, "0001 2712" EXT));
    bench_free(&b);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("serve");
    tcase_add_test(tc, pmp_life_of_a_mapping);
    tcase_add_test(tc, pmp_lifetime_is_moved_into_range);
    tcase_add_test(tc, pmp_end_of_all);
    tcase_add_test(tc, pmp_conflict_gives_another_port);
    tcase_add_test(tc, pmp_errors);
    tcase_add_test(tc, pcp_life_of_a_mapping);
    tcase_add_test(tc, pcp_end_of_many);
    tcase_add_loop_test(tc, pcp_answers, 0, WZP_COUNT_OF(pcp_cases));
    tcase_add_test(tc, pcp_peer);
    tcase_add_test(tc, pcp_third_party);
    tcase_add_test(tc, pcp_limits);
    tcase_add_test(tc, pmp_and_pcp_share_ports);
    return wzp_run_suite("serve", tc);
}
