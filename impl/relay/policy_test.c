/* Tiers E to G through real connections: accounts, conduct, cool-downs and blocks. */
#include <stdio.h>

#include "base/testing/suite.h"
#include "meter/bans.h"
#include "relay/quotas.h"
#include "relay/testing/stage.h"
#include "wire/media.h"

enum { SOON = 300, FAREWELL = 700 };

/* What one sends. */
typedef struct stream {
    uint8_t media_type, codec, flags;
    uint16_t payload, step_ms;
    uint32_t seq, ts;
} stream;

static void send_one(guest *g, stream *s) {
    uint8_t buf[1300];
    static const uint8_t payload[1200];
    wzp_wr wr;
    const wzp_media_packet packet = {.hdr = {.version = WZP_PROTOCOL_VERSION,
                                             .media_type = s->media_type,
                                             .codec_id = s->codec,
                                             .flags = s->flags,
                                             .seq = s->seq++,
                                             .timestamp_ms = s->ts},
                                     .payload = wzp_bytes_of(payload, s->payload)};
    s->ts += s->step_ms;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_packet_write(&wr, &packet);
    guest_send(g, wzp_bytes_of(buf, wzp_wr_len(&wr)));
}

/* One packet each `every_ms`, until it is closed or the time is over; how long it lasted. */
static uint64_t stream_for(stage *st, guest *g, stream *s, unsigned every_ms, unsigned seconds) {
    uint64_t ms = 0;
    while (!g->closed && ms < seconds * UINT64_C(1000)) {
        send_one(g, s);
        stage_run(st, every_ms);
        ms += every_ms;
    }
    return ms;
}

/* Tier A within a second: 200 packets per second of 300 bytes. */
static void break_a_rule(stage *st, guest *g) {
    stream s = {.codec = WZP_CODEC_OPUS_24K, .payload = 300, .step_ms = 20};
    (void)stream_for(st, g, &s, 5, 3);
    ck_assert_ptr_nonnull(guest_heard(g, "Hangup", 0));
    stage_run(st, FAREWELL);
    ck_assert(g->closed);
}

static const wzp_relay_cfg enforcing = {.enforce = WZP_ENFORCE_ON,
                                        .policy = {.cooldown = 5 * WZP_S, .block = 30 * WZP_S}};

/* NULL: it was let in. */
static const char *refusal(stage *st, const guest *who, const char *room) {
    guest *again = stage_guest_again(st, who, room);
    guest_offer(again, NULL);
    stage_run(st, SOON);
    const heard *hangup = guest_heard(again, "Hangup", 0);
    if (hangup == NULL) {
        ck_assert(guest_heard(again, "CallAnswer", 0) != NULL && !again->closed);
        guest_leave(again);
        stage_run(st, SOON);
        return NULL;
    }
    ck_assert_uint_eq(guest_count(again, "CallAnswer"), 0);
    ck_assert_uint_eq(guest_count(again, "RoomUpdate"), 0);
    stage_run(st, FAREWELL);
    ck_assert(again->closed);
    ck_assert_str_eq(again->close.reason, "policy violation");
    return hangup->text;
}

START_TEST(cooldown_then_block) {
    stage *st = stage_new(&enforcing);
    guest *x = stage_member(st, "room");
    const guest *other = stage_member(st, "room");
    break_a_rule(st, x);
    const char *why = refusal(st, x, "elsewhere");
    ck_assert_ptr_nonnull(why);
    ck_assert_msg(strstr(why, "\"code\":\"Bitrate\",\"reason\":\"cool-down, ") != NULL, "%s", why);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_bans{kind=\"cool-down\"}"), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_bans_refused_total{kind=\"cool-down\"}"), 1);
    ck_assert(!other->closed);
    stage_run(st, 5000);
    ck_assert_ptr_null(refusal(st, x, "room"));
    guest *again = stage_guest_again(st, x, "room");
    guest_offer(again, NULL);
    stage_run(st, SOON);
    break_a_rule(st, again);
    stage_run(st, 10000);
    why = refusal(st, x, "room");
    ck_assert_msg(why != NULL && strstr(why, "\"blocked, ") != NULL, "%s", why);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_bans{kind=\"block\"}"), 1);
    stage_run(st, 20000);
    ck_assert_ptr_null(refusal(st, x, "room"));
    stage_free(&st);
}
END_TEST

