/* Output: the packets that leave the endpoint, equal-sized ones for one path in a single run
 * (UDP_SEGMENT). */
#include <assert.h>

#include "quic/internal.h"

enum { RUN_MAX = 16, PACKET_MAX = 1500 };

/* Signals and datagrams take turns, so that neither starves the other. */
static ngtcp2_ssize write_packet(conn *c, ngtcp2_path *path, ngtcp2_pkt_info *pi, uint8_t *buf,
                                 size_t cap) {
    c->all_said = false;
    const bool can_datagram = c->datagrams != NULL && c->state == CONN_OPEN;
    if (can_datagram && (c->datagram_turn || !wzp_streams_want_write(c))) {
        c->datagram_turn = false;
        const ngtcp2_ssize n = wzp_datagrams_write(c, path, pi, buf, cap);
        if (n != 0) {
            return n;
        }
    }
    c->datagram_turn = true;
    return wzp_streams_write(c, path, pi, buf, cap);
}

static bool same_flight(const wzp_quic_meta *a, const wzp_quic_meta *b) {
    return a->ecn == b->ecn && wzp_addr_equal(&a->path.remote, &b->path.remote) &&
           wzp_addr_equal(&a->path.local, &b->path.local);
}

static ngtcp2_ssize write_with_meta(conn *c, uint8_t *buf, size_t cap, wzp_quic_meta *meta) {
    ngtcp2_path_storage ps;
    ngtcp2_pkt_info pi;
    ngtcp2_path_storage_zero(&ps);
    const ngtcp2_ssize n = write_packet(c, &ps.path, &pi, buf, cap < PACKET_MAX ? cap : PACKET_MAX);
    if (n > 0) {
        c->ack_held = false; /* it has travelled with this */
        *meta = (wzp_quic_meta){wzp_conn_path(c, ps.path.local.addr, ps.path.remote.addr),
                                (uint8_t)pi.ecn, (uint16_t)n};
    }
    return n;
}

/* What became of a run. */
typedef enum run_end {
    RUN_DONE,   /* all was said that could be said */
    RUN_BROKEN, /* something does not belong to it: there is more */
    RUN_FAILED
} run_end;

/* Packets of one connection until the run must end; what does not belong to the run is stashed. */
static size_t write_run(conn *c, uint8_t *buf, size_t cap, wzp_quic_meta *meta, run_end *end) {
    wzp_quic *q = c->quic;
    size_t used = 0;
    *end = RUN_BROKEN;
    for (int i = 0; i < RUN_MAX && cap - used >= PACKET_MAX; i++) {
        wzp_quic_meta this_meta;
        const ngtcp2_ssize n = write_with_meta(c, buf + used, cap - used, &this_meta);
        if (n < 0) {
            wzp_conn_fail(c, (int)n);
            *end = RUN_FAILED;
            break;
        }
        if (n == 0) {
            q->counters.writes_in_vain++;
            *end = RUN_DONE;
            break;
        }
        if (used == 0) {
            *meta = this_meta;
        } else if (!same_flight(meta, &this_meta) || (size_t)n > meta->segment) {
            memcpy(q->stash, buf + used, (size_t)n);
            q->stash_len = (size_t)n;
            q->stash_meta = this_meta;
            break;
        }
        used += (size_t)n;
        if (c->all_said && !wzp_streams_want_write(c)) {
            *end = RUN_DONE;
            break;
        }
        if ((size_t)n < meta->segment) {
            break; /* only the last one of a run may be shorter */
        }
    }
    return used;
}

/* The next deadline after a run.  Pacing says when more may be sent: it is no reason to wake when
 * nothing waits, and most packets of a call are sent one by one. */
static void settle(conn *c, size_t used, run_end end) {
    if (end == RUN_FAILED) {
        return;
    }
    const wzp_time unpaced = end == RUN_DONE && used > 0 ? wzp_conn_deadline(c) : 0;
    if (used > 0) {
        ngtcp2_conn_update_pkt_tx_time(c->ng, c->quic->now);
    }
    if (unpaced != 0) {
        wzp_quic_schedule(c, unpaced);
    } else if (end == RUN_BROKEN) {
        wzp_quic_mark_dirty(c); /* its turn comes again after the others' */
    } else {
        wzp_quic_reschedule(c);
    }
}

static size_t take_stash(wzp_quic *q, uint8_t *buf, wzp_quic_meta *meta) {
    const size_t n = q->stash_len;
    memcpy(buf, q->stash, n);
    *meta = q->stash_meta;
    q->stash_len = 0;
    return n;
}

static size_t take_stateless(wzp_quic *q, uint8_t *buf, wzp_quic_meta *meta) {
    const stateless *s = &q->stateless[q->stateless_first];
    memcpy(buf, s->data, s->len);
    *meta = (wzp_quic_meta){s->path, 0, (uint16_t)s->len};
    q->stateless_first = (q->stateless_first + 1) % STATELESS_MAX;
    q->stateless_len--;
    return s->len;
}

static size_t take_close(conn *c, uint8_t *buf, wzp_quic_meta *meta) {
    c->close_due = false;
    memcpy(buf, c->close_packet, c->close_len);
    *meta = (wzp_quic_meta){c->close_path, 0, (uint16_t)c->close_len};
    return c->close_len;
}

static conn *pop_dirty(wzp_quic *q) {
    conn *c = q->dirty_first;
    q->dirty_first = c->next_dirty;
    if (q->dirty_first == NULL) {
        q->dirty_tail = &q->dirty_first;
    }
    c->dirty = false;
    c->next_dirty = NULL;
    return c;
}

size_t wzp_quic_next_packet(wzp_quic *q, wzp_time now, uint8_t *buf, size_t cap,
                            wzp_quic_meta *meta) {
    assert(cap >= PACKET_MAX);
    q->now = now;
    wzp_tls_enter(q);
    if (q->stash_len > 0) {
        return take_stash(q, buf, meta);
    }
    while (q->dirty_first != NULL) {
        conn *c = pop_dirty(q);
        run_end end;
        if (c->state == CONN_CLOSING && !c->close_due) {
            continue;
        }
        if (c->state == CONN_CLOSING) {
            return take_close(c, buf, meta);
        }
        const size_t n = write_run(c, buf, cap, meta, &end);
        settle(c, n, end);
        if (n > 0) {
            return n;
        }
    }
    return q->stateless_len > 0 ? take_stateless(q, buf, meta) : 0;
}
