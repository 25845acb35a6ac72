#include "tools/pcap/media/film.h"

#include <stdlib.h>

#include "video/bitstream.h"

typedef struct waiting {
    int64_t at_ms; /* extended */
    bool is_key;
    uint16_t width, height;
    uint8_t *data;
    size_t len;
} waiting;

struct wzp_pcap_film {
    wzp_pcap_film_form form;
    uint8_t codec;
    wzp_pcap_film_sink *sink;
    void *ctx;
    wzp_video_frames *frames;
    waiting window[WZP_PCAP_FILM_WINDOW + 1]; /* by time, the earliest first */
    size_t count;
    bool is_open, has_key; /* a frame was whole; one was written */
    bool is_again;         /* the sender has started anew after that */
    int64_t highest_ms, written_ms, first_ms;
    wzp_pcap_film_counters counters;
};

static const struct kind {
    uint8_t codec;
    const char *ending, *fourcc;
} kinds[] = {
    {WZP_CODEC_H264_BASELINE, "h264", "H264"},
    {WZP_CODEC_H265_MAIN, "h265", "HEVC"},
    {WZP_CODEC_AV1_MAIN, "obu", "AV01"},
};

static const struct kind *kind_of(uint8_t codec) {
    for (size_t i = 0; i < WZP_COUNT_OF(kinds); i++) {
        if (kinds[i].codec == codec) {
            return &kinds[i];
        }
    }
    return NULL;
}

const char *wzp_pcap_film_ending(wzp_pcap_film_form form, uint8_t codec) {
    const struct kind *kind = kind_of(codec);
    if (kind == NULL) {
        return NULL;
    }
    return form == WZP_PCAP_FILM_IVF ? "ivf" : kind->ending;
}

wzp_err wzp_pcap_film_new(wzp_pcap_film **out, wzp_pcap_film_form form, uint8_t codec,
                          wzp_pcap_film_sink *sink, void *ctx) {
    if (kind_of(codec) == NULL) {
        return WZP_ERR_CODEC;
    }
    wzp_pcap_film *film = calloc(1, sizeof *film);
    if (film == NULL || wzp_video_frames_new(&film->frames) != WZP_OK) {
        free(film);
        return WZP_ERR_NOMEM;
    }
    film->form = form;
    film->codec = codec;
    film->sink = sink;
    film->ctx = ctx;
    *out = film;
    return WZP_OK;
}

void wzp_pcap_film_free(wzp_pcap_film **film) {
    if (*film == NULL) {
        return;
    }
    for (size_t i = 0; i < (*film)->count; i++) {
        free((*film)->window[i].data);
    }
    wzp_video_frames_free(&(*film)->frames);
    free(*film);
    *film = NULL;
}

const wzp_pcap_film_counters *wzp_pcap_film_count(const wzp_pcap_film *film) {
    return &film->counters;
}

const wzp_video_counters *wzp_pcap_film_frames(const wzp_pcap_film *film) {
    return wzp_video_frames_count(film->frames);
}

/* --- the file --------------------------------------------------------------------------------- */

static void le(uint8_t *out, uint64_t value, size_t len) {
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(value >> (8 * i));
    }
}

/* IVF: all numbers little-endian; a head of 32 bytes, then 12 bytes in front of each frame. */
static void write_ivf_head(wzp_pcap_film *film, const waiting *w) {
    uint8_t head[32] = "DKIF";
    le(head + 6, sizeof head, 2);
    memcpy(head + 8, kind_of(film->codec)->fourcc, 4);
    le(head + 12, w->width, 2);
    le(head + 14, w->height, 2);
    le(head + 16, 1000, 4); /* units in a second */
    le(head + 20, 1, 4);
    film->sink(film->ctx, wzp_bytes_of(head, sizeof head));
}

/* What a player needs in front of a frame that lacks it. */
static wzp_bytes lead_in(const wzp_pcap_film *film, wzp_bytes frame) {
    static const uint8_t delimiter[] = {0x12, 0x00};
    static const uint8_t start_code[] = {0, 0, 0, 1};
    wzp_obu obu;
    size_t at = 0;
    if (film->codec != WZP_CODEC_AV1_MAIN) {
        return wzp_annexb_starts(frame) ? (wzp_bytes){0}
                                        : wzp_bytes_of(start_code, sizeof start_code);
    }
    const bool has_delimiter =
        wzp_obu_next(frame, &at, &obu) && obu.type == WZP_OBU_TEMPORAL_DELIMITER;
    return has_delimiter ? (wzp_bytes){0} : wzp_bytes_of(delimiter, sizeof delimiter);
}

