/* W-15: a relay that trunks its output keeps to the limits of the format, loses nothing and holds
 * nothing back (conformance sheet 24.12, relay sheet 7.7). */
#include <stdlib.h>
#include <string.h>

#include "conformance/cases/relay/plays.h"
#include "wire/media.h"
#include "wire/trunk.h"

enum {
    SENDERS = 8, /* all parties but L */
    RATE = 50,   /* packets a second of each */
    STEADY_S = 4,
    STEADY = RATE * SENDERS * STEADY_S,
    BURST = 4, /* of one sender, each 80 ms: only these give frames of several entries */
    BURSTS = 50,
    PACKETS_MAX = RATE * STEADY_S + BURST * BURSTS,
    PAYLOAD = 60,
    FRAME_LIMIT_MS = 20 /* 5 ms of waiting and 15 ms for the road and this machine */
};

#define BURST_STEP (80 * WZP_MS)

typedef struct trunked {
    wzp_time sent_at[SENDERS][PACKETS_MAX];
    bool arrived[SENDERS][PACKETS_MAX];
    uint32_t sent[SENDERS], got, twice, unknown, plain, frames, joined;
    uint32_t malformed, crowded, late; /* against the rules */
    uint64_t longest, road;            /* ns from sending to arrival; of that, the road alone */
    uint32_t bursts;
} trunked;

_Static_assert(sizeof(trunked) <= WZP_CT_W15_STATE, "state fits");

/* L is party 1; the others send. */
static wzp_ct_who sender(size_t i) {
    return (wzp_ct_who)(i == 0 ? WZP_CT_X : i + 1);
}

static bool begin_join(wzp_ct_exec *e, wzp_time now) {
    bool all = wzp_ct_play_join(e, WZP_CT_L, NULL, WZP_CT_L, now);
    for (size_t i = 0; i < SENDERS; i++) {
        all = all && wzp_ct_play_join(e, sender(i), NULL, sender(i), now);
    }
    return all;
}

static wzp_ct_so_far go_join(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    for (int i = 0; i < WZP_CT_PARTIES; i++) {
        if (wzp_party_gone(wzp_ct_play_party(e, (wzp_ct_who)i))) {
            return WZP_CT_NEVER;
        }
    }
    return wzp_ct_play_party(e, WZP_CT_L)->room_count == WZP_CT_PARTIES ? WZP_CT_HAPPENED
                                                                        : WZP_CT_NOT_YET;
}

/* The header's stream id is the sender, its sequence number the packet. */
static void send_packet(wzp_ct_exec *e, size_t from, wzp_time now) {
    trunked *t = wzp_ct_play_state(e);
    uint8_t buf[WZP_MEDIA_HDR_LEN + PAYLOAD];
    wzp_wr wr;
    const wzp_media_hdr hdr = {.version = 2,
                               .codec_id = WZP_CODEC_OPUS_24K,
                               .stream_id = (uint8_t)from,
                               .seq = t->sent[from],
                               .timestamp_ms = 20 * t->sent[from]};
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_hdr_write(&wr, &hdr);
    memset(buf + WZP_MEDIA_HDR_LEN, (int)(from + 1), PAYLOAD);
    t->sent_at[from][t->sent[from]++] = now;
    (void)wzp_ct_play_send(e, sender(from), wzp_bytes_of(buf, sizeof buf));
}

static void take_packet(trunked *t, wzp_bytes bytes, wzp_time now) {
    wzp_media_packet packet;
    if (wzp_media_packet_parse(&packet, bytes, NULL) != WZP_OK || packet.hdr.stream_id >= SENDERS ||
        packet.hdr.seq >= t->sent[packet.hdr.stream_id] || packet.payload.len != PAYLOAD ||
        packet.payload.data[0] != packet.hdr.stream_id + 1) {
        t->unknown++;
        return;
    }
    bool *arrived = &t->arrived[packet.hdr.stream_id][packet.hdr.seq];
    const uint64_t delay = now - t->sent_at[packet.hdr.stream_id][packet.hdr.seq];
    t->twice += *arrived ? 1 : 0;
    t->got += *arrived ? 0 : 1;
    *arrived = true;
    t->late += delay > t->road + FRAME_LIMIT_MS * WZP_MS ? 1 : 0;
    t->longest = delay > t->longest ? delay : t->longest;
}

void wzp_ct_w15_datagram(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes bytes, wzp_time now) {
    trunked *t = wzp_ct_play_state(e);
    wzp_rd rd;
    uint16_t count = 0;
    if (who != WZP_CT_L) {
        return;
    }
    if (bytes.len > 0 && bytes.data[0] == 2) {
        t->plain++;
        take_packet(t, bytes, now);
        return;
    }
    if (wzp_trunk_parse(&rd, bytes, &count) != WZP_OK || count == 0) {
        t->malformed++;
        return;
    }
    t->frames++;
    t->joined += count > 1 ? 1 : 0;
    t->crowded += count > WZP_TRUNK_MAX_ENTRIES ? 1 : 0;
    for (uint16_t i = 0; i < count; i++) {
        wzp_trunk_entry entry;
        wzp_trunk_next(&rd, &entry);
        take_packet(t, entry.payload, now);
    }
}

