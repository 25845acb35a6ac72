/* Duplicates and bit errors.  nat sheet 2.10. */
#ifndef WZP_SIM_NET_MANGLE_H
#define WZP_SIM_NET_MANGLE_H

#include "sim/net/link.h"

typedef struct wzp_sim_mangle {
    wzp_sim_mangle_cfg cfg;
    wzp_prng duplicates, corruption; /* one stream each */
    wzp_time start;
    uint32_t run; /* corrupted ones in a row */
} wzp_sim_mangle;

void wzp_sim_mangle_init(wzp_sim_mangle *mangle, uint64_t seed, wzp_time start);
void wzp_sim_mangle_set(wzp_sim_mangle *mangle, const wzp_sim_mangle_cfg *cfg);

/* True: a second copy follows after *extra ns. */
bool wzp_sim_mangle_duplicate(wzp_sim_mangle *mangle, wzp_time now, uint64_t *extra);

/* May flip a bit of the payload.  An empty payload has none; then it is the header that broke, and
 * the checksum tells in either mode. */
void wzp_sim_mangle_corrupt(wzp_sim_mangle *mangle, wzp_sim_packet *packet, wzp_time now);

#endif
