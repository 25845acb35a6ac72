#include "adapt/bwe.h"

#define ONE (UINT64_C(1) << 31) /* fractions are of this */
#define HALF_LIFE_MS (WZP_BWE_HALF_LIFE / WZP_MS)

void wzp_bwe_init(wzp_bwe *bwe, wzp_adapt_policy policy) {
    *bwe = (wzp_bwe){.policy = policy, .remb_bps = UINT64_MAX};
}

static uint64_t smaller(const wzp_bwe *bwe) {
    return bwe->cwnd_bps < bwe->remb_bps ? bwe->cwnd_bps : bwe->remb_bps;
}

/* 2^(-ms/2000): whole half-lives are shifts, the rest is a product of the powers of its bits. */
static uint64_t kept_after(uint64_t ms) {
    /* 2^(-2^i/2000), rounded */
    static const uint32_t powers[] = {2146739516, 2145995642, 2144508666, 2141537806,
                                      2135608426, 2123798871, 2100375316, 2054300377,
                                      1965160500, 1798316739, 1505922104};
    if (ms / HALF_LIFE_MS >= 31) {
        return 0;
    }
    uint64_t kept = ONE >> (ms / HALF_LIFE_MS);
    for (unsigned bit = 0; bit < sizeof powers / sizeof *powers; bit++) {
        if ((ms % HALF_LIFE_MS >> bit & 1) != 0) {
            kept = kept * powers[bit] / ONE;
        }
    }
    return kept;
}

/* Values fit 32 bits, so that products with a fraction fit 64. */
static void smooth(wzp_bwe *bwe, wzp_time now) {
    const uint64_t sample = smaller(bwe) < UINT32_MAX ? smaller(bwe) : UINT32_MAX;
    const uint64_t ms = wzp_time_since(now, bwe->smoothed_at) / WZP_MS;
    if (!bwe->has_smoothed) {
        bwe->has_smoothed = true;
        bwe->smoothed_bps = sample;
        bwe->smoothed_at = now;
        return;
    }
    const uint64_t kept = kept_after(ms);
    bwe->smoothed_bps = (bwe->smoothed_bps * kept + sample * (ONE - kept)) / ONE;
    bwe->smoothed_at += ms * WZP_MS; /* the rest counts the next time */
}

void wzp_bwe_path(wzp_bwe *bwe, uint64_t cwnd_bytes, uint32_t rtt_ms, wzp_time now) {
    const uint64_t cap = UINT64_MAX / 8000;
    bwe->has_path = true;
    bwe->cwnd_bps = (cwnd_bytes < cap ? cwnd_bytes : cap) * 8000 / (rtt_ms > 0 ? rtt_ms : 1);
    smooth(bwe, now);
}

void wzp_bwe_remb(wzp_bwe *bwe, uint32_t remb_bps, wzp_time now) {
    bwe->remb_bps = remb_bps;
    smooth(bwe, now);
}

uint64_t wzp_bwe_target(const wzp_bwe *bwe) {
    if (!bwe->has_path && bwe->policy == WZP_ADAPT_REFERENCE) {
        return UINT64_MAX;
    }
    const uint64_t bps = smaller(bwe);
    return bps / 10 * 9 + bps % 10 * 9 / 10;
}

uint64_t wzp_bwe_smoothed(const wzp_bwe *bwe) {
    return bwe->has_smoothed ? bwe->smoothed_bps : 0;
}
