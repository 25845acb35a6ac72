/* The sections of crypto.json (crypto sheet 18). */
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "crypto/mnemonic.h"
#include "crypto/session.h"
#include "vectors/check.h"
#include "wire/signal.h"
#include "wire/signal_frame.h"

/* Fixed-size members, decoded into the caller's array. */
static bool hex_of(wzp_vector_entry *e, const json_t *object, const char *key, uint8_t *out,
                   size_t len) {
    const char *text = wzp_vector_text(object, key);
    if (wzp_hex_parse(out, len, text, strlen(text), NULL) != WZP_OK) {
        wzp_vector_mismatch(e, key, "hexadecimal text of the right length", text);
        return false;
    }
    return true;
}

static bool is_hex(wzp_vector_entry *e, const json_t *object, const char *key, const void *got,
                   size_t len) {
    return wzp_vector_is_bytes(e, key, wzp_vector_text(object, key), wzp_bytes_of(got, len));
}

static bool is_ok(wzp_vector_entry *e, const char *field, bool want, bool got) {
    return wzp_vector_is_text(e, field, want ? "true" : "false", got ? "true" : "false");
}

static void check_mnemonic(wzp_vector_entry *e) {
    uint8_t seed[32];
    uint8_t back[32] = {0};
    char text[WZP_MNEMONIC_MAX];
    if (hex_of(e, e->json, "seed", seed, sizeof seed)) {
        wzp_mnemonic_write(text, seed);
        (void)wzp_vector_is_text(e, "mnemonic", wzp_vector_text(e->json, "mnemonic"), text);
        const wzp_err err = wzp_mnemonic_parse(back, wzp_bytes_str(text), NULL);
        (void)wzp_vector_is_text(e, "parsed back", "OK", wzp_err_name(err));
        (void)is_hex(e, e->json, "seed", back, sizeof back);
    }
}

static void check_mnemonic_parse(wzp_vector_entry *e) {
    uint8_t seed[32];
    const bool ok = json_is_true(json_object_get(e->json, "ok"));
    const wzp_err err =
        wzp_mnemonic_parse(seed, wzp_bytes_str(wzp_vector_text(e->json, "input")), NULL);
    if (is_ok(e, "ok", ok, err == WZP_OK) && ok) {
        (void)is_hex(e, e->json, "seed", seed, sizeof seed);
    }
}

static void check_identity(wzp_vector_entry *e) {
    uint8_t seed[32];
    uint8_t fingerprint[WZP_FINGERPRINT_LEN];
    wzp_identity id;
    wzp_tls_identity tls;
    if (!hex_of(e, e->json, "seed", seed, sizeof seed)) {
        return;
    }
    wzp_identity_from_seed(&id, seed);
    wzp_tls_identity_from_seed(&tls, seed);
    wzp_fingerprint(fingerprint, id.ed25519_pub);
    (void)is_hex(e, e->json, "ed25519_seed", id.ed25519_seed, 32);
    (void)is_hex(e, e->json, "ed25519_pub", id.ed25519_pub, 32);
    (void)is_hex(e, e->json, "x25519_scalar_unclamped", id.x25519_scalar, 32);
    (void)is_hex(e, e->json, "x25519_pub", id.x25519_pub, 32);
    (void)is_hex(e, e->json, "fingerprint", fingerprint, sizeof fingerprint);
    (void)wzp_vector_is_text(e, "fingerprint_printed",
                             wzp_vector_text(e->json, "fingerprint_printed"), id.fingerprint);
    const json_t *relay = json_object_get(e->json, "relay_tls");
    (void)is_hex(e, relay, "ed25519_seed", tls.ed25519_seed, 32);
    (void)is_hex(e, relay, "ed25519_pub", tls.ed25519_pub, 32);
    (void)is_hex(e, relay, "cert_der", tls.cert_der, tls.cert_len);
    (void)wzp_vector_is_text(e, "tls_fingerprint_printed",
                             wzp_vector_text(relay, "tls_fingerprint_printed"), tls.fingerprint);
}

