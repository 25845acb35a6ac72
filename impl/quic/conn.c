/* One connection: ngtcp2's callbacks and its life from handshake to close. */
#include <assert.h>
#include <stdlib.h>

#include "quic/internal.h"

enum { CLOSE_ANSWERS = 3, MAX_PROBES = 4 };

/* RFC 9002, 6.2.2 recommends 333 ms; a call cannot wait for a second until a lost first packet is
 * sent again.  With this it waits 300 ms, and a path with a longer round trip sees the first flight
 * up to three times. */
#define INITIAL_RTT (100 * WZP_MS)

/* --- callbacks -------------------------------------------------------------------------------- */

static void on_rand(uint8_t *out, size_t len, const ngtcp2_rand_ctx *ctx) {
    const wzp_quic *q = ctx->native_handle;
    wzp_rng_fill(q->cfg.rng, out, len);
}

static int on_new_cid(ngtcp2_conn *ng, ngtcp2_cid *cid, ngtcp2_stateless_reset_token *token,
                      size_t len, void *user) {
    conn *c = user;
    (void)ng;
    wzp_quic_cid_fill(c->quic, cid->data, len);
    cid->datalen = len;
    const bool ok =
        ngtcp2_crypto_generate_stateless_reset_token(token->data, c->quic->reset_secret,
                                                     sizeof c->quic->reset_secret, cid) == 0 &&
        wzp_quic_cid_add(c->quic, cid, c);
    return ok ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
}

static int on_reset(ngtcp2_conn *ng, const ngtcp2_pkt_stateless_reset2 *reset, void *user) {
    conn *c = user;
    (void)ng;
    (void)reset;
    c->was_reset = true;
    return 0;
}

static int on_remove_cid(ngtcp2_conn *ng, const ngtcp2_cid *cid, void *user) {
    conn *c = user;
    (void)ng;
    wzp_quic_cid_remove(c->quic, cid);
    return 0;
}

static int on_path_challenge(ngtcp2_conn *ng, ngtcp2_path_challenge_data *data, void *user) {
    const conn *c = user;
    (void)ng;
    wzp_rng_fill(c->quic->cfg.rng, data->data, sizeof data->data);
    return 0;
}

static void on_qlog(void *user, uint32_t flags, const void *data, size_t len) {
    const conn *c = user;
    c->quic->cfg.qlog(c->quic->cfg.qlog_ctx, wzp_quic_handle(c), wzp_bytes_of(data, len),
                      (flags & NGTCP2_QLOG_WRITE_FLAG_FIN) != 0);
}

/* After the server let go of its TLS object there is nobody to read CRYPTO frames. */
static int on_crypto_data(ngtcp2_conn *ng, ngtcp2_encryption_level level, uint64_t offset,
                          const uint8_t *data, size_t len, void *user) {
    const conn *c = user;
    return c->ssl != NULL ? ngtcp2_crypto_recv_crypto_data_cb(ng, level, offset, data, len, user)
                          : NGTCP2_ERR_CALLBACK_FAILURE;
}

static void push_path(conn *c, wzp_quic_event_kind kind, const char *sni) {
    const ngtcp2_path *path = ngtcp2_conn_get_path2(c->ng);
    const wzp_quic_event event = {.kind = kind,
                                  .conn = wzp_quic_handle(c),
                                  .is_server = c->is_server,
                                  .body = wzp_bytes_str(sni),
                                  .path = {wzp_quic_from_sockaddr(path->local.addr),
                                           wzp_quic_from_sockaddr(path->remote.addr)}};
    wzp_events_push(c->quic, &event);
}

static int on_handshake_completed(ngtcp2_conn *ng, void *user) {
    conn *c = user;
    (void)ng;
    c->state = CONN_OPEN;
    c->quic->handshakes -= c->is_server ? 1 : 0;
    c->is_confirmed = c->is_server;
    wzp_tls_learn(c);
    wzp_datagrams_learn(c);
    push_path(c, WZP_QUIC_CONNECTED, c->sni);
    return 0;
}

static int on_handshake_confirmed(ngtcp2_conn *ng, void *user) {
    conn *c = user;
    (void)ng;
    c->is_confirmed = true;
    return 0;
}

