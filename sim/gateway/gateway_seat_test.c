/* A gateway on a box, seen by a host inside and a stranger outside. */
#include "sim/gateway/gateway_seat.h"

#include "sim/engine/engine.h"
#include "wire/testing/bytes.h"

/* Keeps the last packet that a box sent. */
typedef struct paper {
    wzp_sim_pipe pipe; /* first */
    size_t count;
    wzp_addr src, dst;
    wzp_time at;
    uint8_t icmp;
    uint8_t data[1200];
    size_t len;
} paper;

typedef struct bench {
    wzp_sim_engine *engine;
    wzp_sim_clock clock;
    wzp_sim_pool *pool;
    wzp_sim_box *box;
    wzp_sim_gateway_seat *seat;
    paper in, out;
} bench;

static void carry(wzp_sim_pipe *pipe, wzp_sim_packet *packet, wzp_time now) {
    paper *on = (paper *)pipe;
    on->count++;
    on->src = packet->src;
    on->dst = packet->dst;
    on->icmp = packet->icmp;
    on->at = now;
    on->len = packet->len;
    memcpy(on->data, packet->payload, packet->len);
    wzp_sim_packet_free(packet);
}

static wzp_addr addr(const char *text) {
    wzp_addr out;
    ck_assert_msg(wzp_addr_parse(&out, text) == WZP_OK, "%s", text);
    return out;
}

static const wzp_sim_gateway_cfg all = {
    .pmp = WZP_SIM_GATEWAY_SERVES, .pcp = WZP_SIM_GATEWAY_SERVES, .upnp = WZP_SIM_GATEWAY_SERVES};

static void open_bench_with(bench *b, const wzp_sim_gateway_cfg *cfg, bool has_v6,
                            wzp_addr inside_v6) {
    wzp_sim_box_cfg box = {.name = "box",
                           .inside = wzp_addr_v4(192, 168, 1, 1, 0),
                           .externals = {wzp_addr_v4(203, 0, 113, 9, 0)},
                           .external_count = 1,
                           .has_v6 = has_v6,
                           .inside_v6 = inside_v6};
    *b = (bench){.in = {.pipe = {carry, "in"}}, .out = {.pipe = {carry, "out"}}};
    ck_assert(wzp_sim_nat_preset("linux-masq", &box.nat));
    ck_assert(wzp_sim_nat_preset("fw", &box.v6));
    ck_assert(wzp_sim_engine_new(&b->engine, &(wzp_sim_engine_cfg){.seed = 1}) == WZP_OK);
    b->clock = wzp_sim_engine_clock(b->engine);
    b->pool = wzp_sim_pool_new();
    ck_assert(wzp_sim_box_new(&b->box, &box, b->clock, b->pool, NULL) == WZP_OK);
    wzp_sim_box_attach(b->box, 0, &b->in.pipe);
    wzp_sim_box_attach(b->box, 1, &b->out.pipe);
    ck_assert(wzp_sim_gateway_seat_new(&b->seat, cfg, b->box, b->clock, "gateway") == WZP_OK);
}

static void open_bench(bench *b, const wzp_sim_gateway_cfg *cfg) {
    open_bench_with(b, cfg, false, (wzp_addr){0});
}

static void close_bench(bench *b) {
    wzp_sim_gateway_seat_free(&b->seat);
    wzp_sim_gateway_seat_free(&b->seat);
    wzp_sim_box_free(&b->box);
    ck_assert_uint_eq(wzp_sim_pool_live(b->pool), 0);
    wzp_sim_pool_free(&b->pool);
    wzp_sim_engine_free(&b->engine);
}

static wzp_time now_of(const bench *b) {
    return wzp_sim_now(b->clock);
}

static void nothing(void *self, void *arg, wzp_time now) {
    (void)self;
    (void)arg;
    (void)now;
}

static void run_for(bench *b, uint64_t duration) {
    const wzp_time until = now_of(b) + duration;
    wzp_sim_at(b->clock, until, nothing, NULL, NULL); /* an idle engine would stop earlier */
    (void)wzp_sim_engine_run(b->engine, until);
    ck_assert_uint_eq(now_of(b), until);
}

