/* The reference client as the client under test, in the suite's own process and thread: in virtual
 * time, or on a loopback socket.  It sends a sentence that was coded before, over and over. */
#ifndef WZP_CONFORMANCE_EMBEDDED_CLIENT_H
#define WZP_CONFORMANCE_EMBEDDED_CLIENT_H

#include "conformance/engine/subject.h"
#include "conformance/engine/world.h"

/* The context of wzp_ct_embedded_clients; it and the world outlive the clients. */
typedef struct wzp_ct_embedded_client_cfg {
    wzp_ct_world *world;
    wzp_rng rng;
    bool virtual_time;
} wzp_ct_embedded_client_cfg;

extern const wzp_ct_client_ops wzp_ct_embedded_clients;

#endif
