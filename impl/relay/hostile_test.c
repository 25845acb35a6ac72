/* What strangers try, beyond what one connection's meters see: each test is a row of
 * docs/SECURITY.md.  Real QUIC on an in-memory network. */
#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "relay/limits.h"
#include "relay/testing/offer.h"
#include "relay/testing/stage.h"
#include "wire/media.h"

enum { SOON = 300 };

/* Bytes in use; always 0 under a sanitizer. */
static size_t in_use(void) {
    return mallinfo2().uordblks;
}

static long long metric(const stage *st, const char *name) {
    return stage_metric(st, name);
}

static void send_packet(guest *g, const wzp_media_hdr *hdr, size_t len) {
    static const uint8_t payload[1200];
    uint8_t buf[WZP_MEDIA_HDR_LEN + sizeof payload];
    wzp_wr wr;
    wzp_media_hdr own = *hdr;
    own.version = WZP_PROTOCOL_VERSION;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_packet_write(&wr,
                           &(wzp_media_packet){.hdr = own, .payload = wzp_bytes_of(payload, len)});
    guest_send(g, wzp_bytes_of(buf, wzp_wr_len(&wr)));
}

static wzp_media_hdr film(uint8_t stream_id, uint32_t seq, uint8_t flags) {
    return (wzp_media_hdr){.media_type = WZP_MEDIA_VIDEO,
                           .codec_id = WZP_CODEC_H264_BASELINE,
                           .stream_id = stream_id,
                           .flags = flags,
                           .seq = seq,
                           .timestamp_ms = 33 * seq};
}

/* --- tunnels ---------------------------------------------------------------------------------- */

static const struct tunnel {
    const char *name;
    wzp_media_hdr hdr;
    size_t len;
    unsigned every_ms, ms; /* hung up on within */
    const char *code;
} tunnels[] = {
    {"bulk in audio", {.codec_id = WZP_CODEC_OPUS_24K}, 300, 5, 1000, "Bitrate"},
    {"small packets in audio", {.codec_id = WZP_CODEC_OPUS_24K}, 8, 2, 1000, "PacketRate"},
    {"few large packets in audio", {.codec_id = WZP_CODEC_OPUS_24K}, 500, 40, 5000, "PayloadSize"},
    {"video codec in audio",
     {.media_type = WZP_MEDIA_AUDIO, .codec_id = WZP_CODEC_H264_BASELINE},
     1000,
     10,
     1000,
     "Bitrate"},
    {"audio codec in video",
     {.media_type = WZP_MEDIA_VIDEO, .codec_id = WZP_CODEC_OPUS_64K},
     1000,
     10,
     1000,
     "Bitrate"},
    {"repairs of Codec2",
     {.codec_id = WZP_CODEC_CODEC2_1200, .flags = WZP_MEDIA_REPAIR},
     272,
     20,
     2000,
     "Bitrate"},
    {"data with an audio codec",
     {.media_type = WZP_MEDIA_DATA, .codec_id = WZP_CODEC_OPUS_64K},
     1000,
     10,
     1000,
     "PayloadSize"},
    {"data with a video codec",
     {.media_type = WZP_MEDIA_DATA, .codec_id = WZP_CODEC_H264_BASELINE},
     1000,
     2,
     5000,
     "RateCap"},
    {"control with an audio codec",
     {.media_type = WZP_MEDIA_CONTROL, .codec_id = WZP_CODEC_OPUS_64K},
     1000,
     10,
     1000,
     "PayloadSize"},
    {"control with a video codec",
     {.media_type = WZP_MEDIA_CONTROL, .codec_id = WZP_CODEC_H264_BASELINE},
     1000,
     2,
     5000,
     "RateCap"},
};

