/* Shared by the files of this folder; nobody else includes it.
 *
 * Whatever exists twice is indexed by direction: [0] is what the server sends, [1] what the client
 * sends (to_server).  A connection id belongs to the direction of the packets that it addresses. */
#ifndef WZP_PCAP_QUIC_INTERNAL_H
#define WZP_PCAP_QUIC_INTERNAL_H

#include "tools/pcap/quic/frames.h"
#include "tools/pcap/quic/gather.h"
#include "tools/pcap/quic/keylog.h"
#include "tools/pcap/quic/tls.h"

#define DATAGRAM_MAX 65536
#define PATHS_MAX 8            /* address pairs of a connection */
#define MESSAGE_MAX (1U << 16) /* of a handshake */
#define STREAMS_OPEN_MAX 256   /* of a direction, also those that wait for nothing */
#define CLOSED_WINDOW 512      /* streams behind the first one that is not complete */
#define NUMBERS_WINDOW 1024    /* packet numbers behind the largest */
#define SHORT_CID 4            /* ids below this length are looked up on known addresses only */
#define GENERATIONS_AHEAD 8    /* of keys: so many may have passed unseen */
#define HEADLESS_MAX 256       /* ways of connections whose beginning is missing, a power of two */
#define GUESSES_REFILL 4       /* with each datagram: noise must not use up what a call needs */
#define GUESSES_MAX (1U << 22) /* of packet numbers, of such connections together */
#define VAIN_MAX 16            /* such searches between packets that open, each direction */

typedef struct conn conn;

typedef struct cid_entry cid_entry;
struct cid_entry {
    wzp_pcap_quic_node node;
    cid_entry *next; /* of the same connection and direction; the one that came after it */
    conn *owner;
    uint64_t sequence;
    wzp_pcap_quic_cid cid;
    bool to_server, is_retired, has_token;
    uint8_t token[WZP_PCAP_QUIC_TOKEN_LEN];
};

typedef struct cid_list {
    cid_entry *first, *last;
    size_t count;
    bool has_empty; /* that side chose an id without bytes */
} cid_list;

/* One way between two addresses. */
typedef struct way {
    wzp_pcap_quic_node node;
    conn *owner; /* NULL: not in use */
    wzp_addr src, dst;
    bool to_server;
} way;

/* A datagram, or a packet of one that was held. */
typedef struct arrival {
    const wzp_addr *src, *dst;
    uint64_t packet_number, time_ns;
    bool is_cut;
} arrival;

/* A packet on its way through. */
typedef struct passing {
    const arrival *at;
    conn *c;
    wzp_pcap_quic_head head;
    wzp_bytes bytes;   /* the packet, as far as it is there */
    wzp_bytes plain;   /* its payload, once opened */
    size_t header_len; /* once opened */
    bool to_server;
    bool is_long;
    bool is_known_id; /* told by the id that it is sent to */
    bool is_known_way;
    bool is_new_path; /* the client's next packet over other addresses */
    bool key_update;
    wzp_pcap_quic_packet packet;
} passing;

typedef struct held held;
struct held {
    held *next;
    wzp_addr src, dst;
    uint64_t packet_number, time_ns;
    uint32_t offset;
    uint8_t dcid_len; /* of a short header */
    bool to_server;
    size_t len;
    uint8_t data[];
};

/* Keys and what they come from. */
typedef struct logged_keys {
    wzp_pcap_quic_keys keys;
    wzp_pcap_quic_secret secret;
} logged_keys;

/* Keys of 1-RTT packets of one direction; level is the present generation. */
typedef struct app_keys {
    logged_keys level;
    wzp_pcap_quic_secret next_secret;
    wzp_pcap_quic_aead before, next;
    bool has_before, has_next;
    wzp_pcap_quic_suite next_suite; /* what next was made for: until something opens, a guess */
    uint32_t generation;
    uint32_t vain;         /* searches for later generations since a packet opened */
    uint64_t first_number; /* the lowest that the present generation opened */
} app_keys;

