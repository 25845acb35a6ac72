/* Connections whose beginning was not captured: neither ids nor the client's random are known, so
 * nothing says which secrets of the key log are theirs.  The tag of a packet does: what opens it is
 * right.  So the log's secrets are tried, with ids of every length.
 *
 * That costs, and most captures have datagrams that are no QUIC at all.  So few packets of each way
 * are tried, with the newest connections of the log, and numbers are guessed GUESSES_MAX times in
 * all (open.c). */
#include <stdlib.h>

#include "tools/pcap/quic/internal.h"

enum { JOIN_PACKETS = 4, JOIN_SECRETS = 64 };

bool wzp_pcap_quic_may_join(wzp_pcap_quic *quic, const arrival *at, wzp_bytes bytes) {
    if (quic->keylog.last == NULL || at->is_cut || (bytes.data[0] & 0xc0) != 0x40 ||
        quic->guesses_left == 0) {
        return false;
    }
    const uint64_t hash = wzp_pcap_quic_way_hash(at->src, at->dst);
    headless *one = &quic->headless[hash % HEADLESS_MAX];
    if (one->hash != hash) {
        *one = (headless){.hash = hash};
    }
    one->vain += one->vain < JOIN_PACKETS + 1 ? 1 : 0;
    return one->vain <= JOIN_PACKETS;
}

/* Ids of every length with keys that are set. */
static bool any_id_opens(passing *p, wzp_bytes bytes) {
    for (size_t len = 0; len <= WZP_PCAP_QUIC_CID_LEN; len++) {
        if (wzp_pcap_quic_head_short(&p->head, bytes, len, false) == WZP_OK &&
            wzp_pcap_quic_opens(p)) {
            return true;
        }
    }
    return false;
}

static bool secret_opens(passing *p, wzp_bytes bytes, const wzp_pcap_quic_secret *secret) {
    for (int suite = 0; suite < WZP_PCAP_QUIC_SUITE_COUNT; suite++) {
        if (wzp_pcap_quic_secret_len((wzp_pcap_quic_suite)suite) == secret->len &&
            wzp_pcap_quic_assume(p->c, p->to_server, (wzp_pcap_quic_suite)suite, secret) &&
            any_id_opens(p, bytes)) {
            return true;
        }
    }
    return false;
}

static bool entry_opens(passing *p, wzp_bytes bytes, const wzp_pcap_quic_logged *logged) {
    for (int to_server = 0; to_server < 2; to_server++) {
        p->to_server = to_server == 1;
        if (logged->secrets[WZP_PCAP_QUIC_SERVER_TRAFFIC + to_server].len > 0 &&
            secret_opens(p, bytes, &logged->secrets[WZP_PCAP_QUIC_SERVER_TRAFFIC + to_server])) {
            return true;
        }
    }
    return false;
}

/* What a hello would have told, as far as the key log tells it. */
static void settle(passing *p, const wzp_pcap_quic_logged *logged, bool was_to_server) {
    conn *c = p->c;
    if (p->to_server != was_to_server) {
        wzp_pcap_quic_conn_turn(c);
    }
    memcpy(c->hello.client_random, logged->random, sizeof c->hello.client_random);
    c->has_hello = true;
    c->is_hopeless = false;
    c->wants_retry = c->quic->wants_retry = true;
    wzp_pcap_quic_cid_learn(c, p->to_server, &p->head.dcid, UINT64_MAX, (wzp_bytes){0});
    c->last_dcid[p->to_server] = p->head.dcid;
    p->is_known_id = true;
    p->is_known_way = true;
}

bool wzp_pcap_quic_join(passing *p, wzp_bytes bytes) {
    conn *c = p->c;
    const bool was_to_server = p->to_server;
    const wzp_pcap_quic_logged *logged = c->quic->keylog.last;
    const wzp_pcap_quic_suite suite = c->suite;
    c->is_joined = true;
    for (int i = 0; i < JOIN_SECRETS && logged != NULL; i++, logged = logged->older) {
        if (entry_opens(p, bytes, logged)) {
            settle(p, logged, was_to_server);
            return true;
        }
    }
    c->is_joined = false;
    c->suite = suite;
    p->to_server = was_to_server;
    wzp_pcap_quic_forget_assumed(c);
    return false;
}