static int on_stream_data(ngtcp2_conn *ng, uint32_t flags, int64_t id, uint64_t offset,
                          const uint8_t *data, size_t len, void *user, void *stream_user) {
    (void)ng;
    (void)offset;
    return wzp_streams_recv(user, flags, id, data, len, stream_user);
}

static int on_acked(ngtcp2_conn *ng, int64_t id, uint64_t offset, uint64_t len, void *user,
                    void *stream_user) {
    (void)ng;
    (void)id;
    return wzp_streams_acked(user, stream_user, offset + len);
}

static int on_stream_close(ngtcp2_conn *ng, uint32_t flags, int64_t id, uint64_t code, void *user,
                           void *stream_user) {
    (void)ng;
    (void)flags;
    (void)code;
    return wzp_streams_closed(user, id, stream_user);
}

static int on_stream_reset(ngtcp2_conn *ng, int64_t id, uint64_t final_size, uint64_t code,
                           void *user, void *stream_user) {
    (void)ng;
    (void)final_size;
    (void)code;
    return wzp_streams_reset(user, id, stream_user);
}

static int on_more_streams(ngtcp2_conn *ng, uint64_t max, void *user) {
    (void)ng;
    (void)max;
    wzp_streams_unblock(user);
    return 0;
}

static int on_more_stream_data(ngtcp2_conn *ng, int64_t id, uint64_t max, void *user,
                               void *stream_user) {
    (void)ng;
    (void)id;
    (void)max;
    (void)stream_user;
    wzp_streams_unblock(user);
    return 0;
}

static int on_datagram(ngtcp2_conn *ng, uint32_t flags, const uint8_t *data, size_t len,
                       void *user) {
    conn *c = user;
    (void)ng;
    (void)flags;
    c->datagrams_received++;
    const wzp_quic_event event = {.kind = WZP_QUIC_DATAGRAM,
                                  .conn = wzp_quic_handle(c),
                                  .is_server = c->is_server,
                                  .body = wzp_bytes_of(data, len)};
    wzp_events_push(c->quic, &event);
    return 0;
}

static int on_datagram_acked(ngtcp2_conn *ng, uint64_t id, void *user) {
    (void)ng;
    (void)id;
    wzp_datagrams_acked(user);
    return 0;
}

static int on_datagram_lost(ngtcp2_conn *ng, uint64_t id, void *user) {
    conn *c = user;
    (void)ng;
    (void)id;
    c->datagrams_lost++;
    return 0;
}

static int on_path_validated(ngtcp2_conn *ng, uint32_t flags, const ngtcp2_path *path,
                             const ngtcp2_path *fallback, ngtcp2_path_validation_result result,
                             void *user) {
    conn *c = user;
    (void)ng;
    (void)flags;
    (void)fallback;
    if (result == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS) {
        memcpy(&c->remote, path->remote.addr, path->remote.addrlen);
        push_path(c, WZP_QUIC_PATH, "");
    }
    return 0;
}

static ngtcp2_callbacks callbacks(bool is_server) {
    ngtcp2_callbacks cb = {
        .recv_crypto_data = on_crypto_data,
        .encrypt = ngtcp2_crypto_encrypt_cb,
        .decrypt = ngtcp2_crypto_decrypt_cb,
        .hp_mask = ngtcp2_crypto_hp_mask_cb,
        .update_key = ngtcp2_crypto_update_key_cb,
        .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
        .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
        .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
        .rand = on_rand,
        .get_new_connection_id2 = on_new_cid,
        .remove_connection_id = on_remove_cid,
        .recv_stateless_reset2 = on_reset,
        .get_path_challenge_data2 = on_path_challenge,
        .handshake_completed = on_handshake_completed,
        .handshake_confirmed = on_handshake_confirmed,
        .recv_stream_data = on_stream_data,
        .acked_stream_data_offset = on_acked,
        .stream_close = on_stream_close,
        .stream_reset = on_stream_reset,
        .extend_max_local_streams_bidi = on_more_streams,
        .extend_max_local_streams_uni = on_more_streams,
        .extend_max_stream_data = on_more_stream_data,
        .recv_datagram = on_datagram,
        .ack_datagram = on_datagram_acked,
        .lost_datagram = on_datagram_lost,
        .path_validation = on_path_validated,
    };
    if (is_server) {
        cb.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
    } else {
        cb.client_initial = ngtcp2_crypto_client_initial_cb;
        cb.recv_retry = ngtcp2_crypto_recv_retry_cb;
    }
    return cb;
}

