#include "io/wav.h"

#include <stdio.h>

#if defined(WZP_HAVE_SNDFILE) && defined(WZP_HAVE_SAMPLERATE)

#include <math.h>
#include <samplerate.h>
#include <sndfile.h>
#include <stdlib.h>
#include <strings.h>

#include "io/riff.h"

enum { BLOCK = 1024, WAV_HEAD = 128, CHANNELS_MAX = 16, RATE_MIN = 4000, RATE_MAX = 384000 };

typedef struct reader {
    SNDFILE *file;
    SF_INFO info;
    SRC_STATE *resampler; /* NULL: the file has our rate */
    float interleaved[BLOCK * CHANNELS_MAX];
    float mono[BLOCK];
} reader;

struct wzp_wav_out {
    SNDFILE *file;
    size_t channels;
    uint64_t written; /* samples of each channel */
    bool failed;
};

static wzp_err refuse(wzp_err err, char *why, const char *path, const char *what) {
    (void)snprintf(why, WZP_WAV_WHY_MAX, "%s: %s", path, what);
    return err;
}

/* --- reading ---------------------------------------------------------------------------------- */

static size_t read_mono(reader *r, float *out, size_t frames) {
    const int channels = r->info.channels;
    const sf_count_t n = sf_readf_float(r->file, r->interleaved, (sf_count_t)frames);
    for (sf_count_t i = 0; i < n; i++) {
        float sum = 0;
        for (int c = 0; c < channels; c++) {
            const float x = r->interleaved[i * channels + c];
            sum += isfinite(x) ? x : 0; /* files of floats may hold anything */
        }
        out[i] = sum / (float)channels;
    }
    return n > 0 ? (size_t)n : 0;
}

static long feed_resampler(void *ctx, float **data) {
    reader *r = ctx;
    *data = r->mono;
    return (long)read_mono(r, r->mono, BLOCK);
}

static int16_t to_int16(float x) {
    const long value = lrintf(fmaxf(-2, fminf(2, x)) * 32768);
    return (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
}

/* The next samples at our rate, at most BLOCK; 0 at the end. */
static size_t read_block(reader *r, float out[BLOCK]) {
    if (r->resampler == NULL) {
        return read_mono(r, out, BLOCK);
    }
    const double ratio = (double)WZP_WAV_RATE_HZ / r->info.samplerate;
    const long n = src_callback_read(r->resampler, ratio, BLOCK, out);
    return n > 0 ? (size_t)n : 0;
}

/* --- opening ---------------------------------------------------------------------------------- */

static wzp_err check_shape(const reader *r, const char *path, char *why) {
    char what[128];
    if (r->info.channels < 1 || r->info.channels > CHANNELS_MAX) {
        (void)snprintf(what, sizeof what, "expected 1 to %d channels, found %d", CHANNELS_MAX,
                       r->info.channels);
        return refuse(WZP_ERR_PARSE, why, path, what);
    }
    if (r->info.samplerate < RATE_MIN || r->info.samplerate > RATE_MAX) {
        (void)snprintf(what, sizeof what, "expected a sample rate of %d to %d Hz, found %d",
                       RATE_MIN, RATE_MAX, r->info.samplerate);
        return refuse(WZP_ERR_PARSE, why, path, what);
    }
    return WZP_OK;
}

/* libsndfile's own words, or better ones for what begins like a WAV file or is called one. */
static void say_why(char what[256], const char *path) {
    enum { HEAD = 1 << 16, SHORTEST = 12 };
    char fault[WZP_RIFF_WHY_MAX];
    uint8_t *head = malloc(HEAD);
    FILE *file = head != NULL ? fopen(path, "rbe") : NULL;
    (void)snprintf(what, 256, "expected a sound file (WAV, FLAC ...): %s", sf_strerror(NULL));
    if (file != NULL) {
        const size_t n = fread(head, 1, HEAD, file);
        const char *dot = strrchr(path, '.');
        const bool is_named = dot != NULL && strcasecmp(dot, ".wav") == 0;
        const bool is_riff = n >= SHORTEST && memcmp(head, "RIFF", 4) == 0;
        const long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
        if ((is_named || is_riff) && size >= 0 &&
            wzp_riff_fault(wzp_bytes_of(head, n), (uint64_t)size, fault)) {
            (void)snprintf(what, 256, "expected a sound file: %s", fault);
        }
        (void)fclose(file);
    }
    free(head);
}

static wzp_err open_file(reader *r, const char *path, char *why) {
    char what[256];
    r->file = sf_open(path, SFM_READ, &r->info);
    if (r->file == NULL) {
        const bool from_system = sf_error(NULL) == SF_ERR_SYSTEM;
        say_why(what, path);
        return refuse(from_system ? WZP_ERR_IO : WZP_ERR_PARSE, why, path, what);
    }
    return check_shape(r, path, why);
}

static wzp_err open_resampler(reader *r, const char *path, char *why) {
    int error = 0;
    if (r->info.samplerate == WZP_WAV_RATE_HZ) {
        return WZP_OK;
    }
    r->resampler = src_callback_new(feed_resampler, SRC_SINC_MEDIUM_QUALITY, 1, &error, r);
    return r->resampler != NULL ? WZP_OK : refuse(WZP_ERR_NOMEM, why, path, src_strerror(error));
}

static void close_reader(reader *r) {
    if (r->resampler != NULL) {
        src_delete(r->resampler);
    }
    if (r->file != NULL) {
        sf_close(r->file);
    }
    free(r);
}

/* --- the whole file --------------------------------------------------------------------------- */

/* Grows with what is really there, whatever the file's head claims. */
typedef struct sound {
    int16_t *samples;
    size_t count, cap;
} sound;

static bool append(sound *s, const float *block, size_t n) {
    if (s->cap - s->count < n) {
        const size_t cap = s->cap == 0 ? (size_t)64 * BLOCK : 2 * s->cap;
        int16_t *samples = realloc(s->samples, cap * sizeof *samples);
        if (samples == NULL) {
            return false;
        }
        s->samples = samples;
        s->cap = cap;
    }
    for (size_t i = 0; i < n; i++) {
        s->samples[s->count++] = to_int16(block[i]);
    }
    return true;
}

static wzp_err read_all(sound *s, reader *r, const char *path, char *why) {
    float block[BLOCK];
    for (size_t n; (n = read_block(r, block)) > 0;) {
        if (s->count + n > WZP_WAV_SAMPLES_MAX) {
            return refuse(WZP_ERR_PARSE, why, path, "expected at most an hour of sound");
        }
        if (!append(s, block, n)) {
            return refuse(WZP_ERR_NOMEM, why, path, "out of memory");
        }
    }
    return s->count > 0 ? WZP_OK : refuse(WZP_ERR_PARSE, why, path, "expected sound, it has none");
}

wzp_err wzp_wav_read(int16_t **samples, size_t *count, const char *path,
                     char why[WZP_WAV_WHY_MAX]) {
    sound s = {NULL, 0, 0};
    reader *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return refuse(WZP_ERR_NOMEM, why, path, "out of memory");
    }
    wzp_err err = open_file(r, path, why);
    err = err != WZP_OK ? err : open_resampler(r, path, why);
    err = err != WZP_OK ? err : read_all(&s, r, path, why);
    close_reader(r);
    if (err != WZP_OK) {
        free(s.samples);
        return err;
    }
    *samples = s.samples;
    *count = s.count;
    return WZP_OK;
}

