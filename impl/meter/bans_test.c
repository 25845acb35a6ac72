/* The block list: what each offence leads to, who is pushed out, snapshots, a slow twin. */
#include "meter/bans.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "base/testing/suite.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))
#define HOUR (3600 * WZP_S)

static const wzp_bans_cfg deployed = {HOUR, 24 * HOUR};
static const wzp_bans_cfg quick = {5 * WZP_S, 30 * WZP_S};

static wzp_bans *new_bans(const wzp_bans_cfg *cfg) {
    wzp_bans *b = NULL;
    ck_assert_int_eq(wzp_bans_new(&b, cfg), WZP_OK);
    return b;
}

/* --- what follows from an offence ------------------------------------------------------------- */

/* Offences "SECOND CODE" with A..F for codes, then at a second what is said of the offender. */
static const struct offence_case {
    const char *name;
    const wzp_bans_cfg *cfg;
    struct {
        uint32_t at_s;
        wzp_violation code; /* NONE: no more */
    } offences[4];
    uint32_t asked_s;
    const char *want; /* "free" */
} offence_cases[] = {
    {"never", &deployed, {{0, 0}}, 10, "free"},
    {"one: an hour", &deployed, {{10, WZP_VIOLATION_BITRATE}}, 70, "cool-down, 3540 s left"},
    {"its last second", &deployed, {{10, WZP_VIOLATION_BITRATE}}, 3609, "cool-down, 1 s left"},
    {"an hour later", &deployed, {{10, WZP_VIOLATION_BITRATE}}, 3610, "free"},
    {"two of a kind: a day",
     &deployed,
     {{10, WZP_VIOLATION_BITRATE}, {4000, WZP_VIOLATION_BITRATE}},
     4400,
     "blocked, 86000 s left"},
    {"the second after a day",
     &deployed,
     {{10, WZP_VIOLATION_BITRATE}, {86410, WZP_VIOLATION_BITRATE}},
     86411,
     "cool-down, 3599 s left"},
    {"the second just within",
     &deployed,
     {{10, WZP_VIOLATION_BITRATE}, {86409, WZP_VIOLATION_BITRATE}},
     86410,
     "blocked, 86399 s left"},
    {"two of two kinds: each is a first one",
     &deployed,
     {{10, WZP_VIOLATION_TIMESTAMP_DRIFT}, {4000, WZP_VIOLATION_PACKET_RATE}},
     4001,
     "cool-down, 3599 s left"},
    {"a first one of another kind does not shorten a block",
     &deployed,
     {{10, WZP_VIOLATION_BITRATE}, {20, WZP_VIOLATION_BITRATE}, {30, WZP_VIOLATION_PACKET_RATE}},
     86000,
     "blocked, 420 s left"},
    {"G-07, first", &quick, {{1, WZP_VIOLATION_BITRATE}}, 7, "free"},
    {"G-07, at 10 s",
     &quick,
     {{1, WZP_VIOLATION_BITRATE}, {8, WZP_VIOLATION_BITRATE}},
     18,
     "blocked, 20 s left"},
    {"G-07, at 40 s", &quick, {{1, WZP_VIOLATION_BITRATE}, {8, WZP_VIOLATION_BITRATE}}, 48, "free"},
};

START_TEST(offence) {
    const struct offence_case *c = &offence_cases[_i];
    wzp_bans *b = new_bans(c->cfg);
    char buf[WZP_BAN_TEXT_MAX];
    for (size_t i = 0; i < 4 && c->offences[i].code != WZP_VIOLATION_NONE; i++) {
        ck_assert_ptr_nonnull(
            wzp_bans_offend(b, "aa:bb", 7, c->offences[i].code, c->offences[i].at_s * WZP_S));
    }
    const wzp_time now = c->asked_s * WZP_S;
    const wzp_ban *ban = wzp_bans_find(b, "aa:bb", now);
    const char *got = ban != NULL ? wzp_ban_text(ban, now, buf) : "free";
    ck_assert_msg(strcmp(got, c->want) == 0, "%s: %s", c->name, got);
    ck_assert_ptr_null(wzp_bans_find(b, "aa:bc", now));
    wzp_bans_free(&b);
}
END_TEST

START_TEST(pardon) {
    wzp_bans *b = new_bans(&deployed);
    (void)wzp_bans_offend(b, "one", 1, WZP_VIOLATION_BITRATE, WZP_S);
    (void)wzp_bans_offend(b, "two", 1, WZP_VIOLATION_BITRATE, WZP_S);
    const uint64_t changes = wzp_bans_changes(b);
    ck_assert(!wzp_bans_pardon(b, "three"));
    ck_assert_uint_eq(wzp_bans_changes(b), changes);
    ck_assert(wzp_bans_pardon(b, "one"));
    ck_assert_uint_ne(wzp_bans_changes(b), changes);
    ck_assert_ptr_null(wzp_bans_find(b, "one", 2 * WZP_S));
    ck_assert_ptr_nonnull(wzp_bans_find(b, "two", 2 * WZP_S));
    const wzp_ban *again = wzp_bans_offend(b, "one", 1, WZP_VIOLATION_BITRATE, 3 * WZP_S);
    ck_assert(!again->is_block); /* it was forgotten altogether */
    wzp_bans_free(&b);
}
END_TEST