static void pass(bench *b, unsigned port, const char *src, const char *dst, wzp_bytes payload) {
    const wzp_addr from = addr(src);
    const wzp_addr to = addr(dst);
    wzp_sim_node_deliver(wzp_sim_box_node(b->box), port,
                         wzp_sim_packet_new(b->pool, &from, &to, payload, now_of(b)), now_of(b));
}

static void pass_hex(bench *b, const char *dst, const char *hex) {
    uint8_t buf[128];
    pass(b, 0, "192.168.1.10:5000", dst, unhex(buf, sizeof buf, hex));
}

static void assert_in(const bench *b, size_t count, const char *src, const char *dst,
                      const char *hex) {
    uint8_t want[128];
    char text[WZP_ADDR_TEXT_MAX];
    ck_assert_uint_eq(b->in.count, count);
    ck_assert_str_eq(wzp_addr_text(&b->in.src, text), src);
    ck_assert_str_eq(wzp_addr_text(&b->in.dst, text), dst);
    CK_ASSERT_BYTES(wzp_bytes_of(b->in.data, b->in.len), unhex(want, sizeof want, hex));
}

#define MAP "0001 0000 9c40 c350 00000e10"

START_TEST(a_mapped_port_is_reached) {
    bench b;
    open_bench(&b, &all);
    pass_hex(&b, "192.168.1.1:5351", MAP);
    run_for(&b, WZP_S);
    assert_in(&b, 1, "192.168.1.1:5351", "192.168.1.10:5000", "0081000000015180 9c40c350 00000e10");
    ck_assert_uint_eq(b.in.at, WZP_S + 5 * WZP_MS + 100 * WZP_US); /* gateway, and box */
    pass(&b, 1, "198.51.100.7:7", "203.0.113.9:50000", wzp_bytes_str("hello"));
    run_for(&b, WZP_S);
    assert_in(&b, 2, "198.51.100.7:7", "192.168.1.10:40000", "68656c6c6f");
    pass(&b, 0, "192.168.1.10:40000", "198.51.100.7:7", wzp_bytes_str("hello"));
    run_for(&b, WZP_S);
    ck_assert_uint_eq(b.out.src.port, 50000); /* and answers leave from it */
    run_for(&b, 3600 * WZP_S);
    pass(&b, 1, "198.51.100.8:8", "203.0.113.9:50000", wzp_bytes_str("hello"));
    run_for(&b, WZP_S);
    ck_assert_uint_eq(b.in.count, 2);
    close_bench(&b);
}
END_TEST

static const struct port_case {
    const char *name;
    wzp_sim_gateway_cfg cfg;
    const char *dst;
    size_t want; /* packets that come back */
    wzp_sim_icmp icmp;
} port_cases[] = {
    {"served", {.pmp = WZP_SIM_GATEWAY_SERVES}, "192.168.1.1:5351", 1, WZP_SIM_ICMP_NONE},
    {"silent", {.pmp = WZP_SIM_GATEWAY_SILENT}, "192.168.1.1:5351", 0, WZP_SIM_ICMP_NONE},
    {"off", {.upnp = WZP_SIM_GATEWAY_SERVES}, "192.168.1.1:5351", 1, WZP_SIM_ICMP_PORT_UNREACHABLE},
    {"outer address", {.pmp = WZP_SIM_GATEWAY_SERVES}, "203.0.113.9:5351", 0, WZP_SIM_ICMP_NONE},
};

START_TEST(ports) {
    const struct port_case *c = &port_cases[_i];
    bench b;
    open_bench(&b, &c->cfg);
    pass_hex(&b, c->dst, "0000");
    run_for(&b, WZP_S);
    ck_assert_msg(b.in.count == c->want && b.in.icmp == c->icmp, "%s: %zu", c->name, b.in.count);
    close_bench(&b);
}
END_TEST

