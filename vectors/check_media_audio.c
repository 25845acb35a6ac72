/* The sections of media.json about sound: silence suppression, and the jitter buffer and playout
 * estimator of deployed clients (media sheet 2.5, 6). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "media/deployed.h"
#include "media/silence.h"
#include "vectors/check.h"
#include "wire/media.h"

/* --- silence suppression ---------------------------------------------------------------------- */

/* A sender to whose microphone nobody speaks: the packet of `frame`, if there is one. */
typedef struct mute_sender {
    wzp_silence silence;
    uint32_t frame_ms;
    wzp_media_hdr hdr;
} mute_sender;

/* False: nothing is sent for this frame.  `hdr` is that of the packet. */
static bool send_frame(mute_sender *s, wzp_media_hdr *hdr) {
    static const int16_t quiet[960];
    const wzp_silence_act act = wzp_silence_step(&s->silence, quiet, WZP_COUNT_OF(quiet));
    *hdr = s->hdr;
    s->hdr.timestamp_ms += s->frame_ms;
    if (act == WZP_SILENCE_NOISE) {
        hdr->codec_id = WZP_CODEC_COMFORT_NOISE;
        hdr->timestamp_ms = s->hdr.timestamp_ms;
    }
    s->hdr.seq += act == WZP_SILENCE_HUSH ? 0 : 1;
    return act != WZP_SILENCE_HUSH;
}

static void compare_frame(wzp_vector_entry *e, const json_t *want, const wzp_media_hdr *hdr) {
    const char *hex = wzp_vector_text(want, "packet_hex");
    if (*hex != '\0') {
        static const uint8_t level[] = {WZP_NOISE_LEVEL};
        const wzp_media_packet packet = {.hdr = *hdr, .payload = wzp_bytes_of(level, 1)};
        uint8_t buf[WZP_MEDIA_HDR_LEN + sizeof level];
        wzp_wr wr;
        wzp_wr_init(&wr, buf, sizeof buf);
        wzp_media_packet_write(&wr, &packet);
        (void)wzp_vector_is_bytes(e, "packet_hex", hex, wzp_bytes_of(buf, wzp_wr_len(&wr)));
        return;
    }
    (void)(wzp_vector_is_uint(e, "seq", wzp_vector_uint(want, "seq"), hdr->seq) &&
           wzp_vector_is_uint(e, "timestamp", wzp_vector_uint(want, "timestamp"),
                              hdr->timestamp_ms) &&
           wzp_vector_is_uint(e, "codec_id", WZP_CODEC_OPUS_24K, hdr->codec_id));
}

static void check_silence(wzp_vector_entry *e) {
    const json_t *frames = json_object_get(e->json, "frames");
    mute_sender sender = {.frame_ms = 20, .hdr = {.version = WZP_PROTOCOL_VERSION}};
    size_t next = 0;
    (void)(wzp_vector_is_uint(
               e, "threshold_rms",
               (uint64_t)json_number_value(json_object_get(e->json, "threshold_rms")),
               WZP_SILENCE_RMS) &&
           wzp_vector_is_uint(e, "hangover", wzp_vector_uint(e->json, "hangover"),
                              WZP_SILENCE_HANGOVER));
    for (uint64_t frame = 0; frame < 10000 && next < json_array_size(frames); frame++) {
        const json_t *want = json_array_get(frames, next);
        wzp_media_hdr hdr;
        const bool sent = send_frame(&sender, &hdr);
        const bool is_due = wzp_vector_uint(want, "frame") == frame;
        if (sent != is_due) {
            (void)wzp_vector_is_uint(e, "frame", wzp_vector_uint(want, "frame"), frame);
            return;
        }
        if (sent) {
            compare_frame(e, want, &hdr);
            next++;
        }
    }
}

/* --- the jitter buffer ------------------------------------------------------------------------ */

static void push(wzp_deployed_jbuf *jb, uint32_t seq, char *text, size_t cap) {
    static const char *const names[] = {"stored", "duplicate", "late", "reset"};
    (void)snprintf(text, cap, "%s", names[wzp_deployed_put(jb, seq)]);
}

