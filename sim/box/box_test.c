/* Boxes in a network of two ends: what comes in at one is seen at the other, or is not. */
#include "sim/box/box.h"

#include <check.h>
#include <stdio.h>

#include "base/testing/suite.h"
#include "sim/box/nat64.h"
#include "sim/engine/engine.h"

/* Writes down what a box sends. */
typedef struct paper {
    wzp_sim_pipe pipe; /* first */
    char text[2048];
    size_t count;
} paper;

typedef struct bench {
    wzp_sim_engine *engine;
    wzp_sim_pool *pool;
    wzp_sim_box *box;
    paper in, out;
} bench;

static const char *const icmp_names[] = {"none",  "port-unreachable", "host-unreachable",
                                         "admin", "too-big",          "ttl-exceeded"};

static void carry(wzp_sim_pipe *pipe, wzp_sim_packet *p, wzp_time now) {
    paper *on = (paper *)pipe;
    char a[WZP_ADDR_TEXT_MAX];
    char b[WZP_ADDR_TEXT_MAX];
    size_t at = strlen(on->text);
    on->count++;
    at += (size_t)snprintf(on->text + at, sizeof on->text - at, "%u us %s > %s",
                           (unsigned)((now - WZP_S) / WZP_US), wzp_addr_text(&p->src, a),
                           wzp_addr_text(&p->dst, b));
    if (p->proto == WZP_SIM_ICMP) {
        at += (size_t)snprintf(on->text + at, sizeof on->text - at, " %s %s", icmp_names[p->icmp],
                               wzp_addr_text(&p->inner_src, a));
        at += (size_t)snprintf(on->text + at, sizeof on->text - at, " > %s",
                               wzp_addr_text(&p->inner_dst, a));
    }
    (void)snprintf(on->text + at, sizeof on->text - at, " ttl %u\n", p->ttl);
    wzp_sim_packet_free(p);
}

static wzp_addr addr(const char *text) {
    wzp_addr out;
    ck_assert_msg(wzp_addr_parse(&out, text) == WZP_OK, "%s", text);
    return out;
}

static wzp_sim_box_cfg box_cfg(const char *preset) {
    wzp_sim_box_cfg cfg = {.name = "box",
                           .inside = wzp_addr_v4(192, 168, 1, 1, 0),
                           .externals = {wzp_addr_v4(203, 0, 113, 1, 0)},
                           .external_count = 1};
    ck_assert(wzp_sim_nat_preset(preset, &cfg.nat));
    return cfg;
}

static void open_bench(bench *b, const wzp_sim_box_cfg *cfg) {
    wzp_fail fail = {.field = "-"};
    *b = (bench){.in = {.pipe = {carry, "in"}}, .out = {.pipe = {carry, "out"}}};
    ck_assert_int_eq(wzp_sim_engine_new(&b->engine, &(wzp_sim_engine_cfg){.seed = 1}), WZP_OK);
    b->pool = wzp_sim_pool_new();
    const wzp_err err =
        wzp_sim_box_new(&b->box, cfg, wzp_sim_engine_clock(b->engine), b->pool, &fail);
    ck_assert_msg(err == WZP_OK, "%s", fail.field);
    wzp_sim_box_attach(b->box, 0, &b->in.pipe);
    wzp_sim_box_attach(b->box, 1, &b->out.pipe);
}

static void close_bench(bench *b) {
    wzp_sim_box_free(&b->box);
    ck_assert_uint_eq(wzp_sim_pool_live(b->pool), 0);
    wzp_sim_pool_free(&b->pool);
    wzp_sim_engine_free(&b->engine);
}

static wzp_time now_of(bench *b) {
    return wzp_sim_now(wzp_sim_engine_clock(b->engine));
}

static wzp_sim_packet *make(bench *b, const char *src, const char *dst, const char *payload) {
    const wzp_addr from = addr(src);
    const wzp_addr to = addr(dst);
    return wzp_sim_packet_new(b->pool, &from, &to, wzp_bytes_str(payload), now_of(b));
}

static void enter(bench *b, unsigned port, wzp_sim_packet *packet) {
    wzp_sim_node_deliver(wzp_sim_box_node(b->box), port, packet, now_of(b));
}

static void put(bench *b, unsigned port, const char *src, const char *dst) {
    enter(b, port, make(b, src, dst, "hello"));
}

static void nothing(void *self, void *arg, wzp_time now) {
    (void)self;
    (void)arg;
    (void)now;
}

