#include "tools/pcap/flow/loss.h"

#define BASE (UINT64_C(1) << 32) /* of extended numbers: there is room below the first */

/* --- patterns --------------------------------------------------------------------------------- */

static void close_run(wzp_pcap_pattern *p) {
    if (p->run > 0) {
        p->runs++;
        p->longest_run = p->run > p->longest_run ? p->run : p->longest_run;
        p->run = 0;
    }
}

static void close_cluster(wzp_pcap_pattern *p) {
    if (p->cluster_lost > 1) { /* one alone is a loss in a gap */
        p->bursts++;
        p->burst_packets += p->cluster_packets;
        p->burst_lost += p->cluster_lost;
    }
    p->cluster_packets = p->cluster_lost = 0;
}

static void note_transition(wzp_pcap_pattern *p, bool is_lost) {
    if (p->started && p->was_lost) {
        p->after_lost++;
        p->received_after_lost += is_lost ? 0 : 1;
    } else if (p->started) {
        p->after_received++;
        p->lost_after_received += is_lost ? 1 : 0;
    }
    p->started = true;
    p->was_lost = is_lost;
}

void wzp_pcap_pattern_feed(wzp_pcap_pattern *p, bool is_lost) {
    note_transition(p, is_lost);
    p->packets++;
    if (!is_lost) {
        close_run(p);
        p->received++;
        return;
    }
    p->lost++;
    p->run++;
    if (p->cluster_lost > 0 && p->received < WZP_PCAP_GMIN) {
        p->cluster_packets += p->received + 1;
        p->cluster_lost++;
    } else {
        close_cluster(p);
        p->cluster_packets = p->cluster_lost = 1;
    }
    p->received = 0;
}

void wzp_pcap_pattern_close(wzp_pcap_pattern *p) {
    close_run(p);
    close_cluster(p);
}

/* --- the window ------------------------------------------------------------------------------- */

static bool is_here(const wzp_pcap_loss *l, uint64_t n) {
    const uint64_t at = n % WZP_PCAP_WINDOW;
    return (l->here[at / 64] >> (at % 64) & 1) != 0;
}

static void set_here(wzp_pcap_loss *l, uint64_t n, bool here) {
    const uint64_t at = n % WZP_PCAP_WINDOW;
    const uint64_t bit = UINT64_C(1) << (at % 64);
    l->here[at / 64] = here ? l->here[at / 64] | bit : l->here[at / 64] & ~bit;
}

static uint64_t lowest(const wzp_pcap_loss *l) {
    return l->highest - WZP_PCAP_WINDOW + 1;
}

static void feed_rest(const wzp_pcap_loss *l, wzp_pcap_pattern *p) {
    for (uint64_t n = l->first > lowest(l) ? l->first : lowest(l); n <= l->highest; n++) {
        wzp_pcap_pattern_feed(p, !is_here(l, n));
    }
}

static void begin(wzp_pcap_loss *l, uint32_t seq, uint32_t digest, uint64_t ns) {
    if (l->started) {
        feed_rest(l, &l->pattern);
        l->expected_before += l->highest - l->first + 1;
    }
    l->started = true;
    l->first = l->highest = BASE + seq;
    for (unsigned i = 0; i < WZP_PCAP_WINDOW; i++) {
        l->skipped_ns[i] = ns;
    }
    for (unsigned i = 0; i < WZP_PCAP_WINDOW / 64; i++) {
        l->here[i] = 0;
    }
    set_here(l, l->highest, true);
    l->digest[l->highest % WZP_PCAP_WINDOW] = digest;
}

static void advance(wzp_pcap_loss *l, uint64_t to, uint32_t digest, uint64_t ns) {
    while (l->highest < to) {
        const uint64_t leaves = lowest(l);
        if (leaves >= l->first) {
            wzp_pcap_pattern_feed(&l->pattern, !is_here(l, leaves));
        }
        l->highest++;
        set_here(l, l->highest, l->highest == to);
        l->skipped_ns[l->highest % WZP_PCAP_WINDOW] = ns;
    }
    l->digest[to % WZP_PCAP_WINDOW] = digest;
}

/* --- packets ---------------------------------------------------------------------------------- */

/* The extended number that is nearest to the highest one. */
static uint64_t extend(const wzp_pcap_loss *l, uint32_t seq) {
    const int32_t ahead = (int32_t)(seq - (uint32_t)l->highest);
    return l->highest + (uint64_t)(int64_t)ahead;
}

/* Behind the stray, as far as packets may be lost or overtake each other at such a time. */
static bool follows_stray(const wzp_pcap_loss *l, uint32_t seq) {
    const int32_t ahead = (int32_t)(seq - l->stray_seq);
    return l->has_stray && ahead > 0 && ahead < WZP_PCAP_WINDOW;
}

