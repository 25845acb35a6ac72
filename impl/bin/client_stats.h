/* The lines of wzp-client join --stats json, which who tests a client reads (docs/CONFORMANCE.md,
 * "Testing a client").  Their names are a contract. */
#ifndef WZP_BIN_CLIENT_STATS_H
#define WZP_BIN_CLIENT_STATS_H

#include "client/client.h"

typedef struct wzp_client_line {
    const char *state; /* connecting, joined, closed */
    uint32_t members;
    const char *hangup; /* as WZP_CLIENT_HANGUP says it; "": none */
    wzp_client_stats stats;
} wzp_client_line;

/* One object on a line of standard output, at once. */
void wzp_client_print_line(const wzp_client_line *line);

#endif
