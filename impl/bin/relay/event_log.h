/* The relay's events as JSON lines (relay sheet 11.4).
 *
 * Lines are written whole or not at all.  What the disk does not take is kept, 16 KiB of it; what
 * finds no room there is lost and counted, and the file goes on with whole lines when the disk
 * takes some again.  May be used by several threads. */
#ifndef WZP_BIN_RELAY_EVENT_LOG_H
#define WZP_BIN_RELAY_EVENT_LOG_H

#include "relay/relay.h"

typedef struct wzp_event_log wzp_event_log;

/* Truncates the file.  WZP_ERR_IO: errno says why; WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_event_log_open(wzp_event_log **out, const char *path);

/* Writes what is kept.  Accepts NULL, leaves NULL. */
void wzp_event_log_close(wzp_event_log **log);

void wzp_event_log_write(wzp_event_log *log, const wzp_relay_event *event);

/* To be called about once a second.  False: the disk refuses; errno says why. */
bool wzp_event_log_flush(wzp_event_log *log);

/* Events that were lost since the start. */
uint64_t wzp_event_log_lost(wzp_event_log *log);

#endif
