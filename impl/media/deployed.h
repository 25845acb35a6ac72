/* The jitter buffer and the playout estimator of deployed clients (media sheet 6), which count
 * packets and not time: a model for vectors, and for saying what such a client would have played.
 * Our own is jbuf.h.
 *
 * Sequence numbers only; whoever needs payloads keeps them.  Caller's storage, no allocation. */
#ifndef WZP_MEDIA_DEPLOYED_H
#define WZP_MEDIA_DEPLOYED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WZP_DEPLOYED_MAX 500 /* the deepest buffer that is configured anywhere */

typedef struct wzp_deployed_stats {
    uint64_t received, played, lost, late, duplicate, overrun;
} wzp_deployed_stats;

typedef struct wzp_deployed_jbuf {
    uint32_t least; /* packets before playout begins */
    uint32_t most;  /* at most WZP_DEPLOYED_MAX */
    bool started;
    uint32_t next;
    size_t depth;
    uint32_t seqs[WZP_DEPLOYED_MAX + 1]; /* ascending as numbers */
    wzp_deployed_stats stats;
} wzp_deployed_jbuf;

typedef enum wzp_deployed_push {
    WZP_DEPLOYED_STORED,
    WZP_DEPLOYED_DUPLICATE,
    WZP_DEPLOYED_LATE,
    WZP_DEPLOYED_RESET /* stored, and all others forgotten: the sender began anew */
} wzp_deployed_push;

typedef enum wzp_deployed_pop {
    WZP_DEPLOYED_NOT_READY,
    WZP_DEPLOYED_PACKET,
    WZP_DEPLOYED_MISSING
} wzp_deployed_pop;

/* 3 to 250 packets in calls, 5 to 350 and 8 to 500 at lower quality, 25 to 250 in relays. */
void wzp_deployed_init(wzp_deployed_jbuf *jb, uint32_t least, uint32_t most);

wzp_deployed_push wzp_deployed_put(wzp_deployed_jbuf *jb, uint32_t seq);

/* Once for each frame that is played; *seq is that of the packet, or of the missing one. */
wzp_deployed_pop wzp_deployed_take(wzp_deployed_jbuf *jb, uint32_t *seq);

/* --- the estimator, which nothing reads ------------------------------------------------------- */

typedef struct wzp_playout {
    bool is_mobile;
    uint32_t least, most, target; /* packets */
    double jitter_ms;             /* moving average */
    bool is_spiking, has_last;
    uint64_t spike_at_ms, last_arrival_ms, last_expected_ms;
} wzp_playout;

void wzp_playout_init(wzp_playout *p, uint32_t least, uint32_t most, bool is_mobile);

/* A packet that was due at `expected_ms` on the sender's clock has arrived. */
void wzp_playout_update(wzp_playout *p, uint64_t arrival_ms, uint64_t expected_ms, uint64_t now_ms);

#endif
