#include "conformance/embedded/net.h"

#include <stdio.h>
#include <string.h>

static bool find_tester(wzp_ct_net *out, const wzp_lab_scenario *scenario) {
    for (size_t i = 0; i < scenario->host_count; i++) {
        const wzp_lab_host *host = &scenario->hosts[i];
        if (strcmp(host->name, "tester") == 0) {
            *out = (wzp_ct_net){host->ways[0].links[0], host->ways[0].links[1]};
            return true;
        }
    }
    return false;
}

bool wzp_ct_net_load(wzp_ct_net *out, wzp_lab_scenario **scenario, const char *path) {
    static wzp_lab_errors errors;
    char why[WZP_TOML_WHY_MAX];
    wzp_lab_doc doc = {0};
    if (wzp_lab_doc_load(&doc, path, why) != WZP_OK) {
        (void)fprintf(stderr, "wzp-conformance: %s\n", why);
        return false;
    }
    const bool read = wzp_lab_scenario_read(scenario, &doc, NULL, &errors) == WZP_OK;
    wzp_lab_doc_clear(&doc);
    wzp_lab_errors_write(&errors, stderr);
    if (read && find_tester(out, *scenario)) {
        return true;
    }
    if (read) {
        (void)fprintf(stderr,
                      "wzp-conformance: %s: needs a host called 'tester', whose access the testers "
                      "get\n",
                      path);
    }
    return false;
}
