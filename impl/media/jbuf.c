#include "media/jbuf.h"

#include <assert.h>
#include <stdlib.h>

/* Frames live in slots; `order` lists the used slots by timestamp, oldest first.  Buffers are a
 * few frames deep, so insertion by shifting beats anything clever. */
typedef struct slot {
    wzp_media_hdr hdr;
    uint16_t len;
    uint8_t payload[WZP_JBUF_FRAME_BYTES];
} slot;

struct wzp_jbuf {
    uint64_t delay;
    size_t cap, used;
    uint16_t *order;
    slot *slots; /* cap + 1: the frame lent by pop keeps its slot until the next call */
    uint16_t *free_slots;
    size_t free_count;
    int lent; /* slot of the frame that pop lent, -1 none */

    bool running;
    wzp_time origin; /* when origin_ts is played */
    uint32_t origin_ts, next_ts;
    uint32_t last_seq; /* of the last frame played */
    bool has_played;
    uint16_t frame_ms;    /* of the last frame seen */
    unsigned idle_frames; /* concealed in a row */
    wzp_jbuf_stats stats;
};

static uint16_t frame_ms_of(const wzp_media_hdr *hdr) {
    const wzp_codec_info *info = wzp_codec_find(hdr->codec_id);
    return info != NULL ? info->frame_ms : 20;
}

/* Signed distance on the wrapping clock. */
static int32_t ts_diff(uint32_t a, uint32_t b) {
    const uint32_t d = a - b;
    return d < UINT32_C(0x80000000) ? (int32_t)d : -(int32_t)(UINT32_MAX - d) - 1;
}

wzp_jbuf *wzp_jbuf_new(const wzp_jbuf_cfg *cfg) {
    wzp_jbuf *jb = calloc(1, sizeof *jb);
    if (jb == NULL) {
        return NULL;
    }
    jb->delay = cfg->delay != 0 ? cfg->delay : 60 * WZP_MS;
    jb->cap = cfg->cap_frames != 0 ? cfg->cap_frames : 250;
    assert(jb->cap < UINT16_MAX);
    jb->lent = -1;
    jb->order = calloc(jb->cap, sizeof *jb->order);
    jb->slots = calloc(jb->cap + 1, sizeof *jb->slots);
    jb->free_slots = calloc(jb->cap + 1, sizeof *jb->free_slots);
    if (jb->order == NULL || jb->slots == NULL || jb->free_slots == NULL) {
        wzp_jbuf_free(&jb);
        return NULL;
    }
    for (size_t i = 0; i <= jb->cap; i++) {
        jb->free_slots[jb->free_count++] = (uint16_t)i;
    }
    return jb;
}

void wzp_jbuf_free(wzp_jbuf **jb) {
    if (*jb != NULL) {
        free((*jb)->order);
        free((*jb)->slots);
        free((*jb)->free_slots);
        free(*jb);
        *jb = NULL;
    }
}

static void give_back(wzp_jbuf *jb, uint16_t index) {
    jb->free_slots[jb->free_count++] = index;
}

static void release_lent(wzp_jbuf *jb) {
    if (jb->lent >= 0) {
        give_back(jb, (uint16_t)jb->lent);
        jb->lent = -1;
    }
}

/* Removes the oldest frame from the order and returns its slot. */
static uint16_t take_oldest(wzp_jbuf *jb) {
    assert(jb->used > 0);
    const uint16_t index = jb->order[0];
    jb->used--;
    memmove(jb->order, jb->order + 1, jb->used * sizeof *jb->order);
    return index;
}

static void start(wzp_jbuf *jb, const wzp_media_hdr *hdr, wzp_time now) {
    jb->stats.restarts += jb->has_played ? 1 : 0;
    jb->running = true;
    jb->origin = wzp_time_after(now, jb->delay);
    jb->origin_ts = jb->next_ts = hdr->timestamp_ms;
    jb->has_played = false;
    jb->idle_frames = 0;
}

/* Index in `order` where `hdr` belongs; *duplicate if its sequence number is there already. */
static size_t find_place(const wzp_jbuf *jb, const wzp_media_hdr *hdr, bool *duplicate) {
    size_t place = jb->used;
    *duplicate = false;
    while (place > 0) {
        const wzp_media_hdr *other = &jb->slots[jb->order[place - 1]].hdr;
        if (other->seq == hdr->seq) {
            *duplicate = true;
        }
        if (ts_diff(hdr->timestamp_ms, other->timestamp_ms) >= 0) {
            break;
        }
        place--;
    }
    return place;
}

