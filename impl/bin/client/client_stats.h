/* The lines of wzp-client that programs read: those of --stats json, which who tests a client
 * reads (docs/CONFORMANCE.md, "Testing a client"), and those of --metrics-file (tools sheet 6).
 * Their names are contracts. */
#ifndef WZP_BIN_CLIENT_CLIENT_STATS_H
#define WZP_BIN_CLIENT_CLIENT_STATS_H

#include <stdio.h>

#include "call/race.h"
#include "client/client.h"
#include "phone/handset.h"

/* How the sound of a call goes. */
typedef struct wzp_client_way {
    wzp_race_path path; /* UNDECIDED: it does not go yet */
    wzp_addr peer;      /* its far end: the other side, or the relay */
    bool proven;        /* direct, and the other side has shown its key */
    double setup_ms;    /* from the set-up of the call until it went */
    unsigned changes;   /* paths that were taken, one after the other */
    wzp_handset_counters counters;
} wzp_client_way;

typedef struct wzp_client_line {
    const char *state; /* connecting, joined, closed */
    uint32_t members;
    const char *hangup; /* as WZP_CLIENT_HANGUP says it; "": none */
    wzp_client_stats stats;
    const wzp_client_way *way; /* of call and listen; NULL: of join */
} wzp_client_line;

/* One object on a line of standard output, at once, or not at all when its reader is slow: the
 * lines that were dropped so far are in `dropped_lines` of each.  The last one ("closed") waits for
 * a moment. */
void wzp_client_print_line(const wzp_client_line *line);

/* The statistics at the end, with the word for people or as JSON; `way` as above. */
void wzp_client_print_stats(const wzp_client_stats *stats, const wzp_client_way *way, bool json);

/* Of what should have been heard; 0 when nothing should. */
double wzp_client_loss_pct(const wzp_client_stats *stats);

/* As --quality spells it. */
const char *wzp_client_quality_name(uint8_t codec);

/* A line for a person who watches. */
void wzp_client_show_progress(const wzp_client_stats *stats, uint64_t elapsed_s);

/* One line of the metrics file.  False: it could not be written. */
bool wzp_client_write_metrics(FILE *file, const wzp_client_stats *stats);

#endif
