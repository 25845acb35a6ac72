/* The endpoint: connections by handle and by connection id, deadlines, input. */
#include "quic/quic.h"

#include <assert.h>
#include <stdlib.h>

#include "quic/core.h"
#include "quic/internal.h"

#define NOT_IN_HEAP UINT32_MAX

/* --- addresses -------------------------------------------------------------------------------- */

void wzp_quic_to_sockaddr(sockaddr_any *out, const wzp_addr *addr, uint8_t family_if_none) {
    const uint8_t family = addr->family != WZP_ADDR_NONE ? addr->family : family_if_none;
    memset(out, 0, sizeof *out);
    if (family == WZP_ADDR_V6) {
        out->in6.sin6_family = AF_INET6;
        out->in6.sin6_port = htons(addr->port);
        memcpy(&out->in6.sin6_addr, addr->ip, 16);
    } else {
        out->in.sin_family = AF_INET;
        out->in.sin_port = htons(addr->port);
        memcpy(&out->in.sin_addr, addr->ip, 4);
    }
}

wzp_addr wzp_quic_from_sockaddr(const ngtcp2_sockaddr *sa) {
    wzp_addr addr = {.family = WZP_ADDR_NONE};
    sockaddr_any any;
    if (sa->sa_family == AF_INET6) {
        memcpy(&any.in6, sa, sizeof any.in6);
        addr.family = WZP_ADDR_V6;
        addr.port = ntohs(any.in6.sin6_port);
        memcpy(addr.ip, &any.in6.sin6_addr, 16);
    } else if (sa->sa_family == AF_INET) {
        memcpy(&any.in, sa, sizeof any.in);
        addr.family = WZP_ADDR_V4;
        addr.port = ntohs(any.in.sin_port);
        memcpy(addr.ip, &any.in.sin_addr, 4);
    }
    return addr;
}

socklen_t wzp_quic_sockaddr_len(const sockaddr_any *any) {
    return any->sa.sa_family == AF_INET6 ? sizeof any->in6 : sizeof any->in;
}

ngtcp2_path wzp_quic_ng_path(sockaddr_any *local, sockaddr_any *remote) {
    return (ngtcp2_path){{&local->sa, wzp_quic_sockaddr_len(local)},
                         {&remote->sa, wzp_quic_sockaddr_len(remote)},
                         NULL};
}

/* --- deadlines: a binary heap ----------------------------------------------------------------- */

/* Where a connection's timer is, lies in an array of its own: whoever is moved out of the way need
 * not be fetched from memory. */
static void heap_place(wzp_quic *q, size_t at, timer t) {
    q->heap[at] = t;
    q->heap_at[t.index] = (uint32_t)at;
}

static void heap_up(wzp_quic *q, size_t at, timer t) {
    while (at > 0 && q->heap[(at - 1) / 2].deadline > t.deadline) {
        heap_place(q, at, q->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_place(q, at, t);
}

static void heap_down(wzp_quic *q, size_t at, timer t) {
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < q->heap_len && q->heap[child + 1].deadline < q->heap[child].deadline) {
            child++;
        }
        if (child >= q->heap_len || q->heap[child].deadline >= t.deadline) {
            break;
        }
        heap_place(q, at, q->heap[child]);
        at = child;
    }
    heap_place(q, at, t);
}

/* `t` belongs at `at` or nearby. */
static void heap_fix(wzp_quic *q, size_t at, timer t) {
    if (at > 0 && q->heap[(at - 1) / 2].deadline > t.deadline) {
        heap_up(q, at, t);
    } else {
        heap_down(q, at, t);
    }
}

static void heap_remove(wzp_quic *q, conn *c) {
    const uint32_t at = q->heap_at[c->index];
    if (at == NOT_IN_HEAP) {
        return;
    }
    const timer last = q->heap[--q->heap_len];
    q->heap_at[c->index] = NOT_IN_HEAP;
    if (last.index != c->index) {
        heap_fix(q, at, last);
    }
}

