#include "adapt/agreement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/testing/suite.h"

#define P(codec)                                                                                   \
    "{\"codec\":\"" codec "\",\"fec_ratio\":0.1,\"frame_duration_ms\":20,\"frames_per_block\":5}"
#define DIRECTIVE(codec) "{\"QualityDirective\":{\"recommended_profile\":" P(codec) "}}"
#define CAPABILITY(call, codec)                                                                    \
    "{\"QualityCapability\":{\"call_id\":\"" call "\",\"max_profile\":" P(codec) "}}"
#define PROPOSAL(call, id, codec)                                                                  \
    "{\"UpgradeProposal\":{\"call_id\":\"" call "\",\"proposal_id\":\"" id                         \
    "\",\"proposed_profile\":" P(codec) "}}"
#define RESPONSE(call, id, accepted)                                                               \
    "{\"UpgradeResponse\":{\"call_id\":\"" call "\",\"proposal_id\":\"" id                         \
    "\",\"accepted\":" accepted "}}"
#define CONFIRM(call, id, codec)                                                                   \
    "{\"UpgradeConfirm\":{\"call_id\":\"" call "\",\"proposal_id\":\"" id                          \
    "\",\"confirmed_profile\":" P(codec) "}}"
#define L65 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"

/* What comes in, what goes out (a part of it; "" nothing), and what the encoder then uses.  A step
 * that begins with '+' is a proposal of ours, with '=' a decision of our controller. */
static const struct {
    const char *name;
    bool is_fixed;
    wzp_adapt_policy policy;
    struct {
        const char *in, *out, *codec;
    } steps[5];
} cases[] = {
    {"a directive is followed",
     .steps = {{DIRECTIVE("Opus6k"), "", "Opus6k"}, {DIRECTIVE("Opus64k"), "", "Opus64k"}}},
    {"not with a fixed quality", true, .steps = {{DIRECTIVE("Opus6k"), "", "Opus24k"}}},
    {"a directive for video is not", .steps = {{DIRECTIVE("H264Baseline"), "", "Opus24k"},
                                               {DIRECTIVE("ComfortNoise"), "", "Opus24k"}}},
    {"a proposal is accepted",
     .steps = {{PROPOSAL("c1", "p1", "Opus48k"),
                "\"call_id\":\"c1\",\"proposal_id\":\"p1\",\"accepted\":true", "Opus24k"},
               {CONFIRM("c1", "p1", "Opus48k"), "", "Opus48k"}}},
    {"another call's is not answered", .steps = {{PROPOSAL("c2", "p1", "Opus48k"), "", "Opus24k"},
                                                 {CONFIRM("c2", "p1", "Opus48k"), "", "Opus24k"}}},
    {"a proposal of video is declined",
     .steps = {{PROPOSAL("c1", "p1", "Av1Main"),
                "\"accepted\":false,\"reason\":\"not a codec of sound\"", "Opus24k"}}},
    {"fixed: declined", true,
     .steps = {{PROPOSAL("c1", "p1", "Opus48k"),
                "\"accepted\":false,\"reason\":\"the quality is fixed\"", "Opus24k"},
               {CONFIRM("c1", "p1", "Opus48k"), "", "Opus24k"}}},
    {"fixed, deployed: accepted and ignored", true, WZP_ADAPT_DEPLOYED,
     .steps = {{PROPOSAL("c1", "p1", "Opus48k"), "\"accepted\":true", "Opus24k"},
               {CONFIRM("c1", "p1", "Opus48k"), "", "Opus24k"}}},
    {"ours is accepted",
     .steps = {{"+Opus32k", "\"proposal_id\":\"p9\",\"proposed_profile\":{\"codec\":\"Opus32k\"",
                "Opus24k"},
               {RESPONSE("c1", "p9", "true"),
                "\"UpgradeConfirm\":{\"version\":1,\"call_id\":\"c1\",\"proposal_id\":\"p9\","
                "\"confirmed_profile\":{\"codec\":\"Opus32k\"",
                "Opus32k"},
               {RESPONSE("c1", "p9", "true"), "", "Opus32k"}}},
    {"ours is declined", .steps = {{"+Opus32k", "UpgradeProposal", "Opus24k"},
                                   {RESPONSE("c1", "p9", "false"), "", "Opus24k"},
                                   {RESPONSE("c1", "p9", "true"), "", "Opus24k"}}},
    {"an answer to another one uses ours up",
     .steps = {{"+Opus32k", "UpgradeProposal", "Opus24k"},
               {RESPONSE("c1", "p8", "true"), "", "Opus24k"},
               {RESPONSE("c1", "p9", "true"), "", "Opus24k"}}},
    {"an answer in another call does not",
     .steps = {{"+Opus32k", "UpgradeProposal", "Opus24k"},
               {RESPONSE("c2", "p9", "true"), "", "Opus24k"},
               {RESPONSE("c1", "p9", "true"), "UpgradeConfirm", "Opus32k"}}},
    {"an answer to nothing", .steps = {{RESPONSE("c1", "", "true"), "", "Opus24k"}}},
    {"a cap holds until it is lifted", .steps = {{CAPABILITY("c1", "Opus6k"), "", "Opus6k"},
                                                 {DIRECTIVE("Opus64k"), "", "Opus6k"},
                                                 {"=Codec2_1200", "", "Codec2_1200"},
                                                 {CAPABILITY("c1", "Opus64k"), "", "Codec2_1200"},
                                                 {"=Opus64k", "", "Opus64k"}}},
    {"a cap counts with a fixed quality", true,
     .steps = {{CAPABILITY("c1", "Opus6k"), "", "Opus6k"},
               {CAPABILITY("c1", "Opus24k"), "", "Opus24k"}}},
    {"a cap of video is none", .steps = {{CAPABILITY("c1", "H265Main"), "", "Opus24k"}}},
    {"the controller decides",
     .steps = {{"=Opus6k", "", "Opus6k"}, {DIRECTIVE("Opus24k"), "", "Opus24k"}}},
    {"an id of any length", .steps = {{PROPOSAL("c1", L65, "Opus48k"), "", "Opus24k"}}},
    {"something else",
     .steps = {{"\"Hold\"", "", "Opus24k"}, {"{\"Ping\":{\"timestamp_ms\":1}}", "", "Opus24k"}}},
};

