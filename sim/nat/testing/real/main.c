/* sim_nat_real COMMAND ARGS: one part of the simulator with real sockets; see real_nat_test.sh. */
#include <errno.h>
#include <string.h>

#include "sim/nat/testing/real/real.h"

int main(int argc, char **argv) {
    static const struct command {
        const char *name;
        int (*run)(char **args);
    } commands[] = {{"nat", real_nat},   {"stun", real_stun}, {"discover", real_discover},
                    {"hear", real_hear}, {"echo", real_echo}, {"echoes", real_echoes}};
    for (size_t i = 0; argc >= 2 && i < WZP_COUNT_OF(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argv + 2);
        }
    }
    errno = EINVAL;
    real_die("usage: nat | stun | discover | hear | echo | echoes");
}
