/* Frames of a video stream from its fragments (media sheet 10): complete or not, key frames, sizes,
 * freezes.  Plain object, nothing is allocated. */
#ifndef WZP_PCAP_FLOW_FRAMES_H
#define WZP_PCAP_FLOW_FRAMES_H

#include "base/time.h"
#include "tools/pcap/flow/timing.h"
#include "wire/media.h"

enum {
    WZP_PCAP_FRAMES_OPEN = 16,
    WZP_PCAP_FRAME_AGE_MS = 1000 /* of timestamps: an older one is given up */
};
#define WZP_PCAP_FREEZE_NS (100 * WZP_MS) /* three frames of 33 ms, without a complete one */

typedef struct wzp_pcap_frame {
    uint64_t first_ns, bytes;
    uint64_t here[4]; /* bits: fragments */
    uint32_t timestamp_ms;
    uint8_t count; /* of fragments, 0: not known */
    bool used, is_key;
} wzp_pcap_frame;

typedef struct wzp_pcap_frames {
    uint64_t complete, incomplete, keyframes, keyframes_incomplete;
    uint64_t fragments_missing, fragments_bad; /* of incomplete frames; beyond their frame */
    wzp_pcap_spread key_bytes, delta_bytes, key_gap_ms, assembly_ms;
    uint64_t freezes, frozen_ns, freeze_max_ns;
    uint64_t first_ns, first_key_ns, last_key_ns, last_complete_ns; /* 0: none */
    wzp_pcap_frame open[WZP_PCAP_FRAMES_OPEN];
    uint32_t newest_ts;
    bool started;
} wzp_pcap_frames;

/* What came of one packet. */
typedef struct wzp_pcap_frame_news {
    bool complete, is_key; /* a frame, by this packet */
    bool began;            /* the first packet of a frame */
    uint64_t freeze_ns;    /* that ended with it; 0: none */
} wzp_pcap_frame_news;

/* A packet that is no duplicate. */
wzp_pcap_frame_news wzp_pcap_frames_take(wzp_pcap_frames *frames, const wzp_media_hdr *hdr,
                                         size_t payload_len, uint64_t ns);
/* The capture ends: what is open is incomplete. */
void wzp_pcap_frames_end(wzp_pcap_frames *frames);

#endif