START_TEST(others_may_come) {
    stage *st = stage_new(&enforcing);
    guest *x = stage_member(st, "room");
    break_a_rule(st, x);
    const guest *fresh = stage_member(st, "room"); /* from the same address */
    stage_run(st, SOON);
    ck_assert(!fresh->closed);
    stage_free(&st);
}
END_TEST

START_TEST(a_pardon_lets_in) {
    stage *st = stage_new(&enforcing);
    guest *x = stage_member(st, "room");
    ck_assert_ptr_null(wzp_relay_bans(st->relay));
    ck_assert(!wzp_relay_pardon(st->relay, x->identity.fingerprint));
    break_a_rule(st, x);
    ck_assert_ptr_nonnull(
        wzp_bans_find(wzp_relay_bans(st->relay), x->identity.fingerprint, st->net.now));
    ck_assert(wzp_relay_pardon(st->relay, x->identity.fingerprint));
    ck_assert_ptr_null(refusal(st, x, "room"));
    stage_free(&st);
}
END_TEST

START_TEST(nobody_is_barred) {
    const wzp_relay_cfg cfg = {.enforce = WZP_ENFORCE_ON,
                               .policy = {.cooldown = WZP_POLICY_NONE, .block = WZP_POLICY_NONE}};
    stage *st = stage_new(&cfg);
    guest *x = stage_member(st, "room");
    break_a_rule(st, x);
    ck_assert_ptr_null(refusal(st, x, "room"));
    stage_free(&st);
}
END_TEST

/* While nothing is enforced a list that is there bars nobody. */
START_TEST(observe_admits_all) {
    stage *st = stage_new(&enforcing);
    guest *x = stage_member(st, "room");
    break_a_rule(st, x);
    const wzp_relay_live live = {.enforce = WZP_ENFORCE_OBSERVE, .policy = enforcing.policy};
    wzp_relay_change(st->relay, &live);
    ck_assert_ptr_null(refusal(st, x, "room"));
    stage_free(&st);
}
END_TEST

/* An offer in another's name, with a signature that is not his. */
START_TEST(forgeries_bar_nobody) {
    stage *st = stage_new(&enforcing);
    const guest *victim = stage_member(st, "room");
    guest *forger = stage_guest(st, "room");
    forger->identity = victim->identity;
    forger->identity.ed25519_seed[0] ^= 1; /* whatever signs, it is not his key */
    guest_offer(forger, NULL);
    stage_run(st, FAREWELL);
    ck_assert_ptr_null(wzp_relay_bans(st->relay));
    ck_assert_ptr_null(refusal(st, victim, "room"));
    stage_free(&st);
}
END_TEST

/* --- a list that outlives the relay ----------------------------------------------------------- */

START_TEST(the_list_is_kept) {
    static uint8_t buf[4096];
    wzp_wr wr;
    wzp_ban ban;
    stage *st = stage_new(&enforcing);
    guest *x = stage_member(st, "room");
    break_a_rule(st, x);
    wzp_wr_init(&wr, buf, sizeof buf);
    ck_assert_int_eq(wzp_bans_save(wzp_relay_bans(st->relay), st->net.now, 1000, &wr), WZP_OK);
    /* What one worker notes the others are told. */
    ck_assert(wzp_relay_next_offence(st->relay, &ban));
    ck_assert_str_eq(ban.name, x->identity.fingerprint);
    ck_assert(!wzp_relay_next_offence(st->relay, &ban));
    stage_free(&st);
    for (int i = 0; i < 2; i++) {
        st = stage_new(&enforcing);
        x = stage_member(st, "room"); /* the same identity: the first of its stage */
        const wzp_bytes snapshot = wzp_bytes_of(buf, wzp_wr_len(&wr));
        if (i == 0) {
            ck_assert_int_eq(wzp_relay_bans_load(st->relay, snapshot, st->net.now, 1000, NULL),
                             WZP_OK);
        } else {
            ban.until = st->net.now + 3 * WZP_S;
            ck_assert(wzp_relay_put_ban(st->relay, &ban, st->net.now));
        }
        ck_assert_ptr_nonnull(refusal(st, x, "room"));
        stage_free(&st);
    }
}
END_TEST

