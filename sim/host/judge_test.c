#include "sim/host/judge.h"

#include "base/testing/suite.h"

/* "50T 2c 3_" : 50 true slots, 2 concealed, 3 silent.  A group in brackets repeats. */
static size_t draw(uint8_t *slots, size_t cap, const char *text) {
    size_t n = 0;
    for (const char *p = text; *p != '\0';) {
        char *end = NULL;
        const unsigned long count = strtoul(p, &end, 10);
        ck_assert_msg(end != p, "'%s' at '%s'", text, p);
        const uint8_t slot = *end == 'T'   ? WZP_SIM_SLOT_TRUE
                             : *end == 'c' ? WZP_SIM_SLOT_CONCEALED
                                           : WZP_SIM_SLOT_SILENT;
        ck_assert_uint_le(n + count, cap);
        memset(slots + n, slot, count);
        n += count;
        for (p = end + 1; *p == ' ';) {
            p++;
        }
    }
    return n;
}

static const struct judge_case {
    const char *name, *slots;
    uint64_t expected, concealed;
    uint32_t conc_ppm, gap_ms;
    wzp_sim_class want;
} judge_cases[] = {
    {"nothing was expected", "", 0, 0, 0, 0, WZP_SIM_CLASS_A0},
    {"only silence", "100_", 0, 0, 0, 0, WZP_SIM_CLASS_A0},
    {"all is true", "3000T", 3000, 0, 0, 0, WZP_SIM_CLASS_A0},
    {"all is concealed", "3c", 3, 3, 1000000, 60, WZP_SIM_CLASS_BAD},
    {"A0: one in a thousand", "999T 1c", 1000, 1, 1000, 20, WZP_SIM_CLASS_A0},
    {"A1: one in 999", "998T 1c", 999, 1, 1002, 20, WZP_SIM_CLASS_A1},
    {"A0: two in a row", "1999T 2c 1T", 2002, 2, 1000, 40, WZP_SIM_CLASS_A0},
    {"A1: three in a row", "2997T 3c", 3000, 3, 1000, 60, WZP_SIM_CLASS_A1},
    {"A1: one in a hundred", "99T 1c", 100, 1, 10000, 20, WZP_SIM_CLASS_A1},
    {"A2: two in 199", "98T 1c 99T 1c", 199, 2, 10051, 20, WZP_SIM_CLASS_A2},
    {"A2: four in a row", "996T 4c", 1000, 4, 4000, 80, WZP_SIM_CLASS_A2},
    {"A2: 5 percent, six in a row", "114T 6c", 120, 6, 50000, 120, WZP_SIM_CLASS_A2},
    {"A3: seven in a row", "993T 7c", 1000, 7, 7000, 140, WZP_SIM_CLASS_A3},
    {"A3: 12 percent", "88T 12c", 100, 12, 120000, 240, WZP_SIM_CLASS_A3},
    {"bad: over 12 percent", "87T 6c 1T 6c", 100, 12, 120000, 120, WZP_SIM_CLASS_A3},
    {"bad: thirteen in a row", "9987T 13c", 10000, 13, 1300, 260, WZP_SIM_CLASS_BAD},
    {"silence ends a gap", "996T 2c 50_ 2c", 1000, 4, 4000, 40, WZP_SIM_CLASS_A1},
    {"silence dilutes nothing", "99T 1c 900_", 100, 1, 10000, 20, WZP_SIM_CLASS_A1},
    {"a gap at the very end counts", "997T 3c", 1000, 3, 3000, 60, WZP_SIM_CLASS_A1},
};

START_TEST(whole) {
    const struct judge_case *c = &judge_cases[_i];
    static uint8_t slots[20000];
    const wzp_sim_slots heard = {slots, draw(slots, sizeof slots, c->slots)};
    const wzp_sim_verdict v = wzp_sim_judge(heard);
    ck_assert_msg(v.expected == c->expected && v.concealed == c->concealed, "%s: %llu of %llu",
                  c->name, (unsigned long long)v.concealed, (unsigned long long)v.expected);
    ck_assert_msg(v.conc_ppm == c->conc_ppm, "%s: %u ppm", c->name, v.conc_ppm);
    ck_assert_msg(v.gap_ms == c->gap_ms, "%s: gap %u ms", c->name, v.gap_ms);
    ck_assert_msg(v.which == c->want, "%s: %s", c->name, wzp_sim_class_name(v.which));
}
END_TEST

