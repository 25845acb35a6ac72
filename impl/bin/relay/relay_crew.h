/* The relay's workers: one core for each thread, and one face for all of them. */
#ifndef WZP_BIN_RELAY_RELAY_CREW_H
#define WZP_BIN_RELAY_RELAY_CREW_H

#include "io/capture.h"
#include "io/workers.h"
#include "relay/relay.h"

typedef struct wzp_relay_crew wzp_relay_crew;

/* Makes `count` relays of one configuration, whose worker, workers and shared are set here; what it
 * says of other relays is for the first one, which has federation and probes for all.
 * `on_event` is called on the thread of the worker, one call at a time; `after` there after each of
 * its turns.  Both may be NULL.  `traces` has the context of keylog and qlog for each worker, or is
 * NULL.  The errors of wzp_relay_new. */
WZP_MUST_USE wzp_err wzp_relay_crew_new(wzp_relay_crew **out, const wzp_relay_cfg *cfg,
                                        unsigned count,
                                        void (*on_event)(void *ctx, const wzp_relay_event *event),
                                        void (*after)(void *ctx, unsigned worker, wzp_time now),
                                        void *ctx, void *const *traces);
void wzp_relay_crew_free(wzp_relay_crew **crew);

/* Opens the sockets; the errors of wzp_workers_new. */
WZP_MUST_USE wzp_err wzp_relay_crew_listen(wzp_relay_crew *crew, const wzp_addr *local);

/* Every datagram of every worker goes into `capture`, which has a lane for each; before they start.
 * Borrowed until they have stopped. */
void wzp_relay_crew_capture(wzp_relay_crew *crew, wzp_capture *capture);

/* Worker 0 on `loop`; the errors of wzp_workers_start. */
WZP_MUST_USE wzp_err wzp_relay_crew_start(wzp_relay_crew *crew, uv_loop_t *loop);

/* The threads end; worker 0's events are still to be taken. */
void wzp_relay_crew_stop(wzp_relay_crew *crew);

/* A worker's relay, for its own thread; all signal connections are at worker 0, which runs on the
 * caller's thread. */
wzp_relay *wzp_relay_crew_relay(wzp_relay_crew *crew, unsigned worker);
wzp_workers *wzp_relay_crew_workers(const wzp_relay_crew *crew);

/* Everything below is done by each worker between two turns, and waited for. */

/* Anything; that of worker 0 is done at once. */
void wzp_relay_crew_call(wzp_relay_crew *crew, unsigned worker,
                         void (*call)(void *ctx, wzp_time now), void *ctx);

/* The clients of all workers, one worker after the other, as wzp_relay_visit_clients. */
void wzp_relay_crew_visit_clients(wzp_relay_crew *crew, bool (*visit)(void *ctx, const char *fp),
                                  void *ctx);
bool wzp_relay_crew_has_client(wzp_relay_crew *crew, const char *fingerprint);

/* The sum of all pages.  WZP_ERR_OVERFLOW, WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_relay_crew_metrics(wzp_relay_crew *crew, wzp_wr *out);
/* How often a worker noted an offence (wzp_relay_next_offence). */
uint32_t wzp_relay_crew_offences(const wzp_relay_crew *crew);
void wzp_relay_crew_count(wzp_relay_crew *crew, wzp_relay_totals *out);
void wzp_relay_crew_change(wzp_relay_crew *crew, const wzp_relay_live *live);
void wzp_relay_crew_drain(wzp_relay_crew *crew);
void wzp_relay_crew_shutdown(wzp_relay_crew *crew);
bool wzp_relay_crew_is_drained(const wzp_relay_crew *crew);

/* Makes sure that everything is written that on_event was told of; call after wzp_relay_crew_stop.
 */
void wzp_relay_crew_drain_events(wzp_relay_crew *crew);

#endif
