#include "io/drive.h"

#include "io/sys.h"

static void on_timer(uv_timer_t *timer);

/* One turn: timers, events, output, and the next deadline. */
static void turn(wzp_drive *d, wzp_time now) {
    d->core.ops->tick(d->core.self, now);
    if (d->after != NULL) {
        d->after(d->ctx, now);
    }
    wzp_udp_transmit(d->udp, d->core, now);
    if (!d->running) {
        return;
    }
    const wzp_time deadline = d->core.ops->deadline(d->core.self);
    if (deadline == WZP_TIME_NEVER) {
        uv_timer_stop(&d->timer);
        return;
    }
    const wzp_time after = wzp_time_since(deadline, wzp_io_now());
    uv_timer_start(&d->timer, on_timer, (after + WZP_MS - 1) / WZP_MS, 0);
}

static void on_timer(uv_timer_t *timer) {
    turn(timer->data, wzp_io_now());
}

static void on_readable(uv_poll_t *poll, int status, int events) {
    wzp_drive *d = poll->data;
    (void)status;
    (void)events;
    const wzp_time now = wzp_io_now();
    wzp_udp_receive(d->udp, d->core, now);
    turn(d, now);
}

wzp_err wzp_drive_start(wzp_drive *d, uv_loop_t *loop) {
    if (uv_poll_init(loop, &d->poll, wzp_udp_fd(d->udp)) != 0 ||
        uv_timer_init(loop, &d->timer) != 0) {
        return WZP_ERR_IO;
    }
    d->poll.data = d->timer.data = d;
    d->running = true;
    if (uv_poll_start(&d->poll, UV_READABLE, on_readable) != 0) {
        return WZP_ERR_IO;
    }
    turn(d, wzp_io_now());
    return WZP_OK;
}

void wzp_drive_kick(wzp_drive *d) {
    turn(d, wzp_io_now());
}

void wzp_drive_stop(wzp_drive *d) {
    if (d->running) {
        d->running = false;
        uv_poll_stop(&d->poll);
        uv_timer_stop(&d->timer);
        uv_close((uv_handle_t *)&d->poll, NULL);
        uv_close((uv_handle_t *)&d->timer, NULL);
    }
}
