#include "tools/pcap/send/player.h"

#include <stdlib.h>
#include <string.h>

enum {
    TRACKS_MAX = 256,
    PACKET_MAX = 1500,
    BACKLOG = 256, /* packets that may wait in QUIC's queue while there is no pace */
    AT_ONCE = 512, /* packets of a turn */
    STEPS = 32,    /* of the histogram, for each doubling */
    DOUBLINGS = 40,
    BINS = (DOUBLINGS + 1) * STEPS
};

/* What rewriting knows of a stream. */
typedef struct track {
    uint32_t sender, first_seq, first_ts, span_seq;
    uint8_t stream_id, media_type;
    uint32_t base; /* of its numbers */
} track;

/* Errors in ns, with some 3 per cent of precision. */
typedef struct histogram {
    uint64_t count, max, bins[BINS];
} histogram;

typedef struct chain {
    uint8_t bytes[WZP_SHA256_LEN];
} chain;

struct wzp_pcap_player {
    wzp_pcap_player_cfg cfg;
    size_t count;
    uint64_t period_ns; /* of a loop, by the plan's time */
    track tracks[TRACKS_MAX];
    size_t track_count;

    enum { WAITS, PLAYS, FLUSHES, DONE } state;
    wzp_time start, flush_until;
    size_t next;
    uint32_t loop;
    wzp_time first_sent, last_sent;
    histogram errors;
    chain sent;
    wzp_pcap_player_report report;
};

/* --- figures ---------------------------------------------------------------------------------- */

static size_t bin_of(uint64_t value) {
    unsigned doubling = 0;
    while (doubling < DOUBLINGS - 1 && value >> doubling >= (uint64_t)2 * STEPS) {
        doubling++;
    }
    return (size_t)doubling * STEPS + (size_t)(value >> doubling);
}

static uint64_t value_of(size_t bin) {
    const size_t doubling = bin < (size_t)2 * STEPS ? 0 : bin / STEPS - 1;
    return ((uint64_t)bin - doubling * STEPS) << doubling;
}

static void note_error(histogram *h, uint64_t error) {
    const size_t bin = bin_of(error);
    h->bins[bin < WZP_COUNT_OF(h->bins) ? bin : WZP_COUNT_OF(h->bins) - 1]++;
    h->count++;
    h->max = error > h->max ? error : h->max;
}

static uint64_t percentile(const histogram *h, unsigned percent) {
    const uint64_t wanted = (h->count * percent + 99) / 100;
    uint64_t n = 0;
    for (size_t i = 0; i < WZP_COUNT_OF(h->bins); i++) {
        n += h->bins[i];
        if (n >= wanted && n > 0) {
            return value_of(i) < h->max ? value_of(i) : h->max;
        }
    }
    return 0;
}

