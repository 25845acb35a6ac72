/* TLS 1.3 for QUIC: contexts, certificate, ALPN, SNI, key log, and OpenSSL's randomness where a
 * run must be repeatable. */
#include <assert.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdatomic.h>

#include "quic/internal.h"

/* --- repeatable randomness ----------------------------------------------------------------------
 * One private library context per thread, whose random provider draws from the endpoint that is
 * being served.  Contexts are expensive (half a megabyte), hence shared by a thread's endpoints. */

static _Thread_local wzp_rng current_rng;
static _Thread_local OSSL_LIB_CTX *private_context;
static _Thread_local bool private_is_default;

static int provider_bytes(void *provctx, int which, void *buf, size_t n, unsigned int strength) {
    (void)provctx;
    (void)which;
    (void)strength;
    if (current_rng.fill == NULL) {
        return 0;
    }
    wzp_rng_fill(current_rng, buf, n);
    return 1;
}

static const OSSL_ALGORITHM *provider_query(void *provctx, int operation, int *no_cache) {
    (void)provctx;
    (void)operation;
    *no_cache = 0;
    return NULL;
}

static const OSSL_DISPATCH provider_functions[] = {
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))provider_query},
    {OSSL_FUNC_PROVIDER_RANDOM_BYTES, (void (*)(void))provider_bytes},
    {0, NULL}};

static int provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                         const OSSL_DISPATCH **out, void **provctx) {
    (void)in;
    *out = provider_functions;
    *provctx = wzp_drop_const(handle);
    return 1;
}

static OSSL_LIB_CTX *deterministic_context(void) {
    if (private_context != NULL) {
        return private_context;
    }
    OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *rng = NULL;
    if (ctx != NULL && OSSL_PROVIDER_add_builtin(ctx, "wzp-rng", provider_init) == 1 &&
        OSSL_PROVIDER_load(ctx, "default") != NULL &&
        (rng = OSSL_PROVIDER_load(ctx, "wzp-rng")) != NULL &&
        RAND_set1_random_provider(ctx, rng) == 1) {
        private_context = ctx;
        return ctx;
    }
    OSSL_LIB_CTX_free(ctx);
    return NULL;
}

/* ngtcp2's backend uses the thread's default context: set it on every entry, so that endpoints of
 * both kinds can live in one thread.  (NULL would mean: leave it as it is.) */
void wzp_tls_enter(wzp_quic *q) {
    current_rng = q->cfg.deterministic ? q->cfg.rng : (wzp_rng){0};
    if (private_is_default != q->cfg.deterministic) {
        private_is_default = q->cfg.deterministic;
        OSSL_LIB_CTX_set0_default(private_is_default ? private_context
                                                     : OSSL_LIB_CTX_get0_global_default());
    }
}

/* --- callbacks -------------------------------------------------------------------------------- */

static conn *conn_of(const SSL *ssl) {
    const ngtcp2_crypto_conn_ref *ref = SSL_get_app_data(ssl);
    return ref != NULL ? ref->user_data : NULL;
}