void wzp_jbuf_push(wzp_jbuf *jb, const wzp_media_hdr *hdr, wzp_bytes payload, wzp_time now) {
    release_lent(jb);
    jb->stats.pushed++;
    if (payload.len > WZP_JBUF_FRAME_BYTES) {
        jb->stats.too_long++;
        return;
    }
    if (!jb->running) {
        start(jb, hdr, now);
    }
    /* Before anything was played an older packet simply becomes the first one. */
    if (!jb->has_played && ts_diff(hdr->timestamp_ms, jb->next_ts) < 0) {
        jb->origin_ts = jb->next_ts = hdr->timestamp_ms;
    }
    if (ts_diff(hdr->timestamp_ms, jb->next_ts) < 0) {
        jb->stats.late++;
        return;
    }
    bool duplicate = false;
    size_t place = find_place(jb, hdr, &duplicate);
    if (duplicate) {
        jb->stats.duplicate++;
        return;
    }
    if (jb->used == jb->cap) {
        if (place == 0) {
            jb->stats.overrun++;
            return;
        }
        give_back(jb, take_oldest(jb));
        jb->stats.overrun++;
        place--;
    }
    const uint16_t index = jb->free_slots[--jb->free_count];
    slot *s = &jb->slots[index];
    s->hdr = *hdr;
    s->len = (uint16_t)payload.len;
    if (payload.len != 0) {
        memcpy(s->payload, payload.data, payload.len);
    }
    memmove(jb->order + place + 1, jb->order + place, (jb->used - place) * sizeof *jb->order);
    jb->order[place] = index;
    jb->used++;
    jb->frame_ms = frame_ms_of(hdr);
}

static wzp_time play_time(const wzp_jbuf *jb, uint32_t ts) {
    const int32_t ms = ts_diff(ts, jb->origin_ts);
    return ms >= 0 ? wzp_time_after(jb->origin, (uint64_t)ms * WZP_MS) : jb->origin;
}

wzp_time wzp_jbuf_deadline(const wzp_jbuf *jb) {
    return jb->running ? play_time(jb, jb->next_ts) : WZP_TIME_NEVER;
}

static void play(wzp_jbuf *jb, wzp_jbuf_out *out) {
    const uint16_t index = take_oldest(jb);
    const slot *s = &jb->slots[index];
    jb->lent = index;
    jb->frame_ms = frame_ms_of(&s->hdr);
    jb->next_ts = s->hdr.timestamp_ms + jb->frame_ms;
    jb->last_seq = s->hdr.seq;
    jb->has_played = true;
    jb->idle_frames = 0;
    jb->stats.played++;
    *out = (wzp_jbuf_out){WZP_JBUF_FRAME, s->hdr.codec_id, wzp_bytes_of(s->payload, s->len),
                          jb->frame_ms};
}

static void skip(wzp_jbuf *jb, wzp_jbuf_kind kind, uint32_t ms, wzp_jbuf_out *out) {
    jb->next_ts += ms;
    *out = (wzp_jbuf_out){kind, 0, wzp_bytes_of(NULL, 0), ms};
}

/* Nothing is stored: conceal for a while, then let the next packet start afresh. */
static bool starve(wzp_jbuf *jb, wzp_jbuf_out *out) {
    if (jb->idle_frames >= WZP_JBUF_IDLE_FRAMES) {
        jb->running = false;
        return false;
    }
    jb->idle_frames++;
    jb->stats.concealed++;
    skip(jb, WZP_JBUF_CONCEAL, jb->frame_ms, out);
    return true;
}

bool wzp_jbuf_pop(wzp_jbuf *jb, wzp_time now, wzp_jbuf_out *out) {
    release_lent(jb);
    if (!jb->running || now < play_time(jb, jb->next_ts)) {
        return false;
    }
    if (jb->used == 0) {
        return starve(jb, out);
    }
    const wzp_media_hdr *oldest = &jb->slots[jb->order[0]].hdr;
    const int32_t ahead = ts_diff(oldest->timestamp_ms, jb->next_ts);
    if (ahead < (int32_t)jb->frame_ms) {
        play(jb, out);
        return true;
    }
    /* The next packet in sequence with a later timestamp: the sender paused.  Otherwise packets
     * are missing, but never conceal for longer than an idle track would. */
    const bool paused = jb->has_played && oldest->seq == jb->last_seq + 1;
    if (paused || jb->idle_frames >= WZP_JBUF_IDLE_FRAMES) {
        skip(jb, WZP_JBUF_PAUSE, (uint32_t)ahead, out);
    } else {
        jb->idle_frames++;
        jb->stats.concealed++;
        skip(jb, WZP_JBUF_CONCEAL, jb->frame_ms, out);
    }
    return true;
}

void wzp_jbuf_count(const wzp_jbuf *jb, wzp_jbuf_stats *out) {
    *out = jb->stats;
}
