/* The datagrams that wait in a connection, and how they behave when the network has a hole.
 *
 * Media are worthless when they are late, so with a lifetime (wzp_quic_cfg) three things differ
 * from what a file transfer wants:
 *
 *  - What waited for longer than its lifetime is dropped and counted.
 *  - The congestion window grows up to WINDOW_GOAL although the flow does not fill it.  RFC 9002,
 *    7.8 advises against it for fear of bursts; here the codec bounds the rate, and without that
 *    room a stream of voice stops dead two seconds after the last acknowledgement, even where only
 *    the way back is broken.  Where nothing is lost it grows further, as nobody tells ngtcp2 after
 *    each packet that there is no more: datagrams count on no more than WINDOW_GOAL, and streams
 * use no more than WINDOW_MAX.
 *  - While nothing is acknowledged, the second half of the window is spent one datagram at a time,
 *    PROBE_EVERY apart and always the newest.  Probes within the window need not back off as those
 *    of RFC 9002, 6.2.1 must, so that sound flows again that soon after the hole, however long it
 *    was; and nobody pours a full stream into it. */
#include <stdlib.h>

#include "quic/internal.h"

#define WINDOW_GOAL 65536
#define WINDOW_MAX (4 * (uint64_t)WINDOW_GOAL)
#define PROBE_EVERY (200 * WZP_MS)
#define QUIET (1 * WZP_S) /* without any acknowledgement: there may be a hole */

/* --- the queue -------------------------------------------------------------------------------- */

static datagram_body *new_body(wzp_quic *q, wzp_bytes bytes) {
    datagram_body *b = q->free_bodies;
    if (bytes.len > BODY_KEPT || b == NULL) {
        b = malloc(sizeof *b + (bytes.len > BODY_KEPT ? bytes.len : BODY_KEPT));
    } else {
        q->free_bodies = b->next;
        q->free_body_count--;
    }
    if (b != NULL) {
        b->references = 1;
        b->len = bytes.len;
        if (bytes.len != 0) {
            memcpy(b->data, bytes.data, bytes.len);
        }
    }
    return b;
}

static void drop_body(wzp_quic *q, datagram_body *b) {
    if (b == NULL || --b->references > 0) {
        return;
    }
    if (b->len > BODY_KEPT || q->free_body_count == BODIES_KEPT_MAX) {
        free(b);
        return;
    }
    b->next = q->free_bodies;
    q->free_bodies = b;
    q->free_body_count++;
}

/* A packet that goes to a whole room is kept once.  That saves more than copies: a copy for each of
 * a thousand listeners drives everything else out of the processor's caches. */
static datagram_body *body_of(wzp_quic *q, wzp_bytes bytes) {
    datagram_body *last = q->last_body;
    const bool same = last != NULL && last->len == bytes.len &&
                      (bytes.len == 0 || memcmp(last->data, bytes.data, bytes.len) == 0);
    if (!same) {
        drop_body(q, last);
        last = q->last_body = new_body(q, bytes);
    }
    return last;
}

static datagram *new_datagram(wzp_quic *q, wzp_bytes bytes) {
    datagram_body *b = body_of(q, bytes);
    datagram *d = q->free_datagrams;
    if (d == NULL) {
        d = malloc(sizeof *d);
    } else {
        q->free_datagrams = d->next;
        q->free_datagram_count--;
    }
    if (d == NULL || b == NULL) {
        free(d);
        return NULL;
    }
    b->references++;
    *d = (datagram){.body = b};
    return d;
}

static void free_datagram(wzp_quic *q, datagram *d) {
    drop_body(q, d->body);
    if (q->free_datagram_count == DATAGRAMS_KEPT_MAX) {
        free(d);
        return;
    }
    d->next = q->free_datagrams;
    q->free_datagrams = d;
    q->free_datagram_count++;
}

void wzp_datagrams_forget(wzp_quic *q) {
    drop_body(q, q->last_body);
    while (q->free_datagrams != NULL) {
        datagram *d = q->free_datagrams;
        q->free_datagrams = d->next;
        free(d);
    }
    while (q->free_bodies != NULL) {
        datagram_body *b = q->free_bodies;
        q->free_bodies = b->next;
        free(b);
    }
}

static void count_dropped(conn *c) {
    c->datagrams_dropped++;
    c->quic->counters.datagrams_dropped++;
}

static void pop_datagram(conn *c) {
    datagram *d = c->datagrams;
    c->datagrams = d->next;
    if (c->datagrams == NULL) {
        c->datagrams_tail = &c->datagrams;
    }
    if (c->new_datagrams == d) {
        c->new_datagrams = d->next;
    }
    c->datagram_bytes -= (uint32_t)d->body->len;
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
    c->peer_datagram = frame <= 9 ? 0 : frame < UINT32_MAX ? (uint32_t)(frame - 9) : UINT32_MAX;
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
    datagram *d = new_datagram(q, bytes);
    if (d == NULL) {
        count_dropped(c);
        return WZP_OK; /* as lost as any other datagram, and counted */
    }
    *c->datagrams_tail = d;
    c->datagrams_tail = &d->next;
    c->datagram_bytes += (uint32_t)bytes.len;
    c->new_datagrams = c->new_datagrams != NULL ? c->new_datagrams : d;
    while (c->datagram_bytes > q->cfg.datagram_queue_bytes && c->datagrams->next != NULL) {
        pop_datagram(c);
        count_dropped(c);
    }
    wzp_quic_mark_dirty(c);
    return WZP_OK;
}

