/* The key between the client under test and the relay that the testers play.  The AEAD and the
 * rekey of crypto sheet 6 and 8 once more, so that the client is not measured by its own code: only
 * primitives are shared.  No replay window: a tester wants to see what comes. */
#ifndef WZP_CONFORMANCE_ENGINE_MEDIA_KEY_H
#define WZP_CONFORMANCE_ENGINE_MEDIA_KEY_H

#include "crypto/handshake.h"

enum { WZP_CT_TAG = 16 };

typedef struct wzp_ct_media_key {
    uint8_t key[32], id[4];
} wzp_ct_media_key;

/* From the shared secret of the handshake.  False: it is no secret. */
bool wzp_ct_media_key_first(wzp_ct_media_key *out, const wzp_ephemeral *own,
                            const uint8_t peer[WZP_KEY_LEN]);
/* The next one, by both fresh halves.  False: as above, and *key stays. */
bool wzp_ct_media_key_next(wzp_ct_media_key *key, const wzp_ephemeral *own,
                           const uint8_t peer[WZP_KEY_LEN]);

/* `hdr` are the 16 bytes on the wire; `out` has room for payload.len + WZP_CT_TAG. */
void wzp_ct_media_key_seal(const wzp_ct_media_key *key, const uint8_t hdr[16], wzp_bytes payload,
                           uint8_t *out);
/* Whether the tag is right; then `out` gets what is sealed, sealed.len - WZP_CT_TAG bytes, unless
 * it is NULL. */
bool wzp_ct_media_key_open(const wzp_ct_media_key *key, const uint8_t hdr[16], wzp_bytes sealed,
                           uint8_t *out);

#endif