/* --- writing ---------------------------------------------------------------------------------- */

static wzp_err create(wzp_wav_out **out, int channels, const char *path, char *why) {
    SF_INFO info = {.samplerate = WZP_WAV_RATE_HZ,
                    .channels = channels,
                    .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    wzp_wav_out *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return refuse(WZP_ERR_NOMEM, why, path, "out of memory");
    }
    w->file = sf_open(path, SFM_WRITE, &info);
    if (w->file == NULL) {
        free(w);
        char what[256];
        (void)snprintf(what, sizeof what, "cannot be written: %s", sf_strerror(NULL));
        return refuse(WZP_ERR_IO, why, path, what);
    }
    w->channels = (size_t)channels;
    *out = w;
    return WZP_OK;
}

wzp_err wzp_wav_create(wzp_wav_out **out, const char *path, char why[WZP_WAV_WHY_MAX]) {
    return create(out, 1, path, why);
}

wzp_err wzp_wav_create_stereo(wzp_wav_out **out, const char *path, char why[WZP_WAV_WHY_MAX]) {
    return create(out, 2, path, why);
}

static bool write_samples(wzp_wav_out *w, const int16_t *pcm, size_t n) {
    const sf_count_t written = sf_writef_short(w->file, pcm, (sf_count_t)n);
    w->written += written > 0 ? (uint64_t)written : 0;
    w->failed = w->failed || written != (sf_count_t)n;
    return !w->failed;
}

wzp_err wzp_wav_write_at(wzp_wav_out *w, uint64_t position, const int16_t *pcm, size_t samples) {
    static const int16_t silence[2 * BLOCK];
    const uint64_t most = (UINT32_MAX - WAV_HEAD) / (w->channels * sizeof *pcm);
    if (position > most || samples > most - position) {
        w->failed = true;
        return WZP_ERR_IO;
    }
    while (w->written < position) {
        const uint64_t gap = position - w->written;
        if (!write_samples(w, silence, gap < BLOCK ? (size_t)gap : BLOCK)) {
            return WZP_ERR_IO;
        }
    }
    const uint64_t known = w->written - position;
    if (known >= samples) {
        return WZP_OK;
    }
    return write_samples(w, pcm + known * w->channels, samples - (size_t)known) ? WZP_OK
                                                                                : WZP_ERR_IO;
}

wzp_err wzp_wav_finish(wzp_wav_out **wav) {
    if (*wav == NULL) {
        return WZP_OK;
    }
    const bool whole = !(*wav)->failed;
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

wzp_err wzp_wav_read(int16_t **samples, size_t *count, const char *path,
                     char why[WZP_WAV_WHY_MAX]) {
    (void)samples;
    (void)count;
    return refuse(why, path);
}

wzp_err wzp_wav_create(wzp_wav_out **out, const char *path, char why[WZP_WAV_WHY_MAX]) {
    (void)out;
    return refuse(why, path);
}

wzp_err wzp_wav_create_stereo(wzp_wav_out **out, const char *path, char why[WZP_WAV_WHY_MAX]) {
    (void)out;
    return refuse(why, path);
}

wzp_err wzp_wav_write_at(wzp_wav_out *wav, uint64_t position, const int16_t *pcm, size_t samples) {
    (void)wav;
    (void)position;
    (void)pcm;
    (void)samples;
    return WZP_ERR_IO;
}

wzp_err wzp_wav_finish(wzp_wav_out **wav) {
    *wav = NULL;
    return WZP_OK;
}

#endif