static const struct burst_case {
    const char *name, *slots;
    uint64_t gaps;
    uint32_t permille;
} burst_cases[] = {
    {"no gap", "100T", 0, 0},
    {"one slot of a hundred", "99T 1c", 1, 990},
    {"two that are apart", "49T 1c 49T 1c", 2, 980},
    {"two in a row", "98T 2c", 1, 1960},
    {"bursts of three, a fifth of all", "12T 3c 12T 3c 12T 3c", 3, 2400},
    {"silence parts gaps", "96T 2c 5_ 2c", 2, 1920},
    {"all", "10c", 1, 0},
};

START_TEST(bursts) {
    const struct burst_case *c = &burst_cases[_i];
    static uint8_t slots[1000];
    const wzp_sim_verdict v =
        wzp_sim_judge((wzp_sim_slots){slots, draw(slots, sizeof slots, c->slots)});
    ck_assert_msg(v.gaps == c->gaps, "%s: %llu gaps", c->name, (unsigned long long)v.gaps);
    ck_assert_msg(wzp_sim_burst_permille(&v) == c->permille, "%s: %u", c->name,
                  wzp_sim_burst_permille(&v));
}
END_TEST

static const struct second_case {
    const char *name, *slots;
    size_t from;
    wzp_sim_class want;
} second_cases[] = {
    {"a clean one", "50T", 0, WZP_SIM_CLASS_A0},
    {"one slot is within every share", "49T 1c", 0, WZP_SIM_CLASS_A0},
    {"two need A2", "47T 1c 1T 1c", 0, WZP_SIM_CLASS_A2},
    {"three are 6 percent, rounded up from 5", "20T 1c 20T 1c 6T 1c 1T", 0, WZP_SIM_CLASS_A2},
    {"four need A3", "20T 1c 20T 1c 5T 1c 1T 1c", 0, WZP_SIM_CLASS_A3},
    {"seven are too many", "40T 1c 2T 6c 1T", 0, WZP_SIM_CLASS_BAD},
    {"what lies outside does not count", "9c 50T 9c", 9, WZP_SIM_CLASS_A0},
    {"cut short at the end", "50T 9c 1T", 55, WZP_SIM_CLASS_BAD},
    {"past the end", "50T", 50, WZP_SIM_CLASS_A0},
};

START_TEST(second) {
    const struct second_case *c = &second_cases[_i];
    uint8_t slots[200];
    const wzp_sim_slots heard = {slots, draw(slots, sizeof slots, c->slots)};
    const wzp_sim_class got = wzp_sim_judge_second(heard, c->from);
    ck_assert_msg(got == c->want, "%s: %s", c->name, wzp_sim_class_name(got));
}
END_TEST

