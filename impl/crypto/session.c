#include "crypto/session.h"

#include <sodium.h>
#include <stdlib.h>

struct wzp_session {
    wzp_session_keys keys, previous;
    wzp_time previous_until; /* 0: there is no previous key */
    bool pending;            /* pending_pair is in use */
    wzp_ephemeral pending_pair;
    uint64_t since_rekey;                                     /* packets sealed and opened */
    wzp_replay *windows[WZP_MEDIA_TYPE_COUNT][UINT8_MAX + 1]; /* by stream_id; NULL until used */
};

wzp_session *wzp_session_new(const wzp_session_keys *keys) {
    wzp_session *session = calloc(1, sizeof *session);
    if (session != NULL) {
        session->keys = *keys;
    }
    return session;
}

void wzp_session_free(wzp_session **session) {
    wzp_session *s = *session;
    if (s == NULL) {
        return;
    }
    for (size_t type = 0; type < WZP_COUNT_OF(s->windows); type++) {
        for (size_t stream = 0; stream < WZP_COUNT_OF(s->windows[type]); stream++) {
            free(s->windows[type][stream]);
        }
    }
    wzp_crypto_wipe(s, sizeof *s);
    free(s);
    *session = NULL;
}

const wzp_session_keys *wzp_session_keys_of(const wzp_session *session) {
    return &session->keys;
}

void wzp_session_nonce(uint8_t nonce[WZP_NONCE_LEN], const uint8_t session_id[WZP_SESSION_ID_LEN],
                       uint32_t seq) {
    memcpy(nonce, session_id, WZP_SESSION_ID_LEN);
    nonce[4] = (uint8_t)(seq >> 24);
    nonce[5] = (uint8_t)(seq >> 16);
    nonce[6] = (uint8_t)(seq >> 8);
    nonce[7] = (uint8_t)seq;
    memset(nonce + 8, 0, 4); /* direction 0 both ways, then padding */
}

static wzp_err parse_hdr(wzp_media_hdr *out, wzp_bytes hdr) {
    wzp_rd rd;
    wzp_rd_init(&rd, hdr);
    return wzp_media_hdr_parse(out, &rd);
}

wzp_err wzp_session_seal(wzp_session *session, wzp_bytes hdr, wzp_bytes payload, uint8_t *out) {
    wzp_media_hdr parsed;
    uint8_t nonce[WZP_NONCE_LEN];
    const wzp_err err = parse_hdr(&parsed, hdr);
    if (err != WZP_OK) {
        return err;
    }
    wzp_session_nonce(nonce, session->keys.session_id, parsed.seq);
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, payload.data, payload.len, hdr.data,
                                              WZP_MEDIA_HDR_LEN, NULL, nonce, session->keys.key);
    session->since_rekey++;
    return WZP_OK;
}

/* With `out` NULL only the tag is checked. */
static bool decrypt(const wzp_session_keys *keys, wzp_bytes hdr, uint32_t seq, wzp_bytes sealed,
                    uint8_t *out) {
    uint8_t nonce[WZP_NONCE_LEN];
    const size_t len = sealed.len - WZP_TAG_LEN;
    wzp_session_nonce(nonce, keys->session_id, seq);
    return crypto_aead_chacha20poly1305_ietf_decrypt_detached(
               out, NULL, sealed.data, len, sealed.data + len, hdr.data, WZP_MEDIA_HDR_LEN, nonce,
               keys->key) == 0;
}

/* While the previous key still counts, the tag says which of the two it was: a decryption that
 * fails would wipe `out`, and with it the input of a second attempt in place. */
static const wzp_session_keys *choose_keys(wzp_session *session, wzp_bytes hdr, uint32_t seq,
                                           wzp_bytes sealed, wzp_time now) {
    if (now >= session->previous_until) {
        session->previous_until = 0;
        wzp_crypto_wipe(&session->previous, sizeof session->previous);
    } else if (decrypt(&session->previous, hdr, seq, sealed, NULL)) {
        return &session->previous;
    }
    return &session->keys;
}