/* Something must be left to do, or the engine stops early. */
static void run_us(bench *b, uint64_t us) {
    wzp_sim_at(wzp_sim_engine_clock(b->engine), WZP_S + us * WZP_US, nothing, NULL, NULL);
    (void)wzp_sim_engine_run(b->engine, WZP_S + us * WZP_US);
}

static uint64_t dropped(const bench *b, wzp_sim_drop why) {
    wzp_sim_counts counts;
    wzp_sim_box_count(b->box, &counts);
    return counts.dropped[why];
}

START_TEST(packets_pass_after_the_processing_delay) {
    bench b;
    const wzp_sim_box_cfg cfg = box_cfg("fullcone");
    open_bench(&b, &cfg);
    put(&b, 0, "192.168.1.2:5000", "192.0.2.1:80");
    put(&b, 0, "192.168.1.3:5001", "192.0.2.1:80");
    run_us(&b, 1000);
    put(&b, 1, "192.0.2.1:80", "203.0.113.1:5000");
    run_us(&b, 2000);
    ck_assert_str_eq(b.out.text, "100 us 203.0.113.1:5000 > 192.0.2.1:80 ttl 63\n"
                                 "100 us 203.0.113.1:5001 > 192.0.2.1:80 ttl 63\n");
    ck_assert_str_eq(b.in.text, "1100 us 192.0.2.1:80 > 192.168.1.2:5000 ttl 63\n");
    wzp_sim_counts counts;
    wzp_sim_box_count(b.box, &counts);
    ck_assert_uint_eq(counts.in, 3);
    ck_assert_uint_eq(counts.out, 3);
    ck_assert_uint_eq(counts.bytes_in, 99);
    close_bench(&b);
}
END_TEST

START_TEST(the_processing_delay_can_be_set) {
    bench b;
    wzp_sim_box_cfg cfg = box_cfg("fullcone");
    cfg.nat.proc_delay = 7 * WZP_US;
    open_bench(&b, &cfg);
    put(&b, 0, "192.168.1.2:5000", "192.0.2.1:80");
    run_us(&b, 1000);
    ck_assert_str_eq(b.out.text, "7 us 203.0.113.1:5000 > 192.0.2.1:80 ttl 63\n");
    close_bench(&b);
}
END_TEST

START_TEST(ttl_ends_here_with_an_error) {
    bench b;
    const wzp_sim_box_cfg cfg = box_cfg("fullcone");
    open_bench(&b, &cfg);
    wzp_sim_packet *packet = make(&b, "192.168.1.2:5000", "192.0.2.1:80", "x");
    packet->ttl = 1;
    enter(&b, 0, packet);
    packet = make(&b, "192.0.2.1:80", "203.0.113.1:5000", "x");
    packet->ttl = 1;
    enter(&b, 1, packet);
    packet = make(&b, "192.168.1.2:5000", "192.0.2.1:80", "x");
    packet->ttl = 2;
    enter(&b, 0, packet);
    run_us(&b, 1000);
    ck_assert_str_eq(b.in.text, "100 us 192.168.1.1:0 > 192.168.1.2:0 ttl-exceeded "
                                "192.168.1.2:5000 > 192.0.2.1:80 ttl 64\n");
    ck_assert_str_eq(b.out.text, "100 us 203.0.113.1:0 > 192.0.2.1:0 ttl-exceeded 192.0.2.1:80 > "
                                 "203.0.113.1:5000 ttl 64\n"
                                 "100 us 203.0.113.1:5000 > 192.0.2.1:80 ttl 1\n");
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_TTL), 2);
    close_bench(&b);
}
END_TEST

START_TEST(drops_have_their_reason) {
    bench b;
    wzp_sim_box_cfg cfg = box_cfg("linux-masq");
    cfg.nat.quota = 1;
    open_bench(&b, &cfg);
    put(&b, 1, "192.0.2.1:80", "203.0.113.1:5000");
    put(&b, 0, "192.168.1.2:5000", "192.0.2.1:80");
    put(&b, 1, "192.0.2.2:80", "203.0.113.1:5000");
    put(&b, 0, "192.168.1.2:5000", "192.0.2.2:80");
    put(&b, 0, "192.168.1.2:5000", "203.0.113.1:5000");
    put(&b, 0, "[2001:db8::2]:5000", "[2001:db8:1::1]:80");
    put(&b, 0, "192.168.1.2:5000", "224.0.0.1:5350");
    run_us(&b, 1000);
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_NO_MAPPING), 1);
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_FILTER), 1);
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_QUOTA), 1);
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_HAIRPIN), 1);
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_NO_ROUTE), 2);
    ck_assert_uint_eq(b.out.count, 1);
    ck_assert_uint_eq(b.in.count, 0);
    close_bench(&b);
}
END_TEST

