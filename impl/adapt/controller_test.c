#include "adapt/controller.h"

#include <stdlib.h>

#include "adapt/testing/twin.h"
#include "base/rng.h"
#include "base/testing/suite.h"

/* Reports that call for one tier on any network but a cellular one. */
static const wzp_quality_report calls_for[WZP_TIER_COUNT] = {
    [WZP_TIER_CATASTROPHIC] = {127, 75, 10, 200}, [WZP_TIER_DEGRADED] = {13, 25, 10, 200},
    [WZP_TIER_GOOD] = {7, 22, 10, 200},           [WZP_TIER_STUDIO_32K] = {3, 15, 5, 200},
    [WZP_TIER_STUDIO_48K] = {0, 8, 5, 200},       [WZP_TIER_STUDIO_64K] = {0, 0, 0, 200},
};

#define C WZP_TIER_CATASTROPHIC
#define D WZP_TIER_DEGRADED
#define G WZP_TIER_GOOD
#define S32 WZP_TIER_STUDIO_32K
#define S48 WZP_TIER_STUDIO_48K
#define S64 WZP_TIER_STUDIO_64K
#define LTE WZP_NETWORK_CELLULAR_LTE
#define DEPLOYED WZP_ADAPT_DEPLOYED
#define NO (-1)

/* `count` reports a second apart that call for `seen`.  All but the last return nothing; the last
 * one returns the profile of `returned`, or nothing. */
typedef struct step {
    unsigned count;
    wzp_tier seen;
    int returned;
    wzp_tier after;
} step;

static const struct {
    const char *name;
    wzp_network network;
    wzp_adapt_policy policy;
    uint64_t target_bps; /* 0: unknown */
    step steps[8];
} cases[] = {
    {"three worse reports fall to the last", .steps = {{2, C, NO, G}, {1, D, D, D}}},
    {"two do not", .steps = {{2, C, NO, G}, {1, G, NO, G}, {2, C, NO, G}, {1, C, C, C}}},
    {"a better one forgives two worse", .steps = {{2, C, NO, G}, {1, S64, NO, G}, {2, C, NO, G}}},
    {"two on a cellular network", LTE, .steps = {{1, C, NO, G}, {1, C, C, C}}},
    {"five up from the lowest, one step", .steps = {{3, C, C, C}, {4, S64, NO, C}, {1, S64, D, D}}},
    {"ten up from Good", .steps = {{9, S64, NO, G}, {1, S64, S32, S32}, {10, S64, S48, S48}}},
    {"better ones need not agree", .steps = {{5, S32, NO, G}, {4, S64, NO, G}, {1, S48, S32, S32}}},
    {"an equal one starts over", .steps = {{9, S64, NO, G}, {1, G, NO, G}, {9, S64, NO, G}}},
    {"nothing above the highest",
     .steps = {{10, S64, S32, S32}, {10, S64, S48, S48}, {10, S64, S64, S64}, {100, S64, NO, S64}}},
    {"never studio on a cellular network", LTE, .steps = {{100, S64, NO, G}}},
    {"the estimate forbids a step", .target_bps = 45759, .steps = {{100, S64, NO, G}}},
    {"the estimate allows it", .target_bps = 45760,
     .steps = {{10, S64, S32, S32}, {100, S64, NO, S32}}},
    {"a fall asks no estimate", .target_bps = 1, .steps = {{3, D, D, D}}},
    {"a blocked climb counts anew", .target_bps = 11700,
     .steps = {{3, C, C, C}, {5, G, D, D}, {5, G, NO, D}}},
    {"a probe after 30 s", .steps = {{30, G, NO, G}, {1, G, S32, G}}},
    {"a probe is given up at the second bad report",
     .steps = {{31, G, S32, G}, {1, G, NO, G}, {1, G, G, G}}},
    {"deployed: silently", .policy = DEPLOYED,
     .steps = {{31, G, S32, G}, {1, G, NO, G}, {1, G, NO, G}}},
    {"one bad report does not end a probe",
     .steps = {{31, G, S32, G}, {1, G, NO, G}, {3, S32, NO, G}, {1, S32, S32, S32}}},
    {"the next probe 60 + 30 s later",
     .steps = {{31, G, S32, G}, {1, G, NO, G}, {1, G, G, G}, {89, G, NO, G}, {1, G, S32, G}}},
    {"a worse report shortens that to 30 s",
     .steps = {{31, G, S32, G}, {2, G, G, G}, {1, D, NO, G}, {30, G, NO, G}, {1, G, S32, G}}},
    {"a worse report ends stability",
     .steps = {{20, G, NO, G}, {1, D, NO, G}, {30, G, NO, G}, {1, G, S32, G}}},
    {"no probe from the highest",
     .steps = {{10, S64, S32, S32}, {10, S64, S48, S48}, {10, S64, S64, S64}, {90, S64, NO, S64}}},
    {"no probe on a cellular network", LTE, .steps = {{90, G, NO, G}}},
    {"no probe beyond the estimate", .target_bps = 45759, .steps = {{90, G, NO, G}}},
    {"deployed: beyond it too", .policy = DEPLOYED, .target_bps = 45759,
     .steps = {{30, G, NO, G}, {1, G, S32, G}}},
    {"a fall ends a probe", .steps = {{31, G, S32, G}, {1, S32, NO, G}, {2, D, G, G}}},
};

