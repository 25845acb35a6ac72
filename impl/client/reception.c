#include "client/reception.h"

enum { MILLION = 1000000 };

/* The clock ran on between two packets in sequence, or there is nothing but noise. */
static bool is_pause(const wzp_reception_stream *s, const wzp_media_hdr *hdr) {
    const uint32_t step = hdr->timestamp_ms - s->last_ts;
    return hdr->codec_id == WZP_CODEC_COMFORT_NOISE ||
           (hdr->seq == s->last_seq + 1 && step > 2U * s->frame_ms && step < UINT32_MAX / 2);
}

void wzp_reception_packet(wzp_reception *r, int index, const wzp_track *track,
                          const wzp_media_hdr *hdr, wzp_time now) {
    wzp_reception_stream *s = &r->streams[index];
    if (s->id != track->id) {
        *s = (wzp_reception_stream){.id = track->id};
    } else {
        s->pauses = s->pauses || is_pause(s, hdr);
    }
    s->run += s->run < WZP_RECEPTION_RUN ? 1 : 0;
    s->last_seq = hdr->seq;
    s->last_ts = hdr->timestamp_ms;
    s->last_at = now;
    s->frame_ms = wzp_codec_find(hdr->codec_id)->frame_ms;
}

void wzp_reception_left(wzp_reception *r) {
    for (size_t i = 0; i < WZP_TRACKS_MAX; i++) {
        r->streams[i].run = 0;
    }
}

/* Packets that should have come since the last one. */
static uint64_t overdue(const wzp_reception_stream *s, wzp_time now) {
    const uint64_t quiet = wzp_time_since(now, s->last_at);
    const bool runs = s->run == WZP_RECEPTION_RUN && !s->pauses;
    return runs && quiet > WZP_RECEPTION_QUIET && quiet < WZP_RECEPTION_GONE
               ? quiet / (s->frame_ms * WZP_MS)
               : 0;
}

/* False if the stream has too little to say; its window then stays open.  What was overdue may turn
 * out not to be lost: totals then go back, and the window begins anew. */
static bool close_window(wzp_reception_stream *s, const wzp_track *track, wzp_time now,
                         uint32_t *loss_ppm) {
    const uint64_t late = overdue(s, now);
    const uint64_t expected = track->expected + late;
    const uint64_t lost = wzp_track_lost(track) + late;
    const bool went_back = expected < s->expected;
    const uint64_t since = went_back ? 0 : expected - s->expected;
    const uint64_t missing = lost > s->lost ? lost - s->lost : 0;
    if (!went_back && since < WZP_RECEPTION_MIN) {
        return false;
    }
    s->expected = expected;
    s->lost = lost;
    if (!went_back) {
        *loss_ppm = (uint32_t)((missing < since ? missing : since) * MILLION / since);
    }
    return !went_back;
}

uint32_t wzp_reception_measure(wzp_reception *r, const wzp_tracks *tracks, wzp_time now) {
    uint32_t least = MILLION;
    uint32_t ppm = 0;
    bool any = false;
    for (uint32_t i = 0; i < tracks->opened; i++) {
        wzp_reception_stream *s = &r->streams[i];
        if (s->id != 0 && s->id == tracks->tracks[i].id &&
            close_window(s, &tracks->tracks[i], now, &ppm)) {
            least = ppm < least ? ppm : least;
            any = true;
        }
    }
    return any ? least : 0;
}
