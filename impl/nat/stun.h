/* STUN messages of the Binding method: bytes to and from one struct (RFC 8489, and RFC 5780 for
 * the discovery of NAT behaviour), and answers as clients read them.  No integrity, no TURN.
 * Plain values: nothing allocates.  nat sheet 1.7. */
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
    wzp_bytes software;                     /* read: borrowed from the datagram */
} wzp_stun_message;

/* Whether it claims to be STUN: what shares a socket is told apart by this (RFC 9443). */
bool wzp_stun_is(wzp_bytes datagram);

/* TRUNCATED: it ends inside of the header, or of an attribute.  PARSE: no STUN message, or a wrong
 * fingerprint.  Of an attribute that comes twice the first counts (RFC 8489 14).  `fail` may be
 * NULL. */
WZP_MUST_USE wzp_err wzp_stun_parse(wzp_stun_message *out, wzp_bytes datagram, wzp_fail *fail);

/* Appends to an empty writer, the length and fingerprint included.  `software`: up to 763 bytes. */
void wzp_stun_write(wzp_wr *wr, const wzp_stun_message *message);

/* How a client reads what came to its own request (nat sheet 1.7).  Both forgive what a server does
 * wrong but an attribute that is cut ends the reading, and none need be understood. */
typedef enum wzp_stun_rules {
    WZP_STUN_REFERENCE, /* the transaction is looked at before the error, whose code is told; of an
                         * attribute that comes twice the first one that can be read counts; a
                         * fingerprint must be right */
    WZP_STUN_DEPLOYED   /* an error needs no transaction and its code is 0; the last one counts, and
                         * one that cannot be read takes away those before; no fingerprints */
} wzp_stun_rules;

typedef enum wzp_stun_verdict {
    WZP_STUN_ACCEPTED,
    WZP_STUN_NOT_STUN,        /* short, without cookie, or a request or indication */
    WZP_STUN_WRONG_TXID,      /* the answer to somebody else, or to nobody */
    WZP_STUN_CUT,             /* longer than the datagram */
    WZP_STUN_BAD_FINGERPRINT, /* REFERENCE only */
    WZP_STUN_REFUSED,         /* an error response */
    WZP_STUN_NO_ADDRESS,
    WZP_STUN_VERDICT_COUNT
} wzp_stun_verdict;

typedef struct wzp_stun_answer {
    wzp_addr mapped; /* XOR-MAPPED-ADDRESS if there, else MAPPED-ADDRESS */
    uint16_t error;  /* REFUSED: 300-699, or 0 */
} wzp_stun_answer;

/* `out` is written for ACCEPTED and REFUSED only. */
WZP_MUST_USE wzp_stun_verdict wzp_stun_read_answer(wzp_stun_answer *out, wzp_bytes datagram,
                                                   const uint8_t txid[WZP_STUN_TXID_LEN],
                                                   wzp_stun_rules rules);

/* "wrong transaction" and so on; static text. */
const char *wzp_stun_verdict_text(wzp_stun_verdict verdict);

#endif
