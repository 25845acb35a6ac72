/* Who a packet belongs to: connection ids, and addresses where an id has no bytes. */
#include <stdlib.h>

#include "tools/pcap/quic/internal.h"

/* --- connection ids --------------------------------------------------------------------------- */

static bool is_same(const cid_entry *entry, wzp_bytes id) {
    return entry->cid.len == id.len && memcmp(entry->cid.data, id.data, id.len) == 0;
}

static cid_entry *match(wzp_pcap_quic_node *node, wzp_bytes id) {
    for (; node != NULL; node = wzp_pcap_quic_table_next(node)) {
        cid_entry *entry = WZP_OWNER_OF(node, cid_entry, node);
        if (is_same(entry, id)) {
            return entry;
        }
    }
    return NULL;
}

/* Two connections may have the same short id: the one on these addresses is meant. */
cid_entry *wzp_pcap_quic_cid_find(const wzp_pcap_quic *quic, wzp_bytes id, const arrival *at) {
    const uint64_t hash = wzp_pcap_quic_hash(id, 0);
    cid_entry *first = match(wzp_pcap_quic_table_first(&quic->cids, hash), id);
    cid_entry *entry = first;
    if (first != NULL && id.len >= SHORT_CID &&
        match(wzp_pcap_quic_table_next(&first->node), id) == NULL) {
        return first;
    }
    while (entry != NULL &&
           !wzp_pcap_quic_way_is_of(entry->owner, at->src, at->dst, entry->to_server)) {
        entry = match(wzp_pcap_quic_table_next(&entry->node), id);
    }
    return entry == NULL && id.len >= SHORT_CID ? first : entry;
}

static void drop(cid_list *list, cid_entry *entry, cid_entry *before) {
    wzp_pcap_quic *quic = entry->owner->quic;
    *(before != NULL ? &before->next : &list->first) = entry->next;
    if (list->last == entry) {
        list->last = before;
    }
    list->count--;
    quic->cid_lens[entry->cid.len]--;
    wzp_pcap_quic_table_remove(&quic->cids, &entry->node);
    free(entry);
}

/* The oldest that was retired, else the oldest. */
static void make_room(conn *c, cid_list *list) {
    cid_entry *before = NULL;
    cid_entry *entry = list->first;
    while (entry != NULL && !entry->is_retired) {
        before = entry;
        entry = entry->next;
    }
    if (entry == NULL) {
        c->quic->counters.cids_dropped++;
        before = NULL;
        entry = list->first;
    }
    if (entry != NULL) {
        drop(list, entry, before);
    }
}

static cid_entry *known(const cid_list *list, const wzp_pcap_quic_cid *cid) {
    cid_entry *entry = list->first;
    while (entry != NULL && !wzp_pcap_quic_cid_equal(&entry->cid, cid)) {
        entry = entry->next;
    }
    return entry;
}

/* Out of memory the id stays unknown, as if its frame had not been captured. */
static cid_entry *add(conn *c, bool to_server, const wzp_pcap_quic_cid *cid) {
    cid_list *list = &c->cids[to_server];
    cid_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        return NULL;
    }
    entry->owner = c;
    entry->cid = *cid;
    entry->to_server = to_server;
    entry->node.hash = wzp_pcap_quic_hash(wzp_bytes_of(cid->data, cid->len), 0);
    if (wzp_pcap_quic_table_add(&c->quic->cids, &entry->node) != WZP_OK) {
        free(entry);
        return NULL;
    }
    if (list->count == WZP_PCAP_QUIC_CIDS_MAX) {
        make_room(c, list);
    }
    *(list->last != NULL ? &list->last->next : &list->first) = entry;
    list->last = entry;
    list->count++;
    c->quic->cid_lens[cid->len]++;
    return entry;
}

void wzp_pcap_quic_cid_learn(conn *c, bool to_server, const wzp_pcap_quic_cid *cid,
                             uint64_t sequence, wzp_bytes token) {
    if (cid->len == 0) {
        c->cids[to_server].has_empty = true;
        return;
    }
    cid_entry *entry = known(&c->cids[to_server], cid);
    entry = entry != NULL ? entry : add(c, to_server, cid);
    if (entry == NULL) {
        return;
    }
    entry->sequence = sequence;
    if (token.len == sizeof entry->token) {
        entry->has_token = true;
        memcpy(entry->token, token.data, sizeof entry->token);
    }
}

