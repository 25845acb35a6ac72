/* From messages to what went on: connections, streams and their figures, senders and what a relay
 * would make of them, signals in their order, findings in plain words.
 *
 * Sans-IO, not thread-safe.  Bounded whatever the capture's length: the constants below, and what
 * exceeds them is counted in the totals.  Streams of some 20 KiB and up to 150 KiB of intervals. */
#ifndef WZP_PCAP_FLOW_FLOW_H
#define WZP_PCAP_FLOW_FLOW_H

#include "tools/pcap/flow/gauge.h"
#include "tools/pcap/flow/stream.h"

enum {
    WZP_PCAP_STREAMS_MAX = 512,
    WZP_PCAP_SENDERS_MAX = 512,
    WZP_PCAP_SESSIONS_MAX = 1024,
    WZP_PCAP_STEPS_MAX = 4000,
    WZP_PCAP_STEP_NAME = 40,
    WZP_PCAP_STEP_DETAIL = 120,
    WZP_PCAP_PINGS = 16,
    WZP_PCAP_IDENTITY_TEXT = 2 * 32 + 1 /* a public key in hexadecimal */
};

/* How long tier G keeps out whom ENF-1 has hung up on: once, and again for the same (conformance
 * sheet 10). */
#define WZP_PCAP_COOLDOWN (3600 * WZP_S)
#define WZP_PCAP_BLOCK (86400 * WZP_S)

/* What one identity may send in 30 days without a token (conformance sheet 7). */
#define WZP_PCAP_MONTH_BYTES UINT64_C(1000000000)

typedef struct wzp_pcap_ping {
    uint64_t value, ns;
    bool used, to_server;
} wzp_pcap_ping;

/* A QUIC connection. */
typedef struct wzp_pcap_session {
    wzp_pcap_conn conn;                                          /* as it was last */
    uint64_t media[2], media_bytes[2], signals[2];               /* to the client, to the server */
    uint64_t packets, opened, no_secret, no_hello, bad_tag, cut; /* QUIC packets, where told */
    uint64_t path_changes, key_updates, bad_datagrams, bad_signals;
    uint64_t close_packet, close_code;
    bool close_application, close_reset;
    char close_reason[WZP_PCAP_QUIC_TEXT];
    wzp_pcap_spread ping_ms; /* from a Ping to its Pong, as seen at the place of capture */
    wzp_pcap_ping pings[WZP_PCAP_PINGS];
    uint64_t directive_packet, directive_ns; /* a QualityDirective that was not followed yet */
    uint8_t directive_codec;
    struct wzp_quota_account *account; /* of that identity; NULL: not known, or no room */
    bool is_overdrawn;
    char identity[WZP_PCAP_IDENTITY_TEXT]; /* whom the client says it is; "" not yet */
} wzp_pcap_session;

/* Whoever sent media, as far as one is told from others, and what the meters say of him. */
typedef struct wzp_pcap_sender {
    uint32_t number; /* from 1 */
    uint32_t conn;   /* 0: none */
    uint32_t stream; /* the only one that is his for sure; 0: all of his direction */
    bool to_server;
    wzp_pcap_gauge gauge;
} wzp_pcap_sender;

/* One line of the call's ladder: signals, and what the connections do. */
typedef struct wzp_pcap_step {
    uint64_t packet, ns, last_ns;
    uint32_t conn;  /* 0: none */
    uint32_t times; /* the same, again and again */
    bool to_server, is_signal, bad;
    char name[WZP_PCAP_STEP_NAME]; /* both may hold bytes of the capture: escape them */
    char detail[WZP_PCAP_STEP_DETAIL];
} wzp_pcap_step;

typedef struct wzp_pcap_totals {
    uint64_t messages, media, media_bytes, signals, bad_datagrams, bad_signals, problems;
    uint64_t first_ns, last_ns, last_packet;
    uint64_t streams_dropped, senders_dropped, sessions_dropped, steps_dropped, no_memory;
} wzp_pcap_totals;

typedef struct wzp_pcap_flow wzp_pcap_flow;

/* `interval_ns`: of the tables; 0: one second.  WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_flow_new(wzp_pcap_flow **out, uint64_t interval_ns);
/* Accepts NULL, leaves NULL. */
void wzp_pcap_flow_free(wzp_pcap_flow **flow);

/* One message; borrowed for the call.  Never fails: what has no place is counted. */
void wzp_pcap_flow_take(wzp_pcap_flow *flow, const wzp_pcap_message *message);

/* The capture ends: what is open is judged, findings are put in order.  Once. */
void wzp_pcap_flow_end(wzp_pcap_flow *flow);

/* Numbers are from 1, indices here from 0; everything is borrowed from `flow`. */
size_t wzp_pcap_flow_streams(const wzp_pcap_flow *flow);
const wzp_pcap_stream *wzp_pcap_flow_stream(const wzp_pcap_flow *flow, size_t i);
size_t wzp_pcap_flow_senders(const wzp_pcap_flow *flow);
const wzp_pcap_sender *wzp_pcap_flow_sender(const wzp_pcap_flow *flow, size_t i);
size_t wzp_pcap_flow_sessions(const wzp_pcap_flow *flow);
const wzp_pcap_session *wzp_pcap_flow_session(const wzp_pcap_flow *flow, size_t i);
size_t wzp_pcap_flow_steps(const wzp_pcap_flow *flow);
const wzp_pcap_step *wzp_pcap_flow_step(const wzp_pcap_flow *flow, size_t i);
const wzp_pcap_findings *wzp_pcap_flow_findings(const wzp_pcap_flow *flow);
const wzp_pcap_totals *wzp_pcap_flow_count(const wzp_pcap_flow *flow);

/* The number of the stream that the last message belongs to; 0: no media, or no room for another
 * stream. */
uint32_t wzp_pcap_flow_last(const wzp_pcap_flow *flow);

/* The connection of that number, NULL: not known. */
const wzp_pcap_session *wzp_pcap_flow_find(const wzp_pcap_flow *flow, uint32_t conn);

/* Why the meters say nothing of a connection; NULL: they do.  Static text. */
const char *wzp_pcap_unmetered(const wzp_pcap_session *session);

#endif
