/* Wire format: what is forwarded byte for byte and what is ignored (conformance sheet 24.12). */
#include "conformance/cases/macros.h"
#include "conformance/cases/relay/plays.h"

#define SPACING (20 * WZP_MS)

/* One packet every 20 ms. */
static wzp_ct_packet *next(wzp_ct_pattern *p, uint8_t media_type, uint8_t codec, uint8_t flags,
                           uint16_t payload) {
    wzp_ct_packet *packet = wzp_ct_add(p, p->count * SPACING, media_type, codec, flags, payload);
    p->seq++;
    p->ts += 20;
    return packet;
}

static wzp_ct_packet *bad(wzp_ct_pattern *p, uint8_t flags, uint16_t payload) {
    wzp_ct_packet *packet = next(p, WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, flags, payload);
    packet->must_not_arrive = true;
    /* What nobody forwards takes no number of the stream. */
    p->seq--;
    p->ts -= 20;
    packet->hdr.seq += 0x10000;
    return packet;
}

static void audio_codecs(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    for (int round = 0; round < 10; round++) {
        for (uint8_t codec = 0; codec <= 8; codec++) {
            const uint16_t payload = codec == 5 ? 8 : codec == 3 || codec == 4 ? 24 : 40;
            next(p, WZP_MEDIA_AUDIO, codec, 0, payload);
        }
    }
}

static void video_codecs(wzp_ct_pattern *p, const wzp_ct_case *c) {
    static const uint8_t codecs[] = {WZP_CODEC_H264_BASELINE, WZP_CODEC_H265_MAIN,
                                     WZP_CODEC_AV1_MAIN};
    (void)c;
    for (size_t i = 0; i < 60; i++) {
        wzp_ct_packet *packet =
            next(p, WZP_MEDIA_VIDEO, codecs[i % 3],
                 WZP_MEDIA_FRAME_END | (i % 30 == 0 ? WZP_MEDIA_KEYFRAME : 0), 200);
        packet->hdr.fec_block = 1;
        p->ts += 13;
    }
}

static void versions(wzp_ct_pattern *p, const wzp_ct_case *c) {
    static const uint8_t values[] = {0, 1, 3, 255};
    (void)c;
    for (size_t i = 0; i < 40; i++) {
        bad(p, 0, 40)->hdr.version = values[i % 4];
    }
}

static void short_headers(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    for (uint16_t len = 0; len < WZP_MEDIA_HDR_LEN; len++) {
        bad(p, 0, 0)->raw_len = len != 0 ? len : UINT16_MAX; /* UINT16_MAX stands for 0 */
    }
}

static void media_types(wzp_ct_pattern *p, const wzp_ct_case *c) {
    static const uint8_t values[] = {4, 5, 127, 255};
    (void)c;
    for (size_t i = 0; i < 40; i++) {
        bad(p, 0, 40)->hdr.media_type = values[i % 4];
    }
}

static void codecs(wzp_ct_pattern *p, const wzp_ct_case *c) {
    static const uint8_t values[] = {10, 13, 14, 128, 255};
    (void)c;
    for (size_t i = 0; i < 50; i++) {
        bad(p, 0, 40)->hdr.codec_id = values[i % 5];
    }
}

static void cut_reports(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    for (uint16_t i = 0; i < 40; i++) {
        bad(p, WZP_MEDIA_QUALITY, i % 4)->no_report = true;
    }
}

static void bare_reports(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    for (int i = 0; i < 50; i++) {
        next(p, WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, WZP_MEDIA_QUALITY, 0);
    }
}

static void reserved_bits(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    for (uint8_t i = 0; i < 60; i++) {
        next(p, WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 1 + i % 15, 40);
    }
}

static void fec_ratios(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    for (int i = 0; i < 50; i++) {
        next(p, WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 0, 40)->hdr.fec_ratio = i % 2 == 0 ? 201 : 255;
    }
}

static void empty_payloads(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    for (int i = 0; i < 50; i++) {
        next(p, WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 0, 0);
    }
}

/* As large as the connection takes; declared as video, whose payload bound allows it. */
static void full_datagrams(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    for (int i = 0; i < 30; i++) {
        wzp_ct_packet *packet = next(p, WZP_MEDIA_VIDEO, WZP_CODEC_H264_BASELINE,
                                     WZP_MEDIA_FRAME_END | (i == 0 ? WZP_MEDIA_KEYFRAME : 0), 1116);
        packet->hdr.fec_block = 1;
        p->ts += 13;
    }
}

static void compact_frames(wzp_ct_pattern *p, const wzp_ct_case *c) {
    static const uint8_t mini[] = {1, 1, 0, 20, 0, 10};
    (void)c;
    for (int i = 0; i < 40; i++) {
        wzp_ct_packet *packet = bad(p, 0, 40);
        packet->raw_prefix_len = i % 2 == 0 ? 1 : sizeof mini;
        for (size_t n = 0; n < sizeof mini && i % 2 != 0; n++) {
            packet->raw_prefix[n] = mini[n];
        }
    }
}

