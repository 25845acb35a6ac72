/* The debug tap (relay sheet 11.3): a log line for each packet, signal and event of one room or of
 * all, and a summary of each sender every five seconds.  Lines go to the log at level info.
 *
 * Names from peers stand in quotes, and what could end the quotes or the line is escaped.  A busy
 * room makes more lines than anyone reads and a disk takes: past WZP_LIMIT_TAP_PACKETS lines of
 * packets a second, and WZP_LIMIT_TAP_OTHERS of the rest, lines are only counted, and a line "TAP
 * SUPPRESSED" at the end of that second says how many.
 *
 * Internal to relay. */
#ifndef WZP_RELAY_TAP_H
#define WZP_RELAY_TAP_H

#include "base/time.h"
#include "wire/media.h"

typedef struct wzp_tap_budget {
    wzp_time since; /* when this second began */
    unsigned spoken;
    uint64_t suppressed; /* in this second */
} wzp_tap_budget;

typedef enum wzp_tap_kind { WZP_TAP_PACKETS, WZP_TAP_OTHERS, WZP_TAP_KIND_COUNT } wzp_tap_kind;

/* Of a relay. */
typedef struct wzp_tap {
    char filter[256]; /* a room, "*" or, when the tap is off, "" */
    wzp_tap_budget budgets[WZP_TAP_KIND_COUNT];
    uint64_t lines, suppressed; /* since the start, for the metrics */
} wzp_tap;

/* Of a sender whose room is tapped. */
typedef struct wzp_tap_sender {
    wzp_time since;
    uint64_t in, out, gaps; /* in this period */
    uint64_t forwarded;     /* since the join */
    uint32_t last_seq, codecs_seen;
    bool has_seq;
} wzp_tap_sender;

#endif
