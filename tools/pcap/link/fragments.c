#include "tools/pcap/link/fragments.h"

#include <stdlib.h>

#include "tools/pcap/link/link.h"

/* Pieces but the last are multiples of 8 bytes long. */
enum { UNIT = 8, BYTES = 65536, UNITS = BYTES / UNIT };

/* A datagram of which some pieces are there. */
typedef struct slot {
    wzp_pcap_fragment_key key;
    bool used, refused;
    bool ends;     /* the last piece was seen: len */
    uint8_t proto; /* of the first piece */
    uint32_t len;
    uint32_t unit_count;      /* units that are there */
    uint64_t begun_ns, begun; /* time of the first piece; its rank among all slots */
    uint8_t there[UNITS / 8]; /* one bit a unit */
    uint8_t *bytes;           /* BYTES; kept for the next datagram; NULL: never needed so far */
} slot;

struct wzp_pcap_fragments {
    slot slots[WZP_PCAP_FRAGMENTED_MAX];
    uint64_t begun, expired;
};

wzp_err wzp_pcap_fragments_new(wzp_pcap_fragments **out) {
    wzp_pcap_fragments *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return WZP_ERR_NOMEM;
    }
    *out = f;
    return WZP_OK;
}

void wzp_pcap_fragments_free(wzp_pcap_fragments **fragments) {
    if (*fragments != NULL) {
        for (size_t i = 0; i < WZP_PCAP_FRAGMENTED_MAX; i++) {
            free((*fragments)->slots[i].bytes);
        }
        free(*fragments);
        *fragments = NULL;
    }
}

uint64_t wzp_pcap_fragments_expired(const wzp_pcap_fragments *f) {
    return f->expired;
}

/* --- slots ------------------------------------------------------------------------------------ */

static bool same_key(const wzp_pcap_fragment_key *a, const wzp_pcap_fragment_key *b) {
    return a->id == b->id && a->family == b->family && a->proto == b->proto &&
           memcmp(a->src, b->src, sizeof a->src) == 0 && memcmp(a->dst, b->dst, sizeof a->dst) == 0;
}

/* What was refused has been counted then. */
static void give_up(wzp_pcap_fragments *f, slot *s) {
    f->expired += s->refused ? 0 : 1;
    s->used = false;
}

static void expire(wzp_pcap_fragments *f, uint64_t now_ns) {
    for (size_t i = 0; i < WZP_PCAP_FRAGMENTED_MAX; i++) {
        slot *s = &f->slots[i];
        if (s->used && now_ns > s->begun_ns &&
            now_ns - s->begun_ns > WZP_PCAP_FRAGMENTS_TIMEOUT_NS) {
            give_up(f, s);
        }
    }
}

static slot *find(wzp_pcap_fragments *f, const wzp_pcap_fragment_key *key) {
    for (size_t i = 0; i < WZP_PCAP_FRAGMENTED_MAX; i++) {
        if (f->slots[i].used && same_key(&f->slots[i].key, key)) {
            return &f->slots[i];
        }
    }
    return NULL;
}

/* A free one, or the oldest. */
static slot *vacate(wzp_pcap_fragments *f) {
    slot *oldest = &f->slots[0];
    for (size_t i = 0; i < WZP_PCAP_FRAGMENTED_MAX; i++) {
        if (!f->slots[i].used) {
            return &f->slots[i];
        }
        if (f->slots[i].begun < oldest->begun) {
            oldest = &f->slots[i];
        }
    }
    give_up(f, oldest);
    return oldest;
}

/* One without memory is refused. */
static slot *find_or_begin(wzp_pcap_fragments *f, const wzp_pcap_fragment *fragment) {
    slot *s = find(f, &fragment->key);
    if (s == NULL) {
        s = vacate(f);
        uint8_t *bytes = s->bytes != NULL ? s->bytes : malloc(BYTES);
        *s = (slot){.key = fragment->key,
                    .used = true,
                    .refused = bytes == NULL,
                    .begun_ns = fragment->time_ns,
                    .begun = ++f->begun,
                    .bytes = bytes};
        f->expired += s->refused ? 1 : 0;
    }
    return s;
}

/* --- pieces ----------------------------------------------------------------------------------- */

/* Can there be such a piece at all, and beside what is known of the datagram's length? */
static bool fits(const slot *s, const wzp_pcap_fragment *fragment) {
    const size_t end = fragment->offset + fragment->data.len;
    if (fragment->offset % UNIT != 0 || end > BYTES - 1 || fragment->data.len == 0 ||
        (fragment->more && fragment->data.len % UNIT != 0)) {
        return false;
    }
    if (!s->ends) {
        return true;
    }
    return fragment->more ? end < s->len : end == s->len;
}

/* No unit from this one on may be there. */
static bool is_last(const slot *s, size_t first) {
    for (size_t unit = first; unit < UNITS; unit++) {
        if ((s->there[unit / 8] >> unit % 8 & 1) != 0) {
            return false;
        }
    }
    return true;
}

static size_t units_there(const slot *s, size_t first, size_t count) {
    size_t there = 0;
    for (size_t unit = first; unit < first + count; unit++) {
        there += s->there[unit / 8] >> unit % 8 & 1u;
    }
    return there;
}

static void mark(slot *s, size_t first, size_t count) {
    for (size_t unit = first; unit < first + count; unit++) {
        s->there[unit / 8] |= (uint8_t)(1u << unit % 8);
    }
    s->unit_count += (uint32_t)count;
}

/* False: it contradicts what is there. */
static bool add(slot *s, const wzp_pcap_fragment *fragment) {
    if (!fits(s, fragment)) {
        return false;
    }
    const size_t first = fragment->offset / UNIT;
    const size_t count = (fragment->data.len + UNIT - 1) / UNIT;
    const size_t there = units_there(s, first, count);
    uint8_t *at = s->bytes + fragment->offset;
    if (there == count) { /* once more, if it does not say that it is the end and was not before */
        return (fragment->more || s->ends) &&
               memcmp(at, fragment->data.data, fragment->data.len) == 0;
    }
    if (there != 0 || (!fragment->more && !is_last(s, first))) {
        return false;
    }
    memcpy(at, fragment->data.data, fragment->data.len);
    mark(s, first, count);
    if (!fragment->more) {
        s->ends = true;
        s->len = fragment->offset + (uint32_t)fragment->data.len;
    }
    s->proto = fragment->offset == 0 ? fragment->proto : s->proto;
    return true;
}

wzp_pcap_fragment_verdict wzp_pcap_fragments_take(wzp_pcap_fragments *f,
                                                  const wzp_pcap_fragment *fragment,
                                                  wzp_bytes *whole, uint8_t *proto) {
    expire(f, fragment->time_ns);
    slot *s = find_or_begin(f, fragment);
    if (s->refused || !add(s, fragment)) {
        f->expired += s->refused ? 0 : 1;
        s->refused = true;
        return WZP_PCAP_FRAGMENT_REFUSED;
    }
    if (!s->ends || s->unit_count != (s->len + UNIT - 1) / UNIT) {
        return WZP_PCAP_FRAGMENT_KEPT;
    }
    s->used = false;
    *whole = wzp_bytes_of(s->bytes, s->len);
    *proto = s->proto;
    return WZP_PCAP_FRAGMENT_WHOLE;
}

void wzp_pcap_fragments_refuse(wzp_pcap_fragments *f, const wzp_pcap_fragment *fragment) {
    expire(f, fragment->time_ns);
    slot *s = find_or_begin(f, fragment);
    f->expired += s->refused ? 0 : 1;
    s->refused = true;
}
