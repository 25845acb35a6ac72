#include "meter/crowd.h"

#include "meter/enf.h"

#define ONE (UINT64_C(1) << 32)

void wzp_crowd_init(wzp_crowd *crowd, wzp_time now) {
    *crowd = (wzp_crowd){0};
    for (size_t i = 0; i < WZP_MEDIA_TYPE_COUNT; i++) {
        crowd->lanes[i].window_start = now;
    }
}

static uint64_t left_of(uint64_t allowed, uint64_t used) {
    return used < allowed ? allowed - used : 0;
}

/* Seconds that nobody used at all leave no more than one does. */
static void next_window(wzp_crowd_lane *l, uint64_t allowed, wzp_time now) {
    const bool adjoins = wzp_time_since(now, l->window_start) < 2 * WZP_S;
    l->spare_bytes = adjoins ? left_of(allowed, l->bytes) : allowed;
    l->spare_packets = adjoins ? left_of(allowed, l->packets) : allowed;
    l->window_start = now;
    l->bytes = l->packets = 0;
}

wzp_violation wzp_crowd_take(wzp_crowd *crowd, uint32_t senders, const wzp_media_hdr *hdr,
                             size_t payload_len, wzp_time now) {
    wzp_crowd_lane *l = &crowd->lanes[hdr->media_type];
    const uint64_t allowed = ONE * (senders < WZP_CROWD_MAX ? senders : WZP_CROWD_MAX);
    const uint64_t bytes = ONE * (WZP_MEDIA_HDR_LEN + payload_len) /
                           wzp_enf_ceiling(hdr->media_type, hdr->codec_id, WZP_ENF_GUARDED);
    const uint64_t packet = ONE / wzp_enf_threshold(hdr->codec_id);
    if (wzp_time_since(now, l->window_start) >= WZP_S) {
        next_window(l, allowed, now);
    }
    if (l->bytes + bytes > allowed + l->spare_bytes) {
        return WZP_VIOLATION_BITRATE;
    }
    if (l->packets + packet > allowed + l->spare_packets) {
        return WZP_VIOLATION_PACKET_RATE;
    }
    l->bytes += bytes;
    l->packets += packet;
    return WZP_VIOLATION_NONE;
}
