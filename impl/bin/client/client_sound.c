#include "bin/client/client_sound.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bin/client/client_output.h"
#include "io/sys.h"
#include "io/wav.h"

enum { SENDERS = 33, BLOCK = 4096, MIX_MAX = 5760 };

bool wzp_client_is_raw(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot != NULL && (strcmp(dot, ".raw") == 0 || strcmp(dot, ".pcm") == 0);
}

static bool complain(const char *path, const char *why) {
    wzp_client_say("wzp-client: %s: %s\n", path, why);
    return false;
}

/* --- samples without a head ------------------------------------------------------------------- */

static void to_bytes(uint8_t *out, const int16_t *pcm, size_t n) {
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = (uint8_t)((uint16_t)pcm[i] & 0xff);
        out[2 * i + 1] = (uint8_t)((uint16_t)pcm[i] >> 8);
    }
}

static void from_bytes(int16_t *pcm, const uint8_t *in, size_t n) {
    for (size_t i = 0; i < n; i++) {
        pcm[i] = (int16_t)(uint16_t)(in[2 * i] | in[2 * i + 1] << 8);
    }
}

/* NULL, or what is wrong. */
static const char *read_samples(FILE *f, wzp_mouth *m) {
    uint8_t block[BLOCK];
    size_t cap = 0;
    size_t n = 0;
    while ((n = fread(block, 1, sizeof block, f)) > 0) {
        if (n % 2 != 0) {
            return "an odd number of bytes; expected 48 kHz mono, 16 bits, little endian";
        }
        if (m->len + n / 2 > WZP_WAV_SAMPLES_MAX) {
            return "longer than an hour";
        }
        if (m->len + n / 2 > cap) {
            cap = 2 * cap + BLOCK;
            int16_t *more = realloc(m->pcm, cap * sizeof *more);
            if (more == NULL) {
                return "out of memory";
            }
            m->pcm = more;
        }
        from_bytes(m->pcm + m->len, block, n / 2);
        m->len += n / 2;
    }
    return ferror(f) != 0 ? wzp_io_reason(errno) : m->len == 0 ? "no sound in it" : NULL;
}

static bool read_raw(wzp_mouth *m, const char *path) {
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return complain(path, wzp_io_reason(errno));
    }
    const char *why = read_samples(f, m);
    (void)fclose(f);
    return why == NULL || complain(path, why);
}

/* --- mouth ------------------------------------------------------------------------------------ */

bool wzp_mouth_open(wzp_mouth *m, const char *path) {
    char why[WZP_WAV_WHY_MAX];
    if (wzp_client_is_raw(path)) {
        return read_raw(m, path);
    }
    if (wzp_wav_read(&m->pcm, &m->len, path, why) != WZP_OK) {
        wzp_client_say("wzp-client: %s\n", why);
        return false;
    }
    return true;
}

void wzp_mouth_say(wzp_mouth *m, int16_t *pcm, size_t samples) {
    for (size_t i = 0; i < samples; i++) {
        const uint64_t at = m->position + i;
        pcm[i] = 0;
        if (m->pcm != NULL) {
            pcm[i] = (int16_t)(at < m->len ? m->pcm[at] : 0);
        } else if (m->tone_hz > 0 && (m->tone_end == 0 || at < m->tone_end)) {
            const double t = (double)(at % (WZP_CLIENT_RATE * 1000ULL)) / WZP_CLIENT_RATE;
            pcm[i] = (int16_t)(8000.0 * sin(t * m->tone_hz * 6.283185307179586));
        }
    }
    m->position += samples;
}

void wzp_mouth_close(wzp_mouth *m) {
    free(m->pcm);
    *m = (wzp_mouth){0};
}

/* --- ears ------------------------------------------------------------------------------------- */

/* In one file everybody is where a listener hears them: since the first of them was. */
struct wzp_ears {
    const char *path;
    wzp_wav_out *writers[SENDERS];
    FILE *raw;
    wzp_time began;
    uint64_t start[SENDERS]; /* samples into the raw file at which a sender begins */
    bool heard[SENDERS], failed;
};

bool wzp_ears_open(wzp_ears **out, const char *path) {
    wzp_ears *e = calloc(1, sizeof *e);
    if (e == NULL) {
        return complain(path, "out of memory");
    }
    e->path = path;
    const bool raw = wzp_client_is_raw(path);
    e->raw = raw ? fopen(path, "wb+") : NULL;
    if (raw ? e->raw == NULL : mkdir(path, 0777) != 0 && errno != EEXIST) {
        (void)complain(path, wzp_io_reason(errno));
        free(e);
        return false;
    }
    *out = e;
    return true;
}

static void hear_one(wzp_ears *e, const wzp_client_event *ev) {
    char path[600];
    char why[WZP_WAV_WHY_MAX];
    wzp_wav_out **writer = &e->writers[ev->track];
    if (*writer == NULL) {
        (void)snprintf(path, sizeof path, "%s/sender-%u.wav", e->path, ev->track);
        if (wzp_wav_create(writer, path, why) != WZP_OK) {
            wzp_client_say("wzp-client: %s\n", why);
            return;
        }
    }
    if (wzp_wav_write_at(*writer, ev->at_sample, ev->pcm, ev->samples) != WZP_OK) {
        wzp_client_say("wzp-client: the recording of sender %u is full\n", ev->track);
    }
}

/* Adds to what is there: others may have been heard at the same time. */
static bool mix(FILE *f, uint64_t at, const int16_t *pcm, size_t samples) {
    uint8_t bytes[2 * MIX_MAX];
    int16_t there[MIX_MAX] = {0};
    if (fseeko(f, (off_t)(2 * at), SEEK_SET) != 0) {
        return false;
    }
    from_bytes(there, bytes, fread(bytes, 2, samples, f));
    for (size_t i = 0; i < samples; i++) {
        const int32_t sum = there[i] + pcm[i];
        there[i] = (int16_t)(sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum);
    }
    to_bytes(bytes, there, samples);
    return fseeko(f, (off_t)(2 * at), SEEK_SET) == 0 && fwrite(bytes, 2, samples, f) == samples;
}

static void hear_all(wzp_ears *e, const wzp_client_event *ev, wzp_time now) {
    const uint32_t who = ev->track;
    if (e->began == 0) {
        e->began = now;
    }
    if (!e->heard[who]) {
        e->heard[who] = true;
        e->start[who] = (now - e->began) / WZP_MS * (WZP_CLIENT_RATE / 1000);
    }
    if (!mix(e->raw, e->start[who] + ev->at_sample, ev->pcm, ev->samples)) {
        e->failed = true;
    }
}

void wzp_ears_hear(wzp_ears *e, const wzp_client_event *ev, wzp_time now) {
    if (e == NULL || ev->track >= SENDERS || ev->samples > MIX_MAX) {
        return;
    }
    if (e->raw != NULL) {
        hear_all(e, ev, now);
    } else {
        hear_one(e, ev);
    }
}

void wzp_ears_close(wzp_ears **ears) {
    wzp_ears *e = *ears;
    if (e == NULL) {
        return;
    }
    for (size_t i = 0; i < SENDERS; i++) {
        if (wzp_wav_finish(&e->writers[i]) != WZP_OK) {
            wzp_client_say("wzp-client: the recording of sender %zu is not complete\n", i);
        }
    }
    if (e->raw != NULL && (fclose(e->raw) != 0 || e->failed)) {
        (void)complain(e->path, "the recording is not complete");
    }
    free(e);
    *ears = NULL;
}
