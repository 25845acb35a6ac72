#include "media/jbuf.h"

#include <assert.h>
#include <stdlib.h>

#include "media/jbuf_bursts.h"
#include "media/jbuf_lateness.h"

#define MOST_DELAY ((int64_t)(500 * WZP_MS)) /* what it adapts to at most (media sheet 6, REF) */
#define JUMP ((int64_t)WZP_S)                /* two frames so far apart: a clock was set */
#define DEEPEST ((int64_t)(5 * WZP_S))
#define REPAIR_DELAY ((int64_t)(WZP_JBUF_REPAIR_MS * WZP_MS))
#define LONGEST_BURST_MS 1000 /* longer ones are holes, which say nothing about loss */

/* The schedule: a frame is played when its lateness (jbuf_lateness.h) is `offset`.  It adapts to
 *
 *     want = floor + max(delay, spread + one frame, spread + burst + half a frame),
 *
 * the second part at most 500 ms, the third 200, where `floor` follows the sender's clock, `spread`
 * the network's jitter, and `burst` is as much of a run of lost frames as the packet behind it
 * brings back; runs of one frame do not count, they need no more than the second part.  One frame
 * goes or is concealed twice when `offset` is too far from that, with room between the two bounds
 * for more than the step, so that a step never leads to the opposite one:
 *
 *     want - frame/2 .... want .... want + 3/2 frame
 *     conceal twice       leave         drop one
 *
 * Who stretches is asked for shorter frames from `want` and a whole frame on, and for longer ones
 * from half a frame before `want`: again more room than the longest step.
 *
 * Pauses are free: there it takes what is wanted at once.
 *
 * Frames live in slots; `order` lists the used slots by timestamp, oldest first.  Buffers are a
 * few frames deep, so insertion by shifting beats anything clever. */
typedef struct slot {
    wzp_media_hdr hdr;
    uint16_t len;
    uint8_t payload[WZP_JBUF_FRAME_BYTES];
} slot;

struct wzp_jbuf {
    uint64_t delay;
    uint32_t (*reach)(void *ctx, uint8_t codec_id, wzp_bytes payload);
    void *reach_ctx;
    bool stretches;
    size_t cap, used;
    uint16_t *order;
    slot *slots; /* cap + 1: the frame lent by pop keeps its slot until the next call */
    uint16_t *free_slots;
    size_t free_count;
    int lent; /* slot of the frame that pop lent, -1 none */