START_TEST(a_miss_may_be_answered) {
    bench b;
    wzp_sim_box_cfg cfg = box_cfg("fullcone");
    cfg.nat.icmp_on_miss = true;
    open_bench(&b, &cfg);
    put(&b, 1, "192.0.2.1:80", "203.0.113.1:5000");
    run_us(&b, 1000);
    ck_assert_str_eq(b.out.text, "100 us 203.0.113.1:0 > 192.0.2.1:0 port-unreachable "
                                 "192.0.2.1:80 > 203.0.113.1:5000 ttl 64\n");
    close_bench(&b);
}
END_TEST

START_TEST(hairpin_turns_round) {
    bench b;
    const wzp_sim_box_cfg cfg = box_cfg("fullcone");
    open_bench(&b, &cfg);
    put(&b, 0, "192.168.1.3:6000", "192.0.2.1:80");
    put(&b, 0, "192.168.1.2:5000", "203.0.113.1:6000");
    run_us(&b, 1000);
    ck_assert_str_eq(b.in.text, "100 us 203.0.113.1:5000 > 192.168.1.3:6000 ttl 63\n");
    close_bench(&b);
}
END_TEST

/* An error about `about`, which went the other way, from `from`. */
static wzp_sim_packet *error_about(bench *b, const char *src, const char *dst, const char *from,
                                   wzp_sim_icmp what) {
    wzp_sim_packet *about = make(b, src, dst, "x");
    const wzp_addr reporter = addr(from);
    wzp_sim_packet *icmp = wzp_sim_packet_icmp(about, &reporter, what, 1280, now_of(b));
    wzp_sim_packet_free(about);
    return icmp;
}

START_TEST(errors_are_translated_both_ways) {
    bench b;
    const wzp_sim_box_cfg cfg = box_cfg("linux-masq");
    open_bench(&b, &cfg);
    put(&b, 0, "192.168.1.2:5000", "192.0.2.1:80");
    put(&b, 1, "192.0.2.1:80", "203.0.113.1:5000");
    run_us(&b, 1000);
    b.in.text[0] = b.out.text[0] = '\0';
    enter(&b, 1,
          error_about(&b, "203.0.113.1:5000", "192.0.2.1:80", "198.51.100.1:0",
                      WZP_SIM_ICMP_TOO_BIG));
    enter(&b, 1,
          error_about(&b, "203.0.113.1:5000", "192.0.2.2:80", "198.51.100.1:0",
                      WZP_SIM_ICMP_TOO_BIG));
    enter(&b, 0,
          error_about(&b, "192.0.2.1:80", "192.168.1.2:5000", "192.168.1.2:0",
                      WZP_SIM_ICMP_PORT_UNREACHABLE));
    enter(&b, 0,
          error_about(&b, "192.0.2.9:80", "192.168.1.2:5000", "192.168.1.2:0",
                      WZP_SIM_ICMP_PORT_UNREACHABLE));
    run_us(&b, 2000);
    ck_assert_str_eq(b.in.text, "1100 us 198.51.100.1:0 > 192.168.1.2:0 too-big 192.168.1.2:5000 > "
                                "192.0.2.1:80 ttl 63\n");
    ck_assert_str_eq(b.out.text, "1100 us 203.0.113.1:0 > 192.0.2.1:0 port-unreachable "
                                 "192.0.2.1:80 > 203.0.113.1:5000 ttl 63\n");
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_NO_MAPPING), 2);
    close_bench(&b);
}
END_TEST

/* --- services --------------------------------------------------------------------------------- */

typedef struct service {
    bench *b;
    char heard[256];
} service;

static void echo(void *ctx, const wzp_addr *from, const wzp_addr *to, wzp_bytes payload,
                 wzp_time now) {
    service *s = ctx;
    char text[WZP_ADDR_TEXT_MAX];
    const size_t at = strlen(s->heard);
    (void)snprintf(s->heard + at, sizeof s->heard - at, "%s %.*s\n", wzp_addr_text(to, text),
                   (int)payload.len, (const char *)payload.data);
    wzp_addr own = addr("192.168.1.1:0");
    own.port = to->port;
    wzp_sim_box_answer(s->b->box, &own, from, payload, now);
}

