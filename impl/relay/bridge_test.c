/* Guests over WebSockets and members over QUIC in one room (relay sheet 11.6). */
#include <stdio.h>

#include "base/testing/suite.h"
#include "relay/bridge.h"
#include "relay/limits.h"
#include "relay/testing/stage.h"
#include "wire/media.h"

enum { SOON = 300, FRAME = 1920 };

static const wzp_addr somewhere = {.family = WZP_ADDR_V4, .port = 77, .ip = {192, 0, 2, 1}};

static uint64_t open_in(stage *st, const char *room, void *app) {
    return wzp_relay_bridge_open(st->relay, room, &somewhere, app, st->net.now);
}

static void say_text(stage *st, uint64_t id, const char *text) {
    wzp_relay_bridge_text(st->relay, id, wzp_bytes_str(text), st->net.now);
}

static void say(stage *st, uint64_t id, const void *data, size_t len) {
    wzp_relay_bridge_binary(st->relay, id, wzp_bytes_of(data, len), st->net.now);
}

/* The next message is of this kind and reads so. */
static void expect(stage *st, uint64_t id, wzp_bridge_kind kind, wzp_bytes body) {
    wzp_bridge_message got;
    ck_assert_msg(wzp_relay_bridge_next(st->relay, id, &got), "nothing comes");
    ck_assert_int_eq(got.kind, kind);
    ck_assert_msg(wzp_bytes_equal(got.body, body), "got '%.*s' instead of '%.*s'",
                  (int)got.body.len, (const char *)got.body.data, (int)body.len,
                  (const char *)body.data);
}

static void expect_text(stage *st, uint64_t id, wzp_bridge_kind kind, const char *text) {
    expect(st, id, kind, wzp_bytes_str(text));
}

static void expect_nothing(stage *st, uint64_t id) {
    wzp_bridge_message got;
    ck_assert(!wzp_relay_bridge_next(st->relay, id, &got));
}

/* A guest that is in its room. */
static uint64_t member(stage *st, const char *room) {
    const uint64_t id = open_in(st, room, st);
    ck_assert_uint_ne(id, 0);
    expect_text(st, id, WZP_BRIDGE_TEXT, "{\"type\":\"auth_ok\"}");
    expect_nothing(st, id);
    return id;
}

static long long drops(const stage *st, const char *why) {
    char name[96];
    (void)snprintf(name, sizeof name, "wzp_relay_ws_frames_dropped_total{why=\"%s\"}", why);
    return stage_metric(st, name);
}

static void send_packet(guest *g, wzp_media_hdr hdr, wzp_bytes payload) {
    uint8_t buf[1500];
    wzp_wr wr;
    hdr.version = WZP_PROTOCOL_VERSION;
    const wzp_media_packet packet = {.hdr = hdr, .payload = payload, .report = {.loss_pct = 1}};
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_packet_write(&wr, &packet);
    guest_send(g, wzp_bytes_of(buf, wzp_wr_len(&wr)));
    stage_run(g->stage, SOON);
}

/* --- media ------------------------------------------------------------------------------------ */

START_TEST(frames_between_guests_are_the_same_bytes) {
    uint8_t samples[FRAME];
    stage *st = stage_new(NULL);
    const uint64_t a = member(st, "room");
    const uint64_t b = member(st, "room");
    const uint64_t c = member(st, "room");
    const uint64_t elsewhere = member(st, "Room"); /* names keep their case */
    for (size_t i = 0; i < sizeof samples; i++) {
        samples[i] = (uint8_t)(i * 7);
    }
    say(st, a, samples, sizeof samples);
    expect(st, b, WZP_BRIDGE_BINARY, wzp_bytes_of(samples, sizeof samples));
    expect(st, c, WZP_BRIDGE_BINARY, wzp_bytes_of(samples, sizeof samples));
    expect_nothing(st, b);
    expect_nothing(st, a);
    expect_nothing(st, elsewhere);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_ws_frames_in_total"), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_ws_frames_out_total"), 2);
    stage_free(&st);
}
END_TEST