static void check_fingerprint_parse(wzp_vector_entry *e) {
    uint8_t fingerprint[WZP_FINGERPRINT_LEN];
    const bool ok = json_is_true(json_object_get(e->json, "ok"));
    const wzp_err err =
        wzp_fingerprint_parse(fingerprint, wzp_bytes_str(wzp_vector_text(e->json, "input")));
    if (is_ok(e, "ok", ok, err == WZP_OK) && ok) {
        (void)is_hex(e, e->json, "fingerprint", fingerprint, sizeof fingerprint);
    }
}

static void check_room_hash(wzp_vector_entry *e) {
    char text[WZP_ROOM_SNI_LEN + 1];
    wzp_room_sni_hash(text, wzp_bytes_str(wzp_vector_text(e->json, "room")));
    (void)wzp_vector_is_text(e, "sha256_16_hex", wzp_vector_text(e->json, "sha256_16_hex"), text);
}

static void check_frame(wzp_vector_entry *e, const char *json_key, const char *frame_key) {
    static const wzp_signal_opts strict = {.strict = true};
    const char *text = wzp_vector_text(e->json, json_key);
    uint8_t buf[8192];
    wzp_wr wr;
    wzp_signal *signal = NULL;
    const wzp_err err = wzp_signal_parse(&signal, wzp_bytes_str(text), &strict, NULL);
    if (!wzp_vector_is_text(e, json_key, "OK", wzp_err_name(err))) {
        return;
    }
    uint8_t json[8192];
    wzp_wr_init(&wr, json, sizeof json);
    wzp_signal_write(&wr, signal);
    const wzp_bytes canonical = wzp_bytes_of(json, wzp_wr_len(&wr));
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_signal_frame_write(&wr, canonical);
    (void)is_hex(e, e->json, frame_key, buf, wzp_wr_len(&wr));
    wzp_signal_free(&signal);
}

static void check_party(wzp_vector_entry *e, const char *party, wzp_handshake_role role,
                        wzp_ephemeral *pair) {
    char key[64];
    uint8_t seed[32];
    uint8_t secret[32];
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_identity id;
    (void)snprintf(key, sizeof key, "%s_seed", party);
    if (!hex_of(e, e->json, key, seed, sizeof seed)) {
        return;
    }
    wzp_identity_from_seed(&id, seed);
    (void)snprintf(key, sizeof key, "%s_identity_pub", party);
    (void)is_hex(e, e->json, key, id.ed25519_pub, 32);
    (void)snprintf(key, sizeof key, "%s_fingerprint", party);
    (void)wzp_vector_is_text(e, key, wzp_vector_text(e->json, key), id.fingerprint);
    (void)snprintf(key, sizeof key, "%s_ephemeral_secret", party);
    if (!hex_of(e, e->json, key, secret, sizeof secret)) {
        return;
    }
    wzp_ephemeral_from_secret(pair, secret);
    (void)snprintf(key, sizeof key, "%s_ephemeral_pub", party);
    (void)is_hex(e, e->json, key, pair->pub, 32);
    wzp_handshake_sign(signature, &id, role, pair->pub);
    (void)is_hex(e, e->json, role == WZP_ROLE_OFFER ? "offer_signature" : "answer_signature",
                 signature, sizeof signature);
    const wzp_err err = wzp_handshake_verify(wzp_bytes_of(signature, sizeof signature),
                                             id.ed25519_pub, role, pair->pub);
    (void)wzp_vector_is_text(e, "verify", "OK", wzp_err_name(err));
}

static void check_handshake(wzp_vector_entry *e) {
    wzp_ephemeral caller = {{0}, {0}};
    wzp_ephemeral callee = {{0}, {0}};
    wzp_session_keys keys;
    check_party(e, "caller", WZP_ROLE_OFFER, &caller);
    check_party(e, "callee", WZP_ROLE_ANSWER, &callee);
    for (int side = 0; side < 2 && !e->done; side++) {
        const wzp_err err = side == 0 ? wzp_handshake_derive(&keys, &caller, callee.pub)
                                      : wzp_handshake_derive(&keys, &callee, caller.pub);
        (void)wzp_vector_is_text(e, "derive", "OK", wzp_err_name(err));
        (void)is_hex(e, e->json, "session_key", keys.key, sizeof keys.key);
        (void)is_hex(e, e->json, "session_id", keys.session_id, sizeof keys.session_id);
        (void)wzp_vector_is_uint(e, "sas_code", wzp_vector_uint(e->json, "sas_code"), keys.sas);
    }
    check_frame(e, "offer_json", "offer_frame");
    check_frame(e, "answer_json", "answer_frame");
}

