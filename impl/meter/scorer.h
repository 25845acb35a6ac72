/* Tier F: behavioural scores of one sender, exactly as deployed (conformance sheet 8).  A score
 * lies in 0..1, where 1 looks like a real call; it is single precision and penalties are taken off
 * in the deployed order, because sums land on the limits.  Plain objects, no allocation. */
#ifndef WZP_METER_SCORER_H
#define WZP_METER_SCORER_H

#include <stdbool.h>

#include "base/time.h"
#include "wire/media.h"

typedef enum wzp_score_verdict {
    WZP_SCORE_OPEN, /* too few packets to say */
    WZP_SCORE_LEGITIMATE,
    WZP_SCORE_SUSPECT,
    WZP_SCORE_ABUSIVE,
    WZP_SCORE_VERDICT_COUNT
} wzp_score_verdict;

wzp_score_verdict wzp_score_judge(float score);

/* The latest gaps between events; the storage, its capacity and the unit (ns) are the owner's. */
typedef struct wzp_gap_ring {
    bool started;
    wzp_time last;
    uint16_t first, len;
} wzp_gap_ring;

#define WZP_AUDIO_SCORER_RING 200
#define WZP_AUDIO_SCORER_REPORTS 32
#define WZP_VIDEO_SCORER_KEYFRAMES 50

/* The deployed relay has this scorer and never asks it. */
typedef struct wzp_audio_scorer {
    bool started;
    uint8_t declared_codec; /* of the first packet, for ever */
    uint64_t total, silent; /* packets since the start */
    wzp_gap_ring arrivals, reports;
    uint64_t arrival_ns[WZP_AUDIO_SCORER_RING], report_ns[WZP_AUDIO_SCORER_REPORTS];
    bool small[WZP_AUDIO_SCORER_RING]; /* the last payloads: silent or not */
    uint16_t small_first, small_len, small_count;
    wzp_time window_start;
    uint64_t window_bytes;
} wzp_audio_scorer;

/* `now` anchors the window of 30 s. */
void wzp_audio_scorer_init(wzp_audio_scorer *scorer, wzp_time now);

/* Packets that are not audio are ignored.  payload_len as for the meter. */
void wzp_audio_scorer_observe(wzp_audio_scorer *scorer, const wzp_media_hdr *hdr,
                              size_t payload_len, wzp_time now);

/* False, and *score as it was, before the 20th packet. */
bool wzp_audio_scorer_score(const wzp_audio_scorer *scorer, float *score);
/* The same with a bitrate of the caller's, in parts of the codec's; negative: none is known. */
bool wzp_audio_scorer_score_at(const wzp_audio_scorer *scorer, double rate_ratio, float *score);
wzp_score_verdict wzp_audio_scorer_verdict(const wzp_audio_scorer *scorer);

/* The deployed relay drops a video packet while the verdict is ABUSIVE. */
typedef struct wzp_video_scorer {
    uint64_t total, intra, inter; /* packets since the start, with the K flag, without */
    wzp_gap_ring keyframes;
    uint64_t keyframe_ns[WZP_VIDEO_SCORER_KEYFRAMES];
    wzp_time window_start; /* the last bandwidth estimate, or the first packet */
    uint64_t window_bytes;
    bool has_estimate;
    uint32_t estimate_kbps;
    double rate_kbps; /* at that estimate */
    uint32_t responsive, unresponsive;
} wzp_video_scorer;

void wzp_video_scorer_init(wzp_video_scorer *scorer);

/* Packets that are not video are ignored.  estimate_kbps: NULL, or the bandwidth estimate that was
 * known before this packet. */
void wzp_video_scorer_observe(wzp_video_scorer *scorer, const wzp_media_hdr *hdr,
                              size_t payload_len, const uint32_t *estimate_kbps, wzp_time now);

/* False, and *score as it was, before the 30th packet. */
bool wzp_video_scorer_score(const wzp_video_scorer *scorer, float *score);
wzp_score_verdict wzp_video_scorer_verdict(const wzp_video_scorer *scorer);

#endif
