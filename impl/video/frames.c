#include "video/frames.h"

#include <stdlib.h>

#include "video/slices.h"

#define DONE_MAX 64 /* frames of which late slices are still known as duplicates */

typedef struct key {
    uint8_t codec, stream_id;
    uint32_t timestamp_ms;
} key;

typedef struct slice {
    uint32_t at, len; /* in the frame's bytes */
    bool is_there;
} slice;

typedef struct partial {
    bool used, is_key;
    uint8_t count;
    uint8_t arrived;
    key key;
    uint32_t first_seq;
    uint64_t born; /* order of first slices */
    uint8_t *bytes;
    size_t len, cap;
    slice slices[WZP_VIDEO_SLICES_MAX];
} partial;

struct wzp_video_frames {
    partial partials[WZP_VIDEO_FRAMES_MAX];
    key done[DONE_MAX];
    size_t done_count; /* ever; the latest DONE_MAX are there */
    uint64_t next_born;
    size_t bytes; /* len of all partials */
    uint8_t *whole;
    size_t whole_cap;
    wzp_video_counters counters;
};

wzp_err wzp_video_frames_new(wzp_video_frames **out) {
    *out = calloc(1, sizeof **out);
    return *out == NULL ? WZP_ERR_NOMEM : WZP_OK;
}

void wzp_video_frames_free(wzp_video_frames **frames) {
    if (*frames == NULL) {
        return;
    }
    for (size_t i = 0; i < WZP_COUNT_OF((*frames)->partials); i++) {
        free((*frames)->partials[i].bytes);
    }
    free((*frames)->whole);
    free(*frames);
    *frames = NULL;
}

const wzp_video_counters *wzp_video_frames_count(const wzp_video_frames *frames) {
    return &frames->counters;
}

size_t wzp_video_frames_waiting(const wzp_video_frames *frames) {
    size_t n = 0;
    for (size_t i = 0; i < WZP_COUNT_OF(frames->partials); i++) {
        n += frames->partials[i].used ? 1 : 0;
    }
    return n;
}

static bool same_key(const key *a, const key *b) {
    return a->codec == b->codec && a->stream_id == b->stream_id &&
           a->timestamp_ms == b->timestamp_ms;
}

static void release(wzp_video_frames *frames, partial *p) {
    frames->bytes -= p->len;
    *p = (partial){.bytes = p->bytes, .cap = p->cap};
}

static void give_up(wzp_video_frames *frames, partial *p) {
    frames->counters.given_up++;
    release(frames, p);
}

void wzp_video_frames_evict(wzp_video_frames *frames, uint32_t timestamp_ms, uint32_t age_ms) {
    for (size_t i = 0; i < WZP_COUNT_OF(frames->partials); i++) {
        partial *p = &frames->partials[i];
        const uint32_t age = timestamp_ms - p->key.timestamp_ms;
        if (p->used && age >= age_ms && age < UINT32_C(0x80000000)) {
            give_up(frames, p);
        }
    }
}

/* The one that waits for longest, apart from `but`; NULL: there is none. */
static partial *oldest(wzp_video_frames *frames, const partial *but) {
    partial *found = NULL;
    for (size_t i = 0; i < WZP_COUNT_OF(frames->partials); i++) {
        partial *p = &frames->partials[i];
        if (p->used && p != but && (found == NULL || p->born < found->born)) {
            found = p;
        }
    }
    return found;
}

static partial *find(wzp_video_frames *frames, const key *k) {
    for (size_t i = 0; i < WZP_COUNT_OF(frames->partials); i++) {
        partial *p = &frames->partials[i];
        if (p->used && same_key(&p->key, k)) {
            return p;
        }
    }
    return NULL;
}

static partial *start(wzp_video_frames *frames, const key *k, uint32_t seq) {
    partial *p = NULL;
    for (size_t i = 0; i < WZP_COUNT_OF(frames->partials) && p == NULL; i++) {
        p = frames->partials[i].used ? NULL : &frames->partials[i];
    }
    if (p == NULL) {
        p = oldest(frames, NULL);
        give_up(frames, p);
    }
    p->used = true;
    p->key = *k;
    p->first_seq = seq;
    p->born = frames->next_born++;
    return p;
}

static bool is_done(const wzp_video_frames *frames, const key *k) {
    const size_t n = frames->done_count < DONE_MAX ? frames->done_count : DONE_MAX;
    for (size_t i = 0; i < n; i++) {
        if (same_key(&frames->done[i], k)) {
            return true;
        }
    }
    return false;
}

static bool grow(uint8_t **bytes, size_t *cap, size_t needed) {
    if (needed <= *cap) {
        return true;
    }
    size_t larger = *cap == 0 ? (size_t)4 * WZP_VIDEO_SLICE_MAX : *cap;
    while (larger < needed) {
        larger *= 2;
    }
    uint8_t *grown = realloc(*bytes, larger);
    if (grown == NULL) {
        return false;
    }
    *bytes = grown;
    *cap = larger;
    return true;
}

