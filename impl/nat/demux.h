/* One socket for QUIC, STUN and tickles: whose a datagram is (nat sheet 1.3; RFC 7983, RFC 9443).
 */
#ifndef WZP_NAT_DEMUX_H
#define WZP_NAT_DEMUX_H

#include "base/bytes.h"

typedef enum wzp_demux {
    WZP_DEMUX_OTHER, /* tickles, junk, and all that is empty: to be dropped silently.  The QUIC
                      * stack must not see it, for it could answer with a stateless reset. */
    WZP_DEMUX_STUN,
    WZP_DEMUX_QUIC
} wzp_demux;

/* By the first byte: 0-3 with STUN's cookie is STUN; 64-127 and 192-255 are QUIC, since TURN's
 * channels, which share 64-79, are not used here. */
wzp_demux wzp_demux_of(wzp_bytes datagram);

#endif