START_TEST(quic_members_get_a_header) {
    static const uint8_t want[] = {2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'a', 'b', 'c'};
    stage *st = stage_new(NULL);
    guest *g = stage_member(st, "room");
    const uint64_t a = member(st, "room");
    say(st, a, "abc", 3);
    say(st, a, "abc", 3);
    stage_run(st, SOON);
    ck_assert_uint_eq(g->datagram_count, 2);
    for (const heard *h = g->datagrams; h != NULL; h = h->next) {
        ck_assert_uint_eq(h->len, sizeof want);
        ck_assert_mem_eq(h->text, want, sizeof want);
    }
    stage_free(&st);
}
END_TEST

/* Samples of 20 ms are longer than a datagram: lost, as deployed, but counted. */
START_TEST(long_frames_do_not_fit_a_datagram) {
    static const uint8_t samples[FRAME];
    stage *st = stage_new(NULL);
    const guest *g = stage_member(st, "room");
    const uint64_t a = member(st, "room");
    say(st, a, samples, sizeof samples);
    stage_run(st, SOON);
    ck_assert_uint_eq(g->datagram_count, 0);
    ck_assert_int_eq(drops(st, "datagram"), 1);
    stage_free(&st);
}
END_TEST

START_TEST(guests_get_payloads) {
    stage *st = stage_new(NULL);
    guest *g = stage_member(st, "room");
    guest *other = stage_member(st, "room");
    const uint64_t a = member(st, "room");
    send_packet(g, (wzp_media_hdr){.flags = WZP_MEDIA_QUALITY, .seq = 5}, wzp_bytes_str("voice"));
    send_packet(g,
                (wzp_media_hdr){
                    .media_type = WZP_MEDIA_VIDEO, .codec_id = WZP_CODEC_AV1_MAIN, .stream_id = 1},
                wzp_bytes_str("layer 1"));
    send_packet(g, (wzp_media_hdr){.seq = 6}, wzp_bytes_of(NULL, 0));
    expect_text(st, a, WZP_BRIDGE_BINARY, "voice");
    expect_nothing(st, a);
    ck_assert_uint_eq(other->datagram_count, 2);
    stage_free(&st);
}
END_TEST

START_TEST(trunks_are_not_for_guests) {
    const wzp_relay_cfg cfg = {.trunking = true};
    stage *st = stage_new(&cfg);
    guest *g = stage_member(st, "room");
    const uint64_t a = member(st, "room");
    guest *last = stage_member(st, "room");
    send_packet(g, (wzp_media_hdr){.seq = 1}, wzp_bytes_str("voice"));
    expect_text(st, a, WZP_BRIDGE_BINARY, "voice");
    say(st, a, "abc", 3);
    stage_run(st, SOON);
    ck_assert_uint_eq(last->datagram_count, 2);
    ck_assert_uint_eq(last->datagrams->next->len, 2 + 4 + 16 + 3);
    wzp_relay_bridge_closed(st->relay, a, st->net.now);
    send_packet(g, (wzp_media_hdr){.seq = 2}, wzp_bytes_str("voice"));
    ck_assert_uint_eq(last->datagram_count, 3);
    stage_free(&st);
}
END_TEST

/* --- bounds ----------------------------------------------------------------------------------- */

START_TEST(a_full_queue_drops) {
    char body[16];
    stage *st = stage_new(NULL);
    const uint64_t a = member(st, "room");
    const uint64_t b = member(st, "room");
    for (int i = 0; i < WZP_LIMIT_BRIDGE_QUEUE + 6; i++) {
        const int n = snprintf(body, sizeof body, "frame %d", i);
        say(st, a, body, (size_t)n);
    }
    ck_assert_int_eq(drops(st, "queue"), 6);
    for (int i = 0; i < WZP_LIMIT_BRIDGE_QUEUE; i++) {
        (void)snprintf(body, sizeof body, "frame %d", i);
        expect_text(st, b, WZP_BRIDGE_BINARY, body);
    }
    expect_nothing(st, b);
    say(st, a, "again", 5);
    expect_text(st, b, WZP_BRIDGE_BINARY, "again");
    stage_free(&st);
}
END_TEST

