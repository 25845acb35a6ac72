/* Every key of lines, boxes and gateways ends in the place that it names. */
#include <check.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "sim/lab/testing/text.h"

static wzp_lab_scenario *scenario_of(const char *way) {
    char text[4096];
    (void)snprintf(text, sizeof text, "name = \"t\"\n[host.y]\n[host.x]\n%s", way);
    return seeded(text, 1);
}

static const wzp_lab_way *way_of(const wzp_lab_scenario *s) {
    for (size_t i = 0; i < s->host_count; i++) {
        if (s->hosts[i].name[0] == 'x') {
            return &s->hosts[i].ways[0];
        }
    }
    return NULL;
}

#define IS(what, value) ck_assert_uint_eq((uint64_t)(what), (uint64_t)(value))

START_TEST(nat) {
    wzp_lab_scenario *s = scenario_of(
        "nat = {preset = \"fullcone\", mapping = \"ADM\", filtering = \"APDF\", ports = "
        "\"contiguous\", fallback = \"next-higher\", delta = 3, skip = \"4 %\", per_host_counter = "
        "true, parity = true, keep_well_known = true, first_port = 2005, last_port = 60006, "
        "hairpin = \"internal\", arbitrary_pooling = true, unreplied = \"7 s\", replied = "
        "\"8 s\", well_known = \"9 s\", permission = \"10 s\", hold_down = \"11 s\", "
        "no_refresh_out = true, no_refresh_in = true, quota = 12, quota_total = 13, new_per_s = "
        "14, new_burst = 15, alg_stun = true, icmp_on_miss = true, icmp_kills_mapping = true, "
        "degrade_on_collision = true, port_map_reply_only = true, foreign = \"16 /s\", processing "
        "= \"17 ms\"}\n");
    const wzp_sim_nat_cfg *n = &way_of(s)->boxes[0].nat;
    IS(n->mapping, WZP_SIM_NAT_ADDR);
    IS(n->filtering, WZP_SIM_NAT_ADDR_PORT);
    IS(n->ports, WZP_SIM_NAT_CONTIGUOUS);
    IS(n->fallback, WZP_SIM_NAT_NEXT_HIGHER);
    IS(n->delta, 3);
    IS(n->skip_ppm, 40000);
    IS(n->first_port, 2005);
    IS(n->last_port, 60006);
    IS(n->hairpin, WZP_SIM_NAT_HAIRPIN_INTERNAL);
    IS(n->t_unreplied, 7 * WZP_S);
    IS(n->t_replied, 8 * WZP_S);
    IS(n->t_well_known, 9 * WZP_S);
    IS(n->t_filter, 10 * WZP_S);
    IS(n->t_hold, 11 * WZP_S);
    IS(n->quota, 12);
    IS(n->quota_total, 13);
    IS(n->new_per_s, 14);
    IS(n->new_burst, 15);
    IS(n->foreign_per_s_milli, 16000);
    IS(n->proc_delay, 17 * WZP_MS);
    wzp_lab_scenario_free(&s);
}
END_TEST

