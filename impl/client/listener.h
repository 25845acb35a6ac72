/* One sender as a client hears it: what arrives goes in, what is due comes out.  Repair packets
 * bring back frames of Codec2 before the jitter buffer misses them, DRED those of Opus when it does
 * (media sheet 3, 7.5).
 *
 * Sans-IO, not thread-safe.  Allocates when it starts, and once more for the first Codec2. */
#ifndef WZP_CLIENT_LISTENER_H
#define WZP_CLIENT_LISTENER_H

#include "media/audio.h"
#include "media/jbuf.h"
#include "media/repair.h"

/* Zeroed: it has not started. */
typedef struct wzp_listener {
    wzp_jbuf *jbuf;
    wzp_audio_dec *dec;    /* NULL: in coded mode nothing is decoded */
    wzp_repair_in *repair; /* NULL: no Codec2 has come yet */
    bool in_noise;         /* what was played last is comfort noise: what is not sent is silence */
    uint64_t played;       /* samples */
    uint64_t not_sound, surplus; /* see wzp_listener_refused */
} wzp_listener;

/* Frames, of all senders together. */
typedef struct wzp_listener_counts {
    uint64_t played;    /* from their packets, or as repair packets brought them back in time */
    uint64_t concealed; /* nobody knew what they were */
    uint64_t recovered; /* lost, and brought back by other packets */
} wzp_listener_counts;

/* Packets and frames that were not played, by reason. */
typedef struct wzp_listener_refused {
    uint64_t not_sound;   /* video, or a codec of it */
    uint64_t surplus;     /* repair packets of a codec that has none */
    uint64_t repair;      /* symbols with a wrong index or size; what they gave back was no frame */
    uint64_t too_long;    /* longer than any frame */
    uint64_t duplicate;   /* there already */
    uint64_t late;        /* its time was over */
    uint64_t overrun;     /* the jitter buffer was full */
    uint64_t undecodable; /* what the codec does not understand, truncated frames for instance */
} wzp_listener_refused;

/* Anew, if it was started before.  False: out of memory, it has not started. */
bool wzp_listener_start(wzp_listener *listener, bool coded, uint64_t noise_seed);
void wzp_listener_clear(wzp_listener *listener);

/* An audio packet; those that cannot be played are counted (add_refused). */
void wzp_listener_take(wzp_listener *listener, const wzp_media_packet *packet, wzp_time now,
                       wzp_listener_counts *counts);

typedef struct wzp_listener_out {
    wzp_jbuf_kind kind;
    uint64_t at_sample; /* since the first frame was played */
    wzp_bytes payload; /* in coded mode: borrowed until the next call; empty unless it is a frame */
    const int16_t *pcm; /* the buffer that was lent, NULL in coded mode */
    size_t samples;
} wzp_listener_out;

/* What is due at `now`.  Pauses are told in coded mode only: they have no sound. */
bool wzp_listener_next(wzp_listener *listener, wzp_time now, int16_t pcm[WZP_AUDIO_FRAME_MAX],
                       wzp_listener_out *out, wzp_listener_counts *counts);

/* Adds to *sum what it has refused since it was started. */
void wzp_listener_add_refused(const wzp_listener *listener, wzp_listener_refused *sum);

wzp_time wzp_listener_deadline(const wzp_listener *listener);

#endif
