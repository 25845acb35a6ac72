/* SIM-001 on ns-3: a seed is a trace, in this process, again in this process, and in another one
 * whose addresses lie elsewhere.  `sim_ns3_determinism_test hash SEED` prints the hash. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/testing/suite.h"
#include "sim/ns3/testing/bed.h"

#define SKIPPED 77
#define LINKS 4
#define DURATION (2 * WZP_S)

/* Something of everything that is random in ns-3 or around it. */
static const wzp_sim_link_cfg links[LINKS] = {
    {.delay = {.law = WZP_SIM_DELAY_PARETO_NORMAL, .base = 20 * WZP_MS, .spread = 3 * WZP_MS},
     .loss = {.model = WZP_SIM_LOSS_GILBERT, .p = 20000, .r = 300000, .bad = WZP_PPM},
     .mangle = {.duplicate_ppm = 10000, .corrupt_ppm = 10000},
     .rate = {.bits_per_s = 2000000},
     .queue = {.kind = WZP_SIM_QUEUE_PIE, .limit_packets = 50},
     .cross = {{.kind = WZP_SIM_CROSS_CUBIC, .flows = 2},
               {.kind = WZP_SIM_CROSS_POISSON, .bits_per_s = 300000}}},
    {.delay = {.law = WZP_SIM_DELAY_AR1, .base = 9 * WZP_MS, .spread = WZP_MS, .rho_ppm = 900000},
     .loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = 20000},
     .rate = {.bits_per_s = 2000000},
     .queue = {.kind = WZP_SIM_QUEUE_FQ_CODEL},
     .cross = {{.kind = WZP_SIM_CROSS_RENO, .flows = 3}}},
    {.access = "wifi", .cross = {{.kind = WZP_SIM_CROSS_CUBIC, .flows = 1}}},
    {.access = "lte", .cross = {{.kind = WZP_SIM_CROSS_POISSON, .bits_per_s = 500000}}},
};

typedef struct net {
    wzp_sim_fabric *fabric;
    wzp_sim_node a, b;
    wzp_sim_pipe *pipes[LINKS][2];
    wzp_prng prng;
    uint64_t hash, seen;
} net;

static void mix(net *n, const void *data, size_t len) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++) {
        n->hash = (n->hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
}

static void look(void *ctx, const char *interface, wzp_sim_way way, const wzp_sim_packet *packet,
                 wzp_time now) {
    net *n = ctx;
    uint8_t bytes[2048];
    const size_t len = wzp_sim_packet_bytes(packet, bytes, sizeof bytes);
    n->seen++;
    mix(n, interface, strlen(interface));
    mix(n, &way, sizeof way);
    mix(n, &now, sizeof now);
    mix(n, bytes, len);
}

static void receive(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    (void)node, (void)port, (void)now;
    wzp_sim_packet_free(packet);
}

static void send_all(void *self, void *arg, wzp_time now) {
    net *n = self;
    (void)arg;
    const wzp_addr from = wzp_addr_v4(10, 0, 0, 1, 1000);
    const wzp_addr to = wzp_addr_v4(10, 0, 0, 2, 2000);
    for (size_t i = 0; i < (size_t)2 * LINKS; i++) {
        uint8_t payload[1200];
        const size_t len = wzp_chance_between(&n->prng, 1, sizeof payload);
        wzp_rng_fill(wzp_prng_rng(&n->prng), payload, len);
        wzp_sim_packet *packet = wzp_sim_packet_new(n->fabric->ops->pool(n->fabric), &from, &to,
                                                    wzp_bytes_of(payload, len), now);
        ck_assert_ptr_nonnull(packet);
        wzp_sim_pipe_carry(n->pipes[i / 2][i % 2], packet, now);
    }
    if (now < WZP_S + DURATION) {
        wzp_sim_at(n->fabric->ops->clock(n->fabric),
                   now + wzp_chance_exponential(&n->prng, 10 * WZP_MS), send_all, n, NULL);
    }
}

static uint64_t hash_of(uint64_t seed) {
    const wzp_sim_engine_cfg cfg = {.seed = seed};
    net n = {.a = {receive, "a"}, .b = {receive, "b"}};
    ck_assert_int_eq(wzp_sim_fabric_ns3(&n.fabric, &cfg, bed_ns3()), WZP_OK);
    const wzp_sim_clock clock = n.fabric->ops->clock(n.fabric);
    for (unsigned i = 0; i < LINKS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "link %u", i);
        const wzp_sim_end ends[2] = {{.node = &n.a, .port = i}, {.node = &n.b, .port = i}};
        size_t index = 0;
        wzp_fail fail = {.field = "-"};
        ck_assert_msg(n.fabric->ops->link(n.fabric, name, &ends[0], &ends[1], &links[i], &links[i],
                                          n.pipes[i], &index, &fail) == WZP_OK,
                      "%s: %s", name, fail.field);
    }
    n.fabric->ops->tap(n.fabric, look, &n);
    wzp_sim_stream(clock, &n.prng, "all");
    wzp_sim_at(clock, WZP_S, send_all, &n, NULL);
    ck_assert_int_eq(n.fabric->ops->run(n.fabric, WZP_S + DURATION), WZP_SIM_STOP_TIME);
    const uint64_t events = n.fabric->ops->events(n.fabric);
    mix(&n, &events, sizeof events);
    ck_assert_uint_gt(n.seen, 2000);
    n.fabric->ops->free(n.fabric);
    return n.hash;
}

/* --- the other process ------------------------------------------------------------------------ */

static uint64_t asked_seed;

START_TEST(print_hash) {
    (void)printf("hash %016" PRIx64 "\n", hash_of(asked_seed));
}
END_TEST

static uint64_t hash_elsewhere(uint64_t seed) {
    char self[4096];
    char command[4200];
    char line[256];
    uint64_t hash = 0;
    const ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    ck_assert_int_gt(len, 0);
    self[len] = '\0';
    (void)snprintf(command, sizeof command, "'%s' hash %" PRIu64, self, seed);
    FILE *out = popen(command, "r");
    ck_assert_ptr_nonnull(out);
    while (fgets(line, sizeof line, out) != NULL) {
        if (strncmp(line, "hash ", 5) == 0) {
            hash = strtoull(line + 5, NULL, 16);
        }
    }
    ck_assert_int_eq(pclose(out), 0);
    return hash;
}

START_TEST(a_seed_is_a_trace) {
    const uint64_t first = hash_of(7);
    ck_assert_uint_eq(hash_of(7), first);
    ck_assert_uint_ne(hash_of(8), first);
    ck_assert_uint_ne(hash_of((UINT64_C(1) << 32) + 7), first); /* all bits of a seed count */
    ck_assert_uint_eq(hash_of(7), first);
    ck_assert_uint_eq(hash_elsewhere(7), first);
}
END_TEST

int main(int argc, char **argv) {
    if (bed_ns3() == NULL) {
        return SKIPPED;
    }
    TCase *tc = tcase_create("determinism");
    if (argc == 3 && strcmp(argv[1], "hash") == 0) {
        asked_seed = strtoull(argv[2], NULL, 10);
        tcase_add_test(tc, print_hash);
    } else {
        tcase_add_test(tc, a_seed_is_a_trace);
    }
    return wzp_run_suite("determinism", tc);
}
