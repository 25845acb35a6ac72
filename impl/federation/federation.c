/* The object: its life, its outputs, signals of links, and the path of media. */
#include "federation/federation.h"

#include <stdio.h>
#include <stdlib.h>

#include "federation/internal.h"

#define SWEEP WZP_S

/* --- life ------------------------------------------------------------------------------------- */

static wzp_err build(wzp_federation *fed, const wzp_federation_cfg *cfg, wzp_time now) {
    const uint32_t cap = cfg->dedup_cap != 0 ? cfg->dedup_cap : WZP_FED_DEDUP_CAP;
    if (strlen(cfg->fingerprint) > WZP_FED_KEY_MAX ||
        !wzp_fed_key(fed->key, wzp_bytes_str(cfg->fingerprint))) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    (void)snprintf(fed->fingerprint, sizeof fed->fingerprint, "%s", cfg->fingerprint);
    fed->id = wzp_fed_key_id(fed->key);
    wzp_err err = wzp_fed_dedup_init(&fed->dedup, cap, WZP_FED_DEDUP, cfg->rng);
    err = err == WZP_OK ? wzp_fed_peers_init(fed, cfg, now) : err;
    return err == WZP_OK ? wzp_fed_rooms_init(fed, cfg) : err;
}

wzp_err wzp_federation_new(wzp_federation **out, const wzp_federation_cfg *cfg, wzp_time now) {
    wzp_federation *fed = calloc(1, sizeof *fed);
    if (fed == NULL) {
        return WZP_ERR_NOMEM;
    }
    fed->pending_tail = &fed->pending;
    fed->changed_tail = &fed->changed;
    fed->tail = &fed->first;
    fed->pending_at = WZP_TIME_NEVER;
    fed->sweep_at = wzp_time_after(now, SWEEP);
    fed->pin_required = cfg->pin_required;
    fed->room_pps = cfg->room_pps != 0 ? cfg->room_pps : WZP_FED_ROOM_PPS;
    fed->peer_pps = cfg->peer_pps != 0 ? cfg->peer_pps : WZP_FED_PEER_PPS;
    fed->peer_bytes = cfg->peer_bytes != 0 ? cfg->peer_bytes : WZP_FED_PEER_BYTES;
    fed->bucket_key = wzp_rng_u64(cfg->rng);
    const wzp_err err = build(fed, cfg, now);
    if (err != WZP_OK) {
        wzp_federation_free(&fed);
        return err;
    }
    *out = fed;
    return WZP_OK;
}

void wzp_federation_free(wzp_federation **fed_at) {
    wzp_federation *fed = *fed_at;
    if (fed == NULL) {
        return;
    }
    wzp_fed_rooms_clear(fed);
    wzp_fed_peers_clear(fed);
    wzp_fed_dedup_clear(&fed->dedup);
    while (fed->first != NULL) {
        queued *next = fed->first->next;
        free(fed->first);
        fed->first = next;
    }
    free(fed->lent);
    free(fed);
    *fed_at = NULL;
}

void wzp_federation_tick(wzp_federation *fed, wzp_time now) {
    wzp_fed_peers_tick(fed, now);
    if (fed->sweep_at <= now) {
        fed->sweep_at = wzp_time_after(now, SWEEP);
        wzp_fed_lists_sweep(fed, now);
    }
    wzp_fed_announce_tick(fed, now);
}

wzp_time wzp_federation_deadline(const wzp_federation *fed) {
    if (fed->first != NULL || fed->changed != NULL) {
        return 0;
    }
    const wzp_time first = wzp_time_min(fed->pending_at, fed->sweep_at);
    return wzp_time_min(first, wzp_fed_peers_deadline(fed));
}

/* --- outputs ---------------------------------------------------------------------------------- */

static void queue(wzp_federation *fed, queued *q, const wzp_fed_output *out) {
    q->out = *out;
    q->next = NULL;
    *fed->tail = q;
    fed->tail = &q->next;
}

