/* The 32-byte seed on disk: 64 hexadecimal digits, white space around them ignored (relay sheet
 * 2.1).  Unlike the deployed programs we do not replace a file that we cannot use unless we are
 * told to: that would change who we are, without a word. */
#ifndef WZP_IO_IDENTITY_FILE_H
#define WZP_IO_IDENTITY_FILE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/rng.h"

/* What becomes of a file that cannot be used: KEEP fails, REPLACE_BAD keeps it as PATH.bad and goes
 * on with a new seed, as deployed relays do without keeping it.  REPLACE makes a new seed in any
 * case. */
typedef enum wzp_identity_policy {
    WZP_IDENTITY_KEEP,
    WZP_IDENTITY_REPLACE_BAD,
    WZP_IDENTITY_REPLACE
} wzp_identity_policy;

typedef enum wzp_identity_origin {
    WZP_IDENTITY_READ,
    WZP_IDENTITY_MADE,    /* there was no file: a new seed is in it now, for the owner only */
    WZP_IDENTITY_EXPOSED, /* read, but others than the owner can read it as well */
    WZP_IDENTITY_RENEWED  /* it could not be used: a new seed is there, the old file is PATH.bad */
} wzp_identity_origin;

#define WZP_IDENTITY_WHY_MAX 512

/* On failure, and where the origin is RENEWED, `why` is one line that names the file, and what was
 * expected in it.
 * WZP_ERR_IO, WZP_ERR_PARSE (content) */
WZP_MUST_USE wzp_err wzp_identity_file_load(uint8_t seed[32], const char *path,
                                            wzp_identity_policy policy, wzp_rng rng,
                                            wzp_identity_origin *origin,
                                            char why[WZP_IDENTITY_WHY_MAX]);

#endif
