/* The 32-byte seed on disk: 64 hexadecimal digits, white space around them ignored (relay sheet
 * 2.1).  Unlike the deployed programs we never replace a file that we cannot use: that would change
 * who we are, without a word. */
#ifndef WZP_IO_IDENTITY_FILE_H
#define WZP_IO_IDENTITY_FILE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/rng.h"

typedef enum wzp_identity_origin {
    WZP_IDENTITY_READ,
    WZP_IDENTITY_MADE,   /* there was no file: a new seed is in it now, for the owner only */
    WZP_IDENTITY_EXPOSED /* read, but others than the owner can read it as well */
} wzp_identity_origin;

#define WZP_IDENTITY_WHY_MAX 512

/* `regenerate`: a new seed replaces whatever is there.  On failure `why` is one line that names the
 * file, and what was expected in it.
 * WZP_ERR_IO, WZP_ERR_PARSE (content) */
WZP_MUST_USE wzp_err wzp_identity_file_load(uint8_t seed[32], const char *path, bool regenerate,
                                            wzp_rng rng, wzp_identity_origin *origin,
                                            char why[WZP_IDENTITY_WHY_MAX]);

#endif
