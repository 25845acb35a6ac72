/* Views over memory.  A view never owns: whoever lends it says until when it is valid. */
#ifndef WZP_BASE_BYTES_H
#define WZP_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct wzp_bytes {
    const uint8_t *data;
    size_t len;
} wzp_bytes;

#define WZP_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The object whose member `at` points to. */
#define WZP_OWNER_OF(at, type, member) ((type *)(void *)((char *)(at)-offsetof(type, member)))

static inline wzp_bytes wzp_bytes_of(const void *data, size_t len) {
    return (wzp_bytes){(const uint8_t *)data, len};
}

/* The characters of a string without its terminator. */
static inline wzp_bytes wzp_bytes_str(const char *text) {
    return (wzp_bytes){(const uint8_t *)text, strlen(text)};
}

/* For libraries that take what they do not change without `const`. */
static inline void *wzp_drop_const(const void *data) {
    const union {
        const void *in;
        void *out;
    } same = {data};
    return same.out;
}

/* Not for secrets: use wzp_crypto_equal there. */
static inline bool wzp_bytes_equal(wzp_bytes a, wzp_bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

#endif
