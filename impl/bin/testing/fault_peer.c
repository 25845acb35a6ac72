/* Clients as they should not be, for faults_test.sh.
 *
 *   fault_peer flood RELAY COUNT       the first packets of COUNT clients, each from an address of
 *                                      its own in 127.0.0.0/8; nobody waits for what comes back
 *   fault_peer say RELAY SNI COUNT TEXT    COUNT connections, each with one signal
 *   fault_peer half RELAY SNI COUNT    the same with a signal that ends in the middle
 *   fault_peer streams RELAY SNI       a member that begins as many signals as it may, and ends
 * none fault_peer move RELAY SNI          a member whose packets come from another port after a
 * while, as when a NAT forgets
 *
 *   fault_peer offend RELAY SNI SEED   a member, always the same for the same byte, that sends more
 *                                      than a voice could as soon as it is in, until it is closed
 *
 * Says what happens, one line each: "open", "closed CODE REASON" when all connections are (of the
 * last one), "moved", "heard N" for packets of media: the first, and every fiftieth one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "io/drive.h"
#include "io/sys.h"
#include "quic/core.h"
#include "relay/testing/offer.h"
#include "wire/media.h"

enum { STREAMS = 99, BATCH = 20, MOVE_AFTER = 50 };

typedef enum command { FLOOD, SAY, HALF, OPEN_STREAMS, MOVE, OFFEND } command;

static struct peer {
    command command;
    wzp_addr relay;
    const char *sni, *text;
    unsigned count, closed, heard;
    uint8_t seed; /* OFFEND: of the identity */
    bool moved;
    wzp_quic *quic;
    wzp_udp *udp[2];
    wzp_drive drive[2];
    uv_loop_t loop;
} peer;

static const uint8_t half[] = {0, 0, 0x10, 0, '{', '"'};

static void must(wzp_err err, const char *what) {
    if (err != WZP_OK) {
        printf("failed %s: %s\n", what, wzp_err_text(err));
        exit(1); /* NOLINT(concurrency-mt-unsafe): one thread */
    }
}

/* --- one connection --------------------------------------------------------------------------- */

static void offer(wzp_quic_conn conn) {
    uint8_t json[OFFER_MAX];
    uint8_t seed[32];
    wzp_identity identity;
    wzp_rng_fill(wzp_io_rng(), seed, sizeof seed);
    if (peer.command == OFFEND) {
        memset(seed, peer.seed, sizeof seed);
    }
    wzp_identity_from_seed(&identity, seed);
    const size_t len = offer_write(json, sizeof json, &identity, NULL, wzp_io_rng());
    must(wzp_quic_send_signal(peer.quic, conn, wzp_bytes_of(json, len), NULL), "offer");
}

static void begin_signal(wzp_quic_conn conn, bool fin) {
    int64_t stream = 0;
    must(wzp_quic_stream_open(peer.quic, conn, WZP_QUIC_BIDI, &stream), "stream");
    must(wzp_quic_stream_write(peer.quic, conn, stream, wzp_bytes_of(half, sizeof half), fin),
         "write");
}

static void on_connected(wzp_quic_conn conn) {
    switch (peer.command) {
    case SAY:
        must(wzp_quic_send_signal(peer.quic, conn, wzp_bytes_str(peer.text), NULL), "signal");
        break;
    case HALF:
        begin_signal(conn, true);
        break;
    case OPEN_STREAMS:
        offer(conn);
        for (int i = 0; i < STREAMS; i++) {
            begin_signal(conn, false);
        }
        break;
    case MOVE:
    case OFFEND:
        offer(conn);
        break;
    case FLOOD:
        break;
    }
    puts("open");
}

/* 60 kB within an instant. */
static void offend(wzp_quic_conn conn) {
    uint8_t packet[WZP_MEDIA_HDR_LEN + 1000] = {0};
    for (uint32_t i = 0; i < 60; i++) {
        wzp_wr wr;
        const wzp_media_hdr hdr = {
            .version = WZP_PROTOCOL_VERSION, .seq = i, .timestamp_ms = 20 * i};
        wzp_wr_init(&wr, packet, sizeof packet);
        wzp_media_hdr_write(&wr, &hdr);
        must(wzp_quic_send_datagram(peer.quic, conn, wzp_bytes_of(packet, sizeof packet)), "send");
    }
}

static bool holds(wzp_bytes text, const char *word) {
    return memmem(text.data, text.len, word, strlen(word)) != NULL;
}

static void on_signal(wzp_quic_conn conn, wzp_bytes json) {
    if (peer.command == OFFEND && holds(json, "RoomUpdate")) {
        offend(conn);
    } else if (peer.command == OFFEND && holds(json, "Hangup")) {
        printf("%.*s\n", (int)json.len, (const char *)json.data);
    }
}

/* Its socket is not heard any more: the other one speaks for it. */
static void move(void) {
    peer.moved = true;
    wzp_drive_stop(&peer.drive[0]);
    must(wzp_drive_start(&peer.drive[1], &peer.loop), "drive");
    puts("moved");
}