/* A chain: each step hashes the one before and the packet. */
static void note_packet(chain *d, uint32_t sender, wzp_bytes bytes) {
    uint8_t buf[WZP_SHA256_LEN + 4 + PACKET_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_wr_bytes(&wr, wzp_bytes_of(d->bytes, sizeof d->bytes));
    wzp_wr_u32(&wr, sender);
    wzp_wr_bytes(&wr, bytes);
    wzp_sha256(d->bytes, wzp_bytes_of(buf, wzp_wr_len(&wr)));
}

/* --- headers ---------------------------------------------------------------------------------- */

static track *track_of(wzp_pcap_player *p, const wzp_pcap_planned *e) {
    const wzp_media_hdr *h = &e->packet.hdr;
    for (size_t i = 0; i < p->track_count; i++) {
        track *t = &p->tracks[i];
        if (t->sender == e->sender && t->stream_id == h->stream_id &&
            t->media_type == h->media_type) {
            return t;
        }
    }
    if (p->track_count == TRACKS_MAX) {
        return NULL;
    }
    track *t = &p->tracks[p->track_count++];
    *t = (track){.sender = e->sender,
                 .first_seq = h->seq,
                 .first_ts = h->timestamp_ms,
                 .stream_id = h->stream_id,
                 .media_type = h->media_type};
    return t;
}

/* Of several streams of one sender the lowest number may not be the first. */
static void measure_tracks(wzp_pcap_player *p) {
    uint32_t of_sender[WZP_PCAP_GUESTS_MAX] = {0};
    for (size_t i = 0; i < p->count; i++) {
        const size_t before = p->track_count;
        const wzp_pcap_planned *e = wzp_pcap_plan_at(p->cfg.plan, i);
        track *t = track_of(p, e);
        if (t == NULL) {
            continue;
        }
        if (p->track_count > before && p->cfg.seal) {
            t->base = of_sender[e->sender]++ << 28;
        }
        const int32_t ahead = (int32_t)(e->packet.hdr.seq - t->first_seq);
        if (ahead > (int32_t)t->span_seq) {
            t->span_seq = (uint32_t)ahead;
        }
    }
}

wzp_media_packet wzp_pcap_player_packet(const wzp_pcap_player *p, size_t i, uint32_t loop) {
    const wzp_pcap_planned *e = wzp_pcap_plan_at(p->cfg.plan, i);
    wzp_media_packet packet = e->packet;
    for (size_t k = 0; p->cfg.rewrite && k < p->track_count; k++) {
        const track *t = &p->tracks[k];
        if (t->sender == e->sender && t->stream_id == packet.hdr.stream_id &&
            t->media_type == packet.hdr.media_type) {
            packet.hdr.seq += t->base + loop * (t->span_seq + 1) - t->first_seq;
            packet.hdr.timestamp_ms += (uint32_t)(loop * (p->period_ns / WZP_MS)) - t->first_ts;
            break;
        }
    }
    return packet;
}

static wzp_bytes write_packet(uint8_t buf[PACKET_MAX], const wzp_media_packet *packet) {
    wzp_wr wr;
    wzp_wr_init(&wr, buf, PACKET_MAX);
    wzp_media_packet_write(&wr, packet);
    return wzp_wr_end(&wr) == WZP_OK ? wzp_bytes_of(buf, wzp_wr_len(&wr)) : wzp_bytes_of(buf, 0);
}

/* --- sending ---------------------------------------------------------------------------------- */

static wzp_time due(const wzp_pcap_player *p) {
    const uint64_t sent = (uint64_t)p->loop * p->count + p->next;
    switch (p->cfg.pace) {
    case WZP_PCAP_PACE_RATE:
        return p->start + sent / p->cfg.rate * WZP_S + sent % p->cfg.rate * WZP_S / p->cfg.rate;
    case WZP_PCAP_PACE_TOP:
        return p->start;
    case WZP_PCAP_PACE_PLAN:
        break;
    }
    const uint64_t at = p->loop * p->period_ns + wzp_pcap_plan_at(p->cfg.plan, p->next)->at_ns;
    /* In two steps: neither overflows. */
    return p->start + at / p->cfg.speed_ppm * 1000000 +
           at % p->cfg.speed_ppm * 1000000 / p->cfg.speed_ppm;
}

static uint64_t backlog(const wzp_pcap_player *p) {
    wzp_pcap_guests_counters n;
    wzp_pcap_guests_count(p->cfg.guests, &n);
    const uint64_t gone = n.sent + n.dropped;
    return n.queued > gone ? n.queued - gone : 0;
}

static void send_next(wzp_pcap_player *p, wzp_time now) {
    uint8_t buf[PACKET_MAX];
    const uint32_t sender = wzp_pcap_plan_at(p->cfg.plan, p->next)->sender;
    const wzp_media_packet packet = wzp_pcap_player_packet(p, p->next, p->loop);
    const wzp_bytes bytes = write_packet(buf, &packet);
    const uint64_t error = wzp_time_since(now, due(p));
    const wzp_err err = bytes.len == 0 ? WZP_ERR_TOO_LARGE
                        : p->cfg.seal  ? wzp_pcap_guests_seal(p->cfg.guests, sender, &packet)
                                       : wzp_pcap_guests_send(p->cfg.guests, sender, bytes);
    if (err == WZP_OK) {
        p->report.packets++;
        p->report.bytes += bytes.len;
        note_packet(&p->sent, sender, bytes);
        if (p->cfg.sent != NULL) {
            p->cfg.sent(p->cfg.ctx, sender, bytes);
        }
    } else {
        p->report.refused++;
    }
    if (p->cfg.pace != WZP_PCAP_PACE_TOP) {
        note_error(&p->errors, error);
        p->report.late += error > WZP_PCAP_PLAYER_LATE;
    }
    p->first_sent = p->first_sent == 0 ? now : p->first_sent;
    p->last_sent = now;
    if (++p->next == p->count) {
        p->next = 0;
        p->loop++;
    }
}

static void play(wzp_pcap_player *p, wzp_time now) {
    const bool is_top = p->cfg.pace == WZP_PCAP_PACE_TOP;
    for (int i = 0; p->loop < p->cfg.loops && due(p) <= now && i < AT_ONCE; i++) {
        if (is_top && backlog(p) >= BACKLOG) {
            return;
        }
        send_next(p, now);
    }
    if (p->loop == p->cfg.loops) {
        p->state = FLUSHES;
        p->flush_until = now + WZP_PCAP_PLAYER_FLUSH;
    }
}

static void step(wzp_pcap_player *p, wzp_time now) {
    const wzp_pcap_guests_state guests = wzp_pcap_guests_state_of(p->cfg.guests, NULL);
    if (guests == WZP_PCAP_GUESTS_GONE || guests == WZP_PCAP_GUESTS_LEAVE) {
        p->state = DONE;
    }
    if (p->state == WAITS && guests == WZP_PCAP_GUESTS_IN) {
        p->state = PLAYS;
        p->start = now + WZP_PCAP_PLAYER_SETTLE;
    }
    if (p->state == PLAYS) {
        play(p, now);
    }
    if (p->state == FLUSHES && (backlog(p) == 0 || p->flush_until <= now)) {
        p->state = DONE;
    }
}

/* --- as a core -------------------------------------------------------------------------------- */

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    const wzp_pcap_player *p = self;
    const wzp_core core = wzp_pcap_guests_core(p->cfg.guests);
    core.ops->recv(core.self, path, ecn, payload, now);
}

