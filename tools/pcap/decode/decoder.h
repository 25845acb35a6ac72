/* The whole way from packets of a capture to messages.  Sans-IO; bounded as its parts are.
 *
 * Media keys come as text, one line each (tools sheet 7.4):
 *   WZP_MEDIA_KEY <client random of the connection, 64 hex digits, or *> <epoch> <key, 64 hex
 * digits> with '*' for every connection and for files without any. */
#ifndef WZP_PCAP_DECODE_DECODER_H
#define WZP_PCAP_DECODE_DECODER_H

#include "tools/pcap/decode/message.h"

typedef struct wzp_pcap_decoder_cfg {
    void (*sink)(void *ctx, const wzp_pcap_message *message); /* must not call back */
    void *sink_ctx;
    bool frames;  /* messages for every QUIC frame */
    bool packets; /* messages for every QUIC packet; without: media, signals, hellos, closes,
                     problems */
    bool waits_for_secrets; /* they may still come: packets are held from the start */
    bool any_port;          /* datagrams of no connection are said as problems */
    bool legacy_nonce;      /* media keys: packet counters in place of sequence numbers, too */
} wzp_pcap_decoder_cfg;

typedef struct wzp_pcap_decoder wzp_pcap_decoder;

/* WZP_ERR_NOMEM, WZP_ERR_CRYPTO_LIB */
WZP_MUST_USE wzp_err wzp_pcap_decoder_new(wzp_pcap_decoder **out, const wzp_pcap_decoder_cfg *cfg);
/* Wipes all keys.  Accepts NULL, leaves NULL. */
void wzp_pcap_decoder_free(wzp_pcap_decoder **decoder);

/* A key log's text.  WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_decoder_secrets(wzp_pcap_decoder *decoder, wzp_bytes text);

/* PARSE: *line (from 1) is not as above, lines before it were taken.  LIMIT: more senders or epochs
 * than keys.h has room for.  NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_decoder_media_keys(wzp_pcap_decoder *decoder, wzp_bytes text,
                                                 size_t *line);

/* One item of a file: packets are decoded, secrets taken, problems passed on.  WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_decoder_take(wzp_pcap_decoder *decoder, const wzp_pcap_item *item);

/* The file ends: what was held is said. */
void wzp_pcap_decoder_end(wzp_pcap_decoder *decoder);

typedef struct wzp_pcap_decoder_counters {
    uint64_t media, signals, datagrams_bad, signals_bad;
    uint64_t opened, failed, no_key; /* media by seal; the rest was never sealed */
    uint64_t nonces_again;
} wzp_pcap_decoder_counters;

const wzp_pcap_decoder_counters *wzp_pcap_decoder_count(const wzp_pcap_decoder *decoder);
const wzp_pcap_quic_counters *wzp_pcap_decoder_quic(const wzp_pcap_decoder *decoder);
const wzp_pcap_link_counters *wzp_pcap_decoder_link(const wzp_pcap_decoder *decoder);

#endif
