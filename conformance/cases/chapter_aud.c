/* Clients: the audio that they send (media sheet 16, "Audio sending"). */
#include <string.h>

#include "conformance/cases/audio.h"
#include "conformance/cases/macros.h"

/* --- AUD-001: codecs and timestamps ----------------------------------------------------------- */

static bool is_source(const wzp_ct_heard_packet *p) {
    return !wzp_ct_is_repair(p) && p->hdr.codec_id != WZP_CODEC_COMFORT_NOISE;
}

/* Sources with nothing but repair packets between them, none of which is missing. */
static const wzp_ct_heard_packet *next_source(const wzp_ct_audio *a, size_t i) {
    for (size_t k = i + 1; k < a->count && wzp_ct_seq_step(a->packets[k - 1], a->packets[k]) == 1;
         k++) {
        if (!wzp_ct_is_repair(a->packets[k])) {
            return is_source(a->packets[k]) ? a->packets[k] : NULL;
        }
    }
    return NULL;
}

enum { AHEAD_MS = 1500 }; /* more than any path holds back what came first */

/* A stall of the client or the path makes it slower than the clock, nothing makes it faster. */
static bool runs_ahead(wzp_ct_exec *e, const wzp_ct_audio *a) {
    const wzp_ct_heard_packet *first = a->packets[0];
    const wzp_ct_heard_packet *last = a->packets[a->count - 1];
    const int64_t passed = ((int64_t)last->at - (int64_t)first->at) / (int64_t)WZP_MS;
    const int32_t claimed = wzp_ct_ts_step(first, last);
    if (claimed <= passed + passed / 10 + AHEAD_MS) {
        return false;
    }
    wzp_ct_play_say(e, "its timestamps went %d ms forward in %lld ms", claimed, (long long)passed);
    return true;
}

static wzp_ct_so_far judge_frames(wzp_ct_exec *e, const wzp_ct_audio *a) {
    const wzp_ct_heard *h = &wzp_ct_play_server(e)->audio;
    if (h->no_codec > 0) {
        wzp_ct_play_say(e, "%llu packets of audio with codec id %u",
                        (unsigned long long)h->no_codec, h->wrong_codec);
        return WZP_CT_NEVER;
    }
    for (size_t i = 0; i < a->count; i++) {
        const wzp_ct_heard_packet *p = a->packets[i];
        const wzp_ct_heard_packet *q = is_source(p) ? next_source(a, i) : NULL;
        const int32_t step = q != NULL ? wzp_ct_ts_step(p, q) : 0;
        if (p->hdr.codec_id > WZP_CODEC_OPUS_64K) {
            wzp_ct_say_packet(e, p, "not a codec of audio");
            return WZP_CT_NEVER;
        }
        if (q != NULL && q->hdr.codec_id == p->hdr.codec_id &&
            (step <= 0 || (uint32_t)step % wzp_ct_frame_ms(p->hdr.codec_id) != 0)) {
            wzp_ct_say_pair(e, p, q, "not a whole number of frames later");
            return WZP_CT_NEVER;
        }
    }
    return runs_ahead(e, a) ? WZP_CT_NEVER : WZP_CT_HAPPENED;
}

/* --- AUD-002: numbers ------------------------------------------------------------------------- */

/* Of those that are missing between two packets, so many can have been lost: one for each frame
 * that there was time for, and the repair packets of as many blocks.  Comfort noise has the
 * timestamp of the frame behind it. */
static uint32_t may_be_lost(const wzp_ct_heard_packet *a, const wzp_ct_heard_packet *b) {
    enum { BLOCK = 5, REPAIRS = 8 };
    const int32_t step = wzp_ct_ts_step(a, b);
    const uint32_t steps = step > 0 ? (uint32_t)step / 20 : 0;
    const uint32_t first = a->hdr.codec_id == WZP_CODEC_COMFORT_NOISE ? 0 : 1;
    const uint32_t frames = steps > first ? steps - first : 0;
    const bool has_repairs = wzp_ct_is_codec2(a->hdr.codec_id) || wzp_ct_is_codec2(b->hdr.codec_id);
    return frames + (has_repairs ? (frames / BLOCK + 2U) * REPAIRS : 0);
}

static wzp_ct_so_far judge_numbers(wzp_ct_exec *e, const wzp_ct_audio *a) {
    size_t lost = 0;
    for (size_t i = 1; i < a->count; i++) {
        const wzp_ct_heard_packet *p = a->packets[i - 1];
        const wzp_ct_heard_packet *q = a->packets[i];
        const int32_t step = wzp_ct_seq_step(p, q);
        if (step == 0) {
            wzp_ct_say_pair(e, p, q, "the same number");
            return WZP_CT_NEVER;
        }
        if ((uint32_t)step - 1 > may_be_lost(p, q)) {
            wzp_ct_say_pair(e, p, q, "numbers without a packet");
            return WZP_CT_NEVER;
        }
        lost += (uint32_t)step - 1;
    }
    if (lost * 20 > a->count) {
        wzp_ct_play_say(e, "%zu packets are missing, with the time that they stand for", lost);
        return WZP_CT_UNSURE;
    }
    return WZP_CT_HAPPENED;
}

/* --- AUD-003: the clock ----------------------------------------------------------------------- */

