#include "wire/federation.h"

wzp_err wzp_federation_parse(wzp_federation_datagram *out, wzp_bytes datagram, wzp_fail *fail) {
    wzp_fail why = {WZP_OK, NULL, 0, 0};
    wzp_federation_datagram parsed;
    if (datagram.len < WZP_FEDERATION_MIN) {
        why = (wzp_fail){WZP_ERR_FEDERATION_SHORT, "room_hash", 0, datagram.len};
    } else {
        memcpy(parsed.room_hash, datagram.data, WZP_ROOM_HASH_LEN);
        parsed.packet_bytes =
            wzp_bytes_of(datagram.data + WZP_ROOM_HASH_LEN, datagram.len - WZP_ROOM_HASH_LEN);
        if (wzp_media_packet_parse(&parsed.packet, parsed.packet_bytes, &why) == WZP_OK) {
            *out = parsed;
            return WZP_OK;
        }
        why.offset += WZP_ROOM_HASH_LEN;
    }
    if (fail != NULL) {
        *fail = why;
    }
    return why.code;
}

void wzp_federation_write(wzp_wr *wr, const uint8_t room_hash[WZP_ROOM_HASH_LEN],
                          wzp_bytes packet_bytes) {
    wzp_wr_bytes(wr, wzp_bytes_of(room_hash, WZP_ROOM_HASH_LEN));
    wzp_wr_bytes(wr, packet_bytes);
}
