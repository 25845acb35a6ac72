#include "conformance/cases/federation/fed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/engine/peers.h"
#include "crypto/identity.h"

enum { PAYLOAD = 76, TAG = 8, REPORT_EVERY = 50, CONTROL_COUNT = 50 };

wzp_ct_fed *wzp_ct_fed_state(wzp_ct_exec *e) {
    return wzp_ct_play_state(e);
}

static bool is_peer(wzp_ct_who who) {
    return who == WZP_CT_R1 || who == WZP_CT_R2 || who == WZP_CT_R3;
}

static unsigned number(wzp_ct_who peer) {
    return (unsigned)peer - WZP_CT_R1;
}

static wzp_ct_who link(unsigned i) {
    return (wzp_ct_who)(WZP_CT_R1 + i);
}

const char *wzp_ct_fed_fingerprint(wzp_ct_exec *e, wzp_ct_who peer) {
    return wzp_ct_peers[wzp_ct_fed_state(e)->plan->peer + number(peer)].fingerprint;
}

/* --- packets ---------------------------------------------------------------------------------- */

size_t wzp_ct_fed_packet(wzp_ct_exec *e, unsigned flow, uint32_t index, bool tagged,
                         uint8_t out[WZP_CT_FED_PACKET]) {
    static const wzp_quality_report report = {0, 5, 0, 200};
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    const wzp_ct_flow *f = &st->flows[flow];
    const uint32_t voice = index % f->voices;
    const uint32_t turn = index / f->voices;
    uint8_t payload[WZP_CT_FED_PACKET] = {[4] = (uint8_t)flow,
                                          [5] = (uint8_t)(index >> 16),
                                          [6] = (uint8_t)(index >> 8),
                                          [7] = (uint8_t)index};
    wzp_prng prng;
    wzp_wr wr;
    memcpy(payload, &st->key, sizeof st->key);
    wzp_prng_init(&prng, ((uint64_t)st->key << 24) + index, "packet");
    wzp_rng_fill(wzp_prng_rng(&prng), payload + TAG, f->payload - TAG);
    const wzp_media_packet packet = {
        .hdr = {.version = 2,
                .flags = turn % REPORT_EVERY == REPORT_EVERY - 1 ? WZP_MEDIA_QUALITY : 0,
                .codec_id = WZP_CODEC_OPUS_24K,
                .stream_id = (uint8_t)voice,
                .seq = f->seq + turn,
                .timestamp_ms = f->ts + 20 * turn},
        .payload = {payload, f->payload},
        .report = report};
    wzp_wr_init(&wr, out, WZP_CT_FED_PACKET);
    if (tagged) {
        wzp_wr_bytes(&wr, wzp_bytes_of(f->hash, sizeof f->hash));
    }
    wzp_media_packet_write(&wr, &packet);
    return wzp_wr_len(&wr);
}

/* Which of our packets this is, by its payload; false: none. */
static bool recognise(const wzp_ct_fed *st, wzp_bytes bytes, unsigned *flow, uint32_t *index) {
    if (bytes.len < WZP_MEDIA_HDR_LEN + TAG ||
        memcmp(bytes.data + WZP_MEDIA_HDR_LEN, &st->key, sizeof st->key) != 0) {
        return false;
    }
    const uint8_t *tag = bytes.data + WZP_MEDIA_HDR_LEN;
    *flow = tag[4];
    *index = (uint32_t)tag[5] << 16 | (uint32_t)tag[6] << 8 | tag[7];
    return *flow < WZP_CT_FLOWS && *index < st->flows[*flow].sent;
}

bool wzp_ct_fed_which(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes bytes, unsigned *flow,
                      uint32_t *index) {
    const size_t tag = is_peer(who) ? WZP_ROOM_HASH_LEN : 0;
    return bytes.len >= tag &&
           recognise(wzp_ct_fed_state(e), wzp_bytes_of(bytes.data + tag, bytes.len - tag), flow,
                     index);
}