static void check_bad_signature(wzp_vector_entry *e) {
    uint8_t pub[32];
    uint8_t message[42];
    const wzp_bytes signature = wzp_vector_hex(e, e->json, "sig");
    if (hex_of(e, e->json, "pub", pub, sizeof pub) &&
        hex_of(e, e->json, "msg", message, sizeof message)) {
        const wzp_err err = wzp_handshake_verify(signature, pub, WZP_ROLE_OFFER, message);
        (void)is_ok(e, "valid", json_is_true(json_object_get(e->json, "valid")), err == WZP_OK);
    }
    free(wzp_drop_const(signature.data));
}

static void check_low_order(wzp_vector_entry *e) {
    uint8_t secret[32];
    uint8_t peer[32];
    wzp_ephemeral own;
    wzp_session_keys keys;
    memset(secret, 7, sizeof secret);
    wzp_ephemeral_from_secret(&own, secret);
    if (hex_of(e, e->json, "peer_ephemeral_pub", peer, sizeof peer)) {
        /* The deployed relay accepts it; we refuse, as the sheet recommends. */
        (void)wzp_vector_is_text(e, "refused", "KEY_AGREEMENT",
                                 wzp_err_name(wzp_handshake_derive(&keys, &own, peer)));
    }
}

static void check_signal(wzp_vector_entry *e) {
    check_frame(e, "json", "frame");
}

static void check_presence(wzp_vector_entry *e) {
    uint8_t seed[32];
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_identity id;
    if (hex_of(e, e->json, "seed", seed, sizeof seed)) {
        wzp_identity_from_seed(&id, seed);
        wzp_presence_sign(signature, &id);
        (void)is_hex(e, e->json, "signature", signature, sizeof signature);
    }
}

static bool load_session(wzp_vector_entry *e, const json_t *json, wzp_session_keys *keys) {
    uint8_t digest[WZP_SHA256_LEN];
    memset(keys, 0, sizeof *keys);
    if (!hex_of(e, json, "key", keys->key, sizeof keys->key)) {
        return false;
    }
    wzp_sha256(digest, wzp_bytes_of(keys->key, sizeof keys->key));
    memcpy(keys->session_id, digest, sizeof keys->session_id);
    return true;
}

static void seal_and_open(wzp_vector_entry *e, const wzp_session_keys *keys, const json_t *json) {
    const wzp_bytes hdr = wzp_vector_hex(e, json, "header");
    const wzp_bytes plain = wzp_vector_hex(e, json, "plaintext");
    uint8_t sealed[4096];
    uint8_t opened[4096];
    wzp_session *session = wzp_session_new(keys);
    /* One entry shows the specified form that nobody deploys: the report inside the seal. */
    const bool inside = json_is_true(json_object_get(json, "quality_report_inside_aead"));
    uint8_t message[4096];
    memcpy(message, plain.data, plain.len < 4000 ? plain.len : 0);
    const size_t extra =
        inside && plain.len < 4000 &&
                hex_of(e, json, "quality_report", message + plain.len, WZP_QUALITY_REPORT_LEN)
            ? WZP_QUALITY_REPORT_LEN
            : 0;
    if (session != NULL && hdr.len == WZP_MEDIA_HDR_LEN && plain.len < 4000) {
        const size_t len = plain.len + extra + WZP_TAG_LEN;
        wzp_err err =
            wzp_session_seal(session, hdr, wzp_bytes_of(message, plain.len + extra), sealed);
        (void)wzp_vector_is_text(e, "seal", "OK", wzp_err_name(err));
        (void)is_hex(e, json, "ciphertext_and_tag", sealed, len);
        err = wzp_session_open(session, hdr, wzp_bytes_of(sealed, len), opened, 0);
        (void)wzp_vector_is_text(e, "open", "OK", wzp_err_name(err));
        (void)is_hex(e, json, "plaintext", opened, plain.len);
        err = wzp_session_open(session, hdr, wzp_bytes_of(sealed, len), opened, 0);
        (void)wzp_vector_is_text(e, "open again", "REPLAY", wzp_err_name(err));
    }
    wzp_session_free(&session);
    free(wzp_drop_const(hdr.data));
    free(wzp_drop_const(plain.data));
}

