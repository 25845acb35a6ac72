/* NAT-PMP, bytes to structs and back, for gateways and for their clients (RFC 6886, nat sheet 1.8).
 * What is granted is decided elsewhere, and so is what to ask (portmap.h); nothing here keeps
 * state. */
#ifndef WZP_NAT_NATPMP_H
#define WZP_NAT_NATPMP_H

#include "base/addr.h"
#include "base/err.h"
#include "base/wr.h"

#define WZP_NATPMP_PORT 5351          /* gateway; PCP shares it */
#define WZP_NATPMP_ANNOUNCE_PORT 5350 /* clients, on 224.0.0.1 */
#define WZP_NATPMP_ANSWER_MAX 64      /* no answer is longer */

typedef enum wzp_natpmp_result {
    WZP_NATPMP_SUCCESS = 0,
    WZP_NATPMP_VERSION = 1,
    WZP_NATPMP_REFUSED = 2,
    WZP_NATPMP_NETWORK_FAILURE = 3,
    WZP_NATPMP_OUT_OF_RESOURCES = 4,
    WZP_NATPMP_OPCODE = 5
} wzp_natpmp_result;

typedef enum wzp_natpmp_op {
    WZP_NATPMP_ADDRESS = 0,
    WZP_NATPMP_MAP_UDP = 1,
    WZP_NATPMP_MAP_TCP = 2
} wzp_natpmp_op;

typedef struct wzp_natpmp_request {
    uint8_t version, op;
    uint16_t internal, external; /* mapping requests only, as all below */
    uint32_t lifetime_s;
} wzp_natpmp_request;

/* WZP_OK also for a version or operation that we do not know, which wants an error as its answer.
 * WZP_ERR_TRUNCATED, WZP_ERR_PARSE (a response): to be ignored.  `fail` may be NULL. */
WZP_MUST_USE wzp_err wzp_natpmp_parse(wzp_natpmp_request *out, wzp_bytes datagram, wzp_fail *fail);

/* Answer to the address request, and the announcement of a new address or epoch.  `external` is
 * ignored unless `result` is SUCCESS. */
void wzp_natpmp_write_address(wzp_wr *wr, wzp_natpmp_result result, uint32_t epoch_s,
                              const wzp_addr *external);

/* Answer to a mapping request; `external` and `lifetime_s` as granted. */
void wzp_natpmp_write_map(wzp_wr *wr, const wzp_natpmp_request *request, wzp_natpmp_result result,
                          uint32_t epoch_s, uint16_t external, uint32_t lifetime_s);

/* "Unsupported version": 8 bytes (RFC 6886 3.5 as corrected by erratum 3618). */
void wzp_natpmp_write_version(wzp_wr *wr, uint32_t epoch_s);

/* "Unsupported opcode": the request itself, marked as an answer, up to WZP_NATPMP_ANSWER_MAX
 * bytes of it. */
void wzp_natpmp_write_opcode(wzp_wr *wr, wzp_bytes datagram);

/* --- clients ---------------------------------------------------------------------------------- */

#define WZP_NATPMP_REQUEST_MAX 12

/* The address request is 2 bytes long, a mapping request 12; a lifetime of 0 ends a mapping. */
void wzp_natpmp_write_request(wzp_wr *wr, const wzp_natpmp_request *request);

typedef struct wzp_natpmp_answer {
    uint8_t version; /* others than 0 come from gateways that do not speak NAT-PMP */
    uint8_t op;      /* without the mark of an answer */
    uint16_t result; /* wzp_natpmp_result, or a code that nobody knows */
    /* With SUCCESS only, and version 0: */
    uint32_t epoch_s;
    wzp_addr external;                /* ADDRESS: IPv4, port 0 */
    uint16_t internal, external_port; /* MAP_UDP, MAP_TCP, as the next */
    uint32_t lifetime_s;
} wzp_natpmp_answer;

/* WZP_OK also for errors, of which only the first 4 bytes must be there: what follows them differs
 * from gateway to gateway.  Bytes after an answer are ignored.
 * TRUNCATED; PARSE: a request, or success of an operation that we do not know.  `fail` may be
 * NULL. */
WZP_MUST_USE wzp_err wzp_natpmp_parse_answer(wzp_natpmp_answer *out, wzp_bytes datagram,
                                             wzp_fail *fail);

#endif