wzp_pcap_place wzp_pcap_loss_ask(const wzp_pcap_loss *l, uint32_t seq, uint32_t digest,
                                 uint64_t ns) {
    wzp_pcap_place place = {.kind = WZP_PCAP_ARRIVAL_NEXT};
    if (!l->started) {
        return place;
    }
    const int32_t ahead = (int32_t)(seq - (uint32_t)l->highest);
    const bool is_next = l->has_stray && seq == l->stray_seq + 1;
    if (ahead >= WZP_PCAP_JUMP || ahead <= -WZP_PCAP_WINDOW || is_next) {
        place.kind = follows_stray(l, seq) ? WZP_PCAP_ARRIVAL_RESET : WZP_PCAP_ARRIVAL_STRAY;
        return place;
    }
    if (ahead > 0) {
        place.missing = (uint32_t)ahead - 1;
        return place;
    }
    const uint64_t n = extend(l, seq);
    if (n >= l->first && is_here(l, n)) {
        place.kind = l->digest[n % WZP_PCAP_WINDOW] == digest ? WZP_PCAP_ARRIVAL_DUPLICATE
                                                              : WZP_PCAP_ARRIVAL_OTHER;
        return place;
    }
    place.kind = WZP_PCAP_ARRIVAL_REORDERED;
    place.distance = (uint32_t)-ahead;
    place.skipped_ns = l->skipped_ns[n % WZP_PCAP_WINDOW];
    place.late_ns = wzp_time_since(ns, place.skipped_ns);
    return place;
}

static void fill(wzp_pcap_loss *l, uint32_t seq, uint32_t digest, const wzp_pcap_place *place) {
    const uint64_t n = extend(l, seq);
    l->first = n < l->first ? n : l->first; /* what overtook the first one is not the first */
    set_here(l, n, true);
    l->digest[n % WZP_PCAP_WINDOW] = digest;
    l->reordered++;
    l->too_late += place->late_ns >= WZP_PCAP_LATE_NS ? 1 : 0;
    l->reorder_max = place->distance > l->reorder_max ? place->distance : l->reorder_max;
    l->late_max_ns = place->late_ns > l->late_max_ns ? place->late_ns : l->late_max_ns;
}

static void keep_stray(wzp_pcap_loss *l, uint32_t seq, uint32_t digest, uint64_t ns) {
    l->strays++;
    l->has_stray = true;
    l->stray_seq = seq;
    l->stray_digest = digest;
    l->stray_ns = ns;
}

/* What was called a stray was the first packet. */
static void reset(wzp_pcap_loss *l, uint32_t seq, uint32_t digest, uint64_t ns) {
    begin(l, l->stray_seq, l->stray_digest, l->stray_ns);
    advance(l, extend(l, seq), digest, ns);
    l->strays--;
    l->unique++;
    l->resets++;
}

wzp_pcap_place wzp_pcap_loss_take(wzp_pcap_loss *l, uint32_t seq, uint32_t digest, uint64_t ns) {
    const wzp_pcap_place place = wzp_pcap_loss_ask(l, seq, digest, ns);
    switch (place.kind) {
    case WZP_PCAP_ARRIVAL_NEXT:
        if (l->started) {
            advance(l, extend(l, seq), digest, ns);
        } else {
            begin(l, seq, digest, ns);
        }
        break;
    case WZP_PCAP_ARRIVAL_RESET:
        reset(l, seq, digest, ns);
        break;
    case WZP_PCAP_ARRIVAL_STRAY:
        keep_stray(l, seq, digest, ns);
        return place;
    case WZP_PCAP_ARRIVAL_REORDERED:
        fill(l, seq, digest, &place);
        break;
    case WZP_PCAP_ARRIVAL_DUPLICATE:
        l->duplicates++;
        return place;
    case WZP_PCAP_ARRIVAL_OTHER:
        l->others++;
        return place;
    }
    l->has_stray = false;
    l->unique++;
    return place;
}

bool wzp_pcap_loss_misses(const wzp_pcap_loss *l, uint32_t seq) {
    const wzp_pcap_place place = wzp_pcap_loss_ask(l, seq, 0, 0);
    return l->started && place.kind == WZP_PCAP_ARRIVAL_REORDERED && extend(l, seq) >= l->first;
}

/* --- figures ---------------------------------------------------------------------------------- */

static double share(uint64_t part, uint64_t whole) {
    return whole > 0 ? (double)part / (double)whole : 0;
}

void wzp_pcap_loss_sum(const wzp_pcap_loss *l, wzp_pcap_loss_figures *out) {
    *out = (wzp_pcap_loss_figures){0};
    if (!l->started) {
        return;
    }
    wzp_pcap_pattern p = l->pattern;
    feed_rest(l, &p);
    wzp_pcap_pattern_close(&p);
    out->expected = l->expected_before + l->highest - l->first + 1;
    out->lost = out->expected - l->unique;
    out->lost_percent = 100 * share(out->lost, out->expected);
    out->bursts = p.bursts;
    out->longest_run = p.longest_run;
    out->burst_packets = share(p.burst_packets, p.bursts);
    out->gap_packets = share(p.packets - p.burst_packets, p.bursts + 1);
    out->burst_density = share(p.burst_lost, p.burst_packets);
    out->gap_density = share(p.lost - p.burst_lost, p.packets - p.burst_packets);
    out->gilbert_p = share(p.lost_after_received, p.after_received);
    out->gilbert_r = share(p.received_after_lost, p.after_lost);
    out->burst_ratio = share(p.lost, p.runs) * (1 - share(p.lost, p.packets));
}
