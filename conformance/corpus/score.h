/* What the meters say of a trace: the deployed one, ENF-1, and the behavioural scores. */
#ifndef WZP_CONFORMANCE_CORPUS_SCORE_H
#define WZP_CONFORMANCE_CORPUS_SCORE_H

#include "conformance/corpus/trace.h"
#include "meter/meter.h"
#include "meter/scorer.h"

/* The first time that something was noticed. */
typedef struct wzp_score_hit {
    bool is_hit;
    size_t packet;  /* from 1 */
    uint64_t after; /* ns since the first packet of the trace */
} wzp_score_hit;

typedef enum wzp_score_outcome {
    WZP_SCORE_RIGHT,
    WZP_SCORE_FALSE, /* a legitimate sender is hung up on by tiers A to E */
    WZP_SCORE_MISSED /* abuse is not noticed, or later than the trace wants */
} wzp_score_outcome;

typedef struct wzp_score {
    wzp_score_hit deployed[WZP_VIOLATION_COUNT];
    wzp_score_hit enf; /* tiers A to E: the first hit ends the call */
    wzp_violation enf_code;
    wzp_score_hit conduct;  /* tier F of ENF-1: ABUSIVE for a minute */
    size_t dropped;         /* video packets that the deployed scorer drops */
    float audio, video;     /* the deployed scores at the end; 1 where there are too few packets */
    float least;            /* the lowest score that ENF-1 saw */
    size_t judged, suspect; /* seconds that ENF-1 judged, and those below 0.7 */
    wzp_score_outcome outcome;
} wzp_score;

/* `arrivals`: when each packet reached the relay, WZP_TIME_NEVER for the lost ones; NULL: as sent.
 * Packets are taken in order of arrival.  WZP_ERR_NOMEM. */
WZP_MUST_USE wzp_err wzp_score_trace(wzp_score *out, const wzp_trace *trace,
                                     const wzp_time *arrivals);

const char *wzp_score_outcome_name(wzp_score_outcome outcome); /* "right", "FALSE", "MISSED" */

#endif
