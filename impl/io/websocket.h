/* A WebSocket server inside a libuv loop, by libwebsockets: GET PREFIX<name> upgrades.  No TLS: a
 * proxy in front has it.  Whole messages in and out; what is to be sent stays with the owner until
 * the socket takes it. */
#ifndef WZP_IO_WEBSOCKET_H
#define WZP_IO_WEBSOCKET_H

#include <uv.h>

#include "base/addr.h"
#include "base/log.h"

typedef struct wzp_websockets wzp_websockets; /* the server */
typedef struct wzp_websocket wzp_websocket;   /* one connection */

typedef enum wzp_websocket_kind {
    WZP_WEBSOCKET_TEXT,
    WZP_WEBSOCKET_BINARY,
    WZP_WEBSOCKET_CLOSE, /* the text is the reason */
    WZP_WEBSOCKET_REJECT /* the same with status 1008: a policy was violated (RFC 6455, 7.4.1) */
} wzp_websocket_kind;

/* Nothing in here may stop the server. */
typedef struct wzp_websocket_ops {
    /* Before the upgrade; false is status 404.  A name is as in wzp_http_page. */
    bool (*serves)(void *ctx, const char *name);
    /* False: it is closed at once, and `closed` is not called for it. */
    bool (*open)(void *ctx, wzp_websocket *ws, const char *name, const wzp_addr *from);
    void (*heard)(void *ctx, wzp_websocket *ws, wzp_websocket_kind kind, wzp_bytes message);
    /* The next message to send, at most out_max bytes, borrowed until the next call.  False: none
     * now; then wzp_websocket_wake is awaited.  After CLOSE or REJECT it is not asked again. */
    bool (*next)(void *ctx, wzp_websocket *ws, wzp_websocket_kind *kind, wzp_bytes *message);
    void (*closed)(void *ctx, wzp_websocket *ws);
} wzp_websocket_ops;

typedef struct wzp_websockets_cfg {
    wzp_addr listen;        /* port 0: the system picks one */
    const char *prefix;     /* "/ws/"; static text */
    unsigned clients_max;   /* connections, upgraded or not */
    size_t in_max, out_max; /* bytes of a message; a longer one that comes closes with 1009 */
    const wzp_websocket_ops *ops;
    void *ctx;
    wzp_log log;
} wzp_websockets_cfg;

/* Requests without upgrade answer 426, others 404.  Connections that answer no ping for 40 seconds
 * end.  Errors as wzp_http_start. */
WZP_MUST_USE wzp_err wzp_websockets_start(wzp_websockets **out, uv_loop_t *loop,
                                          const wzp_websockets_cfg *cfg);

/* The listening address with the real port. */
wzp_addr wzp_websockets_local(const wzp_websockets *server);

/* Ends all connections; the loop must run on until it has no active handle, and
 * wzp_websockets_free may then be called. */
void wzp_websockets_stop(wzp_websockets *server);

/* Accepts NULL, leaves NULL. */
void wzp_websockets_free(wzp_websockets **server);

/* The owner's number for a connection, 0 at first. */
uint64_t wzp_websocket_app(const wzp_websocket *ws);
void wzp_websocket_set_app(wzp_websocket *ws, uint64_t app);

/* There is something to send. */
void wzp_websocket_wake(wzp_websocket *ws);

#endif
