/* Sending: runs of packets gathered in one arena, one sendmmsg for many of
 * them. */
#include <assert.h>
#include <errno.h>
#include <netinet/udp.h>

#include "io/udp_internal.h"

/* --- what goes beside the payload ------------------------------------------------------------- */

static void add_control(struct msghdr *message, int level, int type, const void *data, size_t len) {
    unsigned char *at = (unsigned char *)message->msg_control + message->msg_controllen;
    struct cmsghdr header = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
    assert(message->msg_controllen + CMSG_SPACE(len) <= CONTROL_BYTES);
    memset(at, 0, CMSG_SPACE(len));
    memcpy(at, &header, sizeof header);
    memcpy(at + CMSG_LEN(0), data, len);
    message->msg_controllen += CMSG_SPACE(len);
}

/* Answers must leave from the address that was asked, on a machine with
 * several. */
static void add_source(const wzp_udp *udp, struct msghdr *message, const wzp_addr *local) {
    if (!udp->wildcard || local->family == WZP_ADDR_NONE) {
        return;
    }
    if (udp->is_v6) {
        const struct in6_pktinfo info = {.ipi6_addr = wzp_addr_to_in6(local)};
        add_control(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    } else if (local->family == WZP_ADDR_V4) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, local->ip, 4);
        add_control(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    }
}

static void add_ecn(const wzp_udp *udp, struct msghdr *message, const wzp_quic_meta *meta) {
    const int ecn = meta->ecn;
    const bool is_v4 = meta->path.remote.family == WZP_ADDR_V4;
    if (is_v4 && ecn != udp->ecn_v4) {
        add_control(message, IPPROTO_IP, IP_TOS, &ecn, sizeof ecn);
    } else if (!is_v4 && ecn != udp->ecn_v6) {
        add_control(message, IPPROTO_IPV6, IPV6_TCLASS, &ecn, sizeof ecn);
    }
}