/* The stream's window, made on first use; NULL: out of memory. */
static wzp_replay *find_window(wzp_session *session, const wzp_media_hdr *hdr) {
    wzp_replay **window = &session->windows[hdr->media_type][hdr->stream_id];
    if (*window == NULL) {
        *window = malloc(sizeof **window);
        if (*window != NULL) {
            wzp_replay_init(*window, wzp_replay_size_of(hdr->media_type));
        }
    }
    return *window;
}

wzp_err wzp_session_open(wzp_session *session, wzp_bytes hdr, wzp_bytes sealed, uint8_t *out,
                         wzp_time now) {
    wzp_media_hdr parsed;
    const wzp_err err = parse_hdr(&parsed, hdr);
    if (err != WZP_OK) {
        return err;
    }
    if (sealed.len < WZP_TAG_LEN) {
        return WZP_ERR_DECRYPT;
    }
    const wzp_session_keys *keys = &session->keys;
    if (session->previous_until != 0) {
        keys = choose_keys(session, hdr, parsed.seq, sealed, now);
    }
    if (!decrypt(keys, hdr, parsed.seq, sealed, out)) {
        return WZP_ERR_DECRYPT;
    }
    session->since_rekey++;
    wzp_replay *window = find_window(session, &parsed);
    if (window == NULL || !wzp_replay_accept(window, parsed.seq)) {
        wzp_crypto_wipe(out, sealed.len - WZP_TAG_LEN);
        return window == NULL ? WZP_ERR_NOMEM : WZP_ERR_REPLAY;
    }
    return WZP_OK;
}

bool wzp_session_rekey_due(const wzp_session *session) {
    return session->since_rekey >= WZP_REKEY_PACKETS;
}

void wzp_session_rekey_begin(wzp_session *session, wzp_rng rng, uint8_t pub[WZP_KEY_LEN]) {
    wzp_ephemeral_new(&session->pending_pair, rng);
    session->pending = true;
    memcpy(pub, session->pending_pair.pub, WZP_KEY_LEN);
}

wzp_err wzp_rekey_derive(wzp_session_keys *keys, const uint8_t secret[WZP_KEY_LEN],
                         const uint8_t peer_pub[WZP_KEY_LEN]) {
    uint8_t shared[WZP_KEY_LEN];
    uint8_t fresh[WZP_KEY_LEN];
    const wzp_err err = wzp_x25519(shared, secret, peer_pub);
    if (err != WZP_OK) {
        return err;
    }
    wzp_hkdf(fresh, sizeof fresh, wzp_bytes_of(shared, sizeof shared),
             wzp_bytes_of(keys->key, sizeof keys->key), "warzone-rekey");
    memcpy(keys->key, fresh, sizeof fresh);
    wzp_session_id_of(keys->session_id, fresh);
    wzp_crypto_wipe(shared, sizeof shared);
    wzp_crypto_wipe(fresh, sizeof fresh);
    return WZP_OK;
}

wzp_err wzp_session_rekey_complete(wzp_session *session, const uint8_t peer_pub[WZP_KEY_LEN],
                                   wzp_time now) {
    if (!session->pending) {
        return WZP_ERR_NO_PENDING_REKEY;
    }
    wzp_session_keys next = session->keys;
    const wzp_err err = wzp_rekey_derive(&next, session->pending_pair.secret, peer_pub);
    if (err == WZP_OK) {
        session->previous = session->keys;
        session->previous_until = wzp_time_after(now, WZP_REKEY_GRACE);
        session->keys = next;
        session->since_rekey = 0;
        session->pending = false;
        wzp_crypto_wipe(&session->pending_pair, sizeof session->pending_pair);
    }
    wzp_crypto_wipe(&next, sizeof next);
    return err;
}
