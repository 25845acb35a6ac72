/* What of a stream is worth telling: the part of stream.c that writes findings. */
#ifndef WZP_PCAP_FLOW_WATCH_H
#define WZP_PCAP_FLOW_WATCH_H

#include "tools/pcap/flow/stream.h"

/* Holes, resets, numbers used twice, nonces used twice, and what has waited too long. */
void wzp_pcap_watch_place(wzp_pcap_stream *stream, const wzp_pcap_message *message,
                          const wzp_pcap_place *place, wzp_pcap_findings *findings);
/* A path that stood still, or a sender that made a pause. */
void wzp_pcap_watch_delay(wzp_pcap_stream *stream, const wzp_pcap_message *message,
                          const wzp_pcap_place *place, const wzp_pcap_tick *tick,
                          wzp_pcap_findings *findings);
void wzp_pcap_watch_freeze(const wzp_pcap_stream *stream, const wzp_pcap_message *message,
                           const wzp_pcap_frame_news *news, wzp_pcap_findings *findings);
/* A quality report, which it also counts. */
void wzp_pcap_watch_report(wzp_pcap_stream *stream, const wzp_pcap_message *message,
                           wzp_pcap_row *row, wzp_pcap_findings *findings);
void wzp_pcap_watch_end(wzp_pcap_stream *stream, wzp_pcap_findings *findings);

#endif
