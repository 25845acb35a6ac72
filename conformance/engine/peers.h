/* The relays that the suite plays, for WZP_CT_CONFIG_FEDERATION: their seeds, and what follows from
 * them, are published, so that any relay can be told to trust them (docs/CONFORMANCE.md). */
#ifndef WZP_CONFORMANCE_ENGINE_PEERS_H
#define WZP_CONFORMANCE_ENGINE_PEERS_H

enum { WZP_CT_PEERS = 6, WZP_CT_ROOMS = 8 };

typedef struct wzp_ct_peer {
    const char *seed;        /* 32 characters */
    const char *fingerprint; /* SHA-256 of the certificate that the seed leads to */
    const char *label;       /* as the relay under test names it */
} wzp_ct_peer;

extern const wzp_ct_peer wzp_ct_peers[WZP_CT_PEERS];

/* Rooms that the relay under test shares. */
extern const char *const wzp_ct_rooms[WZP_CT_ROOMS];

#endif
