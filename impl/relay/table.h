/* A hash table of objects that carry their own link.  The hash is keyed (SipHash), because clients
 * choose most of what is looked up.  The table owns nothing and never fails once it is made: when
 * it cannot grow it gets slower.  Nothing may depend on its order. */
#ifndef WZP_RELAY_TABLE_H
#define WZP_RELAY_TABLE_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/rng.h"

typedef struct wzp_table_link {
    struct wzp_table_link *next;
    uint64_t hash;
} wzp_table_link;

typedef struct wzp_table {
    wzp_table_link **buckets;
    size_t bucket_count, count;
    uint8_t key[16];
} wzp_table;

WZP_MUST_USE wzp_err wzp_table_init(wzp_table *table, wzp_rng rng);
void wzp_table_clear(wzp_table *table);

uint64_t wzp_table_hash(const wzp_table *table, wzp_bytes key);

/* `hash` is that of the object's key.  Equal keys may be in the table more than once. */
void wzp_table_add(wzp_table *table, wzp_table_link *link, uint64_t hash);
void wzp_table_remove(wzp_table *table, wzp_table_link *link);

/* Objects with this hash, one after the other: whose key it is the caller compares.  NULL: none. */
wzp_table_link *wzp_table_first(const wzp_table *table, uint64_t hash);
wzp_table_link *wzp_table_next(const wzp_table_link *link);

#endif
