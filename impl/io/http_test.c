/* Requests over a raw socket: what curl and Prometheus send, and what they would never send. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/testing/suite.h"
#include "io/http.h"
#include "io/sockaddr.h"
#include "io/sys.h"

typedef struct server {
    uv_loop_t loop;
    wzp_http_status status;
    char name[WZP_HTTP_NAME_MAX + 1]; /* that the last page below /item/ was asked for */
    wzp_http *http;
    size_t page_len;
    bool broken;
    unsigned pages;
} server;

static wzp_http_status write_page(void *ctx, const char *name, wzp_wr *out) {
    server *s = ctx;
    s->pages++;
    ck_assert_str_eq(name, "");
    if (s->broken) {
        return WZP_HTTP_BROKEN;
    }
    wzp_wr_str(out, "# TYPE x counter\nx 1\n");
    while (wzp_wr_len(out) < s->page_len) {
        wzp_wr_u8(out, 'z');
    }
    return s->status;
}

static wzp_http_status write_item(void *ctx, const char *name, wzp_wr *out) {
    server *s = ctx;
    (void)snprintf(s->name, sizeof s->name, "%s", name);
    wzp_wr_str(out, "item ");
    wzp_wr_str(out, name);
    return WZP_HTTP_OK;
}

static wzp_http_status remove_item(void *ctx, const char *name, wzp_wr *out) {
    server *s = ctx;
    (void)snprintf(s->name, sizeof s->name, "%s", name);
    if (strcmp(name, "nobody") == 0) {
        return WZP_HTTP_NOT_FOUND;
    }
    wzp_wr_str(out, "removed ");
    wzp_wr_str(out, name);
    return WZP_HTTP_OK;
}

static const wzp_http_page pages[] = {{"/metrics", write_page, NULL},
                                      {"/item/", write_item, remove_item}};

static void start(server *s) {
    *s = (server){.status = WZP_HTTP_OK};
    const wzp_http_cfg cfg = {.listen = wzp_addr_v4(127, 0, 0, 1, 0),
                              .pages = pages,
                              .page_count = WZP_COUNT_OF(pages),
                              .ctx = s};
    ck_assert_int_eq(uv_loop_init(&s->loop), 0);
    const wzp_err err = wzp_http_start(&s->http, &s->loop, &cfg);
    ck_assert_msg(err == WZP_OK, "%s", wzp_io_reason(errno));
}

static void stop(server *s) {
    wzp_http_stop(s->http);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    wzp_http_free(&s->http);
    ck_assert_int_eq(uv_loop_close(&s->loop), 0);
}

static int dial(const server *s) {
    const wzp_addr to = wzp_http_local(s->http);
    wzp_sockaddr addr;
    const socklen_t len = wzp_sockaddr_write(&addr, &to, false);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, &addr.any, len), 0);
    return fd;
}

static void on_end(uv_timer_t *timer) {
    timer->data = NULL;
}

static size_t turns_within(uv_loop_t *loop, uint64_t ms) {
    uv_timer_t timer;
    size_t turns = 0;
    uv_timer_init(loop, &timer);
    timer.data = &turns;
    uv_timer_start(&timer, on_end, ms, 0);
    while (timer.data != NULL) {
        uv_run(loop, UV_RUN_ONCE);
        turns++;
    }
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
    return turns;
}

/* Runs the loop until `stop_at` bytes came, the server closed, or a second of silence. */
static size_t converse(server *s, int fd, char *out, size_t cap, const char *stop_at) {
    size_t len = 0;
    for (int idle = 0; idle < 1000 && len + 1 < cap;) {
        uv_run(&s->loop, UV_RUN_NOWAIT);
        const ssize_t n = recv(fd, out + len, cap - 1 - len, MSG_DONTWAIT);
        if (n == 0) {
            break;
        }
        idle = n > 0 ? 0 : idle + 1;
        len += n > 0 ? (size_t)n : 0;
        out[len] = '\0';
        if (stop_at != NULL && len > 0 && strstr(out, stop_at) != NULL) {
            break;
        }
        usleep(n > 0 ? 0 : 1000);
    }
    out[len] = '\0';
    return len;
}

