#include "sim/net/delay.h"

#define PARETO_SHAPE_MILLI 3000
#define PARETO_CUT 10
#define NORMAL_CUT 4

/* picoquic's Wi-Fi: frames wait for a Poisson number of short slots, and from time to time for one
 * of long ones; `spread` in this window sets how often. */
#define WIFI_SHORT (1 * WZP_MS)
#define WIFI_LONG (7500 * WZP_US)
#define WIFI_LONG_MEAN 12
#define WIFI_WINDOW (84 * WZP_MS)

void wzp_sim_delay_init(wzp_sim_delay *delay, uint64_t seed, wzp_time start) {
    *delay = (wzp_sim_delay){.start = start};
    wzp_prng_init(&delay->prng, seed, "delay");
    wzp_prng_init(&delay->skips, seed, "skips");
    delay->uniform = WZP_Q32_ONE / 2;
}

void wzp_sim_delay_set(wzp_sim_delay *delay, const wzp_sim_delay_cfg *cfg) {
    const uint64_t one = (uint64_t)WZP_PPM * WZP_PPM;
    const uint64_t rho = cfg->rho_ppm;
    delay->cfg = *cfg;
    delay->fresh_ppm = rho >= WZP_PPM ? 0 : (int64_t)wzp_isqrt(one - rho * rho);
}

/* --- laws: what is added to the base, may be negative ----------------------------------------- */

/* x * ns, rounded down, without losing high bits: |x| is below 2^31. */
static int64_t scale(wzp_q32 x, uint64_t ns) {
    const uint64_t size = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
    const uint64_t whole = size >> 32;
    const uint64_t part = size & UINT32_MAX;
    const uint64_t product = whole * ns + (ns >> 32) * part + (((ns & UINT32_MAX) * part) >> 32);
    return x < 0 ? -(int64_t)product : (int64_t)product;
}

static int64_t uniform(wzp_sim_delay *delay) {
    const uint64_t spread = delay->cfg.spread;
    return (int64_t)wzp_chance_between(&delay->prng, 0, 2 * spread) - (int64_t)spread;
}

static int64_t normal(wzp_sim_delay *delay) {
    const wzp_q32 z = wzp_chance_normal(&delay->prng);
    const wzp_q32 cut = NORMAL_CUT * WZP_Q32_ONE;
    return scale(z > cut ? cut : z, delay->cfg.spread);
}

static int64_t lognormal(wzp_sim_delay *delay) {
    const wzp_q32 sigma = (wzp_q32)delay->cfg.shape_milli * WZP_Q32_ONE / 1000;
    const wzp_q32 z = wzp_chance_normal(&delay->prng);
    return scale(wzp_q32_exp(wzp_q32_mul(sigma, z)), delay->cfg.spread);
}

static int64_t pareto(wzp_sim_delay *delay) {
    const uint32_t shape =
        delay->cfg.shape_milli == 0 ? PARETO_SHAPE_MILLI : delay->cfg.shape_milli;
    const wzp_q32 rest = WZP_Q32_ONE - wzp_chance_unit(&delay->prng); /* (0, 1] */
    const wzp_q32 cut = PARETO_CUT * WZP_Q32_ONE;
    const wzp_q32 x = wzp_q32_pow(rest, -(wzp_q32)(WZP_Q32_ONE * 1000 / shape)) - WZP_Q32_ONE;
    return scale(x > cut ? cut : x, delay->cfg.spread);
}

static int64_t pareto_normal(wzp_sim_delay *delay) {
    const int64_t bell = scale(wzp_chance_normal(&delay->prng), delay->cfg.spread);
    return bell / 4 + pareto(delay) * 3 / 4;
}

static int64_t ar1(wzp_sim_delay *delay) {
    const int64_t fresh = scale(wzp_chance_normal(&delay->prng), delay->cfg.spread);
    const int64_t kept = delay->deviation * delay->cfg.rho_ppm;
    delay->deviation = (kept + fresh * delay->fresh_ppm) / (int64_t)WZP_PPM;
    return delay->deviation;
}

static int64_t netem(wzp_sim_delay *delay) {
    const int64_t rho = delay->cfg.rho_ppm;
    const int64_t fresh = wzp_chance_unit(&delay->prng) * ((int64_t)WZP_PPM - rho);
    delay->uniform = (delay->uniform * rho + fresh) / (int64_t)WZP_PPM;
    return scale(2 * delay->uniform - WZP_Q32_ONE, delay->cfg.spread);
}

