#include "bin/relay/relay_ws.h"

#include <errno.h>
#include <stdlib.h>

#include "io/sys.h"
#include "io/websocket.h"
#include "relay/bridge.h"
#include "relay/limits.h"

struct wzp_relay_ws {
    wzp_relay_ws_cfg cfg;
    wzp_websockets *sockets;
};

static bool serves(void *ctx, const char *name) {
    (void)ctx;
    return wzp_relay_bridge_serves(name);
}

static bool on_open(void *ctx, wzp_websocket *socket, const char *name, const wzp_addr *from) {
    const wzp_relay_ws *ws = ctx;
    const uint64_t guest = wzp_relay_bridge_open(ws->cfg.relay, name, from, socket, wzp_io_now());
    wzp_websocket_set_app(socket, guest);
    wzp_drive_kick(ws->cfg.drive);
    return guest != 0;
}

static void on_heard(void *ctx, wzp_websocket *socket, wzp_websocket_kind kind, wzp_bytes message) {
    const wzp_relay_ws *ws = ctx;
    const uint64_t guest = wzp_websocket_app(socket);
    if (kind == WZP_WEBSOCKET_BINARY) {
        wzp_relay_bridge_binary(ws->cfg.relay, guest, message, wzp_io_now());
    } else {
        wzp_relay_bridge_text(ws->cfg.relay, guest, message, wzp_io_now());
    }
    wzp_drive_kick(ws->cfg.drive);
}

static bool on_next(void *ctx, wzp_websocket *socket, wzp_websocket_kind *kind,
                    wzp_bytes *message) {
    static const wzp_websocket_kind kinds[] = {[WZP_BRIDGE_TEXT] = WZP_WEBSOCKET_TEXT,
                                               [WZP_BRIDGE_BINARY] = WZP_WEBSOCKET_BINARY,
                                               [WZP_BRIDGE_CLOSE] = WZP_WEBSOCKET_CLOSE,
                                               [WZP_BRIDGE_REJECT] = WZP_WEBSOCKET_REJECT};
    const wzp_relay_ws *ws = ctx;
    wzp_bridge_message told;
    if (!wzp_relay_bridge_next(ws->cfg.relay, wzp_websocket_app(socket), &told)) {
        return false;
    }
    *kind = kinds[told.kind];
    *message = told.body;
    return true;
}

static void on_closed(void *ctx, wzp_websocket *socket) {
    const wzp_relay_ws *ws = ctx;
    wzp_relay_bridge_closed(ws->cfg.relay, wzp_websocket_app(socket), wzp_io_now());
    wzp_drive_kick(ws->cfg.drive);
}

wzp_err wzp_relay_ws_start(wzp_relay_ws **out, uv_loop_t *loop, const wzp_relay_ws_cfg *cfg) {
    static const wzp_websocket_ops ops = {serves, on_open, on_heard, on_next, on_closed};
    wzp_relay_ws *ws = calloc(1, sizeof *ws);
    if (ws == NULL) {
        return WZP_ERR_NOMEM;
    }
    ws->cfg = *cfg;
    const wzp_websockets_cfg sockets = {.listen = cfg->listen,
                                        .prefix = "/ws/",
                                        .clients_max = WZP_LIMIT_BRIDGE_GUESTS,
                                        .in_max = WZP_BRIDGE_TEXT_MAX,
                                        .out_max = WZP_BRIDGE_FRAME_MAX,
                                        .ops = &ops,
                                        .ctx = ws,
                                        .log = cfg->log};
    const wzp_err err = wzp_websockets_start(&ws->sockets, loop, &sockets);
    if (err != WZP_OK) {
        free(ws); /* leaves errno alone */
        return err;
    }
    *out = ws;
    return WZP_OK;
}

wzp_addr wzp_relay_ws_local(const wzp_relay_ws *ws) {
    return wzp_websockets_local(ws->sockets);
}

void wzp_relay_ws_wake(wzp_relay_ws *ws) {
    for (wzp_websocket *socket; (socket = wzp_relay_bridge_ready(ws->cfg.relay)) != NULL;) {
        wzp_websocket_wake(socket);
    }
}

void wzp_relay_ws_stop(wzp_relay_ws *ws) {
    wzp_websockets_stop(ws->sockets);
}

void wzp_relay_ws_free(wzp_relay_ws **ws) {
    if (*ws == NULL) {
        return;
    }
    wzp_websockets_free(&(*ws)->sockets);
    free(*ws);
    *ws = NULL;
}