static void check_aead(wzp_vector_entry *e) {
    wzp_session_keys keys;
    if (load_session(e, e->json, &keys)) {
        (void)is_hex(e, e->json, "session_id", keys.session_id, sizeof keys.session_id);
        seal_and_open(e, &keys, e->json);
    }
}

static void check_aead_negative(wzp_vector_entry *e) {
    wzp_session_keys keys;
    uint8_t out[4096];
    const wzp_bytes hdr = wzp_vector_hex(e, e->json, "header");
    const wzp_bytes sealed = wzp_vector_hex(e, e->json, "ciphertext_and_tag");
    wzp_session *session = load_session(e, e->json, &keys) ? wzp_session_new(&keys) : NULL;
    if (session != NULL) {
        const wzp_err err = wzp_session_open(session, hdr, sealed, out, 0);
        const bool tag = strcmp(wzp_vector_text(e->json, "stage"), "tag") == 0;
        (void)is_ok(e, "opens", false, err == WZP_OK);
        (void)is_ok(e, "stage is tag", tag, err == WZP_ERR_DECRYPT);
    }
    wzp_session_free(&session);
    free(wzp_drop_const(hdr.data));
    free(wzp_drop_const(sealed.data));
}

static void check_nonce(wzp_vector_entry *e) {
    uint8_t id[4];
    uint8_t nonce[12];
    if (hex_of(e, e->json, "session_id", id, sizeof id)) {
        wzp_session_nonce(nonce, id, (uint32_t)wzp_vector_uint(e->json, "seq"));
        (void)is_hex(e, e->json, "nonce", nonce, sizeof nonce);
    }
}

static void check_replay(wzp_vector_entry *e) {
    const json_t *seqs = json_object_get(e->json, "seqs");
    const json_t *accept = json_object_get(e->json, "accept");
    wzp_replay window;
    wzp_replay_init(&window, (uint16_t)wzp_vector_uint(e->json, "window"));
    for (size_t i = 0; i < json_array_size(seqs) && !e->done; i++) {
        char field[32];
        (void)snprintf(field, sizeof field, "accept[%zu]", i);
        const uint32_t seq = (uint32_t)json_integer_value(json_array_get(seqs, i));
        (void)is_ok(e, field, json_is_true(json_array_get(accept, i)),
                    wzp_replay_accept(&window, seq));
    }
}

static uint8_t media_type_of(const char *name) {
    return strcmp(name, "audio") == 0   ? WZP_MEDIA_AUDIO
           : strcmp(name, "video") == 0 ? WZP_MEDIA_VIDEO
           : strcmp(name, "data") == 0  ? WZP_MEDIA_DATA
                                        : WZP_MEDIA_CONTROL;
}

