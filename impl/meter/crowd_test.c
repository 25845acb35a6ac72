/* Several senders as one: what legitimate ones send always passes, and what passes is never more
 * than they might. */
#include "meter/crowd.h"

#include "base/rng.h"
#include "base/testing/suite.h"
#include "meter/enf.h"
#include "meter/testing/traffic.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

/* Constant traffic for 10 s. */
static const struct load_case {
    const char *name;
    uint32_t senders;
    uint8_t media_type;
    wzp_codec codec;
    uint32_t per_second;
    size_t payload;
    wzp_violation want;   /* that comes first, if any does */
    uint32_t least, most; /* that pass, of each 1000 */
} load_cases[] = {
    {"two who talk", 2, 0, WZP_CODEC_OPUS_24K, 100, 76, WZP_VIOLATION_NONE, 1000, 1000},
    {"one at twice its ceiling", 1, 0, WZP_CODEC_OPUS_24K, 100, 295, WZP_VIOLATION_BITRATE, 490,
     510},
    {"the same for two", 2, 0, WZP_CODEC_OPUS_24K, 100, 294, WZP_VIOLATION_NONE, 1000, 1000},
    {"A-01 for one", 1, 0, WZP_CODEC_OPUS_24K, 2000, 300, WZP_VIOLATION_BITRATE, 23, 26},
    {"A-01 for nine", 9, 0, WZP_CODEC_OPUS_24K, 2000, 300, WZP_VIOLATION_BITRATE, 215, 225},
    {"little packets for three", 3, 0, WZP_CODEC_OPUS_64K, 900, 0, WZP_VIOLATION_PACKET_RATE, 745,
     752},
    {"video", 1, 1, WZP_CODEC_H264_BASELINE, 720, 1116, WZP_VIOLATION_NONE, 1000, 1000},
    {"video said to be audio", 1, 0, WZP_CODEC_H264_BASELINE, 100, 1000, WZP_VIOLATION_BITRATE, 40,
     50},
    {"nobody", 0, 0, WZP_CODEC_OPUS_24K, 50, 76, WZP_VIOLATION_BITRATE, 0, 0},
};

START_TEST(constant_load) {
    const struct load_case *c = &load_cases[_i];
    const wzp_media_hdr hdr = {.media_type = c->media_type, .codec_id = (uint8_t)c->codec};
    wzp_crowd crowd;
    wzp_violation first = WZP_VIOLATION_NONE;
    uint32_t passed = 0;
    wzp_crowd_init(&crowd, 0);
    for (uint32_t i = 0; i < c->per_second * 10; i++) {
        const wzp_violation v = wzp_crowd_take(&crowd, c->senders, &hdr, c->payload,
                                               (wzp_time)i * WZP_S / c->per_second);
        first = first == WZP_VIOLATION_NONE ? v : first;
        passed += v == WZP_VIOLATION_NONE ? 1 : 0;
    }
    const uint32_t share = passed * 100 / c->per_second;
    ck_assert_msg(first == c->want && share >= c->least && share <= c->most,
                  "%s: violation %d, %u of 1000 passed", c->name, first, share);
}
END_TEST

/* Three senders whose windows lie anywhere, each judged by an ENF-1 of its own: while none of them
 * breaks tier A or B, the crowd of three takes all. */
START_TEST(what_each_may_all_may) {
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "crowd");
    wzp_rng rng = wzp_prng_rng(&prng);
    wzp_enf *enf[3];
    wzp_media_hdr hdr[3];
    size_t payload[3];
    wzp_time next[3];
    wzp_crowd crowd;
    wzp_crowd_init(&crowd, 0);
    for (int i = 0; i < 3; i++) {
        next[i] = wzp_rng_below(rng, WZP_S);
        enf[i] = wzp_enf_new(WZP_ENF_GUARDED, next[i]);
        hdr[i] = (wzp_media_hdr){.codec_id = (uint8_t)wzp_rng_below(rng, 9)};
        payload[i] = wzp_rng_below(rng, 200);
    }
    for (unsigned n = 0; n < 3000; n++) {
        const int i = next[0] <= next[1] && next[0] <= next[2] ? 0 : next[1] <= next[2] ? 1 : 2;
        const wzp_time now = next[i];
        const wzp_violation own = wzp_enf_observe(enf[i], &hdr[i], payload[i], now);
        hdr[i].seq++;
        hdr[i].timestamp_ms += 20;
        next[i] += WZP_MS * (4 + wzp_rng_below(rng, 20)) +
                   (wzp_rng_below(rng, 100) == 0 ? WZP_S * wzp_rng_below(rng, 3) : 0);
        if (own == WZP_VIOLATION_BITRATE || own == WZP_VIOLATION_PACKET_RATE) {
            break; /* from here on anything may be dropped */
        }
        /* Windows of senders and of the link are not aligned: one more for the edges. */
        ck_assert_int_eq(wzp_crowd_take(&crowd, 2 * 3, &hdr[i], payload[i], now),
                         WZP_VIOLATION_NONE);
    }
    for (int i = 0; i < 3; i++) {
        wzp_enf_free(&enf[i]);
    }
}
END_TEST

/* A link that stood still for a second hands over what came meanwhile. */
START_TEST(stalls) {
    const wzp_media_hdr hdr = {.codec_id = WZP_CODEC_OPUS_24K};
    wzp_crowd crowd;
    unsigned passed = 0;
    wzp_crowd_init(&crowd, 0);
    for (unsigned i = 0; i < 300; i++) {
        const wzp_time at = (wzp_time)i * WZP_S / 100;
        const bool is_held = i >= 100 && i < 200;
        passed +=
            wzp_crowd_take(&crowd, 1, &hdr, 119, is_held ? 2 * WZP_S : at) == WZP_VIOLATION_NONE
                ? 1
                : 0;
    }
    ck_assert_uint_ge(passed, 299);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("crowd");
    tcase_add_loop_test(tc, constant_load, 0, (int)COUNT_OF(load_cases));
    tcase_add_loop_test(tc, what_each_may_all_may, 0, 50);
    tcase_add_test(tc, stalls);
    return wzp_run_suite("crowd", tc);
}
