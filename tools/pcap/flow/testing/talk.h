/* Messages as the decoder would give them, for tests: one connection, whatever is said on it. */
#ifndef WZP_PCAP_FLOW_TESTING_TALK_H
#define WZP_PCAP_FLOW_TESTING_TALK_H

#include "tools/pcap/flow/flow.h"

/* The first packet's number is 1; times are since 1970, as in captures. */
#define WZP_TALK_START (UINT64_C(1700000000) * WZP_S)

typedef struct wzp_talk {
    wzp_pcap_flow *flow;
    uint64_t packet; /* the last one's number */
    wzp_pcap_conn conn;
    bool to_server;
    wzp_pcap_media_seal seal;
    uint32_t sender; /* whose keys open it; 0: not known */
} wzp_talk;

/* A room connection from 192.0.2.1 to 192.0.2.2; media goes to the server.  The flow is new. */
void wzp_talk_begin(wzp_talk *talk, uint64_t interval_ns);
void wzp_talk_end(wzp_talk *talk); /* frees the flow */

/* `payload`: its first bytes are the sequence number, so that packets differ; `salt` makes others
 * of the same number. */
void wzp_talk_media(wzp_talk *talk, const wzp_media_hdr *hdr, size_t payload, uint8_t salt,
                    uint64_t ns);
void wzp_talk_plain(wzp_talk *talk, const wzp_media_hdr *hdr, wzp_bytes payload, uint64_t ns);
void wzp_talk_report(wzp_talk *talk, const wzp_media_hdr *hdr, wzp_quality_report report,
                     uint64_t ns);
void wzp_talk_trunk(wzp_talk *talk, const wzp_media_hdr *hdr, uint8_t session, uint64_t ns);
/* JSON; what does not parse is given as such. */
void wzp_talk_signal(wzp_talk *talk, const char *json, bool to_server, uint64_t ns);
void wzp_talk_close(wzp_talk *talk, uint64_t code, const char *reason, uint64_t ns);
void wzp_talk_path(wzp_talk *talk, const wzp_addr *src, uint64_t ns);

/* The only finding of that kind, NULL: none; *count (may be NULL): how many. */
const wzp_pcap_finding *wzp_talk_finding(const wzp_talk *talk, wzp_pcap_finding_kind kind,
                                         size_t *count);

#endif
