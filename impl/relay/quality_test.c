#include <check.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "relay/quality.h"

/* --- layers ----------------------------------------------------------------------------------- */

/* The traces of relay sheet 7.6, and what they leave open. */
static const struct {
    const char *name;
    struct {
        uint32_t kbps;
        uint8_t loss;
        uint32_t at_ms;
        uint8_t selected;
    } steps[6];
    size_t count;
} layers[] = {
    {"the first is taken at once", {{1000, 5, 0, 1}}, 1},
    {"750 is not enough", {{750, 0, 0, 0}}, 1},
    {"751 is", {{751, 0, 0, 1}}, 1},
    {"3000 is the middle one", {{3000, 0, 0, 1}}, 1},
    {"3001 beside a loss of 2 is too", {{3001, 2, 0, 1}}, 1},
    {"3001 with less is the highest", {{3001, 1, 0, 2}}, 1},
    {"three seconds of less",
     {{4000, 0, 0, 2}, {100, 0, 100, 2}, {100, 0, 3099, 2}, {100, 0, 3100, 0}},
     4},
    {"another wish begins anew",
     {{4000, 0, 0, 2},
      {100, 0, 100, 2},
      {1000, 0, 2000, 2},
      {1000, 0, 4999, 2},
      {1000, 0, 5000, 1}},
     5},
    {"a moment of the old one begins anew",
     {{4000, 0, 0, 2}, {100, 0, 100, 2}, {4000, 0, 3000, 2}, {100, 0, 3100, 2}, {100, 0, 6100, 0}},
     5},
    {"nothing is no first one", {{0, 0, 0, 0}, {0, 0, 10, 0}, {4000, 0, 20, 2}}, 3},
};

START_TEST(layers_follow_the_estimate) {
    wzp_layer layer = {0};
    for (size_t i = 0; i < layers[_i].count; i++) {
        wzp_layer_update(&layer, layers[_i].steps[i].kbps, layers[_i].steps[i].loss,
                         WZP_S + layers[_i].steps[i].at_ms * WZP_MS);
        ck_assert_msg(layer.selected == layers[_i].steps[i].selected, "%s, step %zu: layer %u",
                      layers[_i].name, i, layer.selected);
    }
}
END_TEST

/* --- tiers ------------------------------------------------------------------------------------ */

static const struct {
    uint8_t loss, rtt;
    wzp_tier tier;
} bytes[] = {
    {39, 0, WZP_TIER_CATASTROPHIC}, {38, 0, WZP_TIER_DEGRADED},   {13, 0, WZP_TIER_DEGRADED},
    {12, 0, WZP_TIER_GOOD},         {6, 0, WZP_TIER_GOOD},        {5, 0, WZP_TIER_STUDIO_32K},
    {3, 0, WZP_TIER_STUDIO_32K},    {2, 0, WZP_TIER_STUDIO_64K},  {0, 50, WZP_TIER_CATASTROPHIC},
    {0, 49, WZP_TIER_DEGRADED},     {0, 25, WZP_TIER_DEGRADED},   {0, 24, WZP_TIER_GOOD},
    {0, 20, WZP_TIER_GOOD},         {0, 19, WZP_TIER_STUDIO_32K}, {0, 13, WZP_TIER_STUDIO_32K},
    {0, 12, WZP_TIER_STUDIO_48K},   {0, 8, WZP_TIER_STUDIO_48K},  {0, 7, WZP_TIER_STUDIO_64K},
};

START_TEST(bytes_make_tiers) {
    const wzp_quality_report report = {.loss_pct = bytes[_i].loss, .rtt_4ms = bytes[_i].rtt};
    ck_assert_int_eq(wzp_quality_classify(&report), bytes[_i].tier);
}
END_TEST

static unsigned observed(wzp_quality *quality, uint8_t loss, uint8_t rtt, unsigned times) {
    const wzp_quality_report report = {.loss_pct = loss, .rtt_4ms = rtt};
    unsigned changes = 0;
    for (unsigned i = 0; i < times; i++) {
        changes += wzp_quality_observe(quality, &report) ? 1 : 0;
    }
    return changes;
}

START_TEST(three_worse_ones_jump) {
    wzp_quality quality;
    wzp_quality_init(&quality);
    ck_assert_uint_eq(observed(&quality, 51, 10, 2), 0);
    ck_assert_uint_eq(observed(&quality, 20, 10, 1), 1);
    ck_assert_int_eq(quality.tier, WZP_TIER_DEGRADED);
    ck_assert_uint_eq(observed(&quality, 51, 10, 2), 0);
    ck_assert_uint_eq(observed(&quality, 20, 10, 1), 0); /* equal: counted anew */
    ck_assert_uint_eq(observed(&quality, 51, 10, 2), 0);
    ck_assert_uint_eq(observed(&quality, 51, 10, 1), 1);
    ck_assert_int_eq(quality.tier, WZP_TIER_CATASTROPHIC);
}
END_TEST

START_TEST(better_ones_climb) {
    wzp_quality quality = {.tier = WZP_TIER_CATASTROPHIC};
    static const struct {
        unsigned needed;
        wzp_tier tier;
    } steps[] = {{5, WZP_TIER_DEGRADED},
                 {5, WZP_TIER_GOOD},
                 {10, WZP_TIER_STUDIO_32K},
                 {10, WZP_TIER_STUDIO_48K},
                 {10, WZP_TIER_STUDIO_64K}};
    for (size_t i = 0; i < WZP_COUNT_OF(steps); i++) {
        ck_assert_uint_eq(observed(&quality, 0, 5, steps[i].needed - 1), 0);
        ck_assert_uint_eq(observed(&quality, 0, 5, 1), 1);
        ck_assert_int_eq(quality.tier, steps[i].tier);
    }
    ck_assert_uint_eq(observed(&quality, 0, 5, 100), 0);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("quality");
    TCase *tc = tcase_create("layers and tiers");
    tcase_add_loop_test(tc, layers_follow_the_estimate, 0, WZP_COUNT_OF(layers));
    tcase_add_loop_test(tc, bytes_make_tiers, 0, WZP_COUNT_OF(bytes));
    tcase_add_test(tc, three_worse_ones_jump);
    tcase_add_test(tc, better_ones_climb);
    suite_add_tcase(s, tc);
    return s;
}

int main(void) {
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
