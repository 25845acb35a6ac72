/* A NAT and the leases of its gateway, for tests: inside 192.168.1.0/24, outside 203.0.113.9. */
#ifndef WZP_SIM_GATEWAY_TESTING_GATEWAY_H
#define WZP_SIM_GATEWAY_TESTING_GATEWAY_H

#include "sim/gateway/lease.h"
#include "wire/testing/bytes.h"

typedef struct bench {
    wzp_sim_nat *nat;
    wzp_sim_leases *leases;
    wzp_time now;
} bench;

#define BENCH_START (100 * WZP_S)

static inline wzp_addr addr_of(const char *text) {
    wzp_addr addr;
    ck_assert_msg(wzp_addr_parse(&addr, text) == WZP_OK, "%s", text);
    return addr;
}

static inline bench bench_new(const char *preset, const wzp_sim_leases_cfg *cfg) {
    static const wzp_sim_leases_cfg plain;
    const wzp_addr external = wzp_addr_v4(203, 0, 113, 9, 0);
    wzp_sim_nat_cfg nat;
    bench b = {.now = BENCH_START};
    ck_assert(wzp_sim_nat_preset(preset, &nat));
    ck_assert(wzp_sim_nat_new(&b.nat, &nat, &external, 1, 1, "nat", b.now, NULL) == WZP_OK);
    ck_assert(wzp_sim_leases_new(&b.leases, cfg != NULL ? cfg : &plain, b.nat, 1, "gateway") ==
              WZP_OK);
    return b;
}

static inline void bench_free(bench *b) {
    wzp_sim_leases_free(&b->leases);
    wzp_sim_nat_free(&b->nat);
}

/* Where a packet from a stranger to this external port arrives; "-": nowhere. */
static inline const char *bench_reach(bench *b, uint16_t port, char text[WZP_ADDR_TEXT_MAX]) {
    const wzp_addr stranger = wzp_addr_v4(198, 51, 100, 77, 7777);
    wzp_addr dst = wzp_addr_v4(203, 0, 113, 9, port);
    const bool passes = wzp_sim_nat_in(b->nat, 17, &stranger, &dst, b->now) == WZP_SIM_NAT_FORWARD;
    return wzp_addr_text(passes ? &dst : &(wzp_addr){0}, text);
}

#define BENCH_ASSERT_REACH(b, port, want)                                                          \
    do {                                                                                           \
        char reached_[WZP_ADDR_TEXT_MAX];                                                          \
        ck_assert_str_eq(bench_reach(b, port, reached_), want);                                    \
    } while (0)

#endif
