/* Opening a UDP socket and finding out what its kernel can do. */
#include "io/udp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/sys.h"
#include "io/udp_internal.h"

enum {
    SLOT_DEFAULT = 65536,
    SLOT_LEAST = 1500,
    SLOT_SHIFT = 320,
    BUFFER_DEFAULT = 4 * 1024 * 1024,
    ECN_CAPABLE = 2 /* ECT(0), RFC 3168, 5 */
};

static bool set_int(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* --- kernel buffers --------------------------------------------------------------------------- */

/* The kernel grants twice what was asked for, for its own bookkeeping. */
static uint32_t granted(int fd, int option) {
    int value = 0;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 ? (uint32_t)value / 2 : 0;
}

/* Returns true when less than `wished` was granted; only root may go past the
 * system's maximum. */
static bool grow(int fd, int option, int force_option, uint32_t wished, uint32_t *got) {
    set_int(fd, SOL_SOCKET, option, (int)wished);
    *got = granted(fd, option);
    if (*got < wished && set_int(fd, SOL_SOCKET, force_option, (int)wished)) {
        *got = granted(fd, option);
    }
    return *got < wished;
}

static void grow_buffers(wzp_udp *udp, uint32_t wished) {
    wzp_udp_features *f = &udp->features;
    f->receive_clamped = grow(udp->fd, SO_RCVBUF, SO_RCVBUFFORCE, wished, &f->receive_buffer);
    f->send_clamped = grow(udp->fd, SO_SNDBUF, SO_SNDBUFFORCE, wished, &f->send_buffer);
}

/* --- options ---------------------------------------------------------------------------------- */

/* What most packets say is said once, by the socket. */
static void set_ecn(wzp_udp *udp) {
    const bool v4 = set_int(udp->fd, IPPROTO_IP, IP_TOS, ECN_CAPABLE);
    const bool v6 = udp->is_v6 && set_int(udp->fd, IPPROTO_IPV6, IPV6_TCLASS, ECN_CAPABLE);
    udp->ecn_v4 = v4 ? ECN_CAPABLE : 0;
    udp->ecn_v6 = v6 ? ECN_CAPABLE : 0;
}

/* What fails here costs a feature, not the socket.  A dual-stack socket needs
 * both families' options: its IPv4 datagrams are described by the IPv4 ones. */
static void set_options(wzp_udp *udp, const wzp_udp_cfg *cfg) {
    const int fd = udp->fd;
    /* Don't fragment, and let QUIC find the path's MTU instead of the kernel. */
    set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    set_int(fd, IPPROTO_IP, IP_RECVTOS, 1);
    set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    if (udp->is_v6) {
        set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
        set_int(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    }
    if (udp->wildcard && udp->is_v6) {
        set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    } else if (udp->wildcard) {
        set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
    }
    set_ecn(udp);
    grow_buffers(udp, cfg->buffer_bytes != 0 ? cfg->buffer_bytes : BUFFER_DEFAULT);
}

static void find_features(wzp_udp *udp, const wzp_udp_cfg *cfg) {
    const char *env = wzp_io_env(WZP_UDP_PLAIN_ENV);
    if (cfg->plain || (env != NULL && strcmp(env, "1") == 0)) {
        return;
    }
#ifdef UDP_SEGMENT
    int size = 0;
    socklen_t len = sizeof size;
    udp->features.segment = getsockopt(udp->fd, IPPROTO_UDP, UDP_SEGMENT, &size, &len) == 0;
#endif
#ifdef UDP_GRO
    udp->features.gro =
        udp->slot_bytes >= SLOT_DEFAULT && set_int(udp->fd, IPPROTO_UDP, UDP_GRO, 1);
#endif
}

/* --- open and close --------------------------------------------------------------------------- */

static bool bind_to(wzp_udp *udp, const wzp_udp_cfg *cfg) {
    if (udp->is_v6 && !set_int(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, cfg->v6_only)) {
        return false;
    }
    if (cfg->shared && !set_int(udp->fd, SOL_SOCKET, SO_REUSEPORT, 1)) {
        return false;
    }
    wzp_sockaddr addr;
    const socklen_t len = wzp_sockaddr_write(&addr, &cfg->local, false);
    if (bind(udp->fd, &addr.any, len) != 0) {
        return false;
    }
    socklen_t bound_len = sizeof addr;
    if (getsockname(udp->fd, &addr.any, &bound_len) != 0) {
        return false;
    }
    udp->local = wzp_sockaddr_read(&addr);
    return true;
}

static wzp_err open_socket(wzp_udp *udp, const wzp_udp_cfg *cfg) {
    udp->is_v6 = cfg->local.family == WZP_ADDR_V6;
    udp->wildcard = wzp_addr_is_any(&cfg->local);
    udp->fd = socket(udp->is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (udp->fd < 0 || !bind_to(udp, cfg)) {
        return WZP_ERR_IO;
    }
    set_options(udp, cfg);
    find_features(udp, cfg);
    return WZP_OK;
}

wzp_err wzp_udp_new(wzp_udp **out, const wzp_udp_cfg *cfg) {
    const size_t slot = cfg->slot_bytes != 0 ? cfg->slot_bytes : SLOT_DEFAULT;
    if (cfg->local.family == WZP_ADDR_NONE || slot < SLOT_LEAST) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_udp *udp = calloc(1, sizeof *udp);
    if (udp == NULL) {
        return WZP_ERR_NOMEM;
    }
    udp->fd = -1;
    udp->slot_bytes = slot;
    udp->slot_stride = slot + SLOT_SHIFT;
    udp->in.slots = malloc(RECV_SLOTS * udp->slot_stride);
    udp->out.arena = malloc(SEND_ARENA);
    wzp_err err = WZP_ERR_NOMEM;
    if (udp->in.slots != NULL && udp->out.arena != NULL) {
        err = open_socket(udp, cfg);
    }
    if (err != WZP_OK) {
        const int why = errno;
        wzp_udp_close(&udp);
        errno = why;
        return err;
    }
    *out = udp;
    return WZP_OK;
}

wzp_err wzp_udp_open(wzp_udp **out, const wzp_addr *local, bool plain) {
    const wzp_udp_cfg cfg = {.local = *local, .plain = plain};
    return wzp_udp_new(out, &cfg);
}

void wzp_udp_close(wzp_udp **udp) {
    if (*udp == NULL) {
        return;
    }
    if ((*udp)->fd >= 0) {
        close((*udp)->fd);
    }
    free((*udp)->in.slots);
    free((*udp)->out.arena);
    free(*udp);
    *udp = NULL;
}

int wzp_udp_fd(const wzp_udp *udp) {
    return udp->fd;
}

wzp_addr wzp_udp_local(const wzp_udp *udp) {
    return udp->local;
}

void wzp_udp_set_tap(wzp_udp *udp, wzp_udp_tap *tap, void *ctx) {
    udp->tap = tap;
    udp->tap_ctx = ctx;
}

void wzp_udp_count(const wzp_udp *udp, wzp_udp_counters *out) {
    *out = udp->counters;
}

wzp_udp_features wzp_udp_describe(const wzp_udp *udp) {
    return udp->features;
}
