/* Makes messages of QUIC events: whose connection, which shape of datagram, which signal.  The part
 * of the decoder that knows WZP; decoder.c puts files and packets in front of it. */
#ifndef WZP_PCAP_DECODE_CORE_H
#define WZP_PCAP_DECODE_CORE_H

#include "tools/pcap/decode/decoder.h"
#include "tools/pcap/decode/signals.h"

typedef struct wzp_pcap_core {
    wzp_pcap_decoder_cfg cfg;
    wzp_pcap_conns conns;
    wzp_pcap_keys keys;
    wzp_pcap_signal_reader signals;
    wzp_pcap_state file;           /* records without a connection */
    const wzp_pcap_packet *packet; /* that is being decoded; NULL: none */
    wzp_pcap_decoder_counters counters;
    bool nomem; /* something was lost for want of memory */
    uint8_t plain[WZP_PCAP_PLAIN_MAX];
} wzp_pcap_core;

/* NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_core_init(wzp_pcap_core *core, const wzp_pcap_decoder_cfg *cfg);
void wzp_pcap_core_clear(wzp_pcap_core *core); /* wipes keys; says nothing */

/* A sink of wzp_pcap_quic; `ctx` is the core. */
void wzp_pcap_core_event(void *ctx, const wzp_pcap_quic_event *event);

/* One record of a file without connections. */
void wzp_pcap_core_record(wzp_pcap_core *core, const wzp_pcap_packet *packet);

/* Hands a message on, with what is the same for all of them. */
void wzp_pcap_core_say(wzp_pcap_core *core, wzp_pcap_message *message);

/* The file ends. */
void wzp_pcap_core_end(wzp_pcap_core *core);

/* A datagram of a connection or of the file: one message for each media packet in it.  `message`
 * has everything but its kind and contents. */
void wzp_pcap_core_datagram(wzp_pcap_core *core, wzp_pcap_state *state, wzp_pcap_message *message,
                            wzp_bytes data);

#endif
