/* Receiving: one recvmmsg for a batch, coalesced datagrams taken apart again.
 */
#include <errno.h>
#include <netinet/udp.h>

#include "io/udp_internal.h"

/* --- what comes beside the payload ------------------------------------------------------------ */

/* The kernel writes the IPv4 field as one byte and the others as an int. */
static int read_int(const struct cmsghdr *c) {
    int value = 0;
    if (c->cmsg_len == CMSG_LEN(1)) {
        return *CMSG_DATA(c);
    }
    if (c->cmsg_len >= CMSG_LEN(sizeof value)) {
        memcpy(&value, CMSG_DATA(c), sizeof value);
    }
    return value;
}

static void note_kernel_drops(wzp_udp *udp, uint32_t total) {
    udp->counters.dropped_kernel += total - udp->in.kernel_drops; /* wraps with the kernel's */
    udp->in.kernel_drops = total;
}

static void read_v4_control(wzp_udp_datagram *dg, uint16_t port, const struct cmsghdr *c) {
    if (c->cmsg_type == IP_TOS) {
        dg->ecn = read_int(c) & 3;
    } else if (c->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        dg->path.local = wzp_addr_from_in(info.ipi_addr, port);
    }
}

static void read_v6_control(wzp_udp_datagram *dg, uint16_t port, const struct cmsghdr *c) {
    if (c->cmsg_type == IPV6_TCLASS) {
        dg->ecn = read_int(c) & 3;
    } else if (c->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        dg->path.local = wzp_addr_from_in6(&info.ipi6_addr, port);
    }
}

static void read_control(wzp_udp *udp, struct msghdr *message) {
    wzp_udp_datagram *dg = &udp->in.current;
    const uint16_t port = udp->local.port;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == IPPROTO_IP) {
            read_v4_control(dg, port, c);
        } else if (c->cmsg_level == IPPROTO_IPV6) {
            read_v6_control(dg, port, c);
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            note_kernel_drops(udp, (uint32_t)read_int(c));
        }
#ifdef UDP_GRO
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO && read_int(c) > 0) {
            udp->in.segment = (size_t)read_int(c);
        }
#endif
    }
}

/* --- batches ---------------------------------------------------------------------------------- */

/* The slots that a read may fill; the kernel writes over the lengths of those that it fills. */
static void prepare(wzp_udp *udp, size_t count) {
    receiver *in = &udp->in;
    for (size_t i = 0; i < count; i++) {
        in->iov[i] = (struct iovec){in->slots + i * udp->slot_stride, udp->slot_bytes};
        in->messages[i].msg_hdr = (struct msghdr){.msg_name = &in->from[i],
                                                  .msg_namelen = sizeof in->from[i],
                                                  .msg_iov = &in->iov[i],
                                                  .msg_iovlen = 1,
                                                  .msg_control = &in->control[i],
                                                  .msg_controllen = sizeof in->control[i]};
    }
}

bool wzp_udp_read(wzp_udp *udp) {
    receiver *in = &udp->in;
    prepare(udp, in->prepared ? in->count : RECV_SLOTS);
    in->prepared = true;
    in->count = in->at = 0;
    in->rest.len = 0;
    int n;
    do {
        n = recvmmsg(udp->fd, in->messages, RECV_SLOTS, 0, NULL);
        udp->counters.receive_calls++;
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        /* An ICMP answer to something that we sent: its own counters are those of
         * sending. */
        udp->counters.receive_errors += errno != EAGAIN && errno != EWOULDBLOCK;
        return false;
    }
    in->count = (size_t)n;
    return n > 0;
}

/* False: the slot holds nothing that can be used. */
static bool open_slot(wzp_udp *udp) {
    receiver *in = &udp->in;
    const size_t slot = in->at++;
    struct mmsghdr *message = &in->messages[slot];
    in->current = (wzp_udp_datagram){.path = {udp->local, wzp_sockaddr_read(&in->from[slot])}};
    if (udp->wildcard) {
        in->current.path.local.family = WZP_ADDR_NONE; /* until the control data says better */
    }
    in->segment = SIZE_MAX;
    read_control(udp, &message->msg_hdr);
    if ((message->msg_hdr.msg_flags & MSG_TRUNC) != 0) {
        udp->counters.dropped_truncated++;
        return false;
    }
    in->rest = wzp_bytes_of(in->slots + slot * udp->slot_stride, message->msg_len);
    return in->rest.len > 0;
}

bool wzp_udp_next(wzp_udp *udp, wzp_udp_datagram *out) {
    receiver *in = &udp->in;
    while (in->rest.len == 0) {
        if (in->at == in->count) {
            return false;
        }
        open_slot(udp);
    }
    const size_t len = in->rest.len < in->segment ? in->rest.len : in->segment;
    udp->counters.received++;
    udp->counters.received_bytes += len;
    udp->counters.received_coalesced += in->segment != SIZE_MAX;
    *out = in->current;
    out->payload = wzp_bytes_of(in->rest.data, len);
    in->rest = wzp_bytes_of(in->rest.data + len, in->rest.len - len);
    if (udp->tap != NULL) {
        wzp_udp_show(udp, false, &out->path, out->ecn, out->payload);
    }
    return true;
}

/* A batch that is not full was all there was: what came since wakes the driver again. */
size_t wzp_udp_receive(wzp_udp *udp, wzp_core core, wzp_time now) {
    size_t n = 0;
    wzp_udp_datagram dg;
    for (bool more = true; more && n < RECV_TURN && wzp_udp_read(udp);) {
        more = udp->in.count == RECV_SLOTS;
        for (; wzp_udp_next(udp, &dg); n++) {
            core.ops->recv(core.self, &dg.path, dg.ecn, dg.payload, now);
        }
    }
    return n;
}