/* --- accounts --------------------------------------------------------------------------------- */

/* 1 MB of audio in a month, at 28 kB/s: below every rate. */
START_TEST(a_month_is_spent) {
    wzp_relay_cfg cfg = enforcing;
    cfg.policy.month_anonymous = 1000000;
    stage *st = stage_new(&cfg);
    guest *x = stage_member(st, "room");
    stream s = {.codec = WZP_CODEC_OPUS_64K, .payload = 544, .step_ms = 20};
    const uint64_t ms = stream_for(st, x, &s, 20, 60);
    ck_assert_msg(ms > 35000 && ms < 36500, "closed after %llu ms", (unsigned long long)ms);
    const heard *hangup = guest_heard(x, "Hangup", 0);
    ck_assert_msg(hangup != NULL && strstr(hangup->text, "RateCap") != NULL, "no RateCap");
    ck_assert_int_eq(
        stage_metric(st, "wzp_relay_quota_exceeded_total{account=\"fingerprint\",limit=\"month\"}"),
        1);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_bans{kind=\"cool-down\"}"), 0); /* no offence */
    guest *again = stage_guest_again(st, x, "room");
    guest_offer(again, NULL);
    stage_run(st, SOON);
    ck_assert_uint_lt(stream_for(st, again, &s, 20, 5), 1000);
    stage_free(&st);
}
END_TEST

static bool any_closed(guest *const *who, size_t count) {
    size_t open = 0;
    while (open < count && !who[open]->closed) {
        open++;
    }
    return open < count;
}

/* Four connections of one identity share a bucket: 4 * 28 kB/s drain it in 24 s, alone none would
 * ever. */
START_TEST(one_identity_has_one_bucket) {
    stage *st = stage_new(&enforcing);
    guest *who[4] = {stage_member(st, "room")};
    stream s[4];
    for (int i = 0; i < 4; i++) {
        s[i] = (stream){.codec = WZP_CODEC_OPUS_64K, .payload = 544, .step_ms = 20};
        if (i > 0) {
            who[i] = stage_guest_again(st, who[0], "room");
            guest_offer(who[i], NULL);
        }
    }
    stage_run(st, SOON);
    uint64_t ms = 0;
    while (!any_closed(who, 4) && ms < 40000) {
        for (int i = 0; i < 4; i++) {
            send_one(who[i], &s[i]);
        }
        stage_run(st, 20);
        ms += 20;
    }
    ck_assert_msg(ms > 20000 && ms < 30000, "closed after %llu ms", (unsigned long long)ms);
    ck_assert_int_gt(
        stage_metric(st, "wzp_relay_quota_exceeded_total{account=\"fingerprint\",limit=\"rate\"}"),
        0);
    stage_free(&st);
}
END_TEST

/* 28 kB/s without a pause score 0.40.  Where that has consequences the bucket refills with 16 kB/s
 * and is empty after 160 s; else with 32 kB/s, which is enough for ever. */
