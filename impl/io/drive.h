/* Drives packet cores on real sockets with libuv. */
#ifndef WZP_IO_DRIVE_H
#define WZP_IO_DRIVE_H

#include <uv.h>

#include "io/udp.h"

typedef struct wzp_drive {
    wzp_core core;
    wzp_udp *udp; /* borrowed */
    void (*after)(void *ctx, wzp_time now); /* once per turn, to drain events; may be NULL */
    void *ctx;
    uv_poll_t poll;
    uv_timer_t timer;
    bool running;
} wzp_drive;

/* Fields core, udp, after, ctx are set by the caller; the object must stay where it is. */
WZP_MUST_USE wzp_err wzp_drive_start(wzp_drive *drive, uv_loop_t *loop);

/* After a command to the core from outside: sends and sets the timer anew. */
void wzp_drive_kick(wzp_drive *drive);

void wzp_drive_stop(wzp_drive *drive);

#endif
