/* QUIC in captures: records of a byte that says how, a length and bytes.  Bytes are a datagram as
 * they are, or the payload of a packet that opens: Initial, Handshake, 1-RTT; or of two of them in
 * one datagram, as offload puts them together.  Whatever comes, every packet ends in exactly one
 * way, and what is handed out lies in the order of its stream. */
#include "require.h"
#include "tools/pcap/quic/testing/twin.h"

enum { RAW, INITIAL, HANDSHAKE, APP, HOW_COUNT };
enum { TWICE = 0x08, TO_SERVER = 0x10, CUT = 0x20, MOVED = 0x40, UPDATE = 0x80, STREAMS = 64 };

typedef struct state {
    wzp_pcap_quic *quic;
    uint64_t next[2][STREAMS];
    bool followed; /* one connection only: streams can be told apart by their ids */
} state;

static void look(void *ctx, const wzp_pcap_quic_event *ev) {
    state *s = ctx;
    require(ev->src != NULL && ev->dst != NULL);
    require(ev->kind != WZP_PCAP_QUIC_PROBLEM || ev->text != NULL);
    require(ev->kind != WZP_PCAP_QUIC_FRAME || ev->frame->len > 0);
    if (ev->kind == WZP_PCAP_QUIC_OPENED) {
        s->followed = ev->conn == 1;
    }
    if (ev->kind == WZP_PCAP_QUIC_STREAM && s->followed && ev->stream_id < STREAMS) {
        uint64_t *next = &s->next[ev->to_server][ev->stream_id];
        require(*next == ev->stream_offset && (ev->data.len > 0 || ev->fin));
        *next += ev->data.len;
    }
}

static size_t sealed(twin *t, uint8_t *out, size_t cap, unsigned how, bool to_server,
                     wzp_bytes payload) {
    wzp_wr wr;
    wzp_wr_init(&wr, out, cap);
    const wzp_pcap_quic_type type = how == INITIAL     ? WZP_PCAP_QUIC_INITIAL
                                    : how == HANDSHAKE ? WZP_PCAP_QUIC_HANDSHAKE
                                                       : WZP_PCAP_QUIC_1RTT;
    const twin_packet p = {.type = type,
                           .dcid = twin_dcid(t, to_server, how == INITIAL),
                           .scid = to_server ? &t->to_client : &t->to_server,
                           .number = t->number[to_server][how - INITIAL]++,
                           .phase = t->phase[to_server],
                           .payload = payload};
    twin_write(&wr,
               how == INITIAL     ? &t->initial[to_server]
               : how == HANDSHAKE ? &t->handshake[to_server]
                                  : &t->app[to_server],
               &p);
    return wzp_wr_len(&wr);
}

static void one(state *s, twin *t, uint8_t how, wzp_bytes bytes) {
    uint8_t buf[4200];
    const bool to_server = (how & TO_SERVER) != 0;
    wzp_bytes datagram = bytes;
    if ((how & UPDATE) != 0) {
        twin_next_keys(t, to_server);
    }
    if (how % HOW_COUNT != RAW) {
        const wzp_bytes payload = wzp_bytes_of(bytes.data, bytes.len < 1400 ? bytes.len : 1400);
        datagram.data = buf;
        datagram.len = sealed(t, buf, sizeof buf, how % HOW_COUNT, to_server, payload);
        if ((how & TWICE) != 0) {
            datagram.len += sealed(t, buf + datagram.len, sizeof buf - datagram.len,
                                   how % HOW_COUNT, to_server, payload);
        }
    }
    t->client.port = (uint16_t)(5000 + ((how & MOVED) != 0));
    const wzp_pcap_udp udp = {.src = to_server ? t->client : t->server,
                              .dst = to_server ? t->server : t->client,
                              .cut = (how & CUT) != 0,
                              .payload_len = (uint32_t)datagram.len,
                              .payload = datagram};
    wzp_pcap_quic_take(s->quic, &udp, 1, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static twin made;
    static char keylog[1024];
    state s = {0};
    const wzp_pcap_quic_cfg cfg = {.sink = look, .sink_ctx = &s, .frames = true, .any_port = true};
    if (made.version == 0) {
        made = twin_make(1, TWIN_AES_128, TWIN_V1, 8);
        (void)twin_keylog(&made, keylog, sizeof keylog);
    }
    twin t = made;
    require(wzp_pcap_quic_new(&s.quic, &cfg) == WZP_OK);
    for (size_t at = 0; size - at >= 3;) {
        const size_t said = (size_t)data[at + 1] << 8 | data[at + 2];
        const size_t len = said < size - at - 3 ? said : size - at - 3;
        one(&s, &t, data[at], wzp_bytes_of(data + at + 3, len));
        if (at == 0) { /* secrets come behind the first datagram */
            require(wzp_pcap_quic_secrets(s.quic, wzp_bytes_str(keylog)) == WZP_OK);
        }
        at += 3 + len;
    }
    wzp_pcap_quic_end(s.quic);
    const wzp_pcap_quic_counters *n = wzp_pcap_quic_count(s.quic);
    require(n->packets == n->opened + n->no_secret + n->no_hello + n->bad_tag + n->cut);
    wzp_pcap_quic_free(&s.quic);
    return 0;
}
