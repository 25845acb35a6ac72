#include "meter/enf.h"

#include <stdlib.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "meter/testing/traffic.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

static wzp_violation observe(void *meter, const wzp_traffic_packet *p) {
    return wzp_enf_observe(meter, &p->hdr, p->payload, p->at);
}

START_TEST(row_of_the_sheet) {
    const wzp_traffic_row *row = &wzp_traffic_rows[_i];
    wzp_traffic traffic;
    wzp_enf *meter = wzp_enf_new(WZP_ENF_GUARDED, 0);
    char got[128];
    wzp_traffic_make(&traffic, row);
    wzp_traffic_first_hits(&traffic, observe, meter, got);
    ck_assert_msg(strcmp(got, row->enf) == 0, "%s: got %s, the sheet says %s", row->id, got,
                  row->enf);
    free(traffic.packets);
    wzp_enf_free(&meter);
}
END_TEST

/* Constant packets until the first violation; packet 0: never within 200000. */
static const struct constant_case {
    const char *name;
    wzp_media_type type;
    wzp_codec codec;
    uint32_t every_us;
    size_t payload;
    wzp_violation want;
    unsigned packet;
} constant_cases[] = {
    {"E-A: 15525 B fill the guard", WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 1, 15509,
     WZP_VIOLATION_PAYLOAD_SIZE, 1},
    {"E-A: one byte more", WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 1, 15510, WZP_VIOLATION_BITRATE, 1},
    {"E-A: audio codec as video", WZP_MEDIA_VIDEO, WZP_CODEC_OPUS_64K, 1, 1184,
     WZP_VIOLATION_BITRATE, 5},
    {"E-A: data keeps its codec's ceiling", WZP_MEDIA_DATA, WZP_CODEC_OPUS_64K, 1, 1184,
     WZP_VIOLATION_PAYLOAD_SIZE, 16},
    {"E-B: 3000 video packets", WZP_MEDIA_VIDEO, WZP_CODEC_AV1_MAIN, 1, 60,
     WZP_VIOLATION_PACKET_RATE, 3001},
    {"E-E: audio bucket for data", WZP_MEDIA_DATA, WZP_CODEC_H264_BASELINE, 7692, 1184,
     WZP_VIOLATION_RATE_CAP, 2013},
    {"E-E: audio bucket for control", WZP_MEDIA_CONTROL, WZP_CODEC_H264_BASELINE, 7692, 1184,
     WZP_VIOLATION_RATE_CAP, 2013},
    {"E-E: 5 Mbit/s of video for ever", WZP_MEDIA_VIDEO, WZP_CODEC_H264_BASELINE, 1600, 984,
     WZP_VIOLATION_NONE, 0},
    {"E-E: 8 Mbit/s of video for 100 s", WZP_MEDIA_VIDEO, WZP_CODEC_H264_BASELINE, 1000, 984,
     WZP_VIOLATION_RATE_CAP, 99999},
};

START_TEST(constant_packets) {
    const struct constant_case *c = &constant_cases[_i];
    const uint16_t frame_ms = wzp_codec_find((uint8_t)c->codec)->frame_ms;
    wzp_media_hdr hdr = {.media_type = (uint8_t)c->type, .codec_id = (uint8_t)c->codec};
    wzp_violation got = WZP_VIOLATION_NONE;
    wzp_enf *enf = wzp_enf_new(WZP_ENF_GUARDED, 0);
    for (unsigned i = 0; got == WZP_VIOLATION_NONE && i < 200000; i++) {
        got = wzp_enf_observe(enf, &hdr, c->payload, (wzp_time)i * c->every_us * WZP_US);
        hdr.seq++;
        hdr.timestamp_ms += frame_ms;
    }
    const unsigned packet = got != WZP_VIOLATION_NONE ? hdr.seq : 0;
    wzp_enf_free(&enf);
    ck_assert_msg(got == c->want && packet == c->packet, "%s: violation %d at packet %u", c->name,
                  got, packet);
}
END_TEST

