/* Metrics: what the page says after traffic that is known exactly (conformance sheet 24.11).
 *
 * Which meter counts is open: a relay that enforces ENF-1 may count with the deployed one, to be
 * compared with others (conformance sheet 13), and M-01 asks for counts where ENF-1 sees nothing.
 * What the deployed one is known to say too much is therefore only told (M-02e, M-04). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/cases/macros.h"
#include "conformance/cases/relay/counters.h"
#include "conformance/cases/relay/steps.h"

static bool begin_traffic(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_make_traffic(e, now);
    return true;
}

static wzp_ct_so_far go_traffic(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_send_traffic(e, WZP_CT_X, now) ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

/* --- M-05: what must not be there ------------------------------------------------------------- */

static const char *secret_in(wzp_ct_exec *e, const char *page) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    return strstr(page, x->room) != NULL                   ? "the room's name"
           : strstr(page, x->identity.fingerprint) != NULL ? "a member's fingerprint"
           : strstr(page, WZP_CT_GOOD_TOKEN) != NULL       ? "a token"
                                                           : NULL;
}

static wzp_ct_so_far go_secrets(wzp_ct_exec *e, wzp_time now) {
    char *page = wzp_ct_play_scrape(e);
    (void)now;
    if (page == NULL) {
        wzp_ct_play_say(e, "the page cannot be read");
        return WZP_CT_UNSURE;
    }
    const char *found = secret_in(e, page);
    wzp_ct_play_say(e, "the page shows %s", found != NULL ? found : "nobody and no room");
    free(page);
    return found != NULL ? WZP_CT_NEVER : WZP_CT_HAPPENED;
}