START_TEST(bulk_is_hung_up_on) {
    const struct tunnel *t = &tunnels[_i];
    stage *st = stage_new(&(wzp_relay_cfg){.enforce = WZP_ENFORCE_ON});
    guest *x = stage_member(st, "room");
    const guest *l = stage_member(st, "room");
    char name[96];
    wzp_media_hdr hdr = t->hdr;
    for (unsigned ms = 0; ms < t->ms && guest_heard(x, "Hangup", 0) == NULL; ms += t->every_ms) {
        hdr.seq++;
        hdr.timestamp_ms += 20;
        send_packet(x, &hdr, t->len);
        stage_run(st, t->every_ms);
    }
    stage_run(st, 1000);
    const heard *hangup = guest_heard(x, "Hangup", 0);
    ck_assert_msg(hangup != NULL && strstr(hangup->text, t->code) != NULL, "%s: %s", t->name,
                  hangup != NULL ? hangup->text : "nothing");
    ck_assert(x->closed && !l->closed);
    (void)snprintf(name, sizeof name, "wzp_relay_policy_hangups_total{code=\"%s\"}", t->code);
    ck_assert_int_eq(metric(st, name), 1);
    stage_free(&st);
}
END_TEST

/* --- names ------------------------------------------------------------------------------------ */

static void register_unproven(guest *g) {
    wzp_signal reg = {.kind = WZP_SIGNAL_REGISTER_PRESENCE, .version = 1};
    memcpy(reg.u.RegisterPresence.identity_pub.bytes, g->identity.ed25519_pub, WZP_KEY_LEN);
    guest_tell(g, &reg);
}

static bool is_refused(const guest *g) {
    const heard *ack = guest_heard(g, "RegisterPresenceAck", 0);
    ck_assert_ptr_nonnull(ack);
    return strstr(ack->text, "\"success\":false") != NULL;
}

static const struct taking {
    const char *name;
    bool first_proves, second_proves, refused;
} takings[] = {
    {"both prove it", true, true, false},
    {"only the first one does", true, false, true},
    {"only the second one does", false, true, false},
    {"nobody does, as deployed", false, false, false},
};

START_TEST(proven_names_stay) {
    const struct taking *t = &takings[_i];
    stage *st = stage_new(NULL);
    guest *first = stage_guest(st, "_signal");
    (t->first_proves ? guest_register(first, NULL) : register_unproven(first));
    stage_run(st, SOON);
    guest *second = stage_guest_again(st, first, "_signal");
    (t->second_proves ? guest_register(second, NULL) : register_unproven(second));
    stage_run(st, 1000);
    ck_assert_msg(is_refused(second) == t->refused, "%s", t->name);
    ck_assert(second->closed == t->refused && !first->closed);
    ck_assert_int_eq(metric(st, "wzp_relay_handshakes_refused_total"), t->refused);
    ck_assert_int_eq(metric(st, "wzp_relay_signal_clients"), 1);
    stage_free(&st);
}
END_TEST

/* When the one who proved it has gone, the name is free again. */
START_TEST(names_are_free_again) {
    stage *st = stage_new(NULL);
    guest *first = stage_registered(st, NULL);
    guest_leave(first);
    stage_run(st, SOON);
    guest *second = stage_guest_again(st, first, "_signal");
    register_unproven(second);
    stage_run(st, SOON);
    ck_assert(!is_refused(second));
    stage_free(&st);
}
END_TEST

/* Another connection that says the same bytes is another session of that identity, no more: it is
 * counted as one, and leaves the first one alone (crypto sheet 10.5, S2). */
START_TEST(replayed_offers) {
    uint8_t json[OFFER_MAX + 1];
    stage *st = stage_new(&(wzp_relay_cfg){.max_sessions = 2});
    guest *victim = stage_guest(st, "room");
    json[offer_write(json, OFFER_MAX, &victim->identity, NULL, wzp_prng_rng(&victim->prng))] = '\0';
    guest_say(victim, (const char *)json);
    stage_run(st, SOON);
    guest *thief = stage_guest(st, "room");
    guest_say(thief, (const char *)json);
    stage_run(st, SOON);
    guest *third = stage_guest(st, "room");
    guest_say(third, (const char *)json);
    stage_run(st, SOON);
    ck_assert(!victim->closed && !thief->closed && third->closed);
    ck_assert_int_eq(metric(st, "wzp_relay_active_sessions"), 2);
    ck_assert_int_eq(metric(st, "wzp_relay_sessions_refused_total"), 1);
    stage_free(&st);
}
END_TEST

