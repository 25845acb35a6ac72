/* Links of any description, changed at any time: no packet is lost or made without being counted,
 * none overtakes another where that is not allowed, and it all ends. */
#include "sim/net/link.h"

#include "base/testing/suite.h"
#include "sim/net/testing/bench.h"

static uint64_t draw(wzp_prng *prng, uint64_t low, uint64_t high) {
    return wzp_chance_between(prng, low, high);
}

/* Of any size up to `high`: small ones as often as large ones. */
static uint64_t size(wzp_prng *prng, uint64_t high) {
    const uint64_t value = wzp_chance_u64(prng) >> draw(prng, 0, 63);
    return high == UINT64_MAX ? value : value % (high + 1);
}

/* Mostly small; none and all are among them. */
static uint32_t ppm(wzp_prng *prng) {
    const uint64_t kind = draw(prng, 0, 19);
    return kind == 0 ? WZP_PPM : kind < 8 ? 0 : (uint32_t)size(prng, WZP_PPM);
}

static const wzp_sim_point points[] = {{0, WZP_S}, {WZP_MS, 0}, {WZP_S, 90 * WZP_MS}};
static const uint64_t indexes[] = {0, 1, 5, 100};
static const uint32_t opportunities[] = {1, 1, 1, 7, 30, 31, 31};
static const wzp_sim_rate_step steps[] = {{0, 8}, {WZP_S, UINT64_C(100000000)}, {2 * WZP_S, 0}};

static void any_delay(wzp_prng *prng, wzp_sim_delay_cfg *out) {
    *out = (wzp_sim_delay_cfg){
        .law = (wzp_sim_delay_law)draw(prng, 0, WZP_SIM_DELAY_TRACE),
        .base = size(prng, wzp_chance(prng, 50000) ? 1000 * WZP_S : WZP_S),
        .spread = size(prng, wzp_chance(prng, 50000) ? 100 * WZP_S : WZP_S),
        .shape_milli = (uint32_t)size(prng, 3000),
        .rho_ppm = ppm(prng),
        .trace = points,
        .trace_count = WZP_COUNT_OF(points),
        .reorder = wzp_chance(prng, 200000),
        .skip_every = wzp_chance(prng, 100000) ? (uint32_t)draw(prng, 1, 10) : 0,
    };
}

static void any_loss(wzp_prng *prng, wzp_sim_loss_cfg *out) {
    *out = (wzp_sim_loss_cfg){
        .model = (wzp_sim_loss_model)draw(prng, 0, WZP_SIM_LOSS_LIST),
        .p = ppm(prng),
        .r = ppm(prng),
        .bad = ppm(prng),
        .good = ppm(prng),
        .p13 = ppm(prng),
        .p31 = ppm(prng),
        .p32 = ppm(prng),
        .p23 = ppm(prng),
        .p14 = ppm(prng),
        .slot = wzp_chance(prng, 500000) ? size(prng, WZP_S) : 0,
        .max_burst = (uint32_t)draw(prng, 0, 5),
    };
    if (out->model == WZP_SIM_LOSS_PATTERN) {
        out->pattern = (const uint8_t *)"0110100";
        out->count = 7;
    } else {
        out->list = indexes;
        out->count = WZP_COUNT_OF(indexes);
    }
}

static void any_rate(wzp_prng *prng, wzp_sim_rate_cfg *out) {
    *out = (wzp_sim_rate_cfg){.overhead = (uint32_t)size(prng, 65535)};
    switch (draw(prng, 0, 4)) {
    case 0:
        break;
    case 1:
        out->opportunities = opportunities;
        out->opportunity_count = WZP_COUNT_OF(opportunities);
        break;
    case 2:
        out->steps = steps;
        out->step_count = WZP_COUNT_OF(steps);
        break;
    case 3:
        out->burst = (uint32_t)size(prng, UINT32_MAX);
        out->bits_per_s = size(prng, UINT64_C(100000000));
        break;
    default:
        out->bits_per_s = size(prng, UINT64_C(100000000));
    }
}

static void any_queue(wzp_prng *prng, wzp_sim_queue_cfg *out) {
    *out = (wzp_sim_queue_cfg){
        .kind = (wzp_sim_queue_kind)draw(prng, 0, WZP_SIM_QUEUE_DUAL),
        .limit_packets = (uint32_t)size(prng, 10000),
        .limit_bytes = wzp_chance(prng, 300000) ? (uint32_t)size(prng, UINT32_MAX) : 0,
        .limit_ns = wzp_chance(prng, 300000) ? size(prng, 1000 * WZP_S) : 0,
        .target = size(prng, 1000 * WZP_S),
        .interval = size(prng, 1000 * WZP_S),
        .ecn = wzp_chance(prng, 500000),
    };
}

