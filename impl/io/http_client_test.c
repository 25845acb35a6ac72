/* POST against a server that says what the case wants. */
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/testing/suite.h"
#include "crypto/identity.h"
#include "io/http_client.h"
#include "io/sys.h"
#include "io/testing/http_server.h"

/* --- the client's side ------------------------------------------------------------------------ */

typedef struct user {
    uv_loop_t loop;
    wzp_http_client *client;
    unsigned answers, seen[512];
    wzp_http_answer last;
    char body[WZP_HTTP_GET_MAX + 1];
    char why[128];
} user;

static void on_done(void *ctx, const wzp_http_answer *answer) {
    user *u = ctx;
    u->answers++;
    u->seen[answer->id]++;
    u->last = *answer;
    memcpy(u->body, answer->body.data != NULL ? answer->body.data : (const uint8_t *)"",
           answer->body.len);
    u->body[answer->body.len] = '\0';
    (void)snprintf(u->why, sizeof u->why, "%s", answer->why);
}

static user *start_user_with(const char *url, const char *ca_file) {
    user *u = calloc(1, sizeof *u);
    ck_assert_int_eq(uv_loop_init(&u->loop), 0);
    const wzp_http_client_cfg cfg = {.url = url, .ca_file = ca_file, .done = on_done, .ctx = u};
    const wzp_err err = wzp_http_client_start(&u->client, &u->loop, &cfg);
    ck_assert_msg(err == WZP_OK, "%s", wzp_io_reason(errno));
    return u;
}

static user *start_user(const char *url) {
    return start_user_with(url, NULL);
}

static void stop_user(user *u) {
    wzp_http_client_stop(u->client);
    uv_run(&u->loop, UV_RUN_DEFAULT);
    wzp_http_client_free(&u->client);
    ck_assert_int_eq(uv_loop_close(&u->loop), 0);
    free(u);
}

static void wait_for(user *u, unsigned answers) {
    while (u->answers < answers) {
        uv_run(&u->loop, UV_RUN_ONCE);
    }
}

static void send_post(user *u, uint64_t id, const char *body, uint64_t timeout) {
    ck_assert(wzp_http_client_post(u->client, id, wzp_bytes_str(body), timeout) == WZP_OK);
}

static const char *url_of(const http_server *s, const char *path) {
    static char url[128];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u%s", s->port, path);
    return url;
}

/* --- answers ---------------------------------------------------------------------------------- */

