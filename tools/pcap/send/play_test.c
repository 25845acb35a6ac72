/* From messages to a plan, and from a plan to a relay's room: on the in-memory network, in virtual
 * time, with a guest who listens. */
#include <check.h>
#include <stdio.h>

#include "base/testing/suite.h"
#include "relay/testing/stage.h"
#include "tools/pcap/send/player.h"

#define START (UINT64_C(1700000000) * WZP_S)

static wzp_pcap_plan *plan;
static uint64_t number;
static wzp_pcap_conn conns[] = {{.number = 1, .role = WZP_PCAP_ROLE_ROOM, .readable = true},
                                {.number = 2, .role = WZP_PCAP_ROLE_ROOM, .readable = true}};

static void begin(const wzp_pcap_plan_cfg *cfg) {
    number = 0;
    ck_assert_int_eq(wzp_pcap_plan_new(&plan, cfg), WZP_OK);
}

/* A packet of `seq`, of its own bytes, `at_ms` after the first. */
static wzp_pcap_media media_of(uint32_t seq, uint8_t fill, wzp_pcap_media_seal seal) {
    static uint8_t payload[60];
    static uint8_t plain[44];
    memset(payload, fill, sizeof payload);
    memset(plain, fill + 1, sizeof plain);
    payload[0] = (uint8_t)seq;
    wzp_pcap_media media = {.packet = {.hdr = {.version = WZP_PROTOCOL_VERSION,
                                               .codec_id = WZP_CODEC_OPUS_24K,
                                               .seq = seq,
                                               .timestamp_ms = 20 * seq},
                                       .payload = wzp_bytes_of(payload, sizeof payload)},
                            .seal = seal};
    if (seal == WZP_PCAP_SEAL_OPENED) {
        media.plain = wzp_bytes_of(plain, sizeof plain);
    }
    return media;
}

static void take(const wzp_pcap_media *media, unsigned conn, bool to_server, uint64_t at_ms) {
    const wzp_pcap_message m = {.kind = WZP_PCAP_MESSAGE_MEDIA,
                                .packet_number = ++number,
                                .time_ns = START + at_ms * WZP_MS,
                                .conn = &conns[conn - 1],
                                .to_server = to_server,
                                .media = media};
    ck_assert_int_eq(wzp_pcap_plan_take(plan, &m, true), WZP_OK);
}

static void say(uint32_t seq, unsigned conn, bool to_server, uint64_t at_ms) {
    const wzp_pcap_media media = media_of(seq, (uint8_t)(0x10 * conn), WZP_PCAP_SEAL_NO_KEY);
    take(&media, conn, to_server, at_ms);
}

/* --- plans ------------------------------------------------------------------------------------ */

/* Two talk at a relay, which passes on what each said to the other. */
static void capture_of_a_relay(uint32_t packets) {
    for (uint32_t i = 0; i < packets; i++) {
        say(i, 1, true, (uint64_t)20 * i);
        say(i, 2, false, (uint64_t)20 * i + 1);
        say(1000 + i, 2, true, (uint64_t)20 * i + 5);
        say(1000 + i, 1, false, (uint64_t)20 * i + 6);
    }
}

START_TEST(what_a_relay_passed_on_is_left_out) {
    begin(&(wzp_pcap_plan_cfg){0});
    capture_of_a_relay(10);
    wzp_pcap_plan_end(plan);
    ck_assert_uint_eq(wzp_pcap_plan_count(plan), 20);
    ck_assert_uint_eq(wzp_pcap_plan_senders(plan), 2);
    ck_assert_uint_eq(wzp_pcap_plan_counted(plan)->copies, 20);
    const wzp_pcap_planned *e = wzp_pcap_plan_at(plan, 3);
    ck_assert_uint_eq(e->at_ns, 25 * WZP_MS);
    ck_assert_uint_eq(e->sender, 1);
    ck_assert_uint_eq(e->packet.hdr.seq, 1001);
    ck_assert_uint_eq(e->packet.payload.data[1], 0x20);
    wzp_pcap_plan_free(&plan);
}
END_TEST

