/* Records from one thread to another, without a lock: one writes, one reads.  Memory is fixed; what
 * finds no room is the writer's to count. */
#ifndef WZP_IO_RING_H
#define WZP_IO_RING_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/err.h"

typedef struct wzp_ring {
    /* Bytes since the beginning: of the reader, of the writer. */
    _Alignas(64) atomic_size_t taken;
    uint8_t *data;
    size_t cap; /* a power of two */
    _Alignas(64) atomic_size_t put;
} wzp_ring;

/* Rounds `cap` up to a power of two.  WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_ring_init(wzp_ring *ring, size_t cap);
/* Wipes what was in it. */
void wzp_ring_clear(wzp_ring *ring);

/* One record in two parts.  False: there is no room, nothing was written. */
bool wzp_ring_put(wzp_ring *ring, wzp_bytes head, wzp_bytes body);

/* Copies the first bytes of the next record, at most `cap`, and leaves it there; returns its whole
 * length.  0: there is none. */
size_t wzp_ring_peek(const wzp_ring *ring, uint8_t *out, size_t cap);
/* The same, and takes it away. */
size_t wzp_ring_take(wzp_ring *ring, uint8_t *out, size_t cap);

/* Bytes in it.  From either thread. */
size_t wzp_ring_used(const wzp_ring *ring);

#endif