void wzp_quic_schedule(conn *c, wzp_time deadline) {
    const uint32_t at = c->quic->heap_at[c->index];
    if (deadline != c->deadline && at != NOT_IN_HEAP) {
        c->deadline = deadline;
        heap_fix(c->quic, at, (timer){deadline, c->index});
    }
}

void wzp_quic_reschedule(conn *c) {
    wzp_quic_schedule(c, wzp_conn_deadline(c));
}

void wzp_quic_mark_dirty(conn *c) {
    if (!c->dirty) {
        c->dirty = true;
        c->next_dirty = NULL;
        *c->quic->dirty_tail = c;
        c->quic->dirty_tail = &c->next_dirty;
    }
}

/* --- connections by handle -------------------------------------------------------------------- */

wzp_quic_conn wzp_quic_handle(const conn *c) {
    return (uint64_t)c->generation << 32 | (c->index + 1U);
}

conn *wzp_quic_find(const wzp_quic *q, wzp_quic_conn handle) {
    const uint32_t index = (uint32_t)handle - 1U;
    if (index >= q->conn_cap || q->conns[index] == NULL ||
        q->conns[index]->generation != (uint32_t)(handle >> 32)) {
        return NULL;
    }
    return q->conns[index];
}

static bool grow_conns(wzp_quic *q) {
    const uint32_t cap = q->conn_cap == 0 ? 16 : 2 * q->conn_cap;
    conn **conns = realloc(q->conns, cap * sizeof(conn *));
    q->conns = conns != NULL ? conns : q->conns;
    uint32_t *generations = realloc(q->generations, cap * sizeof *generations);
    q->generations = generations != NULL ? generations : q->generations;
    uint32_t *indices = realloc(q->free_indices, cap * sizeof *indices);
    q->free_indices = indices != NULL ? indices : q->free_indices;
    timer *heap = realloc(q->heap, cap * sizeof *heap);
    q->heap = heap != NULL ? heap : q->heap;
    uint32_t *heap_at = realloc(q->heap_at, cap * sizeof *heap_at);
    q->heap_at = heap_at != NULL ? heap_at : q->heap_at;
    if (conns == NULL || generations == NULL || indices == NULL || heap == NULL ||
        heap_at == NULL) {
        return false;
    }
    for (uint32_t i = cap; i-- > q->conn_cap;) {
        q->conns[i] = NULL;
        q->generations[i] = 0;
        q->heap_at[i] = NOT_IN_HEAP;
        q->free_indices[q->free_count++] = i;
    }
    q->conn_cap = cap;
    return true;
}

