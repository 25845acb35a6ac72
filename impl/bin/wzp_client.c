/* wzp-client: calls over a relay, and what they are worth. */
#include <errno.h>
#include <string.h>

#include "bin/client_modes.h"
#include "bin/client_options.h"
#include "crypto/crypto.h"
#include "io/sys.h"
#include "io/traces.h"

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

/* 0, or the exit status. */
static int open_traces(wzp_client_options *o) {
    const wzp_traces_cfg cfg = {.name = "client",
                                .keylog = o->keylog,
                                .media_keys = o->media_keys,
                                .qlog_dir = o->qlog_dir};
    const char *bad = "traces";
    if (wzp_traces_open(&o->traces, &cfg, &bad) != WZP_OK) {
        return wzp_client_complain(WZP_CLIENT_UNREADABLE, bad, wzp_io_reason(errno));
    }
    const char *secrets[] = {o->keylog, o->media_keys};
    for (size_t i = 0; i < WZP_COUNT_OF(secrets); i++) {
        if (secrets[i] != NULL) {
            (void)wzp_client_complain(0, secrets[i],
                                      "secrets are written: who has them can listen in");
        }
    }
    return 0;
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
    code = open_traces(&opts);
    if (code == 0) {
        code = run(&opts, seed);
    }
    if (opts.traces != NULL && wzp_traces_lost(opts.traces) > 0) {
        (void)wzp_client_complain(0, "traces", "not all of them could be written");
    }
    wzp_traces_close(&opts.traces);
    wzp_crypto_wipe(seed, sizeof seed);
    return code;
}
