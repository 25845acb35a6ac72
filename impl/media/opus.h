/* Opus with the deployed encoder settings (media sheet 2.2), 48 kHz mono.
 *
 * Thin: one encoder or decoder per direction, allocated at creation and never afterwards.  DRED
 * is requested per codec where libopus was built with it. */
#ifndef WZP_MEDIA_OPUS_H
#define WZP_MEDIA_OPUS_H

#include "base/bytes.h"
#include "base/err.h"
#include "wire/registry.h"

#define WZP_OPUS_RATE_HZ 48000
#define WZP_OPUS_PACKET_MAX 512         /* bytes of one coded frame (media sheet 2.2) */
#define WZP_OPUS_FRAME_MAX 5760         /* samples: 120 ms, the longest Opus packet */
#define WZP_OPUS_MAX_FRAME_SAMPLES 1920 /* samples of the longest frame that is sent: 40 ms */

typedef struct wzp_opus_enc wzp_opus_enc;
typedef struct wzp_opus_dec wzp_opus_dec;

/* Samples per frame of an Opus codec id: 960 or 1920; 0 for any other id. */
size_t wzp_opus_frame_samples(uint8_t codec);

/* WZP_ERR_INVALID_ARGUMENT: not an Opus codec id; WZP_ERR_NOMEM. */
WZP_MUST_USE wzp_err wzp_opus_enc_new(wzp_opus_enc **out, uint8_t codec);
void wzp_opus_enc_free(wzp_opus_enc **enc);

/* Applies bitrate, DRED duration and expected loss of another Opus codec; takes effect with the
 * next frame.  WZP_ERR_INVALID_ARGUMENT: not an Opus codec id; nothing changed. */
WZP_MUST_USE wzp_err wzp_opus_enc_set_codec(wzp_opus_enc *enc, uint8_t codec);

/* Encodes exactly one frame: pcm[wzp_opus_frame_samples(codec)].  `out` has room for
 * WZP_OPUS_PACKET_MAX bytes.
 * WZP_ERR_INVALID_ARGUMENT: wrong number of samples; nothing was encoded. */
WZP_MUST_USE wzp_err wzp_opus_enc_frame(wzp_opus_enc *enc, const int16_t *pcm, size_t samples,
                                        uint8_t *out, size_t *len);

/* WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_opus_dec_new(wzp_opus_dec **out);
void wzp_opus_dec_free(wzp_opus_dec **dec);

/* Decodes one packet into pcm[cap]; cap of WZP_OPUS_FRAME_MAX always suffices.
 * WZP_ERR_PARSE: not an Opus packet; the decoder stays usable, conceal instead. */
WZP_MUST_USE wzp_err wzp_opus_dec_frame(wzp_opus_dec *dec, wzp_bytes packet, int16_t *pcm,
                                        size_t cap, size_t *samples);

/* Fills pcm[samples] for a packet that is missing; silence if the decoder cannot. */
void wzp_opus_dec_conceal(wzp_opus_dec *dec, int16_t *pcm, size_t samples);

#endif
