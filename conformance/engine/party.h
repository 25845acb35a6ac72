/* A tester's client: dials, offers, and remembers what the relay said to it. */
#ifndef WZP_CONFORMANCE_ENGINE_PARTY_H
#define WZP_CONFORMANCE_ENGINE_PARTY_H

#include "conformance/engine/evidence.h"
#include "crypto/handshake.h"
#include "quic/quic.h"

typedef enum wzp_party_state {
    WZP_PARTY_IDLE,
    WZP_PARTY_CONNECTING,
    WZP_PARTY_CONNECTED, /* QUIC is up */
    WZP_PARTY_OFFERED,
    WZP_PARTY_JOINED, /* a RoomUpdate came */
    WZP_PARTY_GONE
} wzp_party_state;

typedef struct wzp_ct_party {
    wzp_party_state state;
    wzp_quic *quic;
    wzp_quic_conn conn;
    const char *name;
    char room[260];
    wzp_identity identity;
    wzp_ephemeral ephemeral;
    bool hold_offer; /* the case sends its own */
    bool video;

    bool answered, answer_valid, mismatch;
    uint32_t room_count;           /* of the last RoomUpdate */
    wzp_time hangup_at, closed_at; /* WZP_TIME_NEVER: did not happen */
    char hangup_code[32];
    unsigned hangup_bit; /* of the violation code, 0 for other reasons */
    wzp_quic_close_info close;
} wzp_ct_party;

void wzp_party_init(wzp_ct_party *party);

/* A fresh identity and a connection.  `alpn` NULL: "wzp".  False: nothing was sent. */
bool wzp_party_dial(wzp_ct_party *party, wzp_quic *quic, const char *name, const char *room,
                    const char *alpn, const wzp_addr *local, const wzp_addr *target, bool video,
                    wzp_rng rng, wzp_time now);

/* The valid CallOffer of this identity (one bit of the signature flipped if asked). */
void wzp_party_offer_json(const wzp_ct_party *party, char *json, size_t cap, bool bad_signature);

/* Sends `json`, or the valid offer if it is NULL. */
void wzp_party_offer(wzp_ct_party *party, const char *json);

void wzp_party_event(wzp_ct_party *party, const wzp_quic_event *ev, wzp_time now,
                     wzp_evidence *evidence);

static inline bool wzp_party_open(const wzp_ct_party *party) {
    return party->state >= WZP_PARTY_CONNECTED && party->state < WZP_PARTY_GONE;
}
static inline bool wzp_party_gone(const wzp_ct_party *party) {
    return party->state == WZP_PARTY_GONE;
}
const char *wzp_party_state_name(const wzp_ct_party *party);

#endif
