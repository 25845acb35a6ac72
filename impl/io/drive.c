#include "io/drive.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include "io/sys.h"

/* After a sleep of the process: what waits in the socket is older than the timers that ran out. */
#define LATE (1 * WZP_S)

static void on_socket(uv_poll_t *poll, int status, int events);

/* --- waiting ---------------------------------------------------------------------------------- */

/* A later deadline leaves the timer as it is: most move on with every packet.  It then rings too
 * early once, and is armed again. */
static void arm(wzp_drive *d, wzp_time deadline) {
    if (deadline >= d->armed) {
        return;
    }
    d->armed = deadline;
    const wzp_time when = deadline != 0 ? deadline : 1; /* zero would disarm */
    const struct itimerspec at = {
        .it_value = {.tv_sec = (time_t)(when / WZP_S), .tv_nsec = (long)(when % WZP_S)}};
    timerfd_settime(d->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* Each ring costs four system calls: whoever has a thousand connections rings for many at once. */
static wzp_time rounded(const wzp_drive *d, wzp_time deadline, wzp_time now) {
    if (d->slack == 0 || deadline <= now || deadline >= WZP_TIME_NEVER - d->slack) {
        return deadline;
    }
    return deadline + d->slack - 1 - (deadline + d->slack - 1) % d->slack;
}

static void await_socket(wzp_drive *d, bool writable) {
    if (writable != d->waits_to_write) {
        const int events = writable ? UV_READABLE | UV_WRITABLE : UV_READABLE;
        d->waits_to_write = writable;
        uv_poll_start(&d->socket, events, on_socket);
        if (d->udp6 != NULL) {
            uv_poll_start(&d->socket6, events, on_socket);
        }
    }
}

/* While the socket is full the core's wish to send ("deadline 0") must not turn
 * the loop. */
static void wait_for_next(wzp_drive *d, bool blocked, wzp_time now) {
    const wzp_time deadline = d->core.ops->deadline(d->core.self);
    await_socket(d, blocked);
    arm(d, blocked && deadline <= now ? WZP_TIME_NEVER : rounded(d, deadline, now));
}

/* --- turns ------------------------------------------------------------------------------------ */

static void turn(wzp_drive *d, wzp_time now) {
    d->core.ops->tick(d->core.self, now);
    if (d->after != NULL) {
        d->after(d->ctx, now);
    }
    if (d->running) {
        const bool sent = wzp_udp_pair_transmit(d->udp, d->udp6, d->ports, d->core, now);
        wait_for_next(d, !sent, now);
    }
}

static void receive(wzp_drive *d, wzp_time now) {
    wzp_udp_receive(d->udp, d->core, now);
    if (d->udp6 != NULL) {
        wzp_udp_receive(d->udp6, d->core, now);
    }
    if (d->ports != NULL) {
        wzp_udp_ports_receive(d->ports, d->core, now);
    }
}

static void on_timer(uv_poll_t *poll, int status, int events) {
    wzp_drive *d = poll->data;
    uint64_t expirations;
    (void)status;
    (void)events;
    if (read(d->timer_fd, &expirations, sizeof expirations) > 0) {
        const wzp_time now = wzp_io_now();
        if (wzp_time_since(now, d->armed) >= LATE) {
            receive(d, now); /* it may have come in time */
        }
        d->armed = WZP_TIME_NEVER;
        turn(d, now);
    }
}

static void on_socket(uv_poll_t *poll, int status, int events) {
    wzp_drive *d = poll->data;
    (void)status; /* an error of the socket is read, and counted, like everything
                     else */
    (void)events;
    const wzp_time now = wzp_io_now();
    wzp_udp_receive(poll == &d->socket ? d->udp : d->udp6, d->core, now);
    turn(d, now);
}

static void on_ports(uv_poll_t *poll, int status, int events) {
    wzp_drive *d = poll->data;
    (void)status;
    (void)events;
    const wzp_time now = wzp_io_now();
    wzp_udp_ports_receive(d->ports, d->core, now);
    turn(d, now);
}

/* --- start and stop --------------------------------------------------------------------------- */

/* False: nothing of it is open. */
static bool init_sockets(wzp_drive *d, uv_loop_t *loop) {
    if (uv_poll_init(loop, &d->socket, wzp_udp_fd(d->udp)) != 0) {
        return false;
    }
    if (d->udp6 != NULL && uv_poll_init(loop, &d->socket6, wzp_udp_fd(d->udp6)) != 0) {
        uv_close((uv_handle_t *)&d->socket, NULL);
        return false;
    }
    if (d->ports != NULL && uv_poll_init(loop, &d->more, wzp_udp_ports_fd(d->ports)) != 0) {
        uv_close((uv_handle_t *)&d->socket, NULL);
        if (d->udp6 != NULL) {
            uv_close((uv_handle_t *)&d->socket6, NULL);
        }
        return false;
    }
    return true;
}

static void close_sockets(wzp_drive *d) {
    uv_close((uv_handle_t *)&d->socket, NULL);
    if (d->udp6 != NULL) {
        uv_close((uv_handle_t *)&d->socket6, NULL);
    }
    if (d->ports != NULL) {
        uv_close((uv_handle_t *)&d->more, NULL);
    }
}

static bool init_polls(wzp_drive *d, uv_loop_t *loop) {
    if (!init_sockets(d, loop)) {
        return false;
    }
    if (uv_poll_init(loop, &d->timer, d->timer_fd) != 0) {
        close_sockets(d);
        return false;
    }
    d->socket.data = d->socket6.data = d->more.data = d->timer.data = d;
    uv_poll_start(&d->socket, UV_READABLE, on_socket);
    if (d->udp6 != NULL) {
        uv_poll_start(&d->socket6, UV_READABLE, on_socket);
    }
    if (d->ports != NULL) {
        uv_poll_start(&d->more, UV_READABLE, on_ports);
    }
    uv_poll_start(&d->timer, UV_READABLE, on_timer);
    return true;
}

wzp_err wzp_drive_start(wzp_drive *d, uv_loop_t *loop) {
    d->armed = WZP_TIME_NEVER;
    d->waits_to_write = false;
    d->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (d->timer_fd < 0) {
        return WZP_ERR_IO;
    }
    if (!init_polls(d, loop)) {
        close(d->timer_fd);
        return WZP_ERR_IO;
    }
    d->running = true;
    turn(d, wzp_io_now());
    return WZP_OK;
}

void wzp_drive_kick(wzp_drive *d) {
    if (d->running) {
        turn(d, wzp_io_now());
    }
}

void wzp_drive_stop(wzp_drive *d) {
    if (!d->running) {
        return;
    }
    d->running = false;
    uv_poll_stop(&d->socket);
    uv_poll_stop(&d->timer);
    if (d->udp6 != NULL) {
        uv_poll_stop(&d->socket6);
    }
    if (d->ports != NULL) {
        uv_poll_stop(&d->more);
    }
    close_sockets(d);
    uv_close((uv_handle_t *)&d->timer, NULL);
    close(d->timer_fd);
}
