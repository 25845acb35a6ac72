/* What debugging a connection needs, in files: TLS secrets (NSS key log, for Wireshark), keys of
 * sealed media (tools sheet 7.4, for wzp-pcap) and qlog (one JSON-SEQ file per connection, for
 * qvis).  The hooks fit wzp_quic_cfg and wzp_client_cfg. */
#ifndef WZP_IO_TRACES_H
#define WZP_IO_TRACES_H

#include "io/capture.h"

/* What other QUIC programs know as well: a key log, and a folder for qlog. */
#define WZP_TRACES_KEYLOG_ENV "SSLKEYLOGFILE"
#define WZP_TRACES_QLOG_ENV "QLOGDIR"

typedef struct wzp_traces wzp_traces;

/* Each of the files is for its owner only, and lines are added at its end; NULL: none. */
typedef struct wzp_traces_cfg {
    const char *name; /* begins the names of qlog files */
    const char *keylog, *media_keys;
    const char *qlog_dir; /* made when it is not there */
} wzp_traces_cfg;

/* On failure *bad names the path, errno says why.  WZP_ERR_IO, WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_traces_open(wzp_traces **out, const wzp_traces_cfg *cfg, const char **bad);

/* The same for another thread: the same files, into which lines go whole, and qlog files that begin
 * with another name.  `traces` is borrowed for the call.  WZP_ERR_IO (errno), WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_traces_share(wzp_traces **out, const wzp_traces *traces, const char *name);

/* What is secret goes to this lane as well; NULL, as at first: it does not. */
void wzp_traces_capture(wzp_traces *traces, wzp_capture_lane *lane);

/* Accepts NULL, leaves NULL. */
void wzp_traces_close(wzp_traces **traces);

/* `ctx` is the wzp_traces. */
void wzp_traces_on_keylog(void *ctx, wzp_quic_conn conn, const char *line);
void wzp_traces_on_qlog(void *ctx, wzp_quic_conn conn, wzp_bytes data, bool fin);
/* Of a connection whose secrets were seen.  `key` has 32 bytes. */
void wzp_traces_on_media_key(void *ctx, wzp_quic_conn conn, uint32_t epoch, const uint8_t *key);

/* Connections whose file could not be opened or is not whole, and lines that could not be written.
 * From any thread. */
uint64_t wzp_traces_lost(const wzp_traces *traces);

#endif
