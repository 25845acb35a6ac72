#include "io/testing/http_server.h"

#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/sockaddr.h"

enum { REQUEST_MAX = sizeof(((http_server *)0)->request) };

static size_t read_request(int fd, char *out) {
    size_t len = 0;
    size_t want = SIZE_MAX;
    while (len < want && len < REQUEST_MAX - 1) {
        const ssize_t n = recv(fd, out + len, REQUEST_MAX - 1 - len, 0);
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
        out[len] = '\0';
        const char *body = strstr(out, "\r\n\r\n");
        const char *announced = strstr(out, "ontent-length: "); /* of either case */
        if (body != NULL && strncmp(out, "GET ", 4) == 0) {
            want = len;
        } else if (body != NULL && announced != NULL) {
            want = (size_t)(body + 4 - out) + strtoul(announced + 15, NULL, 10);
        }
    }
    out[len] = '\0';
    return len;
}

static void serve_one(http_server *s, int fd) {
    if (read_request(fd, s->request) == 0 || s->reply == NULL) {
        return;
    }
    usleep(s->delay_ms * 1000);
    const size_t len = strlen(s->reply);
    for (unsigned i = 0; i <= s->repeat; i++) {
        if (send(fd, s->reply, len < s->cut ? len : s->cut, MSG_NOSIGNAL) < 0) {
            return;
        }
    }
    if (s->keeps_open) {
        char rest[64];
        while (recv(fd, rest, sizeof rest, 0) > 0) {
        }
    }
}

static void *serve(void *arg) {
    http_server *s = arg;
    for (int fd; (fd = accept(s->fd, NULL, NULL)) >= 0;) {
        serve_one(s, fd);
        close(fd);
    }
    return NULL;
}

void http_server_listen(http_server *s) {
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    wzp_sockaddr addr;
    socklen_t len = wzp_sockaddr_write(&addr, &any, false);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(s->fd, &addr.any, len), 0);
    ck_assert_int_eq(listen(s->fd, 300), 0);
    ck_assert_int_eq(getsockname(s->fd, &addr.any, &len), 0);
    s->port = wzp_sockaddr_read(&addr).port;
}

void http_server_start(http_server *s) {
    http_server_listen(s);
    ck_assert_int_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

void http_server_stop(const http_server *s) {
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}
