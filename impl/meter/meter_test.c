#include "meter/meter.h"

#include <stdlib.h>

#include "base/testing/suite.h"
#include "meter/testing/traffic.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

static wzp_violation observe(void *meter, const wzp_traffic_packet *p) {
    return wzp_meter_observe(meter, &p->hdr, p->payload, p->at);
}

START_TEST(row_of_the_sheet) {
    const wzp_traffic_row *row = &wzp_traffic_rows[_i];
    wzp_traffic traffic;
    wzp_meter meter;
    char got[128];
    wzp_traffic_make(&traffic, row);
    wzp_meter_init(&meter, 0);
    wzp_traffic_first_hits(&traffic, observe, &meter, got);
    ck_assert_msg(strcmp(got, row->deployed) == 0, "%s: got %s, the sheet says %s", row->id, got,
                  row->deployed);
    free(traffic.packets);
}
END_TEST

/* The columns of conformance sheet 1 against the formulas of 2, 3, 4 and 13. */
START_TEST(limits_follow_the_formulas) {
    const wzp_codec_info *codec = wzp_codec_find((uint8_t)_i);
    const wzp_meter_limits *limits = wzp_meter_limits_of((uint8_t)_i);
    ck_assert_int_eq(codec == NULL, limits == NULL);
    if (codec == NULL) {
        return;
    }
    const uint64_t ceiling = (uint64_t)codec->nominal_bps * 3 * 115 / 100;
    const uint64_t budget = (ceiling > 2000 ? ceiling : 2000) / 8;
    const uint32_t max_pps = 1000U / codec->frame_ms * 3;
    const uint64_t by_rate = budget + (uint64_t)32 * max_pps;
    const uint64_t by_margin = budget * 3 / 2;
    ck_assert_uint_eq(limits->budget_bytes, budget);
    ck_assert_uint_eq(limits->threshold_packets, (uint32_t)((float)max_pps * 1.5F));
    ck_assert_uint_eq(limits->guard_bytes,
                      (by_margin > by_rate ? by_margin : by_rate) + (codec->is_codec2 ? 8280 : 0));
}
END_TEST

/* Constant packets `every_us` apart until the first violation; packet 0: never within 20000. */
static const struct constant_case {
    const char *name;
    wzp_codec codec;
    uint32_t every_us;
    size_t payload;
    wzp_violation want;
    unsigned packet;
} constant_cases[] = {
    {"3: 32 x 316 B pass", WZP_CODEC_OPUS_24K, 500, 300, WZP_VIOLATION_BITRATE, 33},
    {"3: 7 x 33 B pass", WZP_CODEC_COMFORT_NOISE, 20000, 17, WZP_VIOLATION_BITRATE, 8},
    {"4: 225 pass", WZP_CODEC_OPUS_64K, 100, 1, WZP_VIOLATION_PACKET_RATE, 226},
    {"4: 112 pass", WZP_CODEC_OPUS_6K, 100, 1, WZP_VIOLATION_PACKET_RATE, 113},
    {"4: 135 pass", WZP_CODEC_AV1_MAIN, 100, 1, WZP_VIOLATION_PACKET_RATE, 136},
    {"6: 320 is the limit", WZP_CODEC_OPUS_24K, 1000000, 320, WZP_VIOLATION_NONE, 0},
    {"6: 321 on 320", WZP_CODEC_OPUS_24K, 1000000, 321, WZP_VIOLATION_PAYLOAD_SIZE, 113},
    {"6: 330 on 320", WZP_CODEC_OPUS_24K, 1000000, 330, WZP_VIOLATION_PAYLOAD_SIZE, 69},
    {"6: 400 on 320", WZP_CODEC_OPUS_24K, 1000000, 400, WZP_VIOLATION_PAYLOAD_SIZE, 32},
    {"6: 640 on 320", WZP_CODEC_OPUS_24K, 1000000, 640, WZP_VIOLATION_PAYLOAD_SIZE, 14},
    {"6: 61 on 60", WZP_CODEC_CODEC2_1200, 1000000, 61, WZP_VIOLATION_PAYLOAD_SIZE, 81},
    {"6: 66 on 60", WZP_CODEC_CODEC2_1200, 1000000, 66, WZP_VIOLATION_PAYLOAD_SIZE, 47},
    {"6: 100 on 60", WZP_CODEC_CODEC2_3200, 1000000, 100, WZP_VIOLATION_PAYLOAD_SIZE, 18},
    {"6: 272 on 60", WZP_CODEC_CODEC2_3200, 1000000, 272, WZP_VIOLATION_PAYLOAD_SIZE, 5},
    {"6: 201 on 200", WZP_CODEC_OPUS_16K, 1000000, 201, WZP_VIOLATION_PAYLOAD_SIZE, 104},
    {"6: 33 on 32", WZP_CODEC_COMFORT_NOISE, 1000000, 33, WZP_VIOLATION_PAYLOAD_SIZE, 69},
    {"6: 1400 B of Codec2", WZP_CODEC_CODEC2_1200, 1000000, 1400, WZP_VIOLATION_BITRATE, 1},
    {"7: 156 kB/s for 15.5 s", WZP_CODEC_H264_BASELINE, 7692, 1184, WZP_VIOLATION_RATE_CAP, 2013},
    {"7: 100 kB/s for 28.2 s", WZP_CODEC_H264_BASELINE, 10000, 984, WZP_VIOLATION_RATE_CAP, 2824},
    {"7: 32 kB/s for ever", WZP_CODEC_H264_BASELINE, 31250, 984, WZP_VIOLATION_NONE, 0},
};

