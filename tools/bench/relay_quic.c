#include "relay_quic.h"

#include <errno.h>

#include "bench.h"
#include "io/sys.h"
#include "io/udp.h"
#include "relay_join.h"

#define GIVE_UP (60 * WZP_S)

typedef struct quic_clients {
    contender *owner;
    const load *l;
    wzp_udp *udp;
    wzp_quic *quic;
    joining joining;
    bool offers;
} quic_clients;

static void drain(quic_clients *q, wzp_time now) {
    wzp_quic_event ev;
    while (wzp_quic_next_event(q->quic, &ev)) {
        if (ev.kind == WZP_QUIC_DATAGRAM) {
            load_heard(q->owner, ev.body.data, ev.body.len, now);
        } else {
            joining_event(&q->joining, &ev, now);
        }
    }
}

static void turn(void *self, wzp_time now) {
    quic_clients *q = self;
    const wzp_core core = wzp_quic_core(q->quic);
    wzp_udp_datagram dg;
    wzp_quic_tick(q->quic, now);
    (void)wzp_udp_transmit(q->udp, core, now);
    for (int batch = 0; batch < 16 && wzp_udp_read(q->udp); batch++) {
        now = wzp_io_now();
        while (wzp_udp_next(q->udp, &dg)) {
            wzp_quic_recv(q->quic, &dg.path, dg.ecn, dg.payload, now);
        }
        drain(q, now);
    }
    drain(q, now);
    (void)wzp_udp_transmit(q->udp, core, now);
}

static bool join(quic_clients *q) {
    joining *j = &q->joining;
    wzp_time now = wzp_io_now();
    const wzp_time give_up = now + GIVE_UP;
    for (; j->lost == 0 && now < give_up && !joining_done(j, now); now = wzp_io_now()) {
        joining_dial(j, now);
        turn(q, now);
        load_serve_kept(q->owner, now);
    }
    return joining_done(j, now);
}

/* --- the rest --------------------------------------------------------------------------------- */

static void speak(void *self, unsigned client, const uint8_t *body, wzp_time now) {
    quic_clients *q = self;
    (void)now;
    (void)!wzp_quic_send_datagram(q->quic, q->joining.conns[client],
                                  wzp_bytes_of(body, LOAD_HEADER + LOAD_PAYLOAD));
}

static wzp_time deadline(const void *self) {
    const quic_clients *q = self;
    return wzp_quic_deadline(q->quic);
}

static void close_clients(void *self) {
    quic_clients *q = self;
    wzp_quic_free(&q->quic);
    wzp_udp_close(&q->udp);
    free(q);
}

contender *quic_clients_new(const load *l, bool offers) {
    static const clients_ops ops = {speak, turn, deadline, close_clients};
    const wzp_addr any = wzp_addr_v4(0, 0, 0, 0, 0);
    const wzp_quic_cfg cfg = {.rng = wzp_io_rng(), .max_conns = LOAD_MEMBERS_MAX + 1};
    contender *c = calloc(1, sizeof *c);
    quic_clients *q = calloc(1, sizeof *q);
    if (c == NULL || q == NULL) {
        free(c);
        free(q);
        return NULL;
    }
    *q = (quic_clients){.owner = c, .l = l, .offers = offers};
    *c = (contender){.ops = &ops, .self = q};
    if (wzp_quic_new(&q->quic, &cfg, wzp_io_now()) != WZP_OK ||
        wzp_udp_open(&q->udp, &any, false) != WZP_OK) {
        (void)fprintf(stderr, "bench_relay: no endpoint: %s\n", wzp_io_reason(errno));
        contender_close(&c);
        return NULL;
    }
    c->fd = wzp_udp_fd(q->udp);
    return c;
}

uint16_t quic_clients_port(const contender *c) {
    const quic_clients *q = c->self;
    return wzp_udp_local(q->udp).port;
}

contender *quic_clients_join(contender *c, const wzp_addr *server) {
    quic_clients *q = c->self;
    joining_init(&q->joining, q->l, q->quic, *server, quic_clients_port(c), q->offers);
    if (!join(q)) {
        (void)fprintf(stderr, "bench_relay: %u of %u have joined, %u connections lost\n",
                      q->joining.answered, q->l->rooms * q->l->members, q->joining.lost);
        contender_close(&c);
    }
    return c;
}
