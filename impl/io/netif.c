#include "io/netif.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "io/sockaddr.h"

enum { BATCH_MAX = 32768, BATCHES_MAX = 1024 };

/* --- attributes ------------------------------------------------------------------------------- */

/* The values that we want of a message, empty where it has none.  Copied byte by byte: nothing is
 * aligned in what the tests hand in. */
enum { ATTRS_MAX = 32 };

static uint32_t u32_of(wzp_bytes value) {
    uint32_t number = 0;
    if (value.len >= sizeof number) {
        memcpy(&number, value.data, sizeof number);
    }
    return number;
}

/* The last one of each type counts. */
static void read_attrs(wzp_netif_reading *r, wzp_bytes rest, wzp_bytes out[ATTRS_MAX]) {
    struct rtattr head;
    while (rest.len >= sizeof head) {
        memcpy(&head, rest.data, sizeof head);
        if (head.rta_len < sizeof head || head.rta_len > rest.len) {
            r->cut++;
            return;
        }
        if (head.rta_type < ATTRS_MAX) {
            out[head.rta_type] = wzp_bytes_of(rest.data + sizeof head, head.rta_len - sizeof head);
        }
        const size_t whole = RTA_ALIGN((size_t)head.rta_len);
        const size_t step = whole < rest.len ? whole : rest.len;
        rest = wzp_bytes_of(rest.data + step, rest.len - step);
    }
}

/* --- links and addresses ---------------------------------------------------------------------- */

static void on_link(wzp_netif_reading *r, wzp_bytes body) {
    struct ifinfomsg info;
    if (body.len < sizeof info) {
        r->cut++;
        return;
    }
    memcpy(&info, body.data, sizeof info);
    if (r->link_count < WZP_NETIF_LINKS_MAX) {
        r->links[r->link_count++] =
            (struct wzp_netif_link){.index = (uint32_t)info.ifi_index,
                                    .is_up = (info.ifi_flags & IFF_UP) != 0,
                                    .is_loopback = (info.ifi_flags & IFF_LOOPBACK) != 0};
    }
}

static wzp_addr addr_of(uint8_t family, wzp_bytes value) {
    wzp_addr addr = {.family = WZP_ADDR_NONE};
    const size_t len = family == AF_INET ? 4 : 16;
    if ((family == AF_INET || family == AF_INET6) && value.len >= len) {
        addr.family = family == AF_INET ? WZP_ADDR_V4 : WZP_ADDR_V6;
        memcpy(addr.ip, value.data, len);
    }
    return addr;
}

/* What no packet may come from yet, or any more, is not ours. */
static bool is_usable(uint32_t flags) {
    return (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) == 0;
}

static void on_address(wzp_netif_reading *r, wzp_bytes body) {
    struct ifaddrmsg info;
    wzp_bytes attrs[ATTRS_MAX] = {{0}};
    if (body.len < sizeof info) {
        r->cut++;
        return;
    }
    memcpy(&info, body.data, sizeof info);
    read_attrs(r, wzp_bytes_of(body.data + sizeof info, body.len - sizeof info), attrs);
    const uint32_t flags =
        attrs[IFA_FLAGS].len >= 4 ? u32_of(attrs[IFA_FLAGS]) : (uint32_t)info.ifa_flags;
    /* On a link with two ends IFA_ADDRESS is the other one. */
    const wzp_bytes own = attrs[IFA_LOCAL].len > 0 ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
    wzp_interface_addr entry = {.addr = addr_of(info.ifa_family, own), .is_down = true};
    if (entry.addr.family == WZP_ADDR_NONE || !is_usable(flags)) {
        return;
    }
    entry.is_temporary = info.ifa_family == AF_INET6 && (flags & IFA_F_TEMPORARY) != 0;
    for (size_t i = 0; i < r->link_count; i++) {
        if (r->links[i].index == info.ifa_index) {
            entry.is_down = !r->links[i].is_up;
            entry.is_loopback = r->links[i].is_loopback;
        }
    }
    if (r->table.count == WZP_NETIF_ADDRS_MAX) {
        r->table.surplus++;
        return;
    }
    r->table.addrs[r->table.count++] = entry;
}

/* --- routes ----------------------------------------------------------------------------------- */

/* The first next hop of a route that has several. */
static wzp_bytes first_hop(wzp_netif_reading *r, wzp_bytes hops) {
    struct rtnexthop hop;
    wzp_bytes attrs[ATTRS_MAX] = {{0}};
    if (hops.len < sizeof hop) {
        return (wzp_bytes){0};
    }
    memcpy(&hop, hops.data, sizeof hop);
    if (hop.rtnh_len < sizeof hop || hop.rtnh_len > hops.len) {
        r->cut++;
        return (wzp_bytes){0};
    }
    read_attrs(r, wzp_bytes_of(hops.data + sizeof hop, hop.rtnh_len - sizeof hop), attrs);
    return attrs[RTA_GATEWAY];
}