START_TEST(services_on_the_inside_address) {
    bench b;
    service s = {.b = &b};
    const wzp_sim_box_cfg cfg = box_cfg("linux-masq");
    open_bench(&b, &cfg);
    wzp_sim_box_listen(b.box, WZP_SIM_UDP, 5351, echo, &s);
    wzp_sim_box_listen(b.box, WZP_SIM_UDP, 1900, echo, &s);
    put(&b, 0, "192.168.1.2:40000", "192.168.1.1:5351");
    put(&b, 0, "192.168.1.2:40000", "239.255.255.250:1900");
    put(&b, 0, "192.168.1.2:40000", "192.168.1.1:53");
    put(&b, 0, "192.168.1.2:40000", "224.0.0.9:5351");
    run_us(&b, 1000);
    ck_assert_str_eq(s.heard, "192.168.1.1:5351 hello\n239.255.255.250:1900 hello\n");
    ck_assert_str_eq(b.in.text, "100 us 192.168.1.1:5351 > 192.168.1.2:40000 ttl 64\n"
                                "100 us 192.168.1.1:1900 > 192.168.1.2:40000 ttl 64\n"
                                "100 us 192.168.1.1:0 > 192.168.1.2:0 port-unreachable "
                                "192.168.1.2:40000 > 192.168.1.1:53 ttl 64\n");
    ck_assert_uint_eq(b.out.count, 0);
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_NO_SOCKET), 1);
    wzp_sim_box_listen(b.box, WZP_SIM_UDP, 5351, NULL, NULL);
    put(&b, 0, "192.168.1.2:40000", "192.168.1.1:5351");
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_NO_SOCKET), 2);
    close_bench(&b);
}
END_TEST

/* --- power ------------------------------------------------------------------------------------ */

static void count_boot(void *ctx, wzp_time now) {
    (void)now;
    ++*(unsigned *)ctx;
}

START_TEST(nothing_passes_without_power) {
    bench b;
    const wzp_sim_box_cfg cfg = box_cfg("fullcone");
    open_bench(&b, &cfg);
    put(&b, 0, "192.168.1.2:5000", "192.0.2.1:80");
    ck_assert(wzp_sim_box_is_up(b.box));
    wzp_sim_box_power(b.box, false);
    ck_assert(!wzp_sim_box_is_up(b.box));
    put(&b, 0, "192.168.1.2:5000", "192.0.2.1:80");
    run_us(&b, 1000);
    ck_assert_uint_eq(b.out.count, 0);
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_NODE_DOWN), 2);
    wzp_sim_box_power(b.box, true);
    put(&b, 1, "192.0.2.1:80", "203.0.113.1:5000");
    run_us(&b, 2000);
    ck_assert_uint_eq(b.in.count, 1); /* power alone forgets nothing */
    close_bench(&b);
}
END_TEST

START_TEST(a_reboot_takes_its_time_and_forgets) {
    bench b;
    unsigned boots = 0;
    const wzp_sim_box_cfg cfg = box_cfg("fullcone");
    open_bench(&b, &cfg);
    wzp_sim_box_on_boot(b.box, count_boot, &boots);
    put(&b, 0, "192.168.1.2:5000", "192.0.2.1:80");
    run_us(&b, 1000);
    wzp_sim_box_reboot(b.box, 5 * WZP_S, now_of(&b));
    run_us(&b, 1000000);
    wzp_sim_box_reboot(b.box, 5 * WZP_S, now_of(&b)); /* starts over at 1 s */
    run_us(&b, 5999999);
    put(&b, 0, "192.168.1.2:5000", "192.0.2.1:80");
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_NODE_DOWN), 1);
    ck_assert_uint_eq(boots, 0);
    run_us(&b, 6000000);
    ck_assert_uint_eq(boots, 1);
    put(&b, 1, "192.0.2.1:80", "203.0.113.1:5000");
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_NO_MAPPING), 1);
    put(&b, 0, "192.168.1.2:5000", "192.0.2.1:80");
    run_us(&b, 7000000);
    ck_assert_uint_eq(b.out.count, 2);
    close_bench(&b);
}
END_TEST

static void note_event(void *ctx, const wzp_sim_nat_event *event) {
    char *text = ctx;
    static const char *const kinds[] = {"created", "expired", "rebound", "dropped"};
    const size_t at = strlen(text);
    (void)snprintf(text + at, 512 - at, "%llu %s %s\n", (unsigned long long)(event->at - WZP_S),
                   kinds[event->kind], event->reason);
}

