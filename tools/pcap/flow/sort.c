/* Which stream a packet belongs to. */
#include <stdlib.h>

#include "tools/pcap/flow/internal.h"

/* Where one sender only sends: from a client, and between two clients.  Everywhere else, and where
 * nothing is known of the direction, there may be several. */
static wzp_pcap_basis basis_of(const wzp_pcap_message *m) {
    if (m->media->shape == WZP_PCAP_TRUNK) {
        return WZP_PCAP_BY_SESSION;
    }
    if (m->conn == NULL || m->conn->role == WZP_PCAP_ROLE_FILE ||
        m->conn->role == WZP_PCAP_ROLE_FEDERATION) {
        return WZP_PCAP_BY_SEQUENCE;
    }
    return m->to_server || m->conn->role == WZP_PCAP_ROLE_DIRECT ? WZP_PCAP_BY_CONNECTION
                                                                 : WZP_PCAP_BY_SEQUENCE;
}

static void key_of(const wzp_pcap_message *m, wzp_pcap_key *key) {
    const wzp_media_hdr *hdr = &m->media->packet.hdr;
    *key = (wzp_pcap_key){.conn = m->conn != NULL ? m->conn->number : 0,
                          .media_type = hdr->media_type,
                          .stream_id = hdr->stream_id,
                          .to_server = m->to_server,
                          .has_session = m->media->shape == WZP_PCAP_TRUNK,
                          .has_room = m->media->shape == WZP_PCAP_FEDERATION};
    if (key->has_session) {
        memcpy(key->session_id, m->media->session_id, sizeof key->session_id);
    }
    if (key->has_room) {
        memcpy(key->room_hash, m->media->room_hash, sizeof key->room_hash);
    }
}

static bool same_key(const wzp_pcap_key *a, const wzp_pcap_key *b) {
    return a->conn == b->conn && a->to_server == b->to_server && a->media_type == b->media_type &&
           a->stream_id == b->stream_id && a->has_session == b->has_session &&
           a->has_room == b->has_room &&
           memcmp(a->session_id, b->session_id, sizeof a->session_id) == 0 &&
           memcmp(a->room_hash, b->room_hash, sizeof a->room_hash) == 0;
}

static uint32_t hash_of(const wzp_pcap_key *key) {
    uint8_t bytes[18] = {key->media_type,
                         key->stream_id,
                         key->to_server,
                         (uint8_t)((key->has_session ? 2 : 0) | (key->has_room ? 1 : 0)),
                         (uint8_t)(key->conn >> 24),
                         (uint8_t)(key->conn >> 16),
                         (uint8_t)(key->conn >> 8),
                         (uint8_t)key->conn};
    memcpy(bytes + 8, key->session_id, sizeof key->session_id);
    memcpy(bytes + 10, key->room_hash, sizeof key->room_hash);
    return wzp_pcap_index_hash(wzp_bytes_of(bytes, sizeof bytes));
}

/* --- senders ---------------------------------------------------------------------------------- */

/* A direction with one sender has one gauge for all of his streams, as the relay has. */
static uint32_t shared_sender(const wzp_pcap_flow *f, const wzp_pcap_stream *s) {
    for (size_t i = 0; i < f->sender_count; i++) {
        const wzp_pcap_sender *other = f->senders[i];
        if (other->stream == 0 && other->conn == s->key.conn &&
            other->to_server == s->key.to_server) {
            return other->number;
        }
    }
    return 0;
}

static void give_sender(wzp_pcap_flow *f, wzp_pcap_stream *s, uint64_t joined_ns) {
    const bool alone = s->basis != WZP_PCAP_BY_CONNECTION;
    s->sender = alone ? 0 : shared_sender(f, s);
    if (s->sender != 0) {
        return;
    }
    if (f->sender_count == WZP_PCAP_SENDERS_MAX) {
        f->totals.senders_dropped++;
        return;
    }
    wzp_pcap_sender *sender = calloc(1, sizeof *sender);
    if (sender == NULL || wzp_pcap_gauge_init(&sender->gauge, joined_ns) != WZP_OK) {
        free(sender);
        f->totals.no_memory++;
        return;
    }
    f->senders[f->sender_count++] = sender;
    sender->number = s->sender = (uint32_t)f->sender_count;
    sender->conn = s->key.conn;
    sender->stream = alone ? s->number : 0;
    sender->to_server = s->key.to_server;
}

