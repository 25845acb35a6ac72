/* The list of tier G: alike for all workers, kept in a file, shown to the operator and changed by
 * him.  Everything here is for the thread of worker 0. */
#ifndef WZP_BIN_RELAY_RELAY_BAN_LIST_H
#define WZP_BIN_RELAY_RELAY_BAN_LIST_H

#include <uv.h>

#include "base/log.h"
#include "bin/relay/relay_crew.h"
#include "io/http.h"

typedef struct wzp_ban_list wzp_ban_list;

/* `path` NULL: it is kept nowhere.  `path`, `crew` and `loop` are borrowed for its life.  Before
 * the workers start: reads the file.  Whatever is wrong with that is said, and the list begins
 * empty. WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_ban_list_new(wzp_ban_list **out, wzp_relay_crew *crew, uv_loop_t *loop,
                                      unsigned workers, const char *path, wzp_log log);

/* After the loop has ended and the workers have stopped. */
void wzp_ban_list_free(wzp_ban_list **list);

/* Once a second: what one worker noted is told to the others, and what has changed is written, by
 * another thread. */
void wzp_ban_list_tick(wzp_ban_list *list);

/* Writes what is not written yet; the workers have stopped. */
void wzp_ban_list_finish(wzp_ban_list *list);

uint64_t wzp_ban_list_failures(const wzp_ban_list *list);

/* A line for each entry, or the one of `fingerprint`: {"fingerprint": ..., "kind": "cool-down",
 * "block" or "remembered", "code": ..., "seconds_left": ..., "offences": ...}. */
wzp_http_status wzp_ban_list_show(const wzp_ban_list *list, const char *fingerprint, wzp_wr *out);
wzp_http_status wzp_ban_list_pardon(wzp_ban_list *list, const char *fingerprint, wzp_wr *out);

#endif