/* X25519 of such a key is all zeros, whatever ours is (crypto sheet 10.5, S7). */
START_TEST(weak_keys_are_refused) {
    static const uint8_t versions[] = {WZP_PROTOCOL_VERSION};
    static const uint8_t zeros[WZP_KEY_LEN] = {0};
    uint8_t signature[WZP_SIGNATURE_LEN];
    stage *st = stage_new(NULL);
    guest *g = stage_guest(st, "room");
    wzp_handshake_sign(signature, &g->identity, WZP_ROLE_OFFER, zeros);
    wzp_signal offer = {.kind = WZP_SIGNAL_CALL_OFFER,
                        .version = 1,
                        .u.CallOffer = {.signature = {signature, sizeof signature},
                                        .supported_profiles = {&wzp_profile_good, 1},
                                        .protocol_version = WZP_PROTOCOL_VERSION,
                                        .supported_versions = {versions, 1}}};
    memcpy(offer.u.CallOffer.identity_pub.bytes, g->identity.ed25519_pub, WZP_KEY_LEN);
    guest_tell(g, &offer);
    stage_run(st, SOON);
    ck_assert(g->closed && guest_count(g, "CallAnswer") == 0);
    ck_assert_int_eq(metric(st, "wzp_relay_handshakes_refused_total"), 1);
    stage_free(&st);
}
END_TEST

/* --- picture loss ----------------------------------------------------------------------------- */

static void tell_loss(guest *g, unsigned stream_id) {
    char text[80];
    (void)snprintf(text, sizeof text,
                   "{\"PictureLossIndication\":{\"version\":1,\"stream_id\":%u}}", stream_id);
    guest_say(g, text);
}

/* Two film on one stream id; a third one floods: both are asked five times a second, nobody else.
 */
START_TEST(picture_loss_is_bounded) {
    enum { MS = 2000, EACH = 10 };
    stage *st = stage_new(NULL);
    guest *a = stage_member(st, "room");
    guest *b = stage_member(st, "room");
    guest *flood = stage_member(st, "room");
    const guest *other = stage_member(st, "room");
    for (unsigned ms = 0; ms < MS; ms += EACH) {
        const wzp_media_hdr hdr = film(0, ms / EACH, WZP_MEDIA_FRAME_END);
        send_packet(a, &hdr, 100);
        send_packet(b, &hdr, 100);
        tell_loss(flood, 0);
        tell_loss(flood, 200); /* nobody's */
        stage_run(st, EACH);
    }
    ck_assert_uint_ge(guest_count(a, "PictureLossIndication"), MS / 200 - 1);
    ck_assert_uint_le(guest_count(a, "PictureLossIndication"), MS / 200 + 1);
    ck_assert_uint_ge(guest_count(b, "PictureLossIndication"), MS / 200 - 1);
    ck_assert_uint_eq(guest_count(other, "PictureLossIndication"), 0);
    ck_assert_uint_eq(guest_count(flood, "PictureLossIndication"), 0);
    const long long passed = metric(st, "wzp_relay_pli_forwarded_total");
    ck_assert_int_le(passed, MS / 200 + 1);
    ck_assert_int_ge(metric(st, "wzp_relay_pli_suppressed_total"), MS / EACH - passed - 1);
    stage_free(&st);
}
END_TEST

/* --- quality that goes up and down ------------------------------------------------------------ */