static void on_route(wzp_netif_reading *r, wzp_bytes body) {
    struct rtmsg info;
    wzp_bytes attrs[ATTRS_MAX] = {{0}};
    if (body.len < sizeof info) {
        r->cut++;
        return;
    }
    memcpy(&info, body.data, sizeof info);
    if (info.rtm_family != AF_INET || info.rtm_dst_len != 0 || info.rtm_type != RTN_UNICAST ||
        info.rtm_table != RT_TABLE_MAIN || (info.rtm_flags & RTM_F_CLONED) != 0) {
        return;
    }
    read_attrs(r, wzp_bytes_of(body.data + sizeof info, body.len - sizeof info), attrs);
    const wzp_bytes hop =
        attrs[RTA_GATEWAY].len > 0 ? attrs[RTA_GATEWAY] : first_hop(r, attrs[RTA_MULTIPATH]);
    const wzp_addr gateway = addr_of(AF_INET, hop);
    const uint32_t metric = u32_of(attrs[RTA_PRIORITY]);
    if (gateway.family != WZP_ADDR_NONE &&
        (r->table.gateway.family == WZP_ADDR_NONE || metric < r->metric)) {
        r->table.gateway = gateway;
        r->metric = metric;
    }
}

/* --- messages --------------------------------------------------------------------------------- */

static void on_error(wzp_netif_reading *r, wzp_bytes body) {
    const int code = (int)u32_of(body);
    r->error = code < 0 && code > -4096 ? -code : code == 0 ? 0 : EPROTO;
    r->is_done = true;
}

static void on_message(wzp_netif_reading *r, uint16_t type, wzp_bytes body) {
    switch (type) {
    case NLMSG_DONE:
        r->is_done = true;
        break;
    case NLMSG_ERROR:
        on_error(r, body);
        break;
    case RTM_NEWLINK:
        on_link(r, body);
        break;
    case RTM_NEWADDR:
        on_address(r, body);
        break;
    case RTM_NEWROUTE:
        on_route(r, body);
        break;
    default:
        break;
    }
}

void wzp_netif_reading_add(wzp_netif_reading *r, wzp_bytes batch) {
    wzp_bytes rest = batch;
    struct nlmsghdr head;
    while (!r->is_done && rest.len >= sizeof head) {
        memcpy(&head, rest.data, sizeof head);
        if (head.nlmsg_len < sizeof head || head.nlmsg_len > rest.len) {
            r->cut++;
            return;
        }
        on_message(r, head.nlmsg_type,
                   wzp_bytes_of(rest.data + sizeof head, head.nlmsg_len - sizeof head));
        const size_t whole = NLMSG_ALIGN((size_t)head.nlmsg_len);
        const size_t step = whole < rest.len ? whole : rest.len;
        rest = wzp_bytes_of(rest.data + step, rest.len - step);
    }
}

/* --- asking ----------------------------------------------------------------------------------- */

static bool ask(int fd, uint16_t type, uint8_t family, uint32_t number) {
    struct {
        struct nlmsghdr head;
        struct rtgenmsg body;
    } request = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg)),
                          .nlmsg_type = type,
                          .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                          .nlmsg_seq = number},
                 .body = {.rtgen_family = family}};
    return send(fd, &request, request.head.nlmsg_len, 0) == (ssize_t)request.head.nlmsg_len;
}

/* One kind of table after the other into one reading: links first, which addresses refer to. */
static bool dump(int fd, wzp_netif_reading *r, uint16_t type, uint8_t family, uint32_t number) {
    static _Thread_local uint8_t batch[BATCH_MAX];
    r->is_done = false;
    if (!ask(fd, type, family, number)) {
        return false;
    }
    for (int i = 0; i < BATCHES_MAX && !r->is_done; i++) {
        const ssize_t len = recv(fd, batch, sizeof batch, 0);
        if (len < 0 && errno == EINTR) {
            continue;
        }
        if (len <= 0) {
            return false;
        }
        wzp_netif_reading_add(r, wzp_bytes_of(batch, (size_t)len));
    }
    errno = r->error != 0 ? r->error : EPROTO;
    return r->is_done && r->error == 0;
}

