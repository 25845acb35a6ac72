/* Silence that is not sent: what a relay forwards of it, and what a listener hears (media sheet
 * 2.5). */
#include "client/testing/call.h"

#include "base/testing/suite.h"
#include "media/silence.h"

/* Speech, silence, speech; in ms of the speaker's own time. */
enum { TALK_UNTIL = 2000, HUSH_UNTIL = 6000, HUSH = HUSH_UNTIL - TALK_UNTIL };

typedef struct user {
    call_user base;
    uint32_t said_ms;
    uint32_t sources, noises, bad_noises, bad_steps;
    bool any;
    uint32_t last_seq, last_ts;
    wzp_time noise_at; /* of the first one */
    uint32_t last_noise_ts;
    uint32_t first_gap; /* ms of media clock from the last frame to the first noise */
    uint32_t loudest_in_noise, noise_ms, quiet_ms;
} user;

static void say(user *u, const wzp_client_event *ev, wzp_time now) {
    static int16_t pcm[WZP_AUDIO_SENT_MAX];
    const bool silent = u->said_ms >= TALK_UNTIL && u->said_ms < HUSH_UNTIL;
    for (size_t i = 0; i < ev->samples; i++) {
        const int loud = silent ? 99 : 6000;
        pcm[i] = (int16_t)(i / 120 % 2 == 0 ? loud : -loud);
    }
    u->said_ms += (uint32_t)(ev->samples / 48);
    ck_assert_int_eq(wzp_client_push(u->base.client, pcm, ev->samples, now), WZP_OK);
}

static uint32_t loudest(const wzp_client_event *ev) {
    uint32_t top = 0;
    for (size_t i = 0; i < ev->samples; i++) {
        const uint32_t sample = (uint32_t)(ev->pcm[i] < 0 ? -ev->pcm[i] : ev->pcm[i]);
        top = sample > top ? sample : top;
    }
    return top;
}

static void after(void *ctx, wzp_time now) {
    user *u = ctx;
    wzp_client_event ev;
    while (wzp_client_next_event(u->base.client, now, &ev)) {
        if (ev.kind == WZP_CLIENT_CAPTURE) {
            say(u, &ev, now);
        } else if (ev.kind == WZP_CLIENT_PLAY && u->noise_at != 0 && ev.slot == WZP_JBUF_PAUSE) {
            const uint32_t top = loudest(&ev);
            u->loudest_in_noise = top > u->loudest_in_noise ? top : u->loudest_in_noise;
            u->noise_ms += (uint32_t)(ev.samples / 48);
            u->quiet_ms += top == 0 ? (uint32_t)(ev.samples / 48) : 0;
        }
    }
}

static void on_noise(user *u, const wzp_media_packet *packet, wzp_time now) {
    u->bad_noises += packet->hdr.flags != 0 || packet->payload.len != 1 ||
                             packet->payload.data[0] != 50 || packet->hdr.fec_ratio != 0 ||
                             packet->hdr.fec_block > 255
                         ? 1
                         : 0;
    if (u->noises++ == 0) {
        u->noise_at = now;
        u->first_gap = packet->hdr.timestamp_ms - u->last_ts;
    } else {
        u->bad_steps += packet->hdr.timestamp_ms - u->last_ts != u->last_noise_ts ? 1 : 0;
    }
}

static void on_arrival(void *ctx, const wzp_media_packet *packet, wzp_time now) {
    user *u = ctx;
    const wzp_media_hdr *hdr = &packet->hdr;
    u->bad_steps += u->any && hdr->seq != u->last_seq + 1 ? 1 : 0; /* AUD-002 */
    u->any = true;
    u->last_seq = hdr->seq;
    if ((hdr->flags & WZP_MEDIA_REPAIR) != 0) {
        return;
    }
    if (hdr->codec_id == WZP_CODEC_COMFORT_NOISE) {
        on_noise(u, packet, now);
    } else {
        u->sources++;
    }
    u->last_ts = hdr->timestamp_ms;
}

static const struct hush_case {
    const char *name;
    uint8_t codec;
    bool suppress;
} hush_cases[] = {{"Opus, suppressed", WZP_CODEC_OPUS_24K, true},
                  {"Opus of 40 ms, suppressed", WZP_CODEC_OPUS_6K, true},
                  {"Codec2, suppressed", WZP_CODEC_CODEC2_3200, true},
                  {"Opus, sent", WZP_CODEC_OPUS_24K, false}};

/* AUD-007 */
START_TEST(ten_silent_frames_are_one_packet) {
    const struct hush_case *k = &hush_cases[_i];
    static call_net c;
    static user says;
    static user hears;
    wzp_client_stats stats;
    if (!wzp_audio_is_codec(k->codec)) {
        return;
    }
    const uint32_t frame_ms = wzp_codec_find(k->codec)->frame_ms;
    says = hears = (user){.last_noise_ts = 10 * frame_ms};
    call_begin(&c, 4, WZP_ENFORCE_ON);
    call_join(&c, &hears.base, (wzp_client_cfg){.listen_only = true, .arrival = on_arrival}, after);
    call_run(&c, 1000);
    call_join(&c, &says.base, (wzp_client_cfg){.codec = k->codec, .suppress_silence = k->suppress},
              after);
    call_run(&c, 9000);
    const uint32_t silent = HUSH / frame_ms - WZP_SILENCE_HANGOVER;
    const uint32_t suppressed = k->suppress ? silent : 0;
    ck_assert_msg(hears.noises == suppressed / 10, "%s: %u packets", k->name, hears.noises);
    ck_assert_msg(hears.bad_noises == 0 && hears.bad_steps == 0, "%s: %u, %u", k->name,
                  hears.bad_noises, hears.bad_steps);
    ck_assert_uint_le(says.said_ms / frame_ms - suppressed - hears.sources, 2); /* on their way */
    ck_assert(!k->suppress || hears.first_gap == 11 * frame_ms);
    wzp_client_count(hears.base.client, &stats);
    ck_assert_msg(stats.concealed <= (k->suppress ? WZP_JBUF_IDLE_FRAMES + 2 : 2), "%s: %llu",
                  k->name, (unsigned long long)stats.concealed);
    wzp_client_free(&says.base.client);
    wzp_client_free(&hears.base.client);
    call_end(&c);
    if (!k->suppress) {
        return;
    }
    ck_assert_uint_le(hears.loudest_in_noise, 50);
    ck_assert_uint_gt(hears.noise_ms, HUSH / 3);
    ck_assert_uint_eq(hears.quiet_ms, 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("comfort");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, ten_silent_frames_are_one_packet, 0, WZP_COUNT_OF(hush_cases));
    return wzp_run_suite("client.comfort", tc);
}
