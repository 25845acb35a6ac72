/* Jitter buffer: holds the coded frames of one sender and says what is played when.
 *
 * Sans-IO, one instance per incoming track, not thread-safe.  Memory is reserved in
 * wzp_jbuf_new(); no later call allocates.  Playout follows the sender's media clock: the first
 * packet is played `delay` after it arrived, every other one at its timestamp's distance from it.
 *
 * Then it adapts.  When the sender's clock runs slow or fast, when the network's jitter grows or
 * when a stall has left the buffer deep, single frames are dropped or concealed twice, at most one
 * in WZP_JBUF_STEP_FRAMES, until frames are played `delay` after the fastest of the last ten
 * seconds would have arrived, or a frame after 99.5 % of them have, if that is later; in pauses at
 * once.  Who can make sound shorter and longer (stretch.h) is asked for that instead: no frame is
 * dropped, none is concealed that was not lost.
 *
 * Lost frames come back by packets after them, if these are there in time.  Where several in a row
 * were lost within the last half minute and the packet after them had their sound (`reach`),
 * playout is so much later that such packets are in time: up to WZP_JBUF_REPAIR_MS in all, and not
 * longer than such bursts come.
 *
 * While there is nothing to play it waits (media sheet 6, REF): what then comes late is
 * played late, and all that follows it, and the rule above shortens the delay again.  After a
 * silence (nothing to play for WZP_JBUF_IDLE_FRAMES frames) the next packet starts afresh. media
 * sheet 6; what upstream estimates there has no effect, so that only the least delay is its. */
#ifndef WZP_MEDIA_JBUF_H
#define WZP_MEDIA_JBUF_H

#include "base/time.h"
#include "wire/media.h"

#define WZP_JBUF_FRAME_BYTES 512 /* longest coded frame that is kept (media sheet 2.2) */
#define WZP_JBUF_IDLE_FRAMES 10  /* concealed in a row before the track falls silent */
#define WZP_JBUF_STEP_FRAMES 25  /* played between two steps towards another delay */
#define WZP_JBUF_REPAIR_MS 200   /* of delay at most for what packets bring back */
#define WZP_JBUF_LEAN_FRAMES 10  /* played between two that are made shorter or longer */
#define WZP_JBUF_LEAN_MS 15      /* by so much at most */
#define WZP_JBUF_PATIENCE 50     /* frames in which that is asked for in vain before it must be */

typedef struct wzp_jbuf wzp_jbuf;

typedef struct wzp_jbuf_cfg {
    uint64_t delay;    /* ns from arrival to playout at least, 0: 60 ms, upstream's three frames */
    size_t cap_frames; /* 0: 250 (5 s of 20 ms frames) */
    /* How many ms before its own sound a packet has as well (DRED); asked when frames before it are
     * missing.  NULL: wzp_jbuf_reach. */
    uint32_t (*reach)(void *ctx, uint8_t codec_id, wzp_bytes payload);
    void *reach_ctx;
    bool stretches; /* who plays calls wzp_jbuf_stretched; what cannot be stretched
                       for twice WZP_JBUF_PATIENCE is dropped or added after all */
} wzp_jbuf_cfg;

typedef enum wzp_jbuf_kind {
    WZP_JBUF_FRAME,   /* `payload` is to be decoded */
    WZP_JBUF_CONCEAL, /* a frame is missing, or one is added: fill `duration_ms` */
    WZP_JBUF_PAUSE    /* the sender sent nothing on purpose or fell silent: `duration_ms` of it */
} wzp_jbuf_kind;

/* How the length of a frame should change, if it can be done. */
typedef enum wzp_jbuf_lean { WZP_JBUF_EVEN, WZP_JBUF_SHORTER, WZP_JBUF_LONGER } wzp_jbuf_lean;

typedef struct wzp_jbuf_out {
    wzp_jbuf_kind kind;
    uint8_t codec_id;
    wzp_bytes payload;     /* borrowed until the next non-const call */
    uint32_t duration_ms;  /* one frame of the codec; longer for WZP_JBUF_PAUSE */
    uint32_t timestamp_ms; /* of what is played, or should be */
    bool is_added;         /* WZP_JBUF_CONCEAL: nothing is missing, one frame is added */
    wzp_jbuf_lean lean;    /* WZP_JBUF_FRAME; EVEN unless cfg.stretches */
    bool is_urgent;        /* `lean` was asked for in vain long enough */
} wzp_jbuf_out;

typedef struct wzp_jbuf_stats {
    uint64_t pushed, played, concealed, late, duplicate, overrun, too_long, restarts;
    uint64_t added,
        dropped; /* frames, to play later and earlier; added ones are not in concealed */
    uint64_t longer, shorter; /* frames that were made so */
} wzp_jbuf_stats;

/* NULL when out of memory. */
wzp_jbuf *wzp_jbuf_new(const wzp_jbuf_cfg *cfg);
void wzp_jbuf_free(wzp_jbuf **jb);

/* Inserts one coded frame; `payload` is copied.  Late, duplicate and over-long ones are counted
 * and ignored; when the buffer is full the oldest frame goes and is counted as overrun. */
void wzp_jbuf_push(wzp_jbuf *jb, const wzp_media_hdr *hdr, wzp_bytes payload, wzp_time now);

/* What is due at `now`; false when nothing is. */
bool wzp_jbuf_pop(wzp_jbuf *jb, wzp_time now, wzp_jbuf_out *out);

/* The frame that was popped last is played `by` ns longer than it was, or shorter: what follows it
 * is due that much later. */
void wzp_jbuf_stretched(wzp_jbuf *jb, int64_t by);

/* When pop has something to say next; WZP_TIME_NEVER while the track is idle. */
wzp_time wzp_jbuf_deadline(const wzp_jbuf *jb);

/* Frames that wait to be played. */
size_t wzp_jbuf_depth(const wzp_jbuf *jb);

/* ms of the DRED that libopus 1.5 adds with the settings that senders begin with (media sheet 2.3).
 */
uint32_t wzp_jbuf_reach(uint8_t codec_id);

void wzp_jbuf_count(const wzp_jbuf *jb, wzp_jbuf_stats *out);

#endif
