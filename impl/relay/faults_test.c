/* What goes wrong around a relay, and whom it must not hurt: two members whose call goes on.  Real
 * QUIC on an in-memory network; docs/OPERATIONS.md, "Faults", is the list. */
#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "relay/limits.h"
#include "relay/testing/stage.h"
#include "wire/media.h"

enum { SOON = 200, FRAME_MS = 20, IDLE_MS = 36000 };

typedef struct scene {
    stage *st;
    guest *a, *b; /* in room "call": b hears all that a says */
    uint32_t said;
    size_t others; /* packets that b hears besides */
} scene;

static void speak_as(guest *g, uint8_t codec, uint32_t seq, uint32_t ts_ms, size_t len) {
    static const uint8_t voice[60];
    uint8_t buf[128];
    wzp_wr wr;
    const wzp_media_packet packet = {.hdr = {.version = WZP_PROTOCOL_VERSION,
                                             .codec_id = codec,
                                             .seq = seq,
                                             .timestamp_ms = ts_ms},
                                     .payload = wzp_bytes_of(voice, len)};
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_packet_write(&wr, &packet);
    guest_send(g, wzp_bytes_of(buf, wzp_wr_len(&wr)));
}

static void speak(guest *g, uint32_t seq) {
    speak_as(g, WZP_CODEC_OPUS_24K, seq, seq * FRAME_MS, 60);
}

static scene begin(const wzp_relay_cfg *cfg) {
    scene sc = {.st = stage_new(cfg)};
    sc.a = stage_member(sc.st, "call");
    sc.b = stage_member(sc.st, "call");
    return sc;
}

/* The call goes on for so long: not a packet of it may be lost. */
static void talk(scene *sc, uint64_t ms) {
    for (uint64_t at = 0; at < ms; at += FRAME_MS) {
        speak(sc->a, sc->said++);
        stage_run(sc->st, FRAME_MS);
    }
}

static void end(scene *sc) {
    stage_run(sc->st, SOON);
    ck_assert_msg(!sc->a->closed && !sc->b->closed, "the call has ended: %s%s", sc->a->close.reason,
                  sc->b->close.reason);
    ck_assert_uint_eq(sc->b->datagram_count, sc->said + sc->others);
    stage_free(&sc->st);
}

/* Nothing leaves it any more, and nothing reaches it. */
static void vanish(const guest *g) {
    pair_net *net = &g->stage->net;
    const size_t host = (size_t)(g - g->stage->guests) + 1;
    net->cut[host] = net->deaf[host] = true;
}

static void deafen(const guest *g) {
    g->stage->net.deaf[(size_t)(g - g->stage->guests) + 1] = true;
}

/* Bytes in use; always 0 under a sanitizer. */
static size_t in_use(void) {
    return mallinfo2().uordblks;
}

/* True when the relay told this. */
static bool happened(const stage *st, const char *event, const char *reason) {
    wzp_relay_event ev;
    bool found = false;
    while (wzp_relay_next_event(st->relay, &ev)) {
        found = found || (strcmp(ev.event, event) == 0 && strcmp(ev.reason, reason) == 0);
    }
    return found;
}

/* --- the token service ------------------------------------------------------------------------ */

static guest *with_token(stage *st, wzp_auth_verdict verdict) {
    wzp_relay_auth question;
    guest *g = stage_guest(st, "call");
    guest_say(g, "{\"AuthToken\":{\"version\":1,\"token\":\"t\"}}");
    guest_offer(g, NULL);
    stage_run(st, SOON);
    ck_assert(wzp_relay_next_auth(st->relay, &question));
    wzp_relay_auth_result(st->relay, question.id, verdict, "0123:4567", st->net.now);
    stage_run(st, SOON);
    return g;
}