static void take_steps(wzp_controller *c, const char *name, const step *steps, size_t count,
                       uint64_t target_bps) {
    wzp_time now = 1000 * WZP_S;
    for (size_t i = 0; i < count && steps[i].count > 0; i++) {
        for (unsigned n = 1; n <= steps[i].count; n++, now += WZP_S) {
            const wzp_quality_profile *got =
                wzp_controller_observe(c, &calls_for[steps[i].seen], target_bps, now);
            const wzp_quality_profile *want = n == steps[i].count && steps[i].returned != NO
                                                  ? wzp_tier_profile((wzp_tier)steps[i].returned)
                                                  : NULL;
            ck_assert_msg(got == want, "%s, step %zu, report %u: returned %s", name, i, n,
                          got != NULL ? wzp_codec_find(got->codec)->name : "nothing");
        }
        ck_assert_msg(wzp_controller_tier(c) == steps[i].after, "%s, step %zu: tier %s", name, i,
                      wzp_tier_name(wzp_controller_tier(c)));
    }
}

START_TEST(sequences) {
    wzp_controller c;
    wzp_controller_init(&c, cases[_i].policy, cases[_i].network);
    take_steps(&c, cases[_i].name, cases[_i].steps, WZP_COUNT_OF(cases[_i].steps),
               cases[_i].target_bps != 0 ? cases[_i].target_bps : WZP_TARGET_UNKNOWN);
}
END_TEST

/* What the estimate makes of a congestion window that is worth `bps`. */
static uint64_t target_of(uint64_t bps) {
    return bps * 9 / 10;
}

/* Conformance sheet 24.16: no loss, a window of 50 kbit/s, 20 good reports at Good. */
START_TEST(X_17_a_narrow_path_keeps_the_controller_at_opus24k) {
    static const step steps[] = {{20, S64, NO, G}, {100, S64, NO, G}};
    wzp_controller c;
    wzp_controller_init(&c, WZP_ADAPT_REFERENCE, WZP_NETWORK_UNKNOWN);
    take_steps(&c, "X-17", steps, WZP_COUNT_OF(steps), target_of(50000));
    ck_assert_uint_eq(wzp_controller_profile(&c)->codec, WZP_CODEC_OPUS_24K);
    take_steps(&c, "X-17, a bit short", steps, WZP_COUNT_OF(steps), target_of(50844));
}
END_TEST

