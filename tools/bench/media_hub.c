#include "media_hub.h"

#include <stdlib.h>

/* Nine tenths of it is more than Good asks for and less than Studio32k does. */
enum { REMB_BPS = 44000 };

wzp_err media_hub_open(media_hub *hub, size_t members, wzp_rng rng, wzp_time now) {
    const uint8_t seed[WZP_KEY_LEN] = {1};
    wzp_tls_identity tls;
    *hub = (media_hub){.rng = rng, .count = members};
    wzp_identity_from_seed(&hub->identity, seed);
    hub->members = calloc(members, sizeof *hub->members);
    if (hub->members == NULL) {
        return WZP_ERR_NOMEM;
    }
    for (size_t i = 0; i < members; i++) {
        hub->members[i].cipher.mode = WZP_MEDIA_CRYPTO_RELAY_AEAD;
    }
    wzp_tls_identity_from_seed(&tls, seed);
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, sizeof tls.ed25519_seed)};
    const wzp_quic_cfg cfg = {.rng = rng, .identity = &identity, .deterministic = true};
    const wzp_err err = wzp_quic_new(&hub->quic, &cfg, now);
    wzp_tls_identity_clear(&tls);
    return err;
}

void media_hub_close(media_hub *hub) {
    for (size_t i = 0; i < hub->count && hub->members != NULL; i++) {
        wzp_cipher_clear(&hub->members[i].cipher);
    }
    wzp_quic_free(&hub->quic);
    free(hub->members);
    *hub = (media_hub){.count = 0};
}

static media_hub_member *peer_of(const media_hub *hub, const media_hub_member *m) {
    return &hub->members[(size_t)(m - hub->members) ^ 1];
}

/* --- signals ---------------------------------------------------------------------------------- */

static bool seat(media_hub *hub, const wzp_quic_event *ev) {
    const size_t prefix = strlen(MEDIA_HUB_ROOM);
    const size_t room = strlen(ev->sni) > prefix ? strtoul(ev->sni + prefix, NULL, 10) : SIZE_MAX;
    if (room >= hub->count / 2) {
        return false;
    }
    media_hub_member *m = &hub->members[2 * room];
    m += m->conn != 0 ? 1 : 0;
    m->conn = ev->conn;
    wzp_quic_set_app(hub->quic, ev->conn, m);
    return true;
}

static bool say(const media_hub *hub, const media_hub_member *m, const wzp_signal *signal) {
    size_t len = 0;
    char *json = NULL;
    const bool done =
        wzp_signal_to_json(&json, &len, signal) == WZP_OK &&
        wzp_quic_send_signal(hub->quic, m->conn, wzp_bytes_of(json, len), NULL) == WZP_OK;
    free(json);
    return done;
}

static bool answer(const media_hub *hub, media_hub_member *m, const wzp_signal_CallOffer *offer) {
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_ephemeral own;
    wzp_session_keys keys;
    wzp_ephemeral_new(&own, hub->rng);
    if (wzp_handshake_derive(&keys, &own, offer->ephemeral_pub.bytes) != WZP_OK ||
        wzp_cipher_start(&m->cipher, &keys, offer->identity_pub.bytes) != WZP_OK) {
        return false;
    }
    m->has_key = true;
    wzp_handshake_sign(signature, &hub->identity, WZP_ROLE_ANSWER, own.pub);
    wzp_signal reply = {.kind = WZP_SIGNAL_CALL_ANSWER,
                        .version = 1,
                        .u.CallAnswer = {.signature = {signature, sizeof signature},
                                         .chosen_profile = wzp_profile_good}};
    memcpy(reply.u.CallAnswer.identity_pub.bytes, hub->identity.ed25519_pub, WZP_KEY_LEN);
    memcpy(reply.u.CallAnswer.ephemeral_pub.bytes, own.pub, WZP_KEY_LEN);
    return say(hub, m, &reply);
}

/* Both are here: they may begin to speak. */
static bool begin(const media_hub *hub, const media_hub_member *m) {
    const wzp_signal list = {
        .kind = WZP_SIGNAL_ROOM_UPDATE, .version = 1, .u.RoomUpdate = {.count = 2}};
    const wzp_signal room_for = {.kind = WZP_SIGNAL_TRANSPORT_FEEDBACK,
                                 .version = 1,
                                 .u.TransportFeedback = {.remb_bps = REMB_BPS}};
    const media_hub_member *both[] = {m, peer_of(hub, m)};
    bool done = true;
    for (size_t i = 0; i < WZP_COUNT_OF(both); i++) {
        done = done && say(hub, both[i], &list) && say(hub, both[i], &room_for);
    }
    return done;
}

static bool on_signal(const media_hub *hub, media_hub_member *m, wzp_bytes json) {
    wzp_signal *signal = NULL;
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK) {
        return false;
    }
    const bool is_offer = signal->kind == WZP_SIGNAL_CALL_OFFER;
    const bool done = is_offer && answer(hub, m, &signal->u.CallOffer);
    wzp_signal_free(&signal);
    return done && (!peer_of(hub, m)->has_key || begin(hub, m));
}

/* --- media ------------------------------------------------------------------------------------ */

static bool carry(media_hub *hub, media_hub_member *from, wzp_bytes datagram, wzp_time now) {
    uint8_t buf[1500];
    wzp_media_packet packet;
    wzp_wr wr;
    media_hub_member *to = peer_of(hub, from);
    wzp_wr_init(&wr, buf, sizeof buf);
    if (wzp_media_packet_parse(&packet, datagram, NULL) != WZP_OK ||
        !wzp_cipher_read(&from->cipher, &packet, datagram, now) ||
        wzp_cipher_write(&to->cipher, &wr, &packet) != WZP_OK) {
        return false;
    }
    hub->carried++;
    return wzp_quic_send_datagram(hub->quic, to->conn, wzp_bytes_of(buf, wzp_wr_len(&wr))) ==
           WZP_OK;
}

bool media_hub_drain(media_hub *hub, wzp_time now) {
    wzp_quic_event ev;
    while (wzp_quic_next_event(hub->quic, &ev)) {
        media_hub_member *m = wzp_quic_app(hub->quic, ev.conn);
        const bool done = ev.kind == WZP_QUIC_CONNECTED  ? seat(hub, &ev)
                          : ev.kind == WZP_QUIC_SIGNAL   ? on_signal(hub, m, ev.body)
                          : ev.kind == WZP_QUIC_DATAGRAM ? carry(hub, m, ev.body, now)
                                                         : ev.kind == WZP_QUIC_SIGNAL_ACKED;
        if (!done) {
            return false;
        }
    }
    return true;
}
