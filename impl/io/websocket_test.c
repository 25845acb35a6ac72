/* The WebSocket server against frames written by hand: those of libraries, and what they would
 * never send. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/testing/suite.h"
#include "io/sockaddr.h"
#include "io/sys.h"
#include "io/websocket.h"

enum { IN_MAX = 10000, OUT_MAX = 4096, CLIENTS = 8 };

typedef struct heard {
    wzp_websocket_kind kind;
    size_t len;
    uint8_t body[IN_MAX];
} heard;

typedef struct server {
    uv_loop_t loop;
    wzp_websockets *sockets;
    bool refuses;
    unsigned opened, closed, messages;
    char name[256];
    wzp_addr from;
    wzp_websocket *last;
    heard heard;
    const char
        *to_send; /* texts, one after the other; "!..." closes, "?..." rejects, "#..." is binary */
} server;

static bool serves(void *ctx, const char *name) {
    (void)ctx;
    return strcmp(name, "secret") != 0;
}

static bool on_open(void *ctx, wzp_websocket *ws, const char *name, const wzp_addr *from) {
    server *s = ctx;
    ck_assert_uint_eq(wzp_websocket_app(ws), 0);
    wzp_websocket_set_app(ws, 77);
    s->opened++;
    s->last = ws;
    s->from = *from;
    (void)snprintf(s->name, sizeof s->name, "%s", name);
    return !s->refuses;
}

static void on_heard(void *ctx, wzp_websocket *ws, wzp_websocket_kind kind, wzp_bytes message) {
    server *s = ctx;
    ck_assert_uint_eq(wzp_websocket_app(ws), 77);
    ck_assert_uint_le(message.len, IN_MAX);
    s->messages++;
    s->heard.kind = kind;
    s->heard.len = message.len;
    memcpy(s->heard.body, message.data, message.len);
}

static bool on_next(void *ctx, wzp_websocket *ws, wzp_websocket_kind *kind, wzp_bytes *message) {
    server *s = ctx;
    (void)ws;
    if (s->to_send == NULL || *s->to_send == '\0') {
        return false;
    }
    const char *end = strchr(s->to_send, '|');
    const size_t len = end != NULL ? (size_t)(end - s->to_send) : strlen(s->to_send);
    *kind = *s->to_send == '!'   ? WZP_WEBSOCKET_CLOSE
            : *s->to_send == '?' ? WZP_WEBSOCKET_REJECT
            : *s->to_send == '#' ? WZP_WEBSOCKET_BINARY
                                 : WZP_WEBSOCKET_TEXT;
    *message = wzp_bytes_of(s->to_send + 1, len - 1);
    s->to_send += len + (end != NULL ? 1 : 0);
    return true;
}

static void on_closed(void *ctx, wzp_websocket *ws) {
    server *s = ctx;
    (void)ws;
    s->closed++;
}

static const wzp_websocket_ops ops = {serves, on_open, on_heard, on_next, on_closed};

static void start(server *s) {
    *s = (server){.opened = 0};
    const wzp_websockets_cfg cfg = {.listen = wzp_addr_v4(127, 0, 0, 1, 0),
                                    .prefix = "/ws/",
                                    .clients_max = CLIENTS,
                                    .in_max = IN_MAX,
                                    .out_max = OUT_MAX,
                                    .ops = &ops,
                                    .ctx = s};
    ck_assert_int_eq(uv_loop_init(&s->loop), 0);
    const wzp_err err = wzp_websockets_start(&s->sockets, &s->loop, &cfg);
    ck_assert_msg(err == WZP_OK, "%s", wzp_io_reason(errno));
}

static void stop(server *s) {
    wzp_websockets_stop(s->sockets);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    wzp_websockets_free(&s->sockets);
    ck_assert_int_eq(uv_loop_close(&s->loop), 0);
}

static int dial(server *s) {
    const wzp_addr to = wzp_websockets_local(s->sockets);
    wzp_sockaddr addr;
    const socklen_t len = wzp_sockaddr_write(&addr, &to, false);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, &addr.any, len), 0);
    return fd;
}

