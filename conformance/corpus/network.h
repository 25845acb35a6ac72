/* When the packets of a trace reach the relay over an access network of the simulator. */
#ifndef WZP_CONFORMANCE_CORPUS_NETWORK_H
#define WZP_CONFORMANCE_CORPUS_NETWORK_H

#include "conformance/corpus/trace.h"

/* `preset`: an access of the simulator ("wifi-bad", "lte"), upwards.  arrivals[trace->count]:
 * WZP_TIME_NEVER for what was lost; of duplicates the first counts.  The same seed, the same times.
 * WZP_ERR_INVALID_ARGUMENT: no such preset; WZP_ERR_NOMEM. */
WZP_MUST_USE wzp_err wzp_trace_carry(const wzp_trace *trace, const char *preset, uint64_t seed,
                                     wzp_time *arrivals);

#endif