static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned int in_len, void *arg) {
    (void)ssl;
    (void)arg;
    for (unsigned i = 0; i < in_len && i + 1U + in[i] <= in_len; i += 1U + in[i]) {
        if (in[i] == 3 && memcmp(in + i + 1, "wzp", 3) == 0) {
            *out = in + i + 1;
            *out_len = 3;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* select_alpn is not asked when the client offers nothing at all. */
static int require_alpn(SSL *ssl, int *alert, void *arg) {
    const unsigned char *ext = NULL;
    size_t len = 0;
    (void)arg;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &ext,
                                  &len) != 1) {
        *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

static bool name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* The rules of the deployed TLS stack (wire sheet 2.6): labels of 1..63 bytes that neither begin
 * nor end with '-', the last one not all digits. */
static bool valid_name(const char *name) {
    size_t label = 0;
    bool all_digits = true;
    for (const char *p = name;; p++) {
        if (*p == '.' || *p == '\0') {
            if (label == 0 || label > 63 || p[-1] == '-' || p[-(ptrdiff_t)label] == '-') {
                return false;
            }
            if (*p == '\0') {
                return !all_digits;
            }
            label = 0;
            all_digits = true;
            continue;
        }
        if (!name_byte(*p)) {
            return false;
        }
        all_digits = all_digits && *p >= '0' && *p <= '9';
        label++;
    }
}

/* The room's name, lower case. */
static int on_server_name(SSL *ssl, int *alert, void *arg) {
    (void)arg;
    conn *c = conn_of(ssl);
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (c == NULL || name == NULL) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    size_t len = strlen(name);
    if (len > 0 && name[len - 1] == '.') {
        len--; /* the root's trailing dot is allowed and removed */
    }
    if (len == 0 || len > WZP_QUIC_SNI_MAX) {
        *alert = SSL_AD_ILLEGAL_PARAMETER;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    for (size_t i = 0; i < len; i++) {
        c->sni[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    }
    c->sni[len] = '\0';
    if (!valid_name(c->sni)) {
        c->sni[0] = '\0';
        *alert = SSL_AD_ILLEGAL_PARAMETER;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

static void on_keylog(const SSL *ssl, const char *line) {
    const conn *c = conn_of(ssl);
    if (c != NULL && c->quic->cfg.keylog != NULL) {
        c->quic->cfg.keylog(c->quic->cfg.keylog_ctx, wzp_quic_handle(c), line);
    }
}

/* --- contexts --------------------------------------------------------------------------------- */

static SSL_CTX *new_context(wzp_quic *q, const SSL_METHOD *method) {
    OSSL_LIB_CTX *lib = q->cfg.deterministic ? deterministic_context() : NULL;
    if (q->cfg.deterministic && lib == NULL) {
        return NULL;
    }
    SSL_CTX *ctx = SSL_CTX_new_ex(lib, NULL, method);
    if (ctx == NULL) {
        return NULL;
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION);
    /* AES-128 first: a third of ChaCha's cost per packet where AES is in hardware.  X25519 only:
     * half the handshake memory. */
    if (SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                      "TLS_CHACHA20_POLY1305_SHA256") != 1 ||
        SSL_CTX_set1_groups_list(ctx, "X25519") != 1) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    if (q->cfg.keylog != NULL) {
        SSL_CTX_set_keylog_callback(ctx, on_keylog);
    }
    return ctx;
}

static wzp_err use_identity(SSL_CTX *ctx, const wzp_quic_identity *identity) {
    const unsigned char *der = identity->cert_der.data;
    X509 *cert = d2i_X509(NULL, &der, (long)identity->cert_der.len);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(
        EVP_PKEY_ED25519, NULL, identity->ed25519_seed.data, identity->ed25519_seed.len);
    const bool ok = cert != NULL && key != NULL && SSL_CTX_use_certificate(ctx, cert) == 1 &&
                    SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok ? WZP_OK : WZP_ERR_INVALID_ARGUMENT;
}

/* Who the peer is, is for the caller to judge.  That it holds the key, OpenSSL has seen to. */
static int take_any_cert(X509_STORE_CTX *store, void *arg) {
    (void)store;
    (void)arg;
    return 1;
}

/* ngtcp2 keeps the algorithms that it finds here for the whole process: once, and from the context
 * that lives as long.  False: out of memory. */
static bool init_backend(void) {
    static atomic_flag done = ATOMIC_FLAG_INIT;
    if (atomic_flag_test_and_set(&done)) {
        return true;
    }
    OSSL_LIB_CTX *before = OSSL_LIB_CTX_set0_default(OSSL_LIB_CTX_get0_global_default());
    const bool ok = ngtcp2_crypto_ossl_init() == 0;
    OSSL_LIB_CTX_set0_default(before);
    return ok;
}

static bool derive_reset_secret(wzp_quic *q, wzp_bytes seed) {
    static const uint8_t label[] = "wzp stateless reset";
    unsigned len = 0;
    return HMAC(EVP_sha256(), seed.data, (int)seed.len, label, sizeof label - 1, q->reset_secret,
                &len) != NULL &&
           len == sizeof q->reset_secret;
}

wzp_err wzp_tls_new(wzp_quic *q) {
    if (!init_backend() || (q->cfg.deterministic && deterministic_context() == NULL)) {
        return WZP_ERR_CRYPTO_LIB;
    }
    wzp_tls_enter(q);
    q->client_tls = new_context(q, TLS_client_method());
    if (q->client_tls == NULL) {
        return WZP_ERR_CRYPTO_LIB;
    }
    if (q->cfg.identity == NULL) {
        return WZP_OK;
    }
    q->server_tls = new_context(q, TLS_server_method());
    if (q->server_tls == NULL) {
        return WZP_ERR_CRYPTO_LIB;
    }
    SSL_CTX_set_alpn_select_cb(q->server_tls, select_alpn, NULL);
    SSL_CTX_set_client_hello_cb(q->server_tls, require_alpn, NULL);
    SSL_CTX_set_tlsext_servername_callback(q->server_tls, on_server_name);
    if (!derive_reset_secret(q, q->cfg.identity->ed25519_seed)) {
        return WZP_ERR_CRYPTO_LIB;
    }
    if (q->cfg.mutual) {
        SSL_CTX_set_verify(q->server_tls, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_cert_verify_callback(q->server_tls, take_any_cert, NULL);
    }
    const wzp_err err = q->cfg.mutual ? use_identity(q->client_tls, q->cfg.identity) : WZP_OK;
    return err == WZP_OK ? use_identity(q->server_tls, q->cfg.identity) : err;
}

void wzp_tls_free(wzp_quic *q) {
    SSL_CTX_free(q->server_tls);
    SSL_CTX_free(q->client_tls);
    current_rng = (wzp_rng){0}; /* it may go with the endpoint */
}

/* --- connections ------------------------------------------------------------------------------ */

static ngtcp2_conn *get_ng(ngtcp2_crypto_conn_ref *ref) {
    const conn *c = ref->user_data;
    return c->ng;
}

/* SSL_set_tlsext_host_name without its cast of a const string, which -Wcast-qual refuses. */
static bool set_host_name(SSL *ssl, const char *sni) {
    char name[WZP_QUIC_SNI_MAX + 1];
    memcpy(name, sni, strlen(sni) + 1);
    return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) == 1;
}

static bool set_client_names(SSL *ssl, const char *sni, const char *alpn) {
    uint8_t list[33];
    const size_t len = strlen(alpn);
    if (len > 32 || strlen(sni) > WZP_QUIC_SNI_MAX) {
        return false;
    }
    list[0] = (uint8_t)len;
    memcpy(list + 1, alpn, len);
    return (len == 0 || SSL_set_alpn_protos(ssl, list, (unsigned)(len + 1)) == 0) &&
           (*sni == '\0' || set_host_name(ssl, sni));
}

/* Order matters: role first, then configure, then the connection reference, then the context. */
wzp_err wzp_tls_attach(conn *c, const char *sni, const char *alpn) {
    SSL *ssl = SSL_new(c->is_server ? c->quic->server_tls : c->quic->client_tls);
    if (ssl == NULL) {
        return WZP_ERR_NOMEM;
    }
    c->ssl = ssl;
    if (c->is_server) {
        SSL_set_accept_state(ssl);
    } else {
        SSL_set_connect_state(ssl);
        if (!set_client_names(ssl, sni, alpn)) {
            return WZP_ERR_INVALID_ARGUMENT;
        }
    }
    const int failed = c->is_server ? ngtcp2_crypto_ossl_configure_server_session(ssl)
                                    : ngtcp2_crypto_ossl_configure_client_session(ssl);
    c->ref = (ngtcp2_crypto_conn_ref){get_ng, c};
    SSL_set_app_data(ssl, &c->ref);
    return failed == 0 && ngtcp2_crypto_ossl_ctx_new(&c->ossl, ssl) == 0 ? WZP_OK
                                                                         : WZP_ERR_CRYPTO_LIB;
}

/* A server keeps 14 kB less per connection once the handshake is over. */
void wzp_tls_detach(conn *c) {
    if (c->ssl == NULL) {
        return;
    }
    SSL_set_app_data(c->ssl, NULL);
    if (c->ng != NULL) {
        ngtcp2_conn_set_tls_native_handle(c->ng, NULL);
    }
    SSL_free(c->ssl);
    ngtcp2_crypto_ossl_ctx_del(c->ossl);
    c->ssl = NULL;
    c->ossl = NULL;
}

static bool learn_key(conn *c, const X509 *cert) {
    const EVP_PKEY *key = X509_get0_pubkey(cert);
    size_t len = sizeof c->peer_key;
    return key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 &&
           EVP_PKEY_get_raw_public_key(key, c->peer_key, &len) == 1 && len == sizeof c->peer_key;
}

/* What is worth keeping of a finished handshake. */
void wzp_tls_learn(conn *c) {
    X509 *cert = SSL_get1_peer_certificate(c->ssl);
    unsigned char *der = NULL;
    const int len = cert != NULL ? i2d_X509(cert, &der) : 0;
    if (len > 0) {
        unsigned int size = 0;
        c->has_cert = EVP_Digest(der, (size_t)len, c->cert_sha256, &size, EVP_sha256(), NULL) == 1;
        c->has_key = learn_key(c, cert);
    }
    OPENSSL_free(der);
    X509_free(cert);
}
