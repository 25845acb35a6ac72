/* Relays of several workers on real sockets: whoever is in a room hears all of it, wherever its
 * packets come from, and what is counted is counted together. */
#include <poll.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "bin/relay/relay_crew.h"
#include "io/sys.h"
#include "relay/testing/offer.h"
#include "wire/media.h"
#include "wire/signal.h"

enum { WORKERS = 4, ROOMS = 12, MEMBERS = 4, GUESTS = ROOMS * MEMBERS };

#define FORWARDED ((uint64_t)GUESTS * (MEMBERS - 1))

#define PATIENCE (100 * WZP_S)

typedef struct guest {
    wzp_quic_conn conn;
    char room[16];
    unsigned updates, count; /* of the last one */
    unsigned heard, strange; /* packets of its room, and of another */
    bool closed;
} guest;

typedef struct stage {
    wzp_relay_crew *crew;
    uv_loop_t loop;
    wzp_addr relay;
    wzp_udp *udp;
    wzp_quic *quic;
    guest guests[GUESTS + 1];
    unsigned count;
    unsigned events;
} stage;

/* --- guests ----------------------------------------------------------------------------------- */

static wzp_addr addr_of(const stage *st, unsigned number) {
    return wzp_addr_v4(127, 2, (uint8_t)(number >> 7), (uint8_t)(1 + number % 128),
                       wzp_udp_local(st->udp).port);
}

static void send_offer(stage *st, wzp_quic_conn conn) {
    uint8_t seed[WZP_KEY_LEN] = {9};
    uint8_t json[OFFER_MAX];
    wzp_identity identity;
    memcpy(seed + 1, &conn, sizeof conn);
    wzp_identity_from_seed(&identity, seed);
    const size_t len = offer_write(json, sizeof json, &identity, NULL, wzp_io_rng());
    ck_assert(wzp_quic_send_signal(st->quic, conn, wzp_bytes_of(json, len), NULL) == WZP_OK);
}

static guest *dial(stage *st, const char *room) {
    guest *g = &st->guests[st->count];
    (void)snprintf(g->room, sizeof g->room, "%s", room);
    const wzp_quic_dial to = {
        .path = {addr_of(st, st->count), st->relay}, .sni = g->room, .app = g};
    ck_assert(wzp_quic_connect(st->quic, &to, wzp_io_now(), &g->conn) == WZP_OK);
    st->count++;
    return g;
}

/* The payload is the room's name. */
static void say(stage *st, const guest *g, uint32_t seq) {
    uint8_t body[64];
    wzp_wr wr;
    const wzp_media_packet packet = {.hdr = {.version = WZP_PROTOCOL_VERSION, .seq = seq},
                                     .payload = wzp_bytes_str(g->room)};
    wzp_wr_init(&wr, body, sizeof body);
    wzp_media_packet_write(&wr, &packet);
    ck_assert(wzp_quic_send_datagram(st->quic, g->conn, wzp_bytes_of(body, wzp_wr_len(&wr))) ==
              WZP_OK);
}

static void on_signal(guest *g, wzp_bytes json) {
    wzp_signal *signal = NULL;
    ck_assert(wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK);
    if (signal->kind == WZP_SIGNAL_ROOM_UPDATE) {
        g->updates++;
        g->count = signal->u.RoomUpdate.count;
    }
    wzp_signal_free(&signal);
}

static void on_datagram(guest *g, wzp_bytes body) {
    wzp_media_packet packet;
    ck_assert(wzp_media_packet_parse(&packet, body, NULL) == WZP_OK);
    const bool mine = packet.payload.len == strlen(g->room) &&
                      memcmp(packet.payload.data, g->room, packet.payload.len) == 0;
    g->heard += mine ? 1 : 0;
    g->strange += mine ? 0 : 1;
}

static void on_events(stage *st) {
    wzp_quic_event ev;
    while (wzp_quic_next_event(st->quic, &ev)) {
        guest *g = NULL;
        for (unsigned i = 0; i < st->count; i++) {
            g = st->guests[i].conn == ev.conn ? &st->guests[i] : g;
        }
        ck_assert_ptr_nonnull(g);
        if (ev.kind == WZP_QUIC_CONNECTED) {
            send_offer(st, ev.conn);
        } else if (ev.kind == WZP_QUIC_SIGNAL) {
            on_signal(g, ev.body);
        } else if (ev.kind == WZP_QUIC_DATAGRAM) {
            on_datagram(g, ev.body);
        } else if (ev.kind == WZP_QUIC_CLOSED) {
            g->closed = true;
        }
    }
}