static uint64_t half_rtt(wzp_ct_exec *e, wzp_ct_who who) {
    wzp_quic_stats stats;
    const wzp_ct_party *p = wzp_ct_play_party(e, who);
    return wzp_quic_conn_stats(p->quic, p->conn, &stats) ? stats.min_rtt / 2 : 0;
}

/* What a packet needs without being held back: up from a sender, down to the listener. */
static bool begin_steady(wzp_ct_exec *e, wzp_time now) {
    trunked *t = wzp_ct_play_state(e);
    (void)now;
    t->road = half_rtt(e, WZP_CT_X) + half_rtt(e, WZP_CT_L);
    return true;
}

/* Senders take turns: 400 packets a second, one every 2.5 ms. */
static wzp_ct_so_far go_steady(wzp_ct_exec *e, wzp_time now) {
    const uint64_t step = WZP_S / RATE / SENDERS;
    trunked *t = wzp_ct_play_state(e);
    const uint64_t due = wzp_ct_play_elapsed(e, now) / step + 1;
    uint64_t sent = 0;
    for (size_t i = 0; i < SENDERS; i++) {
        sent += t->sent[i];
    }
    for (; sent < due && sent < STEADY; sent++) {
        send_packet(e, (size_t)(sent % SENDERS), now);
    }
    if (sent == STEADY) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_wake(e, now + step - wzp_ct_play_elapsed(e, now) % step);
    return WZP_CT_NOT_YET;
}

static bool keeps_to_the_rules(const trunked *t) {
    return t->malformed == 0 && t->crowded == 0 && t->plain == 0 && t->unknown == 0 &&
           t->twice == 0;
}

/* What the senders' own loss recovery gave up: the half of the road that can be seen. */
static bool path_loses(wzp_ct_exec *e, uint32_t sent) {
    uint64_t lost = 0;
    for (size_t i = 0; i < SENDERS; i++) {
        wzp_quic_stats stats;
        const wzp_ct_party *p = wzp_ct_play_party(e, sender(i));
        lost += wzp_quic_conn_stats(p->quic, p->conn, &stats) ? stats.datagrams_lost : 0;
    }
    return lost * 200 > sent;
}

static wzp_ct_so_far weigh(wzp_ct_exec *e) {
    const trunked *t = wzp_ct_play_state(e);
    uint32_t sent = 0;
    for (size_t i = 0; i < SENDERS; i++) {
        sent += t->sent[i];
    }
    wzp_ct_play_say(e,
                    "%u of %u packets in %u frames, %u of them with several entries, at most %.1f "
                    "ms on the way",
                    t->got, sent, t->frames, t->joined, (double)t->longest / 1e6);
    if (!keeps_to_the_rules(t)) {
        wzp_ct_play_say(e,
                        "%u malformed, %u with more than 10 entries, %u untrunked, %u unknown, "
                        "%u twice",
                        t->malformed, t->crowded, t->plain, t->unknown, t->twice);
        return WZP_CT_NEVER;
    }
    if (t->got < sent && t->got * 2 > sent && path_loses(e, sent)) {
        return WZP_CT_UNSURE;
    }
    if (t->got * 100 < sent * 99 || t->joined == 0 || t->late * 10 > t->got * 9) {
        return WZP_CT_NEVER;
    }
    /* A relay that holds packets back does so with all of them; a busy machine with many. */
    return t->late * 10 > t->got ? WZP_CT_UNSURE : WZP_CT_HAPPENED;
}

static wzp_ct_so_far go_bursts(wzp_ct_exec *e, wzp_time now) {
    trunked *t = wzp_ct_play_state(e);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    while (t->bursts < BURSTS && t->bursts * BURST_STEP <= elapsed) {
        for (int i = 0; i < BURST; i++) {
            send_packet(e, 0, now);
        }
        t->bursts++;
    }
    const uint64_t end = BURSTS * BURST_STEP + 400 * WZP_MS;
    wzp_ct_play_wake(e, now - elapsed + (t->bursts < BURSTS ? t->bursts * BURST_STEP : end));
    return elapsed < end ? WZP_CT_NOT_YET : weigh(e);
}

const wzp_ct_act wzp_ct_acts_w15[WZP_CT_W15_ACTS] = {
    {"eight senders and a listener join", 5, begin_join, go_join, WZP_CT_REASON_NO_RESPONSE, 0,
     NULL},
    {"400 packets a second are sent", 10, begin_steady, go_steady, WZP_CT_REASON_SENDER_RATE, 0,
     NULL},
    {"trunk frames of at most 10 entries that hold no packet back for more than 20 ms", 10, NULL,
     go_bursts, WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NOT_FORWARDED, NULL},
};
