/* Writes a capture of any size, with secrets inside: rooms of two who speak 50 times a second, as a
 * relay would see them.  The connections are real ones between two QUIC endpoints in memory, on a
 * virtual clock; the same arguments give the same file.
 *
 *     make_capture BYTES CONNECTIONS FILE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "crypto/identity.h"
#include "quic/quic.h"
#include "trace/inet.h"
#include "trace/pcapng.h"
#include "wire/media.h"

#define CONNS_MAX 4000
#define FRAME (20 * WZP_MS)
#define PAYLOAD 76                   /* of a frame of Opus at 24 kbit/s, sealed */
#define START_S UINT64_C(1780000000) /* since 1970 */

typedef struct maker {
    FILE *file;
    FILE *held; /* packets until all secrets are in the file: Wireshark reads it once, in order */
    char *held_bytes;
    size_t held_len;
    uint64_t written, bytes;
    wzp_time now;
    wzp_quic *relay, *clients;
    wzp_quic_conn joined[CONNS_MAX], members[CONNS_MAX]; /* at the relay; at the clients */
    unsigned conns, joined_count, connected_count;
    wzp_prng prng;
    bool failed;
} maker;

static void put(maker *m, FILE *file, const uint8_t *block, const wzp_wr *wr) {
    if (wzp_wr_end(wr) != WZP_OK || fwrite(block, 1, wzp_wr_len(wr), file) != wzp_wr_len(wr)) {
        m->failed = true;
    }
    m->written += wzp_wr_len(wr);
}

static bool hold(maker *m) {
    m->held = open_memstream(&m->held_bytes, &m->held_len);
    return m->held != NULL;
}

static void release(maker *m) {
    m->failed |=
        fclose(m->held) != 0 || fwrite(m->held_bytes, 1, m->held_len, m->file) != m->held_len;
    free(m->held_bytes);
    m->held = NULL;
}

static void on_keylog(void *ctx, wzp_quic_conn conn, const char *line) {
    uint8_t block[512];
    char text[256];
    wzp_wr wr;
    (void)conn;
    (void)snprintf(text, sizeof text, "%s\n", line);
    wzp_wr_init(&wr, block, sizeof block);
    wzp_pcapng_put_secrets(&wr, WZP_PCAPNG_LITTLE, wzp_bytes_str(text));
    maker *m = ctx;
    put(m, m->file, block, &wr);
}

static void capture(maker *m, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload) {
    uint8_t block[2048];
    uint8_t head[WZP_INET_HEAD_MAX];
    wzp_wr wr;
    const size_t head_len = wzp_inet_udp_head(head, &path->local, &path->remote, ecn, payload);
    wzp_wr_init(&wr, block, sizeof block);
    wzp_pcapng_put_packet(&wr, WZP_PCAPNG_LITTLE,
                          &(wzp_pcapng_packet){.time = START_S * WZP_S + m->now,
                                               .head = wzp_bytes_of(head, head_len),
                                               .data = payload});
    put(m, m->held != NULL ? m->held : m->file, block, &wr);
}

/* All that one endpoint has to say goes to the other one, and into the file. */
static bool carry(maker *m, wzp_quic *from, wzp_quic *to) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    wzp_quic_meta meta;
    size_t len = 0;
    bool any = false;
    wzp_quic_tick(from, m->now);
    while ((len = wzp_quic_next_packet(from, m->now, buf, sizeof buf, &meta)) > 0) {
        any = true;
        for (size_t at = 0; at < len; at += meta.segment) {
            const size_t n = len - at < meta.segment ? len - at : meta.segment;
            const wzp_quic_path back = {.local = meta.path.remote, .remote = meta.path.local};
            capture(m, &meta.path, meta.ecn, wzp_bytes_of(buf + at, n));
            wzp_quic_recv(to, &back, meta.ecn, wzp_bytes_of(buf + at, n), m->now);
        }
    }
    return any;
}

static void take_events(maker *m) {
    wzp_quic_event ev;
    while (wzp_quic_next_event(m->relay, &ev)) {
        if (ev.kind == WZP_QUIC_CONNECTED && m->joined_count < CONNS_MAX) {
            m->joined[m->joined_count++] = ev.conn;
        }
        m->failed |= ev.kind == WZP_QUIC_CLOSED;
    }
    while (wzp_quic_next_event(m->clients, &ev)) {
        m->connected_count += ev.kind == WZP_QUIC_CONNECTED ? 1 : 0;
        m->failed |= ev.kind == WZP_QUIC_CLOSED;
    }
}

static void settle(maker *m) {
    bool any = true;
    while (any) {
        any = carry(m, m->clients, m->relay);
        any |= carry(m, m->relay, m->clients);
        take_events(m);
    }
}

