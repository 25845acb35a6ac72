/* What is wrong with a WAV file: the chunk, and where it begins.  libsndfile only says that it will
 * not read one.  No OS calls. */
#ifndef WZP_IO_RIFF_H
#define WZP_IO_RIFF_H

#include "base/bytes.h"

#define WZP_RIFF_WHY_MAX 160

/* `head` is the beginning of a file of `file_size` bytes.  The first fault goes to `why`, as
 *
 *     chunk "fmt " at byte 12: expected 16 bytes or more, found 8
 *
 * False: there is none in what `head` shows; then `why` is empty. */
bool wzp_riff_fault(wzp_bytes head, uint64_t file_size, char why[WZP_RIFF_WHY_MAX]);

#endif
