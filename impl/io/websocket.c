#include "io/websocket.h"

#include <errno.h>

#ifdef WZP_HAVE_WEBSOCKETS

#include <libwebsockets.h>
#include <stdlib.h>

#include "io/http.h"
#include "io/http_listener.h"
#include "io/sockaddr.h"

enum { CHUNK = 4096, UPGRADE_REQUIRED = 426, PING_S = 25, HANGUP_S = 40, CLOSE_REASON_MAX = 120 };

struct wzp_websockets {
    wzp_websockets_cfg cfg;
    wzp_http_listener listener;
    uint8_t out[]; /* LWS_PRE bytes, then a message on its way */
};

/* libwebsockets keeps it, zeroed, beside its own state of the connection. */
struct wzp_websocket {
    struct lws *wsi;
    wzp_websockets *server;
    uint64_t app;
    bool is_open, is_closing;
    char name[WZP_HTTP_NAME_MAX + 1];
    uint8_t *in; /* the pieces of a message so far */
    size_t in_len;
};

/* --- names ------------------------------------------------------------------------------------ */

/* What the request has below the prefix, if it is served. */
static bool read_name(const wzp_websockets *server, struct lws *wsi,
                      char name[WZP_HTTP_NAME_MAX + 1]) {
    char path[2 * WZP_HTTP_NAME_MAX];
    if (lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) <= 0) {
        return false;
    }
    const char *found = wzp_http_match(server->cfg.prefix, path);
    if (found == NULL || !server->cfg.ops->serves(server->cfg.ctx, found)) {
        return false;
    }
    memcpy(name, found, strlen(found) + 1);
    return true;
}

static int answer(struct lws *wsi, unsigned status) {
    return lws_return_http_status(wsi, status, NULL) != 0 ||
                   lws_http_transaction_completed(wsi) != 0
               ? -1
               : 0;
}

/* A request that does not ask for an upgrade. */
static int on_plain_request(const wzp_websockets *server, struct lws *wsi, const char *path) {
    const char *name = wzp_http_match(server->cfg.prefix, path);
    const bool served = name != NULL && server->cfg.ops->serves(server->cfg.ctx, name);
    return answer(wsi, served ? UPGRADE_REQUIRED : HTTP_STATUS_NOT_FOUND);
}

static int on_upgrade(const wzp_websockets *server, struct lws *wsi, wzp_websocket *ws) {
    if (ws != NULL && read_name(server, wsi, ws->name)) {
        return 0;
    }
    (void)lws_return_http_status(wsi, HTTP_STATUS_NOT_FOUND, NULL);
    return -1;
}

/* --- one connection --------------------------------------------------------------------------- */

static wzp_addr address_of(struct lws *wsi) {
    wzp_sockaddr addr;
    socklen_t len = sizeof addr;
    if (getpeername(lws_get_socket_fd(wsi), &addr.any, &len) != 0) {
        return (wzp_addr){.family = WZP_ADDR_NONE};
    }
    return wzp_sockaddr_read(&addr);
}

static int on_open(wzp_websockets *server, struct lws *wsi, wzp_websocket *ws) {
    const wzp_addr from = address_of(wsi);
    ws->wsi = wsi;
    ws->server = server;
    ws->is_open = server->cfg.ops->open(server->cfg.ctx, ws, ws->name, &from);
    return ws->is_open ? 0 : -1;
}

static void forget_pieces(wzp_websocket *ws) {
    free(ws->in);
    ws->in = NULL;
    ws->in_len = 0;
}

