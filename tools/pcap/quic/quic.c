/* Datagrams in: which connection each packet belongs to. */
#include "tools/pcap/quic/quic.h"

#include <stdlib.h>

#include "tools/pcap/quic/internal.h"

#define FIRST_DCID_MIN 8 /* RFC 9000, 7.2 */

/* --- what is of no connection ----------------------------------------------------------------- */

static void stray(wzp_pcap_quic *quic, const arrival *at, const char *text, size_t offset) {
    quic->counters.not_quic++;
    if (quic->cfg.any_port) {
        const wzp_pcap_quic_event event = {.kind = WZP_PCAP_QUIC_PROBLEM,
                                           .packet_number = at->packet_number,
                                           .time_ns = at->time_ns,
                                           .src = at->src,
                                           .dst = at->dst,
                                           .text = text,
                                           .offset = offset};
        quic->cfg.sink(quic->cfg.sink_ctx, &event);
    }
}

/* --- long headers ----------------------------------------------------------------------------- */

/* Who has the id that it is sent to, else the id that it comes from, else these addresses. */
static conn *find_long(const wzp_pcap_quic *quic, const arrival *at, passing *p) {
    const wzp_pcap_quic_head *head = &p->head;
    const cid_entry *entry =
        wzp_pcap_quic_cid_find(quic, wzp_bytes_of(head->dcid.data, head->dcid.len), at);
    if (head->dcid.len > 0 && entry != NULL) {
        p->to_server = entry->to_server;
        p->is_known_id = true;
        return entry->owner;
    }
    entry = wzp_pcap_quic_cid_find(quic, wzp_bytes_of(head->scid.data, head->scid.len), at);
    if (head->scid.len > 0 && entry != NULL &&
        wzp_pcap_quic_way_is_of(entry->owner, at->src, at->dst, !entry->to_server)) {
        p->to_server = !entry->to_server;
        return entry->owner;
    }
    const way *found = wzp_pcap_quic_way_find(quic, at->src, at->dst);
    if (found == NULL ||
        !found->owner->cids[head->dcid.len > 0 ? !found->to_server : found->to_server].has_empty) {
        return NULL;
    }
    p->to_server = found->to_server;
    return found->owner;
}

/* Whose first packet is missing: only clients have tokens, and servers mostly the lower port. */
static bool guess_to_server(const arrival *at, const wzp_pcap_quic_head *head) {
    return head->token.len > 0 || head->type == WZP_PCAP_QUIC_0RTT || at->dst->port < at->src->port;
}

static conn *open_conn(wzp_pcap_quic *quic, passing *p) {
    conn *c = wzp_pcap_quic_conn_new(quic, p->at, p->to_server);
    if (c == NULL) {
        return NULL;
    }
    wzp_pcap_quic_event event = {.kind = WZP_PCAP_QUIC_OPENED};
    p->c = c;
    c->version = p->head.version;
    wzp_pcap_quic_cid_learn(c, p->to_server, &p->head.dcid, UINT64_MAX, (wzp_bytes){0});
    wzp_pcap_quic_emit(p, &event);
    return c;
}

/* A client's Initial packet whose keys come from its own id begins a connection, unless a server
 * has sent the client of this one back to its start. */
static conn *begin(wzp_pcap_quic *quic, passing *p) {
    conn *c = p->c;
    if (c != NULL && !p->to_server && c->initial_version == 0) {
        wzp_pcap_quic_conn_turn(c); /* its sides were guessed, and wrongly */
        p->to_server = true;
    }
    const bool goes_on = c != NULL && p->to_server && !c->has_answer &&
                         (c->may_restart || p->head.token.len > 0 || c->initial_version == 0);
    p->to_server = true;
    if (!goes_on) {
        c = open_conn(quic, p);
    }
    if (c != NULL) {
        if (c->original_dcid.len == 0) {
            c->original_dcid = p->head.dcid;
        }
        c->version = p->head.version;
        wzp_pcap_quic_adopt(c, &p->head.dcid, p->head.version);
    }
    return c;
}

/* A packet whose beginning was not captured. */
static conn *join(wzp_pcap_quic *quic, passing *p) {
    if (p->head.type == WZP_PCAP_QUIC_RETRY || p->head.type == WZP_PCAP_QUIC_VERSION_NEGOTIATION ||
        p->head.is_cut_short) {
        return NULL;
    }
    p->to_server = guess_to_server(p->at, &p->head);
    return open_conn(quic, p);
}

