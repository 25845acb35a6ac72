/* Sound files as 48 kHz mono, 16 bit: whatever libsndfile reads is mixed down and resampled on the
 * way in (libsamplerate); WAV goes out. */
#ifndef WZP_IO_WAV_H
#define WZP_IO_WAV_H

#include "base/bytes.h"
#include "base/err.h"

#define WZP_WAV_RATE_HZ 48000
#define WZP_WAV_WHY_MAX 512

typedef struct wzp_wav_in wzp_wav_in;

/* On failure `why` is one line: the file, and what was expected.
 * WZP_ERR_IO, WZP_ERR_PARSE (no sound file, or one that we do not take), WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_wav_open(wzp_wav_in **out, const char *path, char why[WZP_WAV_WHY_MAX]);

/* Fills pcm[samples]; returns how many there were, fewer only at the end of the file. */
size_t wzp_wav_read(wzp_wav_in *wav, int16_t *pcm, size_t samples);

/* Length in samples at 48 kHz, as the file's head announces it. */
uint64_t wzp_wav_samples(const wzp_wav_in *wav);

/* Accepts NULL, leaves NULL. */
void wzp_wav_close(wzp_wav_in **wav);

typedef struct wzp_wav_out wzp_wav_out;

/* Replaces what is there.  Errors as above. */
WZP_MUST_USE wzp_err wzp_wav_create(wzp_wav_out **out, const char *path, char why[WZP_WAV_WHY_MAX]);

/* A failed write shows at the end. */
void wzp_wav_write(wzp_wav_out *wav, const int16_t *pcm, size_t samples);

/* Completes the head and frees.  WZP_ERR_IO: not everything was written.  Accepts NULL, leaves
 * NULL. */
WZP_MUST_USE wzp_err wzp_wav_finish(wzp_wav_out **wav);

#endif
