/* One relay's federation, with peers that the test plays. */
#include <stdio.h>

#include "base/hex.h"
#include "base/testing/suite.h"
#include "federation/federation.h"

#define FOUR(c) c c ":" c c ":" c c ":" c c
#define FP(c)                                                                                      \
    FOUR(c) ":" FOUR(c) ":" FOUR(c) ":" FOUR(c) ":" FOUR(c) ":" FOUR(c) ":" FOUR(c) ":" FOUR(c)

enum { B, C, D }; /* peers: B is dialled, C and D are trusted */

static wzp_prng prng;
static wzp_federation *fed;
static wzp_time now;
static uint32_t peer_pps, peer_bytes; /* 0: the defaults */

static void setup_with(bool pin) {
    static const char *const rooms[] = {"general", "podcast"};
    const wzp_fed_peer_cfg peers[] = {
        {wzp_addr_v4(10, 0, 0, 2, 4433), FP("b"), "Relay B"},
        {{0}, FP("C"), NULL},
        {{0}, FP("d"), "Relay D"},
    };
    const wzp_federation_cfg cfg = {.rng = wzp_prng_rng(&prng),
                                    .fingerprint = FP("a"),
                                    .peers = peers,
                                    .peer_count = 3,
                                    .rooms = rooms,
                                    .room_count = 2,
                                    .pin_required = pin,
                                    .peer_pps = peer_pps,
                                    .peer_bytes = peer_bytes,
                                    .dedup_cap = 1024};
    wzp_prng_init(&prng, 3, "federation");
    now = 1000 * WZP_S;
    ck_assert(wzp_federation_new(&fed, &cfg, now) == WZP_OK);
}

static void setup(void) {
    setup_with(false);
}

static void teardown(void) {
    wzp_federation_free(&fed);
}

/* --- what comes out --------------------------------------------------------------------------- */

static char sent[64][8192];
static uint64_t sent_to[64];
static size_t sent_count, dial_count, room_count, close_count;

static void drain(void) {
    wzp_fed_output out;
    sent_count = dial_count = room_count = close_count = 0;
    while (wzp_federation_next(fed, &out)) {
        if (out.kind == WZP_FED_SEND) {
            ck_assert_uint_lt(sent_count, 64);
            sent_to[sent_count] = out.conn;
            (void)snprintf(sent[sent_count++], sizeof sent[0], "%.*s", (int)out.json.len,
                           (const char *)out.json.data);
        }
        dial_count += out.kind == WZP_FED_DIAL ? 1 : 0;
        room_count += out.kind == WZP_FED_ROOM ? 1 : 0;
        close_count += out.kind == WZP_FED_CLOSE ? 1 : 0;
    }
}

static void run(uint64_t ms) {
    now += ms * WZP_MS;
    wzp_federation_tick(fed, now);
    drain();
}

static bool was_sent(uint64_t conn, const char *text) {
    for (size_t i = 0; i < sent_count; i++) {
        if (sent_to[i] == conn && strstr(sent[i], text) != NULL) {
            return true;
        }
    }
    return false;
}

static wzp_fed_link *accept_from(uint64_t conn, const char *fingerprint) {
    const wzp_addr anywhere = wzp_addr_v4(192, 0, 2, 1, 999);
    return wzp_federation_accepted(fed, conn, &anywhere, wzp_bytes_str(fingerprint), now, NULL);
}

static const wzp_signal *hear(wzp_fed_link *link, const char *json) {
    static wzp_signal *signal;
    wzp_signal_free(&signal);
    ck_assert_msg(wzp_signal_parse(&signal, wzp_bytes_str(json), NULL, NULL) == WZP_OK, "%s", json);
    const wzp_signal *inner = wzp_federation_signal(fed, link, signal, now);
    if (inner == NULL) {
        wzp_signal_free(&signal);
    }
    return inner;
}

static wzp_fed_room *join(const char *name, const char *fingerprint) {
    static int app;
    const wzp_room_participant list[] = {{.fingerprint = wzp_bytes_str(fingerprint)}};
    wzp_fed_room *room = wzp_federation_join(fed, name, &app, now);
    ck_assert_ptr_nonnull(room);
    wzp_federation_members(fed, room, &app, list, 1, now);
    return room;
}

/* --- trust ------------------------------------------------------------------------------------ */

