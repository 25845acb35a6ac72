/* Streams and searches on sockets of this machine, loopback only; skipped where that has none. */
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/testing/suite.h"
#include "conformance/engine/web.h"
#include "io/sockaddr.h"
#include "io/sys.h"

/* A device that answers every question that ends with a dot with what it was asked, and every
 * search with "here". */
typedef struct device {
    wzp_addr searcher;
    unsigned searches, answers, questions;
} device;

static void heard(void *self, const wzp_addr *from, wzp_bytes datagram, wzp_time now) {
    device *d = self;
    (void)now;
    ck_assert(wzp_bytes_equal(datagram, wzp_bytes_str("where?")));
    d->searcher = *from;
    d->searches++;
}

static bool next(void *self, wzp_time now, wzp_ct_web_answer *out) {
    device *d = self;
    (void)now;
    if (d->answers == d->searches) {
        return false;
    }
    *out = (wzp_ct_web_answer){.place = 1, .to = d->searcher, .len = 4, .bytes = "here"};
    d->answers++;
    return true;
}

static wzp_time deadline(void *self) {
    (void)self;
    return WZP_TIME_NEVER;
}

static size_t asked(void *self, size_t place, wzp_bytes so_far, uint8_t *out, size_t cap,
                    wzp_time now) {
    device *d = self;
    (void)now;
    d->questions++;
    if (so_far.data[so_far.len - 1] != '.' || so_far.len + 1 > cap) {
        return 0;
    }
    out[0] = (uint8_t)('0' + place);
    memcpy(out + 1, so_far.data, so_far.len);
    return so_far.len + 1;
}

static const wzp_ct_web_ops ops = {heard, next, deadline, asked};

static void serve(wzp_ct_sockets *s, int ms) {
    struct pollfd fds[WZP_CT_SOCKETS];
    wzp_ct_sockets_poll(s, fds);
    (void)poll(fds, WZP_CT_SOCKETS, ms);
    wzp_ct_sockets_serve(s, fds, wzp_io_now());
}

static int dialled(const wzp_addr *to) {
    wzp_sockaddr at;
    const socklen_t len = wzp_sockaddr_write(&at, to, false);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, &at.any, len), 0);
    return fd;
}

static void say(int fd, const char *text) {
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What comes until the other side ends the stream. */
static void expect(wzp_ct_sockets *s, int fd, const char *text) {
    char buf[64];
    size_t len = 0;
    for (;;) {
        const ssize_t n = recv(fd, buf + len, sizeof buf - len, MSG_DONTWAIT);
        if (n == 0) {
            break;
        }
        len += n > 0 ? (size_t)n : 0;
        serve(s, 10);
    }
    ck_assert(wzp_bytes_equal(wzp_bytes_of(buf, len), wzp_bytes_str(text)));
    (void)close(fd);
}

/* NULL: this machine cannot. */
static wzp_ct_sockets *opened(device *d, wzp_addr *places) {
    places[0] = wzp_addr_v4(127, 3, 4, 7, 0);
    places[1] = wzp_addr_v4(127, 3, 4, 5, 0);
    wzp_ct_sockets *s = wzp_ct_sockets_new((wzp_ct_web){d, &ops}, places);
    ck_assert(s == NULL || (wzp_ct_sockets_self(s) == d && places[0].port != 0));
    return s;
}

START_TEST(streams) {
    device d = {.searches = 0};
    wzp_addr places[WZP_CT_WEB_PLACES];
    wzp_ct_sockets *s = opened(&d, places);
    if (s == NULL) {
        return;
    }
    const int first = dialled(&places[0]);
    const int second = dialled(&places[1]);
    say(first, "in two");
    serve(s, 1000);
    serve(s, 1000); /* taken, then read */
    say(second, "whole.");
    expect(s, second, "1whole.");
    say(first, " pieces.");
    expect(s, first, "0in two pieces.");
    wzp_ct_sockets_free(&s);
}
END_TEST

/* Who comes after as many as there is room for takes the place of the oldest. */
START_TEST(more_streams_than_fit) {
    int fds[2 * WZP_CT_STREAMS];
    device d = {.searches = 0};
    wzp_addr places[WZP_CT_WEB_PLACES];
    wzp_ct_sockets *s = opened(&d, places);
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < WZP_COUNT_OF(fds); i++) {
        fds[i] = dialled(&places[0]);
        serve(s, 1000);
    }
    say(fds[WZP_COUNT_OF(fds) - 1], "last.");
    expect(s, fds[WZP_COUNT_OF(fds) - 1], "0last.");
    expect(s, fds[0], "");
    for (size_t i = 1; i < WZP_COUNT_OF(fds) - 1; i++) {
        (void)close(fds[i]);
    }
    wzp_ct_sockets_free(&s);
    ck_assert_ptr_null(s);
}
END_TEST

static int searcher(void) {
    const struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &loopback, sizeof loopback), 0);
    return fd;
}

START_TEST(searches) {
    const wzp_addr group = wzp_addr_v4(239, 255, 255, 250, 1900);
    char buf[64];
    wzp_sockaddr at;
    socklen_t len = wzp_sockaddr_write(&at, &group, false);
    device d = {.searches = 0};
    wzp_addr places[WZP_CT_WEB_PLACES];
    wzp_ct_sockets *s = opened(&d, places);
    if (s == NULL) {
        return;
    }
    const int fd = searcher();
    ck_assert_int_eq(sendto(fd, "where?", 6, 0, &at.any, len), 6);
    serve(s, 1000);
    ck_assert_uint_eq(d.searches, 1);
    len = sizeof at;
    ck_assert_int_eq(recvfrom(fd, buf, sizeof buf, 0, &at.any, &len), 4);
    const wzp_addr from = wzp_sockaddr_read(&at);
    ck_assert(wzp_addr_same_ip(&from, &places[1]));
    (void)close(fd);
    wzp_ct_sockets_free(&s);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("web");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, streams);
    tcase_add_test(tc, more_streams_than_fit);
    tcase_add_test(tc, searches);
    return wzp_run_suite("ct_engine.web", tc);
}