START_TEST(nobody_outside_is_served) {
    bench b;
    open_bench(&b, &all);
    pass(&b, 1, "198.51.100.7:7", "192.168.1.1:5351", wzp_bytes_of("\0\0", 2));
    pass(&b, 1, "198.51.100.7:7", "203.0.113.9:5351", wzp_bytes_of("\0\0", 2));
    run_for(&b, WZP_S);
    ck_assert_uint_eq(b.in.count + b.out.count, 0);
    close_bench(&b);
}
END_TEST

START_TEST(search) {
    bench b;
    open_bench(&b, &all);
    pass(&b, 0, "192.168.1.10:5000", "239.255.255.250:1900",
         wzp_bytes_str("M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\n"
                       "ST: upnp:rootdevice\r\n\r\n"));
    run_for(&b, 3 * WZP_S);
    ck_assert_uint_eq(b.in.count, 1);
    ck_assert_mem_eq(b.in.data, "HTTP/1.1 200 OK\r\n", 17);
    close_bench(&b);
}
END_TEST

START_TEST(reboot) {
    bench b;
    open_bench(&b, &all);
    pass_hex(&b, "192.168.1.1:5351", MAP);
    run_for(&b, WZP_S);
    ck_assert_uint_eq(b.in.count, 1);
    pass_hex(&b, "192.168.1.1:5351", "0000"); /* the answer is lost with the power */
    run_for(&b, WZP_MS);
    wzp_sim_box_reboot(b.box, 10 * WZP_S, now_of(&b));
    run_for(&b, 10 * WZP_S);
    ck_assert_uint_eq(b.in.count, 1);
    run_for(&b, 200 * WZP_MS);
    assert_in(&b, 3, "192.168.1.1:5351", "224.0.0.1:5350",
              "028000000000000000000000000000000000000000000000");
    pass(&b, 1, "198.51.100.7:7", "203.0.113.9:50000", wzp_bytes_str("hello"));
    run_for(&b, 200 * WZP_S);
    ck_assert_uint_eq(b.in.count, 21); /* ten by each protocol, and nothing came in */
    pass_hex(&b, "192.168.1.1:5351", "0000");
    run_for(&b, WZP_S);
    assert_in(&b, 22, "192.168.1.1:5351", "192.168.1.10:5000", "00800000000000c8cb007109");
    close_bench(&b);
}
END_TEST

/* --- IPv6 ------------------------------------------------------------------------------------- */

#define MAP_V6                                                                                     \
    "02010000 00000e10 20010db8000000000000000000000010 00112233445566778899aabb 11000000 "        \
    "9c40 0000 00000000000000000000000000000000"

static void ask_v6(bench *b) {
    uint8_t buf[128];
    pass(b, 0, "[2001:db8::10]:5000", "[2001:db8::1]:5351", unhex(buf, sizeof buf, MAP_V6));
    run_for(b, WZP_S);
}

START_TEST(a_firewall_opens_for_ipv6) {
    bench b;
    open_bench_with(&b, &all, true, addr("[2001:db8::1]:0"));
    pass(&b, 1, "[2001:db8:f::7]:7", "[2001:db8::10]:40000", wzp_bytes_str("hello"));
    run_for(&b, WZP_S);
    ck_assert_uint_eq(b.in.count, 0);
    ask_v6(&b);
    assert_in(&b, 1, "[2001:db8::1]:5351", "[2001:db8::10]:5000",
              "02810000 00000e10 00015181 000000000000000000000000 00112233445566778899aabb "
              "11000000 9c40 9c40 20010db8000000000000000000000010");
    pass(&b, 1, "[2001:db8:f::7]:7", "[2001:db8::10]:40000", wzp_bytes_str("hello"));
    run_for(&b, WZP_S);
    assert_in(&b, 2, "[2001:db8:f::7]:7", "[2001:db8::10]:40000", "68656c6c6f");
    pass(&b, 0, "[2001:db8::10]:5000", "[2001:db8::1]:5351", wzp_bytes_of("\0\0", 2));
    run_for(&b, WZP_S);
    ck_assert_uint_eq(b.in.count, 2); /* NAT-PMP is for IPv4 */
    wzp_sim_box_reboot(b.box, WZP_S, now_of(&b));
    run_for(&b, WZP_S + 200 * WZP_MS);
    assert_in(&b, 5, "[2001:db8::1]:5351", "[ff02::1]:5350",
              "028000000000000000000000000000000000000000000000");
    close_bench(&b);
}
END_TEST