/* One at a time: nothing but its own place. */
static const struct flag_case {
    const char *key;
    size_t offset;
} nat_flags[] =
    {
        {"identity", offsetof(wzp_sim_nat_cfg, identity)},
        {"per_host_counter", offsetof(wzp_sim_nat_cfg, per_host_counter)},
        {"parity", offsetof(wzp_sim_nat_cfg, parity)},
        {"keep_well_known", offsetof(wzp_sim_nat_cfg, keep_well_known)},
        {"overload", offsetof(wzp_sim_nat_cfg, overload)},
        {"arbitrary_pooling", offsetof(wzp_sim_nat_cfg, arbitrary_pooling)},
        {"no_refresh_out", offsetof(wzp_sim_nat_cfg, no_refresh_out)},
        {"no_refresh_in", offsetof(wzp_sim_nat_cfg, no_refresh_in)},
        {"alg_stun", offsetof(wzp_sim_nat_cfg, alg_stun)},
        {"icmp_on_miss", offsetof(wzp_sim_nat_cfg, icmp_on_miss)},
        {"icmp_kills_mapping", offsetof(wzp_sim_nat_cfg, icmp_kills_mapping)},
        {"inbound_creates_state", offsetof(wzp_sim_nat_cfg, inbound_creates_state)},
        {"degrade_on_collision", offsetof(wzp_sim_nat_cfg, degrade_on_collision)},
        {"port_map_reply_only", offsetof(wzp_sim_nat_cfg, port_map_reply_only)},
},
  policy_flags[] =
      {
          {"ipv6_only", offsetof(wzp_sim_policy_cfg, only_v6)},
          {"block_udp", offsetof(wzp_sim_policy_cfg, block_udp)},
          {"icmp_prohibited", offsetof(wzp_sim_policy_cfg, icmp_prohibited)},
          {"block_quic", offsetof(wzp_sim_policy_cfg, block_quic)},
          {"drop_fragments", offsetof(wzp_sim_policy_cfg, drop_fragments)},
          {"suppress_frag_needed", offsetof(wzp_sim_policy_cfg, suppress_frag_needed)},
},
  gateway_flags[] = {
      {"third_party", offsetof(wzp_sim_gateway_cfg, pcp_third_party)},
      {"permanent_only", offsetof(wzp_sim_gateway_cfg, igd.permanent_only)},
      {"same_port_only", offsetof(wzp_sim_gateway_cfg, igd.same_port_only)},
      {"https_only", offsetof(wzp_sim_gateway_cfg, igd.https_only)},
      {"chunked", offsetof(wzp_sim_gateway_cfg, igd.chunked)},
      {"relative_url", offsetof(wzp_sim_gateway_cfg, igd.relative_url)},
      {"strict", offsetof(wzp_sim_gateway_cfg, leases.strict)},
      {"does_not_forward", offsetof(wzp_sim_gateway_cfg, leases.does_not_forward)},
      {"wrong_port", offsetof(wzp_sim_gateway_cfg, leases.wrong_port)},
      {"lease_ignored", offsetof(wzp_sim_gateway_cfg, leases.lease_ignored)},
};

static void check_flags(const struct flag_case *cases, size_t count, const char *format,
                        size_t place) {
    for (size_t i = 0; i < count; i++) {
        char text[256];
        /* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): one of three below */
        (void)snprintf(text, sizeof text, format, cases[i].key);
        wzp_lab_scenario *s = scenario_of(text);
        const bool *flags = (const bool *)(const void *)((const uint8_t *)way_of(s) + place);
        for (size_t k = 0; k < count; k++) {
            const bool is = *(const bool *)(const void *)((const uint8_t *)flags + cases[k].offset);
            ck_assert_msg(is == (k == i), "%s sets %s", cases[i].key, cases[k].key);
        }
        wzp_lab_scenario_free(&s);
    }
}

START_TEST(flags) {
    check_flags(nat_flags, WZP_COUNT_OF(nat_flags), "nat = {preset = \"fullcone\", %s = true}\n",
                offsetof(wzp_lab_way, boxes[0].nat));
    check_flags(policy_flags, WZP_COUNT_OF(policy_flags),
                "nat = \"fullcone\"\nfirewall = {%s = true}\n",
                offsetof(wzp_lab_way, boxes[0].policy));
    check_flags(gateway_flags, WZP_COUNT_OF(gateway_flags),
                "nat = \"fullcone\"\ngateway = {%s = true}\n", offsetof(wzp_lab_way, gateway));
}
END_TEST