static const wzp_ct_act m05[] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    {.required = "speech is sent", .within_s = 3, .begin = begin_traffic, .go = go_traffic},
    {.required = "the page shows no room, no fingerprint and no token",
     .within_s = 2,
     .go = go_secrets,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- M-04: a conversation --------------------------------------------------------------------- */

/* Talk of 1 to 3 s, comfort noise of 0.5 to 1.5 s, sizes of 66 to 96 bytes. */
static void converse(wzp_ct_pattern *p, const wzp_ct_case *c) {
    static const uint32_t talk_ms[] = {1000, 2600, 1800, 3000, 1400, 2200};
    static const uint32_t pause_ms[] = {1400, 600, 1000, 1200, 600};
    (void)c;
    wzp_time at = 0;
    for (size_t i = 0; at < 60 * WZP_S; i++) {
        at = wzp_ct_talk(p, at, talk_ms[i % 6]);
        at = wzp_ct_noise(p, at, pause_ms[i % 5]);
    }
    for (size_t i = 0; i < p->count; i++) {
        wzp_ct_packet *packet = &p->packets[i];
        if (packet->hdr.codec_id == WZP_CODEC_OPUS_24K) {
            packet->payload = (uint16_t)(66 + i * 7 % 31);
        }
    }
    p->end = at;
}

/* --- the table -------------------------------------------------------------------------------- */

#define VIOLATIONS(labels) "wzp_relay_conformance_violations_total{" labels "}"

static const wzp_ct_counter m01_checks[WZP_CT_COUNTERS + 1] = {
    {VIOLATIONS("tier=\"A\",codec_id=\"Opus24k\",media_type=\"Audio\",verdict=\"BitrateExceeded\""),
     1, INFINITY, 40}};
static const wzp_ct_counter m02_checks[WZP_CT_COUNTERS + 1] = {
    {VIOLATIONS("tier=\"B\",codec_id=\"Opus64k\",verdict=\"PacketRateExceeded\""), 1, INFINITY, 0}};
static const wzp_ct_counter m02c_checks[WZP_CT_COUNTERS + 1] = {
    {VIOLATIONS("tier=\"C\",codec_id=\"Opus24k\",verdict=\"TimestampDrift\""), 1, INFINITY, 0}};
static const wzp_ct_counter m02d_checks[WZP_CT_COUNTERS + 1] = {
    {VIOLATIONS("tier=\"D\",codec_id=\"Opus24k\",verdict=\"PayloadSizeExceeded\""), 1, INFINITY,
     0}};
static const wzp_ct_counter m02e_checks[WZP_CT_COUNTERS + 1] = {
    {VIOLATIONS("tier=\"E\",verdict=\"RateCapExceeded\""), 0, 0, 0}};
static const wzp_ct_counter m03_checks[WZP_CT_COUNTERS + 1] = {
    {"wzp_relay_conformance_bytes_per_session_count{media_type=\"Audio\"}", 500, 500, 0},
    {"wzp_relay_conformance_bytes_per_session_sum{media_type=\"Audio\"}", 46000, 46000, 0},
    {"wzp_relay_conformance_iat_ms_count{media_type=\"Audio\"}", 500, 500, 0}};
static const wzp_ct_counter m04_checks[WZP_CT_COUNTERS + 1] = {{VIOLATIONS(""), 0, 0, 0}};

/* The silence is for windows that are anchored in the join: they begin with the traffic then, in
 * the meter that counts and in the one that decides. */
#define MEASURE(checks)                                                                            \
    {                                                                                              \
        WZP_CT_JOINED(wzp_ct_x_and_l),                                                             \
            {.required = "the page is read before",                                                \
             .within_s = 5,                                                                        \
             .go = wzp_ct_step_count_before,                                                       \
             .arg = (checks)},                                                                     \
            {.required = "1.2 s of silence", .within_s = 1.2},                                     \
            {.required = "the traffic is sent",                                                    \
             .within_s = 90,                                                                       \
             .begin = begin_traffic,                                                               \
             .go = go_traffic},                                                                    \
            {.required = "the counters have grown as required",                                    \
             .within_s = 4,                                                                        \
             .go = wzp_ct_step_count_after,                                                        \
             .late = WZP_CT_REASON_NO_RESPONSE,                                                    \
             .arg = (checks)},                                                                     \
    }

static const wzp_ct_act m01[] = MEASURE(m01_checks);
static const wzp_ct_act m02[] = MEASURE(m02_checks);
static const wzp_ct_act m02c[] = MEASURE(m02c_checks);
static const wzp_ct_act m02d[] = MEASURE(m02d_checks);
static const wzp_ct_act m02e[] = MEASURE(m02e_checks);
static const wzp_ct_act m03[] = MEASURE(m03_checks);
static const wzp_ct_act m04[] = MEASURE(m04_checks);

#define M(id, level_, title, must, what, script, ...)                                              \
    {                                                                                              \
        .kind = WZP_CT_PLAY,                                                                       \
        .info = {INFO(id, "M", title, "CONF-M-1", must, what, "conformance 24.11"),                \
                 .level = (level_)},                                                               \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = sizeof(wzp_ct_counted),                   \
        .config = WZP_CT_CONFIG_METRICS, .skip = WZP_CT_REASON_NO_METRICS, __VA_ARGS__             \
    }

static const wzp_ct_case cases[] = {
    M("M-01", WZP_CT_SHOULD, "violations of tier A are counted",
      "count 10 to 40 of them while it observes, at least one while it enforces",
      "Opus24k, 90 pkt/s x payload 101, 10 s (AS-02)", m01, WALL(WZP_CODEC_OPUS_24K, 90, 101, 10)),
    M("M-02", WZP_CT_SHOULD, "violations of tier B are counted",
      "count PacketRateExceeded under tier B", "Opus64k, 228 pkt/s x payload 40, 10 s (BS-02)", m02,
      STEP(WZP_CODEC_OPUS_64K, 228, 40, 10, 20)),
    M("M-02c", WZP_CT_SHOULD, "violations of tier C are counted",
      "count TimestampDrift under tier C", "Opus24k, 50 pkt/s x 60, ts+9 (C-03)", m02c,
      STEP(WZP_CODEC_OPUS_24K, 50, 60, 12, 9)),
    M("M-02d", WZP_CT_SHOULD, "violations of tier D are counted",
      "count PayloadSizeExceeded under tier D", "Opus24k, 28 pkt/s x 321, 12 s (DS-02)", m02d,
      STEP(WZP_CODEC_OPUS_24K, 28, 321, 12, 20)),
    M("M-02e", WZP_CT_INFO, "whether video drains an audio bucket",
      "count no RateCapExceeded if the counters are those of the meter that decides",
      "H264, 130 pkt/s x payload 1116, 20 s (the first half of E-01)", m02e,
      .stream = {.media_type = WZP_MEDIA_VIDEO,
                 .codec = WZP_CODEC_H264_BASELINE,
                 .rate = 130,
                 .payload = 1116,
                 .duration_ms = 20000,
                 .ts = WZP_CT_TS_STEP,
                 .step_ms = 33}),
    M("M-03", WZP_CT_SHOULD, "sizes and gaps of packets are counted",
      "count each packet once, with header and payload", "500 packets of speech, 10 s", m03,
      STEP(WZP_CODEC_OPUS_24K, 50, 76, 10, 20), .alone = true),
    M("M-04", WZP_CT_INFO, "what a conversation adds",
      "count no violation if the counters are those of the meter that decides",
      "60 s of talk and comfort noise (FA-01)", m04, .build = converse, .alone = true,
      .is_long = true),
    M("M-05", WZP_CT_SHOULD, "the page keeps secrets", "show no room, no fingerprint, no token",
      "2 s of speech", m05, STEP(WZP_CODEC_OPUS_24K, 50, 76, 2, 20)),
};

const wzp_ct_chapter wzp_ct_chapter_m = {"M", "Metrics", cases, WZP_COUNT_OF(cases)};
