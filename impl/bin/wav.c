#include "bin/wav.h"

#include <samplerate.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, SECONDS_MAX = 3600 };

struct wzp_wav_writer {
    SNDFILE *file;
    uint64_t written;
};

/* Channels are mixed down. */
static float *read_mono(SNDFILE *file, const SF_INFO *info) {
    const size_t channels = (size_t)info->channels;
    const size_t frames = (size_t)info->frames;
    float *all = malloc((frames * channels + 1) * sizeof *all);
    if (all == NULL || sf_readf_float(file, all, info->frames) != info->frames) {
        free(all);
        return NULL;
    }
    for (size_t i = 0; i < frames && channels > 1; i++) {
        float sum = 0;
        for (size_t c = 0; c < channels; c++) {
            sum += all[i * channels + c];
        }
        all[i] = sum / (float)channels;
    }
    return all;
}

static bool resample(float *in, size_t frames, int rate, int16_t **samples, size_t *count) {
    const double ratio = (double)RATE / rate;
    const size_t room = (size_t)((double)frames * ratio) + 16;
    float *out = malloc(room * sizeof *out);
    int16_t *pcm = malloc(room * sizeof *pcm);
    SRC_DATA data = {.data_in = in,
                     .data_out = out,
                     .input_frames = (long)frames,
                     .output_frames = (long)room,
                     .src_ratio = ratio};
    const bool ok =
        out != NULL && pcm != NULL && src_simple(&data, SRC_SINC_MEDIUM_QUALITY, 1) == 0;
    if (ok) {
        src_float_to_short_array(out, pcm, (int)data.output_frames_gen);
        *count = (size_t)data.output_frames_gen;
        *samples = pcm;
    } else {
        free(pcm);
    }
    free(out);
    return ok;
}

bool wzp_wav_read(const char *path, int16_t **samples, size_t *count, char why[256]) {
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    if (file == NULL) {
        snprintf(why, 256, "%.180s: %.60s", path, sf_strerror(NULL));
        return false;
    }
    bool ok = info.frames > 0 && info.channels >= 1 && info.channels <= 16 &&
              info.samplerate >= 4000 && info.samplerate <= 384000 &&
              info.frames / info.samplerate <= SECONDS_MAX;
    if (!ok) {
        snprintf(why, 256, "%.180s: expected sound of up to an hour, 4 to 384 kHz", path);
    } else {
        float *mono = read_mono(file, &info);
        ok = mono != NULL && resample(mono, (size_t)info.frames, info.samplerate, samples, count);
        free(mono);
        if (!ok) {
            snprintf(why, 256, "%.180s: the sound data ends too early", path);
        }
    }
    sf_close(file);
    return ok;
}

wzp_wav_writer *wzp_wav_create(const char *path, char why[256]) {
    SF_INFO info = {.samplerate = RATE, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    wzp_wav_writer *w = calloc(1, sizeof *w);
    if (w != NULL) {
        w->file = sf_open(path, SFM_WRITE, &info);
    }
    if (w == NULL || w->file == NULL) {
        snprintf(why, 256, "%.180s: %.60s", path, sf_strerror(NULL));
        free(w);
        return NULL;
    }
    return w;
}

bool wzp_wav_write_at(wzp_wav_writer *w, uint64_t at, const int16_t *samples, size_t count) {
    static const int16_t silence[4800];
    while (w->written < at) {
        const uint64_t gap = at - w->written;
        const sf_count_t n = (sf_count_t)(gap < 4800 ? gap : 4800);
        if (sf_write_short(w->file, silence, n) != n) {
            return false;
        }
        w->written += (uint64_t)n;
    }
    const uint64_t skip = w->written - at;
    if (skip >= count) {
        return true;
    }
    const sf_count_t n = (sf_count_t)(count - skip);
    w->written += (uint64_t)n;
    return sf_write_short(w->file, samples + skip, n) == n;
}

void wzp_wav_close(wzp_wav_writer **writer) {
    if (*writer != NULL) {
        sf_close((*writer)->file);
        free(*writer);
        *writer = NULL;
    }
}