/* Count 2, then two entries of 20 bytes: the frame says more than follows, as a peer might. */
static void trunk_frames(wzp_ct_pattern *p, const wzp_ct_case *c) {
    static const uint8_t head[] = {0, 2, 1, 0, 0, 56};
    (void)c;
    for (int i = 0; i < 40; i++) {
        wzp_ct_packet *packet = bad(p, 0, 100);
        packet->raw_prefix_len = sizeof head;
        for (size_t n = 0; n < sizeof head; n++) {
            packet->raw_prefix[n] = head[n];
        }
    }
}

static void flood(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    for (uint32_t i = 0; i < 10000; i++) {
        wzp_ct_packet *packet = bad(p, 0, 40);
        packet->due = (wzp_time)i * 500 * WZP_US;
        packet->hdr.version = (uint8_t)(3 + i % 200);
        p->end = packet->due;
    }
}

#define IGNORED(id, also, title, traffic, builder)                                                 \
    {                                                                                              \
        .info = {INFO(id, "W", title, "CONF-W-1", "ignore it and go on", traffic,                  \
                      "conformance 24.12" also),                                                   \
                 .must_forward = true},                                                            \
        .criteria = {.rule = WZP_CT_RULE_IGN}, .build = (builder), .trailing_speech = true         \
    }
#define FORWARDED(id, also, title, traffic, builder)                                               \
    {                                                                                              \
        .info = {INFO(id, "W", title, "CONF-W-1", FORWARD, traffic, "conformance 24.12" also),     \
                 .must_forward = true},                                                            \
        .criteria = {MUST_FORWARD}, .build = (builder)                                             \
    }
#define DESCRIBED(id, also, title, traffic, builder)                                               \
    {                                                                                              \
        .info = {INFO(id, "W", title, "CONF-W-1", "forward unchanged or ignore", traffic,          \
                      "conformance 24.12" also),                                                   \
                 .level = WZP_CT_INFO},                                                            \
        .criteria = {.rule = WZP_CT_RULE_INFO}, .build = (builder), .trailing_speech = true        \
    }

static const wzp_ct_case cases[] = {
    FORWARDED("W-01", ", RLY-030", "all audio codecs", "ids 0 to 8 in turn, 90 packets",
              audio_codecs),
    FORWARDED("W-02", ", RLY-030", "all video codecs", "ids 9, 11, 12 in turn, 60 packets",
              video_codecs),
    IGNORED("W-03", ", RLY-032", "other versions", "byte 0 = 0, 1, 3, 255", versions),
    IGNORED("W-04", ", RLY-032", "short headers", "lengths 0 to 15", short_headers),
    IGNORED("W-05", ", RLY-032", "unknown media types", "media type 4, 5, 127, 255", media_types),
    IGNORED("W-06", ", RLY-032", "unknown codecs", "codec 10, 13, 14, 128, 255", codecs),
    IGNORED("W-07", ", RLY-032", "cut quality reports", "Q flag with 0 to 3 bytes after the header",
            cut_reports),
    FORWARDED("W-08", "", "a report and no payload", "Q flag with exactly 4 bytes", bare_reports),
    DESCRIBED("W-09", "", "reserved flag bits", "low nibble 1 to 15", reserved_bits),
    DESCRIBED("W-10", "", "undocumented FEC ratios", "fec_ratio 201 and 255", fec_ratios),
    FORWARDED("W-11", "", "empty payload", "16 bytes", empty_payloads),
    FORWARDED("W-12", "", "large datagrams", "payload 1116: the datagram limit at the minimum MTU",
              full_datagrams),
    DESCRIBED("W-13", "", "compact frames", "tags 00 and 01 before a packet", compact_frames),
    IGNORED("W-14", "", "trunk frame from a client", "count 2", trunk_frames),
    {.kind = WZP_CT_PLAY,
     .info = {INFO("W-15", "W", "trunked output", "CONF-W-1",
                   "batch within the format's limits, lose nothing, hold nothing back for long",
                   "8 senders at 400 pkt/s, then bursts of 4 packets each 80 ms",
                   "conformance 24.12, RLY-050")},
     .criteria = {.rule = WZP_CT_RULE_RESP},
     .acts = wzp_ct_acts_w15,
     .act_count = WZP_COUNT_OF(wzp_ct_acts_w15),
     .state_size = WZP_CT_W15_STATE,
     .on_datagram = wzp_ct_w15_datagram,
     .config = WZP_CT_CONFIG_TRUNKING,
     .skip = WZP_CT_REASON_UNSUPPORTED,
     .feature = "trunking"},
    IGNORED("W-16", "", "flood of malformed datagrams", "10 000 in 5 s", flood),
    {.info = {INFO("W-17", "W", "late listener, no echo", "CONF-W-1",
                   "give a newcomer only what comes after its join, and nobody its own packets",
                   "speech; L joins 1.2 s before the pattern", "conformance 24.12"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .late_listener = true,
     STEP(WZP_CODEC_OPUS_24K, 50, 76, 5, 20)},
};

const wzp_ct_chapter wzp_ct_chapter_w = {"W", "Wire format", cases, WZP_COUNT_OF(cases)};
