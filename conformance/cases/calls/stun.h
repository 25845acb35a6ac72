/* STUN as the testers speak it, apart from impl/nat. */
#ifndef WZP_CONFORMANCE_CASES_CALLS_STUN_H
#define WZP_CONFORMANCE_CASES_CALLS_STUN_H

#include "base/addr.h"
#include "base/bytes.h"

enum { WZP_CT_STUN_LEN = 20, WZP_CT_STUN_ANSWER = WZP_CT_STUN_LEN + 12 };

bool wzp_ct_stun_is_request(wzp_bytes datagram);
/* XOR-MAPPED-ADDRESS alone, for the transaction of `request`, whose last byte is changed. */
wzp_bytes wzp_ct_stun_success(uint8_t out[WZP_CT_STUN_ANSWER], wzp_bytes request,
                              const wzp_addr *seen, uint8_t change);

#endif
