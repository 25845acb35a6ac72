/* Tier D at the deployed boundary (profile strict-limits). */
#include "conformance/cases/macros.h"

static const wzp_ct_case cases[] = {
    {.info = {INFO("DS-01", "DS", "Opus24k at the exact limit", "CONF-D-1", FORWARD,
                   "Opus24k, 28 pkt/s x payload 320, 12 s", "conformance 24.6"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     STEP(WZP_CODEC_OPUS_24K, 28, 320, 12, 20),
     .strict_limits = true},
    {.info = {INFO("DS-02", "DS", "Opus24k one byte over it", "CONF-D-1", HANG_UP,
                   "Opus24k, 28 pkt/s x payload 321, 12 s", "conformance 24.6"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(PAYLOAD_SIZE), 8.0)},
     STEP(WZP_CODEC_OPUS_24K, 28, 321, 12, 20),
     .strict_limits = true},
};

const wzp_ct_chapter wzp_ct_chapter_ds = {"DS", "Tier D, strict limits", cases,
                                          WZP_COUNT_OF(cases)};
