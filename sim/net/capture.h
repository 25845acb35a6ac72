/* What passes interfaces, as a pcapng file: whole IP packets with right checksums (LINKTYPE_RAW),
 * virtual time in nanoseconds, interface names, directions and packet ids.
 *
 * One capture makes one file, of one interface or of all: an interface is described when it is
 * first seen.  The same packets give the same bytes.  Bytes are handed to a sink, for nothing here
 * writes files; memory is one buffer and the names of the interfaces.  Format:
 * draft-ietf-opsawg-pcapng, big-endian. */
#ifndef WZP_SIM_NET_CAPTURE_H
#define WZP_SIM_NET_CAPTURE_H

#include "base/err.h"
#include "sim/net/fabric.h"

/* The next bytes of the file; borrowed for the call. */
typedef void wzp_sim_sink(void *ctx, wzp_bytes bytes);

typedef struct wzp_sim_capture_cfg {
    wzp_sim_sink *sink;
    void *sink_ctx;
    const char *comment; /* about the whole file, e.g. scenario and seed; NULL: none; borrowed for
                            the call */
    uint64_t epoch_s;    /* Unix time at virtual time 0, in seconds */
} wzp_sim_capture_cfg;

typedef struct wzp_sim_capture wzp_sim_capture;

#define WZP_SIM_COMMENT_MAX 1000 /* bytes; what is longer is cut */

/* WZP_ERR_NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_capture_new(wzp_sim_capture **out, const wzp_sim_capture_cfg *cfg);

/* Hands the rest to the sink.  Accepts NULL, leaves NULL. */
void wzp_sim_capture_free(wzp_sim_capture **capture);

/* `comment`, UTF-8, says for example why a NAT dropped the packet; NULL: none.  All are borrowed.
 */
void wzp_sim_capture_packet(wzp_sim_capture *capture, const char *interface, wzp_sim_way way,
                            const wzp_sim_packet *packet, const char *comment, wzp_time now);

/* The same as a tap of a fabric; `capture` is a wzp_sim_capture. */
void wzp_sim_capture_tap(void *capture, const char *interface, wzp_sim_way way,
                         const wzp_sim_packet *packet, wzp_time now);

/* Hands all to the sink that it has not got yet. */
void wzp_sim_capture_flush(wzp_sim_capture *capture);

/* Packets that were not written because memory was out. */
uint64_t wzp_sim_capture_lost(const wzp_sim_capture *capture);

#endif