START_TEST(who_is_in_needs_no_service) {
    static const wzp_auth_verdict verdicts[] = {WZP_AUTH_UNREACHABLE, WZP_AUTH_BAD_STATUS,
                                                WZP_AUTH_BAD_ANSWER};
    const wzp_relay_cfg cfg = {.auth = true};
    scene sc = {.st = stage_new(&cfg)};
    sc.a = with_token(sc.st, WZP_AUTH_ACCEPTED);
    sc.b = with_token(sc.st, WZP_AUTH_ACCEPTED);
    for (size_t i = 0; i < WZP_COUNT_OF(verdicts); i++) {
        const guest *late = with_token(sc.st, verdicts[i]);
        talk(&sc, 100);
        ck_assert(late->closed);
    }
    guest *slow = stage_guest(sc.st, "call"); /* nobody ever answers about this one */
    guest_say(slow, "{\"AuthToken\":{\"version\":1,\"token\":\"t\"}}");
    talk(&sc, 6000);
    ck_assert_str_eq(slow->close.reason, "token check: timeout");
    const guest *later = with_token(sc.st, WZP_AUTH_ACCEPTED); /* it is back */
    ck_assert(!later->closed);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_auth_results_total{verdict=\"accepted\"}"), 3);
    end(&sc);
}
END_TEST

/* --- clients that vanish ---------------------------------------------------------------------- */

static void ring(guest *from, const guest *to) {
    wzp_signal offer = {
        .kind = WZP_SIGNAL_DIRECT_CALL_OFFER,
        .version = 1,
        .u.DirectCallOffer = {.caller_fingerprint = wzp_bytes_str(from->identity.fingerprint),
                              .target_fingerprint = wzp_bytes_str(to->identity.fingerprint),
                              .call_id = wzp_bytes_str("c1"),
                              .supported_profiles = {&wzp_profile_good, 1}}};
    memcpy(offer.u.DirectCallOffer.identity_pub.bytes, from->identity.ed25519_pub, WZP_KEY_LEN);
    guest_tell(from, &offer);
    stage_run(from->stage, SOON);
    ck_assert_uint_eq(guest_count(to, "DirectCallOffer"), 1);
}

static void take(guest *callee) {
    guest_say(callee,
              "{\"DirectCallAnswer\":{\"call_id\":\"c1\",\"accept_mode\":\"AcceptTrusted\"}}");
    stage_run(callee->stage, SOON);
    ck_assert_uint_eq(guest_count(callee, "CallSetup"), 1);
}

/* Caller and callee, while it rings and in the call: the other one is told. */
START_TEST(a_party_vanishes) {
    const bool caller_goes = _i % 2 == 0;
    const bool is_taken = _i >= 2;
    scene sc = begin(NULL);
    guest *caller = stage_registered(sc.st, NULL);
    guest *callee = stage_registered(sc.st, NULL);
    ring(caller, callee);
    if (is_taken) {
        take(callee);
    }
    const guest *left = caller_goes ? callee : caller;
    vanish(caller_goes ? caller : callee);
    talk(&sc, IDLE_MS);
    ck_assert_uint_eq(guest_count(left, "Hangup"), 1);
    ck_assert(!left->closed);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_calls"), 0);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_calls_ended_total{cause=\"gone\"}"), 1);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_signal_clients"), 1);
    end(&sc);
}
END_TEST

START_TEST(a_member_vanishes) {
    scene sc = begin(NULL);
    guest *c = stage_member(sc.st, "call");
    guest_forget(sc.b);
    vanish(c);
    talk(&sc, IDLE_MS);
    const heard *update = guest_heard(sc.b, "RoomUpdate", 0);
    ck_assert_ptr_nonnull(update);
    ck_assert_ptr_nonnull(strstr(update->text, "\"count\":2"));
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_active_sessions"), 2);
    ck_assert_int_gt(stage_metric(sc.st, "wzp_quic_datagrams_expired_total"), 0);
    ck_assert(happened(sc.st, "leave", ""));
    end(&sc);
}
END_TEST

