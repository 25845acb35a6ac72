#include "sim/host/ear.h"

#include <stdlib.h>

#define SLOT (WZP_SIM_SLOT_MS * WZP_MS)
#define NUMBERS_MAX (UINT32_C(24) * 3600 * 50) /* a day; what claims to be later is ignored */

/* Durations in microseconds, 64 buckets to a power of two. */
enum { FINE = 64, FINE_BITS = 6, BUCKETS = (32 - FINE_BITS + 1) * FINE };

typedef struct spread {
    uint64_t count, least, most; /* ns */
    uint32_t buckets[BUCKETS];
} spread;

enum { ARRIVED = 1, PLAYED = 2 }; /* by number */

/* More than DRED reaches back and a jitter buffer holds. */
enum { KNOWN = 512 };

/* The sound of slot `number` is there since `at`, though its frame is not. */
typedef struct known {
    uint32_t number;
    wzp_time at; /* 0: it is not */
} known;

struct wzp_sim_ear {
    uint32_t sender;
    uint8_t *frames; /* what happened to each number */
    size_t frame_cap;
    uint8_t *slots; /* the output: wzp_sim_slot */
    size_t slot_count, slot_cap;
    bool incomplete;

    wzp_sim_speech last_played, last_arrived; /* arrived: the highest number */
    uint32_t first_arrived;
    wzp_time first_at, last_at, last_arrival_at;
    wzp_time left_at; /* WZP_TIME_NEVER: it is there */
    uint64_t arrived, arrived_slots, played, duplicates, reordered, skipped, jitter_x16;
    spread delay, ear;
    known known[KNOWN]; /* by number, in a ring */
};

/* --- spreads ---------------------------------------------------------------------------------- */

static size_t bucket_of(uint64_t us) {
    const uint32_t v = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
    unsigned shift = 0;
    while (v >> shift >= 2 * FINE) {
        shift++;
    }
    return v < FINE ? v : (size_t)shift * FINE + (v >> shift);
}

/* The middle of the bucket in ns. */
static uint64_t value_of(size_t bucket) {
    const unsigned shift = bucket < 2 * (size_t)FINE ? 0 : (unsigned)(bucket / FINE) - 1;
    const uint64_t low = ((uint64_t)bucket - (uint64_t)shift * FINE) << shift;
    return low * WZP_US + (WZP_US << shift) / 2;
}

static void add(spread *s, uint64_t ns) {
    s->least = s->count == 0 || ns < s->least ? ns : s->least;
    s->most = ns > s->most ? ns : s->most;
    s->count++;
    s->buckets[bucket_of(ns / WZP_US)]++;
}

static uint64_t percentile(const spread *s, uint64_t percent) {
    const uint64_t rank = (s->count * percent + 99) / 100;
    uint64_t seen = 0;
    for (size_t i = 0; i < BUCKETS && s->count > 0; i++) {
        seen += s->buckets[i];
        if (seen >= rank) {
            const uint64_t value = value_of(i);
            return value < s->least ? s->least : value > s->most ? s->most : value;
        }
    }
    return 0;
}

/* --- life ------------------------------------------------------------------------------------- */

wzp_sim_ear *wzp_sim_ear_new(uint32_t sender) {
    wzp_sim_ear *ear = calloc(1, sizeof *ear);
    if (ear != NULL) {
        ear->sender = sender;
        ear->first_at = ear->last_at = ear->left_at = WZP_TIME_NEVER;
    }
    return ear;
}

void wzp_sim_ear_free(wzp_sim_ear **ear) {
    if (*ear != NULL) {
        free((*ear)->frames);
        free((*ear)->slots);
        free(*ear);
        *ear = NULL;
    }
}

static bool need(wzp_sim_ear *ear, uint8_t **bytes, size_t *cap, size_t count) {
    if (count <= *cap) {
        return true;
    }
    size_t fresh = *cap == 0 ? 4096 : *cap;
    while (fresh < count) {
        fresh *= 2;
    }
    uint8_t *grown = realloc(*bytes, fresh);
    if (grown == NULL) {
        ear->incomplete = true;
        return false;
    }
    memset(grown + *cap, 0, fresh - *cap);
    *bytes = grown;
    *cap = fresh;
    return true;
}

static bool has_place(wzp_sim_ear *ear, const wzp_sim_speech *frame) {
    return frame->number < NUMBERS_MAX &&
           need(ear, &ear->frames, &ear->frame_cap, (size_t)frame->number + 1);
}