void wzp_fed_push(wzp_federation *fed, const wzp_fed_output *out) {
    queued *q = malloc(sizeof *q);
    if (q != NULL) {
        queue(fed, q, out);
    }
}

/* Grows until it fits; a list that is longer than a signal may be is not sent. */
bool wzp_fed_send(wzp_federation *fed, uint64_t conn, const wzp_signal *signal) {
    const size_t limit = 1048576;
    size_t cap = 2048;
    if (signal->kind == WZP_SIGNAL_GLOBAL_ROOM_ACTIVE) {
        cap += 256 * signal->u.GlobalRoomActive.participants.count;
    }
    for (; cap <= 4 * limit; cap *= 2) {
        queued *q = malloc(sizeof *q + cap);
        if (q == NULL) {
            return false;
        }
        wzp_wr wr;
        wzp_wr_init(&wr, q->json, cap);
        wzp_signal_write(&wr, signal);
        if (wzp_wr_end(&wr) == WZP_OK && wzp_wr_len(&wr) <= limit) {
            queue(fed, q,
                  &(wzp_fed_output){.kind = WZP_FED_SEND,
                                    .conn = conn,
                                    .json = wzp_bytes_of(q->json, wzp_wr_len(&wr))});
            return true;
        }
        free(q);
    }
    fed->counters.lists_cut++;
    return false;
}

bool wzp_federation_next(wzp_federation *fed, wzp_fed_output *out) {
    free(fed->lent);
    fed->lent = NULL;
    if (fed->first != NULL) {
        queued *q = fed->first;
        fed->first = q->next;
        fed->tail = fed->first != NULL ? fed->tail : &fed->first;
        fed->lent = q;
        *out = q->out;
        return true;
    }
    wzp_fed_room *room = fed->changed;
    if (room == NULL) {
        return false;
    }
    fed->changed = room->changed_next;
    fed->changed_tail = fed->changed != NULL ? fed->changed_tail : &fed->changed;
    room->is_changed = false;
    *out = (wzp_fed_output){.kind = WZP_FED_ROOM, .room = room};
    return true;
}

/* --- signals ---------------------------------------------------------------------------------- */

/* Answers go to the peer that sent the envelope: its link is what we know of it, whatever its
 * operator or the peer itself calls it. */
static const wzp_signal *open_envelope(wzp_federation *fed, const wzp_fed_link *link,
                                       const wzp_signal_FederatedSignalForward *envelope) {
    char key[WZP_FED_KEY_MAX + 1];
    const bool is_key = wzp_fed_key(key, envelope->origin_relay_fp);
    if (is_key && strcmp(key, fed->key) == 0) {
        fed->counters.envelopes_own++;
        return NULL;
    }
    if (!is_key || strcmp(key, fed->peers[link->peer].key) != 0) {
        fed->counters.envelopes_foreign++;
    }
    return envelope->inner.signal;
}

const wzp_signal *wzp_federation_signal(wzp_federation *fed, wzp_fed_link *link,
                                        const wzp_signal *signal, wzp_time now) {
    const wzp_signal_GlobalRoomActive *active = &signal->u.GlobalRoomActive;
    const wzp_signal_GlobalRoomInactive *inactive = &signal->u.GlobalRoomInactive;
    fed->peers[link->peer].last_seen = now;
    switch (signal->kind) {
    case WZP_SIGNAL_GLOBAL_ROOM_ACTIVE:
        wzp_fed_on_active(fed, link->peer, active->room, active->participants, active->origins,
                          now);
        return NULL;
    case WZP_SIGNAL_GLOBAL_ROOM_INACTIVE:
        wzp_fed_on_active(fed, link->peer, inactive->room, (wzp_list_participant){0},
                          inactive->origins, now);
        return NULL;
    case WZP_SIGNAL_FEDERATED_SIGNAL_FORWARD:
        return open_envelope(fed, link, &signal->u.FederatedSignalForward);
    default:
        fed->counters.signals_ignored++;
        return NULL;
    }
}