void wzp_ct_fed_datagram(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes bytes, wzp_time now) {
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    uint8_t own[WZP_CT_FED_PACKET];
    unsigned flow = 0;
    uint32_t index = 0;
    const size_t tag = is_peer(who) ? WZP_ROOM_HASH_LEN : 0;
    (void)now;
    if (!wzp_ct_fed_which(e, who, bytes, &flow, &index)) {
        st->foreign[who]++;
        return;
    }
    const size_t len = wzp_ct_fed_packet(e, flow, index, tag > 0, own);
    if (wzp_bytes_equal(bytes, wzp_bytes_of(own, len))) {
        uint8_t *got = &st->got[who][flow][index];
        *got = (uint8_t)(*got + (*got < UINT8_MAX ? 1 : 0));
    } else if (tag > 0 && memcmp(bytes.data, own, tag) != 0) {
        st->astray[who]++;
    } else {
        st->altered[who]++;
    }
}

uint32_t wzp_ct_fed_missing(wzp_ct_exec *e, wzp_ct_who who, unsigned flow) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    return st->flows[flow].sent - wzp_ct_fed_arrived(e, who, flow);
}

uint32_t wzp_ct_fed_arrived(wzp_ct_exec *e, wzp_ct_who who, unsigned flow) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    uint32_t n = 0;
    for (uint32_t i = 0; i < st->flows[flow].sent; i++) {
        n += st->got[who][flow][i] > 0 ? 1 : 0;
    }
    return n;
}

uint32_t wzp_ct_fed_repeated(wzp_ct_exec *e, wzp_ct_who who, unsigned flow) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    uint32_t n = 0;
    for (uint32_t i = 0; i < st->flows[flow].sent; i++) {
        n += st->got[who][flow][i] > 1 ? 1 : 0;
    }
    return n;
}

bool wzp_ct_fed_is_lossy(wzp_ct_exec *e) {
    return wzp_ct_play_path_loses(e) || wzp_ct_fed_missing(e, WZP_CT_P8, WZP_CT_CONTROL) > 0;
}

wzp_ct_so_far wzp_ct_fed_all(wzp_ct_exec *e, wzp_ct_who who, unsigned flow) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    const char *name = wzp_ct_play_party(e, who)->name;
    const uint32_t missing = wzp_ct_fed_missing(e, who, flow);
    if (missing * 100 <= st->flows[flow].sent) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e, "%s got %u of %u packets, and %u altered, %u with another room's hash", name,
                    st->flows[flow].sent - missing, st->flows[flow].sent, st->altered[who],
                    st->astray[who]);
    return st->altered[who] + st->astray[who] == 0 && wzp_ct_fed_is_lossy(e) ? WZP_CT_UNSURE
                                                                             : WZP_CT_NEVER;
}

wzp_ct_so_far wzp_ct_fed_both(wzp_ct_so_far a, wzp_ct_so_far b) {
    return a == WZP_CT_NEVER || b == WZP_CT_NEVER     ? WZP_CT_NEVER
           : a == WZP_CT_UNSURE || b == WZP_CT_UNSURE ? WZP_CT_UNSURE
           : a == WZP_CT_HAPPENED                     ? b
                                                      : a;
}

/* --- traffic ---------------------------------------------------------------------------------- */

static uint32_t run_number(const wzp_ct_fed *st, unsigned flow) {
    wzp_prng prng;
    wzp_prng_init(&prng, ((uint64_t)st->key << 8) + flow, "flow");
    return (uint32_t)wzp_rng_u64(wzp_prng_rng(&prng)) & 0xffffff;
}

static void open_flow(wzp_ct_exec *e, unsigned i, const wzp_ct_flow_plan *plan) {
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    wzp_ct_flow *f = &st->flows[i];
    if (f->voices == 0) {
        *f = (wzp_ct_flow){.seq = run_number(st, i), .ts = run_number(st, i + WZP_CT_FLOWS)};
    } else { /* it goes on where it was, but its marks begin anew */
        f->seq += f->sent + 1;
        f->ts += 20 * (f->sent + 1);
    }
    f->from = plan->from;
    f->voices = plan->voices > 0 ? plan->voices : 1;
    f->payload = plan->payload > 0 ? plan->payload : PAYLOAD;
    f->sent = 0;
    wzp_room_hash(f->hash, wzp_bytes_str(plan->room != NULL ? plan->room : st->room));
    for (size_t who = 0; who < WZP_CT_PARTIES; who++) {
        memset(st->got[who][i], 0, sizeof st->got[who][i]);
    }
}

