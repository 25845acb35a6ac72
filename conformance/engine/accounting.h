/* What was really sent: conformance sheet 24.1 "sure-under" and "sure-over", from actual times. */
#ifndef WZP_CONFORMANCE_ENGINE_ACCOUNTING_H
#define WZP_CONFORMANCE_ENGINE_ACCOUNTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/time.h"

typedef struct wzp_ct_sent {
    wzp_time at;
    uint32_t wire; /* 16 + payload, as the meters count */
} wzp_ct_sent;

typedef struct wzp_ct_accounts {
    uint64_t max_bytes, max_packets; /* in any sliding second */
    uint64_t min_bytes,
        min_packets; /* in any full second inside the traffic: the worst alignment of
                        a tumbling window; 0 if it lasted less than two seconds */
} wzp_ct_accounts;

/* `sent` in order of time. */
void wzp_ct_account(wzp_ct_accounts *out, const wzp_ct_sent *sent, size_t count);

#endif
