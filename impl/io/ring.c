#include "io/ring.h"

#include <stdlib.h>
#include <string.h>

typedef uint32_t prefix; /* in front of each record: its length */

wzp_err wzp_ring_init(wzp_ring *ring, size_t cap) {
    size_t size = 64;
    while (size < cap) {
        size *= 2;
    }
    ring->data = malloc(size);
    ring->cap = size;
    atomic_init(&ring->taken, 0);
    atomic_init(&ring->put, 0);
    return ring->data != NULL ? WZP_OK : WZP_ERR_NOMEM;
}

void wzp_ring_clear(wzp_ring *ring) {
    if (ring->data != NULL) {
        explicit_bzero(ring->data, ring->cap);
    }
    free(ring->data);
    ring->data = NULL;
}

/* Both parts, where the ring's end is in between. */
static void write_at(wzp_ring *ring, size_t at, wzp_bytes bytes) {
    const size_t from = at & (ring->cap - 1);
    const size_t first = bytes.len < ring->cap - from ? bytes.len : ring->cap - from;
    if (bytes.len > 0) {
        memcpy(ring->data + from, bytes.data, first);
        memcpy(ring->data, bytes.data + first, bytes.len - first);
    }
}

static void read_at(const wzp_ring *ring, size_t at, uint8_t *out, size_t len) {
    const size_t from = at & (ring->cap - 1);
    const size_t first = len < ring->cap - from ? len : ring->cap - from;
    memcpy(out, ring->data + from, first);
    memcpy(out + first, ring->data, len - first);
}

bool wzp_ring_put(wzp_ring *ring, wzp_bytes head, wzp_bytes body) {
    const size_t at = atomic_load_explicit(&ring->put, memory_order_relaxed);
    const size_t used = at - atomic_load_explicit(&ring->taken, memory_order_acquire);
    const size_t len = head.len + body.len;
    const prefix size = (prefix)len;
    if (sizeof size + len > ring->cap - used) {
        return false;
    }
    write_at(ring, at, wzp_bytes_of(&size, sizeof size));
    write_at(ring, at + sizeof size, head);
    write_at(ring, at + sizeof size + head.len, body);
    atomic_store_explicit(&ring->put, at + sizeof size + len, memory_order_release);
    return true;
}

size_t wzp_ring_peek(const wzp_ring *ring, uint8_t *out, size_t cap) {
    const size_t at = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    prefix size = 0;
    if (atomic_load_explicit(&ring->put, memory_order_acquire) == at) {
        return 0;
    }
    read_at(ring, at, (uint8_t *)&size, sizeof size);
    read_at(ring, at + sizeof size, out, size < cap ? size : cap);
    return size;
}

size_t wzp_ring_take(wzp_ring *ring, uint8_t *out, size_t cap) {
    const size_t size = wzp_ring_peek(ring, out, cap);
    if (size > 0) {
        atomic_fetch_add_explicit(&ring->taken, sizeof(prefix) + size, memory_order_release);
    }
    return size;
}

size_t wzp_ring_used(const wzp_ring *ring) {
    return atomic_load_explicit(&ring->put, memory_order_acquire) -
           atomic_load_explicit(&ring->taken, memory_order_acquire);
}
