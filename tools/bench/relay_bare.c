#include "relay_bare.h"

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_ossl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/identity.h"
#include "io/sys.h"

enum {
    SCID_LEN = 8,
    SETTLE = 16,   /* packets of a client, each of which may be of its handshake */
    PER_WRITE = 4, /* packets that may precede a datagram */
    PER_ACK = 2    /* datagrams, then they are acknowledged (RFC 9000, 13.2.2) */
};

#define LOOK_EVERY (100 * WZP_MS) /* at timers */

typedef struct peer {
    ngtcp2_conn *ng;
    bare *server;
    unsigned client, reads, unacked;
    ngtcp2_path path;
    wzp_sockaddr addr;
    SSL *ssl;
    ngtcp2_crypto_ossl_ctx *ossl;
    ngtcp2_crypto_conn_ref ref;
} peer;

struct bare {
    const load *l;
    bare_sink sink;
    wzp_time look_at;
    size_t said_len; /* of the datagram that the packet brought */
    uint8_t said[BARE_PACKET];
    SSL_CTX *tls;
    wzp_sockaddr local;
    peer peers[LOAD_MEMBERS_MAX];
};

/* --- callbacks -------------------------------------------------------------------------------- */

static void on_rand(uint8_t *out, size_t len, const ngtcp2_rand_ctx *ctx) {
    (void)ctx;
    wzp_rng_fill(wzp_io_rng(), out, len);
}

static int on_new_cid(ngtcp2_conn *ng, ngtcp2_cid *cid, ngtcp2_stateless_reset_token *token,
                      size_t len, void *user) {
    (void)ng;
    (void)user;
    cid->datalen = len;
    wzp_rng_fill(wzp_io_rng(), cid->data, len);
    wzp_rng_fill(wzp_io_rng(), token->data, sizeof token->data);
    return 0;
}

static int on_path_challenge(ngtcp2_conn *ng, ngtcp2_path_challenge_data *data, void *user) {
    (void)ng;
    (void)user;
    wzp_rng_fill(wzp_io_rng(), data->data, sizeof data->data);
    return 0;
}

static int on_datagram(ngtcp2_conn *ng, uint32_t flags, const uint8_t *data, size_t len,
                       void *user) {
    bare *b = ((peer *)user)->server;
    (void)ng;
    (void)flags;
    if (len <= sizeof b->said) {
        memcpy(b->said, data, len);
        b->said_len = len;
    }
    return 0;
}

