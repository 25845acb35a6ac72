/* What debugging a connection needs, in files: TLS secrets (NSS key log, for Wireshark) and qlog
 * (one JSON-SEQ file per connection, for qvis).  The two hooks fit wzp_quic_cfg. */
#ifndef WZP_IO_TRACES_H
#define WZP_IO_TRACES_H

#include "quic/quic.h"

typedef struct wzp_traces wzp_traces;

/* `keylog` (a file, for the owner only) and `qlog_dir` (made when it is not there) may be NULL.
 * `name` begins the names of qlog files.  On failure *bad names the path, errno says why.
 * WZP_ERR_IO, WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_traces_open(wzp_traces **out, const char *name, const char *keylog,
                                     const char *qlog_dir, const char **bad);

/* The same for another thread: one key log, into which lines go whole, and qlog files that begin
 * with another name.  `traces` is borrowed for the call.  WZP_ERR_IO (errno), WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_traces_share(wzp_traces **out, const wzp_traces *traces, const char *name);

/* Accepts NULL, leaves NULL. */
void wzp_traces_close(wzp_traces **traces);

/* `ctx` is the wzp_traces. */
void wzp_traces_on_keylog(void *ctx, wzp_quic_conn conn, const char *line);
void wzp_traces_on_qlog(void *ctx, wzp_quic_conn conn, wzp_bytes data, bool fin);

/* Connections whose file could not be opened or is not whole.  From any thread. */
uint64_t wzp_traces_lost(const wzp_traces *traces);

#endif
