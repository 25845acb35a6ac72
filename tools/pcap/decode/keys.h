/* Media keys: who has which, and which one opens a packet (crypto sheet 6; tools sheet 7.4).
 *
 * A sender's keys are a chain, one for each epoch.  On its way to the server a packet was sealed by
 * the connection's own client; on its way back by that client's peer, or by any other sender of the
 * room.  Unlike a session nothing here refuses replays: a capture shows what was sent.  Bounded by
 * the constants; sans-IO. */
#ifndef WZP_PCAP_DECODE_KEYS_H
#define WZP_PCAP_DECODE_KEYS_H

#include "crypto/session.h"
#include "tools/pcap/decode/message.h"

#define WZP_PCAP_CHAINS_MAX 4096
#define WZP_PCAP_EPOCHS_MAX 1024  /* of one chain */
#define WZP_PCAP_NONCES_MAX 1024  /* remembered of one chain */
#define WZP_PCAP_FOREIGN_TRIES 64 /* chains of others that are tried for one packet */
#define WZP_PCAP_LEGACY_AHEAD 32  /* counters that are tried: packets lost before the capture */
#define WZP_PCAP_PLAIN_MAX 65535

typedef struct wzp_pcap_chain wzp_pcap_chain;

typedef struct wzp_pcap_keys {
    wzp_pcap_chain **chains;
    size_t count;
    uint32_t generation; /* changes when chains are added */
    bool legacy;         /* counters in place of sequence numbers, too */
    uint64_t lines;      /* taken */
} wzp_pcap_keys;

/* What a connection remembers of the keys. */
typedef struct wzp_pcap_conn_keys {
    uint32_t generation;
    wzp_pcap_chain *own, *any, *last; /* last: of somebody else, that fitted last */
    size_t turn;                      /* where the next search among others begins */
    uint32_t misses;                  /* searches in vain since the last success */
    uint32_t sent[2];                 /* packets by to_server: legacy counters */
} wzp_pcap_conn_keys;

void wzp_pcap_keys_init(wzp_pcap_keys *keys, bool legacy);
void wzp_pcap_keys_clear(wzp_pcap_keys *keys); /* wipes */

/* As wzp_pcap_decoder_media_keys.  LIMIT: too many chains or epochs. */
WZP_MUST_USE wzp_err wzp_pcap_keys_take(wzp_pcap_keys *keys, wzp_bytes text, size_t *line);

typedef struct wzp_pcap_sealed {
    const uint8_t *hdr;  /* the 16 bytes, expanded */
    wzp_bytes payload;   /* without the report */
    bool report_follows; /* 4 bytes behind the payload, which may be its tag's last ones */
    bool to_server;
} wzp_pcap_sealed;

/* Sets seal, epoch, plain, report_inside and nonce_again of *media, for report_inside its packet,
 * too.  `out` has room for WZP_PCAP_PLAIN_MAX bytes and is where `plain` points to. */
void wzp_pcap_keys_open(wzp_pcap_keys *keys, const wzp_pcap_conn *conn,
                        wzp_pcap_conn_keys *remembered, const wzp_pcap_sealed *sealed,
                        wzp_pcap_media *media, uint8_t *out);

#endif
