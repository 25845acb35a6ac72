/* Clients behind translators: their address changes without their knowing, or they say nothing for
 * so long that a mapping would be forgotten (NAT sheet 1.19 and part 3).
 *
 *     X - L: speech in both directions       KX - KL: the same in a room of their own, unmoved */
#include "conformance/cases/nat/nat.h"

#include <stdio.h>
#include <string.h>

#include "conformance/cases/federation/fed.h"
#include "conformance/cases/relay/steps.h"

enum { PAYLOAD = 60, TAG = 8, STEP_MS = 20, TALK_MS = 1000, MOVED_MS = 2200, STEADY_MS = 700 };
enum { CONTROL = 2 }; /* from this one on nothing happens to them */

static wzp_ct_nat *state_of(wzp_ct_exec *e) {
    return wzp_ct_play_state(e);
}

/* --- numbered speech -------------------------------------------------------------------------- */

static void send_one(wzp_ct_exec *e, unsigned index, uint32_t ts) {
    wzp_ct_nat *st = state_of(e);
    wzp_ct_way *way = &st->ways[index];
    uint8_t buf[256];
    uint8_t payload[PAYLOAD] = {[4] = (uint8_t)index,
                                [5] = (uint8_t)(way->sent >> 16),
                                [6] = (uint8_t)(way->sent >> 8),
                                [7] = (uint8_t)way->sent};
    wzp_prng prng;
    wzp_wr wr;
    memcpy(payload, &st->key, sizeof st->key);
    wzp_prng_init(&prng, ((uint64_t)st->key << 24) + way->sent, way->from == WZP_CT_X ? "X" : "L");
    wzp_rng_fill(wzp_prng_rng(&prng), payload + TAG, PAYLOAD - TAG);
    const wzp_media_packet packet = {
        .hdr = {.version = 2, .codec_id = WZP_CODEC_OPUS_24K, .seq = way->sent, .timestamp_ms = ts},
        .payload = {payload, PAYLOAD}};
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_packet_write(&wr, &packet);
    (void)wzp_ct_play_send(e, way->from, wzp_bytes_of(buf, wzp_wr_len(&wr)));
    way->sent++;
}

void wzp_ct_way_datagram(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes bytes, wzp_time now) {
    wzp_ct_nat *st = state_of(e);
    const uint8_t *tag = bytes.data + WZP_MEDIA_HDR_LEN;
    if (bytes.len < WZP_MEDIA_HDR_LEN + TAG || memcmp(tag, &st->key, sizeof st->key) != 0 ||
        tag[4] >= WZP_CT_WAYS || st->ways[tag[4]].to != who) {
        return;
    }
    wzp_ct_way *way = &st->ways[tag[4]];
    const uint32_t number = (uint32_t)tag[5] << 16 | (uint32_t)tag[6] << 8 | tag[7];
    if (number >= way->mark && way->resumed_at == WZP_TIME_NEVER) {
        way->resumed_at = now;
    }
    way->got += number >= way->steady ? 1 : 0;
}

/* Sends what is due on a way that has a packet every `step_ms`, as long as `for_ms`. */
static void talk(wzp_ct_exec *e, unsigned index, uint32_t step_ms, uint32_t for_ms, wzp_time now) {
    wzp_ct_way *way = &state_of(e)->ways[index];
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    while (way->sent - way->mark < for_ms / step_ms &&
           (uint64_t)(way->sent - way->mark) * step_ms * WZP_MS <= elapsed) {
        send_one(e, index, way->sent * step_ms);
    }
    wzp_ct_play_wake(e, now - elapsed + (uint64_t)(way->sent - way->mark) * step_ms * WZP_MS);
}

static void mark_ways(wzp_ct_exec *e, uint32_t steady_ms) {
    for (unsigned i = 0; i < WZP_CT_WAYS; i++) {
        wzp_ct_way *way = &state_of(e)->ways[i];
        way->mark = way->sent;
        way->steady = way->sent + steady_ms / STEP_MS;
        way->got = 0;
        way->resumed_at = WZP_TIME_NEVER;
    }
}

