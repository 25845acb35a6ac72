/* Would this sender be hung up on?  The relay's own meters over what a capture shows: tiers A to E
 * as deployed, which count, and ENF-1 with the conduct of tier F, which decide (conformance sheet
 * 2, 10, 13).  Video's conduct is judged without the receivers' estimates.  What outlives a
 * connection, quotas of tier E and the bars of tier G, is the flow's. */
#ifndef WZP_PCAP_FLOW_GAUGE_H
#define WZP_PCAP_FLOW_GAUGE_H

#include "base/err.h"
#include "meter/conduct.h"
#include "meter/enf.h"

typedef struct wzp_pcap_breach {
    uint64_t count, packet, ns; /* packet and time of the first one */
} wzp_pcap_breach;

typedef struct wzp_pcap_gauge {
    uint64_t packets, bytes, from_ns;
    wzp_pcap_breach breaches[WZP_VIOLATION_COUNT]; /* as deployed: counted, nothing follows */
    wzp_pcap_breach hangup;                        /* ENF-1; count 0: it would not */
    wzp_violation why;
    float audio_score, video_score; /* the least; below 0: never judged */
    wzp_meter meter;
    wzp_conduct conduct;
    wzp_enf *enf;
} wzp_pcap_gauge;

/* `joined_ns` anchors the first window.  WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_gauge_init(wzp_pcap_gauge *gauge, uint64_t joined_ns);
void wzp_pcap_gauge_clear(wzp_pcap_gauge *gauge);

/* Returns what ENF-1 hangs up for with this packet; only once. */
wzp_violation wzp_pcap_gauge_take(wzp_pcap_gauge *gauge, const wzp_media_packet *packet,
                                  uint64_t packet_number, uint64_t ns);

#endif
