#include "adapt/tier.h"
#include "base/testing/suite.h"

/* The rules as they are written down, in single precision (media sheet 4.2). */
static wzp_tier by_the_rules(const wzp_quality_report *report, bool is_cellular) {
    const float loss = (float)report->loss_pct / 255.0F * 100.0F;
    const unsigned rtt = report->rtt_4ms * 4U;
    if (is_cellular) {
        return loss > 25.0F || rtt > 500  ? WZP_TIER_CATASTROPHIC
               : loss > 8.0F || rtt > 300 ? WZP_TIER_DEGRADED
                                          : WZP_TIER_GOOD;
    }
    if (loss >= 15.0F || rtt >= 200) {
        return WZP_TIER_CATASTROPHIC;
    }
    if (loss >= 5.0F || rtt >= 100) {
        return WZP_TIER_DEGRADED;
    }
    if (loss >= 2.0F || rtt >= 80) {
        return WZP_TIER_GOOD;
    }
    if (loss >= 1.0F || rtt >= 50) {
        return WZP_TIER_STUDIO_32K;
    }
    return rtt >= 30 ? WZP_TIER_STUDIO_48K : WZP_TIER_STUDIO_64K;
}

/* QUAL-001 */
START_TEST(every_report) {
    for (unsigned i = 0; i <= 0xffff; i++) {
        const wzp_quality_report report = {(uint8_t)(i >> 8), (uint8_t)i, (uint8_t)(i * 7),
                                           (uint8_t)(i * 3)};
        for (unsigned network = 0; network < WZP_NETWORK_COUNT; network++) {
            const wzp_tier got = wzp_tier_classify(&report, (wzp_network)network);
            const wzp_tier want = by_the_rules(&report, network >= WZP_NETWORK_CELLULAR_LTE);
            if (got != want) { /* an assertion that holds takes long, too */
                ck_abort_msg("report %04x, %s: %s, not %s", i,
                             wzp_network_name((wzp_network)network), wzp_tier_name(got),
                             wzp_tier_name(want));
            }
        }
    }
}
END_TEST

static const struct {
    wzp_tier tier;
    uint32_t total_bps, required_bps;
} rates[] = {
    {WZP_TIER_CATASTROPHIC, 2400, 3120}, {WZP_TIER_DEGRADED, 9000, 11700},
    {WZP_TIER_GOOD, 28800, 37440},       {WZP_TIER_STUDIO_32K, 35200, 45760},
    {WZP_TIER_STUDIO_48K, 52800, 68640}, {WZP_TIER_STUDIO_64K, 70400, 91520},
};

/* BWE-004 */
START_TEST(what_a_tier_needs) {
    const wzp_tier tier = rates[_i].tier;
    ck_assert_uint_eq(wzp_tier_total_bps(tier), rates[_i].total_bps);
    ck_assert_uint_eq(wzp_tier_required_bps(tier), rates[_i].required_bps);
    ck_assert_int_eq(wzp_tier_within(rates[_i].required_bps), tier);
    if (tier > WZP_TIER_CATASTROPHIC) {
        ck_assert_int_eq(wzp_tier_within(rates[_i].required_bps - 1), tier - 1);
    }
}
END_TEST

START_TEST(something_always_fits) {
    ck_assert_int_eq(wzp_tier_within(0), WZP_TIER_CATASTROPHIC);
    ck_assert_int_eq(wzp_tier_within(UINT64_MAX), WZP_TIER_STUDIO_64K);
}
END_TEST

START_TEST(profiles_by_index) {
    for (unsigned tier = 0; tier < WZP_TIER_COUNT; tier++) {
        const wzp_quality_profile *profile = wzp_tier_profile((wzp_tier)tier);
        ck_assert_ptr_eq(wzp_profile_by_index(wzp_profile_index(profile->codec)), profile);
    }
    ck_assert_uint_eq(wzp_profile_index(WZP_CODEC_OPUS_16K), 3);
    ck_assert_uint_eq(wzp_profile_index(200), 3);
    ck_assert_ptr_null(wzp_profile_by_index(6));
    ck_assert_ptr_null(wzp_profile_by_index(WZP_PROFILE_INDEX_NONE));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("tier");
    tcase_add_test(tc, every_report);
    tcase_add_loop_test(tc, what_a_tier_needs, 0, (int)WZP_COUNT_OF(rates));
    tcase_add_test(tc, something_always_fits);
    tcase_add_test(tc, profiles_by_index);
    return wzp_run_suite("tier", tc);
}
