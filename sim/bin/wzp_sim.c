/* wzp-sim: calls through simulated networks. */
#include "sim/bin/options.h"

int main(int argc, char **argv) {
    wzp_sim_options options;
    const int status = wzp_sim_options_parse(&options, argc, argv);
    return status != -1 ? status : options.verb(&options);
}
