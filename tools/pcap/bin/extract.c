#include "tools/pcap/bin/extract.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/files.h"
#include "io/sys.h"
#include "io/wav.h"
#include "tools/pcap/bin/source.h"
#include "tools/pcap/bin/summary.h"
#include "tools/pcap/flow/flow.h"
#include "tools/pcap/media/sound.h"

/* One file: of a stream, and of a codec where it is video. */
typedef struct track {
    uint32_t stream;
    uint8_t codec;
    wzp_pcap_sound *sound;
    wzp_wav_out *wav;
    wzp_pcap_film *film;
    FILE *file;
    uint64_t end; /* of the sound, in samples */
    bool failed;
    char path[PATH_MAX];
} track;

typedef struct extraction {
    const wzp_pcap_extract *asked;
    wzp_pcap_flow *flow;
    track *tracks[WZP_PCAP_EXTRACT_MAX];
    size_t count;
    uint64_t media, written, no_room, sealed, failed;
    bool stopped; /* a file could not be made: said already */
} extraction;

/* --- files ------------------------------------------------------------------------------------ */

static void on_pcm(void *ctx, uint64_t position, const int16_t *pcm, size_t samples) {
    track *t = ctx;
    t->failed |= wzp_wav_write_at(t->wav, position, pcm, samples) != WZP_OK;
    t->end = position + samples;
}

static void on_film(void *ctx, wzp_bytes bytes) {
    track *t = ctx;
    t->failed |= fwrite(bytes.data, 1, bytes.len, t->file) != bytes.len;
}

static bool open_sound(track *t, const char *dir) {
    char why[WZP_WAV_WHY_MAX];
    (void)snprintf(t->path, sizeof t->path, "%s/stream-%u.wav", dir, t->stream);
    if (wzp_io_make_parents(t->path) != WZP_OK) {
        return wzp_pcap_complain("%s: %s", dir, wzp_io_reason(errno));
    }
    if (wzp_wav_create(&t->wav, t->path, why) != WZP_OK) {
        return wzp_pcap_complain("%s", why);
    }
    return wzp_pcap_sound_new(&t->sound, on_pcm, t) == WZP_OK || wzp_pcap_complain("no memory");
}

static bool open_film(track *t, const char *dir, wzp_pcap_film_form form) {
    const wzp_codec_info *codec = wzp_codec_find(t->codec);
    (void)snprintf(t->path, sizeof t->path, "%s/stream-%u-%s.%s", dir, t->stream, codec->name,
                   wzp_pcap_film_ending(form, t->codec));
    t->file = wzp_io_make_parents(t->path) == WZP_OK ? fopen(t->path, "wbe") : NULL;
    if (t->file == NULL) {
        return wzp_pcap_complain("%s: %s", t->path, wzp_io_reason(errno));
    }
    return wzp_pcap_film_new(&t->film, form, t->codec, on_film, t) == WZP_OK ||
           wzp_pcap_complain("no memory");
}

/* Frees; false: not everything was written. */
static bool close_track(track *t) {
    wzp_pcap_sound_free(&t->sound);
    wzp_pcap_film_free(&t->film);
    bool good = !t->failed;
    if (t->wav != NULL) {
        good = wzp_wav_finish(&t->wav) == WZP_OK && good;
    }
    if (t->file != NULL) {
        good = fclose(t->file) == 0 && good;
    }
    free(t);
    return good;
}

/* --- packets ---------------------------------------------------------------------------------- */

static track *find(extraction *x, uint32_t stream, const wzp_media_hdr *hdr) {
    const bool is_video = hdr->media_type == WZP_MEDIA_VIDEO;
    for (size_t i = 0; i < x->count; i++) {
        track *t = x->tracks[i];
        if (t->stream == stream && (t->film != NULL) == is_video &&
            (!is_video || t->codec == hdr->codec_id)) {
            return t;
        }
    }
    return NULL;
}

static track *add(extraction *x, uint32_t stream, const wzp_media_hdr *hdr) {
    const bool is_video = hdr->media_type == WZP_MEDIA_VIDEO;
    if (x->count == WZP_PCAP_EXTRACT_MAX) {
        x->no_room++;
        return NULL;
    }
    track *t = calloc(1, sizeof *t);
    if (t == NULL) {
        x->stopped = !wzp_pcap_complain("no memory");
        return NULL;
    }
    t->stream = stream;
    t->codec = hdr->codec_id;
    if (!(is_video ? open_film(t, x->asked->film_dir, x->asked->form)
                   : open_sound(t, x->asked->sound_dir))) {
        (void)close_track(t);
        x->stopped = true;
        return NULL;
    }
    x->tracks[x->count++] = t;
    return t;
}

/* Is a file of this kind asked for, and can there be one? */
static bool is_wanted(const extraction *x, const wzp_media_hdr *hdr) {
    const wzp_codec_info *codec = wzp_codec_find(hdr->codec_id);
    if (hdr->media_type == WZP_MEDIA_VIDEO) {
        return x->asked->film_dir != NULL && codec != NULL && codec->is_video;
    }
    return hdr->media_type == WZP_MEDIA_AUDIO && x->asked->sound_dir != NULL;
}

/* The payload in clear; false: it is not to be had. */
static bool open_payload(extraction *x, const wzp_pcap_media *media, wzp_media_packet *out) {
    *out = media->packet;
    if (media->seal == WZP_PCAP_SEAL_OPENED || media->seal == WZP_PCAP_SEAL_NONE) {
        out->payload = media->plain;
        return true;
    }
    const bool taken = media->seal == WZP_PCAP_SEAL_NO_KEY && x->asked->as_clear;
    x->sealed += taken ? 0 : 1;
    return taken;
}

