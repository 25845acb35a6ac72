/* What a proxy has to say, in order, until somebody takes it away. */
#ifndef WZP_SIM_PROXY_OUTPUTS_H
#define WZP_SIM_PROXY_OUTPUTS_H

#include "sim/proxy/proxy.h"

/* Datagrams leave room for as many notices as one call can give. */
enum { WZP_SIM_OUTPUTS_MAX = 8192, WZP_SIM_OUTPUTS_NOTICES = 2048 };

typedef struct wzp_sim_output_slot {
    wzp_sim_proxy_output output;
    uint8_t *bytes; /* grows to what was needed once */
    size_t cap;
} wzp_sim_output_slot;

typedef struct wzp_sim_outputs {
    wzp_sim_output_slot slots[WZP_SIM_OUTPUTS_MAX];
    size_t first, count;
} wzp_sim_outputs;

/* Copies `output` and its payload.  False: no room, or no memory. */
bool wzp_sim_outputs_push(wzp_sim_outputs *outputs, const wzp_sim_proxy_output *output);

/* Its payload is valid until the next push. */
bool wzp_sim_outputs_pop(wzp_sim_outputs *outputs, wzp_sim_proxy_output *out);

void wzp_sim_outputs_clear(wzp_sim_outputs *outputs);

#endif
