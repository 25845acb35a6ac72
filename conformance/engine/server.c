#include "conformance/engine/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLD_KEY (2 * WZP_S) /* packets that were on their way */
#define UNSTEADY (10 * WZP_MS)
#define POOR (100 * WZP_MS) /* tiers begin to fall there (media sheet 4.2) */
enum { SEQ_JUMP = 1000, TS_JUMP = 60000 };

bool wzp_ct_server_init(wzp_ct_server *s, wzp_quic *quic, wzp_rng rng, const char *room) {
    uint8_t seed[WZP_KEY_LEN];
    *s = (wzp_ct_server){.quic = quic,
                         .rng = rng,
                         .room = room,
                         .wrong = "",
                         .joined_at = WZP_TIME_NEVER,
                         .closed_at = WZP_TIME_NEVER};
    wzp_rng_fill(rng, seed, sizeof seed);
    wzp_identity_from_seed(&s->identity, seed);
    return wzp_ct_heard_init(&s->audio);
}

void wzp_ct_server_clear(wzp_ct_server *s) {
    wzp_identity_clear(&s->identity);
    wzp_crypto_wipe(&s->ephemeral, sizeof s->ephemeral);
    wzp_crypto_wipe(&s->fresh, sizeof s->fresh);
    wzp_crypto_wipe(&s->key, sizeof s->key);
    wzp_crypto_wipe(&s->old_key, sizeof s->old_key);
    wzp_ct_heard_clear(&s->audio);
}

/* --- saying ----------------------------------------------------------------------------------- */

bool wzp_ct_server_say(wzp_ct_server *s, const char *json) {
    s->watched_came = false;
    return wzp_quic_send_signal(s->quic, s->conn, wzp_bytes_str(json), &s->watched) == WZP_OK;
}

bool wzp_ct_server_tell(wzp_ct_server *s, const wzp_signal *signal) {
    size_t len = 0;
    char *json = NULL;
    if (wzp_signal_to_json(&json, &len, signal) != WZP_OK) {
        return false;
    }
    s->watched_came = false;
    const bool sent =
        wzp_quic_send_signal(s->quic, s->conn, wzp_bytes_of(json, len), &s->watched) == WZP_OK;
    free(json);
    return sent;
}

bool wzp_ct_server_list(wzp_ct_server *s, uint32_t others) {
    enum { MOST = 8 };
    wzp_room_participant list[MOST + 1] = {0};
    char prints[MOST + 1][WZP_FINGERPRINT_TEXT + 1];
    others = others < MOST ? others : MOST;
    for (uint32_t i = 0; i <= others; i++) {
        const uint8_t stranger[WZP_KEY_LEN] = {(uint8_t)i};
        wzp_fingerprint_text(prints[i], i == others ? s->client_identity : stranger);
        list[i].fingerprint = wzp_bytes_str(prints[i]);
    }
    return wzp_ct_server_tell(
        s,
        &(wzp_signal){.kind = WZP_SIGNAL_ROOM_UPDATE,
                      .version = 1,
                      .u.RoomUpdate = {.count = others + 1, .participants = {list, others + 1}}});
}

static bool tell_half(wzp_ct_server *s) {
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_ephemeral_new(&s->fresh, s->rng);
    wzp_rekey_sign(signature, &s->identity, s->fresh.pub, s->key.id);
    wzp_signal rekey = {
        .kind = WZP_SIGNAL_REKEY, .version = 1, .u.Rekey.signature = {signature, sizeof signature}};
    memcpy(rekey.u.Rekey.new_ephemeral_pub.bytes, s->fresh.pub, WZP_KEY_LEN);
    s->rekeying = true;
    return wzp_ct_server_tell(s, &rekey);
}

bool wzp_ct_server_rekey(wzp_ct_server *s) {
    return s->rekeying || tell_half(s);
}

/* --- the handshake ---------------------------------------------------------------------------- */

