#include "sim/net/link.h"
#include "sim/net/rate.h"

/* What the arithmetic of the models is made for. */
#define LONGEST (1000 * WZP_S)
#define WIDEST (100 * WZP_S) /* spread of a delay */
#define TRACE_LONGEST (UINT64_C(1) << 43)
#define SHORTEST (10 * WZP_US) /* a period that is walked through step by step */
#define SLOWEST 8
#define FASTEST UINT64_C(100000000000)
#define OVERHEAD_MAX 65535
#define LOGNORMAL_SHAPE_MAX 2500
#define PARETO_SHAPE_MIN 100
#define BURST_LOSS_MAX 800000
#define FLOWS_MAX 256
#define SEGMENT_MIN 40
#define SIZE_MAX_IP 65535
#define MTU_MIN 68 /* RFC 791 */

/* The first complaint stays. */
static void complain(wzp_fail *fail, const char *field, size_t index, uint64_t got) {
    if (fail->code == WZP_OK) {
        *fail = (wzp_fail){WZP_ERR_INVALID_ARGUMENT, field, index, got};
    }
}

static void need(wzp_fail *fail, bool good, const char *field, uint64_t got) {
    if (!good) {
        complain(fail, field, 0, got);
    }
}

typedef struct limit {
    const char *field;
    uint64_t value, max;
} limit;

static void within(wzp_fail *fail, const limit *limits, size_t count) {
    for (size_t i = 0; i < count; i++) {
        need(fail, limits[i].value <= limits[i].max, limits[i].field, limits[i].value);
    }
}

/* --- delay ------------------------------------------------------------------------------------ */

static void check_trace(const wzp_sim_delay_cfg *cfg, wzp_fail *fail) {
    if (cfg->trace == NULL || cfg->trace_count == 0) {
        complain(fail, "delay.trace", 0, cfg->trace_count);
        return;
    }
    for (size_t i = 0; i < cfg->trace_count; i++) {
        const wzp_sim_point *point = &cfg->trace[i];
        if ((i > 0 && point->at <= point[-1].at) || point->at > TRACE_LONGEST) {
            complain(fail, "delay.trace.at", i, point->at);
        }
        if (point->delay > LONGEST) {
            complain(fail, "delay.trace.delay", i, point->delay);
        }
    }
}

static void check_delay(const wzp_sim_delay_cfg *cfg, wzp_fail *fail) {
    const limit limits[] = {
        {"delay.law", cfg->law, WZP_SIM_DELAY_TRACE}, {"delay.base", cfg->base, LONGEST},
        {"delay.spread", cfg->spread, WIDEST},        {"delay.rho_ppm", cfg->rho_ppm, WZP_PPM},
        {"delay.skip_ppm", cfg->skip_ppm, WZP_PPM},
    };
    within(fail, limits, WZP_COUNT_OF(limits));
    const uint32_t shape = cfg->shape_milli;
    if (cfg->law == WZP_SIM_DELAY_LOGNORMAL) {
        need(fail, shape <= LOGNORMAL_SHAPE_MAX, "delay.shape_milli", shape);
    }
    if (cfg->law == WZP_SIM_DELAY_PARETO || cfg->law == WZP_SIM_DELAY_PARETO_NORMAL) {
        need(fail, shape == 0 || shape >= PARETO_SHAPE_MIN, "delay.shape_milli", shape);
    }
    if (cfg->law == WZP_SIM_DELAY_TRACE) {
        check_trace(cfg, fail);
    }
}

/* --- loss, duplication, corruption ------------------------------------------------------------ */

static void check_pattern(const wzp_sim_loss_cfg *cfg, wzp_fail *fail) {
    if (cfg->pattern == NULL || cfg->count == 0) {
        complain(fail, "loss.pattern", 0, cfg->count);
        return;
    }
    for (size_t i = 0; i < cfg->count; i++) {
        if (cfg->pattern[i] != '0' && cfg->pattern[i] != '1') {
            complain(fail, "loss.pattern", i, cfg->pattern[i]);
        }
    }
}

static void check_list(const wzp_sim_loss_cfg *cfg, wzp_fail *fail) {
    if (cfg->list == NULL && cfg->count > 0) {
        complain(fail, "loss.list", 0, cfg->count);
        return;
    }
    for (size_t i = 1; i < cfg->count; i++) {
        if (cfg->list[i] <= cfg->list[i - 1]) {
            complain(fail, "loss.list", i, cfg->list[i]);
        }
    }
}

/* A state that is entered, never left and passes nothing is an outage, not loss. */
static void check_chain(const wzp_sim_loss_cfg *cfg, wzp_fail *fail) {
    const bool gives_way = cfg->max_burst > 0 || cfg->until != 0;
    if (cfg->model == WZP_SIM_LOSS_GILBERT) {
        const bool stuck = cfg->p > 0 && cfg->r == 0 && cfg->bad >= WZP_PPM;
        need(fail, !stuck || gives_way, "loss.r", cfg->r);
    }
    if (cfg->model == WZP_SIM_LOSS_FOUR_STATE) {
        const uint64_t from_good = (uint64_t)cfg->p13 + cfg->p14;
        const uint64_t from_bad = (uint64_t)cfg->p31 + cfg->p32;
        need(fail, from_good <= WZP_PPM, "loss.p14", cfg->p14);
        need(fail, from_bad <= WZP_PPM, "loss.p32", cfg->p32);
        need(fail, cfg->p13 == 0 || from_bad > 0 || gives_way, "loss.p31", cfg->p31);
    }
}

