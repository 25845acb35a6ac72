/* Rooms of three in which X sends video on stream 0 and the others watch: picture loss and signals
 * without meaning (conformance sheet 24.14, relay sheet 7.4). */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/relay/plays.h"
#include "conformance/cases/relay/steps.h"
#include "wire/media.h"
#include "wire/signal.h"

enum { VIDEO = 200, AUDIO = 76, SPEECH = 50, TRIES = 3 };

#define FRAME (33 * WZP_MS)
#define SETTLE (500 * WZP_MS)

typedef struct watch {
    uint32_t frames, spoken;
    wzp_time next_frame, next_word;
    uint32_t seen[2], heard[2]; /* by L and KX: frames of X, words of L */
    uint32_t echoed;
    uint32_t mark; /* what was seen or heard when the act began */

    /* picture loss, twice */
    unsigned attempt, said, spoiled;
    wzp_time said_at[2], came_at;
    uint32_t before;
} watch;

_Static_assert(sizeof(watch) <= WZP_CT_ROOM_STATE, "state fits");

/* --- media ------------------------------------------------------------------------------------ */

static void send_media(wzp_ct_exec *e, wzp_ct_who who, const wzp_media_hdr *hdr, size_t len) {
    uint8_t buf[WZP_MEDIA_HDR_LEN + VIDEO];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_hdr_write(&wr, hdr);
    memset(buf + WZP_MEDIA_HDR_LEN, (int)who + 1, len);
    (void)wzp_ct_play_send(e, who, wzp_bytes_of(buf, WZP_MEDIA_HDR_LEN + len));
}

/* X's video goes on through all acts. */
static void film(wzp_ct_exec *e, wzp_time now) {
    watch *w = wzp_ct_play_state(e);
    w->next_frame = w->next_frame == 0 ? now : w->next_frame;
    for (; w->next_frame <= now; w->next_frame += FRAME) {
        const uint8_t key = w->frames % 30 == 0 ? WZP_MEDIA_KEYFRAME : 0;
        send_media(e, WZP_CT_X,
                   &(wzp_media_hdr){.version = 2,
                                    .flags = WZP_MEDIA_FRAME_END | key,
                                    .media_type = WZP_MEDIA_VIDEO,
                                    .codec_id = WZP_CODEC_H264_BASELINE,
                                    .seq = w->frames,
                                    .timestamp_ms = 33 * w->frames,
                                    .fec_block = 1},
                   VIDEO);
        w->frames++;
    }
    wzp_ct_play_wake(e, w->next_frame);
}

static void talk(wzp_ct_exec *e, wzp_time now) {
    watch *w = wzp_ct_play_state(e);
    w->next_word = w->next_word == 0 ? now : w->next_word;
    for (; w->next_word <= now && w->spoken < SPEECH; w->next_word += 20 * WZP_MS) {
        send_media(e, WZP_CT_L,
                   &(wzp_media_hdr){.version = 2,
                                    .codec_id = WZP_CODEC_OPUS_24K,
                                    .seq = w->spoken,
                                    .timestamp_ms = 20 * w->spoken},
                   AUDIO);
        w->spoken++;
    }
    wzp_ct_play_wake(e, w->spoken < SPEECH ? w->next_word : WZP_TIME_NEVER);
}

void wzp_ct_room_datagram(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes bytes, wzp_time now) {
    watch *w = wzp_ct_play_state(e);
    wzp_media_packet packet;
    (void)now;
    if (wzp_media_packet_parse(&packet, bytes, NULL) != WZP_OK) {
        return;
    }
    const bool of_x = packet.hdr.media_type == WZP_MEDIA_VIDEO;
    const size_t place = who == WZP_CT_L || who == WZP_CT_X ? 0 : 1;
    w->echoed += who == (of_x ? WZP_CT_X : WZP_CT_L) ? 1 : 0;
    (of_x ? w->seen : w->heard)[place]++;
}

static bool anyone_is_gone(wzp_ct_exec *e) {
    return wzp_ct_is_gone(e, WZP_CT_X) || wzp_ct_is_gone(e, WZP_CT_L) ||
           wzp_ct_is_gone(e, WZP_CT_KX);
}

static wzp_ct_so_far go_video(wzp_ct_exec *e, wzp_time now) {
    const watch *w = wzp_ct_play_state(e);
    film(e, now);
    return anyone_is_gone(e)                    ? WZP_CT_NEVER
           : w->seen[0] >= 5 && w->seen[1] >= 5 ? WZP_CT_HAPPENED
                                                : WZP_CT_NOT_YET;
}