/* A Poisson number of slots; within the last of more than `sharp` slots it is any time. */
static int64_t wifi_slots(wzp_sim_delay *delay, uint64_t slot, wzp_q32 mean, uint32_t sharp) {
    const uint32_t count = wzp_chance_poisson(&delay->prng, mean);
    const uint64_t within = count > sharp ? wzp_chance_between(&delay->prng, 0, slot - 1) : 0;
    return (int64_t)(count * slot - within);
}

static int64_t wifi(wzp_sim_delay *delay) {
    const uint64_t over = wzp_time_since(delay->cfg.spread, WIFI_SHORT);
    int64_t jitter = wifi_slots(delay, WIFI_SHORT, WZP_Q32_ONE, 0);
    if (wzp_chance_between(&delay->prng, 0, WIFI_WINDOW - 1) < over) {
        jitter += wifi_slots(delay, WIFI_LONG, WIFI_LONG_MEAN * WZP_Q32_ONE, 1);
    }
    return jitter;
}

/* --- trace ------------------------------------------------------------------------------------ */

/* The first point that lies after `at`; there is one. */
static size_t after(const wzp_sim_point *trace, size_t count, uint64_t at) {
    size_t low = 0;
    size_t high = count - 1;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (trace[middle].at > at) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* The last point ends the period; before the first one its delay holds. */
static int64_t trace(const wzp_sim_delay *delay, wzp_time leaves) {
    const wzp_sim_point *points = delay->cfg.trace;
    const size_t count = delay->cfg.trace_count;
    const uint64_t period = points[count - 1].at;
    if (period == 0) {
        return (int64_t)points[0].delay;
    }
    const uint64_t at = wzp_time_since(leaves, delay->start) % period;
    const size_t i = after(points, count, at);
    if (i == 0) {
        return (int64_t)points[0].delay;
    }
    const wzp_sim_point *a = &points[i - 1];
    const wzp_sim_point *b = &points[i];
    const int64_t from = (int64_t)a->delay;
    const int64_t step = (int64_t)b->delay - from;
    const wzp_q32 share = (wzp_q32)(((at - a->at) << 20) / (b->at - a->at) << 12);
    return from + (step < 0 ? -scale(share, (uint64_t)-step) : scale(share, (uint64_t)step));
}

/* --- all of them ------------------------------------------------------------------------------ */

static int64_t law(wzp_sim_delay *delay, wzp_time leaves) {
    switch (delay->cfg.law) {
    case WZP_SIM_DELAY_FIXED:
        return 0;
    case WZP_SIM_DELAY_UNIFORM:
        return uniform(delay);
    case WZP_SIM_DELAY_NORMAL:
        return normal(delay);
    case WZP_SIM_DELAY_LOGNORMAL:
        return lognormal(delay);
    case WZP_SIM_DELAY_PARETO:
        return pareto(delay);
    case WZP_SIM_DELAY_PARETO_NORMAL:
        return pareto_normal(delay);
    case WZP_SIM_DELAY_AR1:
        return ar1(delay);
    case WZP_SIM_DELAY_NETEM:
        return netem(delay);
    case WZP_SIM_DELAY_WIFI:
        return wifi(delay);
    case WZP_SIM_DELAY_TRACE:
        return trace(delay, leaves);
    }
    return 0;
}

uint64_t wzp_sim_delay_draw(wzp_sim_delay *delay, uint64_t base, wzp_time leaves) {
    const int64_t sum = (int64_t)base + law(delay, leaves);
    return sum < 0 ? 0 : (uint64_t)sum;
}

static bool skips(wzp_sim_delay *delay, uint64_t index) {
    const wzp_sim_delay_cfg *cfg = &delay->cfg;
    return (cfg->skip_every > 0 && (index + 1) % cfg->skip_every == 0) ||
           wzp_chance(&delay->skips, cfg->skip_ppm);
}

wzp_time wzp_sim_delay_arrival(wzp_sim_delay *delay, uint64_t base, wzp_time leaves) {
    const uint64_t index = delay->index++;
    if (skips(delay, index)) {
        return leaves; /* past all that are under way, which keep their order */
    }
    const wzp_time own = wzp_time_after(leaves, wzp_sim_delay_draw(delay, base, leaves));
    if (delay->cfg.reorder) {
        return own;
    }
    delay->last = own > delay->last ? own : delay->last;
    return delay->last;
}