START_TEST(names) {
    char longest[WZP_BAN_NAME_MAX + 2];
    wzp_bans *b = new_bans(&deployed);
    memset(longest, 'x', sizeof longest);
    longest[WZP_BAN_NAME_MAX + 1] = '\0';
    ck_assert_ptr_null(wzp_bans_offend(b, longest, 0, WZP_VIOLATION_BITRATE, 1));
    ck_assert_ptr_null(wzp_bans_offend(b, "", 0, WZP_VIOLATION_BITRATE, 1));
    longest[WZP_BAN_NAME_MAX] = '\0';
    ck_assert_ptr_nonnull(wzp_bans_offend(b, longest, 0, WZP_VIOLATION_BITRATE, 1));
    ck_assert_ptr_nonnull(wzp_bans_find(b, longest, 2));
    wzp_bans_free(&b);
}
END_TEST

/* --- who is pushed out ------------------------------------------------------------------------ */

static void offend_many(wzp_bans *b, unsigned count, bool twice, uint64_t address, wzp_time now) {
    for (unsigned i = 0; i < count; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%llu/%u", (unsigned long long)address, i);
        for (int n = 0; n < (twice ? 2 : 1); n++) {
            (void)wzp_bans_offend(b, name, address != 0 ? address : 1000 + i, WZP_VIOLATION_BITRATE,
                                  now + (wzp_time)n);
        }
    }
}

START_TEST(cooldowns_do_not_push_out_blocks) {
    wzp_bans *b = new_bans(&deployed);
    offend_many(b, 1, true, 5, WZP_S);
    offend_many(b, 3 * WZP_BANS_MAX, false, 0, 2 * WZP_S);
    const wzp_bans_totals totals = wzp_bans_count(b, 3 * WZP_S);
    ck_assert_uint_eq(totals.entries, WZP_BANS_MAX);
    ck_assert_uint_eq(totals.blocks, 1);
    ck_assert_uint_gt(totals.pushed_out, 0);
    ck_assert_ptr_nonnull(wzp_bans_find(b, "5/0", 3 * WZP_S));
    wzp_bans_free(&b);
}
END_TEST

START_TEST(one_address_pushes_out_its_own) {
    wzp_bans *b = new_bans(&deployed);
    (void)wzp_bans_offend(b, "other", 6, WZP_VIOLATION_BITRATE, WZP_S);
    offend_many(b, 3 * WZP_BANS_MAX, false, 5, 2 * WZP_S);
    ck_assert_uint_eq(wzp_bans_count(b, 3 * WZP_S).entries, WZP_BANS_PER_ADDRESS + 1);
    ck_assert_ptr_nonnull(wzp_bans_find(b, "other", 3 * WZP_S));
    wzp_bans_free(&b);
}
END_TEST

START_TEST(a_list_full_of_blocks_takes_no_cooldown) {
    wzp_bans *b = new_bans(&deployed);
    offend_many(b, WZP_BANS_MAX, true, 0, WZP_S);
    ck_assert_uint_eq(wzp_bans_count(b, 2 * WZP_S).blocks, WZP_BANS_MAX);
    ck_assert_ptr_null(wzp_bans_offend(b, "late", 9, WZP_VIOLATION_BITRATE, 2 * WZP_S));
    ck_assert_uint_eq(wzp_bans_count(b, 2 * WZP_S).not_stored, 1);
    /* ... until they are over */
    ck_assert_ptr_nonnull(wzp_bans_offend(b, "late", 9, WZP_VIOLATION_BITRATE, 30 * HOUR));
    ck_assert_uint_eq(wzp_bans_count(b, 30 * HOUR).entries, 1);
    wzp_bans_free(&b);
}
END_TEST

/* --- a slow twin ------------------------------------------------------------------------------ */

enum { NAMES = 12, STEPS = 400 };

/* All that was ever done, in order; what it means is worked out from the start each time. */
typedef struct deed {
    unsigned who;
    wzp_violation code; /* NONE: pardoned */
    wzp_time at;
} deed;

