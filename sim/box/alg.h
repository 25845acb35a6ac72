/* A gateway that knows STUN and means well: it translates addresses in messages as it does in
 * headers, so that a client learns its inside address and takes the NAT for none.  RFC 4787 wants
 * such a thing off (REQ-10), and XOR-MAPPED-ADDRESS is there to hide from it (RFC 8489, 14.2).
 * nat sheet 2.2, 2.14 (N58). */
#ifndef WZP_SIM_BOX_ALG_H
#define WZP_SIM_BOX_ALG_H

#include "base/addr.h"

/* In a STUN message with or without the magic cookie (RFC 3489, RFC 8489): each MAPPED-ADDRESS that
 * is `was` becomes `is`, of the same family.  Nothing else changes, lengths and FINGERPRINT
 * included, which is wrong then.  False: nothing did. */
bool wzp_sim_alg_stun(uint8_t *payload, size_t len, const wzp_addr *was, const wzp_addr *is);

#endif
