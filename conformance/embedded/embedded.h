/* The reference relay in the suite's own process: one for each configuration that a case may ask
 * for, in virtual time or on loopback sockets with a thread each. */
#ifndef WZP_CONFORMANCE_EMBEDDED_EMBEDDED_H
#define WZP_CONFORMANCE_EMBEDDED_EMBEDDED_H

#include "conformance/engine/case.h"
#include "conformance/engine/world.h"
#include "relay/relay.h"

typedef struct wzp_ct_embedded wzp_ct_embedded;

typedef struct wzp_ct_embedded_cfg {
    wzp_enforce enforce;
    bool exact_limits; /* no guard band in tier A: what the profile strict-limits asks for */
    bool strict_identity;
    wzp_rng rng;
    wzp_ct_world *world; /* virtual: the relays live there and must be freed after it; NULL: real */
} wzp_ct_embedded_cfg;

/* NULL: no memory, no socket or no thread.  Fills `targets`. */
wzp_ct_embedded *wzp_ct_embedded_new(const wzp_ct_embedded_cfg *cfg,
                                     wzp_addr targets[WZP_CT_CONFIG_COUNT]);

/* The metrics page of the relay for this configuration, with a terminator. */
bool wzp_ct_embedded_metrics(wzp_ct_embedded *embedded, wzp_ct_config config, char *text,
                             size_t cap);

/* See wzp_ct_play_restart.  It is done by the next call of wzp_ct_embedded_turn, from where no core
 * is being served. */
bool wzp_ct_embedded_restart(wzp_ct_embedded *embedded, wzp_ct_identity_file file);
bool wzp_ct_embedded_is_restarted(const wzp_ct_embedded *embedded);
/* See wzp_ct_play_be_dialled: the same. */
bool wzp_ct_embedded_dial(wzp_ct_embedded *embedded, const wzp_addr *suite);
bool wzp_ct_embedded_is_dialling(const wzp_ct_embedded *embedded);
void wzp_ct_embedded_turn(wzp_ct_embedded *embedded, wzp_time now);

void wzp_ct_embedded_free(wzp_ct_embedded **embedded);

#endif
