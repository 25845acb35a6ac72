/* The lines of wzp-client that programs read: those of join --stats json, which who tests a client
 * reads (docs/CONFORMANCE.md, "Testing a client"), and those of --metrics-file (tools sheet 6).
 * Their names are contracts. */
#ifndef WZP_BIN_CLIENT_STATS_H
#define WZP_BIN_CLIENT_STATS_H

#include <stdio.h>

#include "client/client.h"

typedef struct wzp_client_line {
    const char *state; /* connecting, joined, closed */
    uint32_t members;
    const char *hangup; /* as WZP_CLIENT_HANGUP says it; "": none */
    wzp_client_stats stats;
} wzp_client_line;

/* One object on a line of standard output, at once, or not at all when its reader is slow: the
 * lines that were dropped so far are in `dropped_lines` of each.  The last one ("closed") waits for
 * a moment. */
void wzp_client_print_line(const wzp_client_line *line);

/* The statistics at the end, with the word for people or as JSON. */
void wzp_client_print_stats(const wzp_client_stats *stats, bool json);

/* Of what should have been heard; 0 when nothing should. */
double wzp_client_loss_pct(const wzp_client_stats *stats);

/* As --quality spells it. */
const char *wzp_client_quality_name(uint8_t codec);

/* A line for a person who watches. */
void wzp_client_show_progress(const wzp_client_stats *stats, uint64_t elapsed_s);

/* One line of the metrics file.  False: it could not be written. */
bool wzp_client_write_metrics(FILE *file, const wzp_client_stats *stats);

#endif
