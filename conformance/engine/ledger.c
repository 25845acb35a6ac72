#include "conformance/engine/ledger.h"

#include <stdlib.h>
#include <string.h>

struct wzp_ledger_entry {
    uint64_t hash; /* 0: empty */
    wzp_time sent_at;
    uint32_t sent, got;
    bool old;
};

/* Eight bytes at a time: it is asked twice for each packet of a run. */
static uint64_t hash_of(wzp_bytes bytes) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ bytes.len;
    for (size_t i = 0; i < bytes.len; i += sizeof hash) {
        uint64_t word = 0;
        const size_t left = bytes.len - i;
        memcpy(&word, bytes.data + i, left < sizeof word ? left : sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 31;
    }
    return hash != 0 ? hash : 1;
}

static struct wzp_ledger_entry *find(struct wzp_ledger_entry *entries, size_t cap, uint64_t hash) {
    size_t i = (size_t)hash & (cap - 1);
    while (entries[i].hash != 0 && entries[i].hash != hash) {
        i = (i + 1) & (cap - 1);
    }
    return &entries[i];
}

static bool grow(wzp_ledger *l) {
    const size_t cap = l->cap == 0 ? 256 : 2 * l->cap;
    struct wzp_ledger_entry *fresh = calloc(cap, sizeof *fresh);
    if (fresh == NULL) {
        return false;
    }
    for (size_t i = 0; i < l->cap; i++) {
        if (l->entries[i].hash != 0) {
            *find(fresh, cap, l->entries[i].hash) = l->entries[i];
        }
    }
    free(l->entries);
    l->entries = fresh;
    l->cap = cap;
    return true;
}

void wzp_ledger_sent(wzp_ledger *l, wzp_bytes datagram, wzp_time now) {
    if (2 * (l->used + 1) > l->cap && !grow(l)) {
        return;
    }
    const uint64_t hash = hash_of(datagram);
    struct wzp_ledger_entry *e = find(l->entries, l->cap, hash);
    if (e->hash == 0) {
        e->hash = hash;
        l->used++;
    }
    e->sent++;
    e->sent_at = now;
    l->offered++;
}

bool wzp_ledger_knows(const wzp_ledger *l, wzp_bytes datagram) {
    return l->cap != 0 && find(l->entries, l->cap, hash_of(datagram))->hash != 0;
}

static void note_delay(wzp_ledger *l, uint64_t delay) {
    l->fastest = l->delivered == 0 || delay < l->fastest ? delay : l->fastest;
    l->slowest = delay > l->slowest ? delay : l->slowest;
}

void wzp_ledger_got(wzp_ledger *l, wzp_bytes datagram, bool late, wzp_time now) {
    struct wzp_ledger_entry *e = l->cap != 0 ? find(l->entries, l->cap, hash_of(datagram)) : NULL;
    l->late += late ? 1 : 0;
    if (e == NULL || e->hash == 0) {
        l->unknown++;
        return;
    }
    e->got++;
    if (e->old) {
        l->twice += e->got > e->sent ? 1 : 0;
    } else if (e->got <= e->sent) {
        note_delay(l, wzp_time_since(now, e->sent_at));
        l->delivered++;
    } else {
        l->twice++;
    }
}

void wzp_ledger_reset(wzp_ledger *l) {
    for (size_t i = 0; i < l->cap; i++) {
        l->entries[i].old = l->entries[i].hash != 0;
    }
    l->offered = l->delivered = l->late = 0;
    l->fastest = l->slowest = 0;
}

void wzp_ledger_clear(wzp_ledger *l) {
    free(l->entries);
    *l = (wzp_ledger){0};
}
