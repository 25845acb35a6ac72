/* Trunking through real connections: what members hear, against what was said. */
#include <stdio.h>

#include "base/testing/suite.h"
#include "relay/testing/stage.h"
#include "wire/trunk.h"

enum { MEMBERS = 4, STEPS = 1500, SAID_MAX = 2000 };

static const wzp_relay_cfg trunking = {.enforce = WZP_ENFORCE_OFF, .trunking = true};

static size_t make_packet(uint8_t buf[1500], uint32_t seq, size_t payload) {
    uint8_t body[1500];
    const wzp_media_packet packet = {.hdr = {.version = WZP_PROTOCOL_VERSION, .seq = seq},
                                     .payload = {memset(body, (int)seq, payload), payload}};
    wzp_wr wr;
    wzp_wr_init(&wr, buf, 1500);
    wzp_media_packet_write(&wr, &packet);
    return wzp_wr_len(&wr);
}

static void say(guest *g, uint32_t seq, size_t payload) {
    uint8_t buf[1500];
    guest_send(g, wzp_bytes_of(buf, make_packet(buf, seq, payload)));
}

/* The nth datagram as a trunk frame; returns its number of entries. */
static uint16_t frame_of(const guest *g, size_t nth, wzp_trunk_entry entries[16],
                         const heard **out) {
    const heard *h = g->datagrams;
    while (h != NULL && nth-- > 0) {
        h = h->next;
    }
    ck_assert_ptr_nonnull(h);
    wzp_rd rd;
    uint16_t count = 0;
    ck_assert(wzp_trunk_parse(&rd, wzp_bytes_of(h->text, h->len), &count) == WZP_OK);
    ck_assert_uint_le(count, WZP_TRUNK_MAX_ENTRIES);
    for (uint16_t i = 0; i < count; i++) {
        wzp_trunk_next(&rd, &entries[i]);
    }
    ck_assert_uint_eq(wzp_rd_left(&rd), 0);
    *out = h;
    return count;
}

/* Packets of one burst, and the entries of the frames that come of them (relay sheet 7.7). */
static const struct burst {
    const char *name;
    unsigned packets;
    size_t payload;
    unsigned frames[4]; /* 0: the end */
} bursts[] = {
    {"one packet leaves alone", 1, 60, {1}},
    {"a burst of four is one frame", 4, 60, {4}},
    {"the tenth fills a frame", 10, 60, {10}},
    {"the eleventh begins the next", 11, 60, {10, 1}},
    {"five of 260 bytes fill a datagram of 1420", 11, 260, {5, 5, 1}},
    {"large ones travel alone", 3, 1000, {1, 1, 1}},
};

START_TEST(burst) {
    const struct burst *c = &bursts[_i];
    stage *st = stage_new(&trunking);
    guest *from = stage_member(st, "room");
    const guest *to = stage_member(st, "room");
    const wzp_time began = st->net.now;
    ck_assert_uint_eq(wzp_quic_max_datagram(from->quic, from->conn), 1420);
    for (unsigned i = 0; i < c->packets; i++) {
        say(from, i, c->payload);
    }
    stage_run(st, 100);
    uint32_t seq = 0;
    unsigned n = 0;
    for (; c->frames[n] != 0; n++) {
        wzp_trunk_entry entries[16];
        const heard *h;
        const uint16_t count = frame_of(to, n, entries, &h);
        ck_assert_msg(count == c->frames[n], "%s: frame %u has %u", c->name, n, count);
        ck_assert_uint_le(h->at - began, 2 * st->net.delay + 5 * WZP_MS + WZP_MS);
        ck_assert_uint_le(h->len, 1452);
        for (uint16_t i = 0; i < count; i++, seq++) {
            uint8_t want[1500];
            const size_t len = make_packet(want, seq, c->payload);
            ck_assert(wzp_bytes_equal(entries[i].payload, wzp_bytes_of(want, len)));
            ck_assert_uint_eq(entries[i].session_id[0], 1); /* the first session's number */
            ck_assert_uint_eq(entries[i].session_id[1], 0);
        }
    }
    ck_assert_msg(to->datagram_count == n, "%s: %zu frames", c->name, to->datagram_count);
    ck_assert_uint_eq(from->datagram_count, 0);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_trunk_packets_total"), c->packets);
    stage_free(&st);
}
END_TEST

START_TEST(off_by_default) {
    stage *st = stage_new(NULL);
    guest *from = stage_member(st, "room");
    const guest *to = stage_member(st, "room");
    say(from, 1, 60);
    stage_run(st, 100);
    ck_assert_uint_eq(to->datagram_count, 1);
    ck_assert_int_eq(to->datagrams->text[0], WZP_PROTOCOL_VERSION);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_trunk_packets_total"), 0);
    stage_free(&st);
}
END_TEST

