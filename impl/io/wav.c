#include "io/wav.h"

#include <stdio.h>

#if defined(WZP_HAVE_SNDFILE) && defined(WZP_HAVE_SAMPLERATE)

#include <math.h>
#include <samplerate.h>
#include <sndfile.h>
#include <stdlib.h>

enum { BLOCK = 1024, CHANNELS_MAX = 16, RATE_MIN = 4000, RATE_MAX = 384000 };

struct wzp_wav_in {
    SNDFILE *file;
    SF_INFO info;
    SRC_STATE *resampler; /* NULL: the file has our rate */
    float interleaved[BLOCK * CHANNELS_MAX];
    float mono[BLOCK];
    float resampled[BLOCK];
};

struct wzp_wav_out {
    SNDFILE *file;
    uint64_t wanted, written;
};

/* --- reading
 * -------------------------------------------------------------------------------------- */

static size_t read_mono(wzp_wav_in *w, float *out, size_t frames) {
    const int channels = w->info.channels;
    const sf_count_t n = sf_readf_float(w->file, w->interleaved, (sf_count_t)frames);
    for (sf_count_t i = 0; i < n; i++) {
        float sum = 0;
        for (int c = 0; c < channels; c++) {
            const float x = w->interleaved[i * channels + c];
            sum += isfinite(x) ? x : 0; /* files of floats may hold anything */
        }
        out[i] = sum / (float)channels;
    }
    return n > 0 ? (size_t)n : 0;
}

static long feed_resampler(void *ctx, float **data) {
    wzp_wav_in *w = ctx;
    *data = w->mono;
    return (long)read_mono(w, w->mono, BLOCK);
}

static int16_t to_int16(float x) {
    const long value = lrintf(fmaxf(-2, fminf(2, x)) * 32768);
    return (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
}

size_t wzp_wav_read(wzp_wav_in *w, int16_t *pcm, size_t samples) {
    const double ratio = (double)WZP_WAV_RATE_HZ / w->info.samplerate;
    size_t done = 0;
    while (done < samples) {
        const size_t want = samples - done < BLOCK ? samples - done : BLOCK;
        size_t got = 0;
        if (w->resampler == NULL) {
            got = read_mono(w, w->resampled, want);
        } else {
            const long n = src_callback_read(w->resampler, ratio, (long)want, w->resampled);
            got = n > 0 ? (size_t)n : 0;
        }
        if (got == 0) {
            break;
        }
        for (size_t i = 0; i < got; i++) {
            pcm[done++] = to_int16(w->resampled[i]);
        }
    }
    return done;
}

uint64_t wzp_wav_samples(const wzp_wav_in *w) {
    const double seconds = (double)w->info.frames / w->info.samplerate;
    return (uint64_t)(seconds * WZP_WAV_RATE_HZ + 0.5);
}

/* --- opening
 * -------------------------------------------------------------------------------------- */

static wzp_err refuse(wzp_err err, char *why, const char *path, const char *what) {
    snprintf(why, WZP_WAV_WHY_MAX, "%s: %s", path, what);
    return err;
}

static wzp_err check_shape(const wzp_wav_in *w, const char *path, char *why) {
    char what[128];
    if (w->info.channels < 1 || w->info.channels > CHANNELS_MAX) {
        snprintf(what, sizeof what, "expected 1 to %d channels, found %d", CHANNELS_MAX,
                 w->info.channels);
        return refuse(WZP_ERR_PARSE, why, path, what);
    }
    if (w->info.samplerate < RATE_MIN || w->info.samplerate > RATE_MAX) {
        snprintf(what, sizeof what, "expected a sample rate of %d to %d Hz, found %d", RATE_MIN,
                 RATE_MAX, w->info.samplerate);
        return refuse(WZP_ERR_PARSE, why, path, what);
    }
    return WZP_OK;
}

static wzp_err open_file(wzp_wav_in *w, const char *path, char *why) {
    char what[256];
    w->file = sf_open(path, SFM_READ, &w->info);
    if (w->file == NULL) {
        const bool from_system = sf_error(NULL) == SF_ERR_SYSTEM;
        snprintf(what, sizeof what, "expected a sound file (WAV, FLAC ...): %s", sf_strerror(NULL));
        return refuse(from_system ? WZP_ERR_IO : WZP_ERR_PARSE, why, path, what);
    }
    return check_shape(w, path, why);
}

wzp_err wzp_wav_open(wzp_wav_in **out, const char *path, char why[WZP_WAV_WHY_MAX]) {
    int error = 0;
    wzp_wav_in *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return refuse(WZP_ERR_NOMEM, why, path, "out of memory");
    }
    wzp_err err = open_file(w, path, why);
    if (err == WZP_OK && w->info.samplerate != WZP_WAV_RATE_HZ) {
        w->resampler = src_callback_new(feed_resampler, SRC_SINC_MEDIUM_QUALITY, 1, &error, w);
        if (w->resampler == NULL) {
            err = refuse(WZP_ERR_NOMEM, why, path, src_strerror(error));
        }
    }
    if (err != WZP_OK) {
        wzp_wav_close(&w);
        return err;
    }
    *out = w;
    return WZP_OK;
}

