/* Which rooms belong to the worker that has the links. */
#include "federation/names.h"

#include <check.h>
#include <string.h>

#include "base/testing/suite.h"
#include "crypto/identity.h"

static const char *const rooms[] = {"plaza", "default", "a", "zoo"};

static const struct name_case {
    const char *sni;
    bool want;
} name_cases[] = {
    {"plaza", true}, {"default", true}, {"", true},       {"a", true},       {"zoo", true},
    {"plaz", false}, {"plazas", false}, {"zebra", false}, {"call-1", false}, {"_signal", false},
};

START_TEST(by_their_own_names) {
    const struct name_case *c = &name_cases[_i];
    wzp_fed_names *names = NULL;
    ck_assert_int_eq(wzp_fed_names_new(&names, rooms, WZP_COUNT_OF(rooms)), WZP_OK);
    ck_assert_msg(wzp_fed_names_has(names, c->sni) == c->want, "'%s'", c->sni);
    wzp_fed_names_free(&names);
    ck_assert_ptr_null(names);
    wzp_fed_names_free(&names);
}
END_TEST

START_TEST(by_their_hashes) {
    wzp_fed_names *names = NULL;
    char sni[WZP_ROOM_SNI_LEN + 1];
    ck_assert_int_eq(wzp_fed_names_new(&names, rooms, WZP_COUNT_OF(rooms)), WZP_OK);
    for (size_t i = 0; i < WZP_COUNT_OF(rooms); i++) {
        wzp_room_sni_hash(sni, wzp_bytes_str(rooms[i]));
        ck_assert(wzp_fed_names_has(names, sni));
    }
    wzp_room_sni_hash(sni, wzp_bytes_str("elsewhere"));
    ck_assert(!wzp_fed_names_has(names, sni));
    wzp_fed_names_free(&names);
}
END_TEST

START_TEST(of_nothing) {
    wzp_fed_names *names = NULL;
    char longest[300];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const char *too_long[] = {longest};
    ck_assert(!wzp_fed_names_has(NULL, "plaza"));
    ck_assert_int_eq(wzp_fed_names_new(&names, NULL, 0), WZP_OK);
    ck_assert(!wzp_fed_names_has(names, "plaza") && !wzp_fed_names_has(names, ""));
    wzp_fed_names_free(&names);
    ck_assert_int_eq(wzp_fed_names_new(&names, too_long, 1), WZP_OK);
    ck_assert(!wzp_fed_names_has(names, longest));
    wzp_fed_names_free(&names);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("names");
    tcase_add_loop_test(tc, by_their_own_names, 0, WZP_COUNT_OF(name_cases));
    tcase_add_test(tc, by_their_hashes);
    tcase_add_test(tc, of_nothing);
    return wzp_run_suite("federation.names", tc);
}
