#include "sim/nat/testing/real/real.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "io/sockaddr.h"
#include "io/sys.h"

void real_die(const char *what) {
    (void)fprintf(stderr, "sim_nat_real: %s: %s\n", what,
                  errno != 0 ? wzp_io_reason(errno) : "bad");
    _exit(1); /* its sockets and devices go with it */
}

wzp_addr real_addr(const char *text) {
    wzp_addr addr;
    errno = 0;
    if (text == NULL || wzp_addr_parse(&addr, text) != WZP_OK) {
        real_die(text != NULL ? text : "an address is missing");
    }
    return addr;
}

/* --- namespaces ------------------------------------------------------------------------------- */

static int home = -1;

static void enter(const char *ns) {
    char path[128];
    if (home < 0) {
        home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    }
    if (ns != NULL) {
        (void)snprintf(path, sizeof path, "/run/netns/%s", ns);
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) {
            real_die(path);
        }
        close(fd);
    }
}

static void leave(void) {
    if (setns(home, CLONE_NEWNET) != 0) {
        real_die("going back to the first namespace");
    }
}

/* --- sockets ---------------------------------------------------------------------------------- */

static int bound(const char *ns, int type, int protocol, const wzp_addr *local) {
    const int on = 1;
    wzp_sockaddr to;
    const socklen_t len = wzp_sockaddr_write(&to, local, false);
    char text[WZP_ADDR_TEXT_MAX];
    enter(ns);
    const int fd = socket(to.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, &to.any, len) != 0) {
        real_die(wzp_addr_text(local, text));
    }
    leave();
    return fd;
}

int real_udp(const char *ns, const wzp_addr *local) {
    return bound(ns, SOCK_DGRAM, 0, local);
}

int real_icmp(const char *ns, const wzp_addr *local) {
    return bound(ns, SOCK_RAW, IPPROTO_ICMP, local);
}

int real_udp_group(const char *ns, const wzp_addr *group, const wzp_addr *on) {
    const wzp_addr any = wzp_addr_v4(0, 0, 0, 0, group->port);
    struct ip_mreq member;
    const int fd = bound(ns, SOCK_DGRAM, 0, &any);
    memcpy(&member.imr_multiaddr, group->ip, 4);
    memcpy(&member.imr_interface, on->ip, 4);
    if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &member, sizeof member) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &member.imr_interface,
                   sizeof member.imr_interface) != 0) {
        real_die("joining a multicast group");
    }
    return fd;
}

int real_listen(const char *ns, const wzp_addr *local) {
    const int fd = bound(ns, SOCK_STREAM, 0, local);
    if (listen(fd, 8) != 0) {
        real_die("listen");
    }
    return fd;
}

int real_tun(const char *ns, const char *device) {
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    enter(ns);
    const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0) {
        real_die(device);
    }
    leave();
    return fd;
}

/* What cannot be sent is lost, as on any network. */
void real_send(int fd, const wzp_addr *to, wzp_bytes payload) {
    wzp_sockaddr addr;
    const socklen_t len = wzp_sockaddr_write(&addr, to, false);
    (void)sendto(fd, payload.data, payload.len, 0, &addr.any, len);
}

long real_recv(int fd, wzp_addr *from, uint8_t *buf, size_t cap) {
    wzp_sockaddr addr;
    socklen_t len = sizeof addr;
    const ssize_t got = recvfrom(fd, buf, cap, 0, &addr.any, &len);
    if (got >= 0) {
        *from = wzp_sockaddr_read(&addr);
    }
    return (long)got;
}

void real_wait(struct pollfd *fds, size_t count, wzp_time until) {
    const wzp_time now = wzp_io_now();
    const uint64_t left = wzp_time_since(until, now);
    struct timespec wait = {(time_t)(left / WZP_S), (long)(left % WZP_S)};
    if (ppoll(fds, count, until != WZP_TIME_NEVER ? &wait : NULL, NULL) < 0 && errno != EINTR) {
        real_die("ppoll");
    }
}