static bool begin_rooms(wzp_ct_exec *e, wzp_time now) {
    char room[80];
    wzp_ct_nat *st = state_of(e);
    static const wzp_ct_way ways[WZP_CT_WAYS] = {{.from = WZP_CT_X, .to = WZP_CT_L},
                                                 {.from = WZP_CT_L, .to = WZP_CT_X},
                                                 {.from = WZP_CT_KX, .to = WZP_CT_KL},
                                                 {.from = WZP_CT_KL, .to = WZP_CT_KX}};
    memcpy(st->ways, ways, sizeof ways);
    (void)snprintf(room, sizeof room, "%.60s-control", wzp_ct_play_room(e));
    const bool joined = wzp_ct_play_join(e, WZP_CT_X, NULL, WZP_CT_X, now) &&
                        wzp_ct_play_join(e, WZP_CT_L, NULL, WZP_CT_L, now) &&
                        wzp_ct_play_join(e, WZP_CT_KX, room, WZP_CT_KX, now) &&
                        wzp_ct_play_join(e, WZP_CT_KL, room, WZP_CT_KL, now);
    memcpy(&st->key, wzp_ct_play_party(e, WZP_CT_X)->identity.ed25519_pub, sizeof st->key);
    return joined;
}

static wzp_ct_so_far go_rooms(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    for (int who = WZP_CT_X; who <= WZP_CT_KL; who++) {
        const wzp_ct_party *p = wzp_ct_play_party(e, (wzp_ct_who)who);
        if (wzp_party_gone(p) || !p->answered || p->room_count < 2) {
            return wzp_party_gone(p) ? WZP_CT_NEVER : WZP_CT_NOT_YET;
        }
    }
    return WZP_CT_HAPPENED;
}

/* --- NAT-110: the mapping changes ------------------------------------------------------------- */

/* Since the act began, ms. */
static uint64_t gap_ms(wzp_ct_exec *e, const wzp_ct_way *way, wzp_time now) {
    const wzp_time at = way->resumed_at < now ? way->resumed_at : now;
    return (at - (now - wzp_ct_play_elapsed(e, now))) / WZP_MS;
}

/* In percent, of the packets that were sent while all had to flow. */
static uint32_t share(const wzp_ct_way *way) {
    const uint32_t due = way->sent > way->steady ? way->sent - way->steady : 0;
    return due > 0 ? way->got * 100 / due : 0;
}

/* What this machine, or the path to the relay, did to those whom nothing happened to. */
static bool is_rough(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_nat *st = state_of(e);
    bool rough = wzp_ct_play_lateness(e) > 100 * WZP_MS;
    for (unsigned i = CONTROL; i < WZP_CT_WAYS; i++) {
        rough = rough || gap_ms(e, &st->ways[i], now) > 100 + 2 * st->rtt / WZP_MS ||
                share(&st->ways[i]) < 99;
    }
    return rough;
}

static wzp_ct_so_far judge_ways(wzp_ct_exec *e, uint64_t limit_ms, wzp_time now) {
    const wzp_ct_way *ways = state_of(e)->ways;
    const bool in_time =
        gap_ms(e, &ways[0], now) <= limit_ms && gap_ms(e, &ways[1], now) <= limit_ms;
    if (in_time && share(&ways[0]) >= 95 && share(&ways[1]) >= 95) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e,
                    "after %llu ms something came from X, after %llu ms to X, at most %llu ms are "
                    "due; later %u %% came from X, %u %% to X",
                    (unsigned long long)gap_ms(e, &ways[0], now),
                    (unsigned long long)gap_ms(e, &ways[1], now), (unsigned long long)limit_ms,
                    share(&ways[0]), share(&ways[1]));
    return is_rough(e, now) ? WZP_CT_UNSURE : WZP_CT_NEVER;
}

static bool begin_talk(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    mark_ways(e, 0);
    return true;
}

