/* Tier G: what follows from abuse (conformance sheet 24.10).  G-11 is about clients. */
#include "conformance/cases/macros.h"
#include "conformance/cases/relay/plays.h"

#define G(id, requirement, level_, title, must, what, script, n, ...)                              \
    {                                                                                              \
        .kind = WZP_CT_PLAY,                                                                       \
        .info = {INFO(id, "G", title, requirement, must, what, "conformance 24.10"),               \
                 .level = (level_), .abuse = true},                                                \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script), .act_count = (n),                \
        .state_size = WZP_CT_G_STATE, .on_datagram = wzp_ct_g_datagram, __VA_ARGS__                \
    }
#define A01 STEP(WZP_CODEC_OPUS_24K, 2000, 300, 3, 20)
#define B04 STEP(WZP_CODEC_OPUS_64K, 240, 40, 5, 20)
#define POLICY .config = WZP_CT_CONFIG_POLICY, .skip = WZP_CT_REASON_NO_TEST_CONFIG

static const wzp_ct_case cases[] = {
    G("G-01", "CONF-G-1", WZP_CT_MUST, "the words of a hangup",
      "say Hangup with PolicyViolation, a code and a reason", "A-01", wzp_ct_acts_g01,
      WZP_CT_G01_ACTS, A01),
    G("G-02", "CONF-G-1", WZP_CT_MUST, "no silent phase before it",
      "forward until it is said, or say it within 0.5 s", "B-04", wzp_ct_acts_g02, WZP_CT_G02_ACTS,
      B04),
    G("G-03", "CONF-G-1", WZP_CT_MUST, "first the words, then the close",
      "say Hangup before CONNECTION_CLOSE", "A-01", wzp_ct_acts_g03, WZP_CT_G03_ACTS, A01),
    G("G-04", "CONF-G-2", WZP_CT_MUST, "the others talk on",
      "tell them who left, and forward what they say", "A-01 in a room of three", wzp_ct_acts_g04,
      WZP_CT_G04_ACTS, A01),
    G("G-05", "CONF-G-3", WZP_CT_SHOULD, "a cool-down",
      "refuse the same identity with a typed Hangup, let others in",
      "A-01, then the same identity after 5 s", wzp_ct_acts_g05, WZP_CT_G05_ACTS, A01),
    G("G-06", "CONF-G-3", WZP_CT_MUST, "others from the same address",
      "let them in and forward what they say", "A-01, then a fresh identity", wzp_ct_acts_g06,
      WZP_CT_G06_ACTS, A01),
    G("G-07", "CONF-G-3", WZP_CT_SHOULD, "a cool-down, then a block",
      "let in after the cool-down, refuse during the block, let in after it",
      "a relay with 5 s and 30 s; A-01 twice", wzp_ct_acts_g07, WZP_CT_G07_ACTS, A01, POLICY),
    G("G-08", "CONF-G-3", WZP_CT_MUST, "nobody is locked out by a forged offer",
      "let the victim in", "an offer in its name with a bad signature, A-01 if that is let in",
      wzp_ct_acts_g08, WZP_CT_G08_ACTS, A01),
    {.kind = WZP_CT_PLAY,
     .info = {INFO("G-09", "G", "coming and going is no abuse", "CONF-G-3", "let in each time",
                   "four identities join and leave 20 times each", "conformance 24.10")},
     .criteria = {.rule = WZP_CT_RULE_RESP},
     .acts = wzp_ct_acts_g09,
     .act_count = WZP_CT_G09_ACTS,
     .state_size = WZP_CT_G_STATE},
    {.kind = WZP_CT_PLAY,
     .info = {INFO("G-10", "G", "a relay that observes", "CONF-0", "forward all and say nothing",
                   "A-01 to a relay that only observes", "conformance 24.10")},
     .criteria = {.rule = WZP_CT_RULE_RESP},
     .acts = wzp_ct_acts_g10,
     .act_count = WZP_CT_G10_ACTS,
     .state_size = WZP_CT_G_STATE,
     .on_datagram = wzp_ct_g_datagram,
     .config = WZP_CT_CONFIG_OBSERVE,
     .skip = WZP_CT_REASON_NO_TEST_CONFIG,
     A01},
    G("G-12", "CONF-G-3", WZP_CT_INFO, "offences of two kinds", "anything: it is only described",
      "C-03, then B-04 after the cool-down", wzp_ct_acts_g12, WZP_CT_G12_ACTS, B04, POLICY),
};

const wzp_ct_chapter wzp_ct_chapter_g = {"G", "Tier G: what follows", cases, WZP_COUNT_OF(cases)};