/* --- streams ---------------------------------------------------------------------------------- */

static wzp_pcap_stream *open_stream(wzp_pcap_flow *f, const wzp_pcap_message *m,
                                    const wzp_pcap_key *key, wzp_pcap_basis basis) {
    if (f->stream_count == WZP_PCAP_STREAMS_MAX) {
        f->totals.streams_dropped++;
        return NULL;
    }
    wzp_pcap_stream *s = malloc(sizeof *s);
    if (s == NULL) {
        f->totals.no_memory++;
        return NULL;
    }
    wzp_pcap_stream_init(s, key, f->interval_ns);
    f->streams[f->stream_count++] = s;
    wzp_pcap_index_add(&f->by_key, hash_of(key), f->stream_count);
    s->number = (uint32_t)f->stream_count;
    s->basis = basis;
    const bool from_start =
        m->conn != NULL && basis == WZP_PCAP_BY_CONNECTION && m->conn->opened_ns <= m->time_ns;
    if (m->time_ns != 0) { /* without times nobody sends too much */
        give_sender(f, s, from_start ? m->conn->opened_ns : m->time_ns);
    }
    return s;
}

/* The one that the packet's key is of; or the best of those that it could continue. */
static wzp_pcap_stream *best_fit(wzp_pcap_flow *f, const wzp_pcap_message *m,
                                 const wzp_pcap_key *key, uint32_t digest) {
    static const double near = 1;
    const uint32_t whose = m->media->sender;
    wzp_pcap_stream *best = NULL;
    double least = 0;
    double second = -1;
    uint64_t group = 0;
    for (size_t i = wzp_pcap_index_first(&f->by_key, hash_of(key)); i != 0;
         i = wzp_pcap_index_next(&f->by_key, i)) {
        wzp_pcap_stream *s = f->streams[i - 1];
        if (!same_key(&s->key, key)) {
            continue;
        }
        if (whose != 0 && s->key_of == whose) {
            return s;
        }
        group++;
        if (whose != 0 && s->key_of != 0) {
            continue; /* somebody else's */
        }
        const double cost = wzp_pcap_stream_fit(s, &m->media->packet.hdr, digest, m->time_ns);
        if (cost >= 0 && (best == NULL || cost < least)) {
            second = best != NULL ? least : second;
            best = s;
            least = cost;
        } else if (cost >= 0 && (second < 0 || cost < second)) {
            second = cost;
        }
    }
    if (best != NULL && whose == 0) {
        best->ambiguous += second >= 0 && second - least < near ? 1 : 0;
        best->neighbours = group - 1 > best->neighbours ? group - 1 : best->neighbours;
    }
    return best;
}

static wzp_pcap_stream *with_key(const wzp_pcap_flow *f, const wzp_pcap_key *key) {
    size_t i = wzp_pcap_index_first(&f->by_key, hash_of(key));
    while (i != 0 && !same_key(&f->streams[i - 1]->key, key)) {
        i = wzp_pcap_index_next(&f->by_key, i);
    }
    return i != 0 ? f->streams[i - 1] : NULL;
}

wzp_pcap_stream *wzp_pcap_flow_sort(wzp_pcap_flow *f, const wzp_pcap_message *m, uint32_t digest) {
    const wzp_pcap_basis basis = basis_of(m);
    wzp_pcap_key key;
    key_of(m, &key);
    wzp_pcap_stream *s =
        basis == WZP_PCAP_BY_SEQUENCE ? best_fit(f, m, &key, digest) : with_key(f, &key);
    s = s != NULL ? s : open_stream(f, m, &key, basis);
    if (s != NULL && basis == WZP_PCAP_BY_SEQUENCE && m->media->sender != 0) {
        s->basis = WZP_PCAP_BY_KEY;
        s->key_of = m->media->sender;
    }
    return s;
}
