/* Clients: what they make of signals and reports about quality (media sheet 16, "Quality",
 * "Bandwidth"). */
#include <stdio.h>

#include "conformance/cases/client/follow.h"
#include "conformance/cases/macros.h"

#define BEGINS                                                                                     \
    {                                                                                              \
        .required = "the client sends sound", .within_s = 8, .go = wzp_ct_step_client_begins,      \
        .late = WZP_CT_REASON_NO_RESPONSE                                                          \
    }
#define SENDER WZP_CT_AUDIO_JOINED, BEGINS
#define FOLLOWS(required_, word)                                                                   \
    {                                                                                              \
        .required = (required_), .within_s = 5, .begin = wzp_ct_step_tell,                         \
        .go = wzp_ct_step_followed, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (word)               \
    }
#define IGNORES(required_, word)                                                                   \
    {                                                                                              \
        .required = (required_), .within_s = 5, .begin = wzp_ct_step_tell,                         \
        .go = wzp_ct_step_ignored, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (word)                \
    }

/* Profiles as deployed clients write them (media sheet 1.2). */
#define WHOLE(codec, ratio, ms, frames)                                                            \
    "{\"codec\":\"" codec "\",\"fec_ratio\":" ratio ",\"frame_duration_ms\":" ms                   \
    ",\"frames_per_block\":" frames                                                                \
    ",\"priority_mode\":\"AudioFirst\",\"video_bitrate_kbps\":null,\"video_resolution\":null,"     \
    "\"video_fps\":null}"
#define STUDIO_64K WHOLE("Opus64k", "0.1", "20", "5")
#define STUDIO_48K WHOLE("Opus48k", "0.1", "20", "5")
#define GOOD WHOLE("Opus24k", "0.2", "20", "5")
#define DEGRADED WHOLE("Opus6k", "0.5", "40", "10")

#define DIRECTIVE(profile)                                                                         \
    "{\"QualityDirective\":{\"version\":1,\"recommended_profile\":" profile                        \
    ",\"reason\":\"conformance\"}}"

/* --- directives ------------------------------------------------------------------------------- */

static const wzp_ct_word down = {.json = DIRECTIVE(DEGRADED), .codec = WZP_CODEC_OPUS_6K};
static const wzp_ct_word up = {.json = DIRECTIVE(STUDIO_48K), .codec = WZP_CODEC_OPUS_48K};
static const wzp_ct_word back = {.json = DIRECTIVE(GOOD), .codec = WZP_CODEC_OPUS_24K};
static const wzp_ct_act qual005[] = {
    SENDER,
    FOLLOWS("it sends Opus6k as directed, two frames later at most", &down),
    FOLLOWS("it sends Opus48k as directed, two frames later at most", &up),
    FOLLOWS("it sends Opus24k as directed, two frames later at most", &back),
};

static const wzp_ct_act qual006[] = {
    SENDER,
    IGNORES("a directive to Opus6k changes nothing", &down),
    IGNORES("a directive to Opus48k changes nothing", &up),
};

/* --- upgrades --------------------------------------------------------------------------------- */

#define PROPOSAL(call, id, profile)                                                                \
    "{\"UpgradeProposal\":{\"version\":1,\"call_id\":\"" call "\",\"proposal_id\":\"" id           \
    "\",\"proposed_profile\":" profile ",\"local_loss_pct\":0.5,\"local_rtt_ms\":25}}"

typedef struct proposal {
    const char *json, *call_id, *proposal_id;
} proposal;

static bool begin_proposal(wzp_ct_exec *e, wzp_time now) {
    const proposal *p = wzp_ct_play_arg(e);
    wzp_ct_follow *st = wzp_ct_play_state(e);
    wzp_ct_follow_begin(e, now);
    st->attempts = wzp_ct_play_server(e)->heard[WZP_SIGNAL_UPGRADE_RESPONSE];
    return wzp_ct_server_say(wzp_ct_play_server(e), p->json);
}

static bool has_answered(const wzp_ct_exec *e, const wzp_ct_follow *st) {
    return wzp_ct_play_server(e)->heard[WZP_SIGNAL_UPGRADE_RESPONSE] > st->attempts;
}

/* Where it has been too long on a path that loses packets, that may be why. */
static wzp_ct_so_far wait(wzp_ct_exec *e, uint64_t most, wzp_time now) {
    wzp_ct_play_wake(e, now + 50 * WZP_MS);
    return wzp_ct_play_elapsed(e, now) > most && wzp_ct_follow_is_excused(e) ? WZP_CT_UNSURE
                                                                             : WZP_CT_NOT_YET;
}