bool wzp_ct_fed_send(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_fed_traffic *t = wzp_ct_play_arg(e);
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    (void)now;
    st->key += 0x01000193; /* what is still on its way from before is another's */
    for (unsigned i = 0; i < WZP_CT_CONTROL; i++) {
        if (t->flows[i].count > 0) {
            open_flow(e, i, &t->flows[i]);
        }
        if (t->flows[i].same_headers) {
            st->flows[i].seq = st->flows[i - 1].seq;
            st->flows[i].ts = st->flows[i - 1].ts;
        }
    }
    open_flow(e, WZP_CT_CONTROL, &(wzp_ct_flow_plan){.from = WZP_CT_P7});
    return true;
}

static void send_one(wzp_ct_exec *e, unsigned flow, uint32_t index) {
    uint8_t buf[WZP_CT_FED_PACKET];
    const wzp_ct_flow *f = &wzp_ct_fed_state(e)->flows[flow];
    const size_t len = wzp_ct_fed_packet(e, flow, index, is_peer(f->from), buf);
    (void)wzp_ct_play_send(e, f->from, wzp_bytes_of(buf, len));
}

/* Sends what is due of a flow; when the next packet is, or the time from which all had been. */
static wzp_time serve(wzp_ct_exec *e, unsigned flow, uint32_t count, uint32_t rate,
                      uint64_t elapsed) {
    wzp_ct_flow *f = &wzp_ct_fed_state(e)->flows[flow];
    while (f->sent < count && f->sent * WZP_S / rate <= elapsed) {
        send_one(e, flow, f->sent++);
    }
    return f->sent * WZP_S / rate;
}

/* Once more, after the last packet went out for the first time. */
static bool repeat(wzp_ct_exec *e, const wzp_ct_fed_traffic *t, uint64_t since_sent) {
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    bool left = false;
    for (unsigned i = 0; i < WZP_CT_CONTROL; i++) {
        if (st->step < t->flows[i].copies &&
            since_sent >= (uint64_t)(st->step + 1) * 100 * WZP_MS) {
            for (uint32_t n = 0; n < st->flows[i].sent; n++) {
                send_one(e, i, n);
            }
            st->step++;
        }
        left = left || st->step < t->flows[i].copies;
    }
    return !left;
}

wzp_ct_so_far wzp_ct_fed_sent(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_fed_traffic *t = wzp_ct_play_arg(e);
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    uint64_t end = 0;
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < WZP_CT_CONTROL; i++) {
        if (t->flows[i].count > 0) {
            const uint64_t due = serve(e, i, t->flows[i].count, t->flows[i].rate, elapsed);
            end = due > end ? due : end;
            next = st->flows[i].sent < t->flows[i].count && due < next ? due : next;
        }
    }
    if (st->plan->control) {
        const uint64_t due = serve(e, WZP_CT_CONTROL, CONTROL_COUNT, CONTROL_COUNT, elapsed);
        end = due > end ? due : end;
        next = st->flows[WZP_CT_CONTROL].sent < CONTROL_COUNT && due < next ? due : next;
    }
    const bool is_over = elapsed >= end && repeat(e, t, elapsed - end) &&
                         elapsed >= end + (uint64_t)t->pause_ms * WZP_MS;
    if (is_over) {
        st->step = 0;
        return t->check(e, now);
    }
    wzp_ct_play_wake(e, wzp_time_min(now + 10 * WZP_MS, now - elapsed + next));
    return WZP_CT_NOT_YET;
}

/* --- who is there ----------------------------------------------------------------------------- */

static void take_plan(wzp_ct_fed *st, const wzp_ct_fed_plan *plan) {
    st->plan = plan;
    (void)snprintf(st->room, sizeof st->room, "%s", plan->room);
}

