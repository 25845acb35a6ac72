/* Clients: the audio that they send (media sheet 16, "Audio sending"). */
#include <string.h>

#include "conformance/cases/client/audio_judges.h"
#include "conformance/cases/client/client_steps.h"
#include "conformance/cases/macros.h"

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
    if (!wzp_ct_client_is_there(e)) {
        return WZP_CT_NEVER;
    }
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

/* --- QUAL-011: profiles of old and new peers -------------------------------------------------- */

#define PATIENCE (3 * WZP_S) /* with a directive */

/* One that sends what the directive will ask for cannot show that it follows. */
static wzp_ct_so_far judge_start(wzp_ct_exec *e, const wzp_ct_audio *a) {
    const uint8_t codec = a->packets[a->count - 1]->hdr.codec_id;
    return codec == WZP_CODEC_OPUS_6K ? wzp_ct_play_lacks(e, "adaptation") : WZP_CT_HAPPENED;
}

static bool begin_old(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_server_say(
        wzp_ct_play_server(e),
        "{\"QualityDirective\":{\"version\":1,\"wzp_conformance\":{\"a\":[1,null]},"
        "\"recommended_profile\":{\"wzp_conformance\":[true],\"codec\":\"Opus6k\","
        "\"fec_ratio\":0.5,\"frame_duration_ms\":40,\"frames_per_block\":10}}}");
}

static bool follows(const wzp_ct_exec *e) {
    const wzp_ct_heard *h = &wzp_ct_play_server(e)->audio;
    const wzp_ct_heard_packet *p = wzp_ct_heard_get(h, h->count - 1);
    return p != NULL && p->hdr.codec_id == WZP_CODEC_OPUS_6K;
}

/* It did not follow the old form: if it then follows the new one, it does not read the old one;
 * else it follows none.  On a bad path it may have gone down by itself. */
static wzp_ct_so_far go_old(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_audio_state *st = wzp_ct_play_state(e);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    if (!wzp_ct_client_is_there(e)) {
        return WZP_CT_NEVER;
    }
    if (follows(e) && wzp_ct_server_path_is_poor(wzp_ct_play_server(e))) {
        return WZP_CT_UNSURE;
    }
    if (follows(e) && st->switched == 0) {
        return WZP_CT_HAPPENED;
    }
    if (follows(e)) {
        wzp_ct_play_say(e, "it follows a profile with all eight fields, and not one with four");
        return WZP_CT_NEVER;
    }
    if (elapsed >= PATIENCE && st->switched == 0) {
        st->switched = 1;
        return direct(e, &wzp_profile_degraded) == WZP_CT_HAPPENED ? WZP_CT_NOT_YET : WZP_CT_UNSURE;
    }
    return elapsed < 2 * PATIENCE ? WZP_CT_NOT_YET : wzp_ct_play_lacks(e, "adaptation");
}

/* --- the table -------------------------------------------------------------------------------- */

enum { SOME = 10 };

#define WHILE(name, judge_, ms)                                                                    \
    static const wzp_ct_audio_watch name = {.span = (ms)*WZP_MS, .least = SOME, .judge = (judge_)}

WHILE(frames, wzp_ct_judge_frames, 5000);
static const wzp_ct_act aud001[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("its timestamps go by whole frames, and as fast as the clock", &frames),
};

WHILE(numbers, wzp_ct_judge_numbers, 5000);
static const wzp_ct_act aud002[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("each packet has the next number", &numbers),
};

WHILE(whole_clock, wzp_ct_judge_clock, 5000);
static const wzp_ct_act aud003[] = {
    WZP_CT_AUDIO_JOINED,
    {"its timestamps never go back", 15, wzp_ct_step_audio_anew, go_direct,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_WRONG_RESPONSE, &whole_clock},
};

WHILE(opus, wzp_ct_judge_opus, 5000);
static const wzp_ct_act aud005[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("no packet of Opus is a repair packet or has a block", &opus),
};

WHILE(payloads, wzp_ct_judge_payloads, 4000);
static const wzp_ct_act aud004[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("each payload is a frame of its codec", &payloads),
};

WHILE(report_rate, wzp_ct_judge_report_rate, 5000);
static const wzp_ct_act qr002[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("a quality report comes with one of 50 frames of sound", &report_rate),
};

WHILE(report_size, wzp_ct_judge_report_size, 4000);
static const wzp_ct_act qr003[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("behind a frame there are four bytes of report", &report_size),
};

WHILE(blocks, wzp_ct_judge_blocks, 4000);
static const wzp_ct_act fec001[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("blocks and indices count in order", &blocks),
};

WHILE(symbols, wzp_ct_judge_symbols, 4000);
static const wzp_ct_act fec002[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("repair packets are RaptorQ symbols of the frames before them", &symbols),
};

WHILE(marks, wzp_ct_judge_marks, 4000);
static const wzp_ct_act fec003[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("repair packets are marked, and nothing else is", &marks),
};

WHILE(rate, wzp_ct_judge_rate, 8000);
static const wzp_ct_act aud006[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("Opus has 70 to 130 % of the rate that its id says", &rate),
};

WHILE(noise, wzp_ct_judge_noise, 4000);
static const wzp_ct_act aud007[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("comfort noise stands for ten frames each", &noise),
};

WHILE(dred, wzp_ct_judge_dred, 5000);
static const wzp_ct_act dred001[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("Opus at 24 kbit/s carries DRED", &dred),
};

WHILE(start, judge_start, 500);
static const wzp_ct_act qual011[] = {
    WZP_CT_AUDIO_JOINED,
    WZP_CT_AUDIO("it sends sound", &start),
    {"it follows a directive whose profile has the four old fields, and some that nobody knows", 8,
     begin_old, go_old, WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NO_RESPONSE, NULL},
};

