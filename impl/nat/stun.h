/* STUN messages of the Binding method: bytes to and from one struct (RFC 8489, and RFC 5780 for
 * the discovery of NAT behaviour).  No integrity, no TURN. */
#ifndef WZP_NAT_STUN_H
#define WZP_NAT_STUN_H

#include "base/addr.h"
#include "base/err.h"
#include "base/wr.h"

#define WZP_STUN_COOKIE UINT32_C(0x2112a442)
#define WZP_STUN_HEADER_LEN 20
#define WZP_STUN_TXID_LEN 12
#define WZP_STUN_UNKNOWN_MAX 16

typedef enum wzp_stun_type {
    WZP_STUN_REQUEST = 0x0001,
    WZP_STUN_INDICATION = 0x0011,
    WZP_STUN_SUCCESS = 0x0101,
    WZP_STUN_ERROR = 0x0111
} wzp_stun_type;

/* An address of family NONE, and a number of 0, is an attribute that is not there. */
typedef struct wzp_stun_message {
    uint16_t type; /* wzp_stun_type, or any other below 0x4000 */
    uint8_t txid[WZP_STUN_TXID_LEN];
    wzp_addr mapped, xor_mapped, origin, other;
    bool has_change, change_ip, change_port; /* CHANGE-REQUEST */
    uint16_t response_port;
    bool has_padding;
    uint16_t padding_len;                   /* of its value */
    uint16_t error;                         /* 300-699 */
    uint16_t unknown[WZP_STUN_UNKNOWN_MAX]; /* written: UNKNOWN-ATTRIBUTES.  Read: what came
                                             * and should have been understood. */
    size_t unknown_count;                   /* may be larger than the array */
    bool has_fingerprint;                   /* read: and it is right */
} wzp_stun_message;

/* Whether it claims to be STUN: what shares a socket is told apart by this (RFC 9443). */
bool wzp_stun_is(wzp_bytes datagram);

/* TRUNCATED: it ends inside of the header, or of an attribute.  PARSE: no STUN message, or a wrong
 * fingerprint.  Of an attribute that comes twice the first counts (RFC 8489 14).  `fail` may be
 * NULL. */
WZP_MUST_USE wzp_err wzp_stun_parse(wzp_stun_message *out, wzp_bytes datagram, wzp_fail *fail);

/* Appends to an empty writer, the length and fingerprint included. */
void wzp_stun_write(wzp_wr *wr, const wzp_stun_message *message);

#endif
