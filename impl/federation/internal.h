/* Shared by the files of the federation; nobody else includes it. */
#ifndef WZP_FEDERATION_INTERNAL_H
#define WZP_FEDERATION_INTERNAL_H

#include "federation/dedup.h"
#include "federation/federation.h"
#include "meter/crowd.h"

/* What one bit each says of the peers. */
typedef uint64_t peer_set;
_Static_assert(WZP_FED_PEERS <= 64, "one bit for each peer");

typedef enum peer_state {
    PEER_PASSIVE, /* never dialled */
    PEER_WAITING, /* until dial_at */
    PEER_DIALLING,
    PEER_LINKED /* our own connection stands; theirs count apart */
} peer_state;

typedef struct peer {
    char key[WZP_FED_KEY_MAX + 1];
    char label[WZP_FED_TEXT_MAX + 1];
    uint64_t id; /* in "origins", the first 16 digits of its key; 0: the key is no hash */
    wzp_addr addr;
    peer_state state;
    wzp_time dial_at, last_seen;
    uint64_t backoff;
    wzp_fed_link *links; /* that are up, the newest first */
    size_t rooms_made;   /* rooms that exist because it says so */
    uint64_t packets_in, packets_out, over_rate, over_room_rate, excess;
    wzp_time window_start; /* 0: none yet */
    uint32_t window_count, window_bytes;
} peer;

struct wzp_fed_link {
    wzp_fed_link *next;
    uint32_t peer;
    uint64_t conn;
    bool dialled, up;
};

/* The members that one relay says that it has, in one piece of memory with their texts. */
typedef struct list {
    size_t count;
    wzp_room_participant items[];
} list;

typedef struct origin {
    struct origin *next;
    uint64_t id, number;
    uint32_t via;  /* the peer that told the number first */
    bool is_plain; /* a peer that knows no numbers; we give it some */
    bool is_dead;  /* kept for its number only */
    wzp_time raised_at;
    list *members; /* never NULL */
} origin;

typedef struct local {
    void *app; /* NULL: no such room here */
    list *members;
} local;

/* What one peer sends in one room. */
typedef struct inlet {
    wzp_time window_start; /* 0: nothing yet */
    uint32_t window_count, senders;
    wzp_crowd crowd;
} inlet;

struct wzp_fed_room {
    wzp_fed_room *next; /* in its bucket */
    uint64_t hash_key;
    uint8_t hash[WZP_ROOM_HASH_LEN];
    char name[WZP_FED_NAME_MAX + 1];
    char sni[33]; /* the other name that clients may use; "": none */
    bool is_configured;
    uint32_t maker; /* the peer it exists for, or WZP_FED_NO_PEER */
    local locals[WZP_FED_LOCAL];
    uint64_t number; /* of our own list */
    origin *origins;
    size_t origin_count;

    peer_set told; /* peers that have a list of ours that is not empty */
    peer_set due;  /* peers that are to be told */
    wzp_fed_room *pending_next;
    bool is_pending, is_changed;
    wzp_fed_room *changed_next;
    wzp_time hold_until, refresh_at;

    inlet inlets[]; /* by peer */
};

typedef struct queued {
    struct queued *next;
    wzp_fed_output out;
    uint8_t json[];
} queued;

enum { ROOM_BUCKETS = 1024 };

struct wzp_federation {
    wzp_fed_dedup dedup;
    wzp_fed_room *buckets[ROOM_BUCKETS];
    uint64_t bucket_key;
    wzp_fed_target targets[WZP_FED_PEERS];
    size_t target_count;
    uint32_t room_pps, peer_pps, peer_bytes;
    wzp_fed_metering metering;

    peer *peers;
    uint32_t peer_count;
    bool pin_required;
    char fingerprint[WZP_FED_KEY_MAX + 1], key[WZP_FED_KEY_MAX + 1];
    uint64_t id;
    wzp_fed_room *pending, **pending_tail; /* some peer is to be told of them */
    wzp_fed_room *changed, **changed_tail; /* their members here are to be told */
    wzp_time pending_at, sweep_at;
    queued *first, **tail, *lent;
    wzp_fed_counters counters;
};

/* federation.c */
void wzp_fed_push(wzp_federation *fed, const wzp_fed_output *out);
bool wzp_fed_send(wzp_federation *fed, uint64_t conn, const wzp_signal *signal);

/* peers.c */
WZP_MUST_USE wzp_err wzp_fed_peers_init(wzp_federation *fed, const wzp_federation_cfg *cfg,
                                        wzp_time now);
void wzp_fed_peers_clear(wzp_federation *fed);
void wzp_fed_peers_tick(wzp_federation *fed, wzp_time now);
wzp_time wzp_fed_peers_deadline(const wzp_federation *fed);
bool wzp_fed_key(char out[WZP_FED_KEY_MAX + 1], wzp_bytes fingerprint);
uint64_t wzp_fed_key_id(const char *key);

/* rooms.c */
WZP_MUST_USE wzp_err wzp_fed_rooms_init(wzp_federation *fed, const wzp_federation_cfg *cfg);
void wzp_fed_rooms_clear(wzp_federation *fed);
wzp_fed_room *wzp_fed_room_by_hash(const wzp_federation *fed, const uint8_t hash[8]);
wzp_fed_room *wzp_fed_room_find(wzp_federation *fed, wzp_bytes name, uint32_t maker);
void wzp_fed_room_settle(wzp_federation *fed, wzp_fed_room *room);
void wzp_fed_rooms_each(wzp_federation *fed,
                        void (*visit)(wzp_federation *, wzp_fed_room *, void *ctx), void *ctx);

/* lists.c */
list *wzp_fed_list_copy(wzp_federation *fed, const wzp_room_participant *items, size_t count,
                        const char *on, const char *label);
bool wzp_fed_list_equal(const list *a, const list *b);
origin *wzp_fed_find_origin(const wzp_fed_room *room, uint64_t id);
void wzp_fed_remove_origin(wzp_fed_room *room, origin *o);
void wzp_fed_on_active(wzp_federation *fed, uint32_t from, wzp_bytes name,
                       wzp_list_participant participants, wzp_list_str origins, wzp_time now);
void wzp_fed_lists_sweep(wzp_federation *fed, wzp_time now);
void wzp_fed_lists_peer_down(wzp_federation *fed, uint32_t index, wzp_time now);

/* announce.c */
void wzp_fed_due(wzp_federation *fed, wzp_fed_room *room, peer_set peers, wzp_time now);
void wzp_fed_changed(wzp_federation *fed, wzp_fed_room *room);
void wzp_fed_announce_all(wzp_federation *fed, uint32_t index, wzp_time now);
void wzp_fed_announce_tick(wzp_federation *fed, wzp_time now);
uint64_t wzp_fed_next_number(uint64_t number, wzp_time now);

#endif
