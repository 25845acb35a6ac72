#include "crypto/session.h"

#include <sodium.h>
#include <stdlib.h>

typedef struct stream_window {
    uint8_t stream_id, media_type;
    wzp_replay *replay;
} stream_window;

struct wzp_session {
    wzp_session_keys keys, previous;
    wzp_time previous_until; /* 0: there is no previous key */
    bool pending;
    wzp_ephemeral pending_pair;
    uint64_t since_rekey; /* packets sealed and opened */
    size_t window_count;
    stream_window windows[WZP_SESSION_STREAMS];
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
    if (s != NULL) {
        for (size_t i = 0; i < s->window_count; i++) {
            free(s->windows[i].replay);
        }
        wzp_crypto_wipe(s, sizeof *s);
        free(s);
        *session = NULL;
    }
}

const wzp_session_keys *wzp_session_keys_of(const wzp_session *session) {
    return &session->keys;
}

void wzp_session_nonce(uint8_t nonce[12], const uint8_t session_id[4], uint32_t seq) {
    memcpy(nonce, session_id, 4);
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
    uint8_t nonce[12];
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

static bool try_open(const wzp_session_keys *keys, wzp_bytes hdr, uint32_t seq, wzp_bytes sealed,
                     uint8_t *out) {
    uint8_t nonce[12];
    wzp_session_nonce(nonce, keys->session_id, seq);
    return crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.data, sealed.len,
                                                     hdr.data, WZP_MEDIA_HDR_LEN, nonce,
                                                     keys->key) == 0;
}

/* The stream's window, made on first use; NULL: no room or no memory. */
static wzp_replay *find_window(wzp_session *session, const wzp_media_hdr *hdr) {
    for (size_t i = 0; i < session->window_count; i++) {
        const stream_window *w = &session->windows[i];
        if (w->stream_id == hdr->stream_id && w->media_type == hdr->media_type) {
            return w->replay;
        }
    }
    if (session->window_count == WZP_SESSION_STREAMS) {
        return NULL;
    }
    wzp_replay *replay = malloc(sizeof *replay);
    if (replay != NULL) {
        wzp_replay_init(replay, wzp_replay_size_of(hdr->media_type));
        session->windows[session->window_count++] =
            (stream_window){hdr->stream_id, hdr->media_type, replay};
    }
    return replay;
}

wzp_err wzp_session_open(wzp_session *session, wzp_bytes hdr, wzp_bytes sealed, uint8_t *out,
                         wzp_time now) {
    wzp_media_hdr parsed;
    const wzp_err err = parse_hdr(&parsed, hdr);
    if (err != WZP_OK) {
        return err;
    }
    const bool opened =
        sealed.len >= WZP_TAG_LEN &&
        (try_open(&session->keys, hdr, parsed.seq, sealed, out) ||
         (now < session->previous_until &&
          try_open(&session->previous, hdr, parsed.seq, sealed, out)));
    if (!opened) {
        return WZP_ERR_DECRYPT;
    }
    session->since_rekey++;
    wzp_replay *window = find_window(session, &parsed);
    if (window == NULL || !wzp_replay_accept(window, parsed.seq)) {
        wzp_crypto_wipe(out, sealed.len - WZP_TAG_LEN);
        return window == NULL ? WZP_ERR_LIMIT : WZP_ERR_REPLAY;
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
    uint8_t digest[WZP_SHA256_LEN];
    if (crypto_scalarmult(shared, secret, peer_pub) != 0) {
        return WZP_ERR_KEY_AGREEMENT;
    }
    wzp_hkdf(fresh, sizeof fresh, wzp_bytes_of(shared, sizeof shared),
             wzp_bytes_of(keys->key, sizeof keys->key), "warzone-rekey");
    memcpy(keys->key, fresh, sizeof fresh);
    wzp_sha256(digest, wzp_bytes_of(fresh, sizeof fresh));
    memcpy(keys->session_id, digest, sizeof keys->session_id);
    wzp_crypto_wipe(shared, sizeof shared);
    wzp_crypto_wipe(fresh, sizeof fresh);
    wzp_crypto_wipe(digest, sizeof digest);
    return WZP_OK;
}

wzp_err wzp_session_rekey_complete(wzp_session *session, const uint8_t peer_pub[WZP_KEY_LEN],
                                   wzp_time now) {
    if (!session->pending) {
        return WZP_ERR_NO_PENDING_REKEY;
    }
    const wzp_session_keys old = session->keys;
    const wzp_err err = wzp_rekey_derive(&session->keys, session->pending_pair.secret, peer_pub);
    if (err != WZP_OK) {
        return err;
    }
    session->previous = old;
    session->previous_until = wzp_time_after(now, WZP_REKEY_GRACE);
    session->pending = false;
    session->since_rekey = 0;
    wzp_crypto_wipe(&session->pending_pair, sizeof session->pending_pair);
    return WZP_OK;
}