START_TEST(a_flood_is_cut) {
    stage *st = stage_new(NULL);
    const uint64_t a = member(st, "room");
    for (int i = 0; i < WZP_LIMIT_BRIDGE_RATE + 10; i++) {
        say(st, a, "x", 1);
    }
    ck_assert_int_eq(drops(st, "rate"), 10);
    stage_run(st, 1001);
    say(st, a, "x", 1);
    ck_assert_int_eq(drops(st, "rate"), 10);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_ws_frames_in_total"), WZP_LIMIT_BRIDGE_RATE + 1);
    stage_free(&st);
}
END_TEST

/* --- abuse ------------------------------------------------------------------------------------ */

static const struct abuse_case {
    const char *name;
    wzp_enforce enforce;
    uint16_t frame, per_second;
    const char *code; /* of its Hangup; NULL: it stays */
    bool is_counted;  /* by the deployed meter */
} abuse_cases[] = {
    {"samples of 20 ms", WZP_ENFORCE_ON, FRAME, 50, NULL, false},
    {"samples of 40 ms", WZP_ENFORCE_ON, 2 * FRAME, 25, NULL, false},
    {"Opus", WZP_ENFORCE_ON, 80, 50, NULL, false},
    {"samples, four times as many", WZP_ENFORCE_ON, FRAME, 200, "Bitrate", true},
    {"the longest frames", WZP_ENFORCE_ON, WZP_BRIDGE_FRAME_MAX, 30, "PayloadSize", true},
    {"Opus packets like no other", WZP_ENFORCE_ON, 1275, 20, "PayloadSize", true},
    {"a flood of little ones", WZP_ENFORCE_ON, 10, 500, "PacketRate", true},
    {"the same is only counted", WZP_ENFORCE_COUNT, 10, 500, NULL, true},
    {"the same where deployed relays do not look", WZP_ENFORCE_OBSERVE, 10, 500, NULL, false},
    {"the same", WZP_ENFORCE_OFF, 10, 500, NULL, false},
};

/* Three seconds of it; true if it was told to stop. */
static bool sends(stage *st, uint64_t id, const struct abuse_case *c, const char *what) {
    static const uint8_t zeros[WZP_BRIDGE_FRAME_MAX];
    wzp_bridge_message got;
    for (unsigned i = 0; i < 3U * c->per_second; i++) {
        say(st, id, zeros, c->frame);
        stage_run(st, i * 1000 / c->per_second < (i + 1) * 1000 / c->per_second
                          ? (i + 1) * 1000 / c->per_second - i * 1000 / c->per_second
                          : 0);
    }
    if (!wzp_relay_bridge_next(st->relay, id, &got)) {
        return false;
    }
    ck_assert_int_eq(got.kind, WZP_BRIDGE_TEXT);
    ck_assert_msg(got.body.len == strlen(what) && memcmp(got.body.data, what, got.body.len) == 0,
                  "%s: told '%.*s'", c->name, (int)got.body.len, (const char *)got.body.data);
    expect_text(st, id, WZP_BRIDGE_REJECT, "policy violation");
    expect_nothing(st, id);
    return true;
}

START_TEST(what_guests_send_is_metered) {
    const struct abuse_case *c = &abuse_cases[_i];
    const wzp_relay_cfg cfg = {.enforce = c->enforce};
    char want[160] = "";
    stage *st = stage_new(&cfg);
    const uint64_t a = member(st, "room");
    if (c->code != NULL) {
        (void)snprintf(
            want, sizeof want,
            "{\"Hangup\":{\"version\":1,\"reason\":{\"PolicyViolation\":{\"code\":\"%s\","
            "\"reason\":\"Tier G enforcement: %s\"}}}}",
            c->code, c->code);
    }
    ck_assert_msg(sends(st, a, c, want) == (c->code != NULL), "%s", c->name);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_ws_hangups_total"), c->code != NULL ? 1 : 0);
    const bool counted = strstr(stage_metrics(st), "violations_total{") != NULL;
    ck_assert_msg(counted == c->is_counted, "%s: counted %d", c->name, counted);
    stage_free(&st);
}
END_TEST

