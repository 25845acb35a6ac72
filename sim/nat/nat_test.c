/* The rules of the NAT (nat sheet 2.3, 2.7), one named case each. */
#include <check.h>
#include <stdio.h>

#include "base/testing/suite.h"
#include "sim/nat/testing/script.h"

#define ANY WZP_SIM_NAT_ANY
#define ADDR WZP_SIM_NAT_ADDR
#define ADDR_PORT WZP_SIM_NAT_ADDR_PORT
#define TIMERS .t_unreplied = 30 * WZP_S, .t_replied = 120 * WZP_S
#define FEW_PORTS .first_port = 5000, .last_port = 5003
#define CONE .mapping = ANY, .filtering = ANY, TIMERS
#define LINUX .mapping = ANY, .filtering = ADDR_PORT, .overload = true, TIMERS

static const struct rule_case {
    const char *name;
    wzp_sim_nat_cfg cfg;
    const char *externals, *script;
} rules[] = {
    /* --- expiry (SIM-003); the timers are those of the table below too --- */
    {"unreplied mapping lives for its time and no longer",
     {CONE},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "30000 mappings 1\n"
     "30000 in S:80 > X:5000 = A:5000\n"},
    {"one nanosecond more and it is gone",
     {CONE},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "30000+1 in S:80 > X:5000 no-mapping\n"
     "- mappings 0\n"},
    {"an answer makes it a replied one",
     {CONE},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "10000 in S:80 > X:5000 = A:5000\n"
     "130000 in S:80 > X:5000 = A:5000\n"
     "250000+1 in S:80 > X:5000 no-mapping\n"},
    {"outbound refreshes",
     {CONE},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "29000 out A:5000 > S:80 = X:5000\n"
     "59000 in S:80 > X:5000 = A:5000\n"},
    {"outbound does not when it must not",
     {CONE, .no_refresh_out = true},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "29000 out A:5000 > S:80 = X:5000\n"
     "30000+1 in S:80 > X:5000 no-mapping\n"},
    {"inbound does not when it must not, yet it counts as an answer",
     {CONE, .no_refresh_in = true},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "20000 in S:80 > X:5000 = A:5000\n"
     "120000 in S:80 > X:5000 = A:5000\n"
     "120000+1 in S:80 > X:5000 no-mapping\n"},
    {"neither refreshes",
     {CONE, .no_refresh_in = true, .no_refresh_out = true},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "1000 in S:80 > X:5000 = A:5000\n"
     "119000 out A:5000 > S:80 = X:5000\n"
     "120000+1 in S:80 > X:5000 no-mapping\n"},
    {"late first answers of mappings that are not refreshed expire in order",
     {CONE, .no_refresh_in = true},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "10000 out B:6000 > S:80 = X:6000\n"
     "11000 in S:80 > X:6000 = B:6000\n"
     "12000 in S:80 > X:5000 = A:5000\n"
     "120000+1 tick\n"
     "- mappings 1\n"
     "130000+1 tick\n"
     "- mappings 0\n"},
    {"timers of zero never run out",
     {.mapping = ANY, .filtering = ANY},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "999999999 in S:80 > X:5000 = A:5000\n"},
    {"well-known remote ports have a timer of their own",
     {CONE, .t_well_known = 5 * WZP_S},
     "X",
     "0 out A:5000 > S:1023 = X:5000\n"
     "- out B:6000 > S:1024 = X:6000\n"
     "1000 in S:1023 > X:5000 = A:5000\n"
     "6000+1 in S:1023 > X:5000 no-mapping\n"
     "- in S:1024 > X:6000 = B:6000\n"},
    {"a mapping that served another port once is an ordinary one",
     {CONE, .t_well_known = 5 * WZP_S},
     "X",
     "0 out A:5000 > S:53 = X:5000\n"
     "1000 out A:5000 > S:4433 = X:5000\n"
     "2000 out A:5000 > S:53 = X:5000\n"
     "32000 in S:53 > X:5000 = A:5000\n"},
    {"a dropped packet refreshes nothing",
     {.mapping = ANY, .filtering = ADDR_PORT, TIMERS},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "20000 in T:80 > X:5000 filter\n"
     "30000+1 in S:80 > X:5000 no-mapping\n"},
    {"permissions age",
     {.mapping = ANY, .filtering = ADDR, .t_filter = 10 * WZP_S},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "5000 out A:5000 > T:80 = X:5000\n"
     "10000 in S:99 > X:5000 = A:5000\n"
     "10000+1 in S:99 > X:5000 filter\n"
     "15000 in T:99 > X:5000 = A:5000\n"
     "15000+1 in T:99 > X:5000 filter\n"
     "- out A:5000 > S:80 = X:5000\n"
     "- in S:80 > X:5000 = A:5000\n"},
    {"a permission lives to its end, whatever else ends then",
     {.mapping = ANY, .filtering = ADDR, .t_filter = 10 * WZP_S},
     "X",
     "0 map B:1 > X:7000 10\n"
     "- out A:5000 > S:80 = X:5000\n"
     "10000 in S:80 > X:5000 = A:5000\n"},
    {"outbound renews a permission, inbound does not",
     {.mapping = ANY, .filtering = ADDR_PORT, .t_filter = 10 * WZP_S},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "5000 out A:5000 > S:80 = X:5000\n"
     "15000 in S:80 > X:5000 = A:5000\n"
     "15000+1 in S:80 > X:5000 filter\n"},
    {"time does not run backwards",
     {CONE},
     "X",
     "40000 out A:5000 > S:80 = X:5000\n"
     "0 in S:80 > X:5000 = A:5000\n"},

    /* --- ports (SIM-004) --- */
    {"preserve keeps the inside port, and falls back to a random one",
     {CONE},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- out B:5000 > S:80 = X:p\n"
     "- in T:9 > X:p = B:5000\n"},
    {"preserve does not leave its range",
     {CONE, FEW_PORTS},
     "X",
     "0 out A:5001 > S:80 = X:5001\n"
     "- out A:9 > S:80 = X:?\n"
     "- out A:10 > S:80 = X:?\n"
     "- out A:11 > S:80 = X:?\n"
     "- out A:12 > S:80 quota\n"
     "- mappings 4\n"},
    {"a port that expired is free again",
     {CONE, FEW_PORTS},
     "X",
     "0 out A:5001 > S:80 = X:5001\n"
     "30000+1 out B:5001 > S:80 = X:5001\n"},
    {"next higher, round the range",
     {CONE, FEW_PORTS, .fallback = WZP_SIM_NAT_NEXT_HIGHER},
     "X",
     "0 out A:5002 > S:80 = X:5002\n"
     "- out B:5002 > S:80 = X:5003\n"
     "- out C:5002 > S:80 = X:5000\n"
     "- out D:5002 > S:80 = X:5001\n"
     "- out E:5002 > S:80 quota\n"},
    {"sequential, over all hosts, skips what is taken, wraps",
     {CONE, FEW_PORTS, .ports = WZP_SIM_NAT_SEQUENTIAL},
     "X",
     "- map H:1 > X:5002 0\n"
     "0 out A:1 > S:80 = X:5000\n"
     "- out B:1 > S:80 = X:5001\n"
     "- out A:2 > S:80 = X:5003\n"
     "- out A:3 > S:80 quota\n"
     "20000 in S:80 > X:5001 = B:1\n"
     "30000+1 out A:4 > S:80 = X:5000\n"},
    {"sequential by steps",
     {CONE, .ports = WZP_SIM_NAT_SEQUENTIAL, .delta = 7, .first_port = 5000},
     "X",
     "0 out A:1 > S:80 = X:5000\n"
     "- out A:2 > S:80 = X:5007\n"
     "- out A:3 > S:80 = X:5014\n"},
    {"sequential by steps finds what the steps miss",
     {CONE, FEW_PORTS, .ports = WZP_SIM_NAT_SEQUENTIAL, .delta = 2},
     "X",
     "0 out A:1 > S:80 = X:5000\n"
     "- out A:2 > S:80 = X:5002\n"
     "- out A:3 > S:80 = X:5001\n"
     "- out A:4 > S:80 = X:5003\n"},
    {"sequential with a counter per host",
     {CONE, .ports = WZP_SIM_NAT_SEQUENTIAL, .first_port = 5000, .per_host_counter = true},
     "X",
     "0 out A:1 > S:80 = X:5000\n"
     "- out B:1 > S:80 = X:5001\n"
     "- out A:2 > S:80 = X:5002\n"
     "- out B:2 > S:80 = X:5003\n"},
    {"contiguous continues where the host is",
     {CONE, .ports = WZP_SIM_NAT_CONTIGUOUS, .first_port = 5000, .last_port = 5001},
     "X",
     "0 out A:1 > S:80 = X:a\n"
     "- out A:2 > S:80 = X:b\n"
     "- out A:3 > S:80 quota\n"},
    {"parity is kept",
     {CONE, FEW_PORTS, .ports = WZP_SIM_NAT_SEQUENTIAL, .parity = true},
     "X",
     "0 out A:3 > S:80 = X:5001\n"
     "- out A:4 > S:80 = X:5002\n"
     "- out A:5 > S:80 = X:5003\n"
     "- out A:7 > S:80 quota\n"
     "- out A:6 > S:80 = X:5000\n"},
    {"well-known inside ports stay well-known, others stay out",
     {CONE, .keep_well_known = true},
     "X",
     "0 out A:500 > S:80 = X:500\n"
     "- out A:1023 > S:80 = X:1023\n"
     "- out A:1024 > S:80 = X:1024\n"},
    {"well-known inside ports leave when nobody keeps them",
     {CONE, .first_port = 1024, .last_port = 1024},
     "X",
     "0 out A:500 > S:80 = X:1024\n"},
    {"a port is held after use",
     {CONE, .t_hold = 120 * WZP_S, .first_port = 5000, .last_port = 5000},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "30000+1 tick\n"
     "- out A:5000 > S:80 quota\n"
     "150000 out A:5000 > S:80 quota\n"
     "150000+1 out A:5000 > S:80 = X:5000\n"},
    {"hosts have blocks of their own",
     {CONE, .ports = WZP_SIM_NAT_SEQUENTIAL, .block_size = 2, .blocks_max = 2, .first_port = 5001,
      .last_port = 5007},
     "X",
     /* Aligned blocks in 5001-5007 are 5002, 5004 and 5006. */
     "0 out A:1 > S:80 = X:a\n"
     "- out A:2 > S:80 = X:b\n"
     "- out A:3 > S:80 = X:c\n"
     "- out B:1 > S:80 = X:e\n"
     "- out B:2 > S:80 = X:f\n"
     "- out B:3 > S:80 quota\n"
     "- out A:4 > S:80 = X:d\n"
     "- out A:5 > S:80 quota\n"
     "- out C:1 > S:80 quota\n"
     "30000+1 out C:1 > S:80 = X:?\n"},
    {"quota of a host",
     {CONE, .quota = 2},
     "X",
     "0 out A:1 > S:80 = X:?\n"
     "- out A:2 > S:80 = X:?\n"
     "- out A:3 > S:80 quota\n"
     "- out B:1 > S:80 = X:?\n"
     "- out A:1 > T:80 = X:?\n"
     "30000+1 out A:3 > S:80 = X:?\n"},
    {"quota of all",
     {CONE, .quota_total = 2},
     "X",
     "0 out A:1 > S:80 = X:?\n"
     "- out B:1 > S:80 = X:?\n"
     "- out C:1 > S:80 quota\n"},
    {"rate of new mappings",
     {CONE, .new_per_s = 10, .new_burst = 2},
     "X",
     "0 out A:1 > S:80 = X:?\n"
     "- out A:2 > S:80 = X:?\n"
     "- out A:3 > S:80 quota\n"
     "- out A:1 > S:80 = X:?\n"
     "99 out A:3 > S:80 quota\n"
     "100 out A:3 > S:80 = X:?\n"
     "- out A:4 > S:80 quota\n"
     "9000 out A:4 > S:80 = X:?\n"
     "- out A:5 > S:80 = X:?\n"
     "- out A:6 > S:80 quota\n"},
    {"a host degrades when its port is taken, and keeps what it had",
     {CONE, .degrade_on_collision = true},
     "X",
     "0 out B:4000 > S:80 = X:4000\n"
     "- out A:5000 > S:80 = X:5000\n"
     "- out B:5000 > S:80 = X:p\n"
     "- out B:5000 > T:80 = X:q\n"
     "- out B:5000 > S:80 = X:p\n"
     "- out B:4000 > T:80 = X:4000\n"
     "- out A:5000 > T:80 = X:5000\n"
     "- out B:7000 > S:80 = X:7000\n"
     "- out B:7000 > T:80 = X:r\n"},
    {"a host that degraded recovers when it has been idle",
     {CONE, .degrade_on_collision = true},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- out B:5000 > S:80 = X:p\n"
     "30000+1 out B:5000 > S:80 = X:5000\n"
     "- out B:5000 > T:80 = X:5000\n"},

    /* --- pools --- */
    {"arbitrary pooling: another address for another remote, the same for the same",
     {.mapping = ANY, .filtering = ADDR_PORT, .arbitrary_pooling = true, TIMERS},
     "XYZ",
     "0 out A:5000 > S:80 = X:5000\n"
     "- out A:5000 > T:80 = Y:5000\n"
     "- out A:5000 > U:80 = Z:5000\n"
     "- out A:5000 > S:81 = X:5000\n"
     "- in S:81 > X:5000 = A:5000\n"
     "- in S:81 > Y:5000 filter\n"},

    /* --- flows, as Linux keeps them --- */
    {"flows of one endpoint share its port, each with a timer of its own",
     {LINUX},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "20000 out A:5000 > T:80 = X:5000\n"
     "- mappings 2\n"
     "30000+1 in S:80 > X:5000 filter\n"
     "- in T:80 > X:5000 = A:5000\n"
     "- out A:5000 > S:80 = X:5000\n"},
    {"flows of two hosts share a port towards different remotes",
     {LINUX},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- out B:5000 > T:80 = X:5000\n"
     "- in S:80 > X:5000 = A:5000\n"
     "- in T:80 > X:5000 = B:5000\n"
     "- in U:80 > X:5000 filter\n"},
    {"a clash: a random port, which later flows keep",
     {LINUX},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- out B:5000 > S:80 = X:p\n"
     "- out B:5000 > T:80 = X:p\n"
     "- out B:5000 > U:9 = X:p\n"
     "- in S:80 > X:p = B:5000\n"
     "- in S:80 > X:5000 = A:5000\n"
     "- out A:5000 > T:80 = X:5000\n"},
    {"a clash of the second flow only moves that one, and those that follow",
     {LINUX},
     "X",
     "0 out B:5000 > T:80 = X:5000\n"
     "- out A:5000 > S:80 = X:5000\n"
     "- out B:5000 > S:80 = X:p\n"
     "- out B:5000 > T:80 = X:5000\n"
     "- out B:5000 > U:80 = X:p\n"},
    {"early inbound packets cost the port when the box keeps state for them",
     {LINUX, .inbound_creates_state = true},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- in T:80 > X:5000 filter\n"
     "- out A:5000 > T:80 = X:p\n"
     "- in T:80 > X:5000 no-mapping\n"
     "- in T:80 > X:p = A:5000\n"
     "- out A:5000 > S:80 = X:5000\n"},
    {"early inbound packets with no mapping at all, until 30 s after the last",
     {LINUX, .inbound_creates_state = true},
     "X",
     "0 in T:80 > X:5000 no-mapping\n"
     "20000 in T:80 > X:5000 no-mapping\n"
     "50000 out A:5000 > T:80 = X:p\n"
     "- out B:5000 > S:80 = X:5000\n"},
    {"early inbound packets are forgotten",
     {LINUX, .inbound_creates_state = true},
     "X",
     "0 in T:80 > X:5000 no-mapping\n"
     "30000+1 out A:5000 > T:80 = X:5000\n"},
    {"boxes that drop what is for nobody keep no state for it",
     {LINUX},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- in T:80 > X:5000 filter\n"
     "- out A:5000 > T:80 = X:5000\n"},

    /* --- firewall --- */
    {"a firewall translates nothing and keeps flows",
     {.identity = true, LINUX},
     "",
     "0 in S:80 > A:5000 filter\n"
     "- out A:5000 > S:80 = A:5000\n"
     "- in S:80 > A:5000 = A:5000\n"
     "- in S:81 > A:5000 filter\n"
     "120000+1 in S:80 > A:5000 filter\n"},
    {"a firewall that lets anybody in to what went out",
     {.identity = true, CONE},
     "",
     "0 out A:5000 > S:80 = A:5000\n"
     "- in T:9 > A:5000 = A:5000\n"
     "- in T:9 > A:5001 filter\n"},
    {"a firewall opens itself on request",
     {.identity = true, LINUX},
     "",
     "0 map A:7000 > A:7000 60\n"
     "- in S:80 > A:7000 = A:7000\n"
     "60000 in S:80 > A:7000 filter\n"},
    {"no firewall",
     {.identity = true, .open = true},
     "",
     "0 in S:80 > A:5000 = A:5000\n"
     "- out A:5000 > S:80 = A:5000\n"},

    /* --- hairpin (SIM-005) --- */
    {"no hairpin",
     {CONE},
     "X",
     "0 out B:6000 > S:80 = X:6000\n"
     "- turn A:5000 > X:6000 hairpin\n"
     "- mappings 1\n"},
    {"hairpin with the external source",
     {CONE, .hairpin = WZP_SIM_NAT_HAIRPIN_EXTERNAL},
     "X",
     "0 out B:6000 > S:80 = X:6000\n"
     "- turn A:5000 > X:6000 = X:5000 > B:6000\n"
     "- turn B:6000 > X:5000 = X:6000 > A:5000\n"},
    {"hairpin with the internal source",
     {CONE, .hairpin = WZP_SIM_NAT_HAIRPIN_INTERNAL},
     "X",
     "0 out B:6000 > S:80 = X:6000\n"
     "- turn A:5000 > X:6000 = A:5000 > B:6000\n"
     "- mappings 2\n"},
    {"hairpin goes through the filter",
     {.mapping = ANY, .filtering = ADDR_PORT, .hairpin = WZP_SIM_NAT_HAIRPIN_EXTERNAL, TIMERS},
     "X",
     "0 out B:6000 > S:80 = X:6000\n"
     "- turn A:5000 > X:6000 filter\n"
     "- turn B:6000 > X:5000 = X:6000 > A:5000\n"
     "- turn A:5000 > X:6000 = X:5000 > B:6000\n"},
    {"hairpin to where nobody is",
     {CONE, .hairpin = WZP_SIM_NAT_HAIRPIN_EXTERNAL},
     "X",
     "0 turn A:5000 > X:6000 no-mapping\n"},
    {"hairpin to oneself",
     {CONE, .hairpin = WZP_SIM_NAT_HAIRPIN_EXTERNAL},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- turn A:5000 > X:5000 = X:5000 > A:5000\n"},
    {"hairpin through an explicit mapping",
     {.mapping = ADDR_PORT,
      .filtering = ADDR_PORT,
      .hairpin = WZP_SIM_NAT_HAIRPIN_EXTERNAL,
      TIMERS},
     "X",
     "0 map B:6000 > X:7000 0\n"
     "- turn A:5000 > X:7000 = X:5000 > B:6000\n"},

    /* --- explicit mappings --- */
    {"an explicit mapping admits everybody and is what leaves",
     {.mapping = ADDR_PORT, .filtering = ADDR_PORT, TIMERS},
     "X",
     "0 map A:5000 > X:7000 60\n"
     "- in S:80 > X:7000 = A:5000\n"
     "- out A:5000 > T:80 = X:7000\n"
     "59999 in S:80 > X:7000 = A:5000\n"
     "60000 in S:80 > X:7000 no-mapping\n"
     "- out A:5000 > T:80 = X:5000\n"},
    {"an explicit mapping for replies only",
     {.mapping = ADDR_PORT, .filtering = ADDR_PORT, .port_map_reply_only = true, TIMERS},
     "X",
     "0 map A:5000 > X:7000 0\n"
     "- out A:5000 > T:80 = X:5000\n"
     "- in S:80 > X:7000 = A:5000\n"
     "- out A:5000 > S:80 = X:7000\n"
     "- out A:5000 > T:80 = X:5000\n"},
    {"an explicit mapping for one remote address",
     {CONE},
     "X",
     "0 map A:5000 > X:7000 0 S:0\n"
     "- in S:80 > X:7000 = A:5000\n"
     "- in T:80 > X:7000 filter\n"
     "- out A:5000 > T:80 = X:5000\n"
     "- out A:5000 > S:9 = X:7000\n"},
    {"an explicit mapping for one remote endpoint",
     {CONE},
     "X",
     "0 map A:5000 > X:7000 0 S:80\n"
     "- in S:80 > X:7000 = A:5000\n"
     "- in S:81 > X:7000 filter\n"},
    {"explicit mappings: first come",
     {CONE},
     "X",
     "0 map A:5000 > X:7000 0\n"
     "- map B:5000 > X:7000 0 refused\n"
     "- map A:5000 > X:7000 60\n"
     "60000 map B:5000 > X:7000 0\n"},
    {"explicit mappings do not take others' dynamic ports, and keep theirs",
     {CONE},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- map B:6000 > X:5000 0 refused\n"
     "- map A:5000 > X:5000 0\n"
     "- map B:6000 > X:6000 0\n"
     "- out C:6000 > S:80 = X:p\n"},
    {"explicit mappings of flows: all of the port's must be one's own",
     {LINUX},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- out A:5000 > T:80 = X:5000\n"
     "- map A:5000 > X:5000 0\n"
     "- out B:5000 > U:80 = X:p\n"
     "- out C:6000 > S:80 = X:6000\n"
     "- out D:6000 > T:80 = X:6000\n"
     "- map C:6000 > X:6000 0 refused\n"},
    {"explicit mappings are taken away",
     {CONE},
     "X",
     "0 map A:5000 > X:7000 0\n"
     "- unmap X:7000\n"
     "- unmap X:7000 refused\n"
     "- in S:80 > X:7000 no-mapping\n"},

    /* --- ICMP (RFC 4787 REQ-12, RFC 5508) --- */
    {"errors about what left reach the host inside, and change nothing",
     {.mapping = ADDR_PORT, .filtering = ADDR_PORT, TIMERS},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- icmp-in X:5000 > S:80 = A:5000\n"
     "- icmp-in X:5000 > T:80 refused\n"
     "- icmp-in X:5001 > S:80 refused\n"
     "- mappings 1\n"
     "30000+1 icmp-in X:5000 > S:80 refused\n"},
    {"errors end mappings where they should not",
     {CONE, .icmp_kills_mapping = true},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- icmp-in X:5000 > S:80 = A:5000\n"
     "- in S:80 > X:5000 no-mapping\n"},
    {"errors about what came in leave with the external endpoint",
     {CONE},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- icmp-out T:99 > A:5000 = X:5000\n"
     "- icmp-out T:99 > A:5001 refused\n"},
    {"errors about what could not have come in",
     {LINUX},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- icmp-out S:80 > A:5000 = X:5000\n"
     "- icmp-out S:81 > A:5000 refused\n"},
    {"errors through explicit mappings",
     {CONE},
     "X",
     "0 map A:5000 > X:7000 0\n"
     "- icmp-in X:7000 > S:80 = A:5000\n"
     "- icmp-out S:80 > A:5000 = X:7000\n"},

    /* --- events (SIM-013, nat sheet 2.7) --- */
    {"flush: all dynamic mappings, the same allocator",
     {CONE, .ports = WZP_SIM_NAT_SEQUENTIAL, .first_port = 5000},
     "X",
     "0 map B:1 > X:7000 0\n"
     "- out A:1 > S:80 = X:5000\n"
     "1000 flush\n"
     "- mappings 0\n"
     "- in S:80 > X:5000 no-mapping\n"
     "- in S:80 > X:7000 = B:1\n"
     "- out A:1 > S:80 = X:5001\n"},
    {"reboot: explicit ones too, and counters restart",
     {CONE, .ports = WZP_SIM_NAT_SEQUENTIAL, .first_port = 5000, .t_hold = 120 * WZP_S,
      .new_per_s = 1, .new_burst = 1},
     "X",
     "0 map B:1 > X:7000 0\n"
     "- out A:1 > S:80 = X:5000\n"
     "- out A:2 > S:80 quota\n"
     "- reboot\n"
     "- in S:80 > X:5000 no-mapping\n"
     "- in S:80 > X:7000 no-mapping\n"
     "- out A:1 > S:80 = X:5000\n"},
    {"rebind: new ports, permissions stay, old ports are dead",
     {.mapping = ANY, .filtering = ADDR_PORT, TIMERS},
     "X",
     "0 out A:5000 > S:80 = X:a\n"
     "- out B:6000 > S:80 = X:b\n"
     "1000 rebind\n"
     "- mappings 2\n"
     "- in S:80 > X:a no-mapping\n"
     "- in S:80 > X:b no-mapping\n"
     "- out A:5000 > S:80 = X:c\n"
     "- out B:6000 > S:80 = X:d\n"
     "- in S:80 > X:c = A:5000\n"
     "- in S:81 > X:c filter\n"},
    {"rebind does not refresh",
     {CONE},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "20000 rebind\n"
     "30000+1 tick\n"
     "- mappings 0\n"},
    {"rebind keeps flows of an endpoint together",
     {LINUX},
     "X",
     "0 out A:5000 > S:80 = X:a\n"
     "- out A:5000 > T:80 = X:a\n"
     "- out B:5000 > S:80 = X:b\n"
     "- rebind\n"
     "- out A:5000 > S:80 = X:c\n"
     "- out A:5000 > T:80 = X:c\n"
     "- in S:80 > X:a no-mapping\n"
     "- out B:5000 > S:80 = X:d\n"},
    {"rebind without another port: the mapping is lost",
     {CONE, .first_port = 5000, .last_port = 5001},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- out B:5001 > S:80 = X:5001\n"
     "- rebind\n"
     "- mappings 0\n"
     "- out A:5000 > S:80 quota\n"
     "0+1 out A:5000 > S:80 = X:5000\n"},
    {"rebind stays in the host's blocks",
     {CONE, .block_size = 2, .first_port = 5000, .last_port = 5001},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- rebind\n"
     "- out A:5000 > S:80 = X:5001\n"},
    {"a firewall does not rebind",
     {.identity = true, CONE},
     "",
     "0 out A:5000 > S:80 = A:5000\n"
     "- rebind\n"
     "- in S:80 > A:5000 = A:5000\n"},
    {"expire: what has a timer",
     {.mapping = ANY, .filtering = ADDR_PORT, .t_replied = 60 * WZP_S},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- out B:6000 > S:80 = X:6000\n"
     "- in S:80 > X:5000 = A:5000\n"
     "- map C:1 > X:7000 60\n"
     "- expire\n"
     "- in S:80 > X:5000 no-mapping\n"
     "- in S:80 > X:6000 = B:6000\n"
     "- in S:80 > X:7000 = C:1\n"},
    {"expire: permissions too",
     {.mapping = ANY, .filtering = ADDR_PORT, .t_filter = 300 * WZP_S},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- expire\n"
     "- mappings 1\n"
     "- in S:80 > X:5000 filter\n"},
    {"renumber: other address, other ports; the old ones are dead",
     {.mapping = ANY, .filtering = ADDR_PORT, .t_hold = 9 * WZP_S, TIMERS},
     "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- map B:1 > X:7000 60\n"
     "1000 renumber Y\n"
     "- mappings 1\n"
     "- in S:80 > X:5000 no-mapping\n"
     "- in S:80 > X:7000 no-mapping\n"
     "- out A:5000 > S:80 = Y:p\n"
     "- in S:80 > Y:p = A:5000\n"
     "- in T:80 > Y:p filter\n"
     "- in S:80 > Y:7000 = B:1\n"
     "60000 in S:80 > Y:7000 no-mapping\n"},
    {"renumber of a pool that shrinks",
     {CONE, .arbitrary_pooling = true},
     "XY",
     "0 out A:5000 > S:80 = X:5000\n"
     "- out B:6000 > S:80 = Y:6000\n"
     "- map C:1 > X:7000 0\n"
     "- map D:1 > Y:7000 0\n"
     "- renumber Z\n"
     "- out A:5000 > S:80 = Z:p\n"
     "- out B:6000 > S:80 = Z:q\n"
     "- in S:80 > Z:7000 = C:1\n"},
    {"renumber of hosts with blocks, and of what the box took for itself",
     {LINUX, .inbound_creates_state = true},
     "X",
     "0 in S:80 > X:5000 no-mapping\n"
     "- renumber X\n"
     "- out A:5000 > S:80 = X:5000\n"},
};

START_TEST(rule) {
    const struct rule_case *c = &rules[_i];
    wzp_sim_nat_script(c->name, &c->cfg, c->externals, c->script);
}
END_TEST

/* All mappings with all filters: what a second and a third remote are shown, and who may answer. */
START_TEST(mapping_and_filtering) {
    static const char *const shown[] = {"- out A:5000 > S:81 = X:a\n"
                                        "- out A:5000 > T:80 = X:a\n",
                                        "- out A:5000 > S:81 = X:a\n"
                                        "- out A:5000 > T:80 = X:b\n",
                                        "- out A:5000 > S:81 = X:b\n"
                                        "- out A:5000 > T:80 = X:c\n"};
    static const char *const answers[] = {"- in S:80 > X:a = A:5000\n"
                                          "- in S:99 > X:a = A:5000\n"
                                          "- in U:80 > X:a = A:5000\n",
                                          "- in S:80 > X:a = A:5000\n"
                                          "- in S:99 > X:a = A:5000\n"
                                          "- in U:80 > X:a filter\n",
                                          "- in S:80 > X:a = A:5000\n"
                                          "- in S:99 > X:a filter\n"
                                          "- in U:80 > X:a filter\n"};
    const int mapping = _i / 3;
    const int filtering = _i % 3;
    const wzp_sim_nat_cfg cfg = {.mapping = (wzp_sim_nat_scope)mapping,
                                 .filtering = (wzp_sim_nat_scope)filtering,
                                 .ports = WZP_SIM_NAT_RANDOM};
    char script[512];
    char name[32];
    (void)snprintf(name, sizeof name, "mapping %d filtering %d", mapping, filtering);
    (void)snprintf(script, sizeof script, "0 out A:5000 > S:80 = X:a\n%s%s", answers[filtering],
                   shown[mapping]);
    wzp_sim_nat_script(name, &cfg, "X", script);
}
END_TEST

/* Questions do not move time: they have to look at it themselves. */
START_TEST(leases_are_found_as_long_as_they_last) {
    const wzp_sim_nat_cfg cfg = {.mapping = ANY};
    const wzp_addr external = wzp_addr_v4(203, 0, 113, 1, 7000);
    const wzp_addr internal = wzp_addr_v4(10, 0, 0, 1, 5000);
    const wzp_addr other = wzp_addr_v4(10, 0, 0, 1, 5001);
    const wzp_sim_nat_explicit lease = {
        .proto = 17, .internal = internal, .external = external, .expires = 60 * WZP_S};
    wzp_sim_nat *nat = NULL;
    wzp_fail fail;
    ck_assert_int_eq(wzp_sim_nat_new(&nat, &cfg, &external, 1, 1, "nat", 0, &fail), WZP_OK);
    ck_assert_int_eq(wzp_sim_nat_map(nat, &lease, 0), WZP_OK);
    for (wzp_time now = 60 * WZP_S - 1; now <= 60 * WZP_S; now++) {
        const bool lives = now < 60 * WZP_S;
        ck_assert((wzp_sim_nat_find_internal(nat, 17, &internal, now) != NULL) == lives);
        ck_assert((wzp_sim_nat_find_external(nat, 17, &external, now) != NULL) == lives);
    }
    ck_assert_ptr_null(wzp_sim_nat_find_internal(nat, 17, &other, 0));
    ck_assert_ptr_null(wzp_sim_nat_find_internal(nat, 6, &internal, 0));
    ck_assert(!wzp_sim_nat_port_free(nat, 17, &external, 60 * WZP_S - 1));
    ck_assert(wzp_sim_nat_port_free(nat, 17, &external, 60 * WZP_S));
    wzp_sim_nat_free(&nat);
}
END_TEST

START_TEST(what_cannot_be_mapped) {
    const wzp_sim_nat_cfg cfg = {.mapping = ANY};
    const wzp_addr external = wzp_addr_v4(203, 0, 113, 1, 7000);
    const wzp_addr strange = wzp_addr_v4(203, 0, 113, 2, 7000);
    const wzp_addr internal = wzp_addr_v4(10, 0, 0, 1, 5000);
    const wzp_addr no_port = wzp_addr_v4(203, 0, 113, 1, 0);
    const wzp_sim_nat_explicit refused[] = {{17, internal, strange, {0}, WZP_TIME_NEVER},
                                            {17, internal, no_port, {0}, WZP_TIME_NEVER},
                                            {17, no_port, external, {0}, WZP_TIME_NEVER},
                                            {1, internal, external, {0}, WZP_TIME_NEVER}};
    wzp_sim_nat *nat = NULL;
    wzp_fail fail;
    ck_assert_int_eq(wzp_sim_nat_new(&nat, &cfg, &external, 1, 1, "nat", 0, &fail), WZP_OK);
    for (size_t i = 0; i < WZP_COUNT_OF(refused); i++) {
        ck_assert_int_eq(wzp_sim_nat_map(nat, &refused[i], 0), WZP_ERR_INVALID_ARGUMENT);
    }
    wzp_sim_nat_free(&nat);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("nat");
    tcase_add_loop_test(tc, rule, 0, (int)WZP_COUNT_OF(rules));
    tcase_add_loop_test(tc, mapping_and_filtering, 0, 9);
    tcase_add_test(tc, leases_are_found_as_long_as_they_last);
    tcase_add_test(tc, what_cannot_be_mapped);
    return wzp_run_suite("nat", tc);
}
