/* One stream of a capture as sound: 48 kHz, mono, 16 bit, on the sender's clock.
 *
 * Packets are put into the order of their sequence numbers in a window of WZP_PCAP_SOUND_WINDOW;
 * repair packets give back what they can, then DRED, in-band FEC and concealment fill what is
 * missing, as a client would that has time.  Pauses of the sender stay pauses: sequence numbers
 * tell them from losses.  Sans-IO, bounded, not thread-safe. */
#ifndef WZP_PCAP_MEDIA_SOUND_H
#define WZP_PCAP_MEDIA_SOUND_H

#include "media/audio.h"
#include "wire/media.h"

#define WZP_PCAP_SOUND_WINDOW 128     /* packets that wait for earlier ones */
#define WZP_PCAP_SOUND_JUMP 3000      /* sequence numbers: a sender that starts anew */
#define WZP_PCAP_SOUND_GAP_MS 3600000 /* no pause lasts longer: it is another clock */
#define WZP_PCAP_SOUND_FILL_MS 10000  /* longer gaps are silence from there on */

/* pcm[samples] at `position`, in samples from the stream's first; positions only grow, and may
 * leave gaps: silence.  Borrowed for the call. */
typedef void wzp_pcap_pcm(void *ctx, uint64_t position, const int16_t *pcm, size_t samples);

typedef struct wzp_pcap_sound wzp_pcap_sound;

/* WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_sound_new(wzp_pcap_sound **out, wzp_pcap_pcm *pcm, void *ctx);
/* Accepts NULL, leaves NULL.  What waits is not played: see wzp_pcap_sound_end. */
void wzp_pcap_sound_free(wzp_pcap_sound **sound);

/* A packet of the stream, source or repair, its payload in clear; copied. */
void wzp_pcap_sound_take(wzp_pcap_sound *sound, const wzp_media_packet *packet, uint64_t time_ns);

/* Plays all that waits. */
void wzp_pcap_sound_end(wzp_pcap_sound *sound);

typedef struct wzp_pcap_sound_counters {
    uint64_t played;           /* packets */
    uint64_t repaired;         /* of these, brought back by repair packets */
    uint64_t filled_ms;        /* in the place of lost packets */
    uint64_t paused_ms;        /* the sender sent nothing on purpose */
    uint64_t silent_ms;        /* of losses longer than WZP_PCAP_SOUND_FILL_MS */
    uint64_t duplicates, late; /* late: their turn was over */
    uint64_t refused;          /* not audio, too long, or not what the codec takes */
    uint64_t restarts; /* jumps of numbers, or of times by more than WZP_PCAP_SOUND_GAP_MS */
} wzp_pcap_sound_counters;

const wzp_pcap_sound_counters *wzp_pcap_sound_count(const wzp_pcap_sound *sound);

/* How the losses were filled: DRED, FEC, concealment. */
void wzp_pcap_sound_codecs(const wzp_pcap_sound *sound, wzp_audio_counters *out);

#endif
