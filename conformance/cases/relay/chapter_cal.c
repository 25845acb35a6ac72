/* Calibration: can anything be said at all, and what kind of relay is this (conformance 24.2). */
#include "conformance/cases/macros.h"

static const wzp_ct_case cases[] = {
    {.info = {INFO("CAL-01", "CAL", "plain speech is delivered", "CONF-0", FORWARD,
                   "Opus24k, 50 pkt/s x payload 76, 10 s", "conformance 24.2"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .fatal = true,
     STEP(WZP_CODEC_OPUS_24K, 50, 76, 10, 20)},
    {.kind = WZP_CT_PACING,
     .info = {INFO("CAL-02", "CAL", "this machine keeps the schedule", "CONF-0",
                   "(about the tester) send within 2 ms of the schedule, 99 in 100 times",
                   "the schedule of A-03 into nothing", "conformance 24.2")},
     .criteria = {.rule = WZP_CT_RULE_RESP},
     .fatal = true,
     WALL(WZP_CODEC_OPUS_24K, 90, 159, 2)},
    {.info = {INFO("CAL-03", "CAL", "which mode the relay is in", "CONF-0",
                   "behave as the mode that was declared for it",
                   "as A-01: 2000 pkt/s x payload 300, 3 s", "conformance 24.2"),
              .level = WZP_CT_INFO},
     .criteria = {.rule = WZP_CT_RULE_INFO, .deadline_s = 1.5},
     .sets_mode = true,
     STEP(WZP_CODEC_OPUS_24K, 2000, 300, 3, 20)},
    {.kind = WZP_CT_SCRAPE,
     .info = {INFO("CAL-04", "CAL", "the metrics page parses", "CONF-M-1", "serve Prometheus text",
                   "two scrapes", "conformance 24.2"),
              .level = WZP_CT_INFO},
     .criteria = {.rule = WZP_CT_RULE_RESP}},
};

const wzp_ct_chapter wzp_ct_chapter_cal = {"CAL", "Calibration", cases, WZP_COUNT_OF(cases)};
