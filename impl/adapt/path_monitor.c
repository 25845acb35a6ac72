#include "adapt/path_monitor.h"

enum { MILLION = 1000000, WEIGHT = 10, FAR = 3, DEPLOYED_PACKET_BYTES = 100 };

/* Longer than any round trip that QUIC would wait for, and its square fits 64 bits. */
#define RTT_MAX (4 * WZP_S)

/* Where round trips hardly vary, three times their jitter is nothing. */
#define LEAST_CHANGE (20 * WZP_MS)

void wzp_path_monitor_init(wzp_path_monitor *monitor, wzp_adapt_policy policy) {
    *monitor = (wzp_path_monitor){.policy = policy};
}

static uint64_t distance(uint64_t a, uint64_t b) {
    return a > b ? a - b : b - a;
}

static uint64_t ewma(uint64_t old, uint64_t sample) {
    return sample > old ? old + (sample - old) / WEIGHT : old - (old - sample) / WEIGHT;
}

void wzp_path_monitor_rtt(wzp_path_monitor *m, uint64_t rtt) {
    rtt = rtt < RTT_MAX ? rtt : RTT_MAX;
    if (m->samples > 0) {
        const uint64_t change = distance(rtt, m->window[(m->samples - 1) % WZP_PATH_WINDOW]);
        m->jitter = m->jitter == 0 ? change : ewma(m->jitter, change);
    }
    m->rtt = m->rtt == 0 ? rtt : ewma(m->rtt, rtt);
    m->window[m->samples++ % WZP_PATH_WINDOW] = rtt;
}

static uint64_t ratio_ppm(uint64_t part, uint64_t whole) {
    return part >= whole ? MILLION : part * MILLION / whole;
}

/* Compares directions: what came with what was sent. */
static void count_as_deployed(wzp_path_monitor *m, const wzp_path_counts *counts, wzp_time now) {
    const uint64_t ms = wzp_time_since(now, m->began_at) / WZP_MS;
    const uint64_t missing = counts->packets_sent > counts->packets_received
                                 ? counts->packets_sent - counts->packets_received
                                 : 0;
    m->bps = ms > 0 ? counts->packets_received * DEPLOYED_PACKET_BYTES * 8 * 1000 / ms : 0;
    if (counts->packets_sent > 0) {
        const uint64_t ppm = ratio_ppm(missing, counts->packets_sent);
        m->loss_ppm = m->loss_ppm == 0 ? ppm : ewma(m->loss_ppm, ppm);
    }
}

static bool is_going_on(const wzp_path_counts *before, const wzp_path_counts *now) {
    return now->packets_sent >= before->packets_sent && now->packets_lost >= before->packets_lost &&
           now->bytes_received >= before->bytes_received;
}

static void count(wzp_path_monitor *m, const wzp_path_counts *counts, wzp_time now) {
    const uint64_t ms = wzp_time_since(now, m->counted_at) / WZP_MS;
    if (!is_going_on(&m->counts, counts)) {
        return; /* another connection */
    }
    if (ms > 0) {
        m->bps = (counts->bytes_received - m->counts.bytes_received) * 8 * 1000 / ms;
    }
    const uint64_t sent = counts->packets_sent - m->counts.packets_sent;
    if (sent > 0) {
        const uint64_t ppm = ratio_ppm(counts->packets_lost - m->counts.packets_lost, sent);
        m->loss_ppm = m->has_loss ? ewma(m->loss_ppm, ppm) : ppm;
        m->has_loss = true;
    }
}

void wzp_path_monitor_count(wzp_path_monitor *m, const wzp_path_counts *counts, wzp_time now) {
    if (m->policy == WZP_ADAPT_DEPLOYED) {
        m->began_at = m->has_counts ? m->began_at : now;
        count_as_deployed(m, counts, now);
    } else if (m->has_counts) {
        count(m, counts, now);
    }
    m->has_counts = true;
    m->counts = *counts;
    m->counted_at = now;
}

static uint64_t root(uint64_t square) {
    uint64_t low = 0;
    uint64_t high = UINT32_MAX;
    while (low < high) {
        const uint64_t middle = low + (high - low + 1) / 2;
        if (middle <= square / middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

uint64_t wzp_path_monitor_deviation(const wzp_path_monitor *m) {
    const size_t n = m->samples < WZP_PATH_WINDOW ? m->samples : (size_t)WZP_PATH_WINDOW;
    if (n < 2) {
        return 0;
    }
    uint64_t sum = 0;
    uint64_t squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += m->window[i];
    }
    for (size_t i = 0; i < n; i++) {
        const uint64_t us = distance(m->window[i], sum / n) / WZP_US;
        squares += us * us;
    }
    return root(squares / n) * WZP_US;
}

bool wzp_path_monitor_handoff(const wzp_path_monitor *m) {
    const bool is_known =
        m->policy == WZP_ADAPT_DEPLOYED ? m->samples > 0 : m->samples >= WZP_PATH_WINDOW;
    const uint64_t least = m->policy == WZP_ADAPT_DEPLOYED ? 0 : LEAST_CHANGE;
    const uint64_t change =
        is_known ? distance(m->window[(m->samples - 1) % WZP_PATH_WINDOW], m->rtt) : 0;
    return change > least && change > FAR * m->jitter;
}

uint32_t wzp_path_monitor_jitter_ms(const wzp_path_monitor *m) {
    return (uint32_t)(m->jitter / WZP_MS);
}
