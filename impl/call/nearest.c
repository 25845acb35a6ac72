#include "call/nearest.h"

#define INTERVAL_DEFAULT (300 * WZP_S)

/* --- a round ---------------------------------------------------------------------------------- */

static void begin_round(wzp_nearest *n) {
    n->queue_count = n->map.count;
    n->queue_at = 0;
    for (size_t i = 0; i < n->map.count; i++) {
        n->queue[i] = n->map.entries[i].addr;
    }
    n->is_in_round = true;
    n->is_again = false;
    n->next_at = WZP_TIME_NEVER;
}

static void end_round(wzp_nearest *n, wzp_time now) {
    const wzp_relay_entry *chosen = wzp_relay_map_choose(&n->map, &n->current);
    const wzp_addr none = {.family = WZP_ADDR_NONE};
    const wzp_addr addr = chosen != NULL ? chosen->addr : none;
    n->is_news = n->is_news || !wzp_addr_equal(&addr, &n->current);
    n->current = addr;
    n->rounds++;
    n->is_in_round = false;
    n->next_at = n->is_again ? now : wzp_time_after(now, n->interval);
}

/* The map has what the probe found; its place is free. */
static void take(wzp_nearest *n, wzp_relay_probe *p, wzp_time now) {
    if (p->state == WZP_RELAY_PROBE_ANSWERED) {
        wzp_relay_map_answered(&n->map, &p->relay, (uint32_t)((p->rtt + WZP_MS / 2) / WZP_MS), now);
    } else if (p->state == WZP_RELAY_PROBE_FAILED) {
        wzp_relay_map_unreachable(&n->map, &p->relay);
    }
    p->state = WZP_RELAY_PROBE_IDLE;
}

/* Places that are free get the next relays.  True: something is under way. */
static bool fill(wzp_nearest *n, wzp_time now) {
    bool is_busy = false;
    for (size_t i = 0; i < WZP_NEAREST_AT_ONCE; i++) {
        wzp_relay_probe *p = &n->probes[i];
        wzp_relay_probe_tick(p, now);
        while (wzp_relay_probe_is_over(p)) {
            take(n, p, now);
            if (n->queue_at == n->queue_count) {
                break;
            }
            wzp_relay_probe_start(p, n->endpoint, &n->queue[n->queue_at++], WZP_RELAY_PROBE_PING,
                                  n->timeout, now);
        }
        is_busy = is_busy || !wzp_relay_probe_is_over(p);
    }
    return is_busy;
}

/* --- what its user does ----------------------------------------------------------------------- */

void wzp_nearest_init(wzp_nearest *n, wzp_endpoint *endpoint, uint64_t interval, uint64_t timeout) {
    *n = (wzp_nearest){.endpoint = endpoint,
                       .interval = interval != 0 ? interval : INTERVAL_DEFAULT,
                       .timeout = timeout,
                       .next_at = WZP_TIME_NEVER};
}

void wzp_nearest_registered(wzp_nearest *n, wzp_bytes name, const wzp_addr *addr, wzp_bytes region,
                            const wzp_list_str *listed, wzp_time now) {
    (void)!wzp_relay_map_upsert(&n->map, name, addr, region); /* what does not fit is counted */
    for (size_t i = 0; i < listed->count; i++) {
        (void)wzp_relay_map_add_listed(&n->map, listed->items[i], addr);
    }
    n->is_again = n->is_in_round;
    n->next_at = n->is_in_round ? WZP_TIME_NEVER : now;
}

void wzp_nearest_tick(wzp_nearest *n, wzp_time now) {
    if (!n->is_in_round && n->next_at <= now) {
        begin_round(n);
    }
    if (n->is_in_round && !fill(n, now)) {
        end_round(n, now);
    }
}

wzp_time wzp_nearest_deadline(const wzp_nearest *n) {
    wzp_time first = n->next_at;
    for (size_t i = 0; i < WZP_NEAREST_AT_ONCE; i++) {
        const wzp_relay_probe *p = &n->probes[i];
        /* One that is over waits to be taken. */
        const wzp_time due = p->state >= WZP_RELAY_PROBE_ANSWERED ? 0 : wzp_relay_probe_deadline(p);
        first = wzp_time_min(first, due);
    }
    return first;
}

const wzp_relay_entry *wzp_nearest_preferred(const wzp_nearest *n) {
    for (size_t i = 0; i < n->map.count; i++) {
        if (wzp_addr_equal(&n->map.entries[i].addr, &n->current)) {
            return &n->map.entries[i];
        }
    }
    return NULL;
}

const wzp_relay_entry *wzp_nearest_news(wzp_nearest *n) {
    const bool is_news = n->is_news;
    n->is_news = false;
    return is_news ? wzp_nearest_preferred(n) : NULL;
}

void wzp_nearest_stop(wzp_nearest *n, wzp_time now) {
    for (size_t i = 0; i < WZP_NEAREST_AT_ONCE; i++) {
        wzp_relay_probe_stop(&n->probes[i], now);
        n->probes[i].state = WZP_RELAY_PROBE_IDLE;
    }
    n->is_in_round = n->is_again = false;
    n->next_at = WZP_TIME_NEVER;
}
