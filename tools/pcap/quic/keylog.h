/* The lines of an NSS key log, found by the client's random (tools sheet 7.2). */
#ifndef WZP_PCAP_QUIC_KEYLOG_H
#define WZP_PCAP_QUIC_KEYLOG_H

#include "tools/pcap/quic/keys.h"
#include "tools/pcap/quic/table.h"

typedef enum wzp_pcap_quic_label {
    WZP_PCAP_QUIC_SERVER_HANDSHAKE,
    WZP_PCAP_QUIC_CLIENT_HANDSHAKE, /* each server's and client's in this order: + to_server */
    WZP_PCAP_QUIC_SERVER_TRAFFIC,
    WZP_PCAP_QUIC_CLIENT_TRAFFIC,
    WZP_PCAP_QUIC_CLIENT_EARLY,
    WZP_PCAP_QUIC_LABEL_COUNT
} wzp_pcap_quic_label;

/* What was logged of one connection. */
typedef struct wzp_pcap_quic_logged {
    wzp_pcap_quic_node node;
    struct wzp_pcap_quic_logged *next, *older; /* the ones that came after and before it */
    uint8_t random[32];
    wzp_pcap_quic_secret secrets[WZP_PCAP_QUIC_LABEL_COUNT];
} wzp_pcap_quic_logged;

/* Zeroed: empty. */
typedef struct wzp_pcap_quic_keylog {
    wzp_pcap_quic_table table;
    wzp_pcap_quic_logged *first, *last; /* the oldest goes when there are too many */
    uint64_t taken, bad, dropped;       /* lines, lines, connections */
} wzp_pcap_quic_keylog;

void wzp_pcap_quic_keylog_clear(wzp_pcap_quic_keylog *log);

/* WZP_ERR_NOMEM: lines before were taken. */
WZP_MUST_USE wzp_err wzp_pcap_quic_keylog_add(wzp_pcap_quic_keylog *log, wzp_bytes text);

/* NULL: nothing is known.  Borrowed until the next change. */
const wzp_pcap_quic_logged *wzp_pcap_quic_keylog_find(const wzp_pcap_quic_keylog *log,
                                                      const uint8_t random[32]);

#endif
