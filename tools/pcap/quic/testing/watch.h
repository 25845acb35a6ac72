/* Test helper: keeps what a decoder says, in a form that tests compare.  Header-only. */
#ifndef WZP_PCAP_QUIC_TESTING_WATCH_H
#define WZP_PCAP_QUIC_TESTING_WATCH_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/pcap/quic/quic.h"

enum { WATCH_KINDS = WZP_PCAP_QUIC_FORGOTTEN + 1, WATCH_STREAMS = 64 };

/* What was said of a capture. */
typedef struct seen {
    wzp_pcap_quic *quic;
    unsigned kinds[WATCH_KINDS];
    char sni[WZP_PCAP_QUIC_TEXT], alpn[WZP_PCAP_QUIC_TEXT], offered[WZP_PCAP_QUIC_TEXT];
    char problem[128], reason[WZP_PCAP_QUIC_TEXT];
    uint16_t cipher;
    uint64_t close_code, datagram_frame_size;
    unsigned datagrams[2], again, late, generation[2];
    size_t stream_len[2];
    uint64_t stream_hash[2], datagram_hash[2];
    unsigned fins[2];
    uint64_t stream_next[2][WATCH_STREAMS];
    wzp_addr path;
    uint32_t last_conn;
    wzp_pcap_quic_seal last_seal;
    wzp_pcap_quic_type last_type;
    bool reset;
    uint64_t shown;
} seen;

static inline uint64_t watch_hash(uint64_t from, wzp_bytes data) {
    for (size_t i = 0; i < data.len; i++) {
        from = (from ^ data.data[i]) * UINT64_C(0x100000001b3);
    }
    return from;
}

static inline void watch_look(void *ctx, const wzp_pcap_quic_event *ev) {
    seen *s = ctx;
    const size_t way = ev->to_server;
    s->kinds[ev->kind]++;
    switch (ev->kind) {
    case WZP_PCAP_QUIC_HELLO:
        memcpy(s->sni, ev->hello->sni, sizeof s->sni);
        memcpy(s->offered, ev->hello->alpn, sizeof s->alpn);
        break;
    case WZP_PCAP_QUIC_ACCEPTED:
        memcpy(s->alpn, ev->hello->alpn, sizeof s->alpn);
        s->cipher = ev->hello->cipher;
        break;
    case WZP_PCAP_QUIC_PARAMS:
        for (size_t i = 0; i < ev->params->count; i++) {
            if (ev->params->list[i].id == 0x20 && ev->params->list[i].is_number) {
                s->datagram_frame_size = ev->params->list[i].value;
            }
        }
        break;
    case WZP_PCAP_QUIC_PACKET:
        s->again += ev->packet->again;
        s->last_conn = ev->conn;
        s->last_seal = ev->packet->seal;
        s->last_type = ev->packet->type;
        s->late += ev->packet->late;
        s->generation[way] = ev->packet->key_generation;
        break;
    case WZP_PCAP_QUIC_DATAGRAM:
        s->datagrams[way]++;
        s->datagram_hash[way] += watch_hash(1, ev->data);
        break;
    case WZP_PCAP_QUIC_STREAM:
        ck_assert_uint_lt(ev->stream_id, WATCH_STREAMS);
        ck_assert_uint_eq(s->stream_next[way][ev->stream_id], ev->stream_offset);
        s->stream_next[way][ev->stream_id] += ev->data.len;
        s->stream_hash[way] = watch_hash(s->stream_hash[way], ev->data);
        s->stream_len[way] += ev->data.len;
        s->fins[way] += ev->fin;
        break;
    case WZP_PCAP_QUIC_PATH:
        s->path = *ev->src;
        break;
    case WZP_PCAP_QUIC_CLOSED:
        s->close_code = ev->close->code;
        s->reset = ev->close->reset;
        memcpy(s->reason, ev->close->reason, sizeof s->reason);
        break;
    case WZP_PCAP_QUIC_PROBLEM:
        (void)snprintf(s->problem, sizeof s->problem, "%s", ev->text);
        break;
    default:
        break;
    }
}

static inline seen *watch(void) {
    seen *s = calloc(1, sizeof *s);
    const wzp_pcap_quic_cfg cfg = {
        .sink = watch_look, .sink_ctx = s, .frames = true, .any_port = true};
    ck_assert(wzp_pcap_quic_new(&s->quic, &cfg) == WZP_OK);
    return s;
}

static inline void watch_end(seen *s) {
    wzp_pcap_quic_free(&s->quic);
    ck_assert_ptr_null(s->quic);
    free(s);
}

/* One datagram of a capture. */
static inline void watch_show(seen *s, const wzp_addr *src, const wzp_addr *dst, const void *data,
                              size_t len) {
    const wzp_pcap_udp udp = {
        .src = *src, .dst = *dst, .payload_len = (uint32_t)len, .payload = wzp_bytes_of(data, len)};
    s->shown++;
    wzp_pcap_quic_take(s->quic, &udp, s->shown, s->shown * 1000);
}

#endif
