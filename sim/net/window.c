#include "sim/net/window.h"

#define ONE WZP_SIM_WINDOW_ONE
#define INITIAL (10 * ONE) /* RFC 6928 */
#define LEAST (2 * ONE)
#define MOST (UINT64_C(50000) * ONE)
#define LONGEST_MS INT64_C(100000) /* on the cubic curve; far beyond MOST */

/* RFC 9406 4.3: so many samples, so much longer than the least. */
#define SLOW_SAMPLES 8
#define SLOW_LEAST (4 * WZP_MS)
#define SLOW_MOST (16 * WZP_MS)

void wzp_sim_window_init(wzp_sim_window *window, bool cubic) {
    *window = (wzp_sim_window){
        .cubic = cubic, .size = INITIAL, .threshold = MOST, .least_rtt = UINT64_MAX};
}

/* A queue builds up: the window is large enough. */
static bool slow_start_is_over(wzp_sim_window *window, uint64_t rtt) {
    window->least_rtt = rtt < window->least_rtt ? rtt : window->least_rtt;
    uint64_t margin = window->least_rtt / 8;
    margin = margin < SLOW_LEAST ? SLOW_LEAST : margin;
    margin = margin > SLOW_MOST ? SLOW_MOST : margin;
    window->slow = rtt >= window->least_rtt + margin ? window->slow + 1 : 0;
    return window->slow >= SLOW_SAMPLES;
}

static uint64_t cube_root(uint64_t x) {
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 21; bit > 0; bit >>= 1) {
        const uint64_t larger = root | bit;
        if (larger <= UINT64_C(2642245) && larger * larger * larger <= x) { /* the cube fits */
            root = larger;
        }
    }
    return root;
}

/* 0.4 t^3 packets, t in seconds; negative left of the peak. */
static int64_t curve(int64_t ms) {
    const int64_t t = ms > LONGEST_MS ? LONGEST_MS : ms < -LONGEST_MS ? -LONGEST_MS : ms;
    return t * t * t / 10000 * 4 * (int64_t)ONE / 1000000;
}

static void grow_reno(wzp_sim_window *window) {
    window->size += ONE * ONE / window->size;
}

static void begin_epoch(wzp_sim_window *window, wzp_time now) {
    window->epoch = now;
    window->friendly = window->size;
    const uint64_t climb = window->peak > window->size ? window->peak - window->size : 0;
    window->k_ms = cube_root(climb * UINT64_C(2500000000) / ONE); /* climb / 0.4, in ms^3 */
}

static void grow_cubic(wzp_sim_window *window, uint64_t rtt, wzp_time now) {
    if (window->epoch == 0) { /* slow start ended without a loss of this epoch */
        window->peak = window->size;
        begin_epoch(window, now);
    }
    const uint64_t size = window->size;
    const int64_t ms = (int64_t)((now - window->epoch + rtt) / WZP_MS);
    const int64_t cubic = (int64_t)window->peak + curve(ms - (int64_t)window->k_ms);
    window->friendly += ONE * ONE / size * (window->friendly < window->peak ? 9 : 17) / 17;
    uint64_t target = cubic < (int64_t)size ? size : (uint64_t)cubic;
    target = target > size + size / 2 ? size + size / 2 : target;
    window->size += (target - size) * ONE / size;
    if (window->size < window->friendly) {
        window->size = window->friendly;
    }
}

void wzp_sim_window_grow(wzp_sim_window *window, uint64_t rtt, wzp_time now) {
    if (window->size < window->threshold && window->cubic && slow_start_is_over(window, rtt)) {
        window->threshold = window->size;
    }
    if (window->size < window->threshold) {
        window->size += ONE;
    } else if (window->cubic) {
        grow_cubic(window, rtt, now);
    } else {
        grow_reno(window);
    }
    window->size = window->size > MOST ? MOST : window->size;
}

void wzp_sim_window_shrink(wzp_sim_window *window, wzp_time now) {
    const uint64_t size = window->size;
    window->threshold = window->cubic ? size / 10 * 7 : size / 2;
    window->threshold = window->threshold < LEAST ? LEAST : window->threshold;
    window->peak = size < window->last_peak ? size / 20 * 17 : size; /* fast convergence */
    window->last_peak = size;
    window->size = window->threshold;
    if (window->cubic) {
        begin_epoch(window, now);
    }
}

void wzp_sim_window_timeout(wzp_sim_window *window) {
    window->threshold = window->size / 2 < LEAST ? LEAST : window->size / 2;
    window->size = ONE;
    window->epoch = 0;
}