/* Makes room for `len` bytes among all incomplete frames. */
static void make_room(wzp_video_frames *frames, const partial *keep, size_t len) {
    partial *victim = NULL;
    while (frames->bytes + len > WZP_VIDEO_BYTES_MAX && (victim = oldest(frames, keep)) != NULL) {
        give_up(frames, victim);
    }
}

static wzp_err keep_slice(wzp_video_frames *frames, partial *p, uint8_t index, wzp_bytes payload) {
    make_room(frames, p, payload.len);
    if (frames->bytes + payload.len > WZP_VIDEO_BYTES_MAX ||
        !grow(&p->bytes, &p->cap, p->len + payload.len)) {
        give_up(frames, p);
        return WZP_ERR_NOMEM;
    }
    if (payload.len > 0) {
        memcpy(p->bytes + p->len, payload.data, payload.len);
    }
    p->slices[index] = (slice){(uint32_t)p->len, (uint32_t)payload.len, true};
    p->len += payload.len;
    frames->bytes += payload.len;
    p->arrived++;
    return WZP_OK;
}

/* Width and height, when the frame begins with them; the rest is the frame. */
static void strip_prefix(wzp_video_frame *frame) {
    if (frame->data.len < WZP_VIDEO_PREFIX_LEN || memcmp(frame->data.data, "WZV1", 4) != 0) {
        return;
    }
    const uint8_t *at = frame->data.data;
    frame->width = (uint16_t)(at[4] << 8 | at[5]);
    frame->height = (uint16_t)(at[6] << 8 | at[7]);
    frame->data = wzp_bytes_of(at + WZP_VIDEO_PREFIX_LEN, frame->data.len - WZP_VIDEO_PREFIX_LEN);
}

static wzp_err assemble(wzp_video_frames *frames, partial *p, wzp_video_frame *out) {
    if (!grow(&frames->whole, &frames->whole_cap, p->len)) {
        give_up(frames, p);
        return WZP_ERR_NOMEM;
    }
    size_t len = 0;
    for (size_t i = 0; i < p->count; i++) {
        const slice *s = &p->slices[i];
        if (s->len > 0) {
            memcpy(frames->whole + len, p->bytes + s->at, s->len);
        }
        len += s->len;
    }
    *out = (wzp_video_frame){
        .codec = p->key.codec,
        .stream_id = p->key.stream_id,
        .is_key = p->is_key,
        .timestamp_ms = p->key.timestamp_ms,
        .seq = p->first_seq,
        .slices = p->count,
        .data = wzp_bytes_of(frames->whole, len),
    };
    strip_prefix(out);
    frames->counters.complete++;
    frames->counters.key_frames += out->is_key ? 1 : 0;
    frames->done[frames->done_count++ % DONE_MAX] = p->key;
    release(frames, p);
    wzp_video_frames_evict(frames, out->timestamp_ms, WZP_VIDEO_FRAME_AGE_MS);
    return WZP_OK;
}

static wzp_err check(const wzp_media_hdr *hdr) {
    if (hdr->media_type != WZP_MEDIA_VIDEO) {
        return WZP_ERR_MEDIA_TYPE;
    }
    const uint8_t index = (uint8_t)(hdr->fec_block >> 8);
    const uint8_t count = (uint8_t)hdr->fec_block;
    const bool is_repair = (hdr->flags & WZP_MEDIA_REPAIR) != 0;
    return is_repair || index >= count ? WZP_ERR_PARSE : WZP_OK;
}

wzp_err wzp_video_frames_push(wzp_video_frames *frames, const wzp_media_packet *packet,
                              wzp_video_frame *out, bool *complete) {
    const wzp_media_hdr *hdr = &packet->hdr;
    *complete = false;
    wzp_err err = check(hdr);
    if (err != WZP_OK) {
        frames->counters.refused++;
        return err;
    }
    const key k = {hdr->codec_id, hdr->stream_id, hdr->timestamp_ms};
    const uint8_t index = (uint8_t)(hdr->fec_block >> 8);
    const uint8_t count = (uint8_t)hdr->fec_block;
    partial *p = find(frames, &k);
    if (p == NULL && is_done(frames, &k)) {
        frames->counters.duplicates++;
        return WZP_OK;
    }
    if (p == NULL) {
        p = start(frames, &k, hdr->seq);
        p->count = count;
    }
    if (count != p->count) { /* two counts for one frame: the first one said rules */
        frames->counters.refused++;
        return WZP_ERR_PARSE;
    }
    if (p->slices[index].is_there) {
        frames->counters.duplicates++;
        return WZP_OK;
    }
    err = keep_slice(frames, p, index, packet->payload);
    if (err != WZP_OK) {
        frames->counters.refused++;
        return err;
    }
    frames->counters.slices++;
    p->is_key |= (hdr->flags & WZP_MEDIA_KEYFRAME) != 0;
    p->first_seq = wzp_seq_newer(p->first_seq, hdr->seq) ? hdr->seq : p->first_seq;
    if (p->arrived < p->count) {
        return WZP_OK;
    }
    err = assemble(frames, p, out);
    *complete = err == WZP_OK;
    return err;
}