static wzp_ct_so_far go_proposal(wzp_ct_exec *e, wzp_time now) {
    const proposal *p = wzp_ct_play_arg(e);
    const wzp_ct_follow *st = wzp_ct_play_state(e);
    const wzp_ct_server *s = wzp_ct_play_server(e);
    if (!has_answered(e, st)) {
        return wzp_ct_client_is_there(e) ? wait(e, 4 * WZP_S, now) : WZP_CT_NEVER;
    }
    if (strcmp(s->response.call_id, p->call_id) == 0 &&
        strcmp(s->response.proposal_id, p->proposal_id) == 0) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e, "it answered with call_id %s and proposal_id %s", s->response.call_id,
                    s->response.proposal_id);
    return WZP_CT_NEVER;
}

static const proposal first = {PROPOSAL("wzp-conformance-1", "p-17", STUDIO_48K),
                               "wzp-conformance-1", "p-17"};
static const proposal second = {PROPOSAL("wzp-conformance-2", "q-4711", STUDIO_64K),
                                "wzp-conformance-2", "q-4711"};
#define PROPOSES(required_, proposal)                                                              \
    {                                                                                              \
        .required = (required_), .within_s = 5, .begin = begin_proposal, .go = go_proposal,        \
        .late = WZP_CT_REASON_NO_RESPONSE, .arg = (proposal)                                       \
    }
static const wzp_ct_act qual008[] = {
    SENDER,
    PROPOSES("it answers an UpgradeProposal with its two ids", &first),
    PROPOSES("and another one with the ids of that", &second),
};

/* Whether it answers is QUAL-008; who declines cannot be confirmed. */
static wzp_ct_so_far go_accepted(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_follow *st = wzp_ct_play_state(e);
    (void)now;
    return !wzp_ct_client_is_there(e)                 ? WZP_CT_NEVER
           : !has_answered(e, st)                     ? WZP_CT_NOT_YET
           : wzp_ct_play_server(e)->response.accepted ? WZP_CT_HAPPENED
                                                      : wzp_ct_play_lacks(e, "upgrades");
}

enum { SOON_MS = 1000 };

static const wzp_ct_word confirmation = {
    .json = "{\"UpgradeConfirm\":{\"version\":1,\"call_id\":\"wzp-conformance-1\",\"proposal_id\":"
            "\"p-17\",\"confirmed_profile\":" STUDIO_48K "}}",
    .codec = WZP_CODEC_OPUS_48K,
    .lenient_ms = SOON_MS};
static const wzp_ct_act qual009[] = {
    SENDER,
    {"it accepts an UpgradeProposal, if it answers", 2, begin_proposal, go_accepted,
     WZP_CT_REASON_NONE, WZP_CT_REASON_NONE, &first},
    FOLLOWS("it sends what an UpgradeConfirm says within a second", &confirmation),
};

#define CAPABILITY(profile)                                                                        \
    "{\"QualityCapability\":{\"version\":1,\"call_id\":\"wzp-conformance-1\",\"max_"               \
    "profile\":" profile ",\"loss_pct\":1.5,\"rtt_ms\":60}}"
static const wzp_ct_word cap_low = {
    .json = CAPABILITY(DEGRADED), .codec = WZP_CODEC_OPUS_6K, .lenient_ms = SOON_MS};
static const wzp_ct_word too_much = {.json = DIRECTIVE(STUDIO_64K)};
static const wzp_ct_word cap_higher = {
    .json = CAPABILITY(GOOD), .codec = WZP_CODEC_OPUS_24K, .lenient_ms = SOON_MS};
static const wzp_ct_act qual010[] = {
    SENDER,
    FOLLOWS("it sends Opus6k once that is all a peer can take", &cap_low),
    IGNORES("a directive to Opus64k does not lift it above that", &too_much),
    FOLLOWS("it sends Opus24k once a peer can take so much", &cap_higher),
};

/* --- reports of a peer ------------------------------------------------------------------------ */

static const wzp_quality_report awful = {255, 255, 50, 200}; /* Catastrophic everywhere */
static const wzp_quality_report fine = {0, 2, 1, 200};       /* Studio64k */

/* In packets of sound, as a peer sends them; each is a frame later than the one before. */
static bool send_reports(wzp_ct_exec *e, const wzp_quality_report *report, unsigned n) {
    wzp_ct_follow *st = wzp_ct_play_state(e);
    bool ok = true;
    for (unsigned i = 0; i < n; i++) {
        wzp_ct_outgoing p = wzp_ct_next_packet(&st->hear, WZP_CODEC_OPUS_24K,
                                               wzp_ct_sound(WZP_CODEC_OPUS_24K, st->hear.frame));
        p.hdr.flags = WZP_MEDIA_QUALITY;
        p.report = report;
        ok = wzp_ct_send_frame(e, &st->hear, &p, true) && ok;
    }
    return ok;
}

static bool begin_two(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_follow_begin(e, now);
    return send_reports(e, &fine, 1) && send_reports(e, &awful, 2);
}

