/* Codec2 at 3200 and 1200 bit/s behind 48 kHz PCM (media sheet 2.4): frames are resampled to 8 kHz
 * and back by the Speex resampler, which adds 3 ms each way.  Everything is allocated at
 * creation; not thread-safe.  A build without libcodec2 or libspeexdsp has the functions and no
 * codec. */
#ifndef WZP_MEDIA_CODEC2_H
#define WZP_MEDIA_CODEC2_H

#include "base/bytes.h"
#include "base/err.h"
#include "wire/registry.h"

#define WZP_CODEC2_RATE_HZ 48000
#define WZP_CODEC2_PACKET_MAX 8 /* bytes of the longer coded frame */
#define WZP_CODEC2_MAX_FRAME_SAMPLES 1920

typedef struct wzp_codec2_enc wzp_codec2_enc;
typedef struct wzp_codec2_dec wzp_codec2_dec;

/* Was this built with Codec2? */
bool wzp_codec2_available(void);

/* 960 or 1920 samples at 48 kHz, 8 or 6 bytes; 0 for ids that are not Codec2. */
size_t wzp_codec2_frame_samples(uint8_t codec);
size_t wzp_codec2_frame_bytes(uint8_t codec);

/* WZP_ERR_INVALID_ARGUMENT: not a Codec2 id, or not available; WZP_ERR_NOMEM. */
WZP_MUST_USE wzp_err wzp_codec2_enc_new(wzp_codec2_enc **out, uint8_t codec);
void wzp_codec2_enc_free(wzp_codec2_enc **enc); /* accepts NULL, leaves NULL */

/* Encodes exactly one frame, pcm[wzp_codec2_frame_samples(codec)], into wzp_codec2_frame_bytes.
 * WZP_ERR_INVALID_ARGUMENT: wrong number of samples; nothing was encoded. */
WZP_MUST_USE wzp_err wzp_codec2_enc_frame(wzp_codec2_enc *enc, const int16_t *pcm, size_t samples,
                                          uint8_t out[WZP_CODEC2_PACKET_MAX], size_t *len);

/* WZP_ERR_INVALID_ARGUMENT: not a Codec2 id, or not available; WZP_ERR_NOMEM. */
WZP_MUST_USE wzp_err wzp_codec2_dec_new(wzp_codec2_dec **out, uint8_t codec);
void wzp_codec2_dec_free(wzp_codec2_dec **dec);

/* Decodes one frame into pcm[cap].  Bytes after the frame are ignored.
 * WZP_ERR_TRUNCATED: too few bytes; WZP_ERR_INVALID_ARGUMENT: `cap` is too small.  Either way
 * nothing was decoded; the codec conceals nothing, a lost frame is silence. */
WZP_MUST_USE wzp_err wzp_codec2_dec_frame(wzp_codec2_dec *dec, wzp_bytes packet, int16_t *pcm,
                                          size_t cap, size_t *samples);

/* What still comes out of the resampler when nothing follows: pcm[samples], a multiple of 6, fading
 * to silence. */
void wzp_codec2_dec_fade(wzp_codec2_dec *dec, int16_t *pcm, size_t samples);

#endif