static void check_loss(const wzp_sim_loss_cfg *cfg, wzp_fail *fail) {
    const limit limits[] = {
        {"loss.model", cfg->model, WZP_SIM_LOSS_LIST},
        {"loss.p", cfg->p, WZP_PPM},
        {"loss.r", cfg->r, WZP_PPM},
        {"loss.bad", cfg->bad, WZP_PPM},
        {"loss.good", cfg->good, WZP_PPM},
        {"loss.p13", cfg->p13, WZP_PPM},
        {"loss.p31", cfg->p31, WZP_PPM},
        {"loss.p32", cfg->p32, WZP_PPM},
        {"loss.p23", cfg->p23, WZP_PPM},
        {"loss.p14", cfg->p14, WZP_PPM},
    };
    within(fail, limits, WZP_COUNT_OF(limits));
    need(fail, cfg->slot == 0 || cfg->slot >= SHORTEST, "loss.slot", cfg->slot);
    check_chain(cfg, fail);
    if (cfg->model == WZP_SIM_LOSS_PATTERN) {
        check_pattern(cfg, fail);
    }
    if (cfg->model == WZP_SIM_LOSS_LIST) {
        check_list(cfg, fail);
    }
}

static void check_mangle(const wzp_sim_mangle_cfg *cfg, wzp_fail *fail) {
    const limit limits[] = {
        {"mangle.duplicate_ppm", cfg->duplicate_ppm, WZP_PPM},
        {"mangle.duplicate_to", cfg->duplicate_to, LONGEST},
        {"mangle.duplicate_from", cfg->duplicate_from, cfg->duplicate_to},
        {"mangle.corrupt_ppm", cfg->corrupt_ppm, WZP_PPM},
    };
    within(fail, limits, WZP_COUNT_OF(limits));
}

/* --- rate and queue --------------------------------------------------------------------------- */

static void check_opportunities(const wzp_sim_rate_cfg *cfg, wzp_fail *fail) {
    if (cfg->opportunities == NULL) {
        complain(fail, "rate.opportunities", 0, cfg->opportunity_count);
        return;
    }
    for (size_t i = 1; i < cfg->opportunity_count; i++) {
        if (cfg->opportunities[i] < cfg->opportunities[i - 1]) {
            complain(fail, "rate.opportunities", i, cfg->opportunities[i]);
        }
    }
    const size_t last = cfg->opportunity_count - 1;
    if (cfg->opportunities[last] == 0) {
        complain(fail, "rate.opportunities", last, 0);
    }
}

static void check_steps(const wzp_sim_rate_cfg *cfg, wzp_fail *fail) {
    if (cfg->steps == NULL || cfg->step_count < 2) {
        complain(fail, "rate.steps", 0, cfg->step_count);
        return;
    }
    const wzp_sim_rate_step *steps = cfg->steps;
    bool some = false;
    for (size_t i = 0; i < cfg->step_count; i++) {
        const uint64_t at = steps[i].at;
        if (i == 0 ? at != 0 : at < steps[i - 1].at + WZP_MS || at > TRACE_LONGEST) {
            complain(fail, "rate.steps.at", i, at);
        }
        const uint64_t bits_per_s = steps[i].bits_per_s;
        if (bits_per_s > FASTEST || (bits_per_s > 0 && bits_per_s < SLOWEST)) {
            complain(fail, "rate.steps.bits_per_s", i, bits_per_s);
        }
        some = some || (bits_per_s > 0 && i + 1 < cfg->step_count);
    }
    need(fail, some, "rate.steps.bits_per_s", 0);
}

static void check_rate(const wzp_sim_rate_cfg *cfg, wzp_fail *fail) {
    const uint64_t bits_per_s = cfg->bits_per_s;
    need(fail, bits_per_s == 0 || (bits_per_s >= SLOWEST && bits_per_s <= FASTEST),
         "rate.bits_per_s", bits_per_s);
    need(fail, cfg->overhead <= OVERHEAD_MAX, "rate.overhead", cfg->overhead);
    const bool line = cfg->opportunity_count == 0 && cfg->step_count == 0;
    need(fail, cfg->burst == 0 || (line && bits_per_s > 0), "rate.burst", cfg->burst);
    need(fail, cfg->opportunity_count == 0 || cfg->step_count == 0, "rate.steps", cfg->step_count);
    if (cfg->opportunity_count > 0) {
        check_opportunities(cfg, fail);
    }
    if (cfg->step_count > 0) { /* else a rate over that of a preset would change nothing */
        need(fail, bits_per_s == 0, "rate.bits_per_s", bits_per_s);
        check_steps(cfg, fail);
    }
}