size_t wzp_federation_forward(wzp_federation *fed, uint32_t to, const wzp_signal *inner) {
    const wzp_signal envelope = {
        .kind = WZP_SIGNAL_FEDERATED_SIGNAL_FORWARD,
        .version = 1,
        .u.FederatedSignalForward = {.inner = {inner},
                                     .origin_relay_fp = wzp_bytes_str(fed->fingerprint)}};
    size_t sent = 0;
    for (size_t i = 0; i < fed->target_count; i++) {
        if (to == WZP_FED_NO_PEER || to == fed->targets[i].peer) {
            sent += wzp_fed_send(fed, fed->targets[i].conn, &envelope) ? 1 : 0;
        }
    }
    return sent;
}

/* --- media ------------------------------------------------------------------------------------ */

/* As deployed windows begin with the first packet after the end of the one before. */
static bool begins(wzp_time *window_start, wzp_time now) {
    if (*window_start != 0 && wzp_time_since(now, *window_start) < WZP_S) {
        return false;
    }
    *window_start = now;
    return true;
}

/* Before anything is read, duplicates and nonsense included: what it may cost at all. */
static bool exceeds_peer_rate(const wzp_federation *fed, peer *from, size_t bytes, wzp_time now) {
    if (begins(&from->window_start, now)) {
        from->window_count = from->window_bytes = 0;
    }
    if (from->window_count >= fed->peer_pps || bytes > fed->peer_bytes - from->window_bytes) {
        return true;
    }
    from->window_count++;
    from->window_bytes += (uint32_t)bytes;
    return false;
}

static uint32_t senders_of(const wzp_fed_room *room) {
    size_t known = 0;
    for (const origin *o = room->origins; o != NULL; o = o->next) {
        known += o->members->count;
    }
    return (uint32_t)known + WZP_FED_UNTOLD;
}

/* Each peer has its own share of each room, so that none takes another's.  Who is there is counted
 * once a second. */
static bool exceeds_rate(const wzp_federation *fed, const wzp_fed_room *room, inlet *in,
                         wzp_time now) {
    const bool is_first = in->window_start == 0;
    if (begins(&in->window_start, now)) {
        in->window_count = 0;
        in->senders = senders_of(room);
        if (is_first) {
            wzp_crowd_init(&in->crowd, now);
        }
    }
    if (in->window_count >= fed->room_pps) {
        return true;
    }
    in->window_count++;
    return false;
}

/* Nobody knows whose a packet is; of all who might be there it is too much. */
static bool is_excess(const wzp_federation *fed, inlet *in, const wzp_media_packet *packet,
                      wzp_time now) {
    return fed->metering != WZP_FED_METER_OFF &&
           wzp_crowd_take(&in->crowd, in->senders, &packet->hdr, packet->payload.len, now) !=
               WZP_VIOLATION_NONE;
}

void wzp_federation_meter(wzp_federation *fed, wzp_fed_metering metering) {
    fed->metering = metering;
}

/* Neither a duplicate nor what is over the rate uses up what others need: only what is delivered
 * counts and is remembered. */
static wzp_fed_verdict judge(wzp_federation *fed, uint32_t index, wzp_bytes datagram, wzp_time now,
                             wzp_fed_packet *out) {
    peer *from = &fed->peers[index];
    if (exceeds_peer_rate(fed, from, datagram.len, now)) {
        from->over_rate++;
        return WZP_FED_PEER_RATE;
    }
    if (wzp_federation_parse(&out->parsed, datagram, NULL) != WZP_OK) {
        return WZP_FED_MALFORMED;
    }
    out->room = wzp_fed_room_by_hash(fed, out->parsed.room_hash);
    if (out->room == NULL) {
        return WZP_FED_NO_ROOM;
    }
    const uint64_t mark = wzp_fed_dedup_hash(&fed->dedup, datagram);
    if (wzp_fed_dedup_has(&fed->dedup, mark, now)) {
        return WZP_FED_DUPLICATE;
    }
    inlet *in = &out->room->inlets[index];
    if (exceeds_rate(fed, out->room, in, now)) {
        from->over_room_rate++;
        return WZP_FED_RATE;
    }
    if (is_excess(fed, in, &out->parsed.packet, now)) {
        from->excess++;
        if (fed->metering == WZP_FED_METER_DROP) {
            return WZP_FED_EXCESS;
        }
    }
    wzp_fed_dedup_add(&fed->dedup, mark, now);
    return WZP_FED_DELIVER;
}