#define FILMED                                                                                     \
    {                                                                                              \
        .required = "the video of one reaches the two others", .within_s = 3, .go = go_video,      \
        .late = WZP_CT_REASON_NOT_FORWARDED                                                        \
    }

/* --- picture loss ----------------------------------------------------------------------------- */

typedef struct twice {
    uint64_t gap;
    uint32_t want; /* that reach the sender */
} twice;

static bool tell_loss(wzp_ct_exec *e, uint8_t stream_id) {
    return wzp_party_tell(wzp_ct_play_party(e, WZP_CT_L),
                          &(wzp_signal){.kind = WZP_SIGNAL_PICTURE_LOSS_INDICATION,
                                        .version = 1,
                                        .u.PictureLossIndication.stream_id = stream_id});
}

static uint32_t losses_at(wzp_ct_exec *e, wzp_ct_who who) {
    return wzp_ct_play_party(e, who)->heard[WZP_SIGNAL_PICTURE_LOSS_INDICATION];
}

/* Whether the relay saw them as far apart as they were meant to be. */
static bool is_spoiled(wzp_ct_exec *e, const watch *w, const twice *t) {
    const wzp_time last_at =
        wzp_ct_play_party(e, WZP_CT_X)->last_at[WZP_SIGNAL_PICTURE_LOSS_INDICATION];
    const uint64_t gap = w->said_at[1] - w->said_at[0];
    return gap > t->gap + 30 * WZP_MS || wzp_ct_play_lateness(e) > 30 * WZP_MS ||
           (w->came_at != 0 && last_at - w->came_at > t->gap + 60 * WZP_MS) ||
           wzp_ct_play_path_loses(e);
}

/* One try is over. */
static wzp_ct_so_far weigh_losses(wzp_ct_exec *e, watch *w, const twice *t) {
    const uint32_t came = losses_at(e, WZP_CT_X) - w->before;
    if (losses_at(e, WZP_CT_L) > 0) {
        wzp_ct_play_say(e, "the PLI came back to who sent it");
        return WZP_CT_NEVER;
    }
    if (came == t->want) {
        return WZP_CT_HAPPENED;
    }
    const bool spoiled = is_spoiled(e, w, t);
    w->spoiled += spoiled ? 1 : 0;
    wzp_ct_play_say(e, "%u of 2 reached the sender%s", came,
                    spoiled ? " (this machine was late)" : "");
    w->said = 0;
    w->came_at = 0;
    return ++w->attempt < TRIES ? WZP_CT_NOT_YET : w->spoiled > 0 ? WZP_CT_UNSURE : WZP_CT_NEVER;
}

static wzp_ct_so_far go_twice(wzp_ct_exec *e, wzp_time now) {
    const twice *t = wzp_ct_play_arg(e);
    watch *w = wzp_ct_play_state(e);
    film(e, now);
    if (anyone_is_gone(e)) {
        return WZP_CT_NEVER;
    }
    if (w->said == 0) {
        w->before = losses_at(e, WZP_CT_X);
    }
    if (w->said == 0 || (w->said == 1 && now >= w->said_at[0] + t->gap)) {
        w->said_at[w->said++] = now;
        (void)tell_loss(e, 0);
    }
    if (w->came_at == 0 && losses_at(e, WZP_CT_X) > w->before) {
        w->came_at = wzp_ct_play_party(e, WZP_CT_X)->last_at[WZP_SIGNAL_PICTURE_LOSS_INDICATION];
    }
    wzp_ct_play_wake(e, w->said == 1 ? w->said_at[0] + t->gap : w->said_at[1] + SETTLE);
    return w->said == 2 && now >= w->said_at[1] + SETTLE ? weigh_losses(e, w, t) : WZP_CT_NOT_YET;
}

static const twice close_by = {100 * WZP_MS, 1};
static const twice apart = {300 * WZP_MS, 2};

const wzp_ct_act wzp_ct_acts_s12[WZP_CT_S12_ACTS] = {
    WZP_CT_JOINED(wzp_ct_three),
    FILMED,
    {.required = "one of two PLIs, 100 ms apart, reaches the sender",
     .within_s = 6,
     .go = go_twice,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &close_by},
};

const wzp_ct_act wzp_ct_acts_s13[WZP_CT_S13_ACTS] = {
    WZP_CT_JOINED(wzp_ct_three),
    FILMED,
    {.required = "both of two PLIs, 300 ms apart, reach the sender",
     .within_s = 6,
     .go = go_twice,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &apart},
};

