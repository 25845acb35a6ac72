/* The whole way of a token: a client over loopback UDP, the relay, the service over HTTP. */
#include "bin/relay/relay_auth.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/testing/suite.h"
#include "io/sys.h"
#include "io/testing/http_server.h"
#include "quic/testing/pair.h"
#include "wire/signal.h"

typedef struct world {
    uv_loop_t loop;
    wzp_relay *relay;
    wzp_udp *relay_udp, *client_udp;
    wzp_drive relay_drive, client_drive;
    wzp_relay_service *service;
    wzp_quic *client;
    wzp_quic_conn conn;
    bool connected, acknowledged, closed;
    char list[4096];
    char reason[128];
} world;

static void after_relay(void *ctx, wzp_time now) {
    world *w = ctx;
    wzp_relay_event event;
    while (wzp_relay_next_event(w->relay, &event)) {
    }
    wzp_relay_service_ask(w->service, now);
}

static void after_client(void *ctx, wzp_time now) {
    world *w = ctx;
    wzp_quic_event ev;
    (void)now;
    while (wzp_quic_next_event(w->client, &ev)) {
        if (ev.kind == WZP_QUIC_CONNECTED) {
            w->connected = true;
        } else if (ev.kind == WZP_QUIC_CLOSED) {
            w->closed = true;
            (void)snprintf(w->reason, sizeof w->reason, "%s", ev.close.reason);
        } else if (ev.kind == WZP_QUIC_SIGNAL &&
                   strstr((const char *)ev.body.data, "Ack") != NULL) {
            w->acknowledged = true;
        } else if (ev.kind == WZP_QUIC_SIGNAL) {
            (void)snprintf(w->list, sizeof w->list, "%s", (const char *)ev.body.data);
        }
    }
}

static void start_relay(world *w, const char *url) {
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    const wzp_relay_cfg cfg = {.rng = wzp_io_rng(), .auth = true};
    ck_assert(wzp_relay_new(&w->relay, &cfg, wzp_io_now()) == WZP_OK);
    ck_assert(wzp_udp_open(&w->relay_udp, &any, false) == WZP_OK);
    w->relay_drive = (wzp_drive){
        .core = wzp_relay_core(w->relay), .udp = w->relay_udp, .after = after_relay, .ctx = w};
    const wzp_relay_service_cfg service = {.url = url, .relay = w->relay, .drive = &w->relay_drive};
    const wzp_err err = wzp_relay_service_start(&w->service, &w->loop, &service);
    ck_assert_msg(err == WZP_OK, "%s", wzp_io_reason(errno));
    ck_assert(wzp_drive_start(&w->relay_drive, &w->loop) == WZP_OK);
}

static void start_client(world *w) {
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    const wzp_quic_cfg cfg = {.rng = wzp_io_rng()};
    ck_assert(wzp_quic_new(&w->client, &cfg, wzp_io_now()) == WZP_OK);
    ck_assert(wzp_udp_open(&w->client_udp, &any, false) == WZP_OK);
    w->client_drive = (wzp_drive){
        .core = wzp_quic_core(w->client), .udp = w->client_udp, .after = after_client, .ctx = w};
    ck_assert(wzp_drive_start(&w->client_drive, &w->loop) == WZP_OK);
    const wzp_quic_dial dial = {.path = {wzp_udp_local(w->client_udp), wzp_udp_local(w->relay_udp)},
                                .sni = "_signal"};
    ck_assert(wzp_quic_connect(w->client, &dial, wzp_io_now(), &w->conn) == WZP_OK);
    wzp_drive_kick(&w->client_drive);
}

static void stop(world *w) {
    wzp_drive_stop(&w->client_drive);
    wzp_drive_stop(&w->relay_drive);
    wzp_relay_service_stop(w->service);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    wzp_relay_service_free(&w->service);
    ck_assert_int_eq(uv_loop_close(&w->loop), 0);
    wzp_quic_free(&w->client);
    wzp_relay_free(&w->relay);
    wzp_udp_close(&w->client_udp);
    wzp_udp_close(&w->relay_udp);
}

static void say(const world *w, const char *json) {
    ck_assert(wzp_quic_send_signal(w->client, w->conn, wzp_bytes_str(json), NULL) == WZP_OK);
}

static const struct service_case {
    const char *name, *reply, *reason; /* NULL: admitted */
    unsigned delay_ms, repeat;
} service_cases[] = {
    {"accepts",
     "HTTP/1.1 200 OK\r\nContent-Length: 47\r\n\r\n"
     "{\"valid\":true,\"fingerprint\":\"ann's own\",\"x\":[]}",
     NULL, 0, 0},
    {"takes its time",
     "HTTP/1.1 200 OK\r\nContent-Length: 47\r\n\r\n"
     "{\"valid\":true,\"fingerprint\":\"ann's own\",\"x\":[]}",
     NULL, 700, 0},
    {"refuses", "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"valid\":false}",
     "token check: refused", 0, 0},
    {"says 401", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
     "token check: bad status", 0, 0},
    {"says nonsense", "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nnot json",
     "token check: bad answer", 0, 0},
    {"hangs up", NULL, "token check: unreachable", 0, 0},
    {"does not stop talking",
     "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{\"valid\":true,\"fingerprint\":\"ann\"}",
     "token check: unreachable", 0, UINT_MAX}, /* until nobody listens */
    {"says half", "HTTP/1.1 200 OK\r\nContent-Length: 47\r\n\r\n{\"valid\":true,\"fingerprint\":",
     "token check: unreachable", 0, 0},
    {"sleeps", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "token check: timeout", 6000, 0},
};

START_TEST(service) {
    const struct service_case *c = &service_cases[_i];
    char registration[256];
    http_server server = {
        .reply = c->reply, .cut = SIZE_MAX, .delay_ms = c->delay_ms, .repeat = c->repeat};
    char url[64];
    world w = {.connected = false};
    (void)snprintf(registration, sizeof registration,
                   "{\"RegisterPresence\":{\"identity_pub\":[%s%s%s%s],\"signature\":[],"
                   "\"alias\":\"Ann\"}}",
                   "0,0,0,0,0,0,0,0,", "0,0,0,0,0,0,0,0,", "0,0,0,0,0,0,0,0,", "0,0,0,0,0,0,0,0");
    http_server_start(&server);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/v1/auth/validate", server.port);
    ck_assert_int_eq(uv_loop_init(&w.loop), 0);
    start_relay(&w, url);
    start_client(&w);
    while (!w.connected) {
        uv_run(&w.loop, UV_RUN_ONCE);
    }
    say(&w, "{\"AuthToken\":{\"version\":1,\"token\":\"test-token-123\"}}");
    say(&w, registration);
    wzp_drive_kick(&w.client_drive);
    while (!w.closed && *w.list == '\0') {
        uv_run(&w.loop, UV_RUN_ONCE);
    }
    if (c->reason == NULL) {
        ck_assert_msg(!w.closed && w.acknowledged, "%s: %s", c->name, w.reason);
        ck_assert_ptr_nonnull(strstr(w.list, "\"fingerprint\":\"ann's own\",\"alias\":\"Ann\""));
    } else {
        ck_assert_str_eq(w.reason, c->reason);
        ck_assert(!w.acknowledged);
    }
    stop(&w);
    http_server_stop(&server);
    ck_assert_ptr_nonnull(strstr(server.request, "\r\n\r\n{\"token\":\"test-token-123\"}"));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("relay_auth");
    tcase_add_loop_test(tc, service, 0, (int)WZP_COUNT_OF(service_cases));
    return wzp_run_suite("relay_auth", tc);
}
