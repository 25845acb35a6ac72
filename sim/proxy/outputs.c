#include "sim/proxy/outputs.h"

#include <stdlib.h>
#include <string.h>

static bool copy_payload(wzp_sim_output_slot *slot, wzp_bytes payload) {
    if (payload.len > slot->cap) {
        uint8_t *bytes = realloc(slot->bytes, payload.len);
        if (bytes == NULL) {
            return false;
        }
        slot->bytes = bytes;
        slot->cap = payload.len;
    }
    if (payload.len > 0) {
        memcpy(slot->bytes, payload.data, payload.len);
    }
    return true;
}

static bool is_datagram(const wzp_sim_proxy_output *output) {
    return output->kind == WZP_SIM_PROXY_TO_CLIENT || output->kind == WZP_SIM_PROXY_TO_UPSTREAM;
}

bool wzp_sim_outputs_push(wzp_sim_outputs *outputs, const wzp_sim_proxy_output *output) {
    const size_t kept = is_datagram(output) ? WZP_SIM_OUTPUTS_NOTICES : 0;
    wzp_sim_output_slot *slot =
        &outputs->slots[(outputs->first + outputs->count) % WZP_SIM_OUTPUTS_MAX];
    if (outputs->count + kept >= WZP_SIM_OUTPUTS_MAX || !copy_payload(slot, output->payload)) {
        return false;
    }
    slot->output = *output;
    slot->output.payload.data = slot->bytes;
    outputs->count++;
    return true;
}

bool wzp_sim_outputs_pop(wzp_sim_outputs *outputs, wzp_sim_proxy_output *out) {
    if (outputs->count == 0) {
        return false;
    }
    *out = outputs->slots[outputs->first].output;
    outputs->first = (outputs->first + 1) % WZP_SIM_OUTPUTS_MAX;
    outputs->count--;
    return true;
}

void wzp_sim_outputs_clear(wzp_sim_outputs *outputs) {
    for (size_t i = 0; i < WZP_SIM_OUTPUTS_MAX; i++) {
        free(outputs->slots[i].bytes);
    }
    *outputs = (wzp_sim_outputs){.first = 0};
}