/* Runs the loop until `len` bytes came, the server closed, or a second of silence. */
static size_t receive(server *s, int fd, uint8_t *out, size_t len) {
    size_t got = 0;
    for (int idle = 0; idle < 1000 && got < len;) {
        uv_run(&s->loop, UV_RUN_NOWAIT);
        const ssize_t n = recv(fd, out + got, len - got, MSG_DONTWAIT);
        if (n == 0) {
            break;
        }
        idle = n > 0 ? 0 : idle + 1;
        got += n > 0 ? (size_t)n : 0;
        usleep(n > 0 ? 0 : 1000);
    }
    return got;
}

/* The head of the answer, byte by byte to its empty line. */
static void receive_head(server *s, int fd, char head[2048]) {
    size_t len = 0;
    while (len + 1 < 2048 && receive(s, fd, (uint8_t *)head + len, 1) == 1) {
        len++;
        if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0) {
            break;
        }
    }
    head[len] = '\0';
}

static int ask(server *s, const char *path, char head[2048]) {
    char request[1024];
    const int fd = dial(s);
    const int n = snprintf(request, sizeof request,
                           "GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                           path);
    ck_assert_int_eq(send(fd, request, (size_t)n, 0), n);
    receive_head(s, fd, head);
    return fd;
}

static int upgraded(server *s, const char *path) {
    char head[2048];
    const int fd = ask(s, path, head);
    ck_assert_msg(strncmp(head, "HTTP/1.1 101 ", 13) == 0, "%s", head);
    ck_assert_ptr_nonnull(strstr(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")); /* RFC 6455, 1.3 */
    return fd;
}

/* One frame, masked by 01 02 03 04. */
static void say(int fd, uint8_t first, const void *body, size_t len) {
    static uint8_t frame[IN_MAX + 64];
    size_t head = 2;
    frame[0] = first;
    if (len < 126) {
        frame[1] = (uint8_t)(0x80 | len);
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (uint8_t)(len >> 8);
        frame[3] = (uint8_t)len;
        head = 4;
    }
    for (size_t i = 0; i < 4; i++) {
        frame[head + i] = (uint8_t)(i + 1);
    }
    for (size_t i = 0; i < len; i++) {
        frame[head + 4 + i] = (uint8_t)(((const uint8_t *)body)[i] ^ (i % 4 + 1));
    }
    ck_assert_int_eq(send(fd, frame, head + 4 + len, MSG_NOSIGNAL), (ssize_t)(head + 4 + len));
}

static void run_until(server *s, const unsigned *counter, unsigned want) {
    for (int i = 0; i < 2000 && *counter < want; i++) {
        uv_run(&s->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    ck_assert_uint_eq(*counter, want);
}

enum { TEXT = 0x81, BINARY = 0x82, PART = 0x02, REST = 0x80, CLOSE = 0x88, PING = 0x89 };

START_TEST(messages_come_whole) {
    server s;
    uint8_t body[IN_MAX];
    start(&s);
    const int fd = upgraded(&s, "/ws/general");
    ck_assert_uint_eq(s.opened, 1);
    ck_assert_str_eq(s.name, "general");
    ck_assert_int_eq(s.from.ip[0], 127);
    say(fd, TEXT, "hello", 5);
    run_until(&s, &s.messages, 1);
    ck_assert(s.heard.kind == WZP_WEBSOCKET_TEXT && s.heard.len == 5);
    ck_assert_mem_eq(s.heard.body, "hello", 5);
    for (size_t i = 0; i < sizeof body; i++) {
        body[i] = (uint8_t)(i * 31);
    }
    say(fd, BINARY, body, sizeof body); /* more than libwebsockets reads at once */
    run_until(&s, &s.messages, 2);
    ck_assert(s.heard.kind == WZP_WEBSOCKET_BINARY && s.heard.len == sizeof body);
    ck_assert_mem_eq(s.heard.body, body, sizeof body);
    say(fd, PART, "ab", 2);
    say(fd, 0x00, "cd", 2);
    say(fd, PING, "p", 1); /* may stand between */
    say(fd, REST, "ef", 2);
    run_until(&s, &s.messages, 3);
    ck_assert(s.heard.kind == WZP_WEBSOCKET_BINARY && s.heard.len == 6);
    ck_assert_mem_eq(s.heard.body, "abcdef", 6);
    say(fd, BINARY, "", 0);
    run_until(&s, &s.messages, 4);
    ck_assert_uint_eq(s.heard.len, 0);
    close(fd);
    run_until(&s, &s.closed, 1);
    stop(&s);
}
END_TEST

START_TEST(a_reject_has_its_status) {
    static const uint8_t want[] = {0x88, 4, 3, 0xf0, 'n', 'o'};
    server s;
    uint8_t got[64];
    start(&s);
    const int fd = upgraded(&s, "/ws/a");
    s.to_send = "?no";
    wzp_websocket_wake(s.last);
    ck_assert_uint_eq(receive(&s, fd, got, sizeof want), sizeof want);
    ck_assert_mem_eq(got, want, sizeof want);
    say(fd, CLOSE, "\x03\xf0", 2);
    run_until(&s, &s.closed, 1);
    close(fd);
    stop(&s);
}
END_TEST

START_TEST(messages_go_out) {
    static const uint8_t want[] = {0x81, 2,    'h', 'i', 0x82, 3,   1,   2,
                                   3,    0x88, 5,   3,   0xe8, 'b', 'y', 'e'};
    server s;
    uint8_t got[64];
    start(&s);
    const int fd = upgraded(&s, "/ws/a");
    s.to_send = " hi|#\1\2\3|!bye";
    wzp_websocket_wake(s.last);
    const size_t len = receive(&s, fd, got, sizeof want);
    ck_assert_uint_eq(len, sizeof want);
    ck_assert_mem_eq(got, want, sizeof want);
    say(fd, CLOSE, "\x03\xe8", 2);
    run_until(&s, &s.closed, 1);
    close(fd);
    stop(&s);
}
END_TEST

static const struct status_case {
    const char *name, *path, *status;
} status_cases[] = {
    {"a room", "/ws/general", " 101 "},
    {"with a query", "/ws/general?x=1", " 101 "},
    {"escapes", "/ws/caf%c3%a9", " 101 "},
    {"not served", "/ws/secret", " 404 "},
    {"no name", "/ws/", " 404 "},
    {"elsewhere", "/", " 404 "},
    {"two levels", "/ws/a/b", " 404 "},
    {"the deployed route", "/ws/%7broom%7d", " 101 "}, /* is a name like any other */
    {"not UTF-8", "/ws/%ff", " 404 "},
    {"a control character", "/ws/%1b", " 404 "},
};

START_TEST(paths) {
    const struct status_case *c = &status_cases[_i];
    server s;
    char head[2048];
    start(&s);
    const int fd = ask(&s, c->path, head);
    ck_assert_msg(strncmp(head + 8, c->status, strlen(c->status)) == 0, "%s: %s", c->name, head);
    ck_assert_uint_eq(s.opened, strstr(c->status, "101") != NULL ? 1 : 0);
    close(fd);
    stop(&s);
}
END_TEST

START_TEST(requests_without_upgrade) {
    static const char room[] = "GET /ws/general HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char other[] = "GET /index.html HTTP/1.1\r\nHost: x\r\n\r\n";
    server s;
    char head[2048];
    start(&s);
    const int fd = dial(&s);
    ck_assert_int_gt(send(fd, room, sizeof room - 1, 0), 0);
    receive_head(&s, fd, head);
    ck_assert_msg(strstr(head, " 426 ") != NULL, "%s", head);
    const int fd2 = dial(&s);
    ck_assert_int_gt(send(fd2, other, sizeof other - 1, 0), 0);
    receive_head(&s, fd2, head);
    ck_assert_msg(strstr(head, " 404 ") != NULL, "%s", head);
    close(fd);
    close(fd2);
    stop(&s);
}
END_TEST

START_TEST(long_messages_end_it) {
    static const uint8_t body[IN_MAX];
    server s;
    uint8_t got[64];
    start(&s);
    const int fd = upgraded(&s, "/ws/a");
    say(fd, PART, body, IN_MAX - 10);
    say(fd, REST, body, 11);
    ck_assert_uint_ge(receive(&s, fd, got, 4), 4);
    ck_assert_uint_eq(got[0], CLOSE);
    ck_assert_uint_eq(got[2] << 8 | got[3], 1009);
    ck_assert_uint_eq(s.messages, 0);
    close(fd);
    run_until(&s, &s.closed, 1);
    stop(&s);
}
END_TEST

START_TEST(refused_ones_are_closed) {
    server s;
    uint8_t got[64];
    start(&s);
    s.refuses = true;
    const int fd = upgraded(&s, "/ws/a");
    const size_t len = receive(&s, fd, got, sizeof got); /* until the server closes */
    ck_assert_uint_lt(len, sizeof got);
    ck_assert_uint_eq(s.closed, 0);
    close(fd);
    stop(&s);
}
END_TEST

static const struct garbage_case {
    const char *name, *bytes;
    size_t len;
} garbage_cases[] = {
    {"not masked", "\x82\x02hi", 4},
    {"reserved bits", "\xf2\x80\1\2\3\4", 6},
    {"unknown opcode", "\x83\x80\1\2\3\4", 6},
    {"long ping", "\x89\xfe\x01\x00\1\2\3\4", 8},
    {"a length of eight bytes", "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\2\3\4", 14},
    {"half a frame", "\x82\x85\1\2", 4},
    {"the rest of nothing", "\x80\x81\1\2\3\4x", 7},
};

START_TEST(garbage_harms_nobody_else) {
    const struct garbage_case *c = &garbage_cases[_i];
    server s;
    start(&s);
    const int bad = upgraded(&s, "/ws/a");
    ck_assert_int_gt(send(bad, c->bytes, c->len, MSG_NOSIGNAL), 0);
    for (int i = 0; i < 20; i++) {
        uv_run(&s.loop, UV_RUN_NOWAIT);
    }
    const unsigned before = s.messages;
    const int fd = upgraded(&s, "/ws/b");
    say(fd, TEXT, "well", 4);
    run_until(&s, &s.messages, before + 1);
    ck_assert_msg(s.heard.len == 4, "%s", c->name);
    close(bad);
    close(fd);
    stop(&s);
}
END_TEST

START_TEST(clients_are_bounded) {
    server s;
    int fds[CLIENTS];
    uint8_t got[8];
    start(&s);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = upgraded(&s, "/ws/a");
    }
    const int more = dial(&s);
    ck_assert_uint_eq(receive(&s, more, got, 1), 0);
    close(fds[0]);
    run_until(&s, &s.closed, 1);
    const int again = upgraded(&s, "/ws/a");
    for (int i = 1; i < CLIENTS; i++) {
        close(fds[i]);
    }
    close(more);
    close(again);
    stop(&s);
    ck_assert_uint_eq(s.closed, s.opened);
}
END_TEST

START_TEST(stop_closes_all) {
    server s;
    start(&s);
    const int fd = upgraded(&s, "/ws/a");
    const int half = upgraded(&s, "/ws/b");
    say(half, PART, "ab", 2);
    for (int i = 0; i < 20; i++) {
        uv_run(&s.loop, UV_RUN_NOWAIT);
    }
    stop(&s);
    ck_assert_uint_eq(s.closed, 2);
    close(fd);
    close(half);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, messages_come_whole);
    tcase_add_test(tc, messages_go_out);
    tcase_add_test(tc, a_reject_has_its_status);
    tcase_add_loop_test(tc, paths, 0, WZP_COUNT_OF(status_cases));
    tcase_add_test(tc, requests_without_upgrade);
    tcase_add_test(tc, long_messages_end_it);
    tcase_add_test(tc, refused_ones_are_closed);
    tcase_add_loop_test(tc, garbage_harms_nobody_else, 0, WZP_COUNT_OF(garbage_cases));
    tcase_add_test(tc, clients_are_bounded);
    tcase_add_test(tc, stop_closes_all);
    return wzp_run_suite("websocket", tc);
}