static bool endpoints(maker *m) {
    static wzp_prng prngs[2];
    static const uint8_t seed[32] = {1};
    wzp_tls_identity tls;
    wzp_tls_identity_from_seed(&tls, seed);
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, sizeof tls.ed25519_seed)};
    wzp_prng_init(&prngs[0], 1, "relay");
    wzp_prng_init(&prngs[1], 1, "clients");
    wzp_quic_cfg cfg = {.rng = wzp_prng_rng(&prngs[0]),
                        .identity = &identity,
                        .max_conns = CONNS_MAX + 1,
                        .max_handshakes = CONNS_MAX + 1,
                        .deterministic = true,
                        .loopback_mtu = true,
                        .keylog = on_keylog,
                        .keylog_ctx = m};
    if (wzp_quic_new(&m->relay, &cfg, m->now) != WZP_OK) {
        return false;
    }
    cfg.rng = wzp_prng_rng(&prngs[1]);
    cfg.identity = NULL;
    cfg.keylog = NULL;
    return wzp_quic_new(&m->clients, &cfg, m->now) == WZP_OK;
}

static void dial(maker *m, unsigned index) {
    char room[32];
    (void)snprintf(room, sizeof room, "room-%u", index / 2);
    const wzp_quic_dial d = {
        .path = {wzp_addr_v4(10, 1, (uint8_t)(index >> 8), (uint8_t)index, 5000),
                 wzp_addr_v4(10, 0, 0, 1, 4433)},
        .sni = room,
    };
    m->failed |= wzp_quic_connect(m->clients, &d, m->now, &m->members[index]) != WZP_OK;
    settle(m);
}

/* What a member says, and what the relay makes of it for the other one. */
static void speak(maker *m, unsigned index, uint32_t frame) {
    uint8_t datagram[WZP_MEDIA_HDR_LEN + PAYLOAD + WZP_QUALITY_REPORT_LEN];
    uint8_t payload[PAYLOAD];
    const bool reports = frame % 50 == 49;
    wzp_rng_fill(wzp_prng_rng(&m->prng), payload, sizeof payload);
    const wzp_media_packet packet = {
        .hdr = {.version = WZP_PROTOCOL_VERSION,
                .flags = reports ? WZP_MEDIA_QUALITY : 0,
                .seq = frame,
                .timestamp_ms = frame * 20},
        .payload = wzp_bytes_of(payload, sizeof payload),
        .report = {.rtt_4ms = 5, .bitrate_cap_kbps = 200},
    };
    wzp_wr wr;
    wzp_wr_init(&wr, datagram, sizeof datagram);
    wzp_media_packet_write(&wr, &packet);
    const wzp_bytes bytes = wzp_bytes_of(datagram, wzp_wr_len(&wr));
    const unsigned other = index ^ 1U;
    m->failed |= wzp_quic_send_datagram(m->clients, m->members[index], bytes) != WZP_OK ||
                 wzp_quic_send_datagram(m->relay, m->joined[other], bytes) != WZP_OK;
}

static void write_head(maker *m) {
    uint8_t block[256];
    wzp_wr wr;
    wzp_wr_init(&wr, block, sizeof block);
    wzp_pcapng_put_section(&wr, WZP_PCAPNG_LITTLE,
                           &(wzp_pcapng_section){.program = "make_capture"});
    wzp_pcapng_put_interface(&wr, WZP_PCAPNG_LITTLE,
                             &(wzp_pcapng_interface){.link_type = WZP_LINKTYPE_RAW, .digits = 9});
    put(m, m->file, block, &wr);
}

static bool make(maker *m) {
    m->now = WZP_S;
    wzp_prng_init(&m->prng, 1, "payloads");
    write_head(m);
    if (!endpoints(m) || !hold(m)) {
        return false;
    }
    for (unsigned i = 0; i < m->conns && !m->failed; i++) {
        m->now += WZP_MS;
        dial(m, i);
    }
    for (unsigned i = 0; i < 100 && m->joined_count < m->conns; i++) {
        m->now += WZP_MS; /* what is paced */
        settle(m);
    }
    release(m);
    if (m->joined_count != m->conns || m->connected_count != m->conns) {
        return false;
    }
    for (uint32_t frame = 0; m->written < m->bytes && !m->failed; frame++) {
        m->now += FRAME;
        for (unsigned i = 0; i < m->conns; i++) {
            speak(m, i, frame);
        }
        settle(m);
    }
    return !m->failed;
}

int main(int argc, char **argv) {
    static maker m;
    if (argc != 4) {
        (void)fprintf(stderr, "usage: make_capture BYTES CONNECTIONS FILE\n");
        return 2;
    }
    m.bytes = strtoull(argv[1], NULL, 10);
    const unsigned long conns = strtoul(argv[2], NULL, 10);
    if (conns < 2 || conns > CONNS_MAX || conns % 2 != 0) {
        (void)fprintf(stderr, "make_capture: CONNECTIONS is even, 2 to %d\n", CONNS_MAX);
        return 2;
    }
    m.conns = (unsigned)conns;
    m.file = fopen(argv[3], "wbe");
    if (m.file == NULL) {
        perror(argv[3]);
        return 3;
    }
    bool good = make(&m);
    good = fclose(m.file) == 0 && good;
    wzp_quic_free(&m.relay);
    wzp_quic_free(&m.clients);
    if (!good) {
        (void)fprintf(stderr, "make_capture: %s is not whole\n", argv[3]);
    }
    return good ? 0 : 3;
}
