/* Endpoints behind one address, with the kernel's help and without: every connection lives at the
 * worker of its room, wherever its packets arrive. */
#include "io/workers.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "crypto/identity.h"
#include "io/sys.h"

enum { WORKERS = 4, CLIENTS = 24, ECHOES = 20 };

#define PATIENCE (20 * WZP_S)

typedef struct stage {
    wzp_workers *workers;
    wzp_quic *servers[WORKERS];
    uv_loop_t loop;
    wzp_udp *udp;
    wzp_quic *quic;
    struct {
        wzp_quic_conn conn;
        char sni[16];
        unsigned echoes;
    } clients[CLIENTS];
    unsigned done;
} stage;

static unsigned by_last_letter(void *ctx, const char *sni, unsigned workers) {
    (void)ctx;
    return (unsigned)sni[strlen(sni) - 1] % workers;
}

/* Answers with its number, on its own thread. */
static void echo(void *ctx, unsigned worker, wzp_time now) {
    stage *st = ctx;
    wzp_quic_event ev;
    (void)now;
    while (wzp_quic_next_event(st->servers[worker], &ev)) {
        if (ev.kind == WZP_QUIC_DATAGRAM) {
            const uint8_t number = (uint8_t)worker;
            (void)!wzp_quic_send_datagram(st->servers[worker], ev.conn, wzp_bytes_of(&number, 1));
        }
    }
}

static void say(stage *st, unsigned client) {
    static const uint8_t body[100];
    ck_assert(wzp_quic_send_datagram(st->quic, st->clients[client].conn,
                                     wzp_bytes_of(body, sizeof body)) == WZP_OK);
}

static void on_echo(stage *st, unsigned client, wzp_bytes body) {
    ck_assert_uint_eq(body.data[0], by_last_letter(st, st->clients[client].sni, WORKERS));
    if (++st->clients[client].echoes == ECHOES) {
        st->done++;
    } else {
        say(st, client);
    }
}

static void on_events(stage *st) {
    wzp_quic_event ev;
    while (wzp_quic_next_event(st->quic, &ev)) {
        unsigned client = 0;
        while (client < CLIENTS && st->clients[client].conn != ev.conn) {
            client++;
        }
        ck_assert_uint_lt(client, CLIENTS);
        if (ev.kind == WZP_QUIC_CONNECTED) {
            say(st, client);
        } else if (ev.kind == WZP_QUIC_DATAGRAM) {
            on_echo(st, client, ev.body);
        }
        ck_assert(ev.kind != WZP_QUIC_CLOSED);
    }
}

static void play(stage *st) {
    const wzp_core core = wzp_quic_core(st->quic);
    const wzp_time give_up = wzp_io_now() + PATIENCE;
    while (st->done < CLIENTS && wzp_io_now() < give_up) {
        const wzp_time now = wzp_io_now();
        struct pollfd fds[2] = {{wzp_udp_fd(st->udp), POLLIN, 0},
                                {uv_backend_fd(&st->loop), POLLIN, 0}};
        wzp_udp_receive(st->udp, core, now);
        wzp_quic_tick(st->quic, now);
        on_events(st);
        wzp_udp_transmit(st->udp, core, now);
        uv_run(&st->loop, UV_RUN_NOWAIT);
        (void)poll(fds, 2, 1);
    }
    ck_assert_uint_eq(st->done, CLIENTS);
}

static void make_servers(stage *st, wzp_core *cores) {
    static const uint8_t seed[32] = {7};
    wzp_tls_identity tls;
    wzp_tls_identity_from_seed(&tls, seed);
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, 32)};
    for (uint32_t i = 0; i < WORKERS; i++) {
        const wzp_quic_cfg cfg = {.rng = wzp_io_rng(),
                                  .identity = &identity,
                                  .workers = WORKERS,
                                  .worker = i,
                                  .always_retry = i == 1};
        ck_assert(wzp_quic_new(&st->servers[i], &cfg, wzp_io_now()) == WZP_OK);
        cores[i] = wzp_quic_core(st->servers[i]);
    }
}