static const char *say_twin(const deed *deeds, size_t count, unsigned who, wzp_time now,
                            char buf[WZP_BAN_TEXT_MAX]) {
    wzp_time last[WZP_VIOLATION_COUNT] = {0};
    wzp_time until = 0;
    bool is_block = false;
    for (size_t i = 0; i < count; i++) {
        const deed *d = &deeds[i];
        if (d->who != who) {
            continue;
        }
        if (d->code == WZP_VIOLATION_NONE) {
            memset(last, 0, sizeof last);
            until = 0;
            is_block = false;
            continue;
        }
        const bool repeats = last[d->code] != 0 && d->at - last[d->code] < quick.block;
        const wzp_time end = d->at + (repeats ? quick.block : quick.cooldown);
        is_block = repeats || (is_block && until > d->at);
        until = end > until ? end : until;
        last[d->code] = d->at;
    }
    if (until <= now) {
        return "free";
    }
    (void)snprintf(buf, WZP_BAN_TEXT_MAX, "%s, %llu s left", is_block ? "blocked" : "cool-down",
                   (unsigned long long)((until - now + WZP_S - 1) / WZP_S));
    return buf;
}

static void compare(const wzp_bans *b, const deed *deeds, size_t count, wzp_time now, int seed) {
    for (unsigned who = 0; who < NAMES; who++) {
        char name[8];
        char got[WZP_BAN_TEXT_MAX];
        char want[WZP_BAN_TEXT_MAX];
        (void)snprintf(name, sizeof name, "n%u", who);
        const wzp_ban *ban = wzp_bans_find(b, name, now);
        const char *said = ban != NULL ? wzp_ban_text(ban, now, got) : "free";
        const char *twin = say_twin(deeds, count, who, now, want);
        ck_assert_msg(strcmp(said, twin) == 0, "seed %d, step %zu, %s: %s instead of %s", seed,
                      count, name, said, twin);
    }
}

START_TEST(as_the_twin_says) {
    static deed deeds[STEPS];
    wzp_prng prng;
    wzp_bans *b = new_bans(&quick);
    wzp_time now = WZP_S;
    wzp_prng_init(&prng, (uint64_t)_i, "bans");
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (size_t i = 0; i < STEPS; i++) {
        char name[8];
        deed *d = &deeds[i];
        now += wzp_rng_below(rng, 3000) * WZP_MS;
        *d = (deed){.who = (unsigned)wzp_rng_below(rng, NAMES), .at = now};
        (void)snprintf(name, sizeof name, "n%u", d->who);
        if (wzp_rng_below(rng, 10) == 0) {
            (void)wzp_bans_pardon(b, name);
        } else {
            d->code = (wzp_violation)(1 + wzp_rng_below(rng, WZP_VIOLATION_COUNT - 1));
            (void)wzp_bans_offend(b, name, 3, d->code, now);
        }
        compare(b, deeds, i + 1, now, _i);
    }
    wzp_bans_free(&b);
}
END_TEST

/* --- snapshots -------------------------------------------------------------------------------- */

static size_t save(const wzp_bans *b, wzp_time now, uint64_t unix_s, uint8_t *buf, size_t cap) {
    wzp_wr wr;
    wzp_wr_init(&wr, buf, cap);
    ck_assert_int_eq(wzp_bans_save(b, now, unix_s, &wr), WZP_OK);
    return wzp_wr_len(&wr);
}

/* A process that begins at another time, an hour of the wall later. */
static const struct restart_case {
    const char *name;
    wzp_time now;
    uint64_t unix_s; /* 1,000,000 when it was saved at 10,000 s */
    const char *cool, *block;
} restart_cases[] = {
    {"at once", 50 * WZP_S, 1000000, "cool-down, 3500 s left", "blocked, 86300 s left"},
    {"half an hour later", 50 * WZP_S, 1001800, "cool-down, 1700 s left", "blocked, 84500 s left"},
    {"two hours later", 99000 * WZP_S, 1007200, "free", "blocked, 79100 s left"},
    {"two days later", 50 * WZP_S, 1172800, "free", "free"},
    {"the clock was set back", 50 * WZP_S, 5, "cool-down, 3600 s left", "blocked, 86400 s left"},
};