static const struct event_case {
    const char *name, *slots;
    size_t begin, end;
    wzp_sim_class enough, before;
    uint32_t gap_ms, recovery_ms;
    bool recovered;
} event_cases[] = {
    {"nothing happened", "1000T", 500, 500, WZP_SIM_CLASS_A0, WZP_SIM_CLASS_A0, 0, 0, true},
    {"a hole, well at once", "500T 10c 500T", 500, 510, WZP_SIM_CLASS_A0, WZP_SIM_CLASS_A0, 200, 0,
     true},
    {"the hole goes on after the event", "500T 20c 500T", 500, 510, WZP_SIM_CLASS_A0,
     WZP_SIM_CLASS_A0, 400, 180, true}, /* the last of them is one of the first 50 */
    {"it begins later than the event", "505T 10c 500T", 500, 510, WZP_SIM_CLASS_A0,
     WZP_SIM_CLASS_A0, 200, 80, true},
    {"it began earlier", "490T 15c 500T", 500, 510, WZP_SIM_CLASS_A0, WZP_SIM_CLASS_BAD, 300, 0,
     true},
    {"an earlier hole is another matter", "480T 15c 10T 2c 500T", 505, 510, WZP_SIM_CLASS_A0,
     WZP_SIM_CLASS_BAD, 40, 0, true},
    {"a bad time after it", "500T 5c 20T 5c 20T 5c 500T", 500, 505, WZP_SIM_CLASS_A0,
     WZP_SIM_CLASS_A0, 100, 980, true},
    {"never again", "500T 600c", 500, 510, WZP_SIM_CLASS_A0, WZP_SIM_CLASS_A0, 12000, 11800, false},
    {"too little is left to tell", "500T 10c 49T", 500, 510, WZP_SIM_CLASS_A0, WZP_SIM_CLASS_A0,
     200, 980, false},
    {"silence does not prove anything", "500T 10c 100_ 20T", 500, 510, WZP_SIM_CLASS_A0,
     WZP_SIM_CLASS_A0, 200, 2400, false},
    {"silence first, then speech", "500T 10c 100_ 100T", 500, 510, WZP_SIM_CLASS_A0,
     WZP_SIM_CLASS_A0, 200, 1500, true},
    {"no worse than before is enough", "250T 44T 1c 2T 1c 2T 10c 25T 1c 2T 1c 71T", 300, 310,
     WZP_SIM_CLASS_A0, WZP_SIM_CLASS_A2, 200, 0, true},
    {"an event at once", "10c 100T", 0, 10, WZP_SIM_CLASS_A0, WZP_SIM_CLASS_A0, 200, 0, true},
    {"after the end of the call", "100T", 200, 300, WZP_SIM_CLASS_A0, WZP_SIM_CLASS_A0, 0, 0,
     false},
    {"two lost slots of a second: not yet A0", "500T 10c 10T 1c 5T 1c 500T", 500, 510,
     WZP_SIM_CLASS_A0, WZP_SIM_CLASS_A0, 200, 220, true},
    {"the same is A2 enough", "500T 10c 10T 1c 5T 1c 500T", 500, 510, WZP_SIM_CLASS_A2,
     WZP_SIM_CLASS_A0, 200, 0, true},
    {"but four are not", "500T 10c 10T 1c 5T 1c 5T 1c 5T 1c 500T", 500, 510, WZP_SIM_CLASS_A2,
     WZP_SIM_CLASS_A0, 200, 220, true},
    {"what was worse before is enough still", "250T 44T 1c 2T 1c 2T 10c 25T 1c 2T 1c 71T", 300, 310,
     WZP_SIM_CLASS_A1, WZP_SIM_CLASS_A2, 200, 0, true},
};

START_TEST(event) {
    const struct event_case *c = &event_cases[_i];
    static uint8_t slots[2000];
    const wzp_sim_slots heard = {slots, draw(slots, sizeof slots, c->slots)};
    const wzp_sim_event_verdict v = wzp_sim_judge_event(heard, c->begin, c->end, c->enough);
    ck_assert_msg(v.before == c->before, "%s: %s before", c->name, wzp_sim_class_name(v.before));
    ck_assert_msg(v.gap_ms == c->gap_ms, "%s: gap %u ms", c->name, v.gap_ms);
    ck_assert_msg(v.recovery_ms == c->recovery_ms && v.recovered == c->recovered,
                  "%s: %u ms, recovered %d", c->name, v.recovery_ms, v.recovered);
}
END_TEST

START_TEST(names) {
    wzp_sim_class which = WZP_SIM_CLASS_BAD;
    for (unsigned i = 0; i < WZP_SIM_CLASS_BAD; i++) {
        ck_assert(wzp_sim_class_parse(&which, wzp_sim_class_name((wzp_sim_class)i)));
        ck_assert_uint_eq(which, i);
    }
    ck_assert(!wzp_sim_class_parse(&which, "bad"));
    ck_assert(!wzp_sim_class_parse(&which, "a0"));
    ck_assert_str_eq(wzp_sim_class_name(WZP_SIM_CLASS_BAD), "bad");
}
END_TEST

START_TEST(ranges_are_cut_to_what_there_is) {
    static const uint8_t slots[] = {1, 1, 2, 2, 1};
    const wzp_sim_slots heard = {slots, 5};
    ck_assert_uint_eq(wzp_sim_judge_range(heard, 2, 100).concealed, 2);
    ck_assert_uint_eq(wzp_sim_judge_range(heard, 3, 4).concealed, 1);
    ck_assert_uint_eq(wzp_sim_judge_range(heard, 9, 20).expected, 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("judge");
    tcase_add_loop_test(tc, whole, 0, WZP_COUNT_OF(judge_cases));
    tcase_add_loop_test(tc, bursts, 0, WZP_COUNT_OF(burst_cases));
    tcase_add_loop_test(tc, second, 0, WZP_COUNT_OF(second_cases));
    tcase_add_loop_test(tc, event, 0, WZP_COUNT_OF(event_cases));
    tcase_add_test(tc, names);
    tcase_add_test(tc, ranges_are_cut_to_what_there_is);
    return wzp_run_suite("sim_host.judge", tc);
}
