#include "sim/lab/engine.h"

#include <stdio.h>

#include "sim/ns3/ns3.h"

static wzp_err open_ns3(wzp_sim_fabric **out, const wzp_sim_engine_cfg *cfg, char why[256]) {
    const wzp_ns3_ops *ns3 = NULL;
    const wzp_err err = wzp_ns3_load(&ns3, why);
    return err == WZP_OK ? wzp_sim_fabric_ns3(out, cfg, ns3) : err;
}

wzp_err wzp_lab_engine_open(wzp_sim_fabric **out, const char *name, const wzp_sim_engine_cfg *cfg,
                            char why[256]) {
    wzp_err err = WZP_ERR_IO;
    why[0] = '\0';
    if (strcmp(name, "native") == 0) {
        err = wzp_sim_fabric_native(out, cfg);
    } else if (strcmp(name, "ns3") == 0) {
        err = open_ns3(out, cfg, why);
    } else {
        (void)snprintf(why, 256, "there is no engine %s", name);
    }
    if (err != WZP_OK && why[0] == '\0') {
        (void)snprintf(why, 256, "engine %s: %s", name, wzp_err_text(err));
    }
    return err;
}
