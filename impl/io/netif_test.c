/* The kernel's tables: as bytes, as this machine has them, and while they change in a namespace of
 * our own (as root, where that is possible). */
#include "io/netif.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/testing/suite.h"
#include "io/sockaddr.h"

/* --- messages as bytes ------------------------------------------------------------------------ */

typedef struct script {
    uint8_t bytes[1024];
    size_t len, message, attr; /* where the last ones began */
} script;

static void put(script *s, const void *data, size_t len) {
    ck_assert_uint_le(s->len + len + 4, sizeof s->bytes);
    memcpy(s->bytes + s->len, data, len);
    s->len += len;
}

static void end_message(script *s) {
    const uint32_t len = (uint32_t)(s->len - s->message);
    memcpy(s->bytes + s->message, &len, 4);
}

static void message(script *s, uint16_t type, const void *body, size_t len) {
    const struct nlmsghdr head = {.nlmsg_type = type};
    s->message = s->len;
    put(s, &head, sizeof head);
    put(s, body, len);
    end_message(s);
}

static void attr(script *s, uint16_t type, const void *value, size_t len) {
    const struct rtattr head = {.rta_len = (uint16_t)(sizeof head + len), .rta_type = type};
    put(s, &head, sizeof head);
    put(s, value, len);
    s->len = (s->len + 3) & ~(size_t)3;
    end_message(s);
}

static void link_message(script *s, int index, unsigned flags) {
    const struct ifinfomsg info = {.ifi_index = index, .ifi_flags = flags};
    message(s, RTM_NEWLINK, &info, sizeof info);
}

static void v4_message(script *s, unsigned index, uint8_t last) {
    const struct ifaddrmsg info = {.ifa_family = AF_INET, .ifa_index = index};
    const uint8_t own[4] = {10, 1, 0, last};
    const uint8_t other[4] = {10, 9, 9, 9};
    message(s, RTM_NEWADDR, &info, sizeof info);
    attr(s, IFA_ADDRESS, other, 4);
    attr(s, IFA_LOCAL, own, 4);
}

static void v6_message(script *s, unsigned index, uint8_t last, uint32_t flags) {
    const struct ifaddrmsg info = {.ifa_family = AF_INET6, .ifa_index = index};
    const uint8_t own[16] = {0x20, 1, 0x0d, 0xb8, [15] = last};
    message(s, RTM_NEWADDR, &info, sizeof info);
    attr(s, IFA_ADDRESS, own, 16);
    attr(s, IFA_FLAGS, &flags, 4);
}

static void route_message(script *s, uint8_t dst_len, uint8_t table, uint8_t last,
                          uint32_t metric) {
    const struct rtmsg info = {
        .rtm_family = AF_INET, .rtm_dst_len = dst_len, .rtm_table = table, .rtm_type = RTN_UNICAST};
    const uint8_t gateway[4] = {10, 1, 0, last};
    message(s, RTM_NEWROUTE, &info, sizeof info);
    attr(s, RTA_GATEWAY, gateway, 4);
    attr(s, RTA_PRIORITY, &metric, 4);
}

static void whole_script(script *s) {
    link_message(s, 1, IFF_UP | IFF_LOOPBACK);
    link_message(s, 2, IFF_UP);
    link_message(s, 3, 0);
    v4_message(s, 1, 1);
    v4_message(s, 2, 2);
    v4_message(s, 3, 3);
    v4_message(s, 77, 4); /* of a link that nobody knows */
    v6_message(s, 2, 5, IFA_F_TEMPORARY);
    v6_message(s, 2, 6, 0);
    v6_message(s, 2, 7, IFA_F_TENTATIVE);
    route_message(s, 24, RT_TABLE_MAIN, 200, 0);
    route_message(s, 0, RT_TABLE_LOCAL, 201, 0);
    route_message(s, 0, RT_TABLE_MAIN, 202, 100);
    route_message(s, 0, RT_TABLE_MAIN, 203, 50);
    route_message(s, 0, RT_TABLE_MAIN, 204, 50);
    message(s, NLMSG_DONE, "\0\0\0", 4);
}