static conn *conn_of_long(wzp_pcap_quic *quic, passing *p) {
    p->c = find_long(quic, p->at, p);
    if (p->head.type == WZP_PCAP_QUIC_INITIAL && !p->is_known_id && !p->head.is_cut &&
        p->head.dcid.len >= FIRST_DCID_MIN && wzp_pcap_quic_probe(quic, p)) {
        return begin(quic, p);
    }
    return p->c != NULL ? p->c : join(quic, p);
}

/* --- short headers ---------------------------------------------------------------------------- */

static bool begins_with(wzp_bytes bytes, const wzp_pcap_quic_cid *cid) {
    return bytes.len > cid->len && memcmp(bytes.data + 1, cid->data, cid->len) == 0;
}

/* Ids of every length that is in use, the long ones first. */
static const cid_entry *find_id(const wzp_pcap_quic *quic, const arrival *at, wzp_bytes bytes) {
    for (size_t len = WZP_PCAP_QUIC_CID_LEN; len > 0; len--) {
        if (quic->cid_lens[len] > 0 && bytes.len > len) {
            const cid_entry *entry =
                wzp_pcap_quic_cid_find(quic, wzp_bytes_of(bytes.data + 1, len), at);
            if (entry != NULL) {
                return entry;
            }
        }
    }
    return NULL;
}

static conn *remember(const cid_entry *entry) {
    conn *c = entry->owner;
    c->last_dcid[entry->to_server] = entry->cid;
    return c;
}

/* How long its id is goes to *dcid_len. */
static conn *conn_of_short(const wzp_pcap_quic *quic, passing *p, wzp_bytes bytes,
                           size_t *dcid_len) {
    const way *found = wzp_pcap_quic_way_find(quic, p->at->src, p->at->dst);
    conn *c = found != NULL ? found->owner : NULL;
    if (c != NULL) {
        const wzp_pcap_quic_cid *last = &c->last_dcid[found->to_server];
        p->to_server = found->to_server;
        *dcid_len = last->len;
        if (last->len > 0 && begins_with(bytes, last)) {
            p->is_known_id = p->is_known_way = true;
            return c;
        }
    }
    const cid_entry *entry = find_id(quic, p->at, bytes);
    if (entry != NULL) {
        p->to_server = entry->to_server;
        p->is_known_id = true;
        p->is_known_way = c != NULL && entry->owner == c;
        *dcid_len = entry->cid.len;
        return remember(entry);
    }
    p->is_known_way = true;
    if (c != NULL && c->cids[p->to_server].has_empty) {
        p->is_known_id = true;
        *dcid_len = 0;
    }
    return c;
}

/* --- packets and datagrams -------------------------------------------------------------------- */

static void learn_way(const passing *p) {
    if (p->is_known_id && !p->is_known_way &&
        !wzp_pcap_quic_way_is_of(p->c, p->at->src, p->at->dst, p->to_server)) {
        wzp_pcap_quic_ways_learn(p->c, p->at->src, p->at->dst, p->to_server);
    }
}

/* Returns the packet's length, 0 if what follows it cannot be read either. */
static size_t take_long(wzp_pcap_quic *quic, passing *p, wzp_bytes bytes, size_t offset) {
    wzp_fail fail;
    p->is_long = true;
    if (wzp_pcap_quic_head_long(&p->head, bytes, p->at->is_cut, &fail) != WZP_OK) {
        stray(quic, p->at,
              fail.code == WZP_ERR_VERSION ? "a version of QUIC that is not known here"
                                           : "not a QUIC packet",
              offset + fail.offset);
        return 0;
    }
    if (p->head.is_cut_short && offset > 0) {
        quic->counters.packets++; /* a header's first bytes, behind packets of its connection */
        quic->counters.cut++;
        return 0;
    }
    p->bytes = wzp_bytes_of(bytes.data, p->head.len);
    p->packet = wzp_pcap_quic_describe(&p->head, offset);
    p->c = conn_of_long(quic, p);
    if (p->c == NULL) {
        stray(quic, p->at, "a packet of a connection that is not known", offset);
    } else {
        learn_way(p);
        wzp_pcap_quic_pass(p);
    }
    return p->head.len;
}

/* An id that nobody has told of, as its frame or the server's first packet was not captured: what
 * opens, tells how long it is.  Else it is as long as the one before. */