/* --- parameters (wire sheet 2.4) -------------------------------------------------------------- */

static void fill_settings(wzp_quic *q, ngtcp2_settings *settings, uint16_t probes[MAX_PROBES]) {
    static const uint16_t candidates[] = {1406, 1342, 1232};
    ngtcp2_settings_default(settings);
    settings->initial_ts = q->now;
    settings->initial_rtt = INITIAL_RTT;
    settings->handshake_timeout = q->cfg.handshake_timeout;
    settings->max_tx_udp_payload_size = q->cfg.max_udp_payload;
    settings->rand_ctx.native_handle = q;
    settings->qlog_write = q->cfg.qlog != NULL ? on_qlog : NULL;
    settings->no_tx_udp_payload_size_shaping = q->cfg.loopback_mtu ? 1 : 0;
    settings->no_pmtud = q->cfg.loopback_mtu || q->cfg.max_udp_payload <= 1200 ? 1 : 0;
    size_t count = 0;
    probes[count++] = (uint16_t)q->cfg.max_udp_payload;
    for (size_t i = 0; i < WZP_COUNT_OF(candidates); i++) {
        if (candidates[i] < q->cfg.max_udp_payload) {
            probes[count++] = candidates[i];
        }
    }
    settings->pmtud_probes = probes;
    settings->pmtud_probeslen = count;
}

static void fill_params(const wzp_quic *q, ngtcp2_transport_params *params) {
    ngtcp2_transport_params_default(params);
    params->initial_max_stream_data_bidi_local = 65536;
    params->initial_max_stream_data_bidi_remote = 65536;
    params->initial_max_stream_data_uni = 65536;
    params->initial_max_data = 262144;
    params->initial_max_streams_bidi = 100;
    params->initial_max_streams_uni = 100;
    params->max_idle_timeout = q->cfg.idle_timeout;
    params->max_datagram_frame_size = 65535;
    params->active_connection_id_limit = 2;
}

/* A socket for all addresses of its host names none of them. */
static bool is_named(const wzp_addr *local) {
    static const uint8_t all[sizeof local->ip];
    return local->family != WZP_ADDR_NONE && memcmp(local->ip, all, sizeof all) != 0;
}

static void set_path(conn *c, const wzp_quic_path *path) {
    wzp_quic_to_sockaddr(&c->remote, &path->remote, WZP_ADDR_V4);
    wzp_quic_to_sockaddr(&c->local, &path->local, path->remote.family);
    c->local_known = is_named(&path->local);
}

static void finish_setup(conn *c) {
    ngtcp2_conn_set_tls_native_handle(c->ng, c->ossl);
    ngtcp2_conn_set_keep_alive_timeout(c->ng, c->quic->cfg.keep_alive);
}