START_TEST(bytes_become_a_table) {
    script s = {.len = 0};
    wzp_netif_reading r = {0};
    whole_script(&s);
    wzp_netif_reading_add(&r, wzp_bytes_of(s.bytes, s.len));
    ck_assert(r.is_done);
    ck_assert_uint_eq(r.cut, 0);
    ck_assert_uint_eq(r.table.count, 6);
    static const struct {
        uint8_t last;
        bool is_loopback, is_down, is_temporary;
    } want[] = {{1, true, false, false}, {2, false, false, false}, {3, false, true, false},
                {4, false, true, false}, {5, false, false, true},  {6, false, false, false}};
    for (size_t i = 0; i < 6; i++) {
        const wzp_interface_addr *got = &r.table.addrs[i];
        ck_assert_uint_eq(got->addr.ip[got->addr.family == WZP_ADDR_V4 ? 3 : 15], want[i].last);
        ck_assert(got->is_loopback == want[i].is_loopback);
        ck_assert(got->is_down == want[i].is_down);
        ck_assert(got->is_temporary == want[i].is_temporary);
    }
    ck_assert_uint_eq(r.table.gateway.ip[3], 203); /* the least metric, the first of equal ones */
}
END_TEST

START_TEST(one_gateway_of_several) {
    const struct rtmsg info = {
        .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST};
    const struct rtattr gateway = {.rta_len = 8, .rta_type = RTA_GATEWAY};
    const struct rtnexthop hop = {.rtnh_len = sizeof hop + 8};
    static const uint8_t first[4] = {10, 1, 0, 1};
    uint8_t hops[sizeof hop + 8];
    memcpy(hops, &hop, sizeof hop);
    memcpy(hops + sizeof hop, &gateway, 4);
    memcpy(hops + sizeof hop + 4, first, sizeof first);
    script s = {.len = 0};
    wzp_netif_reading r = {0};
    message(&s, RTM_NEWROUTE, &info, sizeof info);
    attr(&s, RTA_MULTIPATH, hops, sizeof hops);
    wzp_netif_reading_add(&r, wzp_bytes_of(s.bytes, s.len));
    ck_assert_uint_eq(r.table.gateway.ip[3], 1);
}
END_TEST

START_TEST(every_prefix_is_harmless) {
    script s = {.len = 0};
    whole_script(&s);
    for (size_t len = 0; len < s.len; len++) {
        wzp_netif_reading r = {0};
        uint8_t *copy = malloc(len + 1); /* so that reading past its end is seen */
        memcpy(copy, s.bytes, len);
        wzp_netif_reading_add(&r, wzp_bytes_of(copy, len));
        ck_assert(!r.is_done);
        ck_assert_uint_le(r.table.count, 6);
        free(copy);
    }
}
END_TEST

START_TEST(a_message_that_lies_about_its_length) {
    script s = {.len = 0};
    wzp_netif_reading r = {0};
    v4_message(&s, 1, 1);
    const uint32_t lies[] = {0, 3, 15, 5000};
    for (size_t i = 0; i < 4; i++) {
        memcpy(s.bytes, &lies[i], 4);
        wzp_netif_reading_add(&r, wzp_bytes_of(s.bytes, s.len));
        ck_assert_uint_eq(r.cut, i + 1);
    }
    ck_assert_uint_eq(r.table.count, 0);
}
END_TEST

START_TEST(an_error_of_the_kernel) {
    script s = {.len = 0};
    wzp_netif_reading r = {0};
    const int code = -EPERM;
    message(&s, NLMSG_ERROR, &code, sizeof code);
    wzp_netif_reading_add(&r, wzp_bytes_of(s.bytes, s.len));
    ck_assert(r.is_done);
    ck_assert_int_eq(r.error, EPERM);
}
END_TEST