static size_t guess_id(passing *p, wzp_bytes bytes, size_t last_len) {
    conn *c = p->c;
    for (size_t i = 0; i <= WZP_PCAP_QUIC_CID_LEN && !p->at->is_cut; i++) {
        const size_t len = last_len > 0 ? last_len : i;
        if (wzp_pcap_quic_head_short(&p->head, bytes, len, false) == WZP_OK &&
            wzp_pcap_quic_opens(p)) {
            wzp_pcap_quic_cid_learn(c, p->to_server, &p->head.dcid, UINT64_MAX, (wzp_bytes){0});
            c->last_dcid[p->to_server] = p->head.dcid;
            p->is_known_id = true;
            return len;
        }
        if (last_len > 0) {
            break;
        }
    }
    return last_len;
}

/* Nothing at all is known of it, but what opens says whose it is. */
static void join_new(wzp_pcap_quic *quic, passing *p, wzp_bytes bytes, size_t offset) {
    if (quic->conn_count == WZP_PCAP_QUIC_CONNS_MAX ||
        !wzp_pcap_quic_may_join(quic, p->at, bytes)) {
        return;
    }
    conn *c = wzp_pcap_quic_conn_new(quic, p->at, p->at->dst->port < p->at->src->port);
    if (c == NULL) {
        return;
    }
    p->c = c;
    p->to_server = p->at->dst->port < p->at->src->port;
    c->version = WZP_PCAP_QUIC_V1;
    if (wzp_pcap_quic_join(p, bytes)) {
        wzp_pcap_quic_event event = {.kind = WZP_PCAP_QUIC_OPENED};
        p->packet = wzp_pcap_quic_describe(&p->head, offset);
        wzp_pcap_quic_emit(p, &event);
        return;
    }
    wzp_pcap_quic_conn_free(c);
    quic->counters.conns--; /* nothing was said of it */
    p->c = NULL;
}

static void say_joined(const passing *p) {
    wzp_pcap_quic_event event = {.kind = WZP_PCAP_QUIC_JOINED, .hello = &p->c->hello};
    p->c->quic->counters.joined++;
    wzp_pcap_quic_emit(p, &event);
}

/* A hello that was only overtaken is waited for. */
static bool is_without_hello(const conn *c) {
    return !c->has_hello && c->is_hopeless;
}

/* Returns the length of its id. */
static size_t find_short(wzp_pcap_quic *quic, passing *p, wzp_bytes bytes, size_t offset) {
    size_t dcid_len = 0;
    p->c = conn_of_short(quic, p, bytes, &dcid_len);
    if (p->c != NULL && (!is_without_hello(p->c) || !wzp_pcap_quic_may_join(quic, p->at, bytes))) {
        return p->is_known_id ? dcid_len : guess_id(p, bytes, dcid_len);
    }
    if (p->c == NULL) {
        join_new(quic, p, bytes, offset);
    } else {
        (void)wzp_pcap_quic_join(p, bytes);
    }
    if (p->c != NULL && p->c->is_joined) {
        p->packet = wzp_pcap_quic_describe(&p->head, offset);
        say_joined(p);
        return p->head.dcid.len;
    }
    return dcid_len;
}

/* What cannot be known for want of the beginning: a short header has one byte that tells. */
static void not_known(wzp_pcap_quic *quic, const passing *p, wzp_bytes bytes, size_t offset) {
    const bool may_be_quic = offset == 0 && (bytes.data[0] & 0xc0) == 0x40 && bytes.len > 20;
    quic->counters.headless += may_be_quic ? 1 : 0;
    stray(quic, p->at, "not a packet of a connection that is known", offset);
}

static size_t take_short(wzp_pcap_quic *quic, passing *p, wzp_bytes bytes, size_t offset) {
    p->bytes = bytes;
    const size_t dcid_len = find_short(quic, p, bytes, offset);
    if (p->c == NULL ||
        wzp_pcap_quic_head_short(&p->head, bytes, dcid_len, p->at->is_cut) != WZP_OK) {
        not_known(quic, p, bytes, offset);
        return bytes.len;
    }
    p->packet = wzp_pcap_quic_describe(&p->head, offset);
    p->is_new_path =
        p->to_server && p->is_known_id &&
        (!wzp_addr_equal(p->at->src, &p->c->client) || !wzp_addr_equal(p->at->dst, &p->c->server));
    learn_way(p);
    wzp_pcap_quic_pass(p);
    quic->counters.segments += p->bytes.len < bytes.len ? 1 : 0;
    return p->bytes.len;
}

