/* A wzp-relay process for a test: how it is started, what it says of itself, how it ends. */
#ifndef WZP_BIN_RELAY_TESTING_SOAK_RELAY_H
#define WZP_BIN_RELAY_TESTING_SOAK_RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/addr.h"

typedef struct soak_relay {
    pid_t pid;
    wzp_addr addr;
    uint16_t metrics_port;
    uint64_t waited, waited_most; /* ns */
    char page[256 * 1024];        /* of the last soak_relay_look */
} soak_relay;

/* Starts `program` with `options` (ends with NULL; at most 16).  False: it did not come up. */
bool soak_relay_start(soak_relay *r, const char *program, char **options);

/* Fetches the metrics. */
bool soak_relay_look(soak_relay *r);

/* A sample's value from the fetched page, samples of all labels together; 0: there is none. */
uint64_t soak_relay_value(const soak_relay *r, const char *name);

/* Memory in pages of the machine, as bytes. */
uint64_t soak_relay_resident(const soak_relay *r);

/* The longest time, among those between two calls of this, that it waited for a processor. */
uint64_t soak_relay_waited(soak_relay *r);

/* SIGTERM, and waits.  False: it did not end by itself with exit code 0. */
bool soak_relay_stop(soak_relay *r);

#endif