wzp_err wzp_conn_accept(wzp_quic *q, const wzp_quic_path *path, const ngtcp2_pkt_hd *hd,
                        const ngtcp2_cid *original_dcid, conn **out) {
    conn *c = wzp_quic_new_conn(q);
    if (c == NULL) {
        return WZP_ERR_NOMEM;
    }
    ngtcp2_settings settings;
    ngtcp2_transport_params params;
    uint16_t probes[MAX_PROBES];
    ngtcp2_cid scid = {.datalen = SCID_LEN};
    const ngtcp2_callbacks cb = callbacks(true);
    c->is_server = true;
    q->handshakes++;
    set_path(c, path);
    fill_settings(q, &settings, probes);
    fill_params(q, &params);
    wzp_quic_cid_fill(q, scid.data, SCID_LEN);
    params.original_dcid = original_dcid != NULL ? *original_dcid : hd->dcid;
    params.original_dcid_present = 1;
    params.stateless_reset_token_present =
        ngtcp2_crypto_generate_stateless_reset_token(params.stateless_reset_token, q->reset_secret,
                                                     sizeof q->reset_secret, &scid) == 0;
    if (original_dcid != NULL) {
        params.retry_scid = hd->dcid;
        params.retry_scid_present = 1;
        settings.token = hd->token;
        settings.tokenlen = hd->tokenlen;
        settings.token_type = NGTCP2_TOKEN_TYPE_RETRY;
    }
    wzp_err err = wzp_tls_attach(c, "", "");
    const ngtcp2_path ng_path = wzp_quic_ng_path(&c->local, &c->remote);
    if (err == WZP_OK && ngtcp2_conn_server_new(&c->ng, &hd->scid, &scid, &ng_path, hd->version,
                                                &cb, &settings, &params, NULL, c) != 0) {
        err = WZP_ERR_NOMEM;
    }
    if (err == WZP_OK && (!wzp_quic_cid_add(q, &scid, c) || !wzp_quic_cid_add(q, &hd->dcid, c))) {
        err = WZP_ERR_NOMEM;
    }
    if (err != WZP_OK) {
        wzp_quic_drop_conn(c);
        return err;
    }
    finish_setup(c);
    *out = c;
    return WZP_OK;
}

wzp_err wzp_conn_dial(wzp_quic *q, const wzp_quic_dial *dial, conn **out) {
    conn *c = wzp_quic_new_conn(q);
    if (c == NULL) {
        return WZP_ERR_NOMEM;
    }
    ngtcp2_settings settings;
    ngtcp2_transport_params params;
    uint16_t probes[MAX_PROBES];
    ngtcp2_cid scid = {.datalen = SCID_LEN};
    ngtcp2_cid dcid = {.datalen = 18};
    const ngtcp2_callbacks cb = callbacks(false);
    c->app = dial->app;
    q->dialled_count++;
    c->next_in_order = 1; /* ids of the server's bidirectional streams: 1, 5, 9 */
    set_path(c, &dial->path);
    fill_settings(q, &settings, probes);
    fill_params(q, &params);
    settings.initial_rtt = dial->initial_rtt != 0 ? dial->initial_rtt : INITIAL_RTT;
    wzp_quic_cid_fill(q, scid.data, scid.datalen);
    wzp_rng_fill(q->cfg.rng, dcid.data, dcid.datalen);
    wzp_err err = wzp_tls_attach(c, dial->sni != NULL ? dial->sni : "",
                                 dial->alpn != NULL ? dial->alpn : "wzp");
    const ngtcp2_path ng_path = wzp_quic_ng_path(&c->local, &c->remote);
    if (err == WZP_OK &&
        (ngtcp2_conn_client_new(&c->ng, &dcid, &scid, &ng_path, NGTCP2_PROTO_VER_V1, &cb, &settings,
                                &params, NULL, c) != 0 ||
         !wzp_quic_cid_add(q, &scid, c))) {
        err = WZP_ERR_NOMEM;
    }
    if (err != WZP_OK) {
        wzp_quic_drop_conn(c);
        return err;
    }
    finish_setup(c);
    wzp_quic_mark_dirty(c);
    wzp_quic_reschedule(c);
    *out = c;
    return WZP_OK;
}

void wzp_conn_release(conn *c) {
    c->quic->handshakes -= c->is_server && c->state == CONN_HANDSHAKE ? 1 : 0;
    if (c->ng != NULL) {
        if (c->ssl != NULL) {
            SSL_set_app_data(c->ssl, NULL);
        }
        ngtcp2_conn_del(c->ng);
        c->ng = NULL;
    }
    wzp_tls_detach(c);
    wzp_streams_free(c);
    wzp_datagrams_free(c);
    free(c->close_packet);
    c->close_packet = NULL;
}

/* --- closing ---------------------------------------------------------------------------------- */

/* The last event of a connection that the owner knows about.  A server connection that never got
 * through its handshake was never announced: it is only counted. */