/* Thousandths of the ceiling in each second; the second in which E-A is violated, 0: none. */
static const struct window_case {
    const char *name;
    unsigned permille[6];
    unsigned guarded, exact;
} window_cases[] = {
    {"all that is allowed", {1000, 1000, 1000, 1000, 1000, 1000}, 0, 0},
    {"more in the first second", {1001}, 1, 1},
    {"a stall, and what it held back", {700, 0, 1400, 700, 700, 700}, 0, 3},
    {"more than it can have held back", {700, 0, 2001}, 3, 3},
    {"twice what was spared is too much", {700, 700, 1301}, 3, 3},
    {"spared once, used once", {700, 700, 1300, 1001}, 4, 3},
    {"a little too much for ever", {700, 1050, 1050}, 3, 2},
    {"every second one double", {0, 2000, 0, 2000, 0, 2000}, 0, 2},
};

/* Of Opus24k, 100 packets a second. */
static unsigned window_violated(const struct window_case *c, wzp_enf_limits limits) {
    const uint32_t ceiling = limits == WZP_ENF_EXACT ? 10350 : 15525;
    wzp_media_hdr hdr = {.codec_id = WZP_CODEC_OPUS_24K};
    wzp_enf *enf = wzp_enf_new(limits, 0);
    unsigned second = 0;
    for (unsigned i = 0; i < 600 && second == 0; i++) {
        const uint32_t bytes = ceiling * c->permille[i / 100] / 1000;
        const uint32_t size = bytes / 100 + (i % 100 < bytes % 100 ? 1 : 0);
        hdr.timestamp_ms = i * 10;
        hdr.seq = i / 2;
        if (size >= WZP_MEDIA_HDR_LEN &&
            wzp_enf_observe(enf, &hdr, size - WZP_MEDIA_HDR_LEN, (wzp_time)i * 10 * WZP_MS) ==
                WZP_VIOLATION_BITRATE) {
            second = i / 100 + 1;
        }
    }
    wzp_enf_free(&enf);
    return second;
}

START_TEST(windows) {
    const struct window_case *c = &window_cases[_i];
    const unsigned guarded = window_violated(c, WZP_ENF_GUARDED);
    const unsigned exact = window_violated(c, WZP_ENF_EXACT);
    ck_assert_msg(guarded == c->guarded, "%s: in second %u", c->name, guarded);
    ck_assert_msg(exact == c->exact, "%s, exact: in second %u", c->name, exact);
}
END_TEST

/* 60 packets in step, then `jump` once, then 260 of `step_ms` each: how E-C takes it.  drift:
 * number of the packet after the jump that is closed, 0: none. */
static const struct jump_case {
    const char *name;
    uint32_t seq_jump;
    int32_t ts_jump;
    uint32_t gap_ms, step_ms;
    bool once; /* the packet after it is the one that was due */
    unsigned drift;
} jump_cases[] = {
    {"in step", 1, 20, 20, 20, false, 0},
    {"back by 2000 ms", 1, -2000, 20, 20, false, 0},
    {"back by 2001 ms", 1, -2001, 20, 20, false, 1},
    {"a second forward at once", 1, 1000, 20, 20, false, 0},
    {"10 s forward at once", 1, 10000, 20, 20, false, 1},
    {"10 s forward after 5 s", 1, 10000, 5000, 20, false, 0},
    {"10 s forward after 4.999 s", 1, 10000, 4999, 20, false, 1},
    {"lost 1000 packets, clock frozen", 1000, 20, 20, 20, false, 1},
    {"lost 1001 packets, clock frozen", 1001, 20, 20, 20, false, 0},
    {"late packet from before", UINT32_MAX - 4, 50000, 20, 20, true, 0},
    {"duplicate", 0, 50000, 20, 20, true, 0},
    {"9 ms from then on", 1, 20, 20, 9, false, 183},
};

