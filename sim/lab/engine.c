#include "sim/lab/engine.h"

#include <stdio.h>

wzp_err wzp_lab_engine_open(wzp_sim_fabric **out, const char *name, const wzp_sim_engine_cfg *cfg,
                            char why[256]) {
    if (strcmp(name, "native") == 0) {
        const wzp_err err = wzp_sim_fabric_native(out, cfg);
        (void)snprintf(why, 256, "%s", err == WZP_OK ? "" : wzp_err_text(err));
        return err;
    }
    (void)snprintf(why, 256, "there is no engine %s here", name);
    return WZP_ERR_IO;
}
