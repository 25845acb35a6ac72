#include "nat/birthday.h"

#include "base/testing/suite.h"

static wzp_birthday birthday;
static wzp_prng prng;

static void begin(const wzp_birthday_cfg *cfg) {
    wzp_birthday_cfg whole = *cfg;
    whole.host = wzp_addr_v4(203, 0, 113, 9, 7);
    wzp_prng_init(&prng, 1, "birthday");
    wzp_birthday_start(&birthday, &whole, wzp_prng_rng(&prng), 0);
}

static bool are_different(void) {
    for (size_t i = 0; i < birthday.count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (birthday.ports[i] == birthday.ports[k]) {
                return false;
            }
        }
    }
    return true;
}

static const uint16_t known[] = {51000, 51877, 0, 62001, 51000};

static const struct target_case {
    const char *name;
    wzp_birthday_cfg cfg;
    size_t want_count;  /* 0: fewer than asked for, as deployed */
    uint16_t first[5];  /* the begin of the list; 0 ends it */
    uint16_t low, high; /* of all that are drawn */
    bool has_repetitions;
} target_cases[] = {
    {"nothing known", {0}, 128, {0}, 1024, 65535, false},
    {"known ones first",
     {.known = known, .known_count = 5},
     128,
     {51000, 51877, 62001},
     1024,
     65535,
     false},
    {"more known than asked for",
     {.known = known, .known_count = 5, .probes = 2},
     2,
     {51000, 51877},
     1024,
     65535,
     false},
    {"deployed: all known ones",
     {.rules = WZP_BIRTHDAY_DEPLOYED, .known = known, .known_count = 5, .probes = 2},
     4,
     {51000, 51877, 62001, 51000},
     1024,
     65535,
     true},
    {"a block, whole", {.probes = 2048, .block = {2048, 1024}}, 1024, {0}, 2048, 3071, false},
    {"the block of port 0", {.probes = 2048, .block = {0, 1024}}, 1023, {0}, 1, 1023, false},
    {"a block past the end",
     {.probes = 2048, .block = {65000, 4096}},
     536,
     {0},
     65000,
     65535,
     false},
    {"deployed: blocks are not known",
     {.rules = WZP_BIRTHDAY_DEPLOYED, .probes = 64, .block = {2048, 1024}},
     64,
     {0},
     1024,
     65535,
     false},
    {"more than there is room for", {.probes = 1000000}, 2048, {0}, 1024, 65535, false},
    {"deployed: what is drawn twice is left out",
     {.rules = WZP_BIRTHDAY_DEPLOYED, .probes = 2048},
     0,
     {0},
     1024,
     65535,
     false},
};

START_TEST(targets) {
    const struct target_case *c = &target_cases[_i];
    begin(&c->cfg);
    if (c->want_count != 0) {
        ck_assert_msg(birthday.count == c->want_count, "%s: %zu", c->name, birthday.count);
    } else { /* 2048 draws of 64512: about 32 repetitions */
        ck_assert_msg(birthday.count > 1980 && birthday.count < 2048, "%s: %zu", c->name,
                      birthday.count);
    }
    ck_assert(are_different() != c->has_repetitions);
    for (size_t i = 0; i < birthday.count; i++) {
        ck_assert(birthday.ports[i] >= c->low && birthday.ports[i] <= c->high);
    }
    for (size_t i = 0; i < 5 && c->first[i] != 0; i++) {
        ck_assert_uint_eq(birthday.ports[i], c->first[i]);
    }
}
END_TEST

START_TEST(hostile_list_of_known_ports) {
    static uint16_t many[5000];
    for (size_t i = 0; i < WZP_COUNT_OF(many); i++) {
        many[i] = (uint16_t)(i + 1);
    }
    begin(&(wzp_birthday_cfg){
        .rules = WZP_BIRTHDAY_DEPLOYED, .known = many, .known_count = 5000, .probes = 64});
    ck_assert_uint_eq(birthday.count, WZP_BIRTHDAY_KNOWN_MAX);
}
END_TEST

