/* A trace of speech or music: what the codec makes of a sound file, with the deployed settings.
 *
 *     record_trace Opus24k NAME 'What it is' speech.wav >recorded/NAME.trace
 *
 * Frames for which the codec has nothing to send are left out, and each 50th packet brings a
 * quality report; sizes are those of encrypted packets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/corpus/trace.h"
#include "io/wav.h"
#include "media/opus.h"

enum { NOTHING_TO_SEND = 2, TAG = 16 };

static _Noreturn void give_up(const char *what) {
    (void)fprintf(stderr, "record_trace: %s\n", what);
    exit(2); /* NOLINT(concurrency-mt-unsafe): one thread */
}

static void add(wzp_trace *trace, uint8_t codec, size_t frame, size_t len) {
    const uint32_t ms = wzp_codec_find(codec)->frame_ms;
    const uint32_t seq = (uint32_t)trace->count;
    wzp_trace_packet *p = wzp_trace_add(trace, frame * ms * WZP_MS);
    if (p == NULL) {
        give_up("out of memory");
    }
    p->hdr = (wzp_media_hdr){.version = WZP_PROTOCOL_VERSION,
                             .flags = seq % 50 == 49 ? WZP_MEDIA_QUALITY : 0,
                             .codec_id = codec,
                             .seq = seq,
                             .timestamp_ms = (uint32_t)frame * ms};
    p->payload = (uint16_t)(len + TAG);
}

static void record(wzp_trace *trace, uint8_t codec, const int16_t *pcm, size_t samples) {
    const size_t step = wzp_opus_frame_samples(codec);
    wzp_opus_enc *enc = NULL;
    if (wzp_opus_enc_new(&enc, codec) != WZP_OK) {
        give_up("no encoder for this codec");
    }
    for (size_t frame = 0; (frame + 1) * step <= samples; frame++) {
        uint8_t packet[WZP_OPUS_PACKET_MAX];
        size_t len = 0;
        if (wzp_opus_enc_frame(enc, pcm + frame * step, step, packet, &len) != WZP_OK) {
            give_up("the codec failed");
        }
        if (len > NOTHING_TO_SEND) {
            add(trace, codec, frame, len);
        }
    }
    wzp_opus_enc_free(&enc);
}

int main(int argc, char **argv) {
    wzp_trace trace = {.is_encrypted = true};
    char line[WZP_TRACE_LINE_MAX];
    const int codec = argc == 5 ? wzp_codec_by_name(wzp_bytes_str(argv[1])) : -1;
    if (codec < 0 || wzp_opus_frame_samples((uint8_t)codec) == 0) {
        give_up("usage: record_trace OPUS-CODEC NAME WHAT FILE.wav");
    }
    char why[WZP_WAV_WHY_MAX];
    int16_t *pcm = NULL;
    size_t samples = 0;
    if (wzp_wav_read(&pcm, &samples, argv[4], why) != WZP_OK) {
        give_up(why);
    }
    (void)snprintf(trace.name, sizeof trace.name, "%s", argv[2]);
    (void)snprintf(trace.what, sizeof trace.what, "%s", argv[3]);
    record(&trace, (uint8_t)codec, pcm, samples);
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
