/* Sound files as 48 kHz mono, 16 bit: whatever libsndfile reads is mixed down and resampled on the
 * way in (libsamplerate); WAV goes out. */
#ifndef WZP_IO_WAV_H
#define WZP_IO_WAV_H

#include "base/bytes.h"
#include "base/err.h"

#define WZP_WAV_RATE_HZ 48000
#define WZP_WAV_SAMPLES_MAX ((size_t)3600 * WZP_WAV_RATE_HZ) /* an hour: 346 MB */
#define WZP_WAV_WHY_MAX 512

/* The whole file; *samples is to be freed with free().  On failure `why` is one line: the file, and
 * what was expected; of a broken WAV file the chunk and its offset (riff.h).
 * WZP_ERR_IO, WZP_ERR_PARSE (no sound file, an empty one, or one that we do not take),
 * WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_wav_read(int16_t **samples, size_t *count, const char *path,
                                  char why[WZP_WAV_WHY_MAX]);

typedef struct wzp_wav_out wzp_wav_out;

/* Replaces what is there.  Errors as above. */
WZP_MUST_USE wzp_err wzp_wav_create(wzp_wav_out **out, const char *path, char why[WZP_WAV_WHY_MAX]);

/* The same with two channels: pcm is then left, right, left ..., and positions and counts are those
 * of pairs. */
WZP_MUST_USE wzp_err wzp_wav_create_stereo(wzp_wav_out **out, const char *path,
                                           char why[WZP_WAV_WHY_MAX]);

/* Writes pcm[samples] at `position` (in samples).  A gap before it becomes silence; what lies
 * before the end of what is written is skipped. WZP_ERR_IO: the disk is full, or the file has its
 * four gigabytes */
WZP_MUST_USE wzp_err wzp_wav_write_at(wzp_wav_out *wav, uint64_t position, const int16_t *pcm,
                                      size_t samples);

/* Completes the head and frees.  WZP_ERR_IO: not everything was written, now or before.  Accepts
 * NULL, leaves NULL. */
WZP_MUST_USE wzp_err wzp_wav_finish(wzp_wav_out **wav);

#endif