static void on_message(void *ctx, const wzp_pcap_message *message) {
    extraction *x = ctx;
    wzp_media_packet packet;
    wzp_pcap_flow_take(x->flow, message);
    const uint32_t stream = wzp_pcap_flow_last(x->flow);
    if (message->kind != WZP_PCAP_MESSAGE_MEDIA || x->stopped ||
        !is_wanted(x, &message->media->packet.hdr)) {
        return;
    }
    x->media++;
    if (stream == 0 || !open_payload(x, message->media, &packet)) {
        return;
    }
    track *t = find(x, stream, &packet.hdr);
    t = t != NULL ? t : add(x, stream, &packet.hdr);
    if (t != NULL && t->sound != NULL) {
        wzp_pcap_sound_take(t->sound, &packet, message->time_ns);
    } else if (t != NULL) {
        wzp_pcap_film_take(t->film, &packet);
    }
}

static bool should_stop(void *ctx) {
    return ((extraction *)ctx)->stopped;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void say_sound(const track *t) {
    const wzp_pcap_sound_counters *c = wzp_pcap_sound_count(t->sound);
    printf("stream %u: %.3f s of sound, %llu packets, %llu brought back by repair packets; %.3f s "
           "lost and filled, %.3f s lost and silent, %.3f s of pauses; %llu twice, %llu late, %llu "
           "refused, %llu restarts: %s\n",
           t->stream, (double)t->end / WZP_AUDIO_RATE_HZ, (unsigned long long)c->played,
           (unsigned long long)c->repaired, (double)c->filled_ms / 1000,
           (double)c->silent_ms / 1000, (double)c->paused_ms / 1000,
           (unsigned long long)c->duplicates, (unsigned long long)c->late,
           (unsigned long long)c->refused, (unsigned long long)c->restarts, t->path);
}

static void say_film(const track *t) {
    const wzp_pcap_film_counters *c = wzp_pcap_film_count(t->film);
    const wzp_video_counters *f = wzp_pcap_film_frames(t->film);
    printf("stream %u: %llu frames, %llu key frames; %llu not whole, %llu before the first key "
           "frame, %llu late; %llu packets refused, %llu restarts: %s\n",
           t->stream, (unsigned long long)c->written, (unsigned long long)f->key_frames,
           (unsigned long long)f->given_up, (unsigned long long)c->before_key,
           (unsigned long long)c->late, (unsigned long long)c->refused,
           (unsigned long long)c->restarts, t->path);
}

/* Plays what waits, says what became of it, and closes the file. */
static void end_track(extraction *x, track *t, bool said) {
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", t->path);
    if (t->sound != NULL) {
        wzp_pcap_sound_end(t->sound);
        x->written += wzp_pcap_sound_count(t->sound)->played;
    } else {
        wzp_pcap_film_end(t->film);
        x->written += wzp_pcap_film_count(t->film)->written;
    }
    if (said && t->sound != NULL) {
        say_sound(t);
    } else if (said) {
        say_film(t);
    }
    if (!close_track(t)) {
        x->failed++;
        (void)wzp_pcap_complain("%s is not whole: %s", path, wzp_io_reason(errno));
    }
}

static int judge(const extraction *x) {
    if (x->sealed > 0) {
        (void)wzp_pcap_complain("%llu of %llu media packets have payloads without a key that fits: "
                                "give --media-keys, or --as-clear if they were never sealed",
                                (unsigned long long)x->sealed, (unsigned long long)x->media);
    }
    if (x->no_room > 0) {
        (void)wzp_pcap_complain("%llu packets belong to streams beyond the first %d: left out",
                                (unsigned long long)x->no_room, WZP_PCAP_EXTRACT_MAX);
    }
    if (x->failed > 0 || x->stopped) {
        return EXIT_UNREADABLE;
    }
    return x->media > 0 && x->written == 0 ? EXIT_FINDINGS : EXIT_GOOD;
}

static int extract(extraction *x, const wzp_pcap_options *options, wzp_pcap_source *source) {
    int status = wzp_pcap_source_keys(options, source->decoder);
    if (status == -1) {
        status = wzp_pcap_source_run(source, options->args[0]);
    }
    for (size_t i = 0; i < x->count; i++) {
        end_track(x, x->tracks[i], !options->quiet);
    }
    if (status == -1 && !options->quiet) {
        wzp_pcap_summary(stderr, source);
    }
    return status == -1 ? judge(x) : status;
}

int wzp_pcap_extract_run(const wzp_pcap_extract *asked, const wzp_pcap_options *options) {
    extraction *x = calloc(1, sizeof *x);
    wzp_pcap_source source = {.options = options, .stop = should_stop, .ctx = x};
    const wzp_pcap_decoder_cfg cfg = {
        .sink = on_message, .sink_ctx = x, .legacy_nonce = options->legacy_nonce};
    int status = EXIT_UNREADABLE;
    if (x != NULL && wzp_pcap_flow_new(&x->flow, 0) == WZP_OK &&
        wzp_pcap_decoder_new(&source.decoder, &cfg) == WZP_OK) {
        x->asked = asked;
        status = extract(x, options, &source);
    } else {
        (void)wzp_pcap_complain("no memory");
    }
    wzp_pcap_decoder_free(&source.decoder);
    if (x != NULL) {
        wzp_pcap_flow_free(&x->flow);
    }
    free(x);
    return status;
}
