/* A program captures its own sockets: every datagram that came or left, as a pcapng file that opens
 * by itself, since the secrets of its connections are in it (tools sheet 7.3).
 *
 *     core's thread --> lane: a ring of its own --+
 *     core's thread --> lane: a ring of its own --+--> the capture's thread --> file
 *
 * A lane costs its thread a copy and no lock, no allocation and no system call; what finds its ring
 * full is dropped and counted.  The capture's thread merges the lanes by time.  It writes secrets
 * at once and packets WZP_CAPTURE_HOLD later, so that secrets stand in front of the packets that
 * need them, which another thread may have received.  Times are those of the monotonic clock, tied
 * to the wall clock when the file is opened: setting that clock puts no packet before another.
 *
 * When the disk is full the file ends with its last whole block; the program goes on. */
#ifndef WZP_IO_CAPTURE_H
#define WZP_IO_CAPTURE_H

#include "base/time.h"
#include "quic/quic.h"

#define WZP_CAPTURE_HOLD (50 * WZP_MS)

typedef struct wzp_capture wzp_capture;
typedef struct wzp_capture_lane wzp_capture_lane;

typedef enum wzp_capture_form {
    WZP_CAPTURE_PCAPNG,
    WZP_CAPTURE_WZP /* media packets alone, as upstream's analyzer reads them (tools sheet 2):
                       datagrams and secrets do not come into it */
} wzp_capture_form;

typedef struct wzp_capture_cfg {
    const char *path; /* made, or made empty; for its owner only.  Not "-" */
    wzp_capture_form form;
    const char *program;      /* PCAPNG: the writer's name; borrowed for the call */
    const char *room, *relay; /* WZP: in its head; NULL counts as ""; borrowed likewise */
    unsigned lanes;           /* one for each thread, at least 1 */
    uint32_t lane_bytes;      /* [8 MiB] */
    uint32_t secrets_bytes;   /* [64 KiB] of each lane as well */
} wzp_capture_cfg;

/* WZP_ERR_IO (errno), WZP_ERR_NOMEM, WZP_ERR_INVALID_ARGUMENT (path, lanes, room) */
WZP_MUST_USE wzp_err wzp_capture_open(wzp_capture **out, const wzp_capture_cfg *cfg);

/* Writes what is left; nobody may use its lanes any more.  For who counts after it. */
void wzp_capture_finish(wzp_capture *capture);
/* The same, and frees.  Accepts NULL, leaves NULL. */
void wzp_capture_close(wzp_capture **capture);

/* `index` below cfg.lanes; for one thread. */
wzp_capture_lane *wzp_capture_lane_of(wzp_capture *capture, unsigned index);

/* A wzp_udp_tap, whose `ctx` is the lane. */
void wzp_capture_datagram(void *ctx, bool is_out, const wzp_quic_path *path, uint8_t ecn,
                          wzp_bytes payload);

/* WZP: a media packet, header first; borrowed. */
void wzp_capture_media(wzp_capture_lane *lane, wzp_bytes packet);

/* One line without its end, borrowed. */
typedef enum wzp_capture_secret { WZP_CAPTURE_TLS, WZP_CAPTURE_MEDIA_KEY } wzp_capture_secret;
void wzp_capture_secret_line(wzp_capture_lane *lane, wzp_capture_secret kind, wzp_bytes line);

typedef struct wzp_capture_counters {
    uint64_t packets, bytes; /* in the file */
    uint64_t dropped;        /* packets: no room in the ring, or on the disk */
    uint64_t secrets_lost;   /* the same for lines */
    int error;               /* errno of what ended the file; 0: none */
} wzp_capture_counters;

/* From any thread. */
void wzp_capture_count(const wzp_capture *capture, wzp_capture_counters *out);

#endif