/* A listener's capture has nothing else. */
START_TEST(what_was_passed_on_is_taken_where_nothing_else_is_there) {
    begin(&(wzp_pcap_plan_cfg){0});
    for (uint32_t i = 0; i < 10; i++) {
        say(i, 1, false, (uint64_t)20 * i);
        say(5000 + i, 1, false, (uint64_t)20 * i + 7);
        if (i < 5) {
            say(i, 2, false, (uint64_t)20 * i + 1);
        }
    }
    wzp_pcap_plan_end(plan);
    ck_assert_uint_eq(wzp_pcap_plan_count(plan), 20);
    ck_assert_uint_eq(wzp_pcap_plan_senders(plan), 2);
    ck_assert_uint_eq(wzp_pcap_plan_counted(plan)->copies, 5);
    wzp_pcap_plan_free(&plan);
}
END_TEST

START_TEST(clocks_of_senders_give_times_without_jitter) {
    begin(&(wzp_pcap_plan_cfg){.follow = WZP_PCAP_FOLLOW_TIMESTAMP});
    static const uint64_t at_ms[] = {0, 27, 38, 95, 96};
    for (uint32_t i = 0; i < WZP_COUNT_OF(at_ms); i++) {
        wzp_pcap_media media = media_of(i, 0, WZP_PCAP_SEAL_NO_KEY);
        media.packet.hdr.timestamp_ms = 0xfffffff0 + 20 * i; /* wraps */
        take(&media, 1, true, at_ms[i]);
    }
    wzp_pcap_plan_end(plan);
    for (size_t i = 0; i < WZP_COUNT_OF(at_ms); i++) {
        ck_assert_uint_eq(wzp_pcap_plan_at(plan, i)->at_ns, i * 20 * WZP_MS);
    }
    wzp_pcap_plan_free(&plan);
}
END_TEST

START_TEST(payloads_are_as_they_are_wanted) {
    static const struct {
        wzp_pcap_payload payload;
        wzp_pcap_media_seal seal;
        size_t len; /* 0: left out */
    } cases[] = {{WZP_PCAP_PAYLOAD_AS_IS, WZP_PCAP_SEAL_OPENED, 60},
                 {WZP_PCAP_PAYLOAD_AS_IS, WZP_PCAP_SEAL_FAILED, 60},
                 {WZP_PCAP_PAYLOAD_CLEAR, WZP_PCAP_SEAL_OPENED, 44},
                 {WZP_PCAP_PAYLOAD_CLEAR, WZP_PCAP_SEAL_FAILED, 0},
                 {WZP_PCAP_PAYLOAD_CLEAR, WZP_PCAP_SEAL_NO_KEY, 60},
                 {WZP_PCAP_PAYLOAD_SEAL, WZP_PCAP_SEAL_OPENED, 44}};
    for (size_t i = 0; i < WZP_COUNT_OF(cases); i++) {
        begin(&(wzp_pcap_plan_cfg){.payload = cases[i].payload});
        const wzp_pcap_media media = media_of(1, 7, cases[i].seal);
        take(&media, 1, true, 0);
        wzp_pcap_plan_end(plan);
        ck_assert_msg(wzp_pcap_plan_count(plan) == (cases[i].len != 0), "case %zu", i);
        ck_assert_uint_eq(wzp_pcap_plan_counted(plan)->sealed, cases[i].len == 0);
        if (cases[i].len != 0) {
            ck_assert_uint_eq(wzp_pcap_plan_at(plan, 0)->packet.payload.len, cases[i].len);
        }
        wzp_pcap_plan_free(&plan);
    }
}
END_TEST

START_TEST(more_than_there_is_room_for_is_counted) {
    begin(&(wzp_pcap_plan_cfg){.max_bytes = 1000});
    for (uint32_t i = 0; i < 100; i++) {
        say(i, 1, true, (uint64_t)20 * i);
    }
    wzp_pcap_plan_end(plan);
    ck_assert_uint_gt(wzp_pcap_plan_count(plan), 2);
    ck_assert_uint_eq(wzp_pcap_plan_count(plan) + wzp_pcap_plan_counted(plan)->too_many, 100);
    wzp_pcap_plan_free(&plan);
}
END_TEST

/* --- playing ---------------------------------------------------------------------------------- */

typedef struct show {
    stage *st;
    guest *listener;
    wzp_pcap_guests *guests;
    wzp_pcap_player *player;
    wzp_prng prng;
    wzp_pcap_player_report report;
} show;