/* Conformance sheet 24.16: the same with 51 kbit/s. */
START_TEST(X_18_a_path_that_is_wide_enough_carries_opus32k) {
    static const step steps[] = {{9, S64, NO, G}, {1, S64, S32, S32}};
    for (int i = 0; i < 2; i++) {
        wzp_controller c;
        wzp_controller_init(&c, i == 0 ? WZP_ADAPT_REFERENCE : DEPLOYED, WZP_NETWORK_UNKNOWN);
        take_steps(&c, "X-18", steps, WZP_COUNT_OF(steps), target_of(51000));
        ck_assert_uint_eq(wzp_controller_profile(&c)->codec, WZP_CODEC_OPUS_32K);
    }
}
END_TEST

START_TEST(a_forced_profile_stays) {
    static const step ignored[] = {{50, C, NO, G}};
    wzp_controller c;
    wzp_quality_profile profile = *wzp_profile_for_codec(WZP_CODEC_CODEC2_3200);
    wzp_controller_init(&c, WZP_ADAPT_REFERENCE, WZP_NETWORK_UNKNOWN);
    wzp_controller_force(&c, &profile);
    profile.codec = WZP_CODEC_OPUS_64K; /* a copy was kept */
    take_steps(&c, "forced", ignored, 1, WZP_TARGET_UNKNOWN);
    ck_assert_uint_eq(wzp_controller_profile(&c)->codec, WZP_CODEC_CODEC2_3200);
    wzp_controller_network(&c, WZP_NETWORK_WIFI, 0);
    ck_assert_uint_eq(wzp_controller_profile(&c)->codec, WZP_CODEC_CODEC2_3200);
    wzp_controller_network(&c, LTE, 0);
    ck_assert_ptr_eq(wzp_controller_profile(&c), &wzp_profile_degraded);
}
END_TEST

START_TEST(leaving_wifi_steps_down) {
    static const step climb[] = {{4, G, NO, D}, {1, G, G, G}};
    wzp_controller c;
    wzp_controller_init(&c, WZP_ADAPT_REFERENCE, WZP_NETWORK_WIFI);
    wzp_controller_network(&c, LTE, WZP_S);
    ck_assert_int_eq(wzp_controller_tier(&c), D);
    ck_assert_uint_eq(wzp_controller_fec_boost(&c, 11 * WZP_S - 1), WZP_BOOST_PERCENT);
    ck_assert_uint_eq(wzp_controller_fec_boost(&c, 11 * WZP_S), 0);
    wzp_controller_network(&c, WZP_NETWORK_CELLULAR_3G, 20 * WZP_S);
    ck_assert_int_eq(wzp_controller_tier(&c), D);
    take_steps(&c, "leaving Wi-Fi", climb, WZP_COUNT_OF(climb), WZP_TARGET_UNKNOWN);
    for (int i = 0; i < 4; i++) {
        wzp_controller_network(&c, WZP_NETWORK_WIFI, 0);
        wzp_controller_network(&c, LTE, 0);
    }
    ck_assert_int_eq(wzp_controller_tier(&c), C);
}
END_TEST

START_TEST(a_change_of_network_ends_a_probe) {
    static const step steps[] = {{31, G, S32, G}};
    wzp_controller c;
    wzp_controller_init(&c, WZP_ADAPT_REFERENCE, WZP_NETWORK_UNKNOWN);
    take_steps(&c, "probe", steps, 1, WZP_TARGET_UNKNOWN);
    ck_assert_ptr_eq(wzp_controller_profile(&c), &wzp_profile_studio_32k);
    wzp_controller_network(&c, WZP_NETWORK_UNKNOWN, 0); /* no change */
    ck_assert_ptr_eq(wzp_controller_profile(&c), &wzp_profile_studio_32k);
    wzp_controller_network(&c, WZP_NETWORK_WIFI, 0);
    ck_assert_ptr_eq(wzp_controller_profile(&c), &wzp_profile_good);
}
END_TEST

/* --- against the twin ------------------------------------------------------------------------- */