static void answer(wzp_ct_server *s, const wzp_signal_CallOffer *offer) {
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_handshake_sign(signature, &s->identity, WZP_ROLE_ANSWER, s->ephemeral.pub);
    wzp_signal reply = {.kind = WZP_SIGNAL_CALL_ANSWER,
                        .version = 1,
                        .u.CallAnswer = {.signature = {signature, sizeof signature},
                                         .chosen_profile = wzp_profile_good}};
    memcpy(reply.u.CallAnswer.identity_pub.bytes, s->identity.ed25519_pub, WZP_KEY_LEN);
    memcpy(reply.u.CallAnswer.ephemeral_pub.bytes, s->ephemeral.pub, WZP_KEY_LEN);
    if (offer->video_codecs.count > 0) {
        reply.u.CallAnswer.video_codec = (wzp_opt_u8){true, offer->video_codecs.items[0]};
    }
    (void)wzp_ct_server_tell(s, &reply);
}

static void on_offer(wzp_ct_server *s, const wzp_signal_CallOffer *offer, wzp_time now) {
    wzp_ephemeral_new(&s->ephemeral, s->rng);
    if (offer->protocol_version != WZP_PROTOCOL_VERSION) {
        s->wrong = "its offer names another protocol version";
    } else if (wzp_handshake_verify(wzp_bytes_of(offer->signature.items, offer->signature.count),
                                    offer->identity_pub.bytes, WZP_ROLE_OFFER,
                                    offer->ephemeral_pub.bytes) != WZP_OK) {
        s->wrong = "its offer is not signed with its key";
    } else if (!wzp_ct_media_key_first(&s->key, &s->ephemeral, offer->ephemeral_pub.bytes)) {
        s->wrong = "its offer has no usable key";
    }
    if (s->wrong[0] != '\0') {
        s->state = WZP_CT_SERVER_REFUSED;
        wzp_quic_close(s->quic, s->conn, 0, "normal close", now);
        return;
    }
    memcpy(s->client_identity, offer->identity_pub.bytes, WZP_KEY_LEN);
    s->offers_video = offer->video_codecs.count > 0;
    for (size_t i = 0; i < offer->supported_profiles.count; i++) {
        s->offers_codec2 |= offer->supported_profiles.items[i].codec == WZP_CODEC_CODEC2_1200;
    }
    answer(s, offer);
    (void)wzp_ct_server_list(s, 1);
    s->state = WZP_CT_SERVER_IN_ROOM;
    s->joined_at = now;
}

/* What comes from now on is newer than what has come. */
static void mark_rekey(wzp_ct_incoming *m) {
    for (size_t i = 0; i < WZP_CT_MEDIA_ROWS; i++) {
        m->rows[i].rekeyed = m->rows[i].used;
        m->rows[i].old_seq = m->rows[i].key_seq;
    }
    memset(m->seen, 0, sizeof m->seen);
}

static void on_rekey(wzp_ct_server *s, const wzp_signal_Rekey *rekey, wzp_time now) {
    const wzp_ct_media_key old = s->key;
    const wzp_bytes signature = wzp_bytes_of(rekey->signature.items, rekey->signature.count);
    if (wzp_rekey_verify(signature, s->client_identity, rekey->new_ephemeral_pub.bytes,
                         s->key.id) != WZP_OK ||
        (!s->rekeying && !tell_half(s)) ||
        !wzp_ct_media_key_next(&s->key, &s->fresh, rekey->new_ephemeral_pub.bytes)) {
        s->bad_rekeys++;
        return;
    }
    s->rekeying = false;
    s->old_key = old;
    s->old_key_until = wzp_time_after(now, OLD_KEY);
    s->rekeyed_at = now;
    s->since_rekey = 0;
    s->rekeys++;
    mark_rekey(&s->media);
}

static void keep_response(wzp_ct_server *s, const wzp_signal_UpgradeResponse *in) {
    s->response.accepted = in->accepted;
    (void)snprintf(s->response.call_id, sizeof s->response.call_id, "%.*s", (int)in->call_id.len,
                   (const char *)in->call_id.data);
    (void)snprintf(s->response.proposal_id, sizeof s->response.proposal_id, "%.*s",
                   (int)in->proposal_id.len, (const char *)in->proposal_id.data);
}

