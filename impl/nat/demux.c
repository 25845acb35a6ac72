#include "nat/demux.h"

#include "nat/stun.h"

wzp_demux wzp_demux_of(wzp_bytes datagram) {
    if (wzp_stun_is(datagram)) {
        return WZP_DEMUX_STUN;
    }
    /* Both QUIC headers have the fixed bit set. */
    return datagram.len > 0 && (datagram.data[0] & 0x40) != 0 ? WZP_DEMUX_QUIC : WZP_DEMUX_OTHER;
}
