#include "media/emodel.h"

#include <math.h>

#include "base/testing/suite.h"
#include "wire/registry.h"

/* G.107, Annex B, and the table of user satisfaction in G.109. */
static const struct mos_case {
    double rating, mos;
} mos_cases[] = {{93.2, 4.41}, {90, 4.34}, {80, 4.03}, {70, 3.60}, {60, 3.10}, {50, 2.58},
                 {0, 1},       {-5, 1},    {100, 4.5}, {120, 4.5}, {3, 1}};

START_TEST(mos_of_ratings) {
    const double got = wzp_emodel_mos(mos_cases[_i].rating);
    ck_assert_msg(fabs(got - mos_cases[_i].mos) < 0.0065, "%f: %f", mos_cases[_i].rating, got);
}
END_TEST

/* Provisional planning values of G.113, Appendix I: codec, loss, what is left of 93.2. */
static const struct rating_case {
    const char *name;
    wzp_emodel_codec codec;
    wzp_emodel_path path;
    double rating;
} rating_cases[] = {
    {"G.711", {0, 4.3}, {0, 0, 1}, 93.2},
    {"G.711, concealed, 2 %", {0, 25.1}, {0, 2, 1}, 93.2 - 7.01},
    {"G.711 without concealment, 2 %", {0, 4.3}, {0, 2, 1}, 93.2 - 30.16},
    {"G.729A, 4 %", {11, 19}, {0, 4, 1}, 93.2 - 25.61},
    {"G.723.1, 4 %", {15, 16.1}, {0, 4, 1}, 93.2 - 30.92},
    {"GSM-EFR, 2 %", {5, 10}, {0, 2, 1}, 93.2 - 20.0},
    {"bursts are worse", {11, 19}, {0, 4, 2}, 93.2 - 27.0},
    {"no burst ratio is one of 1", {11, 19}, {0, 4, 0}, 93.2 - 25.61},
    {"100 ms", {0, 4.3}, {100, 0, 1}, 93.2 - 2.4},
    {"177.3 ms", {0, 4.3}, {177.3, 0, 1}, 93.2 - 4.2552},
    {"400 ms", {0, 4.3}, {400, 0, 1}, 93.2 - 34.097},
    {"beyond hope", {95, 1}, {2000, 100, 1}, 0},
    {"nonsense is none", {0, 4.3}, {-5, -1, -1}, 93.2},
};

START_TEST(ratings) {
    const struct rating_case *c = &rating_cases[_i];
    const double got = wzp_emodel_rating(c->codec, &c->path);
    ck_assert_msg(fabs(got - c->rating) < 0.01, "%s: %f", c->name, got);
}
END_TEST

START_TEST(our_codecs_are_in_order) {
    static const uint8_t order[] = {
        WZP_CODEC_OPUS_64K,    WZP_CODEC_OPUS_32K, WZP_CODEC_OPUS_24K,
        WZP_CODEC_OPUS_16K,    WZP_CODEC_OPUS_6K,  WZP_CODEC_CODEC2_3200,
        WZP_CODEC_CODEC2_1200, WZP_CODEC_AV1_MAIN, 255};
    const wzp_emodel_path path = {.delay_ms = 120, .loss_percent = 5};
    double last = 100;
    for (size_t i = 0; i < WZP_COUNT_OF(order); i++) {
        const double rating = wzp_emodel_rating(wzp_emodel_codec_of(order[i]), &path);
        ck_assert_msg(rating < last || rating == 0.0, "codec %u: %f", order[i], rating);
        last = rating;
    }
}
END_TEST

static const struct path_case {
    const char *name;
    wzp_emodel_figures figures;
} path_cases[] = {
    {"nothing wrong", {0, 0, 0}},
    {"a usual call", {120000, 10000, 1000}},
    {"single losses", {120000, 50000, 1000}},
    {"bursts", {120000, 50000, 2500}},
    {"a burst ratio below 1", {120000, 50000, 300}},
    {"just before delay is noticed", {177300, 0, 1000}},
    {"a satellite", {600000, 20000, 1000}},
    {"a fifth is lost", {200000, 200000, 3000}},
    {"nothing arrives", {100000, 1000000, 1000}},
    {"beyond hope", {UINT64_MAX, UINT32_MAX, UINT32_MAX}},
};

START_TEST(whole_numbers_say_the_same) {
    const struct path_case *c = &path_cases[_i];
    const wzp_emodel_figures *f = &c->figures;
    const wzp_emodel_path path = {.delay_ms = fmin((double)f->delay_us / 1000, 10000),
                                  .loss_percent = fmin((double)f->loss_ppm / 10000, 100),
                                  .burst_ratio =
                                      f->burst_permille > 1000 ? f->burst_permille / 1000.0 : 1};
    for (uint8_t codec = 0; codec < 10; codec++) {
        const double want =
            wzp_emodel_mos(wzp_emodel_rating(wzp_emodel_codec_of(codec), &path)) * 1000;
        const uint32_t got = wzp_emodel_mos_milli(codec, f);
        ck_assert_msg(fabs(got - want) < 3, "%s, codec %u: %u, not %f", c->name, codec, got, want);
    }
}
END_TEST

/* Nothing of a codec's is lost when it becomes a whole number. */
START_TEST(values_are_whole) {
    for (unsigned codec = 0; codec < 256; codec++) {
        const wzp_emodel_codec c = wzp_emodel_codec_of((uint8_t)codec);
        ck_assert(c.impairment == floor(c.impairment));
        ck_assert(c.robustness == floor(c.robustness));
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, mos_of_ratings, 0, WZP_COUNT_OF(mos_cases));
    tcase_add_loop_test(tc, ratings, 0, WZP_COUNT_OF(rating_cases));
    tcase_add_loop_test(tc, whole_numbers_say_the_same, 0, WZP_COUNT_OF(path_cases));
    tcase_add_test(tc, values_are_whole);
    tcase_add_test(tc, our_codecs_are_in_order);
    return wzp_run_suite("emodel", tc);
}
