#include "relay/table.h"

#include <stdlib.h>

#include "base/testing/suite.h"

enum { KEYS = 300, STEPS = 20000 };

typedef struct entry {
    unsigned key;
    wzp_table_link link;
} entry;

static wzp_bytes bytes_of(const unsigned *key) {
    return wzp_bytes_of(key, sizeof *key);
}

static size_t found(const wzp_table *table, unsigned key, const entry *wanted) {
    size_t count = 0;
    bool seen = wanted == NULL;
    for (wzp_table_link *link = wzp_table_first(table, wzp_table_hash(table, bytes_of(&key)));
         link != NULL; link = wzp_table_next(link)) {
        const entry *e = WZP_OWNER_OF(link, entry, link);
        count += e->key == key ? 1 : 0;
        seen = seen || e == wanted;
    }
    ck_assert(seen);
    return count;
}

/* Against an array that says how often each key is there. */
START_TEST(like_an_array) {
    wzp_table table;
    wzp_prng prng;
    entry *entries[KEYS][8] = {{NULL}};
    size_t counts[KEYS] = {0};
    wzp_prng_init(&prng, (uint64_t)_i, "table");
    const wzp_rng rng = wzp_prng_rng(&prng);
    ck_assert(wzp_table_init(&table, rng) == WZP_OK);
    for (int step = 0; step < STEPS; step++) {
        const unsigned key = (unsigned)wzp_rng_below(rng, KEYS);
        size_t *count = &counts[key];
        if (*count < 8 && wzp_rng_below(rng, 2) == 0) {
            entry *e = malloc(sizeof *e);
            e->key = key;
            wzp_table_add(&table, &e->link, wzp_table_hash(&table, bytes_of(&key)));
            entries[key][(*count)++] = e;
            ck_assert_uint_eq(found(&table, key, e), *count);
        } else if (*count > 0) {
            entry *e = entries[key][--*count];
            wzp_table_remove(&table, &e->link);
            free(e);
        }
        const unsigned other = (unsigned)wzp_rng_below(rng, KEYS);
        ck_assert_uint_eq(found(&table, other, NULL), counts[other]);
    }
    size_t total = 0;
    for (size_t key = 0; key < KEYS; key++) {
        total += counts[key];
        while (counts[key] > 0) {
            free(entries[key][--counts[key]]);
        }
    }
    ck_assert_uint_eq(table.count, total);
    wzp_table_clear(&table);
}
END_TEST

START_TEST(grows_with_its_content) {
    wzp_table table;
    wzp_prng prng;
    static entry entries[10000];
    wzp_prng_init(&prng, 1, "table");
    ck_assert(wzp_table_init(&table, wzp_prng_rng(&prng)) == WZP_OK);
    for (unsigned i = 0; i < WZP_COUNT_OF(entries); i++) {
        entries[i].key = i;
        wzp_table_add(&table, &entries[i].link, wzp_table_hash(&table, bytes_of(&i)));
    }
    ck_assert_uint_ge(table.bucket_count, table.count);
    size_t longest = 0;
    for (size_t i = 0; i < table.bucket_count; i++) {
        size_t len = 0;
        for (const wzp_table_link *link = table.buckets[i]; link != NULL; link = link->next) {
            len++;
        }
        longest = len > longest ? len : longest;
    }
    ck_assert_uint_le(longest, 10);
    wzp_table_clear(&table);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("table");
    tcase_add_loop_test(tc, like_an_array, 0, 3);
    tcase_add_test(tc, grows_with_its_content);
    return wzp_run_suite("table", tc);
}