/* Seals each row with one session and opens it with another one of the same key. */
static void check_replay_streams(wzp_vector_entry *e) {
    const json_t *rows = json_object_get(e->json, "rows");
    const wzp_session_keys keys = {{1}, {2}, 0};
    wzp_session *tx = wzp_session_new(&keys);
    wzp_session *rx = wzp_session_new(&keys);
    for (size_t i = 0; i < json_array_size(rows) && tx != NULL && rx != NULL; i++) {
        const json_t *row = json_array_get(rows, i);
        const wzp_media_hdr hdr = {.version = 2,
                                   .media_type =
                                       media_type_of(json_string_value(json_array_get(row, 1))),
                                   .stream_id = (uint8_t)json_integer_value(json_array_get(row, 0)),
                                   .seq = (uint32_t)json_integer_value(json_array_get(row, 2))};
        uint8_t raw[WZP_MEDIA_HDR_LEN];
        uint8_t sealed[WZP_TAG_LEN + 1];
        uint8_t opened[1];
        wzp_wr wr;
        char field[32];
        wzp_wr_init(&wr, raw, sizeof raw);
        wzp_media_hdr_write(&wr, &hdr);
        const wzp_bytes header = wzp_bytes_of(raw, sizeof raw);
        wzp_err err = wzp_session_seal(tx, header, wzp_bytes_str("x"), sealed);
        if (err == WZP_OK) {
            err = wzp_session_open(rx, header, wzp_bytes_of(sealed, sizeof sealed), opened, 0);
        }
        (void)snprintf(field, sizeof field, "rows[%zu]", i);
        (void)is_ok(e, field, json_is_true(json_array_get(row, 3)), err == WZP_OK);
    }
    wzp_session_free(&tx);
    wzp_session_free(&rx);
}

static void check_rekey_chain(wzp_vector_entry *e) {
    uint8_t secret[2][32];
    uint8_t pub[2][32];
    if (!hex_of(e, e->json, "a_secret", secret[0], 32) ||
        !hex_of(e, e->json, "b_secret", secret[1], 32) ||
        !hex_of(e, e->json, "a_pub", pub[0], 32) || !hex_of(e, e->json, "b_pub", pub[1], 32)) {
        return;
    }
    wzp_session_keys keys = {{0}, {0}, 0};
    for (int side = 0; side < 2; side++) {
        if (!hex_of(e, e->json, "old_key", keys.key, sizeof keys.key)) {
            return;
        }
        const wzp_err err = wzp_rekey_derive(&keys, secret[side], pub[1 - side]);
        (void)wzp_vector_is_text(e, "derive", "OK", wzp_err_name(err));
        (void)is_hex(e, e->json, "new_key", keys.key, sizeof keys.key);
        (void)is_hex(e, e->json, "new_session_id", keys.session_id, sizeof keys.session_id);
    }
    seal_and_open(e, &keys, json_object_get(e->json, "sample"));
}

static void check_rekey_single(wzp_vector_entry *e) {
    uint8_t secret[32];
    uint8_t peer[32];
    wzp_session_keys keys = {{0}, {0}, 0};
    if (hex_of(e, e->json, "our_secret", secret, 32) && hex_of(e, e->json, "peer_pub", peer, 32) &&
        hex_of(e, e->json, "old_key", keys.key, 32)) {
        const wzp_err err = wzp_rekey_derive(&keys, secret, peer);
        (void)wzp_vector_is_text(e, "derive", "OK", wzp_err_name(err));
        (void)is_hex(e, e->json, "new_key", keys.key, sizeof keys.key);
        (void)is_hex(e, e->json, "new_session_id", keys.session_id, sizeof keys.session_id);
    }
}

/* Whether a session asks for a rekey after so many packets since the last one. */
static void check_rekey_trigger(wzp_vector_entry *e) {
    const uint64_t count = wzp_vector_uint(e->json, "count");
    const uint64_t last = wzp_vector_uint(e->json, "last_rekey_at");
    const wzp_session_keys keys = {{1}, {2}, 0};
    wzp_session *session = wzp_session_new(&keys);
    uint8_t sealed[WZP_TAG_LEN];
    wzp_media_hdr hdr = {.version = 2};
    bool sealing = session != NULL;
    for (uint64_t i = last; i < count && sealing; i++) {
        uint8_t raw[WZP_MEDIA_HDR_LEN];
        wzp_wr wr;
        hdr.seq = (uint32_t)i;
        wzp_wr_init(&wr, raw, sizeof raw);
        wzp_media_hdr_write(&wr, &hdr);
        sealing = wzp_session_seal(session, wzp_bytes_of(raw, sizeof raw), wzp_bytes_of(NULL, 0),
                                   sealed) == WZP_OK;
    }
    (void)is_ok(e, "due", json_is_true(json_object_get(e->json, "due")),
                sealing && wzp_session_rekey_due(session));
    wzp_session_free(&session);
}

