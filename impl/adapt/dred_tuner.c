#include "adapt/dred_tuner.h"

#include "wire/registry.h"

#define RISE 0.3F
#define FALL 0.05F
#define SPIKE 1.3F
#define QUIET_MS 1.0F
#define LOSS_FULL 40.0F /* percent that calls for the ceiling */
#define FRAMES_MIN 5.0F
#define RTT_FREE_MS 200 /* more than that counts as loss, a percent for 40 ms */
#define RTT_PER_PERCENT 40.0F
#define RTT_PERCENT_MAX 15.0F

typedef struct span {
    uint8_t baseline, ceiling;
} span;

static bool span_of(uint8_t codec, span *out) {
    static const span spans[] = {
        [WZP_CODEC_OPUS_24K] = {20, 50}, [WZP_CODEC_OPUS_16K] = {20, 50},
        [WZP_CODEC_OPUS_6K] = {50, 104}, [WZP_CODEC_OPUS_32K] = {10, 30},
        [WZP_CODEC_OPUS_48K] = {10, 30}, [WZP_CODEC_OPUS_64K] = {10, 30},
    };
    const wzp_codec_info *info = wzp_codec_find(codec);
    if (info == NULL || !info->is_opus) {
        return false;
    }
    *out = spans[codec];
    return true;
}

static float clamp(float value, float low, float high) {
    if (!(value > low)) { /* not a number, too */
        return low;
    }
    return value < high ? value : high;
}

void wzp_dred_tuner_init(wzp_dred_tuner *t, wzp_adapt_policy policy, uint8_t codec) {
    span s = {0};
    *t = (wzp_dred_tuner){.policy = policy, .codec = codec, .has_last = span_of(codec, &s)};
    t->last = (wzp_dred_setting){s.baseline, WZP_DRED_LOSS_FLOOR};
}

void wzp_dred_tuner_set_codec(wzp_dred_tuner *t, uint8_t codec) {
    t->codec = codec;
    t->cooldown = 0;
    if (t->policy == WZP_ADAPT_REFERENCE) {
        t->has_last = false;
    }
}

bool wzp_dred_tuner_frame(wzp_dred_tuner *t) {
    t->frames = (t->frames + 1) % WZP_DRED_EVERY;
    return t->frames == 0;
}

void wzp_dred_tuner_boost(wzp_dred_tuner *t) {
    t->cooldown = WZP_DRED_SPIKE_UPDATES;
}

static void follow_jitter(wzp_dred_tuner *t, float jitter) {
    if (!t->has_jitter) {
        t->has_jitter = true;
        t->jitter = jitter;
    } else {
        const float weight = jitter > t->jitter ? RISE : FALL;
        const float fresh = weight * jitter;
        const float kept_weight = 1.0F - weight;
        const float kept = kept_weight * t->jitter;
        t->jitter = fresh + kept;
    }
    const float spike = SPIKE * t->jitter;
    if (t->jitter > QUIET_MS && jitter > spike) {
        t->cooldown = WZP_DRED_SPIKE_UPDATES;
    }
    if (t->cooldown > 0) {
        t->cooldown--;
    }
}

static uint8_t frames_for(const wzp_dred_tuner *t, span s, float loss_pct) {
    if (t->cooldown > 0) {
        return s.ceiling;
    }
    const float share = clamp(loss_pct, 0.0F, LOSS_FULL) / LOSS_FULL;
    const float more = share * (float)(s.ceiling - s.baseline);
    const float frames = (float)s.baseline + more;
    return (uint8_t)clamp(frames, FRAMES_MIN, (float)s.ceiling);
}

static uint8_t loss_for(float loss_pct, uint32_t rtt_ms) {
    const float late =
        rtt_ms > RTT_FREE_MS ? (float)(rtt_ms - RTT_FREE_MS) / RTT_PER_PERCENT : 0.0F;
    return (uint8_t)clamp(loss_pct + clamp(late, 0.0F, RTT_PERCENT_MAX), 0.0F, 100.0F);
}

bool wzp_dred_tuner_update(wzp_dred_tuner *t, float loss_pct, uint32_t rtt_ms, uint32_t jitter_ms,
                           wzp_dred_setting *out) {
    span s;
    if (!span_of(t->codec, &s)) {
        return false;
    }
    follow_jitter(t, (float)jitter_ms);
    const wzp_dred_setting now = {frames_for(t, s, loss_pct), loss_for(loss_pct, rtt_ms)};
    if (t->has_last && now.frames == t->last.frames &&
        now.expected_loss_pct == t->last.expected_loss_pct) {
        return false;
    }
    t->has_last = true;
    *out = t->last = now;
    return true;
}
