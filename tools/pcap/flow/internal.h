/* The state behind flow.h, shared by its files. */
#ifndef WZP_PCAP_FLOW_INTERNAL_H
#define WZP_PCAP_FLOW_INTERNAL_H

#include "meter/bans.h"
#include "meter/quota.h"
#include "tools/pcap/flow/flow.h"
#include "tools/pcap/flow/index.h"

_Static_assert((int)WZP_PCAP_STREAMS_MAX <= (int)WZP_PCAP_INDEXED_MAX &&
                   (int)WZP_PCAP_SESSIONS_MAX <= (int)WZP_PCAP_INDEXED_MAX,
               "each has a place in its index");

struct wzp_pcap_flow {
    uint64_t interval_ns;
    wzp_pcap_totals totals;
    uint32_t last_stream; /* of the last message; 0: none */
    size_t stream_count, sender_count, session_count, step_count;
    wzp_pcap_stream *streams[WZP_PCAP_STREAMS_MAX];
    wzp_pcap_sender *senders[WZP_PCAP_SENDERS_MAX];
    wzp_pcap_session *sessions[WZP_PCAP_SESSIONS_MAX];
    wzp_pcap_session *last_session; /* the one that was asked for last */
    wzp_pcap_index by_key, by_conn; /* of streams and sessions; by their places, from 1 */
    wzp_pcap_step *steps;           /* WZP_PCAP_STEPS_MAX */
    wzp_quota *quota;               /* what identities have sent, over all their connections */
    wzp_bans *bans;                 /* whom a relay that enforces would keep out by now */
    wzp_pcap_findings findings;
};

/* The stream that a media message belongs to, made if need be; NULL: there is no room. */
wzp_pcap_stream *wzp_pcap_flow_sort(wzp_pcap_flow *flow, const wzp_pcap_message *message,
                                    uint32_t digest);

/* NULL: of no connection, or there is no room. */
wzp_pcap_session *wzp_pcap_flow_session_of(wzp_pcap_flow *flow, const wzp_pcap_message *message);

/* Signals and what the connection itself does; `connection` may be NULL. */
void wzp_pcap_flow_signal(wzp_pcap_flow *flow, wzp_pcap_session *connection,
                          const wzp_pcap_message *message);
void wzp_pcap_flow_quic(wzp_pcap_flow *flow, wzp_pcap_session *connection,
                        const wzp_pcap_message *message);

/* A media packet of a session with a directive that waits. */
void wzp_pcap_flow_follow(wzp_pcap_flow *flow, wzp_pcap_session *connection,
                          const wzp_pcap_message *message);

#endif
