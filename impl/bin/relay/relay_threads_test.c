/* relay_threads_test WZP-RELAY: a relay of three workers that ask a service about tokens, each for
 * itself.  Whoever has a valid one is let in, whosever his room is; and a relay that is stopped
 * while it waits for an answer ends as if there were none to come. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "bin/relay/testing/soak_relay.h"
#include "io/sys.h"
#include "io/testing/http_server.h"
#include "io/udp.h"
#include "relay/relay.h"
#include "relay/testing/offer.h"
#include "wire/signal.h"

enum { THREADS = 3, GUESTS = 12 };

#define PATIENCE (200 * WZP_S)

typedef struct guests {
    wzp_udp *udp;
    wzp_quic *quic;
    unsigned answered, closed;
} guests;

static void say_who(const guests *g, wzp_quic_conn conn) {
    static const char token[] = "{\"AuthToken\":{\"version\":1,\"token\":\"a token\"}}";
    uint8_t seed[WZP_KEY_LEN] = {5};
    uint8_t json[OFFER_MAX];
    wzp_identity identity;
    memcpy(seed + 1, &conn, sizeof conn);
    wzp_identity_from_seed(&identity, seed);
    const size_t len = offer_write(json, sizeof json, &identity, NULL, wzp_io_rng());
    (void)!wzp_quic_send_signal(g->quic, conn, wzp_bytes_str(token), NULL);
    (void)!wzp_quic_send_signal(g->quic, conn, wzp_bytes_of(json, len), NULL);
}

static void on_events(guests *g) {
    wzp_quic_event ev;
    char name[48];
    while (wzp_quic_next_event(g->quic, &ev)) {
        if (ev.kind == WZP_QUIC_CONNECTED) {
            say_who(g, ev.conn);
        } else if (ev.kind == WZP_QUIC_SIGNAL) {
            wzp_signal_peek_name(ev.body, name, sizeof name);
            g->answered += strcmp(name, "CallAnswer") == 0;
        } else if (ev.kind == WZP_QUIC_CLOSED) {
            g->closed++;
        }
    }
}

static void turn(guests *g) {
    const wzp_core core = wzp_quic_core(g->quic);
    const wzp_time now = wzp_io_now();
    struct pollfd readable = {wzp_udp_fd(g->udp), POLLIN, 0};
    wzp_udp_receive(g->udp, core, now);
    wzp_quic_tick(g->quic, now);
    on_events(g);
    wzp_udp_transmit(g->udp, core, now);
    (void)poll(&readable, 1, 5);
}

static bool dial(guests *g, wzp_addr relay, const char *room) {
    wzp_quic_conn conn;
    const wzp_quic_dial to = {.path = {wzp_udp_local(g->udp), relay}, .sni = room};
    return wzp_quic_connect(g->quic, &to, wzp_io_now(), &conn) == WZP_OK;
}

/* Rooms of all workers in turn, by their names. */
static bool dial_all(guests *g, wzp_addr relay) {
    char room[16];
    unsigned dialled = 0;
    for (unsigned i = 0; dialled < GUESTS; i++) {
        (void)snprintf(room, sizeof room, "room-%u", i);
        if (wzp_relay_worker_of(room, THREADS) == dialled % THREADS) {
            dialled++;
            if (!dial(g, relay, room)) {
                return false;
            }
        }
    }
    return true;
}

static bool open_guests(guests *g) {
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    const wzp_quic_cfg quic = {.rng = wzp_io_rng()};
    return wzp_quic_new(&g->quic, &quic, wzp_io_now()) == WZP_OK &&
           wzp_udp_open(&g->udp, &any, false) == WZP_OK;
}

static void close_guests(guests *g) {
    wzp_quic_free(&g->quic);
    wzp_udp_close(&g->udp);
}

/* NULL: passed. */
static const char *all_are_let_in(soak_relay *relay) {
    guests g = {0};
    const char *why = open_guests(&g) && dial_all(&g, relay->addr) ? NULL : "no guests";
    const wzp_time give_up = wzp_io_now() + PATIENCE;
    while (why == NULL && g.answered < GUESTS && g.closed == 0 && wzp_io_now() < give_up) {
        turn(&g);
    }
    if (why == NULL && g.answered < GUESTS) {
        why = g.closed > 0 ? "a guest with a valid token was closed" : "a guest was not let in";
    }
    if (why == NULL &&
        (!soak_relay_look(relay) || strstr(relay->page, "{verdict=\"accepted\"} 12\n") == NULL)) {
        why = "the page does not say that 12 tokens were accepted";
    }
    close_guests(&g);
    return why;
}

/* Leaves questions without an answer. */
static const char *all_are_asked_about(soak_relay *relay) {
    guests g = {0};
    const char *why = open_guests(&g) && dial_all(&g, relay->addr) ? NULL : "no guests";
    const wzp_time give_up = wzp_io_now() + PATIENCE;
    while (why == NULL && wzp_io_now() < give_up) {
        turn(&g);
        if (soak_relay_look(relay) &&
            soak_relay_value(relay, "wzp_relay_auth_pending") >= THREADS) {
            close_guests(&g);
            return NULL;
        }
    }
    close_guests(&g);
    return why != NULL ? why : "nothing was asked";
}

static const char *run(const char *path, unsigned delay_ms,
                       const char *(*play)(soak_relay *relay)) {
    static soak_relay relay;
    char url[64];
    char threads[] = "--threads";
    char three[] = "3";
    char auth[] = "--auth-url";
    char *options[] = {threads, three, auth, url, NULL};
    http_server server = {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\n"
                                   "{\"valid\":true,\"fingerprint\":\"ann\"}",
                          .cut = SIZE_MAX,
                          .delay_ms = delay_ms};
    http_server_start(&server);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", server.port);
    const char *why = soak_relay_start(&relay, path, options) ? play(&relay) : "no relay";
    if (!soak_relay_stop(&relay) && why == NULL) {
        why = "the relay did not end with exit code 0";
    }
    http_server_stop(&server);
    return why;
}

static const char *program;

START_TEST(valid_tokens) {
    const char *why = run(program, 0, all_are_let_in);
    ck_assert_msg(why == NULL, "%s", why);
}
END_TEST

START_TEST(stopped_while_it_asks) {
    const char *why = run(program, 1000, all_are_asked_about);
    ck_assert_msg(why == NULL, "%s", why);
}
END_TEST

int main(int argc, char **argv) {
    TCase *tc = tcase_create("all");
    program = argc == 2 ? argv[1] : "wzp-relay";
    tcase_add_test(tc, valid_tokens);
    tcase_add_test(tc, stopped_while_it_asks);
    return wzp_run_suite("relay_threads", tc);
}
