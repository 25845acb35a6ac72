/* Runs packet cores on UDP sockets: recv batch -> core recv -> tick -> the owner's reaction ->
 * next_packet -> batched send, and the core's deadline on a timer of nanoseconds.
 *
 * A wzp_drive holds any number of cores, each on a socket of its own, in one thread.  It can be
 * stepped (conformance suite), live inside a libuv loop (relay, client), or have a thread to itself
 * (wzp_io_thread).  Only wzp_drive_wake and the thread functions may be called from elsewhere. */
#ifndef WZP_IO_DRIVE_H
#define WZP_IO_DRIVE_H

#include "io/udp.h"
#include "quic/core.h"

typedef struct wzp_drive wzp_drive;

typedef struct wzp_drive_member {
    wzp_core core; /* borrowed until removed */
    wzp_udp *udp;  /* taken on success: closed on removal */
    /* Called after the core was served and before its packets are drained: drain its events and
     * give commands here.  May add and remove members, itself too.  May be NULL. */
    void (*after)(void *ctx, wzp_time now);
    void *ctx;
} wzp_drive_member;

/* WZP_ERR_IO (no file descriptor), WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_drive_new(wzp_drive **out);

/* Removes every member first.  Accepts NULL, leaves NULL. */
void wzp_drive_free(wzp_drive **drive);

/* WZP_ERR_NOMEM, WZP_ERR_IO; `udp` is then still the caller's. */
WZP_MUST_USE wzp_err wzp_drive_add(wzp_drive *drive, const wzp_drive_member *member);

/* Sends what the core still has, as far as the socket takes it, and closes the socket.  Nothing
 * happens when it is not a member. */
void wzp_drive_remove(wzp_drive *drive, const void *core_self);

/* Serves cores that have something to do, sleeping until `until` (wzp_clock_now's time; 0: do not
 * sleep) for the first of a datagram, a deadline, or wzp_drive_wake.  Commands given to cores since
 * the last step are acted on at once. */
void wzp_drive_step(wzp_drive *drive, wzp_time until);

/* Makes the current or next step return soon.  Thread-safe and safe in a signal handler. */
void wzp_drive_wake(wzp_drive *drive);

/* --- inside libuv ---------------------------------------------------------------------------- */

struct uv_loop_s;

/* From now on `loop` steps the drive when it has something to do.
 * WZP_ERR_IO, WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_drive_attach(wzp_drive *drive, struct uv_loop_s *loop);

/* The loop must run once more before it is closed, to let go of its handle. */
void wzp_drive_detach(wzp_drive *drive);

/* --- a thread of its own --------------------------------------------------------------------- */

typedef struct wzp_io_thread wzp_io_thread;

/* Starts a thread that drives `member`; the core belongs to it until wzp_io_thread_stop returned.
 * WZP_ERR_IO, WZP_ERR_NOMEM; `member->udp` is then still the caller's. */
WZP_MUST_USE wzp_err wzp_io_thread_start(wzp_io_thread **out, const wzp_drive_member *member);

/* Runs `call` on that thread between two turns and waits for its end: commands, metrics. */
void wzp_io_thread_call(wzp_io_thread *thread, void (*call)(void *ctx, wzp_time now), void *ctx);

/* Lets the thread send what the core still has, ends it and closes the socket.  To be polite, close
 * the core's connections by wzp_io_thread_call before.  Accepts NULL, leaves NULL. */
void wzp_io_thread_stop(wzp_io_thread **thread);

#endif
