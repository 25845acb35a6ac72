#include "sim/net/loss.h"

/* A chain that stood still for longer has forgotten where it was. */
#define MAX_STEPS (UINT64_C(1) << 20)

void wzp_sim_loss_init(wzp_sim_loss *loss, uint64_t seed, wzp_time start) {
    *loss = (wzp_sim_loss){.start = start};
    wzp_prng_init(&loss->prng, seed, "loss");
}

void wzp_sim_loss_set(wzp_sim_loss *loss, const wzp_sim_loss_cfg *cfg) {
    if (cfg->model != loss->cfg.model) {
        loss->state = WZP_SIM_LOSS_GOOD;
        loss->run = 0;
    }
    if (cfg->slot != loss->cfg.slot) {
        loss->slots = 0;
    }
    loss->cfg = *cfg;
    loss->listed = 0;
}

/* --- Gilbert ---------------------------------------------------------------------------------- */

static void gilbert_step(wzp_sim_loss *loss) {
    const bool bad = loss->state == WZP_SIM_LOSS_BAD;
    if (wzp_chance(&loss->prng, bad ? loss->cfg.r : loss->cfg.p)) {
        loss->state = bad ? WZP_SIM_LOSS_GOOD : WZP_SIM_LOSS_BAD;
    }
}

static void gilbert_walk(wzp_sim_loss *loss, wzp_time now) {
    const uint64_t slots = wzp_time_since(now, loss->start) / loss->cfg.slot;
    uint64_t steps = slots > loss->slots ? slots - loss->slots : 0;
    steps = steps > MAX_STEPS ? MAX_STEPS : steps;
    for (; steps > 0; steps--) {
        gilbert_step(loss);
    }
    loss->slots = slots;
}

static bool gilbert(wzp_sim_loss *loss, wzp_time now) {
    if (loss->cfg.slot > 0) {
        gilbert_walk(loss, now);
    } else {
        gilbert_step(loss);
    }
    const bool bad = loss->state == WZP_SIM_LOSS_BAD;
    return wzp_chance(&loss->prng, bad ? loss->cfg.bad : loss->cfg.good);
}

/* --- netem's four states ---------------------------------------------------------------------- */

/* To `first` or `second` with these probabilities out of one draw, else it stays. */
static void move(wzp_sim_loss *loss, uint32_t first_ppm, wzp_sim_loss_state first,
                 uint32_t second_ppm, wzp_sim_loss_state second) {
    const uint64_t draw = wzp_chance_between(&loss->prng, 0, WZP_PPM - 1);
    if (draw < first_ppm) {
        loss->state = first;
    } else if (draw < (uint64_t)first_ppm + second_ppm) {
        loss->state = second;
    }
}

static bool four_state(wzp_sim_loss *loss) {
    const wzp_sim_loss_cfg *cfg = &loss->cfg;
    switch (loss->state) {
    case WZP_SIM_LOSS_GOOD:
        move(loss, cfg->p14, WZP_SIM_LOSS_LONE, cfg->p13, WZP_SIM_LOSS_BAD);
        break;
    case WZP_SIM_LOSS_BAD:
        move(loss, cfg->p32, WZP_SIM_LOSS_CALM, cfg->p31, WZP_SIM_LOSS_GOOD);
        break;
    case WZP_SIM_LOSS_CALM:
        move(loss, cfg->p23, WZP_SIM_LOSS_BAD, 0, WZP_SIM_LOSS_CALM);
        break;
    case WZP_SIM_LOSS_LONE:
        loss->state = WZP_SIM_LOSS_GOOD;
        break;
    }
    return loss->state == WZP_SIM_LOSS_BAD || loss->state == WZP_SIM_LOSS_LONE;
}

/* --- all of them ------------------------------------------------------------------------------ */

static bool listed(wzp_sim_loss *loss, uint64_t index) {
    const wzp_sim_loss_cfg *cfg = &loss->cfg;
    while (loss->listed < cfg->count && cfg->list[loss->listed] < index) {
        loss->listed++;
    }
    return loss->listed < cfg->count && cfg->list[loss->listed] == index;
}

static bool model(wzp_sim_loss *loss, uint64_t index, wzp_time now) {
    const wzp_sim_loss_cfg *cfg = &loss->cfg;
    switch (cfg->model) {
    case WZP_SIM_LOSS_NONE:
        return false;
    case WZP_SIM_LOSS_BERNOULLI:
        return wzp_chance(&loss->prng, cfg->p);
    case WZP_SIM_LOSS_GILBERT:
        return gilbert(loss, now);
    case WZP_SIM_LOSS_FOUR_STATE:
        return four_state(loss);
    case WZP_SIM_LOSS_PATTERN:
        return cfg->pattern[index % cfg->count] == '1';
    case WZP_SIM_LOSS_LIST:
        return listed(loss, index);
    }
    return false;
}

bool wzp_sim_loss_hit(wzp_sim_loss *loss, wzp_time now) {
    const uint64_t index = loss->index++;
    const wzp_sim_loss_cfg *cfg = &loss->cfg;
    if (cfg->until != 0 && wzp_time_since(now, loss->start) >= cfg->until) {
        return false;
    }
    bool hit = model(loss, index, now);
    if (hit && cfg->max_burst > 0 && loss->run >= cfg->max_burst) {
        hit = false;
    }
    loss->run = hit ? loss->run + 1 : 0;
    return hit;
}
