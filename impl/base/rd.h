/* Bounds-checked reader.  Three pointers and a sticky failure: after the first failed read every
 * read returns 0 and does not move, so that a parser reads like the specification's figure and
 * checks once, at its end.  All integers are big-endian. */
#ifndef WZP_BASE_RD_H
#define WZP_BASE_RD_H

#include "base/bytes.h"
#include "base/err.h"

typedef struct wzp_rd {
    const uint8_t *base, *pos, *end; /* base <= pos <= end */
    wzp_fail fail;                   /* .code is WZP_OK until something failed */
} wzp_rd;

/* Borrows `input` for as long as the reader and the views that it returns are used. */
void wzp_rd_init(wzp_rd *rd, wzp_bytes input);

static inline size_t wzp_rd_left(const wzp_rd *rd) {
    return (size_t)(rd->end - rd->pos);
}

static inline size_t wzp_rd_offset(const wzp_rd *rd) {
    return (size_t)(rd->pos - rd->base);
}

/* `field` names what is read, for the failure report; it must be static text. */
uint8_t wzp_rd_u8(wzp_rd *rd, const char *field);
uint16_t wzp_rd_u16(wzp_rd *rd, const char *field);
uint32_t wzp_rd_u32(wzp_rd *rd, const char *field);
uint64_t wzp_rd_u64(wzp_rd *rd, const char *field);

/* A view of the next `len` bytes, empty on failure.  The only way to use a length from the wire. */
wzp_bytes wzp_rd_bytes(wzp_rd *rd, size_t len, const char *field);

/* Everything that is left; never fails. */
wzp_bytes wzp_rd_rest(wzp_rd *rd);

/* Records a failure of the value that ended `back` bytes before the current position, unless one
 * is recorded already.  Returns the recorded code. */
wzp_err wzp_rd_reject(wzp_rd *rd, wzp_err code, const char *field, size_t back, uint64_t got);

#endif