static void on_signal(wzp_ct_server *s, wzp_bytes json, wzp_time now, wzp_evidence *evidence) {
    char text[224];
    wzp_signal *signal = NULL;
    (void)snprintf(text, sizeof text, "%.*s", (int)(json.len < 200 ? json.len : 200),
                   (const char *)json.data);
    wzp_evidence_event(evidence, now, "client", "signal", text);
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK) {
        s->unreadable++;
        return;
    }
    s->heard[signal->kind]++;
    if (signal->kind == WZP_SIGNAL_CALL_OFFER && s->state == WZP_CT_SERVER_CONNECTED) {
        on_offer(s, &signal->u.CallOffer, now);
    } else if (signal->kind == WZP_SIGNAL_REKEY && s->state == WZP_CT_SERVER_IN_ROOM) {
        on_rekey(s, &signal->u.Rekey, now);
    }
    if (signal->kind == WZP_SIGNAL_UPGRADE_RESPONSE) {
        keep_response(s, &signal->u.UpgradeResponse);
    }
    wzp_signal_free(&signal);
}

/* --- media that come -------------------------------------------------------------------------- */

typedef enum opening { OPENS, OPENS_OLD, OPENS_NOT } opening;

enum { OPENED_MAX = 2048 };

/* With the key that fits, `out` gets the payload. */
static opening try_keys(const wzp_ct_server *s, const wzp_media_packet *packet, const uint8_t *hdr,
                        uint8_t out[OPENED_MAX], wzp_time now) {
    const wzp_bytes sealed = packet->payload;
    out = sealed.len <= OPENED_MAX ? out : NULL;
    return wzp_ct_media_key_open(&s->key, hdr, sealed, out) ? OPENS
           : now < s->old_key_until && wzp_ct_media_key_open(&s->old_key, hdr, sealed, out)
               ? OPENS_OLD
               : OPENS_NOT;
}

static wzp_ct_media_row *row_of(wzp_ct_incoming *m, const wzp_media_hdr *hdr) {
    size_t i = 0;
    while (i + 1 < WZP_CT_MEDIA_ROWS && m->rows[i].used &&
           (m->rows[i].type != hdr->media_type || m->rows[i].stream != hdr->stream_id)) {
        i++;
    }
    return &m->rows[i];
}

static bool is_within(int32_t step, int32_t most) {
    return step >= -most && step <= most;
}

/* Overtaken packets are no break; a number that was used before the rekey is, and a timestamp that
 * goes another way than the numbers. */
static void follow(wzp_ct_incoming *m, const wzp_media_hdr *hdr, opening how) {
    wzp_ct_media_row *row = row_of(m, hdr);
    const bool is_first = !row->used;
    const int32_t seq = is_first ? 0 : (int32_t)(hdr->seq - row->seq);
    const int32_t ts = is_first ? 0 : (int32_t)(hdr->timestamp_ms - row->ts);
    const bool is_again = row->rekeyed && how == OPENS && !wzp_seq_newer(hdr->seq, row->old_seq);
    const bool jumps = !is_within(seq, SEQ_JUMP);
    m->seq_breaks += jumps || is_again ? 1 : 0;
    m->ts_breaks += !is_within(ts, TS_JUMP) || (seq > 0 && ts < 0) || (seq < 0 && ts > 0);
    m->late += seq < 0 && !jumps && !is_again ? 1 : 0;
    if (how == OPENS_OLD && wzp_seq_newer(hdr->seq, row->old_seq)) {
        row->old_seq = hdr->seq;
    }
    if (how == OPENS && (is_first || wzp_seq_newer(hdr->seq, row->key_seq))) {
        row->key_seq = hdr->seq;
    }
    if (is_first || seq > 0 || jumps) {
        row->seq = hdr->seq;
        row->ts = hdr->timestamp_ms;
    }
    row->used = true;
    row->type = hdr->media_type;
    row->stream = hdr->stream_id;
}