START_TEST(firewall) {
    wzp_lab_scenario *s = scenario_of(
        "firewall = {allow_ports = [53, 443], block_after = \"2 s\", block_after_bytes = \"3 kB\", "
        "initial_drop = \"4 %\", packets_per_s = 5, packets_burst = 6, rate = \"7 kbit/s\", "
        "rate_burst = \"8 kB\", max_size = \"1280 B\", scan_ports = 9, scan_window = \"10 s\", "
        "scan_block = \"11 s\"}\n");
    const wzp_sim_policy_cfg *p = &way_of(s)->boxes[0].policy;
    IS(p->allow_port_count, 2);
    IS(p->allow_ports[1], 443);
    IS(p->block_after, 2 * WZP_S);
    IS(p->block_after_bytes, 3000);
    IS(p->initial_drop_ppm, 40000);
    IS(p->pps, 5);
    IS(p->pps_burst, 6);
    IS(p->bits_per_s, 7000);
    IS(p->bits_burst, 8000);
    IS(p->max_size, 1280);
    IS(p->scan_ports, 9);
    IS(p->scan_window, 10 * WZP_S);
    IS(p->scan_block, 11 * WZP_S);
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(gateway) {
    wzp_lab_scenario *s = scenario_of(
        "nat = \"symrand\"\ngateway = {pmp = \"serves\", pcp = \"silent\", upnp = \"serves\", "
        "pmp_refuse = 2, pcp_refuse = 3, upnp_refuse = 606, igd_version = 2, ports = \"random\", "
        "quota = 4, least_lease = \"5 s\", most_lease = \"1 min\", reports = \"192.168.100.2\", "
        "forgets_after = \"7 s\", answer_delay = \"8 ms\", tv = \"192.168.1.50\"}\n");
    const wzp_sim_gateway_cfg *g = &way_of(s)->gateway;
    IS(g->pmp, WZP_SIM_GATEWAY_SERVES);
    IS(g->pcp, WZP_SIM_GATEWAY_SILENT);
    IS(g->upnp, WZP_SIM_GATEWAY_SERVES);
    IS(g->pmp_refuse, 2);
    IS(g->pcp_refuse, 3);
    IS(g->igd.refuse, 606);
    IS(g->igd.version, 2);
    IS(g->leases.ports, WZP_SIM_LEASE_RANDOM);
    IS(g->leases.quota, 4);
    IS(g->leases.min_s, 5);
    IS(g->leases.max_s, 60);
    IS(g->leases.forgets_after, 7 * WZP_S);
    IS(g->answer_delay, 8 * WZP_MS);
    IS(g->leases.reports.ip[3], 2);
    IS(g->tv.ip[3], 50);
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(line) {
    wzp_lab_scenario *s = scenario_of(
        "access = {rate = \"1 Mbit/s\", overhead = \"2 B\", burst = \"3 kB\", delay = \"4 ms\", "
        "jitter = {law = \"ar1\", spread = \"5 ms\", shape = 6, correlation = \"7 %\", reorder = "
        "true, skip_every = 8, skip = \"9 %\"}, duplicate = {share = \"10 %\", from = \"11 ms\", "
        "to = \"12 ms\"}, corrupt = {share = \"13 %\", pass = true, max_burst = 14, until = \"15 "
        "s\"}, queue = {kind = \"pie\", limit = \"16 ms\", packets = 17, bytes = \"18 kB\", target "
        "= \"19 ms\", interval = \"20 ms\", ecn = true}, mtu = \"1300 B\", mtu_silent = true}\n");
    const wzp_sim_link_cfg *l = &way_of(s)->links[0];
    IS(l->rate.bits_per_s, 1000000);
    IS(l->rate.overhead, 2);
    IS(l->rate.burst, 3000);
    IS(l->delay.base, 4 * WZP_MS);
    IS(l->delay.law, WZP_SIM_DELAY_AR1);
    IS(l->delay.spread, 5 * WZP_MS);
    IS(l->delay.shape_milli, 6);
    IS(l->delay.rho_ppm, 70000);
    IS(l->delay.reorder, true);
    IS(l->delay.skip_every, 8);
    IS(l->delay.skip_ppm, 90000);
    IS(l->mangle.duplicate_ppm, 100000);
    IS(l->mangle.duplicate_from, 11 * WZP_MS);
    IS(l->mangle.duplicate_to, 12 * WZP_MS);
    IS(l->mangle.corrupt_ppm, 130000);
    IS(l->mangle.corrupt_pass, true);
    IS(l->mangle.corrupt_max_burst, 14);
    IS(l->mangle.until, 15 * WZP_S);
    IS(l->queue.kind, WZP_SIM_QUEUE_PIE);
    IS(l->queue.limit_ns, 16 * WZP_MS);
    IS(l->queue.limit_packets, 17);
    IS(l->queue.limit_bytes, 18000);
    IS(l->queue.target, 19 * WZP_MS);
    IS(l->queue.interval, 20 * WZP_MS);
    IS(l->queue.ecn, true);
    IS(l->mtu, 1300);
    IS(l->mtu_silent, true);
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(loss_outage_slots_cross) {
    wzp_lab_scenario *s = scenario_of(
        "access = {loss = {model = \"four-state\", p13 = \"1 %\", p31 = \"2 %\", p32 = \"3 %\", "
        "p23 = \"4 %\", p14 = \"5 %\", max_burst = 6, until = \"7 s\"}, outage = {kind = "
        "\"handover\", first = \"8 s\", on = \"9 s\", on_to = \"10 s\", off = \"11 ms\", off_to = "
        "\"12 ms\", hold = true}, slots = {base_from = \"13 ms\", base_to = \"14 ms\", gap_from = "
        "\"15 ms\", gap_to = \"16 ms\", burst_loss = \"17 %\", outage_every = \"18 s\", "
        "outage_from = \"19 ms\", outage_to = \"20 ms\"}, cross = {kind = \"reno\", flows = 21, "
        "packet = \"1022 B\", rtt = \"23 ms\", from = \"24 s\", until = \"25 s\"}}\n");
    const wzp_sim_link_cfg *l = &way_of(s)->links[1];
    IS(l->loss.model, WZP_SIM_LOSS_FOUR_STATE);
    IS(l->loss.p13, 10000);
    IS(l->loss.p31, 20000);
    IS(l->loss.p32, 30000);
    IS(l->loss.p23, 40000);
    IS(l->loss.p14, 50000);
    IS(l->loss.max_burst, 6);
    IS(l->loss.until, 7 * WZP_S);
    IS(l->outage.kind, WZP_SIM_OUTAGE_HANDOVER);
    IS(l->outage.first, 8 * WZP_S);
    IS(l->outage.on, 9 * WZP_S);
    IS(l->outage.on_to, 10 * WZP_S);
    IS(l->outage.off, 11 * WZP_MS);
    IS(l->outage.off_to, 12 * WZP_MS);
    IS(l->outage.hold, true);
    IS(l->slots.base_from, 13 * WZP_MS);
    IS(l->slots.base_to, 14 * WZP_MS);
    IS(l->slots.gap_from, 15 * WZP_MS);
    IS(l->slots.gap_to, 16 * WZP_MS);
    IS(l->slots.burst_loss_ppm, 170000);
    IS(l->slots.outage_every, 18 * WZP_S);
    IS(l->slots.outage_from, 19 * WZP_MS);
    IS(l->slots.outage_to, 20 * WZP_MS);
    IS(l->cross[0].kind, WZP_SIM_CROSS_RENO);
    IS(l->cross[0].flows, 21);
    IS(l->cross[0].packet, 1022);
    IS(l->cross[0].rtt, 23 * WZP_MS);
    IS(l->cross[0].from, 24 * WZP_S);
    IS(l->cross[0].until, 25 * WZP_S);
    wzp_lab_scenario_free(&s);
    s = scenario_of("access = {loss = {model = \"gilbert\", p = \"1 %\", r = \"2 %\", bad = \"3 "
                    "%\", good = \"4 %\", slot = \"5 ms\"}}\n");
    l = &way_of(s)->links[1];
    IS(l->loss.p, 10000);
    IS(l->loss.r, 20000);
    IS(l->loss.bad, 30000);
    IS(l->loss.good, 40000);
    IS(l->loss.slot, 5 * WZP_MS);
    wzp_lab_scenario_free(&s);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("keys");
    tcase_add_test(tc, nat);
    tcase_add_test(tc, flags);
    tcase_add_test(tc, firewall);
    tcase_add_test(tc, gateway);
    tcase_add_test(tc, line);
    tcase_add_test(tc, loss_outage_slots_cross);
    return wzp_run_suite("sim_lab.keys", tc);
}
