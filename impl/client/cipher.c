#include "client/cipher.h"

enum { SEALED_MAX = 1500 };

wzp_err wzp_cipher_start(wzp_cipher *c, const wzp_session_keys *keys,
                         const uint8_t peer_identity[WZP_KEY_LEN]) {
    if (c->mode == WZP_MEDIA_CRYPTO_CLEAR) {
        return WZP_OK;
    }
    memcpy(c->peer_identity, peer_identity, WZP_KEY_LEN);
    c->epoch = 0;
    c->session = wzp_session_new(keys);
    return c->session != NULL ? WZP_OK : WZP_ERR_NOMEM;
}

void wzp_cipher_clear(wzp_cipher *c) {
    wzp_session_free(&c->session);
    wzp_crypto_wipe(c->opened, sizeof c->opened);
}

/* --- packets ---------------------------------------------------------------------------------- */

wzp_err wzp_cipher_write(wzp_cipher *c, wzp_wr *wr, const wzp_media_packet *packet) {
    uint8_t sealed[SEALED_MAX];
    const uint8_t *hdr = wr->pos;
    if (c->mode == WZP_MEDIA_CRYPTO_CLEAR) {
        wzp_media_packet_write(wr, packet);
        return wzp_wr_end(wr);
    }
    if (c->session == NULL || packet->payload.len + WZP_TAG_LEN > sizeof sealed) {
        return WZP_ERR_OVERFLOW;
    }
    wzp_media_hdr_write(wr, &packet->hdr);
    wzp_err err = wzp_wr_end(wr);
    if (err == WZP_OK) {
        err = wzp_session_seal(c->session, wzp_bytes_of(hdr, WZP_MEDIA_HDR_LEN), packet->payload,
                               sealed);
    }
    if (err != WZP_OK) {
        return err;
    }
    wzp_wr_bytes(wr, wzp_bytes_of(sealed, packet->payload.len + WZP_TAG_LEN));
    if ((packet->hdr.flags & WZP_MEDIA_QUALITY) != 0) {
        wzp_quality_report_write(wr, &packet->report); /* in clear: the relay reads it */
    }
    return wzp_wr_end(wr);
}

bool wzp_cipher_read(wzp_cipher *c, wzp_media_packet *packet, wzp_bytes datagram, wzp_time now) {
    const wzp_bytes sealed = packet->payload;
    if (c->mode == WZP_MEDIA_CRYPTO_CLEAR) {
        return true;
    }
    if (c->session == NULL || sealed.len < WZP_TAG_LEN ||
        sealed.len - WZP_TAG_LEN > sizeof c->opened) {
        c->stats.undecryptable++;
        return false;
    }
    const wzp_err err = wzp_session_open(c->session, wzp_bytes_of(datagram.data, WZP_MEDIA_HDR_LEN),
                                         sealed, c->opened, now);
    c->stats.opened += err == WZP_OK ? 1 : 0;
    c->stats.replayed += err == WZP_ERR_REPLAY ? 1 : 0;
    c->stats.forged += err == WZP_ERR_DECRYPT ? 1 : 0;
    c->stats.undecryptable += err != WZP_OK && err != WZP_ERR_REPLAY && err != WZP_ERR_DECRYPT;
    packet->payload = wzp_bytes_of(c->opened, sealed.len - WZP_TAG_LEN);
    return err == WZP_OK;
}

/* --- rekey ------------------------------------------------------------------------------------ */

bool wzp_cipher_rekey_due(const wzp_cipher *c) {
    return c->session != NULL && !c->pending && wzp_session_rekey_due(c->session);
}

void wzp_cipher_rekey_begin(wzp_cipher *c, const wzp_identity *identity, wzp_rng rng,
                            uint8_t signature[WZP_SIGNATURE_LEN], wzp_signal *out) {
    uint8_t pub[WZP_KEY_LEN];
    wzp_session_rekey_begin(c->session, rng, pub);
    wzp_rekey_sign(signature, identity, pub, wzp_session_keys_of(c->session)->session_id);
    *out = (wzp_signal){.kind = WZP_SIGNAL_REKEY,
                        .version = 1,
                        .u.Rekey.signature = {signature, WZP_SIGNATURE_LEN}};
    memcpy(out->u.Rekey.new_ephemeral_pub.bytes, pub, sizeof pub);
    c->pending = true;
}

wzp_err wzp_cipher_rekey_verify(const wzp_cipher *c, const wzp_signal_Rekey *rekey) {
    return c->session == NULL
               ? WZP_ERR_CLOSED
               : wzp_rekey_verify(wzp_bytes_of(rekey->signature.items, rekey->signature.count),
                                  c->peer_identity, rekey->new_ephemeral_pub.bytes,
                                  wzp_session_keys_of(c->session)->session_id);
}

wzp_err wzp_cipher_rekey_complete(wzp_cipher *c, const wzp_signal_Rekey *rekey, wzp_time now) {
    const wzp_err err = wzp_session_rekey_complete(c->session, rekey->new_ephemeral_pub.bytes, now);
    if (err == WZP_OK) {
        c->pending = false;
        c->epoch++;
        c->stats.rekeys++;
    }
    return err;
}