void wzp_conn_told_closed(conn *c, const wzp_quic_close_info *info) {
    if (c->told_closed) {
        return;
    }
    c->told_closed = true;
    if (c->is_server && c->state == CONN_HANDSHAKE) {
        c->quic->counters.handshakes_failed++;
        return;
    }
    const wzp_quic_event event = {.kind = WZP_QUIC_CLOSED,
                                  .conn = wzp_quic_handle(c),
                                  .is_server = c->is_server,
                                  .close = *info};
    wzp_events_push(c->quic, &event);
}

/* The driver chooses the local address when it never said which one it is.  It may have said the
 * port, which names its socket. */
wzp_quic_path wzp_conn_path(const conn *c, const ngtcp2_sockaddr *local,
                            const ngtcp2_sockaddr *remote) {
    wzp_quic_path path = {wzp_quic_from_sockaddr(local), wzp_quic_from_sockaddr(remote)};
    if (!c->local_known && path.local.port == 0) {
        path.local = (wzp_addr){.family = WZP_ADDR_NONE};
    }
    return path;
}

static void say_close(conn *c, wzp_quic_path path) {
    c->close_path = path;
    c->close_due = true;
    wzp_quic_mark_dirty(c);
}

static void begin_closing(conn *c, const ngtcp2_ccerr *ccerr, const wzp_quic_close_info *info) {
    uint8_t buf[1500];
    ngtcp2_path_storage ps;
    ngtcp2_pkt_info pi;
    ngtcp2_path_storage_zero(&ps);
    const ngtcp2_ssize n = ngtcp2_conn_write_connection_close(c->ng, &ps.path, &pi, buf, sizeof buf,
                                                              ccerr, c->quic->now);
    wzp_conn_told_closed(c, info);
    c->quic->handshakes -= c->is_server && c->state == CONN_HANDSHAKE ? 1 : 0;
    c->state = CONN_CLOSING;
    c->close_packet = n > 0 ? malloc((size_t)n) : NULL;
    if (c->close_packet != NULL) {
        memcpy(c->close_packet, buf, (size_t)n);
        c->close_len = (size_t)n;
        c->close_budget = CLOSE_ANSWERS;
        say_close(c, wzp_conn_path(c, ps.path.local.addr, ps.path.remote.addr));
    }
    const wzp_time linger = 3 * ngtcp2_conn_get_pto2(c->ng);
    c->hold_until = wzp_time_after(c->quic->now, linger < WZP_S ? linger : WZP_S);
    wzp_quic_reschedule(c);
}

void wzp_conn_close_app(conn *c, uint64_t code, const char *reason) {
    ngtcp2_ccerr ccerr;
    ngtcp2_ccerr_default(&ccerr);
    ngtcp2_ccerr_set_application_error(&ccerr, code, (const uint8_t *)reason, strlen(reason));
    wzp_quic_close_info info = {.kind = WZP_QUIC_CLOSE_LOCAL, .code = code};
    wzp_log_clean(info.reason, sizeof info.reason, reason, strlen(reason));
    begin_closing(c, &ccerr, &info);
}

void wzp_conn_fail(conn *c, int liberr) {
    ngtcp2_ccerr ccerr;
    ngtcp2_ccerr_default(&ccerr);
    if (liberr == NGTCP2_ERR_CRYPTO) {
        ngtcp2_ccerr_set_tls_alert(&ccerr, ngtcp2_conn_get_tls_alert2(c->ng), NULL, 0);
    } else {
        ngtcp2_ccerr_set_liberr(&ccerr, liberr, NULL, 0);
    }
    wzp_quic_close_info info = {.kind = WZP_QUIC_CLOSE_LOCAL_ERROR, .code = ccerr.error_code};
    const char *why = ngtcp2_strerror(liberr);
    wzp_log_clean(info.reason, sizeof info.reason, why, strlen(why));
    begin_closing(c, &ccerr, &info);
}

static void vanish(conn *c, wzp_quic_close_kind kind) {
    const wzp_quic_close_info info = {.kind = kind};
    wzp_conn_told_closed(c, &info);
    wzp_quic_drop_conn(c);
}

