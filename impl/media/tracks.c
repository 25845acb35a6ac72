#include "media/tracks.h"

enum {
    REACH_SEQ = 300,    /* packets: 6 s of 20 ms frames */
    REACH_TS_MS = 4000, /* tolerated distance from the line, beyond real pauses */
    SEEN_BITS = 64
};

static const uint64_t STALE = 30 * WZP_S;

void wzp_tracks_init(wzp_tracks *tracks) {
    *tracks = (wzp_tracks){.next_id = 1};
}

static int32_t signed_diff(uint32_t a, uint32_t b) {
    const uint32_t d = a - b;
    return d < UINT32_C(0x80000000) ? (int32_t)d : -(int32_t)(UINT32_MAX - d) - 1;
}

static int64_t magnitude(int64_t value) {
    return value < 0 ? -value : value;
}

static bool already_seen(const wzp_track *track, int32_t ahead) {
    return ahead <= 0 && -ahead < SEEN_BITS && ((track->seen >> -ahead) & 1) != 0;
}

static int64_t since_ms(wzp_time now, wzp_time then) {
    return (int64_t)(wzp_time_since(now, then) / WZP_MS);
}

/* How badly the packet fits the track's line, in milliseconds; -1: not at all.  The line is given
 * by the newest packet: `ahead` packets later the clock of the sender should show as much more as
 * the wall clock does. */
static int64_t misfit(const wzp_track *track, const wzp_media_hdr *hdr, wzp_time now) {
    const int32_t ahead = signed_diff(hdr->seq, track->highest_seq);
    if (!track->used || ahead > REACH_SEQ || ahead < -REACH_SEQ || already_seen(track, ahead)) {
        return -1;
    }
    const int64_t ts_step = signed_diff(hdr->timestamp_ms, track->highest_ts);
    const int64_t elapsed = since_ms(now, track->highest_at);
    const int64_t frame_ms = wzp_codec_find(hdr->codec_id)->frame_ms;
    const int64_t clock_error = magnitude(ts_step - elapsed);
    const int64_t step_error = magnitude(ts_step - ahead * frame_ms);
    /* A sender whose clock stood still or ran on during a pause fits one of the two. */
    const int64_t best = clock_error < step_error ? clock_error : step_error;
    return best > REACH_TS_MS ? -1 : clock_error + step_error;
}

static void update_jitter(wzp_track *track, const wzp_media_hdr *hdr, wzp_time now) {
    const int64_t transit_step =
        (int64_t)wzp_time_since(now, track->highest_at) -
        (int64_t)signed_diff(hdr->timestamp_ms, track->highest_ts) * (int64_t)WZP_MS;
    const uint64_t d = (uint64_t)magnitude(transit_step);
    if (d < 10 * WZP_S) { /* a pause is not jitter */
        track->jitter_ns_x16 += d - (track->jitter_ns_x16 + 8) / 16;
    }
}

static void take(wzp_track *track, const wzp_media_hdr *hdr, wzp_time now) {
    const int32_t ahead = signed_diff(hdr->seq, track->highest_seq);
    track->received++;
    track->last_at = now;
    if (ahead > 0) {
        update_jitter(track, hdr, now);
        track->seen = ahead >= SEEN_BITS ? 1 : (track->seen << ahead) | 1;
        track->expected += (uint32_t)ahead;
        track->highest_seq = hdr->seq;
        track->highest_ts = hdr->timestamp_ms;
        track->highest_at = now;
        return;
    }
    track->reordered++;
    if (-ahead < SEEN_BITS) {
        track->seen |= UINT64_C(1) << -ahead;
    }
    if ((uint64_t)-ahead >= track->expected) { /* older than the first one that arrived */
        track->expected = (uint64_t)-ahead + 1;
    }
}

static void open_track(wzp_tracks *tracks, wzp_track *track, const wzp_media_hdr *hdr,
                       wzp_time now) {
    *track = (wzp_track){.used = true,
                         .id = tracks->next_id++,
                         .highest_seq = hdr->seq,
                         .highest_ts = hdr->timestamp_ms,
                         .highest_at = now,
                         .seen = 1,
                         .last_at = now,
                         .received = 1,
                         .expected = 1};
}

/* One that was silent for long, or one that was never used. */
static int find_room(wzp_tracks *tracks, wzp_time now) {
    for (uint32_t i = 0; i < tracks->opened; i++) {
        if (wzp_time_since(now, tracks->tracks[i].last_at) > STALE) {
            return (int)i;
        }
    }
    return tracks->opened < WZP_TRACKS_MAX ? (int)tracks->opened++ : -1;
}

int wzp_tracks_place(wzp_tracks *tracks, const wzp_media_hdr *hdr, wzp_time now, bool *is_new) {
    int best = -1;
    int64_t best_misfit = 0;
    *is_new = false;
    for (int i = 0; i < (int)tracks->opened; i++) {
        const int64_t fit = misfit(&tracks->tracks[i], hdr, now);
        if (fit >= 0 && (best < 0 || fit < best_misfit)) {
            best = i;
            best_misfit = fit;
        }
    }
    if (best >= 0) {
        take(&tracks->tracks[best], hdr, now);
        return best;
    }
    best = find_room(tracks, now);
    if (best < 0) {
        tracks->no_room++;
        return -1;
    }
    *is_new = true;
    open_track(tracks, &tracks->tracks[best], hdr, now);
    return best;
}

uint64_t wzp_track_lost(const wzp_track *track) {
    return track->expected > track->received ? track->expected - track->received : 0;
}

uint64_t wzp_track_jitter(const wzp_track *track) {
    return track->jitter_ns_x16 / 16;
}