static bool begin_foreign_loss(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return tell_loss(e, 7);
}

static wzp_ct_so_far go_foreign_loss(wzp_ct_exec *e, wzp_time now) {
    film(e, now);
    return anyone_is_gone(e) || losses_at(e, WZP_CT_X) + losses_at(e, WZP_CT_KX) > 0 ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) >= WZP_S ? WZP_CT_HAPPENED
                                                  : WZP_CT_NOT_YET;
}

static bool begin_loss(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return anyone_is_gone(e) || tell_loss(e, 0);
}

static wzp_ct_so_far go_loss(wzp_ct_exec *e, wzp_time now) {
    film(e, now);
    return anyone_is_gone(e)            ? WZP_CT_NEVER
           : losses_at(e, WZP_CT_X) > 0 ? WZP_CT_HAPPENED
                                        : WZP_CT_NOT_YET;
}

#define LOSS_TOLD                                                                                  \
    {                                                                                              \
        .required = "a PLI for its stream reaches the sender", .within_s = 3, .begin = begin_loss, \
        .go = go_loss, .late = WZP_CT_REASON_NO_RESPONSE                                           \
    }

const wzp_ct_act wzp_ct_acts_s14[WZP_CT_S14_ACTS] = {
    WZP_CT_JOINED(wzp_ct_three),
    FILMED,
    {.required = "nobody gets a PLI for stream 7",
     .within_s = 3,
     .begin = begin_foreign_loss,
     .go = go_foreign_loss,
     .late = WZP_CT_REASON_NO_RESPONSE},
    LOSS_TOLD,
};

/* --- whom picture loss concerns --------------------------------------------------- */

