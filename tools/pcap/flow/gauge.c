#include "tools/pcap/flow/gauge.h"

wzp_err wzp_pcap_gauge_init(wzp_pcap_gauge *g, uint64_t joined_ns) {
    *g = (wzp_pcap_gauge){.from_ns = joined_ns, .audio_score = -1, .video_score = -1};
    wzp_meter_init(&g->meter, joined_ns);
    wzp_conduct_init(&g->conduct, joined_ns);
    g->enf = wzp_enf_new(WZP_ENF_GUARDED, joined_ns);
    return g->enf != NULL ? WZP_OK : WZP_ERR_NOMEM;
}

void wzp_pcap_gauge_clear(wzp_pcap_gauge *g) {
    wzp_enf_free(&g->enf);
}

static void note(wzp_pcap_breach *b, uint64_t packet_number, uint64_t ns) {
    if (b->count++ == 0) {
        b->packet = packet_number;
        b->ns = ns;
    }
}

static bool is_abuse(wzp_pcap_gauge *g, const wzp_media_packet *packet, uint64_t ns) {
    const wzp_conduct_news news =
        wzp_conduct_observe(&g->conduct, &packet->hdr, packet->payload.len, NULL, ns);
    float *least = packet->hdr.media_type == WZP_MEDIA_VIDEO ? &g->video_score : &g->audio_score;
    if (news.judged && (*least < 0 || news.score < *least)) {
        *least = news.score;
    }
    return news.is_abuse;
}

wzp_violation wzp_pcap_gauge_take(wzp_pcap_gauge *g, const wzp_media_packet *packet,
                                  uint64_t packet_number, uint64_t ns) {
    const size_t len = packet->payload.len;
    g->packets++;
    g->bytes += WZP_MEDIA_HDR_LEN + len;
    const wzp_violation seen = wzp_meter_observe(&g->meter, &packet->hdr, len, ns);
    if (seen != WZP_VIOLATION_NONE) {
        note(&g->breaches[seen], packet_number, ns);
    }
    wzp_violation hard = wzp_enf_observe(g->enf, &packet->hdr, len, ns);
    const bool abuse = is_abuse(g, packet, ns);
    hard = hard == WZP_VIOLATION_NONE && abuse ? WZP_VIOLATION_ENTROPY : hard;
    if (hard == WZP_VIOLATION_NONE || g->hangup.count > 0) {
        return WZP_VIOLATION_NONE; /* he is hung up on once */
    }
    note(&g->hangup, packet_number, ns);
    g->why = hard;
    return hard;
}