static void report(guest *g, uint32_t seq, uint8_t loss) {
    uint8_t buf[128];
    wzp_wr wr;
    static const uint8_t payload[60];
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_packet_write(
        &wr, &(wzp_media_packet){.hdr = {.version = WZP_PROTOCOL_VERSION,
                                         .codec_id = WZP_CODEC_OPUS_24K,
                                         .flags = WZP_MEDIA_QUALITY,
                                         .seq = seq,
                                         .timestamp_ms = 20 * seq},
                                 .payload = wzp_bytes_of(payload, sizeof payload),
                                 .report = {.loss_pct = loss, .bitrate_cap_kbps = 200}});
    guest_send(g, wzp_bytes_of(buf, wzp_wr_len(&wr)));
}

/* Five bad reports, ten good ones: each time the room would follow. */
START_TEST(directives_are_bounded) {
    enum { SECONDS = 3, EVERY_MS = 2, TURN = 15 };
    stage *st = stage_new(NULL);
    guest *x = stage_member(st, "room");
    const guest *l = stage_member(st, "room");
    uint32_t seq = 0;
    for (unsigned ms = 0; ms < SECONDS * 1000; ms += EVERY_MS) {
        report(x, seq, seq % TURN < 5 ? 255 : 0);
        seq++;
        stage_run(st, EVERY_MS);
    }
    const size_t told = guest_count(l, "QualityDirective");
    ck_assert_uint_le(told, (size_t)(SECONDS + 1) * WZP_LIMIT_DIRECTIVE_RATE);
    ck_assert_int_ge(metric(st, "wzp_relay_directives_deferred_total"), SECONDS);
    stage_run(st, 1000);
    for (unsigned i = 0; i < 3; i++) { /* and then it stays bad */
        report(x, seq++, 255);
        stage_run(st, 20);
    }
    const heard *last = guest_heard(l, "QualityDirective", guest_count(l, "QualityDirective") - 1);
    ck_assert_msg(strstr(last->text, "weakest link: Catastrophic") != NULL, "%s", last->text);
    stage_free(&st);
}
END_TEST

/* --- keyframes that nobody needs -------------------------------------------------------------- */

/* What is kept for those who join: four streams of a sender, and of each so many bytes. */
START_TEST(keyframes_are_bounded) {
    enum { STREAMS = 256, PACKETS = 40, LEN = 1100, LARGE = 200 };
    stage *st = stage_new(NULL);
    guest *x = stage_member(st, "room");
    const size_t before = in_use();
    for (unsigned stream = 0; stream < STREAMS; stream++) {
        for (uint32_t i = 0; i < PACKETS; i++) {
            const wzp_media_hdr hdr = film((uint8_t)stream, i, WZP_MEDIA_KEYFRAME);
            send_packet(x, &hdr, LEN);
        }
        stage_run(st, 40);
    }
    const size_t most = (size_t)WZP_LIMIT_KEYFRAME_STREAMS * 2 * WZP_LIMIT_KEYFRAME;
    ck_assert_uint_lt(in_use(), before + most + (1U << 20));
    ck_assert_int_eq(metric(st, "wzp_relay_keyframes_dropped_total"),
                     (long long)(STREAMS - WZP_LIMIT_KEYFRAME_STREAMS) * PACKETS);
    for (uint32_t i = PACKETS; i < LARGE; i++) { /* one that grows beyond the limit */
        const wzp_media_hdr hdr = film(0, i, WZP_MEDIA_KEYFRAME);
        send_packet(x, &hdr, LEN);
        stage_run(st, 1);
    }
    const guest *newcomer = stage_member(st, "room");
    stage_run(st, SOON);
    ck_assert_uint_eq(newcomer->datagram_count, 0);
    stage_free(&st);
}
END_TEST

/* --- logs and metrics ------------------------------------------------------------------------- */