static wzp_ct_so_far go_talk(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    wzp_quic_stats stats;
    for (unsigned i = 0; i < WZP_CT_WAYS; i++) {
        talk(e, i, STEP_MS, TALK_MS, now);
    }
    if (wzp_ct_play_elapsed(e, now) < (TALK_MS + 300) * WZP_MS) {
        return wzp_party_gone(x) ? WZP_CT_NEVER : WZP_CT_NOT_YET;
    }
    state_of(e)->rtt = wzp_quic_conn_stats(x->quic, x->conn, &stats) ? stats.smoothed_rtt : 0;
    return judge_ways(e, 300 + 2 * state_of(e)->rtt / WZP_MS, now);
}

static bool begin_moved(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_who *to = wzp_ct_play_arg(e);
    (void)now;
    mark_ways(e, STEADY_MS);
    return wzp_ct_play_rebind(e, WZP_CT_X, *to);
}

static wzp_ct_so_far go_moved(wzp_ct_exec *e, wzp_time now) {
    for (unsigned i = 0; i < WZP_CT_WAYS; i++) {
        talk(e, i, STEP_MS, MOVED_MS, now);
    }
    if (wzp_ct_play_elapsed(e, now) < (MOVED_MS + 300) * WZP_MS) {
        return wzp_ct_is_gone(e, WZP_CT_X) ? WZP_CT_NEVER : WZP_CT_NOT_YET;
    }
    const wzp_ct_so_far so_far = judge_ways(e, 300 + 2 * state_of(e)->rtt / WZP_MS, now);
    if (so_far == WZP_CT_HAPPENED && wzp_ct_play_wire(e, WZP_CT_X)->challenges == 0) {
        wzp_ct_play_say(e, "no PATH_CHALLENGE came to the new address");
        return WZP_CT_NEVER;
    }
    return so_far;
}

static const wzp_ct_who once = WZP_CT_P7;
static const wzp_ct_who again = WZP_CT_P8;

#define MOVED(to)                                                                                  \
    {                                                                                              \
        .required = "media flow again within 300 ms + 2 RTT of a new address, which is validated", \
        .within_s = 4, .begin = begin_moved, .go = go_moved, .late = WZP_CT_REASON_SENDER_RATE,    \
        .never = WZP_CT_REASON_NOT_FORWARDED, .arg = (to)                                          \
    }

const wzp_ct_act wzp_ct_acts_nat110[4] = {
    {.required = "two rooms of two",
     .within_s = 5,
     .begin = begin_rooms,
     .go = go_rooms,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "speech arrives in both directions",
     .within_s = 3,
     .begin = begin_talk,
     .go = go_talk,
     .late = WZP_CT_REASON_SENDER_RATE,
     .never = WZP_CT_REASON_NOT_FORWARDED},
    MOVED(&once),
    MOVED(&again),
};

/* --- NAT-110: and nobody answers there -------------------------------------------------------- */

static const wzp_ct_whos four = {WZP_CT_X, WZP_CT_L, WZP_CT_KX, WZP_CT_KL, WZP_CT_PARTIES};

enum { RARELY_MS = 200, SHUT_MS = 1500 };

static bool begin_speakers(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_nat *st = state_of(e);
    (void)now;
    for (unsigned i = 0; i < WZP_CT_WAYS; i++) {
        st->ways[i] = (wzp_ct_way){.from = four[i], .to = i == 0 ? WZP_CT_L : WZP_CT_X};
    }
    memcpy(&st->key, wzp_ct_play_party(e, WZP_CT_X)->identity.ed25519_pub, sizeof st->key);
    mark_ways(e, 0);
    return true;
}

static wzp_ct_so_far go_speakers(wzp_ct_exec *e, wzp_time now) {
    talk(e, 0, RARELY_MS, TALK_MS, now);
    for (unsigned i = 1; i < WZP_CT_WAYS; i++) {
        talk(e, i, STEP_MS, TALK_MS, now);
    }
    return wzp_ct_is_gone(e, WZP_CT_X)                              ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) < (TALK_MS + 300) * WZP_MS ? WZP_CT_NOT_YET
                                                                    : WZP_CT_HAPPENED;
}

