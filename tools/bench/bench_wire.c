/* Headers per nanosecond: the relay does this once for every datagram. */
#include "bench.h"
#include "wire/media.h"

enum { HEADERS = 512, PASSES = 64, ROUNDS = 41, PAYLOAD = 120 };

typedef struct wire_ctx {
    uint8_t packets[HEADERS][WZP_MEDIA_HDR_LEN + PAYLOAD + WZP_QUALITY_REPORT_LEN];
    size_t len;
    wzp_media_hdr hdrs[HEADERS];
    uint32_t sum;
} wire_ctx;

static void make_packets(wire_ctx *c) {
    c->len = sizeof c->packets[0];
    for (uint32_t i = 0; i < HEADERS; i++) {
        wzp_wr wr;
        const bool video = i % 3 == 0;
        c->hdrs[i] = (wzp_media_hdr){.version = 2,
                                     .flags = WZP_MEDIA_QUALITY,
                                     .media_type = video ? WZP_MEDIA_VIDEO : WZP_MEDIA_AUDIO,
                                     .codec_id = (uint8_t)(i % WZP_CODEC_COUNT),
                                     .seq = i,
                                     .timestamp_ms = i * 20};
        wzp_wr_init(&wr, c->packets[i], c->len);
        wzp_media_hdr_write(&wr, &c->hdrs[i]);
    }
}

static void parse_headers(void *ctx) {
    wire_ctx *c = ctx;
    for (size_t i = 0; i < (size_t)HEADERS * PASSES; i++) {
        wzp_rd rd;
        wzp_media_hdr hdr;
        wzp_rd_init(&rd, wzp_bytes_of(c->packets[i % HEADERS], WZP_MEDIA_HDR_LEN));
        if (wzp_media_hdr_parse(&hdr, &rd) == WZP_OK) {
            bench_keep(&hdr);
            c->sum += hdr.seq;
        }
    }
}

static void parse_packets(void *ctx) {
    wire_ctx *c = ctx;
    for (size_t i = 0; i < (size_t)HEADERS * PASSES; i++) {
        wzp_media_packet packet;
        if (wzp_media_packet_parse(&packet, wzp_bytes_of(c->packets[i % HEADERS], c->len), NULL) ==
            WZP_OK) {
            bench_keep(&packet);
            c->sum += packet.hdr.seq;
        }
    }
}

static void write_headers(void *ctx) {
    wire_ctx *c = ctx;
    for (size_t i = 0; i < (size_t)HEADERS * PASSES; i++) {
        uint8_t out[WZP_MEDIA_HDR_LEN];
        wzp_wr wr;
        wzp_wr_init(&wr, out, sizeof out);
        wzp_media_hdr_write(&wr, &c->hdrs[i % HEADERS]);
        bench_keep(out);
    }
}

int main(void) {
    static wire_ctx c;
    make_packets(&c);
    bench benches[] = {
        {.name = "header parse",
         .run = parse_headers,
         .ctx = &c,
         .count = (size_t)HEADERS * PASSES},
        {.name = "packet parse, with quality report",
         .run = parse_packets,
         .ctx = &c,
         .count = (size_t)HEADERS * PASSES},
        {.name = "header write",
         .run = write_headers,
         .ctx = &c,
         .count = (size_t)HEADERS * PASSES},
    };
    const size_t n = sizeof benches / sizeof benches[0];
    bench_all(benches, n, ROUNDS);
    for (size_t i = 0; i < n; i++) {
        bench_report(&benches[i], ROUNDS, NULL, i == 0 ? 12 : 0);
    }
    return c.sum == 0;
}
