#include "meter/quota_table.h"

#include <assert.h>
#include <stdlib.h>

wzp_err wzp_quota_new(wzp_quota **out, size_t capacity) {
    assert(capacity > 0 && capacity % WZP_QUOTA_WAYS == 0);
    wzp_quota *q = calloc(1, sizeof *q + capacity * sizeof q->accounts[0]);
    if (q == NULL) {
        return WZP_ERR_NOMEM;
    }
    q->sets = capacity / WZP_QUOTA_WAYS;
    *out = q;
    return WZP_OK;
}

void wzp_quota_free(wzp_quota **quota) {
    free(*quota);
    *quota = NULL;
}

uint64_t wzp_quota_month_age(const wzp_quota_account *a, wzp_time now) {
    return wzp_time_since(now, a->month_from) + a->month_before;
}

/* Whose month is over has sent nothing. */
static uint64_t sent_of(const wzp_quota_account *a, wzp_time now) {
    return wzp_quota_month_age(a, now) < WZP_QUOTA_MONTH ? a->month_bytes : 0;
}

/* An unused place before all others; then the account that has sent least, the first of equals. */
static wzp_quota_account *place_for(wzp_quota_account *set, wzp_time now) {
    wzp_quota_account *best = NULL;
    for (size_t i = 0; i < WZP_QUOTA_WAYS; i++) {
        wzp_quota_account *a = &set[i];
        if (!a->used) {
            return a;
        }
        if (a->open == 0 && (best == NULL || sent_of(a, now) < sent_of(best, now))) {
            best = a;
        }
    }
    return best;
}

static wzp_quota_account *find(wzp_quota_account *set, uint64_t id) {
    for (size_t i = 0; i < WZP_QUOTA_WAYS; i++) {
        if (set[i].used && set[i].id == id) {
            return &set[i];
        }
    }
    return NULL;
}

/* NULL: all places are somebody's who is here. */
wzp_quota_account *wzp_quota_find_or_make(wzp_quota *q, uint64_t id, wzp_time now) {
    wzp_quota_account *set = &q->accounts[(id % q->sets) * WZP_QUOTA_WAYS];
    wzp_quota_account *a = find(set, id);
    if (a == NULL) {
        a = place_for(set, now);
        if (a == NULL) {
            q->totals.refused++;
            return NULL;
        }
        q->totals.forgotten += a->used ? 1 : 0;
        *a = (wzp_quota_account){
            .id = id, .used = true, .audio.at = now, .video.at = now, .month_from = now};
    }
    return a;
}

wzp_quota_account *wzp_quota_open(wzp_quota *q, uint64_t id, wzp_time now) {
    wzp_quota_account *a = wzp_quota_find_or_make(q, id, now);
    if (a != NULL) {
        a->open++;
    }
    return a;
}

void wzp_quota_close(wzp_quota_account *a) {
    assert(a->open > 0);
    a->open--;
}

/* The longest burst fits: 60 s * 625,000 B/s * 256 senders * 1e9 is less than 2^64. */
static bool take(bucket *b, uint64_t rate, bool is_tight, size_t bytes, wzp_time now) {
    const uint64_t elapsed = wzp_time_since(now, b->at) / (is_tight ? 2 : 1);
    const uint64_t full = WZP_QUOTA_BURST * rate;
    const uint64_t refilled = elapsed < WZP_QUOTA_BURST ? elapsed * rate : full;
    const uint64_t cost = (uint64_t)bytes * WZP_S;
    b->missing = b->missing > refilled ? b->missing - refilled : 0;
    b->at = now;
    if (cost > full || b->missing > full - cost) {
        return false;
    }
    b->missing += cost;
    return true;
}

static void turn_month(wzp_quota_account *a, wzp_time now) {
    if (wzp_quota_month_age(a, now) >= WZP_QUOTA_MONTH) {
        a->month_from = now;
        a->month_before = a->month_bytes = 0;
    }
}

wzp_quota_verdict wzp_quota_charge(wzp_quota_account *a, const wzp_quota_limits *limits,
                                   bool is_video, size_t bytes, wzp_time now) {
    assert(limits->senders > 0 && limits->senders <= WZP_QUOTA_SENDERS_MAX);
    turn_month(a, now);
    if (limits->month_bytes != 0 && a->month_bytes + bytes > limits->month_bytes) {
        return WZP_QUOTA_MONTH_SPENT;
    }
    const uint64_t rate = (is_video ? WZP_QUOTA_VIDEO : WZP_QUOTA_AUDIO) * limits->senders;
    if (!take(is_video ? &a->video : &a->audio, rate, limits->is_tight, bytes, now)) {
        return WZP_QUOTA_RATE;
    }
    *(is_video ? &a->new_video : &a->new_audio) += bytes;
    a->month_bytes += bytes;
    return WZP_QUOTA_FINE;
}

wzp_quota_totals wzp_quota_count(const wzp_quota *q) {
    wzp_quota_totals totals = q->totals;
    for (size_t i = 0; i < q->sets * WZP_QUOTA_WAYS; i++) {
        totals.accounts += q->accounts[i].used ? 1 : 0;
        totals.open += q->accounts[i].open > 0 ? 1 : 0;
    }
    return totals;
}

/* --- several tables --------------------------------------------------------------------------- */

size_t wzp_quota_take_news(wzp_quota *q, wzp_quota_news *out, size_t cap) {
    const size_t all = q->sets * WZP_QUOTA_WAYS;
    size_t count = 0;
    for (size_t i = 0; i < all && count < cap; i++) {
        wzp_quota_account *a = &q->accounts[q->news_at];
        if (a->new_audio + a->new_video > 0) {
            out[count++] = (wzp_quota_news){a->id, a->new_audio, a->new_video, a->month_from};
            a->new_audio = a->new_video = 0;
        }
        q->news_at = (q->news_at + 1) % all;
    }
    return count;
}

/* What is missing may be more than a bucket holds: then it takes longer to be any good. */
static void owe(bucket *b, uint64_t bytes) {
    const uint64_t most = UINT64_MAX / 2;
    const uint64_t cost = bytes < most / WZP_S ? bytes * WZP_S : most;
    b->missing = b->missing < most - cost ? b->missing + cost : most;
}

void wzp_quota_put_news(wzp_quota *q, const wzp_quota_news *news, size_t count, wzp_time now) {
    for (size_t i = 0; i < count; i++) {
        wzp_quota_account *a = wzp_quota_find_or_make(q, news[i].id, now);
        if (a == NULL) {
            continue;
        }
        turn_month(a, now);
        if (a->month_before == 0 && news[i].month_from < a->month_from) {
            a->month_from = news[i].month_from; /* it was there first */
        }
        owe(&a->audio, news[i].audio);
        owe(&a->video, news[i].video);
        a->month_bytes += news[i].audio + news[i].video;
    }
}
