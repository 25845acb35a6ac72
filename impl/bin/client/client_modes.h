/* What wzp-client can do; each returns the program's exit status. */
#ifndef WZP_BIN_CLIENT_CLIENT_MODES_H
#define WZP_BIN_CLIENT_CLIENT_MODES_H

#include "bin/client/client_options.h"

/* join, call and listen.  `seed` is borrowed. */
int wzp_client_join(const wzp_client_options *opts, const wzp_addr *relay, const uint8_t seed[32]);

/* Measuring modes. */
int wzp_client_echo(const wzp_client_options *opts, const wzp_addr *relay, const uint8_t seed[32]);
int wzp_client_drift(const wzp_client_options *opts, const wzp_addr *relay, const uint8_t seed[32]);
int wzp_client_sweep(const wzp_client_options *opts);
int wzp_client_netcheck(const wzp_client_options *opts);

#endif