/* It has no name: other guests of its address are kept out for a while, and nobody else. */
START_TEST(nameless_offenders_cool_down) {
    static const wzp_addr elsewhere = {.family = WZP_ADDR_V4, .port = 77, .ip = {192, 0, 2, 2}};
    static const wzp_addr proxy = {.family = WZP_ADDR_V4, .port = 77, .ip = {127, 0, 0, 1}};
    const wzp_relay_cfg cfg = {.enforce = WZP_ENFORCE_ON, .policy = {.cooldown = 5 * WZP_S}};
    const char *want = "{\"Hangup\":{\"version\":1,\"reason\":{\"PolicyViolation\":{\"code\":"
                       "\"PacketRate\",\"reason\":\"Tier G enforcement: PacketRate\"}}}}";
    const struct abuse_case *flood = &abuse_cases[6];
    wzp_bridge_message got;
    stage *st = stage_new(&cfg);
    ck_assert(sends(st, member(st, "room"), flood, want));
    const uint64_t again = open_in(st, "room", st);
    ck_assert(wzp_relay_bridge_next(st->relay, again, &got));
    ck_assert_ptr_nonnull(memmem(got.body.data, got.body.len, "cool-down, ", 11));
    stage_run(st, 10);
    expect_text(st, again, WZP_BRIDGE_REJECT, "policy violation");
    ck_assert_int_eq(stage_metric(st, "wzp_relay_bans_refused_total{kind=\"cool-down\"}"), 1);
    const uint64_t other = wzp_relay_bridge_open(st->relay, "room", &elsewhere, st, st->net.now);
    expect_text(st, other, WZP_BRIDGE_TEXT, "{\"type\":\"auth_ok\"}");
    const uint64_t one = wzp_relay_bridge_open(st->relay, "room", &proxy, st, st->net.now);
    expect_text(st, one, WZP_BRIDGE_TEXT, "{\"type\":\"auth_ok\"}");
    ck_assert(sends(st, one, flood, want));
    const uint64_t two = wzp_relay_bridge_open(st->relay, "room", &proxy, st, st->net.now);
    expect_text(st, two, WZP_BRIDGE_TEXT, "{\"type\":\"auth_ok\"}");
    stage_run(st, 6000);
    (void)member(st, "room"); /* the cool-down is over */
    stage_free(&st);
}
END_TEST

START_TEST(odd_sizes_are_dropped) {
    static const uint8_t large[WZP_BRIDGE_FRAME_MAX + 1];
    stage *st = stage_new(NULL);
    const uint64_t a = member(st, "room");
    const uint64_t b = member(st, "room");
    say(st, a, "", 0);
    say(st, a, large, sizeof large);
    expect_nothing(st, b);
    ck_assert_int_eq(drops(st, "size"), 2);
    say(st, a, large, sizeof large - 1);
    expect(st, b, WZP_BRIDGE_BINARY, wzp_bytes_of(large, sizeof large - 1));
    stage_free(&st);
}
END_TEST

START_TEST(guests_are_sessions) {
    const wzp_relay_cfg cfg = {.max_sessions = 2};
    stage *st = stage_new(&cfg);
    const uint64_t a = member(st, "room");
    (void)stage_member(st, "room");
    const uint64_t late = open_in(st, "room", st);
    ck_assert_uint_ne(late, 0);
    expect_text(st, late, WZP_BRIDGE_CLOSE, "refused");
    expect_nothing(st, late);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_active_sessions"), 2);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_ws_connections"), 2);
    wzp_relay_bridge_closed(st->relay, late, st->net.now);
    wzp_relay_bridge_closed(st->relay, a, st->net.now);
    wzp_relay_bridge_closed(st->relay, a, st->net.now); /* a number is never used again */
    ck_assert_int_eq(stage_metric(st, "wzp_relay_active_sessions"), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_ws_connections"), 0);
    (void)member(st, "room");
    stage_free(&st);
}
END_TEST

