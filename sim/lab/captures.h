/* Capture files of a run: one per node that somebody would look at (hosts, boxes, relays, LANs),
 * with all its interfaces, and one number over all bytes. */
#ifndef WZP_SIM_LAB_CAPTURES_H
#define WZP_SIM_LAB_CAPTURES_H

#include <stdio.h>

#include "sim/net/fabric.h"

typedef struct wzp_lab_captures wzp_lab_captures;

/* Makes the folder.  On failure `why` is one line.  WZP_ERR_IO, WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_lab_captures_new(wzp_lab_captures **out, const char *dir,
                                          const char *comment, char why[256]);

/* All that hosts and relays send and receive, in one file.  As above. */
WZP_MUST_USE wzp_err wzp_lab_captures_one(wzp_lab_captures **out, const char *path,
                                          const char *comment, char why[256]);

/* Closes the files.  False: something could not be written; errno says why. */
bool wzp_lab_captures_close(wzp_lab_captures *captures);
void wzp_lab_captures_free(wzp_lab_captures **captures);

void wzp_lab_captures_packet(wzp_lab_captures *captures, const char *interface, wzp_sim_way way,
                             const wzp_sim_packet *packet, wzp_time now);

/* A line of keys.log, with which Wireshark reads the captures. */
void wzp_lab_captures_key(wzp_lab_captures *captures, const char *line);

uint64_t wzp_lab_captures_hash(const wzp_lab_captures *captures);

#endif
