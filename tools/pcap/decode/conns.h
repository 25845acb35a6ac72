/* What the decoder knows of each connection, found by its number in constant time.  Bounded: the
 * one that was quiet for longest goes, as in the folder quic. */
#ifndef WZP_PCAP_DECODE_CONNS_H
#define WZP_PCAP_DECODE_CONNS_H

#include "tools/pcap/decode/keys.h"
#include "tools/pcap/decode/message.h"
#include "wire/compact.h"

#define WZP_PCAP_CONNS_MAX WZP_PCAP_QUIC_CONNS_MAX

typedef struct wzp_pcap_signals wzp_pcap_signals;

typedef struct wzp_pcap_state {
    wzp_pcap_conn conn;
    wzp_compact compact[2];    /* by to_server */
    wzp_pcap_conn_keys keys;   /* which fit */
    wzp_pcap_signals *signals; /* streams in progress; NULL until the first */
    struct wzp_pcap_state *newer, *older, *next;
} wzp_pcap_state;

typedef struct wzp_pcap_conns {
    wzp_pcap_state **buckets;
    wzp_pcap_state *newest, *oldest;
    size_t count;
} wzp_pcap_conns;

/* NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_conns_init(wzp_pcap_conns *conns);
/* All must have been taken out. */
void wzp_pcap_conns_clear(wzp_pcap_conns *conns);

/* The connection of that number, now the newest; NULL: not known. */
wzp_pcap_state *wzp_pcap_conns_find(wzp_pcap_conns *conns, uint32_t number);

/* A new one; there must be room.  NULL: no memory. */
wzp_pcap_state *wzp_pcap_conns_add(wzp_pcap_conns *conns, uint32_t number);

/* Takes the oldest one out, for the caller to free; NULL: there is none. */
wzp_pcap_state *wzp_pcap_conns_take_oldest(wzp_pcap_conns *conns);

/* Takes that one out, likewise. */
void wzp_pcap_conns_take(wzp_pcap_conns *conns, wzp_pcap_state *state);

static inline bool wzp_pcap_conns_full(const wzp_pcap_conns *conns) {
    return conns->count == WZP_PCAP_CONNS_MAX;
}

/* What an SNI asks for (wire sheet 2.6). */
wzp_pcap_role wzp_pcap_role_of(const char *sni);

#endif
