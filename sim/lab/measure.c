#include "sim/lab/measure.h"

#include <stdlib.h>

enum { RING = 1 << 16, MAP = 1 << 12 };

/* A packet under way: who made it, when, and when it went onto the link that it is on. */
typedef struct trip {
    uint64_t id;
    uint32_t from, to;
    wzp_time sent_at, hop_at;
} trip;

/* What an interface is, by the address of its name: names live as long as the fabric. */
typedef struct seen {
    const char *interface;
    uint32_t party; /* at its host; WZP_LAB_NONE: it is none of a host */
    uint32_t line;  /* that ends here; WZP_LAB_NONE */
} seen;

struct wzp_lab_measure {
    const wzp_lab_scenario *s;
    const wzp_lab_topology *topology;
    wzp_time start;
    uint64_t bin_ns;
    size_t bins;
    trip *ring;
    seen *map;
    wzp_lab_flow **flows;
    size_t flow_count, flow_cap;
    wzp_lab_line *lines;
    const char **line_ends; /* interface where each line arrives */
    size_t line_count;
};

/* --- interfaces ------------------------------------------------------------------------------ */

static uint32_t party_of(const wzp_lab_measure *m, const char *interface) {
    char name[WZP_LAB_NAME_MAX];
    const size_t len = strcspn(interface, ":");
    if (len >= sizeof name) {
        return WZP_LAB_NONE;
    }
    memcpy(name, interface, len);
    name[len] = '\0';
    for (size_t i = 0; i < m->s->host_count; i++) {
        if (strcmp(m->s->hosts[i].name, name) == 0) {
            return (uint32_t)i;
        }
    }
    for (size_t i = 0; i < m->s->relay_count; i++) {
        if (strcmp(m->s->relays[i].name, name) == 0) {
            return (uint32_t)(m->s->host_count + i);
        }
    }
    return WZP_LAB_NONE;
}

static seen *look_at(wzp_lab_measure *m, const char *interface) {
    size_t at = ((uintptr_t)interface >> 4) % MAP;
    for (size_t i = 0; i < MAP; i++, at = (at + 1) % MAP) {
        if (m->map[at].interface == interface) {
            return &m->map[at];
        }
        if (m->map[at].interface == NULL) {
            break;
        }
    }
    if (m->map[at].interface != NULL) {
        at = 0; /* full: this place is looked up again and again */
    }
    seen *s = &m->map[at];
    *s = (seen){interface, party_of(m, interface), WZP_LAB_NONE};
    for (size_t i = 0; i < m->line_count; i++) {
        s->line = strcmp(m->line_ends[i], interface) == 0 ? (uint32_t)i : s->line;
    }
    return s;
}

/* --- flows ----------------------------------------------------------------------------------- */

static wzp_lab_flow *flow_between(wzp_lab_measure *m, uint32_t from, uint32_t to) {
    for (size_t i = 0; i < m->flow_count; i++) {
        if (m->flows[i]->from == from && m->flows[i]->to == to) {
            return m->flows[i];
        }
    }
    if (m->flow_count == m->flow_cap) {
        const size_t cap = m->flow_cap == 0 ? 16 : 2 * m->flow_cap;
        wzp_lab_flow **flows = realloc(m->flows, cap * sizeof(wzp_lab_flow *));
        if (flows == NULL) {
            return NULL;
        }
        m->flows = flows;
        m->flow_cap = cap;
    }
    wzp_lab_flow *flow = calloc(1, sizeof *flow);
    if (flow != NULL) {
        flow->from = from;
        flow->to = to;
        m->flows[m->flow_count++] = flow;
    }
    return flow;
}

static size_t bin_at(const wzp_lab_measure *m, wzp_time now) {
    const uint64_t bin = wzp_time_since(now, m->start) / m->bin_ns;
    return bin < m->bins ? (size_t)bin : m->bins - 1;
}

static void on_sent(wzp_lab_measure *m, uint32_t party, const wzp_sim_packet *packet,
                    wzp_time now) {
    trip *t = &m->ring[packet->id % RING];
    *t = (trip){packet->id, party, wzp_lab_topology_at(m->topology, &packet->dst), now, now};
    wzp_lab_flow *flow = t->to != WZP_LAB_NONE ? flow_between(m, party, t->to) : NULL;
    if (flow != NULL) {
        flow->sent++;
        flow->bins[bin_at(m, now)].sent++;
    }
}

static void on_arrived(wzp_lab_measure *m, uint32_t party, const wzp_sim_packet *packet,
                       const trip *t, wzp_time now) {
    wzp_lab_flow *flow = flow_between(m, t->from, party);
    if (flow == NULL) {
        return;
    }
    const uint64_t delay = now - t->sent_at;
    wzp_lab_bin *bin = &flow->bins[bin_at(m, t->sent_at)];
    flow->delay_min = flow->arrived == 0 || delay < flow->delay_min ? delay : flow->delay_min;
    flow->delay_max = delay > flow->delay_max ? delay : flow->delay_max;
    flow->delay_sum += delay;
    flow->first_at = flow->arrived == 0 ? now : flow->first_at;
    flow->last_at = now;
    flow->arrived++;
    flow->bytes += packet->len;
    bin->arrived++;
    bin->delay_sum += delay;
    bin->delay_max = delay > bin->delay_max ? delay : bin->delay_max;
}