/* --- arrivals --------------------------------------------------------------------------------- */

static void update_jitter(wzp_sim_ear *ear, const wzp_sim_speech *frame, wzp_time now) {
    const uint64_t apart = wzp_time_since(now, ear->last_arrival_at);
    const uint64_t said_apart = wzp_time_since(frame->sent, ear->last_arrived.sent);
    const uint64_t d = apart > said_apart ? apart - said_apart : said_apart - apart;
    ear->jitter_x16 += d - (ear->jitter_x16 + 8) / 16;
}

/* DRED: a frame has the sound of those before it, too. */
static void learn(wzp_sim_ear *ear, const wzp_sim_speech *frame, wzp_time now) {
    for (uint32_t back = 1; back <= frame->dred && back <= frame->number; back++) {
        const uint32_t number = frame->number - back;
        known *k = &ear->known[number % KNOWN];
        if (k->at == 0 || k->number != number) {
            *k = (known){number, now};
        }
    }
}

static bool is_known(const wzp_sim_ear *ear, uint32_t number, wzp_time at) {
    const known *k = &ear->known[number % KNOWN];
    return k->at != 0 && k->number == number && k->at <= at;
}

void wzp_sim_ear_arrive(wzp_sim_ear *ear, const wzp_sim_speech *frame, wzp_time now) {
    if (!has_place(ear, frame)) {
        return;
    }
    uint8_t *state = &ear->frames[frame->number];
    if ((*state & ARRIVED) != 0) {
        ear->duplicates++;
        return;
    }
    *state |= ARRIVED;
    learn(ear, frame, now);
    ear->arrived_slots += frame->slots;
    add(&ear->delay, wzp_time_since(now, frame->sent));
    if (ear->arrived++ == 0) {
        ear->first_arrived = frame->number;
    } else if (frame->number > ear->last_arrived.number) {
        update_jitter(ear, frame, now);
    } else {
        ear->reordered++;
        ear->first_arrived =
            frame->number < ear->first_arrived ? frame->number : ear->first_arrived;
        return;
    }
    ear->last_arrived = *frame;
    ear->last_arrival_at = now;
}

/* --- output ----------------------------------------------------------------------------------- */

/* Slot `number` is due at `at`, and its frame is not there. */
static wzp_sim_slot missing(const wzp_sim_ear *ear, const wzp_sim_speech *of, uint32_t number,
                            wzp_time at) {
    return !wzp_sim_speech_spoken(of, number) ? WZP_SIM_SLOT_SILENT
           : is_known(ear, number, at)        ? WZP_SIM_SLOT_RECOVERED
                                              : WZP_SIM_SLOT_CONCEALED;
}

/* What a slot that was added to the gap before `from + gone` is like: there is nothing to recover.
 */
static wzp_sim_slot added(const wzp_sim_speech *of, uint32_t from, uint32_t gone) {
    const bool is_pause = gone > 0 && !wzp_sim_speech_spoken(of, from + gone - 1);
    return is_pause ? WZP_SIM_SLOT_SILENT : WZP_SIM_SLOT_CONCEALED;
}

/* The output between the last frame played and this one.  Usually it is as long as what is missing
 * there.  When it is longer, the listener waited in the state before this frame; when it is
 * shorter, the rest was skipped. */
static void fill_gap(wzp_sim_ear *ear, const wzp_sim_speech *frame, wzp_time now) {
    const wzp_sim_speech *last = &ear->last_played;
    const uint32_t from = last->number + last->slots;
    const uint32_t gone = frame->number > from ? frame->number - from : 0;
    const wzp_time since = ear->last_at + last->slots * SLOT;
    const size_t count = (size_t)((wzp_time_since(now, since) + SLOT / 2) / SLOT);
    if (!need(ear, &ear->slots, &ear->slot_cap, ear->slot_count + count)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        ear->slots[ear->slot_count++] =
            (uint8_t)(i < gone ? missing(ear, frame, from + (uint32_t)i, since + i * SLOT)
                               : added(frame, from, gone));
    }
    if (count < gone) {
        ear->skipped += wzp_sim_speech_spoken_before(frame, frame->number) -
                        wzp_sim_speech_spoken_before(frame, from + (uint32_t)count);
    }
}