static const struct trust_case {
    const char *name, *hello;
    wzp_addr from;
    bool pin, want;
} trust_cases[] = {
    {"trusted, in capitals", FP("C"), {0}, false, true},
    {"trusted, without colons",
     "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
     {0},
     true,
     true},
    {"unknown", FP("e"), {0}, false, false},
    {"ourselves", FP("A"), {0}, false, false},
    {"empty", "", {0}, false, false},
    {"unknown, from a peer's address", FP("e"), {.family = 1}, false, true},
    {"unknown, from a peer's address, pinned", FP("e"), {.family = 1}, true, false},
    {"a peer, from its address, pinned", FP("b"), {.family = 1}, true, true},
    {"a peer, from elsewhere", FP("b"), {0}, false, true},
    {"a peer, from elsewhere, pinned", FP("b"), {0}, true, false},
    {"line breaks", "cc\ncc", {0}, false, false},
};

START_TEST(trust) {
    const struct trust_case *c = &trust_cases[_i];
    teardown();
    setup_with(c->pin);
    const wzp_addr from = c->from.family != WZP_ADDR_NONE ? wzp_addr_v4(10, 0, 0, 2, 7)
                                                          : wzp_addr_v4(192, 0, 2, 9, 7);
    const char *why = NULL;
    wzp_fed_link *link = wzp_federation_accepted(fed, 5, &from, wzp_bytes_str(c->hello), now, &why);
    ck_assert_msg((link != NULL) == c->want, "%s: %s", c->name, why != NULL ? why : "accepted");
}
END_TEST

START_TEST(back_off) {
    static const unsigned seconds[] = {5, 10, 20, 40, 80, 160, 300, 300};
    run(0);
    ck_assert_uint_eq(dial_count, 1);
    for (size_t i = 0; i < WZP_COUNT_OF(seconds); i++) {
        wzp_federation_failed(fed, B, now);
        run(seconds[i] * 1000 - 1);
        ck_assert_msg(dial_count == 0, "dialled before %u s", seconds[i]);
        run(1);
        ck_assert_msg(dial_count == 1, "not dialled after %u s", seconds[i]);
    }
    wzp_fed_link *link = wzp_federation_dialled(fed, B, 9);
    wzp_federation_connected(fed, link, NULL, now);
    drain();
    ck_assert(was_sent(9, "{\"FederationHello\":{\"version\":1,\"tls_fingerprint\":\"aa:aa:"));
    wzp_federation_closed(fed, link, now);
    run(5000);
    ck_assert_uint_eq(dial_count, 1); /* a link that stood begins anew */
}
END_TEST

START_TEST(pinning) {
    uint8_t right[32];
    uint8_t wrong[32];
    memset(right, 0xbb, sizeof right);
    memset(wrong, 0xbc, sizeof wrong);
    for (int required = 0; required < 2; required++) {
        for (int is_right = 0; is_right < 2; is_right++) {
            teardown();
            setup_with(required != 0);
            wzp_fed_link *link = wzp_federation_dialled(fed, B, 9);
            wzp_federation_connected(fed, link, is_right != 0 ? right : wrong, now);
            drain();
            wzp_fed_counters n;
            wzp_federation_count(fed, &n);
            ck_assert_uint_eq(n.pin_mismatches, is_right != 0 ? 0 : 1);
            ck_assert_uint_eq(close_count, required != 0 && is_right == 0 ? 1 : 0);
            ck_assert(was_sent(9, "FederationHello") == (required == 0 || is_right != 0));
            wzp_federation_closed(fed, link, now);
        }
    }
}
END_TEST