static wzp_ct_so_far judge_clock(wzp_ct_exec *e, const wzp_ct_audio *a) {
    unsigned codecs = 0;
    for (size_t i = 1; i < a->count; i++) {
        const wzp_ct_heard_packet *p = a->packets[i - 1];
        const wzp_ct_heard_packet *q = a->packets[i];
        codecs += p->hdr.codec_id != q->hdr.codec_id ? 1 : 0;
        if (wzp_ct_ts_step(p, q) < 0) {
            wzp_ct_say_pair(e, p, q, "its clock went back");
            return WZP_CT_NEVER;
        }
    }
    wzp_ct_play_say(e, "%zu packets, %u changes of codec", a->count, codecs);
    return WZP_CT_HAPPENED;
}

/* The relay's word, which a client that adapts follows. */
static wzp_ct_so_far direct(wzp_ct_exec *e, const wzp_quality_profile *to) {
    const wzp_signal directive = {.kind = WZP_SIGNAL_QUALITY_DIRECTIVE,
                                  .version = 1,
                                  .u.QualityDirective = {.recommended_profile = *to}};
    return wzp_ct_server_tell(wzp_ct_play_server(e), &directive) ? WZP_CT_HAPPENED : WZP_CT_UNSURE;
}

static wzp_ct_so_far go_direct(wzp_ct_exec *e, wzp_time now) {
    static const wzp_quality_profile *const profiles[] = {
        &wzp_profile_degraded, &wzp_profile_catastrophic, &wzp_profile_good};
    wzp_ct_audio_state *st = wzp_ct_play_state(e);
    if (now < st->since + (uint64_t)(st->switched + 1) * 1200 * WZP_MS) {
        wzp_ct_play_wake(e, st->since + (uint64_t)(st->switched + 1) * 1200 * WZP_MS);
        return WZP_CT_NOT_YET;
    }
    if (st->switched < WZP_COUNT_OF(profiles)) {
        const wzp_ct_so_far told = direct(e, profiles[st->switched++]);
        return told == WZP_CT_HAPPENED ? WZP_CT_NOT_YET : told;
    }
    return wzp_ct_step_audio(e, now);
}

/* --- AUD-005: Opus has no repair packets ------------------------------------------------------ */

static wzp_ct_so_far judge_opus(wzp_ct_exec *e, const wzp_ct_audio *a) {
    size_t count = 0;
    for (size_t i = 0; i < a->count; i++) {
        const wzp_ct_heard_packet *p = a->packets[i];
        if (!wzp_ct_is_opus(p->hdr.codec_id)) {
            continue;
        }
        count++;
        if (wzp_ct_is_repair(p) || p->hdr.fec_ratio != 0 || p->hdr.fec_block != 0) {
            wzp_ct_say_packet(e, p, "Opus with marks of repair");
            return WZP_CT_NEVER;
        }
    }
    return count > 0 ? WZP_CT_HAPPENED : wzp_ct_play_lacks(e, "opus");
}

/* --- the table -------------------------------------------------------------------------------- */

enum { SOME = 10 };

#define WHILE(name, judge_, ms)                                                                    \
    static const wzp_ct_audio_watch name = {.span = (ms)*WZP_MS, .least = SOME, .judge = (judge_)}

WHILE(frames, judge_frames, 5000);
static const wzp_ct_act aud001[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("its timestamps go by whole frames, and as fast as the clock", &frames),
};

WHILE(numbers, judge_numbers, 5000);
static const wzp_ct_act aud002[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("each packet has the next number", &numbers),
};

WHILE(whole_clock, judge_clock, 5000);
static const wzp_ct_act aud003[] = {
    WZP_CT_AUDIO_JOINED,
    {"its timestamps never go back", 15, wzp_ct_step_audio_anew, go_direct,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_WRONG_RESPONSE, &whole_clock},
};

WHILE(opus, judge_opus, 5000);
static const wzp_ct_act aud005[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("no packet of Opus is a repair packet or has a block", &opus),
};

#define AUDIO(id, requirement, title, must, traffic, script, quality_, ...)                        \
    {                                                                                              \
        .kind = WZP_CT_PLAY, .client = WZP_CT_CLIENT_CLEAR, .quality = (quality_),                 \
        .info = {INFO(id, "AUD", title, requirement, must, traffic, "media 16, " requirement),     \
                 __VA_ARGS__},                                                                     \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = sizeof(wzp_ct_audio_state)                \
    }
#define OF_ITSELF "what the client sends by itself for five seconds"

static const wzp_ct_case cases[] = {
    AUDIO("AUD-001", "AUD-001", "codecs and timestamps",
          "send known codecs only, and let timestamps follow their frames", OF_ITSELF, aud001, NULL,
          .level = WZP_CT_MUST),
    AUDIO("AUD-002", "AUD-002", "numbers", "give each packet of the stream the next number",
          OF_ITSELF, aud002, NULL, .level = WZP_CT_MUST),
    AUDIO("AUD-003", "AUD-003", "the media clock",
          "never let timestamps go back, not even where the codec changes",
          "QualityDirectives down to Codec2 and back, 1.2 s apart", aud003, "auto",
          .level = WZP_CT_MUST),
    AUDIO("AUD-005", "AUD-005", "Opus without repair",
          "send no repair packets for Opus, and zeros as ratio and block", OF_ITSELF, aud005, NULL,
          .level = WZP_CT_MUST),
};

const wzp_ct_chapter wzp_ct_chapter_aud = {"AUD", "Clients: the audio that they send", cases,
                                           WZP_COUNT_OF(cases)};