START_TEST(watchers_hear_in_time) {
    bench b;
    char events[512] = "";
    const wzp_sim_box_cfg cfg = box_cfg("linux-masq");
    open_bench(&b, &cfg);
    put(&b, 0, "192.168.1.2:5000", "192.0.2.1:80");
    wzp_sim_box_watch(b.box, note_event, events);
    run_us(&b, 1000000);
    put(&b, 0, "192.168.1.2:5001", "192.0.2.1:80");
    put(&b, 0, "192.168.1.2:5000", "192.0.2.1:80");
    put(&b, 1, "192.0.2.2:80", "203.0.113.1:5000");
    run_us(&b, 300000000);
    ck_assert_str_eq(events, "1000000000 created new\n"
                             "1000000000 dropped filter\n"
                             "31000000001 expired timeout\n"
                             "31000000001 expired timeout\n");
    ck_assert_uint_eq(wzp_sim_engine_deadline(b.engine), WZP_TIME_NEVER);
    close_bench(&b);
}
END_TEST

/* --- two families ----------------------------------------------------------------------------- */

START_TEST(ipv6_goes_through_a_firewall_of_its_own) {
    bench b;
    wzp_sim_box_cfg cfg = box_cfg("symrand");
    cfg.has_v6 = true;
    ck_assert(wzp_sim_nat_preset("fw", &cfg.v6));
    cfg.inside_v6 = addr("[2001:db8::1]:0");
    open_bench(&b, &cfg);
    put(&b, 1, "[2001:db8:1::1]:80", "[2001:db8::2]:5000");
    put(&b, 0, "[2001:db8::2]:5000", "[2001:db8:1::1]:80");
    put(&b, 1, "[2001:db8:1::1]:80", "[2001:db8::2]:5000");
    wzp_sim_packet *last = make(&b, "[2001:db8::2]:5000", "[2001:db8:1::1]:80", "x");
    last->ttl = 1;
    enter(&b, 0, last);
    run_us(&b, 1000);
    ck_assert_str_eq(b.out.text, "100 us [2001:db8::2]:5000 > [2001:db8:1::1]:80 ttl 63\n");
    ck_assert_str_eq(b.in.text, "100 us [2001:db8:1::1]:80 > [2001:db8::2]:5000 ttl 63\n"
                                "100 us [2001:db8::1]:0 > [2001:db8::2]:0 ttl-exceeded "
                                "[2001:db8::2]:5000 > [2001:db8:1::1]:80 ttl 64\n");
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_FILTER), 1);
    close_bench(&b);
}
END_TEST

static wzp_sim_box_cfg nat64_cfg(void) {
    return (wzp_sim_box_cfg){.name = "nat64",
                             .nat = wzp_sim_nat64_cfg(),
                             .nat64 = true,
                             .inside_v6 = addr("[2001:db8::1]:0"),
                             .externals = {wzp_addr_v4(203, 0, 113, 1, 0)},
                             .external_count = 1};
}

START_TEST(nat64_translates) {
    bench b;
    const wzp_sim_box_cfg cfg = nat64_cfg();
    open_bench(&b, &cfg);
    put(&b, 0, "[2001:db8::2]:5000", "[64:ff9b::192.0.2.1]:80");
    put(&b, 0, "[2001:db8::2]:5000", "[2001:db8:1::1]:80");
    put(&b, 1, "192.0.2.1:99", "203.0.113.1:5000");
    put(&b, 1, "192.0.2.2:80", "203.0.113.1:5000");
    enter(&b, 1,
          error_about(&b, "203.0.113.1:5000", "192.0.2.1:80", "198.51.100.1:0",
                      WZP_SIM_ICMP_PORT_UNREACHABLE));
    enter(&b, 0,
          error_about(&b, "[64:ff9b::192.0.2.1]:99", "[2001:db8::2]:5000", "[2001:db8::2]:0",
                      WZP_SIM_ICMP_PORT_UNREACHABLE));
    put(&b, 0, "[2001:db8::3]:6000", "[64:ff9b::203.0.113.1]:5000");
    put(&b, 0, "[2001:db8::2]:5000", "[64:ff9b::203.0.113.1]:6000");
    run_us(&b, 1000);
    ck_assert_str_eq(b.out.text, "100 us 203.0.113.1:5000 > 192.0.2.1:80 ttl 63\n"
                                 "100 us 203.0.113.1:0 > 192.0.2.1:0 port-unreachable "
                                 "192.0.2.1:99 > 203.0.113.1:5000 ttl 63\n");
    ck_assert_str_eq(b.in.text, "100 us [64:ff9b::c000:201]:99 > [2001:db8::2]:5000 ttl 63\n"
                                "100 us [64:ff9b::c633:6401]:0 > [2001:db8::2]:0 port-unreachable "
                                "[2001:db8::2]:5000 > [64:ff9b::c000:201]:80 ttl 63\n"
                                "100 us [64:ff9b::cb00:7101]:5000 > [2001:db8::3]:6000 ttl 63\n");
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_FILTER), 2); /* ADF, also for hairpins */
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_NO_ROUTE), 1);
    run_us(&b, 300000000);
    put(&b, 1, "192.0.2.1:80", "203.0.113.1:5000");
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_NO_MAPPING), 0);
    run_us(&b, 600000001);
    put(&b, 1, "192.0.2.1:80", "203.0.113.1:5000");
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_NO_MAPPING), 1);
    close_bench(&b);
}
END_TEST

