/* The testers as a relay: lets the client under test into the room that it was told, holds the key
 * that both share, and notes what comes from it; says and sends what a case wants.  The other
 * members of the room exist in its RoomUpdates only.
 *
 * One client at a time: a second connection to the room is counted, and served if the first is
 * gone.  Connections to anything else but the room (ping, version, _signal) are closed.  */
#ifndef WZP_CONFORMANCE_ENGINE_SERVER_H
#define WZP_CONFORMANCE_ENGINE_SERVER_H

#include "conformance/engine/evidence.h"
#include "conformance/engine/heard.h"
#include "conformance/engine/media_key.h"
#include "quic/quic.h"
#include "wire/media.h"
#include "wire/signal.h"

enum { WZP_CT_MEDIA_ROWS = 8, WZP_CT_SEEN = 8192, WZP_CT_DATAGRAM = 1200 };

typedef enum wzp_ct_server_state {
    WZP_CT_SERVER_WAITS,
    WZP_CT_SERVER_CONNECTED, /* QUIC is up; no offer yet */
    WZP_CT_SERVER_REFUSED,   /* its offer was none, `wrong` says why */
    WZP_CT_SERVER_IN_ROOM,
    WZP_CT_SERVER_GONE
} wzp_ct_server_state;

/* The media that come from the client, of one (media_type, stream_id). */
typedef struct wzp_ct_media_row {
    bool used, rekeyed;
    uint8_t type, stream;
    uint32_t seq, ts; /* of the newest packet */
    uint32_t key_seq; /* of the newest that opened with the present key */
    uint32_t old_seq; /* of the newest that was sealed before the rekey, if there was one */
} wzp_ct_media_row;

typedef struct wzp_ct_incoming {
    uint64_t packets, malformed;
    uint64_t sealed;   /* open with the present key, or the one before it for two seconds */
    uint64_t old;      /* of those: with the one before it */
    uint64_t clear;    /* all others */
    uint64_t repeated; /* number, stream and type were used under this key before */
    uint64_t late;     /* overtaken by a later one, which is the path's doing */
    uint64_t seq_breaks, ts_breaks; /* went back, or jumped by more than 1,000 or a minute */
    uint32_t seq;                   /* of the last packet */
    wzp_time last_at, last_old_at;
    wzp_ct_media_row rows[WZP_CT_MEDIA_ROWS];
    struct {
        bool used;
        uint8_t type, stream;
        uint32_t seq;
    } seen[WZP_CT_SEEN];
} wzp_ct_incoming;

typedef struct wzp_ct_server {
    wzp_quic *quic;
    wzp_quic_conn conn; /* the client's, 0: none yet */
    wzp_rng rng;
    wzp_identity identity;
    wzp_ephemeral ephemeral;
    const char *room; /* borrowed */
    wzp_ct_server_state state;
    const char *wrong;    /* with its offer; "" nothing */
    uint32_t connections; /* to the room, in all */
    uint32_t elsewhere;   /* to another room than it was told */
    wzp_time joined_at, closed_at;
    wzp_quic_close_info close;
    uint8_t client_identity[WZP_KEY_LEN];
    bool offers_video, offers_codec2;

    uint32_t heard[WZP_SIGNAL_COUNT]; /* signals of it by kind */
    uint32_t unreadable;
    struct {
        bool accepted;
        char call_id[64], proposal_id[64]; /* cut */
    } response;                            /* its last UpgradeResponse */
    int64_t watched;                       /* a signal of ours; 0: none */
    wzp_time watched_at;
    bool watched_came; /* the client's QUIC has acknowledged it */

    bool seals; /* what we send is sealed */
    wzp_ct_media_key key, old_key;
    wzp_time old_key_until;
    wzp_ephemeral fresh; /* our half of a rekey, while `rekeying` */
    bool rekeying;
    uint32_t rekeys, bad_rekeys; /* completed; refused */
    wzp_time rekeyed_at;
    uint64_t since_rekey; /* packets in both directions */

    wzp_ct_incoming media;
    wzp_ct_heard audio; /* of these */
} wzp_ct_server;

/* `room` outlives it.  The endpoint must accept connections.  False: no memory. */
bool wzp_ct_server_init(wzp_ct_server *server, wzp_quic *quic, wzp_rng rng, const char *room);
void wzp_ct_server_clear(wzp_ct_server *server); /* wipes */

/* Every event of the endpoint. */
void wzp_ct_server_event(wzp_ct_server *server, const wzp_quic_event *ev, wzp_time now,
                         wzp_evidence *evidence);

bool wzp_ct_server_tell(wzp_ct_server *server, const wzp_signal *signal);
/* Any text; its acknowledgement sets watched_came. */
bool wzp_ct_server_say(wzp_ct_server *server, const char *json);
/* Who is in the room: the client, and `others` strangers. */
bool wzp_ct_server_list(wzp_ct_server *server, uint32_t others);

/* Our half of a new key; the client must answer with its own. */
bool wzp_ct_server_rekey(wzp_ct_server *server);

/* A packet for the client. */
typedef struct wzp_ct_outgoing {
    wzp_media_hdr hdr;
    wzp_bytes bytes; /* the payload; without data: */
    size_t payload;  /* so many bytes, random ones from `seed` and the number */
    uint64_t seed;
    const wzp_quality_report *report; /* with Q; NULL: that of a good path */
    unsigned flip;  /* this bit of the datagram is the other way round, 1 is the first; 0: none */
    bool flip_tail; /* counted from the end of the datagram */
} wzp_ct_outgoing;
bool wzp_ct_server_send(wzp_ct_server *server, const wzp_ct_outgoing *packet);
/* A datagram as it is. */
bool wzp_ct_server_send_raw(wzp_ct_server *server, wzp_bytes datagram);

/* Datagrams of ours that did not leave or got lost on the way, as far as QUIC knows. */
uint64_t wzp_ct_server_lost(const wzp_ct_server *server);
/* Packets get lost or overtake each other, or some take much longer than others. */
bool wzp_ct_server_path_is_bad(const wzp_ct_server *server);
/* It gives a client a reason to send less.  Acknowledgements that are held back do not. */
bool wzp_ct_server_path_is_poor(const wzp_ct_server *server);

static inline bool wzp_ct_server_has_client(const wzp_ct_server *server) {
    return server->state == WZP_CT_SERVER_IN_ROOM;
}

#endif
