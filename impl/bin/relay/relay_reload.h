/* What SIGHUP does: options are read anew, and what can change at run time does. */
#ifndef WZP_BIN_RELAY_RELAY_RELOAD_H
#define WZP_BIN_RELAY_RELAY_RELOAD_H

#include "bin/relay/relay_crew.h"
#include "bin/relay/relay_options.h"

/* Reads file and command line as at the start.  When they are wrong nothing changes, and the log
 * says so.  Options that need a restart are compared with those of `started`, and named.  `log`
 * gets the new level. */
void wzp_relay_reload(wzp_relay_options *started, int argc, char **argv, wzp_relay_crew *crew,
                      wzp_log *log);

#endif