    bool running;
    wzp_time zero_at; /* a frame with the timestamp zero_ts that arrives then has no lateness */
    uint32_t zero_ts, next_ts;
    int64_t offset;      /* ns, the lateness at which frames are played */
    unsigned since_step; /* frames played since the last step */
    unsigned leaning;    /* frames in a row that were asked to change their length */
    wzp_jbuf_lateness lateness;
    uint32_t last_seq; /* of the last frame played */
    bool has_played;
    bool has_end; /* something was played, and the clock is still the same */
    uint32_t end_ts;
    wzp_jbuf_bursts bursts;
    bool has_reach; /* of the packet reach_seq */
    uint32_t reach_seq, reach_ms;
    uint16_t frame_ms;    /* of the last frame seen */
    unsigned idle_frames; /* concealed in a row */
    int32_t starved_ms;   /* of them at last, with nothing stored */
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

/* Three chunks of 40 ms, of which 25 ms lie within the packet's own sound. */
uint32_t wzp_jbuf_reach(uint8_t codec_id) {
    const wzp_codec_info *info = wzp_codec_find(codec_id);
    return info != NULL && info->is_opus && info->nominal_bps >= 24000 ? 3 * 40 - 25 : 0;
}

static uint32_t reach_by_codec(void *ctx, uint8_t codec_id, wzp_bytes payload) {
    (void)ctx;
    (void)payload;
    return wzp_jbuf_reach(codec_id);
}

wzp_jbuf *wzp_jbuf_new(const wzp_jbuf_cfg *cfg) {
    wzp_jbuf *jb = calloc(1, sizeof *jb);
    if (jb == NULL) {
        return NULL;
    }
    jb->delay = cfg->delay != 0 ? cfg->delay : 60 * WZP_MS;
    jb->stretches = cfg->stretches;
    jb->cap = cfg->cap_frames != 0 ? cfg->cap_frames : 250;
    assert(jb->cap < UINT16_MAX);
    jb->lent = -1;
    jb->reach = cfg->reach != NULL ? cfg->reach : reach_by_codec;
    jb->reach_ctx = cfg->reach_ctx;
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

/* --- the schedule ----------------------------------------------------------------------------- */

static int64_t lateness_of(const wzp_jbuf *jb, uint32_t ts, wzp_time now) {
    return (int64_t)(now - jb->zero_at) - ts_diff(ts, jb->zero_ts) * (int64_t)WZP_MS;
}

static wzp_time play_time(const wzp_jbuf *jb, uint32_t ts) {
    const int64_t after = ts_diff(ts, jb->zero_ts) * (int64_t)WZP_MS + jb->offset;
    const int64_t at = (int64_t)jb->zero_at + after;
    return at > 0 ? (wzp_time)at : 0;
}

/* Zero becomes the moment at which `ts` has the lateness `by`; frames are played when they were. */
static void move_zero(wzp_jbuf *jb, uint32_t ts, int64_t by) {
    jb->zero_at += (uint64_t)(ts_diff(ts, jb->zero_ts) * (int64_t)WZP_MS + by);
    jb->zero_ts = ts;
    jb->offset -= by;
}

/* A clock was set, or the sender began anew: what was known does not apply, and a schedule for
 * which the buffer is not deep enough ends. */
static void learn_afresh(wzp_jbuf *jb, uint32_t ts, int64_t late) {
    move_zero(jb, ts, late);
    wzp_jbuf_lateness_clear(&jb->lateness);
    jb->has_end = false;
    if (jb->offset > DEEPEST || jb->offset < -DEEPEST) {
        jb->stats.overrun += jb->used;
        while (jb->used > 0) {
            give_back(jb, take_oldest(jb));
        }
        jb->running = false;
    }
}

/* Every frame counts, those too late to be played most of all. */
static void learn(wzp_jbuf *jb, uint32_t ts, wzp_time now) {
    const int64_t late = lateness_of(jb, ts, now);
    const int64_t apart = late - wzp_jbuf_lateness_last(&jb->lateness);
    if (jb->lateness.count == 0 || apart > JUMP || apart < -JUMP || late > WZP_JBUF_LATENESS_MAX ||
        late < -WZP_JBUF_LATENESS_MAX) {
        learn_afresh(jb, ts, late);
    } else {
        move_zero(jb, ts, 0); /* or the distance to it would wrap one day */
    }
    wzp_jbuf_lateness_add(&jb->lateness, lateness_of(jb, ts, now));
}

static int64_t frame_ns(const wzp_jbuf *jb) {
    return jb->frame_ms * (int64_t)WZP_MS;
}

static int64_t most_of(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static int64_t least_of(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* What the buffer can hold, with room for two frames that come before their time. */
static int64_t deepest(const wzp_jbuf *jb) {
    return ((int64_t)jb->cap - 2) * frame_ns(jb);
}

/* Where `offset` should be; only when lateness is known. */
static int64_t wanted(const wzp_jbuf *jb, wzp_time now) {
    const int64_t least = (int64_t)jb->delay;
    const int64_t burst = wzp_jbuf_bursts_longest(&jb->bursts, now) * (int64_t)WZP_MS;
    const int64_t spread = jb->lateness.spread;
    const int64_t jitter = least_of(spread + frame_ns(jb), most_of(MOST_DELAY, least));
    const int64_t repair = least_of(spread + burst + frame_ns(jb) / 2, REPAIR_DELAY);
    const int64_t more = most_of(jitter, burst > frame_ns(jb) ? repair : 0);
    return jb->lateness.floor + most_of(least, least_of(more, deepest(jb)));
}

/* How much later than wanted frames are played; 0 while nobody knows. */
static int64_t excess(const wzp_jbuf *jb, wzp_time now) {
    return jb->lateness.known ? jb->offset - wanted(jb, now) : 0;
}

/* --- what is lost ----------------------------------------------------------------------------- */

/* Milliseconds between the last frame played and this one that were lost; 0: none were, or the
 * sender paused. */
static uint32_t lost_before(const wzp_jbuf *jb, const wzp_media_hdr *hdr) {
    const int32_t ms = ts_diff(hdr->timestamp_ms, jb->end_ts);
    return jb->has_end && hdr->seq - jb->last_seq > 1 && ms > 0 ? (uint32_t)ms : 0;
}

/* How much of what was lost before a packet it brings back: whole frames. */
static uint32_t reach_of(wzp_jbuf *jb, const wzp_media_hdr *hdr, wzp_bytes payload) {
    if (!jb->has_reach || jb->reach_seq != hdr->seq) {
        jb->has_reach = true;
        jb->reach_seq = hdr->seq;
        jb->reach_ms = jb->reach(jb->reach_ctx, hdr->codec_id, payload);
    }
    return jb->reach_ms - jb->reach_ms % frame_ms_of(hdr);
}

static uint32_t reach_of_oldest(wzp_jbuf *jb) {
    const slot *s = &jb->slots[jb->order[0]];
    return reach_of(jb, &s->hdr, wzp_bytes_of(s->payload, s->len));
}

/* A frame is played: were there some before it that it brings back, if only it is there in time? */
static void note_burst(wzp_jbuf *jb, const slot *s, wzp_time now) {
    const uint32_t lost = lost_before(jb, &s->hdr);
    if (lost >= 2U * jb->frame_ms && lost <= LONGEST_BURST_MS) {
        const uint32_t reach = reach_of(jb, &s->hdr, wzp_bytes_of(s->payload, s->len));
        wzp_jbuf_bursts_add(&jb->bursts, lost < reach ? lost : reach, now);
    }
}

/* The first frame after a silence waits for its turn.  Meanwhile there is time for those before it
 * that it brings back and that nobody has asked for. */
static void play_before(wzp_jbuf *jb, const wzp_media_hdr *hdr, wzp_bytes payload, wzp_time now) {
    const int32_t unasked = ts_diff(hdr->timestamp_ms, jb->next_ts);
    const uint32_t frame = frame_ms_of(hdr);
    jb->next_ts = hdr->timestamp_ms;
    if (lost_before(jb, hdr) == 0 || unasked <= 0) {
        return;
    }
    uint32_t left = reach_of(jb, hdr, payload);
    left = left < (uint32_t)unasked ? left : (uint32_t)unasked;
    while (left >= frame && play_time(jb, jb->next_ts - frame) >= now) {
        jb->next_ts -= frame;
        left -= frame;
    }
}

/* The first frame, or the first one after a silence. */
static void start(wzp_jbuf *jb, const wzp_media_hdr *hdr, wzp_bytes payload, wzp_time now) {
    jb->stats.restarts += jb->has_played ? 1 : 0;
    jb->running = true;
    jb->offset = lateness_of(jb, hdr->timestamp_ms, now) + (int64_t)jb->delay;
    if (jb->lateness.known && jb->offset < wanted(jb, now)) {
        jb->offset = wanted(jb, now);
    }
    play_before(jb, hdr, payload, now);
    jb->has_played = false;
    jb->idle_frames = 0;
    jb->starved_ms = 0;
}

/* --- frames in -------------------------------------------------------------------------------- */

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

/* A packet older than what is played next is late, with two exceptions.  Before anything was played
 * it simply becomes the first one.  And when there was nothing to play in its place, the network
 * stood still: it and what follows are played later, and nothing is left out. */
static bool go_back(wzp_jbuf *jb, uint32_t ts) {
    const int32_t older = ts_diff(jb->next_ts, ts);
    if (older > 0 && jb->has_played && older > jb->starved_ms) {
        return false;
    }
    if (older > 0) {
        jb->offset += older * (int64_t)WZP_MS;
        jb->next_ts = ts;
        jb->starved_ms -= jb->has_played ? older : 0;
    }
    return true;
}

static void ends_with(wzp_jbuf *jb, const wzp_media_hdr *hdr) {
    jb->has_end = true;
    jb->end_ts = hdr->timestamp_ms + frame_ms_of(hdr);
    jb->last_seq = hdr->seq;
}

/* Too many frames for the buffer: the oldest goes, and what follows it is played a frame earlier,
 * or the next one would be too many as well. */
static void overrun(wzp_jbuf *jb) {
    const wzp_media_hdr *oldest = &jb->slots[jb->order[0]].hdr;
    if (ts_diff(oldest->timestamp_ms, jb->next_ts) < (int32_t)jb->frame_ms) {
        ends_with(jb, oldest);
    }
    give_back(jb, take_oldest(jb));
    jb->next_ts += jb->frame_ms;
    jb->offset -= frame_ns(jb);
    jb->stats.overrun++;
}

void wzp_jbuf_push(wzp_jbuf *jb, const wzp_media_hdr *hdr, wzp_bytes payload, wzp_time now) {
    release_lent(jb);
    jb->stats.pushed++;
    if (payload.len > WZP_JBUF_FRAME_BYTES) {
        jb->stats.too_long++;
        return;
    }
    bool duplicate = false;
    size_t place = find_place(jb, hdr, &duplicate);
    if (duplicate) {
        jb->stats.duplicate++;
        return;
    }
    learn(jb, hdr->timestamp_ms, now);
    if (!jb->running) {
        start(jb, hdr, payload, now);
        place = jb->used;
    }
    if (!go_back(jb, hdr->timestamp_ms)) {
        jb->stats.late++;
        return;
    }
    if (jb->used == jb->cap) {
        if (place == 0) {
            jb->stats.overrun++;
            return;
        }
        overrun(jb);
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

/* --- frames out ------------------------------------------------------------------------------- */

wzp_time wzp_jbuf_deadline(const wzp_jbuf *jb) {
    return jb->running ? play_time(jb, jb->next_ts) : WZP_TIME_NEVER;
}

static void play(wzp_jbuf *jb, wzp_time now, wzp_jbuf_out *out) {
    const uint16_t index = take_oldest(jb);
    const slot *s = &jb->slots[index];
    jb->lent = index;
    jb->frame_ms = frame_ms_of(&s->hdr);
    note_burst(jb, s, now);
    ends_with(jb, &s->hdr);
    jb->next_ts = jb->end_ts;
    jb->has_played = true;
    jb->idle_frames = 0;
    jb->since_step++;
    jb->stats.played++;
    *out = (wzp_jbuf_out){.kind = WZP_JBUF_FRAME,
                          .codec_id = s->hdr.codec_id,
                          .payload = wzp_bytes_of(s->payload, s->len),
                          .duration_ms = jb->frame_ms,
                          .timestamp_ms = s->hdr.timestamp_ms};
}

static void skip(wzp_jbuf *jb, wzp_jbuf_kind kind, uint32_t ms, wzp_jbuf_out *out) {
    *out = (wzp_jbuf_out){.kind = kind, .duration_ms = ms, .timestamp_ms = jb->next_ts};
    jb->next_ts += ms;
}

/* Nothing is stored: conceal for a while, then let the next packet start afresh. */
static bool starve(wzp_jbuf *jb, wzp_jbuf_out *out) {
    if (jb->idle_frames >= WZP_JBUF_IDLE_FRAMES) {
        jb->running = false;
        return false;
    }
    jb->idle_frames++;
    jb->starved_ms += jb->frame_ms;
    jb->stats.concealed++;
    skip(jb, WZP_JBUF_CONCEAL, jb->frame_ms, out);
    return true;
}

/* One frame later from now on: another one is concealed, although nothing is missing. */
static void add_frame(wzp_jbuf *jb, wzp_jbuf_out *out) {
    jb->offset += frame_ns(jb);
    jb->since_step = 0;
    jb->leaning = 0;
    jb->stats.added++;
    *out = (wzp_jbuf_out){.kind = WZP_JBUF_CONCEAL,
                          .duration_ms = jb->frame_ms,
                          .timestamp_ms = jb->next_ts,
                          .is_added = true};
}

/* One frame earlier from now on: what should be played now, or is missing now, never is. */
static void drop_frame(wzp_jbuf *jb) {
    const wzp_media_hdr *oldest = &jb->slots[jb->order[0]].hdr;
    if (ts_diff(oldest->timestamp_ms, jb->next_ts) < (int32_t)jb->frame_ms) {
        ends_with(jb, oldest);
        give_back(jb, take_oldest(jb));
    }
    jb->next_ts += jb->frame_ms;
    jb->offset -= frame_ns(jb);
    jb->since_step = 0;
    jb->leaning = 0;
    jb->stats.dropped++;
}

/* The sender paused for `ms`, which the listener need not hear exactly. */
static void pause_for(wzp_jbuf *jb, int32_t ms, wzp_time now, wzp_jbuf_out *out) {
    const int64_t too_long = excess(jb, now) / (int64_t)WZP_MS;
    const int32_t less = too_long < ms ? (int32_t)too_long : ms;
    jb->offset -= less * (int64_t)WZP_MS;
    skip(jb, WZP_JBUF_PAUSE, (uint32_t)ms, out);
    out->duration_ms = (uint32_t)(ms - less);
}

/* The next packet in sequence with a later timestamp: the sender paused.  Otherwise packets are
 * missing, but never conceal for longer than an idle track would, except for what the next packet
 * brings back. */
static void fill_in(wzp_jbuf *jb, int32_t ahead, wzp_time now, wzp_jbuf_out *out) {
    const wzp_media_hdr *oldest = &jb->slots[jb->order[0]].hdr;
    const bool paused = jb->has_played && oldest->seq == jb->last_seq + 1;
    const bool idle = jb->idle_frames >= WZP_JBUF_IDLE_FRAMES;
    const int32_t reach = !paused && idle ? (int32_t)reach_of_oldest(jb) : 0;
    if ((paused || idle) && ahead > reach) {
        pause_for(jb, ahead - reach, now, out);
        return;
    }
    jb->idle_frames += idle ? 0 : 1;
    jb->stats.concealed++;
    skip(jb, WZP_JBUF_CONCEAL, jb->frame_ms, out);
}

/* --- stretching ------------------------------------------------------------------------------- */

/* Sound that does not repeat itself is spared for a while, and frames that are too short for it are
 * dropped or added after all. */
static void lean(wzp_jbuf *jb, wzp_time now, wzp_jbuf_out *out) {
    const int64_t room = (WZP_JBUF_LEAN_MS + 5) * (int64_t)WZP_MS;
    const int64_t too_late = jb->since_step >= WZP_JBUF_LEAN_FRAMES ? excess(jb, now) : 0;
    out->lean = too_late >= room                      ? WZP_JBUF_SHORTER
                : too_late <= -(int64_t)(10 * WZP_MS) ? WZP_JBUF_LONGER
                                                      : WZP_JBUF_EVEN;
    jb->leaning = out->lean != WZP_JBUF_EVEN ? jb->leaning + 1 : 0;
    out->is_urgent = jb->leaning > WZP_JBUF_PATIENCE;
}

void wzp_jbuf_stretched(wzp_jbuf *jb, int64_t by) {
    jb->offset += by;
    jb->since_step = 0;
    jb->leaning = 0;
    jb->stats.longer += by > 0 ? 1 : 0;
    jb->stats.shorter += by < 0 ? 1 : 0;
}

bool wzp_jbuf_pop(wzp_jbuf *jb, wzp_time now, wzp_jbuf_out *out) {
    release_lent(jb);
    if (!jb->running || now < play_time(jb, jb->next_ts)) {
        return false;
    }
    if (jb->used == 0) {
        return starve(jb, out);
    }
    jb->starved_ms = 0;
    const bool must_step = !jb->stretches || jb->leaning > 2 * WZP_JBUF_PATIENCE;
    const bool rested = must_step && jb->has_played && jb->since_step >= WZP_JBUF_STEP_FRAMES;
    const int64_t too_late = rested ? excess(jb, now) : 0;
    if (too_late <= -frame_ns(jb) / 2) {
        add_frame(jb, out);
        return true;
    }
    if (jb->used > 1 && too_late >= frame_ns(jb) * 3 / 2) {
        drop_frame(jb);
    }
    const int32_t ahead = ts_diff(jb->slots[jb->order[0]].hdr.timestamp_ms, jb->next_ts);
    if (ahead < (int32_t)jb->frame_ms) {
        play(jb, now, out);
        if (jb->stretches) {
            lean(jb, now, out);
        }
    } else {
        fill_in(jb, ahead, now, out);
    }
    return true;
}

size_t wzp_jbuf_depth(const wzp_jbuf *jb) {
    return jb->used;
}

void wzp_jbuf_count(const wzp_jbuf *jb, wzp_jbuf_stats *out) {
    *out = jb->stats;
}
