/* Test helper: the CallOffer of the simplest client.  Header-only, so that benches have it too. */
#ifndef WZP_RELAY_TESTING_OFFER_H
#define WZP_RELAY_TESTING_OFFER_H

#include <string.h>

#include "crypto/handshake.h"
#include "wire/signal.h"

#define OFFER_MAX 4096

/* Returns the JSON's length, 0 if `cap` is too small.  `alias` NULL: none. */
static inline size_t offer_write(uint8_t *json, size_t cap, const wzp_identity *identity,
                                 const char *alias, wzp_rng rng) {
    static const uint8_t versions[] = {WZP_PROTOCOL_VERSION};
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_ephemeral own;
    wzp_wr wr;
    wzp_ephemeral_new(&own, rng);
    wzp_handshake_sign(signature, identity, WZP_ROLE_OFFER, own.pub);
    wzp_signal offer = {
        .kind = WZP_SIGNAL_CALL_OFFER,
        .version = 1,
        .u.CallOffer = {.signature = {signature, sizeof signature},
                        .supported_profiles = {&wzp_profile_good, 1},
                        .alias = {alias != NULL, wzp_bytes_str(alias != NULL ? alias : "")},
                        .protocol_version = WZP_PROTOCOL_VERSION,
                        .supported_versions = {versions, 1}}};
    memcpy(offer.u.CallOffer.identity_pub.bytes, identity->ed25519_pub, WZP_KEY_LEN);
    memcpy(offer.u.CallOffer.ephemeral_pub.bytes, own.pub, WZP_KEY_LEN);
    wzp_wr_init(&wr, json, cap);
    wzp_signal_write(&wr, &offer);
    return wzp_wr_end(&wr) == WZP_OK ? wzp_wr_len(&wr) : 0;
}

#endif
