/* One sender's stream: all that is known of it.  The parts have headers of their own; this one puts
 * them together, a packet at a time. */
#ifndef WZP_PCAP_FLOW_STREAM_H
#define WZP_PCAP_FLOW_STREAM_H

#include "tools/pcap/decode/message.h"
#include "tools/pcap/flow/blocks.h"
#include "tools/pcap/flow/finding.h"
#include "tools/pcap/flow/frames.h"
#include "tools/pcap/flow/loss.h"
#include "tools/pcap/flow/rows.h"
#include "tools/pcap/flow/timing.h"

enum {
    WZP_PCAP_SWITCHES_MAX = 64, /* of codecs that are remembered, the first ones */
    WZP_PCAP_REPORTS_MAX = 256, /* of quality; every second is forgotten when there are more */
    WZP_PCAP_HOLES = 4,
    WZP_PCAP_NACKS = 64
};

/* How it was told from others. */
typedef enum wzp_pcap_basis {
    WZP_PCAP_BY_CONNECTION, /* its direction has one sender */
    WZP_PCAP_BY_SESSION,    /* the session id of trunk frames */
    WZP_PCAP_BY_KEY,        /* its sender's keys open it */
    WZP_PCAP_BY_SEQUENCE    /* numbers and timestamps go on where others do not */
} wzp_pcap_basis;

/* What streams have in common only if they are of one link; the rest is separation. */
typedef struct wzp_pcap_key {
    uint32_t conn; /* 0: a file without connections */
    uint8_t media_type, stream_id;
    uint8_t session_id[2], room_hash[8];
    bool to_server, has_session, has_room;
} wzp_pcap_key;

typedef struct wzp_pcap_switch {
    uint64_t packet, ns;
    uint8_t from, to;
} wzp_pcap_switch;

typedef struct wzp_pcap_report_seen {
    uint64_t packet, ns;
    wzp_quality_report report;
} wzp_pcap_report_seen;

/* Numbers that were skipped at once. */
typedef struct wzp_pcap_hole {
    uint64_t packet, from_ns, to_ns; /* the packet behind it; arrivals around it */
    uint32_t seq, count, left;       /* the first number; how many; that did not come */
    uint32_t media_ms;               /* of the sender's clock */
} wzp_pcap_hole;

/* Nothing came, and the sender's clock hardly went on.  What follows says why: if the path stood
 * still, what was sent meanwhile comes at once. */
typedef struct wzp_pcap_stall {
    uint64_t packet, ns;
    double delta_ms, still_ms, delay_ms; /* delay of the packet behind it */
    bool open;
} wzp_pcap_stall;

typedef struct wzp_pcap_nack {
    uint64_t ns;
    uint32_t seq;
    bool used;
} wzp_pcap_nack;

typedef struct wzp_pcap_asks {
    uint64_t plis, plis_answered, nacked, nacks_answered, nacks_forgotten;
    wzp_pcap_spread pli_ms, nack_ms; /* times to the answer */
    uint64_t pli_ns, pli_packet;     /* that waits; 0: none */
    wzp_pcap_nack waiting[WZP_PCAP_NACKS];
    bool pli_told;
} wzp_pcap_asks;

typedef struct wzp_pcap_seals {
    uint64_t opened, failed, no_key, none, nonces_again, reports_inside;
} wzp_pcap_seals;

typedef struct wzp_pcap_stream {
    wzp_pcap_key key;
    wzp_pcap_basis basis;
    uint32_t number;                /* from 1 */
    uint32_t sender;                /* number of its gauge (flow.h), from 1; 0: none */
    uint32_t key_of;                /* BY_KEY: whose keys (message.h); 0: not known */
    uint64_t ambiguous, neighbours; /* packets that fitted another stream as well; most at once */
    wzp_addr src, dst;              /* of the last packet; family NONE: not known */

    uint64_t first_packet, last_packet, first_ns, last_ns;
    uint64_t packets, bytes; /* media packets, duplicates included */
    uint64_t repairs, noise, dtx, silence_ms;
    uint64_t sizes[WZP_PCAP_SIZE_BOUNDS + 1]; /* header and payload, as the relay counts */
    wzp_pcap_spread size;
    uint64_t pauses, pause_max_ns; /* three frame times and more between packets, not silence */

    wzp_pcap_loss loss;
    wzp_pcap_timing timing;
    wzp_pcap_rows rows;
    wzp_pcap_blocks blocks; /* Codec2 */
    wzp_pcap_frames frames; /* video */
    wzp_pcap_seals seals;
    wzp_pcap_asks asks;

    uint64_t newest_ns;    /* arrival of the packet with the highest number */
    uint64_t stray_packet; /* the last one */
    uint32_t newest_ts, newest_seq;
    uint32_t sample_steps; /* timestamps that went on by samples instead of milliseconds */
    uint16_t codecs;       /* bits: seen */
    uint8_t codec;         /* the last that is no comfort noise */
    bool has_codec;
    uint64_t switches;
    wzp_pcap_switch switch_list[WZP_PCAP_SWITCHES_MAX];

    uint64_t reports;
    size_t report_count, report_stride; /* of report_list; one in so many is kept */
    wzp_pcap_spread report_loss, report_rtt_ms, report_jitter_ms;
    wzp_pcap_report_seen report_list[WZP_PCAP_REPORTS_MAX];

    wzp_pcap_hole holes[WZP_PCAP_HOLES];
    wzp_pcap_stall stall;
    double delay_ms; /* of the newest packet, against the first */
} wzp_pcap_stream;

void wzp_pcap_stream_init(wzp_pcap_stream *stream, const wzp_pcap_key *key, uint64_t interval_ns);
void wzp_pcap_stream_clear(wzp_pcap_stream *stream);

/* Equal for packets with equal bytes, and hardly ever otherwise: header, length and the last bytes,
 * which are the tag where the payload is sealed. */
uint32_t wzp_pcap_digest(wzp_bytes packet);

/* How badly a packet would continue this stream, 0: perfectly; below 0: not at all. */
double wzp_pcap_stream_fit(const wzp_pcap_stream *stream, const wzp_media_hdr *hdr, uint32_t digest,
                           uint64_t ns);

/* The message's media packet.  What is worth telling goes into `findings`. */
void wzp_pcap_stream_take(wzp_pcap_stream *stream, const wzp_pcap_message *message, uint32_t digest,
                          wzp_pcap_findings *findings);

/* A request for what this stream sends. */
void wzp_pcap_stream_pli(wzp_pcap_stream *stream, uint64_t packet, uint64_t ns);
void wzp_pcap_stream_nack(wzp_pcap_stream *stream, uint32_t seq, uint64_t ns);

/* The capture ends. */
void wzp_pcap_stream_end(wzp_pcap_stream *stream, wzp_pcap_findings *findings);

/* In per cent, of the separation from other streams. */
unsigned wzp_pcap_stream_confidence(const wzp_pcap_stream *stream);

/* E-model (media/emodel.h) with the loss after recovery; an estimate.  The delay is half the round
 * trip that the sender's reports tell (0 without any), one frame, and a jitter buffer of 60 ms and
 * twice the jitter.  False: no audio, or nothing arrived. */
typedef struct wzp_pcap_mos {
    double mos, rating, delay_ms, loss_percent, burst_ratio;
} wzp_pcap_mos;
bool wzp_pcap_stream_mos(const wzp_pcap_stream *stream, wzp_pcap_mos *out);
/* The same for one interval; below 0: nothing arrived or is known to be lost. */
double wzp_pcap_row_mos(const wzp_pcap_stream *stream, const wzp_pcap_row *row);

#endif
