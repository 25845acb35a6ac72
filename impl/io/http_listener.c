#include "io/http_listener.h"

#include <errno.h>
#include <libwebsockets.h>
#include <unistd.h>

#include "io/sockaddr.h"
#include "io/sys.h"

enum { BACKLOG = 16, RETRY_MS = 1000 };

static void on_connection(uv_poll_t *poll, int status, int events);

static void on_retry(uv_timer_t *timer) {
    wzp_http_listener *l = timer->data;
    uv_poll_start(&l->poll, UV_READABLE, on_connection);
}

/* The connection is still there: to look again at once would turn the loop without end. */
static void pause_for(wzp_http_listener *l, int why) {
    if (!l->starved) {
        wzp_logf(&l->log, WZP_LOG_ERROR, "%s: connections wait: %s", l->what, wzp_io_reason(why));
    }
    l->starved = true;
    uv_poll_stop(&l->poll);
    uv_timer_start(&l->retry, on_retry, RETRY_MS, 0);
}

static void on_connection(uv_poll_t *poll, int status, int events) {
    wzp_http_listener *l = poll->data;
    (void)status;
    (void)events;
    const int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_for(l, errno);
        }
        return;
    }
    l->starved = false;
    if (l->clients >= l->clients_max) {
        wzp_logf(&l->log, WZP_LOG_WARN, "%s: more than %u clients, one was turned away", l->what,
                 l->clients_max);
        close(fd);
        return;
    }
    lws_adopt_socket(l->context, fd); /* closes it on failure */
}

static bool open_port(wzp_http_listener *l) {
    wzp_sockaddr addr;
    const int on = 1;
    socklen_t len = wzp_sockaddr_write(&addr, &l->listen, false);
    l->fd = socket(addr.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(l->fd, &addr.any, len) != 0 || listen(l->fd, BACKLOG) != 0) {
        return false;
    }
    len = sizeof addr;
    if (getsockname(l->fd, &addr.any, &len) != 0) {
        return false;
    }
    l->local = wzp_sockaddr_read(&addr);
    return true;
}

static struct lws_context *new_context(wzp_http_listener *l, uv_loop_t *loop,
                                       const struct lws_context_creation_info *wanted) {
    void *loops[] = {loop};
    struct lws_context_creation_info info = *wanted;
    info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
    info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DISABLE_IPV6;
    info.foreign_loops = loops;
    info.pcontext = &l->context;
    info.keepalive_timeout = 5;
    info.timeout_secs = 5;
    lws_set_log_level(0, NULL); /* it would write to stderr by itself */
    return lws_create_context(&info);
}

wzp_err wzp_http_listener_start(wzp_http_listener *l, uv_loop_t *loop,
                                const struct lws_context_creation_info *info) {
    int why = 0;
    if (!open_port(l)) {
        why = errno;
    } else if ((l->context = new_context(l, loop, info)) == NULL) {
        why = ENOSYS;
    } else if (uv_poll_init(loop, &l->poll, l->fd) != 0) {
        why = EMFILE;
        lws_context_destroy(l->context);
    }
    if (why != 0) {
        if (l->fd >= 0) {
            close(l->fd);
        }
        errno = why;
        return WZP_ERR_IO;
    }
    l->poll.data = l->retry.data = l;
    uv_timer_init(loop, &l->retry);
    uv_poll_start(&l->poll, UV_READABLE, on_connection);
    return WZP_OK;
}

void wzp_http_listener_stop(wzp_http_listener *l) {
    uv_poll_stop(&l->poll);
    uv_close((uv_handle_t *)&l->poll, NULL);
    uv_close((uv_handle_t *)&l->retry, NULL);
    close(l->fd);
    lws_context_destroy(l->context);
}

/* In a loop that is not its own libwebsockets destroys a context in two steps: what it has in the
 * loop, and after that the rest.  It clears our pointer when it is done. */
void wzp_http_listener_free(wzp_http_listener *l) {
    if (l->context != NULL) {
        lws_context_destroy(l->context);
    }
}
