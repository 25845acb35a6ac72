/* Connection ids: which connection a packet belongs to.  A table of chains, as long as there are
 * ids. */
#include <stdlib.h>

#include "quic/internal.h"

static size_t hash_cid(const uint8_t *cid, size_t len) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ cid[i]) * UINT64_C(0x100000001b3);
    }
    return (size_t)(hash ^ hash >> 29);
}

static bool grow_cids(wzp_quic *q) {
    const size_t buckets = q->cid_buckets == 0 ? 64 : 2 * q->cid_buckets;
    cid_entry **fresh = calloc(buckets, sizeof(cid_entry *));
    if (fresh == NULL) {
        return q->cid_buckets != 0; /* slower, not broken */
    }
    for (size_t i = 0; i < q->cid_buckets; i++) {
        for (cid_entry *e = q->cids[i], *next; e != NULL; e = next) {
            next = e->next;
            cid_entry **at = &fresh[hash_cid(e->cid.data, e->cid.datalen) & (buckets - 1)];
            e->next = *at;
            *at = e;
        }
    }
    free(q->cids);
    q->cids = fresh;
    q->cid_buckets = buckets;
    return true;
}

bool wzp_quic_cid_add(wzp_quic *q, const ngtcp2_cid *cid, conn *owner) {
    cid_entry *e = malloc(sizeof *e);
    if (e == NULL || (q->cid_count >= q->cid_buckets && !grow_cids(q))) {
        free(e);
        return false;
    }
    cid_entry **at = &q->cids[hash_cid(cid->data, cid->datalen) & (q->cid_buckets - 1)];
    *e = (cid_entry){*at, *cid, owner};
    *at = e;
    q->cid_count++;
    return true;
}

void wzp_quic_cid_remove(wzp_quic *q, const ngtcp2_cid *cid) {
    if (q->cid_buckets == 0) {
        return;
    }
    cid_entry **at = &q->cids[hash_cid(cid->data, cid->datalen) & (q->cid_buckets - 1)];
    for (; *at != NULL; at = &(*at)->next) {
        if (ngtcp2_cid_eq(&(*at)->cid, cid) != 0) {
            cid_entry *e = *at;
            *at = e->next;
            free(e);
            q->cid_count--;
            return;
        }
    }
}

conn *wzp_quic_cid_find(const wzp_quic *q, const uint8_t *cid, size_t len) {
    if (q->cid_buckets == 0) {
        return NULL;
    }
    for (const cid_entry *e = q->cids[hash_cid(cid, len) & (q->cid_buckets - 1)]; e != NULL;
         e = e->next) {
        if (e->cid.datalen == len && memcmp(e->cid.data, cid, len) == 0) {
            return e->owner;
        }
    }
    return NULL;
}

void wzp_quic_cids_forget(wzp_quic *q, const conn *owner) {
    for (size_t i = 0; i < q->cid_buckets; i++) {
        for (cid_entry **at = &q->cids[i]; *at != NULL;) {
            cid_entry *e = *at;
            if (e->owner == owner) {
                *at = e->next;
                free(e);
                q->cid_count--;
            } else {
                at = &e->next;
            }
        }
    }
}

/* A new id of ours.  Its first byte modulo the number of workers says whose it is. */
void wzp_quic_cid_fill(const wzp_quic *q, uint8_t *cid, size_t len) {
    const unsigned workers = q->cfg.workers;
    wzp_rng_fill(q->cfg.rng, cid, len);
    if (workers > 1) {
        const unsigned first = cid[0] - cid[0] % workers + q->cfg.worker;
        cid[0] = (uint8_t)(first <= UINT8_MAX ? first : first - workers);
    }
}
