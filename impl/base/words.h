/* Looking for words in text that is a view. */
#ifndef WZP_BASE_WORDS_H
#define WZP_BASE_WORDS_H

#include "base/bytes.h"

static inline bool wzp_words_begin(wzp_bytes text, const char *word) {
    const size_t len = strlen(word);
    return text.len >= len && memcmp(text.data, word, len) == 0;
}

/* What is left behind the first `len` octets, of which there are so many. */
static inline wzp_bytes wzp_words_after(wzp_bytes text, size_t len) {
    return wzp_bytes_of(text.data + len, text.len - len);
}

/* Where the word begins; the length of the text: nowhere. */
static inline size_t wzp_words_find(wzp_bytes text, const char *word) {
    size_t i = 0;
    while (i < text.len && !wzp_words_begin(wzp_words_after(text, i), word)) {
        i++;
    }
    return i;
}

#endif
