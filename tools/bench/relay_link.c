#include "relay_link.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool pool_open(packet_pool *pool, size_t count) {
    *pool = (packet_pool){calloc(count, sizeof(packet)), NULL};
    for (size_t i = count; i-- > 0 && pool->all != NULL;) {
        pool->all[i].next = pool->free;
        pool->free = &pool->all[i];
    }
    return pool->all != NULL;
}

void pool_close(packet_pool *pool) {
    free(pool->all);
    *pool = (packet_pool){NULL, NULL};
}

void link_open(link *l) {
    *l = (link){NULL, &l->first};
}

void link_put(packet_pool *pool, link *to, wzp_bytes data, size_t segment,
              const wzp_quic_path *path, wzp_time now) {
    for (size_t at = 0; at < data.len; at += segment) {
        const size_t one = data.len - at < segment ? data.len - at : segment;
        packet *p = pool->free;
        assert(p != NULL && one <= PACKET_MAX);
        pool->free = p->next;
        p->next = NULL;
        p->at = now + WZP_MS;
        p->path = *path;
        p->len = one;
        memcpy(p->data, data.data + at, one);
        *to->tail = p;
        to->tail = &p->next;
    }
}

packet *link_take(packet_pool *pool, link *from, wzp_time now) {
    packet *p = from->first;
    if (p == NULL || p->at > now) {
        return NULL;
    }
    from->first = p->next;
    from->tail = from->first != NULL ? from->tail : &from->first;
    p->next = pool->free;
    pool->free = p;
    return p;
}