static void note(wzp_ct_incoming *m, const wzp_media_hdr *hdr) {
    const size_t at = (hdr->seq + hdr->stream_id * 1021U + hdr->media_type * 2039U) % WZP_CT_SEEN;
    if (m->seen[at].used && m->seen[at].seq == hdr->seq && m->seen[at].type == hdr->media_type &&
        m->seen[at].stream == hdr->stream_id) {
        m->repeated++;
    }
    m->seen[at].used = true;
    m->seen[at].seq = hdr->seq;
    m->seen[at].type = hdr->media_type;
    m->seen[at].stream = hdr->stream_id;
}

static void hear(wzp_ct_server *s, const wzp_media_packet *packet, opening how,
                 const uint8_t opened[OPENED_MAX], wzp_time now) {
    const wzp_bytes payload = packet->payload;
    const bool sealed = how != OPENS_NOT && payload.len <= OPENED_MAX;
    if (packet->hdr.media_type == WZP_MEDIA_AUDIO) {
        wzp_ct_heard_push(&s->audio, packet, sealed,
                          sealed ? wzp_bytes_of(opened, payload.len - WZP_CT_TAG) : payload, now);
    }
}

static void on_media(wzp_ct_server *s, wzp_bytes datagram, wzp_time now) {
    wzp_ct_incoming *m = &s->media;
    wzp_media_packet packet;
    uint8_t opened[OPENED_MAX];
    if (wzp_media_packet_parse(&packet, datagram, NULL) != WZP_OK) {
        m->malformed++;
        wzp_ct_heard_strange(&s->audio, datagram);
        return;
    }
    m->packets++;
    const opening how = try_keys(s, &packet, datagram.data, opened, now);
    m->sealed += how != OPENS_NOT ? 1 : 0;
    m->old += how == OPENS_OLD ? 1 : 0;
    m->clear += how == OPENS_NOT ? 1 : 0;
    s->since_rekey += how != OPENS_NOT ? 1 : 0;
    m->seq = packet.hdr.seq;
    m->last_at = now;
    m->last_old_at = how == OPENS_OLD ? now : m->last_old_at;
    follow(m, &packet.hdr, how);
    if (how != OPENS_OLD) {
        note(m, &packet.hdr);
    }
    hear(s, &packet, how, opened, now);
}

/* --- events ----------------------------------------------------------------------------------- */

/* What a client may do before it joins. */
static bool is_errand(const char *sni) {
    return strcmp(sni, "ping") == 0 || strcmp(sni, "version") == 0 || strcmp(sni, "_signal") == 0;
}

static void on_connected(wzp_ct_server *s, const wzp_quic_event *ev, wzp_time now) {
    if (strcmp(ev->sni, s->room) != 0) {
        s->elsewhere += is_errand(ev->sni) ? 0 : 1;
        wzp_quic_close(s->quic, ev->conn, 0, "normal close", now);
        return;
    }
    s->connections++;
    if (s->state != WZP_CT_SERVER_WAITS && s->state != WZP_CT_SERVER_GONE) {
        wzp_quic_close(s->quic, ev->conn, 0, "normal close", now);
        return;
    }
    s->conn = ev->conn;
    s->state = WZP_CT_SERVER_CONNECTED;
}

static void on_closed(wzp_ct_server *s, const wzp_quic_event *ev, wzp_time now) {
    s->close = ev->close;
    s->closed_at = now;
    if (s->state != WZP_CT_SERVER_REFUSED) {
        s->state = WZP_CT_SERVER_GONE;
    }
}

