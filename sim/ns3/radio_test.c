/* Wi-Fi and LTE: our packets cross the medium and come out unchanged, at times that such media
 * have. */
#include <check.h>
#include <inttypes.h>
#include <string.h>

#include "base/testing/suite.h"
#include "sim/ns3/testing/bed.h"

#define SKIPPED 77

static const bed_source call = {.size = 200, .interval = 20 * WZP_MS, .until = 4 * WZP_S};

static const struct medium_case {
    const char *name;
    wzp_sim_link_cfg up, down;
    uint64_t least_us, most_us; /* one way up, the middle of all */
    uint64_t longest_us;
    uint8_t tos;
} media[] = {
    {"Wi-Fi", {.access = "wifi"}, {.access = "wifi"}, 50, 1000, 20000, 0},
    {"LTE", {.access = "lte"}, {.access = "lte"}, 8000, 20000, 30000, 0},
    {"Wi-Fi behind a wire",
     {.access = "wifi", .delay = {.base = 10 * WZP_MS}},
     {.access = "wifi", .delay = {.base = 10 * WZP_MS}},
     10050,
     11000,
     30000,
     0},
    {"Wi-Fi beside an upload",
     {.access = "wifi", .cross = {{.kind = WZP_SIM_CROSS_CUBIC, .flows = 1}}},
     {.access = "wifi"},
     500,
     200000,
     600000,
     0},
    {"Wi-Fi beside an upload, expedited",
     {.access = "wifi", .cross = {{.kind = WZP_SIM_CROSS_CUBIC, .flows = 1}}},
     {.access = "wifi"},
     50,
     8000,
     60000,
     46 << 2},
    {"LTE beside an upload",
     {.access = "lte", .cross = {{.kind = WZP_SIM_CROSS_RENO, .flows = 2, .from = 2 * WZP_S}}},
     {.access = "lte"},
     8000,
     2000000,
     4000000,
     0},
    {"Wi-Fi beside a video down",
     {.access = "wifi"},
     {.access = "wifi", .cross = {{.kind = WZP_SIM_CROSS_VIDEO, .bits_per_s = 4000000}}},
     50,
     1000,
     60000,
     0},
};

START_TEST(a_call_gets_through) {
    const struct medium_case *c = &media[_i];
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &c->up, &c->down);
    bed_source source = call;
    source.tos = c->tos;
    bed_send(&b, &source);
    (void)bed_run(&b, 7 * WZP_S);
    bed_figures f;
    bed_measure(&b, 0, &f);
    const uint64_t middle = f.percentile[1] / WZP_US;
    ck_assert_uint_eq(b.sent, 200);
    ck_assert_msg(f.received >= 190, "%s: %" PRIu64 " arrived", c->name, f.received);
    ck_assert_msg(middle >= c->least_us && middle <= c->most_us, "%s: %" PRIu64 " us", c->name,
                  middle);
    ck_assert_msg(f.percentile[4] / WZP_US <= c->longest_us, "%s: longest %" PRIu64 " us", c->name,
                  f.percentile[4] / WZP_US);
    bed_close(&b);
}
END_TEST

START_TEST(both_ways) {
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &media[_i].up, &media[_i].down);
    b.echoes = true;
    bed_send(&b, &call);
    (void)bed_run(&b, 5 * WZP_S);
    ck_assert_uint_eq(b.count, 200);
    for (size_t i = 0; i < b.count; i++) {
        ck_assert_uint_eq(b.arrivals[i].seq, i);
        ck_assert_uint_eq(b.arrivals[i].bytes, 200);
    }
    bed_close(&b);
}
END_TEST

/* From the smallest that the bed can number to two fragments. */
START_TEST(all_sizes) {
    static const uint32_t sizes[] = {36, 37, 100, 1280, 1500, 1501, 3000, 9000};
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &media[_i].up, &media[_i].down);
    for (size_t i = 0; i < WZP_COUNT_OF(sizes); i++) {
        const bed_source source = {.size = sizes[i],
                                   .interval = 100 * WZP_MS,
                                   .from = i * 10 * WZP_MS,
                                   .until = WZP_S,
                                   .flow = (uint16_t)i,
                                   .tos = 46 << 2};
        bed_send(&b, &source);
    }
    (void)bed_run(&b, 3 * WZP_S);
    ck_assert_uint_eq(b.count, b.sent);
    for (size_t i = 0; i < b.count; i++) {
        ck_assert_uint_eq(b.arrivals[i].bytes, sizes[b.arrivals[i].flow]);
        ck_assert_uint_eq(b.arrivals[i].tos, 46 << 2);
    }
    bed_close(&b);
}
END_TEST

START_TEST(what_is_lost_is_counted) {
    const wzp_sim_link_cfg lossy = {.access = media[_i].up.access,
                                    .loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = 200000},
                                    .mtu = 1000};
    const bed_source big = {.size = 1001, .interval = WZP_S, .until = 4 * WZP_S, .flow = 1};
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &lossy, &media[_i].down);
    bed_send(&b, &call);
    bed_send(&b, &big);
    (void)bed_run(&b, 15 * WZP_S);
    wzp_sim_counts counts;
    b.fabric->ops->count(b.fabric, b.link, 0, &counts);
    ck_assert_uint_eq(counts.in, 204);
    ck_assert_uint_eq(counts.dropped[WZP_SIM_DROP_MTU], 4);
    ck_assert_uint_gt(counts.dropped[WZP_SIM_DROP_LOSS], 20);
    ck_assert_uint_lt(counts.dropped[WZP_SIM_DROP_LOSS], 60);
    ck_assert_uint_eq(counts.out + counts.dropped[WZP_SIM_DROP_LOSS], 200);
    ck_assert_uint_eq(counts.out, b.count);
    bed_close(&b);
}
END_TEST

/* More than the medium carries: what does not fit is dropped, and nothing stays behind. */
START_TEST(overload_is_dropped) {
    const bed_source flood = {.size = 1500, .interval = 50 * WZP_US, .until = WZP_S / 2};
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &media[_i].up, &media[_i].down);
    bed_send(&b, &flood);
    (void)bed_run(&b, 12 * WZP_S);
    wzp_sim_counts counts;
    b.fabric->ops->count(b.fabric, b.link, 0, &counts);
    ck_assert_uint_gt(counts.out, 500);
    ck_assert_uint_lt(counts.out, 8000);
    ck_assert_uint_eq(counts.out + counts.dropped[WZP_SIM_DROP_LOSS] +
                          counts.dropped[WZP_SIM_DROP_QUEUE],
                      counts.in);
    ck_assert_uint_eq(wzp_sim_pool_live(b.pool), 0);
    bed_close(&b);
}
END_TEST

int main(void) {
    if (bed_ns3() == NULL) {
        return SKIPPED;
    }
    TCase *tc = tcase_create("radio");
    tcase_add_loop_test(tc, a_call_gets_through, 0, WZP_COUNT_OF(media));
    tcase_add_loop_test(tc, both_ways, 0, 2);
    tcase_add_loop_test(tc, all_sizes, 0, 2);
    tcase_add_loop_test(tc, what_is_lost_is_counted, 0, 2);
    tcase_add_loop_test(tc, overload_is_dropped, 0, 2);
    return wzp_run_suite("radio", tc);
}
