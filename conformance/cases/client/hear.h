/* What a client hears: packets sent to it at their pace, and judged by what it says that it played.
 * A reel is such a stream; reels of one play follow each other without a break in numbers and
 * timestamps.
 *
 * Frames may be played a little late or early where the path or the machine is uneven, which costs
 * some: of a hundred that must be played ninety are asked for. */
#ifndef WZP_CONFORMANCE_CASES_CLIENT_HEAR_H
#define WZP_CONFORMANCE_CASES_CLIENT_HEAR_H

#include "conformance/cases/client/client_steps.h"
#include "conformance/cases/client/sounds.h"

/* The state of a play of these acts. */
typedef struct wzp_ct_hear {
    wzp_ct_sayings before, at_end; /* as the reel began, and when its last packet left */
    wzp_time next_at, reached_at;
    uint32_t tick;
    uint32_t seq, ts; /* of the next packet */
    uint32_t frame;   /* of the sound: counts what was sent */
    uint8_t block;    /* of Codec2 */
    /* What the reel's ticks note of themselves. */
    uint32_t whole;    /* frames that were sent and must be played */
    uint32_t gaps;     /* frames that were not */
    uint32_t back;     /* of these, those that repair packets bring back */
    uint64_t recovers; /* for those who compare two reels */
} wzp_ct_hear;

typedef struct wzp_ct_reel {
    uint32_t ticks;
    /* Sends what tick `i` has; returns ms until the next one, 0: it could not be sent. */
    uint32_t (*tick)(wzp_ct_exec *exec, wzp_ct_hear *st, uint32_t i);
    bool fills;    /* gaps must be concealed or recovered before the last packet leaves */
    bool recovers; /* all of `back` must come back, and nothing else */
    bool once;     /* no frame may be played twice, or instead of another one */
} wzp_ct_reel;

/* It tells what it plays, or SKIP. */
wzp_ct_so_far wzp_ct_step_client_tells(wzp_ct_exec *exec, wzp_time now);

bool wzp_ct_step_reel(wzp_ct_exec *exec, wzp_time now);
/* Sends it and judges it. */
wzp_ct_so_far wzp_ct_step_reel_heard(wzp_ct_exec *exec, wzp_time now);
/* Sends it; a client that tells what it plays is judged by that, another one by its being there. */
wzp_ct_so_far wzp_ct_step_reel_survived(wzp_ct_exec *exec, wzp_time now);
/* Sends it. */
wzp_ct_so_far wzp_ct_step_reel_over(wzp_ct_exec *exec, wzp_time now);

/* --- what ticks are made of --------------------------------------------------------------------
 */

/* The next packet of the stream. */
wzp_ct_outgoing wzp_ct_next_packet(const wzp_ct_hear *st, uint8_t codec, wzp_bytes bytes);
/* Takes the number and the time of it; `is_sent`: and sends it, as a frame that must be played.
 * Otherwise it is a gap. */
bool wzp_ct_send_frame(wzp_ct_exec *exec, wzp_ct_hear *st, const wzp_ct_outgoing *packet,
                       bool is_sent);
/* Takes a number, but no time. */
bool wzp_ct_send_extra(wzp_ct_exec *exec, wzp_ct_hear *st, const wzp_ct_outgoing *packet);
/* The same packet at another number and time than the next ones, which it does not take. */
bool wzp_ct_send_at(wzp_ct_exec *exec, const wzp_ct_hear *st, wzp_ct_outgoing packet,
                    int32_t frames);

/* Frame `i` of a block of Codec2, and behind its last one the repair packets, `repair_len` bytes
 * each (0: as short as they can be), and the next block. */
typedef struct wzp_ct_block {
    uint8_t codec;
    uint32_t lost; /* bit i: source i is */
    size_t repair_len;
    bool no_repairs;
} wzp_ct_block;
uint32_t wzp_ct_block_sources(uint8_t codec);
bool wzp_ct_send_of_block(wzp_ct_exec *exec, wzp_ct_hear *st, const wzp_ct_block *block,
                          uint32_t i);

#endif
