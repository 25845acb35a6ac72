#include "sim/ns3/plan.h"

#include <string.h>

/* ns-3's list model walks through its list for every packet. */
#define LIST_MAX 4096
/* Times and rates that fit ns-3's signed nanoseconds and its fixed-point arithmetic; CoDel there
 * counts 1024 ns in 32 bits. */
#define DELAY_MAX (3600 * WZP_S)
#define AQM_MAX (1000 * WZP_S)
#define RATE_MAX UINT64_C(1000000000000)
#define LIMIT_MAX INT32_MAX
#define OVERHEAD_MAX 65535
#define BURST_MIN 2000
#define PACKET_MIN 64
#define PACKET_MAX 65535
#define FLOWS_MAX 1000

static bool is_radio(const wzp_sim_link_cfg *cfg) {
    return cfg->access != NULL &&
           (strcmp(cfg->access, "wifi") == 0 || strcmp(cfg->access, "lte") == 0);
}

static bool is_tcp(wzp_sim_cross_kind kind) {
    return kind == WZP_SIM_CROSS_RENO || kind == WZP_SIM_CROSS_CUBIC;
}

/* --- what is refused -------------------------------------------------------------------------- */

static wzp_err refuse(wzp_fail *fail, const char *field, uint64_t got) {
    *fail = (wzp_fail){WZP_ERR_INVALID_ARGUMENT, field, 0, got};
    return WZP_ERR_INVALID_ARGUMENT;
}

static wzp_err check_cross(const wzp_sim_link_cfg *cfg, const wzp_sim_cross_cfg *cross,
                           wzp_fail *fail) {
    if (cross->kind == WZP_SIM_CROSS_NONE) {
        return WZP_OK;
    }
    if (cross->packet != 0 && (cross->packet < PACKET_MIN || cross->packet > PACKET_MAX)) {
        return refuse(fail, "cross.packet", cross->packet);
    }
    if (!is_tcp(cross->kind)) {
        return cross->bits_per_s == 0 ? refuse(fail, "cross.bits_per_s", 0) : WZP_OK;
    }
    if (cross->flows == 0 || cross->flows > FLOWS_MAX) {
        return refuse(fail, "cross.flows", cross->flows);
    }
    if (!is_radio(cfg) && cfg->rate.bits_per_s == 0) {
        return refuse(fail, "rate.bits_per_s", 0); /* greedy flows need something to fill */
    }
    return cross->rtt > DELAY_MAX ? refuse(fail, "cross.rtt", cross->rtt) : WZP_OK;
}

static wzp_err check_radio(const wzp_sim_link_cfg *cfg, wzp_fail *fail) {
    if (!is_radio(cfg)) {
        return refuse(fail, "access", 0);
    }
    if (cfg->rate.bits_per_s != 0 || cfg->rate.opportunity_count != 0 ||
        cfg->rate.step_count != 0) {
        return refuse(fail, "rate.bits_per_s", cfg->rate.bits_per_s); /* the medium has its own */
    }
    const wzp_sim_queue_cfg *queue = &cfg->queue;
    const bool limited =
        queue->limit_packets != 0 || queue->limit_bytes != 0 || queue->limit_ns != 0;
    if (queue->kind != WZP_SIM_QUEUE_DROPTAIL || limited || queue->ecn) {
        return refuse(fail, "queue.kind", queue->kind);
    }
    return WZP_OK;
}

static wzp_err check(const wzp_sim_link_cfg *cfg, wzp_fail *fail) {
    const struct {
        const char *field;
        uint64_t got, most;
    } ranges[] = {
        {"delay.base", cfg->delay.base, DELAY_MAX},
        {"delay.spread", cfg->delay.spread, DELAY_MAX},
        {"rate.bits_per_s", cfg->rate.bits_per_s, RATE_MAX},
        {"rate.overhead", cfg->rate.overhead, OVERHEAD_MAX},
        {"queue.limit_packets", cfg->queue.limit_packets, LIMIT_MAX},
        {"queue.target", cfg->queue.target, AQM_MAX},
        {"queue.interval", cfg->queue.interval, AQM_MAX},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(ranges); i++) {
        if (ranges[i].got > ranges[i].most) {
            return refuse(fail, ranges[i].field, ranges[i].got);
        }
    }
    wzp_err err = cfg->access != NULL ? check_radio(cfg, fail) : WZP_OK;
    for (size_t i = 0; i < WZP_SIM_CROSS_MAX && err == WZP_OK; i++) {
        err = check_cross(cfg, &cfg->cross[i], fail);
    }
    return err;
}

/* --- what ns-3 has a model of ----------------------------------------------------------------- */

static bool ns3_has_delay(const wzp_sim_delay_cfg *delay) {
    if (delay->skip_every != 0 || delay->skip_ppm != 0) {
        return false;
    }
    switch (delay->law) {
    case WZP_SIM_DELAY_FIXED:
    case WZP_SIM_DELAY_UNIFORM:
    case WZP_SIM_DELAY_NORMAL:
    case WZP_SIM_DELAY_LOGNORMAL:
    case WZP_SIM_DELAY_PARETO:
    case WZP_SIM_DELAY_PARETO_NORMAL:
        return true;
    case WZP_SIM_DELAY_AR1:
    case WZP_SIM_DELAY_NETEM:
    case WZP_SIM_DELAY_WIFI:
    case WZP_SIM_DELAY_TRACE:
        return false;
    }
    return false;
}

