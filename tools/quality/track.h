/* Two sounds of one call, aligned: also where the delay changes on the way, as it does when a
 * jitter buffer makes its delay longer or shorter. */
#ifndef WZP_TOOLS_TRACK_H
#define WZP_TOOLS_TRACK_H

#include "sound/align.h"

#define WZP_TRACK_CHANGES_MAX 64

typedef struct wzp_track_change {
    size_t at;     /* sample of the reference from which on */
    int32_t delay; /* the degraded sound is later by so many samples */
} wzp_track_change;

typedef struct wzp_track {
    int32_t delay; /* of most of it, as wzp_align has it */
    /* The first is what it begins with, at 0. */
    wzp_track_change changes[WZP_TRACK_CHANGES_MAX];
    size_t count;
} wzp_track;

/* Errors as of wzp_align. */
WZP_MUST_USE wzp_err wzp_track_find(wzp_track *out, const wzp_align_sound *a,
                                    const wzp_align_sound *b, uint32_t most_ms);

/* The delay at a sample of the reference. */
int32_t wzp_track_delay_at(const wzp_track *track, size_t at);

#endif
