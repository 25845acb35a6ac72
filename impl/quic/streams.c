/* Streams: one signal per bidirectional stream, in order of stream ids, none blocked for long by a
 * stalled one; raw streams for those who want bytes. */
#include <assert.h>
#include <stdlib.h>

#include "quic/internal.h"

enum { PREFIX = 4 };

static stream *new_stream(conn *c) {
    stream *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->id = -1;
    s->deadline = WZP_TIME_NEVER;
    if (c->last_stream != NULL) {
        c->last_stream->next = s;
    } else {
        c->streams = s;
    }
    c->last_stream = s;
    return s;
}

/* The list is walked, as to find a stream by its id: few are open at a time, and TX_STREAMS_MAX of
 * ours when the peer means ill. */
static void unlink_stream(conn *c, const stream *s) {
    stream *before = NULL;
    stream **at = &c->streams;
    while (*at != s) {
        before = *at;
        at = &before->next;
    }
    *at = s->next;
    if (c->last_stream == s) {
        c->last_stream = before;
    }
}

static void free_stream(conn *c, stream *s) {
    unlink_stream(c, s);
    c->tx_streams -= s->local ? 1 : 0;
    c->tx_queued -= s->tx_len - s->tx_sent;
    c->rx_buffered -= s->rx_len;
    if (c->ng != NULL && s->rx_owed > 0) {
        ngtcp2_conn_extend_max_offset(c->ng, s->rx_owed);
    }
    free(s->rx);
    if (s->shared != NULL) {
        wzp_quic_shared_drop(&s->shared);
    } else {
        free(s->tx);
    }
    free(s);
}

void wzp_streams_free(conn *c) {
    while (c->streams != NULL) {
        c->streams->rx_owed = 0;
        free_stream(c, c->streams);
    }
}

static stream *find_by_name(const conn *c, int64_t name) {
    for (stream *s = c->streams; s != NULL; s = s->next) {
        if (s->name == name) {
            return s;
        }
    }
    return NULL;
}

static bool grow(uint8_t **buf, size_t *cap, size_t need) {
    if (need <= *cap) {
        return true;
    }
    size_t fresh = *cap == 0 ? 256 : *cap;
    while (fresh < need) {
        fresh *= 2;
    }
    uint8_t *moved = realloc(*buf, fresh);
    if (moved == NULL) {
        return false;
    }
    *buf = moved;
    *cap = fresh;
    return true;
}

/* --- receiving -------------------------------------------------------------------------------- */

static void push(conn *c, wzp_quic_event_kind kind, const stream *s, wzp_bytes body, wzp_err err,
                 bool fin) {
    const wzp_quic_event event = {.kind = kind,
                                  .conn = wzp_quic_handle(c),
                                  .is_server = c->is_server,
                                  .stream = s->name,
                                  .fin = fin,
                                  .err = err,
                                  .body = body};
    wzp_events_push(c->quic, &event);
}

static uint32_t announced(const stream *s) {
    return (uint32_t)s->rx[0] << 24 | (uint32_t)s->rx[1] << 16 | (uint32_t)s->rx[2] << 8 | s->rx[3];
}

/* We are done with the peer's bytes and owe it nothing but the end of our half. */
static void finish_reading(conn *c, stream *s) {
    (void)ngtcp2_conn_shutdown_stream_read(c->ng, 0, s->id, 0);
    if (!s->tx_fin && s->bidi && !s->local) {
        s->tx_fin = true;
        wzp_quic_mark_dirty(c);
    }
    s->deadline = WZP_TIME_NEVER;
}

static void spoil(conn *c, stream *s, wzp_err why) {
    if (!s->complete && s->bad == WZP_OK) {
        s->bad = why;
        s->complete = true;
        finish_reading(c, s);
    }
}

