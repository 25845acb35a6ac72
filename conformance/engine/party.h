/* A tester's client: dials, offers, and remembers what the relay said to it. */
#ifndef WZP_CONFORMANCE_ENGINE_PARTY_H
#define WZP_CONFORMANCE_ENGINE_PARTY_H

#include "conformance/engine/evidence.h"
#include "crypto/handshake.h"
#include "quic/quic.h"
#include "wire/signal.h"

typedef enum wzp_party_state {
    WZP_PARTY_IDLE,
    WZP_PARTY_CONNECTING,
    WZP_PARTY_CONNECTED, /* QUIC is up */
    WZP_PARTY_OFFERED,
    WZP_PARTY_JOINED, /* a RoomUpdate came */
    WZP_PARTY_GONE
} wzp_party_state;

/* What a party does once it is connected. */
typedef enum wzp_party_role {
    WZP_PARTY_MEDIA, /* CallOffer: into the room that the SNI names */
    WZP_PARTY_HUB,   /* RegisterPresence on "_signal" */
    WZP_PARTY_PEER   /* FederationHello on "_federation": a relay */
} wzp_party_role;

typedef struct wzp_ct_party {
    wzp_party_state state;
    wzp_quic *quic;
    wzp_quic_conn conn;
    const char *name;
    char room[260];
    wzp_identity identity;
    wzp_ephemeral ephemeral;
    wzp_party_role role;
    bool hold_first; /* the case sends the first message itself */
    bool video;
    const char *token; /* sent as AuthToken before the first message; NULL: none */
    const char *hello; /* the fingerprint that a peer names */

    bool answered, answer_valid, mismatch;
    uint32_t room_count;           /* of the last RoomUpdate */
    wzp_time hangup_at, closed_at; /* WZP_TIME_NEVER: did not happen */
    char hangup_code[32];
    unsigned hangup_bit; /* of the violation code, 0 for other reasons */
    wzp_quic_close_info close;
    bool has_cert;
    uint8_t cert[32]; /* SHA-256 of the relay's certificate */

    uint32_t datagrams;                 /* that came */
    uint32_t heard[WZP_SIGNAL_COUNT];   /* signals by kind */
    wzp_signal *last[WZP_SIGNAL_COUNT]; /* the last of each kind; owned */
    char *last_json[WZP_SIGNAL_COUNT];  /* as it came; owned */
    wzp_time last_at[WZP_SIGNAL_COUNT];
    uint64_t signal_bytes; /* of all JSON */
    char uni[260];         /* the text of its unidirectional streams */
    size_t uni_len;
    unsigned uni_ends;
    uint32_t unreadable; /* signals that did not parse, and streams that were none */
    int64_t watched;     /* a stream that the case sends itself; 0: none */
    wzp_time watched_at; /* the peer has all of it, or wants no more; WZP_TIME_NEVER: not yet */
} wzp_ct_party;

void wzp_party_init(wzp_ct_party *party);
void wzp_party_clear(wzp_ct_party *party);

typedef struct wzp_party_dial {
    const char *name; /* in the evidence; outlives the party */
    const char *room; /* SNI; copied */
    const char *alpn; /* NULL: "wzp" */
    const wzp_addr *local, *target;
    const wzp_identity *identity; /* NULL: a fresh one */
    wzp_party_role role;
    bool hold_first, video;
    const char *token, *hello; /* outlive the party */
} wzp_party_dial;

/* A connection, and the first message as soon as it stands.  False: nothing was sent. */
bool wzp_party_connect(wzp_ct_party *party, wzp_quic *quic, const wzp_party_dial *dial, wzp_rng rng,
                       wzp_time now);

/* The same for a connection that was accepted; it says nothing by itself. */
void wzp_party_accept(wzp_ct_party *party, wzp_quic *quic, const wzp_quic_event *connected,
                      const char *name);

/* Any signal of ours, and any text where a signal is due. */
bool wzp_party_tell(wzp_ct_party *party, const wzp_signal *signal);
bool wzp_party_say(const wzp_ct_party *party, wzp_bytes json);

/* The valid CallOffer of this identity (one bit of the signature flipped if asked). */
void wzp_party_offer_json(const wzp_ct_party *party, char *json, size_t cap, bool bad_signature);

/* Sends `json`, or the valid offer if it is NULL. */
void wzp_party_offer(wzp_ct_party *party, const char *json);

/* A peer's first words. */
void wzp_party_greet(wzp_ct_party *party);

/* Returns the signal that came, NULL if it was something else; borrowed from the party. */
const wzp_signal *wzp_party_event(wzp_ct_party *party, const wzp_quic_event *ev, wzp_time now,
                                  wzp_evidence *evidence);

static inline bool wzp_party_open(const wzp_ct_party *party) {
    return party->state >= WZP_PARTY_CONNECTED && party->state < WZP_PARTY_GONE;
}
static inline bool wzp_party_gone(const wzp_ct_party *party) {
    return party->state == WZP_PARTY_GONE;
}
const char *wzp_party_state_name(const wzp_ct_party *party);

#endif
