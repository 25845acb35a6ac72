#include "tools/pcap/report/words.h"

#include <inttypes.h>
#include <stdio.h>

const char *wzp_pcap_word_role(wzp_pcap_role role) {
    static const char *const words[] = {"unknown", "room",    "signal", "federation",
                                        "probe",   "version", "direct", "file"};
    return words[role];
}

const char *wzp_pcap_word_basis(wzp_pcap_basis basis) {
    static const char *const words[] = {"connection", "session", "key", "sequence"};
    return words[basis];
}

const char *wzp_pcap_word_media(uint8_t media_type) {
    static const char *const words[] = {"audio", "video", "data", "control"};
    return media_type < WZP_COUNT_OF(words) ? words[media_type] : "?";
}

const char *wzp_pcap_word_codec(uint8_t codec) {
    const wzp_codec_info *info = wzp_codec_find(codec);
    return info != NULL ? info->name : "?";
}

const char *wzp_pcap_word_way(uint32_t conn, bool to_server, char buf[WZP_PCAP_WORD_MAX]) {
    if (conn == 0) {
        return "file";
    }
    (void)snprintf(buf, WZP_PCAP_WORD_MAX, "connection %" PRIu32 ", to the %s", conn,
                   to_server ? "server" : "client");
    return buf;
}

const char *wzp_pcap_word_codecs(const wzp_pcap_stream *s, char buf[WZP_PCAP_WORD_MAX]) {
    size_t len = 0;
    buf[0] = '\0';
    for (unsigned codec = 0; codec < WZP_CODEC_COUNT && len + 1 < WZP_PCAP_WORD_MAX; codec++) {
        if ((s->codecs >> codec & 1) != 0) {
            const int n = snprintf(buf + len, WZP_PCAP_WORD_MAX - len, "%s%s", len > 0 ? "," : "",
                                   wzp_pcap_word_codec((uint8_t)codec));
            len += n > 0 ? (size_t)n : 0;
        }
    }
    return buf;
}

bool wzp_pcap_has_problem(const wzp_pcap_report *report, uint32_t stream) {
    const wzp_pcap_findings *all = wzp_pcap_flow_findings(report->flow);
    for (size_t i = 0; i < all->count; i++) {
        if (all->list[i].stream == stream && all->list[i].level > WZP_PCAP_LEVEL_NOTE) {
            return true;
        }
    }
    return false;
}

double wzp_pcap_since(const wzp_pcap_report *report, uint64_t ns) {
    const uint64_t first = wzp_pcap_flow_count(report->flow)->first_ns;
    return (double)wzp_time_since(ns, first) / 1e9;
}

double wzp_pcap_stream_seconds(const wzp_pcap_stream *s) {
    return (double)wzp_time_since(s->last_ns, s->first_ns) / 1e9;
}

double wzp_pcap_stream_kbps(const wzp_pcap_stream *s) {
    const double seconds = wzp_pcap_stream_seconds(s);
    return seconds > 0 ? (double)s->bytes * 8 / seconds / 1000 : 0;
}

const wzp_pcap_spread *wzp_pcap_stream_jitter(const wzp_pcap_report *report,
                                              const wzp_pcap_stream *s) {
    return report->upstream_jitter ? &s->timing.upstream_ms : &s->timing.jitter_ms;
}

const char *wzp_pcap_word_hangup(const wzp_pcap_gauge *g, char buf[WZP_PCAP_WORD_MAX]) {
    if (g->hangup.count == 0) {
        return "no";
    }
    const wzp_violation_info *info = wzp_violation_find(g->why);
    (void)snprintf(buf, WZP_PCAP_WORD_MAX, "yes, at packet %" PRIu64 " (tier %c, %s)",
                   g->hangup.packet, info->tier, info->code);
    return buf;
}

size_t wzp_pcap_report_count(const wzp_pcap_report *report, wzp_pcap_level level) {
    const wzp_pcap_findings *all = wzp_pcap_flow_findings(report->flow);
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++) {
        count += all->list[i].level == level ? 1 : 0;
    }
    return count;
}
