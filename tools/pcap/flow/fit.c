/* Whose packet is it?  Where several senders share a connection nothing in the header says so, but
 * each one's numbers and timestamps go on by themselves. */
#include <math.h>

#include "tools/pcap/flow/stream.h"

enum {
    REORDER_MAX = 64,    /* numbers */
    EARLY_MAX_MS = 150,  /* a packet cannot come before it was made */
    STEP_MAX_MS = 60000, /* of timestamps at once */
    SILENT_STEP_MS = 420 /* between packets of comfort noise, 40 ms frames */
};
#define REORDER_NS (2 * WZP_S)

static const double impossible = -1;

uint32_t wzp_pcap_digest(wzp_bytes packet) {
    const size_t head = packet.len < 32 ? packet.len : 32;
    const size_t tail = packet.len < 64 ? head : packet.len - 32;
    uint32_t h = UINT32_C(2166136261) ^ (uint32_t)packet.len; /* FNV-1a */
    for (size_t i = 0; i < head; i++) {
        h = (h ^ packet.data[i]) * UINT32_C(16777619);
    }
    for (size_t i = tail; i < packet.len; i++) {
        h = (h ^ packet.data[i]) * UINT32_C(16777619);
    }
    return h;
}

/* How far off the sender's clock is, in steps of 20 ms, at most `most`. */
static double off(double ms, double most) {
    const double steps = fabs(ms) / 20;
    return steps < most ? steps : most;
}

static double codec_cost(const wzp_pcap_stream *s, const wzp_media_hdr *hdr) {
    const bool told = s->has_codec && hdr->codec_id != WZP_CODEC_COMFORT_NOISE;
    return told && hdr->codec_id != s->codec ? 2 : 0;
}

static double fit_next(const wzp_pcap_stream *s, uint32_t missing, double step_ms,
                       double elapsed_ms) {
    if (step_ms < 0 || step_ms > STEP_MAX_MS) {
        return impossible;
    }
    if (missing > 0 && step_ms - elapsed_ms > EARLY_MAX_MS) {
        return impossible;
    }
    const double wide = s->key.media_type == WZP_MEDIA_VIDEO ? 1 : 3; /* frames come in bursts */
    const double gap = missing == 0 ? 0 : 1 + (missing < 80 ? (double)missing / 20 : 4);
    return gap + off(elapsed_ms - step_ms, wide);
}

static double fit_reordered(const wzp_pcap_place *place, double step_ms) {
    if (place->distance > REORDER_MAX || place->late_ns > REORDER_NS || step_ms > 0 ||
        step_ms < -(double)place->distance * SILENT_STEP_MS) {
        return impossible;
    }
    return 2 + (double)place->distance / 16;
}

double wzp_pcap_stream_fit(const wzp_pcap_stream *s, const wzp_media_hdr *hdr, uint32_t digest,
                           uint64_t ns) {
    const wzp_pcap_place place = wzp_pcap_loss_ask(&s->loss, hdr->seq, digest, ns);
    const double step_ms = (int32_t)(hdr->timestamp_ms - s->newest_ts);
    /* A file without times says nothing of pace. */
    const double elapsed_ms = ns == 0 ? step_ms : ((double)ns - (double)s->newest_ns) / 1e6;
    double cost = impossible;
    switch (place.kind) {
    case WZP_PCAP_ARRIVAL_DUPLICATE:
        return 0;
    case WZP_PCAP_ARRIVAL_OTHER:
    case WZP_PCAP_ARRIVAL_STRAY:
    case WZP_PCAP_ARRIVAL_RESET:
        return impossible;
    case WZP_PCAP_ARRIVAL_NEXT:
        cost = fit_next(s, place.missing, step_ms, elapsed_ms);
        break;
    case WZP_PCAP_ARRIVAL_REORDERED:
        cost = fit_reordered(&place, step_ms);
        break;
    }
    return cost < 0 ? cost : cost + codec_cost(s, hdr);
}

unsigned wzp_pcap_stream_confidence(const wzp_pcap_stream *s) {
    enum { FEW = 10 };
    if (s->basis != WZP_PCAP_BY_SEQUENCE) {
        return 100;
    }
    const double doubtful = s->packets > 0 ? (double)s->ambiguous / (double)s->packets : 1;
    const double most = s->neighbours == 0 ? 98 : 95;
    const double sure = most * (1 - doubtful);
    const unsigned percent = sure < 5 ? 5 : (unsigned)sure;
    return s->packets < FEW && percent > 50 ? 50 : percent;
}