static void peer_closed(conn *c) {
    const ngtcp2_ccerr *ccerr = ngtcp2_conn_get_ccerr2(c->ng);
    wzp_quic_close_info info = {.code = ccerr->error_code};
    info.kind = c->was_reset                                   ? WZP_QUIC_CLOSE_RESET
                : ccerr->type == NGTCP2_CCERR_TYPE_APPLICATION ? WZP_QUIC_CLOSE_PEER_APP
                                                               : WZP_QUIC_CLOSE_PEER_TRANSPORT;
    wzp_log_clean(info.reason, sizeof info.reason, (const char *)ccerr->reason, ccerr->reasonlen);
    wzp_conn_told_closed(c, &info);
    wzp_quic_drop_conn(c);
}

/* --- input and timers ------------------------------------------------------------------------- */

/* Frees what only the handshake needed; not from inside a callback. */
static void after_handshake(conn *c) {
    if (c->state == CONN_OPEN && c->is_server && c->ssl != NULL) {
        wzp_tls_detach(c);
    }
}

static void answer_with_close(conn *c) {
    if (c->close_budget > 0 && c->close_packet != NULL) {
        c->close_budget--;
        say_close(c, wzp_conn_path(c, &c->local.sa, &c->remote.sa));
    }
}

static bool same_place(const sockaddr_any *a, const sockaddr_any *b) {
    return a->sa.sa_family == b->sa.sa_family && memcmp(a, b, wzp_quic_sockaddr_len(a)) == 0;
}

void wzp_conn_read(conn *c, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload) {
    if (c->state == CONN_CLOSING) {
        answer_with_close(c);
        return;
    }
    sockaddr_any local;
    sockaddr_any remote;
    wzp_quic_to_sockaddr(&remote, &path->remote, WZP_ADDR_V4);
    wzp_quic_to_sockaddr(&local, &path->local, path->remote.family);
    if (path->local.family == WZP_ADDR_NONE || !c->local_known) {
        local = c->local;
    }
    const ngtcp2_path ng_path = wzp_quic_ng_path(&local, &remote);
    const ngtcp2_pkt_info pi = {.ecn = ecn};
    const wzp_read read = {.datagrams_before = c->datagrams_received,
                           .was_open = c->state == CONN_OPEN && same_place(&remote, &c->remote),
                           .is_congested = (ecn & NGTCP2_ECN_MASK) == NGTCP2_ECN_CE};
    const int rv =
        ngtcp2_conn_read_pkt(c->ng, &ng_path, &pi, payload.data, payload.len, c->quic->now);
    switch (rv) {
    case 0:
        after_handshake(c);
        wzp_acks_after_read(c, &read);
        break;
    case NGTCP2_ERR_DRAINING:
        peer_closed(c);
        break;
    case NGTCP2_ERR_DROP_CONN:
    case NGTCP2_ERR_RETRY: /* only when the library itself wants one: let the client try again */
        vanish(c, WZP_QUIC_CLOSE_LOCAL_ERROR);
        break;
    default:
        wzp_conn_fail(c, rv);
        break;
    }
}

wzp_time wzp_conn_deadline(const conn *c) {
    if (c->state == CONN_CLOSING) {
        return c->hold_until;
    }
    const ngtcp2_tstamp expiry = c->ack_held ? c->ack_by : ngtcp2_conn_get_expiry2(c->ng);
    return wzp_time_min(expiry, wzp_streams_deadline(c));
}

void wzp_conn_tick(conn *c) {
    if (c->state == CONN_CLOSING) {
        wzp_quic_drop_conn(c);
        return;
    }
    wzp_streams_tick(c);
    c->ack_held = c->ack_held && c->ack_by > c->quic->now;
    int rv = 0;
    if (!c->ack_held && ngtcp2_conn_get_expiry2(c->ng) <= c->quic->now) {
        rv = ngtcp2_conn_handle_expiry(c->ng, c->quic->now);
        wzp_quic_mark_dirty(c);
    }
    if (rv == NGTCP2_ERR_IDLE_CLOSE) {
        vanish(c, WZP_QUIC_CLOSE_IDLE);
    } else if (rv == NGTCP2_ERR_HANDSHAKE_TIMEOUT) {
        vanish(c, WZP_QUIC_CLOSE_HANDSHAKE_TIMEOUT);
    } else if (rv != 0) {
        wzp_conn_fail(c, rv);
    } else {
        wzp_quic_reschedule(c);
    }
}