/* Guests and worker 0 take turns on this thread; the other workers have theirs. */
static bool play_until(stage *st, bool (*is_enough)(const stage *st)) {
    const wzp_core core = wzp_quic_core(st->quic);
    const wzp_time give_up = wzp_io_now() + PATIENCE;
    while (!is_enough(st) && wzp_io_now() < give_up) {
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
    return is_enough(st);
}

/* --- enough ----------------------------------------------------------------------------------- */

static bool all_are_in(const stage *st) {
    for (unsigned i = 0; i < st->count; i++) {
        if (st->guests[i].count != MEMBERS) {
            return false;
        }
    }
    return true;
}

static bool all_have_heard(const stage *st) {
    for (unsigned i = 0; i < st->count; i++) {
        if (st->guests[i].heard < MEMBERS - 1) {
            return false;
        }
    }
    return true;
}

static bool all_are_closed(const stage *st) {
    for (unsigned i = 0; i < st->count; i++) {
        if (!st->guests[i].closed) {
            return false;
        }
    }
    return true;
}

static bool last_is_closed(const stage *st) {
    return st->guests[st->count - 1].closed;
}

static bool last_is_in(const stage *st) {
    return st->guests[st->count - 1].count == 1;
}

static bool crew_is_drained(const stage *st) {
    return wzp_relay_crew_is_drained(st->crew);
}

/* --- set-up ----------------------------------------------------------------------------------- */

static void count_event(void *ctx, const wzp_relay_event *event) {
    stage *st = ctx;
    st->events += strcmp(event->event, "join") == 0;
}

static stage *begin(unsigned workers) {
    stage *st = calloc(1, sizeof *st);
    const wzp_addr local = wzp_addr_v4(127, 0, 0, 1, 0);
    const wzp_addr any = wzp_addr_v4(0, 0, 0, 0, 0);
    const wzp_relay_cfg cfg = {.rng = wzp_io_rng(), .seed = {3}, .max_sessions = GUESTS};
    const wzp_quic_cfg quic = {.rng = wzp_io_rng()};
    ck_assert_ptr_nonnull(st);
    ck_assert(wzp_relay_crew_new(&st->crew, &cfg, workers, count_event, NULL, st, NULL) == WZP_OK);
    ck_assert(wzp_relay_crew_listen(st->crew, &local) == WZP_OK);
    ck_assert(workers == 1 || wzp_workers_by_kernel(wzp_relay_crew_workers(st->crew)));
    st->relay = wzp_workers_local(wzp_relay_crew_workers(st->crew));
    ck_assert_int_eq(uv_loop_init(&st->loop), 0);
    ck_assert(wzp_relay_crew_start(st->crew, &st->loop) == WZP_OK);
    ck_assert(wzp_quic_new(&st->quic, &quic, wzp_io_now()) == WZP_OK);
    ck_assert(wzp_udp_open(&st->udp, &any, false) == WZP_OK);
    for (unsigned i = 0; i < GUESTS; i++) {
        char room[16];
        (void)snprintf(room, sizeof room, "Room-%u", i % ROOMS);
        (void)dial(st, room);
    }
    return st;
}

static void finish(stage *st) {
    wzp_relay_crew_stop(st->crew);
    uv_run(&st->loop, UV_RUN_DEFAULT);
    wzp_relay_crew_drain_events(st->crew);
    ck_assert_uint_eq(st->events, GUESTS);
    ck_assert_int_eq(uv_loop_close(&st->loop), 0);
    wzp_relay_crew_free(&st->crew);
    wzp_quic_free(&st->quic);
    wzp_udp_close(&st->udp);
    free(st);
}

static long long crew_metric(wzp_relay_crew *crew, const char *name) {
    static char page[1 << 20];
    wzp_wr wr;
    char line[128];
    wzp_wr_init(&wr, (uint8_t *)page, sizeof page - 1);
    ck_assert(wzp_relay_crew_metrics(crew, &wr) == WZP_OK);
    page[wzp_wr_len(&wr)] = '\0';
    (void)snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr(page, line);
    ck_assert_msg(at != NULL, "%s is not on the page", name);
    return strtoll(at + strlen(line), NULL, 10);
}

static long long metric(const stage *st, const char *name) {
    return crew_metric(st->crew, name);
}

static void all_speak(stage *st) {
    for (unsigned i = 0; i < st->count; i++) {
        st->guests[i].heard = st->guests[i].strange = 0;
        say(st, &st->guests[i], 1);
    }
    ck_assert(play_until(st, all_have_heard));
    for (unsigned i = 0; i < st->count; i++) {
        ck_assert_uint_eq(st->guests[i].heard, MEMBERS - 1);
        ck_assert_uint_eq(st->guests[i].strange, 0);
    }
}

/* --- tests ------------------------------------------------------------------------------------ */

START_TEST(rooms_of_all_workers) {
    stage *st = begin(_i == 0 ? 1 : WORKERS);
    ck_assert(play_until(st, all_are_in));
    all_speak(st);
    ck_assert_int_eq(metric(st, "wzp_relay_active_sessions"), GUESTS);
    ck_assert_int_eq(metric(st, "wzp_relay_active_rooms"), ROOMS);
    ck_assert_int_eq(metric(st, "wzp_quic_connections"), GUESTS);
    wzp_relay_totals totals;
    wzp_relay_crew_count(st->crew, &totals);
    ck_assert_uint_eq(totals.packets_in, GUESTS);
    ck_assert_uint_eq(totals.packets_forwarded, FORWARDED);
    wzp_relay_crew_shutdown(st->crew);
    ck_assert(play_until(st, all_are_closed));
    finish(st);
}
END_TEST

/* From another address the kernel would choose another socket, were it not for the id. */
START_TEST(guests_move) {
    stage *st = begin(WORKERS);
    ck_assert(play_until(st, all_are_in));
    for (unsigned i = 0; i < st->count; i++) {
        const wzp_addr elsewhere = addr_of(st, 1000 + 3 * i);
        ck_assert(wzp_quic_migrate(st->quic, st->guests[i].conn, &elsewhere, wzp_io_now()) ==
                  WZP_OK);
    }
    all_speak(st);
    const long long before = metric(st, "wzp_relay_handed_over_total");
    all_speak(st);
    ck_assert_int_eq(metric(st, "wzp_relay_handed_over_total"), before);
    ck_assert_int_eq(metric(st, "wzp_relay_handed_over_dropped_total"), 0);
    wzp_relay_crew_shutdown(st->crew);
    ck_assert(play_until(st, all_are_closed));
    finish(st);
}
END_TEST

START_TEST(one_too_many_for_all_workers) {
    stage *st = begin(WORKERS);
    ck_assert(play_until(st, all_are_in));
    (void)dial(st, "one-more");
    ck_assert(play_until(st, last_is_closed));
    ck_assert_int_eq(metric(st, "wzp_relay_active_sessions"), GUESTS);
    st->count--;
    const wzp_relay_live live = {.max_sessions = GUESTS + 1};
    wzp_relay_crew_change(st->crew, &live);
    guest *late = dial(st, "one-more");
    *late = (guest){.conn = late->conn, .room = "one-more"};
    ck_assert(play_until(st, last_is_in));
    st->events--;
    finish(st);
}
END_TEST

START_TEST(a_drain_waits_for_all_workers) {
    stage *st = begin(WORKERS);
    ck_assert(play_until(st, all_are_in));
    wzp_relay_crew_drain(st->crew);
    ck_assert_int_eq(metric(st, "wzp_relay_draining"), 1);
    all_speak(st);
    for (unsigned i = 0; i < st->count; i++) {
        ck_assert(!wzp_relay_crew_is_drained(st->crew));
        wzp_quic_close(st->quic, st->guests[i].conn, 0, "", wzp_io_now());
    }
    ck_assert(play_until(st, crew_is_drained));
    finish(st);
}
END_TEST

/* A relay that is measured by another one of several workers sees one of them. */
START_TEST(other_relays_are_measured_once) {
    const wzp_addr local = wzp_addr_v4(127, 0, 0, 1, 0);
    wzp_relay_cfg cfg = {.rng = wzp_io_rng(), .seed = {4}, .max_sessions = GUESTS};
    wzp_relay_crew *crews[2]; /* the one that is measured, and who measures */
    wzp_addr target;
    uv_loop_t loop;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    for (unsigned i = 0; i < 2; i++) {
        cfg.probe_targets = &target;
        cfg.probe_count = i;
        ck_assert(wzp_relay_crew_new(&crews[i], &cfg, i == 0 ? 1 : WORKERS, NULL, NULL, NULL,
                                     NULL) == WZP_OK);
        ck_assert(wzp_relay_crew_listen(crews[i], &local) == WZP_OK);
        target = wzp_workers_local(wzp_relay_crew_workers(crews[i]));
        ck_assert(wzp_relay_crew_start(crews[i], &loop) == WZP_OK);
    }
    wzp_time until = wzp_io_now() + PATIENCE;
    for (bool is_up = false; wzp_io_now() < until;) {
        uv_run(&loop, UV_RUN_NOWAIT);
        (void)poll(NULL, 0, 1);
        if (!is_up && crew_metric(crews[0], "wzp_quic_accepted_total") > 0) {
            is_up = true;
            until = wzp_io_now() + WZP_S; /* for the others, if there were any */
        }
    }
    ck_assert_int_eq(crew_metric(crews[0], "wzp_quic_accepted_total"), 1);
    wzp_relay_crew_stop(crews[0]);
    wzp_relay_crew_stop(crews[1]);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    wzp_relay_crew_free(&crews[0]);
    wzp_relay_crew_free(&crews[1]);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, rooms_of_all_workers, 0, 2);
    tcase_add_test(tc, guests_move);
    tcase_add_test(tc, one_too_many_for_all_workers);
    tcase_add_test(tc, a_drain_waits_for_all_workers);
    tcase_add_test(tc, other_relays_are_measured_once);
    return wzp_run_suite("relay_crew", tc);
}
