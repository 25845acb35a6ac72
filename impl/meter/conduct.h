/* E-F of ENF-1 (conformance sheet 13): how one sender behaves, by the deployed scores with what is
 * known to be wrong in them put right.  Audio: sizes without the tag of encryption, and the bitrate
 * over the time that has passed, by that of the codec with the header of each frame.  Video: frames
 * instead of packets, and the receivers' estimates instead of the sender's own.  A score is asked
 * for once a second; only what stays below 0.3 for a minute is abuse.  Plain objects, no
 * allocation. */
#ifndef WZP_METER_CONDUCT_H
#define WZP_METER_CONDUCT_H

#include "meter/meter.h"
#include "meter/scorer.h"

#define WZP_CONDUCT_ABUSE (60 * WZP_S) /* so long without a break below 0.3 */

enum { WZP_CONDUCT_SECONDS = 30, WZP_CONDUCT_STREAMS = 4 };

/* The last verdict of one media type, and since when it is ABUSIVE. */
typedef struct wzp_conduct_state {
    wzp_score_verdict verdict;
    wzp_time judged_at, abusive_since;
} wzp_conduct_state;

/* Where a stream of video stands in its frames. */
typedef struct wzp_conduct_stream {
    bool started, ended; /* its last packet was the last of a frame */
    uint32_t ts;
} wzp_conduct_stream;

typedef struct wzp_conduct {
    wzp_audio_scorer audio;
    wzp_video_scorer video;
    wzp_conduct_state audio_state, video_state;
    wzp_time audio_from; /* of the first packet */
    uint64_t second;     /* since then: the latest that `bytes` has a place for */
    uint32_t bytes[WZP_CONDUCT_SECONDS], nominal_bps[WZP_CONDUCT_SECONDS];
    wzp_conduct_stream streams[WZP_CONDUCT_STREAMS]; /* by the low bits of their ids */
} wzp_conduct;

/* What came of one packet. */
typedef struct wzp_conduct_news {
    bool judged;   /* a second has passed: `score` and both verdicts are set */
    bool is_abuse; /* ABUSIVE for WZP_CONDUCT_ABUSE without a break */
    float score;   /* 0..1 */
    wzp_score_verdict before, after;
} wzp_conduct_news;

void wzp_conduct_init(wzp_conduct *conduct, wzp_time now);

/* Packets of data and control are ignored.  estimate_kbps: NULL, or what a receiver has told since
 * the last packet that was given one; only video looks at it. */
wzp_conduct_news wzp_conduct_observe(wzp_conduct *conduct, const wzp_media_hdr *hdr,
                                     size_t payload_len, const uint32_t *estimate_kbps,
                                     wzp_time now);

#endif