START_TEST(suspects_have_less) {
    wzp_relay_cfg cfg = enforcing;
    cfg.policy.entropy_closes = _i == 1;
    stage *st = stage_new(&cfg);
    guest *x = stage_member(st, "room");
    stream s = {
        .codec = WZP_CODEC_OPUS_64K, .flags = WZP_MEDIA_QUALITY, .payload = 544, .step_ms = 20};
    const uint64_t ms = stream_for(st, x, &s, 20, 180);
    ck_assert_msg(_i == 1 ? ms > 150000 && ms < 170000 : ms >= 180000, "closed after %llu ms",
                  (unsigned long long)ms);
    const heard *hangup = guest_heard(x, "Hangup", 0);
    ck_assert((hangup != NULL && strstr(hangup->text, "RateCap") != NULL) == (_i == 1));
    stage_free(&st);
}
END_TEST

/* The same over two workers, which tell each other once a second: no later. */
START_TEST(one_identity_has_one_bucket_at_all_workers) {
    stage *st = stage_new(&enforcing);
    stage_relay(st, &enforcing);
    stage_at(st, 0);
    guest *who[4] = {stage_member(st, "room")};
    stream s[4];
    for (int i = 0; i < 4; i++) {
        s[i] = (stream){.codec = WZP_CODEC_OPUS_64K, .payload = 544, .step_ms = 20};
        if (i > 0) {
            stage_at(st, (size_t)i % 2);
            who[i] = stage_guest_again(st, who[0], "room");
            guest_offer(who[i], NULL);
        }
    }
    stage_run(st, SOON);
    uint64_t ms = 0;
    while (!any_closed(who, 4) && ms < 60000) {
        for (int i = 0; i < 4; i++) {
            send_one(who[i], &s[i]);
        }
        stage_run(st, 20);
        ms += 20;
        for (size_t from = 0; ms % 1000 == 0 && from < 2; from++) {
            wzp_relay_spending news[8];
            const size_t n = wzp_relay_take_spending(st->relays[from], news, 8);
            ck_assert_uint_eq(n, 3); /* a fingerprint and two addresses */
            wzp_relay_put_spending(st->relays[1 - from], news, n, st->net.now);
        }
    }
    ck_assert_msg(ms > 20000 && ms < 30000, "closed after %llu ms", (unsigned long long)ms);
    stage_free(&st);
}
END_TEST

/* A month that is spent is spent for the relay's next life too, and not for another relay. */
START_TEST(a_month_survives_the_relay) {
    static uint8_t buf[WZP_RELAY_QUOTAS_MAX];
    wzp_relay_cfg cfg = enforcing;
    cfg.policy.month_anonymous = 1000000;
    stage *st = stage_new(&cfg);
    stage_relay(st, &cfg);
    cfg.seed[0] ^= 1;
    stage_relay(st, &cfg);
    stage_at(st, 0);
    guest *x = stage_member(st, "room");
    stream s = {.codec = WZP_CODEC_OPUS_64K, .payload = 544, .step_ms = 20};
    ck_assert_uint_gt(stream_for(st, x, &s, 20, 60), 35000);
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    ck_assert_int_eq(wzp_relay_quotas_save(st->relays[0], st->net.now, 5000, &wr), WZP_OK);
    const wzp_bytes file = wzp_bytes_of(buf, wzp_wr_len(&wr));
    ck_assert_int_eq(wzp_relay_quotas_load(st->relays[1], file, st->net.now, 5060, NULL), WZP_OK);
    ck_assert_int_eq(wzp_relay_quotas_load(st->relays[2], file, st->net.now, 5060, NULL),
                     WZP_ERR_PEER_STATE);
    for (size_t i = 1; i < 3; i++) {
        stage_at(st, i);
        guest *again = stage_guest_again(st, x, "room");
        guest_offer(again, NULL);
        stage_run(st, SOON);
        const uint64_t ms = stream_for(st, again, &s, 20, 5);
        ck_assert_msg(i == 1 ? ms < 1000 : ms >= 5000, "relay %zu: %llu ms", i,
                      (unsigned long long)ms);
    }
    stage_free(&st);
}
END_TEST

