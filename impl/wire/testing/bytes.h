/* Shared by the tests of wire: hexadecimal tables and exact copies. */
#ifndef WZP_WIRE_TESTING_BYTES_H
#define WZP_WIRE_TESTING_BYTES_H

#include <check.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/testing/suite.h"

/* Digits with blanks between them into `buf`. */
static inline wzp_bytes unhex(uint8_t *buf, size_t cap, const char *text) {
    size_t len = 0;
    for (; *text != '\0'; text++) {
        if (*text == ' ') {
            continue;
        }
        ck_assert_uint_lt(len, cap);
        ck_assert(wzp_hex_parse(&buf[len++], 1, text, 2, NULL) == WZP_OK);
        text++;
    }
    return wzp_bytes_of(buf, len);
}

/* A copy in memory of exactly its size, so that a sanitizer sees reads past the end; free it. */
static inline uint8_t *exact(const uint8_t *data, size_t len) {
    uint8_t *copy = malloc(len != 0 ? len : 1);
    ck_assert_ptr_nonnull(copy);
    if (len != 0) {
        memcpy(copy, data, len);
    }
    return copy;
}

/* Characters without their terminator. */
static inline void put(char *at, const char *text) {
    while (*text != '\0') {
        *at++ = *text++;
    }
}

#define CK_ASSERT_BYTES(got, want)                                                                 \
    do {                                                                                           \
        const wzp_bytes got_ = (got);                                                              \
        const wzp_bytes want_ = (want);                                                            \
        ck_assert_uint_eq(got_.len, want_.len);                                                    \
        ck_assert(wzp_bytes_equal(got_, want_));                                                   \
    } while (0)

#endif