START_TEST(an_address_changes) {
    scene sc = begin(NULL);
    const size_t host = (size_t)(sc.a - sc.st->guests) + 1;
    talk(&sc, 200);
    const wzp_addr moved = {WZP_ADDR_V4, 6000, {10, 0, 2, 7}};
    sc.st->net.addr[host] = moved;
    ck_assert(wzp_quic_migrate(sc.a->quic, sc.a->conn, &moved, sc.st->net.now) == WZP_OK);
    talk(&sc, 1000);
    guest_say(sc.a, "{\"Ping\":{\"version\":1,\"timestamp_ms\":42}}");
    speak(sc.b, 0);
    talk(&sc, 200);
    ck_assert_uint_eq(sc.a->datagram_count, 1); /* at its new place */
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_active_sessions"), 2);
    end(&sc);
}
END_TEST

/* However many there are, and although none of them says anything that could be answered. */
START_TEST(all_are_told_of_the_end) {
    enum { CONNECTIONS = 150 };
    stage *st = stage_new(NULL);
    guest *g = stage_guest(st, "_signal"); /* its endpoint dials for all */
    for (int i = 1; i < CONNECTIONS; i++) {
        wzp_quic_conn conn = 0;
        const wzp_quic_dial dial = {.path = {g->addr, st->relay_addr}, .sni = "_signal"};
        ck_assert(wzp_quic_connect(g->quic, &dial, st->net.now, &conn) == WZP_OK);
    }
    stage_run(st, SOON);
    ck_assert_int_eq(stage_metric(st, "wzp_quic_connections"), CONNECTIONS);
    wzp_relay_shutdown(st->relay, st->net.now);
    stage_run(st, 15);
    ck_assert_uint_eq(g->close_count, CONNECTIONS);
    ck_assert_str_eq(g->close.reason, "normal close");
    stage_free(&st);
}
END_TEST

/* --- streams ---------------------------------------------------------------------------------- */

static int64_t open_with(guest *g, wzp_quic_stream_kind kind, wzp_bytes bytes, bool fin) {
    int64_t stream = 0;
    ck_assert(wzp_quic_stream_open(g->quic, g->conn, kind, &stream) == WZP_OK);
    ck_assert(wzp_quic_stream_write(g->quic, g->conn, stream, bytes, fin) == WZP_OK);
    return stream;
}

static const uint8_t half[] = {0, 0, 0, 40, '{', '"', 'P', 'i'};
static const uint8_t huge[] = {0, 0x20, 0, 0, '{'};

static const struct half_case {
    const char *name;
    wzp_bytes bytes;
    bool fin, reset;
    uint64_t wait_ms;
} half_cases[] = {
    {"ends too early", {half, sizeof half}, true, false, 500},
    {"ends in its length", {half, 2}, true, false, 500},
    {"is taken back", {half, sizeof half}, false, true, 500},
    {"never goes on", {half, sizeof half}, false, false, 10500},
    {"says that it is huge", {huge, sizeof huge}, false, false, 500},
};

/* Of a member it is only counted; whoever still has to say who it is has said it badly. */
START_TEST(half_a_signal) {
    const struct half_case *c = &half_cases[_i / 2];
    const bool is_member = _i % 2 == 0;
    scene sc = begin(NULL);
    guest *g = is_member ? stage_member(sc.st, "call") : stage_guest(sc.st, "_signal");
    const int64_t stream = open_with(g, WZP_QUIC_BIDI, c->bytes, c->fin);
    stage_run(sc.st, 30);
    if (c->reset) {
        ck_assert(wzp_quic_stream_reset(g->quic, g->conn, stream, 0) == WZP_OK);
    }
    talk(&sc, c->wait_ms);
    ck_assert_msg(g->closed == !is_member, "%s", c->name);
    /* The time for a registration is over as soon as that for a signal is. */
    const bool timer_was_first = !is_member && c->wait_ms > 10000;
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_signals_unreadable_total"),
                     timer_was_first ? 0 : 1);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_handshakes_refused_total"), !is_member);
    end(&sc);
}
END_TEST

