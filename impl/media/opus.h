/* Opus with the deployed settings, 48 kHz mono (media sheet 2.2, 2.3, 3).
 *
 * An encoder per direction with every control that deployed clients set, and a decoder that fills
 * gaps: with deep redundancy (DRED) where a packet after the gap carries it, with in-band FEC where
 * the next one does, else with the decoder's own concealment.  Everything is allocated at creation
 * and nothing afterwards; not thread-safe. */
#ifndef WZP_MEDIA_OPUS_H
#define WZP_MEDIA_OPUS_H

#include "base/bytes.h"
#include "base/err.h"
#include "wire/registry.h"

#define WZP_OPUS_RATE_HZ 48000
#define WZP_OPUS_PACKET_MAX 512         /* bytes of one coded frame (media sheet 2.2) */
#define WZP_OPUS_FRAME_MAX 5760         /* samples: 120 ms, the longest Opus packet */
#define WZP_OPUS_MAX_FRAME_SAMPLES 1920 /* samples of the longest frame that is sent: 40 ms */
#define WZP_OPUS_DRED_MAX 104           /* units of 10 ms */
#define WZP_OPUS_LOSS_FLOOR 15          /* per cent; libopus sizes DRED by the expected loss */

typedef struct wzp_opus_enc wzp_opus_enc;
typedef struct wzp_opus_dec wzp_opus_dec;

/* Samples per frame of an Opus codec id: 960 or 1920; 0 for any other id. */
size_t wzp_opus_frame_samples(uint8_t codec);

/* The DRED duration of a codec in units of 10 ms, as set when the codec is; 0 for other ids. */
uint8_t wzp_opus_dred_10ms(uint8_t codec);

/* False when libopus was built without DRED: it is then neither sent nor used. */
bool wzp_opus_has_dred(void);

/* How many chunks of 40 ms of DRED libopus 1.5 makes room for in a packet of `samples` samples;
 * 1 counts as none set aside, though one may still be squeezed in (media sheet 2.3). */
unsigned wzp_opus_dred_chunks(uint32_t bps, size_t samples, unsigned loss_percent,
                              unsigned dred_10ms);

/* --- encoder ---------------------------------------------------------------------------------- */

/* WZP_ERR_INVALID_ARGUMENT: not an Opus codec id; WZP_ERR_NOMEM. */
WZP_MUST_USE wzp_err wzp_opus_enc_new(wzp_opus_enc **out, uint8_t codec);

/* The same with in-band FEC (LBRR) in the place of DRED, and an expected loss of 0 until
 * wzp_opus_enc_tune: what a deployed client does with AUDIO_USE_LEGACY_FEC in its environment. */
WZP_MUST_USE wzp_err wzp_opus_enc_new_legacy_fec(wzp_opus_enc **out, uint8_t codec);

/* Is that what a value of AUDIO_USE_LEGACY_FEC asks for?  NULL (not set), "", "0" and "false" in
 * any case do not. */
bool wzp_opus_legacy_fec_asked(const char *value);

/* Accepts NULL, leaves NULL; as all functions of this kind here. */
void wzp_opus_enc_free(wzp_opus_enc **enc);

/* Applies bitrate, DRED duration and expected loss of another Opus codec; takes effect with the
 * next frame.  WZP_ERR_INVALID_ARGUMENT: not an Opus codec id; nothing changed. */
WZP_MUST_USE wzp_err wzp_opus_enc_set_codec(wzp_opus_enc *enc, uint8_t codec);

/* What the DRED tuner found: duration in units of 10 ms (at most WZP_OPUS_DRED_MAX) and expected
 * loss in per cent (WZP_OPUS_LOSS_FLOOR to 100); others are clamped.  With legacy FEC the duration
 * is ignored and the loss has no floor.  The next wzp_opus_enc_set_codec undoes it. */
void wzp_opus_enc_tune(wzp_opus_enc *enc, unsigned dred_10ms, unsigned loss_percent);

/* 0 to 10; larger ones are clamped.  7 at creation; a change of codec keeps it. */
void wzp_opus_enc_set_complexity(wzp_opus_enc *enc, unsigned complexity);

/* What comes next has nothing to do with what came before. */
void wzp_opus_enc_reset(wzp_opus_enc *enc);

/* Every control, read back from libopus. */
typedef struct wzp_opus_settings {
    int32_t bitrate_bps, sample_rate_hz;
    bool is_voip, is_voice, dtx, vbr, vbr_constrained, auto_bandwidth;
    uint8_t complexity, inband_fec, loss_percent, dred_10ms;
    uint16_t frame_samples;
} wzp_opus_settings;