START_TEST(survives_a_restart) {
    static uint8_t buf[4096];
    const struct restart_case *c = &restart_cases[_i];
    wzp_bans *b = new_bans(&deployed);
    char text[WZP_BAN_TEXT_MAX];
    (void)wzp_bans_offend(b, "cool", 1, WZP_VIOLATION_BITRATE, 9900 * WZP_S);
    (void)wzp_bans_offend(b, "block", 1, WZP_VIOLATION_ENTROPY, 9900 * WZP_S);
    (void)wzp_bans_offend(b, "block", 1, WZP_VIOLATION_ENTROPY, 9900 * WZP_S);
    const size_t len = save(b, 10000 * WZP_S, 1000000, buf, sizeof buf);
    wzp_bans_free(&b);
    b = new_bans(&deployed);
    ck_assert_int_eq(wzp_bans_load(b, wzp_bytes_of(buf, len), c->now, c->unix_s, NULL), WZP_OK);
    const wzp_ban *cool = wzp_bans_find(b, "cool", c->now);
    const char *got = cool != NULL ? wzp_ban_text(cool, c->now, text) : "free";
    ck_assert_msg(strcmp(got, c->cool) == 0, "%s: %s", c->name, got);
    const wzp_ban *block = wzp_bans_find(b, "block", c->now);
    got = block != NULL ? wzp_ban_text(block, c->now, text) : "free";
    ck_assert_msg(strcmp(got, c->block) == 0, "%s: %s", c->name, got);
    /* The first offence is remembered: one more of its kind is a repetition. */
    const bool repeats =
        wzp_bans_offend(b, "cool", 1, WZP_VIOLATION_BITRATE, c->now + WZP_S)->is_block;
    ck_assert_msg(repeats == (c->unix_s < 1086300), "%s: repeats %d", c->name, repeats);
    wzp_bans_free(&b);
}
END_TEST

START_TEST(a_full_list_fits) {
    uint8_t *buf = malloc(WZP_BANS_SNAPSHOT_MAX);
    wzp_bans *b = new_bans(&deployed);
    for (unsigned i = 0; i < WZP_BANS_MAX; i++) {
        char name[WZP_BAN_NAME_MAX + 1];
        (void)snprintf(name, sizeof name, "%096u", i);
        (void)wzp_bans_offend(b, name, 0, WZP_VIOLATION_BITRATE, WZP_S);
    }
    const size_t len = save(b, 2 * WZP_S, 1000, buf, WZP_BANS_SNAPSHOT_MAX);
    ck_assert_uint_eq(len, WZP_BANS_SNAPSHOT_MAX);
    wzp_bans *other = new_bans(&deployed);
    ck_assert_int_eq(wzp_bans_load(other, wzp_bytes_of(buf, len), 5 * WZP_S, 1000, NULL), WZP_OK);
    ck_assert_uint_eq(wzp_bans_count(other, 5 * WZP_S).cooldowns, WZP_BANS_MAX);
    wzp_bans_free(&b);
    wzp_bans_free(&other);
    free(buf);
}
END_TEST

/* Every prefix and every flipped byte is refused and changes nothing. */
START_TEST(damage_is_noticed) {
    uint8_t buf[512];
    wzp_fail fail;
    wzp_bans *b = new_bans(&deployed);
    (void)wzp_bans_offend(b, "aa:bb", 1, WZP_VIOLATION_BITRATE, WZP_S);
    (void)wzp_bans_offend(b, "cc:dd", 1, WZP_VIOLATION_ENTROPY, WZP_S);
    const size_t len = save(b, WZP_S, 1000, buf, sizeof buf);
    wzp_bans *other = new_bans(&deployed);
    for (size_t cut = 0; cut < len; cut++) {
        const wzp_err err = wzp_bans_load(other, wzp_bytes_of(buf, cut), WZP_S, 1000, &fail);
        ck_assert_msg(err == WZP_ERR_TRUNCATED, "cut at %zu: %s", cut, wzp_err_name(err));
    }
    for (size_t at = 0; at < len; at++) {
        buf[at] ^= 0x10;
        const wzp_err err = wzp_bans_load(other, wzp_bytes_of(buf, len), WZP_S, 1000, &fail);
        ck_assert_msg(err != WZP_OK && fail.code == err, "byte %zu: %s", at, wzp_err_name(err));
        ck_assert_msg(at != 7 || err == WZP_ERR_VERSION, "version: %s", wzp_err_name(err));
        buf[at] ^= 0x10;
    }
    ck_assert_uint_eq(wzp_bans_count(other, WZP_S).entries, 0);
    ck_assert_int_eq(wzp_bans_load(other, wzp_bytes_of(buf, len), WZP_S, 1000, NULL), WZP_OK);
    ck_assert_uint_eq(wzp_bans_count(other, WZP_S).entries, 2);
    wzp_bans_free(&b);
    wzp_bans_free(&other);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("bans");
    tcase_add_loop_test(tc, offence, 0, (int)COUNT_OF(offence_cases));
    tcase_add_test(tc, pardon);
    tcase_add_test(tc, names);
    tcase_add_test(tc, cooldowns_do_not_push_out_blocks);
    tcase_add_test(tc, one_address_pushes_out_its_own);
    tcase_add_test(tc, a_list_full_of_blocks_takes_no_cooldown);
    tcase_add_loop_test(tc, as_the_twin_says, 0, 10);
    tcase_add_loop_test(tc, survives_a_restart, 0, (int)COUNT_OF(restart_cases));
    tcase_add_test(tc, a_full_list_fits);
    tcase_add_test(tc, damage_is_noticed);
    return wzp_run_suite("bans", tc);
}
