#include "media/deployed.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { HALF_RANGE = 0x8000, RESET_DISTANCE = 100, SPIKE_MS = 2000, FRAME_MS = 20 };

void wzp_deployed_init(wzp_deployed_jbuf *jb, uint32_t least, uint32_t most) {
    assert(most <= WZP_DEPLOYED_MAX);
    memset(jb, 0, sizeof *jb);
    jb->least = least;
    jb->most = most;
}

/* The half range of a 16-bit number, although sequence numbers have 32: a sender that restarts far
 * enough back is taken for one that is ahead.  Deployed clients do. */
static bool is_before(uint32_t a, uint32_t b) {
    const uint32_t d = b - a;
    return d > 0 && d < HALF_RANGE;
}

static size_t place_of(const wzp_deployed_jbuf *jb, uint32_t seq) {
    size_t place = jb->depth;
    while (place > 0 && jb->seqs[place - 1] >= seq) {
        place--;
    }
    return place;
}

static void remove_at(wzp_deployed_jbuf *jb, size_t place) {
    jb->depth--;
    memmove(jb->seqs + place, jb->seqs + place + 1, (jb->depth - place) * sizeof *jb->seqs);
}

static bool holds(const wzp_deployed_jbuf *jb, uint32_t seq, size_t *place) {
    *place = place_of(jb, seq);
    return *place < jb->depth && jb->seqs[*place] == seq;
}

static void store(wzp_deployed_jbuf *jb, uint32_t seq) {
    const size_t place = place_of(jb, seq);
    memmove(jb->seqs + place + 1, jb->seqs + place, (jb->depth - place) * sizeof *jb->seqs);
    jb->seqs[place] = seq;
    jb->depth++;
    while (jb->depth > jb->most) {
        const uint32_t after = jb->seqs[0] + 1;
        remove_at(jb, 0);
        jb->stats.overrun++;
        if (is_before(jb->next, after)) {
            jb->next = after;
            jb->stats.lost++;
        }
    }
}

wzp_deployed_push wzp_deployed_put(wzp_deployed_jbuf *jb, uint32_t seq) {
    size_t place = 0;
    jb->stats.received++;
    if (!jb->started) {
        jb->started = true;
        jb->next = seq;
    }
    if (holds(jb, seq, &place)) {
        jb->stats.duplicate++;
        return WZP_DEPLOYED_DUPLICATE;
    }
    const bool behind = is_before(seq, jb->next);
    if (behind && jb->stats.played == 0) {
        jb->next = seq;
    } else if (behind && jb->next - seq <= RESET_DISTANCE) {
        jb->stats.late++;
        return WZP_DEPLOYED_LATE;
    } else if (behind) {
        jb->depth = 0;
        jb->next = seq;
        jb->stats.late = 0;
        store(jb, seq);
        return WZP_DEPLOYED_RESET;
    }
    store(jb, seq);
    return WZP_DEPLOYED_STORED;
}

wzp_deployed_pop wzp_deployed_take(wzp_deployed_jbuf *jb, uint32_t *seq) {
    size_t place = 0;
    if (!jb->started || (jb->depth < jb->least && jb->stats.played == 0)) {
        return WZP_DEPLOYED_NOT_READY;
    }
    *seq = jb->next++;
    if (holds(jb, *seq, &place)) {
        remove_at(jb, place);
        jb->stats.played++;
        return WZP_DEPLOYED_PACKET;
    }
    jb->stats.lost++;
    return WZP_DEPLOYED_MISSING;
}

/* --- the estimator ---------------------------------------------------------------------------- */

void wzp_playout_init(wzp_playout *p, uint32_t least, uint32_t most, bool is_mobile) {
    *p = (wzp_playout){.is_mobile = is_mobile, .least = least, .most = most, .target = least};
}

static void set_target(wzp_playout *p) {
    const uint32_t margin = p->is_mobile ? 3 : 2;
    const double frames = ceil(p->jitter_ms / FRAME_MS) + margin;
    p->target = frames < p->least ? p->least : frames > p->most ? p->most : (uint32_t)frames;
    p->target = p->is_spiking ? p->most : p->target;
}

static void learn(wzp_playout *p, double jitter_ms, uint64_t now_ms) {
    const double up = p->is_mobile ? 0.3 : 0.05;
    const double down = p->is_mobile ? 0.02 : 0.05;
    if (p->jitter_ms > 0 && jitter_ms > 3 * p->jitter_ms) {
        p->is_spiking = true;
        p->spike_at_ms = now_ms;
    }
    const double weight = jitter_ms > p->jitter_ms ? up : down;
    p->jitter_ms = weight * jitter_ms + (1 - weight) * p->jitter_ms;
}

void wzp_playout_update(wzp_playout *p, uint64_t arrival_ms, uint64_t expected_ms,
                        uint64_t now_ms) {
    if (p->has_last) {
        const double apart = (double)arrival_ms - (double)p->last_arrival_ms;
        const double due = (double)expected_ms - (double)p->last_expected_ms;
        learn(p, fabs(apart - due), now_ms);
    }
    if (p->is_spiking && now_ms >= p->spike_at_ms + SPIKE_MS) {
        p->is_spiking = false;
    }
    p->has_last = true;
    p->last_arrival_ms = arrival_ms;
    p->last_expected_ms = expected_ms;
    set_target(p);
}
