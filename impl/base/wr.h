/* Bounds-checked writer, the mirror of rd.h: overflow is sticky, and after it nothing is written.
 * All integers are big-endian. */
#ifndef WZP_BASE_WR_H
#define WZP_BASE_WR_H

#include "base/bytes.h"
#include "base/err.h"

typedef struct wzp_wr {
    uint8_t *base, *pos, *end; /* base <= pos <= end */
    bool overflow;
} wzp_wr;

/* Borrows `buf`, room for `cap` bytes. */
void wzp_wr_init(wzp_wr *wr, uint8_t *buf, size_t cap);

static inline size_t wzp_wr_len(const wzp_wr *wr) {
    return (size_t)(wr->pos - wr->base);
}

static inline size_t wzp_wr_room(const wzp_wr *wr) {
    return (size_t)(wr->end - wr->pos);
}

void wzp_wr_u8(wzp_wr *wr, uint8_t value);
void wzp_wr_u16(wzp_wr *wr, uint16_t value);
void wzp_wr_u32(wzp_wr *wr, uint32_t value);
void wzp_wr_u64(wzp_wr *wr, uint64_t value);
void wzp_wr_bytes(wzp_wr *wr, wzp_bytes bytes);
void wzp_wr_str(wzp_wr *wr, const char *text);

/* WZP_OK, or WZP_ERR_OVERFLOW if anything did not fit; what was written is then useless. */
WZP_MUST_USE wzp_err wzp_wr_end(const wzp_wr *wr);

#endif
