/* Asks the service of --auth-url what the relay wants to know about tokens. */
#ifndef WZP_BIN_RELAY_RELAY_AUTH_H
#define WZP_BIN_RELAY_RELAY_AUTH_H

#include "io/drive.h"
#include "io/http_client.h"
#include "relay/relay.h"

typedef struct wzp_relay_service wzp_relay_service;

typedef struct wzp_relay_service_cfg {
    const char *url, *ca_file; /* as in io/http_client.h */
    wzp_relay *relay;          /* borrowed; made with cfg.auth */
    wzp_drive *drive;          /* borrowed: what an answer makes the relay say is sent at once */
    wzp_log log;
} wzp_relay_service_cfg;

/* Errors of wzp_http_client_start. */
WZP_MUST_USE wzp_err wzp_relay_service_start(wzp_relay_service **out, uv_loop_t *loop,
                                             const wzp_relay_service_cfg *cfg);

/* Takes the relay's questions; call it whenever the relay may have some. */
void wzp_relay_service_ask(wzp_relay_service *service, wzp_time now);

/* Questions on their way are not answered.  The loop must run on until it has no active handle,
 * and wzp_relay_service_free may then be called. */
void wzp_relay_service_stop(wzp_relay_service *service);

/* Accepts NULL, leaves NULL. */
void wzp_relay_service_free(wzp_relay_service **service);

#endif