static const struct reply_case {
    const char *name, *reply;
    wzp_http_outcome outcome;
    unsigned status;
    const char *body;
} reply_cases[] = {
    {"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", WZP_HTTP_ANSWERED, 200,
     "hello"},
    {"chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
     WZP_HTTP_ANSWERED, 200, "hello"},
    {"empty", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", WZP_HTTP_ANSWERED, 204, ""},
    {"not found", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", WZP_HTTP_ANSWERED, 404,
     "no"},
    {"server error", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", WZP_HTTP_ANSWERED, 500, ""},
    {"redirect is not followed",
     "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
     WZP_HTTP_ANSWERED, 302, ""},
    {"cut", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", WZP_HTTP_FAILED, 200, NULL},
    {"no HTTP", "SSH-2.0-OpenSSH\r\n", WZP_HTTP_FAILED, 0, NULL},
    {"nothing", NULL, WZP_HTTP_FAILED, 0, NULL},
};

START_TEST(replies) {
    const struct reply_case *c = &reply_cases[_i];
    http_server s = {.reply = c->reply, .cut = SIZE_MAX};
    http_server_start(&s);
    user *u = start_user(url_of(&s, "/v1/auth/validate"));
    send_post(u, 7, "{\"token\":\"t\"}", 5 * WZP_S);
    wait_for(u, 1);
    ck_assert_msg(u->last.outcome == c->outcome, "%s: %d, %s", c->name, (int)u->last.outcome,
                  u->why);
    ck_assert_uint_eq(u->last.id, 7);
    if (c->outcome == WZP_HTTP_ANSWERED) {
        ck_assert_msg(u->last.status == c->status, "%s: status %u", c->name, u->last.status);
        ck_assert_str_eq(u->body, c->body);
    } else {
        ck_assert_str_ne(u->why, "");
    }
    stop_user(u);
    http_server_stop(&s);
}
END_TEST

START_TEST(request_as_the_sheet_has_it) {
    http_server s = {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .cut = SIZE_MAX};
    char host[64];
    http_server_start(&s);
    user *u = start_user(url_of(&s, "/v1/auth/validate?x=y"));
    send_post(u, 1, "{\"token\":\"t\"}", 5 * WZP_S);
    wait_for(u, 1);
    (void)snprintf(host, sizeof host, "127.0.0.1:%u\r\n", s.port);
    ck_assert_ptr_eq(strstr(s.request, "POST /v1/auth/validate?x=y HTTP/1.1\r\n"), s.request);
    ck_assert_ptr_nonnull(strstr(s.request, host));
    ck_assert_msg(strstr(s.request, "application/json\r\n") != NULL, "%s", s.request);
    ck_assert_ptr_nonnull(strstr(s.request, "\r\n\r\n{\"token\":\"t\"}"));
    ck_assert_str_eq(strstr(s.request, "{\"token\""), "{\"token\":\"t\"}");
    stop_user(u);
    http_server_stop(&s);
}
END_TEST

/* Longer than what a post may bring. */
START_TEST(a_page) {
    static char reply[WZP_HTTP_ANSWER_MAX + 200];
    const int head = snprintf(reply, sizeof reply, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
                              WZP_HTTP_ANSWER_MAX + 100);
    memset(reply + head, 'x', WZP_HTTP_ANSWER_MAX + 100);
    http_server s = {.reply = reply, .cut = SIZE_MAX};
    http_server_start(&s);
    user *u = start_user(url_of(&s, "/metrics"));
    ck_assert(wzp_http_client_get(u->client, 3, 5 * WZP_S) == WZP_OK);
    wait_for(u, 1);
    ck_assert_msg(u->last.outcome == WZP_HTTP_ANSWERED, "%s", u->why);
    ck_assert_uint_eq(u->last.body.len, WZP_HTTP_ANSWER_MAX + 100);
    ck_assert_ptr_eq(strstr(s.request, "GET /metrics HTTP/1.1\r\n"), s.request);
    ck_assert_ptr_null(strstr(s.request, "Content-Length"));
    stop_user(u);
    http_server_stop(&s);
}
END_TEST

START_TEST(slow_servers) {
    http_server s = {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                     .cut = _i == 0 ? SIZE_MAX : 41, /* later, or never all of it */
                     .delay_ms = _i == 0 ? 1500 : 0,
                     .keeps_open = _i == 1};
    http_server_start(&s);
    user *u = start_user(url_of(&s, "/"));
    send_post(u, 1, "{}", 300 * WZP_MS);
    wait_for(u, 1);
    ck_assert(u->last.outcome == WZP_HTTP_TIMED_OUT);
    stop_user(u);
    http_server_stop(&s);
}
END_TEST

START_TEST(nobody_listens) {
    http_server s = {.cut = SIZE_MAX};
    http_server_start(&s);
    http_server_stop(&s); /* its port is free now */
    user *u = start_user(url_of(&s, "/"));
    send_post(u, 1, "{}", 5 * WZP_S);
    wait_for(u, 1);
    ck_assert(u->last.outcome == WZP_HTTP_FAILED);
    stop_user(u);
}
END_TEST

START_TEST(no_such_name) {
    user *u = start_user("http://no-such-host.invalid/");
    send_post(u, 1, "{}", 20 * WZP_S);
    wait_for(u, 1);
    ck_assert(u->last.outcome == WZP_HTTP_FAILED);
    stop_user(u);
}
END_TEST

START_TEST(endless_answer) {
    char chunk[2048];
    char text[2200];
    memset(chunk, 'x', sizeof chunk - 1);
    chunk[sizeof chunk - 1] = '\0';
    (void)snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n%s",
                   chunk);
    http_server s = {.reply = text, .cut = SIZE_MAX, .repeat = 60};
    http_server_start(&s);
    user *u = start_user(url_of(&s, "/"));
    send_post(u, 1, "{}", 5 * WZP_S);
    wait_for(u, 1);
    ck_assert(u->last.outcome == WZP_HTTP_FAILED);
    ck_assert_str_eq(u->why, "the answer is too long");
    stop_user(u);
    http_server_stop(&s);
}
END_TEST

START_TEST(many_at_once) {
    http_server s = {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", .cut = SIZE_MAX};
    http_server_start(&s);
    user *u = start_user(url_of(&s, "/"));
    for (uint64_t id = 0; id < WZP_HTTP_POSTS_MAX; id++) {
        send_post(u, id, "{}", 20 * WZP_S);
    }
    ck_assert(wzp_http_client_post(u->client, 300, wzp_bytes_str("{}"), WZP_S) == WZP_ERR_LIMIT);
    wait_for(u, WZP_HTTP_POSTS_MAX);
    for (size_t id = 0; id < WZP_HTTP_POSTS_MAX; id++) {
        ck_assert_uint_eq(u->seen[id], 1);
    }
    ck_assert(u->last.outcome == WZP_HTTP_ANSWERED);
    stop_user(u);
    http_server_stop(&s);
}
END_TEST

/* In every phase: before the name is known, while it connects, before the answer. */
START_TEST(stopped_on_the_way) {
    http_server s = {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                     .cut = SIZE_MAX,
                     .delay_ms = 300};
    http_server_start(&s);
    user *u = start_user(url_of(&s, "/"));
    for (uint64_t id = 0; id < 5; id++) {
        send_post(u, id, "{}", 5 * WZP_S);
    }
    for (int i = 0; i < _i; i++) {
        uv_run(&u->loop, UV_RUN_ONCE);
    }
    const unsigned answers = u->answers;
    wzp_http_client_stop(u->client);
    uv_run(&u->loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(u->answers, answers);
    wzp_http_client_free(&u->client);
    ck_assert_int_eq(uv_loop_close(&u->loop), 0);
    free(u);
    http_server_stop(&s);
}
END_TEST

/* --- https ------------------------------------------------------------------------------------ */

/* A relay's certificate serves as any other: it is for "localhost". */
static SSL_CTX *server_tls(const wzp_tls_identity *identity) {
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, identity->ed25519_seed, WZP_KEY_LEN);
    ck_assert_int_eq(SSL_CTX_use_certificate_ASN1(tls, (int)identity->cert_len, identity->cert_der),
                     1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey(tls, key), 1);
    EVP_PKEY_free(key);
    return tls;
}

typedef struct tls_server {
    http_server plain; /* its listener only */
    SSL_CTX *tls;
    bool read_request;
} tls_server;

static void *serve_tls(void *arg) {
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    tls_server *s = arg;
    char request[2048] = "";
    int len = 0;
    const int fd = accept(s->plain.fd, NULL, NULL);
    SSL *ssl = SSL_new(s->tls);
    SSL_set_fd(ssl, fd);
    int n = SSL_accept(ssl);
    while (n > 0 && strstr(request, "\r\n\r\n{}") == NULL) {
        n = SSL_read(ssl, request + len, (int)sizeof request - 1 - len);
        len += n > 0 ? n : 0;
        request[len] = '\0';
    }
    if (n > 0) {
        s->read_request = true;
        SSL_write(ssl, reply, sizeof reply - 1);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    close(fd);
    return NULL;
}

static void write_pem(const char *path, const wzp_tls_identity *identity) {
    const uint8_t *at = identity->cert_der;
    X509 *cert = d2i_X509(NULL, &at, (long)identity->cert_len);
    FILE *file = fopen(path, "we");
    ck_assert_int_eq(PEM_write_X509(file, cert), 1);
    ck_assert_int_eq(fclose(file), 0);
    X509_free(cert);
}

/* One whom we trust; nobody told us of it; trusted, but for another name. */
START_TEST(https) {
    static const char *const hosts[] = {"localhost", "localhost", "127.0.0.1"};
    const uint8_t seed[WZP_KEY_LEN] = {7};
    char path[] = "/tmp/wzp_ca_XXXXXX";
    char url[64];
    wzp_tls_identity identity;
    wzp_tls_identity_from_seed(&identity, seed);
    close(mkstemp(path));
    write_pem(path, &identity);
    tls_server s = {.tls = server_tls(&identity)};
    http_server_listen(&s.plain);
    ck_assert_int_eq(pthread_create(&s.plain.thread, NULL, serve_tls, &s), 0);
    (void)snprintf(url, sizeof url, "https://%s:%u/v1/auth/validate", hosts[_i], s.plain.port);
    user *u = start_user_with(url, _i == 1 ? NULL : path);
    send_post(u, 1, "{}", 10 * WZP_S);
    wait_for(u, 1);
    ck_assert_msg((u->last.outcome == WZP_HTTP_ANSWERED) == (_i == 0), "%s", u->why);
    pthread_join(s.plain.thread, NULL);
    ck_assert(s.read_request == (_i == 0));
    stop_user(u);
    close(s.plain.fd);
    SSL_CTX_free(s.tls);
    unlink(path);
}
END_TEST

START_TEST(urls) {
    static const struct {
        const char *url;
        bool usable;
    } cases[] = {
        {"http://127.0.0.1/", true},
        {"http://auth.example:8080/v1/auth/validate", true},
        {"https://auth.example/v1/auth/validate", true},
        {"https://[::1]:8443/x", true},
        {"http://auth.example", true},
        {"ftp://auth.example/", false},
        {"ws://auth.example/", false},
        {"auth.example/v1", false},
        {"", false},
        {"http://", false},
        {"http:///path", false},
        {"http://auth.example:99999/", false},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(cases); i++) {
        ck_assert_msg(wzp_http_url_is_usable(cases[i].url) == cases[i].usable, "%s", cases[i].url);
    }
    char longer[WZP_HTTP_URL_MAX + 32];
    (void)snprintf(longer, sizeof longer, "http://a/%0*d", WZP_HTTP_URL_MAX, 7);
    ck_assert(!wzp_http_url_is_usable(longer));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("http_client");
    tcase_add_loop_test(tc, replies, 0, (int)WZP_COUNT_OF(reply_cases));
    tcase_add_test(tc, request_as_the_sheet_has_it);
    tcase_add_test(tc, a_page);
    tcase_add_loop_test(tc, slow_servers, 0, 2);
    tcase_add_test(tc, nobody_listens);
    tcase_add_test(tc, no_such_name);
    tcase_add_test(tc, endless_answer);
    tcase_add_test(tc, many_at_once);
    tcase_add_loop_test(tc, stopped_on_the_way, 0, 8);
    tcase_add_loop_test(tc, https, 0, 3);
    tcase_add_test(tc, urls);
    return wzp_run_suite("http_client", tc);
}
