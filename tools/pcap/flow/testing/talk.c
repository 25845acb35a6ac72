#include "tools/pcap/flow/testing/talk.h"

#include <check.h>
#include <stdio.h>

enum { PAYLOAD_MAX = 1400 };

void wzp_talk_begin(wzp_talk *t, uint64_t interval_ns) {
    *t = (wzp_talk){.to_server = true};
    t->conn = (wzp_pcap_conn){.number = 1,
                              .role = WZP_PCAP_ROLE_ROOM,
                              .client = wzp_addr_v4(192, 0, 2, 1, 50000),
                              .server = wzp_addr_v4(192, 0, 2, 2, 4433),
                              .opened_packet = 1,
                              .opened_ns = WZP_TALK_START,
                              .hello = true,
                              .readable = true,
                              .sni = "room",
                              .alpn = "wzp"};
    ck_assert_int_eq(wzp_pcap_flow_new(&t->flow, interval_ns), WZP_OK);
}

void wzp_talk_end(wzp_talk *t) {
    wzp_pcap_flow_free(&t->flow);
    ck_assert_ptr_null(t->flow);
}

static wzp_pcap_message message_of(wzp_talk *t, wzp_pcap_message_kind kind, bool to_server,
                                   uint64_t ns) {
    t->packet++;
    return (wzp_pcap_message){.kind = kind,
                              .packet_number = t->packet,
                              .time_ns = ns,
                              .conn = &t->conn,
                              .to_server = to_server,
                              .src = to_server ? &t->conn.client : &t->conn.server,
                              .dst = to_server ? &t->conn.server : &t->conn.client};
}

static void take(wzp_talk *t, wzp_pcap_media *media, uint64_t ns) {
    static uint8_t bytes[PAYLOAD_MAX + 32];
    wzp_wr wr;
    wzp_wr_init(&wr, bytes, sizeof bytes);
    wzp_media_packet_write(&wr, &media->packet);
    ck_assert_int_eq(wzp_wr_end(&wr), WZP_OK);
    media->bytes = wzp_bytes_of(bytes, wzp_wr_len(&wr));
    media->seal = t->seal;
    media->sender = t->sender;
    wzp_pcap_message m = message_of(t, WZP_PCAP_MESSAGE_MEDIA, t->to_server, ns);
    m.media = media;
    wzp_pcap_flow_take(t->flow, &m);
}

static void fill(wzp_pcap_media *media, const wzp_media_hdr *hdr, size_t len, uint8_t salt) {
    static uint8_t payload[PAYLOAD_MAX];
    ck_assert_uint_le(len, sizeof payload);
    for (size_t i = 0; i < len; i++) {
        payload[i] = (uint8_t)((hdr->seq >> (8 * (i % 4))) + salt);
    }
    *media = (wzp_pcap_media){.packet = {.hdr = *hdr}};
    media->packet.hdr.version = WZP_PROTOCOL_VERSION;
    media->packet.payload = wzp_bytes_of(payload, len);
}

void wzp_talk_media(wzp_talk *t, const wzp_media_hdr *hdr, size_t payload, uint8_t salt,
                    uint64_t ns) {
    wzp_pcap_media media;
    fill(&media, hdr, payload, salt);
    take(t, &media, ns);
}

void wzp_talk_plain(wzp_talk *t, const wzp_media_hdr *hdr, wzp_bytes payload, uint64_t ns) {
    wzp_pcap_media media = {.packet = {.hdr = *hdr, .payload = payload}, .plain = payload};
    media.packet.hdr.version = WZP_PROTOCOL_VERSION;
    take(t, &media, ns);
}

void wzp_talk_report(wzp_talk *t, const wzp_media_hdr *hdr, wzp_quality_report report,
                     uint64_t ns) {
    wzp_pcap_media media;
    fill(&media, hdr, 60, 0);
    media.packet.hdr.flags |= WZP_MEDIA_QUALITY;
    media.packet.report = report;
    take(t, &media, ns);
}

void wzp_talk_trunk(wzp_talk *t, const wzp_media_hdr *hdr, uint8_t session, uint64_t ns) {
    wzp_pcap_media media;
    fill(&media, hdr, 60, session);
    media.shape = WZP_PCAP_TRUNK;
    media.session_id[1] = session;
    take(t, &media, ns);
}

void wzp_talk_signal(wzp_talk *t, const char *json, bool to_server, uint64_t ns) {
    wzp_signal *parsed = NULL;
    wzp_pcap_signal signal = {.json = wzp_bytes_str(json)};
    if (wzp_signal_parse(&parsed, signal.json, NULL, &signal.fail) != WZP_OK) {
        parsed = NULL;
    }
    (void)wzp_signal_peek_name(signal.json, signal.name, sizeof signal.name);
    signal.parsed = parsed;
    wzp_pcap_message m = message_of(t, WZP_PCAP_MESSAGE_SIGNAL, to_server, ns);
    m.signal = &signal;
    wzp_pcap_flow_take(t->flow, &m);
    wzp_signal_free(&parsed);
}

void wzp_talk_close(wzp_talk *t, uint64_t code, const char *reason, uint64_t ns) {
    wzp_pcap_quic_close close = {.code = code, .application = true};
    (void)snprintf(close.reason, sizeof close.reason, "%s", reason);
    const wzp_pcap_quic_event event = {.kind = WZP_PCAP_QUIC_CLOSED, .conn = 1, .close = &close};
    wzp_pcap_message m = message_of(t, WZP_PCAP_MESSAGE_QUIC, false, ns);
    t->conn.closed = true;
    m.event = &event;
    wzp_pcap_flow_take(t->flow, &m);
}

void wzp_talk_path(wzp_talk *t, const wzp_addr *src, uint64_t ns) {
    const wzp_pcap_quic_event event = {.kind = WZP_PCAP_QUIC_PATH, .conn = 1};
    wzp_pcap_message m = message_of(t, WZP_PCAP_MESSAGE_QUIC, true, ns);
    m.src = src;
    m.event = &event;
    wzp_pcap_flow_take(t->flow, &m);
}

const wzp_pcap_finding *wzp_talk_finding(const wzp_talk *t, wzp_pcap_finding_kind kind,
                                         size_t *count) {
    const wzp_pcap_findings *all = wzp_pcap_flow_findings(t->flow);
    const wzp_pcap_finding *found = NULL;
    size_t n = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (all->list[i].kind == kind) {
            found = found == NULL ? &all->list[i] : found;
            n++;
        }
    }
    if (count != NULL) {
        *count = n;
    }
    return found;
}