/* Three speak to X, who speaks a little from an address where nothing reaches it. */
static bool begin_shut(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    mark_ways(e, 0);
    const bool moved = wzp_ct_play_rebind(e, WZP_CT_X, WZP_CT_P8);
    wzp_ct_play_shut(e, WZP_CT_X, true);
    return moved;
}

/* The relay knows of no more bytes than have left here, so at any time this holds. */
static wzp_ct_so_far go_shut(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_wire *wire = wzp_ct_play_wire(e, WZP_CT_X);
    talk(e, 0, RARELY_MS, SHUT_MS, now);
    for (unsigned i = 1; i < WZP_CT_WAYS; i++) {
        talk(e, i, STEP_MS, SHUT_MS, now);
    }
    const bool is_over = wzp_ct_play_elapsed(e, now) >= (SHUT_MS + 300) * WZP_MS;
    const bool is_too_much = wire->in_bytes > 3 * wire->out_bytes;
    if (is_over || is_too_much) {
        wzp_ct_play_say(e, "%llu bytes came to the new address for %llu from there",
                        (unsigned long long)wire->in_bytes, (unsigned long long)wire->out_bytes);
    }
    return is_too_much ? WZP_CT_NEVER : is_over ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_nat110b[3] = {
    WZP_CT_JOINED(four),
    {.required = "they speak",
     .within_s = 3,
     .begin = begin_speakers,
     .go = go_speakers,
     .late = WZP_CT_REASON_SENDER_RATE},
    {.required = "at most three times as much goes to an address that does not answer as came "
                 "from there",
     .within_s = 4,
     .begin = begin_shut,
     .go = go_shut,
     .late = WZP_CT_REASON_SENDER_RATE},
};

/* --- NAT-111: silence ------------------------------------------------------------------------- */

/* A keep-alive is due 5 s after the acknowledgement of the last. */
#define MOST_SILENCE (6 * WZP_S)
/* Whoever has heard nothing since begins to wait anew when it asks for an answer (RFC 9000, 10.1):
 * the 30 s may begin with a keep-alive. */
#define LOST_FIRST (28 * WZP_S)
#define LOST_LAST (38 * WZP_S)

static bool begin_silence(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    wzp_ct_play_vanish(e, WZP_CT_KX);
    return true;
}

/* The relay keeps their mappings alive. */
static bool is_kept(wzp_ct_exec *e, wzp_ct_who who, wzp_time now) {
    const wzp_ct_wire *wire = wzp_ct_play_wire(e, who);
    const uint64_t since = wzp_time_since(now, wire->in_at);
    const uint64_t worst = wire->worst_gap > since ? wire->worst_gap : since;
    if (worst > MOST_SILENCE) {
        wzp_ct_play_say(e, "nothing came to %s for %.1f s", wzp_ct_play_party(e, who)->name,
                        (double)worst / 1e9);
    }
    return worst <= MOST_SILENCE;
}

static wzp_ct_so_far go_silence(wzp_ct_exec *e, wzp_time now) {
    const uint64_t gone = wzp_time_since(now, wzp_ct_play_wire(e, WZP_CT_KX)->out_at);
    wzp_ct_play_wake(e, now + 500 * WZP_MS);
    if (!is_kept(e, WZP_CT_X, now) || !is_kept(e, WZP_CT_L, now)) {
        return wzp_ct_play_path_loses(e) ? WZP_CT_UNSURE : WZP_CT_NEVER;
    }
    if (wzp_ct_is_gone(e, WZP_CT_X) || wzp_ct_is_gone(e, WZP_CT_L)) {
        return WZP_CT_NEVER;
    }
    if (wzp_ct_play_party(e, WZP_CT_L)->room_count != 2) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "the loss was told %.1f s after the last packet", (double)gone / 1e9);
    return gone >= LOST_FIRST && gone <= LOST_LAST ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

const wzp_ct_act wzp_ct_acts_nat111[2] = {
    WZP_CT_JOINED(wzp_ct_three),
    {.required = "a packet every 5 s to who says nothing, and the loss of who is gone after 30 s",
     .within_s = 40,
     .begin = begin_silence,
     .go = go_silence,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .never = WZP_CT_REASON_WRONG_RESPONSE},
};
