/* The event queue: events and copies of their bodies in a chain of chunks, freed as they are
 * read.  The chunk of the event that was lent last stays until the next one is asked for.  Most are
 * read as soon as they are there: one chunk is kept, so that none is allocated for each packet. */
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
    chunk *k = q->spare;
    if (k != NULL && k->cap >= need) {
        q->spare = NULL;
    } else {
        k = malloc(sizeof *k + cap);
        if (k == NULL) {
            return NULL;
        }
        k->cap = cap;
    }
    k->next = NULL;
    k->used = k->read = 0;
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
    r->event.app = wzp_quic_app(q, event->conn);
    if (event->body.len != 0) {
        memcpy(body, event->body.data, event->body.len);
    }
    body[event->body.len] = '\0'; /* the SNI of CONNECTED is read as a string */
    k->used += total;
    q->event_bytes += total;
}

/* Those that wait are the new owner's: the old one may be gone before it reads them. */
void wzp_events_set_app(wzp_quic *q, wzp_quic_conn handle, void *app) {
    for (chunk *k = q->events; k != NULL; k = k->next) {
        for (size_t at = k->read; at < k->used;) {
            record *r = (record *)(void *)(k->data + at);
            if (r->event.conn == handle) {
                r->event.app = app;
            }
            at += r->total;
        }
    }
}

/* The chunk that was lent last has been read: one is kept for the next event. */
static void give_back(wzp_quic *q) {
    if (q->spare == NULL && q->lent != NULL && q->lent->cap == CHUNK_BYTES) {
        q->spare = q->lent;
    } else {
        free(q->lent);
    }
    q->lent = NULL;
}

bool wzp_quic_next_event(wzp_quic *q, wzp_quic_event *out) {
    give_back(q);
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
    free(q->spare);
    for (chunk *k = q->events; k != NULL;) {
        chunk *next = k->next;
        free(k);
        k = next;
    }
    q->events = q->events_last = q->lent = q->spare = NULL;
}

const char *wzp_quic_close_text(const wzp_quic_close_info *close) {
    switch (close->kind) {
    case WZP_QUIC_CLOSE_HANDSHAKE_TIMEOUT:
        return "no answer";
    case WZP_QUIC_CLOSE_IDLE:
        return "idle for too long";
    case WZP_QUIC_CLOSE_RESET:
        return "reset by the peer";
    case WZP_QUIC_CLOSE_NONE:
    case WZP_QUIC_CLOSE_PEER_APP:
    case WZP_QUIC_CLOSE_PEER_TRANSPORT:
    case WZP_QUIC_CLOSE_LOCAL:
    case WZP_QUIC_CLOSE_LOCAL_ERROR:
        break;
    }
    return close->reason;
}
