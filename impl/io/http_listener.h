/* A TCP port whose connections libwebsockets serves inside a libuv loop.  Internal to io.
 *
 * libwebsockets could listen by itself, but then nothing would bound its connections.  Without file
 * descriptors for them they wait in the system's queue, and are asked for every second. */
#ifndef WZP_IO_HTTP_LISTENER_H
#define WZP_IO_HTTP_LISTENER_H

#include <uv.h>

#include "base/addr.h"
#include "base/log.h"

struct lws_context;
struct lws_context_creation_info;

typedef struct wzp_http_listener {
    wzp_addr listen;      /* port 0: the system picks one; then `local` has it */
    unsigned clients_max; /* more are turned away */
    const char *what;     /* in log lines; static text */
    wzp_log log;

    wzp_addr local;
    unsigned clients; /* counted by the owner's callback */
    struct lws_context *context;
    int fd;
    uv_poll_t poll;
    uv_timer_t retry;
    bool starved; /* no connection could be taken, and that was said */
} wzp_http_listener;

/* The caller sets the first four, and `protocols`, `user` and what else it wants in `info`.
 * WZP_ERR_IO: errno says why (ENOSYS: the libuv plugin of libwebsockets is missing) */
WZP_MUST_USE wzp_err wzp_http_listener_start(wzp_http_listener *listener, uv_loop_t *loop,
                                             const struct lws_context_creation_info *info);

/* The loop must run on until it has no active handle before wzp_http_listener_free. */
void wzp_http_listener_stop(wzp_http_listener *listener);
void wzp_http_listener_free(wzp_http_listener *listener);

#endif
