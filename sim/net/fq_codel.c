#include <stdlib.h>

#include "sim/net/cross.h"
#include "sim/net/queue.h"

/* RFC 8290: flows by hash, those that begin before those that go on, CoDel in each. */
#define BUCKETS 1024
#define QUANTUM 1514

typedef struct bucket {
    wzp_sim_items items;
    wzp_sim_codel codel;
    int64_t deficit;
    bool listed; /* in one of the two lists */
    struct bucket *next;
} bucket;

typedef struct buckets {
    bucket *head, *tail;
} buckets;

struct wzp_sim_fq {
    uint64_t salt;
    buckets fresh, old;
    bucket all[BUCKETS];
};

wzp_sim_fq *wzp_sim_fq_new(uint64_t salt) {
    wzp_sim_fq *fq = calloc(1, sizeof *fq);
    if (fq != NULL) {
        fq->salt = salt;
    }
    return fq;
}

void wzp_sim_fq_free(wzp_sim_fq **fq) {
    free(*fq);
    *fq = NULL;
}

static void append(buckets *list, bucket *one) {
    one->listed = true;
    one->next = NULL;
    if (list->tail == NULL) {
        list->head = one;
    } else {
        list->tail->next = one;
    }
    list->tail = one;
}

/* `one` is the first. */
static void remove_first(buckets *list, bucket *one) {
    list->head = one->next;
    if (list->head == NULL) {
        list->tail = NULL;
    }
    one->listed = false;
}

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 29);
}

/* Byte by byte, for the same flows to meet in a bucket on every machine. */
static uint64_t mix_addr(uint64_t hash, const wzp_addr *addr) {
    uint64_t words[2] = {0};
    for (size_t i = 0; i < sizeof addr->ip; i++) {
        words[i / 8] = words[i / 8] << 8 | addr->ip[i];
    }
    return mix(mix(mix(hash, words[0]), words[1]), addr->port);
}

static bucket *bucket_of(wzp_sim_fq *fq, const wzp_sim_item *item) {
    const wzp_sim_packet *packet = item->packet;
    uint64_t hash = fq->salt;
    if (packet == NULL) {
        hash = mix(hash, wzp_sim_flow_hash(item->flow));
    } else {
        hash = mix(mix_addr(mix_addr(hash, &packet->src), &packet->dst), packet->proto);
    }
    return &fq->all[(hash >> 32) % BUCKETS];
}

/* The longest flow pays for all (RFC 8290 4.1.3). */
static bucket *fattest(wzp_sim_fq *fq) {
    bucket *most = &fq->all[0];
    for (size_t i = 1; i < BUCKETS; i++) {
        if (fq->all[i].items.bytes > most->items.bytes) {
            most = &fq->all[i];
        }
    }
    return most;
}

static void push(wzp_sim_queue *queue, wzp_sim_item *item, wzp_time now) {
    wzp_sim_fq *fq = queue->fq;
    bucket *one = bucket_of(fq, item);
    wzp_sim_queue_in(queue, &one->items, item);
    if (!one->listed) {
        one->deficit = QUANTUM;
        append(&fq->fresh, one);
    }
    while (wzp_sim_queue_over(queue)) {
        bucket *most = fattest(fq);
        wzp_sim_queue_drop(queue, wzp_sim_queue_out(queue, &most->items), now);
    }
}

/* A new flow that has run dry waits behind the old ones, lest it be new again at once. */
static void run_dry(wzp_sim_fq *fq, buckets *list, bucket *one) {
    remove_first(list, one);
    if (list == &fq->fresh) {
        append(&fq->old, one);
    }
}

static wzp_sim_item *pop(wzp_sim_queue *queue, wzp_time now) {
    wzp_sim_fq *fq = queue->fq;
    for (;;) {
        buckets *list = fq->fresh.head != NULL ? &fq->fresh : &fq->old;
        bucket *one = list->head;
        if (one == NULL) {
            return NULL;
        }
        if (one->deficit <= 0) {
            one->deficit += QUANTUM;
            remove_first(list, one);
            append(&fq->old, one);
            continue;
        }
        wzp_sim_item *item = wzp_sim_codel_pop(&one->codel, queue, &one->items, now);
        if (item != NULL) {
            one->deficit -= item->len;
            return item;
        }
        run_dry(fq, list, one);
    }
}

static wzp_sim_item *take(wzp_sim_queue *queue) {
    for (size_t i = 0; i < BUCKETS; i++) {
        wzp_sim_item *item = wzp_sim_queue_out(queue, &queue->fq->all[i].items);
        if (item != NULL) {
            return item;
        }
    }
    return NULL;
}

const wzp_sim_queue_ops wzp_sim_fq_codel_ops = {push, pop, take};
