#include "sim/host/raw_host.h"

#include "base/testing/suite.h"
#include "sim/host/testing/star.h"

#define WAY (10 * WZP_MS)

static const wzp_addr x_at = {WZP_ADDR_V4, 1000, {10, 0, 0, 0}};
static const wzp_addr y_at = {WZP_ADDR_V4, 2000, {10, 0, 0, 1}};

typedef struct pair {
    star star;
    wzp_sim_raw_host *x, *y;
} pair;

static void setup(pair *p, const wzp_sim_raw_cfg *x, const wzp_sim_raw_cfg *y) {
    const wzp_sim_host_cfg hosts[] = {{.name = "x"}, {.name = "y"}};
    memset(p, 0, sizeof *p);
    star_init(&p->star, 1);
    ck_assert(wzp_sim_raw_host_new(&p->x, star_add(&p->star, &hosts[0], WAY), x) == WZP_OK);
    ck_assert(wzp_sim_raw_host_new(&p->y, star_add(&p->star, &hosts[1], WAY), y) == WZP_OK);
}

static void teardown(pair *p) {
    wzp_sim_raw_host_free(&p->x);
    wzp_sim_raw_host_free(&p->y);
    star_clear(&p->star);
}

START_TEST(the_script_is_played) {
    static const uint8_t one[] = "one";
    static const uint8_t two[] = "two!";
    const wzp_sim_raw_send script[] = {
        {.at = 3 * WZP_S, .to = y_at, .payload = {two, 4}, .ecn = 1},
        {.at = 2 * WZP_S, .to = y_at, .payload = {one, 3}, .repeat = 2, .every = 700 * WZP_MS},
    };
    const wzp_sim_raw_cfg x = {.port = 1000, .script = script, .script_len = 2};
    const wzp_sim_raw_cfg y = {.port = 2000, .echo = true};
    static const uint32_t at_ms[] = {2000, 2700, 3000, 3400};
    pair p;
    setup(&p, &x, &y);
    star_run(&p.star, 10 * WZP_S);
    ck_assert_uint_eq(wzp_sim_raw_host_count(p.y), 4);
    ck_assert_uint_eq(wzp_sim_raw_host_count(p.x), 4); /* the echo */
    for (size_t i = 0; i < 4; i++) {
        const wzp_sim_raw_got got = wzp_sim_raw_host_got(p.y, i);
        const wzp_sim_raw_got back = wzp_sim_raw_host_got(p.x, i);
        const wzp_bytes want = i == 2 ? wzp_bytes_of(two, 4) : wzp_bytes_of(one, 3);
        ck_assert_uint_eq(got.at, at_ms[i] * WZP_MS + 2 * WAY);
        ck_assert(wzp_bytes_equal(got.payload, want));
        ck_assert(wzp_addr_equal(&got.from, &x_at) && wzp_addr_equal(&got.to, &y_at));
        ck_assert_uint_eq(got.icmp, WZP_SIM_ICMP_NONE);
        ck_assert_uint_eq(got.ecn, i == 2 ? 1 : 0);
        ck_assert_uint_eq(back.at, got.at + 2 * WAY);
        ck_assert(wzp_bytes_equal(back.payload, want));
    }
    teardown(&p);
}
END_TEST

START_TEST(errors_are_recorded) {
    const wzp_sim_raw_cfg any = {0};
    wzp_addr nobody = y_at;
    pair p;
    setup(&p, &any, &any);
    ck_assert_uint_eq(wzp_sim_raw_host_port(p.x), 40000);
    nobody.port = 9;
    ck_assert(wzp_sim_raw_host_send(p.x, &nobody, wzp_bytes_str("x")));
    const wzp_addr v6 = {WZP_ADDR_V6, 9, {0x20, 1}};
    ck_assert(!wzp_sim_raw_host_send(p.x, &v6, wzp_bytes_str("x")));
    star_run(&p.star, 10 * WZP_S);
    ck_assert_uint_eq(wzp_sim_raw_host_count(p.x), 1);
    const wzp_sim_raw_got got = wzp_sim_raw_host_got(p.x, 0);
    ck_assert_uint_eq(got.icmp, WZP_SIM_ICMP_PORT_UNREACHABLE);
    ck_assert(wzp_addr_equal(&got.from, &nobody));
    ck_assert_uint_eq(got.payload.len, 0);
    teardown(&p);
}
END_TEST

START_TEST(memory_is_bounded) {
    static const uint8_t bytes[1000];
    const wzp_sim_raw_send script[] = {
        {.at = 0, .to = y_at, .payload = {bytes, 1000}, .repeat = 99, .every = WZP_MS}};
    const wzp_sim_raw_cfg x = {.port = 1000, .script = script, .script_len = 1};
    const wzp_sim_raw_cfg y = {.port = 2000, .keep_max = 70500};
    pair p;
    setup(&p, &x, &y);
    star_run(&p.star, 10 * WZP_S);
    ck_assert_uint_eq(wzp_sim_raw_host_count(p.y), 70);
    ck_assert_uint_eq(wzp_sim_raw_host_unkept(p.y), 30);
    teardown(&p);
}
END_TEST

START_TEST(the_port_is_taken) {
    const wzp_sim_raw_cfg cfg = {.port = 1000};
    wzp_sim_raw_host *second = NULL;
    pair p;
    setup(&p, &cfg, &cfg);
    ck_assert(wzp_sim_raw_host_new(&second, p.star.hosts[0], &cfg) == WZP_ERR_LIMIT);
    teardown(&p);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("raw_host");
    tcase_add_test(tc, the_script_is_played);
    tcase_add_test(tc, errors_are_recorded);
    tcase_add_test(tc, memory_is_bounded);
    tcase_add_test(tc, the_port_is_taken);
    return wzp_run_suite("sim_host.raw_host", tc);
}
