#include "tools/pcap/quic/gather.h"

#include <stdlib.h>

struct wzp_pcap_quic_piece {
    wzp_pcap_quic_piece *next;
    uint64_t at;
    size_t len;
    uint8_t data[];
};

void wzp_pcap_quic_gather_clear(wzp_pcap_quic_gather *gather) {
    free(gather->lent);
    while (gather->pieces != NULL) {
        wzp_pcap_quic_piece *piece = gather->pieces;
        gather->pieces = piece->next;
        free(piece);
    }
    *gather = (wzp_pcap_quic_gather){.next = gather->next};
}

static size_t weight(size_t len) {
    return sizeof(wzp_pcap_quic_piece) + len;
}

/* Where a piece belongs: behind all that begin before it.  Mostly at the end. */
static wzp_pcap_quic_piece **place(wzp_pcap_quic_gather *gather, uint64_t at) {
    if (gather->last != NULL && gather->last->at <= at) {
        return &gather->last->next;
    }
    wzp_pcap_quic_piece **link = &gather->pieces;
    while (*link != NULL && (*link)->at <= at) {
        link = &(*link)->next;
    }
    return link;
}

/* The one before the place says it all already: sent again. */
static bool is_known(const wzp_pcap_quic_gather *gather, uint64_t at, size_t len) {
    for (const wzp_pcap_quic_piece *p = gather->pieces; p != NULL && p->at <= at; p = p->next) {
        if (at - p->at <= p->len && len <= p->len - (at - p->at)) {
            return true;
        }
    }
    return false;
}

static wzp_err keep(wzp_pcap_quic_gather *gather, uint64_t at, wzp_bytes data, size_t limit) {
    const bool is_behind_all = gather->last == NULL || at >= gather->last->at + gather->last->len;
    if (!is_behind_all && is_known(gather, at, data.len)) {
        return WZP_OK;
    }
    if (weight(data.len) > limit || gather->waiting > limit - weight(data.len)) {
        return WZP_ERR_LIMIT;
    }
    wzp_pcap_quic_piece *piece = malloc(weight(data.len));
    if (piece == NULL) {
        return WZP_ERR_NOMEM;
    }
    piece->at = at;
    piece->len = data.len;
    memcpy(piece->data, data.data, data.len);
    wzp_pcap_quic_piece **link = place(gather, at);
    piece->next = *link;
    *link = piece;
    if (piece->next == NULL) {
        gather->last = piece;
    }
    gather->waiting += weight(data.len);
    return WZP_OK;
}

wzp_err wzp_pcap_quic_gather_add(wzp_pcap_quic_gather *gather, uint64_t at, wzp_bytes data,
                                 size_t limit, wzp_bytes *out) {
    *out = (wzp_bytes){0};
    if (data.len == 0 || (at <= gather->next && gather->next - at >= data.len)) {
        return WZP_OK; /* nothing new */
    }
    if (at > gather->next) {
        return keep(gather, at, data, limit);
    }
    const size_t known = (size_t)(gather->next - at);
    *out = wzp_bytes_of(data.data + known, data.len - known);
    gather->next += out->len;
    return WZP_OK;
}

bool wzp_pcap_quic_gather_take(wzp_pcap_quic_gather *gather, wzp_bytes *out) {
    free(gather->lent);
    gather->lent = NULL;
    for (wzp_pcap_quic_piece *p = gather->pieces; p != NULL && p->at <= gather->next;
         p = gather->pieces) {
        const uint64_t known = gather->next - p->at;
        gather->pieces = p->next;
        gather->last = p->next != NULL ? gather->last : NULL;
        gather->waiting -= weight(p->len);
        if (known < p->len) {
            gather->lent = p;
            *out = wzp_bytes_of(p->data + known, p->len - (size_t)known);
            gather->next += out->len;
            return true;
        }
        free(p);
    }
    return false;
}
