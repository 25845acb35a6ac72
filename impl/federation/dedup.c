#include "federation/dedup.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

_Static_assert(sizeof((wzp_fed_dedup){0}.key) == crypto_shorthash_KEYBYTES, "key of SipHash");

wzp_err wzp_fed_dedup_init(wzp_fed_dedup *d, uint32_t cap, uint64_t window, wzp_rng rng) {
    assert(cap > 0 && (cap & (cap - 1)) == 0);
    *d = (wzp_fed_dedup){.ring = calloc(cap, sizeof *d->ring),
                         .index = calloc(2 * (size_t)cap, sizeof *d->index),
                         .cap = cap,
                         .window = window};
    wzp_rng_fill(rng, d->key, sizeof d->key);
    if (d->ring == NULL || d->index == NULL) {
        wzp_fed_dedup_clear(d);
        return WZP_ERR_NOMEM;
    }
    return WZP_OK;
}

void wzp_fed_dedup_clear(wzp_fed_dedup *d) {
    free(d->ring);
    free(d->index);
    *d = (wzp_fed_dedup){0};
}

uint64_t wzp_fed_dedup_hash(const wzp_fed_dedup *d, wzp_bytes datagram) {
    uint8_t hash[crypto_shorthash_BYTES];
    uint64_t value = 0;
    crypto_shorthash(hash, datagram.data, datagram.len, d->key);
    memcpy(&value, hash, sizeof value);
    return value;
}

static uint32_t mask(const wzp_fed_dedup *d) {
    return 2 * d->cap - 1;
}

static uint32_t home(const wzp_fed_dedup *d, uint64_t hash) {
    return (uint32_t)hash & mask(d);
}

/* Where this mark is, or the free place where it would go. */
static uint32_t find(const wzp_fed_dedup *d, uint64_t hash) {
    uint32_t at = home(d, hash);
    while (d->index[at] != 0 && d->ring[d->index[at] - 1].hash != hash) {
        at = (at + 1) & mask(d);
    }
    return at;
}

/* Those that were pushed past the place that gets free move up. */
static void unindex(wzp_fed_dedup *d, uint64_t hash) {
    uint32_t hole = find(d, hash);
    for (uint32_t at = (hole + 1) & mask(d); d->index[at] != 0; at = (at + 1) & mask(d)) {
        const uint32_t wanted = home(d, d->ring[d->index[at] - 1].hash);
        if (((at - wanted) & mask(d)) >= ((at - hole) & mask(d))) {
            d->index[hole] = d->index[at];
            hole = at;
        }
    }
    d->index[hole] = 0;
}

static void forget_oldest(wzp_fed_dedup *d) {
    unindex(d, d->ring[d->first].hash);
    d->first = (d->first + 1) & (d->cap - 1);
    d->len--;
}

static void expire(wzp_fed_dedup *d, wzp_time now) {
    while (d->len > 0 && wzp_time_since(now, d->ring[d->first].at) >= d->window) {
        forget_oldest(d);
    }
}

bool wzp_fed_dedup_has(wzp_fed_dedup *d, uint64_t hash, wzp_time now) {
    expire(d, now);
    return d->index[find(d, hash)] != 0;
}

void wzp_fed_dedup_add(wzp_fed_dedup *d, uint64_t hash, wzp_time now) {
    expire(d, now);
    if (d->index[find(d, hash)] != 0) {
        return;
    }
    if (d->len == d->cap) {
        forget_oldest(d);
        d->early++;
    }
    const uint32_t place = (d->first + d->len++) & (d->cap - 1);
    d->ring[place] = (wzp_fed_mark){hash, now};
    d->index[find(d, hash)] = place + 1;
}