/* Three identities of one address that may send as much as one. */
START_TEST(one_address_has_one_bucket) {
    wzp_relay_cfg cfg = enforcing;
    cfg.policy.senders_per_ip = 1;
    stage *st = stage_new(&cfg);
    guest *who[3];
    stream s[3];
    for (int i = 0; i < 3; i++) {
        who[i] = stage_member(st, "room");
        s[i] = (stream){.codec = WZP_CODEC_OPUS_64K, .payload = 544, .step_ms = 20};
    }
    const bool same = wzp_addr_same_ip(&who[0]->addr, &who[1]->addr);
    uint64_t ms = 0;
    while (!any_closed(who, 3) && ms < 60000) {
        for (int i = 0; i < 3; i++) {
            send_one(who[i], &s[i]);
        }
        stage_run(st, 20);
        ms += 20;
    }
    ck_assert_int_eq(ms < 60000, same);
    ck_assert_int_eq(
        stage_metric(st, "wzp_relay_quota_exceeded_total{account=\"address\",limit=\"rate\"}") > 0,
        same);
    stage_free(&st);
}
END_TEST

/* --- conduct ---------------------------------------------------------------------------------- */

/* Video without a keyframe, FV-02. */
static uint64_t send_no_keyframes(stage *st, guest *x, unsigned seconds) {
    stream s = {.media_type = WZP_MEDIA_VIDEO,
                .codec = WZP_CODEC_H264_BASELINE,
                .flags = WZP_MEDIA_FRAME_END,
                .payload = 100,
                .step_ms = 33};
    return stream_for(st, x, &s, 33, seconds);
}

START_TEST(abuse_is_counted) {
    stage *st = stage_new(&enforcing);
    guest *x = stage_member(st, "room");
    (void)send_no_keyframes(st, x, 80);
    ck_assert(!x->closed);
    ck_assert_int_gt(stage_metric(st, "wzp_relay_conformance_abuse_seconds_total"), 10);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_conformance_suspect_total{media_type=\"Video\"}"),
                     1);
    ck_assert_int_eq(
        stage_metric(
            st, "wzp_relay_conformance_verdicts_total{media_type=\"Video\",verdict=\"abusive\"}"),
        1);
    stage_free(&st);
}
END_TEST

START_TEST(abuse_hangs_up) {
    wzp_relay_cfg cfg = enforcing;
    cfg.policy.entropy_closes = true;
    stage *st = stage_new(&cfg);
    guest *x = stage_member(st, "room");
    const guest *l = stage_member(st, "room");
    const uint64_t ms = send_no_keyframes(st, x, 80);
    ck_assert_msg(ms > 60000 && ms < 70000, "closed after %llu ms", (unsigned long long)ms);
    const heard *hangup = guest_heard(x, "Hangup", 0);
    ck_assert_msg(hangup != NULL && strstr(hangup->text, "Entropy") != NULL, "no Entropy");
    ck_assert_uint_gt(l->datagram_count, 1800); /* all of it was forwarded until then */
    stage_free(&st);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("policy");
    tcase_add_test(tc, cooldown_then_block);
    tcase_add_test(tc, others_may_come);
    tcase_add_test(tc, a_pardon_lets_in);
    tcase_add_test(tc, nobody_is_barred);
    tcase_add_test(tc, observe_admits_all);
    tcase_add_test(tc, forgeries_bar_nobody);
    tcase_add_test(tc, the_list_is_kept);
    tcase_add_test(tc, a_month_is_spent);
    tcase_add_test(tc, one_identity_has_one_bucket);
    tcase_add_loop_test(tc, suspects_have_less, 0, 2);
    tcase_add_test(tc, one_identity_has_one_bucket_at_all_workers);
    tcase_add_test(tc, a_month_survives_the_relay);
    tcase_add_test(tc, one_address_has_one_bucket);
    tcase_add_test(tc, abuse_is_counted);
    tcase_add_test(tc, abuse_hangs_up);
    return wzp_run_suite("policy", tc);
}
