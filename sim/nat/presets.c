/* The presets of nat sheet 2.4 as data. */
#include <string.h>

#include "sim/nat/nat.h"

#define MAP_ANY .mapping = WZP_SIM_NAT_ANY
#define MAP_ADDR .mapping = WZP_SIM_NAT_ADDR
#define MAP_ADDR_PORT .mapping = WZP_SIM_NAT_ADDR_PORT
#define FROM_ANY .filtering = WZP_SIM_NAT_ANY
#define FROM_ADDR .filtering = WZP_SIM_NAT_ADDR
#define FROM_ADDR_PORT .filtering = WZP_SIM_NAT_ADDR_PORT
#define PRESERVE .ports = WZP_SIM_NAT_PRESERVE, .fallback = WZP_SIM_NAT_RANDOM
#define SEQUENTIAL(step) .ports = WZP_SIM_NAT_SEQUENTIAL, .delta = (step)
#define RANDOM .ports = WZP_SIM_NAT_RANDOM
#define TIMERS(unreplied, replied) .t_unreplied = (unreplied)*WZP_S, .t_replied = (replied)*WZP_S
#define HAIRPIN .hairpin = WZP_SIM_NAT_HAIRPIN_EXTERNAL
/* As conntrack does it: state per flow. */
#define PER_FLOW .overload = true
#define LINUX MAP_ANY, FROM_ADDR_PORT, PRESERVE, PER_FLOW, .keep_well_known = true
#define NATLAB RANDOM, .first_port = 32768, .t_filter = 300 * WZP_S

static const wzp_sim_nat_cfg presets[] = {
    {.name = "pub", .identity = true, .open = true},
    {.name = "fw", .identity = true, MAP_ANY, FROM_ADDR_PORT, PER_FLOW, TIMERS(30, 120)},
    {.name = "1to1", MAP_ANY, FROM_ANY, PRESERVE, HAIRPIN},
    {.name = "fullcone", MAP_ANY, FROM_ANY, PRESERVE, TIMERS(60, 300), HAIRPIN},
    {.name = "addrcone", MAP_ANY, FROM_ADDR, PRESERVE, TIMERS(60, 180)},
    {.name = "linux-masq", LINUX, TIMERS(30, 120)},
    {.name = "mikrotik", LINUX, TIMERS(10, 180)},
    {.name = "pf", MAP_ADDR_PORT, FROM_ADDR_PORT, RANDOM, .first_port = 50001, TIMERS(30, 60)},
    {.name = "symseq", MAP_ADDR_PORT, FROM_ADDR_PORT, SEQUENTIAL(1), TIMERS(60, 180)},
    {.name = "symseq2",
     MAP_ADDR_PORT,
     FROM_ADDR_PORT,
     SEQUENTIAL(2),
     .skip_ppm = 50000,
     TIMERS(60, 180)},
    {.name = "adm", MAP_ADDR, FROM_ADDR_PORT, SEQUENTIAL(1), TIMERS(60, 180)},
    {.name = "symrand", MAP_ADDR_PORT, FROM_ADDR_PORT, RANDOM, TIMERS(30, 120)},
    {.name = "cgn-rfc",
     MAP_ANY,
     FROM_ANY,
     RANDOM,
     .block_size = 1024,
     .blocks_max = 4,
     TIMERS(120, 300),
     .t_hold = 120 * WZP_S,
     HAIRPIN},
    {.name = "cgn-hard",
     MAP_ADDR_PORT,
     FROM_ADDR_PORT,
     RANDOM,
     .block_size = 1024,
     .blocks_max = 1,
     .quota = 1024,
     TIMERS(30, 60)},
    {.name = "pool-arb",
     MAP_ANY,
     FROM_ADDR_PORT,
     RANDOM,
     .arbitrary_pooling = true,
     TIMERS(30, 120)},
    {.name = "natlab-easy", MAP_ANY, FROM_ADDR_PORT, NATLAB},
    {.name = "natlab-easyaf", MAP_ANY, FROM_ADDR, NATLAB},
    {.name = "natlab-hard", MAP_ADDR_PORT, FROM_ADDR_PORT, NATLAB},
    {.name = "pion-default",
     MAP_ANY,
     FROM_ANY,
     SEQUENTIAL(1),
     .first_port = 49152,
     TIMERS(30, 30),
     .no_refresh_in = true},
    {.name = "ns3-rebind", MAP_ANY, FROM_ANY, PRESERVE},
};

/* Inner box, outer box. */
static const struct chain {
    const char *name, *box[2];
} chains[] = {
    {"double-easy", {"linux-masq", "cgn-rfc"}},
    {"double-hard", {"linux-masq", "cgn-hard"}},
};

enum { PRESETS = sizeof presets / sizeof *presets, CHAINS = sizeof chains / sizeof *chains };

bool wzp_sim_nat_preset(const char *name, wzp_sim_nat_cfg *out) {
    for (size_t i = 0; i < PRESETS; i++) {
        if (strcmp(presets[i].name, name) == 0) {
            *out = presets[i];
            return true;
        }
    }
    return false;
}

const char *wzp_sim_nat_preset_name(size_t index) {
    if (index < PRESETS) {
        return presets[index].name;
    }
    return index < PRESETS + CHAINS ? chains[index - PRESETS].name : NULL;
}

int wzp_sim_nat_chain(const char *name, wzp_sim_nat_cfg out[2]) {
    if (strcmp(name, "pub") == 0) {
        return 0;
    }
    for (size_t i = 0; i < CHAINS; i++) {
        if (strcmp(chains[i].name, name) == 0) {
            return wzp_sim_nat_preset(chains[i].box[0], &out[0]) &&
                           wzp_sim_nat_preset(chains[i].box[1], &out[1])
                       ? 2
                       : -1;
        }
    }
    return wzp_sim_nat_preset(name, &out[0]) ? 1 : -1;
}