/* What is pending when a sender goes still leaves, and nothing of it waits for the timer. */
START_TEST(leaving_flushes) {
    stage *st = stage_new(&trunking);
    guest *from = stage_member(st, "room");
    const guest *to = stage_member(st, "room");
    say(from, 1, 60);
    say(from, 2, 60);
    pair_run(&st->net, st->net.now + WZP_MS); /* both are on their way */
    guest_leave(from);
    stage_run(st, 100);
    wzp_trunk_entry entries[16];
    const heard *h;
    ck_assert_uint_eq(frame_of(to, 0, entries, &h), 2);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_trunk_frames_total{cause=\"end\"}"), 1);
    stage_free(&st);
}
END_TEST

/* A packet that fills a datagram fits no frame: as deployed it is lost, and counted. */
START_TEST(too_large_for_a_frame) {
    stage *st = stage_new(&trunking);
    guest *from = stage_member(st, "room");
    const guest *to = stage_member(st, "room");
    const size_t limit = wzp_quic_max_datagram(from->quic, from->conn);
    say(from, 1, limit - WZP_MEDIA_HDR_LEN);
    say(from, 2, 10);
    stage_run(st, 100);
    wzp_trunk_entry entries[16];
    const heard *h;
    ck_assert_uint_eq(to->datagram_count, 1);
    ck_assert_uint_eq(frame_of(to, 0, entries, &h), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_send_failures_total"), 1);
    stage_free(&st);
}
END_TEST

/* --- members come, go and talk at random ------------------------------------------------------ */

typedef struct twin {
    guest *who;
    bool left;
    uint32_t next; /* sequence number: also how many packets it sent */
} twin;

static uint32_t below(wzp_prng *prng, uint32_t bound) {
    return (uint32_t)wzp_rng_below(wzp_prng_rng(prng), bound);
}

/* Everything that `to` heard of `from`: in order, without a hole, from its first packet on if it
 * was there from the start and to its last one if both stayed. */
static void check_heard(const twin *twins, size_t to_index, size_t from_index) {
    const guest *to = twins[to_index].who;
    const twin *from = &twins[from_index];
    char what[64];
    bool started = to_index < MEMBERS;
    uint32_t seq = UINT32_MAX;
    size_t nth = 0;
    (void)snprintf(what, sizeof what, "%zu to %zu", from_index, to_index);
    for (const heard *d = to->datagrams; d != NULL; d = d->next, nth++) {
        wzp_trunk_entry entries[16];
        const heard *h;
        const uint16_t count = frame_of(to, nth, entries, &h);
        for (uint16_t i = 0; i < count; i++) {
            wzp_media_packet packet;
            ck_assert(wzp_media_packet_parse(&packet, entries[i].payload, NULL) == WZP_OK);
            if (entries[i].session_id[0] == from_index + 1) {
                ck_assert_msg(!started || packet.hdr.seq == seq + 1, "%s: %u after %u", what,
                              packet.hdr.seq, seq);
                started = true;
                seq = packet.hdr.seq;
            }
        }
    }
    const bool stayed = !from->left && !twins[to_index].left && from_index != to_index;
    ck_assert_msg(!stayed || seq == from->next - 1 || !started, "%s: last %u of %u", what, seq,
                  from->next);
}

START_TEST(members_at_random) {
    wzp_prng prng;
    twin twins[STAGE_GUESTS] = {0};
    stage *st = stage_new(&trunking);
    wzp_prng_init(&prng, (uint64_t)_i, "trunk");
    for (size_t i = 0; i < MEMBERS; i++) {
        twins[i].who = stage_member(st, "room");
    }
    for (int step = 0; step < STEPS; step++) {
        twin *t = &twins[below(&prng, (uint32_t)st->guest_count)];
        const uint32_t dice = below(&prng, 200);
        if (dice == 0 && st->guest_count < STAGE_GUESTS) {
            const size_t place = st->guest_count;
            twins[place].who = stage_member(st, "room");
        } else if (dice == 1 && !t->left) {
            guest_leave(t->who);
            t->left = true;
        } else if (!t->left) {
            say(t->who, t->next++, below(&prng, 4) == 0 ? below(&prng, 1100) : 60);
        }
        if (below(&prng, 3) == 0) {
            pair_run(&st->net, st->net.now + below(&prng, 4000) * WZP_US);
        }
    }
    stage_run(st, 1000);
    for (size_t to = 0; to < st->guest_count; to++) {
        for (size_t from = 0; from < st->guest_count; from++) {
            check_heard(twins, to, from);
        }
    }
    stage_free(&st);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("trunk");
    tcase_add_loop_test(tc, burst, 0, (int)WZP_COUNT_OF(bursts));
    tcase_add_test(tc, off_by_default);
    tcase_add_test(tc, leaving_flushes);
    tcase_add_test(tc, too_large_for_a_frame);
    tcase_add_loop_test(tc, members_at_random, 0, 4);
    return wzp_run_suite("trunk", tc);
}