START_TEST(guests_have_a_limit_of_their_own) {
    const wzp_relay_cfg cfg = {.max_sessions = 2000};
    stage *st = stage_new(&cfg);
    for (int i = 0; i < WZP_LIMIT_BRIDGE_GUESTS; i++) {
        ck_assert_uint_ne(open_in(st, "room", st), 0);
    }
    ck_assert_uint_eq(open_in(st, "room", st), 0);
    stage_free(&st);
}
END_TEST

static const struct name_case {
    const char *name, *room;
    bool served;
} name_cases[] = {
    {"a room", "general", true}, {"upper case", "General", true},  {"signals", "_signal", false},
    {"probes", "_probe", false}, {"relays", "_federation", false}, {"links", "_relay", false},
    {"ping", "ping", false},     {"version", "version", false},    {"nothing", "", false},
    {"pings", "pings", true},
};

START_TEST(names) {
    const struct name_case *c = &name_cases[_i];
    char longest[256];
    stage *st = stage_new(NULL);
    ck_assert_msg(wzp_relay_bridge_serves(c->room) == c->served, "%s", c->name);
    ck_assert_msg((open_in(st, c->room, st) != 0) == c->served, "%s", c->name);
    memset(longest, 'x', sizeof longest);
    longest[WZP_QUIC_SNI_MAX] = '\0';
    ck_assert(wzp_relay_bridge_serves(longest));
    memset(longest, 'x', sizeof longest);
    longest[WZP_QUIC_SNI_MAX + 1] = '\0';
    ck_assert(!wzp_relay_bridge_serves(longest));
    stage_free(&st);
}
END_TEST

START_TEST(rooms_of_calls_are_for_their_parties) {
    stage *st = stage_new(NULL);
    const uint64_t a = open_in(st, "call-abc", st);
    expect_text(st, a, WZP_BRIDGE_CLOSE, "refused");
    stage_free(&st);
}
END_TEST

/* --- who is there ----------------------------------------------------------------------------- */

START_TEST(updates_name_guests) {
    stage *st = stage_new(NULL);
    guest *g = stage_member(st, "room");
    ck_assert_uint_eq(guest_count(g, "RoomUpdate"), 1);
    const uint64_t a = member(st, "room");
    stage_run(st, SOON);
    ck_assert_uint_eq(guest_count(g, "RoomUpdate"), 1); /* as deployed: without a word */
    (void)stage_member(st, "room");
    const heard *update = guest_heard(g, "RoomUpdate", 1);
    ck_assert_ptr_nonnull(strstr(update->text, "\"count\":3"));
    ck_assert_ptr_nonnull(
        strstr(update->text, ",{\"fingerprint\":\"\",\"alias\":null,\"relay_label\":null},"));
    wzp_relay_bridge_closed(st->relay, a, st->net.now);
    stage_run(st, SOON);
    ck_assert_uint_eq(guest_count(g, "RoomUpdate"), 2);
    expect_nothing(st, a);
    stage_free(&st);
}
END_TEST

START_TEST(a_room_of_guests_alone) {
    stage *st = stage_new(NULL);
    const uint64_t a = member(st, "room");
    ck_assert_int_eq(stage_metric(st, "wzp_relay_active_rooms"), 1);
    wzp_relay_bridge_closed(st->relay, a, st->net.now);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_active_rooms"), 0);
    stage_free(&st);
}
END_TEST