static void on_line(wzp_lab_measure *m, wzp_lab_line *line, const trip *t, wzp_time now) {
    const uint64_t transit = now - t->hop_at;
    uint64_t *most = &line->most[bin_at(m, now)];
    line->least = line->least == 0 || transit < line->least ? transit : line->least;
    *most = transit > *most ? transit : *most;
}

void wzp_lab_measure_packet(wzp_lab_measure *m, const char *interface, wzp_sim_way way,
                            const wzp_sim_packet *packet, wzp_time now) {
    const seen *s = look_at(m, interface);
    trip *t = &m->ring[packet->id % RING];
    if (way == WZP_SIM_WAY_OUT) {
        if (t->id == packet->id) {
            t->hop_at = now;
        } else if (s->party != WZP_LAB_NONE && packet->proto == WZP_SIM_UDP) {
            on_sent(m, s->party, packet, now);
        }
        return;
    }
    if (t->id != packet->id) {
        return; /* cross traffic, ICMP, copies */
    }
    if (s->line != WZP_LAB_NONE) {
        on_line(m, &m->lines[s->line], t, now);
    }
    if (s->party != WZP_LAB_NONE) {
        on_arrived(m, s->party, packet, t, now);
    }
}

bool wzp_lab_measure_knows(const wzp_lab_measure *m, const wzp_sim_packet *packet) {
    return m->ring[packet->id % RING].id == packet->id;
}

/* --- life ------------------------------------------------------------------------------------ */

static bool find_lines(wzp_lab_measure *m) {
    const size_t n = wzp_lab_topology_count(m->topology);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += wzp_lab_topology_element(m->topology, i)->access ? 1 : 0;
    }
    m->lines = calloc(count + 1, sizeof *m->lines);
    m->line_ends = calloc(count + 1, sizeof(char *));
    for (size_t i = 0; m->lines != NULL && m->line_ends != NULL && i < n; i++) {
        const wzp_lab_element *e = wzp_lab_topology_element(m->topology, i);
        if (e->access) {
            m->lines[m->line_count].name = e->name;
            m->line_ends[m->line_count++] = e->to;
        }
    }
    return m->lines != NULL && m->line_ends != NULL;
}

wzp_lab_measure *wzp_lab_measure_new(const wzp_lab_scenario *scenario,
                                     const wzp_lab_topology *topology, wzp_time start) {
    wzp_lab_measure *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return NULL;
    }
    m->s = scenario;
    m->topology = topology;
    m->start = start;
    const uint64_t least = scenario->duration / WZP_LAB_BINS_MAX + 1;
    m->bin_ns = least > 100 * WZP_MS ? least : 100 * WZP_MS;
    m->bins = (size_t)(scenario->duration / m->bin_ns + 1);
    m->bins = m->bins < WZP_LAB_BINS_MAX ? m->bins : WZP_LAB_BINS_MAX;
    m->ring = calloc(RING, sizeof *m->ring);
    m->map = calloc(MAP, sizeof *m->map);
    if (m->ring == NULL || m->map == NULL || !find_lines(m)) {
        wzp_lab_measure_free(&m);
    }
    return m;
}

void wzp_lab_measure_free(wzp_lab_measure **measure) {
    wzp_lab_measure *m = *measure;
    if (m == NULL) {
        return;
    }
    for (size_t i = 0; i < m->flow_count; i++) {
        free(m->flows[i]);
    }
    free(m->flows);
    free(m->lines);
    free(m->line_ends);
    free(m->ring);
    free(m->map);
    free(m);
    *measure = NULL;
}

/* --- what came of it -------------------------------------------------------------------------- */

uint64_t wzp_lab_measure_bin_ns(const wzp_lab_measure *m) {
    return m->bin_ns;
}

size_t wzp_lab_measure_bins(const wzp_lab_measure *m) {
    return m->bins;
}

size_t wzp_lab_measure_flows(const wzp_lab_measure *m) {
    return m->flow_count;
}

const wzp_lab_flow *wzp_lab_measure_flow(const wzp_lab_measure *m, size_t index) {
    return m->flows[index];
}

size_t wzp_lab_measure_lines(const wzp_lab_measure *m) {
    return m->line_count;
}

const wzp_lab_line *wzp_lab_measure_line(const wzp_lab_measure *m, size_t index) {
    return &m->lines[index];
}

uint32_t wzp_lab_measure_source(const wzp_lab_measure *m, uint32_t host, wzp_time from,
                                wzp_time until) {
    uint64_t best = 0;
    uint32_t source = WZP_LAB_NONE;
    for (size_t i = 0; i < m->flow_count; i++) {
        uint64_t arrived = 0;
        const wzp_lab_flow *flow = m->flows[i];
        for (size_t b = bin_at(m, m->start + from); b <= bin_at(m, m->start + until); b++) {
            arrived += flow->to == host ? flow->bins[b].arrived : 0;
        }
        if (arrived > best) {
            best = arrived;
            source = flow->from;
        }
    }
    return source;
}
