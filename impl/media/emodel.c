#include "media/emodel.h"

#include "wire/registry.h"

static const double best = 93.2;

wzp_emodel_codec wzp_emodel_codec_of(uint8_t codec) {
    static const struct {
        uint8_t codec;
        wzp_emodel_codec value;
    } known[] = {
        {WZP_CODEC_OPUS_64K, {0, 30}},    {WZP_CODEC_OPUS_48K, {0, 30}},
        {WZP_CODEC_OPUS_32K, {1, 30}},    {WZP_CODEC_OPUS_24K, {2, 30}},
        {WZP_CODEC_OPUS_16K, {5, 15}},    {WZP_CODEC_OPUS_6K, {20, 12}},
        {WZP_CODEC_CODEC2_3200, {40, 5}}, {WZP_CODEC_CODEC2_1200, {50, 5}},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(known); i++) {
        if (known[i].codec == codec) {
            return known[i].value;
        }
    }
    return (wzp_emodel_codec){95, 1};
}

static double delay_impairment(double ms) {
    const double noticed = 177.3;
    return 0.024 * ms + (ms > noticed ? 0.11 * (ms - noticed) : 0);
}

static double equipment_impairment(wzp_emodel_codec codec, const wzp_emodel_path *path) {
    const double burst = path->burst_ratio > 0 ? path->burst_ratio : 1;
    const double loss = path->loss_percent;
    if (loss <= 0) {
        return codec.impairment;
    }
    return codec.impairment + (95 - codec.impairment) * loss / (loss / burst + codec.robustness);
}

double wzp_emodel_rating(wzp_emodel_codec codec, const wzp_emodel_path *path) {
    const double delay = path->delay_ms > 0 ? path->delay_ms : 0;
    const double rating = best - delay_impairment(delay) - equipment_impairment(codec, path);
    return rating < 0 ? 0 : rating;
}

double wzp_emodel_mos(double rating) {
    if (rating <= 0) {
        return 1;
    }
    if (rating >= 100) {
        return 4.5;
    }
    const double mos = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6;
    return mos < 1 ? 1 : mos; /* the polynomial dips below 1 between 0 and 6.5 */
}

/* --- in whole numbers ------------------------------------------------------------------------- */

#define DELAY_MOST_US 10000000 /* no rating is left long before */

static int64_t delay_milli(uint64_t delay_us) {
    const int64_t noticed = 177300;
    const int64_t us = delay_us < DELAY_MOST_US ? (int64_t)delay_us : DELAY_MOST_US;
    return 24 * us / 1000 + (us > noticed ? 110 * (us - noticed) / 1000 : 0);
}

/* Loss in percent is ppm / 10000; both terms of the denominator are times 10000. */
static int64_t equipment_milli(uint8_t id, const wzp_emodel_figures *f) {
    const wzp_emodel_codec codec = wzp_emodel_codec_of(id);
    const int64_t impairment = (int64_t)codec.impairment;
    const int64_t burst = f->burst_permille > 1000 ? f->burst_permille : 1000;
    const int64_t loss = f->loss_ppm < 1000000 ? f->loss_ppm : 1000000;
    const int64_t most = 95 - impairment;
    const int64_t robustness = (int64_t)codec.robustness * 10000;
    return 1000 * impairment + most * 1000 * loss / (loss * 1000 / burst + robustness);
}

uint32_t wzp_emodel_mos_milli(uint8_t codec, const wzp_emodel_figures *figures) {
    const int64_t r =
        93200 - delay_milli(figures->delay_us) - equipment_milli(codec, figures); /* rating */
    if (r <= 0) {
        return 1000;
    }
    const int64_t curve = r * (r - 60000) / 1000 * (100000 - r) / 1000 * 7 / 1000000;
    const int64_t mos = 1000 + 35 * r / 1000 + curve;
    return mos < 1000 ? 1000 : (uint32_t)mos;
}
