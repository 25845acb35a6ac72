/* Puts the slices of one sender's video together again (media sheet 10.3, REF).
 *
 * A frame is known by stream id, codec and timestamp, and complete with its last missing slice, in
 * whatever order they come; deployed receivers of May 2026 lose those whose last slice arrives
 * early.  Sans-IO, not thread-safe; bounded by frames and bytes.  Allocates as frames grow, and
 * keeps what it has. */
#ifndef WZP_VIDEO_FRAMES_H
#define WZP_VIDEO_FRAMES_H

#include "wire/media.h"

#define WZP_VIDEO_FRAMES_MAX 32               /* incomplete at once; then the oldest goes */
#define WZP_VIDEO_BYTES_MAX ((size_t)4 << 20) /* of incomplete frames, likewise */
#define WZP_VIDEO_FRAME_AGE_MS 1000           /* behind a complete frame: given up */

typedef struct wzp_video_frames wzp_video_frames;

/* A complete frame, without the prefix that newer senders put in front of it. */
typedef struct wzp_video_frame {
    uint8_t codec, stream_id;
    bool is_key;
    uint16_t width, height; /* of the prefix; 0: there was none */
    uint32_t timestamp_ms;
    uint32_t seq; /* the smallest */
    uint8_t slices;
    wzp_bytes data; /* borrowed until the next call */
} wzp_video_frame;

/* WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_video_frames_new(wzp_video_frames **out);
/* Accepts NULL, leaves NULL. */
void wzp_video_frames_free(wzp_video_frames **frames);

/* Takes one packet, its payload in clear; copied.  *complete is set when its frame is whole: `out`
 * then has it.  Packets of a frame that was given out lately are counted as duplicates.
 * WZP_ERR_MEDIA_TYPE: not video; WZP_ERR_PARSE: a repair packet, or an index that its count does
 * not allow; WZP_ERR_NOMEM: the packet is lost.  All are counted. */
WZP_MUST_USE wzp_err wzp_video_frames_push(wzp_video_frames *frames, const wzp_media_packet *packet,
                                           wzp_video_frame *out, bool *complete);

/* Gives up what is `age_ms` or more older than `timestamp_ms`, in the wrapping order of timestamps.
 * Done with WZP_VIDEO_FRAME_AGE_MS by every frame that is completed. */
void wzp_video_frames_evict(wzp_video_frames *frames, uint32_t timestamp_ms, uint32_t age_ms);

/* Frames that wait for slices. */
size_t wzp_video_frames_waiting(const wzp_video_frames *frames);

typedef struct wzp_video_counters {
    uint64_t slices, duplicates, refused;
    uint64_t complete, key_frames;
    uint64_t given_up; /* incomplete frames that were dropped: too old, or no room */
} wzp_video_counters;

const wzp_video_counters *wzp_video_frames_count(const wzp_video_frames *frames);

#endif