static uint64_t some_target(wzp_rng rng) {
    static const uint64_t targets[] = {
        0, 11700, 37440, 45759, 45760, 68640, 91519, 91520, WZP_TARGET_UNKNOWN};
    return targets[wzp_rng_below(rng, WZP_COUNT_OF(targets))];
}

/* Reports come in runs, or nothing would ever be decided. */
static void live(wzp_controller *c, wzp_controller_twin *t, wzp_rng rng) {
    wzp_time now = 1000 * WZP_S;
    uint64_t target = WZP_TARGET_UNKNOWN;
    wzp_tier from = WZP_TIER_GOOD;
    while (t->count + 40 < WZP_CONTROLLER_TWIN_MAX) {
        const uint64_t what = wzp_rng_below(rng, 200);
        if (what == 0) {
            wzp_controller_force(c, &wzp_profile_good);
            wzp_controller_twin_force(t);
        } else if (what < 3) {
            const wzp_network network = (wzp_network)wzp_rng_below(rng, WZP_NETWORK_COUNT);
            if (network != c->network) {
                wzp_controller_network(c, network, now);
                wzp_controller_twin_network(t, network);
            }
        } else if (what < 20) {
            target = some_target(rng);
        }
        if (t->forced && wzp_rng_below(rng, 8) == 0) {
            wzp_controller_network(c, WZP_NETWORK_WIFI, now);
            wzp_controller_network(c, LTE, now);
            wzp_controller_twin_network(t, WZP_NETWORK_WIFI);
            wzp_controller_twin_network(t, LTE);
        }
        from = what % 4 == 0 ? (wzp_tier)wzp_rng_below(rng, WZP_TIER_COUNT) : c->run.tier;
        for (uint64_t n = wzp_rng_below(rng, 40); n-- > 0; now += wzp_rng_below(rng, 4) * WZP_S) {
            const wzp_tier noisy = (wzp_tier)wzp_rng_below(rng, WZP_TIER_COUNT);
            const wzp_quality_report *report =
                &calls_for[wzp_rng_below(rng, 30) == 0 ? noisy : from];
            wzp_tier want = WZP_TIER_COUNT;
            const bool changed = wzp_controller_twin_observe(t, report, target, now, &want);
            const wzp_quality_profile *got = wzp_controller_observe(c, report, target, now);
            if (got != (changed ? wzp_tier_profile(want) : NULL) || c->run.tier != t->tier ||
                c->probing != (t->probe_from != 0)) {
                ck_abort_msg("report %zu at %llu s: tier %s, the twin says %s", t->count,
                             (unsigned long long)(now / WZP_S), wzp_tier_name(c->run.tier),
                             wzp_tier_name(t->tier));
            }
        }
    }
}

START_TEST(agrees_with_its_twin) {
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "controller");
    wzp_controller c;
    wzp_controller_twin *t = malloc(sizeof *t);
    ck_assert_ptr_nonnull(t);
    const bool deployed = _i % 2 == 1;
    const wzp_network network = (wzp_network)(_i / 2 % WZP_NETWORK_COUNT);
    wzp_controller_init(&c, deployed ? DEPLOYED : WZP_ADAPT_REFERENCE, network);
    wzp_controller_twin_init(t, deployed, network);
    live(&c, t, wzp_prng_rng(&prng));
    free(t);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("controller");
    tcase_add_loop_test(tc, sequences, 0, (int)WZP_COUNT_OF(cases));
    tcase_add_test(tc, X_17_a_narrow_path_keeps_the_controller_at_opus24k);
    tcase_add_test(tc, X_18_a_path_that_is_wide_enough_carries_opus32k);
    tcase_add_test(tc, a_forced_profile_stays);
    tcase_add_test(tc, leaving_wifi_steps_down);
    tcase_add_test(tc, a_change_of_network_ends_a_probe);
    tcase_add_loop_test(tc, agrees_with_its_twin, 0, 40);
    return wzp_run_suite("controller", tc);
}
