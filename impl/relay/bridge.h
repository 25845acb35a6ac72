/* Members that come over a WebSocket (relay sheet 11.6): what the relay's driver says and asks.
 *
 * The driver has the sockets.  It opens a guest for each, hands on what the socket hears, and takes
 * what the guest is to be told whenever the socket can be written.  A guest is a member like any
 * other, and counts as one, but says nothing of quality and hears no signals.
 *
 * What it sends passes the meters as the packets that QUIC members get of it, and a longer frame
 * than Opus has as that packet of the same duration: 20 ms of samples count as 160 bytes.  Deployed
 * relays meter no guests, and so does observe.  With --enforce on the offender is told the Hangup
 * that QUIC members are told, as a text, and closed with status 1008; its name in the ban list is
 * its fingerprint, or without one a number that stands for its address (none for loopback
 * addresses: there is a proxy behind these).
 *
 *   first  {"type":"auth","token":"..."}, if the relay wants tokens
 *   back   {"type":"auth_ok"}, or {"type":"auth_error","error":"..."} and the end
 *   then   binary frames: to other guests as they are, to QUIC members behind the header of an
 *          Opus packet with number and time 0, as deployed; from QUIC members their payloads.
 *
 * Deployed relays let guests into rooms of direct calls, and names of rooms stay as they are
 * written, while those of QUIC members are in lower case.  Here a room of a call is for its parties
 * only.  RoomUpdate names guests, but their coming and going makes none, as deployed. */
#ifndef WZP_RELAY_BRIDGE_H
#define WZP_RELAY_BRIDGE_H

#include "relay/relay.h"

#define WZP_BRIDGE_FRAME_MAX 4096 /* bytes; longer ones are dropped and counted */
#define WZP_BRIDGE_TEXT_MAX 32768 /* an auth message: a token of which each byte may be escaped */

/* False for names that are no rooms: "_signal", "ping" ..., or too long. */
bool wzp_relay_bridge_serves(const char *name);

/* A new guest, or 0: the name is no room, the relay ends, or memory does.  `app` comes back from
 * wzp_relay_bridge_ready. */
uint64_t wzp_relay_bridge_open(wzp_relay *relay, const char *name, const wzp_addr *from, void *app,
                               wzp_time now);

/* What the guest's socket heard; borrowed. */
void wzp_relay_bridge_text(wzp_relay *relay, uint64_t guest, wzp_bytes text, wzp_time now);
void wzp_relay_bridge_binary(wzp_relay *relay, uint64_t guest, wzp_bytes frame, wzp_time now);

/* Its socket is gone, and so is the guest. */
void wzp_relay_bridge_closed(wzp_relay *relay, uint64_t guest, wzp_time now);

/* The `app` of a guest that has something to be told, NULL: none has.  Each comes once, and again
 * when it has something after wzp_relay_bridge_next had nothing for it. */
void *wzp_relay_bridge_ready(wzp_relay *relay);

typedef enum wzp_bridge_kind {
    WZP_BRIDGE_TEXT,
    WZP_BRIDGE_BINARY,
    WZP_BRIDGE_CLOSE,
    WZP_BRIDGE_REJECT /* CLOSE after a Hangup, with another status */
} wzp_bridge_kind;

typedef struct wzp_bridge_message {
    wzp_bridge_kind kind;
    wzp_bytes body; /* borrowed until the next call on the relay; CLOSE, REJECT: the reason */
} wzp_bridge_message;

/* The next message for this guest.  False: none now.  After CLOSE and REJECT nothing comes any
 * more. */
bool wzp_relay_bridge_next(wzp_relay *relay, uint64_t guest, wzp_bridge_message *out);

/* {"type":"auth","token":"..."} in any order, other members skipped; the token's escapes are
 * resolved into `out` (room for text.len bytes).  False: it is something else. */
bool wzp_bridge_auth_read(wzp_bytes text, uint8_t *out, size_t *len);

#endif
