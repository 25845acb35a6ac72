/* Streams: their bytes in order, and which of them are over. */
#include <stdlib.h>

#include "tools/pcap/quic/internal.h"

/* --- which are over --------------------------------------------------------------------------- */

static bool bit_of(const closed *over, uint64_t i) {
    return (over->bits[i / 64 % (CLOSED_WINDOW / 64)] >> (i % 64) & 1) != 0;
}

static bool is_over(const streams *s, uint64_t id) {
    const closed *over = &s->closed[id & 3];
    const uint64_t i = id >> 2;
    return i < over->low || (i - over->low < CLOSED_WINDOW && bit_of(over, i));
}

static void set_bit(closed *over, uint64_t i, bool on) {
    const uint64_t bit = UINT64_C(1) << (i % 64);
    uint64_t *word = &over->bits[i / 64 % (CLOSED_WINDOW / 64)];
    *word = on ? *word | bit : *word & ~bit;
}

static void free_stream(conn *c, streams *s, stream **link) {
    stream *gone = *link;
    *link = gone->next;
    s->count--;
    c->waiting -= gone->gather.waiting;
    c->quic->bytes -= gone->gather.waiting;
    wzp_pcap_quic_gather_clear(&gone->gather);
    free(gone);
}

/* Streams that were not complete when the window went past them. */
static void give_up_below(conn *c, streams *s, uint64_t kind, uint64_t low) {
    stream **link = &s->first;
    while (*link != NULL) {
        if (((*link)->id & 3) == kind && (*link)->id >> 2 < low) {
            c->quic->counters.streams_dropped++;
            free_stream(c, s, link);
        } else {
            link = &(*link)->next;
        }
    }
}

static void note_over(conn *c, streams *s, uint64_t id) {
    closed *over = &s->closed[id & 3];
    const uint64_t i = id >> 2;
    if (is_over(s, id)) {
        return;
    }
    if (i - over->low >= CLOSED_WINDOW) {
        const uint64_t low = i - CLOSED_WINDOW + 1;
        give_up_below(c, s, id & 3, low);
        if (low - over->low >= CLOSED_WINDOW) {
            memset(over->bits, 0, sizeof over->bits);
        } else {
            for (uint64_t at = over->low; at < low; at++) {
                set_bit(over, at, false);
            }
        }
        over->low = low;
    }
    set_bit(over, i, true);
    while (bit_of(over, over->low)) {
        set_bit(over, over->low++, false);
    }
}

/* --- those that are not ----------------------------------------------------------------------- */

static void drop_stream(conn *c, bool to_server, stream **link) {
    streams *s = &c->streams[to_server];
    if (*link != NULL) {
        const uint64_t id = (*link)->id;
        free_stream(c, s, link);
        note_over(c, s, id);
    }
}

/* The one that was quiet for longest, at the list's end. */
static void make_room(conn *c, bool to_server) {
    stream **link = &c->streams[to_server].first;
    while (*link != NULL && (*link)->next != NULL) {
        link = &(*link)->next;
    }
    c->quic->counters.streams_dropped++;
    drop_stream(c, to_server, link);
}

static stream *new_stream(conn *c, bool to_server, uint64_t id) {
    streams *s = &c->streams[to_server];
    if (s->count == STREAMS_OPEN_MAX) {
        make_room(c, to_server);
    }
    stream *made = is_over(s, id) ? NULL : calloc(1, sizeof *made);
    if (made != NULL) {
        made->id = id;
        made->end = UINT64_MAX;
        s->count++;
    }
    return made;
}

/* The stream, moved to the list's front; NULL: it is over, or out of memory. */
static stream *stream_of(conn *c, bool to_server, uint64_t id) {
    streams *s = &c->streams[to_server];
    stream **link = &s->first;
    while (*link != NULL && (*link)->id != id) {
        link = &(*link)->next;
    }
    stream *found = *link;
    if (found != NULL) {
        *link = found->next;
    } else if (!is_over(s, id)) {
        found = new_stream(c, to_server, id);
    }
    if (found != NULL) {
        found->next = s->first;
        s->first = found;
    }
    return found;
}

size_t wzp_pcap_quic_room(const conn *c) {
    const size_t here = WZP_PCAP_QUIC_STREAM_BYTES - c->waiting;
    const size_t all = WZP_PCAP_QUIC_BYTES_MAX - c->quic->bytes;
    return here < all ? here : all;
}

static size_t waiting_streams(const streams *s) {
    size_t n = 0;
    for (const stream *one = s->first; one != NULL; one = one->next) {
        n += one->gather.waiting > 0;
    }
    return n;
}

static void say(const passing *p, const stream *s, wzp_bytes data) {
    wzp_pcap_quic_event event = {.kind = WZP_PCAP_QUIC_STREAM,
                                 .stream_id = s->id,
                                 .stream_offset = s->gather.next - data.len,
                                 .fin = s->gather.next == s->end,
                                 .data = data};
    wzp_pcap_quic_emit(p, &event);
}

/* Bytes that would have to wait and find no room: the stream ends here. */
static void no_room(const passing *p) {
    conn *c = p->c;
    c->quic->counters.streams_dropped++;
    drop_stream(c, p->to_server, &c->streams[p->to_server].first);
    wzp_pcap_quic_problem(p, "too many bytes of streams wait for others: this one is given up", 0);
}

static bool may_wait(const passing *p, const stream *s, uint64_t at) {
    return at <= s->gather.next || s->gather.waiting > 0 ||
           waiting_streams(&p->c->streams[p->to_server]) < WZP_PCAP_QUIC_STREAMS_MAX;
}

void wzp_pcap_quic_stream_data(const passing *p, const wzp_pcap_quic_walked *walked) {
    conn *c = p->c;
    const uint64_t at = walked->frame.stream_offset;
    stream *s = stream_of(c, p->to_server, walked->frame.stream_id);
    if (s == NULL) {
        return;
    }
    const size_t before = s->gather.waiting;
    const size_t room = may_wait(p, s, at) ? before + wzp_pcap_quic_room(c) : 0;
    const bool had_end = s->gather.next == s->end;
    wzp_bytes data;
    if (walked->frame.fin && s->end == UINT64_MAX) {
        s->end = at + walked->data.len;
    }
    if (wzp_pcap_quic_gather_add(&s->gather, at, walked->data, room, &data) != WZP_OK) {
        no_room(p);
        return;
    }
    if (data.len > 0 || (s->gather.next == s->end && !had_end)) {
        say(p, s, data);
    }
    while (wzp_pcap_quic_gather_take(&s->gather, &data)) {
        say(p, s, data);
    }
    c->waiting += s->gather.waiting - before;
    c->quic->bytes += s->gather.waiting - before;
    if (s->gather.next >= s->end) {
        drop_stream(c, p->to_server, &c->streams[p->to_server].first);
    }
}

/* What was handed on until now is all. */
void wzp_pcap_quic_stream_reset(const passing *p, uint64_t id) {
    stream **link = &p->c->streams[p->to_server].first;
    while (*link != NULL && (*link)->id != id) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        drop_stream(p->c, p->to_server, link);
    } else {
        note_over(p->c, &p->c->streams[p->to_server], id);
    }
}

void wzp_pcap_quic_streams_forget(conn *c) {
    for (size_t i = 0; i < 2; i++) {
        while (c->streams[i].first != NULL) {
            free_stream(c, &c->streams[i], &c->streams[i].first);
        }
    }
}