conn *wzp_quic_new_conn(wzp_quic *q) {
    if (q->free_count == 0 && !grow_conns(q)) {
        return NULL;
    }
    conn *c = aligned_alloc(_Alignof(conn), sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    memset(c, 0, sizeof *c);
    c->quic = q;
    c->index = q->free_indices[--q->free_count];
    c->generation = ++q->generations[c->index];
    c->deadline = c->hold_until = c->unacked_since = WZP_TIME_NEVER;
    c->datagrams_tail = &c->datagrams;
    q->conns[c->index] = c;
    q->conn_count++;
    q->heap_len++;
    heap_place(q, q->heap_len - 1, (timer){c->deadline, c->index});
    return c;
}

void wzp_quic_drop_conn(conn *c) {
    wzp_quic *q = c->quic;
    if (c->dirty) {
        for (conn **at = &q->dirty_first; *at != NULL; at = &(*at)->next_dirty) {
            if (*at == c) {
                *at = c->next_dirty;
                if (q->dirty_tail == &c->next_dirty) {
                    q->dirty_tail = at;
                }
                break;
            }
        }
    }
    q->dialled_count -= c->is_server ? 0 : 1;
    heap_remove(q, c);
    wzp_quic_cids_forget(q, c);
    wzp_conn_release(c);
    q->conns[c->index] = NULL;
    q->free_indices[q->free_count++] = c->index;
    q->conn_count--;
    free(c);
}

/* --- life ------------------------------------------------------------------------------------- */

/* A handshake takes its place for up to ten seconds, and more memory than a connection that stands:
 * so many times the number that needs no proof of an address may be in flight. */
enum { PROVEN_FACTOR = 4 };

static void set_defaults(wzp_quic_cfg *cfg) {
#define DEFAULT(field, value) cfg->field = cfg->field != 0 ? cfg->field : (value)
    DEFAULT(workers, 1);
    DEFAULT(max_conns, 4096);
    DEFAULT(max_conns_per_ip, cfg->max_conns);
    DEFAULT(max_handshakes, 256);
    DEFAULT(max_proven, PROVEN_FACTOR * cfg->max_handshakes);
    DEFAULT(max_signal_len, WZP_QUIC_SIGNAL_MAX);
    DEFAULT(signal_deadline, 10 * WZP_S);
    DEFAULT(idle_timeout, 30 * WZP_S);
    DEFAULT(keep_alive, 5 * WZP_S);
    DEFAULT(handshake_timeout, 10 * WZP_S);
    DEFAULT(max_udp_payload, 1452);
    DEFAULT(datagram_queue_bytes, 65536);
#undef DEFAULT
}

wzp_err wzp_quic_new(wzp_quic **out, const wzp_quic_cfg *cfg, wzp_time now) {
    wzp_quic *q = calloc(1, sizeof *q);
    if (q == NULL) {
        return WZP_ERR_NOMEM;
    }
    q->cfg = *cfg;
    set_defaults(&q->cfg);
    q->now = now;
    q->dirty_tail = &q->dirty_first;
    wzp_rng_fill(cfg->rng, q->retry_secret, sizeof q->retry_secret);
    wzp_rng_fill(cfg->rng, q->reset_secret, sizeof q->reset_secret);
    q->stateless = calloc(STATELESS_MAX, sizeof *q->stateless);
    const wzp_err err = q->stateless != NULL ? wzp_tls_new(q) : WZP_ERR_NOMEM;
    q->cfg.identity = NULL; /* was borrowed */
    if (err != WZP_OK) {
        wzp_quic_free(&q);
        return err;
    }
    *out = q;
    return WZP_OK;
}

void wzp_quic_free(wzp_quic **quic) {
    wzp_quic *q = *quic;
    if (q == NULL) {
        return;
    }
    wzp_tls_enter(q);
    for (uint32_t i = 0; i < q->conn_cap; i++) {
        if (q->conns[i] != NULL) {
            wzp_quic_drop_conn(q->conns[i]);
        }
    }
    wzp_events_free(q);
    wzp_datagrams_forget(q);
    wzp_tls_free(q);
    free(q->conns);
    free(q->generations);
    free(q->free_indices);
    free(q->heap);
    free(q->heap_at);
    free(q->cids);
    free(q->stateless);
    OPENSSL_cleanse(q->retry_secret, sizeof q->retry_secret);
    OPENSSL_cleanse(q->reset_secret, sizeof q->reset_secret);
    free(q);
    *quic = NULL;
}

/* --- input ------------------------------------------------------------------------------------ */

void wzp_quic_send_stateless(wzp_quic *q, const wzp_quic_path *path, const uint8_t *data,
                             size_t len) {
    if (q->stateless_len == STATELESS_MAX || len > sizeof q->stateless[0].data) {
        q->counters.packets_ignored++;
        return;
    }
    stateless *s = &q->stateless[(q->stateless_first + q->stateless_len++) % STATELESS_MAX];
    s->len = len;
    s->path = *path;
    memcpy(s->data, data, len);
}

static void negotiate_version(wzp_quic *q, const wzp_quic_path *path,
                              const ngtcp2_version_cid *vc) {
    const uint32_t versions[] = {NGTCP2_PROTO_VER_V1};
    uint8_t buf[256];
    uint8_t unpredictable = 0;
    wzp_rng_fill(q->cfg.rng, &unpredictable, 1);
    const ngtcp2_ssize n = ngtcp2_pkt_write_version_negotiation(
        buf, sizeof buf, unpredictable, vc->scid, vc->scidlen, vc->dcid, vc->dcidlen, versions, 1);
    if (n > 0) {
        q->counters.version_negotiations_sent++;
        wzp_quic_send_stateless(q, path, buf, (size_t)n);
    }
}

/* A packet of no connection of ours (any more).  A server's answer looks like a packet, and is
 * shorter than what it answers, so that two that do not know each other fall silent. */
static void stray(wzp_quic *q, const wzp_quic_path *path, const ngtcp2_version_cid *vc,
                  size_t len) {
    enum { LONGEST = 43, SHORTEST = NGTCP2_MIN_STATELESS_RESET_RANDLEN };
    ngtcp2_stateless_reset_token token;
    ngtcp2_cid cid;
    uint8_t noise[LONGEST];
    uint8_t buf[LONGEST + NGTCP2_STATELESS_RESET_TOKENLEN];
    q->counters.packets_ignored++;
    if (q->server_tls == NULL || len < SHORTEST + NGTCP2_STATELESS_RESET_TOKENLEN + 1) {
        return;
    }
    const size_t room = len - 1 - NGTCP2_STATELESS_RESET_TOKENLEN;
    const size_t noise_len = room < LONGEST ? room : LONGEST;
    ngtcp2_cid_init(&cid, vc->dcid, vc->dcidlen);
    wzp_rng_fill(q->cfg.rng, noise, noise_len);
    const ngtcp2_ssize n =
        ngtcp2_crypto_generate_stateless_reset_token(token.data, q->reset_secret,
                                                     sizeof q->reset_secret, &cid) == 0
            ? ngtcp2_pkt_write_stateless_reset2(buf, sizeof buf, &token, noise, noise_len)
            : -1;
    if (n > 0) {
        q->counters.resets_sent++;
        wzp_quic_send_stateless(q, path, buf, (size_t)n);
    }
}

/* Who has IPv6 has a whole network of addresses. */
static bool is_one_place(const wzp_addr *a, const wzp_addr *b) {
    enum { NETWORK = 8 };
    return a->family == WZP_ADDR_V6 && b->family == WZP_ADDR_V6 ? memcmp(a->ip, b->ip, NETWORK) == 0
                                                                : wzp_addr_same_ip(a, b);
}

static uint32_t conns_of_ip(const wzp_quic *q, const wzp_addr *remote) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < q->conn_cap; i++) {
        if (q->conns[i] != NULL && q->conns[i]->is_server) {
            const wzp_addr addr = wzp_quic_from_sockaddr(&q->conns[i]->remote.sa);
            count += is_one_place(&addr, remote) ? 1 : 0;
        }
    }
    return count;
}