START_TEST(more_addresses_than_there_is_room) {
    wzp_netif_reading r = {0};
    for (int i = 0; i < WZP_NETIF_ADDRS_MAX + 3; i++) {
        script s = {.len = 0};
        v4_message(&s, 1, (uint8_t)i);
        wzp_netif_reading_add(&r, wzp_bytes_of(s.bytes, s.len));
    }
    ck_assert_uint_eq(r.table.count, WZP_NETIF_ADDRS_MAX);
    ck_assert_uint_eq(r.table.surplus, 3);
}
END_TEST

/* --- this machine ----------------------------------------------------------------------------- */

START_TEST(this_machine) {
    wzp_netif_table table;
    ck_assert_int_eq(wzp_netif_read(&table), WZP_OK);
    bool has_loopback = false;
    for (size_t i = 0; i < table.count; i++) {
        const wzp_addr *addr = &table.addrs[i].addr;
        has_loopback |= addr->family == WZP_ADDR_V4 && addr->ip[0] == 127;
        ck_assert(addr->family != WZP_ADDR_V4 || addr->ip[0] != 127 || table.addrs[i].is_loopback);
        ck_assert_uint_eq(addr->port, 0);
    }
    ck_assert_msg(has_loopback, "no loopback address among %zu", table.count);
    ck_assert((table.gateway.family == WZP_ADDR_NONE) == (table.own.family == WZP_ADDR_NONE));
    ck_assert(wzp_netif_equal(&table, &table));
}
END_TEST

/* --- a network that changes ------------------------------------------------------------------- */

static bool enter_namespace(void) {
    if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0) {
        puts("skipped: a network of our own needs root");
        return false;
    }
    return true;
}

static void set_up(const char *device, const char *address) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq request = {.ifr_flags = IFF_UP};
    wzp_addr addr;
    wzp_sockaddr to;
    ck_assert_int_ge(fd, 0);
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    if (address != NULL) {
        ck_assert_int_eq(wzp_addr_parse(&addr, address), WZP_OK);
        (void)wzp_sockaddr_write(&to, &addr, false);
        memcpy(&request.ifr_addr, &to.v4, sizeof to.v4);
        ck_assert_int_eq(ioctl(fd, SIOCSIFADDR, &request), 0);
    }
    close(fd);
}

typedef struct heard {
    unsigned times;
    wzp_netif_table table;
    uv_loop_t *loop;
} heard;

static void on_change(void *ctx, const wzp_netif_table *table) {
    heard *h = ctx;
    h->times++;
    h->table = *table;
    uv_stop(h->loop);
}

static bool knows(const wzp_netif_table *table, uint8_t last) {
    for (size_t i = 0; i < table->count; i++) {
        if (table->addrs[i].addr.ip[0] == 10 && table->addrs[i].addr.ip[3] == last) {
            return true;
        }
    }
    return false;
}

START_TEST(a_change_is_told_once) {
    uv_loop_t loop;
    heard h = {.loop = &loop};
    wzp_netif_watch watch = {.changed = on_change, .ctx = &h};
    if (!enter_namespace()) {
        return;
    }
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(wzp_netif_watch_start(&watch, &loop), WZP_OK);
    ck_assert(!knows(&watch.table, 7));
    set_up("lo", "10.9.0.7:0"); /* up, with two addresses of the system's and one of ours */
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(h.times, 1);
    ck_assert(knows(&h.table, 7));
    ck_assert_uint_gt(watch.messages, 1);

    set_up("lo", "10.9.0.8:0");
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(h.times, 2);
    ck_assert(knows(&h.table, 8));
    ck_assert(!knows(&h.table, 7));

    wzp_netif_watch_stop(&watch);
    wzp_netif_watch_stop(&watch);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("netif");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, bytes_become_a_table);
    tcase_add_test(tc, one_gateway_of_several);
    tcase_add_test(tc, every_prefix_is_harmless);
    tcase_add_test(tc, a_message_that_lies_about_its_length);
    tcase_add_test(tc, an_error_of_the_kernel);
    tcase_add_test(tc, more_addresses_than_there_is_room);
    tcase_add_test(tc, this_machine);
    tcase_add_test(tc, a_change_is_told_once);
    return wzp_run_suite("io.netif", tc);
}