static void play(show *s, wzp_pcap_player_cfg cfg, uint64_t run_ms) {
    static const char *const aliases[] = {"one", "two"};
    static const uint8_t seeds[2][32] = {{1}, {2}};
    *s = (show){.st = stage_new(NULL)};
    s->listener = stage_member(s->st, "room");
    guest_forget(s->listener);
    wzp_prng_init(&s->prng, 7, "guests");
    const wzp_pcap_guests_cfg guests = {
        .rng = wzp_prng_rng(&s->prng),
        .count = wzp_pcap_plan_senders(plan),
        .seeds = seeds[0],
        .aliases = aliases,
        .room = "room",
        .path = {.local = wzp_addr_v4(10, 9, 9, 9, 9), .remote = s->st->relay_addr}};
    ck_assert_int_eq(wzp_pcap_guests_new(&s->guests, &guests, s->st->net.now), WZP_OK);
    cfg.guests = s->guests;
    cfg.plan = plan;
    cfg.speed_ppm = cfg.speed_ppm != 0 ? cfg.speed_ppm : 1000000;
    cfg.loops = cfg.loops != 0 ? cfg.loops : 1;
    ck_assert_int_eq(wzp_pcap_player_new(&s->player, &cfg), WZP_OK);
    pair_add(&s->st->net, wzp_pcap_player_core(s->player), guests.path.local, NULL, NULL);
    stage_run(s->st, run_ms);
    ck_assert(wzp_pcap_player_is_done(s->player));
    wzp_pcap_player_tell(s->player, &s->report);
}

static void end_show(show *s) {
    wzp_pcap_player_free(&s->player);
    s->st->net.hosts--; /* its core is gone */
    wzp_pcap_guests_free(&s->guests);
    stage_free(&s->st);
    wzp_pcap_plan_free(&plan);
}

static wzp_media_packet heard_packet(const heard *h) {
    wzp_media_packet packet;
    ck_assert_int_eq(
        wzp_media_packet_parse(&packet, wzp_bytes_of((const uint8_t *)h->text, h->len), NULL),
        WZP_OK);
    return packet;
}

START_TEST(a_room_hears_what_was_captured_at_its_times) {
    show s;
    begin(&(wzp_pcap_plan_cfg){0});
    capture_of_a_relay(50);
    wzp_pcap_plan_end(plan);
    play(&s, (wzp_pcap_player_cfg){.speed_ppm = 2000000}, 3000);
    ck_assert_uint_eq(s.listener->datagram_count, 100);
    const wzp_time first = s.listener->datagrams->at;
    const heard *h = s.listener->datagrams;
    for (size_t i = 0; i < 100; i++, h = h->next) {
        const wzp_pcap_planned *e = wzp_pcap_plan_at(plan, i);
        uint8_t want[1500];
        wzp_wr wr;
        wzp_wr_init(&wr, want, sizeof want);
        wzp_media_packet_write(&wr, &e->packet);
        ck_assert_uint_eq(h->len, wzp_wr_len(&wr));
        ck_assert_mem_eq(h->text, want, h->len);
        ck_assert_uint_eq(h->at - first, e->at_ns / 2);
    }
    ck_assert_uint_eq(s.report.packets, 100);
    ck_assert_uint_eq(s.report.late + s.report.refused, 0);
    ck_assert_uint_eq(s.report.error_max_ns, 0);
    ck_assert_uint_eq(s.report.wire.sent, 100);
    uint8_t foreseen[WZP_SHA256_LEN];
    wzp_pcap_player_foresee(s.player, foreseen);
    ck_assert_mem_eq(foreseen, s.report.digest, sizeof foreseen);
    end_show(&s);
}
END_TEST

START_TEST(loops_go_on_where_the_one_before_ended) {
    show s;
    begin(&(wzp_pcap_plan_cfg){0});
    say(100, 1, true, 0);
    say(101, 1, true, 20);
    say(104, 1, true, 80); /* a hole stays one */
    wzp_pcap_plan_end(plan);
    play(&s, (wzp_pcap_player_cfg){.rewrite = true, .loops = 2}, 2000);
    static const uint32_t seqs[] = {0, 1, 4, 5, 6, 9};
    static const uint32_t times[] = {0, 20, 80, 120, 140, 200};
    const heard *h = s.listener->datagrams;
    const wzp_time first = h->at;
    ck_assert_uint_eq(s.listener->datagram_count, 6);
    for (size_t i = 0; i < 6; i++, h = h->next) {
        const wzp_media_packet packet = heard_packet(h);
        ck_assert_uint_eq(packet.hdr.seq, seqs[i]);
        ck_assert_uint_eq(packet.hdr.timestamp_ms, times[i]);
        ck_assert_uint_eq(h->at - first, times[i] * WZP_MS);
    }
    end_show(&s);
}
END_TEST

