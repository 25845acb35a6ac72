/* What wzp-client --help says. */
#ifndef WZP_BIN_CLIENT_CLIENT_USAGE_H
#define WZP_BIN_CLIENT_CLIENT_USAGE_H

void wzp_client_usage(void);

#endif