void wzp_wav_close(wzp_wav_in **wav) {
    if (*wav == NULL) {
        return;
    }
    if ((*wav)->resampler != NULL) {
        src_delete((*wav)->resampler);
    }
    if ((*wav)->file != NULL) {
        sf_close((*wav)->file);
    }
    free(*wav);
    *wav = NULL;
}

/* --- writing
 * -------------------------------------------------------------------------------------- */

wzp_err wzp_wav_create(wzp_wav_out **out, const char *path, char why[WZP_WAV_WHY_MAX]) {
    SF_INFO info = {
        .samplerate = WZP_WAV_RATE_HZ, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    wzp_wav_out *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return refuse(WZP_ERR_NOMEM, why, path, "out of memory");
    }
    w->file = sf_open(path, SFM_WRITE, &info);
    if (w->file == NULL) {
        free(w);
        char what[256];
        snprintf(what, sizeof what, "cannot be written: %s", sf_strerror(NULL));
        return refuse(WZP_ERR_IO, why, path, what);
    }
    *out = w;
    return WZP_OK;
}

void wzp_wav_write(wzp_wav_out *w, const int16_t *pcm, size_t samples) {
    const sf_count_t n = sf_writef_short(w->file, pcm, (sf_count_t)samples);
    w->wanted += samples;
    w->written += n > 0 ? (uint64_t)n : 0;
}

wzp_err wzp_wav_finish(wzp_wav_out **wav) {
    if (*wav == NULL) {
        return WZP_OK;
    }
    const bool whole = (*wav)->written == (*wav)->wanted;
    const bool closed = sf_close((*wav)->file) == 0;
    free(*wav);
    *wav = NULL;
    return whole && closed ? WZP_OK : WZP_ERR_IO;
}

#else

static wzp_err refuse(char *why, const char *path) {
    snprintf(why, WZP_WAV_WHY_MAX,
             "%s: this build has no sound files (it was made without libsndfile or libsamplerate)",
             path);
    return WZP_ERR_IO;
}

wzp_err wzp_wav_open(wzp_wav_in **out, const char *path, char why[WZP_WAV_WHY_MAX]) {
    (void)out;
    return refuse(why, path);
}

size_t wzp_wav_read(wzp_wav_in *wav, int16_t *pcm, size_t samples) {
    (void)wav;
    (void)pcm;
    (void)samples;
    return 0;
}

uint64_t wzp_wav_samples(const wzp_wav_in *wav) {
    (void)wav;
    return 0;
}

void wzp_wav_close(wzp_wav_in **wav) {
    *wav = NULL;
}

wzp_err wzp_wav_create(wzp_wav_out **out, const char *path, char why[WZP_WAV_WHY_MAX]) {
    (void)out;
    return refuse(why, path);
}

void wzp_wav_write(wzp_wav_out *wav, const int16_t *pcm, size_t samples) {
    (void)wav;
    (void)pcm;
    (void)samples;
}

wzp_err wzp_wav_finish(wzp_wav_out **wav) {
    *wav = NULL;
    return WZP_OK;
}

#endif
