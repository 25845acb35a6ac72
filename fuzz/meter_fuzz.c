/* Packet sequences through the relay's meters and scorers.  The meters must agree with their slow
 * twins, scores must stay within 0..1.
 *
 * The input is a list of steps of 8 bytes: codec and media type, flags and repetition, payload,
 * steps of the sequence number and of the timestamp, the gap in units of 0.5 ms. */
#include <stdlib.h>

#include "meter/conduct.h"
#include "meter/enf.h"
#include "meter/scorer.h"
#include "meter/testing/twin.h"

enum { STEP = 8, PACKETS_MAX = 260 };

typedef struct subjects {
    wzp_meter meter;
    wzp_enf *enf;
    wzp_audio_scorer audio;
    wzp_video_scorer video;
    wzp_conduct conduct;
    wzp_twin twin;
} subjects;

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

static void check_score(bool known, float score, wzp_score_verdict verdict) {
    require(known ? score >= 0.0F && score <= 1.0F && verdict == wzp_score_judge(score)
                  : verdict == WZP_SCORE_OPEN);
}

static void send_one(subjects *s, const wzp_media_hdr *hdr, size_t payload, wzp_time now) {
    const wzp_twin_packet *twin = wzp_twin_observe(&s->twin, hdr, payload, now);
    const uint32_t estimate_kbps = hdr->seq & 0xff;
    float score = -1.0F;
    bool known;
    require(wzp_meter_observe(&s->meter, hdr, payload, now) == twin->deployed);
    require(wzp_enf_observe(s->enf, hdr, payload, now) == twin->enf);
    wzp_audio_scorer_observe(&s->audio, hdr, payload, now);
    known = wzp_audio_scorer_score(&s->audio, &score);
    check_score(known, score, wzp_audio_scorer_verdict(&s->audio));
    wzp_video_scorer_observe(&s->video, hdr, payload,
                             (hdr->flags & WZP_MEDIA_QUALITY) != 0 ? &estimate_kbps : NULL, now);
    known = wzp_video_scorer_score(&s->video, &score);
    check_score(known, score, wzp_video_scorer_verdict(&s->video));
}

/* Abuse is what was abusive for a minute, and nothing is judged twice in a second. */
static void behave(subjects *s, const wzp_media_hdr *hdr, size_t payload, wzp_time now) {
    const wzp_conduct_state *state =
        hdr->media_type == WZP_MEDIA_VIDEO ? &s->conduct.video_state : &s->conduct.audio_state;
    const wzp_time judged_at = state->judged_at;
    const uint32_t estimate_kbps = hdr->seq & 0xff;
    const wzp_conduct_news news =
        wzp_conduct_observe(&s->conduct, hdr, payload,
                            (hdr->flags & WZP_MEDIA_QUALITY) != 0 ? &estimate_kbps : NULL, now);
    require(!news.judged || (news.score >= 0.0F && news.score <= 1.0F));
    require(!news.judged ||
            (news.after == wzp_score_judge(news.score) && wzp_time_since(now, judged_at) >= WZP_S));
    require(!news.is_abuse || (news.after == WZP_SCORE_ABUSIVE &&
                               wzp_time_since(now, state->abusive_since) >= WZP_CONDUCT_ABUSE));
}

static uint8_t codec_of(uint8_t choice) {
    static const uint8_t codecs[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12};
    return codecs[choice % sizeof codecs];
}

static uint16_t u16(const uint8_t *p) {
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t moved(uint32_t from, int32_t by) {
    return from + (uint32_t)by;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    subjects *s = calloc(1, sizeof *s);
    require(s != NULL);
    s->enf = wzp_enf_new(WZP_ENF_GUARDED, 0);
    require(s->enf != NULL);
    wzp_meter_init(&s->meter, 0);
    wzp_audio_scorer_init(&s->audio, 0);
    wzp_video_scorer_init(&s->video);
    wzp_conduct_init(&s->conduct, 0);
    wzp_media_hdr hdr = {.version = WZP_PROTOCOL_VERSION};
    wzp_time now = 0;
    for (const uint8_t *p = data; size - (size_t)(p - data) >= STEP; p += STEP) {
        hdr.codec_id = codec_of(p[0] & 0x3f);
        hdr.media_type = p[0] >> 6;
        hdr.flags = p[1] & 0xf0;
        for (unsigned times = 1 + (p[1] & 15U) * 8U; times-- > 0;) {
            if (s->twin.count == PACKETS_MAX) {
                break;
            }
            send_one(s, &hdr, u16(p + 2) & 0x7ff, now);
            behave(s, &hdr, u16(p + 2) & 0x7ff, now);
            hdr.seq = moved(hdr.seq, (int8_t)p[4]);
            hdr.timestamp_ms = moved(hdr.timestamp_ms, (int16_t)u16(p + 5));
            now += p[7] * (WZP_MS / 2);
        }
    }
    wzp_enf_free(&s->enf);
    free(s);
    return 0;
}
