/* A trace of speech or music: what the codec makes of a sound file, with the deployed settings.
 *
 *     record_trace Opus24k NAME 'What it is' speech.wav >recorded/NAME.trace
 *     record_trace Opus24k+noise ...
 *
 * Frames for which the codec has nothing to send are left out; with +noise silence is suppressed
 * before the codec, and a packet of comfort noise sent for each tenth frame of it.  Each 50th
 * packet brings a quality report; sizes are those of encrypted packets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/corpus/trace.h"
#include "io/wav.h"
#include "media/audio.h"
#include "media/silence.h"

enum { NOTHING_TO_SEND = 2, TAG = 16 };

static _Noreturn void give_up(const char *what) {
    (void)fprintf(stderr, "record_trace: %s\n", what);
    exit(2); /* NOLINT(concurrency-mt-unsafe): one thread */
}

static void add(wzp_trace *trace, uint8_t codec, size_t at_ms, size_t len) {
    const uint32_t seq = (uint32_t)trace->count;
    wzp_trace_packet *p = wzp_trace_add(trace, at_ms * WZP_MS);
    if (p == NULL) {
        give_up("out of memory");
    }
    p->hdr = (wzp_media_hdr){.version = WZP_PROTOCOL_VERSION,
                             .flags = seq % 50 == 49 ? WZP_MEDIA_QUALITY : 0,
                             .codec_id = codec,
                             .seq = seq,
                             .timestamp_ms = (uint32_t)at_ms};
    p->payload = (uint16_t)(len + TAG);
}

static void add_coded(wzp_trace *trace, wzp_audio_enc *enc, const int16_t *pcm, size_t at_ms) {
    uint8_t packet[WZP_AUDIO_PACKET_MAX];
    size_t len = 0;
    if (wzp_audio_enc_frame(enc, pcm, wzp_audio_enc_samples(enc), packet, &len) != WZP_OK) {
        give_up("the codec failed");
    }
    if (len > NOTHING_TO_SEND) {
        add(trace, wzp_audio_enc_codec(enc), at_ms, len);
    }
}

static void record(wzp_trace *trace, uint8_t codec, bool has_noise, const int16_t *pcm,
                   size_t samples) {
    wzp_silence silence = {0};
    wzp_audio_enc *enc = NULL;
    if (wzp_audio_enc_new(&enc, &(wzp_audio_enc_cfg){.codec = codec}) != WZP_OK) {
        give_up("no encoder for this codec");
    }
    const size_t step = wzp_audio_enc_samples(enc);
    for (size_t at = 0; at + step <= samples; at += step) {
        const size_t at_ms = at / (WZP_WAV_RATE_HZ / 1000);
        const wzp_silence_act act =
            has_noise ? wzp_silence_step(&silence, pcm + at, step) : WZP_SILENCE_SEND;
        if (act == WZP_SILENCE_SEND) {
            add_coded(trace, enc, pcm + at, at_ms);
        } else if (act == WZP_SILENCE_NOISE) {
            add(trace, WZP_CODEC_COMFORT_NOISE, at_ms, 1);
        }
    }
    wzp_audio_enc_free(&enc);
}

int main(int argc, char **argv) {
    wzp_trace trace = {.is_encrypted = true};
    char line[WZP_TRACE_LINE_MAX];
    const size_t name = argc == 5 ? strcspn(argv[1], "+") : 0;
    const int codec = argc == 5 ? wzp_codec_by_name(wzp_bytes_of(argv[1], name)) : -1;
    const bool has_noise = argc == 5 && strcmp(argv[1] + name, "+noise") == 0;
    if (codec < 0 || !wzp_audio_is_codec((uint8_t)codec) || (argv[1][name] != '\0' && !has_noise)) {
        give_up("usage: record_trace CODEC[+noise] NAME WHAT FILE.wav");
    }
    char why[WZP_WAV_WHY_MAX];
    int16_t *pcm = NULL;
    size_t samples = 0;
    if (wzp_wav_read(&pcm, &samples, argv[4], why) != WZP_OK) {
        give_up(why);
    }
    (void)snprintf(trace.name, sizeof trace.name, "%s", argv[2]);
    (void)snprintf(trace.what, sizeof trace.what, "%s", argv[3]);
    record(&trace, (uint8_t)codec, has_noise, pcm, samples);
    for (size_t i = 0; i < WZP_TRACE_HEADS; i++) {
        wzp_trace_head(&trace, i, line);
        (void)fputs(line, stdout);
    }
    for (size_t i = 0; i < trace.count; i++) {
        wzp_trace_line(&trace.packets[i], line);
        (void)fputs(line, stdout);
    }
    wzp_trace_clear(&trace);
    free(pcm);
    return 0;
}
