/* Opus packets as text, one a line in hexadecimal, as simulated callers say them
 * (sim/host/payloads.h): of a sound file, or of a voice that is made up here.
 *
 *     payloads CODEC FILE [SOUND]      payloads Opus24k opus24k.txt speech.wav
 *
 * Frames for which the codec has nothing to send are left out. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "io/wav.h"
#include "media/opus.h"
#include "media/testing/voice.h"

enum { SECONDS = 20, NOTHING_TO_SEND = 2 };

/* --- main ------------------------------------------------------------------------------------- */

static void give_up(const char *what, const char *why) {
    (void)fprintf(stderr, "payloads: %s: %s\n", what, why);
    _Exit(1);
}

static int16_t *made_up(size_t *count) {
    *count = (size_t)SECONDS * WZP_OPUS_RATE_HZ;
    int16_t *pcm = malloc(*count * sizeof *pcm);
    if (pcm != NULL) {
        wzp_voice_speak(pcm, *count);
    }
    return pcm;
}

static int16_t *of_file(const char *path, size_t *count) {
    char why[WZP_WAV_WHY_MAX];
    int16_t *pcm = NULL;
    if (wzp_wav_read(&pcm, count, path, why) != WZP_OK) {
        give_up(path, why);
    }
    return pcm;
}

static void write_packets(FILE *out, uint8_t codec, const int16_t *pcm, size_t count) {
    uint8_t packet[WZP_OPUS_PACKET_MAX];
    char hex[2 * sizeof packet + 1];
    const size_t frame = wzp_opus_frame_samples(codec);
    wzp_opus_enc *enc = NULL;
    if (wzp_opus_enc_new(&enc, codec) != WZP_OK) {
        give_up("Opus", "out of memory");
    }
    for (size_t at = 0; at + frame <= count; at += frame) {
        size_t len = 0;
        if (wzp_opus_enc_frame(enc, pcm + at, frame, packet, &len) == WZP_OK &&
            len > NOTHING_TO_SEND) {
            (void)fprintf(out, "%s\n", wzp_hex_write(hex, wzp_bytes_of(packet, len)));
        }
    }
    wzp_opus_enc_free(&enc);
}

int main(int argc, char **argv) {
    size_t count = 0;
    if (argc < 3 || argc > 4) {
        (void)fprintf(stderr, "usage: payloads CODEC FILE [SOUND]\n");
        return 2;
    }
    const int codec = wzp_codec_by_name(wzp_bytes_str(argv[1]));
    if (codec < 0 || wzp_opus_frame_samples((uint8_t)codec) == 0) {
        give_up(argv[1], "not an Opus codec, as Opus24k");
    }
    int16_t *pcm = argc > 3 ? of_file(argv[3], &count) : made_up(&count);
    FILE *out = fopen(argv[2], "w");
    if (pcm == NULL || out == NULL) {
        give_up(argv[2], "cannot be written");
    }
    (void)fprintf(out, "# %s of %s\n", argv[1], argc > 3 ? argv[3] : "a made-up voice");
    write_packets(out, (uint8_t)codec, pcm, count);
    free(pcm);
    if (fclose(out) != 0) {
        give_up(argv[2], "cannot be written");
    }
    return 0;
}
