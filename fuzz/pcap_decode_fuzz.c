/* What the decoder makes of connections, and all printers of what it says.  The first byte: media
 * keys and their kind.  Then pieces: what (1), connection (1), length (1), that many bytes. */
#include "require.h"
#include "tools/pcap/decode/core.h"
#include "tools/pcap/tree/print.h"

typedef struct heard {
    wzp_pcap_core core;
    wzp_pcap_tree tree;
    wzp_pcap_text text;
    uint64_t media, datagrams_bad, signals, lines;
} heard;

static void swallow(void *ctx, wzp_bytes text) {
    heard *h = ctx;
    for (size_t i = 0; i < text.len; i++) {
        h->lines += text.data[i] == '\n';
    }
}

static void listen_to(void *ctx, const wzp_pcap_message *m) {
    static const unsigned columns[] = {WZP_PCAP_FIELD_SEQ, WZP_PCAP_FIELD_SIGNAL_JSON};
    heard *h = ctx;
    h->media += m->kind == WZP_PCAP_MESSAGE_MEDIA;
    h->datagrams_bad += m->kind == WZP_PCAP_MESSAGE_DATAGRAM;
    h->signals += m->kind == WZP_PCAP_MESSAGE_SIGNAL;
    require(m->kind != WZP_PCAP_MESSAGE_DATAGRAM || m->fail.code != WZP_OK);
    require(m->kind != WZP_PCAP_MESSAGE_SIGNAL ||
            (m->signal->parsed == NULL) == (m->fail.code != WZP_OK));
    wzp_pcap_tree_build(&h->tree, m, 0);
    require(h->tree.count < WZP_PCAP_TREE_MAX - 1);
    wzp_pcap_print_tree(&h->text, &h->tree);
    wzp_pcap_text_flush(&h->text);
    h->lines = 0;
    wzp_pcap_print_line(&h->text, m, 0);
    wzp_pcap_print_json(&h->text, &h->tree);
    wzp_pcap_text_flush(&h->text);
    require(h->lines == 2); /* whatever is inside, a line stays one */
    wzp_pcap_print_csv(&h->text, &h->tree, columns, WZP_COUNT_OF(columns));
    wzp_pcap_text_flush(&h->text);
}

static void take_piece(heard *h, uint8_t what, uint8_t conn, wzp_bytes data, uint64_t number) {
    static const wzp_addr ends[2] = {{WZP_ADDR_V4, 5000, {10, 0, 0, 2}},
                                     {WZP_ADDR_V6, 4433, {[15] = 1}}};
    const bool to_server = (what & 8) != 0;
    wzp_pcap_quic_hello hello = {.alpn = "wzp"};
    wzp_pcap_quic_event event = {.conn = conn % 4u + 1,
                                 .to_server = to_server,
                                 .packet_number = number,
                                 .time_ns = number * 1000,
                                 .src = &ends[!to_server],
                                 .dst = &ends[to_server],
                                 .data = data};
    switch (what % 8) {
    case 0:
        memcpy(hello.sni, data.data, data.len < 255 ? data.len : 255);
        event.kind = WZP_PCAP_QUIC_HELLO;
        event.hello = &hello;
        event.data.len = 0;
        break;
    case 1:
    case 2:
    case 3:
        event.kind = WZP_PCAP_QUIC_DATAGRAM;
        break;
    case 7:
        event.kind = WZP_PCAP_QUIC_FORGOTTEN;
        event.data.len = 0;
        break;
    default:
        event.kind = WZP_PCAP_QUIC_STREAM;
        event.stream_id = (uint64_t)(conn >> 4);
        event.stream_offset = (what & 0x40) != 0 ? 10 : 0;
        event.fin = (what & 0x80) != 0;
        break;
    }
    wzp_pcap_core_event(&h->core, &event);
}

static void give_keys(heard *h, uint8_t flags) {
    static const char text[] =
        "WZP_MEDIA_KEY * 0 4242424242424242424242424242424242424242424242424242424242424242\n"
        "WZP_MEDIA_KEY 0000000000000000000000000000000000000000000000000000000000000000 1 "
        "4343434343434343434343434343434343434343434343434343434343434343\n";
    size_t line;
    if ((flags & 2) != 0) {
        require(wzp_pcap_keys_take(&h->core.keys, wzp_bytes_str(text), &line) == WZP_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    heard *h = calloc(1, sizeof *h);
    require(h != NULL);
    const wzp_pcap_decoder_cfg cfg = {
        .sink = listen_to, .sink_ctx = h, .legacy_nonce = (data[0] & 1) != 0};
    h->text.sink = swallow;
    h->text.ctx = h;
    require(wzp_pcap_core_init(&h->core, &cfg) == WZP_OK);
    give_keys(h, data[0]);
    for (size_t at = 1; size - at > 3;) {
        const size_t left = size - at - 3;
        const size_t len = data[at + 2] < left ? data[at + 2] : left;
        take_piece(h, data[at], data[at + 1], wzp_bytes_of(data + at + 3, len), at);
        at += 3 + len;
    }
    wzp_pcap_core_end(&h->core);
    const wzp_pcap_decoder_counters *c = &h->core.counters;
    require(c->media == h->media && c->datagrams_bad == h->datagrams_bad);
    require(c->signals == h->signals && h->core.signals.held == 0);
    require(c->opened + c->failed + c->no_key <= c->media);
    wzp_pcap_core_clear(&h->core);
    free(h);
    return 0;
}