static void core_tick(void *self, wzp_time now) {
    wzp_pcap_player *p = self;
    const wzp_core core = wzp_pcap_guests_core(p->cfg.guests);
    core.ops->tick(core.self, now);
    step(p, now);
}

/* What QUIC has to say before it takes more is its own deadline. */
static wzp_time own_deadline(const wzp_pcap_player *p) {
    if (p->state == PLAYS) {
        return p->cfg.pace == WZP_PCAP_PACE_TOP && backlog(p) >= BACKLOG ? WZP_TIME_NEVER : due(p);
    }
    return p->state == FLUSHES ? p->flush_until : WZP_TIME_NEVER;
}

static wzp_time core_deadline(const void *self) {
    const wzp_pcap_player *p = self;
    const wzp_core core = wzp_pcap_guests_core(p->cfg.guests);
    return wzp_time_min(core.ops->deadline(core.self), own_deadline(p));
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    const wzp_pcap_player *p = self;
    const wzp_core core = wzp_pcap_guests_core(p->cfg.guests);
    return core.ops->next_packet(core.self, now, buf, cap, meta);
}

wzp_core wzp_pcap_player_core(wzp_pcap_player *p) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next_packet};
    return (wzp_core){p, &ops};
}

/* --- life ------------------------------------------------------------------------------------- */

wzp_err wzp_pcap_player_new(wzp_pcap_player **out, const wzp_pcap_player_cfg *cfg) {
    const size_t count = wzp_pcap_plan_count(cfg->plan);
    if (count == 0 || cfg->loops == 0 || (cfg->pace == WZP_PCAP_PACE_PLAN && cfg->speed_ppm == 0) ||
        (cfg->pace == WZP_PCAP_PACE_RATE && cfg->rate == 0)) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_pcap_player *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return WZP_ERR_NOMEM;
    }
    p->cfg = *cfg;
    p->count = count;
    /* The last packet lasts as long as the others in the mean. */
    const uint64_t last = wzp_pcap_plan_at(cfg->plan, count - 1)->at_ns;
    p->period_ns = last + (count > 1 ? last / (count - 1) : 20 * WZP_MS);
    measure_tracks(p);
    *out = p;
    return WZP_OK;
}

void wzp_pcap_player_free(wzp_pcap_player **player) {
    free(*player);
    *player = NULL;
}

bool wzp_pcap_player_is_done(const wzp_pcap_player *p) {
    return p->state == DONE;
}

void wzp_pcap_player_tell(const wzp_pcap_player *p, wzp_pcap_player_report *out) {
    *out = p->report;
    out->duration_ns = p->last_sent - p->first_sent;
    out->error_p50_ns = percentile(&p->errors, 50);
    out->error_p99_ns = percentile(&p->errors, 99);
    out->error_max_ns = p->errors.max;
    memcpy(out->digest, p->sent.bytes, sizeof out->digest);
    wzp_pcap_guests_count(p->cfg.guests, &out->wire);
}

void wzp_pcap_player_foresee(const wzp_pcap_player *p, uint8_t digest[WZP_SHA256_LEN]) {
    uint8_t buf[PACKET_MAX];
    chain d = {{0}};
    for (uint32_t loop = 0; loop < p->cfg.loops; loop++) {
        for (size_t i = 0; i < p->count; i++) {
            const wzp_media_packet packet = wzp_pcap_player_packet(p, i, loop);
            note_packet(&d, wzp_pcap_plan_at(p->cfg.plan, i)->sender, write_packet(buf, &packet));
        }
    }
    memcpy(digest, d.bytes, sizeof d.bytes);
}
