/* Is there a relay at this address?  Asks with SNI "version", which also gives its build. */
#ifndef WZP_CONFORMANCE_BIN_PROBE_H
#define WZP_CONFORMANCE_BIN_PROBE_H

#include "conformance/engine/world.h"

/* Tries again until `patience` is over.  False: `why` says what happened last. */
bool wzp_ct_probe(wzp_ct_world *world, const wzp_addr *addr, wzp_rng rng, uint64_t patience,
                  char *build, size_t cap, char why[160]);

#endif