void wzp_sim_ear_play(wzp_sim_ear *ear, const wzp_sim_speech *frame, wzp_time now) {
    if (!has_place(ear, frame) || (ear->frames[frame->number] & PLAYED) != 0) {
        return;
    }
    ear->frames[frame->number] |= PLAYED;
    if (ear->played++ == 0) {
        ear->first_at = now;
    } else {
        fill_gap(ear, frame, now);
    }
    add(&ear->ear, wzp_time_since(now, frame->sent));
    if (need(ear, &ear->slots, &ear->slot_cap, ear->slot_count + frame->slots)) {
        memset(ear->slots + ear->slot_count, WZP_SIM_SLOT_TRUE, frame->slots);
        ear->slot_count += frame->slots;
    }
    ear->last_played = *frame;
    ear->last_at = now;
    if (frame->sent > ear->left_at) {
        ear->left_at = WZP_TIME_NEVER; /* it is back; else it was under way when it left */
    }
}

bool wzp_sim_ear_has_played(const wzp_sim_ear *ear) {
    return ear->played > 0;
}

void wzp_sim_ear_leave(wzp_sim_ear *ear, wzp_time now) {
    ear->left_at = wzp_time_min(ear->left_at, now);
}

/* --- what came of it -------------------------------------------------------------------------- */

wzp_sim_slots wzp_sim_ear_slots(wzp_sim_ear *ear, wzp_time until) {
    if (ear->played == 0) {
        return (wzp_sim_slots){NULL, 0};
    }
    const wzp_sim_speech *last = &ear->last_played;
    const wzp_time end = ear->last_at + last->slots * SLOT;
    const size_t count = (size_t)(wzp_time_since(wzp_time_min(until, ear->left_at), end) / SLOT);
    if (!need(ear, &ear->slots, &ear->slot_cap, ear->slot_count + count)) {
        return (wzp_sim_slots){ear->slots, ear->slot_count};
    }
    for (size_t i = 0; i < count; i++) {
        ear->slots[ear->slot_count + i] =
            (uint8_t)missing(ear, last, last->number + last->slots + (uint32_t)i, end + i * SLOT);
    }
    return (wzp_sim_slots){ear->slots, ear->slot_count + count};
}

size_t wzp_sim_ear_slot_at(const wzp_sim_ear *ear, wzp_time at) {
    return ear->played > 0 ? (size_t)(wzp_time_since(at, ear->first_at) / SLOT) : 0;
}

static uint64_t count_lost(const wzp_sim_ear *ear) {
    const wzp_sim_speech *last = &ear->last_arrived;
    if (ear->arrived == 0) {
        return 0;
    }
    const uint32_t slots = wzp_sim_speech_spoken_before(last, last->number + last->slots) -
                           wzp_sim_speech_spoken_before(last, ear->first_arrived);
    return slots > ear->arrived_slots ? (slots - ear->arrived_slots) / last->slots : 0;
}

static uint64_t count_recovered(wzp_sim_slots heard) {
    uint64_t recovered = 0;
    for (size_t i = 0; i < heard.count; i++) {
        recovered += heard.slots[i] == WZP_SIM_SLOT_RECOVERED ? 1 : 0;
    }
    return recovered;
}

static uint64_t count_late(const wzp_sim_ear *ear) {
    uint64_t late = 0;
    for (uint32_t n = 0; ear->played > 0 && n < ear->last_played.number; n++) {
        late += ear->frames[n] == ARRIVED ? 1 : 0;
    }
    return late;
}

void wzp_sim_ear_report(wzp_sim_ear *ear, wzp_time until, wzp_sim_heard *out) {
    const wzp_sim_slots heard = wzp_sim_ear_slots(ear, until);
    *out = (wzp_sim_heard){
        .sender = ear->sender,
        .first_at = ear->first_at,
        .last_at = ear->last_at,
        .played = ear->played,
        .arrived = ear->arrived,
        .lost = count_lost(ear),
        .late = count_late(ear),
        .duplicates = ear->duplicates,
        .reordered = ear->reordered,
        .skipped = ear->skipped,
        .slots = heard.count,
        .recovered = count_recovered(heard),
        .delay_min = ear->delay.least,
        .delay_p50 = percentile(&ear->delay, 50),
        .delay_p95 = percentile(&ear->delay, 95),
        .delay_p99 = percentile(&ear->delay, 99),
        .delay_max = ear->delay.most,
        .ear_p50 = percentile(&ear->ear, 50),
        .ear_p95 = percentile(&ear->ear, 95),
        .ear_max = ear->ear.most,
        .jitter = ear->jitter_x16 / 16,
        .verdict = wzp_sim_judge(heard),
        .incomplete = ear->incomplete,
    };
}