static uint8_t codec_of(const char *name) {
    return (uint8_t)wzp_codec_by_name(wzp_bytes_str(name));
}

static void take(wzp_agreement *a, const char *in) {
    wzp_signal *signal = NULL;
    const wzp_quality_profile *before = wzp_agreement_profile(a);
    if (*in == '+') {
        ck_assert_int_eq(wzp_agreement_propose(a, codec_of(in + 1), "p9"), WZP_OK);
    } else if (*in == '=') {
        ck_assert(wzp_agreement_adapt(a, codec_of(in + 1)));
    } else {
        ck_assert_int_eq(wzp_signal_parse(&signal, wzp_bytes_str(in), NULL, NULL), WZP_OK);
        const bool changed = wzp_agreement_recv(a, signal);
        wzp_signal_free(&signal); /* nothing of it may be needed later */
        ck_assert_int_eq(changed, wzp_agreement_profile(a) != before);
    }
}

static void expect_out(wzp_agreement *a, const char *name, const char *want) {
    wzp_signal signal;
    char *json = NULL;
    size_t len = 0;
    const bool any = wzp_agreement_next(a, &signal);
    ck_assert_msg(any == (*want != '\0'), "%s: %s", name, any ? "an answer" : "no answer");
    if (any) {
        ck_assert_int_eq(wzp_signal_to_json(&json, &len, &signal), WZP_OK);
        ck_assert_msg(strstr(json, want) != NULL, "%s: %s", name, json);
        free(json);
        ck_assert(!wzp_agreement_next(a, &signal));
    }
}

START_TEST(exchanges) {
    wzp_agreement a;
    ck_assert_int_eq(
        wzp_agreement_init(&a, cases[_i].policy, cases[_i].is_fixed, WZP_CODEC_OPUS_24K, "c1"),
        WZP_OK);
    for (size_t i = 0; i < WZP_COUNT_OF(cases[_i].steps) && cases[_i].steps[i].in != NULL; i++) {
        take(&a, cases[_i].steps[i].in);
        expect_out(&a, cases[_i].name, cases[_i].steps[i].out);
        const wzp_quality_profile *profile = wzp_agreement_profile(&a);
        ck_assert_msg(profile->codec == codec_of(cases[_i].steps[i].codec), "%s, step %zu: %s",
                      cases[_i].name, i, wzp_codec_find(profile->codec)->name);
    }
}
END_TEST

START_TEST(a_flood_of_proposals) {
    wzp_agreement a;
    wzp_signal signal;
    unsigned answers = 0;
    ck_assert_int_eq(wzp_agreement_init(&a, WZP_ADAPT_REFERENCE, false, WZP_CODEC_OPUS_24K, ""),
                     WZP_OK);
    for (int i = 0; i < 100; i++) {
        take(&a, PROPOSAL("any", "p1", "Opus48k"));
    }
    while (wzp_agreement_next(&a, &signal)) {
        answers++;
        ck_assert(wzp_bytes_equal(signal.u.UpgradeResponse.call_id, wzp_bytes_str("any")));
    }
    ck_assert_uint_eq(answers, WZP_AGREEMENT_OUT_MAX);
}
END_TEST

START_TEST(what_is_refused) {
    wzp_agreement a;
    ck_assert_int_eq(wzp_agreement_init(&a, WZP_ADAPT_REFERENCE, false, WZP_CODEC_AV1_MAIN, ""),
                     WZP_ERR_INVALID_ARGUMENT);
    ck_assert_int_eq(wzp_agreement_init(&a, WZP_ADAPT_REFERENCE, false, WZP_CODEC_OPUS_24K, L65),
                     WZP_ERR_INVALID_ARGUMENT);
    ck_assert_int_eq(wzp_agreement_init(&a, WZP_ADAPT_REFERENCE, true, WZP_CODEC_OPUS_24K, ""),
                     WZP_OK);
    ck_assert_int_eq(wzp_agreement_propose(&a, WZP_CODEC_OPUS_32K, "p"), WZP_ERR_INVALID_ARGUMENT);
    ck_assert(!wzp_agreement_adapt(&a, WZP_CODEC_OPUS_6K));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("agreement");
    tcase_add_loop_test(tc, exchanges, 0, (int)WZP_COUNT_OF(cases));
    tcase_add_test(tc, a_flood_of_proposals);
    tcase_add_test(tc, what_is_refused);
    return wzp_run_suite("agreement", tc);
}
