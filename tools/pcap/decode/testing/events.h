/* For tests: a core whose messages are kept, and events as the folder quic gives them. */
#ifndef WZP_PCAP_DECODE_TESTING_EVENTS_H
#define WZP_PCAP_DECODE_TESTING_EVENTS_H

#include <check.h>
#include <stdio.h>

#include "tools/pcap/decode/core.h"

#define HEARD_MAX 256

/* A message with what it borrowed. */
typedef struct heard {
    wzp_pcap_message_kind kind;
    uint32_t conn;
    uint64_t packet_number;
    wzp_fail fail;
    wzp_pcap_media media;
    uint8_t plain[2000];
    char signal[64];
    bool parsed;
    size_t json_len, data_len;
    uint64_t first_packet;
} heard;

typedef struct listener {
    wzp_pcap_core core;
    heard list[HEARD_MAX];
    size_t count;
} listener;

static inline void hear(void *ctx, const wzp_pcap_message *m) {
    listener *l = ctx;
    ck_assert_uint_lt(l->count, HEARD_MAX);
    heard *h = &l->list[l->count++];
    *h = (heard){.kind = m->kind,
                 .conn = m->conn != NULL ? m->conn->number : 0,
                 .packet_number = m->packet_number,
                 .fail = m->fail,
                 .data_len = m->data.len};
    if (m->media != NULL) {
        h->media = *m->media;
        ck_assert_uint_le(m->media->plain.len, sizeof h->plain);
        if (m->media->plain.len > 0) {
            memcpy(h->plain, m->media->plain.data, m->media->plain.len);
        }
    }
    if (m->signal != NULL) {
        memcpy(h->signal, m->signal->name, sizeof h->signal);
        h->parsed = m->signal->parsed != NULL;
        h->json_len = m->signal->json.len;
        h->first_packet = m->signal->first_packet;
    }
}

/* Too large for the stack; each test clears it at its end. */
static listener ears;

static inline void ears_begin(bool legacy) {
    const wzp_pcap_decoder_cfg cfg = {
        .sink = hear, .sink_ctx = &ears, .legacy_nonce = legacy, .packets = false};
    ears.count = 0;
    ck_assert_int_eq(wzp_pcap_core_init(&ears.core, &cfg), WZP_OK);
}

static inline void ears_end(void) {
    wzp_pcap_core_clear(&ears.core);
}

static const wzp_addr client_addr = {WZP_ADDR_V4, 5000, {10, 0, 0, 2}};
static const wzp_addr server_addr = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};
static uint64_t next_packet;

static inline wzp_pcap_quic_event make_event(wzp_pcap_quic_kind kind, uint32_t conn,
                                             bool to_server) {
    next_packet++;
    return (wzp_pcap_quic_event){.kind = kind,
                                 .conn = conn,
                                 .to_server = to_server,
                                 .packet_number = next_packet,
                                 .time_ns = next_packet * 1000000,
                                 .src = to_server ? &client_addr : &server_addr,
                                 .dst = to_server ? &server_addr : &client_addr};
}

/* The random is the connection's number, 32 times. */
static inline void tell_hello(uint32_t conn, const char *sni, const char *alpn) {
    wzp_pcap_quic_hello hello = {0};
    wzp_pcap_quic_event event = make_event(WZP_PCAP_QUIC_HELLO, conn, true);
    memset(hello.client_random, (int)conn, sizeof hello.client_random);
    (void)snprintf(hello.sni, sizeof hello.sni, "%s", sni);
    (void)snprintf(hello.alpn, sizeof hello.alpn, "%s", alpn);
    event.hello = &hello;
    wzp_pcap_core_event(&ears.core, &event);
}

static inline void tell_datagram(uint32_t conn, bool to_server, wzp_bytes data) {
    wzp_pcap_quic_event event = make_event(WZP_PCAP_QUIC_DATAGRAM, conn, to_server);
    event.data = data;
    wzp_pcap_core_event(&ears.core, &event);
}

static inline void tell_stream(uint32_t conn, uint64_t id, uint64_t offset, wzp_bytes data,
                               bool fin) {
    wzp_pcap_quic_event event = make_event(WZP_PCAP_QUIC_STREAM, conn, true);
    event.stream_id = id;
    event.stream_offset = offset;
    event.data = data;
    event.fin = fin;
    wzp_pcap_core_event(&ears.core, &event);
}

#endif