/* The other one who watches must not be told. */
static wzp_ct_so_far go_only_sender(wzp_ct_exec *e, wzp_time now) {
    film(e, now);
    return anyone_is_gone(e) || losses_at(e, WZP_CT_KX) > 0                     ? WZP_CT_NEVER
           : losses_at(e, WZP_CT_X) > 0 && wzp_ct_play_elapsed(e, now) >= WZP_S ? WZP_CT_HAPPENED
                                                                                : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_x24[WZP_CT_X24_ACTS] = {
    WZP_CT_JOINED(wzp_ct_three),
    FILMED,
    {.required = "a PLI reaches the sender, and not the other one who watches",
     .within_s = 3,
     .begin = begin_loss,
     .go = go_only_sender,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

enum { HIJACKED = 8 };
#define HIJACK_STEP (10 * WZP_MS)
#define HIJACK_PLI (411 * WZP_MS)

/* KX sends on X's stream id three times as often. */
static void hijack(wzp_ct_exec *e, wzp_time now) {
    watch *w = wzp_ct_play_state(e);
    w->next_word = w->next_word == 0 ? now : w->next_word;
    for (; w->next_word <= now; w->next_word += HIJACK_STEP) {
        send_media(e, WZP_CT_KX,
                   &(wzp_media_hdr){.version = 2,
                                    .flags = WZP_MEDIA_FRAME_END,
                                    .media_type = WZP_MEDIA_VIDEO,
                                    .codec_id = WZP_CODEC_H264_BASELINE,
                                    .seq = w->spoken,
                                    .timestamp_ms = 10 * w->spoken,
                                    .fec_block = 1},
                   VIDEO);
        w->spoken++;
    }
    wzp_ct_play_wake(e, w->next_word);
}

static wzp_ct_so_far go_hijack(wzp_ct_exec *e, wzp_time now) {
    watch *w = wzp_ct_play_state(e);
    film(e, now);
    hijack(e, now);
    if (anyone_is_gone(e)) {
        return WZP_CT_NEVER;
    }
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    if (w->said < HIJACKED && elapsed >= (w->said + 1) * HIJACK_PLI) {
        w->said++;
        (void)tell_loss(e, 0);
    }
    if (elapsed < (HIJACKED + 1) * HIJACK_PLI + SETTLE) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "%u of %d PLIs reached the first sender", losses_at(e, WZP_CT_X), HIJACKED);
    return losses_at(e, WZP_CT_X) + 1 >= HIJACKED                               ? WZP_CT_HAPPENED
           : wzp_ct_play_path_loses(e) || wzp_ct_play_lateness(e) > 60 * WZP_MS ? WZP_CT_UNSURE
                                                                                : WZP_CT_NEVER;
}

const wzp_ct_act wzp_ct_acts_x25[WZP_CT_X25_ACTS] = {
    WZP_CT_JOINED(wzp_ct_three),
    FILMED,
    {.required = "another one sends on the same stream id, and PLIs still reach the first sender",
     .within_s = 6,
     .go = go_hijack,
     .late = WZP_CT_REASON_NO_RESPONSE},
};

/* --- signals without meaning ------------------------------------------------------------------ */

static bool begin_unknown(wzp_ct_exec *e, wzp_time now) {
    watch *w = wzp_ct_play_state(e);
    (void)now;
    w->mark = w->seen[0];
    return wzp_ct_say(e, WZP_CT_L, "{\"NoSuchVariant\":{\"a\":1}}");
}

static wzp_ct_so_far go_unknown(wzp_ct_exec *e, wzp_time now) {
    const watch *w = wzp_ct_play_state(e);
    film(e, now);
    return anyone_is_gone(e)                                                    ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) >= WZP_S && w->seen[0] >= w->mark + 10 ? WZP_CT_HAPPENED
                                                                                : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_s15[WZP_CT_S15_ACTS] = {
    WZP_CT_JOINED(wzp_ct_three),
    FILMED,
    {.required = "no close, and media is forwarded as before",
     .within_s = 4,
     .begin = begin_unknown,
     .go = go_unknown,
     .late = WZP_CT_REASON_NOT_FORWARDED,
     .never = WZP_CT_REASON_UNTYPED_CLOSE},
    LOSS_TOLD,
};

static bool begin_meaningless(wzp_ct_exec *e, wzp_time now) {
    static const char *const texts[] = {
        "{\"Nack\":{\"version\":1,\"stream_id\":0,\"seqs\":[1,2]}}",
        ("{\"TransportFeedback\":{\"version\":1,\"stream_id\":0,\"acked_seqs\":[1],"
         "\"nacked_seqs\":[2],\"remb_bps\":500000,\"recv_time_us\":1}}"),
        "{\"Hold\":{\"version\":1}}", "{\"Mute\":{\"version\":1}}"};
    bool said = true;
    (void)now;
    for (size_t i = 0; i < WZP_COUNT_OF(texts); i++) {
        said = said && wzp_ct_say(e, WZP_CT_L, texts[i]);
    }
    return said;
}

static bool got_one(wzp_ct_exec *e, wzp_ct_who who) {
    const uint32_t *heard = wzp_ct_play_party(e, who)->heard;
    return heard[WZP_SIGNAL_NACK] + heard[WZP_SIGNAL_TRANSPORT_FEEDBACK] + heard[WZP_SIGNAL_HOLD] +
               heard[WZP_SIGNAL_MUTE] >
           0;
}

static wzp_ct_so_far go_meaningless(wzp_ct_exec *e, wzp_time now) {
    film(e, now);
    return anyone_is_gone(e) || got_one(e, WZP_CT_X) || got_one(e, WZP_CT_KX) ? WZP_CT_NEVER
           : wzp_ct_play_elapsed(e, now) >= 5 * WZP_S                         ? WZP_CT_HAPPENED
                                                                              : WZP_CT_NOT_YET;
}

/* The one who said all that still reaches the others. */
static wzp_ct_so_far go_talk(wzp_ct_exec *e, wzp_time now) {
    const watch *w = wzp_ct_play_state(e);
    film(e, now);
    talk(e, now);
    if (anyone_is_gone(e) || w->echoed > 0) {
        return WZP_CT_NEVER;
    }
    if (w->heard[0] >= SPEECH && w->heard[1] >= SPEECH) {
        return WZP_CT_HAPPENED;
    }
    return wzp_ct_play_elapsed(e, now) > 2500 * WZP_MS && wzp_ct_play_path_loses(e) &&
                   w->heard[0] * 2 > SPEECH && w->heard[1] * 2 > SPEECH
               ? WZP_CT_UNSURE
               : WZP_CT_NOT_YET;
}

const wzp_ct_act wzp_ct_acts_s16[WZP_CT_S16_ACTS] = {
    WZP_CT_JOINED(wzp_ct_three),
    FILMED,
    {.required = "5 s later nobody is closed and nobody got any of it",
     .within_s = 6,
     .begin = begin_meaningless,
     .go = go_meaningless,
     .late = WZP_CT_REASON_NO_RESPONSE},
    {.required = "a second of speech arrives everywhere",
     .within_s = 3,
     .go = go_talk,
     .late = WZP_CT_REASON_NOT_FORWARDED},
};