static bool is_all_zero(wzp_bytes bytes) {
    size_t i = 0;
    while (i < bytes.len && bytes.data[i] == 0) {
        i++;
    }
    return i == bytes.len;
}

static void retry_all(wzp_pcap_quic *quic) {
    while (quic->wants_retry) {
        quic->wants_retry = false;
        for (conn *c = quic->holders, *next; c != NULL; c = next) {
            next = c->holder_behind;
            if (c->wants_retry) {
                wzp_pcap_quic_held_retry(c);
            }
        }
    }
}

void wzp_pcap_quic_take(wzp_pcap_quic *quic, const wzp_pcap_udp *udp, uint64_t packet_number,
                        uint64_t time_ns) {
    const arrival at = {&udp->src, &udp->dst, packet_number, time_ns, udp->cut};
    const wzp_bytes datagram = wzp_bytes_of(
        udp->payload.data, udp->payload.len < DATAGRAM_MAX ? udp->payload.len : DATAGRAM_MAX);
    size_t offset = 0;
    quic->counters.datagrams++;
    quic->guesses_left += quic->guesses_left < GUESSES_MAX ? GUESSES_REFILL : 0;
    while (offset < datagram.len) {
        const wzp_bytes bytes = wzp_pcap_quic_rest(datagram, offset);
        passing p = {.at = &at};
        if (offset > 0 && is_all_zero(bytes)) {
            break; /* some fill their datagrams up behind the last packet */
        }
        const size_t len = wzp_pcap_quic_is_long(bytes.data[0])
                               ? take_long(quic, &p, bytes, offset)
                               : take_short(quic, &p, bytes, offset);
        if (len == 0) {
            break;
        }
        offset += len;
    }
    retry_all(quic);
}

/* --- from beginning to end -------------------------------------------------------------------- */

wzp_err wzp_pcap_quic_new(wzp_pcap_quic **out, const wzp_pcap_quic_cfg *cfg) {
    wzp_pcap_quic *quic = calloc(1, sizeof *quic);
    if (quic == NULL) {
        return WZP_ERR_NOMEM;
    }
    quic->cfg = *cfg;
    quic->guesses_left = GUESSES_MAX;
    const wzp_err err = wzp_pcap_quic_crypto_init(&quic->crypto);
    if (err != WZP_OK) {
        wzp_pcap_quic_free(&quic);
        return err;
    }
    *out = quic;
    return WZP_OK;
}

void wzp_pcap_quic_free(wzp_pcap_quic **quic) {
    wzp_pcap_quic *q = *quic;
    if (q == NULL) {
        return;
    }
    while (q->oldest != NULL) {
        wzp_pcap_quic_conn_free(q->oldest);
    }
    wzp_pcap_quic_table_clear(&q->cids);
    wzp_pcap_quic_table_clear(&q->ways);
    wzp_pcap_quic_keylog_clear(&q->keylog);
    wzp_pcap_quic_keys_clear(&q->probe[0]);
    wzp_pcap_quic_keys_clear(&q->probe[1]);
    wzp_pcap_quic_crypto_clear(&q->crypto);
    free(q);
    *quic = NULL;
}

wzp_err wzp_pcap_quic_secrets(wzp_pcap_quic *quic, wzp_bytes text) {
    const uint64_t before = quic->keylog.taken;
    const wzp_err err = wzp_pcap_quic_keylog_add(&quic->keylog, text);
    quic->counters.secrets = quic->keylog.taken;
    quic->counters.secrets_bad = quic->keylog.bad;
    quic->counters.secrets_dropped = quic->keylog.dropped;
    if (quic->keylog.taken > before) {
        for (conn *c = quic->holders; c != NULL; c = c->holder_behind) {
            c->wants_retry = quic->wants_retry = true;
        }
        retry_all(quic);
    }
    return err;
}

void wzp_pcap_quic_end(wzp_pcap_quic *quic) {
    for (conn *c = quic->oldest; c != NULL; c = c->newer) {
        wzp_pcap_quic_held_flush(c);
    }
}

const wzp_pcap_quic_counters *wzp_pcap_quic_count(const wzp_pcap_quic *quic) {
    return &quic->counters;
}