/* Packets under way may still bear it. */
void wzp_pcap_quic_cid_retire(conn *c, bool to_server, uint64_t sequence) {
    for (cid_entry *entry = c->cids[to_server].first; entry != NULL; entry = entry->next) {
        entry->is_retired = entry->is_retired || entry->sequence == sequence;
    }
}

void wzp_pcap_quic_cids_forget(conn *c) {
    for (size_t i = 0; i < 2; i++) {
        while (c->cids[i].first != NULL) {
            drop(&c->cids[i], c->cids[i].first, NULL);
        }
    }
}

/* RFC 9000, 10.3: it ends with the token that the same side gave out with an id. */
bool wzp_pcap_quic_is_reset(const conn *c, bool to_server, wzp_bytes datagram) {
    if (datagram.len < 5 + WZP_PCAP_QUIC_TOKEN_LEN) {
        return false;
    }
    const uint8_t *end = datagram.data + datagram.len - WZP_PCAP_QUIC_TOKEN_LEN;
    if (!to_server && c->has_token && memcmp(c->reset_token, end, sizeof c->reset_token) == 0) {
        return true;
    }
    for (const cid_entry *e = c->cids[!to_server].first; e != NULL; e = e->next) {
        if (e->has_token && memcmp(e->token, end, sizeof e->token) == 0) {
            return true;
        }
    }
    return false;
}

/* --- addresses -------------------------------------------------------------------------------- */

static uint64_t hash_addr(const wzp_addr *addr, uint64_t seed) {
    uint64_t words[2];
    memcpy(words, addr->ip, sizeof words);
    const uint64_t head = (uint64_t)addr->family << 16 | addr->port;
    return wzp_pcap_quic_hash(wzp_bytes_of(words, sizeof words), seed ^ head << 40);
}

uint64_t wzp_pcap_quic_way_hash(const wzp_addr *src, const wzp_addr *dst) {
    return hash_addr(dst, hash_addr(src, 0));
}

const way *wzp_pcap_quic_way_find(const wzp_pcap_quic *quic, const wzp_addr *src,
                                  const wzp_addr *dst) {
    wzp_pcap_quic_node *node =
        wzp_pcap_quic_table_first(&quic->ways, wzp_pcap_quic_way_hash(src, dst));
    for (; node != NULL; node = wzp_pcap_quic_table_next(node)) {
        const way *found = WZP_OWNER_OF(node, way, node);
        if (wzp_addr_equal(&found->src, src) && wzp_addr_equal(&found->dst, dst)) {
            return found;
        }
    }
    return NULL;
}

bool wzp_pcap_quic_way_is_of(const conn *c, const wzp_addr *src, const wzp_addr *dst,
                             bool to_server) {
    for (size_t i = 0; i < WZP_COUNT_OF(c->ways); i++) {
        const way *one = &c->ways[i];
        if (one->owner != NULL && one->to_server == to_server && wzp_addr_equal(&one->src, src) &&
            wzp_addr_equal(&one->dst, dst)) {
            return true;
        }
    }
    return false;
}

static void forget_way(way *one) {
    if (one->owner != NULL) {
        wzp_pcap_quic_table_remove(&one->owner->quic->ways, &one->node);
        one->owner = NULL;
    }
}

/* In the place of the oldest one. */
static void learn_way(conn *c, const wzp_addr *src, const wzp_addr *dst, bool to_server) {
    way *one = &c->ways[c->next_way++ % WZP_COUNT_OF(c->ways)];
    forget_way(one);
    *one = (way){.node.hash = wzp_pcap_quic_way_hash(src, dst),
                 .owner = c,
                 .src = *src,
                 .dst = *dst,
                 .to_server = to_server};
    if (wzp_pcap_quic_table_add(&c->quic->ways, &one->node) != WZP_OK) {
        one->owner = NULL;
    }
}

void wzp_pcap_quic_ways_learn(conn *c, const wzp_addr *src, const wzp_addr *dst, bool to_server) {
    learn_way(c, src, dst, to_server);
    learn_way(c, dst, src, !to_server);
}

void wzp_pcap_quic_ways_forget(conn *c) {
    for (size_t i = 0; i < WZP_COUNT_OF(c->ways); i++) {
        forget_way(&c->ways[i]);
    }
}