/* All that it may open, each with a half signal or some bytes that mean nothing. */
START_TEST(streams_that_never_end) {
    enum { STREAMS = 100, BYTES = 8000 };
    static uint8_t body[BYTES] = {0, 0, 0x40, 0};
    scene sc = begin(NULL);
    guest *g = stage_member(sc.st, "other");
    const size_t before = in_use();
    for (int i = 0; i < STREAMS - 1; i++) { /* its offer was the first one */
        (void)open_with(g, WZP_QUIC_BIDI, wzp_bytes_of(body, sizeof body), false);
        (void)open_with(g, WZP_QUIC_UNI_STREAM, wzp_bytes_of(body, 100), false);
    }
    talk(&sc, 5000);
    ck_assert_uint_lt(in_use(), before + (size_t)8 * STREAMS * BYTES);
    talk(&sc, 6500);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_signals_unreadable_total"), STREAMS - 1);
    ck_assert(!g->closed);
    end(&sc);
}
END_TEST

/* --- a receiver that never acknowledges ------------------------------------------------------- */

START_TEST(media_that_nobody_acknowledges) {
    enum { SPELL = 25000, FRAMES = SPELL / FRAME_MS };
    scene sc = begin(NULL);
    guest *c = stage_member(sc.st, "call");
    talk(&sc, 1000);
    guest_forget(c);
    guest_forget(sc.a);
    deafen(c);
    const size_t before = in_use();
    const size_t kept = sc.b->datagram_count;
    for (uint32_t i = 0; i < 25; i++) {
        speak(c, i); /* it is alive */
        sc.others++;
        talk(&sc, SPELL / 25);
    }
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_active_sessions"), 3);
    ck_assert_uint_eq(sc.a->datagram_count, 25);
    /* What is not in the window is counted, and nothing is kept. */
    const long long gone = stage_metric(sc.st, "wzp_quic_datagrams_expired_total") +
                           stage_metric(sc.st, "wzp_quic_datagrams_dropped_total");
    ck_assert_int_gt(gone, FRAMES / 2);
    const size_t test_keeps = (sc.b->datagram_count - kept) * 256;
    ck_assert_uint_lt(in_use(), before + test_keeps + 100000);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_send_failures_total"), 0);
    end(&sc);
}
END_TEST

/* Signals are not dropped: when too many are on their way their receiver is told to come again. */
START_TEST(signals_that_nobody_acknowledges) {
    enum { SECONDS = 14 };
    scene sc = begin(NULL);
    guest *c = stage_registered(sc.st, NULL);
    guest *d = stage_registered(sc.st, NULL);
    ring(c, d);
    take(d);
    deafen(d);
    const size_t before = in_use();
    const size_t kept = sc.b->datagram_count;
    for (int i = 0; i < SECONDS * 80 && guest_count(c, "Hangup") == 0; i++) {
        guest_say(c, i % 2 == 0 ? "{\"Mute\":{\"version\":1}}" : "{\"Unmute\":{\"version\":1}}");
        stage_run(sc.st, 12);
        if (i % 5 == 0) {
            talk(&sc, FRAME_MS);
        }
    }
    ck_assert_uint_eq(guest_count(c, "Hangup"), 1);
    ck_assert(!c->closed);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_receivers_stalled_total"), 1);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_send_failures_total"), 1);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_signal_clients"), 1);
    ck_assert(happened(sc.st, "stalled", "signals pile up"));
    stage_run(sc.st, 2000);
    const size_t test_keeps = (sc.b->datagram_count - kept) * 256;
    ck_assert_uint_lt(in_use(), before + test_keeps + 200000);
    end(&sc);
}
END_TEST

/* --- a flood of handshakes -------------------------------------------------------------------- */

/* The first packets of `count` clients, each at an address of its own; what the relay answers finds
 * nobody. */
