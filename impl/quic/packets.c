/* Output: datagram queues and the packets that leave the endpoint, equal-sized ones for one path in
 * a single run (UDP_SEGMENT). */
#include <assert.h>
#include <stdlib.h>

#include "quic/internal.h"

enum { RUN_MAX = 16, PACKET_MAX = 1500 };

/* --- datagrams ----------------------------------------------------------------------------------
 */

static datagram *new_datagram(wzp_quic *q, size_t len) {
    datagram *d = q->free_datagrams;
    if (len > DATAGRAM_KEPT || d == NULL) {
        return malloc(sizeof *d + (len > DATAGRAM_KEPT ? len : DATAGRAM_KEPT));
    }
    q->free_datagrams = d->next;
    q->free_datagram_count--;
    return d;
}

static void free_datagram(wzp_quic *q, datagram *d) {
    if (d->len > DATAGRAM_KEPT || q->free_datagram_count == DATAGRAMS_KEPT_MAX) {
        free(d);
        return;
    }
    d->next = q->free_datagrams;
    q->free_datagrams = d;
    q->free_datagram_count++;
}

void wzp_datagrams_forget(wzp_quic *q) {
    while (q->free_datagrams != NULL) {
        datagram *d = q->free_datagrams;
        q->free_datagrams = d->next;
        free(d);
    }
}

static void pop_datagram(conn *c) {
    datagram *d = c->datagrams;
    c->datagrams = d->next;
    if (c->datagrams == NULL) {
        c->datagrams_tail = &c->datagrams;
    }
    c->datagram_bytes -= d->len;
    free_datagram(c->quic, d);
}

void wzp_datagrams_free(conn *c) {
    while (c->datagrams != NULL) {
        pop_datagram(c);
    }
}

/* The handshake is over. */
void wzp_datagrams_learn(conn *c) {
    const ngtcp2_transport_params *p = ngtcp2_conn_get_remote_transport_params2(c->ng);
    const uint64_t frame = p != NULL ? p->max_datagram_frame_size : 0;
    c->peer_datagram = frame > 9 ? (size_t)(frame - 9) : 0;
}

static size_t max_datagram(const conn *c) {
    if (c->state != CONN_OPEN || c->peer_datagram == 0) {
        return 0;
    }
    const size_t path =
        ngtcp2_conn_get_path_max_tx_udp_payload_size2(c->ng) - MAX_DATAGRAM_OVERHEAD;
    return path < c->peer_datagram ? path : c->peer_datagram;
}

/* Asks about the path only when it matters. */
static bool fits(const conn *c, size_t len) {
    return len <= DATAGRAM_SMALL ? len <= c->peer_datagram && c->peer_datagram > 0
                                 : len <= max_datagram(c);
}

size_t wzp_quic_max_datagram(const wzp_quic *q, wzp_quic_conn handle) {
    const conn *c = wzp_quic_find(q, handle);
    return c != NULL ? max_datagram(c) : 0;
}

wzp_err wzp_quic_send_datagram(wzp_quic *q, wzp_quic_conn handle, wzp_bytes bytes) {
    conn *c = wzp_quic_find(q, handle);
    if (c == NULL || c->state != CONN_OPEN) {
        return WZP_ERR_CLOSED;
    }
    if (!fits(c, bytes.len)) {
        return WZP_ERR_TOO_LARGE;
    }
    datagram *d = new_datagram(q, bytes.len);
    if (d == NULL) {
        c->datagrams_dropped++;
        return WZP_OK; /* as lost as any other datagram, and counted */
    }
    d->next = NULL;
    d->len = bytes.len;
    if (bytes.len != 0) {
        memcpy(d->data, bytes.data, bytes.len);
    }
    *c->datagrams_tail = d;
    c->datagrams_tail = &d->next;
    c->datagram_bytes += bytes.len;
    while (c->datagram_bytes > q->cfg.datagram_queue_bytes && c->datagrams->next != NULL) {
        pop_datagram(c);
        c->datagrams_dropped++;
    }
    wzp_quic_mark_dirty(c);
    return WZP_OK;
}

/* --- packets ------------------------------------------------------------------------------------
 */

/* 0: nothing can be sent now. */
static ngtcp2_ssize write_datagram(conn *c, ngtcp2_path *path, ngtcp2_pkt_info *pi, uint8_t *buf,
                                   size_t cap) {
    while (c->datagrams != NULL && !fits(c, c->datagrams->len)) {
        pop_datagram(c); /* the path shrank under it */
        c->datagrams_dropped++;
    }
    if (c->datagrams == NULL) {
        return 0;
    }
    int accepted = 0;
    const datagram *d = c->datagrams;
    const ngtcp2_ssize n = ngtcp2_conn_write_datagram(
        c->ng, path, pi, buf, cap, &accepted, 0, c->datagrams_sent, d->data, d->len, c->quic->now);
    if (accepted != 0) {
        c->datagrams_sent++;
        pop_datagram(c);
    }
    return n;
}

/* Signals and datagrams take turns, so that neither starves the other. */
static ngtcp2_ssize write_packet(conn *c, ngtcp2_path *path, ngtcp2_pkt_info *pi, uint8_t *buf,
                                 size_t cap) {
    const bool can_datagram = c->datagrams != NULL && c->state == CONN_OPEN;
    if (can_datagram && (c->datagram_turn || !wzp_streams_want_write(c))) {
        c->datagram_turn = false;
        const ngtcp2_ssize n = write_datagram(c, path, pi, buf, cap);
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
        *meta = (wzp_quic_meta){{wzp_quic_from_sockaddr(ps.path.local.addr),
                                 wzp_quic_from_sockaddr(ps.path.remote.addr)},
                                (uint8_t)pi.ecn,
                                (uint16_t)n};
        if (!c->local_known) {
            meta->path.local = (wzp_addr){.family = WZP_ADDR_NONE};
        }
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
        if (c->state == CONN_CLOSING) {
            continue;
        }
        const size_t n = write_run(c, buf, cap, meta, &end);
        settle(c, n, end);
        if (n > 0) {
            return n;
        }
    }
    return q->stateless_len > 0 ? take_stateless(q, buf, meta) : 0;
}