/* The handshake's bytes of one direction and level. */
typedef struct talk {
    wzp_pcap_quic_gather gather;
    uint8_t *bytes;
    size_t len, cap;
    bool is_done; /* what follows is of no interest */
} talk;

typedef struct stream stream;
struct stream {
    stream *next; /* the one that was quiet for longer */
    uint64_t id;
    uint64_t end; /* UINT64_MAX until FIN came */
    wzp_pcap_quic_gather gather;
};

/* Which streams of one kind (id modulo 4) are over: all below `low`, and those of the bits. */
typedef struct closed {
    uint64_t low;
    uint64_t bits[CLOSED_WINDOW / 64];
} closed;

typedef struct streams {
    stream *first;
    size_t count;
    closed closed[4];
} streams;

typedef enum space { SPACE_INITIAL, SPACE_HANDSHAKE, SPACE_APP, SPACE_COUNT } space;

struct conn {
    wzp_pcap_quic *quic;
    conn *older, *newer;
    uint32_t number, version;
    wzp_addr client, server;
    bool is_oriented;                         /* which side is the client is known, not guessed */
    bool has_answer;                          /* the server did more than ask for another start */
    bool may_restart;                         /* it asked: Retry, or Version Negotiation */
    bool has_hello, is_accepted, is_finished; /* hello; ACCEPTED was said with ALPN; 1-RTT opened */
    bool is_joined; /* no hello was captured: its secrets were found by trying */
    bool is_closed[2], is_hopeless;

    way ways[2 * PATHS_MAX];
    size_t next_way;
    cid_list cids[2];
    wzp_pcap_quic_cid last_dcid[2]; /* of short headers */
    bool has_token;
    uint8_t reset_token[WZP_PCAP_QUIC_TOKEN_LEN]; /* of the transport parameters */

    wzp_pcap_quic_cid original_dcid, initial_dcid; /* first of all; what Initial keys come from */
    uint32_t initial_version;
    wzp_pcap_quic_suite suite;
    wzp_pcap_quic_keys initial[2];
    logged_keys early, handshake[2];
    app_keys app[2];
    uint64_t next_number[2][SPACE_COUNT];        /* the largest opened + 1 */
    uint64_t seen[2][NUMBERS_WINDOW / 64];       /* 1-RTT */
    uint64_t lookups[WZP_PCAP_QUIC_LABEL_COUNT]; /* lines in the log when it was last asked */

    wzp_pcap_quic_hello hello;
    talk talks[2][2]; /* Initial, Handshake */
    streams streams[2];
    size_t waiting; /* memory of stream pieces */

    held *held_first, *held_last;
    size_t held_count;
    conn *holder_before, *holder_behind; /* others that hold packets, if it does */
    bool wants_retry;
};

/* A way on which nothing is known, and how often it was tried in vain. */
typedef struct headless {
    uint64_t hash;
    uint32_t vain;
} headless;

struct wzp_pcap_quic {
    wzp_pcap_quic_cfg cfg;
    wzp_pcap_quic_counters counters;
    wzp_pcap_quic_crypto crypto;
    wzp_pcap_quic_keylog keylog;
    wzp_pcap_quic_table cids, ways;
    uint32_t cid_lens[WZP_PCAP_QUIC_CID_LEN + 1]; /* how many of each length */
    conn *oldest, *newest;
    conn *holders; /* those that hold packets: only they have anything to try again */
    size_t conn_count;
    size_t bytes; /* in held packets, pieces and handshake messages of all connections */
    bool wants_retry;
    uint32_t guesses_left; /* of packet numbers */
    headless headless[HEADLESS_MAX];
    wzp_pcap_quic_keys probe[2]; /* of a first packet */
    uint8_t header[DATAGRAM_MAX], plain[DATAGRAM_MAX];
};

static inline wzp_bytes wzp_pcap_quic_rest(wzp_bytes bytes, size_t from) {
    return wzp_bytes_of(bytes.data + from, bytes.len - from);
}