/* Of Gilbert's model the one whose bad state loses all: ns-3 knows bursts, not states. */
static bool ns3_has_gilbert(const wzp_sim_loss_cfg *loss) {
    return loss->slot == 0 && loss->bad == WZP_PPM && loss->good == 0 && loss->p > 0 &&
           loss->r > 0 && loss->p < WZP_PPM && loss->p + loss->r <= WZP_PPM;
}

static bool ns3_has_list(const wzp_sim_loss_cfg *loss) {
    return loss->count <= LIST_MAX &&
           (loss->count == 0 || loss->list[loss->count - 1] <= UINT32_MAX);
}

static bool ns3_has_loss(const wzp_sim_loss_cfg *loss) {
    if (loss->max_burst != 0) {
        return false;
    }
    switch (loss->model) {
    case WZP_SIM_LOSS_NONE:
    case WZP_SIM_LOSS_BERNOULLI:
        return true;
    case WZP_SIM_LOSS_GILBERT:
        return ns3_has_gilbert(loss);
    case WZP_SIM_LOSS_LIST:
        return ns3_has_list(loss);
    case WZP_SIM_LOSS_FOUR_STATE:
    case WZP_SIM_LOSS_PATTERN:
        return false;
    }
    return false;
}

/* ns-3's bucket never lets a packet go that is larger than the bucket. */
static bool ns3_has_queue(const wzp_sim_link_cfg *cfg) {
    return cfg->rate.opportunity_count == 0 && cfg->rate.step_count == 0 &&
           (cfg->rate.burst == 0 || cfg->rate.burst >= BURST_MIN) &&
           cfg->queue.kind != WZP_SIM_QUEUE_DROPHEAD && cfg->queue.kind != WZP_SIM_QUEUE_DUAL;
}

/* --- the plan --------------------------------------------------------------------------------- */

/* A queue that ns-3 has not: then all that comes ahead of it is native as well. */
static void plan_queue(wzp_ns3_plan *plan, const wzp_sim_link_cfg *cfg) {
    const bool limited = cfg->rate.bits_per_s != 0;
    if (!ns3_has_queue(cfg)) {
        plan->before.rate = cfg->rate;
        plan->before.queue = cfg->queue;
        memcpy(plan->before.cross, cfg->cross, sizeof cfg->cross);
        plan->has_before = true;
        return;
    }
    plan->ns3.rate = cfg->rate;
    plan->ns3.queue = cfg->queue;
    memcpy(plan->ns3.cross, cfg->cross, sizeof cfg->cross);
    /* What an outage holds waits in the stage before; ns-3's queue judges it afterwards. */
    plan->before.queue = cfg->queue;
    if (limited || cfg->access != NULL) {
        plan->before.queue = (wzp_sim_queue_cfg){.limit_packets = LIMIT_MAX};
    }
}

static void plan_loss(wzp_ns3_plan *plan, const wzp_sim_link_cfg *cfg) {
    const bool native = !ns3_has_queue(cfg) || !ns3_has_loss(&cfg->loss);
    if (native) {
        plan->before.loss = cfg->loss;
        plan->has_before |= cfg->loss.model != WZP_SIM_LOSS_NONE;
    } else {
        plan->ns3.loss = cfg->loss;
    }
    if (cfg->mangle.duplicate_ppm == 0 && cfg->mangle.corrupt_ppm == 0) {
        return;
    }
    if (native) {
        plan->before.mangle = cfg->mangle;
        plan->has_before = true;
    } else {
        plan->mangle.mangle = cfg->mangle;
        plan->has_mangle = true;
    }
}

/* Slots have a base of their own, so all of the delay goes with them. */
static void plan_delay(wzp_ns3_plan *plan, const wzp_sim_link_cfg *cfg) {
    const wzp_sim_delay_cfg *delay = &cfg->delay;
    if (cfg->slots.on) {
        plan->before.delay = *delay;
    } else if (cfg->access == NULL && ns3_has_delay(delay)) {
        plan->ns3.delay = *delay;
    } else {
        plan->after.delay = *delay;
        plan->has_after =
            delay->base != 0 || delay->spread != 0 || delay->law != WZP_SIM_DELAY_FIXED;
    }
}

wzp_err wzp_ns3_plan_make(wzp_ns3_plan *out, const wzp_sim_link_cfg *cfg, wzp_fail *fail) {
    const wzp_err err = check(cfg, fail);
    if (err != WZP_OK) {
        return err;
    }
    wzp_ns3_plan plan = {.ns3.access = cfg->access};
    plan.before.mtu = cfg->mtu;
    plan.before.mtu_silent = cfg->mtu_silent;
    plan.before.outage = cfg->outage;
    plan.before.slots = cfg->slots;
    plan.has_before = cfg->mtu != 0 || cfg->outage.kind != WZP_SIM_OUTAGE_NONE || cfg->slots.on;
    plan_queue(&plan, cfg);
    plan_loss(&plan, cfg);
    plan_delay(&plan, cfg);
    *out = plan;
    return WZP_OK;
}