static void first_packets(stage *st, wzp_quic *crowd, unsigned from, unsigned count) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    for (unsigned i = from; i < from + count; i++) {
        wzp_quic_conn conn = 0;
        wzp_quic_meta meta;
        const wzp_addr own = wzp_addr_v4(10, 9, (uint8_t)(i >> 8), (uint8_t)i, 5000);
        const wzp_quic_dial dial = {.path = {own, st->relay_addr}, .sni = "call"};
        ck_assert(wzp_quic_connect(crowd, &dial, st->net.now, &conn) == WZP_OK);
        for (size_t n;
             (n = wzp_quic_next_packet(crowd, st->net.now, buf, sizeof buf, &meta)) > 0;) {
            const wzp_quic_path path = {st->relay_addr, own};
            wzp_relay_recv(st->relay, &path, 0, wzp_bytes_of(buf, n), st->net.now);
        }
        wzp_quic_abandon(crowd, conn);
    }
}

/* What the relay has to say to `own` goes to `crowd` if it is a Retry, and nowhere otherwise; the
 * rest is carried as usual. */
static void answer_retry(stage *st, wzp_quic *crowd, const wzp_addr *own) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    enum { HOST = 0, LONG_HEADER_RETRY = 0xf0 };
    wzp_quic_meta meta;
    for (size_t n;
         (n = wzp_relay_next_packet(st->relay, st->net.now, buf, sizeof buf, &meta)) > 0;) {
        const wzp_quic_path back = {*own, st->relay_addr};
        if (!wzp_addr_equal(&meta.path.remote, own)) {
            pair_send(&st->net, HOST, &meta, buf, n);
        } else if ((buf[0] & LONG_HEADER_RETRY) == LONG_HEADER_RETRY) {
            wzp_quic_recv(crowd, &back, 0, wzp_bytes_of(buf, n), st->net.now);
        }
    }
}

/* One client that proves its address and then says nothing any more. */
static void prove_and_fall_silent(stage *st, wzp_quic *crowd, unsigned number) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    wzp_quic_conn conn = 0;
    wzp_quic_meta meta;
    const wzp_addr own = wzp_addr_v4(10, 9, (uint8_t)(number >> 8), (uint8_t)number, 5000);
    const wzp_quic_dial dial = {.path = {own, st->relay_addr}, .sni = "call"};
    const wzp_quic_path path = {st->relay_addr, own};
    ck_assert(wzp_quic_connect(crowd, &dial, st->net.now, &conn) == WZP_OK);
    for (int i = 0; i < 2; i++) { /* without and with a token */
        for (size_t n;
             (n = wzp_quic_next_packet(crowd, st->net.now, buf, sizeof buf, &meta)) > 0;) {
            wzp_relay_recv(st->relay, &path, 0, wzp_bytes_of(buf, n), st->net.now);
        }
        answer_retry(st, crowd, &own);
    }
    wzp_quic_abandon(crowd, conn);
}

START_TEST(a_flood_of_those_who_prove_their_addresses) {
    enum { STEPS = 100, CLIENTS = 20, PROVEN = 4 * 256 };
    wzp_prng prng;
    wzp_quic *crowd = NULL;
    wzp_prng_init(&prng, 7, "crowd");
    const wzp_quic_cfg cfg = {.rng = wzp_prng_rng(&prng)};
    scene sc = begin(&(wzp_relay_cfg){.always_retry = true});
    ck_assert(wzp_quic_new(&crowd, &cfg, sc.st->net.now) == WZP_OK);
    const size_t before = in_use();
    for (unsigned i = 0; i < STEPS; i++) {
        for (unsigned k = 0; k < CLIENTS; k++) {
            prove_and_fall_silent(sc.st, crowd, i * CLIENTS + k);
        }
        talk(&sc, FRAME_MS);
        ck_assert_int_le(stage_metric(sc.st, "wzp_quic_connections"), PROVEN + 2);
    }
    ck_assert_int_eq(stage_metric(sc.st, "wzp_quic_connections"), PROVEN + 2);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_quic_handshakes_deferred_total"),
                     STEPS * CLIENTS - PROVEN);
    ck_assert_uint_lt(in_use(), before + (size_t)PROVEN * 200000);
    talk(&sc, 11000);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_quic_connections"), 2);
    const guest *honest = stage_member(sc.st, "call");
    ck_assert(!honest->closed);
    wzp_quic_free(&crowd);
    end(&sc);
}
END_TEST