START_TEST(jump) {
    const struct jump_case *c = &jump_cases[_i];
    wzp_media_hdr hdr = {.codec_id = WZP_CODEC_OPUS_24K, .seq = 70000, .timestamp_ms = 5000000};
    wzp_enf *enf = wzp_enf_new(WZP_ENF_GUARDED, 0);
    wzp_time now = 0;
    for (int i = 0; i < 60; i++, now += 20 * WZP_MS, hdr.seq++, hdr.timestamp_ms += 20) {
        ck_assert_int_eq(wzp_enf_observe(enf, &hdr, 76, now), WZP_VIOLATION_NONE);
    }
    const wzp_media_hdr due = hdr;
    hdr.seq += c->seq_jump - 1;
    hdr.timestamp_ms += (uint32_t)c->ts_jump - 20;
    now += (c->gap_ms - 20) * WZP_MS;
    unsigned drift = 0;
    for (unsigned i = 1; drift == 0 && i <= 260; i++) {
        drift = wzp_enf_observe(enf, &hdr, 76, now) == WZP_VIOLATION_TIMESTAMP_DRIFT ? i : 0;
        if (c->once && i == 1) {
            hdr = due;
        } else {
            hdr.seq++;
            hdr.timestamp_ms += c->step_ms;
        }
        now += 20 * WZP_MS;
    }
    wzp_enf_free(&enf);
    ck_assert_msg(drift == c->drift, "%s: drift at packet %u", c->name, drift);
}
END_TEST

/* E-D: repairs of Codec2 do not count in the average, but each has its limit. */
static const struct repair_case {
    const char *name;
    uint8_t codec;
    size_t payload;
    wzp_violation want;
} repair_cases[] = {
    {"padded symbol", WZP_CODEC_CODEC2_1200, 272, WZP_VIOLATION_NONE},
    {"one byte more", WZP_CODEC_CODEC2_1200, 273, WZP_VIOLATION_PAYLOAD_SIZE},
    {"Opus repairs are averaged", WZP_CODEC_OPUS_24K, 273, WZP_VIOLATION_NONE},
};

START_TEST(repair_size) {
    const struct repair_case *c = &repair_cases[_i];
    const wzp_media_hdr hdr = {.codec_id = c->codec, .flags = WZP_MEDIA_REPAIR};
    wzp_enf *enf = wzp_enf_new(WZP_ENF_GUARDED, 0);
    const wzp_violation got = wzp_enf_observe(enf, &hdr, c->payload, 0);
    wzp_enf_free(&enf);
    ck_assert_msg(got == c->want, "%s: violation %d", c->name, got);
}
END_TEST

/* Whatever the second stamp, random stamps are caught by the 51st packet. */
START_TEST(random_stamps) {
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "stamps");
    wzp_enf *enf = wzp_enf_new(WZP_ENF_GUARDED, 0);
    wzp_media_hdr hdr = {.codec_id = WZP_CODEC_OPUS_24K};
    wzp_violation got = WZP_VIOLATION_NONE;
    for (unsigned i = 0; got == WZP_VIOLATION_NONE && i < 51; i++) {
        hdr.seq = i;
        hdr.timestamp_ms = (uint32_t)wzp_rng_u64(wzp_prng_rng(&prng));
        got = wzp_enf_observe(enf, &hdr, 76, WZP_MS * 20 * i);
    }
    wzp_enf_free(&enf);
    ck_assert_int_eq(got, WZP_VIOLATION_TIMESTAMP_DRIFT);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("enf");
    tcase_add_loop_test(tc, row_of_the_sheet, 0, (int)wzp_traffic_row_count);
    tcase_add_loop_test(tc, windows, 0, (int)COUNT_OF(window_cases));
    tcase_add_loop_test(tc, constant_packets, 0, (int)COUNT_OF(constant_cases));
    tcase_add_loop_test(tc, jump, 0, (int)COUNT_OF(jump_cases));
    tcase_add_loop_test(tc, repair_size, 0, (int)COUNT_OF(repair_cases));
    tcase_add_loop_test(tc, random_stamps, 0, 100);
    return wzp_run_suite("enf", tc);
}
