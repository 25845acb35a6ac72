/* Drives packet cores on real sockets with libuv: recv batch -> core recv ->
 * tick -> the owner's reaction -> next_packet -> batched send, and the core's
 * deadline on a timer of nanoseconds (those of libuv count milliseconds, too
 * coarse for pacing). */
#ifndef WZP_IO_DRIVE_H
#define WZP_IO_DRIVE_H

#include <uv.h>

#include "io/udp_pair.h"

/* The caller sets core, udp, udp6, after and ctx; the object must stay where it is
 * until the loop has run once more after wzp_drive_stop.  The rest is private.
 */
typedef struct wzp_drive {
    wzp_core core;        /* borrowed */
    wzp_udp *udp;         /* borrowed */
    wzp_udp_ports *ports; /* more sockets of the core, or NULL; borrowed */
    wzp_udp *udp6; /* the same core's IPv6 socket (udp_pair.h), or NULL: udp takes all; borrowed */
    /* Once per turn, before packets are drained: drain the core's events and give
     * it commands here.  May stop the drive.  May be NULL. */
    void (*after)(void *ctx, wzp_time now);
    void *ctx;
    /* Timers may ring so much later, ns, so that many of a busy core ring together: its deadlines
     * are rounded up to multiples of this.  0: exactly. */
    uint64_t slack;

    uv_poll_t socket, socket6, more, timer;
    int timer_fd;
    wzp_time armed; /* what timer_fd is set to; WZP_TIME_NEVER: disarmed */
    bool running, waits_to_write;
} wzp_drive;

/* WZP_ERR_IO: no file descriptor for the timer; errno says why. */
WZP_MUST_USE wzp_err wzp_drive_start(wzp_drive *drive, uv_loop_t *loop);

/* After a command to the core from outside `after`: sends and sets the timer
 * anew. */
void wzp_drive_kick(wzp_drive *drive);

/* Neither core nor socket is used any more.  Twice is harmless. */
void wzp_drive_stop(wzp_drive *drive);

#endif