#define AUDIO(id, requirement, title, must, traffic, script, quality_, ...)                        \
    {                                                                                              \
        .kind = WZP_CT_PLAY, .client = WZP_CT_CLIENT_CLEAR, .quality = (quality_),                 \
        .info = {INFO(id, "AUD", title, requirement, must, traffic, "media 16, " requirement),     \
                 __VA_ARGS__},                                                                     \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = sizeof(wzp_ct_audio_state)                \
    }
#define OF_ITSELF "what the client sends by itself within five seconds"
#define AT_3200 "codec2-3200"
#define AT_1200 "catastrophic"

static const wzp_ct_case cases[] = {
    AUDIO("AUD-001", "AUD-001", "codecs and timestamps",
          "send known codecs only, and let timestamps follow their frames", OF_ITSELF, aud001, NULL,
          .level = WZP_CT_MUST),
    AUDIO("AUD-002", "AUD-002", "numbers", "give each packet of the stream the next number",
          OF_ITSELF, aud002, NULL, .level = WZP_CT_MUST),
    AUDIO("AUD-002b", "AUD-002", "numbers of repair packets",
          "give each packet of the stream the next number, repair packets too", OF_ITSELF, aud002,
          AT_3200, .level = WZP_CT_MUST),
    AUDIO("AUD-003", "AUD-003", "the media clock",
          "never let timestamps go back, not even where the codec changes",
          "QualityDirectives down to Codec2 and back, 1.2 s apart", aud003, "auto",
          .level = WZP_CT_MUST),
    AUDIO("AUD-004", "AUD-004", "payloads of Opus",
          "send packets of Opus: at most 512 bytes, mono, one frame of the codec's duration",
          OF_ITSELF, aud004, NULL, .level = WZP_CT_MUST),
    AUDIO("AUD-004b", "AUD-004", "payloads of Codec2 at 3200 bit/s", "send frames of 8 bytes",
          OF_ITSELF, aud004, AT_3200, .level = WZP_CT_MUST),
    AUDIO("AUD-004c", "AUD-004", "payloads of Codec2 at 1200 bit/s", "send frames of 6 bytes",
          OF_ITSELF, aud004, AT_1200, .level = WZP_CT_MUST),
    AUDIO("AUD-005", "AUD-005", "Opus without repair",
          "send no repair packets for Opus, and zeros as ratio and block", OF_ITSELF, aud005, NULL,
          .level = WZP_CT_MUST),
    AUDIO("QR-002", "QR-002", "how often it reports",
          "send a quality report with one of 50 frames, with none but frames of sound", OF_ITSELF,
          qr002, NULL, .level = WZP_CT_SHOULD),
    AUDIO("QR-003", "QR-003", "the size of reports", "send four bytes as a quality report",
          OF_ITSELF, qr003, AT_3200, .level = WZP_CT_MUST),
    AUDIO("FEC-001", "FEC-001", "blocks of Codec2 at 3200 bit/s",
          "number blocks and what is in them: 5 frames, 3 repair packets", OF_ITSELF, fec001,
          AT_3200, .level = WZP_CT_MUST),
    AUDIO("FEC-001b", "FEC-001", "blocks of Codec2 at 1200 bit/s",
          "number blocks and what is in them: 8 frames, 8 repair packets", OF_ITSELF, fec001,
          AT_1200, .level = WZP_CT_MUST),
    AUDIO("FEC-002", "FEC-002", "repair packets of Codec2 at 3200 bit/s",
          "send RaptorQ symbols of the frames of their block", OF_ITSELF, fec002, AT_3200,
          .level = WZP_CT_MUST),
    AUDIO("FEC-002b", "FEC-002", "repair packets of Codec2 at 1200 bit/s",
          "send RaptorQ symbols of the frames of their block", OF_ITSELF, fec002, AT_1200,
          .level = WZP_CT_MUST),
    AUDIO("FEC-003", "FEC-003", "marks of repair packets",
          "mark repair packets, and give them the codec of their frames", OF_ITSELF, fec003,
          AT_3200, .level = WZP_CT_MUST),
    AUDIO("AUD-006", "AUD-006", "the rate of Opus", "keep within 30 % of its codec's rate",
          "eight seconds of what the client says", aud006, NULL, .level = WZP_CT_SHOULD),
    {.kind = WZP_CT_PLAY,
     .client = WZP_CT_CLIENT_CLEAR,
     .quiet = true,
     .info = {INFO("AUD-007", "AUD", "comfort noise", "AUD-007",
                   "send one byte of comfort noise for ten frames of silence",
                   "the silence of a client that leaves it out", "media 16, AUD-007"),
              .level = WZP_CT_SHOULD},
     .criteria = {.rule = WZP_CT_RULE_RESP},
     .acts = aud007,
     .act_count = WZP_COUNT_OF(aud007),
     .state_size = sizeof(wzp_ct_audio_state)},
    AUDIO("DRED-001", "DRED-001", "deep redundancy",
          "put DRED into Opus at 24 kbit/s, whatever loss it sees, if it has it", OF_ITSELF,
          dred001, NULL, .level = WZP_CT_SHOULD),
    AUDIO("QUAL-011", "QUAL-011", "profiles of old and new peers",
          "read a profile without the newer fields, and pass over unknown ones",
          "a QualityDirective with the four old fields; if that changes nothing, one with all",
          qual011, "auto", .level = WZP_CT_MUST),
};

const wzp_ct_chapter wzp_ct_chapter_aud = {"AUD", "Clients: the audio that they send", cases,
                                           WZP_COUNT_OF(cases)};
