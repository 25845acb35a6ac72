/* The socket object, shared by udp.c (set-up), udp_recv.c and udp_send.c. */
#ifndef WZP_IO_UDP_INTERNAL_H
#define WZP_IO_UDP_INTERNAL_H

#include "io/sockaddr.h"
#include "io/udp.h"

enum {
    RECV_SLOTS = 64,
    RECV_TURN = 1024, /* datagrams, then timers and owners get their turn */
    SEND_RUNS = 64,
    SEND_MESSAGES = 64,
    SEND_ARENA = 256 * 1024,
    SEND_RUN_ROOM = 32 * 1024, /* less than this is not worth lending: flush first */
    SEGMENTS_MAX = 64,         /* of one message, the kernel's own limit */
    SEGMENTED_BYTES = 65000,   /* below what an IP packet can carry */
    CONTROL_BYTES = 128
};

/* cmsghdr wants its alignment. */
typedef union control {
    char bytes[CONTROL_BYTES];
    struct cmsghdr align;
} control;

typedef struct receiver {
    struct mmsghdr messages[RECV_SLOTS];
    struct iovec iov[RECV_SLOTS];
    wzp_sockaddr from[RECV_SLOTS];
    control control[RECV_SLOTS];
    uint8_t *slots; /* RECV_SLOTS * slot_stride */
    bool prepared;
    size_t count, at;
    wzp_udp_datagram current; /* of the slot before `at`: what all its segments share */
    wzp_bytes rest;           /* of that slot, not handed out yet */
    size_t segment;
    uint32_t kernel_drops; /* SO_RXQ_OVFL's running total */
} receiver;

/* Packets of one size for one path, queued in the arena. */
typedef struct send_run {
    wzp_quic_meta meta;
    const uint8_t *data; /* what is not sent yet */
    size_t len;
    bool alone; /* the kernel refused to segment it */
} send_run;

typedef struct sender {
    uint8_t *arena;
    size_t used;
    send_run runs[SEND_RUNS];
    size_t first, count; /* runs[first..count-1] are queued */
    bool blocked;
    struct mmsghdr messages[SEND_MESSAGES];
    struct iovec iov[SEND_MESSAGES];
    wzp_sockaddr to[SEND_MESSAGES];
    control control[SEND_MESSAGES];
} sender;

struct wzp_udp {
    int fd;
    bool is_v6;             /* an AF_INET6 socket */
    bool wildcard;          /* the local address differs from datagram to datagram */
    uint8_t ecn_v4, ecn_v6; /* what the kernel puts into packets that say nothing of it */
    wzp_addr local;
    size_t slot_bytes;
    size_t slot_stride; /* a little more, so that slots do not compete for the same cache lines */
    wzp_udp_features features;
    wzp_udp_counters counters;
    wzp_udp_tap *tap;
    void *tap_ctx;
    receiver in;
    sender out;
};

/* Shows one datagram to the tap, which there is. */
static inline void wzp_udp_show(const wzp_udp *udp, bool is_out, const wzp_quic_path *path,
                                uint8_t ecn, wzp_bytes payload) {
    wzp_quic_path known = *path;
    if (known.local.family == WZP_ADDR_NONE) {
        known.local = udp->local;
    }
    udp->tap(udp->tap_ctx, is_out, &known, ecn, payload);
}

#endif