START_TEST(a_flood_from_many_addresses) {
    enum { STEPS = 100, CLIENTS = 20, UNPROVEN = 256 };
    wzp_prng prng;
    wzp_quic *crowd = NULL;
    wzp_prng_init(&prng, 7, "crowd");
    const wzp_quic_cfg cfg = {.rng = wzp_prng_rng(&prng)};
    scene sc = begin(NULL);
    ck_assert(wzp_quic_new(&crowd, &cfg, sc.st->net.now) == WZP_OK);
    const size_t before = in_use();
    for (unsigned i = 0; i < STEPS; i++) {
        first_packets(sc.st, crowd, i * CLIENTS, CLIENTS);
        talk(&sc, FRAME_MS);
        ck_assert_int_le(stage_metric(sc.st, "wzp_quic_connections"), UNPROVEN + 2);
    }
    ck_assert_int_eq(stage_metric(sc.st, "wzp_quic_retries_sent_total"),
                     STEPS * CLIENTS - UNPROVEN);
    ck_assert_uint_lt(in_use(), before + (size_t)UNPROVEN * 200000);
    guest *honest = stage_member(sc.st, "call"); /* proves its address */
    ck_assert(!honest->closed);
    talk(&sc, 11000);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_quic_connections"), 3);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_quic_handshakes_failed_total"), UNPROVEN);
    wzp_quic_free(&crowd);
    end(&sc);
}
END_TEST

/* --- time ------------------------------------------------------------------------------------- */

/* The relay's clock is ahead of the others' by `ahead`. */
static struct late {
    wzp_core core;
    uint64_t ahead;
    bool sleeps; /* what comes waits */
    size_t count;
    struct {
        wzp_quic_path path;
        size_t len;
        uint8_t data[1500];
    } waiting[2048];
} late;

static void late_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    if (late.sleeps) {
        ck_assert_uint_lt(late.count, WZP_COUNT_OF(late.waiting));
        late.waiting[late.count].path = *path;
        late.waiting[late.count].len = payload.len;
        memcpy(late.waiting[late.count++].data, payload.data, payload.len);
        return;
    }
    late.core.ops->recv(self, path, ecn, payload, now + late.ahead);
}

static void late_tick(void *self, wzp_time now) {
    if (late.sleeps) {
        return;
    }
    late.core.ops->tick(self, now + late.ahead);
}

static wzp_time late_deadline(const void *self) {
    const wzp_time at = late.sleeps ? WZP_TIME_NEVER : late.core.ops->deadline(self);
    return at == WZP_TIME_NEVER ? at : wzp_time_since(at, late.ahead);
}

static size_t late_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    return late.sleeps ? 0 : late.core.ops->next_packet(self, now + late.ahead, buf, cap, meta);
}

static void wake_up(stage *st) {
    for (size_t i = 0; i < late.count; i++) {
        late_recv(st->relay, &late.waiting[i].path, 0,
                  wzp_bytes_of(late.waiting[i].data, late.waiting[i].len), st->net.now);
    }
    late.count = 0;
}

static void set_late(stage *st) {
    static const wzp_core_ops ops = {late_recv, late_tick, late_deadline, late_next_packet};
    late.core = st->net.core[0];
    late.ahead = late.count = 0;
    st->net.core[0].ops = &ops;
}

/* As after a suspend of the relay's machine, or of its process: timers that ran out meanwhile
 * fire, calls go on. */
