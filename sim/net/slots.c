#include "sim/net/slots.h"

#define SLOT (15 * WZP_S)
#define PHASE (12 * WZP_S) /* boundaries are at seconds 12, 27, 42 and 57 */
#define BURST (200 * WZP_MS)

/* Two losses in a row on average.  The sheet leaves it open, but has no gap of more than 150 ms at
 * a boundary: with 10 % of loss, eight of ten frames in a row are then lost at one boundary in 750.
 * With four in a row it would be one in 93, and every twelfth minute of a call had one. */
#define BURST_LEAVE_PPM 500000U

void wzp_sim_slots_init(wzp_sim_slots *slots, uint64_t seed, wzp_sim_clock clock,
                        wzp_sim_task *task, void *self) {
    const wzp_time now = wzp_sim_now(clock);
    *slots = (wzp_sim_slots){
        .start = now,
        .boundary = WZP_TIME_NEVER,
        .gap_ends = WZP_TIME_NEVER,
        .outage = WZP_TIME_NEVER,
        .ends = WZP_TIME_NEVER,
    };
    wzp_prng_init(&slots->prng, seed, "slots");
    wzp_sim_timer_init(&slots->edge, clock, task, self);
    wzp_sim_loss_init(&slots->burst, seed, now);
}

static void plan(wzp_sim_slots *slots) {
    const wzp_time slot = wzp_time_min(slots->boundary, slots->gap_ends);
    wzp_sim_timer_set(&slots->edge, wzp_time_min(slot, wzp_time_min(slots->outage, slots->ends)));
}

static bool same(const wzp_sim_slots_cfg *a, const wzp_sim_slots_cfg *b) {
    return a->on == b->on && a->base_from == b->base_from && a->base_to == b->base_to &&
           a->gap_from == b->gap_from && a->gap_to == b->gap_to &&
           a->burst_loss_ppm == b->burst_loss_ppm && a->outage_every == b->outage_every &&
           a->outage_from == b->outage_from && a->outage_to == b->outage_to;
}

/* In the bad state all is lost, so that its share is the loss: p/(p+r). */
static void set_burst(wzp_sim_slots *slots) {
    const uint64_t share = slots->cfg.burst_loss_ppm;
    const uint64_t enter = share * BURST_LEAVE_PPM / (WZP_PPM - share);
    const wzp_sim_loss_cfg loss = {
        .model = share > 0 ? WZP_SIM_LOSS_GILBERT : WZP_SIM_LOSS_NONE,
        .p = enter > WZP_PPM ? WZP_PPM : (uint32_t)enter,
        .r = BURST_LEAVE_PPM,
        .bad = WZP_PPM,
    };
    wzp_sim_loss_set(&slots->burst, &loss);
}

static void draw_base(wzp_sim_slots *slots) {
    slots->base = wzp_chance_between(&slots->prng, slots->cfg.base_from, slots->cfg.base_to);
}

static void draw_outage(wzp_sim_slots *slots, wzp_time now) {
    const uint64_t every = slots->cfg.outage_every;
    slots->ends = WZP_TIME_NEVER;
    slots->outage = every == 0 ? WZP_TIME_NEVER
                               : wzp_time_after(now, wzp_chance_exponential(&slots->prng, every));
}

void wzp_sim_slots_set(wzp_sim_slots *slots, const wzp_sim_slots_cfg *cfg, wzp_time now) {
    if (same(&slots->cfg, cfg)) {
        return;
    }
    slots->cfg = *cfg;
    slots->boundary = slots->gap_ends = slots->outage = slots->ends = WZP_TIME_NEVER;
    slots->burst_ends = 0;
    if (cfg->on) {
        const uint64_t since = now - slots->start;
        const uint64_t passed = since < PHASE ? 0 : (since - PHASE) / SLOT + 1;
        slots->boundary = slots->start + PHASE + passed * SLOT;
        set_burst(slots);
        draw_base(slots);
        draw_outage(slots, now);
    }
    plan(slots);
}

static void cross_boundary(wzp_sim_slots *slots, wzp_time now) {
    const wzp_sim_slots_cfg *cfg = &slots->cfg;
    const uint64_t gap = wzp_chance_between(&slots->prng, cfg->gap_from, cfg->gap_to);
    slots->boundary += SLOT;
    slots->gap_ends = gap > 0 ? wzp_time_after(now, gap) : WZP_TIME_NEVER;
    slots->burst_ends = now + BURST;
    draw_base(slots);
}

static void begin_outage(wzp_sim_slots *slots, wzp_time now) {
    const wzp_sim_slots_cfg *cfg = &slots->cfg;
    const uint64_t length = wzp_chance_between(&slots->prng, cfg->outage_from, cfg->outage_to);
    slots->outage = WZP_TIME_NEVER;
    slots->ends = wzp_time_after(now, length);
}

bool wzp_sim_slots_step(wzp_sim_slots *slots, wzp_time now) {
    if (!wzp_sim_timer_due(&slots->edge, now)) {
        return false;
    }
    if (slots->gap_ends <= now) {
        slots->gap_ends = WZP_TIME_NEVER;
    }
    if (slots->boundary <= now) {
        cross_boundary(slots, now);
    }
    if (slots->ends <= now) {
        draw_outage(slots, now);
    }
    if (slots->outage <= now) {
        begin_outage(slots, now);
    }
    plan(slots);
    return true;
}

bool wzp_sim_slots_hit(wzp_sim_slots *slots, wzp_time now) {
    return now < slots->burst_ends && wzp_sim_loss_hit(&slots->burst, now);
}