static void dial_all(stage *st) {
    for (unsigned i = 0; i < CLIENTS; i++) {
        (void)snprintf(st->clients[i].sni, sizeof st->clients[i].sni, "room-%c", 'a' + (int)i);
        const wzp_quic_dial dial = {
            .path = {wzp_addr_v4(127, 3, 0, (uint8_t)(i + 1), wzp_udp_local(st->udp).port),
                     wzp_workers_local(st->workers)},
            .sni = st->clients[i].sni};
        ck_assert(wzp_quic_connect(st->quic, &dial, wzp_io_now(), &st->clients[i].conn) == WZP_OK);
    }
}

static stage *begin(bool no_kernel) {
    stage *st = calloc(1, sizeof *st);
    wzp_core cores[WORKERS];
    const wzp_addr any = wzp_addr_v4(0, 0, 0, 0, 0);
    const wzp_quic_cfg cfg = {.rng = wzp_io_rng()};
    ck_assert_ptr_nonnull(st);
    const wzp_workers_cfg workers = {.local = wzp_addr_v4(127, 0, 0, 1, 0),
                                     .count = WORKERS,
                                     .no_kernel = no_kernel,
                                     .worker_of = by_last_letter,
                                     .after = echo,
                                     .ctx = st};
    make_servers(st, cores);
    ck_assert_int_eq(uv_loop_init(&st->loop), 0);
    ck_assert(wzp_workers_new(&st->workers, &workers) == WZP_OK);
    ck_assert(wzp_workers_by_kernel(st->workers) != no_kernel);
    ck_assert(wzp_workers_start(st->workers, &st->loop, cores) == WZP_OK);
    ck_assert(wzp_quic_new(&st->quic, &cfg, wzp_io_now()) == WZP_OK);
    ck_assert(wzp_udp_open(&st->udp, &any, false) == WZP_OK);
    dial_all(st);
    return st;
}

static void finish(stage *st) {
    wzp_workers_stop(st->workers);
    wzp_workers_stop(st->workers);
    uv_run(&st->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&st->loop), 0);
    wzp_workers_free(&st->workers);
    for (unsigned i = 0; i < WORKERS; i++) {
        wzp_quic_free(&st->servers[i]);
    }
    wzp_quic_free(&st->quic);
    wzp_udp_close(&st->udp);
    free(st);
}

START_TEST(connections_live_where_their_room_is) {
    const bool no_kernel = _i == 1;
    stage *st = begin(no_kernel);
    wzp_workers_counters counters;
    play(st);
    wzp_workers_count(st->workers, &counters);
    ck_assert_uint_ge(counters.steer.peeked, CLIENTS);
    ck_assert_uint_eq(counters.dropped, 0);
    ck_assert_uint_eq(counters.steer.dropped, 0);
    /* With the kernel: first packets only. */
    ck_assert((counters.handed_over > (uint64_t)CLIENTS * ECHOES / 2) == no_kernel);
    finish(st);
}
END_TEST

/* In the middle of all that: threads end, and nothing is used after its end. */
START_TEST(a_stop_in_full_swing) {
    stage *st = begin(true);
    const wzp_core core = wzp_quic_core(st->quic);
    for (int i = 0; i < 30; i++) {
        wzp_udp_transmit(st->udp, core, wzp_io_now());
        wzp_udp_receive(st->udp, core, wzp_io_now());
        on_events(st);
        uv_run(&st->loop, UV_RUN_NOWAIT);
    }
    finish(st);
}
END_TEST

START_TEST(an_address_in_use_is_refused) {
    wzp_udp *other = NULL;
    wzp_workers *workers = NULL;
    const wzp_udp_cfg udp = {.local = wzp_addr_v4(127, 0, 0, 1, 0), .shared = _i == 1};
    ck_assert(wzp_udp_new(&other, &udp) == WZP_OK);
    const wzp_workers_cfg cfg = {.local = wzp_udp_local(other), .count = 2};
    ck_assert(wzp_workers_new(&workers, &cfg) == WZP_ERR_IO);
    ck_assert_int_eq(errno, EADDRINUSE);
    wzp_udp_close(&other);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, connections_live_where_their_room_is, 0, 2);
    tcase_add_test(tc, a_stop_in_full_swing);
    tcase_add_loop_test(tc, an_address_in_use_is_refused, 0, 2);
    return wzp_run_suite("workers", tc);
}
