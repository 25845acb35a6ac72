/* Calls through the relay core in which the speaker's codec changes, or may not. */
#include "base/testing/suite.h"
#include "client/client.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"

typedef struct user {
    wzp_client *client;
    wzp_prng prng;
    uint8_t codec; /* of the packet that arrived last */
    uint32_t last_ts, repairs, packets, since_change, reports, bad_steps, played;
    bool any;
    char answer[512]; /* the last signal that left */
} user;

static void after(void *ctx, wzp_time now) {
    static const int16_t silence[WZP_OPUS_MAX_FRAME_SAMPLES];
    user *u = ctx;
    wzp_client_event ev;
    while (wzp_client_next_event(u->client, now, &ev)) {
        if (ev.kind == WZP_CLIENT_CAPTURE) {
            ck_assert_uint_eq(ev.samples, (size_t)48 * wzp_codec_find(ev.codec)->frame_ms);
            ck_assert_int_eq(wzp_client_push(u->client, silence, ev.samples, now), WZP_OK);
        } else if (ev.kind == WZP_CLIENT_PLAY) {
            u->played += ev.slot == WZP_JBUF_FRAME ? 1 : 0;
        }
    }
}

/* AUD-001, AUD-003: a frame's timestamp is its predecessor's and that one's length. */
static void on_arrival(void *ctx, const wzp_media_packet *packet, wzp_time now) {
    user *u = ctx;
    const uint32_t step = packet->hdr.timestamp_ms - u->last_ts;
    (void)now;
    if ((packet->hdr.flags & WZP_MEDIA_REPAIR) != 0) {
        u->repairs++;
        return;
    }
    u->bad_steps += u->any && step != wzp_codec_find(u->codec)->frame_ms ? 1 : 0;
    u->since_change = u->codec == packet->hdr.codec_id ? u->since_change + 1 : 0;
    u->codec = packet->hdr.codec_id;
    u->last_ts = packet->hdr.timestamp_ms;
    u->any = true;
    u->packets++;
    u->reports += (packet->hdr.flags & WZP_MEDIA_QUALITY) != 0 ? 1 : 0;
}

static bool on_signal(void *ctx, bool out, wzp_bytes json, wzp_time now) {
    user *u = ctx;
    (void)now;
    if (out && json.len < sizeof u->answer) {
        memcpy(u->answer, json.data, json.len);
        u->answer[json.len] = '\0';
    }
    return true;
}

static const wzp_addr relay_addr = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};

typedef struct call {
    pair_net net;
    wzp_prng prng;
    wzp_relay *relay;
    user says, hears;
} call;

static void start(call *c, user *u, uint64_t seed, bool listen_only, bool adapts) {
    const wzp_addr addr = wzp_addr_v4(10, 0, 0, (uint8_t)(10 + seed), 5000);
    wzp_prng_init(&u->prng, seed, "client");
    const wzp_client_cfg cfg = {.rng = wzp_prng_rng(&u->prng),
                                .seed = {(uint8_t)seed},
                                .room = "room",
                                .codec = WZP_CODEC_OPUS_24K,
                                .adapts = adapts,
                                .listen_only = listen_only,
                                .arrival = on_arrival,
                                .arrival_ctx = u,
                                .signal = on_signal,
                                .signal_ctx = u,
                                .path = {addr, relay_addr}};
    ck_assert_int_eq(wzp_client_new(&u->client, &cfg, c->net.now), WZP_OK);
    pair_add(&c->net, wzp_client_core(u->client), addr, after, u);
}

static void run(call *c, uint64_t ms) {
    pair_run(&c->net, c->net.now + ms * WZP_MS);
}

static void begin(call *c, bool adapts) {
    memset(c, 0, sizeof *c);
    pair_init(&c->net, 4);
    wzp_prng_init(&c->prng, 3, "relay");
    const wzp_relay_cfg cfg = {.rng = wzp_prng_rng(&c->prng), .enforce = WZP_ENFORCE_ON};
    ck_assert_int_eq(wzp_relay_new(&c->relay, &cfg, c->net.now), WZP_OK);
    pair_add(&c->net, wzp_relay_core(c->relay), relay_addr, NULL, NULL);
    start(c, &c->hears, 2, true, false);
    run(c, 1000);
    start(c, &c->says, 1, false, adapts);
    run(c, 2000);
}

