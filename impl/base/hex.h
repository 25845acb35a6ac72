/* Hexadecimal text. */
#ifndef WZP_BASE_HEX_H
#define WZP_BASE_HEX_H

#include "base/bytes.h"
#include "base/err.h"

/* Writes 2 * bytes.len lower-case digits and a terminator; `out` must have room for them. */
char *wzp_hex_write(char *out, wzp_bytes bytes);

/* Exactly 2 * len digits of either case, `text_len` characters in all.
 * WZP_ERR_HEX: another length or another character; `out` may then be partly written and *bad_at
 * (if not NULL) holds the index of the first offending character, or text_len if the length is
 * wrong. */
WZP_MUST_USE wzp_err wzp_hex_parse(uint8_t *out, size_t len, const char *text, size_t text_len,
                                   size_t *bad_at);

#endif
