/* Traffic of a capture as a case (tools sheet 9, 13): the same headers at the same times, with
 * payloads of the suite's own of the same lengths. */
#ifndef WZP_CONFORMANCE_CASES_RELAY_REPLAY_H
#define WZP_CONFORMANCE_CASES_RELAY_REPLAY_H

#include "conformance/engine/case.h"

#define WZP_CT_REPLAY_MAX 65536         /* packets */
#define WZP_CT_REPLAY_FOR (120 * WZP_S) /* of the capture */
#define WZP_CT_REPLAY_BYTES 1146        /* of payload: a path takes 1162 at first */

typedef struct wzp_ct_replayed {
    const wzp_ct_packet *packets; /* due from 0 on, in order; borrowed for as long as cases run */
    size_t count;
    const char *what; /* of the report: the file, the sender; borrowed likewise */
    unsigned codes;   /* a relay that enforces hangs up on it, with one of these codes; 0: never */
    double within_s;  /* ... by then */
} wzp_ct_replayed;

/* What RPL-01 plays, before the first run; without it, ten seconds of Codec2. */
void wzp_ct_replay(const wzp_ct_replayed *replayed);

#endif
