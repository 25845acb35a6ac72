/* Packet cores that share one UDP address, each on a thread of its own: the first on the caller's,
 * the others on theirs.  They share nothing, and no lock is taken for a packet that arrives where
 * it belongs.
 *
 * Each worker has a socket of its own, bound to the same address (SO_REUSEPORT), and a little
 * program in the kernel chooses among them by the first byte of the connection id: later packets of
 * a connection so reach their worker from wherever they come.  First packets name a room instead
 * (quic/steer.h): whoever gets one looks into it and hands it over to the worker whose room it is,
 * through a bounded queue.  Where the kernel does not take the program everything works by such
 * queues, only slower. */
#ifndef WZP_IO_WORKERS_H
#define WZP_IO_WORKERS_H

#include "io/drive.h"
#include "quic/steer.h"

typedef struct wzp_workers wzp_workers;

typedef struct wzp_workers_cfg {
    wzp_addr local; /* port 0: the system picks one */
    bool plain;     /* as in udp.h */
    unsigned count; /* 1 to WZP_STEER_WORKERS_MAX */
    bool no_kernel; /* steer by queues alone (tests) */
    /* Called on any thread, also by several at once. */
    unsigned (*worker_of)(void *ctx, const char *sni, unsigned workers);

    /* After each turn of a worker, on its own thread; may be NULL. */
    void (*after)(void *ctx, unsigned worker, wzp_time now);
    void *ctx;
} wzp_workers_cfg;

/* Opens the sockets.  WZP_ERR_IO (errno; EADDRINUSE also when another process lets its address be
 * shared), WZP_ERR_NOMEM, WZP_ERR_INVALID_ARGUMENT */
WZP_MUST_USE wzp_err wzp_workers_new(wzp_workers **out, const wzp_workers_cfg *cfg);

/* As wzp_udp_set_tap, of a worker's socket; before they start.  What is handed over was seen where
 * it came in. */
void wzp_workers_set_tap(wzp_workers *workers, unsigned worker, wzp_udp_tap *tap, void *ctx);

/* Starts all: worker 0 on `loop`, by a drive that the caller stops by wzp_workers_stop.  `cores`
 * has one for each worker, which belongs to that worker's thread until then.  WZP_ERR_IO,
 * WZP_ERR_NOMEM: nothing runs. */
WZP_MUST_USE wzp_err wzp_workers_start(wzp_workers *workers, uv_loop_t *loop,
                                       const wzp_core *cores);

/* Runs `call` on the worker's thread between two turns, and waits for its end.  Of worker 0: at
 * once.  Only from the thread that called wzp_workers_start. */
void wzp_workers_call(wzp_workers *workers, unsigned worker, void (*call)(void *ctx, wzp_time now),
                      void *ctx);

/* Ends threads and drive; the caller's loop must run once more before wzp_workers_free.  Twice is
 * harmless. */
void wzp_workers_stop(wzp_workers *workers);
void wzp_workers_free(wzp_workers **workers);

/* A worker's, while they run: for its own thread.  A drive is to be kicked after commands to its
 * core. */
wzp_drive *wzp_workers_drive(wzp_workers *workers, unsigned worker);
uv_loop_t *wzp_workers_loop(wzp_workers *workers, unsigned worker);

wzp_addr wzp_workers_local(const wzp_workers *workers);
wzp_udp_features wzp_workers_describe(const wzp_workers *workers);

/* The kernel steers; else all goes by queues. */
bool wzp_workers_by_kernel(const wzp_workers *workers);

typedef struct wzp_workers_counters {
    uint64_t receive_dropped; /* datagrams that found the sockets' receive buffers full */
    uint64_t send_dropped;    /* that the system did not send, probes of the path not counted */
    uint64_t handed_over;     /* datagrams that came to another worker's socket */
    uint64_t dropped;         /* of these, those that found the queue full */
    wzp_steer_counters steer;
} wzp_workers_counters;

/* Of all workers.  From any thread. */
void wzp_workers_count(const wzp_workers *workers, wzp_workers_counters *out);

#endif
