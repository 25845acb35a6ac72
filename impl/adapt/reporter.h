/* Quality reports of a sender (media sheet 5.1, 5.2): one in WZP_REPORT_EVERY frames of captured
 * sound, suppressed ones included, for the next source packet with a whole header.
 *
 * As deployed a report tells of the sender's own packets only: who loses what others send says
 * nothing, and nobody else can.  REFERENCE tells the worse of both ways, so that a relay's
 * directives and the others' own controllers follow a way down as well.  For one's own controller
 * only the way up counts: there are two reports.
 *
 * Plain struct, no memory.  What QUIC counts is an argument. */
#ifndef WZP_ADAPT_REPORTER_H
#define WZP_ADAPT_REPORTER_H

#include "adapt/policy.h"
#include "wire/media.h"

#define WZP_REPORT_EVERY 50
/* A window of fewer packets says nothing about loss: it is then kept open for another report. */
#define WZP_REPORT_WINDOW_MIN 10

/* Since the connection began, as its loss recovery sees it.  Packets or datagrams, as the caller
 * likes. */
typedef struct wzp_path_totals {
    uint64_t packets_sent, packets_lost;
    uint32_t rtt_ms;    /* smoothed */
    uint32_t jitter_ms; /* the deployed clients have none and say 0 */
    /* Of the packets sent, for too long neither acknowledged nor declared lost, which takes an
     * acknowledgement: in a hole nothing else counts.  Goes back when they were not lost. */
    uint64_t packets_overdue;
    uint32_t down_loss_ppm; /* lately, of what comes from others */
} wzp_path_totals;

typedef struct wzp_reporter {
    wzp_adapt_policy policy;
    unsigned frames;
    bool pending;
    wzp_quality_report report, own;    /* told to others, and for our own controller */
    uint64_t window_sent, window_lost; /* totals when the window was opened */
    uint64_t window_overdue;
    uint32_t loss_ppm; /* of the last window, or of all with the deployed policy */
} wzp_reporter;

/* REFERENCE reports the loss since the last report, either way, and the jitter; DEPLOYED the loss
 * of what was sent since the connection began, and no jitter. */
void wzp_reporter_init(wzp_reporter *reporter, wzp_adapt_policy policy);

/* Another connection is counted from now on; a report about the one before is not sent any more. */
void wzp_reporter_moved(wzp_reporter *reporter, const wzp_path_totals *totals);

/* The next frame makes a report. */
bool wzp_reporter_is_due(const wzp_reporter *reporter);

/* A frame was captured.  True if a new report is ready: at most one waits. */
bool wzp_reporter_frame(wzp_reporter *reporter, const wzp_path_totals *totals);

/* Takes the report that waits, if any, for a packet that is about to be sent. */
bool wzp_reporter_take(wzp_reporter *reporter, wzp_quality_report *out);

#endif