static void end(call *c) {
    ck_assert_uint_eq(c->hears.bad_steps, 0);
    ck_assert_uint_gt(c->hears.played, 0);
    wzp_client_free(&c->says.client);
    wzp_client_free(&c->hears.client);
    wzp_relay_free(&c->relay);
    pair_clear(&c->net);
}

#define P(codec)                                                                                   \
    "{\"codec\":\"" codec "\",\"fec_ratio\":0.1,\"frame_duration_ms\":20,\"frames_per_block\":5}"
#define DIRECTIVE(codec) "{\"QualityDirective\":{\"recommended_profile\":" P(codec) "}}"

static void tell(call *c, const char *json) {
    wzp_client_signal(c->says.client, false, wzp_bytes_str(json), c->net.now);
}

/* QUAL-005: within two frames, and back. */
START_TEST(a_directive_is_followed) {
    static const struct {
        const char *directive;
        uint8_t codec;
    } steps[] = {{DIRECTIVE("Opus6k"), WZP_CODEC_OPUS_6K},
                 {DIRECTIVE("Opus64k"), WZP_CODEC_OPUS_64K},
                 {DIRECTIVE("Opus16k"), WZP_CODEC_OPUS_16K},
                 {DIRECTIVE("Codec2_1200"), WZP_CODEC_CODEC2_1200},
                 {DIRECTIVE("Av1Main"), WZP_CODEC_CODEC2_1200},
                 {DIRECTIVE("Opus24k"), WZP_CODEC_OPUS_24K}};
    static call c;
    begin(&c, true);
    for (size_t i = 0; i < WZP_COUNT_OF(steps); i++) {
        const uint32_t before = c.hears.packets;
        const bool changes = c.hears.codec != steps[i].codec;
        tell(&c, steps[i].directive);
        run(&c, 1000);
        ck_assert_uint_eq(c.hears.codec, steps[i].codec);
        ck_assert(!changes || c.hears.packets - before - 1 - c.hears.since_change <= 3);
    }
    end(&c);
}
END_TEST

/* QUAL-006 */
START_TEST(a_fixed_quality_ignores_it) {
    static call c;
    begin(&c, false);
    tell(&c, DIRECTIVE("Opus6k"));
    run(&c, 20000);
    ck_assert_uint_eq(c.hears.codec, WZP_CODEC_OPUS_24K);
    end(&c);
}
END_TEST

/* QUAL-008, QUAL-009, QUAL-010 */
START_TEST(an_upgrade_is_negotiated) {
    static call c;
    begin(&c, true);
    tell(&c,
         "{\"UpgradeProposal\":{\"call_id\":\"c\",\"proposal_id\":\"p\",\"proposed_profile\":" P(
             "Opus48k") "}}");
    ck_assert_str_eq(c.says.answer, "{\"UpgradeResponse\":{\"version\":1,\"call_id\":\"c\","
                                    "\"proposal_id\":\"p\",\"accepted\":true}}");
    tell(&c,
         "{\"UpgradeConfirm\":{\"call_id\":\"c\",\"proposal_id\":\"p\",\"confirmed_profile\":" P(
             "Opus48k") "}}");
    run(&c, 1000);
    ck_assert_uint_eq(c.hears.codec, WZP_CODEC_OPUS_48K);
    tell(&c, "{\"QualityCapability\":{\"call_id\":\"c\",\"max_profile\":" P("Opus6k") "}}");
    run(&c, 1000);
    ck_assert_uint_eq(c.hears.codec, WZP_CODEC_OPUS_6K);
    end(&c);
}
END_TEST

/* QR-002, QUAL-004 */
START_TEST(a_clean_call_reports_and_climbs) {
    static call c;
    wzp_client_stats stats;
    begin(&c, true);
    run(&c, 18000); /* 20 s, in which both the client and its relay climb twice */
    ck_assert_uint_ge(c.hears.reports, 18);
    ck_assert_uint_le(c.hears.reports, 20);
    ck_assert_uint_gt(c.hears.codec, WZP_CODEC_OPUS_24K);
    wzp_client_count(c.says.client, &stats);
    ck_assert_uint_eq(stats.codec, c.hears.codec);
    ck_assert_uint_ge(stats.codec_changes, 1);
    end(&c);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("adapt");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_directive_is_followed);
    tcase_add_test(tc, a_fixed_quality_ignores_it);
    tcase_add_test(tc, an_upgrade_is_negotiated);
    tcase_add_test(tc, a_clean_call_reports_and_climbs);
    return wzp_run_suite("adapt", tc);
}
