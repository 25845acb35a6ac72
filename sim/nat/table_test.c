/* Records, indexes and lists against arrays that are searched. */
#include "sim/nat/table.h"

#include <check.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "sim/engine/chance.h"

enum { LIMIT = 700, STEPS = 200000, KEYS = 320 };

typedef struct record {
    uint32_t key;
    uint64_t value;
} record;

/* What should be in the table: numbers in order of arrival. */
typedef struct shadow {
    uint32_t number[LIMIT];
    uint32_t key[LIMIT];
    uint64_t value[LIMIT];
    size_t count;
    uint32_t order[LIMIT]; /* of the list */
} shadow;

/* Neighbours at the end of the table and beyond it, and five of each place. */
static uint32_t hash_of(uint32_t key) {
    return (2016 + key * 7 % 64) | key % 5 << 20;
}

static record *at(const wzp_sim_nat_table *table, uint32_t i) {
    return wzp_sim_nat_table_at(table, i);
}

static void add(wzp_sim_nat_table *table, wzp_sim_nat_list *list, shadow *s, wzp_prng *prng) {
    const uint32_t i = wzp_sim_nat_table_take(table);
    ck_assert_uint_eq(i == 0, s->count == LIMIT);
    if (i == 0) {
        return;
    }
    ck_assert_uint_eq(at(table, i)->value, 0); /* zeroed */
    *at(table, i) = (record){.key = (uint32_t)wzp_chance_between(prng, 0, KEYS - 1),
                             .value = wzp_chance_u64(prng)};
    s->number[s->count] = i;
    s->key[s->count] = at(table, i)->key;
    s->value[s->count] = at(table, i)->value;
    const size_t place = wzp_chance_between(prng, 0, s->count);
    memmove(&s->order[place + 1], &s->order[place], (s->count - place) * sizeof *s->order);
    s->order[place] = i;
    wzp_sim_nat_list_insert(table, 0, list, i, place > 0 ? s->order[place - 1] : 0);
    wzp_sim_nat_index_put(table, 0, i, hash_of(s->key[s->count]));
    s->count++;
}

static void drop(wzp_sim_nat_table *table, wzp_sim_nat_list *list, shadow *s, wzp_prng *prng) {
    if (s->count == 0) {
        return;
    }
    const size_t k = wzp_chance_between(prng, 0, s->count - 1);
    const uint32_t i = s->number[k];
    size_t place = 0;
    while (s->order[place] != i) {
        place++;
    }
    wzp_sim_nat_list_cut(table, 0, list, i);
    wzp_sim_nat_index_cut(table, 0, i);
    wzp_sim_nat_table_give(table, i);
    s->count--;
    memmove(&s->order[place], &s->order[place + 1], (s->count - place) * sizeof *s->order);
    memmove(&s->number[k], &s->number[k + 1], (s->count - k) * sizeof *s->number);
    memmove(&s->key[k], &s->key[k + 1], (s->count - k) * sizeof *s->key);
    memmove(&s->value[k], &s->value[k + 1], (s->count - k) * sizeof *s->value);
}

/* One hash: the newest first, none missing, none else. */
static void check_chain(const wzp_sim_nat_table *table, const shadow *s, uint32_t hash) {
    uint32_t i = wzp_sim_nat_index_first(table, 0, hash);
    for (size_t k = s->count; k-- > 0;) {
        if (hash_of(s->key[k]) == hash) {
            ck_assert_uint_eq(i, s->number[k]);
            ck_assert_uint_eq(at(table, i)->value, s->value[k]);
            i = wzp_sim_nat_index_next(table, 0, i);
        }
    }
    ck_assert_uint_eq(i, 0);
}

static void check_list(const wzp_sim_nat_table *table, const wzp_sim_nat_list *list,
                       const shadow *s) {
    uint32_t i = list->head;
    for (size_t k = 0; k < s->count; k++) {
        ck_assert_uint_eq(i, s->order[k]);
        ck_assert_uint_eq(table->link[0][i - 1].prev, k > 0 ? s->order[k - 1] : 0);
        i = table->link[0][i - 1].next;
    }
    ck_assert_uint_eq(i, 0);
    ck_assert_uint_eq(list->tail, s->count > 0 ? s->order[s->count - 1] : 0);
}

START_TEST(as_arrays_do) {
    wzp_sim_nat_table table;
    wzp_sim_nat_list list = {0};
    static shadow s;
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "table");
    wzp_sim_nat_table_init(&table, sizeof(record), LIMIT, 1, 1);
    ck_assert_uint_eq(wzp_sim_nat_table_bytes(&table), 0);
    ck_assert_uint_eq(wzp_sim_nat_index_first(&table, 0, 1), 0);
    for (unsigned step = 0; step < STEPS; step++) {
        const bool growing = step / 5000 % 2 == 0;
        if (wzp_chance(&prng, growing ? 700000 : 300000)) {
            add(&table, &list, &s, &prng);
        } else {
            drop(&table, &list, &s, &prng);
        }
        ck_assert_uint_eq(table.live, s.count);
        if (step % 97 == 0) {
            check_chain(&table, &s, hash_of(step / 97 % KEYS));
            check_list(&table, &list, &s);
        }
    }
    wzp_sim_nat_table_clear(&table);
    ck_assert_uint_eq(wzp_sim_nat_table_bytes(&table), 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("table");
    tcase_add_test(tc, as_arrays_do);
    return wzp_run_suite("table", tc);
}
