/* What a receiver tells its sender: TransportFeedback (media sheet 9.1).  Packets in, at most one
 * signal in 50 ms out, with the newest WZP_FEEDBACK_MAX numbers that came and that are missing.
 *
 * One instance for one stream; plain struct, no memory; time is an argument. */
#ifndef WZP_ADAPT_FEEDBACK_H
#define WZP_ADAPT_FEEDBACK_H

#include "base/time.h"
#include "wire/signal.h"

#define WZP_FEEDBACK_EVERY (50 * WZP_MS)
#define WZP_FEEDBACK_MAX 64

typedef struct wzp_feedback_list {
    uint32_t seqs[WZP_FEEDBACK_MAX];
    size_t count;
} wzp_feedback_list;

typedef struct wzp_feedback {
    uint8_t stream_id;
    bool has_highest;
    uint32_t highest;
    wzp_feedback_list acked, missing; /* since the last signal, oldest first */
    wzp_time first_at;                /* when the first of them came */
    uint64_t wall_us;                 /* when the newest packet came, for the sender's clock */
} wzp_feedback;

void wzp_feedback_init(wzp_feedback *feedback, uint8_t stream_id);

/* A packet came.  `wall_us` is the caller's clock, in microseconds since 1970: the signal says when
 * its newest packet came. */
void wzp_feedback_packet(wzp_feedback *feedback, uint32_t seq, uint64_t wall_us, wzp_time now);

/* When next has something to say; WZP_TIME_NEVER while nothing came. */
wzp_time wzp_feedback_deadline(const wzp_feedback *feedback);

/* True if *out is to be sent.  Its lists are borrowed until the next call. */
bool wzp_feedback_next(wzp_feedback *feedback, uint32_t remb_bps, wzp_time now, wzp_signal *out);

#endif