void wzp_opus_enc_read(const wzp_opus_enc *enc, wzp_opus_settings *out);

/* Encodes exactly one frame: pcm[wzp_opus_frame_samples(codec)].  `out` has room for
 * WZP_OPUS_PACKET_MAX bytes.
 * WZP_ERR_INVALID_ARGUMENT: wrong number of samples; nothing was encoded. */
WZP_MUST_USE wzp_err wzp_opus_enc_frame(wzp_opus_enc *enc, const int16_t *pcm, size_t samples,
                                        uint8_t *out, size_t *len);

/* --- decoder ---------------------------------------------------------------------------------- */

#define WZP_OPUS_RING 32         /* packets that wait for a gap before them */
#define WZP_OPUS_DRED_FRAMES 128 /* how far after a gap a packet may be, behind a jitter buffer */
#define WZP_OPUS_DRED_DIRECT 16  /* and for a receiver without one */

typedef struct wzp_opus_counters {
    uint64_t decoded;              /* packets */
    uint64_t dred_reconstructions; /* frames */
    uint64_t inband_fec;           /* frames */
    uint64_t classical_plc;        /* frames */
    uint64_t silent;               /* frames that libopus did not even conceal */
    uint64_t undecodable;          /* packets that are not Opus */
} wzp_opus_counters;

/* WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_opus_dec_new(wzp_opus_dec **out);
void wzp_opus_dec_free(wzp_opus_dec **dec);

/* How many frames after a gap a packet may be and still fill it; WZP_OPUS_DRED_FRAMES at creation,
 * 0: no DRED. */
void wzp_opus_dec_limit_dred(wzp_opus_dec *dec, unsigned frames);

/* A packet has arrived, and is or will be played when its turn comes: its DRED may fill a gap
 * before it.  `packet` is copied; one that is longer than WZP_OPUS_PACKET_MAX is ignored.  It is
 * looked into only when a gap is there. */
void wzp_opus_dec_arrive(wzp_opus_dec *dec, uint32_t timestamp_ms, wzp_bytes packet);

/* Forgets what has arrived: the stream starts anew. */
void wzp_opus_dec_forget(wzp_opus_dec *dec);

/* Decodes one packet into pcm[cap]; cap of WZP_OPUS_FRAME_MAX always suffices.
 * WZP_ERR_PARSE: not an Opus packet; the decoder stays usable, conceal instead. */
WZP_MUST_USE wzp_err wzp_opus_dec_frame(wzp_opus_dec *dec, wzp_bytes packet, int16_t *pcm,
                                        size_t cap, size_t *samples);

typedef enum wzp_concealment {
    WZP_CONCEALED_BY_DRED,
    WZP_CONCEALED_BY_FEC, /* in-band, of the very next packet; from senders that were asked for it
                           */
    WZP_CONCEALED_BY_PLC,
    WZP_CONCEALED_BY_SILENCE
} wzp_concealment;

/* Fills pcm[samples], one frame, for the packet of `timestamp_ms` that is missing.  Of the packets
 * that have arrived, the one closest after the gap whose DRED reaches back to it serves (media
 * sheet 3, REF).  The timestamp says how far: sequence numbers also count repair packets, and
 * frames of 20 and 40 ms alike. */
wzp_concealment wzp_opus_dec_recover(wzp_opus_dec *dec, uint32_t timestamp_ms, int16_t *pcm,
                                     size_t samples);

/* The same without DRED, when nothing is missing or nobody knows what; silence if the decoder
 * cannot. */
void wzp_opus_dec_conceal(wzp_opus_dec *dec, int16_t *pcm, size_t samples);

/* What would be heard next if nothing came, pcm[samples]; counts as no concealment.  For a change
 * to another codec. */
void wzp_opus_dec_continue(wzp_opus_dec *dec, int16_t *pcm, size_t samples);

/* The next packet has nothing to do with what was decoded before; arrivals stay. */
void wzp_opus_dec_restart(wzp_opus_dec *dec);

void wzp_opus_dec_count(const wzp_opus_dec *dec, wzp_opus_counters *out);

/* Samples before its own sound that the DRED of a packet reaches back; 0: it has none that this
 * decoder knows.  Overwrites nothing that matters. */
size_t wzp_opus_dec_dred_reach(wzp_opus_dec *dec, wzp_bytes packet);

#endif
