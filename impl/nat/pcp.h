/* PCP, bytes to structs and back, for gateways and for their clients (RFC 6887, nat sheet 1.8).
 * What is granted is decided elsewhere, and so is what to ask (portmap.h); nothing here keeps
 * state. */
#ifndef WZP_NAT_PCP_H
#define WZP_NAT_PCP_H

#include "base/addr.h"
#include "base/err.h"
#include "base/wr.h"

#define WZP_PCP_MAX 1100
#define WZP_PCP_NONCE_LEN 12
#define WZP_PCP_FILTERS_MAX 8 /* that a request may have for us to read it */

/* Name, value, whether it lasts: clients may ask again after 30 s or only after 30 min. */
#define WZP_PCP_RESULT_MAP(X)                                                                      \
    X(SUCCESS, 0, 0)                                                                               \
    X(UNSUPP_VERSION, 1, 1800)                                                                     \
    X(NOT_AUTHORIZED, 2, 1800)                                                                     \
    X(MALFORMED_REQUEST, 3, 1800)                                                                  \
    X(UNSUPP_OPCODE, 4, 1800)                                                                      \
    X(UNSUPP_OPTION, 5, 1800)                                                                      \
    X(MALFORMED_OPTION, 6, 1800)                                                                   \
    X(NETWORK_FAILURE, 7, 30)                                                                      \
    X(NO_RESOURCES, 8, 30)                                                                         \
    X(UNSUPP_PROTOCOL, 9, 1800)                                                                    \
    X(USER_EX_QUOTA, 10, 30)                                                                       \
    X(CANNOT_PROVIDE_EXTERNAL, 11, 30)                                                             \
    X(ADDRESS_MISMATCH, 12, 1800)                                                                  \
    X(EXCESSIVE_REMOTE_PEERS, 13, 1800)

typedef enum wzp_pcp_result {
#define X(name, value, lifetime) WZP_PCP_##name = (value),
    WZP_PCP_RESULT_MAP(X)
#undef X
} wzp_pcp_result;

/* Seconds after which a client may try again; 0 for SUCCESS, 1800 for codes we do not know. */
uint32_t wzp_pcp_error_lifetime(unsigned result);

typedef enum wzp_pcp_op { WZP_PCP_ANNOUNCE = 0, WZP_PCP_MAP = 1, WZP_PCP_PEER = 2 } wzp_pcp_op;

typedef struct wzp_pcp_filter {
    uint8_t prefix;  /* of the 128 bits; 0: forget all filters */
    wzp_addr remote; /* port 0: any */
} wzp_pcp_filter;

typedef struct wzp_pcp_request {
    uint8_t version, op;
    uint32_t lifetime_s;
    wzp_addr client; /* as the header says; port 0 */
    /* MAP and PEER */
    uint8_t nonce[WZP_PCP_NONCE_LEN];
    uint8_t protocol;
    uint16_t internal;
    wzp_addr external; /* suggested; zeros: any */
    wzp_addr remote;   /* PEER */
    /* options */
    bool has_third_party, prefer_failure;
    wzp_addr third_party;
    wzp_pcp_filter filters[WZP_PCP_FILTERS_MAX];
    size_t filter_count;
} wzp_pcp_request;

/* WZP_OK with *result SUCCESS: `out` is complete.  WZP_OK with another *result: the answer is that
 * error, and `out` holds what could be read before it.  WZP_ERR_TRUNCATED, WZP_ERR_PARSE (a
 * response): to be ignored.  `fail` may be NULL; it tells the place of an error result too. */
WZP_MUST_USE wzp_err wzp_pcp_parse(wzp_pcp_request *out, wzp_pcp_result *result, wzp_bytes datagram,
                                   wzp_fail *fail);

/* MAP or PEER granted: the request comes back with what was granted, and with those options that
 * we process. */
void wzp_pcp_write_granted(wzp_wr *wr, const wzp_pcp_request *request, uint32_t epoch_s,
                           const wzp_addr *external, uint32_t lifetime_s);

/* Answer to ANNOUNCE, and the unsolicited one after a restart. */
void wzp_pcp_write_announce(wzp_wr *wr, uint32_t epoch_s);

/* An error: the request comes back, cut to 1100 bytes or filled to a whole number of words and a
 * whole header.  `datagram` has at least 2 bytes. */
void wzp_pcp_write_error(wzp_wr *wr, wzp_bytes datagram, unsigned result, uint32_t epoch_s,
                         uint32_t lifetime_s);

/* --- clients ---------------------------------------------------------------------------------- */

#define WZP_PCP_MAP_LEN 60 /* a MAP request without options, and its answer */

/* With its options; `version` is not looked at. */
void wzp_pcp_write_request(wzp_wr *wr, const wzp_pcp_request *request);

typedef struct wzp_pcp_answer {
    uint8_t version; /* 0: a gateway that speaks NAT-PMP only; others: another PCP */
    uint8_t op;      /* without the mark of an answer */
    uint8_t result;  /* wzp_pcp_result, or a code that nobody knows */
    /* With version 2 only: */
    uint32_t lifetime_s, epoch_s;
    bool has_mapping; /* the fields below; always with SUCCESS of MAP and PEER */
    uint8_t nonce[WZP_PCP_NONCE_LEN];
    uint8_t protocol;
    uint16_t internal;
    wzp_addr external; /* as assigned; in errors as suggested */
    wzp_addr remote;   /* PEER */
} wzp_pcp_answer;

/* WZP_OK also for errors.  Options are skipped.
 * TRUNCATED; PARSE: a request, success of an operation that we do not know, or a length that no PCP
 * message has (RFC 6887 8.3).  `fail` may be NULL. */
WZP_MUST_USE wzp_err wzp_pcp_parse_answer(wzp_pcp_answer *out, wzp_bytes datagram, wzp_fail *fail);

#endif
