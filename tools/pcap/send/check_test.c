#include "tools/pcap/send/check.h"

#include <check.h>

#include "base/testing/suite.h"

/* What is sent, by whom, and what comes: letters are packets. */
static const struct check_case {
    const char *name, *sent, *senders, *came;
    wzp_pcap_check_result want;
    bool holds;
} cases[] = {
    {"all in order", "abcd", "0000", "abcd", {4, 4, 0, 0, 0, 0, 0}, true},
    {"senders among each other in any order", "abcd", "0101", "bacd", {4, 4, 0, 0, 0, 0, 0}, true},
    {"one is missing", "abcd", "0000", "abd", {4, 3, 1, 0, 0, 0, 3}, false},
    {"nothing comes", "ab", "00", "", {2, 0, 2, 0, 0, 0, 1}, false},
    {"one is late", "abcd", "0000", "acbd", {4, 4, 0, 1, 0, 0, 0}, false},
    {"one comes twice", "abc", "000", "abbc", {3, 4, 0, 0, 1, 0, 0}, false},
    {"one is changed", "abc", "000", "axc", {3, 3, 1, 0, 0, 1, 2}, false},
    {"equal packets are several", "aaa", "000", "aaa", {3, 3, 0, 0, 0, 0, 0}, true},
    {"nothing is sent", "", "", "", {0}, false},
    {"more than was said is missing",
     "abcdefghij",
     "0000000000",
     "abcdefghij",
     {10, 10, 2, 0, 0, 2, 0},
     false},
};

START_TEST(it_says_what_came_of_each) {
    const struct check_case *c = &cases[_i];
    wzp_pcap_check *check = NULL;
    wzp_pcap_check_result got;
    ck_assert_int_eq(wzp_pcap_check_new(&check, 8), WZP_OK);
    for (size_t i = 0; c->sent[i] != '\0'; i++) {
        wzp_pcap_check_sent(check, (uint32_t)(c->senders[i] - '0'), wzp_bytes_of(&c->sent[i], 1));
    }
    for (size_t i = 0; c->came[i] != '\0'; i++) {
        wzp_pcap_check_came(check, wzp_bytes_of(&c->came[i], 1));
    }
    wzp_pcap_check_sum(check, &got);
    ck_assert_msg(memcmp(&got, &c->want, sizeof got) == 0, "%s: %d missing, %d late", c->name,
                  (int)got.missing, (int)got.reordered);
    ck_assert_msg(wzp_pcap_check_holds(&got) == c->holds, "%s", c->name);
    wzp_pcap_check_free(&check);
}
END_TEST

START_TEST(a_few_may_be_overtaken_on_their_way) {
    const wzp_pcap_check_result few = {.sent = 250, .came = 250, .reordered = 2};
    const wzp_pcap_check_result many = {.sent = 250, .came = 250, .reordered = 3};
    const wzp_pcap_check_result again = {.sent = 250, .came = 251, .reordered = 2, .repeated = 1};
    ck_assert(wzp_pcap_check_holds(&few));
    ck_assert(!wzp_pcap_check_holds(&many));
    ck_assert(!wzp_pcap_check_holds(&again));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, a_few_may_be_overtaken_on_their_way);
    tcase_add_loop_test(tc, it_says_what_came_of_each, 0, WZP_COUNT_OF(cases));
    return wzp_run_suite("check", tc);
}