static void send_retry(wzp_quic *q, const wzp_quic_path *path, const ngtcp2_pkt_hd *hd) {
    uint8_t token[NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2];
    uint8_t buf[512];
    sockaddr_any remote;
    ngtcp2_cid scid = {.datalen = SCID_LEN};
    wzp_quic_to_sockaddr(&remote, &path->remote, WZP_ADDR_V4);
    wzp_quic_cid_fill(q, scid.data, SCID_LEN);
    const ngtcp2_ssize token_len = ngtcp2_crypto_generate_retry_token2(
        token, q->retry_secret, sizeof q->retry_secret, hd->version, &remote.sa,
        wzp_quic_sockaddr_len(&remote), &scid, &hd->dcid, q->now);
    const ngtcp2_ssize n =
        token_len < 0 ? -1
                      : ngtcp2_crypto_write_retry(buf, sizeof buf, hd->version, &hd->scid, &scid,
                                                  &hd->dcid, token, (size_t)token_len);
    if (n > 0) {
        q->counters.retries_sent++;
        wzp_quic_send_stateless(q, path, buf, (size_t)n);
    }
}

/* True if the client proved its address; *odcid is then the id of its very first packet. */
static bool check_token(wzp_quic *q, const wzp_quic_path *path, const ngtcp2_pkt_hd *hd,
                        ngtcp2_cid *odcid) {
    sockaddr_any remote;
    wzp_quic_to_sockaddr(&remote, &path->remote, WZP_ADDR_V4);
    return hd->tokenlen > 0 && hd->token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2 &&
           ngtcp2_crypto_verify_retry_token2(odcid, hd->token, hd->tokenlen, q->retry_secret,
                                             sizeof q->retry_secret, hd->version, &remote.sa,
                                             wzp_quic_sockaddr_len(&remote), &hd->dcid,
                                             10 * NGTCP2_SECONDS, q->now) == 0;
}