static void on_datagram(void) {
    if (peer.heard++ % 50 == 0) {
        printf("heard %u\n", peer.heard);
    }
    if (peer.command == MOVE && peer.heard == MOVE_AFTER) {
        move();
    }
}

static void on_closed(const wzp_quic_close_info *close) {
    if (++peer.closed == peer.count) {
        printf("closed %llu %s\n", (unsigned long long)close->code, wzp_quic_close_text(close));
        wzp_drive_stop(&peer.drive[peer.moved ? 1 : 0]);
    }
}

static void after(void *ctx, wzp_time now) {
    wzp_quic_event ev;
    (void)ctx;
    (void)now;
    while (wzp_quic_next_event(peer.quic, &ev)) {
        if (ev.kind == WZP_QUIC_CONNECTED) {
            on_connected(ev.conn);
        } else if (ev.kind == WZP_QUIC_DATAGRAM) {
            on_datagram();
        } else if (ev.kind == WZP_QUIC_SIGNAL) {
            on_signal(ev.conn, ev.body);
        } else if (ev.kind == WZP_QUIC_CLOSED) {
            on_closed(&ev.close);
        }
    }
}

/* --- all of them ------------------------------------------------------------------------------ */

static wzp_quic_conn dial(wzp_addr local) {
    wzp_quic_conn conn = 0;
    const wzp_quic_dial where = {.path = {local, peer.relay}, .sni = peer.sni};
    must(wzp_quic_connect(peer.quic, &where, wzp_io_now(), &conn), "connect");
    return conn;
}

static void open_socket(size_t i, wzp_addr local) {
    must(wzp_udp_open(&peer.udp[i], &local, true), "socket");
    peer.drive[i] =
        (wzp_drive){.core = wzp_quic_core(peer.quic), .udp = peer.udp[i], .after = after};
}

static void flood(void) {
    open_socket(0, wzp_addr_v4(0, 0, 0, 0, 0));
    const uint16_t port = wzp_udp_local(peer.udp[0]).port;
    for (unsigned i = 0; i < peer.count; i++) {
        const wzp_quic_conn conn =
            dial(wzp_addr_v4(127, 9, (uint8_t)(i >> 8), (uint8_t)(i + 1), port));
        (void)wzp_udp_transmit(peer.udp[0], wzp_quic_core(peer.quic), wzp_io_now());
        wzp_quic_abandon(peer.quic, conn);
        if (i % BATCH == 0) {
            (void)nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        }
    }
}

static void talk(void) {
    const wzp_addr any = {.family = WZP_ADDR_NONE};
    open_socket(0, wzp_addr_v4(127, 0, 0, 1, 0));
    open_socket(1, wzp_addr_v4(127, 0, 0, 1, 0));
    uv_loop_init(&peer.loop);
    must(wzp_drive_start(&peer.drive[0], &peer.loop), "drive");
    for (unsigned i = 0; i < peer.count; i++) {
        (void)dial(any);
    }
    wzp_drive_kick(&peer.drive[0]);
    uv_run(&peer.loop, UV_RUN_DEFAULT);
    uv_loop_close(&peer.loop);
}

static bool parse(int argc, char **argv) {
    static const struct {
        const char *name;
        int words;
    } commands[] = {
        [FLOOD] = {"flood", 4},          [SAY] = {"say", 6},   [HALF] = {"half", 5},
        [OPEN_STREAMS] = {"streams", 4}, [MOVE] = {"move", 4}, [OFFEND] = {"offend", 5}};
    for (size_t i = 0; i < WZP_COUNT_OF(commands); i++) {
        if (argc == commands[i].words && strcmp(argv[1], commands[i].name) == 0) {
            peer.command = (command)i;
            peer.sni = i == FLOOD ? "room" : argv[3];
            peer.text = i == SAY ? argv[5] : NULL;
            peer.seed = i == OFFEND ? (uint8_t)strtoul(argv[4], NULL, 10) : 0;
            peer.count = i == FLOOD              ? (unsigned)strtoul(argv[3], NULL, 10)
                         : i == SAY || i == HALF ? (unsigned)strtoul(argv[4], NULL, 10)
                                                 : 1;
            return peer.count > 0 && wzp_addr_parse(&peer.relay, argv[2]) == WZP_OK;
        }
    }
    return false;
}

int main(int argc, char **argv) {
    if (!parse(argc, argv)) {
        (void)fputs("usage: fault_peer flood|say|half|streams|move|offend RELAY ...\n", stderr);
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    const wzp_quic_cfg cfg = {.rng = wzp_io_rng()};
    must(wzp_quic_new(&peer.quic, &cfg, wzp_io_now()), "endpoint");
    if (peer.command == FLOOD) {
        flood();
    } else {
        talk();
    }
    wzp_quic_free(&peer.quic);
    wzp_udp_close(&peer.udp[0]);
    wzp_udp_close(&peer.udp[1]);
    return 0;
}
