/* WAV files as 48 kHz mono, whatever they are on disk. */
#ifndef WZP_BIN_WAV_H
#define WZP_BIN_WAV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads and resamples; *samples is to be freed.  False: `why` names the file and what was wrong. */
bool wzp_wav_read(const char *path, int16_t **samples, size_t *count, char why[256]);

typedef struct wzp_wav_writer wzp_wav_writer;

/* A fresh file, 48 kHz mono 16 bit.  NULL: `why` says why. */
wzp_wav_writer *wzp_wav_create(const char *path, char why[256]);

/* Writes at a position in samples; a gap before it becomes silence, what lies before the end of the
 * file is skipped. */
bool wzp_wav_write_at(wzp_wav_writer *writer, uint64_t at, const int16_t *samples, size_t count);
void wzp_wav_close(wzp_wav_writer **writer);

#endif