START_TEST(ready_comes_once) {
    int apps[2];
    stage *st = stage_new(NULL);
    const uint64_t a = open_in(st, "room", &apps[0]);
    const uint64_t b = open_in(st, "room", &apps[1]);
    const void *first = wzp_relay_bridge_ready(st->relay);
    const void *second = wzp_relay_bridge_ready(st->relay);
    ck_assert((first == &apps[0] && second == &apps[1]) ||
              (first == &apps[1] && second == &apps[0]));
    ck_assert_ptr_null(wzp_relay_bridge_ready(st->relay));
    say(st, a, "x", 1);
    ck_assert_ptr_null(wzp_relay_bridge_ready(st->relay)); /* is still to be asked */
    expect_text(st, b, WZP_BRIDGE_TEXT, "{\"type\":\"auth_ok\"}");
    expect_text(st, b, WZP_BRIDGE_BINARY, "x");
    expect_nothing(st, b);
    say(st, a, "y", 1);
    ck_assert_ptr_eq(wzp_relay_bridge_ready(st->relay), &apps[1]);
    expect_text(st, b, WZP_BRIDGE_BINARY, "y");
    expect_nothing(st, b);
    say(st, a, "z", 1);
    wzp_relay_bridge_closed(st->relay, b, st->net.now); /* goes with something to be told */
    ck_assert_ptr_null(wzp_relay_bridge_ready(st->relay));
    stage_free(&st);
}
END_TEST

/* --- tokens ----------------------------------------------------------------------------------- */

static stage *with_tokens(void) {
    const wzp_relay_cfg cfg = {.auth = true};
    return stage_new(&cfg);
}

static uint64_t asked(stage *st, const char *token) {
    wzp_relay_auth question;
    ck_assert(wzp_relay_next_auth(st->relay, &question));
    ck_assert(wzp_bytes_equal(question.token, wzp_bytes_str(token)));
    return question.id;
}

START_TEST(a_good_token) {
    stage *st = with_tokens();
    const uint64_t a = open_in(st, "room", st);
    expect_nothing(st, a);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_active_sessions"), 0);
    say_text(st, a, "{\"type\":\"auth\",\"token\":\"a\\u0062\\\"c\"}");
    const uint64_t id = asked(st, "ab\"c");
    say(st, a, "early", 5); /* is lost */
    wzp_relay_auth_result(st->relay, id, WZP_AUTH_ACCEPTED, "ann", st->net.now);
    expect_text(st, a, WZP_BRIDGE_TEXT, "{\"type\":\"auth_ok\"}");
    ck_assert(wzp_relay_has_client(st->relay, "ann"));
    say_text(st, a, "{\"type\":\"auth\",\"token\":\"again\"}");
    wzp_relay_auth question;
    ck_assert(!wzp_relay_next_auth(st->relay, &question));
    stage_run(st, 11000); /* no timer is left */
    ck_assert_int_eq(stage_metric(st, "wzp_relay_active_sessions"), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_auth_attempts_total{result=\"ok\"}"), 1);
    stage_free(&st);
}
END_TEST

START_TEST(a_bad_token) {
    stage *st = with_tokens();
    const uint64_t a = open_in(st, "room", st);
    say_text(st, a, "{\"type\":\"auth\",\"token\":\"t\"}");
    wzp_relay_auth_result(st->relay, asked(st, "t"), WZP_AUTH_REFUSED, NULL, st->net.now);
    expect_text(st, a, WZP_BRIDGE_TEXT, "{\"type\":\"auth_error\",\"error\":\"token refused\"}");
    expect_text(st, a, WZP_BRIDGE_CLOSE, "token check: refused");
    ck_assert_int_eq(stage_metric(st, "wzp_relay_auth_attempts_total{result=\"fail\"}"), 1);
    stage_free(&st);
}
END_TEST

START_TEST(a_silent_service) {
    stage *st = with_tokens();
    const uint64_t a = open_in(st, "room", st);
    say_text(st, a, "{\"type\":\"auth\",\"token\":\"t\"}");
    const uint64_t id = asked(st, "t");
    stage_run(st, 5100);
    expect_text(st, a, WZP_BRIDGE_TEXT, "{\"type\":\"auth_error\",\"error\":\"token timeout\"}");
    expect_text(st, a, WZP_BRIDGE_CLOSE, "token check: timeout");
    wzp_relay_auth_result(st->relay, id, WZP_AUTH_ACCEPTED, "ann", st->net.now);
    ck_assert(!wzp_relay_has_client(st->relay, "ann"));
    stage_free(&st);
}
END_TEST

