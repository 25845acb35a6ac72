#include "sim/host/signal_faults.h"

#include <assert.h>
#include <string.h>

static bool means(const wzp_sim_signal_fault *f, bool out, const char *name, wzp_time now) {
    const bool in_time = now >= f->from && (f->until == 0 || now < f->until);
    return f->out == out && in_time && (strcmp(f->name, "any") == 0 || strcmp(f->name, name) == 0);
}

const wzp_sim_signal_fault *wzp_sim_signal_judge_next(wzp_sim_signal_judge *judge, bool out,
                                                      const char *name, wzp_time now) {
    const wzp_sim_signal_fault *hit = NULL;
    assert(judge->count <= WZP_SIM_SIGNAL_FAULTS_MAX);
    for (size_t i = 0; i < judge->count; i++) {
        const wzp_sim_signal_fault *f = &judge->faults[i];
        if (!means(f, out, name, now)) {
            continue;
        }
        const uint32_t number = judge->seen[i]++;
        const bool turn = number >= f->first && (f->count == 0 || number - f->first < f->count);
        hit = hit == NULL && turn ? f : hit; /* the other rules count on */
    }
    return hit;
}
