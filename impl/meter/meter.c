#include "meter/meter.h"

#include "wire/registry.h"

static const wzp_violation_info violations[WZP_VIOLATION_COUNT] = {
    [WZP_VIOLATION_BITRATE] = {"Bitrate", "BitrateExceeded", 'A'},
    [WZP_VIOLATION_PACKET_RATE] = {"PacketRate", "PacketRateExceeded", 'B'},
    [WZP_VIOLATION_TIMESTAMP_DRIFT] = {"TimestampDrift", "TimestampDrift", 'C'},
    [WZP_VIOLATION_PAYLOAD_SIZE] = {"PayloadSize", "PayloadSizeExceeded", 'D'},
    [WZP_VIOLATION_RATE_CAP] = {"RateCap", "RateCapExceeded", 'E'},
    [WZP_VIOLATION_ENTROPY] = {"Entropy", "EntropyAbusive", 'F'},
};

/* Conformance sheet 1: A budget per window, B threshold per window, D bound, ENF-1 guard. */
static const wzp_meter_limits limits[WZP_CODEC_COUNT] = {
    [WZP_CODEC_OPUS_24K] = {10350, 225, 160, 15525},
    [WZP_CODEC_OPUS_16K] = {6900, 225, 100, 11700},
    [WZP_CODEC_OPUS_6K] = {2587, 112, 90, 4987},
    [WZP_CODEC_CODEC2_3200] = {1380, 225, 30, 14460},
    [WZP_CODEC_CODEC2_1200] = {517, 112, 30, 11197},
    [WZP_CODEC_COMFORT_NOISE] = {250, 225, 16, 5050},
    [WZP_CODEC_OPUS_32K] = {13800, 225, 200, 20700},
    [WZP_CODEC_OPUS_48K] = {20700, 225, 240, 31050},
    [WZP_CODEC_OPUS_64K] = {27600, 225, 320, 41400},
    [WZP_CODEC_H264_BASELINE] = {862500, 135, 1400, 1293750},
    [WZP_CODEC_H265_MAIN] = {862500, 135, 1400, 1293750},
    [WZP_CODEC_AV1_MAIN] = {862500, 135, 1400, 1293750},
};

/* Tier E of the deployed relay: the same bucket for everyone, audio or video. */
static const double bucket_rate = 32000.0;
static const double bucket_capacity = 1920000.0;
static const double ewma_alpha = 0.05;

const wzp_violation_info *wzp_violation_find(wzp_violation violation) {
    return violation > WZP_VIOLATION_NONE && violation < WZP_VIOLATION_COUNT
               ? &violations[violation]
               : NULL;
}

const wzp_meter_limits *wzp_meter_limits_of(uint8_t codec_id) {
    return wzp_codec_find(codec_id) != NULL ? &limits[codec_id] : NULL;
}

void wzp_meter_init(wzp_meter *meter, wzp_time now) {
    *meter = (wzp_meter){.window_start = now, .tokens = bucket_capacity, .refilled_at = now};
}

static void push_ring(wzp_meter *meter, uint32_t seq, uint32_t ts) {
    const uint16_t at = (uint16_t)((meter->ring_first + meter->ring_len) % WZP_METER_RING);
    meter->ring_seq[at] = seq;
    meter->ring_ts[at] = ts;
    if (meter->ring_len < WZP_METER_RING) {
        meter->ring_len++;
    } else {
        meter->ring_first = (uint16_t)((meter->ring_first + 1) % WZP_METER_RING);
    }
}

/* The ratio of timestamp to sequence between the two ends of the ring. */
static bool drifts(const wzp_meter *meter, uint16_t frame_ms) {
    if (meter->ring_len < 2) {
        return false;
    }
    const uint16_t first = meter->ring_first;
    const uint16_t last = (uint16_t)((first + meter->ring_len - 1) % WZP_METER_RING);
    const double ds = (double)(uint32_t)(meter->ring_seq[last] - meter->ring_seq[first]);
    const double dt = (double)(uint32_t)(meter->ring_ts[last] - meter->ring_ts[first]);
    if (!(ds > 0)) {
        return false;
    }
    const double ratio = dt / ds;
    return ratio < 0.5 * frame_ms || ratio > 2.0 * frame_ms;
}

static bool take_tokens(wzp_meter *meter, double cost, wzp_time now) {
    const double elapsed = (double)wzp_time_since(now, meter->refilled_at) / (double)WZP_S;
    const double filled = meter->tokens + elapsed * bucket_rate;
    meter->tokens = filled < bucket_capacity ? filled : bucket_capacity;
    meter->refilled_at = now;
    if (meter->tokens < cost) {
        return false;
    }
    meter->tokens -= cost;
    return true;
}

wzp_violation wzp_meter_observe(wzp_meter *meter, const wzp_media_hdr *hdr, size_t payload_len,
                                wzp_time now) {
    const wzp_meter_limits *limit = &limits[hdr->codec_id];
    const uint16_t frame_ms = wzp_codec_find(hdr->codec_id)->frame_ms;
    const size_t wire = WZP_MEDIA_HDR_LEN + payload_len;
    if (wzp_time_since(now, meter->window_start) >= WZP_S) {
        meter->window_start = now;
        meter->bytes = meter->packets = 0;
    }
    meter->bytes += wire;
    meter->packets++;
    if (meter->bytes > limit->budget_bytes) {
        return WZP_VIOLATION_BITRATE;
    }
    if (meter->packets > limit->threshold_packets) {
        return WZP_VIOLATION_PACKET_RATE;
    }
    push_ring(meter, hdr->seq, hdr->timestamp_ms);
    if (drifts(meter, frame_ms)) {
        return WZP_VIOLATION_TIMESTAMP_DRIFT;
    }
    meter->ewma = ewma_alpha * (double)payload_len + (1.0 - ewma_alpha) * meter->ewma;
    if (meter->ewma > (double)(2 * limit->payload_bound)) {
        return WZP_VIOLATION_PAYLOAD_SIZE;
    }
    return take_tokens(meter, (double)wire, now) ? WZP_VIOLATION_NONE : WZP_VIOLATION_RATE_CAP;
}
