/* The relay's events as JSON lines (relay sheet 11.4). */
#ifndef WZP_BIN_EVENT_LOG_H
#define WZP_BIN_EVENT_LOG_H

#include "relay/relay.h"

typedef struct wzp_event_log wzp_event_log;

/* Truncates the file.  WZP_ERR_IO: errno says why; WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_event_log_open(wzp_event_log **out, const char *path);

/* Writes what is buffered.  Accepts NULL, leaves NULL. */
void wzp_event_log_close(wzp_event_log **log);

void wzp_event_log_write(wzp_event_log *log, const wzp_relay_event *event);

/* To be called about once a second.  False: the disk refused something since the last call. */
bool wzp_event_log_flush(wzp_event_log *log);

#endif
