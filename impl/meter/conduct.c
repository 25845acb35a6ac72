#include "meter/conduct.h"

#include "wire/registry.h"

enum { TAG = 16, LEAST_SECONDS = 10 };

void wzp_conduct_init(wzp_conduct *c, wzp_time now) {
    *c = (wzp_conduct){0};
    wzp_audio_scorer_init(&c->audio, now);
    wzp_video_scorer_init(&c->video);
}

/* --- audio ------------------------------------------------------------------------------------ */

/* Forgets what is older than the window. */
static void move_window(wzp_conduct *c, uint64_t second) {
    const uint64_t steps = second - c->second;
    for (uint64_t i = 1; i <= steps && i <= WZP_CONDUCT_SECONDS; i++) {
        const size_t at = (size_t)((c->second + i) % WZP_CONDUCT_SECONDS);
        c->bytes[at] = c->nominal_bps[at] = 0;
    }
    c->second = second;
}

/* What the codec calls for, with the header of each frame: those weigh more than the voice where
 * that is slow.  A sender that changes its codec is measured by the richest one of the window. */
static void note_bytes(wzp_conduct *c, const wzp_media_hdr *hdr, size_t payload_len, wzp_time now) {
    const wzp_codec_info *codec = wzp_codec_find(hdr->codec_id);
    const uint32_t heads = 8U * WZP_MEDIA_HDR_LEN * 1000U / codec->frame_ms;
    const uint32_t nominal =
        codec->is_video || codec->nominal_bps == 0 ? 0 : codec->nominal_bps + heads;
    if (!c->audio.started) {
        c->audio_from = now;
    }
    move_window(c, wzp_time_since(now, c->audio_from) / WZP_S);
    const size_t at = (size_t)(c->second % WZP_CONDUCT_SECONDS);
    c->bytes[at] += (uint32_t)(WZP_MEDIA_HDR_LEN + payload_len);
    c->nominal_bps[at] = nominal > c->nominal_bps[at] ? nominal : c->nominal_bps[at];
}

/* Bits per second by those of the codec; negative: too early, or nothing to compare with. */
static double rate_ratio(const wzp_conduct *c, wzp_time now) {
    const uint64_t age = wzp_time_since(now, c->audio_from);
    const uint64_t window =
        age < WZP_CONDUCT_SECONDS * WZP_S ? age : (WZP_CONDUCT_SECONDS - 1) * WZP_S + age % WZP_S;
    uint64_t bytes = 0;
    uint32_t nominal = 0;
    for (size_t i = 0; i < WZP_CONDUCT_SECONDS; i++) {
        bytes += c->bytes[i];
        nominal = c->nominal_bps[i] > nominal ? c->nominal_bps[i] : nominal;
    }
    if (age < LEAST_SECONDS * WZP_S || nominal == 0) {
        return -1;
    }
    return (double)bytes * 8.0 / ((double)window / (double)WZP_S) / nominal;
}

/* --- video ------------------------------------------------------------------------------------ */

/* The first packet after the end of a frame begins one; so does another timestamp, for senders that
 * never say where a frame ends and for ends that were lost. */
static bool begins_frame(wzp_conduct *c, const wzp_media_hdr *hdr) {
    wzp_conduct_stream *s = &c->streams[hdr->stream_id % WZP_CONDUCT_STREAMS];
    const bool begins = !s->started || s->ended || s->ts != hdr->timestamp_ms;
    *s = (wzp_conduct_stream){true, (hdr->flags & WZP_MEDIA_FRAME_END) != 0, hdr->timestamp_ms};
    return begins;
}

static void observe_video(wzp_conduct *c, const wzp_media_hdr *hdr, size_t payload_len,
                          const uint32_t *estimate_kbps, wzp_time now) {
    if (begins_frame(c, hdr) || estimate_kbps != NULL) {
        wzp_video_scorer_observe(&c->video, hdr, payload_len, estimate_kbps, now);
    } else {
        c->video.window_bytes += WZP_MEDIA_HDR_LEN + payload_len;
    }
}

/* --- verdicts --------------------------------------------------------------------------------- */

static wzp_conduct_news judge(wzp_conduct_state *state, bool known, float score, wzp_time now) {
    wzp_conduct_news news = {.judged = true, .score = score, .before = state->verdict};
    news.after = known ? wzp_score_judge(score) : WZP_SCORE_OPEN;
    news.judged = known;
    if (news.after == WZP_SCORE_ABUSIVE && state->verdict != WZP_SCORE_ABUSIVE) {
        state->abusive_since = now;
    }
    news.is_abuse = news.after == WZP_SCORE_ABUSIVE &&
                    wzp_time_since(now, state->abusive_since) >= WZP_CONDUCT_ABUSE;
    state->verdict = news.after;
    state->judged_at = now;
    return news;
}

static bool is_due(const wzp_conduct_state *state, wzp_time now) {
    return wzp_time_since(now, state->judged_at) >= WZP_S;
}

wzp_conduct_news wzp_conduct_observe(wzp_conduct *c, const wzp_media_hdr *hdr, size_t payload_len,
                                     const uint32_t *estimate_kbps, wzp_time now) {
    const wzp_conduct_news nothing = {.judged = false};
    float score = 0;
    bool known = false;
    if (hdr->media_type == WZP_MEDIA_AUDIO) {
        const size_t voice = payload_len > TAG ? payload_len - TAG : 0;
        note_bytes(c, hdr, voice, now);
        wzp_audio_scorer_observe(&c->audio, hdr, voice, now);
        if (!is_due(&c->audio_state, now)) {
            return nothing;
        }
        known = wzp_audio_scorer_score_at(&c->audio, rate_ratio(c, now), &score);
        return judge(&c->audio_state, known, score, now);
    }
    if (hdr->media_type != WZP_MEDIA_VIDEO) {
        return nothing;
    }
    observe_video(c, hdr, payload_len, estimate_kbps, now);
    if (!is_due(&c->video_state, now)) {
        return nothing;
    }
    known = wzp_video_scorer_score(&c->video, &score);
    return judge(&c->video_state, known, score, now);
}
