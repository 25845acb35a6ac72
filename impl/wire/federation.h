/* Federation datagram: room hash (8) || MediaPacket (wire sheet 5.11). */
#ifndef WZP_WIRE_FEDERATION_H
#define WZP_WIRE_FEDERATION_H

#include "wire/media.h"

#define WZP_ROOM_HASH_LEN 8
#define WZP_FEDERATION_MIN 12 /* shorter datagrams are dropped before parsing, as deployed */

typedef struct wzp_federation_datagram {
    uint8_t room_hash[WZP_ROOM_HASH_LEN];
    wzp_bytes packet_bytes; /* delivered and relayed unchanged; borrowed */
    wzp_media_packet packet;
} wzp_federation_datagram;

/* FEDERATION_SHORT, or the errors of wzp_media_packet_parse with offsets from the datagram's
 * start.  `fail` may be NULL. */
WZP_MUST_USE wzp_err wzp_federation_parse(wzp_federation_datagram *out, wzp_bytes datagram,
                                          wzp_fail *fail);

/* `packet_bytes` is a complete MediaPacket as it came or as it was written. */
void wzp_federation_write(wzp_wr *wr, const uint8_t room_hash[WZP_ROOM_HASH_LEN],
                          wzp_bytes packet_bytes);

#endif