static const struct text_case {
    const char *name, *text, *token; /* NULL: no auth message */
} text_cases[] = {
    {"usual", "{\"type\":\"auth\",\"token\":\"T\"}", "T"},
    {"other order and more", " {\"token\" : \"T\", \"x\":[1,{}], \"type\":\"auth\"} ", "T"},
    {"escapes", "{\"type\":\"a\\u0075th\",\"token\":\"\\ud83d\\ude00\\n\"}", "\xf0\x9f\x98\x80\n"},
    {"empty token", "{\"type\":\"auth\",\"token\":\"\"}", ""},
    {"other type", "{\"type\":\"hello\",\"token\":\"T\"}", NULL},
    {"no type", "{\"token\":\"T\"}", NULL},
    {"no token", "{\"type\":\"auth\"}", NULL},
    {"null token", "{\"type\":\"auth\",\"token\":null}", NULL},
    {"number", "{\"type\":\"auth\",\"token\":7}", NULL},
    {"half an escape", "{\"type\":\"auth\",\"token\":\"\\ud83d\"}", NULL},
    {"not UTF-8", "{\"type\":\"auth\",\"token\":\"\xff\"}", NULL},
    {"more behind", "{\"type\":\"auth\",\"token\":\"T\"}x", NULL},
    {"a list", "[\"auth\",\"T\"]", NULL},
    {"nothing", "", NULL},
};

START_TEST(texts) {
    const struct text_case *c = &text_cases[_i];
    uint8_t token[128];
    size_t len = 0;
    const wzp_bytes text = wzp_bytes_str(c->text);
    const bool is_auth = wzp_bridge_auth_read(text, token, &len);
    ck_assert_msg(is_auth == (c->token != NULL), "%s", c->name);
    ck_assert_msg(!is_auth || wzp_bytes_equal(wzp_bytes_of(token, len), wzp_bytes_str(c->token)),
                  "%s: %.*s", c->name, (int)len, (const char *)token);
    for (size_t cut = 0; c->token != NULL && cut + 1 < text.len; cut++) {
        if (text.data[cut] != '}' || cut + 2 < text.len) {
            ck_assert_msg(!wzp_bridge_auth_read(wzp_bytes_of(text.data, cut), token, &len),
                          "%s: cut at %zu", c->name, cut);
        }
    }
}
END_TEST

static const struct first_case {
    const char *name, *text; /* NULL: a binary frame */
} first_cases[] = {
    {"no JSON", "hello"},
    {"another type", "{\"type\":\"join\",\"token\":\"t\"}"},
    {"a binary frame", NULL},
};

/* Others than an auth message end it without a word. */
START_TEST(first_frames) {
    const struct first_case *c = &first_cases[_i];
    stage *st = with_tokens();
    const uint64_t a = open_in(st, "room", st);
    if (c->text != NULL) {
        say_text(st, a, c->text);
    } else {
        say(st, a, "x", 1);
    }
    expect_text(st, a, WZP_BRIDGE_CLOSE, "token expected");
    expect_nothing(st, a);
    stage_free(&st);
}
END_TEST

START_TEST(silence_ends_it) {
    stage *st = with_tokens();
    const uint64_t a = open_in(st, "room", st);
    stage_run(st, 9900);
    expect_nothing(st, a);
    stage_run(st, 200);
    expect_text(st, a, WZP_BRIDGE_CLOSE, "normal close");
    stage_free(&st);
}
END_TEST

/* A guest who leaves while the service is asked; a token past the limit. */
START_TEST(tokens_are_bounded) {
    static char text[WZP_LIMIT_TOKEN + 64];
    stage *st = with_tokens();
    const uint64_t gone = open_in(st, "room", st);
    say_text(st, gone, "{\"type\":\"auth\",\"token\":\"t\"}");
    const uint64_t id = asked(st, "t");
    wzp_relay_bridge_closed(st->relay, gone, st->net.now);
    wzp_relay_auth_result(st->relay, id, WZP_AUTH_ACCEPTED, "ann", st->net.now);
    ck_assert(!wzp_relay_has_client(st->relay, "ann"));
    const int head = snprintf(text, sizeof text, "{\"type\":\"auth\",\"token\":\"");
    memset(text + head, 'x', WZP_LIMIT_TOKEN + 1);
    memcpy(text + head + WZP_LIMIT_TOKEN + 1, "\"}", 3);
    const uint64_t a = open_in(st, "room", st);
    say_text(st, a, text);
    expect_text(st, a, WZP_BRIDGE_CLOSE, "token not checked");
    stage_free(&st);
}
END_TEST

