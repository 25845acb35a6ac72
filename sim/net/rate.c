#include "sim/net/rate.h"

#define OPPORTUNITY 1504U /* bytes, as mahimahi counts them */

void wzp_sim_rate_init(wzp_sim_rate *rate, wzp_time start) {
    *rate = (wzp_sim_rate){.start = start, .left = OPPORTUNITY};
}

bool wzp_sim_rate_limited(const wzp_sim_rate_cfg *cfg) {
    return cfg->bits_per_s > 0 || cfg->opportunity_count > 0 || cfg->step_count > 0;
}

/* --- opportunities ---------------------------------------------------------------------------- */

static uint64_t period_ns(const wzp_sim_rate_cfg *cfg) {
    return cfg->opportunities[cfg->opportunity_count - 1] * WZP_MS;
}

static wzp_time opportunity(const wzp_sim_rate *rate, uint64_t index) {
    const uint64_t count = rate->cfg.opportunity_count;
    return rate->start + index / count * period_ns(&rate->cfg) +
           rate->cfg.opportunities[index % count] * WZP_MS;
}

/* Opportunities that passed with nobody there are lost. */
static void skip_passed(wzp_sim_rate *rate, wzp_time now) {
    if (opportunity(rate, rate->next) >= now) {
        return;
    }
    const uint64_t count = rate->cfg.opportunity_count;
    const uint64_t since = now - rate->start;
    const uint64_t period = since / period_ns(&rate->cfg);
    uint64_t low = period > 0 ? (period - 1) * count : 0; /* whose end may be `now` */
    low = low > rate->next ? low : rate->next;
    uint64_t high = (period + 1) * count;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (opportunity(rate, middle) >= now) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    rate->next = low;
    rate->left = OPPORTUNITY;
}

/* What does not fit into one opportunity goes on in the next. */
static wzp_time use_opportunities(wzp_sim_rate *rate, uint32_t len) {
    while (len > rate->left) {
        len -= rate->left;
        rate->next++;
        rate->left = OPPORTUNITY;
    }
    const wzp_time leaves = opportunity(rate, rate->next);
    rate->left -= len;
    if (rate->left == 0) {
        rate->next++;
        rate->left = OPPORTUNITY;
    }
    return leaves;
}

/* --- line and bucket -------------------------------------------------------------------------- */

/* From `from` on for `work` bit * 10^9; nothing is lost to rounding, however long it runs. */
static wzp_time later(wzp_sim_rate *rate, wzp_time from, uint64_t work) {
    work += rate->rest;
    rate->rest = work % rate->cfg.bits_per_s;
    return wzp_time_after(from, work / rate->cfg.bits_per_s);
}

/* The step that holds at `at` of a period: its index, and until when. */
static size_t step_at(const wzp_sim_rate_cfg *cfg, uint64_t at, uint64_t *until) {
    size_t low = 0;
    size_t high = cfg->step_count - 1; /* which begins after `at` */
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (cfg->steps[middle].at > at) {
            high = middle;
        } else {
            low = middle;
        }
    }
    *until = cfg->steps[high].at;
    return low;
}

static uint64_t step_period(const wzp_sim_rate_cfg *cfg) {
    return cfg->steps[cfg->step_count - 1].at;
}

/* Step by step until all is sent. */
static wzp_time later_by_steps(wzp_sim_rate *rate, wzp_time from, uint64_t work) {
    for (;;) {
        uint64_t until = 0;
        const uint64_t at = (from - rate->start) % step_period(&rate->cfg);
        const size_t i = step_at(&rate->cfg, at, &until);
        const uint64_t bits_per_s = rate->cfg.steps[i].bits_per_s;
        const uint64_t ns = until - at;
        if (bits_per_s > 0 && work / bits_per_s < ns) {
            return from + work / bits_per_s + (work % bits_per_s > 0 ? 1 : 0);
        }
        work -= bits_per_s * ns;
        from += ns;
    }
}

static uint64_t mean_of_steps(const wzp_sim_rate_cfg *cfg) {
    const uint64_t period_us = step_period(cfg) / WZP_US;
    uint64_t bits = 0;
    for (size_t i = 0; i + 1 < cfg->step_count; i++) {
        const uint64_t us = (cfg->steps[i + 1].at - cfg->steps[i].at) / WZP_US;
        bits += cfg->steps[i].bits_per_s / 1000 * us / 1000;
    }
    return bits / (period_us / 1000) * 1000;
}

static uint64_t fill_ns(const wzp_sim_rate *rate, uint32_t bytes) {
    return bytes * UINT64_C(8) * WZP_S / rate->cfg.bits_per_s;
}

/* The bucket holds a packet's bytes when it is that much less than `burst` away from full.  A
 * packet larger than the bucket waits until it is full and takes it below empty. */
static wzp_time bucket_ready(const wzp_sim_rate *rate, wzp_time now, uint32_t len) {
    const uint32_t burst = rate->cfg.burst;
    const uint64_t spare = fill_ns(rate, len < burst ? burst - len : 0);
    return now + spare >= rate->free ? now : rate->free - spare;
}

/* --- all of them ------------------------------------------------------------------------------ */

void wzp_sim_rate_set(wzp_sim_rate *rate, const wzp_sim_rate_cfg *cfg) {
    if (cfg->opportunities != rate->cfg.opportunities) {
        rate->next = 0;
        rate->left = OPPORTUNITY;
    }
    if ((cfg->burst > 0) != (rate->cfg.burst > 0)) {
        rate->free = 0; /* a line is idle and a bucket full when it is new */
    }
    rate->cfg = *cfg;
    rate->rest = 0;
}

wzp_time wzp_sim_rate_ready(wzp_sim_rate *rate, wzp_time now, uint32_t len) {
    if (rate->cfg.opportunity_count > 0) {
        skip_passed(rate, now);
        return opportunity(rate, rate->next);
    }
    if (!wzp_sim_rate_limited(&rate->cfg)) {
        return now;
    }
    if (rate->cfg.burst > 0) {
        return bucket_ready(rate, now, len);
    }
    return rate->free > now ? rate->free : now;
}

wzp_time wzp_sim_rate_send(wzp_sim_rate *rate, wzp_time now, uint32_t len) {
    if (rate->cfg.opportunity_count > 0) {
        return use_opportunities(rate, len);
    }
    if (!wzp_sim_rate_limited(&rate->cfg)) {
        return now;
    }
    if (rate->free < now) {
        rate->free = now;
        rate->rest = 0;
    }
    const uint64_t work = len * UINT64_C(8) * WZP_S;
    if (rate->cfg.step_count > 0) {
        rate->free = later_by_steps(rate, rate->free, work);
        return rate->free;
    }
    rate->free = later(rate, rate->free, work);
    return rate->cfg.burst > 0 ? now : rate->free;
}

uint64_t wzp_sim_rate_bytes(const wzp_sim_rate_cfg *cfg, uint64_t ns) {
    if (cfg->opportunity_count > 0) {
        const uint64_t bytes = cfg->opportunity_count * (uint64_t)OPPORTUNITY;
        return bytes * (ns / WZP_US) / (period_ns(cfg) / WZP_US);
    }
    const uint64_t per_s = (cfg->step_count > 0 ? mean_of_steps(cfg) : cfg->bits_per_s) / 8;
    return ns / WZP_S * per_s + ns % WZP_S * per_s / WZP_S;
}
