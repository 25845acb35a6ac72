/* How much of what others send is lost on the way to us: what the gaps in their sequence numbers
 * tell, and streams that stand still though they never paused.
 *
 * What a sender loses on its own way to the relay leaves gaps, too, and no header says where.  But
 * our way down loses packets of everybody alike: the sender who loses least tells how much that is,
 * and the others report the rest themselves.  Where there is only one, its losses are ours to tell:
 * its own reports travel with the packets that are lost.
 *
 * Deployed senders never pause without a word: who is muted sends silence, who suppresses it sends
 * comfort noise.  A stream that paused once is believed the next time; one that stands still for
 * WZP_RECEPTION_GONE has ended.
 *
 * Plain struct, no memory. */
#ifndef WZP_CLIENT_RECEPTION_H
#define WZP_CLIENT_RECEPTION_H

#include "media/tracks.h"

#define WZP_RECEPTION_MIN 10 /* fewer packets of a sender say nothing: its window stays open */
#define WZP_RECEPTION_QUIET (500 * WZP_MS)
#define WZP_RECEPTION_GONE (5 * WZP_S)
#define WZP_RECEPTION_RUN 50 /* packets without a pause that make a stream */

typedef struct wzp_reception_stream {
    uint32_t id; /* of the track; 0: none */
    uint32_t last_seq, last_ts, run;
    bool pauses;
    uint16_t frame_ms;
    wzp_time last_at;
    uint64_t expected, lost; /* when the window was opened, what is overdue included */
} wzp_reception_stream;

/* All zeros at the start. */
typedef struct wzp_reception {
    wzp_reception_stream streams[WZP_TRACKS_MAX]; /* of the tracks with the same index */
} wzp_reception;

/* A packet of the track with this index. */
void wzp_reception_packet(wzp_reception *reception, int index, const wzp_track *track,
                          const wzp_media_hdr *hdr, wzp_time now);

/* Somebody left the room, and nobody says whose stream ends: those that go on must prove it. */
void wzp_reception_left(wzp_reception *reception);

/* Ends the windows that began with the last call.  Parts per million; 0 if nobody sent enough. */
uint32_t wzp_reception_measure(wzp_reception *reception, const wzp_tracks *tracks, wzp_time now);

#endif