static conn *accept_conn(wzp_quic *q, const wzp_quic_path *path, wzp_bytes payload) {
    ngtcp2_pkt_hd hd;
    ngtcp2_cid odcid;
    conn *c = NULL;
    if (q->server_tls == NULL || ngtcp2_accept(&hd, payload.data, payload.len) != 0 ||
        hd.version != NGTCP2_PROTO_VER_V1) {
        q->counters.packets_ignored++;
        return NULL;
    }
    const bool validated = check_token(q, path, &hd, &odcid);
    if (!validated && (q->cfg.always_retry || q->handshakes >= q->cfg.max_handshakes)) {
        send_retry(q, path, &hd);
        return NULL;
    }
    if (q->conn_count >= q->cfg.max_conns ||
        (q->cfg.max_conns_per_ip < q->cfg.max_conns &&
         conns_of_ip(q, &path->remote) >= q->cfg.max_conns_per_ip)) {
        q->counters.refused_limit++;
        return NULL;
    }
    if (q->handshakes >= q->cfg.max_proven) {
        q->counters.deferred++;
        return NULL;
    }
    if (wzp_conn_accept(q, path, &hd, validated ? &odcid : NULL, &c) != WZP_OK) {
        q->counters.handshakes_failed++;
        return NULL;
    }
    q->counters.accepted++;
    return c;
}

/* A stateless reset carries no connection id: it may be for a connection to where it comes from,
 * and the connection can tell. */
static conn *find_dialled(const wzp_quic *q, const wzp_addr *remote) {
    uint32_t left = q->dialled_count; /* anybody can make us look: no further than there are some */
    for (uint32_t i = 0; i < q->conn_cap && left > 0; i++) {
        conn *c = q->conns[i];
        if (c == NULL || c->is_server) {
            continue;
        }
        const wzp_addr addr = wzp_quic_from_sockaddr(&c->remote.sa);
        left--;
        if (c->state == CONN_OPEN && wzp_addr_equal(&addr, remote)) {
            return c;
        }
    }
    return NULL;
}

void wzp_quic_recv(wzp_quic *q, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                   wzp_time now) {
    ngtcp2_version_cid vc;
    q->now = now;
    wzp_tls_enter(q);
    const int rv = payload.len > 0
                       ? ngtcp2_pkt_decode_version_cid(&vc, payload.data, payload.len, SCID_LEN)
                       : NGTCP2_ERR_INVALID_ARGUMENT;
    if (rv == NGTCP2_ERR_VERSION_NEGOTIATION && q->server_tls != NULL) {
        negotiate_version(q, path, &vc);
        return;
    }
    if (rv != 0) {
        q->counters.packets_ignored++;
        return;
    }
    conn *c = wzp_quic_cid_find(q, vc.dcid, vc.dcidlen);
    if (c == NULL && (payload.data[0] & 0xc0) == 0x40) { /* a short header */
        c = find_dialled(q, &path->remote);
        if (c == NULL) {
            stray(q, path, &vc, payload.len);
        }
    } else if (c == NULL) {
        c = accept_conn(q, path, payload);
    }
    if (c != NULL) {
        wzp_conn_read(c, path, ecn, payload);
    }
}

