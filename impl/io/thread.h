/* A packet core with a thread to itself, for programs that have other things to do: the conformance
 * suite's embedded relay, benches.  The functions below belong to the one thread that started it.
 */
#ifndef WZP_IO_THREAD_H
#define WZP_IO_THREAD_H

#include "io/drive.h"

typedef struct wzp_io_thread wzp_io_thread;

typedef struct wzp_io_thread_cfg {
    wzp_core core;                          /* the thread's own until wzp_io_thread_stop */
    wzp_udp *udp;                           /* the same */
    void (*after)(void *ctx, wzp_time now); /* as in drive.h, on that thread; may be NULL */
    void *ctx;
    uint64_t slack; /* as in drive.h */
} wzp_io_thread_cfg;

/* WZP_ERR_IO, WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_io_thread_start(wzp_io_thread **out, const wzp_io_thread_cfg *cfg);

/* Runs `call` on that thread between two turns and waits for its end: commands, metrics.  What it
 * makes the core say is sent at once. */
void wzp_io_thread_call(wzp_io_thread *thread, void (*call)(void *ctx, wzp_time now), void *ctx);

/* For whoever runs on that thread and wants more of its loop than its core. */
uv_loop_t *wzp_io_thread_loop(wzp_io_thread *thread);
wzp_drive *wzp_io_thread_drive(wzp_io_thread *thread);

/* Makes that thread take a turn soon.  From any thread, as long as this one is not being stopped.
 */
void wzp_io_thread_wake(wzp_io_thread *thread);

/* Ends the thread once its loop has no other handles; core and socket are the caller's again.  To
 * be polite, close the core's connections by wzp_io_thread_call before.  Accepts NULL, leaves NULL.
 */
void wzp_io_thread_stop(wzp_io_thread **thread);

#endif
