/* What the modes of --enforce do with video that its deployed score calls abusive (conformance
 * sheet 8.2, 9), in both forwarding loops. */
#include "base/testing/suite.h"
#include "relay/testing/stage.h"
#include "wire/media.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

typedef struct frame {
    uint32_t n;
    bool is_key;
    uint8_t cap; /* of its report; 0: none */
} frame;

static void send_frame(stage *st, guest *g, const frame *f) {
    static const uint8_t payload[200];
    uint8_t buf[300];
    wzp_wr wr;
    const wzp_media_packet packet = {
        .hdr = {.version = WZP_PROTOCOL_VERSION,
                .media_type = WZP_MEDIA_VIDEO,
                .codec_id = WZP_CODEC_H264_BASELINE,
                .flags = (uint8_t)(WZP_MEDIA_FRAME_END | (f->is_key ? WZP_MEDIA_KEYFRAME : 0) |
                                   (f->cap != 0 ? WZP_MEDIA_QUALITY : 0)),
                .seq = f->n,
                .timestamp_ms = f->n * 33},
        .payload = wzp_bytes_of(payload, sizeof payload),
        .report = {.bitrate_cap_kbps = f->cap}};
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_packet_write(&wr, &packet);
    guest_send(g, wzp_bytes_of(buf, wzp_wr_len(&wr)));
    stage_run(st, 33);
}

/* Packets, whatever number of them is in a trunk frame: each was sent by itself. */
static size_t arrived(stage *st, const guest *g) {
    stage_run(st, 100);
    return g->datagram_count;
}

static const struct mode_case {
    const char *name;
    wzp_enforce enforce;
    bool trunking;
    size_t while_abusive, at_last; /* of 40 keyframes, and a delta more */
} mode_cases[] = {
    {"off", WZP_ENFORCE_OFF, false, 40, 41},
    {"count", WZP_ENFORCE_COUNT, false, 40, 41},
    {"observe: from packet 31 on, until one delta", WZP_ENFORCE_OBSERVE, false, 30, 31},
    {"observe, trunked loop", WZP_ENFORCE_OBSERVE, true, 30, 31},
    {"on: what the deployed score says is nothing to it", WZP_ENFORCE_ON, false, 40, 41},
};

START_TEST(only_keyframes) {
    const struct mode_case *c = &mode_cases[_i];
    const wzp_relay_cfg cfg = {.enforce = c->enforce, .trunking = c->trunking};
    stage *st = stage_new(&cfg);
    guest *x = stage_member(st, "room");
    const guest *l = stage_member(st, "room");
    for (uint32_t n = 0; n < 40; n++) {
        send_frame(st, x, &(frame){n, true, 0});
    }
    ck_assert_msg(arrived(st, l) == c->while_abusive, "%s: %zu of 40", c->name, l->datagram_count);
    send_frame(st, x, &(frame){40, false, 0});
    ck_assert_msg(arrived(st, l) == c->at_last, "%s: %zu of 41", c->name, l->datagram_count);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_video_dropped_total"), (int)(41 - c->at_last));
    ck_assert(!x->closed);
    ck_assert_ptr_null(guest_heard(x, "Hangup", 0));
    size_t events = 0;
    wzp_relay_event event;
    while (wzp_relay_next_event(st->relay, &event)) {
        events += strcmp(event.event, "video_drop") == 0 ? 1 : 0;
    }
    ck_assert_msg(events == (c->at_last < 41 ? 1U : 0U), "%s: %zu events", c->name, events);
    stage_free(&st);
}
END_TEST

/* Keyframes each 5 and each 3 frames in turn score 0.48, and 0.23 when the sender's own estimate
 * has fallen and its rate has not.  What a packet claims counts from the next one on. */
static const struct claim_case {
    const char *name;
    uint8_t first, then; /* told with packets 20 and 60 */
    size_t arrive;       /* of 80 */
} claim_cases[] = {
    {"claims nothing", 0, 0, 80},
    {"claims the same", 200, 200, 80},
    {"claims less", 200, 50, 61},
};

START_TEST(own_claims) {
    const struct claim_case *c = &claim_cases[_i];
    const wzp_relay_cfg cfg = {.enforce = WZP_ENFORCE_OBSERVE};
    stage *st = stage_new(&cfg);
    guest *x = stage_member(st, "room");
    const guest *l = stage_member(st, "room");
    for (uint32_t n = 0; n < 80; n++) {
        const uint8_t cap = n == 20 ? c->first : n == 60 ? c->then : 0;
        send_frame(st, x, &(frame){n, n % 8 == 0 || n % 8 == 5, cap});
    }
    ck_assert_msg(arrived(st, l) == c->arrive, "%s: %zu of 80", c->name, l->datagram_count);
    stage_free(&st);
}
END_TEST

/* A newcomer is shown the keyframe of a sender whose packets vanish: as deployed (case FV-14). */
START_TEST(replayed_all_the_same) {
    const wzp_relay_cfg cfg = {.enforce = WZP_ENFORCE_OBSERVE};
    stage *st = stage_new(&cfg);
    guest *x = stage_member(st, "room");
    for (uint32_t n = 0; n < 40; n++) {
        send_frame(st, x, &(frame){n, true, 0});
    }
    const guest *late = stage_member(st, "room");
    ck_assert_uint_eq(arrived(st, late), 1);
    stage_free(&st);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("observe");
    tcase_add_loop_test(tc, only_keyframes, 0, (int)COUNT_OF(mode_cases));
    tcase_add_loop_test(tc, own_claims, 0, (int)COUNT_OF(claim_cases));
    tcase_add_test(tc, replayed_all_the_same);
    return wzp_run_suite("observe", tc);
}
