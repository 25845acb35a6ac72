#include "sim/proxy/peers.h"

#include <stdlib.h>

#include "base/rng.h"
#include "base/testing/suite.h"

#define ADDRESSES 1500

static wzp_addr addr_of(uint32_t i) {
    return wzp_addr_v4(10, 0, (uint8_t)(i >> 4), 1, (uint16_t)(1 + i));
}

/* The slow twin: the number of each address, or NONE. */
typedef struct twin {
    uint32_t index[ADDRESSES];
    size_t count;
} twin;

static void step(wzp_sim_peers *peers, twin *t, wzp_prng *rng) {
    const uint32_t i = (uint32_t)(wzp_prng_u64(rng) % ADDRESSES);
    const wzp_addr addr = addr_of(i);
    ck_assert_uint_eq(wzp_sim_peers_find(peers, &addr), t->index[i]);
    if (t->index[i] == WZP_SIM_PEERS_NONE) {
        t->index[i] = wzp_sim_peers_add(peers, &addr, i);
        ck_assert_msg((t->index[i] == WZP_SIM_PEERS_NONE) == (t->count == WZP_SIM_PEERS_MAX),
                      "room for one more at %zu", t->count);
        t->count += t->index[i] != WZP_SIM_PEERS_NONE ? 1 : 0;
    } else if (wzp_prng_u64(rng) % 4 == 0) {
        wzp_sim_peers_remove(peers, t->index[i]);
        ck_assert(!wzp_sim_peers_has(peers, t->index[i]));
        t->index[i] = WZP_SIM_PEERS_NONE;
        t->count--;
    }
    ck_assert_uint_eq(peers->count, t->count);
}

START_TEST(like_its_twin) {
    wzp_sim_peers *peers = malloc(sizeof *peers);
    twin *t = calloc(1, sizeof *t);
    wzp_prng rng;
    ck_assert(peers != NULL && t != NULL);
    wzp_prng_init(&rng, 7, "peers");
    wzp_sim_peers_init(peers);
    memset(t->index, 0xff, sizeof t->index);
    size_t full = 0;
    for (int i = 0; i < 20000; i++) {
        step(peers, t, &rng);
        full += t->count == WZP_SIM_PEERS_MAX ? 1 : 0;
    }
    ck_assert_msg(full > 0, "the table was never full");
    for (uint32_t i = 0; i < ADDRESSES; i++) {
        const wzp_addr addr = addr_of(i);
        ck_assert_uint_eq(wzp_sim_peers_find(peers, &addr), t->index[i]);
    }
    free(peers);
    free(t);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("peers");
    tcase_add_test(tc, like_its_twin);
    return wzp_run_suite("proxy peers", tc);
}