/* 0, or -1: the connection ends. */
static int keep_piece(wzp_websocket *ws, const void *data, size_t len) {
    const size_t max = ws->server->cfg.in_max;
    uint8_t *in = len <= max - ws->in_len ? realloc(ws->in, ws->in_len + len + 1) : NULL;
    if (in == NULL) {
        lws_close_reason(ws->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
        return -1;
    }
    if (len > 0) {
        memcpy(in + ws->in_len, data, len);
    }
    ws->in = in;
    ws->in_len += len;
    return 0;
}

static int on_piece(wzp_websocket *ws, const void *data, size_t len) {
    const wzp_websockets_cfg *cfg = &ws->server->cfg;
    if (keep_piece(ws, data, len) != 0) {
        return -1;
    }
    if (lws_is_final_fragment(ws->wsi) != 0 && lws_remaining_packet_payload(ws->wsi) == 0) {
        const wzp_websocket_kind kind =
            lws_frame_is_binary(ws->wsi) != 0 ? WZP_WEBSOCKET_BINARY : WZP_WEBSOCKET_TEXT;
        const wzp_bytes message = wzp_bytes_of(ws->in, ws->in_len);
        cfg->ops->heard(cfg->ctx, ws, kind, message);
        forget_pieces(ws);
    }
    return 0;
}

/* In a libuv loop libwebsockets 4.1 loses its close frame when the callback for writing asks for
 * it: a timer of the connection asks in its place. */
static int begin_close(wzp_websocket *ws, enum lws_close_status status, uint8_t *reason,
                       size_t len) {
    lws_close_reason(ws->wsi, status, reason, len < CLOSE_REASON_MAX ? len : CLOSE_REASON_MAX);
    ws->is_closing = true;
    lws_set_timer_usecs(ws->wsi, 1);
    return 0;
}

static int send_next(wzp_websocket *ws) {
    wzp_websockets *server = ws->server;
    const wzp_websockets_cfg *cfg = &server->cfg;
    wzp_websocket_kind kind = WZP_WEBSOCKET_CLOSE;
    wzp_bytes message = {NULL, 0};
    if (!cfg->ops->next(cfg->ctx, ws, &kind, &message) || message.len > cfg->out_max) {
        return 0;
    }
    uint8_t *at = server->out + LWS_PRE;
    if (message.len > 0) {
        memcpy(at, message.data, message.len);
    }
    if (kind == WZP_WEBSOCKET_CLOSE) {
        return begin_close(ws, LWS_CLOSE_STATUS_NORMAL, at, message.len);
    }
    if (kind == WZP_WEBSOCKET_REJECT) {
        return begin_close(ws, LWS_CLOSE_STATUS_POLICY_VIOLATION, at, message.len);
    }
    lws_callback_on_writable(ws->wsi); /* once more when the socket has taken it */
    const enum lws_write_protocol protocol =
        kind == WZP_WEBSOCKET_TEXT ? LWS_WRITE_TEXT : LWS_WRITE_BINARY;
    return lws_write(ws->wsi, at, message.len, protocol) < 0 ? -1 : 0;
}

static void on_closed(wzp_websocket *ws) {
    forget_pieces(ws);
    if (ws->is_open) {
        ws->is_open = false;
        ws->server->cfg.ops->closed(ws->server->cfg.ctx, ws);
    }
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len) {
    wzp_websockets *server = lws_context_user(lws_get_context(wsi));
    wzp_websocket *ws = user;
    switch ((int)reason) {
    case LWS_CALLBACK_HTTP:
        return on_plain_request(server, wsi, in);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return on_upgrade(server, wsi, ws);
    case LWS_CALLBACK_ESTABLISHED:
        return on_open(server, wsi, ws);
    case LWS_CALLBACK_RECEIVE:
        return on_piece(ws, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return ws->is_open && !ws->is_closing ? send_next(ws) : 0;
    case LWS_CALLBACK_TIMER:
        return -1; /* begin_close set it */
    case LWS_CALLBACK_CLOSED:
        on_closed(ws);
        return 0;
    case LWS_CALLBACK_WSI_CREATE:
        server->listener.clients++;
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        server->listener.clients--;
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, user, in, len);
    }
}

uint64_t wzp_websocket_app(const wzp_websocket *ws) {
    return ws->app;
}

void wzp_websocket_set_app(wzp_websocket *ws, uint64_t app) {
    ws->app = app;
}

void wzp_websocket_wake(wzp_websocket *ws) {
    lws_callback_on_writable(ws->wsi);
}

/* --- start and stop --------------------------------------------------------------------------- */

wzp_err wzp_websockets_start(wzp_websockets **out, uv_loop_t *loop, const wzp_websockets_cfg *cfg) {
    static const struct lws_protocols protocols[] = {
        {.name = "ws",
         .callback = on_event,
         .per_session_data_size = sizeof(wzp_websocket),
         .rx_buffer_size = CHUNK},
        {.name = NULL}};
    static const lws_retry_bo_t idle = {.secs_since_valid_ping = PING_S,
                                        .secs_since_valid_hangup = HANGUP_S};
    wzp_websockets *server = calloc(1, sizeof *server + LWS_PRE + cfg->out_max);
    if (server == NULL) {
        return WZP_ERR_NOMEM;
    }
    server->cfg = *cfg;
    server->listener = (wzp_http_listener){.listen = cfg->listen,
                                           .clients_max = cfg->clients_max,
                                           .what = "WebSockets",
                                           .log = cfg->log};
    const struct lws_context_creation_info info = {
        .protocols = protocols, .user = server, .retry_and_idle_policy = &idle};
    const wzp_err err = wzp_http_listener_start(&server->listener, loop, &info);
    if (err != WZP_OK) {
        free(server); /* leaves errno alone */
        return err;
    }
    *out = server;
    return WZP_OK;
}

wzp_addr wzp_websockets_local(const wzp_websockets *server) {
    return server->listener.local;
}

void wzp_websockets_stop(wzp_websockets *server) {
    wzp_http_listener_stop(&server->listener);
}

void wzp_websockets_free(wzp_websockets **server) {
    if (*server == NULL) {
        return;
    }
    wzp_http_listener_free(&(*server)->listener);
    free(*server);
    *server = NULL;
}

#else

wzp_err wzp_websockets_start(wzp_websockets **out, uv_loop_t *loop, const wzp_websockets_cfg *cfg) {
    (void)out;
    (void)loop;
    (void)cfg;
    errno = ENOSYS;
    return WZP_ERR_IO;
}

wzp_addr wzp_websockets_local(const wzp_websockets *server) {
    (void)server;
    return (wzp_addr){.family = WZP_ADDR_NONE};
}

void wzp_websockets_stop(wzp_websockets *server) {
    (void)server;
}

void wzp_websockets_free(wzp_websockets **server) {
    *server = NULL;
}

uint64_t wzp_websocket_app(const wzp_websocket *ws) {
    (void)ws;
    return 0;
}

void wzp_websocket_set_app(wzp_websocket *ws, uint64_t app) {
    (void)ws;
    (void)app;
}

void wzp_websocket_wake(wzp_websocket *ws) {
    (void)ws;
}

#endif
