/* Which sender does a packet come from?  A relay forwards media untouched and the header names no
 * sender, so a room with several speakers is one interleaved flow.  Each sender's sequence number,
 * timestamp and arrival time run on a straight line of their own: a packet goes to the line that
 * it continues best, or starts a new one.
 *
 * Sans-IO, bounded, not thread-safe; no allocation. */
#ifndef WZP_MEDIA_TRACKS_H
#define WZP_MEDIA_TRACKS_H

#include "base/time.h"
#include "wire/media.h"

#define WZP_TRACKS_MAX 32

typedef struct wzp_track {
    bool used;
    uint32_t id; /* 1, 2, ... in order of appearance; never reused */
    uint32_t highest_seq;
    uint32_t highest_ts;
    wzp_time highest_at; /* arrival of the packet with highest_seq */
    uint64_t seen;       /* bit i: highest_seq - i arrived */
    wzp_time last_at;
    uint64_t received, reordered;
    uint64_t expected;      /* highest - first + 1 on the unwrapped sequence number */
    uint64_t jitter_ns_x16; /* RFC 3550, 6.4.1, scaled by 16 */
} wzp_track;

typedef struct wzp_tracks {
    uint32_t opened; /* how many were ever used: the others need not be looked at */
    uint32_t next_id;
    wzp_track tracks[WZP_TRACKS_MAX];
    uint64_t no_room; /* packets that matched no track while all were in use */
} wzp_tracks;

void wzp_tracks_init(wzp_tracks *tracks);

/* The index of the packet's track, or -1 (counted in no_room).  *is_new if it was just opened: an
 * index may then have been taken over from a track that was silent for 30 s. */
int wzp_tracks_place(wzp_tracks *tracks, const wzp_media_hdr *hdr, wzp_time now, bool *is_new);

/* Packets of the track that never came, as far as sequence numbers tell. */
uint64_t wzp_track_lost(const wzp_track *track);

/* Interarrival jitter in ns (RFC 3550, 6.4.1). */
uint64_t wzp_track_jitter(const wzp_track *track);

#endif
