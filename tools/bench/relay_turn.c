/* coturn on the same load.  TURN has no fan-out: every listener has an allocation with a channel
 * for the speaker, who sends each packet once for every listener (RFC 8656).  So coturn receives as
 * many packets as it sends, and decrypts none. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wr.h"
#include "bench.h"
#include "io/sys.h"
#include "io/udp.h"
#include "relay_load.h"

enum { COOKIE = 0x2112a442, CHANNEL = 0x4000, AT_ONCE = 32 };

#define GIVE_UP (20 * WZP_S)
#define AGAIN (200 * WZP_MS)

/* What a client waits for. */
typedef enum step { STEP_ALLOCATE, STEP_BIND, STEP_READY } step;

typedef struct turn_client {
    step step;
    wzp_time asked_at;
    wzp_addr relayed;
} turn_client;

typedef struct turn_clients {
    contender *owner;
    const load *l;
    wzp_udp *udp;
    wzp_addr server;
    turn_client clients[LOAD_MEMBERS_MAX];
    unsigned ready;
} turn_clients;

/* --- messages --------------------------------------------------------------------------------- */

static void send_to(turn_clients *t, unsigned client, const wzp_addr *to, const uint8_t *data,
                    size_t len) {
    size_t cap;
    const wzp_quic_meta meta = {.path = {load_addr(client, wzp_udp_local(t->udp).port), *to},
                                .segment = (uint16_t)len};
    uint8_t *room = wzp_udp_room(t->udp, &cap);
    if (room != NULL) {
        memcpy(room, data, len);
        wzp_udp_commit(t->udp, len, &meta);
    }
}

static void begin_message(wzp_wr *wr, uint8_t *buf, size_t cap, uint16_t type, uint16_t len,
                          unsigned client) {
    wzp_wr_init(wr, buf, cap);
    wzp_wr_u16(wr, type);
    wzp_wr_u16(wr, len);
    wzp_wr_u32(wr, COOKIE);
    wzp_wr_u64(wr, client);
    wzp_wr_u32(wr, type);
}

/* The room's first member speaks. */
static unsigned speaker_of(const turn_clients *t, unsigned client) {
    return client / t->l->members * t->l->members;
}

static void ask(turn_clients *t, unsigned client, wzp_time now) {
    uint8_t buf[64];
    wzp_wr wr;
    turn_client *c = &t->clients[client];
    c->asked_at = now;
    if (c->step == STEP_ALLOCATE) {
        begin_message(&wr, buf, sizeof buf, 0x0003, 8, client);
        wzp_wr_u32(&wr, 0x00190004); /* REQUESTED-TRANSPORT: UDP */
        wzp_wr_u32(&wr, 17U << 24);
    } else {
        const wzp_addr peer = load_addr(speaker_of(t, client), wzp_udp_local(t->udp).port);
        const uint32_t ip = (uint32_t)peer.ip[0] << 24 | (uint32_t)peer.ip[1] << 16 |
                            (uint32_t)peer.ip[2] << 8 | peer.ip[3];
        begin_message(&wr, buf, sizeof buf, 0x0009, 20, client);
        wzp_wr_u32(&wr, 0x000c0004); /* CHANNEL-NUMBER */
        wzp_wr_u32(&wr, (uint32_t)CHANNEL << 16);
        wzp_wr_u32(&wr, 0x00120008); /* XOR-PEER-ADDRESS */
        wzp_wr_u16(&wr, 1);
        wzp_wr_u16(&wr, peer.port ^ (COOKIE >> 16));
        wzp_wr_u32(&wr, ip ^ COOKIE);
    }
    send_to(t, client, &t->server, buf, wzp_wr_len(&wr));
}

static wzp_addr find_relayed(wzp_bytes message) {
    for (size_t at = 20; at + 12 <= message.len;) {
        const uint8_t *a = message.data + at;
        if (a[0] == 0 && a[1] == 0x16) {
            return wzp_addr_v4(a[8] ^ 0x21, a[9] ^ 0x12, a[10] ^ 0xa4, a[11] ^ 0x42,
                               (uint16_t)((a[6] ^ 0x21) << 8 | (a[7] ^ 0x12)));
        }
        at += 4 + (((size_t)a[2] << 8 | a[3]) + 3) / 4 * 4;
    }
    return (wzp_addr){.family = WZP_ADDR_NONE};
}