START_TEST(without_an_ipv6_nat) {
    bench b;
    open_bench_with(&b, &all, false, addr("[2001:db8::1]:0"));
    ask_v6(&b);
    ck_assert_uint_eq(b.in.count, 1);
    ck_assert_uint_eq(b.in.data[3], 7); /* NETWORK_FAILURE */
    close_bench(&b);
}
END_TEST

/* --- HTTP ------------------------------------------------------------------------------------- */

typedef struct page {
    unsigned count;
    wzp_sim_gateway_reach reach;
    wzp_time at;
    char text[64];
} page;

static void on_response(void *ctx, wzp_sim_gateway_reach reach, wzp_bytes response, wzp_time now) {
    page *got = ctx;
    const size_t len = response.len < sizeof got->text - 1 ? response.len : sizeof got->text - 1;
    got->count++;
    got->reach = reach;
    got->at = now;
    if (len > 0) {
        memcpy(got->text, response.data, len);
    }
    got->text[len] = '\0';
}

static void fetch(bench *b, const char *to, page *got) {
    const wzp_addr from = addr("192.168.1.10:50000");
    const wzp_addr at = addr(to);
    *got = (page){0};
    ck_assert(wzp_sim_gateway_fetch(b->seat, &from, &at,
                                    wzp_bytes_str("GET /rootDesc.xml HTTP/1.1\r\n\r\n"), WZP_MS,
                                    on_response, got, now_of(b)) == WZP_OK);
}

START_TEST(fetches) {
    bench b;
    page got;
    open_bench(&b, &all);
    wzp_time start = now_of(&b);
    fetch(&b, "192.168.1.1:5000", &got);
    run_for(&b, WZP_S);
    ck_assert(got.count == 1 && got.reach == WZP_SIM_GATEWAY_ANSWERED);
    ck_assert_uint_eq(got.at, start + 9 * WZP_MS);
    ck_assert(strncmp(got.text, "HTTP/1.1 200 OK", 15) == 0);
    start = now_of(&b);
    fetch(&b, "192.168.1.1:80", &got);
    run_for(&b, WZP_S);
    ck_assert(got.count == 1 && got.reach == WZP_SIM_GATEWAY_REFUSED && got.text[0] == '\0');
    ck_assert_uint_eq(got.at, start + 2 * WZP_MS);
    fetch(&b, "192.168.1.1:5000", &got);
    wzp_sim_box_power(b.box, false);
    run_for(&b, WZP_S);
    ck_assert_uint_eq(got.count, 0);
    fetch(&b, "192.168.1.1:5000", &got); /* open when all ends */
    close_bench(&b);
}
END_TEST

START_TEST(silent_http) {
    const wzp_sim_gateway_cfg cfg = {.upnp = WZP_SIM_GATEWAY_SILENT};
    bench b;
    page got;
    open_bench(&b, &cfg);
    fetch(&b, "192.168.1.1:5000", &got);
    run_for(&b, 100 * WZP_S);
    ck_assert_uint_eq(got.count, 0);
    close_bench(&b);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("gateway_seat");
    tcase_add_test(tc, a_mapped_port_is_reached);
    tcase_add_loop_test(tc, ports, 0, WZP_COUNT_OF(port_cases));
    tcase_add_test(tc, nobody_outside_is_served);
    tcase_add_test(tc, search);
    tcase_add_test(tc, reboot);
    tcase_add_test(tc, a_firewall_opens_for_ipv6);
    tcase_add_test(tc, without_an_ipv6_nat);
    tcase_add_test(tc, fetches);
    tcase_add_test(tc, silent_http);
    return wzp_run_suite("gateway_seat", tc);
}
