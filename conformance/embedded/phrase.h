/* A sentence as coded frames, for clients in coded mode: what they send must be what its codec
 * says. Made when it is first asked for; kept for the life of the process, one thread. */
#ifndef WZP_CONFORMANCE_EMBEDDED_PHRASE_H
#define WZP_CONFORMANCE_EMBEDDED_PHRASE_H

#include "base/bytes.h"

/* Frame `i` of it, which is repeated without end.  Empty: not an audio codec, or no memory. */
wzp_bytes wzp_ct_phrase(uint8_t codec, uint32_t i);

#endif
