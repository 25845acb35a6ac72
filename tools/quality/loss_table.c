/* What protects speech from loss, as a table in Markdown: the one in docs/MEDIA.md.
 *
 *     loss_table [SEED [SPEECH.wav [PERCENT]]]
 *
 * Without a file, of a made-up voice; with PERCENT, the rows of that loss only.  Same seed, same
 * table. */
#include <stdio.h>
#include <stdlib.h>

#include "io/wav.h"
#include "media/audio.h"
#include "media/testing/voice.h"
#include "tools/quality/loss.h"

enum { SECONDS = 60, MEAN_BURST = 3 };

static const struct way {
    const char *name;
    wzp_loss_cfg cfg;
} ways[] = {
    {"Opus 24k, concealment only", {.codec = WZP_CODEC_OPUS_24K}},
    {"Opus 24k, DRED as at the start, playout adaptive",
     {.codec = WZP_CODEC_OPUS_24K, .dred = true}},
    {"Opus 24k, DRED tuned, playout adaptive",
     {.codec = WZP_CODEC_OPUS_24K, .dred = true, .tuned = true}},
    {"Opus 24k, DRED tuned, playout 160 ms",
     {.codec = WZP_CODEC_OPUS_24K, .dred = true, .tuned = true, .playout_ms = 160}},
    {"Opus 32k, DRED tuned, playout 160 ms",
     {.codec = WZP_CODEC_OPUS_32K, .dred = true, .tuned = true, .playout_ms = 160}},
    {"Codec2 3200, nothing", {.codec = WZP_CODEC_CODEC2_3200}},
    {"Codec2 3200, RaptorQ, playout 160 ms",
     {.codec = WZP_CODEC_CODEC2_3200, .fec = true, .playout_ms = 160}},
    {"Codec2 1200, nothing", {.codec = WZP_CODEC_CODEC2_1200}},
    {"Codec2 1200, RaptorQ, playout 400 ms",
     {.codec = WZP_CODEC_CODEC2_1200, .fec = true, .playout_ms = 400}},
};

static const uint32_t losses_percent[] = {0, 5, 10, 20, 30};

static void give_up(const char *what) {
    (void)fprintf(stderr, "loss_table: %s\n", what);
    _Exit(1);
}

static int16_t *read_speech(const char *path, size_t *len) {
    int16_t *pcm = NULL;
    char why[WZP_WAV_WHY_MAX];
    if (path != NULL) {
        if (wzp_wav_read(&pcm, len, path, why) != WZP_OK) {
            give_up(why);
        }
        return pcm;
    }
    *len = (size_t)SECONDS * WZP_AUDIO_RATE_HZ;
    pcm = malloc(*len * sizeof *pcm);
    if (pcm == NULL) {
        give_up("out of memory");
    }
    wzp_voice_speak(pcm, *len);
    return pcm;
}

static void print_row(const struct way *way, uint32_t percent, uint64_t seed, const int16_t *pcm,
                      size_t len) {
    wzp_loss_cfg cfg = way->cfg;
    wzp_loss_result r;
    cfg.loss_ppm = percent * 10000;
    cfg.mean_burst = MEAN_BURST;
    cfg.seed = seed;
    if (wzp_loss_run(&r, &cfg, pcm, len) != WZP_OK) {
        give_up("this speech cannot be used");
    }
    const double frames = (double)r.frames / 100;
    printf("| %u %% | %s | %.1f %% | %.1f %% | %.1f %% | %u ms | %.2f | %.1f | %.3f | %.1f |\n",
           percent, way->name, (double)r.lost / frames, (double)r.rebuilt / frames,
           (double)r.concealed / frames, r.longest_ms, r.quality.lsd_db, r.quality.lsd_worst_db,
           r.quality.stoi, r.quality.snr_seg_db);
}

int main(int argc, char **argv) {
    size_t len = 0;
    const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    const uint64_t only = argc > 3 ? strtoull(argv[3], NULL, 10) : UINT64_MAX;
    int16_t *pcm = read_speech(argc > 2 ? argv[2] : NULL, &len);
    printf(
        "| loss | protection | lost | rebuilt | concealed | longest gap | LSD dB | worst tenth | "
        "STOI | SNR dB |\n|---|---|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < WZP_COUNT_OF(losses_percent); i++) {
        for (size_t k = 0; k < WZP_COUNT_OF(ways); k++) {
            const bool is_idle = losses_percent[i] == 0 && (ways[k].cfg.dred || ways[k].cfg.fec);
            const bool is_wanted = only == UINT64_MAX || only == losses_percent[i];
            if (wzp_audio_is_codec(ways[k].cfg.codec) && !is_idle && is_wanted) {
                print_row(&ways[k], losses_percent[i], seed, pcm, len);
            }
        }
    }
    free(pcm);
    return 0;
}