static void check_queue(const wzp_sim_queue_cfg *cfg, wzp_fail *fail) {
    const limit limits[] = {
        {"queue.kind", cfg->kind, WZP_SIM_QUEUE_DUAL},
        {"queue.limit_ns", cfg->limit_ns, LONGEST},
        {"queue.target", cfg->target, LONGEST},
        {"queue.interval", cfg->interval, LONGEST},
    };
    within(fail, limits, WZP_COUNT_OF(limits));
    need(fail, cfg->interval == 0 || cfg->interval >= WZP_MS, "queue.interval", cfg->interval);
}

/* --- outages, slots, cross traffic ------------------------------------------------------------ */

static void check_outage(const wzp_sim_outage_cfg *cfg, wzp_fail *fail) {
    need(fail, cfg->kind <= WZP_SIM_OUTAGE_HANDOVER, "outage.kind", cfg->kind);
    if (cfg->kind == WZP_SIM_OUTAGE_NONE) {
        return;
    }
    need(fail, cfg->on >= SHORTEST, "outage.on", cfg->on);
    need(fail, cfg->off >= SHORTEST, "outage.off", cfg->off);
    if (cfg->kind == WZP_SIM_OUTAGE_HANDOVER) {
        need(fail, cfg->on_to >= cfg->on, "outage.on_to", cfg->on_to);
        need(fail, cfg->off_to >= cfg->off, "outage.off_to", cfg->off_to);
    }
}

static void check_slots(const wzp_sim_slots_cfg *cfg, wzp_fail *fail) {
    if (!cfg->on) {
        return;
    }
    const limit limits[] = {
        {"slots.base_to", cfg->base_to, LONGEST},
        {"slots.base_from", cfg->base_from, cfg->base_to},
        {"slots.gap_to", cfg->gap_to, 10 * WZP_S},
        {"slots.gap_from", cfg->gap_from, cfg->gap_to},
        {"slots.burst_loss_ppm", cfg->burst_loss_ppm, BURST_LOSS_MAX},
        {"slots.outage_to", cfg->outage_to, LONGEST},
        {"slots.outage_from", cfg->outage_from, cfg->outage_to},
    };
    within(fail, limits, WZP_COUNT_OF(limits));
    const bool outages = cfg->outage_every > 0;
    need(fail, !outages || cfg->outage_every >= WZP_S, "slots.outage_every", cfg->outage_every);
    need(fail, !outages || cfg->outage_from > 0, "slots.outage_from", cfg->outage_from);
}

static const char *cross_fault(const wzp_sim_link_cfg *link, const wzp_sim_cross_cfg *cfg,
                               uint64_t *got) {
    const bool tcp = cfg->kind == WZP_SIM_CROSS_RENO || cfg->kind == WZP_SIM_CROSS_CUBIC;
    const struct {
        bool bad;
        const char *field;
        uint64_t got;
    } faults[] = {
        {cfg->kind > WZP_SIM_CROSS_CUBIC, "cross.kind", cfg->kind},
        /* No queue to be in; a medium has its own. */
        {link->access == NULL && !wzp_sim_rate_limited(&link->rate), "cross.kind", cfg->kind},
        {!tcp && cfg->bits_per_s < SLOWEST, "cross.bits_per_s", cfg->bits_per_s},
        {cfg->bits_per_s > FASTEST, "cross.bits_per_s", cfg->bits_per_s},
        {tcp && (cfg->flows == 0 || cfg->flows > FLOWS_MAX), "cross.flows", cfg->flows},
        {cfg->packet != 0 && cfg->packet < SEGMENT_MIN, "cross.packet", cfg->packet},
        {cfg->packet > SIZE_MAX_IP, "cross.packet", cfg->packet},
        {cfg->rtt > WIDEST, "cross.rtt", cfg->rtt},
        {cfg->until != 0 && cfg->until <= cfg->from, "cross.until", cfg->until},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(faults); i++) {
        if (faults[i].bad) {
            *got = faults[i].got;
            return faults[i].field;
        }
    }
    return NULL;
}

static void check_cross(const wzp_sim_link_cfg *link, wzp_fail *fail) {
    for (size_t i = 0; i < WZP_SIM_CROSS_MAX; i++) {
        const wzp_sim_cross_cfg *cfg = &link->cross[i];
        uint64_t got = 0;
        const char *field = cfg->kind == WZP_SIM_CROSS_NONE ? NULL : cross_fault(link, cfg, &got);
        if (field != NULL) {
            complain(fail, field, i, got);
        }
    }
}

wzp_err wzp_sim_link_check(const wzp_sim_link_cfg *cfg, wzp_fail *fail) {
    *fail = (wzp_fail){0};
    check_delay(&cfg->delay, fail);
    check_loss(&cfg->loss, fail);
    check_mangle(&cfg->mangle, fail);
    check_rate(&cfg->rate, fail);
    check_queue(&cfg->queue, fail);
    check_outage(&cfg->outage, fail);
    check_slots(&cfg->slots, fail);
    check_cross(cfg, fail);
    need(fail, cfg->mtu == 0 || (cfg->mtu >= MTU_MIN && cfg->mtu <= SIZE_MAX_IP), "mtu", cfg->mtu);
    return fail->code;
}