static void any_outages(wzp_prng *prng, wzp_sim_link_cfg *out) {
    out->outage = (wzp_sim_outage_cfg){
        .kind = (wzp_sim_outage_kind)draw(prng, 0, WZP_SIM_OUTAGE_HANDOVER),
        .first = size(prng, 10 * WZP_S),
        .on = size(prng, 10 * WZP_S) + WZP_MS,
        .on_to = size(prng, UINT64_MAX),
        .off = size(prng, WZP_S) + WZP_MS,
        .off_to = size(prng, UINT64_MAX),
        .hold = wzp_chance(prng, 500000),
    };
    out->slots = (wzp_sim_slots_cfg){
        .on = wzp_chance(prng, 300000),
        .base_to = size(prng, WZP_S),
        .gap_to = size(prng, 10 * WZP_S),
        .burst_loss_ppm = ppm(prng),
        .outage_every = size(prng, 100 * WZP_S),
        .outage_from = 1,
        .outage_to = 1 + size(prng, WZP_S),
    };
}

static void any_cross(wzp_prng *prng, wzp_sim_cross_cfg *out) {
    *out = (wzp_sim_cross_cfg){
        .kind = (wzp_sim_cross_kind)draw(prng, 0, WZP_SIM_CROSS_CUBIC),
        .bits_per_s = size(prng, 10000000),
        .flows = (uint32_t)draw(prng, 0, 5),
        .packet = (uint32_t)size(prng, 65535),
        .rtt = size(prng, 100 * WZP_S),
        .from = size(prng, WZP_S),
    };
}

/* Changes one part; what does not pass the check changes nothing. */
static void change(wzp_prng *prng, wzp_sim_link_cfg *out) {
    wzp_sim_link_cfg cfg = *out;
    switch (draw(prng, 0, 7)) {
    case 0:
        any_delay(prng, &cfg.delay);
        break;
    case 1:
        any_loss(prng, &cfg.loss);
        break;
    case 2:
        any_rate(prng, &cfg.rate);
        break;
    case 3:
        any_queue(prng, &cfg.queue);
        break;
    case 4:
        any_outages(prng, &cfg);
        break;
    case 5:
        any_cross(prng, &cfg.cross[draw(prng, 0, WZP_SIM_CROSS_MAX - 1)]);
        break;
    case 6:
        cfg.mangle = (wzp_sim_mangle_cfg){
            .duplicate_ppm = wzp_chance(prng, 200000) ? ppm(prng) : 0,
            .duplicate_to = size(prng, WZP_S),
            .corrupt_ppm = ppm(prng),
        };
        break;
    default:
        cfg.mtu = wzp_chance(prng, 200000) ? (uint32_t)draw(prng, 68, 1500) : 0;
    }
    wzp_fail fail;
    if (wzp_sim_link_check(&cfg, &fail) == WZP_OK) {
        *out = cfg;
    }
}

static void any(wzp_prng *prng, wzp_sim_link_cfg *out) {
    for (uint64_t changes = draw(prng, 1, 20); changes > 0; changes--) {
        change(prng, out);
    }
}

static bool may_overtake(const wzp_sim_link_cfg *cfg) {
    return cfg->delay.reorder || cfg->delay.skip_every > 0 || cfg->mangle.duplicate_ppm > 0 ||
           cfg->queue.kind == WZP_SIM_QUEUE_FQ_CODEL || cfg->queue.kind == WZP_SIM_QUEUE_DUAL;
}

START_TEST(any_link) {
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "any link");
    wzp_sim_link_cfg cfg = {0};
    any(&prng, &cfg);
    bench b;
    bench_open(&b, &cfg, (uint64_t)_i);
    bool in_order = !may_overtake(&cfg);
    wzp_time at = 0;
    for (size_t i = 0; i < 400; i++) {
        at += size(&prng, 50 * WZP_MS);
        bench_send_as(&b, at, (uint32_t)draw(&prng, 28 + BENCH_NUMBER, 1600),
                      (uint8_t)draw(&prng, 0, 3), (uint16_t)draw(&prng, 1, 50));
        if (wzp_chance(&prng, 10000)) {
            any(&prng, &cfg);
            wzp_sim_link_set(b.link, &cfg);
            in_order = in_order && !may_overtake(&cfg);
        }
        if (wzp_chance(&prng, 30000)) {
            wzp_sim_link_cut(b.link, wzp_chance(&prng, 300000), wzp_chance(&prng, 500000));
        }
        bench_counts(&b);
    }
    bench_run(&b, at + 5 * WZP_S);
    bench_counts(&b);
    for (size_t i = 1; in_order && i < b.count; i++) {
        bench_expect(b.arrivals[i].corrupted || b.arrivals[i - 1].corrupted ||
                     b.arrivals[i].seq > b.arrivals[i - 1].seq);
    }
    bench_close(&b);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("link_random");
    tcase_add_loop_test(tc, any_link, 0, 100);
    return wzp_run_suite("link_random", tc);
}