static wzp_ct_so_far go_two(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_follow *st = wzp_ct_play_state(e);
    const wzp_ct_server *s = wzp_ct_play_server(e);
    if (!wzp_ct_client_is_there(e)) {
        return WZP_CT_NEVER;
    }
    if (!s->offers_codec2) {
        return wzp_ct_play_lacks(e, "codec2");
    }
    if (wzp_ct_follow_count(e, st, WZP_CODEC_CODEC2_1200, st->told_at) > 0) {
        wzp_ct_play_say(e, "it sends Codec2_1200 after two");
        return wzp_ct_follow_is_excused(e) ? WZP_CT_UNSURE : WZP_CT_NEVER;
    }
    return wzp_ct_play_elapsed(e, now) >= 1200 * WZP_MS ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

enum { ATTEMPTS = 3, SEEN = 2 };
#define PAUSE (1300 * WZP_MS)

/* Deployed clients have one controller for these and for their own reports, of which one a second
 * says that the path is good: it may come between the three. */
static bool begin_three(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_follow *st = wzp_ct_play_state(e);
    wzp_ct_follow_begin(e, now);
    st->attempts = 1;
    return send_reports(e, &fine, 1) && send_reports(e, &awful, 3);
}

static wzp_ct_so_far go_three(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_follow *st = wzp_ct_play_state(e);
    if (!wzp_ct_client_is_there(e)) {
        return WZP_CT_NEVER;
    }
    if (!wzp_ct_play_server(e)->offers_codec2) {
        return wzp_ct_play_lacks(e, "codec2");
    }
    if (wzp_ct_follow_count(e, st, WZP_CODEC_CODEC2_1200, 0) >= SEEN) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_wake(e, st->told_at + PAUSE);
    if (now < st->told_at + PAUSE) {
        return WZP_CT_NOT_YET;
    }
    if (st->attempts < ATTEMPTS) {
        st->attempts++;
        st->told_at = now;
        return send_reports(e, &fine, 1) && send_reports(e, &awful, 3) ? WZP_CT_NOT_YET
                                                                       : WZP_CT_UNSURE;
    }
    wzp_ct_play_say(e, "it sends %s after three, and three more, and three more",
                    wzp_ct_codec_name(wzp_ct_follow_codec(e, st)));
    return !wzp_ct_play_tunes(e)         ? wzp_ct_play_lacks(e, "adaptation")
           : wzp_ct_follow_is_excused(e) ? WZP_CT_UNSURE
                                         : WZP_CT_NEVER;
}

#define THREE                                                                                      \
    {                                                                                              \
        .required = "three reports of a catastrophe make it send Codec2_1200", .within_s = 6,      \
        .begin = begin_three, .go = go_three, .late = WZP_CT_REASON_NO_RESPONSE                    \
    }
static const wzp_ct_act qual003[] = {
    SENDER,
    {"two reports of a catastrophe do not", 3, begin_two, go_two, WZP_CT_REASON_NO_RESPONSE,
     WZP_CT_REASON_WRONG_RESPONSE, NULL},
    THREE,
};

static bool begin_good(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_follow_begin(e, now);
    return send_reports(e, &fine, 5);
}

/* From its own good reports deployed clients may have had some before. */
static wzp_ct_so_far go_good(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_follow *st = wzp_ct_play_state(e);
    const int codec = wzp_ct_follow_codec(e, st);
    if (!wzp_ct_client_is_there(e)) {
        return WZP_CT_NEVER;
    }
    if (codec >= 0 && codec != WZP_CODEC_CODEC2_1200 && codec != WZP_CODEC_OPUS_6K) {
        wzp_ct_play_say(e, "it went from Codec2_1200 to %s", wzp_ct_codec_name(codec));
        return WZP_CT_NEVER;
    }
    return wzp_ct_play_elapsed(e, now) >= WZP_S && codec == WZP_CODEC_OPUS_6K
               ? WZP_CT_HAPPENED
               : wait(e, 2 * WZP_S, now);
}

static const wzp_ct_act qual004[] = {
    SENDER,
    THREE,
    {"five good reports lift it by one step, to Opus6k", 3, begin_good, go_good,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

/* --- what must not end the call --------------------------------------------------------------- */

static const char *const strange[] = {
    "{\"TransportFeedback\":{\"version\":1,\"stream_id\":0,\"acked_seqs\":[10,11,13],\"nacked_"
    "seqs\":"
    "[12],\"remb_bps\":1500000,\"recv_time_us\":1780000000000000}}",
    "{\"TransportFeedback\":{\"stream_id\":0,\"acked_seqs\":[],\"nacked_seqs\":[],\"remb_bps\":"
    "4294967295,\"recv_time_us\":18446744073709551615}}",
    "{\"TransportFeedback\":{\"version\":9,\"stream_id\":255,\"acked_seqs\":[4294967295,0,7,7],"
    "\"nacked_seqs\":[7],\"remb_bps\":64000,\"recv_time_us\":0,\"later\":{}}}",
    "{\"LossRecoveryUpdate\":{\"version\":1,\"dred_reconstructions\":3,"
    "\"classical_plc_invocations\":1,\"frames_decoded\":500}}",
    "{\"Nack\":{\"version\":1,\"stream_id\":0,\"seqs\":[12,15]}}",
    "{\"PictureLossIndication\":{\"version\":1,\"stream_id\":0}}",
    "{\"SetPriorityMode\":{\"version\":1,\"mode\":\"ScreenShare\"}}",
    "{\"WzpConformance\":{\"version\":1,\"of\":[{\"the\":\"future\"},null,1e300,true]}}",
    "{\"WzpConformance\":null}",
    "{\"WzpConformance\":[]}",
    "\"WzpConformance\"",
};

static bool begin_strange(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_follow_begin(e, now);
    return wzp_ct_server_say(wzp_ct_play_server(e), strange[0]);
}

static wzp_ct_so_far go_strange(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_follow *st = wzp_ct_play_state(e);
    wzp_ct_server *s = wzp_ct_play_server(e);
    if (!wzp_ct_client_is_there(e)) {
        wzp_ct_play_say(e, "the last that it was told is %.60s", strange[st->attempts]);
        return WZP_CT_NEVER;
    }
    if (!s->watched_came) {
        return wait(e, 15 * WZP_S, now);
    }
    if (st->attempts + 1 < WZP_COUNT_OF(strange)) {
        st->attempts++;
        return wzp_ct_server_say(s, strange[st->attempts]) ? WZP_CT_NOT_YET : WZP_CT_UNSURE;
    }
    wzp_ct_play_wake(e, s->watched_at + WZP_S);
    return now >= s->watched_at + WZP_S && wzp_ct_follow_codec(e, st) >= 0 &&
                   s->media.last_at > s->watched_at + WZP_S / 2
               ? WZP_CT_HAPPENED
               : wait(e, 15 * WZP_S, now);
}

static const wzp_ct_act bwe003[] = {
    SENDER,
    {"it takes all of them, and a second later it still sends", 20, begin_strange, go_strange,
     WZP_CT_REASON_CRASH, WZP_CT_REASON_WRONG_RESPONSE, NULL},
};

/* --- the table -------------------------------------------------------------------------------- */

#define QUAL(id, level_, title, must, traffic, script, quality_)                                   \
    {                                                                                              \
        .kind = WZP_CT_PLAY, .client = WZP_CT_CLIENT_CLEAR, .quality = (quality_),                 \
        .info = {INFO(id, "QUAL", title, id, must, traffic, "media 16, " id),                      \
                 .level = WZP_CT_##level_},                                                        \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = sizeof(wzp_ct_follow)                     \
    }

static const wzp_ct_case cases[] = {
    QUAL("QUAL-003", MUST, "reports of a catastrophe",
         "send Codec2_1200 after three in a row, and not after two",
         "packets with reports of 100 % loss and 1,020 ms", qual003, "auto"),
    QUAL("QUAL-004", SHOULD, "reports of a recovery", "go up by one step after five good ones",
         "three reports of a catastrophe, then five of a perfect path", qual004, "auto"),
    QUAL("QUAL-005", MUST, "directives of the relay",
         "send the codec of a QualityDirective two frames later at most",
         "QualityDirectives for Opus6k, Opus48k and Opus24k", qual005, "auto"),
    QUAL("QUAL-006", MUST, "directives against a fixed quality", "ignore them",
         "QualityDirectives for Opus6k and Opus48k; the client was told to send Opus24k", qual006,
         "good"),
    QUAL("QUAL-008", SHOULD, "proposals of an upgrade",
         "answer each with an UpgradeResponse that has its call_id and proposal_id",
         "two UpgradeProposals", qual008, "auto"),
    QUAL("QUAL-009", SHOULD, "an upgrade that is confirmed", "send the confirmed codec",
         "UpgradeProposal, then UpgradeConfirm, for Opus48k", qual009, "auto"),
    QUAL("QUAL-010", SHOULD, "what a peer can take", "send no better codec than that",
         "QualityCapability Opus6k, QualityDirective Opus64k, QualityCapability Opus24k", qual010,
         "auto"),
    QUAL("BWE-003", MUST, "signals that it does not need", "go on with the call",
         "TransportFeedback, signals about video, signals of the future", bwe003, NULL),
};

const wzp_ct_chapter wzp_ct_chapter_qual = {"QUAL", "Clients: what they make of quality", cases,
                                            WZP_COUNT_OF(cases)};
