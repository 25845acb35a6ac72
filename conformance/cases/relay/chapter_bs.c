/* Tier B at the deployed boundary (profile strict-limits). */
#include "conformance/cases/macros.h"

static const wzp_ct_case cases[] = {
    {.info = {INFO("BS-01", "BS", "Opus64k at the exact threshold, under", "CONF-B-1", FORWARD,
                   "Opus64k, 223 pkt/s x payload 40, 10 s", "conformance 24.4"),
              .must_forward = true},
     .criteria = {MUST_FORWARD, .under_packets = 225},
     STEP(WZP_CODEC_OPUS_64K, 223, 40, 10, 20),
     .strict_limits = true},
    {.info = {INFO("BS-02", "BS", "Opus64k at the exact threshold, over", "CONF-B-1", HANG_UP,
                   "Opus64k, 228 pkt/s x payload 40, 10 s", "conformance 24.4"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(PACKET_RATE), 3.0), .over_packets = 225},
     STEP(WZP_CODEC_OPUS_64K, 228, 40, 10, 20),
     .strict_limits = true},
    {.info = {INFO("BS-03", "BS", "Opus6k at the exact threshold, under", "CONF-B-1", FORWARD,
                   "Opus6k, 110 pkt/s x payload 2, 10 s", "conformance 24.4"),
              .must_forward = true},
     .criteria = {MUST_FORWARD, .under_packets = 112},
     STEP(WZP_CODEC_OPUS_6K, 110, 2, 10, 40),
     .strict_limits = true},
    {.info = {INFO("BS-04", "BS", "Opus6k at the exact threshold, over", "CONF-B-1", HANG_UP,
                   "Opus6k, 115 pkt/s x payload 2, 10 s", "conformance 24.4"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(PACKET_RATE), 3.0), .over_packets = 112},
     STEP(WZP_CODEC_OPUS_6K, 115, 2, 10, 40),
     .strict_limits = true},
};

const wzp_ct_chapter wzp_ct_chapter_bs = {"BS", "Tier B, strict limits", cases,
                                          WZP_COUNT_OF(cases)};
