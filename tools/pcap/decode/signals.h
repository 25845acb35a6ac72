/* Signals of one connection: streams in progress (wire sheet 3).  A signal that came in one piece
 * is never copied.  Bounded: WZP_PCAP_SIGNALS_MAX streams of a connection, and for all connections
 * together WZP_PCAP_SIGNAL_BYTES of signals that are not whole. */
#ifndef WZP_PCAP_DECODE_SIGNALS_H
#define WZP_PCAP_DECODE_SIGNALS_H

#include "tools/pcap/decode/conns.h"
#include "wire/signal_frame.h"

#define WZP_PCAP_SIGNALS_MAX 64
#define WZP_PCAP_SIGNAL_BYTES ((size_t)32 << 20)

/* Takes what is known of a signal; `signal` is borrowed for the call. */
typedef void wzp_pcap_signal_sink(void *ctx, const wzp_pcap_state *state,
                                  const wzp_pcap_quic_event *event, wzp_pcap_signal *signal);

typedef struct wzp_pcap_signal_reader {
    wzp_pcap_signal_sink *sink;
    void *ctx;
    size_t held;     /* bytes of signals that are not whole */
    uint64_t behind; /* bytes that stood behind a signal, or of streams that were given up */
} wzp_pcap_signal_reader;

/* A STREAM event of a bidirectional stream.  NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_signals_take(wzp_pcap_signal_reader *reader, wzp_pcap_state *state,
                                           const wzp_pcap_quic_event *event);

/* The connection ends: says what is not whole, and frees. */
void wzp_pcap_signals_end(wzp_pcap_signal_reader *reader, wzp_pcap_state *state);

#endif