void wzp_ct_server_event(wzp_ct_server *s, const wzp_quic_event *ev, wzp_time now,
                         wzp_evidence *evidence) {
    if (ev->kind == WZP_QUIC_CONNECTED) {
        wzp_evidence_event(evidence, now, "client", "connected", ev->sni);
        on_connected(s, ev, now);
    } else if (ev->conn != s->conn) {
        return;
    } else if (ev->kind == WZP_QUIC_SIGNAL) {
        on_signal(s, ev->body, now, evidence);
    } else if (ev->kind == WZP_QUIC_SIGNAL_BAD) {
        s->unreadable++;
    } else if (ev->kind == WZP_QUIC_SIGNAL_ACKED) {
        if (ev->stream == s->watched && !s->watched_came) {
            s->watched_came = true;
            s->watched_at = now;
        }
    } else if (ev->kind == WZP_QUIC_DATAGRAM) {
        on_media(s, ev->body, now);
    } else if (ev->kind == WZP_QUIC_CLOSED) {
        wzp_evidence_event(evidence, now, "client", "closed", wzp_quic_close_text(&ev->close));
        on_closed(s, ev, now);
    }
}

/* --- media that go ---------------------------------------------------------------------------- */

bool wzp_ct_server_send(wzp_ct_server *s, const wzp_ct_outgoing *p) {
    static const wzp_quality_report good = {.rtt_4ms = 5, .bitrate_cap_kbps = 200};
    uint8_t payload[WZP_CT_DATAGRAM];
    uint8_t datagram[WZP_CT_DATAGRAM + WZP_MEDIA_HDR_LEN + WZP_CT_TAG + WZP_QUALITY_REPORT_LEN];
    wzp_prng prng;
    wzp_wr wr;
    wzp_wr_init(&wr, datagram, sizeof datagram);
    wzp_media_hdr_write(&wr, &p->hdr);
    wzp_prng_init(&prng, p->seed + p->hdr.seq, "media");
    wzp_rng_fill(wzp_prng_rng(&prng), payload, p->payload);
    const wzp_bytes clear = p->bytes.data != NULL ? p->bytes : wzp_bytes_of(payload, p->payload);
    if (s->seals) {
        wzp_ct_media_key_seal(&s->key, datagram, clear, wr.pos);
        wr.pos += clear.len + WZP_CT_TAG;
    } else {
        wzp_wr_bytes(&wr, clear);
    }
    if ((p->hdr.flags & WZP_MEDIA_QUALITY) != 0) {
        wzp_quality_report_write(&wr, p->report != NULL ? p->report : &good);
    }
    const size_t len = wzp_wr_len(&wr);
    if (p->flip != 0) {
        const size_t bit = p->flip_tail ? len * 8 - p->flip : p->flip - 1;
        datagram[bit / 8] ^= (uint8_t)(0x80U >> bit % 8);
    }
    s->since_rekey++;
    return wzp_ct_server_send_raw(s, wzp_bytes_of(datagram, len));
}

bool wzp_ct_server_send_raw(wzp_ct_server *s, wzp_bytes datagram) {
    return wzp_quic_send_datagram(s->quic, s->conn, datagram) == WZP_OK;
}

uint64_t wzp_ct_server_lost(const wzp_ct_server *s) {
    wzp_quic_stats stats;
    return wzp_quic_conn_stats(s->quic, s->conn, &stats)
               ? stats.datagrams_lost + stats.datagrams_dropped_queue + stats.datagrams_expired
               : 0;
}

static bool loses(const wzp_ct_server *s, const wzp_quic_stats *stats) {
    return wzp_ct_server_lost(s) + stats->packets_lost + s->media.late > 0;
}

bool wzp_ct_server_path_is_bad(const wzp_ct_server *s) {
    wzp_quic_stats stats = {0};
    (void)wzp_quic_conn_stats(s->quic, s->conn, &stats);
    return loses(s, &stats) || stats.smoothed_rtt > 2 * stats.min_rtt + UNSTEADY;
}

bool wzp_ct_server_path_is_poor(const wzp_ct_server *s) {
    wzp_quic_stats stats = {0};
    (void)wzp_quic_conn_stats(s->quic, s->conn, &stats);
    return loses(s, &stats) || stats.smoothed_rtt > POOR;
}
