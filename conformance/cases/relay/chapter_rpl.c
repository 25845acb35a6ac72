/* A capture's traffic at the relay under test: forwarded if it is legitimate, ended if it is not.
 */
#include "conformance/cases/macros.h"
#include "conformance/cases/relay/replay.h"

static wzp_ct_replayed played;

static void build(wzp_ct_pattern *pattern, const wzp_ct_case *c) {
    (void)c;
    if (played.count == 0) {
        wzp_ct_codec2_fec(pattern, WZP_CODEC_CODEC2_3200, 4, 50, 10000);
        return;
    }
    for (size_t i = 0; i < played.count; i++) {
        const wzp_ct_packet *from = &played.packets[i];
        wzp_ct_packet *p = wzp_ct_add(pattern, from->due, from->hdr.media_type, from->hdr.codec_id,
                                      from->hdr.flags, from->payload);
        if (p == NULL) {
            return;
        }
        p->hdr = from->hdr;
    }
    pattern->end = played.packets[played.count - 1].due;
}

static wzp_ct_case cases[] = {
    {.info = {INFO("RPL-01", "RPL", "a capture's traffic is treated as it should be", "CONF-0",
                   FORWARD, "ten seconds of Codec2 with repair packets, without --replay",
                   "tools 9"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = build,
     .no_echo = true,
     STEP(WZP_CODEC_OPUS_24K, 50, 76, 10, 20)},
};

void wzp_ct_replay(const wzp_ct_replayed *replayed) {
    wzp_ct_case *c = &cases[0];
    played = *replayed;
    c->info.traffic = played.what;
    if (played.codes != 0) {
        c->info.must = HANG_UP;
        c->info.must_forward = false;
        c->info.abuse = true;
        c->criteria = (wzp_ct_criteria){MUST_HANG_UP(played.codes, played.within_s)};
    }
}

const wzp_ct_chapter wzp_ct_chapter_rpl = {"RPL", "Replayed traffic", cases, WZP_COUNT_OF(cases)};