START_TEST(paced) {
    wzp_addr to;
    begin(&(wzp_birthday_cfg){.probes = 128});
    for (unsigned i = 0; i < 128; i++) {
        const wzp_time at = wzp_birthday_deadline(&birthday);
        ck_assert_uint_eq(at, i * WZP_BIRTHDAY_INTERVAL);
        ck_assert(at == 0 || !wzp_birthday_next(&birthday, at - 1, &to));
        ck_assert(wzp_birthday_next(&birthday, at, &to));
        ck_assert(to.port == birthday.ports[i] && wzp_addr_same_ip(&to, &birthday.host));
        ck_assert(!wzp_birthday_next(&birthday, at, &to));
    }
    ck_assert(wzp_birthday_deadline(&birthday) == WZP_TIME_NEVER); /* after 2.54 s */
    ck_assert(!wzp_birthday_next(&birthday, 3 * WZP_S, &to));
}
END_TEST

START_TEST(late_is_not_caught_up_with) {
    wzp_addr to;
    begin(&(wzp_birthday_cfg){.probes = 128, .interval = 10 * WZP_MS});
    ck_assert(wzp_birthday_next(&birthday, WZP_S, &to));
    ck_assert(!wzp_birthday_next(&birthday, WZP_S, &to));
    ck_assert_uint_eq(wzp_birthday_deadline(&birthday), 1010 * WZP_MS);
}
END_TEST

START_TEST(gives_up) {
    wzp_addr to;
    unsigned sent = 0;
    begin(&(wzp_birthday_cfg){.probes = 2048});
    for (wzp_time at = wzp_birthday_deadline(&birthday); at != WZP_TIME_NEVER;
         at = wzp_birthday_deadline(&birthday)) {
        sent += wzp_birthday_next(&birthday, at, &to) ? 1 : 0;
    }
    ck_assert_uint_eq(sent, 400); /* 8 s */
    ck_assert(!wzp_birthday_next(&birthday, 9 * WZP_S, &to));
}
END_TEST

/* Nat sheet 1.15, in tenths of a percent. */
static const struct chance_case {
    uint32_t open, probes, space, permille;
} chance_cases[] = {
    {32, 64, 64512, 31},     {32, 128, 64512, 62},    {32, 128, 65536, 61},
    {64, 256, 64512, 225},   {64, 256, 65536, 222},   {256, 174, 64512, 500},
    {256, 174, 65536, 494},  {256, 256, 64512, 639},  {256, 512, 65536, 866},
    {256, 1024, 64512, 984}, {256, 1024, 65536, 982}, {32, 128, 1024, 987},
    {32, 128, 2048, 875},    {32, 128, 4096, 639},    {1, 1, 1, 1000},
    {0, 5, 100, 0},          {5, 0, 100, 0},          {5, 5, 0, 0},
    {600, 600, 1000, 1000},  {1000, 1, 1000, 1000},   {1, 500, 1000, 500},
};

START_TEST(chances) {
    const struct chance_case *c = &chance_cases[_i];
    const uint32_t ppm = wzp_birthday_chance_ppm(c->open, c->probes, c->space);
    const uint32_t want = c->permille * 1000; /* rounded */
    ck_assert_msg(ppm + 510 >= want && ppm <= want + 510, "%u/%u of %u: %u", c->open, c->probes,
                  c->space, ppm);
}
END_TEST

static const struct block_case {
    uint16_t ports[4];
    size_t count;
    wzp_port_block want;
} block_cases[] = {
    {{5000, 5100, 4095}, 3, {0, 0}},           {{5000, 5100, 5119}, 3, {4096, 1024}},
    {{5000, 5100, 5120}, 3, {4096, 2048}},     {{5000, 5100, 8191}, 3, {4096, 4096}},
    {{5000, 5100, 8192}, 3, {0, 0}},           {{5000, 5100}, 2, {0, 0}},
    {{65535, 65000, 64600}, 3, {64512, 1024}}, {{0}, 0, {0, 0}},
};

START_TEST(blocks) {
    const struct block_case *c = &block_cases[_i];
    const wzp_port_block got = wzp_birthday_block(c->ports, c->count);
    ck_assert_msg(got.first == c->want.first && got.count == c->want.count, "case %d: %u, %u", _i,
                  got.first, got.count);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("birthday");
    tcase_add_loop_test(tc, targets, 0, WZP_COUNT_OF(target_cases));
    tcase_add_test(tc, hostile_list_of_known_ports);
    tcase_add_test(tc, paced);
    tcase_add_test(tc, late_is_not_caught_up_with);
    tcase_add_test(tc, gives_up);
    tcase_add_loop_test(tc, chances, 0, WZP_COUNT_OF(chance_cases));
    tcase_add_loop_test(tc, blocks, 0, WZP_COUNT_OF(block_cases));
    return wzp_run_suite("birthday", tc);
}