/* --- lifetime and holes ----------------------------------------------------------------------- */

static bool mortal(const conn *c) {
    return c->quic->cfg.datagram_lifetime != 0;
}

static void expire(conn *c) {
    pop_datagram(c);
    c->datagrams_expired++;
    c->quic->counters.datagrams_expired++;
}

/* A life begins with the first attempt to send: who hands datagrams in need not tell the time, and
 * a program that slept has lost nothing. */
static void drop_stale(conn *c) {
    const wzp_time now = c->quic->now;
    for (datagram *d = c->new_datagrams; d != NULL; d = d->next) {
        d->dies_at = wzp_time_after(now, c->quic->cfg.datagram_lifetime);
    }
    c->new_datagrams = NULL;
    while (c->datagrams != NULL && c->datagrams->dies_at < now) {
        expire(c);
    }
}

void wzp_datagrams_acked(conn *c) {
    c->unacked_since = WZP_TIME_NEVER;
}

static uint64_t bytes_in_flight(const conn *c) {
    ngtcp2_conn_info info;
    ngtcp2_conn_get_conn_info2(c->ng, &info);
    return info.bytes_in_flight;
}

static bool half_the_window_is_spent(const conn *c) {
    ngtcp2_conn_info info;
    ngtcp2_conn_get_conn_info2(c->ng, &info);
    const uint64_t window = info.cwnd < WINDOW_GOAL ? info.cwnd : WINDOW_GOAL;
    return 2 * info.bytes_in_flight > window;
}

bool wzp_datagrams_window_is_full(const conn *c) {
    return mortal(c) && bytes_in_flight(c) >= WINDOW_MAX;
}

/* In a hole, and it is not yet time for the next probe. */
static bool held_back(conn *c) {
    const wzp_time now = c->quic->now;
    if (wzp_time_since(now, c->unacked_since) < QUIET || !half_the_window_is_spent(c)) {
        return false;
    }
    while (c->datagrams != NULL && c->datagrams->next != NULL) {
        expire(c);
    }
    return wzp_time_since(now, c->datagram_at) < PROBE_EVERY;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* 0: nothing can be sent now. */
ngtcp2_ssize wzp_datagrams_write(conn *c, ngtcp2_path *path, ngtcp2_pkt_info *pi, uint8_t *buf,
                                 size_t cap) {
    while (c->datagrams != NULL && !fits(c, c->datagrams->body->len)) {
        pop_datagram(c); /* the path shrank under it */
        count_dropped(c);
    }
    if (mortal(c)) {
        drop_stale(c);
    }
    if (c->datagrams == NULL || (mortal(c) && held_back(c))) {
        return 0;
    }
    int accepted = 0;
    const datagram_body *b = c->datagrams->body;
    const ngtcp2_ssize n = ngtcp2_conn_write_datagram(
        c->ng, path, pi, buf, cap, &accepted, 0, c->datagrams_sent, b->data, b->len, c->quic->now);
    if (accepted != 0) {
        c->datagrams_sent++;
        c->datagram_at = c->quic->now;
        c->unacked_since = wzp_time_min(c->unacked_since, c->quic->now);
        pop_datagram(c);
        c->all_said = mortal(c) && c->datagrams == NULL;
    }
    return n;
}

/* A datagram that no packet has room for tells ngtcp2 that there is more to send: the window may
 * grow. */
static ngtcp2_ssize write_no_data(conn *c, ngtcp2_path *path, ngtcp2_pkt_info *pi, uint8_t *buf,
                                  size_t cap) {
    static const uint8_t too_large[1 << 11];
    int accepted = 0;
    const bool wants_window = mortal(c) && c->state == CONN_OPEN && c->datagrams_sent > 0 &&
                              c->peer_datagram >= sizeof too_large && cap < sizeof too_large &&
                              wzp_time_since(c->quic->now, c->datagram_at) < QUIET &&
                              ngtcp2_conn_get_cwnd_left2(c->ng) < WINDOW_GOAL;
    return wants_window ? ngtcp2_conn_write_datagram(c->ng, path, pi, buf, cap, &accepted, 0, 0,
                                                     too_large, sizeof too_large, c->quic->now)
                        : ngtcp2_conn_writev_stream(c->ng, path, pi, buf, cap, NULL, 0, -1, NULL, 0,
                                                    c->quic->now);
}

/* Whatever the connection has to say besides streams and datagrams.
 *
 * Probes (of the path, its MTU, or after a timeout) and frames to be sent again are in flight until
 * they are acknowledged, and ngtcp2 writes all of them before a packet that only acknowledges, or
 * into it.  So after one that only acknowledges nothing is left that could be sent now. */
ngtcp2_ssize wzp_datagrams_write_rest(conn *c, ngtcp2_path *path, ngtcp2_pkt_info *pi, uint8_t *buf,
                                      size_t cap) {
    const bool in_flow = c->state == CONN_OPEN && c->datagrams_sent > 0 && c->datagrams == NULL;
    const uint64_t before = in_flow ? bytes_in_flight(c) : 0;
    const ngtcp2_ssize n = write_no_data(c, path, pi, buf, cap);
    c->all_said = n > 0 && in_flow && bytes_in_flight(c) == before;
    return n;
}
