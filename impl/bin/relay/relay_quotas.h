/* The quotas of --enforce on: alike for all workers, and kept beside the list of bans.  Everything
 * here is for the thread of worker 0. */
#ifndef WZP_BIN_RELAY_RELAY_QUOTAS_H
#define WZP_BIN_RELAY_RELAY_QUOTAS_H

#include <uv.h>

#include "base/log.h"
#include "bin/relay/relay_crew.h"

typedef struct wzp_relay_quotas wzp_relay_quotas;

/* `ban_list` NULL: they are kept nowhere; else in a file of that name with ".quotas".  `crew` and
 * `loop` are borrowed for its life.  Before the workers start: reads the file.  Whatever is wrong
 * with that is said, and nobody has sent anything.  WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_relay_quotas_new(wzp_relay_quotas **out, wzp_relay_crew *crew,
                                          uv_loop_t *loop, unsigned workers, const char *ban_list,
                                          wzp_log log);

/* After the loop has ended and the workers have stopped. */
void wzp_relay_quotas_free(wzp_relay_quotas **quotas);

/* Once a second: what each worker's accounts sent is told to the others; each minute it is written,
 * by another thread. */
void wzp_relay_quotas_tick(wzp_relay_quotas *quotas);

/* Writes; the workers have stopped. */
void wzp_relay_quotas_finish(wzp_relay_quotas *quotas);

uint64_t wzp_relay_quotas_failures(const wzp_relay_quotas *quotas);

#endif
