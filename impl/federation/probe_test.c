/* Pings, and who is where (relay sheet 10.1, its own numbers). */
#include "base/testing/suite.h"
#include "federation/gossip.h"
#include "federation/probe.h"

static void near(double got, double want) {
    ck_assert_msg(got > want - 1e-3 && got < want + 1e-3, "%f instead of %f", got, want);
}

START_TEST(jitter_and_loss) {
    wzp_probe_window w = {0};
    for (uint64_t i = 0; i < 4; i++) {
        wzp_probe_sent(&w, 1000 * i);
        ck_assert(wzp_probe_answered(&w, 1000 * i, 1000 * i + 10 * (i + 1)));
    }
    near(w.jitter_ms, 11.1803);
    near(w.rtt_ms, 40);
    near(w.loss_pct, 0);
    for (uint64_t i = 4; i < 10; i++) {
        wzp_probe_sent(&w, 1000 * i);
    }
    for (uint64_t i = 4; i < 7; i++) {
        ck_assert(wzp_probe_answered(&w, 1000 * i, 1000 * i + 10));
    }
    near(w.loss_pct, 30);
    ck_assert(!wzp_probe_answered(&w, 6000, 6020)); /* twice */
    ck_assert(!wzp_probe_answered(&w, 6001, 6020));
    ck_assert(!wzp_probe_answered(&w, 9000, 8000));
    for (uint64_t i = 10; i < 69; i++) {
        wzp_probe_sent(&w, 1000 * i);
    }
    ck_assert(!wzp_probe_answered(&w, 8000, 69000)); /* pushed out */
    ck_assert(wzp_probe_answered(&w, 9000, 69000));
    near(w.loss_pct, 100.0 * 59 / 60);
    wzp_probe_lost(&w);
    ck_assert(!w.is_up);
    near(w.rtt_ms, 0);
}
END_TEST

START_TEST(table) {
    uint8_t buf[512];
    wzp_wr wr;
    wzp_probe_window up = {.rtt_ms = 12, .jitter_ms = 2, .is_up = true};
    wzp_probe_window down = {.rtt_ms = 45, .loss_pct = 0.1, .jitter_ms = 5};
    wzp_wr_init(&wr, buf, sizeof buf - 1);
    wzp_mesh_row(&wr, "10.0.0.5:4433", &up);
    wzp_mesh_row(&wr, "relay-c:4433", &down);
    buf[wzp_wr_len(&wr)] = '\0';
    ck_assert_str_eq((char *)buf, "10.0.0.5:4433           12ms   0.0%     2ms  UP\n"
                                  "relay-c:4433            45ms   0.1%     5ms  DOWN\n");
}
END_TEST

static bool count(void *ctx, const wzp_addr *relay, const char *fingerprint) {
    size_t *n = ctx;
    (void)relay;
    *n += fingerprint != NULL ? 1 : 100;
    return true;
}

START_TEST(gossip) {
    wzp_gossip *g = wzp_gossip_new();
    const wzp_addr here = wzp_addr_v4(10, 0, 0, 1, 4433);
    const wzp_addr there = wzp_addr_v4(10, 0, 0, 2, 4433);
    const wzp_bytes both[] = {wzp_bytes_str("aabb"), wzp_bytes_str("ccdd"), wzp_bytes_str("c\n")};
    size_t n = 0;
    ck_assert(wzp_gossip_told(g, &here, false, (wzp_list_str){both, 3}, WZP_S));
    ck_assert(wzp_gossip_told(g, &there, false, (wzp_list_str){NULL, 0}, WZP_S));
    wzp_addr found = wzp_gossip_find(g, both[1], WZP_S);
    ck_assert(wzp_addr_equal(&found, &here));
    ck_assert(wzp_gossip_find(g, both[2], WZP_S).family == WZP_ADDR_NONE);
    wzp_gossip_visit(g, WZP_S, count, &n);
    ck_assert_uint_eq(n, 202);
    ck_assert(wzp_gossip_told(g, &here, false, (wzp_list_str){both, 1}, 2 * WZP_S)); /* replaces */
    ck_assert(wzp_gossip_find(g, both[1], 2 * WZP_S).family == WZP_ADDR_NONE);
    found = wzp_gossip_find(g, both[0], 62 * WZP_S);
    ck_assert(wzp_addr_equal(&found, &here));
    ck_assert(wzp_gossip_find(g, both[0], 63 * WZP_S).family == WZP_ADDR_NONE);
    for (uint8_t i = 0; i < 100; i++) {
        const wzp_addr addr = wzp_addr_v4(10, 0, 1, i, 1);
        ck_assert(wzp_gossip_told(g, &addr, false, (wzp_list_str){both, 1}, 63 * WZP_S) ==
                  (i < 64));
    }
    const wzp_addr target = wzp_addr_v4(10, 9, 9, 9, 1); /* strangers do not keep it out */
    ck_assert(wzp_gossip_told(g, &target, true, (wzp_list_str){both, 1}, 63 * WZP_S));
    wzp_gossip_free(&g);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("probe");
    tcase_add_test(tc, jitter_and_loss);
    tcase_add_test(tc, table);
    tcase_add_test(tc, gossip);
    return wzp_run_suite("probe", tc);
}
