#include "sim/net/outage.h"

void wzp_sim_outage_init(wzp_sim_outage *outage, uint64_t seed, wzp_sim_clock clock,
                         wzp_sim_task *task, void *self) {
    *outage = (wzp_sim_outage){.start = wzp_sim_now(clock)};
    wzp_prng_init(&outage->prng, seed, "outage");
    wzp_sim_timer_init(&outage->edge, clock, task, self);
}

static uint64_t length(wzp_sim_outage *outage, bool down) {
    const wzp_sim_outage_cfg *cfg = &outage->cfg;
    const uint64_t from = down ? cfg->off : cfg->on;
    switch (cfg->kind) {
    case WZP_SIM_OUTAGE_NONE:
        break;
    case WZP_SIM_OUTAGE_PERIODIC:
        return from;
    case WZP_SIM_OUTAGE_EXPONENTIAL:
        return wzp_chance_exponential(&outage->prng, from);
    case WZP_SIM_OUTAGE_HANDOVER:
        return wzp_chance_between(&outage->prng, from, down ? cfg->off_to : cfg->on_to);
    }
    return WZP_TIME_NEVER;
}

static bool same(const wzp_sim_outage_cfg *a, const wzp_sim_outage_cfg *b) {
    return a->kind == b->kind && a->first == b->first && a->on == b->on && a->on_to == b->on_to &&
           a->off == b->off && a->off_to == b->off_to && a->hold == b->hold;
}

void wzp_sim_outage_set(wzp_sim_outage *outage, const wzp_sim_outage_cfg *cfg, wzp_time now) {
    if (same(&outage->cfg, cfg)) {
        return;
    }
    outage->cfg = *cfg;
    outage->down = false;
    const wzp_time first = wzp_time_after(outage->start, cfg->first);
    const bool planned = cfg->kind != WZP_SIM_OUTAGE_NONE && cfg->first > 0 && first >= now;
    wzp_sim_timer_set(&outage->edge, planned ? first : wzp_time_after(now, length(outage, false)));
}

bool wzp_sim_outage_step(wzp_sim_outage *outage, wzp_time now) {
    if (!wzp_sim_timer_due(&outage->edge, now)) {
        return false;
    }
    outage->down = !outage->down;
    wzp_sim_timer_set(&outage->edge, wzp_time_after(now, length(outage, outage->down)));
    return true;
}
