#include "tools/pcap/bin/summary.h"

#include <inttypes.h>

/* One line for each reason that there was. */
static void reason(FILE *out, uint64_t count, const char *what) {
    if (count > 0) {
        (void)fprintf(out, "  %" PRIu64 " %s\n", count, what);
    }
}

static void summary_file(FILE *out, const wzp_pcap_source *source) {
    const wzp_pcap_link_counters *link = wzp_pcap_decoder_link(source->decoder);
    reason(out, source->read.skipped, "packets of the file were skipped as malformed or too long");
    reason(out, link->unknown, "packets have a link type that is not read");
    reason(out, link->malformed, "packets have malformed headers");
    reason(out, link->cut, "packets were cut by the capture (snaplen)");
    reason(out, link->expired, "datagrams in fragments were never whole");
}

static void summary_quic(FILE *out, const wzp_pcap_quic_counters *quic) {
    reason(out, quic->no_secret,
           "QUIC packets stay closed: no key log has their secret (--keylog)");
    reason(out, quic->no_hello,
           "QUIC packets stay closed: the capture has no beginning of their connection");
    reason(out, quic->bad_tag, "QUIC packets stay closed: wrong secret, or damaged");
    reason(out, quic->cut, "QUIC packets stay closed: cut by the capture");
    reason(out, quic->frames_bad, "QUIC packets end inside a frame");
    reason(out, quic->held_dropped, "QUIC packets were not kept until their secrets came");
    reason(out, quic->streams_dropped, "streams were given up: too many bytes wait for others");
    reason(out, quic->cids_dropped, "connection IDs were forgotten: too many of one connection");
    reason(out, quic->conns_forgotten, "connections were forgotten: too many at once");
    reason(out, quic->not_quic, "datagrams are no QUIC of a known connection");
    reason(out, quic->headless,
           quic->secrets == 0
               ? "of these may be QUIC whose beginning is not in the capture: with the secrets of "
                 "their connections (--keylog) they are tried all the same"
               : "of these may be QUIC whose beginning is not in the capture, and no secret opens "
                 "them: capture from before the call on");
    reason(out, quic->joined, "connections were opened although their beginning is missing");
    reason(out, quic->segments,
           "QUIC packets were cut out of datagrams that segmentation offload has put together");
    reason(out, quic->secrets_bad, "lines of key logs are malformed");
}

static void summary_media(FILE *out, const wzp_pcap_decoder_counters *media) {
    reason(out, media->datagrams_bad, "datagrams are no media packets");
    reason(out, media->signals_bad, "signals are cut or unknown");
    reason(out, media->opened, "payloads were opened with media keys");
    reason(out, media->failed, "payloads do not open with the media keys of their sender");
    reason(out, media->nonces_again, "payloads were sealed with a nonce that was used before");
}

void wzp_pcap_summary(FILE *out, const wzp_pcap_source *source) {
    const wzp_pcap_decoder_counters *media = wzp_pcap_decoder_count(source->decoder);
    const wzp_pcap_quic_counters *quic = wzp_pcap_decoder_quic(source->decoder);
    (void)fprintf(out,
                  "%" PRIu64 " packets, %" PRIu64 " connections, %" PRIu64 " of %" PRIu64
                  " QUIC packets opened, %" PRIu64 " media packets, %" PRIu64 " signals\n",
                  source->read.packets, quic->conns, quic->opened, quic->packets, media->media,
                  media->signals);
    summary_file(out, source);
    summary_quic(out, quic);
    summary_media(out, media);
}