/* As impl/quic has them. */
static ngtcp2_conn *ng_of(ngtcp2_crypto_conn_ref *ref) {
    return ((peer *)ref->user_data)->ng;
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg) {
    (void)ssl;
    (void)arg;
    if (in_len == 0) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = in + 1;
    *out_len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

/* --- connections, with the relay's parameters ------------------------------------------------- */

static ngtcp2_callbacks callbacks(void) {
    return (ngtcp2_callbacks){.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
                              .recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
                              .encrypt = ngtcp2_crypto_encrypt_cb,
                              .decrypt = ngtcp2_crypto_decrypt_cb,
                              .hp_mask = ngtcp2_crypto_hp_mask_cb,
                              .update_key = ngtcp2_crypto_update_key_cb,
                              .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
                              .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
                              .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
                              .rand = on_rand,
                              .get_new_connection_id2 = on_new_cid,
                              .get_path_challenge_data2 = on_path_challenge,
                              .recv_datagram = on_datagram};
}

static void fill_params(ngtcp2_transport_params *params) {
    ngtcp2_transport_params_default(params);
    params->initial_max_stream_data_bidi_local = 65536;
    params->initial_max_stream_data_bidi_remote = 65536;
    params->initial_max_stream_data_uni = 65536;
    params->initial_max_data = 262144;
    params->initial_max_streams_bidi = 100;
    params->initial_max_streams_uni = 100;
    params->max_idle_timeout = 30 * WZP_S;
    params->max_datagram_frame_size = 65535;
    params->active_connection_id_limit = 2;
}

static bool attach_tls(peer *p) {
    p->ssl = SSL_new(p->server->tls);
    if (p->ssl == NULL) {
        return false;
    }
    SSL_set_accept_state(p->ssl);
    p->ref = (ngtcp2_crypto_conn_ref){ng_of, p};
    SSL_set_app_data(p->ssl, &p->ref);
    return ngtcp2_crypto_ossl_configure_server_session(p->ssl) == 0 &&
           ngtcp2_crypto_ossl_ctx_new(&p->ossl, p->ssl) == 0;
}

static bool accept_peer(peer *p, const uint8_t *data, size_t len, wzp_time now) {
    const ngtcp2_callbacks cb = callbacks();
    ngtcp2_pkt_hd hd;
    ngtcp2_settings settings;
    ngtcp2_transport_params params;
    ngtcp2_cid scid = {.datalen = SCID_LEN};
    if (ngtcp2_accept(&hd, data, len) != 0 || !attach_tls(p)) {
        return false;
    }
    wzp_rng_fill(wzp_io_rng(), scid.data, SCID_LEN);
    ngtcp2_settings_default(&settings);
    settings.initial_ts = now;
    settings.max_tx_udp_payload_size = 1452;
    fill_params(&params);
    params.original_dcid = hd.dcid;
    params.original_dcid_present = 1;
    if (ngtcp2_conn_server_new(&p->ng, &hd.scid, &scid, &p->path, hd.version, &cb, &settings,
                               &params, NULL, p) != 0) {
        return false;
    }
    ngtcp2_conn_set_tls_native_handle(p->ng, p->ossl);
    return true;
}

/* --- packets ---------------------------------------------------------------------------------- */

/* Without pacing, as ngtcp2 is never told that a burst is over. */
static void write_datagram(peer *p, wzp_time now) {
    const bare *b = p->server;
    int accepted = 0;
    for (int i = 0; i < PER_WRITE && accepted == 0; i++) {
        const ngtcp2_ssize n =
            ngtcp2_conn_write_datagram(p->ng, NULL, NULL, b->sink.room(b->sink.ctx), BARE_PACKET,
                                       &accepted, 0, 0, b->said, b->said_len, now);
        if (n <= 0) {
            break; /* lost, and seen to be lost */
        }
        b->sink.commit(b->sink.ctx, p->client, (size_t)n);
    }
}

static void write_rest(peer *p, wzp_time now) {
    const bare *b = p->server;
    for (int i = 0; i < SETTLE; i++) {
        const ngtcp2_ssize n = ngtcp2_conn_writev_stream(
            p->ng, NULL, NULL, b->sink.room(b->sink.ctx), BARE_PACKET, NULL, 0, -1, NULL, 0, now);
        if (n <= 0) {
            break;
        }
        b->sink.commit(b->sink.ctx, p->client, (size_t)n);
    }
}

static void fan_out(peer *from, wzp_time now) {
    bare *b = from->server;
    const unsigned first = from->client / b->l->members * b->l->members;
    for (unsigned i = first; i < first + b->l->members; i++) {
        if (i != from->client && b->peers[i].ng != NULL) {
            write_datagram(&b->peers[i], now);
        }
    }
    if (++from->unacked == PER_ACK) {
        from->unacked = 0;
        write_rest(from, now);
    }
}

/* Most packets only acknowledge, and need no answer. */
void bare_recv(bare *b, unsigned client, const uint8_t *data, size_t len, wzp_time now) {
    const ngtcp2_pkt_info pi = {0};
    peer *p = &b->peers[client];
    if (p->ng == NULL && !accept_peer(p, data, len, now)) {
        return;
    }
    b->said_len = 0;
    if (ngtcp2_conn_read_pkt(p->ng, &p->path, &pi, data, len, now) != 0) {
        return;
    }
    if (b->said_len > 0) {
        fan_out(p, now);
    } else if (p->reads < SETTLE) {
        p->reads++;
        write_rest(p, now);
    }
}

void bare_tick(bare *b, wzp_time now) {
    if (now < b->look_at) {
        return;
    }
    b->look_at = now + LOOK_EVERY;
    for (unsigned i = 0; i < b->l->rooms * b->l->members; i++) {
        peer *p = &b->peers[i];
        if (p->ng != NULL && ngtcp2_conn_get_expiry2(p->ng) <= now &&
            ngtcp2_conn_handle_expiry(p->ng, now) == 0) {
            write_rest(p, now);
        }
    }
}

/* --- the server ------------------------------------------------------------------------------- */

static bool open_tls(bare *b) {
    static const uint8_t seed[WZP_KEY_LEN] = {1};
    wzp_tls_identity id;
    wzp_tls_identity_from_seed(&id, seed);
    const unsigned char *der = id.cert_der;
    X509 *cert = d2i_X509(NULL, &der, (long)id.cert_len);
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, id.ed25519_seed, WZP_KEY_LEN);
    b->tls = SSL_CTX_new(TLS_server_method());
    const bool ok = ngtcp2_crypto_ossl_init() == 0 && b->tls != NULL &&
                    SSL_CTX_set_ciphersuites(b->tls, "TLS_AES_128_GCM_SHA256") == 1 &&
                    SSL_CTX_set1_groups_list(b->tls, "X25519") == 1 &&
                    SSL_CTX_use_certificate(b->tls, cert) == 1 &&
                    SSL_CTX_use_PrivateKey(b->tls, key) == 1;
    X509_free(cert);
    EVP_PKEY_free(key);
    wzp_tls_identity_clear(&id);
    if (ok) {
        SSL_CTX_set_num_tickets(b->tls, 0);
        SSL_CTX_set_alpn_select_cb(b->tls, choose_alpn, NULL);
    }
    return ok;
}

bare *bare_new(const load *l, const wzp_addr *local, uint16_t port, bare_sink sink) {
    bare *b = calloc(1, sizeof *b);
    if (b == NULL) {
        return NULL;
    }
    b->l = l;
    b->sink = sink;
    const socklen_t len = wzp_sockaddr_write(&b->local, local, false);
    for (unsigned i = 0; i < l->rooms * l->members; i++) {
        const wzp_addr addr = load_addr(i, port);
        peer *p = &b->peers[i];
        p->server = b;
        p->client = i;
        wzp_sockaddr_write(&p->addr, &addr, false);
        p->path = (ngtcp2_path){{&b->local.any, len}, {&p->addr.any, len}, NULL};
    }
    if (!open_tls(b)) {
        bare_free(&b);
    }
    return b;
}

void bare_free(bare **b_) {
    bare *b = *b_;
    if (b == NULL) {
        return;
    }
    for (unsigned i = 0; i < LOAD_MEMBERS_MAX; i++) {
        peer *p = &b->peers[i];
        if (p->ssl != NULL) {
            SSL_set_app_data(p->ssl, NULL);
        }
        ngtcp2_conn_del(p->ng);
        SSL_free(p->ssl);
        ngtcp2_crypto_ossl_ctx_del(p->ossl);
    }
    SSL_CTX_free(b->tls);
    free(b);
    *b_ = NULL;
}

const wzp_sockaddr *bare_addr(const bare *b, unsigned client) {
    return &b->peers[client].addr;
}