/* Appends up to the end of the message; what follows it is never looked at. */
static void take_signal_bytes(conn *c, stream *s, const uint8_t *data, size_t len) {
    while (len > 0 && !s->complete) {
        const size_t want = s->rx_len < PREFIX ? PREFIX : PREFIX + (size_t)announced(s);
        const size_t n = len < want - s->rx_len ? len : want - s->rx_len;
        if (!grow(&s->rx, &s->rx_cap, s->rx_len + n + 1)) {
            spoil(c, s, WZP_ERR_NOMEM);
            return;
        }
        memcpy(s->rx + s->rx_len, data, n);
        s->rx_len += n;
        c->rx_buffered += n;
        data += n;
        len -= n;
        if (s->rx_len == PREFIX && announced(s) > c->quic->cfg.max_signal_len) {
            spoil(c, s, WZP_ERR_SIGNAL_TOO_LARGE);
        } else if (s->rx_len >= PREFIX && s->rx_len == PREFIX + (size_t)announced(s)) {
            s->complete = true;
            finish_reading(c, s);
        }
    }
}

static stream *adopt(conn *c, int64_t id) {
    stream *s = new_stream(c);
    if (s != NULL) {
        s->id = s->name = id;
        s->bidi = ngtcp2_is_bidi_stream(id) != 0;
        s->raw = !s->bidi;
        s->deadline = wzp_time_after(c->quic->now, c->quic->cfg.signal_deadline);
        (void)ngtcp2_conn_set_stream_user_data(c->ng, id, s);
    }
    return s;
}

/* Windows: the stream's grows at once, the connection's while little is waiting unread. */
static void give_credit(conn *c, stream *s, size_t len) {
    (void)ngtcp2_conn_extend_max_stream_offset(c->ng, s->id, len);
    if (c->rx_buffered <= RX_BUFFERED_MAX) {
        ngtcp2_conn_extend_max_offset(c->ng, len);
    } else {
        s->rx_owed += len;
    }
}