/* As many connections as one likes: what the log does not take is counted, and lines are short. */
START_TEST(events_are_bounded) {
    enum { ROUNDS = 40, EACH = 28 };
    uint64_t events = 0;
    wzp_relay_event ev;
    stage *st = stage_new(&(wzp_relay_cfg){.max_sessions = 1});
    (void)stage_member(st, "room");
    for (unsigned i = 0; i < EACH; i++) {
        guest *g = stage_guest(st, "room");
        for (unsigned k = 0; k < ROUNDS; k++) {
            guest_say(g, "{\"NoSuchThing\":{}}");
        }
        stage_run(st, 100);
        ck_assert(g->closed); /* the first one ended it: there is one event of it */
    }
    while (wzp_relay_next_event(st->relay, &ev)) {
        events++;
        ck_assert_uint_lt(strlen(ev.reason), sizeof ev.reason);
    }
    ck_assert_uint_le(events, 2 + 2 * EACH);
    stage_free(&st);
}
END_TEST

/* Nobody takes events any more. */
START_TEST(events_that_nobody_takes) {
    enum { VISITS = 600 };
    stage *st = stage_new(NULL);
    guest *g = stage_member(st, "room");
    const size_t before = in_use();
    uint64_t events = 0;
    wzp_relay_event ev;
    for (unsigned i = 0; i < VISITS; i++) {
        const wzp_quic_dial dial = {.path = {g->addr, st->relay_addr}, .sni = "another"};
        wzp_quic_conn conn = 0;
        ck_assert(wzp_quic_connect(g->quic, &dial, st->net.now, &conn) == WZP_OK);
        stage_run(st, 30);
        ck_assert(wzp_quic_send_signal(g->quic, conn, wzp_bytes_str("1"), NULL) == WZP_OK);
        ck_assert(wzp_quic_send_signal(g->quic, conn, wzp_bytes_str("1"), NULL) == WZP_OK);
        stage_run(st, 30);
    }
    const long long dropped = metric(st, "wzp_relay_events_dropped_total");
    while (wzp_relay_next_event(st->relay, &ev)) {
        events++;
    }
    ck_assert_uint_le(events, WZP_LIMIT_EVENTS);
    ck_assert_uint_ge(events + (uint64_t)dropped, VISITS);
    ck_assert_uint_lt(in_use(), before + WZP_LIMIT_EVENTS * sizeof ev + (2U << 20));
    stage_free(&st);
}
END_TEST

static size_t series(const stage *st) {
    size_t n = 0;
    for (const char *at = stage_metrics(st); (at = strchr(at, '\n')) != NULL; at++) {
        n += at[1] != '#' && at[1] != '\0' ? 1 : 0;
    }
    return n;
}

/* Rooms, fingerprints and aliases are no labels, and sessions are forgotten with their members. */
START_TEST(labels_do_not_grow) {
    stage *st = stage_new(&(wzp_relay_cfg){.enforce = WZP_ENFORCE_ON});
    guest *stays = stage_member(st, "room");
    const wzp_media_hdr hdr = {.codec_id = WZP_CODEC_OPUS_24K, .flags = WZP_MEDIA_QUALITY};
    size_t before = 0;
    for (unsigned i = 0; i < 12; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "room-%u", i);
        guest *g = stage_member(st, name);
        send_packet(g, &hdr, 60);
        stage_run(st, SOON);
        ck_assert_ptr_null(strstr(stage_metrics(st), name));
        ck_assert_ptr_null(strstr(stage_metrics(st), g->identity.fingerprint));
        guest_leave(g);
        (void)snprintf(name, sizeof name, "\\\"}\\n%u", i);
        guest *hub = stage_registered(st, name);
        guest_leave(hub);
        stage_run(st, SOON);
        before = i == 0 ? series(st) : before; /* of kinds of packets that there were none of */
    }
    ck_assert_uint_eq(series(st), before);
    ck_assert(!stays->closed);
    stage_free(&st);
}
END_TEST

/* --- half-open handshakes --------------------------------------------------------------------- */

static const struct silence {
    const char *sni;
    unsigned ms;
    bool auth;
} silences[] = {
    {"room", 10500, false},
    {"_signal", 10500, false},
    {"room", 10500, true},
    {"_federation", 5500, false},
};

