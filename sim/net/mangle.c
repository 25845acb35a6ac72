#include "sim/net/mangle.h"

void wzp_sim_mangle_init(wzp_sim_mangle *mangle, uint64_t seed, wzp_time start) {
    *mangle = (wzp_sim_mangle){.start = start};
    wzp_prng_init(&mangle->duplicates, seed, "duplicates");
    wzp_prng_init(&mangle->corruption, seed, "corruption");
}

void wzp_sim_mangle_set(wzp_sim_mangle *mangle, const wzp_sim_mangle_cfg *cfg) {
    mangle->cfg = *cfg;
}

static bool over(const wzp_sim_mangle *mangle, wzp_time now) {
    return mangle->cfg.until != 0 && wzp_time_since(now, mangle->start) >= mangle->cfg.until;
}

bool wzp_sim_mangle_duplicate(wzp_sim_mangle *mangle, wzp_time now, uint64_t *extra) {
    const wzp_sim_mangle_cfg *cfg = &mangle->cfg;
    if (over(mangle, now) || !wzp_chance(&mangle->duplicates, cfg->duplicate_ppm)) {
        return false;
    }
    *extra = wzp_chance_between(&mangle->duplicates, cfg->duplicate_from, cfg->duplicate_to);
    return true;
}

static void flip(wzp_sim_mangle *mangle, wzp_sim_packet *packet) {
    if (packet->len == 0) {
        packet->corrupted = true;
        return;
    }
    const uint64_t bit = wzp_chance_between(&mangle->corruption, 0, packet->len * UINT64_C(8) - 1);
    packet->payload[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    if (!mangle->cfg.corrupt_pass) {
        packet->corrupted = true;
    }
}

void wzp_sim_mangle_corrupt(wzp_sim_mangle *mangle, wzp_sim_packet *packet, wzp_time now) {
    const wzp_sim_mangle_cfg *cfg = &mangle->cfg;
    bool hit = !over(mangle, now) && wzp_chance(&mangle->corruption, cfg->corrupt_ppm);
    if (hit && cfg->corrupt_max_burst > 0 && mangle->run >= cfg->corrupt_max_burst) {
        hit = false;
    }
    mangle->run = hit ? mangle->run + 1 : 0;
    if (hit) {
        flip(mangle, packet);
    }
}