START_TEST(refusals) {
    static const struct {
        const char *field;
        wzp_sim_box_cfg cfg;
    } refused[] = {
        {"v6", {.external_count = 1, .has_v6 = true}},
        {"policy", {.external_count = 1, .policy = {.initial_drop_ppm = 1000001}}},
        {"externals", {.external_count = 0}},
    };
    bench b;
    const wzp_sim_box_cfg cfg = box_cfg("fullcone");
    open_bench(&b, &cfg);
    for (size_t i = 0; i < WZP_COUNT_OF(refused); i++) {
        wzp_sim_box_cfg bad = refused[i].cfg;
        wzp_sim_box *box = NULL;
        wzp_fail fail = {.field = "-"};
        bad.name = "bad";
        bad.externals[0] = wzp_addr_v4(203, 0, 113, 1, 0);
        ck_assert_int_eq(wzp_sim_box_new(&box, &bad, wzp_sim_engine_clock(b.engine), b.pool, &fail),
                         WZP_ERR_INVALID_ARGUMENT);
        ck_assert_str_eq(fail.field, refused[i].field);
        ck_assert_ptr_null(box);
    }
    close_bench(&b);
}
END_TEST

/* Packets that are still in a box are freed with it. */
START_TEST(what_is_in_flight_is_freed) {
    bench b;
    const wzp_sim_box_cfg cfg = box_cfg("fullcone");
    open_bench(&b, &cfg);
    put(&b, 0, "192.168.1.2:5000", "192.0.2.1:80");
    put(&b, 0, "192.168.1.2:5000", "192.0.2.1:80");
    close_bench(&b);
}
END_TEST

START_TEST(blocked_packets_are_answered) {
    bench b;
    wzp_sim_box_cfg cfg = box_cfg("fullcone");
    cfg.policy = (wzp_sim_policy_cfg){.block_udp = true, .icmp_prohibited = true};
    open_bench(&b, &cfg);
    put(&b, 0, "192.168.1.2:5000", "192.0.2.1:80");
    run_us(&b, 1000);
    ck_assert_str_eq(b.in.text, "100 us 192.168.1.1:0 > 192.168.1.2:0 admin "
                                "192.168.1.2:5000 > 192.0.2.1:80 ttl 64\n");
    ck_assert_uint_eq(dropped(&b, WZP_SIM_DROP_POLICY), 1);
    close_bench(&b);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("box");
    tcase_add_test(tc, packets_pass_after_the_processing_delay);
    tcase_add_test(tc, the_processing_delay_can_be_set);
    tcase_add_test(tc, ttl_ends_here_with_an_error);
    tcase_add_test(tc, drops_have_their_reason);
    tcase_add_test(tc, a_miss_may_be_answered);
    tcase_add_test(tc, hairpin_turns_round);
    tcase_add_test(tc, errors_are_translated_both_ways);
    tcase_add_test(tc, services_on_the_inside_address);
    tcase_add_test(tc, nothing_passes_without_power);
    tcase_add_test(tc, a_reboot_takes_its_time_and_forgets);
    tcase_add_test(tc, watchers_hear_in_time);
    tcase_add_test(tc, ipv6_goes_through_a_firewall_of_its_own);
    tcase_add_test(tc, nat64_translates);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, what_is_in_flight_is_freed);
    tcase_add_test(tc, blocked_packets_are_answered);
    return wzp_run_suite("box", tc);
}
