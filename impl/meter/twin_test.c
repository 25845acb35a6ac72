/* The meters against their slow twins: random streams that lean on the limits, and the rows of the
 * sheet as far as the twins' memory goes. */
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "meter/enf.h"
#include "meter/testing/traffic.h"
#include "meter/testing/twin.h"

enum { RANDOM_PACKETS = 600, ROW_PACKETS = 520 };

typedef struct subject {
    wzp_meter meter;
    wzp_enf *enf;
    wzp_twin *twin;
} subject;

static subject new_subject(void) {
    subject s = {.enf = wzp_enf_new(WZP_ENF_GUARDED, 0), .twin = calloc(1, sizeof(wzp_twin))};
    wzp_meter_init(&s.meter, 0);
    ck_assert_ptr_nonnull(s.enf);
    ck_assert_ptr_nonnull(s.twin);
    return s;
}

static void compare(subject *s, const char *name, const wzp_media_hdr *hdr, size_t payload,
                    wzp_time now) {
    const wzp_twin_packet *want = wzp_twin_observe(s->twin, hdr, payload, now);
    const wzp_violation deployed = wzp_meter_observe(&s->meter, hdr, payload, now);
    const wzp_violation enf = wzp_enf_observe(s->enf, hdr, payload, now);
    ck_assert_msg(deployed == want->deployed, "%s, packet %zu: meter says %d, twin %d", name,
                  s->twin->count, deployed, want->deployed);
    ck_assert_msg(enf == want->enf, "%s, packet %zu: ENF-1 says %d, twin %d", name, s->twin->count,
                  enf, want->enf);
}

static void free_subject(subject *s) {
    wzp_enf_free(&s->enf);
    free(s->twin);
}

static uint32_t below(wzp_prng *prng, uint64_t bound) {
    return (uint32_t)wzp_rng_below(wzp_prng_rng(prng), bound);
}

/* Each seed favours one codec, rate and size; sometimes a packet strays. */
START_TEST(random_streams) {
    wzp_prng prng;
    char name[32];
    (void)snprintf(name, sizeof name, "seed %d", _i);
    wzp_prng_init(&prng, (uint64_t)_i, "twin");
    subject s = new_subject();
    const uint8_t codec = (uint8_t)below(&prng, 10);
    const uint32_t payload = below(&prng, 400);
    const uint32_t gap_us = 1 + below(&prng, 40000);
    const uint32_t step_ms = below(&prng, 90);
    wzp_media_hdr hdr = {.version = 2, .seq = below(&prng, UINT32_MAX)};
    wzp_time now = 0;
    for (int i = 0; i < RANDOM_PACKETS; i++) {
        const uint32_t stray = below(&prng, 40);
        hdr.codec_id = stray == 0 ? (uint8_t)below(&prng, 10) : codec;
        hdr.media_type = stray == 1 ? (uint8_t)below(&prng, WZP_MEDIA_TYPE_COUNT) : 0;
        hdr.flags = stray == 2 ? WZP_MEDIA_REPAIR : 0;
        hdr.seq += stray == 3 ? below(&prng, 2000) - 1000 : 1;
        hdr.timestamp_ms += stray == 4 ? below(&prng, 9000) - 3000 : step_ms;
        now += (stray == 5 ? below(&prng, 3000000) : gap_us) * WZP_US;
        compare(&s, name, &hdr, stray == 6 ? below(&prng, 1500) : payload, now);
    }
    free_subject(&s);
}
END_TEST

START_TEST(row_of_the_sheet) {
    const wzp_traffic_row *row = &wzp_traffic_rows[_i];
    wzp_traffic traffic;
    subject s = new_subject();
    wzp_traffic_make(&traffic, row);
    for (size_t i = 0; i < traffic.count && i < ROW_PACKETS; i++) {
        const wzp_traffic_packet *p = &traffic.packets[i];
        compare(&s, row->id, &p->hdr, p->payload, p->at);
    }
    free(traffic.packets);
    free_subject(&s);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("twin");
    tcase_add_loop_test(tc, random_streams, 0, 30);
    tcase_add_loop_test(tc, row_of_the_sheet, 0, (int)wzp_traffic_row_count);
    return wzp_run_suite("twin", tc);
}
