/* What is said between a relay and the service that knows tokens (crypto sheet 5): the body of the
 * POST and its answer.  For the relay's driver. */
#ifndef WZP_RELAY_AUTH_SERVICE_H
#define WZP_RELAY_AUTH_SERVICE_H

#include "relay/relay.h"

/* {"token":"..."}; room for 6 * token.len + 16 bytes suffices. */
void wzp_auth_request_write(wzp_wr *wr, wzp_bytes token);

/* ACCEPTED with `identity` set, or why not (then it means nothing).  An identity that the relay
 * would not take is BAD_ANSWER. */
wzp_auth_verdict wzp_auth_answer_read(unsigned status, wzp_bytes body,
                                      char identity[WZP_AUTH_IDENTITY_MAX + 1]);

/* 1 to WZP_AUTH_IDENTITY_MAX printable ASCII characters; NULL is not. */
bool wzp_auth_identity_is_usable(const char *identity);

#endif