START_TEST(two_links_of_one_peer) {
    size_t count = 0;
    wzp_fed_link *old = accept_from(1, FP("c"));
    wzp_fed_link *young = accept_from(2, FP("c"));
    const wzp_fed_target *targets = wzp_federation_targets(fed, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(targets[0].conn, 2);
    wzp_federation_closed(fed, young, now);
    targets = wzp_federation_targets(fed, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(targets[0].conn, 1);
    wzp_federation_closed(fed, old, now);
    (void)wzp_federation_targets(fed, &count);
    ck_assert_uint_eq(count, 0);
}
END_TEST

/* --- rooms ------------------------------------------------------------------------------------ */

static const struct room_case {
    const char *name, *canonical; /* NULL: not bridged */
} room_cases[] = {
    {"general", "general"}, {"a47b63f7d5b511ba5bc4089a74446906", "general"},
    {"call-c1", "call-c1"}, {"General", NULL},
    {"call", NULL},         {"call-", NULL},
    {"callback", NULL},     {"private", NULL},
};

START_TEST(resolve) {
    int app = 0;
    const struct room_case *c = &room_cases[_i];
    const wzp_fed_room *room = wzp_federation_join(fed, c->name, &app, now);
    ck_assert_msg((room != NULL) == (c->canonical != NULL), "%s", c->name);
    if (room != NULL) {
        ck_assert_str_eq(wzp_fed_room_name(room), c->canonical);
    }
}
END_TEST

START_TEST(announced) {
    int hashed = 0;
    (void)accept_from(1, FP("c"));
    run(0);
    ck_assert_uint_eq(sent_count, 0); /* nothing to tell yet */
    wzp_fed_room *room = join("general", "aabb");
    run(0);
    ck_assert_uint_eq(sent_count, 1);
    ck_assert(was_sent(1,
                       "{\"GlobalRoomActive\":{\"version\":1,\"room\":\"general\",\"participants\":"
                       "[{\"fingerprint\":\"aabb\",\"alias\":null,\"relay_label\":null"));
    (void)accept_from(2, FP("d"));
    run(100);
    ck_assert(was_sent(2, "GlobalRoomActive")); /* a new link learns of what is active */
    ck_assert(!was_sent(1, "GlobalRoomActive"));
    const wzp_room_participant guest = {.fingerprint = wzp_bytes_str("ccdd")};
    ck_assert_ptr_eq(wzp_federation_join(fed, "a47b63f7d5b511ba5bc4089a74446906", &hashed, now),
                     room);
    wzp_federation_members(fed, room, &hashed, &guest, 1, now);
    run(100);
    ck_assert(was_sent(1, "\"room\":\"general\"") && was_sent(1, "ccdd") && was_sent(1, "aabb"));
    run(7000);
    ck_assert(was_sent(1, "GlobalRoomActive")); /* idle rooms are kept */
    wzp_federation_leave(fed, room, &hashed, now);
    run(100);
    ck_assert(was_sent(1, "GlobalRoomActive") && !was_sent(1, "ccdd"));
    wzp_federation_leave(fed, room, wzp_fed_room_local(room, 0), now);
    run(100);
    ck_assert(was_sent(1, "{\"GlobalRoomInactive\":{\"version\":1,\"room\":\"general\""));
    run(7000);
    ck_assert_uint_eq(sent_count, 0);
}
END_TEST

static size_t remote(const wzp_fed_room *room, const char *fingerprint, const char *label) {
    wzp_room_participant list[64];
    size_t found = 0;
    const size_t count = wzp_fed_room_remote(room, list, 64);
    for (size_t i = 0; i < count && i < 64; i++) {
        const bool is_it = wzp_bytes_equal(list[i].fingerprint, wzp_bytes_str(fingerprint));
        found += is_it ? 1 : 0;
        if (is_it && label != NULL) {
            ck_assert(wzp_bytes_equal(list[i].relay_label.value, wzp_bytes_str(label)));
        }
    }
    return found;
}

/* A deployed peer: no numbers; its list is replaced, expires when it is silent, ends with the link,
 * and is passed on. */
START_TEST(plain_peer) {
    wzp_fed_link *c = accept_from(1, FP("c"));
    (void)accept_from(2, FP("d"));
    wzp_fed_room *room = join("general", "aabb");
    run(0);
    hear(c, "{\"GlobalRoomActive\":{\"version\":1,\"room\":\"general\",\"participants\":["
            "{\"fingerprint\":\"1111\",\"alias\":\"Ann\",\"relay_label\":null},"
            "{\"fingerprint\":\"2222\",\"alias\":null,\"relay_label\":\"far\"}]}}");
    run(100);
    ck_assert_uint_eq(room_count, 1);
    ck_assert_uint_eq(remote(room, "1111", "cccccccccccccccc"), 1);
    ck_assert_uint_eq(remote(room, "2222", "far"), 1);
    ck_assert(was_sent(2, "1111") && !was_sent(1, "1111"));
    hear(c, "{\"GlobalRoomActive\":{\"version\":1,\"room\":\"general\",\"participants\":["
            "{\"fingerprint\":\"2222\",\"alias\":null,\"relay_label\":\"far\"}]}}");
    run(100);
    ck_assert_uint_eq(remote(room, "1111", NULL), 0);
    ck_assert(was_sent(2, "2222") && !was_sent(2, "1111"));
    for (int i = 0; i < 14; i++) {
        run(1000);
        ck_assert_uint_eq(remote(room, "2222", NULL), 1);
    }
    run(3000);
    ck_assert_uint_eq(room_count, 1);
    ck_assert_uint_eq(remote(room, "2222", NULL), 0); /* silent for 15 s */
    hear(c, "{\"GlobalRoomActive\":{\"version\":1,\"room\":\"general\",\"participants\":["
            "{\"fingerprint\":\"3333\",\"alias\":null,\"relay_label\":null}]}}");
    hear(c, "{\"GlobalRoomInactive\":{\"version\":1,\"room\":\"general\"}}");
    ck_assert_uint_eq(remote(room, "3333", NULL), 0);
    hear(c, "{\"GlobalRoomActive\":{\"version\":1,\"room\":\"general\",\"participants\":["
            "{\"fingerprint\":\"3333\",\"alias\":null,\"relay_label\":null}]}}");
    run(0);
    wzp_federation_closed(fed, c, now);
    run(0);
    ck_assert_uint_eq(room_count, 1);
    ck_assert_uint_eq(remote(room, "3333", NULL), 0);
}
END_TEST

static unsigned times(uint64_t conn, const char *text) {
    unsigned n = 0;
    for (size_t i = 0; i < sent_count; i++) {
        const char *at = sent_to[i] == conn ? strstr(sent[i], text) : NULL;
        for (; at != NULL; at = strstr(at + 1, text)) {
            n++;
        }
    }
    return n;
}

/* Two deployed peers that are linked with each other: each tells us what we told the other one. */
START_TEST(plain_circle) {
    wzp_fed_link *links[] = {accept_from(1, FP("c")), accept_from(2, FP("d"))};
    (void)join("general", "aabb");
    run(0);
    for (int turn = 0; turn < 10; turn++) {
        const size_t to = (size_t)turn % 2;
        hear(links[to], "{\"GlobalRoomActive\":{\"version\":1,\"room\":\"general\","
                        "\"participants\":[{\"fingerprint\":\"aabb\",\"alias\":null,"
                        "\"relay_label\":\"far\"},{\"fingerprint\":\"1111\",\"alias\":null,"
                        "\"relay_label\":\"far\"}]}}");
        run(100);
        ck_assert_uint_le(times(1, "\"fingerprint\":\"aabb\""), 1);
        ck_assert_uint_le(times(2, "\"fingerprint\":\"aabb\""), 1);
    }
    ck_assert_uint_eq(sent_count, 0); /* no news any more */
}
END_TEST

/* The same list over two peers, an older one later, our own that comes back. */
START_TEST(numbered_lists) {
    char json[512];
    wzp_fed_link *c = accept_from(1, FP("c"));
    wzp_fed_link *d = accept_from(2, FP("d"));
    wzp_fed_room *room = join("general", "aabb");
    run(0);
#define LIST(number, fp)                                                                           \
    "{\"GlobalRoomActive\":{\"version\":1,\"room\":\"general\",\"participants\":["                 \
    "{\"fingerprint\":\"" fp "\",\"alias\":null,\"relay_label\":null,"                             \
    "\"origin\":\"eeeeeeeeeeeeeeee\"}],\"origins\":[\"eeeeeeeeeeeeeeee:" number "\"]}}"
    hear(c, LIST("7", "1111"));
    run(100);
    ck_assert(was_sent(2, "1111") && was_sent(2, "eeeeeeeeeeeeeeee:7"));
    hear(d, LIST("7", "1111"));
    run(100);
    ck_assert_uint_eq(sent_count, 0);
    hear(d, LIST("6", "2222"));
    ck_assert_uint_eq(remote(room, "1111", NULL), 1);
    ck_assert_uint_eq(remote(room, "2222", NULL), 0);
    hear(d, LIST("8", "2222"));
    run(100);
    ck_assert_uint_eq(remote(room, "1111", NULL), 0);
    ck_assert(was_sent(1, "2222") && !was_sent(2, "2222"));
    for (int i = 0; i < 16; i++) {
        hear(c, LIST("8", "2222")); /* nobody raises it: copies do not keep it alive */
        run(1000);
    }
    ck_assert_uint_eq(remote(room, "2222", NULL), 0);
    hear(c, LIST("8", "2222"));
    ck_assert_uint_eq(remote(room, "2222", NULL), 0);
    (void)snprintf(json, sizeof json,
                   "{\"GlobalRoomInactive\":{\"version\":1,\"room\":\"general\",\"origins\":["
                   "\"aaaaaaaaaaaaaaaa:99999999999\"]}}");
    hear(c, json);
    run(6000);
    ck_assert(was_sent(1, "aaaaaaaaaaaaaaaa:100000000000"));
}
END_TEST

static const char bad_origins[] =
    "{\"GlobalRoomActive\":{\"version\":1,\"room\":\"general\",\"participants\":[],"
    "\"origins\":[\"x\",\"\",\"eeeeeeeeeeeeeeee\",\"eeeeeeeeeeeeeeee:\",\"eeeeeeeeeeeeeeee:1x\","
    "\"gggggggggggggggg:1\",\"0000000000000000:1\","
    "\"eeeeeeeeeeeeeeee:99999999999999999999999999\"]}}";

static const char *const lies[] = {
    "{\"GlobalRoomActive\":{\"version\":1,\"room\":\"private\",\"participants\":[]}}",
    "{\"GlobalRoomActive\":{\"version\":1,\"room\":\"\",\"participants\":[]}}",
    bad_origins,
    "{\"FederationHello\":{\"version\":1,\"tls_fingerprint\":\"aa\"}}",
    "{\"Ping\":{\"version\":1,\"timestamp_ms\":1}}",
};

START_TEST(lies_change_nothing) {
    wzp_fed_link *c = accept_from(1, FP("c"));
    (void)accept_from(2, FP("d"));
    const wzp_fed_room *room = join("general", "aabb");
    run(0);
    hear(c, lies[_i]);
    run(100);
    ck_assert_uint_eq(sent_count, 0);
    ck_assert_uint_eq(wzp_fed_room_remote(room, NULL, 0), 0);
}
END_TEST

START_TEST(a_peer_makes_so_many_rooms) {
    char json[256];
    wzp_fed_link *c = accept_from(1, FP("c"));
    for (int i = 0; i < WZP_FED_ROOMS_OF_PEER + 50; i++) {
        (void)snprintf(
            json, sizeof json,
            "{\"GlobalRoomActive\":{\"version\":1,\"room\":\"call-%d\",\"participants\":["
            "{\"fingerprint\":\"1111\",\"alias\":null,\"relay_label\":null}]}}",
            i);
        hear(c, json);
    }
    wzp_fed_counters n;
    wzp_federation_count(fed, &n);
    ck_assert_uint_eq(n.rooms_refused, 50);
    wzp_federation_closed(fed, c, now); /* and they go with it */
    c = accept_from(1, FP("c"));
    hear(c, json);
    wzp_federation_count(fed, &n);
    ck_assert_uint_eq(n.rooms_refused, 50);
}
END_TEST

/* --- envelopes -------------------------------------------------------------------------------- */

START_TEST(envelopes) {
    const wzp_signal ringing = {.kind = WZP_SIGNAL_CALL_RINGING,
                                .version = 1,
                                .u.CallRinging.call_id = wzp_bytes_str("c1")};
    ck_assert_uint_eq(wzp_federation_forward(fed, WZP_FED_NO_PEER, &ringing), 0);
    wzp_fed_link *c = accept_from(1, FP("c"));
    (void)accept_from(2, FP("d"));
    ck_assert_uint_eq(wzp_federation_forward(fed, WZP_FED_NO_PEER, &ringing), 2);
    ck_assert_uint_eq(wzp_federation_forward(fed, D, &ringing), 1);
    ck_assert_uint_eq(wzp_federation_forward(fed, B, &ringing), 0);
    drain();
    ck_assert_str_eq(sent[2],
                     "{\"FederatedSignalForward\":{\"version\":1,\"inner\":{\"CallRinging\":"
                     "{\"version\":1,\"call_id\":\"c1\"}},\"origin_relay_fp\":\"" FP("a") "\"}}");
    ck_assert_ptr_null(hear(c, sent[2])); /* our own */
    const wzp_signal *inner =
        hear(c, "{\"FederatedSignalForward\":{\"version\":1,\"inner\":{\"CallRinging\":"
                "{\"version\":1,\"call_id\":\"c1\"}},\"origin_relay_fp\":\"xx\"}}");
    ck_assert_ptr_nonnull(inner);
    ck_assert_uint_eq(inner->kind, WZP_SIGNAL_CALL_RINGING);
    wzp_fed_counters n;
    wzp_federation_count(fed, &n);
    ck_assert_uint_eq(n.envelopes_own, 1);
    ck_assert_uint_eq(n.envelopes_foreign, 1);
    (void)hear(c, "{\"Ping\":{\"version\":1,\"timestamp_ms\":1}}"); /* frees the one before */
}
END_TEST

/* --- media ------------------------------------------------------------------------------------ */

static wzp_fed_verdict take(wzp_fed_link *link, const char *hex, uint64_t after_ms) {
    static uint8_t bytes[256];
    wzp_fed_packet packet;
    size_t bad = 0;
    const size_t len = strlen(hex) / 2;
    ck_assert(wzp_hex_parse(bytes, len, hex, strlen(hex), &bad) == WZP_OK);
    now += after_ms * WZP_MS;
    return wzp_federation_ingress(fed, link, wzp_bytes_of(bytes, len), now, &packet);
}

#define GENERAL "0feae16d55365acf"
#define PACKET "02000000000000000001000000140000"

static const struct ingress_case {
    const char *name, *first, *second;
    uint64_t after_ms;
    wzp_fed_verdict want_first, want_second;
} ingress_cases[] = {
    {"twice", GENERAL PACKET "aabbcc", GENERAL PACKET "aabbcc", 1999, WZP_FED_DELIVER,
     WZP_FED_DUPLICATE},
    {"again after two seconds", GENERAL PACKET "aabbcc", GENERAL PACKET "aabbcc", 2000,
     WZP_FED_DELIVER, WZP_FED_DELIVER},
    {"equal headers", GENERAL PACKET "aabbcc", GENERAL PACKET "aabbcd", 0, WZP_FED_DELIVER,
     WZP_FED_DELIVER},
    {"another room", GENERAL PACKET "aabbcc", "f62a697de0475d83" PACKET "aabbcc", 0,
     WZP_FED_DELIVER, WZP_FED_DELIVER},
    {"unknown room", "37a917d4256a91b5" PACKET "aabbcc", GENERAL PACKET, 0, WZP_FED_NO_ROOM,
     WZP_FED_DELIVER},
    {"short", "0feae16d55365acf020000", "0feae16d55365acf02000000", 0, WZP_FED_MALFORMED,
     WZP_FED_MALFORMED},
    {"a packet without a hash", "020000000000000000010000001400006162636465666768", GENERAL PACKET,
     0, WZP_FED_MALFORMED, WZP_FED_DELIVER},
};

START_TEST(ingress) {
    const struct ingress_case *c = &ingress_cases[_i];
    wzp_fed_link *link = accept_from(1, FP("c"));
    const wzp_fed_verdict first = take(link, c->first, 0);
    const wzp_fed_verdict second = take(link, c->second, c->after_ms);
    ck_assert_msg(first == c->want_first, "%s: first %s", c->name, wzp_fed_verdict_name(first));
    ck_assert_msg(second == c->want_second, "%s: then %s", c->name, wzp_fed_verdict_name(second));
}
END_TEST

START_TEST(egress) {
    uint8_t buf[64];
    uint8_t packet[19];
    char hex[2 * sizeof buf + 1];
    size_t bad = 0;
    ck_assert(wzp_hex_parse(packet, sizeof packet, PACKET "aabbcc", 38, &bad) == WZP_OK);
    const wzp_bytes bytes = wzp_bytes_of(packet, sizeof packet);
    wzp_fed_room *room = join("general", "aabb");
    ck_assert_uint_eq(wzp_federation_egress(fed, room, bytes, buf, sizeof buf, now), 0);
    wzp_fed_link *link = accept_from(1, FP("c"));
    ck_assert_uint_eq(wzp_federation_egress(fed, room, bytes, buf, 26, now), 0);
    ck_assert_uint_eq(wzp_federation_egress(fed, room, bytes, buf, sizeof buf, now), 27);
    (void)wzp_hex_write(hex, wzp_bytes_of(buf, 27));
    ck_assert_str_eq(hex, GENERAL PACKET "aabbcc");
    ck_assert_uint_eq(take(link, hex, 100), WZP_FED_DUPLICATE); /* no echo */
}
END_TEST

START_TEST(rate) {
    char hex[128];
    size_t delivered = 0;
    wzp_fed_link *link = accept_from(1, FP("c"));
    for (unsigned i = 0; i < 900; i++) { /* within one second */
        (void)snprintf(hex, sizeof hex, GENERAL "0200000000000000%08x00140000aabb", i);
        delivered += take(link, hex, i % 9 != 0 ? 1 : 2) == WZP_FED_DELIVER ? 1 : 0;
        if (i == 899) {
            (void)snprintf(hex, sizeof hex, "f62a697de0475d83" PACKET);
            ck_assert_uint_eq(take(link, hex, 0), WZP_FED_DELIVER); /* other rooms do not suffer */
        }
    }
    ck_assert_uint_eq(delivered, 500);
    /* What was over the rate is no duplicate afterwards. */
    (void)snprintf(hex, sizeof hex, GENERAL "0200000000000000%08x00140000aabb", 899U);
    ck_assert_uint_eq(take(link, hex, 1000), WZP_FED_DELIVER);
}
END_TEST

/* Speech of 8 bytes, of which each packet is another. */
static wzp_fed_verdict take_one(wzp_fed_link *link, const char *room, unsigned n,
                                uint64_t after_ms) {
    char hex[128];
    (void)snprintf(hex, sizeof hex, "%s0200000000000000%08x00140000aabbccddeeff0011", room, n);
    return take(link, hex, after_ms);
}

/* What a peer sends in a room leaves other peers theirs. */
START_TEST(rooms_are_shared_out) {
    wzp_fed_link *c = accept_from(1, FP("c"));
    wzp_fed_link *d = accept_from(2, FP("d"));
    size_t flood = 0;
    for (unsigned i = 0; i < 1000; i++) {
        flood += take_one(c, GENERAL, i, 0) == WZP_FED_DELIVER ? 1 : 0;
    }
    ck_assert_uint_eq(flood, 500);
    for (unsigned i = 0; i < 50; i++) {
        ck_assert_uint_eq(take_one(d, GENERAL, 5000 + i, 0), WZP_FED_DELIVER);
    }
    wzp_fed_peer_info info;
    wzp_federation_peer(fed, C, &info);
    ck_assert_uint_eq(info.over_room_rate, 500);
    wzp_federation_peer(fed, D, &info);
    ck_assert_uint_eq(info.over_room_rate, 0);
}
END_TEST

/* Each datagram is 40 bytes long; the limits count what is read and what is not. */
static const struct peer_limit {
    const char *name;
    uint32_t pps, bytes;
    size_t taken; /* of 150 duplicates in a second */
} peer_limits[] = {
    {"by default far more", 0, 0, 150},
    {"packets", 100, 0, 100},
    {"bytes", 0, 40 * 70, 70},
    {"not one fits", 0, 39, 0},
};

START_TEST(a_peer_has_a_rate) {
    const struct peer_limit *l = &peer_limits[_i];
    const char *junk =
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0011223344556677";
    size_t taken = 0;
    teardown();
    peer_pps = l->pps;
    peer_bytes = l->bytes;
    setup();
    peer_pps = peer_bytes = 0;
    wzp_fed_link *c = accept_from(1, FP("c"));
    wzp_fed_link *again = accept_from(2, FP("c")); /* links of one peer count together */
    wzp_fed_link *d = accept_from(3, FP("d"));
    for (unsigned i = 0; i < 150; i++) {
        taken += take(i % 2 == 0 ? c : again, junk, 0) != WZP_FED_PEER_RATE ? 1 : 0;
    }
    ck_assert_msg(taken == l->taken, "%s: %zu", l->name, taken);
    wzp_fed_peer_info info;
    wzp_federation_peer(fed, C, &info);
    ck_assert_uint_eq(info.over_rate, 150 - l->taken);
    ck_assert_uint_eq(info.packets_in, 0);
    if (l->taken > 0) {
        ck_assert_uint_eq(take_one(d, GENERAL, 1, 0), WZP_FED_DELIVER);
        ck_assert_uint_eq(take_one(c, GENERAL, 2, 1000), WZP_FED_DELIVER);
    }
}
END_TEST

/* Opus24k, 500 packets a second, 616 bytes with their headers: twenty times what one may send, or
 * eight who talk.  `known` are in the list, and eight more might be. */
static const struct excess_case {
    const char *name;
    wzp_fed_metering metering;
    uint16_t payload;
    unsigned known, packets;
    size_t delivered, excess;
} excess_cases[] = {
    {"off", WZP_FED_METER_OFF, 600, 0, 480, 480, 0},
    {"counted", WZP_FED_METER_COUNT, 600, 0, 480, 480, 279},
    {"dropped", WZP_FED_METER_DROP, 600, 0, 480, 201, 279},
    {"with nine more there", WZP_FED_METER_DROP, 600, 9, 480, 428, 52},
    {"with twelve more there", WZP_FED_METER_DROP, 600, 12, 480, 480, 0},
    {"eight who talk", WZP_FED_METER_DROP, 76, 0, 400, 400, 0},
};

static void know(wzp_fed_link *link, unsigned count) {
    char json[4096];
    int len =
        snprintf(json, sizeof json,
                 "{\"GlobalRoomActive\":{\"version\":1,\"room\":\"general\",\"participants\":[");
    for (unsigned i = 0; i < count; i++) {
        len += snprintf(json + len, sizeof json - (size_t)len, "%s{\"fingerprint\":\"%x\"}",
                        i > 0 ? "," : "", 0xaa00 + i);
    }
    (void)snprintf(json + len, sizeof json - (size_t)len, "]}}");
    (void)hear(link, json);
}

START_TEST(what_no_senders_could_send) {
    const struct excess_case *c = &excess_cases[_i];
    uint8_t datagram[700] = {0x0f, 0xea, 0xe1, 0x6d, 0x55, 0x36, 0x5a, 0xcf, WZP_PROTOCOL_VERSION};
    wzp_fed_link *link = accept_from(1, FP("c"));
    wzp_fed_packet packet;
    wzp_fed_peer_info info;
    size_t delivered = 0;
    wzp_federation_meter(fed, c->metering);
    know(link, c->known);
    for (unsigned i = 0; i < c->packets; i++) {
        datagram[16] = (uint8_t)(i >> 8);
        datagram[17] = (uint8_t)i;
        now += 2 * WZP_MS;
        delivered += wzp_federation_ingress(fed, link, wzp_bytes_of(datagram, 24U + c->payload),
                                            now, &packet) == WZP_FED_DELIVER
                         ? 1
                         : 0;
    }
    wzp_federation_peer(fed, C, &info);
    ck_assert_msg(delivered == c->delivered && info.excess == c->excess, "%s: %zu and %llu",
                  c->name, delivered, (unsigned long long)info.excess);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("federation");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, trust, 0, WZP_COUNT_OF(trust_cases));
    tcase_add_test(tc, back_off);
    tcase_add_test(tc, pinning);
    tcase_add_test(tc, two_links_of_one_peer);
    tcase_add_loop_test(tc, resolve, 0, WZP_COUNT_OF(room_cases));
    tcase_add_test(tc, announced);
    tcase_add_test(tc, plain_peer);
    tcase_add_test(tc, plain_circle);
    tcase_add_test(tc, numbered_lists);
    tcase_add_loop_test(tc, lies_change_nothing, 0, WZP_COUNT_OF(lies));
    tcase_add_test(tc, a_peer_makes_so_many_rooms);
    tcase_add_test(tc, envelopes);
    tcase_add_loop_test(tc, ingress, 0, WZP_COUNT_OF(ingress_cases));
    tcase_add_test(tc, egress);
    tcase_add_test(tc, rate);
    tcase_add_test(tc, rooms_are_shared_out);
    tcase_add_loop_test(tc, a_peer_has_a_rate, 0, WZP_COUNT_OF(peer_limits));
    tcase_add_loop_test(tc, what_no_senders_could_send, 0, WZP_COUNT_OF(excess_cases));
    return wzp_run_suite("federation", tc);
}