static void add_segment(struct msghdr *message, uint16_t segment) {
#ifdef UDP_SEGMENT
    add_control(message, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
#else
    (void)message;
    (void)segment;
#endif
}

/* --- messages --------------------------------------------------------------------------------- */

/* How much of `run` one message carries. */
static size_t message_len(const wzp_udp *udp, const send_run *run, size_t left) {
    const size_t segment = run->meta.segment;
    size_t most = segment;
    if (udp->features.segment && !run->alone) {
        const size_t by_bytes = SEGMENTED_BYTES / segment;
        most *= by_bytes < 1 ? 1 : by_bytes < SEGMENTS_MAX ? by_bytes : SEGMENTS_MAX;
    }
    return left < most ? left : most;
}

static void build_message(wzp_udp *udp, size_t i, const send_run *run, const uint8_t *data,
                          size_t len) {
    sender *out = &udp->out;
    struct msghdr *message = &out->messages[i].msg_hdr;
    out->iov[i] = (struct iovec){wzp_drop_const(data), len};
    *message = (struct msghdr){.msg_name = &out->to[i],
                               .msg_iov = &out->iov[i],
                               .msg_iovlen = 1,
                               .msg_control = &out->control[i]};
    message->msg_namelen = wzp_sockaddr_write(&out->to[i], &run->meta.path.remote, udp->is_v6);
    add_source(udp, message, &run->meta.path.local);
    add_ecn(udp, message, &run->meta);
    if (len > run->meta.segment) {
        add_segment(message, run->meta.segment);
    }
    if (message->msg_controllen == 0) {
        message->msg_control = NULL;
    }
}

static unsigned build_messages(wzp_udp *udp) {
    unsigned n = 0;
    for (size_t r = udp->out.first; r < udp->out.count; r++) {
        const send_run *run = &udp->out.runs[r];
        for (size_t at = 0; at < run->len && n < SEND_MESSAGES; n++) {
            const size_t len = message_len(udp, run, run->len - at);
            build_message(udp, n, run, run->data + at, len);
            at += len;
        }
    }
    return n;
}

/* Takes the first message off the queue; returns the number of datagrams in it.
 */
static size_t pop_message(wzp_udp *udp) {
    sender *out = &udp->out;
    send_run *run = &out->runs[out->first];
    const size_t len = message_len(udp, run, run->len);
    const size_t datagrams = (len + run->meta.segment - 1) / run->meta.segment;
    run->data += len;
    run->len -= len;
    if (run->len == 0) {
        out->first++;
    }
    return datagrams;
}

/* The first message of the queue has left. */
static void show_sent(const wzp_udp *udp) {
    const send_run *run = &udp->out.runs[udp->out.first];
    const size_t len = message_len(udp, run, run->len);
    for (size_t at = 0; at < len; at += run->meta.segment) {
        const size_t left = len - at;
        const size_t n = left < run->meta.segment ? left : run->meta.segment;
        wzp_udp_show(udp, true, &run->meta.path, run->meta.ecn, wzp_bytes_of(run->data + at, n));
    }
}

static void count_sent(wzp_udp *udp, size_t messages) {
    wzp_udp_counters *c = &udp->counters;
    for (size_t i = 0; i < messages; i++) {
        const size_t bytes = udp->out.iov[i].iov_len;
        if (udp->tap != NULL) {
            show_sent(udp);
        }
        const size_t datagrams = pop_message(udp);
        c->sent += datagrams;
        c->sent_bytes += bytes;
        c->sent_segmented += datagrams > 1 ? datagrams : 0;
    }
}

/* --- errors ----------------------------------------------------------------------------------- */

static uint64_t *drop_counter(wzp_udp *udp, int error) {
    wzp_udp_counters *c = &udp->counters;
    switch (error) {
    case EMSGSIZE:
        return &c->dropped_too_big;
    case ECONNREFUSED:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:
        return &c->dropped_unreachable;
    case EPERM:
    case EACCES:
        return &c->dropped_denied;
    default:
        return &c->dropped_other;
    }
}

/* The first message was refused.  Segmentation can be the reason: on devices
 * that cannot fill in checksums, or when a segment no longer fits the path.
 * Then its packets are tried one by one. */
static void handle_refusal(wzp_udp *udp, int error) {
    send_run *run = &udp->out.runs[udp->out.first];
    const bool segmented = message_len(udp, run, run->len) > run->meta.segment;
    if (segmented && error == EIO) {
        udp->features.segment = false;
    } else if (segmented && (error == EINVAL || error == EMSGSIZE)) {
        run->alone = true;
    } else {
        *drop_counter(udp, error) += pop_message(udp);
    }
}

/* --- queue ------------------------------------------------------------------------------------ */

bool wzp_udp_flush(wzp_udp *udp) {
    sender *out = &udp->out;
    out->blocked = false;
    while (out->first < out->count) {
        const unsigned n = build_messages(udp);
        const int sent = sendmmsg(udp->fd, out->messages, n, 0);
        udp->counters.send_calls++;
        if (sent >= 0) {
            count_sent(udp, (size_t)sent);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            udp->counters.send_blocked++;
            out->blocked = true;
            return false;
        } else if (errno != EINTR) {
            handle_refusal(udp, errno);
        }
    }
    out->first = out->count = out->used = 0;
    return true;
}

uint8_t *wzp_udp_room(wzp_udp *udp, size_t *cap) {
    sender *out = &udp->out;
    if (out->count == SEND_RUNS || SEND_ARENA - out->used < SEND_RUN_ROOM) {
        wzp_udp_flush(udp);
    }
    if (out->blocked) {
        return NULL;
    }
    *cap = SEND_ARENA - out->used;
    return out->arena + out->used;
}

void wzp_udp_commit(wzp_udp *udp, size_t len, const wzp_quic_meta *meta) {
    sender *out = &udp->out;
    assert(out->count < SEND_RUNS && len <= SEND_ARENA - out->used && meta->segment > 0);
    const wzp_addr_family family = meta->path.remote.family;
    if (family == WZP_ADDR_NONE || (family == WZP_ADDR_V6 && !udp->is_v6)) {
        udp->counters.dropped_unreachable += (len + meta->segment - 1) / meta->segment;
        return;
    }
    out->runs[out->count++] = (send_run){.meta = *meta, .data = out->arena + out->used, .len = len};
    out->used += len;
}

bool wzp_udp_transmit(wzp_udp *udp, wzp_core core, wzp_time now) {
    if (udp->out.blocked && !wzp_udp_flush(udp)) {
        return false;
    }
    uint8_t *room;
    size_t cap = 0;
    while ((room = wzp_udp_room(udp, &cap)) != NULL) {
        wzp_quic_meta meta;
        const size_t n = core.ops->next_packet(core.self, now, room, cap, &meta);
        if (n == 0) {
            return wzp_udp_flush(udp);
        }
        wzp_udp_commit(udp, n, &meta);
    }
    return false;
}
