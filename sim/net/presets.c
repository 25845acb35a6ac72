#include <string.h>

#include "sim/net/link.h"
#include "sim/net/lte_drive.h"

/* The access presets of nat sheet 2.10.  Where it gives a jitter without a law, it is normal; where
 * it gives a queue for one direction, the other has 100 ms.  What it leaves open: bad Wi-Fi's J is
 * 7 ms, which is also the mean of that jitter; Starlink's two directions with 6 ms and rho 0.5 let
 * the RTT change by 6.8 ms from packet to packet (6.7 were measured), its background loss is the
 * middle of 0.5 to 1 %, and the burst behind a boundary loses 10 %. */
typedef struct preset {
    const char *name;
    uint64_t up, down; /* bit/s; 0: by the steps below */
    const wzp_sim_rate_step *up_steps, *down_steps;
    size_t step_count;
    uint64_t up_queue, down_queue; /* ns of droptail */
    wzp_sim_link_cfg both;
} preset;

#define MBIT UINT64_C(1000000)
#define NORMAL(mean, deviation)                                                                    \
    { .law = WZP_SIM_DELAY_NORMAL, .base = (mean), .spread = (deviation) }
#define BERNOULLI(ppm)                                                                             \
    { .model = WZP_SIM_LOSS_BERNOULLI, .p = (ppm) }

static const preset presets[] = {
    {
        .name = "fiber",
        .up = 100 * MBIT,
        .down = 300 * MBIT,
        .up_queue = 50 * WZP_MS,
        .down_queue = 50 * WZP_MS,
        .both = {.delay = NORMAL(3 * WZP_MS, 200 * WZP_US)},
    },
    {
        .name = "cable",
        .up = 20 * MBIT,
        .down = 200 * MBIT,
        .up_queue = 150 * WZP_MS,
        .down_queue = 150 * WZP_MS,
        .both = {.delay = NORMAL(10 * WZP_MS, 2 * WZP_MS)},
    },
    {
        .name = "dsl",
        .up = 1 * MBIT,
        .down = 16 * MBIT,
        .up_queue = 600 * WZP_MS,
        .down_queue = 100 * WZP_MS,
        .both = {.delay = NORMAL(15 * WZP_MS, 1 * WZP_MS)},
    },
    {
        .name = "wifi-good",
        .up = 50 * MBIT,
        .down = 50 * MBIT,
        .up_queue = 100 * WZP_MS,
        .down_queue = 100 * WZP_MS,
        .both = {.delay = {.law = WZP_SIM_DELAY_PARETO,
                           .base = 2 * WZP_MS,
                           .spread = 1 * WZP_MS,
                           .shape_milli = 2500},
                 .loss = BERNOULLI(1000)},
    },
    {
        .name = "wifi-bad",
        .up = 10 * MBIT,
        .down = 10 * MBIT,
        .up_queue = 200 * WZP_MS,
        .down_queue = 200 * WZP_MS,
        .both = {.delay = {.law = WZP_SIM_DELAY_WIFI, .base = 4 * WZP_MS, .spread = 7 * WZP_MS},
                 .loss = {.model = WZP_SIM_LOSS_GILBERT,
                          .p = 10000,
                          .r = 300000,
                          .bad = 700000,
                          .good = 2000},
                 .outage = {.kind = WZP_SIM_OUTAGE_PERIODIC,
                            .on = 1800 * WZP_MS,
                            .off = 200 * WZP_MS,
                            .hold = true}},
    },
    {
        .name = "lte",
        .up = 10 * MBIT,
        .down = 40 * MBIT,
        .up_queue = 400 * WZP_MS,
        .down_queue = 400 * WZP_MS,
        .both = {.delay = {.law = WZP_SIM_DELAY_AR1,
                           .base = 25 * WZP_MS,
                           .spread = 6 * WZP_MS,
                           .rho_ppm = 900000},
                 .loss = BERNOULLI(2000),
                 .outage = {.kind = WZP_SIM_OUTAGE_HANDOVER,
                            .on = 20 * WZP_S,
                            .on_to = 60 * WZP_S,
                            .off = 30 * WZP_MS,
                            .off_to = 60 * WZP_MS,
                            .hold = true}},
    },
    {
        .name = "lte-drive",
        .up_steps = wzp_sim_lte_drive_up,
        .down_steps = wzp_sim_lte_drive_down,
        .step_count = WZP_SIM_LTE_DRIVE_COUNT,
        .up_queue = 1 * WZP_S,
        .down_queue = 1 * WZP_S,
        .both = {.delay = {.base = 20 * WZP_MS}},
    },
    {
        .name = "3g",
        .up = 400000,
        .down = 2 * MBIT,
        .up_queue = 1500 * WZP_MS,
        .down_queue = 1500 * WZP_MS,
        .both = {.delay = NORMAL(60 * WZP_MS, 20 * WZP_MS), .loss = BERNOULLI(10000)},
    },
    {
        .name = "starlink",
        .up = 15 * MBIT,
        .down = 150 * MBIT,
        .up_queue = 100 * WZP_MS,
        .down_queue = 100 * WZP_MS,
        .both = {.delay = {.law = WZP_SIM_DELAY_AR1,
                           .base = 20 * WZP_MS,
                           .spread = 6 * WZP_MS,
                           .rho_ppm = 500000},
                 .loss = BERNOULLI(7500),
                 .slots = {.on = true,
                           .base_from = 15 * WZP_MS,
                           .base_to = 35 * WZP_MS,
                           .gap_from = 20 * WZP_MS,
                           .gap_to = 100 * WZP_MS,
                           .burst_loss_ppm = 100000,
                           .outage_every = 600 * WZP_S,
                           .outage_from = 300 * WZP_MS,
                           .outage_to = 2 * WZP_S}},
    },
    {
        .name = "geo",
        .up = 3 * MBIT,
        .down = 25 * MBIT,
        .up_queue = 300 * WZP_MS,
        .down_queue = 300 * WZP_MS,
        .both = {.delay = NORMAL(290 * WZP_MS, 5 * WZP_MS), .loss = BERNOULLI(3000)},
    },
    {
        .name = "corp-vpn",
        .up = 5 * MBIT,
        .down = 5 * MBIT,
        .up_queue = 100 * WZP_MS,
        .down_queue = 100 * WZP_MS,
        .both = {.delay = {.base = 40 * WZP_MS}, .loss = BERNOULLI(1000), .mtu = 1280},
    },
};

bool wzp_sim_link_preset(const char *name, bool up, wzp_sim_link_cfg *out) {
    for (size_t i = 0; i < WZP_COUNT_OF(presets); i++) {
        const preset *one = &presets[i];
        if (strcmp(one->name, name) == 0) {
            *out = one->both;
            out->rate.bits_per_s = up ? one->up : one->down;
            out->rate.steps = up ? one->up_steps : one->down_steps;
            out->rate.step_count = one->step_count;
            out->queue.limit_ns = up ? one->up_queue : one->down_queue;
            return true;
        }
    }
    return false;
}

const char *wzp_sim_link_preset_name(size_t index) {
    return index < WZP_COUNT_OF(presets) ? presets[index].name : NULL;
}
