/* Trunking: packets of one sender for one receiver travel together (relay sheet 7.7).
 *
 * As deployed every pair of sender and receiver has a batch of its own; ours come from a pool and
 * go back when they are empty, so that memory follows what is pending.  All batches of a sender
 * leave at its timer, 5 ms after the first of them got something: senders enter the queue in the
 * order of their deadlines. */
#include <stdlib.h>

#include "relay/internal.h"

/* --- the queue of senders --------------------------------------------------------------------- */

static void enqueue(session *from) {
    wzp_relay *r = from->relay;
    if (from->trunk.flush_at != WZP_TIME_NEVER) {
        return;
    }
    from->trunk.flush_at = wzp_time_after(r->now, WZP_TRUNK_FLUSH);
    from->trunk.next = NULL;
    from->trunk.prev = r->trunk_last;
    if (r->trunk_last != NULL) {
        r->trunk_last->trunk.next = from;
    } else {
        r->trunk_first = from;
    }
    r->trunk_last = from;
}

static void dequeue(session *from) {
    wzp_relay *r = from->relay;
    trunk *t = &from->trunk;
    if (t->flush_at == WZP_TIME_NEVER) {
        return;
    }
    t->flush_at = WZP_TIME_NEVER;
    if (t->prev != NULL) {
        t->prev->trunk.next = t->next;
    } else {
        r->trunk_first = t->next;
    }
    if (t->next != NULL) {
        t->next->trunk.prev = t->prev;
    } else {
        r->trunk_last = t->prev;
    }
}

/* --- batches ---------------------------------------------------------------------------------- */

static pooled_batch *take(session *from) {
    wzp_relay *r = from->relay;
    pooled_batch *b = r->trunk_pool;
    if (b != NULL) {
        r->trunk_pool = b->next;
    } else {
        b = malloc(sizeof *b);
    }
    if (b != NULL) {
        /* The first bytes of the session id: its number, little-endian. */
        const uint8_t tag[2] = {(uint8_t)from->number, (uint8_t)(from->number >> 8)};
        wzp_trunk_batch_init(&b->batch, tag);
    }
    return b;
}

static void give_back(wzp_relay *r, pooled_batch **place) {
    (*place)->next = r->trunk_pool;
    r->trunk_pool = *place;
    *place = NULL;
}

/* As many places as the room may have members without growing. */
static bool make_places(trunk *t, const room *rm) {
    if (t->cap < rm->cap) {
        pooled_batch **places = realloc(t->places, rm->cap * sizeof(pooled_batch *));
        if (places == NULL) {
            return false;
        }
        memset(places + t->cap, 0, (rm->cap - t->cap) * sizeof(pooled_batch *));
        t->places = places;
        t->cap = rm->cap;
    }
    return true;
}

typedef struct outlet {
    session *to;
    trunk_cause cause;
} outlet;

static void emit(void *ctx, wzp_bytes frame) {
    const outlet *o = ctx;
    o->to->relay->metrics.trunk_frames[o->cause]++;
    wzp_relay_send_trunk(o->to, frame);
}

/* Hot path: memory is asked for only when more is pending than ever before. */
void wzp_relay_trunk_push(session *from, size_t place, wzp_bytes datagram) {
    wzp_relay *r = from->relay;
    session *to = from->room->members[place];
    if (!make_places(&from->trunk, from->room)) {
        r->metrics.send_failures++;
        return;
    }
    pooled_batch **b = &from->trunk.places[place];
    if (*b == NULL) {
        *b = take(from);
    }
    outlet out = {to, TRUNK_FULL};
    if (*b == NULL ||
        wzp_trunk_batch_push(&(*b)->batch, datagram, wzp_quic_max_datagram(r->quic, to->conn),
                             r->now, emit, &out) != WZP_OK) {
        r->metrics.send_failures++;
    } else {
        r->metrics.trunk_packets++;
    }
    if (*b != NULL && (*b)->batch.count == 0) {
        give_back(r, b);
    } else if (*b != NULL) {
        enqueue(from);
    }
}

void wzp_relay_trunk_flush(session *from, trunk_cause cause) {
    const room *rm = from->room;
    dequeue(from);
    for (size_t i = 0; rm != NULL && i < rm->count && i < from->trunk.cap; i++) {
        pooled_batch **b = &from->trunk.places[i];
        outlet out = {rm->members[i], cause};
        if (*b != NULL) {
            wzp_trunk_batch_flush(&(*b)->batch, from->relay->now, true, emit, &out);
            give_back(from->relay, b);
        }
    }
}

/* --- members and time ------------------------------------------------------------------------- */

/* What `from` had for the member at `place` goes nowhere; later members move up. */
static void close_place(session *from, size_t place, size_t count) {
    trunk *t = &from->trunk;
    const size_t last = count < t->cap ? count : t->cap;
    if (place >= last) {
        return;
    }
    if (t->places[place] != NULL) {
        give_back(from->relay, &t->places[place]);
    }
    memmove(t->places + place, t->places + place + 1, (last - place - 1) * sizeof(pooled_batch *));
    t->places[last - 1] = NULL;
}

/* Before `s` goes from its place in the room: what it said still leaves. */
void wzp_relay_trunk_leave(session *s, size_t place) {
    const room *rm = s->room;
    wzp_relay_trunk_flush(s, TRUNK_END);
    free(s->trunk.places);
    s->trunk = (trunk){.flush_at = WZP_TIME_NEVER};
    for (size_t i = 0; i < rm->count; i++) {
        close_place(rm->members[i], place, rm->count);
    }
}

void wzp_relay_trunk_tick(wzp_relay *r) {
    while (r->trunk_first != NULL && r->trunk_first->trunk.flush_at <= r->now) {
        wzp_relay_trunk_flush(r->trunk_first, TRUNK_TIMER);
    }
}

wzp_time wzp_relay_trunk_deadline(const wzp_relay *r) {
    return r->trunk_first != NULL ? r->trunk_first->trunk.flush_at : WZP_TIME_NEVER;
}

void wzp_relay_trunk_clear(wzp_relay *r) {
    while (r->trunk_pool != NULL) {
        pooled_batch *next = r->trunk_pool->next;
        free(r->trunk_pool);
        r->trunk_pool = next;
    }
}