bool wzp_ct_fed_join(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_fed_plan *plan = wzp_ct_play_arg(e);
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    bool all = true;
    take_plan(st, plan);
    for (unsigned i = 0; i < plan->local; i++) {
        const wzp_ct_who who = (wzp_ct_who)(WZP_CT_X + i);
        const char *sni = plan->sni != NULL ? plan->sni : plan->room;
        all = all && wzp_ct_play_join(e, who, sni, who, now);
    }
    if (plan->control) {
        all = all && wzp_ct_play_join(e, WZP_CT_P7, NULL, WZP_CT_P7, now) &&
              wzp_ct_play_join(e, WZP_CT_P8, NULL, WZP_CT_P8, now);
    }
    memcpy(&st->key, wzp_ct_play_party(e, WZP_CT_X)->identity.ed25519_pub, sizeof st->key);
    return all;
}

static wzp_ct_so_far is_there(wzp_ct_exec *e, wzp_ct_who who, uint32_t count) {
    const wzp_ct_party *p = wzp_ct_play_party(e, who);
    return wzp_party_gone(p)                       ? WZP_CT_NEVER
           : p->answered && p->room_count >= count ? WZP_CT_HAPPENED
                                                   : WZP_CT_NOT_YET;
}

wzp_ct_so_far wzp_ct_fed_joined(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_fed_plan *plan = wzp_ct_play_arg(e);
    wzp_ct_so_far all = WZP_CT_HAPPENED;
    (void)now;
    for (unsigned i = 0; i < plan->local; i++) {
        all = wzp_ct_fed_both(all, is_there(e, (wzp_ct_who)(WZP_CT_X + i), plan->local));
    }
    for (unsigned i = 0; plan->control && i < 2; i++) {
        all = wzp_ct_fed_both(all, is_there(e, (wzp_ct_who)(WZP_CT_P7 + i), 2));
    }
    return all;
}

bool wzp_ct_fed_link(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_fed_plan *plan = wzp_ct_play_arg(e);
    bool all = true;
    take_plan(wzp_ct_fed_state(e), plan);
    for (unsigned i = 0; i < plan->links; i++) {
        all = all && wzp_ct_play_link(e, link(i), wzp_ct_fed_fingerprint(e, link(i)), now);
    }
    return all;
}

/* One member elsewhere, so that a relay that asks for that sees the room alive there. */
static void announce_one(wzp_ct_exec *e, wzp_ct_who peer) {
    const wzp_room_participant member = {
        .fingerprint = wzp_bytes_str(wzp_ct_play_party(e, peer)->identity.fingerprint)};
    (void)wzp_ct_fed_announce(e, peer, &member, 1);
}

wzp_ct_so_far wzp_ct_fed_linked(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_fed *st = wzp_ct_fed_state(e);
    bool up = true;
    bool told = true;
    for (unsigned i = 0; i < st->plan->links; i++) {
        const wzp_ct_party *p = wzp_ct_play_party(e, link(i));
        if (wzp_party_gone(p)) {
            return WZP_CT_NEVER;
        }
        up = up && p->state == WZP_PARTY_OFFERED;
        told = told && st->actives[link(i)] > 0;
    }
    wzp_ct_play_wake(e, now + 50 * WZP_MS);
    if (!up || (!told && wzp_ct_play_elapsed(e, now) < 1500 * WZP_MS)) {
        return WZP_CT_NOT_YET;
    }
    for (unsigned i = 0; !st->plan->quiet && i < st->plan->links; i++) {
        announce_one(e, link(i));
    }
    return WZP_CT_HAPPENED;
}

/* --- signals ---------------------------------------------------------------------------------- */

static bool is_room(const wzp_ct_fed *st, wzp_bytes name) {
    return wzp_bytes_equal(name, wzp_bytes_str(st->room)) ||
           (st->plan->sni != NULL && wzp_bytes_equal(name, wzp_bytes_str(st->plan->sni)));
}

