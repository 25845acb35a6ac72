/* Tier F, audio: how calls sound and what only looks like one (conformance sheet 24.8). */
#include "conformance/cases/macros.h"
#include "conformance/cases/relay/counters.h"
#include "conformance/cases/relay/steps.h"

static void vary_sizes(wzp_ct_pattern *p) {
    for (size_t i = 0; i < p->count; i++) {
        if (p->packets[i].hdr.codec_id == WZP_CODEC_OPUS_24K) {
            p->packets[i].payload = (uint16_t)(66 + wzp_rng_below(wzp_prng_rng(&p->prng), 31));
        }
    }
}

/* Talk of 1 to 3 s, comfort noise of 0.5 to 1.5 s. */
static void converse(wzp_ct_pattern *p, const wzp_ct_case *c) {
    wzp_time at = 0;
    while (at < c->param * WZP_S) {
        at = wzp_ct_talk(p, at, 1000 + 20 * (uint32_t)wzp_rng_below(wzp_prng_rng(&p->prng), 100));
        at = wzp_ct_noise(p, at, 600 + 200 * (uint32_t)wzp_rng_below(wzp_prng_rng(&p->prng), 5));
    }
    vary_sizes(p);
    p->end = at;
}

/* No pause; each packet up to 2 ms late. */
static void lecture(wzp_ct_pattern *p, const wzp_ct_case *c) {
    p->end = wzp_ct_talk(p, 0, c->param * 1000);
    vary_sizes(p);
    for (size_t i = 0; i < p->count; i++) {
        p->packets[i].due += wzp_rng_below(wzp_prng_rng(&p->prng), 2000) * WZP_US;
    }
}

static void music(wzp_ct_pattern *p, const wzp_ct_case *c) {
    p->end = wzp_ct_talk(p, 0, c->param * 1000);
}

/* Ten packets `inside_us` apart each `every_ms`, `count` in all. */
static wzp_time bursts(wzp_ct_pattern *p, uint32_t count, uint16_t payload, uint32_t inside_us,
                       uint32_t every_ms) {
    for (uint32_t i = 0; i < count; i++) {
        const wzp_time due =
            i / 10 * (uint64_t)every_ms * WZP_MS + i % 10 * (uint64_t)inside_us * WZP_US;
        wzp_ct_add(p, due, WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 0, payload);
        p->seq++;
        p->ts += 20;
    }
    return count / 10 * (uint64_t)every_ms * WZP_MS;
}

static void uneven(wzp_ct_pattern *p, const wzp_ct_case *c) {
    p->end = bursts(p, c->param * 50, 76, 1000, 200);
}

static void bursts_for(wzp_ct_pattern *p, const wzp_ct_case *c) {
    p->end = bursts(p, c->param * 100, 85, 500, 100);
}

/* 19 packets, 10 s of nothing, then speech. */
static void short_burst(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    const wzp_time at = bursts(p, 19, 85, 500, 100) + 10 * WZP_S;
    p->end = wzp_ct_talk(p, at, 5000);
}

static void only_video(wzp_ct_pattern *p, const wzp_ct_case *c) {
    wzp_ct_video(p, 1, 1, 30, c->param * 1000);
}

/* --- FA-04m: the page tells ------------------------------------------------------------------- */

static bool begin_traffic(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_make_traffic(e, now);
    return true;
}

static wzp_ct_so_far go_traffic(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_send_traffic(e, WZP_CT_X, now) ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

static const wzp_ct_counter suspects[WZP_CT_COUNTERS] = {
    {"wzp_relay_conformance_suspect_total", 1, 100, 0}};

static const wzp_ct_act fa04m[] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    {.required = "the page can be read",
     .within_s = 2,
     .go = wzp_ct_step_count_before,
     .arg = suspects},
    {.required = "all is sent", .within_s = 62, .begin = begin_traffic, .go = go_traffic},
    {.required = "a suspect is counted",
     .within_s = 4,
     .go = wzp_ct_step_count_after,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = suspects},
};

#define FA(id, title, must, what) INFO(id, "FA", title, "CONF-F-1", must, what, "conformance 24.8")
#define LEGITIMATE(id, title, what, make, n, ...)                                                  \
    {                                                                                              \
        .info = {FA(id, title, FORWARD, what), .must_forward = true}, .criteria = {MUST_FORWARD},  \
        .build = (make), .param = (n), __VA_ARGS__                                                 \
    }

static const wzp_ct_case cases[] = {
    LEGITIMATE("FA-01", "a conversation", "talk 1-3 s, comfort noise 0.6-1.4 s, 90 s", converse, 90,
               .is_long = true),
    LEGITIMATE("FA-02", "a lecture", "speech without a pause, jitter 2 ms, 60 s", lecture, 60,
               .is_long = true),
    LEGITIMATE("FA-03", "music", "constant sizes, no silence, 60 s", music, 60, .is_long = true),
    LEGITIMATE("FA-04", "uneven gaps for less than a minute",
               "payload 76, nine gaps of 1 ms and one of 191 ms, no reports, 58 s", uneven, 58,
               .is_long = true),
    {.kind = WZP_CT_PLAY,
     .info = {FA("FA-04m", "uneven gaps are counted as suspect",
                 "count a suspect sender, if it scores", "as FA-04"),
              .level = WZP_CT_SHOULD, .abuse = true},
     .criteria = {.rule = WZP_CT_RULE_RESP},
     .acts = fa04m,
     .act_count = WZP_COUNT_OF(fa04m),
     .state_size = sizeof(wzp_ct_counted),
     .config = WZP_CT_CONFIG_METRICS,
     .skip = WZP_CT_REASON_NO_METRICS,
     .build = uneven,
     .param = 58,
     .is_long = true},
    {.info = {INFO("FA-05", "FA", "bursts without end", "CONF-F-2", HANG_UP,
                   "Opus24k, ten packets at once each 100 ms, payload 85, 150 s",
                   "conformance 24.8"),
              .level = WZP_CT_SHOULD, .abuse = true},
     .criteria = {SHOULD_HANG_UP(CODE(ENTROPY) | CODE(BITRATE), 130.0)},
     .build = bursts_for,
     .param = 150,
     .is_long = true},
    LEGITIMATE("FA-06", "nineteen packets are no evidence",
               "19 packets as FA-05, 10 s of nothing, 5 s of speech", short_burst, 0,
               .no_echo = true),
    LEGITIMATE("FA-07", "video is not judged as audio", "video alone, GOP 30, 60 s", only_video, 60,
               .video = true, .is_long = true),
};

const wzp_ct_chapter wzp_ct_chapter_fa = {"FA", "Tier F: behaviour of audio", cases,
                                          WZP_COUNT_OF(cases)};