/* The vector whose name begins as `name` does. */
static const json_t *aead_named(const wzp_vector_entry *e, const char *name) {
    const json_t *list = json_object_get(e->file, "aead");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const char *known = wzp_vector_text(entry, "name");
        if (*known != '\0' && strncmp(known, name, strlen(known)) == 0) {
            return entry;
        }
    }
    return NULL;
}

/* Plaintext and what this implementation makes of it; false after a mismatch. */
static bool seal_named(wzp_vector_entry *e, const char *key, uint8_t plain[512],
                       uint8_t sealed[512], size_t *len) {
    wzp_session_keys keys;
    uint8_t header[WZP_MEDIA_HDR_LEN];
    const json_t *entry = aead_named(e, wzp_vector_text(e->json, key));
    const size_t text = strlen(wzp_vector_text(entry, "plaintext"));
    *len = text / 2;
    if (entry == NULL || *len + WZP_TAG_LEN > 512) {
        wzp_vector_mismatch(e, key, "the name of a vector in \"aead\"",
                            wzp_vector_text(e->json, key));
        return false;
    }
    if (!load_session(e, entry, &keys) || !hex_of(e, entry, "header", header, sizeof header) ||
        !hex_of(e, entry, "plaintext", plain, *len)) {
        return false;
    }
    wzp_session *session = wzp_session_new(&keys);
    const bool ok =
        session != NULL && wzp_session_seal(session, wzp_bytes_of(header, sizeof header),
                                            wzp_bytes_of(plain, *len), sealed) == WZP_OK;
    wzp_session_free(&session);
    return ok;
}

/* Two packets under one nonce: the difference of the plaintexts is open to everybody. */
static void check_nonce_reuse(wzp_vector_entry *e) {
    uint8_t plain[2][512];
    uint8_t sealed[2][512];
    size_t len[2] = {0, 0};
    if (!seal_named(e, "first", plain[0], sealed[0], &len[0]) ||
        !seal_named(e, "second", plain[1], sealed[1], &len[1])) {
        return;
    }
    const size_t n = len[0] < len[1] ? len[0] : len[1];
    uint8_t x[512];
    for (size_t i = 0; i < n; i++) {
        x[i] = sealed[0][i] ^ sealed[1][i];
        (void)wzp_vector_is_uint(e, "plaintexts", plain[0][i] ^ plain[1][i], x[i]);
    }
    (void)is_hex(e, e->json, "xor_of_ciphertexts_equals_xor_of_plaintexts", x, n);
}

wzp_vector_checker *wzp_vectors_crypto_checker(const char *section) {
    static const struct {
        const char *section;
        wzp_vector_checker *checker;
    } checkers[] = {{"mnemonic", check_mnemonic},
                    {"mnemonic_parse", check_mnemonic_parse},
                    {"identity", check_identity},
                    {"fingerprint_parse", check_fingerprint_parse},
                    {"room_sni_hash", check_room_hash},
                    {"handshake", check_handshake},
                    {"handshake_bad_signature", check_bad_signature},
                    {"low_order_peer_key", check_low_order},
                    {"signal_json", check_signal},
                    {"register_presence_as_specified", check_presence},
                    {"aead", check_aead},
                    {"aead_negative", check_aead_negative},
                    {"nonce", check_nonce},
                    {"nonce_reuse_demo", check_nonce_reuse},
                    {"replay", check_replay},
                    {"replay_streams", check_replay_streams},
                    {"rekey_chain", check_rekey_chain},
                    {"rekey_single", check_rekey_single},
                    {"rekey_trigger", check_rekey_trigger},
                    {"auth_http", wzp_vectors_check_auth_http},
                    {"featherchat_payload", wzp_vectors_check_featherchat}};
    for (size_t i = 0; i < WZP_COUNT_OF(checkers); i++) {
        if (strcmp(checkers[i].section, section) == 0) {
            return checkers[i].checker;
        }
    }
    return NULL;
}