static void take_active(wzp_ct_exec *e, wzp_ct_who who, const wzp_signal *signal, wzp_time now) {
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    const wzp_signal_GlobalRoomActive *active = &signal->u.GlobalRoomActive;
    const wzp_bytes x = wzp_bytes_str(wzp_ct_play_party(e, WZP_CT_X)->identity.fingerprint);
    if (wzp_bytes_equal(active->room, wzp_bytes_str(wzp_ct_play_room(e)))) {
        st->others[who]++;
    }
    if (!is_room(st, active->room)) {
        return;
    }
    st->actives[who]++;
    for (size_t i = 0; i < active->participants.count; i++) {
        st->lists_x[who] =
            st->lists_x[who] || wzp_bytes_equal(active->participants.items[i].fingerprint, x);
    }
    if (st->on_active != NULL) {
        st->on_active(e, who, signal, now);
    }
}

static void take_envelope(wzp_ct_exec *e, wzp_ct_who who, const wzp_signal *signal) {
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    const wzp_signal_FederatedSignalForward *envelope = &signal->u.FederatedSignalForward;
    char *json = NULL;
    size_t len = 0;
    if (number(who) >= 2 || envelope->inner.signal == NULL ||
        wzp_signal_to_json(&json, &len, envelope->inner.signal) != WZP_OK) {
        return;
    }
    const wzp_signal_kind kind = envelope->inner.signal->kind;
    st->inner[number(who)][kind]++;
    (void)snprintf(st->inner_json[number(who)][kind], WZP_CT_FED_JSON, "%s", json);
    (void)snprintf(st->origin[number(who)], sizeof st->origin[0], "%.*s",
                   (int)envelope->origin_relay_fp.len,
                   (const char *)envelope->origin_relay_fp.data);
    free(json);
}

void wzp_ct_fed_signal(wzp_ct_exec *e, wzp_ct_who who, const wzp_signal *signal, wzp_time now) {
    wzp_ct_fed *st = wzp_ct_fed_state(e);
    if (!is_peer(who) || st->plan == NULL) {
        return;
    }
    if (signal->kind == WZP_SIGNAL_GLOBAL_ROOM_ACTIVE) {
        take_active(e, who, signal, now);
    } else if (signal->kind == WZP_SIGNAL_GLOBAL_ROOM_INACTIVE) {
        st->inactives[who] += is_room(st, signal->u.GlobalRoomInactive.room) ? 1 : 0;
    } else if (signal->kind == WZP_SIGNAL_FEDERATED_SIGNAL_FORWARD) {
        take_envelope(e, who, signal);
    }
}

bool wzp_ct_fed_announce(wzp_ct_exec *e, wzp_ct_who peer, const wzp_room_participant *items,
                         size_t count) {
    return wzp_party_tell(
        wzp_ct_play_party(e, peer),
        &(wzp_signal){.kind = WZP_SIGNAL_GLOBAL_ROOM_ACTIVE,
                      .version = 1,
                      .u.GlobalRoomActive = {.room = wzp_bytes_str(wzp_ct_fed_state(e)->room),
                                             .participants = {items, count}}});
}

bool wzp_ct_fed_announce_none(wzp_ct_exec *e, wzp_ct_who peer) {
    return wzp_party_tell(
        wzp_ct_play_party(e, peer),
        &(wzp_signal){.kind = WZP_SIGNAL_GLOBAL_ROOM_INACTIVE,
                      .version = 1,
                      .u.GlobalRoomInactive = {.room = wzp_bytes_str(wzp_ct_fed_state(e)->room)}});
}

bool wzp_ct_fed_forward(wzp_ct_exec *e, wzp_ct_who peer, const wzp_signal *inner,
                        const char *origin) {
    return wzp_party_tell(
        wzp_ct_play_party(e, peer),
        &(wzp_signal){.kind = WZP_SIGNAL_FEDERATED_SIGNAL_FORWARD,
                      .version = 1,
                      .u.FederatedSignalForward = {.inner = {inner},
                                                   .origin_relay_fp = wzp_bytes_str(origin)}});
}

wzp_signal *wzp_ct_fed_inner(wzp_ct_exec *e, wzp_ct_who peer, wzp_signal_kind kind) {
    wzp_signal *signal = NULL;
    const char *json = wzp_ct_fed_state(e)->inner_json[number(peer)][kind];
    return json[0] != '\0' && wzp_signal_parse(&signal, wzp_bytes_str(json), NULL, NULL) == WZP_OK
               ? signal
               : NULL;
}
