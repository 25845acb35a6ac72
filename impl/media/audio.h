/* All audio codecs of the registry behind one encoder and one decoder, 48 kHz mono (media sheet 2,
 * 3): Opus at six rates, Codec2 at two, comfort noise.
 *
 * The codec may change at every frame, in either direction and without negotiation; where it
 * changes to another kind, the old sound fades into the new one over 5 ms.  Everything is allocated
 * at creation; not thread-safe. */
#ifndef WZP_MEDIA_AUDIO_H
#define WZP_MEDIA_AUDIO_H

#include "media/opus.h"

#define WZP_AUDIO_RATE_HZ 48000
#define WZP_AUDIO_PACKET_MAX WZP_OPUS_PACKET_MAX /* bytes of a coded frame */
#define WZP_AUDIO_FRAME_MAX WZP_OPUS_FRAME_MAX   /* samples that a packet of a peer may hold */
#define WZP_AUDIO_SENT_MAX WZP_OPUS_MAX_FRAME_SAMPLES

/* Can this build encode and decode it?  Not comfort noise, which is not encoded. */
bool wzp_audio_is_codec(uint8_t codec);

/* --- sending ---------------------------------------------------------------------------------- */

typedef struct wzp_audio_enc wzp_audio_enc;

typedef struct wzp_audio_enc_cfg {
    uint8_t codec;
    bool legacy_fec; /* wzp_opus_enc_new_legacy_fec */
} wzp_audio_enc_cfg;

/* WZP_ERR_INVALID_ARGUMENT: no audio codec, or one that this build lacks; WZP_ERR_NOMEM. */
WZP_MUST_USE wzp_err wzp_audio_enc_new(wzp_audio_enc **out, const wzp_audio_enc_cfg *cfg);
void wzp_audio_enc_free(wzp_audio_enc **enc); /* accepts NULL, leaves NULL */

/* From the next frame on.  WZP_ERR_INVALID_ARGUMENT as above; nothing changed. */
WZP_MUST_USE wzp_err wzp_audio_enc_set_codec(wzp_audio_enc *enc, uint8_t codec);
uint8_t wzp_audio_enc_codec(const wzp_audio_enc *enc);

/* Samples of the next frame: 960 or 1920. */
size_t wzp_audio_enc_samples(const wzp_audio_enc *enc);

/* Of Opus; wzp_opus_enc_tune and wzp_opus_enc_set_complexity. */
void wzp_audio_enc_tune(wzp_audio_enc *enc, unsigned dred_10ms, unsigned loss_percent);
void wzp_audio_enc_set_complexity(wzp_audio_enc *enc, unsigned complexity);

/* Encodes exactly one frame, pcm[wzp_audio_enc_samples(enc)], into the payload of its packet.
 * WZP_ERR_INVALID_ARGUMENT: wrong number of samples; nothing was encoded. */
WZP_MUST_USE wzp_err wzp_audio_enc_frame(wzp_audio_enc *enc, const int16_t *pcm, size_t samples,
                                         uint8_t out[WZP_AUDIO_PACKET_MAX], size_t *len);

/* --- receiving -------------------------------------------------------------------------------- */

typedef struct wzp_audio_dec wzp_audio_dec;

typedef struct wzp_audio_dec_cfg {
    uint64_t noise_seed; /* comfort noise is the same for the same seed */
    bool is_direct;      /* without a jitter buffer: WZP_OPUS_DRED_DIRECT */
} wzp_audio_dec_cfg;

/* WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_audio_dec_new(wzp_audio_dec **out, const wzp_audio_dec_cfg *cfg);
void wzp_audio_dec_free(wzp_audio_dec **dec);

/* A packet has arrived and goes into the jitter buffer; `payload` is copied.  Not for repair
 * packets.  Any codec id is allowed. */
void wzp_audio_dec_arrive(wzp_audio_dec *dec, uint8_t codec, uint32_t timestamp_ms,
                          wzp_bytes payload);

/* How many ms before its own sound a payload has as well, as DRED that this decoder knows. */
uint32_t wzp_audio_dec_reach_ms(wzp_audio_dec *dec, uint8_t codec, wzp_bytes payload);

/* The stream starts anew: another sender, or the same one after a restart. */
void wzp_audio_dec_forget(wzp_audio_dec *dec);

/* Plays a packet whose turn has come into pcm[cap]; cap of WZP_AUDIO_FRAME_MAX always suffices.
 * WZP_ERR_CODEC      video, an unassigned id, or a codec that this build lacks
 * WZP_ERR_TRUNCATED  fewer bytes than a Codec2 frame has
 * WZP_ERR_PARSE      not an Opus packet
 * After an error nothing was written: call wzp_audio_dec_fill for the frame. */
WZP_MUST_USE wzp_err wzp_audio_dec_play(wzp_audio_dec *dec, uint8_t codec, wzp_bytes payload,
                                        int16_t *pcm, size_t cap, size_t *samples);

typedef enum wzp_audio_fill {
    WZP_AUDIO_LOST,  /* the packet of `timestamp_ms` is missing */
    WZP_AUDIO_ADDED, /* nothing is: playout shall be one frame later */
    WZP_AUDIO_PAUSE  /* the sender sent nothing on purpose */
} wzp_audio_fill;

/* Fills pcm[samples], one frame, where there is no packet.  What was Opus goes on by DRED, in-band
 * FEC or its own concealment; Codec2 has none and falls silent; noise stays noise. */
void wzp_audio_dec_fill(wzp_audio_dec *dec, wzp_audio_fill what, uint32_t timestamp_ms,
                        int16_t *pcm, size_t samples);

typedef struct wzp_audio_counters {
    wzp_opus_counters opus;
    uint64_t codec2_decoded, noise_frames, silent_frames;
    uint64_t refused;  /* packets that were not played */
    uint64_t switches; /* from one kind of codec to another */
} wzp_audio_counters;

void wzp_audio_dec_count(const wzp_audio_dec *dec, wzp_audio_counters *out);

#endif