/* --- ends ------------------------------------------------------------------------------------- */

START_TEST(shutdown_tells_guests) {
    stage *st = stage_new(NULL);
    const uint64_t a = member(st, "room");
    wzp_relay_shutdown(st->relay, st->net.now);
    /* It is out of its room, however long its socket takes. */
    ck_assert_int_eq(stage_metric(st, "wzp_relay_active_sessions"), 0);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_ws_connections"), 1);
    expect_text(st, a, WZP_BRIDGE_CLOSE, "normal close");
    ck_assert_uint_eq(open_in(st, "room", st), 0);
    stage_free(&st);
}
END_TEST

START_TEST(drain_waits_for_guests) {
    stage *st = with_tokens();
    const uint64_t waits = open_in(st, "room", st);
    const uint64_t a = open_in(st, "room", st);
    say_text(st, a, "{\"type\":\"auth\",\"token\":\"t\"}");
    wzp_relay_auth_result(st->relay, asked(st, "t"), WZP_AUTH_ACCEPTED, "ann", st->net.now);
    expect_text(st, a, WZP_BRIDGE_TEXT, "{\"type\":\"auth_ok\"}");
    wzp_relay_drain(st->relay, st->net.now);
    stage_run(st, 700);
    expect_text(st, waits, WZP_BRIDGE_CLOSE, "the relay drains");
    expect_nothing(st, a);
    wzp_relay_bridge_closed(st->relay, waits, st->net.now);
    ck_assert(!wzp_relay_is_drained(st->relay));
    wzp_relay_bridge_closed(st->relay, a, st->net.now);
    ck_assert(wzp_relay_is_drained(st->relay));
    stage_free(&st);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("bridge");
    tcase_add_test(tc, frames_between_guests_are_the_same_bytes);
    tcase_add_test(tc, quic_members_get_a_header);
    tcase_add_test(tc, long_frames_do_not_fit_a_datagram);
    tcase_add_test(tc, guests_get_payloads);
    tcase_add_test(tc, trunks_are_not_for_guests);
    tcase_add_test(tc, a_full_queue_drops);
    tcase_add_test(tc, a_flood_is_cut);
    tcase_add_loop_test(tc, what_guests_send_is_metered, 0, (int)WZP_COUNT_OF(abuse_cases));
    tcase_add_test(tc, nameless_offenders_cool_down);
    tcase_add_test(tc, odd_sizes_are_dropped);
    tcase_add_test(tc, guests_are_sessions);
    tcase_add_test(tc, guests_have_a_limit_of_their_own);
    tcase_add_loop_test(tc, names, 0, WZP_COUNT_OF(name_cases));
    tcase_add_test(tc, rooms_of_calls_are_for_their_parties);
    tcase_add_test(tc, updates_name_guests);
    tcase_add_test(tc, a_room_of_guests_alone);
    tcase_add_test(tc, ready_comes_once);
    tcase_add_test(tc, a_good_token);
    tcase_add_test(tc, a_bad_token);
    tcase_add_test(tc, a_silent_service);
    tcase_add_loop_test(tc, texts, 0, WZP_COUNT_OF(text_cases));
    tcase_add_loop_test(tc, first_frames, 0, WZP_COUNT_OF(first_cases));
    tcase_add_test(tc, silence_ends_it);
    tcase_add_test(tc, tokens_are_bounded);
    tcase_add_test(tc, shutdown_tells_guests);
    tcase_add_test(tc, drain_waits_for_guests);
    return wzp_run_suite("bridge", tc);
}
