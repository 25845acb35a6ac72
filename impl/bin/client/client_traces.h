/* What wzp-client writes about its own connections, if it is told to. */
#ifndef WZP_BIN_CLIENT_CLIENT_TRACES_H
#define WZP_BIN_CLIENT_CLIENT_TRACES_H

#include "bin/client/client_options.h"
#include "io/capture.h"
#include "io/traces.h"

/* Sets opts->traces, and opts->lane if there is a capture.  0, or the exit status after a line
 * about it. */
int wzp_client_traces_open(wzp_client_options *opts);

/* After everything that uses them; says what is missing.  Twice is harmless. */
void wzp_client_traces_close(const wzp_client_options *opts);

#endif
