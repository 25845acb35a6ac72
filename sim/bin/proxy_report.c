#include "sim/bin/proxy_report.h"

#include <inttypes.h>

#include "sim/lab/report.h"

static void add_drops(wzp_sim_counts *sum, const wzp_sim_counts *one) {
    for (unsigned d = 0; d < WZP_SIM_DROP_COUNT; d++) {
        sum->dropped[d] += one->dropped[d];
    }
}

static wzp_sim_counts all_drops(const wzp_lab_topology *t) {
    wzp_sim_counts sum = {0};
    for (size_t i = 0; i < wzp_lab_topology_count(t); i++) {
        wzp_sim_counts one = {0};
        wzp_lab_element_count(t, wzp_lab_topology_element(t, i), &one);
        add_drops(&sum, &one);
    }
    return sum;
}

static void put_drops(FILE *out, const char *who, const wzp_sim_counts *counts) {
    for (unsigned d = 0; d < WZP_SIM_DROP_COUNT; d++) {
        if (counts->dropped[d] > 0) {
            (void)fprintf(out, "  dropped %-16s %-12s %" PRIu64 "\n", who,
                          wzp_sim_drop_name((wzp_sim_drop)d), counts->dropped[d]);
        }
    }
}

static void put_more(FILE *out, const char *what, uint64_t count) {
    if (count > 0) {
        (void)fprintf(out, "  %s %" PRIu64 "\n", what, count);
    }
}

void wzp_proxy_report_text(FILE *out, const wzp_proxy_summary *summary) {
    const wzp_lab_topology *t = wzp_sim_proxy_topology(summary->proxy);
    wzp_sim_proxy_counts c;
    wzp_sim_proxy_count(summary->proxy, &c);
    (void)fprintf(out, "%s, seed %" PRIu64 ", host %s: %" PRIu64 ".%" PRIu64 " s\n",
                  summary->scenario->name, summary->scenario->seed, summary->host,
                  summary->lasted / WZP_S, summary->lasted / (WZP_S / 10) % 10);
    (void)fprintf(out, "  %" PRIu64 " clients, %" PRIu64 " mappings\n", c.clients, c.mappings);
    (void)fprintf(out, "  from clients %" PRIu64 ", to upstream %" PRIu64 "\n", c.from_clients,
                  c.to_upstream);
    (void)fprintf(out, "  from upstream %" PRIu64 ", to clients %" PRIu64 "\n", c.from_upstream,
                  c.to_clients);
    put_more(out, "of these not from upstream itself", c.strangers);
    put_more(out, "refused, no room for more clients or mappings", c.refused);
    put_more(out, "unheard while the relay was down", c.unheard);
    put_more(out, "lost at real sockets", c.overflow + summary->unsent);
    for (size_t i = 0; i < wzp_lab_topology_count(t); i++) {
        const wzp_lab_element *e = wzp_lab_topology_element(t, i);
        wzp_sim_counts one = {0};
        wzp_lab_element_count(t, e, &one);
        put_drops(out, e->name, &one);
    }
}

json_t *wzp_proxy_report_json(const wzp_proxy_summary *summary) {
    const wzp_lab_topology *t = wzp_sim_proxy_topology(summary->proxy);
    const wzp_sim_counts drops = all_drops(t);
    uint64_t unsent = summary->unsent;
    wzp_sim_proxy_counts c;
    wzp_sim_proxy_count(summary->proxy, &c);
    unsent += c.overflow;
    return json_pack(
        "{s:s,s:I,s:s,s:f,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o}", "scenario",
        summary->scenario->name, "seed", (json_int_t)summary->scenario->seed, "host", summary->host,
        "seconds", (double)summary->lasted / 1e9, "clients", (json_int_t)c.clients, "mappings",
        (json_int_t)c.mappings, "from_clients", (json_int_t)c.from_clients, "to_upstream",
        (json_int_t)c.to_upstream, "from_upstream", (json_int_t)c.from_upstream, "to_clients",
        (json_int_t)c.to_clients, "strangers", (json_int_t)c.strangers, "refused",
        (json_int_t)c.refused, "unheard", (json_int_t)c.unheard, "unsent", (json_int_t)unsent,
        "dropped", wzp_lab_drops_json(&drops), "elements", wzp_lab_elements_json(t));
}
