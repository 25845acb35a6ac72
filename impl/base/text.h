/* Text that came from elsewhere, a character at a time: whatever bytes it holds, what is read from
 * it can be shown. */
#ifndef WZP_BASE_TEXT_H
#define WZP_BASE_TEXT_H

#include "base/bytes.h"

#define WZP_TEXT_REPLACEMENT UINT32_C(0xfffd)

/* The first code point of `rest`, which is not empty and moves on.  Bytes that are not UTF-8 give
 * U+FFFD one by one, and so do noncharacters and surrogates. */
uint32_t wzp_text_next(wzp_bytes *rest);

/* As UTF-8; returns how many bytes.  `c` is what wzp_text_next gives. */
size_t wzp_text_encode(char out[4], uint32_t c);

/* Controls, and marks that change the direction of what follows: text must not look like other
 * text, nor act on a terminal. */
bool wzp_text_is_control(uint32_t c);

/* What stands for the character in HTML and XML, in elements and in quoted attributes: "&lt;";
 * NULL: the character itself. */
const char *wzp_text_entity(uint32_t c);

#endif