START_TEST(time_jumps_forward) {
    const wzp_relay_cfg cfg = {.enforce = WZP_ENFORCE_ON};
    scene sc = begin(&cfg);
    set_late(sc.st);
    guest *caller = stage_registered(sc.st, NULL);
    guest *callee = stage_registered(sc.st, NULL);
    const guest *silent = stage_guest(sc.st, "call"); /* owes an offer within ten seconds */
    ring(caller, callee);
    talk(&sc, 2000);
    late.ahead = 10 * WZP_S;
    talk(&sc, 2000);
    ck_assert(silent->closed);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_handshakes_refused_total"), 1);
    ck_assert_uint_eq(guest_count(caller, "Hangup"), 0);
    take(callee); /* it still rings */
    ck_assert_uint_eq(guest_count(caller, "CallSetup"), 1);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_calls"), 1);
    talk(&sc, 2000);
    end(&sc);
}
END_TEST

/* The process sleeps, its socket does not: all that was sent meanwhile comes in one moment.  The
 * profile of --enforce on would take that for a flood. */
START_TEST(a_sleep_is_nobodys_fault) {
    enum { CODEC2_MS = 40, BEFORE = 50, ASLEEP = 250, AFTER = 300, FLOOD = 600 };
    const wzp_relay_cfg cfg = {.enforce = WZP_ENFORCE_ON};
    scene sc = begin(&cfg);
    set_late(sc.st);
    for (uint32_t i = 0; i < AFTER; i++) {
        late.sleeps = i >= BEFORE && i < ASLEEP;
        if (i == ASLEEP) {
            ck_assert_uint_gt(late.count, 150);
            wake_up(sc.st);
        }
        speak_as(sc.a, WZP_CODEC_CODEC2_1200, i, i * CODEC2_MS, 6);
        stage_run(sc.st, CODEC2_MS);
    }
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_woken_late_total"), 1);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_packets_in_total"), AFTER);
    ck_assert(!sc.a->closed);
    for (uint32_t i = AFTER; i < FLOOD && !sc.a->closed; i++) { /* it judges again */
        speak_as(sc.a, WZP_CODEC_CODEC2_1200, i, i * CODEC2_MS, 6);
        stage_run(sc.st, 3);
    }
    stage_run(sc.st, 1000);
    ck_assert_str_eq(sc.a->close.reason, "policy violation");
    stage_free(&sc.st);
}
END_TEST

START_TEST(time_jumps_past_the_ringing) {
    const wzp_relay_cfg cfg = {.ring_timeout = 20 * WZP_S};
    scene sc = begin(&cfg);
    set_late(sc.st);
    guest *caller = stage_registered(sc.st, NULL);
    const guest *callee = stage_registered(sc.st, NULL);
    ring(caller, callee);
    late.ahead = 21 * WZP_S;
    talk(&sc, 1000);
    ck_assert_uint_eq(guest_count(caller, "Hangup"), 1);
    ck_assert_uint_eq(guest_count(callee, "Hangup"), 1);
    ck_assert_int_eq(stage_metric(sc.st, "wzp_relay_calls_ended_total{cause=\"timeout\"}"), 1);
    end(&sc);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("faults");
    tcase_add_test(tc, who_is_in_needs_no_service);
    tcase_add_loop_test(tc, a_party_vanishes, 0, 4);
    tcase_add_test(tc, a_member_vanishes);
    tcase_add_test(tc, an_address_changes);
    tcase_add_test(tc, all_are_told_of_the_end);
    tcase_add_loop_test(tc, half_a_signal, 0, 2 * (int)WZP_COUNT_OF(half_cases));
    tcase_add_test(tc, streams_that_never_end);
    tcase_add_test(tc, media_that_nobody_acknowledges);
    tcase_add_test(tc, signals_that_nobody_acknowledges);
    tcase_add_test(tc, a_flood_from_many_addresses);
    tcase_add_test(tc, a_flood_of_those_who_prove_their_addresses);
    tcase_add_test(tc, time_jumps_forward);
    tcase_add_test(tc, time_jumps_past_the_ringing);
    tcase_add_test(tc, a_sleep_is_nobodys_fault);
    return wzp_run_suite("relay.faults", tc);
}
