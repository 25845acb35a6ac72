/* Cuts a coded frame into media packets (media sheet 10.1, 10.2).  No allocation. */
#ifndef WZP_VIDEO_SLICES_H
#define WZP_VIDEO_SLICES_H

#include "wire/media.h"

#define WZP_VIDEO_SLICE_MAX 1168 /* bytes of a frame in one packet, as deployed */
#define WZP_VIDEO_SLICES_MAX 255 /* of one frame: both index and count are bytes */
#define WZP_VIDEO_PREFIX_LEN 8   /* "WZV1", width, height (media sheet 10.5) */

/* The slice length that a path takes, from the longest datagram it does: room for the media header,
 * the seal's tag and a federation hash, WZP_VIDEO_SLICE_MAX at most; 0: none. */
size_t wzp_video_slice_len(size_t datagram_max);

typedef struct wzp_video_frame_cfg {
    uint8_t codec, stream_id;
    bool is_key;
    uint32_t timestamp_ms;
    wzp_bytes frame;        /* borrowed until the last slice was taken */
    size_t slice_len;       /* 0: WZP_VIDEO_SLICE_MAX */
    bool has_prefix;        /* newer deployed receivers strip it, older ones do not know it */
    uint16_t width, height; /* of the prefix */
} wzp_video_frame_cfg;

typedef struct wzp_video_slices {
    wzp_video_frame_cfg cfg;
    uint8_t prefix[WZP_VIDEO_PREFIX_LEN];
    size_t prefix_len, at; /* `at`: of prefix and frame together */
    uint8_t index, count;
    uint8_t first[WZP_VIDEO_SLICE_MAX]; /* the slice that the prefix is part of */
} wzp_video_slices;

/* An empty frame has no slices.
 * WZP_ERR_CODEC: no video codec; WZP_ERR_INVALID_ARGUMENT: slice_len is over WZP_VIDEO_SLICE_MAX,
 * or not longer than the prefix; WZP_ERR_TOO_LARGE: more than WZP_VIDEO_SLICES_MAX slices (deployed
 * senders cut such a frame off): ask the encoder for a smaller one. */
WZP_MUST_USE wzp_err wzp_video_slices_init(wzp_video_slices *slices,
                                           const wzp_video_frame_cfg *cfg);

/* The next packet; *next_seq is used and counted up.  Its payload is borrowed from the frame, or
 * from `slices`.  False: that was all. */
bool wzp_video_slices_next(wzp_video_slices *slices, uint32_t *next_seq, wzp_media_packet *out);

#endif