/* Whoever says nothing is closed at its time, and takes no place of a session. */
START_TEST(silent_ones_are_closed) {
    const struct silence *c = &silences[_i];
    stage *st = stage_new(&(wzp_relay_cfg){.max_sessions = 1, .auth = c->auth});
    enum { MANY = 20 };
    guest *silent[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        silent[i] = stage_guest(st, c->sni);
    }
    if (!c->auth) {
        ck_assert(!stage_member(st, "room")->closed);
    }
    stage_run(st, c->ms);
    for (unsigned i = 0; i < MANY; i++) {
        ck_assert_msg(silent[i]->closed, "%s", c->sni);
    }
    ck_assert_int_eq(metric(st, "wzp_relay_handshakes_refused_total"), MANY);
    stage_free(&st);
}
END_TEST

/* Whoever is in no room has nobody to send to, and what is on a stream that nobody reads is lost:
 * neither without a count. */
START_TEST(media_of_nobody_are_counted) {
    stage *st = stage_new(&(wzp_relay_cfg){0});
    const wzp_media_hdr hdr = {.codec_id = WZP_CODEC_OPUS_24K};
    guest *g = stage_registered(st, "Alice");
    int64_t stream = 0;
    for (int i = 0; i < 5; i++) {
        send_packet(g, &hdr, 60);
    }
    ck_assert(wzp_quic_stream_open(g->quic, g->conn, WZP_QUIC_UNI_STREAM, &stream) == WZP_OK);
    ck_assert(wzp_quic_stream_write(g->quic, g->conn, stream, wzp_bytes_str("hello"), true) ==
              WZP_OK);
    stage_run(st, SOON);
    ck_assert_int_eq(metric(st, "wzp_relay_packets_ignored_total"), 5);
    ck_assert_int_eq(metric(st, "wzp_relay_signals_ignored_total"), 1);
    ck_assert(!g->closed);
    stage_free(&st);
}
END_TEST

/* --- addresses -------------------------------------------------------------------------------- */

/* One address may not have all connections. */
START_TEST(connections_of_one_address) {
    enum { MOST = 3, TRIES = 10 };
    stage *st = stage_new(&(wzp_relay_cfg){.max_conns_per_ip = MOST});
    guest *g = stage_guest(st, "_probe");
    for (unsigned i = 1; i < TRIES; i++) {
        const wzp_quic_dial dial = {.path = {g->addr, st->relay_addr}, .sni = "_probe"};
        wzp_quic_conn conn = 0;
        ck_assert(wzp_quic_connect(g->quic, &dial, st->net.now, &conn) == WZP_OK);
        stage_run(st, 50);
    }
    ck_assert_int_eq(metric(st, "wzp_quic_connections"), MOST);
    ck_assert_int_ge(metric(st, "wzp_quic_refused_total"), TRIES - MOST);
    ck_assert(!stage_member(st, "room")->closed); /* from elsewhere */
    stage_free(&st);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("hostile");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, bulk_is_hung_up_on, 0, WZP_COUNT_OF(tunnels));
    tcase_add_loop_test(tc, proven_names_stay, 0, WZP_COUNT_OF(takings));
    tcase_add_test(tc, names_are_free_again);
    tcase_add_test(tc, replayed_offers);
    tcase_add_test(tc, weak_keys_are_refused);
    tcase_add_test(tc, picture_loss_is_bounded);
    tcase_add_test(tc, directives_are_bounded);
    tcase_add_test(tc, keyframes_are_bounded);
    tcase_add_test(tc, events_are_bounded);
    tcase_add_test(tc, events_that_nobody_takes);
    tcase_add_test(tc, labels_do_not_grow);
    tcase_add_loop_test(tc, silent_ones_are_closed, 0, WZP_COUNT_OF(silences));
    tcase_add_test(tc, media_of_nobody_are_counted);
    tcase_add_test(tc, connections_of_one_address);
    return wzp_run_suite("relay.hostile", tc);
}
