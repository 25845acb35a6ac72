/* What of a TLS 1.3 handshake is worth knowing (RFC 8446, 4; RFC 9000, 18). */
#ifndef WZP_PCAP_QUIC_TLS_H
#define WZP_PCAP_QUIC_TLS_H

#include "base/rd.h"
#include "tools/pcap/quic/quic.h"

enum wzp_pcap_quic_tls_type {
    WZP_PCAP_QUIC_CLIENT_HELLO = 1,
    WZP_PCAP_QUIC_SERVER_HELLO = 2,
    WZP_PCAP_QUIC_ENCRYPTED_EXTENSIONS = 8
};

enum wzp_pcap_quic_param_id {
    WZP_PCAP_QUIC_PARAM_RESET_TOKEN = 0x02,
    WZP_PCAP_QUIC_PARAM_PREFERRED_ADDRESS = 0x0d
};

typedef struct wzp_pcap_quic_tls {
    wzp_pcap_quic_hello hello; /* what the message has: a server's random is not kept */
    bool is_retry_request;     /* a ServerHello that asks for another ClientHello */
    bool has_params;
    wzp_pcap_quic_params params; /* borrowed from the message */
} wzp_pcap_quic_tls;

/* The first message of `bytes`, header (4 bytes) and all; false: it is not whole.  *body is
 * borrowed. */
bool wzp_pcap_quic_tls_next(wzp_bytes bytes, uint8_t *type, wzp_bytes *body);

/* A message of one of the types above, without its header.
 * WZP_ERR_TRUNCATED, WZP_ERR_PARSE: what was read until then is in `out` all the same. */
WZP_MUST_USE wzp_err wzp_pcap_quic_tls_parse(wzp_pcap_quic_tls *out, uint8_t type, wzp_bytes body,
                                             wzp_fail *fail);

/* Text for people: bytes outside printable ASCII as '?', cut to fit. */
void wzp_pcap_quic_text(char out[WZP_PCAP_QUIC_TEXT], wzp_bytes bytes);

#endif
