/* rtpdump, the file of rtptools: an RTP header made from each media packet.
 *   sequence number  the lower half of ours
 *   timestamp        milliseconds in units of the codec's clock: Opus 48 kHz, Codec2 and comfort
 *                    noise 8 kHz, video 90 kHz
 *   payload type     96 + codec id
 *   marker           the frame-end flag
 *   SSRC             connection << 9 | to the server << 8 | stream id */
#ifndef WZP_PCAP_CONVERT_RTPDUMP_H
#define WZP_PCAP_CONVERT_RTPDUMP_H

#include "base/wr.h"
#include "wire/media.h"

#define WZP_PCAP_RTPDUMP_HEAD_MAX 64
#define WZP_PCAP_RTPDUMP_RECORD 20 /* bytes before the payload */

void wzp_pcap_rtpdump_head(wzp_wr *wr, uint64_t start_ns);
void wzp_pcap_rtpdump_record(wzp_wr *wr, const wzp_media_hdr *hdr, uint32_t ssrc, uint32_t at_ms,
                             wzp_bytes payload);

#endif