int wzp_streams_recv(conn *c, uint32_t flags, int64_t id, const uint8_t *data, size_t len,
                     stream *s) {
    const bool fin = (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0;
    if (s == NULL) {
        s = adopt(c, id);
    }
    if (s == NULL) {
        return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    give_credit(c, s, len);
    if (s->local) {
        return 0; /* the reverse half of a signal of ours carries nothing */
    }
    if (s->raw) {
        push(c, WZP_QUIC_UNI, s, wzp_bytes_of(data, len), WZP_OK, fin);
        return 0;
    }
    take_signal_bytes(c, s, data, len);
    if (fin) {
        spoil(c, s, WZP_ERR_SIGNAL_TRUNCATED); /* unless it is complete */
    }
    wzp_streams_deliver(c);
    return 0;
}

int wzp_streams_reset(conn *c, int64_t id, stream *s) {
    if (s == NULL && ngtcp2_is_bidi_stream(id) != 0 &&
        ngtcp2_conn_is_local_stream(c->ng, id) == 0) {
        s = adopt(c, id);
    }
    if (s != NULL && !s->local && s->bidi) {
        spoil(c, s, WZP_ERR_SIGNAL_TRUNCATED);
        wzp_streams_deliver(c);
    }
    return 0;
}

static stream *find_by_id(const conn *c, int64_t id) {
    for (stream *s = c->streams; s != NULL; s = s->next) {
        if (s->id == id) {
            return s;
        }
    }
    return NULL;
}

static void deliver_one(conn *c, stream *s) {
    s->delivered = true;
    if (s->bad != WZP_OK) {
        c->quic->counters.signals_bad++;
        push(c, WZP_QUIC_SIGNAL_BAD, s, wzp_bytes_of(NULL, 0), s->bad, false);
    } else {
        push(c, WZP_QUIC_SIGNAL, s, wzp_bytes_of(s->rx + PREFIX, s->rx_len - PREFIX), WZP_OK, true);
    }
    c->rx_buffered -= s->rx_len;
    free(s->rx);
    s->rx = NULL;
    s->rx_len = s->rx_cap = 0;
    if (s->rx_owed > 0) {
        ngtcp2_conn_extend_max_offset(c->ng, s->rx_owed);
        s->rx_owed = 0;
    }
}

static bool anything_waits(const conn *c) {
    for (const stream *s = c->streams; s != NULL; s = s->next) {
        if (s->complete && !s->delivered && !s->raw) {
            return true;
        }
    }
    return false;
}

static void deliver_and_forget(conn *c, stream *s) {
    if (!s->delivered) {
        deliver_one(c, s);
    }
    if (s->closed) {
        free_stream(c, s);
    }
}

static void settle_hold(conn *c) {
    if (!anything_waits(c)) {
        c->hold_until = WZP_TIME_NEVER;
    } else if (c->hold_until == WZP_TIME_NEVER) {
        c->hold_until = wzp_time_after(c->quic->now, ORDER_HOLD);
    }
}

/* Signals go up in the order of their streams.  When an earlier stream is not there yet, later
 * ones wait for ORDER_HOLD: enough for a retransmission, too short for a stalled stream to hurt.
 * Streams that were overtaken go up as soon as they are complete. */
void wzp_streams_deliver(conn *c) {
    for (stream *s = c->streams, *next; s != NULL; s = next) {
        next = s->next;
        if (s->complete && !s->delivered && s->id < c->next_in_order) {
            deliver_and_forget(c, s);
        }
    }
    for (stream *s; (s = find_by_id(c, c->next_in_order)) != NULL && s->complete;) {
        c->next_in_order += 4;
        c->hold_until = WZP_TIME_NEVER;
        deliver_and_forget(c, s);
    }
    settle_hold(c);
}

/* The wait is over: the earliest complete one goes, and those before it count as overtaken. */
static void overtake(conn *c) {
    const stream *first = NULL;
    for (const stream *s = c->streams; s != NULL; s = s->next) {
        if (s->complete && !s->delivered && !s->raw && (first == NULL || s->id < first->id)) {
            first = s;
        }
    }
    if (first != NULL) {
        c->next_in_order = first->id;
    }
    c->hold_until = WZP_TIME_NEVER;
}

void wzp_streams_tick(conn *c) {
    for (stream *s = c->streams; s != NULL; s = s->next) {
        if (s->deadline <= c->quic->now && !s->local && !s->raw) {
            spoil(c, s, WZP_ERR_TIMEOUT);
        }
    }
    if (c->hold_until <= c->quic->now) {
        overtake(c);
    }
    wzp_streams_deliver(c);
}

wzp_time wzp_streams_deadline(const conn *c) {
    wzp_time first = c->hold_until;
    for (const stream *s = c->streams; s != NULL; s = s->next) {
        if (!s->local && !s->raw) {
            first = wzp_time_min(first, s->deadline);
        }
    }
    return first;
}

/* --- sending ---------------------------------------------------------------------------------- */

static bool wants_write(const stream *s) {
    return !s->tx_done && !s->tx_blocked &&
           (s->tx_sent < s->tx_len || (s->tx_fin && !s->tx_fin_sent));
}

bool wzp_streams_want_write(const conn *c) {
    for (const stream *s = c->streams; s != NULL; s = s->next) {
        if (wants_write(s)) {
            return true;
        }
    }
    return false;
}

void wzp_streams_unblock(conn *c) {
    for (stream *s = c->streams; s != NULL; s = s->next) {
        s->tx_blocked = false;
    }
    wzp_quic_mark_dirty(c);
}

/* False: the peer allows no more streams now. */
static bool open_now(conn *c, stream *s) {
    const int rv = s->bidi ? ngtcp2_conn_open_bidi_stream(c->ng, &s->id, s)
                           : ngtcp2_conn_open_uni_stream(c->ng, &s->id, s);
    if (rv != 0) {
        s->id = -1;
        s->tx_blocked = true;
        return false;
    }
    return true;
}

static void give_up(conn *c, stream *s) {
    c->tx_queued -= s->tx_len - s->tx_sent;
    s->tx_sent = s->tx_len;
    s->tx_done = true;
}

/* One packet with stream data, or with whatever else the connection has to say. */
ngtcp2_ssize wzp_streams_write(conn *c, ngtcp2_path *path, ngtcp2_pkt_info *pi, uint8_t *buf,
                               size_t cap) {
    const bool may_write = c->streams != NULL && !wzp_datagrams_window_is_full(c);
    for (stream *s = may_write ? c->streams : NULL; s != NULL; s = s->next) {
        if (!wants_write(s) || (s->id < 0 && !open_now(c, s))) {
            continue;
        }
        ngtcp2_vec vec = {s->tx, s->tx_len - s->tx_sent};
        if (vec.len > 0) {
            vec.base += s->tx_sent; /* a stream that only ends may have no buffer */
        }
        const uint32_t flags = s->tx_fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0;
        ngtcp2_ssize taken = -1;
        const ngtcp2_ssize n =
            ngtcp2_conn_writev_stream(c->ng, path, pi, buf, cap, &taken, flags, s->id, &vec,
                                      vec.len > 0 ? 1 : 0, c->quic->now);
        if (taken >= 0) {
            s->tx_sent += (size_t)taken;
            c->tx_queued -= (size_t)taken;
            s->tx_fin_sent = s->tx_fin && s->tx_sent == s->tx_len;
        }
        if (n == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
            s->tx_blocked = true;
        } else if (n == NGTCP2_ERR_STREAM_SHUT_WR || n == NGTCP2_ERR_STREAM_NOT_FOUND) {
            give_up(c, s);
        } else {
            return n;
        }
    }
    return wzp_datagrams_write_rest(c, path, pi, buf, cap);
}

int wzp_streams_acked(conn *c, stream *s, uint64_t upto) {
    if (s == NULL || !s->local) {
        return 0;
    }
    s->tx_acked = (size_t)upto;
    if (s->tx_fin && s->tx_acked == s->tx_len && !s->acked_told) {
        s->acked_told = true;
        push(c, WZP_QUIC_SIGNAL_ACKED, s, wzp_bytes_of(NULL, 0), WZP_OK, true);
        if (s->bidi) {
            (void)ngtcp2_conn_shutdown_stream_read(c->ng, 0, s->id, 0);
        }
    }
    return 0;
}

int wzp_streams_closed(conn *c, int64_t id, stream *s) {
    if (ngtcp2_conn_is_local_stream(c->ng, id) == 0) {
        if (ngtcp2_is_bidi_stream(id) != 0) {
            ngtcp2_conn_extend_max_streams_bidi(c->ng, 1);
        } else {
            ngtcp2_conn_extend_max_streams_uni(c->ng, 1);
        }
    }
    if (s == NULL) {
        return 0;
    }
    s->tx_done = true;
    if (s->local && s->tx_fin && !s->acked_told) { /* the peer has read enough of it */
        s->acked_told = true;
        push(c, WZP_QUIC_SIGNAL_ACKED, s, wzp_bytes_of(NULL, 0), WZP_OK, true);
    }
    if (s->local || s->raw || s->delivered) {
        free_stream(c, s);
        return 0;
    }
    spoil(c, s, WZP_ERR_SIGNAL_TRUNCATED); /* unless it is complete and waits for its turn */
    s->closed = true;
    wzp_streams_deliver(c);
    return 0;
}

static stream *open_local(conn *c, bool bidi) {
    stream *s = new_stream(c);
    if (s != NULL) {
        c->tx_streams++;
        s->local = true;
        s->bidi = bidi;
        s->name = --c->next_name;
    }
    return s;
}

static wzp_err append(conn *c, stream *s, wzp_bytes data) {
    if (c->tx_queued + data.len > TX_STREAM_BYTES_MAX) {
        return WZP_ERR_QUEUE_FULL;
    }
    /* ngtcp2 keeps pointers into what was sent until it is acknowledged, so a buffer in flight may
     * not move: raw streams get room for everything at their first write. */
    if (s->tx_len + data.len > s->tx_cap) {
        if (s->tx_sent > 0) {
            return WZP_ERR_QUEUE_FULL;
        }
        const size_t room = s->raw && s->tx_len + data.len < 4096 ? 4096 : s->tx_len + data.len;
        uint8_t *moved = realloc(s->tx, room);
        if (moved == NULL) {
            return WZP_ERR_NOMEM;
        }
        s->tx = moved;
        s->tx_cap = room;
    }
    if (data.len != 0) {
        memcpy(s->tx + s->tx_len, data.data, data.len);
    }
    s->tx_len += data.len;
    c->tx_queued += data.len;
    return WZP_OK;
}

static conn *open_conn(const wzp_quic *q, wzp_quic_conn handle) {
    conn *c = wzp_quic_find(q, handle);
    return c != NULL && (c->state == CONN_OPEN || c->state == CONN_HANDSHAKE) ? c : NULL;
}

wzp_err wzp_quic_shared_new(wzp_quic_shared **out, wzp_bytes json) {
    if (json.len > WZP_QUIC_SIGNAL_MAX) {
        return WZP_ERR_SIGNAL_TOO_LARGE;
    }
    wzp_quic_shared *shared = malloc(sizeof *shared + PREFIX + json.len);
    if (shared == NULL) {
        return WZP_ERR_NOMEM;
    }
    *shared = (wzp_quic_shared){.references = 1, .len = PREFIX + json.len};
    for (size_t i = 0; i < PREFIX; i++) {
        shared->data[i] = (uint8_t)(json.len >> (8 * (PREFIX - 1 - i)));
    }
    if (json.len != 0) {
        memcpy(shared->data + PREFIX, json.data, json.len);
    }
    *out = shared;
    return WZP_OK;
}

void wzp_quic_shared_drop(wzp_quic_shared **shared) {
    if (*shared != NULL && --(*shared)->references == 0) {
        free(*shared);
    }
    *shared = NULL;
}

wzp_err wzp_quic_send_shared(wzp_quic *q, wzp_quic_conn handle, wzp_quic_shared *shared,
                             int64_t *name) {
    conn *c = open_conn(q, handle);
    if (c == NULL) {
        return WZP_ERR_CLOSED;
    }
    if (c->tx_queued + shared->len > TX_STREAM_BYTES_MAX || c->tx_streams >= TX_STREAMS_MAX) {
        return WZP_ERR_QUEUE_FULL;
    }
    stream *s = open_local(c, true);
    if (s == NULL) {
        return WZP_ERR_NOMEM;
    }
    shared->references++;
    s->shared = shared;
    s->tx = shared->data;
    s->tx_len = s->tx_cap = shared->len;
    s->tx_fin = true;
    c->tx_queued += s->tx_len;
    if (name != NULL) {
        *name = s->name;
    }
    wzp_quic_mark_dirty(c);
    return WZP_OK;
}

wzp_err wzp_quic_send_signal(wzp_quic *q, wzp_quic_conn handle, wzp_bytes json, int64_t *name) {
    wzp_quic_shared *shared = NULL;
    if (open_conn(q, handle) == NULL) {
        return WZP_ERR_CLOSED;
    }
    wzp_err err = wzp_quic_shared_new(&shared, json);
    if (err == WZP_OK) {
        err = wzp_quic_send_shared(q, handle, shared, name);
    }
    wzp_quic_shared_drop(&shared);
    return err;
}

wzp_err wzp_quic_stream_open(wzp_quic *q, wzp_quic_conn handle, wzp_quic_stream_kind kind,
                             int64_t *out) {
    conn *c = open_conn(q, handle);
    if (c == NULL) {
        return WZP_ERR_CLOSED;
    }
    stream *s = open_local(c, kind == WZP_QUIC_BIDI);
    if (s == NULL) {
        return WZP_ERR_NOMEM;
    }
    s->raw = true;
    *out = s->name;
    return WZP_OK;
}

wzp_err wzp_quic_stream_write(wzp_quic *q, wzp_quic_conn handle, int64_t name, wzp_bytes data,
                              bool fin) {
    conn *c = open_conn(q, handle);
    stream *s = c != NULL ? find_by_name(c, name) : NULL;
    if (s == NULL || !s->local || s->tx_fin || s->tx_done) {
        return WZP_ERR_CLOSED;
    }
    const wzp_err err = append(c, s, data);
    if (err == WZP_OK) {
        s->tx_fin = fin;
        wzp_quic_mark_dirty(c);
    }
    return err;
}

wzp_err wzp_quic_stream_reset(wzp_quic *q, wzp_quic_conn handle, int64_t name, uint64_t code) {
    conn *c = open_conn(q, handle);
    stream *s = c != NULL ? find_by_name(c, name) : NULL;
    if (s == NULL || s->id < 0) {
        return WZP_ERR_CLOSED;
    }
    give_up(c, s);
    (void)ngtcp2_conn_shutdown_stream_write(c->ng, 0, s->id, code);
    wzp_quic_mark_dirty(c);
    return WZP_OK;
}