void wzp_quic_tick(wzp_quic *q, wzp_time now) {
    q->now = now;
    wzp_tls_enter(q);
    while (q->heap_len > 0 && q->heap[0].deadline <= now) {
        const uint32_t index = q->heap[0].index;
        conn *c = q->conns[index];
        const wzp_time before = c->deadline;
        wzp_conn_tick(c); /* may drop it */
        if (q->heap_len > 0 && q->heap[0].index == index && c->deadline <= before) {
            /* Nothing moved on: its packets must be drained first. */
            wzp_quic_mark_dirty(c);
            break;
        }
    }
}

wzp_time wzp_quic_deadline(const wzp_quic *q) {
    if (q->dirty_first != NULL || q->stateless_len > 0 || q->stash_len > 0) {
        return 0;
    }
    return q->heap_len > 0 ? q->heap[0].deadline : WZP_TIME_NEVER;
}

/* --- commands and facts ----------------------------------------------------------------------- */

wzp_err wzp_quic_connect(wzp_quic *q, const wzp_quic_dial *dial, wzp_time now, wzp_quic_conn *out) {
    conn *c = NULL;
    q->now = now;
    wzp_tls_enter(q);
    if (q->conn_count >= q->cfg.max_conns) {
        return WZP_ERR_LIMIT;
    }
    const wzp_err err = wzp_conn_dial(q, dial, &c);
    if (err == WZP_OK) {
        q->counters.dialled++;
        *out = wzp_quic_handle(c);
    }
    return err;
}

void wzp_quic_close(wzp_quic *q, wzp_quic_conn handle, uint64_t code, const char *reason,
                    wzp_time now) {
    conn *c = wzp_quic_find(q, handle);
    q->now = now;
    wzp_tls_enter(q);
    if (c != NULL && (c->state == CONN_OPEN || c->state == CONN_HANDSHAKE)) {
        wzp_conn_close_app(c, code, reason);
    }
}

void wzp_quic_close_all(wzp_quic *q, uint64_t code, const char *reason, wzp_time now) {
    for (uint32_t i = 0; i < q->conn_cap; i++) {
        if (q->conns[i] != NULL) {
            wzp_quic_close(q, wzp_quic_handle(q->conns[i]), code, reason, now);
        }
    }
}

void wzp_quic_abandon(wzp_quic *q, wzp_quic_conn handle) {
    conn *c = wzp_quic_find(q, handle);
    if (c != NULL) {
        wzp_tls_enter(q);
        wzp_quic_drop_conn(c);
    }
}

wzp_err wzp_quic_migrate(wzp_quic *q, wzp_quic_conn handle, const wzp_addr *local, wzp_time now) {
    conn *c = wzp_quic_find(q, handle);
    if (c == NULL || c->state != CONN_OPEN) {
        return WZP_ERR_CLOSED;
    }
    q->now = now;
    wzp_tls_enter(q);
    sockaddr_any fresh;
    wzp_quic_to_sockaddr(&fresh, local, WZP_ADDR_V4);
    const ngtcp2_path path = wzp_quic_ng_path(&fresh, &c->remote);
    if (ngtcp2_conn_initiate_immediate_migration(c->ng, &path, now) != 0) {
        return WZP_ERR_PEER_STATE;
    }
    c->local = fresh;
    c->local_known = true;
    wzp_quic_mark_dirty(c);
    wzp_quic_reschedule(c);
    return WZP_OK;
}

void wzp_quic_set_keep_alive(wzp_quic *q, wzp_quic_conn handle, uint64_t keep_alive) {
    conn *c = wzp_quic_find(q, handle);
    if (c != NULL && c->ng != NULL) {
        ngtcp2_conn_set_keep_alive_timeout(c->ng, keep_alive); /* NEVER is ngtcp2's word, too */
        wzp_quic_reschedule(c);
    }
}

void wzp_quic_set_app(wzp_quic *q, wzp_quic_conn handle, void *app) {
    conn *c = wzp_quic_find(q, handle);
    if (c != NULL) {
        c->app = app;
    }
    wzp_events_set_app(q, handle, app);
}

void *wzp_quic_app(const wzp_quic *q, wzp_quic_conn handle) {
    const conn *c = wzp_quic_find(q, handle);
    return c != NULL ? c->app : NULL;
}

