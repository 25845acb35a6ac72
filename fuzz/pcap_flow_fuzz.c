/* Messages of all kinds, as bytes say, through the figures of captures and a form of report.
 * Whatever comes, the books must balance: every media packet is in one stream, or counted as having
 * no place; no stream lost more than it expected; pages hold nothing that could act.
 *
 * The input is a list of steps of 12 bytes: what (2 bits), direction, connection and shape; media
 * type and codec; flags; stream id; step of the sequence number (2) and of the timestamp (2), gap
 * in 0.5 ms (1), FEC block (2), payload length (1). */
#include <stdlib.h>
#include <string.h>

#include "fuzz/require.h"
#include "tools/pcap/report/report.h"

enum { STEP = 12, CONNS = 4 };

static wzp_pcap_conn conns[CONNS];

static uint16_t u16(const uint8_t *p) {
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t moved(uint32_t from, int32_t by) {
    return from + (uint32_t)by;
}

static uint8_t codec_of(uint8_t choice) {
    static const uint8_t codecs[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12};
    return codecs[choice % sizeof codecs];
}

static void take_media(wzp_pcap_flow *flow, wzp_pcap_message *m, const uint8_t *p,
                       wzp_media_hdr *hdr) {
    static uint8_t payload[256];
    hdr->version = WZP_PROTOCOL_VERSION;
    hdr->media_type = p[1] >> 6;
    hdr->codec_id = codec_of(p[1] & 0x3f);
    hdr->flags = p[2];
    hdr->stream_id = p[3] & 3;
    hdr->seq = moved(hdr->seq, (int16_t)u16(p + 4));
    hdr->timestamp_ms = moved(hdr->timestamp_ms, (int16_t)u16(p + 6));
    hdr->fec_block = u16(p + 9);
    payload[0] = p[2];
    wzp_pcap_media media = {.shape = (wzp_pcap_shape)((p[0] >> 5 & 7) % 5),
                            .packet = {.hdr = *hdr, .payload = wzp_bytes_of(payload, p[11])},
                            .seal = (wzp_pcap_media_seal)(p[3] >> 2 & 3),
                            .sender = p[3] >> 4 & 3,
                            .nonce_again = (p[3] & 0x40) != 0};
    media.bytes = media.packet.payload;
    media.plain = media.packet.payload;
    media.packet.report = (wzp_quality_report){p[4], p[5], p[6], p[7]};
    m->kind = WZP_PCAP_MESSAGE_MEDIA;
    m->media = &media;
    wzp_pcap_flow_take(flow, m);
}

static void take_signal(wzp_pcap_flow *flow, wzp_pcap_message *m, const uint8_t *p) {
    static const char *const known[] = {
        "{\"PictureLossIndication\":{\"version\":1,\"stream_id\":0}}",
        "{\"Nack\":{\"version\":1,\"stream_id\":1,\"seqs\":[0,1,65535,4294967295]}}",
        "{\"Ping\":{\"version\":1,\"timestamp_ms\":1}}",
        "{\"Pong\":{\"version\":1,\"timestamp_ms\":1}}",
        "{\"QualityDirective\":{\"version\":1,\"recommended_profile\":{\"codec\":\"Opus6k\","
        "\"fec_ratio\":0.5,\"frame_duration_ms\":40,\"frames_per_block\":10},\"reason\":\"<i>\"}}",
        "{\"Hangup\":{\"version\":1,\"reason\":{\"PolicyViolation\":{\"code\":\"Bitrate\","
        "\"reason\":\"</script>\"}}}}",
        "{\"RoomUpdate\":{\"version\":1,\"count\":1,\"participants\":[{\"fingerprint\":\"<b>\","
        "\"alias\":null,\"relay_label\":null}]}}"};
    const uint8_t which = p[1] % (WZP_COUNT_OF(known) + 1);
    wzp_pcap_signal signal = {.json = wzp_bytes_of(p, STEP)};
    wzp_signal *parsed = NULL;
    if (which < WZP_COUNT_OF(known)) {
        signal.json = wzp_bytes_str(known[which]);
    }
    if (wzp_signal_parse(&parsed, signal.json, NULL, &signal.fail) != WZP_OK) {
        parsed = NULL;
    }
    memcpy(signal.name, p, STEP);
    signal.parsed = parsed;
    m->kind = WZP_PCAP_MESSAGE_SIGNAL;
    m->signal = &signal;
    wzp_pcap_flow_take(flow, m);
    wzp_signal_free(&parsed);
}

static void take_other(wzp_pcap_flow *flow, wzp_pcap_message *m, const uint8_t *p) {
    wzp_pcap_quic_close close = {.code = p[2], .application = (p[3] & 1) != 0};
    const wzp_pcap_quic_packet packet = {.seal = (wzp_pcap_quic_seal)(p[2] % 5)};
    const wzp_pcap_quic_event event = {.kind =
                                           (wzp_pcap_quic_kind)(p[1] % (WZP_PCAP_QUIC_PROBLEM + 1)),
                                       .packet = &packet,
                                       .close = &close};
    memcpy(close.reason, p, STEP);
    m->kind = (wzp_pcap_message_kind)(WZP_PCAP_MESSAGE_DATAGRAM + p[4] % 5);
    m->event = &event;
    m->data = wzp_bytes_of(p, STEP);
    m->fail = (wzp_fail){.code = WZP_ERR_CODEC, .field = "Codec ID"};
    m->text = "text";
    wzp_pcap_flow_take(flow, m);
}

/* --- what must hold --------------------------------------------------------------------------- */

static void check_streams(const wzp_pcap_flow *flow, uint64_t media) {
    uint64_t packets = 0;
    for (size_t i = 0; i < wzp_pcap_flow_streams(flow); i++) {
        const wzp_pcap_stream *s = wzp_pcap_flow_stream(flow, i);
        wzp_pcap_loss_figures f;
        uint64_t rows = 0;
        wzp_pcap_loss_sum(&s->loss, &f);
        require(f.lost <= f.expected && f.expected - f.lost == s->loss.unique);
        require(s->loss.unique + s->loss.duplicates + s->loss.others + s->loss.strays ==
                s->packets);
        require(f.burst_density <= 1 && f.gap_density <= 1 && f.gilbert_p <= 1 && f.gilbert_r <= 1);
        require(s->blocks.frames_lost_after <= s->blocks.frames_lost_before &&
                s->blocks.frames_lost_before <= s->blocks.frames);
        require(wzp_pcap_stream_confidence(s) <= 100);
        for (size_t k = 0; k < s->rows.count; k++) {
            rows += s->rows.rows[k].packets;
        }
        require(rows == s->packets);
        packets += s->packets;
    }
    require(packets + wzp_pcap_flow_count(flow)->streams_dropped == media);
}

static void check_text(void *ctx, wzp_bytes text) {
    static const char never[] = "<script";
    const bool *is_page = ctx;
    for (size_t i = 0; *is_page && i + sizeof never - 1 <= text.len; i++) {
        require(memcmp(text.data + i, never, sizeof never - 1) != 0);
    }
    require(memchr(text.data, 0x1b, text.len) == NULL);
}

/* One of the forms, for they take longer than all else. */
static void check_report(const wzp_pcap_flow *flow, size_t which) {
    static wzp_pcap_text text;
    static void (*const forms[])(wzp_pcap_text *, const wzp_pcap_report *) = {
        wzp_pcap_report_html, wzp_pcap_report_json,        wzp_pcap_report_markdown,
        wzp_pcap_report_stat, wzp_pcap_report_streams_csv, wzp_pcap_report_intervals_csv};
    const wzp_pcap_report report = {.flow = flow, .file = "<script>", .intervals = true};
    bool is_page = which % WZP_COUNT_OF(forms) == 0;
    text.len = 0;
    text.sink = check_text;
    text.ctx = &is_page;
    forms[which % WZP_COUNT_OF(forms)](&text, &report);
    wzp_pcap_text_flush(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_pcap_flow *flow = NULL;
    wzp_media_hdr hdrs[CONNS][2] = {{{0}}};
    uint64_t ns = WZP_S;
    uint64_t number = 0;
    uint64_t media = 0;
    require(wzp_pcap_flow_new(&flow, 20 * WZP_MS) == WZP_OK);
    for (uint32_t i = 0; i < CONNS; i++) {
        conns[i] = (wzp_pcap_conn){
            .number = i, .role = (wzp_pcap_role)(i * 2 % 8), .opened_ns = ns, .sni = "<script>"};
    }
    for (const uint8_t *p = data; size - (size_t)(p - data) >= STEP; p += STEP) {
        const uint8_t conn = p[0] >> 3 & 3;
        ns += p[8] * (WZP_MS / 2);
        wzp_pcap_message m = {.packet_number = ++number,
                              .time_ns = ns - (p[3] >> 7) * WZP_MS,
                              .conn = conn > 0 ? &conns[conn] : NULL,
                              .to_server = (p[0] & 4) != 0};
        if ((p[0] & 3) < 2) {
            media++;
            take_media(flow, &m, p, &hdrs[conn][p[0] & 1]);
        } else if ((p[0] & 3) == 2) {
            take_signal(flow, &m, p);
        } else {
            take_other(flow, &m, p);
        }
    }
    wzp_pcap_flow_end(flow);
    check_streams(flow, media);
    check_report(flow, size / STEP);
    wzp_pcap_flow_free(&flow);
    return 0;
}