static void on_datagram(turn_clients *t, const wzp_udp_datagram *dg, wzp_time now) {
    const wzp_bytes p = dg->payload;
    const unsigned client = load_client(dg->path.local.ip);
    if (p.len > 4 && p.data[0] == CHANNEL >> 8) {
        load_heard(t->owner, p.data + 4, p.len - 4, now);
        return;
    }
    if (p.len < 20 || client >= t->l->rooms * t->l->members) {
        return;
    }
    turn_client *c = &t->clients[client];
    const unsigned type = (unsigned)p.data[0] << 8 | p.data[1];
    if (type == 0x0103 && c->step == STEP_ALLOCATE) {
        c->relayed = find_relayed(p);
        c->step = STEP_BIND;
        ask(t, client, now);
    } else if (type == 0x0109 && c->step == STEP_BIND) {
        c->step = STEP_READY;
        t->ready++;
    }
}

/* --- a contender ------------------------------------------------------------------------------ */

static void turn_turn(void *self, wzp_time now) {
    turn_clients *t = self;
    wzp_udp_datagram dg;
    (void)now;
    wzp_udp_flush(t->udp);
    for (int batch = 0; batch < 64 && wzp_udp_read(t->udp); batch++) {
        const wzp_time at = wzp_io_now();
        while (wzp_udp_next(t->udp, &dg)) {
            on_datagram(t, &dg, at);
        }
    }
    wzp_udp_flush(t->udp);
}

static void turn_speak(void *self, unsigned client, const uint8_t *body, wzp_time now) {
    turn_clients *t = self;
    uint8_t packet[LOAD_WIRE] = {0};
    (void)now;
    memcpy(packet, body, LOAD_HEADER + LOAD_PAYLOAD);
    for (unsigned i = client + 1; i < client + t->l->members; i++) {
        send_to(t, client, &t->clients[i].relayed, packet, sizeof packet);
    }
}

static wzp_time turn_deadline(const void *self) {
    (void)self;
    return WZP_TIME_NEVER;
}

static void turn_close(void *self) {
    turn_clients *t = self;
    wzp_udp_close(&t->udp);
    free(t);
}

static bool allocate_all(turn_clients *t) {
    const unsigned all = t->l->rooms * t->l->members;
    const wzp_time give_up = wzp_io_now() + GIVE_UP;
    wzp_time now;
    while (t->ready < all && (now = wzp_io_now()) < give_up) {
        for (unsigned i = 0, open = 0; i < all && open < AT_ONCE; i++) {
            turn_client *c = &t->clients[i];
            open += c->step != STEP_READY ? 1 : 0;
            if (c->step != STEP_READY && now >= c->asked_at + AGAIN) {
                ask(t, i, now);
            }
        }
        turn_turn(t, now);
    }
    return t->ready == all;
}

static bool start_server(turn_clients *t, contender *c) {
    static const char path[] = "/usr/bin/turnserver";
    char port[16];
    wzp_udp *probe = NULL;
    const wzp_addr local = wzp_addr_v4(127, 0, 0, 1, 0);
    if (access(path, X_OK) != 0 || wzp_udp_open(&probe, &local, true) != WZP_OK) {
        return false;
    }
    t->server = wzp_udp_local(probe);
    wzp_udp_close(&probe);
    (void)snprintf(port, sizeof port, "%u", t->server.port);
    c->server = load_fork();
    if (c->server == 0) {
        (void)!freopen("/dev/null", "w", stdout);
        (void)!freopen("/dev/null", "w", stderr);
        execl(path, path, "-n", "--no-auth", "--no-tls", "--no-dtls", "--no-cli",
              "--allow-loopback-peers", "-L", "127.0.0.1", "-E", "127.0.0.1", "-p", port, "-m", "1",
              "--no-tcp", "--no-tcp-relay", "--no-stdout-log", "--simple-log", "--log-file",
              "/dev/null", "--pidfile", "/dev/null", "--userdb", "/dev/null", (char *)NULL);
        _exit(127);
    }
    return c->server > 0;
}

contender *turn_open(const load *l) {
    static const clients_ops ops = {turn_speak, turn_turn, turn_deadline, turn_close};
    const wzp_addr any = wzp_addr_v4(0, 0, 0, 0, 0);
    contender *c = calloc(1, sizeof *c);
    turn_clients *t = calloc(1, sizeof *t);
    if (c == NULL || t == NULL || wzp_udp_open(&t->udp, &any, false) != WZP_OK) {
        free(c);
        free(t);
        return NULL;
    }
    *c = (contender){.ops = &ops, .self = t, .fd = wzp_udp_fd(t->udp)};
    t->owner = c;
    t->l = l;
    if (start_server(t, c) && allocate_all(t)) {
        return c;
    }
    (void)fprintf(stderr, "bench_relay: coturn: %u of %u allocations\n", t->ready,
                  l->rooms * l->members);
    contender_close(&c);
    return NULL;
}