/* cids.c */
cid_entry *wzp_pcap_quic_cid_find(const wzp_pcap_quic *quic, wzp_bytes id, const arrival *at);
void wzp_pcap_quic_cid_learn(conn *c, bool to_server, const wzp_pcap_quic_cid *cid,
                             uint64_t sequence, wzp_bytes token);
void wzp_pcap_quic_cid_retire(conn *c, bool to_server, uint64_t sequence);
void wzp_pcap_quic_cids_forget(conn *c);
bool wzp_pcap_quic_is_reset(const conn *c, bool to_server, wzp_bytes datagram);
uint64_t wzp_pcap_quic_way_hash(const wzp_addr *src, const wzp_addr *dst);
const way *wzp_pcap_quic_way_find(const wzp_pcap_quic *quic, const wzp_addr *src,
                                  const wzp_addr *dst);
bool wzp_pcap_quic_way_is_of(const conn *c, const wzp_addr *src, const wzp_addr *dst,
                             bool to_server);
void wzp_pcap_quic_ways_learn(conn *c, const wzp_addr *src, const wzp_addr *dst, bool to_server);
void wzp_pcap_quic_ways_forget(conn *c);

/* conn.c */
conn *wzp_pcap_quic_conn_new(wzp_pcap_quic *quic, const arrival *at, bool to_server);
void wzp_pcap_quic_conn_free(conn *c);
void wzp_pcap_quic_conn_touch(conn *c);
void wzp_pcap_quic_conn_turn(conn *c);         /* who was taken for the client is the server */
void wzp_pcap_quic_talk_end(conn *c, talk *t); /* frees it; what follows is of no interest */
void wzp_pcap_quic_emit(const passing *p, wzp_pcap_quic_event *event);
void wzp_pcap_quic_problem(const passing *p, const char *text, size_t offset);

/* open.c */
bool wzp_pcap_quic_probe(wzp_pcap_quic *quic, passing *p);
void wzp_pcap_quic_adopt(conn *c, const wzp_pcap_quic_cid *dcid, uint32_t version);
bool wzp_pcap_quic_opens(passing *p); /* a 1-RTT packet, to learn how long its id is */
void wzp_pcap_quic_unseal(passing *p);
/* A 1-RTT packet that does not open, with keys of later generations. */
void wzp_pcap_quic_unseal_ahead(passing *p);
/* 1-RTT keys of a connection that may be another's: until forgotten, or something opens. */
bool wzp_pcap_quic_assume(conn *c, bool to_server, wzp_pcap_quic_suite suite,
                          const wzp_pcap_quic_secret *secret);
void wzp_pcap_quic_forget_assumed(conn *c);

/* handle.c */
wzp_pcap_quic_packet wzp_pcap_quic_describe(const wzp_pcap_quic_head *head, size_t offset);
void wzp_pcap_quic_pass(passing *p);
void wzp_pcap_quic_say(passing *p);
void wzp_pcap_quic_frames(passing *p);

/* join.c */
bool wzp_pcap_quic_may_join(wzp_pcap_quic *quic, const arrival *at, wzp_bytes bytes);
bool wzp_pcap_quic_join(passing *p, wzp_bytes bytes); /* a short header; p->c has had no hello */

/* segment.c */
size_t wzp_pcap_quic_segment(const passing *p);

/* held.c */
bool wzp_pcap_quic_hold(const passing *p);
void wzp_pcap_quic_held_retry(conn *c);
void wzp_pcap_quic_held_flush(conn *c);
void wzp_pcap_quic_held_forget(conn *c);

/* streams.c */
void wzp_pcap_quic_stream_data(const passing *p, const wzp_pcap_quic_walked *walked);
void wzp_pcap_quic_stream_reset(const passing *p, uint64_t id);
void wzp_pcap_quic_streams_forget(conn *c);
size_t wzp_pcap_quic_room(const conn *c);

#endif