static void write(wzp_pcap_film *film, const waiting *w) {
    const wzp_bytes frame = wzp_bytes_of(w->data, w->len);
    const wzp_bytes lead = lead_in(film, frame);
    if (!film->has_key) {
        film->first_ms = w->at_ms;
    }
    if (film->form == WZP_PCAP_FILM_IVF) {
        uint8_t head[12];
        if (!film->has_key) {
            write_ivf_head(film, w);
        }
        le(head, lead.len + frame.len, 4);
        le(head + 4, (uint64_t)(w->at_ms - film->first_ms), 8);
        film->sink(film->ctx, wzp_bytes_of(head, sizeof head));
    }
    if (lead.len > 0) {
        film->sink(film->ctx, lead);
    }
    film->sink(film->ctx, frame);
    film->has_key = true;
    film->written_ms = w->at_ms;
    film->counters.written++;
}

/* --- order ------------------------------------------------------------------------------------ */

static void write_first(wzp_pcap_film *film) {
    waiting *w = &film->window[0];
    const bool is_key =
        w->is_key || wzp_video_is_key_frame(film->codec, wzp_bytes_of(w->data, w->len));
    if (!film->has_key && !is_key) {
        film->counters.before_key++;
    } else if (film->has_key && w->at_ms <= film->written_ms) {
        film->counters.late++;
    } else {
        write(film, w);
    }
    free(w->data);
    film->count--;
    memmove(film->window, film->window + 1, film->count * sizeof *film->window);
}

void wzp_pcap_film_end(wzp_pcap_film *film) {
    while (film->count > 0) {
        write_first(film);
    }
}

/* Another start of the sender: its clock goes on where the old one stood. */
static void restart(wzp_pcap_film *film) {
    wzp_pcap_film_end(film);
    film->first_ms -= film->written_ms + 1; /* and plus what the new clock starts with: keep() */
    film->is_open = false;
    film->is_again = film->has_key;
    film->counters.restarts++;
}

/* The frame's time as a number that does not wrap. */
static int64_t extend(wzp_pcap_film *film, uint32_t timestamp_ms) {
    if (!film->is_open) {
        film->is_open = true;
        film->highest_ms = (INT64_C(1) << 32) + timestamp_ms;
        film->first_ms += film->is_again ? film->highest_ms : 0;
        film->written_ms = film->is_again ? film->highest_ms - 1 : film->written_ms;
    }
    const int64_t at_ms = film->highest_ms + (int32_t)(timestamp_ms - (uint32_t)film->highest_ms);
    film->highest_ms = at_ms > film->highest_ms ? at_ms : film->highest_ms;
    return at_ms;
}

static bool went_back(const wzp_pcap_film *film, uint32_t timestamp_ms) {
    const int32_t later_ms = (int32_t)(timestamp_ms - (uint32_t)film->highest_ms);
    return film->is_open && later_ms < -WZP_PCAP_FILM_BACK_MS;
}

static void keep(wzp_pcap_film *film, const wzp_video_frame *frame) {
    uint8_t *copy = malloc(frame->data.len + 1);
    if (copy == NULL) {
        film->counters.lost++;
        return;
    }
    if (frame->data.len > 0) {
        memcpy(copy, frame->data.data, frame->data.len);
    }
    if (went_back(film, frame->timestamp_ms)) {
        restart(film);
    }
    const int64_t at_ms = extend(film, frame->timestamp_ms);
    size_t i = film->count;
    while (i > 0 && film->window[i - 1].at_ms > at_ms) {
        i--;
    }
    memmove(film->window + i + 1, film->window + i, (film->count - i) * sizeof *film->window);
    film->window[i] = (waiting){.at_ms = at_ms,
                                .is_key = frame->is_key,
                                .width = frame->width,
                                .height = frame->height,
                                .data = copy,
                                .len = frame->data.len};
    film->count++;
    if (film->count > WZP_PCAP_FILM_WINDOW) {
        write_first(film);
    }
}

void wzp_pcap_film_take(wzp_pcap_film *film, const wzp_media_packet *packet) {
    wzp_video_frame frame;
    bool complete = false;
    if (packet->hdr.codec_id != film->codec ||
        wzp_video_frames_push(film->frames, packet, &frame, &complete) != WZP_OK) {
        film->counters.refused++;
        return;
    }
    if (complete) {
        keep(film, &frame);
    }
}
