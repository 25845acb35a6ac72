#include "sim/net/node.h"

#include <assert.h>

const char *wzp_sim_drop_name(wzp_sim_drop drop) {
    static const char *const names[] = {
#define X(id, text) text,
        WZP_SIM_DROP_MAP(X)
#undef X
    };
    assert(drop < WZP_SIM_DROP_COUNT);
    return names[drop];
}
