/* The event queue: events and copies of their bodies in a chain of chunks, freed as they are
 * read.  The chunk of the event that was lent last stays until the next one is asked for. */
#include <assert.h>
#include <stdlib.h>

#include "quic/internal.h"

enum { CHUNK_BYTES = 16384 };

typedef struct record {
    wzp_quic_event event;
    size_t body_len, total;
} record;

static size_t aligned(size_t n) {
    return (n + 15) & ~(size_t)15;
}

static chunk *new_chunk(wzp_quic *q, size_t need) {
    const size_t cap = need > CHUNK_BYTES ? need : CHUNK_BYTES;
    chunk *k = malloc(sizeof *k + cap);
    if (k == NULL) {
        return NULL;
    }
    *k = (chunk){.cap = cap};
    if (q->events_last != NULL) {
        q->events_last->next = k;
    } else {
        q->events = k;
    }
    q->events_last = k;
    return k;
}

void wzp_events_push(wzp_quic *q, const wzp_quic_event *event) {
    const size_t total = aligned(sizeof(record)) + aligned(event->body.len + 1);
    const bool is_datagram = event->kind == WZP_QUIC_DATAGRAM;
    if (is_datagram && q->event_bytes > EVENT_BYTES_MAX) {
        q->counters.events_dropped++;
        return;
    }
    chunk *k = q->events_last;
    if (k == NULL || k->cap - k->used < total) {
        k = new_chunk(q, total);
    }
    if (k == NULL) {
        q->counters.events_dropped++;
        return;
    }
    uint8_t *at = k->data + k->used;
    uint8_t *body = at + aligned(sizeof(record));
    record *r = (record *)(void *)at;
    *r = (record){*event, event->body.len, total};
    if (event->body.len != 0) {
        memcpy(body, event->body.data, event->body.len);
    }
    body[event->body.len] = '\0'; /* the SNI of CONNECTED is read as a string */
    k->used += total;
    q->event_bytes += total;
}

bool wzp_quic_next_event(wzp_quic *q, wzp_quic_event *out) {
    free(q->lent);
    q->lent = NULL;
    chunk *k = q->events;
    if (k == NULL) {
        return false;
    }
    assert(k->read < k->used);
    const uint8_t *at = k->data + k->read;
    const record *r = (const record *)(const void *)at;
    const uint8_t *body = at + aligned(sizeof(record));
    *out = r->event;
    out->body = wzp_bytes_of(body, r->body_len);
    out->sni = r->event.kind == WZP_QUIC_CONNECTED ? (const char *)body : "";
    q->event_bytes -= r->total;
    k->read += r->total;
    if (k->read == k->used) {
        q->events = k->next;
        if (k->next == NULL) {
            q->events_last = NULL;
        }
        q->lent = k;
    }
    return true;
}

void wzp_events_free(wzp_quic *q) {
    free(q->lent);
    for (chunk *k = q->events; k != NULL;) {
        chunk *next = k->next;
        free(k);
        k = next;
    }
    q->events = q->events_last = q->lent = NULL;
}
