/* Which of several endpoints a datagram is for, when all of them share one address.
 *
 * Every worker owns whole rooms, and a room is named by the SNI of a connection's first packet. The
 * connection ids that a worker issues then carry its number (wzp_quic_cfg.worker), so that later
 * packets need no look into them and find it from whatever address they come.  Sans-IO, one
 * instance for each socket, not thread-safe. */
#ifndef WZP_QUIC_STEER_H
#define WZP_QUIC_STEER_H

#include "quic/quic.h"

#define WZP_STEER_WORKERS_MAX 64
#define WZP_STEER_FLOWS 64         /* hellos of more than one packet at once */
#define WZP_STEER_FLOW_PACKETS 4   /* of one hello */
#define WZP_STEER_HOLD (1 * WZP_S) /* for the rest of a hello */

typedef struct wzp_steer wzp_steer;

typedef struct wzp_steer_cfg {
    unsigned workers, self; /* at most WZP_STEER_WORKERS_MAX; self: for what belongs nowhere */
    unsigned (*worker_of)(void *ctx, const char *sni, unsigned workers);
    void *ctx;
} wzp_steer_cfg;

typedef struct wzp_steer_counters {
    uint64_t peeked;  /* first packets that were looked into */
    uint64_t held;    /* of these, that had to wait for another one of their hello */
    uint64_t dropped; /* held ones whose hello was never complete, and those that found no place */
} wzp_steer_counters;

/* WZP_ERR_NOMEM, WZP_ERR_INVALID_ARGUMENT (workers) */
WZP_MUST_USE wzp_err wzp_steer_new(wzp_steer **out, const wzp_steer_cfg *cfg);
void wzp_steer_free(wzp_steer **steer);

typedef struct wzp_steer_datagram {
    wzp_quic_path path;
    uint8_t ecn;
    wzp_bytes payload;
} wzp_steer_datagram;

/* Takes one datagram and returns how many are to be delivered now: none (it waits, or was dropped),
 * or this one together with those that waited for it, in the order in which they came.  `out` has
 * room for WZP_STEER_FLOW_PACKETS; its views are valid until the next call. */
size_t wzp_steer_take(wzp_steer *steer, const wzp_steer_datagram *in, wzp_time now,
                      unsigned *worker, wzp_steer_datagram *out);

void wzp_steer_count(const wzp_steer *steer, wzp_steer_counters *out);

#endif
