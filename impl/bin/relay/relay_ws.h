/* Browsers in rooms: WebSockets of io/websocket.h as guests of relay/bridge.h (relay sheet 11.6).
 */
#ifndef WZP_BIN_RELAY_RELAY_WS_H
#define WZP_BIN_RELAY_RELAY_WS_H

#include "io/drive.h"
#include "relay/relay.h"

typedef struct wzp_relay_ws wzp_relay_ws;

typedef struct wzp_relay_ws_cfg {
    wzp_addr listen;
    wzp_relay *relay;
    wzp_drive *drive; /* of that relay */
    wzp_log log;
} wzp_relay_ws_cfg;

/* Serves /ws/<room>.  Errors as wzp_websockets_start. */
WZP_MUST_USE wzp_err wzp_relay_ws_start(wzp_relay_ws **out, uv_loop_t *loop,
                                        const wzp_relay_ws_cfg *cfg);
wzp_addr wzp_relay_ws_local(const wzp_relay_ws *ws);

/* After each turn of the relay: wakes the sockets whose guests are to be told something. */
void wzp_relay_ws_wake(wzp_relay_ws *ws);

/* As wzp_websockets_stop and _free. */
void wzp_relay_ws_stop(wzp_relay_ws *ws);
void wzp_relay_ws_free(wzp_relay_ws **ws);

#endif