START_TEST(a_rate_and_top_speed_lose_nothing) {
    show s;
    begin(&(wzp_pcap_plan_cfg){0});
    for (uint32_t i = 0; i < 600; i++) {
        say(i, 1, true, (uint64_t)20 * i);
    }
    wzp_pcap_plan_end(plan);
    play(&s,
         _i == 0 ? (wzp_pcap_player_cfg){.pace = WZP_PCAP_PACE_RATE, .rate = 300}
                 : (wzp_pcap_player_cfg){.pace = WZP_PCAP_PACE_TOP},
         4000);
    ck_assert_uint_eq(s.listener->datagram_count, 600);
    ck_assert_uint_eq(s.report.wire.dropped, 0);
    if (_i == 0) {
        ck_assert_uint_eq(s.report.duration_ns, 599 * WZP_S / 300);
    } else {
        ck_assert_uint_lt(s.report.duration_ns, 2 * WZP_S);
    }
    end_show(&s);
}
END_TEST

START_TEST(what_is_sealed_again_differs_and_is_longer) {
    show s;
    begin(&(wzp_pcap_plan_cfg){.payload = WZP_PCAP_PAYLOAD_SEAL});
    const wzp_pcap_media media = media_of(1, 7, WZP_PCAP_SEAL_OPENED);
    take(&media, 1, true, 0);
    wzp_pcap_plan_end(plan);
    play(&s, (wzp_pcap_player_cfg){.seal = true}, 1000);
    ck_assert_uint_eq(s.listener->datagram_count, 1);
    const wzp_media_packet packet = heard_packet(s.listener->datagrams);
    ck_assert_uint_eq(packet.payload.len, 44 + 16);
    ck_assert(memcmp(packet.payload.data, media.plain.data, 44) != 0);
    end_show(&s);
}
END_TEST

START_TEST(nobody_there_is_told) {
    show s = {.st = stage_new(NULL)};
    static const char *const aliases[] = {"one"};
    static const uint8_t seed[32] = {1};
    const char *why = "";
    wzp_prng_init(&s.prng, 7, "guests");
    const wzp_pcap_guests_cfg cfg = {
        .rng = wzp_prng_rng(&s.prng),
        .count = 1,
        .seeds = seed,
        .aliases = aliases,
        .room = "room",
        .path = {.local = wzp_addr_v4(10, 9, 9, 9, 9), .remote = wzp_addr_v4(10, 8, 8, 8, 8)}};
    ck_assert_int_eq(wzp_pcap_guests_new(&s.guests, &cfg, s.st->net.now), WZP_OK);
    pair_add(&s.st->net, wzp_pcap_guests_core(s.guests), cfg.path.local, NULL, NULL);
    stage_run(s.st, 12000);
    ck_assert_int_eq(wzp_pcap_guests_state_of(s.guests, &why), WZP_PCAP_GUESTS_GONE);
    ck_assert(wzp_pcap_guests_came_never(s.guests));
    ck_assert_str_ne(why, "");
    s.st->net.hosts--;
    wzp_pcap_guests_free(&s.guests);
    stage_free(&s.st);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, what_a_relay_passed_on_is_left_out);
    tcase_add_test(tc, what_was_passed_on_is_taken_where_nothing_else_is_there);
    tcase_add_test(tc, clocks_of_senders_give_times_without_jitter);
    tcase_add_test(tc, payloads_are_as_they_are_wanted);
    tcase_add_test(tc, more_than_there_is_room_for_is_counted);
    tcase_add_test(tc, a_room_hears_what_was_captured_at_its_times);
    tcase_add_test(tc, loops_go_on_where_the_one_before_ended);
    tcase_add_loop_test(tc, a_rate_and_top_speed_lose_nothing, 0, 2);
    tcase_add_test(tc, what_is_sealed_again_differs_and_is_longer);
    tcase_add_test(tc, nobody_there_is_told);
    return wzp_run_suite("play", tc);
}