static void pop(wzp_deployed_jbuf *jb, char *text, size_t cap) {
    uint32_t seq = 0;
    switch (wzp_deployed_take(jb, &seq)) {
    case WZP_DEPLOYED_NOT_READY:
        (void)snprintf(text, cap, "not_ready");
        break;
    case WZP_DEPLOYED_PACKET:
        (void)snprintf(text, cap, "packet %u", seq);
        break;
    case WZP_DEPLOYED_MISSING:
        (void)snprintf(text, cap, "missing %u", seq);
        break;
    }
}

static void check_jitter_stats(wzp_vector_entry *e, const wzp_deployed_stats *got) {
    const json_t *want = json_object_get(e->json, "stats");
    const struct {
        const char *name;
        uint64_t value;
    } stats[] = {{"received", got->received}, {"played", got->played}, {"lost", got->lost},
                 {"late", got->late},         {"dup", got->duplicate}, {"over", got->overrun}};
    for (size_t i = 0; i < WZP_COUNT_OF(stats); i++) {
        (void)wzp_vector_is_uint(e, stats[i].name, wzp_vector_uint(want, stats[i].name),
                                 stats[i].value);
    }
}

static void check_jitter_buffer(wzp_vector_entry *e) {
    const uint64_t most = wzp_vector_uint(e->json, "max");
    wzp_deployed_jbuf jb;
    size_t i = 0;
    const json_t *op = NULL;
    if (most > WZP_DEPLOYED_MAX) {
        wzp_vector_skip(e, "deeper than any that is deployed");
        return;
    }
    wzp_deployed_init(&jb, (uint32_t)wzp_vector_uint(e->json, "min"), (uint32_t)most);
    json_array_foreach(json_object_get(e->json, "ops"), i, op) {
        char text[40];
        char field[32];
        if (strcmp(wzp_vector_text(op, "op"), "push") == 0) {
            push(&jb, (uint32_t)wzp_vector_uint(op, "seq"), text, sizeof text);
        } else {
            pop(&jb, text, sizeof text);
        }
        (void)snprintf(field, sizeof field, "ops[%zu]", i);
        if (!wzp_vector_is_text(e, field, wzp_vector_text(op, "result"), text) ||
            !wzp_vector_is_uint(e, field, wzp_vector_uint(op, "depth"), jb.depth)) {
            return;
        }
    }
    check_jitter_stats(e, &jb.stats);
}

/* --- the playout estimator -------------------------------------------------------------------- */

static bool is_update(wzp_vector_entry *e, const json_t *want, const wzp_playout *got) {
    char expected[64];
    char actual[64];
    (void)snprintf(expected, sizeof expected, "target %llu, jitter %.6f, spike %d",
                   (unsigned long long)wzp_vector_uint(want, "target"),
                   json_number_value(json_object_get(want, "jitter_ema_ms")),
                   json_is_true(json_object_get(want, "spike")));
    (void)snprintf(actual, sizeof actual, "target %u, jitter %.6f, spike %d", got->target,
                   got->jitter_ms, (int)got->is_spiking);
    return wzp_vector_is_text(e, "updates", expected, actual);
}

static void check_playout(wzp_vector_entry *e) {
    wzp_playout playout;
    size_t i = 0;
    const json_t *update = NULL;
    wzp_playout_init(&playout, (uint32_t)wzp_vector_uint(e->json, "min"),
                     (uint32_t)wzp_vector_uint(e->json, "max"),
                     json_is_true(json_object_get(e->json, "mobile")));
    json_array_foreach(json_object_get(e->json, "updates"), i, update) {
        wzp_playout_update(&playout, wzp_vector_uint(update, "arrival_ms"),
                           wzp_vector_uint(update, "expected_ms"),
                           wzp_vector_uint(update, "now_ms"));
        if (!is_update(e, update, &playout)) {
            return;
        }
    }
}

wzp_vector_checker *wzp_vectors_media_audio_checker(const char *section) {
    static const struct {
        const char *section;
        wzp_vector_checker *checker;
    } checkers[] = {{"silence_suppression", check_silence},
                    {"jitter_buffer", check_jitter_buffer},
                    {"adaptive_playout", check_playout}};
    for (size_t i = 0; i < WZP_COUNT_OF(checkers); i++) {
        if (strcmp(checkers[i].section, section) == 0) {
            return checkers[i].checker;
        }
    }
    return NULL;
}