bool wzp_quic_conn_stats(const wzp_quic *q, wzp_quic_conn handle, wzp_quic_stats *out) {
    const conn *c = wzp_quic_find(q, handle);
    ngtcp2_conn_info info;
    if (c == NULL || c->ng == NULL) {
        return false;
    }
    ngtcp2_conn_get_conn_info2(c->ng, &info);
    const ngtcp2_path *path = ngtcp2_conn_get_path2(c->ng);
    *out = (wzp_quic_stats){.smoothed_rtt = c->state == CONN_OPEN ? info.smoothed_rtt : 0,
                            .min_rtt = info.min_rtt == UINT64_MAX ? 0 : info.min_rtt,
                            .latest_rtt = c->state == CONN_OPEN ? info.latest_rtt : 0,
                            .cwnd = info.cwnd,
                            .bytes_in_flight = info.bytes_in_flight,
                            .bytes_sent = info.bytes_sent,
                            .bytes_received = info.bytes_recv,
                            .packets_sent = info.pkt_sent,
                            .packets_received = info.pkt_recv,
                            .packets_lost = info.pkt_lost,
                            .datagrams_sent = c->datagrams_sent,
                            .datagrams_received = c->datagrams_received,
                            .datagrams_dropped_queue = c->datagrams_dropped,
                            .datagrams_expired = c->datagrams_expired,
                            .datagrams_lost = c->datagrams_lost,
                            .unacked_for = wzp_time_since(q->now, c->unacked_since),
                            .mtu = (uint32_t)ngtcp2_conn_get_path_max_tx_udp_payload_size2(c->ng),
                            .path = {wzp_quic_from_sockaddr(path->local.addr),
                                     wzp_quic_from_sockaddr(path->remote.addr)}};
    return true;
}

bool wzp_quic_peer(const wzp_quic *q, wzp_quic_conn handle, wzp_quic_peer_params *out) {
    const conn *c = wzp_quic_find(q, handle);
    const ngtcp2_transport_params *p = c != NULL && c->ng != NULL && c->state == CONN_OPEN
                                           ? ngtcp2_conn_get_remote_transport_params2(c->ng)
                                           : NULL;
    if (p == NULL) {
        return false;
    }
    *out = (wzp_quic_peer_params){p->max_idle_timeout,         p->max_datagram_frame_size,
                                  p->max_udp_payload_size,     p->initial_max_data,
                                  p->initial_max_streams_bidi, p->initial_max_streams_uni};
    return true;
}

bool wzp_quic_peer_cert_sha256(const wzp_quic *q, wzp_quic_conn handle, uint8_t out[32]) {
    const conn *c = wzp_quic_find(q, handle);
    if (c == NULL || !c->has_cert) {
        return false;
    }
    memcpy(out, c->cert_sha256, 32);
    return true;
}

bool wzp_quic_peer_key(const wzp_quic *q, wzp_quic_conn handle, uint8_t out[32]) {
    const conn *c = wzp_quic_find(q, handle);
    if (c == NULL || !c->has_key) {
        return false;
    }
    memcpy(out, c->peer_key, 32);
    return true;
}

bool wzp_quic_is_confirmed(const wzp_quic *q, wzp_quic_conn handle) {
    const conn *c = wzp_quic_find(q, handle);
    return c != NULL && c->is_confirmed;
}

void wzp_quic_count(const wzp_quic *q, wzp_quic_counters *out) {
    *out = q->counters;
    out->conns = q->conn_count;
}

/* --- as a core -------------------------------------------------------------------------------- */

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    wzp_quic_recv(self, path, ecn, payload, now);
}

static void core_tick(void *self, wzp_time now) {
    wzp_quic_tick(self, now);
}

static wzp_time core_deadline(const void *self) {
    return wzp_quic_deadline(self);
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    return wzp_quic_next_packet(self, now, buf, cap, meta);
}

wzp_core wzp_quic_core(wzp_quic *quic) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next_packet};
    return (wzp_core){quic, &ops};
}
