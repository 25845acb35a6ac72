/* wzp-relay itself, and its clients: one endpoint with a connection for each of them. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "io/sys.h"
#include "io/udp.h"
#include "relay_join.h"

#define GIVE_UP (60 * WZP_S)

typedef struct quic_clients {
    contender *owner;
    wzp_udp *udp;
    wzp_quic *quic;
    joining joining;
} quic_clients;

/* --- the server ------------------------------------------------------------------------------- */

/* The relay of the same build; its first line says where it listens. */
static bool start_relay(contender *c, const load *l, wzp_addr *addr) {
    char own[PATH_MAX] = "";
    char path[PATH_MAX + 32];
    char threads[16];
    char line[128] = "";
    int out[2];
    if (readlink("/proc/self/exe", own, sizeof own - 1) < 0 || pipe(out) != 0) {
        return false;
    }
    char *slash = strrchr(own, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = '\0';
    (void)snprintf(path, sizeof path, "%s/../bin/wzp-relay", own);
    (void)snprintf(threads, sizeof threads, "%u", l->threads);
    c->server = load_fork();
    if (c->server == 0) {
        dup2(out[1], STDOUT_FILENO);
        execl(path, path, "--listen", "127.0.0.1:0", "--max-sessions", "2000", "--threads", threads,
              "--log-level", "error", "--seed",
              "0101010101010101010101010101010101010101010101010101010101010101", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *text = fdopen(out[0], "r");
    const bool told = text != NULL && fgets(line, sizeof line, text) != NULL &&
                      strncmp(line, "listening on ", 13) == 0;
    line[strcspn(line, "\n")] = '\0';
    if (text != NULL) {
        (void)fclose(text);
    }
    return told && wzp_addr_parse(addr, line + 13) == WZP_OK;
}

/* --- its clients ------------------------------------------------------------------------------ */

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

contender *relay_open(const load *l) {
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
    *c = (contender){.ops = &ops, .self = q};
    q->owner = c;
    wzp_addr relay;
    if (!start_relay(c, l, &relay)) {
        (void)fprintf(stderr, "bench_relay: wzp-relay did not start\n");
    } else if (wzp_quic_new(&q->quic, &cfg, wzp_io_now()) != WZP_OK ||
               wzp_udp_open(&q->udp, &any, false) != WZP_OK) {
        (void)fprintf(stderr, "bench_relay: no endpoint: %s\n", wzp_io_reason(errno));
    } else {
        joining_init(&q->joining, l, q->quic, relay, wzp_udp_local(q->udp).port);
        c->fd = wzp_udp_fd(q->udp);
        if (join(q)) {
            return c;
        }
        (void)fprintf(stderr, "bench_relay: %u of %u have joined, %u connections lost\n",
                      q->joining.answered, l->rooms * l->members, q->joining.lost);
    }
    contender_close(&c);
    return NULL;
}
