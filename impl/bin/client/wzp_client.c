/* wzp-client: calls over a relay, and what they are worth. */
#include <string.h>

#include "bin/client/client_modes.h"
#include "bin/client/client_options.h"
#include "bin/client/client_traces.h"
#include "crypto/crypto.h"
#include "io/sys.h"

static int run(const wzp_client_options *opts, const uint8_t seed[32]) {
    wzp_addr relay;
    if (opts->command == WZP_CLIENT_SWEEP) {
        return wzp_client_sweep(opts);
    }
    if (opts->command == WZP_CLIENT_NETCHECK) {
        return wzp_client_netcheck(opts);
    }
    const int code = wzp_client_resolve(opts->relay, &relay);
    if (code != 0) {
        return code;
    }
    switch (opts->command) {
    case WZP_CLIENT_ECHO:
        return wzp_client_echo(opts, &relay, seed);
    case WZP_CLIENT_DRIFT:
        return wzp_client_drift(opts, &relay, seed);
    case WZP_CLIENT_JOIN:
    case WZP_CLIENT_CALL:
    case WZP_CLIENT_LISTEN:
    case WZP_CLIENT_SWEEP:
    case WZP_CLIENT_NETCHECK:
        break;
    }
    return wzp_client_join(opts, &relay, seed);
}

int main(int argc, char **argv) {
    static wzp_client_options opts;
    uint8_t seed[32];
    int code = wzp_client_parse(&opts, argc, argv);
    if (code >= 0) {
        return code;
    }
    if (opts.has_seed) {
        memcpy(seed, opts.seed, sizeof seed);
        wzp_crypto_wipe(opts.seed, sizeof opts.seed);
    } else {
        wzp_rng_fill(wzp_io_rng(), seed, sizeof seed);
    }
    code = wzp_client_traces_open(&opts);
    if (code == 0) {
        code = run(&opts, seed);
    }
    wzp_client_traces_close(&opts);
    wzp_crypto_wipe(seed, sizeof seed);
    return code;
}