static int open_netlink(uint32_t groups, int flags) {
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE);
    const struct sockaddr_nl own = {.nl_family = AF_NETLINK, .nl_groups = groups};
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&own, sizeof own) != 0) {
        const int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

/* What the kernel would send from: no packet leaves. */
static wzp_addr address_towards(const wzp_addr *gateway) {
    wzp_sockaddr addr;
    socklen_t len = wzp_sockaddr_write(&addr, gateway, false);
    addr.v4.sin_port = htons(9);
    wzp_addr own = {.family = WZP_ADDR_NONE};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return own;
    }
    if (connect(fd, &addr.any, len) == 0 && (len = sizeof addr) != 0 &&
        getsockname(fd, &addr.any, &len) == 0) {
        own = wzp_sockaddr_read(&addr);
        own.port = 0;
    }
    close(fd);
    return own;
}

wzp_err wzp_netif_read(wzp_netif_table *out) {
    wzp_netif_reading reading = {0};
    const int fd = open_netlink(0, 0);
    if (fd < 0) {
        return WZP_ERR_IO;
    }
    const bool is_read = dump(fd, &reading, RTM_GETLINK, AF_UNSPEC, 1) &&
                         dump(fd, &reading, RTM_GETADDR, AF_UNSPEC, 2) &&
                         dump(fd, &reading, RTM_GETROUTE, AF_INET, 3);
    const int why = errno;
    close(fd);
    errno = why;
    if (!is_read) {
        return WZP_ERR_IO;
    }
    if (reading.table.gateway.family != WZP_ADDR_NONE) {
        reading.table.own = address_towards(&reading.table.gateway);
    }
    *out = reading.table;
    return WZP_OK;
}

static bool same_entry(const wzp_interface_addr *a, const wzp_interface_addr *b) {
    return wzp_addr_equal(&a->addr, &b->addr) && a->is_loopback == b->is_loopback &&
           a->is_down == b->is_down && a->is_temporary == b->is_temporary;
}

bool wzp_netif_equal(const wzp_netif_table *a, const wzp_netif_table *b) {
    if (a->count != b->count || a->surplus != b->surplus ||
        !wzp_addr_equal(&a->gateway, &b->gateway) || !wzp_addr_equal(&a->own, &b->own)) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!same_entry(&a->addrs[i], &b->addrs[i])) {
            return false;
        }
    }
    return true;
}

/* --- watching --------------------------------------------------------------------------------- */

/* Lifetimes of IPv6 addresses are renewed all the time: only the tables tell whether it matters. */
static void on_settled(uv_timer_t *timer) {
    wzp_netif_watch *w = timer->data;
    wzp_netif_table now;
    if (wzp_netif_read(&now) != WZP_OK || wzp_netif_equal(&now, &w->table)) {
        w->idle++;
        return;
    }
    w->table = now;
    w->changed(w->ctx, &w->table);
}

/* What is said is not read: the kernel may have lost some of it (ENOBUFS) in any case. */
static void on_messages(uv_poll_t *poll, int status, int events) {
    wzp_netif_watch *w = poll->data;
    uint8_t batch[4096];
    (void)status;
    (void)events;
    for (;;) {
        const ssize_t len = recv(w->fd, batch, sizeof batch, MSG_DONTWAIT | MSG_TRUNC);
        if (len < 0 && errno != ENOBUFS && errno != EINTR) {
            break;
        }
        w->messages++;
    }
    if (!uv_is_active((uv_handle_t *)&w->settle)) {
        uv_timer_start(&w->settle, on_settled, WZP_NETIF_SETTLE_MS, 0);
    }
}

wzp_err wzp_netif_watch_start(wzp_netif_watch *w, uv_loop_t *loop) {
    w->fd = open_netlink(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE,
                         SOCK_NONBLOCK);
    if (w->fd < 0) {
        return WZP_ERR_IO;
    }
    if (wzp_netif_read(&w->table) != WZP_OK || uv_poll_init(loop, &w->socket, w->fd) != 0) {
        close(w->fd);
        return WZP_ERR_IO;
    }
    uv_timer_init(loop, &w->settle);
    w->socket.data = w->settle.data = w;
    uv_poll_start(&w->socket, UV_READABLE, on_messages);
    w->running = true;
    return WZP_OK;
}

void wzp_netif_watch_stop(wzp_netif_watch *w) {
    if (!w->running) {
        return;
    }
    w->running = false;
    uv_poll_stop(&w->socket);
    uv_timer_stop(&w->settle);
    uv_close((uv_handle_t *)&w->socket, NULL);
    uv_close((uv_handle_t *)&w->settle, NULL);
    close(w->fd);
}