START_TEST(constant_packets) {
    const struct constant_case *c = &constant_cases[_i];
    const uint16_t frame_ms = wzp_codec_find((uint8_t)c->codec)->frame_ms;
    wzp_media_hdr hdr = {.codec_id = (uint8_t)c->codec};
    wzp_violation got = WZP_VIOLATION_NONE;
    wzp_meter meter;
    wzp_meter_init(&meter, 0);
    for (unsigned i = 0; got == WZP_VIOLATION_NONE && i < 20000; i++) {
        got = wzp_meter_observe(&meter, &hdr, c->payload, (wzp_time)i * c->every_us * WZP_US);
        hdr.seq++;
        hdr.timestamp_ms += frame_ms;
    }
    const unsigned packet = got != WZP_VIOLATION_NONE ? hdr.seq : 0;
    ck_assert_msg(got == c->want && packet == c->packet, "%s: violation %d at packet %u", c->name,
                  got, packet);
}
END_TEST

static const wzp_traffic_row *row_of(const char *id) {
    for (size_t i = 0; i < wzp_traffic_row_count; i++) {
        if (strcmp(wzp_traffic_rows[i].id, id) == 0) {
            return &wzp_traffic_rows[i];
        }
    }
    ck_abort_msg("no row %s", id);
}

/* How often the false positives of section 14 hit. */
static const struct count_case {
    const char *id;
    unsigned drifts;
} count_cases[] = {{"C-16", 1}, {"C-20", 199}, {"FP-8", 199}, {"FP-13", 1}};

START_TEST(drifts_in_a_row) {
    wzp_traffic traffic;
    wzp_meter meter;
    unsigned drifts = 0;
    wzp_traffic_make(&traffic, row_of(count_cases[_i].id));
    wzp_meter_init(&meter, 0);
    for (size_t i = 0; i < traffic.count; i++) {
        drifts += observe(&meter, &traffic.packets[i]) == WZP_VIOLATION_TIMESTAMP_DRIFT ? 1 : 0;
    }
    ck_assert_uint_eq(drifts, count_cases[_i].drifts);
    free(traffic.packets);
}
END_TEST

/* noise that shares its window with speech; a nanosecond decides. */
START_TEST(window_edge) {
    wzp_traffic traffic;
    wzp_meter meter;
    char got[128];
    wzp_traffic_make(&traffic, row_of("A-20"));
    traffic.packets[225].at--;
    wzp_meter_init(&meter, 0);
    wzp_traffic_first_hits(&traffic, observe, &meter, got);
    ck_assert_str_eq(got, "D@101 2.18, C@113 4.58, A@226 9.18");
    free(traffic.packets);
}
END_TEST

/* A packet that tier A flags reaches neither the ring, nor the average, nor the bucket. */
START_TEST(first_tier_ends_the_packet) {
    wzp_media_hdr hdr = {.codec_id = WZP_CODEC_CODEC2_1200, .timestamp_ms = 123456};
    wzp_meter meter;
    wzp_meter_init(&meter, 0);
    const wzp_meter fresh = meter;
    ck_assert_int_eq(wzp_meter_observe(&meter, &hdr, 1400, 1), WZP_VIOLATION_BITRATE);
    ck_assert_uint_eq(meter.ring_len, 0);
    ck_assert(meter.ewma <= 0.0);
    ck_assert(meter.tokens >= fresh.tokens);
    ck_assert_uint_eq(meter.bytes, 1416);
    ck_assert_uint_eq(meter.packets, 1);
}
END_TEST

START_TEST(names_of_violations) {
    ck_assert_ptr_null(wzp_violation_find(WZP_VIOLATION_NONE));
    ck_assert_ptr_null(wzp_violation_find(WZP_VIOLATION_COUNT));
    for (int v = WZP_VIOLATION_BITRATE; v < WZP_VIOLATION_COUNT; v++) {
        ck_assert_int_eq(wzp_violation_find((wzp_violation)v)->tier, 'A' + v - 1);
    }
    ck_assert_str_eq(wzp_violation_find(WZP_VIOLATION_RATE_CAP)->code, "RateCap");
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("meter");
    tcase_add_loop_test(tc, row_of_the_sheet, 0, (int)wzp_traffic_row_count);
    tcase_add_loop_test(tc, limits_follow_the_formulas, 0, 256);
    tcase_add_loop_test(tc, constant_packets, 0, (int)COUNT_OF(constant_cases));
    tcase_add_loop_test(tc, drifts_in_a_row, 0, (int)COUNT_OF(count_cases));
    tcase_add_test(tc, window_edge);
    tcase_add_test(tc, first_tier_ends_the_packet);
    tcase_add_test(tc, names_of_violations);
    return wzp_run_suite("meter", tc);
}