static const struct request_case {
    const char *name, *request, *status, *contains;
} request_cases[] = {
    {"metrics", "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "\r\n\r\n# TYPE x"},
    {"type", "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ",
     "text/plain; charset=utf-8"},
    {"a query is not part of the path", "GET /metrics?a=b HTTP/1.1\r\nHost: x\r\n\r\n",
     "HTTP/1.1 200 ", "x 1"},
    {"other path", "GET /secret HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", ""},
    {"longer path", "GET /metrics/x HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", ""},
    {"below a page", "GET /item/a%3ab HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "item a:b"},
    {"a plus", "GET /item/a%2bb HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "item a+b"},
    {"as in a form", "GET /item/a+b HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "item a b"},
    {"decoded once", "GET /item/%2541 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "item %41"},
    {"dots lead upwards", "GET /item/x/../../metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ",
     "x 1"},
    {"nothing below", "GET /item/ HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", ""},
    {"the page itself", "GET /item HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", ""},
    {"two levels below", "GET /item/a/b HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", ""},
    {"two levels, escaped", "GET /item/a%2fb HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", ""},
    {"a control character", "GET /item/a%1bb HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", ""},
    {"a line end ends the path", "GET /item/a%0d%0ab HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.0 200 ",
     "\r\n\r\nitem a"},
    {"not UTF-8", "GET /item/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", ""},
    {"no hexadecimal digits", "GET /item/%zz HTTP/1.1\r\nHost: x\r\n\r\n", "", ""},
    {"a zero byte is not answered", "GET /item/a%00b HTTP/1.1\r\nHost: x\r\n\r\n", "", ""},
    {"other method", "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
     "HTTP/1.1 405 ", "allow: GET"},
    {"delete", "DELETE /item/a:b HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ",
     "\r\n\r\nremoved a:b"},
    {"delete what is not there", "DELETE /item/nobody HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ",
     ""},
    {"delete where that is not allowed", "DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
     "HTTP/1.1 405 ", "allow: GET"},
    {"head", "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 ", ""},
};

START_TEST(requests_are_answered) {
    const struct request_case *c = &request_cases[_i];
    server s;
    char answer[4096];
    start(&s);
    const int fd = dial(&s);
    ck_assert_int_eq(send(fd, c->request, strlen(c->request), 0), (ssize_t)strlen(c->request));
    converse(&s, fd, answer, sizeof answer, *c->contains != '\0' ? c->contains : "\r\n\r\n");
    ck_assert_msg(strncmp(answer, c->status, strlen(c->status)) == 0, "%s: %s", c->name, answer);
    ck_assert_msg(strstr(answer, c->contains) != NULL, "%s: %s", c->name, answer);
    close(fd);
    stop(&s);
}
END_TEST

START_TEST(one_connection_serves_many_requests) {
    server s;
    char answer[4096];
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    start(&s);
    const int fd = dial(&s);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_gt(send(fd, request, sizeof request - 1, 0), 0);
        converse(&s, fd, answer, sizeof answer, "x 1\n");
        ck_assert_ptr_nonnull(strstr(answer, " 200 "));
    }
    ck_assert_uint_eq(s.pages, 3);
    close(fd);
    stop(&s);
}
END_TEST

START_TEST(long_pages_arrive_whole) {
    server s;
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    start(&s);
    s.page_len = 300000;
    char *answer = malloc(400000);
    const int fd = dial(&s);
    ck_assert_int_gt(send(fd, request, sizeof request - 1, 0), 0);
    const size_t len = converse(&s, fd, answer, 400000, NULL);
    const char *body = strstr(answer, "\r\n\r\n");
    ck_assert_ptr_nonnull(body);
    ck_assert_uint_eq(len - (size_t)(body + 4 - answer), 300000);
    free(answer);
    close(fd);
    stop(&s);
}
END_TEST

START_TEST(a_page_that_cannot_be_made_is_500) {
    server s;
    char answer[4096];
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    start(&s);
    s.broken = true;
    const int fd = dial(&s);
    ck_assert_int_gt(send(fd, request, sizeof request - 1, 0), 0);
    converse(&s, fd, answer, sizeof answer, "\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(answer, " 500 "));
    close(fd);
    stop(&s);
}
END_TEST

START_TEST(a_page_may_say_that_it_is_not_well) {
    server s;
    char answer[4096];
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    start(&s);
    s.status = WZP_HTTP_UNAVAILABLE;
    const int fd = dial(&s);
    ck_assert_int_gt(send(fd, request, sizeof request - 1, 0), 0);
    converse(&s, fd, answer, sizeof answer, "x 1\n");
    ck_assert_ptr_nonnull(strstr(answer, " 503 "));
    ck_assert_ptr_nonnull(strstr(answer, "x 1\n"));
    s.status = WZP_HTTP_NOT_FOUND;
    ck_assert_int_gt(send(fd, request, sizeof request - 1, 0), 0);
    converse(&s, fd, answer, sizeof answer, "\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(answer, " 404 "));
    close(fd);
    stop(&s);
}
END_TEST

static const struct match_case {
    const char *name, *page, *path, *want; /* NULL: does not match */
} match_cases[] = {
    {"exact", "/metrics", "/metrics", ""},
    {"longer", "/metrics", "/metrics2", NULL},
    {"shorter", "/metrics", "/metric", NULL},
    {"below", "/route/", "/route/ab:cd", "ab:cd"},
    {"nothing below", "/route/", "/route/", NULL},
    {"two levels", "/route/", "/route/a/b", NULL},
    {"a slash at the end", "/route/", "/route/a/", NULL},
    {"letters of the world", "/ws/", "/ws/caf\xc3\xa9", "caf\xc3\xa9"},
    {"half a letter", "/ws/", "/ws/caf\xc3", NULL},
    {"overlong letter", "/ws/", "/ws/\xc0\xaf", NULL},
    {"a control character", "/ws/", "/ws/a\x1b[31m", NULL},
    {"delete", "/ws/", "/ws/\x7f", NULL},
};

START_TEST(paths_match) {
    const struct match_case *c = &match_cases[_i];
    const char *got = wzp_http_match(c->page, c->path);
    ck_assert_msg((got == NULL) == (c->want == NULL), "%s: got %s", c->name,
                  got != NULL ? got : "nothing");
    ck_assert_msg(got == NULL || strcmp(got, c->want) == 0, "%s: got %s", c->name, got);
}
END_TEST

START_TEST(names_have_a_longest) {
    char path[WZP_HTTP_NAME_MAX + 8] = "/x/";
    memset(path + 3, 'n', WZP_HTTP_NAME_MAX);
    ck_assert_ptr_nonnull(wzp_http_match("/x/", path));
    path[3 + WZP_HTTP_NAME_MAX] = 'n';
    ck_assert_ptr_null(wzp_http_match("/x/", path));
}
END_TEST

/* Whatever comes, the server lives and serves the next one. */
static const struct garbage_case {
    const char *name, *bytes;
    size_t repeat;
} garbage_cases[] = {
    {"not HTTP", "\x16\x03\x01\x02\x01garbage\r\n\r\n", 1},
    {"endless header", "X-A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n", 2000},
    {"endless path", "GET /mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm", 1000},
    {"half a request", "GET /metr", 1},
    {"nothing", "", 1},
};

START_TEST(garbage_harms_nobody_else) {
    const struct garbage_case *c = &garbage_cases[_i];
    server s;
    char answer[4096];
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    start(&s);
    const int bad = dial(&s);
    for (size_t i = 0; i < c->repeat; i++) {
        if (send(bad, c->bytes, strlen(c->bytes), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
            break;
        }
        uv_run(&s.loop, UV_RUN_NOWAIT);
    }
    const int fd = dial(&s);
    ck_assert_int_gt(send(fd, request, sizeof request - 1, 0), 0);
    converse(&s, fd, answer, sizeof answer, "x 1\n");
    ck_assert_msg(strstr(answer, " 200 ") != NULL, "%s: %s", c->name, answer);
    close(bad);
    close(fd);
    stop(&s);
}
END_TEST

START_TEST(clients_that_hang_up_cost_nothing) {
    server s;
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    start(&s);
    s.page_len = 500000;
    for (int i = 0; i < 3; i++) {
        const int fd = dial(&s);
        ck_assert_int_gt(send(fd, request, sizeof request - 1, 0), 0);
        for (int turn = 0; turn < 2 * i; turn++) {
            uv_run(&s.loop, UV_RUN_NOWAIT);
        }
        close(fd);
        for (int turn = 0; turn < 10; turn++) {
            uv_run(&s.loop, UV_RUN_NOWAIT);
        }
    }
    const int fd = dial(&s); /* and one that is open when the server ends */
    ck_assert_int_gt(send(fd, request, sizeof request - 1, 0), 0);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    stop(&s);
    close(fd);
}
END_TEST

START_TEST(more_clients_than_allowed_are_turned_away) {
    server s;
    int fds[WZP_HTTP_CLIENTS_MAX + 8];
    char answer[64];
    start(&s);
    for (size_t i = 0; i < WZP_COUNT_OF(fds); i++) {
        fds[i] = dial(&s);
        uv_run(&s.loop, UV_RUN_NOWAIT);
    }
    for (int i = 0; i < 20; i++) {
        uv_run(&s.loop, UV_RUN_NOWAIT);
    }
    ck_assert_int_eq(recv(fds[WZP_COUNT_OF(fds) - 1], answer, sizeof answer, MSG_DONTWAIT), 0);
    ck_assert_int_eq(recv(fds[0], answer, sizeof answer, MSG_DONTWAIT), -1);
    for (size_t i = 0; i < WZP_COUNT_OF(fds); i++) {
        close(fds[i]);
    }
    stop(&s);
}
END_TEST

/* Connections wait in the system's queue, and nobody asks for them all the time. */
START_TEST(no_descriptors_for_connections) {
    server s;
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    char answer[512];
    struct rlimit limit;
    start(&s);
    const int fd = dial(&s);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none = {1, limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    ck_assert_int_gt(uv_run(&s.loop, UV_RUN_ONCE), 0);
    const size_t turns = turns_within(&s.loop, 200);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_lt(turns, 20);
    ck_assert_int_gt(send(fd, request, sizeof request - 1, 0), 0);
    while (s.pages == 0) {
        uv_run(&s.loop, UV_RUN_ONCE);
    }
    converse(&s, fd, answer, sizeof answer, "x 1\n");
    ck_assert_ptr_nonnull(strstr(answer, "HTTP/1.1 200 "));
    close(fd);
    stop(&s);
}
END_TEST

START_TEST(a_port_in_use_is_an_error_with_its_cause) {
    server s;
    start(&s);
    wzp_http *second = NULL;
    const wzp_http_cfg cfg = {
        .listen = wzp_http_local(s.http), .pages = pages, .page_count = 1, .ctx = &s};
    ck_assert_int_eq(wzp_http_start(&second, &s.loop, &cfg), WZP_ERR_IO);
    ck_assert_int_eq(errno, EADDRINUSE);
    stop(&s);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, requests_are_answered, 0, WZP_COUNT_OF(request_cases));
    tcase_add_test(tc, one_connection_serves_many_requests);
    tcase_add_test(tc, long_pages_arrive_whole);
    tcase_add_test(tc, a_page_that_cannot_be_made_is_500);
    tcase_add_test(tc, a_page_may_say_that_it_is_not_well);
    tcase_add_loop_test(tc, paths_match, 0, WZP_COUNT_OF(match_cases));
    tcase_add_test(tc, names_have_a_longest);
    tcase_add_loop_test(tc, garbage_harms_nobody_else, 0, WZP_COUNT_OF(garbage_cases));
    tcase_add_test(tc, clients_that_hang_up_cost_nothing);
    tcase_add_test(tc, more_clients_than_allowed_are_turned_away);
    tcase_add_test(tc, no_descriptors_for_connections);
    tcase_add_test(tc, a_port_in_use_is_an_error_with_its_cause);
    return wzp_run_suite("http", tc);
}
