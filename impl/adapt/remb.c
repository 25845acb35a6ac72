#include "adapt/remb.h"

enum { MUCH_PPM = 100000, LITTLE_PPM = 20000, KEPT_PERCENT = 85, GROWTH = 20, NS_PER_US = 1000 };

void wzp_remb_init(wzp_remb *remb) {
    *remb = (wzp_remb){.bps = WZP_REMB_UNKNOWN};
}

static uint32_t cut(uint64_t bps) {
    return bps < WZP_REMB_UNKNOWN ? (uint32_t)bps : WZP_REMB_UNKNOWN;
}

void wzp_remb_window(wzp_remb *r, uint64_t bytes, uint64_t ns, uint32_t loss_ppm) {
    const uint64_t us = ns / NS_PER_US > 0 ? ns / NS_PER_US : 1;
    const uint64_t rate = bytes * 8 * 1000000 / us;
    if (loss_ppm >= MUCH_PPM) {
        r->bps = cut(rate * KEPT_PERCENT / 100);
    } else if (loss_ppm < LITTLE_PPM && r->bps != WZP_REMB_UNKNOWN) {
        const uint64_t more = (uint64_t)r->bps + r->bps / GROWTH;
        r->bps = cut(more > rate ? more : rate);
    }
}
