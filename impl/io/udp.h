/* One UDP socket, in batches: recvmmsg and sendmmsg, with UDP_GRO and
 * UDP_SEGMENT where the kernel has them and plain datagrams where it has not.
 * Non-blocking; one thread per socket.
 *
 * For a packet core two calls do it all: wzp_udp_receive and wzp_udp_transmit.
 * Under them lie, for who moves bytes of another kind, read/next and
 * room/commit/flush.  What the socket does not take at once stays queued and
 * room is refused until it has gone: the core above keeps its packets, nothing
 * grows.
 *
 * No error of the network is fatal: a datagram that cannot be sent is dropped
 * and counted. */
#ifndef WZP_IO_UDP_H
#define WZP_IO_UDP_H

#include "quic/core.h"

typedef struct wzp_udp wzp_udp;

/* Environment variable: when it is 1 every socket is plain. */
#define WZP_UDP_PLAIN_ENV "WZP_UDP_PLAIN"

typedef struct wzp_udp_cfg {
    /* Port 0: the system picks one.  [::] takes IPv4 as well, unless `v6_only`.
     */
    wzp_addr local;
    bool v6_only;
    bool plain;            /* neither GRO nor UDP_SEGMENT */
    bool shared;           /* other sockets of this process have the same address (workers.h) */
    uint32_t buffer_bytes; /* [4 MiB] wished size of the kernel's buffers, each
                              direction */
    uint32_t slot_bytes;   /* [65536] longest datagram that is received; GRO needs
                              the default */
} wzp_udp_cfg;

/* WZP_ERR_IO (errno says why), WZP_ERR_NOMEM, WZP_ERR_INVALID_ARGUMENT (no
 * address family, slot under 1500) */
WZP_MUST_USE wzp_err wzp_udp_new(wzp_udp **out, const wzp_udp_cfg *cfg);

/* The same with defaults. */
WZP_MUST_USE wzp_err wzp_udp_open(wzp_udp **out, const wzp_addr *local, bool plain);

/* Accepts NULL, leaves NULL.  What is still queued is lost. */
void wzp_udp_close(wzp_udp **udp);

int wzp_udp_fd(const wzp_udp *udp);

/* The bound address with the real port. */
wzp_addr wzp_udp_local(const wzp_udp *udp);

/* --- for a packet core ------------------------------------------------------------------------ */

/* Reads what is there, at most a few hundred messages so that timers get their
 * turn, and hands each datagram to the core.  Returns the number of datagrams.
 */
size_t wzp_udp_receive(wzp_udp *udp, wzp_core core, wzp_time now);

/* Sends everything that the core has to say.  False: the socket is full; the
 * rest waits, in the queue and in the core, for a call when the socket is
 * writable. */
bool wzp_udp_transmit(wzp_udp *udp, wzp_core core, wzp_time now);

/* --- receiving -------------------------------------------------------------------------------- */

typedef struct wzp_udp_datagram {
    wzp_quic_path path; /* local: the address that the sender used, known for
                           wildcard sockets too */
    uint8_t ecn;
    wzp_bytes payload; /* borrowed until the next wzp_udp_read */
} wzp_udp_datagram;

/* Takes one batch from the kernel; false when there was nothing.  What
 * wzp_udp_next has not handed out is forgotten. */
bool wzp_udp_read(wzp_udp *udp);
bool wzp_udp_next(wzp_udp *udp, wzp_udp_datagram *out);

/* --- sending ---------------------------------------------------------------------------------- */

/* Space for one run as wzp_quic_next_packet writes it; *cap is at least 32 KiB.
 * NULL while earlier packets wait for the socket. */
uint8_t *wzp_udp_room(wzp_udp *udp, size_t *cap);

/* Queues `len` bytes that were written into the last room. */
void wzp_udp_commit(wzp_udp *udp, size_t len, const wzp_quic_meta *meta);

/* True: the queue is empty.  False: the socket is full, call again when it is
 * writable. */
bool wzp_udp_flush(wzp_udp *udp);

/* --- for who captures ------------------------------------------------------------------------- */

/* Sees each datagram that came, and each that the system took; borrowed for the call. */
typedef void wzp_udp_tap(void *ctx, bool is_out, const wzp_quic_path *path, uint8_t ecn,
                         wzp_bytes payload);

/* NULL, as at first: nobody looks. */
void wzp_udp_set_tap(wzp_udp *udp, wzp_udp_tap *tap, void *ctx);

/* --- what is known ---------------------------------------------------------------------------- */

typedef struct wzp_udp_counters {
    uint64_t receive_calls, received, received_bytes;
    uint64_t received_coalesced; /* of these, datagrams that GRO had joined with
                                    others */
    uint64_t receive_errors;
    uint64_t dropped_truncated; /* longer than slot_bytes */
    uint64_t dropped_kernel;    /* the kernel's receive buffer was full */

    uint64_t send_calls, sent, sent_bytes;
    uint64_t sent_segmented;      /* of these, datagrams that left by UDP_SEGMENT */
    uint64_t send_blocked;        /* times that the socket was full */
    uint64_t dropped_too_big;     /* larger than the path takes; probes of the path
                                     end so */
    uint64_t dropped_unreachable; /* no route, host or network down, port refused */
    uint64_t dropped_denied;      /* a packet filter forbids it */
    uint64_t dropped_other;
} wzp_udp_counters;
void wzp_udp_count(const wzp_udp *udp, wzp_udp_counters *out);

typedef struct wzp_udp_features {
    bool gro, segment;                    /* in use */
    uint32_t receive_buffer, send_buffer; /* as the kernel grants them, bytes */
    bool receive_clamped, send_clamped;   /* less than wished: net.core.rmem_max, wmem_max */
} wzp_udp_features;
wzp_udp_features wzp_udp_describe(const wzp_udp *udp);

#endif
