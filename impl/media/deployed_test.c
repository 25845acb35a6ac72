/* The traces themselves are vectors: wzp-vectors check. */
#include "media/deployed.h"

#include "base/rng.h"
#include "base/testing/suite.h"

START_TEST(whatever_comes_every_packet_is_accounted_for) {
    wzp_deployed_jbuf jb;
    wzp_prng prng;
    uint64_t played = 0;
    uint64_t forgotten = 0;
    wzp_prng_init(&prng, (uint64_t)_i, "deployed");
    const wzp_rng rng = wzp_prng_rng(&prng);
    wzp_deployed_init(&jb, 3, 20);
    uint64_t late = 0;
    for (uint64_t i = 0; i < 5000; i++) {
        const size_t before = jb.depth;
        uint32_t seq = (uint32_t)(i / 2 + wzp_rng_below(rng, 300));
        const wzp_deployed_push got = wzp_deployed_put(&jb, seq);
        late += got == WZP_DEPLOYED_LATE ? 1 : 0;
        forgotten += got == WZP_DEPLOYED_RESET ? before : 0;
        ck_assert_uint_le(jb.depth, 20);
        if (wzp_rng_below(rng, 2) == 0) {
            played += wzp_deployed_take(&jb, &seq) == WZP_DEPLOYED_PACKET ? 1 : 0;
        }
        bool ascending = true;
        for (size_t k = 1; k < jb.depth; k++) {
            ascending = ascending && jb.seqs[k - 1] < jb.seqs[k];
        }
        ck_assert(ascending);
    }
    ck_assert_uint_eq(jb.stats.played, played);
    ck_assert_uint_eq(jb.stats.received,
                      played + jb.depth + late + forgotten + jb.stats.duplicate + jb.stats.overrun);
}
END_TEST

START_TEST(a_spike_ends_after_two_seconds) {
    wzp_playout p;
    wzp_playout_init(&p, 3, 250, true);
    wzp_playout_update(&p, 0, 0, 0);
    wzp_playout_update(&p, 21, 20, 21);
    ck_assert(!p.is_spiking);
    wzp_playout_update(&p, 60, 40, 60);
    ck_assert(p.is_spiking);
    ck_assert_uint_eq(p.target, 250);
    for (uint64_t ms = 80; ms < 2060; ms += 20) {
        wzp_playout_update(&p, ms, ms - 20, ms);
        ck_assert(p.is_spiking);
    }
    wzp_playout_update(&p, 2060, 2040, 2060);
    ck_assert(!p.is_spiking);
    ck_assert_uint_eq(p.target, 4);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, whatever_comes_every_packet_is_accounted_for, 0, 4);
    tcase_add_test(tc, a_spike_ends_after_two_seconds);
    return wzp_run_suite("deployed", tc);
}