wzp_fed_verdict wzp_federation_ingress(wzp_federation *fed, wzp_fed_link *link, wzp_bytes datagram,
                                       wzp_time now, wzp_fed_packet *out) {
    peer *from = &fed->peers[link->peer];
    const wzp_fed_verdict verdict = judge(fed, link->peer, datagram, now, out);
    fed->counters.verdicts[verdict]++;
    from->last_seen = now;
    from->packets_in += verdict != WZP_FED_MALFORMED && verdict != WZP_FED_PEER_RATE ? 1 : 0;
    return verdict;
}

size_t wzp_federation_egress(wzp_federation *fed, wzp_fed_room *room, wzp_bytes packet,
                             uint8_t *buf, size_t cap, wzp_time now) {
    if (fed->target_count == 0) {
        return 0;
    }
    if (packet.len + WZP_ROOM_HASH_LEN > cap) {
        fed->counters.too_large++;
        return 0;
    }
    memcpy(buf, room->hash, WZP_ROOM_HASH_LEN);
    memcpy(buf + WZP_ROOM_HASH_LEN, packet.data, packet.len);
    const wzp_bytes datagram = wzp_bytes_of(buf, packet.len + WZP_ROOM_HASH_LEN);
    wzp_fed_dedup_add(&fed->dedup, wzp_fed_dedup_hash(&fed->dedup, datagram), now);
    return datagram.len;
}

/* --- what is known ---------------------------------------------------------------------------- */

static bool is_active_at(const wzp_fed_room *room, uint32_t via) {
    for (const origin *o = room->origins; o != NULL; o = o->next) {
        if (o->via == via && o->members->count > 0) {
            return true;
        }
    }
    return false;
}

static size_t active_rooms(const wzp_federation *fed, uint32_t via) {
    size_t rooms = 0;
    for (size_t i = 0; i < ROOM_BUCKETS; i++) {
        for (const wzp_fed_room *room = fed->buckets[i]; room != NULL; room = room->next) {
            rooms += is_active_at(room, via) ? 1 : 0;
        }
    }
    return rooms;
}

void wzp_federation_peer(const wzp_federation *fed, uint32_t index, wzp_fed_peer_info *out) {
    const peer *p = &fed->peers[index];
    *out = (wzp_fed_peer_info){.label = p->label,
                               .key = p->key,
                               .up = p->links != NULL,
                               .conn = p->links != NULL ? p->links->conn : 0,
                               .packets_in = p->packets_in,
                               .packets_out = p->packets_out,
                               .over_rate = p->over_rate,
                               .over_room_rate = p->over_room_rate,
                               .excess = p->excess,
                               .active_rooms = active_rooms(fed, index)};
}

void wzp_federation_count(const wzp_federation *fed, wzp_fed_counters *out) {
    *out = fed->counters;
    out->forgotten_early = fed->dedup.early;
}

const char *wzp_fed_verdict_name(wzp_fed_verdict verdict) {
    static const char *const names[WZP_FED_VERDICT_COUNT] = {
        [WZP_FED_DELIVER] = "deliver", [WZP_FED_MALFORMED] = "malformed",
        [WZP_FED_NO_ROOM] = "no room", [WZP_FED_DUPLICATE] = "duplicate",
        [WZP_FED_RATE] = "rate",       [WZP_FED_PEER_RATE] = "peer rate",
        [WZP_FED_EXCESS] = "excess",
    };
    return names[verdict];
}
